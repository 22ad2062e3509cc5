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

/* Whoever opens the name sees what stood there or the whole of this. False: errno says what failed,
 * and what stood there stands there still (unless only its folder could not be made durable). */
bool save_bytes(const char *path, const char *text, size_t length, enum save how);
/* The same; false: said on standard error. */
bool save_file(const char *path, const char *text, size_t length, enum save how);
/* A whole file, or standard input for "-", ended by a zero that *length does not count; the caller
 * frees it. NULL: said on standard error (it cannot be read, or has more than SAVE_TEXT_MAX bytes).
 */
char *read_whole(const char *path, size_t *length);
/* A file of at most so many bytes, as text; the caller frees it. NULL: `why` says why. */
char *read_regular(const char *path, long most, char *why, size_t why_size);

#endif
