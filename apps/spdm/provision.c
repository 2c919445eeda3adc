/* SPDX-License-Identifier: BSD-3-Clause
 *
 * provision.c - the job from top to bottom. Whatever fails ends it, and has been said. */
#include "provision.h"
#include "info.h"
#include "names.h"
#include "options.h"
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 1 << 17 }; /* the longest chain that is stored, and its request's head */

/* ---- one connection ---- */

static void on_reply(void *ctx, const struct spdm_event *event)
{
    struct provision *p = ctx;
    if (event->kind == SPDM_RESET_DUE) {
        p->reset_due = true;
        p->tag = event->index;
    }
    if (event->kind != SPDM_REPLIED) return;
    free(p->reply.p);
    p->reply = (struct spdm_room){spdm_text_need(malloc(event->data.n + 1)), event->data.n};
    memcpy(p->reply.p, event->data.p, event->data.n);
    /* key pairs come one by one */
    struct spdm_key_pair k;
    if (p->key_pair_n < UINT8_MAX && spdm_key_pair_read(event->data, &k)) {
        k.public_key_info = (struct spdm_span){NULL, 0};
        p->key_pairs[p->key_pair_n++] = k;
    }
}

bool spdm_provision_arrive(struct provision *p)
{
    const struct spdm_visit_order order = {
        .setup = &p->setup, .target = &p->target, .out_max = OUT_MAX, .see = on_reply, .ctx = p};
    spdm_provision_leave(p);
    p->visit = spdm_visit_open(&order, &p->visited);
    if (p->visited.reached && p->setup.session) spdm_visit_attest(p->visit, &p->visited);
    return p->visited.reached;
}

void spdm_provision_leave(struct provision *p)
{
    if (p->visit != NULL) spdm_visit_close(p->visit);
    p->visit = NULL;
}

bool spdm_provision_errand(struct provision *p, const struct spdm_errand *errand, const union spdm_order *order)
{
    p->reset_due = false;
    p->reply.n = 0;
    spdm_visit_errand(p->visit, errand, order, &p->visited);
    return p->visited.reached;
}

/* ---- what is there ---- */

static void introduce(struct provision *p)
{
    const struct spdm_facts *f = &p->facts;
    const struct spdm_attestation *a = spdm_visit_attestation(p->visit);
    const char *name = a != NULL && a->device->subject != NULL ? a->device->subject : p->target.text;
    spdm_provision_tell(p, "Device", "%s; SPDM %s, %s, %s%s%s", name, spdm_version_name(f->version),
                        spdm_algorithm_name((enum spdm_alg)f->signature), spdm_algorithm_name((enum spdm_alg)f->hash),
                        f->multi_key_rsp ? ", a key for each slot" : "", p->setup.session ? ", in a session" : "");
    spdm_provision_note(p, "version", json_string(spdm_version_name(f->version)));
}

/* What the device has to offer for what is wanted. */
static bool able(struct provision *p)
{
    const struct provision_options *o = p->options;
    uint32_t flags = p->facts.responder.flags;
    bool banks = (p->facts.responder.ext_flags & SPDM_SLOT_MGMT_CAP) != 0;
    bool asks = o->ca != NULL || o->csr_out != NULL, stores = o->ca != NULL || o->chain_in != NULL || o->erase;
    bool changes = o->generate || o->erase_key || o->key_slots != 0 || o->key_usage != 0 || o->key_algorithm != 0;
    const char *lacks = NULL;
    if (o->bank != PROVISION_NO_BANK) lacks = banks ? NULL : "banks of slots (SLOT_MGMT_CAP)";
    else if (asks && (flags & SPDM_CSR_CAP) == 0) lacks = "certificate requests (CSR_CAP)";
    else if (stores && (flags & SPDM_SET_CERT_CAP) == 0) lacks = "new certificates (SET_CERT_CAP)";
    if (changes && (flags & SPDM_SET_KEY_PAIR_INFO_CAP) == 0) lacks = "changes of key pairs (SET_KEY_PAIR_INFO_CAP)";
    if (lacks == NULL) return true;
    return spdm_provision_fail(p, SPDM_EXIT_PROTOCOL, "the device offers no %s; SPDM %s was agreed on", lacks,
                               spdm_version_name(p->facts.version));
}

static void choose_model(struct provision *p)
{
    bool alias = (p->facts.responder.flags & SPDM_ALIAS_CERT_CAP) != 0;
    p->model = (uint8_t)p->options->model;
    if (p->model == SPDM_CERT_NONE) p->model = alias ? SPDM_CERT_ALIAS : SPDM_CERT_DEVICE;
    spdm_provision_note(p, "model", json_string(spdm_info_model(p->model)));
}

/* ---- the job ---- */

