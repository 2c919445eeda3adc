/* SPDX-License-Identifier: BSD-3-Clause
 *
 * heap.h - watches libcrypto's heap: how often it allocates, whether a secret
 * lies in it or was left in memory it gave back; and lets an allocation fail. */
#ifndef TESTS_PORT_HEAP_H
#define TESTS_PORT_HEAP_H
#include <assay/span.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

union heap_block {
    struct {
        union heap_block *previous, *next;
        size_t n;
    } is;
    max_align_t align;
};

static struct {
    union heap_block blocks; /* a ring */
    long allocations, live;
    struct spdm_span needle;
    long thrown_away; /* blocks freed or moved with the needle in them */
    long fail_in;     /* so many allocations on, one fails; 0: none */
} heap;

static bool heap_has(const void *p, size_t n)
{
    const uint8_t *at = p, *end = at + n;

    while (heap.needle.n != 0 && (size_t)(end - at) >= heap.needle.n) {
        at = memchr(at, heap.needle.p[0], (size_t)(end - at) - heap.needle.n + 1);
        if (at == NULL) return false;
        if (memcmp(at, heap.needle.p, heap.needle.n) == 0) return true;
        at++;
    }
    return false;
}

static void heap_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p == NULL) return;
    union heap_block *b = (union heap_block *)p - 1;
    if (heap_has(p, b->is.n)) heap.thrown_away++;
    b->is.previous->is.next = b->is.next;
    b->is.next->is.previous = b->is.previous;
    heap.live--;
    free(b);
}

static void *heap_alloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    if (heap.fail_in != 0 && --heap.fail_in == 0) return NULL;
    union heap_block *b = calloc(1, sizeof *b + n);
    if (b == NULL) abort();
    b->is.n = n;
    b->is.previous = &heap.blocks;
    b->is.next = heap.blocks.is.next;
    b->is.next->is.previous = b;
    heap.blocks.is.next = b;
    heap.allocations++;
    heap.live++;
    return b + 1;
}

static void *heap_move(void *p, size_t n, const char *file, int line)
{
    if (p == NULL) return heap_alloc(n, file, line);
    void *to = n != 0 ? heap_alloc(n, file, line) : NULL;
    if (to == NULL && n != 0) return NULL;
    size_t old = ((union heap_block *)p - 1)->is.n;
    if (to != NULL) memcpy(to, p, old < n ? old : n);
    heap_free(p, file, line);
    return to;
}

/* Blocks that hold the needle now. */
static inline long heap_holds(void)
{
    long n = 0;

    for (union heap_block *b = heap.blocks.is.next; b != &heap.blocks; b = b->is.next) n += heap_has(b + 1, b->is.n);
    return n;
}

static inline void heap_look_for(const uint8_t *p, size_t n)
{
    heap.needle = (struct spdm_span){p, n};
    heap.thrown_away = 0;
}

/* Before libcrypto allocates anything. */
static inline void heap_watch(void)
{
    heap.blocks.is.next = heap.blocks.is.previous = &heap.blocks;
    if (CRYPTO_set_mem_functions(heap_alloc, heap_move, heap_free) != 1) abort();
}
#endif
