/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DSP0277 records. Layout (S = form->seq_bytes):
 *
 *   SessionID 4 | SequenceNumber S | Length 2 | ApplicationDataLength 2 | data | random | tag 16
 *
 * A MAC-only record has no ApplicationDataLength and no random data; its data
 * is associated data. Length fields have two bytes in every version (UN-17). */
#include "secured/record.h"

enum { SESSION = 4, LENGTH = 2, APP_LENGTH = 2, HEAD_MAX = SESSION + 8 + LENGTH, LENGTH_MAX = 0xffff };

static void store(uint8_t *to, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) to[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t load(struct spdm_span from, size_t at, unsigned n)
{
    uint32_t v = 0;

    for (unsigned i = n; i-- > 0;) v = v << 8 | from.p[at + i];
    return v;
}

static size_t head_size(const struct record_form *form)
{
    return (size_t)SESSION + form->seq_bytes + LENGTH;
}

size_t spdm_record_head(const struct record_form *form)
{
    return head_size(form) + (form->mac_only ? 0 : APP_LENGTH);
}

uint32_t spdm_record_session(struct spdm_span record)
{
    return record.n < SESSION ? 0 : load(record, 0, SESSION);
}

/* IV XOR sequence number: little endian from the front, or, for old peers, big endian from the back (R-APP-01). */
static void nonce(const struct record_form *form, const struct lane *lane, uint8_t out[RECORD_IV])
{
    uint64_t rest = lane->sequence;

    memcpy(out, lane->iv, RECORD_IV);
    for (unsigned i = 0; rest != 0; i++, rest >>= 8) out[form->big_endian ? RECORD_IV - 1 - i : i] ^= (uint8_t)rest;
}

static bool usable(const struct record_form *form, const struct lane *lane)
{
    return lane->ready && lane->sequence <= form->limit;
}

static void put_head(const struct record_form *form, const struct lane *lane, size_t length, uint8_t *out)
{
    store(out, form->session, SESSION);
    store(&out[SESSION], lane->sequence, form->seq_bytes);  /* POINTER: out has HEAD_MAX bytes */
    store(&out[SESSION + form->seq_bytes], length, LENGTH); /* POINTER: out has HEAD_MAX bytes */
}

/* MAC only: the data is copied to its place and authenticated where it lies. */
static bool seal_mac(const struct record_crypto *rc, struct lane *lane, struct spdm_aead *op,
                     const struct spdm_room *at, const struct record_plain *plain)
{
    struct spdm_room data = spdm_room_from(*at, plain->head.n);

    if (!spdm_put(data, plain->data) || !spdm_put(*at, plain->head)) return false;
    op->aad[1] = spdm_span(at->p, plain->head.n + plain->data.n);
    op->out = at->p;
    return rc->crypto->aead_seal(rc->ctx, lane->aead, op);
}

static bool seal_data(const struct record_crypto *rc, struct lane *lane, struct spdm_aead *op,
                      const struct spdm_room *at, const struct record_plain *plain)
{
    uint8_t length[APP_LENGTH], random[RECORD_RANDOM_MAX];
    struct spdm_span piece[4] = {{length, APP_LENGTH}, plain->head, plain->data, {random, plain->random}};

    store(length, plain->head.n + plain->data.n, APP_LENGTH);
    if (plain->random != 0 && !rc->crypto->random(rc->ctx, random, plain->random)) return false;
    op->in = piece;
    op->in_n = plain->random != 0 ? 4 : 3;
    op->out = at->p;
    return rc->crypto->aead_seal(rc->ctx, lane->aead, op);
}

size_t spdm_record_seal(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                        const struct record_plain *plain, struct spdm_room out)
{
    uint8_t iv[RECORD_IV], head[HEAD_MAX];
    size_t head_n = head_size(form), app = plain->head.n + plain->data.n;
    size_t body = form->mac_only ? app : APP_LENGTH + app + plain->random, total = head_n + body + RECORD_TAG;
    struct spdm_room at = spdm_room_from(out, head_n);
    struct spdm_aead op = {.iv = iv, .aad = {{head, head_n}, {0}}, .tag = spdm_room_from(at, body).p};
    bool sealed;

    if (!usable(form, lane) || total > out.n || body + RECORD_TAG > LENGTH_MAX) return 0;
    nonce(form, lane, iv);
    put_head(form, lane, body + RECORD_TAG, head);
    sealed = form->mac_only ? seal_mac(rc, lane, &op, &at, plain) : seal_data(rc, lane, &op, &at, plain);
    spdm_wipe(iv, sizeof iv);
    if (!sealed) spdm_wipe(at.p, body); /* the data may have lain there */
    if (!sealed) return 0;
    (void)spdm_put(out, spdm_span(head, head_n));
    lane->sequence++;
    return total;
}

/* Where the parts of a record lie; false if it is malformed or out of sequence (sessions.md 6.5, steps 3 and 4). */
struct parts {
    struct spdm_span head, body, tag;
};

static bool split(const struct record_form *form, const struct lane *lane, struct spdm_span record, struct parts *out)
{
    size_t head_n = head_size(form), length;
    uint32_t mask = form->seq_bytes >= 4 ? 0xffffffffu : (1u << (8 * form->seq_bytes)) - 1;

    if (record.n < head_n + RECORD_TAG) return false;
    if (load(record, SESSION, form->seq_bytes) != ((uint32_t)lane->sequence & mask)) return false;
    length = load(record, (size_t)SESSION + form->seq_bytes, LENGTH);
    if (length < RECORD_TAG || length > record.n - head_n) return false;
    out->head = spdm_part(record, 0, head_n);
    out->body = spdm_part(record, head_n, length - RECORD_TAG);
    out->tag = spdm_part(record, head_n + length - RECORD_TAG, RECORD_TAG);
    return true;
}

/* The tag travels through memory of ours, because the port takes it as writable. */
static bool decrypt(const struct record_crypto *rc, struct lane *lane, const struct parts *p, struct spdm_aead *op)
{
    uint8_t tag[RECORD_TAG];
    volatile spdm_verdict verdict;

    memcpy(tag, p->tag.p, RECORD_TAG);
    op->tag = tag;
    verdict = rc->crypto->aead_open(rc->ctx, lane->aead, op);
    return verdict == SPDM_GOOD && (verdict ^ SPDM_BAD) == (SPDM_GOOD ^ SPDM_BAD);
}

/* Application data inside an opened body: ApplicationDataLength must fit, the rest is random (R-APP-05). */
static bool unwrap(struct spdm_span plain, struct spdm_span *data)
{
    size_t n = plain.n < APP_LENGTH ? 0 : load(plain, 0, APP_LENGTH);

    if (plain.n < APP_LENGTH || n > plain.n - APP_LENGTH) return false;
    *data = spdm_part(plain, APP_LENGTH, n);
    return true;
}

bool spdm_record_open(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                      struct record_in *in)
{
    uint8_t iv[RECORD_IV];
    struct parts p;
    struct spdm_aead op = {.iv = iv, .out = in->out.p};
    bool opened;

    if (!usable(form, lane) || !split(form, lane, in->record, &p) || p.body.n > in->out.n) return false;
    nonce(form, lane, iv);
    op.aad[0] = p.head;
    if (form->mac_only) op.aad[1] = p.body;
    else op.in = &p.body, op.in_n = 1;
    opened = decrypt(rc, lane, &p, &op);
    spdm_wipe(iv, sizeof iv);
    if (!opened) return false;
    in->data = p.body;
    if (form->mac_only) return lane->sequence++, true;
    if (!unwrap(spdm_span(in->out.p, p.body.n), &in->data)) {
        spdm_wipe(in->out.p, p.body.n);
        return false;
    }
    lane->sequence++;
    return true;
}
