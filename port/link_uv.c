/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_uv.c - one stream: cut what comes, write what goes, end well.
 *
 * A frame goes out as one write of header and payload; only what the kernel
 * does not take at once is copied. While a few frames wait, nothing is read: a
 * peer that does not read cannot make us remember more. Two ends that stream to
 * each other never have so many waiting, so neither stops reading for the other.
 * One timer per link watches frames begun and not finished, answers not taken,
 * and silence. */
#include "port/link_impl.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 4     /* frames waiting for a peer that does not read */
#define QUEUE_READ 3    /* with so many no more is read; two are one of data and one of SPDM */
#define GOODBYE_MS 1000 /* how long an ending link waits for the peer to agree */
#define NEVER UINT64_MAX

static void deliver(struct spdm_link *link);

/* ---- small things ---- */

const struct spdm_target *spdm_link_target(const struct spdm_link *link)
{
    return link->target;
}

const char *spdm_link_peer(const struct spdm_link *link)
{
    return link->peer[0] != '\0' ? link->peer : link->target->text;
}

const struct sockaddr *spdm_link_address(const struct spdm_link *link, bool ours)
{
    return (const struct sockaddr *)(ours ? &link->ours : &link->theirs);
}

bool spdm_link_listening(const struct spdm_link *link)
{
    return link->listener != NULL;
}

bool spdm_link_requester(const struct spdm_link *link)
{
    return (link->listener == NULL) != link->options.reach_out;
}

void *spdm_link_context(const struct spdm_link *link)
{
    return link->ctx;
}

uint32_t spdm_link_doe_types(const struct spdm_link *link)
{
    return link->dialer != NULL ? link->dialer->doe_types : 0;
}

void spdm_link_defaults(struct spdm_link_options *options)
{
    if (options->frame_max == 0) options->frame_max = 65600;
    if (options->connect_ms == 0) options->connect_ms = 5000;
    if (options->stall_ms == 0) options->stall_ms = 10000;
    if (options->idle_ms == 0) options->idle_ms = 120000;
}

/* ---- the timer ---- */

