/* SPDX-License-Identifier: BSD-3-Clause
 *
 * extend.h - hash-extended measurements: what the entries of a log come to.
 *
 * A value begins as zeros; each entry that extends the measurement makes it
 * hash(value || digest of the entry's value), in the order of the log
 * (R-MBK-16). An entry that holds a digest holds that one. No text was at hand
 * that says more, so that a log which comes to something else may have been
 * extended otherwise: that is told, and decides nothing. */
#ifndef PORT_EXTEND_H
#define PORT_EXTEND_H
#include "port/crypto_openssl.h"

struct spdm_extended {
    struct spdm_span log; /* DMTF's format, whole */
    uint8_t measurement;  /* its index */
    enum spdm_alg hash;   /* of measurements */
};

/* *entries: how many extend it. false: the log is malformed, an entry's digest is not of that hash, or there is none
 * such. */
bool spdm_extend(struct spdm_openssl *ossl, const struct spdm_extended *what, uint8_t out[SPDM_HASH_MAX],
                 unsigned *entries);
#endif
