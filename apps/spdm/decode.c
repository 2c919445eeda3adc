/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode.c - `spdm decode`: what was said in this capture, and does it verify? */
#include "decode_filter.h"
#include "decode_flow.h"
#include "decode_json.h"
#include "decode_options.h"
#include "port/crypto_openssl.h"
#include "port/errata.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct decode {
    struct spdm_decode_options options;
    struct decode_world world;
    struct decode_flows flows;
    struct decode_printer printer;
    struct decode_words json;
    const char *directory; /* of --extract */
    struct spdm_capture *capture;
};

int spdm_decode_main(int argc, char **argv);

static struct spdm_capture *listening; /* for the signal handler */

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fflush(stdout);
    fputs("spdm decode: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

static void on_message(void *ctx, struct decode_message *m)
{
    struct decode *d = ctx;
    if (d->options.quiet || d->options.summary || !decode_filter_passes(&d->options.filter, m)) return;
    if (!d->options.json) {
        decode_print(&d->printer, m);
        return;
    }
    decode_clear(&d->json);
    decode_json_message(&d->json, m, d->options.bytes);
    fwrite(d->json.p, 1, d->json.n, stdout);
}

/* ---- before ---- */

static bool read_roots(struct decode *d)
{
    struct decode_court *court = &d->world.court;
    char cause[SPDM_CAUSE_MAX];
    court->judge = spdm_text_need(spdm_judge_open(court->ossl));
    court->no_time = d->options.no_time;
    for (size_t i = 0; i < d->options.trust.n; i++) {
        if (spdm_judge_trust(court->judge, d->options.trust.v[i], cause) == 0) {
            complain("--trust %s: %s", d->options.trust.v[i], cause);
            return false;
        }
        court->roots = true;
    }
    return true;
}

static bool add_secrets(struct decode *d, const struct spdm_texts *texts, enum spdm_secret_kind kind,
                        const char *option)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (decode_secrets_add(&d->world.secrets, kind, texts->v[i])) continue;
        if (decode_secrets_add_file(&d->world.secrets, kind, texts->v[i])) continue;
        complain("%s: neither hex digits nor a file with a secret", option);
        return false;
    }
    return true;
}

static bool read_secrets(struct decode *d)
{
    const struct spdm_decode_options *o = &d->options;
    char error[DECODE_SECRETS_ERROR];
    for (size_t i = 0; i < o->secrets.n; i++) {
        if (decode_secrets_read(&d->world.secrets, o->secrets.v[i], error)) continue;
        complain("--secrets %s", error);
        return false;
    }
    for (size_t i = 0; i < o->keylog.n; i++) {
        if (decode_secrets_read_log(&d->world.secrets, o->keylog.v[i], error)) continue;
        complain("--keylog %s", error);
        return false;
    }
    return add_secrets(d, &o->shared, SPDM_SECRET_SHARED, "--dhe-secret") &&
           add_secrets(d, &o->kem, SPDM_SECRET_SHARED, "--kem-secret") &&
           add_secrets(d, &o->psk, SPDM_SECRET_PSK, "--psk");
}

/* One of the lists of what is known beforehand. */
static bool add_known(struct decode *d, const struct spdm_texts *texts, bool requester, bool key, const char *option)
{
    char error[DECODE_KNOWN_ERROR];
    for (size_t i = 0; i < texts->n; i++) {
        if (key ? decode_known_key(&d->world.known, d->world.court.ossl, requester, texts->v[i], error)
                : decode_known_chain(&d->world.known, requester, texts->v[i], error))
            continue;
        complain("%s %s", option, error);
        return false;
    }
    return true;
}

static bool read_known(struct decode *d)
{
    const struct spdm_decode_options *o = &d->options;
    char error[DECODE_KNOWN_ERROR];
    if (o->state != NULL && !decode_known_state(&d->world.known, o->state, o->vca, error)) {
        complain("--state %s", error);
        return false;
    }
    return add_known(d, &o->chain, false, false, "--chain") &&
           add_known(d, &o->public_key, false, true, "--public-key") &&
           add_known(d, &o->requester_chain, true, false, "--requester-chain") &&
           add_known(d, &o->requester_key, true, true, "--requester-key");
}

