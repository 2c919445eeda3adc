/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The key schedule on nothing but HMAC: extract is one, expand one per output
 * block of H bytes. Labels and order are those of spec digest sessions.md
 * section 4; known answers recorded from another implementation are tests. */
#include "trust/schedule.h"

enum label { DERIVED, REQ_HS, RSP_HS, REQ_APP, RSP_APP, KEY, IV, FINISHED, EXPORT_MASTER, TRAFFIC_UPDATE };

static const struct {
    uint8_t n;
    char text[13];
} labels[] = {
    [DERIVED] = {7, "derived"},
    [REQ_HS] = {11, "req hs data"},
    [RSP_HS] = {11, "rsp hs data"},
    [REQ_APP] = {12, "req app data"},
    [RSP_APP] = {12, "rsp app data"},
    [KEY] = {3, "key"},
    [IV] = {2, "iv"},
    [FINISHED] = {8, "finished"},
    [EXPORT_MASTER] = {10, "exp master"},
    [TRAFFIC_UPDATE] = {11, "traffic upd"},
};

static const uint8_t zeros[SPDM_HASH_MAX];

static size_t hash_size(const struct schedule *s)
{
    return spdm_algorithm(s->hash)->size;
}

static bool hmac(const struct schedule *s, struct spdm_span key, const struct spdm_span part[2], uint8_t *out)
{
    struct spdm_hmac in = {.hash = s->hash, .key = key, .part = part, .n = 2};

    return s->crypto->hmac(s->ctx, &in, out);
}

/* What goes into one expansion beside the secret: the label and, for some, a transcript digest. */
struct info {
    enum label label;
    const uint8_t *context; /* H bytes, or NULL */
};

/* HKDF-Expand(secret, BinConcat(n, version, label, context), n) for n <= H: a single block, T(1) = HMAC(secret,
 * info || 0x01). Every output of the schedule is at most H bytes long: the longest key has 32, the shortest hash 32. */
static bool expand(const struct schedule *s, const uint8_t *secret, struct info info, struct spdm_room out)
{
    uint8_t bin[10 + 12 + SPDM_HASH_MAX + 1] = {
        (uint8_t)out.n, (uint8_t)(out.n >> 8), 's', 'p', 'd', 'm', '1', '.', (uint8_t)('0' + (s->version & 0x0f)), ' '};
    size_t h = hash_size(s), at = 10, n = labels[info.label].n;
    struct spdm_span part[2] = {{bin, 0}, {0}};
    uint8_t block[SPDM_HASH_MAX];
    bool fine;

    memcpy(&bin[at], labels[info.label].text, n);
    at += n;
    if (info.context != NULL) {
        memcpy(&bin[at], info.context, h);
        at += h;
    }
    bin[at++] = 1;
    part[0].n = at;
    fine = hmac(s, spdm_span(secret, h), part, block);
    if (fine) memcpy(out.p, block, out.n);
    spdm_wipe(block, sizeof block);
    return fine;
}

static bool expand_secret(const struct schedule *s, const uint8_t *secret, struct info info, uint8_t *out)
{
    return expand(s, secret, info, (struct spdm_room){out, hash_size(s)});
}

bool spdm_schedule_handshake_secret(const struct schedule *s, struct secrets *out, struct spdm_span shared)
{
    struct spdm_span part[2] = {shared, {0}};

    return hmac(s, spdm_span(zeros, hash_size(s)), part, out->root);
}

void spdm_schedule_psk_salt(const struct schedule *s, uint8_t out[SPDM_HASH_MAX])
{
    memset(out, s->psk_salt, SPDM_HASH_MAX);
}

bool spdm_schedule_finished(const struct schedule *s, struct secrets *secrets)
{
    return expand_secret(s, secrets->direction[REQUEST], (struct info){FINISHED, NULL}, secrets->finished[REQUEST]) &&
           expand_secret(s, secrets->direction[RESPONSE], (struct info){FINISHED, NULL}, secrets->finished[RESPONSE]);
}

bool spdm_schedule_handshake(const struct schedule *s, struct secrets *secrets, const uint8_t th1[SPDM_HASH_MAX])
{
    return expand_secret(s, secrets->root, (struct info){REQ_HS, th1}, secrets->direction[REQUEST]) &&
           expand_secret(s, secrets->root, (struct info){RSP_HS, th1}, secrets->direction[RESPONSE]) &&
           spdm_schedule_finished(s, secrets);
}

bool spdm_schedule_data(const struct schedule *s, struct secrets *secrets, const uint8_t th2[SPDM_HASH_MAX])
{
    struct spdm_span part[2] = {{zeros, hash_size(s)}, {0}};
    uint8_t *master = secrets->root, salt[SPDM_HASH_MAX], export[SPDM_HASH_MAX];
    bool fine = expand_secret(s, secrets->root, (struct info){DERIVED, NULL}, salt) &&
                hmac(s, spdm_span(salt, hash_size(s)), part, master) &&
                expand_secret(s, master, (struct info){REQ_APP, th2}, secrets->direction[REQUEST]) &&
                expand_secret(s, master, (struct info){RSP_APP, th2}, secrets->direction[RESPONSE]) &&
                expand_secret(s, master, (struct info){EXPORT_MASTER, th2}, export);

    spdm_wipe(salt, sizeof salt);
    spdm_wipe(secrets->root, sizeof secrets->root);
    spdm_wipe(secrets->finished, sizeof secrets->finished);
    if (fine) memcpy(secrets->export_master, export, hash_size(s));
    spdm_wipe(export, sizeof export);
    return fine;
}

bool spdm_schedule_update(const struct schedule *s, const uint8_t old[SPDM_HASH_MAX], uint8_t next[SPDM_HASH_MAX])
{
    return expand_secret(s, old, (struct info){TRAFFIC_UPDATE, NULL}, next);
}

bool spdm_schedule_record(const struct schedule *s, const uint8_t secret[SPDM_HASH_MAX], struct record_secret *out)
{
    size_t key = spdm_algorithm(s->aead)->key;

    return expand(s, secret, (struct info){KEY, NULL}, (struct spdm_room){out->key, key}) &&
           expand(s, secret, (struct info){IV, NULL}, (struct spdm_room){out->iv, SCHEDULE_IV});
}

bool spdm_schedule_verify_data(const struct schedule *s, const uint8_t finished[SPDM_HASH_MAX],
                               const uint8_t th[SPDM_HASH_MAX], uint8_t out[SPDM_HASH_MAX])
{
    struct spdm_span part[2] = {{th, hash_size(s)}, {0}};

    return hmac(s, spdm_span(finished, hash_size(s)), part, out);
}
