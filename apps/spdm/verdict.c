/* SPDX-License-Identifier: BSD-3-Clause
 *
 * verdict.c - the one place that says trusted.
 *
 * The default of everything is refusal: a state nobody thought of ends as not
 * trusted. The reason is that of the first check that did not pass, in the
 * order in which the checks build on each other. */
#include "verdict.h"
#include "options.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

static void set(struct spdm_attestation *a, enum spdm_check_id id, enum spdm_check_state state, char *detail)
{
    struct spdm_check *check = &a->verdict.checks[id];
    free(check->detail);
    check->state = state;
    check->detail = detail;
}

static char *words(const char *s)
{
    return spdm_text_format("%s", s);
}

/* ---- the checks ---- */

static char *report_words(const struct spdm_report *report)
{
    char text[400];
    spdm_report_text(report, text, sizeof text);
    return spdm_text_safe_string(text);
}

static void check_connection(struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    if (r->connected) set(a, SPDM_CHECK_CONNECTION, SPDM_CHECK_PASSED, NULL);
    else if (r->end == SPDM_ATTEST_FAILED) set(a, SPDM_CHECK_CONNECTION, SPDM_CHECK_FAILED, report_words(&r->report));
    else set(a, SPDM_CHECK_CONNECTION, SPDM_CHECK_FAILED, spdm_text_safe_string(r->reason));
}

/* There was a session, and everything that was wanted in it has been done. */
static bool opened(const struct spdm_attest_result *r)
{
    return r->end == SPDM_ATTEST_DONE && r->session.opened;
}

static void check_session(struct spdm_attestation *a)
{
    const struct spdm_attest_session *s = &a->result->session;
    if (s->mode == SPDM_NO_SESSION) set(a, SPDM_CHECK_SESSION, SPDM_CHECK_NOT_DONE, words("not asked for"));
    else if (s->lacking != NULL) set(a, SPDM_CHECK_SESSION, SPDM_CHECK_FAILED, words(s->lacking));
    else if (s->opened)
        set(a, SPDM_CHECK_SESSION, SPDM_CHECK_PASSED,
            words(s->facts.psk ? "opened with the pre-shared key" : "opened with a key exchange"));
    else set(a, SPDM_CHECK_SESSION, SPDM_CHECK_NOT_DONE, words("it was not opened"));
}

static void check_chain(struct spdm_attestation *a)
{
    const struct spdm_subject *d = a->device;
    const struct spdm_attest_result *r = a->result;
    bool used = r->source != SPDM_CHAIN_NONE && r->connected && (r->end != SPDM_ATTEST_DONE || r->facts.trusted);
    char *reason = d->reason_n != 0 ? spdm_text_safe_string(d->reasons[0]) : NULL;
    if (r->source == SPDM_CHAIN_KEY && used) {
        set(a, SPDM_CHECK_CHAIN, SPDM_CHECK_PASSED, words("the key is the provisioned one"));
        set(a, SPDM_CHECK_VALIDITY, SPDM_CHECK_NOT_DONE, words("a provisioned key has no certificate"));
    } else if (r->source == SPDM_CHAIN_PSK && opened(r)) {
        set(a, SPDM_CHECK_CHAIN, SPDM_CHECK_PASSED, words("the key is the pre-shared one"));
        set(a, SPDM_CHECK_VALIDITY, SPDM_CHECK_NOT_DONE, words("a pre-shared key has no certificate"));
    } else if (!d->judged) {
        bool none = r->source != SPDM_CHAIN_PSK && r->planned && r->session.lacking == NULL &&
                    (r->goal.want & SPDM_WANT_IDENTITY) == 0;
        set(a, SPDM_CHECK_CHAIN, SPDM_CHECK_NOT_DONE,
            none ? words("the device offers no certificates") : words("no chain was received"));
    } else if (d->trusted && used) {
        char *anchor = spdm_text_safe_string(d->anchor);
        set(a, SPDM_CHECK_CHAIN, SPDM_CHECK_PASSED, d->anchor != NULL ? spdm_text_format("leads to %s", anchor) : NULL);
        free(anchor);
    } else {
        set(a, SPDM_CHECK_CHAIN, SPDM_CHECK_FAILED, reason != NULL ? words(reason) : words("the chain was refused"));
    }
    if (d->judged && d->trusted)
        set(a, SPDM_CHECK_VALIDITY, d->time_checked ? SPDM_CHECK_PASSED : SPDM_CHECK_NOT_DONE,
            d->time_checked ? NULL : words("switched off"));
    free(reason);
}

