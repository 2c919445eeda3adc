/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trust anchors: read and checked when they are loaded, never again. What a
 * file is said to hold, it must hold: a certificate that cannot be read, or
 * that names itself as issuer and did not sign itself, is an error and not an
 * anchor less. In a directory, files that hold no certificate are passed by. */
#include "port/der.h"
#include "port/judge_inside.h"
#include <dirent.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (8u << 20) /* a bundle of all the roots of a vendor is far smaller */

void spdm_anchor_free(struct spdm_anchor *anchor)
{
    if (anchor == NULL || --anchor->holders != 0) return;
    spdm_openssl_key_free(anchor->key);
    OPENSSL_free(anchor);
}

struct spdm_anchor *spdm_anchor_by_der(const struct spdm_judge *judge, struct spdm_span der)
{
    for (unsigned i = 0; i < judge->anchor_n; i++) {
        if (spdm_der_equal(judge->anchor[i]->x.der, der)) return judge->anchor[i];
    }
    return NULL;
}

struct spdm_anchor *spdm_anchor_by_digest(struct spdm_judge *judge, enum spdm_alg hash, struct spdm_span digest)
{
    for (unsigned i = 0; i < judge->anchor_n; i++) {
        struct spdm_anchor *a = judge->anchor[i];
        if (!a->hash[hash].made) {
            a->hash[hash].made = spdm_openssl_digest(judge->ossl, hash, a->x.der, a->hash[hash].digest);
        }
        struct spdm_span made = {a->hash[hash].digest, spdm_openssl_hash_size(hash)};
        if (a->hash[hash].made && spdm_der_equal(made, digest)) return a;
    }
    return NULL;
}

/* Why this certificate cannot be an anchor; NULL if it can. */
static const char *unfit(struct spdm_judge *judge, struct spdm_anchor *a)
{
    a->key = spdm_judge_key(judge, &a->x);
    if (a->key == NULL) return "its public key cannot be used";
    if (spdm_x509_no_name(a->x.subject)) return "it has no subject name";
    if (!spdm_x509_self_issued(&a->x)) return NULL; /* a root somebody else vouches for, or not the root itself */
    switch (spdm_x509_signed_by(judge, &a->x, a->key)) {
    case SPDM_SIGNED:
    case SPDM_SIGNED_WEAKLY: return NULL; /* an old root's own signature protects nothing */
    case SPDM_SIGNED_UNKNOWN: return "the algorithm of its signature is not known here";
    case SPDM_NOT_SIGNED: break;
    }
    return "it names itself as issuer, but did not sign itself";
}

static bool make_room(struct spdm_judge *judge)
{
    if (judge->anchor_n < judge->anchor_room) return true;
    unsigned room = judge->anchor_room == 0 ? 8 : 2 * judge->anchor_room;
    struct spdm_anchor **more = OPENSSL_realloc(judge->anchor, room * sizeof *more);
    if (more == NULL) return false;
    judge->anchor = more;
    judge->anchor_room = room;
    return true;
}

bool spdm_judge_trust_der(struct spdm_judge *judge, struct spdm_span der, char *cause)
{
    if (spdm_anchor_by_der(judge, der) != NULL) return true;
    struct spdm_anchor *a = OPENSSL_zalloc(sizeof *a + der.n);

    if (a == NULL || !make_room(judge)) {
        spdm_openssl_say(cause, "out of memory");
        OPENSSL_free(a);
        return false;
    }
    a->holders = 1;
    if (der.n != 0) memcpy(a->der, der.p, der.n);
    ERR_set_mark();
    bool read = spdm_judge_read(judge, (struct spdm_span){a->der, der.n}, 0, &a->x);
    const char *why = read ? unfit(judge, a) : NULL;
    ERR_pop_to_mark();
    if (read && why == NULL) {
        judge->anchor[judge->anchor_n++] = a;
        return true;
    }
    if (!read) {
        spdm_openssl_say(cause, "no certificate: %s is not well-formed DER at byte %zu", a->x.wrong, a->x.wrong_at);
    } else {
        char name[SPDM_CAUSE_MAX / 2];
        (void)spdm_x509_name_text(a->x.subject, name, sizeof name);
        spdm_openssl_say(cause, "the certificate of %s cannot be trusted: %s", name, why);
    }
    spdm_anchor_free(a);
    return false;
}

/* ---- files ---- */

/* All certificates of a PEM text. */
static unsigned trust_pem(struct spdm_judge *judge, struct spdm_span text, char *cause)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    unsigned found = 0;
    bool fine = true;
    long n = 0;

    ERR_set_mark();
    while (fine && bio != NULL && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
        if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0) {
            fine = spdm_judge_trust_der(judge, (struct spdm_span){der, (size_t)n}, cause);
            found += fine;
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    if (fine && found == 0) spdm_openssl_say(cause, "there is no certificate in it");
    ERR_pop_to_mark();
    BIO_free(bio);
    return fine ? found : 0;
}

