/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keys.c - `spdm keys`: a root, certificate authorities and a device's key
 * and certificate, to try things out with. What is made is put before the
 * judge before it is written: an identity that our own verifier would refuse
 * is a bug, and is not handed out. */
#include "keys.h"
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

static const char *const models[] = {"device", "alias", "generic", NULL};
static const char *const roles[] = {"responder", "requester", "both", NULL};

/* What people call the algorithms here; every name of the specification is understood, too. */
static const struct {
    const char *name;
    enum spdm_alg alg;
} algorithms[] = {{"ecdsa-p256", SPDM_ECDSA_P256},
                  {"ecdsa-p384", SPDM_ECDSA_P384},
                  {"ecdsa-p521", SPDM_ECDSA_P521},
                  {"rsa-2048", SPDM_RSASSA_2048},
                  {"rsa-3072", SPDM_RSASSA_3072},
                  {"rsa-4096", SPDM_RSASSA_4096},
                  {"ed25519", SPDM_ED25519},
                  {"ed448", SPDM_ED448},
                  {"sm2", SPDM_SM2},
                  {"ml-dsa-44", SPDM_ML_DSA_44},
                  {"ml-dsa-65", SPDM_ML_DSA_65},
                  {"ml-dsa-87", SPDM_ML_DSA_87},
                  {"slh-dsa-sha2-128s", SPDM_SLH_DSA_SHA2_128S},
                  {"slh-dsa-sha2-128f", SPDM_SLH_DSA_SHA2_128F},
                  {"slh-dsa-sha2-192s", SPDM_SLH_DSA_SHA2_192S},
                  {"slh-dsa-sha2-192f", SPDM_SLH_DSA_SHA2_192F},
                  {"slh-dsa-sha2-256s", SPDM_SLH_DSA_SHA2_256S},
                  {"slh-dsa-sha2-256f", SPDM_SLH_DSA_SHA2_256F},
                  {"slh-dsa-shake-128s", SPDM_SLH_DSA_SHAKE_128S},
                  {"slh-dsa-shake-128f", SPDM_SLH_DSA_SHAKE_128F},
                  {"slh-dsa-shake-192s", SPDM_SLH_DSA_SHAKE_192S},
                  {"slh-dsa-shake-192f", SPDM_SLH_DSA_SHAKE_192F},
                  {"slh-dsa-shake-256s", SPDM_SLH_DSA_SHAKE_256S},
                  {"slh-dsa-shake-256f", SPDM_SLH_DSA_SHAKE_256F}};

static bool parse_algorithm(const char *text, void *field, char *error, size_t cap)
{
    const char *names[sizeof algorithms / sizeof algorithms[0] + 1] = {NULL};
    enum spdm_alg alg = spdm_algorithm_named(text);

    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        names[i] = algorithms[i].name;
        if (strcmp(text, names[i]) == 0) alg = algorithms[i].alg;
    }
    uint8_t cls = spdm_algorithm(alg)->cls;
    if (alg != SPDM_ALG_NONE && (cls == SPDM_CLASS_ASYM || cls == SPDM_CLASS_PQC)) {
        *(uint8_t *)field = (uint8_t)alg;
        return true;
    }
    const char *near = spdm_options_nearest(text, names);
    snprintf(error, cap, "no signature algorithm%s%s%s", near != NULL ? "; did you mean " : "",
             near != NULL ? near : "", near != NULL ? "?" : ", such as ecdsa-p384");
    return false;
}

static bool parse_hash(const char *text, void *field, char *error, size_t cap)
{
    enum spdm_alg alg = spdm_algorithm_named(text);

    if (spdm_algorithm(alg)->cls == SPDM_CLASS_HASH && alg != SPDM_SM3_256) {
        *(uint8_t *)field = (uint8_t)alg;
        return true;
    }
    snprintf(error, cap, "no hash that certificates are signed with: sha-256, sha-384, sha-512, sha3-256, ...");
    return false;
}

