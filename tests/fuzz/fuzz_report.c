/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_report.c - the sentence of any report, in any room.
 *
 * Fifteen bytes are the report's numbers, then the room, then the field's name.
 * The sentence is as long in a room that is too small, ends there, and is the
 * beginning of the whole one. */
#include <assay/report.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 17 };

static void require(bool fact)
{
    if (!fact) abort();
}

static uint32_t number(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8 | p[2] << 16) | (uint32_t)p[3] << 24;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spdm_report report = {0};
    size_t cap, n, whole;
    char *name, *out, *all;

    if (size < HEAD) return 0;
    name = calloc(size - HEAD + 1, 1);
    require(name != NULL);
    memcpy(name, data + HEAD, size - HEAD);
    report.why = data[0];
    report.code = data[1];
    report.version = data[2];
    report.offset = number(data + 3);
    report.got = number(data + 7);
    report.limit = number(data + 11);
    report.field = data[15] & 1 ? NULL : name;
    cap = data[16];
    whole = spdm_report_text(&report, NULL, 0);
    all = malloc(whole + 1);
    out = malloc(cap != 0 ? cap : 1);
    require(all != NULL && out != NULL);
    require(spdm_report_text(&report, all, whole + 1) == whole && strlen(all) == whole);
    n = spdm_report_text(&report, out, cap);
    require(n == whole);
    if (cap != 0) require(strlen(out) == (whole < cap ? whole : cap - 1) && strncmp(out, all, strlen(out)) == 0);
    free(name);
    free(out);
    free(all);
    return 0;
}
