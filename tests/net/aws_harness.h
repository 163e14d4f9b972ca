/* For tests: an AWS client on a loop of its own whose settings come from the test alone. */
#ifndef DRCTL_TESTS_NET_AWS_HARNESS_H
#define DRCTL_TESTS_NET_AWS_HARNESS_H

#include <uv.h>

#include "net/api_call.h"

struct aws_harness {
    uv_loop_t loop;
    struct api_client *client;
    bool is_done; /* the test's done() sets it */
};

/* variables: "NAME=VALUE", NULL at the end. HOME points to a folder without AWS files unless they
 * say otherwise. */
void aws_harness_open(struct aws_harness *harness, const char *const *variables);

/* Runs the loop until is_done, and clears it. */
void aws_harness_run(struct aws_harness *harness);

/* Fails the test when anything is left on the loop. */
void aws_harness_close(struct aws_harness *harness);

#endif
