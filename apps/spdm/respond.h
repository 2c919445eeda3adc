/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond.h - the inside of `spdm respond`.
 *
 *   respond.c          options, start and end, listeners, signals, logging
 *   respond_client.c   one client: link, engine, questions
 *   respond_sign.c     signatures on the thread pool, one queue per key
 *
 * One loop, one thread for everything but signing. A client is one object in
 * one block of memory, taken from a pool and given back; a device as loaded is
 * a generation, which lives until the last signature by one of its keys is
 * done. */
#ifndef SPDM_RESPOND_H
#define SPDM_RESPOND_H
#include "options.h"
#include "port/device.h"
#include "port/link.h"
#include "port/pcap.h"
#include "trace.h"

#include <uv.h>

#define RESPOND_LISTEN_MAX 16
#define TO_SIGN_MAX 512 /* digest, or prefix and digest, and the context string of some algorithms */

struct client;
struct server;

/* ---- one key and who waits for it ---- */

#define BATCH_MAX 64

struct key_queue {
    uv_work_t work;
    struct server *server;
    struct generation *generation;
    struct spdm_device_key *key;
    struct client *first, *last; /* waiting */
    bool busy;                   /* on a thread: what follows is its, but for the clients' own state */
    unsigned taken, done;        /* clients taken from the queue; signatures tried */
    struct client *batch[BATCH_MAX];
    size_t signature_n[BATCH_MAX]; /* 0: it failed */
    char cause[SPDM_CAUSE_MAX];    /* of the last failure */
    uint8_t signatures[SPDM_SIGNATURE_MAX];
};

/* A description as it was loaded. */
struct generation {
    struct spdm_device *device;
    struct key_queue *queue; /* of device->key_n */
    unsigned busy;           /* keys that are signing */
    bool retired;            /* a newer one has taken its place */
};

/* ---- one client ---- */

enum signing_state { SIGN_IDLE, SIGN_WAITING, SIGN_RUNNING };

struct to_sign {
    uint32_t ticket;
    uint8_t slot;
    struct spdm_signing what; /* spans into bytes */
    uint8_t bytes[TO_SIGN_MAX];
};

struct client {
    struct server *server;
    struct client *next; /* pool */
    struct client *older, *newer;
    uv_timer_t timer;
    struct spdm_link *link; /* NULL: the link has ended, a signature is still being made */
    struct spdm_config config;
    struct spdm_responder *engine;
    struct spdm_trace trace;

    /* the question at hand */
    enum spdm_event_kind asked;
    uint64_t due; /* when it may be answered (answer_delay_ms), SPDM_NEVER if it is being answered */
    struct to_sign question;

    /* the signature on its way; of an earlier question if the client has started over meanwhile */
    enum signing_state signing;
    bool sign_again;
    struct to_sign job;
    struct key_queue *queue;
    struct client *next_waiting;

    unsigned requests, refusals, signatures;
    size_t room;       /* bytes at memory */
    uint64_t memory[]; /* the engine's, then the buffer for answers */
};

/* ---- the server ---- */

struct respond_options {
    struct spdm_texts listen;
    const char *pcap, *port_file;
    unsigned pcap_format;
    uint32_t clients_max, idle_ms, stall_ms;
    bool public, once, quiet, trace, end_on_shutdown;
};

struct server {
    const struct respond_options *options;
    const char *description;
    uv_loop_t loop;
    uv_signal_t hangup, terminate, interrupt;
    uv_timer_t last_resort, log_timer;
    struct spdm_openssl *ossl;
    struct generation *generation;
    struct spdm_listener *listener[RESPOND_LISTEN_MAX];
    unsigned listener_n;
    struct spdm_pcap *pcap;
    struct client *live, *pool;
    size_t client_room;
    unsigned clients, clients_peak;
    unsigned generations; /* alive, the present one included */
    bool stopping;
    struct {
        unsigned long clients, requests, refusals, signatures, turned_away;
    } count;
    struct {
        unsigned lines, suppressed;
    } log;
};

/* respond.c: lines for people. Those about clients are limited in number, so that a hostile one cannot fill a disk. */
void spdm_respond_say(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spdm_respond_client_says(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spdm_respond_stop(struct server *s, const char *why);

/* respond_client.c */
size_t spdm_respond_client_room(const struct spdm_device *device);
void *spdm_respond_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link);
extern const struct spdm_link_events spdm_respond_link_events;
void spdm_respond_tap(void *ctx, const struct spdm_tapped *tapped);
/* The device has changed under a client. */
void spdm_respond_renew(struct client *client);
/* A signature has come, or could not be made (n is 0). */
void spdm_respond_signed(struct client *client, struct spdm_span signature, const char *cause);
void spdm_respond_free_pool(struct server *s);

/* respond_sign.c */
struct generation *spdm_respond_generation(struct server *s, struct spdm_device *device);
/* Nobody may use it from now on; freed when its last signature is done. */
void spdm_respond_retire(struct server *s, struct generation *g);
/* Has client->job signed by the key of its slot. false: there is no such key. */
bool spdm_respond_sign(struct client *client);
/* Takes a waiting client out of its queue. */
void spdm_respond_forget(struct client *client);
#endif
