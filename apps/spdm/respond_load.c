/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_load.c - the device as it was described, and as it was given since.
 *
 * The state file says how the device will be after a reset, and nearly always
 * how it is. The directory is held for as long as we run, so that two devices
 * never write one state. */
#include "respond.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void spdm_respond_keep_from_commands(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        int fd = (int)strtol(e->d_name, NULL, 10), flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1;
        if (flags >= 0 && (flags & FD_CLOEXEC) == 0) (void)fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
    closedir(dir);
}

/* ---- loading ---- */

/* The directory and the state of a description that is being read: what is served now keeps its own until it is clear
 * that the other takes its place. */
struct loading {
    struct server *server;
    int dir;
    char *path;
    struct spdm_device_state *state;
};

static void drop(struct loading *l)
{
    if (l->dir >= 0 && l->dir != l->server->state_dir) close(l->dir);
    free(l->path);
    spdm_state_free(l->state);
}

/* A directory that is held already is held once. */
static bool open_dir(struct loading *l, const char *dir, char *cause)
{
    const struct server *s = l->server;
    bool held = s->state_dir >= 0 && strcmp(s->state_path, dir) == 0;
    snprintf(cause, SPDM_CAUSE_MAX, "out of memory");
    l->path = strdup(dir);
    if (l->path == NULL) return false;
    l->dir = held ? s->state_dir : spdm_safe_dir(dir, cause);
    return l->dir >= 0;
}

static const struct spdm_device_state *from_disk(void *ctx, const char *dir, char *cause)
{
    struct loading *l = ctx;
    l->state = open_dir(l, dir, cause) ? spdm_state_read(l->server->ossl, l->dir, cause) : NULL;
    return l->state;
}

void spdm_respond_unload(struct server *s)
{
    if (s->state_dir >= 0) close(s->state_dir);
    s->state_dir = -1;
    free(s->state_path);
    s->state_path = NULL;
    spdm_state_free(s->staged);
    s->staged = NULL;
}

/* Clients have room for messages of certain sizes. */
static bool same_sizes(const struct server *s, const struct spdm_device *fresh, char error[SPDM_DEVICE_REASON])
{
    const struct spdm_device *old = s->generation != NULL ? s->generation->device : NULL;
    if (old == NULL) return true;
    if (fresh->data_transfer_size == old->data_transfer_size && fresh->send_size == old->send_size) return true;
    snprintf(error, SPDM_DEVICE_REASON, "%s: sizes cannot change while running", s->description);
    return false;
}

struct spdm_device *spdm_respond_load(struct server *s, char error[SPDM_DEVICE_REASON])
{
    struct loading l = {.server = s, .dir = -1};
    const struct spdm_device_source source = {s->description, s->ossl, from_disk, &l};
    struct spdm_device *d = spdm_device_open(&source, error);
    if (d == NULL || !same_sizes(s, d, error)) {
        spdm_device_free(d);
        drop(&l);
        return NULL;
    }
    if (s->state_dir == l.dir) s->state_dir = -1;
    spdm_respond_unload(s);
    s->state_dir = l.dir;
    s->state_path = l.path;
    s->staged = l.state;
    if (d->state != NULL) spdm_state_tidy(s->state_dir, d->state);
    return d;
}

static const struct spdm_device_state *given(void *ctx, const char *dir, char *cause)
{
    (void)dir;
    cause[0] = '\0';
    return ctx;
}

struct spdm_device *spdm_respond_load_with(struct server *s, const struct spdm_device_state *state,
                                           char error[SPDM_DEVICE_REASON])
{
    struct spdm_device_source source = {s->description, s->ossl, given, NULL};
    memcpy(&source.ctx, &state, sizeof state); /* given() only hands it on */
    return spdm_device_open(&source, error);
}

/* ---- replacing ---- */

