/* Matching what was expected with what was decided, and measuring it. */
#include "core/parity.h"

#include "core/check.h"
#include "core/index.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

enum { SLIPPAGE_DIGITS = 7 /* a ratio of 1 is 10^7 thousandths of a basis point */ };
enum { PPM_DIGITS = 6 };

const char *parity_kind_name(enum parity_kind kind) {
    static const char *const names[] = {
#define X(id, word, meaning) word,
        PARITY_KINDS(X)
#undef X
    };
    return names[kind];
}

/* ---- ratios ---- */

static decimal_wide magnitude(decimal_wide value) {
    return value < 0 ? -value : value;
}

/* numerator x 10^digits / denominator, digit by digit, so that no product leaves its integer. Both
 * are at most a tenth of the widest integer; the denominator is positive. Rounded half away from
 * zero when `nearest`, else toward zero. What is wider than 64 bits ends at their edge. */
static int64_t scaled_ratio(decimal_wide numerator, decimal_wide denominator, int digits,
                            bool nearest) {
    const decimal_wide edge = INT64_MAX;
    decimal_wide rest = magnitude(numerator), quotient;

    CHECK(denominator > 0);
    quotient = rest / denominator;
    rest %= denominator;
    for (int i = 0; i < digits && quotient <= edge; i++) {
        rest *= 10;
        quotient = quotient * 10 + rest / denominator;
        rest %= denominator;
    }
    quotient += nearest && rest >= denominator - rest;
    quotient = quotient > edge ? edge : quotient;
    return (int64_t)(numerator < 0 ? -quotient : quotient);
}

/* ---- rows ---- */

static bool is_as_expected(const struct parity_expected *expected,
                           const struct parity_actual *actual) {
    return strcmp(expected->symbol, actual->symbol) == 0 && expected->side == actual->side &&
           expected->qty_nanos == actual->qty_nanos;
}

/* Money over a whole list. */
struct sums {
    decimal_wide due, done; /* of what was to be executed */
    decimal_wide base,
        worse; /* what was executed at the expected price, and how much worse it was */
};

/* False: it does not fit. */
static bool add(decimal_wide *sum, decimal_wide value) {
    return !__builtin_add_overflow(*sum, value, sum) && magnitude(*sum) < PARITY_MONEY_MAX * 10;
}

static bool measure(const struct parity_expected *expected, const struct parity_actual *actual,
                    struct parity_row *row, struct sums *sums) {
    const decimal_wide price = expected->price_nanos;
    const int64_t filled = actual != NULL ? actual->filled_nanos : 0;
    const int64_t done = filled < expected->due_nanos ? filled : expected->due_nanos;
    const decimal_wide base = filled * price;
    decimal_wide worse;

    if (!add(&sums->due, expected->due_nanos * price) || !add(&sums->done, done * price)) {
        return false;
    }
    if (base == 0) {
        return true;
    }
    worse = expected->side == BROKER_BUY ? actual->cost - base : base - actual->cost;
    if (magnitude(actual->cost) >= PARITY_MONEY_MAX || base >= PARITY_MONEY_MAX ||
        !add(&sums->base, base) || !add(&sums->worse, worse)) {
        return false;
    }
    row->executed = true;
    row->slippage = scaled_ratio(worse, base, SLIPPAGE_DIGITS, true);
    return true;
}

static bool does_not_fit(const char *id, struct oms_error *error) {
    text_error(error,
               "decision \"%.128s\": quantity x price, or the sum up to it, must be below %s", id,
               "10^18");
    return false;
}

static bool no_memory(struct oms_error *error) {
    text_error(error, "no memory for the comparison");
    return false;
}

/* ---- the lists ---- */

struct pass {
    const struct parity_expected *expected;
    const struct parity_actual *actual;
    size_t expected_count, actual_count;
    struct index expected_by_id, actual_by_id;
    struct sums sums;
};

static bool index_lists(struct pass *pass) {
    bool ok = true;
    /* the index gives both back unchanged */
    for (size_t i = 0; ok && i < pass->expected_count; i++) {
        ok = index_put(&pass->expected_by_id, pass->expected[i].id,
                       (void *)(uintptr_t)&pass->expected[i]);
    }
    for (size_t i = 0; ok && i < pass->actual_count; i++) {
        ok =
            index_put(&pass->actual_by_id, pass->actual[i].id, (void *)(uintptr_t)&pass->actual[i]);
    }
    return ok;
}

