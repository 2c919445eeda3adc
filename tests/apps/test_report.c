/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_report.c - the report word for word, and the members of its JSON form. */
#include "attestations.h"
#include "report.h"

static char *printed(struct sample *s)
{
    char *out = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&out, &n);
    struct spdm_screen screen = {.to = to};
    spdm_attestation_judge(&s->a);
    spdm_report_print(&s->a, &screen);
    fclose(to);
    return out;
}

static const char trusted_report[] = "Device\n"
                                     "  target         tcp://127.0.0.1:4194\n"
                                     "  subject        CN=leaf\\x1b[31m,O=ACME\n"
                                     "  product        ACME WIDGET\n"
                                     "  serial number  1234567890\n"
                                     "  certificate    serial 0102\n"
                                     "  model          device certificate\n"
                                     "  OIDs           1.3.6.1.4.1.412.274.2 hardware identity\n"
                                     "Certificate chain\n"
                                     "  verdict   trusted\n"
                                     "  leads to  CN=root\n"
                                     "  slot      0, fetched, 600 bytes\n"
                                     "    CN=leaf  EC P-256  2026-01-01 to 2036-01-01\n"
                                     "Connection\n"
                                     "  SPDM version      1.2 (offered: 1.0 1.1 1.2)\n"
                                     "  capabilities      CERT_CAP CHAL_CAP MEAS_CAP_SIG\n"
                                     "  hash              SHA_256\n"
                                     "  signature         ECDSA_P256\n"
                                     "  measurement hash  SHA_256\n"
                                     "  message size      4608 a transfer, 4608 in all\n"
                                     "Measurements\n"
                                     "    1  immutable ROM              digest  11223344\n"
                                     "    2  firmware version           raw     76311b5b324a\n"
                                     "    3  firmware security version  raw     7\n"
                                     "  254  device mode                raw     mode: normal; debug: none\n"
                                     "  they did not change since the device began to measure\n"
                                     "Checks\n"
                                     "  connection              passed\n"
                                     "  certificate chain       passed    leads to CN=root\n"
                                     "  validity period         passed\n"
                                     "  revocation              not done  SPDM does not carry it\n"
                                     "  proof of possession     passed    MEASUREMENTS is signed by the device's key\n"
                                     "  measurement signature   passed\n"
                                     "  reference measurements  not done  no reference was given\n"
                                     "Cost\n"
                                     "  12 messages, 1540 bytes, 12.3 ms\n"
                                     "Verdict: trusted\n";

static void prints_a_trusted_device(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    char *out = printed(&s);
    assert_string_equal(out, trusted_report);
    free(out);
    sample_free(&s);
}

static const char session_section[] = "Session\n"
                                      "  opened with       SECP384R1\n"
                                      "  messages          authenticated, not encrypted, AES_256_GCM\n"
                                      "  secured messages  1.1\n"
                                      "  handshake         in the clear\n"
                                      "  heartbeat         every 7 s\n"
                                      "  who we are        proven to the device\n"
                                      "Measurements\n";
static const char psk_section[] = "Session\n"
                                  "  opened with       a pre-shared key\n"
                                  "  messages          encrypted, AES_256_GCM\n"
                                  "  secured messages  1.2\n"
                                  "  handshake         in records\n"
                                  "  heartbeat         none\n"
                                  "Measurements\n";

static void prints_the_session(void **state)
{
    static const struct spdm_session_facts facts[] = {
        {.mac_only = true, .in_the_clear = true, .secured_version = 0x1100, .heartbeat = 7, .mut_auth = 2},
        {.psk = true, .secured_version = 0x1200}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sample s;
        sample_make(&s);
        s.result.facts.exchange = SPDM_SECP384R1;
        s.result.facts.aead = SPDM_AES_256_GCM;
        s.result.session = (struct spdm_attest_session){.mode = SPDM_KEY_SESSION, .opened = true, .facts = facts[i]};
        char *out = printed(&s);
        assert_non_null(strstr(out, i == 0 ? session_section : psk_section));
        assert_non_null(strstr(out, "  session                 passed    opened with"));
        free(out);
        sample_free(&s);
    }
}

static void prints_what_differs(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    sample_compare(&s,
                   "{\"index\": 1, \"type\": \"mutable firmware\", \"digest\": \"11223344\"}, {\"index\": 2, \"text\": "
                   "\"v2\\u001b\"}, {\"index\": 3, \"svn_min\": 5}, {\"index\": 9, \"digest\": \"00ff\"}");
    char *out = printed(&s);
    const char *at = strstr(out, "Measurements\n"), *end = strstr(out, "Checks\n");
    assert_non_null(at);
    assert_non_null(end);
    char *part = spdm_text_format("%.*s", (int)(end - at), at);
    assert_string_equal(part, "Measurements\n"
                              "    1  immutable ROM              digest  DIFFERENT  11223344\n"
                              "                                          expected   11223344\n"
                              "                                          because    the reference expects the "
                              "type mutable firmware\n"
                              "    2  firmware version           raw     DIFFERENT  76311b5b324a\n"
                              "                                          expected   \"v2\\x1b\"\n"
                              "    3  firmware security version  raw     match      7\n"
                              "  254  device mode                raw     EXTRA      mode: normal; debug: none\n"
                              "    9                                     MISSING    00ff\n"
                              "  they did not change since the device began to measure\n");
    free(part);
    assert_non_null(strstr(
        end, "Verdict: not trusted - reference measurements: 2 different (1, 2), 1 missing (9), 1 extra (254)\n"));
    free(out);
    sample_free(&s);
}

