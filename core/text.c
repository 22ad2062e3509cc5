/* Text the core writes: bounded, printable, and without asking the system for a calendar. */
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_error(struct oms_error *error, const char *format, ...) {
    va_list arguments;
    if (error == NULL) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
}

void text_clean(char *out, size_t size, const char *in) {
    size_t i = 0;
    for (; in[i] != '\0' && i + 1 < size; i++) {
        out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
    }
    out[i] = '\0';
}

/* Days since 1970 to a date of the Gregorian calendar; years start in March, so that the leap day
 * is the last of its year. */
static void civil_date(int64_t days, int64_t *year, int *month, int *day) {
    const int64_t shifted = days + 719468;
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int64_t of_era = shifted - era * 146097;
    const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t from_march = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

char *text_time(int64_t ns, char out[TEXT_TIME_SIZE]) {
    const int64_t day_ns = 86400 * PROFILE_SECOND_NS;
    int64_t days = ns / day_ns, rest = ns % day_ns, year;
    int month, day;

    if (rest < 0) {
        rest += day_ns;
        days--;
    }
    civil_date(days, &year, &month, &day);
    const int seconds = (int)(rest / PROFILE_SECOND_NS);
    (void)snprintf(out, TEXT_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", (int)year, month,
                   day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                   (int)(rest % PROFILE_SECOND_NS));
    return out;
}

/* ---- text from outside ---- */

static bool is_in(char c, const char *extra) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(extra, c) != NULL);
}

bool text_is_word(const char *text, size_t size, const char *extra) {
    const char *end = memchr(text, '\0', size);
    if (end == NULL || end == text) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        if (!is_in(*c, extra)) {
            return false;
        }
    }
    return true;
}

bool text_is_visible(const char *text, size_t size) {
    const char *end = memchr(text, '\0', size);
    if (end == NULL || end == text) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        if (*c <= ' ' || *c > '~') {
            return false;
        }
    }
    return true;
}

const char *text_shown(const char *text, size_t size, char out[OMS_DECISION_ID_SIZE]) {
    char bounded[OMS_DECISION_ID_SIZE] = "";
    const size_t length = size < sizeof bounded ? size : sizeof bounded - 1;
    memcpy(bounded, text, length);
    bounded[length] = '\0';
    text_clean(out, OMS_DECISION_ID_SIZE, bounded);
    return out;
}
