/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_state_file.c - a device's state as lines of text:
 *
 *   assay device state 1
 *   slot BANK SLOT KEYPAIR MODEL ROOT CERTIFICATES
 *   erased BANK SLOT
 *   pair ID SLOTS USAGE ASYM PQC KEY
 *   bank BANK ASYM PQC
 *   csr TAG KEYPAIR MODEL BANK INFO
 *   sha256 DIGEST
 *
 * Numbers and bytes are in hex, "-" is none; KEY is "described", "none" or a
 * file. Nothing but what is written here is read: a line that is not known is
 * damage, as is a digest that is not that of the lines before it. */
#include "port/device_state.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "state"
#define FIRST "assay device state 1\n"
#define DIGEST_LINE (7 + 64 + 1)
#define SHA256 32

/* ---- writing ---- */

static void put_hex(FILE *f, struct spdm_room bytes)
{
    if (bytes.n == 0) fputc('-', f);
    for (size_t i = 0; i < bytes.n; i++) fprintf(f, "%02x", bytes.p[i]);
}

static void put_slot(FILE *f, const struct spdm_state_slot *s)
{
    if (s->erased) {
        fprintf(f, "erased %x %x\n", s->bank, s->slot);
        return;
    }
    fprintf(f, "slot %x %x %x %x ", s->bank, s->slot, s->key_pair, s->model);
    put_hex(f, s->root);
    fputc(' ', f);
    put_hex(f, s->certificates);
    fputc('\n', f);
}

static void put_all(FILE *f, const struct spdm_device_state *s)
{
    fputs(FIRST, f);
    for (unsigned i = 0; i < s->slot_n; i++) put_slot(f, &s->slot[i]);
    for (unsigned i = 0; i < s->pair_n; i++) {
        const struct spdm_state_pair *p = &s->pair[i];
        const char *key = p->erased ? "none" : p->key[0] != '\0' ? p->key : "described";
        fprintf(f, "pair %x %x %x %x %x %s\n", p->id, p->slots, p->usage, p->asym, p->pqc, key);
    }
    for (unsigned i = 0; i < s->bank_n; i++)
        fprintf(f, "bank %x %x %x\n", s->bank[i].bank, s->bank[i].asym, s->bank[i].pqc);
    for (unsigned i = 0; i < s->csr_n; i++) {
        const struct spdm_state_csr *c = &s->csr[i];
        fprintf(f, "csr %x %x %x %x ", c->tag, c->key_pair, c->model, c->bank);
        put_hex(f, c->info);
        fputc('\n', f);
    }
}

static bool digest(struct spdm_openssl *ossl, struct spdm_span text, char hex[2 * SHA256 + 1])
{
    const struct spdm_crypto *crypto = spdm_openssl_crypto();
    void *state = calloc(1, crypto->hash_state_size);
    uint8_t out[SPDM_HASH_MAX] = {0};
    bool fine = state != NULL && crypto->hash_begin(ossl, state, SPDM_SHA_256) &&
                crypto->hash_update(ossl, state, text) && crypto->hash_peek(ossl, state, out);
    if (state != NULL) crypto->hash_end(ossl, state);
    free(state);
    for (unsigned i = 0; i < SHA256; i++) snprintf(hex + 2 * (size_t)i, 3, "%02x", out[i]);
    return fine;
}

bool spdm_state_write(struct spdm_openssl *ossl, const struct spdm_file_calls *calls, int dir,
                      const struct spdm_device_state *state, char *cause)
{
    char *text = NULL, hex[2 * SHA256 + 1];
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    bool fine = false;
    snprintf(cause, SPDM_CAUSE_MAX, "out of memory");
    if (f == NULL) return false;
    put_all(f, state);
    if (fflush(f) == 0 && digest(ossl, (struct spdm_span){(uint8_t *)text, n}, hex)) {
        fprintf(f, "sha256 %s\n", hex);
        fine = true;
    }
    fine = fclose(f) == 0 && fine; /* text and n are what was written from here on */
    fine = fine && spdm_safe_replace(calls, dir, NAME, (struct spdm_span){(uint8_t *)text, n}, cause);
    free(text);
    return fine;
}

/* ---- reading ---- */

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next word of a line; NULL at its end. */
static char *word(char **line)
{
    char *start = *line, *end = strchr(start, ' ');
    if (*start == '\0') return NULL;
    *line = end != NULL ? end + 1 : start + strlen(start);
    if (end != NULL) *end = '\0';
    return start;
}

static bool number(char **line, uint32_t max, uint32_t *out)
{
    const char *text = word(line);
    size_t n = text != NULL ? strlen(text) : 0;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (nibble(text[i]) < 0) return false;
        *out = *out << 4 | (uint32_t)nibble(text[i]);
    }
    return n != 0 && n <= 8 && *out <= max;
}

static bool byte(char **line, uint32_t max, uint8_t *out)
{
    uint32_t v;
    if (!number(line, max, &v)) return false;
    *out = (uint8_t)v;
    return true;
}

/* Decoded where it stands. */
static bool bytes(char **line, struct spdm_room *out)
{
    char *text = word(line);
    uint8_t *p = (uint8_t *)text;
    size_t n = text != NULL ? strlen(text) : 0;
    *out = (struct spdm_room){NULL, 0};
    if (n == 1 && text[0] == '-') return true;
    if (n == 0 || n % 2 != 0) return false;
    for (size_t i = 0; i < n / 2; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        p[i] = (uint8_t)(high << 4 | low);
    }
    *out = (struct spdm_room){p, n / 2};
    return true;
}

