/* SPDX-License-Identifier: BSD-3-Clause
 *
 * csr.h - what GET_CSR and SET_KEY_PAIR_INFO want of a device: certificate requests and new keys. */
#ifndef PORT_CSR_H
#define PORT_CSR_H
#include "port/keystore.h"

struct spdm_csr_plan {
    enum spdm_alg hash;       /* base hash, for keys that sign a digest */
    uint8_t model;            /* enum spdm_cert_model; SPDM_CERT_NONE: device */
    struct spdm_span info;    /* RequesterInfo: CertificationRequestInfo in DER, or empty */
    struct spdm_span present; /* the certificate that the key has now, DER, or empty */
    const char *subject, *device_info,
        *name; /* of the description; NULL: none. name is a common name, the last resort */
};

/* A PKCS #10 request by the key. Subject: the requester's, else the plan's, else that of the present certificate, else
 * CN=name. Extensions: the requester's, with ours in their place: basicConstraints, keyUsage, extendedKeyUsage, the
 * SPDM extension and device info. Other attributes of the requester are kept. Returns its length; 0: cause says why,
 * and *unfit whether it is RequesterInfo that cannot be honoured (R-CSR-06). */
size_t spdm_signer_csr(struct spdm_signer *signer, const struct spdm_csr_plan *plan, struct spdm_room out, bool *unfit,
                       char *cause);

/* A new private key for an algorithm, PKCS #8 in PEM; p NULL: cause says why. Touches nothing of ossl but its library
 * context: can run on any thread. */
struct spdm_room spdm_new_key(struct spdm_openssl *ossl, enum spdm_alg algorithm, char *cause);
void spdm_free_key(struct spdm_room text);
#endif
