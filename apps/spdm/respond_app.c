/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_app.c - streams of application data: from the engine to where they end, and back.
 *
 * A stream begins with the requester's first message and stays, over or not,
 * until its session ends, so that a session has one at most. Data for the peer
 * waits in one buffer, as much as credit and the way out let it; what comes
 * from the peer is never more than it was granted. One message goes out at a
 * time, when the link has taken everything before; streams take turns. */
#include "respond.h"
#include "text.h"

#include <assay/session.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_END 131072 /* of a stream with an end: what was read from there and not sent yet */
#define ROOM_READ 16384 /* so much must be free to read on */
#define BLIND_MAX 1024  /* largest message for a peer that did not say what it takes (1.0, 1.1) */
#define RECORD_MAX 65000

/* ---- what --app says ---- */

static bool complain(char *error, size_t cap, const char *text)
{
    snprintf(error, cap, "%s", text);
    return false;
}

/* HOST:PORT or [HOST]:PORT; a path has a slash or no colon. */
static bool parse_address(const char *text, struct app_plan *plan, char *error, size_t cap)
{
    const char *colon = strrchr(text, ':');
    const char *first = text;
    size_t n;
    char *end;
    unsigned long port;
    if (strchr(text, '/') != NULL || colon == NULL) {
        plan->kind = APP_PATH;
        return text[0] != '\0' || complain(error, cap, "a path or HOST:PORT is missing behind socket:");
    }
    n = (size_t)(colon - text);
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        first++;
        n -= 2;
    }
    port = strtoul(colon + 1, &end, 10);
    if (n == 0 || n >= sizeof plan->host || port == 0 || port > 65535 || *end != '\0')
        return complain(error, cap, "HOST:PORT with a port from 1 to 65535 expected behind socket:");
    plan->kind = APP_TCP;
    snprintf(plan->host, sizeof plan->host, "%.*s", (int)n, first);
    snprintf(plan->port, sizeof plan->port, "%u", (unsigned)port & 0xffff);
    return true;
}

bool spdm_respond_app_parse(const char *text, void *field, char *error, size_t cap)
{
    struct app_plan *plan = field;
    *plan = (struct app_plan){.kind = APP_NONE};
    if (strcmp(text, "echo") == 0) {
        plan->kind = APP_ECHO;
        return true;
    }
    if (strncmp(text, "exec:", 5) == 0 && text[5] != '\0') {
        plan->kind = APP_EXEC;
        plan->text = text + 5;
        return true;
    }
    if (strncmp(text, "socket:", 7) == 0) {
        plan->text = text + 7;
        return parse_address(plan->text, plan, error, cap);
    }
    return complain(error, cap, "echo, exec:COMMAND, socket:PATH or socket:HOST:PORT expected");
}

/* ---- beginning and end ---- */

static struct app **find(struct client *c, uint32_t session)
{
    struct app **at = &c->apps;
    while (*at != NULL && (*at)->session != session) at = &(*at)->next;
    return at;
}

/* Where it ends; what cannot be joined is reset. */
static void join(struct app *a)
{
    struct server *s = a->client->server;
    const struct app_plan *plan = &s->options->app;
    char error[SPDM_APP_REASON_MAX] = "";
    a->cap = SPDM_APP_HEAD + (plan->kind == APP_ECHO ? 2 * (size_t)a->stream.window : ROOM_END);
    if (plan->kind == APP_NONE) {
        spdm_app_reset(&a->stream, "there is no application here");
    } else if (plan->kind != APP_ECHO && s->ends >= s->options->apps_max) {
        spdm_app_reset(&a->stream, "too many streams");
    } else if ((a->room = malloc(a->cap)) == NULL) {
        spdm_app_reset(&a->stream, "out of memory");
    } else if (plan->kind != APP_ECHO && (a->end = spdm_respond_end_open(a, error, sizeof error)) == NULL) {
        spdm_app_reset(&a->stream, error);
    }
    if (a->stream.reset)
        spdm_respond_client_says(s, "%s: session %08x: stream refused: %s", spdm_link_peer(a->client->link), a->session,
                                 a->stream.reason);
}

static struct app *begin(struct client *c, uint32_t session)
{
    struct app *a = calloc(1, sizeof *a);
    if (a == NULL) return NULL;
    a->client = c;
    a->session = session;
    a->at = SPDM_APP_HEAD;
    a->next = c->apps;
    c->apps = a;
    spdm_app_begin(&a->stream, 0);
    join(a);
    return a;
}

/* What only a stream that is not over needs. */
static void release(struct app *a)
{
    if (a->end != NULL) spdm_respond_end_close(a->end);
    a->end = NULL;
    free(a->room);
    a->room = NULL;
    a->n = 0;
}

static void over(struct app *a, const char *how)
{
    if (a->room == NULL) return;
    spdm_respond_client_says(a->client->server, "%s: session %08x: stream %s; %llu bytes in, %llu bytes out",
                             spdm_link_peer(a->client->link), a->session, how, (unsigned long long)a->in,
                             (unsigned long long)a->out);
    release(a);
}

void spdm_respond_app_close(struct client *c, uint32_t session)
{
    struct app **at = session != 0 ? find(c, session) : &c->apps;
    while (*at != NULL) {
        struct app *a = *at;
        over(a, "cut off");
        *at = a->next;
        free(a);
        if (session != 0) return;
    }
}

static void reset(struct app *a, const char *reason)
{
    char text[SPDM_APP_REASON_MAX + 40];
    spdm_app_reset(&a->stream, reason);
    snprintf(text, sizeof text, "reset: %s", reason);
    over(a, text);
}

