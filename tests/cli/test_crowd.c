/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_crowd.c - `spdm respond` with 500 honest and 500 hostile clients at once, in waves.
 *
 * The honest ones are requesters of the library, each on a link of its own,
 * which connect, fetch and check the identity, have it challenged and take
 * signed measurements; every one must succeed. The hostile ones hang up, stall
 * in the middle of a header or message, lie about lengths, send garbage,
 * trickle, ask without reading, replay a recorded conversation with a byte
 * changed; whoever is thrown out comes back. The memory of the responder must
 * be flat from wave to wave, and SIGTERM must end it with 0. */
#include "port/crypto_openssl.h"
#include "port/link.h"

#include <assay/requester.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAVES = 8, SETTLED = 4, BUFFER = 4700, RECORD_MAX = 32 };
static unsigned crowd = 500;

/* ---- what all share ---- */

struct honest {
    struct crowd *c;
    struct spdm_link *link;
    struct spdm_config config;
    struct spdm_requester *engine;
    uv_timer_t timer;
    bool over, done, measured;
    char why[400];
    uint8_t out[BUFFER], chain[BUFFER];
    uint64_t memory[];
};

enum habit { HANG_UP, HALF_HEADER, HALF_MESSAGE, GARBAGE, LIAR, TRICKLE, NEVER_READS, REPLAY, SILENT, HABITS };

struct hostile {
    struct crowd *c;
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_timer_t timer;
    enum habit habit;
    bool plain; /* tcp, else emu+mctp */
    unsigned step;
    size_t left;
    uint8_t bytes[4096];
};

struct crowd {
    uv_loop_t loop;
    uv_timer_t limit;
    pid_t pid;
    uint16_t port[2]; /* tcp, emu+mctp */
    char dir[64];
    struct spdm_openssl *ossl;
    struct spdm_openssl_key *key;
    uint8_t certificate[2048];
    size_t certificate_n;
    struct spdm_policy policy;
    size_t engine_size;
    unsigned running; /* honest clients of this wave */
    bool wave, in_time;
    unsigned long visits; /* of hostile clients */
    uint32_t random;
    /* the frames of one honest requester, for replay */
    uint8_t record[2][RECORD_MAX][256];
    size_t record_n[2][RECORD_MAX];
    unsigned records[2];
};

static uint32_t next_random(struct crowd *c)
{
    c->random = c->random * 1664525u + 1013904223u;
    return c->random >> 8;
}

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

/* ---- honest clients ---- */

static void advance(struct honest *h);

static void over(struct honest *h, const char *why)
{
    if (h->over) return;
    h->over = true;
    snprintf(h->why, sizeof h->why, "%s", why);
    uv_timer_stop(&h->timer);
    if (h->link != NULL) spdm_link_close(h->link);
    h->link = NULL;
    h->c->running--;
}

/* The chain is the one certificate of the device, as made. */
static void judge(struct honest *h, const struct spdm_event *event)
{
    const struct crowd *c = h->c;
    struct spdm_answer a = {.ticket = event->ticket};
    size_t at = event->root_at;
    a.yes = event->kind == SPDM_ASK_TRUST && event->data.n == at + c->certificate_n &&
            memcmp(event->data.p + at, c->certificate, c->certificate_n) == 0;
    a.key = a.yes ? c->key : NULL;
    (void)spdm_requester_answer(h->engine, &a);
}

static void on_event(struct honest *h, const struct spdm_event *event)
{
    char text[300];
    if (event->kind == SPDM_ASK_DIGEST || event->kind == SPDM_ASK_TRUST) {
        judge(h, event);
    } else if (event->kind == SPDM_MEASURED) {
        h->measured = event->proven;
    } else if (event->kind == SPDM_DONE) {
        const struct spdm_facts *f = spdm_requester_facts(h->engine);
        h->done = f->trusted && f->authentic && h->measured;
        over(h, h->done ? "" : "done, but not everything was proven");
    } else if (event->kind == SPDM_FAILED) {
        (void)spdm_report_text(&event->report, text, sizeof text);
        over(h, text);
    }
}

