/* The oms program's command line: what is understood, and what is said about the rest. */
#include "core/live/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { WORDS = 24, LINE = 512, SAID = 4096 };

static struct cli_args args;
static char said[SAID];

/* Parses "oms " + line, split at blanks. */
static bool parse(const char *line) {
    static char copy[LINE]; /* args point into it */
    char *words[WORDS] = {"oms"};
    int count = 1;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    FILE *err = fmemopen(said, sizeof said, "w");
    assert_non_null(err);
    said[0] = '\0';
    bool ok = cli_parse(count, words, &args, err);
    fclose(err);
    return ok;
}

static void a_submit_is_read_in_full(void **state) {
    (void)state;
    assert_true(parse("submit D1 sell 2.5 BTC/USD limit 150.25 --tif gtc --expires 30 --wait 1.5 "
                      "--db a.db --account A1 --profile label --url https://x --json --events"));
    assert_int_equal(args.command, CLI_COMMAND_SUBMIT);
    assert_string_equal(args.decision.id, "D1");
    assert_string_equal(args.decision.symbol, "BTC/USD");
    assert_int_equal(args.decision.side, BROKER_SELL);
    assert_int_equal(args.decision.type, BROKER_LIMIT);
    assert_int_equal(args.decision.tif, BROKER_GTC);
    assert_int_equal(args.decision.qty_nanos, INT64_C(2500000000));
    assert_int_equal(args.decision.limit_nanos, INT64_C(150250000000));
    assert_int_equal(args.expires_after_ns, 30 * PROFILE_SECOND_NS);
    assert_int_equal(args.wait_ns, PROFILE_SECOND_NS * 3 / 2);
    assert_string_equal(args.db, "a.db");
    assert_string_equal(args.halt_path, "a.db-halt");
    assert_string_equal(args.profile->name, "label");
    assert_true(args.json && args.events);
}

static void the_daily_jobs_take_their_own_flags(void **state) {
    (void)state;
    assert_true(parse("reconcile --daily"));
    assert_true(args.daily && !args.one_day && !args.json && args.json_file == NULL);
    assert_true(parse("reconcile --json day.json --daily --day 2026-01-09"));
    assert_string_equal(args.json_file, "day.json");
    assert_true(args.one_day && !args.json);
    assert_true(parse("reconcile --json --daily"));
    assert_true(args.json && args.json_file == NULL);
    assert_false(parse("reconcile --day 2026-01-09"));
    assert_non_null(strstr(said, "belongs to reconcile --daily"));
    assert_false(parse("reconcile --json day.json"));
    assert_false(parse("reconcile day.json"));
    assert_true(parse("parity --signals s.csv --json p.json --max-missed 2 --max-unexpected 3 "
                      "--min-fill 99.5 --max-slippage 2.5 --max-worst -1"));
    assert_string_equal(args.signals, "s.csv");
    assert_string_equal(args.json_file, "p.json");
    assert_int_equal(args.limits.missed_max, 2);
    assert_int_equal(args.limits.unexpected_max, 3);
    assert_int_equal(args.limits.fill_min_ppm, 995000);
    assert_true(args.limits.limits_average && args.limits.limits_worst);
    assert_int_equal(args.limits.average_max, 2500);
    assert_int_equal(args.limits.worst_max, -1000);
    assert_true(parse("parity --against other.db"));
    assert_string_equal(args.against, "other.db");
    assert_false(parse("parity"));
    assert_false(parse("parity --signals a --against b"));
    assert_false(parse("parity --signals a --min-fill 100.1"));
    assert_non_null(strstr(said, "--min-fill '100.1' must be a percentage from 0 to 100"));
    assert_false(parse("parity --signals a --max-slippage 0.0001"));
    assert_false(parse("parity --signals a --max-missed -1"));
}

static void what_reconciles_and_reads_takes_its_own_flags(void **state) {
    (void)state;
    assert_true(parse("reconcile --self-heal 2.5 --alarm-after 5"));
    assert_int_equal(args.self_heal_ppm, 25000);
    assert_int_equal(args.alarm_after, 5);
    assert_true(parse("history --last 7 --json"));
    assert_int_equal(args.last, 7);
    assert_true(parse("history"));
    assert_int_equal(args.last, 20);
    assert_true(parse("pnl --day 2026-01-09"));
    assert_true(args.one_day);
    assert_int_equal(args.day, 20462);
    assert_false(parse("reconcile --self-heal 51"));
    assert_string_equal(said, "oms: --self-heal '51' must be a percentage above 0, at most 50\n");
    assert_false(parse("reconcile --self-heal 0"));
    assert_false(parse("history --last 0"));
    assert_string_equal(said, "oms: --last '0' must be a whole number from 1 to 1000000\n");
    assert_false(parse("pnl --day 2026-13-09"));
    assert_false(parse("pnl --day 20260109"));
    assert_false(parse("status --self-heal 5"));
}

