/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The rules for what certificates say: each certificate by RFC 5280 and
 * R-CRT-01 to -06, certificates that sign others, and the leaf by version,
 * model and role (certificates.md section 4). Nothing here verifies anything:
 * a rule only ever adds a finding. */
#include "port/der.h"
#include "port/judge_inside.h"

#define SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */
#define RSA_MIN 2048

static bool is_leaf(const struct spdm_judging *g, unsigned certificate)
{
    return g->complete && certificate == g->n;
}

static bool is_generic(const struct spdm_judging *g)
{
    return g->input->model == SPDM_CERT_GENERIC;
}

/* ---- each certificate ---- */

void spdm_judge_times(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate)
{
    int64_t now = g->input->now;

    if (x->bad_time) {
        spdm_found(g, SPDM_FOUND_BAD_TIME, certificate);
        return;
    }
    if (x->not_before < 0 || x->not_after < x->not_before) spdm_found(g, SPDM_FOUND_TIME_RANGE, certificate);
    if (now == 0) return;
    if (now < x->not_before) spdm_found(g, SPDM_FOUND_NOT_YET_VALID, certificate)->got = x->not_before;
    if (now > x->not_after) spdm_found(g, SPDM_FOUND_EXPIRED, certificate)->got = x->not_after;
}

/* A serial that is not positive makes a leaf invalid; that of a CA is the CA's affair. */
static void look_at_serial(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate)
{
    bool zero = x->serial.n == 1 && x->serial.p[0] == 0, negative = x->serial.p[0] >= 0x80;

    if (zero || negative) {
        spdm_found_as(g, SPDM_FOUND_SERIAL, certificate, is_leaf(g, certificate) ? SPDM_REFUSAL : SPDM_WARNING);
    }
    if (x->serial.n > SERIAL_MAX) {
        struct spdm_finding *f = spdm_found(g, SPDM_FOUND_SERIAL_LONG, certificate);
        f->got = (int64_t)x->serial.n;
        f->limit = SERIAL_MAX;
    }
}

static bool is_accepted(const struct spdm_judge *judge, struct spdm_span oid)
{
    for (unsigned i = 0; i < judge->critical_n; i++) {
        struct spdm_span accepted = {judge->critical[i].p, judge->critical[i].n};
        if (spdm_der_equal(accepted, oid)) return true;
    }
    return false;
}

static void look_at_extensions(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate)
{
    enum spdm_severity in_leaf = is_leaf(g, certificate) ? SPDM_REFUSAL : SPDM_WARNING;

    if (x->repeated.n != 0) spdm_found(g, SPDM_FOUND_REPEATED, certificate)->what = x->repeated;
    for (unsigned i = 0; i < x->unknown_critical_n; i++) {
        if (!is_accepted(g->judge, x->unknown_critical[i])) {
            spdm_found(g, SPDM_FOUND_CRITICAL, certificate)->what = x->unknown_critical[i];
        }
    }
    if (x->has & SPDM_X509_BAD_SPDM) spdm_found(g, SPDM_FOUND_SPDM_EXTENSION, certificate);
    if (x->has & SPDM_X509_SPDM_CRITICAL) spdm_found(g, SPDM_FOUND_SPDM_CRITICAL, certificate);
    if (x->has & SPDM_X509_BAD_DEVICE_INFO) spdm_found_as(g, SPDM_FOUND_DEVICE_INFO, certificate, in_leaf);
    if (x->has & SPDM_X509_BAD_TCB_INFO) spdm_found(g, SPDM_FOUND_TCB_INFO, certificate);
    if (x->has & SPDM_X509_TCB_CRITICAL) spdm_found(g, SPDM_FOUND_TCB_CRITICAL, certificate);
}

/* A GenericCert leaf need not have names (UN-08: what is there is checked, what is not is not missed). */
static void look_at_names(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate)
{
    if (is_generic(g) && is_leaf(g, certificate)) return;
    if (spdm_x509_no_name(x->issuer)) spdm_found(g, SPDM_FOUND_NO_ISSUER, certificate);
    if (spdm_x509_no_name(x->subject)) spdm_found(g, SPDM_FOUND_NO_SUBJECT, certificate);
}

