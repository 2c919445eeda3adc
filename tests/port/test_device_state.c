/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_device_state.c - what a device was given is there as it was, or as it has become, whatever happens while it is
 * written: a kill at any point, a disk that fails at any call, a file that was cut or changed. */
#include "port/device_state.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { KILLS = 200, CHAIN = 60000 };

static char path[64];
static struct spdm_openssl *ossl;
static uint8_t chain[2][CHAIN];

/* The state with one of two chains of different lengths; whoever mixes them is found out. */
static struct spdm_device_state *with_chain(unsigned which)
{
    struct spdm_device_state *s = spdm_state_new();
    const struct spdm_state_slot slot = {
        .slot = 1, .model = 1, .certificates = {chain[which], CHAIN - 1000 * which}, .root = {chain[which], 10}};
    const struct spdm_state_pair pair = {.id = 2, .slots = (uint8_t)(which + 1), .usage = 7, .asym = 0x10};
    assert_non_null(s);
    assert_true(spdm_state_put_slot(s, &slot));
    assert_true(spdm_state_put_pair(s, &pair));
    return s;
}

static int open_dir(void)
{
    char cause[SPDM_CAUSE_MAX];
    int dir = spdm_safe_dir(path, cause);
    if (dir < 0) fail_msg("%s", cause);
    return dir;
}

static void write_one(int dir, unsigned which)
{
    struct spdm_device_state *s = with_chain(which);
    char cause[SPDM_CAUSE_MAX];
    if (!spdm_state_write(ossl, &spdm_file_system, dir, s, cause)) fail_msg("%s", cause);
    spdm_state_free(s);
}

/* 0 or 1: the chain that is there, whole, with what belongs to it. */
static unsigned which_is_there(int dir)
{
    char cause[SPDM_CAUSE_MAX];
    struct spdm_device_state *s = spdm_state_read(ossl, dir, cause);
    const struct spdm_state_slot *slot;
    unsigned which;
    if (s == NULL) fail_msg("%s", cause);
    slot = spdm_state_slot(s, 0, 1);
    assert_non_null(slot);
    which = slot->certificates.n == CHAIN ? 0 : 1;
    assert_int_equal(slot->certificates.n, CHAIN - 1000 * which);
    assert_memory_equal(slot->certificates.p, chain[which], slot->certificates.n);
    assert_non_null(spdm_state_pair(s, 2));
    assert_int_equal(spdm_state_pair(s, 2)->slots, which + 1);
    spdm_state_free(s);
    return which;
}

/* ---- kill -9 ---- */

static void store_for_ever(int ready, unsigned first)
{
    int dir = open_dir();
    (void)!write(ready, "", 1);
    for (unsigned i = first;; i++) write_one(dir, i & 1);
}

/* How long one write takes here and now, in ns. */
static long one_write(int dir)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    write_one(dir, 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec;
}

