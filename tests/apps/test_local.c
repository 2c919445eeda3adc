/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_local.c - the near end of a stream on every kind of descriptor, and the socket that programs connect to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "forward.h"
#include "local.h"
#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 200000, N = 1000000 };

/* What the end tells; what it reads it writes again, so that a stream goes through it once. */
struct near {
    uv_loop_t loop;
    struct spdm_local *local;
    uint8_t room[ROOM];
    size_t n, came, taken, limit; /* limit: no room beyond so many bytes */
    bool ended, broken;
    char error[100];
};
static struct near near;

static struct spdm_room room(void *ctx)
{
    (void)ctx;
    size_t left = near.limit - near.n;
    return (struct spdm_room){near.room + near.n, left > 1000 ? left : 0};
}

static void came(void *ctx, size_t n)
{
    (void)ctx;
    near.came += n;
    spdm_local_write(near.local, (struct spdm_span){near.room, n});
}

static void ended(void *ctx, const char *error)
{
    (void)ctx;
    assert_false(near.ended);
    near.ended = true;
    snprintf(near.error, sizeof near.error, "%s", error != NULL ? error : "");
    spdm_local_finish(near.local);
}

static void taken(void *ctx, size_t n)
{
    (void)ctx;
    near.taken += n;
}

static void broken(void *ctx, const char *error)
{
    (void)ctx;
    assert_false(near.broken);
    near.broken = true;
    snprintf(near.error, sizeof near.error, "%s", error);
}

static void begin(int in, int out)
{
    static const struct spdm_local_events events = {
        .room = room, .came = came, .ended = ended, .taken = taken, .broken = broken};
    const char *error = "";
    near = (struct near){.limit = ROOM};
    assert_int_equal(uv_loop_init(&near.loop), 0);
    near.local = spdm_local_open(
        &(struct spdm_local_setup){.loop = &near.loop, .in = in, .out = out, .events = &events}, &error);
    assert_non_null(near.local);
    spdm_local_read(near.local);
}

static void finish(void)
{
    spdm_local_close(near.local);
    uv_run(&near.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&near.loop), 0);
}

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 255);
}

static void feed(int fd, size_t *sent)
{
    uint8_t bytes[3000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = byte_at(*sent + i);
    ssize_t n = write(fd, bytes, N - *sent < sizeof bytes ? N - *sent : sizeof bytes);
    if (n > 0) *sent += (size_t)n;
}

/* false: nothing follows. */
static bool drink(int fd, size_t *got)
{
    uint8_t bytes[3000];
    ssize_t n = read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != byte_at(*got + (size_t)i)) fail_msg("byte %zu is wrong", *got + (size_t)i);
    if (n > 0) *got += (size_t)n;
    return n != 0;
}

static void turn(uint64_t start)
{
    uv_run(&near.loop, UV_RUN_NOWAIT);
    if (uv_hrtime() - start > 20000000000u) fail_msg("waited in vain");
}

