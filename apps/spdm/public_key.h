/* SPDX-License-Identifier: BSD-3-Clause
 *
 * public_key.h - a device's provisioned public key, from a file. */
#ifndef SPDM_PUBLIC_KEY_H
#define SPDM_PUBLIC_KEY_H
#include "port/crypto_openssl.h"

/* Reads a SubjectPublicKeyInfo in PEM or DER. *bytes is its DER, which both ends hash; the caller frees bytes->p and
 * the key. NULL: cause (SPDM_CAUSE_MAX) says why. */
struct spdm_openssl_key *spdm_public_key_load(struct spdm_openssl *ossl, const char *path, struct spdm_room *bytes,
                                              char *cause);
#endif
