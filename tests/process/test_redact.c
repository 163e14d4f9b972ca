/* The redactor: nothing of a secret passes, whatever the cuts; everything else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/redact.h"

static void append(const char *bytes, size_t size_bytes, void *context)
{
    buffer_append(context, bytes, size_bytes);
}

/* Scans the text in pieces of `cut` bytes. The caller frees the result. */
static char *redact_cut(struct redactor *redactor, const char *text, size_t size_bytes, size_t cut)
{
    struct redact_stream stream = {0};
    struct buffer kept = BUFFER_INIT;
    struct buffer out = BUFFER_INIT;
    for (size_t at = 0; at < size_bytes; at += cut) {
        size_t piece = size_bytes - at < cut ? size_bytes - at : cut;
        buffer_append(&kept, text + at, piece);
        size_t used = redact_scan(redactor, &stream, buffer_text(&kept), kept.size_bytes, false,
                                  append, &out);
        buffer_consume(&kept, used);
    }
    size_t used =
        redact_scan(redactor, &stream, buffer_text(&kept), kept.size_bytes, true, append, &out);
    assert_int_equal(used, kept.size_bytes);
    buffer_release(&kept);
    return buffer_take(&out);
}

static void assert_redacted(struct redactor *redactor, const char *text, const char *expected)
{
    for (size_t cut = 1; cut <= strlen(text) + 1; cut++) {
        char *out = redact_cut(redactor, text, strlen(text), cut);
        assert_string_equal(out, expected);
        free(out);
    }
}

static struct redactor with_secret(const char *secret)
{
    struct redactor redactor = {0};
    assert_true(redact_add_secret(&redactor, secret, strlen(secret)));
    return redactor;
}

static struct redactor with_patterns(const char *const *patterns)
{
    struct redactor redactor = {0};
    for (; *patterns != NULL; patterns++) {
        redact_add_pattern(&redactor, *patterns, strlen(*patterns));
    }
    return redactor;
}

static void secret_is_replaced_wherever_the_stream_is_cut(void **state)
{
    (void)state;
    struct redactor redactor = with_secret("hunter2!");
    assert_redacted(&redactor, "hunter2!", "***");
    assert_redacted(&redactor, "a hunter2! b hunter2!hunter2! hunter2", "a *** b ****** hunter2");
    assert_redacted(&redactor, "hunthunter2!er2!", "hunt***er2!");
    assert_redacted(&redactor, "", "");
    redact_release(&redactor);
}

static void without_secrets_everything_passes_at_once(void **state)
{
    (void)state;
    struct redactor redactor = {0};
    struct redact_stream stream = {0};
    struct buffer out = BUFFER_INIT;
    assert_int_equal(redact_scan(&redactor, &stream, "text", 4, false, append, &out), 4);
    assert_string_equal(buffer_text(&out), "text");
    buffer_release(&out);
}

static void complete_line_is_not_held_back(void **state)
{
    (void)state;
    struct redactor redactor = with_secret("hunter2!");
    struct redact_stream stream = {0};
    struct buffer out = BUFFER_INIT;
    const char *text = "no secret begins here\n";
    assert_int_equal(redact_scan(&redactor, &stream, text, strlen(text), false, append, &out),
                     strlen(text));
    assert_int_equal(redact_scan(&redactor, &stream, "is it hunt", 10, false, append, &out), 6);
    assert_string_equal(buffer_text(&out), "no secret begins here\nis it ");
    buffer_release(&out);
    redact_release(&redactor);
}

static void secrets_that_overlap_are_covered_together(void **state)
{
    (void)state;
    struct redactor redactor =
        with_patterns((const char *const[]){"abcdef", "defghi", "abcd", "zabcdef", NULL});
    assert_redacted(&redactor, "-abcdefghi-", "-***-");
    assert_redacted(&redactor, "-abcd-defghi-", "-***-***-");
    assert_redacted(&redactor, "zabcdefghix", "***x");
    assert_redacted(&redactor, "zabcde", "z***e");
    redact_release(&redactor);
}

static void repetitive_secret_ends(void **state)
{
    (void)state;
    struct redactor redactor = with_patterns((const char *const[]){"aaaa", "aaaabaaaa", NULL});
    assert_redacted(&redactor, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "***");
    assert_redacted(&redactor, "aaabaaaabaaaab", "aaab***b");
    redact_release(&redactor);
}

static void short_secret_is_refused(void **state)
{
    (void)state;
    struct redactor redactor = {0};
    assert_false(redact_add_secret(&redactor, "abc", 3));
    assert_int_equal(redactor.patterns.count, 0);
    redact_release(&redactor);
}

static void base64_is_recognised_at_each_alignment(void **state)
{
    (void)state;
    struct redactor redactor = with_secret("wJalrXUtnFEMI/K7");
    /* printf %s … | base64 */
    assert_redacted(&redactor, "d0phbHJYVXRuRkVNSS9LNw==", "***==");
    assert_redacted(&redactor,
                    "dTp3SmFsclhVdG5GRU1JL0s3Cg==", "dTp***Cg=="); /* "u:" before, "\n" behind */
    redact_release(&redactor);
}

