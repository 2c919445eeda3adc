/* SPDX-License-Identifier: BSD-3-Clause
 *
 * vendor.c - `spdm vendor`: requests that vendors and standards bodies define, and what a device answers. */
#include "measure.h"
#include "options.h"
#include "text.h"
#include "vendor_id.h"
#include "visit.h"
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "assay-vendor/1"
enum { DATA_MAX = 16 << 20, SHORT_MAX = 0xffff, HEAD_MAX = 300 };

struct options {
    struct spdm_peer_options peer;
    bool session, json;
    const char *out;
};

#define AT(field) offsetof(struct options, field)

static const struct spdm_option options[] = {
    SPDM_OPTION_PART(spdm_peer_trust_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_negotiate_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_slot_options, AT(peer)),
    SPDM_OPTION_GROUP("The session"),
    {.name = "session",
     .letter = 's',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(session),
     .help = "attest the device, and ask in a session with it"},
    SPDM_OPTION_PART(spdm_peer_session_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_time_options, AT(peer)),
    SPDM_OPTION_GROUP("What to write"),
    {.name = "json", .letter = 'j', .kind = SPDM_OPTION_FLAG, .at = AT(json), .help = "as a JSON object"},
    {.name = "out",
     .letter = 'o',
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(out),
     .value = "FILE",
     .help = "the bytes of the answers, one behind the other, to a file (- for standard output) instead of hex"},
    SPDM_OPTION_PART(spdm_peer_record_options, AT(peer)),
    SPDM_OPTION_PART(spdm_peer_keylog_options, AT(peer)),
    {.name = NULL},
};

static int vendor_main(int argc, char **argv);

const struct spdm_command spdm_vendor_command = {
    .name = "vendor",
    .summary = "send a device a vendor's own requests",
    .operands = "TARGET BODY[:VENDOR] [DATA...]",
    .about =
        "Sends a device requests that a vendor or a standards body has defined (VENDOR_DEFINED_REQUEST), one for each "
        "DATA, and prints what it answers. BODY is the standards body (DMTF, TCG, USB-IF, PCI-SIG, IANA, HDBaseT, "
        "MIPI, CXL, JEDEC, VESA, IANA-CBOR, DMTF-DSP, or its number) and VENDOR the id that it gave the vendor, in "
        "hex in the order in which it is sent. DATA is hex, or @FILE for the bytes of a file; without any an empty "
        "request is sent.",
    .more = "Exit code: 0 every request was answered, 1 --session and the device is not trusted, 2 wrong usage, 3 "
            "unreachable or timed out, 4 the device refused, or broke the protocol.\n"
            "\n"
            "Examples:\n"
            "  spdm vendor tcp://10.0.0.5 PCI-SIG:8680 0102\n"
            "  spdm vendor --session --trust root.pem tcp://10.0.0.5 IANA:0000019c @request.bin --out answer.bin",
    .operand_min = 2,
    .operand_max = UINT_MAX,
    .operand_complete = SPDM_COMPLETE_TARGET,
    .options = options,
    .main = vendor_main,
};

struct job {
    const struct options *o;
    struct spdm_setup setup;
    struct spdm_target target;
    struct spdm_vendor_id vendor;
    struct spdm_room *request; /* of n */
    size_t n;
    FILE *out; /* --out, or NULL */
    struct spdm_visit *visit;
    struct spdm_room answer; /* the last */
    json_t *answers;
    char error[600];
    bool unwritten;
    int exit;
};

/* ---- before anything is sent ---- */

static bool read_requests(struct job *j, const struct spdm_texts *data)
{
    char error[SPDM_REASON_MAX];
    j->n = data->n > 0 ? data->n : 1;
    j->request = spdm_text_need(calloc(j->n, sizeof *j->request));
    for (size_t i = 0; i < data->n; i++) {
        if (spdm_vendor_data_read(data->v[i], DATA_MAX, &j->request[i], error, sizeof error)) continue;
        spdm_setup_complain(&j->setup, "%s", error);
        return false;
    }
    return true;
}

static size_t longest(const struct job *j)
{
    size_t most = 0;
    for (size_t i = 0; i < j->n; i++)
        if (j->request[i].n > most) most = j->request[i].n;
    return most;
}

static bool open_out(struct job *j)
{
    const char *path = j->o->out;
    if (path == NULL) return true;
    j->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (j->out == NULL) spdm_setup_complain(&j->setup, "--out %s: %s", path, strerror(errno));
    return j->out != NULL;
}

static bool prepare(struct job *j, const struct spdm_texts *words)
{
    const struct spdm_texts data = {words->v + 2, words->n - 2};
    char error[SPDM_REASON_MAX];
    if (!spdm_target_parse(words->v[0], false, &j->target, error) ||
        !spdm_vendor_id_parse(words->v[1], &j->vendor, error, sizeof error)) {
        spdm_setup_complain(&j->setup, "%s", error);
        return false;
    }
    if (!read_requests(j, &data) || !spdm_setup_open(&j->setup)) return false;
    if (longest(j) > SHORT_MAX) j->setup.policy.policy.flags |= SPDM_LARGE_RESP_CAP; /* the large form of 1.4 */
    return open_out(j) && spdm_setup_record(&j->setup, j->target.binding);
}

/* ---- asking ---- */

static void on_answer(void *ctx, const struct spdm_event *event)
{
    struct job *j = ctx;
    if (event->kind != SPDM_VENDOR) return;
    j->answer.p = spdm_text_need(realloc(j->answer.p, event->data.n + 1));
    if (event->data.n != 0) memcpy(j->answer.p, event->data.p, event->data.n);
    j->answer.n = event->data.n;
}

