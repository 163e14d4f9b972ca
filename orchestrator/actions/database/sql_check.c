/* sql.check: is what was restored what was lost? Rows are counted, tables are checksummed, queries
 * of the plan's own are answered, each against what the plan expects of it. The session is
 * read-only: a check cannot change what it checks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "database/sql_client.h"

static const struct parameter parameters[] = {
    SQL_PARAMETERS,
    {.name = "tables",
     .type = VALUE_ANY,
     .default_json = "\"all\"",
     .doc = "Tables whose rows are counted: a list of names, or all"},
    {.name = "checksums",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "CHECKSUM TABLE for each of them as well, which reads all of their rows"},
    {.name = "counts",
     .type = VALUE_MAP,
     .doc = "Rows that tables must have: {TABLE: NUMBER}, such as the output of an earlier check"},
    {.name = "same_checksums",
     .type = VALUE_MAP,
     .doc = "Checksums that tables must have: {TABLE: CHECKSUM}, of a server of the same version"},
    {.name = "min_rows", .type = VALUE_INTEGER, .doc = "Rows that every table must have at least"},
    {.name = "min_tables",
     .type = VALUE_INTEGER,
     .default_json = "1",
     .doc = "How many tables there must be at least"},
    {.name = "queries",
     .type = VALUE_LIST,
     .default_json = "[]",
     .doc = "Own questions: {query, and one or more of expect, at_least, at_most; message}. expect "
            "is one value, a list of values (one column) or a list of lists (rows)"},
    {0}};

static const struct output outputs[] = {
    {.name = "counts", .type = VALUE_MAP, .doc = "Rows of each table"},
    {.name = "checksums", .type = VALUE_MAP, .doc = "Checksum of each table; null without it"},
    {.name = "results",
     .type = VALUE_LIST,
     .doc = "The rows of each query, each row a map of its columns"},
    {.name = "rows", .type = VALUE_INTEGER, .doc = "Rows of all tables together"},
    {0}};

struct check {
    struct attempt *attempt;
    struct sql_client client;
    json_t *counts;
    json_t *checksums;
    json_t *results;
    json_int_t rows;
    size_t failures;
    struct error first;
};

/* Takes note of whether something holds; all of it is looked at before the step fails. */
static void judge(struct check *check, bool holds, const char *format, ...) PRINTF_LIKE(3, 4);

static void judge(struct check *check, bool holds, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *text = memory_format_v(format, arguments);
    va_end(arguments);
    attempt_say(check->attempt, "%s: %s", holds ? "ok" : "NOT SO", text);
    if (!holds) {
        check->failures++;
        error_set(&check->first, ERROR_FAILED, "%s", text);
    }
}

/* --- tables ---------------------------------------------------------------------------------- */

static int table_names(struct check *check, json_t **ret_names, struct error *err)
{
    const json_t *tables = attempt_argument(check->attempt, "tables");
    if (json_is_array(tables)) {
        *ret_names = json_incref((json_t *)tables);
        return 0;
    }
    if (!json_is_string(tables) || strcmp(json_string_value(tables), "all") != 0) {
        return error_set(err, ERROR_INVALID, "`tables` is neither a list nor all");
    }
    return sql_tables(&check->client, ret_names, err);
}

static void write_counts(const json_t *names, struct buffer *query)
{
    size_t index;
    json_t *name;
    json_array_foreach (names, index, name) {
        buffer_append_text(query, index > 0 ? " UNION ALL SELECT " : "SELECT ");
        sql_append_text(query, json_string_value(name));
        buffer_append_text(query, " AS name, COUNT(*) AS number FROM ");
        sql_append_name(query, json_string_value(name));
    }
}

static int count_rows(struct check *check, const json_t *names, struct error *err)
{
    CLEANUP(buffer_release) struct buffer query = BUFFER_INIT;
    CLEANUP(json_cleanup) json_t *rows = NULL;
    write_counts(names, &query);
    if (query.size_bytes > 0 &&
        sql_query(&check->client, "counts", buffer_text(&query), &rows, err) != 0) {
        return -1;
    }
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        json_int_t number = strtoll(json_get_text(row, "number"), NULL, 10);
        json_object_set_new(check->counts, json_get_text(row, "name"), json_integer(number));
        check->rows += number;
    }
    return 0;
}

