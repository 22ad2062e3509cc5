/* The gate in parts: what shards leave behind merges to what one process says, byte by byte; what is
 * known does not fail, and what is broken is refused with its place. */
#include "scenarios/cli/tests/command_line.h"
#include "scenarios/cli/work.h"
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
#include <unistd.h>

#define ANYWHERE                                        \
    "crashgate 1\n"                                     \
    "\n"                                                \
    "scenario \"A crash anywhere\"\n"                   \
    "  crashes   kill\n"                                \
    "  profile   alpaca, label\n"                       \
    "  decision  D1 = \"X\"\n"                          \
    "\n"                                                \
    "  10:00:00  crash anywhere\n"                      \
    "            signal D1 buy 100 TSLA limit 250.00\n" \
    "  10:00:30  restart\n"                             \
    "  10:00:31  signal D1 buy 100 TSLA limit 250.00\n" \
    "\n"                                                \
    "  always    orders D1 <= 1\n"
#define TOLD                                            \
    "crashgate 1\n"                                     \
    "\n"                                                \
    "scenario \"A reply is lost\"\n"                    \
    "  decision  D1 = \"X\"\n"                          \
    "\n"                                                \
    "  10:00:00  signal D1 buy 100 TSLA limit 250.00\n" \
    "  10:00:30  signal D1 buy 100 TSLA limit 250.00\n"
#define MANIFEST                                                                               \
    "scenarios 1\nruns 1\ncrash_points 1\nlives 1\nfaults_fired 1\nclosed 1\ncrash_worlds 1\n" \
    "swept 1\nknown_bad 1\nbugs 0\nseeds 1..12\ncanary 1\n"
#define BUG(state)                                            \
    "# state: " state "\n"                                    \
    "# breaks: I1\n"                                          \
    "# fingerprint: I1; kill after send; # orders accepted\n" \
    "# plan: none\n"                                          \
    "crashgate 1\n"                                           \
    "\n"                                                      \
    "scenario \"A crash after the send\"\n"                   \
    "  crashes   kill\n"                                      \
    "  decision  D1 = \"X\"\n"                                \
    "\n"                                                      \
    "  10:00:00  crash after send D1\n"                       \
    "            signal D1 buy 100 TSLA limit 250.00\n"       \
    "  10:00:30  restart\n"                                   \
    "  10:00:31  signal D1 buy 100 TSLA limit 250.00\n"
#define PLANTED                     \
    "Fault: checks, then records\n" \
    "Breaks: I1\n"                  \
    "Scenario: s/anywhere.scn:3\n"  \
    "Profile: alpaca\n"             \
    "Crashes: kill\n"               \
    "Door: direct\n"                \
    "Gate: yes\n"

static int setup(void **state) {
    if (command_line_setup(state) != 0 || mkdir("s", 0777) != 0 || mkdir("fuzz", 0777) != 0 ||
        mkdir("fuzz/known_bad", 0777) != 0)
        return -1;
    write_file("s/anywhere.scn", ANYWHERE);
    write_file("s/told.scn", TOLD);
    write_file("s/gate.manifest", MANIFEST);
    write_file("fuzz/known_bad/seed-protocol.known", PLANTED);
    return 0;
}

/* The gate of this folder fails: it promises more than two scenarios can keep. */
#define GATE "gate s --oms seed-protocol "

static void shards_merge_to_the_bytes_of_one(void **state) {
    (void)state;
    say_into("one.txt");
    assert_int_equal(crashgate(GATE "--out one --json one.jsonl --junit one.xml --sarif one.sarif "
                                    "--tap one.tap"),
                     EXIT_FAIL);
    for (int i = 3; i >= 1; i--) {
        char line[100];
        say_into("shard.txt");
        snprintf(line, sizeof line, GATE "--out part%d --shard %d/3", i, i);
        assert_true(crashgate(line) <= EXIT_FAIL);
    }
    say_into("all.txt");
    assert_int_equal(crashgate("merge part2 part1 part2 part3 --out all --json all.jsonl --junit "
                               "all.xml --sarif all.sarif --tap all.tap"),
                     EXIT_FAIL);
    assert_same_file("one.txt", "all.txt");
    assert_same_file("one.jsonl", "all.jsonl");
    assert_same_file("one.xml", "all.xml");
    assert_same_file("one.sarif", "all.sarif");
    assert_same_file("one.tap", "all.tap");
    assert_same_file("one/results-1-of-1.json", "all/results-1-of-1.json");
    assert_non_null(strstr(read_file("all.txt"), "I1 broke at 10:00:31: 2 orders accepted for D1"));
    assert_non_null(strstr(read_file("all.txt"), "CAUGHT  seed-protocol"));
    say_into("twice.txt");
    assert_int_equal(crashgate("merge all one"), EXIT_FAIL);
    assert_same_file("one.txt", "twice.txt");
}

