/* SPDX-License-Identifier: BSD-3-Clause
 *
 * safe_file.c - write beside, sync, rename, sync the directory. */
#include "port/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)64 << 20)

static int system_open(int dir, const char *name, int flags, mode_t mode)
{
    return openat(dir, name, flags, mode);
}

static int system_rename(int dir, const char *from, const char *to)
{
    return renameat(dir, from, dir, to);
}

const struct spdm_file_calls spdm_file_system = {
    .open = system_open, .write = write, .sync = fsync, .rename = system_rename};

static bool wrong(char *cause, const char *name, const char *what)
{
    snprintf(cause, SPDM_CAUSE_MAX, "%.200s %.80s: %.80s", what, name, strerror(errno));
    return false;
}

int spdm_safe_dir(const char *path, char *cause)
{
    int fd;
    cause[0] = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        wrong(cause, path, "cannot make the directory");
        return -1;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        wrong(cause, path, "cannot open the directory");
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    snprintf(cause, SPDM_CAUSE_MAX, "the directory %.200s is in use by another process", path);
    close(fd);
    return -1;
}

static bool write_all(const struct spdm_file_calls *calls, int fd, struct spdm_span bytes)
{
    while (bytes.n != 0) {
        ssize_t n = calls->write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = ENOSPC;
        if (n <= 0) return false;
        bytes.p += n;
        bytes.n -= (size_t)n;
    }
    return calls->sync(fd) == 0;
}

bool spdm_safe_replace(const struct spdm_file_calls *calls, int dir, const char *name, struct spdm_span bytes,
                       char *cause)
{
    char beside[256];
    bool written;
    int fd;
    snprintf(beside, sizeof beside, "%s.new", name);
    fd = calls->open(dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return wrong(cause, beside, "cannot write");
    written = write_all(calls, fd, bytes);
    if (!written) wrong(cause, beside, "cannot write");
    if (close(fd) != 0 && written) written = wrong(cause, beside, "cannot write");
    if (!written) return false;
    if (calls->rename(dir, beside, name) != 0) return wrong(cause, beside, "cannot rename");
    /* The new file has the name; whether it still has it after a loss of power is what this decides. */
    return calls->sync(dir) == 0 || wrong(cause, name, "cannot make sure of");
}

struct spdm_room spdm_safe_read(int dir, const char *name, char *cause)
{
    struct spdm_room out = {NULL, 0};
    struct stat about;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    cause[0] = '\0';
    if (fd < 0 && errno == ENOENT) return out;
    if (fd < 0 || fstat(fd, &about) != 0 || (size_t)about.st_size > FILE_MAX ||
        (out.p = malloc((size_t)about.st_size + 1)) == NULL) {
        wrong(cause, name, "cannot read");
    } else {
        for (ssize_t n = 1; n > 0 && out.n<(size_t)about.st_size; out.n += n> 0 ? (size_t)n : 0)
            n = read(fd, out.p + out.n, (size_t)about.st_size - out.n);
        out.p[out.n] = '\0'; /* for who reads it as a text */
    }
    if (fd >= 0) close(fd);
    return out;
}
