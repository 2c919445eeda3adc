/* SPDX-License-Identifier: BSD-3-Clause
 *
 * setup.h - what every command that asks devices opens before it asks the first one.
 *
 * Everything that can be wrong with a file, a key or an algorithm is found
 * here, said on stderr, and nothing has been sent. */
#ifndef SPDM_SETUP_H
#define SPDM_SETUP_H
#include "attest_trust.h"
#include "keylog.h"
#include "peer_policy.h"
#include "port/pcap.h"
#include "reference.h"
#include "trace.h"

struct spdm_setup {
    const char *command; /* "attest" */
    const struct spdm_peer_options *options;
    bool session; /* devices are asked for one */
    struct spdm_openssl *ossl;
    struct spdm_attest_court court;
    struct spdm_openssl_key *key; /* of the device, as provisioned */
    struct spdm_room key_bytes;
    struct spdm_own own;
    struct spdm_peer_policy policy;
    struct spdm_reference *reference;
    struct spdm_pcap *pcap;
    struct spdm_keylog_file *keylog;
    uint64_t until; /* who asks one thing after the other: when --timeout is over, monotonic ms; 0: nobody has begun */
};

/* command, options and session are filled in. false: it has been said why. */
bool spdm_setup_open(struct spdm_setup *setup);
/* After everything else is known to be good: files that are written to. binding: of the devices. */
bool spdm_setup_record(struct spdm_setup *setup, const struct spdm_binding *binding);
/* What an order says about trust, crypto, session and time. The rest is the command's. */
struct spdm_attest_order spdm_setup_order(struct spdm_setup *setup);
/* --timeout begins, or begins anew; `until`: it ends no later than this (monotonic ms), 0: it ends when it does. */
void spdm_setup_start_clock(struct spdm_setup *setup, uint64_t until);
/* What is left of it, in ms. */
uint32_t spdm_setup_left(const struct spdm_setup *setup);
/* For taps of runs: the frame into the capture and the trace. */
void spdm_setup_frame(const struct spdm_setup *setup, struct spdm_trace *trace, struct spdm_attest *run,
                      const struct spdm_tapped *tapped);
void spdm_setup_message(const struct spdm_setup *setup, struct spdm_trace *trace, struct spdm_attest *run,
                        const struct spdm_passing *passing);
/* false: a file could not be written to its end; it has been said why. */
bool spdm_setup_close(struct spdm_setup *setup);

/* "spdm attest: ..." on stderr. */
void spdm_setup_complain(const struct spdm_setup *setup, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif
