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
    uint32_t session;          /* of a key log */
    unsigned generation;       /* of a key log */
    struct spdm_room bytes[2]; /* shared secret or PSK; or request and response direction, empty if one is missing */
};

struct decode_secrets {
    struct decode_secret *v;
    size_t n;
    /* Sessions come in the order of their secrets more often than not: the search begins behind the last one found. */
    struct decode_search {
        size_t next, last;
        bool found; /* `last` was handed out, and nothing more was asked for */
    } search[SPDM_SECRET_DATA + 1];
};

/* Adds one in hex digits; false: it is none. */
bool decode_secrets_add(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *hex);
/* Adds one whose bytes are those of a file; false: it cannot be read, is empty, or no secret is so long. */
bool decode_secrets_add_file(struct decode_secrets *secrets, enum spdm_secret_kind kind, const char *path);
/* Reads a file: a word (dhe, kem, psk) and hex digits a line, '#' begins a comment; the lines that the reference
 * implementation logs are understood too. false: error says why. */
bool decode_secrets_read(struct decode_secrets *secrets, const char *path, char error[DECODE_SECRETS_ERROR]);
/* Adds what a key log holds, spdm-keylog(5); false: error says why. */
bool decode_secrets_read_log(struct decode_secrets *secrets, const char *path, char error[DECODE_SECRETS_ERROR]);
/* For struct spdm_watch. */
bool decode_secrets_find(struct decode_secrets *secrets, const struct spdm_secret_wanted *wanted, unsigned n,
                         struct spdm_secret *out);
void decode_secrets_clear(struct decode_secrets *secrets);
#endif
