/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_answer.c - what the engine asks: measurements, signatures, pre-shared keys, is this requester to be trusted.
 *
 * A question is answered at once, after the configured delay, or when its
 * signature is done. A client that starts over while its signature is being
 * made gets the new one after the old. */
#include "respond.h"
#include "text.h"

#include <assay/errand.h>
#include <assay/session.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void spdm_respond_answer(struct client *c, const struct spdm_answer *a)
{
    spdm_respond_forget_question(c);
    (void)spdm_responder_answer(c->engine, a);
}

void spdm_respond_forget_question(struct client *c)
{
    c->asked = SPDM_NOTHING;
    c->due = SPDM_NEVER;
    c->sign_again = false;
}

static void refuse(struct client *c)
{
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket, .yes = false});
}

static void answer_measurements(struct client *c)
{
    const struct spdm_device *d = c->server->generation->device;
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket,
                                                 .yes = true,
                                                 .measurements = d->measurements,
                                                 .measurement_n = d->measurement_n,
                                                 .stays = true,
                                                 .content_changed = 0});
}

/* ---- pre-shared keys ---- */

static void answer_psk(struct client *c)
{
    const struct to_derive *d = &c->derive;
    struct spdm_hmac in = {.hash = d->hash, .key = d->salt, .n = 1};
    uint8_t secret[SPDM_HASH_MAX];
    volatile uint8_t *wipe = secret;
    if (d->psk == NULL) {
        refuse(c);
        return;
    }
    in.part = &d->psk->secret;
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = c->question.ticket,
                                                 .yes = c->config.crypto->hmac(c->config.crypto_ctx, &in, secret),
                                                 .data = {secret, spdm_algorithm(d->hash)->size}});
    for (size_t i = 0; i < sizeof secret; i++) wipe[i] = 0;
}

/* ---- requesters ---- */

static void hold(struct client *c, struct spdm_judgement *judgement)
{
    if (judgement == NULL) return;
    spdm_judgement_free(c->judged[1]);
    c->judged[1] = c->judged[0];
    c->judged[0] = judgement;
}

void spdm_respond_forget_requester(struct client *c)
{
    for (unsigned i = 0; i < 2; i++) {
        spdm_judgement_free(c->judged[i]);
        c->judged[i] = NULL;
    }
    c->requester[0] = '\0';
}

static void name_requester(struct client *c, const struct spdm_judgement *j)
{
    char text[400];
    char *safe;
    spdm_x509_name_text(spdm_judgement_leaf(j)->subject, text, sizeof text);
    safe = spdm_text_safe_string(text);
    snprintf(c->requester, sizeof c->requester, "%s", safe);
    free(safe);
}

static void tell_refusal(struct client *c, const struct spdm_judgement *j)
{
    char text[400] = "out of memory";
    if (j != NULL && j->finding_n != 0) spdm_finding_text(j, &j->finding[0], text, sizeof text);
    spdm_respond_client_says(c->server, "%s: the requester's chain is not trusted: %s", spdm_link_peer(c->link), text);
}

/* The question is about a requester, so the facts that count are those of its side. */
static void judge(struct client *c, const struct spdm_event *event)
{
    const struct spdm_facts *facts = spdm_responder_facts(c->engine);
    struct spdm_judge *judge = c->server->generation->device->requesters.judge;
    struct spdm_judge_case input = {.hash = (enum spdm_alg)facts->hash,
                                    .signature = (enum spdm_alg)facts->req_signature,
                                    .version = facts->version,
                                    .slot = event->slot,
                                    .role = SPDM_JUDGE_REQUESTER,
                                    .multi_key = (facts->requester.flags & SPDM_MULTI_KEY_CAP_MASK) != 0,
                                    .now = (int64_t)time(NULL)};
    struct spdm_judgement *j = NULL;
    bool good;
    if (event->kind == SPDM_ASK_DIGEST) input.digest = event->data;
    else input.chain = event->data;
    if (judge != NULL && event->kind == SPDM_ASK_DIGEST) j = spdm_judge_known(judge, &input);
    if (judge != NULL && event->kind == SPDM_ASK_TRUST) {
        j = spdm_judge_decide(judge, &input);
        spdm_judge_remember(judge, j);
    }
    good = j != NULL && j->verdict == SPDM_GOOD && j->key != NULL;
    if (good) name_requester(c, j);
    else if (event->kind == SPDM_ASK_TRUST) tell_refusal(c, j);
    hold(c, j);
    spdm_respond_answer(c, &(struct spdm_answer){.ticket = event->ticket, .yes = good, .key = good ? j->key : NULL});
}

