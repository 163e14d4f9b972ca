/* libgit2 keeps its last error for each thread and overwrites it at the next call; it is copied
 * here, right after the call that failed. */
#include "git/library.h"

#include <git2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* For the leak checker: libgit2 1.5 leaks PCRE's match data each time that a configuration pattern
 * does not match. Weak, so that a test can say more. */
__attribute__((weak)) const char *__lsan_default_suppressions(void);
__attribute__((weak)) const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libpcre2";
}

const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

static void start(void)
{
    if (git_libgit2_init() < 0) {
        abort();
    }
}

void library_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}

int library_trust(const char *ca_file, struct error *err)
{
    library_start();
    if (ca_file == NULL) {
        return 0;
    }
    int status = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file, NULL);
    return status == 0 ? 0 : library_error(err, status, "cannot trust %s", ca_file);
}

static const struct {
    int status;
    enum error_code code;
} statuses[] = {
    {GIT_ENOTFOUND, ERROR_NOT_FOUND},     {GIT_EEXISTS, ERROR_REFUSED},
    {GIT_EAMBIGUOUS, ERROR_INVALID},      {GIT_EINVALIDSPEC, ERROR_INVALID},
    {GIT_ENONFASTFORWARD, ERROR_REFUSED}, {GIT_EAUTH, ERROR_NOT_READY},
    {GIT_ECERTIFICATE, ERROR_NOT_READY},  {GIT_EOWNER, ERROR_REFUSED},
};

static const struct {
    int class;
    enum error_code code;
} classes[] = {
    {GIT_ERROR_OS, ERROR_IO},        {GIT_ERROR_FILESYSTEM, ERROR_IO},
    {GIT_ERROR_NET, ERROR_NETWORK},  {GIT_ERROR_SSL, ERROR_NETWORK},
    {GIT_ERROR_HTTP, ERROR_NETWORK}, {GIT_ERROR_SSH, ERROR_NETWORK},
};

/* A network error of the operating system's is reported in the class OS, hence the status first and
 * the class after it; a repository that is not there is ENOTFOUND in either. */
static enum error_code code_of(int status, int class)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].code;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (classes[i].class == class) {
            return classes[i].code;
        }
    }
    return ERROR_FAILED;
}

int library_error(struct error *err, int status, const char *format, ...)
{
    if (err == NULL || error_is_set(err)) {
        return -1;
    }
    const git_error *last = git_error_last();
    const char *message = last != NULL && last->message != NULL ? last->message : "libgit2 failed";
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *what = memory_format_v(format, arguments);
    va_end(arguments);
    error_set(err, code_of(status, last != NULL ? last->klass : GIT_ERROR_NONE), "%s: %s", what,
              message);
    if (status == GIT_EOWNER) {
        error_hint(err, "git config --global --add safe.directory PATH trusts it");
    }
    return -1;
}
