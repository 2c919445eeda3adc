/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_reference.c - reference files: what is read, what is refused, what each index is found to be. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "reference.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "{\"format\": \"assay-reference/1\", \"measurement_hash\": \"SHA_256\", \"measurements\": ["
#define TAIL "]}"

static struct spdm_reference *parse(const char *text, char error[SPDM_REFERENCE_ERROR])
{
    error[0] = '\0';
    return spdm_reference_parse("ref.json", (struct spdm_span){(const uint8_t *)text, strlen(text)}, error);
}

static void refuses_what_it_does_not_understand(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "ref.json: line 1, column 0: '[' or '{' expected near end of file"},
        {"[]", "ref.json: an object was expected"},
        {"{}", "ref.json: \"format\" must be \"assay-reference/1\""},
        {"{\"format\": \"assay-reference/2\"}", "ref.json: \"format\" must be \"assay-reference/1\""},
        {"{\"format\": \"assay-reference/1\"}", "ref.json: \"measurements\" must be a list"},
        {"{\"format\": \"assay-reference/1\", \"format\": 1}", "duplicate object key"},
        {"{\"format\": \"assay-reference/1\", \"measurement\": []}",
         "ref.json: unknown key \"measurement\"; did you mean \"measurements\"?"},
        {"{\"format\": \"assay-reference/1\", \"measurement_hash\": \"ECDSA_P384\", \"measurements\": []}",
         "ref.json: \"measurement_hash\" must be the name of a hash, such as \"SHA_384\""},
        {"{\"format\": \"assay-reference/1\", \"extra\": \"perhaps\", \"measurements\": []}",
         "ref.json: \"extra\" must be \"refuse\" or \"allow\""},
        {HEAD "1" TAIL, "ref.json: measurement 1: an object was expected: {\"index\": 1, \"digest\": \"...\"}"},
        {HEAD "{\"digest\": \"00\"}" TAIL, "ref.json: measurement 1: \"index\" must be a number from 1 to 254"},
        {HEAD "{\"index\": 0, \"any\": true}" TAIL, "\"index\" must be a number from 1 to 254"},
        {HEAD "{\"index\": 255, \"any\": true}" TAIL, "\"index\" must be a number from 1 to 254"},
        {HEAD "{\"index\": \"0xgg\", \"any\": true}" TAIL, "\"index\" must be a number from 1 to 254"},
        {HEAD "{\"index\": 1.5, \"any\": true}" TAIL, "\"index\" must be a number from 1 to 254"},
        {HEAD "{\"index\": 1}" TAIL, "one of \"digest\", \"raw\", \"text\", \"svn\", \"svn_min\", \"any\" is needed"},
        {HEAD "{\"index\": 1, \"digest\": \"00\", \"raw\": \"00\"}" TAIL, "\"digest\" and \"raw\" exclude each other"},
        {HEAD "{\"index\": 1, \"digets\": \"00\"}" TAIL, "unknown key \"digets\"; did you mean \"digest\"?"},
        {HEAD "{\"index\": 1, \"digest\": \"0\"}" TAIL, "\"digest\" must be pairs of hex digits"},
        {HEAD "{\"index\": 1, \"digest\": \"\"}" TAIL, "\"digest\" must be pairs of hex digits"},
        {HEAD "{\"index\": 1, \"digest\": []}" TAIL, "\"digest\" is an empty list"},
        {HEAD "{\"index\": 1, \"digest\": [1]}" TAIL, "\"digest\" must be a string or a list of strings"},
        {HEAD "{\"index\": 1, \"text\": \"\"}" TAIL, "\"text\" must be some text"},
        {HEAD "{\"index\": 1, \"svn\": -1}" TAIL, "\"svn\" must be a number"},
        {HEAD "{\"index\": 1, \"svn\": \"1\"}" TAIL, "\"svn\" must be a number"},
        {HEAD "{\"index\": 1, \"any\": false}" TAIL, "\"any\" can only be true"},
        {HEAD "{\"index\": 1, \"any\": true, \"optional\": 1}" TAIL, "\"optional\" must be true or false"},
        {HEAD "{\"index\": 1, \"any\": true, \"type\": \"ROM\"}" TAIL, "no measurement type of this name"},
        {HEAD "{\"index\": 1, \"any\": true, \"type\": 128}" TAIL, "\"type\" must be a name or a number from 0 to 127"},
        {HEAD "{\"index\": 1, \"any\": true}, {\"index\": \"0x01\", \"any\": true}" TAIL,
         "ref.json: measurement 2: index 1 is listed twice"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[SPDM_REFERENCE_ERROR];
        struct spdm_reference *reference = parse(rows[i].text, error);
        if (reference != NULL || strstr(error, rows[i].error) == NULL)
            fail_msg("row %zu: got \"%s\", not \"%s\"", i, error, rows[i].error);
    }
}

