/* The comparison as a whole: reading that takes time, answers that do not come, and what does not go
 * away. What differs is test_reconcile.c's business. */
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void give_extra(struct desk *desk, const char *symbol, int64_t qty) {
    struct broker_position *row = broker_positions_add(&desk->fake.extra);
    assert_non_null(row);
    *row = (struct broker_position){.qty_nanos = qty, .avg_price_nanos = 400 * UNIT};
    (void)snprintf(row->symbol, sizeof row->symbol, "%s", symbol);
}

static void ask_to_compare(struct desk *desk) {
    assert_int_equal(oms_request_reconcile(desk->oms), OMS_OK);
    settle(desk);
}

static void look(struct desk *desk, struct oms_view *view) {
    assert_int_equal(oms_view(desk->oms, view, &desk->error), OMS_OK);
}

/* ---- a picture that stands still ---- */

static void an_execution_between_two_reads_is_seen_whole_by_the_next_look(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk.fake.sneaks_in = 100 * UNIT;
    ask_to_compare(&desk);
    look(&desk, &view);
    assert_false(view.kill_switch);
    assert_false(view.looks_again);
    assert_int_equal(view.discrepancy_count, 1);
    assert_true(view.discrepancies[0].explained);
    oms_view_free(&view);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    desk_end(&desk);
}

static void what_agrees_is_read_once_and_what_does_not_twice(void **state) {
    struct desk desk;
    int before;
    (void)state;
    desk_start(&desk, "alpaca");
    before = desk.fake.questions;
    ask_to_compare(&desk);
    assert_int_equal(desk.fake.questions - before, 3);
    give_extra(&desk, "MSFT", 5 * UNIT);
    before = desk.fake.questions;
    ask_to_compare(&desk);
    assert_int_equal(desk.fake.questions - before, 6);
    desk_end(&desk);
}

