/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_flags.c - the capabilities of a described device.
 *
 * Left out, they are what the rest of the description can back up. Named, they
 * must be backed up by it, and by each other: a device that promises what it
 * does not do is refused before it listens, not by its first requester. */
#include "port/device_impl.h"
#include "port/errata.h"

#include <stdio.h>
#include <string.h>

#define SESSION (SPDM_KEY_EX_CAP | SPDM_PSK_CAP_MASK)

/* What this program can serve. Others would be promises nobody keeps. */
static const struct {
    const char *name;
    uint32_t flag;
} capabilities[] = {{"CERT", SPDM_CERT_CAP},
                    {"CHAL", SPDM_CHAL_CAP},
                    {"MEAS_NO_SIG", SPDM_MEAS_CAP_PLAIN},
                    {"MEAS_SIG", SPDM_MEAS_CAP_SIGNED},
                    {"MEAS_FRESH", SPDM_MEAS_FRESH_CAP},
                    {"ALIAS_CERT", SPDM_ALIAS_CERT_CAP},
                    {"PUB_KEY_ID", SPDM_PUB_KEY_ID_CAP},
                    {"CHUNK", SPDM_CHUNK_CAP},
                    {"LARGE_RESP", SPDM_LARGE_RESP_CAP},
                    {"KEY_EX", SPDM_KEY_EX_CAP},
                    {"PSK", SPDM_PSK_CAP},
                    {"PSK_WITH_CONTEXT", SPDM_PSK_CAP_CONTEXT},
                    {"MAC", SPDM_MAC_CAP},
                    {"ENCRYPT", SPDM_ENCRYPT_CAP},
                    {"HANDSHAKE_IN_THE_CLEAR", SPDM_HANDSHAKE_IN_THE_CLEAR_CAP},
                    {"HBEAT", SPDM_HBEAT_CAP},
                    {"KEY_UPD", SPDM_KEY_UPD_CAP},
                    {"MUT_AUTH", SPDM_MUT_AUTH_CAP},
                    {"ENCAP", SPDM_ENCAP_CAP},
                    {"EP_INFO_NO_SIG", SPDM_EP_INFO_CAP_PLAIN},
                    {"EP_INFO_SIG", SPDM_EP_INFO_CAP_SIGNED},
                    {"MEL", SPDM_MEL_CAP},
                    {"EVENT", SPDM_EVENT_CAP},
                    {"SET_CERT", SPDM_SET_CERT_CAP},
                    {"CSR", SPDM_CSR_CAP},
                    {"CERT_INSTALL_RESET", SPDM_CERT_INSTALL_RESET_CAP},
                    {"MULTI_KEY", SPDM_MULTI_KEY_CAP_ONLY},
                    {"MULTI_KEY_NEG", SPDM_MULTI_KEY_CAP_NEG},
                    {"GET_KEY_PAIR_INFO", SPDM_GET_KEY_PAIR_INFO_CAP},
                    {"SET_KEY_PAIR_INFO", SPDM_SET_KEY_PAIR_INFO_CAP},
                    {"SET_KEY_PAIR_RESET", SPDM_SET_KEY_PAIR_RESET_CAP},
                    {"SLOT_MGMT", 0}}; /* of ExtFlags */
#define CAPABILITY_N (sizeof capabilities / sizeof *capabilities)

static bool unknown(struct loader *l, const config_setting_t *at, const char *word)
{
    char known[500];
    size_t n = 0;
    for (size_t i = 0; i < CAPABILITY_N; i++)
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i != 0 ? ", " : "", capabilities[i].name);
    return spdm_device_error(l, at, "the capability \"%s\" is none that can be served; these can: %s", word, known);
}

