/* A desk for tests: a directory on the real file system, a scripted broker, one instance. */
#include "core/tests/desk.h"

#include "core/tests/fault_vfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void desk_make_with(struct desk *desk, const struct oms_opening *opening, size_t count) {
    const struct oms_env env = fake_env(&desk->fake);
    assert_int_equal(oms_init(&desk->place, &desk->config, &env, opening, count, &desk->error),
                     OMS_OK);
}

void desk_prepare(struct desk *desk, const char *profile) {
    memset(desk, 0, sizeof *desk);
    (void)snprintf(desk->directory, sizeof desk->directory, "/tmp/oms-test-XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    (void)snprintf(desk->path, sizeof desk->path, "%s/oms.db", desk->directory);
    desk->place = (struct oms_place){.vfs = NULL, .path = desk->path};
    desk->config = (struct oms_config){.profile = profile_find(profile), .account = "DESK1"};
    fake_start(&desk->fake);
    desk->fake.deduplicates = desk->config.profile->deduplicates;
}

enum oms_code desk_try_open(struct desk *desk) {
    const struct broker broker = fake_broker(&desk->fake);
    const struct oms_env env = fake_env(&desk->fake);
    return oms_open(&desk->oms, &desk->place, &desk->config, &broker, &env, &desk->error);
}

void desk_open(struct desk *desk) {
    const enum oms_code code = desk_try_open(desk);
    if (code != OMS_OK) {
        fail_msg("open: %s", desk->error.text);
    }
}

void desk_start_on_faults(struct desk *desk) {
    fault_register();
    fault_arm((struct fault_plan){.at = 0});
    desk_prepare(desk, "alpaca");
    desk->place.vfs = "fault";
    desk->config.no_checkpoint_on_close = true;
    desk_make_with(desk, NULL, 0);
    desk_open(desk);
    settle(desk);
    fake_forget_log(&desk->fake);
}

void desk_start(struct desk *desk, const char *profile) {
    desk_prepare(desk, profile);
    desk_make_with(desk, NULL, 0);
    desk_open(desk);
    assert_int_equal(fake_settle(desk->oms, &desk->fake, 100), OMS_OK);
    fake_forget_log(&desk->fake);
}

void desk_close(struct desk *desk) {
    oms_close(desk->oms);
    desk->oms = NULL;
}

void copy_file(const char *from, const char *to) {
    char block[4096];
    const int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t length;
    assert_true(in >= 0 && out >= 0);
    while ((length = read(in, block, sizeof block)) > 0) {
        assert_int_equal(write(out, block, (size_t)length), length);
    }
    assert_int_equal(close(in), 0);
    assert_int_equal(close(out), 0);
}

void desk_kill(struct desk *desk) {
    char log[128], saved[128], saved_log[128];
    (void)snprintf(log, sizeof log, "%s-wal", desk->path);
    (void)snprintf(saved, sizeof saved, "%s.saved", desk->path);
    (void)snprintf(saved_log, sizeof saved_log, "%s-wal.saved", desk->path);
    copy_file(desk->path, saved);
    copy_file(log, saved_log);
    desk_close(desk);
    assert_int_equal(rename(saved, desk->path), 0);
    assert_int_equal(rename(saved_log, log), 0);
}

void desk_end(struct desk *desk) {
    static const char *const endings[] = {"", "-wal", "-lock", "-journal"};
    desk_close(desk);
    fake_free(&desk->fake);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "%s%s", desk->path, endings[i]);
        (void)unlink(name);
    }
    assert_int_equal(rmdir(desk->directory), 0);
}

struct oms_decision decision_of(const char *id) {
    struct oms_decision decision = {.side = BROKER_BUY,
                                    .type = BROKER_LIMIT,
                                    .tif = BROKER_DAY,
                                    .qty_nanos = 100 * UNIT,
                                    .limit_nanos = 150 * UNIT};
    (void)snprintf(decision.id, sizeof decision.id, "%s", id);
    (void)snprintf(decision.symbol, sizeof decision.symbol, "AAPL");
    return decision;
}

struct oms_answer decide(struct desk *desk, const struct oms_decision *decision) {
    struct oms_answer answer;
    assert_int_equal(oms_decide(desk->oms, decision, &answer, &desk->error), OMS_OK);
    return answer;
}

struct oms_answer take(struct desk *desk, const char *id) {
    const struct oms_decision decision = decision_of(id);
    const struct oms_answer answer = decide(desk, &decision);
    if (answer.taken != OMS_TAKEN) {
        fail_msg("%s", answer.reason);
    }
    return answer;
}

void settle(struct desk *desk) {
    assert_int_equal(fake_settle(desk->oms, &desk->fake, 1000), OMS_OK);
}

void pass(struct desk *desk, int64_t ns) {
    assert_int_equal(fake_pass(desk->oms, &desk->fake, ns), OMS_OK);
}

struct oms_order order_of(struct desk *desk, const char *id) {
    struct oms_order found = {.client_order_id = ""};
    struct oms_view view;
    assert_int_equal(oms_view(desk->oms, &view, &desk->error), OMS_OK);
    for (size_t i = 0; i < view.order_count; i++) {
        if (strcmp(view.orders[i].decision.id, id) == 0) {
            found = view.orders[i];
        }
    }
    oms_view_free(&view);
    assert_true(found.client_order_id[0] != '\0');
    return found;
}

void assert_state(struct desk *desk, const char *id, enum oms_state state) {
    const struct oms_order order = order_of(desk, id);
    if (order.state != state) {
        fail_msg("%s is %s (%s), not %s", id, oms_state_name(order.state), order.reason,
                 oms_state_name(state));
    }
}

void run_sql_on(struct desk *desk, const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(desk->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t ask_sql_on(struct desk *desk, const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int64_t answer;
    assert_int_equal(sqlite3_open(desk->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    answer = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return answer;
}

void desk_trade(struct desk *desk, const char *id, const char *symbol, enum broker_side side,
                int64_t qty, int64_t price) {
    struct oms_decision decision = decision_of(id);
    (void)snprintf(decision.symbol, sizeof decision.symbol, "%s", symbol);
    decision.side = side;
    decision.qty_nanos = qty * UNIT;
    assert_int_equal(decide(desk, &decision).taken, OMS_TAKEN);
    settle(desk);
    fake_fill(&desk->fake, NULL, qty * UNIT, price * UNIT);
    pass(desk, 3 * SECOND);
}
