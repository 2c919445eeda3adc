/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_keep.h - copies of what a run has seen, in its result. */
#ifndef SPDM_ATTEST_KEEP_H
#define SPDM_ATTEST_KEEP_H
#include "attest_run.h"

/* false, from all of them: memory is short. */
bool spdm_keep_bytes(struct spdm_room *to, struct spdm_span from);
/* The measurements of a record, by ascending index. */
bool spdm_keep_record(struct spdm_attest_result *r, const struct spdm_event *event);
bool spdm_keep_message(struct spdm_attest_result *r, bool sent, struct spdm_span message);
void spdm_forget_measurements(struct spdm_attest_result *r);
void spdm_forget_messages(struct spdm_attest_result *r);
#endif
