/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kinds of conversation that fault tests tamper with, and for each what a
 * signature does not cover. */
#include <string.h>

#include "support/fault.h"

/* Below 1.2 L1/L2 does not begin with VCA: who asks for measurements without a CHALLENGE can be talked into another
 * choice that its own policy allows (hash, signature, and the digest of the chain with it), and can be told any
 * capability and any other version. */
#define OPEN_VCA                                                                                                       \
    (FAULT_OPEN(FACT_PEER_VERSIONS) | FAULT_OPEN(FACT_RSP_FLAGS) | FAULT_OPEN(FACT_RSP_EXT_FLAGS) |                    \
     FAULT_OPEN(FACT_RSP_CT) | FAULT_OPEN(FACT_RSP_DTS) | FAULT_OPEN(FACT_RSP_MAX) | FAULT_OPEN(FACT_ALGORITHMS) |     \
     FAULT_OPEN(FACT_CHAIN))
/* DIGESTS and CERTIFICATE are in M1/M2, not in L1/L2; the chain itself is held by its digest and the caller's trust. */
#define OPEN_SLOTS (FAULT_OPEN(FACT_SUPPORTED) | FAULT_OPEN(FACT_SLOT_INFO))

void fault_small(struct pair *p, uint8_t version)
{
    pair_init(p);
    if (version != 0) {
        memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
        p->req_policy.versions[0] = version;
    }
    p->identity.slot[0].certificates.n = 300;
    p->identity.slot[0].root.n = 100;
    p->measurement_n = 3;
    p->req_config.data_transfer_size = p->rsp_config.data_transfer_size = 320;
}

static void gaps(struct pair *p)
{
    p->measurements[1].index = 3;
    p->measurements[2].index = 4;
}

static void slow(struct pair *p)
{
    p->sign_delay = 60000;
}

static void vouch(struct pair *p)
{
    uint8_t digest[SPDM_HASH_MAX];
    size_t n = pair_digest(p, 0, SPDM_SHA_384, digest);

    spdm_requester_trust(p->rq, 0, (struct spdm_span){digest, n}, &p->key);
}

static void in_chunks(struct pair *p)
{
    pair_chunks(p, 200, 4000);
    p->req_config.out.n = 43; /* CHALLENGE and GET_MEASUREMENTS go in chunks from 1.3 on */
    p->req_policy.want_algorithms = true;
}

static const uint8_t key_bytes[70] = {0x30, 0x44, 7};

static void public_key(struct pair *p)
{
    p->rsp_policy.flags = (p->rsp_policy.flags & ~SPDM_CERT_CAP) | SPDM_PUB_KEY_ID_CAP;
    p->identity.public_key = (struct spdm_span){key_bytes, sizeof key_bytes};
    p->identity.public_key_signs = p->rsp_policy.signatures;
}

static void vouch_key(struct pair *p)
{
    uint8_t digest[SPDM_HASH_MAX];
    struct toy toy = {0};
    uint64_t state[4] = {0};

    (void)toy_crypto.hash_begin(&toy, state, SPDM_SHA_384);
    (void)toy_crypto.hash_update(&toy, state, p->identity.public_key);
    (void)toy_crypto.hash_peek(&toy, state, digest);
    spdm_requester_trust(p->rq, SPDM_SLOT_KEY, (struct spdm_span){digest, 48}, &p->key);
}

static void know(struct pair *p)
{
    static uint8_t digest[SPDM_HASH_MAX];

    p->know_digest = true;
    p->known = (struct spdm_span){digest, pair_digest(p, 0, SPDM_SHA_384, digest)};
}

enum { CHALLENGE = SPDM_WANT_CHALLENGE, MEASURE = SPDM_WANT_MEASUREMENTS };

const struct plot fault_plots[] = {
    {.name = "challenge and measurements", .goal = {.want = CHALLENGE | MEASURE, .sign = true, .summary = 0xff}},
    {.name = "deferred answers", .goal = {.want = CHALLENGE | MEASURE, .sign = true}, .prepare = slow, .from = 12},
    {.name = "signed measurements",
     .goal = {.want = MEASURE, .sign = true},
     .open_legacy = OPEN_VCA | OPEN_SLOTS,
     .open = OPEN_SLOTS},
    {.name = "each measurement",
     .goal = {.want = MEASURE, .sign = true, .raw = true, .measure = SPDM_MEASURE_EACH},
     .prepare = gaps,
     .from = 12,
     .open_legacy = OPEN_VCA | OPEN_SLOTS,
     .open = OPEN_SLOTS},
    /* falls back to DIGESTS and CERTIFICATE, which then are signed */
    {.name = "vouched chain",
     .goal = {.want = CHALLENGE, .summary = 1},
     .started = vouch,
     .open_legacy = OPEN_SLOTS | FAULT_OPEN(FACT_PROVISIONED),
     .open = OPEN_SLOTS | FAULT_OPEN(FACT_PROVISIONED)},
    {.name = "known digest", .goal = {.want = CHALLENGE}, .prepare = know, .from = 8},
    {.name = "public key", .goal = {.want = CHALLENGE, .use_key = true}, .prepare = public_key, .started = vouch_key},
    {.name = "identity",
     .goal = {.want = SPDM_WANT_IDENTITY},
     .open_legacy = FAULT_ALL & ~FAULT_OPEN(FACT_TRUSTED),
     .open = FAULT_ALL & ~FAULT_OPEN(FACT_TRUSTED)},
    {.name = "unsigned measurements", .goal = {.want = MEASURE}, .open_legacy = FAULT_ALL, .open = FAULT_ALL},
    {.name = "vendor",
     .goal = {.want = SPDM_WANT_VENDOR,
              .standard = 3,
              .vendor = {(const uint8_t *)"\xb4\x1a", 2},
              .payload = {(const uint8_t *)"hello", 5}},
     .open_legacy = FAULT_ALL,
     .open = FAULT_ALL},
    {.name = "chunks", .goal = {.want = CHALLENGE | MEASURE, .sign = true, .summary = 0xff}, .prepare = in_chunks},
};
const size_t fault_plot_n = sizeof fault_plots / sizeof *fault_plots;

void fault_stage(struct scene *scene, const struct plot *plot, uint8_t version)
{
    struct pair *p = scene->pair;

    *scene =
        (struct scene){.pair = p, .goal = &plot->goal, .name = plot->name, .seed = scene->seed, .from = plot->from};
    /* VERSION: of the scene */
    scene->open = version < SPDM_V12 ? plot->open_legacy : plot->open;
    fault_small(p, version);
    p->toy.random = scene->seed;
    if (plot->prepare != NULL) plot->prepare(p);
    pair_start(p);
    if (plot->started != NULL) plot->started(p);
    fault_record(scene);
}
