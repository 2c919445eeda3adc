/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision_slot.c - GET_CSR and SET_CERTIFICATE, or SLOT_MANAGEMENT where a bank was named. */
#include "info.h"
#include "options.h"
#include "port/x509_judge.h"
#include "provision.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct spdm_span bytes_of(const struct spdm_room *room)
{
    return (struct spdm_span){room->p, room->n};
}

static bool in_bank(const struct provision *p)
{
    return p->options->bank != PROVISION_NO_BANK;
}

bool spdm_provision_bank_slots(struct provision *p, struct spdm_slots_order slots)
{
    union spdm_order order = {.slots = slots};
    bool reads = slots.sub_code < SPDM_SLOTS_CSR;
    return spdm_provision_errand(p, reads ? &spdm_errand_slots : &spdm_errand_change_slots, &order);
}

struct spdm_span spdm_provision_certificates(const struct provision *p, const struct spdm_room *structure)
{
    size_t head = 4u + spdm_algorithm((enum spdm_alg)p->facts.hash)->size;
    if (structure->n <= head) return (struct spdm_span){NULL, 0};
    return (struct spdm_span){structure->p + head, structure->n - head};
}

/* ---- which there are ---- */

static bool read_bank(struct provision *p)
{
    struct spdm_slots_order slots = {.sub_code = SPDM_SLOTS_DETAILS, .bank = (uint8_t)p->options->bank};
    struct spdm_bank_details bank;
    struct spdm_bank_slot slot;
    struct spdm_span rest;
    if (!spdm_provision_bank_slots(p, slots)) return spdm_provision_refused(p, "reading the bank");
    if (!spdm_bank_open(bytes_of(&p->reply), &bank, &rest)) return true;
    while (spdm_bank_slot_next(&rest, &slot)) {
        p->slots = (uint8_t)(p->slots | 1u << slot.slot);
        if (slot.provisioned) p->used = (uint8_t)(p->used | 1u << slot.slot);
        if (slot.protected) p->protected = (uint8_t)(p->protected | 1u << slot.slot);
    }
    spdm_provision_tell(p, "Bank", "%u: %s%s", bank.bank, spdm_key_pair_name(bank.asym, bank.pqc),
                        bank.selected ? ", in use here" : "");
    spdm_provision_note(p, "bank", json_integer(bank.bank));
    return true;
}

/* A device without any certificate may refuse to tell of them. */
static bool read_digests(struct provision *p)
{
    const struct spdm_goal goal = {.want = SPDM_WANT_DIGESTS};
    p->slots = 0xff;
    if ((p->facts.responder.flags & SPDM_CERT_CAP) == 0) return true;
    spdm_visit_ask(p->visit, &goal, &p->visited);
    if (!p->visited.reached && p->visited.exit != SPDM_EXIT_OK) return spdm_provision_refused(p, "reading its slots");
    const struct spdm_facts *f = spdm_visit_facts(p->visit);
    if (!p->visited.reached) return true;
    if (f->version >= SPDM_V13) p->slots = f->supported_slots;
    p->used = f->provisioned_slots;
    return true;
}

bool spdm_provision_read_slots(struct provision *p)
{
    if (!(in_bank(p) ? read_bank(p) : read_digests(p))) return false;
    char *all = spdm_info_slots(p->slots), *used = spdm_info_slots(p->used);
    spdm_provision_tell(p, "Slots", "%s; in use: %s", all, used);
    free(all);
    free(used);
    return true;
}

bool spdm_provision_choose_slot(struct provision *p)
{
    uint8_t empty = (uint8_t)(p->slots & ~p->used & ~p->protected);
    p->slot = p->options->slot;
    for (uint8_t i = 0; p->slot == PROVISION_NO_SLOT && i < SPDM_SLOT_N; i++)
        if ((empty >> i & 1) != 0) p->slot = i;
    /* who only wants a request overwrites nothing, and without key pairs it is the same one for every slot */
    bool stores = p->options->ca != NULL || p->options->chain_in != NULL;
    for (uint8_t i = 0; p->slot == PROVISION_NO_SLOT && !stores && !p->facts.multi_key_rsp && i < SPDM_SLOT_N; i++)
        if ((p->used >> i & 1) != 0) p->slot = i;
    if (p->slot == PROVISION_NO_SLOT)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "no slot is empty: name the one to overwrite with --slot");
    if ((p->slots >> p->slot & 1) == 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "the device has no slot %u", p->slot);
    if ((p->protected >> p->slot & 1) != 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "slot %u is write-protected", p->slot);
    if (p->options->erase && (p->used >> p->slot & 1) == 0)
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "slot %u is empty already", p->slot);
    spdm_provision_note(p, "slot", json_integer(p->slot));
    return true;
}

