/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keylog.c - one line for each secret: a label, then name=value.
 *
 * A line goes out in one write to a file opened for appending, so that several
 * programs can share it. Values that both sides of a parsing have are in one
 * table of labels; unknown names are skipped, so that lines may grow. */
#include "keylog.h"
#include "names.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_N = 512 };

struct spdm_keylog_file {
    int fd, failed; /* errno of the first failure */
    char *path;
};

/* DSP0274's label of the secret, and ours. */
static const struct {
    const char *theirs, *ours;
} labels[] = {{"req hs data", "REQ_HANDSHAKE"},
              {"rsp hs data", "RSP_HANDSHAKE"},
              {"req app data", "REQ_DATA"},
              {"rsp app data", "RSP_DATA"},
              {"exp master", "EXPORT_MASTER"}};
enum { LABEL_N = sizeof labels / sizeof labels[0] };

/* ---- writing ---- */

/* A file that was there is appended to only if it is ours alone, or can be made so. */
static bool make_private(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && (!S_ISREG(s.st_mode) || (s.st_mode & 077) == 0 || fchmod(fd, 0600) == 0);
}

struct spdm_keylog_file *spdm_keylog_open(const char *path, const char *program, char error[SPDM_KEYLOG_ERROR])
{
    struct spdm_keylog_file *file = spdm_text_need(calloc(1, sizeof *file));
    file->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (file->fd < 0 || !make_private(file->fd)) {
        snprintf(error, SPDM_KEYLOG_ERROR, "%.300s: %s", path, strerror(errno));
        if (file->fd >= 0) close(file->fd);
        free(file);
        return NULL;
    }
    file->path = spdm_text_need(strdup(path));
    fprintf(stderr, "%s: the secrets of all sessions are written to %s; who has them can read what was captured\n",
            program, path);
    return file;
}

static const char *ours(const char *theirs)
{
    for (size_t i = 0; i < LABEL_N; i++)
        if (strcmp(labels[i].theirs, theirs) == 0) return labels[i].ours;
    return NULL;
}

