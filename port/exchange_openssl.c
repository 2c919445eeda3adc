/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key agreement on OpenSSL: finite-field groups of RFC 7919, NIST curves and
 * ML-KEM. The contexts that make key pairs are kept, as are the parameters of
 * each group. A public value from the wire is checked before our own half is
 * made, and the secret keeps its full size (RFC 8446 section 7.4). */
#include "port/session_openssl.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

enum { FINITE_FIELD, CURVE, KEM };
enum { PUBLIC_MAX = 1568, UNCOMPRESSED = 4 }; /* ML-KEM-1024; the prefix of a point that libcrypto wants */

_Static_assert(sizeof(struct spdm_openssl_exchange) <= SPDM_OPENSSL_EXCHANGE_STATE, "an exchange state has room");

/* SM2_P256 is missing: libcrypto has SM2 for signing and encrypting, but no key exchange with it behind EVP up to 3.5.
 * It would also need the negotiated version and both roles for its identities, which exchange_*() are not told. */
static const struct row {
    uint8_t alg, family;
    uint16_t secret;
    const char *type, *group;
} rows[SPDM_OPENSSL_DHE_N + SPDM_OPENSSL_KEM_N] = {
    {SPDM_FFDHE_2048, FINITE_FIELD, 256, "DH", "ffdhe2048"},
    {SPDM_FFDHE_3072, FINITE_FIELD, 384, "DH", "ffdhe3072"},
    {SPDM_FFDHE_4096, FINITE_FIELD, 512, "DH", "ffdhe4096"},
    {SPDM_SECP256R1, CURVE, 32, "EC", "P-256"},
    {SPDM_SECP384R1, CURVE, 48, "EC", "P-384"},
    {SPDM_SECP521R1, CURVE, 66, "EC", "P-521"},
    {SPDM_ML_KEM_512, KEM, 32, "ML-KEM-512", NULL},
    {SPDM_ML_KEM_768, KEM, 32, "ML-KEM-768", NULL},
    {SPDM_ML_KEM_1024, KEM, 32, "ML-KEM-1024", NULL},
};

/* ---- what the library has ---- */

static const struct row *row_of(enum spdm_alg alg)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].alg == (uint8_t)alg) return &rows[i];
    }
    return NULL;
}

static struct spdm_openssl_agreement *agreement_of(struct spdm_openssl *ossl, const struct row *row)
{
    return &ossl->session->agreement[row - rows];
}

/* A key with the group's parameters, into which the peers' public values are put one after the other. */
static EVP_PKEY *peer_of(struct spdm_openssl *ossl, const struct row *row)
{
    char group[16];
    EVP_PKEY *peer = NULL;

    OPENSSL_strlcpy(group, row->group, sizeof group);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(ossl->lib, row->type, ossl->propq);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &peer, EVP_PKEY_KEY_PARAMETERS, params) != 1) {
        peer = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return peer;
}

/* libcrypto checks a value when it becomes part of a key: 1 < Y < p - 1, or a point on the curve. */
static bool take_value(EVP_PKEY *key, const struct row *row, struct spdm_span value)
{
    uint8_t encoded[1 + PUBLIC_MAX] = {UNCOMPRESSED};
    size_t prefix = row->family == CURVE;

    memcpy(encoded + prefix, value.p, value.n);
    return EVP_PKEY_set1_encoded_public_key(key, encoded, prefix + value.n) == 1;
}

/* Whether that check is really there: 1 is no public value of any group, nor is (0, 1) a point of any curve. */
static bool checks_values(EVP_PKEY *key, const struct row *row)
{
    uint8_t one[PUBLIC_MAX] = {0};
    size_t n = spdm_algorithm(row->alg)->size;

    one[n - 1] = 1;
    return !take_value(key, row, (struct spdm_span){one, n});
}

