/* Reading a file of expected signals: JSON lines, or CSV with a line of column names.
 *
 * Both have the same fields, all needed, in any order: id, symbol, side (buy, sell), qty and price
 * (positive decimals, at most nine places), time (as in 2026-01-09T14:35:00Z). In JSON every value is
 * a string; in CSV no value is quoted. Which of them a file is, its first character says: a brace is
 * JSON. Empty lines say nothing. */
#ifndef CORE_LIVE_SIGNALS_H
#define CORE_LIVE_SIGNALS_H

#include "core/parity.h"

#include <stdio.h>

enum { SIGNALS_LINE_MAX = 4096, SIGNALS_WHY_SIZE = 400 };

struct signal_time {
    int64_t at_ns;
    unsigned long line; /* of the file, from 1 */
};
struct signals {               /* release with signals_free */
    struct parity_expected *v; /* everything of a signal is due */
    struct signal_time *times; /* the same rows */
    size_t n, cap;
};

/* Reads it all, at most PARITY_ROWS_MAX signals. False: `why` names the place ("NAME:3: ..."), the
 * value and the rule. Release *signals in any case. */
bool signals_read(FILE *file, const char *name, struct signals *signals,
                  char why[SIGNALS_WHY_SIZE]);
void signals_free(struct signals *signals);

#endif
