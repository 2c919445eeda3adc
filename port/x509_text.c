/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a certificate says, in words for people. Nothing a certificate holds
 * reaches the reader unescaped: names go through libcrypto's escaping, plain
 * texts lose what is no printable UTF-8. Only names allocate. */
#include "port/der.h"
#include "port/x509_read.h"
#include <inttypes.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

/* A text that goes on being counted where it no longer fits. */
struct text {
    char *out;
    size_t cap, n;
};

static void put(struct text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++, t->n++) {
        if (t->n + 1 < t->cap) t->out[t->n] = s[i];
    }
    if (t->cap != 0) t->out[t->n < t->cap ? t->n : t->cap - 1] = '\0';
}

/* An empty text, ended if there is room for the end. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written through the text */
static struct text text_into(char *out, size_t cap)
{
    struct text t = {.out = out, .cap = cap};

    put(&t, "", 0);
    return t;
}

static void say(struct text *t, const char *s)
{
    put(t, s, strlen(s));
}

/* One more item of a list. */
static void list(struct text *t, const char *s)
{
    if (t->n != 0) say(t, ", ");
    say(t, s);
}

/* ---- names ---- */

static X509_NAME *name_of(struct spdm_span der)
{
    const unsigned char *at = der.p;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.n);

    if (name != NULL && at != der.p + der.n) {
        X509_NAME_free(name);
        name = NULL;
    }
    return name;
}

bool spdm_x509_same_name(struct spdm_span a, struct spdm_span b)
{
    if (spdm_der_equal(a, b)) return true;
    ERR_set_mark();
    X509_NAME *x = name_of(a), *y = name_of(b);
    bool same = x != NULL && y != NULL && X509_NAME_cmp(x, y) == 0;
    X509_NAME_free(x);
    X509_NAME_free(y);
    ERR_pop_to_mark();
    return same;
}

bool spdm_x509_self_issued(const struct spdm_x509 *x)
{
    return spdm_x509_same_name(x->issuer, x->subject);
}

size_t spdm_x509_name_text(struct spdm_span name, char *out, size_t cap)
{
    struct text t = text_into(out, cap);
    const unsigned long style =
        XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS | ASN1_STRFLGS_RFC2253;
    char *bytes = NULL;

    ERR_set_mark();
    X509_NAME *decoded = name_of(name);
    BIO *bio = decoded != NULL ? BIO_new(BIO_s_mem()) : NULL;
    if (bio != NULL && X509_NAME_print_ex(bio, decoded, 0, style) >= 0) {
        long n = BIO_get_mem_data(bio, &bytes);
        if (n > 0) put(&t, bytes, (size_t)n);
    } else {
        say(&t, "(unreadable name)");
    }
    BIO_free(bio);
    X509_NAME_free(decoded);
    ERR_pop_to_mark();
    return t.n;
}

/* ---- the rest ---- */

size_t spdm_x509_serial_text(const struct spdm_x509 *x, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    struct text t = text_into(out, cap);
    struct spdm_span s = x->serial;

    if (s.n != 0 && s.p[0] >= 0x80) say(&t, "-");
    if (s.n > 1 && s.p[0] == 0) s = (struct spdm_span){s.p + 1, s.n - 1};
    for (size_t i = 0; i < s.n; i++) {
        uint8_t byte = s.p[i];
        char two[2] = {digits[byte >> 4], digits[byte & 15]};
        put(&t, two, 2);
    }
    return t.n;
}

/* Days since 1970 to a civil date, by eras of 400 years that begin in March. */
size_t spdm_x509_time_text(int64_t time, char *out, size_t cap)
{
    int64_t days = time / 86400, rest = time % 86400;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    int n = snprintf(out, cap, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64 "Z",
                     year, month, day, rest / 3600, rest / 60 % 60, rest % 60);
    return n < 0 ? 0 : (size_t)n;
}

