/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_sessions.c - `spdm respond` opens sessions as its description says, for a requester of the library.
 *
 * Each case starts a device, asks it, and looks at what both sides say. */
#include "support/asker.h"
#include "support/served.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct served served;
static uv_loop_t loop;
static const char *const tcp[] = {"-l", "tcp://127.0.0.1:0", NULL};
static const uint8_t secret[] = "0123456789abcdef0123456789abcdef", other_secret[] = "something else";
#define SECRET "0123456789abcdef0123456789abcdef"

static const struct spdm_goal open_and_measure = {
    .want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true, .summary = 0xff};
static const struct spdm_goal open_one = {.want = SPDM_WANT_SESSION};

static struct asker *ask_served(const struct asker_options *options, const char *scheme)
{
    static char target[64], root[128];
    struct asker_options o = *options;
    snprintf(target, sizeof target, "%s://127.0.0.1:%u", scheme, served.port[0]);
    snprintf(root, sizeof root, "%s/w/root.pem", served.dir);
    o.target = target;
    if (o.root == NULL) o.root = root;
    return asker_open(&loop, &o);
}

static struct spdm_goal in_last(const struct asker *a, unsigned want)
{
    return (struct spdm_goal){.want = want, .session = a->opened, .sign = true, .update = 2};
}

/* Everything a session is for. */
static void use(struct asker *a)
{
    struct spdm_goal goal = in_last(a, SPDM_WANT_MEASUREMENTS);
    struct spdm_session_facts facts;
    if (!asker_ask(a, &goal)) fail_msg("%s", a->why);
    for (goal = in_last(a, SPDM_WANT_KEY_UPDATE), goal.update = 1; goal.update <= 2; goal.update++)
        if (!asker_ask(a, &goal)) fail_msg("%s", a->why);
    goal = in_last(a, SPDM_WANT_MEASUREMENTS);
    if (!asker_ask(a, &goal)) fail_msg("%s", a->why);
    assert_true(spdm_requester_session(a->engine, a->opened, &facts));
    assert_true(facts.established);
    assert_int_equal(facts.updates[0], 2);
    goal = in_last(a, SPDM_WANT_END_SESSION);
    if (!asker_ask(a, &goal)) fail_msg("%s", a->why);
}

/* ---- by key exchange ---- */