/* CA certificates that others must follow: those below `from` that are not self-issued, the leaf not counted. */
static unsigned authorities_below(const struct spdm_judging *g, unsigned from)
{
    unsigned n = 0;

    for (unsigned i = from; i + 1 < g->n; i++) n += !spdm_x509_self_issued(&g->certificate[i]);
    return n;
}

/* A trust anchor is no part of the path that RFC 5280 section 6.1 validates: its own path length is a warning. */
static void look_at_path(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate)
{
    bool anchor = certificate == SPDM_FINDING_ANCHOR || (certificate == 1 && g->anchor_is_first);

    if (!(x->has & SPDM_X509_PATH_LEN)) return;
    unsigned below = authorities_below(g, certificate == SPDM_FINDING_ANCHOR ? 0 : certificate);
    if (below <= x->path_len) return;
    struct spdm_finding *f = spdm_found_as(g, SPDM_FOUND_PATH_LEN, certificate, anchor ? SPDM_WARNING : SPDM_REFUSAL);
    f->got = below;
    f->limit = x->path_len;
}

/* One that signs others. */
static void look_at_authority(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate,
                              const struct spdm_openssl_key *key)
{
    if (!(x->has & SPDM_X509_CA)) spdm_found(g, SPDM_FOUND_NOT_A_CA, certificate);
    if ((x->has & SPDM_X509_KEY_USAGE) && !(x->key_usage & SPDM_X509_KEY_CERT_SIGN)) { /* R-CRT-12: may be absent */
        spdm_found(g, SPDM_FOUND_NO_CERT_SIGN, certificate);
    }
    if (x->has & (SPDM_X509_RESPONDER | SPDM_X509_REQUESTER)) spdm_found(g, SPDM_FOUND_CA_ROLE, certificate);
    if (key != NULL && key->kind == SPDM_KIND_RSA && key->bits < RSA_MIN) {
        struct spdm_finding *f = spdm_found(g, SPDM_FOUND_KEY_WEAK, certificate);
        f->got = key->bits;
        f->limit = RSA_MIN;
    }
    look_at_path(g, x, certificate);
}

void spdm_judge_fields(struct spdm_judging *g)
{
    for (unsigned i = 0; i < g->held->judgement.certificate_n; i++) {
        const struct spdm_x509 *x = &g->certificate[i];
        /* VERSION: X.509's, not SPDM's */
        if (x->version != 2) spdm_found(g, SPDM_FOUND_VERSION, i + 1)->got = x->version + 1;
        if (!spdm_der_equal(x->algorithm, x->outer_algorithm)) spdm_found(g, SPDM_FOUND_ALGORITHMS_DIFFER, i + 1);
        look_at_serial(g, x, i + 1);
        look_at_names(g, x, i + 1);
        spdm_judge_times(g, x, i + 1);
        look_at_extensions(g, x, i + 1);
        if (g->key[i] == NULL) spdm_found(g, SPDM_FOUND_KEY, i + 1);
        if (!is_leaf(g, i + 1)) look_at_authority(g, x, i + 1, g->key[i]);
    }
    if (g->anchor != NULL && !g->anchor_is_first) {
        look_at_authority(g, &g->anchor->x, SPDM_FINDING_ANCHOR, g->anchor->key);
        spdm_judge_times(g, &g->anchor->x, SPDM_FINDING_ANCHOR);
    }
}

/* ---- the leaf ---- */

static void look_at_leaf_key(struct spdm_judging *g)
{
    const struct spdm_openssl_key *key = g->key[g->n - 1];

    if (key == NULL || spdm_openssl_key_fits(key, g->input->signature)) return;
    struct spdm_finding *f = spdm_found(g, SPDM_FOUND_KEY_MISMATCH, g->n);
    f->field = g->certificate[g->n - 1].key_name;
    f->wanted = spdm_algorithm_name(g->input->signature);
}

