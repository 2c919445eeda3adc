/* SPDX-License-Identifier: BSD-3-Clause
 *
 * test_decode_mutations.c - one byte of a recorded conversation is changed, each in its turn: who looks on has to
 * notice.
 *
 * What comes of it stands in NAME.mutations beside the capture, a line for each field of each message: named at that
 * field, noticed at another place or by a later message, or harmless. A change that nobody notices is allowed where
 * this file says why it does no harm, and nowhere else. MUTATIONS=write writes the tables anew. */
#include "decode_flow.h"
#include <assay/report.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a conversation ---- */

enum { FRAMES = 128, FIELDS = 200, NAME = 64, LINE = 300, ROWS = 4000 };

struct frame {
    struct spdm_captured c;
    uint8_t *bytes;
    size_t head; /* bytes of the binding in front of the message */
    bool plain;
    char name[NAME];
    struct spdm_field field[FIELDS];
    size_t field_n;
    uint64_t number; /* of its message */
};

static struct frame frames[FRAMES];
static size_t frame_n;
static struct decode_secrets secrets;
static struct spdm_openssl *ossl;
static struct spdm_judge *judge;

/* What the first message that was wrong said. */
struct outcome {
    enum decode_rank worst;
    uint64_t number;
    char name[NAME], field[NAME], why[200];
};

static struct outcome outcome;
static size_t at;      /* the frame that is being pushed */
static bool recording; /* the names and fields of the conversation as it is */

/* In words without numbers. */
static void remember(const struct decode_message *m)
{
    const struct spdm_report *r = &m->sight->report;
    const char *text = m->report.n != 0 ? decode_text(&m->report) : decode_text(&m->note);
    outcome.number = m->number;
    snprintf(outcome.name, NAME, "%s", decode_name(m));
    snprintf(outcome.field, NAME, "%s", m->at_field != NULL ? m->at_field->name : "");
    if (r->why == SPDM_WHY_FINE) {
        while (*text >= '0' && *text <= '9') text++;
        snprintf(outcome.why, sizeof outcome.why, "%s", text + (*text == ' '));
    } else {
        snprintf(outcome.why, sizeof outcome.why, "%s%s%s", spdm_why_name(r->why), r->field != NULL ? " " : "",
                 r->field != NULL ? r->field : "");
    }
}

static void on_message(void *ctx, struct decode_message *m)
{
    struct frame *f = &frames[at];
    (void)ctx;
    if (recording && f->number == 0) {
        f->number = m->number;
        snprintf(f->name, NAME, "%s", decode_name(m));
        f->plain = m->sight->kind == SPDM_SIGHT_MESSAGE && m->sight->session == 0;
        for (size_t i = 0; i < m->fields->n && i < FIELDS; i++) f->field[f->field_n++] = m->fields->v[i];
    }
    if (m->rank > outcome.worst) {
        bool first = outcome.worst < DECODE_DAMAGE;
        outcome.worst = m->rank;
        if (m->rank >= DECODE_DAMAGE && first) remember(m);
    }
}

static void decode_all(void)
{
    struct decode_world world = {
        .crypto = spdm_openssl_crypto(), .crypto_ctx = ossl, .secrets = secrets, .show = on_message};
    struct decode_flows flows = {.world = &world};
    world.court.ossl = ossl;
    world.court.judge = judge;
    world.policy = (struct spdm_policy){.versions = {SPDM_V14, SPDM_V13, SPDM_V12, SPDM_V11, SPDM_V10},
                                        .legacy_byte_order = SPDM_EITHER_ENDIAN};
    memset(&outcome, 0, sizeof outcome);
    for (at = 0; at < frame_n; at++) decode_flows_take(&flows, &frames[at].c);
    decode_flows_clear(&flows);
    world.secrets = (struct decode_secrets){.v = NULL}; /* they are ours */
    decode_world_clear(&world);
}

static void load(const char *name, size_t most)
{
    char path[200], error[SPDM_CAPTURE_ERROR], why[DECODE_SECRETS_ERROR];
    struct spdm_capture *c;
    struct spdm_captured got;
    snprintf(path, sizeof path, "tests/data/captures/%s.secrets", name);
    assert_true(decode_secrets_read(&secrets, path, why));
    snprintf(path, sizeof path, "tests/data/captures/%s.pcap", name);
    c = spdm_capture_open(path, error);
    assert_non_null(c);
    for (frame_n = 0; frame_n < most && spdm_capture_next(c, &got, error) == 1; frame_n++) {
        struct frame *f = &frames[frame_n];
        *f = (struct frame){.c = got, .bytes = malloc(got.frame.n)};
        memcpy(f->bytes, got.frame.p, got.frame.n);
        f->c.frame.p = f->bytes;
        f->c.a = f->c.b = NULL;
        f->head = (size_t)(got.binding->unwrap(got.frame).message.p - got.frame.p);
    }
    spdm_capture_close(c);
    recording = true;
    decode_all();
    recording = false;
    assert_true(outcome.worst <= DECODE_NOTE);
}

