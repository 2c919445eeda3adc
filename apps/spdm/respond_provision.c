/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_provision.c - keys and certificates that requesters give.
 *
 * A change is made to a copy of the state; the device is loaded with it, which
 * checks that it fits; it is written; then the device takes the place of the
 * present one, and only now the requester is told. Where it is to take effect
 * after a reset, it stays with the state on the disk until then.
 *
 * Who brought the change about goes on; all other clients must start over
 * (R-VSN-15), unless it did not change what they see. */
#include "respond.h"

#include <assay/errand.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct change {
    const struct spdm_state_slot *slot;
    const struct spdm_state_pair *pair;
    const struct spdm_state_bank *bank;
    const struct spdm_state_csr *csr;
    bool overwrite; /* csr: all others are given up */
};

static const char *peer(const struct client *c)
{
    return spdm_link_peer(c->link);
}

static void say_no(struct client *c, uint8_t error)
{
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .error = error});
}

static void say_yes(struct client *c)
{
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = true});
}

/* ---- making a change ---- */

static struct spdm_device_state *changed(const struct spdm_device_state *from, const struct change *change)
{
    struct spdm_device_state *s = from != NULL ? spdm_state_copy(from) : spdm_state_new();
    bool fine = s != NULL;
    if (fine && change->overwrite)
        while (s->csr_n != 0) spdm_state_drop_csr(s, s->csr[0].tag);
    if (fine && change->slot != NULL) fine = spdm_state_put_slot(s, change->slot);
    if (fine && change->pair != NULL) fine = spdm_state_put_pair(s, change->pair);
    if (fine && change->bank != NULL) fine = spdm_state_put_bank(s, change->bank);
    if (fine && change->csr != NULL) fine = spdm_state_put_csr(s, change->csr);
    if (fine) return s;
    spdm_state_free(s);
    return NULL;
}

/* Writes what the device will be after a reset. */
static bool keep(struct client *c, struct spdm_device_state *next)
{
    struct server *s = c->server;
    char cause[SPDM_CAUSE_MAX];
    if (!spdm_state_write(s->ossl, &spdm_file_system, s->state_dir, next, cause)) {
        spdm_respond_say(s, "%s: what the requester gave cannot be kept: %s", peer(c), cause);
        return false;
    }
    spdm_state_free(s->staged);
    s->staged = next;
    return true;
}

/* 0, or the ErrorCode to answer with. */
static uint8_t make_change(struct client *c, const struct change *change, bool after_reset)
{
    struct server *s = c->server;
    char error[SPDM_DEVICE_REASON] = "out of memory";
    struct spdm_device_state *next = changed(s->staged, change), *now = NULL;
    struct spdm_device *fresh = NULL;
    if (!after_reset) now = changed(s->generation->device->state, change);
    if (next != NULL && (after_reset || now != NULL))
        fresh = spdm_respond_load_with(s, after_reset ? next : now, error);
    spdm_state_free(now);
    if (fresh == NULL || !keep(c, next)) {
        if (fresh == NULL) spdm_respond_client_says(s, "%s: not taken: %s", peer(c), error);
        spdm_device_free(fresh);
        spdm_state_free(next);
        return SPDM_ERROR_OPERATION_FAILED;
    }
    if (after_reset) {
        spdm_device_free(fresh);
        return SPDM_ERROR_RESET_REQUIRED;
    }
    return spdm_respond_replace(s, fresh, c) ? 0 : SPDM_ERROR_UNSPECIFIED;
}

/* Whether what this client is told may be that a reset is needed. */
static bool waits_for_reset(const struct client *c, uint32_t flag)
{
    const struct spdm_facts *f = spdm_responder_facts(c->engine);
    return c->server->generation->device->provisioning.reset && (f->responder.flags & flag) != 0;
}

/* ---- SET_CERTIFICATE ---- */

/* RootHash belongs to the first certificate, or to a root that we know: else nobody could make RootHash in another
 * hash. */
