/* For tests: a local server as a child, which prints its port first. */
#ifndef DRCTL_TESTS_NET_LOCAL_SERVER_H
#define DRCTL_TESTS_NET_LOCAL_SERVER_H

#include <sys/types.h>

struct local_server {
    pid_t pid; /* 0 when it does not run */
    int stdin_pipe;
    int port;
};

/* Starts python3 with a script of the source tree and arguments (NULL at the end, or NULL). Fails
 * the test when it does not say its port. */
void local_server_start(struct local_server *server, const char *script,
                        const char *const *arguments);
void local_server_stop(struct local_server *server);

/* "http://127.0.0.1:PORT" and a path; the caller frees it. */
char *local_server_url(const struct local_server *server, const char *path);

#endif
