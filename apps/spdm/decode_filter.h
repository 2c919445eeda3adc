/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_filter.h - which messages are shown: --filter. */
#ifndef SPDM_DECODE_FILTER_H
#define SPDM_DECODE_FILTER_H
#include "decode_flow.h"
#include "options.h"

#define DECODE_FILTER_ERROR 300

/* Whether it can be understood. */
bool decode_filter_check(const char *filter, char *error, size_t cap);
/* Whether a message passes all filters; one passes if one of its terms, separated by commas, fits. */
bool decode_filter_passes(const struct spdm_texts *filters, const struct decode_message *m);
#endif