static bool has_operation(struct spdm_openssl *ossl, const struct row *row)
{
    if (row->family == KEM) {
        EVP_KEM *kem = EVP_KEM_fetch(ossl->lib, row->type, ossl->propq);
        EVP_KEM_free(kem);
        return kem != NULL;
    }
    EVP_KEYEXCH *exchange = EVP_KEYEXCH_fetch(ossl->lib, row->family == CURVE ? "ECDH" : "DH", ossl->propq);
    EVP_KEYEXCH_free(exchange);
    return exchange != NULL;
}

static bool look_for(struct spdm_openssl *ossl, const struct row *row)
{
    struct spdm_openssl_agreement *a = agreement_of(ossl, row);

    if (!has_operation(ossl, row)) return false;
    a->maker = EVP_PKEY_CTX_new_from_name(ossl->lib, row->type, ossl->propq);
    if (a->maker == NULL || EVP_PKEY_keygen_init(a->maker) != 1) return false;
    if (row->group == NULL) return true;
    a->peer = peer_of(ossl, row);
    return a->peer != NULL && checks_values(a->peer, row) && EVP_PKEY_CTX_set_group_name(a->maker, row->group) == 1;
}

bool spdm_openssl_agrees(struct spdm_openssl *ossl, enum spdm_alg alg)
{
    const struct row *row = row_of(alg);

    if (row == NULL) return false;
    struct spdm_openssl_agreement *a = agreement_of(ossl, row);
    if (!a->tried) {
        ERR_set_mark();
        a->usable = look_for(ossl, row);
        ERR_pop_to_mark();
        a->tried = true;
        ossl->fetches++;
    }
    return a->usable;
}

void spdm_openssl_agreement_drop(struct spdm_openssl_agreement *agreement)
{
    EVP_PKEY_CTX_free(agreement->maker);
    EVP_PKEY_free(agreement->peer);
    *agreement = (struct spdm_openssl_agreement){0};
}

/* ---- public values ---- */

/* A new key pair; its public value to out, which has the size of the algorithm. */
static EVP_PKEY *make_own(struct spdm_openssl *ossl, const struct row *row, uint8_t *out)
{
    uint8_t encoded[1 + PUBLIC_MAX];
    size_t prefix = row->family == CURVE, size = prefix + spdm_algorithm(row->alg)->size, n = 0;
    EVP_PKEY *own = NULL;

    if (EVP_PKEY_generate(agreement_of(ossl, row)->maker, &own) != 1 ||
        EVP_PKEY_get_octet_string_param(own, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded, sizeof encoded, &n) != 1 ||
        n != size || (prefix != 0 && encoded[0] != UNCOMPRESSED)) {
        EVP_PKEY_free(own);
        return NULL;
    }
    memcpy(out, encoded + prefix, size - prefix);
    return own;
}

/* The peer's public value as a key; NULL for a wrong length and for a value that is none: 1 < Y < p - 1 (RFC 7919
 * section 5.1), a point on the curve, an encapsulation key of reduced coefficients (FIPS 203 section 7.2). In these
 * groups, of prime order or with a safe prime, there is no more to check. */
static EVP_PKEY *read_peer(struct spdm_openssl *ossl, const struct row *row, struct spdm_span value)
{
    if (value.n != spdm_algorithm(row->alg)->size) return NULL;
    if (row->family == KEM) return EVP_PKEY_new_raw_public_key_ex(ossl->lib, row->type, ossl->propq, value.p, value.n);
    EVP_PKEY *peer = agreement_of(ossl, row)->peer;
    return take_value(peer, row, value) && EVP_PKEY_up_ref(peer) == 1 ? peer : NULL;
}

/* ---- secrets ---- */

static size_t expect(const struct row *row, bool done, size_t n, uint8_t *secret)
{
    if (done && n == row->secret) return n;
    OPENSSL_cleanse(secret, SPDM_EXCHANGE_SECRET_MAX);
    return 0;
}

static size_t derive(struct spdm_openssl *ossl, const struct row *row, EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret)
{
    unsigned pad = 1;
    OSSL_PARAM padded[] = {OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad), OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(ossl->lib, own, ossl->propq);
    size_t n = SPDM_EXCHANGE_SECRET_MAX;
    bool done = ctx != NULL && EVP_PKEY_derive_init_ex(ctx, row->family == FINITE_FIELD ? padded : NULL) == 1 &&
                EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, secret, &n) == 1;

    EVP_PKEY_CTX_free(ctx);
    return expect(row, done, n, secret);
}

