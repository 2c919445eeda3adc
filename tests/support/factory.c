/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A device that takes certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/factory.h"

const char factory_csr[FACTORY_CSR] = "a request for a certificate";

static void copy(uint8_t *to, size_t cap, struct spdm_span from)
{
    assert_true(from.n <= cap);
    if (from.n != 0) memcpy(to, from.p, from.n);
}

static void answer(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    struct factory *f = (struct factory *)pair; /* its first member */

    f->kind = ev->kind;
    f->order = *ev->order;
    f->session = ev->session;
    if (ev->kind == SPDM_ASK_CSR) {
        copy(f->info, sizeof f->info, ev->order->csr.info);
        copy(f->opaque, sizeof f->opaque, ev->order->csr.opaque);
        a->data = (struct spdm_span){(const uint8_t *)factory_csr, FACTORY_CSR};
    } else {
        copy(f->info, sizeof f->info, ev->order->store.chain);
    }
    a->yes = f->error == 0;
    a->error = f->error;
    a->error_data = f->error_data;
}

void factory_init(struct factory *f, uint8_t version, bool multi_key)
{
    struct pair *p = &f->pair;

    memset(f, 0, sizeof *f);
    pair_init(p);
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
    p->rsp_policy.flags |= SPDM_CSR_CAP | SPDM_SET_CERT_CAP;
    if (multi_key) p->rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
    p->errand = answer;
}

bool factory_run(struct factory *f, const struct spdm_errand *errand, union spdm_order order)
{
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = errand, .order = &order};

    f->pair.replies = 0;
    return pair_run(&f->pair, &goal);
}

struct spdm_span factory_chain(size_t n)
{
    static uint8_t chain[70000];

    assert_true(n <= sizeof chain);
    for (size_t i = 0; i < n; i++) chain[i] = (uint8_t)(i * 11);
    chain[0] = (uint8_t)n;
    chain[1] = (uint8_t)(n >> 8);
    chain[2] = chain[3] = 0;
    return (struct spdm_span){chain, n};
}
