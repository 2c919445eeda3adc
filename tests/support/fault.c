/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Scenes and trials. All state of both ends lies in struct pair, so going back
 * in time is a copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

#define FACT(which, field)                                                                                             \
    {                                                                                                                  \
        which, #field, offsetof(struct spdm_facts, field), sizeof((struct spdm_facts *)0)->field                       \
    }
static const struct {
    enum fault_fact which;
    const char *name;
    size_t at, n;
} fields[] = {
    FACT(FACT_VERSION, version),
    FACT(FACT_PEER_VERSIONS, peer_versions),
    FACT(FACT_REQUESTER, requester.flags),
    FACT(FACT_REQUESTER, requester.ext_flags),
    FACT(FACT_REQUESTER, requester.ct_exponent),
    FACT(FACT_REQUESTER, requester.data_transfer_size),
    FACT(FACT_REQUESTER, requester.max_message_size),
    FACT(FACT_RSP_FLAGS, responder.flags),
    FACT(FACT_RSP_EXT_FLAGS, responder.ext_flags),
    FACT(FACT_RSP_CT, responder.ct_exponent),
    FACT(FACT_RSP_DTS, responder.data_transfer_size),
    FACT(FACT_RSP_MAX, responder.max_message_size),
    FACT(FACT_ALGORITHMS, hash),
    FACT(FACT_ALGORITHMS, signature),
    FACT(FACT_ALGORITHMS, exchange),
    FACT(FACT_ALGORITHMS, aead),
    FACT(FACT_ALGORITHMS, req_signature),
    FACT(FACT_ALGORITHMS, schedule),
    FACT(FACT_MEAS_HASH, meas_hash),
    FACT(FACT_MEAS_SPEC, meas_spec),
    FACT(FACT_MEL_SPEC, mel_spec),
    FACT(FACT_OPAQUE, opaque_format),
    FACT(FACT_MULTI_KEY, multi_key_rsp),
    FACT(FACT_MULTI_KEY, multi_key_req),
    FACT(FACT_SUPPORTED, supported_slots),
    FACT(FACT_PROVISIONED, provisioned_slots),
    FACT(FACT_SLOT, slot),
    FACT(FACT_SLOT_INFO, slot_model),
    FACT(FACT_SLOT_INFO, slot_key_pair),
    FACT(FACT_SLOT_INFO, slot_usage),
    FACT(FACT_CHAIN, chain_hash),
    FACT(FACT_TRUSTED, trusted),
    FACT(FACT_AUTHENTIC, authentic),
    FACT(FACT_SIGNED, measured_signed),
    FACT(FACT_SUMMARY, summary),
    FACT(FACT_SUMMARY, summary_n),
    FACT(FACT_ENDIAN, little_endian),
    FACT(FACT_COUNT, measurement_n),
    FACT(FACT_CHANGED, content_changed),
};
#undef FACT

static void learn(const struct pair *p, struct learned *out)
{
    out->facts = *spdm_requester_facts(p->rq);
    memcpy(out->seen, p->seen, sizeof out->seen);
    memcpy(out->seen_proven, p->seen_proven, sizeof out->seen_proven);
    out->vendor = p->vendor;
}

/* Facts in which two runs differ; the name of the first goes to *name. */
static uint32_t differ(const struct learned *a, const struct learned *b, const char **name)
{
    const uint8_t *x = (const uint8_t *)&a->facts, *y = (const uint8_t *)&b->facts;
    uint32_t mask = 0;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (memcmp(x + fields[i].at, y + fields[i].at, fields[i].n) == 0) continue;
        mask |= FAULT_OPEN(fields[i].which);
        *name = fields[i].name;
    }
    if (memcmp(a->seen, b->seen, sizeof a->seen) != 0 ||
        memcmp(a->seen_proven, b->seen_proven, sizeof a->seen_proven) != 0) {
        mask |= FAULT_OPEN(FACT_RECORDS);
        *name = "the measurement records";
    }
    if (a->vendor != b->vendor) {
        mask |= FAULT_OPEN(FACT_VENDOR);
        *name = "the vendor response";
    }
    return mask;
}

/* Copies what can have changed: all but buffers that hold nothing between two frames, and of the others the part that
 * a small device fills. Hundreds of thousands of trials depend on it. */
static void copy_state(struct pair *to, const struct pair *from)
{
    enum { SMALL = 1024 };
    static const struct {
        size_t from, to;
    } parts[] = {{0, offsetof(struct pair, rq_sessions)},
                 {offsetof(struct pair, opened_rq), offsetof(struct pair, rq_turned_out)},
                 {offsetof(struct pair, signed_by_rq), offsetof(struct pair, rq_shelf.bytes) + SMALL},
                 {offsetof(struct pair, rq_shelf.bytes[1]), offsetof(struct pair, rq_shelf.bytes[1]) + SMALL},
                 {offsetof(struct pair, rs_shelf), offsetof(struct pair, rs_shelf.bytes) + SMALL},
                 {offsetof(struct pair, rs_shelf.bytes[1]), offsetof(struct pair, rs_shelf.bytes[1]) + SMALL},
                 {offsetof(struct pair, stays), offsetof(struct pair, rq_memory)},
                 {offsetof(struct pair, sign_at), offsetof(struct pair, signature) + SMALL}};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        memcpy((uint8_t *)to + parts[i].from, (const uint8_t *)from + parts[i].from, parts[i].to - parts[i].from);
    }
    memcpy(to->rq_memory, from->rq_memory, spdm_requester_size(&from->req_config));
    memcpy(to->rs_memory, from->rs_memory, spdm_responder_size(&from->rsp_config));
    memcpy(to->rs_out, from->rs_out, SMALL);
    memcpy(to->chain, from->chain, SMALL);
    for (size_t i = 0; i < PAIR_LATE; i++) to->late[i].n = 0;
}