static void sessions_just_work(void **state)
{
    static const struct {
        uint8_t version;
        const char *description, *scheme, *says;
    } rows[] = {
        {SPDM_V11, "", "tcp", "opened by SECP384R1, AES_256_GCM"},
        {SPDM_V12, "", "tcp", "opened by SECP384R1, AES_256_GCM"},
        {SPDM_V13, "", "tcp", "opened by SECP384R1, AES_256_GCM"},
        {SPDM_V14, "", "tcp", "opened by SECP384R1, AES_256_GCM"},
        {SPDM_V13, "capabilities = [\"CERT\", \"MEAS_SIG\", \"KEY_EX\", \"MAC\", \"KEY_UPD\"];", "tcp",
         "without encryption"},
        {SPDM_V12,
         "capabilities = [\"CERT\", \"MEAS_SIG\", \"KEY_EX\", \"MAC\", \"ENCRYPT\", \"KEY_UPD\", "
         "\"HANDSHAKE_IN_THE_CLEAR\"];",
         "tcp", "opened by SECP384R1"},
        {SPDM_V13, "algorithms: { exchanges = \"SECP256R1\"; aeads = \"AES_128_GCM\"; };", "tcp",
         "opened by SECP256R1, AES_128_GCM"},
        {SPDM_V14, "sessions: { random = 32; secured_versions = \"1.1\"; };", "emu+mctp", "opened by SECP384R1"},
        {SPDM_V14, "", "emu+doe", "opened by SECP384R1"},
        {SPDM_V13, "", "emu+none", "opened by SECP384R1"},
        {SPDM_V12, "timing: { answer_delay_ms = 20; ct_exponent = 12; };", "emu+mctp", "opened by SECP384R1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char target[64];
        const char *options[] = {"-l", target, NULL};
        struct asker *a;
        snprintf(target, sizeof target, "%s://127.0.0.1:0", rows[i].scheme);
        served_start(&served, rows[i].description, options);
        a = ask_served(&(struct asker_options){.version = rows[i].version}, rows[i].scheme);
        if (!asker_ask(a, &open_and_measure)) fail_msg("row %zu: %s", i, a->why);
        use(a);
        asker_close(a);
        assert_true(served_says(&served, rows[i].says));
        assert_true(served_says(&served, "closed: the session was ended"));
        served_stop(&served);
        assert_int_equal(served_count(&served, "1 sessions; refused 0"), 1);
    }
}

static void refuses_what_it_does_not_offer(void **state)
{
    static const struct {
        const char *description;
        uint32_t without;
        uint8_t version;
        const char *why;
    } rows[] = {
        {"sessions: { count = 0; };", 0, 0, "what secured messages need"},
        {"capabilities = [\"CERT\"];", 0, 0, "what secured messages need"},
        {"", 0, SPDM_V10, "what secured messages need"},
        {"requesters: { trust = \"q/root.pem\"; };", 0, 0, "InvalidPolicy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct asker *a;
        served_start(&served, rows[i].description, tcp);
        a = ask_served(&(struct asker_options){.version = rows[i].version}, "tcp");
        assert_false(asker_ask(a, &open_one));
        if (strstr(a->why, rows[i].why) == NULL) fail_msg("row %zu: %s", i, a->why);
        asker_close(a);
        served_stop(&served);
    }
}

static void as_many_as_it_says(void **state)
{
    struct spdm_goal goal;
    struct asker *a, *b;
    uint32_t first;
    (void)state;
    served_start(&served, "sessions: { count = 2; };", tcp);
    a = ask_served(&(struct asker_options){0}, "tcp");
    b = ask_served(&(struct asker_options){0}, "tcp");
    assert_true(asker_ask(a, &open_one));
    first = a->opened;
    assert_true(asker_ask(a, &open_one));
    assert_int_not_equal(a->opened, first);
    assert_false(asker_ask(a, &open_one));
    assert_non_null(strstr(a->why, "SessionLimitExceeded"));
    assert_true(asker_ask(b, &open_one)); /* each client has its own */
    goal = (struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = first};
    assert_true(asker_ask(a, &goal));
    assert_true(asker_ask(a, &open_one));
    use(a);
    asker_close(a);
    asker_close(b);
    served_stop(&served);
}

static void a_silent_session_is_closed(void **state)
{
    struct asker *a;
    (void)state;
    served_start(&served, "sessions: { heartbeat = 1; };", tcp);
    a = ask_served(&(struct asker_options){.without = 0}, "tcp");
    assert_true(asker_ask(a, &open_one));
    usleep(2600000); /* we do nothing at all: no heartbeat either */
    assert_true(served_says(&served, "closed: nothing came in the session for twice the heartbeat period"));
    asker_close(a);
    a = ask_served(&(struct asker_options){0}, "tcp");
    assert_true(asker_ask(a, &open_one));
    for (uint64_t until = uv_hrtime() + 3000000000u; uv_hrtime() < until;) uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(a->closed, 0); /* heartbeats keep it */
    use(a);
    asker_close(a);
    served_stop(&served);
    assert_int_equal(served_count(&served, "twice the heartbeat"), 1);
}

/* ---- by pre-shared key ---- */

static void by_pre_shared_key(void **state)
{
    static const struct {
        const char *description;
        const uint8_t *hint, *psk;
        const char *why; /* NULL: it opens */
    } rows[] = {
        {"sessions: { psks = ( { hint = \"a\"; text = \"" SECRET "\"; } ); };", (const uint8_t *)"a", secret, NULL},
        {"sessions: { psks = ( { hint = \"a\"; text = \"" SECRET "\"; } ); };", (const uint8_t *)"b", secret,
         "InvalidRequest"},
        {"sessions: { psks = ( { hint = \"a\"; text = \"" SECRET "\"; } ); };", (const uint8_t *)"a", other_secret,
         "HMAC"},
        {"sessions: { psks = ( { hint = \"a\"; text = \"" SECRET "\"; }, { text = \"something else\"; } ); };",
         (const uint8_t *)"b", other_secret, NULL},
        {"sessions: { psks = ( { hint_hex = \"61\"; text = \"" SECRET "\"; }, { text = \"something else\"; } ); };",
         (const uint8_t *)"a", secret, NULL},
        {"sessions: { psks = ( { text = \"" SECRET "\"; } ); };", (const uint8_t *)"", secret, NULL},
        {"sessions: { psks = ( { text = \"" SECRET "\"; } ); }; capabilities = [\"CERT\", \"MEAS_SIG\", \"PSK\", "
         "\"MAC\", \"KEY_UPD\"];",
         (const uint8_t *)"x", secret, NULL},
        {"!measurements = ( { text = \"x\"; } ); sessions: { psks = ( { text = \"" SECRET "\"; } ); };",
         (const uint8_t *)"x", secret, NULL},
        {"sessions: { psks = ( { text = \"" SECRET "\"; } ); }; timing: { answer_delay_ms = 20; };",
         (const uint8_t *)"x", secret, NULL},
        {"", (const uint8_t *)"x", secret, "PSK_CAP"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct spdm_goal goal = {.want = SPDM_WANT_PSK_SESSION};
        struct spdm_span psk = {rows[i].psk, strlen((const char *)rows[i].psk)};
        struct asker *a;
        goal.psk_hint = (struct spdm_span){rows[i].hint, strlen((const char *)rows[i].hint)};
        served_start(&served, rows[i].description, tcp);
        a = ask_served(&(struct asker_options){.psk = psk}, "tcp");
        if (asker_ask(a, &goal) != (rows[i].why == NULL)) fail_msg("row %zu: %s", i, a->why);
        if (rows[i].why == NULL) {
            goal = in_last(a, SPDM_WANT_MEASUREMENTS | SPDM_WANT_END_SESSION);
            goal.sign = false;
            if (!asker_ask(a, &goal)) fail_msg("row %zu: %s", i, a->why);
            assert_true(served_says(&served, "opened by a pre-shared key"));
        } else if (strstr(a->why, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, a->why);
        }
        asker_close(a);
        served_stop(&served);
    }
}

/* ---- who is asking ---- */

/* A requester as described by q/device.cfg, or by w/device.cfg, which is a device's. */
static void requesters_prove_themselves(void **state)
{
    static const struct {
        const char *description, *identity; /* NULL: nobody */
        const char *why;                    /* NULL: it opens */
        unsigned signatures;
        const char *says;
    } rows[] = {
        {"trust = \"q/root.pem\";", "q/device.cfg", NULL, 1, "requester CN=Assay test device"},
        {"trust = \"q/root.pem\";", "w/device.cfg", "InvalidResponseCode", 0, "is none of the 1 trust anchors"},
        {"trust = [\"w/root.pem\", \"q\"];", "w/device.cfg", "InvalidResponseCode", 0, "the other role only"},
        {"trust = \"q/root.pem\";", NULL, "the peer answered ERROR", 0, "mutual authentication"},
        {"trust = \"q/root.pem\"; required = false;", NULL, NULL, 0, "opened by"},
        {"trust = \"q/root.pem\"; required = false;", "q/device.cfg", NULL, 1, "requester CN=Assay test device"},
        {"trust = \"q/root.pem\"; authentication = \"digests\";", "q/device.cfg", NULL, 1, "requester CN=Assay"},
        {"trust = \"q/root.pem\"; authentication = \"basic\";", "q/device.cfg", NULL, 0, "opened by"},
        {"chain = \"q/chain.der\";", "q/device.cfg", NULL, 1, "requester as it is known here"},
        {"chain = \"q/chain.der\"; authentication = \"known\";", "w/device.cfg", "", 1, "refused FINISH"},
        {"chain = \"q/chain.der\";", NULL, "InvalidPolicy", 0, "mutual authentication"},
        {"public_key = \"q/leaf.pub\";", "key.cfg", NULL, 1, "requester as it is known here"},
        {"authentication = \"none\";", "q/device.cfg", NULL, 0, "opened by"},
    };
    (void)state;
    served_write(&served, "key.cfg", "public_key: { file = \"q/leaf.pub\"; key = \"q/leaf.key\"; };");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char description[300], identity[128];
        struct asker_options o = {.version = i % 2 != 0 ? SPDM_V12 : SPDM_V14};
        struct asker *a;
        snprintf(description, sizeof description, "requesters: { %s };", rows[i].description);
        snprintf(identity, sizeof identity, "%s/%s", served.dir, rows[i].identity != NULL ? rows[i].identity : "");
        if (rows[i].identity != NULL) o.identity = identity;
        served_start(&served, description, tcp);
        a = ask_served(&o, "tcp");
        if (asker_ask(a, &open_one) != (rows[i].why == NULL)) fail_msg("row %zu: %s", i, a->why);
        if (rows[i].why != NULL && strstr(a->why, rows[i].why) == NULL) fail_msg("row %zu: %s", i, a->why);
        if (a->signatures != rows[i].signatures) fail_msg("row %zu: %u signatures", i, a->signatures);
        if (!served_says(&served, rows[i].says)) fail_msg("row %zu: it does not say %s", i, rows[i].says);
        if (rows[i].why == NULL) use(a);
        if (rows[i].why == NULL && asker_ask(a, &open_one)) use(a); /* a second time, with what is known by then */
        asker_close(a);
        served_stop(&served);
    }
}

/* CHALLENGE asks back; until that has been answered nothing else goes. */
static void basic_authentication(void **state)
{
    static const struct {
        const char *trust;
        bool good;
    } rows[] = {{"q/root.pem", true}, {"w/root.pem", false}};
    const struct spdm_goal challenge = {.want = SPDM_WANT_CHALLENGE};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char description[200], identity[128];
        struct asker *a;
        snprintf(description, sizeof description, "requesters: { trust = \"%s\"; authentication = \"basic\"; };",
                 rows[i].trust);
        snprintf(identity, sizeof identity, "%s/q/device.cfg", served.dir);
        served_start(&served, description, tcp);
        a = ask_served(&(struct asker_options){.identity = identity}, "tcp");
        assert_int_equal(asker_ask(a, &challenge), rows[i].good);
        assert_int_equal(a->signatures, rows[i].good);
        assert_true(asker_ask(a, &open_one)); /* nothing depends on it */
        asker_close(a);
        served_stop(&served);
        assert_int_equal(served_count(&served, "chain is not trusted"), !rows[i].good);
    }
}

/* ---- a device that changes ---- */

static void reload(const char *description, const char *says)
{
    unsigned before = served_count(&served, says);
    char path[128], text[1000];
    snprintf(path, sizeof path, "%s/device.cfg", served.dir);
    snprintf(text, sizeof text,
             "slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; } );\n"
             "measurements = ( { text = \"firmware\"; }, { type = \"svn\"; number = 7; } );\n%s",
             description);
    served_write(&served, "device.cfg", text);
    assert_int_equal(kill(served.pid, SIGHUP), 0);
    for (unsigned i = 0; i < 1000 && served_count(&served, says) == before; i++) usleep(10000);
    if (served_count(&served, says) == before) fail_msg("the log does not say: %s", says);
}

static void read_again_with_sessions_open(void **state)
{
    struct spdm_goal goal;
    struct asker *a, *b;
    char identity[128];
    (void)state;
    snprintf(identity, sizeof identity, "%s/q/device.cfg", served.dir);
    served_start(&served, "sessions: { count = 1; };", tcp);
    a = ask_served(&(struct asker_options){.identity = identity}, "tcp");
    assert_true(asker_ask(a, &open_and_measure));
    reload("sessions: { count = 3; };", "1 clients must start over");
    goal = in_last(a, SPDM_WANT_MEASUREMENTS);
    assert_false(asker_ask(a, &goal)); /* RequestResynch: the session goes with the connection */
    assert_true(asker_ask(a, &open_and_measure));
    assert_false(asker_ask(a, &open_one)); /* as many as it had */
    b = ask_served(&(struct asker_options){.identity = identity}, "tcp");
    for (unsigned i = 0; i < 3; i++) assert_true(asker_ask(b, &open_one));
    assert_false(asker_ask(b, &open_one));
    /* now requesters must be asked: a client from before cannot be, and opens none; a new one can */
    reload("requesters: { trust = \"q/root.pem\"; };", "2 clients must start over");
    assert_false(asker_ask(a, &open_one));
    asker_close(a);
    asker_close(b);
    a = ask_served(&(struct asker_options){.identity = identity}, "tcp");
    assert_true(asker_ask(a, &open_one));
    assert_int_equal(a->signatures, 1);
    /* known instead of trusted, and back, under a client that can be asked */
    reload("requesters: { chain = \"q/chain.der\"; };", "known, required");
    (void)asker_ask(a, &open_one);
    assert_true(asker_ask(a, &open_one));
    reload("requesters: { chain = \"w/chain.der\"; };", "1 clients must start over");
    (void)asker_ask(a, &open_one);
    assert_false(asker_ask(a, &open_one));
    asker_close(a);
    served_stop(&served);
}

/* What leaks shows when the program ends (with sanitizers); port/lend counts what would only be lost sight of. */
static void read_again_and_again(void **state)
{
    (void)state;
    served_start(&served, "sizes: { data_transfer_size = 4000; };", tcp);
    for (unsigned i = 0; i < 5; i++) {
        struct asker *a = ask_served(&(struct asker_options){0}, "tcp");
        assert_true(asker_ask(a, &open_and_measure));
        use(a);
        reload("sizes: { data_transfer_size = 4000; };", "description read again");
        asker_close(a);
    }
    reload("sizes: { data_transfer_size = 4608; };", "sizes cannot change while running");
    reload("sizes: { data_transfer_size = 4000; send_size = 4001; };", "sizes cannot change while running");
    served_stop(&served);
}

/* A key that two slots name is one key, and one queue for signatures. */
static void two_slots_with_one_key(void **state)
{
    struct spdm_goal goal = open_and_measure;
    struct asker *a, *b;
    (void)state;
    served_start(
        &served,
        "!slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; },"
        "  { slot = 5; chain = \"w/chain.der\"; key = \"w/leaf.key\"; } ); measurements = ( { text = \"x\"; } );",
        tcp);
    a = ask_served(&(struct asker_options){0}, "tcp");
    b = ask_served(&(struct asker_options){0}, "tcp");
    for (unsigned i = 0; i < 2; i++) {
        goal.slots = 0x01;
        assert_true(asker_ask(a, &goal));
        goal.slots = 0x20;
        assert_true(asker_ask(b, &goal));
        assert_int_equal(spdm_requester_facts(b->engine)->slot, 5);
        use(b);
        kill(served.pid, SIGHUP);
        assert_true(served_says(&served, "description read again"));
        asker_close(b);
        b = ask_served(&(struct asker_options){0}, "tcp");
        (void)asker_ask(a, &goal);
    }
    asker_close(a);
    asker_close(b);
    served_stop(&served);
}

static int make(void **state)
{
    (void)state;
    served_make(&served);
    return uv_loop_init(&loop);
}

static int clean(void **state)
{
    (void)state;
    served_remove(&served);
    for (unsigned i = 0; i < 3000 && uv_loop_alive(&loop); i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    return uv_loop_close(&loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_just_work),   cmocka_unit_test(refuses_what_it_does_not_offer),
        cmocka_unit_test(as_many_as_it_says),   cmocka_unit_test(a_silent_session_is_closed),
        cmocka_unit_test(by_pre_shared_key),    cmocka_unit_test(requesters_prove_themselves),
        cmocka_unit_test(basic_authentication), cmocka_unit_test(read_again_with_sessions_open),
        cmocka_unit_test(read_again_and_again), cmocka_unit_test(two_slots_with_one_key),
    };
    return cmocka_run_group_tests_name("cli/sessions", tests, make, clean);
}
