/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The liar: the toy's records, opened and sealed with keys from the key log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/liar.h"

static void note(void *ctx, const struct spdm_keylog *entry)
{
    struct liar *l = ctx;
    struct liar_secret *s = &l->secret[l->n % LIAR_SECRETS];
    const struct spdm_facts *f = spdm_requester_facts(l->p->rq);

    if (strcmp(entry->label, "exp master") == 0) return;
    *s = (struct liar_secret){.session = entry->session,
                              .response = strncmp(entry->label, "rsp", 3) == 0,
                              .handshake = strstr(entry->label, "hs") != NULL,
                              .generation = entry->generation,
                              .version = f->version,
                              .hash = f->hash,
                              .aead = f->aead,
                              .mac_only = (f->requester.flags & f->responder.flags & SPDM_ENCRYPT_CAP) == 0};
    assert_true(entry->secret.n <= sizeof s->secret);
    memcpy(s->secret, entry->secret.p, entry->secret.n);
    l->n++;
}

void liar_listen(struct liar *l, struct pair *p)
{
    memset(l, 0, sizeof *l);
    l->p = p;
    p->req_config.keylog = p->rsp_config.keylog = note;
    p->req_config.keylog_ctx = p->rsp_config.keylog_ctx = l;
}

static unsigned known(const struct liar *l)
{
    return l->n < LIAR_SECRETS ? l->n : LIAR_SECRETS;
}

const struct liar_secret *liar_find(const struct liar *l, uint32_t session, bool response)
{
    for (unsigned i = 0; i < known(l); i++) {
        const struct liar_secret *s = &l->secret[(l->n - 1 - i) % LIAR_SECRETS];

        if (s->session == session && s->response == response) return s;
    }
    return NULL;
}

const struct liar_secret *liar_pick(const struct liar *l, unsigned number)
{
    return known(l) == 0 ? NULL : &l->secret[number % known(l)];
}

/* A lane keyed from a secret, in storage of the caller's. */
static struct lane lane_of(struct liar *l, const struct liar_secret *from, uint64_t sequence, uint64_t state[4])
{
    struct schedule sch = {.crypto = &toy_crypto,
                           .ctx = &l->toy,
                           .hash = (enum spdm_alg)from->hash,
                           .aead = (enum spdm_alg)from->aead,
                           .version = from->version};
    struct lane lane = {.aead = state, .sequence = sequence, .ready = true};
    struct record_secret rs;

    memset(state, 0, 4 * sizeof *state);
    assert_true(spdm_schedule_record(&sch, from->secret, &rs));
    memcpy(lane.iv, rs.iv, sizeof lane.iv);
    assert_true(toy_crypto.aead_begin(&l->toy, state, sch.aead, spdm_span(rs.key, spdm_algorithm(sch.aead)->key)));
    return lane;
}

static struct record_form form_of(const struct liar *l, const struct liar_secret *key)
{
    return (struct record_form){.session = key->session,
                                .seq_bytes = l->p->req_config.binding->sequence_bytes,
                                .mac_only = key->mac_only,
                                .limit = UINT64_MAX - 1};
}

static bool open_with(struct liar *l, const struct liar_secret *key, struct spdm_span record, struct spdm_span *data)
{
    static uint8_t out[PAIR_BUFFER];
    struct record_crypto rc = {&toy_crypto, &l->toy};
    struct record_form form = form_of(l, key);
    uint64_t state[4];
    struct lane lane = lane_of(l, key, (uint64_t)record.p[4] | (uint64_t)record.p[5] << 8, state);
    struct record_in in = {.record = record, .out = {out, sizeof out}};

    l->sequence = lane.sequence;
    if (!spdm_record_open(&rc, &form, &lane, &in)) return false;
    *data = in.data;
    return true;
}

struct spdm_span liar_open(struct liar *l, bool to_responder, struct spdm_span frame)
{
    struct spdm_span record = spdm_part(frame, 1, frame.n), data;

    l->plain = frame.p[0] == 5;
    if (l->plain) {
        memcpy(l->message, record.p, record.n);
        return spdm_span(l->message, record.n);
    }
    for (unsigned i = 0; i < known(l); i++) {
        l->key = &l->secret[i];
        if (l->key->response == to_responder || l->key->session != spdm_record_session(record)) continue;
        if (!open_with(l, l->key, record, &data)) continue;
        l->inner = data.p[0];
        memcpy(l->message, data.p + 1, data.n - 1);
        return spdm_span(l->message, data.n - 1);
    }
    return (struct spdm_span){0};
}

size_t liar_seal_with(struct liar *l, const struct liar_secret *key, uint64_t sequence, struct spdm_span message,
                      uint8_t *frame)
{
    struct record_crypto rc = {&toy_crypto, &l->toy};
    struct record_plain plain = {.head = {&l->inner, 1}, .data = message};
    uint64_t state[4];
    struct record_form form;
    struct lane lane;
    size_t n;

    if (key == NULL) {
        frame[0] = 5;
        memmove(frame + 1, message.p, message.n);
        return message.n + 1;
    }
    l->inner = 5;
    form = form_of(l, key);
    lane = lane_of(l, key, sequence, state);
    n = spdm_record_seal(&rc, &form, &lane, &plain, (struct spdm_room){frame + 1, PAIR_BUFFER - 1});
    assert_int_not_equal(n, 0);
    frame[0] = 6;
    return n + 1;
}

size_t liar_seal(struct liar *l, struct spdm_span message, uint8_t *frame)
{
    return liar_seal_with(l, l->plain ? NULL : l->key, l->sequence, message, frame);
}
