/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Test identities: the judge trusts each one without a finding, its key signs
 * what its leaf verifies, and plans that cannot be are refused with a word. */
#include "port/certgen.h"
#include "port/keystore.h"
#include "port/x509_judge.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795392000 /* 2026-11-23 */

static const struct spdm_certgen_plan usual = {.algorithm = SPDM_ECDSA_P256,
                                               .model = SPDM_CERT_DEVICE,
                                               .responder = true,
                                               .intermediates = 1,
                                               .days = 30,
                                               .now = NOW,
                                               .subject = "CN=widget, O=ACME",
                                               .device_info = "ACME:a,b c:1"};

static int set_up(void **state)
{
    *state = spdm_openssl_open(NULL, NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    spdm_openssl_close(*state);
    return ERR_peek_error() != 0;
}

static struct spdm_judgement *judge(struct spdm_openssl *ossl, const struct spdm_certgen_plan *plan,
                                    const struct spdm_certgen_made *made)
{
    struct spdm_judge *j = spdm_judge_open(ossl);
    struct spdm_room chain = spdm_certgen_chain(ossl, made, SPDM_SHA_512);
    struct spdm_span root = {made->certificate[0].p, made->certificate[0].n};
    struct spdm_judge_case input = {.chain = {chain.p, chain.n},
                                    .hash = SPDM_SHA_512,
                                    .signature = plan->algorithm,
                                    .version = SPDM_V14,
                                    .slot = 1,
                                    .multi_key = true,
                                    .model = plan->model,
                                    .now = plan->now};

    assert_true(spdm_judge_trust_der(j, root, NULL));
    input.role = plan->responder ? SPDM_JUDGE_RESPONDER : SPDM_JUDGE_REQUESTER;
    struct spdm_judgement *judgement = spdm_judge_decide(j, &input);
    OPENSSL_free(chain.p);
    spdm_judge_close(j);
    return judgement;
}

/* The private key as somebody would use it: from a file. */
static void expect_key(struct spdm_openssl *ossl, const struct spdm_certgen_made *made, const struct spdm_judgement *j)
{
    char path[] = "/tmp/assay-certgen-XXXXXX", cause[SPDM_CAUSE_MAX];
    FILE *f = fdopen(mkstemp(path), "w");

    assert_int_equal(fwrite(made->key.p, 1, made->key.n, f), made->key.n);
    fclose(f);
    struct spdm_signer *signer = spdm_signer_open(ossl, &(struct spdm_signer_options){.uri = path}, cause);
    unlink(path);
    assert_non_null(signer);
    assert_true(spdm_signer_matches(signer, j->key));
    spdm_signer_close(signer);
    struct spdm_openssl_key *key = spdm_openssl_key_open(ossl, (struct spdm_span){made->spki.p, made->spki.n}, NULL);
    assert_non_null(key);
    assert_string_equal(spdm_openssl_key_name(key), spdm_openssl_key_name(j->key));
    spdm_openssl_key_free(key);
}

static void expect_trusted(struct spdm_openssl *ossl, const struct spdm_certgen_plan *plan, unsigned certificates)
{
    struct spdm_certgen_made made;
    char cause[SPDM_CAUSE_MAX] = "";

    if (!spdm_certgen_make(ossl, plan, &made, cause)) fail_msg("%s", cause);
    assert_int_equal(made.n, certificates);
    struct spdm_judgement *j = judge(ossl, plan, &made);
    for (unsigned i = 0; i < j->finding_n; i++) {
        (void)spdm_finding_text(j, &j->finding[i], cause, sizeof cause);
        print_error("%s: %s\n", spdm_algorithm_name(plan->algorithm), cause);
    }
    assert_int_equal(j->verdict, SPDM_GOOD);
    assert_int_equal(j->finding_n, 0);
    assert_int_equal(j->model, plan->model);
    const struct spdm_x509 *leaf = spdm_judgement_leaf(j);
    (void)spdm_x509_plain_text(leaf->device_info, cause, sizeof cause);
    assert_string_equal(cause, plan->device_info != NULL ? plan->device_info : "");
    assert_int_equal(leaf->not_after - leaf->not_before, plan->days * 86400);
    expect_key(ossl, &made, j);
    spdm_judgement_free(j);
    spdm_certgen_free(&made);
    assert_null(made.key.p);
}

/* Without an intermediate where signing takes long. */
static void every_algorithm(void **state)
{
    for (unsigned alg = SPDM_RSASSA_2048; alg <= SPDM_SLH_DSA_SHAKE_256F; alg++) {
        bool again = alg == SPDM_RSASSA_4096 || alg == SPDM_RSAPSS_4096 || alg == SPDM_RSAPSS_3072;
        bool slow = strncmp(spdm_algorithm_name(alg), "SLH", 3) == 0;
        struct spdm_certgen_plan plan = usual;
        plan.algorithm = alg;
        plan.intermediates = !slow;
        if (!again && spdm_openssl_crypto()->supports(*state, alg)) expect_trusted(*state, &plan, 3 - slow);
    }
}

static void every_shape(void **state)
{
    for (unsigned model = SPDM_CERT_DEVICE; model <= SPDM_CERT_GENERIC; model++) {
        for (unsigned intermediates = 0; intermediates <= SPDM_CERTGEN_INTERMEDIATES_MAX; intermediates += 4) {
            struct spdm_certgen_plan plan = usual;
            plan.model = (uint8_t)model;
            plan.intermediates = intermediates;
            plan.hash = SPDM_SHA3_512;
            plan.device_info = intermediates == 4 ? NULL : plan.device_info;
            plan.requester = intermediates != 0;
            plan.responder = intermediates != 8;
            expect_trusted(*state, &plan, intermediates + 2 + (model == SPDM_CERT_ALIAS));
        }
    }
}

static void names_as_people_write_them(void **state)
{
    static const struct {
        const char *given, *read;
    } names[] = {{"widget", "CN=widget"},
                 {"CN=widget, O=ACME", "CN=widget, O=ACME"},
                 {"serialNumber=7,CN=w\xc3\xa9", "serialNumber=7, CN=w\\C3\\A9"}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct spdm_certgen_plan plan = usual;
        struct spdm_certgen_made made;
        char text[100];
        plan.subject = names[i].given;
        assert_true(spdm_certgen_make(*state, &plan, &made, NULL));
        struct spdm_judgement *j = judge(*state, &plan, &made);
        (void)spdm_x509_name_text(spdm_judgement_leaf(j)->subject, text, sizeof text);
        assert_string_equal(text, names[i].read);
        spdm_judgement_free(j);
        spdm_certgen_free(&made);
    }
}

static void plans_that_cannot_be(void **state)
{
    static char long_name[300];
    struct spdm_certgen_made made;
    char cause[SPDM_CAUSE_MAX];
    struct spdm_certgen_plan plan = usual;

    plan.algorithm = SPDM_SHA_256;
    assert_false(spdm_certgen_make(*state, &plan, &made, cause));
    assert_int_equal(made.n, 0);
    plan = usual;
    plan.intermediates = SPDM_CERTGEN_INTERMEDIATES_MAX + 1;
    assert_false(spdm_certgen_make(*state, &plan, &made, cause));
    memset(long_name, 'x', sizeof long_name - 1);
    plan = usual;
    plan.subject = long_name;
    assert_false(spdm_certgen_make(*state, &plan, &made, cause));
    static const char *const names[] = {"NOSUCH=x", "CN=x,y", "CN=", "=x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        plan.subject = names[i];
        assert_false(spdm_certgen_make(*state, &plan, &made, cause));
        assert_non_null(strstr(cause, "certificate 3"));
        assert_null(made.certificate[0].p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_algorithm), cmocka_unit_test(every_shape),
                                       cmocka_unit_test(names_as_people_write_them),
                                       cmocka_unit_test(plans_that_cannot_be)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
