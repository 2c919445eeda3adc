/* SPDX-License-Identifier: BSD-3-Clause
 *
 * span.h - bytes that belong to somebody else.
 *
 * A span never owns what it points to. Every function that hands one out says
 * how long it stays valid. {NULL, 0} is the empty span. */
#ifndef ASSAY_SPAN_H
#define ASSAY_SPAN_H
#include <stddef.h>
#include <stdint.h>

/* Bytes to read. */
struct spdm_span {
    const uint8_t *p;
    size_t n;
};

/* Bytes to write: room for n bytes at p. */
struct spdm_room {
    uint8_t *p;
    size_t n;
};
#endif
