/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key types as KEY_PAIR_INFO, SET_KEY_PAIR_INFO and certificate-slot banks name
 * them: a table of their own that knows no padding schemes (algorithms.md, "Key
 * pair tables"). Post-quantum bits are those of PqcAsymAlgo. */
#include <assay/errand.h>

/* Bit by the number of the algorithm's bit in BaseAsymAlgo. */
static const uint8_t bits[] = {0, 0, 1, 1, 3, 2, 2, 4, 5, 6, 7, 8};

uint32_t spdm_key_pair_bit(enum spdm_alg signature)
{
    const struct spdm_algorithm *a = spdm_algorithm(signature);

    if (a->cls == SPDM_CLASS_PQC) return (uint32_t)1 << a->bit;
    return a->cls == SPDM_CLASS_ASYM ? (uint32_t)1 << bits[a->bit] : 0;
}
