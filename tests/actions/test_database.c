/* sql.check, sql.export, sql.import: the real clients against a real MariaDB. */
#include "mariadb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "scratch.h"

extern const struct action action_sql_check;
extern const struct action action_sql_export;
extern const struct action action_sql_import;

static int set_up(void **state)
{
    free(mariadb_do("DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; USE shop;\n"
                    "CREATE TABLE orders (id INT PRIMARY KEY, note TEXT, paid DECIMAL(8,2));\n"
                    "INSERT INTO orders VALUES (1, 'tab\there', 10.50), (2, NULL, 3), "
                    "(3, 'é <&> ''q''', 0.5);\n"
                    "CREATE TABLE `odd``na'me` (a INT);\n"
                    "DROP DATABASE IF EXISTS copy;\n"));
    *state = harness_new();
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

/* Arguments that connect as drctl to a database, with further ones in JSON with ' for ". */
static json_t *arguments(const char *database, const char *more)
{
    CLEANUP(memory_cleanup) char *text = memory_text(more);
    for (char *quote; (quote = strchr(text, '\'')) != NULL;) {
        *quote = '"';
    }
    json_t *all = json_loads(text, 0, NULL);
    assert_non_null(all);
    json_object_set_new(all, "host", json_string("127.0.0.1"));
    json_object_set_new(all, "port", json_integer(mariadb_port()));
    json_object_set_new(all, "user", json_string("drctl"));
    json_object_set_new(all, "password", json_string(MARIADB_PASSWORD));
    json_object_set_new(all, "database", json_string(database));
    return all;
}

static void run(struct harness *harness, const struct action *action, const char *database,
                const char *more)
{
    harness_secret(harness, MARIADB_PASSWORD);
    harness_run_json(harness, action, arguments(database, more));
}

static void run_ok(struct harness *harness, const struct action *action, const char *database,
                   const char *more)
{
    run(harness, action, database, more);
    if (harness->status != 0) {
        fail_msg("%s\n%s", harness->error.message, buffer_text(&harness->lines));
    }
}

/* --- sql.check ------------------------------------------------------------------------------- */

static void check_counts_the_rows_of_every_table(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_check, "shop", "{'checksums': true}");
    CLEANUP(memory_cleanup)
    char *counts = json_canonical(json_object_get(harness->outputs, "counts"));
    assert_string_equal(counts, "{\"odd`na'me\":0,\"orders\":3}");
    assert_int_equal(json_get_integer(harness->outputs, "rows", 0), 3);
    const json_t *sums = json_object_get(harness->outputs, "checksums");
    assert_non_null(json_get_text(sums, "orders"));
}

static void check_leaves_no_password_behind(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_check, "shop", "{'queries': [{'query': 'SELECT 1'}]}");
    CLEANUP(memory_cleanup)
    char *found = scratch_run(
        harness->folder, (const char *const[]){"sh", "-c", "grep -rlF 'ss#w' . || true", NULL});
    assert_string_equal(found, "");
}

static void check_compares_with_an_earlier_one(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_check, "shop", "{'checksums': true, 'tables': ['orders']}");
    CLEANUP(json_cleanup)
    json_t *earlier = json_pack("{s:O, s:O}", "counts", json_object_get(harness->outputs, "counts"),
                                "same_checksums", json_object_get(harness->outputs, "checksums"));
    CLEANUP(memory_cleanup) char *more = json_canonical(earlier);
    run_ok(harness, &action_sql_check, "shop", more);
    free(mariadb_do("UPDATE shop.orders SET paid = 11 WHERE id = 1"));
    run(harness, &action_sql_check, "shop", more);
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "checksum of orders"));
    free(mariadb_do("DELETE FROM shop.orders WHERE id = 1"));
    run(harness, &action_sql_check, "shop", more);
    assert_non_null(strstr(harness->error.message, "2 checks do not hold"));
    assert_true(harness_shows(harness, "NOT SO: rows of orders: 2, wanted 3"));
}

static void check_answers_questions_of_the_plan(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_check, "shop",
           "{'queries': ["
           "{'query': 'SELECT COUNT(*) FROM orders', 'expect': 3, 'at_least': 1, 'at_most': 5},"
           "{'query': 'SELECT id FROM orders ORDER BY id', 'expect': [1, 2, 3]},"
           "{'query': 'SELECT id, note FROM orders WHERE id = 2', 'expect': [[2, null]]},"
           "{'query': 'SELECT note FROM orders WHERE id = 9', 'expect': []}]}");
    const json_t *second = json_array_get(json_object_get(harness->outputs, "results"), 1);
    assert_string_equal(json_get_text(json_array_get(second, 0), "id"), "1");
}

