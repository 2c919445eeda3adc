/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a responder says to a request, by version, phase and kind of device: the
 * dispatch table (state-machine.md sections 2 and 3) and every condition of the
 * messages from GET_VERSION to VENDOR_DEFINED. One row, one fresh connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/talk.h"

enum device { PLAIN, BARE, HASHED, KEYED, EMPTY, MULTI, CHUNKY, FOREIGN, RAW, MUTE, LARGE };

static const uint8_t key_bytes[70] = {0x30, 0x44};
static const uint8_t sm3[] = {SPDM_SM3_256, 0}, ed448[] = {SPDM_ED448, 0};

/* Signs with an algorithm that the offers of this file do not name. */
static void foreign(struct pair *p)
{
    p->rsp_policy.signatures = ed448;
    p->rsp_policy.hashes = sm3;
    p->identity.slot[0].signs = ed448;
}

static void prepare(struct pair *p, enum device device)
{
    uint32_t *flags = &p->rsp_policy.flags;

    pair_init(p);
    p->identity.slot[2] = p->identity.slot[0];
    switch (device) {
    case BARE: *flags = 0; break;
    case HASHED: *flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_PLAIN; break;
    case KEYED:
        *flags = SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED | SPDM_PUB_KEY_ID_CAP;
        p->identity.public_key = (struct spdm_span){key_bytes, sizeof key_bytes};
        p->identity.public_key_signs = p->rsp_policy.signatures;
        break;
    case EMPTY: memset(p->identity.slot, 0, sizeof p->identity.slot); break;
    case MULTI:
        *flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
        p->identity.slot[0].usage = SPDM_USE_CHALLENGE;
        p->identity.slot[2].usage = SPDM_USE_MEASUREMENT;
        break;
    case CHUNKY: *flags |= SPDM_CHUNK_CAP; break;
    case FOREIGN: foreign(p); break;
    case RAW: p->rsp_policy.meas_hash = SPDM_RAW_ONLY; break;
    case MUTE: p->refuse_answers = true; break;
    case LARGE: *flags |= SPDM_LARGE_RESP_CAP; break;
    default: break;
    }
    pair_start(p);
}

struct row {
    const char *minors; /* versions, as minor digits */
    char phase;
    const char *request, *answer;
    enum device device;
};

#define ALL "01234"
#define V1 "1234"
#define V2 "234"
#define V3 "34"

/* clang-format off */
static const struct row version_rows[] = {
    {ALL, 'S', "10 84 00 00", "10 04 00 00 00 05 00 14 00 13 00 12 00 11 00 10", PLAIN},
    {ALL, 'V', "10 84 00 00", "10 04", PLAIN},
    {ALL, 'C', "10 84 00 00", "10 04", PLAIN},
    {ALL, 'N', "10 84 00 00", "10 04", PLAIN},
    {ALL, 'N', "10 84 ff ff", "10 04", PLAIN},               /* reserved: ignored (R-GEN-02) */
    {ALL, 'N', "10 84 00 00 00 00 00 00", "10 04", PLAIN},   /* padding */
    {ALL, 'S', "11 84 00 00", "10 7f 41 00", PLAIN},         /* R-VSN-14: the ERROR is 1.0 */
    {ALL, 'V', "00 84 00 00", "10 7f 41 00", PLAIN},
    {ALL, 'C', "14 84 00 00", "10 7f 41 00", PLAIN},
    {ALL, 'N', "12 84 00 00", "10 7f 41 00", PLAIN},
    {ALL, 'N', "20 84 00 00", "10 7f 41 00", PLAIN},
    {ALL, 'S', "10 84 00", "-", PLAIN},                      /* no header, no answer (C1) */
    {ALL, 'N', "10 84", "-", PLAIN},
    {ALL, 'N', "10", "-", PLAIN},
};

