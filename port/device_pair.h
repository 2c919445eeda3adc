/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_pair.h - an identity that is one chain, or one public key, and its private key, without a description file. */
#ifndef PORT_DEVICE_PAIR_H
#define PORT_DEVICE_PAIR_H
#include "port/device.h"

struct spdm_device_pair {
    const char *name;       /* begins every error: "--own-chain" */
    const char *chain;      /* file, PEM or DER; root first or leaf first; NULL: there is none, but a */
    const char *public_key; /* file, PEM or DER: the peer was given it beforehand */
    const char *key;        /* file or URI, as keystore.h takes them */
};

/* A device with the chain in slot 0, or the provisioned key, and nothing else: no measurements, an empty policy. The
 * same is checked as in a description. NULL: error says why. */
struct spdm_device *spdm_device_pair(const struct spdm_device_pair *pair, struct spdm_openssl *ossl,
                                     char error[SPDM_DEVICE_REASON]);
#endif
