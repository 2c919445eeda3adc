/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keys_write.c - the files of a test identity, and what is told about them.
 *
 * `files` is the one list of them. The private key is never readable by
 * others, not even for a moment; files that are there already are replaced
 * only when that was asked for. */
#include "keys.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes the contents of one file. */
typedef bool writer(FILE *f, const struct keys_identity *id);

static bool put(FILE *f, struct spdm_room bytes)
{
    return fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
}

static bool put_root_pem(FILE *f, const struct keys_identity *id)
{
    struct spdm_room root = id->made.certificate[0];

    return PEM_write(f, PEM_STRING_X509, "", root.p, (long)root.n) > 0;
}

static bool put_root_der(FILE *f, const struct keys_identity *id)
{
    return put(f, id->made.certificate[0]);
}

static bool put_chain(FILE *f, const struct keys_identity *id)
{
    bool done = true;

    for (unsigned i = 0; i < id->made.n; i++) done = done && put(f, id->made.certificate[i]);
    return done;
}

static bool put_key(FILE *f, const struct keys_identity *id)
{
    return put(f, id->made.key);
}

static bool put_public(FILE *f, const struct keys_identity *id)
{
    return put(f, id->made.spki);
}

static bool put_device_key(FILE *f, const struct keys_identity *id)
{
    return put(f, id->made.device);
}

static const char *model_name(const struct keys_identity *id)
{
    static const char *const names[] = {"device", "alias", "generic"};

    return names[id->options->model];
}

static bool put_ca_key(FILE *f, const struct keys_identity *id)
{
    return put(f, id->made.authority);
}

static bool put_ca(FILE *f, const struct keys_identity *id)
{
    bool done = true;

    for (unsigned i = 0; i <= id->options->intermediates; i++) {
        struct spdm_room c = id->made.certificate[i];
        done = done && PEM_write(f, PEM_STRING_X509, "", c.p, (long)c.n) > 0;
    }
    return done;
}

static bool put_description(FILE *f, const struct keys_identity *id)
{
    const char *slot = id->options->model == 2 ? " slot = 1;" : "";

    return fprintf(f,
                   "# A device for `spdm respond`, made by `spdm keys`; spdm-device(5) explains what else can be set.\n"
                   "name = \"test device\";\n"
                   "slots = ( {%s chain = \"chain.der\"; key = \"leaf.key\"; model = \"%s\"; } );\n"
                   "measurements = (\n"
                   "    { index = 1; type = \"firmware\"; text = \"the firmware of a test device\"; },\n"
                   "    { index = 2; type = \"version\"; text = \"1.0\"; tcb = false; }\n"
                   ");\n",
                   slot, model_name(id)) > 0;
}

static const struct file {
    const char *name;
    writer *write;
    mode_t mode;
    enum { ALWAYS, OF_CA, OF_ALIAS } when; /* --keep-ca, the alias model */
} files[] = {{"root.pem", put_root_pem, 0644, ALWAYS},      {"root.der", put_root_der, 0644, ALWAYS},
             {"chain.der", put_chain, 0644, ALWAYS},        {"leaf.key", put_key, 0600, ALWAYS},
             {"leaf.pub", put_public, 0644, ALWAYS},        {"device.cfg", put_description, 0644, ALWAYS},
             {"ca.key", put_ca_key, 0600, OF_CA},           {"ca.pem", put_ca, 0644, OF_CA},
             {"device.key", put_device_key, 0600, OF_ALIAS}};
#define FILES (sizeof files / sizeof files[0])

/* The path of a file in the directory; false if it is too long. */
static bool path_of(const char *dir, const char *name, char *out, size_t cap)
{
    int n = snprintf(out, cap, "%s/%s", dir, name);

    return n > 0 && (size_t)n < cap;
}

static bool wanted(const struct keys_options *o, const struct file *file)
{
    return file->when == ALWAYS || (file->when == OF_CA ? o->keep_ca : o->model == 1);
}

bool spdm_keys_present(const struct keys_options *o, char *names, size_t cap)
{
    char path[4096];
    size_t n = 0;

    names[0] = '\0';
    for (size_t i = 0; i < FILES; i++) {
        struct stat about;
        if (!wanted(o, &files[i]) || !path_of(o->out, files[i].name, path, sizeof path) || lstat(path, &about) != 0)
            continue;
        int more = snprintf(names + n, cap - n, "%s%s", n != 0 ? ", " : "", files[i].name);
        if (more > 0 && (size_t)more < cap - n) n += (size_t)more;
    }
    return n != 0;
}

