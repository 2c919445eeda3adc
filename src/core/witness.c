/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The witness: both directions go by; what the requester would judge, learn
 * and verify is judged, learned and verified here, by the same jobs. */
#include "core/verify.h"
#include <assay/witness.h>

enum { REQUEST_MAX = 160 };

/* What is known of a slot. */
struct slot_known {
    const void *key;
    bool hash_known;
    uint8_t hash[SPDM_HASH_MAX];
};

struct spdm_witness {
    struct conn c;
    struct slot_known slot[SPDM_SLOT_N + 1]; /* the last one: the provisioned key */
    uint8_t *request;
    uint16_t request_n, request_max;
    uint32_t ticket;
    bool ask; /* a chain is complete */
    bool measured, proven;
    struct spdm_span record; /* of the message just pushed */
};

static const struct verify_job *const jobs[] = {
    &spdm_verify_version,           &spdm_verify_capabilities,     &spdm_verify_algorithms,   &spdm_verify_digests,
    &spdm_verify_certificate,       &spdm_verify_challenge,        &spdm_verify_measurements, &spdm_verify_vendor,
    &spdm_errand_key_pair_info.job, &spdm_errand_set_key_pair.job, &spdm_errand_csr.job,      &spdm_errand_store.job,
    &spdm_errand_slots.job,         &spdm_errand_log.job,          &spdm_errand_endpoint.job};

static const struct verify_job *find(uint8_t request, uint8_t response)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (jobs[i]->request->code == request && jobs[i]->response->code == response) return jobs[i];
    }
    return NULL;
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static uint16_t request_max(const struct spdm_config *cfg)
{
    return cfg->request_max != 0 ? cfg->request_max : REQUEST_MAX;
}

size_t spdm_witness_size(const struct spdm_config *config)
{
    return aligned(sizeof(struct spdm_witness)) + spdm_conn_size(config) + request_max(config);
}

struct spdm_witness *spdm_witness_init(struct spdm_room memory, const struct spdm_config *config)
{
    void *place = memory.p;
    struct spdm_witness *w = place;
    struct spdm_room behind = spdm_room_from(memory, aligned(sizeof *w));

    if (memory.p == NULL || memory.n < spdm_witness_size(config)) return NULL;
    *w = (struct spdm_witness){.request_max = request_max(config)};
    spdm_conn_place(&w->c, config, behind);
    w->request = spdm_room_from(behind, spdm_conn_size(config)).p;
    w->c.inside = spdm_io_inside;
    w->c.slots_wanted = 0xff;
    return w;
}

static struct slot_known *known(struct spdm_witness *w, uint8_t slot)
{
    return &w->slot[slot < SPDM_SLOT_N ? slot : SPDM_SLOT_N];
}

/* The exchange that begins is about this slot: its key and digest are the ones to check with. */
static void turn_to(struct spdm_witness *w, uint8_t slot)
{
    const struct slot_known *k = known(w, slot);

    w->c.facts.slot = slot < SPDM_SLOT_N ? slot : SPDM_SLOT_KEY;
    w->c.key = k->key;
    w->c.digests_known = k->hash_known;
    memcpy(w->c.facts.chain_hash, k->hash, sizeof k->hash);
}

/* ---- requests ---- */

static void forget_slots(struct spdm_witness *w)
{
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) w->slot[slot] = (struct slot_known){0};
}

/* What a request changes before its answer. */
static void request_effects(struct spdm_witness *w, const struct spdm_message *row, const union spdm_body *req)
{
    struct conn *c = &w->c;

    spdm_conn_reset_by(c, row);
    if (row->code == CODE_GET_VERSION) {
        spdm_conn_restart(c);
        forget_slots(w);
    } else if (row->code == CODE_GET_CERTIFICATE) {
        if (req->get_certificate.offset == 0 || req->get_certificate.slot != c->facts.slot) {
            c->chain_have = c->chain_total = 0;
        }
        turn_to(w, req->get_certificate.slot);
    } else if (row->code == CODE_CHALLENGE) {
        turn_to(w, req->challenge.slot);
    } else if (row->code == CODE_GET_MEASUREMENTS && req->get_measurements.sign) {
        turn_to(w, req->get_measurements.slot);
    } else if (row->code == CODE_GET_ENDPOINT_INFO && req->order.endpoint.sign) {
        turn_to(w, req->order.endpoint.slot);
    }
}

