/* Orders on their way together: answers that come later than other orders leave, and in any order;
 * and what goes on while a question waits. */
#include "core/engine.h"
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { UNDER_WAY_MAX = 8 };

/* A desk whose broker keeps its answers until the test lets them go. */
struct late_desk {
    struct desk desk;
    struct broker inner;
    struct broker_answer kept[UNDER_WAY_MAX];
    size_t count;
    size_t free; /* so many of the kept ones may be collected, the oldest first */
    bool newest_first;
    int withdrawn;
    /* While the next list of orders is asked for, after the broker has looked it up. */
    void (*meanwhile)(struct late_desk *late);
};

static enum broker_sent submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct broker_reason *why) {
    struct late_desk *late = ctx;
    struct broker_answer *kept = &late->kept[late->count];
    (void)order, (void)why;
    assert_true(late->count < UNDER_WAY_MAX);
    *kept = (struct broker_answer){.ticket = request->ticket};
    kept->sent = late->inner.submit(late->inner.ctx, request, &kept->order, &kept->why);
    late->count++;
    return BROKER_ON_ITS_WAY;
}

static bool collect(void *ctx, struct broker_answer *answer, int64_t *wait_ns) {
    struct late_desk *late = ctx;
    const size_t at = late->newest_first ? late->count - 1 : 0;
    *wait_ns = SECOND;
    if (late->free == 0 || late->count == 0) {
        return false;
    }
    *answer = late->kept[at];
    late->count--;
    late->free--;
    memmove(&late->kept[at], &late->kept[at + 1], (late->count - at) * sizeof late->kept[0]);
    return true;
}

static void withdraw(void *ctx) {
    struct late_desk *late = ctx;
    late->withdrawn++;
}

static bool orders(void *ctx, enum broker_scope scope, int64_t since_ns, struct broker_orders *list,
                   struct broker_reason *why) {
    struct late_desk *late = ctx;
    void (*meanwhile)(struct late_desk *) = late->meanwhile;
    const bool whole = late->inner.orders(late->inner.ctx, scope, since_ns, list, why);
    late->meanwhile = NULL;
    if (meanwhile != NULL) {
        meanwhile(late);
    }
    return whole;
}

static enum broker_found lookup(void *ctx, const char *id, struct broker_order *order,
                                struct broker_reason *why) {
    struct late_desk *late = ctx;
    return late->inner.lookup(late->inner.ctx, id, order, why);
}

static bool fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                  struct broker_reason *why) {
    struct late_desk *late = ctx;
    return late->inner.fills(late->inner.ctx, since_ns, list, why);
}

static bool positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    struct late_desk *late = ctx;
    return late->inner.positions(late->inner.ctx, list, why);
}

static enum broker_canceled cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    struct late_desk *late = ctx;
    return late->inner.cancel(late->inner.ctx, order_id, why);
}

static void open_late(struct late_desk *late) {
    const struct broker broker = {.ctx = late,
                                  .submit = submit,
                                  .lookup = lookup,
                                  .orders = orders,
                                  .fills = fills,
                                  .positions = positions,
                                  .cancel = cancel,
                                  .collect = collect,
                                  .withdraw = withdraw};
    const struct oms_env env = fake_env(&late->desk.fake);
    late->inner = fake_broker(&late->desk.fake);
    late->desk.config.sends_at_once = UNDER_WAY_MAX;
    assert_int_equal(oms_open(&late->desk.oms, &late->desk.place, &late->desk.config, &broker, &env,
                              &late->desk.error),
                     OMS_OK);
    assert_int_equal(fake_settle(late->desk.oms, &late->desk.fake, 100), OMS_OK);
}

static void start_late(struct late_desk *late, const char *profile) {
    *late = (struct late_desk){.count = 0};
    desk_start(&late->desk, profile);
    desk_close(&late->desk);
    open_late(late);
    fake_forget_log(&late->desk.fake);
}

/* ... and D1 is on its way. */
static void start_with_d1(struct late_desk *late) {
    start_late(late, "alpaca");
    take(&late->desk, "D1");
    settle(&late->desk);
}

static size_t on_their_way(const struct late_desk *late) {
    struct oms_next next;
    oms_next(late->desk.oms, &next);
    return next.on_their_way;
}

static void let_go(struct late_desk *late, size_t count) {
    late->free = count;
    oms_expect_answer(late->desk.oms);
    settle(&late->desk);
}

/* ---- orders do not wait for each other's answers ---- */

static void orders_leave_while_others_are_not_answered(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    take(&late.desk, "D2");
    settle(&late.desk);
    assert_int_equal(late.desk.fake.submits, 2);
    assert_int_equal(on_their_way(&late), 2);
    assert_state(&late.desk, "D1", OMS_STATE_INTENT);
    late.newest_first = true;
    let_go(&late, 1);
    assert_state(&late.desk, "D1", OMS_STATE_INTENT);
    assert_state(&late.desk, "D2", OMS_STATE_WORKING);
    let_go(&late, 1);
    assert_state(&late.desk, "D1", OMS_STATE_WORKING);
    assert_int_equal(on_their_way(&late), 0);
    assert_int_equal(late.desk.fake.submits, 2);
    desk_end(&late.desk);
}

