/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading a certificate. take() is the only way from one field to the next;
 * the first field that is not what it must be is remembered by name and
 * place. Extensions are a table of OIDs with a function each; what SPDM, PCI
 * and DICE put into them may be malformed without making the certificate
 * unreadable: that is a flag, and the judge's to weigh. */
#include "port/x509_read.h"
#include "port/der.h"
#include <string.h>

struct reading {
    struct spdm_x509 *x;
    struct spdm_der der;
};

/* Remembers the first wrong field. Returns false. */
static bool wrong(struct spdm_x509 *x, const char *field, size_t at)
{
    if (x->wrong == NULL) {
        x->wrong = field;
        x->wrong_at = at;
    }
    return false;
}

static bool take(struct reading *r, uint8_t tag, const char *field, struct spdm_der_item *item)
{
    return spdm_der_take(&r->der, tag, item) || wrong(r->x, field, r->der.wrong_at);
}

static bool is(struct spdm_span a, const char *b, size_t n)
{
    return a.n == n && memcmp(a.p, b, n) == 0;
}

/* ---- dates ---- */

static int two(const uint8_t *p)
{
    bool digits = p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9';

    return digits ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

static bool leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of the year (proleptic Gregorian). */
static int64_t days_to_year(int64_t year)
{
    int64_t y = year - 1;

    return 365 * (year - 1970) + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) + (y / 400 - 1969 / 400);
}

static const uint8_t month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ and nothing else: RFC 5280 section 4.1.2.5. */
static bool read_time(const struct spdm_der_item *item, int64_t *out)
{
    struct spdm_span s = item->body;
    bool utc = item->tag == SPDM_DER_UTC_TIME;
    size_t n = utc ? 13 : 15;
    int v[6];

    if (s.n != n || s.p[n - 1] != 'Z') return false;
    for (size_t i = 0; i < 5; i++) {
        v[i + 1] = two(s.p + (utc ? 2 : 4) + 2 * i);
        if (v[i + 1] < 0) return false;
    }
    int high = utc ? 0 : two(s.p), low = two(s.p + (utc ? 0 : 2));
    if (high < 0 || low < 0) return false;
    int64_t year = utc ? (low < 50 ? 2000 : 1900) + low : high * 100 + low;
    if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[3] > 23 || v[4] > 59 || v[5] > 59) return false;
    int64_t days = days_to_year(year);
    for (int m = 1; m < v[1]; m++) days += month_days[m - 1] + (m == 2 && leap(year));
    if (v[2] > month_days[v[1] - 1] + (v[1] == 2 && leap(year))) return false;
    *out = (days + v[2] - 1) * 86400 + v[3] * 3600 + v[4] * 60 + v[5];
    return true;
}

/* A date that is none does not make the certificate unreadable: R-CRT-06 has its own verdict. */
static bool take_time(struct reading *r, int64_t *out)
{
    struct spdm_der_item item;

    if (!spdm_der_if(&r->der, SPDM_DER_UTC_TIME, &item) && !take(r, SPDM_DER_TIME, "validity", &item)) return false;
    if (!read_time(&item, out)) r->x->bad_time = true;
    return true;
}

/* ---- extensions ---- */

/* false: the extension's contents are malformed. */
typedef bool reader(struct spdm_x509 *x, struct spdm_der *in);

static bool read_basic(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, item;

    if (!spdm_der_take(in, SPDM_DER_SEQUENCE, &list)) return false;
    struct spdm_der fields = spdm_der_into(in, &list);
    if (spdm_der_if(&fields, SPDM_DER_BOOLEAN, &item)) {
        if (item.body.n != 1 || (item.body.p[0] != 0xff && item.body.p[0] != 0)) return false;
        if (item.body.p[0] == 0xff) x->has |= SPDM_X509_CA;
    }
    if (spdm_der_if(&fields, SPDM_DER_INTEGER, &item)) {
        if (!spdm_der_small(&item, &x->path_len)) return false;
        x->has |= SPDM_X509_PATH_LEN;
    }
    return spdm_der_end(&fields) && spdm_der_end(in);
}

