/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond.h - the inside of `spdm respond`.
 *
 *   respond.c          options, start and end, listeners, signals, logging
 *   respond_client.c   one client: memory, link, engine, sessions
 *   respond_reach.c    requesters that wait for the device to connect
 *   respond_answer.c   what the engine asks
 *   respond_sign.c     signatures on the thread pool, one queue per key
 *   respond_load.c     the device as described and as it was given since: loading, replacing
 *   respond_provision.c  keys and certificates that requesters give
 *   respond_alias.c      what the device puts below them, in the alias model
 *   respond_report.c   what the device says of itself, described answers
 *   respond_event.c    events: subscriptions, telling
 *   respond_control.c  commands on a local socket
 *   respond_app.c      application data of sessions: streams
 *   respond_end.c      where they end: child processes and sockets
 *
 * One loop, one thread for everything but signing. A client is one object in
 * one block of memory, taken from a pool and given back; a device as loaded is
 * a generation, which lives until the last signature by one of its keys is
 * done. */
#ifndef SPDM_RESPOND_H
#define SPDM_RESPOND_H
#include "app_data.h"
#include "keylog.h"
#include "options.h"
#include "port/csr.h"
#include "port/device.h"
#include "port/link.h"
#include "port/pcap.h"
#include "tamper.h"
#include "trace.h"

#include <uv.h>

#define RESPOND_LISTEN_MAX 16
#define TO_SIGN_MAX 512 /* digest, or prefix and digest, and the context string of some algorithms */

struct client;
struct server;
struct spdm_store_order;

/* ---- one key and who waits for it ---- */

#define BATCH_MAX 64
#define CSR_MAX 66000 /* room for the longest; a signature is shorter */

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
    bool unfit;                    /* what was asked for was at fault */
    uint8_t signatures[CSR_MAX];
};

/* A description as it was loaded. */
struct generation {
    struct spdm_device *device;
    struct key_queue *queue; /* of device->key_n */
    unsigned busy;           /* keys that are signing */
    bool retired;            /* a newer one has taken its place */
};

/* ---- applications ---- */

enum app_kind { APP_NONE, APP_ECHO, APP_EXEC, APP_PATH, APP_TCP };

/* What --app says. */
struct app_plan {
    enum app_kind kind;
    const char *text; /* the command, or the path of a socket */
    char host[256];   /* APP_TCP */
    char port[6];
};

struct app_end;

/* The stream of one session, from the requester's first message to the end of the session. */
struct app {
    struct app *next;
    struct client *client;
    uint32_t session;
    struct spdm_app_stream stream;
    struct app_end *end; /* NULL: echo, or it is over */
    uint8_t *room;       /* what waits for the peer: n bytes from `at` on, SPDM_APP_HEAD bytes or more before them */
    size_t cap, at, n;
    bool ended;       /* nothing follows behind them */
    uint64_t in, out; /* bytes of DATA */
};

/* ---- one client ---- */

/* An answer to application data that waits for the way out. */
struct said {
    uint32_t session; /* 0: there is none */
    struct spdm_span data;
};

/* What an event tells of: measurements by index, slots. */
struct happened {
    uint8_t changed[32], ahead[32], slots;
};

struct events;

enum signing_state { SIGN_IDLE, SIGN_WAITING, SIGN_RUNNING };

struct to_sign {
    uint32_t ticket;
    uint8_t slot;
    struct spdm_device_key *key;
    bool csr;                  /* a certificate request, as planned */
    struct spdm_csr_plan plan; /* info is in info */
    struct spdm_room info;
    struct spdm_signing what; /* spans into bytes */
    uint8_t bytes[TO_SIGN_MAX];
};

/* A key that is being made on a thread. */
struct to_make {
    uv_work_t work;
    enum spdm_alg algorithm;
    uint32_t ticket;
    struct spdm_state_pair pair;
    struct spdm_room text;
    char cause[SPDM_CAUSE_MAX];
};

