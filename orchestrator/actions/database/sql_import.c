/* sql.import: a dump into a database that is empty, or that the plan says may be replaced. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "database/sql_client.h"

enum { LOOKED_AT_BYTES = 1024 * 1024 };

static const struct parameter parameters[] = {
    SQL_PARAMETERS,
    {.name = "file",
     .type = VALUE_PATH,
     .required = true,
     .exposed = true,
     .doc = "The dump, as from sql.export"},
    {.name = "create_database",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Make the database when it is not there"},
    {.name = "overwrite",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Import also into a database that has tables, which the dump then replaces"},
    {.name = "options",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Further options of mysql, such as --max-allowed-packet=1G"},
    {0}};

static const struct output outputs[] = {
    {.name = "tables", .type = VALUE_INTEGER, .doc = "How many tables there are afterwards"}, {0}};

/* Whether the dump begins by dropping what it makes, so that it may be imported once more. */
static bool is_repeatable(const char *path)
{
    FILE *file = fopen(path, "re");
    char *head = memory_new(1, LOOKED_AT_BYTES + 1);
    size_t size_bytes = file != NULL ? fread(head, 1, LOOKED_AT_BYTES, file) : 0;
    bool repeatable = memmem(head, size_bytes, "DROP TABLE IF EXISTS", 20) != NULL;
    if (file != NULL) {
        fclose(file);
    }
    free(head);
    return repeatable;
}

static enum attempt_probe_answer probe(struct attempt *attempt, void *context)
{
    (void)attempt;
    return is_repeatable(context) ? PROBE_NOT_STARTED : PROBE_UNKNOWN;
}

static int create_database(const struct sql_client *client, struct error *err)
{
    CLEANUP(buffer_release) struct buffer statement = BUFFER_INIT;
    buffer_append_text(&statement, "CREATE DATABASE IF NOT EXISTS ");
    sql_append_name(&statement, client->database);
    CLEANUP(memory_cleanup)
    char *path = file_join(attempt_directory(client->attempt), "create.sql");
    if (file_write(path, buffer_span(&statement), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        return -1;
    }
    static const char *const words[] = {"--connect-timeout=10", NULL};
    struct sql_command command = {
        .task = "create", .programs = sql_client_programs, .words = words, .stdin_path = path};
    struct attempt_result result = {0};
    int status = sql_run(client, &command, &result, err);
    attempt_result_release(&result);
    return status;
}

/* What an earlier life of this attempt has begun is its own to go on with. */
static int require_room(const struct sql_client *client, struct error *err)
{
    struct attempt *attempt = client->attempt;
    CLEANUP(json_cleanup) json_t *begun = attempt_recall(attempt, "begun");
    if (begun != NULL || attempt_flag(attempt, "overwrite")) {
        return 0;
    }
    CLEANUP(json_cleanup) json_t *names = NULL;
    if (sql_tables(client, &names, err) != 0) {
        return -1;
    }
    if (json_array_size(names) > 0) {
        error_set(err, ERROR_REFUSED, "the database %s has %zu tables already", client->database,
                  json_array_size(names));
        return error_hint(err, "`overwrite: true` lets the dump replace them");
    }
    return 0;
}

static int import(const struct sql_client *client, char *file, struct error *err)
{
    struct argv argv = {0};
    argv_add(&argv, "--default-character-set=utf8mb4");
    argv_add(&argv, "--connect-timeout=10");
    argv_add_list(&argv, attempt_argument(client->attempt, "options"));
    argv_add(&argv, client->database);
    struct sql_command command = {.task = "import",
                                  .programs = sql_client_programs,
                                  .words = argv_words(&argv),
                                  .stdin_path = file,
                                  .mutates = true,
                                  .probe = probe,
                                  .context = file};
    struct attempt_result result = {0};
    int status = sql_run(client, &command, &result, err);
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

static int report(const struct sql_client *client, struct error *err)
{
    CLEANUP(json_cleanup) json_t *names = NULL;
    if (sql_tables(client, &names, err) != 0) {
        return -1;
    }
    attempt_say(client->attempt, "%s has %zu tables", client->database, json_array_size(names));
    attempt_set_output(client->attempt, "tables", json_integer((json_int_t)json_array_size(names)));
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(memory_cleanup) char *file = attempt_plan_path(attempt, attempt_text(attempt, "file"));
    struct sql_client client;
    sql_open(attempt, &client);
    if (!file_exists(file)) {
        return error_set(err, ERROR_NOT_FOUND, "there is no dump %s", file);
    }
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would import %s into %s", file, client.database);
        return require_room(&client, err);
    }
    if ((attempt_flag(attempt, "create_database") && create_database(&client, err) != 0) ||
        require_room(&client, err) != 0 ||
        attempt_remember(attempt, "begun", json_true(), err) != 0 ||
        import(&client, file, err) != 0) {
        return -1;
    }
    return report(&client, err);
}

const struct action action_sql_import = {
    .description =
        {
            .name = "sql.import",
            .summary = "Import a dump into a MySQL or MariaDB database",
            .doc = "The database has to be empty, unless `overwrite` says otherwise. The first "
                   "statement that fails ends it.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .interrupted = "An import that still runs is followed. When its end was not seen, a dump that "
                   "drops what it makes is imported again from the start; with another one a "
                   "person is asked.",
    .shows_dry_run = true,
};
