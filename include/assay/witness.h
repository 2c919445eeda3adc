/* SPDX-License-Identifier: BSD-3-Clause
 *
 * witness.h - the third role: sees both directions, says nothing.
 *
 * A witness learns the same facts as the two endpoints, keeps the same
 * transcripts and checks the same rules, signatures, HMACs and records, with
 * the same code. Captures are decoded with it, and evidence is verified: hand
 * it the frames in order and read what it says of each.
 *
 *     for each frame:
 *         sight = spdm_witness_push(w, from_requester, frame);
 *         do {
 *             ... sight, and the fields that watch.see was shown
 *             while (spdm_witness_event(w, &ev) != SPDM_NOTHING) ... answer
 *         } while (spdm_witness_next(w, &sight));
 *
 * A frame can hold more than one message: an envelope (encapsulated requests)
 * holds another, and the last chunk of a large message completes it. next()
 * hands these out, one a call. */
#ifndef ASSAY_WITNESS_H
#define ASSAY_WITNESS_H
#include <assay/dump.h>
#include <assay/spdm.h>

/* Of a signature, of VerifyData, of a record's tag. */
enum spdm_signature_state {
    SPDM_UNSIGNED, /* there is none */
    SPDM_SIGNATURE_GOOD,
    SPDM_SIGNATURE_BAD,
    SPDM_SIGNATURE_UNCHECKED /* the key, or a part of the transcript, is not known */
};

enum spdm_sight_kind {
    SPDM_SIGHT_NONE,    /* no frame of the binding, or too short for a message */
    SPDM_SIGHT_MESSAGE, /* an SPDM message */
    SPDM_SIGHT_DATA,    /* application data of a session, with the binding's inner header */
    SPDM_SIGHT_SEALED,  /* a record that could not be opened */
    SPDM_SIGHT_CONTROL  /* the binding's own: DOE discovery, TCP role inquiry and errors */
};

/* What the witness says of one message. */
struct spdm_sight {
    enum spdm_sight_kind kind;
    uint8_t code;            /* RequestResponseCode; 0 if there is no SPDM message */
    uint8_t answers;         /* responses: code of the request it answers, 0 if there was none */
    bool from_requester;     /* who sent the frame */
    bool enveloped;          /* it lay in an envelope: the Responder asks, the Requester answers */
    bool reassembled;        /* it came in chunks, of which this frame brought the last, or in CHUNK_SEND_ACK */
    uint32_t session;        /* in whose records it travelled; 0: outside */
    uint32_t opened, closed; /* the session that it opened (keys for records exist), or ended; 0: none */
    enum spdm_signature_state signature, verify_data, record;
    uint32_t lost;             /* records of this direction that are missing in front of this one */
    uint8_t unanswered;        /* requests: code of another before this one that got no response, 0: none */
    bool gap;                  /* CERTIFICATE: what the chain has before this portion did not go by */
    struct spdm_span message;  /* the message, or data; valid until the next push() or next() */
    size_t n;                  /* the message's own length, 0 if it could not be decoded */
    struct spdm_report report; /* why is SPDM_WHY_FINE, or the first rule it breaks */
};

/* ---- secrets, for opening records and checking HMACs ---- */

enum spdm_secret_kind {
    SPDM_SECRET_SHARED,    /* DHE or KEM secret of a KEY_EXCHANGE */
    SPDM_SECRET_PSK,       /* pre-shared key of a PSK_EXCHANGE */
    SPDM_SECRET_HANDSHAKE, /* direction secrets out of a key log: of the handshake, */
    SPDM_SECRET_DATA       /* of the application phase */
};

struct spdm_secret_wanted {
    enum spdm_secret_kind kind;
    uint32_t session;
    struct spdm_span hint; /* PSKHint */
    bool none_fits;        /* all were tried: the one to go on with, so that what follows can be read; n is 0 */
};

struct spdm_secret {
    struct spdm_span bytes[2]; /* shared secret or PSK; or request and response direction */
};

/* ---- transcripts, for evidence and for who wants to know why a signature is wrong ---- */

enum spdm_transcript_id {
    SPDM_TRANSCRIPT_VCA,
    SPDM_TRANSCRIPT_M1M2, /* CHALLENGE_AUTH */
    SPDM_TRANSCRIPT_L1L2, /* MEASUREMENTS */
    SPDM_TRANSCRIPT_IL,   /* ENDPOINT_INFO */
    SPDM_TRANSCRIPT_TH,   /* a session */
    SPDM_TRANSCRIPT_D,    /* the DIGESTS that TH begins with in a multi-key connection */
    SPDM_TRANSCRIPT_ID_N
};
enum spdm_piece_part { SPDM_PIECE_MESSAGE, SPDM_PIECE_SIGNATURE, SPDM_PIECE_VERIFY_DATA, SPDM_PIECE_CHAIN };

struct spdm_piece {
    enum spdm_transcript_id transcript;
    enum spdm_piece_part part; /* MESSAGE: all of it, or up to its Signature or VerifyData */
    bool turned;               /* of mutual authentication */
    uint32_t session;          /* of TH, and of L1/L2 in a session; else 0 */
    uint8_t code;              /* of the message */
    bool begins;               /* what was in this transcript before is not part of it any more */
    bool with_vca, with_d;     /* where it begins: VCA, D come first */
    struct spdm_span bytes;
};

