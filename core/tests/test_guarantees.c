/* What a broker's profile makes of doubt, and what a person makes of a held order. */
#include "core/tests/desk.h"
#include "core/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#define HOUR   (3600 * SECOND)
#define MINUTE (60 * SECOND)
#define DAY    (24 * HOUR)

/* ---- deeds ---- */

/* D1 is lost on its way, and held once nothing more can be known. */
static void hold_d1(struct desk *desk, enum fake_reply reply) {
    fake_script(&desk->fake, reply);
    (void)take(desk, "D1");
    pass(desk, MINUTE);
    assert_state(desk, "D1", OMS_STATE_HELD);
}

static enum oms_code resolve(struct desk *desk, const char *id, const char *broker_order_id) {
    return oms_resolve(desk->oms, id, broker_order_id, "ann", "the broker's desk said so",
                       &desk->error);
}

static int count_rulings(struct desk *desk) {
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int count;
    desk_close(desk);
    assert_int_equal(sqlite3_open(desk->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM journal WHERE kind = 'resolve' AND "
                                        "ref = 'D1' AND text LIKE '%ann%said so%'",
                                        -1, &row, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    count = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    desk_open(desk);
    settle(desk);
    return count;
}

/* ---- the guarantee ---- */

static void every_start_tells_the_guarantee(void **state) {
    (void)state;
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        struct desk desk;
        desk_start(&desk, profile_at(i)->name);
        assert_string_equal(desk.fake.last_text, profile_at(i)->guarantee);
        desk_end(&desk);
    }
}

static void a_profile_says_when_the_broker_forgets(void **state) {
    (void)state;
    const struct profile *day = profile_find("fix-day"), *replay = profile_find("replay");
    const int64_t turn = 5 * DAY + 22 * HOUR;

    assert_true(profile_forgets_ns(profile_find("alpaca"), turn) == INT64_MAX);
    assert_true(profile_forgets_ns(replay, turn) == turn + DAY);
    assert_true(profile_forgets_ns(day, turn - 1) == turn);
    assert_true(profile_forgets_ns(day, turn) == turn + DAY);
    assert_true(profile_forgets_ns(day, turn + 3 * HOUR) == turn + DAY);
    assert_true(threshold_forgotten_ns(day, turn - 1) == turn - 5 * MINUTE);
    assert_true(threshold_forgotten_ns(profile_find("alpaca"), turn) == INT64_MAX);
    assert_true(threshold_absent_ns(profile_find("alpaca-lag"), turn) ==
                turn + day->quiescence_ns + 3 * SECOND);
}

static void
a_guarantee_is_effectively_once_where_ids_are_refused_whatever_became_of_them(void **state) {
    (void)state;
    static const char *const once[] = {"alpaca",  "alpaca-lag", "alpaca-retention", "replay",
                                       "fix-day", "cum-only",   "dropper"};
    size_t count = 0;
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        const bool claimed = strncmp(profile_at(i)->guarantee, "effectively once", 16) == 0;
        assert_int_equal(profile_is_effectively_once(profile_at(i)), claimed);
        count += claimed;
    }
    assert_int_equal(count, sizeof once / sizeof once[0]);
    for (size_t i = 0; i < count; i++) {
        assert_true(profile_is_effectively_once(profile_find(once[i])));
    }
}

/* ---- doubt ---- */

/* The first answer is a refusal that nobody heard; the second says that the id was seen. */
static void an_id_that_was_seen_and_has_no_order_was_refused(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE);
    (void)take(&desk, "D1");
    settle(&desk);
    fake_script(&desk.fake, FAKE_SEEN);
    pass(&desk, 2 * MINUTE);
    assert_state(&desk, "D1", OMS_STATE_REJECTED);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

static void past_the_memory_of_the_broker_the_list_is_asked_too(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "alpaca-retention");
    fake_script(&desk.fake, FAKE_LOSE_REPLY);
    desk.fake.down = true;
    (void)take(&desk, "D1");
    pass(&desk, 25 * HOUR);
    assert_state(&desk, "D1", OMS_STATE_IN_DOUBT);
    desk.fake.down = false;
    desk.fake.forgets = true;
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void a_broker_without_ids_is_sent_none_and_never_asked_for_one(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "no-tag");
    (void)take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_string_equal(desk.fake.orders.v[0].client_order_id, "");
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(desk.fake.lookups, 0);
    desk_end(&desk);
}

static void what_may_be_ours_at_a_broker_without_ids_is_named_and_not_taken(void **state) {
    (void)state;
    struct desk desk;
    struct oms_order held;
    desk_start(&desk, "no-tag");
    hold_d1(&desk, FAKE_LOSE_REPLY);
    held = order_of(&desk, "D1");
    assert_non_null(strstr(held.reason, "broker-1"));
    assert_string_equal(held.broker_order_id, "");
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

/* ---- executions that are sums ---- */

static void sum_up(struct desk *desk, int64_t filled, int64_t average) {
    struct broker_order *order = fake_order(&desk->fake, NULL);
    order->filled_nanos = filled;
    order->filled_avg_nanos = average;
    order->status =
        filled == order->qty_nanos ? BROKER_STATUS_FILLED : BROKER_STATUS_PARTIALLY_FILLED;
}

static void sums_are_booked_as_what_is_new_in_them(void **state) {
    (void)state;
    struct desk desk;
    struct oms_view view;
    desk_start(&desk, "cum-only");
    desk.fake.fills_down = true; /* nobody may ask for what is not there */
    (void)take(&desk, "D1");
    settle(&desk);
    sum_up(&desk, 40 * UNIT, 149 * UNIT);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_PARTIALLY_FILLED);
    desk_kill(&desk);
    sum_up(&desk, 100 * UNIT, 149 * UNIT + UNIT * 6 / 10);
    desk_open(&desk);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_int_equal(view.position_count, 1);
    assert_true(view.positions[0].qty_nanos == 100 * UNIT);
    assert_true(view.positions[0].cost == (decimal_wide)100 * UNIT * (149 * UNIT + UNIT * 6 / 10));
    oms_view_free(&view);
    desk_end(&desk);
}

