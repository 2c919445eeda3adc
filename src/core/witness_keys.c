/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which of the secrets that the caller has belongs to a session: the one under
 * which VerifyData is the HMAC that it should be. */
#include "core/witness_state.h"

static bool ask(const struct spdm_witness *w, const struct spdm_secret_wanted *wanted, unsigned n,
                struct spdm_secret *out)
{
    *out = (struct spdm_secret){{{0}}};
    return w->watch.secret != NULL && w->watch.secret(w->watch.ctx, wanted, n, out);
}

/* Handshake-Secret and what follows from it. */
static bool use_shared(struct spdm_witness *w, struct session *s, struct spdm_span shared)
{
    struct conn *c = &w->plain.c;
    struct schedule schedule = spdm_session_schedule(c);

    return spdm_schedule_handshake_secret(&schedule, &s->secrets, shared) && spdm_session_handshake(c, s, w->th1);
}

/* HMAC(Salt_0, PSK): a pre-shared key in the hands of a witness was given to it. */
static bool use_psk(struct spdm_witness *w, struct session *s, struct spdm_span psk)
{
    struct conn *c = &w->plain.c;
    uint8_t salt[SPDM_HASH_MAX];
    struct spdm_hmac in = {
        .hash = (enum spdm_alg)c->facts.hash, .key = {salt, spdm_conn_hash_size(c)}, .part = &psk, .n = 1};
    struct schedule schedule = spdm_session_schedule(c);

    spdm_schedule_psk_salt(&schedule, salt);
    return c->cfg->crypto->hmac(c->cfg->crypto_ctx, &in, s->secrets.root) && spdm_session_handshake(c, s, w->th1);
}

/* Direction secrets as they were logged. */
static bool use_logged(struct spdm_witness *w, struct session *s, const struct spdm_secret *secret)
{
    struct conn *c = &w->plain.c;
    struct schedule schedule = spdm_session_schedule(c);
    size_t h = spdm_conn_hash_size(c);

    for (unsigned d = 0; d < DIRECTION_N; d++) {
        if (secret->bytes[d].n != h) return false;
        memcpy(s->secrets.direction[d], secret->bytes[d].p, h);
    }
    s->logged = true;
    return spdm_schedule_finished(&schedule, &s->secrets) && spdm_session_key(c, s);
}

static bool use(struct spdm_witness *w, struct session *s, enum spdm_secret_kind kind, const struct spdm_secret *secret)
{
    s->logged = false;
    if (kind == SPDM_SECRET_SHARED) return use_shared(w, s, secret->bytes[0]);
    if (kind == SPDM_SECRET_PSK) return use_psk(w, s, secret->bytes[0]);
    return use_logged(w, s, secret);
}

bool spdm_watch_logged(struct spdm_witness *w, struct session *s, enum spdm_secret_kind kind, unsigned n)
{
    struct spdm_secret_wanted wanted = {.kind = kind, .session = s->id};
    struct spdm_secret secret;

    for (; ask(w, &wanted, n, &secret); n++) {
        if (use(w, s, kind, &secret)) return true;
    }
    return false;
}

enum spdm_signature_state spdm_watch_verify_data(struct spdm_witness *w, struct session *s, enum direction by,
                                                 struct spdm_span theirs)
{
    struct conn *c = &w->plain.c;
    uint8_t ours[SPDM_HASH_MAX];

    if (!s->lane[by].ready || !spdm_session_verify_data(c, s, by, ours)) return SPDM_SIGNATURE_UNCHECKED;
    return spdm_equal(theirs, spdm_span(ours, spdm_conn_hash_size(c))) ? SPDM_SIGNATURE_GOOD : SPDM_SIGNATURE_BAD;
}

static bool fits(struct spdm_witness *w, struct session *s, enum direction by, struct spdm_span theirs)
{
    return spdm_watch_verify_data(w, s, by, theirs) == SPDM_SIGNATURE_GOOD;
}

static bool try_all(struct spdm_witness *w, struct session *s, enum spdm_secret_kind kind, enum direction by,
                    struct spdm_span theirs)
{
    struct spdm_secret_wanted wanted = {.kind = kind, .session = s->id};
    struct spdm_secret secret;

    for (unsigned n = 0; ask(w, &wanted, n, &secret); n++) {
        if (use(w, s, kind, &secret) && fits(w, s, by, theirs)) return true;
    }
    return false;
}

/* What follows is to be read even if VerifyData is wrong. */
static bool go_on(struct spdm_witness *w, struct session *s, enum spdm_secret_kind kind)
{
    struct spdm_secret_wanted wanted = {.kind = kind, .session = s->id, .none_fits = true};
    struct spdm_secret secret;

    return ask(w, &wanted, 0, &secret) && use(w, s, kind, &secret);
}

enum spdm_signature_state spdm_watch_find_keys(struct spdm_witness *w, struct session *s, enum direction by,
                                               struct spdm_span theirs)
{
    enum spdm_secret_kind kind = s->psk ? SPDM_SECRET_PSK : SPDM_SECRET_SHARED;

    uint8_t th[SPDM_HASH_MAX];
    bool comparable = spdm_session_th_digest(s, th);

    if (try_all(w, s, kind, by, theirs) || try_all(w, s, SPDM_SECRET_HANDSHAKE, by, theirs)) return SPDM_SIGNATURE_GOOD;
    if (go_on(w, s, kind) || go_on(w, s, SPDM_SECRET_HANDSHAKE)) {
        return comparable ? SPDM_SIGNATURE_BAD : SPDM_SIGNATURE_UNCHECKED;
    }
    spdm_session_unkey(&w->plain.c, s);
    return SPDM_SIGNATURE_UNCHECKED;
}
