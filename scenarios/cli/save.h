/* Writing files of the user's so that at every moment the old one or the new one stands there. */
#ifndef SCENARIOS_CLI_SAVE_H
#define SCENARIOS_CLI_SAVE_H

#include <stdbool.h>
#include <stddef.h>

enum save {
    SAVE_REPLACE, /* whatever stands there; its permissions are kept */
    SAVE_NEW      /* refuses when something stands there */
};
enum { SAVE_TEXT_MAX = 1 << 20 };

/* False: said on standard error; what stood there stands there still. */
bool save_file(const char *path, const char *text, size_t length, enum save how);
/* A whole file, or standard input for "-", ended by a zero that *length does not count; the caller
 * frees it. NULL: said on standard error (it cannot be read, or has more than SAVE_TEXT_MAX bytes).
 */
char *read_whole(const char *path, size_t *length);

#endif
