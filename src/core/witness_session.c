/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a witness makes of the messages that open, keep and end sessions: the
 * same transcripts, schedule and checks as the two ends have, from both sides
 * at once. Nothing ends at the first thing that is wrong: what follows is to be
 * read as well. */
#include "core/witness_state.h"

enum { UPDATE_KEY = 1, UPDATE_ALL = 2, VERIFY_NEW_KEY = 3, ERROR_BUSY = 0x03, ERROR_DECRYPT = 0x06, NIBBLE_KEY = 0x0f };

/* The first thing that is wrong is the one to be told. */
static void note(struct conn *c, struct spdm_report *first)
{
    if (first->why == SPDM_WHY_FINE) *first = c->report;
    c->report = *first;
}

/* ---- opening ---- */

/* When there is no room, who has been silent longest is most likely to have gone. */
static struct session *make_room(struct spdm_witness *w)
{
    struct conn *c = &w->plain.c;
    struct session *s = spdm_session_new(c);

    if (s == NULL) {
        struct session *oldest = spdm_session_oldest(c);

        if (oldest != NULL) spdm_session_free(c, oldest);
        s = spdm_session_new(c);
    }
    if (s == NULL) (void)refuse(c, NO_ROOM, "the session", 1, 0);
    else s->heard = ++w->clock;
    return s;
}

void spdm_watch_forget(struct spdm_witness *w, uint16_t req_half, uint16_t rsp_half)
{
    struct conn *c = &w->plain.c;

    for (size_t i = 0; i < spdm_session_count(c); i++) {
        struct session *s = spdm_session_at(c, i);
        bool same = s->id == ((uint32_t)rsp_half << 16 | req_half), blind = !s->lane[REQUEST].ready;

        if (s->state != SESSION_FREE && s->id >> 16 == rsp_half && (same || blind)) spdm_session_free(c, s);
    }
}

static struct session *begin(struct spdm_witness *w, bool psk, uint16_t req_half, uint16_t rsp_half)
{
    struct session *s = make_room(w);

    if (s == NULL) return NULL;
    s->psk = psk;
    s->state = SESSION_HANDSHAKE;
    spdm_session_name(&w->plain.c, s, req_half, rsp_half);
    return s;
}

/* A piece of a message enters TH. */
static void add(struct spdm_witness *w, struct session *s, uint8_t code, enum spdm_piece_part part,
                struct spdm_span bytes)
{
    struct spdm_piece piece = {.part = part, .code = code, .bytes = bytes};

    spdm_watch_th(w, s, &piece);
}

/* A transcript that lacks a part has no digest. */
static void add_chain(struct spdm_witness *w, struct watch_side *side, struct session *s)
{
    struct spdm_span hash = spdm_span(side->c.facts.chain_hash, spdm_conn_hash_size(&w->plain.c));

    add(w, s, 0, SPDM_PIECE_CHAIN, hash);
    if (!side->c.digests_known) s->tr.broken[TRANSCRIPT_TH] = true;
}

/* The signature over TH so far. */
static enum spdm_signature_state check_signature(struct watch_side *side, struct session *s, enum signed_by by,
                                                 struct spdm_span signature)
{
    struct to_sign input;

    if (side->c.key == NULL || !spdm_session_th_digest(s, input.digest)) return SPDM_SIGNATURE_UNCHECKED;
    return spdm_verify_signature(&side->c, by, &input, signature) == SPDM_WHY_FINE ? SPDM_SIGNATURE_GOOD
                                                                                   : SPDM_SIGNATURE_BAD;
}

static void verify_data_wrong(struct conn *c, enum spdm_signature_state state, const char *field)
{
    if (state == SPDM_SIGNATURE_BAD) (void)refuse(c, BAD_VERIFY_DATA, field, 0, 0);
}

/* TH1 is complete: the secret is looked for now, or, where no VerifyData tells it, when FINISH comes. */
static void th1(struct spdm_witness *w, struct session *s, struct passing *p, struct spdm_span verify)
{
    struct spdm_sight *sight = p->sight;

    w->unproven = 0;
    if (!spdm_session_th_digest(s, w->th1)) memset(w->th1, 0, sizeof w->th1);
    if (verify.n == 0) {
        w->unproven = s->id;
        return;
    }
    sight->verify_data = spdm_watch_find_keys(w, s, RESPONSE, verify);
    add(w, s, sight->code, SPDM_PIECE_VERIFY_DATA, verify);
}

