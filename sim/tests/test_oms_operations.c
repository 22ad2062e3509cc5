/* What operators read and take away: orders, positions, exports and backups, from a store at rest and
 * from a running process, with the built program. */
#include "core/live/cli.h"
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void file_says(const char *name, const char *words) {
    if (strstr(file_text(name), words) == NULL)
        fail_msg("'%s' is not in %s:\n%s", words, name, file_text(name));
}

/* Two orders live at the broker, one of them executed in part. */
static void trade(void) {
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 100 AAPL limit 150.25");
    program_run(CLI_OK, "submit D2 sell 0.5 MSFT");
    program_exchange.fills[0] = (struct broker_fill){.execution_id = "x-1,\"odd\"",
                                                     .order_id = "order-01",
                                                     .symbol = "AAPL",
                                                     .side = BROKER_BUY,
                                                     .qty_nanos = 40ll * DECIMAL_NANOS,
                                                     .price_nanos = 150ll * DECIMAL_NANOS + 1,
                                                     .at_ns = program_exchange.now_ns};
    program_exchange.fills_n = 1;
    program_exchange.orders[0].status = BROKER_STATUS_PARTIALLY_FILLED;
    snprintf(program_exchange.orders[0].status_text, sizeof program_exchange.orders[0].status_text,
             "partially_filled");
    program_exchange.orders[0].filled_nanos = 40ll * DECIMAL_NANOS;
    program_exchange.positions[0] =
        (struct broker_position){.symbol = "AAPL",
                                 .qty_nanos = 40ll * DECIMAL_NANOS,
                                 .avg_price_nanos = 150ll * DECIMAL_NANOS + 1};
    program_exchange.positions_n = 1;
    program_run(CLI_OK, "reconcile");
}

/* ---- orders and positions ---- */

static void orders_are_chosen(void) {
    program_run(CLI_OK, "orders");
    program_said("DECISION  STATE             SIDE  QTY  FILLED  SYMBOL  PRICE   REASON");
    program_said("D1        partially-filled  buy   100  40      AAPL    150.25  \n");
    program_said("D2        working           sell  0.5  0       MSFT    market  \n");
    program_said("2 of 2 orders\n");
    program_run(CLI_OK, "orders --symbol MSFT");
    program_said("1 of 2 orders\n");
    program_did_not_say("D1");
    program_run(CLI_OK, "orders --decision D1 --open --json");
    program_said("{\"orders\":[{\"decision\":\"D1\",");
    program_said("\"filled_qty\":\"40\"");
    program_did_not_say("D2");
    program_run(CLI_OK, "orders --held");
    program_said("0 of 2 orders\n");
    program_did_not_say("DECISION");
}

static void positions_are_shown(void) {
    program_run(CLI_OK, "positions");
    program_said("SYMBOL  QTY  AVERAGE        COST\n");
    program_said("AAPL    40   150.000000001  6000.00000004\n");
    program_said("1 of 1 position\n");
    program_run(CLI_OK, "positions --json");
    program_said("{\"positions\":[{\"symbol\":\"AAPL\",\"qty\":\"40\",\"cost\":\"6000.00000004\"");
    program_run(CLI_OK, "positions --symbol MSFT");
    program_said("0 of 1 position\n");
}

static void orders_and_positions_are_shown_at_rest_and_by_a_running_one(void **state) {
    (void)state;
    trade();
    orders_are_chosen();
    positions_are_shown();
    running_start("");
    orders_are_chosen();
    positions_are_shown();
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    program_run(CLI_ENVIRONMENT, "orders --db other.db");
    program_said("there is no database");
}

/* ---- export ---- */

static void csv_is_exact(void) {
    program_run(CLI_OK, "export --format csv --what fills --output fills.csv");
    file_says("fills.csv", "execution_id,decision,symbol,side,qty,price,at,refers\r\n"
                           "\"x-1,\"\"odd\"\"\",D1,AAPL,buy,40,150.000000001,20");
    program_run(CLI_OK, "export --format csv");
    program_said("decision,state,side,qty,filled_qty,symbol,type,limit_price,time_in_force,");
    program_said("\r\nD1,partially-filled,buy,100,40,AAPL,limit,150.25,day,,cg-");
    program_said("\r\nD2,working,sell,0.5,0,MSFT,market,,day,,cg-");
    program_run(CLI_OK, "export --format csv --what positions");
    program_said("symbol,qty,cost,avg_price\r\nAAPL,40,6000.00000004,150.000000001\r\n");
}

