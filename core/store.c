/* The store's opening: settings that are read back, integrity, making one, looking, transactions. */
#include "core/store.h"

#include "core/check.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE_DEFAULT = 4096, WAL_HEADER = 32, WAL_FRAME_HEADER = 24 };

const char *store_message(const struct store *store) {
    return store->db != NULL ? sqlite3_errmsg(store->db) : "not open";
}

enum oms_code store_code(int rc) {
    switch (rc & 0xff) {
    case SQLITE_OK:
        return OMS_OK;
    case SQLITE_BUSY:
        return OMS_LOCKED;
    case SQLITE_NOTADB:
        return OMS_FOREIGN;
    case SQLITE_CORRUPT:
        return OMS_CORRUPT;
    default: /* result codes are no enum: all others are the store failing */
        return OMS_STORAGE;
    }
}

enum oms_code store_refuse(const struct store *store, int rc, const char *what,
                           struct oms_error *error) {
    text_error(error, "store %s: %s: %s", store->path, what, store_message(store));
    return store_code(rc);
}

enum oms_code store_was_read(const struct store *store, int rc, struct oms_error *error) {
    if (rc == SQLITE_DONE) {
        return OMS_OK;
    }
    text_error(error, "store %s: cannot read it: %s", store->path, sqlite3_errstr(rc));
    return store_code(rc) == OMS_OK ? OMS_STORAGE : store_code(rc);
}

int store_ask(struct store *store, const char *sql, char *out, size_t size) {
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);

    out[0] = '\0';
    while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        text_clean(out, size, text != NULL ? text : "");
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Runs a PRAGMA and insists on what it must answer. */
static enum oms_code insist(struct store *store, const char *pragma, const char *wanted,
                            struct oms_error *error) {
    char answer[64];
    const int rc = store_ask(store, pragma, answer, sizeof answer);

    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, pragma, error);
    }
    if (strcmp(answer, wanted) != 0) {
        text_error(error, "store %s: %s answered \"%s\", it must be \"%s\"", store->path, pragma,
                   answer, wanted);
        return OMS_STORAGE;
    }
    return OMS_OK;
}

/* Tells how long the log is after a commit; anything but SQLITE_OK would make a commit look failed.
 */
static int note_frames(void *context, sqlite3 *db, const char *name, int frames) {
    struct store *store = context;
    (void)db;
    (void)name;
    store->frames = frames;
    store->frames_known = true;
    return SQLITE_OK;
}

enum oms_code store_open_database(struct store *store, int flags, struct oms_error *error) {
    const int rc = sqlite3_open_v2(store->path, &store->db, flags, store->vfs->zName);

    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, "cannot open it", error);
    }
    (void)sqlite3_extended_result_codes(store->db, 1);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return OMS_OK;
}

/* Before anything else is asked: with the lock mode set first there is no shared memory file. */
static enum oms_code lock_alone(struct store *store, struct oms_error *error) {
    return insist(store, "PRAGMA locking_mode=EXCLUSIVE", "exclusive", error);
}

enum oms_code store_settings(struct store *store, struct oms_error *error) {
    char nothing[8];
    enum oms_code code = insist(store, "PRAGMA journal_mode=WAL", "wal", error);
    int rc;

    if (code != OMS_OK) {
        return code;
    }
    rc = store_ask(store, "PRAGMA synchronous=FULL", nothing, sizeof nothing);
    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, "PRAGMA synchronous=FULL", error);
    }
    code = insist(store, "PRAGMA synchronous", "2", error);
    if (code == OMS_OK) {
        code = insist(store, "PRAGMA wal_autocheckpoint=0", "0", error);
    }
    (void)sqlite3_wal_hook(store->db, note_frames, store);
    return code;
}

enum oms_code store_integrity(struct store *store, struct oms_error *error) {
    char answer[OMS_REASON_SIZE];
    const int rc = store_ask(store, "PRAGMA integrity_check", answer, sizeof answer);

    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, "integrity check", error);
    }
    if (strcmp(answer, "ok") != 0) {
        text_error(error, "store %s: integrity check: %s", store->path, answer);
        return OMS_CORRUPT;
    }
    return store_check_schema(store, error);
}

