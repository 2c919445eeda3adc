/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sessions: their places, their transcripts and keys. A stage wipes what it
 * consumed, and a freed session leaves nothing but zeros. */
#include "core/session.h"

/* Hash states of TH and L1/L2, cipher states of two lanes and the two before them. */
static size_t behind(const struct spdm_config *cfg)
{
    return 2 * spdm_aligned(cfg->crypto->hash_state_size) +
           2 * (size_t)DIRECTION_N * spdm_aligned(cfg->crypto->aead_state_size);
}

static size_t size(const struct spdm_config *cfg)
{
    return spdm_aligned(sizeof(struct session)) + behind(cfg);
}

size_t spdm_session_size(const struct spdm_config *config)
{
    return size(config);
}

struct session *spdm_session_at(const struct conn *c, size_t i)
{
    size_t n = size(c->cfg);
    struct spdm_room rest = spdm_room_from(c->cfg->session_memory, i * n);
    void *place = rest.p;

    return rest.n < n ? NULL : place;
}

size_t spdm_session_count(const struct conn *c)
{
    return c->cfg->session_memory.n / size(c->cfg);
}

/* Points the states of an empty place into the memory behind it. */
static void prepare(struct conn *c, struct session *s)
{
    size_t hash = spdm_aligned(c->cfg->crypto->hash_state_size), aead = spdm_aligned(c->cfg->crypto->aead_state_size);
    void *place = s;
    struct spdm_room rest = spdm_room_from((struct spdm_room){place, size(c->cfg)}, spdm_aligned(sizeof *s));

    *s = (struct session){.next = s->next, .tr = {.crypto = c->cfg->crypto, .ctx = c->cfg->crypto_ctx}};
    s->tr.states = (struct spdm_room){rest.p, 2 * hash}; /* TH, L1/L2 */
    for (unsigned d = 0; d < DIRECTION_N; d++) {
        s->lane[d].aead = spdm_room_from(rest, 2 * hash + d * aead).p;
        s->previous[d].aead = spdm_room_from(rest, 2 * hash + (DIRECTION_N + d) * aead).p;
    }
}

static void place(struct conn *c)
{
    struct session *s, *next = spdm_session_at(c, 0);

    for (size_t i = 1; (s = next) != NULL; i++) {
        next = spdm_session_at(c, i);
        spdm_wipe(s, size(c->cfg));
        s->next = next;
        prepare(c, s);
    }
}

struct session *spdm_session_find(const struct conn *c, uint32_t id)
{
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE && s->id == id && id != 0) return s;
    }
    return NULL;
}

struct session *spdm_session_new(struct conn *c)
{
    struct session *s, *place = NULL;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE) continue;
        place = s;
        if (s->over == 0) break; /* else better another place, this one still has something to tell */
    }
    if (place == NULL) return NULL;
    prepare(c, place);
    place->state = SESSION_OPENING;
    return place;
}

struct session *spdm_session_clear_handshake(const struct conn *c)
{
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state == SESSION_HANDSHAKE && s->in_the_clear) return s;
    }
    return NULL;
}

bool spdm_session_taken(const struct conn *c, uint16_t half, unsigned shift)
{
    const struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE && (uint16_t)(s->id >> shift) == half) return true;
    }
    return false;
}

uint16_t spdm_session_half(const struct conn *c, unsigned shift)
{
    uint16_t half = 0xffff;

    while (spdm_session_taken(c, half, shift)) half--;
    return half;
}

struct session *spdm_session_begin(struct conn *c, bool psk)
{
    struct session *s = spdm_session_new(c);

    if (s == NULL) return NULL;
    s->psk = psk;
    s->id = spdm_session_half(c, 0);
    return s;
}

void spdm_session_name(struct conn *c, struct session *s, uint16_t req_half, uint16_t rsp_half)
{
    const struct spdm_policy *policy = c->cfg->policy;
    uint32_t both = c->facts.requester.flags & c->facts.responder.flags;

    s->id = (uint32_t)rsp_half << 16 | req_half;
    s->form = (struct record_form){.session = s->id,
                                   .seq_bytes = c->cfg->binding->sequence_bytes,
                                   .mac_only = (both & SPDM_ENCRYPT_CAP) == 0,
                                   .big_endian = policy->big_endian_nonce,
                                   .limit = UINT64_MAX - 1};
    s->in_the_clear = !spdm_session_by_psk(s) && (both & SPDM_HANDSHAKE_IN_THE_CLEAR_CAP) != 0; /* R-PSK-02 */
    s->tr.vca = c->tr.vca;
    s->tr.vca_n = c->tr.vca_n;
    s->tr.vca_in_l1l2 = c->tr.vca_in_l1l2;
}

static void end_lane(struct conn *c, struct lane *lane)
{
    void *state = lane->aead;

    if (lane->ready) c->cfg->crypto->aead_end(c->cfg->crypto_ctx, state);
    spdm_wipe(lane, sizeof *lane);
    lane->aead = state;
}

