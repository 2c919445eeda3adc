/* SPDX-License-Identifier: BSD-3-Clause
 *
 * report.h - an attestation told to people and to programs.
 *
 * Both forms say the same. The JSON form is described in spdm-attest(1) and
 * carries a format name; within it, members are only ever added. */
#ifndef SPDM_REPORT_H
#define SPDM_REPORT_H
#include "text.h"
#include "verdict.h"
#include <jansson.h>

#define SPDM_REPORT_FORMAT "assay-attest/1"

/* The whole report; the verdict is its last line. */
void spdm_report_print(const struct spdm_attestation *a, const struct spdm_screen *screen);
/* A row of the table of several targets (four columns): target, verdict, device, reason. */
struct spdm_report_line {
    enum spdm_verdict_kind kind;
    char *target, *device, *reason; /* safe to print */
};
struct spdm_report_line spdm_report_line(const struct spdm_attestation *a);
/* Adds the line to a table, which takes its texts. */
void spdm_report_row(struct spdm_report_line *line, struct spdm_table *table);

/* A new reference. */
json_t *spdm_report_json(const struct spdm_attestation *a);

/* What was agreed on, for other commands: facts, peer and restarts of a result are looked at. list: the capabilities,
 * too. */
void spdm_report_print_connection(const struct spdm_attest_result *r, bool list, const struct spdm_screen *screen);
json_t *spdm_report_connection_json(const struct spdm_attest_result *r);

/* What both need. */
const char *spdm_chain_source_name(enum spdm_chain_source source);
#endif
