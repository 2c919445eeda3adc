/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pair: moves frames between both ends and answers their questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static const uint8_t hashes[] = {SPDM_SHA_384, SPDM_SHA_256, 0};
static const uint8_t signatures[] = {SPDM_ECDSA_P384, SPDM_ECDSA_P256, 0};

void pair_init(struct pair *p)
{
    static uint8_t certificates[1500];
    static const uint8_t values[5][64] = {{1}, {2}, {3}, {4}, {5}};

    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < sizeof certificates; i++) certificates[i] = (uint8_t)(i * 7);
    p->key.id = 42;
    p->trusted = &p->key;
    p->req_policy = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                         .ct_exponent = 14,
                                         .hashes = hashes,
                                         .signatures = signatures,
                                         .opaque_formats = 2};
    p->rsp_policy = p->req_policy;
    p->rsp_policy.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED | SPDM_MEAS_FRESH_CAP;
    p->rsp_policy.meas_hash = SPDM_SHA_384;
    p->identity.slot[0] = (struct spdm_slot){.certificates = {certificates, sizeof certificates},
                                             .root = {certificates, 500},
                                             .signs = signatures,
                                             .model = SPDM_CERT_DEVICE};
    p->identity.supported = 0x03;
    for (uint8_t i = 0; i < 5; i++) {
        p->measurements[i] = (struct spdm_measurement){
            .index = (uint8_t)(i + 1), .type = i, .raw = true, .tcb = i < 2, .value = {values[i], sizeof values[i]}};
    }
    p->measurement_n = 5;
    p->req_config = (struct spdm_config){.crypto = &toy_crypto,
                                         .crypto_ctx = &p->toy,
                                         .binding = &spdm_binding_mctp,
                                         .policy = &p->req_policy,
                                         .out = {p->rq_out, sizeof p->rq_out},
                                         .chain = {p->chain, sizeof p->chain},
                                         .data_transfer_size = 4096};
    p->rsp_config = p->req_config;
    p->rsp_config.policy = &p->rsp_policy;
    p->rsp_config.out = (struct spdm_room){p->rs_out, sizeof p->rs_out};
    p->rsp_config.identity = &p->identity;
    p->rsp_config.services = &spdm_serve_all;
}

void pair_sessions(struct pair *p, size_t n)
{
    static const uint8_t exchanges[] = {SPDM_SECP384R1, SPDM_SECP256R1, 0};
    static const uint8_t aeads[] = {SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305, 0};
    uint32_t flags = SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP | SPDM_HBEAT_CAP | SPDM_KEY_UPD_CAP;

    p->req_policy.exchanges = p->rsp_policy.exchanges = exchanges;
    p->req_policy.aeads = p->rsp_policy.aeads = aeads;
    p->req_policy.flags |= flags | SPDM_PSK_CAP;
    p->rsp_policy.flags |= flags | SPDM_PSK_CAP_CONTEXT;
    p->req_config.sessions = p->rsp_config.sessions = &spdm_with_sessions;
    p->req_config.session_memory = (struct spdm_room){(uint8_t *)p->rq_sessions, n * spdm_session_size(&p->req_config)};
    p->rsp_config.session_memory = (struct spdm_room){(uint8_t *)p->rs_sessions, n * spdm_session_size(&p->rsp_config)};
    assert_true(p->req_config.session_memory.n <= sizeof p->rq_sessions);
    p->req_config.in = (struct spdm_room){p->rq_in, sizeof p->rq_in};
    p->rsp_config.in = (struct spdm_room){p->rs_in, sizeof p->rs_in};
}

