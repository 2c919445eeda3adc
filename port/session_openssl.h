/* SPDX-License-Identifier: BSD-3-Clause
 *
 * session_openssl.h - the part of the OpenSSL back end that sessions use.
 *
 * HMAC, AEAD and key agreement, and what is kept for them in a back end: what
 * has been fetched, and contexts that hold no secret. */
#ifndef PORT_SESSION_OPENSSL_H
#define PORT_SESSION_OPENSSL_H
#include "port/openssl_inside.h"

#define SPDM_OPENSSL_AEAD_N (SPDM_SM4_GCM - SPDM_AES_128_GCM + 1)
#define SPDM_OPENSSL_DHE_N (SPDM_DHE_SM2 - SPDM_FFDHE_2048)
#define SPDM_OPENSSL_KEM_N (SPDM_ML_KEM_1024 - SPDM_ML_KEM_512 + 1)
#define SPDM_OPENSSL_AEAD_STATE 8
#define SPDM_OPENSSL_EXCHANGE_STATE 16

struct spdm_openssl_aead {
    EVP_CIPHER *cipher;
    bool tried; /* cipher NULL means the library does not have it */
};

/* A way to agree on a secret. */
struct spdm_openssl_agreement {
    bool tried, usable;
    EVP_PKEY_CTX *maker; /* ready to make a key pair */
    EVP_PKEY *peer;      /* DHE: the peer's side, with the value of the last one */
};

struct spdm_openssl_session {
    EVP_MAC *mac; /* with a property query: the provider's own HMAC */
    struct {
        bool tried;
        EVP_MAC_CTX *blank; /* knows its hash and no key */
    } hmac[SPDM_OPENSSL_HASH_N];
    struct spdm_openssl_aead aead[SPDM_OPENSSL_AEAD_N];
    struct spdm_openssl_agreement agreement[SPDM_OPENSSL_DHE_N + SPDM_OPENSSL_KEM_N];
};

/* What a state of the requester's half of a key agreement holds; own NULL: nothing begun. */
struct spdm_openssl_exchange {
    EVP_PKEY *own;
    uint32_t alg;
};

bool spdm_openssl_session_open(struct spdm_openssl *ossl);
void spdm_openssl_session_drop(struct spdm_openssl *ossl);
/* Whether an AEAD, a key agreement or the key schedule can be used. */
bool spdm_openssl_session_supports(struct spdm_openssl *ossl, enum spdm_alg alg);

bool spdm_openssl_hmac(void *ctx, const struct spdm_hmac *in, uint8_t *out);

/* The cipher, fetched at first use; NULL if there is none. */
EVP_CIPHER *spdm_openssl_cipher(struct spdm_openssl *ossl, enum spdm_alg aead);
bool spdm_openssl_aead_begin(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key);
bool spdm_openssl_aead_seal(void *ctx, void *state, const struct spdm_aead *record);
spdm_verdict spdm_openssl_aead_open(void *ctx, void *state, const struct spdm_aead *record);
void spdm_openssl_aead_end(void *ctx, void *state);

/* Whether a DHE group or a KEM can be used; finds out at first use. */
bool spdm_openssl_agrees(struct spdm_openssl *ossl, enum spdm_alg alg);
bool spdm_openssl_exchange_begin(void *ctx, void *state, enum spdm_alg alg, uint8_t *out);
size_t spdm_openssl_exchange_finish(void *ctx, void *state, struct spdm_span peer, uint8_t *secret);
void spdm_openssl_exchange_end(void *ctx, void *state);
size_t spdm_openssl_exchange_reply(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out, uint8_t *secret);
void spdm_openssl_agreement_drop(struct spdm_openssl_agreement *agreement);
#endif
