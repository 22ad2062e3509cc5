/* The simulated disk keeps what a real one would, loses what a real one may, and nothing else. */
#include "sim/disk.h"
#include "sim/disk_file.h"
#include "sim/hash.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a port that dies at one call, makes one sync fail, and remembers what it was asked ---- */

struct rig {
    struct disk *disk;
    struct port port;
    unsigned calls;    /* asked so far */
    unsigned stop_at;  /* the call that dies, from 1; 0: none */
    bool after_effect; /* it dies after its effect */
    uint64_t hash_at_death;
    struct site fault_at; /* the next call of this site gets `fault` */
    struct port_answer fault;
    unsigned faults_fired;
    uint64_t trace;
    int64_t now_ns;
};

static void die(struct rig *rig) {
    rig->port.dead = true;
    rig->hash_at_death = disk_hash(rig->disk);
}

static struct port_answer rig_before(void *ctx, const struct port_call *call) {
    struct rig *rig = ctx;
    struct port_answer answer = {0};
    rig->calls++;
    rig->trace = hash_u64(rig->trace, site_index(call->site));
    rig->trace = hash_u64(rig->trace, (uint64_t)(call->offset * 65536 + call->length));
    if (rig->calls == rig->stop_at && !rig->after_effect)
        die(rig);
    if (rig->fault.act != ACT_NONE && site_index(call->site) == site_index(rig->fault_at)) {
        answer = rig->fault;
        rig->fault = (struct port_answer){0};
        rig->faults_fired++;
    }
    return answer;
}

static void rig_after(void *ctx, const struct port_call *call) {
    struct rig *rig = ctx;
    (void)call;
    if (rig->calls == rig->stop_at && rig->after_effect)
        die(rig);
}

static void rig_wait(void *ctx, int64_t until_ns) {
    struct rig *rig = ctx;
    rig->now_ns = until_ns;
}

static int64_t rig_now(void *ctx) {
    const struct rig *rig = ctx;
    return rig->now_ns;
}

static void rig_start(struct rig *rig, struct disk *disk) {
    *rig = (struct rig){.disk = disk};
    rig->port = (struct port){
        .ctx = rig, .before = rig_before, .after = rig_after, .wait = rig_wait, .now = rig_now};
    disk_vfs_attach("sim", disk, &rig->port, 7);
}

/* ---- SQL on the disk ---- */

static int run_sql(sqlite3 *db, const char *sql) {
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? rc : sqlite3_extended_errcode(db);
}

static int ask_number(sqlite3 *db, const char *sql, int64_t *number) {
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int open_store(const char *vfs, const char *synchronous, sqlite3 **db) {
    char pragmas[160];
    int flags = strcmp(vfs, "sim-peek") == 0 ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=0;"
             "SELECT count(*) FROM t;",
             synchronous);
    int rc = sqlite3_open_v2("oms.db", db, flags, vfs);
    return rc == SQLITE_OK ? run_sql(*db, pragmas) : rc;
}

static int create_store(sqlite3 **db) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2("oms.db", db, flags, "sim");
    return rc != SQLITE_OK ? rc
                           : run_sql(*db, "PRAGMA page_size=1024; PRAGMA locking_mode=EXCLUSIVE;"
                                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                          "CREATE TABLE t(id INTEGER PRIMARY KEY, what TEXT);");
}

/* A disk with an empty table `t` in WAL mode, closed cleanly. */
static struct disk *new_store(void) {
    struct disk *disk = disk_new();
    sqlite3 *db = NULL;
    disk_vfs_register();
    disk_vfs_attach("sim", disk, NULL, 1);
    assert_int_equal(create_store(&db), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return disk;
}

/* Rows are big enough to split pages, so that a checkpoint is more than one write. */
static int insert_row(sqlite3 *db, int id) {
    char sql[128];
    snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, printf('buy %%400d', %d))", id, id);
    return run_sql(db, sql);
}

/* Commits first..last, with a checkpoint after `checkpoint_after`, until something fails. Returns
 * the last row acknowledged, or `acknowledged` as given. */
static int commit_rows(sqlite3 *db, int first, int last, int checkpoint_after, int acknowledged) {
    for (int id = first; id <= last; id++) {
        if (insert_row(db, id) != SQLITE_OK)
            return acknowledged;
        acknowledged = id;
        if (id == checkpoint_after)
            sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return acknowledged;
}

static void end_without_change(struct disk *disk, sqlite3 *db) {
    uint64_t hash = disk_hash(disk);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(disk_hash(disk), hash);
}

static void end_process(struct rig *rig, sqlite3 *db) {
    if (!rig->port.dead)
        die(rig);
    uint64_t hash = rig->hash_at_death;
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(disk_hash(rig->disk), hash);
    assert_in_range(rig->port.dead_calls, 0, 100);
    disk_kill(rig->disk);
}

/* ---- judgement ---- */

struct tally {
    unsigned stops, worlds;
    unsigned lost;      /* an acknowledged row is missing */
    unsigned no_prefix; /* rows are not 1..n */
    unsigned corrupt;   /* cannot be read, or integrity_check complains */
    unsigned beyond; /* the row in flight is there: the enumeration sees both sides of a commit */
};

static void judge(struct disk *disk, int acknowledged, struct tally *tally) {
    sqlite3 *db = NULL;
    int64_t rows = -1, newest = -1, intact = 0;
    disk_vfs_attach("sim", disk, NULL, 3);
    int rc = open_store("sim", "FULL", &db);
    if (rc == SQLITE_OK)
        rc = ask_number(db, "SELECT count(*) FROM t", &rows);
    if (rc == SQLITE_OK)
        rc = ask_number(db, "SELECT ifnull(max(id), 0) FROM t", &newest);
    if (rc == SQLITE_OK)
        rc = ask_number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check", &intact);
    sqlite3_close(db);
    tally->worlds++;
    tally->corrupt += rc != SQLITE_OK || !intact;
    tally->no_prefix += rc == SQLITE_OK && rows != newest;
    tally->lost += rc == SQLITE_OK && newest < acknowledged;
    tally->beyond += rc == SQLITE_OK && newest > acknowledged;
}

static void judge_power_losses(const struct disk *disk, int acknowledged, struct tally *tally) {
    unsigned outcomes = disk_power_outcomes(disk, NULL);
    for (unsigned which = 0; which < outcomes; which++) {
        struct disk *world = disk_copy(disk);
        disk_power(world, which);
        judge(world, acknowledged, tally);
        disk_free(world);
    }
}

static void judge_kill(const struct disk *disk, int acknowledged, struct tally *tally) {
    struct disk *world = disk_copy(disk);
    judge(world, acknowledged, tally);
    disk_free(world);
}

static sqlite3_file *open_file(const char *vfs_name, const char *name, int flags) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    assert_int_equal(vfs->xOpen(vfs, name, file, flags, NULL), SQLITE_OK);
    return file;
}

