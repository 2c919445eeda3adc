/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_words.c - masks and numbers of errands in words. */
#include "info.h"
#include <stdlib.h>
#include <string.h>

const char *spdm_info_capability(const char *name)
{
    static const struct {
        const char *name, *words;
    } known[] = {{"CACHE_CAP", "remembers what was negotiated"},
                 {"CERT_CAP", "shows its certificates"},
                 {"CHAL_CAP", "proves on demand that it holds their key"},
                 {"MEAS_CAP_NO_SIG", "is measured, without signatures"},
                 {"MEAS_CAP_SIG", "is measured, and signs that"},
                 {"MEAS_FRESH_CAP", "measures anew when asked"},
                 {"ENCRYPT_CAP", "encrypts in sessions"},
                 {"MAC_CAP", "authenticates in sessions"},
                 {"MUT_AUTH_CAP", "wants to know who asks"},
                 {"KEY_EX_CAP", "opens sessions by key exchange"},
                 {"PSK_CAP", "opens sessions by pre-shared key"},
                 {"PSK_CAP_WITH_CONTEXT", "opens sessions by pre-shared key, with fresh keys each"},
                 {"ENCAP_CAP", "asks by way of encapsulated requests"},
                 {"HBEAT_CAP", "watches over sessions by heartbeats"},
                 {"KEY_UPD_CAP", "renews the keys of sessions"},
                 {"HANDSHAKE_IN_THE_CLEAR_CAP", "may open sessions in the clear"},
                 {"PUB_KEY_ID_CAP", "is known by a public key that was provisioned"},
                 {"CHUNK_CAP", "moves large messages in chunks"},
                 {"ALIAS_CERT_CAP", "has certificates of the alias model"},
                 {"SET_CERT_CAP", "takes new certificates"},
                 {"CSR_CAP", "asks for certificates to be signed"},
                 {"CERT_INSTALL_RESET_CAP", "may need a reset for that"},
                 {"EP_INFO_CAP_NO_SIG", "tells device classes, without signatures"},
                 {"EP_INFO_CAP_SIG", "tells device classes, and signs them"},
                 {"MEL_CAP", "keeps a measurement extension log"},
                 {"EVENT_CAP", "tells of events"},
                 {"MULTI_KEY_CAP_ONLY", "has a key for each slot, always"},
                 {"MULTI_KEY_CAP_NEG", "has a key for each slot, if asked to (--multi-key)"},
                 {"GET_KEY_PAIR_INFO_CAP", "lists its key pairs"},
                 {"SET_KEY_PAIR_INFO_CAP", "lets key pairs be changed"},
                 {"SET_KEY_PAIR_RESET_CAP", "may need a reset for that"},
                 {"LARGE_RESP_CAP", "has certificate chains of more than 64 KiB"},
                 {"SLOT_MGMT_CAP", "has banks of certificate slots"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].words;
    return "";
}

const char *spdm_info_part_name(enum spdm_info_part part)
{
    static const char *const names[] = {"chains", "measurements", "key_pairs", "log", "endpoint", "events", "banks"};
    return names[part];
}

/* The list with one name more. */
static char *longer(char *list, const char *name)
{
    char *out = spdm_text_format("%s%s%s", list, list[0] != '\0' ? ", " : "", name);
    free(list);
    return out;
}

static char *or_none(char *list)
{
    return list[0] != '\0' ? list : longer(list, "none");
}

/* Bits without a name are told by their number. */
static char *bits(uint32_t mask, const char *const *names, unsigned n)
{
    char *out = spdm_text_format("%s", "");
    for (unsigned i = 0; i < 32; i++) {
        char number[16];
        if ((mask >> i & 1) == 0) continue;
        snprintf(number, sizeof number, "bit %u", i);
        out = longer(out, i < n ? names[i] : number);
    }
    return or_none(out);
}

char *spdm_info_slots(uint8_t mask)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    return bits(mask, names, 8);
}

char *spdm_info_usage(uint16_t mask)
{
    static const char *const names[] = {"key exchange",         "challenge",       "measurements",
                                        "endpoint information", [14] = "standard", [15] = "vendor"};
    return bits(mask & 0xc00f, names, 16);
}

char *spdm_info_abilities(uint16_t mask)
{
    static const char *const names[] = {"generate", "erase", "slots", "usage", "algorithm", "several slots"};
    return bits(mask, names, 6);
}

char *spdm_info_key_algorithms(uint32_t asyms, uint32_t pqcs)
{
    char *out = spdm_text_format("%s", "");
    for (unsigned i = 0; i < 64; i++) {
        uint32_t bit = (uint32_t)1 << i % 32, asym = i < 32 ? asyms & bit : 0, pqc = i < 32 ? 0 : pqcs & bit;
        if ((asym | pqc) != 0) out = longer(out, spdm_key_pair_name(asym, pqc));
    }
    return or_none(out);
}

char *spdm_info_sub_codes(struct spdm_span bitmap)
{
    static const struct {
        uint8_t code;
        const char *name;
    } names[] = {{SPDM_SLOTS_SUPPORTED, "SupportedSubCodes"},
                 {SPDM_SLOTS_BANKS, "GetBankInfo"},
                 {SPDM_SLOTS_DETAILS, "GetBankDetails"},
                 {SPDM_SLOTS_CHAIN, "GetCertificateChain"},
                 {SPDM_SLOTS_CSR, "GetCSR"},
                 {SPDM_SLOTS_BANK, "ManageBank"},
                 {SPDM_SLOTS_ERASE, "ManageSlot"},
                 {SPDM_SLOTS_STORE, "SetCertificate"}};
    char *out = spdm_text_format("%s", "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].code / 8u < bitmap.n && (bitmap.p[names[i].code / 8] >> names[i].code % 8 & 1) != 0)
            out = longer(out, names[i].name);
    return or_none(out);
}

const char *spdm_info_model(uint8_t model)
{
    static const char *const names[] = {"not told", "device certificate", "alias certificate", "generic certificate"};
    return model < sizeof names / sizeof names[0] ? names[model] : "reserved";
}

const char *spdm_info_event(uint8_t body, uint16_t type)
{
    static const char *const names[] = {NULL, "events were lost", "measurements changed", "measurements will change",
                                        "certificates changed"};
    return body == 0 && type < sizeof names / sizeof names[0] ? names[type] : NULL;
}