void spdm_session_free(struct conn *c, struct session *s)
{
    struct session *next;

    for (unsigned d = 0; d < DIRECTION_N; d++) {
        end_lane(c, &s->lane[d]);
        end_lane(c, &s->previous[d]);
    }
    spdm_transcript_clear(&s->tr);
    next = s->next;
    spdm_wipe(s, size(c->cfg));
    s->next = next;
    prepare(c, s);
    if (c->channel == s) c->channel = NULL;
}

static void clear(struct conn *c)
{
    struct session *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE) spdm_session_free(c, s);
    }
}

bool spdm_session_records(const struct session *s)
{
    return s->state == SESSION_ESTABLISHED || (s->state == SESSION_HANDSHAKE && !s->in_the_clear);
}

size_t spdm_session_head(const struct conn *c, const struct session *s)
{
    return c->cfg->binding->head + spdm_record_head(&s->form) + spdm_session_inner(c);
}

/* ---- transcript and keys ---- */

struct schedule spdm_session_schedule(const struct conn *c)
{
    return (struct schedule){.crypto = c->cfg->crypto,
                             .ctx = c->cfg->crypto_ctx,
                             .hash = (enum spdm_alg)c->facts.hash,
                             .aead = (enum spdm_alg)c->facts.aead,
                             .version = c->ed->version,
                             .psk_salt = c->ed->psk_salt};
}

void spdm_session_th(struct conn *c, struct session *s, struct spdm_span bytes)
{
    const struct transcript *base = &c->tr;

    if (!spdm_session_by_psk(s) && !s->tr.open[TRANSCRIPT_TH] && !s->tr.broken[TRANSCRIPT_TH] &&
        base->open[TRANSCRIPT_BASE]) {
        s->tr.open[TRANSCRIPT_TH] =
            c->cfg->crypto->hash_copy(c->cfg->crypto_ctx, spdm_transcript_state(&s->tr, TRANSCRIPT_TH),
                                      spdm_transcript_state(base, TRANSCRIPT_BASE));
        s->tr.broken[TRANSCRIPT_TH] = !s->tr.open[TRANSCRIPT_TH] || base->broken[TRANSCRIPT_BASE];
    }
    spdm_transcript_add(&s->tr, TRANSCRIPT_TH, (enum spdm_alg)c->facts.hash, bytes);
}

bool spdm_session_th_digest(const struct session *s, uint8_t out[SPDM_HASH_MAX])
{
    return spdm_transcript_digest(&s->tr, TRANSCRIPT_TH, out);
}

/* Keys a lane from a direction secret; sequence numbers begin at 0 (R-APP-02). */
static bool key_lane(struct conn *c, struct lane *lane, const uint8_t secret[SPDM_HASH_MAX])
{
    struct schedule schedule = spdm_session_schedule(c);
    struct record_secret rs;
    size_t n = spdm_algorithm(schedule.aead)->key;

    end_lane(c, lane);
    if (spdm_schedule_record(&schedule, secret, &rs)) {
        memcpy(lane->iv, rs.iv, sizeof lane->iv);
        lane->ready = c->cfg->crypto->aead_begin(c->cfg->crypto_ctx, lane->aead, schedule.aead, spdm_span(rs.key, n));
    }
    spdm_wipe(&rs, sizeof rs);
    return lane->ready;
}

bool spdm_session_key(struct conn *c, struct session *s)
{
    return key_lane(c, &s->lane[REQUEST], s->secrets.direction[REQUEST]) &&
           key_lane(c, &s->lane[RESPONSE], s->secrets.direction[RESPONSE]);
}

static void tell_secret(const struct conn *c, const struct session *s, const char *label, const uint8_t *secret)
{
    struct spdm_keylog entry = {.label = label,
                                .session = s->id,
                                .secret = spdm_span(secret, spdm_conn_hash_size(c)),
                                .version = c->facts.version,
                                .secured_version = s->version,
                                .hash = c->facts.hash,
                                .aead = c->facts.aead,
                                .sequence_bytes = s->form.seq_bytes,
                                .mac_only = s->form.mac_only,
                                .big_endian = s->form.big_endian};

    if (secret == s->secrets.direction[REQUEST]) entry.generation = s->generation[REQUEST];
    if (secret == s->secrets.direction[RESPONSE]) entry.generation = s->generation[RESPONSE];
    c->cfg->keylog(c->cfg->keylog_ctx, &entry);
}

/* Tells an explicit log, if the caller has set one up, what a decoder of captures needs. */
static void log_secret(const struct conn *c, const struct session *s, const char *label, const uint8_t *secret)
{
    if (SPDM_WHOLE && c->cfg->keylog != NULL) tell_secret(c, s, label, secret);
}

bool spdm_session_handshake(struct conn *c, struct session *s, const uint8_t th1[SPDM_HASH_MAX])
{
    struct schedule schedule = spdm_session_schedule(c);

    if (!spdm_schedule_handshake(&schedule, &s->secrets, th1)) return false;
    log_secret(c, s, "req hs data", s->secrets.direction[REQUEST]);
    log_secret(c, s, "rsp hs data", s->secrets.direction[RESPONSE]);
    s->state = SESSION_HANDSHAKE;
    return spdm_session_key(c, s);
}

