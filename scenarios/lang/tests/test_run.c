/* Whole scenarios, from text to verdict: what strikes, what is found, and that it repeats. */
#include "scenarios/lang/diag.h"
#include "scenarios/lang/run.h"
#include "sim/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct wire *wire;
static struct scenario_file file;
static struct run_result result;

/* How scenarios are run, unless a test says otherwise. */
static const struct sut *sut = &sut_core;
static enum stage_door door = STAGE_DIRECT;
static int crash_kind = SCN_KILL;
static const char *profile = "alpaca";

static int setup(void **state) {
    (void)state;
    sut = &sut_core;
    door = STAGE_DIRECT;
    crash_kind = SCN_KILL;
    profile = "alpaca";
    return 0;
}

static int teardown(void **state) {
    (void)state;
    run_result_free(&result);
    scenario_free(&file);
    return 0;
}

/* Reads one scenario of these lines. */
static const struct scenario *scenario(const char *lines) {
    static char text[4000];
    struct diags diags = {0};
    snprintf(text, sizeof text, "crashgate 1\nscenario \"T\"\n%s%s%s%s",
             strstr(lines, "D1") != NULL ? "decision D1 = \"X\"\n" : "",
             strstr(lines, "D2") != NULL ? "decision D2 = \"Y\"\n" : "",
             strstr(lines, "crash") != NULL ? "crashes kill, power\n" : "", lines);
    scenario_free(&file);
    if (!scenario_parse("T", text, strlen(text), &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        diags_free(&diags);
        fail_msg("the scenario does not parse:\n%s", text);
    }
    diags_free(&diags);
    return &file.scenarios[0];
}

static void run_planned(const char *lines, const char *plan_text) {
    struct run_config config = {
        .profile = profile_find(profile), .crash_kind = crash_kind, .door = door};
    struct run_options options = {.sut = sut, .claims = sut->claims, .wire = wire};
    struct plan plan;
    char why[PLAN_WHY_SIZE];
    if (plan_text != NULL) {
        assert_true(plan_parse(plan_text, &plan, why));
        options.plan = &plan;
        options.trace = true;
    }
    run_result_free(&result);
    run_scenario(scenario(lines), &config, &options, &result);
}

static void run(const char *lines) {
    run_planned(lines, NULL);
}

static void passes(const char *lines) {
    run(lines);
    if (result.verdict != RUN_PASS)
        fail_msg("verdict %d, %s: %s%s\n%s", result.verdict, result.finding.code,
                 result.finding.headline, result.why, lines);
}

static void fails(const char *lines, const char *code, const char *headline) {
    run(lines);
    assert_int_equal(result.verdict, RUN_FAIL);
    assert_string_equal(result.finding.code, code);
    if (headline != NULL)
        assert_string_equal(result.finding.headline, headline);
}

#define SIGNAL              "10:00:00 signal D1 buy 100 AAPL limit 150.00\n"
#define BEFORE_SIGNAL(line) "10:00:00 " line "\n signal D1 buy 100 AAPL limit 150.00\n"

/* ---- what must happen ---- */

static void a_crash_that_never_happens_is_an_error_and_lists_the_points_reached(void **state) {
    (void)state;
    run(SIGNAL "crash before cancel D1\n10:01:00 restart\n");
    assert_string_equal(result.finding.code, "never-happened");
    assert_int_equal(result.finding.line, 6);
    assert_non_null(strstr(result.finding.headline, "'crash before cancel D1' never happened"));
    assert_non_null(strstr(result.finding.headline, "before decide D1, after decide D1"));
    assert_non_null(strstr(result.finding.headline, "after record D1"));
}

static void a_fault_that_never_strikes_is_an_error(void **state) {
    (void)state;
    fails(SIGNAL "10:00:05 fault broker.submit lost once\n", "never-happened",
          "'fault broker.submit lost once' never struck: there was no such call after it");
    fails(BEFORE_SIGNAL("fault broker.cancel lost anywhere"), "never-happened", NULL);
}

static void a_broker_line_about_an_order_that_never_comes_is_an_error(void **state) {
    (void)state;
    fails("10:00:00 crash kill\n" SIGNAL "10:00:01 broker fills D1 100 @ 150.00\n", "no-order",
          NULL);
}

static void what_is_reached_in_no_run_makes_a_scenario_vacuous(void **state) {
    (void)state;
    fails(BEFORE_SIGNAL("crash anywhere") "10:01:00 restart\nreach order D1 is canceled\n",
          "vacuous", NULL);
    assert_true(result.finding.all_runs);
    fails(BEFORE_SIGNAL("crash anywhere") "10:01:00 restart\nreach crash before cancel D1\n",
          "vacuous", NULL);
    passes(BEFORE_SIGNAL("crash anywhere") "10:01:00 restart\nreach crash after send D1\nreach "
                                           "crash before deliver D1\n"
                                           "reach crash before record D1\nreach "
                                           "crash after deliver D1\n");
}

/* ---- faults ---- */

static unsigned long fired(const char *fault) {
    char lines[400];
    /* An order that is lost is looked up every 2 s until it counts as absent. */
    snprintf(lines, sizeof lines,
             "10:00:00 fault broker.submit lost once\n fault broker.lookup lost %s\n"
             " signal D1 buy 100 AAPL limit 150.00\nfinally submits D1 = 1\n",
             fault);
    passes(lines);
    return result.fired[site_index((struct site){SITE_BROKER_LOOKUP, ON_NONE})];
}

static void faults_strike_as_often_as_is_written(void **state) {
    (void)state;
    assert_int_equal(fired(""), 1);
    assert_int_equal(fired("once"), 1);
    assert_int_equal(fired("on call 2"), 1);
    assert_int_equal(fired("on call 2..3"), 2);
    assert_int_equal(fired("until 10:00:06"), 3); /* looked up at 0, 2 and 4 s */
    assert_true(fired("always") > 10);
}

static void a_fault_anywhere_is_one_run_for_every_call_and_one_without(void **state) {
    (void)state;
    passes(BEFORE_SIGNAL("fault disk.sync(wal) fails(aftermath=kept-dirty) anywhere"));
    assert_true(result.runs > 4);
    assert_int_equal(result.fired[site_index((struct site){SITE_DISK_SYNC, ON_WAL})],
                     result.runs - 1);
}

static void runs_may_end_with_the_first_that_fails(void **state) {
    static const char lines[] = BEFORE_SIGNAL(
        "crash anywhere") "10:00:30 restart\n10:00:31 signal D1 buy 100 AAPL limit 150.00\n";
    struct run_config config = {
        .profile = profile_find(profile), .crash_kind = crash_kind, .door = door};
    struct run_options options = {.claims = sut_seed_protocol.claims, .first_only = true};
    unsigned long first = 0;
    (void)state;
    sut = options.sut = &sut_seed_protocol;
    run(lines);
    first = result.first_failed;
    assert_true(first > 1 && result.failed > 1 && result.runs > first);
    run_result_free(&result);
    run_scenario(scenario(lines), &config, &options, &result);
    assert_int_equal(result.verdict, RUN_FAIL);
    assert_int_equal(result.first_failed, first);
    assert_int_equal(result.runs, first);
    assert_int_equal(result.failed, 1);
}

/* ---- crashes ---- */

static void every_placement_of_a_crash_strikes(void **state) {
    (void)state;
    static const char *const places[] = {
        "crash",
        "crash kill",
        "crash power",
        "crash before decide D1",
        "crash after decide D1",
        "crash before send D1",
        "crash after send D1",
        "crash before deliver D1",
        "crash after deliver D1",
        "crash before record D1",
        "crash after record D1",
        "crash before reconcile",
        "crash after boot",
        "crash at disk.sync(wal) @ 2",
        "crash at broker.submit",
        "crash anywhere",
        "crash anywhere before send D1",
        "crash anywhere after send D1",
        "crash anywhere between send D1 and record D1",
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char lines[300];
        snprintf(lines, sizeof lines,
                 "10:00:00 %s\n signal D1 buy 100 AAPL limit 150.00\n10:01:00 restart\n"
                 " signal D1 buy 100 AAPL limit 150.00\nfinally order D1 is working\n",
                 places[i]);
        passes(lines);
        assert_true(result.counts.crashes > 0);
    }
}

static void windows_are_as_wide_as_is_written(void **state) {
    (void)state;
    unsigned long all = 0, before = 0, after = 0, between = 0;
    passes(BEFORE_SIGNAL("crash anywhere") "10:01:00 restart\n");
    all = result.crash_points;
    passes(BEFORE_SIGNAL("crash anywhere before send D1") "10:01:00 restart\n");
    before = result.crash_points;
    passes(BEFORE_SIGNAL("crash anywhere after send D1") "10:01:00 restart\n");
    after = result.crash_points;
    passes(BEFORE_SIGNAL("crash anywhere between send D1 and record D1") "10:01:00 restart\n");
    between = result.crash_points;
    assert_true(before > 0 && between > 0 && between < after && before < all && after < all);
}

static void a_window_without_a_restart_below_it_reaches_to_the_end(void **state) {
    (void)state;
    /* The last point is the operator's acknowledgement: nothing is called after it. */
    static const char lines[] = SIGNAL "10:00:05 broker fills D1 100 @ 150.00\n10:00:30 crash "
                                       "anywhere\n operator trips kill-switch\n";
    char with_restart[300];
    snprintf(with_restart, sizeof with_restart, "%s10:01:00 restart\n", lines);
    passes(with_restart);
    unsigned long with = result.crash_points;
    passes(lines);
    assert_int_equal(result.crash_points, with);
    assert_int_equal(result.runs, with + 1); /* one in which nothing strikes */
}

#define SIGNALS_AND_RESTARTS(crash)                                                             \
    BEFORE_SIGNAL(crash)                                                                        \
    "10:01:00 restart\n signal D1 buy 100 AAPL limit 150.00\n10:02:00 restart\n signal D1 buy " \
    "100 AAPL limit 150.00\n"

static void a_crash_twice_strikes_in_both_lives_of_every_run(void **state) {
    (void)state;
    passes(SIGNALS_AND_RESTARTS("crash anywhere"));
    unsigned long once = result.crash_points;
    passes(SIGNALS_AND_RESTARTS("crash twice anywhere"));
    assert_int_equal(result.counts.crashes, 2 * result.runs);
    assert_int_equal(result.crash_points, result.runs);
    /* A life of recovery has many points of its own. */
    assert_true(result.crash_points > 5 * once);
}

static void what_takes_two_crashes_is_found_by_two_and_not_by_one(void **state) {
    (void)state;
    /* Every crash between sending and recording costs the seed protocol one more order. */
    static const char three[] = "always orders D1 <= 2\n";
    char lines[1000];
    struct sut unclaimed = sut_seed_protocol;
    unclaimed.claims = 0;
    sut = &unclaimed;
    snprintf(lines, sizeof lines, "%s%s", SIGNALS_AND_RESTARTS("crash anywhere"), three);
    passes(lines);
    snprintf(lines, sizeof lines, "%s%s", SIGNALS_AND_RESTARTS("crash twice anywhere"), three);
    fails(lines, "always",
          "'always orders D1 <= 2' does not hold: the broker accepted 3 orders for D1");
    assert_int_equal(result.finding.plan.count, 2);
    assert_int_equal(result.finding.plan.items[0].life, 1);
    assert_int_equal(result.finding.plan.items[1].life, 2);
    assert_int_not_equal(result.finding.plan.items[1].place, PLAN_AT_IDLE);
    char plan[PLAN_TEXT_SIZE];
    plan_format(&result.finding.plan, plan);
    run_planned(lines, plan);
    assert_string_equal(result.finding.code, "always");
}

/* The second of the minute in which the last crash is told; -1: none is. */
static int last_crash_s(const struct trace *trace) {
    int second = -1;
    for (size_t i = 0; i < trace->n; i++) {
        if (trace->v[i].crash)
            second = (int)(trace->v[i].at_ns / 1000000000 % 60);
    }
    return second;
}

static void a_restart_that_finds_the_oms_running_is_counted_by_a_plan_that_crashes_at_a_later_one(
    void **state) {
    static const char lines[] = SIGNAL "10:00:05 broker fills D1 100\n"
                                       "10:00:06 crash kill\n"
                                       "10:00:07 restart\n"
                                       "10:00:10 restart\n"
                                       "10:00:20 crash anywhere\n"
                                       "10:00:30 restart\n"
                                       "finally submits D1 = 2\n";
    char plan[PLAN_TEXT_SIZE];
    (void)state;
    fails(lines, "finally", NULL);
    assert_string_equal(plan_format(&result.finding.plan, plan), "2/idle@2=kill");
    run_planned(lines, plan);
    assert_string_equal(result.finding.code, "finally");
    assert_int_equal(last_crash_s(&result.finding.trace), 30);
    run_planned(lines, "2/idle@3=kill");
    assert_int_equal(result.verdict, RUN_MISFIT);
}

static void without_a_restart_the_oms_is_started_for_its_second_crash(void **state) {
    (void)state;
    passes(BEFORE_SIGNAL("crash twice anywhere"));
    unsigned long pairs = result.crash_points;
    assert_int_equal(result.runs, pairs + 1); /* one in which nothing strikes */
    assert_true(result.counts.crashes > pairs);
    assert_true(result.counts.crashes < 2 * pairs); /* in some runs the second never comes */
    passes(BEFORE_SIGNAL("crash anywhere"));
    assert_true(pairs > 5 * result.crash_points);
}

static void what_counts_from_a_crash_counts_from_the_one_above_it(void **state) {
    (void)state;
    passes(BEFORE_SIGNAL("crash twice anywhere") "crash +5s restart\ncrash +20s restart\n"
                                                 "restart +1s reconcile\n");
    assert_int_equal(result.counts.crashes, 2 * result.runs);
    /* The first death is at 0 s and the second in the boot at 5 s. */
    run_planned(BEFORE_SIGNAL("crash twice anywhere") "crash +5s restart\ncrash +20s restart\n",
                "1/broker.submit@1=kill,2/disk.sync(wal)@1=kill");
    assert_int_equal(result.verdict, RUN_PASS);
    const struct trace *trace = &result.trace;
    size_t third = 0;
    while (third < trace->n && strcmp(trace->v[third].what, "start of life 3") != 0)
        third++;
    assert_true(third < trace->n);
    assert_true(trace->v[third].at_ns - trace->v[0].at_ns == 25 * INT64_C(1000000000));
}

static void both_crashes_of_a_power_loss_keep_every_subset(void **state) {
    (void)state;
    crash_kind = SCN_POWER;
    passes("10:00:00 signal D1 buy 100 AAPL limit 150.00\n10:00:05 crash twice anywhere\n"
           "10:01:00 restart\n10:02:00 restart\n");
    assert_true(result.runs > result.crash_points);
    assert_int_equal(result.counts.crashes, 2 * result.runs);
}

static void points_of(const char *lines, struct run_points *points) {
    struct run_config config = {
        .profile = profile_find(profile), .crash_kind = crash_kind, .door = door};
    struct run_options options = {.sut = sut, .claims = sut->claims, .wire = wire};
    run_result_free(&result);
    run_points(scenario(lines), &config, &options, points, &result);
    assert_int_equal(result.verdict, RUN_PASS);
}

static void the_points_that_are_listed_are_those_that_are_run(void **state) {
    (void)state;
    static const char lines[] =
        BEFORE_SIGNAL("crash anywhere") "10:00:05 broker fills D1 100 @ 150.00\n10:01:00 restart\n";
    struct run_points points;
    unsigned long worlds = 0;
    bool named = false;
    points_of(lines, &points);
    for (size_t i = 0; i < points.n; i++) {
        worlds += points.v[i].outcomes;
        named = named || strstr(points.v[i].names, "before send D1") != NULL;
    }
    assert_true(named);
    passes(lines);
    assert_int_equal(result.crash_points, points.n);
    crash_kind = SCN_POWER;
    passes(lines);
    assert_int_equal(result.runs, worlds);
    run_points_free(&points);
}

static void without_a_window_the_points_of_all_lives_are_listed(void **state) {
    (void)state;
    struct run_points points;
    points_of(SIGNAL "10:00:05 crash\n10:01:00 restart\n", &points);
    assert_true(points.n > 10);
    assert_int_equal(points.v[0].life, 1);
    assert_int_equal(points.v[points.n - 1].life, 2);
    run_points_free(&points);
}

static void a_crash_again_anywhere_is_explored_and_not_run(void **state) {
    (void)state;
    static const char lines[] = BEFORE_SIGNAL("crash again anywhere") "10:01:00 restart\n";
    run(lines);
    assert_int_equal(result.verdict, RUN_MISFIT);
    assert_int_equal(result.runs, 0);
    assert_string_equal(result.why, "'crash again anywhere' is not run: 'crashgate explore' "
                                    "explores it");
}

static void power_tries_every_subset_of_the_unsynced_writes_and_kill_one_world(void **state) {
    (void)state;
    static const char lines[] = BEFORE_SIGNAL("crash at disk.sync(wal) @ 2") "10:01:00 restart\n";
    passes(lines);
    assert_int_equal(result.runs, 1);
    crash_kind = SCN_POWER;
    passes(lines);
    assert_true(result.runs >= 2);
    assert_int_equal(result.runs & (result.runs - 1), 0); /* 2 to the power of what was pending */
}

static void crash_points_differ_by_what_the_script_has_spent(void **state) {
    (void)state;
    /* The failed look-up changes nothing on disk, and is not there any more for the next life. */
    static const char *const lookups[] = {"", " fault broker.lookup lost once\n"};
    unsigned long points[2];
    for (size_t i = 0; i < 2; i++) {
        char lines[300];
        snprintf(lines, sizeof lines,
                 "10:00:00 fault broker.submit lost-reply once\n%s"
                 " signal D1 buy 100 AAPL limit 150.00\n crash anywhere\n10:01:00 restart\n",
                 lookups[i]);
        passes(lines);
        points[i] = result.crash_points;
    }
    assert_int_equal(points[1], points[0] + 1);
}

static void when_the_script_goes_on_from_the_crash_its_moment_counts(void **state) {
    (void)state;
    /* Nothing but look-ups happens from 1 s to 20 s: one world, at several ages. */
    static const char fault[] = "10:00:00 fault broker.submit lost once\n"
                                " signal D1 buy 100 AAPL limit 150.00\n"
                                "10:00:01 crash anywhere\n";
    char lines[400];
    snprintf(lines, sizeof lines, "%s10:01:00 restart\n", fault);
    passes(lines);
    unsigned long at_a_time = result.crash_points;
    snprintf(lines, sizeof lines, "%scrash +5s restart\n", fault);
    passes(lines);
    assert_true(result.crash_points > at_a_time + 5);
}

/* ---- lines at points, and checks ---- */

static void lines_happen_right_before_and_after_their_point(void **state) {
    (void)state;
    passes(SIGNAL "after deliver D1: broker fills D1 100 @ 150.00\n"
                  "10:00:00 expect order D1 is filled\n");
    passes(SIGNAL "before send D1: operator sets halt-file\nfinally submits D1 = 1\n");
    passes(SIGNAL "after send D1: start second\n10:00:10 expect second refused\n");
    fails(SIGNAL "after cancel D1: broker goes down\n", "never-happened", NULL);
}

static void within_always_and_finally_mean_what_they_say(void **state) {
    (void)state;
    static const char fill[] = SIGNAL "10:00:05 broker fills D1 100 @ 150.00\n";
    static const struct {
        const char *check, *code; /* NULL: passes */
    } cases[] = {
        {"10:00:01 within 10s expect order D1 is filled\n", NULL},
        {"10:00:01 within 2s expect order D1 is filled\n", "within"},
        {"10:00:02 within 10s expect order D1 is working\n", NULL}, /* true at once is enough */
        {"10:00:20 expect order D1 is filled\n", NULL},
        {"10:00:02 expect order D1 is filled\n", "expect"},
        {"always orders D1 <= 1\n", NULL},
        {"always position AAPL = 0\n", "always"},
        {"finally position AAPL = 100 @ 150.00\n", NULL},
        {"finally position AAPL = 0\n", "finally"},
        {"finally position AAPL = 0 or order D1 is filled\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char lines[400];
        bool dated = cases[i].check[0] == '1' && strncmp(cases[i].check, "10:00:20", 8) < 0;
        snprintf(lines, sizeof lines, "%s%s%s", dated ? SIGNAL : fill, cases[i].check,
                 dated ? "10:00:05 broker fills D1 100 @ 150.00\n" : "");
        if (dated && strstr(cases[i].check, "within") != NULL)
            snprintf(lines, sizeof lines, "%s%s%s", SIGNAL, cases[i].check,
                     "+5s broker fills D1 100 @ 150.00\n");
        if (cases[i].code == NULL)
            passes(lines);
        else
            fails(lines, cases[i].code, NULL);
    }
}

static void what_is_observed_must_be_seen_in_order_and_in_time(void **state) {
    (void)state;
    passes("pace 1s\n" SIGNAL "10:00:01 oms checks D1 -> absent\n10:00:02 oms sends D1\n"
           "10:00:03 oms records D1\n");
    fails("pace 1s\n" SIGNAL "10:00:01 oms sends D1\n", "observed", NULL);
    fails("pace 1s\n" SIGNAL "10:00:02 oms sends D1\n10:00:03 oms checks D1 -> absent\n",
          "observed", NULL);
}

/* ---- liveness and openings: no false alarms ---- */

static void faults_without_end_are_no_unrest(void **state) {
    (void)state;
    passes("10:00:00 fault broker.submit lost-reply once\n fault broker.lookup lost always\n"
           " signal D1 buy 100 AAPL limit 150.00\nfinally order D1 is working\n");
    passes(BEFORE_SIGNAL("broker goes down") "finally order D1 is working\n");
    passes(BEFORE_SIGNAL("fault broker.submit lost once") "10:00:01 operator sets halt-file\n");
}

static void openings_that_differ_are_found_by_the_oms_and_not_held_against_it(void **state) {
    (void)state;
    passes("given oms position AAPL 100 @ 150.00\n10:00:00 reconcile\n"
           "10:00:10 expect discrepancy MISSING_IN_BROKER AAPL\n");
    passes("given broker position AAPL 100 @ 150.00\n10:00:00 reconcile\n"
           "10:00:10 expect discrepancy MISSING_IN_OMS AAPL\n");
}

/* ---- findings repeat ---- */

#define LOST_REPLY                                           \
    BEFORE_SIGNAL("fault broker.submit lost-reply anywhere") \
    "10:00:10 signal D1 buy 100 AAPL limit 150.00\nalways orders D1 <= 1\n"

static void the_seed_protocol_breaks_i1_with_a_plan_of_one_item(void **state) {
    (void)state;
    char text[PLAN_TEXT_SIZE];
    sut = &sut_seed_protocol;
    fails(LOST_REPLY, "I1", "2 orders accepted for D1 (O1, O2)");
    assert_string_equal(plan_format(&result.finding.plan, text), "1/broker.submit@1=lost-reply");
    assert_true(result.finding.trace.n > 0 && result.finding.marked < result.finding.trace.n);
    sut = &sut_core;
    passes(LOST_REPLY);
}

static void a_finding_s_plan_gives_the_same_finding_and_story_every_time(void **state) {
    (void)state;
    char text[PLAN_TEXT_SIZE], headline[RUN_HEADLINE_SIZE];
    bool told = false;
    sut = &sut_seed_protocol;
    run(LOST_REPLY);
    plan_format(&result.finding.plan, text);
    memcpy(headline, result.finding.headline, sizeof headline);
    for (size_t i = 0; i < result.finding.trace.n; i++)
        told = told || strcmp(result.finding.trace.v[i].who, "fault") == 0;
    assert_true(told);
    run_planned(LOST_REPLY, text);
    uint64_t fingerprint = result.fingerprint;
    assert_int_equal(result.verdict, RUN_FAIL);
    assert_string_equal(result.finding.headline, headline);
    peek_forget();
    stage_forget_images();
    run_planned(LOST_REPLY, text);
    assert_int_equal(result.fingerprint, fingerprint);
    assert_string_equal(result.finding.headline, headline);
}

static void every_crash_can_be_found_again_by_its_plan(void **state) {
    (void)state;
    static const char lines[] =
        BEFORE_SIGNAL("crash anywhere") "10:01:00 restart\n"
                                        "signal D1 buy 100 AAPL limit 150.00\n";
    char text[PLAN_TEXT_SIZE];
    sut = &sut_seed_protocol;
    for (int kind = SCN_KILL; kind <= SCN_POWER; kind++) {
        crash_kind = kind;
        fails(lines, "I1", NULL);
        assert_int_equal(result.finding.plan.count, 1);
        plan_format(&result.finding.plan, text);
        run_planned(lines, text);
        assert_string_equal(result.finding.code, "I1");
        assert_int_equal(result.counts.crashes, 1);
    }
}

static void a_plan_item_that_cannot_happen_is_refused(void **state) {
    (void)state;
    static const char *const plans[] = {"2/broker.submit@1=lost", "1/broker.submit@2=lost",
                                        "1/idle=kill", "1/wire.reply(submit)@1=close(at=1)",
                                        "1/line@5=power(keep=all)"};
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        run_planned(SIGNAL, plans[i]);
        assert_int_equal(result.verdict, RUN_MISFIT);
        assert_string_equal(result.why, "the plan has 1 items, and only 0 of them happened");
    }
    run_planned(SIGNAL, "1/broker.submit@1=lost");
    assert_int_equal(result.verdict, RUN_PASS);
}

static void a_plan_may_say_what_survives_a_crash_of_the_script_also_nothing(void **state) {
    (void)state;
    static const char lines[] =
        BEFORE_SIGNAL("crash power at disk.sync(wal) @ 2") "10:01:00 restart\n";
    static const char *const keeps[] = {"none", "all"};
    for (size_t i = 0; i < 2; i++) {
        char plan[80];
        snprintf(plan, sizeof plan, "1/line@5=power(keep=%s)", keeps[i]);
        run_planned(lines, plan);
        assert_string_equal(result.why, "");
        assert_int_equal(result.verdict, RUN_PASS);
    }
    run_planned(lines, "1/line@5=power(keep=0b1111111111111)");
    assert_string_equal(result.finding.code, "plan");
}

static void nothing_but_the_scenario_moves_the_fingerprint(void **state) {
    (void)state;
    run(SIGNAL);
    uint64_t first = result.fingerprint;
    run(SIGNAL "10:00:05 cancel D1\n");
    uint64_t other = result.fingerprint;
    stage_forget_images();
    peek_forget();
    run(SIGNAL);
    assert_int_equal(result.fingerprint, first);
    assert_int_not_equal(other, first);
}

/* ---- two doors ---- */

static void both_doors_come_to_the_same_verdicts(void **state) {
    (void)state;
    static const char *const stories[] = {
        SIGNAL "10:00:05 broker fills D1 100 @ 150.00\nfinally order D1 is filled\n",
        BEFORE_SIGNAL("fault broker.submit lost-reply once") "finally submits D1 = 1\n",
        BEFORE_SIGNAL("fault broker.submit lost once") "finally submits D1 = 1\n",
        BEFORE_SIGNAL("fault broker.submit refused once") "finally order D1 is working\n",
        BEFORE_SIGNAL("fault broker.submit late(by=15s) once") "10:00:02 crash kill\n"
                                                               "10:00:04 restart\n"
                                                               "always orders D1 <= 1\n",
        BEFORE_SIGNAL("broker rejects D1 \"no\"") "finally order D1 is rejected\n",
        SIGNAL "10:00:05 cancel D1\nfinally order D1 is canceled\n",
        SIGNAL "finally order D1 is filled\n",
        BEFORE_SIGNAL("fault broker.submit no-reply once") "10:00:02 start second\n"
                                                           "expect second refused\n",
        BEFORE_SIGNAL("crash anywhere after decide D1") "10:01:00 restart\n"
                                                        "finally order D1 is working\n",
    };
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        door = STAGE_DIRECT;
        run(stories[i]);
        enum run_verdict direct = result.verdict;
        char code[RUN_CODE_SIZE];
        memcpy(code, result.finding.code, sizeof code);
        door = STAGE_WIRE;
        run(stories[i]);
        if (result.verdict != direct || strcmp(result.finding.code, code) != 0)
            fail_msg("%s\ndirect %d %s, wire %d %s: %s", stories[i], direct, code, result.verdict,
                     result.finding.code, result.finding.headline);
    }
}

