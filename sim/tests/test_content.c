/* The content hash says what SQLite would read, and nothing about how it was written. */
#include "sim/content.h"

#include "sim/disk.h"

#include <endian.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORE "oms.db"
enum { ROWS = 40, PAGE = 1024 };

static sqlite3 *open_on(struct disk *disk, uint64_t seed) {
    sqlite3 *db = NULL;
    disk_vfs_register();
    disk_vfs_attach("sim", disk, NULL, seed);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(STORE, &db, flags, "sim"), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA page_size=1024; PRAGMA locking_mode=EXCLUSIVE;"
                                  "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql) {
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void shut(sqlite3 *db, struct disk *disk) {
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    disk_kill(disk);
}

/* Enough rows for several pages, each commit writing some pages again. */
static void write_rows(sqlite3 *db, int first, int last) {
    char sql[120];
    for (int i = first; i <= last; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%d, hex(zeroblob(%d)))", i, 40 + i);
        run(db, sql);
    }
}

static struct disk *written(uint64_t seed, int rows) {
    struct disk *disk = disk_new();
    sqlite3 *db = open_on(disk, seed);
    run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, what)");
    write_rows(db, 1, rows);
    shut(db, disk);
    return disk;
}

static uint64_t content(const struct disk *disk) {
    uint64_t hash = 0;
    assert_true(content_hash(disk, STORE, &hash));
    return hash;
}

/* The hash of what SQLite itself reads: its pages, laid down as a file of their own. */
static uint64_t read_by_sqlite(struct disk *disk, uint64_t seed) {
    struct disk *plain = disk_new();
    sqlite3 *db = open_on(disk, seed);
    sqlite3_int64 size = 0;
    sqlite3_vfs *vfs = sqlite3_vfs_find("sim");
    const char *name = sqlite3_create_filename(STORE, "", "", 0, NULL);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    unsigned char *pages = sqlite3_serialize(db, "main", &size, 0);
    uint64_t hash = 0;
    assert_non_null(pages);
    shut(db, disk);
    disk_vfs_attach("sim", plain, NULL, 1);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    assert_int_equal(vfs->xOpen(vfs, name, file, flags, NULL), SQLITE_OK);
    assert_int_equal(file->pMethods->xWrite(file, pages, (int)size, 0), SQLITE_OK);
    file->pMethods->xClose(file);
    hash = content(plain);
    free(file);
    sqlite3_free_filename(name);
    sqlite3_free(pages);
    disk_free(plain);
    return hash;
}

static void it_is_the_hash_of_what_sqlite_reads(void **state) {
    (void)state;
    for (int rows = 0; rows <= ROWS; rows += 8) {
        struct disk *disk = written(7, rows);
        uint64_t hash = content(disk);
        assert_true(hash == read_by_sqlite(disk, 8));
        disk_free(disk);
    }
}

static void other_bytes_that_say_the_same_are_equal(void **state) {
    (void)state;
    struct disk *a = written(1, ROWS), *b = written(2, ROWS);
    assert_true(disk_cache_hash(a) != disk_cache_hash(b)); /* other salts */
    assert_true(content(a) == content(b));
    disk_free(a);
    disk_free(b);
}

static void another_row_is_another_content(void **state) {
    (void)state;
    struct disk *a = written(1, ROWS), *b = written(1, ROWS - 1);
    assert_true(content(a) != content(b));
    disk_free(a);
    disk_free(b);
}

static void a_checkpoint_changes_nothing(void **state) {
    (void)state;
    struct disk *disk = written(1, ROWS);
    uint64_t before = content(disk);
    sqlite3 *db = open_on(disk, 2);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    shut(db, disk);
    assert_true(content(disk) == before);
    disk_free(disk);
}

static void a_log_started_anew_hides_its_old_frames(void **state) {
    (void)state;
    struct disk *disk = written(1, ROWS);
    sqlite3 *db = open_on(disk, 2);
    run(db, "PRAGMA wal_checkpoint(RESTART)");
    write_rows(db, ROWS + 1, ROWS + 1); /* over the first frames; the old ones stay behind them */
    shut(db, disk);
    assert_true(content(disk) == read_by_sqlite(disk, 3));
    disk_free(disk);
}

static struct disk *written_on(const struct disk *start, int first, int last) {
    struct disk *disk = disk_copy(start);
    sqlite3 *db = open_on(disk, 9);
    write_rows(db, first, last);
    shut(db, disk);
    return disk;
}

static uint64_t as_sqlite_reads(const struct disk *disk) {
    struct disk *copy = disk_copy(disk);
    uint64_t hash = read_by_sqlite(copy, 5);
    disk_free(copy);
    return hash;
}

static void damage(struct disk *disk, int64_t offset);

/* `below` with the log of `above` written over the beginning of its own. */
static struct disk *overlaid(const struct disk *below, const struct disk *above) {
    struct disk *disk = disk_copy(below);
    int64_t size = 0;
    assert_true(disk_file_size(above, STORE "-wal", &size));
    unsigned char *bytes = malloc((size_t)size);
    assert_true(disk_file_read(above, STORE "-wal", 0, bytes, (int)size));
    assert_true(disk_file_damage(disk, STORE "-wal", 0, bytes, (int)size));
    free(bytes);
    return disk;
}

