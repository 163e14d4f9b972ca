/* Carries out a recipe, one step after the other, each asynchronous: a step ends in next_role(),
 * which assumes the next role or is done, or in finish() with an error. At any time at most one of
 * timer, http, aws, helper and reading is under way, so abandoning stops just that one. */
#include "net/credential_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/credential_answer.h"
#include "net/helper.h"
#include "net/oneshot.h"
#include "net/shell_words.h"
#include "net/variables.h"

enum {
    PROGRAM_TIMEOUT_MS = 60000, /* `aws` needs a second, an SSO helper may ask a browser */
    CONTAINER_TIMEOUT_MS = 2000,
    CONTAINER_TRIES = 3,
    METADATA_TIMEOUT_S = 1,    /* botocore's defaults */
    TOKEN_LIMIT_BYTES = 65536, /* a JWT of 64 KiB fits no request */
};

struct credential_fetch {
    uv_loop_t *loop;
    struct api_client *client;
    struct credential_recipe recipe;
    api_credentials_done *done; /* NULL when it was abandoned */
    void *context;
    struct credentials credentials; /* of the last step that ended */
    size_t roles_assumed;
    struct error err;

    struct oneshot *timer;
    struct http_call *http;
    struct api_call *aws;
    struct helper *helper;
    struct token_read *reading;

    unsigned tries;       /* of the present metadata request */
    char *metadata_token; /* IMDSv2 */
    char *metadata_role;
};

struct token_read {
    uv_work_t work;
    struct credential_fetch *fetch; /* NULL when it was abandoned */
    void (*then)(struct credential_fetch *fetch, const char *token);
    char *path;
    struct buffer content;
    struct error err;
};

static void fetch_free(struct credential_fetch *fetch)
{
    credential_recipe_release(&fetch->recipe);
    credentials_release(&fetch->credentials);
    error_release(&fetch->err);
    memory_free_secret(fetch->metadata_token);
    free(fetch->metadata_role);
    oneshot_free(fetch->timer);
    free(fetch);
}

/* The end, with credentials unless an error is set. Always called from the loop. */
static void finish(struct credential_fetch *fetch)
{
    bool failed = error_is_set(&fetch->err);
    if (fetch->done != NULL) {
        fetch->done(fetch->context, failed ? NULL : &fetch->credentials, &fetch->err);
    }
    fetch_free(fetch);
}

static void take_credentials(struct credential_fetch *fetch, struct credentials *credentials_take,
                             const char *source)
{
    credentials_release(&fetch->credentials);
    fetch->credentials = *credentials_take;
    fetch->credentials.source = source;
    *credentials_take = (struct credentials){0};
}

/* --- STS ------------------------------------------------------------------------------------ */

static void next_role(struct credential_fetch *fetch);

static void on_role(void *context, struct api_answer *answer, struct error *err)
{
    struct credential_fetch *fetch = context;
    struct credentials credentials = {0};
    fetch->aws = NULL;
    if (fetch->done == NULL) {
        finish(fetch);
    } else if (error_is_set(err)) {
        error_move(&fetch->err, err);
        finish(fetch);
    } else if (credential_answer_sts(buffer_span(&answer->body), &credentials, &fetch->err) != 0) {
        finish(fetch);
    } else {
        take_credentials(fetch, &credentials, "assume-role");
        next_role(fetch);
    }
}

static void add_role(struct uri_pairs *form, const struct credential_role *role)
{
    char id[RANDOM_ID_SIZE];
    random_id(id);
    CLEANUP(memory_cleanup) char *made_up = memory_format("drctl-%s", id);
    uri_pairs_add(form, "Version", "2011-06-15");
    uri_pairs_add(form, "RoleArn", role->arn);
    uri_pairs_add(form, "RoleSessionName",
                  role->session_name != NULL ? role->session_name : made_up);
    if (role->external_id != NULL) {
        uri_pairs_add(form, "ExternalId", role->external_id);
    }
    if (role->duration_s > 0) {
        uri_pairs_add_integer(form, "DurationSeconds", role->duration_s);
    }
}

