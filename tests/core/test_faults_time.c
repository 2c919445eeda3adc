/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames that are lost, come twice, come late or in another order, with and
 * without resending; one at a time, then a link that does all of it at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fault.h"

static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};

/* What happens to one frame; the rest of the conversation goes by as it comes. */
struct fault {
    const char *name;
    bool lost;        /* it does not arrive at its time ... */
    bool copied;      /* ... or another time */
    bool after_retry; /* `later` counts from the end of the requester's patience */
    uint64_t later;   /* us */
};
static const struct fault faults[] = {
    {.name = "lost", .lost = true},
    {.name = "twice", .copied = true},
    {.name = "a copy 1 us later", .copied = true, .later = 1},
    {.name = "a copy 1 s later", .copied = true, .later = 1000000},
    {.name = "too late", .lost = true, .copied = true, .later = 1, .after_retry = true},
    {.name = "much too late", .lost = true, .copied = true, .later = 2000000, .after_retry = true},
};

static void inflict(struct scene *scene, unsigned k, const struct fault *fault)
{
    const struct moment *m = &scene->moment[k];
    struct pair *p = scene->pair;
    uint64_t from;

    fault_rewind(scene, k);
    from = fault->after_retry ? spdm_requester_deadline(p->rq) : p->now;
    if (fault->copied) pair_later(p, m->to_responder, (struct spdm_span){m->frame, m->n}, from + fault->later);
    if (!fault->lost) pair_deliver(p, m->to_responder, m->frame, m->n);
    fault_judge(scene, k, fault->name, 0);
}

/* Two requests mean something else when they come again later: GET_VERSION starts over, and RESPOND_IF_READY asks for
 * an answer that has been given (withstand 15). Their ERROR meets the request that is out by then. */
static bool may_harm(const struct moment *m)
{
    return m->frame[2] == 0x84 || m->frame[2] == 0xff;
}

static void one_fault(struct scene *scene, const struct fault *fault, uint8_t retries)
{
    for (unsigned k = 0; k < scene->n; k++) {
        unsigned done = scene->done;
        bool survived;

        scene->moment[k].before.req_policy.retries = retries;
        inflict(scene, k, fault);
        survived = scene->done > done;
        if (retries == 0 && fault->lost) {
            assert_false(survived);
            assert_int_equal(scene->pair->failure.why, SPDM_WHY_TIMEOUT);
        } else if (retries != 0 && !survived && !(fault->copied && may_harm(&scene->moment[k]))) {
            fail_msg("%s: not survived: %s, frame %u (code %02x)", scene->name, fault->name, k,
                     scene->moment[k].frame[2]);
        }
    }
}

static void test_one_fault(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};

            fault_stage(&scene, &fault_plots[i], versions[v]);
            for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
                one_fault(&scene, &faults[f], 0);
                one_fault(&scene, &faults[f], 3);
            }
            fault_free(&scene);
        }
    }
}

/* ---- a bad link ---- */

struct link {
    uint32_t state;
    unsigned lost, copied, slow, flipped; /* per mille */
};

static unsigned roll(struct link *link, unsigned n)
{
    link->state = link->state * 1664525u + 1013904223u;
    return (link->state >> 8) % n;
}

/* Each frame takes 1 to 20 ms, slow ones up to 2 s, so that they overtake each other. */
static size_t travel(struct pair *p, bool to_responder, uint8_t *frame, size_t n)
{
    struct link *link = p->arg;
    unsigned copies = roll(link, 1000) < link->copied ? 2 : 1;

    if (roll(link, 1000) < link->lost) copies--;
    if (roll(link, 1000) < link->flipped) frame[roll(link, (unsigned)n)] ^= (uint8_t)(1u << roll(link, 8));
    for (; copies > 0; copies--) {
        unsigned us = roll(link, 1000) < link->slow ? 2000000 : 20000;

        pair_later(p, to_responder, (struct spdm_span){frame, n}, p->now + 1000 + roll(link, us));
    }
    return 0;
}

static const struct weather {
    struct link link;
    unsigned done; /* so many of a hundred runs are done at least, for the kind of goal that suffers most */
} weathers[] = {
    {{.lost = 0}, 100},
    {{.lost = 20}, 100},
    {{.lost = 200}, 85},
    {{.copied = 200}, 50},
    {{.slow = 100}, 80},
    {{.lost = 50, .copied = 50, .slow = 50}, 65},
    {{.lost = 20, .copied = 20, .slow = 20, .flipped = 100}, 5},
};

static void run_link(struct scene *scene, const struct weather *weather, uint32_t seed)
{
    struct pair *p = scene->pair;
    struct link link = weather->link;

    link.state = seed * 2654435761u;
    fault_rewind(scene, 0);
    p->req_policy.retries = 5;
    p->req_policy.rtt = 100000;
    p->arg = &link;
    p->wire = travel;
    memcpy(p->in, scene->moment[0].frame, scene->moment[0].n);
    (void)travel(p, true, p->in, scene->moment[0].n);
    fault_judge(scene, 0, "bad link", seed);
}
static void all_weathers(struct scene *scene)
{
    enum { RUNS = 40 };

    for (size_t w = 0; w < sizeof weathers / sizeof *weathers; w++) {
        scene->done = 0;
        for (uint32_t seed = 1; seed <= RUNS; seed++) run_link(scene, &weathers[w], seed);
        if (100 * scene->done < RUNS * weathers[w].done) {
            fail_msg("%s: only %u of %d runs done in weather %zu", scene->name, scene->done, RUNS, w);
        }
    }
}

static void test_link(void **state)
{
    static struct pair p;

    (void)state;
    for (size_t i = 0; i < fault_plot_n; i++) {
        for (size_t v = 0; v < sizeof versions; v++) {
            struct scene scene = {.pair = &p};

            fault_stage(&scene, &fault_plots[i], versions[v]);
            all_weathers(&scene);
            fault_free(&scene);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_fault), cmocka_unit_test(test_link)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