static enum oms_code settle_mark(struct store *store, struct oms_error *error) {
    const int rc = store_mark_settle(store, &store->mark);

    if (rc != SQLITE_OK) {
        text_error(error, "store %s: cannot read and sync %s: %s", store->path, store->fence_path,
                   sqlite3_errstr(rc));
        return OMS_STORAGE;
    }
    return OMS_OK;
}

static enum oms_code open_scrubbed(struct store *store, struct oms_error *error) {
    enum oms_code code = store_open_database(store, SQLITE_OPEN_READWRITE, error);

    if (code == OMS_OK) {
        code = lock_alone(store, error);
    }
    if (code == OMS_OK) {
        code = store_identity(store, error);
    }
    if (code == OMS_OK) {
        code = store_settings(store, error);
    }
    return code == OMS_OK ? store_integrity(store, error) : code;
}

enum oms_code store_open(struct store *store, const struct oms_place *place,
                         struct oms_error *error) {
    bool exists = false;
    enum oms_code code = store_find(store, place, error);

    if (code == OMS_OK) {
        code = store_exists(store, store->path, &exists, NULL, error);
    }
    if (code == OMS_OK && !exists) {
        text_error(error,
                   "store %s: there is no database; an empty one would forget every order, so "
                   "it is made on purpose only",
                   store->path);
        code = OMS_MISSING;
    }
    if (code == OMS_OK) {
        code = store_take_fence(store, error);
    }
    if (code == OMS_OK) {
        code = settle_mark(store, error);
    }
    if (code == OMS_OK) {
        code = store_scrub(store, error);
    }
    if (code == OMS_OK) {
        code = store_scrub_end(store, open_scrubbed(store, error), error);
    }
    return code == OMS_OK ? store_migrate(store, error) : code;
}

/* ---- making one ---- */

static int write_opening(struct store *store, const struct oms_opening *opening) {
    struct position position = {.opening_qty = opening->qty_nanos,
                                .opening_price = opening->price_nanos};
    memcpy(position.symbol, opening->symbol, sizeof position.symbol);
    position_reset(&position);
    return store_put_position(store, &position);
}

static int write_schema(struct store *store, const char *account, int64_t now_ns,
                        const struct oms_opening *opening, size_t opening_count) {
    int rc = store_make_tables(store);

    if (rc == SQLITE_OK) {
        rc = store_put_meta(store, account, now_ns);
    }
    for (size_t i = 0; rc == SQLITE_OK && i < opening_count; i++) {
        rc = write_opening(store, &opening[i]);
    }
    /* last: a store without its application_id is unfinished */
    return rc == SQLITE_OK ? store_put_identity(store) : rc;
}

/* Is there nothing here that anybody could miss? */
static enum oms_code insist_on_nothing(struct store *store, struct oms_error *error) {
    char answer[16];
    int rc = store_ask(store, "SELECT count(*) FROM sqlite_schema", answer, sizeof answer);

    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_NOTADB) {
        return store_refuse(store, rc, "cannot look whether something is there", error);
    }
    if (rc != SQLITE_OK || strcmp(answer, "0") != 0) {
        text_error(error, "store %s: there is something there already; it was left alone",
                   store->path);
        return OMS_EXISTS;
    }
    return OMS_OK;
}

static enum oms_code make(struct store *store, const struct oms_config *config, int64_t now_ns,
                          const struct oms_opening *opening, size_t opening_count,
                          struct oms_error *error) {
    char pragma[48], nothing[8];
    enum oms_code code = OMS_OK;
    int rc = store_mark_forget(store);

    if (rc != SQLITE_OK) {
        text_error(error, "store %s: cannot write %s: %s", store->path, store->fence_path,
                   sqlite3_errstr(rc));
        return OMS_STORAGE;
    }
    (void)snprintf(pragma, sizeof pragma, "PRAGMA page_size=%d",
                   config->page_size ? config->page_size : PAGE_SIZE_DEFAULT);
    rc = store_ask(store, pragma, nothing, sizeof nothing);
    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, pragma, error);
    }
    code = store_settings(store, error);
    if (code != OMS_OK) {
        return code;
    }
    rc = store_begin(store);
    if (rc == SQLITE_OK) {
        rc = write_schema(store, config->account, now_ns, opening, opening_count);
    }
    if (rc == SQLITE_OK) {
        rc = store_commit(store) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
    }
    if (rc == SQLITE_OK) {
        rc = store_checkpoint(store);
    }
    return rc == SQLITE_OK ? OMS_OK : store_refuse(store, rc, "cannot make it", error);
}