static uint64_t deadline(const struct spdm_link *link)
{
    switch (link->phase) {
    case LINK_LOOKUP:
    case LINK_DIAL:
    case LINK_LEAVING: return link->until;
    case LINK_HELLO:
    case LINK_DISCOVERY: return link->dialer != NULL ? link->dialer->until : link->heard + link->options.stall_ms;
    case LINK_UP:
        if (link->congested != 0) /* we do not read meanwhile: nothing else can be the peer's fault */
            return link->congested + link->options.stall_ms;
        if (link->partial != 0) return link->partial + link->options.stall_ms;
        if (link->listener != NULL && !link->spoke)
            return link->heard + link->options.stall_ms; /* who connects has something to say */
        if (link->listener != NULL && link->options.idle_ms != SPDM_LINK_PATIENT)
            return link->heard + link->options.idle_ms;
        return NEVER;
    case LINK_ENDING: return 0;
    default: return NEVER;
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    spdm_link_release(handle->data);
}

static void on_tcp_closed(uv_handle_t *handle)
{
    struct spdm_link *link = handle->data;
    link->tcp_open = false;
    spdm_link_release(link);
}

static void close_all(struct spdm_link *link)
{
    link->phase = LINK_GONE;
    uv_close((uv_handle_t *)&link->timer, on_handle_closed);
    uv_close((uv_handle_t *)&link->again, on_handle_closed);
    if (link->tcp_open && !uv_is_closing((uv_handle_t *)&link->tcp)) uv_close((uv_handle_t *)&link->tcp, on_tcp_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    spdm_link_release(request->data);
}

static void read_on(struct spdm_link *link, bool on);

/* The owner is through with the link. An emulator dies of a client that just hangs up, so it is told and waited for;
 * a client of ours gets our last answer before the end, which a close with unread bytes would destroy. */
static void leave(struct spdm_link *link)
{
    enum link_phase before = link->phase;
    bool polite = !link->broken && link->tcp_open && before > LINK_DIAL;
    if (before == LINK_LOOKUP) (void)uv_cancel((uv_req_t *)&link->dialer->lookup);
    link->phase = LINK_LEAVING;
    uv_idle_stop(&link->again);
    link->until = uv_now(link->loop) + GOODBYE_MS;
    if (polite && link->listener != NULL) {
        link->shutdown.data = link;
        if (uv_shutdown(&link->shutdown, (uv_stream_t *)&link->tcp, on_shutdown) == 0) link->held++;
    } else if (polite && link->target->emulator && spdm_link_requester(link)) {
        uint32_t command = link->options.shutdown ? SPDM_EMU_SHUTDOWN : SPDM_EMU_CONTINUE;
        polite = spdm_link_transmit(link, command, (struct spdm_span){NULL, 0});
    } else {
        polite = false;
    }
    if (!polite) {
        close_all(link);
        return;
    }
    read_on(link, true);
    spdm_link_rearm(link);
}

static void on_timer(uv_timer_t *timer)
{
    struct spdm_link *link = timer->data;
    double stall = link->options.stall_ms / 1e3;
    if (link->phase <= LINK_DISCOVERY && link->dialer != NULL) {
        spdm_link_dial_late(link);
    } else if (link->phase == LINK_UP && link->congested != 0) {
        spdm_link_fail(link, SPDM_LINK_TIMEOUT, "%s took no data for %g s", spdm_link_peer(link), stall);
    } else if (link->phase == LINK_UP && link->partial != 0) {
        spdm_link_fail(link, SPDM_LINK_TIMEOUT, "%s began a frame and did not finish it within %g s (%zu bytes came)",
                       spdm_link_peer(link), stall, link->in_n);
    } else if (link->phase == LINK_UP || link->phase == LINK_HELLO) {
        spdm_link_fail(link, SPDM_LINK_TIMEOUT, "%s was silent for %g s", spdm_link_peer(link),
                       link->spoke ? link->options.idle_ms / 1e3 : stall);
    } else if (link->phase == LINK_ENDING) {
        enum spdm_link_end end = link->end;
        leave(link);
        if (link->events.down != NULL) link->events.down(link->ctx, link, end, link->reason);
    } else if (link->phase == LINK_LEAVING) {
        close_all(link);
    }
}

void spdm_link_rearm(struct spdm_link *link)
{
    uint64_t at = deadline(link), now = uv_now(link->loop);
    if (link->phase == LINK_GONE) return;
    if (at == NEVER) uv_timer_stop(&link->timer);
    else uv_timer_start(&link->timer, on_timer, at > now ? at - now : 0, 0);
}

/* ---- beginning and end ---- */

void spdm_link_begin(struct spdm_link *link, uv_loop_t *loop)
{
    link->loop = loop;
    link->tcp.data = link;
    uv_timer_init(loop, &link->timer);
    link->timer.data = link;
    uv_idle_init(loop, &link->again);
    link->again.data = link;
    link->held = 2;
}

void spdm_link_release(struct spdm_link *link)
{
    if (--link->held != 0) return;
    if (link->listener != NULL) spdm_link_pooled(link);
    else spdm_link_dial_freed(link);
}

void spdm_link_fail(struct spdm_link *link, enum spdm_link_end end, const char *format, ...)
{
    va_list args;
    if (link->phase >= LINK_ENDING) return;
    va_start(args, format);
    vsnprintf(link->reason, sizeof link->reason, format, args);
    va_end(args);
    link->end = end;
    /* An attempt that is still connecting has nobody to say goodbye to. */
    link->broken = link->broken || link->phase <= LINK_DIAL;
    link->phase = LINK_ENDING;
    uv_idle_stop(&link->again);
    read_on(link, false);
    spdm_link_rearm(link);
}

void spdm_link_close(struct spdm_link *link)
{
    if (link->phase >= LINK_LEAVING) return;
    leave(link);
}

/* ---- what goes out ---- */

struct pending {
    uv_write_t request;
    struct spdm_link *link;
    size_t n;
    uint8_t bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    struct pending *p = request->data;
    struct spdm_link *link = p->link;
    link->queued -= p->n;
    link->waiting--;
    free(p);
    if (link->queued == 0) {
        link->congested = 0;
        link->partial = 0; /* a frame begun gets its full time from here; deliver() sees whether there is one */
    }
    if (status < 0) {
        link->broken = true;
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s: the connection broke: %s", spdm_link_peer(link),
                       uv_strerror(status));
    } else if (link->phase < LINK_ENDING) {
        deliver(link);
        if (link->queued == 0 && link->phase == LINK_UP && link->events.drained != NULL)
            link->events.drained(link->ctx, link);
    }
    spdm_link_release(link);
}

/* Keeps a copy of what the kernel did not take. */
static bool queue(struct spdm_link *link, const uv_buf_t bufs[2], size_t done)
{
    size_t n = bufs[0].len + bufs[1].len - done, first = done < bufs[0].len ? bufs[0].len - done : 0;
    struct pending *p;
    uv_buf_t rest;
    if (link->queued + n > QUEUE_MAX * (link->options.frame_max + SPDM_EMU_HEADER)) return false;
    p = malloc(sizeof *p + n);
    if (p == NULL) return false;
    p->request.data = p;
    p->link = link;
    p->n = n;
    if (first != 0) memcpy(p->bytes, bufs[0].base + done, first);
    memcpy(p->bytes + first, bufs[1].base + bufs[1].len - (n - first), n - first);
    rest = uv_buf_init((char *)p->bytes, (unsigned)n);
    if (uv_write(&p->request, (uv_stream_t *)&link->tcp, &rest, 1, on_written) != 0) {
        free(p);
        return false;
    }
    link->held++;
    link->queued += n;
    link->waiting++;
    if (link->congested == 0) link->congested = uv_now(link->loop);
    return true;
}

static bool transmit(struct spdm_link *link, uint8_t *header, size_t head, struct spdm_span frame)
{
    uv_buf_t bufs[2] = {uv_buf_init((char *)header, (unsigned)head), {.base = (char *)header, .len = 0}};
    int done;
    if (frame.n != 0) /* libuv's buffers are not const; a write only reads them */
        memcpy(&bufs[1].base, &frame.p, sizeof bufs[1].base);
    bufs[1].len = frame.n;
    if (link->broken || !link->tcp_open) return false;
    done = uv_try_write((uv_stream_t *)&link->tcp, bufs, 2);
    if (done == UV_EAGAIN) done = 0;
    if (done < 0) {
        link->broken = true;
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s: the connection broke: %s", spdm_link_peer(link), uv_strerror(done));
        return false;
    }
    if ((size_t)done == head + frame.n) return true;
    if (queue(link, bufs, (size_t)done)) {
        spdm_link_rearm(link);
        return true;
    }
    link->broken = true;
    spdm_link_fail(link, SPDM_LINK_TIMEOUT, "%s takes no data, %zu bytes wait for it", spdm_link_peer(link),
                   link->queued);
    return false;
}

bool spdm_link_transmit(struct spdm_link *link, uint32_t command, struct spdm_span frame)
{
    uint8_t header[SPDM_EMU_HEADER];
    spdm_emu_put(header, &(struct spdm_emu_header){command, link->target->transport, (uint32_t)frame.n});
    return transmit(link, header, link->target->emulator ? sizeof header : 0, frame);
}

bool spdm_link_transmit_raw(struct spdm_link *link, struct spdm_span bytes)
{
    uint8_t none[1];
    return transmit(link, none, 0, bytes);
}

bool spdm_link_send(struct spdm_link *link, struct spdm_span frame)
{
    if (link->phase != LINK_UP || frame.n == 0 || frame.n > link->options.frame_max) return false;
    if (spdm_link_is_storage(link->target) ? !spdm_link_storage_send(link, frame)
                                           : !spdm_link_transmit(link, SPDM_EMU_NORMAL, frame))
        return false;
    spdm_link_tapped(link, frame, true);
    return true;
}

size_t spdm_link_waiting(const struct spdm_link *link)
{
    return link->queued;
}

void spdm_link_tapped(struct spdm_link *link, struct spdm_span frame, bool sent)
{
    struct spdm_tapped tapped = {link, frame, sent, sent == spdm_link_requester(link), {0, 0}, link->memo};
    if (link->options.tap == NULL) return;
    clock_gettime(CLOCK_REALTIME, &tapped.time);
    link->options.tap(link->options.tap_ctx, &tapped);
}

/* ---- what comes in ---- */

void spdm_link_frame(struct spdm_link *link, struct spdm_span frame)
{
    if (frame.n == 0)
        return; /* an empty NORMAL frame carries nothing; to the engine it would mean that time has passed */
    spdm_link_tapped(link, frame, false);
    link->events.frame(link->ctx, link, frame);
}

/* The stream cannot be cut any further. DSP0287 has words for it (0xC0, 0xC1), the emulator just closes. */
static void refuse(struct spdm_link *link, enum spdm_cut cut, const struct spdm_piece *piece)
{
    const struct spdm_target *target = link->target;
    uint8_t control[4];
    if (!target->emulator && link->listener != NULL) {
        size_t n = spdm_tcp_control((struct spdm_room){control, sizeof control},
                                    cut == SPDM_CUT_TOO_BIG ? SPDM_TCP_TOO_LARGE : SPDM_TCP_NOT_SUPPORTED);
        struct spdm_span frame = {control, n};
        if (spdm_link_transmit(link, SPDM_EMU_NORMAL, frame)) spdm_link_tapped(link, frame, true);
    }
    if (cut == SPDM_CUT_TOO_BIG)
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s announced a frame of %u bytes, at most %zu are taken here",
                       spdm_link_peer(link), piece->value, link->options.frame_max);
    else if (target->emulator)
        spdm_link_fail(link, SPDM_LINK_PROTOCOL,
                       "%s speaks transport type %u (%s) of the emulator's protocol, %u (%s) expected",
                       spdm_link_peer(link), piece->value, spdm_emu_transport_name(piece->value), target->transport,
                       spdm_emu_transport_name(target->transport));
    else
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s speaks version %u of the TCP binding, 1 expected",
                       spdm_link_peer(link), piece->value);
}

