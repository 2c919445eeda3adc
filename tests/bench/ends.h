/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ends.h - a device and who attests it, in one process, on OpenSSL: the port's
 * crypto, its certificate judge, its signer. Frames are handed over in memory. */
#ifndef ASSAY_TESTS_BENCH_ENDS_H
#define ASSAY_TESTS_BENCH_ENDS_H
#include "port/keystore.h"
#include "port/x509_judge.h"
#include <assay/session.h>
#include <openssl/evp.h>

enum { ENDS_CERTIFICATES = 3, ENDS_BLOCKS = 8, ENDS_TRANSFER = 4096, ENDS_RECORD = 65600, ENDS_SESSION = 1280 };
enum { ENDS_LARGE = 8192, ENDS_CHAIN = 24576 }; /* with post-quantum signatures */

struct ends_suite {
    enum spdm_alg signature, hash;
    const char *curve; /* libcrypto's name; NULL: the key type is no curve's */
    const char *type;  /* then this */
};

struct ends {
    struct ends_suite suite;
    struct spdm_openssl *ossl;
    struct spdm_judge *judge;
    struct spdm_signer *signer;
    EVP_PKEY *key[ENDS_CERTIFICATES]; /* root, intermediate, leaf */

    uint8_t certificates[ENDS_CHAIN], digests[ENDS_BLOCKS][SPDM_HASH_MAX];
    size_t certificates_n, root_n;
    uint8_t hashes[2], signatures[2];
    struct spdm_identity identity;
    struct spdm_measurement measurements[ENDS_BLOCKS];
    struct spdm_policy req_policy, rsp_policy;
    struct spdm_config req_config, rsp_config;
    uint8_t req_out[ENDS_LARGE], rsp_out[ENDS_LARGE], chain[ENDS_CHAIN];

    struct spdm_requester *rq;
    struct spdm_responder *rs;
    uint64_t req_memory[768], rsp_memory[768];
    struct spdm_judgement *judgement; /* behind the key in use */
    const void *vouched;              /* key to vouch for at the start of each connection; NULL: none */
    /* Answers ASK_DIGEST and ASK_TRUST; NULL: the judge does, without remembering anything. */
    bool (*trust)(struct ends *e, const struct spdm_event *ev, struct spdm_answer *answer);
    uint8_t vouched_hash[SPDM_HASH_MAX];
    unsigned stop_after; /* frames, then ends_run() returns; 0: never */

    unsigned messages; /* that passed, and their bytes, binding's header included */
    size_t bytes;

    /* ends_sessions() */
    uint8_t exchanges[2], req_record[ENDS_RECORD], rsp_record[ENDS_RECORD], req_in[ENDS_RECORD], rsp_in[ENDS_RECORD];
    uint64_t req_session[ENDS_SESSION / 8], rsp_session[ENDS_SESSION / 8];
    uint32_t session; /* opened last */
};

/* Makes keys, a chain of three certificates with the root as trust anchor, and eight measurement blocks that are 448
 * bytes with SHA-384, as many as the reference's device has. */
void ends_open(struct ends *e, const struct ends_suite *suite);
void ends_close(struct ends *e);

/* A new connection of both ends. */
void ends_connect(struct ends *e);
void ends_disconnect(struct ends *e);
/* Pursues a goal; it must be reached. */
void ends_run(struct ends *e, const struct spdm_goal *goal);

/* Between ends_open() and ends_connect(): one session, AES-256-GCM, room for the largest records. */
void ends_sessions(struct ends *e);
/* Where that session lies: to be called for a copy of e, which has memory of its own. */
void ends_session_place(struct ends *e);
void ends_session_open(struct ends *e);
void ends_session_close(struct ends *e);
/* Application data from end to end, as a caller sends and receives it. */
struct spdm_span ends_to_responder(struct ends *e, struct spdm_span data);
struct spdm_span ends_to_requester(struct ends *e, struct spdm_span data);

extern const struct ends_suite ends_p256, ends_p384;
extern const struct spdm_goal ends_attest; /* chain, challenge, all measurements signed */
extern const struct spdm_goal ends_again;  /* all measurements signed */
#endif