static bool write_file(const struct file *file, const char *path, const struct keys_identity *id)
{
    if (id->options->force) (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (f == NULL) {
        if (fd >= 0) close(fd);
        return false;
    }
    bool done = file->write(f, id);
    return fclose(f) == 0 && done;
}

bool spdm_keys_write(const struct keys_identity *id, char *cause, size_t cap)
{
    const char *dir = id->options->out;
    char path[4096];

    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        snprintf(cause, cap, "cannot make %.200s: %s", dir, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < FILES; i++) {
        if (!wanted(id->options, &files[i])) continue;
        errno = ENAMETOOLONG;
        if (!path_of(dir, files[i].name, path, sizeof path) || !write_file(&files[i], path, id)) {
            snprintf(cause, cap, "cannot write %.200s/%s: %s", dir, files[i].name, strerror(errno));
            return false;
        }
    }
    return true;
}

/* ---- telling ---- */

static void show_certificates(const struct keys_identity *id, FILE *out)
{
    const struct spdm_judgement *j = id->judgement;
    int widest = 0;
    char name[200], has[300];

    for (unsigned i = 0; i < j->certificate_n; i++) {
        int n = (int)spdm_x509_name_text(j->certificate[i].subject, name, sizeof name);
        if (n > widest) widest = n < (int)sizeof name ? n : (int)sizeof name;
    }
    for (unsigned i = 0; i < j->certificate_n; i++) {
        const char *what = i == 0 ? "root" : i + 1 < j->certificate_n ? "CA" : "leaf";
        (void)spdm_x509_name_text(j->certificate[i].subject, name, sizeof name);
        (void)spdm_x509_has_text(&j->certificate[i], has, sizeof has);
        fprintf(out, "  %-4s  %-*s  %s\n", what, widest, name, has);
    }
}

void spdm_keys_show(const struct keys_identity *id, FILE *out)
{
    bool colour = spdm_options_colour(out);
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "", *dir = id->options->out;
    const struct spdm_x509 *leaf = spdm_judgement_leaf(id->judgement);
    const struct spdm_span chain = id->judgement->input.chain;
    size_t header = 4 + (size_t)spdm_algorithm(id->judgement->input.hash)->size;
    char text[300], until[40];

    fprintf(out, "%sTest identity in %s%s: %s model, %s, %s\n\n", bold, dir, plain, model_name(id), leaf->key_name,
            spdm_algorithm_name((enum spdm_alg)id->options->algorithm));
    show_certificates(id, out);
    (void)spdm_x509_serial_text(leaf, text, sizeof text);
    fprintf(out, "\n  serial       %s\n", text);
    if (id->device_info[0] != '\0') {
        (void)spdm_x509_plain_text(leaf->device_info, text, sizeof text);
        fprintf(out, "  device info  %s\n", text);
    }
    (void)spdm_x509_time_text(leaf->not_before, text, sizeof text);
    (void)spdm_x509_time_text(leaf->not_after, until, sizeof until);
    fprintf(out, "  valid        %.10s to %.10s\n", text, until);
    fprintf(out, "\n%sFiles%s\n", bold, plain);
    fprintf(out, "  root.pem, root.der  what verifiers trust\n");
    fprintf(out, "  chain.der           %u certificates, root first, %zu bytes\n", id->made.n, chain.n - header);
    fprintf(out, "  leaf.key            private key, PKCS #8, no passphrase, readable by you only\n");
    fprintf(out, "  leaf.pub            public key, SubjectPublicKeyInfo\n");
    fprintf(out, "  device.cfg          a device for `spdm respond`\n");
    if (id->options->model == 1)
        fprintf(out, "  device.key          private key of the device's own authority, the same\n");
    if (id->options->keep_ca) {
        fprintf(out, "  ca.key              the authority's private key, the same\n");
        fprintf(out, "  ca.pem              its certificates, root first\n");
    }
    fprintf(out, "\n%sTry%s\n", bold, plain);
    fprintf(out, "  spdm respond %s/device.cfg\n", dir);
    fprintf(out, "  spdm attest --trust %s/root.pem emu+mctp://127.0.0.1\n", dir);
    if (id->options->keep_ca) fprintf(out, "  spdm provision --ca %s tcp://DEVICE\n", dir);
}
