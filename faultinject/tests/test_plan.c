/* Plans: one line of text, both ways. */
#include "faultinject/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void parses_back(const struct plan *plan) {
    char text[PLAN_TEXT_SIZE], again[PLAN_TEXT_SIZE], why[PLAN_WHY_SIZE] = "";
    struct plan parsed;
    plan_format(plan, text);
    if (!plan_parse(text, &parsed, why))
        fail_msg("%s: %s", text, why);
    assert_int_equal(parsed.count, plan->count);
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_item *a = &plan->items[i], *b = &parsed.items[i];
        assert_true(a->life == b->life && a->place == b->place && a->occurrence == b->occurrence);
        assert_true(a->what == b->what && site_index(a->site) == site_index(b->site));
        assert_ptr_equal(a->fault.kind, b->fault.kind);
        assert_memory_equal(a->fault.arg, b->fault.arg, sizeof a->fault.arg);
        assert_string_equal(a->keep, b->keep);
        assert_true(a->late_ns == b->late_ns && a->after_ns == b->after_ns);
    }
    assert_string_equal(plan_format(&parsed, again), text);
}

static void every_fault_at_every_site_it_fits_formats_and_parses_back(void **state) {
    (void)state;
    unsigned items = 0;
    for (size_t row = 0; row < catalogue_count(); row++)
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            const struct fault_kind *kind = catalogue_at(row);
            struct plan plan = {.count = 2};
            if (!catalogue_fits(kind, (struct site){kind->op, (enum site_object)on}))
                continue;
            for (unsigned i = 0; i < 2; i++) {
                struct plan_item *item = &plan.items[i];
                *item = (struct plan_item){.life = 1 + i,
                                           .site = {kind->op, (enum site_object)on},
                                           .occurrence = 7,
                                           .fault = {.kind = kind}};
                for (int a = 0; a < FAULT_ARGS_MAX && kind->args[a].name != NULL; a++)
                    item->fault.arg[a] = i == 0 ? kind->args[a].least : kind->args[a].most;
            }
            parses_back(&plan);
            items++;
        }
    assert_true(items > 50);
}

static void starts_and_requests_that_outlive_their_sender_format_and_parse_back(void **state) {
    static const char line[] = "1/broker.submit@1=power(keep=0b1,late=20s),2/start@1=after(0s),"
                               "2/broker.submit@1=kill(late=0.000000001s),"
                               "3/start@1=after(25.999999999s),3/end@1=kill";
    struct plan plan;
    char text[PLAN_TEXT_SIZE], why[PLAN_WHY_SIZE] = "";
    (void)state;
    assert_true(plan_parse(line, &plan, why));
    assert_string_equal(plan_format(&plan, text), line);
    assert_true(plan.items[0].late_ns == INT64_C(20000000000));
    assert_true(plan.items[3].what == PLAN_START);
    parses_back(&plan);
}

static void every_death_at_every_place_formats_and_parses_back(void **state) {
    (void)state;
    static const char *const keeps[] = {"none", "all", "0b101", "first3"};
    struct plan plan = {0};
    for (int what = PLAN_KILL; what <= PLAN_POWER_AFTER; what++)
        for (int place = PLAN_AT_CALL; place <= PLAN_AT_END; place++) {
            struct plan_item item = {.life = 3,
                                     .place = (enum plan_place)place,
                                     .occurrence = 12,
                                     .what = (enum plan_what)what};
            if (place == PLAN_AT_CALL)
                item.site = (struct site){SITE_DISK_SYNC, ON_WAL};
            snprintf(item.keep, sizeof item.keep, "%s", keeps[plan.count % 4]);
            if (what == PLAN_KILL || what == PLAN_KILL_AFTER)
                snprintf(item.keep, sizeof item.keep, "none");
            assert_true(plan_add(&plan, &item));
        }
    assert_int_equal(plan.count, 16);
    parses_back(&plan);
}

static void what_is_left_out_has_a_meaning(void **state) {
    (void)state;
    struct plan plan;
    char why[PLAN_WHY_SIZE], text[PLAN_TEXT_SIZE];
    assert_true(plan_parse("none", &plan, why));
    assert_int_equal(plan.count, 0);
    assert_string_equal(plan_format(&plan, text), "none");
    assert_true(plan_parse("2/idle=power,1/broker.submit=error", &plan, why));
    assert_string_equal(plan_format(&plan, text),
                        "2/idle@1=power(keep=none),1/broker.submit@1=error(status=503)");
}

