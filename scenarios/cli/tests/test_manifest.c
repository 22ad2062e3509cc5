/* The gate's manifest: what is read, what is refused, and that a shrunken gate is told. */
#include "scenarios/cli/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REST                                                                                  \
    "runs 200\ncrash_points 30\nlives 400\nfaults_fired 5\nclosed 3\ncrash_worlds 90\nswept " \
    "9\nknown_bad 6\nbugs 0\nseeds 11..20\ncanary 2\n"
#define WHOLE "scenarios 7\n" REST

static void a_whole_manifest_is_read(void **state) {
    struct manifest manifest;
    char why[MANIFEST_WHY_SIZE] = "";
    (void)state;
    assert_true(
        manifest_parse("# what is promised\n\n  scenarios\t7  # files\r\n" REST, &manifest, why));
    assert_int_equal(manifest.scenarios, 7);
    assert_int_equal(manifest.runs, 200);
    assert_int_equal(manifest.crash_points, 30);
    assert_int_equal(manifest.lives, 400);
    assert_int_equal(manifest.faults_fired, 5);
    assert_int_equal(manifest.known_bad, 6);
    assert_int_equal(manifest.seeds, 10);
    assert_int_equal(manifest.first_seed, 11);
    assert_int_equal(manifest.last_seed, 20);
    assert_int_equal(manifest.seeds_line, 13);
}

static void what_is_wrong_is_refused_by_its_line(void **state) {
    static const struct {
        const char *text, *told;
    } manifests[] = {{"", "does not promise 'bugs'"},
                     {"# nothing", "does not promise 'bugs'"},
                     {REST, "does not promise 'scenarios'"},
                     {WHOLE "runs 1\n", "line 13: 'runs' is there twice"},
                     {"\nwishes 3\n", "line 2: 'wishes'"},
                     {"runs\n", "line 1: 'runs' must be"},
                     {"runs 0\n", "line 1: 'runs' must be"},
                     {"runs -1\n", "line 1: 'runs' must be"},
                     {"runs +1\n", "line 1: 'runs' must be"},
                     {"runs 1x\n", "line 1: 'runs' must be"},
                     {"runs 1 2\n", "line 1: 'runs' must be"},
                     {"runs 99999999999999999999\n", "line 1: 'runs' must be"},
                     {"bugs -1\n", "line 1: 'bugs' must be"},
                     {"seeds\n", "line 1: 'seeds' must be followed by A..B"},
                     {"seeds 9..1\n", "line 1: 'seeds' must be"},
                     {"seeds 1...9\n", "line 1: 'seeds' must be"},
                     {"seeds 1..9 10\n", "line 1: 'seeds' must be"},
                     {"seeds 1..1000001\n", "at most 1000000 of them"}};
    (void)state;
    for (size_t i = 0; i < sizeof manifests / sizeof manifests[0]; i++) {
        struct manifest manifest;
        char why[MANIFEST_WHY_SIZE] = "";
        assert_false(manifest_parse(manifests[i].text, &manifest, why));
        if (strstr(why, manifests[i].told) == NULL)
            fail_msg("'%s' does not tell '%s'", why, manifests[i].told);
    }
}

static void a_line_without_end_is_refused(void **state) {
    struct manifest manifest;
    char why[MANIFEST_WHY_SIZE] = "", text[1000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(manifest_parse(text, &manifest, why));
    assert_non_null(strstr(why, "line 1: longer than"));
}

static void a_manifest_that_is_not_there_is_an_error(void **state) {
    struct manifest manifest;
    char why[MANIFEST_WHY_SIZE] = "";
    (void)state;
    assert_false(manifest_read("/nonexistent/gate.manifest", &manifest, why));
    assert_non_null(strstr(why, "No such file"));
}

/* What manifest_kept says; the caller frees it. */
static char *told_about(const struct manifest *counted, bool *kept) {
    struct manifest promised;
    char why[MANIFEST_WHY_SIZE] = "";
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_true(manifest_parse(WHOLE, &promised, why));
    *kept = manifest_kept(&promised, counted, "gate.manifest", out);
    fclose(out);
    return text;
}

static void a_kept_promise_says_nothing(void **state) {
    struct manifest counted = {.scenarios = 7,
                               .runs = 200,
                               .crash_points = 30,
                               .lives = 400,
                               .faults_fired = 5,
                               .closed = 3,
                               .crash_worlds = 90,
                               .swept = 9,
                               .seeds = 10,
                               .canary = 2,
                               .known_bad = 6};
    bool kept = false;
    char *told = told_about(&counted, &kept);
    (void)state;
    assert_true(kept);
    assert_string_equal(told, "");
    free(told);
}

static void every_count_below_its_promise_is_told(void **state) {
    struct manifest counted = {.scenarios = 7,
                               .runs = 199,
                               .crash_points = 30,
                               .lives = 399,
                               .faults_fired = 5,
                               .closed = 3,
                               .crash_worlds = 90,
                               .swept = 9,
                               .seeds = 10,
                               .canary = 2,
                               .known_bad = 6};
    bool kept = true;
    char *told = told_about(&counted, &kept);
    (void)state;
    assert_false(kept);
    assert_non_null(strstr(told, "runs: 199 is less than the 200 that gate.manifest promises"));
    assert_non_null(strstr(told, "lives: 399 is less than the 400"));
    assert_null(strstr(told, "crash_points"));
    free(told);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_manifest_is_read),
        cmocka_unit_test(what_is_wrong_is_refused_by_its_line),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(a_manifest_that_is_not_there_is_an_error),
        cmocka_unit_test(a_kept_promise_says_nothing),
        cmocka_unit_test(every_count_below_its_promise_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
