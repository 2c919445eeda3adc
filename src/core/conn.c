/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What requester, responder and witness have in common: placing a connection,
 * the shape of a message, the way of messages into transcripts. */
#include "core/session.h"

enum { VCA_MAX = 512, REQUEST_MAX = 160, OPAQUE_MAX = 1024 };

static uint16_t vca_max(const struct spdm_config *cfg)
{
    return cfg->vca_max != 0 ? cfg->vca_max : VCA_MAX;
}

static size_t largest(const uint8_t *list)
{
    size_t most = 0;

    for (size_t i = 0; list != NULL && list[i] != 0; i++) {
        size_t n = spdm_algorithm((enum spdm_alg)list[i])->size;

        if (n > most) most = n;
    }
    return most;
}

uint16_t spdm_conn_request_max(const struct spdm_config *cfg)
{
    size_t n = REQUEST_MAX;

    if (cfg->request_max != 0) return cfg->request_max;
    if (spdm_sessions_of(cfg) != NULL) n += largest(cfg->policy->exchanges);
    if (spdm_chunks_of(cfg) != NULL && cfg->lender != NULL) return (uint16_t)n; /* what is longer lies in lent room */
    if (spdm_mutual_of(cfg) != NULL) n += largest(cfg->policy->req_signatures);
    if (spdm_mutual_of(cfg) != NULL && cfg->turned->identity != NULL)
        n += cfg->turned->out.n; /* requester: envelopes */
    return n < 0xffff ? (uint16_t)n : 0xffff;
}

size_t spdm_conn_size(const struct spdm_config *cfg)
{
    return spdm_transcript_size(cfg->crypto, vca_max(cfg));
}

void spdm_conn_place(struct conn *c, const struct spdm_config *cfg, struct spdm_room memory)
{
    *c = (struct conn){.cfg = cfg};
    c->tr.crypto = cfg->crypto;
    c->tr.ctx = cfg->crypto_ctx;
    spdm_transcript_init(&c->tr, memory, vca_max(cfg));
    if (spdm_sessions_of(cfg) != NULL) spdm_sessions_of(cfg)->place(c);
    spdm_conn_restart(c);
}

bool spdm_conn_usable(const struct spdm_config *cfg)
{
    return cfg->out.p != NULL && cfg->policy->versions[0] != 0 && cfg->data_transfer_size >= MIN_DATA_TRANSFER_SIZE &&
           cfg->out.n >= (size_t)cfg->binding->head + cfg->binding->tail + MIN_DATA_TRANSFER_SIZE;
}

void spdm_conn_restart(struct conn *c)
{
    if (spdm_sessions_of(c->cfg) != NULL) spdm_sessions_of(c->cfg)->clear(c);
    if (SPDM_SESSIONS) spdm_conn_turn_to(c, NULL, NULL);
    spdm_transcript_clear(&c->tr);
    c->tr.without_vca = false;
    c->facts = (struct spdm_facts){0};
    c->ed = spdm_edition(SPDM_V10);
    c->phase = PHASE_START;
    c->key = NULL;
    c->after_vca = c->digests_first = c->challenged = c->interrupted = c->digests_known = c->large_chain = false;
    c->state_cleared = false;
    c->chain_have = c->chain_total = 0;
}

bool spdm_conn_speaks(const struct conn *c, uint8_t version)
{
    for (unsigned i = 0; i < sizeof c->cfg->policy->versions; i++) {
        /* VERSION: membership in the policy's list */
        if (version != 0 && c->cfg->policy->versions[i] == version) return spdm_edition(version) != NULL;
    }
    return false;
}

bool spdm_conn_version(struct conn *c, uint8_t version)
{
    if (!spdm_conn_speaks(c, version)) return false;
    c->ed = spdm_edition(version);
    c->facts.version = version;
    c->tr.vca_in_l1l2 = c->ed->vca_in_l1l2;
    return true;
}

