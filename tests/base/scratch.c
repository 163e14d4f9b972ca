/* Test support that uses nothing of what is tested beyond base/memory and base/buffer. */
#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"

extern char **environ;

char *scratch_new(void)
{
    const char *parent = getenv("TMPDIR");
    char *folder = memory_format("%s/drctl-test-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_free(char *folder)
{
    if (folder != NULL) {
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(folder);
    }
}

int scratch_setup(void **state)
{
    *state = scratch_new();
    return 0;
}

int scratch_teardown(void **state)
{
    scratch_free(*state);
    return 0;
}

char *scratch_path(const char *folder, const char *name)
{
    return memory_format("%s/%s", folder, name);
}

static void make_parents(const char *path)
{
    char *copy = memory_text(path);
    for (char *at = strchr(copy + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(copy, 0700);
        *at = '/';
    }
    free(copy);
}

void scratch_write_bytes(const char *path, const void *bytes, size_t size_bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}

void scratch_write(const char *folder, const char *name, const char *text)
{
    char *path = scratch_path(folder, name);
    make_parents(path);
    scratch_write_bytes(path, text, strlen(text));
    free(path);
}

static char *read_stream(FILE *stream, size_t *ret_size_bytes)
{
    struct buffer content = BUFFER_INIT;
    char chunk[4096];
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, stream)) > 0;) {
        buffer_append(&content, chunk, size);
    }
    if (ret_size_bytes != NULL) {
        *ret_size_bytes = content.size_bytes;
    }
    return buffer_take(&content);
}

char *scratch_read(const char *path, size_t *ret_size_bytes)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *content = read_stream(file, ret_size_bytes);
    fclose(file);
    return content;
}

char *scratch_run(const char *folder, const char *const *argv)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    pid_t child;
    assert_int_equal(posix_spawnp(&child, argv[0], &actions, NULL, (char *const *)argv, environ),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *stream = fdopen(ends[0], "rb");
    size_t size_bytes;
    char *out = read_stream(stream, &size_bytes);
    fclose(stream);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0) {
        fail_msg("%s %s ended with status 0x%x", argv[0], argv[1] != NULL ? argv[1] : "", status);
    }
    while (size_bytes > 0 && out[size_bytes - 1] == '\n') {
        out[--size_bytes] = '\0';
    }
    return out;
}
