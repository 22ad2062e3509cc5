/* The texts of typical mistakes: what a person sees is part of the language. */
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything told about a text, in one form. */
static char *told(const char *text, size_t length, enum diag_format format) {
    struct scenario_file file;
    struct diags diags = {0};
    char *out = NULL;
    size_t size;
    FILE *memory = open_memstream(&out, &size);
    if (scenario_parse("f.scn", text, length, &file, &diags))
        scenario_free(&file);
    diags_write(&diags, format, memory);
    fclose(memory);
    diags_free(&diags);
    return out;
}

static void assert_told(const char *text, const char *expected) {
    char *out = told(text, strlen(text), DIAG_SHORT);
    assert_string_equal(out, expected);
    free(out);
}

#define BEGIN "crashgate 1\nscenario \"t\"\n"
#define D1    "decision D1 = \"A\"\n"
#define SIG   "10:00:00 signal D1 buy 1 AAPL limit 2\n"
#define GOOD  BEGIN "crashes kill\n" D1 SIG /* five lines */

static void a_slip_of_the_pen_is_guessed(void **state) {
    (void)state;
    assert_told(GOOD "crahs\n",
                "f.scn:6:1: error: no such statement: 'crahs' (did you mean 'crash'?) [E003]\n");
    assert_told(
        GOOD "10:00:05 resart\n",
        "f.scn:6:10: error: no such statement: 'resart' (did you mean 'restart'?) [E003]\n");
    assert_told(GOOD "+1s signl D1 buy 1 AAPL\n",
                "f.scn:6:5: error: no such statement: 'signl' (did you mean 'signal'?) [E003]\n");
    assert_told(BEGIN D1 "10:00:00 signal D1 buy 1 AAPL limt 2\n",
                "f.scn:4:31: error: expected 'limit', 'market', 'tif', 'until' or the end of the "
                "line, not 'limt' (did you mean 'limit'?) [E004]\n");
    assert_told(BEGIN "profile alpacca\n" D1 SIG,
                "f.scn:3:9: error: no such profile: 'alpacca' (did you mean 'alpaca'?) [E020]\n");
    assert_told(GOOD "expect discrepancy MISSING_IN_OSM AAPL\n",
                "f.scn:6:20: error: no such type of discrepancy: 'MISSING_IN_OSM' (did you mean "
                "'MISSING_IN_OMS'?) [E034]\n");
    assert_told(BEGIN "profle alpaca\n" D1 SIG,
                "f.scn:3:1: error: no such header or statement: 'profle' (did you mean 'profile'?) "
                "[E003]\n");
    assert_told(GOOD "expect order D1 is fild\n",
                "f.scn:6:20: error: no such order state: 'fild' (did you mean 'filled'?) [E034]\n");
    assert_told(GOOD "expect position APPL = 1\n",
                "f.scn:6:17: error: nothing in this scenario trades APPL (did you mean 'AAPL'?) "
                "[E033]\n");
}

static void the_long_form_shows_line_caret_and_guess(void **state) {
    (void)state;
    const char *text = "crashgate 1\n"
                       "scenario \"t\"\n"
                       "  crashes kill\n"
                       "  decision D1 = \"A\"\n"
                       "  14:30:06  signal D1 buy 1 AAPL\n"
                       "  14:30:06  crahs\n"
                       "  14:30:05  restart\n"
                       "\t\xc3\xa9";
    char *out = told(text, strlen(text), DIAG_LONG);
    assert_string_equal(
        out, "f.scn:6:13: error: no such statement: 'crahs'\n"
             "    6 |   14:30:06  crahs\n"
             "      |             ^~~~~ did you mean 'crash'?\n"
             "f.scn:7:3: error: time goes backwards: 14:30:05 is before 14:30:06 on line 6\n"
             "    7 |   14:30:05  restart\n"
             "      |   ^~~~~~~~ the next day is written 2026-01-02 14:30:05\n"
             "f.scn:8:2: error: no such statement: '\xc3\xa9'\n"
             "    8 | \t\xc3\xa9\n"
             "      | \t^~\n");
    free(out);
}

