/* How an exploration grows with the number of orders: a table, and a plot as SVG. */
#ifndef REPORTS_GROWTH_H
#define REPORTS_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct report_growth {
    unsigned orders;
    uint64_t lives, crash_worlds, distinct;
};

/* Both write counts only, no times, so that the same program writes the same bytes everywhere.
 * False: `out` could not be written. */
bool report_growth_table(FILE *out, const struct report_growth *rows, size_t count);
bool report_growth_svg(FILE *out, const struct report_growth *rows, size_t count);

#endif
