/* SPDX-License-Identifier: BSD-3-Clause
 *
 * own.c - reads our chain, our key and the pre-shared key, and answers with them. */
#include "own.h"
#include "port/device_pair.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PSK_MAX = 4096, HINT_MAX = SPDM_PSK_HINT_MAX };

/* ---- the pre-shared key ---- */

static bool refuse(char error[SPDM_OWN_ERROR], const char *path, const char *why)
{
    snprintf(error, SPDM_OWN_ERROR, "--psk %.300s: %s", path, why);
    return false;
}

static bool load_psk(const char *path, struct spdm_own *own, char error[SPDM_OWN_ERROR])
{
    FILE *from = fopen(path, "rb");
    if (from == NULL) return refuse(error, path, strerror(errno));
    (void)setvbuf(from, NULL, _IONBF, 0); /* no copy stays behind in a buffer */
    own->psk.p = calloc(1, PSK_MAX + 1);
    errno = EISDIR; /* what fopen does not tell about a directory, fread does */
    if (own->psk.p != NULL) own->psk.n = fread(own->psk.p, 1, PSK_MAX + 1, from);
    bool broken = own->psk.p == NULL || ferror(from) != 0;
    fclose(from);
    if (broken) return refuse(error, path, strerror(errno));
    if (own->psk.n == 0) return refuse(error, path, "the file is empty");
    return own->psk.n <= PSK_MAX || refuse(error, path, "a key of at most 4096 bytes was expected");
}

/* ---- life ---- */

static bool load_identity(const struct spdm_peer_options *options, struct spdm_own *own, char error[SPDM_OWN_ERROR])
{
    const struct spdm_device_pair pair = {.name = options->own_chain != NULL ? "--own-chain" : "--own-public-key",
                                          .chain = options->own_chain,
                                          .public_key = options->own_public_key,
                                          .key = options->own_key};
    own->signature = malloc(SPDM_SIGNATURE_MAX);
    own->device = own->signature != NULL ? spdm_device_pair(&pair, own->ossl, error) : NULL;
    if (own->signature == NULL) snprintf(error, SPDM_OWN_ERROR, "out of memory");
    return own->device != NULL;
}

/* A text, or bytes in hex behind 0x. */
static bool read_hint(const char *text, struct spdm_own *own, char error[SPDM_OWN_ERROR])
{
    size_t n = strlen(text);
    if (strncmp(text, "0x", 2) == 0) n = spdm_text_unhex(text + 2, (struct spdm_room){own->hint_bytes, HINT_MAX});
    else if (n <= HINT_MAX) memcpy(own->hint_bytes, text, n);
    own->hint = (struct spdm_span){own->hint_bytes, n};
    if (n > HINT_MAX)
        snprintf(error, SPDM_OWN_ERROR, "--psk-hint: a text of at most %d bytes, or 0x and hex", HINT_MAX);
    return n <= HINT_MAX;
}

bool spdm_own_load(const struct spdm_peer_options *options, struct spdm_openssl *ossl, struct spdm_own *out,
                   char error[SPDM_OWN_ERROR])
{
    *out = (struct spdm_own){.crypto = spdm_openssl_crypto(), .ossl = ossl};
    if (options->psk_hint != NULL && !read_hint(options->psk_hint, out, error)) return false;
    if (options->psk != NULL && !load_psk(options->psk, out, error)) return false;
    return options->own_key == NULL || load_identity(options, out, error);
}

void spdm_own_clear(struct spdm_own *own)
{
    spdm_device_free(own->device);
    if (own->psk.p != NULL) explicit_bzero(own->psk.p, PSK_MAX + 1);
    free(own->psk.p);
    free(own->signature);
    explicit_bzero(own->secret, sizeof own->secret);
    *own = (struct spdm_own){0};
}

/* ---- answers ---- */

/* HMAC with the salt as its key, over the PSK: the Handshake-Secret. */
static size_t from_psk(const struct spdm_own *own, const struct spdm_event *event, uint8_t *out)
{
    const struct spdm_span psk = {own->psk.p, own->psk.n};
    const struct spdm_hmac in = {.hash = event->hash, .key = event->psk_salt, .part = &psk, .n = 1};
    if (psk.n == 0 || !own->crypto->hmac(own->ossl, &in, out)) return 0;
    return spdm_algorithm(event->hash)->size;
}

void spdm_own_answer(struct spdm_own *own, const struct spdm_event *event, struct spdm_answer *answer)
{
    struct spdm_device_key *key =
        own->device != NULL ? spdm_device_key(own->device, event->slot, event->signing.alg) : NULL;
    const struct spdm_room signature = {own->signature, SPDM_SIGNATURE_MAX};
    if (event->kind == SPDM_ASK_PSK) answer->data = (struct spdm_span){own->secret, from_psk(own, event, own->secret)};
    else if (event->kind == SPDM_ASK_SIGN && key != NULL)
        answer->data =
            (struct spdm_span){own->signature, spdm_signer_sign(key->signer, &event->signing, signature, NULL)};
    answer->yes = answer->data.n != 0;
}
