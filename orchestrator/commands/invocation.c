/* The command line → a command and what it is given. Options may stand before and behind arguments,
 * `--` ends them, `--name=value` and `--name value` are the same, as in kubectl and git. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/vector.h"
#include "commands/command.h"

struct option_values {
    const struct command_option *option;
    VECTOR(const char *)
    values; /* for a flag, its name once for each time; NULL behind the last */
};

struct invocation {
    const struct command *command;
    VECTOR(const char *)
    arguments;
    struct option_values options[COMMAND_OPTION_LIMIT];
    size_t option_count;
};

const struct command_option command_common_options[] = {
    {"state-dir", 0, "DIR", false, "where runs are kept (default: $XDG_STATE_HOME/drctl)"},
    {"output", 'o', "FORMAT", false, "auto, plain or json"},
    {"help", 'h', NULL, false, "this help"},
    {NULL, 0, NULL, false, NULL},
};

static void add_options(struct invocation *invocation, const struct command_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (invocation->option_count == COMMAND_OPTION_LIMIT) {
            abort();
        }
        invocation->options[invocation->option_count++].option = options;
    }
}

static const struct option_values *find_values(const struct invocation *invocation,
                                               const char *name)
{
    for (size_t i = 0; i < invocation->option_count; i++) {
        if (strcmp(invocation->options[i].option->name, name) == 0) {
            return &invocation->options[i];
        }
    }
    return NULL;
}

const char *invocation_argument(const struct invocation *invocation, size_t index)
{
    return index < invocation->arguments.count ? invocation->arguments.items[index] : NULL;
}

size_t invocation_argument_count(const struct invocation *invocation)
{
    return invocation->arguments.count;
}

bool invocation_flag(const struct invocation *invocation, const char *option)
{
    return invocation_value(invocation, option) != NULL;
}

const char *invocation_value(const struct invocation *invocation, const char *option)
{
    const struct option_values *found = find_values(invocation, option);
    size_t count = found != NULL ? found->values.count : 0;
    return count > 0 ? found->values.items[count - 1] : NULL;
}

const char *const *invocation_values(const struct invocation *invocation, const char *option)
{
    static const char *const none[] = {NULL};
    const struct option_values *found = find_values(invocation, option);
    return found != NULL && found->values.count > 0 ? found->values.items : none;
}

static void add_value(struct option_values *values, const char *value)
{
    vector_push(&values->values, value);
    (void)vector_grow(&values->values);
    values->values.items[--values->values.count] = NULL;
}

static struct option_values *match_long(struct invocation *invocation, const char *name,
                                        size_t name_bytes)
{
    for (size_t i = 0; i < invocation->option_count; i++) {
        const char *known = invocation->options[i].option->name;
        if (strlen(known) == name_bytes && strncmp(known, name, name_bytes) == 0) {
            return &invocation->options[i];
        }
    }
    return NULL;
}

static struct option_values *match_letter(struct invocation *invocation, char letter)
{
    for (size_t i = 0; i < invocation->option_count; i++) {
        if (invocation->options[i].option->letter == letter) {
            return &invocation->options[i];
        }
    }
    return NULL;
}

static int unknown_option(const struct invocation *invocation, const char *given, struct error *err)
{
    size_t name_bytes = strcspn(given, "=");
    CLEANUP(memory_cleanup) char *name = memory_text_n(given, name_bytes);
    struct nearest nearest;
    nearest_init(&nearest, name + strspn(name, "-"));
    for (size_t i = 0; i < invocation->option_count; i++) {
        nearest_offer(&nearest, invocation->options[i].option->name);
    }
    error_set(err, ERROR_USAGE, "%s has no option %s", invocation->command->name, name);
    return nearest.best != NULL
               ? error_hint(err, "did you mean --%s?", nearest.best)
               : error_hint(err, "`drctl %s --help` lists them", invocation->command->name);
}

