/* SPDX-License-Identifier: BSD-3-Clause
 *
 * setup.c - crypto, roots, keys, policy and recordings, in the order in which they need each other. */
#include "setup.h"
#include "public_key.h"
#include "text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spdm_setup_complain(const struct spdm_setup *setup, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "spdm %s: ", setup->command);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

/* ---- opening ---- */

static bool read_roots(struct spdm_setup *setup)
{
    const struct spdm_peer_options *o = setup->options;
    char cause[SPDM_CAUSE_MAX];
    setup->court = (struct spdm_attest_court){
        .judge = spdm_text_need(spdm_judge_open(setup->ossl)), .cache = o->cache, .no_time = o->no_time};
    for (size_t i = 0; i < o->trust.n; i++) {
        if (spdm_judge_trust(setup->court.judge, o->trust.v[i], cause) != 0) continue;
        spdm_setup_complain(setup, "--trust %s: %s", o->trust.v[i], cause);
        return false;
    }
    return true;
}

static bool read_key(struct spdm_setup *setup)
{
    const char *path = setup->options->public_key;
    char cause[SPDM_CAUSE_MAX];
    if (path == NULL) return true;
    setup->key = spdm_public_key_load(setup->ossl, path, &setup->key_bytes, cause);
    if (setup->key == NULL) spdm_setup_complain(setup, "--public-key %s: %s", path, cause);
    return setup->key != NULL;
}

static bool read_reference(struct spdm_setup *setup)
{
    const char *path = setup->options->reference;
    char error[SPDM_REFERENCE_ERROR];
    if (path == NULL) return true;
    setup->reference = spdm_reference_load(path, error);
    if (setup->reference == NULL) spdm_setup_complain(setup, "--reference %s", error);
    return setup->reference != NULL;
}

static bool read_own(struct spdm_setup *setup)
{
    char error[SPDM_OWN_ERROR];
    bool good = spdm_own_load(setup->options, setup->ossl, &setup->own, error);
    if (!good) spdm_setup_complain(setup, "%s", error);
    return good;
}

static bool make_policy(struct spdm_setup *setup)
{
    const struct spdm_peer_policy_input input = {.options = setup->options,
                                                 .session = setup->session,
                                                 .own = &setup->own,
                                                 .crypto = spdm_openssl_crypto(),
                                                 .crypto_ctx = setup->ossl};
    char error[200];
    bool good = spdm_peer_policy_make(&input, &setup->policy, error);
    if (!good) spdm_setup_complain(setup, "%s", error);
    return good;
}

bool spdm_setup_open(struct spdm_setup *setup)
{
    const char *cache = setup->options->cache;
    char cause[SPDM_CAUSE_MAX];
    setup->ossl = spdm_openssl_open(NULL, cause);
    if (setup->ossl == NULL) {
        spdm_setup_complain(setup, "%s", cause);
        return false;
    }
    if (!read_roots(setup) || !read_key(setup) || !read_reference(setup)) return false;
    if (!read_own(setup) || !make_policy(setup)) return false;
    if (cache == NULL || access(cache, R_OK | W_OK | X_OK) == 0) return true;
    spdm_setup_complain(setup, "--cache %s: %s", cache, strerror(errno));
    return false;
}

/* ---- recording ---- */

bool spdm_setup_record(struct spdm_setup *setup, const struct spdm_binding *binding)
{
    const struct spdm_peer_options *o = setup->options;
    enum spdm_pcap_form form = o->pcap_format != 0 ? SPDM_PCAP_DMTF : SPDM_PCAP_STANDARD;
    char error[SPDM_REASON_MAX], program[40];
    if (o->pcap != NULL) {
        setup->pcap = spdm_pcap_open(o->pcap, form, binding, error);
        if (setup->pcap == NULL) spdm_setup_complain(setup, "--pcap %s", error);
        if (setup->pcap == NULL) return false;
    }
    if (o->keylog == NULL) return true;
    snprintf(program, sizeof program, "spdm %s", setup->command);
    setup->keylog = spdm_keylog_open(o->keylog, program, error);
    if (setup->keylog == NULL) spdm_setup_complain(setup, "--keylog %s", error);
    return setup->keylog != NULL;
}

void spdm_setup_frame(const struct spdm_setup *setup, struct spdm_trace *trace, struct spdm_attest *run,
                      const struct spdm_tapped *tapped)
{
    if (setup->pcap != NULL) spdm_pcap_tap(setup->pcap, tapped);
    if (setup->options->trace) spdm_trace_frame(trace, tapped, spdm_attest_facts(run));
}

void spdm_setup_message(const struct spdm_setup *setup, struct spdm_trace *trace, struct spdm_attest *run,
                        const struct spdm_passing *passing)
{
    const struct spdm_traced traced = {.peer = spdm_asker_peer(spdm_attest_asker(run)),
                                       .session = passing->session,
                                       .message = passing->message,
                                       .sent = passing->sent,
                                       .request = passing->sent,
                                       .app = passing->app};
    if (setup->options->trace && passing->session != 0) spdm_trace_inside(trace, &traced, spdm_attest_facts(run));
}

/* ---- the order ---- */

struct spdm_attest_order spdm_setup_order(struct spdm_setup *setup)
{
    const struct spdm_peer_options *o = setup->options;
    bool psk = setup->session && o->psk != NULL;
    struct spdm_attest_order order = {
        .crypto = spdm_openssl_crypto(),
        .crypto_ctx = setup->ossl,
        .policy = &setup->policy.policy,
        .trust = &spdm_attest_trust_judge,
        .trust_ctx = &setup->court,
        .slots = o->slots,
        .public_key = {setup->key_bytes.p, setup->key_bytes.n},
        .public_key_handle = setup->key,
        .timeout_ms = o->timeout,
        .data_transfer_size = o->data_transfer_size,
        .max_message_size = o->max_message_size,
        .own = &setup->own,
        .known_by_psk = psk && o->trust.n == 0 && o->public_key == NULL,
    };
    if (setup->session) order.session = psk ? SPDM_PSK_SESSION : SPDM_KEY_SESSION;
    if (setup->keylog == NULL) return order;
    order.keylog = spdm_keylog_write;
    order.keylog_ctx = setup->keylog;
    return order;
}

/* ---- time ---- */

void spdm_setup_start_clock(struct spdm_setup *setup, uint64_t until)
{
    setup->until = uv_hrtime() / 1000000 + setup->options->timeout;
    if (until != 0 && until < setup->until) setup->until = until;
}

uint32_t spdm_setup_left(const struct spdm_setup *setup)
{
    uint64_t now = uv_hrtime() / 1000000;
    return now < setup->until ? (uint32_t)(setup->until - now) : 0;
}

/* ---- closing ---- */

bool spdm_setup_close(struct spdm_setup *setup)
{
    char error[SPDM_REASON_MAX];
    bool written = setup->pcap == NULL || spdm_pcap_close(setup->pcap, error);
    if (!written) spdm_setup_complain(setup, "--pcap %s", error);
    bool logged = spdm_keylog_close(setup->keylog, error);
    if (!logged) spdm_setup_complain(setup, "--keylog %s", error);
    spdm_reference_free(setup->reference);
    spdm_own_clear(&setup->own);
    spdm_openssl_key_free(setup->key);
    free(setup->key_bytes.p);
    if (setup->court.judge != NULL) spdm_judge_close(setup->court.judge);
    if (setup->ossl != NULL) spdm_openssl_close(setup->ossl);
    return written && logged;
}
