/* SPDX-License-Identifier: BSD-3-Clause
 *
 * algorithm.h - every algorithm SPDM 1.0 to 1.4 can name.
 *
 * One id per algorithm, whatever field of whatever message selects it. The
 * table behind spdm_algorithm() knows the wire bit, the version that brought
 * it and the sizes; spdm_algorithm_name() the specification's name. */
#ifndef ASSAY_ALGORITHM_H
#define ASSAY_ALGORITHM_H
#include <stdbool.h>
#include <stdint.h>

/* What an algorithm is for; each class has its own bit field on the wire. */
enum spdm_class {
    SPDM_CLASS_HASH = 1, /* BaseHashAlgo; MeasurementHashAlgo uses the same ids, its bits are one higher */
    SPDM_CLASS_ASYM,     /* BaseAsymAlgo, ReqBaseAsymAlg */
    SPDM_CLASS_PQC,      /* PqcAsymAlgo, ReqPqcAsymAlg (1.4) */
    SPDM_CLASS_DHE,      /* algorithm table 2 */
    SPDM_CLASS_AEAD,     /* algorithm table 3 */
    SPDM_CLASS_SCHEDULE, /* algorithm table 5 */
    SPDM_CLASS_KEM       /* algorithm table 7 (1.4) */
};

/* clang-format off */
enum spdm_alg {
    SPDM_ALG_NONE = 0,
    SPDM_SHA_256, SPDM_SHA_384, SPDM_SHA_512, SPDM_SHA3_256, SPDM_SHA3_384, SPDM_SHA3_512, SPDM_SM3_256,
    SPDM_RSASSA_2048, SPDM_RSAPSS_2048, SPDM_RSASSA_3072, SPDM_RSAPSS_3072, SPDM_ECDSA_P256,
    SPDM_RSASSA_4096, SPDM_RSAPSS_4096, SPDM_ECDSA_P384, SPDM_ECDSA_P521, SPDM_SM2, SPDM_ED25519, SPDM_ED448,
    SPDM_ML_DSA_44, SPDM_ML_DSA_65, SPDM_ML_DSA_87,
    SPDM_SLH_DSA_SHA2_128S, SPDM_SLH_DSA_SHAKE_128S, SPDM_SLH_DSA_SHA2_128F, SPDM_SLH_DSA_SHAKE_128F,
    SPDM_SLH_DSA_SHA2_192S, SPDM_SLH_DSA_SHAKE_192S, SPDM_SLH_DSA_SHA2_192F, SPDM_SLH_DSA_SHAKE_192F,
    SPDM_SLH_DSA_SHA2_256S, SPDM_SLH_DSA_SHAKE_256S, SPDM_SLH_DSA_SHA2_256F, SPDM_SLH_DSA_SHAKE_256F,
    SPDM_FFDHE_2048, SPDM_FFDHE_3072, SPDM_FFDHE_4096, SPDM_SECP256R1, SPDM_SECP384R1, SPDM_SECP521R1, SPDM_DHE_SM2,
    SPDM_AES_128_GCM, SPDM_AES_256_GCM, SPDM_CHACHA20_POLY1305, SPDM_SM4_GCM,
    SPDM_KEY_SCHEDULE,
    SPDM_ML_KEM_512, SPDM_ML_KEM_768, SPDM_ML_KEM_1024,
    SPDM_ALG_N,
    SPDM_RAW_ONLY = 0xff  /* MeasurementHashAlgo bit 0: measurements are raw bit streams, there is no hash */
};
/* clang-format on */

/* One row: sizes in bytes, 0 where they do not apply. */
struct spdm_algorithm {
    uint8_t cls;    /* enum spdm_class */
    uint8_t bit;    /* number of its bit in the class's field */
    uint8_t since;  /* first SPDM version that defines it: 0x10 ... 0x14 */
    uint8_t key;    /* AEAD key size */
    uint16_t size;  /* hash: digest; signature: signature; DHE: ExchangeData; KEM: encapsulation key; AEAD: tag */
    uint16_t reply; /* DHE: ExchangeData; KEM: ciphertext */
};

#define SPDM_HASH_MAX 64 /* largest digest of the table */

/* The row of an id; ids out of range get the all-zero row. Never NULL. */
const struct spdm_algorithm *spdm_algorithm(enum spdm_alg id);

/* The specification's name ("ECDSA_P384"); "none" for SPDM_ALG_NONE, "unknown" out of range. */
const char *spdm_algorithm_name(enum spdm_alg id);

/* The id behind a name, letter case and '-', '_' ignored; SPDM_ALG_NONE when there is none. */
enum spdm_alg spdm_algorithm_named(const char *name);

/* The id selected by a field that may have at most one bit set; SPDM_ALG_NONE for 0, several or unknown bits,
 * and for algorithms newer than `version`. */
enum spdm_alg spdm_algorithm_of(enum spdm_class cls, uint32_t mask, uint8_t version);

/* The bit of an id in its class's field, 0 if the version does not have it yet. */
uint32_t spdm_algorithm_mask(enum spdm_alg id, uint8_t version);
#endif
