/* SPDX-License-Identifier: BSD-3-Clause
 *
 * summary.c - computes the summary hash over measurement blocks.
 *
 * The hash covers whole blocks (index, specification, size, value header,
 * value) in ascending order; SPDM 1.0 and early 1.1 devices leave the four
 * bytes of the block header out, and either form will do for them. A different
 * hash is no refusal: the two were not taken at the same moment. */
#include "summary.h"
#include <stdlib.h>
#include <string.h>

enum { BLOCK_HEADER = 4, VALUE_HEADER = 3, DMTF = 1, RAW_BIT = 0x80 };

static bool update(const struct spdm_attest_order *order, void *state, const uint8_t *p, size_t n)
{
    return order->crypto->hash_update(order->crypto_ctx, state, (struct spdm_span){p, n});
}

static bool add_block(const struct spdm_attest_order *order, void *state, const struct spdm_measurement *m, bool header)
{
    size_t size = m->value.n + VALUE_HEADER;
    const uint8_t head[BLOCK_HEADER + VALUE_HEADER] = {m->index,
                                                       DMTF,
                                                       (uint8_t)size,
                                                       (uint8_t)(size >> 8),
                                                       (uint8_t)(m->type | (m->raw ? RAW_BIT : 0)),
                                                       (uint8_t)m->value.n,
                                                       (uint8_t)(m->value.n >> 8)};
    size_t skip = header ? 0 : BLOCK_HEADER;
    return update(order, state, head + skip, sizeof head - skip) && update(order, state, m->value.p, m->value.n);
}

static bool is_hash_of(const struct spdm_attest_order *order, const struct spdm_attest_result *r, bool header)
{
    const struct spdm_crypto *c = order->crypto;
    uint8_t digest[SPDM_HASH_MAX];
    void *state = calloc(1, c->hash_state_size + 1);
    if (state == NULL) return false;
    bool good = c->hash_begin(order->crypto_ctx, state, (enum spdm_alg)r->facts.hash);
    for (size_t i = 0; good && i < r->measured_n; i++) good = add_block(order, state, &r->measured[i].m, header);
    good = good && c->hash_peek(order->crypto_ctx, state, digest);
    c->hash_end(order->crypto_ctx, state);
    free(state);
    return good && memcmp(digest, r->summary.p, r->summary.n) == 0;
}

enum spdm_summary spdm_summary_compare(const struct spdm_attest_order *order, const struct spdm_attest_result *r)
{
    bool all = (r->goal.want & SPDM_WANT_MEASUREMENTS) != 0 && !r->goal.raw &&
               (r->goal.measure == SPDM_MEASURE_ALL || r->goal.measure == SPDM_MEASURE_EACH);
    if (r->end != SPDM_ATTEST_DONE || !r->facts.authentic || (r->goal.want & SPDM_WANT_CHALLENGE) == 0 ||
        r->goal.summary == 0 || r->summary.n != spdm_algorithm((enum spdm_alg)r->facts.hash)->size)
        return SPDM_SUMMARY_NONE;
    if (!all || r->goal.summary != SPDM_MEAS_ALL || r->measured_n == 0) return SPDM_SUMMARY_INCOMPARABLE;
    if (is_hash_of(order, r, true)) return SPDM_SUMMARY_SAME;
    return r->facts.version < SPDM_V12 && is_hash_of(order, r, false) ? SPDM_SUMMARY_SAME : SPDM_SUMMARY_OTHER;
}
