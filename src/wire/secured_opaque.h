/* SPDX-License-Identifier: BSD-3-Clause
 *
 * secured_opaque.h - what endpoints agree on in the opaque data of a key exchange. */
#ifndef ASSAY_WIRE_SECURED_OPAQUE_H
#define ASSAY_WIRE_SECURED_OPAQUE_H
#include "wire/message.h"

enum { SECURED_VERSION_MAX = 8, SECURED_OPAQUE_MAX = 48 };

struct secured_opaque {
    bool has_versions, has_selection, has_limit;
    uint8_t version_n, limit;              /* limit: AeadLimitExponent */
    uint16_t version[SECURED_VERSION_MAX]; /* VersionNumberEntry: 0x1000 ... */
    uint16_t selection;
};

/* `legacy`: with DSP0277's header for SPDM 1.1. */
void spdm_walk_secured_opaque(struct io *io, struct secured_opaque *m, bool legacy);
#endif
