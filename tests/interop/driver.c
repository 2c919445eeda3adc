/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both roles of the driver share: crypto, trust, keys, and words. */
#include "interop/driver.h"
#include "apps/spdm/names.h"
#include "port/lender.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void driver_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("interop_driver: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

void driver_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    fflush(stdout);
}

uint64_t driver_now(const struct driver *d)
{
    return uv_hrtime() / 1000 + d->skew;
}

/* ---- life ---- */

static uint8_t *room(size_t n)
{
    uint8_t *p = calloc(1, n);

    if (p == NULL) driver_die("out of memory");
    return p;
}

static struct spdm_room make_room(size_t n)
{
    return (struct spdm_room){room(n), n};
}

/* The roles turned: what answers in a requester, what verifies in a responder. */
static void turn(struct driver *d, bool responder)
{
    d->turned = d->config;
    d->turned.sessions = NULL;
    d->turned.chunks = NULL;
    d->turned.binding = &spdm_binding_none;
    d->turned.out = make_room(d->config.chunks != NULL ? FRAME_MAX : d->config.data_transfer_size);
    d->turned.chain = make_room(FRAME_MAX);
    d->turned.services = &spdm_serve_turned;
    d->config.mutual = responder ? &spdm_responder_mutual : &spdm_requester_mutual;
    d->config.turned = &d->turned;
}

/* What was named must be usable; what is only a default may be missing. */
static void check_list(const struct driver *d, uint8_t *list, bool named)
{
    size_t n = 0;

    for (size_t i = 0; list[i] != 0; i++) {
        enum spdm_alg alg = (enum spdm_alg)list[i];

        if (spdm_openssl_crypto()->supports(d->ossl, alg)) list[n++] = list[i];
        else if (named) driver_die("the crypto library cannot do %s", spdm_algorithm_name(alg));
    }
    list[n] = 0;
}

static void check_lists(const struct driver *d)
{
    struct settings *set = d->set;

    check_list(d, set->hashes, set->named.hashes);
    check_list(d, set->signatures, set->named.signatures);
    check_list(d, set->exchanges, set->named.exchanges);
    check_list(d, set->aeads, set->named.aeads);
    check_list(d, set->req_signatures, set->named.req_signatures);
}

void driver_open(struct driver *d, const struct spdm_binding *binding)
{
    const struct settings *set = d->set;
    char error[SPDM_DEVICE_REASON] = "";

    d->ossl = spdm_openssl_open(NULL, error);
    if (d->ossl == NULL) driver_die("%s", error);
    check_lists(d);
    d->judge = spdm_judge_open(d->ossl);
    if (set->trust != NULL && spdm_judge_trust(d->judge, set->trust, error) == 0) driver_die("%s", error);
    if (set->device != NULL && (d->device = spdm_device_load(set->device, d->ossl, error)) == NULL)
        driver_die("%s", error);
    d->config = (struct spdm_config){.crypto = spdm_openssl_crypto(),
                                     .crypto_ctx = d->ossl,
                                     .binding = binding,
                                     .policy = &set->policy,
                                     .out = make_room(set->out),
                                     .chain = make_room(FRAME_MAX),
                                     .data_transfer_size = set->size,
                                     .identity = d->device != NULL ? &d->device->identity : NULL,
                                     .services = &spdm_serve_all,
                                     .sessions = &spdm_with_sessions,
                                     .in = make_room(FRAME_MAX),
                                     .lender = &spdm_lend_heap,
                                     .max_message_size = set->max};
    if (set->max != 0) d->config.chunks = set->responder ? &spdm_responder_chunks : &spdm_requester_chunks;
    if (d->device != NULL) driver_make_device(d);
    if (d->device != NULL || (set->policy.mut_auth | set->policy.basic_mut_auth) != 0) turn(d, set->responder);
    d->config.session_memory = make_room(SESSIONS_MAX * spdm_session_size(&d->config));
}

void driver_close(struct driver *d)
{
    for (size_t i = 0; i < d->judgement_n; i++) spdm_judgement_free(d->judgement[i]);
    if (d->raw_key != NULL) spdm_openssl_key_free(d->raw_key);
    spdm_judge_close(d->judge);
    spdm_device_free(d->device);
    spdm_openssl_close(d->ossl);
    free(d->turned.out.p);
    free(d->turned.chain.p);
    free(d->config.out.p);
    free(d->config.chain.p);
    free(d->config.in.p);
    free(d->config.session_memory.p);
}

/* ---- whom to believe ---- */

