/* SPDX-License-Identifier: BSD-3-Clause
 *
 * names.c - capability flags and versions by name.
 *
 * One row for every value a field can have; a field of one bit has one row. */
#include "names.h"
#include <assay/spdm.h>
#include <string.h>

static const struct capability {
    uint32_t mask, value;
    const char *name;
} capabilities[] = {
    {SPDM_CACHE_CAP, SPDM_CACHE_CAP, "CACHE_CAP"},
    {SPDM_CERT_CAP, SPDM_CERT_CAP, "CERT_CAP"},
    {SPDM_CHAL_CAP, SPDM_CHAL_CAP, "CHAL_CAP"},
    {SPDM_MEAS_CAP_MASK, SPDM_MEAS_CAP_PLAIN, "MEAS_CAP_NO_SIG"},
    {SPDM_MEAS_CAP_MASK, SPDM_MEAS_CAP_SIGNED, "MEAS_CAP_SIG"},
    {SPDM_MEAS_FRESH_CAP, SPDM_MEAS_FRESH_CAP, "MEAS_FRESH_CAP"},
    {SPDM_ENCRYPT_CAP, SPDM_ENCRYPT_CAP, "ENCRYPT_CAP"},
    {SPDM_MAC_CAP, SPDM_MAC_CAP, "MAC_CAP"},
    {SPDM_MUT_AUTH_CAP, SPDM_MUT_AUTH_CAP, "MUT_AUTH_CAP"},
    {SPDM_KEY_EX_CAP, SPDM_KEY_EX_CAP, "KEY_EX_CAP"},
    {SPDM_PSK_CAP_MASK, SPDM_PSK_CAP, "PSK_CAP"},
    {SPDM_PSK_CAP_MASK, SPDM_PSK_CAP_CONTEXT, "PSK_CAP_WITH_CONTEXT"},
    {SPDM_ENCAP_CAP, SPDM_ENCAP_CAP, "ENCAP_CAP"},
    {SPDM_HBEAT_CAP, SPDM_HBEAT_CAP, "HBEAT_CAP"},
    {SPDM_KEY_UPD_CAP, SPDM_KEY_UPD_CAP, "KEY_UPD_CAP"},
    {SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, SPDM_HANDSHAKE_IN_THE_CLEAR_CAP, "HANDSHAKE_IN_THE_CLEAR_CAP"},
    {SPDM_PUB_KEY_ID_CAP, SPDM_PUB_KEY_ID_CAP, "PUB_KEY_ID_CAP"},
    {SPDM_CHUNK_CAP, SPDM_CHUNK_CAP, "CHUNK_CAP"},
    {SPDM_ALIAS_CERT_CAP, SPDM_ALIAS_CERT_CAP, "ALIAS_CERT_CAP"},
    {SPDM_SET_CERT_CAP, SPDM_SET_CERT_CAP, "SET_CERT_CAP"},
    {SPDM_CSR_CAP, SPDM_CSR_CAP, "CSR_CAP"},
    {SPDM_CERT_INSTALL_RESET_CAP, SPDM_CERT_INSTALL_RESET_CAP, "CERT_INSTALL_RESET_CAP"},
    {SPDM_EP_INFO_CAP_MASK, SPDM_EP_INFO_CAP_PLAIN, "EP_INFO_CAP_NO_SIG"},
    {SPDM_EP_INFO_CAP_MASK, SPDM_EP_INFO_CAP_SIGNED, "EP_INFO_CAP_SIG"},
    {SPDM_MEL_CAP, SPDM_MEL_CAP, "MEL_CAP"},
    {SPDM_EVENT_CAP, SPDM_EVENT_CAP, "EVENT_CAP"},
    {SPDM_MULTI_KEY_CAP_MASK, SPDM_MULTI_KEY_CAP_ONLY, "MULTI_KEY_CAP_ONLY"},
    {SPDM_MULTI_KEY_CAP_MASK, SPDM_MULTI_KEY_CAP_NEG, "MULTI_KEY_CAP_NEG"},
    {SPDM_GET_KEY_PAIR_INFO_CAP, SPDM_GET_KEY_PAIR_INFO_CAP, "GET_KEY_PAIR_INFO_CAP"},
    {SPDM_SET_KEY_PAIR_INFO_CAP, SPDM_SET_KEY_PAIR_INFO_CAP, "SET_KEY_PAIR_INFO_CAP"},
    {SPDM_SET_KEY_PAIR_RESET_CAP, SPDM_SET_KEY_PAIR_RESET_CAP, "SET_KEY_PAIR_RESET_CAP"},
    {SPDM_LARGE_RESP_CAP, SPDM_LARGE_RESP_CAP, "LARGE_RESP_CAP"},
};
#define CAPABILITY_N (sizeof capabilities / sizeof capabilities[0])

const char *spdm_capability_name(uint32_t flags, uint16_t ext_flags, size_t n)
{
    for (size_t i = 0; i < CAPABILITY_N; i++)
        if ((flags & capabilities[i].mask) == capabilities[i].value && n-- == 0) return capabilities[i].name;
    return n == 0 && (ext_flags & SPDM_SLOT_MGMT_CAP) != 0 ? "SLOT_MGMT_CAP" : NULL;
}

static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", "1.4"};

const char *spdm_version_name(uint8_t version)
{
    return version >= SPDM_V10 && version <= SPDM_V14 ? versions[version - SPDM_V10] : "?";
}

uint8_t spdm_version_named(const char *name)
{
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (strcmp(versions[i], name) == 0) return (uint8_t)(SPDM_V10 + i);
    return 0;
}
