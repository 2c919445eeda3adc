/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_flow.c - frames to connections, connections to messages.
 *
 * Which end of a link is the Requester is told by the first message that only
 * one of the two can send. A link on which both ends ask has two connections.
 * Where nothing tells who sent a record, the direction that opens it did. */
#include "decode_flow.h"
#include "decode_explain.h"
#include <assay/session.h>
#include <stdlib.h>
#include <string.h>

enum { VCA_MAX = 4096, SESSIONS = 32, ALGORITHMS = 0x63, GET_VERSION = 0x84, FINISH = 0xe5 };

/* ---- rooms and fields of a witness ---- */

static bool more(void *ctx, enum spdm_watch_room which, struct spdm_room *room, size_t n)
{
    struct decode_flow *flow = ctx;
    size_t cap = 2 * n + 64;
    uint8_t *p = realloc(flow->room[which].p, cap);
    if (p == NULL) return false;
    flow->room[which] = *room = (struct spdm_room){p, cap};
    /* cppcheck-suppress memleak ; it lies in the flow now */
    return true;
}

static void see(void *ctx, const struct spdm_field *field)
{
    struct decode_fields *f = &((struct decode_flow *)ctx)->fields;
    if (f->n == f->cap) {
        f->cap = 2 * f->cap + 64;
        f->v = spdm_text_need(realloc(f->v, f->cap * sizeof *f->v));
    }
    f->v[f->n++] = *field;
}

static bool secret(void *ctx, const struct spdm_secret_wanted *wanted, unsigned n, struct spdm_secret *out)
{
    struct decode_flow *flow = ctx;
    return decode_secrets_find(&flow->world->secrets, wanted, n, out);
}

static void entered(void *ctx, const struct spdm_piece *piece)
{
    struct decode_flow *flow = ctx;
    decode_transcripts_enter(&flow->transcripts, piece, flow->at);
}

/* ---- connections ---- */

static void keep_account(struct decode_flow *flow)
{
    struct decode_world *world = flow->world;
    char *title;
    if (!world->keep_accounts) return;
    title = decode_flow_title(flow);
    world->accounts =
        spdm_text_need(realloc(world->accounts, (world->account_n + 1) * sizeof(struct decode_account *)));
    flow->account = world->accounts[world->account_n++] = decode_account_open(title, flow->number);
    if (world->evidence != NULL && world->error[0] == '\0')
        flow->evidence = decode_evidence_open(world->evidence, flow->number, title, world->error);
    free(title);
}

void decode_world_clear(struct decode_world *world)
{
    for (size_t i = 0; i < world->account_n; i++) decode_account_close(world->accounts[i]);
    free(world->accounts);
    decode_court_clear(&world->court);
    decode_known_clear(&world->known);
    decode_secrets_clear(&world->secrets);
}

static struct decode_flow *open_flow(struct decode_world *world, const struct spdm_captured *c, unsigned role)
{
    struct decode_flow *flow = spdm_text_need(calloc(1, sizeof *flow));
    struct spdm_watch watch = {.ctx = flow, .see = see, .more = more, .secret = secret, .entered = entered};
    const char *ends[2] = {c->a != NULL ? c->a : "", c->b != NULL ? c->b : ""};
    size_t n;
    flow->id = c->flow;
    flow->number = ++world->connections;
    flow->role = role;
    flow->world = world;
    flow->binding = c->binding;
    snprintf(flow->requester, sizeof flow->requester, "%s", ends[role]);
    snprintf(flow->responder, sizeof flow->responder, "%s", ends[1 - role]);
    flow->config = (struct spdm_config){.crypto = world->crypto,
                                        .crypto_ctx = world->crypto_ctx,
                                        .binding = c->binding,
                                        .policy = &world->policy,
                                        .sessions = &spdm_with_sessions,
                                        .mutual = &spdm_requester_mutual,
                                        .vca_max = VCA_MAX};
    n = SESSIONS * spdm_session_size(&flow->config);
    flow->session_memory = spdm_text_need(calloc(1, n));
    flow->config.session_memory = (struct spdm_room){(uint8_t *)flow->session_memory, n};
    n = spdm_witness_size(&flow->config);
    flow->memory = spdm_text_need(calloc(1, n));
    flow->witness =
        spdm_text_need(spdm_witness_init((struct spdm_room){(uint8_t *)flow->memory, n}, &flow->config, &watch));
    keep_account(flow);
    if (world->known.assumed) {
        (void)spdm_witness_assume(flow->witness, &world->known.facts,
                                  (struct spdm_span){world->known.vca.p, world->known.vca.n});
        decode_known_tell(&world->known, &world->court, flow->witness, c->time.tv_sec);
    }
    return flow;
}

