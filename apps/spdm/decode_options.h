/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_options.h - the command line of `spdm decode`. */
#ifndef SPDM_DECODE_OPTIONS_H
#define SPDM_DECODE_OPTIONS_H
#include "options.h"

struct spdm_decode_options {
    bool verbose, bytes, json, summary, quiet, no_time;
    const char *interface, *capture_filter;
    struct spdm_texts trust, shared, kem, psk, secrets, keylog;
};

extern const struct spdm_command spdm_decode_command;
/* SPDM_PARSED or what main must return. */
int spdm_decode_parse(int argc, char **argv, struct spdm_decode_options *out, struct spdm_texts *operands);
#endif
