#include "mariadb.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "scratch.h"

extern char **environ;

static char *folder;
static char *socket_path;
static int port;
static pid_t server;

int mariadb_port(void)
{
    return port;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    close(descriptor);
    return ntohs(address.sin_port);
}

char *mariadb_do(const char *statements)
{
    scratch_write(folder, "statements.sql", statements);
    CLEANUP(memory_cleanup)
    char *line = memory_format("exec mysql --no-defaults --batch --skip-column-names "
                               "--default-character-set=utf8mb4 --socket='%s' --user=root "
                               "< statements.sql",
                               socket_path);
    return scratch_run(folder, (const char *const[]){"sh", "-c", line, NULL});
}

static void install(const char *data)
{
    CLEANUP(memory_cleanup)
    char *line = memory_format("exec mariadb-install-db --no-defaults --datadir='%s' "
                               "--auth-root-authentication-method=normal --skip-test-db "
                               "--user=\"$(id -un)\" >install.log 2>&1",
                               data);
    free(scratch_run(folder, (const char *const[]){"sh", "-c", line, NULL}));
}

static void start(const char *data)
{
    CLEANUP(memory_cleanup)
    char *line = memory_format(
        "PATH=$PATH:/usr/sbin; exec mariadbd --no-defaults --datadir='%s' --socket='%s' "
        "--port=%d --bind-address=127.0.0.1 --user=\"$(id -un)\" "
        "--innodb-flush-log-at-trx-commit=0 >server.log 2>&1",
        data, socket_path, port);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    const char *const argv[] = {"sh", "-c", line, NULL};
    assert_int_equal(
        posix_spawnp(&server, "sh", &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

static void wait_until_it_answers(void)
{
    CLEANUP(memory_cleanup)
    char *line = memory_format("i=0; until mysqladmin --no-defaults --socket='%s' --user=root ping "
                               ">/dev/null 2>&1; do i=$((i+1)); [ $i -lt 300 ]; sleep 0.1; done",
                               socket_path);
    free(scratch_run(folder, (const char *const[]){"sh", "-e", "-c", line, NULL}));
}

/* cmocka calls no teardown after a setup that failed. */
static void stop_what_is_left(void)
{
    if (server > 0) {
        (void)mariadb_down(NULL);
    }
}

int mariadb_up(void **state)
{
    (void)state;
    (void)atexit(stop_what_is_left);
    folder = scratch_new();
    socket_path = file_join(folder, "socket");
    CLEANUP(memory_cleanup) char *data = file_join(folder, "data");
    port = free_port();
    install(data);
    start(data);
    wait_until_it_answers();
    free(mariadb_do("CREATE USER drctl@'%' IDENTIFIED BY 'p\"a\\'ss#w\\\\ord ;=%é';\n"
                    "GRANT ALL ON *.* TO drctl@'%';\n"));
    return 0;
}

int mariadb_down(void **state)
{
    (void)state;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    server = 0;
    scratch_free(folder);
    free(socket_path);
    return 0;
}