static void unload(void)
{
    while (frame_n > 0) free(frames[--frame_n].bytes);
    decode_secrets_clear(&secrets);
}

/* ---- what becomes of a byte ---- */

static const char *place_of(const struct frame *f, size_t byte)
{
    size_t in = byte - f->head;
    if (byte < f->head) return "(binding)";
    if (!f->plain) return in < 4 ? "(session)" : in < 8 ? "(record head)" : "(sealed)";
    for (size_t i = 0; i < f->field_n; i++)
        if (in >= f->field[i].at && in < f->field[i].at + f->field[i].n) return f->field[i].name;
    return "(reserved)";
}

/* What nobody notices, and why that is right: in which frames, of which message, at which place. */
struct harmless {
    size_t first, last;
    const char *name, *place, *reason;
};

static const struct harmless pre_shared_harmless[] = {
    {0, FRAMES, "HEARTBEAT_ACK", "(binding)",
     "a message of another protocol; new keys begin behind it, so nobody misses the record"},
    {0, FRAMES, "END_SESSION_ACK", "(binding)", "a message of another protocol; any capture may end before its end"},
    {0}};

static const struct harmless certificates_harmless[] = {
    {15, 38, "GET_ENCAPSULATED_REQUEST", "(reserved)", "is ignored; no transcript has envelopes (R-ENC-18)"},
    {15, 38, "ENCAPSULATED_REQUEST", "(reserved)", "the same"},
    {15, 38, "DELIVER_ENCAPSULATED_RESPONSE", "(reserved)", "the same"},
    {15, 38, "ENCAPSULATED_RESPONSE_ACK", "(reserved)", "the same"},
    {22, 22, "ENCAPSULATED_RESPONSE_ACK", "RequestID", "no request follows that would have it (R-ENC-05)"},
    {38, 38, "ENCAPSULATED_RESPONSE_ACK", "RequestID", "the same"},
    {34, 34, "ENCAPSULATED_REQUEST", "EncapsulatedMessage", "reserved, of GET_DIGESTS: TH has DIGESTS only (R-ORD-08)"},
    {36, 36, "ENCAPSULATED_RESPONSE_ACK", "EncapsulatedRequest", "a longer portion than there is may be asked for"},
    {23, 28, "GET_DIGESTS", "(reserved)", "is ignored; no CHALLENGE follows that would cover it"},
    {23, 28, "DIGESTS", "SupportedSlotMask", "a slot that nobody uses; no CHALLENGE follows that would cover it"},
    {23, 28, "DIGESTS", "KeyPairID", "TH has the first DIGESTS only (R-ORD-06), and no CHALLENGE follows"},
    {23, 28, "DIGESTS", "CertificateInfo", "the same"},
    {23, 28, "DIGESTS", "KeyUsageMask", "the same"},
    {23, 28, "DIGESTS", "Digest", "of a slot that is not read again; DIGESTS that follows has it right"},
    {25, 25, "GET_CERTIFICATE", "Param2", "reserved bits; no CHALLENGE follows"},
    {25, 25, "GET_CERTIFICATE", "Offset", "is ignored, LargeOffset counts"},
    {25, 25, "GET_CERTIFICATE", "Length", "is ignored, LargeLength counts"},
    {25, 25, "GET_CERTIFICATE", "LargeLength", "any length of a chain's size or more may be asked for"},
    {26, 26, "CERTIFICATE", "CertModel", "reserved bits; no CHALLENGE follows"},
    {26, 26, "CERTIFICATE", "PortionLength", "is ignored, LargePortionLength counts"},
    {26, 26, "CERTIFICATE", "RemainderLength", "is ignored, LargeRemainderLength counts"},
    {50, 50, "END_SESSION_ACK", "(binding)", "a message of another protocol; any capture may end before its end"},
    {0}};

static const struct harmless *harmless;

static bool may_pass(size_t number, const char *name, const char *place)
{
    for (const struct harmless *h = harmless; h->name != NULL; h++)
        if (number >= h->first && number <= h->last && strcmp(h->name, name) == 0 && strcmp(h->place, place) == 0)
            return true;
    return false;
}