static void no_more_leave_at_once_than_configured(void **state) {
    struct late_desk late;
    char id[16];
    (void)state;
    start_late(&late, "alpaca");
    for (int i = 0; i < UNDER_WAY_MAX + 2; i++) {
        (void)snprintf(id, sizeof id, "D%d", i);
        take(&late.desk, id);
    }
    settle(&late.desk);
    assert_int_equal(late.desk.fake.submits, UNDER_WAY_MAX);
    let_go(&late, 1);
    assert_int_equal(late.desk.fake.submits, UNDER_WAY_MAX + 1);
    let_go(&late, UNDER_WAY_MAX);
    let_go(&late, UNDER_WAY_MAX);
    assert_int_equal(late.desk.fake.submits, UNDER_WAY_MAX + 2);
    for (int i = 0; i < UNDER_WAY_MAX + 2; i++) {
        (void)snprintf(id, sizeof id, "D%d", i);
        assert_state(&late.desk, id, OMS_STATE_WORKING);
    }
    desk_end(&late.desk);
}

static void an_order_on_its_way_is_neither_looked_up_nor_sent_again(void **state) {
    struct late_desk late;
    (void)state;
    start_late(&late, "alpaca");
    fake_script(&late.desk.fake, FAKE_LOSE);
    take(&late.desk, "D1");
    settle(&late.desk);
    pass(&late.desk, 4 * SECOND);
    assert_int_equal(late.desk.fake.lookups, 0);
    assert_int_equal(late.desk.fake.submits, 1);
    late.free = 1;
    pass(&late.desk, 2 * SECOND);
    assert_state(&late.desk, "D1", OMS_STATE_IN_DOUBT);
    assert_int_not_equal(late.desk.fake.lookups, 0);
    late.free = UNDER_WAY_MAX;
    pass(&late.desk, 60 * SECOND);
    assert_state(&late.desk, "D1", OMS_STATE_WORKING);
    assert_int_equal(late.desk.fake.submits, 2);
    desk_end(&late.desk);
}

static void a_life_that_ends_before_the_answers_leaves_doubt_and_one_order_each(void **state) {
    struct late_desk late;
    (void)state;
    start_late(&late, "alpaca");
    take(&late.desk, "D1");
    fake_script(&late.desk.fake, FAKE_ACCEPT);
    fake_script(&late.desk.fake, FAKE_LOSE);
    take(&late.desk, "D2");
    settle(&late.desk);
    assert_int_equal(late.desk.fake.submits, 2);
    desk_kill(&late.desk);
    late.count = 0;
    late.free = UNDER_WAY_MAX;
    open_late(&late);
    pass(&late.desk, 60 * SECOND);
    assert_state(&late.desk, "D1", OMS_STATE_WORKING);
    assert_state(&late.desk, "D2", OMS_STATE_WORKING);
    assert_int_equal(late.desk.fake.submits, 3);
    assert_int_equal(late.desk.fake.orders.n, 2);
    desk_end(&late.desk);
}

