/* SPDX-License-Identifier: BSD-3-Clause
 *
 * message.h - the decoded form of each message, and the registry's rows.
 *
 * Names are the specification's, in snake case. Spans point into the message
 * they were decoded from; nothing is copied or owned. A flag that shares a byte
 * with others is a bool of its own. */
#ifndef ASSAY_WIRE_MESSAGE_H
#define ASSAY_WIRE_MESSAGE_H
#include "wire/io.h"
#include <assay/errand.h>

/* The least that DataTransferSize may be (R-CAP-05), and a portion that is not the last (R-CHK-12). */
enum { MIN_DATA_TRANSFER_SIZE = 42 };

/* Limits of tables in messages. */
enum {
    ALG_TYPE_DHE = 2,
    ALG_TYPE_AEAD,
    ALG_TYPE_REQ_ASYM,
    ALG_TYPE_SCHEDULE,
    ALG_TYPE_REQ_PQC,
    ALG_TYPE_KEM,
    ALG_TYPE_N
};

struct version {
    struct spdm_span entries; /* VersionNumberEntry[k], 2 bytes each */
};
/* Algorithm fields of NEGOTIATE_ALGORITHMS, of the SupportedAlgorithms block and of ALGORITHMS. */
struct algorithms {
    uint8_t meas_spec, other_params, mel_spec;
    uint32_t meas_hash; /* ALGORITHMS only */
    uint32_t asym, hash, pqc_asym;
    uint8_t tables;             /* bit n: a table of AlgType n is present */
    uint16_t table[ALG_TYPE_N]; /* AlgSupported by AlgType */
    uint8_t ext_n;              /* extended algorithms in all lists together; parsed and skipped */
};
/* GET_CAPABILITIES and CAPABILITIES */
struct capabilities {
    bool with_algorithms; /* Param1 bit 0 (1.3+) */
    uint8_t ct_exponent;
    uint16_t ext_flags;
    uint32_t flags, data_transfer_size, max_message_size;
    struct algorithms block; /* CAPABILITIES, if with_algorithms */
};
struct digests {
    uint8_t supported, provisioned;                     /* SupportedSlotMask (1.3+), ProvisionedSlotMask */
    struct spdm_span digests;                           /* H bytes a slot */
    struct spdm_span key_pair_id, cert_info, key_usage; /* multi-key: 1, 1, 2 bytes a slot */
};
struct get_certificate {
    uint8_t slot;
    bool large, size_requested;
    uint32_t offset, length;
};
struct certificate {
    uint8_t slot, model;
    bool large;
    uint32_t remainder;
    struct spdm_span portion;
};
struct challenge {
    uint8_t slot, summary;
    struct spdm_span nonce, context;
};
struct challenge_auth {
    uint8_t slot, slot_mask; /* slot: 0..7, 0xf for a provisioned key */
    bool basic_mut_auth;
    struct spdm_span chain_hash, nonce, summary, opaque, context, signature;
};
struct get_measurements {
    bool sign, raw, fresh;
    uint8_t operation, slot; /* slot as in challenge_auth */
    struct spdm_span nonce, context;
};
struct measurements {
    uint8_t total, slot, content_changed, blocks;
    struct spdm_span record, nonce, opaque, context, signature;
};
struct error {
    uint8_t code, data;
    uint8_t rdt_exponent, request_code, token, rdtm; /* ResponseNotReady */
    uint8_t handle;                                  /* LargeResponse */
    uint32_t actual_size;                            /* ResponseTooLarge, DataTooLarge; 0 if absent */
    struct spdm_span vendor, extended;               /* VendorDefined */
};
struct respond_if_ready {
    uint8_t request_code, token;
};
struct vendor_defined {
    bool large;
    uint16_t standard;
    struct spdm_span vendor, payload;
};