bool spdm_device_capabilities(struct loader *l, const config_setting_t *at, void *out)
{
    const char *word;
    (void)out;
    if (!spdm_device_words(l, at)) return false;
    l->device->policy.flags = 0;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        size_t n = strlen(word), k = 0;
        if (n > 4 && strcmp(word + n - 4, "_CAP") == 0) n -= 4;
        while (k < CAPABILITY_N && (strlen(capabilities[k].name) != n || strncmp(capabilities[k].name, word, n) != 0))
            k++;
        if (k == CAPABILITY_N) return unknown(l, at, word);
        l->device->policy.flags |= capabilities[k].flag;
        if (capabilities[k].flag == 0) l->device->policy.ext_flags |= SPDM_SLOT_MGMT_CAP;
    }
    return true;
}

bool spdm_device_errata(struct loader *l, const config_setting_t *at, void *out)
{
    const char *word;
    (void)out;
    if (!spdm_device_words(l, at)) return false;
    for (int i = 0; (word = spdm_device_word(at, i)) != NULL; i++) {
        char known[200];
        int place = spdm_errata_named(word, strlen(word), true);
        if (place < 0) {
            spdm_errata_names(true, known, sizeof known);
            return spdm_device_error(l, at, "there is no errata switch \"%s\"; known are %s", word, known);
        }
        spdm_errata_apply(1u << place, &l->device->policy);
    }
    return true;
}

static bool asks(const struct spdm_device *d)
{
    return d->policy.mut_auth != 0 || d->policy.basic_mut_auth;
}

static uint32_t session_flags(const struct spdm_device *d, uint32_t flags)
{
    uint32_t out = 0;
    if (d->sessions == 0) return 0;
    if ((flags & (SPDM_CERT_CAP | SPDM_PUB_KEY_ID_CAP)) != 0) out |= SPDM_KEY_EX_CAP;
    if (d->psk_n != 0) out |= SPDM_PSK_CAP_CONTEXT;
    if (out == 0) return 0;
    out |= SPDM_ENCRYPT_CAP | SPDM_MAC_CAP | SPDM_KEY_UPD_CAP;
    if (d->policy.heartbeat != 0) out |= SPDM_HBEAT_CAP;
    return out;
}

/* Whether there is a chain, or can be one. */
static bool has_chain(const struct spdm_device *d)
{
    bool given = d->provisioning.there && (d->provisioning.allow & SPDM_ALLOW_CERTIFICATES) != 0;
    bool chain = given && d->identity.key_pair_n != 0;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        chain = chain || d->identity.slot[i].certificates.n != 0;
        for (unsigned bank = 0; bank < d->identity.bank_n; bank++)
            chain = chain || d->banks[bank].slot[i].certificates.n != 0;
    }
    return chain;
}

static uint32_t flags_of(const struct spdm_device *d)
{
    uint32_t flags = SPDM_CHUNK_CAP;
    bool alias = false, chain = has_chain(d);
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        alias = alias || d->identity.slot[i].model == SPDM_CERT_ALIAS;
        for (unsigned bank = 0; bank < d->identity.bank_n; bank++)
            alias = alias || d->banks[bank].slot[i].model == SPDM_CERT_ALIAS;
    }
    if (chain) flags |= spdm_device_provisioning_flags(d);
    if (chain) flags |= SPDM_CERT_CAP | SPDM_CHAL_CAP;
    if (!chain && d->identity.public_key.n != 0) flags |= SPDM_PUB_KEY_ID_CAP | SPDM_CHAL_CAP;
    if (chain && alias) flags |= SPDM_ALIAS_CERT_CAP;
    if (spdm_device_large(d)) flags |= SPDM_LARGE_RESP_CAP;
    if (d->measurement_n != 0) flags |= (flags & SPDM_CHAL_CAP) != 0 ? SPDM_MEAS_CAP_SIGNED : SPDM_MEAS_CAP_PLAIN;
    if (d->measurement_n != 0) flags |= SPDM_MEAS_FRESH_CAP;
    if (d->endpoint.n != 0) flags |= (flags & SPDM_CHAL_CAP) != 0 ? SPDM_EP_INFO_CAP_SIGNED : SPDM_EP_INFO_CAP_PLAIN;
    if (d->log.n != 0) flags |= SPDM_MEL_CAP;
    flags |= session_flags(d, flags);
    if (d->event_types != 0 && (flags & SESSION) != 0) flags |= SPDM_EVENT_CAP | SPDM_ENCAP_CAP;
    if (asks(d)) flags |= SPDM_MUT_AUTH_CAP | SPDM_ENCAP_CAP;
    return flags;
}

