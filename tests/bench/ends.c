/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Both ends: certificates by libcrypto, everything else by the port. */
#include "bench/ends.h"
#include "bench/bench.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RAW_BLOCK = 7, RAW_SIZE = 56 };

const struct ends_suite ends_p256 = {SPDM_ECDSA_P256, SPDM_SHA_256, "P-256", NULL};
const struct ends_suite ends_p384 = {SPDM_ECDSA_P384, SPDM_SHA_384, "P-384", NULL};
const struct spdm_goal ends_attest = {.want = SPDM_WANT_IDENTITY | SPDM_WANT_CHALLENGE | SPDM_WANT_MEASUREMENTS,
                                      .sign = true};
const struct spdm_goal ends_again = {.want = SPDM_WANT_MEASUREMENTS, .sign = true};

/* ---- certificates ---- */

static void extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext != NULL && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void subject(X509 *x, const char *name)
{
    X509_NAME *n = X509_get_subject_name(x);

    must(X509_NAME_add_entry_by_txt(n, "O", MBSTRING_ASC, (const unsigned char *)"Assay benchmark", -1, -1, 0) == 1);
    must(X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
}

/* Keys that are no curve's hash as they please. */
static const EVP_MD *md_of(const struct ends_suite *suite)
{
    if (suite->curve == NULL) return NULL;
    return suite->hash == SPDM_SHA_256 ? EVP_sha256() : EVP_sha384();
}

/* Certificate i of the chain, signed by the key before it. */
static X509 *certificate(struct ends *e, int i, X509 *issuer)
{
    static const char *const names[ENDS_CERTIFICATES] = {"root", "intermediate", "device"};
    bool leaf = i == ENDS_CERTIFICATES - 1;
    X509 *x = X509_new();

    must(x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), i + 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 365L * 24 * 3600);
    subject(x, names[i]);
    must(X509_set_issuer_name(x, X509_get_subject_name(issuer != NULL ? issuer : x)) == 1);
    must(X509_set_pubkey(x, e->key[i]) == 1);
    extension(x, issuer != NULL ? issuer : x, NID_basic_constraints, leaf ? "critical,CA:FALSE" : "critical,CA:TRUE");
    extension(x, x, NID_key_usage, leaf ? "critical,digitalSignature" : "critical,keyCertSign");
    extension(x, x, NID_subject_key_identifier, "hash");
    must(X509_sign(x, e->key[issuer != NULL ? i - 1 : i], md_of(&e->suite)));
    return x;
}

static void make_chain(struct ends *e)
{
    X509 *issuer = NULL;

    for (int i = 0; i < ENDS_CERTIFICATES; i++) {
        unsigned char *at = e->certificates + e->certificates_n;
        X509 *x;

        e->key[i] = e->suite.curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", e->suite.curve)
                                           : EVP_PKEY_Q_keygen(NULL, NULL, e->suite.type);
        must(e->key[i] != NULL);
        x = certificate(e, i, issuer);
        must((size_t)i2d_X509(x, NULL) < sizeof e->certificates - e->certificates_n);
        e->certificates_n += (size_t)i2d_X509(x, &at);
        if (i == 0) e->root_n = e->certificates_n;
        X509_free(issuer);
        issuer = x;
    }
    X509_free(issuer);
}

/* The port reads private keys from where OSSL_STORE finds them: a file that is gone again at once. */
static void open_signer(struct ends *e)
{
    char path[] = "/tmp/assay-bench-XXXXXX", cause[SPDM_CAUSE_MAX];
    struct spdm_signer_options options = {.uri = path};
    int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    must(f != NULL);
    must(PEM_write_PrivateKey(f, e->key[ENDS_CERTIFICATES - 1], NULL, NULL, 0, NULL, NULL) == 1);
    fclose(f);
    e->signer = spdm_signer_open(e->ossl, &options, cause);
    unlink(path);
    must(e->signer != NULL);
}

/* ---- both ends ---- */

static void configure(struct ends *e)
{
    struct spdm_span certificates = {e->certificates, e->certificates_n};
    uint32_t transfer = e->suite.curve != NULL ? ENDS_TRANSFER : ENDS_LARGE;

    e->hashes[0] = (uint8_t)e->suite.hash;
    e->signatures[0] = (uint8_t)e->suite.signature;
    e->req_policy = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                         .hashes = e->hashes,
                                         .signatures = e->signatures,
                                         .opaque_formats = 2};
    e->rsp_policy = e->req_policy;
    e->rsp_policy.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED;
    e->rsp_policy.ct_exponent = 20;
    e->rsp_policy.meas_hash = (uint8_t)e->suite.hash;
    e->identity.slot[0] = (struct spdm_slot){.certificates = certificates,
                                             .root = {e->certificates, e->root_n},
                                             .signs = spdm_signer_algorithms(e->signer),
                                             .model = SPDM_CERT_DEVICE};
    e->identity.supported = 1;
    e->req_config = (struct spdm_config){.crypto = spdm_openssl_crypto(),
                                         .crypto_ctx = e->ossl,
                                         .binding = &spdm_binding_mctp,
                                         .policy = &e->req_policy,
                                         .out = {e->req_out, transfer},
                                         .chain = {e->chain, sizeof e->chain},
                                         .data_transfer_size = transfer - 8};
    e->rsp_config = e->req_config;
    e->rsp_config.policy = &e->rsp_policy;
    e->rsp_config.out = (struct spdm_room){e->rsp_out, transfer};
    e->rsp_config.identity = &e->identity;
    e->rsp_config.services = &spdm_serve_attestation;
}

