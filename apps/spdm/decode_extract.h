/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_extract.h - files out of a capture: certificate chains, measurements
 * as a reference, evidence for third parties. */
#ifndef SPDM_DECODE_EXTRACT_H
#define SPDM_DECODE_EXTRACT_H
#include "decode_account.h"
#include "decode_explain.h"

#define DECODE_EXTRACT_ERROR 600

enum decode_extract {
    DECODE_EXTRACT_NOTHING,
    DECODE_EXTRACT_CERTS,
    DECODE_EXTRACT_MEASUREMENTS,
    DECODE_EXTRACT_EVIDENCE
};

/* Evidence of a connection while it goes on. */
struct decode_evidence;
/* The file DIR/connection-N-evidence.json; NULL: error says why not. */
struct decode_evidence *decode_evidence_open(const char *dir, uint64_t connection, const char *title,
                                             char error[DECODE_EXTRACT_ERROR]);
void decode_evidence_message(struct decode_evidence *e, const struct decode_message *m);
/* A signature of the message at hand, and what it covers. */
void decode_evidence_signature(struct decode_evidence *e, const struct decode_message *m,
                               const struct decode_suspect *what);
/* With the chains of the account. false: not everything could be written. */
bool decode_evidence_close(struct decode_evidence *e, const struct decode_account *a, char error[DECODE_EXTRACT_ERROR]);

/* What an account holds: the number of files, -1: error says why. */
int decode_extract_chains(const char *dir, const struct decode_account *a, char error[DECODE_EXTRACT_ERROR]);
int decode_extract_measurements(const char *dir, const struct decode_account *a, const struct spdm_crypto *crypto,
                                void *crypto_ctx, char error[DECODE_EXTRACT_ERROR]);
#endif
