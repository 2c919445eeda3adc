/* SPDX-License-Identifier: BSD-3-Clause
 *
 * made_capture.h - capture files put together by hand, and what must come out of them. */
#ifndef ASSAY_TESTS_MADE_CAPTURE_H
#define ASSAY_TESTS_MADE_CAPTURE_H

#include "port/capture.h"
#include "support/hex.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ETHERNET = 1, NULL_LOOP = 0, RAW = 101, SLL = 113, SLL2 = 276, MCTP = 291, DOE = 292, USER0 = 147 };

/* ---- files ---- */

static char path[] = "/tmp/assay-capture-XXXXXX";
static FILE *file;
static uint32_t second;

static inline void put32(uint32_t v)
{
    assert_int_equal(fwrite(&v, sizeof v, 1, file), 1); /* in our own byte order, as pcap allows */
}

static inline void begin(uint32_t link)
{
    file = fopen(path, "wb");
    assert_non_null(file);
    second = 1000;
    put32(0xa1b2c3d4);
    put32(0x00040002);
    put32(0);
    put32(0);
    put32(0x40000);
    put32(link);
}

static inline void packet_of(const uint8_t *p, size_t n, size_t whole)
{
    put32(second++);
    put32(250000);
    put32((uint32_t)n);
    put32((uint32_t)whole);
    assert_true(n == 0 || fwrite(p, n, 1, file) == 1);
}

static inline void packet(const char *hex)
{
    struct spdm_room r = hex_bytes(hex);
    packet_of(r.p, r.n, r.n);
    free(r.p);
}

static inline struct spdm_capture *open_it(void)
{
    char error[SPDM_CAPTURE_ERROR] = "";
    struct spdm_capture *c;
    if (file != NULL) assert_int_equal(fclose(file), 0);
    file = NULL;
    c = spdm_capture_open(path, error);
    if (c == NULL) fail_msg("%s", error);
    return c;
}

static inline void text(const char *lines)
{
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(lines, file) >= 0);
}

/* ---- what comes out ---- */

/* One line for each thing: "1A 05108400" is a frame of flow 1 by its end A, "1! ..." damage, "1." the end of a flow. */
static const char *const letters = "?AB><";

static inline void expect(const struct spdm_binding *binding, const char *const *lines)
{
    struct spdm_capture *c = open_it();
    struct spdm_captured out;
    char error[SPDM_CAPTURE_ERROR] = "", line[4096], *at;
    int rc;
    while ((rc = spdm_capture_next(c, &out, error)) == 1) {
        at = line + sprintf(line, "%llu", (unsigned long long)out.flow);
        if (out.kind == SPDM_CAPTURED_END) strcpy(at, ".");
        else if (out.kind == SPDM_CAPTURED_DAMAGE) snprintf(at, 200, "! %s", out.note);
        else {
            at += sprintf(at, "%c ", letters[out.sender]);
            for (size_t i = 0; i < out.frame.n && i < 64; i++) at += sprintf(at, "%02x", out.frame.p[i]);
            assert_ptr_equal(out.binding, binding);
            assert_true(out.packet != 0);
        }
        if (*lines == NULL) fail_msg("one too many: %s", line);
        if (strcmp(line, *lines) != 0) fail_msg("'%s', not '%s'", line, *lines);
        lines++;
    }
    if (rc < 0) fail_msg("%s", error);
    if (*lines != NULL) fail_msg("'%s' did not come", *lines);
    spdm_capture_close(c);
}
#define EXPECT(binding, ...) expect(&spdm_binding_##binding, (const char *const[]){__VA_ARGS__, NULL})

static inline int set_up(void **state)
{
    int fd = mkstemp(path);
    (void)state;
    return fd < 0 || close(fd) != 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

#endif