static void keep(struct driver *d, struct spdm_judgement *j)
{
    if (j == NULL) return;
    if (d->judgement_n == JUDGEMENTS_MAX) driver_die("too many judgements");
    d->judgement[d->judgement_n++] = j;
}

static struct spdm_judgement *decide(struct driver *d, struct spdm_judge_case *input)
{
    struct spdm_judgement *j;
    char text[300];

    input->now = (int64_t)time(NULL);
    j = spdm_judge_decide(d->judge, input);
    keep(d, j);
    if (j == NULL || j->verdict == SPDM_GOOD) return j;
    for (size_t i = 0; i < j->finding_n; i++) {
        spdm_finding_text(j, &j->finding[i], text, sizeof text);
        driver_say("finding %s", text);
    }
    return j;
}

void driver_judge(struct driver *d, const struct spdm_facts *facts, const struct spdm_event *event, unsigned peer,
                  struct spdm_answer *answer)
{
    struct spdm_judge_case input = {.chain = event->data,
                                    .hash = (enum spdm_alg)facts->hash,
                                    .signature = (enum spdm_alg)facts->signature,
                                    .version = facts->version,
                                    .slot = event->slot};
    struct spdm_judgement *j;

    if (event->kind == SPDM_ASK_DIGEST) return; /* fetch it */
    input.role = (uint8_t)peer;
    if (peer == SPDM_JUDGE_REQUESTER) input.signature = (enum spdm_alg)facts->req_signature;
    j = decide(d, &input);
    answer->yes = j != NULL && j->verdict == SPDM_GOOD;
    answer->key = answer->yes ? j->key : NULL;
    driver_say("judged slot=%u trusted=%u", event->slot, answer->yes);
}

static size_t digest_of(struct driver *d, enum spdm_alg hash, struct spdm_span bytes, uint8_t out[SPDM_HASH_MAX])
{
    const struct spdm_crypto *c = d->config.crypto;
    uint64_t state[64] = {0};
    bool good;

    if (c->hash_state_size > sizeof state) driver_die("hash state");
    good = c->hash_begin(d->ossl, state, hash) && c->hash_update(d->ossl, state, bytes) &&
           c->hash_peek(d->ossl, state, out);
    c->hash_end(d->ossl, state);
    if (!good) driver_die("cannot hash");
    return spdm_algorithm(hash)->size;
}

/* Length, Reserved, RootHash, certificates. */
struct spdm_span driver_structure(struct driver *d, enum spdm_alg hash, struct spdm_span certificates)
{
    uint8_t *p = d->config.chain.p;
    size_t root = 4u + ((size_t)certificates.p[2] << 8 | certificates.p[3]), h, n;

    if (certificates.n < root) driver_die("the known chain is none");
    h = digest_of(d, hash, (struct spdm_span){certificates.p, root}, p + 4);
    n = 4 + h + certificates.n;
    p[0] = (uint8_t)n;
    p[1] = (uint8_t)(n >> 8);
    p[2] = p[3] = 0;
    memcpy(p + 4 + h, certificates.p, certificates.n);
    return (struct spdm_span){p, n};
}

bool driver_known(struct driver *d, const struct spdm_facts *facts, unsigned peer, uint8_t digest[SPDM_HASH_MAX],
                  const void **key)
{
    enum spdm_alg hash = (enum spdm_alg)facts->hash;
    struct spdm_judge_case input = {.hash = hash, .version = facts->version, .slot = d->set->peer_slot};
    struct spdm_judgement *j;
    char cause[SPDM_CAUSE_MAX];

    if (d->set->key != NULL) {
        struct spdm_span bytes = driver_file(d->set->key);

        d->raw_key = spdm_openssl_key_open(d->ossl, bytes, cause);
        if (d->raw_key == NULL) driver_die("%s: %s", d->set->key, cause);
        (void)digest_of(d, hash, bytes, digest);
        *key = d->raw_key;
        return true;
    }
    if (d->set->peer_chain == NULL) return false;
    input.chain = driver_structure(d, hash, driver_file(d->set->peer_chain));
    input.role = (uint8_t)peer;
    input.signature = (enum spdm_alg)(peer == SPDM_JUDGE_REQUESTER ? facts->req_signature : facts->signature);
    (void)digest_of(d, hash, input.chain, digest);
    j = decide(d, &input);
    if (j == NULL || j->verdict != SPDM_GOOD) return false;
    *key = j->key;
    return true;
}

/* ---- what we prove ---- */

