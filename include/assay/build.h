/* SPDX-License-Identifier: BSD-3-Clause
 *
 * build.h - what a build for a small device can leave out.
 *
 *   SPDM_NO_NAMES          names of messages and fields, in reports and dumps, and in reports the numbers beside them:
 *                          reason and message are left
 *   SPDM_ATTESTATION_ONLY  sessions, and what the next leaves out
 *   SPDM_KEY_EXCHANGE_ONLY pre-shared keys, heartbeats, mutual authentication, encapsulated requests, errands, a
 *                          requester's vendor messages, key logs and a look inside of records
 *   SPDM_NO_CHUNKS         messages larger than one transfer
 *
 * Whoever includes these headers need not know: no struct depends on them. Inside, what is left out hangs on
 * constants that the compiler sees, not on conditional compilation. */
#ifndef ASSAY_BUILD_H
#define ASSAY_BUILD_H

#ifdef SPDM_ATTESTATION_ONLY
enum { SPDM_SESSIONS = 0 };
#else
enum { SPDM_SESSIONS = 1 };
#endif
#if defined SPDM_ATTESTATION_ONLY || defined SPDM_KEY_EXCHANGE_ONLY
enum { SPDM_WHOLE = 0 };
#else
enum { SPDM_WHOLE = 1 };
#endif
#ifdef SPDM_NO_CHUNKS
enum { SPDM_CHUNKS = 0 };
#else
enum { SPDM_CHUNKS = 1 };
#endif
#endif
