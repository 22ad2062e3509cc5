/* The head of a planted bug: what is read, and what is refused with its line and rule. */
#include "scenarios/cli/known_bad.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FAULT    "Fault: It forgets.\n"
#define BREAKS   "Breaks: I14\n"
#define SCENARIO "Scenario: scenarios/disk/a.scn: A failed sync\n"
#define PROFILE  "Profile: alpaca\n"
#define DOOR     "Door: wire\n"
#define WHOLE    FAULT BREAKS SCENARIO PROFILE DOOR

static void a_whole_head_is_read(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_true(known_bad_parse("fuzz/known_bad/forgets.patch",
                                WHOLE "Crashes: power\n\n--- a/core/oms.c\nFault: no more\n", &bad,
                                why));
    assert_string_equal(bad.name, "forgets");
    assert_false(bad.built_in);
    assert_string_equal(bad.fault, "It forgets.");
    assert_int_equal(bad.invariant, 14);
    assert_string_equal(bad.file, "scenarios/disk/a.scn");
    assert_int_equal(bad.line, 0);
    assert_string_equal(bad.title, "A failed sync");
    assert_string_equal(bad.profile->name, "alpaca");
    assert_int_equal(bad.crash_kind, SCN_POWER);
    assert_int_equal(bad.door, STAGE_WIRE);
}

static void a_scenario_may_be_named_by_its_line(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_true(known_bad_parse(
        "x.known", FAULT BREAKS "Scenario: a.scn:29\n" PROFILE "Door: direct", &bad, why));
    assert_true(bad.built_in);
    assert_int_equal(bad.line, 29);
    assert_string_equal(bad.title, "");
    assert_int_equal(bad.crash_kind, SCN_NONE);
    assert_int_equal(bad.door, STAGE_DIRECT);
}

static void a_scenario_may_be_explored(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_true(known_bad_parse("x.known", WHOLE "Explore: at-once, plan 2\n", &bad, why));
    assert_true(bad.explored);
    assert_int_equal(bad.restarts, EXPLORE_AT_ONCE);
    assert_int_equal(bad.plan_most, 2);
    assert_int_equal(bad.faults, 0);
    assert_true(
        known_bad_parse("x.known", WHOLE "Explore: thresholds, plan 3, faults 1\n", &bad, why));
    assert_int_equal(bad.restarts, EXPLORE_THRESHOLDS);
    assert_int_equal(bad.plan_most, 3);
    assert_int_equal(bad.faults, 1);
    assert_false(bad.has_hidden);
    assert_true(known_bad_parse(
        "x.known", WHOLE "Explore: thresholds, plan 2, hidden whole-seconds\n", &bad, why));
    assert_true(bad.has_hidden);
    assert_int_equal(bad.hidden, EXPLORE_WHOLE_SECONDS);
    assert_int_equal(bad.faults, 0);
    assert_false(
        known_bad_parse("x.known", WHOLE "Explore: thresholds, plan 2, hidden x\n", &bad, why));
    assert_true(known_bad_parse("x.known", WHOLE, &bad, why));
    assert_false(bad.explored);
}

static void a_check_of_the_scenario_may_break_first(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_true(
        known_bad_parse("x.known", FAULT "Breaks: finally\n" SCENARIO PROFILE DOOR, &bad, why));
    assert_int_equal(bad.invariant, 0);
    assert_string_equal(bad.breaks, "finally");
    assert_true(known_bad_parse("x.known", WHOLE, &bad, why));
    assert_string_equal(bad.breaks, "I14");
    /* a scenario that could not happen is no catch */
    assert_false(known_bad_parse("x.known", FAULT "Breaks: never-happened\n" SCENARIO PROFILE DOOR,
                                 &bad, why));
}

static void some_are_of_the_gate_s_sample(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_true(known_bad_parse("x.known", WHOLE, &bad, why));
    assert_false(bad.in_gate);
    assert_true(known_bad_parse("x.known", WHOLE "Gate: yes\n", &bad, why));
    assert_true(bad.in_gate);
    assert_false(known_bad_parse("x.known", WHOLE "Gate: no\n", &bad, why));
    assert_non_null(strstr(why, "'no' must be 'yes'"));
}

static void what_found_it_in_the_core_is_kept(void **state) {
    static const char *const good[] = {"AFL++", "sweep", "sweep seed 60451"};
    static const char *const bad_ones[] = {"luck",         "sweep seed",    "sweep seed ",
                                           "sweep seed x", "sweep seed 1,", "AFL"};
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "", text[400];
    (void)state;
    assert_true(known_bad_parse("x.known", WHOLE, &bad, why));
    assert_string_equal(bad.met, "");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, WHOLE "Found: %s\n", good[i]);
        assert_true(known_bad_parse("x.known", text, &bad, why));
        assert_string_equal(bad.met, good[i]);
    }
    for (size_t i = 0; i < sizeof bad_ones / sizeof bad_ones[0]; i++) {
        snprintf(text, sizeof text, WHOLE "Found: %s\n", bad_ones[i]);
        assert_false(known_bad_parse("x.known", text, &bad, why));
        assert_non_null(strstr(why, "must be 'sweep', 'sweep seed N' or 'AFL++'"));
    }
}