static void names_a_file_that_is_not_there(void **state)
{
    char error[SPDM_REFERENCE_ERROR];
    (void)state;
    assert_null(spdm_reference_load("/nonexistent/ref.json", error));
    assert_string_equal(error, "/nonexistent/ref.json: No such file or directory");
}

/* A hash of one byte that everybody can compute: the sum of the bytes, repeated 32 times. */
static bool sum_begin(void *ctx, void *state, enum spdm_alg hash)
{
    (void)ctx;
    *(uint8_t *)state = 0;
    return hash == SPDM_SHA_256;
}
static bool sum_update(void *ctx, void *state, struct spdm_span data)
{
    (void)ctx;
    for (size_t i = 0; i < data.n; i++) *(uint8_t *)state = (uint8_t)(*(uint8_t *)state + data.p[i]);
    return true;
}
static bool sum_peek(void *ctx, const void *state, uint8_t *out)
{
    (void)ctx;
    memset(out, *(const uint8_t *)state, 32);
    return true;
}
static void sum_end(void *ctx, void *state)
{
    (void)ctx;
    (void)state;
}
static const struct spdm_crypto sum = {.hash_state_size = 1,
                                       .hash_begin = sum_begin,
                                       .hash_update = sum_update,
                                       .hash_peek = sum_peek,
                                       .hash_end = sum_end};

static const uint8_t digest1[32] = {0x11, 0x22}, text3[] = "v1.2\0\0", svn4[8] = {7}, raw5[] = {1, 2, 3};
static const uint8_t sum6[32] = {6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
                                 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6};
static const struct spdm_measurement measured[] = {
    {.index = 1, .type = SPDM_MEAS_ROM, .value = {digest1, 32}},
    {.index = 3, .type = SPDM_MEAS_VERSION, .raw = true, .value = {text3, 6}},
    {.index = 4, .type = SPDM_MEAS_SVN, .raw = true, .value = {svn4, 8}},
    {.index = 5, .type = SPDM_MEAS_FIRMWARE, .raw = true, .value = {raw5, 3}},
    {.index = 6, .type = SPDM_MEAS_FIRMWARE, .value = {sum6, 32}},
};
#define D1 "1122000000000000000000000000000000000000000000000000000000000000"
#define S6 "0606060606060606060606060606060606060606060606060606060606060606"
#define REST                                                                                                           \
    ", {\"index\": 3, \"text\": \"v1.2\"}, {\"index\": 4, \"svn\": 7}, {\"index\": 5, \"raw\": \"01 02:03\"},"         \
    "{\"index\": 6, \"digest\": \"" S6 "\"}"

static void compare(const char *text, uint8_t only, const struct spdm_crypto *crypto, struct spdm_comparison *out)
{
    char error[SPDM_REFERENCE_ERROR];
    struct spdm_reference *reference = parse(text, error);
    assert_string_equal(error, "");
    struct spdm_comparand what = {
        .m = measured, .n = sizeof measured / sizeof measured[0], .hash = SPDM_SHA_256, .only = only, .crypto = crypto};
    spdm_reference_compare(reference, &what, out);
    spdm_reference_free(reference);
}