static void close_flow(struct decode_flow *flow)
{
    if (flow->evidence != NULL) (void)decode_evidence_close(flow->evidence, flow->account, flow->world->error);
    spdm_witness_close(flow->witness);
    free(flow->memory);
    free(flow->session_memory);
    for (size_t i = 0; i < SPDM_ROOM_N; i++) free(flow->room[i].p);
    free(flow->fields.v);
    free(flow->session);
    decode_transcripts_clear(&flow->transcripts);
    free(flow->keys.v);
    free(flow);
}

static struct decode_flow *find(const struct decode_flows *flows, uint64_t id, unsigned role)
{
    for (size_t i = flows->n; i-- > 0;)
        if (flows->v[i]->id == id && flows->v[i]->role == role) return flows->v[i];
    return NULL;
}

static struct decode_flow *flow_of(struct decode_flows *flows, const struct spdm_captured *c, unsigned role)
{
    struct decode_flow *flow = find(flows, c->flow, role);
    if (flow != NULL) return flow;
    if (flows->n == flows->cap) {
        flows->cap = 2 * flows->cap + 8;
        flows->v = spdm_text_need(realloc(flows->v, flows->cap * sizeof(struct decode_flow *)));
    }
    flow = open_flow(flows->world, c, role);
    flows->v[flows->n++] = flow;
    return flow;
}

char *decode_flow_title(const struct decode_flow *flow)
{
    const char *name = flow->binding == &spdm_binding_none ? "bare messages" : flow->binding->name;
    if (flow->requester[0] == '\0')
        return spdm_text_format("Connection %llu, %s", (unsigned long long)flow->number, name);
    return spdm_text_format("Connection %llu, %s: %s (Requester), %s (Responder)", (unsigned long long)flow->number,
                            name, flow->requester, flow->responder);
}

uint64_t decode_flow_number(const struct decode_flow *flow)
{
    return flow->number;
}

static void end_flows(struct decode_flows *flows, uint64_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < flows->n; i++) {
        if (flows->v[i]->id == id) close_flow(flows->v[i]);
        else flows->v[kept++] = flows->v[i];
    }
    flows->n = kept;
}

void decode_flows_clear(struct decode_flows *flows)
{
    for (size_t i = 0; i < flows->n; i++) close_flow(flows->v[i]);
    free(flows->v);
    *flows = (struct decode_flows){.world = flows->world};
}

/* ---- what a sight comes to ---- */

/* `foreign`: it is somebody else's, and nothing is wrong with that. */
static enum decode_rank rank_of(const struct spdm_sight *s, bool foreign)
{
    switch (s->report.why) {
    case SPDM_WHY_FINE: break;
    case SPDM_WHY_NOT_A_FRAME: return foreign ? DECODE_FINE : DECODE_BROKEN;
    case SPDM_WHY_BAD_SIGNATURE:
    case SPDM_WHY_BAD_VERIFY_DATA:
    case SPDM_WHY_BAD_PSK_FINISH:
    case SPDM_WHY_BAD_RECORD:
    case SPDM_WHY_BAD_DIGEST:
    case SPDM_WHY_BAD_CHAIN: return DECODE_FALSE;
    case SPDM_WHY_NO_ROOM:
    case SPDM_WHY_CRYPTO_FAILED: return DECODE_DAMAGE; /* ours: it could not be looked at */
    default: return DECODE_BROKEN;
    }
    if (s->signature == SPDM_SIGNATURE_UNCHECKED || s->verify_data == SPDM_SIGNATURE_UNCHECKED) return DECODE_NOTE;
    return s->kind == SPDM_SIGHT_SEALED ? DECODE_NOTE : DECODE_FINE;
}