static void every_needed_line_is_missed(void **state) {
    static const struct {
        const char *text, *missed;
    } heads[] = {{BREAKS SCENARIO PROFILE DOOR, "'Fault:'"},
                 {FAULT SCENARIO PROFILE DOOR, "'Breaks:'"},
                 {FAULT BREAKS PROFILE DOOR, "'Scenario:'"},
                 {FAULT BREAKS SCENARIO DOOR, "'Profile:'"},
                 {FAULT BREAKS SCENARIO PROFILE, "'Door:'"},
                 {FAULT BREAKS SCENARIO PROFILE "--- a/x\n" DOOR, "'Door:'"},
                 {"", "'Fault:'"}};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct known_bad bad;
        char why[KNOWN_BAD_WHY_SIZE] = "";
        assert_false(known_bad_parse("x.patch", heads[i].text, &bad, why));
        assert_non_null(strstr(why, heads[i].missed));
    }
}

static void a_wrong_line_is_refused_by_its_number(void **state) {
    static const struct {
        const char *text, *told;
    } heads[] = {{"Breaks: I15\n", "line 1: 'I15'"},
                 {"Breaks: I0\n", "line 1: 'I0'"},
                 {"Breaks: 14\n", "line 1: '14'"},
                 {"Breaks: I1x\n", "line 1: 'I1x'"},
                 {FAULT FAULT, "line 2: 'Fault' is there twice"},
                 {FAULT "Profile: nobody\n", "line 2: there is no profile 'nobody'"},
                 {"\r\n\r\nCrashes: fire\r\n", "line 3: 'fire'"},
                 {"Door: back\n", "line 1: 'back'"},
                 {"Fault:   \n", "line 1: 'Fault' has no value"},
                 {"Colour: red\n", "line 1: 'Colour: red'"},
                 {"just words\n", "line 1: 'just words'"},
                 {"Scenario: a.scn\n", "line 1: 'a.scn'"},
                 {"Scenario: a.scn:  \n", "line 1: 'a.scn:  '"},
                 {"Scenario: a.txt:3\n", "line 1: 'a.txt:3'"},
                 {"Explore: at-once\n", "line 1: 'at-once' must be RESTARTS, plan N"},
                 {"Explore: at-onc, plan 2\n", "line 1: 'at-onc, plan 2'"},
                 {"Explore: at-once, plan 4\n", "N at most 3"},
                 {"Explore: at-once, plan 12\n", "'at-once, plan 12'"},
                 {"Explore: at-once, plan 2, faults 3\n", "K at most 2"},
                 {"Explore: at-once, plan 2, faults 1 \n", "faults 1 '"}};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct known_bad bad;
        char why[KNOWN_BAD_WHY_SIZE] = "";
        assert_false(known_bad_parse("x.patch", heads[i].text, &bad, why));
        if (strstr(why, heads[i].told) == NULL)
            fail_msg("'%s' does not tell '%s'", why, heads[i].told);
    }
}

static void a_line_of_any_length_is_refused_or_kept_whole(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "", text[4000] = "Fault: ";
    (void)state;
    memset(text + 7, 'x', 3000);
    assert_false(known_bad_parse("x.patch", text, &bad, why));
    assert_non_null(strstr(why, "longer than"));
    text[7 + KNOWN_BAD_TEXT_SIZE - 1] = '\0';
    assert_false(known_bad_parse("x.patch", text, &bad, why));
    assert_int_equal(strlen(bad.fault), KNOWN_BAD_TEXT_SIZE - 1);
    assert_non_null(strstr(why, "'Breaks:'"));
}

static void a_name_needs_something_before_its_ending(void **state) {
    struct known_bad bad;
    char why[KNOWN_BAD_WHY_SIZE] = "";
    (void)state;
    assert_false(known_bad_parse("fuzz/.patch", WHOLE, &bad, why));
    assert_false(known_bad_parse("fuzz/patch", WHOLE, &bad, why));
    assert_non_null(strstr(why, "name"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head_is_read),
        cmocka_unit_test(a_scenario_may_be_named_by_its_line),
        cmocka_unit_test(a_scenario_may_be_explored),
        cmocka_unit_test(a_check_of_the_scenario_may_break_first),
        cmocka_unit_test(some_are_of_the_gate_s_sample),
        cmocka_unit_test(what_found_it_in_the_core_is_kept),
        cmocka_unit_test(every_needed_line_is_missed),
        cmocka_unit_test(a_wrong_line_is_refused_by_its_number),
        cmocka_unit_test(a_line_of_any_length_is_refused_or_kept_whole),
        cmocka_unit_test(a_name_needs_something_before_its_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
