/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keys that live in a TPM: opened by handle: URI under ?provider=tpm2, they
 * sign digests that verify with the public half. Starts a software TPM;
 * skipped where there is none. */
#include "port/keystore.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *const providers[] = {"tpm2", "default", NULL};

struct key {
    const char *uri, *name;
    enum spdm_alg alg, hash;
    bool optional;
};

static bool sign_with(struct spdm_openssl *ossl, const struct key *k)
{
    struct spdm_signer_options o = {.uri = k->uri, .propq = "?provider=tpm2", .providers = providers};
    char cause[SPDM_CAUSE_MAX] = "";
    struct spdm_signer *signer = spdm_signer_open(ossl, &o, cause);
    uint8_t digest[SPDM_HASH_MAX] = {1, 2, 3}, out[512];
    struct spdm_signing what = {.alg = k->alg, .hash = k->hash, .prehashed = true};

    if (signer == NULL && k->optional) return false;
    if (signer == NULL) print_error("%s\n", cause);
    assert_non_null(signer);
    assert_string_equal(spdm_signer_name(signer), k->name);
    what.data = (struct spdm_span){digest, spdm_algorithm(k->hash)->size};
    for (int i = 0; i < 3; i++) {
        size_t n = spdm_signer_sign(signer, &what, (struct spdm_room){out, sizeof out}, cause);
        if (n == 0) print_error("%s\n", cause);
        assert_int_equal(n, spdm_algorithm(k->alg)->size);
        assert_int_equal(
            spdm_openssl_crypto()->verify(ossl, spdm_signer_public(signer), &what, (struct spdm_span){out, n}),
            SPDM_GOOD);
        digest[0]++;
        assert_int_equal(
            spdm_openssl_crypto()->verify(ossl, spdm_signer_public(signer), &what, (struct spdm_span){out, n}),
            SPDM_BAD);
    }
    spdm_signer_close(signer);
    return true;
}

static void keys_in_a_tpm_sign(void **state)
{
    static const struct key keys[] = {
        {"handle:0x81000001", "EC P-256", SPDM_ECDSA_P256, SPDM_SHA_256, false},
        {"handle:0x81000001", "EC P-256", SPDM_ECDSA_P256, SPDM_SHA_384, false},
        {"handle:0x81000002", "EC P-384", SPDM_ECDSA_P384, SPDM_SHA_384, true},
        {"handle:0x81000003", "RSA 2048", SPDM_RSASSA_2048, SPDM_SHA_256, false},
    };
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!sign_with(ossl, &keys[i])) print_message("this TPM has no %s\n", keys[i].name);
    }
    spdm_openssl_close(ossl);
}

static void a_handle_without_a_key(void **state)
{
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, NULL);
    struct spdm_signer_options o = {.uri = "handle:0x81000009", .propq = "?provider=tpm2", .providers = providers};
    char cause[SPDM_CAUSE_MAX];

    (void)state;
    assert_null(spdm_signer_open(ossl, &o, cause));
    assert_non_null(strstr(cause, "handle:0x81000009"));
    spdm_openssl_close(ossl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keys_in_a_tpm_sign), cmocka_unit_test(a_handle_without_a_key)};
    char dir[] = "/tmp/assay-tpm-XXXXXX", command[200];

    if (mkdtemp(dir) == NULL) return 1;
    snprintf(command, sizeof command, "tests/support/swtpm.sh start %s", dir);
    int status = system(command); /* NOLINT(cert-env33-c): a test's own script */
    int failed = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (failed == 0) {
        snprintf(command, sizeof command, "swtpm:path=%s/tpm", dir);
        setenv("TPM2OPENSSL_TCTI", command, 1);
        setenv("TSS2_LOG", "all+NONE", 1);
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        snprintf(command, sizeof command, "tests/support/swtpm.sh stop %s", dir);
        if (system(command) != 0) failed++;
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0) failed++;
    return failed;
}
