/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reader of DER. claim() is the only place that reads a tag or a length,
 * and nothing is looked at before it is known to lie inside the bytes given.
 * An element's length is held against what is left, so a length of 4 GiB, or
 * a thousand levels of nesting, costs no more than the bytes that are there. */
#include "port/der.h"
#include <stdio.h>
#include <string.h>

struct spdm_der spdm_der_over(struct spdm_span in)
{
    return (struct spdm_der){.in = in};
}

struct spdm_der spdm_der_into(const struct spdm_der *outer, const struct spdm_der_item *item)
{
    struct spdm_der inner = {.in = item->body, .bad = outer->bad, .wrong_at = outer->wrong_at};

    inner.base = item->at + (item->whole.n - item->body.n);
    return inner;
}

bool spdm_der_fail(struct spdm_der *der, size_t at)
{
    if (!der->bad) {
        der->bad = true;
        der->wrong_at = at;
    }
    return false;
}

uint8_t spdm_der_peek(const struct spdm_der *der)
{
    return der->bad || der->at >= der->in.n ? 0 : der->in.p[der->at];
}

/* The length octets of X.690 8.1.3 at *head, which is moved behind them; SIZE_MAX if they are not DER. */
static size_t length_of(struct spdm_span in, size_t *head)
{
    if (*head >= in.n) return SIZE_MAX;
    size_t first = in.p[(*head)++];
    if (first < 0x80) return first;

    size_t n = first & 0x7f, length = 0;
    if (n == 0 || n > 4 || n > in.n - *head) return SIZE_MAX; /* indefinite, over 4 GiB, or cut off */
    for (size_t i = 0; i < n; i++) length = length << 8 | in.p[(*head)++];
    bool shortest = length >= 0x80 && length >> (8 * (n - 1)) != 0;
    return shortest ? length : SIZE_MAX;
}

bool spdm_der_any(struct spdm_der *der, struct spdm_der_item *item)
{
    *item = (struct spdm_der_item){0};
    if (der->bad || der->at >= der->in.n) return false;

    size_t head = der->at + 1;
    uint8_t tag = der->in.p[der->at];
    if (tag == 0 || (tag & 0x1f) == 0x1f) return spdm_der_fail(der, der->base + der->at);
    size_t length = length_of(der->in, &head);
    if (length > der->in.n - head) return spdm_der_fail(der, der->base + der->at);

    item->tag = tag;
    item->at = der->base + der->at;
    item->whole = (struct spdm_span){der->in.p + der->at, head + length - der->at};
    item->body = (struct spdm_span){der->in.p + head, length};
    der->at = head + length;
    return true;
}

size_t spdm_der_length(struct spdm_span in)
{
    size_t head = 1;

    if (in.n < 2 || in.p[0] == 0 || (in.p[0] & 0x1f) == 0x1f) return 0;
    size_t length = length_of(in, &head);
    return length > SIZE_MAX - head ? 0 : head + length;
}

bool spdm_der_take(struct spdm_der *der, uint8_t tag, struct spdm_der_item *item)
{
    if (spdm_der_peek(der) != tag) {
        *item = (struct spdm_der_item){0};
        return spdm_der_fail(der, der->base + der->at);
    }
    return spdm_der_any(der, item);
}

bool spdm_der_if(struct spdm_der *der, uint8_t tag, struct spdm_der_item *item)
{
    if (spdm_der_peek(der) != tag) {
        *item = (struct spdm_der_item){0};
        return false;
    }
    return spdm_der_any(der, item);
}

bool spdm_der_end(struct spdm_der *der)
{
    if (!der->bad && der->at != der->in.n) spdm_der_fail(der, der->base + der->at);
    return !der->bad;
}

bool spdm_der_is_integer(struct spdm_span body)
{
    if (body.n == 0) return false;
    if (body.n == 1) return true;
    bool padded = (body.p[0] == 0 && body.p[1] < 0x80) || (body.p[0] == 0xff && body.p[1] >= 0x80);
    return !padded;
}

bool spdm_der_small(const struct spdm_der_item *item, uint32_t *out)
{
    struct spdm_span s = item->body;
    uint32_t v = 0;

    if (!spdm_der_is_integer(s) || s.n > 4 || s.p[0] >= 0x80) return false;
    for (size_t i = 0; i < s.n; i++) v = v << 8 | s.p[i];
    *out = v;
    return true;
}

bool spdm_der_octets(const struct spdm_der_item *item, struct spdm_span *out)
{
    struct spdm_span s = item->body;

    if (s.n == 0 || s.p[0] != 0) return false;
    *out = (struct spdm_span){s.p + 1, s.n - 1};
    return true;
}

bool spdm_der_equal(struct spdm_span a, struct spdm_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Appends to a text of *n characters that may already be longer than its room. */
static void append(char *out, size_t cap, size_t *n, uint64_t arc)
{
    char word[24];
    int m = snprintf(word, sizeof word, *n == 0 ? "%llu" : ".%llu", (unsigned long long)arc);

    for (int i = 0; i < m; i++, ++*n) {
        if (*n + 1 < cap) out[*n] = word[i];
    }
}

/* Whether every arc is in its shortest form, complete, and fits 63 bits. */
static bool oid_is_sound(struct spdm_span oid)
{
    size_t digits = 0;

    for (size_t i = 0; i < oid.n; i++) {
        if (digits == 0 && oid.p[i] == 0x80) return false;
        digits = oid.p[i] & 0x80 ? digits + 1 : 0;
        if (digits >= 9) return false;
    }
    return oid.n != 0 && digits == 0;
}

size_t spdm_der_oid_text(struct spdm_span oid, char *out, size_t cap)
{
    size_t n = 0;
    uint64_t arc = 0;

    if (!oid_is_sound(oid)) {
        int m = snprintf(out, cap, "?");
        return m < 0 ? 0 : (size_t)m;
    }
    for (size_t i = 0; i < oid.n; i++) {
        arc = arc << 7 | (oid.p[i] & 0x7f);
        if (oid.p[i] & 0x80) continue;
        if (n == 0) {
            uint64_t root = arc < 80 ? arc / 40 : 2;
            append(out, cap, &n, root);
            arc -= 40 * root;
        }
        append(out, cap, &n, arc);
        arc = 0;
    }
    if (cap != 0) out[n < cap ? n : cap - 1] = '\0';
    return n;
}
