/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Negotiation between both engines when somebody sets what is reserved, and
 * the rules of multi-key connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/pair.h"

static const struct spdm_goal digests = {.want = SPDM_WANT_DIGESTS};

enum { VERSION_AT = 1, CODE_AT = 2 }; /* behind MCTP's message type */

static void only(struct pair *p, uint8_t version)
{
    memset(p->req_policy.versions, 0, sizeof p->req_policy.versions);
    p->req_policy.versions[0] = version;
}

/* ---- reserved bits (R-GEN-02) ---- */

/* Bits of a message that are reserved in these minor versions. */
static const struct {
    uint8_t code, first, last, at, n, mask;
} reserved[] = {
    {0x84, 0, 4, 2, 2, 0xff},  {0x04, 0, 4, 2, 3, 0xff},  {0xe1, 0, 2, 2, 1, 0xff},  {0xe1, 3, 4, 2, 1, 0xfe},
    {0xe1, 0, 4, 3, 1, 0xff},  {0xe1, 1, 4, 4, 1, 0xff},  {0xe1, 1, 4, 6, 2, 0xff},  {0xe1, 1, 4, 8, 1, 0x39},
    {0xe1, 1, 1, 10, 1, 0xfe}, {0xe1, 2, 2, 10, 1, 0xfc}, {0xe1, 3, 4, 10, 1, 0x3c}, {0xe1, 1, 2, 11, 1, 0xff},
    {0xe1, 3, 3, 11, 1, 0xf1}, {0xe1, 4, 4, 11, 1, 0x71}, {0x61, 0, 2, 2, 1, 0xff},  {0x61, 3, 4, 2, 1, 0xfe},
    {0x61, 0, 4, 3, 2, 0xff},  {0x61, 0, 3, 6, 2, 0xff},  {0x61, 4, 4, 6, 1, 0xfe},  {0x61, 4, 4, 7, 1, 0xff},
    {0x61, 0, 0, 8, 1, 0xc0},  {0x61, 0, 0, 9, 3, 0xff},  {0x61, 1, 1, 10, 1, 0xfe}, {0x61, 2, 2, 10, 1, 0xc0},
    {0x61, 1, 2, 11, 1, 0xff}, {0x61, 3, 3, 11, 1, 0xc0}, {0xe3, 0, 0, 2, 1, 0xff},  {0xe3, 0, 4, 3, 1, 0xff},
    {0xe3, 0, 1, 7, 1, 0xff},  {0xe3, 2, 2, 7, 1, 0xfc},  {0xe3, 3, 4, 7, 1, 0xec},  {0xe3, 0, 1, 9, 1, 0xfe},
    {0xe3, 2, 4, 9, 1, 0xf0},  {0xe3, 0, 4, 10, 2, 0xff}, {0xe3, 0, 1, 12, 1, 0xc0}, {0xe3, 2, 4, 12, 1, 0x80},
    {0xe3, 0, 4, 13, 3, 0xff}, {0xe3, 0, 3, 16, 4, 0xff}, {0xe3, 4, 4, 18, 2, 0xff}, {0xe3, 0, 4, 20, 8, 0xff},
    {0xe3, 0, 4, 30, 1, 0xff}, {0xe3, 0, 2, 31, 1, 0xff}, {0x63, 0, 0, 2, 1, 0xff},  {0x63, 0, 4, 3, 1, 0xff},
    {0x63, 0, 1, 7, 1, 0xff},  {0x63, 2, 2, 7, 1, 0xf0},  {0x63, 3, 4, 7, 1, 0xe0},  {0x63, 0, 3, 20, 4, 0xff},
    {0x63, 0, 4, 24, 7, 0xff}, {0x63, 0, 2, 31, 1, 0xff}, {0x63, 0, 4, 34, 2, 0xff}, {0x81, 0, 4, 2, 2, 0xff},
    {0x01, 0, 2, 2, 1, 0xff}};

static size_t set_reserved(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    uint8_t minor = p->req_policy.versions[0] & 0x0f;

    (void)to_responder;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (reserved[i].code != frame[CODE_AT] || minor < reserved[i].first || minor > reserved[i].last) continue;
        for (size_t k = 0; k < reserved[i].n; k++) {
            size_t at = VERSION_AT + reserved[i].at + k;

            if (at < n) frame[at] |= reserved[i].mask;
        }
    }
    return n;
}

