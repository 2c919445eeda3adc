/* SPDX-License-Identifier: BSD-3-Clause
 *
 * layout.c - prints how every message is laid out, as a table in Lua, for the dissector in spdm.lua.
 *
 * Nothing is known here of any message. Each walker runs many times over an
 * io engine of our own in the place of src/wire/io.c, which has no bytes: it
 * invents the numbers and takes down the fields. A number that no such field
 * may be is tried no further; all other rules are left alone. What a number
 * changes is found by trying its values: sizes that follow it are told as a
 * formula, and where other fields follow, the layout forks there. Sizes that
 * come with the algorithms are primes that no field has by itself. */
#include "wire/message.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 64, VALUES = 256, CLASSES = 8, DEPTH = 5, ROOM = 1 << 20 };
enum { HASH = 61, SUMMARY = 67, VERIFY = 71, SIGNATURE = 1009, EXCHANGE = 1013, REPLY = 1019 };

/* ---- a run: the fields that a walker names ---- */

enum kind { NUMBER, BYTES, RESERVED, REST };

struct item {
    const char *name;
    enum kind kind;
    size_t n;
};

struct run {
    struct item v[ITEMS];
    size_t n;
    bool whole;   /* the walker came to its end */
    bool refused; /* its last number cannot be */
};

/* What each number is to be; the default is 0. */
struct given {
    bool set[ITEMS];
    uint32_t value[ITEMS];
};

static uint8_t room[ROOM];
static struct run *at;
static const struct given *given;
static size_t expected; /* position behind the item that was taken down last */
static jmp_buf enough;

static void take(struct io *io, enum kind kind, size_t n)
{
    if (at->n == ITEMS || io->at != expected) longjmp(enough, 1); /* it goes back: inside of a field */
    at->v[at->n++] = (struct item){kind == RESERVED ? "" : io->name, kind, n};
    io->last = io->at;
    io->at = expected = io->at + n;
}

uint32_t spdm_io_number(struct io *io, uint32_t v, size_t n)
{
    size_t i;
    (void)v;
    take(io, NUMBER, n);
    i = at->n - 1;
    v = given->set[i] ? given->value[i] : 0;
    return n < 4 ? v & ((1u << 8 * n) - 1) : v;
}

void spdm_io_u8(struct io *io, uint8_t *v)
{
    *v = (uint8_t)spdm_io_number(io, 0, 1);
}

void spdm_io_u16(struct io *io, uint16_t *v)
{
    *v = (uint16_t)spdm_io_number(io, 0, 2);
}

void spdm_io_u32(struct io *io, uint32_t *v)
{
    *v = spdm_io_number(io, 0, 4);
}

void spdm_io_zero(struct io *io, size_t n)
{
    take(io, RESERVED, n);
}

void spdm_io_u8_since(struct io *io, uint8_t version, uint8_t *v)
{
    *v = 0;
    if (io_since(io, version)) spdm_io_u8(io, v);
    else spdm_io_zero(io, 1);
}

void spdm_io_u32_since(struct io *io, uint8_t version, uint32_t *v)
{
    *v = 0;
    if (io_since(io, version)) spdm_io_u32(io, v);
    else spdm_io_zero(io, 4);
}

void spdm_io_bytes(struct io *io, struct spdm_span *s, size_t n)
{
    take(io, BYTES, n);
    *s = (struct spdm_span){room, n < ROOM ? n : ROOM};
}

void spdm_io_rest(struct io *io, struct spdm_span *s, size_t max)
{
    (void)max;
    take(io, REST, 0);
    *s = (struct spdm_span){room, 0};
}

void spdm_io_signature(struct io *io, struct spdm_span *s)
{
    spdm_io_bytes(io, s, io->sh.sig);
}

void spdm_io_verify(struct io *io, struct spdm_span *s, size_t n)
{
    spdm_io_bytes(io, s, n);
}

void spdm_io_fail_tersely(struct io *io, uint8_t why)
{
    (void)io;
    at->refused = why == SPDM_WHY_BAD_VALUE;
    if (at->refused) longjmp(enough, 1);
}

void spdm_io_fail(struct io *io, uint8_t why, uint32_t got, uint32_t limit)
{
    (void)got;
    (void)limit;
    spdm_io_fail_tersely(io, why);
}

/* What is walked: a message of a version, or a measurement block. */
struct subject {
    const struct spdm_message *row;
    uint8_t version;
};

