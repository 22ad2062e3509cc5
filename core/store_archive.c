/* Segments of the archive as files, and their rows in the database.
 *
 * The log of the database is not atomic across two files, so the order is everything:
 *
 *   segment written, synced, its name synced, read back -> one transaction names it and removes what
 *   is in it from the live tables
 *
 * (1) A named segment is whole and on the device: its sync succeeded in the life that named it, and
 *     a sync that failed names nothing.
 * (2) What no row names is never read. It is written over from its first byte, so that pages which
 *     an earlier life failed to sync are written again.
 * (3) A named segment is never written to.
 */
#include "core/store.h"

#include "core/ledger.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a journal it gets the database's permissions, and its name is synced with it. */
enum { KIND = SQLITE_OPEN_MAIN_JOURNAL };

/* NULL: no memory. */
static const char *path_of(const struct store *store, int64_t id) {
    const size_t size = strlen(store->path) + sizeof "-archive" + 20;
    char *name = malloc(size);
    const char *path = NULL;

    if (name != NULL) {
        (void)snprintf(name, size, "%s-archive%lld", store->path, (long long)id);
        path = sqlite3_create_filename(name, "", "", 0, NULL);
    }
    free(name);
    return path;
}

static int open_segment(struct store *store, int64_t id, int flags, sqlite3_file **file,
                        const char **path) {
    *file = NULL;
    *path = path_of(store, id);
    return *path == NULL ? SQLITE_NOMEM : store_file_open(store, *path, flags | KIND, file);
}

/* The name outlives the handle. */
static void close_segment(sqlite3_file **file, const char *path) {
    store_file_close(file);
    sqlite3_free_filename(path);
}

enum oms_code store_segment_exists(struct store *store, int64_t id, bool *exists,
                                   struct oms_error *error) {
    const char *path = path_of(store, id);
    enum oms_code code = OMS_STORAGE;

    if (path == NULL) {
        text_error(error, "store %s: no memory to look at its archive", store->path);
        return OMS_STORAGE;
    }
    code = store_exists(store, path, exists, NULL, error);
    sqlite3_free_filename(path);
    return code;
}

static int read_all(sqlite3_file *file, unsigned char *bytes, size_t size) {
    int rc = SQLITE_OK;
    for (size_t at = 0; rc == SQLITE_OK && at < size; at += STORE_CHUNK) {
        const size_t part = size - at < STORE_CHUNK ? size - at : STORE_CHUNK;
        rc = file->pMethods->xRead(file, bytes + at, (int)part, (sqlite3_int64)at);
    }
    return rc;
}

static int write_all(sqlite3_file *file, const unsigned char *bytes, size_t size) {
    int rc = file->pMethods->xTruncate(file, 0);
    for (size_t at = 0; rc == SQLITE_OK && at < size; at += STORE_CHUNK) {
        const size_t part = size - at < STORE_CHUNK ? size - at : STORE_CHUNK;
        rc = file->pMethods->xWrite(file, bytes + at, (int)part, (sqlite3_int64)at);
    }
    return rc == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_FULL) : rc;
}

int store_segment_write(struct store *store, int64_t id, const unsigned char *bytes, size_t size) {
    sqlite3_file *file = NULL;
    const char *path = NULL;
    unsigned char *back = malloc(size + 1);
    int rc = back == NULL ? SQLITE_NOMEM
                          : open_segment(store, id, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                         &file, &path);

    if (rc == SQLITE_OK) {
        rc = write_all(file, bytes, size);
    }
    if (rc == SQLITE_OK) {
        rc = read_all(file, back, size);
    }
    if (rc == SQLITE_OK && memcmp(back, bytes, size) != 0) {
        rc = SQLITE_IOERR;
    }
    close_segment(&file, path);
    free(back);
    return rc;
}

static bool has_digest(const unsigned char *bytes, size_t size,
                       const unsigned char digest[SHA256_SIZE]) {
    unsigned char found[SHA256_SIZE];
    struct sha256 sha;
    sha256_start(&sha);
    sha256_add(&sha, bytes, size);
    sha256_finish(&sha, found);
    return memcmp(found, digest, SHA256_SIZE) == 0;
}

int store_segment_read(struct store *store, const struct segment_row *row, unsigned char **bytes) {
    sqlite3_file *file = NULL;
    const char *path = NULL;
    sqlite3_int64 size = 0;
    int rc = open_segment(store, row->id, SQLITE_OPEN_READONLY, &file, &path);

    *bytes = NULL;
    if (rc == SQLITE_OK) {
        rc = file->pMethods->xFileSize(file, &size);
    }
    if (rc == SQLITE_OK && (size != row->size || size <= 0)) {
        rc = SQLITE_CORRUPT;
    }
    if (rc == SQLITE_OK && (*bytes = malloc((size_t)size)) == NULL) {
        rc = SQLITE_NOMEM;
    }
    if (rc == SQLITE_OK) {
        rc = read_all(file, *bytes, (size_t)size);
    }
    if (rc == SQLITE_OK && !has_digest(*bytes, (size_t)size, row->digest)) {
        rc = SQLITE_CORRUPT;
    }
    close_segment(&file, path);
    if (rc != SQLITE_OK) {
        free(*bytes);
        *bytes = NULL;
    }
    return rc;
}

/* ---- rows ---- */

struct counts {
    int64_t corrections, adjustments;
};

static struct counts count_odd(const struct segment *segment) {
    struct counts counts = {0, 0};
    for (size_t i = 0; i < segment->fill_count; i++) {
        counts.corrections += ledger_is_correction(&segment->fills[i].fill);
        counts.adjustments += segment->fills[i].order_row == 0;
    }
    return counts;
}

int store_put_segment(struct store *store, const struct segment *segment,
                      const struct segment_row *row) {
    const struct counts counts = count_odd(segment);
    int rc = store_put_segment_row(store, row);

    for (size_t i = 0; rc == SQLITE_OK && i < segment->order_count; i++) {
        rc = store_remove(store, STORE_ORDER_OUT, segment->orders[i].id, NULL);
        if (rc == SQLITE_OK) {
            rc = store_remove(store, STORE_KEY_OUT, 0, segment->orders[i].pub.decision.id);
        }
    }
    for (size_t i = 0; rc == SQLITE_OK && i < segment->fill_count; i++) {
        rc = store_remove(store, STORE_FILL_OUT, 0, segment->fills[i].fill.execution_id);
    }
    return rc == SQLITE_OK
               ? store_put_archived(store, segment->id, -counts.corrections, -counts.adjustments)
               : rc;
}

int store_take_back_segment(struct store *store, const struct segment *segment) {
    int rc = store_remove(store, STORE_SEGMENT_OUT, segment->id, NULL);

    for (size_t i = 0; rc == SQLITE_OK && i < segment->order_count; i++) {
        rc = store_put_order_row(store, &segment->orders[i]);
    }
    for (size_t i = 0; rc == SQLITE_OK && i < segment->fill_count; i++) { /* counts corrections */
        rc = store_put_fill(store, &segment->fills[i].fill, segment->fills[i].order_row);
    }
    return rc == SQLITE_OK
               ? store_put_archived(store, segment->id - 1, 0, count_odd(segment).adjustments)
               : rc;
}
