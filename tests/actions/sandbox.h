/* A sandbox (examples/sandbox) for a whole test program: AWS, Kubernetes, DNS, Git, all local. */
#ifndef DRCTL_TESTS_ACTIONS_SANDBOX_H
#define DRCTL_TESTS_ACTIONS_SANDBOX_H

#include "harness.h"

/* cmocka's setup and teardown of a group: starts an empty one and stops it. Without the programs
 * that it needs the tests fail. */
int sandbox_up(void **state);
int sandbox_down(void **state);

/* A harness whose steps see the sandbox, with AWS_REGION us-west-2. */
struct harness *sandbox_harness(void);

/* Its folder. */
const char *sandbox_folder(void);

/* A verb of the `sandbox` command, NULL-terminated words; what it prints, the caller frees it. A
 * failure fails the test. */
char *sandbox_call(const char *verb, ...) __attribute__((sentinel));

/* `aws …` against the sandbox in us-west-2, words separated by blanks; what it prints, as JSON
 * (json_null() for nothing). */
json_t *sandbox_aws(const char *words);

#endif