/* Hands up the first frame of `in`; how many bytes it had, 0 if it is not whole yet or ended the link. */
static size_t deliver_frame(struct spdm_link *link)
{
    struct spdm_piece piece = {0, 0, 0, 0};
    struct spdm_span in = {link->in, link->in_n}, frame;
    bool inquiry = link->listener != NULL && link->phase == LINK_HELLO;
    enum spdm_cut cut = inquiry ? spdm_stream_cut_tcp(link->options.frame_max, in, &piece)
                                : spdm_stream_cut(link->target, link->options.frame_max, in, &piece);
    if (cut == SPDM_CUT_MORE) return 0;
    if (cut != SPDM_CUT_WHOLE) {
        refuse(link, cut, &piece);
        return 0;
    }
    frame = (struct spdm_span){in.p + piece.head, piece.size};
    if (inquiry) spdm_link_inquired(link, frame);
    else if (!spdm_link_requester(link)) spdm_link_asked(link, piece.command, frame);
    else spdm_link_answered(link, piece.command, frame);
    return piece.head + piece.size;
}

static void on_again(uv_idle_t *again)
{
    deliver(again->data);
}

/* One frame, then its rest later: in the next turn if another frame may be there, when the peer has taken our answers
 * if too many wait, when more bytes come otherwise. */
