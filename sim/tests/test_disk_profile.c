/* What kinds of disk do to unsynced writes when the power goes, what syncs that go wrong leave, and
 * damage to files at rest. */
#include "sim/disk.h"
#include "sim/disk_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { OLD_SIZE = 1536, WRITE_AT = 256, WRITE_LENGTH = 1536, NEW_SIZE = 1792 };

static struct disk *disk_of(const char *profile) {
    struct disk *disk = disk_new();
    assert_non_null(disk_profile_find(profile));
    disk_set_profile(disk, disk_profile_find(profile));
    return disk;
}

static void write_byte(struct disk *disk, const char *name, int64_t at, char byte, int length) {
    static char bytes[4096];
    int slot = disk_slot_find(disk, name);
    if (slot == DISK_NO_FILE)
        slot = disk_slot_create(disk, name);
    memset(bytes, byte, (size_t)length);
    assert_true(disk_slot_write(disk, slot, at, bytes, length));
}

static bool sync_file(struct disk *disk, const char *name) {
    return disk_slot_sync(disk, disk_slot_find(disk, name));
}

/* 1536 old bytes 'o' (3 sectors), then one write of 1536 bytes 'n' at 256: sectors 1 to 4, the last
 * one half past the old end. */
static struct disk *disk_with_a_write_under_way(const char *profile) {
    struct disk *disk = disk_of(profile);
    write_byte(disk, "a.db-wal", 0, 'o', OLD_SIZE);
    sync_file(disk, "a.db-wal");
    write_byte(disk, "a.db-wal", WRITE_AT, 'n', WRITE_LENGTH);
    return disk;
}

/* The file as runs of equal bytes: "o256n1280". Garbage is '?'. */
static const char *runs(const struct disk *disk, const char *name) {
    static char out[200];
    unsigned char bytes[4096];
    int64_t size = 0;
    size_t used = 0;
    out[0] = '\0';
    if (!disk_file_size(disk, name, &size))
        return "none";
    assert_true(size <= (int64_t)sizeof bytes && disk_file_read(disk, name, 0, bytes, (int)size));
    for (int64_t at = 0, from = 0; at < size; from = at) {
        bool known = bytes[at] == 'o' || bytes[at] == 'n' || bytes[at] == 0;
        char shown = bytes[at] == 0 ? '0' : known ? (char)bytes[at] : '?';
        while (at < size && (known ? bytes[at] == bytes[from]
                                   : bytes[at] != 'o' && bytes[at] != 'n' && bytes[at] != 0))
            at++;
        used += (size_t)snprintf(out + used, sizeof out - used, "%c%d", shown, (int)(at - from));
    }
    return out;
}

