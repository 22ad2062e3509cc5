/* What is on record, and copies of it, when a part of it is in the archive. */
#include "core/tests/desk.h"
#include "core/tests/fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- stories ---- */

/* Executions come in another order than by symbol. */
static void trade(struct desk *desk) {
    desk_trade(desk, "D1", "MSFT", BROKER_BUY, 10, 400);
    desk_trade(desk, "D2", "AAPL", BROKER_BUY, 100, 150);
    desk_trade(desk, "D3", "MSFT", BROKER_SELL, 4, 401);
    desk_trade(desk, "D4", "AAPL", BROKER_BUY, 50, 141);
}

static void archive(struct desk *desk) {
    assert_int_equal(oms_request_archive(desk->oms), OMS_OK);
    settle(desk);
}

static void correct_the_second(struct desk *desk) {
    fake_correct(&desk->fake, desk->fake.fills.v[1].execution_id, "C1", 60 * UNIT, 149 * UNIT);
    assert_int_equal(oms_request_reconcile(desk->oms), OMS_OK);
    settle(desk);
}

static bool is_there(const char *path, int segment) {
    char name[160];
    (void)snprintf(name, sizeof name, "%s-archive%d", path, segment);
    return access(name, F_OK) == 0;
}

static void remove_all(const char *path) {
    char name[160];
    (void)unlink(path);
    for (int i = 1; i < 10; i++) {
        (void)snprintf(name, sizeof name, "%s-archive%d", path, i);
        (void)unlink(name);
    }
}

static void end(struct desk *desk) {
    desk_close(desk);
    remove_all(desk->path);
    desk_end(desk);
}

/* ---- what is told ---- */

/* A line for each row. */
struct told {
    char text[4096];
    size_t rows, most; /* most: then it ends; 0: never */
};

static bool tell(struct told *told, const char *kind, const char *id, const char *decision,
                 const char *refers) {
    const size_t length = strlen(told->text);
    (void)snprintf(told->text + length, sizeof told->text - length, "%s %s %s %s\n", kind, id,
                   decision, refers);
    return ++told->rows != told->most;
}

static bool tell_order(void *ctx, const struct oms_order *order) {
    return tell(ctx, "order", order->decision.id, oms_state_name(order->state), order->reason);
}

static bool tell_execution(void *ctx, const struct oms_execution *execution) {
    return tell(ctx, "execution", execution->execution_id, execution->decision_id,
                execution->refers);
}

static void read_all(struct desk *desk, struct told *told) {
    const struct oms_reader reader = {
        .ctx = told, .order = tell_order, .execution = tell_execution};
    *told = (struct told){.most = told->most};
    if (desk->oms != NULL) {
        assert_int_equal(oms_records(desk->oms, &reader, &desk->error), OMS_OK);
    } else {
        assert_int_equal(oms_records_at(&desk->place, &reader, &desk->error), OMS_OK);
    }
}

static void records_are_the_same_wherever_they_are(void **state) {
    static struct told live, archived, at_rest;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    trade(&desk);
    correct_the_second(&desk);
    read_all(&desk, &live);
    assert_int_equal(live.rows, 4 + 5);
    assert_non_null(strstr(live.text, "execution C1 D2 "));
    archive(&desk);
    assert_true(is_there(desk.path, 1));
    read_all(&desk, &archived);
    desk_close(&desk);
    read_all(&desk, &at_rest);
    assert_string_equal(at_rest.text, archived.text);
    assert_int_equal(archived.rows, live.rows);
    for (const char *line = live.text; *line != '\0'; line = strchr(line, '\n') + 1) {
        char one[512];
        (void)snprintf(one, sizeof one, "%.*s", (int)(strchr(line, '\n') + 1 - line), line);
        assert_non_null(strstr(archived.text, one));
    }
    end(&desk);
}

