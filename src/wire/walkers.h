/* SPDX-License-Identifier: BSD-3-Clause
 *
 * walkers.h - one walker per message; read each as the table in DSP0274. They
 * begin behind the four header bytes' first two: SPDMVersion and
 * RequestResponseCode are the same everywhere and belong to codec.c. */
#ifndef ASSAY_WIRE_WALKERS_H
#define ASSAY_WIRE_WALKERS_H
#include "wire/message.h"

void spdm_walk_get_version(struct io *io, union spdm_body *b);
void spdm_walk_version(struct io *io, union spdm_body *b);
void spdm_walk_get_capabilities(struct io *io, union spdm_body *b);
void spdm_walk_capabilities(struct io *io, union spdm_body *b);
void spdm_walk_negotiate_algorithms(struct io *io, union spdm_body *b);
void spdm_walk_algorithms(struct io *io, union spdm_body *b);
void spdm_walk_get_digests(struct io *io, union spdm_body *b);
void spdm_walk_digests(struct io *io, union spdm_body *b);
void spdm_walk_get_certificate(struct io *io, union spdm_body *b);
void spdm_walk_certificate(struct io *io, union spdm_body *b);
void spdm_walk_challenge(struct io *io, union spdm_body *b);
void spdm_walk_challenge_auth(struct io *io, union spdm_body *b);
void spdm_walk_get_measurements(struct io *io, union spdm_body *b);
void spdm_walk_measurements(struct io *io, union spdm_body *b);
void spdm_walk_error(struct io *io, union spdm_body *b);
void spdm_walk_respond_if_ready(struct io *io, union spdm_body *b);
void spdm_walk_vendor_defined(struct io *io, union spdm_body *b);
void spdm_walk_key_exchange(struct io *io, union spdm_body *b);
void spdm_walk_key_exchange_rsp(struct io *io, union spdm_body *b);
void spdm_walk_finish(struct io *io, union spdm_body *b);
void spdm_walk_finish_rsp(struct io *io, union spdm_body *b);
void spdm_walk_psk_exchange(struct io *io, union spdm_body *b);
void spdm_walk_psk_exchange_rsp(struct io *io, union spdm_body *b);
void spdm_walk_psk_finish(struct io *io, union spdm_body *b);
void spdm_walk_psk_finish_rsp(struct io *io, union spdm_body *b);
void spdm_walk_header(struct io *io, union spdm_body *b);
void spdm_walk_key_update(struct io *io, union spdm_body *b);
void spdm_walk_end_session(struct io *io, union spdm_body *b);
void spdm_walk_encapsulated(struct io *io, union spdm_body *b);
void spdm_walk_encapsulated_ack(struct io *io, union spdm_body *b);
void spdm_walk_chunk(struct io *io, union spdm_body *b);
void spdm_walk_chunk_get(struct io *io, union spdm_body *b);
void spdm_walk_chunk_ack(struct io *io, union spdm_body *b);
void spdm_walk_get_key_pair_info(struct io *io, union spdm_body *b);
void spdm_walk_key_pair_info(struct io *io, union spdm_body *b);
void spdm_walk_set_key_pair_info(struct io *io, union spdm_body *b);
void spdm_walk_get_csr(struct io *io, union spdm_body *b);
void spdm_walk_csr(struct io *io, union spdm_body *b);
void spdm_walk_set_certificate(struct io *io, union spdm_body *b);
void spdm_walk_set_certificate_rsp(struct io *io, union spdm_body *b);
void spdm_walk_get_measurement_extension_log(struct io *io, union spdm_body *b);
void spdm_walk_measurement_extension_log(struct io *io, union spdm_body *b);
void spdm_walk_get_endpoint_info(struct io *io, union spdm_body *b);
void spdm_walk_endpoint_info(struct io *io, union spdm_body *b);
void spdm_walk_supported_event_types(struct io *io, union spdm_body *b);
void spdm_walk_subscribe_event_types(struct io *io, union spdm_body *b);
void spdm_walk_send_event(struct io *io, union spdm_body *b);
void spdm_walk_slot_management(struct io *io, union spdm_body *b);
void spdm_walk_slot_management_resp(struct io *io, union spdm_body *b);
/* Parts of SLOT_MANAGEMENT_RESP: the structure in the n bytes just read, as the SubCode says; what it is made of.
 * Encoding, a slot's digest is spans of the caller. */
void spdm_walk_slot_structure(struct io *io, size_t n, uint8_t sub_code);
void spdm_walk_bank_element(struct io *io, struct spdm_bank_element *m);
void spdm_walk_bank_details(struct io *io, struct spdm_bank_details *m, uint16_t *length, uint16_t *slots);
void spdm_walk_bank_slot(struct io *io, struct spdm_bank_slot *m);

/* The SupportedAlgorithms block of CAPABILITIES (1.3+): NEGOTIATE_ALGORITHMS from its Param1 on. */
void spdm_walk_algorithm_block(struct io *io, struct algorithms *a);
#endif
