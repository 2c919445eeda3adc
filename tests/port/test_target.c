/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_target.c - targets as people write them, and the words for wrong ones. */
#include "port/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void reads_targets(void **state)
{
    static const struct {
        const char *text, *normal, *host;
        uint16_t port;
        bool emulator;
        uint32_t transport;
        const struct spdm_binding *binding;
    } rows[] = {
        {"tcp://device", "tcp://device:4194", "device", 4194, false, 0, &spdm_binding_tcp},
        {"tcp://10.0.0.1:99", "tcp://10.0.0.1:99", "10.0.0.1", 99, false, 0, &spdm_binding_tcp},
        {"emu+mctp://localhost", "emu+mctp://localhost:2323", "localhost", 2323, true, 1, &spdm_binding_mctp},
        {"EMU+DOE://[::1]", "emu+doe://[::1]:2323", "::1", 2323, true, 2, &spdm_binding_doe},
        {"emu+tcp://[fe80::1]:65535", "emu+tcp://[fe80::1]:65535", "fe80::1", 65535, true, 3, &spdm_binding_tcp},
        {"emu+none://h:1", "emu+none://h:1", "h", 1, true, 0, &spdm_binding_none},
        {"emu+nvme://h", "emu+nvme://h:2323", "h", 2323, true, 4, &spdm_binding_storage},
        {"emu+scsi://h:1", "emu+scsi://h:1", "h", 1, true, 3, &spdm_binding_storage},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_target t;
        char error[SPDM_REASON_MAX] = "";
        if (!spdm_target_parse(rows[i].text, false, &t, error)) fail_msg("%s: %s", rows[i].text, error);
        assert_string_equal(t.text, rows[i].normal);
        assert_string_equal(t.host, rows[i].host);
        assert_int_equal(t.port, rows[i].port);
        assert_int_equal(t.emulator, rows[i].emulator);
        assert_int_equal(t.transport, rows[i].transport);
        assert_ptr_equal(t.binding, rows[i].binding);
    }
}

static void refuses_others(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "SCHEME://HOST"},
        {"localhost", "SCHEME://HOST"},
        {"localhost:2323", "SCHEME://HOST"},
        {"mctp://localhost", "must be tcp, emu+mctp"},
        {"emu+mctpx://localhost", "must be tcp, emu+mctp"},
        {"://localhost", "must be tcp, emu+mctp"},
        {"tcp://", "no host"},
        {"tcp://:4194", "no host"},
        {"tcp://[::1", "no host"},
        {"tcp://[]", "no host"},
        {"tcp://[host]", "no host"},
        {"tcp://[//[]:2", "no host"},
        {"tcp://[::1]]", "number from 1 to 65535"},
        {"tcp:// host", "no host"},
        {"tcp://ho st", "number from 1 to 65535"},
        {"tcp://h:", "number from 1 to 65535"},
        {"tcp://h:0", "number from 1 to 65535"},
        {"tcp://h:65536", "number from 1 to 65535"},
        {"tcp://h:99999999999999999999", "number from 1 to 65535"},
        {"tcp://h:12x", "number from 1 to 65535"},
        {"tcp://h:-1", "number from 1 to 65535"},
        {"tcp://[::1]x", "number from 1 to 65535"},
        {"tcp://h:1/", "nothing may follow"},
        {"tcp://h/", "nothing may follow"},
        {"tcp://h/path", "number from 1 to 65535"},
        {"tcp://"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "no host"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_target t;
        char error[SPDM_REASON_MAX] = "";
        if (spdm_target_parse(rows[i].text, false, &t, error)) fail_msg("%s was taken", rows[i].text);
        if (strstr(error, rows[i].says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].text, error, rows[i].says);
    }
}

static void port_zero_only_where_allowed(void **state)
{
    struct spdm_target t;
    char error[SPDM_REASON_MAX];
    (void)state;
    assert_true(spdm_target_parse("tcp://127.0.0.1:0", true, &t, error));
    assert_int_equal(t.port, 0);
    assert_false(spdm_target_parse("tcp://127.0.0.1:0", false, &t, error));
}

static void knows_loopback(void **state)
{
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {
        {"tcp://127.0.0.1", true},
        {"tcp://127.9.9.9", true},
        {"tcp://[::1]", true},
        {"tcp://localhost", true},
        {"tcp://0.0.0.0", false},
        {"tcp://[::]", false},
        {"tcp://128.0.0.1", false},
        {"tcp://[::ffff:127.0.0.1]", true},
        {"tcp://[::ffff:10.0.0.1]", false},
        {"tcp://192.168.1.1", false},
        {"tcp://no.such.host.invalid", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_target t;
        char error[SPDM_REASON_MAX];
        assert_true(spdm_target_parse(rows[i].text, false, &t, error));
        if (spdm_target_is_loopback(&t) != rows[i].loopback) fail_msg("%s", rows[i].text);
    }
}

static void forms_parse(void **state)
{
    unsigned n = 0;
    (void)state;
    for (const char *form; (form = spdm_target_form(n)) != NULL; n++) {
        char text[64];
        struct spdm_target t;
        char error[SPDM_REASON_MAX];
        size_t bracket = strcspn(form, "[");
        memcpy(text, form, bracket);
        strcpy(text + bracket, form + bracket + 1);
        text[strlen(text) - 1] = '\0';
        assert_true(spdm_target_parse(text, false, &t, error));
        assert_string_equal(strrchr(t.text, ':'), strrchr(text, ':')); /* the port shown is the default */
    }
    assert_int_equal(n, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_targets),
        cmocka_unit_test(refuses_others),
        cmocka_unit_test(port_zero_only_where_allowed),
        cmocka_unit_test(knows_loopback),
        cmocka_unit_test(forms_parse),
    };
    return cmocka_run_group_tests_name("port/target", tests, NULL, NULL);
}