bool spdm_session_establish(struct conn *c, struct session *s)
{
    struct schedule schedule = spdm_session_schedule(c);
    uint8_t th2[SPDM_HASH_MAX];

    if (!spdm_session_th_digest(s, th2) || !spdm_schedule_data(&schedule, &s->secrets, th2)) return false;
    spdm_transcript_reset(&s->tr, TRANSCRIPT_TH);
    s->state = SESSION_ESTABLISHED;
    log_secret(c, s, "req app data", s->secrets.direction[REQUEST]);
    log_secret(c, s, "rsp app data", s->secrets.direction[RESPONSE]);
    log_secret(c, s, "exp master", s->secrets.export_master);
    return spdm_session_key(c, s);
}

bool spdm_session_verify_data(struct conn *c, struct session *s, enum direction by, uint8_t out[SPDM_HASH_MAX])
{
    struct schedule schedule = spdm_session_schedule(c);
    uint8_t th[SPDM_HASH_MAX];

    return spdm_session_th_digest(s, th) && spdm_schedule_verify_data(&schedule, s->secrets.finished[by], th, out);
}

spdm_verdict spdm_session_judge(struct conn *c, struct session *s, enum direction by, struct spdm_span theirs)
{
    uint8_t ours[SPDM_HASH_MAX];
    spdm_verdict verdict = SPDM_BAD;

    if (!spdm_session_verify_data(c, s, by, ours)) return 0;
    if (spdm_equal(theirs, spdm_span(ours, spdm_conn_hash_size(c)))) verdict = SPDM_GOOD;
    spdm_wipe(ours, sizeof ours); /* the right one is nobody's business if theirs is wrong */
    return verdict;
}

void spdm_session_restore(struct conn *c, struct session *s, enum direction d)
{
    void *state = s->lane[d].aead;

    end_lane(c, &s->lane[d]);
    s->lane[d] = s->previous[d];
    s->previous[d].aead = state;
    s->previous[d].ready = false; /* its cipher lives on in the lane */
    s->generation[d]--;
    memcpy(s->secrets.direction[d], s->secrets.previous[d], SPDM_HASH_MAX);
    spdm_session_drop_previous(c, s, d);
}

/* All or nothing: a failure leaves the key that there was. */
bool spdm_session_update(struct conn *c, struct session *s, enum direction d)
{
    struct schedule schedule = spdm_session_schedule(c);
    uint8_t *old = s->secrets.previous[d];
    void *state;

    end_lane(c, &s->previous[d]);
    state = s->previous[d].aead;
    s->previous[d] = s->lane[d];
    s->lane[d] = (struct lane){.aead = state};
    memcpy(old, s->secrets.direction[d], SPDM_HASH_MAX);
    s->generation[d]++;
    if (!spdm_schedule_update(&schedule, old, s->secrets.direction[d]) ||
        !key_lane(c, &s->lane[d], s->secrets.direction[d])) {
        spdm_session_restore(c, s, d);
        return false;
    }
    log_secret(c, s, d == REQUEST ? "req app data" : "rsp app data", s->secrets.direction[d]);
    return true;
}

void spdm_session_unkey(struct conn *c, struct session *s)
{
    for (unsigned d = 0; d < DIRECTION_N; d++) end_lane(c, &s->lane[d]);
}

void spdm_session_drop_previous(struct conn *c, struct session *s, enum direction d)
{
    end_lane(c, &s->previous[d]);
    spdm_wipe(s->secrets.previous[d], SPDM_HASH_MAX);
}

struct session *spdm_session_oldest(const struct conn *c)
{
    struct session *oldest = NULL, *s;

    for (s = spdm_session_at(c, 0); s != NULL; s = s->next) {
        if (s->state != SESSION_FREE && (oldest == NULL || s->heard < oldest->heard)) oldest = s;
    }
    return oldest;
}

#define OF_BOTH_ROLES                                                                                                  \
    .size = size, .place = place, .clear = clear, .open = spdm_session_open, .seal = spdm_session_seal,                \
    .find = spdm_session_find, .records = spdm_session_records, .head = spdm_session_head, .free = spdm_session_free,  \
    .end_for = spdm_session_end_for, .ended = spdm_session_ended, .expired = spdm_session_expired,                     \
    .deadline = spdm_session_deadline

static const struct spdm_asking asking = {.begin = spdm_session_begin,
                                          .plan = spdm_session_plan,
                                          .end = spdm_session_end,
                                          .heartbeat = SPDM_WHOLE ? spdm_session_heartbeat : NULL,
                                          .put_off = spdm_session_put_off};

const struct spdm_sessions spdm_with_sessions = {OF_BOTH_ROLES, .asks = &asking};
const struct spdm_sessions spdm_serving_sessions = {OF_BOTH_ROLES};
