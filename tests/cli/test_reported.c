/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_reported.c - what `spdm respond` says of itself beyond measurements: its log, its classes, events, answers that
 * are described; and the commands it takes. */
#include "support/asker.h"
#include "support/served.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEVICE                                                                                                         \
    "events: {};\n"                                                                                                    \
    "slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; }, { slot = 1; } );\n"
#define MEASURED "!measurements = ( { text = \"firmware\"; }, { type = \"svn\"; number = 7; } );\n" DEVICE

static struct served served;
static uv_loop_t loop;
static char control[96];
static const char *options[] = {"-l", "tcp://127.0.0.1:0", "--control", control, NULL};
static const struct spdm_goal open_one = {.want = SPDM_WANT_SESSION};

static struct asker *ask_served(const struct asker_options *more)
{
    static char target[64], root[128];
    struct asker_options o = *more;
    snprintf(target, sizeof target, "tcp://127.0.0.1:%u", served.port[0]);
    snprintf(root, sizeof root, "%s/w/root.pem", served.dir);
    o.target = target;
    o.root = root;
    return asker_open(&loop, &o);
}

/* The exit code of `spdm respond --tell`, which must say this. */
static int tell(const char *command, const char *says)
{
    char line[400];
    snprintf(line, sizeof line,
             "\"$SPDM\" respond --tell %s '%s' >%s/told 2>&1; rc=$?; [ -z '%s' ] || grep -qF '%s' %s/told || exit 99; "
             "exit $rc",
             control, command, served.dir, says, says, served.dir);
    return WEXITSTATUS(system(line));
}

static struct spdm_span reply(const struct asker *a)
{
    return (struct spdm_span){a->reply, a->reply_n};
}

/* ---- log, classes, described answers ---- */

static void says_what_it_is(void **state)
{
    static const char description[] =
        "log: { entries = ( { measurement = 3; type = \"rom\"; text = \"boot\"; }, { digest = \"0102\"; } ); };\n"
        "endpoint: { classes = ( { body = \"PCI-SIG\"; vendor = \"86 80\"; ids = [\"0102\", \"\"]; } ); };\n"
        "vendor_defined = ( { body = \"PCI-SIG\"; vendor = \"0100\"; request = \"0000\"; answer = \"0001 aa\"; },\n"
        "                   { body = \"PCI-SIG\"; vendor = \"0100\"; answer = \"ff\"; } );\n";
    const union spdm_order log = {.log = {.length = 0}};
    union spdm_order endpoint = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS}};
    static const uint8_t vendor[] = {1, 0}, query[] = {0, 0, 7}, other[] = {9};
    struct spdm_goal ask = {.want = SPDM_WANT_VENDOR, .standard = 3, .vendor = {vendor, 2}, .payload = {query, 3}};
    struct spdm_device_class class;
    struct spdm_log_entry entry;
    struct spdm_span rest, id;
    uint32_t entries;
    uint8_t classes;
    struct asker *a;
    (void)state;
    served_start(&served, description, options);
    a = ask_served(&(struct asker_options){.version = SPDM_V13});
    if (!asker_errand(a, 0, &spdm_errand_log, &log)) fail_msg("%s", a->why);
    assert_true(spdm_log_open(reply(a), &entries, &rest));
    assert_int_equal(entries, 2);
    assert_true(spdm_log_next(&rest, &entry));
    assert_int_equal(entry.index, 1);
    assert_int_equal(entry.measurement, 3);
    assert_int_equal(entry.type, SPDM_MEAS_ROM);
    assert_true(entry.raw);
    assert_memory_equal(entry.value.p, "boot", 4);
    assert_true(spdm_log_next(&rest, &entry));
    assert_int_equal(entry.index, 2);
    assert_false(entry.raw);
    assert_int_equal(entry.value.n, 2);
    assert_false(spdm_log_next(&rest, &entry));
    if (!asker_errand(a, 0, &spdm_errand_endpoint, &endpoint)) fail_msg("%s", a->why);
    assert_true(spdm_device_class_open(reply(a), &classes, &rest));
    assert_int_equal(classes, 1);
    assert_true(spdm_device_class_next(&rest, &class));
    assert_int_equal(class.body, 3);
    assert_memory_equal(class.vendor.p, "\x86\x80", 2);
    assert_true(spdm_sub_id_next(&class.sub_ids, &id));
    assert_int_equal(id.n, 2);
    assert_true(spdm_sub_id_next(&class.sub_ids, &id));
    assert_int_equal(id.n, 0);
    if (!asker_ask(a, &ask)) fail_msg("%s", a->why);
    assert_int_equal(a->reply_n, 3);
    assert_int_equal(a->reply[2], 0xaa);
    ask.payload = (struct spdm_span){other, 1};
    assert_true(asker_ask(a, &ask));
    assert_int_equal(a->reply_n, 1);
    ask.standard = 7;
    assert_false(asker_ask(a, &ask));
    assert_non_null(strstr(a->why, "UnsupportedRequest"));
    asker_close(a);
    served_stop(&served);
}