static void times_are_checked(void **state) {
    (void)state;
    assert_told(BEGIN D1 "23:59:00 signal D1 buy 1 AAPL\n00:01:00 cancel D1\n",
                "f.scn:5:1: error: time goes backwards: 00:01:00 is before 23:59:00 on line 4 (the "
                "next day is written 2026-01-02 00:01:00) [E012]\n");
    assert_told(BEGIN D1 "10:00 signal D1 buy 1 AAPL\n",
                "f.scn:4:1: error: no such time: '10:00' (write HH:MM:SS, or YYYY-MM-DD HH:MM:SS, "
                "or +5s) [E006]\n");
    assert_told(BEGIN D1 "+5s signal D1 buy 1 AAPL\n",
                "f.scn:4:1: error: '+' counts from the line above, but none has a time [E013]\n");
    assert_told(BEGIN "pace 5\n" D1 SIG, "f.scn:3:6: error: no such duration: '5' (a number and a "
                                         "unit: 5s, 200ms, 2m, 1h) [E007]\n");
    assert_told(BEGIN "signal\n", "f.scn:3:7: error: the line ends too early: expected a decision "
                                  "[E004]\n");
    assert_told(BEGIN "date 2026-02-30\n" D1 SIG,
                "f.scn:3:6: error: no such date: '2026-02-30'; write YYYY-MM-DD [E006]\n");
    assert_told(BEGIN D1 "signal D1 buy 1 AAPL\n",
                "f.scn:4:1: error: 'signal' happens at a moment, and no line above it has a time "
                "[E013]\n");
    assert_told(GOOD "10:00:01 always orders D1 = 1\n",
                "f.scn:6:1: error: 'always' holds for the whole run and has no time [E014]\n");
    assert_told(GOOD "after recrd D1: cancel D1\n",
                "f.scn:6:7: error: no such point: 'recrd' (did you mean 'record'?) [E006]\n");
}

static void decisions_are_told_apart(void **state) {
    (void)state;
    assert_told(GOOD "cancel D2\n",
                "f.scn:6:8: error: no such decision: 'D2' (introduce it with: decision D2 = "
                "\"...\") [E015]\n");
    assert_told(GOOD "10:00:01 signal D1 buy 2 AAPL limit 2\n",
                "f.scn:6:17: error: D1 is signalled with another payload than on line 5 [E017]\n");
    assert_told(BEGIN D1 "decision D2 = \"B\"\n" SIG "signal D2 buy 1 AAPL limit 2\n",
                "f.scn:6:8: error: D1 and D2 want the same symbol, side, quantity and price (make "
                "one differ, so that their orders can be told apart) [E018]\n");
    assert_told(BEGIN D1 "decision D2 = \"B\"\n" SIG,
                "f.scn:4:10: error: D2 is never signalled [E019]\n");
    assert_told(BEGIN D1 "decision D1 = \"B\"\n" SIG,
                "f.scn:4:10: error: decision 'D1' is taken by line 3 [E016]\n");
    assert_told(BEGIN "decision D1 = \"a b\"\n" SIG,
                "f.scn:3:15: error: a decision id is 1 to 128 printable ASCII characters without "
                "spaces [E040]\nf.scn:4:17: error: no such decision: 'D1' (introduce it with: "
                "decision D1 = \"...\") [E015]\n");
}

static void numbers_are_exact(void **state) {
    (void)state;
    assert_told(BEGIN D1 "10:00:00 signal D1 buy 0.0000000001 AAPL\n",
                "f.scn:4:24: error: quantity 0.0000000001 has more than nine decimals [E008]\n");
    assert_told(BEGIN D1 "10:00:00 signal D1 buy -5 AAPL\n",
                "f.scn:4:24: error: quantity -5 must be positive [E008]\n");
    assert_told(BEGIN D1 "10:00:00 signal D1 buy 1 AAPL limit 0\n",
                "f.scn:4:37: error: price 0 must be positive [E008]\n");
    assert_told(BEGIN D1 "10:00:00 signal D1 buy 99999999999 AAPL\n",
                "f.scn:4:24: error: quantity 99999999999 is too large [E008]\n");
}

