/* SPDX-License-Identifier: BSD-3-Clause
 *
 * respond_alias.c - the alias model: what a requester certifies is the device's own authority, and the device puts the
 * certificate of the key that it uses below it (R-MDL-05, R-SCT-10).
 *
 * The alias is made when the certificates come and is kept with them, so that a start makes no other digest of the
 * chain (R-MDL-12). */
#include "port/authority.h"
#include "port/x509_read.h"
#include "respond.h"

#include <assay/errand.h>
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>

struct spdm_device_key *spdm_respond_authority(const struct client *c, uint8_t model)
{
    const struct spdm_facts *f = spdm_responder_facts(c->engine);
    bool alias = model == SPDM_CERT_NONE ? (f->responder.flags & SPDM_ALIAS_CERT_CAP) != 0 : model == SPDM_CERT_ALIAS;
    return alias ? c->server->generation->device->provisioning.device_key : NULL;
}

/* The next certificate of a chain; its length is 0 at the end. */
static struct spdm_span next_of(struct spdm_span *certificates)
{
    size_t n = certificates->n != 0 ? spdm_x509_length(*certificates) : 0;
    struct spdm_span out = {certificates->p, n <= certificates->n ? n : 0};
    if (out.n == 0) return out;
    certificates->p += out.n;
    certificates->n -= out.n;
    return out;
}

static bool is_for(const struct client *c, struct spdm_span certificate, const struct spdm_device_key *key)
{
    struct spdm_x509 x;
    struct spdm_openssl_key *of;
    bool same = spdm_x509_read(certificate, 0, &x);
    of = same ? spdm_openssl_key_open(c->server->ossl, x.spki, NULL) : NULL;
    same = of != NULL && spdm_signer_matches(key->signer, of);
    spdm_openssl_key_free(of);
    return same;
}

struct spdm_span spdm_respond_authority_certificate(const struct client *c, const struct spdm_device_key *authority)
{
    const struct spdm_device *d = c->server->generation->device;
    for (unsigned slot = 0; slot < SPDM_SLOT_N; slot++)
        for (unsigned bank = 0; bank <= d->identity.bank_n; bank++) {
            const struct spdm_slot *from = bank == 0 ? &d->identity.slot[slot] : &d->banks[bank - 1].slot[slot];
            struct spdm_span rest = from->certificates, one;
            while ((one = next_of(&rest)).n != 0)
                if (is_for(c, one, authority)) return one;
        }
    return (struct spdm_span){NULL, 0};
}

/* The key that the slot is to prove itself with: of the key pair, its own, or that of the first slot that has one. */
static const struct spdm_device_key *alias_key(const struct spdm_device *d, const struct spdm_store_order *o)
{
    struct spdm_device_key *const *keys = d->identity.bank_n != 0 ? d->bank_key[o->bank] : d->slot_key;
    if (o->key_pair != 0 && o->key_pair <= d->identity.key_pair_n) return d->pair_key[o->key_pair - 1];
    if (keys[o->slot] != NULL) return keys[o->slot];
    for (unsigned i = 0; i < SPDM_SLOT_N; i++)
        if (keys[i] != NULL) return keys[i];
    return NULL;
}

static bool refuse(const struct client *c, uint8_t slot, const char *why)
{
    spdm_respond_client_says(c->server, "%s: certificates for slot %u not taken: %s", spdm_link_peer(c->link), slot,
                             why);
    return false;
}

bool spdm_respond_alias(const struct client *c, struct spdm_store_order *o, struct spdm_room *made)
{
    const struct spdm_device *d = c->server->generation->device;
    const struct spdm_device_key *authority = spdm_respond_authority(c, o->model), *key = alias_key(d, o);
    size_t head = 4 + (size_t)spdm_algorithm((enum spdm_alg)spdm_responder_facts(c->engine)->hash)->size;
    struct spdm_span certificates = {o->chain.p + head, o->chain.n - head}, rest = certificates, one, last = rest;
    struct spdm_alias_order order = {
        .certificates = certificates, .name = d->name, .device_info = d->provisioning.device_info, .now = time(NULL)};
    char cause[SPDM_CAUSE_MAX] = "";
    struct spdm_room all;
    if (authority == NULL) return true;
    while ((one = next_of(&rest)).n != 0) last = one;
    if (rest.n != 0 || !is_for(c, last, authority))
        return refuse(c, o->slot, "the last is not for the key of the device's own authority (R-SCT-10)");
    if (key == NULL) return refuse(c, o->slot, "there is no key for an alias below them");
    order.key = authority->uri;
    order.alias = spdm_signer_public(key->signer);
    all = spdm_alias_add(c->server->ossl, &order, cause);
    if (all.n == 0) return refuse(c, o->slot, cause);
    *made = (struct spdm_room){OPENSSL_malloc(head + all.n), head + all.n};
    if (made->p != NULL) {
        memcpy(made->p, o->chain.p, head);
        memcpy(made->p + head, all.p, all.n);
        made->p[0] = (uint8_t)made->n;
        made->p[1] = (uint8_t)(made->n >> 8);
        made->p[2] = (uint8_t)(made->n >> 16);
        made->p[3] = (uint8_t)(made->n >> 24);
        o->chain = (struct spdm_span){made->p, made->n};
    }
    OPENSSL_free(all.p);
    return made->p != NULL || refuse(c, o->slot, "out of memory");
}
