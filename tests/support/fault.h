/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fault.h - an honest conversation, and what becomes of it when one frame is tampered with.
 *
 * A scene records both ends as they are before each frame arrives. A trial puts
 * them back there, delivers something else, lets them run to their end and
 * judges: done means exactly what the honest run learned, failed means a report
 * that says why, and in every case the responder serves GET_VERSION and no
 * running hash is left. */
#ifndef ASSAY_TESTS_FAULT_H
#define ASSAY_TESTS_FAULT_H
#include "support/pair.h"

enum { FAULT_FRAMES = 64 };

/* Facts that a goal leaves open to who sits on the wire, as bits. */
enum fault_fact {
    FACT_VERSION,
    FACT_PEER_VERSIONS,
    FACT_REQUESTER,
    FACT_RSP_FLAGS,
    FACT_RSP_EXT_FLAGS,
    FACT_RSP_CT,
    FACT_RSP_DTS,
    FACT_RSP_MAX,
    FACT_ALGORITHMS,
    FACT_MEAS_HASH,
    FACT_MEAS_SPEC,
    FACT_MEL_SPEC,
    FACT_OPAQUE,
    FACT_MULTI_KEY,
    FACT_SUPPORTED,
    FACT_PROVISIONED,
    FACT_SLOT,
    FACT_SLOT_INFO,
    FACT_CHAIN,
    FACT_TRUSTED,
    FACT_AUTHENTIC,
    FACT_SIGNED,
    FACT_SUMMARY,
    FACT_ENDIAN,
    FACT_COUNT,
    FACT_CHANGED,
    FACT_RECORDS, /* what SPDM_MEASURED reported */
    FACT_VENDOR,  /* what SPDM_VENDOR reported */
    FACT_N
};
#define FAULT_OPEN(fact) ((uint32_t)1 << (fact))
#define FAULT_ALL (FAULT_OPEN(FACT_N) - 1)

struct learned {
    struct spdm_facts facts;
    uint64_t seen[256], vendor;
    bool seen_proven[256];
};

struct moment {
    struct pair before;
    bool to_responder;
    size_t n;
    uint8_t frame[PAIR_BUFFER];
};

struct scene {
    struct pair *pair; /* set up by the caller and started */
    const struct spdm_goal *goal;
    const char *name;
    uint64_t seed; /* of the random numbers of both ends */
    uint32_t open; /* facts that may differ */
    unsigned n, from;
    struct moment *moment; /* FAULT_FRAMES of them */
    struct learned honest;
    unsigned trials, done;
    uint32_t differed; /* facts that did differ in some trial that was done */
};

/* What is asked for, and how the two ends are set up for it. */
struct plot {
    const char *name;
    struct spdm_goal goal;
    void (*prepare)(struct pair *); /* before pair_start(); may be NULL */
    void (*started)(struct pair *); /* after it; may be NULL */
    uint32_t open_legacy, open;     /* facts not protected below 1.2, and from 1.2 on */
    unsigned from;                  /* frames before this one are the same as in another plot */
};
extern const struct plot fault_plots[];
extern const size_t fault_plot_n;
/* A small device (two CERTIFICATE portions, three measurements) and a requester that speaks one version, or all for 0.
 */
void fault_small(struct pair *pair, uint8_t version);
/* Places a pair for plot and version, and records it. The scene's pair must be set. */
void fault_stage(struct scene *scene, const struct plot *plot, uint8_t version);

/* Runs the goal and records it; the pair is closed afterwards. */
void fault_record(struct scene *scene);
void fault_free(struct scene *scene);
/* Puts both ends back to before frame k arrives. */
void fault_rewind(struct scene *scene, unsigned k);
/* Goes on to the end and judges. `what` and `at` name the tampering in failures. */
void fault_judge(struct scene *scene, unsigned k, const char *what, size_t at);
/* Rewind, deliver these bytes instead (none if n is 0), judge. */
void fault_trial(struct scene *scene, unsigned k, struct spdm_span instead, const char *what);
/* Whether a report says what went wrong: reason, message, sentence. */
void fault_report(const struct spdm_report *report, const char *what);
#endif