static void request(struct spdm_witness *w, struct spdm_span message, struct spdm_sight *s)
{
    struct conn *c = &w->c;
    const struct spdm_message *row = spdm_message_find(message.p[1]);
    struct exchange x = {.request = message};

    if (row == &spdm_message_RESPOND_IF_READY) return; /* the deferred request stays the one to be answered */
    w->request_n = 0;
    if (row == NULL || row->code < 0x80) {
        (void)refuse(c, UNKNOWN_CODE, NULL, message.p[1], 0);
        return;
    }
    if (row == &spdm_message_GET_CAPABILITIES) (void)spdm_conn_version(c, message.p[0]);
    if (row->walk != NULL && spdm_conn_decode(c, row, &x) != SPDM_WHY_FINE) return;
    request_effects(w, row, &x.req);
    s->n = x.request.n;
    if (s->n > w->request_max) {
        (void)refuse(c, NO_ROOM, "the request", s->n, w->request_max);
        return;
    }
    memcpy(w->request, message.p, s->n);
    w->request_n = (uint16_t)s->n;
}

/* ---- responses ---- */

/* DIGESTS tells the digest of every slot, not only of the one a requester would choose. */
static void remember_digests(struct spdm_witness *w, const struct digests *m)
{
    size_t h = spdm_conn_hash_size(&w->c), i = 0;

    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        struct slot_known *k = &w->slot[slot];

        if ((m->provisioned >> slot & 1) == 0) continue;
        if (!k->hash_known || !spdm_equal(spdm_span(k->hash, h), spdm_part(m->digests, i * h, h))) k->key = NULL;
        memcpy(k->hash, spdm_part(m->digests, i * h, h).p, h);
        k->hash_known = true;
        i++;
    }
}

static void after(struct spdm_witness *w, const struct verify_job *job, const struct exchange *x)
{
    struct conn *c = &w->c;
    struct slot_known *k;
    struct spdm_span chain = spdm_span(c->cfg->chain.p, c->chain_have);

    if (job == &spdm_verify_digests) remember_digests(w, &x->rsp.digests);
    if (job == &spdm_verify_certificate && c->chain_have == c->chain_total) {
        k = known(w, c->facts.slot);
        k->hash_known = spdm_conn_digest(c, &chain, 1, k->hash);
        w->ask = k->key == NULL;
        w->ticket++;
    }
    if (job == &spdm_errand_store.job) *known(w, x->req.order.store.slot) = (struct slot_known){0};
    if (job == &spdm_verify_measurements) {
        w->measured = true;
        w->record = x->rsp.measurements.record;
    }
}

/* Enters an exchange whose signature nobody can check: its transcript ends all the same. */
static enum spdm_signature_state pass_unchecked(struct conn *c, const struct verify_job *job, const struct exchange *x)
{
    (void)spdm_conn_enter(c, job->request, x->request);
    (void)spdm_conn_enter(c, job->response, spdm_part(x->response, 0, x->signature_at));
    if (job->signed_by != SIGNED_ENDPOINT_INFO) spdm_conn_reset_signed(c, (enum signed_by)job->signed_by);
    if (job == &spdm_verify_challenge) c->challenged = true;
    return SPDM_SIGNATURE_UNCHECKED;
}

/* A decoded response to the request at hand. */
static void judge(struct spdm_witness *w, const struct verify_job *job, const struct exchange *x, struct spdm_sight *s)
{
    struct conn *c = &w->c;
    uint8_t why;

    if (job == &spdm_verify_digests) c->facts.trusted = false; /* learn the slot anew */
    if (job->judge(c, x) != SPDM_WHY_FINE) return;
    if (x->signature_at != 0 && c->key == NULL) {
        s->signature = pass_unchecked(c, job, x);
        after(w, job, x);
        return;
    }
    why = spdm_verify_finish(c, job, x);
    if (x->signature_at != 0) s->signature = why == SPDM_WHY_FINE ? SPDM_SIGNATURE_GOOD : SPDM_SIGNATURE_BAD;
    w->proven = s->signature == SPDM_SIGNATURE_GOOD;
    if (why == SPDM_WHY_FINE) after(w, job, x);
}

static void error(struct spdm_witness *w, struct spdm_span message, struct spdm_sight *s)
{
    enum { BUSY = 0x03, NOT_READY = 0x42, RESYNCH = 0x43 };
    struct exchange x = {.response = message};
    const struct error *e = &x.rsp.error;

    if (spdm_conn_decode(&w->c, &spdm_message_ERROR, &x) != SPDM_WHY_FINE) return;
    s->n = x.response.n;
    if (e->code == NOT_READY || e->code == BUSY) return; /* the request still waits */
    spdm_transcript_reset(&w->c.tr, TRANSCRIPT_L1L2);    /* R-MEA-25 */
    if (e->code == RESYNCH) spdm_conn_restart(&w->c);
    w->request_n = 0;
}

