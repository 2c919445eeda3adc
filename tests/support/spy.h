/* SPDX-License-Identifier: BSD-3-Clause
 *
 * spy.h - who knows every secret of a run, and looks for them.
 *
 * A crypto port around the toy notes each secret that passes it: shared secrets
 * and private halves, keys, everything that the key schedule derives. It works
 * on a thread of its own, so that nothing of its own arithmetic lies on the
 * stack of who calls it; there it first looks whether a function that has
 * returned left something. What is looked for is any eight bytes in a row of
 * any secret. */
#ifndef ASSAY_TESTS_SPY_H
#define ASSAY_TESTS_SPY_H
#include "support/toy_crypto.h"

enum { SPY_SECRETS = 512, SPY_WINDOW = 8, SPY_BLOOM = 1 << 20 };

struct spy_secret {
    const char *what;
    size_t n;
    uint8_t bytes[SPDM_EXCHANGE_SECRET_MAX];
    bool finished_key;
    bool in_use; /* it may be found */
};

struct spy {
    struct toy toy;
    struct spy_secret secret[SPY_SECRETS];
    size_t n;
    uint8_t bloom[SPY_BLOOM]; /* most of all bytes are out of the question at once */
    const char *stale;        /* what lay on the stack, below all frames, when the port was called */
    struct spy_desk *desk;    /* where the thread takes its work */
};

extern const struct spdm_crypto spy_crypto; /* ctx: a struct spy */

void spy_open(struct spy *spy);
void spy_close(struct spy *spy);
/* One more that must not be found: plaintext, a PSK's secret. */
void spy_note(struct spy *spy, const char *what, struct spdm_span secret);
/* What of all secrets lies in this memory: NULL, or its name; *at is where. */
const char *spy_find(const struct spy *spy, const void *memory, size_t n, size_t *at);
/* Bytes that are like nothing else. */
void spy_random(uint64_t seed, uint8_t *out, size_t n);

/* Runs a function on a stack of its own, which stays as it was left: *n bytes from the address returned. */
void *spy_stack(void (*run)(void *arg), void *arg, size_t *n);
#endif