static void deliver(struct spdm_link *link)
{
    size_t taken = link->waiting < QUEUE_READ ? deliver_frame(link) : 0;
    uint64_t now = uv_now(link->loop);
    bool again;
    if (link->phase >= LINK_ENDING) return;
    if (taken != 0) {
        memmove(link->in, link->in + taken, link->in_n - taken);
        link->in_n -= taken;
        link->heard = now;
        link->partial = 0;
        link->spoke = true;
    }
    again = taken != 0 && link->in_n != 0 && link->waiting < QUEUE_READ;
    if (again) uv_idle_start(&link->again, on_again);
    else uv_idle_stop(&link->again);
    if (link->in_n == 0) link->partial = 0;
    else if (link->partial == 0 && link->queued == 0 && !again) link->partial = now;
    read_on(link, link->waiting < QUEUE_READ && !again);
    spdm_link_rearm(link);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct spdm_link *link = handle->data;
    size_t used = link->phase == LINK_LEAVING ? 0 : link->in_n; /* leaving, what comes is thrown away */
    (void)hint;
    *buf = uv_buf_init((char *)link->in + used, (unsigned)(link->options.frame_max + SPDM_EMU_HEADER - used));
}

/* Peers that write a frame in several pieces with Nagle's algorithm on wait for our acknowledgement before the next
 * piece; the kernel forgets the option after a while, so it is set again with each read. */
