/* SPDX-License-Identifier: BSD-3-Clause
 *
 * request_info_openssl.c - RequesterInfo from files: looked at as strictly as a device may look at it.
 *
 * A request is a template: its signature is left away, and its key is not the
 * device's. Devices want their own key in its place, or take an empty one. */
#include "port/authority.h"
#include "port/der.h"
#include "port/device.h"
#include "port/openssl_inside.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

enum { INFO_MAX = 0xffff, FILE_MAX = 4 * INFO_MAX, LEVELS = 16, CONSTRUCTED = 0x20 };

/* ---- the form ---- */

/* DER from end to end, down to every element. */
static bool is_der(struct spdm_span bytes)
{
    struct spdm_der level[LEVELS] = {spdm_der_over(bytes)};
    struct spdm_der_item item;
    unsigned depth = 0;

    for (;;) {
        if (!spdm_der_any(&level[depth], &item)) {
            if (level[depth].bad) return false;
            if (depth-- == 0) return true;
        } else if ((item.tag & CONSTRUCTED) != 0) {
            if (depth + 1 == LEVELS) return false;
            level[depth + 1] = spdm_der_into(&level[depth], &item);
            depth++;
        }
    }
}

/* SEQUENCE { version 0, subject, key, [0] attributes } (RFC 2986 4.1). NULL, or what is wrong. */
static const char *defect_of(struct spdm_span info)
{
    struct spdm_der outer = spdm_der_over(info), in;
    struct spdm_der_item all, item;
    uint32_t version;

    if (!spdm_der_take(&outer, SPDM_DER_SEQUENCE, &all) || !spdm_der_end(&outer)) return "it is no DER";
    if (!is_der(info)) return "something in it is no DER";
    in = spdm_der_into(&outer, &all);
    if (!spdm_der_take(&in, SPDM_DER_INTEGER, &item) || !spdm_der_small(&item, &version) || version != 0)
        return "it does not begin with version 0";
    if (!spdm_der_take(&in, SPDM_DER_SEQUENCE, &item)) return "it names no subject, not even an empty one";
    if (!spdm_der_take(&in, SPDM_DER_SEQUENCE, &item)) return "it has no public key, not even an empty one";
    if (!spdm_der_take(&in, SPDM_DER_EXPLICIT, &item)) return "it has no attributes, not even an empty set of them";
    if (!spdm_der_end(&in)) return "something follows its attributes";
    return info.n > INFO_MAX ? "it is longer than 65535 bytes" : NULL;
}

/* ---- the file ---- */

/* The DER in what was read: all of it, or what the first request in PEM holds. */
static struct spdm_room der_in(const uint8_t *data, size_t n)
{
    struct spdm_room out = {NULL, 0};
    BIO *from = n != 0 && data[0] != SPDM_DER_SEQUENCE ? BIO_new_mem_buf(data, (int)n) : NULL;
    char *name = NULL, *head = NULL;
    unsigned char *der = NULL;
    long length = 0;

    if (n != 0 && data[0] == SPDM_DER_SEQUENCE) return (struct spdm_room){OPENSSL_memdup(data, n), n};
    while (out.p == NULL && from != NULL && PEM_read_bio(from, &name, &head, &der, &length) == 1) {
        bool request = strcmp(name, PEM_STRING_X509_REQ) == 0 || strcmp(name, PEM_STRING_X509_REQ_OLD) == 0;
        if (request && length > 0) out = (struct spdm_room){OPENSSL_memdup(der, (size_t)length), (size_t)length};
        OPENSSL_free(name);
        OPENSSL_free(head);
        OPENSSL_free(der);
    }
    BIO_free(from);
    return out;
}

static struct spdm_room read_file(const char *path, char *cause)
{
    struct spdm_room out = {NULL, 0};
    FILE *from = fopen(path, "rb");
    uint8_t *data = from != NULL ? OPENSSL_malloc(FILE_MAX) : NULL;
    size_t n = data != NULL ? fread(data, 1, FILE_MAX, from) : 0;

    if (data == NULL || ferror(from) != 0) {
        snprintf(cause, SPDM_CAUSE_MAX, "%s", strerror(errno));
    } else {
        out = der_in(data, n);
        if (out.p == NULL)
            snprintf(cause, SPDM_CAUSE_MAX, "neither a CertificationRequestInfo in DER nor a CERTIFICATE REQUEST");
    }
    OPENSSL_free(data);
    if (from != NULL) fclose(from);
    return out;
}

/* A signed request has another SEQUENCE where the info has its version. */
static struct spdm_span info_in(struct spdm_span der, bool *template)
{
    struct spdm_der outer = spdm_der_over(der), in;
    struct spdm_der_item all, first;

    *template = false;
    if (!spdm_der_take(&outer, SPDM_DER_SEQUENCE, &all)) return der;
    in = spdm_der_into(&outer, &all);
    if (!spdm_der_take(&in, SPDM_DER_SEQUENCE, &first)) return der;
    *template = true;
    return first.whole;
}

