/* The OMS as a whole, on a real file system with a scripted broker. */
#include "core/tests/desk.h"

#include "core/engine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static void a_decision_becomes_one_order_and_its_fills_a_position(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    assert_string_equal(desk.fake.log, "check(absent)> decide< decide> ");
    settle(&desk);
    assert_string_equal(desk.fake.log,
                        "check(absent)> decide< decide> send< send> record< record> ");
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    fake_fill(&desk.fake, NULL, 40 * UNIT, 149 * UNIT);
    pass(&desk, 2 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_PARTIALLY_FILLED);
    fake_fill(&desk.fake, NULL, 60 * UNIT, 150 * UNIT);
    pass(&desk, 2 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_int_equal(view.position_count, 1);
    assert_string_equal(view.positions[0].symbol, "AAPL");
    assert_true(view.positions[0].qty_nanos == 100 * UNIT);
    assert_true(view.positions[0].cost == (decimal_wide)(14960) * UNIT * UNIT);
    assert_true(view.positions[0].avg_price_nanos == 149600 * UNIT / 1000);
    oms_view_free(&view);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

/* ---- the document's own tests ---- */

static void idempotency_prevents_duplicates_across_a_restart(void **state) {
    static const char id[] = "AAPL_BUY_2026-01-09_10:00";
    char key[BROKER_CLIENT_ID_SIZE];
    struct oms_decision decision = decision_of(id);
    struct oms_answer answer;
    struct desk desk;
    bool exists = true;
    (void)state;
    desk_start(&desk, "alpaca");
    assert_int_equal(oms_exists(desk.oms, id, &exists, key, &desk.error), OMS_OK);
    assert_false(exists);
    take(&desk, id);
    settle(&desk);
    desk_close(&desk);
    desk_open(&desk);
    assert_int_equal(oms_exists(desk.oms, id, &exists, key, &desk.error), OMS_OK);
    assert_true(exists);
    fake_forget_log(&desk.fake);
    answer = decide(&desk, &decision);
    assert_int_equal(answer.taken, OMS_KNOWN);
    assert_string_equal(answer.client_order_id, key);
    assert_string_equal(desk.fake.log, "check(known)> skip> ");
    settle(&desk);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void a_decision_survives_a_kill_without_a_close(void **state) {
    char key[BROKER_CLIENT_ID_SIZE];
    struct desk desk;
    bool exists = false;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "test_decision");
    desk_kill(&desk);
    desk_open(&desk);
    assert_int_equal(oms_exists(desk.oms, "test_decision", &exists, key, &desk.error), OMS_OK);
    assert_true(exists);
    desk_end(&desk);
}

/* A child takes a decision and is killed with SIGKILL, without closing anything. */
static void a_decision_survives_the_death_of_its_process(void **state) {
    char key[BROKER_CLIENT_ID_SIZE];
    struct desk desk;
    bool exists = false;
    int status = 0;
    pid_t child;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk_make_with(&desk, NULL, 0);
    child = fork();
    if (child == 0) {
        const struct oms_decision decision = decision_of("test_decision");
        struct oms_answer answer;
        if (desk_try_open(&desk) == OMS_OK &&
            oms_decide(desk.oms, &decision, &answer, &desk.error) == OMS_OK) {
            (void)kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    desk_open(&desk);
    assert_int_equal(oms_exists(desk.oms, "test_decision", &exists, key, &desk.error), OMS_OK);
    assert_true(exists);
    desk_end(&desk);
}

/* ---- outcomes of a send ---- */

static void a_refusal_is_final_and_its_reason_is_recorded(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_REJECT);
    take(&desk, "D1");
    settle(&desk);
    assert_string_equal(
        desk.fake.log,
        "check(absent)> decide< decide> send< send> record< reject< reject> record> ");
    assert_state(&desk, "D1", OMS_STATE_REJECTED);
    assert_string_equal(order_of(&desk, "D1").reason,
                        "refused by the broker (403): insufficient? buying power");
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 100 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void what_never_left_is_sent_again_with_back_off(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    fake_script(&desk.fake, FAKE_NOT_SENT);
    fake_script(&desk.fake, FAKE_NOT_SENT);
    take(&desk, "D1");
    settle(&desk);
    assert_int_equal(desk.fake.submits, 1);
    assert_state(&desk, "D1", OMS_STATE_INTENT);
    assert_int_equal(order_of(&desk, "D1").sends, 0);
    pass(&desk, SECOND);
    assert_int_equal(desk.fake.submits, 2);
    pass(&desk, 2 * SECOND - 1);
    assert_int_equal(desk.fake.submits, 2);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 3);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk_end(&desk);
}

static void a_lost_reply_is_found_and_adopted(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    fake_script(&desk.fake, FAKE_LOSE_REPLY);
    take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_string_equal(order_of(&desk, "D1").broker_order_id, "broker-1");
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void an_answer_about_another_order_is_looked_up(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_WRONG_ECHO);
    take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_non_null(strstr(desk.fake.last_alarm, "qty is 100.000000001, not 100"));
    assert_int_equal(desk.fake.lookups, 1);
    desk_end(&desk);
}

static void a_duplicate_with_our_payload_is_adopted_and_another_is_held(void **state) {
    char id[BROKER_CLIENT_ID_SIZE];
    struct broker_order *there;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    for (int i = 0; i < 2; i++) {
        oms_client_order_id("DESK1", i == 0 ? "SAME" : "OTHER", 36, id);
        there = fake_foreign(&desk.fake, id, "AAPL", i == 0 ? 100 * UNIT : 7 * UNIT);
        there->limit_nanos = 150 * UNIT;
        take(&desk, i == 0 ? "SAME" : "OTHER");
        settle(&desk);
    }
    assert_state(&desk, "SAME", OMS_STATE_WORKING);
    assert_state(&desk, "OTHER", OMS_STATE_HELD);
    assert_non_null(strstr(order_of(&desk, "OTHER").reason, "qty is 7, not 100"));
    assert_int_equal(desk.fake.orders.n, 2);
    desk_end(&desk);
}

/* ---- doubt ---- */

static void absence_counts_only_after_quiescence_and_then_the_same_id_is_sent(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    pass(&desk, 20 * SECOND - 1);
    assert_int_equal(desk.fake.submits, 1);
    assert_state(&desk, "D1", OMS_STATE_IN_DOUBT);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 2);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_int_equal(order_of(&desk, "D1").sends, 2);
    assert_string_equal(desk.fake.orders.v[0].client_order_id,
                        order_of(&desk, "D1").client_order_id);
    desk_end(&desk);
}

static void a_restart_neither_skips_nor_restarts_quiescence(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    settle(&desk);
    pass(&desk, 15 * SECOND);
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 5 * SECOND - 1);
    assert_int_equal(desk.fake.submits, 1);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

static void a_kill_between_intent_and_send_counts_as_in_doubt(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 26 * SECOND - 1); /* the reservation's second, a slow connect, and quiescence */
    assert_int_equal(desk.fake.submits, 0);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void without_deduplication_an_absent_order_is_held(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    settle(&desk);
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 30 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_HELD);
    assert_non_null(strstr(order_of(&desk, "D1").reason, "does not refuse a second order"));
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void a_held_order_found_by_a_comparison_lives_on(void **state) {
    struct broker_order *late;
    struct oms_order held;
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    pass(&desk, 3000 * SECOND);
    held = order_of(&desk, "D1");
    assert_int_equal(held.state, OMS_STATE_HELD);
    late = fake_foreign(&desk.fake, held.client_order_id, "AAPL", 100 * UNIT);
    late->limit_nanos = 150 * UNIT;
    late->submitted_ns = held.created_ns;
    fake_fill(&desk.fake, NULL, 30 * UNIT, 150 * UNIT);
    assert_int_equal(oms_request_reconcile(desk.oms), OMS_OK);
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_PARTIALLY_FILLED);
    desk_end(&desk);
}