/* What a signature or VerifyData might have been made over. */
struct spdm_supposition {
    uint8_t code;                 /* whose Signature or VerifyData: CHALLENGE_AUTH, ... */
    bool turned;                  /* made by the Requester: FINISH, and inside of envelopes */
    const struct spdm_span *part; /* the transcript */
    size_t n;
    enum spdm_alg hash; /* of it; SPDM_ALG_NONE: the negotiated one */
    uint8_t version;    /* whose signing prefix: 0 the negotiated one's; SPDM_V10: none */
    bool other_role;    /* the context string of the other role */
    bool reversed;      /* in the other byte order */
    uint8_t slot;       /* whose key */
    uint32_t session;   /* VerifyData: whose finished key */
    struct spdm_span value;
};

/* ---- how a witness is connected to its caller; any member may be NULL ---- */

/* Rooms that grow with what goes by. */
enum spdm_watch_room {
    SPDM_ROOM_REQUEST, /* a request, until it is answered */
    SPDM_ROOM_CHAIN,   /* the Responder's certificate chain */
    SPDM_ROOM_TURNED_REQUEST,
    SPDM_ROOM_TURNED_CHAIN, /* the same with the roles turned: mutual authentication */
    SPDM_ROOM_RECORD,       /* a record opened */
    SPDM_ROOM_LARGE_REQUEST,
    SPDM_ROOM_LARGE_RESPONSE, /* what came in chunks, put together */
    SPDM_ROOM_N
};

struct spdm_watch {
    void *ctx;
    /* Each field of a message as it is read, up to the first error. */
    spdm_see see;
    /* More room: *room, first {NULL, 0}, gets at least n bytes and keeps what is in it. false: there is no more.
     * NULL: the rooms of the configuration (chain, request_max, in) are all there is, and none for what comes in
     * chunks. */
    bool (*more)(void *ctx, enum spdm_watch_room which, struct spdm_room *room, size_t n);
    /* The n-th secret that might be the one, from 0; false: there are no more. The one that makes VerifyData the HMAC
     * it should be, or a record open, is it. If none does, the n-th is taken for the n-th exchange of its kind. */
    bool (*secret)(void *ctx, const struct spdm_secret_wanted *wanted, unsigned n, struct spdm_secret *out);
    /* What enters a transcript, in order. */
    void (*entered)(void *ctx, const struct spdm_piece *piece);
};

struct spdm_witness;

/* Uses crypto, binding, policy (versions: all it should follow), vca_max and, without watch.more, chain and request_max
 * of a configuration; `out` is not needed. With sessions (and session_memory, and `in` without watch.more) records are
 * opened, with mutual the turned side is followed; cfg->turned is not needed, but for its chain without watch.more. */
size_t spdm_witness_size(const struct spdm_config *config);
/* watch may be NULL. */
struct spdm_witness *spdm_witness_init(struct spdm_room memory, const struct spdm_config *config,
                                       const struct spdm_watch *watch);
/* A frame that went by. */
struct spdm_sight spdm_witness_push(struct spdm_witness *w, bool from_requester, struct spdm_span frame);
/* What else was in that frame; false: nothing. */
bool spdm_witness_next(struct spdm_witness *w, struct spdm_sight *sight);
/* About the last sight: SPDM_ASK_TRUST when a chain is complete (the digest is in *event as data's hash was checked);
 * SPDM_MEASURED with the record of the message; SPDM_NOTHING otherwise. Unanswered questions lapse with the next push
 * or next. */
enum spdm_event_kind spdm_witness_event(struct spdm_witness *w, struct spdm_event *event);
bool spdm_witness_answer(struct spdm_witness *w, const struct spdm_answer *answer);
const struct spdm_facts *spdm_witness_facts(const struct spdm_witness *w);
/* The same with the roles turned (sight.enveloped): the Requester is facts.responder. NULL without mutual. */
const struct spdm_facts *spdm_witness_turned_facts(const struct spdm_witness *w);
/* Whether the signature verifies so. Changes nothing. */
spdm_verdict spdm_witness_suppose(struct spdm_witness *w, const struct spdm_supposition *what);
/* The same of VerifyData, while the handshake goes on. */
spdm_verdict spdm_witness_suppose_hmac(struct spdm_witness *w, const struct spdm_supposition *what);
/* Who sent this record, where the carrier does not tell: the direction that opens it, else `guess`. Changes nothing. */
bool spdm_witness_sender(struct spdm_witness *w, struct spdm_span frame, bool guess);
/* The request that waits for its response, for spdm_dump(); empty if none does. */
struct spdm_span spdm_witness_request(const struct spdm_witness *w);
/* The key of a slot (0..7, SPDM_SLOT_KEY) is known beforehand; hash_n bytes of digest of its chain, if known, too. */
void spdm_witness_trust(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key);
/* The same of the Requester's. */
void spdm_witness_trust_requester(struct spdm_witness *w, uint8_t slot, struct spdm_span hash, const void *key);
/* The negotiation was not seen: takes version, capabilities and algorithms from facts, and VCA, which 1.2 and later
 * need for every signature, from vca. false: the version is not spoken, or VCA has no room. */
bool spdm_witness_assume(struct spdm_witness *w, const struct spdm_facts *facts, struct spdm_span vca);
void spdm_witness_close(struct spdm_witness *w);
#endif