/* The bytes of a file, for OPENSSL_free(); NULL with a cause. */
static uint8_t *read_file(const char *path, size_t *n, char *cause)
{
    FILE *f = fopen(path, "rb");
    struct stat about = {0};
    uint8_t *bytes = NULL;

    *n = 0;
    if (f == NULL || fstat(fileno(f), &about) != 0) {
        spdm_openssl_say(cause, "cannot open it");
    } else if (!S_ISREG(about.st_mode) || about.st_size <= 0 || about.st_size > (off_t)FILE_MAX_BYTES) {
        spdm_openssl_say(cause, "it is no file of at most %u bytes", FILE_MAX_BYTES);
    } else {
        bytes = OPENSSL_malloc((size_t)about.st_size);
        if (bytes != NULL) *n = fread(bytes, 1, (size_t)about.st_size, f);
        spdm_openssl_say(cause, "cannot read it");
    }
    if (f != NULL) fclose(f);
    if (*n == 0) {
        OPENSSL_free(bytes);
        bytes = NULL;
    }
    return bytes;
}

static unsigned trust_file(struct spdm_judge *judge, const char *path, char *cause)
{
    size_t n = 0;
    unsigned found = 0;
    uint8_t *bytes = read_file(path, &n, cause);

    if (bytes == NULL) return 0;
    if (bytes[0] == SPDM_DER_SEQUENCE) {
        found = spdm_judge_trust_der(judge, (struct spdm_span){bytes, n}, cause);
    } else {
        found = trust_pem(judge, (struct spdm_span){bytes, n}, cause);
    }
    OPENSSL_free(bytes);
    return found;
}

static bool looks_like_one(const char *name)
{
    static const char *const endings[] = {".pem", ".crt", ".cer", ".der"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        if (OPENSSL_strcasecmp(dot, endings[i]) == 0) return true;
    }
    return false;
}

static unsigned trust_directory(struct spdm_judge *judge, const char *path, DIR *dir, char *cause)
{
    unsigned found = 0;
    const struct dirent *e;
    char last[SPDM_CAUSE_MAX] = "";

    while ((e = readdir(dir)) != NULL) {
        char file[4096], why[SPDM_CAUSE_MAX];
        if (!looks_like_one(e->d_name)) continue;
        if (snprintf(file, sizeof file, "%s/%s", path, e->d_name) >= (int)sizeof file) continue;
        unsigned more = trust_file(judge, file, why);
        if (more == 0) snprintf(last, sizeof last, "%.100s: %.250s", e->d_name, why);
        found += more;
    }
    if (found == 0) {
        spdm_openssl_say(cause, "no file .pem, .crt, .cer or .der in it holds a certificate%s%.300s",
                         last[0] != '\0' ? "; " : "", last);
    }
    return found;
}

unsigned spdm_judge_trust(struct spdm_judge *judge, const char *path, char *cause)
{
    char why[SPDM_CAUSE_MAX] = "";
    DIR *dir = opendir(path);
    unsigned found = 0;

    if (dir != NULL) {
        found = trust_directory(judge, path, dir, why);
        closedir(dir);
    } else {
        found = trust_file(judge, path, why);
    }
    if (found == 0) spdm_openssl_say(cause, "trust anchor %.150s: %.240s", path, why);
    return found;
}

unsigned spdm_judge_anchor_n(const struct spdm_judge *judge)
{
    return judge->anchor_n;
}

/* ---- extensions ---- */

bool spdm_judge_accept_critical(struct spdm_judge *judge, const char *oid, char *cause)
{
    ERR_set_mark();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    size_t n = object != NULL ? OBJ_length(object) : 0;
    struct spdm_room *more = NULL;
    uint8_t *copy = NULL;

    if (n == 0) {
        spdm_openssl_say(cause, "'%.100s' is no object identifier", oid);
    } else {
        copy = OPENSSL_memdup(OBJ_get0_data(object), n);
        more = OPENSSL_realloc(judge->critical, (judge->critical_n + 1) * sizeof *more);
        if (more != NULL) judge->critical = more;
        if (more != NULL && copy != NULL) {
            judge->critical[judge->critical_n++] = (struct spdm_room){copy, n};
            copy = NULL;
        } else {
            spdm_openssl_say(cause, "out of memory");
            n = 0;
        }
    }
    OPENSSL_free(copy);
    ASN1_OBJECT_free(object);
    ERR_pop_to_mark();
    return n != 0;
}
