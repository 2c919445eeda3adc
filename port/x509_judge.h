/* SPDX-License-Identifier: BSD-3-Clause
 *
 * x509_judge.h - is this certificate chain to be trusted? The default answer
 * to SPDM_ASK_TRUST and SPDM_ASK_DIGEST.
 *
 * A judge holds trust anchors. It takes a chain structure as DSP0274 lays it
 * out, reads each certificate once, verifies each link once, applies SPDM's
 * rules for the version, model and role at hand, and writes down everything it
 * found, not just the first. Without a trust anchor no chain is trusted.
 *
 *     judge = spdm_judge_open(ossl);
 *     spdm_judge_trust(judge, "roots/", cause);
 *     ...
 *     case SPDM_ASK_DIGEST:
 *     case SPDM_ASK_TRUST:
 *         judgement = spdm_judge_answer(judge, facts, &ev, time(NULL), &answer);
 *         spdm_requester_answer(rq, &answer);   // free the judgement when the connection is closed
 *
 * What was trusted once is remembered by the digest of the chain, in memory
 * (spdm_judge_known) and, if wanted, in a file per device (spdm_judgement_save),
 * from which it is judged again, never just believed.
 *
 * Verdicts that the specification leaves to us: an extension that is critical
 * and not understood refuses the chain; DICE extensions are understood as far
 * as their form goes, what they say is for an appraisal. Names are compared as
 * RFC 5280 says. Validity is compared with `now` unless that is 0.
 *
 * A judge and its judgements belong to one thread at a time. */
#ifndef PORT_X509_JUDGE_H
#define PORT_X509_JUDGE_H
#include "port/x509_read.h"
#include <assay/requester.h>
#include <assay/responder.h>

#define SPDM_JUDGE_CERTIFICATES_MAX 32
#define SPDM_JUDGE_FINDINGS_MAX 48

struct spdm_judge;

enum spdm_judge_role { SPDM_JUDGE_RESPONDER, SPDM_JUDGE_REQUESTER }; /* whose chain it is */

/* What is judged, and under which rules. */
struct spdm_judge_case {
    struct spdm_span chain;  /* Length, RootHash, certificates */
    struct spdm_span digest; /* of the chain, in `hash`, if it is known already; else empty */
    enum spdm_alg hash, signature;
    uint8_t version;
    uint8_t slot;
    uint8_t role;   /* enum spdm_judge_role */
    uint8_t model;  /* enum spdm_cert_model; SPDM_CERT_NONE: not told, the rules of device or alias will do */
    bool multi_key; /* MULTI_KEY_CAP of the party whose chain it is */
    int64_t now;    /* seconds since 1970; 0: there is no clock, validity is not compared */
};

/* ---- findings ---- */

enum spdm_severity { SPDM_NOTE, SPDM_WARNING, SPDM_REFUSAL };

/* Everything a judge can find: name, severity, words. In the words %n is "certificate 2 of 3" (or "the trust anchor"),
 * %g and %l are numbers (found, limit or expected), %o a byte offset, %i an OID, %t a name, %d a time, %f the field or
 * what was found, %w what was wanted. */