static bool take_slot(struct spdm_device_state *s, char *line, bool erased)
{
    struct spdm_state_slot slot = {.erased = erased};
    if (!byte(&line, 255, &slot.bank) || !byte(&line, 7, &slot.slot)) return false;
    if (!erased && (!byte(&line, 255, &slot.key_pair) || !byte(&line, 3, &slot.model) || !bytes(&line, &slot.root) ||
                    !bytes(&line, &slot.certificates) || slot.certificates.n == 0))
        return false;
    return *line == '\0' && spdm_state_put_slot(s, &slot);
}

/* A file of ours, here: nothing else is ever opened. */
static bool is_key_name(const char *name)
{
    return strncmp(name, "key-", 4) == 0 && strchr(name, '/') == NULL && strlen(name) < SPDM_STATE_KEY_MAX;
}

static bool take_pair(struct spdm_device_state *s, char *line)
{
    struct spdm_state_pair pair = {0};
    uint32_t usage;
    const char *key;
    if (!byte(&line, 255, &pair.id) || !byte(&line, 255, &pair.slots) || !number(&line, 0xffff, &usage) ||
        !number(&line, UINT32_MAX, &pair.asym) || !number(&line, UINT32_MAX, &pair.pqc))
        return false;
    pair.usage = (uint16_t)usage;
    key = word(&line);
    if (key == NULL || *line != '\0') return false;
    pair.erased = strcmp(key, "none") == 0;
    if (!pair.erased && strcmp(key, "described") != 0) {
        if (!is_key_name(key)) return false;
        snprintf(pair.key, sizeof pair.key, "%s", key);
    }
    return spdm_state_put_pair(s, &pair);
}

static bool take_bank(struct spdm_device_state *s, char *line)
{
    struct spdm_state_bank bank = {0};
    return byte(&line, 239, &bank.bank) && number(&line, UINT32_MAX, &bank.asym) &&
           number(&line, UINT32_MAX, &bank.pqc) && *line == '\0' && spdm_state_put_bank(s, &bank);
}

static bool take_csr(struct spdm_device_state *s, char *line)
{
    struct spdm_state_csr csr = {0};
    return byte(&line, SPDM_STATE_TAGS, &csr.tag) && csr.tag != 0 && byte(&line, 255, &csr.key_pair) &&
           byte(&line, 3, &csr.model) && byte(&line, 239, &csr.bank) && bytes(&line, &csr.info) && *line == '\0' &&
           spdm_state_put_csr(s, &csr);
}

static bool take_line(struct spdm_device_state *s, char *line)
{
    const char *kind = word(&line);
    if (kind == NULL) return false;
    if (strcmp(kind, "slot") == 0) return take_slot(s, line, false);
    if (strcmp(kind, "erased") == 0) return take_slot(s, line, true);
    if (strcmp(kind, "pair") == 0) return take_pair(s, line);
    if (strcmp(kind, "bank") == 0) return take_bank(s, line);
    return strcmp(kind, "csr") == 0 && take_csr(s, line);
}

/* The text without its digest, ended; false: it is not as we wrote it. */
static bool is_whole(struct spdm_openssl *ossl, struct spdm_room text)
{
    char hex[2 * SHA256 + 1], last[DIGEST_LINE + 1];
    size_t n = text.n - DIGEST_LINE;
    if (text.n < sizeof FIRST - 1 + DIGEST_LINE || memcmp(text.p, FIRST, sizeof FIRST - 1) != 0) return false;
    if (!digest(ossl, (struct spdm_span){text.p, n}, hex)) return false;
    snprintf(last, sizeof last, "sha256 %s\n", hex);
    if (memcmp(text.p + n, last, DIGEST_LINE) != 0) return false;
    text.p[n] = '\0';
    return true;
}

struct spdm_device_state *spdm_state_read(struct spdm_openssl *ossl, int dir, char *cause)
{
    struct spdm_device_state *s = spdm_state_new();
    struct spdm_room text = spdm_safe_read(dir, NAME, cause);
    bool fine = s != NULL && cause[0] == '\0';
    if (fine && text.p != NULL) {
        char *line = (char *)text.p + sizeof FIRST - 1;
        fine = is_whole(ossl, text);
        while (fine && *line != '\0') {
            char *end = strchr(line, '\n');
            fine = end != NULL;
            if (end != NULL) *end = '\0';
            fine = fine && take_line(s, line);
            if (fine) line = end + 1;
        }
        if (!fine)
            snprintf(cause, SPDM_CAUSE_MAX,
                     "the file \"state\" is damaged, or not one of ours; without it the device is as it was described");
    }
    free(text.p);
    if (fine) return s;
    if (cause[0] == '\0') snprintf(cause, SPDM_CAUSE_MAX, "out of memory");
    spdm_state_free(s);
    return NULL;
}

void spdm_state_tidy(int dir, const struct spdm_device_state *s)
{
    int fd = dup(dir);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL) {
        if (fd >= 0) close(fd);
        return;
    }
    rewinddir(list);
    for (const struct dirent *e; (e = readdir(list)) != NULL;) {
        bool named = !is_key_name(e->d_name);
        for (unsigned i = 0; i < s->pair_n && !named; i++) named = strcmp(s->pair[i].key, e->d_name) == 0;
        if (!named) (void)unlinkat(dir, e->d_name, 0);
    }
    closedir(list);
}
