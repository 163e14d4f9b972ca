/* From the names on a command line to a plan that is ready to run: the plan's document, the site,
 * the inputs. All errors are reported on stderr with the lines that they are about. */
#ifndef DRCTL_COMMANDS_PLAN_LOADING_H
#define DRCTL_COMMANDS_PLAN_LOADING_H

#include "commands/command.h"
#include "plan/context.h"
#include "plan/model.h"
#include "plan/site.h"

struct loaded_plan {
    char *file; /* absolute */
    struct plan *plan;
    struct site *site; /* NULL without one */
    struct context context;
};

void loaded_plan_release(struct loaded_plan *loaded);

/* The options that loading understands, for the tables of the commands. */
#define PLAN_LOADING_OPTIONS                                                                       \
    {"site", 's', "FILE", false,                                                                   \
     "facts about the organisation (default: $DRCTL_SITE, ./site.yaml)"},                          \
        {"input", 'i', "NAME=VALUE", true, "an input of the plan"},                                \
        {"inputs", 0, "FILE", false, "inputs as a JSON object"},                                   \
    {                                                                                              \
        "secret-file", 0, "NAME=FILE", true, "a secret input, read from a file"                    \
    }

/* Finds, parses and validates. With settle, inputs are resolved and everything is settled, too, for
 * the run that `description` tells of (run_describe(); taken over) or, when that is NULL, for none.
 * 0, or the exit status after the errors were reported; -1 with err for other trouble. */
MUST_USE int loaded_plan_load(struct loaded_plan *loaded, const struct invocation *invocation,
                              const char *name, bool settle, const char *state,
                              const char *operator_name, struct error *err);

/* The same, with inputs settled, for a plan whose text was made by drctl itself. */
MUST_USE int loaded_plan_make(struct loaded_plan *loaded, const struct invocation *invocation,
                              const char *text, const char *file, const char *state,
                              const char *operator_name, struct error *err);

/* The site that the command line or the environment names, NULL when there is none. 0, or the exit
 * status after errors were reported; -1 with err for other trouble. */
MUST_USE int site_load(const struct invocation *invocation, struct site **ret_site,
                       struct error *err);

/* The file of a plan: a path, or the name of one in ./plans, $DRCTL_PLANS or the installed plans.
 * The caller frees *ret_file. */
MUST_USE int plan_find_file(const char *name, char **ret_file, struct error *err);

/* The folders where plans are looked for; NULL-terminated, the caller frees all of it. */
char **plan_folders(void);

/* Prints a list of errors on stderr: each with its line of the document and a mark under the place.
 */
void report_errors(const struct error_list *errors);

/* Who is at the keyboard: $DRCTL_OPERATOR, else user@host. The caller frees it. */
char *operator_name(void);

#endif