/* The measurement summary that a request asked for. */
static uint8_t summary_type(uint8_t code, const union spdm_body *req)
{
    if (code == CODE_CHALLENGE_AUTH) return req->challenge.summary;
    if (SPDM_SESSIONS && code == CODE_KEY_EXCHANGE_RSP) return req->key_exchange.summary;
    if (SPDM_WHOLE && code == CODE_PSK_EXCHANGE_RSP) return req->psk_exchange.summary;
    return 0;
}

/* What only messages of sessions need: sizes of exchange data, and which VerifyData is there. */
static void session_shape(const struct spdm_facts *f, uint8_t code, struct shape *sh)
{
    bool clear = (f->requester.flags & f->responder.flags & SPDM_HANDSHAKE_IN_THE_CLEAR_CAP) != 0;
    const struct spdm_algorithm *exchange = spdm_algorithm((enum spdm_alg)f->exchange);

    sh->exchange = exchange->size;
    sh->exchange_reply = exchange->reply;
    if (code == CODE_KEY_EXCHANGE_RSP) sh->verify = clear ? 0 : sh->hash; /* R-KEX-43 */
    if (code == CODE_FINISH_RSP) sh->verify = clear ? sh->hash : 0;       /* R-FIN-13, R-FIN-14 */
    if (code == CODE_FINISH) sh->sig = spdm_algorithm((enum spdm_alg)f->req_signature)->size;
}

void spdm_conn_shape(const struct conn *c, uint8_t code, const union spdm_body *req, struct shape *out)
{
    const struct spdm_facts *f = &c->facts;
    uint16_t limit = c->cfg->policy->opaque_max;

    *out = (struct shape){.ver = c->ed->version,
                          .hash = (uint8_t)spdm_conn_hash_size(c),
                          .opaque_format = f->opaque_format,
                          .opaque_free = !c->ed->negotiates_opaque,
                          .multi_key = f->multi_key_rsp,
                          .sig = spdm_algorithm((enum spdm_alg)f->signature)->size,
                          .opaque_max = limit != 0 ? limit : OPAQUE_MAX};
    if (SPDM_SESSIONS) session_shape(f, code, out);
    if (req == NULL) return;
    if (summary_type(code, req) != 0 && (f->responder.flags & SPDM_MEAS_CAP_MASK) != 0) out->meas_sum = out->hash;
    out->signature = code == CODE_MEASUREMENTS && req->get_measurements.sign;
    if (SPDM_WHOLE && code == CODE_ENDPOINT_INFO) out->signature = req->order.endpoint.sign;
}

static bool is_request(const struct spdm_message *row)
{
    return row->code >= 0x80;
}

/* Runs the walker; afterwards the message is the first io.at bytes. */
static uint8_t walk(struct conn *c, const struct spdm_message *row, struct exchange *x, struct io *io)
{
    union spdm_body *body = is_request(row) ? &x->req : &x->rsp;
    bool fine;

    spdm_conn_shape(c, row->code, &x->req, &io->sh);
    fine = io_decoding(io) ? spdm_decode(io, row, body) : spdm_encode(io, row, body);
    x->signature_at = io->signature_at;
    x->verify_at = io->verify_at;
    if (!fine) spdm_io_report(io, row, &c->report);
    return io->why;
}

uint8_t spdm_conn_decode(struct conn *c, const struct spdm_message *row, struct exchange *x)
{
    struct spdm_span *bytes = is_request(row) ? &x->request : &x->response;
    struct io io = {.rd = *bytes, .end = bytes->n, .inside = c->inside};
    uint8_t why = walk(c, row, x, &io);

    bytes->n = io.at;
    return why;
}

uint8_t spdm_conn_encode(struct conn *c, const struct spdm_message *row, struct exchange *x, struct spdm_room room)
{
    struct spdm_span *bytes = is_request(row) ? &x->request : &x->response;
    struct io io = {.wr = room, .end = room.n};
    uint8_t why = walk(c, row, x, &io);

    *bytes = spdm_span(room.p, io.at);
    return why;
}

uint8_t spdm_conn_refuse(struct conn *c, uint8_t why, uint32_t got, uint32_t limit)
{
    c->report.got = got;
    c->report.limit = limit;
    return spdm_conn_refuse_tersely(c, why);
}