static void an_id_the_broker_may_have_forgotten_is_held(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca-retention");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    settle(&desk);
    desk_kill(&desk);
    desk.fake.now_ns += 23 * 3600 * SECOND;
    desk_open(&desk);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_HELD);
    assert_non_null(strstr(order_of(&desk, "D1").reason, "forgotten"));
    desk_end(&desk);
}

static void an_id_is_sent_at_most_as_often_as_configured(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    for (int i = 0; i < 5; i++) {
        fake_script(&desk.fake, FAKE_LOSE);
    }
    take(&desk, "D1");
    pass(&desk, 200 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_HELD);
    assert_int_equal(desk.fake.submits, 3);
    desk_end(&desk);
}

static void a_failed_query_is_never_absence(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE_REPLY);
    take(&desk, "D1");
    desk.fake.down = true;
    pass(&desk, 100 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_IN_DOUBT);
    assert_int_equal(desk.fake.submits, 1);
    desk.fake.down = false;
    pass(&desk, 2 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk_end(&desk);
}

/* A 429 is no refusal of the order: whoever says it may have passed the request on. */
static void told_to_slow_down_the_oms_asks_and_sends_less_and_less_often(void **state) {
    struct desk desk;
    int before;
    (void)state;
    desk_start(&desk, "alpaca");
    settle(&desk);
    desk.fake.too_many = true;
    take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_IN_DOUBT);
    before = desk.fake.questions;
    take(&desk, "D2");
    pass(&desk, 120 * SECOND);
    /* After 1, 2, 4, 8, 16, 32 and 60 seconds, not every 2; D2 had no better luck. */
    assert_in_range(desk.fake.questions + desk.fake.submits - before, 5, 10);
    assert_int_equal(desk.fake.orders.n, 0);
    desk.fake.too_many = false;
    pass(&desk, 60 * SECOND);
    before = desk.fake.questions;
    pass(&desk, 20 * SECOND);
    assert_in_range(desk.fake.questions - before, 9, 25); /* as often as ever */
    pass(&desk, 60 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_state(&desk, "D2", OMS_STATE_WORKING);
    assert_int_equal(desk.fake.orders.n, 2);
    desk_end(&desk);
}

static void a_clock_that_went_back_starts_the_waiting_in_full(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE);
    pass(&desk, 7200 * SECOND);
    take(&desk, "D1");
    pass(&desk, 15 * SECOND);
    desk_kill(&desk);
    fake_set_clock(&desk.fake, -3600 * SECOND);
    desk_open(&desk);
    pass(&desk, 15 * SECOND);
    desk_kill(&desk); /* the new base is on record: this start does not wait anew */
    desk_open(&desk);
    pass(&desk, 5 * SECOND - 1);
    assert_int_equal(desk.fake.submits, 1);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

static void a_clock_that_was_set_forward_does_not_shorten_the_waiting(void **state) {
    static const char *const profiles[] = {"alpaca", "open-only"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct desk desk;
        desk_start(&desk, profiles[i]);
        fake_script(&desk.fake, FAKE_LOSE);
        take(&desk, "D1");
        pass(&desk, 10 * SECOND);
        fake_set_clock(&desk.fake, 3600 * SECOND);
        pass(&desk, 10 * SECOND - 1);
        assert_int_equal(desk.fake.submits, 1);
        pass(&desk, 1);
        assert_int_equal(desk.fake.submits, 2);
        desk_end(&desk);
    }
}

/* Where a second order under one id may be a new one, nobody believes the clock between two lives. */
static void
what_another_life_sent_is_waited_for_in_full_where_ids_are_unique_while_open(void **state) {
    static const char *const profiles[] = {"alpaca", "open-only"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct desk desk;
        desk_start(&desk, profiles[i]);
        fake_script(&desk.fake, FAKE_LOSE);
        take(&desk, "D1");
        pass(&desk, 10 * SECOND);
        desk_kill(&desk);
        fake_set_clock(&desk.fake, 60 * SECOND);
        desk_open(&desk);
        pass(&desk, 20 * SECOND - 1);
        assert_int_equal(desk.fake.submits, i == 0 ? 2 : 1);
        pass(&desk, 1);
        assert_int_equal(desk.fake.submits, 2);
        desk_end(&desk);
    }
}