static void walk_once(const struct subject *subject, const struct given *with, struct run *out)
{
    static struct io io;
    static union spdm_body body;
    io = (struct io){.rd = {room, ROOM}, .end = ROOM};
    io.sh = (struct shape){.ver = subject->version,
                           .hash = HASH,
                           .meas_sum = SUMMARY,
                           .opaque_free = true,
                           .multi_key = true,
                           .signature = true,
                           .verify = VERIFY,
                           .sig = SIGNATURE,
                           .exchange = EXCHANGE,
                           .exchange_reply = REPLY,
                           .opaque_max = 0xffff};
    memset(&body, 0, sizeof body);
    at = out;
    at->n = expected = 0;
    at->whole = at->refused = false;
    given = with;
    if (setjmp(enough) != 0) return;
    if (subject->row == NULL) {
        struct spdm_measurement block = {0};
        spdm_walk_block(&io, &block);
    } else {
        uint8_t byte;
        io.name = "SPDMVersion";
        spdm_io_u8(&io, &byte);
        io.name = "RequestResponseCode";
        spdm_io_u8(&io, &byte);
        if (subject->row->walk != NULL) subject->row->walk(&io, &body);
        else spdm_io_zero(&io, 2);
    }
    at->whole = true;
}

/* Numbers that are not given become the first that may be. false: what is given may not. */
static bool walk(const struct subject *subject, const struct given *with, struct run *out)
{
    struct given tried = *with;
    for (;;) {
        size_t i;
        walk_once(subject, &tried, out);
        if (!out->refused) return true;
        for (i = out->n; i > 0 && out->v[i - 1].kind != NUMBER;) i--;
        if (i-- == 0 || with->set[i] || tried.value[i] == VALUES) return false;
        tried.value[i] = tried.set[i] ? tried.value[i] + 1 : 1;
        tried.set[i] = true;
    }
}

/* ---- what a number does ---- */

/* A size that follows a number v: a * ones(v & mask), or a * (v & mask), and b more. */
struct formula {
    size_t of; /* item of the number, SIZE_MAX: none */
    bool ones;
    uint32_t mask;
    size_t a, b;
};

static size_t values_of(const struct item *item, uint32_t v[VALUES])
{
    static const uint32_t some[] = {0, 1, 2, 3, 4, 8, 37, 41, 256, 1000};
    size_t n = item->n == 1 ? VALUES : sizeof some / sizeof *some;
    for (size_t i = 0; i < n; i++) v[i] = item->n == 1 ? (uint32_t)i : some[i];
    return n;
}

static bool same_fields(const struct run *a, const struct run *b)
{
    if (a->n != b->n || a->whole != b->whole) return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->v[i].name, b->v[i].name) != 0 || a->v[i].kind != b->v[i].kind) return false;
    return true;
}

static size_t apply(const struct formula *f, uint32_t v)
{
    return f->b + f->a * (f->ones ? spdm_ones(v & f->mask) : v & f->mask);
}

/* Finds one for item k of these runs. */
static bool fit(const struct run *runs, const uint32_t *v, size_t n, size_t k, struct formula *f)
{
    static const uint32_t masks[] = {0xffffffff, 0x0f, 0x7f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80};
    for (size_t i = 0; i < 2 * sizeof masks / sizeof *masks; i++) {
        size_t j = 0, one = 0;
        f->ones = i % 2 != 0;
        f->mask = masks[i / 2];
        f->b = runs[0].v[k].n;
        while (one < n && (v[one] & f->mask) != (f->mask & (0 - f->mask))) one++;
        if (one == n || runs[one].v[k].n <= f->b) continue;
        f->a = (runs[one].v[k].n - f->b) / (f->ones ? 1 : f->mask & (0 - f->mask));
        while (j < n && apply(f, v[j]) == runs[j].v[k].n) j++;
        if (j == n) return true;
    }
    return false;
}

/* ---- the layout as a tree ---- */

static FILE *out;

static struct run runs[DEPTH][VALUES];
static struct formula formulas[DEPTH][ITEMS];

