/* SPDX-License-Identifier: BSD-3-Clause
 *
 * keys.h - `spdm keys`: makes test identities.
 *
 *   keys.c        what was asked for: options, and what is made of them
 *   keys_write.c  the files, and what is told about them */
#ifndef SPDM_KEYS_H
#define SPDM_KEYS_H
#include "options.h"
#include "port/certgen.h"
#include "port/x509_judge.h"

struct keys_options {
    const char *out;
    uint8_t algorithm; /* enum spdm_alg */
    uint8_t hash;      /* enum spdm_alg, 0: what goes with the algorithm */
    unsigned model;    /* index into device, alias, generic */
    unsigned role;     /* index into responder, requester, both */
    uint32_t intermediates, days;
    const char *subject, *device_info;
    bool keep_ca, force, quiet;
};

/* An identity as made and as the judge sees it. */
struct keys_identity {
    const struct keys_options *options;
    struct spdm_certgen_made made;
    struct spdm_judgement *judgement;
    char device_info[80];
};

/* The files this writes that are there already, as "a, b"; false: there are none. */
bool spdm_keys_present(const struct keys_options *options, char *names, size_t cap);
/* Writes the files; false: cause says which could not be written and why. */
bool spdm_keys_write(const struct keys_identity *id, char *cause, size_t cap);
/* Tells people what was made and what to do with it. */
void spdm_keys_show(const struct keys_identity *id, FILE *out);

int spdm_keys_main(int argc, char **argv);
#endif
