/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_ask.c - one goal after the other, on one connection.
 *
 * What a device does not offer is not asked for. A refusal ends the part it
 * belongs to and nothing else; only a link that ends, or time that is over, is
 * the end of it all. */
#include "info.h"
#include "options.h"
#include "visit.h"
#include <stdlib.h>
#include <string.h>

struct run {
    struct spdm_setup *setup;
    struct spdm_info *out;
    struct spdm_visit *visit;
    enum spdm_info_part part; /* that is asked for */
    uint8_t sub_code;         /* of the banks */
};

/* ---- keeping ---- */

static void append(struct spdm_room *to, struct spdm_span bytes)
{
    to->p = spdm_text_need(realloc(to->p, to->n + bytes.n + 1));
    if (bytes.n != 0) memcpy(to->p + to->n, bytes.p, bytes.n);
    to->n += bytes.n;
}

static void add(struct spdm_info_list *list, struct spdm_span bytes)
{
    list->v = spdm_text_need(realloc(list->v, (list->n + 1) * sizeof *list->v));
    list->v[list->n] = (struct spdm_room){NULL, 0};
    append(&list->v[list->n++], bytes);
}

static void replace(struct spdm_room *to, struct spdm_span bytes)
{
    to->n = 0;
    append(to, bytes);
}

/* ---- what comes back ---- */

static void open_key(struct run *r, struct spdm_info_chain *c)
{
    const struct spdm_x509 *leaf = spdm_judgement_leaf(c->judgement);
    spdm_openssl_key_free(c->key);
    c->key = leaf != NULL ? spdm_openssl_key_open(r->setup->ossl, leaf->spki, NULL) : NULL;
}

/* A chain is looked at and not believed: so the engine goes on to the next slot. */
static const struct spdm_openssl_key *on_chain(void *ctx, const struct spdm_event *event)
{
    struct run *r = ctx;
    const struct spdm_facts *f = spdm_visit_facts(r->visit);
    struct spdm_info_chain *c = &r->out->chain[event->slot % SPDM_SLOT_N];
    struct spdm_judge_case input;
    c->there = true;
    if (event->kind == SPDM_ASK_DIGEST) {
        replace(&c->digest, event->data);
        return NULL;
    }
    replace(&c->chain, event->data);
    c->model = f->slot_model;
    c->key_pair = f->slot_key_pair;
    c->usage = f->slot_usage;
    spdm_judge_case_of(f, event, &input);
    if (!r->setup->court.no_time) input.now = time(NULL);
    spdm_judgement_free(c->judgement);
    c->judgement = spdm_text_need(spdm_judge_decide(r->setup->court.judge, &input));
    open_key(r, c);
    return NULL;
}

/* Who signs is whoever the slot's chain names: what is said of that chain is said there. */
static const struct spdm_openssl_key *on_signer(void *ctx, const struct spdm_event *event)
{
    struct run *r = ctx;
    const struct spdm_info_chain *c = &r->out->chain[event->slot % SPDM_SLOT_N];
    if (event->kind == SPDM_ASK_TRUST) (void)on_chain(ctx, event);
    else if (c->digest.n != event->data.n || memcmp(c->digest.p, event->data.p, event->data.n) != 0) return NULL;
    return c->key;
}

static void on_reply(void *ctx, const struct spdm_event *event)
{
    struct run *r = ctx;
    struct spdm_info *out = r->out;
    if (event->kind == SPDM_MEASURED) replace(&out->record, event->data);
    if (event->kind != SPDM_REPLIED) return;
    switch (r->part) {
    case SPDM_INFO_KEY_PAIRS: add(&out->key_pairs, event->data); break;
    case SPDM_INFO_LOG: append(&out->log, event->data); break;
    case SPDM_INFO_ENDPOINT:
        replace(&out->endpoint, event->data);
        out->endpoint_signature.verified = event->proven;
        out->endpoint_signature.slot = event->slot;
        break;
    case SPDM_INFO_EVENTS: replace(&out->events, event->data); break;
    default:
        if (r->sub_code == SPDM_SLOTS_SUPPORTED) replace(&out->sub_codes, event->data);
        else if (r->sub_code == SPDM_SLOTS_BANKS) replace(&out->banks, event->data);
        else add(&out->details, event->data);
    }
}

/* ---- asking ---- */

/* That no chain was believed is how asking for them ends. */
static bool expected(const struct spdm_visited *v)
{
    return v->report.why == SPDM_WHY_NO_SLOT || v->report.why == SPDM_WHY_NOT_TRUSTED;
}

/* Notes what became of it; whether there is more to ask of the same kind. */
static bool note(struct run *r, const struct spdm_visited *v)
{
    struct spdm_info_state *state = &r->out->part[r->part];
    if (v->reached || (r->part == SPDM_INFO_CHAINS && expected(v))) return true;
    free(state->refusal);
    state->refusal = spdm_text_format("%s", v->why);
    r->out->exit = spdm_exit_worse(r->out->exit, v->exit);
    return false;
}

