/* Help, from the tables. */
#include <stdio.h>
#include <string.h>

#include "commands/command.h"

static void print_options(const struct command_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char letter[5] = "    ";
        if (options->letter != 0) {
            snprintf(letter, sizeof letter, "-%c, ", options->letter);
        }
        int width = printf("  %s--%s%s%s", letter, options->name, options->value != NULL ? " " : "",
                           options->value != NULL ? options->value : "");
        printf("%*s%s\n", width < 32 ? 32 - width : 1, "", options->doc);
    }
}

static void print_overview(void)
{
    printf("drctl carries out disaster recovery: plans that are checked, run, resumed and reported "
           "on.\n\nusage: drctl COMMAND [ARGUMENT …] [OPTION …]\n\n");
    for (size_t i = 0; i < commands_count; i++) {
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    printf("\n`drctl COMMAND --help` tells more. Exit status: 0 done; 1 the run failed; 2 usage; 3 "
           "invalid plan or\ninput; 4 not ready; 5 a guard refused; 6 locked by another run; 7 "
           "cancelled; 8 waiting for a person;\n9 the journal is damaged.\n");
}

void command_help(const struct command *command)
{
    if (command == NULL) {
        print_overview();
        return;
    }
    printf("usage: drctl %s %s [OPTION …]\n\n%s\n", command->name, command->arguments,
           command->summary);
    if (command->doc != NULL) {
        printf("\n%s\n", command->doc);
    }
    printf("\n");
    print_options(command->options);
    print_options(command_common_options);
}