static enum oms_code open_unmade(struct store *store, struct oms_error *error) {
    enum oms_code code =
        store_open_database(store, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, error);

    if (code == OMS_OK) {
        code = lock_alone(store, error);
    }
    return code == OMS_OK ? insist_on_nothing(store, error) : code;
}

enum oms_code store_create(const struct oms_place *place, const struct oms_config *config,
                           int64_t now_ns, const struct oms_opening *opening, size_t opening_count,
                           struct oms_error *error) {
    struct store store = {0};
    enum oms_code code = store_find(&store, place, error);

    if (code == OMS_OK) {
        code = store_take_fence(&store, error);
    }
    if (code == OMS_OK) {
        code = store_scrub(&store, error);
    }
    if (code == OMS_OK) {
        code = store_scrub_end(&store, open_unmade(&store, error), error);
    }
    if (code == OMS_OK) {
        code = make(&store, config, now_ns, opening, opening_count, error);
    }
    store_close(&store);
    return code;
}

/* ---- looking ---- */

/* Without a log there is nothing to recover, and no reason to lock or to make one. */
static int open_immutable(struct store *store) {
    const size_t size = strlen(store->path) * 3 + sizeof "file:?immutable=1";
    char *uri = malloc(size), *at = uri;
    int rc;

    if (uri == NULL) {
        return SQLITE_NOMEM;
    }
    at += snprintf(at, size, "file:");
    for (const char *c = store->path; *c != '\0'; c++) {
        const bool special = *c == '%' || *c == '?' || *c == '#';
        at += snprintf(at, 4, special ? "%%%02X" : "%c", *c);
    }
    (void)snprintf(at, sizeof "?immutable=1", "?immutable=1");
    rc =
        sqlite3_open_v2(uri, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, store->vfs->zName);
    free(uri);
    return rc;
}

/* Reads the log into memory, which needs the lock but writes nothing. A VFS that locks only what it
 * may write (unix) gets a writable handle, which query_only keeps from being used. */
static enum oms_code open_with_log(struct store *store, struct oms_error *error) {
    static const int attempts[] = {SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE};
    enum oms_code code = OMS_STORAGE;
    char nothing[8];

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        (void)sqlite3_close(store->db);
        store->db = NULL;
        code = store_open_database(store, attempts[i], error);
        if (code == OMS_OK) {
            code = lock_alone(store, error);
        }
        if (code == OMS_OK) {
            if (attempts[i] == SQLITE_OPEN_READWRITE) {
                (void)store_ask(store, "PRAGMA query_only=1", nothing, sizeof nothing);
            }
            const int rc = store_ask(store, "SELECT 1 FROM sqlite_schema", nothing, sizeof nothing);
            code = rc == SQLITE_OK ? OMS_OK : store_refuse(store, rc, "cannot read it", error);
        }
        if (code != OMS_STORAGE) {
            break;
        }
    }
    return code;
}