static void response(struct spdm_witness *w, struct spdm_span message, struct spdm_sight *s)
{
    struct conn *c = &w->c;
    const struct verify_job *job = w->request_n < 2 ? NULL : find(w->request[1], message.p[1]);
    struct exchange x = {.request = spdm_span(w->request, w->request_n), .response = message};

    if (message.p[1] == CODE_ERROR) {
        error(w, message, s);
        return;
    }
    if (job == NULL) {
        if (spdm_message_find(message.p[1]) == NULL) (void)refuse(c, UNKNOWN_CODE, NULL, message.p[1], 0);
        w->request_n = 0;
        return; /* known, but not described yet, or without its request: nothing to judge */
    }
    (void)spdm_conn_decode(c, job->request, &x);
    w->request_n = 0;
    if (spdm_conn_decode(c, job->response, &x) != SPDM_WHY_FINE) return;
    s->n = x.response.n;
    s->signature = x.signature_at != 0 ? SPDM_SIGNATURE_UNCHECKED : SPDM_UNSIGNED;
    judge(w, job, &x, s);
}

struct spdm_sight spdm_witness_push(struct spdm_witness *w, bool from_requester, struct spdm_span frame)
{
    struct spdm_frame in = w->c.cfg->binding->unwrap(frame);
    struct spdm_sight s = {0};

    w->ask = w->measured = w->proven = false;
    w->c.report = (struct spdm_report){0};
    if (in.kind != SPDM_FRAME_PLAIN || in.message.n < 4) {
        (void)refuse(&w->c, NOT_A_FRAME, NULL, frame.n, 0);
        s.report = w->c.report;
        return s;
    }
    s.code = in.message.p[1];
    if (from_requester) {
        request(w, in.message, &s);
    } else {
        s.answers = w->request_n < 2 ? 0 : w->request[1];
        response(w, in.message, &s);
    }
    s.report = w->c.report;
    if (s.report.why != SPDM_WHY_FINE && s.report.code == 0) s.report.code = s.code;
    return s;
}

/* ---- events, knowledge from outside ---- */

enum spdm_event_kind spdm_witness_event(struct spdm_witness *w, struct spdm_event *event)
{
    *event = (struct spdm_event){.slot = w->c.facts.slot, .report = w->c.report};
    if (w->measured) {
        w->measured = false;
        event->kind = SPDM_MEASURED;
        event->proven = w->proven;
        event->data = w->record;
    } else if (w->ask) {
        w->ask = false;
        event->kind = SPDM_ASK_TRUST;
        event->ticket = w->ticket;
        event->data = spdm_span(w->c.cfg->chain.p, w->c.chain_have);
        event->root_at = (uint8_t)(4 + spdm_conn_hash_size(&w->c));
    }
    return event->kind;
}

bool spdm_witness_answer(struct spdm_witness *w, const struct spdm_answer *answer)
{
    if (answer->ticket != w->ticket) return false;
    if (answer->yes) known(w, w->c.facts.slot)->key = answer->key;
    return true;
}

void spdm_witness_trust(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key)
{
    struct slot_known *k = known(w, slot);

    k->key = key;
    k->hash_known = hash.n != 0 && spdm_put((struct spdm_room){k->hash, sizeof k->hash}, hash);
}

bool spdm_witness_assume(struct spdm_witness *w, const struct spdm_facts *facts, struct spdm_span vca)
{
    spdm_conn_restart(&w->c);
    if (!spdm_conn_version(&w->c, facts->version)) return false;
    w->c.facts = *facts;
    w->c.phase = PHASE_NEGOTIATED;
    return vca.n == 0 || spdm_transcript_add_vca(&w->c.tr, vca);
}

const struct spdm_facts *spdm_witness_facts(const struct spdm_witness *w)
{
    return &w->c.facts;
}

struct spdm_span spdm_witness_request(const struct spdm_witness *w)
{
    return spdm_span(w->request, w->request_n);
}

void spdm_witness_close(struct spdm_witness *w)
{
    size_t behind = spdm_conn_size(w->c.cfg) + w->request_max;

    spdm_transcript_clear(&w->c.tr);
    spdm_wipe(w->c.tr.state[0], behind);
    spdm_wipe(w, sizeof *w);
}
