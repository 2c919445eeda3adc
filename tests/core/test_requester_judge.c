/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every rule by which a requester refuses a response: one edit of real bytes,
 * one reason. The toy crypto accepts every signature here, so it is the check
 * of the field that fires and not the proof at the end (withstand 95). Rows
 * with FINE are tolerances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/edit.h"
#include "support/pair.h"

enum { CHALLENGE = SPDM_WANT_CHALLENGE, MEASURE = SPDM_WANT_MEASUREMENTS };

/* ---- what is asked ---- */

static const struct spdm_goal all = {.want = CHALLENGE | MEASURE, .sign = true};
static const struct spdm_goal summary = {.want = CHALLENGE, .summary = 0xff};
static const struct spdm_goal plain = {.want = MEASURE};
static const struct spdm_goal count = {.want = MEASURE, .measure = SPDM_MEASURE_COUNT};
static const struct spdm_goal third = {.want = MEASURE, .measure = SPDM_MEASURE_INDEX, .index = 3};
static const struct spdm_goal raw = {.want = MEASURE, .raw = true};
static const struct spdm_goal vendor = {.want = SPDM_WANT_VENDOR,
                                        .standard = 3,
                                        .vendor = {(const uint8_t *)"\xb4\x1a", 2},
                                        .payload = {(const uint8_t *)"hello", 5}};

/* ---- by whom ---- */

static const uint8_t groups[] = {SPDM_SECP384R1, 0}, suites[] = {SPDM_AES_256_GCM, 0};
static const uint8_t two_kinds[] = {SPDM_ECDSA_P384, SPDM_ML_DSA_65, 0};
static const uint8_t two_keys[] = {SPDM_SECP384R1, SPDM_ML_KEM_768, 0};

/* Offers tables of its own, classic and post-quantum. */
static void rich(struct pair *p)
{
    p->req_policy.exchanges = two_keys;
    p->req_policy.aeads = suites;
    p->req_policy.req_signatures = two_kinds;
    p->req_policy.signatures = two_kinds;
    p->rsp_policy.exchanges = groups;
    p->rsp_policy.aeads = suites;
}

static void chunky(struct pair *p)
{
    p->req_policy.flags = SPDM_CHUNK_CAP;
    p->req_config.chunks = &spdm_requester_chunks;
    p->req_policy.want_algorithms = true;
}

static void multi(struct pair *p)
{
    p->rsp_policy.flags |= SPDM_MULTI_KEY_CAP_ONLY | SPDM_GET_KEY_PAIR_INFO_CAP;
    p->identity.slot[0].usage = 0xf;
    p->identity.slot[0].key_pair_id = 7;
    p->identity.slot[2] = p->identity.slot[0];
}

static void portions(struct pair *p)
{
    p->req_config.data_transfer_size = 608; /* 600 bytes of chain at a time, of 1552 */
}

static void small_room(struct pair *p)
{
    p->req_config.chain.n = 1552;
}

static void no_opaque(struct pair *p)
{
    p->req_policy.opaque_formats = 0;
}

static void free_opaque(struct pair *p)
{
    p->req_policy.opaque_formats = p->rsp_policy.opaque_formats = 1;
}

static void little_opaque(struct pair *p)
{
    p->req_policy.opaque_max = 16;
}

struct row {
    const char *minors, *edits;
    uint8_t why; /* enum spdm_why */
    const char *field;
    const struct spdm_goal *goal;
    void (*prepare)(struct pair *);
    uint8_t nth; /* of the responses with the code */
};

#define ALL "01234"
#define V1 "1234"
#define V2 "234"
#define V3 "34"
#define WHY(name) SPDM_WHY_##name
/* 30 bytes: SupportedAlgorithms without anything */
#define BLOCK "add=00001e000102800000000200000000000000000000000000000000000000"

/* clang-format off */
static const struct row version_rows[] = {
    {ALL, "0=11", WHY(BAD_VERSION), "SPDMVersion", &all, NULL, 0},
    {ALL, "1=05", WHY(BAD_CODE), NULL, &all, NULL, 0},
    {ALL, "5=00", WHY(TOO_SMALL), "VersionNumberEntryCount", &all, NULL, 0},
    {ALL, "5=06", WHY(SHORT), "VersionNumberEntry", &all, NULL, 0},
    {ALL, "5=ff", WHY(SHORT), "VersionNumberEntry", &all, NULL, 0},
    {ALL, "cut=5", WHY(SHORT), "VersionNumberEntryCount", &all, NULL, 0},
    {ALL, "cut=3", WHY(SHORT), "the message", &all, NULL, 0},
    {ALL, "5=01 cut=8 6=0020", WHY(NO_VERSION), NULL, &all, NULL, 0}, /* 2.0 */
    {ALL, "5=01 cut=8 6=0018", WHY(NO_VERSION), NULL, &all, NULL, 0}, /* 1.8 */
    {ALL, "5=01 cut=8 6=0000", WHY(NO_VERSION), NULL, &all, NULL, 0},
    {ALL, "6=ff 8=ff 10=ff 12=ff 14=ff", WHY(FINE), NULL, &plain, NULL, 0}, /* update and alpha do not count (R-VSN-03) */
    {ALL, "2=ffffff", WHY(FINE), NULL, &plain, NULL, 0},
    {ALL, "5=06 16+0014", WHY(FINE), NULL, &plain, NULL, 0},          /* one listed twice */
};

