/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The requester: one step after the other over one link.
 *
 * A step is a goal, words joined by `+`: connect digests identity challenge
 * measure (signed) plain each raw session psk update1 update2 poll end
 * vendor:STANDARD:VENDOR:PAYLOAD (hex), and errands: key-pairs key-pair:ID
 * set-key-pair:OPERATION:ID:SLOTS:USAGE:ASYM:PQC csr:KEYPAIR:MODEL:TAG
 * store:SLOT:KEYPAIR:MODEL:FILE (certificates) erase:SLOT:KEYPAIR
 * log:OFFSET:LENGTH endpoint endpoint-signed. With `in:` in front it takes place in
 * the session that was opened last. Steps that are no goal:
 *   app:SENT[:BEGIN]   application data, and how the answer begins (hex)
 *   beat               time passes until a HEARTBEAT is due; its answer comes
 *   other              the last session but one is the last again */
#include "interop/driver.h"
#include <stdlib.h>
#include <string.h>

enum { LIMIT_MS = 20000, BYTES_MAX = 256 };

struct asker {
    struct driver *d;
    struct spdm_requester *rq;
    char **steps;
    size_t step_n, at;
    bool busy, asked, over;
    uv_timer_t limit;
    uint32_t before;       /* the last session but one */
    uint64_t beat_before;  /* records received when the heartbeat was provoked */
    struct spdm_goal goal; /* the last */
    uint8_t bytes[BYTES_MAX], vendor[BYTES_MAX], begin[BYTES_MAX], signature[SPDM_SIGNATURE_MAX];
    size_t begin_n;
};

static void advance(struct asker *a);

static void stop(struct asker *a, int status)
{
    struct driver *d = a->d;

    if (a->over) return;
    a->over = true;
    d->status = status;
    if (d->link != NULL) spdm_link_close(d->link);
    d->link = NULL;
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&a->limit, NULL);
}

/* ---- steps ---- */

static bool starts(const char **text, const char *with)
{
    size_t n = strlen(with);

    if (strncmp(*text, with, n) != 0) return false;
    *text += n;
    return true;
}

/* "0003:0100:00000000" */
static void read_vendor(struct asker *a, const char *text, struct spdm_goal *goal)
{
    char copy[3 * BYTES_MAX], *rest = copy, *part;
    uint8_t standard[2];

    strncpy(copy, text, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    if ((part = strtok_r(rest, ":", &rest)) == NULL || driver_hex(part, standard, 2) != 2) driver_die("StandardID");
    goal->standard = (uint16_t)(standard[0] << 8 | standard[1]);
    if ((part = strtok_r(rest, ":", &rest)) == NULL) driver_die("VendorID");
    goal->vendor = (struct spdm_span){a->vendor, driver_hex(part, a->vendor, sizeof a->vendor)};
    if ((part = strtok_r(rest, ":", &rest)) == NULL) driver_die("payload");
    goal->payload = (struct spdm_span){a->bytes, driver_hex(part, a->bytes, sizeof a->bytes)};
}

static void read_word(struct asker *a, const char *word, struct spdm_goal *goal)
{
    static const struct {
        const char *name;
        unsigned want;
    } wants[] = {{"connect", SPDM_WANT_CONNECT},
                 {"digests", SPDM_WANT_DIGESTS},
                 {"identity", SPDM_WANT_IDENTITY},
                 {"challenge", SPDM_WANT_CHALLENGE},
                 {"measure", SPDM_WANT_MEASUREMENTS},
                 {"plain", SPDM_WANT_MEASUREMENTS},
                 {"session", SPDM_WANT_SESSION},
                 {"psk", SPDM_WANT_PSK_SESSION},
                 {"update1", SPDM_WANT_KEY_UPDATE},
                 {"update2", SPDM_WANT_KEY_UPDATE},
                 {"poll", SPDM_WANT_POLL},
                 {"end", SPDM_WANT_END_SESSION},
                 {"end-clear", SPDM_WANT_END_SESSION}};

    if (strcmp(word, "measure") == 0) goal->sign = true;
    if (strcmp(word, "update1") == 0) goal->update = 1;
    if (strcmp(word, "update2") == 0) goal->update = 2;
    if (strcmp(word, "end-clear") == 0) goal->clear_state = true;
    if (strcmp(word, "each") == 0) goal->measure = SPDM_MEASURE_EACH;
    else if (strcmp(word, "raw") == 0) goal->raw = true;
    else if (starts(&word, "vendor:")) {
        goal->want |= SPDM_WANT_VENDOR;
        read_vendor(a, word, goal);
    } else if (!driver_errand(a->d, spdm_requester_facts(a->rq), word, goal)) {
        for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
            if (strcmp(word, wants[i].name) != 0) continue;
            goal->want |= wants[i].want;
            return;
        }
        driver_die("there is no step %s", word);
    }
}

