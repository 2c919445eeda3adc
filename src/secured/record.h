/* SPDX-License-Identifier: BSD-3-Clause
 *
 * record.h - secured messages (DSP0277): sealing and opening one record.
 *
 * Written by hand for speed: the header is put together in a few stores, the
 * cipher keeps its key schedule, the payload is taken from where it lies and
 * encrypted to where it goes. A lane is one direction under one key; its
 * sequence number moves only when a record was sealed or opened. */
#ifndef ASSAY_SECURED_RECORD_H
#define ASSAY_SECURED_RECORD_H
#include "base/bytes.h"
#include <assay/crypto.h>

enum { RECORD_TAG = 16, RECORD_IV = 12, RECORD_RANDOM_MAX = 32 };

/* What both directions of a session share; fixed when it is opened. */
struct record_form {
    uint32_t session;  /* SessionID */
    uint8_t seq_bytes; /* of the sequence number on the wire, by binding: 0 or 2 */
    bool mac_only;
    bool big_endian; /* nonce byte order of some DSP0277 1.0 and 1.1 peers (UN-18) */
    uint64_t limit;  /* largest sequence number that may be used (R-APP-03) */
};

struct lane {
    void *aead;        /* crypto->aead_state_size bytes, keyed */
    uint64_t sequence; /* of the next record */
    uint8_t iv[RECORD_IV];
    bool ready; /* keyed and usable */
};

/* Whose crypto. */
struct record_crypto {
    const struct spdm_crypto *crypto;
    void *ctx;
};

/* Application data on its way out: a binding's inner header, the message, random padding. */
struct record_plain {
    struct spdm_span head, data;
    uint8_t random; /* bytes of random data, <= RECORD_RANDOM_MAX */
};

/* Bytes in front of the application data: where a message must lie to be sealed in place. */
size_t spdm_record_head(const struct record_form *form);
/* Seals into out, whose start is the record's; the data may already lie in its place there. Returns the record's
 * length; 0 if it does not fit, the limit is reached or the cipher failed. */
size_t spdm_record_seal(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                        const struct record_plain *plain, struct spdm_room out);
/* SessionID of a record; 0 if it is too short to have one. */
uint32_t spdm_record_session(struct spdm_span record);
/* Opens into out (as long as the record; never the record itself). On success in->data is the application data with
 * its inner header; false leaves lane and record as they were and nothing in out. Bytes behind the record are ignored.
 */
struct record_in {
    struct spdm_span record;
    struct spdm_room out;
    struct spdm_span data; /* result */
};
bool spdm_record_open(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                      struct record_in *in);
#endif
