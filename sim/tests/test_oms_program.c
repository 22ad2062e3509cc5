/* What an operator sees when the oms program refuses: the built program itself, its exit code, its
 * words (place, value, rule), and that nothing was sent. In every story the keys must appear
 * neither in the program.output nor in any file. */
#include "core/live/cli.h"
#include "core/live/fence.h"
#include "sim/tests/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- stores that are not ours to use ---- */

static void nothing_was_sent(void) {
    assert_int_equal(program.posts, 0);
}

static void write_file(const char *name, const char *bytes, size_t length) {
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void a_missing_store_is_not_made_by_the_way(void **state) {
    static const char *const lines[] = {"status",
                                        "submit D1 buy 1 AAPL",
                                        "cancel D1",
                                        "reconcile",
                                        "kill-switch on --why drill",
                                        "resolve D1 gone --why x",
                                        "resolve D1 adopt O1 --why x"};
    char path[PROGRAM_PATH_SIZE];
    (void)state;
    program_path("oms.db", path);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        program_run(CLI_ENVIRONMENT, lines[i]);
        program_said(path);
        program_said("there is no database");
        program_said("oms init --db oms.db --account NAME");
        assert_int_equal(access("oms.db", F_OK), -1);
    }
    nothing_was_sent();
}

static void a_file_that_is_no_database_is_left_alone(void **state) {
    static const char garbage[] = "quarterly figures, not a database; nobody may write over them";
    char path[PROGRAM_PATH_SIZE], after[sizeof garbage] = "";
    (void)state;
    program_path("oms.db", path);
    write_file("oms.db", garbage, sizeof garbage);
    program_run(CLI_ENVIRONMENT, "status");
    program_said("file is not a database");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL");
    program_said(path);
    program_said("file is not a database");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --account A1");
    program_said("file is not a database");
    program_run(CLI_ENVIRONMENT, "init --account A1");
    program_said("it was left alone");
    FILE *in = fopen("oms.db", "rb");
    assert_non_null(in);
    assert_int_equal(fread(after, 1, sizeof after, in), sizeof after);
    fclose(in);
    assert_memory_equal(after, garbage, sizeof garbage);
    nothing_was_sent();
}

static void somebody_elses_database_is_left_alone(void **state) {
    char path[PROGRAM_PATH_SIZE];
    sqlite3 *db;
    (void)state;
    program_path("oms.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE wine(year)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    program_run(CLI_ENVIRONMENT, "status");
    program_said("its application_id is another one");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --account A1");
    program_said(path);
    program_said("its application_id is another one");
    program_run(CLI_ENVIRONMENT, "init --account A1");
    program_said("it was left alone");
    nothing_was_sent();
}

static void a_damaged_store_refuses_to_trade(void **state) {
    char noise[4096];
    (void)state;
    program_run(CLI_OK, "init --account A1");
    memset(noise, 0xa5, sizeof noise);
    int fd = open("oms.db", O_WRONLY);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 4096), sizeof noise);
    close(fd);
    program_run(CLI_ENVIRONMENT, "status");
    program_said("corrupt");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --account A1");
    program_said("corrupt");
    program_said("oms.db");
    nothing_was_sent();
}

static void another_accounts_store_is_refused(void **state) {
    static const char *const lines[] = {"status --account B2", "submit D1 buy 1 AAPL --account B2"};
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        program_run(CLI_ENVIRONMENT, lines[i]);
        program_said("oms.db: it belongs to account A1, not to B2");
    }
    nothing_was_sent();
}

static void a_second_instance_is_told_who_runs(void **state) {
    static const char *const lines[] = {"status", "status --account A1", "submit D2 buy 1 AAPL",
                                        "reconcile --account A1", "kill-switch on --why drill"};
    char path[PROGRAM_PATH_SIZE], who[40];
    (void)state;
    program_path("oms.db", path);
    program_run(CLI_OK, "init --account A1");
    pid_t first = program_start("submit D1 buy 1 AAPL --url http://127.0.0.1:1 --wait 50");
    struct timespec nap = {.tv_nsec = 5000000};
    for (int i = 0; i < 4000 && fence_holder(path) != first; i++)
        nanosleep(&nap, NULL);
    snprintf(who, sizeof who, "process %ld is running on it", (long)first);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        program_run(CLI_ENVIRONMENT, lines[i]);
        program_said("store oms.db");
        program_said(who);
        program_said("oms.db-halt");
    }
    kill(first, SIGTERM);
    assert_int_equal(program_finish(first), CLI_ENVIRONMENT); /* it stopped in order */
    program_run(CLI_OK, "status");
    program_said("D1");
    nothing_was_sent();
}

