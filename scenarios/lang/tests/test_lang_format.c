/* The canonical form: what becomes of untidy files, and that tidy ones stay as they are. */
#include "scenarios/lang/format.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *formatted(const char *name, const char *text, size_t length) {
    struct diags diags = {0};
    size_t formatted_length = 0;
    char *out = scenario_format(name, text, length, &formatted_length, &diags);
    if (out == NULL) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("the text has mistakes");
    }
    assert_int_equal(strlen(out), formatted_length);
    diags_free(&diags);
    return out;
}

static void assert_formats(const char *text, const char *expected) {
    char *once = formatted("t.scn", text, strlen(text));
    assert_string_equal(once, expected);
    char *twice = formatted("t.scn", once, strlen(once));
    assert_string_equal(twice, once);
    free(once);
    free(twice);
}

static void an_untidy_file_is_put_in_order_and_keeps_its_comments(void **state) {
    (void)state;
    assert_formats("\n\n#  who\ncrashgate 1 # one\r\nscenario \"A\"\n\n"
                   "      profile label ,alpaca\n tags a,b\n# why\ndecision D1=\"X\"   # the id\n"
                   "10:00:00 signal D1 buy 1.50 AAPL limit 2\n\n\n"
                   "cancel D1  # too late?\n   # between\n"
                   "crash kill at broker.submit @ 1\n"
                   "crash kill at broker.submit @ 2\n"
                   "always orders D1<=1\n"
                   "# next\nscenario \"B\"\n10:00:00 crash kill\n# the end\n\n",
                   "#  who\n"
                   "crashgate 1  # one\n"
                   "\n"
                   "scenario \"A\"\n"
                   "  profile   label, alpaca\n"
                   "  tags      a, b\n"
                   "  # why\n"
                   "  decision  D1 = \"X\"  # the id\n"
                   "\n"
                   "  10:00:00  signal D1 buy 1.5 AAPL limit 2.00\n"
                   "\n"
                   "            cancel D1  # too late?\n"
                   "  # between\n"
                   "            crash kill at broker.submit\n"
                   "            crash kill at broker.submit@2\n"
                   "\n"
                   "  always    orders D1 <= 1\n"
                   "\n"
                   "# next\n"
                   "scenario \"B\"\n"
                   "\n"
                   "  10:00:00  crash kill\n"
                   "# the end\n");
}

static void times_have_a_column_that_fits_the_longest(void **state) {
    (void)state;
    assert_formats("crashgate 1\nscenario \"A\"\ndecision D1 = \"X\"\n"
                   "broker fills all after 5s\n10:00:00 signal D1 buy 1 AAPL\n"
                   "+1s cancel D1\ncrash kill\nbefore record D1: operator trips kill-switch\n"
                   "2026-01-02 09:00:00 restart\nfinally position AAPL=0\n",
                   "crashgate 1\n"
                   "\n"
                   "scenario \"A\"\n"
                   "  decision  D1 = \"X\"\n"
                   "\n"
                   "  broker fills all after 5s\n"
                   "  10:00:00             signal D1 buy 1 AAPL\n"
                   "  +1s                  cancel D1\n"
                   "                       crash kill\n"
                   "  before record D1:    operator trips kill-switch\n"
                   "  2026-01-02 09:00:00  restart\n"
                   "\n"
                   "  finally   position AAPL = 0\n");
}

static void a_comment_behind_a_statement_stays_in_its_column(void **state) {
    (void)state;
    assert_formats("crashgate 1\n\nscenario \"A\"\n\n"
                   "  10:00:00  crash kill                  # here\n"
                   "  10:00:01    restart # there\n",
                   "crashgate 1\n\nscenario \"A\"\n\n"
                   "  10:00:00  crash kill                  # here\n"
                   "  10:00:01  restart   # there\n");
}

