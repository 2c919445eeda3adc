/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_keylog.c - the key log: its file, its lines, and that a capture can be read with it.
 *
 * With a capture and a key log as arguments it prints what their records hold, as shell tests want it: a line for each,
 * direction and hex. */
#include "port/crypto_openssl.h"
#include "port/pcap.h"
#include "toy_device.h"
#include "unseal.h"
#include <sys/stat.h>
#include <unistd.h>

static char keylog_path[] = "/tmp/assay-keylog-XXXXXX", pcap_path[] = "/tmp/assay-keylog-pcap-XXXXXX";

static const uint8_t bytes[SPDM_HASH_MAX] = {1, 2, 3, 0xfe};

static const struct spdm_keylog sample = {.label = "rsp app data",
                                          .session = 0xff01fffe,
                                          .generation = 3,
                                          .secret = {bytes, 48},
                                          .version = SPDM_V13,
                                          .secured_version = 0x1100,
                                          .hash = SPDM_SHA_384,
                                          .aead = SPDM_CHACHA20_POLY1305,
                                          .sequence_bytes = 2};

static void first_line(char *out, size_t cap)
{
    FILE *f = fopen(keylog_path, "r");
    assert_non_null(f);
    assert_non_null(fgets(out, (int)cap, f));
    out[strcspn(out, "\n")] = '\0';
    fclose(f);
}

static void write_one(const struct spdm_keylog *entry)
{
    char error[SPDM_KEYLOG_ERROR] = "";
    struct spdm_keylog_file *file = spdm_keylog_open(keylog_path, "test", error);
    assert_non_null(file);
    spdm_keylog_write(file, entry);
    assert_true(spdm_keylog_close(file, error));
}

static void same(const struct spdm_keylog *a, const struct spdm_keylog *b)
{
    assert_string_equal(a->label, b->label);
    assert_int_equal(a->session, b->session);
    assert_int_equal(a->generation, b->generation);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->secured_version, b->secured_version);
    assert_int_equal(a->hash, b->hash);
    assert_int_equal(a->aead, b->aead);
    assert_int_equal(a->sequence_bytes, b->sequence_bytes);
    assert_int_equal(a->mac_only, b->mac_only);
    assert_int_equal(a->big_endian, b->big_endian);
    assert_int_equal(a->secret.n, b->secret.n);
    assert_memory_equal(a->secret.p, b->secret.p, a->secret.n);
}

static void writes_what_it_reads(void **state)
{
    static const char *const labels[] = {"req hs data", "rsp hs data", "req app data", "rsp app data", "exp master"};
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct spdm_keylog entry = sample, back;
        uint8_t secret[SPDM_HASH_MAX];
        char line[1024];
        entry.label = labels[i % 5];
        entry.mac_only = i >= 10;
        entry.big_endian = i % 10 >= 5;
        unlink(keylog_path);
        write_one(&entry);
        first_line(line, sizeof line);
        assert_true(spdm_keylog_read(line, &back, secret));
        same(&entry, &back);
    }
}

static const char line_of_sample[] =
    "RSP_DATA session=ff01fffe generation=3 spdm=1.3 secured=1.1 hash=SHA_384 aead=CHACHA20_POLY1305 mode=encrypt "
    "sequence=2 "
    "secret=010203fe0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

static void writes_the_line_that_is_documented(void **state)
{
    char line[1024];
    (void)state;
    unlink(keylog_path);
    write_one(&sample);
    first_line(line, sizeof line);
    assert_string_equal(line, line_of_sample);
}

/* A line with a part replaced. */
static bool reads_with(const char *part, const char *instead)
{
    char line[1024];
    uint8_t secret[SPDM_HASH_MAX];
    struct spdm_keylog entry;
    const char *at = strstr(line_of_sample, part);
    assert_non_null(at);
    snprintf(line, sizeof line, "%.*s%s%s", (int)(at - line_of_sample), line_of_sample, instead, at + strlen(part));
    return spdm_keylog_read(line, &entry, secret);
}

static void skips_what_it_does_not_understand(void **state)
{
    static const char *const wrong[][2] = {{"RSP_DATA", "RSP_DATE"},
                                           {"RSP_DATA", ""},
                                           {"session=ff01fffe", ""},
                                           {"ff01fffe", "ff01fffe0"},
                                           {"ff01fffe", "-1"},
                                           {"ff01fffe", "x"},
                                           {"generation=3", "generation="},
                                           {"spdm=1.3", "spdm=1.9"},
                                           {"secured=1.1", "secured=x"},
                                           {"SHA_384", "AES_256_GCM"},
                                           {"SHA_384", "SHA_256"},
                                           {"CHACHA20_POLY1305", "SHA_256"},
                                           {"mode=encrypt", "mode=both"},
                                           {"sequence=2", "sequence=9"},
                                           {"secret=01", "secret="},
                                           {"secret=01", "secret=xx"},
                                           {" secret=", " secrets="},
                                           {"mode=encrypt", "mode"},
                                           {"aead=CHACHA20_POLY1305", ""}};
    struct spdm_keylog entry;
    uint8_t secret[SPDM_HASH_MAX];
    char longest[2000];
    (void)state;
    assert_true(reads_with("RSP_DATA", "RSP_DATA"));
    assert_true(reads_with("mode=encrypt", "mode=encrypt more=later"));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (reads_with(wrong[i][0], wrong[i][1])) fail_msg("%s for %s is taken", wrong[i][1], wrong[i][0]);
    assert_false(spdm_keylog_read("", &entry, secret));
    assert_false(spdm_keylog_read("# REQ_DATA", &entry, secret));
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(spdm_keylog_read(longest, &entry, secret));
}

