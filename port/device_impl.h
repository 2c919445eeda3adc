/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_impl.h - the inside of loading a description, shared by port/device*.c.
 *
 * A group of settings is a table of fields: name, reader, place. Whatever is
 * not in the table is an error with the line it stands on. Every reader
 * returns false after spdm_device_error(). */
#ifndef PORT_DEVICE_IMPL_H
#define PORT_DEVICE_IMPL_H
#include "port/device.h"

#include <libconfig.h>

struct loader {
    const char *path;
    char dir[512]; /* of path, with '/' at the end; files in the description are relative to it */
    struct spdm_openssl *ossl;
    struct spdm_device *device;
    char *error;
    spdm_device_state_of *state;
    void *state_ctx;
    bool provisioned; /* there is a group of that name */
    bool pairs_described;
    /* by index: where a measurement stands whose value is still to be hashed, or made from the log, or is a digest */
    const config_setting_t *to_hash[SPDM_MEAS_ALL + 1], *to_extend[SPDM_MEAS_ALL + 1], *digests[SPDM_MEAS_ALL + 1];
};

struct field {
    const char *name;
    bool (*read)(struct loader *l, const config_setting_t *at, void *out);
    size_t at; /* offset into what read_group got */
};

/* ---- device_libconfig.c ---- */

/* "device.cfg:12: ..."; at may be NULL. Returns false. */
bool spdm_device_error(struct loader *l, const config_setting_t *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reads every setting of a group by its field; `what` names the group in errors. */
bool spdm_device_group(struct loader *l, const config_setting_t *group, const struct field *fields, void *out);
bool spdm_device_text(struct loader *l, const config_setting_t *at, void *out); /* const char *: lives as the config */
bool spdm_device_flag(struct loader *l, const config_setting_t *at, void *out); /* bool */
bool spdm_device_number(struct loader *l, const config_setting_t *at, void *out); /* uint32_t */
/* A number from min to max. */
bool spdm_device_bounded(struct loader *l, const config_setting_t *at, uint32_t min, uint32_t max, uint32_t *out);
/* The texts of a setting that is one text or a list of them, one after the other; NULL after the last. */
const char *spdm_device_word(const config_setting_t *at, int n);
/* Whether it is a text, or a list with nothing else. */
bool spdm_device_words(struct loader *l, const config_setting_t *at);

/* ---- device_flags.c, device_algorithms.c ---- */

bool spdm_device_capabilities(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_errata(struct loader *l, const config_setting_t *at, void *out);
void spdm_device_default_flags(const struct spdm_device *device, struct spdm_policy *policy);
/* Capabilities that each other, or the rest of the description, cannot back up. */
bool spdm_device_check_flags(struct loader *l, config_setting_t *root);
bool spdm_device_algorithms(struct loader *l, const config_setting_t *at, void *out);
/* Those left out; after the capabilities are known. */
bool spdm_device_default_algorithms(struct loader *l);

/* ---- device_session.c ---- */

bool spdm_device_sessions(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_requesters(struct loader *l, const config_setting_t *at, void *out);
/* What both have put into a device. */
void spdm_device_sessions_free(struct spdm_device *device);

/* ---- device_identity.c, device_measure.c ---- */

bool spdm_device_slots(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_public_key(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_measurements(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_log(struct loader *l, const config_setting_t *at, void *out);
/* Bytes of hex digits in pairs, blanks and colons between them allowed; freed by spdm_device_release(), also after an
 * error. */
bool spdm_device_hex(struct loader *l, const config_setting_t *at, const char *hex, struct spdm_span *out);
/* A copy, freed likewise. */
bool spdm_device_copy(struct loader *l, const config_setting_t *at, struct spdm_span bytes, struct spdm_span *out);
/* The private key behind a setting (struct spdm_device_key **), or in a file of the state; opened once however often it
 * is named. */
bool spdm_device_open_key(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_open_kept(struct loader *l, const char *path, struct spdm_device_key **out);
bool spdm_device_key_has(struct loader *l, struct spdm_span spki, const struct spdm_device_key *key);
/* Certificates are well formed and begin with the root, which is found in them if it is not given; *spki is the
 * leaf's. */
bool spdm_device_chain(struct loader *l, const config_setting_t *at, struct spdm_slot *slot, struct spdm_span *spki);
void spdm_device_empty_slot(struct spdm_slot *slot);
bool spdm_device_usage(struct loader *l, const config_setting_t *at, void *out); /* uint16_t: KeyUsageMask */

/* ---- device_report.c ---- */

bool spdm_device_body(struct loader *l, const config_setting_t *at, void *out); /* uint8_t: standards body */
bool spdm_device_endpoint(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_events(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_vendor_defined(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_app_data(struct loader *l, const config_setting_t *at, void *out);
void spdm_device_reports_free(struct spdm_device *device);

/* ---- device_provision.c, device_given.c ---- */

/* Before everything else, as slots name key pairs. */
bool spdm_device_key_pairs(struct loader *l, const config_setting_t *at);
bool spdm_device_banks(struct loader *l, const config_setting_t *at, void *out);
bool spdm_device_bank_slots(struct loader *l, const config_setting_t *at, void *out); /* struct spdm_bank */
bool spdm_device_provisioning(struct loader *l, const config_setting_t *at, void *out);
/* Which slot belongs to which key pair, after both are read. */
bool spdm_device_join_pairs(struct loader *l);
uint32_t spdm_device_provisioning_flags(const struct spdm_device *device);
void spdm_device_provisioning_free(struct spdm_device *device);
/* AlgorithmIdentifier of a pair's key, and its algorithm. */
bool spdm_device_pair_key(struct loader *l, unsigned pair, struct spdm_device_key *key);
/* Whether it may have the slots that it has. */
bool spdm_device_may_share(struct loader *l, unsigned pair);
/* Puts the state over what was described. */
bool spdm_device_give(struct loader *l);

/* After everything else is read: digests need the measurement hash. */
bool spdm_device_hash_measurements(struct loader *l);

/* ---- device_file_openssl.c ---- */

/* A whole file, freed by the caller; name is relative to the description. {NULL, 0} after an error. */
struct spdm_span spdm_device_file(struct loader *l, const config_setting_t *at, const char *name);
/* The certificates of a PEM or DER file as DER back to back, root side first, freed by the caller. */
struct spdm_span spdm_device_certificates(struct loader *l, const config_setting_t *at, const char *name);
/* A public key (PEM or DER SubjectPublicKeyInfo) as DER. */
struct spdm_span spdm_device_spki(struct loader *l, const config_setting_t *at, const char *name);
/* name, relative to the description unless it is absolute; freed by the caller. */
char *spdm_device_path(const struct loader *l, const char *name);
void spdm_device_release(struct spdm_span bytes);
void spdm_device_wipe(struct spdm_span secret); /* the same, and nothing is left of it */
#endif
