/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_responder.c - a responder and whatever comes its way.
 *
 * Two bytes choose version and kind of device, the rest is a list of steps:
 * requests as they should be, changed ones, arbitrary bytes, time that passes,
 * answers good and bad, a device that changes, a crypto library that fails.
 * What comes back is a response of a version there is; an ERROR keeps its size;
 * afterwards GET_VERSION works and no hash stays open. */
#include "support/talk.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 64, ERROR_MAX = 4 + 32 };

static const char *const requests[] = {
    "10 84 00 00",
    "vv e1 00 00 caps",
    "vv e3 00 00 offer",
    "vv 81 00 00",
    "vv 82 00 00 0000 0002",
    "vv 83 00 ff nonce context",
    "vv e0 01 ff nonce slot00 context",
    "vv e0 00 01 context",
    "vv fe 00 00 0300 02 b41a 0100 07",
    "vv ff 83 01",
    "vv ff e0 01",
    "vv 82 02 01 0000 0000",
    "vv e1 01 00 00 00 00 00 c6f20300 00100000 00100000",
    "vv e3 04 00 3000 01 02 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 1000 03 20 0200 04 20 8000 "
    "05 20 0100",
    "vv e4 00 00 0100 00 00 nonce "
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafa0a1a2a3a4a5a6a7a8a9aaabacadaeafa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafa0a1a2a3a4a5a6a7a8a9aaabacadaeafa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
    " 1000 01000000 00000500 01010100 11000000",
    "vv e6 00 00 0200 0100 2000 1000 70 nonce 01000000 00000500 01010100 11000000",
    "vv ec 00 00",
    "vv e8 00 00",
    "vv e1 00 00 00 00 00 00 c6f20200 40000000 10270000",
    "vv fe 00 00 0300 02 b41a c800 big",
    "vv 85 00 01 00000000 30000000 64000000 vv fe 00 00 0300 02 b41a 5900 "
    "0000000000000000000000000000000000000000000000000000000000000000000000000000",
    "vv 85 01 01 01000000 34000000 "
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "vv 85 00 02 00000000 30000000 60000000 vv 83 00 ff nonce 00000000000000000000000000000000",
    "vv 86 00 01 00000000",
    "vv fc 00 00 01",
    "vv fd 00 00 01 00 0100 00000000 01 04 00000000",
    "vv ed 00 00 0500 0c00 3003020100 01000000 0102aabb 0200ccdd",
    "vv ee 00 00 cc000000 big",
    "vv ef 00 00 00000000 00100000",
    "vv 87 01 00 01 000000 nonce",
    "vv 87 01 00 00 000000",
    "vv 88 00 00 0000 0000",
    "vv 88 02 00 0800 0000 0800 0000 00 00 0000",
    "vv 88 03 00 0800 0000 0800 0000 00 00 0000",
    "vv 88 04 00 0800 0000 0800 0000 01 00 0000 00 00 0000 0500 0000 3003020100",
    "vv 88 20 00 0800 0000 0800 0000 01 00 0000 01 000000 20000000 04 00000000",
    "vv 88 21 00 0800 0000 0800 0000 00 02 0000 01 000000",
    "vv 88 22 00 0800 0000 0800 0000 00 00 0000 cc000000 00 00 0000 cc000000 big",
    "vv f0 00 00",
    "vv e3 00 00 2000 01 02 ff010000 3f000000 00000000 0000000000000000 00 00 00 01",
};
enum { REQUESTS = sizeof requests / sizeof *requests };

static struct pair p;
static struct spdm_span rest;
static uint8_t version;
static uint8_t handle, sequence; /* of the large response that was announced last: its next portion */

static void require(bool fact)
{
    if (!fact) abort();
}

static uint8_t next(void)
{
    if (rest.n == 0) return 0;
    rest.n--;
    return *rest.p++;
}