static bool read_key_usage(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item item;

    if (!spdm_der_take(in, SPDM_DER_BIT_STRING, &item) || !spdm_der_end(in)) return false;
    struct spdm_span s = item.body;
    if (s.n < 1 || s.n > 3 || s.p[0] > 7 || (s.n == 1 && s.p[0] != 0)) return false;
    for (size_t bit = 0; bit < 8 * (s.n - 1); bit++) {
        if (s.p[1 + bit / 8] & (0x80u >> bit % 8)) x->key_usage |= (uint16_t)(1u << bit);
    }
    return true;
}

#define SPDM_ARC "\x2b\x06\x01\x04\x01\x83\x1c\x82\x12"

static bool read_eku(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, item;

    if (!spdm_der_take(in, SPDM_DER_SEQUENCE, &list) || !spdm_der_end(in)) return false;
    struct spdm_der purposes = spdm_der_into(in, &list);
    x->eku = list.body;
    while (spdm_der_take(&purposes, SPDM_DER_OID, &item)) {
        if (is(item.body, SPDM_ARC "\x03", 10)) x->has |= SPDM_X509_RESPONDER;
        if (is(item.body, SPDM_ARC "\x04", 10)) x->has |= SPDM_X509_REQUESTER;
        if (purposes.at == purposes.in.n) return true;
    }
    return false;
}

static bool read_ski(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item item;

    if (!spdm_der_take(in, SPDM_DER_OCTET_STRING, &item)) return false;
    x->ski = item.body;
    return spdm_der_end(in);
}

static bool read_aki(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, item;

    if (!spdm_der_take(in, SPDM_DER_SEQUENCE, &list)) return false;
    struct spdm_der fields = spdm_der_into(in, &list);
    if (spdm_der_if(&fields, SPDM_DER_PRIMITIVE | 0, &item)) x->aki = item.body;
    while (spdm_der_any(&fields, &item)) continue;
    return spdm_der_end(&fields) && spdm_der_end(in);
}

/* manufacturer:product:serial, R-CRT-17. */
static bool is_device_info(struct spdm_span text)
{
    unsigned colons = 0;

    for (size_t i = 0; i < text.n; i++) colons += text.p[i] == ':';
    return colons == 2;
}

/* An otherName of SPDM's or PCI's; those of others are theirs. false: the contents are malformed. */
static bool read_other_name(struct spdm_x509 *x, struct spdm_der *fields)
{
    struct spdm_der_item oid, wrapped, text;

    if (!spdm_der_take(fields, SPDM_DER_OID, &oid) || !spdm_der_take(fields, SPDM_DER_EXPLICIT | 0, &wrapped)) {
        return false;
    }
    bool device = is(oid.body, SPDM_ARC "\x01", 10), pci = is(oid.body, "\x67\x81\x13", 3);
    if (!device && !pci) return true;
    struct spdm_der inside = spdm_der_into(fields, &wrapped);
    bool sound = spdm_der_take(&inside, SPDM_DER_UTF8, &text) && spdm_der_end(&inside);
    if (device) {
        x->has |= SPDM_X509_DEVICE_INFO;
        if (sound && is_device_info(text.body)) {
            x->device_info = text.body;
        } else {
            x->has |= SPDM_X509_BAD_DEVICE_INFO;
        }
    } else if (sound) {
        x->has |= SPDM_X509_PCI_INFO;
        x->pci_info = text.body;
    }
    return true;
}

static bool read_san(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, name;

    if (!spdm_der_take(in, SPDM_DER_SEQUENCE, &list)) return false;
    struct spdm_der names = spdm_der_into(in, &list);
    while (spdm_der_any(&names, &name)) {
        if (name.tag != (SPDM_DER_EXPLICIT | 0)) continue;
        struct spdm_der fields = spdm_der_into(&names, &name);
        if (!read_other_name(x, &fields)) return false;
    }
    return spdm_der_end(&names) && spdm_der_end(in);
}