/* ---- a person's word ---- */

static void a_held_order_that_is_gone_is_closed_once_and_stays_so(void **state) {
    (void)state;
    struct desk desk;
    struct oms_order closed;
    desk_start(&desk, "label");
    hold_d1(&desk, FAKE_LOSE);
    assert_int_equal(resolve(&desk, "D1", NULL), OMS_OK);
    desk_kill(&desk);
    desk_open(&desk);
    settle(&desk);
    closed = order_of(&desk, "D1");
    assert_int_equal(closed.state, OMS_STATE_CANCELED);
    assert_non_null(strstr(closed.reason, "ann"));
    assert_int_equal(resolve(&desk, "D1", NULL), OMS_OK);
    assert_int_equal(count_rulings(&desk), 1);
    pass(&desk, HOUR);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void an_order_that_a_person_points_at_is_adopted_and_booked(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "no-tag");
    hold_d1(&desk, FAKE_LOSE_REPLY);
    fake_fill(&desk.fake, NULL, 60 * UNIT, 150 * UNIT);
    assert_int_equal(resolve(&desk, "D1", "broker-1"), OMS_OK);
    assert_int_equal(resolve(&desk, "D1", "broker-1"), OMS_OK);
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_PARTIALLY_FILLED);
    assert_string_equal(order_of(&desk, "D1").broker_order_id, "broker-1");
    assert_int_equal(count_rulings(&desk), 1);
    desk_end(&desk);
}

static void a_slip_of_the_pen_adopts_nothing(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "no-tag");
    hold_d1(&desk, FAKE_LOSE_REPLY);
    fake_foreign(&desk.fake, "", "AAPL", 7 * UNIT)->limit_nanos = 150 * UNIT;
    assert_int_equal(resolve(&desk, "D1", "broker-2"), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "qty is 7, not 100"));
    assert_int_equal(resolve(&desk, "D1", "broker-9"), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "lists no order broker-9"));
    assert_state(&desk, "D1", OMS_STATE_HELD);
    assert_int_equal(count_rulings(&desk), 0);
    desk_end(&desk);
}

static void another_decisions_order_is_not_adopted(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "no-tag");
    (void)take(&desk, "D2");
    settle(&desk);
    hold_d1(&desk, FAKE_LOSE);
    assert_int_equal(resolve(&desk, "D1", "broker-1"), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "is the order of decision D2"));
    desk_end(&desk);
}

static void a_broker_that_does_not_answer_leaves_the_order_held(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "no-tag");
    hold_d1(&desk, FAKE_LOSE_REPLY);
    desk.fake.down = true;
    assert_int_equal(resolve(&desk, "D1", "broker-1"), OMS_UNANSWERED);
    assert_state(&desk, "D1", OMS_STATE_HELD);
    assert_int_equal(resolve(&desk, "D1", NULL), OMS_OK); /* for that nobody need be asked */
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    desk_end(&desk);
}

static void only_what_is_held_can_be_resolved(void **state) {
    (void)state;
    struct desk desk;
    desk_start(&desk, "alpaca");
    (void)take(&desk, "D1");
    settle(&desk);
    assert_int_equal(resolve(&desk, "D1", NULL), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "D1 is working"));
    assert_int_equal(resolve(&desk, "D9", NULL), OMS_INVALID);
    assert_non_null(strstr(desk.error.text, "no decision \"D9\""));
    desk_end(&desk);
}

/* His word was wrong: the next comparison says so and stops trading. */
static void an_order_that_a_person_called_gone_and_is_there_stops_trading(void **state) {
    (void)state;
    struct desk desk;
    struct oms_view view;
    desk_start(&desk, "label");
    hold_d1(&desk, FAKE_LOSE);
    assert_int_equal(resolve(&desk, "D1", NULL), OMS_OK);
    fake_foreign(&desk.fake, order_of(&desk, "D1").client_order_id, "AAPL", 100 * UNIT)
        ->limit_nanos = 150 * UNIT;
    assert_int_equal(oms_request_reconcile(desk.oms), OMS_OK);
    settle(&desk);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_start_tells_the_guarantee),
        cmocka_unit_test(a_profile_says_when_the_broker_forgets),
        cmocka_unit_test(
            a_guarantee_is_effectively_once_where_ids_are_refused_whatever_became_of_them),
        cmocka_unit_test(an_id_that_was_seen_and_has_no_order_was_refused),
        cmocka_unit_test(past_the_memory_of_the_broker_the_list_is_asked_too),
        cmocka_unit_test(a_broker_without_ids_is_sent_none_and_never_asked_for_one),
        cmocka_unit_test(what_may_be_ours_at_a_broker_without_ids_is_named_and_not_taken),
        cmocka_unit_test(sums_are_booked_as_what_is_new_in_them),
        cmocka_unit_test(a_held_order_that_is_gone_is_closed_once_and_stays_so),
        cmocka_unit_test(an_order_that_a_person_points_at_is_adopted_and_booked),
        cmocka_unit_test(a_slip_of_the_pen_adopts_nothing),
        cmocka_unit_test(another_decisions_order_is_not_adopted),
        cmocka_unit_test(a_broker_that_does_not_answer_leaves_the_order_held),
        cmocka_unit_test(only_what_is_held_can_be_resolved),
        cmocka_unit_test(an_order_that_a_person_called_gone_and_is_there_stops_trading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
