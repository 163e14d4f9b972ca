/* drctl validate: everything that can be known without the outside world. */
#include <stdio.h>

#include "commands/plan_loading.h"

static const struct command_option options[] = {
    PLAN_LOADING_OPTIONS,
    {NULL, 0, NULL, false, NULL},
};

static int run(const struct invocation *invocation, struct error *err)
{
    int worst = 0;
    for (size_t i = 0; i < invocation_argument_count(invocation); i++) {
        const char *name = invocation_argument(invocation, i);
        struct loaded_plan loaded;
        int status = loaded_plan_load(&loaded, invocation, name, false, NULL, NULL, err);
        if (status == 0) {
            printf("%s: valid, %zu steps\n", name, loaded.plan->steps.count);
        }
        loaded_plan_release(&loaded);
        if (status < 0) {
            return -1;
        }
        worst = status > worst ? status : worst;
    }
    return worst;
}

const struct command command_validate = {
    .name = "validate",
    .arguments = "PLAN …",
    .summary = "check plans for everything that can be known without the outside world",
    .least_arguments = 1,
    .most_arguments = 1000,
    .options = options,
    .run = run,
};
