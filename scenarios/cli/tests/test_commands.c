/* The crashgate program's commands as people use them: a command line in, files and words out. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/draft.h"
#include "scenarios/cli/tests/command_line.h"
#include "scenarios/lang/exits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STORY                                           \
    "crashgate 1\n"                                     \
    "\n"                                                \
    "scenario \"Half\"\n"                               \
    "  crashes   kill, power\n"                         \
    "  profile   alpaca, label\n"                       \
    "  decision  D1 = \"X\"\n"                          \
    "\n"                                                \
    "  10:00:00  signal D1 buy 100 TSLA limit 250.00\n" \
    "  10:00:05  broker fills D1 50\n"                  \
    "  10:00:06  crash\n"                               \
    "  10:00:30  restart\n"

/* ---- every command ---- */

static void every_command_tells_its_options_and_refuses_what_it_does_not_take(void **state) {
    (void)state;
    static const char *const words[] = {
#define X(id, word, arguments, help) word,
        COMMANDS(X)
#undef X
    };
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char line[60];
        snprintf(line, sizeof line, "%s --help", words[i]);
        does(line, EXIT_PASS, "usage: crashgate");
        snprintf(line, sizeof line, "%s --no-such", words[i]);
        does(line, EXIT_MISTAKE, "takes no option '--no-such'");
    }
}

/* ---- fmt ---- */