#define AT(field) offsetof(struct keys_options, field)
static const struct spdm_option options[] = {
    SPDM_OPTION_GROUP("Where to"),
    {.name = "out",
     .letter = 'o',
     .kind = SPDM_OPTION_TEXT,
     .complete = SPDM_COMPLETE_FILE,
     .at = AT(out),
     .value = "DIR",
     .help = "directory for the files; made if it is not there"},
    {.name = "force",
     .letter = 'f',
     .kind = SPDM_OPTION_FLAG,
     .at = AT(force),
     .help = "overwrite files that are there"},
    {.name = "quiet", .letter = 'q', .kind = SPDM_OPTION_FLAG, .at = AT(quiet), .help = "print errors only"},
    SPDM_OPTION_GROUP("What to make"),
    {.name = "algorithm",
     .letter = 'a',
     .kind = SPDM_OPTION_OWN,
     .at = AT(algorithm),
     .value = "NAME",
     .parse = parse_algorithm,
     .help = "of all keys (default ecdsa-p384): ecdsa-p256, ecdsa-p384, ecdsa-p521, rsa-2048, rsa-3072, rsa-4096, "
             "ed25519, ed448, sm2; with OpenSSL 3.5 ml-dsa-44, -65, -87, slh-dsa-sha2-128s, -128f, -192s, ... -256f, "
             "and the "
             "same with shake"},
    {.name = "hash",
     .kind = SPDM_OPTION_OWN,
     .at = AT(hash),
     .value = "NAME",
     .parse = parse_hash,
     .help = "that ECDSA and RSA sign the certificates with (default: what goes with the algorithm)"},
    {.name = "model",
     .letter = 'm',
     .kind = SPDM_OPTION_CHOICE,
     .at = AT(model),
     .value = "device|alias|generic",
     .choices = models,
     .help = "certificate model (default device)"},
    {.name = "role",
     .kind = SPDM_OPTION_CHOICE,
     .at = AT(role),
     .value = "responder|requester|both",
     .choices = roles,
     .help = "what the leaf may authenticate (default responder)"},
    {.name = "intermediates",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(intermediates),
     .value = "N",
     .min = 0,
     .max = SPDM_CERTGEN_INTERMEDIATES_MAX,
     .help = "certificate authorities between root and device (default 1)"},
    {.name = "days",
     .kind = SPDM_OPTION_NUMBER,
     .at = AT(days),
     .value = "N",
     .min = 1,
     .max = 36500,
     .help = "how long the certificates are valid (default 3650)"},
    {.name = "subject",
     .letter = 's',
     .kind = SPDM_OPTION_TEXT,
     .at = AT(subject),
     .value = "NAME",
     .help = "the device's name: a common name, or \"CN=widget,O=ACME\" (default \"Assay test device\")"},
    {.name = "device-info",
     .kind = SPDM_OPTION_TEXT,
     .at = AT(device_info),
     .value = "M:P:S",
     .help = "manufacturer:product:serial in the certificate; empty for none (default one with a random serial)"},
    {.name = "keep-ca",
     .kind = SPDM_OPTION_FLAG,
     .at = AT(keep_ca),
     .help = "keep the key of the authority that signs devices, for `spdm provision`: ca.key and ca.pem"},
    {.name = NULL}};

const struct spdm_command spdm_keys_command = {
    .name = "keys",
    .summary = "make a test identity: root, certificates, key",
    .about =
        "Makes a root, certificate authorities, and a device's key and certificate with the extensions SPDM wants, "
        "all new. The keys of the authorities are thrown away unless --keep-ca is given; the device's is written "
        "without "
        "a passphrase. For "
        "tests: a product's keys are made inside the product.",
    .more = "Files in DIR: root.pem and root.der for verifiers to trust, chain.der (all certificates, root first), "
            "leaf.key (the private key), leaf.pub (the public key), device.cfg for `spdm respond`; with --keep-ca "
            "ca.key (the authority's private key) and ca.pem (its certificates, root first).\n"
            "\n"
            "Examples:\n"
            "  spdm keys --out widget\n"
            "  spdm keys --out widget --algorithm ecdsa-p256 --model alias --intermediates 2\n"
            "  spdm keys --out widget --subject CN=widget,O=ACME --device-info ACME:widget:0042",
    .options = options,
    .main = spdm_keys_main};

/* What is wrong with the options together; NULL if nothing is. */
static const char *contradiction(const struct keys_options *o)
{
    const char *first = o->device_info != NULL ? strchr(o->device_info, ':') : NULL;
    const char *second = first != NULL ? strchr(first + 1, ':') : NULL;
    bool own_hash = o->algorithm == SPDM_SM2 || o->algorithm >= SPDM_ED25519;

    if (o->out == NULL) return "where to? Name a directory with --out";
    if (o->hash != 0 && own_hash) return "--hash is for ECDSA and RSA: the other algorithms have no choice";
    if (o->device_info != NULL && o->device_info[0] != '\0' && (second == NULL || strchr(second + 1, ':') != NULL)) {
        return "--device-info is manufacturer:product:serial, with two colons";
    }
    if (o->device_info != NULL && strlen(o->device_info) >= 80) return "--device-info is longer than 79 bytes";
    if (o->subject != NULL && o->subject[0] == '\0') return "--subject is empty";
    return NULL;
}