/* Whatever there is to say. */
static void hear(void)
{
    struct spdm_span out = spdm_responder_pull(p.rs, p.now);

    if (out.n == 0) return;
    require(out.n <= p.rsp_config.out.n || out.n <= 64);
    if (out.p[0] != 5) return; /* a record */
    require(out.n >= 5 && out.p[1] >= SPDM_V10 && out.p[1] <= SPDM_V14 && out.p[2] < 0x80);
    if (out.p[2] == 0x7f) require(out.n <= 1 + ERROR_MAX);
    if (out.p[2] == 0x7f && out.p[3] == 0x0f) {
        require(out.n == 6);
        handle = out.p[5];
        sequence = 0;
    }
}

static void fetch(void)
{
    const uint8_t get[] = {5, version, 0x86, 0, handle, sequence++, 0, 0, 0};

    pair_deliver(&p, true, get, sizeof get);
}

static void say(bool changed)
{
    static uint8_t message[PAIR_BUFFER];
    size_t n = 1 + talk_bytes(requests[next() % REQUESTS], version, message + 1);

    message[0] = 5;
    for (unsigned edits = changed ? 1 + next() % 3 : 0; edits > 0; edits--) {
        size_t at = (size_t)next() | (size_t)next() << 8;

        message[at % n] ^= next();
    }
    if (changed && next() % 4 == 0) n = 1 + next() % n;
    pair_deliver(&p, true, message, n);
}

static void bytes(bool framed)
{
    uint8_t message[1 + 0xff] = {5};
    size_t n = framed;

    for (size_t left = next(); left > 0; left--) message[n++] = next();
    pair_deliver(&p, true, message, n);
}

/* Reads what the question is about, to its last byte. */
static unsigned look_at(const struct spdm_event *ev)
{
    const union spdm_order *o = ev->order;
    struct spdm_span parts[2] = {{0}};
    unsigned sum = 0;

    if (ev->kind == SPDM_ASK_CSR) {
        parts[0] = o->csr.info;
        parts[1] = o->csr.opaque;
    } else if (ev->kind == SPDM_ASK_STORE) {
        parts[0] = o->store.chain;
    }
    for (unsigned i = 0; i < 2; i++) {
        for (size_t k = 0; k < parts[i].n; k++) sum += parts[i].p[k];
    }
    return sum;
}

/* What the device says at once: yes for most of what it is asked. */
static void errand(struct pair *pair, const struct spdm_event *ev, struct spdm_answer *a)
{
    static const uint8_t zeros[300];
    unsigned sum = look_at(ev);

    (void)pair;
    a->yes = sum % 5 != 0 || ev->kind != SPDM_ASK_STORE;
    a->error = sum % 2 != 0 ? SPDM_ERROR_RESET_REQUIRED : 0;
    a->data = (struct spdm_span){zeros, ev->kind == SPDM_ASK_ENDPOINT ? 4 : sizeof zeros};
}

static void answer(void)
{
    static const uint8_t signature[600];
    uint8_t how = next();
    struct spdm_answer a = {.ticket = p.open.ticket + (how >> 6 == 3),
                            .yes = (how & 1) != 0,
                            .data = {signature, how & 2 ? 96u : how},
                            .measurements = p.measurements,
                            .measurement_n = p.measurement_n,
                            .key = &p.key,
                            .content_changed = how & 3};

    if (how & 4) a.data.n = 48;
    if (how & 8) a.error = how;
    if (p.open.kind > SPDM_ASK_VENDOR && p.open.ticket == a.ticket) a.error_data = how;
    (void)spdm_responder_answer(p.rs, &a);
}

static void step(void)
{
    uint8_t what = next();

    switch (what == 0xff ? what : what % 10) {
    case 0xff: fetch(); break;
    case 0:
    case 1: say(false); break;
    case 2: say(true); break;
    case 3: bytes(true); break;
    case 4: bytes(false); break;
    case 5:
        p.now += (uint64_t)1 << next() % 34;
        spdm_responder_push(p.rs, (struct spdm_span){0}, p.now);
        break;
    case 6: answer(); break;
    case 7: spdm_responder_resynch(p.rs); break;
    case 8: p.silent = !p.silent; break;
    default: p.toy.fail_at = p.toy.calls + next(); break;
    }
    hear();
}