static void marks_what_is_not_proven(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.goal.sign = false;
    s.measured[0].proven = false;
    char *out = printed(&s);
    assert_non_null(strstr(out, "    1  immutable ROM              digest  not proven  11223344\n"));
    assert_non_null(strstr(out, "  254  device mode                raw                 mode: normal"));
    free(out);
    sample_free(&s);
}

static void prints_a_device_that_is_not_there(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    spdm_subject_clear(&s.device);
    s.result = (struct spdm_attest_result){.target = s.result.target, .end = SPDM_ATTEST_LINK};
    snprintf(s.result.reason, sizeof s.result.reason, "connection refused");
    char *out = printed(&s);
    assert_string_equal(out, "Device\n"
                             "  target  tcp://127.0.0.1:4194\n"
                             "Verdict: unreachable - connection refused\n");
    free(out);
    sample_free(&s);
}

/* ---- JSON ---- */

static json_t *at(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL) fail_msg("no member \"%s\"", key);
    return value;
}

static void member_is(json_t *object, const char *key, const char *value)
{
    assert_string_equal(json_string_value(at(object, key)), value);
}

/* Every member that spdm-attest(1) promises is there, with its type; and none that it does not name. */
static void has_the_promised_members(void **state)
{
    static const struct {
        const char *path, *members;
    } rows[] = {
        {"", "format target time verdict exit_code reason checks device chain connection session measurements "
             "reference error "
             "cost"},
        {"checks", "connection chain validity revocation possession measurements summary reference session"},
        {"device", "subject certificate_serial manufacturer product serial_number model oids"},
        {"chain", "source slot digest bytes trusted anchor reasons notes certificates"},
        {"connection",
         "peer version peer_versions responder requester hash signature measurement_hash key_exchange aead "
         "multi_key provisioned_slots restarts"},
        {"session", "id mode key_exchange aead encrypted secured_version clear_handshake heartbeat "
                    "mutual_authentication"},
        {"measurements", "signed count content_changed blocks"},
        {"cost", "messages_sent messages_received bytes_sent bytes_received microseconds"},
    };
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.session.opened = true;
    spdm_attestation_judge(&s.a);
    json_t *root = spdm_report_json(&s.a);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *object = rows[i].path[0] == '\0' ? root : at(root, rows[i].path);
        size_t n = 0;
        char names[300];
        snprintf(names, sizeof names, "%s", rows[i].members);
        for (char *name = strtok(names, " "); name != NULL; name = strtok(NULL, " "), n++) at(object, name);
        if (json_object_size(object) != n) fail_msg("%s has %zu members", rows[i].path, json_object_size(object));
    }
    json_decref(root);
    sample_free(&s);
}

static void tells_the_same_in_json(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    sample_compare(&s, "{\"index\": 1, \"digest\": \"00\"}, {\"index\": 9, \"digest\": \"00ff\"}");
    spdm_attestation_judge(&s.a);
    json_t *root = spdm_report_json(&s.a);
    member_is(root, "format", "assay-attest/1");
    member_is(root, "time", "2026-11-23T06:00:00Z");
    member_is(root, "verdict", "not trusted");
    assert_int_equal(json_integer_value(at(root, "exit_code")), 1);
    member_is(at(root, "device"), "subject", "CN=leaf\\x1b[31m,O=ACME");
    member_is(at(root, "chain"), "digest", "abababababababababababababababababababababababababababababababab");
    member_is(at(at(root, "checks"), "reference"), "state", "failed");
    member_is(at(at(root, "checks"), "revocation"), "state", "not done");
    json_t *blocks = at(at(root, "measurements"), "blocks");
    assert_int_equal(json_array_size(blocks), 4);
    json_t *first = json_array_get(blocks, 0), *svn = json_array_get(blocks, 2), *mode = json_array_get(blocks, 3);
    member_is(first, "reference", "different");
    member_is(first, "value", "11223344");
    member_is(first, "expected", "00");
    assert_true(json_is_null(at(first, "decoded")));
    assert_int_equal(json_integer_value(at(at(svn, "decoded"), "svn")), 7);
    member_is(svn, "reference", "extra");
    assert_string_equal(json_string_value(json_array_get(at(at(mode, "decoded"), "operational_mode"), 0)), "normal");
    json_t *missing = json_array_get(at(at(root, "reference"), "missing"), 0);
    assert_int_equal(json_integer_value(at(missing, "index")), 9);
    json_decref(root);
    sample_free(&s);
}

static void tells_a_failure_in_json(void **state)
{
    struct sample s;
    (void)state;
    sample_make(&s);
    s.result.end = SPDM_ATTEST_FAILED;
    s.result.report = (struct spdm_report){.why = SPDM_WHY_TOO_LONG,
                                           .code = 0x03,
                                           .field = "OpaqueDataLength R-OPQ-03",
                                           .offset = 84,
                                           .got = 2048,
                                           .limit = 1024};
    spdm_attestation_judge(&s.a);
    json_t *root = spdm_report_json(&s.a);
    json_t *error = at(root, "error");
    member_is(error, "why", "TOO_LONG");
    member_is(error, "message", "CHALLENGE_AUTH");
    member_is(error, "field", "OpaqueDataLength R-OPQ-03");
    assert_int_equal(json_integer_value(at(error, "got")), 2048);
    member_is(root, "verdict", "protocol error");
    assert_true(json_is_null(at(root, "measurements")));
    json_decref(root);
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_trusted_device),
        cmocka_unit_test(prints_what_differs),
        cmocka_unit_test(prints_the_session),
        cmocka_unit_test(marks_what_is_not_proven),
        cmocka_unit_test(prints_a_device_that_is_not_there),
        cmocka_unit_test(has_the_promised_members),
        cmocka_unit_test(tells_the_same_in_json),
        cmocka_unit_test(tells_a_failure_in_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
