/* SPDX-License-Identifier: BSD-3-Clause
 *
 * served.h - `spdm respond` as a child process: a device in a directory of its own, until it is stopped.
 *
 * The directory holds what `spdm keys` makes: w/ for the device, q/ for a
 * requester. SPDM names the program. A test that cannot go on fails. */
#ifndef TESTS_SUPPORT_SERVED_H
#define TESTS_SUPPORT_SERVED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct served {
    char dir[64];
    pid_t pid;
    uint16_t port[4];
};

/* The directory and the keys; once for a test program. */
void served_make(struct served *s);
void served_remove(struct served *s);
/* A file in the directory. */
void served_write(const struct served *s, const char *name, const char *text);
/* Starts it with this description behind the usual one (slots, measurements), unless it begins with '!', and these
 * options, ended by NULL: targets as "-l", "tcp://127.0.0.1:0". */
void served_start(struct served *s, const char *description, const char *const *options);
/* Ends it by SIGTERM, which must be well, and prints its log if it is not. */
void served_stop(struct served *s);
/* Whether its log says this, at once or within ten seconds. */
bool served_says(const struct served *s, const char *text);
/* How often. */
unsigned served_count(const struct served *s, const char *text);
#endif
