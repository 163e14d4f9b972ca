/* Asking name servers one by one, against a small one of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "local_server.h"
#include "net/dns.h"

static struct local_server server;
static char *address;

struct asking {
    uv_loop_t loop;
    struct dns_replies replies;
    struct error err;
    unsigned done_count;
    bool inside;
};

static void on_done(void *context, struct dns_replies *replies, struct error *err)
{
    struct asking *asking = context;
    assert_false(asking->inside);
    asking->done_count++;
    asking->replies = *replies;
    *replies = (struct dns_replies){0};
    error_move(&asking->err, err);
}

static struct dns_query *asking_start(struct asking *asking, const char *name, const char *type,
                                      const char *const *servers)
{
    *asking = (struct asking){0};
    uv_loop_init(&asking->loop);
    struct dns_question question = {
        .name = name, .type = type, .servers = servers, .timeout_ms = 400};
    asking->inside = true;
    struct dns_query *query = dns_ask(&asking->loop, &question, on_done, asking);
    asking->inside = false;
    return query;
}

static void asking_end(struct asking *asking)
{
    uv_run(&asking->loop, UV_RUN_DEFAULT);
    assert_int_equal(asking->done_count, 1);
    assert_int_equal(uv_loop_close(&asking->loop), 0);
}

static void ask(struct asking *asking, const char *name, const char *type)
{
    const char *servers[] = {address, NULL};
    asking_start(asking, name, type, servers);
    asking_end(asking);
}

static void asking_release(struct asking *asking)
{
    dns_replies_release(&asking->replies);
    error_release(&asking->err);
}

static void assert_values(const char *name, const char *type, const char *expected)
{
    struct asking asking;
    CLEANUP(buffer_release) struct buffer joined = BUFFER_INIT;
    const char **values;
    ask(&asking, name, type);
    struct dns_reply *reply = &asking.replies.list.items[0];
    assert_int_equal(reply->err.code, ERROR_NONE);
    size_t count = dns_answer_values(&reply->answer, type, &values);
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(&joined, "%s%s", i != 0 ? " | " : "", values[i]);
    }
    assert_string_equal(buffer_text(&joined), expected);
    free(values);
    asking_release(&asking);
}

static void values_of_each_type_are_read(void **state)
{
    (void)state;
    assert_values("www.example.com", "A", "192.0.2.1 | 192.0.2.2");
    assert_values("www.example.com", "AAAA", "2001:db8::1");
    assert_values("alias.example.com", "CNAME", "target.example.net.");
    assert_values("example.com", "MX", "10 mail.example.com.");
    assert_values("example.com", "NS", "ns1.example.com.");
    assert_values("example.com", "TXT", "\"say \\\"hi\\\"\"");
    assert_values("www.example.com", "TXT", "");
}

static void ttl_rcode_and_authority_are_told(void **state)
{
    (void)state;
    struct asking asking;
    ask(&asking, "www.example.com", "A");
    const struct dns_answer *answer = &asking.replies.list.items[0].answer;
    assert_int_equal(answer->rcode, 0);
    assert_true(answer->is_authoritative);
    assert_int_equal(answer->records.items[0].ttl_s, 60);
    asking_release(&asking);
    ask(&asking, "missing.example.com", "A");
    assert_int_equal(asking.replies.list.items[0].answer.rcode, 3);
    assert_string_equal(dns_rcode_name(3), "NXDOMAIN");
    asking_release(&asking);
    ask(&asking, "refused.example.com", "A");
    assert_int_equal(asking.replies.list.items[0].answer.rcode, 5);
    asking_release(&asking);
}

static void a_truncated_answer_is_asked_for_again_by_tcp(void **state)
{
    (void)state;
    assert_values("big.example.com", "A", "192.0.2.9");
}

static void a_silent_server_times_out(void **state)
{
    (void)state;
    struct asking asking;
    ask(&asking, "silent.example.com", "A");
    assert_int_equal(asking.replies.list.items[0].err.code, ERROR_TIMEOUT);
    assert_true(asking.replies.list.items[0].latency_ms >= 350);
    asking_release(&asking);
}

static void garbage_is_an_error_of_that_server(void **state)
{
    (void)state;
    struct asking asking;
    ask(&asking, "garbage.example.com", "A");
    assert_int_not_equal(asking.replies.list.items[0].err.code, ERROR_NONE);
    asking_release(&asking);
}

static void each_server_is_asked_by_itself(void **state)
{
    (void)state;
    struct asking asking;
    CLEANUP(memory_cleanup) char *by_name = memory_format("localhost:%d", server.port);
    const char *servers[] = {address,   "127.0.0.1:1", by_name, "does-not-exist.invalid",
                             "[::1]:x", NULL};
    asking_start(&asking, "www.example.com", "A", servers);
    asking_end(&asking);
    const struct dns_reply *replies = asking.replies.list.items;
    assert_int_equal(asking.replies.list.count, 5);
    assert_int_equal(replies[0].err.code, ERROR_NONE);
    assert_int_not_equal(replies[1].err.code, ERROR_NONE);
    assert_int_equal(replies[2].err.code, ERROR_NONE);
    assert_int_equal(replies[2].answer.records.count, 2);
    assert_int_not_equal(replies[3].err.code, ERROR_NONE);
    assert_int_equal(replies[4].err.code, ERROR_INVALID);
    asking_release(&asking);
}

static void a_question_that_cannot_be_asked_is_an_error(void **state)
{
    (void)state;
    struct asking asking;
    ask(&asking, "www.example.com", "NONSENSE");
    assert_int_equal(asking.err.code, ERROR_INVALID);
    asking_release(&asking);
    const char *nobody[] = {NULL};
    asking_start(&asking, "www.example.com", "A", nobody);
    asking_end(&asking);
    assert_int_equal(asking.err.code, ERROR_INVALID);
    asking_release(&asking);
}

static void cancelling_ends_a_query_once(void **state)
{
    (void)state;
    struct asking asking;
    const char *servers[] = {address, address, NULL};
    struct dns_query *query = asking_start(&asking, "silent.example.com", "A", servers);
    uv_run(&asking.loop, UV_RUN_NOWAIT);
    dns_cancel(query);
    asking_end(&asking);
    assert_int_equal(asking.err.code, ERROR_CANCELLED);
    asking_release(&asking);
}

static void assert_damaged(const void *bytes, size_t size_bytes)
{
    struct dns_answer answer;
    struct error err = ERROR_INIT;
    assert_int_equal(dns_message_parse(span_of(bytes, size_bytes), &answer, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    error_release(&err);
}

static void damaged_messages_are_refused(void **state)
{
    (void)state;
    static const unsigned char record[] = {0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, /* header */
                                           0, 0, 1,    0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4};
    struct dns_answer answer;
    for (size_t size = 0; size < sizeof record; size++) {
        assert_damaged(record, size);
    }
    assert_int_equal(dns_message_parse(span_of((const char *)record, sizeof record), &answer, NULL),
                     0);
    assert_string_equal(answer.records.items[0].value, "1.2.3.4");
    dns_answer_release(&answer);
    static const unsigned char loop[] = {0, 0, 0x84, 0,    0,  1, 0, 0, 0,
                                         0, 0, 0,    0xC0, 12, 0, 1, 0, 1};
    assert_damaged(loop, sizeof loop);
}