static void without_a_steady_clock_the_wall_clock_alone_is_believed(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "open-only");
    desk.oms->env.steady_ns = NULL;
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    pass(&desk, 10 * SECOND);
    fake_set_clock(&desk.fake, 10 * SECOND);
    pass(&desk, 1);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

/* ---- what keeps orders in ---- */

static void nothing_is_sent_before_the_first_comparison(void **state) {
    struct oms_next next;
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk_make_with(&desk, NULL, 0);
    desk.fake.down = true;
    desk_open(&desk);
    take(&desk, "D1");
    pass(&desk, 60 * SECOND);
    assert_int_equal(desk.fake.submits, 0);
    desk.fake.down = false;
    oms_next(desk.oms, &next);
    assert_int_equal(next.work, OMS_WORK_RECONCILE);
    pass(&desk, 60 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk_end(&desk);
}

static void the_kill_switch_stops_sends_and_survives_a_kill(void **state) {
    const struct oms_decision second = decision_of("D2");
    struct oms_answer answer;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    assert_int_equal(oms_kill_switch(desk.oms, true, "anna", "feed is wrong", &desk.error), OMS_OK);
    settle(&desk);
    answer = decide(&desk, &second);
    assert_int_equal(answer.taken, OMS_NOT_TAKEN);
    assert_string_equal(answer.reason, "the kill switch is on: anna: feed is wrong");
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 100 * SECOND);
    assert_int_equal(desk.fake.submits, 0);
    assert_int_equal(oms_kill_switch(desk.oms, false, "anna", "fixed", &desk.error), OMS_OK);
    pass(&desk, 3 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk_end(&desk);
}

static void a_halt_file_that_is_there_or_unreadable_stops_sends(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    desk.fake.halt_file = OMS_HALT_UNREADABLE;
    take(&desk, "D1");
    pass(&desk, 10 * SECOND);
    desk.fake.halt_file = OMS_HALT_PRESENT;
    pass(&desk, 10 * SECOND);
    assert_int_equal(desk.fake.submits, 0);
    desk.fake.halt_file = OMS_HALT_ABSENT;
    pass(&desk, 3 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void past_its_expiry_nothing_is_sent_or_sent_again(void **state) {
    struct oms_decision decision = decision_of("D1");
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    desk.fake.halt_file = OMS_HALT_PRESENT;
    decision.expires_ns = desk.fake.now_ns + 5 * SECOND;
    assert_int_equal(decide(&desk, &decision).taken, OMS_TAKEN);
    pass(&desk, 5 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_EXPIRED);
    desk.fake.halt_file = OMS_HALT_ABSENT;
    fake_script(&desk.fake, FAKE_LOSE);
    decision = decision_of("D2");
    decision.expires_ns = desk.fake.now_ns + 5 * SECOND;
    assert_int_equal(decide(&desk, &decision).taken, OMS_TAKEN);
    pass(&desk, 30 * SECOND);
    assert_state(&desk, "D2", OMS_STATE_EXPIRED);
    assert_int_equal(desk.fake.submits, 1);
    assert_true(order_of(&desk, "D2").reason[0] != '\0');
    decision = decision_of("D3");
    decision.expires_ns = desk.fake.now_ns;
    assert_int_equal(decide(&desk, &decision).taken, OMS_NOT_TAKEN);
    desk_end(&desk);
}

static void a_stall_past_the_reservation_renews_it_before_the_send(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    desk.fake.now_ns += 10 * SECOND;
    assert_int_equal(oms_step(desk.oms, &desk.error), OMS_OK);
    assert_int_equal(desk.fake.submits, 0);
    assert_int_equal(oms_step(desk.oms, &desk.error), OMS_OK);
    assert_int_equal(desk.fake.submits, 1);
    assert_int_equal(order_of(&desk, "D1").sends, 1);
    desk_end(&desk);
}

/* ---- cancels ---- */

static void a_cancel_before_the_send_ends_the_order_at_once(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    pass(&desk, 60 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_int_equal(desk.fake.submits, 0);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    assert_int_equal(oms_cancel(desk.oms, "D9", &desk.error), OMS_INVALID);
    desk_end(&desk);
}

static void a_cancel_leaves_with_the_kill_switch_on_and_is_repeated(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk.fake.cancel_answer = BROKER_CANCEL_IN_DOUBT;
    assert_int_equal(oms_kill_switch(desk.oms, true, "anna", "stop", &desk.error), OMS_OK);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 3 * SECOND);
    assert_true(desk.fake.cancels >= 2);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk.fake.cancel_answer = BROKER_CANCEL_TAKEN;
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    desk_end(&desk);
}

static void a_fill_may_win_against_a_cancel(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk.fake.cancel_answer = BROKER_CANCEL_TOO_LATE;
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(desk.fake.cancels, 1);
    desk_end(&desk);
}

static void a_partial_fill_is_booked_before_the_cancel_ends_the_order(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    fake_fill(&desk.fake, NULL, 30 * UNIT, 150 * UNIT);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    desk.fake.fills_down = true;
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING); /* its end waits for its executions */
    desk.fake.fills_down = false;
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_true(order_of(&desk, "D1").filled_nanos == 30 * UNIT);
    pass(&desk, 100 * SECOND);
    assert_int_equal(desk.fake.submits, 1); /* the rest is not sent again */
    desk_end(&desk);
}

static void a_canceled_order_in_doubt_is_not_sent_again(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_LOSE);
    take(&desk, "D1");
    settle(&desk);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
    pass(&desk, 60 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

/* ---- following and comparing ---- */

static void what_filled_while_down_is_found_explained_and_booked(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk_kill(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    desk.fake.now_ns += 1000 * SECOND;
    fake_forget_log(&desk.fake);
    desk_open(&desk);
    settle(&desk);
    assert_string_equal(desk.fake.log,
                        "boot< reconcile< fill< fill> discrepancy> reconcile> boot> ");
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_int_equal(view.boots, 2);
    assert_int_equal(view.run_count, 1);
    assert_true(view.runs[0].at_boot);
    assert_int_equal(view.discrepancy_count, 1);
    assert_int_equal(view.discrepancies[0].type, OMS_MISSING_IN_OMS);
    assert_int_equal(view.discrepancies[0].severity, OMS_CRITICAL);
    assert_true(view.discrepancies[0].explained);
    assert_false(view.kill_switch);
    assert_int_equal(view.position_count, 1);
    oms_view_free(&view);
    desk_end(&desk);
}

static void an_unexplained_critical_difference_trips_the_kill_switch(void **state) {
    struct broker_position *row;
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk_make_with(&desk, NULL, 0);
    row = broker_positions_add(&desk.fake.extra);
    (void)snprintf(row->symbol, sizeof row->symbol, "MSFT");
    row->qty_nanos = 5 * UNIT;
    row->avg_price_nanos = 400 * UNIT;
    desk_open(&desk);
    settle(&desk);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_false(view.kill_switch); /* seen for the first time, it may be timing */
    assert_true(view.looks_again);
    assert_int_equal(view.discrepancies[0].severity, OMS_INFO);
    oms_view_free(&view);
    take(&desk, "D1");
    pass(&desk, 4 * SECOND);
    assert_int_equal(desk.fake.submits, 0);
    pass(&desk, SECOND);
    assert_int_equal(desk.fake.submits, 0);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_false(view.looks_again);
    assert_int_equal(view.run_count, 2);
    assert_int_equal(view.discrepancies[1].severity, OMS_CRITICAL);
    assert_true(view.kill_switch);
    assert_non_null(strstr(view.kill_reason, "MISSING_IN_OMS MSFT"));
    oms_view_free(&view);
    desk_end(&desk);
}

static void an_account_that_is_not_flat_starts_from_its_opening_positions(void **state) {
    const struct oms_opening opening = {
        .symbol = "MSFT", .qty_nanos = -5 * UNIT, .price_nanos = 400 * UNIT};
    struct broker_position *row;
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk_make_with(&desk, &opening, 1);
    row = broker_positions_add(&desk.fake.extra);
    (void)snprintf(row->symbol, sizeof row->symbol, "MSFT");
    row->qty_nanos = -5 * UNIT;
    row->avg_price_nanos = 400 * UNIT;
    desk_open(&desk);
    settle(&desk);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_int_equal(view.discrepancy_count, 0);
    assert_false(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

static void a_poll_that_finds_nothing_new_writes_nothing(void **state) {
    char log[128];
    struct desk desk;
    off_t before;
    int fd;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    (void)snprintf(log, sizeof log, "%s-wal", desk.path);
    fd = open(log, O_RDONLY);
    before = lseek(fd, 0, SEEK_END);
    pass(&desk, 100 * SECOND);
    assert_int_equal(lseek(fd, 0, SEEK_END), before);
    assert_true(before > 0);
    assert_int_equal(close(fd), 0);
    desk_end(&desk);
}

static void an_intent_changes_two_pages_and_a_quiet_start_one(void **state) {
    enum { FRAME = 4096 + 24 };
    struct stat before, after;
    struct desk desk;
    char log[128];
    (void)state;
    desk_start(&desk, "alpaca");
    (void)snprintf(log, sizeof log, "%s-wal", desk.path);
    take(&desk, "D1");
    settle(&desk);
    assert_int_equal(stat(log, &before), 0);
    take(&desk, "D2");
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(after.st_size - before.st_size, 2 * FRAME);
    settle(&desk);
    assert_int_equal(stat(log, &before), 0);
    assert_int_equal(before.st_size - after.st_size, FRAME); /* the send's record */
    desk_kill(&desk);
    desk_open(&desk);
    settle(&desk);
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(after.st_size - before.st_size, FRAME);
    desk_end(&desk);
}

static void an_order_that_rises_after_its_end_trips_the_kill_switch_and_is_booked(void **state) {
    struct broker_order *late;
    struct oms_order ended;
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_REJECT);
    take(&desk, "D1");
    settle(&desk);
    ended = order_of(&desk, "D1");
    late = fake_foreign(&desk.fake, ended.client_order_id, "AAPL", 100 * UNIT);
    late->limit_nanos = 150 * UNIT;
    fake_fill(&desk.fake, NULL, 10 * UNIT, 150 * UNIT);
    assert_int_equal(oms_request_reconcile(desk.oms), OMS_OK);
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_REJECTED);
    assert_true(order_of(&desk, "D1").filled_nanos == 10 * UNIT);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_kill(&desk);
    desk_open(&desk);
    desk_end(&desk);
}

static void an_execution_that_does_not_fit_its_order_is_not_booked(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    fake_fill(&desk.fake, NULL, 101 * UNIT, 150 * UNIT);
    pass(&desk, 20 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_non_null(strstr(desk.fake.last_alarm, "more is executed than was ordered"));
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

static void an_unknown_status_is_told_once_and_polled_on(void **state) {
    struct broker_order *order;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    order = fake_order(&desk.fake, NULL);
    order->status = BROKER_STATUS_UNKNOWN;
    (void)snprintf(order->status_text, sizeof order->status_text, "frozen");
    fake_forget_log(&desk.fake);
    pass(&desk, 20 * SECOND);
    assert_string_equal(desk.fake.log, "alarm> ");
    assert_non_null(strstr(desk.fake.last_alarm, "frozen"));
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    desk_end(&desk);
}

/* A proxy delivered the order twice, and the broker took it twice: ours is the one it told us of. */
static void a_second_order_under_our_id_is_told_compared_and_never_followed(void **state) {
    struct oms_order order;
    struct broker_order *copy;
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    take(&desk, "D1");
    settle(&desk);
    order = order_of(&desk, "D1");
    copy = fake_foreign(&desk.fake, order.client_order_id, "AAPL", 100 * UNIT);
    copy->type = BROKER_LIMIT;
    copy->limit_nanos = order.decision.limit_nanos;
    fake_forget_log(&desk.fake);
    pass(&desk, 4 * SECOND);
    assert_string_equal(desk.fake.last_alarm,
                        "the broker has a second order under this client order id");
    assert_string_equal(desk.fake.log, "alarm> reconcile< discrepancy> reconcile> ");
    fake_forget_log(&desk.fake);
    pass(&desk, 5 * SECOND); /* the second look, once it cannot be timing any more */
    assert_string_equal(desk.fake.log, "reconcile< discrepancy> reconcile> ");
    fake_forget_log(&desk.fake);
    pass(&desk, 10 * SECOND);
    assert_string_equal(desk.fake.log, "");
    desk.fake.orders.v[0].status = BROKER_STATUS_CANCELED;
    pass(&desk, 4 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_CANCELED);
    assert_string_equal(order_of(&desk, "D1").broker_order_id, order.broker_order_id);
    desk_end(&desk);
}

static void executions_told_out_of_order_give_the_same_position(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk.fake.now_ns += 10 * SECOND;
    fake_fill(&desk.fake, NULL, 40 * UNIT, 149 * UNIT);
    pass(&desk, 2 * SECOND);
    fake_fill(&desk.fake, NULL, 60 * UNIT, 150 * UNIT);
    desk.fake.fills.v[1].at_ns -= 5 * SECOND; /* it happened first */
    pass(&desk, 2 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    desk_kill(&desk);
    desk_open(&desk); /* replays them all and compares */
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.positions[0].cost == (decimal_wide)14960 * UNIT * UNIT);
    oms_view_free(&view);
    desk_end(&desk);
}

static void a_lost_database_tail_is_adopted_and_never_sent_twice(void **state) {
    char saved[128], log[128];
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    desk_close(&desk);
    (void)snprintf(saved, sizeof saved, "%s.old", desk.path);
    (void)snprintf(log, sizeof log, "%s-wal", desk.path);
    copy_file(desk.path, saved);
    desk_open(&desk);
    settle(&desk);
    take(&desk, "D1");
    settle(&desk);
    desk_close(&desk);
    assert_int_equal(rename(saved, desk.path), 0);
    (void)unlink(log);
    desk_open(&desk);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_non_null(strstr(view.kill_reason, "older than the one that ran here")); /* (9) */
    oms_view_free(&view);
    settle(&desk);
    assert_int_equal(oms_kill_switch(desk.oms, false, "anna", "known", &desk.error), OMS_OK);
    take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

/* The same, but it filled long before its decision is presented again. */
static void a_lost_order_that_filled_is_booked_once_its_decision_returns(void **state) {
    char saved[128], log[128];
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "label");
    desk_close(&desk);
    (void)snprintf(saved, sizeof saved, "%s.old", desk.path);
    (void)snprintf(log, sizeof log, "%s-wal", desk.path);
    copy_file(desk.path, saved);
    desk_open(&desk);
    settle(&desk);
    take(&desk, "D1");
    settle(&desk);
    desk_close(&desk);
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    assert_int_equal(rename(saved, desk.path), 0);
    (void)unlink(log);
    desk.fake.now_ns += 1000 * SECOND;
    desk_open(&desk);
    pass(&desk, 5 * SECOND);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch); /* an unknown position: a person looks first */
    oms_view_free(&view);
    assert_int_equal(oms_kill_switch(desk.oms, false, "anna", "known", &desk.error), OMS_OK);
    pass(&desk, 1000 * SECOND);
    take(&desk, "D1");
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void nothing_else_leaves_while_an_answer_is_not_on_record(void **state) {
    struct oms_next next;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    take(&desk, "D2");
    oms_next(desk.oms, &next);
    assert_int_equal(next.work, OMS_WORK_SEND);
    assert_int_equal(oms_step(desk.oms, &desk.error), OMS_OK);
    oms_next(desk.oms, &next);
    assert_int_equal(next.work, OMS_WORK_RECORD);
    assert_true(next.at_ns <= desk.fake.now_ns);
    assert_int_equal(desk.fake.submits, 1);
    desk_kill(&desk); /* the answer is lost with the process */
    desk_open(&desk);
    pass(&desk, 30 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_WORKING);
    assert_state(&desk, "D2", OMS_STATE_WORKING);
    assert_int_equal(desk.fake.orders.n, 2);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

/* ---- what is refused ---- */

static void assert_refused(struct desk *desk, const struct oms_decision *decision,
                           const char *why) {
    const struct oms_answer answer = decide(desk, decision);
    assert_int_equal(answer.taken, OMS_NOT_TAKEN);
    assert_string_equal(answer.reason, why);
}

static void bad_decisions_are_refused_with_value_and_rule(void **state) {
    struct oms_decision decision = decision_of("D1");
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    decision.qty_nanos = -5 * UNIT;
    assert_refused(&desk, &decision, "qty -5 must be positive");
    assert_string_equal(desk.fake.log, "refuse> ");
    decision = decision_of("D1");
    (void)snprintf(decision.symbol, sizeof decision.symbol, "aapl");
    assert_refused(&desk, &decision, "symbol \"aapl\" must be 1 to 23 of [A-Z0-9./-]");
    decision = decision_of("D 1");
    assert_refused(&desk, &decision,
                   "decision id \"D 1\" must be 1 to 128 printable characters without spaces");
    decision = decision_of("D1");
    decision.limit_nanos = 0;
    assert_refused(&desk, &decision, "limit 0 of a limit order must be positive");
    decision.type = BROKER_MARKET;
    decision.limit_nanos = UNIT;
    assert_refused(&desk, &decision, "limit 1 of a market order must be 0");
    decision = decision_of("D1");
    memset(decision.id, 'x', sizeof decision.id);
    assert_int_equal(decide(&desk, &decision).taken, OMS_NOT_TAKEN);
    take(&desk, "D1");
    decision = decision_of("D1");
    decision.qty_nanos++;
    assert_int_equal(decide(&desk, &decision).taken, OMS_NOT_TAKEN);
    settle(&desk);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void assert_opens(struct desk *desk, enum oms_code code, const char *words) {
    assert_int_equal(desk_try_open(desk), code);
    assert_null(desk->oms);
    if (strstr(desk->error.text, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", desk->error.text, words);
    }
}

static void a_missing_database_is_never_made_by_opening(void **state) {
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    assert_opens(&desk, OMS_MISSING, "on purpose only");
    assert_int_not_equal(access(desk.path, F_OK), 0);
    desk_end(&desk);
}

static void a_second_instance_is_fenced(void **state) {
    struct desk desk;
    struct oms *first;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk_make_with(&desk, NULL, 0);
    desk_open(&desk);
    first = desk.oms;
    assert_opens(&desk, OMS_LOCKED, "another instance");
    desk.oms = first;
    desk_end(&desk);
}

static void another_accounts_database_is_foreign(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    desk_close(&desk);
    (void)snprintf(desk.config.account, sizeof desk.config.account, "DESK2");
    assert_opens(&desk, OMS_FOREIGN, "belongs to account DESK1, not to DESK2");
    desk_end(&desk);
}

static void write_bytes(const char *path, const char *bytes, size_t length, off_t offset) {
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, bytes, length, offset), length);
    assert_int_equal(close(fd), 0);
}

static void garbage_and_foreign_databases_are_refused_and_left_alone(void **state) {
    char garbage[2000];
    struct oms_env env;
    struct oms_view view;
    struct desk desk;
    sqlite3 *db = NULL;
    (void)state;
    desk_prepare(&desk, "alpaca");
    env = fake_env(&desk.fake);
    memset(garbage, 'g', sizeof garbage);
    write_bytes(desk.path, garbage, sizeof garbage, 0);
    assert_opens(&desk, OMS_FOREIGN, "not an OMS database");
    assert_int_equal(oms_init(&desk.place, &desk.config, &env, NULL, 0, &desk.error), OMS_EXISTS);
    assert_int_equal(unlink(desk.path), 0);
    assert_int_equal(sqlite3_open(desk.path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_opens(&desk, OMS_FOREIGN, "application_id");
    assert_int_equal(oms_view_at(&desk.place, false, &view, &desk.error), OMS_FOREIGN);
    oms_view_free(&view);
    assert_int_equal(oms_view_at(&desk.place, true, &view, &desk.error), OMS_FOREIGN);
    oms_view_free(&view);
    assert_int_equal(oms_init(&desk.place, &desk.config, &env, NULL, 0, &desk.error), OMS_EXISTS);
    desk_end(&desk);
}

static void an_unfinished_database_is_said_to_be_unfinished(void **state) {
    struct oms_env env;
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    env = fake_env(&desk.fake);
    run_sql_on(&desk, "PRAGMA journal_mode=WAL"); /* as far as a first power cut may let it come */
    assert_opens(&desk, OMS_FOREIGN, "unfinished");
    assert_int_equal(oms_init(&desk.place, &desk.config, &env, NULL, 0, &desk.error), OMS_OK);
    assert_int_equal(oms_init(&desk.place, &desk.config, &env, NULL, 0, &desk.error), OMS_EXISTS);
    desk_open(&desk);
    desk_end(&desk);
}

static void a_store_that_makes_no_sense_is_refused(void **state) {
    static const struct {
        const char *damage, *words;
    } cases[] = {
        {"UPDATE orders SET state = 'lost'", "state"},
        {"UPDATE orders SET filled = qty + 1", "filled exceeds qty"},
        {"UPDATE orders SET filled = 5", "not the one that was decided and written"},
        {"UPDATE positions SET qty = qty + 1", "sum of its executions"},
        {"DELETE FROM fills", "sum of its executions"},
        {"DELETE FROM idempotency", "idempotency row"},
        {"UPDATE idempotency SET idempotency_key = 'order_12345'", "another key"},
        {"INSERT INTO idempotency VALUES('D7', 'k', '')", "idempotency rows for 1 orders"},
        {"UPDATE orders SET sends = -1", "sends"},
        {"UPDATE orders SET decision_id = 'D8'; UPDATE idempotency SET decision_id = 'D8'",
         "not made from account"},
        {"DELETE FROM meta", "meta is missing"},
        {"UPDATE meta SET kill_switch = 'no'", "cannot read meta"},
        {"UPDATE meta SET orphans = 2", "0 orphans, it counted 2"},
        {"UPDATE orders SET reason = NULL", "cannot read orders"},
        {"UPDATE orders SET limit_price = 150.25", "cannot read orders"},
        {"UPDATE idempotency SET idempotency_key = x'00'", "cannot read idempotency"},
        {"UPDATE fills SET qty = '40'", "cannot read fills"},
        {"UPDATE positions SET cost = 0", "cannot read positions"},
        {"UPDATE runs SET at_ns = NULL", "cannot read meta"},
        {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'severity', "
         "'severitx')",
         "its schema is not that of version"},
        {"PRAGMA user_version = 9",
         "schema version is 9, this program reads 3 to 4: use the newer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct desk desk;
        desk_start(&desk, "alpaca");
        take(&desk, "D1");
        settle(&desk);
        fake_fill(&desk.fake, NULL, 40 * UNIT, 150 * UNIT);
        pass(&desk, 2 * SECOND);
        desk_close(&desk);
        run_sql_on(&desk, cases[i].damage);
        assert_opens(&desk, i + 1 == sizeof cases / sizeof *cases ? OMS_FOREIGN : OMS_CORRUPT,
                     cases[i].words);
        desk_end(&desk);
    }
}

static const char *const payload_damages[] = {
    "UPDATE orders SET symbol = 'AAPM'",
    "UPDATE orders SET side = 'sell'",
    "UPDATE orders SET type = 'market'",
    "UPDATE orders SET tif = 'gtc'",
    "UPDATE orders SET qty = qty + 1",
    "UPDATE orders SET limit_price = limit_price + 1",
    "UPDATE orders SET expires_ns = 1 - expires_ns",
    "UPDATE orders SET seal = seal + 1",
};
enum { PAYLOAD_DAMAGES = sizeof payload_damages / sizeof *payload_damages };

/* Brings D1 to where its payload still matters: unsent, in doubt, live, held. */
static void bring_to(struct desk *desk, enum oms_state wanted) {
    desk->fake.halt_file = wanted == OMS_STATE_INTENT ? OMS_HALT_PRESENT : OMS_HALT_ABSENT;
    if (wanted == OMS_STATE_IN_DOUBT || wanted == OMS_STATE_HELD) {
        fake_script(&desk->fake, FAKE_LOSE);
    }
    take(desk, "D1");
    settle(desk);
    pass(desk, wanted == OMS_STATE_HELD ? 60 * SECOND : 0);
    assert_state(desk, "D1", wanted);
}

static void another_payload_than_was_decided_is_refused(void **state) {
    static const enum oms_state open_states[] = {OMS_STATE_INTENT, OMS_STATE_IN_DOUBT,
                                                 OMS_STATE_WORKING, OMS_STATE_HELD};
    (void)state;
    for (size_t i = 0; i < 4 * PAYLOAD_DAMAGES; i++) {
        struct desk desk;
        desk_start(&desk, "label");
        bring_to(&desk, open_states[i % 4]);
        desk_close(&desk);
        run_sql_on(&desk, payload_damages[i / 4]);
        assert_opens(&desk, OMS_CORRUPT, "it is not the one that was decided and written");
        desk_end(&desk);
    }
}

/* One bit of a value of D1's row, where it lies; the same again puts it back. False: past its end. */
static bool flip(struct desk *desk, const char *column, int bit) {
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    char sql[120], text[2 * OMS_REASON_SIZE] = "";
    int64_t number = 0;
    int length = -1;
    bool there = false;

    (void)snprintf(sql, sizeof sql, "SELECT %s FROM orders", column);
    assert_int_equal(sqlite3_open(desk->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    number = sqlite3_column_int64(row, 0);
    if (sqlite3_column_type(row, 0) == SQLITE_TEXT) {
        length = sqlite3_column_bytes(row, 0);
        assert_true((size_t)length < sizeof text);
        memcpy(text, sqlite3_column_text(row, 0), (size_t)length);
    }
    sqlite3_finalize(row);
    there = bit < (length < 0 ? 64 : length * 8);
    if (there) {
        (void)snprintf(sql, sizeof sql, "UPDATE orders SET %s = ?1", column);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
        if (length < 0) {
            sqlite3_bind_int64(row, 1, (int64_t)((uint64_t)number ^ (uint64_t)1 << bit));
        } else {
            text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
            sqlite3_bind_text(row, 1, text, length, SQLITE_TRANSIENT);
        }
        assert_int_equal(sqlite3_step(row), SQLITE_DONE);
        sqlite3_finalize(row);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return there;
}

/* Also when it was sent, until when it may have left, and how often: else an order in doubt could be
 * sent again too early. */
static void no_bit_of_an_order_that_is_not_over_can_flip_unseen(void **state) {
    static const char *const columns[] = {"id",
                                          "decision_id",
                                          "client_order_id",
                                          "symbol",
                                          "side",
                                          "type",
                                          "tif",
                                          "qty",
                                          "limit_price",
                                          "expires_ns",
                                          "state",
                                          "reason",
                                          "broker_order_id",
                                          "filled",
                                          "sends",
                                          "first_send_ns",
                                          "send_by_ns",
                                          "cancel_asked",
                                          "created_ns",
                                          "seal"};
    (void)state;
    for (int doubtful = 0; doubtful < 2; doubtful++) {
        struct desk desk;
        int flips = 0;
        desk_start(&desk, "open-only");
        bring_to(&desk, doubtful ? OMS_STATE_IN_DOUBT : OMS_STATE_WORKING);
        desk_close(&desk);
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
            for (int bit = 0; flip(&desk, columns[i], bit); bit++) {
                struct oms_view view;
                const enum oms_code code = oms_view_at(&desk.place, true, &view, &desk.error);
                oms_view_free(&view);
                if (code != OMS_CORRUPT) {
                    fail_msg("bit %d of %s flips unseen", bit, columns[i]);
                }
                assert_true(flip(&desk, columns[i], bit));
                flips++;
            }
        }
        assert_true(flips > 500);
        desk_open(&desk);
        desk_end(&desk);
    }
}

/* What has ended is not sealed against: nothing is sent or booked for it any more. */
static void an_ended_order_does_not_keep_the_desk_closed(void **state) {
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    fake_script(&desk.fake, FAKE_REJECT);
    take(&desk, "D1");
    settle(&desk);
    assert_state(&desk, "D1", OMS_STATE_REJECTED);
    desk_close(&desk);
    run_sql_on(&desk, "UPDATE orders SET limit_price = limit_price + 1");
    desk_open(&desk);
    desk_end(&desk);
}

static void a_payload_damaged_in_memory_does_not_pass_the_last_door(void **state) {
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    desk.oms->book.orders[0]->pub.decision.qty_nanos += 1;
    settle(&desk);
    assert_int_equal(desk.fake.submits, 0);
    assert_non_null(strstr(desk.fake.last_alarm, "the payload of D1 is not the one decided"));
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
}

/* ---- reading at rest ---- */

static void a_store_at_rest_is_read_without_being_changed(void **state) {
    struct oms_view view;
    struct desk desk;
    char log[128];
    (void)state;
    desk_start(&desk, "alpaca");
    take(&desk, "D1");
    settle(&desk);
    desk.config.no_checkpoint_on_close = true;
    assert_int_equal(oms_view_at(&desk.place, false, &view, &desk.error), OMS_LOCKED);
    oms_view_free(&view);
    desk_kill(&desk);
    (void)snprintf(log, sizeof log, "%s-wal", desk.path);
    for (int check = 0; check < 2; check++) {
        assert_int_equal(oms_view_at(&desk.place, check, &view, &desk.error), OMS_OK);
        assert_int_equal(view.order_count, 1);
        assert_int_equal(view.orders[0].state, OMS_STATE_WORKING);
        assert_int_equal(view.boots, 1);
        assert_string_equal(view.account, "DESK1");
        oms_view_free(&view);
        assert_int_equal(access(log, F_OK), 0);
    }
    desk_open(&desk);
    settle(&desk);
    desk_close(&desk);
    assert_int_equal(oms_view_at(&desk.place, true, &view, &desk.error), OMS_OK);
    assert_int_equal(view.boots, 2);
    oms_view_free(&view);
    desk_end(&desk);
}

static void a_long_log_is_copied_into_the_database(void **state) {
    struct stat before, after;
    struct desk desk;
    (void)state;
    desk_prepare(&desk, "alpaca");
    desk.config.checkpoint_frames = 10;
    desk_make_with(&desk, NULL, 0);
    desk_open(&desk);
    settle(&desk);
    assert_int_equal(stat(desk.path, &before), 0);
    for (int i = 0; i < 100; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "D%d", i);
        take(&desk, id);
        settle(&desk);
    }
    assert_int_equal(stat(desk.path, &after), 0);
    assert_true(after.st_size > before.st_size);
    desk_kill(&desk);
    desk_open(&desk);
    settle(&desk);
    assert_state(&desk, "D99", OMS_STATE_WORKING);
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_becomes_one_order_and_its_fills_a_position),
        cmocka_unit_test(idempotency_prevents_duplicates_across_a_restart),
        cmocka_unit_test(a_decision_survives_a_kill_without_a_close),
        cmocka_unit_test(a_decision_survives_the_death_of_its_process),
        cmocka_unit_test(a_refusal_is_final_and_its_reason_is_recorded),
        cmocka_unit_test(what_never_left_is_sent_again_with_back_off),
        cmocka_unit_test(a_lost_reply_is_found_and_adopted),
        cmocka_unit_test(an_answer_about_another_order_is_looked_up),
        cmocka_unit_test(a_duplicate_with_our_payload_is_adopted_and_another_is_held),
        cmocka_unit_test(absence_counts_only_after_quiescence_and_then_the_same_id_is_sent),
        cmocka_unit_test(a_restart_neither_skips_nor_restarts_quiescence),
        cmocka_unit_test(a_kill_between_intent_and_send_counts_as_in_doubt),
        cmocka_unit_test(without_deduplication_an_absent_order_is_held),
        cmocka_unit_test(a_held_order_found_by_a_comparison_lives_on),
        cmocka_unit_test(an_id_the_broker_may_have_forgotten_is_held),
        cmocka_unit_test(an_id_is_sent_at_most_as_often_as_configured),
        cmocka_unit_test(a_failed_query_is_never_absence),
        cmocka_unit_test(told_to_slow_down_the_oms_asks_and_sends_less_and_less_often),
        cmocka_unit_test(a_second_order_under_our_id_is_told_compared_and_never_followed),
        cmocka_unit_test(a_clock_that_went_back_starts_the_waiting_in_full),
        cmocka_unit_test(a_clock_that_was_set_forward_does_not_shorten_the_waiting),
        cmocka_unit_test(
            what_another_life_sent_is_waited_for_in_full_where_ids_are_unique_while_open),
        cmocka_unit_test(without_a_steady_clock_the_wall_clock_alone_is_believed),
        cmocka_unit_test(nothing_is_sent_before_the_first_comparison),
        cmocka_unit_test(the_kill_switch_stops_sends_and_survives_a_kill),
        cmocka_unit_test(a_halt_file_that_is_there_or_unreadable_stops_sends),
        cmocka_unit_test(past_its_expiry_nothing_is_sent_or_sent_again),
        cmocka_unit_test(a_stall_past_the_reservation_renews_it_before_the_send),
        cmocka_unit_test(a_cancel_before_the_send_ends_the_order_at_once),
        cmocka_unit_test(a_cancel_leaves_with_the_kill_switch_on_and_is_repeated),
        cmocka_unit_test(a_fill_may_win_against_a_cancel),
        cmocka_unit_test(a_partial_fill_is_booked_before_the_cancel_ends_the_order),
        cmocka_unit_test(a_canceled_order_in_doubt_is_not_sent_again),
        cmocka_unit_test(what_filled_while_down_is_found_explained_and_booked),
        cmocka_unit_test(an_unexplained_critical_difference_trips_the_kill_switch),
        cmocka_unit_test(an_account_that_is_not_flat_starts_from_its_opening_positions),
        cmocka_unit_test(a_poll_that_finds_nothing_new_writes_nothing),
        cmocka_unit_test(an_intent_changes_two_pages_and_a_quiet_start_one),
        cmocka_unit_test(an_order_that_rises_after_its_end_trips_the_kill_switch_and_is_booked),
        cmocka_unit_test(an_execution_that_does_not_fit_its_order_is_not_booked),
        cmocka_unit_test(an_unknown_status_is_told_once_and_polled_on),
        cmocka_unit_test(executions_told_out_of_order_give_the_same_position),
        cmocka_unit_test(a_lost_database_tail_is_adopted_and_never_sent_twice),
        cmocka_unit_test(a_lost_order_that_filled_is_booked_once_its_decision_returns),
        cmocka_unit_test(nothing_else_leaves_while_an_answer_is_not_on_record),
        cmocka_unit_test(bad_decisions_are_refused_with_value_and_rule),
        cmocka_unit_test(a_missing_database_is_never_made_by_opening),
        cmocka_unit_test(a_second_instance_is_fenced),
        cmocka_unit_test(another_accounts_database_is_foreign),
        cmocka_unit_test(garbage_and_foreign_databases_are_refused_and_left_alone),
        cmocka_unit_test(an_unfinished_database_is_said_to_be_unfinished),
        cmocka_unit_test(a_store_that_makes_no_sense_is_refused),
        cmocka_unit_test(another_payload_than_was_decided_is_refused),
        cmocka_unit_test(no_bit_of_an_order_that_is_not_over_can_flip_unseen),
        cmocka_unit_test(an_ended_order_does_not_keep_the_desk_closed),
        cmocka_unit_test(a_payload_damaged_in_memory_does_not_pass_the_last_door),
        cmocka_unit_test(a_store_at_rest_is_read_without_being_changed),
        cmocka_unit_test(a_long_log_is_copied_into_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
