/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_trust.c - judges each chain of a capture once, and opens its leaf's key. */
#include "decode_trust.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

static bool same_bytes(struct spdm_span a, struct spdm_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_case(const struct spdm_judge_case *a, const struct spdm_judge_case *b)
{
    return a->hash == b->hash && a->signature == b->signature && a->version == b->version && a->slot == b->slot &&
           a->role == b->role && a->model == b->model && a->multi_key == b->multi_key && same_bytes(a->chain, b->chain);
}

static void open_key(const struct decode_court *court, struct decode_chain *c)
{
    char cause[SPDM_CAUSE_MAX] = "";
    const struct spdm_x509 *leaf = spdm_judgement_leaf(c->judgement);
    if (leaf == NULL || leaf->wrong != NULL) {
        c->why_no_key = "the leaf certificate cannot be read";
        return;
    }
    c->key = spdm_openssl_key_open(court->ossl, leaf->spki, cause);
    if (c->key == NULL) c->why_no_key = "this libcrypto has no such keys";
    else if (!spdm_openssl_key_fits(c->key, c->judgement->input.signature))
        c->why_no_key = "the key is of another kind";
}

static struct decode_chain *judge(struct decode_court *court, const struct spdm_judge_case *input)
{
    struct decode_chain *c = spdm_text_need(calloc(1, sizeof *c));
    c->judgement = spdm_text_need(spdm_judge_decide(court->judge, input));
    open_key(court, c);
    court->chains = spdm_text_need(realloc(court->chains, (court->n + 1) * sizeof *court->chains));
    court->chains[court->n++] = c;
    return c;
}

const struct decode_chain *decode_court_chain(struct decode_court *court, const struct spdm_facts *facts,
                                              const struct spdm_event *event, bool requester, int64_t now)
{
    struct spdm_judge_case input;
    spdm_judge_case_of(facts, event, &input);
    input.role = requester ? SPDM_JUDGE_REQUESTER : SPDM_JUDGE_RESPONDER;
    input.now = court->no_time ? 0 : now;
    for (size_t i = 0; i < court->n; i++)
        if (same_case(&court->chains[i]->judgement->input, &input)) return court->chains[i];
    return judge(court, &input);
}

void decode_court_clear(struct decode_court *court)
{
    for (size_t i = 0; i < court->n; i++) {
        spdm_openssl_key_free(court->chains[i]->key);
        spdm_judgement_free(court->chains[i]->judgement);
        free(court->chains[i]);
    }
    free(court->chains);
    court->chains = NULL;
    court->n = 0;
}
