/* The server is told to end with its parent, so that a test that crashes leaves nothing behind. */
#include "local_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

enum { ARGUMENTS_MAX = 16 };

static void run_script(const char *path, const char *const *arguments, int in, int out)
{
    const char *argv[ARGUMENTS_MAX + 3] = {"python3", path};
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL && i < ARGUMENTS_MAX; i++) {
        argv[2 + i] = arguments[i];
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    closefrom(STDERR_FILENO + 1);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void local_server_start(struct local_server *server, const char *script,
                        const char *const *arguments)
{
    int to_child[2];
    int from_child[2];
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(from_child), 0);
    char *path = memory_format("%s/%s", DRCTL_SOURCE_DIR, script);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        run_script(path, arguments, to_child[0], from_child[1]);
    }
    free(path);
    close(to_child[0]);
    close(from_child[1]);
    server->stdin_pipe = to_child[1];
    char text[32] = "";
    FILE *out = fdopen(from_child[0], "r");
    assert_non_null(out);
    assert_non_null(fgets(text, sizeof text, out));
    fclose(out);
    server->port = (int)strtol(text, NULL, 10);
    assert_true(server->port > 0);
}

void local_server_stop(struct local_server *server)
{
    if (server->pid > 0) {
        close(server->stdin_pipe);
        kill(server->pid, SIGTERM);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

char *local_server_url(const struct local_server *server, const char *path)
{
    return memory_format("http://127.0.0.1:%d%s", server->port, path);
}