/* SEQUENCE OF SEQUENCE { OID, value OPTIONAL }, which must fill the outer one exactly; other OIDs are fine. */
static bool read_spdm(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, entry, oid, value;
    bool sound = spdm_der_take(in, SPDM_DER_SEQUENCE, &list) && spdm_der_end(in);
    struct spdm_der entries = spdm_der_into(in, &list);

    while (sound && spdm_der_peek(&entries) != 0) {
        if (!spdm_der_take(&entries, SPDM_DER_SEQUENCE, &entry)) break;
        struct spdm_der fields = spdm_der_into(&entries, &entry);
        sound = spdm_der_take(&fields, SPDM_DER_OID, &oid);
        (void)spdm_der_if(&fields, SPDM_DER_OCTET_STRING, &value);
        sound = sound && spdm_der_end(&fields);
        if (sound && is(oid.body, SPDM_ARC "\x02", 10)) x->has |= SPDM_X509_HARDWARE;
        if (sound && is(oid.body, SPDM_ARC "\x05", 10)) x->has |= SPDM_X509_MUTABLE;
    }
    if (!sound || !spdm_der_end(&entries)) x->has |= SPDM_X509_BAD_SPDM;
    return true;
}

/* The fields of a DiceTcbInfo are tagged [0] to [9], each at most once and in this order. */
static bool is_tcb_info(struct spdm_der fields)
{
    struct spdm_der_item item;
    int last = -1;

    while (spdm_der_any(&fields, &item)) {
        int number = item.tag & 0x1f;
        if ((item.tag & 0xc0) != 0x80 || number <= last || number > 9) return false;
        last = number;
    }
    return !fields.bad;
}

/* TcbInfo occurs as one SEQUENCE of fields and as a SEQUENCE of such SEQUENCEs, under either OID; devices made before
 * DICE settled put a CompositeDeviceID there, which begins with its version. */
static bool read_tcb(struct spdm_x509 *x, struct spdm_der *in)
{
    struct spdm_der_item list, item;
    bool sound = spdm_der_take(in, SPDM_DER_SEQUENCE, &list) && spdm_der_end(in);
    struct spdm_der fields = spdm_der_into(in, &list);

    if (sound && spdm_der_peek(&fields) == SPDM_DER_SEQUENCE) {
        while (sound && spdm_der_peek(&fields) != 0) {
            sound = spdm_der_take(&fields, SPDM_DER_SEQUENCE, &item) && is_tcb_info(spdm_der_into(&fields, &item));
        }
        sound = sound && spdm_der_end(&fields);
    } else if (sound && spdm_der_peek(&fields) == SPDM_DER_INTEGER) {
        while (spdm_der_any(&fields, &item)) continue;
        sound = spdm_der_end(&fields);
    } else {
        sound = sound && is_tcb_info(fields);
    }
    x->tcb_info = list.whole;
    if (!sound) x->has |= SPDM_X509_BAD_TCB_INFO;
    return true;
}

static bool read_nothing(struct spdm_x509 *x, struct spdm_der *in)
{
    (void)x;
    (void)in;
    return true;
}

#define OID(text) (text), sizeof(text) - 1
/* What this judge understands. The last ones do not change what it decides: policies without a demand for one, where
 * to find revocation lists, other names. */
