/* A store of an older version, with everything in it that a store can hold, is migrated by a start
 * that dies at every call to its disk, before it and after its effect, by a kill and by every power
 * loss: what is left reads the same as before, and the next start completes it. */
#include "core/tests/desk.h"
#include "sim/disk.h"
#include "sim/sut/core_older.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_SIZE = 4000, CALLS_MAX = 1000 };
#define STORE "oms.db"

/* A process that dies at one of its calls; 0: at none. */
struct mortal {
    struct port port;
    int64_t now_ns;
    unsigned calls, dies_at;
    bool after_effect;
    bool full; /* the log cannot grow */
};

static struct port_answer note_call(void *ctx, const struct port_call *call) {
    struct mortal *mortal = ctx;
    mortal->calls++;
    mortal->port.dead = mortal->calls == mortal->dies_at && !mortal->after_effect;
    if (mortal->full && call->site.op == SITE_DISK_WRITE && call->site.on == ON_WAL) {
        return (struct port_answer){.act = ACT_FULL};
    }
    return (struct port_answer){.act = ACT_NONE};
}

static void note_effect(void *ctx, const struct port_call *call) {
    struct mortal *mortal = ctx;
    (void)call;
    mortal->port.dead = mortal->calls == mortal->dies_at;
}

static void pass_time(void *ctx, int64_t until_ns) {
    struct mortal *mortal = ctx;
    mortal->now_ns = until_ns;
}

static int64_t show_time(void *ctx) {
    const struct mortal *mortal = ctx;
    return mortal->now_ns;
}

static void attach(struct disk *disk, struct mortal *mortal, unsigned dies_at, bool after_effect) {
    *mortal = (struct mortal){.port = {.ctx = mortal,
                                       .before = note_call,
                                       .after = note_effect,
                                       .wait = pass_time,
                                       .now = show_time},
                              .now_ns = FAKE_START_S * SECOND,
                              .dies_at = dies_at,
                              .after_effect = after_effect};
    disk_vfs_attach("sim", disk, &mortal->port, 1);
}

/* ---- what a store says ---- */

static void say_orders(const struct oms_view *view, char *words) {
    for (size_t i = 0; i < view->order_count; i++) {
        const struct oms_order *order = &view->orders[i];
        const size_t used = strlen(words);
        snprintf(words + used, WORDS_SIZE - used, "%s %s %s %s %lld %d '%s'\n", order->decision.id,
                 order->client_order_id, order->broker_order_id, oms_state_name(order->state),
                 (long long)order->filled_nanos, order->sends, order->reason);
    }
}

static void what_it_says(struct disk *disk, char words[WORDS_SIZE]) {
    static const struct oms_place place = {.vfs = "sim-peek", .path = STORE};
    struct oms_error error = {""};
    struct oms_view view;
    size_t used;

    words[0] = '\0';
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    if (oms_view_at(&place, true, &view, &error) != OMS_OK) {
        fail_msg("%s", error.text);
    }
    say_orders(&view, words);
    used = strlen(words);
    assert_int_equal(view.position_count, 2);
    snprintf(words + used, WORDS_SIZE - used, "%lld at %lld, %lld at %lld, gained %lld; %s",
             (long long)view.positions[0].qty_nanos, (long long)view.positions[0].avg_price_nanos,
             (long long)view.positions[1].qty_nanos, (long long)view.positions[1].avg_price_nanos,
             (long long)(view.profits[0].realized / 1000000000), view.kill_reason);
    oms_view_free(&view);
}