/* Whoever answered does not have the key. */
static bool proves_another(enum spdm_why why)
{
    return why == SPDM_WHY_BAD_SIGNATURE || why == SPDM_WHY_BAD_VERIFY_DATA;
}

static void check_possession(struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    bool done = r->end == SPDM_ATTEST_DONE && r->connected && r->planned;
    bool challenged = (r->goal.want & SPDM_WANT_CHALLENGE) != 0;
    if (done && challenged && r->facts.authentic) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_PASSED, words("CHALLENGE_AUTH is signed by the device's key"));
    } else if (done && r->goal.sign && r->facts.measured_signed) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_PASSED, words("MEASUREMENTS is signed by the device's key"));
    } else if (opened(r) && r->session.mode == SPDM_KEY_SESSION) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_PASSED, words("KEY_EXCHANGE_RSP is signed by the device's key"));
    } else if (opened(r) && r->source == SPDM_CHAIN_PSK) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_PASSED, words("PSK_EXCHANGE_RSP is made with the pre-shared key"));
    } else if (r->end == SPDM_ATTEST_FAILED && proves_another(r->report.why)) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_FAILED, report_words(&r->report));
    } else if (r->planned && !challenged && !r->goal.sign && r->session.mode == SPDM_NO_SESSION) {
        set(a, SPDM_CHECK_POSSESSION, SPDM_CHECK_NOT_DONE, words("nothing was asked for that the device could sign"));
    }
}

static bool all_proven(const struct spdm_attest_result *r)
{
    for (size_t i = 0; i < r->measured_n; i++)
        if (!r->measured[i].proven) return false;
    return r->measured_n != 0;
}

static void check_measurements(struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    const char *why = NULL;
    bool asked = r->planned && (r->goal.want & SPDM_WANT_MEASUREMENTS) != 0;
    if (r->planned && !asked)
        why = (r->facts.responder.flags & SPDM_MEAS_CAP_MASK) == 0 ? "the device offers none" : "not asked for";
    else if (asked && r->goal.measure == SPDM_MEASURE_COUNT) why = "only their number was asked for";
    else if (asked && !r->goal.sign && r->end == SPDM_ATTEST_DONE)
        why = "unsigned: anybody on the way could have made them up";
    if (r->end == SPDM_ATTEST_DONE && asked && r->goal.sign && r->facts.measured_signed && all_proven(r))
        set(a, SPDM_CHECK_MEASUREMENTS, SPDM_CHECK_PASSED, NULL);
    else if (asked && opened(r) && !r->goal.sign && r->goal.measure != SPDM_MEASURE_COUNT && all_proven(r))
        set(a, SPDM_CHECK_MEASUREMENTS, SPDM_CHECK_PASSED, words("unsigned, but read in the session with the device"));
    else if (r->end == SPDM_ATTEST_DONE && asked && r->goal.sign)
        set(a, SPDM_CHECK_MEASUREMENTS, SPDM_CHECK_FAILED, words("not all of them are covered by the signature"));
    else set(a, SPDM_CHECK_MEASUREMENTS, SPDM_CHECK_NOT_DONE, why == NULL ? NULL : words(why));
}

static void check_summary(struct spdm_attestation *a)
{
    static const char *const details[] = {
        [SPDM_SUMMARY_NONE] = "not asked for",
        [SPDM_SUMMARY_SAME] = "it is the hash of the measurements",
        [SPDM_SUMMARY_OTHER] =
            "it is not the hash of the measurements read afterwards; they may have changed in between",
        [SPDM_SUMMARY_INCOMPARABLE] = "received, but there is nothing it could be compared with",
    };
    set(a, SPDM_CHECK_SUMMARY, a->summary == SPDM_SUMMARY_SAME ? SPDM_CHECK_PASSED : SPDM_CHECK_NOT_DONE,
        words(details[a->summary]));
}

