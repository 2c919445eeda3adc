/* SPDX-License-Identifier: BSD-3-Clause
 *
 * connect_options.h - what `spdm connect` was told on its command line. */
#ifndef SPDM_CONNECT_OPTIONS_H
#define SPDM_CONNECT_OPTIONS_H
#include "forward.h"
#include "peer_options.h"

struct spdm_connect_options {
    struct spdm_peer_options peer;
    bool forwards;
    struct spdm_forward_address forward;
    bool public, stats, quiet;
    uint64_t rekey; /* bytes; 0: never */
};

extern const struct spdm_command spdm_connect_command;

/* SPDM_PARSED, or the exit code. */
int spdm_connect_parse(int argc, char **argv, struct spdm_connect_options *out, struct spdm_texts *target);
int spdm_connect_main(int argc, char **argv);
#endif
