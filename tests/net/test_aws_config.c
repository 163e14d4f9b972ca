/* The AWS files, the recipe for credentials and the endpoints that follow from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/credential_recipe.h"
#include "net/endpoint.h"

static char home[] = "/tmp/drctl-aws-config-XXXXXX";

enum { VARIABLES_MAX = 10 };

/* An environment with HOME and the given variables. */
struct environment {
    char *variables[VARIABLES_MAX + 2];
};

static void environment_fill(struct environment *environment, const char *const *variables)
{
    *environment = (struct environment){0};
    environment->variables[0] = memory_format("HOME=%s", home);
    for (size_t i = 0; variables[i] != NULL; i++) {
        environment->variables[1 + i] = memory_text(variables[i]);
    }
}

static void environment_release(struct environment *environment)
{
    for (size_t i = 0; environment->variables[i] != NULL; i++) {
        free(environment->variables[i]);
    }
}

static void write_file(const char *name, const char *text)
{
    CLEANUP(memory_cleanup) char *path = memory_format("%s/.aws/%s", home, name);
    assert_int_equal(file_write(path, span_of_text(text), 0600, FILE_ATOMIC, NULL), 0);
}

static void write_files(const char *config, const char *credentials)
{
    write_file("config", config);
    write_file("credentials", credentials);
}

static int make_recipe(const char *const *variables, const char *profile,
                       struct credential_recipe *recipe, struct error *err)
{
    struct environment environment;
    struct aws_settings settings;
    environment_fill(&environment, variables);
    int status = aws_settings_load(environment.variables, profile, NULL, &settings, err);
    environment_release(&environment);
    if (status == 0) {
        status = credential_recipe_make(&settings, recipe, err);
        aws_settings_release(&settings);
    }
    return status;
}

#define VARIABLES(...)                                                                             \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__ NULL                                                                           \
    }

static void assert_refused(const char *const *variables, const char *profile, enum error_code code,
                           const char *words)
{
    struct credential_recipe recipe;
    struct error err = ERROR_INIT;
    assert_int_equal(make_recipe(variables, profile, &recipe, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, words));
    error_release(&err);
}

static void ini_files_are_read_as_configparser_reads_them(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF# comment\n[default]\nRegion = us-west-2\n"
                               "; comment\nkey: a = b\r\nempty =\nlong = one\n  two\n\n"
                               "[services x]\ns3 =\n  endpoint_url = http://a\n  b = c\n";
    CLEANUP(json_cleanup) json_t *sections = aws_config_parse(span_of_text(text), "config", NULL);
    assert_non_null(sections);
    const json_t *values = json_object_get(sections, "default");
    assert_string_equal(json_get_text(values, "region"), "us-west-2");
    assert_string_equal(json_get_text(values, "key"), "a = b");
    assert_string_equal(json_get_text(values, "empty"), "");
    assert_string_equal(json_get_text(values, "long"), "one\ntwo");
    const json_t *s3 = json_object_get(json_object_get(sections, "services x"), "s3");
    assert_string_equal(json_get_text(s3, "endpoint_url"), "http://a");
    assert_string_equal(json_get_text(s3, "b"), "c");
}

static void a_broken_ini_file_says_where_and_never_what(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {{"[a\nb = c\n", 1},   {"secret = x\n", 1},
                 {"[a]\nsecret\n", 2}, {"[a]\nb = secret\nb = secret\n", 3},
                 {"[a]\n[a]\n", 2},    {"[a]\ns3 =\n  secret\n", 3}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(aws_config_parse(span_of_text(cases[i].text), "config", &err));
        assert_int_equal(err.line, cases[i].line);
        assert_null(strstr(err.message, "secret"));
        error_release(&err);
    }
}

