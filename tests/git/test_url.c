/* git/url: what decisions hang on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "git/url.h"

static void urls_are_cut_into_their_parts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum url_kind kind;
        const char *shown, *user, *password, *host, *port;
    } cases[] = {
        {"https://git.example.com/a/b.git", URL_HTTPS, "https://git.example.com/a/b.git", NULL,
         NULL, "git.example.com", "443"},
        {"https://me:p%40ss@git.example.com:8443/a", URL_HTTPS, "https://git.example.com:8443/a",
         "me", "p@ss", "git.example.com", "8443"},
        {"https://ghp_token@github.com/a", URL_HTTPS, "https://github.com/a", "ghp_token", NULL,
         "github.com", "443"},
        {"http://[::1]:80/a", URL_HTTP, "http://[::1]:80/a", NULL, NULL, "::1", "80"},
        {"ssh://git@host:2222/a/b", URL_SSH, "ssh://git@host:2222/a/b", "git", NULL, "host",
         "2222"},
        {"ssh://git:secret@host/a", URL_SSH, "ssh://git@host/a", "git", "secret", "host", "22"},
        {"git@github.com:a/b.git", URL_SSH, "git@github.com:a/b.git", "git", NULL, "github.com",
         "22"},
        {"host:a", URL_SSH, "host:a", NULL, NULL, "host", "22"},
        {"file:///srv/git/a.git", URL_LOCAL, "file:///srv/git/a.git", NULL, NULL, NULL, NULL},
        {"/srv/git/a.git", URL_LOCAL, "/srv/git/a.git", NULL, NULL, NULL, NULL},
        {"../a.git", URL_LOCAL, "../a.git", NULL, NULL, NULL, NULL},
        {"./a:b", URL_LOCAL, "./a:b", NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct url url;
        assert_int_equal(url_parse(cases[i].text, &url, NULL), 0);
        assert_int_equal(url.kind, cases[i].kind);
        assert_string_equal(url.shown, cases[i].shown);
        const char *const expected[] = {cases[i].user, cases[i].password, cases[i].host,
                                        cases[i].port};
        const char *const parts[] = {url.user, url.password, url.host, url.port};
        for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
            if (expected[part] == NULL) {
                assert_null(parts[part]);
            } else {
                assert_string_equal(parts[part], expected[part]);
            }
        }
        url_release(&url);
    }
}

static void urls_that_trick_somebody_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-oProxyCommand=touch",
        "-u@host:path",
        "ext::sh -c touch",
        "https://host\nhost=other/a",
        "https://host\r/a",
        "https:///a",
        "https://-host/a",
        "https://host:port/a",
        "https://host:123456/a",
        "ssh://-oProxyCommand=x/a",
        "ftp://host/a",
        "git://host/a",
        "https://user@",
        "https://[::1/a",
        "https://[::1]x/a",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct url url;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        if (url_parse(bad[i], &url, &err) == 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_cut_into_their_parts),
        cmocka_unit_test(urls_that_trick_somebody_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