static const struct row capability_rows[] = {
    {ALL, 'V', "vv e1 00 00 caps", "vv 61 00 00", PLAIN},
    {ALL, 'V', "vv e1 00 00 caps 00 00", "vv 61 00 00", PLAIN},
    {ALL, 'V', "vv e1 fe ff caps", "vv 61 00 00", PLAIN},       /* reserved */
    {ALL, 'S', "vv e1 00 00 caps", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv e1 00 00 caps", "vv 61 00 00", PLAIN},       /* identical: a retry (R-ORD-01) */
    {ALL, 'C', "vv e1 00 01 caps", "vv 7f 04 00", PLAIN},       /* not identical (R-ORD-02) */
    {ALL, 'N', "vv e1 00 00 caps", "vv 7f 04 00", PLAIN},
    {ALL, 'V', "15 e1 00 00 caps", "10 7f 41 00", PLAIN},       /* R-VSN-10 */
    {ALL, 'V', "00 e1 00 00 caps", "10 7f 41 00", PLAIN},
    {ALL, 'V', "20 e1 00 00 caps", "10 7f 41 00", PLAIN},
    {ALL, 'C', "1f e1 00 00 caps", "vv 7f 41 00", PLAIN},
    {V1, 'V', "vv e1 00 00 00 ff 00 00 00000000 | 00100000 00100000", "vv 61", PLAIN}, /* CTExponent has no ceiling */
    {V1, 'V', "vv e1 00 00 00 20 00 00 00000000 | 00100000 00100000", "vv 61", PLAIN},
    {V1, 'V', "vv e1 00 00 ff 00 ff ff 00000000 | 00100000 00100000", "vv 61", PLAIN}, /* reserved, ExtFlags */
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 2a000000 2a000000", "vv 61", PLAIN},   /* 42: the least */
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 29000000 29000000", "vv 7f 01 00", PLAIN},
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 00000000 00000000", "vv 7f 01 00", PLAIN},
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 00100000 ff0f0000", "vv 7f 01 00", PLAIN},
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 00100000 01100000", "vv 7f 01 00", PLAIN}, /* R-CAP-10 */
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000200 00100000 00000100", "vv 61", PLAIN},       /* with CHUNK_CAP */
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000200 00100000 ff0f0000", "vv 7f 01 00", PLAIN},
    {V2, 'V', "vv e1 00 00 00 00 00 00 00000000 ffffffff ffffffff", "vv 61", PLAIN},
    {"2", 'V', "vv e1 01 00 caps", "vv 61 00 00", PLAIN},          /* Param1 is reserved there */
    {V3, 'V', "vv e1 01 00 caps", "vv 7f 01 00", PLAIN},           /* R-CAP-12 */
    {V3, 'V', "vv e1 01 00 00 00 00 00 00000200 00100000 00100000", "vv 61 00 00", PLAIN}, /* R-CAP-13, LQ-07 */
    {V3, 'V', "vv e1 01 00 00 00 00 00 00000200 00100000 00100000", "vv 61 00 00", CHUNKY},
    /* flags that exclude each other or miss each other; those of later versions are masked off */
    {V1, 'V', "vv e1 00 00 00 00 00 00 000c0000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* PSK_CAP 3 */
    {V1, 'V', "vv e1 00 00 00 00 00 00 00080000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* PSK_CAP 2 */
    {V1, 'V', "vv e1 00 00 00 00 00 00 00020000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* KEY_EX alone */
    {V1, 'V', "vv e1 00 00 00 00 00 00 00040000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* PSK alone */
    {V1, 'V', "vv e1 00 00 00 00 00 00 40000000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* ENCRYPT alone */
    {V1, 'V', "vv e1 00 00 00 00 00 00 80000000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* MAC alone */
    {V1, 'V', "vv e1 00 00 00 00 00 00 00800000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* CLEAR alone */
    {V1, 'V', "vv e1 00 00 00 00 00 00 c0840000 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* CLEAR with PSK */
    {V1, 'V', "vv e1 00 00 00 00 00 00 02000100 | 00100000 00100000", "vv 7f 01 00", PLAIN}, /* CERT, PUB_KEY_ID */
    {"1", 'V', "vv e1 00 00 00 00 00 00 00010000", "vv 7f 01 00", PLAIN},                    /* MUT_AUTH w/o ENCAP */
    {"2", 'V', "vv e1 00 00 00 00 00 00 00010000 00100000 00100000", "vv 61", PLAIN},
    {V3, 'V', "vv e1 00 00 00 00 00 00 0000c000 00100000 00100000", "vv 7f 01 00", PLAIN},   /* EP_INFO 3 */
    {"2", 'V', "vv e1 00 00 00 00 00 00 0000c000 00100000 00100000", "vv 61", PLAIN},
    {V3, 'V', "vv e1 00 00 00 00 00 00 0000000c 00100000 00100000", "vv 7f 01 00", PLAIN},   /* MULTI_KEY 3 */
    {V3, 'V', "vv e1 00 00 00 00 00 00 00000104 00100000 00100000", "vv 7f 01 00", PLAIN},   /* MULTI_KEY, PUB_KEY */
    {V1, 'V', "vv e1 00 00 00 00 00 00 c0020000 | 00100000 00100000", "vv 61", PLAIN},
    {"12", 'V', "vv e1 00 00 00 00 00 00 0000f8fe | 00100000 00100000", "vv 61", PLAIN},     /* newer bits */
};

static const struct row algorithm_rows[] = {
    {ALL, 'C', "vv e3 00 00 offer", "vv 63 00 00 24 00 01", PLAIN},
    {ALL, 'C', "vv e3 00 00 offer 00000000", "vv 63", PLAIN},
    {ALL, 'S', "vv e3 00 00 offer", "10 7f 04 00", PLAIN},
    {ALL, 'V', "vv e3 00 00 offer", "10 7f 04 00", PLAIN},
    {ALL, 'N', "vv e3 00 00 offer", "vv 63 00 00 24 00", PLAIN},     /* identical: a retry */
    {ALL, 'N', "vv e3 00 01 offer", "vv 7f 04 00", PLAIN},           /* R-ORD-03 */
    {ALL, 'C', "1f e3 00 00 offer", "vv 7f 41 00", PLAIN},
    {ALL, 'C', "vv e3 00 ff offer", "vv 63", PLAIN},                 /* reserved */
    {ALL, 'C', "vv e3 00 00 1f00 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv e3 00 00 2100 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv e3 00 00 ffff 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv e3 00 00 0000 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN},
    /* extended algorithms: counted, skipped, limited (R-ALG-07) */
    {ALL, 'C', "vv e3 00 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 01 00 00 00 00000000", "vv 63", PLAIN},
    {ALL, 'C', "vv e3 00 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 01 00 00 00000000", "vv 63", PLAIN},
    {ALL, 'C', "vv e3 00 00 2000 01 00 ff010000 3f000000 00000000 0000000000000000 01 00 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv e3 00 00 2000 01 00 ff010000 3f000000 00000000 0000000000000000 ff ff 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv e3 00 00 7400 01 00 ff010000 3f000000 00000000 0000000000000000 15 00 00 00 "
               "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
               "0000000000000000000000000000000000000000000000000000000000000000000000000000", "vv 7f 01 00", PLAIN},
    /* tables (1.1+): order, repetition, kind, width, end of message */
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 1000", "vv 63", PLAIN},
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 0000", "vv 63", PLAIN}, /* LQ-02 */
    {V1, 'C', "vv e3 02 00 2800 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 1000 03 20 0200", "vv 63", PLAIN},
    {V1, 'C', "vv e3 02 00 2800 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 03 20 0200 02 20 1000", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 02 00 2800 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 1000 02 20 1000", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 00 20 1000", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 01 20 1000", "vv 7f 01 00", PLAIN},
    {"123", 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 06 20 0100", "vv 7f 01 00", PLAIN},
    {"4", 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 06 20 0100", "vv 63", PLAIN},
    {"4", 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 08 20 0100", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 10 1000", "vv 7f 01 00", PLAIN}, /* R-ALG-19 */
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 30 1000", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 01 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 21 1000", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 01 00 2000 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN},
    {V1, 'C', "vv e3 ff 00 2400 01 00 ff010000 3f000000 00000000 0000000000000000 00 00 00 00 02 20 1000", "vv 7f 01 00", PLAIN},
    {"0", 'C', "vv e3 01 00 offer", "vv 63 00", PLAIN},              /* Param1 is reserved in 1.0 */
    /* nothing in common is no error: selections are 0 (R-ALG-40, LQ-01) */
    {"01", 'C', "vv e3 00 00 offer", "vv 63 00 00 2400 01 00 04000000 00000000 00000000", FOREIGN},
    {V2, 'C', "vv e3 00 00 2000 01 02 80000000 01000000 00000000 0000000000000000 00 00 00 00", "vv 63 00 00 2400 01 02 04000000 00000000 00000000", FOREIGN},
    {ALL, 'C', "vv e3 00 00 2000 00 00 00000000 00000000 00000000 0000000000000000 00 00 00 00", "vv 63 00 00 2400 00 00 00000000 00000000 00000000", PLAIN},
    {ALL, 'C', "vv e3 00 00 offer", "vv 63 00 00 2400 00", BARE},    /* no MEAS_CAP, no specification */
    {ALL, 'C', "vv e3 00 00 offer", "vv 63 00 00 2400 01", RAW},
    {V3, 'C', "vv e3 00 00 2000 01 12 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 7f 01 00", PLAIN}, /* multi-key */
    {V3, 'C', "vv e3 00 00 2000 01 12 ff010000 3f000000 00000000 0000000000000000 00 00 00 00", "vv 63", MULTI},
    {V3, 'C', "vv e3 00 00 offer", "vv 7f 01 00", MULTI},
    {"2", 'C', "vv e3 00 00 offer", "vv 63", MULTI},
};

static const struct row identity_rows[] = {
    {ALL, 'S', "vv 81 00 00", "10 7f 04 00", PLAIN},
    {ALL, 'V', "vv 81 00 00", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv 81 00 00", "vv 7f 04 00", PLAIN},
    {"012", 'N', "vv 81 00 00", "vv 01 00 05", PLAIN},
    {V3, 'N', "vv 81 00 00", "vv 01 07 05", PLAIN},          /* supported: 0x03 of the identity and what is there */
    {ALL, 'N', "vv 81 ff ff", "vv 01", PLAIN},
    {ALL, 'N', "vv 81 00 00 00 00 00 00", "vv 01", PLAIN},
    {ALL, 'N', "1f 81 00 00", "vv 7f 41 00", PLAIN},
    {ALL, 'N', "vv 81 00 00", "vv 7f 07 81", BARE},          /* R-DIG-14 */
    {ALL, 'N', "vv 81 00 00", "vv 7f 05 00", EMPTY},
    {"01", 'N', "vv 81 00 00", "vv 7f 43 00", FOREIGN},      /* no hash: RequestResynch (R-ALG-41) */
    {ALL, 'N', "vv 81 00", "-", PLAIN},

    {ALL, 'N', "vv 82 00 00 0000 0400", "vv 02 00 00 0400", PLAIN},
    {ALL, 'N', "vv 82 02 00 0000 0400", "vv 02 02 00 0400", PLAIN},
    {ALL, 'N', "vv 82 00 00 0000 ffff", "vv 02 00 00", PLAIN},
    {ALL, 'N', "vv 82 00 00 1006 ffff", "vv 7f 01 00", PLAIN},  /* at the end of the chain: 4 + 48 + 1500 = 0x610 */
    {ALL, 'N', "vv 82 00 00 0f06 ffff", "vv 02 00 00 0100 0000", PLAIN}, /* withstand 40: Offset + Length over 0xffff */
    {ALL, 'N', "vv 82 00 00 ffff ffff", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 82 00 00 ffff 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 82 00 00 0000 0000", "vv 02 00 00 0000 1006", PLAIN}, /* R-CER-11 */
    {ALL, 'N', "vv 82 01 00 0000 0400", "vv 7f 01 00", PLAIN},  /* empty */
    {ALL, 'N', "vv 82 07 00 0000 0400", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 82 08 00 0000 0400", "vv 7f 01 00", PLAIN},  /* withstand 60 */
    {ALL, 'N', "vv 82 0f 00 0000 0400", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 82 0f 00 0000 0400", "vv 7f 07 82", KEYED},
    {ALL, 'N', "vv 82 ff 00 0000 0400", "vv 7f", PLAIN},
    {"0123", 'N', "vv 82 f0 00 0000 0400", "vv 02 00 00 0400", PLAIN},  /* reserved bits */
    {"4", 'N', "vv 82 70 00 0000 0400", "vv 02 00 00 0400", PLAIN},
    {"4", 'N', "vv 82 80 00 0000 0000 00000000 04000000", "vv 7f 07 82", PLAIN},   /* no LARGE_RESP_CAP */
    {"4", 'N', "vv 82 80 00 0000 0000 00000000 04000000", "vv 02 80 00 0000 0000 04000000 0c060000", LARGE},
    {"4", 'N', "vv 82 80 00 0000 0000 0f060000 ffffffff", "vv 02 80 00 0000 0000 01000000 00000000", LARGE},
    {"4", 'N', "vv 82 80 00 0000 0000 10060000 ffffffff", "vv 7f 01 00", LARGE},
    {"4", 'N', "vv 82 80 00 0000 0000 ffffffff ffffffff", "vv 7f 01 00", LARGE},
    {"4", 'N', "vv 82 80 00 0000 0000 00000000 040000", "vv 7f 01 00", LARGE},
    {V3, 'N', "vv 82 00 01 0000 0000", "vv 02 00 00 0000 ffff", PLAIN},  /* SlotSizeRequested */
    {V3, 'N', "vv 82 01 01 0000 0000", "vv 02 01 00 0000 ffff", PLAIN},  /* of an empty slot too */
    {V3, 'N', "vv 82 00 01 ffff ffff", "vv 02 00 00 0000 ffff", PLAIN},  /* R-CER-06 */
    {V3, 'N', "vv 82 08 01 0000 0000", "vv 7f 01 00", PLAIN},
    {"012", 'N', "vv 82 00 01 0000 0400", "vv 02 00 00 0400", PLAIN},    /* reserved there */
    {V3, 'N', "vv 82 00 fe 0000 0400", "vv 02 00 00 0400", PLAIN},
    {ALL, 'N', "vv 82 00 00 0000 04", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 82 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'C', "vv 82 00 00 0000 0400", "vv 7f 04 00", PLAIN},
    {ALL, 'N', "vv 82 00 00 0000 0400", "vv 7f 07 82", BARE},
    {"01", 'N', "vv 82 00 00 0000 0400", "vv 7f 43 00", FOREIGN},
};

static const struct row challenge_rows[] = {
    {"0", 'N', "vv 83 00 00 nonce", "vv 03 00 05", PLAIN},
    {V1, 'N', "vv 83 02 00 nonce context", "vv 03 02 05", PLAIN},
    {ALL, 'N', "vv 83 00 01 nonce context", "vv 03", PLAIN},
    {ALL, 'N', "vv 83 00 ff nonce context", "vv 03", PLAIN},
    {ALL, 'N', "vv 83 00 02 nonce context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 00 fe nonce context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 01 00 nonce context", "vv 7f 01 00", PLAIN},   /* empty */
    {ALL, 'N', "vv 83 08 00 nonce context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 0f 00 nonce context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 fe 00 nonce context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 ff 00 nonce context", "vv 7f 01 00", PLAIN},   /* no provisioned key */
    {V1, 'N', "vv 83 ff 00 nonce context", "vv 03 0f 00", KEYED},
    {ALL, 'N', "vv 83 00 00 nonce context", "vv 03", KEYED},
    {ALL, 'N', "vv 83 00 00 nonce context", "vv 7f 07 83", BARE},
    {ALL, 'N', "vv 83 00 01 nonce context", "vv 7f 07 83", BARE},
    {"01", 'N', "vv 83 00 00 nonce context", "vv 7f 43 00", FOREIGN},
    {ALL, 'S', "vv 83 00 00 nonce context", "10 7f 04 00", PLAIN},
    {ALL, 'V', "vv 83 00 00 nonce context", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv 83 00 00 nonce context", "vv 7f 04 00", PLAIN},
    {ALL, 'N', "1f 83 00 00 nonce context", "vv 7f 41 00", PLAIN},
    {ALL, 'N', "vv 83 00 00", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 00 00 00112233445566778899aabbccddeeff00112233445566778899aabbccddee", "vv 7f 01 00", PLAIN},
    {V3, 'N', "vv 83 00 00 nonce", "vv 7f 01 00", PLAIN},
    {V3, 'N', "vv 83 00 00 nonce 00000000000000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv 83 00 00 nonce context 0000000000", "vv 03", PLAIN},
    {V3, 'N', "vv 83 02 00 nonce context", "vv 7f 01 00", MULTI},    /* its key is for measurements (R-CHL-08) */
    {V3, 'N', "vv 83 00 00 nonce context", "vv 03 00 05", MULTI},
    {"2", 'N', "vv 83 02 00 nonce context", "vv 03 02 05", MULTI},
    {ALL, 'N', "vv 83 00 00 nonce context", "vv 7f 05 00", MUTE},    /* the caller could not sign */
    {ALL, 'N', "vv 83 00 ff nonce context", "vv 7f 05 00", MUTE},
};

static const struct row measurement_rows[] = {
    {ALL, 'N', "vv e0 00 00 context", "vv 60 05 00 00 000000", PLAIN},
    {ALL, 'N', "vv e0 00 01 context", "vv 60 00 00 01 370000 01 01", PLAIN},
    {ALL, 'N', "vv e0 00 ff context", "vv 60 00 00 05", PLAIN},
    {"01", 'N', "vv e0 02 01 context", "vv 60 00 00 01 370000 01 01 3300 00", PLAIN},  /* reserved below 1.2 */
    {V2, 'N', "vv e0 02 01 context", "vv 60 00 00 01 470000 01 01 4300 80", PLAIN},    /* raw */
    {ALL, 'N', "vv e0 04 01 context", "vv 60", PLAIN},
    {ALL, 'N', "vv e0 f8 01 context", "vv 60", PLAIN},
    {ALL, 'N', "vv e0 00 06 context", "vv 7f 01 00", PLAIN},         /* no such index (R-MEA-18) */
    {ALL, 'N', "vv e0 00 fe context", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv e0 01 ff nonce slot00 context", "vv 60 00 00 05", PLAIN},
    {"1", 'N', "vv e0 01 ff nonce slot02 context", "vv 60 00 02 05", PLAIN},
    {V2, 'N', "vv e0 01 00 nonce slot02 context", "vv 60 05 02 00 000000", PLAIN},
    {V1, 'N', "vv e0 01 ff nonce slot01 context", "vv 7f 01 00", PLAIN}, /* empty */
    {V1, 'N', "vv e0 01 ff nonce slot08 context", "vv 7f 01 00", PLAIN},
    {V1, 'N', "vv e0 01 ff nonce slot0e context", "vv 7f 01 00", PLAIN},
    {V1, 'N', "vv e0 01 ff nonce slot0f context", "vv 7f 01 00", PLAIN},
    {V1, 'N', "vv e0 01 ff nonce slotf0 context", "vv 60 00 00 05", PLAIN}, /* reserved bits */
    {V1, 'N', "vv e0 01 ff nonce slot0f context", "vv 60 00 0f 05", KEYED},
    {ALL, 'N', "vv e0 01 ff nonce slot00 context", "vv 7f 01 00", HASHED},  /* R-MEA-04 */
    {ALL, 'N', "vv e0 00 ff context", "vv 60", HASHED},
    {ALL, 'N', "vv e0 00 ff context", "vv 7f 07 e0", BARE},          /* R-MEA-19 */
    {ALL, 'N', "vv e0 01 ff nonce slot00 context", "vv 7f 07 e0", BARE},
    {"01", 'N', "vv e0 01 ff nonce slot00 context", "vv 7f 43 00", FOREIGN},
    {ALL, 'N', "vv e0 00 01 context", "vv 60 00 00 01 470000 01 01 4300 80", RAW},
    {ALL, 'S', "vv e0 00 ff context", "10 7f 04 00", PLAIN},
    {ALL, 'V', "vv e0 00 ff context", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv e0 00 ff context", "vv 7f 04 00", PLAIN},
    {ALL, 'N', "1f e0 00 ff context", "vv 7f 41 00", PLAIN},
    {V3, 'N', "vv e0 00 ff", "vv 7f 01 00", PLAIN},
    {V3, 'N', "vv e0 00 ff 00000000000000", "vv 7f 01 00", PLAIN},
    {V1, 'N', "vv e0 01 ff nonce", "vv 7f 01 00", PLAIN},
    {"0", 'N', "vv e0 01 ff 00112233445566778899aabbccddeeff00112233445566778899aabbccddee", "vv 7f 01 00", PLAIN},
    {V3, 'N', "vv e0 01 ff nonce slot00 context", "vv 7f 01 00", MULTI}, /* for CHALLENGE only (R-MEA-07) */
    {V3, 'N', "vv e0 01 ff nonce slot02 context", "vv 60 00 02 05", MULTI},
    {ALL, 'N', "vv e0 00 ff context", "vv 7f 05 00", MUTE},
};

static const struct row vendor_rows[] = {
    {ALL, 'N', "vv fe 00 00 0300 02 b41a 0300 010203", "vv 7e 00 00 0300 02 b41a 0300 010203", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300 02 b41a 0000", "vv 7e 00 00 0300 02 b41a 0000", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300 00 0000", "vv 7e 00 00 0300 00 0000", PLAIN}, /* R-VDR-06 */
    {ALL, 'N', "vv fe 00 00 0000 00 0000", "vv 7e", PLAIN},
    {ALL, 'N', "vv fe 00 00 0400 04 01020304 0000", "vv 7e", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300 02 b41a 0300 0102", "vv 7f 01 00", PLAIN},     /* withstand 64 */
    {ALL, 'N', "vv fe 00 00 0300 02 b41a ffff 010203", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300 03 b41a00 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300 ff b41a 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0000 01 00 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0c00 00 0000", "vv 7f 01 00", PLAIN},               /* not in the registry */
    {ALL, 'N', "vv fe 00 00 ffff 00 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0a00 01 7f 0000", "vv 7e", PLAIN},                  /* IANA CBOR: 1, 2, 3, 5, 9 */
    {ALL, 'N', "vv fe 00 00 0a00 02 7f7f 0000", "vv 7e", PLAIN},
    {ALL, 'N', "vv fe 00 00 0a00 05 7f7f7f7f7f 0000", "vv 7e", PLAIN},
    {ALL, 'N', "vv fe 00 00 0a00 04 7f7f7f7f 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0a00 00 0000", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00 0300", "vv 7f 01 00", PLAIN},
    {ALL, 'N', "vv fe 00 00", "vv 7f 01 00", PLAIN},
    {"0123", 'N', "vv fe 80 00 0300 02 b41a 0100 07", "vv 7e 00 00", PLAIN},    /* reserved there */
    {"4", 'N', "vv fe 80 00 0300 02 b41a 0000 01000000 07", "vv 7f 01 00", PLAIN}, /* no LARGE_RESP_CAP */
    {"4", 'N', "vv fe 80 00 0300 02 b41a 0000 ffffffff 07", "vv 7f 01 00", LARGE},
    {ALL, 'N', "vv fe 00 00 0300 02 b41a c800 big", "vv 7f 05 00", PLAIN},      /* longer than we keep */
    {ALL, 'N', "vv fe 00 00 0300 02 b41a 0000", "vv 7f 07 fe", MUTE},           /* R-VDR-04 */
    {ALL, 'S', "vv fe 00 00 0300 02 b41a 0000", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv fe 00 00 0300 02 b41a 0000", "vv 7f 04 00", PLAIN},          /* R-VDR-08 */

    /* in no session (section 3, column N) */
    {"0", 'N', "vv ea 00 00", "vv 7f 07 ea", PLAIN},
    {V1, 'N', "vv ea 00 00", "vv 7f 07 ea", PLAIN}, /* no ENCAP_CAP */
    {"0", 'N', "vv eb 00 00", "vv 7f 07 eb", PLAIN},
    {"0", 'N', "vv ec 00 00", "vv 7f 07 ec", PLAIN},
    {"1", 'N', "vv ec 00 00", "vv 7f 05 00", PLAIN},
    {V2, 'N', "vv ec 00 00", "vv 7f 0b 00", PLAIN},

    {ALL, 'S', "vv ff 83 01", "10 7f 04 00", PLAIN},
    {ALL, 'V', "vv ff 83 01", "10 7f 04 00", PLAIN},
    {ALL, 'C', "vv ff 83 01", "vv 7f 04 00", PLAIN},
    {ALL, 'N', "vv ff 83 00", "vv 7f 01 00", PLAIN},                            /* nothing deferred */
    {ALL, 'N', "vv ff ff 00", "vv 7f 01 00", PLAIN},                            /* R-RIR-05 */
};
/* clang-format on */

static void try(const struct row *row, uint8_t version)
{
    static struct pair p;

    prepare(&p, row->device);
    if (row->device == MULTI && version >= SPDM_V13 && row->phase == 'N') {
        talk_phase(&p, version, 'C');
        talk_expect(&p, version, "vv e3 00 00 2000 01 12 ff010000 3f000000 00000000 0000000000000000 00 00 00 00",
                    "vv 63");
    } else {
        talk_phase(&p, version, row->phase);
    }
    talk_expect(&p, version, row->request, row->answer);
    talk_expect(&p, version, "10 84 00 00", "10 04");
    pair_close(&p);
}

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (const char *minor = rows[i].minors; *minor != '\0'; minor++) {
            try(&rows[i], (uint8_t)(0x10 + (*minor - '0')));
        }
    }
}

#define TABLE(name)                                                                                                    \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        run(name##_rows, sizeof name##_rows / sizeof *name##_rows);                                                    \
    }
TABLE(version)
TABLE(capability)
TABLE(algorithm)
TABLE(identity)
TABLE(challenge)
TABLE(measurement)
TABLE(vendor)

/* Every code that is not served: UnsupportedRequest with the code, response codes among them (withstand 66). The
 * capability for SLOT_MANAGEMENT is not in Flags, so it is looked at behind its header of eight bytes. */
static void test_codes(void **state)
{
    static struct pair p;
    static const uint8_t served[] = {0x81, 0x82, 0x83, 0x84, 0xe0, 0xe1, 0xe3, 0xea, 0xeb, 0xec, 0xfe, 0xff};

    (void)state;
    for (unsigned code = 0; code < 256; code++) {
        if (memchr(served, (int)code, sizeof served) != NULL) continue;
        for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
            char request[30], answer[30];

            if (code == 0xf1 && version >= SPDM_V13) continue; /* SEND_EVENT: served in sessions, by who sends it */
            snprintf(request, sizeof request, "vv %02x 00 00 0000 0000", code);
            snprintf(answer, sizeof answer, "vv 7f 07 %02x", code);
            prepare(&p, PLAIN);
            talk_phase(&p, version, 'N');
            talk_expect(&p, version, request, answer);
            pair_close(&p);
        }
    }
}

/* A request cut at every length: InvalidRequest, or nothing below a header. */
static void test_short(void **state)
{
    static const char *const requests[][2] = {
        {"V", "vv e1 00 00 caps"},
        {"C", "vv e3 00 00 offer"},
        {"N", "vv 82 00 00 0000 0400"},
        {"N", "vv 83 00 00 nonce context"},
        {"N", "vv e0 01 ff nonce slot00 context"},
        {"N", "vv fe 00 00 0300 02 b41a 0300 010203"},
    };
    static struct pair p;
    static uint8_t bytes[PAIR_BUFFER];

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
            size_t n = talk_bytes(requests[i][1], version, bytes);

            for (size_t cut = 1; cut < n; cut++) {
                prepare(&p, PLAIN);
                talk_phase(&p, version, requests[i][0][0]);
                assert_true(talk_like(talk_bytes_to(&p, (struct spdm_span){bytes, cut}), version,
                                      cut < 4 ? "-" : "vv 7f 01 00"));
                pair_close(&p);
            }
        }
    }
}

/* DIGESTS of a multi-key connection: four lists, each in the order of the slots (withstand 63, R-DIG-06, R-DIG-08). */
static void test_multi_key_digests(void **state)
{
    static const uint8_t lists[] = {17, 29, SPDM_CERT_DEVICE, SPDM_CERT_GENERIC, 2, 0, 4, 0x80};
    static struct pair p;

    (void)state;
    for (uint8_t version = SPDM_V13; version <= SPDM_V14; version++) {
        uint8_t expected[4 + 2 * 48] = {version, 0x01, 0x07, 0x05};
        struct spdm_span got;

        prepare(&p, MULTI);
        p.identity.slot[0].key_pair_id = 17;
        p.identity.slot[2].key_pair_id = 29;
        p.identity.slot[2].model = SPDM_CERT_GENERIC;
        p.identity.slot[2].certificates.n = 700;
        p.identity.slot[2].usage = SPDM_USE_MEASUREMENT | 0x8000;
        (void)pair_digest(&p, 0, SPDM_SHA_384, expected + 4);
        (void)pair_digest(&p, 2, SPDM_SHA_384, expected + 4 + 48);
        talk_phase(&p, version, 'C');
        talk_expect(&p, version, "vv e3 00 00 2000 01 12 ff010000 3f000000 00000000 0000000000000000 00 00 00 00",
                    "vv 63");
        got = talk(&p, version, "vv 81 00 00");
        assert_int_equal(got.n, sizeof expected + sizeof lists);
        assert_memory_equal(got.p, expected, sizeof expected);
        assert_memory_equal(got.p + sizeof expected, lists, sizeof lists);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_version),   cmocka_unit_test(test_capability),
                                       cmocka_unit_test(test_algorithm), cmocka_unit_test(test_identity),
                                       cmocka_unit_test(test_challenge), cmocka_unit_test(test_measurement),
                                       cmocka_unit_test(test_vendor),    cmocka_unit_test(test_codes),
                                       cmocka_unit_test(test_short),     cmocka_unit_test(test_multi_key_digests)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
