/* SPDX-License-Identifier: BSD-3-Clause
 *
 * unseal.h - reads a capture with a key log: what spdm-keylog(5) promises, done by hand.
 *
 * A capture of a requester's, in the standard form, of MCTP or PCI DOE links.
 * Every secret gets a lane of its own; a record is whose tag is good. */
#ifndef TESTS_UNSEAL_H
#define TESTS_UNSEAL_H
#include "keylog.h"
#include "secured/record.h"
#include "trust/schedule.h"
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { UNSEAL_LINES = 256, UNSEAL_FRAME = 1 << 17, UNSEAL_SLL = 16, UNSEAL_MCTP = 4 };

struct unseal_lane {
    struct spdm_keylog entry;
    enum direction direction;
    struct lane lane;
    uint64_t state[64];
};

struct unseal {
    const struct spdm_crypto *crypto;
    void *ctx;
    /* What a record holds: an SPDM message behind its transport's header, or application data. */
    void (*found)(void *arg, bool request, struct spdm_span plain);
    void *arg;
    size_t lane_n, records, unread;
    struct unseal_lane lanes[UNSEAL_LINES];
    uint8_t frame[UNSEAL_FRAME], plain[UNSEAL_FRAME];
    size_t frame_n;
};

/* false: a secret that cannot be used. */
static inline bool unseal_line(struct unseal *u, const char *text)
{
    struct unseal_lane *l = &u->lanes[u->lane_n];
    uint8_t bytes[SPDM_HASH_MAX];
    struct record_secret rs;
    if (u->lane_n == UNSEAL_LINES || !spdm_keylog_read(text, &l->entry, bytes)) return false;
    if (strcmp(l->entry.label, "exp master") == 0) return true;
    struct schedule s = {.crypto = u->crypto,
                         .ctx = u->ctx,
                         .hash = (enum spdm_alg)l->entry.hash,
                         .aead = (enum spdm_alg)l->entry.aead,
                         .version = l->entry.version};
    if (u->crypto->aead_state_size > sizeof l->state || !spdm_schedule_record(&s, bytes, &rs)) return false;
    l->direction = strncmp(l->entry.label, "req", 3) == 0 ? REQUEST : RESPONSE;
    l->lane = (struct lane){.aead = l->state};
    memcpy(l->lane.iv, rs.iv, sizeof l->lane.iv);
    l->lane.ready =
        u->crypto->aead_begin(u->ctx, l->state, s.aead, (struct spdm_span){rs.key, spdm_algorithm(s.aead)->key});
    u->lane_n++;
    return l->lane.ready;
}

static inline void unseal_record(struct unseal *u, bool request, struct spdm_span record)
{
    struct record_crypto rc = {u->crypto, u->ctx};
    u->records++;
    for (size_t i = 0; i < u->lane_n; i++) {
        struct unseal_lane *l = &u->lanes[i];
        struct record_form form = {.session = l->entry.session,
                                   .seq_bytes = l->entry.sequence_bytes,
                                   .mac_only = l->entry.mac_only,
                                   .big_endian = l->entry.big_endian,
                                   .limit = UINT64_MAX - 1};
        struct record_in in = {.record = record, .out = {u->plain, sizeof u->plain}};
        if (spdm_record_session(record) != form.session || l->direction != (request ? REQUEST : RESPONSE)) continue;
        if (!spdm_record_open(&rc, &form, &l->lane, &in)) continue;
        u->found(u->arg, request, in.data);
        return;
    }
    u->unread++;
}

static inline void unseal_packet(struct unseal *u, const uint8_t *p, size_t n)
{
    if (n < UNSEAL_SLL + UNSEAL_MCTP + 2) return;
    bool request = p[1] == 4; /* sent by who captured */
    unsigned protocol = (unsigned)p[14] << 8 | p[15];
    p += UNSEAL_SLL;
    n -= UNSEAL_SLL;
    if (protocol == 0x88b5) {
        struct spdm_frame f = spdm_binding_doe.unwrap((struct spdm_span){p, n});
        if (f.kind == SPDM_FRAME_SECURED) unseal_record(u, request, f.message);
    }
    if (protocol != 0x00fa) return;
    if ((p[3] & 0x80) != 0) u->frame_n = 0; /* start of message */
    if (u->frame_n + n - UNSEAL_MCTP > sizeof u->frame) return;
    memcpy(u->frame + u->frame_n, p + UNSEAL_MCTP, n - UNSEAL_MCTP);
    u->frame_n += n - UNSEAL_MCTP;
    if ((p[3] & 0x40) == 0) return;
    struct spdm_frame f = spdm_binding_mctp.unwrap((struct spdm_span){u->frame, u->frame_n});
    if (f.kind == SPDM_FRAME_SECURED) unseal_record(u, request, f.message);
}

/* false: a file cannot be read. */
static inline bool unseal(struct unseal *u, const char *capture, const char *keylog)
{
    char error[PCAP_ERRBUF_SIZE], line[1024];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    FILE *log = fopen(keylog, "r");
    pcap_t *file = pcap_open_offline(capture, error);
    bool good = log != NULL && file != NULL;
    while (good && fgets(line, sizeof line, log) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        good = unseal_line(u, line);
    }
    while (good && pcap_next_ex(file, &header, &bytes) == 1) unseal_packet(u, bytes, header->caplen);
    for (size_t i = 0; i < u->lane_n; i++)
        if (u->lanes[i].lane.ready) u->crypto->aead_end(u->ctx, u->lanes[i].state);
    if (log != NULL) fclose(log);
    if (file != NULL) pcap_close(file);
    return good;
}
#endif