static void json_is_whole(void) {
    program_run(CLI_OK, "export --what all --output all.json");
    cJSON *all = cJSON_Parse(file_text("all.json"));
    assert_non_null(all);
    assert_int_equal(cJSON_GetArraySize(all), CLI_TABLE_ALL);
    for (int i = 0; i < CLI_TABLE_ALL; i++)
        assert_string_equal(cJSON_GetArrayItem(all, i)->string, cli_table_name((enum cli_table)i));
    const cJSON *fill = cJSON_GetArrayItem(cJSON_GetObjectItem(all, "fills"), 0);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(fill, "execution_id")),
                        "x-1,\"odd\"");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(fill, "price")), "150.000000001");
    assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(all, "comparisons")) >= 3);
    cJSON_Delete(all);
}

static void an_export_is_exact_at_rest_and_from_a_running_one(void **state) {
    (void)state;
    trade();
    csv_is_exact();
    json_is_whole();
    running_start("");
    csv_is_exact();
    json_is_whole();
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    is_private("all.json");
    nothing_is_left_over();
}

static void an_export_that_fails_leaves_what_was_there(void **state) {
    (void)state;
    trade();
    FILE *old = fopen("all.json", "w");
    fputs("yesterday's", old);
    fclose(old);
    program_run(CLI_ENVIRONMENT, "export --db other.db --output all.json");
    program_said("there is no database");
    assert_string_equal(file_text("all.json"), "yesterday's");
    program_run(CLI_ENVIRONMENT, "export --output nowhere/all.json");
    program_said("oms: file nowhere/all.json: No such file or directory");
    assert_int_equal(symlink("all.json", "link.json"), 0);
    program_run(CLI_ENVIRONMENT, "export --output link.json");
    program_said("not a regular file; it was left alone");
    program_run(CLI_USAGE, "export --format csv --what all");
    program_said("--what 'all' needs --format json: a CSV file holds one table");
    program_run(CLI_USAGE, "export --what fils");
    program_said("did you mean 'fills'?");
    nothing_is_left_over();
}

/* ---- backup ---- */

static void a_copy_is_whole_and_does_not_trade(const char *name) {
    char line[128];
    unsigned posts = program.posts;
    is_private(name);
    snprintf(line, sizeof line, "orders --db %s", name);
    program_run(CLI_OK, line);
    program_said("D1        partially-filled");
    snprintf(line, sizeof line, "submit D3 buy 1 AAPL --db %s", name);
    program_run(CLI_NOT_TAKEN, line);
    program_said("the kill switch is on: backup: this is a copy made at 20");
    assert_int_equal(program.posts, posts);
    snprintf(line, sizeof line, "kill-switch off --why compared --db %s", name);
    program_run(CLI_OK, line);
    snprintf(line, sizeof line, "submit D3 buy 1 AAPL --db %s", name);
    program_run(CLI_OK, line);
    assert_int_equal(program.posts, posts + 1);
}

static void a_backup_is_whole_and_does_not_trade_unasked(void **state) {
    (void)state;
    trade();
    program_run(CLI_OK, "backup rest.db");
    program_said(
        "backup rest.db: checked; account A1, 2 orders, 1 position; its kill switch is on");
    running_start("");
    program_run(CLI_OK, "backup live.db");
    program_said(
        "backup live.db: checked; account A1, 2 orders, 1 position; its kill switch is on");
    running_tell(running.to_it, BUY("D9", "7"));
    running_answers("\"answer\":\"taken\""); /* the original trades on */
    running_await_posts(3);
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    nothing_is_left_over();
    a_copy_is_whole_and_does_not_trade("live.db");
}

