/* SPDX-License-Identifier: BSD-3-Clause
 *
 * crypto_openssl.h - struct spdm_crypto on OpenSSL 3.0 and later.
 *
 * A back end owns a private library context, so that nothing another part of
 * the program does to OpenSSL changes what happens here, and a property query
 * that every fetch uses ("fips=yes"). What has been fetched stays fetched;
 * running hashes come out of pools, so that a connection that lives on does
 * not allocate (but for a session's keys, and the one block that OpenSSL 3.0
 * allocates each time it begins or copies a digest). Post-quantum algorithms and
 * SM4-GCM, which 3.0 lacks and 3.5 has, work when the library has them,
 * supports() tells; key exchange with SM2 it never has.
 *
 *     struct spdm_openssl *ossl = spdm_openssl_open(NULL, cause);
 *     config.crypto = spdm_openssl_crypto();
 *     config.crypto_ctx = ossl;
 *
 * A back end, its keys and everything made from it belong to one thread at a
 * time; threads that want to work at once open one each. The caller's queue
 * of OpenSSL errors is left as it was; a hash or HMAC that fails, and a cipher
 * that fails otherwise than by a wrong tag, may add to it. */
#ifndef PORT_CRYPTO_OPENSSL_H
#define PORT_CRYPTO_OPENSSL_H
#include <assay/crypto.h>

#define SPDM_CAUSE_MAX 400 /* room for a sentence that says why something failed, with its end */

struct spdm_openssl;     /* a back end */
struct spdm_openssl_key; /* a public key, what crypto->verify() takes as `key` */

struct spdm_openssl_options {
    const char *propq;            /* property query for every fetch; NULL: none */
    const char *const *providers; /* providers to load, NULL-ended; NULL: what OpenSSL loads by default */
    const char *config;           /* file in the form of openssl.cnf for the library context; NULL: none */
};

/* A back end; NULL: cause (SPDM_CAUSE_MAX bytes, may be NULL) says why. options NULL is all defaults. */
struct spdm_openssl *spdm_openssl_open(const struct spdm_openssl_options *options, char *cause);
/* Every hash has ended and every key is freed before. */
void spdm_openssl_close(struct spdm_openssl *ossl);
/* A back end of its own for a key that signs on another thread, to be given back when the key is closed. It is lent
 * again to whoever asks for the same settings (options as for spdm_openssl_open), and closed with its lender, since
 * what a thread left in it would be lost before. All of it on the lender's thread. */
struct spdm_openssl *spdm_openssl_lend(struct spdm_openssl *lender, const struct spdm_openssl_options *options,
                                       char *cause);
/* NULL is fine. */
void spdm_openssl_give_back(struct spdm_openssl *ossl);
/* It is of no use: it will not be lent again. true: it had been in use before, a new one may do better. */
bool spdm_openssl_drop(struct spdm_openssl *lent);
/* The functions; their ctx is a struct spdm_openssl. */
const struct spdm_crypto *spdm_openssl_crypto(void);

/* ---- public keys ---- */

/* The key of a DER SubjectPublicKeyInfo, which must be nothing but that; NULL: cause (may be NULL) says why. Freed
 * by spdm_openssl_key_free(). A key keeps a context that is ready to verify, so the second verification with the
 * same algorithms costs hardly more than the arithmetic. */
struct spdm_openssl_key *spdm_openssl_key_open(struct spdm_openssl *ossl, struct spdm_span spki, char *cause);
/* One more holder of the same key. Returns it. */
struct spdm_openssl_key *spdm_openssl_key_share(struct spdm_openssl_key *key);
/* One holder less; the last one frees. NULL is fine. */
void spdm_openssl_key_free(struct spdm_openssl_key *key);
/* Whether signatures of this algorithm can come from this key: kind, size and curve are the algorithm's. */
bool spdm_openssl_key_fits(const struct spdm_openssl_key *key, enum spdm_alg alg);
/* The algorithms that fit, ended by 0, as struct spdm_slot wants them. Lives as long as the program. */
const uint8_t *spdm_openssl_key_algorithms(const struct spdm_openssl_key *key);
/* What it is, for people: "EC P-384", "RSA 3072", "ML-DSA-65". Lives as long as the key. */
const char *spdm_openssl_key_name(const struct spdm_openssl_key *key);
#endif
