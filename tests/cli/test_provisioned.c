/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_provisioned.c - `spdm respond` takes keys and certificates, and has them when it comes again. */
#include "support/asker.h"
#include "support/ca.h"
#include "support/served.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SLOTS "!slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; }, { slot = 1; } );\n"
#define GIVEN SLOTS "provisioning: { state = \"given\"; device_info = \"ACME:widget:1\"; };\n"
#define AFTER_RESET SLOTS "provisioning: { state = \"given\"; reset = true; };\n"

static struct served served;
static uv_loop_t loop;
static struct ca *ca;
static const char *const tcp[] = {"-l", "tcp://127.0.0.1:0", NULL};
static const struct spdm_goal open_one = {.want = SPDM_WANT_SESSION};

static struct asker *ask_served(uint8_t version)
{
    static char target[64], root[128];
    snprintf(target, sizeof target, "tcp://127.0.0.1:%u", served.port[0]);
    snprintf(root, sizeof root, "%s/w/root.pem", served.dir);
    return asker_open(&loop, &(struct asker_options){.target = target, .root = root, .version = version});
}

/* Nothing that was given is left. */
static void forget(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s/given", served.dir);
    assert_int_equal(system(command), 0);
}

/* A request of the device's, signed: the chain structure in `out`. */
static size_t new_chain(struct asker *a, uint32_t session, struct spdm_room out)
{
    union spdm_order order = {.csr = {.tag = 0}};
    if (!asker_errand(a, session, &spdm_errand_csr, &order)) fail_msg("%s", a->why);
    return ca_sign(ca, (struct spdm_span){a->reply, a->reply_n}, (enum spdm_alg)spdm_requester_facts(a->engine)->hash,
                   out);
}

static bool store(struct asker *a, uint32_t session, uint8_t slot, struct spdm_span chain)
{
    const union spdm_order order = {.store = {.slot = slot, .chain = chain, .erase = chain.n == 0}};
    return asker_errand(a, session, &spdm_errand_store, &order);
}

/* Fetches the chain of a slot: its length, 0 if there is none; a->reply has it. */
static size_t chain_of(struct asker *a, uint8_t slot)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY, .slots = (uint8_t)(1u << slot)};
    (void)asker_ask(a, &goal);
    return a->reply_n;
}

static void assert_chain(struct asker *a, uint8_t slot, const uint8_t *chain, size_t n)
{
    if (chain_of(a, slot) == 0) fail_msg("%s", a->why);
    assert_int_equal(a->reply_n, n);
    assert_memory_equal(a->reply, chain, n);
}

/* ---- certificates ---- */

static void certificates_stay(void **state)
{
    uint8_t chain[4000];
    char subject[100];
    size_t n;
    struct asker *a;
    (void)state;
    forget();
    served_start(&served, GIVEN, tcp);
    a = ask_served(SPDM_V13);
    assert_true(asker_ask(a, &open_one));
    n = new_chain(a, a->opened, (struct spdm_room){chain, sizeof chain});
    ca_check((struct spdm_span){a->reply, a->reply_n}, subject, sizeof subject);
    assert_true(ca_asks_for((struct spdm_span){a->reply, a->reply_n}, "2.5.29.17"));             /* device info */
    assert_true(ca_asks_for((struct spdm_span){a->reply, a->reply_n}, "1.3.6.1.4.1.412.274.6")); /* hardware */
    assert_false(store(a, 0, 1, (struct spdm_span){chain, n})); /* slot 1 only in a session */
    assert_non_null(strstr(a->why, "UnexpectedRequest"));
    if (!store(a, a->opened, 1, (struct spdm_span){chain, n})) fail_msg("%s", a->why);
    assert_true(served_says(&served, "certificates of slot 1 stored"));
    /* The session lives on; the key is the same, so a signature verifies under the new chain, too. */
    assert_true(asker_ask(a, &(struct spdm_goal){.want = SPDM_WANT_END_SESSION, .session = a->opened}));
    asker_close(a);
    served_stop(&served);
    assert_true(served_says(&served, "refused SET_CERTIFICATE"));

    served_start(&served, GIVEN, tcp);
    assert_true(served_says(&served, "certificates of 1 slot from"));
    a = ask_served(SPDM_V13);
    assert_chain(a, 1, chain, n);
    assert_true(asker_ask(a, &open_one));
    assert_true(store(a, a->opened, 1, (struct spdm_span){NULL, 0}));
    asker_close(a);
    served_stop(&served);

    served_start(&served, GIVEN, tcp);
    a = ask_served(SPDM_V13);
    assert_int_equal(chain_of(a, 1), 0);
    assert_true(asker_ask(a, &open_one));
    asker_close(a);
    served_stop(&served);
}

