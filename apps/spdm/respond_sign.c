/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_sign.c - signatures on the thread pool, one queue per key.
 *
 * A key signs one thing at a time, in the order asked, several in a row if
 * they are quick; keys do not wait for each other, as there are at least as
 * many threads as keys. What a client asked and no longer wants is taken out
 * of the queue, so that starting over again and again cannot fill it. */
#include "respond.h"

#include <stdlib.h>

#define BATCH_NS 2000000

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

/* On a thread of the pool. Touches nothing but this key and the jobs of its batch, which stay until they are done. A
 * turn of the loop with a thousand clients may take longer than a hundred signatures, so one signature a turn would be
 * far too few; but who is served first must not wait for a batch of slow ones either. */
static void do_sign(uv_work_t *work)
{
    struct key_queue *q = work->data;
    uint64_t until = uv_hrtime() + BATCH_NS;
    size_t used = 0;
    for (q->done = 0; q->done < q->taken; q->done++) {
        const struct to_sign *job = &q->batch[q->done]->job;
        struct spdm_room out = {q->signatures + used, sizeof q->signatures - used};
        if (q->done != 0 && (uv_hrtime() > until || job->csr || out.n < spdm_algorithm(job->what.alg)->size)) return;
        q->signature_n[q->done] = job->csr ? spdm_signer_csr(q->key->signer, &job->plan, out, &q->unfit, q->cause)
                                           : spdm_signer_sign(q->key->signer, &job->what, out, q->cause);
        used += q->signature_n[q->done];
    }
}

/* Those the batch had no time for go back to the head of the queue, in their order. */
static void put_back(struct key_queue *q)
{
    while (q->taken > q->done) {
        struct client *client = q->batch[--q->taken];
        client->signing = SIGN_WAITING;
        client->next_waiting = q->first;
        q->first = client;
        if (q->last == NULL) q->last = client;
        if (client->link != NULL && !q->generation->retired) continue;
        spdm_respond_forget(client);
        if (client->link == NULL) spdm_respond_signed(client, (struct spdm_span){NULL, 0}, "", false);
    }
}

static void signed_batch(uv_work_t *work, int status)
{
    struct key_queue *q = work->data;
    struct generation *g = q->generation;
    struct server *s = q->server;
    size_t at = 0;
    if (status != 0) q->done = 0;
    put_back(q);
    for (unsigned i = 0; i < q->done; i++) {
        struct client *client = q->batch[i];
        client->signing = SIGN_IDLE;
        client->queue = NULL;
    }
    for (unsigned i = 0; i < q->done; i++) {
        struct spdm_span signature = {q->signatures + at, q->signature_n[i]};
        at += signature.n;
        spdm_respond_signed(q->batch[i], signature, q->cause, q->unfit);
    }
    q->busy = false; /* not before: an answer may bring the next question */
    g->busy--;
    if (g->retired) free_if_done(s, g);
    else start_next(q);
}

static void start_next(struct key_queue *q)
{
    if (q->busy || q->first == NULL) return;
    for (q->taken = 0; q->first != NULL && q->taken < BATCH_MAX; q->taken++) {
        struct client *client = q->first;
        q->batch[q->taken] = client;
        q->first = client->next_waiting;
        client->next_waiting = NULL;
        client->signing = SIGN_RUNNING;
    }
    if (q->first == NULL) q->last = NULL;
    q->busy = true;
    q->generation->busy++;
    (void)uv_queue_work(&q->server->loop, &q->work, do_sign, signed_batch);
}

void spdm_respond_sign(struct client *client)
{
    struct generation *g = client->server->generation;
    struct key_queue *q = &g->queue[client->job.key - g->device->keys];
    client->queue = q;
    client->signing = SIGN_WAITING;
    client->next_waiting = NULL;
    if (q->last != NULL) q->last->next_waiting = client;
    else q->first = client;
    q->last = client;
    start_next(q);
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