static void the_newest_survivor_is_damaged_as_the_profile_says(void **state) {
    (void)state;
    static const struct {
        const char *profile, *keep, *expected;
    } cases[] = {
        {"simple", "none", "o1536"},        {"simple", "all", "o256n1536"},
        {"ext4", "all", "o256n1536"},       {"ext4", "all+torn1", "o256n256o1024"},
        {"ext4", "all+torn3", "o256n1280"}, {"ext4", "all+tail1", "o1536n256"},
        {"ext4", "all+tail3", "o512n1280"}, {"ext4", "all+zeros", "o256n12800256"},
        {"btrfs", "all", "o256n1536"},      {"no-psow-512", "0b1+torn2", "o256n768o512"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct disk *disk = disk_with_a_write_under_way(cases[i].profile);
        unsigned which = 0;
        if (!disk_outcome_parse(disk, cases[i].keep, &which))
            fail_msg("%s has no outcome %s", cases[i].profile, cases[i].keep);
        disk_power(disk, which);
        assert_string_equal(runs(disk, "a.db-wal"), cases[i].expected);
        assert_true(disk_is_clean(disk));
        disk_free(disk);
    }
}

/* Bytes that were durable long ago are ruined with the sector. */
static void garbage_fills_one_sector_and_what_follows_did_not_land(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("no-psow-512");
    struct disk *large = disk_with_a_write_under_way("no-psow-4096");
    unsigned char bytes[512];
    unsigned which = 0, strange = 0;
    assert_true(disk_outcome_parse(disk, "all+garbage2", &which));
    disk_power(disk, which);
    assert_true(disk_file_read(disk, "a.db-wal", 512, bytes, 512));
    for (int i = 0; i < 512; i++)
        strange += bytes[i] != 'o' && bytes[i] != 'n';
    assert_true(strange > 450);
    assert_true(disk_file_read(disk, "a.db-wal", 0, bytes, 512));
    assert_true(bytes[255] == 'o' && bytes[256] == 'n' && bytes[511] == 'n');
    assert_true(disk_file_read(disk, "a.db-wal", 1024, bytes, 512) && bytes[0] == 'o');
    assert_true(disk_outcome_parse(large, "all+garbage1", &which));
    assert_false(disk_outcome_parse(large, "all+garbage2", &which)); /* it lies in one sector */
    disk_free(disk);
    disk_free(large);
}

/* Where overwriting is dangerous, writing what is there already is no longer nothing. */
static void rewriting_the_same_bytes_is_a_danger_only_without_power_safe_overwrite(void **state) {
    (void)state;
    for (size_t i = 0; disk_profile_at(i) != NULL; i++) {
        const struct disk_profile *profile = disk_profile_at(i);
        struct disk *disk = disk_of(profile->name);
        write_byte(disk, "a.db", 0, 'o', 1024);
        sync_file(disk, "a.db");
        write_byte(disk, "a.db", 0, 'o', 1024);
        /* none, all, and garbage in each sector it overlaps */
        unsigned sectors = profile->sector == 512 ? 2 : 1;
        assert_int_equal(disk_power_outcomes(disk, NULL), profile->power_safe ? 1 : 2 + sectors);
        disk_free(disk);
    }
}

static void
every_outcome_of_every_profile_has_a_name_and_without_damage_they_are_as_before(void **state) {
    (void)state;
    for (size_t i = 0; disk_profile_at(i) != NULL; i++) {
        struct disk *disk = disk_of(disk_profile_at(i)->name);
        write_byte(disk, "a.db-wal", 0, 'o', OLD_SIZE);
        sync_file(disk, "a.db-wal");
        for (unsigned pending = 1; pending < 13; pending++) {
            bool reduced = false, damage = disk_profile_at(i)->torn;
            write_byte(disk, "a.db-wal", 400 * (int64_t)pending, 'n', 600);
            unsigned outcomes = disk_power_outcomes(disk, &reduced);
            unsigned subsets = pending > DISK_SUBSET_BITS ? 3 * pending - 1 : 1u << pending;
            assert_true(damage ? outcomes > subsets : outcomes == subsets);
            assert_int_equal(reduced, pending > (damage ? DISK_DAMAGE_BITS : DISK_SUBSET_BITS));
            for (unsigned which = 0; which < outcomes; which += 1 + outcomes / 500) {
                char name[DISK_OUTCOME_SIZE];
                unsigned parsed = outcomes;
                disk_outcome_name(disk, which, name, sizeof name);
                assert_true(disk_outcome_parse(disk, name, &parsed));
                assert_int_equal(parsed, which);
            }
        }
        static const char *const wrong[] = {"all+torn", "all+torn99", "none+torn1",
                                            "+torn1",   "all+",       "all+zeros1"};
        unsigned which;
        for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++)
            assert_false(disk_outcome_parse(disk, wrong[w], &which));
        disk_free(disk);
    }
}