void spdm_respond_vouch(struct client *c)
{
    const struct spdm_facts *facts = spdm_responder_facts(c->engine);
    const struct spdm_device *d = c->server->generation->device;
    enum spdm_alg hash = (enum spdm_alg)facts->hash;
    struct spdm_openssl_key *old = c->known;
    uint8_t digest[SPDM_HASH_MAX] = {0};
    bool known = spdm_device_requester_digest(d, c->server->ossl, hash, digest) &&
                 spdm_openssl_key_fits(d->requesters.key, (enum spdm_alg)facts->req_signature);
    c->known = known ? spdm_openssl_key_share(d->requesters.key) : NULL;
    spdm_responder_trust(c->engine, d->policy.mut_auth_slot,
                         (struct spdm_span){digest, known ? spdm_algorithm(hash)->size : 0}, c->known);
    spdm_openssl_key_free(old);
}

/* ---- signatures ---- */

/* Spans of a copy point into the copy; RequesterInfo moves. */
static void copy_job(struct to_sign *to, struct to_sign *from)
{
    free(to->info.p);
    *to = *from;
    from->info = (struct spdm_room){NULL, 0};
    to->what.data.p = to->bytes;
    to->what.context.p = to->bytes + to->what.data.n;
}

void spdm_respond_start_signing(struct client *c)
{
    struct to_sign *q = &c->question;
    c->due = SPDM_NEVER;
    if (c->signing != SIGN_IDLE) {
        c->sign_again = true;
        return;
    }
    if (!q->csr) q->key = spdm_device_key(c->server->generation->device, q->slot, q->what.alg);
    if (q->key == NULL) {
        refuse(c);
        return;
    }
    copy_job(&c->job, q);
    spdm_respond_sign(c);
}

void spdm_respond_signed(struct client *c, struct spdm_span signature, const char *cause, bool unfit)
{
    struct server *s = c->server;
    uint8_t error = c->job.csr && unfit ? SPDM_ERROR_INVALID_REQUEST : 0;
    if (c->link == NULL) { /* it has left meanwhile */
        spdm_respond_give_back(c);
        return;
    }
    if (signature.n == 0 && c->job.csr)
        spdm_respond_client_says(s, "%s: no certificate request: %s", spdm_link_peer(c->link), cause);
    else if (signature.n == 0)
        spdm_respond_client_says(s, "%s: cannot sign with slot %u: %s", spdm_link_peer(c->link), c->job.slot, cause);
    if (c->sign_again) {
        c->sign_again = false;
        spdm_respond_start_signing(c);
        return;
    }
    if ((c->asked != SPDM_ASK_SIGN && c->asked != SPDM_ASK_CSR) || c->job.ticket != c->question.ticket) return;
    c->signatures += signature.n != 0;
    spdm_respond_answer(
        c, &(struct spdm_answer){.ticket = c->job.ticket, .yes = signature.n != 0, .data = signature, .error = error});
    spdm_respond_serve(c);
}

/* ---- all of them ---- */

void spdm_respond_answer_now(struct client *c)
{
    if (c->asked == SPDM_ASK_SIGN) spdm_respond_start_signing(c);
    else if (c->asked == SPDM_ASK_MEASURE) answer_measurements(c);
    else if (c->asked == SPDM_ASK_PSK) answer_psk(c);
    else refuse(c); /* vendor messages and errands: nothing here understands any */
}

/* What is to be signed, kept; false: it is too long. */
static bool keep(struct to_sign *q, const struct spdm_event *event)
{
    size_t n = event->signing.data.n, context = event->signing.context.n;
    if (n > sizeof q->bytes || context > sizeof q->bytes - n) return false;
    memcpy(q->bytes, event->signing.data.p, n);
    if (context != 0) memcpy(q->bytes + n, event->signing.context.p, context);
    q->what.data.p = q->bytes;
    q->what.context.p = q->bytes + n;
    return true;
}

void spdm_respond_question(struct client *c, const struct spdm_event *event)
{
    const struct spdm_device *d = c->server->generation->device;
    struct to_sign *q = &c->question;
    /* An earlier question is void: its signature, if not begun, need not be made. */
    spdm_respond_forget_question(c);
    if (c->signing == SIGN_WAITING) spdm_respond_forget(c);
    if (event->kind == SPDM_ASK_DIGEST || event->kind == SPDM_ASK_TRUST) {
        judge(c, event);
        return;
    }
    c->asked = event->kind;
    q->ticket = event->ticket;
    q->csr = false;
    if (spdm_respond_report(c, event)) return;
    if (event->kind >= SPDM_ASK_KEY_PAIR && event->kind <= SPDM_ASK_BANK) {
        spdm_respond_provision(c, event);
        return;
    }
    q->slot = event->slot;
    q->what = event->signing;
    if (event->kind == SPDM_ASK_PSK)
        c->derive = (struct to_derive){spdm_device_psk(d, event->data), event->hash, event->psk_salt};
    if (event->kind == SPDM_ASK_SIGN && !keep(q, event)) {
        refuse(c);
        return;
    }
    c->due = spdm_respond_now() + (uint64_t)d->delay_ms * 1000;
    if (d->delay_ms == 0) spdm_respond_answer_now(c);
}
