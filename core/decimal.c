/* Exact decimals: text to billionths and back, and the one division that rounds. */
#include "core/decimal.h"

#include <string.h>

enum { NANO_DIGITS = 9, WIDE_DIGITS = 18 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Appends one decimal digit to a magnitude that may reach 2^63. */
static bool push_digit(uint64_t *magnitude, unsigned digit) {
    const uint64_t limit = UINT64_C(1) << 63;
    if (*magnitude > (limit - digit) / 10) {
        return false;
    }
    *magnitude = *magnitude * 10 + digit;
    return true;
}

bool decimal_parse_n(const char *text, size_t length, int64_t *nanos) {
    const char *at = text, *end = text + length;
    const bool negative = at < end && *at == '-';
    uint64_t magnitude = 0;
    int decimals = 0;

    at += negative;
    if (at == end || !is_digit(*at)) {
        return false;
    }
    for (; at < end && is_digit(*at); at++) {
        if (!push_digit(&magnitude, (unsigned)(*at - '0'))) {
            return false;
        }
    }
    if (at < end && *at == '.') {
        at++;
        if (at == end) {
            return false;
        }
        for (; at < end && is_digit(*at); at++) {
            if (decimals == NANO_DIGITS) {
                if (*at != '0') {
                    return false;
                }
                continue;
            }
            if (!push_digit(&magnitude, (unsigned)(*at - '0'))) {
                return false;
            }
            decimals++;
        }
    }
    if (at != end) {
        return false;
    }
    for (; decimals < NANO_DIGITS; decimals++) {
        if (!push_digit(&magnitude, 0)) {
            return false;
        }
    }
    if (!negative && magnitude > INT64_MAX) {
        return false;
    }
    *nanos = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool decimal_parse(const char *text, int64_t *nanos) {
    return decimal_parse_n(text, strlen(text), nanos);
}

/* Writes value / 10^digits, dropping trailing zeros beyond min_decimals. */
static char *format(decimal_wide value, int digits, int min_decimals, char *out) {
    __extension__ typedef unsigned __int128 magnitude_type;
    magnitude_type magnitude =
        value < 0 ? (magnitude_type)0 - (magnitude_type)value : (magnitude_type)value;
    char reversed[DECIMAL_TEXT_MAX];
    int count = 0, drop = 0, length = 0;

    while (magnitude > 0 || count <= digits) {
        reversed[count++] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    }
    while (drop < digits - min_decimals && reversed[drop] == '0') {
        drop++;
    }
    if (value < 0) {
        out[length++] = '-';
    }
    for (int i = count - 1; i >= drop; i--) {
        if (i == digits - 1) {
            out[length++] = '.';
        }
        out[length++] = reversed[i];
    }
    out[length] = '\0';
    return out;
}

char *decimal_format(int64_t nanos, int min_decimals, char *out) {
    return format(nanos, NANO_DIGITS, min_decimals, out);
}

char *decimal_format_wide(decimal_wide value, int min_decimals, char *out) {
    return format(value, WIDE_DIGITS, min_decimals, out);
}

decimal_wide decimal_divide_rounded(decimal_wide numerator, decimal_wide denominator) {
    const decimal_wide quotient = numerator / denominator;
    const decimal_wide rest = numerator % denominator;
    const decimal_wide rest_size = rest < 0 ? -rest : rest;
    const decimal_wide divisor_size = denominator < 0 ? -denominator : denominator;

    if (rest_size < divisor_size - rest_size) {
        return quotient;
    }
    return (numerator < 0) == (denominator < 0) ? quotient + 1 : quotient - 1;
}