static void the_profile_is_part_of_the_value(void **state) {
    (void)state;
    struct disk *one = disk_with_a_write_under_way("ext4");
    struct disk *other = disk_with_a_write_under_way("xfs");
    struct disk *copy = disk_copy(one);
    assert_ptr_equal(disk_profile_of(copy), disk_profile_find("ext4"));
    assert_true(disk_equal(one, copy) && disk_hash(one) == disk_hash(copy));
    assert_false(disk_equal(one, other));
    assert_int_not_equal(disk_hash(one), disk_hash(other));
    disk_free(one);
    disk_free(other);
    disk_free(copy);
    assert_null(disk_profile_find("floppy"));
}

static void what_a_database_does_not_tell_is_told_aside(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("simple");
    uint64_t late = 0;
    write_byte(disk, "a.db", 0, 'o', 8);
    disk_slot_create(disk, "a.db-lock");
    assert_int_equal(disk_aside_hash(disk, "a.db"), 0);
    disk_slot_forget(disk, disk_slot_find(disk, "a.db-wal"), true);
    late = disk_aside_hash(disk, "a.db");
    assert_int_not_equal(late, 0);
    assert_false(sync_file(disk, "a.db-wal"));
    assert_int_equal(disk_aside_hash(disk, "a.db"), 0);
    write_byte(disk, "a.db-copy", 0, 'o', 8);
    assert_int_not_equal(disk_aside_hash(disk, "a.db"), 0);
    assert_true(disk_file_remove(disk, "a.db-copy"));
    disk_set_profile(disk, disk_profile_find("ext4"));
    assert_int_not_equal(disk_aside_hash(disk, "a.db"), 0);
    disk_free(disk);
}

/* ---- names ---- */

static void power(struct disk *disk, const char *keep) {
    unsigned which = 0;
    assert_true(disk_outcome_parse(disk, keep, &which));
    disk_power(disk, which);
}

static void a_name_needs_a_synced_folder(void **state) {
    (void)state;
    struct disk *disk = disk_of("xfs"), *with_log = NULL;
    write_byte(disk, "a.db", 0, 'o', 8);
    sync_file(disk, "a.db");
    with_log = disk_copy(disk);
    power(disk, "none");
    assert_string_equal(runs(disk, "a.db"), "none");
    /* The first sync of a log syncs the folder, and so every name in it. */
    write_byte(with_log, "a.db-wal", 0, 'n', 8);
    sync_file(with_log, "a.db-wal");
    power(with_log, "none");
    assert_string_equal(runs(with_log, "a.db"), "o8");
    assert_string_equal(runs(with_log, "a.db-wal"), "n8");
    disk_free(disk);
    disk_free(with_log);
}

static struct disk *disk_with_a_deleted_log(bool sync_folder) {
    struct disk *disk = disk_of("btrfs");
    write_byte(disk, "a.db-wal", 0, 'o', 8);
    sync_file(disk, "a.db-wal");
    disk_slot_delete(disk, disk_slot_find(disk, "a.db-wal"), sync_folder);
    assert_string_equal(runs(disk, "a.db-wal"), "none");
    return disk;
}

static void a_delete_may_be_undone_until_the_folder_is_synced(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_deleted_log(false), *kept = disk_copy(disk);
    struct disk *again = disk_copy(disk), *sure = disk_with_a_deleted_log(true);
    assert_int_equal(disk_power_outcomes(disk, NULL), 2);
    assert_int_equal(disk_power_outcomes(sure, NULL), 1);
    power(disk, "none");
    assert_string_equal(runs(disk, "a.db-wal"), "o8");
    power(kept, "all");
    assert_string_equal(runs(kept, "a.db-wal"), "none");
    /* A new file of that name: gone as long as its own name is not sure, and then the old is back. */
    write_byte(again, "a.db-wal", 0, 'n', 4);
    struct disk *synced = disk_copy(again);
    power(again, "none");
    assert_string_equal(runs(again, "a.db-wal"), "o8");
    sync_file(synced, "a.db-wal");
    assert_int_equal(disk_power_outcomes(synced, NULL), 1);
    power(synced, "none");
    assert_string_equal(runs(synced, "a.db-wal"), "n4");
    disk_free(disk);
    disk_free(kept);
    disk_free(again);
    disk_free(sure);
    disk_free(synced);
}