static void keeps_others_out_of_the_file(void **state)
{
    char error[SPDM_KEYLOG_ERROR] = "";
    struct stat s;
    FILE *f;
    (void)state;
    unlink(keylog_path);
    write_one(&sample);
    assert_int_equal(stat(keylog_path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    off_t one = s.st_size;
    f = fopen(keylog_path, "w"); /* one that others could read before */
    assert_non_null(f);
    fclose(f);
    assert_int_equal(chmod(keylog_path, 0644), 0);
    write_one(&sample);
    write_one(&sample);
    assert_int_equal(stat(keylog_path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(s.st_size, 2 * one); /* appended */
    assert_null(spdm_keylog_open("/nonexistent/log", "test", error));
    assert_string_equal(error, "/nonexistent/log: No such file or directory");
    struct spdm_keylog_file *full = spdm_keylog_open("/dev/full", "test", error);
    if (full == NULL) return; /* there is none here */
    spdm_keylog_write(full, &sample);
    assert_false(spdm_keylog_close(full, error));
    assert_string_equal(error, "/dev/full: No space left on device");
}

/* ---- a capture, read again ---- */

struct seen {
    size_t n, at;
    struct {
        bool request;
        uint8_t bytes[2048];
        size_t n;
    } messages[64];
    struct spdm_pcap *pcap;
};

/* What the run itself saw inside its records. */
static void keep_message(void *ctx, struct spdm_attest *run, const struct spdm_passing *passing)
{
    struct seen *seen = ctx;
    (void)run;
    if (passing->session == 0) return;
    assert_true(seen->n < 64 && passing->message.n <= sizeof seen->messages[0].bytes);
    seen->messages[seen->n].request = passing->sent;
    seen->messages[seen->n].n = passing->message.n;
    memcpy(seen->messages[seen->n++].bytes, passing->message.p, passing->message.n);
}

static void keep_frame(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped)
{
    struct seen *seen = ctx;
    (void)run;
    spdm_pcap_tap(seen->pcap, tapped);
}

static void compare_message(void *arg, bool request, struct spdm_span plain)
{
    struct seen *seen = arg;
    assert_true(seen->at < seen->n);
    assert_int_equal(seen->messages[seen->at].request, request);
    assert_int_equal(plain.p[0], 5); /* MCTP's type in front */
    assert_int_equal(seen->messages[seen->at].n, plain.n - 1);
    assert_memory_equal(seen->messages[seen->at].bytes, plain.p + 1, plain.n - 1);
    seen->at++;
}

static void captures_are_read_with_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        static struct unseal u;
        static struct seen seen;
        struct toy_device *d = device_init();
        char error[SPDM_REASON_MAX] = "";
        seen = (struct seen){0};
        device_sessions(d);
        if (i == 1) d->order.session = SPDM_PSK_SESSION;
        if (i == 2) d->policy.flags &= ~SPDM_ENCRYPT_CAP;
        if (i == 3) d->requester.versions[0] = SPDM_V11;
        device_listen(d);
        unlink(keylog_path);
        seen.pcap = spdm_pcap_open(pcap_path, SPDM_PCAP_STANDARD, d->target.binding, error);
        d->order.keylog = spdm_keylog_write;
        d->order.keylog_ctx = spdm_keylog_open(keylog_path, "test", error);
        assert_non_null(d->order.keylog_ctx);
        d->order.tap = keep_frame;
        d->order.message = keep_message;
        d->order.tap_ctx = &seen;
        struct spdm_attest *run = device_attest(d);
        assert_int_equal(spdm_attest_result(run)->end, SPDM_ATTEST_DONE);
        assert_true(spdm_pcap_close(seen.pcap, error));
        assert_true(spdm_keylog_close(d->order.keylog_ctx, error));
        u = (struct unseal){.crypto = &toy_crypto, .ctx = &d->toy, .found = compare_message, .arg = &seen};
        assert_true(unseal(&u, pcap_path, keylog_path));
        assert_int_equal(u.unread, 0);
        assert_int_equal(seen.at, seen.n);
        assert_int_equal(seen.n, 6); /* FINISH, GET_MEASUREMENTS, END_SESSION, and what they were answered */
        spdm_attest_free(run);
        device_free(d);
    }
}

/* ---- for shell tests ---- */

static void tell_record(void *arg, bool request, struct spdm_span plain)
{
    (void)arg;
    printf("%s ", request ? "->" : "<-");
    for (size_t i = 0; i < plain.n; i++) printf("%02x", plain.p[i]);
    putchar('\n');
}

static int print_capture(const char *capture, const char *keylog)
{
    static struct unseal u;
    char cause[SPDM_CAUSE_MAX];
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, cause);
    u = (struct unseal){.crypto = spdm_openssl_crypto(), .ctx = ossl, .found = tell_record};
    bool good = unseal(&u, capture, keylog);
    fprintf(stderr, "%zu records, %zu of them could not be read\n", u.records, u.unread);
    spdm_openssl_close(ossl);
    return good && u.unread == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_the_line_that_is_documented),
        cmocka_unit_test(skips_what_it_does_not_understand),
        cmocka_unit_test(keeps_others_out_of_the_file),
        cmocka_unit_test(captures_are_read_with_it),
    };
    if (argc == 3) return print_capture(argv[1], argv[2]);
    int fd[2] = {mkstemp(keylog_path), mkstemp(pcap_path)};
    close(fd[0]);
    close(fd[1]);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(keylog_path);
    unlink(pcap_path);
    return failed;
}