static int open_wire(void **state) {
    (void)state;
    disk_vfs_register();
    wire = wire_open();
    return wire == NULL;
}

static int close_wire(void **state) {
    (void)state;
    wire_close(wire);
    peek_forget();
    stage_forget_images();
    return 0;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_crash_that_never_happens_is_an_error_and_lists_the_points_reached),
        TEST(a_fault_that_never_strikes_is_an_error),
        TEST(a_broker_line_about_an_order_that_never_comes_is_an_error),
        TEST(what_is_reached_in_no_run_makes_a_scenario_vacuous),
        TEST(faults_strike_as_often_as_is_written),
        TEST(a_fault_anywhere_is_one_run_for_every_call_and_one_without),
        TEST(runs_may_end_with_the_first_that_fails),
        TEST(every_placement_of_a_crash_strikes),
        TEST(windows_are_as_wide_as_is_written),
        TEST(a_window_without_a_restart_below_it_reaches_to_the_end),
        TEST(a_crash_twice_strikes_in_both_lives_of_every_run),
        TEST(what_takes_two_crashes_is_found_by_two_and_not_by_one),
        TEST(a_restart_that_finds_the_oms_running_is_counted_by_a_plan_that_crashes_at_a_later_one),
        TEST(without_a_restart_the_oms_is_started_for_its_second_crash),
        TEST(what_counts_from_a_crash_counts_from_the_one_above_it),
        TEST(both_crashes_of_a_power_loss_keep_every_subset),
        TEST(the_points_that_are_listed_are_those_that_are_run),
        TEST(without_a_window_the_points_of_all_lives_are_listed),
        TEST(a_crash_again_anywhere_is_explored_and_not_run),
        TEST(power_tries_every_subset_of_the_unsynced_writes_and_kill_one_world),
        TEST(crash_points_differ_by_what_the_script_has_spent),
        TEST(when_the_script_goes_on_from_the_crash_its_moment_counts),
        TEST(lines_happen_right_before_and_after_their_point),
        TEST(within_always_and_finally_mean_what_they_say),
        TEST(what_is_observed_must_be_seen_in_order_and_in_time),
        TEST(faults_without_end_are_no_unrest),
        TEST(openings_that_differ_are_found_by_the_oms_and_not_held_against_it),
        TEST(the_seed_protocol_breaks_i1_with_a_plan_of_one_item),
        TEST(a_finding_s_plan_gives_the_same_finding_and_story_every_time),
        TEST(every_crash_can_be_found_again_by_its_plan),
        TEST(a_plan_item_that_cannot_happen_is_refused),
        TEST(a_plan_may_say_what_survives_a_crash_of_the_script_also_nothing),
        TEST(nothing_but_the_scenario_moves_the_fingerprint),
        TEST(both_doors_come_to_the_same_verdicts),
    };
    return cmocka_run_group_tests(tests, open_wire, close_wire);
}