void spdm_device_default_flags(const struct spdm_device *d, struct spdm_policy *p)
{
    p->flags = flags_of(d);
    if (d->identity.bank_n != 0) p->ext_flags = SPDM_SLOT_MGMT_CAP;
}

/* ---- what cannot be ---- */

struct rule {
    uint32_t if_any, needs_any, excludes;
    const char *text;
};

static const struct rule rules[] = {
    {SPDM_CERT_CAP, 0, SPDM_PUB_KEY_ID_CAP, "CERT and PUB_KEY_ID exclude each other (R-CAPR-17)"},
    {SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED, SPDM_CERT_CAP | SPDM_PUB_KEY_ID_CAP, 0,
     "CHAL and MEAS_SIG need an identity: CERT or PUB_KEY_ID"},
    {SPDM_MEAS_CAP_SIGNED, 0, SPDM_MEAS_CAP_PLAIN, "MEAS_SIG and MEAS_NO_SIG exclude each other (R-CAPR-05)"},
    {SPDM_KEY_EX_CAP, SPDM_CERT_CAP | SPDM_PUB_KEY_ID_CAP, 0, "KEY_EX needs an identity: CERT or PUB_KEY_ID"},
    {SPDM_PSK_CAP, 0, SPDM_PSK_CAP_CONTEXT, "PSK and PSK_WITH_CONTEXT exclude each other (R-CAPR-12)"},
    {SESSION, SPDM_MAC_CAP, 0, "KEY_EX and PSK need MAC: records are always authenticated (R-CAPR-11)"},
    {SPDM_MAC_CAP | SPDM_ENCRYPT_CAP | SPDM_HBEAT_CAP | SPDM_KEY_UPD_CAP, SESSION, 0,
     "MAC, ENCRYPT, HBEAT and KEY_UPD need sessions: KEY_EX or PSK (R-CAPR-08)"},
    {SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, SPDM_KEY_EX_CAP, 0, "HANDSHAKE_IN_THE_CLEAR needs KEY_EX (R-CAPR-15)"},
    {SPDM_MUT_AUTH_CAP, SPDM_ENCAP_CAP, 0, "MUT_AUTH needs ENCAP (R-CAPR-31)"},
    {SPDM_EP_INFO_CAP_SIGNED, SPDM_CERT_CAP | SPDM_PUB_KEY_ID_CAP, 0,
     "EP_INFO_SIG needs an identity: CERT or PUB_KEY_ID"},
    {SPDM_EP_INFO_CAP_SIGNED, 0, SPDM_EP_INFO_CAP_PLAIN,
     "EP_INFO_SIG and EP_INFO_NO_SIG exclude each other (R-CAPR-23)"},
    {SPDM_EVENT_CAP, SESSION, 0, "EVENT needs sessions: KEY_EX or PSK (R-EVT-02)"},
    {SPDM_EVENT_CAP, SPDM_ENCAP_CAP, 0, "EVENT needs ENCAP: events are sent in encapsulated requests (R-EVT-18)"},
    {SPDM_CSR_CAP, SPDM_SET_CERT_CAP, 0, "CSR needs SET_CERT (R-CAPR-21)"},
    {SPDM_CERT_INSTALL_RESET_CAP, SPDM_SET_CERT_CAP, 0, "CERT_INSTALL_RESET needs SET_CERT (R-CAPR-22)"},
    {SPDM_MULTI_KEY_CAP_MASK, SPDM_GET_KEY_PAIR_INFO_CAP, 0, "MULTI_KEY needs GET_KEY_PAIR_INFO (R-CAPR-27)"},
    {SPDM_MULTI_KEY_CAP_ONLY, 0, SPDM_MULTI_KEY_CAP_NEG, "MULTI_KEY and MULTI_KEY_NEG exclude each other (R-CAPR-26)"},
    {SPDM_PUB_KEY_ID_CAP, 0, SPDM_MULTI_KEY_CAP_MASK, "PUB_KEY_ID and MULTI_KEY exclude each other (R-CAPR-17)"},
    {SPDM_SET_KEY_PAIR_RESET_CAP, SPDM_SET_KEY_PAIR_INFO_CAP, 0, "SET_KEY_PAIR_RESET needs SET_KEY_PAIR_INFO"},
};