static void crashes_and_quantifiers_keep_their_rules(void **state) {
    (void)state;
    assert_told(
        BEGIN D1 SIG "crash\n",
        "f.scn:5:1: error: what kind of crash? (write 'crash kill' or 'crash power', or the "
        "header: crashes kill, power) [E023]\n");
    assert_told(GOOD "10:00:01 restart\n",
                "f.scn:6:10: error: a restart without a crash above it (an OMS that stopped itself "
                "is buried with 'crash kill' or 'crash power') [E024]\n");
    assert_told(
        GOOD "crash anywhere\nexpect orders D1 = 1\noms sends D1\n",
        "f.scn:7:1: error: 'expect' cannot be true in every run of a scenario with "
        "'anywhere' (such a scenario holds only stimuli, always, finally and reach) [E025]\n"
        "f.scn:8:1: error: 'oms' cannot be true in every run of a scenario with 'anywhere' "
        "(such a scenario holds only stimuli, always, finally and reach) [E025]\n");
    assert_told(GOOD "reach orders D1 = 1\n",
                "f.scn:6:1: error: 'reach' looks at all runs of an 'anywhere', and this scenario "
                "has none [E026]\n");
    assert_told(GOOD "crash anywhere\n+1s restart\ncrash anywhere\n",
                "f.scn:8:7: error: a second 'anywhere': this version of the language has one for a "
                "scenario [E027]\n");
    assert_told(GOOD "crash again anywhere\nclock jumps back 1h\n",
                "f.scn:7:1: error: 'crash again anywhere' cannot be explored with a clock that "
                "jumps [E042]\n");
    assert_told(GOOD "expect second refused\n",
                "f.scn:6:8: error: no 'start second' above that could be refused [E038]\n");
    assert_told(GOOD "crash twice\n",
                "f.scn:6:12: error: the line ends too early: expected 'anywhere' [E004]\n");
    assert_told(GOOD "crash anywhere\nreach crash twice anywhere\n",
                "f.scn:7:13: error: 'reach crash' names a point or a site that some run crashed at "
                "[E041]\n");
}

static void disks_are_rows_of_their_table(void **state) {
    (void)state;
    assert_told("crashgate 1\nscenario \"S\"\ndisk ext5\ndecision D1 = \"X\"\n"
                "10:00:00 signal D1 buy 1 AAPL limit 1\n",
                "f.scn:3:6: error: no such disk: 'ext5' (did you mean 'ext4'?) [E034]\n");
    assert_told("crashgate 1\nscenario \"S\"\ndisk ext4\ndisk xfs\ndecision D1 = \"X\"\n"
                "10:00:00 signal D1 buy 1 AAPL limit 1\n",
                "f.scn:4:1: error: 'disk' is written twice, first on line 3 [E010]\n");
}

static void crashes_are_explored_where_overwriting_is_safe(void **state) {
    (void)state;
    assert_told(
        "crashgate 1\nscenario \"S\"\ndisk no-psow-512\ncrashes kill\n"
        "decision D1 = \"X\"\n10:00:00 signal D1 buy 1 AAPL limit 1\ncrash again anywhere\n",
        "f.scn:7:13: error: 'crash again anywhere' cannot be explored on disk no-psow-512 "
        "[E044]\n");
    assert_told("crashgate 1\nscenario \"S\"\ndisk no-psow-512\ncrashes kill\n"
                "decision D1 = \"X\"\n10:00:00 signal D1 buy 1 AAPL limit 1\ncrash anywhere\n",
                "");
}

static void faults_are_rows_of_the_catalogue(void **state) {
    (void)state;
    assert_told(GOOD "fault broker.submt lost\n",
                "f.scn:6:7: error: no such site: 'broker.submt' (did you mean 'broker.submit'?) "
                "[E028]\n");
    assert_told(GOOD "fault broker.submit lost-repli\n",
                "f.scn:6:21: error: no such fault at broker.submit: 'lost-repli' (did you mean "
                "'lost-reply'?) [E029]\n");
    assert_told(GOOD "fault broker.submit late\n",
                "f.scn:6:21: error: late needs by (write late(by=5s)) [E030]\n");
    assert_told(GOOD "fault broker.submit error(status=700)\n",
                "f.scn:6:34: error: status=700 is outside 400 to 599 [E030]\n");
    assert_told(GOOD "fault broker.submit lost(by=1s)\n",
                "f.scn:6:26: error: lost has no argument 'by' [E030]\n");
    assert_told(BEGIN "option door = direct\n" D1 SIG "fault wire.reply(submit) close\n",
                "f.scn:6:26: error: close needs bytes on a wire, but the header says option door = "
                "direct [E031]\n");
}