static int version_of(struct disk *disk) {
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    int version = 0;
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    assert_int_equal(sqlite3_open_v2(STORE, &db, SQLITE_OPEN_READONLY, "sim-peek"), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    version = sqlite3_column_int(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return version;
}

/* ---- the story ---- */

/* Openings, an order filled and corrected, one filled in part, one refused, one held, a tripped
 * kill switch; then it is as version 3 would have left it. */
static void live(struct desk *desk, struct disk *disk) {
    static const struct oms_opening openings[] = {{"AAPL", 50 * UNIT, 140 * UNIT},
                                                  {"MSFT", -5 * UNIT, 400 * UNIT}};
    desk_prepare(desk, "alpaca");
    desk->place = (struct oms_place){.vfs = "sim", .path = STORE};
    desk->config.page_size = 1024;
    broker_positions_add(&desk->fake.extra)[0] = (struct broker_position){
        .symbol = "MSFT", .qty_nanos = -5 * UNIT, .avg_price_nanos = 400 * UNIT};
    broker_positions_add(&desk->fake.extra)[0] = (struct broker_position){
        .symbol = "AAPL", .qty_nanos = 50 * UNIT, .avg_price_nanos = 140 * UNIT};
    disk_vfs_attach("sim", disk, NULL, 1);
    desk_make_with(desk, openings, 2);
    desk_open(desk);
    settle(desk);
    take(desk, "D1");
    settle(desk);
    fake_fill(&desk->fake, NULL, 100 * UNIT, 150 * UNIT);
    pass(desk, 3 * SECOND);
    take(desk, "D2");
    settle(desk);
    fake_fill(&desk->fake, NULL, 40 * UNIT, 149 * UNIT);
    pass(desk, 3 * SECOND);
    fake_script(&desk->fake, FAKE_REJECT);
    take(desk, "D3");
    settle(desk);
    assert_int_equal(oms_kill_switch(desk->oms, true, "night", "closing time", &desk->error),
                     OMS_OK);
    desk_close(desk);
    assert_true(core_make_older("sim", STORE, 3));
    disk_power(disk, 0); /* all of it is on the device */
    assert_int_equal(version_of(disk), 3);
}

/* The next start completes the migration, and what it says has not changed. */
static void goes_on(struct desk *desk, struct disk *disk, const char *said) {
    char words[WORDS_SIZE];
    const int before = version_of(disk);

    assert_true(before == 3 || before == 4);
    what_it_says(disk, words);
    assert_string_equal(words, said);
    disk_vfs_attach("sim", disk, NULL, 2);
    desk_open(desk);
    desk_close(desk);
    assert_int_equal(version_of(disk), 4);
    what_it_says(disk, words);
    assert_string_equal(words, said);
}

static unsigned every_loss(struct desk *desk, const struct disk *dead, const char *said) {
    bool reduced = false;
    const unsigned outcomes = disk_power_outcomes(dead, &reduced);

    assert_false(reduced);
    for (unsigned i = 0; i < outcomes; i++) {
        struct disk *after = disk_copy(dead);
        disk_power(after, i);
        goes_on(desk, after, said);
        disk_free(after);
    }
    return outcomes;
}

static void a_start_that_migrates_dies_at_every_call(void **state) {
    struct disk *disk = disk_new();
    struct desk desk;
    char said[WORDS_SIZE];
    unsigned deaths = 0, losses = 0;
    (void)state;
    disk_vfs_register();
    live(&desk, disk);
    what_it_says(disk, said);
    assert_non_null(strstr(said, "rejected"));
    assert_non_null(strstr(said, "partially-filled"));
    assert_non_null(strstr(said, "closing time"));
    for (unsigned n = 2;; n++) { /* even: before call n / 2, odd: after its effect */
        struct disk *dying = disk_copy(disk);
        struct mortal mortal;
        attach(dying, &mortal, n / 2, n % 2 == 1);
        const enum oms_code code = desk_try_open(&desk);
        const bool died = mortal.port.dead;
        if (!died) {
            assert_int_equal(code, OMS_OK);
        }
        desk_close(&desk);
        if (died) {
            struct disk *killed = disk_copy(dying);
            disk_kill(killed);
            goes_on(&desk, killed, said);
            disk_free(killed);
            losses += every_loss(&desk, dying, said);
            deaths++;
        }
        disk_free(dying);
        assert_true(n < CALLS_MAX);
        if (!died) {
            break;
        }
    }
    assert_true(deaths > 50);
    assert_true(losses > 200);
    desk_end(&desk);
    disk_free(disk);
}

/* A disk that is full when the step wants to write: nothing of it is done, and the start says so. */
static void no_room_for_the_step_leaves_the_old_version(void **state) {
    struct disk *disk = disk_new();
    struct desk desk;
    char said[WORDS_SIZE], words[WORDS_SIZE];
    (void)state;
    disk_vfs_register();
    live(&desk, disk);
    what_it_says(disk, said);
    struct mortal mortal;
    attach(disk, &mortal, 0, false);
    mortal.full = true;
    assert_int_equal(desk_try_open(&desk), OMS_STORAGE);
    assert_non_null(strstr(desk.error.text, "from schema version 3 to 4"));
    assert_int_equal(version_of(disk), 3);
    what_it_says(disk, words);
    assert_string_equal(words, said);
    goes_on(&desk, disk, said);
    desk_end(&desk);
    disk_free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_that_migrates_dies_at_every_call),
        cmocka_unit_test(no_room_for_the_step_leaves_the_old_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