static int take_checksums(struct check *check, const json_t *names, struct error *err)
{
    CLEANUP(buffer_release) struct buffer query = BUFFER_INIT;
    CLEANUP(json_cleanup) json_t *rows = NULL;
    size_t index;
    json_t *item;
    json_array_foreach (names, index, item) {
        buffer_append_text(&query, index > 0 ? ", " : "CHECKSUM TABLE ");
        sql_append_name(&query, json_string_value(item));
    }
    if (query.size_bytes > 0 &&
        sql_query(&check->client, "checksums", buffer_text(&query), &rows, err) != 0) {
        return -1;
    }
    /* The answer names DATABASE.TABLE, in the order of the question. */
    json_array_foreach (rows, index, item) {
        json_object_set(check->checksums, json_string_value(json_array_get(names, index)),
                        json_object_get(item, "Checksum"));
    }
    return 0;
}

static bool same_scalar(const json_t *wanted, const char *found)
{
    CLEANUP(memory_cleanup)
    char *text =
        json_is_string(wanted) ? memory_text(json_string_value(wanted)) : json_canonical(wanted);
    return strcmp(text, found) == 0;
}

static void compare_tables(struct check *check, const char *argument, const json_t *found,
                           const char *what)
{
    const char *table;
    json_t *wanted;
    json_object_foreach ((json_t *)attempt_argument(check->attempt, argument), table, wanted) {
        const json_t *value = json_object_get(found, table);
        CLEANUP(memory_cleanup) char *wanted_text = json_canonical(wanted);
        CLEANUP(memory_cleanup)
        char *text = value == NULL           ? memory_text("missing")
                     : json_is_string(value) ? memory_text(json_string_value(value))
                                             : json_canonical(value);
        judge(check, value != NULL && same_scalar(wanted, text), "%s of %s: %s, wanted %s", what,
              table, text, wanted_text);
    }
}

static void judge_tables(struct check *check, const json_t *names)
{
    int64_t least = attempt_integer(check->attempt, "min_rows", 0);
    int64_t tables = attempt_integer(check->attempt, "min_tables", 1);
    judge(check, (int64_t)json_array_size(names) >= tables, "%zu tables, wanted %lld at least",
          json_array_size(names), (long long)tables);
    const char *table;
    json_t *count;
    json_object_foreach (check->counts, table, count) {
        if (json_integer_value(count) < least) {
            judge(check, false, "%s has %lld rows, wanted %lld at least", table,
                  (long long)json_integer_value(count), (long long)least);
        }
    }
    compare_tables(check, "counts", check->counts, "rows");
    compare_tables(check, "same_checksums", check->checksums, "checksum");
}

static int check_tables(struct check *check, struct error *err)
{
    CLEANUP(json_cleanup) json_t *names = NULL;
    bool sums = attempt_flag(check->attempt, "checksums") ||
                attempt_argument(check->attempt, "same_checksums") != NULL;
    if (table_names(check, &names, err) != 0 || count_rows(check, names, err) != 0 ||
        (sums && take_checksums(check, names, err) != 0)) {
        return -1;
    }
    attempt_say(check->attempt, "%zu tables with %lld rows", json_array_size(names),
                (long long)check->rows);
    judge_tables(check, names);
    return 0;
}

/* --- queries --------------------------------------------------------------------------------- */

/* The values of a row, in the order of its columns. */
static json_t *row_values(const json_t *row)
{
    json_t *values = json_array();
    const char *column;
    json_t *value;
    json_object_foreach ((json_t *)row, column, value) {
        json_array_append(values, value);
    }
    return values;
}

static bool value_is(const json_t *wanted, const json_t *found)
{
    if (json_is_null(wanted) || json_is_null(found)) {
        return json_is_null(wanted) && json_is_null(found);
    }
    return same_scalar(wanted, json_string_value(found));
}

static bool row_is(const json_t *wanted, const json_t *row)
{
    CLEANUP(json_cleanup) json_t *values = row_values(row);
    if (!json_is_array(wanted)) {
        return json_array_size(values) == 1 && value_is(wanted, json_array_get(values, 0));
    }
    if (json_array_size(wanted) != json_array_size(values)) {
        return false;
    }
    size_t index;
    json_t *value;
    json_array_foreach (values, index, value) {
        if (!value_is(json_array_get(wanted, index), value)) {
            return false;
        }
    }
    return true;
}

static bool rows_are(const json_t *wanted, const json_t *rows)
{
    if (!json_is_array(wanted)) {
        return json_array_size(rows) == 1 && row_is(wanted, json_array_get(rows, 0));
    }
    if (json_array_size(wanted) != json_array_size(rows)) {
        return false;
    }
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        if (!row_is(json_array_get(wanted, index), row)) {
            return false;
        }
    }
    return true;
}