static void through(int feeder, int drinker, void (*close_feeder)(int fd))
{
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    assert_int_equal(fcntl(feeder, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(drinker, F_SETFL, O_NONBLOCK), 0);
    for (bool more = true; more;) {
        if (sent < N) feed(feeder, &sent);
        if (sent == N && close_feeder != NULL) {
            close_feeder(feeder);
            close_feeder = NULL;
        }
        turn(start);
        more = drink(drinker, &got);
    }
    assert_int_equal(got, N);
    assert_int_equal(near.came, N);
    assert_int_equal(near.taken, N);
    assert_true(near.ended && !near.broken);
    assert_false(spdm_local_waiting(near.local));
}

static void close_it(int fd)
{
    close(fd);
}

static void half_close(int fd)
{
    shutdown(fd, SHUT_WR);
}

static void joins_pipes(void **state)
{
    int in[2], out[2];
    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    begin(in[0], out[1]);
    through(in[1], out[0], close_it);
    finish();
    close(out[0]);
}

static void joins_both_directions_of_a_socket(void **state)
{
    int pair[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    begin(pair[0], pair[0]);
    through(pair[1], pair[1], half_close);
    finish();
    close(pair[1]);
}

/* Nothing is read that there is no room for, until there is. */
static void reads_no_more_than_there_is_room(void **state)
{
    int in[2], out = open("/dev/null", O_WRONLY);
    size_t sent = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(fcntl(in[1], F_SETFL, O_NONBLOCK), 0);
    begin(in[0], out);
    near.limit = 0;
    for (unsigned i = 0; i < 200; i++) {
        feed(in[1], &sent);
        turn(start);
    }
    assert_int_equal(near.came, 0);
    near.limit = ROOM;
    spdm_local_read(near.local);
    while (near.came < sent) turn(start);
    finish();
    close(in[1]);
}

static void joins_files(void **state)
{
    char from[] = "/tmp/assay-local-XXXXXX", to[] = "/tmp/assay-local-XXXXXX";
    int in = mkstemp(from), out = mkstemp(to);
    size_t sent = 0, got = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    while (sent < N) feed(in, &sent);
    lseek(in, 0, SEEK_SET);
    begin(in, out);
    while (!near.ended) turn(start);
    finish();
    out = open(to, O_RDONLY);
    while (drink(out, &got)) continue;
    assert_int_equal(got, N);
    close(out);
    unlink(from);
    unlink(to);
}

static void tells_what_cannot_be_read_or_written(void **state)
{
    int in[2], directory = open("/tmp", O_RDONLY), full = open("/dev/full", O_WRONLY);
    size_t sent = 0;
    uint64_t start = uv_hrtime();
    (void)state;
    begin(directory, open("/dev/null", O_WRONLY));
    while (!near.ended) turn(start);
    assert_string_equal(near.error, "Is a directory");
    finish();
    if (full < 0) return; /* there is none here */
    assert_int_equal(pipe(in), 0);
    begin(in[0], full);
    feed(in[1], &sent);
    while (!near.broken) turn(start);
    assert_string_equal(near.error, "No space left on device");
    finish();
    close(in[1]);
}

/* Others share standard input and output, and must find them as they were. */
static void puts_flags_back(void **state)
{
    int in[2], out[2], keep_in, keep_out;
    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    keep_in = dup(in[0]);
    keep_out = dup(out[1]);
    begin(in[0], out[1]);
    assert_int_not_equal(fcntl(keep_in, F_GETFL) & O_NONBLOCK, 0);
    finish();
    assert_int_equal(fcntl(keep_in, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(keep_out, F_GETFL) & O_NONBLOCK, 0);
    for (int i = 0; i < 2; i++) close(i == 0 ? in[1] : out[0]);
    close(keep_in);
    close(keep_out);
}

/* ---- where programs connect to ---- */

static void reads_addresses(void **state)
{
    static const struct {
        const char *text, *path, *host, *port;
    } rows[] = {{"/run/a.sock", "/run/a.sock", "", ""},
                {"./a:1", "./a:1", "", ""},
                {"a.sock", "a.sock", "", ""},
                {"127.0.0.1:80", NULL, "127.0.0.1", "80"},
                {"[::1]:0", NULL, "::1", "0"},
                {"localhost:65535", NULL, "localhost", "65535"},
                {"", "wrong", "", ""},
                {":80", "wrong", "", ""},
                {"host:", "wrong", "", ""},
                {"host:65536", "wrong", "", ""},
                {"host:8o", "wrong", "", ""},
                {"host:-1", "wrong", "", ""}};
    struct spdm_forward_address address;
    char error[200];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool good = spdm_forward_parse(rows[i].text, &address, error, sizeof error);
        bool wrong = rows[i].path != NULL && strcmp(rows[i].path, "wrong") == 0;
        if (good == wrong) fail_msg("\"%s\"", rows[i].text);
        if (wrong) continue;
        if (rows[i].path != NULL) assert_string_equal(address.path, rows[i].path);
        else assert_null(address.path);
        if (rows[i].path != NULL) continue;
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
    }
}

static int accepted_fd;

static void accepted(void *ctx, int fd)
{
    (void)ctx;
    accepted_fd = fd;
}

static struct spdm_forward *forward(const char *text, bool public, char error[SPDM_FORWARD_ERROR])
{
    struct spdm_forward_address address;
    assert_true(spdm_forward_parse(text, &address, error, SPDM_FORWARD_ERROR));
    accepted_fd = -1;
    return spdm_forward_open(
        &(struct spdm_forward_setup){.loop = &near.loop, .address = &address, .public = public, .accepted = accepted},
        error);
}

/* Connects, is not served while the listener is paused, and is then. */
static void connects(struct spdm_forward *f, const struct sockaddr *address, socklen_t n)
{
    uint64_t start = uv_hrtime();
    int fd = socket(address->sa_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, address, n), 0);
    for (unsigned i = 0; i < 20; i++) turn(start);
    assert_int_equal(accepted_fd, -1);
    spdm_forward_pause(f, false);
    while (accepted_fd < 0) turn(start);
    assert_int_equal(write(fd, "x", 1), 1);
    char c = 0;
    assert_int_equal(read(accepted_fd, &c, 1), 1);
    close(fd);
    close(accepted_fd);
    spdm_forward_close(f);
}

static void listens_on_loopback(void **state)
{
    char error[SPDM_FORWARD_ERROR] = "";
    struct sockaddr_in address = {.sin_family = AF_INET};
    (void)state;
    assert_int_equal(uv_loop_init(&near.loop), 0);
    struct spdm_forward *f = forward("127.0.0.1:0", false, error);
    if (f == NULL) fail_msg("%s", error);
    assert_memory_equal(spdm_forward_text(f), "127.0.0.1:", 10);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atoi(spdm_forward_text(f) + 10));
    connects(f, (const struct sockaddr *)&address, sizeof address);
    assert_null(forward("0.0.0.0:0", false, error));
    assert_non_null(strstr(error, "give --public"));
    f = forward("0.0.0.0:0", true, error);
    assert_non_null(f);
    spdm_forward_close(f);
    assert_null(forward("no.such.host.invalid:0", false, error));
    uv_run(&near.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&near.loop), 0);
}