static struct parity_row *add_row(struct parity *parity, enum parity_kind kind,
                                  const struct parity_expected *expected,
                                  const struct parity_actual *actual) {
    struct parity_row *row = &parity->rows[parity->row_count++];
    *row = (struct parity_row){.kind = kind, .expected = expected, .actual = actual};
    parity->counts[kind]++;
    return row;
}

static bool match_expected(struct pass *pass, struct parity *parity, struct oms_error *error) {
    for (size_t i = 0; i < pass->expected_count; i++) {
        const struct parity_expected *expected = &pass->expected[i];
        const struct parity_actual *actual = index_get(&pass->actual_by_id, expected->id);
        const enum parity_kind kind = actual == NULL                     ? PARITY_MISSED
                                      : is_as_expected(expected, actual) ? PARITY_MATCHED
                                                                         : PARITY_DIFFERS;
        struct parity_row *row = add_row(parity, kind, expected, actual);
        if (!measure(expected, kind == PARITY_MATCHED ? actual : NULL, row, &pass->sums)) {
            return does_not_fit(expected->id, error);
        }
        parity->full += kind == PARITY_MATCHED && actual->filled_nanos >= expected->due_nanos;
        parity->executed += row->executed;
        if (row->executed &&
            (parity->worst_row == NULL || row->slippage > parity->worst_row->slippage)) {
            parity->worst_row = row;
        }
    }
    return true;
}

static void list_unexpected(struct pass *pass, struct parity *parity) {
    for (size_t i = 0; i < pass->actual_count; i++) {
        const struct parity_actual *actual = &pass->actual[i];
        if (!actual->elsewhere && index_get(&pass->expected_by_id, actual->id) == NULL) {
            (void)add_row(parity, PARITY_UNEXPECTED, NULL, actual);
        }
    }
}

static void sum_up(const struct pass *pass, const struct parity_rules *rules,
                   struct parity *parity) {
    const struct sums *sums = &pass->sums;

    parity->fill_ppm =
        sums->due == 0 ? 1000000 : scaled_ratio(sums->done, sums->due, PPM_DIGITS, false);
    if (parity->executed > 0) {
        parity->average = scaled_ratio(sums->worse, sums->base, SLIPPAGE_DIGITS, true);
        parity->worst = parity->worst_row->slippage;
    }
    parity->too_many_missed = parity->counts[PARITY_MISSED] > rules->missed_max;
    parity->too_many_unexpected = parity->counts[PARITY_UNEXPECTED] > rules->unexpected_max;
    parity->filled_too_little = parity->fill_ppm < rules->fill_min_ppm;
    parity->average_too_high = rules->limits_average && parity->average > rules->average_max;
    parity->worst_too_high = rules->limits_worst && parity->worst > rules->worst_max;
    parity->agrees = parity->counts[PARITY_DIFFERS] == 0 && !parity->too_many_missed &&
                     !parity->too_many_unexpected && !parity->filled_too_little &&
                     !parity->average_too_high && !parity->worst_too_high;
}

bool parity_compare(const struct parity_expected *expected, size_t expected_count,
                    const struct parity_actual *actual, size_t actual_count,
                    const struct parity_rules *rules, struct parity *parity,
                    struct oms_error *error) {
    struct pass pass = {.expected = expected,
                        .actual = actual,
                        .expected_count = expected_count,
                        .actual_count = actual_count};
    bool ok;

    *parity =
        (struct parity){.rows = calloc(expected_count + actual_count + 1, sizeof *parity->rows)};
    ok = (parity->rows != NULL && index_lists(&pass)) || no_memory(error);
    ok = ok && match_expected(&pass, parity, error);
    if (ok) {
        list_unexpected(&pass, parity);
        sum_up(&pass, rules, parity);
    }
    index_free(&pass.expected_by_id);
    index_free(&pass.actual_by_id);
    return ok;
}

void parity_free(struct parity *parity) {
    free(parity->rows);
    *parity = (struct parity){.rows = NULL};
}
