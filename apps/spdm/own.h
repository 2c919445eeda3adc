/* SPDX-License-Identifier: BSD-3-Clause
 *
 * own.h - what we prove to a device: our identity, and that we hold its pre-shared key. */
#ifndef SPDM_OWN_H
#define SPDM_OWN_H
#include "peer_options.h"
#include "port/device.h"

enum { SPDM_PSK_HINT_MAX = 64 };

struct spdm_own {
    struct spdm_device *device; /* NULL: we have no identity */
    struct spdm_room psk;       /* n == 0: there is none */
    struct spdm_span hint;      /* in hint_bytes */
    uint8_t hint_bytes[SPDM_PSK_HINT_MAX];
    const struct spdm_crypto *crypto;
    struct spdm_openssl *ossl;
    uint8_t *signature; /* SPDM_SIGNATURE_MAX bytes */
    uint8_t secret[SPDM_HASH_MAX];
};

enum { SPDM_OWN_ERROR = SPDM_DEVICE_REASON };

/* false: error says what cannot be used. Whatever came of it is to be cleared. */
bool spdm_own_load(const struct spdm_peer_options *options, struct spdm_openssl *ossl, struct spdm_own *out,
                   char error[SPDM_OWN_ERROR]);
/* Answers SPDM_ASK_SIGN and SPDM_ASK_PSK; the bytes of the answer last until the next one. */
void spdm_own_answer(struct spdm_own *own, const struct spdm_event *event, struct spdm_answer *answer);
void spdm_own_clear(struct spdm_own *own);
#endif
