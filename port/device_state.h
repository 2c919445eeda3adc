/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_state.h - what a device was given after it was described: certificates, key pairs, algorithms of banks.
 *
 * It is one file in a directory of the device's, replaced as a whole
 * (safe_file.h): a chain is there from end to end or not at all, and with it
 * whatever was given before. The file is lines of text and ends with their
 * SHA-256, so that damage is found at start and not by a requester. Private
 * keys that were generated lie in files of their own, which are there before
 * the state names them. */
#ifndef PORT_DEVICE_STATE_H
#define PORT_DEVICE_STATE_H
#include "port/safe_file.h"

#define SPDM_STATE_KEY_MAX 40
#define SPDM_STATE_TAGS 7 /* CSRTrackingTag: 1 to 7 */

/* The certificates of a slot, in place of those in the description. */
struct spdm_state_slot {
    uint8_t bank, slot, key_pair, model; /* bank: 0 without banks; key_pair 0: the one that fits */
    bool erased;
    struct spdm_room root, certificates; /* DER; root is empty if it is the first certificate */
};

struct spdm_state_pair {
    uint8_t id, slots;
    uint16_t usage;
    uint32_t asym, pqc;
    bool erased;                  /* there is no private key */
    char key[SPDM_STATE_KEY_MAX]; /* file beside the state; empty: the described key */
};

struct spdm_state_bank {
    uint8_t bank;
    uint32_t asym, pqc;
};

/* A GET_CSR that waits for a reset. */
struct spdm_state_csr {
    uint8_t tag, key_pair, model, bank;
    struct spdm_room info;
};

struct spdm_device_state {
    struct spdm_state_slot *slot;
    struct spdm_state_pair *pair;
    struct spdm_state_bank *bank;
    struct spdm_state_csr *csr;
    unsigned slot_n, pair_n, bank_n, csr_n;
};

/* NULL when memory is short. */
struct spdm_device_state *spdm_state_new(void);
struct spdm_device_state *spdm_state_copy(const struct spdm_device_state *from);
void spdm_state_free(struct spdm_device_state *state); /* NULL is fine */

/* Entries: NULL if there is none. */
struct spdm_state_slot *spdm_state_slot(const struct spdm_device_state *s, uint8_t bank, uint8_t slot);
struct spdm_state_pair *spdm_state_pair(const struct spdm_device_state *s, uint8_t id);
struct spdm_state_bank *spdm_state_bank(const struct spdm_device_state *s, uint8_t bank);
struct spdm_state_csr *spdm_state_csr(const struct spdm_device_state *s, uint8_t tag);
/* Puts one in the place of that with the same bank and slot, id, bank or tag. Bytes are copied. false: no memory. */
bool spdm_state_put_slot(struct spdm_device_state *s, const struct spdm_state_slot *from);
bool spdm_state_put_pair(struct spdm_device_state *s, const struct spdm_state_pair *from);
bool spdm_state_put_bank(struct spdm_device_state *s, const struct spdm_state_bank *from);
bool spdm_state_put_csr(struct spdm_device_state *s, const struct spdm_state_csr *from);
void spdm_state_drop_csr(struct spdm_device_state *s, uint8_t tag);

/* The state of a directory (spdm_safe_dir()); an empty one if none was written. NULL: cause says what is wrong. */
struct spdm_device_state *spdm_state_read(struct spdm_openssl *ossl, int dir, char *cause);
bool spdm_state_write(struct spdm_openssl *ossl, const struct spdm_file_calls *calls, int dir,
                      const struct spdm_device_state *state, char *cause);
/* Removes key files that the state does not name: of changes that were cut off. */
void spdm_state_tidy(int dir, const struct spdm_device_state *state);
#endif
