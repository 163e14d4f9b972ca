/* Encoding, origins, proxies and words: the small pure parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/proxy.h"
#include "net/shell_words.h"
#include "net/uri.h"

static void all_but_unreserved_characters_are_encoded(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    uri_encode(&out, span_of_text("aZ9-_.~/ +%\xC3\xA4"), false);
    assert_string_equal(buffer_text(&out), "aZ9-_.~%2F%20%2B%25%C3%A4");
    buffer_clear(&out);
    uri_encode(&out, span_of_text("/a b/"), true);
    assert_string_equal(buffer_text(&out), "/a%20b/");
}

static void pairs_are_sorted_by_name_then_value_and_not_as_joined_text(void **state)
{
    (void)state;
    struct uri_pairs pairs = {0};
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    uri_pairs_add(&pairs, "Param-3", "x");
    uri_pairs_add(&pairs, "Param", "2");
    uri_pairs_add(&pairs, "Param", "1");
    uri_pairs_add(&pairs, "", "");
    uri_encode_pairs_sorted(&out, &pairs);
    assert_string_equal(buffer_text(&out), "=&Param=1&Param=2&Param-3=x");
    uri_pairs_release(&pairs);
}

static void an_origin_is_taken_apart(void **state)
{
    (void)state;
    struct uri_origin origin;
    assert_int_equal(uri_origin_parse("HTTP://localhost:5000/a/b/", &origin, NULL), 0);
    assert_string_equal(origin.scheme, "http");
    assert_string_equal(origin.authority, "localhost:5000");
    assert_string_equal(origin.path, "/a/b");
    uri_origin_release(&origin);
}

static void an_origin_with_more_than_a_path_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"ftp://x",    "http://",    "http:/x",    "x", "http://a@b",
                                       "http://a?b", "http://a#b", "http://a b", ""};
    struct uri_origin origin;
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        assert_int_equal(uri_origin_parse(urls[i], &origin, NULL), -1);
    }
}

static void the_proxy_of_the_scheme_is_found(void **state)
{
    (void)state;
    char *environment[] = {(char[]){"https_proxy=http://p1:1"}, (char[]){"HTTPS_PROXY=http://p2:2"},
                           (char[]){"HTTP_PROXY=http://p3:3"}, (char[]){"ALL_PROXY=http://p4:4"},
                           NULL};
    assert_string_equal(proxy_for("https", "example.com", environment), "http://p1:1");
    assert_string_equal(proxy_for("http", "example.com", environment), "http://p4:4");
    assert_null(proxy_for("https", "example.com", NULL));
}

static void exceptions_cover_names_addresses_and_blocks(void **state)
{
    (void)state;
    char *environment[] = {
        (char[]){"https_proxy=http://p:1"},
        (char[]){"no_proxy=.example.com, 192.0.2.1 10.0.0.0/8,2001:db8::/33,localhost"}, NULL};
    static const char *const direct[] = {"example.com", "a.EXAMPLE.com",    "192.0.2.1",
                                         "10.255.0.1",  "2001:db8:7fff::1", "localhost"};
    static const char *const proxied[] = {"notexample.com", "192.0.2.10", "11.0.0.1",
                                          "2001:db8:8000::1", "example.com.org"};
    for (size_t i = 0; i < ARRAY_SIZE(direct); i++) {
        assert_null(proxy_for("https", direct[i], environment));
    }
    for (size_t i = 0; i < ARRAY_SIZE(proxied); i++) {
        assert_non_null(proxy_for("https", proxied[i], environment));
    }
}

static void a_star_excepts_everything(void **state)
{
    (void)state;
    char *environment[] = {(char[]){"https_proxy=http://p:1"}, (char[]){"NO_PROXY=*"}, NULL};
    assert_null(proxy_for("https", "example.com", environment));
}

static void words_are_split_as_shlex_splits_them(void **state)
{
    (void)state;
    struct shell_words words;
    assert_int_equal(
        shell_words_split(span_of_text("  a 'b c' \"d \\\" \\\\ \\n\" e\\ f g''h \"\" $HOME # x "),
                          &words, NULL),
        0);
    static const char *const expected[] = {"a", "b c",   "d \" \\ \\n", "e f", "gh",
                                           "",  "$HOME", "#",           "x"};
    assert_int_equal(words.list.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < words.list.count; i++) {
        assert_string_equal(words.list.items[i], expected[i]);
    }
    shell_words_release(&words);
}

static void an_open_quotation_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"a 'b", "a \"b", "a\\", "\"\\\""};
    struct shell_words words;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_int_equal(shell_words_split(span_of_text(texts[i]), &words, NULL), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_unreserved_characters_are_encoded),
        cmocka_unit_test(pairs_are_sorted_by_name_then_value_and_not_as_joined_text),
        cmocka_unit_test(an_origin_is_taken_apart),
        cmocka_unit_test(an_origin_with_more_than_a_path_is_refused),
        cmocka_unit_test(the_proxy_of_the_scheme_is_found),
        cmocka_unit_test(exceptions_cover_names_addresses_and_blocks),
        cmocka_unit_test(a_star_excepts_everything),
        cmocka_unit_test(words_are_split_as_shlex_splits_them),
        cmocka_unit_test(an_open_quotation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
