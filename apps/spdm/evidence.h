/* SPDX-License-Identifier: BSD-3-Clause
 *
 * evidence.h - what a third party needs to verify an attestation again.
 *
 * The file is JSON, bytes in hex. `measurements` holds L1/L2 as it was signed
 * (with the negotiation messages from SPDM 1.2 on) and the signature apart;
 * `messages` the whole conversation, from which CHALLENGE_AUTH's transcript
 * can be put together as well. */
#ifndef SPDM_EVIDENCE_H
#define SPDM_EVIDENCE_H
#include "verdict.h"

#define SPDM_EVIDENCE_FORMAT "assay-evidence/1"
#define SPDM_EVIDENCE_ERROR 400

/* Writes it; the run has to have been recorded. false: error says why. */
bool spdm_evidence_save(const char *path, const struct spdm_attestation *a, char error[SPDM_EVIDENCE_ERROR]);
#endif
