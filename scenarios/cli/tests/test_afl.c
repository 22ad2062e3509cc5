/* Campaigns in the background, with a fuzzer that only says what AFL++ says: commands, figures,
 * refusals. */
#include "scenarios/cli/tests/command_line.h"
#include "scenarios/lang/exits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_LIST_SIZE = 4096 };

#define CAMPAIGN "build/fuzz/campaigns/plan"

/* FAKE=dies: it ends at once; quiet: it tells no figures; else it runs until it is asked to end. */
#define FUZZER                                                                                   \
    "#!/bin/sh\n"                                                                                \
    "echo \"$@\" >> asked\n"                                                                     \
    "while [ $# -gt 0 ]; do\n"                                                                   \
    "  case $1 in -M | -S) name=$2 ;; -o) out=$2 ;; esac; shift\n"                               \
    "done\n"                                                                                     \
    "mkdir -p \"$out/$name/crashes\"\n"                                                          \
    "case $FAKE in\n"                                                                            \
    "dies) printf '\\n\\033[1;91m[-] PROGRAM ABORT : \\033[0mNo handshake\\n'\n"                 \
    "  echo '     Location : there()'; exit 1 ;;\n"                                              \
    "quiet) ;;\n"                                                                                \
    "*) { echo \"run_time          : ${SECONDS_RUN:-0}\"\n"                                      \
    "  echo \"fuzzer_pid        : $$\"\n"                                                        \
    "  echo 'execs_done        : 5552'; echo 'execs_per_sec     : 2776000.00'\n"                 \
    "  echo \"stability         : ${STABILITY:-100.00%}\"; } > \"$out/$name/fuzzer_stats\" ;;\n" \
    "esac\n"                                                                                     \
    "echo \"Attempting dry run with 'one'...\"\n"                                                \
    "mkfifo \"$out/$name/never\" 2>/dev/null\n"                                                  \
    "exec cat \"$out/$name/never\"\n"

static void write_program(const char *name, const char *text) {
    write_file(name, text);
    assert_int_equal(chmod(name, 0777), 0);
}

static void make_folder(const char *name) {
    assert_int_equal(mkdir(name, 0777), 0);
}

/* A tree in which all is built, and the fuzzer first in PATH. */
static int setup(void **state) {
    static char path[PATH_LIST_SIZE];
    char here[200];
    int code = command_line_setup(state);
    if (path[0] == '\0')
        snprintf(path, sizeof path, "%s", getenv("PATH"));
    make_folder("build");
    make_folder("build/inputs");
    make_folder("bin");
    write_program("build/inputs/input_plan", "#!/bin/sh\n");
    write_program("build/fuzz_inputs", "#!/bin/sh\n[ $1 = words ] || mkdir -p \"$3\"\n");
    write_program("bin/afl-fuzz", FUZZER);
    assert_non_null(getcwd(here, sizeof here));
    char list[PATH_LIST_SIZE + 300];
    snprintf(list, sizeof list, "%s/bin:%s", here, path);
    setenv("PATH", list, 1);
    unsetenv("FAKE");
    unsetenv("STABILITY");
    unsetenv("SECONDS_RUN");
    return code;
}

static int teardown(void **state) {
    crashgate("fuzz stop plan");
    return command_line_teardown(state);
}

static void a_campaign_starts_is_told_and_ends(void **state) {
    (void)state;
    setenv("SECONDS_RUN", "60", 1);
    does("fuzz start plan --jobs 2", EXIT_PASS, "afl-fuzz -S second");
    does("fuzz status plan", EXIT_PASS, "main     runs      60 seconds  5552 executions");
    assert_non_null(strstr(output, "second   runs "));
    assert_null(strstr(output, "WARNING"));
    does("fuzz status plan --json -", EXIT_PASS, "\"instance\":\"second\",\"runs\":true");
    does("fuzz stop plan", EXIT_PASS, "plan: 2 fuzzers ended\n");
    does("fuzz status plan", EXIT_PASS, "main     ended ");
    does("fuzz stop plan", EXIT_INCONCLUSIVE, "plan: nothing runs");
}