/* Tries all values of item i. true: sizes behind it follow it by formulas, or nothing does. */
static bool harmless(const struct subject *subject, struct given *with, size_t i, size_t depth, size_t *count,
                     uint32_t *v)
{
    struct run *r = runs[depth];
    size_t n = 0;
    for (size_t k = 0; k < *count; k++) {
        with->set[i] = true;
        with->value[i] = v[n] = v[k];
        n += walk(subject, with, &r[n]) ? 1 : 0;
    }
    *count = n;
    with->set[i] = false;
    for (size_t k = 1; k < n; k++)
        if (!same_fields(&r[0], &r[k])) return false;
    for (size_t item = i + 1; item < r[0].n; item++) {
        struct formula f = {.of = i};
        size_t k = 1;
        while (k < n && r[k].v[item].n == r[0].v[item].n) k++;
        if (k == n) continue;
        if (!fit(r, v, n, item, &f)) return false;
        formulas[depth][item] = f;
    }
    return true;
}

static void indent(size_t depth)
{
    for (size_t i = 0; i <= depth; i++) fputs("  ", out);
}

static void print_size(size_t n)
{
    static const struct {
        size_t n;
        const char *name;
    } named[] = {{HASH, "hash"},           {SUMMARY, "summary"},   {VERIFY, "verify"},
                 {SIGNATURE, "signature"}, {EXCHANGE, "exchange"}, {REPLY, "reply"}};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (n != named[i].n) continue;
        fprintf(out, "\"%s\"", named[i].name);
        return;
    }
    fprintf(out, "%zu", n);
}

static void print_item(const struct run *r, size_t i, const struct formula *f, size_t depth)
{
    static const char *const kinds[] = {"number", "bytes", "reserved", "rest"};
    const struct item *item = &r->v[i];
    indent(depth);
    fprintf(out, "{kind = \"%s\"", kinds[item->kind]);
    if (item->name[0] != '\0') fprintf(out, ", name = \"%s\"", item->name);
    if (item->kind < REST) {
        fprintf(out, ", size = ");
        print_size(f->of == SIZE_MAX ? item->n : f->b);
    }
    if (f->of != SIZE_MAX) {
        fprintf(out, ", of = %zu, mask = 0x%x, by = ", f->of + 1, (unsigned)f->mask);
        print_size(f->a);
        if (f->ones) fprintf(out, ", ones = true");
    }
    fprintf(out, "},\n");
}

static void tree(const struct subject *subject, struct given *with, size_t from, size_t depth);

/* "{first, last}, " of the values from k on that are of one class; returns the last. */
static size_t print_values(const size_t *class_of, const uint32_t *v, size_t k, size_t n)
{
    size_t last = k;
    while (last + 1 < n && class_of[last + 1] == class_of[k] && v[last + 1] == v[last] + 1) last++;
    fprintf(out, "{%u, %u}, ", (unsigned)v[k], (unsigned)v[last]);
    return last;
}

/* Whether two values fork the same way. Small ones that change sizes, and no formula says how, are told apart. */
static bool same_way(const struct run *a, const struct run *b, uint32_t v)
{
    enum { SMALL = 4 };
    bool same = same_fields(a, b);
    for (size_t i = 0; same && v <= SMALL && i < a->n; i++) same = a->v[i].n == b->v[i].n;
    return same;
}

/* Where item i forks the layout: a case for each different one, and the last for all other values. */
static void fork_at(const struct subject *subject, struct given *with, size_t i, size_t depth, size_t n,
                    const uint32_t *v)
{
    size_t class_of[VALUES], first[VALUES], members[VALUES] = {0}, classes = 0, usual = 0;
    for (size_t k = 0; k < n; k++) {
        size_t c = 0;
        while (c < classes && !same_way(&runs[depth][first[c]], &runs[depth][k], v[first[c]])) c++;
        if (c == classes) first[classes++] = k;
        class_of[k] = c;
        members[c]++;
    }
    for (size_t c = 1; c < classes; c++)
        if (members[c] > members[usual]) usual = c;
    indent(depth);
    fprintf(out, "{kind = \"fork\", of = %zu, cases = {\n", i + 1);
    for (size_t c = 0; c < classes && c < CLASSES; c++) {
        if (c == usual) continue;
        indent(depth);
        fprintf(out, "{values = {");
        for (size_t k = 0; k < n; k++)
            if (class_of[k] == c) k = print_values(class_of, v, k, n);
        fprintf(out, "},\n");
        with->set[i] = true;
        with->value[i] = v[first[c]];
        tree(subject, with, i + 1, depth + 1);
        indent(depth);
        fprintf(out, "},\n");
    }
    indent(depth);
    fprintf(out, "{\n");
    with->set[i] = true;
    with->value[i] = v[first[usual]];
    tree(subject, with, i + 1, depth + 1);
    with->set[i] = false;
    indent(depth);
    fprintf(out, "}}},\n");
}

