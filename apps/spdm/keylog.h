/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keylog.h - the secrets of sessions in a file, for who decodes captures: spdm-keylog(5).
 *
 * Whoever reads such a file can read what its sessions carried. It is written
 * only when asked for, to a file that nobody but its owner can read, and the
 * program says so. */
#ifndef SPDM_KEYLOG_H
#define SPDM_KEYLOG_H
#include <assay/spdm.h>

struct spdm_keylog_file;

enum { SPDM_KEYLOG_ERROR = 400 };

/* Appends to path, which gets mode 0600, and says on stderr that `program` ("spdm attest") does so. NULL: error says
 * why not. */
struct spdm_keylog_file *spdm_keylog_open(const char *path, const char *program, char error[SPDM_KEYLOG_ERROR]);
/* For spdm_config.keylog; ctx is the file. Every line is there as soon as its secret is. */
void spdm_keylog_write(void *ctx, const struct spdm_keylog *entry);
/* false: something could not be written, error says why. NULL is fine. */
bool spdm_keylog_close(struct spdm_keylog_file *file, char error[SPDM_KEYLOG_ERROR]);

/* Reads one line, its end excluded: *entry points into *secret. false: it holds no secret; a comment, an empty line, or
 * nothing that is understood. */
bool spdm_keylog_read(const char *line, struct spdm_keylog *entry, uint8_t secret[SPDM_HASH_MAX]);
#endif