/* The one number of a result; NAN when it is none. */
static double number_of(const json_t *rows)
{
    if (json_array_size(rows) != 1) {
        return NAN;
    }
    CLEANUP(json_cleanup) json_t *values = row_values(json_array_get(rows, 0));
    const char *text = json_string_value(json_array_get(values, 0));
    char *end = NULL;
    double number = text != NULL ? strtod(text, &end) : NAN;
    return text != NULL && end != text && *end == '\0' ? number : NAN;
}

static char *rows_text(const json_t *rows)
{
    json_t *values = json_array();
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        if (index == 5) {
            json_array_append_new(values, json_string("…"));
            break;
        }
        json_array_append_new(values, row_values(row));
    }
    char *text = json_canonical(values);
    json_decref(values);
    return text;
}

static void judge_query(struct check *check, const json_t *item, const json_t *rows)
{
    const char *message = json_get_text(item, "message");
    const json_t *expect = json_object_get(item, "expect");
    const json_t *least = json_object_get(item, "at_least");
    const json_t *most = json_object_get(item, "at_most");
    bool holds = (expect == NULL || rows_are(expect, rows)) &&
                 (least == NULL || number_of(rows) >= json_number_value(least)) &&
                 (most == NULL || number_of(rows) <= json_number_value(most));
    CLEANUP(memory_cleanup) char *found = rows_text(rows);
    judge(check, holds, "%s: %s", message != NULL ? message : json_get_text(item, "query"), found);
}

static int check_query(struct check *check, const json_t *item, struct error *err)
{
    static const char *const known[] = {"query", "expect", "at_least", "at_most", "message"};
    const char *query = json_get_text(item, "query");
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)item, key, value) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
            found = found || strcmp(known[i], key) == 0;
        }
        if (!found) {
            return error_set(err, ERROR_INVALID, "a query has no '%s'", key);
        }
    }
    if (query == NULL) {
        return error_set(err, ERROR_INVALID, "an item of `queries` is not a map with `query`");
    }
    CLEANUP(json_cleanup) json_t *rows = NULL;
    if (sql_query(&check->client, "query", query, &rows, err) != 0) {
        return error_context(err, "%s", query);
    }
    judge_query(check, item, rows);
    json_array_append(check->results, rows);
    return 0;
}

static int check_queries(struct check *check, struct error *err)
{
    size_t index;
    json_t *item;
    json_array_foreach (attempt_argument(check->attempt, "queries"), index, item) {
        if (check_query(check, item, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* --- the action ------------------------------------------------------------------------------ */

static int finish(struct check *check, struct error *err)
{
    attempt_set_output(check->attempt, "counts", json_incref(check->counts));
    attempt_set_output(check->attempt, "checksums",
                       json_object_size(check->checksums) > 0 ? json_incref(check->checksums)
                                                              : json_null());
    attempt_set_output(check->attempt, "results", json_incref(check->results));
    attempt_set_output(check->attempt, "rows", json_integer(check->rows));
    attempt_fact(check->attempt, "data.check",
                 json_pack("{s:s, s:i, s:I, s:I}", "database", check->client.database, "tables",
                           (int)json_object_size(check->counts), "rows", check->rows, "failures",
                           (json_int_t)check->failures));
    if (check->failures == 0) {
        return 0;
    }
    if (check->failures > 1) {
        error_context(&check->first, "%zu checks do not hold, the first", check->failures);
    }
    error_move(err, &check->first);
    return -1;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct check check = {
        .attempt = attempt,
        .counts = json_object(),
        .checksums = json_object(),
        .results = json_array(),
    };
    sql_open(attempt, &check.client);
    int status = check_tables(&check, err);
    if (status == 0) {
        status = check_queries(&check, err);
    }
    if (status == 0) {
        status = finish(&check, err);
    }
    error_release(&check.first);
    json_decref(check.counts);
    json_decref(check.checksums);
    json_decref(check.results);
    return status;
}

const struct action action_sql_check = {
    .description =
        {
            .name = "sql.check",
            .summary = "Check the data of a MySQL or MariaDB database",
            .doc = "Counts rows, compares checksums and answers queries, in a read-only session. "
                   "Everything is looked at before the step fails.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing and looks again at what it had not seen the end of.",
};
