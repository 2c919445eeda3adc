/* SPDX-License-Identifier: BSD-3-Clause
 *
 * app_data.c - messages of a stream, and its credit.
 *
 * Nothing is sent or received here. A message that breaks a rule changes
 * nothing but that the stream is over, with a reason that names the numbers. */
#include "app_data.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mark[SPDM_APP_HEAD - 1] = {0x7f, 0x00, 0x00, 0x7e, 0xd9};

void spdm_app_begin(struct spdm_app_stream *s, uint32_t window)
{
    *s = (struct spdm_app_stream){.credit = SPDM_APP_CREDIT, .room = SPDM_APP_CREDIT, .due = SPDM_APP_BROKEN};
    s->window = window > SPDM_APP_CREDIT ? window : SPDM_APP_CREDIT + 1;
    s->owed = s->window - SPDM_APP_CREDIT;
}

bool spdm_app_over(const struct spdm_app_stream *s)
{
    return s->reset || s->peer_reset || (s->ended && s->peer_ended);
}

uint32_t spdm_app_sendable(const struct spdm_app_stream *s)
{
    return s->reset || s->peer_reset || s->ended ? 0 : s->credit;
}

void spdm_app_reset(struct spdm_app_stream *s, const char *reason)
{
    if (spdm_app_over(s)) return;
    s->reset = true;
    snprintf(s->reason, sizeof s->reason, "%s", reason);
}

/* ---- what comes ---- */

bool spdm_app_ours(struct spdm_span message)
{
    return message.n >= sizeof mark && memcmp(message.p, mark, sizeof mark) == 0;
}

