/* The store failing under the OMS: every call that changes a file, one after the other. */
#include "core/tests/desk.h"
#include "core/tests/fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

static bool is_known(struct desk *desk, const char *id) {
    char key[BROKER_CLIENT_ID_SIZE];
    bool exists = false;
    assert_int_equal(oms_exists(desk->oms, id, &exists, key, &desk->error), OMS_OK);
    return exists;
}

static int count_of(const char *log, const char *word) {
    int count = 0;
    for (const char *at = log; (at = strstr(at, word)) != NULL; at += strlen(word)) {
        count++;
    }
    return count;
}

static void no_space_at_an_intent_is_not_taken_and_the_rest_goes_on(void **state) {
    const struct oms_decision second = decision_of("D2");
    struct oms_answer answer;
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    take(&desk, "D1");
    settle(&desk);
    fault_arm((struct fault_plan){.at = 1, .code = SQLITE_FULL});
    answer = decide(&desk, &second);
    assert_true(fault_fired());
    assert_int_equal(answer.taken, OMS_NOT_TAKEN);
    assert_string_equal(answer.reason, "no space left for the intent");
    fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
    pass(&desk, 10 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    desk_kill(&desk);
    desk_open(&desk);
    assert_false(is_known(&desk, "D2"));
    assert_true(is_known(&desk, "D1"));
    desk_end(&desk);
}

/* The commit frame is whole in the log and only then comes "no space": SQLite rolls back in memory,
 * but a new start would find the commit. */
static void no_space_after_the_whole_commit_was_written_does_not_come_back(void **state) {
    const struct oms_decision decision = decision_of("D2");
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    take(&desk, "D1");
    settle(&desk);
    fault_arm((struct fault_plan){.at = 1, .code = SQLITE_FULL, .only_syncs = true});
    assert_int_equal(decide(&desk, &decision).taken, OMS_NOT_TAKEN);
    assert_true(fault_fired());
    desk_kill(&desk);
    desk_open(&desk);
    assert_false(is_known(&desk, "D2"));
    settle(&desk);
    take(&desk, "D2");
    settle(&desk);
    assert_int_equal(desk.fake.submits, 2);
    desk_end(&desk);
}

/* Whichever call of the life's first commit finds no space: the log was empty, and is so again. */
static void no_space_at_the_first_commit_of_a_life_does_not_come_back(void **state) {
    const struct oms_decision decision = decision_of("D1");
    int tried = 0;
    (void)state;
    for (bool fired = true; fired; tried += fired) {
        struct desk desk;
        fault_register();
        fault_arm((struct fault_plan){.at = 0});
        desk_prepare(&desk, "alpaca");
        desk.place.vfs = "fault";
        desk_make_with(&desk, NULL, 0);
        desk_open(&desk);
        fault_arm((struct fault_plan){.at = tried + 1, .code = SQLITE_FULL});
        const struct oms_answer answer = decide(&desk, &decision);
        fired = fault_fired();
        assert_int_equal(answer.taken, fired ? OMS_NOT_TAKEN : OMS_TAKEN);
        desk_kill(&desk);
        desk_open(&desk);
        assert_int_equal(is_known(&desk, "D1"), !fired);
        settle(&desk);
        desk_end(&desk);
    }
    assert_true(tried > 2);
}

static void a_failed_commit_is_unknown_and_stops_everything(void **state) {
    const struct oms_decision decision = decision_of("D1");
    struct oms_answer answer;
    struct oms_next next;
    struct desk desk;
    int calls;
    (void)state;
    desk_start_on_faults(&desk);
    fault_arm((struct fault_plan){.at = 1, .code = SQLITE_IOERR_FSYNC, .only_syncs = true});
    assert_int_equal(oms_decide(desk.oms, &decision, &answer, &desk.error), OMS_STORAGE);
    assert_int_equal(answer.taken, OMS_UNKNOWN);
    assert_int_equal(count_of(desk.fake.log, "halt>"), 1);
    calls = fault_calls();
    assert_int_equal(oms_decide(desk.oms, &decision, &answer, &desk.error), OMS_HALTED);
    assert_int_equal(oms_step(desk.oms, &desk.error), OMS_HALTED);
    assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_HALTED);
    assert_int_equal(oms_kill_switch(desk.oms, true, "a", "b", &desk.error), OMS_HALTED);
    oms_next(desk.oms, &next);
    assert_int_equal(next.work, OMS_WORK_NONE);
    desk_close(&desk);
    assert_int_equal(fault_calls(), calls);
    assert_int_equal(count_of(desk.fake.log, "halt>"), 1);
    assert_int_equal(desk.fake.submits, 0);
    desk_open(&desk); /* the frames had reached the file: it is there after all */
    assert_true(is_known(&desk, "D1"));
    pass(&desk, 30 * SECOND);
    assert_int_equal(desk.fake.submits, 1);
    desk_end(&desk);
}

static void a_failed_checkpoint_takes_nothing_back_and_is_tried_again(void **state) {
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    desk_close(&desk);
    desk.config.checkpoint_frames = 3;
    desk_open(&desk);
    settle(&desk);
    take(&desk, "D1");
    settle(&desk);
    fake_forget_log(&desk.fake);
    for (int i = 2; i < 30; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "D%d", i);
        take(&desk, id);
        if (i < 10) { /* the send's own commit comes before the checkpoint's calls */
            fault_arm((struct fault_plan){.at = 4, .code = SQLITE_IOERR_WRITE});
        }
        settle(&desk);
    }
    assert_true(count_of(desk.fake.log, "alarm>") > 0);
    assert_int_equal(count_of(desk.fake.log, "halt>"), 0);
    desk_kill(&desk);
    desk_open(&desk);
    assert_true(is_known(&desk, "D29"));
    desk_end(&desk);
}

