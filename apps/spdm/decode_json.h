/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_json.h - JSON as text, a member after the other. */
#ifndef SPDM_DECODE_JSON_H
#define SPDM_DECODE_JSON_H
#include "decode_flow.h"

#define DECODE_FORMAT "assay-decode/1"

/* One message, with the end of the line. */
void decode_json_message(struct decode_words *out, const struct decode_message *m, bool with_bytes);
const char *decode_rank_name(enum decode_rank rank);

/* Members; a comma is put where one is needed. Text is made safe, NULL and "" are null. */
void decode_json_text(struct decode_words *out, const char *name, const char *text);
void decode_json_number(struct decode_words *out, const char *name, uint64_t value);
void decode_json_hex(struct decode_words *out, const char *name, struct spdm_span bytes);
void decode_json_time(struct decode_words *out, const char *name, struct timespec when);
/* '{' or '['; name NULL: an element of a list. The closing one is put by the caller. */
void decode_json_open(struct decode_words *out, const char *name, char bracket);
/* The value alone. */
void decode_json_string(struct decode_words *out, const char *text);
#endif
