/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_run.h - one device, attested over one link.
 *
 * A run drives a requester over a link on the caller's loop, asks the caller
 * whether chains are to be trusted, and collects what it learns into a result.
 * It judges nothing: verdict.h does. Runs share nothing but what they are
 * given, so one loop carries as many as there are devices.
 *
 * A run asks for the connection first and plans the rest by what the device
 * offers: what it does not offer is left out (and stays "not done" in the
 * report), so that one device without measurements does not end in an error.
 * A chain that is remembered from last time is taken for granted without a
 * message; if then a signature fails, the run starts over as with a stranger.
 *
 * After `done` the link stays open: spdm_attest_again() then costs one
 * exchange. spdm_attest_free() ends it.
 *
 * With a session, measurements are taken inside it, and it is ended before
 * `done`, unless somebody wants to stay in it. */
#ifndef SPDM_ATTEST_RUN_H
#define SPDM_ATTEST_RUN_H
#include "asker.h"

struct spdm_attest; /* a run */

/* ---- what to do: made once, shared by many runs, outlives them ---- */

enum spdm_challenge {
    SPDM_CHALLENGE_AUTO, /* unless signed measurements prove the same: from 1.2 on they sign the negotiation too */
    SPDM_CHALLENGE_ALWAYS,
    SPDM_CHALLENGE_NEVER
};

/* A chain vouched for beforehand. */
struct spdm_vouched {
    uint8_t slot;
    struct spdm_span digest; /* of the chain structure */
    const void *key;         /* NULL: there is none; else outlives the run */
};

/* Whom to trust; either function may be NULL: then nobody. */
struct spdm_attest_trust {
    /* Answers SPDM_ASK_DIGEST and SPDM_ASK_TRUST: sets answer->yes and answer->key, which outlives the run. */
    void (*answer)(void *ctx, struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *answer);
    /* Before anything is sent: the chain that this target had last time. */
    struct spdm_vouched (*remembered)(void *ctx, struct spdm_attest *run);
};

enum spdm_session_mode { SPDM_NO_SESSION, SPDM_KEY_SESSION, SPDM_PSK_SESSION };

/* Who goes on where attesting ends: the session is left open, and what happens from then on is told here, with the ctx
 * of `done`. */
struct spdm_attest_stay {
    /* Events that attesting has no use for: application data, the end of the session; after `done`: all. */
    void (*event)(void *ctx, struct spdm_attest *run, const struct spdm_event *event);
    /* Everything sent has left, after some of it had to wait. */
    void (*drained)(void *ctx, struct spdm_attest *run);
    /* The link has ended after `done`. */
    void (*down)(void *ctx, struct spdm_attest *run, const char *reason);
    /* Questions of errands that the device asks. May be NULL: they are refused. */
    void (*answer)(void *ctx, struct spdm_attest *run, const struct spdm_event *event, struct spdm_answer *answer);
};

struct spdm_attest_order {
    const struct spdm_crypto *crypto;
    void *crypto_ctx;
    const struct spdm_policy *policy;
    const struct spdm_attest_trust *trust;
    void *trust_ctx;
    struct spdm_span public_key; /* provisioned key as provisioned, instead of certificates; empty: none */
    const void *public_key_handle;
    struct spdm_own *own;                                       /* our identity and the pre-shared key; NULL: none */
    size_t data_max;                                            /* the longest application data that will be sent */
    const struct spdm_attest_stay *stay;                        /* NULL: nobody does */
    const struct spdm_tamper_plan *tamper;                      /* NULL: we behave */
    void (*keylog)(void *ctx, const struct spdm_keylog *entry); /* may be NULL */
    void *keylog_ctx;
    /* Every frame as it passes, and every message, in a record or not; may be NULL. */
    void (*tap)(void *ctx, struct spdm_attest *run, const struct spdm_tapped *tapped);
    void (*message)(void *ctx, struct spdm_attest *run, const struct spdm_passing *passing);
    void *tap_ctx; /* of both */
    enum spdm_challenge challenge;
    enum spdm_measure operation;
    enum spdm_session_mode session;
    uint32_t timeout_ms, spent_ms;                 /* in all, and what of it is over already */
    uint32_t data_transfer_size, max_message_size; /* 0: as much as there is room for */
    uint8_t slots;                                 /* mask; 0: all */
    uint8_t index;                                 /* SPDM_MEASURE_INDEX */
    uint8_t summary;                               /* summary hash asked for in CHALLENGE: 0, 1, 0xff */
    bool measure;                                  /* any measurements at all */
    bool sign, raw, fresh;
    bool record;       /* keep every message in the result */
    bool known_by_psk; /* SPDM_PSK_SESSION: who holds the key is the device, certificates are not asked for */
    bool pause;        /* with stay: `done` comes when all is agreed on, and spdm_attest_go_on() does the rest */
    bool listen;       /* the device connects to us, at the target */
    bool events;       /* the device may ask us for errands: tell us of events */
};

