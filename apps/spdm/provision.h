/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision.h - `spdm provision`: gives a device a certificate.
 *
 *   provision_options.c  what was asked for
 *   provision.c          the job from top to bottom
 *   provision_info.c     what the device's request shall say
 *   provision_slot.c     requests and certificates, in slots or in banks of slots
 *   provision_bank.c     banks: which there are, and their algorithms
 *   provision_key.c      key pairs: which there are, and changes
 *   provision_prove.c    what the device shows afterwards
 *   provision_tell.c     each step for people, the whole for programs */
#ifndef SPDM_PROVISION_H
#define SPDM_PROVISION_H
#include "port/authority.h"
#include "text.h"
#include "visit.h"
#include <jansson.h>

enum { PROVISION_NO_SLOT = 0xff, PROVISION_NO_BANK = 0xffff, PROVISION_SLOTS = 0x100 };

struct provision_options {
    struct spdm_peer_options peer;
    bool session, json, dry_run;
    uint8_t slot;                        /* PROVISION_NO_SLOT: to be chosen */
    uint32_t bank;                       /* PROVISION_NO_BANK: slots without banks */
    uint32_t key_pair;                   /* 0: to be chosen */
    unsigned model;                      /* 0: what the device is, else enum spdm_cert_model */
    const char *ca, *csr_out, *chain_in; /* files */
    const char *subject;                 /* NULL: the device's */
    const char *csr_info;                /* a file, or NULL */
    struct spdm_texts csr_opaque;        /* BODY[:VENDOR]=DATA */
    uint32_t days, csr_tag;
    bool overwrite_csr, erase;
    bool generate, erase_key;
    uint16_t key_slots;                    /* PROVISION_SLOTS and a mask; 0: they stay */
    uint8_t key_algorithm, bank_algorithm; /* enum spdm_alg */
    uint16_t key_usage;
    uint32_t wait_reset; /* ms, 0: not at all */
};

struct provision {
    const struct provision_options *options;
    struct spdm_peer_options proof; /* the same for the look afterwards */
    struct spdm_setup setup;
    struct spdm_target target;
    struct spdm_visit *visit;
    struct spdm_facts facts; /* of the first connection */
    struct spdm_authority *authority;
    struct spdm_screen screen;
    json_t *report, *steps;
    struct spdm_key_pair key_pairs[UINT8_MAX]; /* of key_pair_n, as they are */
    unsigned key_pair_n;
    uint8_t slots, used, protected;  /* that there are, have certificates, cannot be written; as masks */
    uint32_t slot_size[SPDM_SLOT_N]; /* of the bank; 0: not told */
    uint8_t slot, key_pair, model;
    struct spdm_room reply; /* the last SPDM_REPLIED */
    bool reset_due;         /* of the last errand */
    uint8_t tag;            /* of a request that waits for a reset */
    struct spdm_request_info info;
    struct spdm_room opaque;  /* OpaqueData of the request */
    struct spdm_room present; /* the certificates that the device shows for its key now */
    struct spdm_room csr;
    struct spdm_room chain; /* certificates as they are to be stored; OpenSSL's */
    struct spdm_visited visited;
    int exit;
};

/* provision_options.c */
int spdm_provision_main(int argc, char **argv);
int spdm_provision_parse(int argc, char **argv, struct provision_options *out, struct spdm_texts *target);

/* provision_tell.c: the text is a format for printf. */
/* A step that was done, or with --dry-run would be. */
void spdm_provision_tell(struct provision *p, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Why it ends here; returns false. */
bool spdm_provision_fail(struct provision *p, int exit, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for an errand that was not done. */
bool spdm_provision_refused(struct provision *p, const char *step);
void spdm_provision_note(struct provision *p, const char *member, json_t *value);
bool spdm_provision_print(struct provision *p);

/* provision.c */
/* Connects, and with --session attests. */
bool spdm_provision_arrive(struct provision *p);
void spdm_provision_leave(struct provision *p);
/* One errand. false: p->visited says why; else p->reply and p->reset_due say what came of it. */
bool spdm_provision_errand(struct provision *p, const struct spdm_errand *errand, const union spdm_order *order);

/* provision_key.c */
bool spdm_provision_read_keys(struct provision *p);
bool spdm_provision_change_key(struct provision *p);
bool spdm_provision_choose_key(struct provision *p);

/* provision_info.c */
/* Files and elements, before anything is sent; false: it has been said why. */
bool spdm_provision_load_info(struct provision *p);
/* Makes them fit the device; slot and key pair are chosen. */
bool spdm_provision_fit_info(struct provision *p);

/* provision_bank.c */
/* One SubCode of SLOT_MANAGEMENT. */
bool spdm_provision_bank_slots(struct provision *p, struct spdm_slots_order slots);
bool spdm_provision_read_bank(struct provision *p);
bool spdm_provision_bank(struct provision *p); /* --bank-algorithm */

/* provision_slot.c */
/* The certificates in the chain structure that was read. */
struct spdm_span spdm_provision_certificates(const struct provision *p, const struct spdm_room *structure);
bool spdm_provision_read_slots(struct provision *p);
bool spdm_provision_choose_slot(struct provision *p);
bool spdm_provision_get_csr(struct provision *p);
bool spdm_provision_get_chain(struct provision *p);
bool spdm_provision_store(struct provision *p);
bool spdm_provision_erase(struct provision *p);

/* provision_prove.c: looks at the device anew. */
bool spdm_provision_prove(struct provision *p);
#endif
