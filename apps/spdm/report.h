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
/* One row of the table of several targets: target, device, verdict, reason. */
void spdm_report_row(const struct spdm_attestation *a, struct spdm_table *table);

/* A new reference. */
json_t *spdm_report_json(const struct spdm_attestation *a);

/* What both need. */
const char *spdm_chain_source_name(enum spdm_chain_source source);
#endif
