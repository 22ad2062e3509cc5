/* The store's files before SQLite opens them: the fence, and the scrub. */
#include "core/store.h"

#include "core/log_end.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name of a file beside the store; NULL: no memory. */
static const char *beside(const char *full, const char *ending) {
    const size_t size = strlen(full) + strlen(ending) + 1;
    char *name = malloc(size);
    const char *made = NULL;

    if (name != NULL) {
        (void)snprintf(name, size, "%s%s", full, ending);
        made = sqlite3_create_filename(name, "", "", 0, NULL);
    }
    free(name);
    return made;
}

static const char *with_logs(const char *full) {
    const char *log = beside(full, "-wal"), *journal = beside(full, "-journal"), *made = NULL;

    if (log != NULL && journal != NULL) {
        made = sqlite3_create_filename(full, journal, log, 0, NULL);
    }
    sqlite3_free_filename(log);
    sqlite3_free_filename(journal);
    return made;
}

enum oms_code store_find(struct store *store, const struct oms_place *place,
                         struct oms_error *error) {
    enum oms_code code = OMS_STORAGE;
    char *full = NULL;

    store->vfs = sqlite3_vfs_find(place->vfs);
    if (store->vfs == NULL || place->path == NULL || place->path[0] == '\0') {
        text_error(error, "store: %s",
                   store->vfs == NULL ? "there is no such VFS" : "the path must not be empty");
        return OMS_INVALID;
    }
    full = malloc((size_t)store->vfs->mxPathname + 1);
    if (full == NULL || store->vfs->xFullPathname(store->vfs, place->path,
                                                  store->vfs->mxPathname + 1, full) != SQLITE_OK) {
        text_error(error, "store %s: its path must name a file in a folder that may be searched",
                   place->path);
        goto out;
    }
    store->path = with_logs(full);
    store->fence_path = beside(full, "-lock");
    store->copy_path[0] = beside(full, "-copy");
    store->copy_path[1] = beside(full, "-copy2");
    code = store->path == NULL || store->fence_path == NULL || store->copy_path[0] == NULL ||
                   store->copy_path[1] == NULL
               ? OMS_STORAGE
               : OMS_OK;
out:
    free(full);
    return code;
}

int store_file_open(struct store *store, const char *path, int flags, sqlite3_file **file) {
    int rc;
    *file = calloc(1, (size_t)store->vfs->szOsFile);
    if (*file == NULL) {
        return SQLITE_NOMEM;
    }
    rc = store->vfs->xOpen(store->vfs, path, *file, flags, NULL);
    if (rc != SQLITE_OK) {
        if ((*file)->pMethods != NULL) {
            (void)(*file)->pMethods->xClose(*file);
        }
        free(*file);
        *file = NULL;
    }
    return rc;
}

void store_file_close(sqlite3_file **file) {
    if (*file != NULL) {
        (void)(*file)->pMethods->xClose(*file);
        free(*file);
        *file = NULL;
    }
}

enum oms_code store_exists(struct store *store, const char *path, bool *exists, int64_t *size,
                           struct oms_error *error) {
    sqlite3_file *file = NULL;
    sqlite3_int64 bytes = 0;
    int there = 0;
    int rc = store->vfs->xAccess(store->vfs, path, SQLITE_ACCESS_EXISTS, &there);

    *exists = there != 0;
    if (rc == SQLITE_OK && there && size != NULL) {
        const int kind = path == store->path ? SQLITE_OPEN_MAIN_DB : SQLITE_OPEN_WAL;
        rc = store_file_open(store, path, SQLITE_OPEN_READONLY | kind, &file);
        rc = rc == SQLITE_OK ? file->pMethods->xFileSize(file, &bytes) : rc;
        store_file_close(&file);
        *size = bytes;
    }
    if (rc != SQLITE_OK) {
        text_error(error, "store %s: cannot look at it: %s", path, sqlite3_errstr(rc));
        return OMS_STORAGE;
    }
    return OMS_OK;
}

enum oms_code store_take_fence(struct store *store, struct oms_error *error) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    int rc = store_file_open(store, store->fence_path, flags, &store->fence);

    if (rc == SQLITE_OK) {
        rc = store->fence->pMethods->xLock(store->fence, SQLITE_LOCK_SHARED);
    }
    if (rc == SQLITE_OK) {
        rc = store->fence->pMethods->xLock(store->fence, SQLITE_LOCK_EXCLUSIVE);
    }
    if ((rc & 0xff) == SQLITE_BUSY) {
        text_error(error, "store %s: another instance holds %s; only one may run", store->path,
                   store->fence_path);
        return OMS_LOCKED;
    }
    if (rc != SQLITE_OK) {
        text_error(error, "store %s: cannot lock %s: %s", store->path, store->fence_path,
                   sqlite3_errstr(rc));
        return OMS_STORAGE;
    }
    return OMS_OK;
}

