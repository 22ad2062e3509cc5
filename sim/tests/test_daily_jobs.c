/* The daily jobs as a desk runs them: the built program, its exit codes, its words and its files. */
#include "core/live/cli.h"
#include "sim/tests/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNIT INT64_C(1000000000)

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * UNIT + now.tv_nsec;
}

static void write_text(const char *name, const char *text) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *name, char out[PROGRAM_OUTPUT_SIZE]) {
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    out[fread(out, 1, PROGRAM_OUTPUT_SIZE - 1, file)] = '\0';
    fclose(file);
    return out;
}

/* The exchange executes all of its newest order at 150.50. */
static void execute(void) {
    struct broker_order *order = &program_exchange.orders[program_exchange.orders_n - 1];
    struct broker_fill *fill = &program_exchange.fills[program_exchange.fills_n++];
    struct broker_position *position = &program_exchange.positions[0];
    order->status = BROKER_STATUS_FILLED;
    snprintf(order->status_text, sizeof order->status_text, "filled");
    order->filled_nanos = order->qty_nanos;
    order->filled_avg_nanos = 150 * UNIT + UNIT / 2;
    *fill = (struct broker_fill){.side = order->side,
                                 .qty_nanos = order->qty_nanos,
                                 .price_nanos = order->filled_avg_nanos,
                                 .at_ns = now_ns()};
    snprintf(fill->execution_id, sizeof fill->execution_id, "E%zu", program_exchange.fills_n);
    memcpy(fill->order_id, order->id, sizeof fill->order_id);
    memcpy(fill->symbol, order->symbol, sizeof fill->symbol);
    memcpy(position->symbol, order->symbol, sizeof position->symbol);
    position->qty_nanos += order->qty_nanos;
    position->avg_price_nanos = order->filled_avg_nanos;
    program_exchange.positions_n = 1;
}

/* D1 buys 100 AAPL at 150.50, and is filled. */
static void trade(void) {
    program_exchange.now_ns = now_ns();
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 100 AAPL limit 151");
    execute();
    program_run(CLI_OK, "reconcile");
}

/* ---- the day ---- */

static void a_day_is_reported_as_text_and_as_json(void **state) {
    char report[PROGRAM_OUTPUT_SIZE];
    (void)state;
    trade();
    program_run(CLI_OK, "reconcile --daily --json day.json");
    program_said("(UTC): AGREES; comparison 3 at ");
    program_said("orders: 1 decided, 0 open, 0 held, 0 not settled");
    program_said("executions: oms 1, broker 1; realized: oms 0.00, broker 0.00");
    assert_non_null(strstr(read_text("day.json", report), "\"verdict\":\t\"AGREES\""));
    assert_non_null(strstr(report, "\"oms_executions\":\t1"));
    assert_int_equal(access("day.json.partial", F_OK), -1);
    program_run(CLI_OK, "history");
    program_said("comparison 3 at");
}

static void its_exit_code_is_the_severity(void **state) {
    (void)state;
    trade();
    /* an order that ended with nothing executed is no longer there: to be looked into */
    program_run(CLI_OK, "submit D2 buy 5 AAPL limit 1");
    program_run(CLI_OK, "cancel D2");
    program_exchange.orders_n--;
    program_run(CLI_OK, "reconcile");
    program_run(CLI_WARNED, "reconcile --daily");
    program_said("WARNING  MISSING_IN_BROKER AAPL");
    /* an execution is no longer there: stop */
    program_exchange.fills_n = 0;
    program_run(CLI_ENDED, "reconcile --daily --json");
    program_said("\"verdict\":\"CRITICAL\"");
    program_said("execution of the day");
    program_run(CLI_OK, "status");
    program_said("kill switch ON");
}

static void a_day_that_cannot_be_compared_is_no_agreement(void **state) {
    (void)state;
    trade();
    program_run(CLI_ENVIRONMENT, "reconcile --daily --url http://127.0.0.1:1 --wait 0.3");
    program_run(CLI_USAGE, "reconcile --daily --day 2199-01-01");
    program_said("must have begun");
    program_run(CLI_USAGE, "reconcile --daily --day yesterday");
    program_run(CLI_ENVIRONMENT, "reconcile --daily --json no-such-folder/day.json");
    program_said("no-such-folder/day.json: No such file");
}

static void the_running_one_does_both_where_it_was_asked_from(void **state) {
    char report[PROGRAM_OUTPUT_SIZE];
    (void)state;
    trade();
    write_text("s.csv", "id,symbol,side,qty,price,time\n"
                        "D1,AAPL,buy,100,150.50,2026-01-09T14:35:00Z\n");
    pid_t child = program_start("run");
    while (access("oms.db-ctl", F_OK) != 0)
        program_serve(5);
    program_run(CLI_OK, "reconcile --daily --json day.json");
    program_said("AGREES; comparison 4 at ");
    assert_non_null(strstr(read_text("day.json", report), "\"comparison\":\t4"));
    program_run(CLI_OK, "parity --signals s.csv --json parity.json");
    program_said("parity: AGREES");
    assert_non_null(strstr(read_text("parity.json", report), "\"verdict\":\t\"AGREES\""));
    kill(child, SIGTERM);
    assert_int_equal(program_finish(child), CLI_OK);
}