static void a_backup_is_never_written_over_anything(void **state) {
    (void)state;
    trade();
    program_run(CLI_OK, "backup copy.db");
    program_run(CLI_ENVIRONMENT, "backup copy.db");
    program_said("oms: file copy.db: there is something there already; it was left alone");
    running_start("");
    program_run(CLI_ENVIRONMENT, "backup copy.db");
    program_run(CLI_ENVIRONMENT, "backup oms.db");
    program_said("it was left alone");
    assert_int_equal(symlink("nowhere", "link.db"), 0);
    program_run(CLI_ENVIRONMENT, "backup link.db");
    program_said("it was left alone");
    program_run(CLI_ENVIRONMENT, "backup nowhere/copy.db");
    program_said("No such file or directory");
    program_run(CLI_USAGE, "backup");
    program_said("must be one file");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    program_run(CLI_ENVIRONMENT, "backup other.db --db missing.db");
    assert_false(is_there("other.db"));
    nothing_is_left_over();
}

/* ---- an older copy is put back ---- */

static void copy_file(const char *from, const char *to) {
    char bytes[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    fclose(out);
    assert_int_equal(chmod(to, 0600), 0);
}

static void an_older_database_beside_its_fence_does_not_trade(void **state) {
    (void)state;
    trade();
    copy_file("oms.db", "old.db");
    program_run(CLI_OK, "reconcile"); /* there is nothing new; but the store has gone on */
    copy_file("old.db", "oms.db");
    program_run(CLI_NOT_TAKEN, "submit D3 buy 1 AAPL");
    program_said(
        "this store is older than the one that ran here: its newest comparison is 3, not 4");
    program_run(CLI_NOT_TAKEN, "submit D3 buy 1 AAPL");
    assert_int_equal(program.posts, 2);
    program_run(CLI_OK, "reconcile");
    program_said("1 comparison");
    program_run(CLI_OK, "kill-switch off --why compared");
    program_run(CLI_OK, "submit D3 buy 1 AAPL");
    assert_int_equal(program.posts, 3);
    program_run(CLI_OK, "export --what journal --format csv");
    program_said("kill-switch-on");
    program_said("kill-switch-off");
}

static void an_older_database_whose_fence_is_as_old_is_found_out_by_the_broker(void **state) {
    (void)state;
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 100 AAPL limit 150.25");
    copy_file("oms.db", "old.db");
    copy_file("oms.db-lock", "old.lock");
    program_run(CLI_OK, "submit D2 buy 5 MSFT limit 20");
    program_exchange.orders[1].status = BROKER_STATUS_FILLED;
    program_exchange.orders[1].filled_nanos = 5ll * DECIMAL_NANOS;
    snprintf(program_exchange.orders[1].status_text, sizeof program_exchange.orders[1].status_text,
             "filled");
    copy_file("old.db", "oms.db");
    copy_file("old.lock", "oms.db-lock");
    program_run(CLI_ENDED, "reconcile");
    program_said("CRITICAL ORPHAN_ORDER");
    program_run(CLI_NOT_TAKEN, "submit D2 buy 5 MSFT limit 20");
    program_said("the kill switch is on: comparison: ORPHAN_ORDER");
    assert_int_equal(program.posts, 2);
}

static void a_new_store_is_not_taken_for_an_old_one(void **state) {
    (void)state;
    trade();
    assert_int_equal(unlink("oms.db"), 0);
    assert_int_equal(unlink("oms.db-wal"), 0);
    memset(&program_exchange, 0, offsetof(struct small_exchange, refusal));
    program_run(CLI_OK, "init --account A2");
    program_run(CLI_OK, "submit D1 buy 1 AAPL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)
        T(orders_and_positions_are_shown_at_rest_and_by_a_running_one),
        T(an_export_is_exact_at_rest_and_from_a_running_one),
        T(an_export_that_fails_leaves_what_was_there),
        T(a_backup_is_whole_and_does_not_trade_unasked),
        T(a_backup_is_never_written_over_anything),
        T(an_older_database_beside_its_fence_does_not_trade),
        T(an_older_database_whose_fence_is_as_old_is_found_out_by_the_broker),
        T(a_new_store_is_not_taken_for_an_old_one),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
