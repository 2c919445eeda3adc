/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_secrets.h - what sessions are opened with.
 *
 * Secrets are a heap: which of them belongs to which session is found out by
 * trying, so nobody has to sort them. They are wiped when they are dropped. */
#ifndef SPDM_DECODE_SECRETS_H
#define SPDM_DECODE_SECRETS_H
#include <assay/witness.h>

#define DECODE_SECRETS_ERROR 400

struct decode_secret {
    enum spdm_secret_kind kind;
    struct spdm_room bytes;
};

struct decode_secrets {
    struct decode_secret *v;
    size_t n;
};

/* Adds one in hex digits; false: it is none. */
bool decode_secrets_add(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *hex);
/* Reads a file: a word (dhe, kem, psk) and hex digits a line, '#' begins a comment; the lines that the reference
 * implementation logs are understood too. false: error says why. */
bool decode_secrets_read(struct decode_secrets *secrets, const char *path, char error[DECODE_SECRETS_ERROR]);
/* For struct spdm_watch. */
bool decode_secrets_find(const struct decode_secrets *secrets, const struct spdm_secret_wanted *wanted, unsigned n,
                         struct spdm_secret *out);
void decode_secrets_clear(struct decode_secrets *secrets);
#endif