static void every_header_and_option_is_kept(void **state) {
    (void)state;
    assert_formats("crashgate 1\n\nscenario \"A # \\\"b\\\"\"\n"
                   "option   page-size=512\noption door=direct\nseed 7\norigin \"x\"\npace 1000ms\n"
                   "date 2026-01-09\ncrashes power,kill\ngiven kill-switch on\n"
                   "given broker cash 10\ngiven oms position AAPL 5 @ 1\ndecision D1 = \"X\"\n"
                   "10:00:00 signal D1 buy 1 AAPL market tif gtc until 11:00:00\n",
                   "crashgate 1\n"
                   "\n"
                   "scenario \"A # \\\"b\\\"\"\n"
                   "  option    page-size = 512\n"
                   "  option    door = direct\n"
                   "  seed      7\n"
                   "  origin    \"x\"\n"
                   "  pace      1s\n"
                   "  date      2026-01-09\n"
                   "  crashes   power, kill\n"
                   "  given     kill-switch on\n"
                   "  given     broker cash 10.00\n"
                   "  given     oms position AAPL 5 @ 1.00\n"
                   "  decision  D1 = \"X\"\n"
                   "\n"
                   "  10:00:00  signal D1 buy 1 AAPL market tif gtc until 11:00:00\n");
}

static char *read_all(const char *path, size_t *length) {
    static char text[1 << 16];
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    *length = fread(text, 1, sizeof text - 1, in);
    text[*length] = '\0';
    assert_int_equal(fclose(in), 0);
    return text;
}

static void every_scenario_of_the_tree_is_in_canonical_form(void **state) {
    (void)state;
    glob_t files;
    assert_int_equal(glob("scenarios/*/*.scn", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 25);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t length = 0;
        char *text = read_all(files.gl_pathv[i], &length);
        char *out = formatted(files.gl_pathv[i], text, length);
        if (strcmp(out, text) != 0)
            fail_msg("%s: run 'crashgate fmt' on it", files.gl_pathv[i]);
        free(out);
    }
    globfree(&files);
}

/* Whatever blanks and blank lines somebody put in: the same statements and comments come out. */
static void untidied_scenarios_of_the_tree_come_back_to_their_form(void **state) {
    (void)state;
    glob_t files;
    assert_int_equal(glob("scenarios/*/*.scn", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t length = 0, used = 0;
        char *text = read_all(files.gl_pathv[i], &length), *out = NULL;
        char *untidy = malloc(3 * length + 1);
        bool begins = true;
        assert_non_null(untidy);
        for (size_t k = 0; k < length; k++) {
            if (begins && text[k] == ' ')
                continue; /* no indentation */
            if (begins && text[k] == '\n')
                untidy[used++] = '\n'; /* two blank lines */
            begins = text[k] == '\n';
            untidy[used++] = text[k];
            if (begins)
                memcpy(untidy + used++ - 1, "\r\n", 2);
        }
        untidy[used] = '\0';
        out = formatted(files.gl_pathv[i], untidy, used);
        if (strstr(text, "  # ") == NULL && strcmp(out, text) != 0)
            fail_msg("%s came back as\n%s", files.gl_pathv[i], out);
        char *again = formatted(files.gl_pathv[i], out, strlen(out));
        assert_string_equal(again, out);
        free(again);
        free(out);
        free(untidy);
    }
    globfree(&files);
}

static void a_text_with_mistakes_is_not_formatted(void **state) {
    (void)state;
    struct diags diags = {0};
    size_t length = 0;
    const char *text = "crashgate 1\nscenario \"A\"\n10:00:00 crahs\n";
    assert_null(scenario_format("t.scn", text, strlen(text), &length, &diags));
    assert_int_equal(diags.n, 1);
    diags_free(&diags);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untidy_file_is_put_in_order_and_keeps_its_comments),
        cmocka_unit_test(times_have_a_column_that_fits_the_longest),
        cmocka_unit_test(a_comment_behind_a_statement_stays_in_its_column),
        cmocka_unit_test(every_header_and_option_is_kept),
        cmocka_unit_test(every_scenario_of_the_tree_is_in_canonical_form),
        cmocka_unit_test(untidied_scenarios_of_the_tree_come_back_to_their_form),
        cmocka_unit_test(a_text_with_mistakes_is_not_formatted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