static void finds_all_the_same(void **state)
{
    static const char *const same[] = {
        HEAD "{\"index\": 1, \"type\": \"immutable ROM\", \"digest\": \"" D1 "\"}" REST TAIL,
        HEAD "{\"index\": \"0x1\", \"type\": 0, \"digest\": [\"00\", \"" D1 "\"]}" REST TAIL,
        HEAD "{\"index\": 1, \"type\": \"IMMUTABLE rom\", \"digest\": \"" D1 "\"}" REST
             ",{\"index\": 9, \"optional\": true, \"digest\": \"00\"}" TAIL,
        "{\"format\": \"assay-reference/1\", \"extra\": \"refuse\", \"measurements\": [{\"index\": 1, \"digest\": \"" D1
        "\"}" REST TAIL,
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct spdm_comparison c;
        compare(same[i], 0, NULL, &c);
        assert_true(spdm_comparison_good(&c));
        assert_int_equal(c.same, 5);
        assert_int_equal(c.at[1].match, SPDM_MATCH_SAME);
        assert_int_equal(c.at[2].match, SPDM_MATCH_NOT_DONE);
        spdm_comparison_clear(&c);
    }
}

struct row {
    const char *text; /* the first measurement of the list */
    unsigned index;
    enum spdm_match match;
    const char *expected, *why;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char text[2000];
        struct spdm_comparison c;
        snprintf(text, sizeof text, HEAD "%s" TAIL, rows[i].text);
        compare(text, 0, &sum, &c);
        const struct spdm_reference_finding *f = &c.at[rows[i].index];
        if (f->match != rows[i].match) fail_msg("row %zu: %s", i, spdm_match_name(f->match));
        if (rows[i].expected != NULL) assert_string_equal(f->expected, rows[i].expected);
        if (rows[i].why != NULL) assert_string_equal(f->why, rows[i].why);
        else assert_null(f->why);
        assert_false(spdm_comparison_good(&c));
        spdm_comparison_clear(&c);
    }
}

