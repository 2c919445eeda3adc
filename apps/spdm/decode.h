/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode.h - what the parts of `spdm decode` hand to each other.
 *
 *   decode.c           the command: from a capture to lines
 *   decode_options.c   its command line
 *   decode_flow.c      a connection: its frames before a witness, and what comes of them
 *   decode_trust.c     certificate chains and keys
 *   decode_known.c     what is known beforehand
 *   decode_secrets.c   what records are opened with
 *   decode_terms.c     what the number in a field means
 *   decode_essence.c   a message in a few words; decode_carrier.c: what is no SPDM message
 *   decode_line.c      a message as one line, as a list of fields, with bytes
 *   decode_json.c      a message as a JSON object
 *   decode_summary.c   what can be said of a connection at its end
 *
 * Nothing here reads the bytes of an SPDM message: fields come from the walkers
 * by way of the witness. */
#ifndef SPDM_DECODE_H
#define SPDM_DECODE_H
#include "port/capture.h"
#include "text.h"
#include <assay/witness.h>

/* ---- words that grow ---- */

struct decode_words {
    char *p;
    size_t n, cap;
};
void decode_say(struct decode_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text as it is, which is much faster. */
void decode_put(struct decode_words *words, const char *text);
void decode_put_part(struct decode_words *words, const char *text, size_t n);
void decode_put_number(struct decode_words *words, uint64_t value);
void decode_put_hex(struct decode_words *words, struct spdm_span bytes);
static inline void decode_clear(struct decode_words *words)
{
    words->n = 0;
    if (words->p != NULL) words->p[0] = '\0';
}
static inline const char *decode_text(const struct decode_words *words)
{
    return words->p != NULL ? words->p : "";
}

/* ---- a message ---- */

struct decode_fields {
    struct spdm_field *v;
    size_t n, cap;
};

/* How much a message is worth looking at. */
enum decode_rank {
    DECODE_FINE,
    DECODE_NOTE,   /* something is not as usual, and nobody broke a rule: an ERROR, a record without key */
    DECODE_DAMAGE, /* the capture is not whole here */
    DECODE_BROKEN, /* breaks a rule */
    DECODE_FALSE   /* does not verify: signature, HMAC, record, digest, chain */
};

struct decode_flow;

struct decode_message {
    uint64_t number; /* of the message, from 1; what lies inside of another has its own */
    uint64_t packet;
    struct timespec time;
    const struct decode_flow *flow;
    const struct spdm_sight *sight;
    struct spdm_span frame; /* as it was captured, with the binding's header */
    const struct decode_fields *fields;
    const char *damage; /* instead of a message: what is missing */
    enum decode_rank rank;
    struct decode_words report;        /* the rule that it breaks, as a sentence; empty: none */
    const char *rule;                  /* its id, in report's text; NULL */
    struct decode_words note;          /* anything else there is to say of it */
    const struct spdm_field *at_field; /* that the report is about, NULL if it is none */
};

/* The field with this name; NULL. */
const struct spdm_field *decode_field(const struct decode_message *m, const char *name);
/* Its bytes. */
struct spdm_span decode_bytes(const struct decode_message *m, const struct spdm_field *field);
/* "GET_VERSION", "application data", "record": what a message is called. */
const char *decode_name(const struct decode_message *m);
/* SPDMVersion, 0 if there is no message. */
uint8_t decode_version(const struct decode_message *m);

/* ---- decode_terms.c ---- */

/* What the number in field i of a message means; nothing is added if there is nothing to say beyond the number. */
void decode_term(struct decode_words *out, const struct decode_message *m, size_t i);
/* The essence of a message for one line. */
void decode_essence(struct decode_words *out, const struct decode_message *m);

/* ---- decode_carrier.c: the same of what is no SPDM message ---- */
void decode_carrier(struct decode_words *out, const struct decode_message *m);

/* ---- decode_line.c ---- */

enum decode_detail { DECODE_LINE, DECODE_FIELDS, DECODE_BYTES };

struct decode_printer {
    struct spdm_screen screen;
    enum decode_detail detail;
    struct timespec first; /* time of the first message */
    bool begun;
    const struct decode_flow *flow; /* of the last line */
    struct decode_words words;
};
void decode_print(struct decode_printer *printer, const struct decode_message *m);

#endif
