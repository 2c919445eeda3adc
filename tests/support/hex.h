/* SPDX-License-Identifier: BSD-3-Clause
 *
 * hex.h - bytes written as hex digits, for tests. */
#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H
#include <assay/span.h>

/* The bytes of hex digits, "-" and "" being none. Allocated; the test fails on anything else. Free with free(). */
struct spdm_room hex_bytes(const char *hex);
/* A whole file, allocated; p is NULL if there is none. */
struct spdm_room file_bytes(const char *path);
struct spdm_span as_span(struct spdm_room room);
#endif