/* ---- parity ---- */

static void signals_and_trades_are_held_against_each_other(void **state) {
    char line[400], day[40];
    time_t now = time(NULL);
    (void)state;
    trade();
    strftime(day, sizeof day, "%Y-%m-%dT12:00:00Z", gmtime(&now));
    snprintf(line, sizeof line,
             "{\"id\":\"D1\",\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"100\",\"price\":"
             "\"150\",\"time\":\"%s\"}\n"
             "{\"id\":\"D2\",\"symbol\":\"MSFT\",\"side\":\"sell\",\"qty\":\"1\",\"price\":"
             "\"20\",\"time\":\"%s\"}\n",
             day, day);
    write_text("s.jsonl", line);
    program_run(CLI_APART, "parity --signals s.jsonl");
    program_said("matched 1 (1 in full), differing 0, missed 1 (past the limit), unexpected 0");
    program_said("fill rate 99.8668 %");
    program_said("average 33.333 bp, worst 33.333 bp of D1");
    program_said("missed     D2: expected sell 1 MSFT");
    program_run(CLI_OK, "parity --signals s.jsonl --max-missed 1 --max-slippage 33.333");
    program_run(CLI_APART, "parity --signals s.jsonl --max-missed 1 --max-slippage 33.332 --json");
    program_said("\"average_too_high\":true");
}

static void a_mistake_in_the_signals_compares_nothing(void **state) {
    (void)state;
    trade();
    write_text("s.csv", "id,symbol,side,qty,price,tyme\n");
    program_run(CLI_USAGE, "parity --signals s.csv");
    program_said("s.csv:1: column \"tyme\" is not one of id, symbol, side, qty, price, time");
    write_text("s.csv", "id,symbol,side,qty,price,time\n");
    program_run(CLI_USAGE, "parity --signals s.csv");
    program_said("there is no signal in it");
    program_run(CLI_ENVIRONMENT, "parity --signals no.csv");
    program_said("no.csv: No such file");
}

static void copy_store(const char *to) {
    static char bytes[1 << 20];
    FILE *in = fopen("oms.db", "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t length = fread(bytes, 1, sizeof bytes, in);
    assert_true(length > 0 && length < sizeof bytes);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void two_ledgers_are_held_against_each_other_and_none_is_altered(void **state) {
    static char before[1 << 20], after[1 << 20];
    size_t length = 0;
    FILE *file = NULL;
    (void)state;
    trade();
    copy_store("paper.db");
    file = fopen("paper.db", "rb");
    assert_non_null(file);
    length = fread(before, 1, sizeof before, file);
    fclose(file);
    program_run(CLI_OK, "parity --against paper.db");
    program_said("matched 1 (1 in full), differing 0, missed 0, unexpected 0");
    program_run(CLI_OK, "submit D2 buy 5 AAPL limit 1");
    program_run(CLI_APART, "parity --against paper.db");
    program_said("unexpected 1 (past the limit)");
    program_said("unexpected D2: decided buy 5 AAPL");
    program_run(CLI_APART, "parity --db paper.db --against oms.db");
    program_said("missed     D2: expected buy 5 AAPL");
    file = fopen("paper.db", "rb");
    assert_non_null(file);
    assert_int_equal(fread(after, 1, sizeof after, file), length);
    fclose(file);
    assert_memory_equal(before, after, length);
    assert_int_equal(access("paper.db-lock", F_OK), -1);
    assert_int_equal(access("paper.db-wal", F_OK), -1);
}

static void a_ledger_that_is_none_is_named(void **state) {
    (void)state;
    trade();
    write_text("note.txt", "a shopping list, long enough to be more than a header of SQLite's\n");
    program_run(CLI_ENVIRONMENT, "parity --against note.txt");
    program_said("note.txt");
    program_said("not an OMS database");
    program_run(CLI_ENVIRONMENT, "parity --against no.db");
    program_said("there is no database");
    program_run(CLI_USAGE, "parity --against ./oms.db");
    program_said("must be another ledger than --db oms.db");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)
        T(a_day_is_reported_as_text_and_as_json),
        T(its_exit_code_is_the_severity),
        T(a_day_that_cannot_be_compared_is_no_agreement),
        T(the_running_one_does_both_where_it_was_asked_from),
        T(signals_and_trades_are_held_against_each_other),
        T(a_mistake_in_the_signals_compares_nothing),
        T(two_ledgers_are_held_against_each_other_and_none_is_altered),
        T(a_ledger_that_is_none_is_named),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
