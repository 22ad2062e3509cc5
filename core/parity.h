/* Parity: what should have been traded against what was, as a pure function of two lists.
 *
 * Each expected row and each decision on record are matched by decision id. Slippage is the price of
 * what was executed against the price expected, signed so that worse is positive (a buy that was
 * dearer, a sell that was cheaper), in thousandths of a basis point. It is computed from whole
 * integers and rounded once, half away from zero:
 *
 *     of one row    (cost - executed x price) / (executed x price), a sell with the sign turned
 *     on average    the sum of the first over the sum of the second: weighed by money
 *     at worst      the largest of the rows'
 *
 * The fill rate is the money that was to be executed (due x price) and was, in parts per million,
 * rounded down, so that it is whole only when everything is; what was executed beyond what was due
 * does not make up for another row. */
#ifndef CORE_PARITY_H
#define CORE_PARITY_H

#include "core/oms.h"

enum { PARITY_ROWS_MAX = 1000000, PARITY_BP = 1000 /* thousandths in a basis point */ };
/* Of one row, quantity x price must stay below this (unit 1e-18: 10^18 of money), so that no sum or
 * ratio leaves its integer. */
#define PARITY_MONEY_MAX ((decimal_wide)1000000000000000000 * 1000000000000000000)

struct parity_expected {
    char id[OMS_DECISION_ID_SIZE];
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos;   /* ordered; > 0 */
    int64_t due_nanos;   /* to be executed of it; 0: nothing, and the price does not count */
    int64_t price_nanos; /* > 0, unless nothing is due */
};

/* A decision on record, and what came of it. */
struct parity_actual {
    char id[OMS_DECISION_ID_SIZE];
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos, filled_nanos;
    decimal_wide cost; /* sum of quantity x price of its executions, unit 1e-18 */
    bool elsewhere;    /* of another time than is compared: may match, is never unexpected */
};

/* kind, word, meaning */
#define PARITY_KINDS(X)                                                              \
    X(MATCHED, "matched", "decided as expected; executed or not")                    \
    X(MISSED, "missed", "expected, and nobody decided it")                           \
    X(DIFFERS, "differs", "decided under this id: another symbol, side or quantity") \
    X(UNEXPECTED, "unexpected", "decided, and nobody expected it")
enum parity_kind {
#define X(id, word, meaning) PARITY_##id,
    PARITY_KINDS(X)
#undef X
        PARITY_KIND_COUNT
};
const char *parity_kind_name(enum parity_kind kind);

struct parity_row {
    enum parity_kind kind;
    const struct parity_expected *expected; /* NULL: UNEXPECTED */
    const struct parity_actual *actual;     /* NULL: MISSED */
    bool executed;                          /* MATCHED: something was, and has a slippage */
    int64_t slippage;                       /* thousandths of a basis point */
};

/* Limits; what is past one is outside. */
struct parity_rules {
    size_t missed_max, unexpected_max;
    int64_t fill_min_ppm;
    bool limits_average, limits_worst;
    int64_t average_max, worst_max; /* thousandths of a basis point */
};

struct parity {              /* release with parity_free */
    struct parity_row *rows; /* expected ones in their order, then unexpected ones in theirs */
    size_t row_count;
    size_t counts[PARITY_KIND_COUNT];
    size_t full;      /* MATCHED rows of which everything due was executed */
    int64_t fill_ppm; /* a million when nothing was due */
    size_t executed;  /* rows with a slippage; 0: the next two say nothing */
    int64_t average, worst;
    const struct parity_row *worst_row;
    /* what is outside: nothing of it at all, when it agrees */
    bool too_many_missed, too_many_unexpected, filled_too_little, average_too_high, worst_too_high;
    bool agrees; /* all within the limits, and no row differs */
};

/* Ids are unique in each list; the lists outlive *parity. False: no memory, or a sum does not fit;
 * *error says which. Release in any case. */
bool parity_compare(const struct parity_expected *expected, size_t expected_count,
                    const struct parity_actual *actual, size_t actual_count,
                    const struct parity_rules *rules, struct parity *parity,
                    struct oms_error *error);
void parity_free(struct parity *parity);

#endif
