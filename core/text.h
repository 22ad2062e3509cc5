/* Text the core writes: errors, reasons, broker words made safe to keep, and UTC times. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/oms.h"

enum { TEXT_TIME_SIZE = 40 };

/* Fills the message; `error` may be NULL. */
void text_error(struct oms_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Copies at most size - 1 characters, bytes that are not printable ASCII as '?'. `out` may be `in`.
 */
void text_clean(char *out, size_t size, const char *in);

/* ns since 1970 as RFC 3339 in UTC with nine decimals. Returns out. */
char *text_time(int64_t ns, char out[TEXT_TIME_SIZE]);

#endif
