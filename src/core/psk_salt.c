/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Salt_0 of PSK sessions as bytes that outlive an event (R-KSC-03). */
#include "core/session.h"

#define EIGHT(x) x, x, x, x, x, x, x, x
#define ALL(x) EIGHT(x), EIGHT(x), EIGHT(x), EIGHT(x), EIGHT(x), EIGHT(x), EIGHT(x), EIGHT(x)

const uint8_t spdm_psk_salt[2][SPDM_HASH_MAX] = {{ALL(0)}, {ALL(0xff)}};