struct key_exchange {
    uint8_t summary, slot, policy;
    uint16_t session;
    struct spdm_span random, exchange, opaque;
};
struct key_exchange_rsp {
    uint8_t heartbeat, mut_auth, slot; /* slot: nibble of SlotIDParam */
    uint16_t session;
    struct spdm_span random, exchange, summary, opaque, signature, verify;
};
struct finish {
    bool with_signature;
    uint8_t slot;
    struct spdm_span opaque, signature, verify;
};
struct finish_rsp {
    struct spdm_span opaque, verify;
};
struct psk_exchange {
    uint8_t summary, policy;
    uint16_t session;
    struct spdm_span hint, context, opaque;
};
struct psk_exchange_rsp {
    uint8_t heartbeat;
    uint16_t session;
    struct spdm_span summary, context, opaque, verify;
};
struct key_update { /* and its ACK */
    uint8_t operation, tag;
};
struct end_session {
    bool clear_state;
};
/* ENCAPSULATED_REQUEST, DELIVER_ENCAPSULATED_RESPONSE, ENCAPSULATED_RESPONSE_ACK */
struct encapsulated {
    uint8_t id, kind, ack; /* kind, ack: only in the ACK */
    struct spdm_span message;
};

/* CHUNK_SEND and CHUNK_RESPONSE */
struct chunk {
    bool last;
    uint8_t handle;
    uint32_t sequence, large_size; /* LargeMessageSize: in the first one only */
    struct spdm_span portion;
};
struct chunk_get {
    uint8_t handle;
    uint32_t sequence;
};
struct chunk_ack {
    bool early; /* EarlyErrorDetected */
    uint8_t handle;
    uint32_t sequence;
    struct spdm_span response;
};
struct csr {
    struct spdm_span csr;
};
struct set_certificate_rsp {
    uint8_t slot;
};
struct measurement_extension_log {
    uint32_t remainder;
    struct spdm_span portion;
};
/* SLOT_MANAGEMENT; tail: bytes of a chain that are sent from elsewhere */
struct slot_management {
    struct spdm_slots_order order;
    uint32_t tail;
    uint8_t operation;
};
struct slot_management_resp {
    uint8_t sub_code;
    struct spdm_span structure; /* SlotMgmtRespStruct; empty: none */
};
struct endpoint_info {
    uint8_t slot;
    struct spdm_span nonce, info, signature;
};

union spdm_body {
    struct version version;
    struct capabilities capabilities;
    struct algorithms algorithms;
    struct digests digests;
    struct get_certificate get_certificate;
    struct certificate certificate;
    struct challenge challenge;
    struct challenge_auth challenge_auth;
    struct get_measurements get_measurements;
    struct measurements measurements;
    struct error error;
    struct respond_if_ready respond_if_ready;
    struct vendor_defined vendor_defined;
    struct key_exchange key_exchange;
    struct key_exchange_rsp key_exchange_rsp;
    struct finish finish;
    struct finish_rsp finish_rsp;
    struct psk_exchange psk_exchange;
    struct psk_exchange_rsp psk_exchange_rsp;
    struct key_update key_update;
    struct end_session end_session;
    struct encapsulated encapsulated;
    struct chunk chunk;
    struct chunk_get chunk_get;
    struct chunk_ack chunk_ack;
    /* Requests of errands are the public structs. */
    union spdm_order order;
    struct csr csr;
    struct set_certificate_rsp set_certificate_rsp;
    struct measurement_extension_log measurement_extension_log;
    struct endpoint_info endpoint_info;
    struct slot_management slot_management;
    struct slot_management_resp slot_management_resp;
    struct spdm_key_pair key_pair;
};

/* ---- the registry ---- */

