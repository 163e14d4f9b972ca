/* Civil time without the C library's locale, time zone or 32-bit limits: days are counted by Howard
 * Hinnant's days_from_civil algorithm (public domain description, "chrono-Compatible Low-Level Date
 * Algorithms"). */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

int64_t clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

struct civil {
    int64_t year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int64_t nanosecond;
};

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_ns(int64_t at_ns)
{
    int64_t nanosecond = at_ns % CLOCK_NS_PER_S;
    int64_t seconds = at_ns / CLOCK_NS_PER_S;
    if (nanosecond < 0) {
        nanosecond += CLOCK_NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t second_of_day = seconds % 86400;
    if (second_of_day < 0) {
        second_of_day += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    struct civil civil = {
        .year = year_of_era + era * 400 + (shifted_month >= 10),
        .month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9),
        .day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1),
        .hour = (int)(second_of_day / 3600),
        .minute = (int)(second_of_day / 60 % 60),
        .second = (int)(second_of_day % 60),
        .nanosecond = nanosecond,
    };
    return civil;
}

static void put_digits(char **at, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--) {
        (*at)[i] = (char)('0' + value % 10);
        value /= 10;
    }
    *at += digits;
}

/* Written by hand and not with snprintf: one line of child output costs one of these. */
static void format_rfc3339(int64_t at_ns, int fraction_digits, char *text)
{
    struct civil civil = civil_from_ns(at_ns);
    char *at = text;
    put_digits(&at, civil.year, 4);
    *at++ = '-';
    put_digits(&at, civil.month, 2);
    *at++ = '-';
    put_digits(&at, civil.day, 2);
    *at++ = 'T';
    put_digits(&at, civil.hour, 2);
    *at++ = ':';
    put_digits(&at, civil.minute, 2);
    *at++ = ':';
    put_digits(&at, civil.second, 2);
    *at++ = '.';
    put_digits(&at, fraction_digits == 9 ? civil.nanosecond : civil.nanosecond / CLOCK_NS_PER_MS,
               fraction_digits);
    *at++ = 'Z';
    *at = '\0';
}

void clock_format_rfc3339_ns(int64_t at_ns, char text[CLOCK_RFC3339_SIZE])
{
    format_rfc3339(at_ns, 9, text);
}

void clock_format_rfc3339_ms(int64_t at_ns, char text[CLOCK_RFC3339_SIZE])
{
    format_rfc3339(at_ns, 3, text);
}

static int take_digits(const char **at, int digits, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)(*at)[i])) {
            return -1;
        }
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += digits;
    *ret_value = value;
    return 0;
}

static int take_char(const char **at, const char *one_of)
{
    if (**at == '\0' || strchr(one_of, **at) == NULL) {
        return -1;
    }
    (*at)++;
    return 0;
}

static int take_fraction(const char **at, int64_t *ret_nanosecond)
{
    if (take_char(at, ".,") != 0) {
        return 0;
    }
    if (!isdigit((unsigned char)**at)) {
        return -1;
    }
    int64_t nanosecond = 0;
    int64_t unit = CLOCK_NS_PER_S / 10;
    for (; isdigit((unsigned char)**at); (*at)++) {
        nanosecond += (**at - '0') * unit;
        unit /= 10;
    }
    *ret_nanosecond = nanosecond;
    return 0;
}