static void what_does_not_fit_is_refused(void **state)
{
    uint8_t chain[4000], other[4000];
    struct asker *a;
    size_t n;
    (void)state;
    forget();
    served_start(&served, GIVEN, tcp);
    a = ask_served(SPDM_V13);
    n = new_chain(a, 0, (struct spdm_room){chain, sizeof chain});
    memcpy(other, chain, n);
    other[n - 1] ^= 1;
    assert_false(store(a, 0, 0, (struct spdm_span){other, n}));
    assert_non_null(strstr(a->why, "OperationFailed"));
    assert_true(served_says(&served, "is not signed by the key before it"));
    memcpy(other, chain, n);
    other[10] ^= 1;
    assert_false(store(a, 0, 0, (struct spdm_span){other, n}));
    assert_true(served_says(&served, "RootHash is that of no root known here"));
    assert_true(store(a, 0, 0, (struct spdm_span){chain, new_chain(a, 0, (struct spdm_room){chain, sizeof chain})}));
    asker_close(a);
    served_stop(&served);
}

static void requester_info_counts(void **state)
{
    uint8_t info[200];
    char subject[100];
    union spdm_order order = {.csr = {.tag = 0}};
    struct asker *a;
    (void)state;
    forget();
    served_start(&served, GIVEN, tcp);
    a = ask_served(SPDM_V14);
    order.csr.info = (struct spdm_span){info, ca_info("by request", (struct spdm_room){info, sizeof info})};
    if (!asker_errand(a, 0, &spdm_errand_csr, &order)) fail_msg("%s", a->why);
    ca_check((struct spdm_span){a->reply, a->reply_n}, subject, sizeof subject);
    assert_string_equal(subject, "by request");
    info[5] = 0x31; /* the name is a SET */
    assert_false(asker_errand(a, 0, &spdm_errand_csr, &order));
    assert_non_null(strstr(a->why, "InvalidRequest"));
    asker_close(a);
    served_stop(&served);
}

/* ---- after a reset ---- */

static void reset_is_due(void **state)
{
    uint8_t chain[4000];
    union spdm_order order = {.csr = {.tag = 0}};
    struct asker *a;
    uint8_t tag;
    size_t n;
    (void)state;
    forget();
    served_start(&served, AFTER_RESET, tcp);
    a = ask_served(SPDM_V13);
    assert_true(asker_errand(a, 0, &spdm_errand_csr, &order));
    assert_true(a->reset_due);
    tag = a->tag;
    assert_int_equal(tag, 1);
    order.csr.tag = 5;
    assert_false(asker_errand(a, 0, &spdm_errand_csr, &order));
    assert_non_null(strstr(a->why, "UnexpectedRequest"));
    assert_int_equal(kill(served.pid, SIGHUP), 0);
    assert_true(served_says(&served, "description read again"));
    asker_close(a);
    a = ask_served(SPDM_V13);
    order.csr.tag = tag;
    if (!asker_errand(a, 0, &spdm_errand_csr, &order)) fail_msg("%s", a->why);
    assert_false(a->reset_due);
    n = ca_sign(ca, (struct spdm_span){a->reply, a->reply_n}, (enum spdm_alg)spdm_requester_facts(a->engine)->hash,
                (struct spdm_room){chain, sizeof chain});
    assert_true(store(a, 0, 0, (struct spdm_span){chain, n}));
    assert_true(a->reset_due);
    asker_close(a);
    a = ask_served(SPDM_V13);
    assert_int_equal(chain_of(a, 0), 0);
    assert_non_null(strstr(a->why, "ResetRequired"));
    asker_close(a);
    served_stop(&served); /* a new start is a reset, too */
    served_start(&served, AFTER_RESET, tcp);
    a = ask_served(SPDM_V13);
    assert_chain(a, 0, chain, n);
    asker_close(a);
    served_stop(&served);
}

/* ---- key pairs ---- */

