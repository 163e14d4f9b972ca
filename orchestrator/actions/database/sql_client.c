/* How the clients are called.
 *
 * The option file: a value is put in double quotes with \ and " escaped by \, which both MySQL and
 * MariaDB take back; a # in it then is no comment. --defaults-file and not --defaults-extra-file:
 * after the latter ~/.my.cnf is read, and would win. */
#include "database/sql_client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

enum { RESULT_LIMIT_BYTES = 64 * 1024 * 1024, PAUSE_MS = 2000 };

const char *const sql_client_programs[] = {"mysql", "mariadb", NULL};
const char *const sql_dump_programs[] = {"mysqldump", "mariadb-dump", NULL};

void sql_open(struct attempt *attempt, struct sql_client *ret_client)
{
    int64_t within_ms = attempt_duration_ms(attempt, "within", 0);
    *ret_client = (struct sql_client){
        .attempt = attempt,
        .database = attempt_text(attempt, "database"),
        .until_ns = clock_monotonic_ns() + within_ms * CLOCK_NS_PER_MS,
    };
}

/* --- the option file ------------------------------------------------------------------------- */

static void append_option(struct buffer *out, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    buffer_append_format(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n' || *value == '\r') {
            buffer_append_text(out, *value == '\n' ? "\\n" : "\\r");
        } else {
            if (*value == '"' || *value == '\\') {
                buffer_append_char(out, '\\');
            }
            buffer_append_char(out, *value);
        }
    }
    buffer_append_text(out, "\"\n");
}

static int write_options(const struct attempt *attempt, const char *path, struct error *err)
{
    const char *own = attempt_text(attempt, "defaults_file");
    struct buffer text = BUFFER_INIT;
    if (own != NULL) {
        CLEANUP(memory_cleanup) char *own_path = attempt_plan_path(attempt, own);
        buffer_append_format(&text, "!include %s\n", own_path);
    }
    buffer_append_text(&text, "[client]\n");
    append_option(&text, "host", attempt_text(attempt, "host"));
    buffer_append_format(&text, "port=%lld\nprotocol=tcp\n",
                         (long long)attempt_integer(attempt, "port", 3306));
    append_option(&text, "user", attempt_text(attempt, "user"));
    append_option(&text, "password", attempt_text(attempt, "password"));
    append_option(&text, "ssl-ca", attempt_text(attempt, "ca_file"));
    int status = file_write(path, buffer_span(&text), FILE_PRIVATE_MODE, FILE_ATOMIC, err);
    if (text.data != NULL) {
        explicit_bzero(text.data, text.size_bytes);
    }
    buffer_release(&text);
    return status;
}

/* --- failures -------------------------------------------------------------------------------- */

/* Error numbers of server (from 1000) and client (from 2000). */
static const struct {
    int number;
    enum error_code code;
} numbers[] = {
    {1040, ERROR_THROTTLED},                          /* too many connections */
    {1044, ERROR_NOT_READY}, {1045, ERROR_NOT_READY}, /* access denied */
    {1049, ERROR_NOT_FOUND},                          /* unknown database */
    {1053, ERROR_NETWORK},                            /* the server goes down */
    {1129, ERROR_NOT_READY}, {1130, ERROR_NOT_READY}, /* this host may not connect */
    {1146, ERROR_NOT_FOUND},                          /* no such table */
    {2002, ERROR_NETWORK},   {2003, ERROR_NETWORK},   {2005, ERROR_NETWORK},
    {2006, ERROR_NETWORK},   {2013, ERROR_NETWORK},   {2026, ERROR_NETWORK},
};

static enum error_code code_of(const char *line)
{
    const char *at = strpbrk(line, "0123456789");
    long number = at != NULL ? strtol(at, NULL, 10) : 0;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (numbers[i].number == number) {
            return numbers[i].code;
        }
    }
    return ERROR_FAILED;
}

/* "ERROR 1045 (28000): …" of the client, "mysqldump: Got error: 1045: …" of the dumper. */
static int client_failed(const struct attempt_result *result, const char *program,
                         struct error *err)
{
    const char *tail = buffer_text(&result->tail);
    const char *at = strstr(tail, "ERROR ");
    at = at != NULL ? at : strstr(tail, "rror: ");
    if (at == NULL) {
        return error_set(err, ERROR_FAILED, "%s ended with exit status %d", program,
                         result->exit_code);
    }
    while (at > tail && at[-1] != '\n') {
        at--;
    }
    CLEANUP(memory_cleanup) char *line = memory_text_n(at, strcspn(at, "\n"));
    enum error_code code = code_of(line);
    return code == ERROR_FAILED ? error_set(err, code, "%s: %s", program, line)
                                : error_set(err, code, "%s", line);
}

/* --- calls ----------------------------------------------------------------------------------- */

