/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest.c - the library in one page: attest the device at tcp://127.0.0.1:PORT.
 *
 *     cc -std=c11 attest.c $(pkg-config --cflags --libs assay-port assay) -o attest && ./attest root.pem 4194
 *
 * The engine does no I/O. This program owns a blocking socket and a clock and
 * moves bytes; the judge of the port answers who is to be trusted. */
#define _POSIX_C_SOURCE 200809L
#include "port/crypto_openssl.h"
#include "port/x509_judge.h"
#include <assay/requester.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const uint8_t hashes[] = {SPDM_SHA_384, SPDM_SHA_256, 0};
static const uint8_t signatures[] = {SPDM_ECDSA_P384, SPDM_ECDSA_P256, 0};
static const struct spdm_policy policy = {.versions = {SPDM_V14, SPDM_V13, SPDM_V12},
                                          .hashes = hashes,
                                          .signatures = signatures,
                                          .opaque_formats = 3,
                                          .rtt = 1000000};
static uint8_t out[1024], in[8192], chain[65536];

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* One whole frame; nothing when the deadline has passed, and *gone when the peer has. */
static struct spdm_span receive(int fd, uint64_t deadline, bool *gone)
{
    size_t n = 0;
    for (;;) {
        size_t whole = spdm_tcp_frame_length((struct spdm_span){in, n});
        if (whole > sizeof in) return (struct spdm_span){NULL, 0};
        if (whole != 0 && n >= whole) return (struct spdm_span){in, n};
        uint64_t now = now_us();
        int wait = deadline > now ? (int)((deadline - now) / 1000) + 1 : 0;
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, wait) != 1) return (struct spdm_span){NULL, 0};
        ssize_t got = read(fd, in + n, sizeof in - n);
        *gone = got <= 0;
        if (*gone) return (struct spdm_span){NULL, 0};
        n += (size_t)got;
    }
}

static void print_record(struct spdm_span record, bool proven)
{
    struct spdm_measurement m;
    while (spdm_measurement_next(&record, &m)) {
        printf("%3u %-26s %s", m.index, spdm_measurement_type_name(m.type), proven ? "" : "(not proven) ");
        for (size_t i = 0; i < m.value.n; i++) printf("%02x", m.value.p[i]);
        putchar('\n');
    }
}

/* true when the goal is reached: the chain is trusted and the measurements are signed with its key. */
static bool attest(int fd, struct spdm_requester *rq, struct spdm_judge *judge)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY | SPDM_WANT_MEASUREMENTS, .sign = true};
    struct spdm_judgement *judgement = NULL;
    struct spdm_event ev;
    struct spdm_answer answer;
    char text[400];
    bool done = false, over = !spdm_requester_ask(rq, &goal);
    while (!over) {
        while (!over && spdm_requester_event(rq, &ev) != SPDM_NOTHING) {
            switch (ev.kind) {
            case SPDM_ASK_DIGEST:
            case SPDM_ASK_TRUST:
                spdm_judgement_free(judgement);
                judgement = spdm_judge_answer(judge, spdm_requester_facts(rq), &ev, time(NULL), &answer);
                spdm_requester_answer(rq, &answer);
                break;
            case SPDM_MEASURED: print_record(ev.data, ev.proven); break;
            case SPDM_DONE: done = over = true; break;
            case SPDM_FAILED:
                spdm_report_text(&ev.report, text, sizeof text);
                fprintf(stderr, "%s\n", text);
                over = true;
                break;
            default: break;
            }
        }
        struct spdm_span frame = spdm_requester_pull(rq, now_us());
        if (frame.n != 0 && write(fd, frame.p, frame.n) != (ssize_t)frame.n) over = true;
        if (!over) spdm_requester_push(rq, receive(fd, spdm_requester_deadline(rq), &over), now_us());
    }
    spdm_requester_close(rq);
    spdm_judgement_free(judgement);
    return done;
}

int main(int argc, char **argv)
{
    char cause[SPDM_CAUSE_MAX] = "usage: attest ROOT.pem PORT";
    struct spdm_openssl *ossl = argc == 3 ? spdm_openssl_open(NULL, cause) : NULL;
    struct spdm_judge *judge = ossl != NULL ? spdm_judge_open(ossl) : NULL;
    if (judge == NULL || spdm_judge_trust(judge, argv[1], cause) == 0) {
        fprintf(stderr, "%s\n", cause);
        return 2;
    }
    struct spdm_config config = {.crypto = spdm_openssl_crypto(),
                                 .crypto_ctx = ossl,
                                 .binding = &spdm_binding_tcp,
                                 .policy = &policy,
                                 .out = {out, sizeof out},
                                 .chain = {chain, sizeof chain},
                                 .data_transfer_size = 4096};
    size_t size = spdm_requester_size(&config);
    uint8_t *memory = malloc(size);
    struct spdm_requester *rq = spdm_requester_init((struct spdm_room){memory, size}, &config);
    struct sockaddr_in peer = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = rq != NULL && connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0 && attest(fd, rq, judge);
    puts(good ? "trusted" : "not trusted");
    close(fd);
    free(memory);
    spdm_judge_close(judge);
    spdm_openssl_close(ossl);
    return good ? 0 : 1;
}
