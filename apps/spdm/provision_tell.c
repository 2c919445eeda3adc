/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_tell.c - each step on a line of its own as it is done, or all of them in an object at the end. */
#include "options.h"
#include "provision.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 800, LABEL = 12, ERROR_UNEXPECTED = 0x04, ERROR_SESSION_REQUIRED = 0x0b };

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

void spdm_provision_note(struct provision *p, const char *member, json_t *value)
{
    put(p->report, member, value);
}

/* Names come from the device and from files: nothing in the line is obeyed. */
void spdm_provision_tell(struct provision *p, const char *step, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *safe = spdm_text_safe_string(text);
    json_t *one = spdm_text_need(json_object());
    put(one, "step", json_string(step));
    put(one, "text", json_string(safe));
    if (json_array_append_new(p->steps, one) != 0) spdm_text_need(NULL);
    if (!p->options->json) {
        spdm_screen_put(&p->screen, SPDM_FAINT, step);
        fprintf(p->screen.to, "%*s%s\n", (int)(LABEL - strlen(step)), "", safe);
        fflush(p->screen.to);
    }
    free(safe);
}

bool spdm_provision_fail(struct provision *p, int exit, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *safe = spdm_text_safe_string(text);
    p->exit = exit;
    put(p->report, "error", json_string(safe));
    spdm_setup_complain(&p->setup, "%s: %s", p->target.text, safe);
    free(safe);
    return false;
}

/* What would help, as far as the refusal tells. */
static const char *advice(const struct provision *p)
{
    uint8_t code = p->visited.code;
    bool inside = p->setup.session;
    if (!inside && (code == ERROR_UNEXPECTED || code == ERROR_SESSION_REQUIRED))
        return "; the device may want that in a session (--session)";
    if (code == SPDM_ERROR_INVALID_REQUEST && p->info.der.n != 0)
        return "; it may not be ready to say what --csr-info wants, or that names another key than its own";
    if (code == SPDM_ERROR_BUSY) return "; another request is in its way (--overwrite-csr), or it waits for a reset";
    if (code == SPDM_ERROR_RESET_REQUIRED) return "; it has to be reset first";
    if (code == SPDM_ERROR_OPERATION_FAILED) return "; it does not allow that for this slot or key pair";
    if (code == SPDM_ERROR_INVALID_STATE) return "; something else is in the way of that";
    return "";
}

bool spdm_provision_refused(struct provision *p, const char *step)
{
    const struct spdm_visited *v = &p->visited;
    int exit = v->exit != SPDM_EXIT_OK ? v->exit : SPDM_EXIT_PROTOCOL;
    return spdm_provision_fail(p, exit, "%s: %s%s", step, v->why, advice(p));
}

bool spdm_provision_print(struct provision *p)
{
    if (!p->options->json) return fflush(stdout) == 0 && !ferror(stdout);
    spdm_provision_note(p, "exit_code", json_integer(p->exit));
    bool good = json_dumpf(p->report, stdout, JSON_INDENT(2)) == 0 && fputc('\n', stdout) != EOF;
    return good && fflush(stdout) == 0;
}
