/* The daily jobs over an archive: whatever is in it, they say what they would say without it. */
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, FIRST_DAY = FAKE_START_S / DAY_S };

/* ---- stories ---- */

/* The same two days on a desk that archives whatever it can, and on one that archives nothing. */
struct pair {
    struct desk archiving, plain;
};

static void start_at(struct desk *desk, int archive_orders) {
    desk_prepare(desk, "alpaca");
    desk->config.archive_orders = archive_orders;
    desk_make_with(desk, NULL, 0);
    desk_open(desk);
    settle(desk);
}

static void archive(struct desk *desk, int64_t at_least) {
    struct oms_view view;
    assert_int_equal(oms_request_archive(desk->oms), OMS_OK);
    settle(desk);
    assert_int_equal(oms_view(desk->oms, &view, &desk->error), OMS_OK);
    assert_true(view.archived_count >= at_least);
    oms_view_free(&view);
}

static void start(struct pair *pair) {
    start_at(&pair->archiving, 2);
    start_at(&pair->plain, 0);
    desk_trade_two_days(&pair->archiving);
    desk_trade_two_days(&pair->plain);
    archive(&pair->archiving, 5);
}

static void end(struct pair *pair) {
    desk_end(&pair->archiving);
    desk_end(&pair->plain);
}

static void ask_for_day(struct desk *desk, int64_t day, struct oms_daily *daily) {
    assert_int_equal(oms_request_daily(desk->oms, day, &desk->error), OMS_OK);
    pass(desk, 6 * SECOND); /* what may be timing is looked at again */
    assert_int_equal(oms_daily(desk->oms, daily, &desk->error), OMS_OK);
    assert_int_equal(daily->day, day);
}

static void assert_same_day(struct pair *pair, int64_t day, size_t found_count) {
    struct oms_daily a, b;
    ask_for_day(&pair->archiving, day, &a);
    ask_for_day(&pair->plain, day, &b);
    assert_int_equal(a.orders, b.orders);
    assert_int_equal(a.open + a.held + a.in_doubt, 0);
    assert_int_equal(b.found_count, found_count);
    assert_int_equal(a.found_count, found_count);
    for (size_t i = 0; i < found_count; i++) {
        assert_int_equal(a.found[i].type, b.found[i].type);
        assert_int_equal(a.found[i].severity, b.found[i].severity);
        assert_string_equal(a.found[i].ref, b.found[i].ref);
        assert_string_equal(a.found[i].text, b.found[i].text);
    }
    assert_int_equal(a.symbol_count, b.symbol_count);
    for (size_t i = 0; i < a.symbol_count; i++) {
        assert_string_equal(a.symbols[i].symbol, b.symbols[i].symbol);
        assert_int_equal(a.symbols[i].oms_executions, b.symbols[i].oms_executions);
        assert_int_equal(a.symbols[i].broker_executions, b.symbols[i].broker_executions);
        assert_true(a.symbols[i].oms_realized == b.symbols[i].oms_realized);
        assert_true(a.symbols[i].broker_realized == b.symbols[i].broker_realized);
    }
    oms_daily_free(&a);
    oms_daily_free(&b);
}

static decimal_wide realized_on(struct desk *desk, const char *symbol, int64_t day) {
    struct oms_profits profits;
    decimal_wide realized = 0;
    assert_int_equal(oms_profits(desk->oms, &profits, &desk->error), OMS_OK);
    for (size_t i = 0; i < profits.n; i++) {
        const bool it_is = profits.v[i].day == day && strcmp(profits.v[i].symbol, symbol) == 0;
        realized += it_is ? profits.v[i].realized : 0;
    }
    oms_profits_free(&profits);
    return realized;
}

/* ---- the comparison of a day ---- */

