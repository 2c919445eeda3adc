/* SPDX-License-Identifier: BSD-3-Clause
 *
 * factory.h - a pair whose device takes certificates and writes down what it
 * was asked. */
#ifndef ASSAY_TESTS_FACTORY_H
#define ASSAY_TESTS_FACTORY_H
#include "support/talk.h"

struct factory {
    struct pair pair;
    /* What the device's caller saw last, and what it says. */
    enum spdm_event_kind kind;
    union spdm_order order;
    uint8_t info[70000], opaque[64];
    uint32_t session;
    uint8_t error, error_data;
};

/* The CSR that the device makes. */
extern const char factory_csr[];
enum { FACTORY_CSR = 28 };

/* Before pair_start(). */
void factory_init(struct factory *f, uint8_t version, bool multi_key);
bool factory_run(struct factory *f, const struct spdm_errand *errand, union spdm_order order);
/* A chain structure of n bytes in SHA-384. */
struct spdm_span factory_chain(size_t n);
#endif