static int take_offset(const char **at, int *ret_offset_minutes)
{
    if (take_char(at, "Zz") == 0) {
        *ret_offset_minutes = 0;
        return 0;
    }
    int sign = **at == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (take_char(at, "+-") != 0 || take_digits(at, 2, &hours) != 0) {
        return -1;
    }
    (void)take_char(at, ":");
    if (take_digits(at, 2, &minutes) != 0 || hours > 23 || minutes > 59) {
        return -1;
    }
    *ret_offset_minutes = sign * (hours * 60 + minutes);
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static int parse_civil(const char *at, struct civil *civil, int *offset_minutes)
{
    int year;
    if (take_digits(&at, 4, &year) != 0 || take_char(&at, "-") != 0 ||
        take_digits(&at, 2, &civil->month) != 0 || take_char(&at, "-") != 0 ||
        take_digits(&at, 2, &civil->day) != 0 || take_char(&at, "Tt ") != 0 ||
        take_digits(&at, 2, &civil->hour) != 0 || take_char(&at, ":") != 0 ||
        take_digits(&at, 2, &civil->minute) != 0 || take_char(&at, ":") != 0 ||
        take_digits(&at, 2, &civil->second) != 0 || take_fraction(&at, &civil->nanosecond) != 0 ||
        take_offset(&at, offset_minutes) != 0 || *at != '\0') {
        return -1;
    }
    civil->year = year;
    bool in_range = year >= 1970 && year <= 2261 && civil->month >= 1 && civil->month <= 12 &&
                    civil->day >= 1 && civil->day <= days_in_month(year, civil->month) &&
                    civil->hour <= 23 && civil->minute <= 59 && civil->second <= 60;
    return in_range ? 0 : -1;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_at_ns, struct error *err)
{
    struct civil civil = {0};
    int offset_minutes;
    if (parse_civil(text, &civil, &offset_minutes) != 0) {
        return error_set(err, ERROR_INVALID, "'%.64s' is not a time such as 2026-11-22T22:03:01Z",
                         text);
    }
    int64_t seconds = days_from_civil(civil.year, civil.month, civil.day) * 86400 +
                      civil.hour * 3600 + civil.minute * 60 + civil.second -
                      (int64_t)offset_minutes * 60;
    *ret_at_ns = seconds * CLOCK_NS_PER_S + civil.nanosecond;
    return 0;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 86400 * 1000},
};

static const int64_t longest_duration_ms = INT64_C(366) * 86400 * 1000;

static int64_t take_unit(const char **at)
{
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strlen(units[i].name) == length && strncmp(*at, units[i].name, length) == 0) {
            *at += length;
            return units[i].ms;
        }
    }
    return 0;
}

int clock_parse_duration(const char *text, int64_t *ret_duration_ms, struct error *err)
{
    int64_t total_ms = 0;
    int64_t last_unit_ms = INT64_MAX;
    const char *at = text;
    do {
        int64_t amount = 0;
        const char *digits = at;
        for (; isdigit((unsigned char)*at) && amount < longest_duration_ms; at++) {
            amount = amount * 10 + (*at - '0');
        }
        int64_t unit_ms = at != digits ? take_unit(&at) : 0;
        if (unit_ms == 0 || unit_ms >= last_unit_ms || amount > longest_duration_ms / unit_ms) {
            return error_set(err, ERROR_INVALID,
                             "'%.64s' is not a duration such as 90s, 5m, 1h30m or 2d", text);
        }
        total_ms += amount * unit_ms;
        last_unit_ms = unit_ms;
    } while (*at != '\0');
    if (total_ms > longest_duration_ms) {
        return error_set(err, ERROR_INVALID, "the duration '%.64s' is longer than 366 days", text);
    }
    *ret_duration_ms = total_ms;
    return 0;
}

char *clock_format_duration(int64_t duration_ms)
{
    if (duration_ms < 0) {
        duration_ms = 0;
    }
    if (duration_ms < 1000) {
        return memory_format("%dms", (int)duration_ms);
    }
    if (duration_ms < 60 * 1000) {
        return memory_format("%d.%ds", (int)(duration_ms / 1000), (int)(duration_ms / 100 % 10));
    }
    int64_t seconds = duration_ms / 1000;
    if (seconds < 3600) {
        return memory_format("%dm%02ds", (int)(seconds / 60), (int)(seconds % 60));
    }
    if (seconds < 2 * 86400) {
        return memory_format("%dh%02dm", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    }
    return memory_format("%dd%02dh", (int)(seconds / 86400), (int)(seconds / 3600 % 24));
}