static void finds_what_differs(void **state)
{
    static const struct row rows[] = {
        {"{\"index\": 1, \"digest\": \"1123\"}" REST, 1, SPDM_MATCH_DIFFERENT, "1123", NULL},
        {"{\"index\": 1, \"digest\": [\"1123\", \"00\"]}" REST, 1, SPDM_MATCH_DIFFERENT, "1123 or 1 other", NULL},
        {"{\"index\": 1, \"digest\": [\"1123\", \"00\", \"01\"]}" REST, 1, SPDM_MATCH_DIFFERENT, "1123 or 2 others",
         NULL},
        {"{\"index\": 1, \"type\": 1, \"digest\": \"" D1 "\"}" REST, 1, SPDM_MATCH_DIFFERENT, D1,
         "the reference expects the type mutable firmware"},
        {"{\"index\": 1, \"svn\": 1}" REST, 1, SPDM_MATCH_DIFFERENT, "1",
         "the device gives no security version number here"},
        {"{\"index\": 3, \"text\": \"v1.3\"}", 3, SPDM_MATCH_DIFFERENT, "\"v1.3\"", NULL},
        {"{\"index\": 4, \"svn\": 6}", 4, SPDM_MATCH_DIFFERENT, "6", NULL},
        {"{\"index\": 4, \"svn_min\": 8}", 4, SPDM_MATCH_DIFFERENT, "at least 8", NULL},
        {"{\"index\": 5, \"raw\": \"010204\"}", 5, SPDM_MATCH_DIFFERENT, "010204", NULL},
        {"{\"index\": 5, \"raw\": \"0102\"}", 5, SPDM_MATCH_DIFFERENT, "0102", NULL},
        {"{\"index\": 5, \"raw\": \"01020304\"}", 5, SPDM_MATCH_DIFFERENT, "01020304", NULL},
        {"{\"index\": 1, \"digest\": \"" D1 "00\"}" REST, 1, SPDM_MATCH_DIFFERENT, D1 "00", NULL},
        {"{\"index\": 1, \"digest\": \"" D1 "\"}, {\"index\": 9, \"svn\": 1}" REST, 9, SPDM_MATCH_MISSING, "1", NULL},
        {"{\"index\": 9, \"raw\": \"0102\"}", 9, SPDM_MATCH_MISSING, "0102", NULL},
        {"{\"index\": 9, \"any\": true}", 9, SPDM_MATCH_MISSING, "any value", NULL},
        {"{\"index\": 9, \"any\": true}", 1, SPDM_MATCH_EXTRA, NULL, NULL},
        /* one side raw, the other a digest: the raw side is hashed */
        {"{\"index\": 5, \"digest\": \"" S6 "\"}", 5, SPDM_MATCH_SAME, NULL, NULL},
        {"{\"index\": 5, \"digest\": \"" D1 "\"}", 5, SPDM_MATCH_DIFFERENT, D1, NULL},
        {"{\"index\": 6, \"raw\": \"010203\"}", 6, SPDM_MATCH_SAME, NULL, NULL},
        {"{\"index\": 6, \"raw\": \"010204\"}", 6, SPDM_MATCH_DIFFERENT, "010204", NULL},
        {"{\"index\": 6, \"text\": \"\\u0001\\u0005\"}", 6, SPDM_MATCH_SAME, NULL, NULL},
    };
    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void says_what_could_not_be_compared(void **state)
{
    struct spdm_comparison c;
    (void)state;
    compare(HEAD "{\"index\": 5, \"digest\": \"" S6 "\"}" TAIL, 0, NULL, &c);
    assert_int_equal(c.at[5].match, SPDM_MATCH_DIFFERENT);
    assert_string_equal(c.at[5].why, "one is raw, the other a digest, and they could not be compared");
    spdm_comparison_clear(&c);
    compare("{\"format\": \"assay-reference/1\", \"measurement_hash\": \"SHA_384\", \"measurements\": "
            "[{\"index\": 1, \"digest\": \"" D1 "\"}" TAIL,
            0, &sum, &c);
    assert_int_equal(c.at[1].match, SPDM_MATCH_DIFFERENT);
    assert_string_equal(c.at[1].why, "the reference is in SHA_384, the device measures in SHA_256");
    spdm_comparison_clear(&c);
}

static void allows_what_it_is_told_to(void **state)
{
    struct spdm_comparison c;
    (void)state;
    compare(
        "{\"format\": \"assay-reference/1\", \"extra\": \"allow\", \"measurements\": [{\"index\": 4, \"svn_min\": 7},"
        "{\"index\": 1, \"any\": true}" TAIL,
        0, &sum, &c);
    assert_true(spdm_comparison_good(&c));
    assert_int_equal(c.same, 1);
    assert_int_equal(c.allowed, 4);
    spdm_comparison_clear(&c);
}

static void refuses_an_index_that_comes_twice(void **state)
{
    char error[SPDM_REFERENCE_ERROR];
    struct spdm_measurement m[] = {measured[0], measured[0]};
    struct spdm_comparand what = {.m = m, .n = 2, .hash = SPDM_SHA_256};
    static const char *const texts[] = {HEAD "{\"index\": 1, \"digest\": \"" D1 "\"}" TAIL,
                                        HEAD "{\"index\": 1, \"any\": true}" TAIL, HEAD TAIL};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct spdm_comparison c;
        struct spdm_reference *reference = parse(texts[i], error);
        spdm_reference_compare(reference, &what, &c);
        spdm_reference_free(reference);
        assert_false(spdm_comparison_good(&c));
        assert_int_equal(c.same + c.extra + c.allowed, 0);
        assert_string_equal(c.at[1].why, "the device has this index twice");
        spdm_comparison_clear(&c);
    }
}

static void looks_at_one_index_alone(void **state)
{
    struct spdm_comparison c;
    (void)state;
    compare(HEAD "{\"index\": 1, \"digest\": \"00\"}, {\"index\": 4, \"svn\": 7}, {\"index\": 9, \"any\": true}" TAIL,
            4, &sum, &c);
    assert_true(spdm_comparison_good(&c));
    assert_int_equal(c.same, 1);
    assert_int_equal(c.left_out, 2);
    spdm_comparison_clear(&c);
}

