/* What operators read and take away of a store with an archive, at rest and from a running process,
 * with the built program. */
#include "core/live/alpaca.h"
#include "core/live/cli.h"
#include "core/live/clock.h"
#include "sim/tests/running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a store with an archive ---- */

/* Does what is due. */
static bool settle(struct oms *oms) {
    struct oms_next next;
    struct oms_error error;
    for (oms_next(oms, &next); next.work != OMS_WORK_NONE && next.work != OMS_WORK_POLL;
         oms_next(oms, &next))
        if (oms_step(oms, &error) != OMS_OK)
            return false;
    return true;
}

/* In a process of its own: the exchange is served here. */
static int archive_there(void) {
    const struct profile *profile = profile_find("alpaca");
    struct alpaca_config wire = {.url = getenv("APCA_API_BASE_URL"),
                                 .key_id = PROGRAM_KEY_ID,
                                 .secret = PROGRAM_SECRET,
                                 .profile = profile};
    struct oms_config config = {.profile = profile, .account = "A1"};
    struct oms_place place = {.path = "oms.db"};
    struct clock_env clock = {.halt_path = "no-halt"};
    struct oms_env env;
    struct broker broker;
    struct oms_error error;
    struct oms *oms = NULL;
    struct alpaca *alpaca = alpaca_open(&wire, error.text, sizeof error.text);
    if (alpaca == NULL)
        return 1;
    alpaca_broker(alpaca, &broker);
    clock_env(&clock, &env);
    bool done = oms_open(&oms, &place, &config, &broker, &env, &error) == OMS_OK && settle(oms) &&
                oms_request_archive(oms) == OMS_OK && settle(oms);
    oms_close(oms);
    alpaca_close(alpaca);
    return done ? 0 : 1;
}

static void archive_now(void) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(archive_there());
    assert_int_equal(program_finish(child), 0);
}

/* The exchange executes its order `n` whole, at its own time plus so much. */
static void execute(size_t n, const char *id, int64_t after_ns) {
    struct broker_order *order = &program_exchange.orders[n];
    struct broker_fill *fill = &program_exchange.fills[program_exchange.fills_n++];
    struct broker_position *position = &program_exchange.positions[n == 1 ? 1 : 0];
    order->status = BROKER_STATUS_FILLED;
    order->filled_nanos = order->qty_nanos;
    snprintf(order->status_text, sizeof order->status_text, "filled");
    *fill = (struct broker_fill){.side = BROKER_BUY,
                                 .qty_nanos = order->qty_nanos,
                                 .price_nanos = order->limit_nanos,
                                 .at_ns = program_exchange.now_ns + after_ns};
    snprintf(fill->execution_id, sizeof fill->execution_id, "%s", id);
    memcpy(fill->order_id, order->id, sizeof fill->order_id);
    memcpy(fill->symbol, order->symbol, sizeof fill->symbol);
    memcpy(position->symbol, order->symbol, sizeof position->symbol);
    position->qty_nanos += order->qty_nanos;
    position->avg_price_nanos = order->limit_nanos;
}

/* D1 and D2 in one segment, D3 in the next, D4 live. */
static void trade_and_archive(void) {
    program_run(CLI_OK, "init --account A1");
    program_run(CLI_OK, "submit D1 buy 10 AAPL limit 150");
    program_run(CLI_OK, "submit D2 buy 7 MSFT limit 400");
    program_run(CLI_OK, "submit D3 buy 5 AAPL limit 150");
    execute(0, "e-D1", 2);
    execute(1, "e-D2", 1);
    execute(2, "e-D3", 3);
    program_exchange.positions_n = 2;
    program_run(CLI_OK, "reconcile");
    archive_now();
    program_run(CLI_OK, "submit D4 buy 1 AAPL limit 150");
    archive_now();
    assert_true(is_there("oms.db-archive2"));
    assert_false(is_there("oms.db-archive3"));
}

/* The program said these, one after another. */
static void program_said_in_order(const char *const words[], size_t count) {
    const char *at = program.output;
    for (size_t i = 0; i < count; i++) {
        at = strstr(at, words[i]);
        if (at == NULL)
            fail_msg("'%s' is not in its place in:\n%s", words[i], program.output);
    }
}

/* ---- shown and exported ---- */