static size_t record(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    struct scene *scene = p->arg;
    struct moment *m = &scene->moment[scene->n];

    if (scene->n >= FAULT_FRAMES) fail_msg("%s takes more than %d frames", scene->name, FAULT_FRAMES);
    m->before = *p;
    m->before.wire = NULL;
    m->to_responder = to_responder;
    m->n = n;
    memcpy(m->frame, frame, n);
    scene->n++;
    return n;
}

void fault_record(struct scene *scene)
{
    struct pair *p = scene->pair;

    scene->moment = malloc(FAULT_FRAMES * sizeof *scene->moment);
    assert_non_null(scene->moment);
    scene->n = scene->trials = scene->done = 0;
    scene->differed = 0;
    p->wire = record;
    p->arg = scene;
    if (!pair_run(p, scene->goal)) {
        char text[200];

        spdm_report_text(&p->failure, text, sizeof text);
        fail_msg("%s: %s", scene->name, text);
    }
    learn(p, &scene->honest);
    pair_close(p);
}

void fault_free(struct scene *scene)
{
    free(scene->moment);
    scene->moment = NULL;
}

void fault_rewind(struct scene *scene, unsigned k)
{
    copy_state(scene->pair, &scene->moment[k].before);
}

void fault_report(const struct spdm_report *report, const char *what)
{
    char text[300];
    size_t n = spdm_report_text(report, text, sizeof text);
    /* what the plan cannot do is no message's fault */
    bool planned =
        report->why == SPDM_WHY_CANNOT || report->why == SPDM_WHY_NO_SLOT || report->why == SPDM_WHY_INCOMPLETE;

    if (report->why == SPDM_WHY_FINE || report->why >= SPDM_WHY_N) fail_msg("%s: failed without reason", what);
    if (report->code == 0 && !planned) fail_msg("%s: failed without message (%s)", what, text);
    if (n < 10 || n >= sizeof text || strchr(text, '%') != NULL) fail_msg("%s: poor sentence \"%s\"", what, text);
    if (strstr(text, "unknown") != NULL || strstr(text, "a field") != NULL) fail_msg("%s: vague: \"%s\"", what, text);
}

/* What was proven is what the device said, whether the run came to its end or not. */
static void judge_proven(const struct scene *scene, const struct learned *now, const char *label)
{
    const struct spdm_facts *f = &now->facts, *h = &scene->honest.facts;

    for (unsigned i = 0; i < 256; i++) {
        if (now->seen_proven[i] && (!scene->honest.seen_proven[i] || now->seen[i] != scene->honest.seen[i])) {
            fail_msg("%s: a record proven that the device did not sign (operation %u)", label, i);
        }
    }
    if (f->trusted && f->hash == h->hash && memcmp(f->chain_hash, h->chain_hash, sizeof f->chain_hash) != 0) {
        fail_msg("%s: another chain is trusted", label);
    }
    if (f->authentic && (!h->authentic || f->version != h->version || f->hash != h->hash || f->slot != h->slot ||
                         f->signature != h->signature || f->responder.flags != h->responder.flags)) {
        fail_msg("%s: authentic with other facts", label);
    }
}

/* Whatever has happened to it, the responder serves a new requester (R-VSN-06, R-CONC-10). */
static void judge_responder(struct scene *scene, const char *label)
{
    static uint8_t answer[PAIR_BUFFER];
    struct pair *p = scene->pair;
    size_t n;

    (void)spdm_responder_pull(p->rs, p->now);
    n = pair_request(p, scene->moment[0].frame, scene->moment[0].n, answer);
    if (n != scene->moment[1].n || memcmp(answer, scene->moment[1].frame, n) != 0) {
        fail_msg("%s: GET_VERSION is not answered afterwards", label);
    }
}

void fault_judge(struct scene *scene, unsigned k, const char *what, size_t at)
{
    struct pair *p = scene->pair;
    struct learned now;
    const char *name = NULL;
    char label[120];

    (void)pair_go_on(p); /* fails by itself if it does not end */
    learn(p, &now);
    snprintf(label, sizeof label, "%s, frame %u (code %02x) %s at %zu", scene->name, k, scene->moment[k].frame[2], what,
             at);
    scene->trials++;
    if (p->done) {
        uint32_t found = differ(&now, &scene->honest, &name);

        scene->done++;
        scene->differed |= found;
        if ((found & ~scene->open) != 0) fail_msg("%s: done, but %s differs", label, name);
    } else {
        fault_report(&p->failure, label);
    }
    if ((scene->open & FAULT_OPEN(FACT_TRUSTED)) == 0) judge_proven(scene, &now, label);
    judge_responder(scene, label);
    pair_close(p);
}

void fault_trial(struct scene *scene, unsigned k, struct spdm_span instead, const char *what)
{
    struct pair *p = scene->pair;

    fault_rewind(scene, k);
    pair_deliver(p, scene->moment[k].to_responder, instead.p, instead.n);
    fault_judge(scene, k, what, instead.n);
}
