/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_account.h - what a connection came to: negotiated facts, identities,
 * measurements, sessions, times. Kept up message by message, so that it is
 * there when the connection is long gone. */
#ifndef SPDM_DECODE_ACCOUNT_H
#define SPDM_DECODE_ACCOUNT_H
#include "decode.h"
#include "decode_trust.h"

struct decode_measured {
    bool there, proven;
    struct spdm_measurement m; /* value: our own copy */
};

struct decode_identity {
    bool requester;
    uint8_t slot;
    const struct decode_chain *chain;
};

struct decode_session_account {
    uint32_t id;
    bool psk, over;
    uint8_t slot, mut_auth, heartbeat;
    uint64_t opened, closed;      /* numbers of messages, 0: not seen */
    uint64_t records[2], data[2]; /* from Requester, from Responder: records; bytes of application data */
    uint64_t updates, sealed, lost;
};

struct decode_exchange_account {
    uint64_t first; /* number of the message that answered it first */
    uint64_t n, errors;
    double shortest, longest, total; /* seconds */
};

struct decode_verdicts {
    uint64_t good, bad, unchecked;
};

struct decode_account {
    char *title;
    uint64_t number; /* of the connection */
    struct spdm_facts facts;
    bool negotiated;
    struct decode_identity *identity;
    size_t identity_n;
    struct decode_measured measured[256];
    struct decode_session_account *session;
    size_t session_n;
    struct decode_exchange_account exchange[128]; /* by code without its highest bit */
    uint8_t asked;                                /* the request that waits, 0: none */
    struct timespec asked_at, first, last;
    uint64_t messages, bytes[2], round_trips, errors, rank[DECODE_FALSE + 1];
    struct decode_verdicts signatures, hmacs, records;
};

struct decode_account *decode_account_open(const char *title, uint64_t number);
/* Every message, after its events. facts: of the plain side. */
void decode_account_message(struct decode_account *a, const struct decode_message *m, const struct spdm_facts *facts);
void decode_account_identity(struct decode_account *a, bool requester, uint8_t slot, const struct decode_chain *chain);
void decode_account_record(struct decode_account *a, struct spdm_span record, bool proven);
void decode_account_close(struct decode_account *a);

/* Codes of the requests that were answered, in the order of the first answers; how many there are. */
size_t decode_account_exchanges(const struct decode_account *a, uint8_t code[128]);

/* decode_summary.c */
void decode_summary_print(const struct decode_account *a, const struct spdm_screen *screen);
void decode_summary_json(const struct decode_account *a, struct decode_words *out);
#endif
