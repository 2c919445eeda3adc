/* SPDX-License-Identifier: BSD-3-Clause
 *
 * names.h - capability flags by name.
 *
 * The specification's names, with the value behind the two-bit fields:
 * CERT_CAP, MEAS_CAP_SIG, PSK_CAP_WITH_CONTEXT, SLOT_MGMT_CAP. */
#ifndef SPDM_NAMES_H
#define SPDM_NAMES_H
#include <stddef.h>
#include <stdint.h>

/* The name of the n-th capability that is set, in the order of the bits; NULL after the last. Bits without a name are
 * not listed. */
const char *spdm_capability_name(uint32_t flags, uint16_t ext_flags, size_t n);
/* "1.2" for 0x12: static text, "?" for what is no version. */
const char *spdm_version_name(uint8_t version);
/* 0x12 for "1.2", 0 if it is no version that SPDM has. */
uint8_t spdm_version_named(const char *name);
#endif