static void on_honest_timer(uv_timer_t *timer)
{
    struct honest *h = timer->data;
    spdm_requester_push(h->engine, (struct spdm_span){NULL, 0}, now_us());
    advance(h);
}

static void advance(struct honest *h)
{
    struct spdm_event event;
    struct spdm_span out;
    uint64_t at, now;
    while (!h->over && spdm_requester_event(h->engine, &event) != SPDM_NOTHING) on_event(h, &event);
    if (h->over) return;
    out = spdm_requester_pull(h->engine, now_us());
    if (out.n != 0 && !spdm_link_send(h->link, out)) return; /* `down` follows */
    at = spdm_requester_deadline(h->engine);
    now = now_us();
    if (at != SPDM_NEVER) uv_timer_start(&h->timer, on_honest_timer, at > now ? (at - now) / 1000 + 1 : 0, 0);
    else uv_timer_stop(&h->timer);
}

static void honest_up(void *ctx, struct spdm_link *link)
{
    static const struct spdm_goal goal = {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true};
    struct honest *h = ctx;
    (void)link;
    assert_true(spdm_requester_ask(h->engine, &goal));
    advance(h);
}

static void honest_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct honest *h = ctx;
    (void)link;
    spdm_requester_push(h->engine, frame, now_us());
    advance(h);
}

static void honest_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct honest *h = ctx;
    (void)link;
    (void)end;
    h->link = NULL;
    over(h, reason);
}

/* Keeps the first conversation of each kind. */
static void record(void *ctx, const struct spdm_tapped *t)
{
    struct crowd *c = ctx;
    unsigned kind = spdm_link_target(t->link)->emulator;
    static const struct spdm_link *first[2];
    if (!t->sent || t->frame.n > sizeof c->record[0][0] || c->records[kind] == RECORD_MAX) return;
    if (first[kind] == NULL) first[kind] = t->link;
    if (first[kind] != t->link) return;
    memcpy(c->record[kind][c->records[kind]], t->frame.p, t->frame.n);
    c->record_n[kind][c->records[kind]++] = t->frame.n;
}

static struct honest *start_honest(struct crowd *c, unsigned n)
{
    static const struct spdm_link_events events = {.up = honest_up, .frame = honest_frame, .down = honest_down};
    struct spdm_link_options options = {.frame_max = BUFFER, .connect_ms = 60000, .tap = record, .tap_ctx = c};
    struct honest *h = calloc(1, sizeof *h + c->engine_size);
    struct spdm_target target;
    char text[64], error[SPDM_REASON_MAX];
    assert_non_null(h);
    snprintf(text, sizeof text, n % 2 == 0 ? "tcp://127.0.0.1:%u" : "emu+mctp://127.0.0.1:%u", c->port[n % 2]);
    assert_true(spdm_target_parse(text, false, &target, error));
    h->c = c;
    h->config = (struct spdm_config){.crypto = spdm_openssl_crypto(),
                                     .crypto_ctx = c->ossl,
                                     .binding = target.binding,
                                     .policy = &c->policy,
                                     .out = {h->out, sizeof h->out},
                                     .chain = {h->chain, sizeof h->chain},
                                     .data_transfer_size = 4608};
    h->engine = spdm_requester_init((struct spdm_room){(uint8_t *)h->memory, c->engine_size}, &h->config);
    assert_non_null(h->engine);
    uv_timer_init(&c->loop, &h->timer);
    h->timer.data = h;
    h->link = spdm_link_connect(&c->loop, &target, &options, &events, h);
    assert_non_null(h->link);
    c->running++;
    return h;
}

/* ---- hostile clients ---- */

static void visit(struct hostile *x);

static void on_gone(uv_handle_t *handle)
{
    struct hostile *x = handle->data;
    if (x->c->wave) visit(x);
}

