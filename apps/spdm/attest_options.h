/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_options.h - what `spdm attest` was told on its command line.
 *
 * Filled by the option table in attest_options.c; everything that can be
 * wrong with it is found before the network is touched. */
#ifndef SPDM_ATTEST_OPTIONS_H
#define SPDM_ATTEST_OPTIONS_H
#include "peer_options.h"
#include "tamper.h"
#include <assay/requester.h>

struct spdm_measure_choice {
    bool none;
    enum spdm_measure operation;
    uint8_t index;
};

struct spdm_attest_options {
    struct spdm_peer_options peer;
    bool listen, session;
    bool challenge, no_challenge;
    struct spdm_measure_choice measurements;
    bool raw, unsigned_only, fresh;
    unsigned summary; /* index into none, tcb, all */
    const char *save_reference;
    bool json, quiet;
    const char *evidence;
    struct spdm_tamper_plan tamper;
};

extern const struct spdm_command spdm_attest_command;

/* Parses, and checks what options mean together. SPDM_PARSED, or the exit code. */
int spdm_attest_parse(int argc, char **argv, struct spdm_attest_options *out, struct spdm_texts *targets);
int spdm_attest_main(int argc, char **argv);
#endif
