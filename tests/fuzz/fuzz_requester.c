/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_requester.c - a requester whose responses somebody tampers with.
 *
 * Four bytes choose version, goal, policy and sizes. An honest responder
 * answers; what follows in the input says, response by response, what becomes
 * of it: nothing, changed bytes, another length, other bytes, an ERROR, silence,
 * a late copy, an older answer. The run ends; what was proven is what the
 * device said; no hash stays open. */
#include "support/pair.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, OLD = 8 };

struct tape {
    struct spdm_span rest;
    uint8_t old[OLD][600];
    size_t old_n[OLD];
    unsigned responses;
};

static void require(bool fact)
{
    if (!fact) abort();
}

static uint8_t next(struct tape *t)
{
    if (t->rest.n == 0) return 0;
    t->rest.n--;
    return *t->rest.p++;
}

static size_t fill(struct tape *t, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = next(t);
    return n;
}

static void scratch(struct tape *t, uint8_t *frame, size_t n)
{
    size_t at = (size_t)next(t) | (size_t)next(t) << 8;

    frame[at % n] ^= next(t);
}

static size_t peer_error(struct tape *t, uint8_t *frame)
{
    frame[2] = 0x7f;
    return 3 + fill(t, frame + 3, 2u + next(t) % 8);
}

static size_t older(struct tape *t, uint8_t *frame)
{
    unsigned i = next(t) % OLD;

    memcpy(frame, t->old[i], t->old_n[i]);
    return t->old_n[i];
}

static void keep(struct tape *t, const uint8_t *frame, size_t n)
{
    unsigned i = t->responses++ % OLD;

    if (n > sizeof t->old[i]) n = sizeof t->old[i];
    memcpy(t->old[i], frame, t->old_n[i] = n);
}

static size_t wire(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    struct tape *t = p->arg;

    if (to_responder) return n;
    keep(t, frame, n);
    switch (next(t) % 10) {
    case 1: scratch(t, frame, n); return n;
    case 2:
        scratch(t, frame, n);
        scratch(t, frame, n);
        return n;
    case 3: return ((size_t)next(t) | (size_t)next(t) << 8) % (n + 1);
    case 4: return n + fill(t, frame + n, next(t) % 16);
    case 5: return 1 + fill(t, frame + 1, next(t));
    case 6: return peer_error(t, frame);
    case 7: return 0;
    case 8:
        pair_later(p, false, (struct spdm_span){frame, n < 2048 ? n : 2048}, p->now + (1u << next(t) % 24));
        return n;
    case 9: return older(t, frame);
    default: return n;
    }
}

static const uint8_t many[500] = {0xf4, 0x01};
static const union spdm_order key_pairs = {.key_pair = {.id = 1, .all = true}},
                              csr = {.csr = {.info = {(const uint8_t *)"\x30\x03\x02\x01", 5}}},
                              store = {.store = {.chain = {many, sizeof many}}}, whole = {.log = {.offset = 0}},
                              endpoint = {.endpoint = {.sub_code = 1, .sign = true}},
                              banks = {.slots = {.sub_code = SPDM_SLOTS_BANKS}},
                              details = {.slots = {.sub_code = SPDM_SLOTS_DETAILS}},
                              chain = {.slots = {.sub_code = SPDM_SLOTS_CHAIN}},
                              configure = {.slots = {.sub_code = SPDM_SLOTS_BANK, .bank = 1, .asym = 0x20}};

static const struct spdm_goal goals[] = {
    {.want = SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS, .sign = true, .summary = 0xff},
    {.want = SPDM_WANT_MEASUREMENTS, .sign = true, .raw = true, .fresh = true},
    {.want = SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_EACH, .sign = true},
    {.want = SPDM_WANT_IDENTITY},
    {.want = SPDM_WANT_VENDOR, .standard = 3, .vendor = {(const uint8_t *)"\xb4\x1a", 2}},
    {.want = SPDM_WANT_CONNECT},
    {.want = SPDM_WANT_DIGESTS | SPDM_WANT_MEASUREMENTS, .measure = SPDM_MEASURE_INDEX, .index = 2},
    {.want = SPDM_WANT_SESSION | SPDM_WANT_MEASUREMENTS, .sign = true},
    {.want = SPDM_WANT_PSK_SESSION},
    {.want = SPDM_WANT_CHALLENGE, .slots = 0x06, .summary = 1},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_key_pair_info, .order = &key_pairs},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_csr, .order = &csr},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_store, .order = &store},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_log, .order = &whole},
    {.want = SPDM_WANT_ERRAND | SPDM_WANT_CHALLENGE, .errand = &spdm_errand_endpoint, .order = &endpoint},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_slots, .order = &banks},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_slots, .order = &details},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_slots, .order = &chain},
    {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_change_slots, .order = &configure},
};
enum { GOALS = sizeof goals / sizeof *goals };