static void the_environment_comes_first_and_an_explicit_profile_overrides_it(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    const char *const *variables = VARIABLES("AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=s",
                                             "AWS_SESSION_TOKEN=t", "AWS_PROFILE=p", );
    write_files("[profile p]\naws_access_key_id = P\naws_secret_access_key = s\n", "");
    assert_int_equal(make_recipe(variables, NULL, &recipe, NULL), 0);
    assert_string_equal(recipe.keys.access_key, "E");
    assert_string_equal(recipe.keys.token, "t");
    credential_recipe_release(&recipe);
    assert_int_equal(make_recipe(variables, "p", &recipe, NULL), 0);
    assert_string_equal(recipe.keys.access_key, "P");
    credential_recipe_release(&recipe);
}

static void the_credentials_file_wins_over_process_and_config(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("[default]\ncredential_process = prog\naws_access_key_id = C\n"
                "aws_secret_access_key = s\n",
                "[default]\naws_access_key_id = F\naws_secret_access_key = s\n");
    assert_int_equal(make_recipe(VARIABLES(), NULL, &recipe, NULL), 0);
    assert_string_equal(recipe.keys.access_key, "F");
    credential_recipe_release(&recipe);
    write_file("credentials", "");
    assert_int_equal(make_recipe(VARIABLES(), NULL, &recipe, NULL), 0);
    assert_int_equal(recipe.source, CREDENTIAL_PROCESS);
    assert_string_equal(recipe.command, "prog");
    credential_recipe_release(&recipe);
}

static void roles_are_assumed_from_the_source_outwards(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("[profile outer]\nrole_arn = arn:outer\nsource_profile = middle\n"
                "external_id = x\nduration_seconds = 900\nrole_session_name = me\n"
                "[profile middle]\nrole_arn = arn:middle\nsource_profile = base\n",
                "[base]\naws_access_key_id = B\naws_secret_access_key = s\n");
    assert_int_equal(make_recipe(VARIABLES("AWS_PROFILE=outer", ), NULL, &recipe, NULL), 0);
    assert_string_equal(recipe.keys.access_key, "B");
    assert_int_equal(recipe.roles.count, 2);
    assert_string_equal(recipe.roles.items[0].arn, "arn:middle");
    assert_string_equal(recipe.roles.items[1].arn, "arn:outer");
    assert_string_equal(recipe.roles.items[1].external_id, "x");
    assert_string_equal(recipe.roles.items[1].session_name, "me");
    assert_int_equal(recipe.roles.items[1].duration_s, 900);
    credential_recipe_release(&recipe);
}

static void a_profile_may_be_its_own_source_of_static_keys(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("[profile self]\nrole_arn = arn:r\nsource_profile = self\n"
                "aws_access_key_id = S\naws_secret_access_key = s\n",
                "");
    assert_int_equal(make_recipe(VARIABLES(), "self", &recipe, NULL), 0);
    assert_string_equal(recipe.keys.access_key, "S");
    assert_int_equal(recipe.roles.count, 1);
    credential_recipe_release(&recipe);
}

static void contradictory_profiles_are_refused(void **state)
{
    (void)state;
    write_files("[profile circle]\nrole_arn = a\nsource_profile = other\n"
                "[profile other]\nrole_arn = a\nsource_profile = circle\n"
                "[profile both]\nrole_arn = a\nsource_profile = other\ncredential_source = x\n"
                "[profile neither]\nrole_arn = a\n"
                "[profile gone]\nrole_arn = a\nsource_profile = nowhere\n"
                "[profile odd]\nrole_arn = a\ncredential_source = Moon\n"
                "[profile half]\naws_access_key_id = a\n"
                "[profile mfa]\nrole_arn = a\nsource_profile = half\nmfa_serial = m\n"
                "[profile web]\nweb_identity_token_file = /t\n",
                "");
    assert_refused(VARIABLES(), "circle", ERROR_INVALID, "circle");
    assert_refused(VARIABLES(), "both", ERROR_INVALID, "both");
    assert_refused(VARIABLES(), "neither", ERROR_INVALID, "neither");
    assert_refused(VARIABLES(), "gone", ERROR_INVALID, "does not exist");
    assert_refused(VARIABLES(), "odd", ERROR_INVALID, "Moon");
    assert_refused(VARIABLES(), "half", ERROR_INVALID, "aws_secret_access_key");
    assert_refused(VARIABLES(), "mfa", ERROR_NOT_READY, "MFA");
    assert_refused(VARIABLES(), "web", ERROR_INVALID, "role");
    assert_refused(VARIABLES("AWS_ACCESS_KEY_ID=x", ), NULL, ERROR_INVALID, "AWS_SECRET");
}