static const struct extension {
    const char *oid;
    size_t oid_n;
    const char *name;
    reader *read;
    uint32_t bit;
} extensions[] = {
    {OID("\x55\x1d\x13"), "basicConstraints", read_basic, SPDM_X509_BASIC},
    {OID("\x55\x1d\x0f"), "keyUsage", read_key_usage, SPDM_X509_KEY_USAGE},
    {OID("\x55\x1d\x25"), "extendedKeyUsage", read_eku, SPDM_X509_EKU},
    {OID("\x55\x1d\x11"), "subjectAltName", read_san, SPDM_X509_SAN},
    {OID("\x55\x1d\x0e"), "subjectKeyIdentifier", read_ski, SPDM_X509_SKI},
    {OID("\x55\x1d\x23"), "authorityKeyIdentifier", read_aki, SPDM_X509_AKI},
    {OID(SPDM_ARC "\x06"), "SPDM extension", read_spdm, SPDM_X509_SPDM},
    {OID("\x67\x81\x05\x05\x04\x01"), "tcg-dice-TcbInfo", read_tcb, SPDM_X509_TCB_INFO},
    {OID("\x67\x81\x05\x05\x04\x05"), "tcg-dice-MultiTcbInfo", read_tcb, SPDM_X509_MULTI_TCB_INFO},
    {OID("\x67\x81\x05\x05\x04\x04"), "tcg-dice-Ueid", read_nothing, SPDM_X509_UEID},
    {OID("\x55\x1d\x20"), "certificatePolicies", read_nothing, 0},
    {OID("\x55\x1d\x1f"), "cRLDistributionPoints", read_nothing, 0},
    {OID("\x55\x1d\x12"), "issuerAltName", read_nothing, 0},
    {OID("\x2b\x06\x01\x05\x05\x07\x01\x01"), "authorityInfoAccess", read_nothing, 0},
};

static const struct extension *known(struct spdm_span oid)
{
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        if (is(oid, extensions[i].oid, extensions[i].oid_n)) return &extensions[i];
    }
    return NULL;
}

/* Extension ::= SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING } */
static bool read_extension(struct spdm_x509 *x, struct spdm_der *list)
{
    struct spdm_der_item whole, oid, flag, value;
    bool critical = false;

    if (!spdm_der_take(list, SPDM_DER_SEQUENCE, &whole)) return wrong(x, "extensions", list->wrong_at);
    struct spdm_der fields = spdm_der_into(list, &whole);
    spdm_der_take(&fields, SPDM_DER_OID, &oid);
    if (spdm_der_if(&fields, SPDM_DER_BOOLEAN, &flag)) critical = flag.body.n != 1 || flag.body.p[0] != 0;
    spdm_der_take(&fields, SPDM_DER_OCTET_STRING, &value);
    if (!spdm_der_end(&fields)) return wrong(x, "extensions", fields.wrong_at);

    const struct extension *e = known(oid.body);
    if (e == NULL) {
        if (!critical) return true;
        if (x->unknown_critical_n == SPDM_X509_CRITICAL_MAX) return wrong(x, "extensions", whole.at);
        x->unknown_critical[x->unknown_critical_n++] = oid.body;
        return true;
    }
    if (e->bit != 0 && (x->has & e->bit) != 0) {
        x->repeated = oid.body;
        return true;
    }
    x->has |= e->bit;
    if (critical && e->bit == SPDM_X509_SPDM) x->has |= SPDM_X509_SPDM_CRITICAL;
    if (critical && (e->bit & (SPDM_X509_TCB_INFO | SPDM_X509_MULTI_TCB_INFO)) != 0) x->has |= SPDM_X509_TCB_CRITICAL;
    struct spdm_der inside = spdm_der_into(&fields, &value);
    if (e->read(x, &inside)) return true;
    return wrong(x, e->name, inside.bad ? inside.wrong_at : value.at);
}

static bool read_extensions(struct reading *r)
{
    struct spdm_der_item tagged, list;

    if (!spdm_der_if(&r->der, SPDM_DER_EXPLICIT | 3, &tagged)) return true;
    struct spdm_der outer = spdm_der_into(&r->der, &tagged);
    spdm_der_take(&outer, SPDM_DER_SEQUENCE, &list);
    if (!spdm_der_end(&outer)) return wrong(r->x, "extensions", outer.wrong_at);
    struct spdm_der entries = spdm_der_into(&outer, &list);
    while (spdm_der_peek(&entries) != 0) {
        if (!read_extension(r->x, &entries)) return false;
    }
    return spdm_der_end(&entries) || wrong(r->x, "extensions", entries.wrong_at);
}

/* ---- the certificate ---- */