static size_t decapsulate(struct spdm_openssl *ossl, const struct row *row, EVP_PKEY *own, struct spdm_span ciphertext,
                          uint8_t *secret)
{
    size_t n = SPDM_EXCHANGE_SECRET_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(ossl->lib, own, ossl->propq);
    bool done = ciphertext.n == spdm_algorithm(row->alg)->reply && ctx != NULL &&
                EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
                EVP_PKEY_decapsulate(ctx, secret, &n, ciphertext.p, ciphertext.n) == 1;

    EVP_PKEY_CTX_free(ctx);
    return expect(row, done, n, secret);
}

static size_t encapsulate(struct spdm_openssl *ossl, const struct row *row, EVP_PKEY *peer, uint8_t *out,
                          uint8_t *secret)
{
    size_t size = spdm_algorithm(row->alg)->reply, ciphertext = size, n = SPDM_EXCHANGE_SECRET_MAX;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(ossl->lib, peer, ossl->propq);
    bool done = ctx != NULL && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
                EVP_PKEY_encapsulate(ctx, out, &ciphertext, secret, &n) == 1 && ciphertext == size;

    EVP_PKEY_CTX_free(ctx);
    return expect(row, done, n, secret);
}

/* ---- what the core calls ---- */

bool spdm_openssl_exchange_begin(void *ctx, void *state, enum spdm_alg alg, uint8_t *out)
{
    struct spdm_openssl *ossl = ctx;
    struct spdm_openssl_exchange *x = state;

    if (!spdm_openssl_agrees(ossl, alg)) return false;
    ERR_set_mark();
    EVP_PKEY *own = make_own(ossl, row_of(alg), out);
    ERR_pop_to_mark();
    if (own == NULL) return false;
    *x = (struct spdm_openssl_exchange){.own = own, .alg = alg};
    return true;
}

/* One key pair, one secret: the private half goes whatever comes of it. */
size_t spdm_openssl_exchange_finish(void *ctx, void *state, struct spdm_span peer, uint8_t *secret)
{
    struct spdm_openssl *ossl = ctx;
    struct spdm_openssl_exchange *x = state;
    size_t n = 0;

    if (x->own == NULL) return 0;
    const struct row *row = row_of(x->alg);
    ERR_set_mark();
    if (row->family == KEM) {
        n = decapsulate(ossl, row, x->own, peer, secret);
    } else {
        EVP_PKEY *theirs = read_peer(ossl, row, peer);
        if (theirs != NULL) n = derive(ossl, row, x->own, theirs, secret);
        EVP_PKEY_free(theirs);
    }
    ERR_pop_to_mark();
    spdm_openssl_exchange_end(ctx, state);
    return n;
}

void spdm_openssl_exchange_end(void *ctx, void *state)
{
    struct spdm_openssl_exchange *x = state;

    (void)ctx;
    EVP_PKEY_free(x->own); /* wipes the private half */
    memset(x, 0, sizeof *x);
}

size_t spdm_openssl_exchange_reply(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out, uint8_t *secret)
{
    struct spdm_openssl *ossl = ctx;
    size_t n = 0;

    if (!spdm_openssl_agrees(ossl, alg)) return 0;
    const struct row *row = row_of(alg);
    ERR_set_mark();
    EVP_PKEY *theirs = read_peer(ossl, row, peer), *own = NULL;
    if (theirs != NULL && row->family == KEM) {
        n = encapsulate(ossl, row, theirs, out, secret);
    } else if (theirs != NULL) {
        own = make_own(ossl, row, out);
        if (own != NULL) n = derive(ossl, row, own, theirs, secret);
    }
    if (n == 0 && theirs != NULL) OPENSSL_cleanse(out, spdm_algorithm(alg)->reply);
    EVP_PKEY_free(own);
    EVP_PKEY_free(theirs);
    ERR_pop_to_mark();
    return n;
}