/* One option at argv[*index]; takes its value from there or from the next word. */
static int take_option(struct invocation *invocation, int argc, char **argv, int *index,
                       struct error *err)
{
    const char *word = argv[*index];
    bool is_long = word[1] == '-';
    size_t name_bytes = is_long ? strcspn(word + 2, "=") : 1;
    struct option_values *values =
        is_long ? match_long(invocation, word + 2, name_bytes) : match_letter(invocation, word[1]);
    if (values == NULL) {
        return unknown_option(invocation, word, err);
    }
    const char *rest = is_long ? word + 2 + name_bytes : word + 2;
    if (values->option->value == NULL) {
        if (*rest != '\0') {
            return error_set(err, ERROR_USAGE, "--%s takes no value", values->option->name);
        }
        add_value(values, values->option->name);
        return 0;
    }
    if (*rest != '\0') {
        add_value(values, *rest == '=' ? rest + 1 : rest);
    } else if (*index + 1 < argc) {
        add_value(values, argv[++*index]);
    } else {
        return error_set(err, ERROR_USAGE, "--%s wants a value: %s", values->option->name,
                         values->option->value);
    }
    if (values->values.count > 1 && !values->option->repeatable) {
        return error_set(err, ERROR_USAGE, "--%s is given twice", values->option->name);
    }
    return 0;
}

static int take_words(struct invocation *invocation, int argc, char **argv, struct error *err)
{
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            if (take_option(invocation, argc, argv, &i, err) != 0) {
                return -1;
            }
        } else {
            vector_push(&invocation->arguments, argv[i]);
        }
    }
    return 0;
}

static int check_arguments(const struct invocation *invocation, struct error *err)
{
    const struct command *command = invocation->command;
    size_t count = invocation->arguments.count;
    if (count >= command->least_arguments && count <= command->most_arguments) {
        return 0;
    }
    if (count > command->most_arguments) {
        error_set(err, ERROR_USAGE, "%s does not take '%s'", command->name,
                  invocation->arguments.items[command->most_arguments]);
    } else {
        error_set(err, ERROR_USAGE, "%s wants more than it was given", command->name);
    }
    return error_hint(err, "usage: drctl %s %s", command->name, command->arguments);
}

static const struct command *find_command(const char *name, struct error *err)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < commands_count; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
        nearest_offer(&nearest, commands[i]->name);
    }
    error_set(err, ERROR_USAGE, "there is no command '%s'", name);
    if (nearest.best != NULL) {
        error_hint(err, "did you mean `drctl %s`?", nearest.best);
    } else {
        error_hint(err, "`drctl --help` lists them");
    }
    return NULL;
}

static int run_command(struct invocation *invocation, int argc, char **argv, struct error *err)
{
    add_options(invocation, invocation->command->options);
    add_options(invocation, command_common_options);
    if (take_words(invocation, argc, argv, err) != 0) {
        return -1;
    }
    if (invocation_flag(invocation, "help")) {
        command_help(invocation->command);
        return 0;
    }
    const char *output = invocation_value(invocation, "output");
    if (output != NULL && strcmp(output, "auto") != 0 && strcmp(output, "plain") != 0 &&
        strcmp(output, "json") != 0) {
        return error_set(err, ERROR_USAGE, "--output is auto, plain or json, not '%s'", output);
    }
    if (check_arguments(invocation, err) != 0) {
        return -1;
    }
    return invocation->command->run(invocation, err);
}

static void release(struct invocation *invocation)
{
    vector_release(&invocation->arguments);
    for (size_t i = 0; i < invocation->option_count; i++) {
        vector_release(&invocation->options[i].values);
    }
}

static int dispatch(int argc, char **argv, struct error *err)
{
    if (argc < 2) {
        command_help(NULL);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (strcmp(argv[1], "help") == 0 && argc == 2)) {
        command_help(NULL);
        return 0;
    }
    if (strcmp(argv[1], "help") == 0) {
        const struct command *command = find_command(argv[2], err);
        if (command == NULL) {
            return -1;
        }
        command_help(command);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("drctl %s\n", DRCTL_VERSION);
        return 0;
    }
    struct invocation invocation = {.command = find_command(argv[1], err)};
    if (invocation.command == NULL) {
        return -1;
    }
    int status = run_command(&invocation, argc - 2, argv + 2, err);
    release(&invocation);
    return status;
}

int command_main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    int status = dispatch(argc, argv, &err);
    if (status < 0) {
        CLEANUP(memory_cleanup) char *text = error_format(&err);
        fprintf(stderr, "drctl: %s\n", text);
        status = error_code_exit_status(err.code);
    }
    error_release(&err);
    if (fflush(stdout) != 0 && status == 0) {
        status = 1;
    }
    return status;
}