static bool find_root(struct client *c, struct spdm_span chain, struct spdm_span certificates, struct spdm_span *root)
{
    const struct spdm_facts *f = spdm_responder_facts(c->engine);
    const struct spdm_device *d = c->server->generation->device;
    const struct spdm_crypto *crypto = c->config.crypto;
    size_t h = spdm_algorithm((enum spdm_alg)f->hash)->size, first = spdm_x509_length(certificates);
    struct spdm_span known[1 + SPDM_SLOT_N] = {{certificates.p, first <= certificates.n ? first : 0}};
    uint8_t digest[SPDM_HASH_MAX];
    void *state = calloc(1, crypto->hash_state_size);
    bool found = false;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) known[1 + i] = d->identity.slot[i].root;
    for (unsigned i = 0; state != NULL && !found && i <= SPDM_SLOT_N; i++) {
        if (known[i].n == 0) continue;
        *root = known[i];
        found = crypto->hash_begin(c->config.crypto_ctx, state, (enum spdm_alg)f->hash) &&
                crypto->hash_update(c->config.crypto_ctx, state, known[i]) &&
                crypto->hash_peek(c->config.crypto_ctx, state, digest) && memcmp(digest, chain.p + 4, h) == 0;
        crypto->hash_end(c->config.crypto_ctx, state);
    }
    free(state);
    return found;
}

/* Signatures, names and SPDM's rules hold; validity is for who has a clock to trust. The algorithm is that of the key,
 * which need not be the negotiated one. */
static bool holds(struct client *c, const struct spdm_store_order *o, struct spdm_span root)
{
    const struct spdm_facts *f = spdm_responder_facts(c->engine);
    struct spdm_judge_case input = {.chain = o->chain,
                                    .hash = (enum spdm_alg)f->hash,
                                    .signature = (enum spdm_alg)f->signature,
                                    .version = f->version,
                                    .slot = o->slot,
                                    .role = SPDM_JUDGE_RESPONDER,
                                    .model = o->model,
                                    .multi_key = (f->responder.flags & SPDM_MULTI_KEY_CAP_MASK) != 0};
    struct spdm_judge *judge = spdm_judge_open(c->server->ossl);
    struct spdm_judgement *j = NULL;
    char text[400] = "out of memory";
    bool good = true;
    if (judge != NULL && spdm_judge_trust_der(judge, root, text)) j = spdm_judge_decide(judge, &input);
    if (j == NULL) good = false;
    for (unsigned i = 0; j != NULL && i < j->finding_n && good; i++) {
        const struct spdm_finding *found = &j->finding[i];
        if (found->severity != SPDM_REFUSAL || found->id == SPDM_FOUND_KEY_MISMATCH) continue;
        spdm_finding_text(j, found, text, sizeof text);
        good = false;
    }
    if (!good)
        spdm_respond_client_says(c->server, "%s: certificates for slot %u not taken: %s", peer(c), o->slot, text);
    spdm_judgement_free(j);
    spdm_judge_close(judge);
    return good;
}

/* Slots whose certificates are other ones after a reset (R-DIG-16). */
static void mark_pending(struct client *c, uint8_t slot)
{
    struct spdm_identity *identity = &c->server->generation->device->identity;
    identity->pending = (uint8_t)(identity->pending | 1u << slot);
}

/* The certificates of a chain, and its root if it is not among them. false: it is not taken, which has been said. */
static bool open_chain(struct client *c, const struct spdm_store_order *o, struct spdm_span *certificates,
                       struct spdm_span *root)
{
    size_t head = 4 + (size_t)spdm_algorithm((enum spdm_alg)spdm_responder_facts(c->engine)->hash)->size;
    *certificates = (struct spdm_span){o->chain.p + head, o->chain.n - head}; /* the engine checked that there are */
    if (!find_root(c, o->chain, *certificates, root)) {
        spdm_respond_client_says(c->server,
                                 "%s: certificates for slot %u not taken: RootHash is that of no root known here",
                                 peer(c), o->slot);
        return false;
    }
    if (!holds(c, o, *root)) return false;
    if (root->p == certificates->p) root->n = 0;
    return true;
}