static void ask_sts(struct credential_fetch *fetch, const char *operation,
                    const struct uri_pairs *form, const struct credentials *credentials)
{
    struct http_headers headers = {0};
    struct buffer body = BUFFER_INIT;
    http_headers_add(&headers, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    uri_encode_pairs(&body, form);
    struct api_request request = {
        .service = "sts",
        .operation = operation,
        .method = "POST",
        .headers = &headers,
        .body = buffer_span(&body),
        .credentials = credentials,
        .is_unsigned = credentials == NULL,
    };
    fetch->aws = api_call_start(fetch->client, &request, on_role, fetch);
    explicit_bzero(body.data, body.size_bytes);
    buffer_release(&body);
    http_headers_release(&headers);
}

static void next_role(struct credential_fetch *fetch)
{
    if (fetch->roles_assumed == fetch->recipe.roles.count) {
        finish(fetch);
        return;
    }
    struct uri_pairs form = {0};
    uri_pairs_add(&form, "Action", "AssumeRole");
    add_role(&form, &fetch->recipe.roles.items[fetch->roles_assumed++]);
    ask_sts(fetch, "AssumeRole", &form, &fetch->credentials);
    uri_pairs_release(&form);
}

/* --- token files ---------------------------------------------------------------------------- */

static void read_token_on_pool(uv_work_t *work)
{
    struct token_read *reading = work->data;
    if (file_read(reading->path, TOKEN_LIMIT_BYTES, &reading->content, &reading->err) != 0) {
        error_context(&reading->err, "the token file");
    }
}

static void on_token_read(uv_work_t *work, int status)
{
    struct token_read *reading = work->data;
    struct credential_fetch *fetch = reading->fetch;
    (void)status; /* only a cancelled one differs from 0, and then there is no fetch */
    if (fetch != NULL) {
        fetch->reading = NULL;
        error_move(&fetch->err, &reading->err);
        if (error_is_set(&fetch->err)) {
            finish(fetch);
        } else {
            reading->then(fetch, buffer_text(&reading->content));
        }
    }
    if (reading->content.data != NULL) {
        explicit_bzero(reading->content.data, reading->content.size_bytes);
    }
    buffer_release(&reading->content);
    error_release(&reading->err);
    free(reading->path);
    free(reading);
}

/* Reads the recipe's token file away from the loop; then() gets its content. */
static void read_token(struct credential_fetch *fetch,
                       void (*then)(struct credential_fetch *fetch, const char *token))
{
    struct token_read *reading = memory_new(1, sizeof *reading);
    reading->work.data = reading;
    reading->fetch = fetch;
    reading->then = then;
    reading->path = memory_text(fetch->recipe.token_file);
    fetch->reading = reading;
    uv_queue_work(fetch->loop, &reading->work, read_token_on_pool, on_token_read);
}

static void exchange_web_token(struct credential_fetch *fetch, const char *token)
{
    struct uri_pairs form = {0};
    uri_pairs_add(&form, "Action", "AssumeRoleWithWebIdentity");
    add_role(&form, &fetch->recipe.web_role);
    uri_pairs_add(&form, "WebIdentityToken", token);
    ask_sts(fetch, "AssumeRoleWithWebIdentity", &form, NULL);
    uri_pairs_release(&form);
}

/* --- programs ------------------------------------------------------------------------------- */

static void on_program(void *context, const struct buffer *out, struct error *err)
{
    struct credential_fetch *fetch = context;
    struct credentials credentials = {0};
    bool is_cli = fetch->recipe.source == CREDENTIAL_CLI;
    fetch->helper = NULL;
    if (error_is_set(err)) {
        error_move(&fetch->err, err);
    } else if (credential_answer_process(buffer_span(out), &credentials, &fetch->err) == 0) {
        take_credentials(fetch, &credentials, is_cli ? "aws-cli" : "custom-process");
        next_role(fetch);
        return;
    }
    if (is_cli) {
        error_context(&fetch->err, "AWS profile \"%s\" by `aws configure export-credentials`",
                      fetch->recipe.profile);
        error_hint(&fetch->err,
                   "needs AWS CLI 2.9 or later and a session: `aws sso login "
                   "--profile %s`",
                   fetch->recipe.profile);
    } else {
        error_context(&fetch->err, "credential_process");
        error_hint(&fetch->err, "run it by hand to see what it says; drctl keeps its words to "
                                "itself, since they may be secrets");
    }
    finish(fetch);
}

static void start_program(struct credential_fetch *fetch, const char *const *argv)
{
    char *const *environment = api_client_settings(fetch->client)->environment;
    fetch->helper =
        helper_start(fetch->loop, argv, environment, PROGRAM_TIMEOUT_MS, on_program, fetch);
}

static void start_cli(struct credential_fetch *fetch)
{
    const char *argv[] = {"aws",     "configure", "export-credentials",  "--format",
                          "process", "--profile", fetch->recipe.profile, NULL};
    start_program(fetch, argv);
}

static void start_process(struct credential_fetch *fetch)
{
    struct shell_words words = {0};
    if (shell_words_split(span_of_text(fetch->recipe.command), &words, &fetch->err) != 0 ||
        words.list.count == 0) {
        error_set(&fetch->err, ERROR_INVALID, "it is empty");
        error_context(&fetch->err, "credential_process");
        finish(fetch);
        return;
    }
    vector_push(&words.list, NULL);
    start_program(fetch, (const char *const *)words.list.items);
    shell_words_release(&words);
}

/* --- container and instance metadata -------------------------------------------------------- */

static void get_metadata(struct credential_fetch *fetch, const char *url, const char *method,
                         const char *header, const char *value, int64_t timeout_ms, http_done *done)
{
    struct http_headers headers = {0};
    if (value != NULL) {
        http_headers_add(&headers, header, value);
    }
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = &headers,
        .timeout_ms = timeout_ms,
        .response_limit_bytes = TOKEN_LIMIT_BYTES,
        .no_proxy = true,
    };
    fetch->http = http_start(api_client_http(fetch->client), &request, done, fetch);
    http_headers_release(&headers);
}

