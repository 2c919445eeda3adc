/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a message costs without cryptography: version, capabilities and
 * algorithms negotiated again and again, both ends. The anchor, measured in
 * turn, is a SHA-256 of 64 bytes, for absolute times move between machines. */
#include "bench/bench.h"
#include "bench/ends.h"
#include <openssl/evp.h>
#include <string.h>

enum { ROUNDS = 99, MESSAGES = 6 };

struct work {
    struct ends ends;
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

__attribute__((noinline)) static void negotiate(void *ctx, unsigned n)
{
    static const struct spdm_goal connect = {.want = SPDM_WANT_CONNECT};
    struct work *w = ctx;

    for (unsigned i = 0; i < n; i++) {
        spdm_requester_reset(w->ends.rq);
        ends_run(&w->ends, &connect);
    }
}

static void hash(void *ctx, unsigned n)
{
    static const uint8_t message[64];
    struct work *w = ctx;
    uint8_t out[SPDM_HASH_MAX];

    for (unsigned i = 0; i < n; i++) {
        must(EVP_DigestInit_ex2(w->ctx, w->md, NULL) == 1 && EVP_DigestUpdate(w->ctx, message, sizeof message) == 1 &&
             EVP_DigestFinal_ex(w->ctx, out, NULL) == 1);
    }
}

/* --once: one negotiation and nothing printed, for counting instructions. */
int main(int argc, char **argv)
{
    static struct work w;
    struct bench_times t;
    bool once = argc == 2 && strcmp(argv[1], "--once") == 0;

    ends_open(&w.ends, &ends_p256);
    ends_connect(&w.ends);
    w.md = EVP_MD_fetch(NULL, "SHA256", NULL);
    w.ctx = EVP_MD_CTX_new();
    must(w.md != NULL && w.ctx != NULL);
    if (once) {
        negotiate(&w, 1);
        return 0;
    }
    t = bench_interleave(&(struct bench_pair){negotiate, hash, &w, ROUNDS, 400});
    bench_print("message us", t.ours / MESSAGES);
    bench_print("message ratio", t.ratio / MESSAGES);
    bench_print("SHA-256 of 64 bytes us", t.pure);
    EVP_MD_CTX_free(w.ctx);
    EVP_MD_free(w.md);
    ends_close(&w.ends);
    return 0;
}
