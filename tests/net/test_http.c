/* The HTTP client against a server that misbehaves in all the ways it can. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "local_server.h"
#include "net/http.h"

static struct local_server server;

struct exchange {
    uv_loop_t loop;
    struct http_client *client;
    struct http_request request;
    struct http_call *call;
    char *url;
    bool inside_start;
    unsigned done_count;
    long status;
    bool sent;
    struct buffer body;
    struct error err;
};

static void on_done(void *context, struct http_response *response, struct error *err)
{
    struct exchange *exchange = context;
    assert_false(exchange->inside_start);
    exchange->done_count++;
    exchange->status = response->status;
    exchange->sent = response->sent;
    buffer_clear(&exchange->body);
    buffer_append_span(&exchange->body, buffer_span(&response->body));
    error_move(&exchange->err, err);
}

static void exchange_open(struct exchange *exchange, const char *path, char *const *environment)
{
    *exchange = (struct exchange){0};
    uv_loop_init(&exchange->loop);
    exchange->client = http_client_new(&exchange->loop, environment);
    exchange->url = local_server_url(&server, path);
    exchange->request =
        (struct http_request){.method = "GET", .url = exchange->url, .timeout_ms = 5000};
}

static void exchange_start(struct exchange *exchange)
{
    exchange->inside_start = true;
    exchange->call = http_start(exchange->client, &exchange->request, on_done, exchange);
    exchange->inside_start = false;
}

static void exchange_run(struct exchange *exchange)
{
    unsigned before = exchange->done_count;
    exchange_start(exchange);
    while (exchange->done_count == before) {
        uv_run(&exchange->loop, UV_RUN_ONCE);
    }
    assert_int_equal(exchange->done_count, before + 1);
}

static void exchange_close(struct exchange *exchange)
{
    http_client_close(exchange->client);
    uv_run(&exchange->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&exchange->loop), 0);
    buffer_release(&exchange->body);
    error_release(&exchange->err);
    free(exchange->url);
}

static void fetch(struct exchange *exchange, const char *path)
{
    exchange_open(exchange, path, NULL);
    exchange_run(exchange);
}

static void an_answer_comes_whole(void **state)
{
    (void)state;
    struct exchange exchange;
    fetch(&exchange, "/status/200");
    assert_int_equal(exchange.err.code, ERROR_NONE);
    assert_int_equal(exchange.status, 200);
    assert_string_equal(buffer_text(&exchange.body), "as asked");
    exchange_close(&exchange);
}

static void method_body_headers_and_raw_path_arrive_as_given(void **state)
{
    (void)state;
    struct exchange exchange;
    struct http_headers headers = {0};
    http_headers_add(&headers, "X-Given", "a b");
    http_headers_add(&headers, "X-Empty", "");
    exchange_open(&exchange, "/a/../b//c?x=%20&y", NULL);
    exchange.request.method = "POST";
    exchange.request.headers = &headers;
    exchange.request.body = span_of_text("some body");
    exchange_run(&exchange);
    CLEANUP(json_cleanup) json_t *seen = json_parse(buffer_span(&exchange.body), "echo", NULL);
    const json_t *seen_headers = json_object_get(seen, "headers");
    assert_string_equal(json_get_text(seen, "method"), "POST");
    assert_string_equal(json_get_text(seen, "path"), "/a/../b//c?x=%20&y");
    assert_string_equal(json_get_text(seen, "body"), "some body");
    assert_string_equal(json_get_text(seen_headers, "x-given"), "a b");
    assert_string_equal(json_get_text(seen_headers, "x-empty"), "");
    assert_null(json_object_get(seen_headers, "content-type"));
    assert_null(json_object_get(seen_headers, "expect"));
    http_headers_release(&headers);
    exchange_close(&exchange);
}

static void a_refused_connection_is_a_network_error_and_nothing_was_sent(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/", NULL);
    exchange.request.url = "http://127.0.0.1:1/secret-path?secret";
    exchange_run(&exchange);
    assert_int_equal(exchange.err.code, ERROR_NETWORK);
    assert_false(exchange.sent);
    assert_null(strstr(exchange.err.message, "secret"));
    assert_non_null(strstr(exchange.err.message, "127.0.0.1:1"));
    exchange_close(&exchange);
}

static void a_reset_in_the_body_is_a_network_error_after_sending(void **state)
{
    (void)state;
    struct exchange exchange;
    fetch(&exchange, "/reset");
    assert_int_equal(exchange.err.code, ERROR_NETWORK);
    assert_true(exchange.sent);
    exchange_close(&exchange);
}

static void a_dripping_server_meets_the_deadline(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/drip", NULL);
    exchange.request.timeout_ms = 300;
    int64_t before_ns = clock_monotonic_ns();
    exchange_run(&exchange);
    int64_t took_ms = (clock_monotonic_ns() - before_ns) / CLOCK_NS_PER_MS;
    assert_int_equal(exchange.err.code, ERROR_TIMEOUT);
    assert_true(exchange.sent);
    assert_in_range(took_ms, 250, 3000);
    exchange_close(&exchange);
}

static void an_endless_body_ends_at_the_limit(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/endless", NULL);
    exchange.request.response_limit_bytes = 100000;
    exchange_run(&exchange);
    assert_int_equal(exchange.err.code, ERROR_FAILED);
    assert_non_null(strstr(exchange.err.message, "larger than 100000 bytes"));
    exchange_close(&exchange);
}

static void endless_headers_end_as_well(void **state)
{
    (void)state;
    struct exchange exchange;
    fetch(&exchange, "/many-headers");
    assert_int_not_equal(exchange.err.code, ERROR_NONE);
    exchange_close(&exchange);
}

static void a_redirect_is_not_followed_unasked(void **state)
{
    (void)state;
    struct exchange exchange;
    fetch(&exchange, "/redirect");
    assert_int_equal(exchange.status, 302);
    exchange_close(&exchange);
}

static void a_redirect_is_followed_when_asked(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/redirect", NULL);
    exchange.request.redirects_max = 3;
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 200);
    exchange_close(&exchange);
}

static void redirects_without_end_stop_at_the_limit(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/redirect-for-ever", NULL);
    exchange.request.redirects_max = 3;
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 302);
    exchange_close(&exchange);
}

static void a_redirect_never_leads_out_of_http(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/redirect-to-file", NULL);
    exchange.request.redirects_max = 3;
    exchange_run(&exchange);
    assert_int_equal(exchange.err.code, ERROR_INVALID);
    exchange_close(&exchange);
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/", "nonsense://x",
                                       "http://", ""};
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct exchange exchange;
        exchange_open(&exchange, "/", NULL);
        exchange.request.url = urls[i];
        exchange_run(&exchange);
        assert_int_equal(exchange.err.code, ERROR_INVALID);
        exchange_close(&exchange);
    }
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    (void)state;
    struct exchange exchange;
    struct http_headers headers = {0};
    http_headers_add(&headers, "X-Given", "a\r\nX-Smuggled: b");
    exchange_open(&exchange, "/", NULL);
    exchange.request.headers = &headers;
    exchange_run(&exchange);
    assert_int_equal(exchange.err.code, ERROR_INVALID);
    http_headers_release(&headers);
    exchange_close(&exchange);
}

static void names_come_from_the_hosts_file_without_a_name_server(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/", NULL);
    char *url = memory_format("http://localhost:%d/status/200", server.port);
    exchange.request.url = url;
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 200);
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 200);
    free(url);
    exchange_close(&exchange);
}

static void a_name_that_does_not_resolve_says_so(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/", NULL);
    exchange.request.url = "http://does-not-exist.invalid/";
    exchange_run(&exchange);
    assert_true(exchange.err.code == ERROR_NETWORK || exchange.err.code == ERROR_TIMEOUT);
    assert_false(exchange.sent);
    exchange_close(&exchange);
}

static void cancelling_ends_the_call_once_and_later(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/hang", NULL);
    exchange_start(&exchange);
    for (int i = 0; i < 5; i++) {
        uv_run(&exchange.loop, UV_RUN_NOWAIT);
    }
    http_cancel(exchange.call);
    assert_int_equal(exchange.done_count, 0);
    uv_run(&exchange.loop, UV_RUN_ONCE);
    while (exchange.done_count == 0) {
        uv_run(&exchange.loop, UV_RUN_ONCE);
    }
    assert_int_equal(exchange.err.code, ERROR_CANCELLED);
    exchange_close(&exchange);
    assert_int_equal(exchange.done_count, 1);
}

static void closing_the_client_ends_what_still_runs(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_open(&exchange, "/hang", NULL);
    exchange_start(&exchange);
    uv_run(&exchange.loop, UV_RUN_NOWAIT);
    http_client_close(exchange.client);
    uv_run(&exchange.loop, UV_RUN_DEFAULT);
    assert_int_equal(exchange.done_count, 1);
    assert_int_equal(exchange.err.code, ERROR_CANCELLED);
    assert_int_equal(uv_loop_close(&exchange.loop), 0);
    error_release(&exchange.err);
    buffer_release(&exchange.body);
    free(exchange.url);
}

static void the_environment_s_proxy_is_used(void **state)
{
    (void)state;
    struct exchange exchange;
    char *variable = memory_format("http_proxy=http://localhost:%d", server.port);
    char *environment[] = {variable, NULL};
    exchange_open(&exchange, "/x", environment);
    exchange.request.url = "http://does-not-exist.invalid/through-the-proxy";
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 200);
    assert_non_null(
        strstr(buffer_text(&exchange.body), "http://does-not-exist.invalid/through-the-proxy"));
    free(variable);
    exchange_close(&exchange);
}

static void another_host_can_be_connected_to_under_the_url_s_name(void **state)
{
    (void)state;
    struct exchange exchange;
    char *host = memory_format("localhost:%d", server.port);
    exchange_open(&exchange, "/", NULL);
    exchange.request.url = "http://not-yet.invalid/new";
    exchange.request.connect_to = host;
    exchange_run(&exchange);
    assert_int_equal(exchange.status, 200);
    assert_non_null(strstr(buffer_text(&exchange.body), "not-yet.invalid"));
    free(host);
    exchange_close(&exchange);
}

static int start_server(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    local_server_start(&server, "tests/net/fault_server.py", NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    local_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_whole),
        cmocka_unit_test(method_body_headers_and_raw_path_arrive_as_given),
        cmocka_unit_test(a_refused_connection_is_a_network_error_and_nothing_was_sent),
        cmocka_unit_test(a_reset_in_the_body_is_a_network_error_after_sending),
        cmocka_unit_test(a_dripping_server_meets_the_deadline),
        cmocka_unit_test(an_endless_body_ends_at_the_limit),
        cmocka_unit_test(endless_headers_end_as_well),
        cmocka_unit_test(a_redirect_is_not_followed_unasked),
        cmocka_unit_test(a_redirect_is_followed_when_asked),
        cmocka_unit_test(redirects_without_end_stop_at_the_limit),
        cmocka_unit_test(a_redirect_never_leads_out_of_http),
        cmocka_unit_test(other_schemes_are_refused),
        cmocka_unit_test(a_header_with_a_line_break_is_refused),
        cmocka_unit_test(names_come_from_the_hosts_file_without_a_name_server),
        cmocka_unit_test(a_name_that_does_not_resolve_says_so),
        cmocka_unit_test(cancelling_ends_the_call_once_and_later),
        cmocka_unit_test(closing_the_client_ends_what_still_runs),
        cmocka_unit_test(the_environment_s_proxy_is_used),
        cmocka_unit_test(another_host_can_be_connected_to_under_the_url_s_name),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