static void a_folder_that_may_not_be_searched_is_named(void **state) {
    (void)state;
    assert_int_equal(chmod(program.folder, 0755), 0);
    assert_int_equal(mkdir("shut", 0), 0);
    program.as_nobody = geteuid() == 0; /* no folder is shut to root */
    program_run(CLI_ENVIRONMENT, "status --db shut/oms.db");
    program_said("shut/oms.db");
    program_said("folder that may be searched");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --db shut/oms.db --account A1");
    program_said("shut/oms.db");
    program_run(CLI_ENVIRONMENT, "init --db shut/oms.db --account A1");
    program_said("shut/oms.db");
    nothing_was_sent();
}

/* ---- command lines ---- */

static void wrong_words_are_named_with_their_rule(void **state) {
    static const struct {
        const char *line;
        int exit_code;
        const char *words;
    } rows[] = {
        {"", CLI_USAGE, "a command is missing"},
        {"submti D1 buy 1 AAPL", CLI_USAGE, "did you mean 'submit'?"},
        {"submit --acount A1 D1 buy 1 AAPL", CLI_USAGE, "did you mean '--account'?"},
        {"submit D1 buy -5 AAPL", CLI_USAGE, "quantity '-5' must be a positive decimal"},
        {"submit D1 buy 0 AAPL", CLI_USAGE, "quantity '0' must be a positive decimal"},
        {"submit D1 buy 1e3 AAPL", CLI_USAGE, "quantity '1e3' must be a positive decimal"},
        {"submit D1 buy 99999999999999999999 AAPL", CLI_USAGE, "quantity '99999999999999999999'"},
        {"submit D1 buy 1 AAPL limit -1", CLI_USAGE, "price '-1' must be a positive decimal"},
        {"submit D1 hold 1 AAPL", CLI_USAGE, "side 'hold' must be buy or sell"},
        {"submit D1 buy 1 AAPL;drop", CLI_NOT_TAKEN,
         "symbol \"AAPL;drop\" must be 1 to 23 of [A-Z0-9./-]"},
        {"submit D1 buy 1 aapl", CLI_NOT_TAKEN, "symbol \"aapl\" must be"},
        {"submit D1 buy 1 AAPL --url http://broker.example.com", CLI_USAGE,
         "'http://broker.example.com' must be https"},
        {"submit D1 buy 1 AAPL --url ftp://127.0.0.1", CLI_USAGE, "must be https"},
        {"submit D1 buy 1 AAPL --wait -1", CLI_USAGE, "--wait '-1' must be a positive number"},
        {"kill-switch on", CLI_USAGE, "needs --why TEXT"},
        {"init --account A/1 --db other.db", CLI_USAGE, "account \"A/1\" must be 1 to 32 of"},
    };
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        program_run(rows[i].exit_code, rows[i].line);
        program_said(rows[i].words);
    }
    program_run(CLI_OK, "status");
    program_said("0 orders");
    nothing_was_sent();
}

static void help_lists_every_exit_code(void **state) {
    static const char *const lines[] = {"--help",        "init --help",        "submit --help",
                                        "cancel --help", "status --help",      "reconcile --help",
                                        "help",          "kill-switch --help", "resolve --help"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        program_run(CLI_OK, lines[i]);
#define X(id, code, meaning) program_said("  " #code "  " meaning "\n");
        CLI_EXITS(X)
#undef X
    }
}

static void keys_that_are_missing_or_bad_are_asked_for_by_name(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program.key_id = NULL;
    program_run(CLI_USAGE, "submit D1 buy 1 AAPL");
    program_said("set APCA_API_KEY_ID and APCA_API_SECRET_KEY");
    program.key_id = "two words";
    program_run(CLI_USAGE, "submit D1 buy 1 AAPL");
    program_said("broker key id must be 1 to 128 visible ASCII characters");
    program.key_id = PROGRAM_KEY_ID;
    program.secret = PROGRAM_SECRET "\r\nX-Header: injected";
    program_run(CLI_USAGE, "submit D1 buy 1 AAPL");
    program_said("broker secret must be");
    program_run(CLI_OK, "status"); /* needs none */
    program_said("0 orders");
    nothing_was_sent();
}

