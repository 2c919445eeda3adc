/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tunnel.h - a session joined to a local stream: what is read here is sent, what comes is written.
 *
 * The run has attested the device and left its session open; from then on the
 * tunnel has it: streams of app_data.h, new keys after so many bytes, and the
 * end of the session when the stream is over. A tunnel tells its end once,
 * when everything that came has been written. */
#ifndef SPDM_TUNNEL_H
#define SPDM_TUNNEL_H
#include "attest_run.h"

struct spdm_tunnel;

enum spdm_tunnel_end {
    SPDM_TUNNEL_OPEN,
    SPDM_TUNNEL_DONE,        /* both sides have said END, and all of it has arrived */
    SPDM_TUNNEL_INTERRUPTED, /* spdm_tunnel_interrupt() */
    SPDM_TUNNEL_LOCAL,       /* the local stream cannot be read or written */
    SPDM_TUNNEL_GONE,        /* the device, its session or its application has gone */
    SPDM_TUNNEL_PROTOCOL     /* the device broke the protocol */
};

struct spdm_tunnel_result {
    enum spdm_tunnel_end end;
    char reason[SPDM_REASON_MAX];
    uint64_t sent, received; /* bytes of the stream */
    uint64_t time_us;
    unsigned updates; /* of all keys */
};

struct spdm_tunnel_setup {
    uv_loop_t *loop;
    struct spdm_attest *run;
    int in, out;    /* see local.h: the tunnel's from now on */
    uint64_t rekey; /* new keys after so many bytes in one direction; 0: never */
    /* It is over, told from the loop; may free it and the run. */
    void (*over)(void *ctx, struct spdm_tunnel *tunnel);
    void *ctx;
};

/* NULL: error says why. */
struct spdm_tunnel *spdm_tunnel_open(const struct spdm_tunnel_setup *setup, char error[SPDM_REASON_MAX]);

/* What struct spdm_attest_stay tells of the run. */
void spdm_tunnel_event(struct spdm_tunnel *tunnel, const struct spdm_event *event);
void spdm_tunnel_drained(struct spdm_tunnel *tunnel);
void spdm_tunnel_down(struct spdm_tunnel *tunnel, const char *reason);

/* Ends it without waiting for anybody; the device is told the reason. */
void spdm_tunnel_interrupt(struct spdm_tunnel *tunnel, const char *reason);
const struct spdm_tunnel_result *spdm_tunnel_result(const struct spdm_tunnel *tunnel);
/* Before the run is freed. NULL is fine. */
void spdm_tunnel_free(struct spdm_tunnel *tunnel);
#endif
