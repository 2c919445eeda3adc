/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_secrets.c - secrets from the command line and from files. */
#include "decode_secrets.h"
#include "text.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_MAX_BYTES = 4096 };

static void wipe(void *p, size_t n)
{
    volatile uint8_t *at = p;
    while (n-- != 0) *at++ = 0;
}

bool decode_secrets_add(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *hex)
{
    struct spdm_room bytes = {spdm_text_need(malloc(strlen(hex) / 2 + 1)), strlen(hex) / 2};
    bytes.n = spdm_text_unhex(hex, bytes);
    if (bytes.n == 0 || bytes.n == SIZE_MAX) {
        free(bytes.p);
        return false;
    }
    secrets->v = spdm_text_need(realloc(secrets->v, (secrets->n + 1) * sizeof *secrets->v));
    secrets->v[secrets->n++] = (struct decode_secret){kind, bytes};
    return true;
}

/* "dhe", "[DHE Secret]:" and so on. */
static bool kind_of(const char *word, enum spdm_secret_kind *kind)
{
    while (*word == '[' || isspace((unsigned char)*word)) word++;
    *kind = strncasecmp(word, "psk", 3) == 0 ? SPDM_SECRET_PSK : SPDM_SECRET_SHARED;
    return strncasecmp(word, "psk", 3) == 0 || strncasecmp(word, "dhe", 3) == 0 || strncasecmp(word, "kem", 3) == 0;
}

static bool read_line(struct decode_secrets *secrets, char *line)
{
    enum spdm_secret_kind kind;
    char *end = line + strlen(line), *hex;
    while (end > line && isspace((unsigned char)end[-1])) *--end = '\0';
    if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == '#') return true;
    hex = end;
    while (hex > line && isxdigit((unsigned char)hex[-1])) hex--;
    return hex > line && kind_of(line, &kind) && decode_secrets_add(secrets, kind, hex);
}

bool decode_secrets_read(struct decode_secrets *secrets, const char *path, char error[DECODE_SECRETS_ERROR])
{
    char line[LINE_MAX_BYTES];
    unsigned number = 0;
    bool good = true;
    FILE *from = fopen(path, "r");
    if (from == NULL) {
        snprintf(error, DECODE_SECRETS_ERROR, "%.300s: %s", path, strerror(errno));
        return false;
    }
    while (good && fgets(line, sizeof line, from) != NULL) {
        number++;
        good = read_line(secrets, line);
    }
    if (!good) {
        snprintf(error, DECODE_SECRETS_ERROR,
                 "%.300s, line %u: \"dhe\", \"kem\" or \"psk\" and hex digits were expected", path, number);
    } else if (ferror(from) != 0) {
        snprintf(error, DECODE_SECRETS_ERROR, "%.300s: %s", path, strerror(errno));
        good = false;
    }
    wipe(line, sizeof line);
    fclose(from);
    return good;
}

bool decode_secrets_find(const struct decode_secrets *secrets, const struct spdm_secret_wanted *wanted, unsigned n,
                         struct spdm_secret *out)
{
    for (size_t i = 0; i < secrets->n; i++) {
        if (secrets->v[i].kind != wanted->kind || n-- != 0) continue;
        out->bytes[0] = (struct spdm_span){secrets->v[i].bytes.p, secrets->v[i].bytes.n};
        return true;
    }
    return false;
}

void decode_secrets_clear(struct decode_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++) {
        wipe(secrets->v[i].bytes.p, secrets->v[i].bytes.n);
        free(secrets->v[i].bytes.p);
    }
    free(secrets->v);
    *secrets = (struct decode_secrets){NULL, 0};
}
