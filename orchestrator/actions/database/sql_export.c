/* sql.export: a dump by mysqldump, there completely or not at all. The dumper says on its last line
 * that it came to its end; a file without that line is not a dump, whatever the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions/action.h"
#include "base/digest.h"
#include "base/file.h"
#include "database/sql_client.h"

static const struct parameter parameters[] = {
    SQL_PARAMETERS,
    {.name = "to",
     .type = VALUE_PATH,
     .required = true,
     .exposed = true,
     .doc = "The dump's file: absolute, or in the run's working folder"},
    {.name = "tables",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Only these tables; all of them otherwise"},
    {.name = "options",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Further options of mysqldump, such as --set-gtid-purged=OFF for MySQL"},
    {0}};

static const struct output outputs[] = {
    {.name = "path", .type = VALUE_PATH, .doc = "The dump"},
    {.name = "bytes", .type = VALUE_INTEGER, .doc = "Its size"},
    {.name = "sha256", .type = VALUE_STRING, .doc = "Its SHA-256, in hexadecimal"},
    {0}};

static int dump(struct attempt *attempt, const char *path, struct error *err)
{
    static const char *const fixed[] = {"--single-transaction",
                                        "--routines",
                                        "--triggers",
                                        "--events",
                                        "--hex-blob",
                                        "--default-character-set=utf8mb4",
                                        NULL};
    struct sql_client client;
    sql_open(attempt, &client);
    struct argv argv = {0};
    for (const char *const *word = fixed; *word != NULL; word++) {
        argv_add(&argv, *word);
    }
    argv_add_format(&argv, "--result-file=%s", path);
    argv_add_list(&argv, attempt_argument(attempt, "options"));
    argv_add(&argv, client.database);
    argv_add_list(&argv, attempt_argument(attempt, "tables"));
    struct sql_command command = {
        .task = "dump", .programs = sql_dump_programs, .words = argv_words(&argv)};
    struct attempt_result result = {0};
    int status = sql_run(&client, &command, &result, err);
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

static int read_whole(int descriptor, EVP_MD_CTX *digest, char *end, size_t end_bytes,
                      int64_t *ret_bytes, struct error *err)
{
    char block[65536];
    *ret_bytes = 0;
    for (;;) {
        ssize_t size = read(descriptor, block, sizeof block);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return error_set_errno(err, errno, "the dump cannot be read");
        }
        if (size == 0) {
            return 0;
        }
        EVP_DigestUpdate(digest, block, (size_t)size);
        size_t taken = (size_t)size < end_bytes ? (size_t)size : end_bytes;
        memmove(end, end + taken, end_bytes - taken);
        memcpy(end + end_bytes - taken, block + size - taken, taken);
        *ret_bytes += size;
    }
}

/* Its size and digest, once it is sure that it is whole. */
static int verify(struct attempt *attempt, const char *path, struct error *err)
{
    char end[160] = {0};
    int64_t size_bytes;
    CLEANUP(file_close_cleanup) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return error_set_errno(err, errno, "%s", path);
    }
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    int status = read_whole(descriptor, digest, end, sizeof end - 1, &size_bytes, err);
    unsigned char bytes[DIGEST_SIZE];
    EVP_DigestFinal_ex(digest, bytes, NULL);
    EVP_MD_CTX_free(digest);
    if (status != 0) {
        return -1;
    }
    if (memmem(end, sizeof end, "-- Dump completed", 17) == NULL) {
        error_set(err, ERROR_FAILED, "the dump does not say that it is complete");
        return error_hint(err, "it says so in a comment: leave --skip-comments and --compact out");
    }
    char hex[DIGEST_HEX_SIZE];
    digest_hex(bytes, hex);
    attempt_say(attempt, "%lld bytes in %s", (long long)size_bytes, path);
    attempt_set_output(attempt, "bytes", json_integer(size_bytes));
    attempt_set_output_text(attempt, "sha256", hex);
    return 0;
}

static int resolve_path(const struct attempt *attempt, char **ret_path, struct error *err)
{
    const char *to = attempt_text(attempt, "to");
    if (to[0] == '/') {
        *ret_path = memory_text(to);
        return 0;
    }
    return file_join_inside(attempt_work_directory(attempt), to, ret_path, err);
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    if (resolve_path(attempt, &path, err) != 0) {
        return -1;
    }
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would dump %s into %s", attempt_text(attempt, "database"), path);
        return 0;
    }
    CLEANUP(memory_cleanup) char *begun = memory_format("%s.part", path);
    if (dump(attempt, begun, err) != 0) {
        return -1;
    }
    /* An earlier life of this attempt may have come to the renaming. */
    bool renamed = !file_exists(begun) && file_exists(path);
    if (verify(attempt, renamed ? path : begun, err) != 0) {
        return -1;
    }
    if (!renamed && (chmod(begun, FILE_PRIVATE_MODE) != 0 || rename(begun, path) != 0)) {
        return error_set_errno(err, errno, "cannot move the dump to %s", path);
    }
    attempt_set_output_text(attempt, "path", path);
    return 0;
}

const struct action action_sql_export = {
    .description =
        {
            .name = "sql.export",
            .summary = "Dump a MySQL or MariaDB database into a file",
            .doc =
                "One consistent moment of all InnoDB tables, with routines, triggers and events, "
                "by mysqldump. The file is there when it is complete.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "A dump that still runs is followed; one whose end was not seen is made again "
                   "from the start.",
    .shows_dry_run = true,
};