static char said[16];

static void on_data(struct asker *a, uint32_t session, struct spdm_span data)
{
    (void)a;
    (void)session;
    snprintf(said, sizeof said, "%.*s", (int)data.n, (const char *)data.p);
}

static bool has_said(struct asker *a, void *ctx)
{
    (void)a;
    (void)ctx;
    return said[0] != '\0';
}

static void application_data_is_answered(void **state)
{
    struct asker *a;
    (void)state;
    served_start(&served, "app_data = ( { request = \"61\"; answer = \"7a7a\"; } );", options);
    a = ask_served(&(struct asker_options){.data = on_data});
    assert_true(asker_ask(a, &open_one));
    assert_true(asker_send(a, a->opened, (struct spdm_span){(const uint8_t *)"b", 1})); /* left alone */
    assert_true(asker_send(a, a->opened, (struct spdm_span){(const uint8_t *)"abc", 3}));
    assert_true(asker_until(a, has_said, NULL));
    assert_string_equal(said, "zz");
    asker_close(a);
    served_stop(&served);
    assert_int_equal(served_count(&served, "is left alone"), 1);
}

/* ---- events ---- */

static bool subscribe(struct asker *a, const uint16_t *types, uint16_t n)
{
    static uint8_t list[64];
    const struct spdm_event_group group = {.version = 1};
    union spdm_order order = {.list = {.count = n != 0}};
    order.list.list = (struct spdm_span){
        list, n == 0 ? 0 : spdm_event_group_put((struct spdm_room){list, sizeof list}, &group, types, n)};
    return asker_errand(a, a->opened, &spdm_errand_subscribe, &order);
}

/* Comes for events: how many there were; a->reply has the last list. */
static unsigned poll(struct asker *a)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_POLL, .session = a->opened};
    struct spdm_span rest;
    struct spdm_notice notice;
    unsigned n = 0;
    (void)asker_ask(a, &goal); /* NoPendingRequests is no success */
    rest = reply(a);
    while (spdm_notice_next(&rest, &notice)) n++;
    return n;
}

static struct spdm_notice notice_at(const struct asker *a, unsigned at)
{
    struct spdm_span rest = reply(a);
    struct spdm_notice notice = {0};
    for (unsigned i = 0; i <= at; i++) assert_true(spdm_notice_next(&rest, &notice));
    return notice;
}