static void a_start_rewrites_and_syncs_both_files_or_does_not_start(void **state) {
    static const struct fault_plan kinds[] = {{.code = SQLITE_IOERR_WRITE},
                                              {.code = SQLITE_IOERR_FSYNC, .only_syncs = true}};
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    take(&desk, "D1");
    desk_kill(&desk);
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        for (int file = 0; file < 2; file++) { /* a write and a sync for each of database and log */
            struct fault_plan plan = kinds[kind];
            plan.at = plan.only_syncs ? file + 2 : 2 * file + 2; /* the first one is the fence's */
            fault_arm(plan);
            assert_int_equal(desk_try_open(&desk), OMS_STORAGE);
            assert_non_null(strstr(desk.error.text, "cannot rewrite and sync it"));
        }
    }
    fault_arm((struct fault_plan){.at = 1, .code = SQLITE_IOERR_FSYNC, .only_syncs = true});
    assert_int_equal(desk_try_open(&desk), OMS_STORAGE);
    assert_non_null(strstr(desk.error.text, "cannot read and sync "));
    fault_arm((struct fault_plan){.at = 0});
    desk_open(&desk);
    assert_true(is_known(&desk, "D1"));
    desk_end(&desk);
}

/* A whole story with one fault; false when the fault was never reached. After any stop a new start
 * must end where an undisturbed story ends: one order, filled, booked once. */
static bool story_survives(struct fault_plan plan) {
    const struct oms_decision decision = decision_of("D1");
    struct oms_answer answer = {.taken = OMS_NOT_TAKEN};
    struct oms_view view;
    struct desk desk;
    bool met = false;

    desk_start_on_faults(&desk);
    fault_arm(plan);
    for (int life = 0; life < 4; life++) {
        if (met) {
            fault_arm((struct fault_plan){.at = 0});
        }
        if (desk.oms == NULL && desk_try_open(&desk) != OMS_OK) {
            assert_true(fault_fired());
            met = true;
            continue;
        }
        if (answer.taken != OMS_TAKEN && answer.taken != OMS_KNOWN &&
            oms_decide(desk.oms, &decision, &answer, &desk.error) == OMS_OK &&
            answer.taken == OMS_NOT_TAKEN) {
            assert_false(is_known(&desk, "D1"));
            desk_kill(&desk); /* neither now nor in the next life */
            desk_open(&desk);
            assert_false(is_known(&desk, "D1"));
            continue;
        }
        if (fake_pass(desk.oms, &desk.fake, 30 * SECOND) == OMS_OK) {
            const struct broker_order *there = fake_order(&desk.fake, NULL);
            if (there != NULL && there->filled_nanos == 0) {
                fake_fill(&desk.fake, NULL, 100 * UNIT, 150 * UNIT);
            }
            (void)fake_pass(desk.oms, &desk.fake, 30 * SECOND);
        }
        met = met || fault_fired();
        desk_close(&desk);
    }
    met = met || fault_fired();
    fault_arm((struct fault_plan){.at = 0});
    if (desk.oms == NULL) {
        desk_open(&desk);
    }
    pass(&desk, 100 * SECOND);
    assert_state(&desk, "D1", OMS_STATE_FILLED);
    assert_int_equal(desk.fake.orders.n, 1);
    assert_int_equal(oms_view(desk.oms, &view, &desk.error), OMS_OK);
    assert_int_equal(view.position_count, 1);
    assert_true(view.positions[0].qty_nanos == 100 * UNIT);
    assert_false(view.kill_switch);
    oms_view_free(&view);
    desk_end(&desk);
    return met;
}

static void whatever_call_fails_one_decision_stays_one_order(void **state) {
    static const struct fault_plan kinds[] = {
        {.code = SQLITE_IOERR_WRITE},
        {.code = SQLITE_IOERR_WRITE, .has_effect = true},
        {.code = SQLITE_FULL},
        {.code = SQLITE_FULL, .sticky = true},
        {.code = SQLITE_IOERR_FSYNC, .only_syncs = true},
    };
    int met = 0;
    (void)state;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        struct fault_plan plan = kinds[kind];
        for (plan.at = 1; story_survives(plan); plan.at++) {
            met++; /* until a whole story meets no fault */
        }
        assert_true(plan.at > 5);
    }
    print_message("%d faults met, 0 broke it\n", met);
    assert_true(met > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_space_at_an_intent_is_not_taken_and_the_rest_goes_on),
        cmocka_unit_test(no_space_after_the_whole_commit_was_written_does_not_come_back),
        cmocka_unit_test(no_space_at_the_first_commit_of_a_life_does_not_come_back),
        cmocka_unit_test(a_failed_commit_is_unknown_and_stops_everything),
        cmocka_unit_test(a_failed_checkpoint_takes_nothing_back_and_is_tried_again),
        cmocka_unit_test(a_start_rewrites_and_syncs_both_files_or_does_not_start),
        cmocka_unit_test(whatever_call_fails_one_decision_stays_one_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