static const char *purpose_name(struct spdm_span oid)
{
    static const struct {
        const char *oid;
        uint8_t n;
        const char *name;
    } names[] = {{"\x2b\x06\x01\x04\x01\x83\x1c\x82\x12\x03", 10, "responder-auth"},
                 {"\x2b\x06\x01\x04\x01\x83\x1c\x82\x12\x04", 10, "requester-auth"},
                 {"\x2b\x06\x01\x05\x05\x07\x03\x01", 8, "serverAuth"},
                 {"\x2b\x06\x01\x05\x05\x07\x03\x02", 8, "clientAuth"},
                 {"\x2b\x06\x01\x05\x05\x07\x03\x03", 8, "codeSigning"},
                 {"\x2b\x06\x01\x05\x05\x07\x03\x09", 8, "OCSPSigning"},
                 {"\x55\x1d\x25\x00", 4, "any"}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (oid.n == names[i].n && memcmp(oid.p, names[i].oid, oid.n) == 0) return names[i].name;
    }
    return NULL;
}

size_t spdm_x509_eku_text(const struct spdm_x509 *x, char *out, size_t cap)
{
    struct text t = text_into(out, cap);
    struct spdm_der purposes = spdm_der_over(x->eku);
    struct spdm_der_item item;
    char dotted[128];

    while (spdm_der_any(&purposes, &item)) {
        const char *name = purpose_name(item.body);
        if (name == NULL) (void)spdm_der_oid_text(item.body, dotted, sizeof dotted);
        list(&t, name != NULL ? name : dotted);
    }
    return t.n;
}

size_t spdm_x509_has_text(const struct spdm_x509 *x, char *out, size_t cap)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{SPDM_X509_HARDWARE, "hardware identity"},
                 {SPDM_X509_MUTABLE, "mutable"},
                 {SPDM_X509_RESPONDER, "responder-auth"},
                 {SPDM_X509_REQUESTER, "requester-auth"},
                 {SPDM_X509_DEVICE_INFO, "device info"},
                 {SPDM_X509_PCI_INFO, "PCI identity"},
                 {SPDM_X509_TCB_INFO, "DICE TcbInfo"},
                 {SPDM_X509_MULTI_TCB_INFO, "DICE MultiTcbInfo"},
                 {SPDM_X509_UEID, "DICE Ueid"}};
    static const char *const usages[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                         "dataEncipherment", "keyAgreement",   "keyCertSign",
                                         "cRLSign",          "encipherOnly",   "decipherOnly"};
    struct text t = text_into(out, cap);
    char number[32];

    if (x->has & SPDM_X509_CA) list(&t, "CA");
    if (x->has & SPDM_X509_PATH_LEN) {
        snprintf(number, sizeof number, "pathlen %" PRIu32, x->path_len);
        list(&t, number);
    }
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        if (x->key_usage & 1u << i) list(&t, usages[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (x->has & names[i].bit) list(&t, names[i].name);
    }
    return t.n;
}

/* How many bytes the UTF-8 character at p has, 0 if it is none or does not print. */
static size_t printable(const uint8_t *p, size_t n)
{
    size_t more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

    if ((p[0] >= 0x80 && p[0] < 0xc2) || p[0] > 0xf4 || more >= n) return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    bool shortest = more < 2 || c >= (more == 2 ? 0x800u : 0x10000u);
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
                   (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
                   c == 0xfeff; /* what turns or hides text counts as control */
    bool character = (c < 0xd800 || c > 0xdfff) && c <= 0x10ffff;
    return shortest && character && !control ? more + 1 : 0;
}

size_t spdm_x509_plain_text(struct spdm_span text, char *out, size_t cap)
{
    struct text t = text_into(out, cap);

    for (size_t i = 0; i < text.n;) {
        size_t n = printable(text.p + i, text.n - i);
        if (n == 0) {
            say(&t, "?");
            i++;
            continue;
        }
        for (size_t k = 0; k < n; k++, i++) {
            char c = (char)text.p[i];
            put(&t, &c, 1);
        }
    }
    return t.n;
}