void pair_mutual(struct pair *p)
{
    static const uint8_t algorithms[] = {SPDM_ECDSA_P256, 0};
    static uint8_t certificates[900];
    uint32_t flags = SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP;

    for (size_t i = 0; i < sizeof certificates; i++) certificates[i] = (uint8_t)(i * 3);
    p->rq_key.id = 77;
    p->rq_trusted = &p->rq_key;
    p->rq_identity.slot[0] = (struct spdm_slot){
        .certificates = {certificates, sizeof certificates}, .root = {certificates, 300}, .signs = algorithms};
    p->rq_identity.slot[2] = p->rq_identity.slot[0];
    p->req_policy.flags |= flags | SPDM_CERT_CAP | SPDM_CHAL_CAP;
    p->rsp_policy.flags |= flags;
    p->req_policy.req_signatures = p->rsp_policy.req_signatures = algorithms;
    p->rq_turned = p->req_config;
    p->rq_turned.sessions = NULL;
    p->rq_turned.chunks = NULL;
    p->rq_turned.binding = &spdm_binding_none;
    p->rq_turned.out = (struct spdm_room){p->rq_turned_out, sizeof p->rq_turned_out};
    p->rq_turned.identity = &p->rq_identity;
    p->rq_turned.services = &spdm_serve_identity;
    p->rs_turned = p->rsp_config;
    p->rs_turned.sessions = NULL;
    p->rs_turned.chunks = NULL;
    p->rs_turned.binding = NULL; /* it sends nothing itself */
    p->rs_turned.out = (struct spdm_room){0};
    p->rs_turned.chain = (struct spdm_room){p->rq_chain, sizeof p->rq_chain};
    p->req_config.mutual = &spdm_requester_mutual;
    p->rsp_config.mutual = &spdm_responder_mutual;
    p->req_config.turned = &p->rq_turned;
    p->rsp_config.turned = &p->rs_turned;
}

static void shelve(struct pair_shelf *shelf, struct spdm_config *config)
{
    for (unsigned i = 0; i < 2; i++) shelf->place[i] = (struct spdm_room){shelf->bytes[i], PAIR_LENT};
    shelf->shelf = (struct spdm_shelf){.place = shelf->place, .n = 2};
    config->lender = &spdm_lend_shelf;
    config->lender_ctx = &shelf->shelf;
}

void pair_chunks(struct pair *p, uint32_t transfer, uint32_t max)
{
    p->req_policy.flags |= SPDM_CHUNK_CAP;
    p->rsp_policy.flags |= SPDM_CHUNK_CAP;
    p->req_config.chunks = &spdm_requester_chunks;
    p->rsp_config.chunks = &spdm_responder_chunks;
    p->req_config.data_transfer_size = p->rsp_config.data_transfer_size = transfer;
    p->req_config.max_message_size = p->rsp_config.max_message_size = max;
    shelve(&p->rq_shelf, &p->req_config);
    shelve(&p->rs_shelf, &p->rsp_config);
}

void pair_start(struct pair *p)
{
    p->rq = spdm_requester_init((struct spdm_room){(uint8_t *)p->rq_memory, sizeof p->rq_memory}, &p->req_config);
    p->rs = spdm_responder_init((struct spdm_room){(uint8_t *)p->rs_memory, sizeof p->rs_memory}, &p->rsp_config);
    assert_non_null(p->rq);
    assert_non_null(p->rs);
}

static uint64_t fingerprint(uint64_t h, struct spdm_span data)
{
    for (size_t i = 0; i < data.n; i++) h = (h ^ data.p[i]) * 0x100000001b3u;
    return h ^ data.n;
}

/* What a judge of certificates would find out: that these are the device's. */
static bool genuine(const struct pair *p, const struct spdm_event *ev)
{
    struct spdm_span real = p->identity.slot[ev->slot & 7].certificates;

    return p->trusted != NULL && (p->refuse_slots >> ev->slot & 1) == 0 && ev->data.n == real.n + ev->root_at &&
           memcmp(ev->data.p + ev->root_at, real.p, real.n) == 0;
}

static bool known(const struct pair *p, const struct spdm_event *ev)
{
    bool same = p->known.n == 0 || (p->known.n == ev->data.n && memcmp(p->known.p, ev->data.p, ev->data.n) == 0);

    return p->know_digest && same;
}

/* The Handshake-Secret that belongs to the one PSK of the test. */
static struct spdm_span psk_secret(const struct spdm_event *ev, bool wrong)
{
    static uint8_t out[SPDM_HASH_MAX];
    struct toy own = {0}; /* the caller's library does not fail */
    struct spdm_span psk = {(const uint8_t *)(wrong ? "another secret" : "the shared secret"), 14};
    struct spdm_hmac in = {.hash = ev->hash, .key = ev->psk_salt, .part = &psk, .n = 1};

    assert_true(toy_crypto.hmac(&own, &in, out));
    return (struct spdm_span){out, spdm_algorithm(ev->hash)->size};
}

