/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Clock, medians, output; and heap calls counted. Calls of malloc() and its
 * like from the core and the port come here by the linker's --wrap, those
 * inside libcrypto by CRYPTO_set_mem_functions(). */
#include "bench/bench.h"
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 99 };

double bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

void bench_must(bool fine, const char *what, const char *file, int line)
{
    if (fine) return;
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

struct bench_times bench_interleave(const struct bench_pair *p)
{
    double ours[ROUNDS_MAX], pure[ROUNDS_MAX], ratio[ROUNDS_MAX];

    must(p->rounds != 0 && p->rounds <= ROUNDS_MAX);
    p->pure(p->ctx, p->n / 4 + 1); /* warm */
    p->ours(p->ctx, p->n / 4 + 1);
    for (unsigned i = 0; i < p->rounds; i++) {
        double begin = bench_now(), middle, end;

        p->pure(p->ctx, p->n);
        middle = bench_now();
        p->ours(p->ctx, p->n);
        end = bench_now();
        pure[i] = (middle - begin) / p->n;
        ours[i] = (end - middle) / p->n;
        ratio[i] = ours[i] / pure[i];
    }
    return (struct bench_times){median(ours, p->rounds), median(pure, p->rounds), median(ratio, p->rounds)};
}

void bench_print(const char *name, double value)
{
    printf("%s\t%.9g\n", name, value);
    fflush(stdout);
}

/* ---- heap ---- */

static struct bench_heap heap;

static void *counted(void *p)
{
    if (p != NULL) heap.held += malloc_usable_size(p);
    heap.libcrypto++;
    return p;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static void *crypto_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return counted(__real_malloc(n));
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    heap.held -= p != NULL ? malloc_usable_size(p) : 0;
    return counted(__real_realloc(p, n));
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    heap.held -= p != NULL ? malloc_usable_size(p) : 0;
    free(p);
}

void bench_heap_watch(void)
{
    must(CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) == 1);
}

struct bench_heap bench_heap_now(void)
{
    return heap;
}

void *__wrap_malloc(size_t n)
{
    heap.ours++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    heap.ours++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    heap.ours++;
    return __real_realloc(p, n);
}

void *__real_CRYPTO_malloc(size_t n, const char *file, int line);
void *__real_CRYPTO_zalloc(size_t n, const char *file, int line);
void *__real_CRYPTO_realloc(void *p, size_t n, const char *file, int line);
void *__wrap_CRYPTO_malloc(size_t n, const char *file, int line);
void *__wrap_CRYPTO_zalloc(size_t n, const char *file, int line);
void *__wrap_CRYPTO_realloc(void *p, size_t n, const char *file, int line);

void *__wrap_CRYPTO_malloc(size_t n, const char *file, int line)
{
    heap.ours++;
    return __real_CRYPTO_malloc(n, file, line);
}

void *__wrap_CRYPTO_zalloc(size_t n, const char *file, int line)
{
    heap.ours++;
    return __real_CRYPTO_zalloc(n, file, line);
}

void *__wrap_CRYPTO_realloc(void *p, size_t n, const char *file, int line)
{
    heap.ours++;
    return __real_CRYPTO_realloc(p, n, file, line);
}
