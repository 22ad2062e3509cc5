/* What is booked besides plain executions: busts, corrections, adjustments, and what all of it makes
 * of the profit. */
#include "core/engine.h"
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY (86400 * SECOND)

static void look(struct desk *desk, struct oms_view *view) {
    assert_int_equal(oms_view(desk->oms, view, &desk->error), OMS_OK);
}

static void ask_to_compare(struct desk *desk) {
    assert_int_equal(oms_request_reconcile(desk->oms), OMS_OK);
    settle(desk);
}

static const char *newest_execution(const struct desk *desk) {
    return desk->fake.fills.v[desk->fake.fills.n - 1].execution_id;
}

static void assert_position(struct desk *desk, int64_t qty, int64_t price) {
    struct oms_view view;
    look(desk, &view);
    assert_int_equal(view.position_count, qty != 0);
    if (qty != 0) {
        assert_int_equal(view.positions[0].qty_nanos, qty);
        assert_int_equal(view.positions[0].avg_price_nanos, price);
    }
    oms_view_free(&view);
}

/* Starting again reads it all back and checks that it adds up. */
static void start_again(struct desk *desk) {
    desk_kill(desk);
    desk_open(desk);
    settle(desk);
}

/* D1 is filled in two parts, of 60 at 150 and of 40 at 149. */
static void fill_d1(struct desk *desk, char first[BROKER_EXECUTION_ID_SIZE]) {
    desk_start(desk, "alpaca");
    take(desk, "D1");
    settle(desk);
    fake_fill(&desk->fake, NULL, 60 * UNIT, 150 * UNIT);
    (void)snprintf(first, BROKER_EXECUTION_ID_SIZE, "%s", newest_execution(desk));
    pass(desk, 3 * SECOND);
    fake_fill(&desk->fake, NULL, 40 * UNIT, 149 * UNIT);
    pass(desk, 3 * SECOND);
    assert_state(desk, "D1", OMS_STATE_FILLED);
}

/* An execution made it whole after it had expired, and the next took that back. */
static void an_order_that_was_whole_for_a_moment_ends_as_it_did_at_the_broker(void **state) {
    static const struct {
        enum broker_status status;
        enum oms_state state;
    } ends[] = {{BROKER_STATUS_EXPIRED, OMS_STATE_EXPIRED},
                {BROKER_STATUS_CANCELED, OMS_STATE_CANCELED},
                {BROKER_STATUS_REJECTED, OMS_STATE_CANCELED}};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char first[BROKER_EXECUTION_ID_SIZE];
        struct desk desk;
        fill_d1(&desk, first);
        fake_correct(&desk.fake, first, "B1", 0, 0);
        desk.fake.orders.v[0].status = ends[i].status;
        ask_to_compare(&desk);
        assert_state(&desk, "D1", ends[i].state);
        desk_end(&desk);
    }
}

static void a_bust_of_a_finished_order_is_booked_by_the_next_comparison(void **state) {
    char first[BROKER_EXECUTION_ID_SIZE];
    struct oms_view view;
    struct desk desk;
    (void)state;
    fill_d1(&desk, first);
    fake_correct(&desk.fake, first, "B1", 0, 0);
    ask_to_compare(&desk);
    look(&desk, &view);
    assert_int_equal(view.discrepancies[view.discrepancy_count - 1].type, OMS_PARTIAL_FILL);
    assert_true(view.discrepancies[0].explained);
    assert_false(view.kill_switch);
    assert_false(view.looks_again);
    oms_view_free(&view);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_true(order_of(&desk, "D1").filled_nanos == 40 * UNIT);
    assert_non_null(strstr(order_of(&desk, "D1").reason, "took an execution back"));
    assert_position(&desk, 40 * UNIT, 149 * UNIT);
    ask_to_compare(&desk); /* told again, it is booked already */
    assert_position(&desk, 40 * UNIT, 149 * UNIT);
    start_again(&desk);
    assert_position(&desk, 40 * UNIT, 149 * UNIT);
    desk_end(&desk);
}

static void a_correction_can_be_corrected_and_the_newest_counts(void **state) {
    char first[BROKER_EXECUTION_ID_SIZE];
    struct desk desk;
    (void)state;
    fill_d1(&desk, first);
    fake_correct(&desk.fake, first, "C1", 50 * UNIT, 151 * UNIT);
    ask_to_compare(&desk);
    assert_true(order_of(&desk, "D1").filled_nanos == 90 * UNIT);
    desk.fake.now_ns += SECOND;
    fake_correct(&desk.fake, first, "C2", 60 * UNIT, 149 * UNIT);
    (void)snprintf(desk.fake.fills.v[desk.fake.fills.n - 1].refers, BROKER_EXECUTION_ID_SIZE, "C1");
    /* the fake knows roots only; the OMS must find it through C1 */
    desk.fake.fills.v[desk.fake.fills.n - 2].qty_nanos = 60 * UNIT;
    desk.fake.fills.v[desk.fake.fills.n - 2].price_nanos = 149 * UNIT;
    ask_to_compare(&desk);
    assert_true(order_of(&desk, "D1").filled_nanos == 100 * UNIT);
    assert_position(&desk, 100 * UNIT, 149 * UNIT);
    start_again(&desk);
    assert_position(&desk, 100 * UNIT, 149 * UNIT);
    desk_end(&desk);
}