/* True when the answer is good; otherwise the error is set. */
static bool is_good_answer(struct credential_fetch *fetch, const struct http_response *response,
                           struct error *err, const char *what)
{
    fetch->http = NULL;
    if (error_is_set(err)) {
        error_move(&fetch->err, err);
    } else if (fetch->done == NULL) {
        error_set(&fetch->err, ERROR_CANCELLED, "nobody asks for it any more");
    } else if (response->status != 200) {
        error_set(&fetch->err, ERROR_NOT_READY, "answered with status %ld", response->status);
    }
    if (error_is_set(&fetch->err)) {
        error_context(&fetch->err, "%s", what);
        return false;
    }
    return true;
}

static void take_metadata(struct credential_fetch *fetch, const struct http_response *response,
                          const char *source)
{
    struct credentials credentials = {0};
    if (credential_answer_metadata(buffer_span(&response->body), &credentials, &fetch->err) != 0) {
        error_context(&fetch->err, "%s", source);
        finish(fetch);
        return;
    }
    take_credentials(fetch, &credentials, source);
    next_role(fetch);
}

static void start_container(struct credential_fetch *fetch);

static void on_container_wait(void *context)
{
    struct credential_fetch *fetch = context;
    oneshot_free(fetch->timer);
    fetch->timer = NULL;
    start_container(fetch);
}

static void on_container(void *context, struct http_response *response, struct error *err)
{
    struct credential_fetch *fetch = context;
    bool good = is_good_answer(fetch, response, err, "the container's credentials");
    if (fetch->done == NULL || (!good && ++fetch->tries >= CONTAINER_TRIES)) {
        finish(fetch);
    } else if (!good) {
        error_release(&fetch->err);
        fetch->timer = oneshot_new(fetch->loop, on_container_wait, fetch);
        oneshot_start(fetch->timer, 1000);
    } else {
        take_metadata(fetch, response, "container-role");
    }
}

static void ask_container(struct credential_fetch *fetch, const char *token)
{
    if (token != NULL && strpbrk(token, "\r\n") != NULL) {
        error_set(&fetch->err, ERROR_INVALID,
                  "the container's authorization token has a line break in it");
        finish(fetch);
        return;
    }
    get_metadata(fetch, fetch->recipe.container_url, "GET", "Authorization", token,
                 CONTAINER_TIMEOUT_MS, on_container);
}

static void start_container(struct credential_fetch *fetch)
{
    if (fetch->recipe.token_file != NULL) {
        read_token(fetch, ask_container);
    } else {
        ask_container(fetch, fetch->recipe.container_token);
    }
}

