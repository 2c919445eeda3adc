/* SPDX-License-Identifier: BSD-3-Clause
 *
 * errata.h - names for policies that follow another text or profile than ours.
 *
 * Each is off by default. They stand in a device's description (errata) and in
 * the option --errata; the texts behind them are in spdm-device(5). */
#ifndef SPDM_ERRATA_H
#define SPDM_ERRATA_H
#include <assay/spdm.h>

/* The place of a name of n bytes in the table, or -1; not device: only of what matters to those who ask devices. */
int spdm_errata_named(const char *name, size_t n, bool device);
/* All such names, with commas between them. */
void spdm_errata_names(bool device, char *out, size_t cap);
/* Turns on those whose bit (1 << place) is set. */
void spdm_errata_apply(uint32_t mask, struct spdm_policy *policy);
#endif
