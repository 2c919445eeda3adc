/* SPDX-License-Identifier: BSD-3-Clause
 *
 * trace.c - messages as they pass, field by field.
 *
 * The library's dump reads each message with the walkers that the engines use;
 * here it only gets a shape: a line for the message, a line for each field,
 * long fields cut after their first bytes. */
#include "trace.h"

#include <assay/dump.h>
#include <string.h>

#define BYTES_SHOWN 32

struct painter {
    FILE *to;
    struct spdm_span message;
};

static void show_field(void *ctx, const struct spdm_field *field)
{
    const struct painter *p = ctx;
    size_t n = field->n < BYTES_SHOWN ? field->n : BYTES_SHOWN;
    fprintf(p->to, "    %5zu  %-32s", field->at, field->name);
    if (field->number) {
        fprintf(p->to, " %u (0x%x)\n", field->value, field->value);
        return;
    }
    fputc(' ', p->to);
    for (size_t i = 0; i < n && field->at + i < p->message.n; i++) fprintf(p->to, "%02x", p->message.p[field->at + i]);
    if (n < field->n) fprintf(p->to, "... (%zu bytes)", field->n);
    fputc('\n', p->to);
}

static void keep_request(struct spdm_trace *t, struct spdm_span message)
{
    t->request_n = message.n < sizeof t->request ? message.n : sizeof t->request;
    memcpy(t->request, message.p, t->request_n);
}

void spdm_trace_frame(struct spdm_trace *t, const struct spdm_tapped *tapped, const struct spdm_facts *facts)
{
    static const struct spdm_facts unknown;
    const char *arrow = tapped->sent ? "->" : "<-", *peer = spdm_link_peer(tapped->link);
    struct spdm_frame frame = spdm_link_target(tapped->link)->binding->unwrap(tapped->frame);
    struct painter painter = {t->to, frame.message};
    struct spdm_dump dump = {.facts = facts != NULL ? facts : &unknown, .message = frame.message, .see = show_field};
    struct spdm_report report;
    char why[300];
    dump.ctx = &painter;
    if (frame.kind != SPDM_FRAME_PLAIN || frame.message.n < 4) {
        static const char *const kinds[] = {"no frame of this binding", "a short message", "a secured message",
                                            "a control frame of the binding"};
        fprintf(t->to, "%s %s  %s, %zu bytes\n", arrow, peer, kinds[frame.kind], tapped->frame.n);
        return;
    }
    fprintf(t->to, "%s %s  SPDM %u.%u %s, %zu bytes\n", arrow, peer, (unsigned)frame.message.p[0] >> 4,
            frame.message.p[0] & 15u, spdm_message_name(frame.message.p[1]), frame.message.n);
    if (!tapped->request) dump.request = (struct spdm_span){t->request, t->request_n};
    if (spdm_dump(&dump, &report) == 0) {
        (void)spdm_report_text(&report, why, sizeof why);
        fprintf(t->to, "           %s\n", why);
    }
    if (tapped->request) keep_request(t, frame.message);
}