static void a_broker_that_never_stands_still_is_inconclusive(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    give_extra(&desk, "MSFT", 5 * UNIT);
    desk.fake.restless = true;
    ask_to_compare(&desk);
    look(&desk, &view);
    assert_int_equal(view.run_count, 2);
    assert_string_equal(view.runs[1].why, "what the broker shows does not stand still");
    assert_int_equal(view.discrepancy_count, 0);
    assert_true(view.looks_again);
    oms_view_free(&view);
    desk.fake.restless = false;
    pass(&desk, 10 * SECOND);
    look(&desk, &view);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

static void what_was_timing_is_gone_at_the_second_look(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    give_extra(&desk, "MSFT", 5 * UNIT);
    ask_to_compare(&desk);
    take(&desk, "D1");
    settle(&desk);
    assert_int_equal(desk.fake.submits, 0); /* nothing is sent until it is known */
    desk.fake.extra.n = 0;
    pass(&desk, 5 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    look(&desk, &view);
    assert_false(view.kill_switch);
    assert_false(view.looks_again);
    assert_int_equal(view.discrepancy_count, 1);
    assert_int_equal(view.discrepancies[0].severity, OMS_INFO);
    assert_non_null(strstr(view.discrepancies[0].text, "timing"));
    oms_view_free(&view);
    desk_end(&desk);
}

/* ---- inconclusive ---- */

static void a_failed_look_is_on_record_once_and_changes_nothing(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk_kill(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    desk.fake.fills_down = true;
    fake_forget_log(&desk.fake);
    desk_open(&desk);
    settle(&desk);
    assert_string_equal(desk.fake.log, "boot< reconcile< inconclusive> ");
    assert_string_equal(desk.fake.last_text, "executions: no whole answer");
    pass(&desk, 100 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    look(&desk, &view);
    assert_false(view.reconciled);
    assert_int_equal(view.boots, 2);
    assert_int_equal(view.run_count, 1);
    assert_int_equal(view.discrepancy_count, 0);
    assert_true(view.runs[0].at_boot);
    assert_string_equal(view.runs[0].why, "executions: no whole answer");
    oms_view_free(&view);
    desk.fake.fills_down = false;
    pass(&desk, 100 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    look(&desk, &view);
    assert_int_equal(view.boots, 2);
    assert_int_equal(view.run_count, 2);
    assert_string_equal(view.runs[1].why, "");
    oms_view_free(&view);
    desk_end(&desk);
}

/* What happened between the last whole comparison and an inconclusive one is still looked for. */
static void an_inconclusive_comparison_does_not_move_where_the_next_one_starts(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    pass(&desk, 100 * SECOND);
    (void)fake_foreign(&desk.fake, "someone-else", "MSFT", 10 * UNIT);
    pass(&desk, 1000 * SECOND);
    desk.fake.down = true;
    ask_to_compare(&desk);
    desk_kill(&desk);
    desk.fake.down = false;
    desk_open(&desk);
    settle(&desk);
    look(&desk, &view);
    assert_int_equal(view.discrepancy_count, 1);
    assert_int_equal(view.discrepancies[0].type, OMS_ORPHAN_ORDER);
    oms_view_free(&view);
    desk_end(&desk);
}

/* ---- history ---- */

static void history_goes_back_past_the_newest_start(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    desk.fake.down = true;
    ask_to_compare(&desk);
    desk_kill(&desk);
    desk.fake.down = false;
    give_extra(&desk, "MSFT", 5 * UNIT);
    desk_open(&desk);
    settle(&desk);
    assert_int_equal(oms_history(desk.oms, 2, &view, &desk.error), OMS_OK);
    assert_int_equal(view.run_count, 2);
    assert_int_equal(view.runs[0].id, 2);
    assert_string_not_equal(view.runs[0].why, "");
    assert_int_equal(view.runs[1].id, 3);
    assert_int_equal(view.discrepancy_count, 1);
    assert_int_equal(view.discrepancies[0].run, 3);
    oms_view_free(&view);
    desk_close(&desk);
    assert_int_equal(oms_history_at(&desk.place, 100, &view, &desk.error), OMS_OK);
    assert_int_equal(view.run_count, 3);
    assert_int_equal(view.runs[0].id, 1);
    oms_view_free(&view);
    desk_end(&desk);
}

static bool alarmed(const struct desk *desk) {
    return strstr(desk->fake.log, "alarm> ") != NULL;
}

/* A start a day: each sees it first as timing, and a grace later for what it is. */
static void what_does_not_go_away_is_an_alarm_once(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    give_extra(&desk, "MSFT", 5 * UNIT);
    for (int day = 1; day <= 6; day++) {
        desk_kill(&desk);
        fake_forget_log(&desk.fake);
        desk.fake.now_ns += 86400 * SECOND;
        if (day == 5) { /* one clean day: it counts anew */
            desk.fake.extra.n = 0;
        }
        desk_open(&desk);
        pass(&desk, 10 * SECOND);
        assert_int_equal(alarmed(&desk), day == 3);
    }
    assert_int_equal(desk.fake.extra.n, 0);
    desk_end(&desk);
}

static void how_often_is_configured(void **state) {
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk.config.repeat_alarm = 1;
    desk_make_with(&desk, NULL, 0);
    desk_open(&desk);
    settle(&desk);
    give_extra(&desk, "MSFT", 5 * UNIT);
    ask_to_compare(&desk);
    assert_false(alarmed(&desk));
    pass(&desk, 10 * SECOND);
    assert_non_null(strstr(desk.fake.last_alarm, "found 1 times in a row: MISSING_IN_OMS MSFT"));
    fake_forget_log(&desk.fake);
    ask_to_compare(&desk);
    assert_false(alarmed(&desk));
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_execution_between_two_reads_is_seen_whole_by_the_next_look),
        cmocka_unit_test(what_agrees_is_read_once_and_what_does_not_twice),
        cmocka_unit_test(a_broker_that_never_stands_still_is_inconclusive),
        cmocka_unit_test(what_was_timing_is_gone_at_the_second_look),
        cmocka_unit_test(a_failed_look_is_on_record_once_and_changes_nothing),
        cmocka_unit_test(an_inconclusive_comparison_does_not_move_where_the_next_one_starts),
        cmocka_unit_test(history_goes_back_past_the_newest_start),
        cmocka_unit_test(what_does_not_go_away_is_an_alarm_once),
        cmocka_unit_test(how_often_is_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
