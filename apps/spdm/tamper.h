/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tamper.h - misbehaves on request: what is sent is changed on its way out.
 *
 * A rule names a message and one of its fields, as --trace shows them, or a
 * misbehaviour of the list. Fields are found by the walkers that the engines
 * use; the engine itself believes that it sent what it made. In sessions a
 * message is changed before it is sealed. One that goes in chunks is changed
 * in the chunk that the field's bytes are in. */
#ifndef SPDM_TAMPER_H
#define SPDM_TAMPER_H
#include "options.h"
#include "port/link.h"
#include <assay/session.h>

#define SPDM_TAMPER_RULES 16

enum spdm_tamper_kind {
    SPDM_TAMPER_FIELD,
    SPDM_TAMPER_CUT,
    SPDM_TAMPER_EXTRA,
    SPDM_TAMPER_SKIP,
    SPDM_TAMPER_DELAY,
    SPDM_TAMPER_WRONG_MAC,
    SPDM_TAMPER_REPLAY,
    SPDM_TAMPER_REORDER
};

struct spdm_tamper_rule {
    uint8_t kind;
    char message[40], field[48]; /* message: empty is any, one that ends in '*' all that begin so */
    uint8_t set[64];             /* instead of flipping a bit, if set_n is not 0 */
    size_t set_n;
    uint32_t delay_ms;
};

/* What --tamper says, once or several times. */
struct spdm_tamper_plan {
    struct spdm_tamper_rule rule[SPDM_TAMPER_RULES];
    unsigned n;
};

/* The parser of the option; field is a struct spdm_tamper_plan. "help" lists misbehaviours and ends the program. */
bool spdm_tamper_parse(const char *text, void *field, char *error, size_t cap);

/* Whether a rule speaks of a message. */
bool spdm_tamper_applies(const struct spdm_tamper_rule *rule, struct spdm_span message);
const char *spdm_tamper_name(enum spdm_tamper_kind kind);

/* One connection's. */
struct spdm_tamper;

/* NULL: the plan has no rules, or memory is short. The plan outlives it; who begins each line that tells. */
struct spdm_tamper *spdm_tamper_open(const struct spdm_tamper_plan *plan, const struct spdm_binding *binding,
                                     const char *who);
void spdm_tamper_close(struct spdm_tamper *tamper); /* NULL is fine */
/* A frame that has come: what is sent may answer it. */
void spdm_tamper_came(struct spdm_tamper *tamper, struct spdm_span frame);
/* What a record holds, on its way in, or out before it is sealed; for spdm_config.inside. */
void spdm_tamper_inside(struct spdm_tamper *tamper, const struct spdm_inside *inside, bool ours,
                        const struct spdm_facts *facts);
/* The frame to send in place of this one; empty: none. NULL tamper is fine. */
struct spdm_span spdm_tamper_frame(struct spdm_tamper *tamper, struct spdm_span frame, const struct spdm_facts *facts);
#endif