/* ---- the request ---- */

static bool ask_for_csr(struct provision *p, uint8_t tag)
{
    const struct provision_options *o = p->options;
    const struct spdm_span info = bytes_of(&p->info.der), opaque = bytes_of(&p->opaque);
    union spdm_order order = {
        .csr = {.key_pair = p->key_pair, .model = p->model, .tag = tag, .info = info, .opaque = opaque}};
    struct spdm_slots_order slots = {.sub_code = SPDM_SLOTS_CSR,
                                     .bank = (uint8_t)o->bank,
                                     .slot = p->slot,
                                     .key_pair = p->key_pair,
                                     .model = p->model,
                                     .tag = tag,
                                     .overwrite = o->overwrite_csr,
                                     .info = info,
                                     .opaque = opaque};
    order.csr.overwrite = o->overwrite_csr;
    return in_bank(p) ? spdm_provision_bank_slots(p, slots) : spdm_provision_errand(p, &spdm_errand_csr, &order);
}

/* The device makes the request while it starts. Until it has, it says so, or is not there at all. */
static bool wait_for_csr(struct provision *p)
{
    uint64_t until = uv_hrtime() / 1000000 + p->options->wait_reset;
    uint8_t tag = p->tag;
    spdm_provision_tell(p, "Reset", "reset the device now: it makes the request then");
    while (uv_hrtime() / 1000000 < until) {
        spdm_provision_leave(p);
        uv_sleep(500);
        spdm_setup_start_clock(&p->setup, until);
        if (spdm_provision_arrive(p) && ask_for_csr(p, tag) && !p->reset_due) {
            spdm_setup_start_clock(&p->setup, 0);
            return true;
        }
        if (p->visited.exit == SPDM_EXIT_NOT_TRUSTED) break;
    }
    p->tag = tag;
    return false;
}

static bool write_csr(struct provision *p)
{
    const char *path = p->options->csr_out;
    FILE *to = path != NULL ? fopen(path, "w") : NULL;
    if (path == NULL) return true;
    bool good = to != NULL && spdm_csr_write(bytes_of(&p->csr), to);
    if (to != NULL) good = fclose(to) == 0 && good;
    if (!good) return spdm_provision_fail(p, SPDM_EXIT_USAGE, "--csr-out %s: %s", path, strerror(errno));
    spdm_provision_tell(p, "Written", "%s", path);
    return true;
}

static bool keep_csr(struct provision *p)
{
    struct spdm_csr csr;
    char cause[SPDM_CAUSE_MAX];
    p->csr = p->reply;
    p->reply = (struct spdm_room){NULL, 0};
    if (!spdm_csr_read(p->setup.ossl, bytes_of(&p->csr), &csr, cause))
        return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "its certificate request: %s", cause);
    char *hex = spdm_text_hex(bytes_of(&p->csr), 0);
    spdm_provision_note(p, "csr", json_string(hex));
    free(hex);
    spdm_provision_tell(p, "Request", "%s; %s, signed by this key", csr.subject[0] != '\0' ? csr.subject : "(no name)",
                        csr.key);
    return write_csr(p);
}

bool spdm_provision_get_csr(struct provision *p)
{
    const struct provision_options *o = p->options;
    if (!spdm_provision_fit_info(p)) return false;
    if (o->dry_run) {
        spdm_provision_tell(p, "Request", "would ask for one%s", o->csr_out != NULL ? ", and write it" : "");
        return true;
    }
    if (!ask_for_csr(p, (uint8_t)o->csr_tag)) return spdm_provision_refused(p, "asking for a certificate request");
    if (p->reset_due && o->wait_reset != 0 && !wait_for_csr(p))
        return spdm_provision_fail(p, SPDM_EXIT_UNREACHABLE, "the request did not come in time: %s",
                                   p->visited.why[0] != '\0' ? p->visited.why : "the device was not reset");
    if (!p->reset_due) return keep_csr(p);
    spdm_provision_note(p, "reset_due", json_true());
    spdm_provision_note(p, "csr_tag", json_integer(p->tag));
    if (p->tag != 0) spdm_provision_tell(p, "Reset", "reset the device, then go on with --csr-tag %u", p->tag);
    else spdm_provision_tell(p, "Reset", "reset the device, then do this once more");
    return true;
}

