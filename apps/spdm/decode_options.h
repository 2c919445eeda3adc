/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_options.h - the command line of `spdm decode`. */
#ifndef SPDM_DECODE_OPTIONS_H
#define SPDM_DECODE_OPTIONS_H
#include "options.h"

struct spdm_decode_options {
    bool verbose, bytes, json, summary, quiet, no_time, no_verify;
    unsigned extract; /* enum decode_extract */
    uint32_t errata;  /* as spdm_errata_apply() takes it */
    const char *interface, *capture_filter, *state, *vca;
    struct spdm_texts trust, shared, kem, psk, secrets, keylog;
    struct spdm_texts chain, requester_chain, public_key, requester_key, filter;
};

extern const struct spdm_command spdm_decode_command;
/* SPDM_PARSED or what main must return. */
int spdm_decode_parse(int argc, char **argv, struct spdm_decode_options *out, struct spdm_texts *operands);
#endif
