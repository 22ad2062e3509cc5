/* What files mean, and that every scenario of the tree survives being printed and read again. */
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND         INT64_C(1000000000)
#define DAY_9          INT64_C(1767916800000000000) /* 2026-01-09 00:00:00 UTC */
#define CLOCK(h, m, s) (DAY_9 + (((h)*INT64_C(60) + (m)) * 60 + (s)) * SECOND)

#define HEAD                                      \
    "crashgate 1\n"                               \
    "scenario \"t\"\n"                            \
    "  date 2026-01-09\n"                         \
    "  crashes kill\n"                            \
    "  decision D1 = \"A\"\n"                     \
    "  decision D2 = \"B\"\n"                     \
    "10:00:00 signal D1 buy 100 AAPL limit 1.5\n" \
    "10:00:00 signal D2 sell 7.25 BTC/USD tif gtc until 11:00:00\n"

static struct scenario_file parse(const char *text) {
    struct scenario_file file;
    struct diags diags = {0};
    if (!scenario_parse("t.scn", text, strlen(text), &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("the text has mistakes");
    }
    diags_free(&diags);
    return file;
}

static const struct scn_line *last(const struct scenario_file *file) {
    const struct scenario *s = &file->scenarios[file->count - 1];
    return &s->lines[s->line_count - 1];
}

/* Printed and read again it is the same, and so is what it is printed as. Frees it. */
static void survives_printing(const char *path, struct scenario_file *one) {
    struct scenario_file two;
    struct diags diags = {0};
    char *text = NULL, *again = NULL;
    size_t length, again_length;
    FILE *out = open_memstream(&text, &length);
    scenario_print(one, out);
    fclose(out);
    if (!scenario_parse(path, text, length, &two, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("%s: what was printed has mistakes:\n%s", path, text);
    }
    assert_int_equal(one->count, two.count);
    for (size_t i = 0; i < one->count; i++) {
        if (!scenario_equal(&one->scenarios[i], &two.scenarios[i]))
            fail_msg("%s: scenario %zu is another one after printing:\n%s", path, i, text);
    }
    out = open_memstream(&again, &again_length);
    scenario_print(&two, out);
    fclose(out);
    assert_string_equal(text, again);
    free(text);
    free(again);
    scenario_free(one);
    scenario_free(&two);
    diags_free(&diags);
}

static void read_again(const char *path) {
    struct scenario_file file;
    struct diags diags = {0};
    if (!scenario_load(path, &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("%s has mistakes", path);
    }
    diags_free(&diags);
    survives_printing(path, &file);
}

static void assert_survives_printing(const char *text) {
    struct scenario_file file = parse(text);
    survives_printing("t.scn", &file);
}

static void a_signal_carries_its_exact_payload(void **state) {
    (void)state;
    struct scenario_file file = parse(HEAD);
    const struct scenario *s = &file.scenarios[0];
    const struct oms_decision *d1 = &s->decisions[0].payload, *d2 = &s->decisions[1].payload;
    assert_int_equal(s->decision_count, 2);
    assert_string_equal(d1->id, "A");
    assert_string_equal(d1->symbol, "AAPL");
    assert_int_equal(d1->qty_nanos, 100 * SECOND);
    assert_int_equal(d1->limit_nanos, 1500000000);
    assert_int_equal(d1->type, BROKER_LIMIT);
    assert_int_equal(d2->side, BROKER_SELL);
    assert_int_equal(d2->qty_nanos, 7250000000);
    assert_int_equal(d2->type, BROKER_MARKET);
    assert_int_equal(d2->tif, BROKER_GTC);
    assert_true(d2->expires_ns == CLOCK(11, 0, 0));
    assert_true(s->start_ns == CLOCK(10, 0, 0));
    scenario_free(&file);
}

static void times_are_resolved_from_every_form(void **state) {
    (void)state;
    struct scenario_file file = parse(HEAD "+2s cancel D1\n"
                                           "cancel D2\n"
                                           "start +1h crash kill\n"
                                           "crash +5s restart\n"
                                           "restart +1500ms reconcile\n"
                                           "+500ms reconcile\n"
                                           "2026-01-10 00:00:01 reconcile\n"
                                           "00:00:02.5 reconcile\n"
                                           "after send D2: cancel D2\n");
    const struct scn_line *l = file.scenarios[0].lines;
    assert_true(l[2].when.ns == CLOCK(10, 0, 2));
    assert_true(l[3].when.ns == CLOCK(10, 0, 2));
    assert_int_equal(l[3].when.written, SCN_TIME_INHERITED);
    assert_true(l[4].when.ns == CLOCK(11, 0, 0));
    assert_int_equal(l[5].when.base, SCN_AFTER_CRASH);
    assert_int_equal(l[5].when.anchor, 4);
    assert_true(l[5].when.ns == 5 * SECOND);
    assert_int_equal(l[6].when.base, SCN_AFTER_RESTART);
    assert_int_equal(l[6].when.anchor, 5);
    assert_true(l[7].when.ns == 2 * SECOND);
    assert_int_equal(l[7].when.base, SCN_AFTER_RESTART);
    assert_true(l[8].when.ns == CLOCK(24, 0, 1));
    assert_true(l[9].when.ns == CLOCK(24, 0, 2) + SECOND / 2);
    assert_int_equal(l[10].when.base, SCN_AFTER_POINT);
    assert_int_equal(l[10].when.point.kind, SCN_POINT_SEND);
    assert_int_equal(l[10].when.point.decision, 1);
    scenario_free(&file);
}

static void the_first_life_boots_at_the_first_time_that_is_written(void **state) {
    (void)state;
    struct scenario_file file = parse("crashgate 1\nscenario \"t\"\n date 2026-01-09\n"
                                      "broker fills all after 1s\ncrash kill before boot\n"
                                      "09:30:00 reconcile\n10:00:00 reconcile\n");
    assert_true(file.scenarios[0].start_ns == CLOCK(9, 30, 0));
    assert_int_equal(file.scenarios[0].lines[1].when.base, SCN_FROM_BEGINNING);
    scenario_free(&file);
    file = parse("crashgate 1\nscenario \"t\"\n date 2026-01-09\nstart +5s reconcile\n"
                 "10:00:00 reconcile\n");
    assert_true(file.scenarios[0].start_ns == DAY_9);
    assert_true(file.scenarios[0].lines[0].when.ns == CLOCK(0, 0, 5));
    scenario_free(&file);
}

static void a_crash_knows_its_kind_and_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int kind;
        enum scn_where where;
        enum scn_depth depth;
    } rows[] = {
        {"crash", SCN_NONE, SCN_CRASH_NOW, SCN_ONCE},
        {"crash power", SCN_POWER, SCN_CRASH_NOW, SCN_ONCE},
        {"crash kill before record D1", SCN_KILL, SCN_CRASH_BEFORE, SCN_ONCE},
        {"crash after boot", SCN_NONE, SCN_CRASH_AFTER, SCN_ONCE},
        {"crash at disk.sync(wal)@3", SCN_NONE, SCN_CRASH_AT_SITE, SCN_ONCE},
        {"crash anywhere", SCN_NONE, SCN_CRASH_ANYWHERE, SCN_ONCE},
        {"crash power anywhere before send", SCN_POWER, SCN_CRASH_ANYWHERE_BEFORE, SCN_ONCE},
        {"crash anywhere after reconcile", SCN_NONE, SCN_CRASH_ANYWHERE_AFTER, SCN_ONCE},
        {"crash anywhere between send D1 and record D1", SCN_NONE, SCN_CRASH_ANYWHERE_BETWEEN,
         SCN_ONCE},
        {"crash twice anywhere", SCN_NONE, SCN_CRASH_ANYWHERE, SCN_TWICE},
        {"crash kill twice anywhere between send and record D1", SCN_KILL,
         SCN_CRASH_ANYWHERE_BETWEEN, SCN_TWICE},
        {"crash power again anywhere", SCN_POWER, SCN_CRASH_ANYWHERE, SCN_AGAIN},
        {"crash again anywhere before record D1", SCN_NONE, SCN_CRASH_ANYWHERE_BEFORE, SCN_AGAIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[1000];
        snprintf(text, sizeof text, "%s%s\n", HEAD, rows[i].text);
        struct scenario_file file = parse(text);
        const struct scn_crash *crash = &last(&file)->args.crash;
        assert_int_equal(crash->kind, rows[i].kind);
        assert_int_equal(crash->where, rows[i].where);
        assert_int_equal(crash->depth, rows[i].depth);
        assert_int_equal(file.scenarios[0].depth, rows[i].depth);
        assert_survives_printing(text);
        assert_int_equal(file.scenarios[0].quantified, rows[i].where >= SCN_CRASH_ANYWHERE);
        assert_int_equal(file.scenarios[0].uses_default_crash, rows[i].kind == SCN_NONE);
        if (rows[i].where == SCN_CRASH_AT_SITE) {
            assert_int_equal(crash->site.op, SITE_DISK_SYNC);
            assert_int_equal(crash->site.on, ON_WAL);
            assert_int_equal(crash->occurrence, 3);
        }
        scenario_free(&file);
    }
}

static void a_fault_knows_its_row_arguments_and_calls(void **state) {
    (void)state;
    struct scenario_file file = parse(HEAD "fault broker.submit late(by=12s) on call 2..4\n"
                                           "fault broker.lookup error until 10:05:00\n"
                                           "fault disk.sync(wal) fails(aftermath=kept-dirty)\n"
                                           "fault wire.reply(submit) reset anywhere\n");
    const struct scn_line *l = file.scenarios[0].lines;
    assert_string_equal(l[2].args.strike.fault.kind->name, "late");
    assert_true(l[2].args.strike.fault.arg[0] == 12 * SECOND);
    assert_int_equal(l[2].args.strike.times, SCN_ON_CALLS);
    assert_int_equal(l[2].args.strike.first, 2);
    assert_int_equal(l[2].args.strike.last, 4);
    assert_int_equal(l[3].args.strike.fault.arg[0], 503);
    assert_false(l[3].args.strike.arg_written[0]);
    assert_true(l[3].args.strike.until_ns == CLOCK(10, 5, 0));
    assert_int_equal(l[4].args.strike.times, SCN_NEXT_CALL);
    assert_int_equal(l[4].args.strike.fault.arg[0], 1);
    assert_int_equal(l[5].args.strike.times, SCN_EACH_CALL);
    assert_true(file.scenarios[0].wire_only);
    assert_true(file.scenarios[0].quantified);
    scenario_free(&file);
}

static void a_condition_is_a_list_of_alternatives(void **state) {
    (void)state;
    struct scenario_file file =
        parse(HEAD "within 5s expect order D1 is held or position AAPL = -3 @ 2 or "
                   "no discrepancy AAPL or recovery <= 30s\n");
    const struct scn_line *line = last(&file);
    assert_int_equal(line->term_count, 4);
    assert_true(line->args.duration_ns == 5 * SECOND);
    assert_int_equal(line->terms[0].args.state, OMS_STATE_HELD);
    assert_int_equal(line->terms[1].args.qty_nanos, -3 * SECOND);
    assert_true(scn_has(&line->terms[1].args, SCN_SLOT_PRICE));
    assert_true(scn_has(&line->terms[2].args, SCN_SLOT_NO));
    assert_int_equal(line->terms[2].args.discrepancy, SCN_NONE);
    assert_int_equal(line->terms[3].args.cmp, SCN_LE);
    scenario_free(&file);
}

static void broker_fills_has_three_forms(void **state) {
    (void)state;
    struct scenario_file file = parse(HEAD "broker fills D1 50 @ 1.25 as F1\n"
                                           "broker fills 50 AAPL\n"
                                           "broker fills all after 5s @ 2\n");
    const struct scn_line *l = file.scenarios[0].lines;
    assert_int_equal(l[2].statement, SCN_BROKER_FILLS);
    assert_string_equal(l[2].args.name, "F1");
    assert_int_equal(l[3].statement, SCN_BROKER_FILLS_SYMBOL);
    assert_false(scn_has(&l[3].args, SCN_SLOT_PRICE));
    assert_int_equal(l[4].statement, SCN_BROKER_FILLS_ALL);
    assert_int_equal(l[4].when.base, SCN_FROM_BEGINNING);
    scenario_free(&file);
}

static void windows_line_ends_tabs_and_a_missing_last_newline_are_fine(void **state) {
    (void)state;
    struct scenario_file file =
        parse("\r\n# caf\xc3\xa9\r\ncrashgate 1\r\nscenario \"\xe2\x82\xac \\\"x\\\"\"\r\n"
              "\tcrashes\tkill\r\n10:00:00\tcrash");
    assert_string_equal(file.scenarios[0].title, "\xe2\x82\xac \"x\"");
    assert_int_equal(file.scenarios[0].line_count, 1);
    scenario_free(&file);
}

static void put(const char *path, const char *text) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static void a_used_file_lends_its_headers(void **state) {
    (void)state;
    char folder[] = "/tmp/crashgate-lang-XXXXXX", common[64], main_file[64];
    struct scenario_file file;
    struct diags diags = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(common, sizeof common, "%s/common.scn", folder);
    snprintf(main_file, sizeof main_file, "%s/main.scn", folder);
    put(common, "crashgate 1\npace 2s\ndate 2026-01-09\nprofile label\ntags shared\n");
    put(main_file, "crashgate 1\nscenario \"t\"\n  tags own\n  use common.scn\n  pace 3s\n"
                   "10:00:00 reconcile\n");
    assert_true(scenario_load(main_file, &file, &diags));
    assert_true(file.scenarios[0].pace_ns == 3 * SECOND);
    assert_string_equal(file.scenarios[0].tags[0], "own");
    assert_string_equal(file.scenarios[0].profiles[0]->name, "label");
    assert_true(file.scenarios[0].lines[0].when.ns == CLOCK(10, 0, 0));
    scenario_free(&file);
    put(common, "crashgate 1\nuse common.scn\n");
    assert_false(scenario_load(main_file, &file, &diags));
    assert_string_equal(diags.v[0].text, "files use each other more than 4 deep");
    diags_free(&diags);
    remove(common);
    remove(main_file);
    remove(folder);
}

static void every_scenario_of_the_tree_survives_printing(void **state) {
    (void)state;
    glob_t files;
    assert_int_equal(glob("scenarios/*/*.scn", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 15);
    for (size_t i = 0; i < files.gl_pathc; i++)
        read_again(files.gl_pathv[i]);
    globfree(&files);
}

static void every_form_survives_printing(void **state) {
    (void)state;
    char path[] = "/tmp/crashgate-forms-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    put(path, "crashgate 1\nscenario \"all \\\\ \\\"forms\\\"\"\n tags a, b-c\n date 2026-02-28\n"
              " pace 250ms\n crashes power, kill\n profile label, alpaca\n seed 7\n"
              " origin \"x\"\n option door = wire\n option page-size = 512\n"
              " given broker position AAPL -5 @ 1.5\n given oms position AAPL -5 @ 1.5\n"
              " given broker cash 10.25\n given kill-switch on\n decision D1 = \"A\"\n"
              "fault broker.submit error(status=429) on call 2\n"
              "broker rejects D1 \"no \\\"way\\\"\"\n"
              "start +1s signal D1 buy 0.000000001 AAPL market until 00:00:02\n"
              "+1.5s crash kill before record\n"
              "+0s fault wire.request(lookup) close(at=3) until 23:59:59\n"
              "crash +1ms restart\n+3s start second\nbefore fill D1: operator trips kill-switch\n"
              "+1s cancel D1\nafter boot: broker cancels rest D1\n"
              "2026-03-01 00:00:00 broker gets foreign sell 2 MSFT @ 3\n"
              "00:00:00.000000001 expect no discrepancy QUANTITY_MISMATCH AAPL severity INFO or "
              "discrepancy severity CRITICAL or second refused or kill-switch off\n"
              "expect position AAPL = broker position AAPL or submits D1 != 3\n"
              "always oms running or oms halted\n");
    read_again(path);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_carries_its_exact_payload),
        cmocka_unit_test(times_are_resolved_from_every_form),
        cmocka_unit_test(the_first_life_boots_at_the_first_time_that_is_written),
        cmocka_unit_test(a_crash_knows_its_kind_and_place),
        cmocka_unit_test(a_fault_knows_its_row_arguments_and_calls),
        cmocka_unit_test(a_condition_is_a_list_of_alternatives),
        cmocka_unit_test(broker_fills_has_three_forms),
        cmocka_unit_test(windows_line_ends_tabs_and_a_missing_last_newline_are_fine),
        cmocka_unit_test(a_used_file_lends_its_headers),
        cmocka_unit_test(every_scenario_of_the_tree_survives_printing),
        cmocka_unit_test(every_form_survives_printing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