static void close_file(sqlite3_file *file) {
    file->pMethods->xClose(file);
    free(file);
}

/* Writes every byte again, so that what a failed sync dropped becomes pending once more. */
static void scrub(const char *name) {
    sqlite3_file *file = open_file("sim", name, SQLITE_OPEN_READWRITE);
    sqlite3_int64 size = 0;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    for (sqlite3_int64 at = 0, step; at < size; at += step) {
        unsigned char bytes[1024];
        step = size - at < (int)sizeof bytes ? size - at : (int)sizeof bytes;
        assert_int_equal(file->pMethods->xRead(file, bytes, (int)step, at), SQLITE_OK);
        assert_int_equal(file->pMethods->xWrite(file, bytes, (int)step, at), SQLITE_OK);
    }
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
    close_file(file);
}

/* ---- SQLite over it: what each synchronous level promises ---- */

/* One life of six commits and a checkpoint, stopped at call k, before or after its effect, for all
 * k; then every power outcome and the kill. */
static struct tally sweep(const char *synchronous) {
    struct disk *store = new_store();
    struct tally tally = {0};
    for (bool finished = false; !finished; tally.stops++)
        for (int after = 0; after < 2; after++) {
            struct disk *disk = disk_copy(store);
            struct rig rig;
            sqlite3 *db = NULL;
            rig_start(&rig, disk);
            rig.stop_at = tally.stops + 1;
            rig.after_effect = after;
            int acknowledged = 0;
            if (open_store("sim", synchronous, &db) == SQLITE_OK)
                acknowledged = commit_rows(db, 1, 6, 3, 0);
            finished = !rig.port.dead;
            end_process(&rig, db);
            judge_power_losses(disk, acknowledged, &tally);
            judge_kill(disk, acknowledged, &tally);
            disk_free(disk);
        }
    disk_free(store);
    return tally;
}

static void full_loses_no_acknowledged_commit(void **state) {
    (void)state;
    struct tally tally = sweep("FULL");
    print_message("FULL: %u stops, %u worlds, %u with the commit in flight\n", tally.stops,
                  tally.worlds, tally.beyond);
    assert_in_range(tally.stops, 40, 1000);
    assert_in_range(tally.worlds, 500, 100000);
    assert_int_not_equal(tally.beyond, 0);
    assert_int_equal(tally.lost, 0);
    assert_int_equal(tally.no_prefix, 0);
    assert_int_equal(tally.corrupt, 0);
}

static void normal_loses_acknowledged_commits_but_never_integrity(void **state) {
    (void)state;
    struct tally tally = sweep("NORMAL");
    print_message("NORMAL: %u worlds, %u lost\n", tally.worlds, tally.lost);
    assert_int_not_equal(tally.lost, 0);
    assert_int_equal(tally.no_prefix, 0);
    assert_int_equal(tally.corrupt, 0);
}

static void off_corrupts(void **state) {
    (void)state;
    struct tally tally = sweep("OFF");
    print_message("OFF: %u worlds, %u lost, %u corrupt\n", tally.worlds, tally.lost, tally.corrupt);
    assert_int_not_equal(tally.lost, 0);
    assert_int_not_equal(tally.corrupt + tally.no_prefix, 0);
}

/* What is left of a creation that was stopped: no table yet, or an empty one. */
static bool is_before_or_after_creation(struct disk *disk, bool *created) {
    sqlite3 *db = NULL;
    int64_t rows = -1, tables = 0;
    disk_vfs_attach("sim", disk, NULL, 3);
    int rc = sqlite3_open_v2("oms.db", &db, SQLITE_OPEN_READWRITE, "sim");
    bool absent = rc == SQLITE_CANTOPEN;
    if (rc == SQLITE_OK)
        rc = run_sql(db, "PRAGMA locking_mode=EXCLUSIVE");
    if (rc == SQLITE_OK)
        rc = ask_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc == SQLITE_OK && tables == 1)
        rc = ask_number(db, "SELECT count(*) FROM t", &rows);
    sqlite3_close(db);
    *created = tables == 1 && rows == 0;
    return absent || (rc == SQLITE_OK && (tables == 0 || *created));
}

static void a_creation_cut_short_leaves_no_table_or_an_empty_one(void **state) {
    (void)state;
    unsigned worlds = 0, with_table = 0;
    bool finished = false;
    disk_vfs_register();
    for (unsigned stop = 1; !finished; stop++) {
        struct disk *disk = disk_new();
        struct rig rig;
        sqlite3 *db = NULL;
        rig_start(&rig, disk);
        rig.stop_at = stop;
        create_store(&db);
        finished = !rig.port.dead;
        end_process(&rig, db);
        for (unsigned i = 0, n = disk_power_outcomes(disk, NULL); i < n; i++, worlds++) {
            struct disk *world = disk_copy(disk);
            bool created;
            disk_power(world, i);
            assert_true(is_before_or_after_creation(world, &created));
            assert_true(created || !finished);
            with_table += created;
            disk_free(world);
        }
        disk_free(disk);
    }
    print_message("creation: %u worlds, %u with a table\n", worlds, with_table);
    assert_in_range(worlds, 20, 100000);
    assert_in_range(with_table, 1, worlds - 1);
}

/* ---- failed syncs ---- */

