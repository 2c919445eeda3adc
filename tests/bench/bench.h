/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bench.h - what benchmarks share: a clock, medians, and results as lines of
 * "name value", which scripts/measure/bench turns into a table. */
#ifndef ASSAY_TESTS_BENCH_H
#define ASSAY_TESTS_BENCH_H
#include <stdbool.h>
#include <stddef.h>

/* Microseconds this process has computed: other programs on the machine do not count. */
double bench_now(void);
/* Ends the program if something that must work did not. */
#define must(fine) bench_must(fine, #fine, __FILE__, __LINE__)
void bench_must(bool fine, const char *what, const char *file, int line);

/* Two pieces of work in turn, `rounds` times n runs each, so that both meet the same noise. */
struct bench_pair {
    void (*ours)(void *ctx, unsigned n);
    void (*pure)(void *ctx, unsigned n);
    void *ctx;
    unsigned rounds, n;
};
struct bench_times {
    double ours, pure; /* medians, microseconds a run */
    double ratio;      /* median of the rounds' ratios */
};
struct bench_times bench_interleave(const struct bench_pair *pair);

/* One result. */
void bench_print(const char *name, double value);

/* Heap calls since the program began: those of our own code (malloc and libcrypto's CRYPTO_malloc, called from the
 * core or the port) and all of libcrypto's, with the bytes it holds now. */
struct bench_heap {
    unsigned long ours, libcrypto;
    size_t held;
};
/* To be called before anything else uses libcrypto. */
void bench_heap_watch(void);
struct bench_heap bench_heap_now(void);
#endif
