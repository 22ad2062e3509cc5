/* Exploring: stories close, what is wrong is found by a short plan, and a wrong search is noticed. */
#include "scenarios/lang/diag.h"
#include "scenarios/lang/explore.h"
#include "sim/meaning.h"
#include "sim/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct scenario_file file;
static struct explore_result result;
static struct explore_options options;
static const char *anywhere;

static int setup(void **state) {
    (void)state;
    anywhere = "crash again anywhere";
    options = (struct explore_options){
        .sut = &sut_core, .claims = sut_core.claims, .delays = EXPLORE_AT_ONCE, .audits = 2};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    explore_free(&result);
    scenario_free(&file);
    return 0;
}

static void explore(const char *profile, const char *kinds, const char *lines) {
    struct run_config config = {.profile = profile_find(profile), .crash_kind = SCN_KILL};
    struct diags diags = {0};
    char text[2000];
    snprintf(text, sizeof text,
             "crashgate 1\nscenario \"T\"\ncrashes %s\ndecision D1 = \"X\"\n"
             "10:00:00 %s\nsignal D1 buy 100 AAPL limit 150.00\n%s",
             kinds, anywhere, lines);
    scenario_free(&file);
    explore_free(&result);
    if (!scenario_parse("T", text, strlen(text), &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        diags_free(&diags);
        fail_msg("the scenario does not parse:\n%s", text);
    }
    diags_free(&diags);
    explore_scenario(&file.scenarios[0], &config, &options, &result);
}

#define FILLS "broker fills all after 1s\n"

static void closes(void) {
    if (result.verdict != RUN_PASS)
        fail_msg("verdict %d: %s %s %s", result.verdict, result.replay.finding.headline, result.why,
                 result.bound);
    assert_true(result.closed);
    assert_int_equal(result.mismatches, 0);
    assert_true(result.audited > 0 && result.slowly > 0 && result.merged_meaning > 0);
}

static void a_story_closes_under_every_guarantee_and_its_audits_agree(void **state) {
    static const char *const profiles[] = {"alpaca", "alpaca-retention", "open-only", "label"};
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        explore(profiles[i], "kill", FILLS);
        closes();
        assert_true(result.distinct > 10 && result.deepest >= 2);
    }
}

static void power_cuts_close_too_and_stand_in_outcomes_are_tried(void **state) {
    (void)state;
    explore("label", "kill, power", FILLS);
    closes();
    assert_true(result.implied_tried > 0);
    assert_false(result.reduced);
}

static void a_kind_named_with_the_crash_is_the_only_one(void **state) {
    unsigned long kills = 0;
    (void)state;
    explore("label", "kill", FILLS);
    kills = result.crash_worlds;
    anywhere = "crash kill again anywhere";
    explore("label", "kill, power", FILLS);
    closes();
    assert_int_equal(result.crash_worlds, kills);
    assert_int_equal(result.implied_tried, 0);
}

static void restarts_around_every_moment_reach_more_than_restarts_at_once(void **state) {
    unsigned long at_once = 0;
    (void)state;
    explore("alpaca", "kill", FILLS);
    closes();
    at_once = result.distinct;
    options.delays = EXPLORE_THRESHOLDS;
    explore("alpaca", "kill", FILLS);
    closes();
    assert_true(result.distinct > at_once);
}

static void the_same_exploration_has_the_same_fingerprint(void **state) {
    uint64_t first = 0;
    (void)state;
    explore("alpaca", "kill, power", FILLS);
    first = result.fingerprint;
    peek_forget();
    meaning_forget();
    stage_forget_images();
    stage_forget_settled();
    explore("alpaca", "kill, power", FILLS);
    assert_true(result.fingerprint == first);
}

static void the_seed_protocol_is_found_by_one_crash(void **state) {
    char text[PLAN_TEXT_SIZE];
    (void)state;
    options.sut = &sut_seed_protocol;
    options.claims = sut_seed_protocol.claims;
    explore("alpaca", "kill", FILLS "10:00:30 signal D1 buy 100 AAPL limit 150.00\n");
    assert_int_equal(result.verdict, RUN_FAIL);
    assert_string_equal(result.replay.finding.code, "I1");
    assert_string_equal(plan_format(&result.replay.finding.plan, text),
                        "1/broker.submit@1=kill(late=0.000000001s),2/start@1=after(0s)");
}

