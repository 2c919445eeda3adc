/* SPDX-License-Identifier: BSD-3-Clause
 *
 * capture_text.c - hex dumps and logs, one message a line.
 *
 * The longest run of words that are nothing but hex digits is the message; a
 * word in front of it may tell who sent it. Lines without such a run, and what
 * stands behind a '#' at the beginning, are prose. */
#include "port/capture_inside.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHORTEST = 4 };

struct capture_text {
    FILE *file;
    struct capture_bytes line, run, best;
    uint64_t lines;
};

bool capture_text_open(struct spdm_capture *c, FILE *file, char error[SPDM_CAPTURE_ERROR])
{
    c->text = calloc(1, sizeof *c->text);
    if (c->text == NULL) {
        snprintf(error, SPDM_CAPTURE_ERROR, "out of memory");
        fclose(file);
        return false;
    }
    c->text->file = file;
    snprintf(c->describe, sizeof c->describe, "text");
    return true;
}

/* The next line into t->line, without its end and with a 0; false at the end. */
static bool read_line(struct capture_text *t)
{
    int byte;
    bool any = false;
    t->line.n = 0;
    while ((byte = getc_unlocked(t->file)) != EOF && byte != '\n') {
        uint8_t b = (uint8_t)byte;
        any = true;
        if (!capture_add(&t->line, (struct spdm_span){&b, 1})) return false;
    }
    return capture_add(&t->line, (struct spdm_span){(const uint8_t *)"", 1}) && (any || byte == '\n');
}

static const char separators[] = " \t\r,;[]()|\"'";

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends the bytes of a word of hex digits, perhaps with a colon behind every other; false if it is none. What has
 * fewer than four bytes between colons is a time of day. */
static bool hex_word(struct capture_bytes *run, const char *word, size_t n)
{
    size_t before = run->n, step, i;
    if (n > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) word += 2, n -= 2;
    step = n > 3 * SHORTEST - 2 && word[2] == ':' ? 3 : 2;
    for (i = 0; i + 1 < n; i += step) {
        int high = digit(word[i]), low = digit(word[i + 1]);
        uint8_t byte = (uint8_t)((unsigned)high << 4 | (unsigned)low);
        if (high < 0 || low < 0 || (step == 3 && i + 2 < n && word[i + 2] != ':')) break;
        if (!capture_add(run, (struct spdm_span){&byte, 1})) break;
    }
    if (n >= 2 && i == n + (step - 2)) return true;
    run->n = before;
    return false;
}

/* Who sends, if the word says so. */
static enum spdm_sender sender_of(const char *word, size_t n)
{
    static const struct {
        const char *word;
        enum spdm_sender sender;
    } marks[] = {
        {">", SPDM_SENDER_REQUESTER},        {"->", SPDM_SENDER_REQUESTER},        {"=>", SPDM_SENDER_REQUESTER},
        {">>", SPDM_SENDER_REQUESTER},       {"-->", SPDM_SENDER_REQUESTER},       {"req", SPDM_SENDER_REQUESTER},
        {"tx", SPDM_SENDER_REQUESTER},       {"request", SPDM_SENDER_REQUESTER},   {"requester", SPDM_SENDER_REQUESTER},
        {"out", SPDM_SENDER_REQUESTER},      {"send", SPDM_SENDER_REQUESTER},      {"sent", SPDM_SENDER_REQUESTER},
        {"req->rsp", SPDM_SENDER_REQUESTER}, {"rsp->req", SPDM_SENDER_RESPONDER},  {"<", SPDM_SENDER_RESPONDER},
        {"<-", SPDM_SENDER_RESPONDER},       {"<=", SPDM_SENDER_RESPONDER},        {"<<", SPDM_SENDER_RESPONDER},
        {"<--", SPDM_SENDER_RESPONDER},      {"rsp", SPDM_SENDER_RESPONDER},       {"rx", SPDM_SENDER_RESPONDER},
        {"response", SPDM_SENDER_RESPONDER}, {"responder", SPDM_SENDER_RESPONDER}, {"in", SPDM_SENDER_RESPONDER},
        {"recv", SPDM_SENDER_RESPONDER},     {"received", SPDM_SENDER_RESPONDER},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strlen(marks[i].word) == n && strncasecmp(marks[i].word, word, n) == 0) return marks[i].sender;
    return SPDM_SENDER_UNKNOWN;
}

/* Takes the longest run of hex words into t->best; a mark ends a run, so that a number in front of it is no part. */
static enum spdm_sender read_words(struct capture_text *t)
{
    enum spdm_sender sender = SPDM_SENDER_UNKNOWN, mark;
    const char *at = (const char *)t->line.p;
    t->best.n = t->run.n = 0;
    for (at += strspn(at, separators); *at != '\0'; at += strspn(at, separators)) {
        size_t n = strcspn(at, separators), bare = n > 1 && at[n - 1] == ':' ? n - 1 : n;
        mark = sender_of(at, bare);
        if (mark != SPDM_SENDER_UNKNOWN) sender = mark;
        if (mark != SPDM_SENDER_UNKNOWN || !hex_word(&t->run, at, bare)) t->run.n = 0;
        if (t->run.n > t->best.n) {
            t->best.n = 0;
            (void)capture_add(&t->best, (struct spdm_span){t->run.p, t->run.n});
        }
        at += n;
    }
    return sender;
}

int capture_text_next(struct spdm_capture *c, struct capture_packet *packet, char error[SPDM_CAPTURE_ERROR])
{
    struct capture_text *t = c->text;
    while (read_line(t)) {
        t->lines++;
        if (t->line.p[0] == '#' || memchr(t->line.p, 0, t->line.n - 1) != NULL) continue;
        packet->sender = read_words(t);
        if (t->best.n < SHORTEST) continue;
        packet->number = t->lines;
        packet->bytes = (struct spdm_span){t->best.p, t->best.n};
        return 1;
    }
    if (ferror(t->file) == 0) return 0;
    snprintf(error, SPDM_CAPTURE_ERROR, "line %llu cannot be read", (unsigned long long)t->lines + 1);
    return -1;
}

void capture_text_close(struct capture_text *t)
{
    fclose(t->file);
    free(t->line.p);
    free(t->run.p);
    free(t->best.p);
    free(t);
}