static bool ask(struct run *r, const struct spdm_goal *goal)
{
    struct spdm_visited v;
    r->out->part[r->part].asked = true;
    spdm_visit_ask(r->visit, goal, &v);
    return note(r, &v);
}

static bool errand(struct run *r, const struct spdm_errand *what, const union spdm_order *order)
{
    return ask(r, &(struct spdm_goal){.want = SPDM_WANT_ERRAND, .errand = what, .order = order});
}

static bool slots(struct run *r, uint8_t sub_code, uint8_t bank)
{
    union spdm_order order = {.slots = {.sub_code = sub_code, .bank = bank}};
    r->sub_code = sub_code;
    return errand(r, &spdm_errand_slots, &order);
}

/* What can be done, which there are, then each. */
static void ask_for_banks(struct run *r)
{
    struct spdm_bank_element e;
    if (!slots(r, SPDM_SLOTS_SUPPORTED, 0) || !slots(r, SPDM_SLOTS_BANKS, 0)) return;
    struct spdm_span rest = {r->out->banks.p, r->out->banks.n};
    while (spdm_bank_next(&rest, &e))
        if (!slots(r, SPDM_SLOTS_DETAILS, e.bank)) return;
}

static void ask_for_chains(struct run *r)
{
    struct spdm_goal goal = {.want = SPDM_WANT_IDENTITY, .slots = r->setup->options->slots};
    spdm_visit_look(r->visit, on_chain);
    (void)ask(r, &goal);
    spdm_visit_look(r->visit, NULL);
}

static void ask_for_measurements(struct run *r)
{
    const struct spdm_facts *f = spdm_visit_facts(r->visit);
    struct spdm_goal goal = {.want = SPDM_WANT_MEASUREMENTS, .raw = f->version >= SPDM_V12};
    (void)ask(r, &goal);
}

/* Slots whose key may sign endpoint information (R-EPI-04). */
static uint8_t signing_slots(const struct run *r)
{
    const struct spdm_facts *f = spdm_visit_facts(r->visit);
    unsigned mask = 0, trusted = f->trusted && f->slot < SPDM_SLOT_N ? 1u << f->slot : 0;
    for (unsigned i = 0; i < SPDM_SLOT_N; i++)
        if (!f->multi_key_rsp || (r->out->chain[i].usage & SPDM_USE_ENDPOINT_INFO) != 0) mask |= 1u << i;
    mask &= r->setup->options->slots;
    return (uint8_t)((mask & trusted) != 0 ? trusted : mask);
}

/* Asks for a signature if the device can sign; false: it has none to give, or the device refuses. */
static bool ask_for_signed_endpoint(struct run *r)
{
    const struct spdm_facts *f = spdm_visit_facts(r->visit);
    union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS, .sign = true}};
    bool key = r->setup->key != NULL && (f->responder.flags & SPDM_PUB_KEY_ID_CAP) != 0;
    struct spdm_goal goal = {.want = SPDM_WANT_ERRAND, .errand = &spdm_errand_endpoint, .order = &order};
    struct spdm_visited v;
    if ((f->responder.flags & SPDM_EP_INFO_CAP_MASK) != SPDM_EP_INFO_CAP_SIGNED) return false;
    goal.use_key = key;
    goal.slots = signing_slots(r);
    const char *lacks = NULL;
    if (!key && (f->responder.flags & SPDM_CERT_CAP) == 0) lacks = "the device's key has to be given (--public-key)";
    else if (!key && goal.slots == 0) lacks = "no slot has a key for it";
    if (lacks != NULL) {
        r->out->endpoint_signature.refusal = spdm_text_format("%s", lacks);
        return false;
    }
    if (key) spdm_visit_vouch(r->visit);
    r->out->part[r->part].asked = true;
    spdm_visit_look(r->visit, on_signer);
    spdm_visit_ask(r->visit, &goal, &v);
    spdm_visit_look(r->visit, NULL);
    bool goes_on = !v.reached && (v.exit == SPDM_EXIT_OK || expected(&v));
    if (goes_on) r->out->endpoint_signature.refusal = spdm_text_format("%s", v.why);
    else (void)note(r, &v);
    return !goes_on;
}

static void ask_for_endpoint(struct run *r)
{
    union spdm_order order = {.endpoint = {.sub_code = SPDM_ENDPOINT_DEVICE_CLASS}};
    if (!ask_for_signed_endpoint(r)) (void)errand(r, &spdm_errand_endpoint, &order);
}

