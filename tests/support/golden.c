/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading the golden data. Anything odd in them aborts: data that say nothing test nothing. */
#include "support/golden.h"
#include "support/hex.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "tests/data/golden/"

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "golden data: %s %s\n", what, which);
    abort();
}

/* The bytes of one piece: "@name" is a file of chains/, anything else hex. */
static struct spdm_room piece(const char *word)
{
    char path[256];
    struct spdm_room room;
    size_t from, n, name = strcspn(word, ":");

    if (word[0] != '@') return hex_bytes(word);
    if (snprintf(path, sizeof path, ROOT "chains/%.*s", (int)name - 1, word + 1) >= (int)sizeof path)
        fail("long name", word);
    room = file_bytes(path);
    if (room.p == NULL) fail("no such chain:", word);
    if (word[name] == '\0') return room;
    if (sscanf(word + name, ":%zu:%zu", &from, &n) != 2 || from + n > room.n) fail("no such part:", word);
    memmove(room.p, room.p + from, n);
    room.n = n;
    return room;
}

struct spdm_room golden_bytes(const char *spelled)
{
    struct spdm_room all = {malloc(1), 0};
    char *copy = strdup(spelled), *rest = copy;

    if (all.p == NULL || copy == NULL) abort();
    for (char *word; (word = strsep(&rest, "+")) != NULL;) {
        struct spdm_room next = piece(word);

        all.p = realloc(all.p, all.n + next.n != 0 ? all.n + next.n : 1);
        if (all.p == NULL) abort();
        memcpy(all.p + all.n, next.p, next.n);
        all.n += next.n;
        free(next.p);
    }
    free(copy);
    return all;
}

unsigned golden_lines(const char *path, void (*fn)(char *, void *), void *ctx)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    unsigned n = 0;

    if (f == NULL) fail("cannot open", path);
    while (getline(&line, &cap, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0') continue;
        fn(line, ctx);
        n++;
    }
    free(line);
    fclose(f);
    return n;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

unsigned golden_files(const char *directory, void (*fn)(const char *, const char *, void *), void *ctx)
{
    char path[512];
    struct dirent **entry;
    int n;

    snprintf(path, sizeof path, ROOT "%s", directory);
    n = scandir(path, &entry, visible, by_name);
    if (n <= 0) fail("nothing in", path);
    for (int i = 0; i < n; i++) {
        if (snprintf(path, sizeof path, ROOT "%s/%s", directory, entry[i]->d_name) >= (int)sizeof path) abort();
        fn(path, entry[i]->d_name, ctx);
        free(entry[i]);
    }
    free(entry);
    return (unsigned)n;
}

/* ---- messages ---- */

struct walk {
    void (*fn)(const struct golden *, void *);
    void *ctx;
    struct golden line;
    unsigned n;
};

static const struct spdm_message *row_named(const char *name, size_t n)
{
    for (size_t i = 0; i < spdm_message_count; i++) {
        if (strlen(spdm_messages[i]->name) == n && memcmp(spdm_messages[i]->name, name, n) == 0) {
            return spdm_messages[i];
        }
    }
    fail("no message", name);
    return NULL;
}

static void shape_word(struct shape *sh, const char *word)
{
    unsigned value = 0;
    char name[16];

    if (strcmp(word, "fmt=free") == 0) {
        sh->opaque_free = true;
        return;
    }
    if (sscanf(word, "%15[a-z]=%u", name, &value) != 2) fail("bad shape", word);
    if (strcmp(name, "hash") == 0) sh->hash = (uint8_t)value;
    else if (strcmp(name, "sig") == 0) sh->sig = (uint16_t)value;
    else if (strcmp(name, "sum") == 0) sh->meas_sum = (uint8_t)value;
    else if (strcmp(name, "fmt") == 0) sh->opaque_format = (uint8_t)value;
    else if (strcmp(name, "multi") == 0) sh->multi_key = value != 0;
    else if (strcmp(name, "sign") == 0) sh->signature = value != 0;
    else if (strcmp(name, "verify") == 0) sh->verify = (uint8_t)value;
    else if (strcmp(name, "exchange") == 0) sh->exchange = (uint16_t)value;
    else if (strcmp(name, "reply") == 0) sh->exchange_reply = (uint16_t)value;
    else fail("bad shape", word);
}

static void take_line(char *text, void *ctx)
{
    struct walk *w = ctx;
    struct golden *g = &w->line;
    uint8_t version = g->shape.ver;
    char *rest = text, *shape, *word;

    g->source = strsep(&rest, " ");
    shape = strsep(&rest, " ");
    word = strsep(&rest, " ");
    if (shape == NULL || word == NULL || rest == NULL) fail("short line", g->source);
    g->bytes = golden_bytes(word);
    g->expected = rest;
    g->shape = (struct shape){.ver = version, .opaque_max = 1024};
    while (strcmp(shape, "-") != 0 && (word = strsep(&shape, ",")) != NULL) {
        shape_word(&g->shape, word);
        if (shape == NULL) break;
    }
    w->fn(g, w->ctx);
    w->n++;
    free(g->bytes.p);
}

static void take_file(const char *path, const char *name, void *ctx)
{
    struct walk *w = ctx;
    const char *dash = strchr(name, '-');

    if (dash == NULL || strncmp(dash, "-1.", 3) != 0) fail("bad name", name);
    w->line.file = name;
    w->line.row = row_named(name, (size_t)(dash - name));
    w->line.shape.ver = (uint8_t)(0x10 + dash[3] - '0');
    if (w->line.row->walk != NULL) golden_lines(path, take_line, w); /* else they wait for their walker */
}

unsigned golden_each(void (*fn)(const struct golden *, void *), void *ctx)
{
    struct walk w = {.fn = fn, .ctx = ctx};

    (void)golden_files("messages", take_file, &w);
    return w.n;
}