static void errand(struct pair *p, const struct spdm_event *ev, struct spdm_answer *a)
{
    static const uint8_t zeros[300];

    (void)p;
    a->yes = true;
    a->data = (struct spdm_span){zeros, ev->kind == SPDM_ASK_ENDPOINT ? 4 : sizeof zeros};
}

/* A device that can do the errand; with banks if it is about them. */
static void provide(struct pair *p, const struct spdm_goal *goal)
{
    static const struct spdm_key_pair pair[] = {{.asyms = 0x18, .asym = 0x10, .slots = 5, .usages = 0xf, .usage = 0xf},
                                                {.pqcs = 2, .pqc = 2}};
    static struct spdm_bank bank[2];

    p->rsp_policy.flags |=
        SPDM_GET_KEY_PAIR_INFO_CAP | SPDM_CSR_CAP | SPDM_SET_CERT_CAP | SPDM_MEL_CAP | SPDM_EP_INFO_CAP_SIGNED;
    p->rsp_policy.mel = p->req_policy.mel = p->rsp_policy.trusted_place = true;
    p->identity.key_pair = pair;
    p->identity.key_pair_n = 2;
    p->errand = errand;
    if (goal->errand != &spdm_errand_slots && goal->errand != &spdm_errand_change_slots) return;
    p->rsp_policy.ext_flags = SPDM_SLOT_MGMT_CAP;
    p->rsp_policy.slot_management = 0xf;
    bank[0] = (struct spdm_bank){.slots = 0x07, .asym = 0x10};
    bank[1] = (struct spdm_bank){.slots = 0xff, .configurable = true, .asyms = 0x38};
    memcpy(bank[0].slot, p->identity.slot, sizeof bank[0].slot);
    p->identity.bank = bank;
    p->identity.bank_n = 2;
}

static void prepare(struct pair *p, const uint8_t *head)
{
    static const uint32_t sizes[] = {4096, 320, 608, 1500};

    pair_init(p);
    if (head[0] % 6 < 5) memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    if (head[0] % 6 < 5) p->req_policy.versions[0] = (uint8_t)(SPDM_V10 + head[0] % 6);
    p->identity.slot[0].certificates.n = 300;
    p->identity.slot[2] = p->identity.slot[0];
    p->measurement_n = 3;
    p->req_policy.retries = head[2] & 1 ? 2 : 0;
    p->toy.accept_all = (head[2] & 2) != 0;
    p->know_digest = (head[2] & 4) != 0;
    p->req_policy.legacy_byte_order = head[2] & 8 ? SPDM_EITHER_ENDIAN : SPDM_BIG_ENDIAN;
    p->refuse_slots = head[2] & 0x10 ? 1 : 0;
    p->req_config.chain.n = head[2] & 0x20 ? 352 : sizeof p->chain;
    p->sign_delay = head[2] & 0x40 ? 60000 : 0;
    if ((goals[head[1] % GOALS].want & (SPDM_WANT_SESSION | SPDM_WANT_PSK_SESSION)) != 0) pair_sessions(p, 2);
    if ((goals[head[1] % GOALS].want & SPDM_WANT_ERRAND) != 0) provide(p, &goals[head[1] % GOALS]);
    p->req_config.data_transfer_size = sizes[head[3] % 4];
    if (head[3] & 4) p->rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
    if (head[3] & 8) pair_chunks(p, head[3] & 32 ? 100 : sizes[head[3] % 4], 2000);
    p->req_policy.want_algorithms = (head[3] & 16) != 0;
    if (head[3] & 64) p->req_config.out.n = 90;
    if (head[3] & 128) p->rsp_config.out.n = 90;
}

/* A CHALLENGE_AUTH that verified has bound everything that was negotiated. */
static void judge(const struct pair *p)
{
    const struct spdm_facts *rq = spdm_requester_facts(p->rq), *rs = spdm_responder_facts(p->rs);
    char text[300];

    require(p->done || p->failure.why != SPDM_WHY_FINE);
    require(spdm_report_text(&p->failure, text, sizeof text) < sizeof text);
    if (p->toy.accept_all || !rq->authentic || rs->version == 0) return;
    require(rq->version == rs->version && rq->hash == rs->hash && rq->signature == rs->signature);
    require(rq->responder.flags == rs->responder.flags && rq->meas_hash == rs->meas_hash);
    require(rq->opaque_format == rs->opaque_format && rq->provisioned_slots == 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pair p;
    static struct tape tape;

    if (size < HEAD) return 0;
    memset(&tape, 0, sizeof tape);
    tape.rest = (struct spdm_span){data + HEAD, size - HEAD};
    prepare(&p, data);
    p.wire = wire;
    p.arg = &tape;
    pair_start(&p);
    (void)pair_run(&p, &goals[data[1] % GOALS]);
    judge(&p);
    pair_close(&p);
    return 0;
}