/* Every way in which a tool of ours prints a secret; python is the tool at hand. */
static void assert_form_is_redacted(const char *secret, const char *printed)
{
    struct redactor redactor = with_secret(secret);
    char *out = redact_cut(&redactor, printed, strlen(printed), 3);
    assert_string_equal(out, "***");
    free(out);
    redact_release(&redactor);
}

static void url_forms_are_recognised(void **state)
{
    (void)state;
    assert_form_is_redacted("p@ss/w rd", "p%40ss%2Fw%20rd");
    assert_form_is_redacted("p@ss/w rd", "p%40ss%2fw%20rd");
    assert_form_is_redacted("p@ss/w rd", "p%40ss%2Fw+rd");
    assert_form_is_redacted("p@ss/w rd", "p%40ss/w%20rd");
    assert_form_is_redacted("it's (a)", "it's%20(a)"); /* JavaScript */
}

static void json_forms_are_recognised(void **state)
{
    (void)state;
    assert_form_is_redacted("a\"b\\c\nd", "a\\\"b\\\\c\\nd");
    assert_form_is_redacted("a<b>&c", "a\\u003cb\\u003e\\u0026c"); /* Go */
    assert_form_is_redacted("p/a/s/s", "p\\/a\\/s\\/s");
    assert_form_is_redacted("pässwörd€😀", "p\\u00e4ssw\\u00f6rd\\u20ac\\ud83d\\ude00"); /* Python */
}

static void lines_of_a_key_are_recognised_one_by_one(void **state)
{
    (void)state;
    struct redactor redactor = with_secret("-----BEGIN KEY-----\n"
                                           "MIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n"
                                           "-----END KEY-----\n");
    assert_redacted(&redactor, "key: |\n  MIIEvQIBADANBgkqhkiG9w0B\n  AQEFAASCBKcwggSjAgEAAoIB\n",
                    "key: |\n  ***\n  ***\n");
    redact_release(&redactor);
}

static void secret_with_nul_bytes_is_recognised(void **state)
{
    (void)state;
    struct redactor redactor = {0};
    assert_true(redact_add_secret(&redactor, "\0\1\0\2\0\3", 6));
    char *out = redact_cut(&redactor, "x\0\1\0\2\0\3y", 8, 2);
    assert_string_equal(out, "x***y");
    free(out);
    redact_release(&redactor);
}

/* --- against the obvious algorithm --- */

/* Marks every occurrence, then writes down what is not covered. */
static void redact_slowly(const struct redactor *redactor, const char *text, size_t size_bytes,
                          struct buffer *out)
{
    size_t covered_end = 0;
    for (size_t at = 0; at < size_bytes; at++) {
        size_t longest = 0;
        for (size_t i = 0; i < redactor->patterns.count; i++) {
            const struct redact_pattern *pattern = &redactor->patterns.items[i];
            if (pattern->size_bytes <= size_bytes - at && pattern->size_bytes > longest &&
                memcmp(text + at, pattern->bytes, pattern->size_bytes) == 0) {
                longest = pattern->size_bytes;
            }
        }
        if (longest != 0 && at >= covered_end) {
            buffer_append_text(out, "***");
        }
        if (longest != 0 && at + longest > covered_end) {
            covered_end = at + longest;
        }
        if (at >= covered_end) {
            buffer_append_char(out, text[at]);
        }
    }
}

static unsigned roll(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % limit;
}

static void agrees_with_the_obvious_algorithm(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 3000; round++) {
        struct redactor redactor = {0};
        struct buffer slow = BUFFER_INIT;
        char text[200];
        unsigned letters = 1 + roll(&seed, 3);
        for (unsigned i = 0; i < 1 + roll(&seed, 6); i++) {
            char secret[48];
            size_t size_bytes = REDACT_MIN_BYTES + roll(&seed, i == 5 ? 40 : 6);
            for (size_t at = 0; at < size_bytes; at++) {
                secret[at] = (char)('a' + roll(&seed, letters));
            }
            redact_add_pattern(&redactor, secret, size_bytes);
        }
        size_t size_bytes = roll(&seed, sizeof text);
        for (size_t at = 0; at < size_bytes; at++) {
            text[at] = (char)('a' + roll(&seed, letters + 1));
        }
        redact_slowly(&redactor, text, size_bytes, &slow);
        char *fast = redact_cut(&redactor, text, size_bytes, 1 + roll(&seed, 60));
        assert_string_equal(fast, buffer_text(&slow));
        free(fast);
        buffer_release(&slow);
        redact_release(&redactor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_is_replaced_wherever_the_stream_is_cut),
        cmocka_unit_test(without_secrets_everything_passes_at_once),
        cmocka_unit_test(complete_line_is_not_held_back),
        cmocka_unit_test(secrets_that_overlap_are_covered_together),
        cmocka_unit_test(repetitive_secret_ends),
        cmocka_unit_test(short_secret_is_refused),
        cmocka_unit_test(base64_is_recognised_at_each_alignment),
        cmocka_unit_test(url_forms_are_recognised),
        cmocka_unit_test(json_forms_are_recognised),
        cmocka_unit_test(lines_of_a_key_are_recognised_one_by_one),
        cmocka_unit_test(secret_with_nul_bytes_is_recognised),
        cmocka_unit_test(agrees_with_the_obvious_algorithm),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
