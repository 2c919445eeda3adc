/* SPDX-License-Identifier: BSD-3-Clause
 *
 * forward.c - listens on a socket file or a TCP address. */
#include "forward.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

struct spdm_forward {
    struct spdm_forward_setup setup;
    uv_poll_t poll;
    int fd;
    char text[400];
    char *path; /* to be removed */
};

/* ---- addresses ---- */

bool spdm_forward_parse(const char *text, struct spdm_forward_address *out, char *error, size_t cap)
{
    const char *colon = strrchr(text, ':'), *host = text;
    *out = (struct spdm_forward_address){.path = NULL};
    if (text[0] != '\0' && (strchr(text, '/') != NULL || colon == NULL)) {
        out->path = text;
        return true;
    }
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    char *end = NULL;
    unsigned long port = colon != NULL && colon[1] >= '0' && colon[1] <= '9' ? strtoul(colon + 1, &end, 10) : 65536;
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        host++;
        n -= 2;
    }
    if (n == 0 || n >= sizeof out->host || port > 65535 || *end != '\0') {
        snprintf(error, cap, "a path, or HOST:PORT with a port from 0 to 65535, was expected");
        return false;
    }
    memcpy(out->host, host, n);
    snprintf(out->port, sizeof out->port, "%u", (unsigned)port & 0xffff);
    return true;
}

/* ---- sockets ---- */

static int complain(char error[SPDM_FORWARD_ERROR], const char *what, const char *why)
{
    snprintf(error, SPDM_FORWARD_ERROR, "%.200s: %s", what, why);
    return -1;
}

/* A socket file at which nobody listens is left over from somebody who was killed. */
static bool left_over(const struct sockaddr_un *address)
{
    struct stat s;
    if (lstat(address->sun_path, &s) != 0 || !S_ISSOCK(s.st_mode)) return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return dead;
}

static int listen_at_path(struct spdm_forward *f, const char *path, char error[SPDM_FORWARD_ERROR])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return complain(error, path, "the path is too long for a socket");
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return complain(error, path, strerror(errno));
    mode_t before = umask(077);
    bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    int why = errno;
    if (!bound && why == EADDRINUSE && left_over(&address) && unlink(path) == 0) {
        bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
        why = errno;
    }
    umask(before);
    if (bound && listen(fd, BACKLOG) == 0) {
        f->path = spdm_text_need(strdup(path));
        snprintf(f->text, sizeof f->text, "%s", path);
        return fd;
    }
    if (bound) unlink(path);
    close(fd);
    return complain(error, path, strerror(bound ? errno : why));
}

static bool is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    if (address->sa_family == AF_INET) return ntohl(in4->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static void tell_address(struct spdm_forward *f, int fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    char host[64] = "?", port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&address, &n) == 0)
        (void)getnameinfo((const struct sockaddr *)&address, n, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(f->text, sizeof f->text, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_at_address(struct spdm_forward *f, const struct addrinfo *a)
{
    int on = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        tell_address(f, fd);
        return fd;
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int listen_at_host(struct spdm_forward *f, const struct spdm_forward_address *at, char error[SPDM_FORWARD_ERROR])
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(at->host, at->port, &hints, &list), fd = -1;
    if (rc != 0) return complain(error, at->host, gai_strerror(rc));
    bool private = true;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) private = private && is_loopback(a->ai_addr);
    if (!f->setup.public && !private) {
        freeaddrinfo(list);
        return complain(error, at->host,
                        "other machines could reach this address; give --public if that is what you want");
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) fd = listen_at_address(f, a);
    int why = errno;
    freeaddrinfo(list);
    char text[300];
    snprintf(text, sizeof text, "%s:%s", at->host, at->port);
    return fd >= 0 ? fd : complain(error, text, strerror(why));
}

/* ---- life ---- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct spdm_forward *f = poll->data;
    int on = 1, fd;
    (void)events;
    if (status < 0) return;
    fd = accept(f->fd, NULL, NULL);
    if (fd < 0) return; /* it has left already */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    f->setup.accepted(f->setup.ctx, fd);
}

void spdm_forward_pause(struct spdm_forward *f, bool pause)
{
    if (f->fd < 0) return;
    if (pause) uv_poll_stop(&f->poll);
    else uv_poll_start(&f->poll, UV_READABLE, on_ready);
}

struct spdm_forward *spdm_forward_open(const struct spdm_forward_setup *setup, char error[SPDM_FORWARD_ERROR])
{
    struct spdm_forward *f = spdm_text_need(calloc(1, sizeof *f));
    f->setup = *setup;
    f->fd = setup->address->path != NULL ? listen_at_path(f, setup->address->path, error)
                                         : listen_at_host(f, setup->address, error);
    if (f->fd < 0) {
        free(f);
        return NULL;
    }
    uv_poll_init(setup->loop, &f->poll, f->fd);
    f->poll.data = f;
    return f;
}

const char *spdm_forward_text(const struct spdm_forward *f)
{
    return f->text;
}

static void on_closed(uv_handle_t *handle)
{
    struct spdm_forward *f = handle->data;
    free(f->path);
    free(f);
}

void spdm_forward_close(struct spdm_forward *f)
{
    if (f == NULL || f->fd < 0) return;
    uv_poll_stop(&f->poll);
    close(f->fd);
    f->fd = -1;
    if (f->path != NULL) unlink(f->path);
    uv_close((uv_handle_t *)&f->poll, on_closed);
}