static void answer_requester(struct pair *p, const struct spdm_event *ev)
{
    struct spdm_answer a = {.ticket = ev->ticket, .key = p->trusted};

    if (ev->kind > SPDM_ASK_VENDOR) {
        if (p->errand_rq != NULL) p->errand_rq(p, ev, &a);
        assert_true(spdm_requester_answer(p->rq, &a));
        return;
    }
    if (ev->kind == SPDM_ASK_SIGN) {
        uint8_t signature[PAIR_SIGNATURE];

        p->signed_by_rq++;
        p->signed_slot = ev->slot;
        a.yes = !p->rq_refuses;
        a.data = (struct spdm_span){signature, toy_sign(&p->rq_key, &ev->signing, signature) - p->signature_less};
        assert_true(spdm_requester_answer(p->rq, &a));
        return;
    }
    if (ev->kind == SPDM_ASK_PSK) {
        a.yes = true;
        a.data = psk_secret(ev, p->wrong_psk);
        assert_true(spdm_requester_answer(p->rq, &a));
        return;
    }

    p->questions++;
    if (ev->kind == SPDM_ASK_DIGEST) {
        p->digest_asked++;
        a.yes = known(p, ev);
    } else {
        p->trust_asked++;
        a.yes = genuine(p, ev);
    }
    assert_true(spdm_requester_answer(p->rq, &a));
}

static void note_record(struct pair *p, const struct spdm_event *ev)
{
    p->records++;
    assert_true(ev->data.n <= sizeof p->record);
    if (ev->data.n != 0) memcpy(p->record, ev->data.p, ev->data.n);
    p->record_n = ev->data.n;
    p->proven = ev->proven;
    p->seen[ev->index] = fingerprint(1, ev->data);
    p->seen_proven[ev->index] = ev->proven;
}

static void note_reply(struct pair *p, const struct spdm_event *ev)
{
    p->replies++;
    assert_true(ev->data.n <= sizeof p->reply);
    if (ev->data.n != 0) memcpy(p->reply, ev->data.p, ev->data.n);
    p->reply_n = ev->data.n;
    p->reply_proven = ev->proven;
}

static void requester_events(struct pair *p)
{
    struct spdm_event ev;

    while (spdm_requester_event(p->rq, &ev) != SPDM_NOTHING) {
        switch (ev.kind) {
        case SPDM_DONE: p->finished = p->done = true; break;
        case SPDM_FAILED:
            p->finished = true;
            p->failure = ev.report;
            break;
        case SPDM_CONNECTED: p->connected = true; break;
        case SPDM_RESTARTED: p->restarted++; break;
        case SPDM_MEASURED: note_record(p, &ev); break;
        case SPDM_VENDOR: p->vendor = fingerprint(fingerprint(ev.standard, ev.vendor), ev.data); break;
        case SPDM_REPLIED: note_reply(p, &ev); break;
        case SPDM_RESET_DUE:
            p->resets_due++;
            p->reset_tag = ev.index;
            break;
        case SPDM_OPENED: p->opened_rq = ev.session; break;
        case SPDM_CLOSED:
            p->closed_rq = ev.session;
            p->closed_why_rq = ev.report;
            break;
        case SPDM_DATA:
            assert_true(ev.data.n <= sizeof p->data_rq);
            memcpy(p->data_rq, ev.data.p, ev.data.n);
            p->data_rq_n = ev.data.n;
            break;
        case SPDM_ASK_SIGN:
        case SPDM_ASK_PSK:
        case SPDM_ASK_DIGEST:
        case SPDM_ASK_TRUST: answer_requester(p, &ev); break;
        default:
            if (ev.kind > SPDM_ASK_VENDOR) answer_requester(p, &ev);
            break;
        }
    }
}

static void give_signature(struct pair *p)
{
    struct spdm_answer a = {.ticket = p->sign_ticket, .yes = true, .data = {p->signature, p->signature_n}};

    if (p->signature_n == 0 || p->now < p->sign_at) return;
    (void)spdm_responder_answer(p->rs, &a);
    p->signature_n = 0;
}

static void ask_signer(struct pair *p, const struct spdm_event *ev)
{
    p->signature_n = toy_sign(&p->key, &ev->signing, p->signature);
    p->sign_ticket = ev->ticket;
    p->sign_at = p->now + p->sign_delay;
    give_signature(p);
}

