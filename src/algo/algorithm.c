/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The algorithm table: wire bit, first version and sizes of everything SPDM
 * can name (DSP0274 NEGOTIATE_ALGORITHMS; spec digest algorithms.md). */
#include <assay/algorithm.h>
#include <assay/build.h>
#include <stddef.h>

#define V10 0x10
#define V11 0x11
#define V12 0x12
#define V14 0x14
/* clang-format off */
#define HASH(bit, since, n) {SPDM_CLASS_HASH, bit, since, 0, n, 0}
#define SIGN(bit, since, n) {SPDM_CLASS_ASYM, bit, since, 0, n, 0}
#define PQC(bit, n) {SPDM_CLASS_PQC, bit, V14, 0, n, 0}
#define DHE(bit, since, n) {SPDM_CLASS_DHE, bit, since, 0, n, n}
#define AEAD(bit, since, key) {SPDM_CLASS_AEAD, bit, since, key, 16, 0}
#define KEM(bit, ek, ct) {SPDM_CLASS_KEM, bit, V14, 0, ek, ct}
/* clang-format on */

#define FIRST_OF_SESSIONS SPDM_FFDHE_2048
#define OF_SESSION(id) [(id)-FIRST_OF_SESSIONS]

/* Rows that attestation needs, and the others. */
static const struct spdm_algorithm table[FIRST_OF_SESSIONS] = {
    [SPDM_SHA_256] = HASH(0, V10, 32),
    [SPDM_SHA_384] = HASH(1, V10, 48),
    [SPDM_SHA_512] = HASH(2, V10, 64),
    [SPDM_SHA3_256] = HASH(3, V10, 32),
    [SPDM_SHA3_384] = HASH(4, V10, 48),
    [SPDM_SHA3_512] = HASH(5, V10, 64),
    [SPDM_SM3_256] = HASH(6, V12, 32),
    [SPDM_RSASSA_2048] = SIGN(0, V10, 256),
    [SPDM_RSAPSS_2048] = SIGN(1, V10, 256),
    [SPDM_RSASSA_3072] = SIGN(2, V10, 384),
    [SPDM_RSAPSS_3072] = SIGN(3, V10, 384),
    [SPDM_ECDSA_P256] = SIGN(4, V10, 64),
    [SPDM_RSASSA_4096] = SIGN(5, V10, 512),
    [SPDM_RSAPSS_4096] = SIGN(6, V10, 512),
    [SPDM_ECDSA_P384] = SIGN(7, V10, 96),
    [SPDM_ECDSA_P521] = SIGN(8, V10, 132),
    [SPDM_SM2] = SIGN(9, V12, 64),
    [SPDM_ED25519] = SIGN(10, V12, 64),
    [SPDM_ED448] = SIGN(11, V12, 114),
    [SPDM_ML_DSA_44] = PQC(0, 2420),
    [SPDM_ML_DSA_65] = PQC(1, 3309),
    [SPDM_ML_DSA_87] = PQC(2, 4627),
    [SPDM_SLH_DSA_SHA2_128S] = PQC(3, 7856),
    [SPDM_SLH_DSA_SHAKE_128S] = PQC(4, 7856),
    [SPDM_SLH_DSA_SHA2_128F] = PQC(5, 17088),
    [SPDM_SLH_DSA_SHAKE_128F] = PQC(6, 17088),
    [SPDM_SLH_DSA_SHA2_192S] = PQC(7, 16224),
    [SPDM_SLH_DSA_SHAKE_192S] = PQC(8, 16224),
    [SPDM_SLH_DSA_SHA2_192F] = PQC(9, 35664),
    [SPDM_SLH_DSA_SHAKE_192F] = PQC(10, 35664),
    [SPDM_SLH_DSA_SHA2_256S] = PQC(11, 29792),
    [SPDM_SLH_DSA_SHAKE_256S] = PQC(12, 29792),
    [SPDM_SLH_DSA_SHA2_256F] = PQC(13, 49856),
    [SPDM_SLH_DSA_SHAKE_256F] = PQC(14, 49856),
};
static const struct spdm_algorithm session_table[SPDM_ALG_N - FIRST_OF_SESSIONS] = {
    OF_SESSION(SPDM_FFDHE_2048) = DHE(0, V11, 256),
    OF_SESSION(SPDM_FFDHE_3072) = DHE(1, V11, 384),
    OF_SESSION(SPDM_FFDHE_4096) = DHE(2, V11, 512),
    OF_SESSION(SPDM_SECP256R1) = DHE(3, V11, 64),
    OF_SESSION(SPDM_SECP384R1) = DHE(4, V11, 96),
    OF_SESSION(SPDM_SECP521R1) = DHE(5, V11, 132),
    OF_SESSION(SPDM_DHE_SM2) = DHE(6, V12, 64),
    OF_SESSION(SPDM_AES_128_GCM) = AEAD(0, V11, 16),
    OF_SESSION(SPDM_AES_256_GCM) = AEAD(1, V11, 32),
    OF_SESSION(SPDM_CHACHA20_POLY1305) = AEAD(2, V11, 32),
    OF_SESSION(SPDM_SM4_GCM) = AEAD(3, V12, 16),
    OF_SESSION(SPDM_KEY_SCHEDULE) = {SPDM_CLASS_SCHEDULE, 0, V11, 0, 0, 0},
    OF_SESSION(SPDM_ML_KEM_512) = KEM(0, 800, 768),
    OF_SESSION(SPDM_ML_KEM_768) = KEM(1, 1184, 1088),
    OF_SESSION(SPDM_ML_KEM_1024) = KEM(2, 1568, 1568),
};

const struct spdm_algorithm *spdm_algorithm(enum spdm_alg id)
{
    if ((unsigned)id < FIRST_OF_SESSIONS) return &table[id];
    return SPDM_SESSIONS && (unsigned)id < SPDM_ALG_N ? &session_table[id - FIRST_OF_SESSIONS] : &table[0];
}

uint32_t spdm_algorithm_mask(enum spdm_alg id, uint8_t version)
{
    const struct spdm_algorithm *a = spdm_algorithm(id);

    return a->cls != 0 && version >= a->since ? (uint32_t)1 << a->bit : 0;
}

enum spdm_alg spdm_algorithm_of(enum spdm_class cls, uint32_t mask, uint8_t version)
{
    for (unsigned i = 1; mask != 0 && i < SPDM_ALG_N; i++) {
        enum spdm_alg id = (enum spdm_alg)i;

        if (spdm_algorithm(id)->cls == (uint8_t)cls && mask == spdm_algorithm_mask(id, version)) return id;
    }
    return SPDM_ALG_NONE;
}
