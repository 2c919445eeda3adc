/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The witness: its places, the frames that go by, what it is told and asked.
 * What a message means to it is in witness_message.c. */
#include "core/witness_state.h"

enum { REQUEST_MAX = 160 };

static uint16_t request_max(const struct spdm_config *cfg)
{
    return cfg->request_max != 0 ? cfg->request_max : REQUEST_MAX;
}

static size_t side_size(const struct spdm_config *config)
{
    return spdm_aligned(spdm_conn_size(config)) + spdm_aligned(request_max(config));
}

static size_t finish_size(const struct spdm_config *config)
{
    return spdm_sessions_of(config) != NULL ? spdm_aligned(config->crypto->hash_state_size) : 0;
}

size_t spdm_witness_size(const struct spdm_config *config)
{
    size_t sides = spdm_mutual_of(config) != NULL ? 2 : 1;

    return spdm_aligned(sizeof(struct spdm_witness)) + finish_size(config) + sides * side_size(config);
}

/* Places a side whose configuration is complete. Rooms that the caller makes begin empty. */
static void place(struct watch_side *side, struct spdm_room memory, bool grows)
{
    struct spdm_room behind = spdm_room_from(memory, spdm_aligned(spdm_conn_size(&side->cfg)));

    side->request = (struct spdm_room){behind.p, request_max(&side->cfg)};
    if (grows) side->request = side->cfg.chain = side->cfg.in = (struct spdm_room){0};
    spdm_conn_place(&side->c, &side->cfg, memory);
    side->c.inside = spdm_io_inside;
    side->c.slots_wanted = 0xff;
    side->c.chain_grows = grows;
}

/* The turned side has no sessions and envelopes of its own. */
static struct spdm_config turned(const struct spdm_config *config)
{
    struct spdm_config out = *config;

    out.sessions = NULL;
    out.mutual = NULL;
    out.session_memory = (struct spdm_room){0};
    out.chain = config->turned != NULL ? config->turned->chain : (struct spdm_room){0};
    return out;
}

struct spdm_witness *spdm_witness_init(struct spdm_room memory, const struct spdm_config *config,
                                       const struct spdm_watch *watch)
{
    void *at = memory.p;
    struct spdm_witness *w = at;

    if (memory.p == NULL || memory.n < spdm_witness_size(config)) return NULL;
    *w = (struct spdm_witness){
        .plain = {.request_room = SPDM_ROOM_REQUEST, .chain_room = SPDM_ROOM_CHAIN},
        .turned = {.request_room = SPDM_ROOM_TURNED_REQUEST, .chain_room = SPDM_ROOM_TURNED_CHAIN}};
    if (watch != NULL) w->watch = *watch;
    memory = spdm_room_from(memory, spdm_aligned(sizeof *w));
    w->before_finish = memory.p;
    memset(memory.p, 0, finish_size(config));
    memory = spdm_room_from(memory, finish_size(config));
    w->plain.cfg = *config;
    place(&w->plain, memory, w->watch.more != NULL);
    w->turned.cfg = turned(config);
    if (spdm_mutual_of(config) != NULL) {
        place(&w->turned, spdm_room_from(memory, side_size(config)), w->watch.more != NULL);
    }
    w->at = &w->plain;
    return w;
}

static struct spdm_room *room_of(struct spdm_witness *w, struct watch_side *side, enum spdm_watch_room which)
{
    if (which == SPDM_ROOM_LARGE_REQUEST) return &w->large[true].room;
    if (which == SPDM_ROOM_LARGE_RESPONSE) return &w->large[false].room;
    if (which == side->chain_room) return &side->cfg.chain;
    return which == side->request_room ? &side->request : &side->cfg.in;
}

bool spdm_watch_room(struct spdm_witness *w, struct watch_side *side, enum spdm_watch_room which, size_t n)
{
    static const char *const names[] = {
        "the request", "the certificate chain", "the request",       "the certificate chain",
        "the record",  "the large request",     "the large response"};
    struct spdm_room *room = room_of(w, side, which);

    if (n <= room->n || (w->watch.more != NULL && w->watch.more(w->watch.ctx, which, room, n))) return true;
    (void)refuse_size(blame(&side->c, names[which]), NO_ROOM, n, room->n);
    return false;
}

/* ---- frames ---- */

/* Finishes a sight from what the side's connection noted. */
static void conclude(const struct watch_side *side, struct spdm_sight *s)
{
    s->report = side->c.report;
    if (s->report.why != SPDM_WHY_FINE && s->report.code == 0) s->report.code = s->code;
}

/* A message of the plain side, or something too short for one. */
static void message(struct spdm_witness *w, struct spdm_sight *s, size_t frame_n)
{
    if (s->message.n < 4) {
        s->kind = SPDM_SIGHT_NONE;
        (void)refuse_size(blame(&w->plain.c, NULL), NOT_A_FRAME, frame_n, 0);
        return;
    }
    s->kind = SPDM_SIGHT_MESSAGE;
    s->code = s->message.p[1];
    spdm_watch_message(w, &w->plain, s->from_requester, s);
}

