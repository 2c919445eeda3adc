/* SPDX-License-Identifier: BSD-3-Clause
 *
 * verdict.h - trusted or not, and why.
 *
 * A device is trusted only if
 *   1. its certificate chain (or provisioned key) is trusted, and
 *   2. it proved possession of the key: CHALLENGE_AUTH, signed MEASUREMENTS or
 *      KEY_EXCHANGE_RSP verified in this conversation, and
 *   3. if reference values were given, every one of them was compared and is
 *      the same, and the measurements compared are proven by that signature or
 *      were read in a session with the device, and
 *   4. if a session was asked for, there was one.
 * A pre-shared key can stand for chain and possession: who opens a session
 * with it has it.
 *
 * Each check has passed, failed or was not done; what was not done is never
 * counted as passed. */
#ifndef SPDM_VERDICT_H
#define SPDM_VERDICT_H
#include "attest_run.h"
#include "reference.h"
#include "subject.h"
#include "summary.h"

enum spdm_check_state { SPDM_CHECK_NOT_DONE, SPDM_CHECK_PASSED, SPDM_CHECK_FAILED };

enum spdm_check_id {
    SPDM_CHECK_CONNECTION,   /* reached, and version, capabilities and algorithms agreed */
    SPDM_CHECK_CHAIN,        /* leads to a trusted root, or is the provisioned key */
    SPDM_CHECK_VALIDITY,     /* certificates against the clock */
    SPDM_CHECK_REVOCATION,   /* never done: SPDM has no channel for it */
    SPDM_CHECK_POSSESSION,   /* a fresh signature by the leaf's key */
    SPDM_CHECK_MEASUREMENTS, /* measurements signed by it */
    SPDM_CHECK_SUMMARY,      /* summary hash of CHALLENGE_AUTH against the measurements */
    SPDM_CHECK_REFERENCE,
    SPDM_CHECK_SESSION, /* it was opened */
    SPDM_CHECK_N
};

struct spdm_check {
    enum spdm_check_state state;
    char *detail; /* a clause for people, safe to print; may be NULL */
};

enum spdm_verdict_kind { SPDM_TRUSTED, SPDM_NOT_TRUSTED, SPDM_UNREACHABLE, SPDM_PROTOCOL_ERROR };

struct spdm_attest_verdict {
    enum spdm_verdict_kind kind;
    char *reason; /* one sentence, safe to print; NULL if trusted */
    struct spdm_check checks[SPDM_CHECK_N];
};

/* Everything a verdict and a report stand on. */
struct spdm_attestation {
    const struct spdm_attest_result *result;
    const struct spdm_subject *device;
    const char *reference;                    /* file; NULL: none was given */
    const struct spdm_comparison *comparison; /* good if reference is not NULL and it was done */
    enum spdm_summary summary;
    struct spdm_attest_verdict verdict; /* filled by spdm_attestation_judge() */
};

/* Fills a->verdict from the rest; freed with spdm_verdict_clear(). */
void spdm_attestation_judge(struct spdm_attestation *a);
void spdm_verdict_clear(struct spdm_attest_verdict *verdict);

/* The exit code of a verdict, and the worse of two exit codes: 1, then 4, then 3, then 0. */
int spdm_verdict_exit(enum spdm_verdict_kind kind);
int spdm_exit_worse(int a, int b);

const char *spdm_verdict_name(enum spdm_verdict_kind kind);     /* "trusted" */
const char *spdm_check_name(enum spdm_check_id id);             /* "possession" */
const char *spdm_check_title(enum spdm_check_id id);            /* "proof of possession" */
const char *spdm_check_state_name(enum spdm_check_state state); /* "passed" */
#endif
