/* SPDX-License-Identifier: BSD-3-Clause
 *
 * driver.h - both engines with everything sessions can do, by the words of a
 * command line: what `run` drives against a foreign implementation.
 *
 *     interop_driver requester TARGET SETTING... STEP...
 *     interop_driver responder TARGET SETTING...
 *
 * A setting is name=value (driver_settings.c), a step a goal (driver_requester.c).
 * What happens is told on stdout, a line each. */
#ifndef INTEROP_DRIVER_H
#define INTEROP_DRIVER_H
#include "apps/spdm/trace.h"
#include "port/device.h"
#include "port/link.h"
#include "port/x509_judge.h"
#include <assay/errand.h>
#include <assay/session.h>

enum { ALGORITHMS_MAX = 32, STEPS_MAX = 32, FRAME_MAX = 70000, SESSIONS_MAX = 4, JUDGEMENTS_MAX = 16 };

struct settings {
    struct spdm_policy policy;
    uint8_t hashes[ALGORITHMS_MAX], signatures[ALGORITHMS_MAX], exchanges[ALGORITHMS_MAX], aeads[ALGORITHMS_MAX],
        req_signatures[ALGORITHMS_MAX];
    struct {
        bool hashes, signatures, exchanges, aeads, req_signatures;
    } named;
    const char *device;     /* description of our identity */
    const char *trust;      /* root of the peer */
    const char *peer_chain; /* what the peer is known to have, certificates back to back: MutAuthRequested 1 */
    const char *key;        /* the peer's public key: slot 0xff */
    uint8_t slots, summary, session_policy, peer_slot;
    uint32_t size; /* largest SPDM message taken at a time */
    uint32_t max;  /* and in chunks; 0: none */
    uint32_t out;  /* largest frame sent */
    uint8_t psk[64], hint[64];
    size_t psk_n, hint_n;
    bool responder;
    bool quiet;            /* requester: hang up without CONTINUE */
    bool key_pairs;        /* responder: our identity has a table of them */
    const char *csr;       /* responder: what GET_CSR gets */
    uint8_t endpoint_more; /* bytes that EPInfo is longer than usual, 0 to 3 */
    uint8_t errand_error;  /* responder: ErrorCode that errands get */
    uint32_t clients;      /* responder: so many, one after the other */
    bool keeps;            /* responder: new certificates are used */
    bool reset;            /* responder: after the client has left, and a CSR is made then */
    bool events;           /* responder: tells of one when it is asked for encapsulated requests */
};

/* One engine on one link. */
struct driver {
    struct settings *set;
    uv_loop_t loop;
    uv_timer_t timer;
    struct spdm_openssl *ossl;
    struct spdm_judge *judge;
    struct spdm_device *device; /* NULL: we have no identity */
    struct spdm_judgement *judgement[JUDGEMENTS_MAX];
    size_t judgement_n;
    struct spdm_openssl_key *raw_key;
    struct spdm_identity identity; /* the device's, changed as it was told */
    struct spdm_key_pair key_pair[2];
    struct {
        uint8_t bytes[FRAME_MAX];
        size_t n;
        uint8_t slot, model;
        bool due;
    } stored;
    struct spdm_config config, turned;
    struct spdm_link *link;
    struct spdm_trace trace;
    bool subscribed; /* to events; so often they were told: */
    unsigned told;
    uint32_t session; /* the last that was opened */
    uint64_t skew;    /* the clock is ahead by so much */
    int status;
};

/* driver_settings.c */
void driver_defaults(struct settings *set, bool responder);
/* Reads one name=value; ends the program if it is wrong. */
void driver_set(struct settings *set, const char *word);
/* Bytes of a text of hex digits; ends the program if it is none. */
size_t driver_hex(const char *text, uint8_t *out, size_t cap);
/* A file's bytes, for ever. */
struct spdm_span driver_file(const char *path);

/* driver.c */
void driver_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void driver_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t driver_now(const struct driver *d);
void driver_open(struct driver *d, const struct spdm_binding *binding);
void driver_close(struct driver *d);
/* The chain or digest in a question of who verifies; peer tells whose it is (enum spdm_judge_role). */
void driver_judge(struct driver *d, const struct spdm_facts *facts, const struct spdm_event *event, unsigned peer,
                  struct spdm_answer *answer);
/* A question of who proves; `room` holds the answer's bytes. */
void driver_prove(struct driver *d, const struct spdm_event *event, struct spdm_room room, struct spdm_answer *answer);
/* The key and the digest of the chain that the peer is known to have; false: none is known, or it is not trusted. */
bool driver_known(struct driver *d, const struct spdm_facts *facts, unsigned peer, uint8_t digest[SPDM_HASH_MAX],
                  const void **key);
/* The chain structure around certificates, in room that lasts until the next one. */
struct spdm_span driver_structure(struct driver *d, enum spdm_alg hash, struct spdm_span certificates);
void driver_tell_negotiated(const struct spdm_facts *facts);
void driver_tell_opened(const struct spdm_session_facts *facts);
void driver_tell_report(const char *what, const struct spdm_report *report);
void driver_tell_bytes(const char *what, struct spdm_span bytes);

/* driver_errand.c */
/* A word that is an errand goes into the goal; false: it is none. */
bool driver_errand(struct driver *d, const struct spdm_facts *facts, const char *word, struct spdm_goal *goal);
void driver_tell_reply(const struct spdm_goal *goal, const struct spdm_event *event);
void driver_make_device(struct driver *d);
void driver_serve_errand(struct driver *d, const struct spdm_event *event, struct spdm_answer *answer);

/* Events to be told, the n-th time; empty: no more. */
struct spdm_span driver_news(unsigned n);
/* What was stored is used from now on. */
void driver_reset_device(struct driver *d);

int driver_requester(struct driver *d, const struct spdm_target *target, char **steps, size_t step_n);
int driver_responder(struct driver *d, const struct spdm_target *target);
#endif