/* ---- the chain ---- */

static struct spdm_judgement *judge(struct provision *p, struct spdm_span structure)
{
    struct spdm_judge *judge = spdm_text_need(spdm_judge_open(p->setup.ossl));
    struct spdm_span all = bytes_of(&p->chain);
    struct spdm_span root = {all.p, spdm_x509_length(all)};
    struct spdm_judge_case input = {.chain = structure,
                                    .hash = (enum spdm_alg)p->facts.hash,
                                    .signature = (enum spdm_alg)p->facts.signature,
                                    .version = p->facts.version,
                                    .slot = p->slot,
                                    .model = p->model,
                                    .multi_key = p->facts.multi_key_rsp};
    if (!p->options->peer.no_time) input.now = time(NULL);
    (void)spdm_judge_trust_der(judge, root, NULL);
    struct spdm_judgement *out = spdm_text_need(spdm_judge_decide(judge, &input));
    spdm_judge_close(judge);
    return out;
}

static void tell_chain(struct provision *p, const struct spdm_judgement *j)
{
    const struct spdm_x509 *leaf = spdm_judgement_leaf(j);
    char name[300], issuer[300], from[40], to[40];
    if (leaf == NULL) return;
    spdm_x509_name_text(leaf->subject, name, sizeof name);
    spdm_x509_name_text(leaf->issuer, issuer, sizeof issuer);
    spdm_x509_time_text(leaf->not_before, from, sizeof from);
    spdm_x509_time_text(leaf->not_after, to, sizeof to);
    spdm_provision_tell(p, "Certificate", "%s; %s, %.10s to %.10s, issued by %s", name, leaf->key_name, from, to,
                        issuer);
    spdm_provision_tell(p, "Chain", "%u certificates, %zu bytes", j->certificate_n, p->chain.n);
}

/* Nobody shall have to find out from the device that a chain is of no use. The last certificate of the alias model is
 * an authority's: what stands below it is the device's own. */
static bool check(struct provision *p, const struct spdm_judgement *j)
{
    for (unsigned i = 0; i < j->finding_n; i++) {
        const struct spdm_finding *f = &j->finding[i];
        char text[400];
        bool of_leaf = f->id == SPDM_FOUND_LEAF_IS_CA || f->id == SPDM_FOUND_LEAF_NO_SIGNING ||
                       f->id == SPDM_FOUND_HARDWARE_IN_ALIAS || f->id == SPDM_FOUND_KEY_MISMATCH ||
                       f->id == SPDM_FOUND_LEAF_ROLE;
        bool other = in_bank(p) && f->id == SPDM_FOUND_KEY_MISMATCH; /* a bank has an algorithm of its own */
        if (f->severity != SPDM_REFUSAL || (p->model == SPDM_CERT_ALIAS && of_leaf) || other) continue;
        spdm_finding_text(j, f, text, sizeof text);
        return spdm_provision_fail(p, SPDM_EXIT_USAGE, "the chain would not be believed: %s", text);
    }
    if (p->csr.n == 0 || spdm_chain_fits(p->setup.ossl, bytes_of(&p->chain), bytes_of(&p->csr))) return true;
    return spdm_provision_fail(p, SPDM_EXIT_USAGE, "the certificate is not for the key of the request");
}

static bool sign(struct provision *p)
{
    const struct provision_options *o = p->options;
    const struct spdm_authority_order order = {
        .csr = bytes_of(&p->csr), .model = p->model, .days = o->days, .now = time(NULL), .subject = o->subject};
    char cause[SPDM_CAUSE_MAX];
    p->chain = spdm_authority_sign(p->authority, &order, cause);
    return p->chain.n != 0 || spdm_provision_fail(p, SPDM_EXIT_USAGE, "signing its request: %s", cause);
}

