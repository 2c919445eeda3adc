/* SPDX-License-Identifier: BSD-3-Clause
 *
 * safe_file.h - files that are replaced whole or not at all, whatever happens meanwhile.
 *
 * The new contents go into NAME.new beside the file, are on the disk before
 * they get the name, and the name is on the disk before we say so. Who is
 * killed, or loses power, at any point finds the old file or the new one. */
#ifndef PORT_SAFE_FILE_H
#define PORT_SAFE_FILE_H
#include "port/crypto_openssl.h"

#include <sys/types.h>

/* What the system is asked for; tests make it fail. */
struct spdm_file_calls {
    int (*open)(int dir, const char *name, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *bytes, size_t n);
    int (*sync)(int fd);
    int (*rename)(int dir, const char *from, const char *to);
};
extern const struct spdm_file_calls spdm_file_system;

/* Opens a directory, made with mode 0700 if there is none, and keeps others out of it until the descriptor is closed.
 * -1: cause says why. */
int spdm_safe_dir(const char *path, char *cause);
/* Replaces a file of a directory, or makes it; readable for its owner only. */
bool spdm_safe_replace(const struct spdm_file_calls *calls, int dir, const char *name, struct spdm_span bytes,
                       char *cause);
/* The whole file, freed by the caller with free(); p NULL: there is none, or (cause is not empty) it cannot be read. */
struct spdm_room spdm_safe_read(int dir, const char *name, char *cause);
#endif