/* The order as it is to be done: in the alias model with the device's own certificate. */
static void store_whole(struct client *c, const struct spdm_store_order *o)
{
    bool banks = c->server->generation->device->identity.bank_n != 0;
    struct spdm_state_slot slot = {
        .bank = banks ? o->bank : 0, .slot = o->slot, .key_pair = o->key_pair, .model = o->model, .erased = o->erase};
    struct spdm_span root = {NULL, 0}, certificates = {NULL, 0};
    uint8_t error;
    if (!o->erase && !open_chain(c, o, &certificates, &root)) {
        say_no(c, SPDM_ERROR_OPERATION_FAILED);
        return;
    }
    slot.certificates.n = certificates.n;
    memcpy(&slot.certificates.p, &certificates.p, sizeof certificates.p); /* copied from there, never written to */
    slot.root.n = root.n;
    memcpy(&slot.root.p, &root.p, sizeof root.p);
    error = make_change(c, &(struct change){.slot = &slot}, waits_for_reset(c, SPDM_CERT_INSTALL_RESET_CAP));
    if (error == 0 || error == SPDM_ERROR_RESET_REQUIRED)
        spdm_respond_client_says(c->server, "%s: certificates of slot %u %s%s", peer(c), o->slot,
                                 o->erase ? "erased" : "stored", error != 0 ? ", for after a reset" : "");
    if (error == SPDM_ERROR_RESET_REQUIRED && !banks) mark_pending(c, o->slot);
    if (error == 0) say_yes(c);
    else say_no(c, error);
}

static void store(struct client *c, const struct spdm_store_order *o)
{
    struct spdm_store_order whole = *o;
    struct spdm_room made = {NULL, 0};
    if (o->erase || spdm_respond_alias(c, &whole, &made)) store_whole(c, &whole);
    else say_no(c, SPDM_ERROR_OPERATION_FAILED);
    OPENSSL_free(made.p);
}

/* ---- SET_KEY_PAIR_INFO ---- */

static void change_pair(struct client *c, const struct spdm_state_pair *pair, const char *what)
{
    uint8_t error = make_change(c, &(struct change){.pair = pair}, waits_for_reset(c, SPDM_SET_KEY_PAIR_RESET_CAP));
    if (error == 0 || error == SPDM_ERROR_RESET_REQUIRED)
        spdm_respond_client_says(c->server, "%s: key pair %u %s%s", peer(c), pair->id, what,
                                 error != 0 ? ", for after a reset" : "");
    if (error == 0) say_yes(c);
    else say_no(c, error);
}

/* On a thread of the pool. */
static void do_make(uv_work_t *work)
{
    struct client *c = work->data;
    c->make.text = spdm_new_key(c->server->ossl, c->make.algorithm, c->make.cause);
}

/* In a file of its own, under a name that was never used: a state that names another key stays true. */
static bool write_key(struct client *c, struct to_make *make)
{
    struct server *s = c->server;
    uint8_t number[8];
    struct spdm_span text = {make->text.p, make->text.n};
    size_t n = (size_t)snprintf(make->pair.key, sizeof make->pair.key, "key-%u-", make->pair.id);
    if (!c->config.crypto->random(c->config.crypto_ctx, number, sizeof number)) return false;
    for (unsigned i = 0; i < sizeof number; i++) snprintf(make->pair.key + n + 2 * (size_t)i, 3, "%02x", number[i]);
    return spdm_safe_replace(&spdm_file_system, s->state_dir, make->pair.key, text, make->cause);
}

