/* SPDX-License-Identifier: BSD-3-Clause
 *
 * peer_options.h - what every command that asks devices is told about them:
 * whom to trust, what to negotiate, how to open a session, how long to try,
 * what to write down of the conversation.
 *
 * Several tables, so that a command can put its own options in between; the
 * fields of all of them lie in one struct. */
#ifndef SPDM_PEER_OPTIONS_H
#define SPDM_PEER_OPTIONS_H
#include "options.h"
#include <assay/spdm.h>

/* A list of algorithms as a policy takes it: best first, ended by 0. */
struct spdm_algorithm_list {
    uint8_t id[SPDM_ALG_N + 1];
};

struct spdm_peer_options {
    struct spdm_texts trust;
    const char *public_key;
    bool no_time;
    const char *cache;
    uint8_t slots; /* mask */
    uint8_t versions[6];
    struct spdm_algorithm_list hashes, signatures;
    bool multi_key;
    uint32_t errata;                               /* as spdm_errata_apply() takes it */
    uint32_t data_transfer_size, max_message_size; /* 0: as much as there is room for */
    const char *psk, *psk_hint;
    struct spdm_algorithm_list exchanges, aeads;
    bool mac_only, clear_handshake;
    const char *own_chain, *own_public_key, *own_key;
    const char *reference; /* each command has a row of its own for it */
    uint32_t timeout, retries;
    bool trace;
    const char *pcap;
    unsigned pcap_format; /* index into wireshark, dmtf */
    const char *keylog;
};

/* Rows for a table of options, as SPDM_OPTION_PART(spdm_peer_trust_options, offsetof(struct mine, peer)). */
extern const struct spdm_option spdm_peer_trust_options[];     /* Whom to trust */
extern const struct spdm_option spdm_peer_negotiate_options[]; /* What to negotiate */
extern const struct spdm_option spdm_peer_slot_options[];      /* without heading */
extern const struct spdm_option spdm_peer_session_options[];   /* without heading */
extern const struct spdm_option spdm_peer_time_options[];      /* How long to try */
extern const struct spdm_option spdm_peer_record_options[];    /* without heading */
extern const struct spdm_option spdm_peer_keylog_options[];    /* the same, where there are sessions */

#define SPDM_PEER_DEFAULTS                                                                                             \
    {                                                                                                                  \
        .slots = 0xff, .timeout = 30000                                                                                \
    }

/* Slots as a mask (uint8_t), for struct spdm_option. */
bool spdm_peer_parse_slots(const char *text, void *field, char *error, size_t cap);
/* Errata switches as spdm_errata_apply() takes them (uint32_t), for struct spdm_option. */
bool spdm_peer_errata(const char *text, void *field, char *error, size_t cap);
/* What excludes or needs each other; session: the command opens one. NULL if all is well. */
const char *spdm_peer_contradiction(const struct spdm_peer_options *options, bool session);
#endif