static struct spdm_span psk_secret(struct driver *d, const struct spdm_event *event, struct spdm_room out)
{
    const struct settings *set = d->set;
    struct spdm_span psk = {set->psk, set->psk_n};
    struct spdm_hmac in = {.hash = event->hash, .key = event->psk_salt, .part = &psk, .n = 1};

    if (event->data.n != set->hint_n || (set->hint_n != 0 && memcmp(event->data.p, set->hint, set->hint_n) != 0))
        return (struct spdm_span){NULL, 0};
    if (!d->config.crypto->hmac(d->ossl, &in, out.p)) driver_die("HMAC failed");
    return (struct spdm_span){out.p, spdm_algorithm(event->hash)->size};
}

void driver_prove(struct driver *d, const struct spdm_event *event, struct spdm_room room_of,
                  struct spdm_answer *answer)
{
    struct spdm_device_key *key;
    char cause[SPDM_CAUSE_MAX] = "";

    if (event->kind == SPDM_ASK_PSK) {
        answer->data = psk_secret(d, event, room_of);
    } else if (event->kind == SPDM_ASK_SIGN) {
        key = d->device != NULL ? spdm_device_key(d->device, event->slot, event->signing.alg) : NULL;
        if (key == NULL && d->set->keeps)
            key = spdm_device_key(d->device, 0, event->signing.alg); /* a certificate that came later */
        if (key != NULL)
            answer->data =
                (struct spdm_span){room_of.p, spdm_signer_sign(key->signer, &event->signing, room_of, cause)};
        driver_say("signed slot=%u %s", event->slot, cause);
    }
    answer->yes = answer->data.n != 0;
}

/* ---- words ---- */

void driver_tell_negotiated(const struct spdm_facts *f)
{
    driver_say("negotiated version=%s hash=%s signature=%s exchange=%s aead=%s req-signature=%s multi-key=%u",
               spdm_version_name(f->version), spdm_algorithm_name((enum spdm_alg)f->hash),
               spdm_algorithm_name((enum spdm_alg)f->signature), spdm_algorithm_name((enum spdm_alg)f->exchange),
               spdm_algorithm_name((enum spdm_alg)f->aead), spdm_algorithm_name((enum spdm_alg)f->req_signature),
               f->multi_key_rsp);
}

void driver_tell_opened(const struct spdm_session_facts *f)
{
    driver_say("opened id=%08x psk=%u mac-only=%u clear=%u secured=%u.%u heartbeat=%u slot=%u", f->id, f->psk,
               f->mac_only, f->in_the_clear, f->secured_version >> 12, f->secured_version >> 8 & 15u, f->heartbeat,
               f->slot);
}

void driver_tell_report(const char *what, const struct spdm_report *report)
{
    char text[300];

    (void)spdm_report_text(report, text, sizeof text);
    driver_say("%s %s", what, text);
}

void driver_tell_bytes(const char *what, struct spdm_span bytes)
{
    char hex[2 * 256 + 1] = "";

    for (size_t i = 0; i < bytes.n && i < 256; i++) snprintf(hex + 2 * i, 3, "%02x", bytes.p[i]);
    driver_say("%s %s", what, hex);
}

int main(int argc, char **argv)
{
    static struct settings set;
    static struct driver d;
    struct spdm_target target;
    char error[SPDM_REASON_MAX], *steps[STEPS_MAX];
    size_t step_n = 0;
    bool responder = argc > 1 && strcmp(argv[1], "responder") == 0;

    if (argc < 3 || (!responder && strcmp(argv[1], "requester") != 0))
        driver_die("usage: interop_driver requester|responder TARGET [SETTING=VALUE...] [STEP...]");
    if (!spdm_target_parse(argv[2], responder, &target, error)) driver_die("%s", error);
    driver_defaults(&set, responder);
    set.responder = responder;
    for (int i = 3; i < argc; i++) {
        if (strchr(argv[i], '=') != NULL) driver_set(&set, argv[i]);
        else if (step_n < STEPS_MAX) steps[step_n++] = argv[i];
    }
    if (set.max != 0) set.policy.flags |= SPDM_CHUNK_CAP;
    d.set = &set;
    d.trace.to = stderr;
    uv_loop_init(&d.loop);
    uv_timer_init(&d.loop, &d.timer);
    d.timer.data = &d;
    driver_open(&d, target.binding);
    d.status = responder ? driver_responder(&d, &target) : driver_requester(&d, &target, steps, step_n);
    uv_close((uv_handle_t *)&d.timer, NULL);
    uv_run(&d.loop, UV_RUN_DEFAULT);
    uv_loop_close(&d.loop);
    driver_close(&d);
    return d.status;
}