static const struct row capability_rows[] = {
    {ALL, "0=15", WHY(BAD_VERSION), "SPDMVersion", &all, NULL, 0},
    {ALL, "cut=11", WHY(SHORT), "Flags", &all, NULL, 0},
    {V2, "cut=19", WHY(SHORT), "MaxSPDMmsgSize", &all, NULL, 0},
    {V2, "12=29000000", WHY(TOO_SMALL), "DataTransferSize", &all, NULL, 0},           /* 41 (R-CAP-05) */
    {"2", "12=2a000000 16=2a000000", WHY(FINE), NULL, &all, NULL, 0},
    {V3, "12=2a000000 16=2a000000", WHY(TOO_BIG_FOR_PEER), NULL, &all, NULL, 0},      /* 42 is legal; CHALLENGE has 44 */
    {V2, "16=ff0f0000", WHY(TOO_SMALL), "MaxSPDMmsgSize", &all, NULL, 0},             /* R-CAP-09 */
    {V2, "16=01100000", WHY(BAD_LENGTH), "MaxSPDMmsgSize", &all, NULL, 0},            /* R-CAP-11 */
    {ALL, "4=ff 6=ffff", WHY(FINE), NULL, &plain, NULL, 0},
    {ALL, "5=ff", WHY(FINE), NULL, &plain, NULL, 0},                                  /* CTExponent: no ceiling (R-CAP-21) */
    {"012", "2=ff 3=ff", WHY(FINE), NULL, &plain, NULL, 0},
    {V3, "2=fe 3=ff", WHY(FINE), NULL, &plain, NULL, 0},
    /* SupportedAlgorithms (withstand 51) */
    {V3, "2=01", WHY(SHORT), "Param1", &all, NULL, 0},
    {V3, "2=01 " BLOCK, WHY(BAD_VALUE), "Param1 R-CAP-15", &all, NULL, 0},            /* not asked for */
    {V3, "2=01 " BLOCK, WHY(FINE), NULL, &plain, chunky, 0},
    {V3, "2=00", WHY(FINE), NULL, &plain, chunky, 0},                                 /* asked for and not given */
    {V3, "2=01 " BLOCK " 22=2000", WHY(FINE), NULL, &plain, chunky, 0},               /* UN-06: two bytes more */
    {V3, "2=01 " BLOCK " 22=1f00", WHY(BAD_LENGTH), "Length", &plain, chunky, 0},
    {V3, "2=01 " BLOCK " 22=1d00", WHY(BAD_LENGTH), "Length", &plain, chunky, 0},
    {V3, "2=01 " BLOCK " 22=ffff", WHY(TOO_LONG), "Length", &plain, chunky, 0},
    {V3, "2=01 " BLOCK " 20=01", WHY(SHORT), "AlgType", &plain, chunky, 0},           /* a table and nothing there */
    {V3, "2=01 " BLOCK " 46=01", WHY(SHORT), "ExtendedAlgorithms", &plain, chunky, 0},
    {V3, "2=01 " BLOCK " cut=49", WHY(SHORT), "MELspecification", &plain, chunky, 0},
    {V3, "2=01 " BLOCK " cut=23", WHY(SHORT), "Length", &plain, chunky, 0},
    /* flags that exclude or need each other (R-CAP-27); bytes 8..11 */
    {ALL, "8=1e", WHY(BAD_FLAGS), "MEAS_CAP 3", &all, NULL, 0},
    {V1, "9=0c", WHY(BAD_FLAGS), "PSK_CAP 3", &all, NULL, 0},
    {V1, "9=02", WHY(BAD_FLAGS), "KEY_EX_CAP or PSK_CAP needs", &all, NULL, 0},
    {V1, "9=04", WHY(BAD_FLAGS), "KEY_EX_CAP or PSK_CAP needs", &all, NULL, 0},
    {V1, "8=76", WHY(BAD_FLAGS), "ENCRYPT_CAP and MAC_CAP need", &all, NULL, 0},
    {V1, "8=b6", WHY(BAD_FLAGS), "ENCRYPT_CAP and MAC_CAP need", &all, NULL, 0},
    {V1, "9=80", WHY(BAD_FLAGS), "HANDSHAKE_IN_THE_CLEAR_CAP needs", &all, NULL, 0},
    {V1, "10=01", WHY(BAD_FLAGS), "CERT_CAP excludes", &all, NULL, 0},
    {V2, "10=10", WHY(BAD_FLAGS), "CSR_CAP needs", &all, NULL, 0},
    {V2, "10=20", WHY(BAD_FLAGS), "CERT_INSTALL_RESET_CAP needs", &all, NULL, 0},
    {V2, "8=34 10=05", WHY(BAD_FLAGS), "PUB_KEY_ID_CAP excludes", &all, NULL, 0},
    {V3, "10=c0", WHY(BAD_FLAGS), "EP_INFO_CAP 3", &all, NULL, 0},
    {V3, "11=1c", WHY(BAD_FLAGS), "MULTI_KEY_CAP 3", &all, NULL, 0},
    {V3, "11=04", WHY(BAD_FLAGS), "MULTI_KEY_CAP needs", &all, NULL, 0},
    {"4", "11=40", WHY(BAD_FLAGS), "SET_KEY_PAIR_RESET_CAP needs", &all, NULL, 0},
    {"0", "9=ffffff", WHY(FINE), NULL, &plain, NULL, 0},                              /* masked off where they do not exist */
    {"1", "10=feff", WHY(FINE), NULL, &plain, NULL, 0},
    {"2", "10=00c0", WHY(FINE), NULL, &plain, NULL, 0},
    /* what is missing is named, and nothing is asked in vain */
    {ALL, "8=30", WHY(CANNOT), "CERT_CAP", &all, NULL, 0},
    {ALL, "8=32", WHY(CANNOT), "CHAL_CAP", &summary, NULL, 0},
    {ALL, "8=06", WHY(CANNOT), "MEAS_CAP", &plain, NULL, 0},
    {ALL, "8=0e", WHY(CANNOT), "signed measurements", &all, NULL, 0},
};