static void an_unknown_profile_names_the_nearest(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    struct error err = ERROR_INIT;
    write_files("[profile production]\nregion = us-west-2\n", "");
    assert_int_equal(make_recipe(VARIABLES("AWS_PROFILE=prodution", ), NULL, &recipe, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
    assert_non_null(strstr(err.hint, "production"));
    error_release(&err);
}

static void sso_goes_through_the_cli(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("[sso-session s]\nsso_region = x\n[profile p]\nsso_session = s\n", "");
    assert_int_equal(make_recipe(VARIABLES(), "p", &recipe, NULL), 0);
    assert_int_equal(recipe.source, CREDENTIAL_CLI);
    assert_string_equal(recipe.profile, "p");
    credential_recipe_release(&recipe);
}

static void web_identity_is_taken_from_the_environment_and_from_the_profile(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("[profile p]\nweb_identity_token_file = /p\nrole_arn = arn:p\n", "");
    assert_int_equal(
        make_recipe(VARIABLES("AWS_WEB_IDENTITY_TOKEN_FILE=/e", "AWS_ROLE_ARN=arn:e", ), NULL,
                    &recipe, NULL),
        0);
    assert_int_equal(recipe.source, CREDENTIAL_WEB_IDENTITY);
    assert_string_equal(recipe.token_file, "/e");
    assert_string_equal(recipe.web_role.arn, "arn:e");
    credential_recipe_release(&recipe);
    assert_int_equal(make_recipe(VARIABLES("AWS_WEB_IDENTITY_TOKEN_FILE=/e", ), "p", &recipe, NULL),
                     0);
    assert_string_equal(recipe.token_file, "/p");
    assert_int_equal(recipe.roles.count, 0);
    credential_recipe_release(&recipe);
}

static void container_and_metadata_come_last(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("", "");
    assert_int_equal(
        make_recipe(VARIABLES("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/x", ), NULL, &recipe, NULL),
        0);
    assert_int_equal(recipe.source, CREDENTIAL_CONTAINER);
    assert_string_equal(recipe.container_url, "http://169.254.170.2/x");
    credential_recipe_release(&recipe);
    assert_int_equal(make_recipe(VARIABLES(), NULL, &recipe, NULL), 0);
    assert_int_equal(recipe.source, CREDENTIAL_METADATA);
    credential_recipe_release(&recipe);
    assert_refused(VARIABLES("AWS_EC2_METADATA_DISABLED=true", ), NULL, ERROR_NOT_READY,
                   "no AWS credentials");
}

static void a_container_token_goes_to_known_hosts_only(void **state)
{
    (void)state;
    struct credential_recipe recipe;
    write_files("", "");
    assert_refused(VARIABLES("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://example.com/x", ), NULL,
                   ERROR_INVALID, "plain HTTP");
    assert_refused(VARIABLES("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1.example.com/x", ),
                   NULL, ERROR_INVALID, "plain HTTP");
    assert_int_equal(
        make_recipe(VARIABLES("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[fd00:ec2::23]/x", ), NULL,
                    &recipe, NULL),
        0);
    credential_recipe_release(&recipe);
}

static void assert_endpoint(const char *const *variables, const char *service, const char *region,
                            const char *url, const char *signing_region)
{
    struct environment environment;
    struct aws_settings settings;
    struct endpoint endpoint;
    environment_fill(&environment, variables);
    assert_int_equal(aws_settings_load(environment.variables, NULL, NULL, &settings, NULL), 0);
    assert_int_equal(endpoint_find(&settings, service, region, &endpoint, NULL), 0);
    assert_string_equal(endpoint.url, url);
    assert_string_equal(endpoint.signing_region, signing_region);
    endpoint_release(&endpoint);
    aws_settings_release(&settings);
    environment_release(&environment);
}

static void services_are_found_in_each_partition(void **state)
{
    (void)state;
    write_files("", "");
    assert_endpoint(VARIABLES(), "sts", "us-west-2", "https://sts.us-west-2.amazonaws.com",
                    "us-west-2");
    assert_endpoint(VARIABLES(), "sts", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn",
                    "cn-north-1");
    assert_endpoint(VARIABLES(), "route53", "us-west-2", "https://route53.amazonaws.com",
                    "us-east-1");
    assert_endpoint(VARIABLES(), "route53", NULL, "https://route53.amazonaws.com", "us-east-1");
    assert_endpoint(VARIABLES("AWS_REGION=cn-north-1", ), "route53", NULL,
                    "https://route53.amazonaws.com.cn", "cn-northwest-1");
    assert_endpoint(VARIABLES(), "route53", "us-gov-east-1", "https://route53.us-gov.amazonaws.com",
                    "us-gov-west-1");
}

static void configured_endpoints_win_in_botocore_s_order(void **state)
{
    (void)state;
    write_files("[default]\nregion = us-west-2\nservices = local\nendpoint_url = http://profile\n"
                "[services local]\nroute_53 =\n  endpoint_url = http://section\n",
                "");
    assert_endpoint(VARIABLES(), "route53", NULL, "http://section", "us-east-1");
    assert_endpoint(VARIABLES(), "sts", NULL, "http://profile", "us-west-2");
    assert_endpoint(VARIABLES("AWS_ENDPOINT_URL=http://all", ), "route53", NULL, "http://all",
                    "us-east-1");
    assert_endpoint(
        VARIABLES("AWS_ENDPOINT_URL=http://all", "AWS_ENDPOINT_URL_ROUTE_53=http://one", ),
        "route53", NULL, "http://one", "us-east-1");
    assert_endpoint(
        VARIABLES("AWS_ENDPOINT_URL=http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", ),
        "sts", NULL, "https://sts.us-west-2.amazonaws.com", "us-west-2");
}

static int make_home(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(home));
    CLEANUP(memory_cleanup) char *folder = memory_format("%s/.aws", home);
    return mkdir(folder, 0700);
}

static int remove_home(void **state)
{
    (void)state;
    return file_remove_tree(home, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ini_files_are_read_as_configparser_reads_them),
        cmocka_unit_test(a_broken_ini_file_says_where_and_never_what),
        cmocka_unit_test(the_environment_comes_first_and_an_explicit_profile_overrides_it),
        cmocka_unit_test(the_credentials_file_wins_over_process_and_config),
        cmocka_unit_test(roles_are_assumed_from_the_source_outwards),
        cmocka_unit_test(a_profile_may_be_its_own_source_of_static_keys),
        cmocka_unit_test(contradictory_profiles_are_refused),
        cmocka_unit_test(an_unknown_profile_names_the_nearest),
        cmocka_unit_test(sso_goes_through_the_cli),
        cmocka_unit_test(web_identity_is_taken_from_the_environment_and_from_the_profile),
        cmocka_unit_test(container_and_metadata_come_last),
        cmocka_unit_test(a_container_token_goes_to_known_hosts_only),
        cmocka_unit_test(services_are_found_in_each_partition),
        cmocka_unit_test(configured_endpoints_win_in_botocore_s_order),
    };
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