static void both_days_are_as_they_would_be_without_an_archive(void **state) {
    struct pair pair;
    struct oms_daily daily;
    (void)state;
    start(&pair);
    for (int life = 0; life < 2; life++) {
        assert_same_day(&pair, FIRST_DAY, 0);
        assert_same_day(&pair, FIRST_DAY + 1, 0);
        desk_close(&pair.archiving);
        desk_open(&pair.archiving);
        settle(&pair.archiving);
    }
    ask_for_day(&pair.archiving, FIRST_DAY, &daily);
    assert_int_equal(daily.orders, 3);
    assert_int_equal(daily.symbol_count, 2);
    assert_int_equal(daily.symbols[0].oms_executions, 2);
    assert_int_equal(daily.symbols[0].broker_executions, 2);
    oms_daily_free(&daily);
    ask_for_day(&pair.archiving, FIRST_DAY + 1, &daily);
    assert_int_equal(daily.orders, 3);
    assert_int_equal(daily.symbols[0].oms_executions, 2);
    /* 150 at 147 on average: 70 for 149, 10 for 150 */
    assert_true(daily.symbols[0].oms_realized == (decimal_wide)(70 * 2 + 10 * 3) * UNIT * UNIT);
    assert_true(daily.symbols[1].oms_realized ==
                realized_on(&pair.archiving, "MSFT", FIRST_DAY + 1));
    oms_daily_free(&daily);
    end(&pair);
}

/* One is corrected and one is busted, both are archived again, and then both days are asked for. */
static void correct(struct desk *desk) {
    fake_correct(&desk->fake, "exec-001", "C1", 60 * UNIT, 149 * UNIT);
    fake_correct(&desk->fake, "exec-004", "C2", 0, 0);
    assert_int_equal(oms_request_reconcile(desk->oms), OMS_OK);
    pass(desk, 6 * SECOND);
}

static void corrections_in_the_archive_count_in_their_day(void **state) {
    struct pair pair;
    struct oms_daily daily;
    (void)state;
    start(&pair);
    correct(&pair.archiving);
    correct(&pair.plain);
    archive(&pair.archiving, 5);
    assert_same_day(&pair, FIRST_DAY, 1); /* that D1 is executed in part now, as every look says */
    assert_same_day(&pair, FIRST_DAY + 1, 0);
    ask_for_day(&pair.archiving, FIRST_DAY + 1, &daily);
    assert_int_equal(daily.symbols[0].oms_executions, 1);
    assert_true(daily.symbols[0].oms_realized ==
                realized_on(&pair.archiving, "AAPL", FIRST_DAY + 1));
    oms_daily_free(&daily);
    end(&pair);
}

/* 100 to begin with, of which the broker has 95; the difference is adjusted on the first day. */
static void start_with_a_difference(struct desk *desk) {
    const struct oms_opening opening = {
        .symbol = "MSFT", .qty_nanos = 100 * UNIT, .price_nanos = 400 * UNIT};
    struct broker_position *row;
    desk_prepare(desk, "alpaca");
    desk->config.self_heal_ppm = 60000;
    desk_make_with(desk, &opening, 1);
    row = broker_positions_add(&desk->fake.extra);
    *row = (struct broker_position){
        .symbol = "MSFT", .qty_nanos = 95 * UNIT, .avg_price_nanos = 410 * UNIT};
    desk_open(desk);
    settle(desk);
    pass(desk, 6 * SECOND);
    desk_trade_two_days(desk);
}

static void openings_and_adjustments_count_out_of_the_archive_too(void **state) {
    struct pair pair;
    struct oms_daily daily;
    (void)state;
    start_with_a_difference(&pair.archiving);
    start_with_a_difference(&pair.plain);
    archive(&pair.archiving, 5);
    assert_same_day(&pair, FIRST_DAY, 1); /* the average price there */
    assert_same_day(&pair, FIRST_DAY + 1, 1);
    ask_for_day(&pair.archiving, FIRST_DAY, &daily);
    assert_string_equal(daily.symbols[1].symbol, "MSFT");
    assert_int_equal(daily.symbols[1].oms_executions, 2);
    assert_int_equal(daily.symbols[1].broker_executions, 2);
    assert_true(daily.symbols[1].oms_realized == realized_on(&pair.archiving, "MSFT", FIRST_DAY));
    assert_true(daily.symbols[1].oms_realized == (decimal_wide)50 * UNIT * UNIT);
    oms_daily_free(&daily);
    end(&pair);
}