static void key_exchange(struct spdm_witness *w, struct passing *p)
{
    struct conn *c = &w->plain.c;
    const struct key_exchange_rsp *m = &p->x.rsp.key_exchange_rsp;
    struct spdm_report first = {0};
    struct session *s;

    spdm_watch_slot(&w->plain, p->x.req.key_exchange.slot);
    s = begin(w, false, p->x.req.key_exchange.session, m->session);
    if (s == NULL) return;
    s->slot = c->facts.slot;
    s->heartbeat = m->heartbeat;
    s->mut_auth = m->mut_auth;
    s->req_slot = m->slot == NIBBLE_KEY ? SPDM_SLOT_KEY : m->slot;
    add_chain(w, &w->plain, s);
    add(w, s, CODE_KEY_EXCHANGE, SPDM_PIECE_MESSAGE, p->x.request);
    add(w, s, CODE_KEY_EXCHANGE_RSP, SPDM_PIECE_MESSAGE, spdm_part(p->x.response, 0, p->x.signature_at));
    p->sight->signature = check_signature(&w->plain, s, SIGNED_KEY_EXCHANGE_RSP, m->signature);
    note(c, &first);
    add(w, s, CODE_KEY_EXCHANGE_RSP, SPDM_PIECE_SIGNATURE, m->signature);
    th1(w, s, p, m->verify);
    verify_data_wrong(c, p->sight->verify_data, "ResponderVerifyData R-KEX-44");
    note(c, &first);
    (void)spdm_session_chosen(c, s, m->opaque);
    note(c, &first);
    p->sight->opened = s->id;
    if (m->mut_auth != 0) spdm_watch_begin_flow(w, s->id);
}

static void establish(struct spdm_witness *w, struct session *s)
{
    struct conn *c = &w->plain.c;

    if (s->lane[REQUEST].ready && !s->logged && spdm_session_establish(c, s)) return;
    s->state = SESSION_ESTABLISHED; /* data secrets come from a key log, or not at all */
    spdm_transcript_reset(&s->tr, TRANSCRIPT_TH);
    spdm_session_unkey(c, s);
}

static void psk_exchange(struct spdm_witness *w, struct passing *p)
{
    struct conn *c = &w->plain.c;
    const struct psk_exchange_rsp *m = &p->x.rsp.psk_exchange_rsp;
    struct session *s = begin(w, true, p->x.req.psk_exchange.session, m->session);
    struct spdm_report first = {0};

    if (s == NULL) return;
    s->slot = SPDM_SLOT_KEY;
    s->heartbeat = m->heartbeat;
    add(w, s, CODE_PSK_EXCHANGE, SPDM_PIECE_MESSAGE, p->x.request);
    add(w, s, CODE_PSK_EXCHANGE_RSP, SPDM_PIECE_MESSAGE, spdm_part(p->x.response, 0, p->x.verify_at));
    th1(w, s, p, m->verify);
    verify_data_wrong(c, p->sight->verify_data, "ResponderVerifyData R-PSK-18");
    note(c, &first);
    (void)spdm_session_chosen(c, s, m->opaque);
    note(c, &first);
    p->sight->opened = s->id;
    if (m->context.n == 0) establish(w, s); /* R-PSK-16 */
}

/* ---- FINISH, PSK_FINISH ---- */

/* The session that a FINISH is about: the one it came in or, in the clear, the one that waits for it. */
static struct session *finishing(const struct spdm_witness *w)
{
    struct session *s = w->plain.c.channel;

    if (s == NULL) s = spdm_session_clear_handshake(&w->plain.c);
    return s != NULL && s->state == SESSION_HANDSHAKE ? s : NULL;
}