static void look_at_leaf_usage(struct spdm_judging *g, const struct spdm_x509 *x)
{
    uint32_t ours = SPDM_X509_RESPONDER, other = SPDM_X509_REQUESTER;

    if (x->has & SPDM_X509_CA) spdm_found(g, SPDM_FOUND_LEAF_IS_CA, g->n);
    /* VERSION: the clause of certificates.md section 4 that came with 1.3 */
    if (!(x->has & SPDM_X509_BASIC) && g->input->version >= SPDM_V13) spdm_found(g, SPDM_FOUND_LEAF_NO_BASIC, g->n);
    if (!(x->has & SPDM_X509_KEY_USAGE)) {
        if (!is_generic(g)) spdm_found(g, SPDM_FOUND_LEAF_NO_USAGE, g->n);
    } else if (!(x->key_usage & SPDM_X509_DIGITAL_SIGNATURE)) {
        spdm_found(g, SPDM_FOUND_LEAF_NO_SIGNING, g->n);
    }
    if (g->input->role == SPDM_JUDGE_REQUESTER) {
        ours = SPDM_X509_REQUESTER;
        other = SPDM_X509_RESPONDER;
    }
    if ((x->has & other) && !(x->has & ours)) spdm_found(g, SPDM_FOUND_LEAF_ROLE, g->n);
}

/* The model that is judged by: what was told, or what the leaf looks like. */
static uint8_t model_of(const struct spdm_judging *g, const struct spdm_x509 *leaf)
{
    if (g->input->model != SPDM_CERT_NONE) return g->input->model;
    if (g->n == 1 || (leaf->has & SPDM_X509_HARDWARE)) return SPDM_CERT_DEVICE;
    return leaf->has & SPDM_X509_MUTABLE ? SPDM_CERT_ALIAS : SPDM_CERT_NONE;
}

/* Everything below the device certificate is an alias: below the first with the hardware identity, or, without one,
 * below and with the first that says it is mutable. */
static void look_at_aliases(struct spdm_judging *g)
{
    bool mutable = false, hardware = false;

    for (unsigned i = 0; i < g->n; i++) {
        uint32_t has = g->certificate[i].has;
        bool alias = hardware || mutable;
        /* libspdm does not apply this to chains of Requesters, whose model nothing tells */
        bool strict = i + 1 == g->n && g->input->role == SPDM_JUDGE_RESPONDER && g->input->model == SPDM_CERT_ALIAS;
        if ((has & SPDM_X509_HARDWARE) && (alias || strict)) {
            spdm_found_as(g, SPDM_FOUND_HARDWARE_IN_ALIAS, i + 1, strict ? SPDM_REFUSAL : SPDM_WARNING);
        }
        if (mutable && !(has & SPDM_X509_MUTABLE)) spdm_found(g, SPDM_FOUND_MUTABLE_SOME, i + 1);
        mutable = mutable || (has & SPDM_X509_MUTABLE);
        hardware = hardware || (has & SPDM_X509_HARDWARE);
    }
}

static void look_at_model(struct spdm_judging *g, const struct spdm_x509 *leaf)
{
    uint8_t model = model_of(g, leaf);
    bool hardware = false;

    g->held->judgement.model = model;
    if (model == SPDM_CERT_GENERIC) {
        if (g->input->slot == 0 || !g->input->multi_key) {
            spdm_found(g, SPDM_FOUND_MODEL_GENERIC, 0)->got = g->input->slot;
        }
        return; /* R-MDL-13: nothing else is imposed */
    }
    if (model == SPDM_CERT_ALIAS && g->n == 1) spdm_found(g, SPDM_FOUND_MODEL_SINGLE, 0);
    if (model == SPDM_CERT_DEVICE && (leaf->has & SPDM_X509_MUTABLE)) spdm_found(g, SPDM_FOUND_MUTABLE_DEVICE, g->n);
    if (model == SPDM_CERT_ALIAS) look_at_aliases(g);
    for (unsigned i = 0; i < g->n; i++) hardware = hardware || (g->certificate[i].has & SPDM_X509_HARDWARE);
    /* VERSION: the OID came with 1.1 */
    if (!hardware && g->input->version >= SPDM_V11) spdm_found(g, SPDM_FOUND_NO_HARDWARE, 0);
}

void spdm_judge_leaf(struct spdm_judging *g)
{
    const struct spdm_x509 *leaf = &g->certificate[g->n - 1];

    look_at_leaf_key(g);
    look_at_leaf_usage(g, leaf);
    look_at_model(g, leaf);
}