static void made(uv_work_t *work, int status)
{
    struct client *c = work->data;
    struct to_make *make = &c->make;
    (void)status;
    c->signing = SIGN_IDLE;
    if (c->link == NULL) { /* it has left meanwhile, and nobody wants the key */
        spdm_free_key(make->text);
        spdm_respond_give_back(c);
        return;
    }
    if (c->asked == SPDM_ASK_KEY_PAIR && make->ticket == c->question.ticket) {
        if (make->text.p != NULL && write_key(c, make)) {
            change_pair(c, &make->pair, "generated");
        } else {
            spdm_respond_client_says(c->server, "%s: no key pair: %s", peer(c), make->cause);
            say_no(c, SPDM_ERROR_OPERATION_FAILED);
        }
    } else if (c->sign_again) {
        c->sign_again = false;
        spdm_respond_start_signing(c);
    }
    spdm_free_key(make->text);
    spdm_respond_serve(c);
}

/* The algorithm that a bit of both masks stands for. */
static enum spdm_alg algorithm_of(uint32_t asym, uint32_t pqc)
{
    for (unsigned alg = 1; alg < SPDM_ALG_N; alg++) {
        const struct spdm_algorithm *a = spdm_algorithm((enum spdm_alg)alg);
        bool asks_pqc = a->cls == SPDM_CLASS_PQC, signs = asks_pqc || a->cls == SPDM_CLASS_ASYM;
        if (signs && (asks_pqc ? pqc : asym) != 0 && spdm_key_pair_bit((enum spdm_alg)alg) == (asks_pqc ? pqc : asym))
            return (enum spdm_alg)alg;
    }
    return SPDM_ALG_NONE;
}

static void generate(struct client *c, const struct spdm_state_pair *pair)
{
    struct to_make *make = &c->make;
    if (c->signing != SIGN_IDLE) { /* of before it started over: the requester will come again */
        say_no(c, SPDM_ERROR_BUSY);
        return;
    }
    *make = (struct to_make){.algorithm = algorithm_of(pair->asym, pair->pqc),
                             .ticket = c->question.ticket,
                             .pair = *pair,
                             .work = {.data = c}};
    c->signing = SIGN_RUNNING;
    (void)uv_queue_work(&c->server->loop, &make->work, do_make, made);
}

static void key_pair(struct client *c, const struct spdm_key_pair_change *q)
{
    const struct spdm_device *d = c->server->generation->device;
    const struct spdm_key_pair *p = &d->pairs[q->id - 1]; /* the engine checked that there is one */
    const struct spdm_state_pair *before = d->state != NULL ? spdm_state_pair(d->state, q->id) : NULL;
    struct spdm_state_pair next = {.id = q->id, .slots = p->slots, .usage = p->usage, .asym = p->asym, .pqc = p->pqc};
    if (before != NULL) memcpy(next.key, before->key, sizeof next.key);
    next.erased = d->pair_key[q->id - 1] == NULL;
    if (q->operation == SPDM_KEY_PAIR_DO_ERASE) {
        next = (struct spdm_state_pair){.id = q->id, .usage = p->usage, .erased = true};
        change_pair(c, &next, "erased");
        return;
    }
    next.slots = q->slots;
    if (q->usage != 0) next.usage = q->usage;
    if ((q->asym | q->pqc) != 0) {
        next.asym = q->asym;
        next.pqc = q->pqc;
    }
    if (q->operation == SPDM_KEY_PAIR_CHANGE) {
        change_pair(c, &next, "changed");
        return;
    }
    next.erased = false;
    generate(c, &next);
}

/* ---- SLOT_MANAGEMENT: ManageBank ---- */

static void bank(struct client *c, const struct spdm_slots_order *q)
{
    const struct spdm_state_bank next = {q->bank, q->asym, q->pqc};
    uint8_t error = make_change(c, &(struct change){.bank = &next}, false);
    if (error == 0)
        spdm_respond_client_says(c->server, "%s: bank %u is for %s", peer(c), q->bank,
                                 spdm_key_pair_name(q->asym, q->pqc));
    if (error == 0) say_yes(c);
    else say_no(c, error);
}