static void answer_responder(struct pair *p, const struct spdm_event *ev)
{
    struct spdm_answer a = {.ticket = ev->ticket, .yes = !p->refuse_answers};

    p->open = *ev;
    if (p->silent) return;
    if (ev->kind == SPDM_ASK_SIGN && a.yes) {
        ask_signer(p, ev);
        return;
    }
    if (ev->kind == SPDM_ASK_MEASURE) {
        a.measurements = p->measurements;
        a.measurement_n = p->measurement_n;
        a.stays = p->stays;
    } else if (ev->kind == SPDM_ASK_VENDOR) {
        a.data = ev->data;
    } else if (ev->kind == SPDM_ASK_PSK) {
        a.data = psk_secret(ev, false);
    } else if (ev->kind == SPDM_ASK_DIGEST || ev->kind == SPDM_ASK_TRUST) {
        a.yes = ev->kind == SPDM_ASK_TRUST && p->rq_trusted != NULL;
        a.key = p->rq_trusted;
    }
    if (ev->kind > SPDM_ASK_VENDOR) {
        p->errands++;
        a.yes = false;
        if (p->errand != NULL) p->errand(p, ev, &a);
    }
    assert_true(spdm_responder_answer(p->rs, &a));
}

static void responder_events(struct pair *p)
{
    struct spdm_event ev;

    give_signature(p);
    while (spdm_responder_event(p->rs, &ev) != SPDM_NOTHING) {
        switch (ev.kind) {
        case SPDM_FAILED: p->refused = ev.report; break;
        case SPDM_DONE: p->done_rs++; break;
        case SPDM_REPLIED:
            note_reply(p, &ev);
            p->replies--;
            p->replies_rs++;
            break;
        case SPDM_OPENED: p->opened_rs = ev.session; break;
        case SPDM_CLOSED:
            p->closed_rs = ev.session;
            p->closed_why_rs = ev.report;
            break;
        case SPDM_DATA:
            assert_true(ev.data.n <= sizeof p->data_rs);
            memcpy(p->data_rs, ev.data.p, ev.data.n);
            p->data_rs_n = ev.data.n;
            break;
        case SPDM_ASK_DIGEST:
        case SPDM_ASK_TRUST:
        case SPDM_ASK_PSK:
        case SPDM_ASK_MEASURE:
        case SPDM_ASK_SIGN:
        case SPDM_ASK_VENDOR: answer_responder(p, &ev); break;
        default:
            if (ev.kind > SPDM_ASK_VENDOR) answer_responder(p, &ev);
            break;
        }
    }
}

void pair_deliver(struct pair *p, bool to_responder, const uint8_t *frame, size_t n)
{
    uint8_t *exact;

    if (n == 0) return;
    exact = malloc(n);
    assert_non_null(exact);
    memcpy(exact, frame, n);
    if (to_responder) {
        spdm_responder_push(p->rs, (struct spdm_span){exact, n}, p->now);
        responder_events(p);
    } else {
        spdm_requester_push(p->rq, (struct spdm_span){exact, n}, p->now);
        requester_events(p);
    }
    free(exact);
}

/* Passes a frame through the wire function and hands over what is left of it. */
static void carry(struct pair *p, bool to_responder, struct spdm_span frame)
{
    size_t n = frame.n;

    if (n == 0) return;
    assert_true(n <= sizeof p->in);
    memcpy(p->in, frame.p, n);
    p->bytes += n;
    if (p->wire != NULL) n = p->wire(p, to_responder, p->in, n);
    p->passed++;
    pair_deliver(p, to_responder, p->in, n);
}

void pair_later(struct pair *p, bool to_responder, struct spdm_span frame, uint64_t at)
{
    for (size_t i = 0; i < PAIR_LATE; i++) {
        struct pair_late *late = &p->late[i];

        if (late->n != 0) continue;
        assert_true(frame.n <= sizeof late->frame);
        memcpy(late->frame, frame.p, frame.n);
        late->n = frame.n;
        late->to_responder = to_responder;
        late->at = at;
        return;
    }
}

/* The late frame that is due first. */
static struct pair_late *first_late(struct pair *p)
{
    struct pair_late *first = NULL;

    for (size_t i = 0; i < PAIR_LATE; i++) {
        if (p->late[i].n != 0 && (first == NULL || p->late[i].at < first->at)) first = &p->late[i];
    }
    return first;
}

