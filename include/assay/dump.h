/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dump.h - a message field by field, read by the same walkers that the engines use. */
#ifndef ASSAY_DUMP_H
#define ASSAY_DUMP_H
#include <assay/spdm.h>

struct spdm_field {
    const char *name; /* the specification's; parts of an inner structure come after the field that holds it */
    size_t at, n;     /* where it lies in the message, and its size in bytes */
    uint32_t value;   /* if it is a number */
    bool number;
};
typedef void (*spdm_see)(void *ctx, const struct spdm_field *field);

struct spdm_dump {
    const struct spdm_facts *facts; /* what has been negotiated before this message; all zero before VERSION */
    struct spdm_span message;       /* one SPDM message, without the binding's header */
    struct spdm_span request;       /* for a response: the request it answers; may be empty */
    spdm_see see;
    void *ctx;
};

/* Shows every field up to the end or the first error. Returns the message's own length (bytes behind it are padding),
 * 0 on an error, which *report explains. Unknown codes are an error; ones without walker show their header. */
size_t spdm_dump(const struct spdm_dump *dump, struct spdm_report *report);
#endif
