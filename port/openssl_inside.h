/* SPDX-License-Identifier: BSD-3-Clause
 *
 * openssl_inside.h - what the files of the OpenSSL back end share.
 *
 * Signatures are described twice: by what SPDM negotiates (enum spdm_alg) and
 * by how libcrypto is asked (a scheme). SPDM's verify(), the signer and the
 * certificate judge all end in the two spdm_openssl_check_* functions. */
#ifndef PORT_OPENSSL_INSIDE_H
#define PORT_OPENSSL_INSIDE_H
#include "port/crypto_openssl.h"
#include <openssl/evp.h>

#define SPDM_OPENSSL_HASH_N (SPDM_SM3_256 + 1)
#define SPDM_OPENSSL_IDLE_MAX 32 /* running hashes kept for reuse, for each algorithm */
#define SPDM_OPENSSL_SPARE_MAX 4 /* public keys kept for reuse, for each curve */

/* The kinds of public key; those up to SPDM_KIND_SPDM_N can sign SPDM messages. */
enum spdm_openssl_kind {
    SPDM_KIND_RSA_2048,
    SPDM_KIND_RSA_3072,
    SPDM_KIND_RSA_4096,
    SPDM_KIND_P256,
    SPDM_KIND_P384,
    SPDM_KIND_P521,
    SPDM_KIND_SM2,
    SPDM_KIND_ED25519,
    SPDM_KIND_ED448,
    SPDM_KIND_ML_DSA_44,
    SPDM_KIND_ML_DSA_65,
    SPDM_KIND_ML_DSA_87,
    SPDM_KIND_SLH_SHA2_128S,
    SPDM_KIND_SLH_SHAKE_128S,
    SPDM_KIND_SLH_SHA2_128F,
    SPDM_KIND_SLH_SHAKE_128F,
    SPDM_KIND_SLH_SHA2_192S,
    SPDM_KIND_SLH_SHAKE_192S,
    SPDM_KIND_SLH_SHA2_192F,
    SPDM_KIND_SLH_SHAKE_192F,
    SPDM_KIND_SLH_SHA2_256S,
    SPDM_KIND_SLH_SHAKE_256S,
    SPDM_KIND_SLH_SHA2_256F,
    SPDM_KIND_SLH_SHAKE_256F,
    SPDM_KIND_SPDM_N,
    SPDM_KIND_RSA = SPDM_KIND_SPDM_N, /* of another size */
    SPDM_KIND_EC,                     /* on another curve */
    SPDM_KIND_N
};

enum spdm_openssl_family { SPDM_FAMILY_RSA, SPDM_FAMILY_EC, SPDM_FAMILY_SM2, SPDM_FAMILY_PURE };

struct spdm_openssl_kind_row {
    const char *name;  /* for people */
    const char *type;  /* libcrypto's name of the key type */
    const char *group; /* libcrypto's name of the curve, else NULL */
    const char *oid;   /* DER contents of the OID that tells the kind: of the curve if there is one, else the key's */
    uint8_t family;    /* enum spdm_openssl_family */
    uint8_t oid_n;
    uint16_t size;        /* of an SPDM signature */
    const uint8_t *signs; /* enum spdm_alg, ended by 0 */
};

/* How a signature is made. */
struct spdm_openssl_scheme {
    enum spdm_alg hash; /* RSA, ECDSA, SM2; else SPDM_ALG_NONE */
    bool pss;           /* RSA: PSS with this salt, else PKCS #1 v1.5 */
    uint16_t salt;
    struct spdm_span context; /* context string, or SM2's signer ID */
};

struct spdm_openssl_hash {
    EVP_MD *md;
    bool tried; /* md NULL means the library does not have it */
    unsigned idle_n;
    EVP_MD_CTX *idle[SPDM_OPENSSL_IDLE_MAX];
    EVP_MD_CTX *fresh; /* has begun and never takes anything in: there to be copied */
    EVP_MD_CTX *keyed; /* where HMAC works, if ready a copy of fresh between two of them */
    bool ready;
    EVP_MD_CTX *peek; /* where hash_peek works */
};

struct spdm_openssl {
    OSSL_LIB_CTX *lib;
    char *propq; /* NULL: none */
    struct spdm_openssl_hash hash[SPDM_OPENSSL_HASH_N];
    struct {
        bool tried, usable, context; /* usable at all; takes a context string */
        EVP_PKEY *empty;             /* curves: a key with parameters and no point */
        unsigned spare_n;
        EVP_PKEY *spare[SPDM_OPENSSL_SPARE_MAX]; /* curves: keys of nobody's, to be given another point */
    } kind[SPDM_KIND_SPDM_N];
    EVP_MD *shake256; /* Ed448 with a context string where libcrypto cannot */
    void *ed448;      /* its curve, see ed448_openssl.c */
    struct spdm_openssl_session *session;
    struct {
        void **v;
        size_t n;
    } providers;
    struct spdm_openssl_lent *lent; /* those that it lends */
    struct spdm_openssl *lent_by;   /* NULL: nobody's */
    unsigned fetches;               /* counted for the tests: no algorithm is fetched twice */
};

