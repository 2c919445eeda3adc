/* SPDX-License-Identifier: BSD-3-Clause
 *
 * asker.h - a requester of the library on a link, for tests of what serves it.
 *
 * Everything happens on one loop in one thread. asker_ask() states a goal and
 * turns the loop until it is reached or not; asker_until() does so until a
 * condition holds. Trust comes from a root in the directory of served.h; who is
 * asked who it is, proves it with a description of its own. */
#ifndef TESTS_SUPPORT_ASKER_H
#define TESTS_SUPPORT_ASKER_H
#include "port/device.h"
#include "port/link.h"

#include <assay/errand.h>
#include <assay/session.h>
#include <uv.h>

struct asker;

struct asker_options {
    const char *target;   /* "tcp://127.0.0.1:4711" */
    const char *root;     /* trusted root; NULL: nobody */
    const char *identity; /* description of who we are; NULL: nobody, and no mutual authentication */
    uint8_t version;      /* only this one; 0: all */
    uint32_t without;     /* capabilities we lack */
    bool events;          /* we can be told of events, in encapsulated requests; reply has the last list */
    struct spdm_span psk; /* the answer to every hint */
    struct asker *like;   /* one whose crypto and trust are ours, too, and that is closed after us; NULL: our own */
    /* Application data of a session; NULL: it is dropped. */
    void (*data)(struct asker *a, uint32_t session, struct spdm_span data);
    /* After whatever happened, when the engine has nothing to send; NULL: nothing. */
    void (*idle)(struct asker *a);
    void *ctx;
};

struct asker {
    struct asker_options options;
    uv_loop_t *loop;
    struct spdm_openssl *ossl;
    struct spdm_judge *judge;
    struct spdm_judgement *judgement[16];
    unsigned judgement_n;
    struct spdm_device *identity;
    struct spdm_policy policy;
    struct spdm_config config, turned;
    struct spdm_requester *engine;
    struct spdm_link *link; /* NULL: down */
    uv_timer_t timer;
    bool up, done, failed, over;
    uint64_t skew;   /* added to the clock, us */
    uint32_t opened; /* the last session that was */
    uint32_t closed;
    unsigned signatures;
    char why[400]; /* of a failure, a closed session or the link's end */
    uint8_t
        reply[20000]; /* of an errand: everything that came, one behind the other; or the last chain that was judged */
    size_t reply_n;
    bool reset_due;
    uint8_t tag; /* CSRTrackingTag of a reset that is due */
    uint8_t *memory;
};

/* Connects; the link is up. */
struct asker *asker_open(uv_loop_t *loop, const struct asker_options *options);
/* States a goal, and returns; done or failed tells of it later. */
void asker_begin(struct asker *a, const struct spdm_goal *goal);
/* true: the goal is reached. false: it is not; why says it. */
bool asker_ask(struct asker *a, const struct spdm_goal *goal);
/* An errand, in a session or, with 0, outside. */
bool asker_errand(struct asker *a, uint32_t session, const struct spdm_errand *errand, const union spdm_order *order);
/* Sends application data now; false: not now. */
bool asker_send(struct asker *a, uint32_t session, struct spdm_span data);
/* Moves what can move, and sets the clock. */
void asker_serve(struct asker *a);
/* Turns the loop until `until` returns true (NULL: until nothing more is going on); false: after twenty seconds. */
bool asker_until(struct asker *a, bool (*until)(struct asker *a, void *ctx), void *ctx);
/* Hangs up; the link goes as the loop runs on. */
void asker_close(struct asker *a);
#endif