void spdm_keylog_write(void *ctx, const struct spdm_keylog *e)
{
    struct spdm_keylog_file *file = ctx;
    char line[LINE_MAX_N], *secret = spdm_text_hex(e->secret, 0);
    const char *label = ours(e->label);
    int n = snprintf(line, sizeof line,
                     "%s session=%08x generation=%u spdm=%s secured=%u.%u hash=%s aead=%s mode=%s sequence=%u%s "
                     "secret=%s\n",
                     label != NULL ? label : "UNKNOWN", e->session, e->generation, spdm_version_name(e->version),
                     (unsigned)e->secured_version >> 12, e->secured_version >> 8 & 15u,
                     spdm_algorithm_name((enum spdm_alg)e->hash), spdm_algorithm_name((enum spdm_alg)e->aead),
                     e->mac_only ? "mac" : "encrypt", e->sequence_bytes, e->big_endian ? " nonce=big" : "", secret);
    if (write(file->fd, line, (size_t)n) != n && file->failed == 0) file->failed = errno != 0 ? errno : EIO;
    explicit_bzero(line, sizeof line);
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

bool spdm_keylog_close(struct spdm_keylog_file *file, char error[SPDM_KEYLOG_ERROR])
{
    if (file == NULL) return true;
    int failed = file->failed;
    if (close(file->fd) != 0 && failed == 0) failed = errno;
    if (failed != 0) snprintf(error, SPDM_KEYLOG_ERROR, "%.300s: %s", file->path, strerror(failed));
    free(file->path);
    free(file);
    return failed == 0;
}

/* ---- reading ---- */

static bool read_number(const char *text, int base, unsigned long max, unsigned long *out)
{
    char *end;
    if (text[0] == '\0' || strchr("+- ", text[0]) != NULL) return false;
    errno = 0;
    *out = strtoul(text, &end, base);
    return errno == 0 && *end == '\0' && *out <= max;
}

/* Versions of DSP0277 have the digits of SPDM's. */
static bool read_version(const char *text, uint8_t *out)
{
    *out = spdm_version_named(text);
    return *out != 0;
}

static bool read_algorithm(const char *text, enum spdm_class cls, uint8_t *out)
{
    enum spdm_alg id = spdm_algorithm_named(text);
    *out = (uint8_t)id;
    return spdm_algorithm(id)->cls == cls;
}

static bool read_choice(const char *text, const char *no, const char *yes, bool *out)
{
    *out = strcmp(text, yes) == 0;
    return *out || strcmp(text, no) == 0;
}

enum seen { SEEN_SESSION = 1, SEEN_SPDM = 2, SEEN_HASH = 4, SEEN_AEAD = 8, SEEN_SECRET = 16, SEEN_ALL = 31 };

/* One name=value; false: it is known and wrong. */
static bool read_value(const char *name, const char *value, struct spdm_keylog *e, struct spdm_room secret,
                       unsigned *seen)
{
    static const struct {
        const char *name;
        enum seen seen;
    } needed[] = {{"session", SEEN_SESSION},
                  {"spdm", SEEN_SPDM},
                  {"hash", SEEN_HASH},
                  {"aead", SEEN_AEAD},
                  {"secret", SEEN_SECRET}};
    unsigned long n = 0;
    uint8_t version = 0;
    bool good = true;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (strcmp(needed[i].name, name) == 0) *seen |= needed[i].seen;
    if (strcmp(name, "session") == 0) {
        good = read_number(value, 16, UINT32_MAX, &n);
        e->session = (uint32_t)n;
    } else if (strcmp(name, "generation") == 0) {
        good = read_number(value, 10, UINT32_MAX, &n);
        e->generation = (unsigned)n;
    } else if (strcmp(name, "sequence") == 0) {
        good = read_number(value, 10, 8, &n);
        e->sequence_bytes = (uint8_t)n;
    } else if (strcmp(name, "secured") == 0) {
        good = read_version(value, &version);
        e->secured_version = (uint16_t)(version << 8);
    } else if (strcmp(name, "spdm") == 0) {
        good = read_version(value, &e->version);
    } else if (strcmp(name, "mode") == 0) {
        good = read_choice(value, "encrypt", "mac", &e->mac_only);
    } else if (strcmp(name, "nonce") == 0) {
        good = read_choice(value, "little", "big", &e->big_endian);
    } else if (strcmp(name, "hash") == 0) {
        good = read_algorithm(value, SPDM_CLASS_HASH, &e->hash);
    } else if (strcmp(name, "aead") == 0) {
        good = read_algorithm(value, SPDM_CLASS_AEAD, &e->aead);
    } else if (strcmp(name, "secret") == 0) {
        e->secret = (struct spdm_span){secret.p, spdm_text_unhex(value, secret)};
    }
    return good;
}

static bool read_label(const char *word, struct spdm_keylog *e)
{
    for (size_t i = 0; word != NULL && i < LABEL_N; i++)
        if (strcmp(labels[i].ours, word) == 0) e->label = labels[i].theirs;
    return e->label != NULL;
}

bool spdm_keylog_read(const char *line, struct spdm_keylog *e, uint8_t secret[SPDM_HASH_MAX])
{
    char copy[LINE_MAX_N], *rest = copy, *word;
    unsigned seen = 0;
    *e = (struct spdm_keylog){.label = NULL};
    if (line[0] == '#' || (size_t)snprintf(copy, sizeof copy, "%s", line) >= sizeof copy) return false;
    if (!read_label(strtok_r(rest, " ", &rest), e)) return false;
    while ((word = strtok_r(rest, " ", &rest)) != NULL) {
        char *value = strchr(word, '=');
        if (value == NULL) return false;
        *value++ = '\0';
        if (!read_value(word, value, e, (struct spdm_room){secret, SPDM_HASH_MAX}, &seen)) return false;
    }
    return seen == SEEN_ALL && e->secret.n == spdm_algorithm((enum spdm_alg)e->hash)->size;
}