static const char *find_program(const struct attempt *attempt, const char *const *programs)
{
    const char *path = attempt_getenv(attempt, "PATH");
    for (; path != NULL && *programs != NULL; programs++) {
        for (const char *at = path; *at != '\0'; at += at[strcspn(at, ":")] == ':') {
            size_t size_bytes = strcspn(at, ":");
            CLEANUP(memory_cleanup)
            char *file = memory_format("%.*s/%s", (int)size_bytes, at, *programs);
            if (access(file, X_OK) == 0) {
                return *programs;
            }
            at += size_bytes;
        }
    }
    return NULL;
}

static int run_once(const struct sql_client *client, const struct sql_command *command,
                    const char *program, struct attempt_result *ret_result, struct error *err)
{
    CLEANUP(memory_cleanup) char *name = memory_format("%s.cnf", command->task);
    CLEANUP(memory_cleanup) char *path = file_join(attempt_directory(client->attempt), name);
    if (write_options(client->attempt, path, err) != 0) {
        return -1;
    }
    struct argv argv = {0};
    argv_add(&argv, program);
    argv_add_format(&argv, "--defaults-file=%s", path);
    for (const char *const *word = command->words; *word != NULL; word++) {
        argv_add(&argv, *word);
    }
    struct attempt_command run = {
        .task = command->task,
        .argv = argv_words(&argv),
        .stdin_path = command->stdin_path,
        .private_path = path,
        .mutates = command->mutates,
        .quiet = command->quiet,
        .stdout_limit_bytes = RESULT_LIMIT_BYTES,
        .probe = command->probe,
        .context = command->context,
    };
    int status = attempt_run(client->attempt, &run, ret_result, err);
    argv_release(&argv);
    if (status == 0 && ret_result->exit_code != 0 && !ret_result->found_done) {
        status = client_failed(ret_result, program, err);
    }
    return status;
}

int sql_run(const struct sql_client *client, const struct sql_command *command,
            struct attempt_result *ret_result, struct error *err)
{
    *ret_result = (struct attempt_result){0};
    const char *program = find_program(client->attempt, command->programs);
    if (program == NULL) {
        return error_set(err, ERROR_NOT_READY, "neither %s nor %s is installed",
                         command->programs[0], command->programs[1]);
    }
    for (;;) {
        struct error failure = ERROR_INIT;
        if (run_once(client, command, program, ret_result, &failure) == 0) {
            return 0;
        }
        bool again = failure.code == ERROR_NETWORK && !command->mutates &&
                     clock_monotonic_ns() < client->until_ns;
        if (!again) {
            error_move(err, &failure);
            return -1;
        }
        error_release(&failure);
        attempt_result_release(ret_result);
        *ret_result = (struct attempt_result){0};
        if (attempt_sleep(client->attempt, PAUSE_MS, err) != 0) {
            return -1;
        }
    }
}

/* --- queries --------------------------------------------------------------------------------- */

int sql_query(const struct sql_client *client, const char *task, const char *query,
              json_t **ret_rows, struct error *err)
{
    CLEANUP(memory_cleanup) char *name = memory_format("%s.sql", task);
    CLEANUP(memory_cleanup) char *path = file_join(attempt_directory(client->attempt), name);
    if (file_write(path, span_of_text(query), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        return -1;
    }
    const char *const words[] = {"--xml",
                                 "--default-character-set=utf8mb4",
                                 "--connect-timeout=10",
                                 "--init-command=SET SESSION TRANSACTION READ ONLY",
                                 client->database,
                                 NULL};
    struct sql_command command = {.task = task,
                                  .programs = sql_client_programs,
                                  .words = words,
                                  .stdin_path = path,
                                  .quiet = true};
    struct attempt_result result = {0};
    int status = sql_run(client, &command, &result, err);
    if (status == 0) {
        status = sql_parse_rows(buffer_span(&result.out), ret_rows, err);
    }
    attempt_result_release(&result);
    return status;
}

void sql_append_name(struct buffer *out, const char *name)
{
    buffer_append_char(out, '`');
    for (; *name != '\0'; name++) {
        if (*name == '`') {
            buffer_append_char(out, '`');
        }
        buffer_append_char(out, *name);
    }
    buffer_append_char(out, '`');
}

void sql_append_text(struct buffer *out, const char *text)
{
    buffer_append_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, '\'');
}

int sql_tables(const struct sql_client *client, json_t **ret_names, struct error *err)
{
    struct buffer query = BUFFER_INIT;
    buffer_append_text(&query, "SELECT table_name AS name FROM information_schema.tables WHERE "
                               "table_type = 'BASE TABLE' AND table_schema = ");
    sql_append_text(&query, attempt_text(client->attempt, "database"));
    buffer_append_text(&query, " ORDER BY table_name");
    CLEANUP(json_cleanup) json_t *rows = NULL;
    struct sql_client anywhere = *client;
    anywhere.database = NULL;
    int status = sql_query(&anywhere, "tables", buffer_text(&query), &rows, err);
    buffer_release(&query);
    if (status != 0) {
        return -1;
    }
    json_t *names = json_array();
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        json_array_append(names, json_object_get(row, "name"));
    }
    *ret_names = names;
    return 0;
}