static void events_are_told(void **state)
{
    static const uint16_t both[] = {SPDM_EVENT_MEASUREMENT_CHANGED, SPDM_EVENT_MEASUREMENT_PRE_UPDATE}, odd[] = {9};
    const union spdm_order none = {.list = {.count = 0}};
    struct spdm_notice notice;
    struct asker *a, *b;
    (void)state;
    served_start(&served, MEASURED, options);
    a = ask_served(&(struct asker_options){.events = true, .version = SPDM_V13});
    b = ask_served(&(struct asker_options){.version = SPDM_V13});
    if (!asker_ask(a, &open_one)) fail_msg("%s", a->why);
    assert_true(asker_ask(b, &open_one));
    if (!asker_errand(a, a->opened, &spdm_errand_event_types, &none)) fail_msg("%s", a->why);
    assert_int_equal(tell("event measurement-changed 1", "sessions 0"), 0); /* nobody has subscribed */
    assert_false(subscribe(a, odd, 1));
    if (!subscribe(a, both, 2)) fail_msg("%s", a->why);
    assert_int_equal(poll(a), 0);
    assert_int_equal(tell("event measurement-pre-update 2,17", "sessions 1"), 0);
    assert_int_equal(tell("event certificate-changed 1", "sessions 0"), 0);
    assert_int_equal(poll(a), 1);
    notice = notice_at(a, 0);
    assert_int_equal(notice.type, SPDM_EVENT_MEASUREMENT_PRE_UPDATE);
    assert_int_equal(notice.instance, 0);
    assert_int_equal(notice.detail.p[0], 0x04);
    assert_int_equal(notice.detail.p[2], 0x02);
    assert_int_equal(poll(a), 0);
    /* The firmware changes: who is told goes on, who is not must start over. */
    served_write(&served, "device.cfg",
                 "measurements = ( { text = \"firmware 2\"; }, { type = \"svn\"; number = 7; } );\n" DEVICE);
    assert_int_equal(kill(served.pid, SIGHUP), 0);
    assert_true(served_says(&served, "description read again; 1 clients must start over"));
    assert_int_equal(poll(a), 1);
    notice = notice_at(a, 0);
    assert_int_equal(notice.type, SPDM_EVENT_MEASUREMENT_CHANGED);
    assert_int_equal(notice.instance, 1);
    assert_int_equal(notice.detail.p[0], 0x02);
    assert_true(asker_ask(a, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = a->opened, .sign = true}));
    assert_false(asker_ask(b, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = b->opened}));
    /* It changes again, and certificates with it, which are not subscribed to. */
    assert_true(subscribe(a, NULL, 0));
    assert_int_equal(tell("event measurement-changed 1", "sessions 0"), 0);
    assert_int_equal(tell("reset", ""), 0);
    assert_true(served_says(&served, "reset: description read again"));
    assert_false(asker_ask(a, &(struct spdm_goal){.want = SPDM_WANT_MEASUREMENTS, .session = a->opened}));
    asker_close(a);
    asker_close(b);
    served_stop(&served);
}

static void commands_are_told_apart(void **state)
{
    (void)state;
    served_start(&served, "", options);
    assert_int_equal(tell("status", "2 measurements"), 0);
    assert_int_equal(tell("event measurement-changed 1", "lacks the group events"), 2);
    assert_int_equal(tell("event measurement-changed", "LIST expected"), 2);
    assert_int_equal(tell("event certificate-changed 8", "LIST expected"), 2);
    assert_int_equal(tell("dance", "is no command"), 2);
    served_write(&served, "device.cfg", "oops = 1;");
    assert_int_equal(tell("reset", "is as it was"), 2);
    assert_int_equal(tell("stop", ""), 0);
    assert_true(served_says(&served, "stopping: told to"));
    served_stop(&served);
    assert_int_equal(tell("status", "respond: --tell"), 3);
}

static int begin(void **state)
{
    (void)state;
    served_make(&served);
    snprintf(control, sizeof control, "%s/control", served.dir);
    return uv_loop_init(&loop);
}

static int end(void **state)
{
    (void)state;
    served_remove(&served);
    return uv_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(application_data_is_answered),
        cmocka_unit_test(events_are_told),
        cmocka_unit_test(commands_are_told_apart),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