static bool read_version(struct reading *r)
{
    struct spdm_der_item tagged, number;
    uint32_t version = 0;

    if (!spdm_der_if(&r->der, SPDM_DER_EXPLICIT | 0, &tagged))
        return !r->der.bad || wrong(r->x, "version", r->der.wrong_at);
    struct spdm_der in = spdm_der_into(&r->der, &tagged);
    if (!spdm_der_take(&in, SPDM_DER_INTEGER, &number) || !spdm_der_end(&in) || !spdm_der_small(&number, &version) ||
        version > 0xfe) { /* VERSION: X.509's */
        return wrong(r->x, "version", tagged.at);
    }
    r->x->version = (uint8_t)version;
    return true;
}

static bool read_validity(struct reading *r)
{
    struct spdm_der_item list;

    if (!take(r, SPDM_DER_SEQUENCE, "validity", &list)) return false;
    struct reading inner = {.x = r->x, .der = spdm_der_into(&r->der, &list)};
    if (!take_time(&inner, &r->x->not_before) || !take_time(&inner, &r->x->not_after)) return false;
    return spdm_der_end(&inner.der) || wrong(r->x, "validity", inner.der.wrong_at);
}

static bool read_tbs(struct spdm_x509 *x, struct spdm_der der)
{
    struct reading r = {.x = x, .der = der};
    struct spdm_der_item serial, algorithm, issuer, subject, spki, id;

    if (!read_version(&r) || !take(&r, SPDM_DER_INTEGER, "serialNumber", &serial)) return false;
    if (!spdm_der_is_integer(serial.body)) return wrong(x, "serialNumber", serial.at);
    if (!take(&r, SPDM_DER_SEQUENCE, "signature", &algorithm) || !take(&r, SPDM_DER_SEQUENCE, "issuer", &issuer) ||
        !read_validity(&r) || !take(&r, SPDM_DER_SEQUENCE, "subject", &subject) ||
        !take(&r, SPDM_DER_SEQUENCE, "subjectPublicKeyInfo", &spki)) {
        return false;
    }
    x->serial = serial.body;
    x->algorithm = algorithm.whole;
    x->issuer = issuer.whole;
    x->subject = subject.whole;
    x->spki = spki.whole;
    (void)spdm_der_if(&r.der, SPDM_DER_PRIMITIVE | 1, &id); /* unique identifiers, of no use */
    (void)spdm_der_if(&r.der, SPDM_DER_PRIMITIVE | 2, &id);
    if (!read_extensions(&r)) return false;
    return spdm_der_end(&r.der) || wrong(x, "tbsCertificate", r.der.wrong_at);
}

bool spdm_x509_read(struct spdm_span der, size_t at, struct spdm_x509 *x)
{
    struct spdm_der_item whole, tbs, algorithm, signature;
    struct reading r = {.x = x, .der = spdm_der_over(der)};

    *x = (struct spdm_x509){.der = der, .at = at};
    r.der.base = at;
    if (!take(&r, SPDM_DER_SEQUENCE, "Certificate", &whole)) return false;
    if (!spdm_der_end(&r.der)) return wrong(x, "Certificate", r.der.wrong_at);
    struct reading in = {.x = x, .der = spdm_der_into(&r.der, &whole)};
    if (!take(&in, SPDM_DER_SEQUENCE, "tbsCertificate", &tbs) ||
        !take(&in, SPDM_DER_SEQUENCE, "signatureAlgorithm", &algorithm) ||
        !take(&in, SPDM_DER_BIT_STRING, "signatureValue", &signature)) {
        return false;
    }
    if (!spdm_der_end(&in.der)) return wrong(x, "Certificate", in.der.wrong_at);
    if (!spdm_der_octets(&signature, &x->signature)) return wrong(x, "signatureValue", signature.at);
    x->tbs = tbs.whole;
    x->outer_algorithm = algorithm.whole;
    return read_tbs(x, spdm_der_into(&in.der, &tbs));
}

size_t spdm_x509_length(struct spdm_span in)
{
    return in.n != 0 && in.p[0] == SPDM_DER_SEQUENCE ? spdm_der_length(in) : 0;
}

bool spdm_x509_no_name(struct spdm_span name)
{
    return name.n <= 2;
}