/* A correction that is news of an archived order is booked by the very comparison of its day. */
static void a_correction_is_found_by_the_comparison_of_its_day(void **state) {
    struct pair pair;
    (void)state;
    start(&pair);
    fake_correct(&pair.archiving.fake, "exec-001", "C1", 100 * UNIT, 149 * UNIT);
    fake_correct(&pair.plain.fake, "exec-001", "C1", 100 * UNIT, 149 * UNIT);
    assert_same_day(&pair, FIRST_DAY, 1); /* the price of the position, explained */
    archive(&pair.archiving, 5);
    assert_same_day(&pair, FIRST_DAY, 0);
    end(&pair);
}

static void another_price_there_is_found_in_the_archive(void **state) {
    struct pair pair;
    (void)state;
    start(&pair);
    pair.archiving.fake.fills.v[3].price_nanos += UNIT;
    pair.plain.fake.fills.v[3].price_nanos += UNIT;
    assert_same_day(&pair, FIRST_DAY, 0);
    assert_same_day(&pair, FIRST_DAY + 1, 2); /* the execution, and what the day earned */
    end(&pair);
}

static void lose_first_fill(struct desk *desk) {
    struct broker_fills *fills = &desk->fake.fills;
    assert_string_equal(fills->v[0].execution_id, "exec-001");
    fills->v[0] = fills->v[--fills->n];
}

static void an_archived_execution_that_the_broker_no_longer_has_stops_trading(void **state) {
    struct pair pair;
    struct oms_daily daily;
    struct oms_view view;
    bool missing = false;
    (void)state;
    start(&pair);
    lose_first_fill(&pair.archiving);
    ask_for_day(&pair.archiving, FIRST_DAY, &daily);
    for (size_t i = 0; i < daily.found_count; i++) {
        missing = missing || (daily.found[i].type == OMS_MISSING_IN_BROKER &&
                              daily.found[i].severity == OMS_CRITICAL &&
                              strcmp(daily.found[i].ref, "exec-001") == 0);
    }
    assert_true(missing);
    oms_daily_free(&daily);
    assert_int_equal(oms_view(pair.archiving.oms, &view, &pair.archiving.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    end(&pair);
}

/* The list begins behind it, but the broker knows it. */
static void an_archived_order_that_the_list_lacks_is_asked_for(void **state) {
    struct pair pair;
    struct oms_daily daily;
    (void)state;
    start(&pair);
    pair.archiving.fake.orders.v[0].submitted_ns -= 3 * DAY_S * SECOND;
    ask_for_day(&pair.archiving, FIRST_DAY, &daily);
    assert_int_equal(daily.found_count, 0);
    oms_daily_free(&daily);
    pair.archiving.fake.forgets = true;
    ask_for_day(&pair.archiving, FIRST_DAY, &daily);
    assert_int_equal(daily.found_count, 1);
    assert_int_equal(daily.found[0].type, OMS_MISSING_IN_BROKER);
    assert_int_equal(daily.found[0].severity, OMS_CRITICAL);
    assert_string_equal(daily.found[0].ref, pair.archiving.fake.orders.v[0].id);
    oms_daily_free(&daily);
    end(&pair);
}

static void without_listed_executions_a_day_counts_its_archived_orders(void **state) {
    struct desk desk;
    struct oms_daily daily;
    (void)state;
    desk_prepare(&desk, "cum-only");
    desk_make_with(&desk, NULL, 0);
    desk_open(&desk);
    settle(&desk);
    desk_trade_two_days(&desk);
    archive(&desk, 5);
    take(&desk, "D7");
    settle(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT); /* the comparison is the first to see it */
    assert_int_equal(oms_request_daily(desk.oms, OMS_TODAY, &desk.error), OMS_OK);
    settle(&desk);
    assert_int_equal(oms_daily(desk.oms, &daily, &desk.error), OMS_OK);
    assert_int_equal(daily.orders, 4);
    assert_int_equal(daily.symbol_count, 0);
    for (size_t i = 0; i < daily.found_count; i++) {
        assert_int_equal(daily.found[i].ref[0], '\0'); /* positions, and no execution */
    }
    assert_true(daily.found[0].explained);
    oms_daily_free(&daily);
    desk_end(&desk);
}

/* ---- what came of each decision ---- */

static void assert_same_trades(const struct oms_trades *a, const struct oms_trades *b) {
    assert_int_equal(a->n, 6);
    assert_int_equal(b->n, 6);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->v[i].decision.id, b->v[i].decision.id);
        assert_int_equal(a->v[i].decision.qty_nanos, b->v[i].decision.qty_nanos);
        assert_int_equal(a->v[i].state, b->v[i].state);
        assert_int_equal(a->v[i].created_ns, b->v[i].created_ns);
        assert_int_equal(a->v[i].filled_nanos, b->v[i].filled_nanos);
        assert_true(a->v[i].cost == b->v[i].cost);
    }
}

