/* Decisions that arrive together: one transaction, each with its own answer. */
#include "core/tests/desk.h"
#include "core/tests/fault_vfs.h"

#include "core/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { MANY = 5 };

static void make_many(struct oms_decision decisions[MANY]) {
    for (int i = 0; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof id, "D%d", i + 1);
        decisions[i] = decision_of(id);
    }
}

static void several_are_taken_in_one_transaction_and_each_is_sent_once(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct desk desk;
    int frames;
    (void)state;
    desk_start(&desk, "alpaca");
    make_many(decisions);
    take(&desk, "D0");
    settle(&desk);
    frames = desk.oms->store.frames;
    fake_forget_log(&desk.fake);
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    assert_string_equal(desk.fake.log,
                        "check(absent)> check(absent)> check(absent)> check(absent)> "
                        "check(absent)> decide< decide< decide< decide< decide< decide> decide> "
                        "decide> decide> decide> ");
    /* one decision alone writes two pages: its row and its key */
    assert_true(desk.oms->store.frames - frames < 2 * MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].taken, OMS_TAKEN);
        assert_int_equal(answers[i].state, OMS_STATE_INTENT);
        /* what waits for its turn is not reserved: a crash now leaves no doubt about it */
        assert_int_equal(order_of(&desk, decisions[i].id).sends, i == 0);
    }
    settle(&desk);
    assert_int_equal(desk.fake.submits, MANY + 1);
    assert_int_equal(desk.fake.orders.n, MANY + 1);
    for (int i = 0; i < MANY; i++) {
        assert_state(&desk, decisions[i].id, OMS_STATE_WORKING);
    }
    desk_end(&desk);
}

static void each_is_answered_as_if_it_had_come_alone(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    make_many(decisions);
    take(&desk, "D1");              /* known already */
    decisions[2].qty_nanos = -UNIT; /* D3 breaks a rule */
    decisions[3] = decisions[1];    /* D2 again */
    decisions[4] = decisions[1];    /* D2 with another payload */
    decisions[4].limit_nanos += UNIT;
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    assert_int_equal(answers[0].taken, OMS_KNOWN);
    assert_int_equal(answers[1].taken, OMS_TAKEN);
    assert_int_equal(answers[2].taken, OMS_NOT_TAKEN);
    assert_string_equal(answers[2].reason, "qty -1 must be positive");
    assert_int_equal(answers[3].taken, OMS_KNOWN);
    assert_string_equal(answers[3].client_order_id, answers[1].client_order_id);
    assert_int_equal(answers[4].taken, OMS_NOT_TAKEN);
    assert_non_null(strstr(answers[4].reason, "another payload"));
    settle(&desk);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

static void with_the_kill_switch_on_none_is_taken(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    make_many(decisions);
    decisions[4] = decisions[0];
    assert_int_equal(oms_kill_switch(desk.oms, true, "anna", "feed is wrong", &desk.error), OMS_OK);
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].taken, OMS_NOT_TAKEN);
        assert_non_null(strstr(answers[i].reason, "anna: feed is wrong"));
    }
    assert_int_equal(oms_kill_switch(desk.oms, false, "anna", "mended", &desk.error), OMS_OK);
    settle(&desk);
    assert_int_equal(desk.fake.submits, 0);
    desk_end(&desk);
}

static void a_kill_after_the_transaction_leaves_every_one_to_be_sent_once(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    make_many(decisions);
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    desk_kill(&desk);
    desk_open(&desk);
    pass(&desk, 60 * SECOND);
    assert_int_equal(desk.fake.orders.n, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_state(&desk, decisions[i].id, OMS_STATE_WORKING);
    }
    desk_end(&desk);
}

static void without_space_none_is_taken_and_all_may_come_again(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    make_many(decisions);
    fault_arm((struct fault_plan){.at = 2, .code = SQLITE_FULL});
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    assert_true(fault_fired());
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].taken, OMS_NOT_TAKEN);
        assert_string_equal(answers[i].reason, "no space left for the intent");
    }
    fault_arm((struct fault_plan){0});
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_OK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].taken, OMS_TAKEN);
    }
    settle(&desk);
    assert_int_equal(desk.fake.orders.n, MANY);
    desk_end(&desk);
}

static void an_unknown_commit_stops_and_leaves_all_of_them_or_none(void **state) {
    struct oms_decision decisions[MANY];
    struct oms_answer answers[MANY];
    struct oms_view view;
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    make_many(decisions);
    fault_arm((struct fault_plan){.at = 1, .code = SQLITE_IOERR_FSYNC, .only_syncs = true});
    assert_int_equal(oms_decide_many(desk.oms, decisions, MANY, answers, &desk.error), OMS_STORAGE);
    assert_true(fault_fired());
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(answers[i].taken, OMS_UNKNOWN);
    }
    fault_arm((struct fault_plan){0});
    desk_close(&desk);
    desk_open(&desk);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_true(view.order_count == 0 || view.order_count == MANY);
    oms_view_free(&view);
    assert_int_equal(desk.fake.submits, 0);
    desk_end(&desk);
}

static void too_many_at_once_are_refused_whole(void **state) {
    static struct oms_decision decisions[OMS_DECISIONS_MAX + 1];
    static struct oms_answer answers[OMS_DECISIONS_MAX + 1];
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    assert_int_equal(
        oms_decide_many(desk.oms, decisions, OMS_DECISIONS_MAX + 1, answers, &desk.error),
        OMS_INVALID);
    assert_string_equal(desk.error.text,
                        "1025 decisions were presented together, at most 1024 may be");
    assert_int_equal(answers[0].taken, OMS_UNKNOWN);
    desk_end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_are_taken_in_one_transaction_and_each_is_sent_once),
        cmocka_unit_test(each_is_answered_as_if_it_had_come_alone),
        cmocka_unit_test(with_the_kill_switch_on_none_is_taken),
        cmocka_unit_test(a_kill_after_the_transaction_leaves_every_one_to_be_sent_once),
        cmocka_unit_test(without_space_none_is_taken_and_all_may_come_again),
        cmocka_unit_test(an_unknown_commit_stops_and_leaves_all_of_them_or_none),
        cmocka_unit_test(too_many_at_once_are_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
