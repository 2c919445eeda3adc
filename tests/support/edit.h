/* SPDX-License-Identifier: BSD-3-Clause
 *
 * edit.h - small changes of a message, written down.
 *
 *   84=0400        sets bytes from offset 84 on
 *   e8=ff          the same, 8 bytes before the end
 *   86+00000000    inserts bytes at offset 86
 *   cut=12         cuts to 12 bytes
 *   add=0000       appends
 *
 * Several edits are separated by blanks and done from left to right. Offsets
 * count from the start of the SPDM message. */
#ifndef ASSAY_TESTS_EDIT_H
#define ASSAY_TESTS_EDIT_H
#include <assay/span.h>
#include <stdbool.h>

/* Edits n bytes at `message` (room for `cap`); returns the new length. An edit that cannot be read fails the test. */
size_t edit_message(const char *edits, uint8_t *message, size_t n, size_t cap);
#endif