static void trades_are_as_they_would_be_without_an_archive(void **state) {
    struct pair pair;
    struct oms_trades a, b;
    (void)state;
    start(&pair);
    correct(&pair.archiving);
    correct(&pair.plain);
    archive(&pair.archiving, 5);
    assert_int_equal(oms_trades(pair.archiving.oms, &a, &pair.archiving.error), OMS_OK);
    assert_int_equal(oms_trades(pair.plain.oms, &b, &pair.plain.error), OMS_OK);
    assert_same_trades(&a, &b);
    assert_string_equal(a.v[0].decision.id, "D1");
    assert_int_equal(a.v[0].filled_nanos, 60 * UNIT);
    assert_true(a.v[0].cost == (decimal_wide)60 * UNIT * 149 * UNIT);
    assert_int_equal(a.v[3].filled_nanos, 0);
    oms_trades_free(&a);
    desk_close(&pair.archiving);
    assert_int_equal(oms_trades_at(&pair.archiving.place, &a, &pair.archiving.error), OMS_OK);
    assert_same_trades(&a, &b);
    oms_trades_free(&a);
    oms_trades_free(&b);
    end(&pair);
}

static void damage_first_segment(const struct desk *desk) {
    char name[128];
    (void)snprintf(name, sizeof name, "%s-archive1", desk->path);
    FILE *file = fopen(name, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    assert_int_equal(fputc('~', file), '~');
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_segment_is_named_and_nothing_is_compared(void **state) {
    struct pair pair;
    struct desk *desk = &pair.archiving;
    struct oms_trades trades;
    (void)state;
    start(&pair);
    desk_close(desk);
    damage_first_segment(desk);
    assert_int_equal(oms_trades_at(&desk->place, &trades, &desk->error), OMS_CORRUPT);
    assert_non_null(strstr(desk->error.text, "segment 1 of its archive"));
    oms_trades_free(&trades);
    desk_open(desk);
    assert_int_equal(oms_request_daily(desk->oms, OMS_TODAY, &desk->error), OMS_OK);
    assert_int_equal(fake_settle(desk->oms, &desk->fake, 100), OMS_STORAGE);
    assert_non_null(strstr(desk->fake.last_text, "segment 1 of its archive"));
    end(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_days_are_as_they_would_be_without_an_archive),
        cmocka_unit_test(corrections_in_the_archive_count_in_their_day),
        cmocka_unit_test(openings_and_adjustments_count_out_of_the_archive_too),
        cmocka_unit_test(a_correction_is_found_by_the_comparison_of_its_day),
        cmocka_unit_test(another_price_there_is_found_in_the_archive),
        cmocka_unit_test(an_archived_execution_that_the_broker_no_longer_has_stops_trading),
        cmocka_unit_test(an_archived_order_that_the_list_lacks_is_asked_for),
        cmocka_unit_test(without_listed_executions_a_day_counts_its_archived_orders),
        cmocka_unit_test(trades_are_as_they_would_be_without_an_archive),
        cmocka_unit_test(a_damaged_segment_is_named_and_nothing_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
