/* Times as brokers write them: proleptic Gregorian arithmetic on whole nanoseconds. */
#include "core/live/rfc3339.h"

#include <stdio.h>

enum { SECOND_NS = 1000000000, DAY_S = 86400, LAST_YEAR = 2261 };

/* Days from 1970-01-01; years are counted from March so that the leap day comes last. */
static int64_t days_of(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day) {
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2 ? 1 : 0));
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Takes exactly `count` digits. */
static bool digits(const char **at, int count, int *value) {
    int v = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        v = v * 10 + (**at - '0');
    }
    *value = v;
    return true;
}

static bool letter(const char **at, char wanted) {
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

/* ".1" to ".123456789", or nothing. */
static bool fraction(const char **at, int64_t *ns) {
    *ns = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int64_t unit = SECOND_NS;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        unit /= 10;
        if (unit == 0)
            return false;
        *ns += unit * (**at - '0');
    }
    return unit < SECOND_NS;
}

static bool offset(const char **at, int64_t *seconds) {
    *seconds = 0;
    if (letter(at, 'Z'))
        return true;
    int sign = **at == '-' ? -1 : 1, hours, minutes;
    if (**at != '+' && **at != '-')
        return false;
    (*at)++;
    if (!digits(at, 2, &hours) || !letter(at, ':') || !digits(at, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool rfc3339_parse(const char *text, int64_t *ns) {
    const char *at = text;
    int year, month, day, hour, minute, second;
    int64_t part, east;
    if (!digits(&at, 4, &year) || !letter(&at, '-') || !digits(&at, 2, &month) ||
        !letter(&at, '-') || !digits(&at, 2, &day) || !letter(&at, 'T') || !digits(&at, 2, &hour) ||
        !letter(&at, ':') || !digits(&at, 2, &minute) || !letter(&at, ':') ||
        !digits(&at, 2, &second) || !fraction(&at, &part) || !offset(&at, &east) || *at != '\0')
        return false;
    if (year < 1970 || year > LAST_YEAR || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59)
        return false;
    if (second > 60) /* 60: a leap second is the second after it */
        return false;
    int64_t total = days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - east;
    if (total < 0)
        return false;
    *ns = total * SECOND_NS + part;
    return true;
}

char *rfc3339_format(int64_t ns, char out[RFC3339_SIZE]) {
    int64_t at = ns < 0 ? 0 : ns;
    int64_t seconds = at / SECOND_NS;
    int of_day = (int)(seconds % DAY_S), year, month, day;
    date_of(seconds / DAY_S, &year, &month, &day);
    snprintf(out, RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", year, month, day,
             of_day / 3600, of_day / 60 % 60, of_day % 60, (int)(at % SECOND_NS));
    return out;
}
