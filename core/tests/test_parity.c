/* Parity: matching, money-weighed fill rate, slippage to the thousandth of a basis point, limits. */
#include "core/parity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNIT ((int64_t)DECIMAL_NANOS)
enum { ROWS = 8 };

struct lists {
    struct parity_expected expected[ROWS];
    struct parity_actual actual[ROWS];
    size_t expected_count, actual_count;
    struct parity_rules rules;
    struct parity parity;
    struct oms_error error;
};

static void expect(struct lists *lists, const char *id, enum broker_side side, int64_t qty,
                   int64_t price_nanos) {
    struct parity_expected *row = &lists->expected[lists->expected_count++];
    *row = (struct parity_expected){
        .side = side, .qty_nanos = qty * UNIT, .due_nanos = qty * UNIT, .price_nanos = price_nanos};
    (void)snprintf(row->id, sizeof row->id, "%s", id);
    (void)snprintf(row->symbol, sizeof row->symbol, "AAPL");
}

static void have(struct lists *lists, const char *id, enum broker_side side, int64_t qty,
                 int64_t filled, int64_t price_nanos) {
    struct parity_actual *row = &lists->actual[lists->actual_count++];
    *row = (struct parity_actual){.side = side,
                                  .qty_nanos = qty * UNIT,
                                  .filled_nanos = filled * UNIT,
                                  .cost = (decimal_wide)filled * UNIT * price_nanos};
    (void)snprintf(row->id, sizeof row->id, "%s", id);
    (void)snprintf(row->symbol, sizeof row->symbol, "AAPL");
}

static bool compare(struct lists *lists) {
    parity_free(&lists->parity);
    return parity_compare(lists->expected, lists->expected_count, lists->actual,
                          lists->actual_count, &lists->rules, &lists->parity, &lists->error);
}

static void each_decision_is_one_row(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 100, 150 * UNIT);
    expect(&lists, "D2", BROKER_BUY, 100, 150 * UNIT);
    expect(&lists, "D3", BROKER_BUY, 100, 150 * UNIT);
    have(&lists, "D9", BROKER_BUY, 1, 0, 0);
    have(&lists, "D3", BROKER_SELL, 100, 100, 150 * UNIT);
    have(&lists, "D1", BROKER_BUY, 100, 100, 150 * UNIT);
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.row_count, 4);
    assert_int_equal(lists.parity.rows[0].kind, PARITY_MATCHED);
    assert_int_equal(lists.parity.rows[1].kind, PARITY_MISSED);
    assert_int_equal(lists.parity.rows[2].kind, PARITY_DIFFERS);
    assert_int_equal(lists.parity.rows[3].kind, PARITY_UNEXPECTED);
    assert_int_equal(lists.parity.full, 1);
    assert_int_equal(lists.parity.fill_ppm, 333333); /* a third, rounded down */
    assert_int_equal(lists.parity.executed, 1);
    assert_false(lists.parity.agrees);
    assert_true(lists.parity.too_many_missed && lists.parity.too_many_unexpected);
    lists.actual[0].elsewhere = lists.actual[2].elsewhere = true;
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.counts[PARITY_UNEXPECTED], 0);
    assert_int_equal(lists.parity.counts[PARITY_MATCHED], 1);
    lists.actual[0].elsewhere = false;
    lists.rules.missed_max = lists.rules.unexpected_max = 1;
    assert_true(compare(&lists));
    assert_false(lists.parity.too_many_missed || lists.parity.too_many_unexpected);
    assert_false(lists.parity.agrees); /* one differs, which no limit allows */
    parity_free(&lists.parity);
}

