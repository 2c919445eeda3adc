/* SPDX-License-Identifier: BSD-3-Clause
 *
 * errata.c - names for policies that follow another text or profile than ours. */
#include "port/errata.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct errata {
    const char *name;
    size_t at;   /* a bool of the policy */
    bool device; /* of a responder only */
} all[] = {
    {"resynch-out-of-order", offsetof(struct spdm_policy, resynch_out_of_order), true},
    {"unequal-sizes", offsetof(struct spdm_policy, unequal_sizes), false},
    {"big-endian-nonce", offsetof(struct spdm_policy, big_endian_nonce), false},
    {"tcp-inner-header", offsetof(struct spdm_policy, inner_header), false},
    {"drop-bad-records", offsetof(struct spdm_policy, drop_bad_records), true},
};

enum { N = sizeof all / sizeof *all };

int spdm_errata_named(const char *name, size_t n, bool device)
{
    for (int i = 0; i < N; i++) {
        if (all[i].device && !device) continue;
        if (strlen(all[i].name) == n && memcmp(all[i].name, name, n) == 0) return i;
    }
    return -1;
}

void spdm_errata_names(bool device, char *out, size_t cap)
{
    size_t n = 0;

    for (int i = 0; i < N && n < cap; i++) {
        if (all[i].device && !device) continue;
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n != 0 ? ", " : "", all[i].name);
    }
}

void spdm_errata_apply(uint32_t mask, struct spdm_policy *policy)
{
    for (unsigned i = 0; i < N; i++) {
        if ((mask >> i & 1) != 0) *(bool *)((char *)policy + all[i].at) = true;
    }
}
