/* SPDX-License-Identifier: BSD-3-Clause
 *
 * asker.h - a requester on a link on the caller's loop.
 *
 * An asker owns the engine, its memory and the link; it moves frames between
 * the two, wakes the engine when its time has come, and hands every event to
 * who drives it. What to ask, whom to believe and when it is enough is the
 * driver's: it calls spdm_requester_ask() and spdm_requester_answer() on the
 * engine, from an event or followed by spdm_asker_advance().
 *
 * Events come from the loop or from advance(). The asker must not be freed
 * from within one, but from `down`. */
#ifndef SPDM_ASKER_H
#define SPDM_ASKER_H
#include "own.h"
#include "port/link.h"
#include "tamper.h"
#include <assay/session.h>

struct spdm_asker;

/* The largest message taken in one: fits a frame of 64 KiB with any binding's header. */
#define SPDM_ASKER_TRANSFER_MAX 65520
#define SPDM_ASKER_MESSAGE_MAX (1u << 20) /* the largest one in chunks, if nothing else is said */

struct spdm_asker_setup {
    const struct spdm_crypto *crypto;
    void *crypto_ctx;
    const struct spdm_policy *policy;
    struct spdm_own *own;                          /* NULL: there is nothing we could prove to the device */
    bool session;                                  /* there may be one */
    bool listen;                                   /* the device connects to us, at the target (DSP0287) */
    bool events;                                   /* the device may ask for errands: tell of events */
    const struct spdm_tamper_plan *tamper;         /* NULL: we behave */
    size_t data_max;                               /* the longest application data that will be sent in it */
    uint32_t data_transfer_size, max_message_size; /* 0: as above */
    void (*keylog)(void *ctx, const struct spdm_keylog *entry); /* may be NULL */
    void *keylog_ctx;
};

/* An SPDM message as it passes, or application data. */
struct spdm_passing {
    struct spdm_span message; /* with the padding of its transport, outside of records */
    uint32_t session;         /* inside a record of this session; 0: in the open */
    bool sent, app;
};

struct spdm_asker_events {
    void (*up)(void *ctx);
    void (*event)(void *ctx, const struct spdm_event *event);
    void (*frame)(void *ctx, const struct spdm_tapped *tapped);
    void (*message)(void *ctx, const struct spdm_passing *passing);
    void (*drained)(void *ctx); /* nothing waits on the link any more; spdm_asker_send() is worth a try */
    void (*down)(void *ctx, enum spdm_link_end end, const char *reason);
};

/* An asker with a fresh engine and no link yet; setup and events outlive it. NULL: memory is short. */
struct spdm_asker *spdm_asker_new(uv_loop_t *loop, const struct spdm_target *target,
                                  const struct spdm_asker_setup *setup, const struct spdm_asker_events *events,
                                  void *ctx);
/* Starts to connect, or to wait for the device; false when memory is short. */
bool spdm_asker_connect(struct spdm_asker *asker, uint32_t timeout_ms);
/* Ends the link without a `down`. */
void spdm_asker_drop(struct spdm_asker *asker);
bool spdm_asker_linked(const struct spdm_asker *asker);
const char *spdm_asker_peer(const struct spdm_asker *asker);
/* An engine that knows nothing takes the place of the one before. */
bool spdm_asker_renew(struct spdm_asker *asker);
struct spdm_requester *spdm_asker_engine(const struct spdm_asker *asker);
/* Moves until the engine has nothing to tell and nothing to send. */
void spdm_asker_advance(struct spdm_asker *asker);
/* Sends application data, which may be done from within an event. false: not now; because earlier frames have not left
 * yet (`drained` follows), or keys are being changed, or the session is gone. */
bool spdm_asker_send(struct spdm_asker *asker, uint32_t session, struct spdm_span data);
/* Until the next advance() no timer wakes the engine, and what comes is thrown away: nobody asked. */
void spdm_asker_rest(struct spdm_asker *asker);
/* NULL is fine. */
void spdm_asker_free(struct spdm_asker *asker);
#endif