/* The same frames behind a header that is whole, but another one: none of them counts. */
static struct disk *with_another_header(const struct disk *from) {
    struct disk *disk = disk_copy(from);
    unsigned char header[32];
    uint32_t a = 0, b = 0, words[6];
    assert_true(disk_file_read(disk, STORE "-wal", 0, header, sizeof header));
    header[15]++; /* how often the log was started anew */
    memcpy(words, header, sizeof words);
    for (size_t i = 0; i < 6; i += 2) {
        bool big = (header[3] & 1) != 0;
        a += (big ? be32toh(words[i]) : le32toh(words[i])) + b;
        b += (big ? be32toh(words[i + 1]) : le32toh(words[i + 1])) + a;
    }
    a = htobe32(a);
    b = htobe32(b);
    memcpy(header + 24, &a, sizeof a);
    memcpy(header + 28, &b, sizeof b);
    assert_true(disk_file_damage(disk, STORE "-wal", 0, header, sizeof header));
    return disk;
}

/* One log and others that go on from it, lost its middle, have old frames behind them, or another
 * header in front: read in turn, longer and shorter. */
static void logs_of_one_beginning_do_not_mix(void **state) {
    (void)state;
    struct disk *start = written(1, 10);
    struct disk *longer = written_on(start, 11, 20), *other = written_on(start, 31, 31);
    struct disk *logs[] = {start,
                           longer,
                           other,
                           disk_copy(start),
                           with_another_header(start),
                           overlaid(longer, other)};
    enum { LOGS = sizeof logs / sizeof logs[0] };
    uint64_t hashes[LOGS];
    damage(logs[3], 32 + 3 * (24 + PAGE) + 500);
    for (size_t i = 0; i < LOGS; i++) {
        hashes[i] = as_sqlite_reads(logs[i]);
        for (size_t j = 0; j < i && i + 1 < LOGS; j++)
            assert_true(hashes[i] != hashes[j]);
    }
    assert_true(hashes[LOGS - 1] == hashes[2]); /* what lies behind does not count */
    for (size_t first = 0; first < LOGS; first++) {
        for (size_t second = 0; second < LOGS; second++) {
            assert_true(content(logs[first]) == hashes[first]);
            assert_true(content(logs[second]) == hashes[second]);
        }
    }
    for (size_t i = 0; i < LOGS; i++)
        disk_free(logs[i]);
}

static void damage(struct disk *disk, int64_t offset) {
    unsigned char byte = 0;
    assert_true(disk_file_read(disk, STORE "-wal", offset, &byte, 1));
    byte ^= 1;
    assert_true(disk_file_damage(disk, STORE "-wal", offset, &byte, 1));
}

/* Every byte of the last frame, one after the other: what SQLite then reads decides. */
static void a_damaged_frame_ends_the_log(void **state) {
    (void)state;
    struct disk *whole = written(1, 3);
    int64_t size = 0;
    assert_true(disk_file_size(whole, STORE "-wal", &size));
    uint64_t before = content(whole);
    unsigned hidden = 0;
    for (int64_t at = size - PAGE - 24; at < size; at += at < size - PAGE ? 1 : 61) {
        struct disk *disk = disk_copy(whole);
        damage(disk, at);
        assert_true(content(disk) == read_by_sqlite(disk, 5));
        hidden += content(disk) != before;
        disk_free(disk);
    }
    assert_true(hidden > 30);
    disk_free(whole);
}

static void a_damaged_log_header_empties_the_log(void **state) {
    (void)state;
    struct disk *whole = written(1, 3);
    for (int64_t at = 0; at < 32; at++) {
        struct disk *disk = disk_copy(whole);
        uint64_t hash = 0;
        damage(disk, at);
        if (content_hash(disk, STORE, &hash))
            assert_true(hash == read_by_sqlite(disk, 5));
        disk_free(disk);
    }
    disk_free(whole);
}

static void what_is_no_plain_store_has_no_content(void **state) {
    (void)state;
    struct disk *disk = disk_new();
    uint64_t hash = 0;
    assert_false(content_hash(disk, STORE, &hash)); /* no file */
    disk_free(disk);

    disk = written(1, 3);
    sqlite3 *db = open_on(disk, 2);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    shut(db, disk);
    assert_true(content_hash(disk, STORE, &hash));
    unsigned char rollback_mode[2] = {1, 1};
    assert_true(disk_file_damage(disk, STORE, 18, rollback_mode, 2));
    assert_false(content_hash(disk, STORE, &hash));
    disk_free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_hash_of_what_sqlite_reads),
        cmocka_unit_test(other_bytes_that_say_the_same_are_equal),
        cmocka_unit_test(another_row_is_another_content),
        cmocka_unit_test(a_checkpoint_changes_nothing),
        cmocka_unit_test(a_log_started_anew_hides_its_old_frames),
        cmocka_unit_test(logs_of_one_beginning_do_not_mix),
        cmocka_unit_test(a_damaged_frame_ends_the_log),
        cmocka_unit_test(a_damaged_log_header_empties_the_log),
        cmocka_unit_test(what_is_no_plain_store_has_no_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
