/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ed448_openssl.h - Ed448 with a context string where libcrypto has none.
 *
 * SPDM signs with Ed448 under a context (DSP0274 "Signature generation",
 * R-SIG-08). OpenSSL before 3.2 knows the empty context only and ignores a
 * context it is given, so both directions are done here with libcrypto's
 * curve and number arithmetic. Signing this way is not hardened against
 * somebody who can measure its time: where that matters, use OpenSSL 3.2. */
#ifndef PORT_ED448_OPENSSL_H
#define PORT_ED448_OPENSSL_H
#include "port/openssl_inside.h"

#define SPDM_ED448_KEY 57
#define SPDM_ED448_SIGNATURE 114

/* 1: good. context is at most 255 bytes long. */
int spdm_ed448_verify(const struct spdm_openssl_key *key, struct spdm_span context, struct spdm_span message,
                      struct spdm_span signature);
/* Writes SPDM_ED448_SIGNATURE bytes; false if the private key is not there to be read. */
bool spdm_ed448_sign(const struct spdm_openssl_key *key, struct spdm_span context, struct spdm_span message,
                     uint8_t *signature);
/* Frees what a back end keeps for this. */
void spdm_ed448_drop(struct spdm_openssl *ossl);
#endif
