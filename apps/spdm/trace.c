/* SPDX-License-Identifier: BSD-3-Clause
 *
 * trace.c - messages as they pass, field by field.
 *
 * The library's dump reads each message with the walkers that the engines use;
 * here it only gets a shape: a line for the message, a line for each field,
 * long fields cut after their first bytes. */
#include "trace.h"

#include <assay/dump.h>
#include <string.h>

#define BYTES_SHOWN 32

struct painter {
    FILE *to;
    struct spdm_span message;
};

static void show_field(void *ctx, const struct spdm_field *field)
{
    const struct painter *p = ctx;
    size_t n = field->n < BYTES_SHOWN ? field->n : BYTES_SHOWN;
    fprintf(p->to, "    %5zu  %-32s", field->at, field->name);
    if (field->number) {
        fprintf(p->to, " %u (0x%x)\n", field->value, field->value);
        return;
    }
    fputc(' ', p->to);
    for (size_t i = 0; i < n && field->at + i < p->message.n; i++) fprintf(p->to, "%02x", p->message.p[field->at + i]);
    if (n < field->n) fprintf(p->to, "... (%zu bytes)", field->n);
    fputc('\n', p->to);
}

static void keep_request(struct spdm_trace *t, struct spdm_span message)
{
    t->request_n = message.n < sizeof t->request ? message.n : sizeof t->request;
    memcpy(t->request, message.p, t->request_n);
}

static const char *arrow(bool sent)
{
    return sent ? "->" : "<-";
}

/* The fields of a message whose first line is there already. */
static void show_message(struct spdm_trace *t, struct spdm_span message, bool request, const struct spdm_facts *facts)
{
    static const struct spdm_facts unknown;
    struct painter painter = {t->to, message};
    struct spdm_dump dump = {
        .facts = facts != NULL ? facts : &unknown, .message = message, .see = show_field, .ctx = &painter};
    struct spdm_report report;
    char why[300];
    fprintf(t->to, "SPDM %u.%u %s, %zu bytes\n", (unsigned)message.p[0] >> 4, message.p[0] & 15u,
            spdm_message_name(message.p[1]), message.n);
    if (!request) dump.request = (struct spdm_span){t->request, t->request_n};
    if (spdm_dump(&dump, &report) == 0) {
        (void)spdm_report_text(&report, why, sizeof why);
        fprintf(t->to, "           %s\n", why);
    }
    if (request) keep_request(t, message);
}

static void show_record(const struct spdm_trace *t, struct spdm_span record)
{
    if (record.n < 4) fprintf(t->to, "a secured message, %zu bytes\n", record.n);
    else
        fprintf(t->to, "a record of session %02x%02x%02x%02x, %zu bytes\n", record.p[3], record.p[2], record.p[1],
                record.p[0], record.n);
}

void spdm_trace_frame(struct spdm_trace *t, const struct spdm_tapped *tapped, const struct spdm_facts *facts)
{
    struct spdm_frame frame = spdm_link_target(tapped->link)->binding->unwrap(tapped->frame);
    fprintf(t->to, "%s %s  ", arrow(tapped->sent), spdm_link_peer(tapped->link));
    if (frame.kind == SPDM_FRAME_SECURED) show_record(t, frame.message);
    else if (frame.kind == SPDM_FRAME_CONTROL)
        fprintf(t->to, "a control frame of the binding, %zu bytes\n", tapped->frame.n);
    else if (frame.kind == SPDM_FRAME_BAD) fprintf(t->to, "no frame of this binding, %zu bytes\n", tapped->frame.n);
    else if (frame.message.n < 4) fprintf(t->to, "a short message, %zu bytes\n", tapped->frame.n);
    else show_message(t, frame.message, tapped->request, facts);
}

void spdm_trace_inside(struct spdm_trace *t, const struct spdm_traced *traced, const struct spdm_facts *facts)
{
    fprintf(t->to, "%s %s  in session %08x: ", arrow(traced->sent), traced->peer, traced->session);
    if (traced->app) fprintf(t->to, "application data, %zu bytes\n", traced->message.n);
    else if (traced->message.n < 4) fprintf(t->to, "a short message, %zu bytes\n", traced->message.n);
    else show_message(t, traced->message, traced->request, facts);
}
