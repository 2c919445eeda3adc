/* SPDX-License-Identifier: BSD-3-Clause
 *
 * conn.h - a connection as every role sees it: facts, transcripts, phase.
 *
 * The jobs of both sides work on this. What a peer sent is decoded in full and
 * judged first; facts and transcripts change last, and only when the judgement
 * was fine. */
#ifndef ASSAY_CORE_CONN_H
#define ASSAY_CORE_CONN_H
#include "trust/signing.h"
#include "wire/message.h"
#include <assay/build.h>

struct session;

/* What is used most comes first: small offsets make small code. */
struct conn {
    const struct spdm_config *cfg;
    const struct edition *ed; /* of facts.version; that of 1.0 before one is agreed */
    uint8_t phase;            /* enum phase, one bit */
    bool challenged;          /* a CHALLENGE has completed: some requests no longer reset M1/M2 (UN-07) */
    bool interrupted;         /* something came between the last GET_DIGESTS and now (UN-07) */
    bool after_vca;           /* nothing has come since ALGORITHMS */
    bool digests_first;       /* ... but GET_DIGESTS: its answer counts in session transcripts (R-ORD-06) */
    /* the peer's chain: requester, witness */
    bool digests_known; /* DIGESTS has come, facts.chain_hash is that of facts.slot */
    bool large_chain;   /* the chain needs the large form */
    uint8_t slots_wanted;
    struct spdm_facts facts;
    uint8_t slots_refused;
    bool chain_grows;   /* the chain's room grows with what comes: a length alone is no reason to ask for any */
    bool state_cleared; /* END_SESSION: what was negotiated shall not outlast this connection (responder) */
    bool turned;        /* mutual authentication: the Requester proves, the Responder verifies */
    uint32_t chain_have, chain_total;
    const void *key;           /* of the chain in use, once trusted */
    struct spdm_report report; /* of the last refusal */
    io_inside inside;          /* spdm_io_inside if parts of fields are looked at, or NULL */
    struct session *channel;   /* in which the exchange at hand takes place; NULL: outside */
    struct transcript *log;    /* L1/L2 of that channel */
    uint32_t opened;           /* so many bytes of cfg->in hold what a record said */
    struct transcript tr;
};

/* Sessions and mutual authentication as the engines see them. A build that only attests leaves out what depends on
 * these: the compiler sees that it cannot be reached. */
static inline const struct spdm_sessions *spdm_sessions_of(const struct spdm_config *cfg)
{
    return SPDM_SESSIONS ? cfg->sessions : NULL;
}
static inline const struct spdm_mutual *spdm_mutual_of(const struct spdm_config *cfg)
{
    return SPDM_WHOLE ? cfg->mutual : NULL;
}
static inline const struct spdm_chunks *spdm_chunks_of(const struct spdm_config *cfg)
{
    return SPDM_CHUNKS ? cfg->chunks : NULL;
}
/* Both sides can transfer messages in chunks. */
static inline bool spdm_conn_chunks(const struct conn *c)
{
    return spdm_chunks_of(c->cfg) != NULL &&
           (c->facts.requester.flags & c->facts.responder.flags & SPDM_CHUNK_CAP) != 0;
}
/* The session in which the exchange at hand takes place; NULL: outside. */
static inline struct session *spdm_conn_channel(const struct conn *c)
{
    return SPDM_SESSIONS ? c->channel : NULL;
}
/* L1/L2 of that channel. */
static inline struct transcript *spdm_conn_log(struct conn *c)
{
    return SPDM_SESSIONS ? c->log : &c->tr;
}

/* One exchange: both messages as sent, padding trimmed, and decoded. */
struct exchange {
    struct spdm_span request, response;
    size_t signature_at, verify_at; /* of the message decoded or encoded last: where Signature and VerifyData begin,
                                       0 if there is none */
    union spdm_body req, rsp;
};

/* The longest request to be kept: KEY_EXCHANGE carries a public value, FINISH a signature, an envelope a response. */
uint16_t spdm_conn_request_max(const struct spdm_config *cfg);
/* Memory behind the struct for transcripts. */
size_t spdm_conn_size(const struct spdm_config *cfg);
/* Whether a configuration has what an endpoint needs that sends and receives for itself. */
bool spdm_conn_usable(const struct spdm_config *cfg);
/* Places a connection in `memory` of spdm_conn_size() bytes. */
void spdm_conn_place(struct conn *c, const struct spdm_config *cfg, struct spdm_room memory);
/* As before GET_VERSION; trust in digests is the caller's to keep. */
void spdm_conn_restart(struct conn *c);
/* Fixes the version; false if we do not speak it. */
bool spdm_conn_version(struct conn *c, uint8_t version);
/* Our policy lists the version. */
bool spdm_conn_speaks(const struct conn *c, uint8_t version);

/* Turns to a session and its L1/L2, or with NULL, NULL to what is outside. */
static inline void spdm_conn_turn_to(struct conn *c, struct session *s, struct transcript *log)
{
    c->channel = s;
    c->log = s != NULL ? log : &c->tr;
}

/* The layout of the message `code`; for a response, `req` is the request it answers, NULL if that is not known. */
void spdm_conn_shape(const struct conn *c, uint8_t code, const union spdm_body *req, struct shape *out);
/* Decodes x->request or x->response, as the row says, and trims it; a response in the shape that x->req demands.
 * SPDM_WHY_FINE or the refusal, which is then in c->report. */
