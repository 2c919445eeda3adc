/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_lend.c - back ends that are lent: the same for the same settings, and nothing is lost by threads that outlive
 * their borrowers. */
#include "heap.h"
#include "port/device.h"
#include "port/openssl_inside.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct spdm_openssl *lender;

static int open_lender(void **state)
{
    (void)state;
    lender = spdm_openssl_open(NULL, NULL);
    return lender == NULL;
}

static int close_lender(void **state)
{
    (void)state;
    spdm_openssl_close(lender);
    return 0;
}

/* ---- a thread that lives on ---- */

struct worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    struct spdm_openssl *with; /* work to do */
    bool end, failed;
};

static void *work(void *ctx)
{
    struct worker *w = ctx;
    uint8_t bytes[32];
    pthread_mutex_lock(&w->mutex);
    while (!w->end) {
        if (w->with == NULL) {
            pthread_cond_wait(&w->turn, &w->mutex);
            continue;
        }
        w->failed = w->failed || !spdm_openssl_crypto()->random(w->with, bytes, sizeof bytes);
        w->with = NULL;
        pthread_cond_broadcast(&w->turn);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* The heap's counters have no lock: one thread works at a time. */
static void have_work_done(struct worker *w, struct spdm_openssl *with)
{
    pthread_mutex_lock(&w->mutex);
    w->with = with;
    pthread_cond_broadcast(&w->turn);
    while (w->with != NULL) pthread_cond_wait(&w->turn, &w->mutex);
    pthread_mutex_unlock(&w->mutex);
}

static void nothing_is_left_behind(void **state)
{
    struct worker w = {.mutex = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};
    long settled = 0;
    (void)state;
    assert_int_equal(pthread_create(&w.thread, NULL, work, &w), 0);
    for (unsigned round = 0; round < 30; round++) {
        struct spdm_openssl *a = spdm_openssl_lend(lender, NULL, NULL), *b = spdm_openssl_lend(lender, NULL, NULL);
        assert_true(a != NULL && b != NULL && a != b);
        have_work_done(&w, a);
        have_work_done(&w, b);
        spdm_openssl_give_back(a);
        spdm_openssl_give_back(b);
        if (round == 3) settled = heap.live;
        if (round > 3) assert_int_equal(heap.live, settled);
    }
    w.end = true;
    have_work_done(&w, NULL);
    pthread_mutex_lock(&w.mutex);
    pthread_cond_broadcast(&w.turn);
    pthread_mutex_unlock(&w.mutex);
    assert_int_equal(pthread_join(w.thread, NULL), 0);
    assert_false(w.failed);
}

/* ---- who gets what ---- */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_same_for_the_same_settings(void **state)
{
    static const char *const base[] = {"default", "base", NULL}, *const only[] = {"default", NULL};
    char config[] = "/tmp/assay-lend-XXXXXX";
    int fd = mkstemp(config);
    const struct spdm_openssl_options options[] = {{0},
                                                   {.propq = "provider=default"},
                                                   {.providers = base},
                                                   {.providers = only},
                                                   {.config = config},
                                                   {.config = config, .propq = "provider=default"}};
    enum { N = sizeof options / sizeof *options };
    struct spdm_openssl *lent[N], *changed;
    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_file(config, "openssl_conf = a\n[a]\n");
    for (unsigned i = 0; i < N; i++) {
        lent[i] = spdm_openssl_lend(lender, &options[i], NULL);
        assert_non_null(lent[i]);
        for (unsigned j = 0; j < i; j++) assert_ptr_not_equal(lent[i], lent[j]);
    }
    for (unsigned i = 0; i < N; i++) spdm_openssl_give_back(lent[i]);
    for (unsigned i = N; i-- > 0;) assert_ptr_equal(spdm_openssl_lend(lender, &options[i], NULL), lent[i]);
    for (unsigned i = 0; i < N; i++) spdm_openssl_give_back(lent[i]);
    write_file(config, "openssl_conf = b\n[b]\n# longer\n");
    changed = spdm_openssl_lend(lender, &options[4], NULL);
    assert_non_null(changed);
    assert_ptr_not_equal(changed, lent[4]);
    spdm_openssl_give_back(changed);
    spdm_openssl_give_back(NULL);
    unlink(config);
}

static void what_was_dropped_is_not_lent_again(void **state)
{
    static const struct spdm_openssl_options mine = {.propq = "provider=default"};
    struct spdm_openssl *a = spdm_openssl_lend(lender, &mine, NULL);
    (void)state;
    spdm_openssl_give_back(a);
    assert_ptr_equal(spdm_openssl_lend(lender, &mine, NULL), a);
    assert_true(spdm_openssl_drop(a));
    a = spdm_openssl_lend(lender, &mine, NULL);
    assert_non_null(a);
    assert_false(spdm_openssl_drop(a)); /* nobody had it before: it is gone */
}

static void what_cannot_be_opened_is_told(void **state)
{
    static const char *const nobodys[] = {"no-such-provider", NULL};
    char cause[SPDM_CAUSE_MAX] = "";
    (void)state;
    assert_null(spdm_openssl_lend(lender, &(struct spdm_openssl_options){.providers = nobodys}, cause));
    assert_non_null(strstr(cause, "no-such-provider"));
}

/* ---- a device read again ---- */

static void a_device_read_again(void **state)
{
    char dir[] = "/tmp/assay-lend-XXXXXX", path[64], command[400], error[SPDM_DEVICE_REASON] = "";
    struct spdm_device *device;
    long settled = 0;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/device.cfg", dir);
    snprintf(command, sizeof command, "'%s' keys -q -o %s/w", getenv("SPDM") != NULL ? getenv("SPDM") : "spdm", dir);
    assert_int_equal(system(command), 0);
    write_file(path, "slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; },"
                     "          { slot = 2; chain = \"w/chain.der\"; key = \"w/leaf.key\"; } );");
    for (unsigned round = 0; round < 8; round++) {
        device = spdm_device_load(path, lender, error);
        if (device == NULL) fail_msg("%s", error);
        assert_int_equal(device->key_n, 1); /* named twice, opened once */
        assert_ptr_equal(spdm_device_key(device, 0, SPDM_ECDSA_P384), spdm_device_key(device, 2, SPDM_ECDSA_P384));
        assert_null(spdm_device_key(device, 1, SPDM_ECDSA_P384));
        spdm_device_free(device);
        if (round == 2) settled = heap.live;
        if (round > 2) assert_int_equal(heap.live, settled);
    }
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_left_behind, open_lender, close_lender),
        cmocka_unit_test_setup_teardown(the_same_for_the_same_settings, open_lender, close_lender),
        cmocka_unit_test_setup_teardown(what_was_dropped_is_not_lent_again, open_lender, close_lender),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_is_told, open_lender, close_lender),
        cmocka_unit_test_setup_teardown(a_device_read_again, open_lender, close_lender),
    };
    heap_watch();
    return cmocka_run_group_tests_name("port/lend", tests, NULL, NULL);
}
