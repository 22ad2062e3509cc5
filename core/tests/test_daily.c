/* A day held against the broker's: what differs and how bad it is, from two lists; and what a
 * running instance makes of it. */
#include "core/daily.h"
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 8, DAY_S = 86400 };

/* ---- two lists ---- */

struct lists {
    struct daily_order orders[ROWS];
    struct broker_order listed[ROWS];
    struct broker_fill ours[ROWS], theirs[ROWS];
    struct position begins[1];
    struct daily_sides sides;
    struct reconcile_found found;
    struct oms_daily_symbol symbols[1];
    size_t symbol_count;
};

static struct broker_fill fill_of(const char *id, int64_t qty, int64_t price) {
    struct broker_fill fill = {.side = qty > 0 ? BROKER_BUY : BROKER_SELL,
                               .qty_nanos = (qty > 0 ? qty : -qty) * UNIT,
                               .price_nanos = price * UNIT};
    (void)snprintf(fill.execution_id, sizeof fill.execution_id, "%s", id);
    (void)snprintf(fill.symbol, sizeof fill.symbol, "AAPL");
    return fill;
}

/* An order of 100, filled at 150 on both sides; then sold for 152. */
static void lists_start(struct lists *lists) {
    memset(lists, 0, sizeof *lists);
    for (int i = 0; i < 2; i++) {
        lists->listed[i] =
            (struct broker_order){.filled_nanos = 100 * UNIT, .status = BROKER_STATUS_FILLED};
        (void)snprintf(lists->listed[i].id, sizeof lists->listed[i].id, "O%d", i + 1);
        lists->orders[i] = (struct daily_order){.symbol = "AAPL",
                                                .broker_order_id = lists->listed[i].id,
                                                .filled_nanos = 100 * UNIT,
                                                .ended = true,
                                                .listed = &lists->listed[i]};
        lists->ours[i] = lists->theirs[i] =
            i == 0 ? fill_of("e1", 100, 150) : fill_of("e2", -100, 152);
    }
    (void)snprintf(lists->begins[0].symbol, sizeof lists->begins[0].symbol, "AAPL");
    lists->sides = (struct daily_sides){.orders = lists->orders,
                                        .order_count = 2,
                                        .ours = lists->ours,
                                        .theirs = lists->theirs,
                                        .our_count = 2,
                                        .their_count = 2,
                                        .begins = lists->begins,
                                        .begin_count = 1,
                                        .name = "2026-01-09"};
}

static void compare(struct lists *lists) {
    reconcile_free(&lists->found);
    assert_true(daily_compare(&lists->sides, &lists->found, lists->symbols, &lists->symbol_count));
}

static void expect_found(const struct lists *lists, size_t at, enum oms_discrepancy_type type,
                         enum oms_severity severity, const char *ref) {
    assert_true(at < lists->found.n);
    assert_int_equal(lists->found.v[at].type, type);
    assert_int_equal(lists->found.v[at].severity, severity);
    assert_string_equal(lists->found.v[at].ref, ref);
    assert_string_equal(lists->found.v[at].symbol, "AAPL");
    assert_false(lists->found.v[at].explained);
}

static void a_day_that_agrees_has_nothing_to_find_and_its_profit_to_tell(void **state) {
    struct lists lists;
    (void)state;
    lists_start(&lists);
    compare(&lists);
    assert_int_equal(lists.found.n, 0);
    assert_int_equal(lists.symbol_count, 1);
    assert_int_equal(lists.symbols[0].oms_executions, 2);
    assert_int_equal(lists.symbols[0].broker_executions, 2);
    assert_true(lists.symbols[0].oms_realized == (decimal_wide)200 * UNIT * UNIT);
    assert_true(lists.symbols[0].broker_realized == lists.symbols[0].oms_realized);
    reconcile_free(&lists.found);
}

static void profit_counts_from_the_position_the_day_begins_with(void **state) {
    struct lists lists;
    (void)state;
    lists_start(&lists);
    lists.begins[0].qty = 100 * UNIT;
    lists.begins[0].cost = (decimal_wide)100 * UNIT * 140 * UNIT;
    lists.begins[0].realized = 7;
    compare(&lists);
    /* 200 at 145 on average, of which 100 went for 152 */
    assert_true(lists.symbols[0].oms_realized == (decimal_wide)700 * UNIT * UNIT);
    reconcile_free(&lists.found);
}