struct spdm_openssl_key {
    struct spdm_openssl *ossl;
    EVP_PKEY *pkey;
    enum spdm_openssl_kind kind;
    unsigned bits;
    bool pss_only; /* RSA key whose type allows nothing but PSS */
    bool reusable; /* nobody else has pkey: another point may be put into it */
    char name[24];
    struct spdm_openssl_verifier *kept; /* changes while verifying; the key does not */
    unsigned holders;
};

/* A verify-initialised context and what it was initialised for. */
struct spdm_openssl_verifier {
    EVP_PKEY_CTX *digest; /* RSA, ECDSA */
    enum spdm_alg hash;
    bool pss;
    uint16_t salt;
    EVP_MD_CTX *message; /* the others */
};

extern const struct spdm_openssl_kind_row spdm_openssl_kinds[SPDM_KIND_SPDM_N];

/* ---- context ---- */

/* The hash, fetched at first use; NULL if there is none. */
EVP_MD *spdm_openssl_md(struct spdm_openssl *ossl, enum spdm_alg hash);
/* Whether keys of this kind can verify; finds out at first use. */
bool spdm_openssl_usable(struct spdm_openssl *ossl, enum spdm_openssl_kind kind);
/* Writes the sentence to cause, which may be NULL. */
void spdm_openssl_say(char *cause, const char *what, ...) __attribute__((format(printf, 2, 3)));
/* The same with OpenSSL's newest reason behind it, for use where OpenSSL has just failed. */
void spdm_openssl_cause(char *cause, const char *what, ...) __attribute__((format(printf, 2, 3)));
/* The algorithm libcrypto calls by this name ("SHA384"), as its own name; NULL if it is no hash. */
const char *spdm_openssl_hash_name(enum spdm_alg hash);
size_t spdm_openssl_hash_size(enum spdm_alg hash);
/* The digest of data; false if that fails. */
bool spdm_openssl_digest(struct spdm_openssl *ossl, enum spdm_alg hash, struct spdm_span data, uint8_t *out);

/* Closes all that were lent, given back or not. */
void spdm_openssl_lent_close(struct spdm_openssl *lender);

bool spdm_openssl_hash_begin(void *ctx, void *state, enum spdm_alg hash);
bool spdm_openssl_hash_update(void *ctx, void *state, struct spdm_span data);
bool spdm_openssl_hash_peek(void *ctx, const void *state, uint8_t *out);
bool spdm_openssl_hash_copy(void *ctx, void *dst, const void *src);
void spdm_openssl_hash_end(void *ctx, void *state);
/* What belongs to a hash that has been fetched; false: out of memory. */
bool spdm_openssl_hash_set_up(struct spdm_openssl_hash *hash);
void spdm_openssl_hash_drop(struct spdm_openssl_hash *hash);
#define SPDM_OPENSSL_HASH_STATE 16

/* ---- names and new keys (certgen_openssl.c) ---- */

/* Adds "CN=widget,O=ACME" to a name; a text without '=' is a common name. */
bool spdm_openssl_name(struct X509_name_st *name, const char *text);
/* A subjectAltName with SPDM's device info. */
struct stack_st_GENERAL_NAME *spdm_openssl_device_info(struct spdm_span info);
EVP_PKEY *spdm_openssl_new_key(const struct spdm_openssl *ossl, enum spdm_alg alg);
/* PKCS #8 in PEM. */
struct spdm_room spdm_openssl_key_text(EVP_PKEY *key);

/* ---- keys and signatures ---- */

struct spdm_signer;
const struct spdm_openssl_key *spdm_signer_private(const struct spdm_signer *signer);

/* The kind a key of libcrypto's has; SPDM_KIND_N if it is of no use. */
enum spdm_openssl_kind spdm_openssl_kind_of(const EVP_PKEY *pkey);
/* Takes over a reference to pkey, also on failure. */
struct spdm_openssl_key *spdm_openssl_key_wrap(struct spdm_openssl *ossl, EVP_PKEY *pkey, char *cause);
const struct spdm_openssl_kind_row *spdm_openssl_kind_row(enum spdm_openssl_kind kind);
enum spdm_openssl_family spdm_openssl_family_of(enum spdm_openssl_kind kind);

/* 1: the signature is good. Signatures in libcrypto's form: ECDSA and SM2 as DER. */
int spdm_openssl_check_digest(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme,
                              struct spdm_span digest, struct spdm_span signature);
int spdm_openssl_check_message(const struct spdm_openssl_key *key, const struct spdm_openssl_scheme *scheme,
                               struct spdm_span message, struct spdm_span signature);
spdm_verdict spdm_openssl_verify(void *ctx, const void *handle, const struct spdm_signing *what,
                                 struct spdm_span signature);

/* r || s (2 * half bytes) <-> ECDSA-Sig-Value. The DER needs 2 * half + 9 bytes at most. Returns the length, 0 if
 * the value has none. */
#define SPDM_ECDSA_DER_MAX (2 * 66 + 9)
size_t spdm_ecdsa_to_der(struct spdm_span raw, uint8_t *out);
size_t spdm_ecdsa_from_der(struct spdm_span der, size_t half, uint8_t *out);
#endif