static void the_same_shard_is_the_same_bytes(void **state) {
    (void)state;
    crashgate(GATE "--out a --shard 2/2");
    crashgate(GATE "--out b --shard 2/2");
    assert_same_file("a/results-2-of-2.json", "b/results-2-of-2.json");
}

static void every_unit_belongs_to_one_shard(void **state) {
    (void)state;
    for (unsigned turn = 0; turn < 50; turn++) {
        struct work_unit unit = {.turn = turn};
        unsigned owners = 0;
        for (unsigned i = 1; i <= 7; i++)
            owners += work_is_of(&unit, (struct work_shard){i, 7});
        assert_int_equal(owners, 1);
    }
}

static void a_missing_shard_is_named_and_never_green(void **state) {
    (void)state;
    assert_int_equal(crashgate("gate s --out parts --shard 1/3"), EXIT_PASS);
    assert_int_equal(crashgate("gate s --out parts --shard 3/3"), EXIT_PASS);
    does("merge parts", EXIT_INCONCLUSIVE, "MISSING  shard 2/3: ");
    assert_non_null(strstr(output, "gate: INCONCLUSIVE"));
    does("merge parts --out some", EXIT_INCONCLUSIVE, "shard 2/3");
    does("merge some", EXIT_INCONCLUSIVE, "MISSING  shard 2/3: ");
    assert_int_equal(crashgate("gate s --out parts --shard 2/3"), EXIT_PASS);
    does("merge parts some", EXIT_FAIL, "closed: 0 is less than the 1 that s/gate.manifest");
}

static void other_plans_are_refused_by_name(void **state) {
    (void)state;
    crashgate("gate s --out a --shard 1/2");
    write_file("s/told.scn", TOLD "  10:00:40  signal D1 buy 100 TSLA limit 250.00\n");
    crashgate("gate s --out b --shard 2/2");
    does("merge a b", EXIT_MISTAKE, "a/results-1-of-2.json is of plan ");
    assert_non_null(strstr(output, ", b/results-2-of-2.json of plan "));
    does("gate s --out a --shard 2/2", EXIT_MISTAKE, "--out a: a/results-1-of-2.json is of plan ");
    does("gate s --oms seed-protocol --out b --shard 1/2", EXIT_MISTAKE, "another folder");
}

static void write_changed(const char *from, const char *to, const char *what, const char *into) {
    char *text = strdup(read_file(from)), *at = strstr(text, what);
    FILE *out = fopen(to, "w");
    assert_non_null(at);
    assert_non_null(out);
    fprintf(out, "%.*s%s%s", (int)(at - text), text, into, at + strlen(what));
    assert_int_equal(fclose(out), 0);
    free(text);
}

static void broken_results_are_refused_with_their_place(void **state) {
    (void)state;
    static const char whole[] = "w/results-1-of-2.json", broken[] = "b/results-1-of-2.json";
    assert_int_equal(mkdir("b", 0777), 0);
    does("merge b", EXIT_MISTAKE, "no results (results-*.json) in b");
    does("merge nowhere", EXIT_MISTAKE, "cannot read the folder nowhere: ");
    does("merge", EXIT_MISTAKE, "needs at least one folder");
    crashgate("gate s --out w --shard 1/2");
    write_file(broken, read_file(whole));
    assert_int_equal(truncate(broken, 1200), 0);
    does("merge b", EXIT_MISTAKE, "b/results-1-of-2.json:");
    assert_non_null(strstr(output, "no JSON from here on"));
    write_changed(whole, broken, "crashgate results", "other results");
    does("merge b", EXIT_MISTAKE, "'format' must be \"crashgate results\"");
    write_changed(whole, broken, "\"version\":1", "\"version\":2");
    does("merge b", EXIT_MISTAKE, "'version' must be 1");
    write_changed(whole, broken, "\"sources\":\"", "\"sources\":\"x");
    does("merge b", EXIT_MISTAKE, "results are merged by the program that made them");
    write_changed(whole, broken, "\"exit\":0", "\"exit\":-1");
    does("merge b", EXIT_MISTAKE, "result 1: of 'run s/anywhere.scn:3 [alpaca, kill, direct]'");
    write_changed(whole, broken, "[\"1/2\"]", "[\"1/1\"]");
    does("merge b", EXIT_MISTAKE, "belongs to shard 1/1 and has no result");
    write_changed(whole, broken, "\"runs_failed\":0", "\"runs_failed\":1");
    does("merge w b", EXIT_NOT_REPEATABLE, "the same unit must come out the same everywhere");
}