uint8_t spdm_conn_decode(struct conn *c, const struct spdm_message *row, struct exchange *x);
/* Encodes x->req or x->rsp into room and points x->request or x->response to it. The result as above. */
uint8_t spdm_conn_encode(struct conn *c, const struct spdm_message *row, struct exchange *x, struct spdm_room room);

/* The place in `out` of a message in the channel of the exchange at hand, as long as the buffer allows (out.c). */
struct spdm_room spdm_conn_out(const struct conn *c);

/* Notes a refusal and returns it. */
uint8_t spdm_conn_refuse(struct conn *c, uint8_t why, uint32_t got, uint32_t limit);
uint8_t spdm_conn_refuse_tersely(struct conn *c, uint8_t why);
static inline struct conn *spdm_conn_blame(struct conn *c, const char *field)
{
    c->report.field = field;
    return c;
}
#define refuse_size(c, why, got, limit) spdm_conn_refuse(c, SPDM_WHY_##why, (uint32_t)(got), (uint32_t)(limit))
#ifdef SPDM_NO_NAMES
#define blame(c, name) ((void)sizeof(name), (c))
#define refuse(c, why, name, got, limit)                                                                               \
    ((void)sizeof(name), (void)sizeof((got) + (limit)), spdm_conn_refuse_tersely(c, SPDM_WHY_##why))
#else
#define blame(c, name) spdm_conn_blame(c, name)
#define refuse(c, why, name, got, limit) refuse_size(blame(c, name), why, got, limit)
#endif

/* Resets that a request brings with it, whatever its answer (transcripts.md section 10): the requester's when it sends,
 * the responder's when it has accepted code and phase. */
void spdm_conn_reset_by(struct conn *c, const struct spdm_message *request);
/* Enters one message, as sent and without what `n` leaves off, into its transcripts. false: VCA is full. */
bool spdm_conn_enter(struct conn *c, const struct spdm_message *row, struct spdm_span message);
/* The transcript behind a signature. */
enum transcript_kind spdm_conn_signed(enum signed_by by);
struct transcript *spdm_conn_transcript(struct conn *c, enum signed_by by);
void spdm_conn_reset_signed(struct conn *c, enum signed_by by);
struct signer spdm_conn_signer(const struct conn *c);

/* The digest that stands for VCA and one exchange, the signature left off x->response: IL1/IL2 (transcripts.md section
 * 5). */
bool spdm_conn_exchange_digest(const struct conn *c, const struct exchange *x, uint8_t out[SPDM_HASH_MAX]);
/* The digest of facts.hash size of up to n spans; false if the crypto library failed. */
bool spdm_conn_digest(const struct conn *c, const struct spdm_span *part, size_t n, uint8_t out[SPDM_HASH_MAX]);
static inline size_t spdm_conn_hash_size(const struct conn *c)
{
    return spdm_algorithm((enum spdm_alg)c->facts.hash)->size;
}
/* A fingerprint of a message, never 0. Who forges one gains that a message of his own is dropped. */
uint32_t spdm_conn_mark(struct spdm_span message);
/* slot 0..7 or SPDM_SLOT_KEY as the nibble that responses and GET_MEASUREMENTS use. */
static inline uint8_t spdm_slot_nibble(uint8_t slot)
{
    return slot & 0x0f;
}

/* capability.c: what GET_CAPABILITIES or CAPABILITIES says, as far as the masks go; and the flag rules of the text:
 * SPDM_WHY_FINE or the refusal. */
/* MaxSPDMmsgSize is DataTransferSize without CHUNK_CAP (R-CAP-10, R-CAP-11); policy: errata. */
bool spdm_capability_sizes(const struct conn *c, uint32_t flags, const struct capabilities *m);
void spdm_capability_learn(struct spdm_endpoint_facts *out, const struct capabilities *m, uint32_t flags, uint16_t ext);
/* What we say of ourselves: `flags` as far as this configuration can keep them, and sizes. */
static inline void spdm_capability_offer(const struct conn *c, uint32_t flags, struct capabilities *m)
{
    const struct spdm_config *cfg = c->cfg;

    m->flags = spdm_chunks_of(cfg) != NULL ? flags : flags & ~SPDM_CHUNK_CAP;
    m->ct_exponent = cfg->policy->ct_exponent;
    m->data_transfer_size = m->max_message_size = cfg->data_transfer_size;
    if (SPDM_CHUNKS && (m->flags & SPDM_CHUNK_CAP) != 0 && cfg->max_message_size > cfg->data_transfer_size)
        m->max_message_size = cfg->max_message_size; /* R-CAP-09; without chunks both are equal (R-CAP-10) */
}
uint8_t spdm_capability_judge_requester(struct conn *c, uint32_t flags);
uint8_t spdm_capability_judge_responder(struct conn *c, uint32_t flags);

/* select.c: policy lists and wire masks. */
uint32_t spdm_select_mask(const uint8_t *list, enum spdm_class cls, uint8_t version);
/* The first of the list that a mask of its class offers: class `cls` in `mask`, any other in `other`. */
uint8_t spdm_select_first(const uint8_t *list, uint8_t version, enum spdm_class cls, const uint32_t mask[2]);
/* All that policy allows, as NEGOTIATE_ALGORITHMS and the SupportedAlgorithms block name it; but for a multi-key
 * connection. */
void spdm_select_offer(const struct conn *c, struct algorithms *m);
/* Facts from a complete and judged ALGORITHMS. */
void spdm_select_learn(struct conn *c, const struct algorithms *offer, const struct algorithms *chosen);
#endif
