/* SPDX-License-Identifier: BSD-3-Clause
 *
 * schedule.h - the key schedule (DSP0274 "Key schedule"; R-KSC-01 ... R-KSC-14).
 *
 * All secrets of a session lie in one object and are wiped by one call. A stage
 * overwrites what it consumed: when the data secrets exist, nothing of the
 * handshake is left. */
#ifndef ASSAY_TRUST_SCHEDULE_H
#define ASSAY_TRUST_SCHEDULE_H
#include "base/bytes.h"
#include <assay/crypto.h>

enum { SCHEDULE_IV = 12, SCHEDULE_KEY_MAX = 32 };

/* Whose records a secret protects. */
enum direction { REQUEST, RESPONSE, DIRECTION_N };

/* What derivations depend on. */
struct schedule {
    const struct spdm_crypto *crypto;
    void *ctx;
    enum spdm_alg hash, aead;
    uint8_t version;  /* SPDM_V11 ... */
    uint8_t psk_salt; /* edition.h: every byte of Salt_0 in a PSK session */
};

struct secrets {
    uint8_t direction[DIRECTION_N][SPDM_HASH_MAX]; /* S0, S1 in the handshake, then S2, S3 */
    union {
        struct {                         /* until the data secrets exist */
            uint8_t root[SPDM_HASH_MAX]; /* Handshake-Secret */
            uint8_t finished[DIRECTION_N][SPDM_HASH_MAX];
        };
        struct { /* from then on */
            uint8_t export_master[SPDM_HASH_MAX];
            uint8_t previous[DIRECTION_N][SPDM_HASH_MAX]; /* of keys that were replaced and may have to come back */
        };
    };
};

/* Key and IV of one direction. */
struct record_secret {
    uint8_t key[SCHEDULE_KEY_MAX], iv[SCHEDULE_IV];
};

/* All return false if the crypto library failed. */

/* Handshake-Secret from a DHE or KEM secret (R-KSC-03, R-KSC-04). For a PSK the caller of the core computes it:
 * HMAC(key = salt of spdm_schedule_psk_salt(), data = PSK). */
bool spdm_schedule_handshake_secret(const struct schedule *s, struct secrets *out, struct spdm_span shared);
/* Salt_0 of a PSK session: zeros up to 1.2, 0xff from 1.3 on; H bytes. */
void spdm_schedule_psk_salt(const struct schedule *s, uint8_t out[SPDM_HASH_MAX]);
/* Direction secrets and finished keys of the handshake from TH1 (R-KSC-05, R-KSC-10). */
bool spdm_schedule_handshake(const struct schedule *s, struct secrets *secrets, const uint8_t th1[SPDM_HASH_MAX]);
/* Finished keys alone, where the direction secrets are known (R-KSC-10). */
bool spdm_schedule_finished(const struct schedule *s, struct secrets *secrets);
/* Data secrets and Export-Master-Secret from TH2; what belongs to the handshake is wiped (R-KSC-07, R-KSC-08). */
bool spdm_schedule_data(const struct schedule *s, struct secrets *secrets, const uint8_t th2[SPDM_HASH_MAX]);
/* The next generation of a data secret (R-KUP-15). */
bool spdm_schedule_update(const struct schedule *s, const uint8_t old[SPDM_HASH_MAX], uint8_t next[SPDM_HASH_MAX]);
/* Key and IV from a direction's secret (R-KSC-12). */
bool spdm_schedule_record(const struct schedule *s, const uint8_t secret[SPDM_HASH_MAX], struct record_secret *out);
/* VerifyData: HMAC of a transcript's digest under a finished key (R-KSC-11). */
bool spdm_schedule_verify_data(const struct schedule *s, const uint8_t finished[SPDM_HASH_MAX],
                               const uint8_t th[SPDM_HASH_MAX], uint8_t out[SPDM_HASH_MAX]);
#endif
