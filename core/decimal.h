/* Exact decimals: quantities and prices as whole billionths ("nanos"); no double touches them. */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_NANOS = 1000000000, DECIMAL_TEXT_MAX = 48 };

/* A product of two nanos (money: quantity x price) needs 128 bits; its unit is 1e-18. */
__extension__ typedef __int128 decimal_wide;

/* Reads "[-]digits[.digits]" with at most nine decimals into nanos.
 * False, and *nanos untouched, when the text has any other character, is empty, has more than
 * nine significant decimals, or does not fit. Trailing zeros beyond nine decimals are allowed. */
bool decimal_parse(const char *text, int64_t *nanos);

/* As decimal_parse, for the first `length` bytes of text. */
bool decimal_parse_n(const char *text, size_t length, int64_t *nanos);

/* Writes nanos with as few decimals as are exact ("100", "150.5"), at least `min_decimals` (0..9).
 * Returns `out`, which must hold DECIMAL_TEXT_MAX bytes. */
char *decimal_format(int64_t nanos, int min_decimals, char *out);

/* Writes a wide value (unit 1e-18) exactly; same rules, at most eighteen decimals. */
char *decimal_format_wide(decimal_wide value, int min_decimals, char *out);

/* numerator / denominator rounded half away from zero. The denominator is not zero. */
decimal_wide decimal_divide_rounded(decimal_wide numerator, decimal_wide denominator);

#endif