static bool fail(struct job *j, const struct spdm_visited *v)
{
    j->exit = v->exit == SPDM_EXIT_OK ? SPDM_EXIT_PROTOCOL : v->exit;
    snprintf(j->error, sizeof j->error, "%s", v->why);
    spdm_setup_complain(&j->setup, "%s: %s", j->target.text, v->why);
    return false;
}

/* An answer as it comes, so that what came before a refusal is not lost. */
static void tell(struct job *j)
{
    const struct spdm_span bytes = {j->answer.p, j->answer.n};
    char *hex = spdm_text_hex(bytes, 0), *text = spdm_text_readable(bytes) ? spdm_text_safe(bytes) : NULL;
    json_t *one = spdm_text_need(json_object());
    json_object_set_new(one, "data", json_string(hex));
    json_object_set_new(one, "text", text != NULL ? json_string(text) : json_null());
    if (json_array_append_new(j->answers, one) != 0) spdm_text_need(NULL);
    if (j->out != NULL) j->unwritten |= fwrite(bytes.p, 1, bytes.n, j->out) != bytes.n || fflush(j->out) != 0;
    else if (!j->o->json && bytes.n == 0) puts("(empty)");
    else if (!j->o->json && text != NULL) printf("%s  \"%s\"\n", hex, text);
    else if (!j->o->json) puts(hex);
    j->unwritten |= fflush(stdout) != 0;
    free(hex);
    free(text);
}

/* What of a request the device cannot take; NULL: nothing. */
static const char *lacking(const struct job *j, const struct spdm_room *request)
{
    const struct spdm_facts *f = spdm_visit_facts(j->visit);
    if (request->n <= SHORT_MAX || (f->responder.flags & SPDM_LARGE_RESP_CAP) != 0) return NULL;
    return "the device takes no requests of more than 65535 bytes (LARGE_RESP_CAP, from SPDM 1.4 on)";
}

static bool ask(struct job *j)
{
    struct spdm_visited v;
    const struct spdm_visit_order order = {
        .setup = &j->setup, .target = &j->target, .out_max = longest(j) + HEAD_MAX, .see = on_answer, .ctx = j};
    j->visit = spdm_visit_open(&order, &v);
    if (v.reached && j->setup.session) spdm_visit_attest(j->visit, &v);
    for (size_t i = 0; v.reached && i < j->n; i++) {
        const struct spdm_goal goal = {.want = SPDM_WANT_VENDOR,
                                       .standard = j->vendor.body,
                                       .vendor = {j->vendor.id, j->vendor.n},
                                       .payload = {j->request[i].p, j->request[i].n}};
        const char *lacks = lacking(j, &j->request[i]);
        if (lacks == NULL) spdm_visit_ask(j->visit, &goal, &v);
        else v = (struct spdm_visited){.exit = SPDM_EXIT_PROTOCOL};
        if (lacks != NULL) snprintf(v.why, sizeof v.why, "%s", lacks);
        if (v.reached) tell(j);
    }
    return v.reached || fail(j, &v);
}

/* ---- the whole ---- */

static void print_json(struct job *j)
{
    char *id = spdm_text_hex((struct spdm_span){j->vendor.id, j->vendor.n}, 0);
    json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:O, s:s?, s:i}", "format", FORMAT, "target", j->target.text, "body",
                            spdm_value_body_name(j->vendor.body), "vendor", id, "answers", j->answers, "error",
                            j->error[0] != '\0' ? j->error : NULL, "exit_code", j->exit);
    j->unwritten |= json_dumpf(spdm_text_need(out), stdout, JSON_INDENT(2)) != 0 || fputc('\n', stdout) == EOF;
    j->unwritten |= fflush(stdout) != 0;
    json_decref(out);
    free(id);
}

static void finish(struct job *j)
{
    if (j->visit != NULL) spdm_visit_close(j->visit);
    if (j->out != NULL && j->out != stdout) j->unwritten |= fclose(j->out) != 0;
    if (j->unwritten) {
        spdm_setup_complain(&j->setup, "cannot write the output");
        j->exit = SPDM_EXIT_USAGE;
    }
    for (size_t i = 0; i < j->n; i++) free(j->request[i].p);
    free(j->request);
    free(j->answer.p);
    json_decref(j->answers);
    if (!spdm_setup_close(&j->setup)) j->exit = SPDM_EXIT_USAGE;
}

static int vendor_main(int argc, char **argv)
{
    struct options o = {.peer = SPDM_PEER_DEFAULTS};
    struct spdm_texts words = {NULL, 0};
    int rc = spdm_options_parse(&spdm_vendor_command, argc, argv, &o, &words);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = spdm_peer_contradiction(&o.peer, o.session);
    if (wrong == NULL && o.json && o.out != NULL && strcmp(o.out, "-") == 0)
        wrong = "--out - and --json both write to standard output";
    if (wrong != NULL) return spdm_options_error(&spdm_vendor_command, "%s", wrong);
    struct job j = {.o = &o, .answers = spdm_text_need(json_array())};
    j.setup = (struct spdm_setup){.command = "vendor", .options = &o.peer, .session = o.session};
    signal(SIGPIPE, SIG_IGN);
    if (!prepare(&j, &words)) {
        j.exit = SPDM_EXIT_USAGE;
    } else {
        (void)ask(&j);
        if (o.json) print_json(&j);
    }
    finish(&j);
    return j.exit;
}