static void an_execution_that_only_one_side_has_is_critical(void **state) {
    struct lists lists;
    (void)state;
    lists_start(&lists);
    lists.sides.their_count = 1;
    compare(&lists);
    expect_found(&lists, 0, OMS_MISSING_IN_BROKER, OMS_CRITICAL, "e2");
    expect_found(&lists, 1, OMS_PRICE_MISMATCH, OMS_WARNING, "profit 2026-01-09");
    assert_int_equal(lists.found.n, 2);
    lists.sides.their_count = 2;
    lists.sides.our_count = 1;
    compare(&lists);
    expect_found(&lists, 0, OMS_UNKNOWN_FILL, OMS_CRITICAL, "e2");
    assert_int_equal(lists.found.v[1].oms_nanos, 0);
    assert_int_equal(lists.found.v[1].broker_nanos, 200 * UNIT);
    reconcile_free(&lists.found);
}

static void another_quantity_is_critical_and_another_price_a_warning(void **state) {
    struct lists lists;
    (void)state;
    lists_start(&lists);
    lists.theirs[0].price_nanos += 1;
    compare(&lists);
    expect_found(&lists, 0, OMS_PRICE_MISMATCH, OMS_WARNING, "e1");
    expect_found(&lists, 1, OMS_PRICE_MISMATCH, OMS_WARNING, "profit 2026-01-09");
    reconcile_free(&lists.found);
    lists_start(&lists);
    lists.theirs[1].side = BROKER_BUY;
    compare(&lists);
    expect_found(&lists, 0, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, "e2");
    assert_int_equal(lists.found.v[0].oms_nanos, -100 * UNIT);
    assert_int_equal(lists.found.v[0].broker_nanos, 100 * UNIT);
    reconcile_free(&lists.found);
}

static void orders_are_held_against_the_list(void **state) {
    struct lists lists;
    (void)state;
    lists_start(&lists);
    lists.orders[0].listed = NULL;
    lists.listed[1].filled_nanos = 90 * UNIT;
    compare(&lists);
    expect_found(&lists, 0, OMS_MISSING_IN_BROKER, OMS_CRITICAL, "O1");
    expect_found(&lists, 1, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, "O2");
    assert_int_equal(lists.found.n, 2);
    lists.orders[0].filled_nanos = 0;
    lists.listed[1].filled_nanos = 100 * UNIT;
    lists.listed[1].status = BROKER_STATUS_NEW;
    compare(&lists);
    expect_found(&lists, 0, OMS_MISSING_IN_BROKER, OMS_WARNING, "O1");
    expect_found(&lists, 1, OMS_ORPHAN_ORDER, OMS_WARNING, "O2");
    assert_int_equal(lists.found.n, 2);
    reconcile_free(&lists.found);
}

/* ---- a running instance ---- */

static void ask_for_day(struct desk *desk, int64_t day, struct oms_daily *daily) {
    assert_int_equal(oms_request_daily(desk->oms, day, &desk->error), OMS_OK);
    settle(desk);
    assert_int_equal(oms_daily(desk->oms, daily, &desk->error), OMS_OK);
    assert_int_equal(daily->day, day == OMS_TODAY ? FAKE_START_S / DAY_S : day);
}

/* D1 buys 100 at 150 and is filled. */
static void trade(struct desk *desk) {
    desk_start(desk, "alpaca");
    take(desk, "D1");
    settle(desk);
    fake_fill(&desk->fake, NULL, 100 * UNIT, 150 * UNIT);
    pass(desk, 3 * SECOND);
    assert_state(desk, "D1", OMS_STATE_FILLED);
}

static void a_day_that_agrees_is_on_record_like_any_comparison(void **state) {
    struct desk desk;
    struct oms_daily daily;
    (void)state;
    trade(&desk);
    ask_for_day(&desk, OMS_TODAY, &daily);
    assert_int_equal(daily.run, 2);
    assert_int_equal(daily.orders, 1);
    assert_int_equal(daily.open + daily.held + daily.in_doubt, 0);
    assert_int_equal(daily.found_count, 0);
    assert_int_equal(daily.symbol_count, 1);
    assert_int_equal(daily.symbols[0].oms_executions, 1);
    assert_int_equal(daily.symbols[0].broker_executions, 1);
    oms_daily_free(&daily);
    desk_close(&desk);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM runs WHERE id = 2 AND why = ''"), 1);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM journal WHERE kind = 'daily' AND "
                                       "run = 2 AND text LIKE '2026-01-09: 1 orders; executions: "
                                       "OMS 1, broker 1; %'"),
                     1);
    desk_end(&desk);
}