uint8_t spdm_conn_refuse_tersely(struct conn *c, uint8_t why)
{
    c->report.why = why;
    c->report.code = c->report.error = 0;
    c->report.version = c->facts.version;
    c->report.offset = 0;
    return why;
}

void spdm_conn_reset_by(struct conn *c, const struct spdm_message *request)
{
    if (request->code == CODE_GET_VERSION) return; /* restarts everything, before it is entered */
    if (SPDM_SESSIONS) c->digests_first = c->after_vca && request->code == CODE_GET_DIGESTS;
    if ((request->joins & JOINS_VCA) == 0) c->after_vca = false;
    if ((request->joins & JOINS_L1L2) == 0) spdm_transcript_reset(spdm_conn_log(c), TRANSCRIPT_L1L2);
    if (spdm_conn_channel(c) != NULL) return; /* what happens in a session never touches M1/M2 (R-CHL-27) */
    if ((request->joins & RESETS_M1M2) != 0 || ((request->joins & RESETS_M1M2_UNPROVEN) != 0 && !c->challenged)) {
        spdm_transcript_reset(&c->tr, TRANSCRIPT_M1M2);
    }
    if ((request->joins & JOINS_VCA) == 0) c->interrupted = (request->joins & JOINS_M1M2) == 0;
}

bool spdm_conn_enter(struct conn *c, const struct spdm_message *row, struct spdm_span message)
{
    enum spdm_alg hash = (enum spdm_alg)c->facts.hash;

    if ((row->joins & JOINS_VCA) != 0) return spdm_transcript_add_vca(&c->tr, message);
    if ((row->joins & JOINS_M1M2) != 0 && spdm_conn_channel(c) == NULL) {
        spdm_transcript_add(&c->tr, TRANSCRIPT_M1M2, hash, message);
    }
    if ((row->joins & JOINS_L1L2) != 0) spdm_transcript_add(spdm_conn_log(c), TRANSCRIPT_L1L2, hash, message);
    if (row->code == CODE_DIGESTS && c->digests_first && c->facts.multi_key_rsp && spdm_sessions_of(c->cfg) != NULL) {
        spdm_transcript_add(&c->tr, TRANSCRIPT_BASE, hash, message);
    }
    return true;
}

enum transcript_kind spdm_conn_signed(enum signed_by by)
{
    return by == SIGNED_MEASUREMENTS ? TRANSCRIPT_L1L2 : TRANSCRIPT_M1M2;
}

struct transcript *spdm_conn_transcript(struct conn *c, enum signed_by by)
{
    return by == SIGNED_MEASUREMENTS ? spdm_conn_log(c) : &c->tr;
}

void spdm_conn_reset_signed(struct conn *c, enum signed_by by)
{
    spdm_transcript_reset(spdm_conn_transcript(c, by), spdm_conn_signed(by));
}

struct signer spdm_conn_signer(const struct conn *c)
{
    return (struct signer){.edition = c->ed,
                           .alg = c->facts.signature,
                           .hash = c->facts.hash,
                           .byte_order = c->cfg->policy->legacy_byte_order,
                           .turned = c->turned};
}

bool spdm_conn_exchange_digest(const struct conn *c, const struct exchange *x, uint8_t out[SPDM_HASH_MAX])
{
    struct spdm_span part[3] = {spdm_span(c->tr.vca, c->tr.vca_n), x->request, x->response};

    return spdm_conn_digest(c, part, 3, out);
}

uint32_t spdm_conn_mark(struct spdm_span message)
{
    uint32_t h = 0x811c9dc5u;

    for (size_t i = 0; i < message.n; i++) h = (h ^ message.p[i]) * 0x01000193u;
    return h | 1;
}

bool spdm_conn_digest(const struct conn *c, const struct spdm_span *part, size_t n, uint8_t out[SPDM_HASH_MAX])
{
    return c->facts.hash != SPDM_ALG_NONE && spdm_digest(&c->tr, (enum spdm_alg)c->facts.hash, part, n, out);
}
