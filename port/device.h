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
#include "port/device_state.h"
#include "port/keystore.h"
#include "port/x509_judge.h"

#include <assay/responder.h>

#define SPDM_DEVICE_REASON 600 /* room for a sentence about a description, with its end */
#define SPDM_DEVICE_KEYS 16
#define SPDM_DEVICE_BANKS 8
#define SPDM_DEVICE_CANNED 32
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

/* An answer that is described: to vendor-defined requests of one body and VendorID, or to application data, that begin
 * with these bytes. */
struct spdm_device_canned {
    bool vendor_defined;
    uint8_t body;
    struct spdm_span vendor, request, answer;
};
struct spdm_vendor_request {
    bool vendor_defined;
    uint16_t body;
    struct spdm_span vendor, payload;
};

/* What requesters may give the device. */
enum { SPDM_ALLOW_CSR = 1, SPDM_ALLOW_CERTIFICATES = 2, SPDM_ALLOW_KEY_PAIRS = 4, SPDM_ALLOW_BANKS = 8 };
struct spdm_device_provisioning {
    bool there;
    uint8_t allow;
    bool reset;                         /* what is given takes effect after a reset */
    char *state;                        /* directory that keeps it */
    char *subject, *device_info;        /* of certificate requests; NULL: as in the present certificate, none */
    struct spdm_device_key *device_key; /* alias model: of the device's own authority; NULL: there is none */
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
    struct spdm_bank banks[SPDM_DEVICE_BANKS];     /* what identity shows */
    struct spdm_device_key *bank_key[SPDM_DEVICE_BANKS][SPDM_SLOT_N];
    struct spdm_key_pair pairs[SPDM_DEVICE_KEYS]; /* likewise */
    struct spdm_device_key *pair_key[SPDM_DEVICE_KEYS];
    struct spdm_span log;      /* measurement extension log; empty: there is none */
    struct spdm_span endpoint; /* EPInfo; empty: there is none */
    uint8_t event_types;       /* bit n: DMTF's event type n is raised; 0: there are no events */
    struct spdm_device_canned canned[SPDM_DEVICE_CANNED];
    size_t canned_n;
    struct spdm_device_provisioning provisioning;
    struct spdm_device_state *state; /* what has been given so far; NULL: there is no provisioning */
};

/* The state in a directory that a description names, for as long as the loading lasts; NULL: cause says why there is
 * none. */
typedef const struct spdm_device_state *spdm_device_state_of(void *ctx, const char *dir, char *cause);

struct spdm_device_source {
    const char *path;
    struct spdm_openssl *ossl;
    spdm_device_state_of *state; /* NULL: the device is as it was described */
    void *ctx;
};
struct spdm_device *spdm_device_open(const struct spdm_device_source *source, char error[SPDM_DEVICE_REASON]);
/* Loads a description without the state it may name; ossl tells which algorithms there are, and lends the back ends of
 * keys: it outlives the device. NULL: error says why and where. */
struct spdm_device *spdm_device_load(const char *path, struct spdm_openssl *ossl, char error[SPDM_DEVICE_REASON]);
/* NULL is fine. No key may be in use. */
void spdm_device_free(struct spdm_device *device);
/* The key behind a slot of SPDM_ASK_SIGN (0..7 or SPDM_SLOT_KEY) that signs with an algorithm; NULL if there is none.
 */
struct spdm_device_key *spdm_device_key(const struct spdm_device *device, uint8_t slot, enum spdm_alg alg);
/* The first described answer to a request; NULL if there is none. */
const struct spdm_device_canned *spdm_device_answer(const struct spdm_device *device,
                                                    const struct spdm_vendor_request *request);
extern const char *const spdm_device_event_names[]; /* by DMTF's event type, 1 to 4 */
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
