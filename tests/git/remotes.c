/* Everything is made with the git program, so that what libgit2 does is judged by somebody else. */
#include "remotes.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scratch.h"

enum { WORDS_LIMIT = 24 };

extern char **environ;

static void collect(const char **argv, size_t count, va_list words)
{
    for (const char *word; (word = va_arg(words, const char *)) != NULL;) {
        assert_true(count + 1 < WORDS_LIMIT);
        argv[count++] = word;
    }
    argv[count] = NULL;
}

static char *run_git(const struct remotes *remotes, const char *folder, va_list words)
{
    const char *argv[WORDS_LIMIT] = {"git"};
    collect(argv, 1, words);
    char *path = folder != NULL ? scratch_path(remotes->home, folder) : memory_text(remotes->home);
    char *out = scratch_run(path, argv);
    free(path);
    return out;
}

char *remotes_git(const struct remotes *remotes, const char *folder, ...)
{
    va_list words;
    va_start(words, folder);
    char *out = run_git(remotes, folder, words);
    va_end(words);
    return out;
}

void remotes_do(const struct remotes *remotes, const char *folder, ...)
{
    va_list words;
    va_start(words, folder);
    free(run_git(remotes, folder, words));
    va_end(words);
}

/* libgit2 reads these once, when it starts: all tests of a program share the first home's. */
static void isolate(const char *home)
{
    setenv("HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_AUTHOR_NAME", "Seed", 1);
    setenv("GIT_AUTHOR_EMAIL", "seed@example.com", 1);
    setenv("GIT_COMMITTER_NAME", "Seed", 1);
    setenv("GIT_COMMITTER_EMAIL", "seed@example.com", 1);
    setenv("GIT_ALLOW_PROTOCOL", "file:http:https:ssh", 1);
    unsetenv("SSH_AUTH_SOCK");
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("HTTP_PROXY");
    unsetenv("HTTPS_PROXY");
}

static void seed(const struct remotes *remotes)
{
    remotes_do(remotes, NULL, "init", "-q", "--bare", "-b", "main", "origin.git", NULL);
    remotes_do(remotes, "origin.git", "config", "http.receivepack", "true", NULL);
    remotes_do(remotes, NULL, "init", "-q", "-b", "main", "seed", NULL);
    remotes_do(remotes, "seed", "remote", "add", "origin", "../origin.git", NULL);
    scratch_write(remotes->home, "seed/README.md", "first\r\nline\n");
    remotes_do(remotes, "seed", "add", ".", NULL);
    remotes_do(remotes, "seed", "commit", "-q", "-m", "First", NULL);
    remotes_do(remotes, "seed", "tag", "-a", "-m", "One", "v1", NULL);
    scratch_write(remotes->home, "seed/environments/prod/terraform.tfvars",
                  "region = \"us-east-2\"\n");
    remotes_do(remotes, "seed", "add", ".", NULL);
    remotes_do(remotes, "seed", "commit", "-q", "-m", "Second", NULL);
    remotes_do(remotes, "seed", "branch", "develop", "main~1", NULL);
    remotes_do(remotes, "seed", "push", "-q", "origin", "main", "develop", "v1", NULL);
}

int remotes_setup(void **state)
{
    struct remotes *remotes = memory_new(1, sizeof *remotes);
    remotes->home = scratch_new();
    isolate(remotes->home);
    seed(remotes);
    remotes->origin = scratch_path(remotes->home, "origin.git");
    remotes->checkout = scratch_path(remotes->home, "checkout");
    *state = remotes;
    return 0;
}

int remotes_teardown(void **state)
{
    struct remotes *remotes = *state;
    for (int i = 0; i < remotes->server_count; i++) {
        kill(remotes->servers[i], SIGKILL);
        waitpid(remotes->servers[i], NULL, 0);
    }
    scratch_free(remotes->home);
    free(remotes->origin);
    free(remotes->checkout);
    free(remotes);
    return 0;
}

static char *first_line(int descriptor)
{
    FILE *stream = fdopen(descriptor, "r");
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, stream) <= 0) {
        fail_msg("a server did not start");
    }
    line[strcspn(line, "\n")] = '\0';
    fclose(stream);
    return line;
}

void remotes_start(struct remotes *remotes, const char *const *argv, char **ret_line)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t *child = &remotes->servers[remotes->server_count++];
    assert_int_equal(
        posix_spawnp(child, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (ret_line != NULL) {
        *ret_line = first_line(ends[0]);
    } else {
        close(ends[0]);
    }
}

int remotes_serve(struct remotes *remotes, ...)
{
    const char *argv[WORDS_LIMIT] = {"python3", DRCTL_SOURCE_DIR "/tests/git/git_server.py",
                                     remotes->home};
    va_list words;
    va_start(words, remotes);
    collect(argv, 3, words);
    va_end(words);
    char *line;
    remotes_start(remotes, argv, &line);
    int port = (int)strtol(line, NULL, 10);
    free(line);
    assert_true(port > 0);
    return port;
}

void remotes_assert_clean(const struct remotes *remotes, const char *folder)
{
    char *status = remotes_git(remotes, folder, "status", "--porcelain", NULL);
    assert_string_equal(status, "");
    free(status);
    remotes_do(remotes, folder, "fsck", "--strict", NULL);
}
