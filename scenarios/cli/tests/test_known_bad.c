/* crashgate known-bad as people use it: the table, the matrix, and the sweep as one of its oracles. */
#include "scenarios/cli/tests/command_line.h"
#include "scenarios/lang/exits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLANTED                     \
    "Fault: checks, then records\n" \
    "Breaks: I1\n"                  \
    "Scenario: any.scn:3\n"         \
    "Profile: alpaca\n"             \
    "Crashes: kill\n"               \
    "Door: direct\n"                \
    "Found: AFL++\n"
/* Of another scenario, which another process tries. */
#define DEADLY                         \
    "Fault: takes its process along\n" \
    "Breaks: I1\n"                     \
    "Scenario: other.scn:3\n"          \
    "Profile: alpaca\n"                \
    "Crashes: kill\n"                  \
    "Door: direct\n"                   \
    "\n"                               \
    "--- a/core/send.c\n"              \
    "+++ b/core/send.c\n"

static int setup(void **state) {
    if (command_line_setup(state) != 0 || mkdir("bugs", 0777) != 0)
        return -1;
    write_file("any.scn", SCENARIO_ANYWHERE);
    write_file("bugs/seed-protocol.known", PLANTED);
    return 0;
}

static void the_sweep_is_an_oracle_of_the_matrix(void **state) {
    const char *text = NULL;
    (void)state;
    does("known-bad bugs --matrix m --seeds 1..40", EXIT_PASS, "1 of 1 planted bugs caught");
    text = read_file("m.md");
    assert_non_null(strstr(text, " lines | sweep |\n"));
    /* The seed that 'crashgate fuzz --seeds 1..40' names first. */
    assert_non_null(strstr(text, " I3 by 29 |\n"));
    assert_non_null(strstr(text, "seeds 1 to 40 "));
    assert_non_null(strstr(text, "it finds 1 of 1."));
    assert_non_null(strstr(text, ": seed-protocol (AFL++).\n"));
    text = read_file("m.json");
    assert_non_null(strstr(text, "\"strikes\":1,"));
    assert_non_null(strstr(text, "\"met\":\"AFL++\",\"swept\":\"I3\",\"seed\":29}\n"));
    assert_non_null(strstr(text, "{\"type\":\"sweep\",\"first\":1,\"last\":40,\"sees\":1}\n"));
}

static void what_the_seeds_do_not_find_is_caught_all_the_same(void **state) {
    const char *text = NULL;
    (void)state;
    does("known-bad bugs --matrix m --seeds 1..2", EXIT_PASS, "1 of 1 planted bugs caught");
    text = read_file("m.md");
    assert_non_null(strstr(text, "it finds 0 of 1."));
    assert_non_null(strstr(text, "| *in all* | 1 | 0 | 1 |\n"));
}

static void without_seeds_the_matrix_has_no_sweep(void **state) {
    (void)state;
    does("known-bad bugs --matrix m", EXIT_PASS, "1 of 1 planted bugs caught");
    assert_null(strstr(read_file("m.md"), "sweep |"));
    assert_null(strstr(read_file("m.json"), "swept"));
}

static void seeds_that_nobody_would_read_of_are_refused(void **state) {
    (void)state;
    does("known-bad bugs --seeds 1..4", EXIT_MISTAKE, "--matrix NAME, which is missing");
    does("known-bad bugs --matrix m --seeds 4..1", EXIT_MISTAKE, "not '4..1'");
    does("known-bad bugs --matrix m --seeds x", EXIT_MISTAKE, "--seeds is A..B");
}

/* Where the OMS stand that tests load: beside this program. */
static void variants_here(char line[PATH_MAX + 80], const char *command) {
    char program[PATH_MAX] = "";
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    *strrchr(program, '/') = '\0';
    snprintf(line, PATH_MAX + 80, "%s --variants %s/oms", command, program);
}

static void a_bug_whose_process_dies_is_not_caught_and_the_others_are(void **state) {
    char line[PATH_MAX + 80];
    (void)state;
    write_file("other.scn", SCENARIO_ANYWHERE);
    write_file("bugs/unsteady.patch", DEADLY);
    variants_here(line, "known-bad bugs --json all.json");
    setenv("UNSTEADY", "death", 1);
    does(line, EXIT_ENVIRONMENT, "1 of 2 planted bugs caught");
    unsetenv("UNSTEADY");
    assert_non_null(
        strstr(output, "the process that did 'bugs/unsteady.patch' ended with status 137"));
    assert_non_null(strstr(output, "the process that tried it ended"));
    assert_non_null(strstr(read_file("all.json"), "\"note\":\"the process that tried it ended\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_sweep_is_an_oracle_of_the_matrix, setup,
                                        command_line_teardown),
        cmocka_unit_test_setup_teardown(what_the_seeds_do_not_find_is_caught_all_the_same, setup,
                                        command_line_teardown),
        cmocka_unit_test_setup_teardown(without_seeds_the_matrix_has_no_sweep, setup,
                                        command_line_teardown),
        cmocka_unit_test_setup_teardown(seeds_that_nobody_would_read_of_are_refused, setup,
                                        command_line_teardown),
        cmocka_unit_test_setup_teardown(a_bug_whose_process_dies_is_not_caught_and_the_others_are,
                                        setup, command_line_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
