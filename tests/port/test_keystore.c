/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Private keys: each kind out of a PEM file signs what the public half
 * verifies; encrypted, missing and unfit keys say what is wrong. */
#include "port/keystore.h"
#include "port/openssl_inside.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    struct spdm_openssl *ossl;
    char dir[64], path[128];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->dir, sizeof place->dir, "/tmp/assay-keystore-XXXXXX");
    if (mkdtemp(place->dir) == NULL) return 1;
    snprintf(place->path, sizeof place->path, "%s/key.pem", place->dir);
    place->ossl = spdm_openssl_open(NULL, NULL);
    *state = place;
    return place->ossl == NULL;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    rmdir(place->dir);
    spdm_openssl_close(place->ossl);
    free(place);
    return ERR_peek_error() != 0;
}

static EVP_PKEY *generate(struct place *place, const char *type, const char *group, size_t bits)
{
    if (group != NULL) return EVP_PKEY_Q_keygen(place->ossl->lib, NULL, "EC", group);
    if (bits != 0) return EVP_PKEY_Q_keygen(place->ossl->lib, NULL, "RSA", bits);
    return EVP_PKEY_Q_keygen(place->ossl->lib, NULL, type);
}

/* Makes a key and writes it; with a passphrase if there is one. */
static void write_key(struct place *place, EVP_PKEY *pkey, const char *passphrase)
{
    FILE *f = fopen(place->path, "w");

    assert_non_null(f);
    assert_non_null(pkey);
    assert_int_equal(PEM_write_PKCS8PrivateKey(f, pkey, passphrase != NULL ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                                               (void *)passphrase),
                     1);
    fclose(f);
    EVP_PKEY_free(pkey);
}

static struct spdm_signer *open_key(struct place *place, char *cause)
{
    return spdm_signer_open(place->ossl, &(struct spdm_signer_options){.uri = place->path}, cause);
}

static void sign_and_verify(struct place *place, struct spdm_signer *signer, struct spdm_signing *what)
{
    static uint8_t out[SPDM_SIGNATURE_MAX];
    char cause[SPDM_CAUSE_MAX] = "";
    size_t size = spdm_algorithm(what->alg)->size;
    const struct spdm_crypto *crypto = spdm_openssl_crypto();

    for (int i = 0; i < 2; i++) {
        size_t n = spdm_signer_sign(signer, what, (struct spdm_room){out, sizeof out}, cause);
        if (n != size) print_error("%s\n", cause);
        assert_int_equal(n, size);
        assert_int_equal(crypto->verify(place->ossl, spdm_signer_public(signer), what, (struct spdm_span){out, n}),
                         SPDM_GOOD);
        out[n / 2] ^= 1;
        assert_int_equal(crypto->verify(place->ossl, spdm_signer_public(signer), what, (struct spdm_span){out, n}),
                         SPDM_BAD);
    }
    assert_int_equal(spdm_signer_sign(signer, what, (struct spdm_room){out, size - 1}, cause), 0);
    what->prehashed = !what->prehashed;
    assert_int_equal(spdm_signer_sign(signer, what, (struct spdm_room){out, sizeof out}, cause), 0);
    what->prehashed = !what->prehashed;
    what->alg = what->alg == SPDM_SM2 ? SPDM_ED25519 : SPDM_SM2;
    assert_int_equal(spdm_signer_sign(signer, what, (struct spdm_room){out, sizeof out}, cause), 0);
    assert_non_null(strstr(cause, "cannot sign"));
}

