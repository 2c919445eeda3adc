/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attestations.h - attestations made by hand, for the tests of verdict and report. */
#ifndef TESTS_ATTESTATIONS_H
#define TESTS_ATTESTATIONS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include "verdict.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One attestation with everything it points to. */
struct sample {
    struct spdm_attest_result result;
    struct spdm_subject device;
    struct spdm_comparison comparison;
    struct spdm_measured measured[4];
    struct spdm_attestation a;
};

static inline struct spdm_span sample_span(const char *s, size_t n)
{
    return (struct spdm_span){(const uint8_t *)s, n};
}

static inline void sample_facts(struct spdm_facts *f)
{
    *f = (struct spdm_facts){.version = SPDM_V12,
                             .peer_versions = 0x07,
                             .negotiated = true,
                             .hash = SPDM_SHA_256,
                             .signature = SPDM_ECDSA_P256,
                             .meas_hash = SPDM_SHA_256,
                             .meas_spec = 1,
                             .provisioned_slots = 1,
                             .trusted = true,
                             .measured_signed = true,
                             .content_changed = 2};
    f->responder.flags = SPDM_CERT_CAP | SPDM_CHAL_CAP | SPDM_MEAS_CAP_SIGNED;
    f->responder.data_transfer_size = f->responder.max_message_size = 4608;
    memset(f->chain_hash, 0xab, 32);
}

static inline void sample_device(struct spdm_subject *d)
{
    d->judged = d->trusted = d->time_checked = true;
    d->subject = strdup("CN=leaf\x1b[31m,O=ACME");
    d->anchor = strdup("CN=root");
    d->serial = strdup("0102");
    d->manufacturer = strdup("ACME");
    d->product = strdup("WIDGET");
    d->number = strdup("1234567890");
    d->model = strdup("device certificate");
    spdm_subject_add(&d->oids, &d->oid_n, "1.3.6.1.4.1.412.274.2 hardware identity");
    d->chain = (struct spdm_room){calloc(1, 600), 600};
    d->certificates = calloc(1, sizeof *d->certificates);
    d->certificate_n = 1;
    d->certificates[0] = (struct spdm_subject_certificate){.subject = strdup("CN=leaf"),
                                                           .issuer = strdup("CN=root"),
                                                           .serial = strdup("0102"),
                                                           .not_before = strdup("2026-01-01T00:00:00Z"),
                                                           .not_after = strdup("2036-01-01T00:00:00Z"),
                                                           .key = strdup("EC P-256")};
}

/* A device that is trusted, with four signed measurements and no reference. */
static inline void sample_make(struct sample *s)
{
    *s = (struct sample){0};
    snprintf(s->result.target.text, sizeof s->result.target.text, "tcp://127.0.0.1:4194");
    s->result.began.tv_sec = 1795413600;
    s->result.end = SPDM_ATTEST_DONE;
    s->result.reached = s->result.connected = s->result.planned = true;
    sample_facts(&s->result.facts);
    s->result.goal = (struct spdm_goal){.want = SPDM_WANT_IDENTITY | SPDM_WANT_MEASUREMENTS, .sign = true};
    s->result.source = SPDM_CHAIN_FETCHED;
    const struct spdm_measurement m[] = {
        {.index = 1, .type = SPDM_MEAS_ROM, .value = sample_span("\x11\x22\x33\x44", 4)},
        {.index = 2, .type = SPDM_MEAS_VERSION, .raw = true, .value = sample_span("v1\x1b[2J", 6)},
        {.index = 3, .type = SPDM_MEAS_SVN, .raw = true, .value = sample_span("\x07\0\0\0\0\0\0\0", 8)},
        {.index = 254,
         .type = SPDM_MEAS_DEVICE_MODE,
         .raw = true,
         .value = sample_span("\x07\0\0\0\x04\0\0\0\x1f\0\0\0\x00\0\0\0", 16)}};
    for (size_t i = 0; i < 4; i++) s->measured[i] = (struct spdm_measured){.m = m[i], .proven = true};
    s->result.measured = s->measured;
    s->result.measured_n = 4;
    s->result.sent = s->result.received = 6;
    s->result.sent_bytes = 240;
    s->result.received_bytes = 1300;
    s->result.time_us = 12345;
    sample_device(&s->device);
    s->a = (struct spdm_attestation){.result = &s->result, .device = &s->device};
}

static inline void sample_free(struct sample *s)
{
    spdm_verdict_clear(&s->a.verdict);
    spdm_subject_clear(&s->device);
    spdm_comparison_clear(&s->comparison);
}

/* Compares with a reference given as the items of its list. */
static inline void sample_compare(struct sample *s, const char *items)
{
    char text[2000], error[SPDM_REFERENCE_ERROR] = "";
    struct spdm_measurement m[4];
    int n = snprintf(text, sizeof text, "{\"format\": \"assay-reference/1\", \"measurements\": [%s]}", items);
    struct spdm_reference *reference = spdm_reference_parse("ref.json", sample_span(text, (size_t)n), error);
    assert_string_equal(error, "");
    for (size_t i = 0; i < 4; i++) m[i] = s->measured[i].m;
    struct spdm_comparand what = {.m = m, .n = s->result.measured_n, .hash = SPDM_SHA_256};
    spdm_reference_compare(reference, &what, &s->comparison);
    spdm_reference_free(reference);
    s->a.reference = "ref.json";
    s->a.comparison = &s->comparison;
}
#endif
