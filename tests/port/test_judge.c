/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The judge against chains with every defect: each row of `trials` changes
 * one thing in a chain that is trusted, and says what must be found and how
 * bad it is. What must be trusted, what is counted, what is remembered and
 * what files do is below. */
#include "port/der.h"
#include "port/judge_inside.h"
#include "support/certs.h"
#include "support/hex.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1795392000 /* 2026-11-23 */
#define SPDM_EXTENSION "1.3.6.1.4.1.412.274.6"

enum { ROOT, MIDDLE, LEAF, OWN = 6, KEYS };

/* One chain being made and judged. */
struct trial {
    struct spdm_openssl *ossl;
    EVP_PKEY *keys[KEYS];
    struct certs_plan plan[40];
    size_t n;
    struct spdm_judge_case input;
    bool external; /* the root is not sent */
    bool no_anchors, other_anchor;
    const char *accept;             /* a critical extension's OID */
    void (*spoil)(struct trial *t); /* after the chain was put together */
    struct spdm_room chain, anchor;
    struct spdm_judge *judge;
    struct spdm_judgement *judgement;
};

static EVP_PKEY *new_key(const char *type, const char *group, size_t bits)
{
    if (group != NULL) return EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
    if (bits != 0) return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
    return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

static int set_up(void **state)
{
    struct trial *t = calloc(1, sizeof *t);

    t->ossl = spdm_openssl_open(NULL, NULL);
    for (int i = 0; i < KEYS; i++) t->keys[i] = new_key("EC", "P-256", 0);
    *state = t;
    return t->ossl == NULL;
}

static int tear_down(void **state)
{
    struct trial *t = *state;

    for (int i = 0; i < KEYS; i++) EVP_PKEY_free(t->keys[i]);
    spdm_openssl_close(t->ossl);
    free(t);
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

/* A root, an intermediate and a device leaf that any version trusts. */
static void begin(struct trial *t)
{
    static const struct certs_plan usual = {.serial = "1234",
                                            .not_before = "240101000000Z",
                                            .not_after = "99991231235959Z",
                                            .version = 2,
                                            .path_len = CERTS_ABSENT,
                                            .md = "SHA256"};

    for (int i = 0; i < 3; i++) t->plan[i] = usual;
    t->plan[ROOT].subject = t->plan[ROOT].issuer = t->plan[MIDDLE].issuer = "Root";
    t->plan[MIDDLE].subject = t->plan[LEAF].issuer = "Middle";
    t->plan[LEAF].subject = "Device";
    t->plan[ROOT].ca = t->plan[MIDDLE].ca = 1;
    t->plan[ROOT].usage = t->plan[MIDDLE].usage = 0x06;
    t->plan[LEAF].usage = 0x80;
    t->plan[LEAF].hardware = true;
    t->plan[LEAF].device_info = "ACME:WIDGET:1234567890";
    for (int i = 0; i < 3; i++) {
        t->plan[i].key = t->keys[i];
        t->plan[i].signer = t->keys[i == 0 ? 0 : i - 1];
    }
    t->n = 3;
    t->input = (struct spdm_judge_case){
        .hash = SPDM_SHA_256, .signature = SPDM_ECDSA_P256, .version = SPDM_V13, .model = SPDM_CERT_DEVICE, .now = NOW};
    t->external = t->no_anchors = t->other_anchor = false;
    t->accept = NULL;
    t->spoil = NULL;
}

/* Makes the certificates and the chain; the root becomes an anchor. */
static void build(struct trial *t)
{
    struct spdm_room certs[40];

    for (size_t i = 0; i < t->n; i++) certs[i] = certs_make(&t->plan[i]);
    size_t from = t->external ? 1 : 0;
    t->chain = certs_chain(t->input.hash, as_span(certs[0]), certs + from, t->n - from);
    t->anchor = certs[0];
    for (size_t i = 1; i < t->n; i++) free(certs[i].p);
    if (t->spoil != NULL) t->spoil(t);
    t->judge = spdm_judge_open(t->ossl);
    assert_non_null(t->judge);
    if (t->other_anchor) {
        struct certs_plan other = t->plan[ROOT];
        other.key = other.signer = t->keys[5];
        struct spdm_room der = certs_make(&other);
        assert_true(spdm_judge_trust_der(t->judge, as_span(der), NULL));
        free(der.p);
    } else if (!t->no_anchors) {
        char cause[SPDM_CAUSE_MAX] = "";
        if (!spdm_judge_trust_der(t->judge, as_span(t->anchor), cause)) fail_msg("%s", cause);
    }
    if (t->accept != NULL) assert_true(spdm_judge_accept_critical(t->judge, t->accept, NULL));
}

static void decide(struct trial *t)
{
    uint8_t *exact = malloc(t->chain.n + 1); /* so that a sanitizer sees a read too far */

    memcpy(exact + 1, t->chain.p, t->chain.n);
    t->input.chain = (struct spdm_span){exact + 1, t->chain.n};
    t->judgement = spdm_judge_decide(t->judge, &t->input);
    free(exact); /* a judgement has copies of its own */
    assert_non_null(t->judgement);
}

static void end(struct trial *t)
{
    spdm_judgement_free(t->judgement);
    spdm_judge_close(t->judge);
    free(t->chain.p);
    free(t->anchor.p);
}

static void show(const struct spdm_judgement *j)
{
    for (unsigned i = 0; i < j->finding_n; i++) {
        char text[500];
        (void)spdm_finding_text(j, &j->finding[i], text, sizeof text);
        print_message("      %u %-18s %s\n", j->finding[i].severity, spdm_finding_name(j->finding[i].id), text);
    }
}

static const struct spdm_finding *find(const struct spdm_judgement *j, unsigned id, unsigned certificate)
{
    for (unsigned i = 0; i < j->finding_n; i++) {
        if (j->finding[i].id == id && j->finding[i].certificate == certificate) return &j->finding[i];
    }
    return NULL;
}

static unsigned refusals(const struct spdm_judgement *j)
{
    unsigned n = 0;

    for (unsigned i = 0; i < j->finding_n; i++) n += j->finding[i].severity == SPDM_REFUSAL;
    return n;
}

static void expect_consistent(const struct spdm_judgement *j)
{
    bool good = j->verdict == SPDM_GOOD;

    assert_true(good || j->verdict == SPDM_BAD);
    assert_int_equal(good, refusals(j) == 0);
    assert_int_equal(good, j->key != NULL);
    assert_int_equal(good, j->anchor != NULL);
    for (unsigned i = 1; i < j->finding_n; i++) { /* the worst first */
        assert_true(j->finding[i - 1].severity >= j->finding[i].severity);
    }
    for (unsigned i = 0; i < j->finding_n; i++) {
        char text[500], cut[10];
        size_t n = spdm_finding_text(j, &j->finding[i], text, sizeof text);
        assert_true(n < sizeof text && strchr(text, '%') == NULL);
        assert_int_equal(spdm_finding_text(j, &j->finding[i], cut, sizeof cut), n);
        assert_int_equal(strlen(cut), sizeof cut - 1);
        assert_int_equal(spdm_finding_text(j, &j->finding[i], NULL, 0), n);
    }
}

/* ---- what can be wrong ---- */

#define CHANGE(name, ...)                                                                                              \
    static void name(struct trial *t)                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static void set_length(struct trial *t)
{
    for (size_t i = 0; i < 4; i++) t->chain.p[i] = (uint8_t)(t->chain.n >> (8 * i));
}

static void append(struct trial *t, const void *bytes, size_t n)
{
    t->chain.p = realloc(t->chain.p, t->chain.n + n);
    memcpy(t->chain.p + t->chain.n, bytes, n);
    t->chain.n += n;
    set_length(t);
}

CHANGE(nothing, (void)t;)
CHANGE(spoil_length, t->chain.p[0]++;)
CHANGE(wrong_length, t->spoil = spoil_length;)
CHANGE(spoil_high, t->chain.p[2] = 1;)
CHANGE(reserved_set, t->spoil = spoil_high;)
CHANGE(length_32, t->spoil = spoil_high; t->input.version = SPDM_V14;)
CHANGE(spoil_hash, t->chain.p[4 + 31] ^= 1;)
CHANGE(wrong_root_hash, t->spoil = spoil_hash;)
CHANGE(wrong_root_hash_external, t->spoil = spoil_hash; t->external = true;)
CHANGE(wrong_root_hash_unknown, t->spoil = spoil_hash; t->other_anchor = true;)
CHANGE(spoil_tail, append(t, "\0\0\0\0\0", 5);)
CHANGE(tail, t->spoil = spoil_tail;)
CHANGE(spoil_tail_1, append(t, "\x30", 1);)
CHANGE(tail_1, t->spoil = spoil_tail_1;)
CHANGE(spoil_tail_long, append(t, "\x30\x84\xff\xff\xff\xff", 6);)
CHANGE(tail_long, t->spoil = spoil_tail_long;)
CHANGE(spoil_end, t->chain.n--; set_length(t);)
CHANGE(cut_short, t->spoil = spoil_end;)
CHANGE(spoil_first, t->chain.p[4 + 32] = 0x31;)
CHANGE(no_certificate, t->spoil = spoil_first;)
CHANGE(spoil_all, t->chain.n = 4 + 32; set_length(t);)
CHANGE(nothing_in_it, t->spoil = spoil_all;)
CHANGE(spoil_more, t->chain.n = 3;)
CHANGE(hardly_a_byte, t->spoil = spoil_more;)
CHANGE(spoil_everything, t->chain.n = 0;)
CHANGE(empty, t->spoil = spoil_everything;)
CHANGE(unknown_hash, t->input.hash = SPDM_ALG_NONE; t->spoil = NULL;)

static void too_many(struct trial *t)
{
    t->plan[39] = t->plan[LEAF];
    for (int i = 2; i < 34; i++) {
        t->plan[i] = t->plan[MIDDLE];
        t->plan[i].issuer = "Middle";
        t->plan[i].signer = t->keys[MIDDLE];
    }
    t->plan[34] = t->plan[39];
    t->n = 35;
}

/* ---- fields ---- */

CHANGE(leaf_v1, t->plan[LEAF].version = 0;)
CHANGE(middle_v2, t->plan[MIDDLE].version = 1;)
CHANGE(leaf_serial_0, t->plan[LEAF].serial = "00";)
CHANGE(leaf_serial_negative, t->plan[LEAF].serial = "80";)
CHANGE(middle_serial_0, t->plan[MIDDLE].serial = "00";)
CHANGE(leaf_serial_20, t->plan[LEAF].serial = "7f00112233445566778899aabbccddeeff001122";)
CHANGE(leaf_serial_21, t->plan[LEAF].serial = "7f00112233445566778899aabbccddeeff00112233";)
CHANGE(leaf_no_issuer, t->plan[LEAF].issuer = NULL;)
CHANGE(leaf_no_subject, t->plan[LEAF].subject = NULL;)
CHANGE(middle_no_subject, t->plan[MIDDLE].subject = t->plan[LEAF].issuer = NULL;)
CHANGE(month_13, t->plan[LEAF].not_before = "241301000000Z";)
CHANGE(february_30, t->plan[LEAF].not_before = "240230000000Z";)
CHANGE(february_29, t->plan[LEAF].not_before = "240229000000Z";)
CHANGE(february_29_1900, t->plan[LEAF].not_after = "21000229000000Z";)
CHANGE(hour_24, t->plan[MIDDLE].not_before = "240101240000Z";)
CHANGE(no_zulu, t->plan[LEAF].not_before = "2401010000000";)
CHANGE(letters, t->plan[LEAF].not_before = "24010100x000Z";)
CHANGE(offset, t->plan[LEAF].not_after = "20340101000000+0100";)
CHANGE(fraction, t->plan[LEAF].not_after = "20340101000000.5Z";)
CHANGE(no_seconds, t->plan[LEAF].not_after = "203401010000Z0";)
CHANGE(backwards, t->plan[LEAF].not_before = "280101000000Z"; t->plan[LEAF].not_after = "270101000000Z";
       t->input.now = 0;)
CHANGE(before_1970, t->plan[LEAF].not_before = "691231235959Z";)
CHANGE(since_1970, t->plan[LEAF].not_before = "700101000000Z";)
CHANGE(before_1950, t->plan[LEAF].not_before = "19491231235959Z";)
CHANGE(leaf_too_new, t->plan[LEAF].not_before = "270101000000Z";)
CHANGE(leaf_expired, t->plan[LEAF].not_after = "261122235959Z";)
CHANGE(leaf_last_second, t->plan[LEAF].not_after = "261123000000Z";)
CHANGE(leaf_first_second, t->plan[LEAF].not_before = "261123000000Z";)
CHANGE(middle_expired, t->plan[MIDDLE].not_after = "250101000000Z";)
CHANGE(root_expired, t->plan[ROOT].not_after = "250101000000Z";)
CHANGE(external_expired, t->plan[ROOT].not_after = "250101000000Z"; t->external = true;)
CHANGE(expired_no_clock, t->plan[LEAF].not_after = "250101000000Z"; t->input.now = 0;)

CHANGE(basic_twice, t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.19", false, "3000"};
       t->plan[LEAF].ca = 0;)
CHANGE(unknown_extension, t->plan[LEAF].extra[0] = (struct certs_extension){"1.2.3.4", false, "0500"};)
CHANGE(unknown_critical, t->plan[LEAF].extra[0] = (struct certs_extension){"1.2.3.4", true, "0500"};)
CHANGE(unknown_critical_ca, t->plan[MIDDLE].extra[0] = (struct certs_extension){"1.2.3.4", true, "0500"};)
CHANGE(name_constraints, t->plan[MIDDLE].extra[0] = (struct certs_extension){"2.5.29.30", true, "3000"};)
CHANGE(policies, t->plan[MIDDLE].extra[0] = (struct certs_extension){"2.5.29.32", true,
                                                                     "300630040602"
                                                                     "2a03"};)
CHANGE(accepted_critical, unknown_critical(t); t->accept = "1.2.3.4";)
CHANGE(accepted_one_of_two, unknown_critical(t); t->accept = "1.2.3.4";
       t->plan[LEAF].extra[1] = (struct certs_extension){"1.2.3.5", true, "0500"};)
CHANGE(
    many_critical, for (int i = 0; i < 5; i++) {
        static const char *const oids[] = {"1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.3.4", "1.2.3.5"};
        t->plan[LEAF].extra[i] = (struct certs_extension){oids[i], true, "0500"};
    })
CHANGE(bad_basic, t->plan[LEAF].ca = CERTS_ABSENT;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.19", true, "3001"};)
CHANGE(bad_basic_bool, t->plan[LEAF].ca = CERTS_ABSENT;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.19", true, "3003010101"};)
CHANGE(bad_basic_length, t->plan[MIDDLE].ca = CERTS_ABSENT;
       t->plan[MIDDLE].extra[0] = (struct certs_extension){"2.5.29.19", true, "30060101ff0201ff"};)
CHANGE(bad_usage, t->plan[LEAF].usage = CERTS_ABSENT;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.15", true,
                                                         "030100"
                                                         "00"};)
CHANGE(empty_usage, t->plan[LEAF].usage = CERTS_ABSENT;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.15", true, "0300"};)
CHANGE(empty_eku, t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.37", true, "3000"};)
CHANGE(bad_san, t->plan[LEAF].device_info = NULL;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.17", false, "3003a00105"};)
CHANGE(extension_long_length, t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.14", false, "04810101"};)

/* ---- keys and those who sign ---- */

static void own_key(struct trial *t, int at, EVP_PKEY *key)
{
    EVP_PKEY_free(t->keys[OWN]);
    t->keys[OWN] = key;
    t->plan[at].key = key;
    if (at + 1 < (int)t->n) t->plan[at + 1].signer = key;
}

CHANGE(key_of_no_use, own_key(t, LEAF, new_key("X25519", NULL, 0));)
CHANGE(weak_rsa, own_key(t, MIDDLE, new_key("RSA", NULL, 1024));)
CHANGE(rsa_2048, own_key(t, MIDDLE, new_key("RSA", NULL, 2048));)
CHANGE(rsa_pss, own_key(t, MIDDLE, new_key("RSA", NULL, 2048)); t->plan[LEAF].pss = true;)
CHANGE(rsa_pss_sha1, own_key(t, MIDDLE, new_key("RSA", NULL, 2048)); t->plan[LEAF].pss = true;
       t->plan[LEAF].md = "SHA1";)
CHANGE(rsa_pss_mixed, rsa_pss(t); t->plan[LEAF].pss_mixed = true;)
CHANGE(brainpool, own_key(t, MIDDLE, new_key("EC", "brainpoolP256r1", 0));)
CHANGE(ed25519, own_key(t, MIDDLE, new_key("ED25519", NULL, 0)); t->plan[LEAF].md = NULL;)
CHANGE(ed448, own_key(t, MIDDLE, new_key("ED448", NULL, 0)); t->plan[LEAF].md = NULL;)
CHANGE(sha3, t->plan[LEAF].md = "SHA3-384";)
CHANGE(sha512, t->plan[LEAF].md = "SHA512"; t->plan[MIDDLE].md = "SHA384";)
CHANGE(other_curve, t->input.signature = SPDM_ECDSA_P384;)
CHANGE(other_algorithm, t->input.signature = SPDM_RSASSA_2048;)
CHANGE(no_algorithm, t->input.signature = SPDM_ALG_NONE;)
CHANGE(middle_not_ca, t->plan[MIDDLE].ca = 0;)
CHANGE(middle_no_basic, t->plan[MIDDLE].ca = CERTS_ABSENT;)
CHANGE(root_not_ca, t->plan[ROOT].ca = 0;)
CHANGE(external_not_ca, t->plan[ROOT].ca = CERTS_ABSENT; t->external = true;)
CHANGE(middle_no_cert_sign, t->plan[MIDDLE].usage = 0x80;)
CHANGE(middle_no_usage, t->plan[MIDDLE].usage = CERTS_ABSENT;)
CHANGE(leaf_is_authority, t->plan[LEAF].ca = 1;)

/* root - middle - second - leaf */
static void four(struct trial *t)
{
    t->plan[3] = t->plan[LEAF];
    t->plan[2] = t->plan[MIDDLE];
    t->plan[2].subject = t->plan[3].issuer = "Second";
    t->plan[2].issuer = "Middle";
    t->plan[2].key = t->plan[3].signer = t->keys[3];
    t->plan[2].signer = t->keys[MIDDLE];
    t->n = 4;
}

CHANGE(middle_path_0, four(t); t->plan[MIDDLE].path_len = 0;)
CHANGE(middle_path_1, four(t); t->plan[MIDDLE].path_len = 1;)
CHANGE(second_path_0, four(t); t->plan[2].path_len = 0;)
CHANGE(root_path_0, t->plan[ROOT].path_len = 0;)
CHANGE(root_path_1, four(t); t->plan[ROOT].path_len = 1;)
CHANGE(external_path_0, t->plan[ROOT].path_len = 0; t->external = true;)
CHANGE(self_issued_path, four(t); t->plan[MIDDLE].path_len = 0; t->plan[2].subject = t->plan[3].issuer = "Middle";)

CHANGE(leaf_other_issuer, t->plan[LEAF].issuer = "Somebody";)
CHANGE(middle_other_issuer, t->plan[MIDDLE].issuer = "Somebody";)
CHANGE(external_other_issuer, t->plan[MIDDLE].issuer = "Somebody"; t->external = true;)
CHANGE(leaf_issuer_case, t->plan[LEAF].issuer = "  middle "; t->plan[LEAF].issuer_printable = true;)
CHANGE(leaf_other_signer, t->plan[LEAF].signer = t->keys[5];)
CHANGE(middle_other_signer, t->plan[MIDDLE].signer = t->keys[5];)
CHANGE(external_other_signer, t->plan[MIDDLE].signer = t->keys[5]; t->external = true;)
CHANGE(leaf_own_signer, t->plan[LEAF].signer = t->keys[LEAF];)
CHANGE(leaf_root_signer, t->plan[LEAF].signer = t->keys[ROOT];)

static void swap(struct trial *t)
{
    struct certs_plan middle = t->plan[MIDDLE];

    t->plan[MIDDLE] = t->plan[LEAF];
    t->plan[LEAF] = middle;
}

CHANGE(unfit_signature, ed25519(t); t->plan[MIDDLE].key = t->keys[MIDDLE];)
CHANGE(unfit_ecdsa, own_key(t, MIDDLE, new_key("RSA", NULL, 2048)); t->plan[LEAF].signer = t->keys[MIDDLE];)
CHANGE(unfit_rsa, own_key(t, LEAF, new_key("RSA", NULL, 2048)); t->plan[LEAF].signer = t->keys[OWN];
       t->input.signature = SPDM_RSASSA_2048;)
CHANGE(sha1, t->plan[LEAF].md = "SHA1";)
CHANGE(rsa_sha1, own_key(t, MIDDLE, new_key("RSA", NULL, 2048)); t->plan[LEAF].md = "SHA1";)
CHANGE(rsa_md5, own_key(t, MIDDLE, new_key("RSA", NULL, 2048)); t->plan[LEAF].md = "MD5";)
CHANGE(other_key_id, t->plan[MIDDLE].extra[0] = (struct certs_extension){"2.5.29.14", false, "0404aabbccdd"};
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.35", false, "30068004aabbccde"};)
CHANGE(same_key_ids, t->plan[MIDDLE].extra[0] = (struct certs_extension){"2.5.29.14", false, "0404aabbccdd"};
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.35", false, "30068004aabbccdd"};)

/* The outer algorithm identifier, last before the signature: ecdsa-with-SHA256 becomes -SHA384. */
static void spoil_outer(struct trial *t)
{
    static const uint8_t sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

    for (size_t i = t->chain.n - sizeof sha256; i-- > 0;) {
        if (memcmp(t->chain.p + i, sha256, sizeof sha256) == 0) {
            t->chain.p[i + 7] = 3;
            return;
        }
    }
}
CHANGE(outer_algorithm, t->spoil = spoil_outer;)

/* ---- trust ---- */

CHANGE(no_anchors, t->no_anchors = true;)
CHANGE(unknown_root, t->other_anchor = true;)
CHANGE(unknown_external, t->other_anchor = true; t->external = true;)
CHANGE(false_root, t->other_anchor = true; t->plan[ROOT].signer = t->keys[4];)
CHANGE(external, t->external = true;)

/* ---- models and the leaf ---- */

CHANGE(generic_slot_0, t->input.model = SPDM_CERT_GENERIC; t->input.multi_key = true;)
CHANGE(generic_no_multi, t->input.model = SPDM_CERT_GENERIC; t->input.slot = 1;)
CHANGE(generic, t->input.model = SPDM_CERT_GENERIC; t->input.slot = 1; t->input.multi_key = true;)
CHANGE(generic_bare, generic(t); t->plan[LEAF].usage = CERTS_ABSENT; t->plan[LEAF].hardware = false;
       t->plan[LEAF].subject = t->plan[LEAF].issuer = NULL; t->plan[LEAF].device_info = NULL;)
CHANGE(generic_no_signing, generic(t); t->plan[LEAF].usage = 0x08;)
CHANGE(generic_no_basic, generic(t); t->plan[LEAF].ca = CERTS_ABSENT;)

/* The leaf alone, under its external root. */
static void one(struct trial *t)
{
    t->plan[1] = t->plan[LEAF];
    t->plan[1].issuer = "Root";
    t->plan[1].signer = t->keys[ROOT];
    t->n = 2;
    t->external = true;
}

/* A leaf that signed itself and is its own anchor. */
static void self(struct trial *t)
{
    t->plan[0] = t->plan[LEAF];
    t->plan[0].issuer = "Device";
    t->plan[0].signer = t->keys[LEAF];
    t->n = 1;
}

CHANGE(one_alias, one(t); t->plan[1].hardware = false; t->input.model = SPDM_CERT_ALIAS;)
CHANGE(leaf_no_basic, t->plan[LEAF].ca = CERTS_ABSENT;)
CHANGE(leaf_no_basic_1_2, t->plan[LEAF].ca = CERTS_ABSENT; t->input.version = SPDM_V12;)
CHANGE(leaf_no_usage, t->plan[LEAF].usage = CERTS_ABSENT;)
CHANGE(leaf_no_signing, t->plan[LEAF].usage = 0x7e;)
CHANGE(leaf_more_usage, t->plan[LEAF].usage = 0xfe;)
CHANGE(leaf_requester_only, t->plan[LEAF].eku = "1.3.6.1.4.1.412.274.4";)
CHANGE(leaf_requester_and_tls, t->plan[LEAF].eku = "1.3.6.1.4.1.412.274.4 1.3.6.1.5.5.7.3.1";)
CHANGE(leaf_both_roles, t->plan[LEAF].eku = "1.3.6.1.4.1.412.274.4 1.3.6.1.4.1.412.274.3";)
CHANGE(leaf_responder, t->plan[LEAF].eku = "1.3.6.1.4.1.412.274.3";)
CHANGE(leaf_other_eku, t->plan[LEAF].eku = "1.3.6.1.5.5.7.3.1 1.2.3.4";)
CHANGE(requester, t->input.role = SPDM_JUDGE_REQUESTER; t->input.model = SPDM_CERT_NONE;)
CHANGE(requester_responder_only, requester(t); leaf_responder(t);)
CHANGE(requester_both, requester(t); leaf_both_roles(t);)
CHANGE(requester_alias_hardware, requester(t); t->input.model = SPDM_CERT_ALIAS;)
CHANGE(ca_with_role, t->plan[MIDDLE].eku = "1.3.6.1.4.1.412.274.3";)

static void spdm_extension(struct trial *t, bool critical, const char *hex)
{
    t->plan[LEAF].hardware = false;
    t->plan[LEAF].extra[0] = (struct certs_extension){SPDM_EXTENSION, critical, hex};
}

#define HW "300c060a2b06010401831c821202"
CHANGE(spdm_not_filled, spdm_extension(t, false, "300f" HW "00");)
CHANGE(spdm_behind, spdm_extension(t, false, "300e" HW "0500");)
CHANGE(spdm_no_oid, spdm_extension(t, false, "30023000");)
CHANGE(spdm_set, spdm_extension(t, false, "310e" HW);)
CHANGE(spdm_bare, spdm_extension(t, false, "060a2b06010401831c821202");)
CHANGE(spdm_critical, spdm_extension(t, true, "300e" HW);)
CHANGE(spdm_unknown_entry, spdm_extension(t, false,
                                          "3017" HW "300706022a0304"
                                          "0100");)
CHANGE(spdm_empty, spdm_extension(t, false, "3000");)
CHANGE(info_two, t->plan[LEAF].device_info = "ACME:WIDGET";)
CHANGE(info_four, t->plan[LEAF].device_info = "ACME:WIDGET:1:2";)
CHANGE(info_ca, t->plan[MIDDLE].device_info = "ACME";)
CHANGE(info_type, t->plan[LEAF].device_info = NULL;
       t->plan[LEAF].extra[0] = (struct certs_extension){"2.5.29.17", false,
                                                         "3017a015060a2b06010401831c821201a0071605413a423a43"};)
CHANGE(info_none, t->plan[LEAF].device_info = NULL;)
CHANGE(pci_info, t->plan[LEAF].pci_info = "Vendor=1b36:Device=0010:CC=010802:REV=02:SSVID=1af4:SSID=1100";)
CHANGE(no_hardware, t->plan[LEAF].hardware = false;)
CHANGE(no_hardware_1_0, t->plan[LEAF].hardware = false; t->input.version = SPDM_V10;)
CHANGE(mutable_device, t->plan[LEAF].mutable = true;)

/* root - middle - device certificate CA - alias */
static void alias(struct trial *t)
{
    four(t);
    t->plan[2].hardware = true;
    t->plan[3].hardware = false;
    t->plan[3].mutable = true;
    t->input.model = SPDM_CERT_ALIAS;
}

CHANGE(alias_hardware, alias(t); t->plan[3].hardware = true;)
CHANGE(alias_told_nothing, alias(t); t->input.model = SPDM_CERT_NONE; t->input.multi_key = true;)
CHANGE(device_told_nothing, t->input.model = SPDM_CERT_NONE; t->input.multi_key = true;)
CHANGE(alias_not_marked, alias(t); t->plan[3].mutable = false;)
CHANGE(alias_some_marked, alias(t); t->plan[3].mutable = false; t->plan[2].mutable = true;)
CHANGE(alias_middle_hardware, alias(t); t->plan[MIDDLE].hardware = true;)

#define FWID "a62f302d06096086480165030402010420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static void tcb(struct trial *t, const char *oid, bool critical, const char *hex)
{
    t->plan[LEAF].extra[0] = (struct certs_extension){oid, critical, hex};
}
CHANGE(tcb_flat, tcb(t, "2.23.133.5.4.1", false, "3031" FWID);)
CHANGE(tcb_wrapped, tcb(t, "2.23.133.5.4.1", false, "30333031" FWID);)
CHANGE(tcb_multi, tcb(t, "2.23.133.5.4.5", false, "30663031" FWID "3031" FWID);)
CHANGE(tcb_composite, tcb(t, "2.23.133.5.4.1", false,
                          "3005020101"
                          "3000");)
CHANGE(tcb_critical, tcb(t, "2.23.133.5.4.1", true, "3031" FWID);)
CHANGE(tcb_disorder, tcb(t, "2.23.133.5.4.1", false, "3006870101800101");)
CHANGE(tcb_cut, tcb(t, "2.23.133.5.4.1", false, "30032001");)
CHANGE(ueid_critical, tcb(t, "2.23.133.5.4.4", true, "3003040101");)
CHANGE(manifest_critical, tcb(t, "2.23.133.5.4.9", true, "3003040101");)

enum outcome { TRUSTED = 100, FOUND, REFUSED };
#define ANCHOR SPDM_FINDING_ANCHOR

/* What each change must lead to. REFUSED: this refusal; `more` others beside it are right. FOUND: trusted, with this
 * note or warning. TRUSTED: without a finding, but those of what was left out. */
static const struct {
    const char *name;
    void (*change)(struct trial *t);
    int outcome;
    int id;
    unsigned certificate;
    unsigned more;
} trials[] = {
#define T(change)                                                                                                      \
    {                                                                                                                  \
#change, change, TRUSTED, 0, 0, 0                                                                              \
    }
#define F(change, id, certificate)                                                                                     \
    {                                                                                                                  \
#change, change, FOUND, SPDM_FOUND_##id, certificate, 0                                                        \
    }
#define R(change, id, certificate, more)                                                                               \
    {                                                                                                                  \
#change, change, REFUSED, SPDM_FOUND_##id, certificate, more                                                   \
    }
    T(nothing),
    T(external),
    T(one),
    T(self),
    /* withstand 67: the structure */
    R(wrong_length, CHAIN_LENGTH, 0, 0),
    F(reserved_set, CHAIN_RESERVED, 0),
    R(length_32, CHAIN_LENGTH, 0, 0),
    R(wrong_root_hash, ROOT_HASH, 0, 0),
    R(wrong_root_hash_external, UNKNOWN_ROOT, 0, 0),
    R(wrong_root_hash_unknown, ROOT_HASH, 0, 1),
    R(tail, TRAILING, 0, 0),
    R(tail_1, TRAILING, 0, 0),
    R(tail_long, CUT, 4, 2), /* then the leaf has a certificate below it, and may not */
    R(cut_short, CUT, 3, 0),
    R(no_certificate, NO_CERTIFICATE, 0, 0),
    R(nothing_in_it, CHAIN_SHORT, 0, 0),
    R(hardly_a_byte, CHAIN_SHORT, 0, 0),
    R(empty, CHAIN_SHORT, 0, 0),
    R(too_many, TOO_MANY, 0, 0),
    R(swap, LINK_NAME, 2, 7),
    /* withstand 68: the fields */
    R(leaf_v1, VERSION, 3, 0),
    R(middle_v2, VERSION, 2, 0),
    R(leaf_serial_0, SERIAL, 3, 0),
    R(leaf_serial_negative, SERIAL, 3, 0),
    F(middle_serial_0, SERIAL, 2),
    T(leaf_serial_20),
    F(leaf_serial_21, SERIAL_LONG, 3),
    R(leaf_no_issuer, NO_ISSUER, 3, 1),
    R(leaf_no_subject, NO_SUBJECT, 3, 0),
    R(middle_no_subject, NO_SUBJECT, 2, 1),
    R(month_13, BAD_TIME, 3, 0),
    R(february_30, BAD_TIME, 3, 0),
    T(february_29),
    R(february_29_1900, BAD_TIME, 3, 0),
    R(hour_24, BAD_TIME, 2, 0),
    R(no_zulu, BAD_TIME, 3, 0),
    R(letters, BAD_TIME, 3, 0),
    R(offset, BAD_TIME, 3, 0),
    R(fraction, BAD_TIME, 3, 0),
    R(no_seconds, BAD_TIME, 3, 0),
    R(backwards, TIME_RANGE, 3, 0),
    R(before_1970, TIME_RANGE, 3, 0),
    T(since_1970),
    R(before_1950, TIME_RANGE, 3, 0),
    R(leaf_too_new, NOT_YET_VALID, 3, 0),
    R(leaf_expired, EXPIRED, 3, 0),
    T(leaf_last_second),
    T(leaf_first_second),
    R(middle_expired, EXPIRED, 2, 0),
    R(root_expired, EXPIRED, 1, 0),
    R(external_expired, EXPIRED, ANCHOR, 0),
    F(expired_no_clock, VALID_FOREVER, 0),
    R(outer_algorithm, ALGORITHMS_DIFFER, 3, 0),
    R(basic_twice, REPEATED, 3, 0),
    T(unknown_extension),
    R(unknown_critical, CRITICAL, 3, 0),
    R(unknown_critical_ca, CRITICAL, 2, 0),
    R(name_constraints, CRITICAL, 2, 0),
    T(policies),
    T(accepted_critical),
    R(accepted_one_of_two, CRITICAL, 3, 0),
    R(many_critical, MALFORMED, 3, 0),
    R(bad_basic, MALFORMED, 3, 0),
    R(bad_basic_bool, MALFORMED, 3, 0),
    R(bad_basic_length, MALFORMED, 2, 0),
    R(bad_usage, MALFORMED, 3, 0),
    R(empty_usage, MALFORMED, 3, 0),
    R(empty_eku, MALFORMED, 3, 0),
    R(bad_san, MALFORMED, 3, 0),
    R(extension_long_length, MALFORMED, 3, 0),
    /* keys and those who sign */
    R(key_of_no_use, KEY, 3, 0),
    R(weak_rsa, KEY_WEAK, 2, 0),
    T(rsa_2048),
    T(rsa_pss),
    R(rsa_pss_sha1, LINK_ALGORITHM, 3, 0),
    R(rsa_pss_mixed, LINK_ALGORITHM, 3, 0),
    T(brainpool),
    T(ed25519),
    T(ed448),
    T(sha3),
    T(sha512),
    R(other_curve, KEY_MISMATCH, 3, 0),
    R(other_algorithm, KEY_MISMATCH, 3, 0),
    R(no_algorithm, KEY_MISMATCH, 3, 0),
    R(middle_not_ca, NOT_A_CA, 2, 0),
    R(middle_no_basic, NOT_A_CA, 2, 0),
    R(root_not_ca, NOT_A_CA, 1, 0),
    R(external_not_ca, NOT_A_CA, ANCHOR, 0),
    R(middle_no_cert_sign, NO_CERT_SIGN, 2, 0),
    T(middle_no_usage),
    R(leaf_is_authority, LEAF_IS_CA, 3, 0),
    R(middle_path_0, PATH_LEN, 2, 0),
    T(middle_path_1),
    T(second_path_0),
    F(root_path_0, PATH_LEN, 1),
    F(root_path_1, PATH_LEN, 1),
    F(external_path_0, PATH_LEN, ANCHOR),
    T(self_issued_path),
    R(leaf_other_issuer, LINK_NAME, 3, 0),
    R(middle_other_issuer, LINK_NAME, 2, 0),
    R(external_other_issuer, LINK_NAME, 1, 0),
    T(leaf_issuer_case),
    R(leaf_other_signer, LINK_SIGNATURE, 3, 0),
    R(middle_other_signer, LINK_SIGNATURE, 2, 0),
    R(external_other_signer, LINK_SIGNATURE, 1, 0),
    R(leaf_own_signer, LINK_SIGNATURE, 3, 0),
    R(leaf_root_signer, LINK_SIGNATURE, 3, 0),
    R(unfit_signature, LINK_ALGORITHM, 3, 0),
    R(unfit_ecdsa, LINK_ALGORITHM, 3, 0),
    R(unfit_rsa, LINK_ALGORITHM, 3, 0),
    R(sha1, LINK_WEAK, 3, 0),
    R(rsa_sha1, LINK_WEAK, 3, 0),
    R(rsa_md5, LINK_WEAK, 3, 0),
    F(other_key_id, KEY_ID, 3),
    T(same_key_ids),
    /* withstand 69, 70: trust */
    R(no_anchors, NO_ANCHORS, 0, 0),
    R(unknown_root, UNKNOWN_ROOT, 0, 0),
    R(unknown_external, UNKNOWN_ROOT, 0, 0),
    R(false_root, NOT_SELF_SIGNED, 1, 1),
    /* models and the leaf */
    R(generic_slot_0, MODEL_GENERIC, 0, 0),
    R(generic_no_multi, MODEL_GENERIC, 0, 0),
    T(generic),
    T(generic_bare),
    R(generic_no_signing, LEAF_NO_SIGNING, 3, 0),
    R(generic_no_basic, LEAF_NO_BASIC, 3, 0),
    R(one_alias, MODEL_SINGLE, 0, 0),
    R(leaf_no_basic, LEAF_NO_BASIC, 3, 0),
    T(leaf_no_basic_1_2),
    R(leaf_no_usage, LEAF_NO_USAGE, 3, 0),
    R(leaf_no_signing, LEAF_NO_SIGNING, 3, 0),
    T(leaf_more_usage),
    R(leaf_requester_only, LEAF_ROLE, 3, 0),
    R(leaf_requester_and_tls, LEAF_ROLE, 3, 0),
    T(leaf_both_roles),
    T(leaf_responder),
    T(leaf_other_eku),
    T(requester),
    R(requester_responder_only, LEAF_ROLE, 3, 0),
    T(requester_both),
    T(requester_alias_hardware),
    F(ca_with_role, CA_ROLE, 2),
    R(spdm_not_filled, SPDM_EXTENSION, 3, 0),
    R(spdm_behind, SPDM_EXTENSION, 3, 0),
    R(spdm_no_oid, SPDM_EXTENSION, 3, 0),
    R(spdm_set, SPDM_EXTENSION, 3, 0),
    R(spdm_bare, SPDM_EXTENSION, 3, 0),
    F(spdm_critical, SPDM_CRITICAL, 3),
    T(spdm_unknown_entry),
    F(spdm_empty, NO_HARDWARE, 0),
    R(info_two, DEVICE_INFO, 3, 0),
    R(info_four, DEVICE_INFO, 3, 0),
    F(info_ca, DEVICE_INFO, 2),
    R(info_type, DEVICE_INFO, 3, 0),
    T(info_none),
    T(pci_info),
    F(no_hardware, NO_HARDWARE, 0),
    T(no_hardware_1_0),
    F(mutable_device, MUTABLE_DEVICE, 3),
    T(alias),
    R(alias_hardware, HARDWARE_IN_ALIAS, 4, 0),
    T(alias_told_nothing),
    T(device_told_nothing),
    T(alias_not_marked),
    F(alias_some_marked, MUTABLE_SOME, 4),
    F(alias_middle_hardware, HARDWARE_IN_ALIAS, 3),
    /* withstand 72: DICE */
    T(tcb_flat),
    T(tcb_wrapped),
    T(tcb_multi),
    T(tcb_composite),
    F(tcb_critical, TCB_CRITICAL, 3),
    F(tcb_disorder, TCB_INFO, 3),
    F(tcb_cut, TCB_INFO, 3),
    T(ueid_critical),
    R(manifest_critical, CRITICAL, 3, 0),
};

static bool as_it_must(const struct spdm_judgement *j, size_t i)
{
    const struct spdm_finding *f = find(j, (unsigned)trials[i].id, trials[i].certificate);

    switch (trials[i].outcome) {
    case TRUSTED: return j->verdict == SPDM_GOOD && j->finding_n == 0;
    case FOUND: return j->verdict == SPDM_GOOD && f != NULL && f->severity != SPDM_REFUSAL && j->finding_n == 1;
    default:
        return j->verdict == SPDM_BAD && f != NULL && f->severity == SPDM_REFUSAL && refusals(j) == 1 + trials[i].more;
    }
}

static void every_defect_has_its_finding(void **state)
{
    struct trial *t = *state;
    bool seen[SPDM_FOUND_N] = {false};
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        begin(t);
        trials[i].change(t);
        build(t);
        decide(t);
        expect_consistent(t->judgement);
        if (!as_it_must(t->judgement, i)) {
            print_message("    %s: %s\n", trials[i].name, t->judgement->verdict == SPDM_GOOD ? "trusted" : "refused");
            show(t->judgement);
            wrong++;
        }
        for (unsigned k = 0; k < t->judgement->finding_n; k++) seen[t->judgement->finding[k].id] = true;
        end(t);
    }
    assert_int_equal(wrong, 0);
    for (unsigned id = 0; id < SPDM_FOUND_N; id++) { /* and no kind of finding goes untested */
        bool elsewhere = id == SPDM_FOUND_HASH_UNKNOWN || id == SPDM_FOUND_OUT_OF_MEMORY;
        if (!seen[id] && !elsewhere) fail_msg("nothing leads to %s", spdm_finding_name((uint8_t)id));
    }
}

static void a_hash_that_is_none(void **state)
{
    struct trial *t = *state;

    begin(t);
    build(t);
    unknown_hash(t);
    decide(t);
    assert_int_equal(t->judgement->verdict, SPDM_BAD);
    assert_non_null(find(t->judgement, SPDM_FOUND_HASH_UNKNOWN, 0));
    expect_consistent(t->judgement);
    end(t);
}

/* ---- what must be trusted ---- */

static void every_version_hash_and_model(void **state)
{
    static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
    struct trial *t = *state;

    for (size_t v = 0; v < sizeof versions; v++) {
        for (unsigned hash = SPDM_SHA_256; hash <= SPDM_SM3_256; hash++) {
            for (int is_alias = 0; is_alias < 2; is_alias++) {
                begin(t);
                if (is_alias) alias(t);
                t->input.version = versions[v];
                t->input.hash = hash;
                build(t);
                decide(t);
                if (t->judgement->verdict != SPDM_GOOD) show(t->judgement);
                assert_int_equal(t->judgement->verdict, SPDM_GOOD);
                assert_int_equal(t->judgement->model, is_alias ? SPDM_CERT_ALIAS : SPDM_CERT_DEVICE);
                assert_true(t->judgement->consistent && t->judgement->root_included);
                assert_true(spdm_openssl_key_fits(t->judgement->key, SPDM_ECDSA_P256));
                end(t);
            }
        }
    }
}

static void every_key_of_a_leaf(void **state)
{
    static const struct {
        const char *type, *group;
        size_t bits;
        enum spdm_alg alg;
    } kinds[] = {{"EC", "P-384", 0, SPDM_ECDSA_P384},
                 {"EC", "P-521", 0, SPDM_ECDSA_P521},
                 {"RSA", NULL, 2048, SPDM_RSAPSS_2048},
                 {"RSA", NULL, 3072, SPDM_RSASSA_3072},
                 {"SM2", NULL, 0, SPDM_SM2},
                 {"ED25519", NULL, 0, SPDM_ED25519},
                 {"ED448", NULL, 0, SPDM_ED448},
                 {"ML-DSA-44", NULL, 0, SPDM_ML_DSA_44},
                 {"ML-DSA-87", NULL, 0, SPDM_ML_DSA_87},
                 {"ML-DSA-65", NULL, 0, SPDM_ML_DSA_65},
                 {"SLH-DSA-SHA2-128f", NULL, 0, SPDM_SLH_DSA_SHA2_128F},
                 {"SLH-DSA-SHAKE-128s", NULL, 0, SPDM_SLH_DSA_SHAKE_128S},
                 {"SLH-DSA-SHA2-192s", NULL, 0, SPDM_SLH_DSA_SHA2_192S},
                 {"SLH-DSA-SHAKE-256f", NULL, 0, SPDM_SLH_DSA_SHAKE_256F}};
    struct trial *t = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!spdm_openssl_crypto()->supports(t->ossl, kinds[i].alg)) continue;
        begin(t);
        own_key(t, LEAF, new_key(kinds[i].type, kinds[i].group, kinds[i].bits));
        t->input.signature = kinds[i].alg;
        build(t);
        decide(t);
        if (t->judgement->verdict != SPDM_GOOD) show(t->judgement);
        assert_int_equal(t->judgement->verdict, SPDM_GOOD);
        assert_string_equal(spdm_judgement_leaf(t->judgement)->key_name, spdm_openssl_key_name(t->judgement->key));
        end(t);
    }
}

/* Chains as the reference stack sends them, with their own first certificate as anchor. */
static void chains_of_the_reference_stack(void **state)
{
    static const struct {
        const char *file;
        enum spdm_alg hash, alg;
    } chains[] = {
        {"p256-sha256", SPDM_SHA_256, SPDM_ECDSA_P256},     {"p384-sha384", SPDM_SHA_384, SPDM_ECDSA_P384},
        {"ed25519-sha512", SPDM_SHA_512, SPDM_ED25519},     {"rsa2048-sha256", SPDM_SHA_256, SPDM_RSASSA_2048},
        {"rsa3072-sha384", SPDM_SHA_384, SPDM_RSAPSS_3072}, {"sm2-sm3", SPDM_SM3_256, SPDM_SM2},
        {"sm2-sm3-slot4", SPDM_SM3_256, SPDM_SM2},          {"mldsa65-sha384", SPDM_SHA_384, SPDM_ML_DSA_65}};
    struct trial *t = *state;

    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        char path[100];
        if (!spdm_openssl_crypto()->supports(t->ossl, chains[i].alg)) continue;
        snprintf(path, sizeof path, "tests/data/port/chains/%s.der", chains[i].file);
        struct spdm_room chain = file_bytes(path);
        assert_non_null(chain.p);
        size_t at = 4 + spdm_algorithm(chains[i].hash)->size;
        struct spdm_span rest = {chain.p + at, chain.n - at};
        struct spdm_judge *judge = spdm_judge_open(t->ossl);
        assert_true(spdm_judge_trust_der(judge, (struct spdm_span){rest.p, spdm_x509_length(rest)}, NULL));
        struct spdm_judge_case input = {.chain = as_span(chain),
                                        .hash = chains[i].hash,
                                        .signature = chains[i].alg,
                                        .version = SPDM_V12,
                                        .model = SPDM_CERT_DEVICE,
                                        .now = NOW};
        struct spdm_judgement *j = spdm_judge_decide(judge, &input);
        if (j->verdict != SPDM_GOOD) show(j);
        assert_int_equal(j->verdict, SPDM_GOOD);
        expect_consistent(j);
        char text[100];
        (void)spdm_x509_plain_text(spdm_judgement_leaf(j)->device_info, text, sizeof text);
        assert_string_equal(text, "ACME:WIDGET:1234567890");
        spdm_judgement_free(j);
        spdm_judge_close(judge);
        free(chain.p);
    }
}

/* ---- robustness ---- */

static spdm_verdict verdict_of(struct trial *t, const uint8_t *chain, size_t n)
{
    uint8_t *exact = malloc(n + 1);

    if (n != 0) memcpy(exact + 1, chain, n);
    t->input.chain = (struct spdm_span){exact + 1, n};
    struct spdm_judgement *j = spdm_judge_decide(t->judge, &t->input);
    spdm_verdict verdict = j->verdict;
    expect_consistent(j);
    spdm_judgement_free(j);
    free(exact);
    return verdict;
}

/* No chain that differs in one bit, or is cut anywhere, is trusted. */
static void no_other_chain_is_trusted(void **state)
{
    struct trial *t = *state;

    begin(t);
    build(t);
    assert_int_equal(verdict_of(t, t->chain.p, t->chain.n), SPDM_GOOD);
    for (size_t i = 0; i < t->chain.n; i++) {
        uint8_t bit = (uint8_t)(1u << (i * 5 % 8));
        bool reserved = i == 2 || i == 3;
        t->chain.p[i] ^= bit;
        assert_int_equal(verdict_of(t, t->chain.p, t->chain.n), reserved ? SPDM_GOOD : SPDM_BAD);
        t->chain.p[i] ^= bit;
    }
    for (size_t n = 0; n < t->chain.n; n++) {
        assert_int_equal(verdict_of(t, t->chain.p, n), SPDM_BAD);
    }
    t->judgement = NULL;
    end(t);
}

/* A thousand levels of nesting, and what else DER must not be (withstand 71), where a certificate is due. */
static void der_that_is_none(void **state)
{
    static uint8_t deep[5000];
    static const char *const ends[] = {"30800000",
                                       "308100",
                                       "30820001"
                                       "00",
                                       "308400000001"
                                       "00",
                                       "3085000000000100",
                                       "3084ffffffff",
                                       "30847fffffff",
                                       "3088ffffffffffffffff",
                                       "3f8100",
                                       "0000",
                                       "30",
                                       "3082ff"};
    struct trial *t = *state;
    size_t n = 36;

    begin(t);
    build(t);
    for (unsigned level = 0; level < 1000; level++) {
        size_t rest = (size_t)(999 - level) * 4;
        const uint8_t head[4] = {0x30, 0x82, (uint8_t)(rest >> 8), (uint8_t)rest};
        memcpy(deep + n, head, 4);
        n += 4;
    }
    deep[0] = (uint8_t)n;
    deep[1] = (uint8_t)(n >> 8);
    assert_int_equal(verdict_of(t, deep, n), SPDM_BAD);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct spdm_room end_of_it = hex_bytes(ends[i]);
        memcpy(deep + 36, end_of_it.p, end_of_it.n);
        deep[0] = (uint8_t)(36 + end_of_it.n);
        deep[1] = 0;
        assert_int_equal(verdict_of(t, deep, 36 + end_of_it.n), SPDM_BAD);
        free(end_of_it.p);
    }
    t->judgement = NULL;
    end(t);
}

/* ---- counting: each certificate read once, each link verified once ---- */

static void everything_is_done_once(void **state)
{
    struct trial *t = *state;

    begin(t);
    build(t);
    struct spdm_judge_counts before = spdm_judge_counts(t->judge);
    assert_int_equal(before.certificates_read, 1); /* the anchor, when it was loaded */
    decide(t);
    struct spdm_judge_counts after = spdm_judge_counts(t->judge);
    assert_int_equal(after.certificates_read - before.certificates_read, 2);
    assert_int_equal(after.signatures_verified - before.signatures_verified, 2);
    assert_int_equal(after.keys_opened - before.keys_opened, 2);
    end(t);

    begin(t);
    t->external = true;
    build(t);
    before = spdm_judge_counts(t->judge);
    decide(t);
    after = spdm_judge_counts(t->judge);
    assert_int_equal(after.certificates_read - before.certificates_read, 2);
    assert_int_equal(after.signatures_verified - before.signatures_verified, 2);
    end(t);
}

/* ---- anchors ---- */

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void write_pem(const char *path, const struct spdm_room *der, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fprintf(f, "some words\n");
    for (size_t i = 0; i < n; i++) PEM_write(f, "CERTIFICATE", "", der[i].p, (long)der[i].n);
    fclose(f);
}

static void anchors_from_files(void **state)
{
    struct trial *t = *state;
    char dir[] = "/tmp/assay-judge-XXXXXX", path[100], cause[SPDM_CAUSE_MAX] = "";

    assert_non_null(mkdtemp(dir));
    begin(t);
    struct spdm_room root[2] = {certs_make(&t->plan[ROOT]), {0}};
    t->plan[ROOT].key = t->plan[ROOT].signer = t->keys[5];
    root[1] = certs_make(&t->plan[ROOT]);
    struct spdm_judge *judge = spdm_judge_open(t->ossl);

    assert_int_equal(spdm_judge_trust(judge, dir, cause), 0);
    assert_non_null(strstr(cause, dir));
    snprintf(path, sizeof path, "%s/a.der", dir);
    assert_int_equal(spdm_judge_trust(judge, path, cause), 0);
    assert_non_null(strstr(cause, path));
    write_file(path, root[0].p, root[0].n);
    assert_int_equal(spdm_judge_trust(judge, path, cause), 1);
    assert_int_equal(spdm_judge_anchor_n(judge), 1);
    assert_int_equal(spdm_judge_trust(judge, path, cause), 1); /* again: the same one */
    assert_int_equal(spdm_judge_anchor_n(judge), 1);
    snprintf(path, sizeof path, "%s/b.PEM", dir);
    write_pem(path, root, 2);
    snprintf(path, sizeof path, "%s/readme.txt", dir);
    write_file(path, "hello", 5);
    snprintf(path, sizeof path, "%s/broken.crt", dir);
    write_file(path, "hello", 5);
    assert_int_equal(spdm_judge_trust(judge, path, cause), 0);
    assert_non_null(strstr(cause, "no certificate"));
    assert_int_equal(spdm_judge_trust(judge, dir, cause), 3);
    assert_int_equal(spdm_judge_anchor_n(judge), 2);
    write_file(path, root[0].p, root[0].n - 1); /* cut */
    assert_int_equal(spdm_judge_trust(judge, path, cause), 0);
    assert_non_null(strstr(cause, "DER"));

    t->plan[ROOT].signer = t->keys[4]; /* says it issued itself, and did not sign: not a root */
    struct spdm_room bad = certs_make(&t->plan[ROOT]);
    write_file(path, bad.p, bad.n);
    assert_int_equal(spdm_judge_trust(judge, path, cause), 0);
    assert_non_null(strstr(cause, "did not sign itself"));
    assert_non_null(strstr(cause, "CN=Root"));
    assert_int_equal(spdm_judge_anchor_n(judge), 2);
    assert_false(spdm_judge_accept_critical(judge, "no oid", cause));
    assert_non_null(strstr(cause, "no oid"));

    spdm_judge_close(judge);
    spdm_judge_close(NULL);
    for (size_t i = 0; i < 2; i++) free(root[i].p);
    free(bad.p);
    static const char *const files[] = {"a.der", "b.PEM", "readme.txt", "broken.crt"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* ---- what is known ---- */

static void known_devices(void **state)
{
    struct trial *t = *state;

    begin(t);
    build(t);
    decide(t);
    struct spdm_judge_case ask = t->judgement->input;
    assert_int_equal(ask.digest.n, 32);
    assert_null(spdm_judge_known(t->judge, &ask));
    spdm_judge_remember(t->judge, t->judgement);
    struct spdm_judge_counts before = spdm_judge_counts(t->judge);
    struct spdm_judgement *known = spdm_judge_known(t->judge, &ask);
    assert_ptr_equal(known, t->judgement);
    spdm_judgement_free(known);
    ask.chain = (struct spdm_span){0}; /* only the digest is at hand */
    known = spdm_judge_known(t->judge, &ask);
    assert_ptr_equal(known, t->judgement);
    spdm_judgement_free(known);
    struct spdm_judge_counts after = spdm_judge_counts(t->judge);
    assert_memory_equal(&before, &after, sizeof before); /* nothing was read or verified */

    struct spdm_judge_case other = ask;
    uint8_t digest[32];
    memcpy(digest, ask.digest.p, 32);
    digest[31] ^= 1;
    other.digest.p = digest;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.version = SPDM_V12;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.signature = SPDM_ECDSA_P384;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.hash = SPDM_SHA3_256;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.model = SPDM_CERT_ALIAS;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.role = SPDM_JUDGE_REQUESTER;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.slot = 3;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.multi_key = true;
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.now = 1; /* 1970: nothing was valid yet */
    assert_null(spdm_judge_known(t->judge, &other));
    other = ask, other.digest.n = 0;
    assert_null(spdm_judge_known(t->judge, &other));

    spdm_judge_remember(t->judge, t->judgement); /* twice is once */
    assert_int_equal(t->judge->known_n, 1);
    spdm_judge_forget(t->judge, (struct spdm_span){digest, 32});
    assert_int_equal(t->judge->known_n, 1);
    spdm_judge_forget(t->judge, ask.digest);
    assert_int_equal(t->judge->known_n, 0);
    assert_null(spdm_judge_known(t->judge, &ask));
    end(t);
}

static void refused_chains_are_not_remembered(void **state)
{
    struct trial *t = *state;

    begin(t);
    leaf_no_usage(t);
    build(t);
    decide(t);
    spdm_judge_remember(t->judge, t->judgement);
    spdm_judge_remember(t->judge, NULL);
    assert_int_equal(t->judge->known_n, 0);
    char cause[SPDM_CAUSE_MAX];
    assert_false(spdm_judgement_save(t->judgement, "/tmp/assay-not-saved", cause));
    end(t);
}

/* The memory of known devices has an end. */
static void the_memory_is_bounded(void **state)
{
    struct trial *t = *state;
    struct spdm_judgement *first = NULL;

    begin(t);
    build(t);
    for (unsigned i = 0; i < SPDM_KNOWN_MAX + 500; i++) {
        uint8_t digest[32] = {(uint8_t)(i * 7), (uint8_t)i, (uint8_t)(i >> 8)};
        t->input.digest = (struct spdm_span){digest, 32};
        t->input.chain = as_span(t->chain);
        if (i == 0) first = spdm_judge_decide(t->judge, &t->input);
        /* the same judgement under many names: only the table is at stake here */
        ((struct spdm_held *)(void *)first)->digest[0] = digest[0];
        struct spdm_held *copy = OPENSSL_zalloc(sizeof *copy);
        copy->holders = 1;
        copy->judgement = *first;
        memcpy(copy->digest, digest, 32);
        copy->judgement.input.digest.p = copy->digest;
        spdm_judge_remember(t->judge, &copy->judgement);
        spdm_judgement_free(&copy->judgement);
    }
    assert_int_equal(t->judge->known_n, SPDM_KNOWN_MAX);
    t->judgement = first;
    end(t);
}

static void known_devices_in_files(void **state)
{
    struct trial *t = *state;
    char path[] = "/tmp/assay-known-XXXXXX", cause[SPDM_CAUSE_MAX] = "";

    close(mkstemp(path));
    begin(t);
    alias(t);
    t->input.multi_key = true;
    t->input.slot = 2;
    build(t);
    decide(t);
    assert_int_equal(t->judgement->verdict, SPDM_GOOD);
    assert_true(spdm_judgement_save(t->judgement, path, cause));

    struct spdm_judge *second = spdm_judge_open(t->ossl); /* later, elsewhere */
    struct spdm_judgement *j = spdm_judge_load(second, path, NOW, cause);
    assert_non_null(j); /* without the anchor it is read, and refused */
    assert_int_equal(j->verdict, SPDM_BAD);
    assert_non_null(find(j, SPDM_FOUND_NO_ANCHORS, 0));
    assert_int_equal(second->known_n, 0);
    spdm_judgement_free(j);
    assert_true(spdm_judge_trust_der(second, as_span(t->anchor), NULL));
    j = spdm_judge_load(second, path, NOW, cause);
    assert_non_null(j);
    assert_int_equal(j->verdict, SPDM_GOOD);
    assert_int_equal(j->input.chain.n, t->judgement->input.chain.n);
    assert_memory_equal(j->input.chain.p, t->judgement->input.chain.p, j->input.chain.n);
    struct spdm_judgement *known = spdm_judge_known(second, &t->judgement->input);
    assert_ptr_equal(known, j);
    spdm_judgement_free(known);
    spdm_judgement_free(j);

    struct spdm_room text = file_bytes(path);
    assert_non_null(strstr((char *)text.p, "subject CN=Device\n"));
    for (size_t i = 0; i < text.n; i += 3) { /* no changed file is believed */
        text.p[i] ^= 4;
        write_file(path, text.p, text.n);
        j = spdm_judge_load(second, path, NOW, cause);
        if (j == NULL) {
            assert_non_null(strstr(cause, path));
        } else if (j->verdict == SPDM_GOOD) {
            assert_int_equal(j->input.chain.n, t->judgement->input.chain.n);
            assert_memory_equal(j->input.chain.p, t->judgement->input.chain.p, j->input.chain.n);
        }
        spdm_judgement_free(j);
        text.p[i] ^= 4;
    }
    free(text.p);
    unlink(path);
    assert_null(spdm_judge_load(second, path, NOW, cause));
    assert_false(spdm_judgement_save(t->judgement, "/nonexistent/directory/file", cause));
    assert_non_null(strstr(cause, "/nonexistent/directory/file"));
    spdm_judge_close(second);
    end(t);
}

/* ---- questions of an engine ---- */

static void answering_an_engine(void **state)
{
    struct trial *t = *state;
    struct spdm_facts facts = {.version = SPDM_V13, .hash = SPDM_SHA_256, .signature = SPDM_ECDSA_P256};
    struct spdm_answer answer;
    uint8_t digest[32];

    begin(t);
    build(t);
    assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, t->chain.p, t->chain.n, digest, NULL), 1);
    struct spdm_event ev = {.kind = SPDM_ASK_DIGEST, .ticket = 7, .data = {digest, 32}};
    assert_null(spdm_judge_answer(t->judge, &facts, &ev, NOW, &answer));
    assert_true(answer.ticket == 7 && !answer.yes && answer.key == NULL);
    ev = (struct spdm_event){.kind = SPDM_ASK_TRUST, .ticket = 8, .data = as_span(t->chain)};
    t->judgement = spdm_judge_answer(t->judge, &facts, &ev, NOW, &answer);
    assert_true(answer.ticket == 8 && answer.yes && answer.key == t->judgement->key);
    ev = (struct spdm_event){.kind = SPDM_ASK_DIGEST, .ticket = 9, .data = {digest, 32}};
    struct spdm_judgement *again = spdm_judge_answer(t->judge, &facts, &ev, NOW, &answer);
    assert_ptr_equal(again, t->judgement);
    assert_true(answer.yes && answer.key == t->judgement->key);
    spdm_judgement_free(again);
    facts.responder.flags = SPDM_ALIAS_CERT_CAP;
    assert_null(spdm_judge_answer(t->judge, &facts, &ev, NOW, &answer));
    ev = (struct spdm_event){.kind = SPDM_ASK_TRUST, .ticket = 10, .data = as_span(t->chain)};
    again = spdm_judge_answer(t->judge, &facts, &ev, NOW, &answer);
    assert_false(answer.yes);
    assert_null(answer.key);
    assert_non_null(find(again, SPDM_FOUND_HARDWARE_IN_ALIAS, 3));
    spdm_judgement_free(again);
    end(t);
}

/* certificates.md section 5 step 6. */
static void which_model_a_slot_has(void **state)
{
    static const struct {
        uint32_t flags;
        uint8_t told, model;
        bool multi;
    } rows[] = {{0, 0, SPDM_CERT_DEVICE, false},
                {0, SPDM_CERT_GENERIC, SPDM_CERT_DEVICE, false}, /* UN-03: ignored without MULTI_KEY_CAP */
                {SPDM_ALIAS_CERT_CAP, 0, SPDM_CERT_ALIAS, false},
                {SPDM_MULTI_KEY_CAP_ONLY, 0, SPDM_CERT_NONE, true},
                {SPDM_MULTI_KEY_CAP_NEG, SPDM_CERT_GENERIC, SPDM_CERT_GENERIC, true},
                {SPDM_MULTI_KEY_CAP_NEG | SPDM_ALIAS_CERT_CAP, SPDM_CERT_DEVICE, SPDM_CERT_DEVICE, true}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spdm_facts facts = {.version = SPDM_V13, .hash = SPDM_SHA_256, .slot = 2, .slot_model = rows[i].told};
        struct spdm_event ev = {.kind = SPDM_ASK_TRUST, .slot = 2};
        struct spdm_judge_case input;
        facts.responder.flags = rows[i].flags;
        spdm_judge_case_of(&facts, &ev, &input);
        assert_int_equal(input.model, rows[i].model);
        assert_int_equal(input.multi_key, rows[i].multi);
        assert_int_equal(input.slot, 2);
    }
}

/* Judgements outlive their judge. */
static void judgements_are_held(void **state)
{
    struct trial *t = *state;
    char name[100];

    begin(t);
    build(t);
    decide(t);
    assert_ptr_equal(spdm_judgement_share(t->judgement), t->judgement);
    spdm_judge_close(t->judge);
    t->judge = NULL;
    (void)spdm_x509_name_text(t->judgement->anchor->subject, name, sizeof name);
    assert_string_equal(name, "CN=Root");
    (void)spdm_x509_name_text(t->judgement->certificate[0].subject, name, sizeof name);
    assert_string_equal(name, "CN=Root");
    spdm_judgement_free(t->judgement);
    assert_non_null(t->judgement->key);
    assert_null(spdm_judgement_share(NULL));
    spdm_judgement_free(NULL);
    end(t);
}

/* ---- texts ---- */

static void texts_for_people(void **state)
{
    struct trial *t = *state;
    char text[300], small[4];

    begin(t);
    leaf_both_roles(t);
    pci_info(t);
    t->plan[LEAF].subject = "De\x1b[31mvice \xc3\xa9,x";
    t->plan[LEAF].serial = "00d2";
    build(t);
    decide(t);
    assert_int_equal(t->judgement->verdict, SPDM_GOOD);
    const struct spdm_x509 *leaf = spdm_judgement_leaf(t->judgement);
    (void)spdm_x509_name_text(leaf->subject, text, sizeof text);
    assert_string_equal(text, "CN=De\\1B[31mvice \\C3\\A9\\,x");
    assert_int_equal(spdm_x509_name_text(leaf->subject, small, sizeof small), strlen(text));
    assert_string_equal(small, "CN=");
    (void)spdm_x509_serial_text(leaf, text, sizeof text);
    assert_string_equal(text, "d2");
    (void)spdm_x509_time_text(leaf->not_before, text, sizeof text);
    assert_string_equal(text, "2024-01-01T00:00:00Z");
    (void)spdm_x509_time_text(leaf->not_after, text, sizeof text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    (void)spdm_x509_time_text(-1, text, sizeof text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    (void)spdm_x509_time_text(951827696, text, sizeof text);
    assert_string_equal(text, "2000-02-29T12:34:56Z");
    (void)spdm_x509_eku_text(leaf, text, sizeof text);
    assert_string_equal(text, "requester-auth, responder-auth");
    (void)spdm_x509_has_text(leaf, text, sizeof text);
    assert_string_equal(
        text, "digitalSignature, hardware identity, responder-auth, requester-auth, device info, PCI identity");
    (void)spdm_x509_plain_text(leaf->device_info, text, sizeof text);
    assert_string_equal(text, "ACME:WIDGET:1234567890");
    (void)spdm_x509_plain_text(leaf->pci_info, text, sizeof text);
    assert_string_equal(text, "Vendor=1b36:Device=0010:CC=010802:REV=02:SSVID=1af4:SSID=1100");
    static const char odd[] = "a\x1b\xc3\xa9\xc3\xff\xe2\x80\xae\xf0\x9f\x98\x80\xed\xa0\x80\xc0\x80z";
    (void)spdm_x509_plain_text((struct spdm_span){(const uint8_t *)odd, sizeof odd - 1}, text, sizeof text);
    assert_string_equal(text, "a?\xc3\xa9\x3f\x3f\x3f\x3f\x3f\xf0\x9f\x98\x80\x3f\x3f\x3f\x3f\x3fz");
    assert_int_equal(spdm_x509_plain_text((struct spdm_span){0}, NULL, 0), 0);
    (void)spdm_x509_has_text(&t->judgement->certificate[0], text, sizeof text);
    assert_string_equal(text, "CA, keyCertSign, cRLSign");
    assert_string_equal(leaf->key_name, "EC P-256");
    assert_string_equal(spdm_finding_name(SPDM_FOUND_ROOT_HASH), "ROOT_HASH");
    assert_string_equal(spdm_finding_name(255), "unknown");
    end(t);
}

static void a_sentence_with_everything(void **state)
{
    struct trial *t = *state;
    char text[300];

    begin(t);
    leaf_expired(t);
    other_curve(t);
    unknown_critical(t);
    build(t);
    decide(t);
    (void)spdm_finding_text(t->judgement, find(t->judgement, SPDM_FOUND_EXPIRED, 3), text, sizeof text);
    assert_string_equal(text, "certificate 3 of 3 was valid until 2026-11-22T23:59:59Z (R-CRT-06)");
    (void)spdm_finding_text(t->judgement, find(t->judgement, SPDM_FOUND_KEY_MISMATCH, 3), text, sizeof text);
    assert_string_equal(text, "certificate 3 of 3: the public key is EC P-256, ECDSA_P384 was negotiated (R-CRT-07)");
    (void)spdm_finding_text(t->judgement, find(t->judgement, SPDM_FOUND_CRITICAL, 3), text, sizeof text);
    assert_string_equal(text, "certificate 3 of 3: extension 1.2.3.4 is critical and not understood (RFC 5280)");
    end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect_has_its_finding),
        cmocka_unit_test(a_hash_that_is_none),
        cmocka_unit_test(every_version_hash_and_model),
        cmocka_unit_test(every_key_of_a_leaf),
        cmocka_unit_test(chains_of_the_reference_stack),
        cmocka_unit_test(no_other_chain_is_trusted),
        cmocka_unit_test(der_that_is_none),
        cmocka_unit_test(everything_is_done_once),
        cmocka_unit_test(anchors_from_files),
        cmocka_unit_test(known_devices),
        cmocka_unit_test(refused_chains_are_not_remembered),
        cmocka_unit_test(the_memory_is_bounded),
        cmocka_unit_test(known_devices_in_files),
        cmocka_unit_test(answering_an_engine),
        cmocka_unit_test(which_model_a_slot_has),
        cmocka_unit_test(judgements_are_held),
        cmocka_unit_test(texts_for_people),
        cmocka_unit_test(a_sentence_with_everything),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
