/* Carrying out recipes: STS, containers, instance metadata and programs, against a local server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "aws_harness.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "local_server.h"
#include "net/credential_answer.h"

static struct local_server server;
static char folder[] = "/tmp/drctl-credentials-XXXXXX";

struct fixture {
    struct aws_harness aws;
    struct credentials credentials;
    struct error err;
};

static void on_credentials(void *context, const struct credentials *credentials, struct error *err)
{
    struct fixture *fixture = context;
    credentials_release(&fixture->credentials);
    if (credentials != NULL) {
        fixture->credentials = credentials_copy(credentials);
    }
    error_move(&fixture->err, err);
    fixture->aws.is_done = true;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    CLEANUP(memory_cleanup) char *path = file_join(folder, name);
    assert_int_equal(file_write(path, span_of_text(text), mode, FILE_ATOMIC, NULL), 0);
}

/* Asks for credentials with a config file and one more variable. */
static void fetch(struct fixture *fixture, const char *config, const char *variable)
{
    *fixture = (struct fixture){0};
    CLEANUP(memory_cleanup) char *url = local_server_url(&server, "");
    CLEANUP(memory_cleanup) char *endpoint = memory_format("AWS_ENDPOINT_URL=%s", url);
    CLEANUP(memory_cleanup)
    char *metadata = memory_format("AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", url);
    CLEANUP(memory_cleanup) char *file = memory_format("AWS_CONFIG_FILE=%s/config", folder);
    const char *variables[] = {endpoint, metadata, file, "AWS_REGION=us-west-2", variable, NULL};
    write_file("config", config, 0600);
    aws_harness_open(&fixture->aws, variables);
    api_client_credentials(fixture->aws.client, 60000, on_credentials, fixture);
    assert_false(fixture->aws.is_done);
    aws_harness_run(&fixture->aws);
}

static void fixture_close(struct fixture *fixture)
{
    aws_harness_close(&fixture->aws);
    credentials_release(&fixture->credentials);
    error_release(&fixture->err);
}

static void assert_fetched(const char *config, const char *variable, const char *access_key)
{
    struct fixture fixture;
    fetch(&fixture, config, variable);
    if (error_is_set(&fixture.err)) {
        fail_msg("%s", fixture.err.message);
    }
    assert_string_equal(fixture.credentials.access_key, access_key);
    fixture_close(&fixture);
}

static void assert_fails(const char *config, const char *variable, enum error_code code,
                         const char *words)
{
    struct fixture fixture;
    fetch(&fixture, config, variable);
    assert_int_equal(fixture.err.code, code);
    assert_non_null(strstr(fixture.err.message, words));
    assert_null(strstr(fixture.err.message, "leaked"));
    fixture_close(&fixture);
}

static void instance_metadata_is_the_last_resort(void **state)
{
    (void)state;
    assert_fetched("", NULL, "IMDS");
}

static void a_chain_of_roles_is_assumed(void **state)
{
    (void)state;
    assert_fetched("[default]\nrole_arn = arn:aws:iam::1:role/outer\nsource_profile = inner\n"
                   "[profile inner]\nrole_arn = arn:aws:iam::1:role/inner\n"
                   "credential_source = Ec2InstanceMetadata\n",
                   NULL, "ROLE-outer");
}

static void a_refused_role_says_so(void **state)
{
    (void)state;
    assert_fails("[default]\nrole_arn = arn:aws:iam::1:role/denied\n"
                 "credential_source = Ec2InstanceMetadata\n",
                 NULL, ERROR_FAILED, "AccessDenied");
}

static void a_web_identity_token_is_exchanged(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup)
    char *config = memory_format("[default]\nrole_arn = arn:aws:iam::1:role/web\n"
                                 "web_identity_token_file = %s/token\n",
                                 folder);
    write_file("token", "a-token", 0600);
    assert_fetched(config, NULL, "ROLE-web");
}

static void a_missing_token_file_is_named(void **state)
{
    (void)state;
    assert_fails("[default]\nrole_arn = a\nweb_identity_token_file = /nonexistent/token\n", NULL,
                 ERROR_NOT_FOUND, "/nonexistent/token");
}

static void a_container_s_token_file_is_sent(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *url = local_server_url(&server, "/container");
    CLEANUP(memory_cleanup)
    char *variable = memory_format("AWS_CONTAINER_CREDENTIALS_FULL_URI=%s", url);
    struct fixture fixture = {0};
    CLEANUP(memory_cleanup)
    char *token = memory_format("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s/pod", folder);
    const char *variables[] = {variable, token, "AWS_REGION=us-west-2", NULL};
    write_file("pod", "pod-token", 0600);
    aws_harness_open(&fixture.aws, variables);
    api_client_credentials(fixture.aws.client, 60000, on_credentials, &fixture);
    aws_harness_run(&fixture.aws);
    assert_string_equal(fixture.credentials.access_key, "POD");
    assert_string_equal(fixture.credentials.source, "container-role");
    fixture_close(&fixture);
}

/* A profile whose credential_process is a script of the test. */
static void assert_process(const char *script, enum error_code code, const char *words)
{
    write_file("program", script, 0700);
    CLEANUP(memory_cleanup)
    char *config =
        memory_format("[default]\ncredential_process = '%s/program' \"a b\" c\n", folder);
    if (code == ERROR_NONE) {
        assert_fetched(config, NULL, words);
    } else {
        assert_fails(config, NULL, code, words);
    }
}