static void a_malformed_plan_is_refused_with_its_item_and_the_rule(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "plan item 1: '' does not begin with a life and '/' (1/...)"},
        {"broker.submit=lost",
         "plan item 1: 'broker.submit=lost' does not begin with a life and '/' (1/...)"},
        {"0/idle=kill", "plan item 1: '0' does not begin with a life and '/' (1/...)"},
        {"-1/idle=kill", "plan item 1: '-1' does not begin with a life and '/' (1/...)"},
        {"1000001/idle=kill", "plan item 1: '1000001' does not begin with a life and '/' (1/...)"},
        {"1/idle", "plan item 1: 'idle' says no '=' and what happens"},
        {"1/idle=kill,", "plan item 2: '' does not begin with a life and '/' (1/...)"},
        {"1/idle@0=kill", "plan item 1: '0' is no call number (1, 2, 3 ...)"},
        {"1/idle@x=kill", "plan item 1: 'x' is no call number (1, 2, 3 ...)"},
        {"1/broker.sbmit=lost",
         "plan item 1: 'broker.sbmit' is no site (such as broker.submit or disk.sync(wal))"},
        {"1/disk.sync=kill",
         "plan item 1: 'disk.sync' is no site (such as broker.submit or disk.sync(wal))"},
        {"1/idle=lost", "plan item 1: 'lost' is nothing that can happen there"},
        {"1/broker.lookup=lost-reply",
         "plan item 1: 'lost-reply' is nothing that can happen there"},
        {"1/idle=kill,1/broker.submit@1=crash",
         "plan item 2: 'crash' is nothing that can happen there"},
        {"1/idle=power(keep=none", "plan item 1: 'power(keep=none' has no closing ')'"},
        {"1/idle=kill(keep=none)",
         "plan item 1: 'kill(keep=none)': only power takes keep=, and only a death before "
         "broker.submit takes late="},
        {"1/disk.sync(wal)@1=kill(late=1s)",
         "plan item 1: 'kill(late=1s)': only power takes keep=, and only a death before "
         "broker.submit takes late="},
        {"2/start@1=kill", "plan item 1: 'kill': a start happens after(DURATION)"},
        {"1/idle=power(kept=1)", "plan item 1: 'power(kept=1)': only power takes keep=, and only a "
                                 "death before broker.submit takes late="},
        {"1/broker.submit@1=late", "plan item 1: 'late' needs 'by='"},
        {"1/disk.sync(wal)@1=fails", "plan item 1: 'fails' needs 'aftermath='"},
        {"1/broker.submit@1=late(12s)", "plan item 1: '12s' is no argument (name=value)"},
        {"1/broker.submit@1=late(to=12s)", "plan item 1: 'late' takes no argument 'to'"},
        {"1/broker.submit@1=lost(by=1s)", "plan item 1: 'lost' takes no argument 'by'"},
        {"1/broker.submit@1=late(by=12s,to=1s)", "plan item 1: 'late' takes no argument 'to'"},
        {"1/broker.submit@1=late(by=2h)", "plan item 1: by=2h is outside 0.000000001s to 3600s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct plan plan = {.count = 1};
        char why[PLAN_WHY_SIZE] = "";
        assert_false(plan_parse(cases[i].text, &plan, why));
        assert_string_equal(why, cases[i].why);
        assert_int_equal(plan.count, 0);
    }
}

static void a_plan_has_bounds(void **state) {
    (void)state;
    char text[PLAN_TEXT_SIZE + 8], why[PLAN_WHY_SIZE];
    struct plan plan;
    size_t used = 0;
    for (int i = 0; i < PLAN_MAX; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s1/idle=kill", i > 0 ? "," : "");
    assert_true(plan_parse(text, &plan, why));
    assert_int_equal(plan.count, PLAN_MAX);
    snprintf(text + used, sizeof text - used, ",1/idle=kill");
    assert_false(plan_parse(text, &plan, why));
    assert_string_equal(why, "a plan has at most 64 items");
    memset(text, '1', sizeof text);
    text[PLAN_TEXT_SIZE] = '\0';
    assert_false(plan_parse(text, &plan, why));
    assert_string_equal(why, "a plan has at most 4095 characters");
}

static void a_call_finds_its_own_item_only(void **state) {
    (void)state;
    static const struct site submit = {SITE_BROKER_SUBMIT, ON_NONE};
    struct plan plan;
    char why[PLAN_WHY_SIZE];
    assert_true(plan_parse("1/broker.submit@2=lost,1/broker.submit@2=kill-after,2/idle=kill,"
                           "1/line@7=power(keep=all)",
                           &plan, why));
    assert_ptr_equal(plan_at_call(&plan, 1, submit, 2, false), &plan.items[0]);
    assert_ptr_equal(plan_at_call(&plan, 1, submit, 2, true), &plan.items[1]);
    assert_null(plan_at_call(&plan, 1, submit, 1, false));
    assert_null(plan_at_call(&plan, 2, submit, 2, false));
    assert_null(plan_at_call(&plan, 1, (struct site){SITE_BROKER_CANCEL, ON_NONE}, 2, false));
    assert_ptr_equal(plan_at(&plan, 2, PLAN_AT_IDLE, 1), &plan.items[2]);
    assert_ptr_equal(plan_at(&plan, 1, PLAN_AT_LINE, 7), &plan.items[3]);
    assert_null(plan_at(&plan, 1, PLAN_AT_LINE, 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_at_every_site_it_fits_formats_and_parses_back),
        cmocka_unit_test(starts_and_requests_that_outlive_their_sender_format_and_parse_back),
        cmocka_unit_test(every_death_at_every_place_formats_and_parses_back),
        cmocka_unit_test(what_is_left_out_has_a_meaning),
        cmocka_unit_test(a_malformed_plan_is_refused_with_its_item_and_the_rule),
        cmocka_unit_test(a_plan_has_bounds),
        cmocka_unit_test(a_call_finds_its_own_item_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