/* A store whose third commit met this answer at its sync; two rows are acknowledged. */
static struct disk *store_with_failed_third_commit(enum act act) {
    struct disk *disk = new_store();
    struct rig rig;
    sqlite3 *db = NULL;
    rig_start(&rig, disk);
    assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
    assert_int_equal(commit_rows(db, 1, 2, 0, 0), 2);
    rig.fault_at = (struct site){SITE_DISK_SYNC, ON_WAL};
    rig.fault = (struct port_answer){.act = act};
    assert_int_equal(insert_row(db, 3), SQLITE_IOERR_FSYNC);
    assert_int_equal(rig.faults_fired, 1);
    end_process(&rig, db);
    return disk;
}

static int64_t rows_on(struct disk *disk) {
    sqlite3 *db = NULL;
    int64_t rows = -1;
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    if (open_store("sim-peek", "FULL", &db) == SQLITE_OK)
        ask_number(db, "SELECT count(*) FROM t", &rows);
    sqlite3_close(db);
    return rows;
}

static int64_t rows_after_power(const struct disk *disk, const char *outcome) {
    struct disk *world = disk_copy(disk);
    unsigned which = 0;
    assert_true(disk_outcome_parse(world, outcome, &which));
    disk_power(world, which);
    int64_t rows = rows_on(world);
    disk_free(world);
    return rows;
}

static void a_dropped_sync_shows_the_row_until_power_is_lost(void **state) {
    (void)state;
    struct disk *disk = store_with_failed_third_commit(ACT_SYNC_DROPPED_CLEAN);
    assert_int_equal(disk_pending(disk), 0);
    assert_false(disk_is_clean(disk));
    assert_int_equal(rows_on(disk), 3);
    assert_int_equal(rows_after_power(disk, "all"), 2);
    disk_free(disk);
}

static void a_kept_dirty_sync_leaves_the_row_to_chance(void **state) {
    (void)state;
    struct disk *disk = store_with_failed_third_commit(ACT_SYNC_KEPT_DIRTY);
    assert_int_not_equal(disk_pending(disk), 0);
    assert_int_equal(rows_on(disk), 3);
    assert_int_equal(rows_after_power(disk, "none"), 2);
    assert_int_equal(rows_after_power(disk, "all"), 3);
    disk_free(disk);
}

/* The life after a dropped sync: restart, three commits with a checkpoint in between, stopped at
 * every call, then every power outcome. */
static struct tally sweep_after_dropped_sync(bool with_scrub) {
    struct disk *broken = store_with_failed_third_commit(ACT_SYNC_DROPPED_CLEAN);
    struct tally tally = {0};
    for (bool finished = false; !finished; tally.stops++) {
        struct disk *disk = disk_copy(broken);
        struct rig rig;
        sqlite3 *db = NULL;
        rig_start(&rig, disk);
        if (with_scrub) {
            scrub("oms.db");
            scrub("oms.db-wal");
        }
        rig.stop_at = rig.calls + tally.stops + 1;
        int acknowledged = 2;
        if (open_store("sim", "FULL", &db) == SQLITE_OK)
            acknowledged = commit_rows(db, 4, 6, 5, acknowledged);
        finished = !rig.port.dead;
        end_process(&rig, db);
        judge_power_losses(disk, acknowledged, &tally);
        disk_free(disk);
    }
    disk_free(broken);
    return tally;
}

static void without_scrub_a_dropped_sync_costs_later_acknowledged_commits(void **state) {
    (void)state;
    struct tally tally = sweep_after_dropped_sync(false);
    print_message("no scrub: %u worlds, %u lost, %u corrupt\n", tally.worlds, tally.lost,
                  tally.corrupt);
    assert_int_not_equal(tally.lost, 0);
}

static void with_scrub_a_dropped_sync_costs_nothing_acknowledged_later(void **state) {
    (void)state;
    struct tally tally = sweep_after_dropped_sync(true);
    print_message("scrub: %u stops, %u worlds\n", tally.stops, tally.worlds);
    assert_in_range(tally.worlds, 50, 100000);
    assert_int_equal(tally.lost, 0);
    assert_int_equal(tally.no_prefix, 0);
    assert_int_equal(tally.corrupt, 0);
}