static struct spdm_app_message broken(struct spdm_app_stream *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static struct spdm_app_message broken(struct spdm_app_stream *s, const char *format, ...)
{
    char reason[SPDM_APP_REASON_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    spdm_app_reset(s, reason);
    return (struct spdm_app_message){.kind = SPDM_APP_BROKEN};
}

static struct spdm_app_message take_data(struct spdm_app_stream *s, struct spdm_span data)
{
    if (data.n == 0) return broken(s, "DATA without a byte");
    if (s->peer_ended) return broken(s, "%zu bytes of DATA after END", data.n);
    if (data.n > s->room) return broken(s, "%zu bytes of DATA, the credit is %u", data.n, s->room);
    s->room -= (uint32_t)data.n;
    return (struct spdm_app_message){.kind = SPDM_APP_DATA, .bytes = data};
}

static struct spdm_app_message take_end(struct spdm_app_stream *s, struct spdm_span rest)
{
    if (rest.n != 0) return broken(s, "END with %zu bytes, 0 expected", rest.n);
    if (s->peer_ended) return broken(s, "END for the second time");
    s->peer_ended = true;
    return (struct spdm_app_message){.kind = SPDM_APP_END};
}

static struct spdm_app_message take_credit(struct spdm_app_stream *s, struct spdm_span rest)
{
    uint32_t more;
    if (rest.n != 4) return broken(s, "CREDIT with %zu bytes, 4 expected", rest.n);
    more = rest.p[0] | (uint32_t)rest.p[1] << 8 | (uint32_t)rest.p[2] << 16 | (uint32_t)rest.p[3] << 24;
    if (more == 0) return broken(s, "CREDIT of 0 bytes");
    if (more > UINT32_MAX - s->credit) return broken(s, "CREDIT of %u bytes on top of %u", more, s->credit);
    s->credit += more;
    return (struct spdm_app_message){.kind = SPDM_APP_MORE};
}

static struct spdm_app_message take_reset(struct spdm_app_stream *s, struct spdm_span text)
{
    if (text.n > SPDM_APP_REASON_MAX) return broken(s, "RESET with %zu bytes, at most 200 allowed", text.n);
    s->peer_reset = true;
    return (struct spdm_app_message){.kind = SPDM_APP_RESET, .bytes = text};
}

struct spdm_app_message spdm_app_look(struct spdm_span message)
{
    struct spdm_app_message out = {.kind = SPDM_APP_BROKEN};
    if (!spdm_app_ours(message) || message.n < SPDM_APP_HEAD) return out;
    if (message.p[SPDM_APP_HEAD - 1] <= SPDM_APP_RESET) out.kind = (enum spdm_app_kind)message.p[SPDM_APP_HEAD - 1];
    out.bytes = (struct spdm_span){message.p + SPDM_APP_HEAD, message.n - SPDM_APP_HEAD};
    return out;
}

struct spdm_app_message spdm_app_take(struct spdm_app_stream *s, struct spdm_span message)
{
    struct spdm_app_message in = spdm_app_look(message);
    if (spdm_app_over(s)) return (struct spdm_app_message){.kind = SPDM_APP_PAST};
    if (!spdm_app_ours(message)) return broken(s, "application data of another protocol");
    if (message.n < SPDM_APP_HEAD) return broken(s, "a message without a kind");
    switch (in.kind) {
    case SPDM_APP_DATA: return take_data(s, in.bytes);
    case SPDM_APP_END: return take_end(s, in.bytes);
    case SPDM_APP_MORE: return take_credit(s, in.bytes);
    case SPDM_APP_RESET: return take_reset(s, in.bytes);
    default: return broken(s, "a message of kind %u", message.p[SPDM_APP_HEAD - 1]);
    }
}

void spdm_app_taken(struct spdm_app_stream *s, size_t n)
{
    s->owed += (uint32_t)n;
}

/* ---- what goes ---- */

static struct spdm_span put(struct spdm_app_stream *s, uint8_t *at, enum spdm_app_kind kind, size_t n)
{
    s->due = (uint8_t)kind;
    s->due_n = (uint32_t)n;
    memcpy(at, mark, sizeof mark);
    at[sizeof mark] = (uint8_t)kind;
    return (struct spdm_span){at, SPDM_APP_HEAD + n};
}

/* Half of the window is worth a message; from who has said END nothing comes that would need any. */
static bool credit_is_due(const struct spdm_app_stream *s)
{
    if (!s->begun) return true;
    return !s->peer_ended && s->owed != 0 && s->owed >= s->window / 2;
}

static struct spdm_span put_credit(struct spdm_app_stream *s)
{
    uint8_t *at = s->small + SPDM_APP_HEAD;
    struct spdm_span message = put(s, s->small, SPDM_APP_MORE, 4);
    for (unsigned i = 0; i < 4; i++) at[i] = (uint8_t)(s->owed >> (8 * i));
    s->due_n = s->owed;
    return message;
}

static struct spdm_span put_reset(struct spdm_app_stream *s, size_t most)
{
    size_t n = strlen(s->reason);
    if (n > most - SPDM_APP_HEAD) n = most - SPDM_APP_HEAD;
    memcpy(s->small + SPDM_APP_HEAD, s->reason, n);
    return put(s, s->small, SPDM_APP_RESET, n);
}

struct spdm_span spdm_app_next(struct spdm_app_stream *s, const struct spdm_app_source *source, size_t most)
{
    size_t n = source->n;
    s->due = SPDM_APP_BROKEN;
    if (s->reset && !s->told && !s->peer_reset) return put_reset(s, most);
    if (s->reset || s->peer_reset) return (struct spdm_span){NULL, 0};
    if (credit_is_due(s)) return put_credit(s);
    if (s->ended) return (struct spdm_span){NULL, 0};
    if (n > s->credit) n = s->credit;
    if (n > most - SPDM_APP_HEAD) n = most - SPDM_APP_HEAD;
    if (n != 0) return put(s, source->data - SPDM_APP_HEAD, SPDM_APP_DATA, n);
    return source->n == 0 && source->end ? put(s, s->small, SPDM_APP_END, 0) : (struct spdm_span){NULL, 0};
}

size_t spdm_app_sent(struct spdm_app_stream *s)
{
    enum spdm_app_kind kind = (enum spdm_app_kind)s->due;
    s->due = SPDM_APP_BROKEN;
    switch (kind) {
    case SPDM_APP_DATA: s->credit -= s->due_n; return s->due_n;
    case SPDM_APP_END: s->ended = true; return 0;
    case SPDM_APP_MORE:
        s->begun = true;
        s->room += s->due_n;
        s->owed -= s->due_n;
        return 0;
    case SPDM_APP_RESET: s->told = true; return 0;
    default: return 0;
    }
}
