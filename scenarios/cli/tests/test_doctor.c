/* crashgate doctor: it passes on the core, and notices an OMS that depends on what it must not. */
#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"
#include "sim/peek.h"
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Other processes run this one; a test program would only test again. */
#define PROGRAM "build/crashgate"
#define STORY   "scenarios/sweeps/an_order_is_filled_and_the_oms_restarted.scn"
enum { WORDS_MAX = 16, OUTPUT_SIZE = 65536 };

static char output[OUTPUT_SIZE], unsteady[PATH_MAX];

static int perform(int argc, char **argv) {
    struct options options;
    int exit_code = options_parse(argc, argv, &options);
    if (exit_code < 0)
        exit_code = command_perform(&options, PROGRAM);
    options_free(&options);
    peek_forget();
    stage_forget_images();
    return exit_code;
}

/* In a process of its own; its words are in `output`. Returns its exit code. */
static int crashgate(const char *const *words) {
    char *argv[WORDS_MAX] = {"crashgate"};
    int argc = 1, ends[2], status = 0;
    size_t length = 0;
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        exit(perform(argc, argv));
    }
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && length<sizeof output - 1; length += n> 0 ? (size_t)n : 0)
        n = read(ends[0], output + length, sizeof output - 1 - length);
    output[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void ends_with(int exit_code, const char *const *words, const char *said) {
    int got = crashgate(words);
    if (got != exit_code || strstr(output, said) == NULL)
        fail_msg("ended with %d and said:\n%s\nwanted %d and '%s'", got, output, exit_code, said);
}

static void the_core_runs_alike_again_and_again(void **state) {
    const char *const words[] = {"doctor", "--repeats", "40", STORY, NULL};
    (void)state;
    ends_with(EXIT_PASS, words,
              "2 runs, 0 of them with a crash or fault in them, 40 repeats here, 4 in 2 other "
              "processes, 0 differences; digest ");
    assert_non_null(strstr(output, "clock_gettime  interposed"));
    assert_non_null(strstr(output, "SQLite         built with"));
    assert_non_null(strstr(output, "ASLR"));
}

static void an_oms_that_looks_at_a_real_clock_is_caught_at_the_event(void **state) {
    const char *const words[] = {"doctor", "--repeats", "40", "--oms", unsteady, STORY, NULL};
    (void)state;
    setenv("UNSTEADY", "time", 1);
    ends_with(EXIT_NOT_REPEATABLE, words, "the first event that differs");
    /* What came before is told, too, and is alike. */
    assert_non_null(strstr(output, "  alike  run 1, event "));
    assert_non_null(strstr(output, "decide: \"decided with "));
    setenv("UNSTEADY", "nothing", 1);
    ends_with(EXIT_PASS, words, "0 differences");
}

static void nobody_asks_for_no_repeats(void **state) {
    const char *const words[] = {"doctor", "--repeats", "0", STORY, NULL};
    (void)state;
    ends_with(EXIT_MISTAKE, words, "--repeats is a whole number from 1 to 10000000, not '0'");
}

/* The address is the same all the time in one process. */
static void an_oms_that_tells_an_address_is_caught_by_another_process(void **state) {
    const char *const words[] = {"doctor", "--repeats", "4", "--oms", unsteady, STORY, NULL};
    (void)state;
    setenv("UNSTEADY", "address", 1);
    ends_with(EXIT_NOT_REPEATABLE, words, "another process went another way");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_core_runs_alike_again_and_again),
        cmocka_unit_test(an_oms_that_looks_at_a_real_clock_is_caught_at_the_event),
        cmocka_unit_test(an_oms_that_tells_an_address_is_caught_by_another_process),
        cmocka_unit_test(nobody_asks_for_no_repeats),
    };
    ssize_t length = readlink("/proc/self/exe", unsteady, sizeof unsteady - 40);
    if (length < 0 || access(PROGRAM, X_OK) != 0) {
        fprintf(stderr, PROGRAM " is not there: run this from the top folder, after `make`\n");
        return 1;
    }
    unsteady[length] = '\0';
    *strrchr(unsteady, '/') = '\0';
    strcat(unsteady, "/oms/unsteady.so");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
