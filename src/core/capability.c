/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which capability flags go together: the rules of the text, one row each
 * (algorithms.md, "Flag consistency", rows marked "text"). Rules that only
 * libspdm has are not enforced on receipt (LQ-08). */
#include "core/conn.h"

#define ANY 0xffffffffu
#define SESSION (SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK)
#define CIPHER (SPDM_ENCRYPT_CAP | SPDM_MAC_CAP)

/* If (flags & mask) equals `value` - ANY: is not zero - then of `then` at least one bit must be set, or none may be.
 * A rule with then == 0 and `set` forbids the value itself. */
struct rule {
    uint32_t mask, value, then;
    bool set;
    uint8_t first, last; /* versions, as the minor digit */
#ifndef SPDM_NO_NAMES
    const char *text;
#endif
};
#ifdef SPDM_NO_NAMES
#define TEXT(text)
#define TEXT_OF(rule) ""
#else
#define TEXT(text) , text
#define TEXT_OF(rule) (rule).text
#endif
#define MUST(m, v, t, first, last, text)                                                                               \
    {                                                                                                                  \
        m, v, t, true, first, last TEXT(text)                                                                          \
    }
#define MUST_NOT(m, v, t, first, last, text)                                                                           \
    {                                                                                                                  \
        m, v, t, false, first, last TEXT(text)                                                                         \
    }

static const struct rule requester_rules[] = {
    MUST(0x00000800u, ANY, 0, 1, 4, "PSK_CAP 2 and 3 are reserved (R-CAPQ-07)"),
    MUST(SESSION, ANY, CIPHER, 1, 4, "KEY_EX_CAP or PSK_CAP needs ENCRYPT_CAP or MAC_CAP (R-CAPQ-06)"),
    MUST_NOT(SESSION, 0, CIPHER | SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, 1, 4,
             "ENCRYPT_CAP, MAC_CAP, HANDSHAKE_IN_THE_CLEAR_CAP need KEY_EX_CAP or PSK_CAP (R-CAPQ-13, R-CAPQ-21)"),
    MUST_NOT(SESSION, SPDM_PSK_CAP, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, 1, 4,
             "HANDSHAKE_IN_THE_CLEAR_CAP needs KEY_EX_CAP (R-CAPQ-12)"),
    MUST_NOT(SPDM_CERT_CAP, ANY, SPDM_PUB_KEY_ID_CAP, 1, 4, "CERT_CAP excludes PUB_KEY_ID_CAP (R-CAPQ-14)"),
    MUST(SPDM_MUT_AUTH_CAP, ANY, SPDM_ENCAP_CAP, 1, 1, "MUT_AUTH_CAP needs ENCAP_CAP (R-CAPQ-26)"),
    MUST(SPDM_EP_INFO_CAP_MASK, SPDM_EP_INFO_CAP_MASK, 0, 3, 4, "EP_INFO_CAP 3 is reserved (R-CAPQ-16)"),
    MUST(SPDM_MULTI_KEY_CAP_MASK, SPDM_MULTI_KEY_CAP_MASK, 0, 3, 4, "MULTI_KEY_CAP 3 is reserved (R-CAPQ-18)"),
    MUST_NOT(SPDM_MULTI_KEY_CAP_MASK, ANY, SPDM_PUB_KEY_ID_CAP, 3, 4,
             "MULTI_KEY_CAP excludes PUB_KEY_ID_CAP (R-CAPQ-14)"),
};

