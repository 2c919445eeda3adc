/* SPDX-License-Identifier: BSD-3-Clause
 *
 * edition.h - what differs between SPDM versions, beyond the layout of messages.
 *
 * One row per version. A behaviour that depends on the version is a column
 * here; nothing outside src/wire and this table compares versions. */
#ifndef ASSAY_TRUST_EDITION_H
#define ASSAY_TRUST_EDITION_H
#include <stdbool.h>
#include <stdint.h>

struct edition {
    uint8_t version;
    uint8_t alg_tables;            /* NEGOTIATE_ALGORITHMS has algorithm structure tables (1.1+) */
    bool sizes;                    /* DataTransferSize and MaxSPDMmsgSize exist (1.2+) */
    bool signing_prefix;           /* signatures cover combined_spdm_prefix || hash (R-SIG-01, R-SIG-05) */
    bool vca_in_l1l2;              /* L1/L2 begins with VCA (R-MEA-22) */
    bool negotiates_opaque;        /* OtherParams selects the opaque data format (R-OPQ-01) */
    bool raw_bit, fresh_bit;       /* GET_MEASUREMENTS: RawBitStreamRequested, NewMeasurementRequested */
    bool multi_key;                /* MULTI_KEY_CAP, multi-key connections */
    bool algorithm_block;          /* GET_CAPABILITIES can ask for SupportedAlgorithms */
    bool too_large;                /* ERROR ResponseTooLarge exists (R-ERR-33) */
    bool slot_in_measurements;     /* MEASUREMENTS names its slot (1.1+) */
    bool mut_without_vca;          /* M1/M2 of mutual authentication lacks VCA (transcripts.md 3.1) */
    bool mut_for_encap;            /* MUT_AUTH_CAP stands in for ENCAP_CAP (1.2, state-machine.md section 7) */
    bool ack_has_id;               /* ENCAPSULATED_RESPONSE_ACK names what it acknowledges (1.2+) */
    bool no_pending;               /* ERROR NoPendingRequests exists */
    bool policy_error;             /* ERROR InvalidPolicy and OperationFailed exist */
    uint8_t psk_salt;              /* every byte of Salt_0 of a PSK session (R-KSC-03) */
    bool session_required;         /* ERROR SessionRequired (R-SSN-14) and ResetRequired exist */
    bool session_policy;           /* KEY_EXCHANGE carries a SessionPolicy */
    bool legacy_opaque;            /* opaque data of a key exchange has the header of DSP0277 for SPDM 1.1 */
    bool encap_end;                /* END_SESSION may come in an envelope (1.4) */
    bool large_certificate;        /* chains over 65,535 bytes (1.4) */
    bool wide_chunks;              /* ChunkSeqNo has 32 bits (1.4) */
    uint32_t req_flags, rsp_flags; /* capability bits that exist; others are masked off */
    uint16_t rsp_ext_flags;
};

/* The row of a version, NULL if we do not speak it. */
const struct edition *spdm_edition(uint8_t version);
#endif