static void fmt_rewrites_what_is_untidy_and_keeps_its_permissions(void **state) {
    (void)state;
    struct stat about;
    write_file("a.scn", "crashgate 1\nscenario \"A\"\n10:00:00 crash kill # why\n");
    write_file("b.scn", STORY);
    assert_int_equal(chmod("a.scn", 0640), 0);
    does("fmt --check a.scn b.scn", EXIT_FAIL, "a.scn\n2 files, 1 not in canonical form");
    does("fmt a.scn b.scn", EXIT_PASS, "2 files, 1 rewritten");
    assert_string_equal(read_file("a.scn"),
                        "crashgate 1\n\nscenario \"A\"\n\n  10:00:00  crash kill  # why\n");
    assert_int_equal(stat("a.scn", &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    does("fmt --check a.scn b.scn", EXIT_PASS, "0 not in canonical form");
}

static void fmt_leaves_a_file_with_mistakes_alone(void **state) {
    (void)state;
    write_file("a.scn", "crashgate 1\nscenario \"A\"\n  crahs\n");
    does("fmt --format short a.scn", EXIT_MISTAKE, "a.scn:3:3: error: no such header or statement");
    assert_string_equal(read_file("a.scn"), "crashgate 1\nscenario \"A\"\n  crahs\n");
    does("fmt nowhere.scn", EXIT_MISTAKE, "cannot read nowhere.scn");
    does("fmt", EXIT_MISTAKE, "at least one");
}

/* ---- new ---- */

static void a_skeleton_passes_and_is_never_written_over(void **state) {
    (void)state;
    does("new +An_order's_morning", EXIT_PASS, "an_orders_morning.scn");
    does("check an_orders_morning.scn", EXIT_PASS, "mistakes in 0");
    does("fmt --check an_orders_morning.scn", EXIT_PASS, "0 not in canonical");
    does("run an_orders_morning.scn", EXIT_PASS, "4 PASS");
    write_file("an_orders_morning.scn", "mine");
    does("new +An_order's_morning", EXIT_ENVIRONMENT, "File exists");
    assert_string_equal(read_file("an_orders_morning.scn"), "mine");
    does("new !!", EXIT_MISTAKE, "a name is a sentence");
}

static void a_pasted_timeline_becomes_a_draft_that_passes(void **state) {
    (void)state;
    write_file("incident.txt", "Incident of the day\n"
                               "10:00:00 - Strategy SUBMITS buy 100 AAPL @ 150.00\n"
                               "10:00:04 - OMS Crashed\n"
                               "10:00:05 - broker filled 50 AAPL at 150.00\n"
                               "10:00:30 - restarted\n"
                               "10:00:31 - coffee \"machine\" \xe2\x80\x93 exploded\n"
                               "10:00:32 - filled 60 more AAPL at 150\n"
                               "10:00:35 cancel AAPL\n"
                               "10:00:36 rejected ZZZ\n"
                               "10:01 sold 20 MSFT\n"
                               "09:00 restart\n");
    does("new +Draft --from incident.txt", EXIT_PASS, "7 lines understood, 4 left as comments");
    const char *draft = read_file("draft.scn");
    assert_non_null(strstr(draft, "  10:00:00  signal D1 buy 100 AAPL limit 150.00\n"));
    assert_non_null(strstr(draft, "  10:00:04  crash kill\n"));
    assert_non_null(strstr(draft, "  10:00:05  broker fills D1 50 @ 150.00\n"));
    assert_non_null(strstr(draft, "  10:00:30  restart\n"));
    assert_non_null(strstr(draft, "# not understood: 10:00:31 - coffee \"machine\""));
    assert_non_null(strstr(draft, "  10:00:35  cancel D1\n"));
    assert_non_null(strstr(draft, "# not understood: 10:00:36 rejected ZZZ\n"));
    assert_non_null(strstr(draft, "  10:01:00  signal D2 sell 20 MSFT market\n"));
    does("check draft.scn", EXIT_PASS, "mistakes in 0");
    does("fmt --check draft.scn", EXIT_PASS, "0 not in canonical");
    write_file("nothing.txt", "hello\n10:00:00 hello\n");
    does("new +Nothing --from nothing.txt", EXIT_MISTAKE, "not one line");
    does("new +Nothing --from nowhere.txt", EXIT_MISTAKE, "cannot read");
}

static void whatever_is_pasted_the_draft_has_no_mistakes(void **state) {
    (void)state;
    /* Each would break a rule of the language if it were taken at its word. */
    static const char *const lines[] = {
        "10:00:00 buy 0 AAPL at 5",
        "10:00:00 buy 99999999999999 AAPL at 5",
        "10:00:00 buy 1.0000000001 AAPL",
        "10:00:00 restart",
        "10:00:00 buy 5 AAPL at 1\n10:00:01 sell 5 MSFT\n10:00:02 buy 5 AAPL at 1",
        "10:00:00 buy 5 AAPL at 1\n10:00:01 buy 5 AAPL at 2",
        "99:00:00 crash",
        "10:00:00.1234567891 crash",
        "10:00:00 buy 5 AAPL\n10:00:01 filled 5 AAPL",
        "10:00:00 buy 1..2 AAPL at 3.4.5"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t used = 0, left = 0;
        char *draft = draft_from("T", lines[i], &used, &left);
        if (draft != NULL) {
            write_file("x.scn", draft);
            does("check x.scn", EXIT_PASS, "mistakes in 0");
        }
        free(draft);
    }
}

/* ---- explain, points ---- */

static void explain_tells_a_file_or_a_code(void **state) {
    (void)state;
    write_file("a.scn", SCENARIO_ANYWHERE);
    does("explain a.scn", EXIT_PASS, "in force 'day' (nothing was written)");
    assert_non_null(strstr(output, "alpaca, kill, direct door: "));
    assert_non_null(strstr(output, "judged in every run: I1, I2"));
    does("explain i1", EXIT_PASS, "at most one order is accepted");
    does("explain time-needed", EXIT_PASS, "E013");
    does("explain vacous", EXIT_MISTAKE, "did you mean 'vacuous'?");
}

static void points_lists_where_the_oms_can_die(void **state) {
    (void)state;
    write_file("a.scn", SCENARIO_ANYWHERE);
    does("points a.scn", EXIT_PASS, "before broker.submit@1");
    assert_non_null(strstr(output, "before send D1"));
    assert_non_null(strstr(output, "crash points: kill leaves"));
    does("points", EXIT_MISTAKE, "points takes one");
}

/* ---- until, bless ---- */

static void until_shows_the_story_and_the_state_before_a_line(void **state) {
    (void)state;
    write_file("a.scn", STORY);
    does("run a.scn --until 11 --profile alpaca --crashes kill", EXIT_PASS,
         "right before line 11:\n  oms       down in life 1 at 10:00:30");
    assert_non_null(strstr(output, "D1 is working, 0 of 100 booked"));
    assert_non_null(strstr(output, "O1 of D1 is partially_filled, 50 of 100 executed"));
    assert_null(strstr(output, "start of life 2"));
    does("run a.scn --until 7", EXIT_MISTAKE, "no line of a scenario");
    does("run a.scn --until x", EXIT_MISTAKE, "--until is a line");
    write_file("b.scn", SCENARIO_ANYWHERE);
    does("run b.scn --until 9", EXIT_MISTAKE, "add --plan");
    does("run b.scn --until 9 --plan 1/broker.submit@1=kill", EXIT_PASS, "D1 is intent");
}

static void bless_writes_what_all_configurations_agree_on(void **state) {
    (void)state;
    write_file("a.scn", STORY);
    does("run a.scn --bless --after 8", EXIT_PASS, "4 lines written");
    does("run a.scn --bless", EXIT_PASS, "5 lines written");
    assert_non_null(strstr(read_file("a.scn"),
                           "limit 250.00\n            expect order D1 is working  # observed\n"));
    assert_non_null(
        strstr(read_file("a.scn"), "restart\n\n  finally   order D1 is partially-filled  # "));
    assert_non_null(strstr(read_file("a.scn"), "  finally   position TSLA = 50 @ 250.00  # "));
    does("run a.scn", EXIT_PASS, "4 PASS");
    does("fmt --check a.scn", EXIT_PASS, "0 not in canonical");
    does("run a.scn --bless", EXIT_PASS, "0 lines written");
}

static void bless_writes_nothing_where_it_would_prove_nothing(void **state) {
    (void)state;
    write_file("a.scn", SCENARIO_ANYWHERE);
    does("run a.scn --bless", EXIT_MISTAKE, "only a scenario that is one run can be blessed");
    write_file("b.scn", STORY "\n  finally   order D1 is filled\n");
    does("run b.scn --bless", EXIT_FAIL, "does not pass as it is");
    assert_string_equal(read_file("b.scn"), STORY "\n  finally   order D1 is filled\n");
    write_file("c.scn", STORY);
    does("run c.scn --bless --after 3", EXIT_MISTAKE, "no line of the scenario that has a time");
    does("run c.scn --after 3", EXIT_MISTAKE, "--after goes with --bless");
    assert_string_equal(read_file("c.scn"), STORY);
}

/* ---- run, shrink ---- */

static void a_scenario_that_is_explored_is_explored_by_run_too(void **state) {
    (void)state;
    write_file("a.scn", "crashgate 1\nscenario \"A\"\n  decision D1 = \"X\"\n"
                        "10:00:00 crash kill again anywhere\nsignal D1 buy 1 AAPL limit 2\n");
    does("check a.scn", EXIT_PASS, "mistakes in 0");
    does("run a.scn", EXIT_PASS, "1 explorations, 1 closed");
    does("replay --format short a.scn --plan 1/broker.cancel@1=lost", EXIT_MISTAKE,
         "a.scn:2:1: error: ");
    assert_non_null(strstr(output, " [misfit]\n"));
}

#define EXPLORED                                                                               \
    "crashgate 1\nscenario \"A\"\n  profile alpaca, label, open-only\n  decision D1 = \"X\"\n" \
    "broker fills all after 1s\n10:00:00 crash kill again anywhere\n"                          \
    "signal D1 buy 1 AAPL limit 2\n10:01:00 restart\nsignal D1 buy 1 AAPL limit 2\n"

/* How much memory a process took is the machine's, no result. */
static void mask_memory(char *text) {
    char *figure = strstr(text, "; at most ");
    while (figure != NULL && strstr(figure + 1, "; at most ") != NULL)
        figure = strstr(figure + 1, "; at most ");
    if (figure != NULL)
        snprintf(figure, strlen(figure) + 1, "\n");
}

static void what_is_explored_does_not_depend_on_how_many_explore_at_a_time(void **state) {
    static const char *const oms[] = {"core", "seed-protocol"};
    (void)state;
    static char one[OUTPUT_SIZE], one_json[OUTPUT_SIZE];
    write_file("a.scn", EXPLORED);
    for (size_t i = 0; i < sizeof oms / sizeof oms[0]; i++) {
        int exit_code = i == 0 ? EXIT_PASS : EXIT_FAIL;
        char line[100];
        snprintf(line, sizeof line, "explore a.scn --restarts at-once --jobs 1 --json j --oms %s",
                 oms[i]);
        does(line, exit_code, i == 0 ? "3 explorations, 3 closed" : "I1 broke at ");
        memcpy(one, output, sizeof one);
        snprintf(one_json, sizeof one_json, "%s", read_file("j"));
        mask_memory(one);
        snprintf(line, sizeof line, "explore a.scn --restarts at-once --jobs 2 --json j --oms %s",
                 oms[i]);
        does(line, exit_code, "3 explorations, ");
        mask_memory(output);
        assert_string_equal(output, one);
        assert_string_equal(read_file("j"), one_json);
        assert_non_null(strstr(one_json, "\"fingerprint\""));
    }
}

static void memory_is_a_bound_that_is_named(void **state) {
    (void)state;
    write_file("a.scn", EXPLORED);
    does("explore a.scn --memory 1", EXIT_INCONCLUSIVE,
         "bound: 1 MiB of memory were taken (--memory), ");
    assert_non_null(strstr(output, "NOT CLOSED a.scn:2"));
    assert_non_null(strstr(output, "3 explorations, 0 closed"));
    does("explore a.scn --memory 0", EXIT_MISTAKE, "--memory is a whole number from 1");
}

static void shrink_tells_the_smallest_plan(void **state) {
    (void)state;
    write_file("a.scn", "crashgate 1\nscenario \"A\"\n  decision D1 = \"X\"\n"
                        "10:00:00 crash kill twice anywhere\nsignal D1 buy 1 AAPL limit 2\n"
                        "10:01:00 restart\nsignal D1 buy 1 AAPL limit 2\n10:02:00 restart\n");
    does("shrink a.scn --oms seed-protocol --plan "
         "1/broker.submit@1=kill-after,2/idle@1=kill",
         EXIT_FAIL, "shrunk from 2 to 1 items");
    assert_non_null(strstr(output, "--plan '1/broker.submit@1=kill-after'"));
    does("shrink a.scn --oms seed-protocol --plan 1/broker.submit@1=kill-after", EXIT_FAIL,
         "minimal already");
    does("shrink a.scn --plan 1/broker.submit@1=kill-after", EXIT_MISTAKE, "breaks nothing");
    does("shrink a.scn", EXIT_MISTAKE, "--plan");
    does("run a.scn --oms seed-protocol", EXIT_FAIL, "the plan was shrunk from 2 items to 1");
}

static void fuzz_refuses_what_is_no_range_and_no_shard(void **state) {
    (void)state;
    does("fuzz", EXIT_MISTAKE, "needs --seeds A..B");
    does("fuzz --seeds 9..1", EXIT_MISTAKE, "--seeds is A..B, whole numbers with A <= B");
    does("fuzz --seeds 1..x", EXIT_MISTAKE, "not '1..x'");
    does("fuzz --seeds 1..8 --shard 3/2", EXIT_MISTAKE, "--shard is I/N");
    does("fuzz --seeds 1..8 --shard 0/2", EXIT_MISTAKE, "not '0/2'");
    does("fuzz --seeds 1..8 --jobs 0", EXIT_MISTAKE, "--jobs is a whole number from 1 to 64");
    does("fuzz begin", EXIT_MISTAKE, "takes no 'begin'");
    does("fuzz --seeds 1 --json no/such/folder", EXIT_ENVIRONMENT, "cannot write");
}

static void fuzz_tells_the_same_however_many_play(void **state) {
    static char alone[OUTPUT_SIZE];
    (void)state;
    does("fuzz --seeds 1..12 --jobs 1 --json alone", EXIT_PASS, "fuzz: PASS  12 timelines");
    snprintf(alone, sizeof alone, "%s", read_file("alone"));
    does("fuzz --seeds 1..12 --jobs 3 --json three", EXIT_PASS, "fuzz: PASS  12 timelines");
    assert_string_equal(read_file("three"), alone);
    assert_non_null(strstr(alone, "{\"type\":\"sweep\",\"verdict\":\"PASS\",\"oms\":\"core\""));
    does("fuzz --seeds 1..12 --shard 2/4", EXIT_PASS, "fuzz: PASS  3 timelines");
    does("fuzz --seeds 1..1 --shard 1/4", EXIT_INCONCLUSIVE, "no seed was played");
}

static void what_fuzz_finds_is_saved_and_repeated(void **state) {
    (void)state;
    does("fuzz --seeds 1..40 --oms seed-protocol --save found", EXIT_FAIL, "fuzz: FAIL");
    assert_non_null(strstr(output, "again: crashgate fuzz --seeds "));
    char *again = strstr(output, "replay found/seed-"), line[300];
    assert_non_null(again);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(again, "\n"), again);
    for (char *from = line, *to = line;; from++) { /* the quotes are the shell's */
        if (*from != '\'')
            *to++ = *from;
        if (*from == '\0')
            break;
    }
    does(line, EXIT_FAIL, "broke at");
}

/* A planted bug, in one command each: found, grouped, kept, refused a second time, seen to fail, seen
 * to be fixed, marked, and seen to come back. */
static void a_planted_bug_travels_from_its_finding_to_its_fix(void **state) {
    (void)state;
    does("fuzz --seeds 29 --oms seed-protocol --save out", 1, "I3 broke");
    does("triage out --oms seed-protocol --json groups.jsonl", 1, "1 of 1 files break something");
    assert_non_null(strstr(read_file("groups.jsonl"), "\"code\":\"I3\""));
    does("promote out/seed-29.scn --base base", 2, "breaks nothing with the OMS 'core'");
    does("promote out/seed-29.scn --oms seed-protocol --base base", 0, "bugs retest");
    does("promote out/seed-29.scn --oms seed-protocol --base base", 2, "in the base already");
    does("bugs list --base base", 0, "1 bug in base");
    does("bugs retest --oms seed-protocol --base base", 1, "STILL FAILS");
    does("bugs retest --base base", 6, "FIXED");
    does("bugs retest --base base --mark", 0, "1 marked as fixed");
    does("bugs retest --base base --json now.jsonl", 0, "passes");
    assert_non_null(strstr(read_file("now.jsonl"), "\"state\":\"fixed\""));
    does("bugs retest --oms seed-protocol --base base", 1, "CAME BACK");
    does("bugs show no-such --base base", 2, "no bug in base is called 'no-such'");
    does("bugs lost", 2, "list, show NAME or retest, not 'lost'");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, command_line_setup, command_line_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_planted_bug_travels_from_its_finding_to_its_fix),
        TEST(every_command_tells_its_options_and_refuses_what_it_does_not_take),
        TEST(fmt_rewrites_what_is_untidy_and_keeps_its_permissions),
        TEST(fmt_leaves_a_file_with_mistakes_alone),
        TEST(a_skeleton_passes_and_is_never_written_over),
        TEST(a_pasted_timeline_becomes_a_draft_that_passes),
        TEST(whatever_is_pasted_the_draft_has_no_mistakes),
        TEST(explain_tells_a_file_or_a_code),
        TEST(points_lists_where_the_oms_can_die),
        TEST(until_shows_the_story_and_the_state_before_a_line),
        TEST(bless_writes_what_all_configurations_agree_on),
        TEST(bless_writes_nothing_where_it_would_prove_nothing),
        TEST(a_scenario_that_is_explored_is_explored_by_run_too),
        TEST(what_is_explored_does_not_depend_on_how_many_explore_at_a_time),
        TEST(memory_is_a_bound_that_is_named),
        TEST(shrink_tells_the_smallest_plan),
        TEST(fuzz_refuses_what_is_no_range_and_no_shard),
        TEST(fuzz_tells_the_same_however_many_play),
        TEST(what_fuzz_finds_is_saved_and_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