/* The field that a report is about: it names it, with a rule behind. */
static const struct spdm_field *blamed(const struct decode_message *m, const struct spdm_report *r)
{
    const struct spdm_field *found = NULL;
    const char *rule = r->field != NULL ? strstr(r->field, " R-") : NULL;
    size_t n = r->field == NULL ? 0 : rule != NULL ? (size_t)(rule - r->field) : strlen(r->field);
    for (size_t i = 0; i < m->fields->n; i++) {
        const struct spdm_field *f = &m->fields->v[i];
        if (n == 0 || strlen(f->name) != n || memcmp(f->name, r->field, n) != 0) continue;
        found = f;
        if (f->at == r->offset) break;
    }
    return found;
}

static void raise_to(struct decode_message *m, enum decode_rank rank)
{
    if (rank > m->rank) m->rank = rank;
}

static void describe_report(struct decode_message *m, struct spdm_report *r)
{
    char text[400];
    if (r->why == SPDM_WHY_FINE) return;
    m->at_field = blamed(m, r);
    if (m->at_field != NULL && r->offset == 0) r->offset = (uint32_t)m->at_field->at;
    m->rule = r->field != NULL ? strstr(r->field, "R-") : NULL;
    (void)spdm_report_text(r, text, sizeof text);
    decode_put(&m->report, text);
}

static void look_at_chain(struct decode_flow *flow, struct decode_message *m, const struct spdm_event *ev)
{
    struct decode_court *court = &flow->world->court;
    bool turned = m->sight->enveloped;
    const struct spdm_facts *facts =
        turned ? spdm_witness_turned_facts(flow->witness) : spdm_witness_facts(flow->witness);
    const struct decode_chain *chain = decode_court_chain(court, facts, ev, turned, m->time.tv_sec);
    const struct spdm_judgement *j = chain->judgement;
    struct spdm_answer answer = {.ticket = ev->ticket, .yes = chain->key != NULL, .key = chain->key};
    char text[1024] = "";
    flow->keys.v = spdm_text_need(realloc(flow->keys.v, (flow->keys.n + 1) * sizeof(struct decode_chain *)));
    flow->keys.v[flow->keys.n++] = chain;
    (void)spdm_witness_answer(flow->witness, &answer);
    if (flow->account != NULL) decode_account_identity(flow->account, turned, ev->slot, chain);
    if (spdm_judgement_leaf(j) != NULL) spdm_x509_name_text(spdm_judgement_leaf(j)->subject, text, sizeof text);
    decode_say(&m->note, "slot %u, %u certificate%s, %s", ev->slot, j->certificate_n, j->certificate_n == 1 ? "" : "s",
               text);
    if (court->roots && j->verdict != SPDM_GOOD) {
        raise_to(m, DECODE_FALSE);
        if (j->finding_n != 0) spdm_finding_text(j, j->finding, text, sizeof text);
        decode_say(&m->report, "%sthe chain is not trusted: %s", m->report.n != 0 ? "; " : "", text);
    }
}

/* Whose transcript it is: of a handshake that of its session, wherever the message travelled. */
static uint32_t session_of(const struct decode_flow *flow, const struct spdm_sight *s)
{
    enum { CHALLENGE_AUTH = 0x03, MEASUREMENTS = 0x60, ENDPOINT_INFO = 0x07 };
    bool attestation = s->code == CHALLENGE_AUTH || s->code == MEASUREMENTS || s->code == ENDPOINT_INFO;
    if (s->opened != 0) return s->opened;
    return attestation || s->session != 0 ? s->session : flow->handshake;
}

