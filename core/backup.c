/* A copy of the store that knows that it is one.
 *
 * Orders may have been sent since it was made. So its kill switch is on: whoever is started on it
 * compares itself with the broker and sends nothing until a person releases the switch, on record.
 * It needs no log beside it: it is one file, like a store that was closed in order. */
#include "core/engine.h"

#include <stdio.h>
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
