/* Text that others wrote, made fit for forms that allow UTF-8 only. */
#ifndef REPORTS_TEXT_H
#define REPORTS_TEXT_H

#include <stddef.h>

/* Length of the valid UTF-8 character at text (1..4), or 0: the byte is none. Stops at the zero. */
size_t report_utf8_length(const char *text);
/* A copy with every byte that is no UTF-8 replaced by U+FFFD. The caller frees it; NULL: no memory.
 */
char *report_valid_utf8(const char *text);

#endif