static void key_pairs_come_and_go(void **state)
{
    static const char description[] =
        "!key_pairs = ( { key = \"w/leaf.key\"; capabilities = \"share\"; },\n"
        "  { algorithms = [\"ECDSA_P256\", \"ECDSA_P384\"]; capabilities = [\"generate\", \"erase\", \"associate\", "
        "\"usage\", \"algorithm\"]; } );\n"
        "slots = ( { chain = \"w/chain.der\"; key_pair = 1; }, { slot = 1; } );\n"
        "provisioning: { state = \"given\"; };\n";
    union spdm_order order = {
        .key_pair_change = {.operation = SPDM_KEY_PAIR_DO_GENERATE, .id = 2, .usage = SPDM_USE_CHALLENGE, .asym = 0}};
    const union spdm_order second = {.key_pair = {.id = 2}};
    struct spdm_key_pair pair;
    struct asker *a;
    (void)state;
    forget();
    served_start(&served, description, tcp);
    a = ask_served(SPDM_V14);
    order.key_pair_change.asym = spdm_key_pair_bit(SPDM_ECDSA_P384);
    if (!asker_errand(a, 0, &spdm_errand_set_key_pair, &order)) fail_msg("%s", a->why);
    assert_true(served_says(&served, "key pair 2 generated"));
    asker_close(a);
    served_stop(&served);

    served_start(&served, description, tcp);
    a = ask_served(SPDM_V14);
    if (!asker_errand(a, 0, &spdm_errand_key_pair_info, &second)) fail_msg("%s", a->why);
    assert_true(spdm_key_pair_read((struct spdm_span){a->reply, a->reply_n}, &pair));
    assert_int_equal(pair.asym, spdm_key_pair_bit(SPDM_ECDSA_P384));
    assert_int_equal(pair.usage, SPDM_USE_CHALLENGE);
    assert_int_equal(pair.total, 2);
    assert_true(pair.public_key_info.n > 10);
    order.key_pair_change = (struct spdm_key_pair_change){.operation = SPDM_KEY_PAIR_DO_ERASE, .id = 2};
    if (!asker_errand(a, 0, &spdm_errand_set_key_pair, &order)) fail_msg("%s", a->why);
    assert_true(asker_errand(a, 0, &spdm_errand_key_pair_info, &second));
    assert_true(spdm_key_pair_read((struct spdm_span){a->reply, a->reply_n}, &pair));
    assert_int_equal(pair.asym, 0);
    assert_int_equal(pair.public_key_info.n, 0);
    asker_close(a);
    served_stop(&served);
}

/* ---- kill -9 ---- */

/* The device comes back with the old chain or the new one, whenever it is killed. */
static void killed_while_it_stores(void **state)
{
    uint8_t chain[2][4000];
    size_t n[2];
    struct asker *a;
    unsigned rounds = 0, seen[2] = {0, 0};
    (void)state;
    forget();
    srand(1);
    served_start(&served, GIVEN, tcp);
    a = ask_served(SPDM_V13);
    for (unsigned i = 0; i < 2; i++) n[i] = new_chain(a, 0, (struct spdm_room){chain[i], sizeof chain[i]});
    assert_true(store(a, 0, 0, (struct spdm_span){chain[1], n[1]}));
    asker_close(a);
    for (uint64_t until = uv_hrtime() + 8000000000u; uv_hrtime() < until && rounds < 20; rounds++) {
        union spdm_order order = {.store = {.slot = 0, .chain = {chain[rounds & 1], n[rounds & 1]}}};
        struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_store, .order = &order};
        uint64_t kill_at = uv_hrtime() + (uint64_t)(rand() % 40000) * 1000;
        unsigned is;
        int status;
        a = ask_served(SPDM_V13);
        asker_begin(a, &goal);
        while (uv_hrtime() < kill_at) uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(kill(served.pid, SIGKILL), 0);
        assert_int_equal(waitpid(served.pid, &status, 0), served.pid);
        served.pid = 0;
        asker_close(a);
        served_start(&served, GIVEN, tcp);
        a = ask_served(SPDM_V13);
        is = chain_of(a, 0) == n[0] && memcmp(a->reply, chain[0], n[0]) == 0 ? 0 : 1;
        assert_chain(a, 0, chain[is], n[is]);
        seen[is == (rounds & 1)]++;
        if (is != (rounds & 1)) assert_true(store(a, 0, 0, (struct spdm_span){chain[rounds & 1], n[rounds & 1]}));
        asker_close(a);
    }
    served_stop(&served);
    assert_true(rounds >= 3);
    assert_true(seen[0] + seen[1] == rounds);
}

static void damage_is_told_at_start(void **state)
{
    char command[400];
    (void)state;
    forget();
    snprintf(command, sizeof command, "cd %s && mkdir given && echo 'assay device state 1' > given/state", served.dir);
    assert_int_equal(system(command), 0);
    served_write(&served, "device.cfg", &GIVEN[1]);
    snprintf(command, sizeof command,
             "cd %s && timeout 10 $SPDM respond -l tcp://127.0.0.1:0 device.cfg 2>err; "
             "grep -q 'given: the file \"state\" is damaged' err",
             served.dir);
    assert_int_equal(system(command), 0);
}

static int begin(void **state)
{
    (void)state;
    served_make(&served);
    ca = ca_open("Test authority");
    return uv_loop_init(&loop);
}

static int end(void **state)
{
    (void)state;
    ca_close(ca);
    served_remove(&served);
    while (uv_loop_close(&loop) != 0) uv_run(&loop, UV_RUN_ONCE);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_stay),       cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(requester_info_counts),   cmocka_unit_test(reset_is_due),
        cmocka_unit_test(key_pairs_come_and_go),   cmocka_unit_test(killed_while_it_stores),
        cmocka_unit_test(damage_is_told_at_start),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
