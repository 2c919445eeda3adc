/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device.h - what a device is, read from a description file.
 *
 * The file is libconfig's form, written by hand (examples/device.cfg explains
 * every setting): identity by slot, measurements, capabilities, algorithms,
 * versions, sizes, timing, sessions and who may have them. Loading checks everything that can be checked
 * before a client comes: unknown settings, files, that a key belongs to its
 * certificate, that names exist. An error names file and line.
 *
 * A loaded device never changes; a changed file is loaded as a new one. It may
 * be read by any number of connections; each of its keys belongs to one thread
 * at a time, independent of the others. */
#ifndef PORT_DEVICE_H
#define PORT_DEVICE_H
#include "port/keystore.h"
#include "port/x509_judge.h"

#include <assay/responder.h>

#define SPDM_DEVICE_REASON 600 /* room for a sentence about a description, with its end */
#define SPDM_DEVICE_KEYS (SPDM_SLOT_N + 1)
#define SPDM_DEVICE_SESSIONS 4 /* of a client, if the description does not say */
#define SPDM_DEVICE_PSKS 64

/* A private key with a crypto back end of its own: what another thread needs to sign. */
struct spdm_device_key {
    char *uri;
    struct spdm_openssl *ossl;
    struct spdm_signer *signer;
};

/* A pre-shared key. */
struct spdm_device_psk {
    struct spdm_span hint; /* p NULL: for every hint that no other has */
    struct spdm_span secret;
};

/* Whom the device believes when it asks its requesters for proof. */
struct spdm_device_requesters {
    struct spdm_judge *judge;     /* of their chains, on the loader's thread; NULL: there are no roots */
    struct spdm_openssl_key *key; /* of the one that is known beforehand (MutAuthRequested 1), or NULL */
    struct spdm_span chain;       /* its certificates, root first; empty: it has a provisioned key only, */
    struct spdm_span root;        /* chain: the first certificate */
    struct spdm_span public_key;  /* these bytes */
};

struct spdm_device {
    char *name;
    struct spdm_identity identity;
    struct spdm_policy policy;
    struct spdm_measurement measurements[SPDM_MEAS_ALL]; /* ascending index */
    size_t measurement_n;
    uint32_t data_transfer_size; /* largest SPDM message taken in one */
    uint32_t send_size;          /* largest SPDM message sent in one */
    uint32_t max_message_size;   /* largest SPDM message taken in chunks */
    uint32_t sessions;           /* of one client at once */
    struct spdm_device_psk psks[SPDM_DEVICE_PSKS];
    size_t psk_n;
    struct spdm_device_requesters requesters;
    uint32_t delay_ms;            /* wait before answering questions: for testing ResponseNotReady */
    struct spdm_device_key *keys; /* of key_n; a key named twice is opened once */
    size_t key_n;
    struct spdm_device_key *slot_key[SPDM_SLOT_N]; /* NULL: no key */
    struct spdm_device_key *raw_key;               /* of the provisioned public key */
};

/* Loads a description; ossl tells which algorithms there are, and lends the back ends of keys: it outlives the device.
 * NULL: error says why and where. */
struct spdm_device *spdm_device_load(const char *path, struct spdm_openssl *ossl, char error[SPDM_DEVICE_REASON]);
/* NULL is fine. No key may be in use. */
void spdm_device_free(struct spdm_device *device);
/* The key behind a slot of SPDM_ASK_SIGN (0..7 or SPDM_SLOT_KEY); NULL if there is none. */
struct spdm_device_key *spdm_device_key(const struct spdm_device *device, uint8_t slot);
/* The pre-shared key that a hint names; NULL if there is none. */
const struct spdm_device_psk *spdm_device_psk(const struct spdm_device *device, struct spdm_span hint);
/* The digest of the chain structure, or of the provisioned key, of the requester that is known beforehand. false: there
 * is none, or the hash is not there. */
bool spdm_device_requester_digest(const struct spdm_device *device, struct spdm_openssl *ossl, enum spdm_alg hash,
                                  uint8_t out[SPDM_HASH_MAX]);
/* Whether a chain is longer than the short form of CERTIFICATE carries (1.4: LARGE_RESP_CAP). */
static inline bool spdm_device_large(const struct spdm_device *device)
{
    bool large = false;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++)
        large = large || device->identity.slot[i].certificates.n > 65535 - 4 - SPDM_HASH_MAX;
    return large;
}
/* One line for people: "widget: slot 0 (EC P-384), 5 measurements, 4 sessions, SPDM 1.4, 1.3". */
void spdm_device_describe(const struct spdm_device *device, char *out, size_t cap);
#endif