struct to_derive {
    const struct spdm_device_psk *psk; /* NULL: there is none for the hint */
    enum spdm_alg hash;
    struct spdm_span salt; /* the engine's, constant */
};

struct reach;

struct client {
    struct server *server;
    struct reach *reach; /* we connected to it; NULL: it did */
    struct client *next; /* pool */
    struct client *older, *newer;
    uv_timer_t timer;
    struct spdm_link *link;            /* NULL: the link has ended, a signature is still being made */
    struct spdm_config config, turned; /* turned: of the requester in the engine, that verifies ours */
    struct spdm_responder *engine;
    struct spdm_trace trace;
    struct spdm_tamper *tamper; /* NULL: it behaves */

    /* the question at hand */
    enum spdm_event_kind asked;
    uint64_t due; /* when it may be answered (answer_delay_ms), SPDM_NEVER if it is being answered */
    struct to_sign question;
    struct to_derive derive;
    struct to_make make; /* signing is SIGN_RUNNING meanwhile */

    /* who the client is, if it was asked */
    struct spdm_judgement
        *judged[2];                 /* the engine verifies with the key of the last, perhaps still of the one before */
    struct spdm_openssl_key *known; /* vouched for; lives until another takes its place */
    char requester[128];            /* the subject of its chain */

    struct app *apps; /* streams of its sessions; the next to send is the first */
    bool over;        /* it must start over, as the device has changed */
    struct said said;
    struct events *events;  /* of its sessions */
    struct events *telling; /* to which SEND_EVENT is under way, or NULL */
    bool stranger;          /* application data of a protocol that is not ours was reported */

    /* the signature on its way; of an earlier question if the client has started over meanwhile */
    enum signing_state signing;
    bool sign_again;
    struct to_sign job;
    struct key_queue *queue;
    struct client *next_waiting;

    unsigned requests, refusals, signatures, sessions;
    size_t room;       /* bytes at memory */
    uint64_t memory[]; /* the engine's, sessions, buffers */
};

/* ---- the server ---- */

/* A requester that waits for us (DSP0287's role inquiry). */
struct reach {
    struct server *server;
    struct spdm_target target;
    uv_timer_t again;
    bool told; /* that it cannot be reached */
};

struct respond_options {
    struct spdm_texts listen, reach_out;
    const char *pcap, *keylog, *port_file, *control, *tell;
    unsigned pcap_format;
    struct app_plan app;
    struct spdm_tamper_plan tamper;
    uint32_t clients_max, apps_max, idle_ms, stall_ms;
    bool public, once, quiet, trace, end_on_shutdown;
};

struct server {
    const struct respond_options *options;
    const char *description;
    uv_loop_t loop;
    uv_signal_t hangup, terminate, interrupt;
    uv_timer_t last_resort, log_timer;
    uv_pipe_t control;
    struct control_client *told_by;
    struct spdm_openssl *ossl;
    struct generation *generation;
    int state_dir; /* -1: there is none */
    char *state_path;
    struct spdm_device_state *staged; /* what the state file says; the device has it, or will have after a reset */
    struct spdm_listener *listener[RESPOND_LISTEN_MAX];
    unsigned listener_n;
    struct reach *reach;
    unsigned reach_n;
    struct spdm_pcap *pcap;
    struct spdm_keylog_file *keylog;
    struct client *live, *pool;
    size_t client_room;
    struct spdm_room in; /* where records are opened; one for all, as one is looked at at a time */
    unsigned clients, clients_peak;
    unsigned ends;        /* processes and sockets behind streams, those that are closing included */
    unsigned generations; /* alive, the present one included */
    bool stopping;
    struct {
        unsigned long clients, requests, refusals, signatures, sessions, turned_away;
    } count;
    struct {
        unsigned lines, suppressed;
    } log;
};

