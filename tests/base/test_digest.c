/* base/digest against published vectors, and base/random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/digest.h"
#include "base/random.h"

static void sha256_agrees_with_fips_180_4(void **state)
{
    (void)state;
    char hex[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of_text("abc"), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex(span_of_text(""), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_agrees_with_rfc_4231(void **state)
{
    (void)state;
    unsigned char digest[DIGEST_SIZE];
    char hex[DIGEST_HEX_SIZE];
    digest_hmac_sha256(span_of_text("Jefe"), span_of_text("what do ya want for nothing?"), digest);
    digest_hex(digest, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void ids_have_the_documented_form_and_differ(void **state)
{
    (void)state;
    char first[RANDOM_ID_SIZE];
    char second[RANDOM_ID_SIZE];
    random_id(first);
    random_id(second);
    assert_int_equal(strspn(first, "abcdefghijklmnopqrstuvwxyz234567"), RANDOM_ID_SIZE - 1);
    assert_string_not_equal(first, second);
}

static void random_numbers_stay_below_their_limit_and_reach_all_of_it(void **state)
{
    (void)state;
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        seen[random_below(ARRAY_SIZE(seen))]++;
        assert_int_equal(random_below(1), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        assert_in_range(seen[i], 700, 1300); /* 1000 expected; ten standard deviations */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_agrees_with_fips_180_4),
        cmocka_unit_test(hmac_agrees_with_rfc_4231),
        cmocka_unit_test(ids_have_the_documented_form_and_differ),
        cmocka_unit_test(random_numbers_stay_below_their_limit_and_reach_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
