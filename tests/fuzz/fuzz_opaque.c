/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_opaque.c - the opaque data of a key exchange.
 *
 * One byte chooses the form (DSP0277's own header of SPDM 1.1, or the general
 * one), the rest is read. What was understood is within its limits, and written
 * again it is understood the same. */
#include "wire/message.h"
#include "wire/secured_opaque.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

static bool same(const struct secured_opaque *a, const struct secured_opaque *b)
{
    if (a->has_versions != b->has_versions || a->has_selection != b->has_selection || a->has_limit != b->has_limit)
        return false;
    if (a->has_selection && a->selection != b->selection) return false;
    if (a->has_limit && a->limit != b->limit) return false;
    return !a->has_versions ||
           (a->version_n == b->version_n && memcmp(a->version, b->version, a->version_n * sizeof *a->version) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secured_opaque m = {0}, n = {0};
    uint8_t written[512], *exact;
    bool legacy;

    if (size == 0) return 0;
    legacy = data[0] & 1;
    exact = malloc(size);
    memcpy(exact, data + 1, size - 1);
    struct io reader = {.rd = {exact, size - 1}, .end = size - 1};
    struct io writer = {.wr = {written, sizeof written}, .end = sizeof written};
    reader.sh.ver = writer.sh.ver = legacy ? 0x11 : 0x12;
    spdm_walk_secured_opaque(&reader, &m, legacy);
    if (io_fine(&reader)) {
        require(m.version_n <= SECURED_VERSION_MAX && (!m.has_limit || m.limit <= 64));
        spdm_walk_secured_opaque(&writer, &m, legacy);
        require(io_fine(&writer));
        struct io back = {.rd = {written, writer.at}, .end = writer.at, .sh = reader.sh};
        spdm_walk_secured_opaque(&back, &n, legacy);
        require(io_fine(&back) && same(&m, &n));
    }
    free(exact);
    return 0;
}