static void an_execution_and_its_bust_may_come_together(void **state) {
    char first[BROKER_EXECUTION_ID_SIZE];
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk_kill(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    (void)snprintf(first, sizeof first, "%s", newest_execution(&desk));
    desk.fake.now_ns += SECOND;
    fake_correct(&desk.fake, first, "B1", 0, 0);
    desk_open(&desk);
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_position(&desk, 0, 0);
    start_again(&desk);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    desk_end(&desk);
}

static void a_correction_of_what_nobody_knows_stops_trading_after_its_grace(void **state) {
    char first[BROKER_EXECUTION_ID_SIZE];
    struct oms_view view;
    struct desk desk;
    (void)state;
    fill_d1(&desk, first);
    fake_correct(&desk.fake, first, "C1", 60 * UNIT, 150 * UNIT);
    (void)snprintf(desk.fake.fills.v[desk.fake.fills.n - 1].refers, BROKER_EXECUTION_ID_SIZE, "X9");
    ask_to_compare(&desk);
    look(&desk, &view);
    assert_int_equal(view.discrepancies[view.discrepancy_count - 1].type, OMS_UNKNOWN_FILL);
    assert_false(view.kill_switch);
    oms_view_free(&view);
    pass(&desk, 6 * SECOND);
    look(&desk, &view);
    assert_true(view.kill_switch);
    assert_non_null(strstr(view.kill_reason, "a correction of an execution the OMS does not know"));
    oms_view_free(&view);
    desk_end(&desk);
}

static void a_damaged_correction_keeps_the_desk_closed(void **state) {
    char first[BROKER_EXECUTION_ID_SIZE];
    struct desk desk;
    (void)state;
    fill_d1(&desk, first);
    fake_correct(&desk.fake, first, "B1", 0, 0);
    ask_to_compare(&desk);
    desk_close(&desk);
    run_sql_on(&desk, "UPDATE fills SET refers = '' WHERE refers <> ''");
    assert_int_equal(desk_try_open(&desk), OMS_CORRUPT);
    assert_non_null(strstr(desk.error.text, "0 corrections, it counted 1"));
    run_sql_on(&desk, "UPDATE fills SET qty = 1, refers = 'x' WHERE execution_id = 'B1'");
    assert_int_equal(desk_try_open(&desk), OMS_CORRUPT);
    desk_end(&desk);
}

/* ---- adjustments ---- */

static void open_with_difference(struct desk *desk, int64_t theirs, int64_t ppm) {
    const struct oms_opening opening = {
        .symbol = "MSFT", .qty_nanos = 100 * UNIT, .price_nanos = 400 * UNIT};
    struct broker_position *row;
    desk_prepare(desk, "alpaca");
    desk->config.self_heal_ppm = ppm;
    desk_make_with(desk, &opening, 1);
    row = broker_positions_add(&desk->fake.extra);
    *row = (struct broker_position){
        .symbol = "MSFT", .qty_nanos = theirs, .avg_price_nanos = 410 * UNIT};
    desk_open(desk);
    settle(desk);
}

static void what_is_within_the_bound_is_adjusted_after_its_grace_with_evidence(void **state) {
    struct oms_profits profits;
    struct oms_view view;
    struct desk desk;
    (void)state;
    open_with_difference(&desk, 95 * UNIT, 60000);
    assert_position(&desk, 100 * UNIT, 400 * UNIT);
    pass(&desk, 5 * SECOND);
    assert_position(&desk, 95 * UNIT, 400 * UNIT);
    assert_string_equal(desk.fake.last_alarm,
                        "adjusted MSFT: sell 5 at the broker's average price 410");
    look(&desk, &view);
    assert_false(view.kill_switch);
    assert_int_equal(view.discrepancies[view.discrepancy_count - 1].severity, OMS_WARNING);
    assert_true(view.profits[0].adjusted);
    assert_true(view.profits[0].realized == (decimal_wide)50 * UNIT * UNIT);
    oms_view_free(&view);
    assert_int_equal(desk.fake.submits, 0);
    assert_int_equal(oms_profits(desk.oms, &profits, &desk.error), OMS_OK);
    assert_int_equal(profits.n, 1);
    assert_true(profits.v[0].adjusted);
    oms_profits_free(&profits);
    start_again(&desk);
    pass(&desk, 10 * SECOND);
    assert_position(&desk, 95 * UNIT, 400 * UNIT);
    desk_close(&desk);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM journal WHERE kind = 'adjustment' AND "
                                       "run = 2 AND ref = 'adjust:2:MSFT' AND "
                                       "oms_value = 100000000000 AND broker_value = 95000000000"),
                     1);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM fills WHERE order_id = 0"), 1);
    desk_end(&desk);
}