static const uint8_t key_bytes[40] = {1};

/* A device for every errand: two key pairs, perhaps two banks. */
static void provide(bool banks)
{
    static const struct spdm_key_pair pairs[] = {
        {.capabilities = 0x3f, .usages = 0xf, .usage = 0xf, .asyms = 0x18, .asym = 0x10, .slots = 1},
        {.capabilities = 0x3f, .usages = 0xf, .asyms = 0x18, .pqcs = 2}};
    static struct spdm_bank bank[2];

    p.identity.key_pair = pairs;
    p.identity.key_pair_n = 2;
    p.rsp_policy.flags |= SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_SET_KEY_PAIR_INFO_CAP | SPDM_CSR_CAP | SPDM_SET_CERT_CAP |
                          SPDM_CERT_INSTALL_RESET_CAP | SPDM_MEL_CAP | SPDM_EP_INFO_CAP_SIGNED;
    p.rsp_policy.mel = p.rsp_policy.trusted_place = true;
    p.errand = errand;
    if (!banks) return;
    p.rsp_policy.ext_flags = SPDM_SLOT_MGMT_CAP;
    p.rsp_policy.slot_management = 0xf;
    bank[0] = (struct spdm_bank){.slots = 0x07, .modifiable = 0x07, .asym = 0x10};
    bank[1] = (struct spdm_bank){.slots = 0xff, .modifiable = 0x0f, .configurable = true, .asyms = 0x38, .pqcs = 2};
    memcpy(bank[0].slot, p.identity.slot, sizeof bank[0].slot);
    p.identity.bank = bank;
    p.identity.bank_n = 2;
}

static void prepare(uint8_t kind, bool chunks)
{
    pair_init(&p);
    p.identity.slot[0].certificates.n = 300;
    p.identity.slot[2] = p.identity.slot[0];
    if (kind & 1) pair_sessions(&p, 2);
    if (kind & 2) p.rsp_policy.flags |= SPDM_MULTI_KEY_CAP_NEG | SPDM_GET_KEY_PAIR_INFO_CAP;
    if (kind & 4) p.rsp_policy.flags |= SPDM_LARGE_RESP_CAP;
    if (kind & 8) p.rsp_config.out.n = 200;
    if (kind & 16) p.rsp_config.vca_max = 100;
    if (kind & 32) p.identity.public_key = (struct spdm_span){key_bytes, sizeof key_bytes};
    if (kind & 32) p.identity.public_key_signs = p.rsp_policy.signatures;
    p.sign_delay = kind & 64 ? 20000 : 0;
    p.rsp_config.out_shared = (kind & 128) != 0;
    if (chunks) pair_chunks(&p, 64, 1000);
    if (chunks) p.stays = (kind & 2) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t get_version[] = {5, 0x10, 0x84, 0, 0};
    struct spdm_span out;

    if (size < 2) return 0;
    version = (uint8_t)(SPDM_V10 + data[0] % 5);
    rest = (struct spdm_span){data + 2, size - 2};
    prepare(data[1], data[0] / 5 % 2 != 0);
    if (data[0] / 10 % 2 != 0) provide(data[0] / 20 % 2 != 0);
    pair_start(&p);
    for (unsigned i = 0; i < STEPS && rest.n != 0; i++) step();
    p.toy.fail_at = 0;
    p.silent = false;
    pair_deliver(&p, true, get_version, sizeof get_version);
    out = spdm_responder_pull(p.rs, p.now);
    require(out.n > 6 && out.p[1] == SPDM_V10 && (out.p[2] == 0x04 || (data[1] & 24) != 0));
    pair_close(&p);
    return 0;
}