static char *metadata_url(const struct credential_fetch *fetch, const char *path)
{
    char *const *environment = api_client_settings(fetch->client)->environment;
    const char *endpoint = variable_get_filled(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = variable_get_filled(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    bool v6 = mode != NULL && strcasecmp(mode, "ipv6") == 0;
    if (endpoint == NULL) {
        endpoint = v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    int size = (int)strlen(endpoint);
    size -= size > 0 && endpoint[size - 1] == '/' ? 1 : 0;
    return memory_format("%.*s%s", size, endpoint, path);
}

static void ask_instance(struct credential_fetch *fetch, const char *path, http_done *done)
{
    bool has_token = fetch->metadata_token != NULL;
    CLEANUP(memory_cleanup) char *url = metadata_url(fetch, path);
    const char *timeout = variable_get_filled(api_client_settings(fetch->client)->environment,
                                              "AWS_METADATA_SERVICE_TIMEOUT");
    int64_t timeout_s = timeout != NULL ? strtoll(timeout, NULL, 10) : METADATA_TIMEOUT_S;
    get_metadata(fetch, url, has_token ? "GET" : "PUT",
                 has_token ? "X-aws-ec2-metadata-token" : "X-aws-ec2-metadata-token-ttl-seconds",
                 has_token ? fetch->metadata_token : "21600",
                 1000 * (timeout_s > 0 && timeout_s < 60 ? timeout_s : METADATA_TIMEOUT_S), done);
}

static void metadata_failed(struct credential_fetch *fetch)
{
    struct error err = ERROR_INIT;
    error_set(&err, ERROR_NOT_READY, "no AWS credentials: nothing is configured, and %s",
              fetch->err.message);
    error_hint(&err, "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    error_move(&fetch->err, &err);
    finish(fetch);
}

static void on_instance_keys(void *context, struct http_response *response, struct error *err)
{
    struct credential_fetch *fetch = context;
    if (!is_good_answer(fetch, response, err, "the instance's credentials")) {
        metadata_failed(fetch);
    } else {
        take_metadata(fetch, response, "iam-role");
    }
}

#define METADATA_KEYS_PATH "/latest/meta-data/iam/security-credentials/"

static void on_instance_role(void *context, struct http_response *response, struct error *err)
{
    struct credential_fetch *fetch = context;
    if (!is_good_answer(fetch, response, err, "the instance's role")) {
        metadata_failed(fetch);
        return;
    }
    const char *names = buffer_text(&response->body);
    fetch->metadata_role = memory_text_n(names, strcspn(names, "\r\n"));
    CLEANUP(memory_cleanup)
    char *path = memory_format(METADATA_KEYS_PATH "%s", fetch->metadata_role);
    ask_instance(fetch, path, on_instance_keys);
}

static void on_instance_token(void *context, struct http_response *response, struct error *err)
{
    struct credential_fetch *fetch = context;
    if (!is_good_answer(fetch, response, err, "the instance metadata service")) {
        metadata_failed(fetch);
        return;
    }
    fetch->metadata_token = memory_text(buffer_text(&response->body));
    ask_instance(fetch, METADATA_KEYS_PATH, on_instance_role);
}

/* --- all of it ------------------------------------------------------------------------------ */

static void on_start(void *context)
{
    struct credential_fetch *fetch = context;
    oneshot_free(fetch->timer);
    fetch->timer = NULL;
    switch (fetch->recipe.source) {
    case CREDENTIAL_KEYS:
        take_credentials(fetch, &fetch->recipe.keys, fetch->recipe.keys.source);
        next_role(fetch);
        break;
    case CREDENTIAL_WEB_IDENTITY:
        read_token(fetch, exchange_web_token);
        break;
    case CREDENTIAL_CLI:
        start_cli(fetch);
        break;
    case CREDENTIAL_PROCESS:
        start_process(fetch);
        break;
    case CREDENTIAL_CONTAINER:
        start_container(fetch);
        break;
    case CREDENTIAL_METADATA:
        ask_instance(fetch, "/latest/api/token", on_instance_token);
        break;
    }
}

struct credential_fetch *credential_fetch_start(uv_loop_t *loop, struct api_client *client,
                                                struct credential_recipe *recipe_take,
                                                api_credentials_done *done, void *context)
{
    struct credential_fetch *fetch = memory_new(1, sizeof *fetch);
    fetch->loop = loop;
    fetch->client = client;
    fetch->recipe = *recipe_take;
    *recipe_take = (struct credential_recipe){0};
    fetch->done = done;
    fetch->context = context;
    fetch->timer = oneshot_new(loop, on_start, fetch);
    oneshot_start(fetch->timer, 0);
    return fetch;
}

void credential_fetch_abandon(struct credential_fetch *fetch)
{
    fetch->done = NULL;
    if (fetch->http != NULL) {
        http_cancel(fetch->http); /* its done() ends the fetch */
    } else if (fetch->aws != NULL) {
        api_call_cancel(fetch->aws); /* as well */
    } else {
        if (fetch->helper != NULL) {
            helper_forget(fetch->helper);
        }
        if (fetch->reading != NULL) {
            fetch->reading->fetch = NULL;
        }
        fetch_free(fetch);
    }
}