/* "Assay:test device:1f2e3d4c", or what was asked for; NULL for none. */
static const char *device_info_of(struct spdm_openssl *ossl, struct keys_identity *id)
{
    const struct keys_options *o = id->options;
    uint8_t serial[4] = {0};

    if (o->device_info == NULL && o->model != 2) {
        (void)spdm_openssl_crypto()->random(ossl, serial, sizeof serial);
        snprintf(id->device_info, sizeof id->device_info, "Assay:test device:%02x%02x%02x%02x", serial[0], serial[1],
                 serial[2], serial[3]);
    } else {
        snprintf(id->device_info, sizeof id->device_info, "%s", o->device_info != NULL ? o->device_info : "");
    }
    return id->device_info[0] != '\0' ? id->device_info : NULL;
}

/* The chain as it would be sent, judged by the rules it was made for. */
static struct spdm_judgement *judge(struct spdm_openssl *ossl, struct keys_identity *id, int64_t now)
{
    const struct spdm_certgen_made *made = &id->made;
    struct spdm_span root = {made->certificate[0].p, made->certificate[0].n};
    struct spdm_room chain = spdm_certgen_chain(ossl, made, SPDM_SHA_384);
    struct spdm_judge *j = spdm_judge_open(ossl);
    struct spdm_judgement *judgement = NULL;

    if (j != NULL && chain.p != NULL && spdm_judge_trust_der(j, root, NULL)) {
        struct spdm_judge_case input = {.chain = {chain.p, chain.n}, .hash = SPDM_SHA_384, .version = SPDM_V14};
        input.now = now;
        input.signature = (enum spdm_alg)id->options->algorithm;
        input.model = (uint8_t)(SPDM_CERT_DEVICE + id->options->model);
        input.role = id->options->role == 1 ? SPDM_JUDGE_REQUESTER : SPDM_JUDGE_RESPONDER;
        input.slot = id->options->model == 2;
        input.multi_key = id->options->model == 2;
        judgement = spdm_judge_decide(j, &input);
    }
    OPENSSL_free(chain.p);
    spdm_judge_close(j);
    return judgement;
}

static bool make(struct spdm_openssl *ossl, struct keys_identity *id, char *cause)
{
    const struct keys_options *o = id->options;
    struct spdm_certgen_plan plan = {.algorithm = (enum spdm_alg)o->algorithm, .hash = (enum spdm_alg)o->hash};

    plan.model = (uint8_t)(SPDM_CERT_DEVICE + o->model);
    plan.responder = o->role != 1;
    plan.requester = o->role != 0;
    plan.intermediates = o->intermediates;
    plan.days = o->days;
    plan.now = time(NULL);
    plan.subject = o->subject != NULL ? o->subject : "Assay test device";
    plan.device_info = device_info_of(ossl, id);
    plan.keep_authority = o->keep_ca;
    if (!spdm_certgen_make(ossl, &plan, &id->made, cause)) return false;
    id->judgement = judge(ossl, id, plan.now);
    if (id->judgement != NULL && id->judgement->verdict == SPDM_GOOD) return true;
    snprintf(cause, SPDM_CAUSE_MAX, "what was made would not be trusted: ");
    if (id->judgement != NULL && id->judgement->finding_n != 0) {
        size_t at = strlen(cause);
        (void)spdm_finding_text(id->judgement, id->judgement->finding, cause + at, SPDM_CAUSE_MAX - at);
    }
    return false;
}

static int run(struct keys_identity *id)
{
    char cause[SPDM_CAUSE_MAX] = "";
    struct spdm_openssl *ossl = spdm_openssl_open(NULL, cause);
    bool done = ossl != NULL && make(ossl, id, cause) && spdm_keys_write(id, cause, sizeof cause);

    if (!done) {
        fprintf(stderr, "spdm keys: %s\n", cause);
    } else if (!id->options->quiet) {
        spdm_keys_show(id, stdout);
    }
    spdm_judgement_free(id->judgement);
    spdm_certgen_free(&id->made);
    spdm_openssl_close(ossl);
    return done ? SPDM_EXIT_OK : SPDM_EXIT_USAGE;
}

int spdm_keys_main(int argc, char **argv)
{
    struct keys_options o = {.algorithm = SPDM_ECDSA_P384, .intermediates = 1, .days = 3650};
    struct spdm_texts operands = {NULL, 0};
    struct keys_identity id = {.options = &o};
    char present[300];

    int rc = spdm_options_parse(&spdm_keys_command, argc, argv, &o, &operands);
    if (rc != SPDM_PARSED) return rc;
    const char *wrong = contradiction(&o);
    if (wrong != NULL) return spdm_options_error(&spdm_keys_command, "%s", wrong);
    if (!o.force && spdm_keys_present(&o, present, sizeof present)) {
        return spdm_options_error(&spdm_keys_command, "%s holds %s already; --force overwrites", o.out, present);
    }
    return run(&id);
}