static void check_says_what_does_not_hold(void **state)
{
    struct harness *harness = *state;
    run(harness, &action_sql_check, "shop",
        "{'queries': [{'query': 'SELECT COUNT(*) FROM orders', 'at_least': 4, 'message': "
        "'orders of the day'}], 'min_tables': 9}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_true(harness_shows(harness, "NOT SO: 2 tables, wanted 9 at least"));
    assert_true(harness_shows(harness, "NOT SO: orders of the day: [[\"3\"]]"));
}

static void check_cannot_change_anything(void **state)
{
    struct harness *harness = *state;
    run(harness, &action_sql_check, "shop", "{'queries': [{'query': 'DELETE FROM orders'}]}");
    assert_int_equal(harness->status, -1);
    CLEANUP(memory_cleanup) char *count = mariadb_do("SELECT COUNT(*) FROM shop.orders");
    assert_string_equal(count, "3");
}

static void check_tells_apart_why_it_cannot_look(void **state)
{
    struct harness *harness = *state;
    run(harness, &action_sql_check, "nothing", "{'tables': ['x']}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
    run(harness, &action_sql_check, "shop", "{'tables': ['x']}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
    json_t *wrong = arguments("shop", "{}");
    json_object_set_new(wrong, "password", json_string("wrong"));
    harness_run_json(harness, &action_sql_check, wrong);
    assert_int_equal(harness->error.code, ERROR_NOT_READY);
    json_t *nowhere = arguments("shop", "{}");
    json_object_set_new(nowhere, "port", json_integer(1));
    harness_run_json(harness, &action_sql_check, nowhere);
    assert_int_equal(harness->error.code, ERROR_NETWORK);
}

/* --- sql.export, sql.import ------------------------------------------------------------------ */

static void dump_comes_back_the_same(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_check, "shop", "{'checksums': true}");
    CLEANUP(memory_cleanup)
    char *before = json_canonical(json_object_get(harness->outputs, "checksums"));
    run_ok(harness, &action_sql_export, "shop", "{'to': 'shop.sql'}");
    struct stat status;
    assert_int_equal(stat(harness_output(harness, "path"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(json_get_integer(harness->outputs, "bytes", 0), status.st_size);
    CLEANUP(memory_cleanup)
    char *more =
        memory_format("{'file': '%s', 'create_database': true}", harness_output(harness, "path"));
    run_ok(harness, &action_sql_import, "copy", more);
    assert_int_equal(json_get_integer(harness->outputs, "tables", 0), 2);
    run_ok(harness, &action_sql_check, "copy", "{'checksums': true}");
    CLEANUP(memory_cleanup)
    char *after = json_canonical(json_object_get(harness->outputs, "checksums"));
    assert_string_equal(after, before);
}

static void import_does_not_write_over_data(void **state)
{
    struct harness *harness = *state;
    run_ok(harness, &action_sql_export, "shop", "{'to': 'shop.sql'}");
    CLEANUP(memory_cleanup) char *path = memory_text(harness_output(harness, "path"));
    CLEANUP(memory_cleanup) char *more = memory_format("{'file': '%s'}", path);
    free(mariadb_do("DELETE FROM shop.orders"));
    run(harness, &action_sql_import, "shop", more);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    CLEANUP(memory_cleanup) char *over = memory_format("{'file': '%s', 'overwrite': true}", path);
    run_ok(harness, &action_sql_import, "shop", over);
    CLEANUP(memory_cleanup) char *count = mariadb_do("SELECT COUNT(*) FROM shop.orders");
    assert_string_equal(count, "3");
}

static void import_stops_at_the_first_statement_that_fails(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "bad.sql", "CREATE TABLE a (x INT);\nNONSENSE;\nDROP TABLE a;\n");
    run(harness, &action_sql_import, "copy", "{'file': 'bad.sql', 'create_database': true}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "line 2"));
}

static void export_and_import_in_a_dry_run_do_nothing(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    run_ok(harness, &action_sql_export, "shop", "{'to': 'shop.sql'}");
    assert_int_equal(harness_started(harness, "dump"), 0);
    scratch_write(harness->plan, "x.sql", "DROP DATABASE shop;");
    run_ok(harness, &action_sql_import, "copy", "{'file': 'x.sql'}");
    assert_int_equal(harness_started(harness, "import"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(check_counts_the_rows_of_every_table),
        TEST(check_leaves_no_password_behind),
        TEST(check_compares_with_an_earlier_one),
        TEST(check_answers_questions_of_the_plan),
        TEST(check_says_what_does_not_hold),
        TEST(check_cannot_change_anything),
        TEST(check_tells_apart_why_it_cannot_look),
        TEST(dump_comes_back_the_same),
        TEST(import_does_not_write_over_data),
        TEST(import_stops_at_the_first_statement_that_fails),
        TEST(export_and_import_in_a_dry_run_do_nothing),
    };
    return cmocka_run_group_tests(tests, mariadb_up, mariadb_down);
}