void spdm_respond_app_reset(struct client *c, const char *reason)
{
    if (c->link == NULL) return;
    for (struct app *a = c->apps; a != NULL; a = a->next)
        if (!spdm_app_over(&a->stream)) reset(a, reason);
    if (c->apps != NULL) spdm_respond_serve(c);
}

/* ---- towards the peer ---- */

/* Free space behind what waits; moved to the front if there is too little and that helps. */
static struct spdm_room space(struct app *a, size_t wanted)
{
    if (a->n == 0) a->at = SPDM_APP_HEAD;
    if (a->cap - a->at - a->n < wanted && a->at > SPDM_APP_HEAD) {
        memmove(a->room + SPDM_APP_HEAD, a->room + a->at, a->n);
        a->at = SPDM_APP_HEAD;
    }
    return (struct spdm_room){a->room + a->at + a->n, a->cap - a->at - a->n};
}

struct spdm_room spdm_respond_app_room(struct app *a)
{
    struct spdm_room room = space(a, ROOM_READ);
    if (room.n < ROOM_READ || spdm_app_over(&a->stream)) room.n = 0;
    return room;
}

void spdm_respond_app_came(struct app *a, size_t n)
{
    a->n += n;
    spdm_respond_serve(a->client);
}

void spdm_respond_app_ended(struct app *a, const char *reason)
{
    if (reason != NULL) reset(a, reason);
    else a->ended = true;
    spdm_respond_serve(a->client);
}

void spdm_respond_app_taken(struct app *a, size_t n)
{
    spdm_app_taken(&a->stream, n);
}

/* The largest message of application data: what the peer takes as an SPDM message it takes as data, too. */
static size_t largest(const struct client *c)
{
    size_t peer = spdm_responder_facts(c->engine)->requester.data_transfer_size;
    size_t most = c->server->generation->device->send_size;
    if (peer == 0) peer = BLIND_MAX;
    if (most > peer) most = peer;
    return most < RECORD_MAX ? most : RECORD_MAX;
}

static void sent(struct app *a)
{
    size_t n = spdm_app_sent(&a->stream);
    a->at += n;
    a->n -= n;
    a->out += n;
    if (a->end == NULL) spdm_app_taken(&a->stream, n); /* an echo */
    else if (n != 0) spdm_respond_end_read(a->end);
    if (spdm_app_over(&a->stream)) over(a, "ended");
}

/* Behind all others. */
static void turn(struct client *c, struct app *a)
{
    struct app **at = find(c, a->session);
    *at = a->next;
    for (at = &c->apps; *at != NULL;) at = &(*at)->next;
    *at = a;
    a->next = NULL;
}

bool spdm_respond_app_send(struct client *c)
{
    struct spdm_span message, out;
    if (c->apps == NULL || spdm_link_waiting(c->link) != 0) return false;
    for (struct app *a = c->apps; a != NULL; a = a->next) {
        struct spdm_app_source source = {a->room != NULL ? a->room + a->at : NULL, a->n, a->ended};
        message = spdm_app_next(&a->stream, &source, largest(c));
        if (message.n == 0 || !spdm_responder_send(c->engine, a->session, message)) continue;
        out = spdm_responder_pull(c->engine, spdm_respond_now());
        if (out.n == 0 || !spdm_respond_send(c, out)) return false; /* the link tells its end itself */
        sent(a);
        turn(c, a);
        return true;
    }
    return false;
}

/* ---- from the peer ---- */

static void take_data(struct app *a, struct spdm_span data)
{
    struct spdm_room room;
    a->in += data.n;
    if (a->end != NULL) {
        spdm_respond_end_write(a->end, data);
        return;
    }
    room = space(a, data.n);
    if (room.n < data.n) { /* it cannot be: what waits is less than the window */
        reset(a, "no room");
        return;
    }
    memcpy(room.p, data.p, data.n);
    a->n += data.n;
}

static void take_end(struct app *a)
{
    if (a->end != NULL) spdm_respond_end_finish(a->end);
    else a->ended = true;
    if (spdm_app_over(&a->stream)) over(a, "ended");
}

static void take_reset(struct app *a, struct spdm_span reason)
{
    char text[5 * SPDM_APP_REASON_MAX], *safe = spdm_text_safe(reason);
    snprintf(text, sizeof text, "reset by the requester: %s", safe);
    free(safe);
    over(a, text);
}

/* Reported once for a client: such data is left alone, as a device leaves message types that it does not know. */
static void strange(struct client *c, const struct spdm_event *event)
{
    if (c->stranger) return;
    c->stranger = true;
    spdm_respond_client_says(c->server, "%s: session %08x: application data of another protocol (0x%02x) is left alone",
                             spdm_link_peer(c->link), event->session, event->data.n != 0 ? event->data.p[0] : 0u);
}

void spdm_respond_app_data(struct client *c, const struct spdm_event *event)
{
    struct app *a = *find(c, event->session);
    struct spdm_app_message message;
    if (!spdm_app_ours(event->data)) {
        if (!spdm_respond_canned_data(c, event)) strange(c, event);
        return;
    }
    if (a == NULL) a = begin(c, event->session);
    if (a == NULL) return;
    message = spdm_app_take(&a->stream, event->data);
    switch (message.kind) {
    case SPDM_APP_DATA: take_data(a, message.bytes); break;
    case SPDM_APP_END: take_end(a); break;
    case SPDM_APP_RESET: take_reset(a, message.bytes); break;
    case SPDM_APP_BROKEN: reset(a, a->stream.reason); break;
    default: break;
    }
}
