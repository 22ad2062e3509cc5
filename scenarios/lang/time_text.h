/* Dates, times of day and durations, between text and nanoseconds; no clock, no locale, no zones.
 */
#ifndef SCENARIOS_LANG_TIME_TEXT_H
#define SCENARIOS_LANG_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_SECOND_NS INT64_C(1000000000)
#define TIME_DAY_NS    (INT64_C(86400) * TIME_SECOND_NS)

enum { TIME_TEXT_SIZE = 48 };

/* "2026-01-09": midnight, ns since 1970 UTC. Years 1970 to 2099. */
bool time_parse_date(const char *text, size_t length, int64_t *ns);
/* "10:00:00" or "10:00:00.250": ns since midnight. */
bool time_parse_clock(const char *text, size_t length, int64_t *ns);
/* "5s", "1.5s", "200ms"; units ns us ms s m h; at most 1000 hours. */
bool time_parse_duration(const char *text, size_t length, int64_t *ns);

/* "2026-01-09", "10:00:00" with as many decimals as needed, "1500ms": the unit that makes it whole.
 */
char *time_format_date(int64_t ns, char out[TIME_TEXT_SIZE]);
char *time_format_clock(int64_t ns, char out[TIME_TEXT_SIZE]);
char *time_format_duration(int64_t ns, char out[TIME_TEXT_SIZE]);
/* Midnight of the day that holds ns. */
int64_t time_day(int64_t ns);

#endif