#define SPDM_FINDINGS(X)                                                                                               \
    X(CHAIN_SHORT, REFUSAL, "the chain structure has %g bytes, more than %l expected (R-SLT-15)")                      \
    X(CHAIN_LENGTH, REFUSAL, "Length says %g, the chain structure has %l bytes (R-SLT-15)")                            \
    X(CHAIN_RESERVED, WARNING, "Reserved behind Length is %g, 0 expected (R-SLT-15)")                                  \
    X(HASH_UNKNOWN, REFUSAL, "the base hash %g cannot be computed here")                                               \
    X(ROOT_HASH, REFUSAL, "RootHash is not the digest of the root certificate (R-SLT-16)")                             \
    X(NO_CERTIFICATE, REFUSAL, "the chain holds no certificate (R-SLT-12)")                                            \
    X(TOO_MANY, REFUSAL, "the chain holds more than %l certificates")                                                  \
    X(TRAILING, REFUSAL, "%g bytes that are no certificate follow at byte %o (R-SLT-15)")                              \
    X(CUT, REFUSAL, "%n at byte %o claims %g bytes, %l are left (R-SLT-15)")                                           \
    X(MALFORMED, REFUSAL, "%n: %f is not well-formed DER at byte %o (R-SLT-11)")                                       \
    X(VERSION, REFUSAL, "%n is X.509 v%g, v3 expected (R-CRT-01)")                                                     \
    X(SERIAL, REFUSAL, "%n: the serial number is not positive (R-CRT-02)")                                             \
    X(SERIAL_LONG, WARNING, "%n: the serial number has %g bytes, at most %l allowed (RFC 5280)")                       \
    X(ALGORITHMS_DIFFER, REFUSAL, "%n: the signature algorithm differs inside and outside (R-CRT-03)")                 \
    X(NO_ISSUER, REFUSAL, "%n: the issuer name is empty (R-CRT-04)")                                                   \
    X(NO_SUBJECT, REFUSAL, "%n: the subject name is empty (R-CRT-05)")                                                 \
    X(BAD_TIME, REFUSAL, "%n: a date of the validity is no date of RFC 5280 (R-CRT-06)")                               \
    X(TIME_RANGE, REFUSAL, "%n: the validity begins before 1970 or ends before it begins (R-CRT-06)")                  \
    X(NOT_YET_VALID, REFUSAL, "%n is not valid before %d (R-CRT-06)")                                                  \
    X(EXPIRED, REFUSAL, "%n was valid until %d (R-CRT-06)")                                                            \
    X(REPEATED, REFUSAL, "%n: extension %i occurs twice (RFC 5280)")                                                   \
    X(CRITICAL, REFUSAL, "%n: extension %i is critical and not understood (RFC 5280)")                                 \
    X(KEY, REFUSAL, "%n: the public key cannot be used")                                                               \
    X(KEY_WEAK, REFUSAL, "%n: the %g-bit RSA key is too weak to sign certificates, %l bits needed")                    \
    X(KEY_MISMATCH, REFUSAL, "%n: the public key is %f, %w was negotiated (R-CRT-07)")                                 \
    X(NOT_A_CA, REFUSAL, "%n signs certificates, but basicConstraints does not say CA:TRUE (R-CRT-11)")                \
    X(PATH_LEN, REFUSAL, "%n allows %l CA certificates below it, %g follow (RFC 5280)")                                \
    X(NO_CERT_SIGN, REFUSAL, "%n signs certificates, but its keyUsage lacks keyCertSign (RFC 5280)")                   \
    X(LINK_NAME, REFUSAL, "%n: the issuer is not the subject of the certificate before it (R-SLT-02)")                 \
    X(LINK_SIGNATURE, REFUSAL, "%n is not signed by the key before it (R-SLT-02)")                                     \
    X(LINK_ALGORITHM, REFUSAL, "%n: the signature algorithm %i is unknown here or does not fit the issuer's key")      \
    X(LINK_WEAK, REFUSAL, "%n: the signature algorithm %i is broken")                                                  \
    X(KEY_ID, NOTE, "%n: authorityKeyIdentifier is not the subjectKeyIdentifier of the issuer (RFC 5280)")             \
    X(NOT_SELF_SIGNED, REFUSAL, "%n names itself as issuer, but did not sign itself: it is no root (R-SLT-02)")        \
    X(NO_ANCHORS, REFUSAL, "there are no trust anchors (R-AUT-09)")                                                    \
    X(UNKNOWN_ROOT, REFUSAL, "the root, %t, is none of the %g trust anchors (R-SLT-18)")                               \
    X(MODEL_GENERIC, REFUSAL, "GenericCert is not allowed in slot %g, or without MULTI_KEY_CAP (R-SLT-08, R-SLT-09)")  \
    X(MODEL_SINGLE, REFUSAL, "a chain of one certificate cannot be of the alias model (R-SLT-14)")                     \
    X(LEAF_IS_CA, REFUSAL, "%n is the leaf, but basicConstraints says CA:TRUE (R-CRT-10)")                             \
    X(LEAF_NO_BASIC, REFUSAL, "%n is the leaf and lacks basicConstraints, mandatory since 1.3 (R-CRT-10)")             \
    X(LEAF_NO_USAGE, REFUSAL, "%n is the leaf and lacks keyUsage (R-CRT-08)")                                          \
    X(LEAF_NO_SIGNING, REFUSAL, "%n is the leaf, but its keyUsage lacks digitalSignature (R-CRT-08)")                  \
    X(LEAF_ROLE, REFUSAL, "%n: extendedKeyUsage allows the other role only (R-CRT-14)")                                \
    X(CA_ROLE, NOTE, "%n: extendedKeyUsage names an SPDM role, which belongs in the leaf (R-CRT-18)")                  \
    X(SPDM_EXTENSION, REFUSAL, "%n: the SPDM extension is malformed (R-CRT-19)")                                       \
    X(SPDM_CRITICAL, WARNING, "%n: the SPDM extension is critical (R-CRT-19)")                                         \
    X(DEVICE_INFO, REFUSAL, "%n: the device info is not manufacturer:product:serial (R-CRT-17)")                       \
    X(HARDWARE_IN_ALIAS, REFUSAL, "%n is an alias certificate, but carries the hardware identity OID (R-MDL-10)")      \
    X(MUTABLE_DEVICE, WARNING, "%n is not of the alias model, but carries the mutable certificate OID (R-MDL-11)")     \
    X(MUTABLE_SOME, WARNING, "%n lacks the mutable certificate OID that others carry (R-MDL-09)")                      \
    X(NO_HARDWARE, NOTE, "no certificate carries the hardware identity OID (R-MDL-02)")                                \
    X(TCB_INFO, WARNING, "%n: the DICE TcbInfo is malformed")                                                          \
    X(TCB_CRITICAL, NOTE, "%n: the critical DICE TcbInfo is left to an appraisal")                                     \
    X(VALID_FOREVER, NOTE, "validity was not compared with the time: there is no clock")                               \
    X(OUT_OF_MEMORY, REFUSAL, "there is not enough memory to judge the chain")

