/* Dates, times of day and durations, between text and nanoseconds. */
#include "scenarios/lang/time_text.h"

#include "core/decimal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"h", INT64_C(3600) * TIME_SECOND_NS},
    {"m", INT64_C(60) * TIME_SECOND_NS},
    {"s", TIME_SECOND_NS},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
};
enum { UNIT_COUNT = sizeof units / sizeof units[0] };
#define DURATION_MAX (INT64_C(1000) * 3600 * TIME_SECOND_NS)

/* Exactly n digits. */
static bool digits(const char *text, int n, int *value) {
    *value = 0;
    for (int i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool time_parse_date(const char *text, size_t length, int64_t *ns) {
    int year, month, day;
    int64_t days = 0;
    if (length != 10 || text[4] != '-' || text[7] != '-' || !digits(text, 4, &year) ||
        !digits(text + 5, 2, &month) || !digits(text + 8, 2, &day))
        return false;
    if (year < 1970 || year > 2099 || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month))
        return false;
    for (int y = 1970; y < year; y++)
        days += is_leap(y) ? 366 : 365;
    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    *ns = (days + day - 1) * TIME_DAY_NS;
    return true;
}

bool time_parse_clock(const char *text, size_t length, int64_t *ns) {
    int hour, minute;
    int64_t second;
    if (length < 8 || text[2] != ':' || text[5] != ':' || !digits(text, 2, &hour) ||
        !digits(text + 3, 2, &minute) || text[6] < '0' || text[6] > '9' || text[7] < '0' ||
        text[7] > '9' || (length > 8 && text[8] != '.'))
        return false;
    if (!decimal_parse_n(text + 6, length - 6, &second))
        return false;
    if (hour > 23 || minute > 59 || second < 0 || second >= 60 * TIME_SECOND_NS)
        return false;
    *ns = (hour * INT64_C(60) + minute) * 60 * TIME_SECOND_NS + second;
    return true;
}

bool time_parse_duration(const char *text, size_t length, int64_t *ns) {
    size_t number = 0;
    int64_t value;
    while (number < length && strchr("0123456789.", text[number]) != NULL && text[number] != '\0')
        number++;
    if (number == 0 || !decimal_parse_n(text, number, &value))
        return false;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (length - number != strlen(units[i].name) ||
            memcmp(text + number, units[i].name, length - number) != 0)
            continue;
        decimal_wide wide = (decimal_wide)value * units[i].ns;
        if (wide % DECIMAL_NANOS != 0 || wide / DECIMAL_NANOS > DURATION_MAX)
            return false;
        *ns = (int64_t)(wide / DECIMAL_NANOS);
        return true;
    }
    return false;
}

int64_t time_day(int64_t ns) {
    int64_t rest = ns % TIME_DAY_NS;
    return ns - (rest < 0 ? rest + TIME_DAY_NS : rest);
}

char *time_format_date(int64_t ns, char out[TIME_TEXT_SIZE]) {
    int64_t days = time_day(ns) / TIME_DAY_NS;
    int year = 1970, month = 1;
    for (; days >= (is_leap(year) ? 366 : 365); year++)
        days -= is_leap(year) ? 366 : 365;
    for (; days >= month_days(year, month); month++)
        days -= month_days(year, month);
    snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02d", year, month, (int)days + 1);
    return out;
}

char *time_format_clock(int64_t ns, char out[TIME_TEXT_SIZE]) {
    int64_t left = ns - time_day(ns);
    int64_t second = left / TIME_SECOND_NS, fraction = left % TIME_SECOND_NS;
    size_t used = (size_t)snprintf(out, TIME_TEXT_SIZE, "%02d:%02d:%02d", (int)(second / 3600),
                                   (int)(second / 60 % 60), (int)(second % 60));
    if (fraction != 0) {
        used += (size_t)snprintf(out + used, TIME_TEXT_SIZE - used, ".%09d", (int)fraction);
        while (out[used - 1] == '0')
            out[--used] = '\0';
    }
    return out;
}

char *time_format_duration(int64_t ns, char out[TIME_TEXT_SIZE]) {
    if (ns == 0) {
        snprintf(out, TIME_TEXT_SIZE, "0s");
        return out;
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (ns % units[i].ns == 0) {
            snprintf(out, TIME_TEXT_SIZE, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
            break;
        }
    }
    return out;
}
