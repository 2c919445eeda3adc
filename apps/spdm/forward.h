/* SPDX-License-Identifier: BSD-3-Clause
 *
 * forward.h - a local socket that programs connect to. */
#ifndef SPDM_FORWARD_H
#define SPDM_FORWARD_H
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { SPDM_FORWARD_ERROR = 300 };

/* Where to listen: a path, which has a slash or no colon, or HOST:PORT, [HOST]:PORT. */
struct spdm_forward_address {
    const char *path; /* NULL: TCP */
    char host[256], port[6];
};

/* false: error says what was expected. */
bool spdm_forward_parse(const char *text, struct spdm_forward_address *out, char *error, size_t cap);

struct spdm_forward;

struct spdm_forward_setup {
    uv_loop_t *loop;
    const struct spdm_forward_address *address;
    bool public; /* other machines may reach it */
    /* A program has connected; fd is the callee's. */
    void (*accepted)(void *ctx, int fd);
    void *ctx;
};

/* Paused at first. A socket file is made for its owner only; one that nobody serves any more is replaced. NULL: error
 * says why not. */
struct spdm_forward *spdm_forward_open(const struct spdm_forward_setup *setup, char error[SPDM_FORWARD_ERROR]);
/* As it is, with the port that the system chose. */
const char *spdm_forward_text(const struct spdm_forward *forward);
/* While it is paused, who connects waits. */
void spdm_forward_pause(struct spdm_forward *forward, bool pause);
/* Removes the socket file. NULL is fine. */
void spdm_forward_close(struct spdm_forward *forward);
#endif
