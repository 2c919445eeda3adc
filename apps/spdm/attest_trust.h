/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_trust.h - whom `spdm attest` trusts: the judge, and what it remembers on disk.
 *
 * The cache directory holds chains, not verdicts: a chain from it is judged
 * again, with today's roots and today's date, before it is believed. It only
 * saves messages. */
#ifndef SPDM_ATTEST_TRUST_H
#define SPDM_ATTEST_TRUST_H
#include "attest_run.h"
#include "port/x509_judge.h"
#include "subject.h"

/* Shared by all runs; the ctx of spdm_attest_trust_judge. */
struct spdm_attest_court {
    struct spdm_judge *judge;
    const char *cache; /* directory; NULL: none */
    bool no_time;
};

/* What was judged in one run. The first member of the ctx of every run that uses spdm_attest_trust_judge. */
struct spdm_attest_file {
    struct spdm_judgement **judgements; /* the last is the one in use */
    size_t n;
};

extern const struct spdm_attest_trust spdm_attest_trust_judge;

/* Who the device is by the chain in use. */
void spdm_attest_subject(const struct spdm_attest_file *file, const struct spdm_attest_result *result,
                         struct spdm_subject *out);
/* Keeps the chain of a device that proved to be what it says; false: cause says why it could not be kept. */
bool spdm_attest_remember(const struct spdm_attest_court *court, const struct spdm_attest_file *file,
                          const struct spdm_attest_result *result, char *cause);
/* After the run is freed. */
void spdm_attest_file_clear(struct spdm_attest_file *file);
#endif
