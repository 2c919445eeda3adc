/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info.h - what a device says of itself: asked for once, kept, told.
 *
 * Everything here is the device's word. Nothing is judged and nothing proven:
 * that is what `spdm attest` is for. */
#ifndef SPDM_INFO_H
#define SPDM_INFO_H
#include "report.h"
#include "setup.h"
#include <assay/errand.h>

/* What is asked for, in this order. */
enum spdm_info_part {
    SPDM_INFO_CHAINS,
    SPDM_INFO_MEASUREMENTS,
    SPDM_INFO_KEY_PAIRS,
    SPDM_INFO_LOG,
    SPDM_INFO_ENDPOINT,
    SPDM_INFO_EVENTS,
    SPDM_INFO_BANKS,
    SPDM_INFO_PART_N
};

struct spdm_info_state {
    bool asked;         /* the device can be asked for it */
    bool needs_session; /* it can, but only inside a session */
    char *refusal;      /* why (the rest of) it was not told; NULL: it was */
};

struct spdm_info_chain {
    bool there;
    uint8_t model, key_pair; /* multi-key connections, else 0 */
    uint16_t usage;
    struct spdm_room digest, chain;
    struct spdm_judgement *judgement;
    struct spdm_openssl_key *key; /* the leaf's */
};

/* Who signed the endpoint information. */
struct spdm_info_signature {
    bool verified;
    uint8_t slot;  /* verified: whose key it was; SPDM_SLOT_KEY the provisioned one */
    char *refusal; /* not verified, although the device can sign: why; NULL: it cannot */
};

/* A hash-extended measurement beside what the log makes of it. */
struct spdm_info_extended {
    uint8_t measurement;
    bool known, agrees; /* known: the log can be followed */
    unsigned entries;
    uint8_t value[SPDM_HASH_MAX]; /* by the log; size of the measurement hash */
};

struct spdm_info_list {
    struct spdm_room *v;
    size_t n;
};

struct spdm_info {
    struct spdm_attest_result connection; /* target, facts, peer */
    struct spdm_info_state part[SPDM_INFO_PART_N];
    struct spdm_info_chain chain[SPDM_SLOT_N];
    struct spdm_room record;                           /* the MeasurementRecord */
    struct spdm_info_extended extended[SPDM_MEAS_ALL]; /* if there is a log */
    size_t extended_n;
    struct spdm_info_list key_pairs; /* KEY_PAIR_INFO messages */
    struct spdm_room log, endpoint, events;
    struct spdm_info_signature endpoint_signature;
    struct spdm_room sub_codes, banks;
    struct spdm_info_list details; /* BankDetails of each bank */
    int exit;                      /* enum spdm_exit */
};

/* Asks the target for everything. Returns when there is nothing left to ask for; what went wrong has been said on
 * stderr, or is a refusal. */
void spdm_info_ask(struct spdm_setup *setup, const struct spdm_target *target, struct spdm_info *out);
void spdm_info_clear(struct spdm_info *info);

void spdm_info_print(const struct spdm_info *info, const struct spdm_screen *screen);
#define SPDM_INFO_FORMAT "assay-info/1"
/* A new reference. */
json_t *spdm_info_json(const struct spdm_info *info);

/* "chains", "key_pairs": as members of the JSON form. */
const char *spdm_info_part_name(enum spdm_info_part part);
/* Names of the set bits of a mask, separated by ", "; "none". The caller frees it. */
char *spdm_info_slots(uint8_t mask);
char *spdm_info_usage(uint16_t mask);
char *spdm_info_abilities(uint16_t mask);                      /* of a key pair */
char *spdm_info_key_algorithms(uint32_t asyms, uint32_t pqcs); /* as key pairs and banks have them */
char *spdm_info_sub_codes(struct spdm_span bitmap);
const char *spdm_info_capability(const char *name); /* what a device with it does; empty: there are no words for it */
const char *spdm_info_model(uint8_t model);
const char *spdm_info_event(uint8_t body, uint16_t type); /* NULL: it has no name here */
#endif
