/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reader of DER: each form of tag and length that is one, each that is
 * none (X.690 section 10), sticky errors and where they point, OIDs as text. */
#include "port/der.h"
#include "support/hex.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void elements_that_are_some(void **state)
{
    static const struct {
        const char *hex;
        uint8_t tag;
        size_t head, body;
    } rows[] = {{"0500", 5, 2, 0},
                {"020105", 2, 2, 1},
                {"3003020105", 0x30, 2, 3},
                {"a0020500", 0xa0, 2, 2},
                {"9e0101", 0x9e, 2, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_room bytes = hex_bytes(rows[i].hex);
        struct spdm_der der = spdm_der_over(as_span(bytes));
        struct spdm_der_item item;
        assert_int_equal(spdm_der_peek(&der), rows[i].tag);
        assert_true(spdm_der_any(&der, &item));
        assert_int_equal(item.tag, rows[i].tag);
        assert_int_equal(item.whole.n, rows[i].head + rows[i].body);
        assert_int_equal(item.body.n, rows[i].body);
        assert_true(spdm_der_end(&der));
        assert_int_equal(spdm_der_length(as_span(bytes)), item.whole.n);
        assert_false(spdm_der_any(&der, &item));
        assert_false(der.bad); /* the end is no error */
        free(bytes.p);
    }
}

static void elements_that_are_none(void **state)
{
    static const char *const rows[] = {
        "05",   "0501", "0580",   "058000", "058100",   "05817f",       "05820080",   "058300ffff", "05850000000001",
        "05ff", "0000", "1f0100", "3f8100", "bf200100", "0584ffffffff", "0584000000", "05820100",   "02820001ff"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_room bytes = hex_bytes(rows[i]);
        uint8_t *exact = malloc(bytes.n);
        memcpy(exact, bytes.p, bytes.n);
        struct spdm_der der = spdm_der_over((struct spdm_span){exact, bytes.n});
        struct spdm_der_item item;
        assert_false(spdm_der_any(&der, &item));
        assert_true(der.bad);
        assert_int_equal(der.wrong_at, 0);
        assert_null(item.body.p);
        assert_int_equal(spdm_der_peek(&der), 0);
        assert_false(spdm_der_end(&der));
        free(exact);
        free(bytes.p);
    }
}

/* Lengths at the edges of their forms. */
static void lengths_at_the_edges(void **state)
{
    static const struct {
        size_t n;
        const char *head;
    } rows[] = {{127, "047f"},     {128, "048180"},     {255, "0481ff"},
                {256, "04820100"}, {65535, "0482ffff"}, {65536, "0483010000"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_room head = hex_bytes(rows[i].head);
        uint8_t *bytes = calloc(1, head.n + rows[i].n);
        struct spdm_der_item item;
        memcpy(bytes, head.p, head.n);
        struct spdm_der der = spdm_der_over((struct spdm_span){bytes, head.n + rows[i].n});
        assert_true(spdm_der_any(&der, &item));
        assert_int_equal(item.body.n, rows[i].n);
        der = spdm_der_over((struct spdm_span){bytes, head.n + rows[i].n - 1});
        assert_false(spdm_der_any(&der, &item));
        assert_int_equal(spdm_der_length((struct spdm_span){bytes, head.n}), head.n + rows[i].n);
        free(bytes);
        free(head.p);
    }
    assert_int_equal(spdm_der_length((struct spdm_span){NULL, 0}), 0);
    assert_int_equal(spdm_der_length((struct spdm_span){(const uint8_t *)"\x30\x84\x7f\xff\xff\xff", 6}), 0x80000005u);
}

static void errors_stick_and_point(void **state)
{
    struct spdm_room bytes = hex_bytes("3009020101300402810101");
    struct spdm_der outer = spdm_der_over(as_span(bytes));
    struct spdm_der_item list, item, inner_list;

    (void)state;
    outer.base = 100;
    assert_true(spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list));
    struct spdm_der in = spdm_der_into(&outer, &list);
    assert_false(spdm_der_if(&in, SPDM_DER_BOOLEAN, &item));
    assert_false(in.bad);
    assert_true(spdm_der_take(&in, SPDM_DER_INTEGER, &item));
    assert_int_equal(item.at, 102);
    assert_true(spdm_der_take(&in, SPDM_DER_SEQUENCE, &inner_list));
    struct spdm_der deep = spdm_der_into(&in, &inner_list);
    assert_false(spdm_der_take(&deep, SPDM_DER_INTEGER, &item)); /* its length is not the shortest */
    assert_int_equal(deep.wrong_at, 107);
    assert_false(spdm_der_take(&deep, SPDM_DER_INTEGER, &item));
    assert_false(spdm_der_fail(&deep, 5));
    assert_int_equal(deep.wrong_at, 107); /* the first one stays */
    struct spdm_der child = spdm_der_into(&deep, &inner_list);
    assert_false(spdm_der_any(&child, &item)); /* what is below a wrong level is wrong */
    assert_false(spdm_der_take(&in, 0x05, &item));
    assert_int_equal(in.wrong_at, 111);
    free(bytes.p);
}

static void numbers_and_bits(void **state)
{
    static const struct {
        const char *hex;
        bool good;
        uint32_t value;
    } rows[] = {{"020100", true, 0},         {"02017f", true, 127},
                {"02020080", true, 128},     {"02047fffffff", true, 0x7fffffff},
                {"020180", false, 0},        {"02020001", false, 0},
                {"0202ff80", false, 0},      {"0200", false, 0},
                {"02050080000000", false, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_room bytes = hex_bytes(rows[i].hex);
        struct spdm_der der = spdm_der_over(as_span(bytes));
        struct spdm_der_item item;
        uint32_t value = 0;
        assert_true(spdm_der_take(&der, SPDM_DER_INTEGER, &item));
        assert_int_equal(spdm_der_small(&item, &value), rows[i].good);
        assert_int_equal(value, rows[i].value);
        free(bytes.p);
    }
    struct spdm_der_item bits = {.body = {(const uint8_t *)"\0ab", 3}};
    struct spdm_span out = {0};
    assert_true(spdm_der_octets(&bits, &out));
    assert_int_equal(out.n, 2);
    bits.body.p = (const uint8_t *)"\1ab";
    assert_false(spdm_der_octets(&bits, &out));
    bits.body.n = 0;
    assert_false(spdm_der_octets(&bits, &out));
}

static void oids_as_text(void **state)
{
    static const struct {
        const char *hex, *text;
    } rows[] = {{"2a", "1.2"},
                {"2b06010401831c821206", "1.3.6.1.4.1.412.274.6"},
                {"678113", "2.23.147"},
                {"883703", "2.999.3"},
                {"00", "0.0"},
                {"27", "0.39"},
                {"28", "1.0"},
                {"4f", "1.39"},
                {"50", "2.0"},
                {"2affffffffffffffff7f", "1.2.9223372036854775807"},
                {"-", "?"},
                {"80", "?"},
                {"2a8001", "?"},
                {"2a81", "?"},
                {"2affffffffffffffffff7f", "?"}};
    char text[64], small[5];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_room oid = hex_bytes(rows[i].hex);
        assert_int_equal(spdm_der_oid_text(as_span(oid), text, sizeof text), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        assert_int_equal(spdm_der_oid_text(as_span(oid), small, sizeof small), strlen(rows[i].text));
        assert_int_equal(strncmp(small, rows[i].text, sizeof small - 1), 0);
        assert_int_equal(spdm_der_oid_text(as_span(oid), NULL, 0), strlen(rows[i].text));
        free(oid.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_that_are_some), cmocka_unit_test(elements_that_are_none),
        cmocka_unit_test(lengths_at_the_edges),   cmocka_unit_test(errors_stick_and_point),
        cmocka_unit_test(numbers_and_bits),       cmocka_unit_test(oids_as_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