static void a_bound_is_named_and_nothing_is_called_closed(void **state) {
    (void)state;
    options.lives_max = 3;
    explore("alpaca", "kill", FILLS);
    assert_int_equal(result.verdict, RUN_INCONCLUSIVE);
    assert_false(result.closed);
    assert_non_null(strstr(result.bound, "3 lives were run"));
}

static unsigned asked;
static const char *after_four_lives(void *ctx) {
    (void)ctx;
    return ++asked > 4 ? "7 MiB of memory were taken" : NULL;
}

static void what_the_caller_has_spent_is_a_bound_with_its_name(void **state) {
    (void)state;
    asked = 0;
    options.spent = after_four_lives;
    explore("alpaca", "kill", FILLS);
    assert_int_equal(result.verdict, RUN_INCONCLUSIVE);
    assert_false(result.closed);
    assert_int_equal(result.lives, 4);
    assert_non_null(strstr(result.bound, "7 MiB of memory were taken, "));
}

static void other_faults_are_tried_in_every_life(void **state) {
    (void)state;
    options.faults = 1;
    options.audits = 0;
    options.lives_max = 3000;
    explore("label", "kill", "");
    assert_int_equal(result.mismatches, 0);
    assert_true(result.faults > 100);
    assert_int_equal(result.found, 0);
}

static void a_line_that_nothing_reaches_makes_it_vacuous(void **state) {
    (void)state;
    explore("alpaca", "kill", FILLS "reach submits D1 = 9\n");
    assert_int_equal(result.verdict, RUN_FAIL);
    assert_string_equal(result.replay.finding.code, "vacuous");
}

/* ---- wrong searches are noticed ---- */

static void is_noticed(unsigned without, const char *kinds, const char *lines) {
    options.without = without;
    explore("alpaca", kinds, lines);
    assert_true(result.mismatches > 0);
    assert_int_equal(result.verdict, RUN_UNSTABLE);
    assert_non_null(strstr(result.why, "audit: "));
}

static void a_key_without_times_is_noticed(void **state) {
    (void)state;
    options.delays = EXPLORE_THRESHOLDS;
    is_noticed(MEANING_WITHOUT_TIMES, "kill", FILLS);
}

static void a_key_of_what_reads_show_alone_is_noticed(void **state) {
    (void)state;
    is_noticed(MEANING_CACHE_ONLY, "kill, power", FILLS);
}

static void a_key_without_the_exchange_is_noticed(void **state) {
    (void)state;
    options.faults = 1; /* a request that is lost, and one that arrives */
    options.lives_max = 400;
    is_noticed(MEANING_WITHOUT_EXCHANGE, "kill", "");
}

/* Verdicts alone say nothing about a wrong key: why audits compare what comes after. */
static void an_audit_by_verdict_alone_would_notice_nothing(void **state) {
    (void)state;
    options.verdict_only = true;
    options.without = MEANING_CACHE_ONLY;
    explore("alpaca", "kill, power", FILLS);
    assert_true(result.audited > 0);
    assert_int_equal(result.mismatches, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_story_closes_under_every_guarantee_and_its_audits_agree),
        TEST(power_cuts_close_too_and_stand_in_outcomes_are_tried),
        TEST(a_kind_named_with_the_crash_is_the_only_one),
        TEST(restarts_around_every_moment_reach_more_than_restarts_at_once),
        TEST(the_same_exploration_has_the_same_fingerprint),
        TEST(the_seed_protocol_is_found_by_one_crash),
        TEST(a_bound_is_named_and_nothing_is_called_closed),
        TEST(what_the_caller_has_spent_is_a_bound_with_its_name),
        TEST(other_faults_are_tried_in_every_life),
        TEST(a_line_that_nothing_reaches_makes_it_vacuous),
        TEST(a_key_without_times_is_noticed),
        TEST(a_key_of_what_reads_show_alone_is_noticed),
        TEST(a_key_without_the_exchange_is_noticed),
        TEST(an_audit_by_verdict_alone_would_notice_nothing),
    };
    int failed = 0;
    disk_vfs_register();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    peek_forget();
    meaning_forget();
    stage_forget_images();
    return failed;
}
