/* SPDX-License-Identifier: BSD-3-Clause
 *
 * opaque.h - opaque data that is the caller's. */
#ifndef ASSAY_CORE_OPAQUE_H
#define ASSAY_CORE_OPAQUE_H
#include "core/conn.h"
#include <assay/opaque.h>

/* What the caller has to say in a message of ours. */
struct spdm_span spdm_opaque_say(const struct conn *c, uint8_t code);
/* The same behind elements that are in `room` already: all of them; if there is not
 * room enough, their size without a pointer, so that the message does not fit either. So does
 * what has no elements, or too many with ours. */
struct spdm_span spdm_opaque_add(const struct conn *c, uint8_t code, struct spdm_room room, struct spdm_span ours);
/* Tells of the opaque data of a message of the peer's, if it has any. */
void spdm_opaque_hear(const struct conn *c, uint8_t code, const union spdm_body *m);
#endif