static bool open_capture(struct decode *d, const struct spdm_texts *operands)
{
    char error[SPDM_CAPTURE_ERROR];
    d->capture = d->options.interface != NULL
                     ? spdm_capture_listen(d->options.interface, d->options.capture_filter, error)
                     : spdm_capture_open(operands->v[0], error);
    if (d->capture == NULL) complain("%s", error);
    /* what is still going on is shown as it goes */
    if (d->options.interface != NULL || strcmp(operands->v[0], "-") == 0) (void)setvbuf(stdout, NULL, _IOLBF, 0);
    return d->capture != NULL;
}

static bool prepare(struct decode *d, const struct spdm_texts *operands)
{
    char cause[SPDM_CAUSE_MAX];
    d->world.policy = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                           .legacy_byte_order = SPDM_EITHER_ENDIAN};
    spdm_errata_apply(d->options.errata, &d->world.policy);
    d->world.crypto = spdm_openssl_crypto();
    d->world.crypto_ctx = d->world.court.ossl = spdm_openssl_open(NULL, cause);
    d->world.ctx = d;
    d->world.no_verify = d->options.no_verify;
    d->world.keep_accounts = d->options.summary || d->options.extract != DECODE_EXTRACT_NOTHING;
    d->directory = d->options.extract != DECODE_EXTRACT_NOTHING ? operands->v[operands->n - 1] : NULL;
    if (d->options.extract == DECODE_EXTRACT_EVIDENCE) d->world.evidence = d->directory;
    d->world.show = on_message;
    d->flows.world = &d->world;
    if (d->world.court.ossl == NULL) {
        complain("%s", cause);
        return false;
    }
    d->printer.screen = spdm_screen_on(stdout);
    d->printer.detail = d->options.bytes ? DECODE_BYTES : d->options.verbose ? DECODE_FIELDS : DECODE_LINE;
    return read_roots(d) && read_secrets(d) && read_known(d) && open_capture(d, operands);
}

/* ---- after ---- */

static int exit_code(const struct decode *d)
{
    static const int codes[] = {[DECODE_FINE] = SPDM_EXIT_OK,
                                [DECODE_NOTE] = SPDM_EXIT_OK,
                                [DECODE_DAMAGE] = SPDM_EXIT_USAGE,
                                [DECODE_BROKEN] = SPDM_EXIT_PROTOCOL,
                                [DECODE_FALSE] = SPDM_EXIT_NOT_TRUSTED};
    return codes[d->world.worst];
}

static void print_summaries(struct decode *d)
{
    for (size_t i = 0; i < d->world.account_n; i++) {
        decode_clear(&d->json);
        if (!d->options.json) {
            if (i != 0) fputc('\n', stdout);
            decode_summary_print(d->world.accounts[i], &d->printer.screen);
            continue;
        }
        decode_summary_json(d->world.accounts[i], &d->json);
        fwrite(d->json.p, 1, d->json.n, stdout);
    }
}

/* "12 messages, ...": nothing is said of what there was none of. */
static void append(struct decode_words *out, uint64_t n, const char *one, const char *many)
{
    if (n != 0) decode_say(out, "%s%llu %s", out->n != 0 ? ", " : "", (unsigned long long)n, n == 1 ? one : many);
}

/* The last line: what it all came to. */
static void print_verdict(struct decode *d)
{
    const struct decode_world *w = &d->world;
    const struct spdm_screen *screen = &d->printer.screen;
    uint64_t unchecked = w->proofs[SPDM_SIGNATURE_UNCHECKED] + w->hmacs[SPDM_SIGNATURE_UNCHECKED];
    bool all = unchecked + w->records[SPDM_SIGNATURE_UNCHECKED] == 0;
    struct decode_words good = {NULL, 0, 0}, bad = {NULL, 0, 0};
    append(&good, w->messages, "message", "messages");
    append(&good, w->connections > 1 ? w->connections : 0, "connection", "connections");
    append(&good, w->proofs[SPDM_SIGNATURE_GOOD], "signature verified", "signatures verified");
    append(&good, w->hmacs[SPDM_SIGNATURE_GOOD], "HMAC verified", "HMACs verified");
    append(&good, w->records[SPDM_SIGNATURE_GOOD], "record opened", "records opened");
    append(&good, unchecked, "could not be checked", "could not be checked");
    append(&good, w->records[SPDM_SIGNATURE_UNCHECKED], "record stayed closed", "records stayed closed");
    append(&good, spdm_capture_counts(d->capture).foreign, "packet of something else", "packets of something else");
    append(&bad, w->rank[DECODE_FALSE], "message does not verify", "messages do not verify");
    append(&bad, w->rank[DECODE_BROKEN], "message breaks a rule", "messages break rules");
    append(&bad, w->rank[DECODE_DAMAGE], "place where the capture is damaged", "places where the capture is damaged");
    fprintf(screen->to, "%s: ", decode_text(&good));
    if (bad.n != 0) spdm_screen_put(screen, SPDM_RED, bad.p);
    else if (all) spdm_screen_put(screen, SPDM_GREEN, "nothing is wrong");
    else spdm_screen_put(screen, SPDM_YELLOW, "nothing is wrong with the rest");
    fputc('\n', screen->to);
    free(good.p);
    free(bad.p);
}