static void options_and_headers_are_closed_lists(void **state) {
    (void)state;
    assert_told(BEGIN "option dor = wire\n" D1 SIG,
                "f.scn:3:8: error: no such option: 'dor' (did you mean 'door'?) [E021]\n");
    assert_told(BEGIN "option door = wired\n" D1 SIG,
                "f.scn:3:15: error: door is one of any|wire|direct, not 'wired' (did you mean "
                "'wire'?) [E022]\n");
    assert_told(BEGIN "option page-size = 100\n" D1 SIG,
                "f.scn:3:20: error: 100 is outside 512 to 65536 [E008]\n");
    assert_told(GOOD "pace 1s\n",
                "f.scn:6:1: error: 'pace' is a header: it comes before the lines [E010]\n");
    assert_told(BEGIN "pace 1s\npace 2s\n" D1 SIG,
                "f.scn:4:1: error: 'pace' is written twice, first on line 3 [E010]\n");
}

static void files_are_refused_as_a_whole(void **state) {
    (void)state;
    assert_told("", "f.scn: error: an empty file; it begins with 'crashgate 1' [E001]\n");
    assert_told("crashgate 1\n", "f.scn: error: the file has no scenario [E036]\n");
    assert_told("crashgate 2\nscenario \"t\"\n" D1 SIG,
                "f.scn:1:1: error: this program knows language version 1: write 'crashgate 1' "
                "[E001]\n");
    assert_told("scenario \"t\"\n" D1 SIG,
                "f.scn:1:1: error: a file begins with the line 'crashgate 1' [E001]\n");
    assert_told("crashgate 1\n10:00:00 crash\n",
                "f.scn:2:1: error: this line belongs to no scenario; begin one with: scenario "
                "\"title\" [E009]\n");
    assert_told(GOOD "broker rejects D1 \"open\n",
                "f.scn:6:19: error: the text in quotes does not end on its line [E005]\n");
    char nul[] = GOOD "cancel\0D1\n";
    char *out = told(nul, sizeof nul - 1, DIAG_SHORT);
    assert_string_equal(out, "f.scn:6:7: error: byte 0x00 is no text (UTF-8 without control "
                             "characters) [E002]\n");
    free(out);
    assert_told(GOOD "# \xff\n", "f.scn:6:3: error: byte 0xff is no text (UTF-8 without control "
                                 "characters) [E002]\n");
}

static void the_last_line_counts_the_mistakes(void **state) {
    (void)state;
    struct scenario_file file;
    struct diags diags = {0};
    char *out = NULL;
    size_t size;
    const char *text = GOOD "crahs\n10:00:05 resart\n";
    FILE *memory = open_memstream(&out, &size);
    assert_false(scenario_parse("partial.scn", text, strlen(text), &file, &diags));
    diags_summary(&diags, "partial.scn", memory);
    fclose(memory);
    assert_string_equal(out, "partial.scn: 2 mistakes, nothing was run\n");
    free(out);
    diags_free(&diags);
}

static void a_long_line_and_a_flood_of_mistakes_have_ceilings(void **state) {
    (void)state;
    enum { FLOOD = 500, LINE = 2000 };
    char *text = calloc(1, FLOOD * 8 + LINE + 200), *out = NULL;
    struct scenario_file file;
    struct diags diags = {0};
    assert_non_null(text);
    strcpy(text, GOOD);
    memset(text + strlen(text), 'x', LINE);
    strcat(text, "\n");
    for (int i = 0; i < FLOOD; i++)
        strcat(text, "crahs\n");
    assert_false(scenario_parse("f.scn", text, strlen(text), &file, &diags));
    assert_int_equal(diags.n, DIAGS_MAX);
    assert_int_equal(diags.n + diags.dropped, FLOOD + 1);
    assert_string_equal(diags.v[0].text, "a line of 2000 bytes; at most 1000");
    diags_free(&diags);
    free(out);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_pen_is_guessed),
        cmocka_unit_test(the_long_form_shows_line_caret_and_guess),
        cmocka_unit_test(times_are_checked),
        cmocka_unit_test(decisions_are_told_apart),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(crashes_and_quantifiers_keep_their_rules),
        cmocka_unit_test(disks_are_rows_of_their_table),
        cmocka_unit_test(crashes_are_explored_where_overwriting_is_safe),
        cmocka_unit_test(faults_are_rows_of_the_catalogue),
        cmocka_unit_test(options_and_headers_are_closed_lists),
        cmocka_unit_test(files_are_refused_as_a_whole),
        cmocka_unit_test(the_last_line_counts_the_mistakes),
        cmocka_unit_test(a_long_line_and_a_flood_of_mistakes_have_ceilings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
