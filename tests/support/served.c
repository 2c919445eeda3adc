/* SPDX-License-Identifier: BSD-3-Clause
 *
 * served.c - see served.h. */
#include "support/served.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TRIES = 1000, OPTIONS_MAX = 24 };

static void shell(const char *command)
{
    if (system(command) != 0) fail_msg("%s", command);
}

static const char *program(void)
{
    const char *name = getenv("SPDM");
    if (name == NULL) fail_msg("SPDM does not name the program to test");
    return name;
}

void served_make(struct served *s)
{
    char command[1000];
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/assay-served-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(command, sizeof command,
             "'%s' keys -q -a ecdsa-p256 -o %s/w && '%s' keys -q -a ecdsa-p256 --role requester -o %s/q", program(),
             s->dir, program(), s->dir);
    shell(command);
}

void served_remove(struct served *s)
{
    char command[100];
    if (s->pid > 0) served_stop(s);
    snprintf(command, sizeof command, "rm -r %s", s->dir);
    shell(command);
}

static FILE *open_in(const struct served *s, const char *name, const char *mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    return fopen(path, mode);
}

void served_write(const struct served *s, const char *name, const char *text)
{
    FILE *f = open_in(s, name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void describe(const struct served *s, const char *description)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s",
             description[0] == '!' ? ""
                                   : "slots = ( { chain = \"w/chain.der\"; key = \"w/leaf.key\"; } );\n"
                                     "measurements = ( { text = \"firmware\"; }, { type = \"svn\"; number = 7; } );\n",
             description + (description[0] == '!'));
    served_write(s, "device.cfg", text);
}

static void run(const struct served *s, const char *const *options)
{
    char ports[128], config[128], log[128];
    const char *args[OPTIONS_MAX + 8] = {program(), "respond", "--port-file", ports};
    unsigned n = 4;
    snprintf(ports, sizeof ports, "%s/ports", s->dir);
    snprintf(config, sizeof config, "%s/device.cfg", s->dir);
    snprintf(log, sizeof log, "%s/log", s->dir);
    for (; *options != NULL && n < OPTIONS_MAX; options++) args[n++] = *options;
    args[n++] = config;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1); /* what was freed shall not count as its memory */
    if (freopen(log, "w", stderr) == NULL) _exit(99);
    (void)execv(args[0], (char *const *)args);
    _exit(98);
}

static void read_ports(struct served *s)
{
    FILE *f = NULL;
    unsigned port, n = 0;
    for (unsigned i = 0; i < TRIES && f == NULL; i++) {
        f = open_in(s, "ports", "r");
        if (f == NULL) usleep(10000);
        if (f == NULL && waitpid(s->pid, NULL, WNOHANG) != 0) {
            s->pid = 0;
            (void)served_count(s, NULL);
            fail_msg("the responder has ended");
        }
    }
    assert_non_null(f);
    while (n < 4 && fscanf(f, "%u", &port) == 1) s->port[n++] = (uint16_t)port;
    assert_true(n != 0);
    fclose(f);
}

void served_start(struct served *s, const char *description, const char *const *options)
{
    char path[128];
    if (s->pid > 0) (void)kill(s->pid, SIGKILL); /* of a test that failed */
    describe(s, description);
    snprintf(path, sizeof path, "%s/ports", s->dir);
    (void)unlink(path);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) run(s, options);
    read_ports(s);
}

void served_stop(struct served *s)
{
    int status;
    pid_t pid = s->pid;
    s->pid = 0;
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == 0) return;
    (void)served_count(s, NULL);
    fail_msg("the responder ended with 0x%x", status);
}

/* NULL: prints it. */
unsigned served_count(const struct served *s, const char *text)
{
    FILE *f = open_in(s, "log", "r");
    char line[2000];
    unsigned n = 0;
    if (f == NULL) return 0;
    while (fgets(line, sizeof line, f) != NULL) {
        if (text == NULL) fputs(line, stderr);
        else n += strstr(line, text) != NULL;
    }
    fclose(f);
    return n;
}

bool served_says(const struct served *s, const char *text)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (served_count(s, text) != 0) return true;
        usleep(10000);
    }
    (void)served_count(s, NULL);
    return false;
}