/* The signature or VerifyData of a message. */
static struct decode_suspect suspect_of(const struct decode_flow *flow, const struct decode_message *m, bool hmac)
{
    const struct spdm_sight *s = m->sight;
    const char *name = hmac ? (s->from_requester ? "RequesterVerifyData" : "ResponderVerifyData") : "Signature";
    struct decode_suspect out = {.witness = flow->witness, .transcripts = &flow->transcripts, .code = s->code};
    out.turned = s->enveloped || (s->code == FINISH && !hmac);
    out.facts = out.turned ? spdm_witness_turned_facts(flow->witness) : spdm_witness_facts(flow->witness);
    out.hmac = hmac;
    out.session = session_of(flow, s);
    out.slot = out.facts->slot;
    out.value = decode_bytes(m, decode_field(m, name));
    return out;
}

/* Which of the known mistakes explains a signature or an HMAC that is wrong. */
static void look_for_mistake(struct decode_flow *flow, struct decode_message *m, bool hmac)
{
    struct decode_suspect suspect = suspect_of(flow, m, hmac);
    char *why = suspect.value.n != 0 ? decode_explain(&suspect) : NULL;
    if (why != NULL) decode_say(&m->note, "%s verifies if %s", hmac ? "the HMAC" : "the signature", why);
    free(why);
}

static void keep_evidence(struct decode_flow *flow, const struct decode_message *m)
{
    struct decode_suspect what;
    decode_evidence_message(flow->evidence, m);
    if (m->sight->signature == SPDM_UNSIGNED) return;
    what = suspect_of(flow, m, false);
    decode_evidence_signature(flow->evidence, m, &what);
}

/* The chain that a connection has shown last of this slot, and whether it has shown any. */
static const struct decode_chain *chain_of(const struct decode_flow *flow, bool turned, uint8_t slot, bool *any)
{
    const struct decode_chain *found = NULL;
    *any = false;
    for (size_t i = 0; i < flow->keys.n; i++) {
        const struct spdm_judge_case *input = &flow->keys.v[i]->judgement->input;
        if ((input->role == SPDM_JUDGE_REQUESTER) != turned) continue;
        *any = true;
        if (input->slot == slot) found = flow->keys.v[i];
    }
    return found;
}

/* Why nobody could check a signature. Who knows the chains beforehand reads none; who reads some reads what it needs.
 */
static void why_unchecked(const struct decode_flow *flow, struct decode_message *m)
{
    bool turned = m->sight->enveloped || m->sight->code == FINISH, any;
    const struct spdm_facts *facts =
        turned ? spdm_witness_turned_facts(flow->witness) : spdm_witness_facts(flow->witness);
    const struct decode_chain *chain = chain_of(flow, turned, facts->slot, &any);
    const char *who = turned ? "Requester" : "Responder", *algorithm = spdm_algorithm_name(facts->signature);
    if (flow->world->no_verify) return;
    if (facts->slot >= SPDM_SLOT_N) decode_say(&m->note, "the %s's public key is not known", who);
    else if (chain != NULL && chain->why_no_key != NULL) decode_say(&m->note, "%s: %s", algorithm, chain->why_no_key);
    else if (chain != NULL) decode_say(&m->note, "the %s's chain of slot %u has changed", who, facts->slot);
    else decode_say(&m->note, "the %s's chain of slot %u is not in the capture", who, facts->slot);
    if (any && facts->slot < SPDM_SLOT_N && (chain == NULL || chain->why_no_key == NULL)) raise_to(m, DECODE_DAMAGE);
}

static void look_at_events(struct decode_flow *flow, struct decode_message *m)
{
    struct spdm_event ev;
    bool judge = !flow->world->no_verify && !flow->midway; /* a chain begins with a hash */
    while (spdm_witness_event(flow->witness, &ev) != SPDM_NOTHING) {
        if (ev.kind == SPDM_ASK_TRUST && judge) look_at_chain(flow, m, &ev);
        if (ev.kind == SPDM_MEASURED && flow->account != NULL) decode_account_record(flow->account, ev.data, ev.proven);
    }
}

/* Its negotiation was seen, and nothing of it is known to be missing. */
static bool whole(const struct decode_flow *flow)
{
    return flow->met && !flow->midway && !flow->damaged && (flow->negotiated || !flow->world->known.assumed);
}

