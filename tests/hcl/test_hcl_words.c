/* Words: where a region is, and where it only looks so. */
#include "hcl_test.h"

#include "hcl/literals.h"
#include "hcl/words.h"

static void maps(const char *text, const char *wanted)
{
    struct hcl_words words = {0};
    struct buffer out = BUFFER_INIT;
    struct hcl_word_hit hit = {0};
    size_t at = 0;
    hcl_words_add(&words, "us-east-2", "us-west-2");
    hcl_words_add(&words, "us-east-2c", "us-west-2d");
    hcl_words_add(&words, "ami-1", "ami-2");
    while (hcl_words_find(&words, span_of_text(text), at, &hit)) {
        buffer_append(&out, text + at, hit.offset - at);
        hcl_words_append_replacement(&out, span_of_text(text), &hit);
        at = hit.offset + hit.size_bytes;
    }
    buffer_append_text(&out, text + at);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_release(&out);
    hcl_words_release(&words);
}

static void regions_zones_and_arns_are_mapped(void **state)
{
    (void)state;
    maps("us-east-2", "us-west-2");
    maps("us-east-2a", "us-west-2a");
    maps("arn:aws:sns:us-east-2:123:t", "arn:aws:sns:us-west-2:123:t");
    maps("https://sqs.us-east-2.amazonaws.com/us-east-2b",
         "https://sqs.us-west-2.amazonaws.com/us-west-2b");
    maps("state-us-east-2,us-east-2a_x", "state-us-west-2,us-west-2a_x");
}

static void a_zone_of_its_own_wins_over_its_region(void **state)
{
    (void)state;
    maps("us-east-2b us-east-2c", "us-west-2b us-west-2d");
}

static void what_only_looks_like_it_stays(void **state)
{
    (void)state;
    maps("us-east-20 us-east-2ab aus-east-2 us-east-2A us-east-21a xami-1 ami-12 ami-1a",
         "us-east-20 us-east-2ab aus-east-2 us-east-2A us-east-21a xami-1 ami-12 ami-1a");
    maps("\xc3\xa9us-east-2", "\xc3\xa9us-east-2");
}

static void regions_have_their_form(void **state)
{
    (void)state;
    assert_true(hcl_is_region(span_of_text("us-east-2")));
    assert_true(hcl_is_region(span_of_text("us-gov-west-1")));
    assert_true(hcl_is_region(span_of_text("ap-southeast-7")));
    assert_false(hcl_is_region(span_of_text("us-east-2a")));
    assert_false(hcl_is_region(span_of_text("prod-db-1")));
    assert_false(hcl_is_region(span_of_text("us-2")));
    assert_false(hcl_is_region(span_of_text("us-east-")));
    assert_false(hcl_is_region(span_of_text("")));
}

static char *find_all(const char *name, const char *text)
{
    struct hcl_document document = hcl_test_open(name, text);
    struct hcl_words words = {0};
    struct hcl_findings findings = {0};
    struct buffer out = BUFFER_INIT;
    hcl_words_add(&words, "us-east-2", NULL);
    hcl_literals_find(&document, &words, 100, &findings);
    vector_each (const struct hcl_finding *, finding, &findings.list) {
        buffer_append_format(&out, "%zu:%zu %s %s\n", finding->line, finding->column,
                             hcl_place_name(finding->place), finding->word);
    }
    hcl_findings_release(&findings);
    hcl_words_release(&words);
    hcl_document_release(&document);
    return buffer_take(&out);
}

static void what_is_left_is_listed_with_place_and_kind(void **state)
{
    (void)state;
    char *found = find_all("x.tf", "# us-east-2\n"
                                   "a = \"us-east-2a ${f({ \"us-east-2\" = 1, us-east-2 = 2 })}\"\n"
                                   "provider \"us-east-2\" {\n"
                                   "  x = <<E\n"
                                   "\xc3\xa9 us-east-2 us-east-20\n"
                                   "E\n"
                                   "  y = \"us\\u002deast-2\" /* us-east-2b */\n"
                                   "  z = m[\"us-east-2\"]\n"
                                   "}\n");
    assert_string_equal(found, "1:3 comment us-east-2\n"
                               "2:6 value us-east-2a\n"
                               "2:24 key us-east-2\n"
                               "2:40 key us-east-2\n"
                               "3:11 key us-east-2\n"
                               "5:3 heredoc us-east-2\n"
                               "7:8 value us-east-2\n"
                               "7:27 comment us-east-2b\n"
                               "8:10 value us-east-2\n");
    free(found);
    found = find_all("x.tf.json", "{\"//\": \"us-east-2\",\n \"us-east-2\": [\"us-east-2a\"]}");
    assert_string_equal(found, "1:9 comment us-east-2\n2:3 key us-east-2\n2:17 value us-east-2a\n");
    free(found);
    found = find_all("deploy.yaml", "# us-east-2\nregion: us-east-2\n");
    assert_string_equal(found, "1:3 text us-east-2\n2:9 text us-east-2\n");
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_zones_and_arns_are_mapped),
        cmocka_unit_test(a_zone_of_its_own_wins_over_its_region),
        cmocka_unit_test(what_only_looks_like_it_stays),
        cmocka_unit_test(regions_have_their_form),
        cmocka_unit_test(what_is_left_is_listed_with_place_and_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