static void leave(struct hostile *x)
{
    uv_timer_stop(&x->timer);
    if (uv_is_closing((uv_handle_t *)&x->tcp)) return;
    if (x->habit == HANG_UP) (void)uv_tcp_close_reset(&x->tcp, on_gone);
    if (!uv_is_closing((uv_handle_t *)&x->tcp)) uv_close((uv_handle_t *)&x->tcp, on_gone);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    static char bin[65536];
    (void)handle;
    (void)hint;
    *buf = uv_buf_init(bin, sizeof bin);
}

static void on_hostile_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n < 0) leave(stream->data);
}

/* As much as the kernel takes at once. */
static void shout(struct hostile *x, const void *bytes, size_t n)
{
    uv_buf_t buf;
    char copy[4200];
    if (n > sizeof copy) n = sizeof copy;
    memcpy(copy, bytes, n);
    buf = uv_buf_init(copy, (unsigned)n);
    (void)uv_try_write((uv_stream_t *)&x->tcp, &buf, 1);
}

/* A frame of the record, with the header of the link, into x->bytes. */
static size_t recorded(struct hostile *x, unsigned i)
{
    struct crowd *c = x->c;
    unsigned kind = !x->plain;
    size_t n = c->record_n[kind][i], head = x->plain ? 0 : 12;
    static const uint8_t header[12] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    memcpy(x->bytes, header, head);
    if (head != 0) {
        x->bytes[10] = (uint8_t)(n >> 8);
        x->bytes[11] = (uint8_t)n;
    }
    memcpy(x->bytes + head, c->record[kind][i], n);
    return head + n;
}

static size_t get_version(const struct hostile *x, uint8_t *out)
{
    static const uint8_t plain[] = {4, 0, 1, 5, 0x10, 0x84, 0, 0};
    static const uint8_t emulator[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 5, 0x10, 0x84, 0, 0};
    memcpy(out, x->plain ? plain : emulator, x->plain ? sizeof plain : sizeof emulator);
    return x->plain ? sizeof plain : sizeof emulator;
}

/* The record with a byte changed here and there: gets as far as having signatures made. */
static void replay(struct hostile *x)
{
    unsigned records = x->c->records[!x->plain];
    size_t n;
    if (records == 0 || x->step >= 4 * records) {
        leave(x);
        return;
    }
    n = recorded(x, x->step % records);
    if (next_random(x->c) % 4 == 0) x->bytes[n - 1 - next_random(x->c) % 4] ^= (uint8_t)(1u << next_random(x->c) % 8);
    shout(x, x->bytes, n);
}

static void misbehave(struct hostile *x)
{
    static const uint8_t lies[2][12] = {{0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 1, 5}};
    uint8_t bytes[4096];
    size_t n = get_version(x, bytes);
    switch (x->habit) {
    case HANG_UP: leave(x); return;
    case HALF_HEADER: shout(x, bytes, x->step == 0 ? 3 : 0); return;
    case HALF_MESSAGE:
        if (x->step != 0) leave(x);
        else shout(x, bytes, n - 1);
        return;
    case GARBAGE:
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)next_random(x->c);
        shout(x, bytes, 1 + next_random(x->c) % sizeof bytes);
        return;
    case LIAR: shout(x, lies[x->plain], x->plain ? 4 : 12); return;
    case TRICKLE: shout(x, bytes + x->step % n, 1); return;
    case NEVER_READS:
        for (unsigned i = 0; i < 100; i++) shout(x, bytes, n);
        return;
    case REPLAY: replay(x); return;
    default: return;
    }
}

static void on_hostile_timer(uv_timer_t *timer)
{
    struct hostile *x = timer->data;
    misbehave(x);
    x->step++;
}

static void on_hostile_connect(uv_connect_t *connect, int status)
{
    struct hostile *x = connect->data;
    if (status != 0) {
        if (status != UV_ECANCELED) leave(x);
        return;
    }
    x->c->visits++;
    if (x->habit != NEVER_READS) (void)uv_read_start((uv_stream_t *)&x->tcp, on_room, on_hostile_read);
    uv_timer_start(&x->timer, on_hostile_timer, next_random(x->c) % 20, 5 + next_random(x->c) % 20);
}

