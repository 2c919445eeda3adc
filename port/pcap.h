/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pcap.h - writes what passes over links to a capture file.
 *
 * The standard form is LINUX_SLL (link type 113), which every pcap reader
 * knows; its cooked header tells direction and protocol, so one file can hold
 * links of any kind:
 *
 *   MCTP     hatype 290 (MCTP), protocol 0x00FA: MCTP packets. Wireshark 4.4 decodes them.
 *   TCP      protocol 0x0800 or 0x86DD: the DSP0287 stream in TCP segments with the addresses and ports of the
 *            connection. The bytes are those of the stream, in order; how the kernel cut them into segments, and
 *            its acknowledgements, are not known here, so each frame stands in segments of its own.
 *   PCI DOE  protocol 0x88B5 (IEEE 802 local experimental 1): the data object from its header on.
 *   none     protocol 0x88B6 (local experimental 2): the bare SPDM message.
 *
 * MCTP endpoint ids are made up, as there are none on a socket: an even one
 * for the requester and the next for the responder, another pair per link.
 * The emulator's 12-byte header is never part of a capture. Times are those at
 * which the frame was sent or whole.
 *
 * DMTF's form is what spdm-emu writes and spdm-dump reads: link types 291
 * (MCTP) and 292 (PCI DOE), which are registered for something else. It holds
 * one of the two only. */
#ifndef PORT_PCAP_H
#define PORT_PCAP_H
#include "port/link.h"

struct spdm_pcap;

enum spdm_pcap_form { SPDM_PCAP_STANDARD, SPDM_PCAP_DMTF };

/* Creates the file. binding matters for DMTF's form only. NULL: error says why. */
struct spdm_pcap *spdm_pcap_open(const char *path, enum spdm_pcap_form form, const struct spdm_binding *binding,
                                 char error[SPDM_REASON_MAX]);
/* A spdm_link_tap, its ctx the struct spdm_pcap: writes the frame and flushes, so that a killed program leaves a whole
 * file. Uses the memo. */
void spdm_pcap_tap(void *ctx, const struct spdm_tapped *t);
/* false: not everything could be written, error says why. */
bool spdm_pcap_close(struct spdm_pcap *pcap, char error[SPDM_REASON_MAX]);
#endif
