/* SPDX-License-Identifier: BSD-3-Clause
 *
 * judge_inside.h - what the files of the judge share.
 *
 * A judgement under way is a struct spdm_judging: the case, the certificates
 * read so far, one verdict per certificate ("the key before it signed it"),
 * and the findings. It is trusted only if every one of those verdicts was
 * turned to good, and nothing was found that refuses. */
#ifndef PORT_JUDGE_INSIDE_H
#define PORT_JUDGE_INSIDE_H
#include "port/openssl_inside.h"
#include "port/x509_judge.h"

struct spdm_anchor {
    unsigned holders;
    struct spdm_x509 x; /* over der */
    struct spdm_openssl_key *key;
    struct {
        bool made;
        uint8_t digest[SPDM_HASH_MAX];
    } hash[SPDM_OPENSSL_HASH_N];
    uint8_t der[];
};

#define SPDM_KNOWN_MAX 4096
#define SPDM_KNOWN_BUCKETS 256

struct spdm_known {
    struct spdm_judgement *judgement;
    struct spdm_known *next; /* in its bucket */
};

struct spdm_judge {
    struct spdm_openssl *ossl;
    struct spdm_anchor **anchor;
    unsigned anchor_n, anchor_room;
    struct spdm_room *critical; /* OIDs accepted though not understood */
    unsigned critical_n;
    struct spdm_known *known[SPDM_KNOWN_BUCKETS];
    unsigned known_n, evict; /* evict: the bucket that gives room next */
    struct spdm_judge_counts counts;
};

/* A judgement and what it owns. */
struct spdm_held {
    struct spdm_judgement judgement; /* first */
    unsigned holders;
    struct spdm_openssl_key *key;
    struct spdm_anchor *anchor;
    struct spdm_finding *finding;
    uint8_t digest[SPDM_HASH_MAX];
    uint8_t *chain;
    struct spdm_x509 certificate[];
};

struct spdm_judging {
    struct spdm_judge *judge;
    const struct spdm_judge_case *input;
    struct spdm_held *held;
    struct spdm_x509 *certificate; /* the held ones */
    unsigned n;                    /* how many the chain has */
    bool lacking;                  /* there are more, cut off or too many */
    bool complete;                 /* all could be read */
    struct spdm_openssl_key *key[SPDM_JUDGE_CERTIFICATES_MAX];
    spdm_verdict link[SPDM_JUDGE_CERTIFICATES_MAX]; /* whether certificate i is vouched for from above */
    spdm_verdict anchored;
    struct spdm_anchor *anchor; /* the one whose digest RootHash is */
    bool anchor_is_first;       /* and it is the first certificate */
    unsigned refusals;          /* counted when found, dropped ones included */
    unsigned found_n;
    struct spdm_finding found[SPDM_JUDGE_FINDINGS_MAX + 1]; /* the last takes what does not fit */
};

/* Writes down a finding; certificate counts from 1. Never NULL. */
struct spdm_finding *spdm_found(struct spdm_judging *g, enum spdm_finding_id id, unsigned certificate);
struct spdm_finding *spdm_found_as(struct spdm_judging *g, enum spdm_finding_id id, unsigned certificate,
                                   enum spdm_severity severity);

enum spdm_signed { SPDM_SIGNED, SPDM_NOT_SIGNED, SPDM_SIGNED_WEAKLY, SPDM_SIGNED_UNKNOWN };
/* Whether this key signed this certificate. */
enum spdm_signed spdm_x509_signed_by(struct spdm_judge *judge, const struct spdm_x509 *x,
                                     const struct spdm_openssl_key *issuer);
/* The OID in an AlgorithmIdentifier. */
struct spdm_span spdm_x509_algorithm(struct spdm_span identifier);

/* The rules for each certificate and for the leaf. */
void spdm_judge_fields(struct spdm_judging *g);
void spdm_judge_leaf(struct spdm_judging *g);
void spdm_judge_times(struct spdm_judging *g, const struct spdm_x509 *x, unsigned certificate);

/* Reads one certificate and counts. */
bool spdm_judge_read(struct spdm_judge *judge, struct spdm_span der, size_t at, struct spdm_x509 *x);
/* Opens its key and counts; NULL if it is of no use. */
struct spdm_openssl_key *spdm_judge_key(struct spdm_judge *judge, struct spdm_x509 *x);

/* The anchor with this digest, or with these bytes; NULL. */
struct spdm_anchor *spdm_anchor_by_digest(struct spdm_judge *judge, enum spdm_alg hash, struct spdm_span digest);
struct spdm_anchor *spdm_anchor_by_der(const struct spdm_judge *judge, struct spdm_span der);
void spdm_anchor_free(struct spdm_anchor *anchor);
#endif
