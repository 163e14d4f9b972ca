/* The MySQL or MariaDB command-line clients, told where to connect by a private option file that
 * lives as long as the command: a password is never in argv, and never on the disk of a run that
 * has ended. The operator's own option files are not read, so that the same plan does the same on
 * every machine. */
#ifndef DRCTL_ACTIONS_SQL_CLIENT_H
#define DRCTL_ACTIONS_SQL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "actions/argv.h"
#include "attempt/attempt.h"
#include "plan/catalogue.h"

#define SQL_PARAMETERS                                                                             \
    {.name = "host",                                                                               \
     .type = VALUE_STRING,                                                                         \
     .required = true,                                                                             \
     .exposed = true,                                                                              \
     .doc = "Where the server is"},                                                                \
        {.name = "port", .type = VALUE_INTEGER, .default_json = "3306", .doc = "Its port"},        \
        {.name = "user",                                                                           \
         .type = VALUE_STRING,                                                                     \
         .exposed = true,                                                                          \
         .doc = "User to log in as; that of `defaults_file` otherwise"},                           \
        {.name = "password", .type = VALUE_SECRET, .doc = "The user's password"},                  \
        {.name = "database",                                                                       \
         .type = VALUE_STRING,                                                                     \
         .required = true,                                                                         \
         .exposed = true,                                                                          \
         .doc = "The database"},                                                                   \
        {.name = "ca_file",                                                                        \
         .type = VALUE_PATH,                                                                       \
         .exposed = true,                                                                          \
         .doc = "PEM file of the authorities that the server's certificate is checked with"},      \
        {.name = "defaults_file",                                                                  \
         .type = VALUE_PATH,                                                                       \
         .exposed = true,                                                                          \
         .doc = "An option file of your own to start from, such as one with a password"},          \
    {                                                                                              \
        .name = "within", .type = VALUE_DURATION, .default_json = "\"0s\"",                        \
        .doc = "How long to try again while the server cannot be reached"                          \
    }

struct sql_client {
    struct attempt *attempt;
    const char *database; /* borrowed; NULL: none is selected */
    int64_t until_ns;     /* monotonic: until then an unreachable server is asked again */
};

/* Reads the parameters above. */
void sql_open(struct attempt *attempt, struct sql_client *ret_client);

/* One command of the clients. */
struct sql_command {
    const char *task;
    const char *const *programs; /* names to look for, in order, NULL-terminated */
    const char *const *words;    /* further words; NULL-terminated */
    const char *stdin_path;
    bool quiet;
    bool mutates;
    enum attempt_probe_answer (*probe)(struct attempt *attempt, void *context);
    void *context;
};

/* Runs it. ERROR_NOT_READY without a client on the step's PATH or with wrong credentials,
 * ERROR_NETWORK when the server cannot be reached (after `within`), ERROR_NOT_FOUND for an unknown
 * database or table. The result is released by the caller in any case. */
MUST_USE int sql_run(const struct sql_client *client, const struct sql_command *command,
                     struct attempt_result *ret_result, struct error *err);

/* The names of the client programs. */
extern const char *const sql_client_programs[];
extern const char *const sql_dump_programs[];

/* A query in a read-only transaction: an array of rows, each an object COLUMN → text or null in
 * the order of the columns. */
MUST_USE int sql_query(const struct sql_client *client, const char *task, const char *query,
                       json_t **ret_rows, struct error *err);

/* The rows of the client's XML output. */
MUST_USE int sql_parse_rows(struct span xml, json_t **ret_rows, struct error *err);

/* Appends a name in backticks, a text in quotes. */
void sql_append_name(struct buffer *out, const char *name);
void sql_append_text(struct buffer *out, const char *text);

/* The names of the database's tables, sorted: an array of texts. */
MUST_USE int sql_tables(const struct sql_client *client, json_t **ret_names, struct error *err);

#endif
