/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keystore.h - private keys, wherever they are.
 *
 * A key is named by what OpenSSL's OSSL_STORE understands: a path of a PEM or
 * DER file, `file:...`, and whatever the providers bring: `handle:0x81000001`
 * with tpm2-openssl, `pkcs11:...` with a PKCS #11 provider. With providers or
 * a property query of its own a key gets a library context of its own, so that
 * nothing but this key is drawn to, say, a TPM:
 *
 *     static const char *const tpm[] = {"tpm2", "default", NULL};
 *     struct spdm_signer_options o = {.uri = "handle:0x81000001", .propq = "?provider=tpm2", .providers = tpm};
 *     struct spdm_signer *signer = spdm_signer_open(ossl, &o, cause);
 *
 * A signer answers SPDM_ASK_SIGN: ev.signing goes in, the signature as it
 * goes over the wire comes out. It belongs to one thread at a time. */
#ifndef PORT_KEYSTORE_H
#define PORT_KEYSTORE_H
#include "port/crypto_openssl.h"

#define SPDM_SIGNATURE_MAX 49856 /* the largest SPDM knows: SLH-DSA-SHA2-256f */

struct spdm_signer;

struct spdm_signer_options {
    const char *uri;
    const char *propq;            /* property query for this key; NULL: the back end's */
    const char *const *providers; /* providers this key needs, NULL-ended, "default" among them; NULL: none */
    const char *config;           /* file in the form of openssl.cnf for this key's library context; NULL: none */
    /* Asked when the key is encrypted; writes the passphrase (ended by 0) to out. NULL: an encrypted key is an error,
     * nobody is ever asked on the terminal. */
    bool (*passphrase)(void *ctx, char *out, size_t cap);
    void *passphrase_ctx;
};

/* NULL: cause (SPDM_CAUSE_MAX bytes, may be NULL) says why, with OpenSSL's reason. ossl must outlive the signer. */
struct spdm_signer *spdm_signer_open(struct spdm_openssl *ossl, const struct spdm_signer_options *options, char *cause);
/* NULL is fine. */
void spdm_signer_close(struct spdm_signer *signer);

/* The signature over `what` in SPDM's wire format: its length, 0 if it failed (cause, may be NULL, says why). */
size_t spdm_signer_sign(struct spdm_signer *signer, const struct spdm_signing *what, struct spdm_room out, char *cause);

/* The algorithms it can sign with, ended by 0, as struct spdm_slot wants them. */
const uint8_t *spdm_signer_algorithms(const struct spdm_signer *signer);
/* "EC P-384" */
const char *spdm_signer_name(const struct spdm_signer *signer);
/* The public half, for verify(); lives as long as the signer. */
const struct spdm_openssl_key *spdm_signer_public(const struct spdm_signer *signer);
/* The AlgorithmIdentifier of its public half, DER: its length, and the bytes if they fit; 0: there is none. */
size_t spdm_signer_algorithm_identifier(const struct spdm_signer *signer, uint8_t *out, size_t cap);
/* Whether the public half is this one: a device must not present a certificate for another key. */
bool spdm_signer_matches(const struct spdm_signer *signer, const struct spdm_openssl_key *key);
#endif
