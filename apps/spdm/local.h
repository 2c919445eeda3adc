/* SPDX-License-Identifier: BSD-3-Clause
 *
 * local.h - the near end of a stream: a pair of file descriptors, or one for both directions.
 *
 * Whatever they are - terminal, pipe, socket, file - reading waits for room
 * and writing never blocks, but for files. Nothing more is read than there is
 * room for, so that who writes here is held back. */
#ifndef SPDM_LOCAL_H
#define SPDM_LOCAL_H
#include <assay/span.h>
#include <stdbool.h>
#include <uv.h>

struct spdm_local;

/* None of them may close the end. */
struct spdm_local_events {
    /* Where to read to; n == 0: nowhere now, until spdm_local_read(). */
    struct spdm_room (*room)(void *ctx);
    void (*came)(void *ctx, size_t n);
    /* Nothing more comes; error is NULL after a good end. */
    void (*ended)(void *ctx, const char *error);
    /* n bytes have been written; also from within spdm_local_write(). */
    void (*taken)(void *ctx, size_t n);
    /* Nothing can be written any more; also from within spdm_local_write(). */
    void (*broken)(void *ctx, const char *error);
};

struct spdm_local_setup {
    uv_loop_t *loop;
    int in, out; /* may be the same; other than 0 to 2 they are closed with the end */
    const struct spdm_local_events *events;
    void *ctx;
};

/* NULL: error (which stays) says why. */
struct spdm_local *spdm_local_open(const struct spdm_local_setup *setup, const char **error);
/* There is room (again): reads. */
void spdm_local_read(struct spdm_local *local);
/* Keeps a copy of what cannot be written at once. */
void spdm_local_write(struct spdm_local *local, struct spdm_span data);
/* Nothing follows: who reads here learns of it when everything is written. */
void spdm_local_finish(struct spdm_local *local);
/* Whether bytes wait to be written. */
bool spdm_local_waiting(const struct spdm_local *local);
/* Drops what waits. NULL is fine. */
void spdm_local_close(struct spdm_local *local);
#endif
