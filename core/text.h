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

/* Of text that may be anything: is it 1..size-1 characters of A-Z, 0-9 and `extra`, closed by a
 * zero within size? The same for characters that are printable and no space. */
bool text_is_word(const char *text, size_t size, const char *extra);
bool text_is_visible(const char *text, size_t size);
#define TEXT_LOWER "abcdefghijklmnopqrstuvwxyz"

/* A bounded, printable copy of such text, for messages. Returns out. */
const char *text_shown(const char *text, size_t size, char out[OMS_DECISION_ID_SIZE]);

/* ns since 1970 as RFC 3339 in UTC with nine decimals. Returns out. */
char *text_time(int64_t ns, char out[TEXT_TIME_SIZE]);

#endif
