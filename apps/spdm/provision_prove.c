/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_prove.c - what the device shows afterwards: the chain that was stored, and that it holds the key. */
#include "options.h"
#include "provision.h"
#include <string.h>

/* Below the device's own authority (alias model) the device has put what it made itself. */
static bool is_ours(const struct provision *p, struct spdm_span shown)
{
    if (shown.p == NULL || p->chain.p == NULL) return false;
    bool whole = p->model != SPDM_CERT_ALIAS ? shown.n == p->chain.n : shown.n >= p->chain.n;
    return whole && memcmp(shown.p, p->chain.p, p->chain.n) == 0;
}

/* A connection of its own, that believes the root of the new chain and looks at its slot only. */
static bool look(struct provision *p)
{
    const struct spdm_attest_result *r;
    p->setup.session = false;
    p->setup.court.cache = NULL; /* nothing that is known already: it shall show the chain */
    spdm_judge_forget(p->setup.court.judge, (struct spdm_span){NULL, 0});
    p->proof = p->options->peer;
    p->proof.slots = (uint8_t)(1u << p->slot);
    p->setup.options = &p->proof;
    if (!spdm_provision_arrive(p)) return false;
    spdm_visit_attest(p->visit, &p->visited);
    r = spdm_visit_result(p->visit);
    return is_ours(p, spdm_provision_certificates(p, &r->chain));
}

static bool read_bank_slot(struct provision *p)
{
    union spdm_order order = {
        .slots = {.sub_code = SPDM_SLOTS_CHAIN, .bank = (uint8_t)p->options->bank, .slot = p->slot}};
    return spdm_provision_errand(p, &spdm_errand_slots, &order) &&
           is_ours(p, spdm_provision_certificates(p, &p->reply));
}

static bool wait_for_reset(struct provision *p)
{
    uint64_t until = uv_hrtime() / 1000000 + p->options->wait_reset;
    spdm_provision_tell(p, "Reset", "reset the device now");
    do {
        spdm_provision_leave(p);
        uv_sleep(500);
        spdm_setup_start_clock(&p->setup, until);
        if (look(p)) return true;
    } while (uv_hrtime() / 1000000 < until);
    return spdm_provision_fail(p, SPDM_EXIT_UNREACHABLE, "the device did not show the new certificate in time%s%s",
                               p->visited.why[0] != '\0' ? ": " : "", p->visited.why);
}

static bool tell_verdict(struct provision *p, bool shown)
{
    const struct spdm_attestation *a = spdm_visit_attestation(p->visit);
    if (!shown && a == NULL) return spdm_provision_fail(p, p->visited.exit, "looking again: %s", p->visited.why);
    if (!shown)
        return spdm_provision_fail(p, SPDM_EXIT_NOT_TRUSTED,
                                   "slot %u does not show the certificate that was stored%s%s", p->slot,
                                   p->visited.why[0] != '\0' ? ": " : "", p->visited.why);
    spdm_provision_note(p, "proven", json_boolean(p->visited.reached));
    if (!p->visited.reached)
        return spdm_provision_fail(p, SPDM_EXIT_NOT_TRUSTED, "the new certificate is there, but not trusted: %s",
                                   p->visited.why);
    spdm_provision_tell(p, "Proof", "slot %u shows it, and the device holds its key: %s", p->slot,
                        a->device->subject != NULL ? a->device->subject : "trusted");
    return true;
}

bool spdm_provision_prove(struct provision *p)
{
    struct spdm_span root = {p->chain.p, spdm_x509_length((struct spdm_span){p->chain.p, p->chain.n})};
    if (p->options->bank != PROVISION_NO_BANK) {
        if (!read_bank_slot(p)) return spdm_provision_refused(p, "reading the slot again");
        spdm_provision_tell(p, "Proof", "slot %u of the bank shows it", p->slot);
        return true;
    }
    if (p->reset_due && p->options->wait_reset == 0) {
        spdm_provision_tell(p, "Reset", "reset the device, then `spdm attest --slot %u` shows the new certificate",
                            p->slot);
        return true;
    }
    if (!spdm_judge_trust_der(p->setup.court.judge, root, NULL)) return false;
    bool due = p->reset_due, shown = due ? wait_for_reset(p) : look(p);
    if (due && !shown) return false;
    return tell_verdict(p, shown);
}