/* ---- the broker ---- */

static void a_broker_that_is_not_there_is_named(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --url http://127.0.0.1:1 --wait 0.3");
    program_said("the broker at http://127.0.0.1:1");
    program_said("GET /v2/");
    program_said("onnect"); /* libcurl's words */
    program_said("nothing was sent; what was taken is kept");
    nothing_was_sent();
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    assert_int_equal(program.posts, 1);
}

static void refused_keys_are_said_to_be(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program.secret = "another-" PROGRAM_SECRET;
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL --wait 0.3 --events --json");
    program_said("HTTP 401");
    program_said("does not accept these keys");
    nothing_was_sent();
    program.secret = PROGRAM_SECRET;
    program_run(CLI_OK, "submit D1 buy 1 AAPL --events --json");
    assert_int_equal(program.posts, 1);
}

/* ---- switches and repeats ---- */

static void the_kill_switch_takes_nothing(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "kill-switch on --why drill");
    program_run(CLI_NOT_TAKEN, "submit D1 buy 1 AAPL");
    program_said("D1 was not taken: ");
    program_said("kill switch is on");
    program_said("drill");
    nothing_was_sent();
    program_run(CLI_OK, "kill-switch off --why over");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    assert_int_equal(program.posts, 1);
}

static void status_and_every_start_state_the_guarantee(void **state) {
    char line[128];
    (void)state;
    program_run(CLI_OK, "init --account A1");
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        snprintf(line, sizeof line, "status --profile %s", profile_at(i)->name);
        program_run(CLI_OK, line);
        program_said(profile_at(i)->guarantee);
        snprintf(line, sizeof line, "status --json --profile %s", profile_at(i)->name);
        program_run(CLI_OK, line);
        program_said("\"guarantee\":");
    }
    program_run(CLI_OK, "submit D1 buy 1 AAPL --events");
    program_said(
        "\"event\":\"boot\",\"phase\":\"after\",\"text\":\"effectively once within 24 hours");
}

static void only_what_is_held_is_resolved(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    program_run(CLI_USAGE, "resolve D1 gone --why looked");
    program_said("decision D1 is working; only one that is held can be resolved");
    program_run(CLI_USAGE, "resolve D2 adopt O1 --why looked");
    program_said("there is no decision \"D2\"");
    assert_int_equal(program.posts, 1);
}

static void the_halt_file_keeps_what_was_taken(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    write_file("oms.db-halt", "", 0);
    program_run(CLI_UNDECIDED, "submit D1 buy 1 AAPL --wait 0.5");
    program_said("halt file oms.db-halt");
    program_said("nothing is sent");
    nothing_was_sent();
    assert_int_equal(unlink("oms.db-halt"), 0);
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    assert_int_equal(program.posts, 1);
}

static void a_repeated_decision_is_known(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    program_said("working");
    program_run(CLI_NOT_TAKEN, "submit D1 buy 2 AAPL");
    program_said("D1 was not taken");
    program_said("another payload");
    assert_int_equal(program.posts, 1);
}

static void an_inconclusive_comparison_is_told_and_in_the_history(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_ENVIRONMENT, "reconcile --url http://127.0.0.1:1 --wait 0.3");
    program_said("comparison 1 at ");
    program_said(" INCONCLUSIVE: orders: ");
    program_said("has not answered a whole comparison yet");
    program_run(CLI_OK, "reconcile");
    program_said("1 comparison, 0 differences");
    program_run(CLI_OK, "history");
    program_said("comparison 1 at ");
    program_said("comparison 2 at ");
    program_said("2 comparisons, 0 differences");
    program_run(CLI_OK, "history --last 1 --json");
    program_said("{\"id\":2,");
    program_said("\"inconclusive\":\"\"");
    program_run(CLI_ENVIRONMENT, "history --db other.db");
}

