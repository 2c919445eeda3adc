/* SPDX-License-Identifier: BSD-3-Clause
 *
 * subject.c - holds the facts about a device. Everything is owned, so that a
 * report can be printed long after the certificates are gone. */
#include "subject.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

void spdm_subject_add(char ***list, size_t *n, const char *s)
{
    *list = spdm_text_need(realloc(*list, (*n + 1) * sizeof **list));
    (*list)[(*n)++] = spdm_text_need(strdup(s));
}

static void clear_list(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++) free(list[i]);
    free(list);
}

void spdm_subject_clear(struct spdm_subject *d)
{
    clear_list(d->reasons, d->reason_n);
    clear_list(d->notes, d->note_n);
    clear_list(d->oids, d->oid_n);
    char *owned[] = {d->anchor, d->subject, d->serial, d->manufacturer, d->product, d->number, d->model};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) free(owned[i]);
    for (size_t i = 0; i < d->certificate_n; i++) {
        struct spdm_subject_certificate *c = &d->certificates[i];
        char *strings[] = {c->subject, c->issuer, c->serial, c->not_before, c->not_after, c->key};
        for (size_t k = 0; k < sizeof strings / sizeof strings[0]; k++) free(strings[k]);
    }
    free(d->certificates);
    free(d->chain.p);
    *d = (struct spdm_subject){0};
}