/* Seven digests and a raw value. */
static void measure(struct ends *e)
{
    size_t digest = spdm_algorithm(e->suite.hash)->size;

    for (uint8_t i = 0; i < ENDS_BLOCKS; i++) {
        bool raw = i == RAW_BLOCK;

        memset(e->digests[i], i + 1, sizeof e->digests[i]);
        e->measurements[i] = (struct spdm_measurement){.index = (uint8_t)(i + 1),
                                                       .type = raw ? SPDM_MEAS_VERSION : SPDM_MEAS_FIRMWARE,
                                                       .raw = raw,
                                                       .value = {e->digests[i], raw ? RAW_SIZE : digest}};
    }
}

void ends_open(struct ends *e, const struct ends_suite *suite)
{
    char cause[SPDM_CAUSE_MAX];

    memset(e, 0, sizeof *e);
    e->suite = *suite;
    e->ossl = spdm_openssl_open(NULL, cause);
    must(e->ossl != NULL);
    e->judge = spdm_judge_open(e->ossl);
    must(e->judge != NULL);
    make_chain(e);
    must(spdm_judge_trust_der(e->judge, (struct spdm_span){e->certificates, e->root_n}, cause));
    open_signer(e);
    measure(e);
    configure(e);
}

void ends_close(struct ends *e)
{
    ends_disconnect(e);
    spdm_signer_close(e->signer);
    spdm_judge_close(e->judge);
    spdm_openssl_close(e->ossl);
    for (int i = 0; i < ENDS_CERTIFICATES; i++) EVP_PKEY_free(e->key[i]);
}

void ends_connect(struct ends *e)
{
    struct spdm_span hash = {e->vouched_hash, spdm_algorithm(e->suite.hash)->size};

    e->rq = spdm_requester_init((struct spdm_room){(uint8_t *)e->req_memory, sizeof e->req_memory}, &e->req_config);
    e->rs = spdm_responder_init((struct spdm_room){(uint8_t *)e->rsp_memory, sizeof e->rsp_memory}, &e->rsp_config);
    must(e->rq != NULL && e->rs != NULL);
    if (e->vouched != NULL) spdm_requester_trust(e->rq, 0, hash, e->vouched);
}

void ends_disconnect(struct ends *e)
{
    if (e->rq == NULL) return;
    spdm_requester_close(e->rq);
    spdm_responder_close(e->rs);
    spdm_judgement_free(e->judgement);
    e->judgement = NULL;
    e->rq = NULL;
}

static void trust(struct ends *e, const struct spdm_event *ev)
{
    struct spdm_answer answer = {.ticket = ev->ticket};
    struct spdm_judge_case input;

    if (e->trust != NULL) {
        must(e->trust(e, ev, &answer));
    } else if (ev->kind == SPDM_ASK_TRUST) {
        spdm_judge_case_of(spdm_requester_facts(e->rq), ev, &input);
        e->judgement = spdm_judge_decide(e->judge, &input);
        must(e->judgement != NULL && e->judgement->verdict == SPDM_GOOD);
        answer.yes = true;
        answer.key = e->judgement->key;
    }
    must(spdm_requester_answer(e->rq, &answer));
}

/* Whether the goal has been reached. */
static bool requester_events(struct ends *e)
{
    struct spdm_event ev;

    while (spdm_requester_event(e->rq, &ev) != SPDM_NOTHING) {
        must(ev.kind != SPDM_FAILED);
        if (ev.kind == SPDM_ASK_DIGEST || ev.kind == SPDM_ASK_TRUST) trust(e, &ev);
        if (ev.kind == SPDM_OPENED) e->session = ev.session;
        if (ev.kind == SPDM_DONE) return true;
    }
    return false;
}

static void responder_events(struct ends *e)
{
    struct spdm_event ev;
    struct spdm_answer answer;
    uint8_t signature[ENDS_LARGE];

    while (spdm_responder_event(e->rs, &ev) != SPDM_NOTHING) {
        must(ev.kind != SPDM_FAILED);
        if (ev.kind == SPDM_OPENED || ev.kind == SPDM_CLOSED) continue;
        answer = (struct spdm_answer){.ticket = ev.ticket, .yes = true, .measurements = e->measurements};
        answer.measurement_n = ENDS_BLOCKS;
        if (ev.kind == SPDM_ASK_SIGN) {
            struct spdm_room room = {signature, sizeof signature};

            answer.data = (struct spdm_span){signature, spdm_signer_sign(e->signer, &ev.signing, room, NULL)};
        }
        if (ev.kind == SPDM_ASK_SIGN || ev.kind == SPDM_ASK_MEASURE) must(spdm_responder_answer(e->rs, &answer));
    }
}

static struct spdm_span passing(struct ends *e, struct spdm_span frame)
{
    must(frame.n != 0);
    e->messages++;
    e->bytes += frame.n;
    return frame;
}

void ends_run(struct ends *e, const struct spdm_goal *goal)
{
    must(spdm_requester_ask(e->rq, goal));
    while (!requester_events(e)) {
        spdm_responder_push(e->rs, passing(e, spdm_requester_pull(e->rq, 0)), 0);
        responder_events(e);
        spdm_requester_push(e->rq, passing(e, spdm_responder_pull(e->rs, 0)), 0);
        if (e->stop_after != 0 && e->messages >= e->stop_after) return;
    }
}