static void visit(struct hostile *x)
{
    struct sockaddr_in to;
    x->step = 0;
    x->connect.data = x;
    assert_int_equal(uv_ip4_addr("127.0.0.1", x->c->port[!x->plain], &to), 0);
    assert_int_equal(uv_tcp_init(&x->c->loop, &x->tcp), 0);
    x->tcp.data = x;
    if (uv_tcp_connect(&x->connect, &x->tcp, (const struct sockaddr *)&to, on_hostile_connect) != 0) leave(x);
}

static struct hostile *start_hostile(struct crowd *c, unsigned n)
{
    struct hostile *x = calloc(1, sizeof *x);
    assert_non_null(x);
    x->c = c;
    x->habit = (enum habit)(n % HABITS);
    x->plain = n / HABITS % 2 == 0;
    uv_timer_init(&c->loop, &x->timer);
    x->timer.data = x;
    visit(x);
    return x;
}

/* ---- the responder ---- */

static void shell(const char *format, const char *dir)
{
    char command[1000];
    snprintf(command, sizeof command, format, dir, dir, dir, dir);
    if (system(command) != 0) fail_msg("%s", command);
}

static size_t slurp(const struct crowd *c, const char *name, void *out, size_t cap)
{
    char path[128];
    FILE *f;
    size_t n;
    snprintf(path, sizeof path, "%s/%s", c->dir, name);
    f = fopen(path, "rb");
    if (f == NULL) return 0;
    n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static void make_device(struct crowd *c)
{
    char path[128];
    uint8_t spki[512];
    size_t n;
    FILE *f;
    snprintf(c->dir, sizeof c->dir, "/tmp/assay-crowd-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    shell("cd %s && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key 2>/dev/null && "
          "openssl req -x509 -new -key leaf.key -subj /CN=device -days 30 -outform DER -out chain.der && "
          "openssl pkey -in leaf.key -pubout -outform DER -out pub.der",
          c->dir);
    snprintf(path, sizeof path, "%s/device.cfg", c->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("slots = ( { chain = \"chain.der\"; key = \"leaf.key\"; } );\n"
          "measurements = ( { text = \"firmware\"; }, { text = \"1.0\"; type = \"version\"; } );\n",
          f);
    fclose(f);
    c->certificate_n = slurp(c, "chain.der", c->certificate, sizeof c->certificate);
    n = slurp(c, "pub.der", spki, sizeof spki);
    c->ossl = spdm_openssl_open(NULL, NULL);
    assert_non_null(c->ossl);
    c->key = spdm_openssl_key_open(c->ossl, (struct spdm_span){spki, n}, NULL);
    assert_non_null(c->key);
}

static void start_responder(struct crowd *c)
{
    const char *program = getenv("SPDM");
    char device[128], ports[128], text[32] = "";
    if (program == NULL) skip();
    snprintf(device, sizeof device, "%s/device.cfg", c->dir);
    snprintf(ports, sizeof ports, "%s/ports", c->dir);
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing running */
        /* the sanitizer's own memory of freed blocks must not look like growth */
        setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
        execl(program, program, "respond", "--quiet", "--stall", "2s", "--port-file", ports, "--listen",
              "tcp://127.0.0.1:0", "--listen", "emu+mctp://127.0.0.1:0", device, (char *)NULL);
        _exit(127);
    }
    for (unsigned i = 0; i < 200 && slurp(c, "ports", text, sizeof text - 1) == 0; i++) usleep(50000);
    assert_int_equal(sscanf(text, "%hu %hu", &c->port[0], &c->port[1]), 2);
}

static unsigned long resident_kib(const struct crowd *c)
{
    char path[64];
    unsigned long total, pages = 0;
    FILE *f;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)c->pid);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &total, &pages), 2);
    fclose(f);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- a wave ---- */

