/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Comparing takes the same way whatever is compared (withstand 98): a child is
 * traced instruction by instruction through spdm_equal(), which is what every
 * HMAC, digest and VerifyData in src/ is compared with (gate: bytes). Not seen
 * is time that one and the same instruction takes. */
#include "base/bytes.h"
#include <elf.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 48, STEPS = 100000 };

struct way {
    unsigned steps;
    uint64_t hash; /* of the addresses of all instructions */
    bool equal;
};

/* Where the child is, and where it goes when the function it has just entered returns. */
struct place {
    uint64_t at, ret;
};

#if defined(__x86_64__)
static bool where(pid_t pid, struct place *p)
{
    struct user_regs_struct regs;
    struct iovec io = {&regs, sizeof regs};

    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) != 0) return false;
    p->at = regs.rip;
    p->ret = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)regs.rsp, NULL);
    return true;
}
#elif defined(__aarch64__)
static bool where(pid_t pid, struct place *p)
{
    struct user_regs_struct regs;
    struct iovec io = {&regs, sizeof regs};

    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) != 0) return false;
    p->at = regs.pc;
    p->ret = regs.regs[30];
    return true;
}
#else
static bool where(pid_t pid, struct place *p)
{
    (void)pid;
    (void)p;
    return false;
}
#endif

static bool step(pid_t pid)
{
    int status;

    return ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP;
}

/* The way through the call, from its first instruction to where it returns to; false: it cannot be traced here. */
static bool follow(pid_t pid, struct way *way)
{
    uint64_t entry = (uint64_t)(uintptr_t)&spdm_equal;
    struct place p = {0};
    uint64_t back;

    for (unsigned i = 0; p.at != entry; i++) {
        if (i == STEPS || !step(pid) || !where(pid, &p)) return false;
    }
    for (back = p.ret; p.at != back; way->steps++) {
        way->hash = (way->hash ^ p.at) * UINT64_C(0x9e3779b97f4a7c15);
        if (way->steps == STEPS || !step(pid) || !where(pid, &p)) return false;
    }
    return true;
}

static bool trace(const uint8_t *a, const uint8_t *b, size_t n, struct way *way)
{
    pid_t pid = fork();
    int status;
    bool done;

    assert_true(pid >= 0);
    memset(way, 0, sizeof *way);
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(2);
        kill(getpid(), SIGSTOP);
        _exit(spdm_equal(spdm_span(a, n), spdm_span(b, n)) ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    done = WIFSTOPPED(status) && follow(pid, way);
    if (!done) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return false;
    }
    assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    way->equal = WEXITSTATUS(status) == 1;
    return true;
}

static void test_one_way(void **state)
{
    uint8_t a[N], b[N];
    struct way same, other;

    (void)state;
    for (unsigned i = 0; i < N; i++) a[i] = (uint8_t)(7 * i + 1);
    memcpy(b, a, N);
    if (!trace(a, b, N, &same)) {
        print_message("nobody can be traced here\n");
        skip();
    }
    assert_true(same.equal && same.steps > 20);
    for (unsigned i = 0; i <= N; i++) {
        memcpy(b, a, N);
        if (i < N) b[i] ^= (uint8_t)(1u << i % 8);
        else memset(b, 0xff, N);
        assert_true(trace(a, b, N, &other));
        assert_false(other.equal);
        assert_int_equal(other.steps, same.steps);
        assert_true(other.hash == same.hash);
    }
    assert_true(trace(a, b, N - 1, &other)); /* how long they are may be seen, and is */
    assert_true(other.steps < same.steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_way)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
