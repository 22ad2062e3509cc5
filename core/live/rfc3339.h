/* Times as brokers write them: RFC 3339, to the nanosecond, without locale or time zone data. */
#ifndef CORE_LIVE_RFC3339_H
#define CORE_LIVE_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

enum { RFC3339_SIZE = 40 };

/* Reads "2026-01-09T14:35:00[.1 to 9 digits](Z|+hh:mm|-hh:mm)" into UTC nanoseconds since 1970.
 * False, and *ns untouched, for anything else or a time outside 1970..2261. */
bool rfc3339_parse(const char *text, int64_t *ns);

/* Writes UTC nanoseconds since 1970 (>= 0) with nine decimals and a Z. Returns out. */
char *rfc3339_format(int64_t ns, char out[RFC3339_SIZE]);

#endif