static const struct row algorithm_rows[] = {
    {ALL, "4=2500", WHY(BAD_LENGTH), "Length", &all, NULL, 0},
    {ALL, "4=2300", WHY(BAD_LENGTH), "Length", &all, NULL, 0},
    {ALL, "4=0000", WHY(BAD_LENGTH), "Length", &all, NULL, 0},
    {ALL, "cut=35", WHY(SHORT), "Reserved", &all, NULL, 0},
    {ALL, "6=03", WHY(NOT_ONE), "MeasurementSpecificationSel", &all, NULL, 0},
    {ALL, "6=02", WHY(NOT_OFFERED), "MeasurementSpecificationSel", &all, NULL, 0},
    {ALL, "6=00 8=00000000", WHY(CANNOT), "a measurement specification", &plain, NULL, 0},
    {V2, "7=03", WHY(NOT_ONE), "OtherParamsSelection", &all, NULL, 0},
    {V2, "7=01", WHY(NOT_OFFERED), "OtherParamsSelection", &all, NULL, 0},
    {V2, "7=04", WHY(NOT_OFFERED), "OtherParamsSelection", &all, NULL, 0},
    {V3, "7=12", WHY(BAD_VALUE), "OtherParamsSelection", &all, NULL, 0},  /* multi-key of a requester without it */
    {"01", "7=ff", WHY(FINE), NULL, &plain, NULL, 0},
    {ALL, "8=06000000", WHY(NOT_ONE), "MeasurementHashAlgo", &all, NULL, 0},
    {ALL, "8=00000000", WHY(BAD_VALUE), "MeasurementHashAlgo", &all, NULL, 0},    /* R-ALG-30 */
    {ALL, "12=90000000", WHY(NOT_ONE), "BaseAsymSel", &all, NULL, 0},
    {ALL, "12=01000000", WHY(NOT_OFFERED), "BaseAsymSel", &all, NULL, 0},
    {ALL, "12=00000080", WHY(NOT_OFFERED), "BaseAsymSel", &all, NULL, 0},
    {ALL, "12=00000000", WHY(CANNOT), "a signature algorithm", &summary, NULL, 0}, /* nothing in common is no error */
    {ALL, "16=03000000", WHY(NOT_ONE), "BaseHashSel", &all, NULL, 0},
    {ALL, "16=04000000", WHY(NOT_OFFERED), "BaseHashSel", &all, NULL, 0},
    {ALL, "16=00000000", WHY(CANNOT), "a base hash", &all, NULL, 0},
    {"4", "20=01000000", WHY(NOT_OFFERED), "PqcAsymSel", &all, NULL, 0},
    {"4", "20=06000000", WHY(NOT_ONE), "PqcAsymSel", &all, rich, 0},
    {"4", "20=02000000", WHY(NOT_ONE), "PqcAsymSel", &all, rich, 0},               /* beside BaseAsymSel */
    {"0123", "20=01000000", WHY(FINE), NULL, &plain, NULL, 0},                     /* reserved */
    {V3, "31=01", WHY(NOT_OFFERED), "MELspecificationSel", &all, NULL, 0},
    {V3, "31=03", WHY(NOT_ONE), "MELspecificationSel", &all, NULL, 0},
    {"012", "31=01", WHY(FINE), NULL, &plain, NULL, 0},
    {ALL, "32=01 4=2800 add=00000000", WHY(NOT_OFFERED), "ExtAsymSelCount", &all, NULL, 0},
    {ALL, "33=01 4=2800 add=00000000", WHY(NOT_OFFERED), "ExtHashSelCount", &all, NULL, 0},
    {ALL, "32=ff", WHY(NOT_OFFERED), "ExtAsymSelCount", &all, NULL, 0},
    /* tables (1.1+); the rich pair agrees on DHE, AEAD and key schedule: 36..47 */
    {V1, "2=01", WHY(SHORT), "AlgType", &all, NULL, 0},
    {V1, "2=01 4=2800 add=02201000", WHY(NOT_OFFERED), "AlgSupported", &all, NULL, 0},
    {V1, "2=01 4=2800 add=02200000", WHY(FINE), NULL, &plain, NULL, 0},            /* LQ-03: echoed with nothing in it */
    {V1, "38=3000", WHY(NOT_ONE), "AlgSupported", &all, rich, 0},
    {V1, "38=0100", WHY(NOT_OFFERED), "AlgSupported", &all, rich, 0},
    {V1, "42=0100", WHY(NOT_OFFERED), "AlgSupported", &all, rich, 0},
    {V1, "36=03", WHY(BAD_ORDER), "AlgType", &all, rich, 0},
    {V1, "36=05 44=02", WHY(BAD_ORDER), "AlgType", &all, rich, 0},
    {V1, "36=00", WHY(BAD_VALUE), "AlgType", &all, rich, 0},
    {V1, "36=01", WHY(BAD_VALUE), "AlgType", &all, rich, 0},
    {"123", "44=06", WHY(BAD_VALUE), "AlgType", &all, rich, 0},
    {"4", "44=08", WHY(BAD_VALUE), "AlgType", &all, rich, 0},
    {V1, "37=10", WHY(BAD_VALUE), "AlgCount", &all, rich, 0},
    {V1, "37=21", WHY(SHORT), "AlgType", &all, rich, 0},                           /* the next table taken for an entry */
    {V1, "45=21", WHY(SHORT), "ExtendedAlgorithms", &all, rich, 0},
    {V1, "45=21 4=3400 add=00000000", WHY(NOT_OFFERED), "ExtAlgCount", &all, rich, 0},
    {V1, "2=02 4=2c00 cut=44", WHY(FINE), NULL, &plain, rich, 0},                  /* fewer than were offered */
    {"4", "44=07 46=0200", WHY(NOT_ONE), "KEMAlg", &all, rich, 0},                 /* beside DHE */
    {"4", "40=04 42=8000 44=06 46=0200", WHY(NOT_ONE), "ReqPqcAsymAlg", &all, rich, 0},
};

