/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of algorithms, apart from the table so that who never prints one does
 * not pay for them. */
#include <assay/algorithm.h>
#include <stddef.h>

/* clang-format off */
static const char *const names[SPDM_ALG_N] = {
    "none",
    "SHA_256", "SHA_384", "SHA_512", "SHA3_256", "SHA3_384", "SHA3_512", "SM3_256",
    "RSASSA_2048", "RSAPSS_2048", "RSASSA_3072", "RSAPSS_3072", "ECDSA_P256",
    "RSASSA_4096", "RSAPSS_4096", "ECDSA_P384", "ECDSA_P521", "SM2", "Ed25519", "Ed448",
    "ML_DSA_44", "ML_DSA_65", "ML_DSA_87",
    "SLH_DSA_SHA2_128S", "SLH_DSA_SHAKE_128S", "SLH_DSA_SHA2_128F", "SLH_DSA_SHAKE_128F",
    "SLH_DSA_SHA2_192S", "SLH_DSA_SHAKE_192S", "SLH_DSA_SHA2_192F", "SLH_DSA_SHAKE_192F",
    "SLH_DSA_SHA2_256S", "SLH_DSA_SHAKE_256S", "SLH_DSA_SHA2_256F", "SLH_DSA_SHAKE_256F",
    "FFDHE_2048", "FFDHE_3072", "FFDHE_4096", "SECP256R1", "SECP384R1", "SECP521R1", "DHE_SM2",
    "AES_128_GCM", "AES_256_GCM", "CHACHA20_POLY1305", "SM4_GCM",
    "SPDM_KEY_SCHEDULE",
    "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024",
};
/* clang-format on */

const char *spdm_algorithm_name(enum spdm_alg id)
{
    if (id == SPDM_RAW_ONLY) return "raw bit stream only";
    return (unsigned)id < SPDM_ALG_N ? names[id] : "unknown";
}

/* The next letter or digit in lower case, '\0' at the end; '-' and '_' are skipped. */
static char letter(const char **s)
{
    char c;

    while (**s == '-' || **s == '_') (*s)++;
    c = **s;
    if (c != '\0') (*s)++;
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *a, const char *b)
{
    char x, y;

    do {
        x = letter(&a);
        y = letter(&b);
    } while (x == y && x != '\0');
    return x == y;
}

enum spdm_alg spdm_algorithm_named(const char *name)
{
    for (unsigned i = 1; i < SPDM_ALG_N; i++) {
        if (same(name, names[i])) return (enum spdm_alg)i;
    }
    return SPDM_ALG_NONE;
}
