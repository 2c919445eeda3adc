/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_sign.c - signatures on the thread pool, one queue per key.
 *
 * A key signs one thing at a time, in the order asked; keys do not wait for
 * each other, as there are at least as many threads as keys. What a client
 * asked and no longer wants is taken out of the queue, so that starting over
 * again and again cannot fill it. */
#include "respond.h"

#include <stdlib.h>

static void start_next(struct key_queue *q);

static void free_if_done(struct server *s, struct generation *g)
{
    if (!g->retired || g->busy != 0) return;
    spdm_device_free(g->device);
    free(g->queue);
    free(g);
    s->generations--;
}

struct generation *spdm_respond_generation(struct server *s, struct spdm_device *device)
{
    struct generation *g = calloc(1, sizeof *g);
    if (g == NULL) return NULL;
    g->queue = calloc(device->key_n != 0 ? device->key_n : 1, sizeof *g->queue);
    if (g->queue == NULL) {
        free(g);
        return NULL;
    }
    g->device = device;
    for (size_t i = 0; i < device->key_n; i++) {
        g->queue[i].server = s;
        g->queue[i].generation = g;
        g->queue[i].key = &device->keys[i];
        g->queue[i].work.data = &g->queue[i];
    }
    s->generations++;
    return g;
}

void spdm_respond_retire(struct server *s, struct generation *g)
{
    for (size_t i = 0; i < g->device->key_n; i++)
        while (g->queue[i].first != NULL) spdm_respond_forget(g->queue[i].first);
    g->retired = true;
    free_if_done(s, g);
}

/* On a thread of the pool. Touches nothing but this key and the job of its client, which stays until it is done. */
static void do_sign(uv_work_t *work)
{
    struct key_queue *q = work->data;
    struct spdm_room out = {q->signature, sizeof q->signature};
    q->cause[0] = '\0';
    q->signature_n = spdm_signer_sign(q->key->signer, &q->running->job.what, out, q->cause);
}

static void signed_one(uv_work_t *work, int status)
{
    struct key_queue *q = work->data;
    struct generation *g = q->generation;
    struct client *client = q->running;
    struct server *s = q->server;
    size_t n = status == 0 ? q->signature_n : 0;
    q->running = NULL;
    client->signing = SIGN_IDLE;
    client->queue = NULL;
    spdm_respond_signed(client, (struct spdm_span){q->signature, n}, q->cause);
    g->busy--;
    if (g->retired) free_if_done(s, g);
    else start_next(q);
}

static void start_next(struct key_queue *q)
{
    struct client *client = q->first;
    if (q->running != NULL || client == NULL) return;
    q->first = client->next_waiting;
    if (q->first == NULL) q->last = NULL;
    client->next_waiting = NULL;
    client->signing = SIGN_RUNNING;
    q->running = client;
    q->generation->busy++;
    if (uv_queue_work(&q->server->loop, &q->work, do_sign, signed_one) != 0) signed_one(&q->work, -1);
}

bool spdm_respond_sign(struct client *client)
{
    struct generation *g = client->server->generation;
    struct spdm_device_key *key = spdm_device_key(g->device, client->job.slot);
    struct key_queue *q;
    if (key == NULL) return false;
    q = &g->queue[key - g->device->keys];
    client->queue = q;
    client->signing = SIGN_WAITING;
    client->next_waiting = NULL;
    if (q->last != NULL) q->last->next_waiting = client;
    else q->first = client;
    q->last = client;
    start_next(q);
    return true;
}

void spdm_respond_forget(struct client *client)
{
    struct key_queue *q = client->queue;
    struct client *before = NULL, *at = q->first;
    while (at != client) {
        before = at;
        at = at->next_waiting;
    }
    if (before != NULL) before->next_waiting = client->next_waiting;
    else q->first = client->next_waiting;
    if (q->last == client) q->last = before;
    client->next_waiting = NULL;
    client->queue = NULL;
    client->signing = SIGN_IDLE;
}