/* Whatever is reserved is set in every message of the negotiation: both ends know the same as without. */
static void test_reserved_bits(void **state)
{
    static struct pair plain, loud;

    (void)state;
    for (uint8_t version = SPDM_V10; version <= SPDM_V14; version++) {
        pair_init(&plain);
        only(&plain, version);
        pair_start(&plain);
        assert_true(pair_run(&plain, &digests));
        pair_init(&loud);
        only(&loud, version);
        loud.wire = set_reserved;
        pair_start(&loud);
        if (!pair_run(&loud, &digests)) {
            char text[200];

            spdm_report_text(loud.failure.why == SPDM_WHY_PEER_ERROR ? &loud.refused : &loud.failure, text,
                             sizeof text);
            fail_msg("1.%u: %s", version & 15u, text);
        }
        assert_memory_equal(spdm_requester_facts(plain.rq), spdm_requester_facts(loud.rq), sizeof(struct spdm_facts));
        assert_memory_equal(spdm_responder_facts(plain.rs), spdm_responder_facts(loud.rs), sizeof(struct spdm_facts));
        pair_close(&plain);
        pair_close(&loud);
    }
}

/* ---- multi-key connections (R-MKY-03 ... R-MKY-08) ---- */

enum { OTHER_PARAMS = VERSION_AT + 7, MULTI_KEY = 0x10 };
static uint8_t edited_code;

static size_t flip_multi_key(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    (void)p;
    (void)to_responder;
    if (frame[CODE_AT] == edited_code) frame[OTHER_PARAMS] ^= MULTI_KEY;
    return n;
}

struct multi_key {
    uint32_t req_caps, rsp_caps;
    uint8_t edited;   /* message whose bit is turned over on its way, 0: none */
    const char *rule; /* that is broken, NULL: none */
    bool rsp, req;    /* multi-key of either side afterwards */
    bool want;        /* the requester asks for it where it may */
};

static void check_multi_key(uint8_t version, const struct multi_key *m)
{
    static struct pair p;
    char text[300];
    bool there = (version & 15) >= 3;

    pair_init(&p);
    only(&p, version);
    p.req_policy.flags |= m->req_caps != 0 ? m->req_caps | SPDM_CERT_CAP : 0;
    p.req_policy.multi_key = m->want;
    p.rsp_policy.flags |= m->rsp_caps != 0 ? m->rsp_caps | SPDM_GET_KEY_PAIR_INFO_CAP : 0;
    edited_code = m->edited;
    p.wire = flip_multi_key;
    pair_start(&p);
    if (m->rule != NULL && there) {
        assert_false(pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT}));
        spdm_report_text(m->edited == 0xe3 ? &p.refused : &p.failure, text, sizeof text);
        if (strstr(text, m->rule) == NULL) fail_msg("%s instead of %s", text, m->rule);
    } else {
        if (!pair_run(&p, &(struct spdm_goal){.want = SPDM_WANT_CONNECT})) {
            spdm_report_text(&p.failure, text, sizeof text);
            fail_msg("1.%u: %s", version & 15u, text);
        }
        assert_int_equal(spdm_requester_facts(p.rq)->multi_key_rsp, there && m->rsp);
        assert_int_equal(spdm_responder_facts(p.rs)->multi_key_rsp, there && m->rsp);
        assert_int_equal(spdm_requester_facts(p.rq)->multi_key_req, there && m->req);
        assert_int_equal(spdm_responder_facts(p.rs)->multi_key_req, there && m->req);
    }
    pair_close(&p);
}

static void test_multi_key(void **state)
{
    static const struct multi_key cases[] = {
        {0, 0, 0, NULL, false, false, true},
        {0, SPDM_MULTI_KEY_CAP_ONLY, 0, NULL, true, false, false},
        {0, SPDM_MULTI_KEY_CAP_NEG, 0, NULL, false, false, false},
        {0, SPDM_MULTI_KEY_CAP_NEG, 0, NULL, true, false, true},
        {SPDM_MULTI_KEY_CAP_ONLY, 0, 0, NULL, false, true, false},
        {SPDM_MULTI_KEY_CAP_NEG, 0, 0, NULL, false, false, false},
        {SPDM_MULTI_KEY_CAP_ONLY, SPDM_MULTI_KEY_CAP_ONLY, 0, NULL, true, true, false},
        {0, 0, 0xe3, "R-MKY-04", false, false, false},
        {0, SPDM_MULTI_KEY_CAP_ONLY, 0xe3, "R-MKY-03", false, false, false},
        {0, 0, 0x63, "R-MKY-07", false, false, false},
        {SPDM_MULTI_KEY_CAP_ONLY, 0, 0x63, "R-MKY-07", false, false, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint8_t version = SPDM_V12; version <= SPDM_V14; version++) check_multi_key(version, &cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reserved_bits), cmocka_unit_test(test_multi_key)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
