/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of key types, apart from their numbers so that who never prints one
 * does not pay for them. */
#include <assay/errand.h>

static const char *const names[] = {"RSA 2048",  "RSA 3072", "RSA 4096", "ECC P-256", "ECC P-384",
                                    "ECC P-521", "SM2",      "Ed25519",  "Ed448"};
static const char *const pqc_names[] = {
    "ML-DSA-44",          "ML-DSA-65",          "ML-DSA-87",          "SLH-DSA-SHA2-128s",  "SLH-DSA-SHAKE-128s",
    "SLH-DSA-SHA2-128f",  "SLH-DSA-SHAKE-128f", "SLH-DSA-SHA2-192s",  "SLH-DSA-SHAKE-192s", "SLH-DSA-SHA2-192f",
    "SLH-DSA-SHAKE-192f", "SLH-DSA-SHA2-256s",  "SLH-DSA-SHAKE-256s", "SLH-DSA-SHA2-256f",  "SLH-DSA-SHAKE-256f"};

static const char *name(uint32_t mask, const char *const *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (mask == (uint32_t)1 << i) return from[i];
    }
    return "unknown";
}

const char *spdm_key_pair_name(uint32_t asym, uint32_t pqc)
{
    if (asym == 0 && pqc == 0) return "none";
    if (pqc == 0) return name(asym, names, sizeof names / sizeof *names);
    return asym == 0 ? name(pqc, pqc_names, sizeof pqc_names / sizeof *pqc_names) : "unknown";
}