static void shards_are_read_with_care(void **state) {
    (void)state;
    does("gate s --out o --shard 3/2", EXIT_MISTAKE, "--shard is I/N");
    does("gate s --out o --shard 0/2", EXIT_MISTAKE, "not '0/2'");
    does("gate s --out o --shard 1/1001", EXIT_MISTAKE, "N at most 1000");
    does("gate s --out o --shard 1/2x", EXIT_MISTAKE, "not '1/2x'");
    does("gate s --out o --shard -1/2", EXIT_MISTAKE, "not '-1/2'");
    does("gate s --shard 1/2", EXIT_MISTAKE, "needs --out DIR");
    does("gate s --out s/told.scn --shard 1/2", EXIT_ENVIRONMENT, "cannot write s/told.scn/");
}

static void write_bug(const char *text) {
    assert_true(mkdir("s/found", 0777) == 0 || access("s/found", F_OK) == 0);
    write_file("s/found/sent_twice.scn", text);
}

static void a_bug_that_comes_back_breaks_the_gate(void **state) {
    (void)state;
    write_bug(BUG("fixed"));
    does("gate s", EXIT_FAIL, "bugs of the base: 1 played, 1 stay fixed, 0 came back");
    assert_int_equal(crashgate("gate s --oms seed-protocol --write-baseline known.json"),
                     EXIT_FAIL);
    does("gate s --oms seed-protocol --shard 1/9 --out a", EXIT_FAIL,
         "CAME BACK      s/found/sent_twice.scn");
    assert_non_null(strstr(output, "again: "));
    /* Being known is for what is not fixed yet. */
    does("gate s --oms seed-protocol --shard 1/9 --out a --baseline known.json", EXIT_FAIL,
         "CAME BACK");
    write_bug(BUG("open"));
    does("gate s --oms seed-protocol --shard 1/9 --out b", EXIT_FAIL,
         "STILL FAILS    s/found/sent_twice.scn");
    does("gate s --oms seed-protocol --shard 1/9 --out b --baseline known.json", EXIT_PASS,
         "STILL FAILS");
}

static void a_bug_that_is_fixed_is_never_silent(void **state) {
    (void)state;
    write_bug(BUG("open"));
    does("gate s --shard 1/9 --out a", EXIT_FIXED, "FIXED          s/found/sent_twice.scn");
    assert_non_null(strstr(output, "'crashgate bugs retest --mark' writes down that it is fixed"));
    does("bugs retest --mark --base s/found", EXIT_PASS, "1 marked as fixed");
    does("gate s --shard 1/9 --out b", EXIT_PASS, "1 played, 1 stay fixed");
    does("gate s --shard 1/9 --out c --base nowhere", EXIT_PASS, "bugs of the base: 0 played");
}

static void the_bug_base_is_promised(void **state) {
    (void)state;
    write_changed("s/gate.manifest", "s/changed", "bugs 0", "bugs 1");
    assert_int_equal(rename("s/changed", "s/gate.manifest"), 0);
    does("gate s", EXIT_FAIL, "FAIL  bugs: 0 is less than the 1 that s/gate.manifest promises");
}

static void seeds_that_break_something_say_how_to_repeat_it(void **state) {
    (void)state;
    write_changed("s/gate.manifest", "s/changed", "1..12", "1..260");
    assert_int_equal(rename("s/changed", "s/gate.manifest"), 0);
    assert_int_equal(crashgate("gate s --oms seed-protocol --json all.jsonl --junit all.xml"),
                     EXIT_FAIL);
    assert_non_null(strstr(output, "seeds 1..250"));
    assert_non_null(strstr(output, "seeds: 260 timelines, "));
    assert_non_null(strstr(output, " fuzz --seeds "));
    assert_non_null(strstr(read_file("all.jsonl"), "\"scenario\":\"seeds 251..260\""));
    assert_non_null(strstr(read_file("all.xml"), "seeds 1..250"));
}

static void a_mistake_in_a_scenario_stops_the_gate(void **state) {
    (void)state;
    write_file("s/told.scn", "crashgate 1\nscenario \"A\"\n10:00:00 crash kil\n");
    does("gate s --out o", EXIT_MISTAKE, "s/told.scn:3");
    assert_int_not_equal(access("o", F_OK), 0);
}