/* ---- GET_CSR ---- */

/* The key that a request is for: of the device's own authority in the alias model, of a key pair, of a bank, else of
 * the algorithm that was negotiated. */
static struct spdm_device_key *key_for(const struct client *c, const struct spdm_csr_order *q)
{
    const struct spdm_device *d = c->server->generation->device;
    enum spdm_alg alg = (enum spdm_alg)spdm_responder_facts(c->engine)->signature;
    const uint32_t asym = d->identity.bank_n != 0 ? d->banks[q->bank].asym : 0;
    const uint32_t pqc = d->identity.bank_n != 0 ? d->banks[q->bank].pqc : 0;
    struct spdm_device_key *authority = spdm_respond_authority(c, q->model);
    if (authority != NULL) return authority;
    if (q->key_pair != 0 && q->key_pair <= d->identity.key_pair_n) return d->pair_key[q->key_pair - 1];
    if (d->identity.bank_n != 0 && (asym | pqc) == 0) return NULL;
    if ((asym | pqc) != 0) alg = algorithm_of(asym, pqc);
    for (uint8_t slot = 0; slot < SPDM_SLOT_N; slot++) {
        struct spdm_device_key *key = spdm_device_key(d, slot, alg);
        if (key != NULL && strchr((const char *)spdm_signer_algorithms(key->signer), (int)alg) != NULL) return key;
    }
    for (unsigned i = 0; i < d->identity.key_pair_n; i++)
        if (d->pair_key[i] != NULL &&
            strchr((const char *)spdm_signer_algorithms(d->pair_key[i]->signer), (int)alg) != NULL)
            return d->pair_key[i];
    return NULL;
}

static struct spdm_span leaf_of(struct spdm_span certificates)
{
    struct spdm_span last = {NULL, 0};
    while (certificates.n != 0) {
        size_t n = spdm_x509_length(certificates);
        if (n == 0 || n > certificates.n) break;
        last = (struct spdm_span){certificates.p, n};
        certificates.p += n;
        certificates.n -= n;
    }
    return last;
}

/* The certificate that a key has now. */
static struct spdm_span present(const struct spdm_device *d, const struct spdm_device_key *key)
{
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        if (d->slot_key[i] == key && d->identity.slot[i].certificates.n != 0)
            return leaf_of(d->identity.slot[i].certificates);
        for (unsigned b = 0; b < d->identity.bank_n; b++)
            if (d->bank_key[b][i] == key && d->banks[b].slot[i].certificates.n != 0)
                return leaf_of(d->banks[b].slot[i].certificates);
    }
    return (struct spdm_span){NULL, 0};
}

static void make_csr(struct client *c, const struct spdm_csr_order *q, struct spdm_span info)
{
    const struct spdm_device *d = c->server->generation->device;
    struct to_sign *job = &c->question;
    bool authority = spdm_respond_authority(c, q->model) != NULL;
    free(job->info.p);
    job->info = (struct spdm_room){info.n != 0 ? malloc(info.n) : NULL, info.n};
    job->key = key_for(c, q);
    if (job->key == NULL || (info.n != 0 && job->info.p == NULL)) {
        spdm_respond_client_says(c->server, "%s: no certificate request: there is no key for it", peer(c));
        say_no(c, SPDM_ERROR_OPERATION_FAILED);
        return;
    }
    if (info.n != 0) memcpy(job->info.p, info.p, info.n);
    job->csr = true;
    job->what = (struct spdm_signing){.alg = (enum spdm_alg)spdm_signer_algorithms(job->key->signer)[0]};
    job->plan = (struct spdm_csr_plan){.hash = (enum spdm_alg)spdm_responder_facts(c->engine)->hash,
                                       .model = authority ? SPDM_CERT_ALIAS : q->model,
                                       .info = {job->info.p, job->info.n},
                                       .present = authority ? spdm_respond_authority_certificate(c, job->key)
                                                            : present(d, job->key),
                                       .subject = d->provisioning.subject,
                                       .device_info = d->provisioning.device_info,
                                       .name = d->name};
    spdm_respond_start_signing(c);
}