/* Where a request is legal; the first four are the connection's phases outside a session. */
enum phase {
    PHASE_START = 0x01,
    PHASE_VERSION = 0x02,
    PHASE_CAPABLE = 0x04,
    PHASE_NEGOTIATED = 0x08,
    PHASE_HANDSHAKE = 0x10,
    PHASE_SESSION = 0x20
};
/* Transcripts a message joins, or a request resets (spec digest transcripts.md section 10). */
enum joins {
    JOINS_NONE = 0,
    JOINS_VCA = 0x01,
    JOINS_M1M2 = 0x02,
    JOINS_L1L2 = 0x04,
    RESETS_M1M2 = 0x08,
    RESETS_M1M2_UNPROVEN = 0x10 /* only while no CHALLENGE has completed (UN-07) */
};

struct spdm_message {
    void (*walk)(struct io *, union spdm_body *); /* NULL: known, not yet described */
    uint32_t needs;                               /* Responder capabilities of which one must be set; 0: none */
    uint8_t code;                                 /* enum code */
    uint8_t since;                                /* first version */
    uint8_t legal;                                /* requests: enum phase bits */
    uint8_t joins;                                /* enum joins: transcripts it is part of, or starts anew */
#ifndef SPDM_NO_NAMES
    const char *name;
#endif
};

/* RequestResponseCodes */
#define SPDM_ROW(name, walker, code, ...) CODE_##name = (code),
enum code {
#include "wire/registry.def"
};
#undef SPDM_ROW

#define SPDM_ROW(name, ...) extern const struct spdm_message spdm_message_##name;
#include "wire/registry.def"
#undef SPDM_ROW

/* All rows, in the order of registry.def; pulls every walker in. */
extern const struct spdm_message *const spdm_messages[];
extern const size_t spdm_message_count;
/* The row with this RequestResponseCode, or NULL. */
const struct spdm_message *spdm_message_find(uint8_t code);

/* Decodes a whole message with io->rd, io->end and io->sh set. False: io says why. The message's own length is
 * io->at afterwards; bytes behind it are padding of the transport. */
bool spdm_decode(struct io *io, const struct spdm_message *row, union spdm_body *body);
/* Encodes with io->wr, io->end and io->sh set. The length is io->at. */
bool spdm_encode(struct io *io, const struct spdm_message *row, union spdm_body *body);
/* io for decoding `bytes`, parts of fields included; for encoding into `room`. */
struct io spdm_reader(const struct shape *sh, struct spdm_span bytes);
struct io spdm_writer(const struct shape *sh, struct spdm_room room);
/* The first error of io as a report on `row`. */
void spdm_io_report(const struct io *io, const struct spdm_message *row, struct spdm_report *out);

/* ---- walkers and helpers shared between messages ---- */
unsigned spdm_ones(uint32_t mask); /* number of bits set */
/* svh.c: whether VendorIDs of a standards body have this size; those with 2 or 4 bytes may be missing (R-VDR-06). */
bool spdm_vendor_id_fits(uint16_t body, size_t n);
/* A standards body or vendor-defined header: ID, VendorIDLen, VendorID. */
void spdm_io_svh(struct io *io, uint8_t *body, struct spdm_span *vendor);
/* A mask of four bytes behind its length; of other lengths as many bytes as we know are read, the rest is skipped. */
void spdm_io_mask(struct io *io, const char *length, const char *name, uint32_t *v);
/* What was read last, together with what excludes it, names at most one algorithm. */
#define io_one(io, name, v, other) io_need(io, ((v) & ((v)-1)) == 0 && ((v) == 0 || (other) == 0), NOT_ONE, name, v, 0)
/* Turns io to the n bytes just read; what it returns is to be given to spdm_io_close() when they have been walked,
 * which must be to their end. */
size_t spdm_io_open(struct io *io, size_t n);
void spdm_io_close(struct io *io, size_t end, const char *name);
/* One measurement block at the start of a record; encodes as well. */
struct spdm_opaque_element;
void spdm_walk_opaque_head(struct io *io, uint8_t *count);
void spdm_walk_opaque_element(struct io *io, struct spdm_opaque_element *m);
void spdm_walk_block(struct io *io, struct spdm_measurement *m);
#endif