bool spdm_provision_get_chain(struct provision *p)
{
    if (p->options->chain_in == NULL && p->options->dry_run) {
        spdm_provision_tell(p, "Certificate", "would sign it with %s, for %u days", p->options->ca, p->options->days);
        return true;
    }
    if (p->options->chain_in == NULL && !sign(p)) return false;
    struct spdm_room structure = spdm_chain_structure(p->setup.ossl, bytes_of(&p->chain), (enum spdm_alg)p->facts.hash);
    if (structure.n == 0) return spdm_provision_fail(p, SPDM_EXIT_USAGE, "the chain holds no certificate");
    struct spdm_judgement *j = judge(p, bytes_of(&structure));
    bool good = check(p, j);
    if (good) tell_chain(p, j);
    spdm_judgement_free(j);
    OPENSSL_free(structure.p);
    return good;
}

/* ---- storing ---- */

static bool send_chain(struct provision *p, struct spdm_span chain, bool erase)
{
    union spdm_order order = {.store = {.slot = p->slot, .key_pair = p->key_pair, .erase = erase, .chain = chain}};
    struct spdm_slots_order slots = {.sub_code = erase ? SPDM_SLOTS_ERASE : SPDM_SLOTS_STORE,
                                     .bank = (uint8_t)p->options->bank,
                                     .slot = p->slot,
                                     .key_pair = p->key_pair,
                                     .model = erase ? SPDM_CERT_NONE : p->model,
                                     .chain = chain};
    order.store.model = erase ? SPDM_CERT_NONE : p->model;
    return in_bank(p) ? spdm_provision_bank_slots(p, slots) : spdm_provision_errand(p, &spdm_errand_store, &order);
}

bool spdm_provision_store(struct provision *p)
{
    bool used = (p->used >> p->slot & 1) != 0;
    if (p->options->dry_run) {
        spdm_provision_tell(p, "Slot", "would store it in slot %u%s", p->slot, used ? ", which is in use" : "");
        return true;
    }
    struct spdm_room chain = spdm_chain_structure(p->setup.ossl, bytes_of(&p->chain), (enum spdm_alg)p->facts.hash);
    bool done = chain.n != 0 && send_chain(p, bytes_of(&chain), false);
    OPENSSL_free(chain.p);
    if (!done) return spdm_provision_refused(p, "storing the certificate");
    char *hex = spdm_text_hex(bytes_of(&p->chain), 0);
    spdm_provision_note(p, "chain", json_string(hex));
    spdm_provision_note(p, "stored", json_true());
    spdm_provision_note(p, "reset_due", json_boolean(p->reset_due));
    spdm_provision_tell(p, "Slot", "stored in slot %u%s", p->slot,
                        p->reset_due ? "; it is used when the device has been reset" : "");
    free(hex);
    return true;
}

bool spdm_provision_erase(struct provision *p)
{
    if (p->options->dry_run) {
        spdm_provision_tell(p, "Slot", "would erase slot %u", p->slot);
        return true;
    }
    if (!send_chain(p, (struct spdm_span){NULL, 0}, true)) return spdm_provision_refused(p, "erasing the slot");
    spdm_provision_note(p, "erased", json_true());
    spdm_provision_note(p, "reset_due", json_boolean(p->reset_due));
    spdm_provision_tell(p, "Slot", "erased slot %u%s", p->slot, p->reset_due ? ", when the device has been reset" : "");
    return true;
}

bool spdm_provision_bank(struct provision *p)
{
    enum spdm_alg algorithm = (enum spdm_alg)p->options->bank_algorithm;
    struct spdm_slots_order slots = {.sub_code = SPDM_SLOTS_BANK, .bank = (uint8_t)p->options->bank};
    bool pqc = spdm_algorithm(algorithm)->cls == SPDM_CLASS_PQC;
    *(pqc ? &slots.pqc : &slots.asym) = spdm_key_pair_bit(algorithm);
    if (p->options->dry_run) {
        spdm_provision_tell(p, "Bank", "%u: would make it %s", slots.bank, spdm_algorithm_name(algorithm));
        return true;
    }
    if (!spdm_provision_bank_slots(p, slots)) return spdm_provision_refused(p, "changing the bank");
    spdm_provision_tell(p, "Bank", "%u: %s now", slots.bank, spdm_algorithm_name(algorithm));
    return true;
}
