/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The words of findings: the text of a row with its marks filled in. */
#include "port/der.h"
#include "port/x509_judge.h"
#include <inttypes.h>
#include <stdio.h>

#define NAME(name, severity, words) #name,
#define WORDS(name, severity, words) words,
static const char *const names[SPDM_FOUND_N] = {SPDM_FINDINGS(NAME)};
static const char *const words[SPDM_FOUND_N] = {SPDM_FINDINGS(WORDS)};

const char *spdm_finding_name(uint8_t id)
{
    return id < SPDM_FOUND_N ? names[id] : "unknown";
}

/* "certificate 2 of 3", with the name of its subject if that can be read. */
static void which(const struct spdm_judgement *j, const struct spdm_finding *f, char *out, size_t cap)
{
    if (f->certificate == SPDM_FINDING_ANCHOR) {
        snprintf(out, cap, "the trust anchor");
    } else if (f->certificate > j->certificate_n) {
        snprintf(out, cap, "certificate %u", f->certificate);
    } else {
        snprintf(out, cap, "certificate %u of %u", f->certificate, j->certificate_n);
    }
}

/* What a mark stands for. */
static void fill(const struct spdm_judgement *j, const struct spdm_finding *f, char mark, char out[300])
{
    size_t cap = 300;

    out[0] = '\0';
    switch (mark) {
    case 'n': which(j, f, out, cap); break;
    case 'g': snprintf(out, cap, "%" PRId64, f->got); break;
    case 'l': snprintf(out, cap, "%" PRId64, f->limit); break;
    case 'o': snprintf(out, cap, "%" PRIu32, f->at); break;
    case 'i': (void)spdm_der_oid_text(f->what, out, cap); break;
    case 't': (void)spdm_x509_name_text(f->what, out, cap); break;
    case 'd': (void)spdm_x509_time_text(f->got, out, cap); break;
    case 'f': snprintf(out, cap, "%s", f->field != NULL ? f->field : "something"); break;
    case 'w': snprintf(out, cap, "%s", f->wanted != NULL ? f->wanted : "another"); break;
    default: break;
    }
}

size_t spdm_finding_text(const struct spdm_judgement *j, const struct spdm_finding *f, char *out, size_t cap)
{
    const char *from = f->id < SPDM_FOUND_N ? words[f->id] : "unknown finding";
    size_t n = 0;

    for (; *from != '\0'; from++) {
        char piece[300] = {*from};
        if (*from == '%') fill(j, f, *++from, piece);
        for (const char *c = piece; *c != '\0'; c++, n++) {
            if (n + 1 < cap) out[n] = *c;
        }
    }
    if (cap != 0) out[n < cap ? n : cap - 1] = '\0';
    return n;
}
