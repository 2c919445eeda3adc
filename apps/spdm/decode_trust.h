/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_trust.h - certificate chains that a capture shows, and whom to trust.
 *
 * A signature is checked with the leaf's key whether the chain is trusted or
 * not: that it verifies and that its key is believed are two questions. The
 * second is answered only if there are roots to answer it with. */
#ifndef SPDM_DECODE_TRUST_H
#define SPDM_DECODE_TRUST_H
#include "port/x509_judge.h"

struct decode_chain { /* a chain that was seen, judged once under the same rules */
    struct spdm_judgement *judgement;
    struct spdm_openssl_key *key; /* of the leaf; NULL: it cannot be used here */
    const char *why_no_key;
};

struct decode_court {
    struct spdm_openssl *ossl;
    struct spdm_judge *judge;
    bool roots;   /* there are some: trust is a question */
    bool no_time; /* validity is not compared with the capture's time */
    struct decode_chain **chains;
    size_t n;
};

/* Chains that a connection has shown, in the order of their appearance; owned by the court. */
struct decode_keys {
    const struct decode_chain **v;
    size_t n;
};

/* The chain of an SPDM_ASK_TRUST event. */
const struct decode_chain *decode_court_chain(struct decode_court *court, const struct spdm_facts *facts,
                                              const struct spdm_event *event, bool requester, int64_t now);
void decode_court_clear(struct decode_court *court);
#endif