/* " 2 different (3, 7)" is appended to text if there are any; the first few indices are named. */
static void append_indices(const struct spdm_comparison *c, enum spdm_match match, unsigned n, char **text)
{
    static const char *const words[] = {
        [SPDM_MATCH_DIFFERENT] = "different", [SPDM_MATCH_MISSING] = "missing", [SPDM_MATCH_EXTRA] = "extra"};
    enum { NAMED = 8 };
    char list[80] = "";
    size_t at = 0;
    unsigned named = 0;
    for (unsigned index = 1; index < 255 && named < NAMED; index++)
        if (c->at[index].match == match)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%u", named++ == 0 ? "" : ", ", index);
    if (n == 0) return;
    char *longer = spdm_text_format("%s%s%u %s (%s%s)", *text, (*text)[0] == '\0' ? "" : ", ", n, words[match], list,
                                    n > NAMED ? ", ..." : "");
    free(*text);
    *text = longer;
}

static char *differences(const struct spdm_comparison *c)
{
    char *text = words("");
    append_indices(c, SPDM_MATCH_DIFFERENT, c->different, &text);
    append_indices(c, SPDM_MATCH_MISSING, c->missing, &text);
    append_indices(c, SPDM_MATCH_EXTRA, c->extra, &text);
    return text;
}

static void check_reference(struct spdm_attestation *a)
{
    const struct spdm_comparison *c = a->comparison;
    if (a->reference == NULL) {
        set(a, SPDM_CHECK_REFERENCE, SPDM_CHECK_NOT_DONE, words("no reference was given"));
    } else if (c == NULL || !c->done) {
        set(a, SPDM_CHECK_REFERENCE, SPDM_CHECK_NOT_DONE, words("no measurements to compare"));
    } else if (!spdm_comparison_good(c)) {
        set(a, SPDM_CHECK_REFERENCE, SPDM_CHECK_FAILED, differences(c));
    } else if (a->verdict.checks[SPDM_CHECK_MEASUREMENTS].state != SPDM_CHECK_PASSED) {
        set(a, SPDM_CHECK_REFERENCE, SPDM_CHECK_FAILED,
            words("they match, but nothing proves that they are the device's"));
    } else {
        set(a, SPDM_CHECK_REFERENCE, SPDM_CHECK_PASSED,
            c->left_out != 0 ? spdm_text_format("%u the same, %u not looked at", c->same, c->left_out)
                             : spdm_text_format("%u the same", c->same));
    }
}

/* ---- the verdict ---- */

/* What an engine's refusal says about the device. */
static enum spdm_verdict_kind kind_of(const struct spdm_report *report)
{
    switch (report->why) {
    case SPDM_WHY_BAD_SIGNATURE:
    case SPDM_WHY_BAD_VERIFY_DATA:
    case SPDM_WHY_BAD_DIGEST:
    case SPDM_WHY_BAD_CHAIN:
    case SPDM_WHY_NOT_TRUSTED:
    case SPDM_WHY_NO_SLOT:
    case SPDM_WHY_CANNOT: return SPDM_NOT_TRUSTED;
    case SPDM_WHY_TIMEOUT: return SPDM_UNREACHABLE;
    default: return SPDM_PROTOCOL_ERROR;
    }
}

/* A refused chain is told by what is wrong with it, not by the slots that are left. */
static char *failure_words(const struct spdm_attestation *a)
{
    const struct spdm_report *report = &a->result->report;
    const struct spdm_check *chain = &a->verdict.checks[SPDM_CHECK_CHAIN];
    bool refused = report->why == SPDM_WHY_NO_SLOT || report->why == SPDM_WHY_NOT_TRUSTED;
    if (refused && chain->state == SPDM_CHECK_FAILED && chain->detail != NULL)
        return spdm_text_format("%s: %s", spdm_check_title(SPDM_CHECK_CHAIN), chain->detail);
    return report_words(report);
}

static void refuse(struct spdm_attest_verdict *v, enum spdm_verdict_kind kind, char *reason)
{
    v->kind = kind;
    v->reason = reason;
}

