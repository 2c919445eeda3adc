/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What `spdm decode` takes for a message: the whole program, from its start to the last line, on a capture of plain
 * messages of every kind. The anchor, measured in turn, is libpcap reading the same file and doing nothing with it. */
#include "bench/bench.h"
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGES = 100000, ROUNDS = 9, RECORD = 16, CODE_AT = 6, KEY_EXCHANGE = 0xe4, FRAME_MAX = 8192, TALK = 100 };

static char path[] = "/tmp/bench-decode-XXXXXX";

static void remove_capture(void)
{
    (void)unlink(path);
}

struct frame {
    size_t n;
    uint8_t bytes[FRAME_MAX]; /* with libpcap's head */
};

/* What was said before the first session, again and again. The link type is none that libpcap would write. */
static void make_capture(void)
{
    static struct frame talk[TALK];
    uint8_t head[24];
    uint32_t length = 0;
    size_t n = 0;
    FILE *from = fopen("tests/data/captures/ver-1.2.pcap", "rb"), *to = fdopen(mkstemp(path), "wb");

    must(from != NULL && to != NULL && atexit(remove_capture) == 0);
    must(fread(head, sizeof head, 1, from) == 1 && fwrite(head, sizeof head, 1, to) == 1);
    for (; n < TALK && fread(talk[n].bytes, RECORD, 1, from) == 1; n++) {
        memcpy(&length, talk[n].bytes + 8, sizeof length);
        must(length > CODE_AT && length <= FRAME_MAX - RECORD && fread(talk[n].bytes + RECORD, length, 1, from) == 1);
        if (talk[n].bytes[RECORD + CODE_AT] == KEY_EXCHANGE) break;
        talk[n].n = RECORD + length;
    }
    must(n > 10 && n < TALK);
    for (size_t i = 0; i < MESSAGES; i++) must(fwrite(talk[i % n].bytes, talk[i % n].n, 1, to) == 1);
    must(fclose(to) == 0 && fclose(from) == 0);
}

static double read_alone(void)
{
    double begin = bench_now();
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline(path, why);
    struct pcap_pkthdr *head;
    const u_char *bytes;
    size_t n = 0;

    must(p != NULL);
    while (pcap_next_ex(p, &head, &bytes) == 1) n++;
    must(n == MESSAGES);
    pcap_close(p);
    return bench_now() - begin;
}

static double microseconds(struct timeval t)
{
    return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static double decode(const char *program, char *form)
{
    char *arguments[] = {"spdm", "decode", "--no-verify", form, path, NULL};
    struct rusage before, after;
    int status;
    pid_t child;

    must(getrusage(RUSAGE_CHILDREN, &before) == 0 && fflush(stdout) == 0);
    child = fork();
    must(child >= 0);
    if (child == 0) {
        (void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execv(program, arguments);
        _exit(127);
    }
    must(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    must(getrusage(RUSAGE_CHILDREN, &after) == 0);
    return microseconds(after.ru_utime) - microseconds(before.ru_utime) + microseconds(after.ru_stime) -
           microseconds(before.ru_stime);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double lines[ROUNDS], json[ROUNDS], ratio[ROUNDS];
    char program[512];
    const char *slash = strrchr(argv[0], '/');

    must(argc == 1 && slash != NULL);
    snprintf(program, sizeof program, "%.*s/spdm", (int)(slash - argv[0]), argv[0]);
    make_capture();
    for (unsigned i = 0; i < ROUNDS; i++) {
        double alone = read_alone();

        lines[i] = decode(program, "--no-time");
        json[i] = decode(program, "--json");
        ratio[i] = lines[i] / alone;
    }
    qsort(lines, ROUNDS, sizeof *lines, by_value);
    qsort(json, ROUNDS, sizeof *json, by_value);
    qsort(ratio, ROUNDS, sizeof *ratio, by_value);
    bench_print("decode messages/s", MESSAGES / lines[ROUNDS / 2] * 1e6);
    bench_print("decode ratio to libpcap", ratio[ROUNDS / 2]);
    bench_print("decode --json messages/s", MESSAGES / json[ROUNDS / 2] * 1e6);
    return 0;
}