static bool check_each_other(struct loader *l, const config_setting_t *at)
{
    uint32_t flags = l->device->policy.flags;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        bool lacks = r->needs_any != 0 && (flags & r->needs_any) == 0;
        if ((flags & r->if_any) != 0 && (lacks || (flags & r->excludes) != 0))
            return spdm_device_error(l, at, "%s", r->text);
    }
    return true;
}

static bool check_sessions(struct loader *l, config_setting_t *root, const config_setting_t *at)
{
    const struct spdm_device *d = l->device;
    uint32_t flags = d->policy.flags;
    const config_setting_t *sessions = config_setting_get_member(root, "sessions");
    const config_setting_t *requesters = config_setting_get_member(root, "requesters");
    if ((flags & SESSION) != 0 && d->sessions == 0)
        return spdm_device_error(l, at, "KEY_EX and PSK need sessions, but their count is 0");
    if ((flags & SPDM_PSK_CAP_MASK) != 0 && d->psk_n == 0)
        return spdm_device_error(l, at, "PSK needs the setting psks in sessions");
    if ((flags & SPDM_PSK_CAP_MASK) == 0 && d->psk_n != 0 && d->sessions != 0)
        return spdm_device_error(l, sessions, "psks are of no use: PSK is not among the capabilities");
    if ((flags & SPDM_MUT_AUTH_CAP) != 0 && !asks(d))
        return spdm_device_error(l, at, "MUT_AUTH needs the setting requesters");
    if ((flags & SPDM_MUT_AUTH_CAP) == 0 && asks(d))
        return spdm_device_error(l, requesters, "requesters cannot be asked: MUT_AUTH is not among the capabilities");
    if ((flags & SPDM_KEY_EX_CAP) == 0 && d->policy.mut_auth != 0)
        return spdm_device_error(l, requesters,
                                 "requesters prove themselves in sessions by KEY_EX, which is not among "
                                 "the capabilities");
    if ((flags & SPDM_CHAL_CAP) == 0 && d->policy.basic_mut_auth)
        return spdm_device_error(l, requesters, "basic authentication needs CHAL among the capabilities");
    return true;
}