static void ask(struct asker *a, const char *step)
{
    const struct settings *set = a->d->set;
    struct spdm_goal goal = {.slots = set->slots,
                             .use_key = set->key != NULL,
                             .summary = set->summary,
                             .session_policy = set->session_policy,
                             .psk_hint = {set->hint, set->hint_n}};
    char copy[3 * BYTES_MAX], *rest = copy, *word;

    if (starts(&step, "in:")) goal.session = a->d->session;
    strncpy(copy, step, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    while ((word = strtok_r(rest, "+", &rest)) != NULL) read_word(a, word, &goal);
    a->goal = goal;
    if (!spdm_requester_ask(a->rq, &goal)) driver_die("the goal was not taken: %s", step);
}

static void send_app(struct asker *a, const char *text)
{
    char copy[2 * BYTES_MAX], *rest = copy, *sent, *begin;
    size_t n;

    strncpy(copy, text, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    sent = strtok_r(rest, ":", &rest);
    begin = strtok_r(rest, ":", &rest);
    n = driver_hex(sent != NULL ? sent : "", a->bytes, sizeof a->bytes);
    a->begin_n = begin != NULL ? driver_hex(begin, a->begin, sizeof a->begin) : 0;
    if (spdm_requester_send(a->rq, a->d->session, (struct spdm_span){a->bytes, n})) return;
    driver_say("failed app: not sent");
    stop(a, 1);
}

/* Half a period later nothing has been heard for half a period. */
static void provoke_beat(struct asker *a)
{
    struct spdm_session_facts f;

    if (!spdm_requester_session(a->rq, a->d->session, &f) || f.heartbeat == 0) {
        driver_say("failed beat: no heartbeat in this session");
        stop(a, 1);
        return;
    }
    a->beat_before = f.received;
    a->d->skew += (uint64_t)f.heartbeat * 600000;
}

static void done(struct asker *a)
{
    driver_say("done %s", a->steps[a->at++]);
    a->busy = false;
}

static bool next(struct asker *a)
{
    const char *step;

    if (a->at == a->step_n) {
        stop(a, 0);
        return false;
    }
    step = a->steps[a->at];
    a->busy = a->asked = true;
    if (starts(&step, "app:")) {
        send_app(a, step);
    } else if (strcmp(step, "beat") == 0) {
        provoke_beat(a);
    } else if (strcmp(step, "other") == 0) {
        uint32_t last = a->d->session;

        a->d->session = a->before;
        a->before = last;
        done(a);
    } else {
        ask(a, step);
    }
    return !a->over;
}

/* ---- events ---- */

static void vouch(struct asker *a)
{
    const struct spdm_facts *f = spdm_requester_facts(a->rq);
    uint8_t digest[SPDM_HASH_MAX], slot = a->d->set->key != NULL ? SPDM_SLOT_KEY : a->d->set->peer_slot;
    const void *key;

    if (a->at != 0 || !driver_known(a->d, f, SPDM_JUDGE_RESPONDER, digest, &key)) return;
    spdm_requester_trust(a->rq, slot, (struct spdm_span){digest, spdm_algorithm((enum spdm_alg)f->hash)->size}, key);
}

static void opened(struct asker *a, uint32_t id)
{
    struct spdm_session_facts f;

    if (spdm_requester_session(a->rq, id, &f)) driver_tell_opened(&f);
    a->before = a->d->session;
    a->d->session = id;
}

static void received(struct asker *a, struct spdm_span data)
{
    driver_tell_bytes("data", data);
    if (a->at == a->step_n || strncmp(a->steps[a->at], "app:", 4) != 0) return;
    if (data.n >= a->begin_n && memcmp(data.p, a->begin, a->begin_n) == 0) {
        done(a);
        return;
    }
    driver_say("failed app: another answer");
    stop(a, 1);
}

static void question(struct asker *a, const struct spdm_event *ev)
{
    struct spdm_answer answer = {.ticket = ev->ticket};
    struct spdm_room room = {a->signature, sizeof a->signature};

    if (ev->kind > SPDM_ASK_VENDOR) driver_serve_errand(a->d, ev, &answer);
    else if (ev->kind == SPDM_ASK_DIGEST || ev->kind == SPDM_ASK_TRUST)
        driver_judge(a->d, spdm_requester_facts(a->rq), ev, SPDM_JUDGE_RESPONDER, &answer);
    else driver_prove(a->d, ev, room, &answer);
    (void)spdm_requester_answer(a->rq, &answer);
}

static void event(struct asker *a, const struct spdm_event *ev)
{
    switch (ev->kind) {
    case SPDM_CONNECTED: driver_tell_negotiated(spdm_requester_facts(a->rq)); break;
    case SPDM_MEASURED:
        driver_say("measured bytes=%zu proven=%u session=%08x", ev->data.n, ev->proven, ev->session);
        break;
    case SPDM_VENDOR: driver_tell_bytes("vendor", ev->data); break;
    case SPDM_RESTARTED: driver_say("restarted"); break;
    case SPDM_REPLIED: driver_tell_reply(&a->goal, ev); break;
    case SPDM_RESET_DUE: driver_say("reset due tag=%u", ev->index); break;
    case SPDM_OPENED: opened(a, ev->session); break;
    case SPDM_CLOSED: driver_tell_report("closed", &ev->report); break;
    case SPDM_DATA: received(a, ev->data); break;
    case SPDM_DONE:
        vouch(a);
        done(a);
        break;
    case SPDM_FAILED:
        driver_tell_report("failed", &ev->report);
        stop(a, 1);
        break;
    case SPDM_NOTHING: break;
    default: question(a, ev);
    }
}

/* A heartbeat is answered when a record has come that nobody else asked for. */
static void look_for_beat(struct asker *a)
{
    struct spdm_session_facts f;

    if (!a->busy || strcmp(a->steps[a->at], "beat") != 0 || !spdm_requester_session(a->rq, a->d->session, &f)) return;
    if (f.received > a->beat_before) done(a);
}

static void on_timer(uv_timer_t *timer)
{
    struct asker *a = timer->data;

    spdm_requester_push(a->rq, (struct spdm_span){NULL, 0}, driver_now(a->d));
    advance(a);
}

static void advance(struct asker *a)
{
    struct spdm_event ev;
    struct spdm_span out;
    uint64_t at, now;

    for (;;) {
        while (!a->over && spdm_requester_event(a->rq, &ev) != SPDM_NOTHING) event(a, &ev);
        if (!a->over) look_for_beat(a);
        if (a->over) return;
        if (!a->busy && !next(a)) return;
        if (a->asked) { /* a goal may begin with a question */
            a->asked = false;
            continue;
        }
        out = spdm_requester_pull(a->rq, driver_now(a->d));
        if (out.n == 0) break;
        if (!spdm_link_send(a->d->link, out)) return;
    }
    at = spdm_requester_deadline(a->rq);
    now = driver_now(a->d);
    if (at == SPDM_NEVER) uv_timer_stop(&a->d->timer);
    else uv_timer_start(&a->d->timer, on_timer, at > now ? (at - now + 999) / 1000 : 1, 0);
}

/* ---- the link ---- */

static void on_up(void *ctx, struct spdm_link *link)
{
    (void)link;
    advance(ctx);
}

static void on_frame(void *ctx, struct spdm_link *link, struct spdm_span frame)
{
    struct asker *a = ctx;

    (void)link;
    if (a->over) return;
    spdm_requester_push(a->rq, frame, driver_now(a->d));
    advance(a);
}

static void on_down(void *ctx, struct spdm_link *link, enum spdm_link_end end, const char *reason)
{
    struct asker *a = ctx;

    (void)link;
    (void)end;
    a->d->link = NULL;
    if (a->over) return;
    driver_say("failed %s", reason);
    stop(a, 3);
}

static void on_limit(uv_timer_t *timer)
{
    struct asker *a = timer->data;

    driver_say("failed %s: nothing more happens", a->at < a->step_n ? a->steps[a->at] : "");
    stop(a, 3);
}

static void on_tap(void *ctx, const struct spdm_tapped *tapped)
{
    struct asker *a = ctx;

    spdm_trace_frame(&a->d->trace, tapped, a->rq != NULL ? spdm_requester_facts(a->rq) : NULL);
}

int driver_requester(struct driver *d, const struct spdm_target *target, char **steps, size_t step_n)
{
    static const struct spdm_link_events events = {.up = on_up, .frame = on_frame, .down = on_down};
    static struct asker a;
    struct spdm_link_options options = {.tap = on_tap, .tap_ctx = &a, .idle_ms = SPDM_LINK_PATIENT};
    size_t n = spdm_requester_size(&d->config);
    void *memory = calloc(1, n);

    a = (struct asker){.d = d, .steps = steps, .step_n = step_n};
    a.rq = spdm_requester_init((struct spdm_room){memory, n}, &d->config);
    if (a.rq == NULL) driver_die("the configuration cannot work");
    d->timer.data = &a;
    uv_timer_init(&d->loop, &a.limit);
    a.limit.data = &a;
    uv_timer_start(&a.limit, on_limit, LIMIT_MS, 0);
    d->link = spdm_link_connect(&d->loop, target, &options, &events, &a);
    uv_run(&d->loop, UV_RUN_DEFAULT);
    spdm_requester_close(a.rq);
    free(memory);
    return d->status;
}