/* Late frames arrive; what the responder says to one goes the ordinary way. */
static void arrive(struct pair *p)
{
    for (struct pair_late *late = first_late(p); late != NULL && late->at <= p->now; late = first_late(p)) {
        size_t n = late->n;

        late->n = 0;
        pair_deliver(p, late->to_responder, late->frame, n);
        carry(p, false, spdm_responder_pull(p->rs, p->now));
    }
}

static void step(struct pair *p)
{
    carry(p, true, spdm_requester_pull(p->rq, p->now));
    responder_events(p);
    carry(p, false, spdm_responder_pull(p->rs, p->now));
    requester_events(p);
    arrive(p);
}

static uint64_t earliest(struct pair *p)
{
    const struct pair_late *late = first_late(p);
    uint64_t at[] = {spdm_requester_deadline(p->rq), spdm_responder_deadline(p->rs),
                     p->signature_n != 0 ? p->sign_at : SPDM_NEVER, late != NULL ? late->at : SPDM_NEVER};

    for (size_t i = 1; i < sizeof at / sizeof *at; i++) {
        if (at[i] < at[0]) at[0] = at[i];
    }
    return at[0];
}

void pair_events(struct pair *p)
{
    responder_events(p);
    requester_events(p);
}

void pair_settle(struct pair *p, uint64_t until)
{
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next;

        step(p);
        next = earliest(p);
        if (next > until) break;
        if (next <= p->now) continue;
        p->now = next;
        spdm_responder_push(p->rs, (struct spdm_span){0}, p->now);
        spdm_requester_push(p->rq, (struct spdm_span){0}, p->now);
        requester_events(p);
        responder_events(p);
    }
    if (until != SPDM_NEVER && p->now < until) p->now = until;
}

void pair_ask(struct pair *p, const struct spdm_goal *goal)
{
    p->finished = p->done = false;
    p->failure = (struct spdm_report){0};
    assert_true(spdm_requester_ask(p->rq, goal));
    requester_events(p);
}

bool pair_go_on(struct pair *p)
{
    for (unsigned i = 0; !p->finished && i < 20000; i++) {
        uint64_t next;

        step(p);
        next = earliest(p);
        if (p->finished || next == SPDM_NEVER || next <= p->now) continue;
        p->now = next;
        spdm_responder_push(p->rs, (struct spdm_span){0}, p->now);
        spdm_requester_push(p->rq, (struct spdm_span){0}, p->now);
        requester_events(p);
    }
    assert_true(p->finished);
    return p->done;
}

bool pair_run(struct pair *p, const struct spdm_goal *goal)
{
    pair_ask(p, goal);
    return pair_go_on(p);
}

size_t pair_request(struct pair *p, const uint8_t *frame, size_t n, uint8_t *answer)
{
    struct spdm_span out;

    pair_deliver(p, true, frame, n);
    out = spdm_responder_pull(p->rs, p->now);
    assert_true(out.n <= PAIR_BUFFER);
    if (out.n != 0) memcpy(answer, out.p, out.n);
    return out.n;
}

size_t pair_digest(const struct pair *p, uint8_t slot, enum spdm_alg hash, uint8_t *out)
{
    struct toy toy = {0};
    uint64_t state[4] = {0};
    size_t h = spdm_algorithm(hash)->size, n = 4 + h + p->identity.slot[slot].certificates.n;
    uint8_t head[4 + SPDM_HASH_MAX] = {(uint8_t)n, (uint8_t)(n >> 8)};

    assert_true(toy_crypto.hash_state_size <= sizeof state && toy_crypto.hash_begin(&toy, state, hash));
    assert_true(toy_crypto.hash_update(&toy, state, p->identity.slot[slot].root));
    assert_true(toy_crypto.hash_peek(&toy, state, head + 4));
    toy_crypto.hash_end(&toy, state);
    assert_true(toy_crypto.hash_begin(&toy, state, hash));
    assert_true(toy_crypto.hash_update(&toy, state, (struct spdm_span){head, 4 + h}));
    assert_true(toy_crypto.hash_update(&toy, state, p->identity.slot[slot].certificates));
    assert_true(toy_crypto.hash_peek(&toy, state, out));
    toy_crypto.hash_end(&toy, state);
    return h;
}

void pair_close(struct pair *p)
{
    spdm_requester_close(p->rq);
    spdm_responder_close(p->rs);
    assert_int_equal(p->toy.open, 0);
    assert_int_equal(p->rq_shelf.shelf.taken, 0);
    assert_int_equal(p->rs_shelf.shelf.taken, 0);
}
