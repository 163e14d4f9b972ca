/* Functions over time and over how the run is going. The clock is the context's, so that the same
 * journal gives the same answers. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "plan/function_arguments.h"

static int time_argument(const struct function_call *call, int64_t *ret_at_ns, struct error *err)
{
    const json_t *value = call->arguments[0];
    double seconds = json_number_value(value);
    if (json_is_number(value) && seconds >= 0 && seconds < 9e9) {
        *ret_at_ns = (int64_t)(seconds * 1e9);
        return 0;
    }
    if (!json_is_string(value)) {
        argument_refuse(call, 0, "a time such as 2026-11-22T22:03:01Z", err);
        return -1;
    }
    return clock_parse_rfc3339(json_string_value(value), ret_at_ns, err);
}

FUNCTION(age)
{
    int64_t at_ns;
    if (time_argument(call, &at_ns, err) != 0) {
        return NULL;
    }
    return json_integer((call->context->now_ns - at_ns) / CLOCK_NS_PER_S);
}

FUNCTION(duration)
{
    int64_t duration_ms;
    if (!json_is_string(call->arguments[0])) {
        return argument_refuse(call, 0, "a text such as '5m'", err);
    }
    if (clock_parse_duration(json_string_value(call->arguments[0]), &duration_ms, err) != 0) {
        return NULL;
    }
    return duration_ms % 1000 == 0 ? json_integer(duration_ms / 1000)
                                   : json_real((double)duration_ms / 1000);
}

static int append_date_field(struct buffer *out, char field, const struct tm *when, int64_t at_ns,
                             struct error *err)
{
    switch (field) {
    case 'Y':
        buffer_append_format(out, "%04d", when->tm_year + 1900);
        return 0;
    case 'm':
        buffer_append_format(out, "%02d", when->tm_mon + 1);
        return 0;
    case 'd':
        buffer_append_format(out, "%02d", when->tm_mday);
        return 0;
    case 'H':
        buffer_append_format(out, "%02d", when->tm_hour);
        return 0;
    case 'M':
        buffer_append_format(out, "%02d", when->tm_min);
        return 0;
    case 'S':
        buffer_append_format(out, "%02d", when->tm_sec);
        return 0;
    case 'j':
        buffer_append_format(out, "%03d", when->tm_yday + 1);
        return 0;
    case 'F':
        buffer_append_format(out, "%04d-%02d-%02d", when->tm_year + 1900, when->tm_mon + 1,
                             when->tm_mday);
        return 0;
    case 'T':
        buffer_append_format(out, "%02d:%02d:%02d", when->tm_hour, when->tm_min, when->tm_sec);
        return 0;
    case 's':
        buffer_append_format(out, "%lld", (long long)(at_ns / CLOCK_NS_PER_S));
        return 0;
    case '%':
        buffer_append_char(out, '%');
        return 0;
    default:
        error_set(err, ERROR_INVALID, "formatDate() does not know this %% field");
        return error_hint(err, "it knows %%Y %%m %%d %%H %%M %%S %%j %%F %%T %%s %%%%");
    }
}

FUNCTION(format_date)
{
    int64_t at_ns;
    CLEANUP(memory_cleanup) char *pattern = argument_text(call, 1, err);
    if (pattern == NULL || time_argument(call, &at_ns, err) != 0) {
        return NULL;
    }
    time_t seconds = (time_t)(at_ns / CLOCK_NS_PER_S);
    struct tm when;
    gmtime_r(&seconds, &when);
    struct buffer out = BUFFER_INIT;
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at != '%') {
            buffer_append_char(&out, *at);
        } else if (append_date_field(&out, *++at, &when, at_ns, err) != 0) {
            buffer_release(&out);
            return NULL;
        }
    }
    return function_text(&out, err);
}

FUNCTION(success)
{
    (void)err;
    return json_boolean(!call->context->failed && !call->context->cancelled);
}

FUNCTION(failure)
{
    (void)err;
    return json_boolean(call->context->failed);
}

FUNCTION(cancelled)
{
    (void)err;
    return json_boolean(call->context->cancelled);
}

FUNCTION(always)
{
    (void)call;
    (void)err;
    return json_true();
}
