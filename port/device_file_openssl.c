/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_file_openssl.c - files a description names: bytes, certificates, public keys.
 *
 * PEM is taken apart with OpenSSL's reader, text around and between the blocks
 * is ignored; anything that does not begin like PEM is taken for DER. A chain
 * may stand root first, as SPDM wants it, or leaf first, as TLS servers keep
 * it: it is turned round if that is the way it links. */
#include "port/device_impl.h"
#include "port/x509_read.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)
#define CERTIFICATES_MAX 32

char *spdm_device_path(const struct loader *l, const char *name)
{
    size_t n = strlen(l->dir) + strlen(name) + 1;
    char *path = malloc(n);
    if (path != NULL) snprintf(path, n, "%s%s", name[0] == '/' ? "" : l->dir, name);
    return path;
}

static struct spdm_span nothing(struct loader *l, const config_setting_t *at, const char *name, const char *why)
{
    spdm_device_error(l, at, "%s: %s", name, why);
    return (struct spdm_span){NULL, 0};
}

/* The rest of an open file; *why is set if it fails. */
static uint8_t *read_all(FILE *f, size_t *n, const char **why)
{
    uint8_t *p = NULL;
    size_t room = 0;
    *n = 0;
    *why = "out of memory";
    do {
        uint8_t *more;
        room = room == 0 ? 4096 : room * 2;
        more = realloc(p, room);
        if (more == NULL) break;
        p = more;
        *n += fread(p + *n, 1, room - *n, f);
        if (ferror(f) || *n > FILE_MAX) {
            *why = ferror(f) ? strerror(errno) : "larger than 64 MiB";
            break;
        }
        if (*n < room) return p;
    } while (true);
    free(p);
    return NULL;
}

struct spdm_span spdm_device_file(struct loader *l, const config_setting_t *at, const char *name)
{
    char *path = spdm_device_path(l, name);
    FILE *f = path != NULL ? fopen(path, "rb") : NULL;
    const char *why = strerror(errno);
    struct spdm_span out = {NULL, 0};
    free(path);
    if (f == NULL) return nothing(l, at, name, why);
    errno = EISDIR; /* what fopen does not tell about a directory, fread does */
    out.p = read_all(f, &out.n, &why);
    fclose(f);
    return out.p != NULL ? out : nothing(l, at, name, why);
}

static bool is_pem(struct spdm_span bytes)
{
    static const char begin[] = "-----BEGIN ";
    for (size_t i = 0; i + sizeof begin - 1 <= bytes.n; i++)
        if ((i == 0 || bytes.p[i - 1] == '\n') && memcmp(bytes.p + i, begin, sizeof begin - 1) == 0) return true;
    return false;
}

void spdm_device_release(struct spdm_span bytes)
{
    void *p;
    memcpy(&p, &bytes.p, sizeof p); /* a span is for reading; what is in it here was allocated here */
    free(p);
}

void spdm_device_wipe(struct spdm_span secret)
{
    void *p;
    memcpy(&p, &secret.p, sizeof p);
    if (p != NULL) OPENSSL_cleanse(p, secret.n);
    free(p);
}

/* The blocks of one label, back to back. An empty span if there is none. */
static struct spdm_span from_pem(struct spdm_span text, const char *label)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    uint8_t *out = malloc(text.n); /* DER is shorter than its base64 */
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    size_t n = 0;
    long length;
    ERR_set_mark(); /* where there is no further block, that is an error to libcrypto */
    while (bio != NULL && out != NULL && PEM_read_bio(bio, &name, &header, &data, &length) == 1) {
        if (strcmp(name, label) == 0 && (size_t)length <= text.n - n) {
            memcpy(out + n, data, (size_t)length);
            n += (size_t)length;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    ERR_pop_to_mark();
    BIO_free(bio);
    if (n != 0) return (struct spdm_span){out, n};
    free(out);
    return (struct spdm_span){NULL, 0};
}

/* Root first if it was leaf first: each certificate's issuer is the subject of the next. */
static struct spdm_span root_first(struct spdm_span chain)
{
    struct spdm_x509 certificate[CERTIFICATES_MAX];
    size_t n = 0, at = 0, put = 0;
    bool backwards = true;
    uint8_t *out;
    while (at < chain.n && n < CERTIFICATES_MAX) {
        size_t length = spdm_x509_length((struct spdm_span){chain.p + at, chain.n - at});
        if (length == 0 || length > chain.n - at) return chain;
        if (!spdm_x509_read((struct spdm_span){chain.p + at, length}, at, &certificate[n])) return chain;
        at += length;
        n++;
    }
    if (at != chain.n || n < 2) return chain;
    for (size_t i = 0; i + 1 < n && backwards; i++)
        backwards = spdm_x509_same_name(certificate[i].issuer, certificate[i + 1].subject) &&
                    !spdm_x509_same_name(certificate[i + 1].issuer, certificate[i].subject);
    out = backwards ? malloc(chain.n) : NULL;
    if (out == NULL) return chain;
    while (n-- != 0) {
        memcpy(out + put, certificate[n].der.p, certificate[n].der.n);
        put += certificate[n].der.n;
    }
    spdm_device_release(chain);
    return (struct spdm_span){out, chain.n};
}

static struct spdm_span read_der(struct loader *l, const config_setting_t *at, const char *name, const char *label)
{
    struct spdm_span file = spdm_device_file(l, at, name), der;
    if (file.p == NULL) return file;
    if (file.n == 0) {
        spdm_device_release(file);
        return nothing(l, at, name, "the file is empty");
    }
    if (!is_pem(file)) {
        if (file.p[0] == 0x30) return file;
        spdm_device_release(file);
        return nothing(l, at, name, "this is neither PEM nor DER");
    }
    der = from_pem(file, label);
    spdm_device_release(file);
    if (der.n != 0) return der;
    spdm_device_error(l, at, "%s: there is no block \"BEGIN %s\" in it", name, label);
    return (struct spdm_span){NULL, 0};
}

struct spdm_span spdm_device_certificates(struct loader *l, const config_setting_t *at, const char *name)
{
    struct spdm_span chain = read_der(l, at, name, "CERTIFICATE");
    return chain.n != 0 ? root_first(chain) : chain;
}

struct spdm_span spdm_device_spki(struct loader *l, const config_setting_t *at, const char *name)
{
    return read_der(l, at, name, "PUBLIC KEY");
}
