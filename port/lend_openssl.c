/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lend_openssl.c - back ends for single keys, lent again and again.
 *
 * What a thread leaves in a library context (its random number generators)
 * OpenSSL frees when the thread ends, not when the context is freed. So a
 * program whose worker threads outlive its keys must not free their contexts:
 * it gives them back here. */
#include "port/openssl_inside.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SETTINGS_MAX 4096

struct spdm_openssl_lent {
    struct spdm_openssl_lent *next;
    struct spdm_openssl *ossl;
    bool out, old, dropped; /* old: it has been given back before */
    char settings[];
};

/* The settings as one text; a file of settings that was changed is another. false: it is too long. */
static bool describe(const struct spdm_openssl_options *o, char out[SETTINGS_MAX])
{
    struct stat st = {0};
    size_t n;
    bool there = o->config != NULL && stat(o->config, &st) == 0;
    n = (size_t)snprintf(out, SETTINGS_MAX, "%s\n%s\n%d %lld %lld.%09ld\n", o->propq != NULL ? o->propq : "",
                         o->config != NULL ? o->config : "", there, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                         st.st_mtim.tv_nsec);
    for (const char *const *p = o->providers; p != NULL && *p != NULL && n < SETTINGS_MAX; p++)
        n += (size_t)snprintf(out + n, SETTINGS_MAX - n, "%s\n", *p);
    return n < SETTINGS_MAX;
}

static struct spdm_openssl_lent *make(struct spdm_openssl *lender, const struct spdm_openssl_options *options,
                                      const char *settings, char *cause)
{
    size_t n = strlen(settings) + 1;
    struct spdm_openssl_lent *lent = OPENSSL_zalloc(sizeof *lent + n);
    spdm_openssl_say(cause, "out of memory");
    if (lent == NULL) return NULL;
    memcpy(lent->settings, settings, n);
    lent->ossl = spdm_openssl_open(options, cause);
    if (lent->ossl == NULL) {
        OPENSSL_free(lent);
        return NULL;
    }
    lent->ossl->lent_by = lender;
    lent->next = lender->lent;
    lender->lent = lent;
    return lent;
}

struct spdm_openssl *spdm_openssl_lend(struct spdm_openssl *lender, const struct spdm_openssl_options *options,
                                       char *cause)
{
    static const struct spdm_openssl_options defaults = {0};
    struct spdm_openssl_lent *lent = lender->lent;
    char settings[SETTINGS_MAX];
    if (options == NULL) options = &defaults;
    if (!describe(options, settings)) {
        spdm_openssl_say(cause, "the settings of the key are too long");
        return NULL;
    }
    while (lent != NULL && (lent->out || lent->dropped || strcmp(settings, lent->settings) != 0)) lent = lent->next;
    if (lent == NULL) lent = make(lender, options, settings, cause);
    if (lent == NULL) return NULL;
    lent->out = true;
    return lent->ossl;
}

static struct spdm_openssl_lent **find(struct spdm_openssl *ossl)
{
    struct spdm_openssl_lent **at = &ossl->lent_by->lent;
    while ((*at)->ossl != ossl) at = &(*at)->next;
    return at;
}

void spdm_openssl_give_back(struct spdm_openssl *ossl)
{
    struct spdm_openssl_lent *lent;
    if (ossl == NULL) return;
    lent = *find(ossl);
    lent->out = false;
    lent->old = true;
}

bool spdm_openssl_drop(struct spdm_openssl *ossl)
{
    struct spdm_openssl_lent **at = find(ossl), *lent = *at;
    bool old = lent->old;
    lent->dropped = true;
    if (old) return true;
    *at = lent->next;
    spdm_openssl_close(ossl);
    OPENSSL_free(lent);
    return false;
}

void spdm_openssl_lent_close(struct spdm_openssl *lender)
{
    while (lender->lent != NULL) {
        struct spdm_openssl_lent *lent = lender->lent;
        lender->lent = lent->next;
        spdm_openssl_close(lent->ossl);
        OPENSSL_free(lent);
    }
}