/* ---- what came of it ---- */

enum spdm_attest_end {
    SPDM_ATTEST_RUNNING,
    SPDM_ATTEST_DONE,   /* the goal is reached; for a verdict see verdict.h */
    SPDM_ATTEST_FAILED, /* the engine refused or was refused: report */
    SPDM_ATTEST_LINK,   /* the link ended: link_end, reason */
    SPDM_ATTEST_TIMEOUT /* timeout_ms is over: reason */
};

enum spdm_chain_source {
    SPDM_CHAIN_NONE,
    SPDM_CHAIN_FETCHED,
    SPDM_CHAIN_KNOWN,      /* DIGESTS named a chain that is in the cache */
    SPDM_CHAIN_REMEMBERED, /* taken for granted, and the signature verified */
    SPDM_CHAIN_KEY,        /* a provisioned public key */
    SPDM_CHAIN_PSK         /* a pre-shared key */
};

struct spdm_measured {
    struct spdm_measurement m; /* its value lies in bytes */
    bool proven;               /* covered by a signature that verified, or read in a session with the device */
    struct spdm_room bytes;
};

struct spdm_message {
    bool sent;
    struct spdm_room bytes;
};

struct spdm_attest_session {
    enum spdm_session_mode mode; /* what was wanted */
    const char *lacking;         /* what the device has not that it takes; NULL: nothing */
    bool opened;
    struct spdm_session_facts facts; /* as it was opened */
};

struct spdm_attest_result {
    struct spdm_target target;
    struct timespec began; /* wall clock */
    enum spdm_attest_end end;
    enum spdm_link_end link_end;
    char reason[SPDM_REASON_MAX];
    struct spdm_report report;

    bool reached;   /* the link was up */
    bool connected; /* version, capabilities and algorithms are agreed: facts are good */
    struct spdm_facts facts;
    char peer[SPDM_TARGET_MAX]; /* address it turned out to be */

    struct spdm_goal goal; /* what was asked for in the end */
    bool planned;          /* goal is good */
    enum spdm_chain_source source;
    struct spdm_room chain; /* structure of the slot in use, if it is known */
    uint8_t asked_slots;    /* slots whose chain was put before the judge */
    uint8_t refused_slots;  /* ... and refused */
    bool fell_back;         /* a remembered chain did not hold */
    unsigned restarts;      /* by the device, or RequestResynch */

    struct spdm_attest_session session;
    struct spdm_measured *measured;
    size_t measured_n;
    struct spdm_room summary; /* MeasurementSummaryHash of the last CHALLENGE_AUTH: good if facts.authentic */

    unsigned sent, received;             /* SPDM messages */
    uint64_t sent_bytes, received_bytes; /* frames, binding included */
    uint64_t time_us;
    struct spdm_message *messages; /* order.record */
    size_t message_n;
};

/* Starts to connect. `done` comes once, from the loop, never before return; NULL only when memory is short. */
struct spdm_attest *spdm_attest_start(uv_loop_t *loop, const struct spdm_target *target,
                                      const struct spdm_attest_order *order,
                                      void (*done)(void *ctx, struct spdm_attest *run), void *ctx);
/* After `done`: does it once more, on the same link if it is still there; `done` comes again. */
bool spdm_attest_again(struct spdm_attest *run);
/* After the `done` of order.pause: does the rest; `done` comes again. */
bool spdm_attest_go_on(struct spdm_attest *run);
/* Once it is connected: the order's public key is the device's, for goals of who stays. */
void spdm_attest_vouch(struct spdm_attest *run);
/* Valid until spdm_attest_again() or spdm_attest_free(); in a callback of spdm_attest_trust facts are up to date. */
const struct spdm_attest_result *spdm_attest_result(const struct spdm_attest *run);
/* For who stays. */
struct spdm_asker *spdm_attest_asker(const struct spdm_attest *run);
/* For taps: what is agreed so far, and the last SPDM request that was sent. */
const struct spdm_facts *spdm_attest_facts(const struct spdm_attest *run);
struct spdm_span spdm_attest_request(const struct spdm_attest *run);
void *spdm_attest_context(const struct spdm_attest *run);
/* Ends the link and frees the run, from `done` or at any time; `done` does not come any more. */
void spdm_attest_free(struct spdm_attest *run);
#endif