/* The verdict on a conversation that went to its end. */
static void judge_checks(struct spdm_attestation *a)
{
    static const enum spdm_check_id needed[] = {SPDM_CHECK_CONNECTION, SPDM_CHECK_SESSION, SPDM_CHECK_CHAIN,
                                                SPDM_CHECK_POSSESSION};
    struct spdm_attest_verdict *v = &a->verdict;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const struct spdm_check *check = &v->checks[needed[i]];
        bool unasked = needed[i] == SPDM_CHECK_SESSION && a->result->session.mode == SPDM_NO_SESSION;
        if (check->state == SPDM_CHECK_PASSED || unasked) continue;
        refuse(v, SPDM_NOT_TRUSTED,
               spdm_text_format("%s: %s", spdm_check_title(needed[i]),
                                check->detail != NULL ? check->detail : spdm_check_state_name(check->state)));
        return;
    }
    for (size_t i = 0; i < SPDM_CHECK_N; i++) {
        const struct spdm_check *check = &v->checks[i];
        bool asked = i == SPDM_CHECK_REFERENCE && a->reference != NULL;
        if (check->state != SPDM_CHECK_FAILED && !(asked && check->state == SPDM_CHECK_NOT_DONE)) continue;
        refuse(v, SPDM_NOT_TRUSTED,
               spdm_text_format("%s: %s", spdm_check_title((enum spdm_check_id)i),
                                check->detail != NULL ? check->detail : "failed"));
        return;
    }
    v->kind = SPDM_TRUSTED;
}

void spdm_attestation_judge(struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    a->verdict = (struct spdm_attest_verdict){.kind = SPDM_NOT_TRUSTED};
    set(a, SPDM_CHECK_REVOCATION, SPDM_CHECK_NOT_DONE, words("SPDM does not carry it"));
    check_connection(a);
    check_session(a);
    check_chain(a);
    check_possession(a);
    check_measurements(a);
    check_summary(a);
    check_reference(a);
    if (r->end == SPDM_ATTEST_DONE) judge_checks(a);
    else if (r->end == SPDM_ATTEST_FAILED) refuse(&a->verdict, kind_of(&r->report), failure_words(a));
    else if (r->end == SPDM_ATTEST_LINK && r->link_end == SPDM_LINK_PROTOCOL)
        refuse(&a->verdict, SPDM_PROTOCOL_ERROR, spdm_text_safe_string(r->reason));
    else refuse(&a->verdict, SPDM_UNREACHABLE, spdm_text_safe_string(r->reason));
}

void spdm_verdict_clear(struct spdm_attest_verdict *verdict)
{
    for (size_t i = 0; i < SPDM_CHECK_N; i++) free(verdict->checks[i].detail);
    free(verdict->reason);
    *verdict = (struct spdm_attest_verdict){.kind = SPDM_NOT_TRUSTED};
}

int spdm_verdict_exit(enum spdm_verdict_kind kind)
{
    switch (kind) {
    case SPDM_TRUSTED: return SPDM_EXIT_OK;
    case SPDM_UNREACHABLE: return SPDM_EXIT_UNREACHABLE;
    case SPDM_PROTOCOL_ERROR: return SPDM_EXIT_PROTOCOL;
    default: return SPDM_EXIT_NOT_TRUSTED;
    }
}

int spdm_exit_worse(int a, int b)
{
    static const int order[] = {SPDM_EXIT_NOT_TRUSTED, SPDM_EXIT_PROTOCOL, SPDM_EXIT_UNREACHABLE};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i]) return order[i];
    return a > b ? a : b;
}

const char *spdm_verdict_name(enum spdm_verdict_kind kind)
{
    static const char *const names[] = {"trusted", "not trusted", "unreachable", "protocol error"};
    return names[kind];
}

const char *spdm_check_name(enum spdm_check_id id)
{
    static const char *const names[] = {"connection",   "chain",   "validity",  "revocation", "possession",
                                        "measurements", "summary", "reference", "session"};
    return names[id];
}

const char *spdm_check_title(enum spdm_check_id id)
{
    static const char *const titles[] = {"connection",          "certificate chain",      "validity period",
                                         "revocation",          "proof of possession",    "measurement signature",
                                         "measurement summary", "reference measurements", "session"};
    return titles[id];
}

const char *spdm_check_state_name(enum spdm_check_state state)
{
    static const char *const names[] = {"not done", "passed", "failed"};
    return names[state];
}
