/* SPDX-License-Identifier: BSD-3-Clause
 *
 * attest_keep.c - copies of what a run has seen.
 *
 * Facts are copied the moment they are told; nothing in a result points into
 * the engine or into a frame. */
#include "attest_keep.h"
#include <stdlib.h>
#include <string.h>

bool spdm_keep_bytes(struct spdm_room *to, struct spdm_span from)
{
    uint8_t *p = malloc(from.n + 1);
    if (p == NULL) return false;
    if (from.n != 0) memcpy(p, from.p, from.n);
    free(to->p);
    to->p = p;
    to->n = from.n;
    return true;
}

void spdm_forget_measurements(struct spdm_attest_result *r)
{
    for (size_t i = 0; i < r->measured_n; i++) free(r->measured[i].bytes.p);
    free(r->measured);
    r->measured = NULL;
    r->measured_n = 0;
}

static bool keep_measurement(struct spdm_attest_result *r, const struct spdm_measurement *m, bool proven)
{
    struct spdm_measured *grown = realloc(r->measured, (r->measured_n + 1) * sizeof *grown);
    if (grown == NULL) return false;
    r->measured = grown;
    struct spdm_room value = {0};
    if (!spdm_keep_bytes(&value, m->value)) return false;
    size_t at = r->measured_n++; /* in the order of the index, whatever order they come in */
    for (; at > 0 && r->measured[at - 1].m.index > m->index; at--) r->measured[at] = r->measured[at - 1];
    struct spdm_measured *kept = &r->measured[at];
    *kept = (struct spdm_measured){.m = *m, .proven = proven, .bytes = value};
    kept->m.value = (struct spdm_span){value.p, value.n};
    return true;
}

/* What came in a session came from who opened it: nobody else has its keys. */
bool spdm_keep_record(struct spdm_attest_result *r, const struct spdm_event *event)
{
    struct spdm_span rest = event->data;
    struct spdm_measurement m;
    while (spdm_measurement_next(&rest, &m))
        if (!keep_measurement(r, &m, event->proven || event->session != 0)) return false;
    return true;
}

bool spdm_keep_message(struct spdm_attest_result *r, bool sent, struct spdm_span message)
{
    struct spdm_message *grown = realloc(r->messages, (r->message_n + 1) * sizeof *grown);
    if (grown == NULL) return false;
    r->messages = grown;
    struct spdm_room bytes = {0};
    if (!spdm_keep_bytes(&bytes, message)) return false;
    r->messages[r->message_n++] = (struct spdm_message){sent, bytes};
    return true;
}

void spdm_forget_messages(struct spdm_attest_result *r)
{
    for (size_t i = 0; i < r->message_n; i++) free(r->messages[i].bytes.p);
    free(r->messages);
    r->messages = NULL;
    r->message_n = 0;
}