static void the_extra_part_changes_no_verdict(void **state) {
    (void)state;
    does("gate s --budget 0", EXIT_MISTAKE,
         "--budget is a whole number from 1 to 1000000, not '0'");
    does("gate s --budget 1m", EXIT_MISTAKE, "not '1m'");
    /* No scenario here draws from its seed: all of the time is for fresh seeds. */
    does("gate s --out o --shard 1/1 --budget 1", EXIT_FAIL, "extra: 0 runs with other seeds");
    assert_true(strstr(output, "gate: FAIL") < strstr(output, "extra: "));
    assert_non_null(strstr(output, " fresh seeds, "));
    assert_non_null(strstr(output, " fuzz --seeds "));
}

static void what_is_known_does_not_fail(void **state) {
    (void)state;
#define RUN "run s/anywhere.scn --oms seed-protocol "
    assert_int_equal(crashgate(RUN "--write-baseline known.json"), EXIT_FAIL);
    does(RUN "--baseline known.json", EXIT_PASS, "baseline: 0 new, 2 known, 0 fixed");
    write_file("s/anywhere.scn", "# lines\n# that move it\n" ANYWHERE);
    does(RUN "--baseline known.json", EXIT_PASS, "baseline: 0 new, 2 known, 0 fixed");
    does(RUN "--wire --baseline known.json", EXIT_FAIL, "2 new, 0 known, 0 fixed, 2 not tried");
    does("gate s --oms seed-protocol --baseline known.json", EXIT_FAIL,
         "KNOWN  I1  s/anywhere.scn:5");
}

static void what_is_fixed_is_told(void **state) {
    (void)state;
    crashgate(
        "run s/anywhere.scn --oms seed-protocol --profile alpaca --write-baseline known.json");
    write_changed("known.json", "fixed.json", "seed-protocol, ", "core, ");
    does("run s/anywhere.scn --baseline fixed.json", EXIT_PASS,
         "FIXED  I1  anywhere.scn  A crash anywhere  [core, alpaca, kill, direct]");
    assert_non_null(strstr(output, "1 fixed; take what is fixed out of fixed.json"));
    does("gate s --baseline known.json", EXIT_FAIL, "GONE   I1  anywhere.scn");
}

static void a_broken_baseline_is_refused(void **state) {
    (void)state;
    does("run s --baseline none.json", EXIT_MISTAKE, "none.json cannot be read: ");
    write_file("b.json", "{\n\"format\": ");
    does("run s --baseline b.json", EXIT_MISTAKE, "b.json:2: no JSON from here on");
    write_file("b.json", "{\"format\":\"crashgate baseline\",\"version\":7}");
    does("run s --baseline b.json", EXIT_MISTAKE, "'version' must be 1");
    write_file("b.json", "{\"format\":\"crashgate baseline\",\"version\":1,\"findings\":[{}]}");
    does("run s --baseline b.json", EXIT_MISTAKE, "finding 1 must have the texts 'fingerprint'");
}

static void github_gets_annotations_and_a_summary(void **state) {
    (void)state;
    write_file("summary.md", "from another command\n");
    assert_int_equal(setenv("GITHUB_STEP_SUMMARY", "summary.md", 1), 0);
    does(RUN "--github", EXIT_FAIL, "::error file=s/anywhere.scn,line=");
    assert_non_null(strstr(read_file("summary.md"), "from another command\n## crashgate\n"));
    assert_non_null(strstr(read_file("summary.md"), "2 orders accepted for D1"));
    crashgate(RUN "--write-baseline known.json");
    does(RUN "--github --baseline known.json", EXIT_PASS, "::notice file=s/anywhere.scn,line=");
    assert_null(strstr(output, "::error"));
    assert_int_equal(unsetenv("GITHUB_STEP_SUMMARY"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, command_line_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(shards_merge_to_the_bytes_of_one),
        TEST(the_same_shard_is_the_same_bytes),
        TEST(every_unit_belongs_to_one_shard),
        TEST(a_missing_shard_is_named_and_never_green),
        TEST(other_plans_are_refused_by_name),
        TEST(broken_results_are_refused_with_their_place),
        TEST(shards_are_read_with_care),
        TEST(a_bug_that_comes_back_breaks_the_gate),
        TEST(a_bug_that_is_fixed_is_never_silent),
        TEST(the_bug_base_is_promised),
        TEST(seeds_that_break_something_say_how_to_repeat_it),
        TEST(a_mistake_in_a_scenario_stops_the_gate),
        TEST(the_extra_part_changes_no_verdict),
        TEST(what_is_known_does_not_fail),
        TEST(what_is_fixed_is_told),
        TEST(a_broken_baseline_is_refused),
        TEST(github_gets_annotations_and_a_summary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
