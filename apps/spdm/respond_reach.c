/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_reach.c - a device that connects to the requester (DSP0287, role inquiry).
 *
 * One client for each target, from connecting to the end of the link; then it
 * connects again after a while, as long as it is a device. */
#include "respond.h"

#include <stdlib.h>
#include <string.h>

#define AGAIN_MS 500

extern const struct spdm_command spdm_respond_command;

int spdm_respond_reach_read(struct server *s)
{
    const struct spdm_texts *texts = &s->options->reach_out;
    char error[SPDM_REASON_MAX];
    if (texts->n == 0) return SPDM_PARSED;
    s->reach = calloc(texts->n, sizeof *s->reach);
    if (s->reach == NULL) return spdm_options_error(&spdm_respond_command, "out of memory");
    for (; s->reach_n < texts->n; s->reach_n++) {
        struct reach *r = &s->reach[s->reach_n];
        r->server = s;
        if (!spdm_target_parse(texts->v[s->reach_n], false, &r->target, error))
            return spdm_options_error(&spdm_respond_command, "--reach-out %s", error);
        if (r->target.binding != &spdm_binding_tcp)
            return spdm_options_error(&spdm_respond_command, "--reach-out \"%s\": only over TCP can a device connect",
                                      texts->v[s->reach_n]);
    }
    return SPDM_PARSED;
}

static void connect_now(struct reach *r)
{
    struct spdm_link_options options = spdm_respond_link_options(r->server, r->target.binding);
    options.reach_out = true;
    if (!spdm_respond_reach(r->server, r, &options)) spdm_respond_reach_again(r, true);
}

static void on_again(uv_timer_t *timer)
{
    connect_now(timer->data);
}

void spdm_respond_reach_begin(struct server *s)
{
    for (unsigned i = 0; i < s->reach_n; i++) {
        uv_timer_init(&s->loop, &s->reach[i].again);
        s->reach[i].again.data = &s->reach[i];
        connect_now(&s->reach[i]);
    }
}

void spdm_respond_reach_again(struct reach *r, bool unreachable)
{
    struct server *s = r->server;
    if (s->stopping || (s->options->once && s->count.clients != 0)) return;
    if (unreachable && !r->told)
        spdm_respond_say(s, "%s: nobody waits there; trying again until somebody does", r->target.text);
    r->told = unreachable;
    uv_timer_start(&r->again, on_again, AGAIN_MS, 0);
}

void spdm_respond_reach_end(struct server *s)
{
    for (unsigned i = 0; i < s->reach_n; i++)
        if (s->reach[i].again.data != NULL) uv_close((uv_handle_t *)&s->reach[i].again, NULL);
    for (struct client *c = s->live, *next; c != NULL; c = next) {
        next = c->older;
        if (c->reach != NULL && c->link != NULL) spdm_respond_hang_up(c);
    }
}