static void what_is_beyond_the_bound_or_not_allowed_stops_trading(void **state) {
    static const struct {
        int64_t theirs, ppm;
    } cases[] = {{95 * UNIT, 0}, {94 * UNIT, 60000}, {-100 * UNIT, 500000}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oms_view view;
        struct desk desk;
        open_with_difference(&desk, cases[i].theirs, cases[i].ppm);
        pass(&desk, 10 * SECOND);
        assert_position(&desk, 100 * UNIT, 400 * UNIT);
        look(&desk, &view);
        assert_true(view.kill_switch);
        oms_view_free(&view);
        desk_end(&desk);
    }
}

/* ---- profit ---- */

static void trade(struct desk *desk, const char *id, enum broker_side side, int64_t qty,
                  int64_t price) {
    struct oms_decision decision = decision_of(id);
    decision.side = side;
    decision.qty_nanos = qty;
    decision.limit_nanos = price;
    (void)decide(desk, &decision);
    settle(desk);
    fake_fill(&desk->fake, NULL, qty, price);
    pass(desk, 3 * SECOND);
}

static void profit_is_told_by_symbol_and_day_and_survives_a_start(void **state) {
    struct oms_profits profits;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    trade(&desk, "D1", BROKER_BUY, 3 * UNIT, 100 * UNIT);
    trade(&desk, "D2", BROKER_SELL, UNIT, 110 * UNIT);
    desk.fake.now_ns += DAY;
    trade(&desk, "D3", BROKER_SELL, 2 * UNIT, 95 * UNIT);
    start_again(&desk);
    assert_int_equal(oms_profits(desk.oms, &profits, &desk.error), OMS_OK);
    assert_int_equal(profits.n, 2);
    assert_string_equal(profits.v[0].symbol, "AAPL");
    assert_int_equal(profits.v[1].day, profits.v[0].day + 1);
    assert_true(profits.v[0].realized == (decimal_wide)10 * UNIT * UNIT);
    assert_true(profits.v[1].realized == (decimal_wide)-10 * UNIT * UNIT);
    oms_profits_free(&profits);
    desk_close(&desk);
    assert_int_equal(oms_profits_at(&desk.place, &profits, &desk.error), OMS_OK);
    assert_int_equal(profits.n, 2);
    oms_profits_free(&profits);
    desk_end(&desk);
}

static void a_corrected_execution_counts_on_its_own_day(void **state) {
    struct oms_profits profits;
    struct desk desk;
    char sold[BROKER_EXECUTION_ID_SIZE];
    (void)state;
    desk_start(&desk, "alpaca");
    trade(&desk, "D1", BROKER_BUY, 3 * UNIT, 100 * UNIT);
    trade(&desk, "D2", BROKER_SELL, UNIT, 110 * UNIT);
    (void)snprintf(sold, sizeof sold, "%s", newest_execution(&desk));
    desk.fake.now_ns += DAY;
    fake_correct(&desk.fake, sold, "C1", UNIT, 120 * UNIT);
    ask_to_compare(&desk);
    assert_int_equal(oms_profits(desk.oms, &profits, &desk.error), OMS_OK);
    assert_int_equal(profits.n, 1);
    assert_true(profits.v[0].realized == (decimal_wide)20 * UNIT * UNIT);
    oms_profits_free(&profits);
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_that_was_whole_for_a_moment_ends_as_it_did_at_the_broker),
        cmocka_unit_test(a_bust_of_a_finished_order_is_booked_by_the_next_comparison),
        cmocka_unit_test(a_correction_can_be_corrected_and_the_newest_counts),
        cmocka_unit_test(an_execution_and_its_bust_may_come_together),
        cmocka_unit_test(a_correction_of_what_nobody_knows_stops_trading_after_its_grace),
        cmocka_unit_test(a_damaged_correction_keeps_the_desk_closed),
        cmocka_unit_test(what_is_within_the_bound_is_adjusted_after_its_grace_with_evidence),
        cmocka_unit_test(what_is_beyond_the_bound_or_not_allowed_stops_trading),
        cmocka_unit_test(profit_is_told_by_symbol_and_day_and_survives_a_start),
        cmocka_unit_test(a_corrected_execution_counts_on_its_own_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