static void ask_for(struct run *r)
{
    union spdm_order order = {.log = {.offset = 0}};
    switch (r->part) {
    case SPDM_INFO_CHAINS: ask_for_chains(r); break;
    case SPDM_INFO_MEASUREMENTS: ask_for_measurements(r); break;
    case SPDM_INFO_KEY_PAIRS:
        order.key_pair = (struct spdm_key_pair_order){.id = 1, .all = true};
        (void)errand(r, &spdm_errand_key_pair_info, &order);
        break;
    case SPDM_INFO_LOG: (void)errand(r, &spdm_errand_log, &order); break;
    case SPDM_INFO_ENDPOINT: ask_for_endpoint(r); break;
    case SPDM_INFO_EVENTS: (void)errand(r, &spdm_errand_event_types, &order); break;
    default: ask_for_banks(r);
    }
}

/* Whether the device has anything of the kind. */
static bool offered(const struct spdm_facts *f, enum spdm_info_part part)
{
    uint32_t flags = f->responder.flags;
    switch (part) {
    case SPDM_INFO_CHAINS: return (flags & SPDM_CERT_CAP) != 0;
    case SPDM_INFO_MEASUREMENTS: return (flags & SPDM_MEAS_CAP_MASK) != 0 && f->meas_spec != 0;
    case SPDM_INFO_KEY_PAIRS: return (flags & SPDM_GET_KEY_PAIR_INFO_CAP) != 0;
    case SPDM_INFO_LOG: return f->mel_spec != 0;
    case SPDM_INFO_ENDPOINT: return (flags & SPDM_EP_INFO_CAP_MASK) != 0;
    case SPDM_INFO_EVENTS: return (flags & SPDM_EVENT_CAP) != 0;
    default: return (f->responder.ext_flags & SPDM_SLOT_MGMT_CAP) != 0;
    }
}

/* What a session would be needed for is no refusal of the device's. */
static bool possible(struct run *r)
{
    if (r->part != SPDM_INFO_EVENTS || r->setup->session) return true;
    r->out->part[r->part].needs_session = true;
    return false;
}

static void complain(struct run *r, const struct spdm_visited *v)
{
    r->out->exit = v->exit;
    spdm_setup_complain(r->setup, "%s: %s", r->out->connection.target.text, v->why);
}

/* In the open first, so that every chain is shown whoever is trusted; the rest in the session if there is to be one. */
static void ask_for_all(struct run *r)
{
    struct spdm_visited v = {.reached = true};
    const struct spdm_facts *f = spdm_visit_facts(r->visit);
    for (unsigned i = 0; i < SPDM_INFO_PART_N; i++) {
        r->part = (enum spdm_info_part)i;
        if (r->out->exit == SPDM_EXIT_UNREACHABLE) return;
        if (i == SPDM_INFO_CHAINS + 1 && r->setup->session) spdm_visit_attest(r->visit, &v);
        if (!v.reached) complain(r, &v);
        if (!v.reached) return;
        if (offered(f, r->part) && possible(r)) ask_for(r);
    }
}

/* Before anything is asked for; the texts and facts are the visit's. */
static void take_connection(struct run *r)
{
    const struct spdm_attest_result *from = spdm_visit_result(r->visit);
    struct spdm_attest_result *c = &r->out->connection;
    c->reached = from->reached;
    c->connected = from->connected;
    c->facts = from->facts;
    c->restarts = from->restarts;
    c->session = from->session;
    memcpy(c->peer, from->peer, sizeof c->peer);
}

void spdm_info_ask(struct spdm_setup *setup, const struct spdm_target *target, struct spdm_info *out)
{
    struct run r = {.setup = setup, .out = out};
    const struct spdm_visit_order order = {.setup = setup, .target = target, .see = on_reply, .ctx = &r};
    struct spdm_visited v;
    *out = (struct spdm_info){.connection = {.target = *target}};
    clock_gettime(CLOCK_REALTIME, &out->connection.began);
    setup->policy.policy.mel = true;
    r.visit = spdm_visit_open(&order, &v);
    if (v.reached) ask_for_all(&r);
    else complain(&r, &v);
    take_connection(&r);
    spdm_visit_close(r.visit);
}

static void clear_list(struct spdm_info_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->v[i].p);
    free(list->v);
}

void spdm_info_clear(struct spdm_info *info)
{
    for (unsigned i = 0; i < SPDM_INFO_PART_N; i++) free(info->part[i].refusal);
    for (unsigned i = 0; i < SPDM_SLOT_N; i++) {
        free(info->chain[i].digest.p);
        free(info->chain[i].chain.p);
        spdm_judgement_free(info->chain[i].judgement);
        spdm_openssl_key_free(info->chain[i].key);
    }
    free(info->record.p);
    free(info->log.p);
    free(info->endpoint.p);
    free(info->endpoint_signature.refusal);
    free(info->events.p);
    free(info->sub_codes.p);
    free(info->banks.p);
    clear_list(&info->key_pairs);
    clear_list(&info->details);
    *info = (struct spdm_info){.exit = 0};
}