/* ---- syncs that go wrong ---- */

static void a_late_failure_is_told_by_the_next_sync_also_to_another_process(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("simple");
    struct disk *lost = NULL;
    disk_slot_forget(disk, disk_slot_find(disk, "a.db-wal"), true);
    assert_string_equal(runs(disk, "a.db-wal"), "o256n1536");
    assert_false(disk_is_clean(disk));
    disk_kill(disk);
    lost = disk_copy(disk);
    assert_true(disk_equal(lost, disk));
    assert_false(sync_file(disk, "a.db-wal"));
    assert_true(sync_file(disk, "a.db-wal")); /* once */
    assert_false(disk_equal(lost, disk));
    power(disk, "none");
    assert_string_equal(runs(disk, "a.db-wal"), "o1536");
    power(lost, "none"); /* the failure is gone with what failed */
    assert_true(sync_file(lost, "a.db-wal"));
    disk_free(disk);
    disk_free(lost);
}

static void a_reverted_file_reads_as_after_its_last_good_sync(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("simple");
    disk_slot_revert(disk, disk_slot_find(disk, "a.db-wal"));
    assert_string_equal(runs(disk, "a.db-wal"), "o1536");
    assert_true(disk_is_clean(disk));
    disk_free(disk);
}

/* ---- at rest ---- */

static void a_cut_file_is_cut_for_readers_and_for_power_losses(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("simple");
    assert_false(disk_file_cut(disk, "a.db-wal", NEW_SIZE));
    assert_false(disk_file_cut(disk, "b.db", 0));
    sync_file(disk, "a.db-wal");
    assert_true(disk_file_cut(disk, "a.db-wal", 300));
    assert_string_equal(runs(disk, "a.db-wal"), "o256n44");
    power(disk, "none");
    assert_string_equal(runs(disk, "a.db-wal"), "o256n44");
    disk_free(disk);
}

static void a_restored_disk_has_the_old_files_for_good_and_no_others(void **state) {
    (void)state;
    struct disk *disk = disk_with_a_write_under_way("ext4"), *backup = disk_copy(disk);
    write_byte(disk, "b.db", 0, 'n', 4);
    sync_file(disk, "b.db");
    assert_true(disk_file_remove(disk, "a.db-wal"));
    disk_restore(disk, backup, NULL);
    assert_string_equal(runs(disk, "b.db"), "none");
    assert_true(disk_is_clean(disk));
    power(disk, "none");
    assert_string_equal(runs(disk, "a.db-wal"), "o256n1536"); /* what was read when it was made */
    assert_ptr_equal(disk_profile_of(disk), disk_profile_find("ext4"));
    disk_free(disk);
    disk_free(backup);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_survivor_is_damaged_as_the_profile_says),
        cmocka_unit_test(garbage_fills_one_sector_and_what_follows_did_not_land),
        cmocka_unit_test(rewriting_the_same_bytes_is_a_danger_only_without_power_safe_overwrite),
        cmocka_unit_test(
            every_outcome_of_every_profile_has_a_name_and_without_damage_they_are_as_before),
        cmocka_unit_test(the_profile_is_part_of_the_value),
        cmocka_unit_test(what_a_database_does_not_tell_is_told_aside),
        cmocka_unit_test(a_name_needs_a_synced_folder),
        cmocka_unit_test(a_delete_may_be_undone_until_the_folder_is_synced),
        cmocka_unit_test(a_late_failure_is_told_by_the_next_sync_also_to_another_process),
        cmocka_unit_test(a_reverted_file_reads_as_after_its_last_good_sync),
        cmocka_unit_test(a_cut_file_is_cut_for_readers_and_for_power_losses),
        cmocka_unit_test(a_restored_disk_has_the_old_files_for_good_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
