/* The matrix of oracles and planted bugs: what is counted, and what gets into a cell. */
#include "reports/matrix.h"
#include "reports/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct report_planted bugs[] = {
    {.name = "forgets",
     .fault = "It \"forgets\" | all.",
     .file = "a.scn",
     .line = 3,
     .profile = "alpaca",
     .crash = "kill",
     .door = "direct",
     .caught = true,
     .why = "",
     .first = "I1",
     .needed = 2,
     .of = 9,
     .plan = "1/idle@1=kill",
     .strikes = 1,
     .replay = "crashgate replay",
     .judged = 1u << 1 | 1u << 2 | 1u << 3,
     .broken = 1u << 1 | 1u << 3,
     .check = "finally",
     .met = "",
     .swept = "I3",
     .seed = 397},
    {.name = "sleeps",
     .fault = "It sleeps.",
     .file = "b.scn",
     .line = 7,
     .profile = "label",
     .crash = "",
     .door = "wire",
     .caught = true,
     .why = "",
     .first = "I3",
     .explored = true,
     .needed = 19,
     .of = 19,
     .plan = "none",
     .replay = "",
     .judged = 1u << 1 | 1u << 3,
     .broken = 1u << 3,
     .check = "",
     .met = "sweep seed 60451",
     .swept = ""},
};
static const struct report_matrix matrix = {.bugs = bugs,
                                            .count = sizeof bugs / sizeof bugs[0],
                                            .oracles = 3,
                                            .has_sweep = true,
                                            .first_seed = 1,
                                            .last_seed = 2000};

static char *written_of(bool (*write)(FILE *, const struct report_matrix *),
                        const struct report_matrix *of) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_true(write(out, of));
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *written(bool (*write)(FILE *, const struct report_matrix *)) {
    return written_of(write, &matrix);
}

static void each_bug_has_a_row_of_marks(void **state) {
    char *text = written(report_matrix_markdown);
    (void)state;
    assert_non_null(strstr(text, "2 of 2 planted bugs caught"));
    assert_non_null(strstr(text, "| forgets | **1** |  | x | finally | I3 by 397 |\n"));
    assert_non_null(strstr(text, "| sleeps |  | - | **1** |  | |\n"));
    free(text);
}

static void what_each_oracle_sees_is_counted(void **state) {
    char *text = written(report_matrix_markdown);
    (void)state;
    assert_non_null(strstr(text, "| *sees* | 1 | 0 | 2 | | |\n"));
    assert_non_null(strstr(text, "| *first* | 1 | 0 | 1 | | |\n"));
    assert_non_null(strstr(text, "| *alone* | 0 | 0 | 1 | | |\n"));
    free(text);
}

static void a_cell_holds_no_bar_of_its_own(void **state) {
    char *text = written(report_matrix_markdown);
    (void)state;
    assert_non_null(
        strstr(text, "| It \"forgets\" \\| all. | I1 | run 2 of 9 | 1/idle@1=kill | a.scn:3 |"));
    assert_non_null(strstr(text, "| I3 | life 19 | none | b.scn:7 | label | sweep seed 60451 |"));
    free(text);
}

static void programs_read_a_line_for_each(void **state) {
    char *text = written(report_matrix_json);
    (void)state;
    assert_non_null(strstr(text, "\"fault\":\"It \\\"forgets\\\" | all.\""));
    assert_non_null(strstr(text, "\"unit\":\"lives\",\"needed\":19,\"of\":19"));
    assert_non_null(strstr(text, "\"judged\":[\"I1\",\"I2\",\"I3\"],\"broken\":[\"I1\",\"I3\"]"));
    assert_non_null(
        strstr(text, "{\"type\":\"oracle\",\"name\":\"I3\",\"sees\":2,\"first\":1,\"alone\":1}\n"));
    free(text);
}

static void each_bug_was_found_in_one_way(void **state) {
    struct report_planted bug = bugs[0];
    (void)state;
    assert_int_equal(report_way_of(&bug), REPORT_WAY_TRIED);
    bug.strikes = 0;
    assert_int_equal(report_way_of(&bug), REPORT_WAY_TOLD);
    bug.strikes = 2;
    assert_int_equal(report_way_of(&bug), REPORT_WAY_TRIED_MORE);
    bug.explored = true;
    assert_int_equal(report_way_of(&bug), REPORT_WAY_EXPLORED_MORE);
    bug.strikes = 1;
    assert_int_equal(report_way_of(&bug), REPORT_WAY_EXPLORED);
}

static void the_ways_are_counted_and_what_the_core_had_is_named(void **state) {
    char *text = written(report_matrix_markdown);
    (void)state;
    assert_non_null(strstr(text, "seeds 1 to 2000"));
    assert_non_null(strstr(text, "it finds 1 of 2."));
    assert_non_null(strstr(text, "| one crash or fault, tried everywhere in it | 1 | 1 | 0 |\n"));
    assert_non_null(strstr(text, "| explored, and one crash or fault is enough | 1 | 0 | 1 |\n"));
    assert_non_null(strstr(text, "| *in all* | 2 | 1 | 1 |\n"));
    assert_non_null(strstr(text, ": sleeps (sweep seed 60451).\n"));
    free(text);
    text = written(report_matrix_json);
    assert_non_null(strstr(text, "\"strikes\":1,"));
    assert_non_null(strstr(text, "\"met\":\"\",\"swept\":\"I3\",\"seed\":397}\n"));
    assert_non_null(strstr(text, "\"met\":\"sweep seed 60451\",\"swept\":\"\"}\n"));
    assert_non_null(strstr(text, "{\"type\":\"way\",\"name\":\"tried\",\"bugs\":1,\"swept\":1}\n"));
    assert_non_null(strstr(text, "{\"type\":\"sweep\",\"first\":1,\"last\":2000,\"sees\":1}\n"));
    free(text);
}

static void without_a_sweep_nothing_is_said_of_one(void **state) {
    struct report_matrix unswept = matrix;
    char *text = NULL;
    (void)state;
    unswept.has_sweep = false;
    text = written_of(report_matrix_markdown, &unswept);
    assert_non_null(strstr(text, "| forgets | **1** |  | x | finally |\n"));
    assert_non_null(strstr(text, "| *in all* | 2 |\n"));
    assert_null(strstr(text, "397"));
    assert_null(strstr(text, "The sweep"));
    free(text);
    text = written_of(report_matrix_json, &unswept);
    assert_null(strstr(text, "swept"));
    assert_null(strstr(text, "\"sweep\""));
    free(text);
}

static void a_full_device_is_told(void **state) {
    FILE *out = fopen("/dev/full", "w");
    (void)state;
    assert_non_null(out);
    assert_false(report_matrix_markdown(out, &matrix));
    (void)fclose(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bug_has_a_row_of_marks),
        cmocka_unit_test(what_each_oracle_sees_is_counted),
        cmocka_unit_test(a_cell_holds_no_bar_of_its_own),
        cmocka_unit_test(programs_read_a_line_for_each),
        cmocka_unit_test(each_bug_was_found_in_one_way),
        cmocka_unit_test(the_ways_are_counted_and_what_the_core_had_is_named),
        cmocka_unit_test(without_a_sweep_nothing_is_said_of_one),
        cmocka_unit_test(a_full_device_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