/* D1, D2 and D3 in one segment, each execution in its own time; D4 is live, D5 later. */
static void what_is_archived_is_told_first_by_time(void **state) {
    static struct told told;
    const char *at = told.text;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    trade(&desk);
    archive(&desk);
    desk_trade(&desk, "D5", "MSFT", BROKER_BUY, 1, 400);
    read_all(&desk, &told);
    for (int kind = 0; kind < 2; kind++) {
        for (int i = 1; i <= 5; i++) {
            char words[16];
            (void)snprintf(words, sizeof words, kind == 0 ? "order D%d" : " D%d ", i);
            at = strstr(at, words);
            assert_non_null(at);
        }
    }
    assert_int_equal(told.rows, 10);
    end(&desk);
}

static void a_reader_that_has_enough_is_told_no_more(void **state) {
    static struct told told;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    trade(&desk);
    archive(&desk);
    for (told.most = 1; told.most <= 8; told.most++) {
        read_all(&desk, &told);
        assert_int_equal(told.rows, told.most);
    }
    end(&desk);
}

/* ---- copies ---- */

static void copy_of(const struct desk *desk, char *path, size_t size) {
    (void)snprintf(path, size, "%s/copy.db", desk->directory);
}

/* The segment that the copy names is gone: another one has its name. */
static void a_copy_whose_segment_was_replaced_is_refused(void **state) {
    char path[128];
    struct oms_place copy = {.path = path};
    int64_t made = -1;
    struct desk desk;
    (void)state;
    desk_start(&desk, "alpaca");
    copy_of(&desk, path, sizeof path);
    trade(&desk);
    archive(&desk);
    assert_int_equal(oms_backup(desk.oms, path, "a copy", &desk.error), OMS_OK);
    correct_the_second(&desk);
    archive(&desk);
    assert_int_equal(oms_backup_archive(&desk.place, &copy, &made, &desk.error), OMS_CORRUPT);
    assert_non_null(strstr(desk.error.text, "it is not the one that the copy needs"));
    assert_int_equal(made, 0);
    assert_false(is_there(path, 1));
    remove_all(path);
    assert_int_equal(oms_backup(desk.oms, path, "a copy", &desk.error), OMS_OK);
    assert_int_equal(oms_backup_archive(&desk.place, &copy, &made, &desk.error), OMS_OK);
    assert_int_equal(made, 1);
    assert_int_equal(oms_backup_archive(&desk.place, &copy, &made, &desk.error), OMS_EXISTS);
    assert_int_equal(made, 0);
    remove_all(path);
    end(&desk);
}

/* Whichever call fails: it is said, and what was begun is counted. */
static void a_failing_disk_makes_no_copy(void **state) {
    char path[128];
    struct oms_place copy = {.vfs = "fault", .path = path};
    int64_t made = 0;
    struct desk desk;
    (void)state;
    desk_start_on_faults(&desk);
    copy_of(&desk, path, sizeof path);
    trade(&desk);
    archive(&desk);
    assert_int_equal(oms_backup(desk.oms, path, "a copy", &desk.error), OMS_OK);
    for (int at = 1;; at++) {
        fault_arm((struct fault_plan){.at = at, .code = SQLITE_IOERR_WRITE});
        const enum oms_code code = oms_backup_archive(&desk.place, &copy, &made, &desk.error);
        if (!fault_fired()) {
            assert_int_equal(code, OMS_OK);
            assert_true(at > 2);
            break;
        }
        assert_int_equal(code, OMS_STORAGE);
        assert_int_equal(made, is_there(path, 1));
        assert_non_null(strstr(desk.error.text, "copy.db-archive1"));
        remove_all(path);
        fault_arm((struct fault_plan){.at = 0});
        assert_int_equal(oms_backup(desk.oms, path, "a copy", &desk.error), OMS_OK);
    }
    remove_all(path);
    end(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_the_same_wherever_they_are),
        cmocka_unit_test(what_is_archived_is_told_first_by_time),
        cmocka_unit_test(a_reader_that_has_enough_is_told_no_more),
        cmocka_unit_test(a_copy_whose_segment_was_replaced_is_refused),
        cmocka_unit_test(a_failing_disk_makes_no_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
