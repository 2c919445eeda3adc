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
    unsigned next_slot;
    /* by index: where a measurement stands whose value is still to be hashed, or is a digest already */
    const config_setting_t *to_hash[SPDM_MEAS_ALL + 1], *digests[SPDM_MEAS_ALL + 1];
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
uint32_t spdm_device_default_flags(const struct spdm_device *device);
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
/* Bytes of hex digits in pairs, blanks and colons between them allowed; freed by spdm_device_release(), also after an
 * error. */
bool spdm_device_hex(struct loader *l, const config_setting_t *at, const char *hex, struct spdm_span *out);
/* A copy, freed likewise. */
bool spdm_device_copy(struct loader *l, const config_setting_t *at, struct spdm_span bytes, struct spdm_span *out);
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