static void worse_is_positive_on_both_sides(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 10, 100 * UNIT);
    expect(&lists, "D2", BROKER_SELL, 10, 100 * UNIT);
    expect(&lists, "D3", BROKER_SELL, 10, 100 * UNIT);
    have(&lists, "D1", BROKER_BUY, 10, 10, 101 * UNIT);  /* dearer: 100 bp worse */
    have(&lists, "D2", BROKER_SELL, 10, 5, 99 * UNIT);   /* cheaper: 100 bp worse */
    have(&lists, "D3", BROKER_SELL, 10, 10, 102 * UNIT); /* 200 bp better */
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.rows[0].slippage, 100 * PARITY_BP);
    assert_int_equal(lists.parity.rows[1].slippage, 100 * PARITY_BP);
    assert_int_equal(lists.parity.rows[2].slippage, -200 * PARITY_BP);
    /* (10 + 5 - 20) of 2500 */
    assert_int_equal(lists.parity.average, -20 * PARITY_BP);
    assert_int_equal(lists.parity.worst, 100 * PARITY_BP);
    assert_ptr_equal(lists.parity.worst_row, &lists.parity.rows[0]); /* of equals the first */
    assert_int_equal(lists.parity.fill_ppm, 833333);
    parity_free(&lists.parity);
}

static void it_is_rounded_once_half_away_from_zero(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 1, 20000 * UNIT);
    have(&lists, "D1", BROKER_BUY, 1, 1, 20000 * UNIT + UNIT / 1000); /* 0.0005 bp */
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.average, 1);
    lists.expected[0].side = lists.actual[0].side = BROKER_SELL;
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.average, -1);
    lists.actual[0].cost -= 1;
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.average, 0);
    parity_free(&lists.parity);
}

static void limits_are_kept_to_the_thousandth(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 10, 100 * UNIT);
    have(&lists, "D1", BROKER_BUY, 10, 9, 101 * UNIT);
    lists.rules = (struct parity_rules){.fill_min_ppm = 900000,
                                        .limits_average = true,
                                        .limits_worst = true,
                                        .average_max = 100 * PARITY_BP,
                                        .worst_max = 100 * PARITY_BP};
    assert_true(compare(&lists));
    assert_true(lists.parity.agrees);
    lists.rules.fill_min_ppm++;
    lists.rules.average_max--;
    lists.rules.worst_max--;
    assert_true(compare(&lists));
    assert_false(lists.parity.agrees);
    assert_true(lists.parity.filled_too_little && lists.parity.average_too_high &&
                lists.parity.worst_too_high);
    parity_free(&lists.parity);
}

/* Of one ledger against another: what that one did not execute is not due here. */
static void what_is_not_due_is_no_lack(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 10, 0);
    lists.expected[0].due_nanos = 0;
    have(&lists, "D1", BROKER_BUY, 10, 0, 0);
    assert_true(compare(&lists));
    assert_true(lists.parity.agrees);
    assert_int_equal(lists.parity.fill_ppm, 1000000);
    assert_int_equal(lists.parity.executed, 0);
    parity_free(&lists.parity);
}

static void the_largest_amounts_are_exact_and_larger_ones_refused(void **state) {
    struct lists lists = {.expected_count = 0};
    (void)state;
    expect(&lists, "D1", BROKER_BUY, 999999999, 999999999 * UNIT);
    have(&lists, "D1", BROKER_BUY, 999999999, 999999999, 999999999 * UNIT + 1);
    assert_true(compare(&lists));
    assert_int_equal(lists.parity.average, 0);
    lists.expected[0].price_nanos = INT64_MAX;
    lists.actual[0].cost = (decimal_wide)lists.actual[0].filled_nanos * INT64_MAX;
    assert_false(compare(&lists));
    assert_non_null(strstr(lists.error.text, "decision \"D1\": quantity x price"));
    parity_free(&lists.parity);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_decision_is_one_row),
        cmocka_unit_test(worse_is_positive_on_both_sides),
        cmocka_unit_test(it_is_rounded_once_half_away_from_zero),
        cmocka_unit_test(limits_are_kept_to_the_thousandth),
        cmocka_unit_test(what_is_not_due_is_no_lack),
        cmocka_unit_test(the_largest_amounts_are_exact_and_larger_ones_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