static void what_a_comparison_finds_first_is_not_undone_by_the_answer(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    fake_fill(&late.desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    assert_int_equal(oms_request_reconcile(late.desk.oms), OMS_OK);
    settle(&late.desk);
    assert_state(&late.desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(on_their_way(&late), 1);
    take(&late.desk, "D2"); /* the newest order stays, so D1 could go to the archive */
    settle(&late.desk);
    assert_int_equal(oms_request_archive(late.desk.oms), OMS_OK);
    settle(&late.desk);
    assert_int_equal(late.desk.oms->book.order_count, 2);
    let_go(&late, 2);
    assert_int_equal(on_their_way(&late), 0);
    assert_state(&late.desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(oms_request_archive(late.desk.oms), OMS_OK);
    settle(&late.desk);
    assert_int_equal(late.desk.oms->book.order_count, 1);
    assert_string_equal(late.desk.fake.last_alarm, "");
    desk_end(&late.desk);
}

static void a_cancel_waits_for_the_answer(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    assert_int_equal(oms_cancel(late.desk.oms, "D1", &late.desk.error), OMS_OK);
    settle(&late.desk);
    assert_int_equal(late.desk.fake.cancels, 0);
    assert_state(&late.desk, "D1", OMS_STATE_INTENT);
    let_go(&late, 1);
    assert_int_equal(late.desk.fake.cancels, 1);
    desk_end(&late.desk);
}

static void the_kill_switch_withdraws_what_has_not_left(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    assert_int_equal(oms_kill_switch(late.desk.oms, true, "test", "drill", &late.desk.error),
                     OMS_OK);
    assert_int_equal(late.withdrawn, 1);
    late.kept[0].sent = BROKER_NOT_SENT;
    let_go(&late, 1);
    assert_state(&late.desk, "D1", OMS_STATE_INTENT);
    assert_int_equal(order_of(&late.desk, "D1").sends, 0);
    assert_int_equal(on_their_way(&late), 0);
    desk_end(&late.desk);
}

static void an_orderly_end_waits_for_the_answers(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    take(&late.desk, "D2");
    assert_int_equal(oms_finish(late.desk.oms, &late.desk.error), OMS_UNANSWERED);
    late.free = 1;
    assert_int_equal(oms_finish(late.desk.oms, &late.desk.error), OMS_OK);
    assert_state(&late.desk, "D1", OMS_STATE_WORKING);
    assert_state(&late.desk, "D2", OMS_STATE_INTENT);
    assert_int_equal(late.desk.fake.submits, 1);
    desk_end(&late.desk);
}

/* ---- while a question waits ---- */

static void decide_and_send_d2(struct late_desk *late) {
    take(&late->desk, "D2");
    assert_int_equal(oms_meanwhile(late->desk.oms, &late->desk.error), OMS_OK);
    assert_int_equal(late->desk.fake.submits, 2);
    late->free = UNDER_WAY_MAX;
    oms_expect_answer(late->desk.oms);
    assert_int_equal(oms_meanwhile(late->desk.oms, &late->desk.error), OMS_OK);
    assert_state(&late->desk, "D2", OMS_STATE_WORKING);
}

/* The list is older than the order: that it lacks it says nothing. */
static void orders_leave_and_are_recorded_while_a_poll_waits(void **state) {
    struct late_desk late;
    (void)state;
    start_with_d1(&late);
    let_go(&late, 1);
    late.meanwhile = decide_and_send_d2;
    pass(&late.desk, 10 * SECOND);
    assert_null(late.meanwhile);
    assert_state(&late.desk, "D1", OMS_STATE_WORKING);
    assert_state(&late.desk, "D2", OMS_STATE_WORKING);
    assert_int_equal(late.desk.fake.lookups, 0);
    assert_string_equal(late.desk.fake.last_alarm, "");
    desk_end(&late.desk);
}

static void and_while_a_comparison_does(void **state) {
    struct late_desk late;
    struct oms_view view = {0};
    (void)state;
    start_with_d1(&late);
    let_go(&late, 1);
    late.meanwhile = decide_and_send_d2;
    assert_int_equal(oms_request_daily(late.desk.oms, OMS_TODAY, &late.desk.error), OMS_OK);
    settle(&late.desk);
    assert_null(late.meanwhile);
    assert_state(&late.desk, "D2", OMS_STATE_WORKING);
    assert_int_equal(oms_view(late.desk.oms, &view, &late.desk.error), OMS_OK);
    assert_int_equal(view.discrepancy_count, 0);
    assert_false(view.kill_switch);
    oms_view_free(&view);
    desk_end(&late.desk);
}

static void at_any_other_time_meanwhile_does_nothing(void **state) {
    struct late_desk late;
    (void)state;
    start_late(&late, "alpaca");
    take(&late.desk, "D1");
    assert_int_equal(oms_meanwhile(late.desk.oms, &late.desk.error), OMS_OK);
    assert_int_equal(late.desk.fake.submits, 0);
    desk_end(&late.desk);
}

static void try_to_send_d2(struct late_desk *late) {
    take(&late->desk, "D2");
    assert_int_equal(oms_meanwhile(late->desk.oms, &late->desk.error), OMS_OK);
    assert_int_equal(late->desk.fake.submits, 1);
}

static void then_look_again(struct late_desk *late) {
    fake_foreign(&late->desk.fake, "somebody", "MSFT",
                 5 * UNIT); /* not explained: looked at twice */
    late->meanwhile = try_to_send_d2;
}

static void nothing_leaves_while_a_difference_waits_for_its_second_look(void **state) {
    struct late_desk late;
    (void)state;
    start_late(&late, "alpaca");
    fake_foreign(&late.desk.fake, "somebody", "AAPL", 5 * UNIT);
    take(&late.desk, "D1");
    settle(&late.desk);
    let_go(&late, 1);
    late.meanwhile = then_look_again;
    assert_int_equal(oms_request_reconcile(late.desk.oms), OMS_OK);
    settle(&late.desk);
    assert_null(late.meanwhile);
    desk_end(&late.desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_leave_while_others_are_not_answered),
        cmocka_unit_test(no_more_leave_at_once_than_configured),
        cmocka_unit_test(an_order_on_its_way_is_neither_looked_up_nor_sent_again),
        cmocka_unit_test(a_life_that_ends_before_the_answers_leaves_doubt_and_one_order_each),
        cmocka_unit_test(what_a_comparison_finds_first_is_not_undone_by_the_answer),
        cmocka_unit_test(a_cancel_waits_for_the_answer),
        cmocka_unit_test(the_kill_switch_withdraws_what_has_not_left),
        cmocka_unit_test(an_orderly_end_waits_for_the_answers),
        cmocka_unit_test(orders_leave_and_are_recorded_while_a_poll_waits),
        cmocka_unit_test(and_while_a_comparison_does),
        cmocka_unit_test(at_any_other_time_meanwhile_does_nothing),
        cmocka_unit_test(nothing_leaves_while_a_difference_waits_for_its_second_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