static void every_kind_signs(void **state)
{
    static const struct {
        const char *type, *group;
        size_t bits;
        enum spdm_alg alg, hash;
        const char *context;
    } kinds[] = {
        {"EC", "P-256", 0, SPDM_ECDSA_P256, SPDM_SHA_256, ""},
        {"EC", "P-256", 0, SPDM_ECDSA_P256, SPDM_SHA3_512, ""},
        {"EC", "P-384", 0, SPDM_ECDSA_P384, SPDM_SHA_384, ""},
        {"EC", "P-384", 0, SPDM_ECDSA_P384, SPDM_SM3_256, ""},
        {"EC", "P-521", 0, SPDM_ECDSA_P521, SPDM_SHA_512, ""},
        {"RSA", NULL, 2048, SPDM_RSASSA_2048, SPDM_SHA_256, ""},
        {"RSA", NULL, 2048, SPDM_RSAPSS_2048, SPDM_SHA_512, ""},
        {"RSA", NULL, 3072, SPDM_RSAPSS_3072, SPDM_SHA_384, ""},
        {"RSA", NULL, 4096, SPDM_RSASSA_4096, SPDM_SHA3_256, ""},
        {"SM2", NULL, 0, SPDM_SM2, SPDM_SM3_256, ""},
        {"ED25519", NULL, 0, SPDM_ED25519, SPDM_SHA_256, ""},
        {"ED448", NULL, 0, SPDM_ED448, SPDM_SHA_512, ""},
        {"ED448", NULL, 0, SPDM_ED448, SPDM_SHA_512, "responder-challenge_auth signing"},
        {"ML-DSA-44", NULL, 0, SPDM_ML_DSA_44, SPDM_SHA_384, "responder-challenge_auth signing"},
        {"ML-DSA-65", NULL, 0, SPDM_ML_DSA_65, SPDM_SHA_384, "responder-challenge_auth signing"},
        {"ML-DSA-87", NULL, 0, SPDM_ML_DSA_87, SPDM_SHA_384, "responder-challenge_auth signing"},
        {"SLH-DSA-SHA2-128f", NULL, 0, SPDM_SLH_DSA_SHA2_128F, SPDM_SHA_384, "responder-challenge_auth signing"},
    };
    static const uint8_t message[150] = {1, 2, 3};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char cause[SPDM_CAUSE_MAX] = "";
        if (!spdm_openssl_crypto()->supports(place->ossl, kinds[i].alg)) continue;
        write_key(place, generate(place, kinds[i].type, kinds[i].group, kinds[i].bits), NULL);
        struct spdm_signer *signer = open_key(place, cause);
        if (signer == NULL) print_error("%s\n", cause);
        assert_non_null(signer);
        assert_string_equal(cause, "");
        assert_string_equal(spdm_signer_name(signer), spdm_openssl_key_name(spdm_signer_public(signer)));
        struct spdm_signing what = {.alg = kinds[i].alg, .hash = kinds[i].hash};
        what.prehashed = kinds[i].group != NULL || kinds[i].bits != 0;
        what.data = (struct spdm_span){message, what.prehashed ? spdm_algorithm(what.hash)->size : sizeof message};
        what.context = (struct spdm_span){(const uint8_t *)kinds[i].context, strlen(kinds[i].context)};
        sign_and_verify(place, signer, &what);
        spdm_signer_close(signer);
    }
}

/* One key may sign for connections with different hashes and paddings in turn. */
static void a_key_changes_its_hash(void **state)
{
    static const enum spdm_alg algs[] = {SPDM_RSASSA_2048, SPDM_RSAPSS_2048}, hashes[] = {SPDM_SHA_256, SPDM_SHA_384};
    static const uint8_t digest[48] = {9};
    struct place *place = *state;

    write_key(place, generate(place, "RSA", NULL, 2048), NULL);
    struct spdm_signer *signer = open_key(place, NULL);
    for (int i = 0; i < 8; i++) {
        struct spdm_signing what = {.alg = algs[i & 1], .hash = hashes[i >> 1 & 1], .prehashed = true};
        what.data = (struct spdm_span){digest, spdm_algorithm(what.hash)->size};
        sign_and_verify(place, signer, &what);
    }
    spdm_signer_close(signer);
}

static bool pass(void *ctx, char *out, size_t cap)
{
    snprintf(out, cap, "%s", (const char *)ctx);
    return true;
}

static void encrypted_keys(void **state)
{
    struct place *place = *state;
    char cause[SPDM_CAUSE_MAX];

    write_key(place, generate(place, "EC", "P-256", 0), "swordfish");
    assert_null(open_key(place, cause));
    assert_non_null(strstr(cause, "encrypted"));
    assert_non_null(strstr(cause, place->path));
    struct spdm_signer_options o = {.uri = place->path, .passphrase = pass, .passphrase_ctx = (char[]){"flounder"}};
    assert_null(spdm_signer_open(place->ossl, &o, cause));
    assert_non_null(strstr(cause, "passphrase"));
    o.passphrase_ctx = (char[]){"swordfish"};
    struct spdm_signer *signer = spdm_signer_open(place->ossl, &o, cause);
    assert_non_null(signer);
    spdm_signer_close(signer);
}