/* A record of a session that nobody opened. */
static bool stray(const struct decode_flow *flow, const struct spdm_sight *s)
{
    if (s->kind != SPDM_SIGHT_SEALED || s->record != SPDM_SIGNATURE_UNCHECKED || !whole(flow)) return false;
    for (size_t i = 0; i < flow->session_n; i++)
        if (flow->session[i] == s->session) return false;
    return true;
}

/* Sessions come and go; a new negotiation ends all of them. */
static void count_sessions(struct decode_flow *flow, const struct spdm_sight *s)
{
    size_t kept = 0;
    if (s->kind == SPDM_SIGHT_MESSAGE && s->code == GET_VERSION && s->session == 0) flow->session_n = 0;
    for (size_t i = 0; i < flow->session_n; i++)
        if (flow->session[i] != s->closed && flow->session[i] != s->opened) flow->session[kept++] = flow->session[i];
    flow->session_n = kept;
    if (s->opened == 0) return;
    flow->session = spdm_text_need(realloc(flow->session, (flow->session_n + 1) * sizeof *flow->session));
    flow->session[flow->session_n++] = s->opened;
}

/* A response that answers nothing, in a connection whose beginning was seen. */
static bool unasked(const struct decode_flow *flow, const struct spdm_sight *s)
{
    return whole(flow) && s->kind == SPDM_SIGHT_MESSAGE && s->code < 0x80 && s->answers == 0 &&
           s->report.why == SPDM_WHY_FINE;
}

/* MCTP carries other messages beside SPDM's. */
static bool is_foreign(const struct decode_flow *flow, struct spdm_span frame)
{
    enum { SPDM_TYPE = 5, SECURED_TYPE = 6 };
    unsigned type = frame.n != 0 ? frame.p[0] & 0x7fu : 0; /* with an integrity check it is none of ours */
    return flow->binding == &spdm_binding_mctp && frame.n != 0 && type != SPDM_TYPE && type != SECURED_TYPE;
}

/* Handshakes in the clear, sessions that are over, padding of requests. */
static void keep_track(struct decode_flow *flow, const struct spdm_sight *s)
{
    enum { KEY_EXCHANGE_RSP = 0x64, FINISH_RSP = 0x65 };
    if (s->code == KEY_EXCHANGE_RSP && s->opened != 0) flow->handshake = s->opened;
    if (s->code == FINISH_RSP) flow->handshake = 0;
    if (s->code == GET_VERSION && s->session == 0) flow->keys.n = 0;
    count_sessions(flow, s);
    if (s->closed != 0) decode_transcripts_drop(&flow->transcripts, s->closed);
    if (s->kind == SPDM_SIGHT_MESSAGE && s->code >= 0x80 && !s->enveloped && s->n != 0 && s->n <= s->message.n) {
        const struct spdm_span padding = {s->message.p + s->n, s->message.n - s->n};
        decode_transcripts_request(&flow->transcripts, padding);
    }
}

/* Nothing can be said against a message, or for it, that follows from what was negotiated. Records tell for themselves.
 */
static void do_not_judge(struct spdm_sight *s)
{
    if (s->report.why != SPDM_WHY_BAD_RECORD) s->report = (struct spdm_report){.why = SPDM_WHY_FINE};
    if (s->signature == SPDM_SIGNATURE_BAD) s->signature = SPDM_SIGNATURE_UNCHECKED;
    if (s->verify_data == SPDM_SIGNATURE_BAD) s->verify_data = SPDM_SIGNATURE_UNCHECKED;
}

/* Whoever told the state did not tell what this is signed with. */
static bool nobody_knows_how(const struct decode_flow *flow, const struct spdm_sight *s)
{
    bool turned = s->enveloped || s->code == FINISH;
    const struct spdm_facts *facts =
        turned ? spdm_witness_turned_facts(flow->witness) : spdm_witness_facts(flow->witness);
    return flow->world->known.assumed && s->signature == SPDM_SIGNATURE_BAD && facts->signature == SPDM_ALG_NONE;
}