static bool give_certificate(struct provision *p)
{
    const struct provision_options *o = p->options;
    bool asks = o->ca != NULL || o->csr_out != NULL, stores = o->ca != NULL || o->chain_in != NULL;
    if (asks && !spdm_provision_get_csr(p)) return false;
    if (!stores || (p->reset_due && p->chain.n == 0 && o->chain_in == NULL && !o->dry_run)) return true;
    if (!spdm_provision_get_chain(p) || !spdm_provision_store(p)) return false;
    return o->dry_run || spdm_provision_prove(p);
}

static bool job(struct provision *p)
{
    const struct provision_options *o = p->options;
    if (!spdm_provision_arrive(p)) return spdm_provision_fail(p, p->visited.exit, "%s", p->visited.why);
    p->facts = *spdm_visit_facts(p->visit);
    introduce(p);
    choose_model(p);
    if (!able(p) || !spdm_provision_read_keys(p) || !spdm_provision_change_key(p)) return false;
    if (o->bank_algorithm != 0 && !spdm_provision_bank(p)) return false;
    if (o->ca == NULL && o->csr_out == NULL && o->chain_in == NULL && !o->erase) return true;
    if (!spdm_provision_read_slots(p) || !spdm_provision_choose_slot(p) || !spdm_provision_choose_key(p)) return false;
    return o->erase ? spdm_provision_erase(p) : give_certificate(p);
}

/* ---- the whole ---- */

/* "DIR", or "KEY,CERTS". */
static bool open_authority(struct provision *p)
{
    const char *ca = p->options->ca, *comma = ca != NULL ? strrchr(ca, ',') : NULL;
    char error[SPDM_DEVICE_REASON] = "out of memory";
    if (ca == NULL) return true;
    char *key = comma != NULL ? spdm_text_format("%.*s", (int)(comma - ca), ca) : spdm_text_format("%s/ca.key", ca);
    char *certificates = comma != NULL ? spdm_text_format("%s", comma + 1) : spdm_text_format("%s/ca.pem", ca);
    p->authority = spdm_authority_open(p->setup.ossl, certificates, key, error);
    if (p->authority == NULL) spdm_setup_complain(&p->setup, "%s", error);
    free(key);
    free(certificates);
    return p->authority != NULL;
}

static bool prepare(struct provision *p, const char *target)
{
    char error[SPDM_DEVICE_REASON];
    if (!spdm_target_parse(target, false, &p->target, error)) {
        spdm_setup_complain(&p->setup, "%s", error);
        return false;
    }
    if (!spdm_setup_open(&p->setup) || !open_authority(p) || !spdm_provision_load_info(p)) return false;
    if (p->options->chain_in != NULL) {
        p->chain = spdm_chain_load(p->options->chain_in, "--chain-in", error);
        if (p->chain.n == 0) spdm_setup_complain(&p->setup, "%s", error);
        if (p->chain.n == 0) return false;
    }
    return spdm_setup_record(&p->setup, p->target.binding);
}

static void begin_report(struct provision *p)
{
    p->report = spdm_text_need(json_object());
    p->steps = spdm_text_need(json_array());
    spdm_provision_note(p, "format", json_string("assay-provision/1"));
    spdm_provision_note(p, "target", json_string(p->target.text));
    spdm_provision_note(p, "dry_run", json_boolean(p->options->dry_run));
    spdm_provision_note(p, "stored", json_false());
    spdm_provision_note(p, "reset_due", json_false());
    spdm_provision_note(p, "proven", json_false());
    spdm_provision_note(p, "error", json_null());
    spdm_provision_note(p, "steps", json_incref(p->steps));
}

static void finish(struct provision *p)
{
    spdm_provision_leave(p);
    free(p->reply.p);
    free(p->csr.p);
    free(p->opaque.p);
    free(p->present.p);
    spdm_request_info_clear(&p->info);
    OPENSSL_free(p->chain.p);
    spdm_authority_close(p->authority);
    json_decref(p->report);
    json_decref(p->steps);
    if (!spdm_setup_close(&p->setup)) p->exit = SPDM_EXIT_USAGE;
}

int spdm_provision_main(int argc, char **argv)
{
    static struct provision p;
    struct provision_options o;
    struct spdm_texts target = {NULL, 0};
    int rc = spdm_provision_parse(argc, argv, &o, &target);
    if (rc != SPDM_PARSED) return rc;
    p = (struct provision){.options = &o, .slot = PROVISION_NO_SLOT, .screen = spdm_screen_on(stdout)};
    p.setup = (struct spdm_setup){.command = "provision", .options = &o.peer, .session = o.session};
    signal(SIGPIPE, SIG_IGN);
    if (prepare(&p, target.v[0])) {
        begin_report(&p);
        (void)job(&p);
        if (!spdm_provision_print(&p)) {
            spdm_setup_complain(&p.setup, "cannot write the output");
            p.exit = SPDM_EXIT_USAGE;
        }
    } else {
        p.exit = SPDM_EXIT_USAGE;
    }
    finish(&p);
    return p.exit;
}
