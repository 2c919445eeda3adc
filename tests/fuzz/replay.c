/* SPDX-License-Identifier: BSD-3-Clause
 *
 * replay.c - runs a fuzz target over files instead of over invented inputs.
 *
 * Stands in for libFuzzer's main where that is not linked, so that seeds and
 * former findings run as an ordinary test. Arguments are files or directories
 * of files; finding none is a failure, a target without a seed tests nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned ran;

static void fail(const char *what, const char *path)
{
    fprintf(stderr, "replay: %s %s\n", what, path);
    exit(1);
}

/* An exact-size allocation per input, so that the sanitizer sees a read one byte too far. */
static void run_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size ? size : 1);
    FILE *f = fopen(path, "rb");
    if (!data || !f) fail("cannot read", path);
    if (fread(data, 1, size, f) != size) fail("short read of", path);
    fclose(f);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    ran++;
}

static void run(const char *path)
{
    struct stat st;
    if (stat(path, &st)) fail("no such file or directory:", path);
    if (!S_ISDIR(st.st_mode)) {
        run_file(path, (size_t)st.st_size);
        return;
    }
    DIR *dir = opendir(path);
    if (!dir) fail("cannot open", path);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char child[4096];
        if (e->d_name[0] == '.') continue;
        if (snprintf(child, sizeof child, "%s/%s", path, e->d_name) >= (int)sizeof child)
            fail("name too long in", path);
        run(child);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) run(argv[i]);
    printf("replayed %u inputs\n", ran);
    return ran ? 0 : 1;
}