static const struct rule responder_rules[] = {
    MUST(SPDM_MEAS_CAP_MASK, SPDM_MEAS_CAP_MASK, 0, 0, 4, "MEAS_CAP 3 is reserved (R-CAPR-05)"),
    MUST(SPDM_PSK_CAP_MASK, SPDM_PSK_CAP_MASK, 0, 1, 4, "PSK_CAP 3 is reserved (R-CAPR-12)"),
    MUST(SESSION, ANY, CIPHER, 1, 4, "KEY_EX_CAP or PSK_CAP needs ENCRYPT_CAP or MAC_CAP (R-CAPR-11)"),
    MUST_NOT(SESSION, 0, CIPHER, 1, 4, "ENCRYPT_CAP and MAC_CAP need KEY_EX_CAP or PSK_CAP (R-CAPR-08)"),
    MUST(SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, ANY, SPDM_KEY_EX_CAP, 1, 4,
         "HANDSHAKE_IN_THE_CLEAR_CAP needs KEY_EX_CAP (R-CAPR-15)"),
    MUST_NOT(SPDM_CERT_CAP, ANY, SPDM_PUB_KEY_ID_CAP, 1, 4, "CERT_CAP excludes PUB_KEY_ID_CAP (R-CAPR-17)"),
    MUST(SPDM_MUT_AUTH_CAP, ANY, SPDM_ENCAP_CAP, 1, 1, "MUT_AUTH_CAP needs ENCAP_CAP (R-CAPR-31)"),
    MUST(SPDM_CSR_CAP, ANY, SPDM_SET_CERT_CAP, 2, 4, "CSR_CAP needs SET_CERT_CAP (R-CAPR-21)"),
    MUST(SPDM_CERT_INSTALL_RESET_CAP, ANY, SPDM_SET_CERT_CAP | SPDM_CSR_CAP, 2, 4,
         "CERT_INSTALL_RESET_CAP needs SET_CERT_CAP (R-CAPR-22)"),
    MUST_NOT(SPDM_PUB_KEY_ID_CAP, ANY, SPDM_ALIAS_CERT_CAP | SPDM_MULTI_KEY_CAP_MASK, 2, 4,
             "PUB_KEY_ID_CAP excludes ALIAS_CERT_CAP and MULTI_KEY_CAP (R-CAPR-17)"),
    MUST(SPDM_EP_INFO_CAP_MASK, SPDM_EP_INFO_CAP_MASK, 0, 3, 4, "EP_INFO_CAP 3 is reserved (R-CAPR-23)"),
    MUST(SPDM_MULTI_KEY_CAP_MASK, SPDM_MULTI_KEY_CAP_MASK, 0, 3, 4, "MULTI_KEY_CAP 3 is reserved (R-CAPR-26)"),
    MUST(SPDM_MULTI_KEY_CAP_MASK, ANY, SPDM_GET_KEY_PAIR_INFO_CAP, 3, 4,
         "MULTI_KEY_CAP needs GET_KEY_PAIR_INFO_CAP (R-CAPR-27)"),
    MUST(SPDM_SET_KEY_PAIR_RESET_CAP, ANY, SPDM_SET_KEY_PAIR_INFO_CAP, 4, 4,
         "SET_KEY_PAIR_RESET_CAP needs SET_KEY_PAIR_INFO_CAP"),
};

static bool broken(const struct rule *r, uint32_t flags)
{
    uint32_t found = flags & r->mask;
    bool applies = r->value == ANY ? found != 0 : found == r->value;

    return applies && ((flags & r->then) != 0) != r->set;
}

static uint8_t judge(struct conn *c, const struct rule *rules, size_t n, uint32_t flags)
{
    uint8_t minor = c->ed->version & 0x0f;

    for (size_t i = 0; i < n; i++) {
        if (minor < rules[i].first || minor > rules[i].last || !broken(&rules[i], flags)) continue;
        return refuse(c, BAD_FLAGS, TEXT_OF(rules[i]), flags, 0);
    }
    return SPDM_WHY_FINE;
}

bool spdm_capability_sizes(const struct conn *c, uint32_t flags, const struct capabilities *m)
{
    return !c->ed->sizes || (flags & SPDM_CHUNK_CAP) != 0 || c->cfg->policy->unequal_sizes ||
           m->max_message_size == m->data_transfer_size;
}

/* Without chunks nothing larger than one transfer comes, whatever MaxSPDMmsgSize says. */
void spdm_capability_learn(struct spdm_endpoint_facts *out, const struct capabilities *m, uint32_t flags, uint16_t ext)
{
    out->flags = m->flags & flags;
    out->ext_flags = m->ext_flags & ext;
    out->ct_exponent = m->ct_exponent;
    out->data_transfer_size = m->data_transfer_size;
    out->max_message_size = (m->flags & SPDM_CHUNK_CAP) != 0 ? m->max_message_size : m->data_transfer_size;
}

uint8_t spdm_capability_judge_requester(struct conn *c, uint32_t flags)
{
    return judge(c, requester_rules, sizeof requester_rules / sizeof *requester_rules, flags);
}

uint8_t spdm_capability_judge_responder(struct conn *c, uint32_t flags)
{
    return judge(c, responder_rules, sizeof responder_rules / sizeof *responder_rules, flags);
}