static bool same_bytes(struct spdm_span a, struct spdm_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_list(const uint8_t *a, const uint8_t *b)
{
    if (a == NULL || b == NULL) return a == b;
    return strcmp((const char *)a, (const char *)b) == 0;
}

/* Whether what was negotiated with the one could have been with the other. */
static bool same_terms(const struct spdm_policy *a, const struct spdm_policy *b)
{
    return a->flags == b->flags && a->ext_flags == b->ext_flags && a->ct_exponent == b->ct_exponent &&
           memcmp(a->versions, b->versions, sizeof a->versions) == 0 && same_list(a->hashes, b->hashes) &&
           same_list(a->signatures, b->signatures) && same_list(a->exchanges, b->exchanges) &&
           same_list(a->aeads, b->aeads) && same_list(a->req_signatures, b->req_signatures) &&
           a->meas_hash == b->meas_hash && a->mut_auth == b->mut_auth && a->basic_mut_auth == b->basic_mut_auth;
}

static const struct spdm_measurement *measurement(const struct spdm_device *d, unsigned index)
{
    for (size_t i = 0; i < d->measurement_n; i++)
        if (d->measurements[i].index == index) return &d->measurements[i];
    return NULL;
}

/* What a requester finds other than before; true: anything. */
static bool compare(const struct spdm_device *a, const struct spdm_device *b, struct happened *what)
{
    bool any = false;
    *what = (struct happened){.slots = 0};
    for (unsigned i = 1; i < SPDM_MEAS_ALL; i++) {
        const struct spdm_measurement *old = measurement(a, i), *new = measurement(b, i);
        if (old == NULL && new == NULL) continue;
        if (old != NULL && new != NULL && old->type == new->type &&
            old->raw == new->raw &&same_bytes(old->value, new->value))
            continue;
        what->changed[i / 8] = (uint8_t)(what->changed[i / 8] | 1u << (i % 8));
        any = true;
    }
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++) {
        bool same = same_bytes(a->identity.slot[slot].certificates, b->identity.slot[slot].certificates);
        for (unsigned bank = 0; bank < SPDM_DEVICE_BANKS; bank++)
            same = same && same_bytes(a->banks[bank].slot[slot].certificates, b->banks[bank].slot[slot].certificates);
        if (same) continue;
        what->slots = (uint8_t)(what->slots | 1u << slot);
        any = true;
    }
    return any;
}

/* A client goes on if it brought the change about, if it is told of it as an event, or if what was given to the device
 * is nothing that it would see. */
bool spdm_respond_replace(struct server *s, struct spdm_device *device, const struct client *asker)
{
    struct generation *before = s->generation, *now = spdm_respond_generation(s, device);
    struct happened what;
    bool terms, seen;
    if (now == NULL) {
        spdm_device_free(device);
        return false;
    }
    seen = compare(before->device, device, &what);
    terms = same_terms(&before->device->policy, &device->policy);
    spdm_respond_keep_from_commands();
    s->generation = now;
    s->client_room = spdm_respond_client_room(device);
    for (struct client *c = s->live; c != NULL; c = c->older)
        c->over = c != asker && !(terms && ((asker != NULL && !seen) || spdm_respond_events_follow(c, &what)));
    spdm_respond_retire(s, before);
    for (struct client *c = s->live; c != NULL; c = c->older) spdm_respond_renew(c, c->over);
    if (seen) (void)spdm_respond_raise(s, &what);
    return true;
}

unsigned spdm_respond_raise(struct server *s, const struct happened *what)
{
    unsigned n = 0;
    for (struct client *c = s->live; c != NULL; c = c->older) n += spdm_respond_events_raise(c, what);
    return n;
}

bool spdm_respond_reload(struct server *s, const char *why)
{
    char error[SPDM_DEVICE_REASON] = "out of memory", text[400];
    struct spdm_device *fresh = spdm_respond_load(s, error);
    unsigned over = 0;
    if (fresh == NULL || !spdm_respond_replace(s, fresh, NULL)) {
        spdm_respond_say(s, "%s: description not changed: %s", why, error);
        return false;
    }
    spdm_device_describe(fresh, text, sizeof text);
    for (struct client *c = s->live; c != NULL; c = c->older) over += c->over;
    spdm_respond_say(s, "%s: description read again; %u clients must start over: %s", why, over, text);
    return true;
}