static const struct row identity_rows[] = {
    {ALL, "3=00", WHY(BAD_VALUE), "ProvisionedSlotMask", &all, NULL, 0},
    {ALL, "3=00 cut=4", WHY(BAD_VALUE), "ProvisionedSlotMask", &all, NULL, 0},
    {"012", "3=03", WHY(SHORT), "Digest", &all, NULL, 0},
    {V3, "2=03 3=03", WHY(SHORT), "Digest", &all, NULL, 0},
    {V3, "2=02", WHY(MISMATCH), "ProvisionedSlotMask", &all, NULL, 0},             /* R-DIG-05 */
    {V3, "2=00", WHY(MISMATCH), "ProvisionedSlotMask", &all, NULL, 0},
    {ALL, "cut=51", WHY(SHORT), "Digest", &all, NULL, 0},
    {ALL, "4=00", WHY(BAD_DIGEST), "CertChain", &all, NULL, 0},                    /* found out when the chain is there */
    {"012", "2=ff", WHY(FINE), NULL, &all, NULL, 0},
    /* multi-key: 2 slots, digests to 99, then KeyPairID[2], CertificateInfo[2], KeyUsageMask[2] */
    {V3, "cut=107", WHY(SHORT), "KeyUsageMask", &all, multi, 0},
    {V3, "cut=101", WHY(SHORT), "KeyPairID", &all, multi, 0},
    {V3, "102=04", WHY(BAD_VALUE), "CertificateInfo", &all, multi, 0},
    {V3, "103=07", WHY(BAD_VALUE), "CertificateInfo", &all, multi, 0},
    {V3, "102=03", WHY(BAD_VALUE), "CertificateInfo", &all, multi, 0},             /* slot 0 is never generic (R-DIG-10) */
    {V3, "103=03", WHY(FINE), NULL, &all, multi, 0},
    {V3, "102=00 103=00", WHY(NO_SLOT), NULL, &all, multi, 0},                     /* keys without chains */
    {V3, "102=02", WHY(MISMATCH), "CertModel", &all, multi, 0},                    /* CERTIFICATE says another model */
};