enum oms_code store_peek(struct store *store, const struct oms_place *place, bool check,
                         struct oms_error *error) {
    bool exists = false, logged = false;
    int64_t size = 0;
    enum oms_code code = store_find(store, place, error);

    if (code == OMS_OK) {
        code = store_exists(store, store->path, &exists, NULL, error);
    }
    if (code == OMS_OK && !exists) {
        text_error(error, "store %s: there is no database", store->path);
        return OMS_MISSING;
    }
    if (code == OMS_OK) {
        code = store_exists(store, sqlite3_filename_wal(store->path), &logged, &size, error);
    }
    if (code == OMS_OK && logged && size > 0) {
        code = open_with_log(store, error);
    } else if (code == OMS_OK) {
        const int rc = open_immutable(store);
        code = rc == SQLITE_OK ? OMS_OK : store_refuse(store, rc, "cannot open it", error);
    }
    if (code == OMS_OK && check) {
        code = store_identity(store, error);
    }
    if (code == OMS_OK && check) {
        code = store_integrity(store, error);
    }
    return code == OMS_OK ? store_see_as_newest(store, error) : code;
}

/* ---- transactions ---- */

/* Forgets, on the device too, what a commit that ran out of space may have left behind the last
 * good frame: a whole commit frame there would be found by the next start, although the decision
 * was answered "not taken". Cutting a file needs no space. False: that could not be made sure. */
static bool cut_unfinished_log(struct store *store) {
    sqlite3_file *log = NULL;
    char page_size[16];
    sqlite3_int64 length, size = 0;

    if (!store->frames_known || !sqlite3_get_autocommit(store->db) ||
        store_ask(store, "PRAGMA page_size", page_size, sizeof page_size) != SQLITE_OK ||
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
        log == NULL || log->pMethods == NULL) {
        return false;
    }
    length = store->frames == 0 ? 0
                                : WAL_HEADER + (sqlite3_int64)store->frames *
                                                   (WAL_FRAME_HEADER + strtol(page_size, NULL, 10));
    if (log->pMethods->xFileSize(log, &size) != SQLITE_OK) {
        return false;
    }
    return (size <= length || log->pMethods->xTruncate(log, length) == SQLITE_OK) &&
           log->pMethods->xSync(log, SQLITE_SYNC_FULL) == SQLITE_OK;
}

int store_prepare(struct store *store, enum store_sql which, sqlite3_stmt **statement) {
    static const char *const texts[] = {
#define X(name, text) text,
        STORE_SQL(X)
#undef X
    };
    int rc = SQLITE_OK;

    if (store->statements[which] == NULL) {
        rc = sqlite3_prepare_v3(store->db, texts[which], -1, 0, &store->statements[which], NULL);
    }
    *statement = store->statements[which];
    return rc;
}

int store_finish(struct store *store, enum store_sql which) {
    const int rc = sqlite3_step(store->statements[which]);
    (void)sqlite3_reset(store->statements[which]);
    return rc == SQLITE_DONE ? SQLITE_OK : rc == SQLITE_ROW ? SQLITE_ERROR : rc;
}

static int run(struct store *store, enum store_sql which) {
    sqlite3_stmt *statement;
    const int rc = store_prepare(store, which, &statement);
    return rc == SQLITE_OK ? store_finish(store, which) : rc;
}

int store_begin(struct store *store) {
    return run(store, STORE_BEGIN);
}

/* A COMMIT that fails is unknown: its frames may be whole in the log although the call said no.
 * "No space" while writing the log is the one failure that can be undone for certain. */
enum store_commit store_commit(struct store *store) {
    const int rc = run(store, STORE_COMMIT);

    if (rc == SQLITE_OK) {
        return STORE_COMMITTED;
    }
    if ((rc & 0xff) == SQLITE_FULL && store_rollback(store) == SQLITE_OK &&
        cut_unfinished_log(store)) {
        return STORE_NO_SPACE;
    }
    return STORE_UNKNOWN;
}

int store_rollback(struct store *store) {
    if (sqlite3_get_autocommit(store->db)) {
        return SQLITE_OK; /* SQLite has rolled back by itself */
    }
    const int rc = run(store, STORE_ROLLBACK);
    return sqlite3_get_autocommit(store->db) ? SQLITE_OK : rc == SQLITE_OK ? SQLITE_ERROR : rc;
}

int store_checkpoint(struct store *store) {
    int rc;
    store->frames_known = false; /* a half-done one may let the next commit start the log anew */
    rc = sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc == SQLITE_OK) {
        store->frames = 0;
        store->frames_known = true;
    }
    return rc;
}