static void the_profit_is_told_by_symbol_and_day(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1 --opening AAPL=-2@160");
    program_exchange.positions[0] =
        (struct broker_position){.symbol = "AAPL",
                                 .qty_nanos = -2 * DECIMAL_NANOS,
                                 .avg_price_nanos = 160ll * DECIMAL_NANOS};
    program_exchange.positions_n = 1;
    program_run(CLI_OK, "submit D1 buy 2 AAPL limit 150");
    program_exchange.orders[0].status = BROKER_STATUS_FILLED;
    snprintf(program_exchange.orders[0].status_text, sizeof program_exchange.orders[0].status_text,
             "filled");
    program_exchange.orders[0].filled_nanos = 2ll * DECIMAL_NANOS;
    program_exchange.fills[0] = (struct broker_fill){.execution_id = "F1",
                                                     .symbol = "AAPL",
                                                     .qty_nanos = 2ll * DECIMAL_NANOS,
                                                     .price_nanos = 150250000000ll};
    snprintf(program_exchange.fills[0].order_id, sizeof program_exchange.fills[0].order_id, "%s",
             program_exchange.orders[0].id);
    program_exchange.fills_n = 1;
    program_exchange.positions_n = 0;
    program_exchange.orders[0].submitted_ns = (int64_t)time(NULL) * DECIMAL_NANOS;
    program_exchange.fills[0].at_ns = program_exchange.orders[0].submitted_ns;
    program_run(CLI_OK, "reconcile");
    program_said("explained by our own executions");
    program_run(CLI_OK, "pnl");
    program_said("AAPL             19.50");
    program_said("realized 19.50");
    program_run(CLI_OK, "pnl --day 2000-01-01");
    program_said("realized 0.00");
    program_run(CLI_OK, "pnl --json");
    program_said("\"realized\":\"19.5\"");
}

/* ---- no space ---- */

static void a_file_that_may_not_grow_stops_it_before_anything_is_sent(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program.file_size_max = 4096; /* the log's first page does not fit */
    program_run(CLI_ENVIRONMENT, "submit D1 buy 1 AAPL");
    program_said("oms.db");
    nothing_was_sent();
    program.file_size_max = 0;
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    assert_int_equal(program.posts, 1);
}

static void fill_up(const char *name) {
    static char block[4096];
    int fd = open(name, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        continue;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void a_full_disk_takes_nothing(void **state) {
    (void)state;
    assert_int_equal(mount("oms-test", program.folder, "tmpfs", 0, "size=512k"), 0);
    assert_int_equal(chdir(program.folder), 0);
    program_run(CLI_OK, "init --account A1");
    fill_up("filler");
    program_run(CLI_NOT_TAKEN, "submit D1 buy 1 AAPL");
    program_said("D1 was not taken: no space left for the intent");
    nothing_was_sent();
    assert_int_equal(unlink("filler"), 0);
    program_run(CLI_OK, "status");
    program_said("0 orders");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
    assert_int_equal(program.posts, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)
        T(a_missing_store_is_not_made_by_the_way),
        T(a_file_that_is_no_database_is_left_alone),
        T(somebody_elses_database_is_left_alone),
        T(a_damaged_store_refuses_to_trade),
        T(another_accounts_store_is_refused),
        T(a_second_instance_is_told_who_runs),
        T(a_folder_that_may_not_be_searched_is_named),
        T(wrong_words_are_named_with_their_rule),
        T(help_lists_every_exit_code),
        T(keys_that_are_missing_or_bad_are_asked_for_by_name),
        T(a_broker_that_is_not_there_is_named),
        T(refused_keys_are_said_to_be),
        T(the_kill_switch_takes_nothing),
        T(status_and_every_start_state_the_guarantee),
        T(only_what_is_held_is_resolved),
        T(the_halt_file_keeps_what_was_taken),
        T(a_repeated_decision_is_known),
        T(an_inconclusive_comparison_is_told_and_in_the_history),
        T(the_profit_is_told_by_symbol_and_day),
        T(a_file_that_may_not_grow_stops_it_before_anything_is_sent),
    };
    /* A small disk has to be mounted: only root may. For others the file that may not grow stands
     * for it, and the number of tests says so. */
    const struct CMUnitTest as_root[] = {T(a_full_disk_takes_nothing)};
#undef T
    int failed = 0;
    if (!program_open())
        return 1;
    failed = geteuid() == 0 ? cmocka_run_group_tests(as_root, NULL, NULL) : 0;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