/* What went by, as the messages that are there tell, and is not in the capture. */
static void what_is_missing(const struct decode_flow *flow, struct decode_message *m)
{
    const struct spdm_sight *s = m->sight;
    struct spdm_span request = spdm_witness_request(flow->witness);
    bool early = s->kind == SPDM_SIGHT_SEALED && request.n > 1 && request.p[1] == FINISH; /* its keys are not yet */
    uint8_t unanswered = early ? FINISH : s->unanswered;
    const char *also = m->note.n != 0 ? "; " : "", *name = unanswered != 0 ? spdm_message_name(unanswered) : NULL;
    if (s->lost == 0 && unanswered == 0 && !s->gap) return;
    raise_to(m, DECODE_DAMAGE);
    if (s->lost != 0) decode_say(&m->note, "%s%u records before this one are missing", also, s->lost);
    else if (s->gap) decode_say(&m->note, "%swhat comes before this portion of the chain is missing", also);
    else decode_say(&m->note, "%sthe response to %s before this is missing", also, name != NULL ? name : "a request");
}

static void show(struct decode_flow *flow, const struct spdm_captured *c, struct spdm_sight *s)
{
    struct decode_world *world = flow->world;
    bool foreign = is_foreign(flow, c->frame), unjudged = flow->midway && s->kind == SPDM_SIGHT_MESSAGE;
    if (unjudged || nobody_knows_how(flow, s)) do_not_judge(s);
    struct decode_message m = {.number = ++world->messages,
                               .packet = c->packet,
                               .time = c->time,
                               .flow = flow,
                               .sight = s,
                               .frame = c->frame,
                               .fields = &flow->fields,
                               .rank = rank_of(s, foreign)};
    if (!foreign) describe_report(&m, &s->report);
    if (flow->late) {
        raise_to(&m, DECODE_DAMAGE);
        decode_put(&m.note,
                   "the negotiation is not in the capture (see --state): from here on messages are not judged");
        flow->late = false;
    }
    if (unasked(flow, s)) {
        raise_to(&m, DECODE_BROKEN);
        decode_put(&m.report, "a response without its request");
    }
    if (stray(flow, s)) {
        raise_to(&m, DECODE_BROKEN);
        decode_put(&m.report, "a record of a session that is not open");
    }
    if (s->signature == SPDM_SIGNATURE_BAD) look_for_mistake(flow, &m, false);
    else if (s->verify_data == SPDM_SIGNATURE_BAD) look_for_mistake(flow, &m, true);
    if (s->signature == SPDM_SIGNATURE_UNCHECKED && !unjudged) why_unchecked(flow, &m);
    if (!unjudged) what_is_missing(flow, &m);
    look_at_events(flow, &m);
    if (s->kind == SPDM_SIGHT_MESSAGE && strcmp(decode_name(&m), "ERROR") == 0) raise_to(&m, DECODE_NOTE);
    if (s->kind == SPDM_SIGHT_MESSAGE && s->code == ALGORITHMS && !s->enveloped) {
        flow->negotiated = true;
        decode_known_tell(&world->known, &world->court, flow->witness, c->time.tv_sec);
    }
    if (m.rank > world->worst) world->worst = m.rank;
    world->rank[m.rank]++;
    world->proofs[s->signature]++;
    world->hmacs[s->verify_data]++;
    if (!s->enveloped && !s->reassembled) world->records[s->record]++;
    if (flow->account != NULL) decode_account_message(flow->account, &m, spdm_witness_facts(flow->witness));
    if (flow->evidence != NULL) keep_evidence(flow, &m);
    world->show(world->ctx, &m);
    keep_track(flow, s);
    free(m.report.p);
    free(m.note.p);
}

/* ---- frames ---- */

/* Whether a plain message asks: only the Requester sends requests. */
static bool asks(struct spdm_span message)
{
    return message.n >= 2 && message.p[1] >= 0x80;
}

/* Both directions of a link are two connections if both ends ask; `role` 1 is the one whose Requester is B. */
static unsigned role_of(const struct spdm_captured *c, bool from_requester)
{
    if (c->sender == SPDM_SENDER_B) return from_requester ? 1 : 0;
    return c->sender == SPDM_SENDER_A && !from_requester ? 1 : 0;
}

