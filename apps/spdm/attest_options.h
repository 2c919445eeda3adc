/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_options.h - what `spdm attest` was told on its command line.
 *
 * Filled by the option table in attest_options.c; everything that can be
 * wrong with it is found before the network is touched. */
#ifndef SPDM_ATTEST_OPTIONS_H
#define SPDM_ATTEST_OPTIONS_H
#include "options.h"
#include <assay/requester.h>

/* A list of algorithms as a policy takes it: best first, ended by 0. */
struct spdm_algorithm_list {
    uint8_t id[SPDM_ALG_N + 1];
};

struct spdm_measure_choice {
    bool none;
    enum spdm_measure operation;
    uint8_t index;
};

struct spdm_attest_options {
    struct spdm_texts trust;
    const char *public_key;
    bool no_time;
    const char *cache;
    uint8_t slots; /* mask */
    uint8_t versions[6];
    struct spdm_algorithm_list hashes, signatures;
    bool multi_key;
    bool challenge, no_challenge;
    struct spdm_measure_choice measurements;
    bool raw, unsigned_only, fresh;
    unsigned summary; /* index into none, tcb, all */
    const char *reference, *save_reference;
    uint32_t timeout, retries;
    bool json, quiet, trace;
    const char *pcap;
    unsigned pcap_format; /* index into wireshark, dmtf */
    const char *evidence;
};

extern const struct spdm_command spdm_attest_command;

/* Parses, and checks what options mean together. SPDM_PARSED, or the exit code. */
int spdm_attest_parse(int argc, char **argv, struct spdm_attest_options *out, struct spdm_texts *targets);
int spdm_attest_main(int argc, char **argv);
#endif