/* respond.c: lines for people. Those about clients are limited in number, so that a hostile one cannot fill a disk. */
void spdm_respond_say(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spdm_respond_client_says(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void spdm_respond_stop(struct server *s, const char *why);

/* respond_load.c */
/* The device as it is described now, with the state on the disk; NULL: error says why. */
struct spdm_device *spdm_respond_load(struct server *s, char error[SPDM_DEVICE_REASON]);
/* The same with another state. */
struct spdm_device *spdm_respond_load_with(struct server *s, const struct spdm_device_state *state,
                                           char error[SPDM_DEVICE_REASON]);
/* Puts a device in the place of the present one. Clients must start over, but for `asker`, who brought it about and
 * may be NULL. false: no memory, and the device is freed. */
bool spdm_respond_replace(struct server *s, struct spdm_device *device, const struct client *asker);
/* Reads description and state again: SIGHUP, and a reset. */
bool spdm_respond_reload(struct server *s, const char *why);
/* Tells who wants to know; how many sessions that are. */
unsigned spdm_respond_raise(struct server *s, const struct happened *what);
void spdm_respond_unload(struct server *s);
/* What was opened so far is not for the commands behind streams: captures, key logs, a TPM. */
void spdm_respond_keep_from_commands(void);

/* respond_provision.c */
/* SPDM_ASK_CSR, _STORE, _KEY_PAIR, _BANK: answers now or later. */
void spdm_respond_provision(struct client *client, const struct spdm_event *event);

/* respond_alias.c */
/* The key of the device's own authority, if certificates of this model (SPDM_CERT_NONE: the device's) are for it. */
struct spdm_device_key *spdm_respond_authority(const struct client *client, uint8_t model);
/* The certificate that it has now; empty: none. */
struct spdm_span spdm_respond_authority_certificate(const struct client *client,
                                                    const struct spdm_device_key *authority);
/* Puts an alias below certificates that are for the authority: order->chain is in *made then, which OPENSSL_free()
 * takes. true: that is done, or not needed; false: it cannot, which has been said. */
bool spdm_respond_alias(const struct client *client, struct spdm_store_order *order, struct spdm_room *made);

/* respond_control.c */
/* Listens on --control, if it was given. false: it cannot. */
bool spdm_respond_control_open(struct server *s);
/* The listener; then, with `clients`, who is connected. */
void spdm_respond_control_close(struct server *s, bool clients);
/* Sends a command to another device: the exit code. */
int spdm_respond_tell(const char *path, const char *command);

/* respond_client.c */
size_t spdm_respond_client_room(const struct spdm_device *device);
/* The largest frame that comes or goes. */
size_t spdm_respond_frame_max(const struct spdm_binding *binding, const struct spdm_device *device);
void *spdm_respond_accept(void *ctx, struct spdm_listener *listener, struct spdm_link *link);
extern const struct spdm_link_events spdm_respond_link_events;
void spdm_respond_tap(void *ctx, const struct spdm_tapped *tapped);
/* The device has changed under a client; over: it must start over. */
void spdm_respond_renew(struct client *client, bool over);
/* Everything that can happen without waiting. */
void spdm_respond_serve(struct client *client);
void spdm_respond_give_back(struct client *client);
void spdm_respond_free_pool(struct server *s);
uint64_t spdm_respond_now(void); /* us */

/* Connects to a requester, with a client that is there until the link is down. */
bool spdm_respond_reach(struct server *s, struct reach *reach, const struct spdm_link_options *options);
void spdm_respond_hang_up(struct client *client);
/* Sends a frame of the engine's, or what --tamper makes of it. */
bool spdm_respond_send(struct client *client, struct spdm_span frame);

/* respond_reach.c */
/* Reads --reach-out: SPDM_PARSED, or an exit code. */
int spdm_respond_reach_read(struct server *s);
void spdm_respond_reach_begin(struct server *s);
/* A link to a requester has ended, or never was: tries again in a while. */
void spdm_respond_reach_again(struct reach *reach, bool unreachable);
void spdm_respond_reach_end(struct server *s);
/* What links of listeners and those to requesters have in common. */
struct spdm_link_options spdm_respond_link_options(const struct server *s, const struct spdm_binding *binding);

/* respond_answer.c */
void spdm_respond_question(struct client *client, const struct spdm_event *event);
/* Answers what waits for its time. */
void spdm_respond_answer_now(struct client *client);
/* The question, if there is one, is void. */
void spdm_respond_forget_question(struct client *client);
/* Algorithms are agreed: tells the engine of a requester that is known beforehand. */
void spdm_respond_vouch(struct client *client);
/* Whom the client was found to be; on its end, or when it starts over. */
void spdm_respond_forget_requester(struct client *client);
/* A signature has come, or could not be made (n is 0; unfit: that was the requester's fault). */
void spdm_respond_signed(struct client *client, struct spdm_span signature, const char *cause, bool unfit);
/* Has client->question signed. */
void spdm_respond_start_signing(struct client *client);
/* Answers the question at hand. */
void spdm_respond_answer(struct client *client, const struct spdm_answer *answer);

/* respond_report.c */
/* false: the question is another's. */
bool spdm_respond_report(struct client *client, const struct spdm_event *event);
/* Application data for which an answer is described; false: it is not. */
bool spdm_respond_canned_data(struct client *client, const struct spdm_event *event);
/* Sends it if there is one and the way is free. */
bool spdm_respond_canned_send(struct client *client);

/* respond_event.c */
void spdm_respond_events_opened(struct client *client, uint32_t session, bool all);
/* 0: all of them. */
void spdm_respond_events_closed(struct client *client, uint32_t session);
void spdm_respond_event_question(struct client *client, const struct spdm_event *event);
/* Whether each session of a client, and there is one, will be told of all this. */
bool spdm_respond_events_follow(const struct client *client, const struct happened *what);
/* How many sessions will be told. */
unsigned spdm_respond_events_raise(struct client *client, const struct happened *what);
/* Gets ready what the requester can come for. */
void spdm_respond_events_tell(struct client *client);
/* It has come for it. */
void spdm_respond_events_told(struct client *client, bool acknowledged);

/* respond_app.c */
/* Reads what --app says; field is a struct app_plan. */
bool spdm_respond_app_parse(const char *text, void *field, char *error, size_t cap);
void spdm_respond_app_data(struct client *client, const struct spdm_event *event);
/* Sends one message of application data, if there is one and the way is free. */
bool spdm_respond_app_send(struct client *client);
/* The session, or with 0 every session of the client, is over. */
void spdm_respond_app_close(struct client *client, uint32_t session);
/* Ends all streams of a client with a reason. */
void spdm_respond_app_reset(struct client *client, const char *reason);
/* From the end of a stream: room for bytes that it has for the peer; they are there; there will be no more (reason:
 * this is no good end); n bytes of the peer's have been taken. */
struct spdm_room spdm_respond_app_room(struct app *app);
void spdm_respond_app_came(struct app *app, size_t n);
void spdm_respond_app_ended(struct app *app, const char *reason);
void spdm_respond_app_taken(struct app *app, size_t n);

/* respond_end.c */
/* NULL: error says why. What goes wrong later is told by spdm_respond_app_ended(). */
struct app_end *spdm_respond_end_open(struct app *app, char *error, size_t cap);
/* A copy is kept of what cannot be written at once. */
void spdm_respond_end_write(struct app_end *end, struct spdm_span data);
/* Nothing follows. */
void spdm_respond_end_finish(struct app_end *end);
/* There is room again. */
void spdm_respond_end_read(struct app_end *end);
/* The stream is gone; a process that does not end by itself is ended. */
void spdm_respond_end_close(struct app_end *end);

/* respond_sign.c */
struct generation *spdm_respond_generation(struct server *s, struct spdm_device *device);
/* Nobody may use it from now on; freed when its last signature is done. */
void spdm_respond_retire(struct server *s, struct generation *g);
/* Has client->job signed by its key. */
void spdm_respond_sign(struct client *client);
/* Takes a waiting client out of its queue. */
void spdm_respond_forget(struct client *client);
#endif
