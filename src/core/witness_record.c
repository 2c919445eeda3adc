/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records before a witness. Where the two ends give up, it looks for what it
 * may have missed: records that the capture lacks, a key update that it did not
 * see, secrets in a key log. */
#include "core/witness_state.h"

enum { SEARCH = 64, SEQUENCE_BYTES = 2 };

/* One record on its way. */
struct attempt {
    struct spdm_witness *w;
    struct session *s;
    struct spdm_span record;
    struct incoming in;
    enum fate fate;
    uint32_t lost;
};

static bool open_now(struct attempt *a)
{
    a->fate = FATE_DROP;
    if (spdm_session_records(a->s)) a->fate = spdm_session_open(&a->w->plain.c, a->record, ++a->w->clock, &a->in);
    return a->fate == FATE_MESSAGE || a->fate == FATE_DATA;
}

/* The number that the record itself carries, in the 64 bits around the expected one. */
static uint64_t told(const struct lane *lane, struct spdm_span record)
{
    uint64_t low = (uint64_t)record.p[4] | (uint64_t)record.p[5] << 8;
    uint64_t number = (lane->sequence & ~(uint64_t)0xffff) | low;

    return number < lane->sequence && lane->sequence - number > 0x8000 ? number + 0x10000 : number;
}

/* Records are missing in front of this one, or one too many was counted. */
static bool skip(struct attempt *a)
{
    struct lane *lane = &a->s->lane[a->in.direction];
    uint64_t expected = lane->sequence, first = expected != 0 ? expected - 1 : 1, last = expected + SEARCH;

    if (a->s->form.seq_bytes == SEQUENCE_BYTES && a->record.n >= 6) first = last = told(lane, a->record);
    for (uint64_t number = first; number <= last; number++) {
        lane->sequence = number;
        if (number == expected || !open_now(a)) continue;
        a->lost = number > expected ? (uint32_t)(number - expected) : 0;
        return true;
    }
    lane->sequence = expected;
    return false;
}

/* A KEY_UPDATE went by unseen. */
static bool next_key(struct attempt *a)
{
    struct conn *c = &a->w->plain.c;
    enum direction d = a->in.direction;

    if (a->s->state != SESSION_ESTABLISHED || a->s->previous[d].ready) return false;
    if (!spdm_session_update(c, a->s, d)) return false;
    if (open_now(a)) {
        spdm_session_drop_previous(c, a->s, d);
        return true;
    }
    spdm_session_restore(c, a->s, d);
    return false;
}

/* Some peers of DSP0277 1.0 and 1.1 count the other way round; at number 0 there is no difference (UN-18). */
static bool other_order(struct attempt *a)
{
    struct session *s = a->s;

    if (s->lane[a->in.direction].sequence == 0 || (s->version >> 8 & 0x0f) > 1) return false;
    s->form.big_endian = !s->form.big_endian;
    if (open_now(a)) return true;
    s->form.big_endian = !s->form.big_endian;
    return false;
}

/* Direction secrets of a key log; the capture may begin in the middle of the session. */
static bool logged(struct attempt *a)
{
    static const enum spdm_secret_kind kinds[] = {SPDM_SECRET_DATA, SPDM_SECRET_HANDSHAKE};
    struct session *s = a->s;
    uint8_t state = s->state;

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        s->state = kinds[k] == SPDM_SECRET_DATA ? SESSION_ESTABLISHED : SESSION_HANDSHAKE;
        for (unsigned n = 0; spdm_watch_logged(a->w, s, kinds[k], n); n++) {
            if (open_now(a) || skip(a)) return true;
        }
    }
    s->state = state;
    spdm_session_unkey(&a->w->plain.c, s);
    return false;
}

static bool look_further(struct attempt *a)
{
    if (!a->s->lane[a->in.direction].ready) return logged(a);
    return other_order(a) || skip(a) || next_key(a);
}

/* A session whose beginning the capture lacks: a key log may know it. */
static struct session *unknown(struct spdm_witness *w, uint32_t id)
{
    struct spdm_secret_wanted wanted = {.kind = SPDM_SECRET_DATA, .session = id};
    struct spdm_secret secret;
    struct session *s;