static const struct row certificate_rows[] = {
    {ALL, "2=01", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {ALL, "2=07", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {ALL, "2=0f", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {"0123", "2=f0", WHY(FINE), NULL, &all, NULL, 0},
    {"4", "2=80", WHY(SHORT), "CertChain", &all, NULL, 0},
    {"4", "2=80 4=00000000 8+1006000000000000", WHY(MISMATCH), "LargeCertChain", &all, NULL, 0},
    {ALL, "4=0000", WHY(TOO_SMALL), "PortionLength", &all, NULL, 0},               /* withstand 41: no endless loop */
    {ALL, "4=0000 6=1006 cut=8", WHY(TOO_SMALL), "PortionLength", &all, NULL, 0},
    {ALL, "4=1106", WHY(SHORT), "CertChain", &all, NULL, 0},
    {ALL, "4=ffff", WHY(SHORT), "CertChain", &all, NULL, 0},
    {ALL, "cut=7", WHY(SHORT), "RemainderLength", &all, NULL, 0},
    {ALL, "6=ffff", WHY(TOO_LONG), "RemainderLength", &all, NULL, 0},              /* 0x610 + 0xffff */
    {ALL, "6=0100", WHY(NO_ROOM), "the certificate chain", &all, small_room, 0},
    {ALL, "8=1106", WHY(BAD_CHAIN), "Length", &all, NULL, 0},
    {ALL, "8=0f06", WHY(BAD_CHAIN), "Length", &all, NULL, 0},
    {"0123", "10=0100", WHY(BAD_DIGEST), "CertChain", &all, NULL, 0},              /* reserved below 1.4 (LQ-38), but hashed */
    {"4", "10=0100", WHY(BAD_CHAIN), "Length", &all, NULL, 0},
    {ALL, "12=00", WHY(BAD_DIGEST), "CertChain", &all, NULL, 0},                   /* RootHash */
    {ALL, "200=00", WHY(BAD_DIGEST), "CertChain", &all, NULL, 0},
    {ALL, "4=3300 6=0000 8=3300 cut=59", WHY(BAD_CHAIN), "Length", &all, NULL, 0}, /* shorter than its own head */
    {V3, "3=01", WHY(FINE), NULL, &all, NULL, 0},                                  /* LQ-13 */
    {V3, "3=02", WHY(MISMATCH), "CertModel", &all, multi, 0},
    /* in portions: 600, 600, 352 */
    {ALL, "6=b903", WHY(BAD_LENGTH), "RemainderLength", &all, portions, 1},        /* was 352 */
    {ALL, "6=6101", WHY(BAD_LENGTH), "RemainderLength", &all, portions, 1},
    {ALL, "6=0000", WHY(BAD_LENGTH), "RemainderLength", &all, portions, 1},
    {ALL, "6=0100", WHY(BAD_LENGTH), "RemainderLength", &all, portions, 2},
    {ALL, "4=5f01", WHY(BAD_LENGTH), "RemainderLength", &all, portions, 2},
    {ALL, "2=01", WHY(MISMATCH), "SlotID", &all, portions, 1},
    {ALL, "4=0000", WHY(TOO_SMALL), "PortionLength", &all, portions, 2},
    {ALL, "100=00", WHY(BAD_DIGEST), "CertChain", &all, portions, 1},
};

/* Without summary: CertChainHash 4..51, Nonce 52..83, OpaqueDataLength 84, then context (1.3+) and signature. */
static const struct row challenge_rows[] = {
    {ALL, "2=01", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {ALL, "2=0f", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {"0", "2=10", WHY(MISMATCH), "SlotID", &all, NULL, 0},                         /* a whole byte there */
    {V1, "2=70", WHY(FINE), NULL, &all, NULL, 0},                                  /* reserved */
    {V1, "2=80", WHY(BAD_VALUE), "BasicMutAuthReq", &all, NULL, 0},
    {ALL, "3=00", WHY(BAD_SLOT), "SlotMask", &all, NULL, 0},
    {ALL, "3=fe", WHY(BAD_SLOT), "SlotMask", &all, NULL, 0},
    {ALL, "4=00", WHY(BAD_DIGEST), "CertChainHash", &all, NULL, 0},
    {ALL, "51=00", WHY(BAD_DIGEST), "CertChainHash", &all, NULL, 0},
    {V3, "86=00", WHY(DIFFERS), "RequesterContext", &all, NULL, 0},
    {V3, "93=00", WHY(DIFFERS), "RequesterContext", &all, NULL, 0},
    {ALL, "e1+00", WHY(FINE), NULL, &all, NULL, 0},                                /* behind the end is padding */
    /* opaque data (withstand 44, 45); the pair speaks format 1 from 1.2 on */
    {"012", "84=6100", WHY(SHORT), "OpaqueData", &all, NULL, 0},
    {"012", "84=6000", WHY(SHORT), "Signature", &all, free_opaque, 0},
    {V3, "84=6900", WHY(SHORT), "OpaqueData", &all, NULL, 0},
    {ALL, "84=0104", WHY(TOO_LONG), "OpaqueDataLength R-OPQ-03", &all, NULL, 0},
    {ALL, "84=ffff", WHY(TOO_LONG), "OpaqueDataLength R-OPQ-03", &all, NULL, 0},
    {ALL, "84=1100 86+0000000000000000000000000000000000", WHY(TOO_LONG), "OpaqueDataLength R-OPQ-03", &all, little_opaque, 0},
    {V2, "84=0400 86+01000000", WHY(TOO_LONG), "OpaqueDataLength R-OPQ-02", &all, no_opaque, 0},
    {"01", "84=0400 86+01000000", WHY(FINE), NULL, &all, no_opaque, 0},
    {ALL, "84=0500 86+0102030405", WHY(FINE), NULL, &all, free_opaque, 0},
    {V2, "84=0800 86+0100000000000000", WHY(FINE), NULL, &all, NULL, 0},           /* one empty element */
    {V2, "84=0c00 86+010000000302b41a01000700", WHY(FINE), NULL, &all, NULL, 0},
    {V2, "84=0c00 86+010000000302b41a01000701", WHY(BAD_VALUE), "AlignPadding", &all, NULL, 0},
    {V2, "84=1000 86+010000000302b41a0100070000000000", WHY(BAD_LENGTH), "OpaqueData", &all, NULL, 0},
    {V2, "84=1000 86+02000000000000000000040000000000", WHY(FINE), NULL, &all, NULL, 0},   /* several */
    {V2, "84=1000 86+01000000000000000000040000000000", WHY(BAD_LENGTH), "OpaqueData", &all, NULL, 0},
    {V2, "84=0400 86+00000000", WHY(BAD_VALUE), "TotalElements", &all, NULL, 0},
    {V2, "84=0400 86+ff000000", WHY(SHORT), "OpaqueElement.ID", &all, NULL, 0},
    {V2, "84=0300 86+010000", WHY(SHORT), "Reserved", &all, NULL, 0},
    {V2, "84=0800 86+010000000c000000", WHY(BAD_VALUE), "OpaqueElement.ID", &all, NULL, 0},
    {V2, "84=0800 86+0100000003010000", WHY(BAD_LENGTH), "OpaqueElement.VendorLen", &all, NULL, 0},
    {V2, "84=0800 86+010000000a100000", WHY(SHORT), "OpaqueElement.VendorID", &all, NULL, 0},
    {V2, "84=0800 86+0100000000000100", WHY(SHORT), "OpaqueElementData", &all, NULL, 0},
    {V2, "84=0800 86+010000000000ffff", WHY(SHORT), "OpaqueElementData", &all, NULL, 0},
    {V2, "84=0b00 86+0100000000000100070000", WHY(SHORT), "AlignPadding", &all, NULL, 0},
    {V2, "84=0c00 86+010000000000010007000001", WHY(BAD_VALUE), "AlignPadding", &all, NULL, 0},
    {V2, "84=0c00 86+010000000000010007000000", WHY(FINE), NULL, &all, NULL, 0},
    {V2, "84=0c00 86+010000000000000000000000", WHY(BAD_LENGTH), "OpaqueData", &all, NULL, 0},
    /* the summary: 48 bytes more where it was asked for, none where it was not */
    {ALL, "cut=131", WHY(SHORT), "MeasurementSummaryHash", &summary, NULL, 0},
    {ALL, "84=00", WHY(FINE), NULL, &summary, NULL, 0},
    {ALL, "cut=36", WHY(SHORT), "CertChainHash", &all, NULL, 0},
};

/* All five measurements as digests: record of 5 * 55 from 8 to 282, Nonce 283..330, OpaqueDataLength 331. */
static const struct row measurement_rows[] = {
    {ALL, "4=00", WHY(BAD_LENGTH), "NumberOfBlocks", &all, NULL, 0},
    {ALL, "4=04", WHY(BAD_LENGTH), "NumberOfBlocks", &all, NULL, 0},               /* withstand 46 */
    {ALL, "4=06", WHY(BAD_LENGTH), "NumberOfBlocks", &all, NULL, 0},
    {ALL, "4=ff", WHY(BAD_LENGTH), "NumberOfBlocks", &all, NULL, 0},
    {ALL, "4=00 5=000000 cut=8", WHY(SHORT), "Nonce", &all, NULL, 0},
    {ALL, "5=ffffff", WHY(SHORT), "MeasurementRecord", &all, NULL, 0},
    {ALL, "5=120100", WHY(SHORT), "DMTFSpecMeasurementValue", &all, NULL, 0},      /* 274 */
    {ALL, "5=000000", WHY(BAD_LENGTH), "NumberOfBlocks", &all, NULL, 0},
    {ALL, "8=00", WHY(BAD_VALUE), "Index", &all, NULL, 0},                         /* withstand 105 */
    {ALL, "8=ff", WHY(BAD_VALUE), "Index", &all, NULL, 0},
    {ALL, "8=02", WHY(BAD_ORDER), "Index", &all, NULL, 0},                         /* twice */
    {ALL, "8=06", WHY(BAD_ORDER), "Index", &all, NULL, 0},
    {ALL, "63=03", WHY(BAD_ORDER), "Index", &all, NULL, 0},
    {ALL, "228=fe", WHY(FINE), NULL, &all, NULL, 0},
    {ALL, "9=00", WHY(BAD_VALUE), "MeasurementSpecification", &all, NULL, 0},
    {ALL, "9=03", WHY(BAD_VALUE), "MeasurementSpecification", &all, NULL, 0},
    {ALL, "10=0000", WHY(BAD_LENGTH), "DMTFSpecMeasurementValueSize", &all, NULL, 0},
    {ALL, "10=3400", WHY(BAD_LENGTH), "DMTFSpecMeasurementValueSize", &all, NULL, 0},
    {ALL, "10=ffff 13=fcff", WHY(SHORT), "DMTFSpecMeasurementValue", &all, NULL, 0},
    {ALL, "10=3200 13=2f00", WHY(BAD_VALUE), "MeasurementSpecification", &all, NULL, 0}, /* the next block begins inside */
    {ALL, "12=0b", WHY(FINE), NULL, &all, NULL, 0},                                /* reserved type: the caller's business */
    {ALL, "12=80", WHY(FINE), NULL, &all, NULL, 0},                                /* raw bit stream of type 0, 7-bit mask */
    {ALL, "12=ff", WHY(FINE), NULL, &all, NULL, 0},
    {V2, "12=00", WHY(BAD_LENGTH), "DMTFSpecMeasurementValueSize", &raw, NULL, 0}, /* a digest of 64 bytes in SHA-384 */
    {V1, "3=01", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {V1, "3=0f", WHY(MISMATCH), "SlotID", &all, NULL, 0},
    {"0", "3=ff", WHY(FINE), NULL, &all, NULL, 0},
    {V1, "3=c0", WHY(FINE), NULL, &all, NULL, 0},
    {ALL, "2=ff", WHY(FINE), NULL, &all, NULL, 0},                                 /* reserved unless indices are counted */
    {ALL, "331=6900", WHY(SHORT), "OpaqueData", &plain, NULL, 0},
    {ALL, "331=ffff", WHY(TOO_LONG), "OpaqueDataLength", &all, NULL, 0},
    {V2, "331=0400 333+00000000", WHY(BAD_VALUE), "TotalElements", &all, NULL, 0},
    {V2, "331=0400 333+01000000", WHY(TOO_LONG), "OpaqueDataLength R-OPQ-02", &all, no_opaque, 0},
    {ALL, "cut=332", WHY(SHORT), "OpaqueDataLength", &plain, NULL, 0},             /* withstand 47: nonce and opaque are there */
    {ALL, "cut=330", WHY(SHORT), "Nonce", &plain, NULL, 0},
    {V3, "cut=340", WHY(SHORT), "RequesterContext", &plain, NULL, 0},
    {V3, "333=00", WHY(DIFFERS), "RequesterContext", &all, NULL, 0},
    {V3, "333=00", WHY(DIFFERS), "RequesterContext", &plain, NULL, 0},
    {"012", "cut=428", WHY(SHORT), "Signature", &all, NULL, 0},
    {V3, "cut=436", WHY(SHORT), "Signature", &all, NULL, 0},
    {"012", "cut=333", WHY(SHORT), "Signature", &all, NULL, 0},                    /* withstand 97: no signature at all */
    /* one index */
    {"012", "4=00 5=000000 cut=8 add=00000000000000000000000000000000000000000000000000000000000000000000",
            WHY(BAD_LENGTH), "NumberOfBlocks", &third, NULL, 0},
    {ALL, "8=04", WHY(MISMATCH), "Index", &third, NULL, 0},
    {ALL, "4=02", WHY(BAD_LENGTH), "NumberOfBlocks", &third, NULL, 0},
    {ALL, "4=02 5=40 63+04010500800200aabb", WHY(BAD_LENGTH), "NumberOfBlocks", &third, NULL, 0},
    {ALL, "4=02 5=40 63+03010500800200aabb", WHY(BAD_LENGTH), "NumberOfBlocks", &third, NULL, 0},
    /* the number of indices */
    {ALL, "2=ff", WHY(BAD_VALUE), "TotalNumberOfIndices", &count, NULL, 0},
    {ALL, "2=fe", WHY(FINE), NULL, &count, NULL, 0},
    {ALL, "2=00", WHY(FINE), NULL, &count, NULL, 0},
    {ALL, "4=01", WHY(BAD_LENGTH), "NumberOfBlocks", &count, NULL, 0},
    {ALL, "4=01 5=07 8+01010300000000", WHY(BAD_LENGTH), "NumberOfBlocks", &count, NULL, 0},
};

/* StandardID 4, Len 6, VendorID 7, RespLength 9, payload 11. */
static const struct row vendor_rows[] = {
    {ALL, "4=0200", WHY(MISMATCH), "StandardID", &vendor, NULL, 0},
    {ALL, "4=0c00", WHY(BAD_LENGTH), "VendorIDLen", &vendor, NULL, 0},
    {ALL, "7=00", WHY(DIFFERS), "VendorID", &vendor, NULL, 0},
    {ALL, "6=03", WHY(BAD_LENGTH), "VendorIDLen", &vendor, NULL, 0},
    {ALL, "6=00 cut=16 7=0700", WHY(DIFFERS), "VendorID", &vendor, NULL, 0},
    {ALL, "9=0600", WHY(SHORT), "VendorDefinedPayload", &vendor, NULL, 0},
    {ALL, "9=ffff", WHY(SHORT), "VendorDefinedPayload", &vendor, NULL, 0},
    {ALL, "9=0000", WHY(FINE), NULL, &vendor, NULL, 0},
    {ALL, "cut=10", WHY(SHORT), NULL, &vendor, NULL, 0},
    {"4", "2=80 11+05000000", WHY(MISMATCH), "LargeResp", &vendor, NULL, 0},
    {"4", "2=80", WHY(SHORT), NULL, &vendor, NULL, 0},
    {"0123", "2=80", WHY(FINE), NULL, &vendor, NULL, 0},
};
/* clang-format on */

/* ---- running a row ---- */

struct knife {
    const struct row *row;
    uint8_t code, seen;
    bool used;
};

static size_t wire(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    struct knife *knife = p->arg;

    if (to_responder || n < 3 || frame[2] != knife->code || knife->seen++ != knife->row->nth) return n;
    knife->used = true;
    return 1 + edit_message(knife->row->edits, frame + 1, n - 1, PAIR_BUFFER - 1);
}

/* Rows go on after one that is wrong: a table is best mended as a whole. */
static unsigned wrong;
#define complain(...) (wrong++, print_error(__VA_ARGS__))

static void check(const struct pair *p, const struct knife *knife, const char *label)
{
    const struct row *row = knife->row;
    const struct spdm_facts *f = spdm_requester_facts(p->rq);
    char text[300];

    spdm_report_text(&p->failure, text, sizeof text);
    if (!knife->used) complain("%s: the message did not come: %s\n", label, text);
    if (row->why == SPDM_WHY_FINE) {
        if (!p->done) (void)complain("%s: refused: %s\n", label, text);
        return;
    }
    if (p->done) complain("%s: accepted\n", label);
    if (p->failure.why != row->why) {
        complain("%s: %s, not %s: %s\n", label, spdm_why_name(p->failure.why), spdm_why_name(row->why), text);
    }
    if (row->field != NULL &&
        (p->failure.field == NULL || strncmp(p->failure.field, row->field, strlen(row->field)) != 0)) {
        complain("%s: another field: %s\n", label, text);
    }
    if (knife->code == 0x03) assert_false(f->authentic);
    if (knife->code == 0x60 && p->records != 0) complain("%s: a record came all the same\n", label);
    if (knife->code == 0x02) assert_false(f->trusted);
}

static void try(const struct row *row, uint8_t code, uint8_t version)
{
    static struct pair p;
    struct knife knife = {.row = row, .code = code};
    char label[100];

    snprintf(label, sizeof label, "%s 1.%u \"%.60s\"", spdm_message_name(code), version & 15u, row->edits);
    pair_init(&p);
    memset(p.req_policy.versions, 0, sizeof p.req_policy.versions);
    p.req_policy.versions[0] = version;
    p.toy.accept_all = true;
    p.wire = wire;
    p.arg = &knife;
    if (row->prepare != NULL) row->prepare(&p);
    pair_start(&p);
    (void)pair_run(&p, row->goal);
    check(&p, &knife, label);
    pair_close(&p);
}

static void run(const struct row *rows, size_t n, uint8_t code)
{
    wrong = 0;
    for (size_t i = 0; i < n; i++) {
        for (const char *minor = rows[i].minors; *minor != '\0'; minor++) {
            try(&rows[i], code, (uint8_t)(0x10 + (*minor - '0')));
        }
    }
    assert_int_equal(wrong, 0);
}

#define TABLE(name, code)                                                                                              \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        run(name##_rows, sizeof name##_rows / sizeof *name##_rows, code);                                              \
    }
TABLE(version, 0x04)
TABLE(capability, 0x61)
TABLE(algorithm, 0x63)
TABLE(identity, 0x01)
TABLE(certificate, 0x02)
TABLE(challenge, 0x03)
TABLE(measurement, 0x60)
TABLE(vendor, 0x7e)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_version),     cmocka_unit_test(test_capability),
                                       cmocka_unit_test(test_algorithm),   cmocka_unit_test(test_identity),
                                       cmocka_unit_test(test_certificate), cmocka_unit_test(test_challenge),
                                       cmocka_unit_test(test_measurement), cmocka_unit_test(test_vendor)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
