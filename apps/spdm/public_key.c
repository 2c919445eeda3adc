/* SPDX-License-Identifier: BSD-3-Clause
 *
 * public_key.c - reads a public key in PEM or DER.
 *
 * The PEM form is the one of RFC 7468, "PUBLIC KEY", and nothing else: a
 * certificate or a private key in its place is refused by name. */
#include "public_key.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 65536 };

static const char begin[] = "-----BEGIN PUBLIC KEY-----", end[] = "-----END PUBLIC KEY-----";

/* The DER in what was read: all of it, or what the PEM holds. 0: cause says why. */
static size_t to_der(uint8_t *data, size_t n, char *cause)
{
    const char *text = (const char *)data, *from = strstr(text, begin);
    if (n != 0 && data[0] == 0x30) return n;
    const char *to = from == NULL ? NULL : strstr(from, end);
    if (to != NULL) {
        n = spdm_text_unbase64(from + sizeof begin - 1, to, data);
        if (n == 0) snprintf(cause, SPDM_CAUSE_MAX, "the base64 of the public key is broken");
        return n;
    }
    const char *other = strstr(text, "-----BEGIN ");
    if (other == NULL) snprintf(cause, SPDM_CAUSE_MAX, "neither PEM nor DER");
    else
        snprintf(cause, SPDM_CAUSE_MAX, "a PUBLIC KEY was expected, not a %.*s", (int)strcspn(other + 11, "-\r\n"),
                 other + 11);
    return 0;
}

static bool read_file(const char *path, struct spdm_room *out, char *cause)
{
    FILE *from = fopen(path, "rb");
    out->p = from != NULL ? calloc(1, FILE_MAX + 1) : NULL;
    if (out->p != NULL) out->n = fread(out->p, 1, FILE_MAX, from);
    bool bad = out->p == NULL || ferror(from) != 0;
    if (bad) snprintf(cause, SPDM_CAUSE_MAX, "%s", strerror(errno));
    if (from != NULL) fclose(from);
    return !bad;
}

struct spdm_openssl_key *spdm_public_key_load(struct spdm_openssl *ossl, const char *path, struct spdm_room *bytes,
                                              char *cause)
{
    struct spdm_openssl_key *key = NULL;
    *bytes = (struct spdm_room){NULL, 0};
    if (read_file(path, bytes, cause)) bytes->n = to_der(bytes->p, bytes->n, cause);
    if (bytes->p != NULL && bytes->n != 0)
        key = spdm_openssl_key_open(ossl, (struct spdm_span){bytes->p, bytes->n}, cause);
    if (key == NULL) {
        free(bytes->p);
        *bytes = (struct spdm_room){NULL, 0};
    }
    return key;
}