static void reads_back_what_it_wrote(void **state)
{
    char path[] = "/tmp/reference-XXXXXX", error[SPDM_REFERENCE_ERROR];
    struct spdm_comparand what = {.m = measured, .n = sizeof measured / sizeof measured[0], .hash = SPDM_SHA_256};
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(spdm_reference_save(path, &what, "CN=\"device\"", error));
    char text[4000] = {0};
    FILE *from = fopen(path, "r");
    assert_true(fread(text, 1, sizeof text - 1, from) > 0);
    fclose(from);
    assert_string_equal(text, "{\n  \"format\": \"assay-reference/1\",\n  \"comment\": \"CN=\\\"device\\\"\",\n"
                              "  \"measurement_hash\": \"SHA_256\",\n  \"measurements\": [\n"
                              "    {\"index\": 1, \"type\": \"immutable ROM\", \"digest\": \"" D1 "\"},\n"
                              "    {\"index\": 3, \"type\": \"firmware version\", \"text\": \"v1.2\"},\n"
                              "    {\"index\": 4, \"type\": \"firmware security version\", \"svn\": 7},\n"
                              "    {\"index\": 5, \"type\": \"mutable firmware\", \"raw\": \"010203\"},\n"
                              "    {\"index\": 6, \"type\": \"mutable firmware\", \"digest\": \"" S6 "\"}\n  ]\n}\n");
    struct spdm_reference *reference = spdm_reference_load(path, error);
    assert_non_null(reference);
    struct spdm_comparison c;
    spdm_reference_compare(reference, &what, &c);
    assert_true(spdm_comparison_good(&c));
    assert_int_equal(c.same, 5);
    spdm_comparison_clear(&c);
    spdm_reference_free(reference);
    unlink(path);
    assert_false(spdm_reference_save("/nonexistent/ref.json", &what, NULL, error));
    assert_string_equal(error, "/nonexistent/ref.json: No such file or directory");
}

/* Whether measurements are as this text expects them. */
static bool expected_by(const char *text, size_t n, const struct spdm_comparand *what)
{
    char error[SPDM_REFERENCE_ERROR] = "";
    struct spdm_comparison c;
    struct spdm_reference *r = spdm_reference_parse("it", (struct spdm_span){(const uint8_t *)text, n}, error);
    if (r == NULL) assert_true(error[0] != '\0');
    if (r == NULL) return false;
    spdm_reference_compare(r, what, &c);
    bool good = spdm_comparison_good(&c);
    spdm_comparison_clear(&c);
    spdm_reference_free(r);
    return good;
}

static bool within(size_t i, size_t from, size_t n)
{
    return i >= from && i < from + n;
}

/* One bit of what it wrote: nothing is as expected any more, unless it changes what is for people only, or the case of
 * a letter in hex and in names (withstand 109). */
static void minds_every_bit(void **state)
{
    char path[] = "/tmp/reference-XXXXXX", error[SPDM_REFERENCE_ERROR], text[4000];
    struct spdm_comparand what = {.m = measured, .n = sizeof measured / sizeof measured[0], .hash = SPDM_SHA_256};
    size_t refused = 0;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(spdm_reference_save(path, &what, "device", error));
    FILE *from = fopen(path, "r");
    size_t n = fread(text, 1, sizeof text - 1, from);
    text[n] = '\0';
    fclose(from);
    unlink(path);
    assert_true(expected_by(text, n, &what));
    size_t comment = (size_t)(strstr(text, "device") - text), version = (size_t)(strstr(text, "v1.2") - text);
    for (size_t i = 0; i < n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text[i] = (char)(text[i] ^ (1 << bit));
            bool good = expected_by(text, n, &what);
            bool letter = bit == 5 && isupper((unsigned char)text[i] & 0xdf) && !within(i, version, 4);
            bool idle = letter || within(i, comment, 6) || strchr(" \n\r\t", text[i]) != NULL;
            if (good && !idle) fail_msg("byte %zu, bit %u: %.30s", i, bit, text + (i > 10 ? i - 10 : 0));
            if (!good) refused++;
            text[i] = (char)(text[i] ^ (1 << bit));
        }
    }
    assert_true(refused > 7 * n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_it_does_not_understand),
        cmocka_unit_test(names_a_file_that_is_not_there),
        cmocka_unit_test(finds_all_the_same),
        cmocka_unit_test(finds_what_differs),
        cmocka_unit_test(says_what_could_not_be_compared),
        cmocka_unit_test(allows_what_it_is_told_to),
        cmocka_unit_test(refuses_an_index_that_comes_twice),
        cmocka_unit_test(looks_at_one_index_alone),
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(minds_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
