/* SPDX-License-Identifier: BSD-3-Clause
 *
 * null_session.h - what responder.c and requester.c need for one session by
 * KEY_EXCHANGE (secp384r1, AES-256-GCM) when built WITH_SESSION, and what a
 * responder needs for every message there is, WITH_EVERYTHING. */
#ifndef ASSAY_TESTS_SIZE_NULL_SESSION_H
#define ASSAY_TESTS_SIZE_NULL_SESSION_H
#include <assay/session.h>

#ifdef WITH_SESSION
static bool null_hmac(void *ctx, const struct spdm_hmac *in, uint8_t *out)
{
    (void)ctx;
    return in->n != 0 && out != NULL;
}

static bool null_aead_begin(void *ctx, void *state, enum spdm_alg aead, struct spdm_span key)
{
    (void)ctx;
    (void)state;
    return aead != SPDM_ALG_NONE && key.n != 0;
}

static bool null_aead_seal(void *ctx, void *state, const struct spdm_aead *record)
{
    (void)ctx;
    (void)state;
    return record->out != NULL;
}

static spdm_verdict null_aead_open(void *ctx, void *state, const struct spdm_aead *record)
{
    (void)ctx;
    (void)state;
    return record->out != NULL ? SPDM_GOOD : SPDM_BAD;
}

static void null_forget(void *ctx, void *state)
{
    (void)ctx;
    (void)state;
}

static bool null_exchange_begin(void *ctx, void *state, enum spdm_alg alg, uint8_t *out)
{
    (void)ctx;
    (void)state;
    return alg != SPDM_ALG_NONE && out != NULL;
}

static size_t null_exchange_finish(void *ctx, void *state, struct spdm_span peer, uint8_t *secret)
{
    (void)ctx;
    (void)state;
    (void)secret;
    return peer.n;
}

static size_t null_exchange_reply(void *ctx, enum spdm_alg alg, struct spdm_span peer, uint8_t *out, uint8_t *secret)
{
    (void)ctx;
    (void)out;
    (void)secret;
    return alg != SPDM_ALG_NONE ? peer.n : 0;
}

/* A key schedule and GHASH's key, as a small library keeps them; a private scalar. */
#define NULL_SESSION_CRYPTO                                                                                            \
    .hmac = null_hmac, .aead_state_size = 272, .aead_begin = null_aead_begin, .aead_seal = null_aead_seal,             \
    .aead_open = null_aead_open, .aead_end = null_forget, .exchange_state_size = 48,                                   \
    .exchange_begin = null_exchange_begin, .exchange_finish = null_exchange_finish, .exchange_end = null_forget,       \
    .exchange_reply = null_exchange_reply

enum { NULL_SESSION_MEMORY = 2304, NULL_RECORD = 1100 };
static const uint8_t null_exchanges[] = {SPDM_SECP384R1, 0}, null_aeads[] = {SPDM_AES_256_GCM, 0};
static uint64_t null_session_memory[NULL_SESSION_MEMORY / 8];
static uint8_t null_record[NULL_RECORD];

#define NULL_SESSION_FLAGS (SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_EX_CAP | SPDM_KEY_UPD_CAP)
#define NULL_SESSION_POLICY .exchanges = null_exchanges, .aeads = null_aeads
#define NULL_SESSION_CONFIG(which)                                                                                     \
    .sessions = &(which), .session_memory = {(uint8_t *)null_session_memory, sizeof null_session_memory},              \
    .in = {null_record, sizeof null_record}
#define NULL_SESSION_WANTS (SPDM_WANT_SESSION | SPDM_WANT_KEY_UPDATE | SPDM_WANT_END_SESSION)
#ifdef WITH_EVERYTHING
#define NULL_SERVICES spdm_serve_all
#else
#define NULL_SERVICES spdm_serve_sessions
#endif
/* Application data is echoed. */
#define NULL_SESSION_EVENT(role, object, event)                                                                        \
    if ((event).kind == SPDM_DATA) (void)spdm_##role##_send(object, (event).session, (event).data)
#else
#define NULL_SESSION_CRYPTO
#define NULL_SESSION_FLAGS 0
#define NULL_SESSION_POLICY
#define NULL_SESSION_CONFIG(which)
#define NULL_SESSION_WANTS 0
#define NULL_SERVICES spdm_serve_attestation
#define NULL_SESSION_EVENT(role, object, event) (void)0
#endif

#ifdef WITH_EVERYTHING
#include <assay/large.h>

/* The requester's chain lies in the room for one large message. */
enum { NULL_LARGEST = 8192 };
static uint8_t null_lent[NULL_LARGEST];
static struct spdm_room null_places[1];
static struct spdm_shelf null_shelf;
static const uint8_t null_req_signatures[] = {SPDM_ECDSA_P384, 0};

#define NULL_TURNED                                                                                                    \
    static const struct spdm_config turned = {.crypto = &null_crypto,                                                  \
                                              .policy = &policy,                                                       \
                                              .data_transfer_size = TRANSFER,                                          \
                                              .chain = {null_lent, sizeof null_lent}};
#define NULL_EVERYTHING                                                                                                \
    , .chunks = &spdm_responder_chunks, .lender = &spdm_lend_shelf, .lender_ctx = &null_shelf,                         \
      .max_message_size = NULL_LARGEST, .mutual = &spdm_responder_mutual, .turned = &turned
#define NULL_EVERYTHING_POLICY , .mut_auth = 2, .req_signatures = null_req_signatures
#define NULL_EVERYTHING_FLAGS                                                                                          \
    (SPDM_PSK_CAP_CONTEXT | SPDM_HBEAT_CAP | SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP | SPDM_CHUNK_CAP | SPDM_CSR_CAP |      \
     SPDM_SET_CERT_CAP | SPDM_EVENT_CAP | SPDM_MEL_CAP)
#define NULL_EVERYTHING_BEGIN                                                                                          \
    null_places[0] = (struct spdm_room){null_lent, sizeof null_lent}, null_shelf = (struct spdm_shelf)                 \
    {                                                                                                                  \
        .place = null_places, .n = 1                                                                                   \
    }
#define NULL_EVERYTHING_EVENT(rs, event)                                                                               \
    if ((event).kind > SPDM_ASK_SIGN) (void)spdm_responder_answer(rs, &reply);                                         \
    if ((event).kind == SPDM_OPENED) (void)spdm_responder_update(rs, (event).session)
#else
#define NULL_TURNED
#define NULL_EVERYTHING
#define NULL_EVERYTHING_POLICY
#define NULL_EVERYTHING_FLAGS 0
#define NULL_EVERYTHING_BEGIN (void)0
#define NULL_EVERYTHING_EVENT(rs, event) (void)0
#endif
#endif
