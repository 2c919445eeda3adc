/* SPDX-License-Identifier: BSD-3-Clause
 *
 * info_words.c - masks and numbers of errands in words. */
#include "info.h"
#include <stdlib.h>
#include <string.h>

const char *spdm_info_part_name(enum spdm_info_part part)
{
    static const char *const names[] = {"chains", "measurements", "key_pairs", "log", "endpoint", "banks"};
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