/* As a shell's `&` leaves it. */
static void a_campaign_that_is_started_in_the_background_ends_too(void **state) {
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    (void)state;
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    signal(SIGINT, before);
    does("fuzz stop plan", EXIT_PASS, "plan: 1 fuzzer ended\n");
}

static void what_runs_is_not_started_twice_and_who_runs_is_said(void **state) {
    (void)state;
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz start plan", EXIT_MISTAKE, "plan is being fuzzed by main (pid ");
    does("fuzz resume plan", EXIT_MISTAKE, "'crashgate fuzz stop plan' ends that first");
    does("fuzz stop plan", EXIT_PASS, "plan: 1 fuzzer ended\n");
    does("fuzz start plan", EXIT_MISTAKE, "holds a campaign: resume it, or remove the folder");
}

static void a_resumed_campaign_goes_on_with_as_many(void **state) {
    (void)state;
    does("fuzz resume plan", EXIT_MISTAKE, "what never started is not resumed");
    does("fuzz start plan --jobs 2", EXIT_PASS, "-i " CAMPAIGN "/seeds");
    does("fuzz stop plan", EXIT_PASS, "2 fuzzers");
    does("fuzz resume plan --executions 70 --budget 9", EXIT_PASS, "-M main -i - ");
    assert_non_null(strstr(output, "-S second -i - "));
    assert_null(strstr(output, "-S third"));
    assert_null(strstr(output, "/seeds"));
    assert_non_null(strstr(output, " -V 9 -E 70 "));
    does("fuzz stop plan", EXIT_PASS, "2 fuzzers");
    does("fuzz resume plan --jobs 3 --dry-run", EXIT_PASS, "-S third -i " CAMPAIGN "/seeds");
}

static void each_machine_has_chance_of_its_own(void **state) {
    (void)state;
    does("fuzz start plan --jobs 2 --dry-run", EXIT_PASS, "/afl -s 2 ");
    does("fuzz start plan --jobs 2 --shard 3/3 --dry-run", EXIT_PASS, "/afl -s 129 ");
    assert_non_null(strstr(output, "/afl -s 130 "));
    does("fuzz start plan --shard 4/3", EXIT_MISTAKE, "--shard is I/N with 1 <= I <= N, not '4/3'");
    does("fuzz start plan --jobs 2 --foreign corpus --dry-run", EXIT_PASS, "-s 1 -F 'corpus' ");
    assert_null(strstr(output, "-s 2 -F"));
    does("fuzz start plan --foreign a'b", EXIT_MISTAKE, "--foreign a'b has a quote in it");
}

static void a_dry_run_starts_nothing(void **state) {
    (void)state;
    does("fuzz start plan --dry-run --jobs 1", EXIT_PASS, "afl-fuzz -M main");
    assert_int_equal(access("asked", F_OK), -1);
    assert_int_equal(access("build/fuzz", F_OK), -1);
    does("fuzz status plan", EXIT_INCONCLUSIVE, "no instance has told anything there");
}

static void a_rate_is_told_once_there_is_one(void **state) {
    (void)state;
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz status plan", EXIT_PASS, "5552 executions");
    assert_null(strstr(output, "a second"));
    does("fuzz status plan --json -", EXIT_PASS, "\"per_second\":null");
}

static void what_decides_beside_the_input_is_a_warning(void **state) {
    (void)state;
    setenv("STABILITY", "99.87%", 1);
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz status plan", EXIT_PASS, "WARNING: stability is 99.87 %");
    does("fuzz status plan --json told", EXIT_PASS, "");
    assert_non_null(strstr(read_file("told"), "\"stability_percent\":99.87"));
}

/* AFL++ moves what it saved aside when it resumes: it stays found. */
static void what_was_saved_stays_found(void **state) {
    (void)state;
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz status plan", EXIT_PASS, "0 crashes  0 hangs");
    make_folder(CAMPAIGN "/afl/main/crashes.2026-01-09");
    write_file(CAMPAIGN "/afl/main/crashes.2026-01-09/id:000000,sig:06", "x");
    write_file(CAMPAIGN "/afl/main/crashes/id:000000,sig:06", "y");
    write_file(CAMPAIGN "/afl/main/crashes/README.txt", "for people");
    does("fuzz status plan", EXIT_FAIL, "2 crashes  0 hangs");
    assert_non_null(strstr(output, "read plan FILE, from "));
    assert_non_null(strstr(output, CAMPAIGN "/afl/main/crashes.2026-01-09"));
    does("fuzz status plan --json -", EXIT_FAIL, "\"crashes\":2,\"hangs\":0");
}

static void a_fuzzer_that_ends_at_once_is_told_with_its_last_words(void **state) {
    (void)state;
    setenv("FAKE", "dies", 1);
    does("fuzz start plan --jobs 2", EXIT_ENVIRONMENT,
         "main ended as it started: [-] PROGRAM ABORT : No handshake\n"
         "  all it said: " CAMPAIGN "/main.log");
    does("fuzz stop plan", EXIT_INCONCLUSIVE, "nothing runs");
    unsetenv("FAKE");
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main"); /* nothing of it is in the way */
}

static void a_fuzzer_that_died_before_it_told_anything_is_told(void **state) {
    (void)state;
    setenv("FAKE", "quiet", 1);
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz status plan", EXIT_INCONCLUSIVE, "main     starts    nothing told yet; its log is");
    does("fuzz stop plan", EXIT_PASS, "1 fuzzer");
    write_file(CAMPAIGN "/main.pid", "999999999\n");
    does("fuzz status plan", EXIT_ENVIRONMENT,
         "main     died      before it told anything: Attempting dry run with 'one'...");
}

static void nothing_that_is_missing_goes_unsaid(void **state) {
    (void)state;
    does("fuzz start timeline", EXIT_ENVIRONMENT, "build/afl/timeline is not built: run make fuzz");
    does("fuzz start plan more", EXIT_MISTAKE, "start takes one target, not also more");
    does("fuzz start nothing", EXIT_MISTAKE, "no target 'nothing'; it is timeline, ");
    does("fuzz start plan --jobs 65", EXIT_MISTAKE, "--jobs is a whole number from 1 to 64");
    does("fuzz start plan --executions 0", EXIT_MISTAKE, "--executions is a whole number from 1");
    does("fuzz status plan --json no/such/folder", EXIT_ENVIRONMENT, "cannot write no/such/folder");
    setenv("PATH", "/no/such/folder", 1);
    does("fuzz start plan", EXIT_ENVIRONMENT, "afl-fuzz is not in PATH: install AFL++");
}

/* The pid that is written down is of a process that is none of ours: this test. */
static void a_stale_pid_is_noticed_and_its_process_left_alone(void **state) {
    char pid[20];
    (void)state;
    setenv("SECONDS_RUN", "60", 1);
    does("fuzz start plan --jobs 1", EXIT_PASS, "-M main");
    does("fuzz stop plan", EXIT_PASS, "1 fuzzer");
    snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    write_file(CAMPAIGN "/main.pid", pid);
    does("fuzz status plan", EXIT_PASS, "main     ended ");
    does("fuzz stop plan", EXIT_INCONCLUSIVE, "nothing runs");
    write_file(CAMPAIGN "/main.pid", pid);
    does("fuzz resume plan", EXIT_PASS, "-M main -i -");
    does("fuzz status plan", EXIT_PASS, "main     runs ");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_campaign_starts_is_told_and_ends),
        TEST(a_campaign_that_is_started_in_the_background_ends_too),
        TEST(what_runs_is_not_started_twice_and_who_runs_is_said),
        TEST(a_resumed_campaign_goes_on_with_as_many),
        TEST(each_machine_has_chance_of_its_own),
        TEST(a_dry_run_starts_nothing),
        TEST(a_rate_is_told_once_there_is_one),
        TEST(what_decides_beside_the_input_is_a_warning),
        TEST(what_was_saved_stays_found),
        TEST(a_fuzzer_that_ends_at_once_is_told_with_its_last_words),
        TEST(a_fuzzer_that_died_before_it_told_anything_is_told),
        TEST(nothing_that_is_missing_goes_unsaid),
        TEST(a_stale_pid_is_noticed_and_its_process_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
