/* Real git repositories and servers to test against. */
#ifndef DRCTL_TESTS_REMOTES_H
#define DRCTL_TESTS_REMOTES_H

#include <sys/types.h>

#include "git/repo.h"

/* A home folder without anybody's configuration, with
 *   origin.git  bare: main (README.md and environments/prod/terraform.tfvars, two commits), branch
 *               develop, tag v1 (annotated) on main's first commit
 *   seed        the clone that it was pushed from */
struct remotes {
    char *home;
    char *origin;   /* the path of origin.git */
    char *checkout; /* a path that does not exist yet */
    pid_t servers[4];
    int server_count;
};

/* cmocka setup and teardown; *state is a struct remotes. */
int remotes_setup(void **state);
int remotes_teardown(void **state);

/* Runs git in a folder below home (NULL: home itself) with the words that follow, up to NULL. Its
 * output, trimmed; the caller frees it. */
char *remotes_git(const struct remotes *remotes, const char *folder, ...) __attribute__((sentinel));

/* The same when the output does not matter. */
void remotes_do(const struct remotes *remotes, const char *folder, ...) __attribute__((sentinel));

/* Starts git_server.py on home with further words up to NULL; returns its port. */
int remotes_serve(struct remotes *remotes, ...) __attribute__((sentinel));

/* Starts a program that keeps running until teardown. When ret_line is given, waits for its first
 * line of output, which the caller frees. */
void remotes_start(struct remotes *remotes, const char *const *argv, char **ret_line);

/* Checks that folder is a clean checkout according to git itself. */
void remotes_assert_clean(const struct remotes *remotes, const char *folder);

#endif