/* Accepted, and made after a reset: who comes then with the tag gets it (R-CSR-10, R-CSR-11). */
static void reserve(struct client *c, const struct spdm_csr_order *q)
{
    const struct spdm_device_state *present_state = c->server->generation->device->state;
    struct spdm_state_csr csr = {.key_pair = q->key_pair, .model = q->model, .bank = q->bank};
    uint8_t error;
    csr.info.n = q->info.n;
    memcpy(&csr.info.p, &q->info.p, sizeof q->info.p); /* copied from there, never written to */
    for (csr.tag = 1; !q->overwrite && csr.tag <= SPDM_STATE_TAGS; csr.tag++)
        if (spdm_state_csr(c->server->staged, csr.tag) == NULL) break;
    /* Those of before the last reset have been collected, or nobody comes for them. */
    for (uint8_t tag = 1; csr.tag > SPDM_STATE_TAGS && tag <= SPDM_STATE_TAGS; tag++)
        if (present_state != NULL && spdm_state_csr(present_state, tag) != NULL) csr.tag = tag;
    if (csr.tag > SPDM_STATE_TAGS) { /* R-CSR-13 */
        say_no(c, SPDM_ERROR_BUSY);
        return;
    }
    error = make_change(c, &(struct change){.csr = &csr, .overwrite = q->overwrite}, true);
    if (error == SPDM_ERROR_RESET_REQUIRED)
        spdm_respond_client_says(c->server, "%s: certificate request %u, for after a reset", peer(c), csr.tag);
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .error = error, .error_data = csr.tag});
}

/* The request that is ready since a reset: by its tag, at 1.2, which has none, by being the same (R-CSR-17). */
static const struct spdm_state_csr *ready(const struct client *c, const struct spdm_csr_order *q)
{
    const struct spdm_device_state *now = c->server->generation->device->state;
    if (now == NULL) return NULL;
    if (spdm_responder_facts(c->engine)->version >= SPDM_V13) return spdm_state_csr(now, q->tag);
    for (unsigned i = 0; i < now->csr_n; i++)
        if (now->csr[i].info.n == q->info.n &&
            (q->info.n == 0 || memcmp(now->csr[i].info.p, q->info.p, q->info.n) == 0))
            return &now->csr[i];
    return NULL;
}

static void csr(struct client *c, const struct spdm_csr_order *q)
{
    const struct spdm_state_csr *waiting = ready(c, q);
    struct spdm_csr_order order = *q;
    if (waiting == NULL && q->tag == 0 && waits_for_reset(c, SPDM_CERT_INSTALL_RESET_CAP)) {
        reserve(c, q);
    } else if (waiting == NULL && q->tag == 0) {
        make_csr(c, q, q->info);
    } else if (waiting == NULL) { /* R-CSR-14, R-CSR-11 */
        say_no(c, spdm_state_csr(c->server->staged, q->tag) != NULL ? SPDM_ERROR_BUSY : SPDM_ERROR_UNEXPECTED_REQUEST);
    } else {
        order.key_pair = waiting->key_pair;
        order.model = waiting->model;
        order.bank = waiting->bank;
        make_csr(c, &order, (struct spdm_span){waiting->info.p, waiting->info.n});
    }
}

void spdm_respond_provision(struct client *c, const struct spdm_event *event)
{
    const union spdm_order *order = event->order;
    if (c->server->state_dir < 0) say_no(c, 0);
    else if (event->kind == SPDM_ASK_CSR) csr(c, &order->csr);
    else if (event->kind == SPDM_ASK_STORE) store(c, &order->store);
    else if (event->kind == SPDM_ASK_KEY_PAIR) key_pair(c, &order->key_pair_change);
    else bank(c, &order->slots);
}