    if (id == 0 || w->watch.secret == NULL || w->plain.c.facts.aead == SPDM_ALG_NONE) return NULL;
    if (!w->watch.secret(w->watch.ctx, &wanted, 0, &secret)) return NULL;
    s = spdm_session_new(&w->plain.c);
    if (s == NULL) return NULL;
    s->state = SESSION_HANDSHAKE;
    spdm_session_name(&w->plain.c, s, (uint16_t)id, (uint16_t)(id >> 16));
    return s;
}

/* The session of a record, if it has, or may get, keys. */
static struct session *session_of(struct spdm_witness *w, uint32_t id, bool *new)
{
    struct session *s = spdm_session_find(&w->plain.c, id);

    *new = s == NULL;
    return s != NULL ? s : unknown(w, id);
}

static void broken(struct attempt *a, bool new, struct spdm_sight *sight)
{
    struct lane *lane = &a->s->lane[a->in.direction];

    if (new) {
        spdm_session_free(&a->w->plain.c, a->s);
    } else if (lane->ready && spdm_session_records(a->s)) {
        lane->sequence++; /* as both ends count it (sessions.md 6.4) */
        sight->record = SPDM_SIGNATURE_BAD;
        (void)refuse(&a->w->plain.c, BAD_RECORD, NULL, 0, 0);
    }
}

bool spdm_watch_record(struct spdm_witness *w, struct spdm_span record, struct spdm_sight *s)
{
    struct conn *c = &w->plain.c;
    struct attempt a = {.w = w, .record = record, .in = {.direction = s->from_requester ? REQUEST : RESPONSE}};
    bool new;

    s->kind = SPDM_SIGHT_SEALED;
    s->session = spdm_record_session(record);
    s->record = SPDM_SIGNATURE_UNCHECKED;
    if (spdm_sessions_of(c->cfg) == NULL || !spdm_watch_room(w, &w->plain, SPDM_ROOM_RECORD, record.n)) return false;
    a.s = session_of(w, s->session, &new);
    if (a.s == NULL) return false;
    if (!open_now(&a) && !look_further(&a)) {
        broken(&a, new, s);
        return false;
    }
    s->record = SPDM_SIGNATURE_GOOD;
    s->message = a.in.message;
    s->lost = a.lost;
    s->kind = a.fate == FATE_DATA ? SPDM_SIGHT_DATA : SPDM_SIGHT_MESSAGE;
    spdm_conn_turn_to(c, a.s, &a.s->tr);
    return s->kind == SPDM_SIGHT_MESSAGE;
}

/* ---- who sent it ---- */

/* Whether a record opens in a direction; everything is left as it was. */
static bool opens(struct spdm_witness *w, struct session *s, enum direction d, struct spdm_span record)
{
    struct record_crypto rc = {w->plain.c.cfg->crypto, w->plain.c.cfg->crypto_ctx};
    struct record_in in = {.record = record, .out = w->plain.cfg.in};
    struct lane *lanes[2] = {&s->lane[d], &s->previous[d]};

    for (unsigned i = 0; i < 2; i++) {
        uint64_t number = lanes[i]->sequence;
        bool good = lanes[i]->ready && spdm_record_open(&rc, &s->form, lanes[i], &in);

        lanes[i]->sequence = number;
        if (good) return true;
    }
    return false;
}

bool spdm_witness_sender(struct spdm_witness *w, struct spdm_span frame, bool guess)
{
    struct spdm_frame in = w->plain.cfg.binding->unwrap(frame);
    struct session *s;

    if (in.kind != SPDM_FRAME_SECURED || spdm_sessions_of(w->plain.c.cfg) == NULL) return guess;
    s = spdm_session_find(&w->plain.c, spdm_record_session(in.message));
    if (s == NULL || !spdm_session_records(s) || !spdm_watch_room(w, &w->plain, SPDM_ROOM_RECORD, in.message.n)) {
        return guess;
    }
    if (opens(w, s, guess ? REQUEST : RESPONSE, in.message)) return guess;
    return opens(w, s, guess ? RESPONSE : REQUEST, in.message) ? !guess : guess;
}