static void listens_on_a_socket_file(void **state)
{
    char dir[] = "/tmp/assay-forward-XXXXXX", path[100], error[SPDM_FORWARD_ERROR] = "", deep[300];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat s;
    (void)state;
    assert_int_equal(uv_loop_init(&near.loop), 0);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/sock", dir);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct spdm_forward *f = forward(path, false, error);
    if (f == NULL) fail_msg("%s", error);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700); /* nobody else's */
    connects(f, (const struct sockaddr *)&address, sizeof address);
    assert_int_not_equal(stat(path, &s), 0);
    f = forward(path, false, error);
    assert_non_null(f);
    assert_null(forward(path, false, error)); /* somebody is there */
    assert_int_equal(stat(path, &s), 0);
    spdm_forward_close(f);
    int left = socket(AF_UNIX, SOCK_STREAM, 0); /* one that was killed */
    assert_int_equal(bind(left, (const struct sockaddr *)&address, sizeof address), 0);
    close(left);
    f = forward(path, false, error);
    if (f == NULL) fail_msg("%s", error);
    spdm_forward_close(f);
    FILE *file = fopen(path, "w"); /* a file is not ours to replace */
    fclose(file);
    assert_null(forward(path, false, error));
    assert_int_equal(stat(path, &s), 0);
    unlink(path);
    memset(deep, 'a', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    assert_null(forward(deep, false, error));
    assert_non_null(strstr(error, "too long"));
    rmdir(dir);
    uv_run(&near.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&near.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_pipes),
        cmocka_unit_test(joins_both_directions_of_a_socket),
        cmocka_unit_test(reads_no_more_than_there_is_room),
        cmocka_unit_test(joins_files),
        cmocka_unit_test(tells_what_cannot_be_read_or_written),
        cmocka_unit_test(puts_flags_back),
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(listens_on_loopback),
        cmocka_unit_test(listens_on_a_socket_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