/* The connection of a frame that does not tell who asks: the one that there is, else that of who sent the last. */
static struct decode_flow *only_flow(struct decode_flows *flows, const struct spdm_captured *c)
{
    struct decode_flow *a = find(flows, c->flow, 0), *b = find(flows, c->flow, 1);
    if (b != NULL && (a == NULL || c->sender == SPDM_SENDER_B)) return b;
    return a != NULL ? a : flow_of(flows, c, role_of(c, true));
}

/* Who sent it, as far as that can be told without opening it. */
static bool guess_sender(const struct decode_flow *flow, const struct spdm_captured *c)
{
    if (c->sender == SPDM_SENDER_REQUESTER || c->sender == SPDM_SENDER_RESPONDER)
        return c->sender == SPDM_SENDER_REQUESTER;
    if (c->sender == SPDM_SENDER_UNKNOWN) return !flow->spoken || !flow->requester_spoke_last;
    return c->sender == (flow->role == 0 ? SPDM_SENDER_A : SPDM_SENDER_B);
}

/* Where the first message is not GET_VERSION, the negotiation was before it. Its version is that of the messages. */
static void meet(struct decode_flow *flow, struct spdm_span message)
{
    const struct spdm_facts *known = spdm_witness_facts(flow->witness);
    bool first = !flow->met;
    flow->met = true;
    if (message.p[1] == GET_VERSION) flow->midway = false;
    else if (first && !flow->world->known.assumed) flow->midway = flow->late = true;
    if (flow->midway && known->version != message.p[0]) {
        const struct spdm_facts likely = decode_known_guess(message.p[0]);
        (void)spdm_witness_assume(flow->witness, &likely, (struct spdm_span){NULL, 0});
    }
}

static void take_frame(struct decode_flows *flows, const struct spdm_captured *c)
{
    struct spdm_frame in = c->binding->unwrap(c->frame);
    bool plain = in.kind == SPDM_FRAME_PLAIN && in.message.n >= 2, from_requester = plain && asks(in.message);
    struct decode_flow *flow = plain ? flow_of(flows, c, role_of(c, from_requester)) : only_flow(flows, c);
    struct spdm_sight s;
    if (!plain) from_requester = guess_sender(flow, c);
    if (c->sender == SPDM_SENDER_UNKNOWN) from_requester = spdm_witness_sender(flow->witness, c->frame, from_requester);
    flow->spoken = true;
    flow->requester_spoke_last = from_requester;
    flow->fields.n = 0;
    flow->at = in.message;
    if (plain) meet(flow, in.message);
    s = spdm_witness_push(flow->witness, from_requester, c->frame);
    do {
        show(flow, c, &s);
        flow->fields.n = 0;
    } while (spdm_witness_next(flow->witness, &s));
}

static void mark_damaged(struct decode_flows *flows, uint64_t id)
{
    for (size_t i = 0; i < flows->n; i++)
        if (id == 0 || flows->v[i]->id == id) flows->v[i]->damaged = true;
}

static void take_damage(struct decode_flows *flows, const struct spdm_captured *c)
{
    static const struct spdm_sight nothing;
    static const struct decode_fields no_fields;
    struct decode_world *world = flows->world;
    struct decode_message m = {.number = ++world->messages, .packet = c->packet, .time = c->time, .sight = &nothing};
    m.fields = &no_fields;
    m.damage = c->note;
    m.rank = DECODE_DAMAGE;
    m.flow = find(flows, c->flow, 0);
    if (m.flow == NULL) m.flow = find(flows, c->flow, 1);
    mark_damaged(flows, c->flow);
    if (m.rank > world->worst) world->worst = m.rank;
    world->rank[m.rank]++;
    world->show(world->ctx, &m);
}

void decode_flows_take(struct decode_flows *flows, const struct spdm_captured *c)
{
    if (c->kind == SPDM_CAPTURED_END) end_flows(flows, c->flow);
    else if (c->kind == SPDM_CAPTURED_DAMAGE) take_damage(flows, c);
    else take_frame(flows, c);
}
