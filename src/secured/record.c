/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DSP0277 records. Layout (S = form->seq_bytes):
 *
 *   SessionID 4 | SequenceNumber S | Length 2 | ApplicationDataLength 2 | data | random | tag 16
 *
 * A MAC-only record has no ApplicationDataLength and no random data; its data
 * is associated data. Length fields have two bytes in every version (UN-17). */
#include "secured/record.h"

enum { SESSION = 4, LENGTH = 2, APP_LENGTH = 2, LENGTH_MAX = 0xffff };

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
    const uint8_t *p = record.p;

    return record.n < SESSION ? 0 : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* IV XOR sequence number: little endian from the front, or, for old peers, big endian from the back (R-APP-01). In its
 * place, where it need not be wiped: the second call turns it back. */
static void turn_iv(const struct record_form *form, struct lane *lane)
{
    uint64_t rest = lane->sequence;

    for (unsigned i = 0; rest != 0; i++, rest >>= 8)
        lane->iv[form->big_endian ? RECORD_IV - 1 - i : i] ^= (uint8_t)rest;
}

static bool usable(const struct record_form *form, const struct lane *lane)
{
    return lane->ready && lane->sequence <= form->limit;
}

static void put_head(const struct record_form *form, const struct lane *lane, size_t length, uint8_t *out)
{
    store(out, form->session, SESSION);
    store(&out[SESSION], lane->sequence, form->seq_bytes);  /* POINTER: out has room for a whole record */
    store(&out[SESSION + form->seq_bytes], length, LENGTH); /* POINTER: the same */
}

/* MAC only: the data is copied to its place and authenticated where it lies. */
static bool seal_mac(const struct record_crypto *rc, struct lane *lane, struct spdm_aead *op,
                     const struct spdm_room *at, const struct record_plain *plain)
{
    struct spdm_room data = spdm_room_from(*at, plain->head.n);

    if (!spdm_put(data, plain->data) || !spdm_put(*at, plain->head)) return false;
    op->aad[1] = spdm_span(at->p, plain->head.n + plain->data.n);
    return rc->crypto->aead_seal(rc->ctx, lane->aead, op);
}

static bool seal_data(const struct record_crypto *rc, struct lane *lane, struct spdm_aead *op,
                      const struct record_plain *plain)
{
    uint8_t length[APP_LENGTH], random[RECORD_RANDOM_MAX];
    struct spdm_span piece[4] = {{length, APP_LENGTH}, plain->head, plain->data, {random, plain->random}};

    store(length, plain->head.n + plain->data.n, APP_LENGTH);
    if (plain->random != 0 && !rc->crypto->random(rc->ctx, random, plain->random)) return false;
    op->in = piece;
    op->in_n = plain->random != 0 ? 4 : 3;
    return rc->crypto->aead_seal(rc->ctx, lane->aead, op);
}

size_t spdm_record_seal(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                        const struct record_plain *plain, struct spdm_room out)
{
    size_t head_n = head_size(form), app = plain->head.n + plain->data.n;
    size_t body = form->mac_only ? app : APP_LENGTH + app + plain->random, total = head_n + body + RECORD_TAG;
    bool sealed;

    if (!usable(form, lane) || total > out.n || body + RECORD_TAG > LENGTH_MAX) return 0;
    struct spdm_room at = {&out.p[head_n], out.n - head_n}; /* POINTER: total fits */
    struct spdm_aead op = {.iv = lane->iv, .aad = {{out.p, head_n}, {0}}, .out = at.p};
    op.tag = &at.p[body]; /* POINTER: total fits */
    put_head(form, lane, body + RECORD_TAG, out.p);
    turn_iv(form, lane);
    sealed = form->mac_only ? seal_mac(rc, lane, &op, &at, plain) : seal_data(rc, lane, &op, plain);
    turn_iv(form, lane);
    if (!sealed) spdm_wipe(out.p, head_n + body); /* the data may have lain there */
    if (!sealed) return 0;
    lane->sequence++;
    return total;
}

/* Bytes of the body, without the tag; -1 if the record is malformed or out of sequence (sessions.md 6.5, steps 3, 4).
 */
static int32_t body_size(const struct record_form *form, const struct lane *lane, struct spdm_span record)
{
    size_t head_n = head_size(form), length;
    uint32_t mask = form->seq_bytes >= 4 ? 0xffffffffu : (1u << (8 * form->seq_bytes)) - 1;

    if (record.n < head_n + RECORD_TAG) return -1;
    if (load(record, SESSION, form->seq_bytes) != ((uint32_t)lane->sequence & mask)) return -1;
    length = load(record, (size_t)SESSION + form->seq_bytes, LENGTH);
    if (length < RECORD_TAG || length > record.n - head_n) return -1;
    return (int32_t)(length - RECORD_TAG);
}

/* The tag travels through memory of ours, because the port takes it as writable. */
static bool decrypt(const struct record_crypto *rc, struct lane *lane, const uint8_t *theirs, struct spdm_aead *op)
{
    uint8_t tag[RECORD_TAG];
    volatile spdm_verdict verdict;

    memcpy(tag, theirs, RECORD_TAG);
    op->tag = tag;
    verdict = rc->crypto->aead_open(rc->ctx, lane->aead, op);
    return verdict == SPDM_GOOD && (verdict ^ SPDM_BAD) == (SPDM_GOOD ^ SPDM_BAD);
}

/* Application data inside an opened body: ApplicationDataLength must fit, the rest is random (R-APP-05). */
static bool unwrap(struct spdm_span plain, struct spdm_span *data)
{
    size_t n = plain.n < APP_LENGTH ? 0 : load(plain, 0, APP_LENGTH);

    if (plain.n < APP_LENGTH || n > plain.n - APP_LENGTH) return false;
    *data = spdm_span(&plain.p[APP_LENGTH], n); /* POINTER: n bytes are there */
    return true;
}

bool spdm_record_open(const struct record_crypto *rc, const struct record_form *form, struct lane *lane,
                      struct record_in *in)
{
    int32_t n = usable(form, lane) ? body_size(form, lane, in->record) : -1;
    struct spdm_span body;
    bool opened;

    if (n < 0 || (size_t)n > in->out.n) return false;
    body = spdm_span(&in->record.p[head_size(form)], (size_t)n); /* POINTER: body_size() has found it there */
    struct spdm_aead op = {.iv = lane->iv, .aad = {{in->record.p, head_size(form)}, {0}}, .out = in->out.p};
    if (form->mac_only) op.aad[1] = body;
    else op.in = &body, op.in_n = 1;
    turn_iv(form, lane);
    opened = decrypt(rc, lane, &body.p[body.n], &op); /* POINTER: the tag is behind it */
    turn_iv(form, lane);
    if (!opened) return false;
    in->data = body;
    if (form->mac_only) return lane->sequence++, true;
    if (!unwrap(spdm_span(in->out.p, body.n), &in->data)) {
        spdm_wipe(in->out.p, body.n);
        return false;
    }
    lane->sequence++;
    return true;
}
