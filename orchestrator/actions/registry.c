/* Every action that there is, sorted by name: what `uses` can say. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/compiler.h"

/* One line for each action, in the order of their names: name in C, and there is nothing else to
 * do for a new one. */
#define ACTIONS(ACTION)                                                                            \
    ACTION(approval)                                                                               \
    ACTION(assert)                                                                                 \
    ACTION(aws)                                                                                    \
    ACTION(aws_assume_role)                                                                        \
    ACTION(aws_identity)                                                                           \
    ACTION(aws_wait)                                                                               \
    ACTION(dns_verify)                                                                             \
    ACTION(eks_kubeconfig)                                                                         \
    ACTION(exec)                                                                                   \
    ACTION(fail)                                                                                   \
    ACTION(git_checkout)                                                                           \
    ACTION(git_commit)                                                                             \
    ACTION(hcl_rewrite)                                                                            \
    ACTION(http_check)                                                                             \
    ACTION(inventory)                                                                              \
    ACTION(kubectl)                                                                                \
    ACTION(kubectl_apply)                                                                          \
    ACTION(kubectl_rollout)                                                                        \
    ACTION(note)                                                                                   \
    ACTION(notify)                                                                                 \
    ACTION(route53_change)                                                                         \
    ACTION(s3_undelete)                                                                            \
    ACTION(sql_check)                                                                              \
    ACTION(sql_export)                                                                             \
    ACTION(sql_import)                                                                             \
    ACTION(template_render)                                                                        \
    ACTION(terraform_apply)                                                                        \
    ACTION(terraform_destroy)                                                                      \
    ACTION(terraform_import)                                                                       \
    ACTION(terraform_init)                                                                         \
    ACTION(terraform_output)                                                                       \
    ACTION(terraform_plan)                                                                         \
    ACTION(undo)

#define DECLARE(name) extern const struct action action_##name;
ACTIONS(DECLARE)

#define ENTRY(name) &action_##name,
const struct action *const actions[] = {ACTIONS(ENTRY)};
const size_t actions_count = ARRAY_SIZE(actions);

static int compare_name(const void *name, const void *entry)
{
    const struct action *const *action = entry;
    return strcmp(name, (*action)->description.name);
}

const struct action *action_find(const char *name)
{
    const struct action *const *found =
        bsearch(name, actions, actions_count, sizeof actions[0], compare_name);
    return found != NULL ? *found : NULL;
}

const struct plan_catalogue *actions_catalogue(void)
{
#define DESCRIPTION(name) &action_##name.description,
    static const struct action_description *const descriptions[] = {ACTIONS(DESCRIPTION)};
    static const struct plan_catalogue catalogue = {descriptions, ARRAY_SIZE(descriptions)};
    return &catalogue;
}