static void defaults_are_the_careful_ones(void **state) {
    (void)state;
    assert_true(parse("submit D1 buy 1 AAPL"));
    assert_int_equal(args.decision.type, BROKER_MARKET);
    assert_int_equal(args.decision.tif, BROKER_DAY);
    assert_string_equal(args.profile->name, "alpaca-retention");
    assert_string_equal(args.db, "oms.db");
    assert_int_equal(args.expires_after_ns, 0);
}

static void openings_are_read_one_by_one(void **state) {
    (void)state;
    assert_true(
        parse("init --account A --opening AAPL=100@150.25 --opening TSLA=-3@0 --page-size 512"));
    assert_int_equal(args.opening_count, 2);
    assert_string_equal(args.openings[0].symbol, "AAPL");
    assert_int_equal(args.openings[0].price_nanos, INT64_C(150250000000));
    assert_int_equal(args.openings[1].qty_nanos, INT64_C(-3000000000));
    assert_int_equal(args.page_size, 512);
}

static void what_is_wrong_is_named_with_its_rule_or_a_guess(void **state) {
    (void)state;
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"", "a command is missing"},
        {"submti D1 buy 1 AAPL", "no such command: 'submti'; did you mean 'submit'?"},
        {"reconcil", "did you mean 'reconcile'?"},
        {"killswitch on", "did you mean 'kill-switch'?"},
        {"zzzzzzzzz", "no such command: 'zzzzzzzzz'\n"},
        {"status --jsn", "no such flag: '--jsn'; did you mean '--json'?"},
        {"status --url x", "flag '--url' does not belong to this command"},
        {"status --db", "flag '--db' needs a value"},
        {"status extra", "operand 'extra' is not expected here"},
        {"submit D1 by 1 AAPL", "side 'by' must be buy or sell"},
        {"submit D1 buy -5 AAPL", "quantity '-5' must be a positive decimal"},
        {"submit D1 buy 1e3 AAPL", "quantity '1e3' must be"},
        {"submit D1 buy 1 AAPL limit", "must be ID buy|sell QTY SYMBOL"},
        {"submit D1 buy 1 AAPL limit 0", "price '0' must be a positive decimal"},
        {"submit D1 buy 1 AAPL --tif dya", "--tif 'dya' must be day, gtc"},
        {"submit D1 buy 1 AAPL --expires 0", "--expires '0' must be a positive number of seconds"},
        {"submit D1 buy 1 AAPL --profile alpacca",
         "no such profile: 'alpacca'; did you mean 'alpaca'?"},
        {"init", "needs --account NAME"},
        {"init --account A --opening AAPL=5", "must be SYMBOL=QTY@PRICE"},
        {"init --account A --opening AAPL=0@1", "must be SYMBOL=QTY@PRICE"},
        {"init --account A --page-size 1000", "must be a power of two"},
        {"kill-switch maybe --why x", "must be on or off"},
        {"kill-switch on", "needs --why TEXT"},
        {"cancel", "must be one decision id"},
        {"resolve D1 gone", "needs --why TEXT"},
        {"resolve D1 --why x", "must be a decision id and then gone, or adopt"},
        {"resolve D1 adopt --why x", "must be a decision id and then gone, or adopt"},
        {"resolve D1 gone O1 --why x", "must be a decision id and then gone, or adopt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(parse(cases[i].line));
        assert_non_null(strstr(said, cases[i].said));
    }
}

static void every_command_has_help_without_its_operands(void **state) {
    (void)state;
    static const char *const lines[] = {
#define X(id, word, operands, meaning) word " --help",
        CLI_COMMANDS(X)
#undef X
    };
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        char text[SAID] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        assert_true(parse(lines[i]));
        assert_true(args.help);
        cli_help_command(args.command, out);
        fclose(out);
        assert_non_null(strstr(text, "--db"));
    }
    assert_true(parse("--help"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_submit_is_read_in_full),
        cmocka_unit_test(the_daily_jobs_take_their_own_flags),
        cmocka_unit_test(what_reconciles_and_reads_takes_its_own_flags),
        cmocka_unit_test(defaults_are_the_careful_ones),
        cmocka_unit_test(openings_are_read_one_by_one),
        cmocka_unit_test(what_is_wrong_is_named_with_its_rule_or_a_guess),
        cmocka_unit_test(every_command_has_help_without_its_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
