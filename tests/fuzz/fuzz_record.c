/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_record.c - one record, opened and sealed.
 *
 * Six bytes choose its form; the rest is the record. Without a cipher every tag
 * is right: what opens lies within what came, and sealed again it opens to the
 * same. With the toy's cipher what does not open leaves the counter where it
 * was and nothing behind. */
#include "secured/record.h"
#include "support/null_cipher.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 6 };

static void require(bool fact)
{
    if (!fact) abort();
}

static struct spdm_crypto null;
static struct toy toy;
static uint64_t state[4];

static void key(struct lane *lane, uint64_t sequence)
{
    static const uint8_t bytes[32] = {1, 2, 3};

    memset(state, 0, sizeof state);
    require(toy_crypto.aead_begin(&toy, state, SPDM_AES_256_GCM, spdm_span(bytes, sizeof bytes)));
    *lane = (struct lane){.aead = state, .sequence = sequence, .iv = {9, 8, 7}, .ready = true};
}

static void with_cipher(const struct record_form *form, struct spdm_span record, uint64_t sequence)
{
    struct record_crypto rc = {&toy_crypto, &toy};
    uint8_t *out = calloc(1, record.n + 1);
    struct record_in in = {.record = record, .out = {out, record.n}};
    struct lane lane;

    key(&lane, sequence);
    if (spdm_record_open(&rc, form, &lane, &in)) { /* a fuzzer that watches comparisons learns the toy's tag */
        free(out);
        return;
    }
    require(lane.sequence == sequence);
    for (size_t i = 0; i < record.n; i++) require(out[i] == 0);
    free(out);
}

static void again(const struct record_form *form, struct spdm_span data, uint64_t sequence)
{
    struct record_crypto rc = {&null, &toy};
    size_t n = data.n + 64;
    uint8_t *sealed = malloc(n), *out = malloc(n);
    struct record_plain plain = {.data = data};
    struct lane lane;
    size_t length;

    key(&lane, sequence);
    length = spdm_record_seal(&rc, form, &lane, &plain, (struct spdm_room){sealed, n});
    require(length != 0 && lane.sequence == sequence + 1);
    struct record_in in = {.record = {sealed, length}, .out = {out, n}};
    key(&lane, sequence);
    require(spdm_record_open(&rc, form, &lane, &in) && spdm_equal(in.data, data));
    free(sealed);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_form form = {.limit = UINT64_MAX - 1};
    struct record_crypto rc = {&null, &toy};
    struct lane lane;

    if (size < HEAD) return 0;
    null = null_cipher();
    form.seq_bytes = (uint8_t[]){0, 2, 2, 8}[data[0] & 3];
    form.mac_only = (data[0] & 4) != 0;
    form.big_endian = (data[0] & 8) != 0;
    form.session = (uint32_t)data[1] | (uint32_t)data[2] << 8;
    uint64_t sequence = (uint64_t)data[3] | (uint64_t)data[4] << 8;
    if (data[5] & 1) form.limit = sequence - (data[5] >> 1 & 1);
    struct spdm_span record = {data + HEAD, size - HEAD};
    uint8_t *out = malloc(record.n + 1);
    struct record_in in = {.record = record, .out = {out, record.n - (record.n != 0 && (data[5] & 4) != 0)}};

    key(&lane, sequence);
    if (spdm_record_open(&rc, &form, &lane, &in)) {
        require(lane.sequence == sequence + 1 && sequence <= form.limit && in.data.n <= record.n);
        again(&form, in.data, sequence);
    } else {
        require(lane.sequence == sequence);
    }
    free(out);
    with_cipher(&form, record, sequence);
    return 0;
}