/* Whether libcrypto can make sense of the names and attributes in it. */
static bool makes_sense(struct spdm_span info)
{
    const unsigned char *at = info.p;
    X509_REQ_INFO *read = d2i_X509_REQ_INFO(NULL, &at, (long)info.n);
    bool good = read != NULL && at == info.p + info.n;

    X509_REQ_INFO_free(read);
    return good;
}

bool spdm_request_info_load(const char *path, struct spdm_request_info *out, char *cause)
{
    ERR_set_mark();
    struct spdm_room file = read_file(path, cause);
    struct spdm_span whole = {file.p, file.n}, info = info_in(whole, &out->template);
    const char *defect = file.p != NULL ? defect_of(info) : NULL;

    out->der = (struct spdm_room){NULL, 0};
    if (file.p != NULL && defect == NULL && !makes_sense(info)) defect = "what it says is no CertificationRequestInfo";
    if (defect != NULL) snprintf(cause, SPDM_CAUSE_MAX, "%s", defect);
    else if (file.p != NULL) out->der = (struct spdm_room){OPENSSL_memdup(info.p, info.n), info.n};
    ERR_pop_to_mark();
    OPENSSL_free(file.p);
    return out->der.p != NULL;
}

void spdm_request_info_clear(struct spdm_request_info *info)
{
    OPENSSL_free(info->der.p);
    *info = (struct spdm_request_info){.template = false};
}

/* ---- the key ---- */

static X509 *last_certificate(struct spdm_span certificates)
{
    const unsigned char *at = certificates.p, *end = certificates.p + certificates.n;
    X509 *last = NULL;

    while (at != end) {
        X509_free(last);
        last = d2i_X509(NULL, &at, (long)(end - at));
        if (last == NULL) break;
    }
    return last;
}

/* Tag and length; returns their number of bytes. */
static size_t put_head(uint8_t *to, size_t n)
{
    size_t more = n < 0x80 ? 0 : n < 0x100 ? 1 : 2;

    to[0] = SPDM_DER_SEQUENCE;
    to[1] = more == 0 ? (uint8_t)n : (uint8_t)(0x80 | more);
    for (size_t i = 0; i < more; i++) to[2 + i] = (uint8_t)(n >> 8 * (more - 1 - i));
    return 2 + more;
}

/* SubjectPublicKeyInfo of a certificate; without one the algorithm that `present` has, and no key. */
static struct spdm_room key_of(X509 *x, const struct spdm_der *in, const struct spdm_der_item *present)
{
    static const uint8_t no_bits[] = {SPDM_DER_BIT_STRING, 1, 0};
    struct spdm_der inside = spdm_der_into(in, present);
    struct spdm_der_item algorithm;
    struct spdm_room out = {NULL, 0};

    if (x != NULL) {
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &out.p);
        out.n = n > 0 ? (size_t)n : 0;
    } else if (spdm_der_take(&inside, SPDM_DER_SEQUENCE, &algorithm)) {
        size_t n = algorithm.whole.n + sizeof no_bits;
        out.p = OPENSSL_malloc(n + 4);
        if (out.p == NULL || n > INFO_MAX) return out;
        size_t head = put_head(out.p, n);
        memcpy(out.p + head, algorithm.whole.p, algorithm.whole.n);
        memcpy(out.p + head + algorithm.whole.n, no_bits, sizeof no_bits);
        out.n = head + n;
    }
    return out;
}

bool spdm_request_info_for(struct spdm_request_info *info, struct spdm_span certificates)
{
    struct spdm_der outer = spdm_der_over((struct spdm_span){info->der.p, info->der.n}), in;
    struct spdm_der_item all, version, name, present;

    ERR_set_mark();
    X509 *x = last_certificate(certificates);
    (void)spdm_der_take(&outer, SPDM_DER_SEQUENCE, &all); /* looked at when it was loaded */
    in = spdm_der_into(&outer, &all);
    (void)spdm_der_any(&in, &version);
    (void)spdm_der_any(&in, &name);
    (void)spdm_der_any(&in, &present);
    struct spdm_room key = key_of(x, &in, &present);
    size_t front = version.whole.n + name.whole.n, n = all.body.n - present.whole.n + key.n;
    uint8_t *der = key.n != 0 && n <= INFO_MAX ? OPENSSL_malloc(n + 4) : NULL;
    if (der != NULL) {
        size_t head = put_head(der, n);
        memcpy(der + head, all.body.p, front);
        memcpy(der + head + front, key.p, key.n);
        memcpy(der + head + front + key.n, all.body.p + front + present.whole.n, n - front - key.n);
        OPENSSL_free(info->der.p);
        info->der = (struct spdm_room){der, head + n};
    }
    OPENSSL_free(key.p);
    X509_free(x);
    ERR_pop_to_mark();
    return der != NULL && info->der.n <= INFO_MAX;
}
