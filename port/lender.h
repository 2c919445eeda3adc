/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lender.h - room for large messages from the heap (lender_ctx is not used): each transfer gets what it needs, and the
 * limit is max_message_size. */
#ifndef ASSAY_PORT_LENDER_H
#define ASSAY_PORT_LENDER_H
#include <assay/large.h>

extern const struct spdm_lender spdm_lend_heap;
#endif