/* false: a file could not be written. */
static bool extract(struct decode *d)
{
    const struct decode_world *w = &d->world;
    char error[DECODE_EXTRACT_ERROR];
    int files = 0;
    if (d->directory == NULL) return true;
    decode_flows_clear(&d->flows); /* closes evidence */
    if (w->error[0] != '\0') {
        complain("--extract %s", w->error);
        return false;
    }
    for (size_t i = 0; i < w->account_n; i++) {
        const struct decode_account *a = w->accounts[i];
        int n = 0;
        if (d->options.extract == DECODE_EXTRACT_CERTS) n = decode_extract_chains(d->directory, a, error);
        if (d->options.extract == DECODE_EXTRACT_MEASUREMENTS)
            n = decode_extract_measurements(d->directory, a, w->crypto, w->crypto_ctx, error);
        if (n < 0) {
            complain("--extract %s", error);
            return false;
        }
        files += n;
    }
    if (files == 0 && w->evidence == NULL) complain("--extract: the capture holds nothing of the kind");
    return true;
}

static void clean_up(struct decode *d)
{
    listening = NULL;
    if (d->capture != NULL) spdm_capture_close(d->capture);
    decode_flows_clear(&d->flows);
    decode_world_clear(&d->world);
    if (d->world.court.judge != NULL) spdm_judge_close(d->world.court.judge);
    if (d->world.court.ossl != NULL) spdm_openssl_close(d->world.court.ossl);
    free(d->printer.words.p);
    free(d->json.p);
}

/* pcap_breakloop() is made for this. */
static void on_interrupt(int number) /* NOLINT(bugprone-signal-handler,cert-sig30-c) */
{
    (void)number;
    if (listening != NULL) spdm_capture_break(listening); /* NOLINT(bugprone-signal-handler,cert-sig30-c) */
}

static int run(struct decode *d)
{
    struct spdm_captured c;
    char error[SPDM_CAPTURE_ERROR];
    int rc;
    listening = d->capture;
    if (d->options.interface != NULL) signal(SIGINT, on_interrupt);
    while ((rc = spdm_capture_next(d->capture, &c, error)) == 1) decode_flows_take(&d->flows, &c);
    if (rc < 0) {
        complain("%s", error);
        d->world.rank[DECODE_DAMAGE]++;
        if (d->world.worst < DECODE_DAMAGE) d->world.worst = DECODE_DAMAGE;
    }
    if (d->world.messages == 0) {
        complain("no SPDM message found (%s)", spdm_capture_describe(d->capture));
        return SPDM_EXIT_USAGE;
    }
    if (!extract(d)) return SPDM_EXIT_USAGE;
    if (!d->options.quiet && d->options.summary) print_summaries(d);
    if (!d->options.quiet && !d->options.json) print_verdict(d);
    return exit_code(d);
}

int spdm_decode_main(int argc, char **argv)
{
    struct decode d = {.world = {.messages = 0}};
    struct spdm_texts operands = {NULL, 0};
    int rc = spdm_decode_parse(argc, argv, &d.options, &operands);
    if (rc != SPDM_PARSED) return rc;
    rc = prepare(&d, &operands) ? run(&d) : SPDM_EXIT_USAGE;
    clean_up(&d);
    return rc;
}