static void acknowledge_at_once(struct spdm_link *link)
{
    int on = 1;
    uv_os_fd_t fd;
    if (link->listener != NULL && uv_fileno((uv_handle_t *)&link->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static void ended(struct spdm_link *link, ssize_t status)
{
    const char *peer = spdm_link_peer(link);
    link->broken = true;
    if (link->phase == LINK_LEAVING) {
        close_all(link);
    } else if (link->dialer != NULL && (link->phase == LINK_HELLO || link->phase == LINK_DISCOVERY)) {
        spdm_link_fail(link, SPDM_LINK_UNREACHABLE,
                       "%s closed the connection during the %s; does it run the emulator's protocol with transport %s?",
                       peer, link->phase == LINK_HELLO ? "hello" : "discovery",
                       spdm_emu_transport_name(link->target->transport));
    } else if (status != UV_EOF) {
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s: the connection broke: %s", peer, uv_strerror((int)status));
    } else if (link->in_n != 0) {
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s closed the connection in the middle of a frame, after %zu bytes",
                       peer, link->in_n);
    } else {
        spdm_link_fail(link, SPDM_LINK_CLOSED, "%s closed the connection", peer);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct spdm_link *link = stream->data;
    (void)buf;
    if (n < 0) {
        ended(link, n);
        return;
    }
    acknowledge_at_once(link);
    if (link->phase >= LINK_ENDING || n == 0) return;
    link->in_n += (size_t)n;
    deliver(link);
}

static void read_on(struct spdm_link *link, bool on)
{
    if (!link->tcp_open || link->reading == on) return;
    link->reading = on;
    if (on) (void)uv_read_start((uv_stream_t *)&link->tcp, on_alloc, on_read);
    else (void)uv_read_stop((uv_stream_t *)&link->tcp);
}

void spdm_link_start(struct spdm_link *link)
{
    int n = sizeof link->ours;
    char name[46] = "?";
    uint16_t port;
    (void)uv_tcp_nodelay(&link->tcp, 1);
    (void)uv_tcp_getsockname(&link->tcp, (struct sockaddr *)&link->ours, &n);
    n = sizeof link->theirs;
    (void)uv_tcp_getpeername(&link->tcp, (struct sockaddr *)&link->theirs, &n);
    if (link->theirs.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&link->theirs;
        (void)uv_ip6_name(in6, name, sizeof name);
        port = ntohs(in6->sin6_port);
    } else {
        const struct sockaddr_in *in4 = (const struct sockaddr_in *)&link->theirs;
        (void)uv_ip4_name(in4, name, sizeof name);
        port = ntohs(in4->sin_port);
    }
    snprintf(link->peer, sizeof link->peer, link->theirs.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", name, port);
    link->heard = uv_now(link->loop);
    acknowledge_at_once(link);
    read_on(link, true);
}
