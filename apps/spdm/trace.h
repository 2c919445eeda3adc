/* SPDX-License-Identifier: BSD-3-Clause
 *
 * trace.h - messages as they pass, field by field, for people who debug. */
#ifndef SPDM_TRACE_H
#define SPDM_TRACE_H
#include "text.h"
#include <assay/dump.h>
#include <time.h>

/* One message on its way. */
struct spdm_traced {
    const char *target;
    struct timespec time;
    bool sent;
    const struct spdm_facts *facts;    /* before this message */
    struct spdm_span message, request; /* request: the one a response answers */
};

/* Writes a headline and a line per field; what cannot be decoded is said, and shown in hex. */
void spdm_trace_message(const struct spdm_screen *screen, const struct spdm_traced *traced);
#endif
