/* SPDX-License-Identifier: BSD-3-Clause
 *
 * All rows of the registry as a table, for those who meet any message: the
 * witness, dumps, reports, fuzzing. */
#include "wire/message.h"

#define SPDM_ROW(row, ...) &spdm_message_##row,
const struct spdm_message *const spdm_messages[] = {
#include "wire/registry.def"
};
#undef SPDM_ROW
const size_t spdm_message_count = sizeof spdm_messages / sizeof *spdm_messages;

const struct spdm_message *spdm_message_find(uint8_t code)
{
    for (size_t i = 0; i < spdm_message_count; i++) {
        if (spdm_messages[i]->code == code) return spdm_messages[i];
    }
    return NULL;
}
