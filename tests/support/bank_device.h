/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bank_device.h - a pair whose device has banks of certificate slots and does
 * with them as it is told. */
#ifndef ASSAY_TESTS_BANK_DEVICE_H
#define ASSAY_TESTS_BANK_DEVICE_H
#include "support/talk.h"

enum { BANKS = 3, BANK_HASH = 48 };
enum { P256 = 1 << 3, P384 = 1 << 4, P521 = 1 << 5, ML_DSA_65 = 1 << 1 };
enum { EVERY = SPDM_SERVE_CSR | SPDM_SERVE_BANK | SPDM_SERVE_ERASE | SPDM_SERVE_STORE };

/* 0: P-384, slots 0 and 1, 0 in use; 1: P-256, slots 0, 1 and 2, 0 in use, 2 protected, could be P-521 as well;
 * 2: nothing yet, slot 0, could be P-256, P-521 or ML-DSA */
struct bank_device {
    struct pair pair;
    struct spdm_bank banks[BANKS];
    struct spdm_key_pair pairs[3];
    /* What it was asked last, and what it says. */
    enum spdm_event_kind kind;
    union spdm_order order;
    uint8_t stored[4096], error, tag;
};

/* Before pair_start(); `served` as in the policy. */
void bank_device_init(struct bank_device *d, uint8_t served);
/* Key pairs: 1 and 2 are of P-384, in slots 0 and 1; 3 is of P-256, in slot 0 of its bank. */
void bank_device_multi_key(struct bank_device *d);
/* Pursues one SubCode; true if that was reached. */
bool bank_device_ask(struct bank_device *d, struct spdm_slots_order slots);
/* GetBankDetails: the bank, its slots and their number. */
struct spdm_bank_details bank_device_details(struct bank_device *d, uint8_t bank, struct spdm_bank_slot *slots,
                                             unsigned *n);
struct spdm_span bank_device_reply(const struct bank_device *d);
/* What SPDM_ASK_CSR is answered. */
extern const char bank_device_csr[];
/* DER of the root, of bank 1 and slot 0. */
struct spdm_span bank_device_certificates(void);
/* A chain structure of n bytes. */
struct spdm_span bank_device_chain(size_t n);
bool bank_device_zero(struct spdm_span s);
/* Head of a request's structure. */
#define ADDRESS(bank, slot) "0800 0000 0800 0000 " bank " " slot " 0000 "
#endif
