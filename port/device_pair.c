/* SPDX-License-Identifier: BSD-3-Clause
 *
 * device_pair.c - a chain or a public key, and a key, as if a description named them.
 *
 * The description is put together in memory and read by the reader of slots,
 * so that whatever makes a slot unusable there does so here. */
#include "port/device_pair.h"
#include "port/device_impl.h"

#include <stdlib.h>

static bool set(config_setting_t *group, const char *name, const char *text)
{
    config_setting_t *at = config_setting_add(group, name, CONFIG_TYPE_STRING);
    return at != NULL && config_setting_set_string(at, text) == CONFIG_TRUE;
}

/* slots = ( { chain = "..."; key = "..."; } ); NULL when memory is short. */
static const config_setting_t *describe_slot(config_t *config, const struct spdm_device_pair *pair)
{
    config_setting_t *slots = config_setting_add(config_root_setting(config), "slots", CONFIG_TYPE_LIST);
    config_setting_t *slot = slots != NULL ? config_setting_add(slots, NULL, CONFIG_TYPE_GROUP) : NULL;
    return slot != NULL && set(slot, "chain", pair->chain) && set(slot, "key", pair->key) ? slots : NULL;
}

/* public_key: { file = "..."; key = "..."; }; */
static const config_setting_t *describe_key(config_t *config, const struct spdm_device_pair *pair)
{
    config_setting_t *group = config_setting_add(config_root_setting(config), "public_key", CONFIG_TYPE_GROUP);
    return group != NULL && set(group, "file", pair->public_key) && set(group, "key", pair->key) ? group : NULL;
}

struct spdm_device *spdm_device_pair(const struct spdm_device_pair *pair, struct spdm_openssl *ossl,
                                     char error[SPDM_DEVICE_REASON])
{
    struct loader l = {.path = pair->name, .ossl = ossl, .device = calloc(1, sizeof *l.device)};
    const config_setting_t *at;
    config_t config;
    bool good = false;
    l.error = error;
    config_init(&config);
    at = pair->chain != NULL ? describe_slot(&config, pair) : describe_key(&config, pair);
    if (l.device != NULL) l.device->keys = calloc(SPDM_DEVICE_KEYS, sizeof *l.device->keys);
    if (at == NULL || l.device == NULL || l.device->keys == NULL) spdm_device_error(&l, NULL, "out of memory");
    else good = pair->chain != NULL ? spdm_device_slots(&l, at, NULL) : spdm_device_public_key(&l, at, NULL);
    config_destroy(&config);
    if (good) return l.device;
    spdm_device_free(l.device);
    return NULL;
}
