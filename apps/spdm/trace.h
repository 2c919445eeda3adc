/* SPDX-License-Identifier: BSD-3-Clause
 *
 * trace.h - messages as they pass, field by field, for --trace. */
#ifndef SPDM_TRACE_H
#define SPDM_TRACE_H
#include "port/link.h"

#include <assay/spdm.h>
#include <stdio.h>

/* One connection's trace. Zeroed but for `to` it is ready. */
struct spdm_trace {
    FILE *to;
    uint8_t request[256]; /* the last request: what a response looks like depends on it */
    size_t request_n;
};

/* Shows a frame. facts: what was negotiated before it (NULL: nothing); what it settles itself does no harm. */
void spdm_trace_frame(struct spdm_trace *trace, const struct spdm_tapped *tapped, const struct spdm_facts *facts);

/* A message that travels in a record, or application data, in plain. */
struct spdm_traced {
    const char *peer;
    uint32_t session;
    struct spdm_span message;
    bool sent;    /* by us */
    bool request; /* from requester to responder */
    bool app;
};
void spdm_trace_inside(struct spdm_trace *trace, const struct spdm_traced *traced, const struct spdm_facts *facts);
#endif