/* Cuts off what a transaction that was cut short has left behind the log's last commit. `bytes`: the
 * whole log, where it has been read; else NULL. */
static int cut_tail(sqlite3_file *log, const char *bytes, sqlite3_int64 *size) {
    sqlite3_int64 end = *size;
    int rc = bytes != NULL ? log_end_in(bytes, *size, &end) : log_end_find(log, *size, &end);

    if (rc == SQLITE_OK && end < *size) {
        rc = log->pMethods->xTruncate(log, end);
        *size = end;
    }
    return rc;
}

/* Rewrites a file in place with its own bytes and syncs it; of a log, what is committed. A file that
 * is not there is fine. *size is what it holds. */
static int rewrite_file(struct store *store, const char *path, int kind, char *chunk,
                        sqlite3_int64 *size) {
    sqlite3_file *file = NULL;
    int there = 0;
    int rc = store->vfs->xAccess(store->vfs, path, SQLITE_ACCESS_EXISTS, &there);
    bool is_read = false; /* a file that fits into the chunk is read once */

    *size = 0;
    if (rc != SQLITE_OK || !there) {
        return rc;
    }
    rc = store_file_open(store, path, SQLITE_OPEN_READWRITE | kind, &file);
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xFileSize(file, size);
    }
    if (rc == SQLITE_OK && *size > 0 && *size <= STORE_CHUNK) {
        rc = file->pMethods->xRead(file, chunk, (int)*size, 0);
        is_read = true;
    }
    if (rc == SQLITE_OK && kind == SQLITE_OPEN_WAL) {
        rc = cut_tail(file, is_read ? chunk : NULL, size);
    }
    for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < *size; at += STORE_CHUNK) {
        const int part = *size - at < STORE_CHUNK ? (int)(*size - at) : STORE_CHUNK;
        rc = is_read ? SQLITE_OK : file->pMethods->xRead(file, chunk, part, at);
        if (rc == SQLITE_OK) {
            rc = file->pMethods->xWrite(file, chunk, part, at);
        }
    }
    if (rc == SQLITE_OK && *size > 0) {
        rc = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
    }
    store_file_close(&file);
    return rc;
}

enum oms_code store_scrub(struct store *store, struct oms_error *error) {
    const char *log = sqlite3_filename_wal(store->path);
    char *chunk = malloc(STORE_CHUNK);
    sqlite3_int64 size = 0;
    int rc = chunk == NULL ? SQLITE_NOMEM : SQLITE_OK;

    if (rc == SQLITE_OK && store_needs_copy(store)) {
        rc = store_copy_make(store, chunk);
    }
    if (rc == SQLITE_OK) {
        rc = rewrite_file(store, store->path, SQLITE_OPEN_MAIN_DB, chunk, &size);
    }
    if (rc == SQLITE_OK) {
        rc = rewrite_file(store, log, SQLITE_OPEN_WAL, chunk, &size);
    }
    if (rc == SQLITE_OK && size == 0) {
        store->frames = 0;
        store->frames_known = true;
    }
    free(chunk);
    if (rc != SQLITE_OK) {
        text_error(error, "store %s: cannot rewrite and sync it: %s", store->path,
                   sqlite3_errstr(rc));
        return OMS_STORAGE;
    }
    return OMS_OK;
}

enum oms_code store_scrub_end(struct store *store, enum oms_code code, struct oms_error *error) {
    const bool logged = !store->frames_known || store->frames > 0;
    int rc = SQLITE_OK;

    if (!store_needs_copy(store)) {
        return code;
    }
    if (code == OMS_OK && logged && store_checkpoint(store) != SQLITE_OK) {
        text_error(error, "store %s: cannot move its log into it: %s", store->path,
                   store_message(store));
        code = OMS_STORAGE;
    }
    rc = store_copy_drop(store);
    if (code == OMS_OK && rc != SQLITE_OK) {
        text_error(error, "store %s: cannot void its copy: %s", store->path, sqlite3_errstr(rc));
        code = OMS_STORAGE;
    }
    return code;
}

void store_close(struct store *store) {
    for (int i = 0; i < STORE_SQL_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
    (void)sqlite3_close(store->db);
    if (store->fence != NULL) {
        (void)store->fence->pMethods->xUnlock(store->fence, SQLITE_LOCK_NONE);
        store_file_close(&store->fence);
    }
    for (int i = 0; i < STORE_COPIES; i++) {
        sqlite3_free_filename(store->copy_path[i]);
    }
    sqlite3_free_filename(store->fence_path);
    sqlite3_free_filename(store->path);
    *store = (struct store){0};
}