static void what_is_archived_is_shown(void) {
    static const char *const orders[] = {"\r\nD1,filled,", "\r\nD2,filled,", "\r\nD3,filled,",
                                         "\r\nD4,working,"};
    static const char *const fills[] = {"\r\ne-D2,D2,MSFT,buy,7,400,",
                                        "\r\ne-D1,D1,AAPL,buy,10,150,",
                                        "\r\ne-D3,D3,AAPL,buy,5,150,"};
    program_run(CLI_OK, "export --format csv");
    program_said_in_order(orders, 4);
    program_run(CLI_OK, "export --format csv --what fills");
    program_said_in_order(fills, 3);
    program_run(CLI_OK, "export --what all");
    program_said("\"decision\":\"D1\",\"state\":\"filled\"");
    program_said("\"execution_id\":\"e-D1\",\"decision\":\"D1\"");
    program_run(CLI_OK, "orders");
    program_said("1 of 1 order\nand 3 finished in the archive: --archived shows them, too\n");
    program_did_not_say("D1");
    program_run(CLI_OK, "orders --json");
    program_said("\"archived_left_out\":3}");
    program_run(CLI_OK, "orders --archived --symbol AAPL");
    program_said("3 of 4 orders\n");
    program_run(CLI_OK, "orders --decision D1");
    program_said("D1        filled  buy   10   10      AAPL    150.00");
    program_said("1 of 4 orders\n");
    program_run(CLI_OK, "orders --decision D9");
    program_said("0 of 4 orders\n");
}

static void what_is_archived_is_shown_at_rest_and_by_a_running_one(void **state) {
    (void)state;
    trade_and_archive();
    what_is_archived_is_shown();
    running_start("");
    what_is_archived_is_shown();
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
}

/* ---- backup ---- */

/* The copy, put in another folder under another name, knows its archive, and misses it. */
static void a_copy_knows_its_archive(const char *name) {
    char from[64], to[64], line[128];
    unsigned posts = program.posts;
    assert_int_equal(mkdir("desk", 0700), 0);
    for (int i = 0; i < 3; i++) {
        snprintf(from, sizeof from, i == 0 ? "%s" : "%s-archive%d", name, i);
        snprintf(to, sizeof to, i == 0 ? "desk/d.db" : "desk/d.db-archive%d", i);
        is_private(from);
        assert_int_equal(rename(from, to), 0);
    }
    snprintf(line, sizeof line, "%s-archive3", name);
    assert_false(is_there(line));
    program_run(CLI_OK, "status --db desk/d.db");
    program_said("and 3 finished in the archive");
    program_run(CLI_OK, "submit D1 buy 10 AAPL limit 150 --db desk/d.db");
    program_run(CLI_NOT_TAKEN, "submit D9 buy 10 AAPL limit 150 --db desk/d.db");
    assert_int_equal(program.posts, posts);
    assert_int_equal(unlink("desk/d.db-archive2"), 0);
    program_run(CLI_ENVIRONMENT, "status --db desk/d.db");
    program_said("segment 2 of its archive is missing: copy all of them, -archive1 to -archive2,");
    assert_int_equal(unlink("desk/d.db-archive1"), 0);
    assert_int_equal(unlink("desk/d.db"), 0);
}

static void a_backup_has_its_archive(void **state) {
    (void)state;
    trade_and_archive();
    program_run(CLI_OK, "backup rest.db");
    program_said("backup rest.db: checked; account A1, 1 order and 3 in the archive, 2 positions;");
    running_start("");
    program_run(CLI_OK, "backup live.db");
    program_said("backup live.db: checked; account A1, 1 order and 3 in the archive, 2 positions;");
    running_tell(running.to_it, BUY("D1", "10"));
    running_answers("\"D1\",\"answer\":\"known\""); /* the original has its own still */
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    nothing_is_left_over();
    a_copy_knows_its_archive("live.db");
}

static void put_byte(const char *name, long at, char byte) {
    FILE *file = fopen(name, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte, file), byte);
    assert_int_equal(fclose(file), 0);
}

/* Whatever stops it, nothing of the copy is there. */
static void backup_fails(const char *why) {
    program_run(CLI_ENVIRONMENT, "backup copy.db");
    program_said(why);
    program_did_not_say("checked");
    assert_false(is_there("copy.db"));
    assert_false(is_there("copy.db-archive1"));
    nothing_is_left_over();
}

static void a_backup_whose_archive_cannot_be_copied_leaves_nothing(void **state) {
    (void)state;
    trade_and_archive();
    FILE *old = fopen("copy.db-archive2", "w");
    fputs("another's", old);
    fclose(old);
    backup_fails("copy.db-archive2: there is something there already; it was left alone");
    running_start("");
    backup_fails("copy.db-archive2: there is something there already; it was left alone");
    assert_int_equal(running_stop(SIGTERM), CLI_OK);
    assert_string_equal(file_text("copy.db-archive2"), "another's");
    assert_int_equal(unlink("copy.db-archive2"), 0);
    put_byte("oms.db-archive2", 100, '~');
    backup_fails("oms.db-archive2: it is not the one that the copy needs");
    assert_false(is_there("copy.db-archive2"));
    assert_int_equal(unlink("oms.db-archive2"), 0);
    backup_fails("segment 2 of the archive, ");
    assert_false(is_there("copy.db-archive2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, running_setup, running_teardown)
        T(what_is_archived_is_shown_at_rest_and_by_a_running_one),
        T(a_backup_has_its_archive),
        T(a_backup_whose_archive_cannot_be_copied_leaves_nothing),
#undef T
    };
    return program_open() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
