/* SPDX-License-Identifier: BSD-3-Clause
 *
 * vendor_id.h - vendors and their data as command lines name them: PCI-SIG:8680=0102, IANA:0000019c=@FILE. */
#ifndef SPDM_VENDOR_ID_H
#define SPDM_VENDOR_ID_H
#include <assay/span.h>
#include <stdbool.h>

struct spdm_vendor_id {
    uint8_t body; /* standards body: its number in the registry */
    uint8_t id[255];
    size_t n;
};

/* "BODY" or "BODY:ID": a name or number, and hex in the order in which it is sent. false: error says why. */
bool spdm_vendor_id_parse(const char *text, struct spdm_vendor_id *out, char *error, size_t cap);
/* Hex, or @FILE for its bytes; at most `max`. `out` is to be freed, also if there are none. */
bool spdm_vendor_data_read(const char *text, size_t max, struct spdm_room *out, char *error, size_t cap);
/* "BODY[:ID]=DATA". */
bool spdm_vendor_pair_read(const char *text, struct spdm_vendor_id *vendor, struct spdm_room *data, char *error,
                           size_t cap);
#endif