static int start_server(void **state)
{
    (void)state;
    static const char *const records[] = {"www.example.com=A=60=192.0.2.1",
                                          "www.example.com=A=60=192.0.2.2",
                                          "www.example.com=AAAA=60=2001:db8::1",
                                          "alias.example.com=CNAME=60=target.example.net",
                                          "example.com=MX=60=10 mail.example.com",
                                          "example.com=NS=60=ns1.example.com",
                                          "example.com=TXT=60=say \"hi\"",
                                          "big.example.com=A=60=192.0.2.9",
                                          NULL};
    local_server_start(&server, "tests/net/dns_server.py", records);
    address = memory_format("127.0.0.1:%d", server.port);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    local_server_stop(&server);
    free(address);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_each_type_are_read),
        cmocka_unit_test(ttl_rcode_and_authority_are_told),
        cmocka_unit_test(a_truncated_answer_is_asked_for_again_by_tcp),
        cmocka_unit_test(a_silent_server_times_out),
        cmocka_unit_test(garbage_is_an_error_of_that_server),
        cmocka_unit_test(each_server_is_asked_by_itself),
        cmocka_unit_test(a_question_that_cannot_be_asked_is_an_error),
        cmocka_unit_test(cancelling_ends_a_query_once),
        cmocka_unit_test(damaged_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