static void on_limit(uv_timer_t *timer)
{
    struct crowd *c = timer->data;
    c->in_time = false;
}

static void close_timer(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, NULL);
}

static unsigned wave(struct crowd *c)
{
    struct honest **honest = calloc(crowd, sizeof *honest);
    struct hostile **hostile = calloc(crowd, sizeof *hostile);
    unsigned failed = 0;
    assert_non_null(honest);
    assert_non_null(hostile);
    c->wave = c->in_time = true;
    uv_timer_start(&c->limit, on_limit, 50000, 0);
    for (unsigned i = 0; i < crowd; i++) hostile[i] = start_hostile(c, i);
    for (unsigned i = 0; i < crowd; i++) honest[i] = start_honest(c, i);
    while (c->running != 0 && c->in_time) uv_run(&c->loop, UV_RUN_ONCE);
    c->wave = false;
    for (unsigned i = 0; i < crowd; i++) {
        leave(hostile[i]);
        close_timer(&hostile[i]->timer);
        over(honest[i], "not done in time");
        close_timer(&honest[i]->timer);
        spdm_requester_close(honest[i]->engine);
        if (!honest[i]->done && failed++ < 5) printf("honest client %u: %s\n", i, honest[i]->why);
    }
    uv_timer_stop(&c->limit);
    for (unsigned i = 0; i < 3000; i++) uv_run(&c->loop, UV_RUN_NOWAIT);
    uv_run(&c->loop, UV_RUN_DEFAULT); /* goodbyes */
    for (unsigned i = 0; i < crowd; i++) {
        free(honest[i]);
        free(hostile[i]);
    }
    free(honest);
    free(hostile);
    return failed;
}

static void every_honest_client_is_served(void **state)
{
    static const uint8_t hashes[] = {SPDM_SHA_256, 0}, signatures[] = {SPDM_ECDSA_P256, 0};
    struct crowd *c = calloc(1, sizeof *c);
    unsigned long kib[WAVES];
    int status = 0;
    (void)state;
    assert_non_null(c);
    c->random = 1;
    c->policy = (struct spdm_policy){.versions = {SPDM_V12, SPDM_V11},
                                     .hashes = hashes,
                                     .signatures = signatures,
                                     .opaque_formats = 3,
                                     .meas_hash = SPDM_SHA_256};
    make_device(c);
    c->engine_size = spdm_requester_size(
        &(struct spdm_config){.crypto = spdm_openssl_crypto(), .binding = &spdm_binding_tcp, .policy = &c->policy});
    start_responder(c);
    assert_int_equal(uv_loop_init(&c->loop), 0);
    uv_timer_init(&c->loop, &c->limit);
    c->limit.data = c;
    for (unsigned i = 0; i < WAVES; i++) {
        uint64_t begun = uv_hrtime();
        assert_int_equal(wave(c), 0);
        kib[i] = resident_kib(c);
        printf("wave %u: %u honest clients served in %.1f s, %lu hostile visits so far, %lu KiB resident\n", i + 1,
               crowd, (double)(uv_hrtime() - begun) / 1e9, c->visits, kib[i]);
    }
    /* The pools have grown to the largest crowd by then; the allocator's own habits get some room. */
    assert_true(kib[WAVES - 1] < kib[SETTLED] + kib[SETTLED] / 8);
    assert_int_equal(kill(c->pid, SIGTERM), 0);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close_timer(&c->limit);
    uv_run(&c->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c->loop), 0);
    spdm_openssl_key_free(c->key);
    spdm_openssl_close(c->ossl);
    shell("rm -rf %s", c->dir);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_honest_client_is_served)};
    struct rlimit limit;
    const char *n = getenv("CROWD");
    if (n != NULL) crowd = (unsigned)strtoul(n, NULL, 10);
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    return cmocka_run_group_tests_name("cli/crowd", tests, NULL, NULL);
}
