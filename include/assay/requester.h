/* SPDX-License-Identifier: BSD-3-Clause
 *
 * requester.h - the side that asks: attest a device.
 *
 * State a goal with ask(), then move bytes until SPDM_DONE or SPDM_FAILED. The
 * next message is always a function of the goal and of what is known, so a
 * second ask() on a live connection sends only what is missing: asking for
 * measurements again costs one exchange.
 *
 *     spdm_requester_ask(rq, &goal);
 *     for (;;) {
 *         while (spdm_requester_event(rq, &ev) != SPDM_NOTHING) ... answer questions, stop at DONE or FAILED
 *         out = spdm_requester_pull(rq, now());
 *         if (out.n != 0) send(out);
 *         in = receive until spdm_requester_deadline(rq)
 *         spdm_requester_push(rq, in, now());
 *     }
 */
#ifndef ASSAY_REQUESTER_H
#define ASSAY_REQUESTER_H
#include <assay/spdm.h>

enum spdm_want {
    SPDM_WANT_CONNECT = 0,      /* version, capabilities, algorithms */
    SPDM_WANT_DIGESTS = 1,      /* which slots there are */
    SPDM_WANT_IDENTITY = 2,     /* a certificate chain (or provisioned key) that the caller trusts */
    SPDM_WANT_CHALLENGE = 4,    /* proof of possession by CHALLENGE (implies identity) */
    SPDM_WANT_MEASUREMENTS = 8, /* see below; signed ones imply identity */
    SPDM_WANT_VENDOR = 16,      /* one VENDOR_DEFINED exchange */
    SPDM_WANT_SESSION = 32,     /* a new session by KEY_EXCHANGE (implies identity) */
    SPDM_WANT_PSK_SESSION = 64, /* a new session by PSK_EXCHANGE */
    SPDM_WANT_KEY_UPDATE = 128, /* new keys for goal.session */
    SPDM_WANT_POLL = 512,       /* GET_ENCAPSULATED_REQUEST until the Responder has no more */
    SPDM_WANT_ERRAND = 1024,    /* goal.errand */
    SPDM_WANT_END_SESSION = 256 /* goal.session ends, after everything else the goal wants */
};

enum spdm_measure { SPDM_MEASURE_ALL, SPDM_MEASURE_COUNT, SPDM_MEASURE_INDEX, SPDM_MEASURE_EACH };

struct spdm_goal {
    unsigned want;
    uint8_t slots;   /* acceptable certificate slots as a mask, lowest first; 0 is all eight */
    bool use_key;    /* authenticate by provisioned public key (spdm_requester_trust with SPDM_SLOT_KEY) */
    uint8_t summary; /* measurement summary asked for in CHALLENGE: 0, 1 (TCB), 0xff (all) */
    enum spdm_measure measure;
    uint8_t index;    /* SPDM_MEASURE_INDEX: 1..0xfe */
    bool sign;        /* measurements signed */
    bool raw, fresh;  /* RawBitStreamRequested (1.2+), NewMeasurementRequested (1.3+) */
    uint32_t session; /* in which digests, measurements, vendor messages, updates and the end take place; 0: in the one
                         that this goal opens, else outside */
    uint8_t session_policy;    /* SessionPolicy (1.2+): bit 0 TerminationPolicy, bit 1 EventAllPolicy (1.3+) */
    struct spdm_span psk_hint; /* SPDM_WANT_PSK_SESSION; valid until DONE or FAILED */
    uint8_t update;            /* SPDM_WANT_KEY_UPDATE: 1 UpdateKey, 2 UpdateAllKeys */
    bool clear_state;          /* SPDM_WANT_END_SESSION: NegotiatedStateClear, if the Responder has CACHE_CAP */
    uint16_t standard;         /* SPDM_WANT_VENDOR: StandardID, VendorID, payload; valid until DONE or FAILED */
    struct spdm_span vendor, payload;
    const struct spdm_errand *errand; /* SPDM_WANT_ERRAND: one of errand.h, and its contents; */
    const union spdm_order *order;    /* valid until DONE or FAILED */
};

struct spdm_requester;

/* Bytes of memory a connection with this configuration needs. */
size_t spdm_requester_size(const struct spdm_config *config);
/* Places a connection in memory (aligned like uint64_t); NULL if the memory is too small or the configuration
 * cannot work. Memory and configuration stay the caller's and must outlive the connection. */
struct spdm_requester *spdm_requester_init(struct spdm_room memory, const struct spdm_config *config);
/* Vouches beforehand for the chain (or, with SPDM_SLOT_KEY, the provisioned key) in a slot: hash is its digest of
 * hash_n bytes in the base hash that will be negotiated, or has been: between two goals it counts at once. Such a slot
 * needs no DIGESTS and no CERTIFICATE. */
void spdm_requester_trust(struct spdm_requester *rq, uint8_t slot, struct spdm_span hash, const void *key);
/* States a goal. false: another is still being pursued. */
bool spdm_requester_ask(struct spdm_requester *rq, const struct spdm_goal *goal);
/* The next frame for the peer, empty if there is none now. */
struct spdm_span spdm_requester_pull(struct spdm_requester *rq, uint64_t now);
/* A frame from the peer; empty if only time has passed. */
void spdm_requester_push(struct spdm_requester *rq, struct spdm_span frame, uint64_t now);
/* The next event; SPDM_NOTHING when there is none. */
enum spdm_event_kind spdm_requester_event(struct spdm_requester *rq, struct spdm_event *event);
/* Settles a question. false: no such question is open (the connection has moved on). */
bool spdm_requester_answer(struct spdm_requester *rq, const struct spdm_answer *answer);
uint64_t spdm_requester_deadline(const struct spdm_requester *rq);
const struct spdm_facts *spdm_requester_facts(const struct spdm_requester *rq);
/* The six negotiation messages back to back (part of every 1.2+ signature): evidence for a third party. */
struct spdm_span spdm_requester_vca(const struct spdm_requester *rq);
/* After a reset, with a Responder that has CACHE_CAP: the connection begins with what an earlier one negotiated (its
 * VCA), and nothing is sent. If the Responder has not kept it, the next goal starts over by itself. false: not with
 * this configuration, this Responder, or below 1.2; the next goal starts as ever. */
bool spdm_requester_recall(struct spdm_requester *rq, struct spdm_span vca);
/* The link is gone: everything negotiated is forgotten, trust in digests stays. The next ask() starts over. */
void spdm_requester_reset(struct spdm_requester *rq);
/* Releases hash states and wipes. */
void spdm_requester_close(struct spdm_requester *rq);
#endif
