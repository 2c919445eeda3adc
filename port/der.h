/* SPDX-License-Identifier: BSD-3-Clause
 *
 * der.h - reads DER, strictly and without trust.
 *
 * A reader walks the elements of one level; going one level down makes a
 * second reader over the element's contents. The first error sticks, and says
 * at which byte of the outermost bytes it happened. Lengths that are not the
 * shortest, indefinite lengths and tags above 30 are errors: DER has exactly
 * one encoding (X.690 section 10). Nothing here recurses or allocates. */
#ifndef PORT_DER_H
#define PORT_DER_H
#include <assay/span.h>
#include <stdbool.h>

enum spdm_der_tag {
    SPDM_DER_BOOLEAN = 0x01,
    SPDM_DER_INTEGER = 0x02,
    SPDM_DER_BIT_STRING = 0x03,
    SPDM_DER_OCTET_STRING = 0x04,
    SPDM_DER_OID = 0x06,
    SPDM_DER_UTF8 = 0x0c,
    SPDM_DER_UTC_TIME = 0x17,
    SPDM_DER_TIME = 0x18,
    SPDM_DER_SEQUENCE = 0x30,
    SPDM_DER_SET = 0x31,
    SPDM_DER_PRIMITIVE = 0x80, /* | n: [n] IMPLICIT of a primitive type */
    SPDM_DER_EXPLICIT = 0xa0   /* | n: [n] EXPLICIT, or IMPLICIT of a constructed type */
};

struct spdm_der {
    struct spdm_span in; /* what this level holds */
    size_t at;           /* how far it has been read */
    size_t base;         /* where `in` begins in the outermost bytes */
    bool bad;
    size_t wrong_at; /* bad: the byte, in the outermost bytes */
};

/* One element: `whole` with tag and length, `body` without; both point into what was read. */
struct spdm_der_item {
    uint8_t tag;
    size_t at; /* of the tag, in the outermost bytes */
    struct spdm_span whole, body;
};

struct spdm_der spdm_der_over(struct spdm_span in);
/* A reader over the contents of an element of `outer`; as bad as `outer` is. */
struct spdm_der spdm_der_into(const struct spdm_der *outer, const struct spdm_der_item *item);
/* The tag of the next element, 0 at the end or after an error. */
uint8_t spdm_der_peek(const struct spdm_der *der);
/* The next element, whatever it is. false: there is none, or its bytes are wrong (then der->bad). */
bool spdm_der_any(struct spdm_der *der, struct spdm_der_item *item);
/* The next element, which must have this tag. */
bool spdm_der_take(struct spdm_der *der, uint8_t tag, struct spdm_der_item *item);
/* The next element if it has this tag; false without an error if it has not. */
bool spdm_der_if(struct spdm_der *der, uint8_t tag, struct spdm_der_item *item);
/* What the element at the start of `in` says its length is, tag and length included, even if there are fewer bytes;
 * 0 if its first bytes are no DER. */
size_t spdm_der_length(struct spdm_span in);
/* Whether everything has been read without an error; bytes that are left are an error from here on. */
bool spdm_der_end(struct spdm_der *der);
/* Declares the element wrong that was read last (or is next). Returns false. */
bool spdm_der_fail(struct spdm_der *der, size_t at);

/* The non-negative INTEGER in an element, at most 31 bits; false: negative, larger or not shortest. */
bool spdm_der_small(const struct spdm_der_item *item, uint32_t *out);
/* Whether an INTEGER's contents are well formed: not empty, no superfluous leading byte. */
bool spdm_der_is_integer(struct spdm_span body);
/* A BIT STRING of whole bytes: its bytes. */
bool spdm_der_octets(const struct spdm_der_item *item, struct spdm_span *out);

bool spdm_der_equal(struct spdm_span a, struct spdm_span b);
/* An OID's contents as "1.2.840.10045"; returns the full length. Malformed ones become "?". */
size_t spdm_der_oid_text(struct spdm_span oid, char *out, size_t cap);
#endif
