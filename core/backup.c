/* A copy of the store that knows that it is one, and of its archive.
 *
 * Orders may have been sent since it was made. So its kill switch is on: whoever is started on it
 * compares itself with the broker and sends nothing until a person releases the switch, on record.
 * It needs no log beside it: like a store that was closed in order, it is the database and its
 * archive. */
#include "core/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The copy is in rollback mode while it is made, with its journal in memory: if this is cut short,
 * it is thrown away. */
static int prepare(sqlite3 *copy) {
    return sqlite3_exec(copy,
                        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; "
                        "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=FULL",
                        NULL, NULL, NULL);
}

static int copy_pages(sqlite3 *from, sqlite3 *to) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int rc;

    if (backup == NULL) {
        return sqlite3_errcode(to);
    }
    rc = sqlite3_backup_step(backup, -1);
    (void)sqlite3_backup_finish(backup);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int mark(struct store *copy, int64_t at_ns, const char *why) {
    struct store_meta meta = {.kill_switch = false};
    char reason[OMS_REASON_SIZE];
    int rc = store_meta(copy, &meta);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
    }
    (void)snprintf(reason, sizeof reason, "backup: %.100s%s%.100s", why,
                   meta.kill_switch ? "; and before: " : "",
                   meta.kill_switch ? meta.kill_reason : "");
    rc = store_begin(copy);
    if (rc == SQLITE_OK) {
        rc = store_put_kill_switch(copy, true, reason);
    }
    if (rc == SQLITE_OK) {
        rc = store_put_switching(copy, at_ns, true, "backup", why);
    }
    if (rc == SQLITE_OK) {
        rc = store_commit(copy) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
    }
    return rc;
}

static enum oms_code make(const struct store *store, const char *path, int64_t at_ns,
                          const char *why, struct oms_error *error) {
    struct store copy = {.vfs = store->vfs};
    int rc = sqlite3_open_v2(path, &copy.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             store->vfs->zName);

    if (rc == SQLITE_OK) {
        rc = prepare(copy.db);
    }
    if (rc == SQLITE_OK) {
        rc = copy_pages(store->db, copy.db);
    }
    if (rc == SQLITE_OK) {
        rc = prepare(copy.db);
    }
    if (rc == SQLITE_OK) {
        rc = mark(&copy, at_ns, why);
    }
    if (rc != SQLITE_OK) {
        text_error(error, "backup %s: %s", path, sqlite3_errstr(rc));
    }
    store_close(&copy);
    return rc == SQLITE_OK ? OMS_OK : OMS_INVALID;
}

enum oms_code oms_backup(struct oms *oms, const char *path, const char *why,
                         struct oms_error *error) {
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return make(&oms->store, path, engine_now(oms), why, error);
}

enum oms_code oms_backup_at(const struct oms_place *place, const char *path, int64_t at_ns,
                            const char *why, struct oms_error *error) {
    struct store store = {0};
    enum oms_code code = store_peek(&store, place, true, error);

    if (code == OMS_OK) {
        code = make(&store, path, at_ns, why, error);
    }
    store_close(&store);
    return code;
}

/* ---- the archive ---- */

/* One segment; nothing may be in its place. *made: its file was begun. */
static enum oms_code copy_segment(struct store *from, struct store *to,
                                  const struct segment_row *row, bool *made,
                                  struct oms_error *error) {
    const long long id = (long long)row->id;
    unsigned char *bytes = NULL;
    bool exists = false;
    enum oms_code code = store_segment_exists(to, row->id, &exists, error);
    int rc;

    *made = false;
    if (code != OMS_OK) {
        return code;
    }
    if (exists) {
        text_error(error, "backup %s-archive%lld: there is something there already", to->path, id);
        return OMS_EXISTS;
    }
    rc = store_segment_read(from, row, &bytes);
    if (rc != SQLITE_OK) {
        const bool other = (rc & 0xff) == SQLITE_CORRUPT;
        text_error(error, "segment %lld of the archive, %s-archive%lld: %s", id, from->path, id,
                   other ? "it is not the one that the copy needs: it has just been replaced (make "
                           "another copy), or it is damaged"
                         : sqlite3_errstr(rc));
        return other ? OMS_CORRUPT : OMS_STORAGE;
    }
    *made = true;
    rc = store_segment_write(to, row->id, bytes, (size_t)row->size);
    free(bytes);
    if (rc != SQLITE_OK) {
        text_error(error, "backup %s-archive%lld: %s", to->path, id, sqlite3_errstr(rc));
    }
    return rc == SQLITE_OK ? OMS_OK : OMS_STORAGE;
}

static enum oms_code copy_segments(struct store *from, struct store *to, int64_t *made,
                                   struct oms_error *error) {
    struct archive archive = {0};
    enum oms_code code = archive_load_named(&archive, to, false, error);

    for (size_t i = 0; code == OMS_OK && i < archive.count; i++) {
        bool begun;
        code = copy_segment(from, to, &archive.rows[i], &begun, error);
        *made += begun;
    }
    archive_free(&archive);
    return code;
}

enum oms_code oms_backup_archive(const struct oms_place *place, const struct oms_place *copy,
                                 int64_t *made, struct oms_error *error) {
    struct store from = {0}, to = {0};
    enum oms_code code;

    *made = 0;
    code = store_peek(&to, copy, false, error);
    if (code == OMS_OK) {
        code = store_find(&from, place, error);
    }
    if (code == OMS_OK) {
        code = copy_segments(&from, &to, made, error);
    }
    store_close(&from);
    store_close(&to);
    return code;
}