static void a_failing_or_full_write_has_no_effect(void **state) {
    (void)state;
    static const struct {
        struct port_answer answer;
        int expected;
    } cases[] = {{{ACT_FULL, {0}}, SQLITE_FULL},
                 {{ACT_FAIL, {SQLITE_IOERR_WRITE}}, SQLITE_IOERR_WRITE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct disk *disk = new_store();
        struct rig rig;
        sqlite3 *db = NULL;
        rig_start(&rig, disk);
        assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
        assert_int_equal(commit_rows(db, 1, 2, 0, 0), 2);
        uint64_t before = disk_hash(disk);
        rig.fault_at = (struct site){SITE_DISK_WRITE, ON_WAL};
        rig.fault = cases[i].answer;
        assert_int_equal(insert_row(db, 3), cases[i].expected);
        assert_int_equal(rig.faults_fired, 1);
        assert_int_equal(disk_hash(disk), before);
        assert_int_equal(rows_on(disk), 2);
        end_process(&rig, db);
        disk_free(disk);
    }
}

/* ---- processes ---- */

static void a_commit_that_dies_after_its_sync_is_durable_and_not_answered(void **state) {
    (void)state;
    struct disk *disk = new_store();
    struct rig rig;
    sqlite3 *db = NULL;
    rig_start(&rig, disk);
    assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
    assert_int_equal(insert_row(db, 1), SQLITE_OK);
    assert_int_equal(insert_row(db, 2), SQLITE_OK);
    struct disk *one_row = disk_copy(disk);
    unsigned calls = rig.calls;
    assert_int_equal(insert_row(db, 3), SQLITE_OK);
    unsigned last_call = rig.calls - calls; /* the sync */
    end_process(&rig, db);
    rig_start(&rig, one_row);
    assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
    rig.stop_at = rig.calls + last_call;
    rig.after_effect = true;
    assert_int_equal(insert_row(db, 3), SQLITE_IOERR_FSYNC);
    end_process(&rig, db);
    assert_int_equal(rows_after_power(one_row, "none"), 3);
    disk_free(one_row);
    disk_free(disk);
}

static void a_second_process_is_locked_out_until_the_first_is_dead(void **state) {
    (void)state;
    struct disk *disk = new_store();
    struct rig rig;
    sqlite3 *first = NULL, *second = NULL;
    rig_start(&rig, disk);
    disk_vfs_attach("sim2", disk, NULL, 9);
    assert_int_equal(open_store("sim", "FULL", &first), SQLITE_OK);
    assert_int_equal(insert_row(first, 1), SQLITE_OK);
    assert_int_equal(open_store("sim2", "FULL", &second), SQLITE_BUSY);
    die(&rig); /* its handles are still open */
    assert_int_equal(run_sql(second, "SELECT count(*) FROM t"), SQLITE_OK);
    assert_int_equal(insert_row(second, 2), SQLITE_OK);
    assert_int_equal(sqlite3_close(second), SQLITE_OK);
    end_without_change(disk, first);
    assert_int_equal(rows_on(disk), 2);
    disk_vfs_attach("sim2", NULL, NULL, 0);
    disk_free(disk);
}

static void two_processes_share_reading_and_exclude_writing(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    sqlite3 *first = NULL, *second = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int64_t rows = 0;
    disk_vfs_register();
    disk_vfs_attach("sim", disk, NULL, 1);
    disk_vfs_attach("sim2", disk, NULL, 2);
    sqlite3_open_v2("oms.db", &first, flags, "sim");
    sqlite3_open_v2("oms.db", &second, flags, "sim2");
    assert_int_equal(run_sql(first, "CREATE TABLE t(id); INSERT INTO t VALUES(1);"), SQLITE_OK);
    assert_int_equal(run_sql(second, "BEGIN; SELECT * FROM t;"), SQLITE_OK);
    assert_int_equal(ask_number(first, "SELECT count(*) FROM t", &rows), SQLITE_OK);
    assert_int_equal(run_sql(first, "BEGIN; INSERT INTO t VALUES(2);"), SQLITE_OK);
    assert_int_equal(run_sql(first, "COMMIT"), SQLITE_BUSY);
    assert_int_equal(run_sql(second, "INSERT INTO t VALUES(3)"), SQLITE_BUSY);
    assert_int_equal(run_sql(second, "COMMIT"), SQLITE_OK);
    assert_int_equal(run_sql(first, "COMMIT"), SQLITE_OK);
    assert_int_equal(ask_number(second, "SELECT count(*) FROM t", &rows), SQLITE_OK);
    assert_int_equal(rows, 2);
    assert_int_equal(sqlite3_close(first), SQLITE_OK);
    assert_int_equal(sqlite3_close(second), SQLITE_OK);
    disk_free(disk);
}

static void a_waiting_writer_lets_no_new_reader_in(void **state) {
    (void)state;
    struct disk *disk = new_store();
    int busy = 0;
    disk_vfs_attach("sim2", disk, NULL, 2);
    sqlite3_file *writer = open_file("sim", "oms.db", SQLITE_OPEN_READWRITE);
    sqlite3_file *reader = open_file("sim2", "oms.db", SQLITE_OPEN_READWRITE);
    sqlite3_file *late = open_file("sim2", "oms.db", SQLITE_OPEN_READWRITE);
    const sqlite3_io_methods *call = writer->pMethods;
    assert_int_equal(call->xLock(reader, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(call->xLock(writer, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(call->xLock(writer, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(call->xCheckReservedLock(reader, &busy), SQLITE_OK);
    assert_int_equal(busy, 1);
    assert_int_equal(call->xLock(reader, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    assert_int_equal(call->xLock(writer, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
    assert_int_equal(call->xLock(late, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(call->xUnlock(reader, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(call->xLock(writer, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(call->xLock(reader, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    close_file(writer);
    assert_int_equal(call->xLock(reader, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    close_file(reader);
    close_file(late);
    disk_free(disk);
}

static void a_handle_of_an_earlier_life_is_harmless(void **state) {
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct disk *disk = new_store();
        struct rig rig, next;
        sqlite3 *old = NULL;
        rig_start(&rig, disk);
        assert_int_equal(open_store("sim", "FULL", &old), SQLITE_OK);
        assert_int_equal(insert_row(old, 1), SQLITE_OK);
        if (killed)
            disk_kill(disk);
        else
            rig_start(&next, disk);
        unsigned calls = rig.calls;
        uint64_t hash = disk_hash(disk);
        assert_int_not_equal(insert_row(old, 2), SQLITE_OK);
        end_without_change(disk, old);
        assert_int_equal(disk_hash(disk), hash);
        assert_int_equal(rig.calls, calls);
        assert_true(killed || next.calls == 0);
        assert_int_equal(rows_on(disk), 1);
        disk_free(disk);
    }
}

static void time_comes_from_the_port(void **state) {
    (void)state;
    struct disk *disk = new_store();
    struct rig rig;
    sqlite3 *db = NULL;
    int64_t seconds = 0;
    rig_start(&rig, disk);
    rig.now_ns = INT64_C(1700000000000000000);
    assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
    sqlite3_sleep(2000);
    assert_int_equal(ask_number(db, "SELECT strftime('%s', 'now')", &seconds), SQLITE_OK);
    assert_int_equal(seconds, 1700000002);
    end_process(&rig, db);
    disk_free(disk);
}

static void a_peek_shows_the_cache_with_its_wal_and_changes_nothing(void **state) {
    (void)state;
    struct disk *disk = new_store();
    struct rig rig;
    sqlite3 *db = NULL, *peek = NULL;
    assert_int_equal(rows_on(disk), 0); /* no WAL there yet */
    rig_start(&rig, disk);
    assert_int_equal(open_store("sim", "NORMAL", &db), SQLITE_OK);
    assert_int_equal(commit_rows(db, 1, 4, 2, 0), 4);
    uint64_t hash = disk_hash(disk);
    unsigned calls = rig.calls;
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    assert_int_equal(open_store("sim-peek", "FULL", &peek), SQLITE_OK);
    assert_int_equal(rows_on(disk), 4);
    assert_int_equal(insert_row(peek, 5) & 0xff, SQLITE_READONLY);
    assert_int_equal(sqlite3_close(peek), SQLITE_OK);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_not_equal(sqlite3_open_v2("new.db", &peek, flags, "sim-peek"), SQLITE_OK);
    sqlite3_close(peek);
    assert_int_equal(disk_hash(disk), hash);
    assert_int_equal(rig.calls, calls);
    assert_int_equal(insert_row(db, 5), SQLITE_OK);
    assert_int_equal(rows_on(disk), 5);
    end_process(&rig, db);
    disk_free(disk);
}

static void a_peek_refuses_to_write(void **state) {
    (void)state;
    struct disk *disk = new_store();
    uint64_t hash = disk_hash(disk);
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    sqlite3_vfs *vfs = sqlite3_vfs_find("sim-peek");
    sqlite3_file *file = open_file("sim-peek", "oms.db", SQLITE_OPEN_READWRITE);
    assert_int_equal(file->pMethods->xWrite(file, "x", 1, 0), SQLITE_READONLY);
    assert_int_equal(file->pMethods->xTruncate(file, 0), SQLITE_READONLY);
    assert_int_equal(vfs->xDelete(vfs, "oms.db", 0), SQLITE_READONLY);
    close_file(file);
    assert_int_equal(disk_hash(disk), hash);
    disk_free(disk);
}

static uint64_t hash_of_life(const struct disk *store, uint64_t seed, bool peeked,
                             uint64_t *trace) {
    struct disk *disk = disk_copy(store);
    struct rig rig;
    sqlite3 *db = NULL;
    rig_start(&rig, disk);
    disk_vfs_attach("sim", disk, &rig.port, seed);
    assert_int_equal(open_store("sim", "FULL", &db), SQLITE_OK);
    if (peeked)
        assert_int_equal(rows_on(disk), 0);
    assert_int_equal(commit_rows(db, 1, 2, 0, 0), 2);
    if (peeked)
        assert_int_equal(rows_on(disk), 2);
    assert_int_equal(commit_rows(db, 3, 5, 3, 0), 5);
    end_process(&rig, db);
    uint64_t hash = disk_hash(disk);
    *trace = rig.trace;
    disk_free(disk);
    return hash;
}

static void equal_lives_write_identical_bytes_peeked_at_or_not(void **state) {
    (void)state;
    struct disk *store = new_store();
    uint64_t first_trace, trace;
    uint64_t first = hash_of_life(store, 7, false, &first_trace);
    for (int i = 1; i < 100; i++) {
        assert_int_equal(hash_of_life(store, 7, i % 2, &trace), first);
        assert_int_equal(trace, first_trace);
    }
    assert_int_not_equal(hash_of_life(store, 8, false, &trace), first);
    disk_free(store);
}

/* ---- the disk by itself ---- */

static void write_text(struct disk *disk, const char *name, int64_t offset, const char *text) {
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE)
        slot = disk_slot_create(disk, name);
    assert_true(disk_slot_write(disk, slot, offset, text, (int)strlen(text)));
}

static void sync_file(struct disk *disk, const char *name) {
    disk_slot_sync(disk, disk_slot_find(disk, name));
}

static void assert_text(const struct disk *disk, const char *name, const char *expected) {
    char text[64] = {0};
    int64_t size = 0;
    assert_true(disk_file_size(disk, name, &size));
    assert_int_equal(size, strlen(expected));
    assert_true(disk_file_read(disk, name, 0, text, (int)size));
    assert_string_equal(text, expected);
}

/* "aaaa" on the device, then three pending writes over two files. */
static struct disk *disk_with_three_pending(void) {
    struct disk *disk = disk_new();
    write_text(disk, "a.db", 0, "aaaa");
    write_text(disk, "b.db", 0, "bbbb");
    sync_file(disk, "a.db");
    sync_file(disk, "b.db");
    write_text(disk, "a.db", 0, "XX");
    write_text(disk, "b.db", 2, "YY");
    write_text(disk, "a.db", 1, "ZZ");
    return disk;
}

static void power_keeps_exactly_the_chosen_operations_in_order(void **state) {
    (void)state;
    static const struct {
        const char *outcome, *a, *b;
    } cases[] = {{"none", "aaaa", "bbbb"},  {"0b001", "XXaa", "bbbb"}, {"0b010", "aaaa", "bbYY"},
                 {"0b011", "XXaa", "bbYY"}, {"0b100", "aZZa", "bbbb"}, {"0b101", "XZZa", "bbbb"},
                 {"0b110", "aZZa", "bbYY"}, {"all", "XZZa", "bbYY"},   {"0b1", "XXaa", "bbbb"}};
    struct disk *disk = disk_with_three_pending();
    assert_int_equal(disk_power_outcomes(disk, NULL), 8);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct disk *world = disk_copy(disk);
        unsigned which = 99;
        assert_true(disk_outcome_parse(world, cases[i].outcome, &which));
        disk_power(world, which);
        assert_text(world, "a.db", cases[i].a);
        assert_text(world, "b.db", cases[i].b);
        assert_true(disk_is_clean(world));
        disk_free(world);
    }
    disk_free(disk);
}

static void every_outcome_has_a_name_that_parses_back(void **state) {
    (void)state;
    struct disk *disk = disk_with_three_pending();
    for (unsigned pending = 3; pending < 40; pending++) {
        bool reduced;
        unsigned outcomes = disk_power_outcomes(disk, &reduced);
        assert_int_equal(disk_pending(disk), pending);
        assert_int_equal(reduced, pending > DISK_SUBSET_BITS);
        assert_int_equal(outcomes, reduced ? 3 * pending - 1 : 1u << pending);
        for (unsigned which = 0; which < outcomes; which++) {
            char name[DISK_OUTCOME_SIZE];
            unsigned parsed = outcomes;
            disk_outcome_name(disk, which, name, sizeof name);
            assert_true(disk_outcome_parse(disk, name, &parsed));
            assert_int_equal(parsed, which);
        }
        write_text(disk, "a.db", 4 + pending, "w");
    }
    static const char *const wrong[] = {"",       "some",  "0b", "0b2", "0b11111111111",
                                        "first0", "only99"};
    unsigned which;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(disk_outcome_parse(disk, wrong[i], &which));
    disk_free(disk);
}

/* No two outcomes of a reduced set are the same world when every write is its own byte. */
static void reduced_outcomes_are_different_worlds(void **state) {
    (void)state;
    enum { PENDING = 12, OUTCOMES = 3 * PENDING - 1 };
    struct disk *disk = disk_new();
    uint64_t hashes[OUTCOMES];
    write_text(disk, "a.db", 0, "------------");
    sync_file(disk, "a.db");
    for (int i = 0; i < PENDING; i++)
        write_text(disk, "a.db", i, "w");
    assert_int_equal(disk_power_outcomes(disk, NULL), OUTCOMES);
    for (unsigned which = 0; which < OUTCOMES; which++) {
        struct disk *world = disk_copy(disk);
        disk_power(world, which);
        hashes[which] = disk_hash(world);
        for (unsigned earlier = 0; earlier < which; earlier++)
            assert_int_not_equal(hashes[earlier], hashes[which]);
        disk_free(world);
    }
    disk_free(disk);
}

static void a_write_the_device_already_holds_is_no_choice(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    write_text(disk, "a.db", 0, "aaaa");
    sync_file(disk, "a.db");
    write_text(disk, "a.db", 1, "aa");
    assert_int_equal(disk_pending(disk), 0);
    assert_true(disk_is_clean(disk));
    write_text(disk, "a.db", 0, "X");
    write_text(disk, "a.db", 0, "a"); /* over a pending write it is one */
    assert_int_equal(disk_pending(disk), 2);
    write_text(disk, "a.db", 2, "a");
    assert_int_equal(disk_pending(disk), 2);
    disk_free(disk);
}

static void a_truncate_back_to_the_size_of_the_device_is_a_choice_after_growth(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    write_text(disk, "a.db", 0, "aaaa");
    sync_file(disk, "a.db");
    int slot = disk_slot_find(disk, "a.db");
    assert_true(disk_slot_truncate(disk, slot, 4));
    assert_int_equal(disk_pending(disk), 0);
    write_text(disk, "a.db", 4, "XX");
    assert_true(disk_slot_truncate(disk, slot, 4));
    assert_int_equal(disk_pending(disk), 2);
    disk_power(disk, 3);
    assert_text(disk, "a.db", "aaaa");
    disk_free(disk);
}

static void a_write_far_past_the_end_leaves_zeros_between(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    char bytes[1001];
    write_text(disk, "a.db", 0, "aaaa");
    sync_file(disk, "a.db");
    write_text(disk, "a.db", 4, "lost");
    write_text(disk, "a.db", 1000, "X");
    disk_power(disk, 2); /* the newest only */
    assert_true(disk_file_read(disk, "a.db", 0, bytes, sizeof bytes));
    assert_memory_equal(bytes, "aaaa\0\0\0\0", 8);
    assert_int_equal(bytes[999], 0);
    assert_int_equal(bytes[1000], 'X');
    disk_free(disk);
}

static void what_nobody_syncs_is_written_back_when_too_much_is_pending(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    char bytes[2];
    write_text(disk, "a.db", 0, "a");
    sync_file(disk, "a.db");
    for (int i = 0; i < DISK_PENDING_MAX; i++)
        write_text(disk, "a.db", 1 + i, i % 2 == 0 ? "x" : "y");
    assert_int_equal(disk_pending(disk), DISK_PENDING_MAX);
    write_text(disk, "a.db", 0, "z");
    assert_int_equal(disk_pending(disk), 1);
    disk_power(disk, 0);
    assert_true(disk_file_read(disk, "a.db", DISK_PENDING_MAX - 1, bytes, sizeof bytes));
    assert_memory_equal(bytes, "xy", 2);
    assert_true(disk_file_read(disk, "a.db", 0, bytes, 1));
    assert_int_equal(bytes[0], 'a');
    disk_free(disk);
}

static void after_a_dropped_sync_only_rewriting_makes_bytes_durable(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    write_text(disk, "a.db", 0, "aaaa");
    sync_file(disk, "a.db");
    write_text(disk, "a.db", 0, "XX");
    disk_slot_forget(disk, disk_slot_find(disk, "a.db"), false);
    write_text(disk, "a.db", 3, "Y");
    sync_file(disk, "a.db");
    struct disk *unscrubbed = disk_copy(disk);
    write_text(disk, "a.db", 0, "XXaY");
    assert_int_equal(disk_pending(disk), 1);
    sync_file(disk, "a.db");
    assert_true(disk_is_clean(disk));
    assert_text(unscrubbed, "a.db", "XXaY");
    assert_false(disk_is_clean(unscrubbed));
    disk_power(unscrubbed, 0);
    assert_text(unscrubbed, "a.db", "aaaY");
    disk_free(unscrubbed);
    disk_free(disk);
}

static void a_new_file_is_gone_after_power_loss_until_it_was_synced(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    int64_t size;
    write_text(disk, "a.db", 0, "aaaa");
    assert_int_equal(disk_power_outcomes(disk, NULL), 1);
    assert_false(disk_is_clean(disk));
    struct disk *synced = disk_copy(disk);
    sync_file(synced, "a.db");
    assert_int_equal(disk_cache_hash(synced), disk_cache_hash(disk));
    assert_int_not_equal(disk_hash(synced), disk_hash(disk));
    disk_power(disk, 0);
    disk_power(synced, 0);
    assert_false(disk_file_size(disk, "a.db", &size));
    assert_text(synced, "a.db", "aaaa");
    disk_free(disk);
    disk_free(synced);
}

static void the_name_of_an_empty_file_is_part_of_the_disk(void **state) {
    (void)state;
    struct disk *none = disk_new(), *named = disk_new(), *durable = disk_new();
    disk_slot_create(named, "oms.db-lock");
    disk_slot_sync(durable, disk_slot_create(durable, "oms.db-lock"));
    assert_int_not_equal(disk_hash(none), disk_hash(named));
    assert_int_not_equal(disk_hash(named), disk_hash(durable));
    assert_false(disk_equal(none, named));
    assert_false(disk_equal(named, durable));
    assert_false(disk_is_clean(named));
    assert_true(disk_is_clean(durable));
    disk_free(none);
    disk_free(named);
    disk_free(durable);
}

static void names_and_files_have_a_ceiling(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    char name[DISK_NAME_SIZE + 1];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    disk_vfs_register();
    disk_vfs_attach("sim", disk, NULL, 1);
    assert_int_equal(sqlite3_open_v2(name, &db, flags, "sim"), SQLITE_CANTOPEN);
    sqlite3_close(db);
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        snprintf(name, sizeof name, "%d.db", i);
        write_text(disk, name, 0, "x");
    }
    assert_int_equal(sqlite3_open_v2("more.db", &db, flags, "sim"), SQLITE_CANTOPEN);
    sqlite3_close(db);
    disk_free(disk);
}

static void copies_are_independent_and_equal_histories_hash_equal(void **state) {
    (void)state;
    struct disk *one = disk_with_three_pending(), *two = disk_with_three_pending();
    struct disk *copy = disk_copy(one);
    assert_int_equal(disk_hash(one), disk_hash(two));
    assert_int_equal(disk_hash(one), disk_hash(copy));
    assert_true(disk_equal(one, two));
    uint64_t hash = disk_hash(one), cache = disk_cache_hash(one);
    sync_file(copy, "a.db"); /* the same cache, another device */
    assert_int_equal(disk_cache_hash(copy), cache);
    assert_int_not_equal(disk_hash(copy), hash);
    assert_false(disk_equal(one, copy));
    write_text(copy, "a.db", 3, "C");
    assert_int_not_equal(disk_cache_hash(copy), cache);
    assert_int_equal(disk_hash(one), hash);
    assert_text(one, "a.db", "XZZa");
    write_text(one, "a.db", 3, "O");
    assert_text(copy, "a.db", "XZZC");
    disk_free(one);
    assert_text(copy, "a.db", "XZZC");
    disk_free(copy);
    disk_free(two);
}

static void the_order_of_files_and_of_independent_calls_is_told_apart(void **state) {
    (void)state;
    struct disk *one = disk_new(), *two = disk_new();
    write_text(one, "a.db", 0, "1");
    write_text(one, "b.db", 0, "2");
    write_text(two, "b.db", 0, "2");
    write_text(two, "a.db", 0, "1");
    assert_false(disk_equal(one, two)); /* pending operations have one order over all files */
    assert_int_not_equal(disk_hash(one), disk_hash(two));
    sync_file(one, "a.db");
    sync_file(one, "b.db");
    sync_file(two, "a.db");
    sync_file(two, "b.db");
    assert_true(disk_equal(one, two)); /* where a file has its slot means nothing */
    assert_int_equal(disk_hash(one), disk_hash(two));
    disk_free(one);
    disk_free(two);
}

static void damage_hits_the_cache_and_the_device(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    write_text(disk, "a.db", 0, "aaaa");
    sync_file(disk, "a.db");
    assert_true(disk_file_damage(disk, "a.db", 1, "!", 1));
    assert_false(disk_file_damage(disk, "a.db", 4, "!", 1));
    assert_false(disk_file_damage(disk, "b.db", 0, "!", 1));
    assert_text(disk, "a.db", "a!aa");
    disk_power(disk, 0);
    assert_text(disk, "a.db", "a!aa");
    write_text(disk, "a.db", 0, "XX"); /* what is pending may repair the device, not the cache */
    assert_true(disk_file_damage(disk, "a.db", 0, "?", 1));
    sync_file(disk, "a.db");
    assert_text(disk, "a.db", "?Xaa");
    assert_false(disk_is_clean(disk));
    assert_true(disk_file_remove(disk, "a.db"));
    assert_false(disk_file_remove(disk, "a.db"));
    disk_free(disk);
}

/* ---- the disk against a model that copies everything ---- */

enum { MODEL_SIZE = 20000, MODEL_OPS = 8 };
struct plain {
    int size;
    unsigned char bytes[MODEL_SIZE];
};
struct model {
    struct plain cache, device;
    int pending;
    struct model_op {
        bool truncate;
        int offset, length;
        unsigned char fill;
    } ops[MODEL_OPS];
};

static void plain_apply(struct plain *plain, struct model_op op) {
    int end = op.truncate ? op.offset : op.offset + op.length;
    if (op.truncate && end < plain->size)
        memset(plain->bytes + end, 0, (size_t)(plain->size - end));
    if (op.truncate || end > plain->size)
        plain->size = end;
    if (!op.truncate)
        memset(plain->bytes + op.offset, op.fill, (size_t)op.length);
}

static void assert_plain(const struct disk *disk, const struct plain *plain) {
    static unsigned char bytes[MODEL_SIZE];
    int64_t size = -1;
    assert_true(disk_file_size(disk, "m.db", &size));
    assert_int_equal(size, plain->size);
    assert_true(disk_file_read(disk, "m.db", 0, bytes, plain->size));
    assert_memory_equal(bytes, plain->bytes, (size_t)plain->size);
}

static unsigned draw(uint64_t *state, unsigned below) {
    *state = hash_u64(*state, 0x51);
    return (unsigned)(*state % below);
}

/* Loses power in a copy: the disk may keep fewer operations (no choices), so the model says which
 * worlds are possible and the disk's worlds "none" and "all" must be its first and last. */
static void assert_power(const struct disk *disk, const struct model *model) {
    static struct plain all;
    all = model->device;
    for (int i = 0; i < model->pending; i++)
        plain_apply(&all, model->ops[i]);
    for (int last = 0; last < 2; last++) {
        struct disk *world = disk_copy(disk);
        disk_power(world, last ? disk_power_outcomes(disk, NULL) - 1 : 0);
        assert_plain(world, last ? &all : &model->device);
        disk_free(world);
    }
}

static void a_disk_behaves_like_one_that_copies_everything(void **state) {
    (void)state;
    static struct model model;
    uint64_t chance = 42;
    struct disk *disk = disk_new(), *older = NULL;
    int slot = disk_slot_create(disk, "m.db");
    disk_slot_sync(disk, slot);
    for (int step = 0; step < 6000; step++) {
        unsigned what = draw(&chance, 12);
        struct model_op op = {.truncate = what == 0,
                              .offset = (int)draw(&chance, MODEL_SIZE - 3000),
                              .length = 1 + (int)draw(&chance, 3000),
                              .fill = (unsigned char)draw(&chance, 3)};
        if (what < 9 && model.pending < MODEL_OPS) {
            unsigned char bytes[3000];
            memset(bytes, op.fill, sizeof bytes);
            assert_true(op.truncate ? disk_slot_truncate(disk, slot, op.offset)
                                    : disk_slot_write(disk, slot, op.offset, bytes, op.length));
            plain_apply(&model.cache, op);
            model.ops[model.pending++] = op;
        } else if (what == 9) {
            disk_slot_forget(disk, slot, false);
            model.pending = 0;
        } else {
            disk_slot_sync(disk, slot);
            for (int i = 0; i < model.pending; i++)
                plain_apply(&model.device, model.ops[i]);
            model.pending = 0;
        }
        if (what == 11 && draw(&chance, 4) == 0) {
            disk_power(disk, 0);
            model.cache = model.device;
        }
        if (draw(&chance, 5) == 0) { /* sharing comes and goes */
            disk_free(older);
            older = disk_copy(disk);
        }
        assert_plain(disk, &model.cache);
        assert_power(disk, &model);
    }
    disk_free(older);
    disk_free(disk);
}

/* ---- names ---- */

static void site_names_parse_back(void **state) {
    (void)state;
    unsigned valid = 0;
    for (unsigned op = 0; op < SITE_OP_COUNT; op++)
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            struct site site = {(enum site_op)op, (enum site_object)on}, parsed;
            char name[SITE_NAME_SIZE];
            site_name(site, name);
            assert_int_equal(site_parse(name, &parsed), site_is_valid(site));
            if (!site_is_valid(site))
                continue;
            assert_int_equal(site_index(parsed), site_index(site));
            valid++;
        }
    assert_int_equal(valid, 8 * 5 + 2 + 7 + 2 * 7);
    char name[SITE_NAME_SIZE];
    assert_string_equal(site_name((struct site){SITE_DISK_SYNC, ON_WAL}, name), "disk.sync(wal)");
    assert_string_equal(site_name((struct site){SITE_BROKER_SUBMIT, ON_NONE}, name),
                        "broker.submit");
    struct site site;
    assert_false(site_parse("disk.sync", &site));
    assert_false(site_parse("disk.sync(wal) ", &site));
}

static void files_have_a_class(void **state) {
    (void)state;
    assert_int_equal(disk_class("oms.db"), ON_DB);
    assert_int_equal(disk_class("oms.db-wal"), ON_WAL);
    assert_int_equal(disk_class("oms.db-journal"), ON_JOURNAL);
    assert_int_equal(disk_class("oms.db-lock"), ON_LOCK);
    assert_int_equal(disk_class("notes"), ON_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(site_names_parse_back),
        cmocka_unit_test(files_have_a_class),
        cmocka_unit_test(power_keeps_exactly_the_chosen_operations_in_order),
        cmocka_unit_test(every_outcome_has_a_name_that_parses_back),
        cmocka_unit_test(reduced_outcomes_are_different_worlds),
        cmocka_unit_test(a_write_the_device_already_holds_is_no_choice),
        cmocka_unit_test(a_truncate_back_to_the_size_of_the_device_is_a_choice_after_growth),
        cmocka_unit_test(a_write_far_past_the_end_leaves_zeros_between),
        cmocka_unit_test(what_nobody_syncs_is_written_back_when_too_much_is_pending),
        cmocka_unit_test(after_a_dropped_sync_only_rewriting_makes_bytes_durable),
        cmocka_unit_test(a_new_file_is_gone_after_power_loss_until_it_was_synced),
        cmocka_unit_test(the_name_of_an_empty_file_is_part_of_the_disk),
        cmocka_unit_test(names_and_files_have_a_ceiling),
        cmocka_unit_test(copies_are_independent_and_equal_histories_hash_equal),
        cmocka_unit_test(the_order_of_files_and_of_independent_calls_is_told_apart),
        cmocka_unit_test(damage_hits_the_cache_and_the_device),
        cmocka_unit_test(a_disk_behaves_like_one_that_copies_everything),
        cmocka_unit_test(full_loses_no_acknowledged_commit),
        cmocka_unit_test(normal_loses_acknowledged_commits_but_never_integrity),
        cmocka_unit_test(off_corrupts),
        cmocka_unit_test(a_creation_cut_short_leaves_no_table_or_an_empty_one),
        cmocka_unit_test(a_dropped_sync_shows_the_row_until_power_is_lost),
        cmocka_unit_test(a_kept_dirty_sync_leaves_the_row_to_chance),
        cmocka_unit_test(without_scrub_a_dropped_sync_costs_later_acknowledged_commits),
        cmocka_unit_test(with_scrub_a_dropped_sync_costs_nothing_acknowledged_later),
        cmocka_unit_test(a_failing_or_full_write_has_no_effect),
        cmocka_unit_test(a_commit_that_dies_after_its_sync_is_durable_and_not_answered),
        cmocka_unit_test(time_comes_from_the_port),
        cmocka_unit_test(a_second_process_is_locked_out_until_the_first_is_dead),
        cmocka_unit_test(two_processes_share_reading_and_exclude_writing),
        cmocka_unit_test(a_waiting_writer_lets_no_new_reader_in),
        cmocka_unit_test(a_handle_of_an_earlier_life_is_harmless),
        cmocka_unit_test(a_peek_shows_the_cache_with_its_wal_and_changes_nothing),
        cmocka_unit_test(a_peek_refuses_to_write),
        cmocka_unit_test(equal_lives_write_identical_bytes_peeked_at_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