#define SPDM_FINDING_ENUM(name, severity, words) SPDM_FOUND_##name,
enum spdm_finding_id { SPDM_FINDINGS(SPDM_FINDING_ENUM) SPDM_FOUND_N };
#undef SPDM_FINDING_ENUM

struct spdm_finding {
    uint8_t id;          /* enum spdm_finding_id */
    uint8_t severity;    /* enum spdm_severity */
    uint8_t certificate; /* 1 is the first of the chain, 0 the chain as a whole, SPDM_FINDING_ANCHOR the anchor */
    const char *field;   /* %f */
    const char *wanted;  /* %w */
    uint32_t at;         /* byte in the chain structure */
    int64_t got, limit;
    struct spdm_span what; /* OID or Name */
};
#define SPDM_FINDING_ANCHOR 0xff

/* ---- judgements ---- */

struct spdm_judgement {
    spdm_verdict verdict; /* SPDM_GOOD: trusted */
    bool consistent;      /* nothing but the trust anchor is missing */
    bool root_included;   /* the first certificate is a root */
    uint8_t model;        /* enum spdm_cert_model by whose rules the leaf was judged */
    uint8_t certificate_n;
    uint8_t finding_n;
    const struct spdm_openssl_key *key;  /* trusted: the leaf's, for answer.key; else NULL */
    const struct spdm_x509 *certificate; /* root side first; those that could be read */
    const struct spdm_x509 *anchor;      /* trusted: the anchor that vouches */
    const struct spdm_finding *finding;  /* refusals first, then in the order of the chain */
    struct spdm_judge_case input;        /* as given; chain and digest are the judgement's own copies */
};