static void a_program_gives_credentials_and_gets_its_words(void **state)
{
    (void)state;
    assert_process("#!/bin/sh\n[ \"$1\" = 'a b' ] && [ $# = 2 ] && echo '{\"Version\": 1, "
                   "\"AccessKeyId\": \"PROC\", \"SecretAccessKey\": \"s\"}'\n",
                   ERROR_NONE, "PROC");
}

static void a_failing_program_is_told_without_its_words(void **state)
{
    (void)state;
    assert_process("#!/bin/sh\necho leaked; echo leaked >&2; exit 3\n", ERROR_FAILED,
                   "exit status 3");
    assert_process("#!/bin/sh\necho leaked\n", ERROR_INVALID, "not a JSON object");
    assert_process("#!/bin/sh\necho '{\"Version\": 2, \"AccessKeyId\": \"leaked\"}'\n",
                   ERROR_INVALID, "Version");
    assert_process("#!/bin/sh\nkill -9 $$\n", ERROR_FAILED, "signal 9");
    assert_process("#!/bin/sh\nexec yes leaked\n", ERROR_FAILED, "prints more");
}

static void a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    assert_fails("[default]\ncredential_process = /nonexistent/program\n", NULL, ERROR_NOT_READY,
                 "/nonexistent/program");
}

static void sso_without_a_session_says_what_to_do(void **state)
{
    (void)state;
    struct fixture fixture;
    CLEANUP(memory_cleanup) char *path = memory_format("PATH=%s", folder);
    write_file("aws", "#!/bin/sh\nexit 255\n", 0700);
    fetch(&fixture, "[default]\nsso_session = s\n", path);
    assert_int_equal(fixture.err.code, ERROR_FAILED);
    assert_non_null(strstr(fixture.err.hint, "aws sso login"));
    fixture_close(&fixture);
}

static void kept_credentials_are_given_again(void **state)
{
    (void)state;
    struct fixture fixture;
    fetch(&fixture, "", NULL);
    api_client_credentials(fixture.aws.client, 60000, on_credentials, &fixture);
    assert_false(fixture.aws.is_done);
    aws_harness_run(&fixture.aws);
    assert_string_equal(fixture.credentials.access_key, "IMDS");
    fixture_close(&fixture);
}

static void expired_credentials_of_the_environment_are_refused(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    const char *variables[] = {"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
                               "AWS_CREDENTIAL_EXPIRATION=2001-01-01T00:00:00Z", NULL};
    aws_harness_open(&fixture.aws, variables);
    api_client_credentials(fixture.aws.client, 60000, on_credentials, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_NOT_READY);
    assert_non_null(strstr(fixture.err.message, "expired"));
    fixture_close(&fixture);
}

static void on_call(void *context, struct api_answer *answer, struct error *err)
{
    struct fixture *fixture = context;
    assert_int_equal(answer->attempts, 2);
    error_move(&fixture->err, err);
    fixture->aws.is_done = true;
}

static void credentials_that_a_service_finds_expired_are_renewed_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fetch(&fixture, "", NULL);
    struct api_request request = {.service = "sts",
                                  .operation = "ExpireOnce",
                                  .method = "POST",
                                  .body = span_of_text("Action=ExpireOnce")};
    api_call_start(fixture.aws.client, &request, on_call, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_NONE);
    fixture_close(&fixture);
}

static void closing_the_client_ends_a_fetch_at_any_step(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        struct fixture fixture = {0};
        CLEANUP(memory_cleanup) char *url = local_server_url(&server, "");
        CLEANUP(memory_cleanup)
        char *metadata = memory_format("AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", url);
        const char *variables[] = {metadata, NULL};
        aws_harness_open(&fixture.aws, variables);
        api_client_credentials(fixture.aws.client, 60000, on_credentials, &fixture);
        for (int i = 0; i < turns && !fixture.aws.is_done; i++) {
            uv_run(&fixture.aws.loop, UV_RUN_ONCE);
        }
        fixture_close(&fixture);
    }
}

static int start(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    local_server_start(&server, "tests/net/fault_server.py", NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    local_server_stop(&server);
    return file_remove_tree(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instance_metadata_is_the_last_resort),
        cmocka_unit_test(a_chain_of_roles_is_assumed),
        cmocka_unit_test(a_refused_role_says_so),
        cmocka_unit_test(a_web_identity_token_is_exchanged),
        cmocka_unit_test(a_missing_token_file_is_named),
        cmocka_unit_test(a_container_s_token_file_is_sent),
        cmocka_unit_test(a_program_gives_credentials_and_gets_its_words),
        cmocka_unit_test(a_failing_program_is_told_without_its_words),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(sso_without_a_session_says_what_to_do),
        cmocka_unit_test(kept_credentials_are_given_again),
        cmocka_unit_test(expired_credentials_of_the_environment_are_refused),
        cmocka_unit_test(credentials_that_a_service_finds_expired_are_renewed_once),
        cmocka_unit_test(closing_the_client_ends_a_fetch_at_any_step),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