/* A message of this side is at hand. */
static void begin(struct spdm_witness *w, struct watch_side *side)
{
    w->at = side;
    w->ask = w->measured = w->proven = false;
    side->c.report = (struct spdm_report){0};
}

struct spdm_sight spdm_witness_push(struct spdm_witness *w, bool from_requester, struct spdm_span frame)
{
    struct spdm_frame in = w->plain.cfg.binding->unwrap(frame);
    struct spdm_sight s = {.from_requester = from_requester, .message = in.message};

    begin(w, &w->plain);
    w->next.kind = SPDM_SIGHT_NONE;
    spdm_conn_turn_to(&w->plain.c, NULL, NULL);
    if (in.kind == SPDM_FRAME_CONTROL) s.kind = SPDM_SIGHT_CONTROL;
    else if (in.kind == SPDM_FRAME_BAD) (void)refuse_size(blame(&w->plain.c, NULL), NOT_A_FRAME, frame.n, 0);
    else if (in.kind == SPDM_FRAME_PLAIN || spdm_watch_record(w, in.message, &s)) message(w, &s, frame.n);
    conclude(&w->plain, &s);
    return s;
}

bool spdm_witness_next(struct spdm_witness *w, struct spdm_sight *sight)
{
    if (w->next.kind == SPDM_SIGHT_NONE) return false;
    *sight = w->next;
    w->next.kind = SPDM_SIGHT_NONE;
    begin(w, w->next_side);
    spdm_watch_message(w, w->next_side, w->next_asks, sight);
    conclude(w->next_side, sight);
    return true;
}

/* ---- events, knowledge from outside ---- */

enum spdm_event_kind spdm_witness_event(struct spdm_witness *w, struct spdm_event *event)
{
    const struct conn *c = &w->at->c;

    *event = (struct spdm_event){.slot = c->facts.slot, .report = c->report};
    if (w->measured) {
        w->measured = false;
        event->kind = SPDM_MEASURED;
        event->proven = w->proven;
        event->data = w->record;
    } else if (w->ask) {
        w->ask = false;
        event->kind = SPDM_ASK_TRUST;
        event->ticket = w->ticket;
        event->data = spdm_span(c->cfg->chain.p, c->chain_have);
        event->root_at = (uint8_t)(4 + spdm_conn_hash_size(c));
    }
    return event->kind;
}

bool spdm_witness_answer(struct spdm_witness *w, const struct spdm_answer *answer)
{
    if (answer->ticket != w->ticket) return false;
    if (answer->yes) spdm_watch_known(w->at, w->at->c.facts.slot)->key = answer->key;
    return true;
}

static void vouch(struct watch_side *side, uint8_t slot, struct spdm_span hash, const void *key)
{
    struct slot_known *k = spdm_watch_known(side, slot);

    k->key = key;
    k->hash_known = hash.n != 0 && spdm_put((struct spdm_room){k->hash, sizeof k->hash}, hash);
}

void spdm_witness_trust(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key)
{
    vouch(&w->plain, slot, hash, key);
}

void spdm_witness_trust_requester(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key)
{
    vouch(&w->turned, slot, hash, key);
}

bool spdm_witness_assume(struct spdm_witness *w, const struct spdm_facts *facts, struct spdm_span vca)
{
    struct conn *c = &w->plain.c;

    spdm_conn_restart(c);
    if (!spdm_conn_version(c, facts->version)) return false;
    c->facts = *facts;
    c->phase = PHASE_NEGOTIATED;
    return vca.n == 0 || spdm_transcript_add_vca(&c->tr, vca);
}

const struct spdm_facts *spdm_witness_facts(const struct spdm_witness *w)
{
    return &w->plain.c.facts;
}

const struct spdm_facts *spdm_witness_turned_facts(const struct spdm_witness *w)
{
    return spdm_mutual_of(&w->plain.cfg) != NULL ? &w->turned.c.facts : NULL;
}

struct spdm_span spdm_witness_request(const struct spdm_witness *w)
{
    return spdm_span(w->plain.request.p, w->plain.request_n);
}

void spdm_witness_close(struct spdm_witness *w)
{
    const struct spdm_config *cfg = &w->plain.cfg;
    size_t sides = spdm_mutual_of(cfg) != NULL ? 2 : 1, behind = finish_size(cfg) + sides * side_size(cfg);
    void *first = w->before_finish;

    if (spdm_sessions_of(cfg) != NULL) spdm_sessions_of(cfg)->clear(&w->plain.c);
    if (w->finishing != 0) cfg->crypto->hash_end(cfg->crypto_ctx, w->before_finish);
    spdm_transcript_clear(&w->plain.c.tr);
    if (sides == 2) spdm_transcript_clear(&w->turned.c.tr);
    spdm_wipe(first, behind);
    spdm_wipe(w, sizeof *w);
}