static void keys_that_are_none(void **state)
{
    static const char *const texts[] = {"", "hello\n",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    struct place *place = *state;
    char cause[SPDM_CAUSE_MAX];

    unlink(place->path);
    assert_null(open_key(place, cause));
    assert_non_null(strstr(cause, place->path));
    assert_non_null(strstr(cause, strerror(ENOENT)));
    assert_null(open_key(place, NULL));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        FILE *f = fopen(place->path, "w");
        fputs(texts[i], f);
        fclose(f);
        assert_null(open_key(place, cause));
        assert_non_null(strstr(cause, "no private key"));
    }
    write_key(place, generate(place, "RSA", NULL, 1024), NULL);
    assert_null(open_key(place, cause));
    assert_non_null(strstr(cause, "RSA 1024"));
    write_key(place, generate(place, "X25519", NULL, 0), NULL);
    assert_null(open_key(place, cause));
    assert_non_null(strstr(cause, "X25519"));
    assert_null(spdm_signer_open(place->ossl, &(struct spdm_signer_options){.uri = "handle:0x81000001"}, cause));
    assert_non_null(strstr(cause, "handle:0x81000001"));
    static const char *const none[] = {"default", "nosuchprovider", NULL};
    assert_null(spdm_signer_open(place->ossl, &(struct spdm_signer_options){.uri = "x", .providers = none}, cause));
    assert_non_null(strstr(cause, "nosuchprovider"));
}

static void matching_a_certificate(void **state)
{
    struct place *place = *state;
    struct spdm_openssl_key *other = spdm_openssl_key_wrap(place->ossl, generate(place, "EC", "P-256", 0), NULL);

    write_key(place, generate(place, "EC", "P-256", 0), NULL);
    struct spdm_signer *a = open_key(place, NULL), *b = open_key(place, NULL);
    assert_true(spdm_signer_matches(a, spdm_signer_public(b)));
    assert_false(spdm_signer_matches(a, other));
    assert_false(spdm_signer_matches(a, NULL));
    spdm_signer_close(a);
    spdm_signer_close(b);
    spdm_signer_close(NULL);
    spdm_openssl_key_free(other);
}

/* A property query of its own: the key is found under it, and only this key looks there. */
static void a_library_context_of_its_own(void **state)
{
    static const char *const providers[] = {"default", NULL};
    struct place *place = *state;
    char cause[SPDM_CAUSE_MAX];
    uint8_t digest[32] = {1};
    struct spdm_signing what = {.alg = SPDM_ECDSA_P256, .hash = SPDM_SHA_256, .prehashed = true, .data = {digest, 32}};

    write_key(place, generate(place, "EC", "P-256", 0), NULL);
    struct spdm_signer_options o = {.uri = place->path, .propq = "?provider=default", .providers = providers};
    struct spdm_signer *signer = spdm_signer_open(place->ossl, &o, cause);
    assert_non_null(signer);
    sign_and_verify(place, signer, &what);
    spdm_signer_close(signer);
    o.propq = "provider=nosuch";
    assert_null(spdm_signer_open(place->ossl, &o, cause));
    assert_non_null(strstr(cause, "provider=nosuch"));
}

/* `openssl ecparam -genkey` writes the curve in front of the key. */
static void behind_parameters(void **state)
{
    struct place *place = *state;
    char cause[SPDM_CAUSE_MAX] = "", key[4000];
    size_t n;
    FILE *f;

    write_key(place, generate(place, "EC", "P-256", 0), NULL);
    f = fopen(place->path, "r");
    assert_non_null(f);
    n = fread(key, 1, sizeof key, f);
    fclose(f);
    f = fopen(place->path, "w");
    assert_non_null(f);
    fputs("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n", f);
    fwrite(key, 1, n, f);
    fclose(f);
    struct spdm_signer *signer = open_key(place, cause);
    assert_string_equal(cause, "");
    assert_non_null(signer);
    spdm_signer_close(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_signs),       cmocka_unit_test(a_key_changes_its_hash),
        cmocka_unit_test(encrypted_keys),         cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(matching_a_certificate), cmocka_unit_test(a_library_context_of_its_own),
        cmocka_unit_test(behind_parameters),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