static void killed_at_any_point(void **state)
{
    unsigned seen[2] = {0, 0}, left_beside = 0;
    int dir = open_dir();
    long most = 3 * one_write(dir);
    (void)state;
    close(dir);
    if (most > 60000000) most = 60000000; /* the whole test takes seconds, however slow the disk is */
    srand(1);
    for (unsigned i = 0; i < KILLS; i++) {
        const struct timespec wait = {0, rand() % most};
        int ready[2], status;
        pid_t child;
        char byte;
        assert_int_equal(pipe(ready), 0);
        child = fork();
        if (child == 0) store_for_ever(ready[1], i);
        assert_true(child > 0);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        nanosleep(&wait, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        close(ready[0]);
        close(ready[1]);
        dir = open_dir();
        seen[which_is_there(dir)]++;
        left_beside += faccessat(dir, "state.new", F_OK, 0) == 0;
        close(dir);
    }
    assert_true(seen[0] != 0 && seen[1] != 0);
    assert_true(left_beside != 0); /* or it was never killed while it wrote */
}

/* ---- a disk that fails ---- */

static unsigned calls, fails_at; /* that call and all after it: as if the power were gone */
static bool half;                /* the write that fails has written something */

static bool fails(void)
{
    errno = EIO;
    return ++calls >= fails_at;
}

static int bad_open(int dir, const char *name, int flags, mode_t mode)
{
    return fails() ? -1 : spdm_file_system.open(dir, name, flags, mode);
}

static ssize_t bad_write(int fd, const void *bytes, size_t n)
{
    bool bad = fails();
    if (!bad) return spdm_file_system.write(fd, bytes, n > 5000 ? 5000 : n);
    if (half) (void)!spdm_file_system.write(fd, bytes, n / 2);
    errno = ENOSPC;
    return -1;
}

static int bad_sync(int fd)
{
    return fails() ? -1 : spdm_file_system.sync(fd);
}

static int bad_rename(int dir, const char *from, const char *to)
{
    return fails() ? -1 : spdm_file_system.rename(dir, from, to);
}

static void a_disk_fails_at_every_call(void **state)
{
    static const struct spdm_file_calls bad = {bad_open, bad_write, bad_sync, bad_rename};
    int dir = open_dir();
    unsigned told = 0;
    (void)state;
    for (fails_at = 1; fails_at < 1000; fails_at++) {
        struct spdm_device_state *next = with_chain(1);
        char cause[SPDM_CAUSE_MAX] = "";
        bool done;
        write_one(dir, 0);
        calls = 0;
        half = fails_at % 2 == 0;
        done = spdm_state_write(ossl, &bad, dir, next, cause);
        spdm_state_free(next);
        if (done) break;
        told++;
        assert_string_not_equal(cause, "");
        /* Only when the directory could not be synced the new one may be there: it has its name already. */
        if (which_is_there(dir) == 1) assert_non_null(strstr(cause, "cannot make sure"));
    }
    assert_int_equal(which_is_there(dir), 1);
    assert_true(told > 20); /* open, writes of 5000 bytes, sync, rename, sync */
    assert_int_equal(calls, told);
    close(dir);
}

/* ---- files that are not as we wrote them ---- */

static void overwrite(int dir, const uint8_t *bytes, size_t n)
{
    int fd = openat(dir, "state", O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void damage_is_told(void **state)
{
    char cause[SPDM_CAUSE_MAX];
    int dir = open_dir();
    struct spdm_room whole;
    (void)state;
    write_one(dir, 0);
    whole = spdm_safe_read(dir, "state", cause);
    assert_true(whole.n > 2 * CHAIN);
    for (size_t cut = 0; cut < whole.n; cut += cut < 40 || cut > whole.n - 100 ? 1 : 1999) {
        overwrite(dir, whole.p, cut);
        assert_null(spdm_state_read(ossl, dir, cause));
        assert_non_null(strstr(cause, "damaged"));
    }
    for (size_t at = 0; at < whole.n; at += at < 40 || at > whole.n - 100 ? 1 : 997) {
        whole.p[at] ^= 1;
        overwrite(dir, whole.p, whole.n);
        whole.p[at] ^= 1;
        assert_null(spdm_state_read(ossl, dir, cause));
    }
    overwrite(dir, whole.p, whole.n);
    assert_int_equal(which_is_there(dir), 0);
    free(whole.p);
    close(dir);
}

/* ---- what is kept ---- */

static void everything_comes_back(void **state)
{
    struct spdm_device_state *s = spdm_state_new(), *copy, *back;
    const struct spdm_state_slot erased = {.bank = 3, .slot = 7, .erased = true};
    const struct spdm_state_pair none = {.id = 1, .usage = 0xf, .erased = true},
                                 own = {.id = 2, .slots = 0x81, .asym = 0x10, .pqc = 2, .key = "key-2-00ff"};
    const struct spdm_state_bank bank = {2, 0x20, 0x400};
    uint8_t info[] = {0x30, 0x00};
    const struct spdm_state_csr csr = {.tag = 7, .key_pair = 2, .model = 3, .bank = 1, .info = {info, 2}};
    char cause[SPDM_CAUSE_MAX];
    int dir = open_dir(), key;
    (void)state;
    assert_true(spdm_state_put_slot(s, &erased) && spdm_state_put_pair(s, &none) && spdm_state_put_pair(s, &own));
    assert_true(spdm_state_put_bank(s, &bank) && spdm_state_put_csr(s, &csr) && spdm_state_put_csr(s, &csr));
    copy = spdm_state_copy(s);
    spdm_state_free(s);
    assert_true(spdm_state_write(ossl, &spdm_file_system, dir, copy, cause));
    spdm_state_free(copy);
    back = spdm_state_read(ossl, dir, cause);
    if (back == NULL) fail_msg("%s", cause);
    assert_true(spdm_state_slot(back, 3, 7)->erased);
    assert_null(spdm_state_slot(back, 0, 7));
    assert_true(spdm_state_pair(back, 1)->erased);
    assert_int_equal(spdm_state_pair(back, 2)->slots, own.slots);
    assert_int_equal(spdm_state_pair(back, 2)->asym, own.asym);
    assert_int_equal(spdm_state_pair(back, 2)->pqc, own.pqc);
    assert_string_equal(spdm_state_pair(back, 2)->key, own.key);
    assert_int_equal(spdm_state_bank(back, 2)->asym, bank.asym);
    assert_int_equal(spdm_state_bank(back, 2)->pqc, bank.pqc);
    assert_int_equal(back->csr_n, 1);
    assert_memory_equal(spdm_state_csr(back, 7)->info.p, info, 2);
    /* Keys that nothing names were of changes that were cut off. */
    for (unsigned i = 0; i < 2; i++) {
        key = openat(dir, i == 0 ? "key-2-00ff" : "key-9-00", O_CREAT | O_WRONLY, 0600);
        assert_true(key >= 0);
        close(key);
    }
    spdm_state_tidy(dir, back);
    assert_int_equal(faccessat(dir, "key-2-00ff", F_OK, 0), 0);
    assert_int_not_equal(faccessat(dir, "key-9-00", F_OK, 0), 0);
    spdm_state_drop_csr(back, 7);
    assert_null(spdm_state_csr(back, 7));
    spdm_state_free(back);
    close(dir);
}

static void one_device_at_a_time(void **state)
{
    char cause[SPDM_CAUSE_MAX];
    int dir = open_dir();
    (void)state;
    assert_int_equal(spdm_safe_dir(path, cause), -1);
    assert_non_null(strstr(cause, "in use"));
    close(dir);
    assert_int_equal(spdm_safe_dir("/proc/none/of/that", cause), -1);
    assert_non_null(strstr(cause, "cannot make"));
}

static int begin(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 2; which++)
        for (size_t i = 0; i < CHAIN; i++) chain[which][i] = (uint8_t)(i * (which + 3) >> 2);
    snprintf(path, sizeof path, "/tmp/assay-state-XXXXXX");
    assert_non_null(mkdtemp(path));
    ossl = spdm_openssl_open(NULL, NULL);
    return ossl == NULL;
}

static int end(void **state)
{
    char command[100];
    (void)state;
    spdm_openssl_close(ossl);
    snprintf(command, sizeof command, "rm -r %s", path);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_point),  cmocka_unit_test(a_disk_fails_at_every_call),
        cmocka_unit_test(damage_is_told),       cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(one_device_at_a_time),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