/* FINISH that comes again, after Busy, enters the transcript in place of the one before. */
static void rewind(struct spdm_witness *w, struct session *s)
{
    const struct spdm_crypto *crypto = w->plain.c.cfg->crypto;
    void *ctx = w->plain.c.cfg->crypto_ctx, *th = spdm_transcript_state(&s->tr, TRANSCRIPT_TH);

    if (w->finishing == s->id) {
        spdm_transcript_reset(&s->tr, TRANSCRIPT_TH);
        s->tr.open[TRANSCRIPT_TH] = crypto->hash_copy(ctx, th, w->before_finish);
        s->tr.broken[TRANSCRIPT_TH] = !s->tr.open[TRANSCRIPT_TH];
        return;
    }
    if (w->finishing != 0) crypto->hash_end(ctx, w->before_finish);
    w->finishing = 0;
    if (s->tr.open[TRANSCRIPT_TH] && !s->tr.broken[TRANSCRIPT_TH] && crypto->hash_copy(ctx, w->before_finish, th)) {
        w->finishing = s->id;
    }
}

static void forget_finish(struct spdm_witness *w)
{
    if (w->finishing != 0) w->plain.c.cfg->crypto->hash_end(w->plain.c.cfg->crypto_ctx, w->before_finish);
    w->finishing = 0;
}

/* Mutual authentication: the Requester's signature, with the slot that was named (transcripts.md section 6, row 4). */
static void finish_signature(struct spdm_witness *w, struct session *s, struct passing *p)
{
    const struct finish *m = &p->x.req.finish;
    struct conn *c = &w->plain.c, *turned = &w->turned.c;

    if (m->slot != s->req_slot) (void)refuse(c, MISMATCH, "SlotID R-FIN-11", m->slot, s->req_slot);
    spdm_watch_slot(&w->turned, m->slot);
    add_chain(w, &w->turned, s);
    add(w, s, CODE_FINISH, SPDM_PIECE_MESSAGE, spdm_part(p->x.request, 0, p->x.signature_at));
    turned->report = (struct spdm_report){0};
    p->sight->signature = check_signature(&w->turned, s, SIGNED_FINISH, m->signature);
    if (p->sight->signature == SPDM_SIGNATURE_BAD && c->report.why == SPDM_WHY_FINE) c->report = turned->report;
    add(w, s, CODE_FINISH, SPDM_PIECE_SIGNATURE, m->signature);
}

static void finish(struct spdm_witness *w, struct passing *p)
{
    struct conn *c = &w->plain.c;
    struct session *s = finishing(w);
    const struct finish *m = &p->x.req.finish;
    struct spdm_report first = {0};
    bool with_signature = p->x.signature_at != 0;

    if (s == NULL) {
        (void)refuse(c, NOT_NOW, "R-FIN-17", 0, 0);
        return;
    }
    rewind(w, s);
    if (!s->psk && with_signature != (s->mut_auth != 0)) {
        (void)refuse(c, BAD_VALUE, "Param1 R-FIN-03", with_signature, 0);
        note(c, &first);
    }
    if (with_signature) finish_signature(w, s, p);
    else add(w, s, p->sight->code, SPDM_PIECE_MESSAGE, spdm_part(p->x.request, 0, p->x.verify_at));
    note(c, &first);
    if (w->unproven == s->id) {
        w->unproven = 0;
        p->sight->verify_data = spdm_watch_find_keys(w, s, REQUEST, m->verify);
    } else {
        p->sight->verify_data = spdm_watch_verify_data(w, s, REQUEST, m->verify);
    }
    verify_data_wrong(c, p->sight->verify_data,
                      s->psk ? "RequesterVerifyData R-PSF-05" : "RequesterVerifyData R-FIN-10");
    note(c, &first);
    add(w, s, p->sight->code, SPDM_PIECE_VERIFY_DATA, m->verify);
}

static void finish_rsp(struct spdm_witness *w, struct passing *p)
{
    struct conn *c = &w->plain.c;
    struct session *s = finishing(w);

    forget_finish(w);
    if (s == NULL) return;
    add(w, s, p->sight->code, SPDM_PIECE_MESSAGE,
        spdm_part(p->x.response, 0, p->x.verify_at != 0 ? p->x.verify_at : p->x.response.n));
    if (p->x.verify_at != 0) {
        p->sight->verify_data = spdm_watch_verify_data(w, s, RESPONSE, p->x.rsp.finish_rsp.verify);
        verify_data_wrong(c, p->sight->verify_data, "ResponderVerifyData R-FIN-14");
        add(w, s, p->sight->code, SPDM_PIECE_VERIFY_DATA, p->x.rsp.finish_rsp.verify);
    }
    establish(w, s);
}