static void tree(const struct subject *subject, struct given *with, size_t from, size_t depth)
{
    static struct run base[DEPTH];
    if (depth == DEPTH) return;
    (void)walk(subject, with, &base[depth]);
    for (size_t i = 0; i < ITEMS; i++) formulas[depth][i] = (struct formula){.of = SIZE_MAX};
    for (size_t i = 0; depth > 0 && i < from; i++) formulas[depth][i] = formulas[depth - 1][i];
    /* numbers in front of the fork still count behind it */
    for (size_t i = 0; i < base[depth].n; i++) {
        uint32_t v[VALUES];
        size_t n;
        bool before = i < from, fine = true;
        if (!before) print_item(&base[depth], i, &formulas[depth][i], depth);
        if (base[depth].v[i].kind != NUMBER || with->set[i]) continue;
        n = values_of(&base[depth].v[i], v);
        fine = harmless(subject, with, i, depth, &n, v);
        if (fine || before) continue;
        fork_at(subject, with, i, depth, n, v);
        return;
    }
    if (base[depth].whole) return;
    indent(depth);
    fprintf(out, "{kind = \"rest\", name = \"Data\"},\n");
}

static void print_layout(const struct subject *subject)
{
    struct given with = {.set = {false}};
    if (subject->row != NULL) { /* these two are what they are */
        with.set[0] = with.set[1] = true;
        with.value[0] = subject->version;
        with.value[1] = subject->row->code;
    }
    tree(subject, &with, 0, 0);
}

/* ---- algorithms ---- */

static void print_algorithms(void)
{
    fprintf(out, "local algorithms = {\n");
    for (int id = 1; id < SPDM_ALG_N; id++) {
        const struct spdm_algorithm *a = spdm_algorithm((enum spdm_alg)id);
        fprintf(out, "  {class = %u, bit = %u, size = %u, reply = %u, name = \"%s\"},\n", a->cls, a->bit, a->size,
                a->reply, spdm_algorithm_name((enum spdm_alg)id));
    }
    fprintf(out, "}\nlocal classes = {hash = %d, asym = %d, pqc = %d, dhe = %d, kem = %d}\n", SPDM_CLASS_HASH,
            SPDM_CLASS_ASYM, SPDM_CLASS_PQC, SPDM_CLASS_DHE, SPDM_CLASS_KEM);
}

/* The layout of a message in each version; that of the version before if it is the same. */
static void print_message(const struct spdm_message *row)
{
    static const uint8_t versions[] = {SPDM_V10, SPDM_V11, SPDM_V12, SPDM_V13, SPDM_V14};
    char *before = NULL, *text = NULL;
    size_t n;
    printf("layouts[0x%02x] = {}\n", row->code);
    for (size_t i = 0; i < sizeof versions; i++) {
        if (versions[i] < row->since) continue;
        out = open_memstream(&text, &n);
        if (out == NULL) exit(1);
        print_layout(&(struct subject){row, versions[i]});
        if (fclose(out) != 0) exit(1);
        printf("layouts[0x%02x][0x%02x] = ", row->code, versions[i]);
        if (before != NULL && strcmp(before, text) == 0)
            printf("layouts[0x%02x][0x%02x]\n", row->code, versions[i] - 1);
        else printf("{\n%s}\n", text);
        free(before);
        before = text;
    }
    free(before);
}

int main(void)
{
    out = stdout;
    print_algorithms();
    printf("local names = {\n");
    for (unsigned code = 0; code < 256; code++) {
        const struct spdm_message *row = spdm_message_find((uint8_t)code);
        if (row != NULL) printf("  [0x%02x] = \"%s\",\n", code, row->name);
    }
    printf("}\nlocal block = {\n");
    print_layout(&(struct subject){.version = SPDM_V14});
    printf("}\nlocal layouts = {}\n");
    for (unsigned code = 0; code < 256; code++) {
        const struct spdm_message *row = spdm_message_find((uint8_t)code);
        if (row != NULL) print_message(row);
    }
    return ferror(stdout) != 0;
}
