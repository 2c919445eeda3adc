/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a report to a sentence. Freestanding like the rest, and linked only by
 * who prints. */
#include "wire/message.h"

#define NAME_ROW(name, error, harm, words) #name,
static const char *const why_names[SPDM_WHY_N] = {SPDM_WHYS(NAME_ROW)};
#undef NAME_ROW
#define WORDS_ROW(name, error, harm, words) words,
static const char *const why_words[SPDM_WHY_N] = {SPDM_WHYS(WORDS_ROW)};
#undef WORDS_ROW

const char *spdm_why_name(uint8_t why)
{
    return why < SPDM_WHY_N ? why_names[why] : "UNKNOWN";
}

#ifdef SPDM_NO_NAMES
const char *spdm_message_name(uint8_t code)
{
    (void)code;
    return "unknown";
}
#else
const char *spdm_message_name(uint8_t code)
{
    const struct spdm_message *row = spdm_message_find(code);

    return row != NULL ? row->name : "unknown";
}
#endif

const char *spdm_error_name(uint8_t error)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = {{0x01, "InvalidRequest"},       {0x02, "InvalidSession"},    {0x03, "Busy"},
                 {0x04, "UnexpectedRequest"},    {0x05, "Unspecified"},       {0x06, "DecryptError"},
                 {0x07, "UnsupportedRequest"},   {0x08, "RequestInFlight"},   {0x09, "InvalidResponseCode"},
                 {0x0a, "SessionLimitExceeded"}, {0x0b, "SessionRequired"},   {0x0c, "ResetRequired"},
                 {0x0d, "ResponseTooLarge"},     {0x0e, "RequestTooLarge"},   {0x0f, "LargeResponse"},
                 {0x10, "MessageLost"},          {0x11, "InvalidPolicy"},     {0x12, "DataTooLarge"},
                 {0x41, "VersionMismatch"},      {0x42, "ResponseNotReady"},  {0x43, "RequestResynch"},
                 {0x44, "OperationFailed"},      {0x45, "NoPendingRequests"}, {0x46, "RequestSessionTerminated"},
                 {0x47, "InvalidState"},         {0xff, "VendorDefined"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].code == error) return names[i].name;
    }
    return "reserved";
}

const char *spdm_measurement_type_name(uint8_t type)
{
    static const char *const names[] = {"immutable ROM",
                                        "mutable firmware",
                                        "hardware configuration",
                                        "firmware configuration",
                                        "measurement manifest",
                                        "device mode",
                                        "firmware version",
                                        "firmware security version",
                                        "hash-extended measurement",
                                        "informational",
                                        "structured measurement manifest"};

    return type < sizeof names / sizeof *names ? names[type] : "reserved";
}

const char *spdm_library_version(void)
{
    return "assay " ASSAY_VERSION ", DSP0274 1.0 to 1.4.1";
}

struct text {
    char *out;
    size_t cap, n;
};

static void put(struct text *t, char c)
{
    if (t->n + 1 < t->cap) t->out[t->n] = c;
    t->n++;
}

/* A name up to its end or, if `until` is a character, up to that. */
static void words(struct text *t, const char *s, char until)
{
    for (; *s != '\0' && *s != until; s++) put(t, *s);
}

static void number(struct text *t, uint32_t v, unsigned base)
{
    char digits[10];
    unsigned n = 0;

    if (base == 16) words(t, "0x", '\0');
    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v != 0);
    while (n > 0) put(t, digits[--n]);
}

/* The rule id at the end of the field, or NULL. A field may be nothing but a rule. */
static const char *rule_of(const struct spdm_report *r)
{
    const char *s = r->field;

    if (r->why == SPDM_WHY_BAD_FLAGS || s == NULL) return NULL; /* there the field is the whole sentence */
    for (char before = ' '; *s != '\0'; before = *s++) {
        if (before == ' ' && s[0] == 'R' && s[1] == '-') return s;
    }
    return NULL;
}

static void field(struct text *t, const struct spdm_report *r)
{
    const char *s = r->field != NULL ? r->field : "a field", *end = rule_of(r);

    for (; *s != '\0' && s != end; s++) {
        if (*s != ' ' || s + 1 != end) put(t, *s);
    }
}

static void insert(struct text *t, char what, const struct spdm_report *r)
{
    switch (what) {
    case 'f': field(t, r); break;
    case 'o': number(t, r->offset, 10); break;
    case 'g': number(t, r->got, 10); break;
    case 'l': number(t, r->limit, 10); break;
    case 'x': number(t, r->got, 16); break;
    case 'y': number(t, r->limit, 16); break;
    case 'e': words(t, spdm_error_name((uint8_t)r->got), '\0'); break;
    default: put(t, what); break;
    }
}

/* " at byte %o" is left out where the place is not known. */
static const char *skip_place(const char *s, const struct spdm_report *r)
{
    static const char place[] = " at byte %o";
    size_t i = 0;

    if (r->offset != 0) return s;
    while (place[i] != '\0' && s[i] == place[i]) i++;
    return place[i] == '\0' ? &s[i] : s;
}

size_t spdm_report_text(const struct spdm_report *report, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    const char *s = why_words[report->why < SPDM_WHY_N ? report->why : 0], *rule = rule_of(report);

    if (report->code != 0) {
        words(&t, spdm_message_name(report->code), '\0');
        words(&t, ": ", '\0');
    }
    while (*(s = skip_place(s, report)) != '\0') {
        if (*s == '%') insert(&t, *++s, report);
        else put(&t, *s);
        s++;
    }
    if (rule != NULL) {
        words(&t, " (", '\0');
        words(&t, rule, '\0');
        put(&t, ')');
    }
    if (cap > 0) out[t.n < cap ? t.n : cap - 1] = '\0';
    return t.n;
}
