/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_secrets.c - secrets from the command line and from files. */
#include "decode_secrets.h"
#include "keylog.h"
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

static struct decode_secret *add(struct decode_secrets *secrets, enum spdm_secret_kind kind)
{
    secrets->v = spdm_text_need(realloc(secrets->v, (secrets->n + 1) * sizeof *secrets->v));
    secrets->v[secrets->n] = (struct decode_secret){.kind = kind};
    return &secrets->v[secrets->n++];
}

bool decode_secrets_add(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *hex)
{
    struct spdm_room bytes = {spdm_text_need(malloc(strlen(hex) / 2 + 1)), strlen(hex) / 2};
    bytes.n = spdm_text_unhex(hex, bytes);
    if (bytes.n == 0 || bytes.n == SIZE_MAX) {
        free(bytes.p);
        return false;
    }
    add(secrets, kind)->bytes[0] = bytes;
    return true;
}

bool decode_secrets_add_file(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *path)
{
    struct spdm_room bytes = {spdm_text_need(malloc(LINE_MAX_BYTES)), 0};
    FILE *from = fopen(path, "r");
    bool good = from != NULL;
    if (good) {
        (void)setvbuf(from, NULL, _IONBF, 0); /* no copy of a secret in a buffer */
        bytes.n = fread(bytes.p, 1, LINE_MAX_BYTES, from);
        good = bytes.n != 0 && bytes.n < LINE_MAX_BYTES;
        fclose(from);
    }
    if (good) add(secrets, kind)->bytes[0] = bytes;
    else free(bytes.p);
    return good;
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

/* ---- key logs ---- */

static struct spdm_room copy(struct spdm_span bytes)
{
    struct spdm_room out = {spdm_text_need(malloc(bytes.n + 1)), bytes.n};
    if (bytes.n != 0) memcpy(out.p, bytes.p, bytes.n);
    return out;
}

/* The other half of a pair: the same session and generation, the last one that lacks this direction. */
static struct decode_secret *half(struct decode_secrets *secrets, const struct spdm_keylog *e,
                                  enum spdm_secret_kind kind, unsigned direction)
{
    for (size_t i = secrets->n; i-- > 0;) {
        struct decode_secret *s = &secrets->v[i];
        if (s->kind != kind || s->session != e->session || s->generation != e->generation) continue;
        return s->bytes[direction].p == NULL ? s : NULL;
    }
    return NULL;
}

static void take_entry(struct decode_secrets *secrets, const struct spdm_keylog *e)
{
    bool handshake = strstr(e->label, " hs ") != NULL, data = strstr(e->label, " app ") != NULL;
    enum spdm_secret_kind kind = handshake ? SPDM_SECRET_HANDSHAKE : SPDM_SECRET_DATA;
    unsigned direction = e->label[1] == 's'; /* "req ...", "rsp ..." */
    struct decode_secret *s;
    if (!handshake && !data) return; /* the exported secret */
    s = half(secrets, e, kind, direction);
    if (s == NULL) {
        s = add(secrets, kind);
        s->session = e->session;
        s->generation = e->generation;
    }
    s->bytes[direction] = copy(e->secret);
}

/* An update of one direction leaves the other's secret as it was: the generation before has it. */
static void complete(struct decode_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++) {
        struct decode_secret *s = &secrets->v[i];
        if (s->kind != SPDM_SECRET_DATA || s->generation == 0) continue;
        for (unsigned d = 0; d < 2; d++) {
            for (size_t k = i; s->bytes[d].p == NULL && k-- > 0;) {
                const struct decode_secret *before = &secrets->v[k];
                if (before->kind != s->kind || before->session != s->session || before->bytes[d].p == NULL) continue;
                s->bytes[d] = copy((struct spdm_span){before->bytes[d].p, before->bytes[d].n});
            }
        }
    }
}

bool decode_secrets_read_log(struct decode_secrets *secrets, const char *path, char error[DECODE_SECRETS_ERROR])
{
    char line[LINE_MAX_BYTES];
    struct spdm_keylog entry;
    uint8_t secret[SPDM_HASH_MAX];
    size_t before = secrets->n;
    FILE *from = fopen(path, "r");
    bool good = from != NULL;
    if (!good) snprintf(error, DECODE_SECRETS_ERROR, "%.300s: %s", path, strerror(errno));
    while (good && fgets(line, sizeof line, from) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (spdm_keylog_read(line, &entry, secret)) take_entry(secrets, &entry);
    }
    if (good && ferror(from) != 0) {
        snprintf(error, DECODE_SECRETS_ERROR, "%.300s: %s", path, strerror(errno));
        good = false;
    } else if (good && secrets->n == before) {
        snprintf(error, DECODE_SECRETS_ERROR, "%.300s: there is no secret in it", path);
        good = false;
    }
    complete(secrets);
    wipe(line, sizeof line);
    wipe(secret, sizeof secret);
    if (from != NULL) fclose(from);
    return good;
}

/* ---- finding ---- */

static bool suits(const struct decode_secret *s, const struct spdm_secret_wanted *wanted)
{
    bool log = s->kind == SPDM_SECRET_HANDSHAKE || s->kind == SPDM_SECRET_DATA;
    if (s->kind != wanted->kind) return false;
    return !log || (s->session == wanted->session && s->bytes[0].p != NULL && s->bytes[1].p != NULL);
}

static void hand_out(struct decode_search *search, const struct decode_secret *s, size_t at, struct spdm_secret *out)
{
    for (unsigned d = 0; d < 2; d++) out->bytes[d] = (struct spdm_span){s->bytes[d].p, s->bytes[d].n};
    search->last = at;
    search->found = true;
}

bool decode_secrets_find(struct decode_secrets *secrets, const struct spdm_secret_wanted *wanted, unsigned n,
                         struct spdm_secret *out)
{
    struct decode_search *search = &secrets->search[wanted->kind];
    if (n == 0 && search->found) search->next = search->last + 1;
    search->found = false;
    for (size_t i = 0; i < secrets->n; i++) {
        size_t at = (search->next + i) % secrets->n;
        if (!suits(&secrets->v[at], wanted) || n-- != 0) continue;
        hand_out(search, &secrets->v[at], at, out);
        return true;
    }
    return false;
}

void decode_secrets_clear(struct decode_secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++) {
        for (unsigned d = 0; d < 2; d++) {
            if (secrets->v[i].bytes[d].p != NULL) wipe(secrets->v[i].bytes[d].p, secrets->v[i].bytes[d].n);
            free(secrets->v[i].bytes[d].p);
        }
    }
    free(secrets->v);
    *secrets = (struct decode_secrets){.v = NULL};
}