/* What is given to a device has to be allowed, and kept. */
static bool check_provisioning(struct loader *l, config_setting_t *root, const config_setting_t *at)
{
    struct spdm_device *d = l->device;
    const struct spdm_device_provisioning *p = &d->provisioning;
    uint32_t flags = d->policy.flags;
    if ((flags & SPDM_EP_INFO_CAP_MASK) != 0 && d->endpoint.n == 0)
        return spdm_device_error(l, at, "EP_INFO needs the group endpoint");
    if ((flags & SPDM_MEL_CAP) != 0 && d->log.n == 0) return spdm_device_error(l, at, "MEL needs the group log");
    if ((flags & SPDM_EVENT_CAP) != 0 && d->event_types == 0)
        return spdm_device_error(l, at, "EVENT needs the group events");
    if ((flags & SPDM_GET_KEY_PAIR_INFO_CAP) != 0 && d->identity.key_pair_n == 0)
        return spdm_device_error(l, at, "GET_KEY_PAIR_INFO needs the setting key_pairs");
    if ((flags & SPDM_SET_CERT_CAP) != 0 && (p->allow & SPDM_ALLOW_CERTIFICATES) == 0)
        return spdm_device_error(l, at, "SET_CERT needs the group provisioning, and certificates allowed there");
    if ((flags & SPDM_SET_KEY_PAIR_INFO_CAP) != 0 && (p->allow & SPDM_ALLOW_KEY_PAIRS) == 0)
        return spdm_device_error(l, at, "SET_KEY_PAIR_INFO needs the group provisioning, and key-pairs allowed there");
    if ((flags & SPDM_CERT_INSTALL_RESET_CAP) != 0 && !p->reset)
        return spdm_device_error(l, at, "CERT_INSTALL_RESET needs reset = true in the group provisioning");
    if (p->reset && (flags & (SPDM_CERT_INSTALL_RESET_CAP | SPDM_SET_KEY_PAIR_RESET_CAP)) == 0)
        return spdm_device_error(l, config_setting_get_member(root, "provisioning"),
                                 "reset is of no use: neither CERT_INSTALL_RESET nor SET_KEY_PAIR_RESET is among the "
                                 "capabilities");
    if ((d->policy.ext_flags & SPDM_SLOT_MGMT_CAP) != 0 && d->identity.bank_n == 0)
        return spdm_device_error(l, at, "SLOT_MGMT needs the setting banks");
    if ((d->policy.ext_flags & SPDM_SLOT_MGMT_CAP) == 0) return true;
    if ((p->allow & SPDM_ALLOW_CSR) != 0) d->policy.slot_management |= SPDM_SERVE_CSR;
    if ((p->allow & SPDM_ALLOW_BANKS) != 0) d->policy.slot_management |= SPDM_SERVE_BANK;
    if ((p->allow & SPDM_ALLOW_CERTIFICATES) != 0) d->policy.slot_management |= SPDM_SERVE_ERASE | SPDM_SERVE_STORE;
    return true;
}

/* Lists that nobody would ever look at. */
static bool check_lists(struct loader *l, config_setting_t *root)
{
    static const struct {
        const char *list, *text;
        uint32_t needs;
    } lists[] = {
        {"algorithms.exchanges", "exchanges are of no use: KEY_EX is not among the capabilities", SPDM_KEY_EX_CAP},
        {"algorithms.aeads", "aeads are of no use: neither KEY_EX nor PSK is among the capabilities", SESSION},
        {"algorithms.requester_signatures",
         "requester_signatures are of no use: MUT_AUTH is not among the capabilities", SPDM_MUT_AUTH_CAP},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const config_setting_t *at = config_setting_lookup(root, lists[i].list);
        if (at != NULL && (l->device->policy.flags & lists[i].needs) == 0)
            return spdm_device_error(l, at, "%s", lists[i].text);
    }
    return true;
}

bool spdm_device_check_flags(struct loader *l, config_setting_t *root)
{
    const struct spdm_device *d = l->device;
    const config_setting_t *at = config_setting_get_member(root, "capabilities");
    uint32_t flags = d->policy.flags, can = flags_of(d);
    if ((flags & SPDM_CERT_CAP) != 0 && (can & SPDM_CERT_CAP) == 0)
        return spdm_device_error(l, at, "CERT needs a slot with a certificate chain");
    if ((flags & SPDM_PUB_KEY_ID_CAP) != 0 && d->identity.public_key.n == 0)
        return spdm_device_error(l, at, "PUB_KEY_ID needs the setting public_key");
    if (!check_each_other(l, at)) return false;
    if ((flags & SPDM_MEAS_CAP_MASK) != 0 && d->measurement_n == 0)
        return spdm_device_error(l, at, "MEAS_SIG and MEAS_NO_SIG need measurements");
    return check_provisioning(l, root, at) && check_sessions(l, root, at) && check_lists(l, root);
}