/* ---- KEY_UPDATE ---- */

/* The next key of a direction, unless it is in use already: a request can come twice. */
static void move_on(struct spdm_witness *w, struct session *s, enum direction d)
{
    if (s->lane[d].ready && !s->previous[d].ready) (void)spdm_session_update(&w->plain.c, s, d);
}

/* UpdateAllKeys: the ACK comes under the new response key. From the Responder, UpdateKey moves its own direction, and
 * what it sends next tells whether it has (sessions.md 7.2, 7.4). */
static void key_update(struct spdm_witness *w, struct passing *p)
{
    struct session *s = w->plain.c.channel;
    uint8_t operation = p->x.req.key_update.operation;
    bool turned = p->side == &w->turned;

    if (s == NULL) return;
    if (operation == VERIFY_NEW_KEY) {
        spdm_session_drop_previous(&w->plain.c, s, turned ? RESPONSE : REQUEST);
        return;
    }
    if (turned || operation == UPDATE_ALL) move_on(w, s, RESPONSE);
}

/* With the ACK the new request key comes into use (R-KUP-08). */
static void key_update_ack(struct spdm_witness *w, struct passing *p)
{
    struct session *s = w->plain.c.channel;
    uint8_t operation = p->x.req.key_update.operation;

    if (s == NULL || p->side == &w->turned || operation == VERIFY_NEW_KEY) return;
    if (operation == UPDATE_ALL) spdm_session_drop_previous(&w->plain.c, s, RESPONSE);
    move_on(w, s, REQUEST);
}

/* ---- the end ---- */

static void close(struct spdm_witness *w, struct session *s, struct spdm_sight *sight)
{
    sight->closed = s->id;
    spdm_session_free(&w->plain.c, s);
}

/* In an envelope it is the Responder's, and the session lasts until the acknowledgement of the envelope. */
static void end(struct spdm_witness *w, struct passing *p)
{
    struct session *s = w->plain.c.channel;

    if (s == NULL) return;
    if (p->side == &w->turned) s->ending = true;
    else close(w, s, p->sight);
}

static void acknowledged(struct spdm_witness *w, struct passing *p)
{
    struct session *s = w->plain.c.channel;

    spdm_watch_acknowledged(w, p);
    if (!w->flow.open && s != NULL && s->ending) close(w, s, p->sight);
}

static void nothing(struct spdm_witness *w, struct passing *p)
{
    (void)w;
    (void)p;
}

/* FINISH refused ends its session, and so does DecryptError. */
void spdm_watch_refused(struct spdm_witness *w, struct passing *p, uint8_t code)
{
    struct session *s = finishing(w);
    bool finish = p->sight->answers == CODE_FINISH || p->sight->answers == CODE_PSK_FINISH;

    if (finish) forget_finish(w);
    if (finish && s != NULL) close(w, s, p->sight);
    else if (code == ERROR_DECRYPT && w->plain.c.channel != NULL) close(w, w->plain.c.channel, p->sight);
}

const struct watch_job spdm_watch_sessions[] = {
    {&spdm_verify_key_exchange, NULL, key_exchange},
    {&spdm_verify_session_finish, finish, finish_rsp},
    {&spdm_verify_psk_exchange, NULL, psk_exchange},
    {&spdm_verify_psk_finish, finish, finish_rsp},
    {&spdm_verify_heartbeat, NULL, nothing},
    {&spdm_verify_key_update, key_update, key_update_ack},
    {&spdm_verify_end_session, NULL, end},
    {&spdm_verify_get_encapsulated, NULL, spdm_watch_enclosed},
    {&spdm_verify_deliver_encapsulated, spdm_watch_delivered, acknowledged},
};
const size_t spdm_watch_session_n = sizeof spdm_watch_sessions / sizeof *spdm_watch_sessions;
