/* SPDX-License-Identifier: BSD-3-Clause
 *
 * opaque.h - OpaqueData: what vendors and other standards add to SPDM's messages.
 *
 * An endpoint whose configuration names `opaque` is asked what goes into the
 * opaque data of its messages, and told what came in that of the peer's. Both
 * are OpaqueData as a whole, in the format that was negotiated: the general one
 * (OpaqueDataFmt1, facts.opaque_format 2) is written and read here, any other
 * is the caller's. In a key exchange the engine puts its own elements (DSP0277)
 * in front of the caller's under one head, which below 1.2 is DSP0277's own;
 * there the caller hears the elements of both.
 *
 * Messages with opaque data, by their codes: CHALLENGE_AUTH 0x03, MEASUREMENTS
 * 0x60, KEY_EXCHANGE 0xe4, KEY_EXCHANGE_RSP 0x64, PSK_EXCHANGE 0xe6,
 * PSK_EXCHANGE_RSP 0x66, and from 1.4 on FINISH 0xe5, FINISH_RSP 0x65,
 * PSK_FINISH 0xe7, PSK_FINISH_RSP 0x67. The opaque data of GET_CSR is part of
 * its order (errand.h). */
#ifndef ASSAY_OPAQUE_H
#define ASSAY_OPAQUE_H
#include <assay/spdm.h>

struct spdm_opaque {
    /* What to say in our next message with this code; empty: nothing. Called again when a message has to be made
     * again: the answer, and the bytes it points to, stay as they are until the connection's next request. NULL: says
     * nothing. */
    struct spdm_span (*say)(void *ctx, const struct spdm_facts *facts, uint8_t code);
    /* What came, valid during the call. A response of which a signature or VerifyData covers it has been verified; a
     * request has been accepted, and who sent it is not proven before FINISH. Nothing is told if there is none. NULL:
     * nobody listens. */
    void (*hear)(void *ctx, const struct spdm_facts *facts, uint8_t code, struct spdm_span opaque);
    void *ctx;
};

/* An element of the general format (OpaqueDataFmt1). */
struct spdm_opaque_element {
    uint8_t id;              /* the registry or standards body, as StandardID of VENDOR_DEFINED: 0 to 0x0b */
    struct spdm_span vendor; /* VendorID, of the length that the registry has, or empty */
    struct spdm_span data;   /* OpaqueElementData */
};

/* Writes n elements, 1 to 255: the bytes in `room`, or nothing if they do not fit or the format forbids one. */
struct spdm_span spdm_opaque_write(struct spdm_room room, const struct spdm_opaque_element *elements, size_t n);
/* Reads them: true, with what spdm_opaque_next() takes one after the other; false: this is not the general format. */
bool spdm_opaque_open(struct spdm_span opaque, struct spdm_span *rest);
bool spdm_opaque_next(struct spdm_span *rest, struct spdm_opaque_element *out);
#endif
