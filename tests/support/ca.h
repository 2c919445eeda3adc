/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ca.h - a certificate authority for tests: signs what a device asks for. */
#ifndef TESTS_SUPPORT_CA_H
#define TESTS_SUPPORT_CA_H
#include "port/crypto_openssl.h"

struct ca;

struct ca *ca_open(const char *name);
void ca_close(struct ca *ca);
/* A certificate request in DER that verifies: its subject as "CN=x" goes to subject (NULL: not wanted). */
void ca_check(struct spdm_span csr, char *subject, size_t cap);
/* Whether the request has an extension with this OID. */
bool ca_asks_for(struct spdm_span csr, const char *oid);
/* The chain structure with the root, the certificate of the request, in this hash. Returns its length. */
size_t ca_sign(const struct ca *ca, struct spdm_span csr, enum spdm_alg hash, struct spdm_room out);
/* A CertificationRequestInfo without a key of its own: a subject and nothing else. */
size_t ca_info(const char *name, struct spdm_room out);
#endif