/* The sentence of a finding. */
size_t spdm_finding_text(const struct spdm_judgement *judgement, const struct spdm_finding *finding, char *out,
                         size_t cap);
/* "ROOT_HASH" */
const char *spdm_finding_name(uint8_t id);
/* The last certificate, NULL if none could be read. */
const struct spdm_x509 *spdm_judgement_leaf(const struct spdm_judgement *judgement);

struct spdm_judgement *spdm_judgement_share(struct spdm_judgement *judgement);
/* One holder less; the last one frees. NULL is fine. */
void spdm_judgement_free(struct spdm_judgement *judgement);

/* ---- the judge ---- */

struct spdm_judge *spdm_judge_open(struct spdm_openssl *ossl);
/* Judgements that are still held stay usable, but for their anchor; ossl must outlive them. */
void spdm_judge_close(struct spdm_judge *judge);

/* Adds trust anchors: a file with certificates in PEM or one in DER, or a directory of such files (.pem .crt .cer
 * .der). The number of certificates read, known ones included; 0: cause (may be NULL) says why. */
unsigned spdm_judge_trust(struct spdm_judge *judge, const char *path, char *cause);
bool spdm_judge_trust_der(struct spdm_judge *judge, struct spdm_span der, char *cause);
unsigned spdm_judge_anchor_n(const struct spdm_judge *judge);
/* Accepts a critical extension that the judge does not understand, as "1.2.3.4". */
bool spdm_judge_accept_critical(struct spdm_judge *judge, const char *oid, char *cause);

/* NULL only when memory ran out. Freed by spdm_judgement_free(). */
struct spdm_judgement *spdm_judge_decide(struct spdm_judge *judge, const struct spdm_judge_case *input);

/* The case that a question of a requester engine is about (certificates.md section 5 step 6). */
void spdm_judge_case_of(const struct spdm_facts *facts, const struct spdm_event *ev, struct spdm_judge_case *input);
/* Answers SPDM_ASK_DIGEST from what is known and SPDM_ASK_TRUST by judging and remembering. The judgement behind the
 * answer, to be freed when the connection is closed and not before; NULL: unknown digest, or out of memory. */
struct spdm_judgement *spdm_judge_answer(struct spdm_judge *judge, const struct spdm_facts *facts,
                                         const struct spdm_event *ev, int64_t now, struct spdm_answer *answer);

/* ---- what is known ---- */

/* Remembers a trusted judgement; others are left alone. */
void spdm_judge_remember(struct spdm_judge *judge, struct spdm_judgement *judgement);
/* The remembered judgement of the chain with this digest under the same rules (input->chain is not looked at), if
 * its certificates are valid now; NULL: none. Freed by spdm_judgement_free(). */
struct spdm_judgement *spdm_judge_known(struct spdm_judge *judge, const struct spdm_judge_case *input);
/* Forgets the chain with this digest, all of them when it is empty. */
void spdm_judge_forget(struct spdm_judge *judge, struct spdm_span digest);

/* Writes the chain of a trusted judgement to a file of people's and machines' liking; a file that is there is
 * replaced in one step. */
bool spdm_judgement_save(const struct spdm_judgement *judgement, const char *path, char *cause);
/* Judges what such a file holds, and remembers it if it is trusted. NULL: cause says why the file is of no use. */
struct spdm_judgement *spdm_judge_load(struct spdm_judge *judge, const char *path, int64_t now, char *cause);

/* ---- for tests and benchmarks ---- */

struct spdm_judge_counts {
    unsigned certificates_read, signatures_verified, keys_opened;
};
struct spdm_judge_counts spdm_judge_counts(const struct spdm_judge *judge);
#endif
