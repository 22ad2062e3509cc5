/* Whole numbers as people write them on a command line or in a manifest: digits and nothing else. */
#ifndef SCENARIOS_CLI_NUMBERS_H
#define SCENARIOS_CLI_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* The number that *text begins with; *text moves behind it. False: it begins with no digit, or the
 * number does not fit. */
bool number_take(const char **text, uint64_t *value);
/* A whole text that is one number. */
bool number_read(const char *text, uint64_t *value);
/* "A..B" with A <= B, or "A" alone, which is A..A. The most there is is UINT64_MAX / 2. */
bool number_read_range(const char *text, uint64_t *first, uint64_t *last);

#endif
