/* SPDX-License-Identifier: BSD-3-Clause
 *
 * hand.h - a requester by hand, for what no honest requester does in a session.
 *
 * The pair's own requester negotiates; from then on the hand says what the test
 * wants, in the session that it wants, sealed with the keys that it wants. It
 * keeps TH as the bytes that were said, without a running hash: an opinion of
 * its own about what each signature, each HMAC and each key depends on. */
#ifndef ASSAY_TESTS_HAND_H
#define ASSAY_TESTS_HAND_H
#include "secured/record.h"
#include "support/pair.h"
#include "trust/schedule.h"

enum { HAND_TH = 4096, HAND_H = 48, HAND_CHAIN = 4 + 48 + 900 };

/* One direction's key, and how far it is. */
struct hand_lane {
    uint64_t state[4];
    uint8_t iv[RECORD_IV];
    uint64_t sequence;
};

struct hand_session {
    uint32_t id; /* 0: there is none */
    bool psk, clear;
    bool established; /* by what was said, the responder must think so */
    uint8_t mut_auth, heartbeat;
    uint16_t secured_version;
    struct secrets secrets;
    struct hand_lane lane[DIRECTION_N];
    uint8_t th[HAND_TH];
    size_t th_n;
};

struct hand {
    struct pair *p;
    struct toy toy; /* a crypto library of its own */
    uint8_t version;
    bool clear;                                             /* handshakes of KEY_EXCHANGE go on in the clear */
    uint16_t next_id;                                       /* ReqSessionID of the next session */
    uint8_t aead_limit;                                     /* offered in the next exchange; 0: not */
    uint8_t finish_slot;                                    /* SlotID of a FINISH with a signature */
    struct spdm_span digests;                               /* DIGESTS that enters TH, if there is any */
    uint8_t chain[HAND_CHAIN], chain_digest[SPDM_HASH_MAX]; /* hand_chain() */
    uint8_t frame[PAIR_BUFFER], answer[PAIR_BUFFER];
};

/* Negotiates over a pair that has been started, with the versions and capabilities that its requester has. */
void hand_connect(struct hand *h, struct pair *p);

/* Says a message outside (s is NULL) or in a record of s; the answer, opened if it is a record of s, lies in the hand
 * until the next call; empty: there was none. */
struct spdm_span hand_say(struct hand *h, struct hand_session *s, struct spdm_span message);
/* The same in words (talk.h). */
struct spdm_span hand_talk(struct hand *h, struct hand_session *s, const char *words);
/* The answer must begin like this; "-" is no answer. */
void hand_expect(struct hand *h, struct hand_session *s, const char *words, const char *prefix);
/* Only seals: the record's length, in frame; moves the lane on. */
size_t hand_seal(struct hand *h, struct hand_session *s, struct spdm_span data, bool app);
/* Opens the answer to a frame that was pushed by somebody else. */
struct spdm_span hand_open(struct hand *h, struct hand_session *s, struct spdm_span frame);

/* KEY_EXCHANGE and PSK_EXCHANGE, and what follows from their answers; false: no such answer came (it is in `answer`).
 * What the responder signed, and its VerifyData, must be right. */
bool hand_key_exchange(struct hand *h, struct hand_session *s);
bool hand_psk_exchange(struct hand *h, struct hand_session *s);
/* Messages alone, for who wants to change them. Both return the length. */
size_t hand_key_exchange_bytes(struct hand *h, struct hand_session *s, uint8_t *out);
size_t hand_psk_exchange_bytes(struct hand *h, struct hand_session *s, uint8_t *out);
/* FINISH or PSK_FINISH as it is right for s (psk says which code it gets). */
size_t hand_finish_bytes(struct hand *h, const struct hand_session *s, bool psk, uint8_t *out);
/* Says it where it belongs; true: the right response came, and the hand's data keys are those of its TH. */
bool hand_finish(struct hand *h, struct hand_session *s);
/* What a response to a FINISH that was said means for s. */
bool hand_finished(struct hand *h, struct hand_session *s, struct spdm_span request, struct spdm_span response);
/* The responder has this session established with exactly the hand's transcript: their exported secrets agree. */
bool hand_agrees(const struct hand *h, const struct hand_session *s);
/* The next key of a direction. */
void hand_update(struct hand *h, struct hand_session *s, enum direction d);
/* Digest of TH so far, and with more bytes behind it. */
void hand_th(struct hand *h, const struct hand_session *s, struct spdm_span more, uint8_t out[SPDM_HASH_MAX]);
void hand_th_add(struct hand_session *s, struct spdm_span bytes);

/* ---- hand_mutual.c: the requester's own proof ---- */

/* Makes the chain structure that the pair's requester has in slots 0 and 2; first of all. */
void hand_chain(struct hand *h);
/* Delivers an encapsulated response with a RequestID: 0x01 DIGESTS, 0x02 CERTIFICATE, any other code is all it has. */
struct spdm_span hand_deliver(struct hand *h, struct hand_session *s, uint8_t id, uint8_t code);
/* The whole flow of a session; `wrong`: with a wrong RequestID first. */
void hand_prove(struct hand *h, struct hand_session *s, bool wrong);
/* FINISH with the requester's signature; `opaque`: with OpaqueData (1.4). */
size_t hand_finish_signed_bytes(struct hand *h, const struct hand_session *of, bool opaque, uint8_t *out);
/* Says it; with flip_opaque one bit of the OpaqueData is another than the one that was signed. */
bool hand_finish_signed(struct hand *h, struct hand_session *s, bool flip_opaque);
#endif