static void describe(const struct frame *f, const char *place, char out[LINE])
{
    if (outcome.worst < DECODE_DAMAGE) snprintf(out, LINE, "harmless");
    else if (outcome.number != f->number) snprintf(out, LINE, "later: %s: %s", outcome.name, outcome.why);
    else if (strcmp(outcome.field, place) == 0) snprintf(out, LINE, "named: %s", outcome.why);
    else snprintf(out, LINE, "here: %s", outcome.why);
}

/* ---- the table ---- */

struct row {
    size_t frame;
    const char *place;
    char text[LINE];
    unsigned n;
};

static struct row rows[ROWS];
static size_t row_n;

static void enter(size_t frame, const char *place, const char *text)
{
    size_t i = 0;
    while (i < row_n &&
           (rows[i].frame != frame || strcmp(rows[i].place, place) != 0 || strcmp(rows[i].text, text) != 0))
        i++;
    if (i == row_n) {
        assert_true(row_n < ROWS);
        rows[row_n++] = (struct row){.frame = frame, .place = place};
        snprintf(rows[i].text, LINE, "%s", text);
    }
    rows[i].n++;
}

static unsigned unnoticed;

static void change(size_t i, size_t byte)
{
    static const uint8_t changes[] = {0x01, 0x80};
    struct frame *f = &frames[i];
    const char *place = place_of(f, byte);
    for (size_t k = 0; k < sizeof changes; k++) {
        char text[LINE];
        f->bytes[byte] ^= changes[k];
        decode_all();
        f->bytes[byte] ^= changes[k];
        describe(f, place, text);
        enter(i, place, text);
        if (outcome.worst >= DECODE_DAMAGE || may_pass(i + 1, f->name, place)) continue;
        print_error("nobody notices byte %zu of message %zu, %s, in %s, changed by 0x%02x\n", byte, i + 1, f->name,
                    place, changes[k]);
        unnoticed++;
    }
}

static void change_all(size_t stride)
{
    row_n = 0;
    for (size_t i = 0; i < frame_n; i++) {
        size_t since = 0;
        for (size_t byte = 0; byte < frames[i].c.frame.n; byte++) {
            const char *place = place_of(&frames[i], byte);
            bool inside = byte > 0 && byte + 1 < frames[i].c.frame.n && place_of(&frames[i], byte - 1) == place &&
                          place_of(&frames[i], byte + 1) == place;
            if (inside && ++since < stride) continue;
            since = 0;
            change(i, byte);
        }
    }
}

/* Held against the table that was written before. */
static void compare(const char *name)
{
    const char *wish = getenv("MUTATIONS");
    bool write = wish != NULL && strcmp(wish, "write") == 0;
    char path[200], line[LINE + 2 * NAME], want[LINE + 2 * NAME];
    FILE *file;
    snprintf(path, sizeof path, "tests/data/captures/%s.mutations", name);
    file = fopen(path, write ? "w" : "r");
    assert_non_null(file);
    for (size_t i = 0; i < row_n; i++) {
        const struct row *r = &rows[i];
        snprintf(line, sizeof line, "%3zu %-28s %-28s %4u %s\n", r->frame + 1, frames[r->frame].name, r->place, r->n,
                 r->text);
        if (write) fputs(line, file);
        else if (fgets(want, sizeof want, file) == NULL) fail_msg("one too many: %s", line);
        else assert_string_equal(line, want);
    }
    if (!write) assert_null(fgets(want, sizeof want, file));
    assert_int_equal(fclose(file), 0);
}

static void look_at(const char *name, size_t most, size_t stride, const struct harmless *table)
{
    harmless = table;
    load(name, most);
    change_all(stride);
    assert_int_equal(unnoticed, 0);
    compare(name);
    unload();
}

static void pre_shared_key(void **state)
{
    (void)state;
    look_at("psk-only-with-context", FRAMES, 1, pre_shared_harmless);
}

/* Certificates, signatures of both ends, envelopes, a session and its end; long fields at a stride. */
static void certificates(void **state)
{
    (void)state;
    look_at("alg-p256-sha256-aes128", 50, 97, certificates_harmless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pre_shared_key), cmocka_unit_test(certificates)};
    char cause[SPDM_CAUSE_MAX];
    int failed;
    ossl = spdm_openssl_open(NULL, cause);
    judge = ossl != NULL ? spdm_judge_open(ossl) : NULL;
    if (judge == NULL) return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    spdm_judge_close(judge);
    spdm_openssl_close(ossl);
    return failed;
}
