/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_info.c - what the device's request shall say (RequesterInfo), and what vendors add to GET_CSR.
 *
 * A request that was made elsewhere has the key of whoever made it. A device
 * refuses another key than its own (R-CSR-06), so the one that it shows a
 * certificate for is put in its place; where there is none, an empty one. */
#include "options.h"
#include "provision.h"
#include "vendor_id.h"
#include <assay/opaque.h>
#include <stdlib.h>
#include <string.h>

enum { OPAQUE_MAX = 1024, GENERAL_FORMAT = 2 }; /* R-CSR-07; facts.opaque_format */

/* ---- from the command line ---- */

static bool load_elements(struct provision *p)
{
    const struct spdm_texts *texts = &p->options->csr_opaque;
    struct spdm_vendor_id *vendor = spdm_text_need(calloc(texts->n + 1, sizeof *vendor));
    struct spdm_opaque_element *e = spdm_text_need(calloc(texts->n + 1, sizeof *e));
    struct spdm_room *data = spdm_text_need(calloc(texts->n + 1, sizeof *data));
    char error[SPDM_REASON_MAX];
    bool good = true;
    for (size_t i = 0; i < texts->n && good; i++) {
        good = spdm_vendor_pair_read(texts->v[i], &vendor[i], &data[i], error, sizeof error);
        if (!good) spdm_setup_complain(&p->setup, "--csr-opaque: %s", error);
        e[i] = (struct spdm_opaque_element){
            .id = vendor[i].body, .vendor = {vendor[i].id, vendor[i].n}, .data = {data[i].p, data[i].n}};
    }
    if (good && texts->n != 0) {
        p->opaque = (struct spdm_room){spdm_text_need(malloc(OPAQUE_MAX)), OPAQUE_MAX};
        p->opaque.n = spdm_opaque_write(p->opaque, e, texts->n).n;
        good = p->opaque.n != 0;
        if (!good) spdm_setup_complain(&p->setup, "--csr-opaque: more than %u bytes of opaque data", OPAQUE_MAX);
    }
    for (size_t i = 0; i < texts->n; i++) free(data[i].p);
    free(data);
    free(vendor);
    free(e);
    return good;
}

bool spdm_provision_load_info(struct provision *p)
{
    const char *path = p->options->csr_info;
    char cause[SPDM_CAUSE_MAX];
    if (path != NULL && !spdm_request_info_load(path, &p->info, cause)) {
        spdm_setup_complain(&p->setup, "--csr-info %s: %s", path, cause);
        return false;
    }
    return load_elements(p);
}

/* ---- for this device ---- */

static void keep_present(struct provision *p, struct spdm_span structure)
{
    free(p->present.p);
    p->present = (struct spdm_room){spdm_text_need(malloc(structure.n + 1)), structure.n};
    if (structure.n != 0) memcpy(p->present.p, structure.p, structure.n);
}

static const struct spdm_openssl_key *on_chain(void *ctx, const struct spdm_event *event)
{
    if (event->kind == SPDM_ASK_TRUST) keep_present(ctx, event->data);
    return NULL;
}

/* The slot whose certificate is for the key: ours; without key pairs all slots have one key for each algorithm. */
static uint8_t slot_with_key(const struct provision *p)
{
    if ((p->used >> p->slot & 1) != 0 || p->facts.multi_key_rsp || p->used == 0) return p->slot;
    uint8_t slot = 0;
    while ((p->used >> slot & 1) == 0) slot++;
    return slot;
}

/* Not believed, and not judged: nothing but the key in it is used, and who lies about that gets a request refused. */
static bool read_present(struct provision *p)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY, .slots = (uint8_t)(1u << slot_with_key(p))};
    if ((p->used >> slot_with_key(p) & 1) == 0) return true;
    if (p->options->bank != PROVISION_NO_BANK) {
        struct spdm_slots_order slots = {
            .sub_code = SPDM_SLOTS_CHAIN, .bank = (uint8_t)p->options->bank, .slot = p->slot};
        if (!spdm_provision_bank_slots(p, slots)) return false;
        keep_present(p, (struct spdm_span){p->reply.p, p->reply.n});
        return true;
    }
    spdm_visit_look(p->visit, on_chain);
    spdm_visit_ask(p->visit, &goal, &p->visited);
    spdm_visit_look(p->visit, NULL);
    if (p->visited.reached && p->present.n == 0) { /* it is trusted already, in this session */
        const struct spdm_room *known = &spdm_visit_result(p->visit)->chain;
        keep_present(p, (struct spdm_span){known->p, known->n});
    }
    return p->present.n != 0;
}

static bool fill_template(struct provision *p)
{
    if (!read_present(p)) return spdm_provision_refused(p, "reading its present certificate");
    struct spdm_span certificates = spdm_provision_certificates(p, &p->present);
    if (!spdm_request_info_for(&p->info, certificates))
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "--csr-info %s: the device's key cannot be put into it",
                                   p->options->csr_info);
    p->info.template = false;
    spdm_provision_tell(p, "Template", "name and attributes of %s, with %s", p->options->csr_info,
                        certificates.n != 0 ? "the device's key" : "no key, as the device shows none");
    return true;
}

bool spdm_provision_fit_info(struct provision *p)
{
    if (p->opaque.n != 0 && p->facts.opaque_format != GENERAL_FORMAT)
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL,
                                   "the device takes no opaque data in the general format (OpaqueDataFmt1)");
    if (p->info.template && !fill_template(p)) return false;
    if (p->info.der.n == 0) return true;
    char *hex = spdm_text_hex((struct spdm_span){p->info.der.p, p->info.der.n}, 0);
    spdm_provision_note(p, "csr_info", json_string(hex));
    free(hex);
    return true;
}
