/* SPDX-License-Identifier: BSD-3-Clause
 *
 * target.c - reading "scheme://host:port".
 *
 * One table of schemes; errors say which part is wrong and what would be
 * right. Nothing is resolved here except on request at start-up, to tell
 * whether an address can be reached from other machines. */
#include "port/link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct scheme {
    const char *name, *form;
    const struct spdm_binding *binding;
    uint32_t transport;
    uint16_t port;
    bool emulator;
};

static const struct scheme schemes[] = {
    {"tcp", "tcp://HOST[:4194]", &spdm_binding_tcp, 0, 4194, false},
    {"emu+mctp", "emu+mctp://HOST[:2323]", &spdm_binding_mctp, 1, 2323, true},
    {"emu+doe", "emu+doe://HOST[:2323]", &spdm_binding_doe, 2, 2323, true},
    {"emu+tcp", "emu+tcp://HOST[:4194]", &spdm_binding_tcp, 3, 4194, true},
    {"emu+none", "emu+none://HOST[:2323]", &spdm_binding_none, 0, 2323, true},
    {"emu+nvme", "emu+nvme://HOST[:2323]", &spdm_binding_storage, 4, 2323, true},
    {"emu+scsi", "emu+scsi://HOST[:2323]", &spdm_binding_storage, 3, 2323, true},
};
#define SCHEME_N (sizeof schemes / sizeof *schemes)

const char *spdm_target_form(unsigned n)
{
    return n < SCHEME_N ? schemes[n].form : NULL;
}

static const struct scheme *find_scheme(const char *text, size_t n)
{
    for (size_t i = 0; i < SCHEME_N; i++)
        if (strlen(schemes[i].name) == n && strncasecmp(schemes[i].name, text, n) == 0) return &schemes[i];
    return NULL;
}

static bool bad(char error[SPDM_REASON_MAX], const char *text, const char *what)
{
    snprintf(error, SPDM_REASON_MAX, "\"%.200s\": %s", text, what);
    return false;
}

/* What may stand in a name, and in an IPv6 address with its zone. */
static const char in_name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
static const char in_ipv6[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%";

/* Copies the host, with [] of an IPv6 address taken off; returns what follows it, NULL if it is none. */
static const char *take_host(const char *at, char *host, size_t cap)
{
    bool six = *at == '[';
    size_t n = strspn(at + six, six ? in_ipv6 : in_name);
    const char *end = at + six + n;
    if (n == 0 || n >= cap || (six && *end != ']')) return NULL;
    memcpy(host, at + six, n);
    host[n] = '\0';
    if (six && strchr(host, ':') == NULL) return NULL;
    return end + six;
}

/* ":1234", or nothing. */
static bool take_port(const char *at, uint16_t standard, uint16_t *port)
{
    unsigned value = 0;
    *port = standard;
    if (*at == '\0') return true;
    if (*at++ != ':' || *at == '\0') return false;
    for (; *at >= '0' && *at <= '9' && value <= 65535; at++) value = value * 10 + (unsigned)(*at - '0');
    *port = (uint16_t)value;
    return *at == '\0' && value <= 65535;
}

bool spdm_target_parse(const char *text, bool any_port, struct spdm_target *out, char error[SPDM_REASON_MAX])
{
    const char *colon = strstr(text, "://");
    const struct scheme *scheme = colon != NULL ? find_scheme(text, (size_t)(colon - text)) : NULL;
    const char *rest;
    size_t n;
    bool six;
    if (colon == NULL)
        return bad(error, text, "a target is SCHEME://HOST[:PORT], for example emu+mctp://127.0.0.1:2323");
    if (scheme == NULL)
        return bad(error, text, "the scheme must be tcp, emu+mctp, emu+doe, emu+tcp, emu+none, emu+nvme or emu+scsi");
    memset(out, 0, sizeof *out);
    rest = take_host(colon + 3, out->host, sizeof out->host);
    if (rest == NULL) return bad(error, text, "there is no host between :// and the port (IPv6 addresses stand in [])");
    n = strlen(rest);
    if (n != 0 && rest[n - 1] == '/') return bad(error, text, "nothing may follow the port");
    if (!take_port(rest, scheme->port, &out->port) || (out->port == 0 && !any_port))
        return bad(error, text, "the port behind the host must be a number from 1 to 65535");
    out->emulator = scheme->emulator;
    out->transport = scheme->transport;
    out->binding = scheme->binding;
    six = strchr(out->host, ':') != NULL;
    snprintf(out->text, sizeof out->text, "%s://%s%s%s:%u", scheme->name, six ? "[" : "", out->host, six ? "]" : "",
             out->port);
    return true;
}

static bool is_loopback(const struct sockaddr *address)
{
    static const uint8_t mapped[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr) || memcmp(&in.sin6_addr, mapped, sizeof mapped) == 0;
    }
    return false;
}

bool spdm_target_is_loopback(const struct spdm_target *target)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    bool all = true;
    if (getaddrinfo(target->host, NULL, &hints, &list) != 0) return false;
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next) all = all && is_loopback(a->ai_addr);
    freeaddrinfo(list);
    return all;
}