static void what_was_missed_is_explained_and_booked_first(void **state) {
    struct desk desk;
    struct oms_daily daily;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    ask_for_day(&desk, OMS_TODAY, &daily);
    assert_int_equal(daily.found_count, 1);
    assert_int_equal(daily.found[0].type, OMS_MISSING_IN_OMS);
    assert_true(daily.found[0].explained);
    assert_int_equal(daily.symbols[0].oms_executions, 1);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    oms_daily_free(&daily);
    desk_end(&desk);
}

static void an_execution_with_another_price_there_is_found_of_a_finished_order(void **state) {
    struct desk desk;
    struct oms_daily daily;
    (void)state;
    trade(&desk);
    desk.fake.fills.v[0].price_nanos += UNIT;
    ask_for_day(&desk, OMS_TODAY, &daily);
    assert_int_equal(daily.found_count, 2); /* and that of the position, well within tolerance */
    assert_int_equal(daily.found[1].severity, OMS_INFO); /* may be timing */
    oms_daily_free(&daily);
    pass(&desk, 6 * SECOND); /* and is looked at again, as a whole day */
    assert_int_equal(oms_daily(desk.oms, &daily, &desk.error), OMS_OK);
    assert_int_equal(daily.found_count, 2);
    assert_int_equal(daily.found[1].type, OMS_PRICE_MISMATCH);
    assert_int_equal(daily.found[1].severity, OMS_WARNING);
    assert_int_equal(daily.found[1].run, daily.run);
    oms_daily_free(&daily);
    desk_end(&desk);
}

static void an_execution_that_the_broker_no_longer_has_stops_trading(void **state) {
    struct desk desk;
    struct oms_daily daily;
    struct oms_view view;
    (void)state;
    trade(&desk);
    desk.fake.fills.n = 0;
    ask_for_day(&desk, OMS_TODAY, &daily);
    oms_daily_free(&daily);
    pass(&desk, 6 * SECOND);
    assert_int_equal(oms_daily(desk.oms, &daily, &desk.error), OMS_OK);
    assert_true(daily.found_count >= 1);
    assert_int_equal(daily.found[daily.found_count - 1].type, OMS_MISSING_IN_BROKER);
    assert_int_equal(daily.found[daily.found_count - 1].severity, OMS_CRITICAL);
    oms_daily_free(&daily);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

static void each_day_has_its_own_orders_and_executions(void **state) {
    struct desk desk;
    struct oms_daily daily;
    const int64_t first = FAKE_START_S / DAY_S;
    (void)state;
    trade(&desk);
    pass(&desk, DAY_S * SECOND);
    assert_int_equal(oms_request_daily(desk.oms, OMS_TODAY, &desk.error), OMS_OK);
    settle(&desk);
    assert_int_equal(oms_daily(desk.oms, &daily, &desk.error), OMS_OK);
    assert_int_equal(daily.day, first + 1);
    assert_int_equal(daily.orders, 0);
    assert_int_equal(daily.symbol_count, 0);
    oms_daily_free(&daily);
    ask_for_day(&desk, first, &daily);
    assert_int_equal(daily.orders, 1);
    assert_int_equal(daily.symbol_count, 1);
    oms_daily_free(&daily);
    assert_int_equal(oms_request_daily(desk.oms, first + 2, &desk.error), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "must have begun"));
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_that_agrees_has_nothing_to_find_and_its_profit_to_tell),
        cmocka_unit_test(profit_counts_from_the_position_the_day_begins_with),
        cmocka_unit_test(an_execution_that_only_one_side_has_is_critical),
        cmocka_unit_test(another_quantity_is_critical_and_another_price_a_warning),
        cmocka_unit_test(orders_are_held_against_the_list),
        cmocka_unit_test(a_day_that_agrees_is_on_record_like_any_comparison),
        cmocka_unit_test(what_was_missed_is_explained_and_booked_first),
        cmocka_unit_test(an_execution_with_another_price_there_is_found_of_a_finished_order),
        cmocka_unit_test(an_execution_that_the_broker_no_longer_has_stops_trading),
        cmocka_unit_test(each_day_has_its_own_orders_and_executions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
