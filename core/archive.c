/* Finding in the archive. */
#include "core/archive.h"

#include "core/check.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

void archive_free(struct archive *archive) {
    for (size_t i = 0; i < archive->count; i++) {
        free(archive->rows[i].filter);
    }
    free(archive->rows);
    segment_free(&archive->kept);
    *archive = (struct archive){0};
}

bool archive_push(struct archive *archive, const struct segment_row *row) {
    CHECK(row->id == (int64_t)archive->count + 1);
    if (archive->count == archive->capacity) { /* one for thousands of orders */
        const size_t wanted = archive->capacity ? archive->capacity * 2 : 8;
        void *grown = realloc(archive->rows, wanted * sizeof *archive->rows);
        if (grown == NULL) {
            return false;
        }
        archive->rows = grown;
        archive->capacity = wanted;
    }
    archive->rows[archive->count++] = *row;
    archive->orders += row->orders;
    return true;
}

void archive_pop(struct archive *archive) {
    struct segment_row *row;

    CHECK(archive->count > 0);
    row = &archive->rows[--archive->count];
    archive->orders -= row->orders;
    if (archive->kept.id == row->id) {
        segment_free(&archive->kept);
    }
    free(row->filter);
}

/* ---- reading ---- */

static enum oms_code unreadable(const struct store *store, int64_t id, int rc,
                                struct oms_error *error) {
    text_error(error, "store %s: segment %lld of its archive, %s-archive%lld: %s", store->path,
               (long long)id, store->path, (long long)id,
               (rc & 0xff) == SQLITE_CORRUPT ? "it is not the one that was written: restore it"
                                             : sqlite3_errstr(rc));
    return (rc & 0xff) == SQLITE_CORRUPT ? OMS_CORRUPT : OMS_STORAGE;
}

/* `segments`: how many there must be. */
static enum oms_code check_row(const struct archive *archive, const struct segment_row *row,
                               int64_t segments, struct store *store, struct oms_error *error) {
    bool exists = false;
    enum oms_code code = OMS_OK;

    if (row->id != (int64_t)archive->count + 1 || row->seal != segment_seal(row)) {
        text_error(error, "store %s: row %lld of its archive is not the one that was written",
                   store->path, (long long)row->id);
        return OMS_CORRUPT;
    }
    code = store_segment_exists(store, row->id, &exists, error);
    if (code == OMS_OK && !exists) {
        text_error(
            error,
            "store %s: segment %lld of its archive is missing: copy all of them, "
            "-archive1 to -archive%lld, beside it as well, from where the database came from",
            store->path, (long long)row->id, (long long)segments);
        code = OMS_CORRUPT;
    }
    return code;
}

enum oms_code archive_load(struct archive *archive, struct store *store, int64_t segments,
                           bool check, struct oms_error *error) {
    struct segment_row row = {.filter = NULL};
    enum oms_code code = OMS_OK;
    int rc = SQLITE_DONE;

    while (segments > 0 && code == OMS_OK && (rc = store_next_segment(store, &row)) == SQLITE_ROW) {
        code = check || row.id != (int64_t)archive->count + 1
                   ? check_row(archive, &row, segments, store, error)
                   : OMS_OK;
        if (code == OMS_OK && !archive_push(archive, &row)) {
            text_error(error, "store %s: no memory to read its archive", store->path);
            code = OMS_STORAGE;
        }
        if (code != OMS_OK) {
            free(row.filter);
        }
    }
    store_rest(store, STORE_SEGMENTS);
    if (code != OMS_OK) {
        return code;
    }
    if (rc != SQLITE_DONE) {
        text_error(error, "store %s: cannot read archive: %s", store->path, sqlite3_errstr(rc));
        return store_code(rc);
    }
    if (segments != (int64_t)archive->count) {
        text_error(error, "store %s: %zu rows in its archive, it counted %lld", store->path,
                   archive->count, (long long)segments);
        return OMS_CORRUPT;
    }
    return OMS_OK;
}

enum oms_code archive_load_named(struct archive *archive, struct store *store, bool check,
                                 struct oms_error *error) {
    struct store_meta meta = {.kill_switch = false};
    const int rc = store_meta(store, &meta);

    if (rc != SQLITE_ROW) {
        text_error(error, "store %s: cannot read meta: %s", store->path,
                   rc == SQLITE_DONE ? "its one row is missing" : sqlite3_errstr(rc));
        return rc == SQLITE_DONE ? OMS_CORRUPT : store_code(rc);
    }
    return archive_load(archive, store, meta.segments, check, error);
}

enum oms_code archive_read(struct archive *archive, struct store *store, int64_t id,
                           const struct segment **segment, struct oms_error *error) {
    const struct segment_row *row = &archive->rows[id - 1];
    unsigned char *bytes = NULL;
    int rc = SQLITE_OK;

    CHECK(id > 0 && id <= (int64_t)archive->count);
    if (archive->kept.id != id) {
        segment_free(&archive->kept);
        rc = store_segment_read(store, row, &bytes);
        if (rc == SQLITE_OK &&
            (!segment_unpack(bytes, (size_t)row->size, &archive->kept) || archive->kept.id != id)) {
            segment_free(&archive->kept); /* its digest is right: there was no memory */
            rc = SQLITE_NOMEM;
        }
        free(bytes);
    }
    *segment = &archive->kept;
    return rc == SQLITE_OK ? OMS_OK : unreadable(store, id, rc, error);
}

enum oms_code archive_find(struct archive *archive, struct store *store, enum segment_id which,
                           const char *id, const struct order **order, struct oms_error *error) {
    const struct segment_key key = segment_key(which, id);
    enum oms_code code = OMS_OK;

    *order = NULL;
    for (size_t i = archive->count; code == OMS_OK && *order == NULL && i-- > 0;) {
        const struct segment *segment = NULL;
        if (!segment_may_have(&archive->rows[i], &key)) {
            continue;
        }
        code = archive_read(archive, store, archive->rows[i].id, &segment, error);
        if (code == OMS_OK) {
            *order = index_get(
                which == SEGMENT_CLIENT_ID ? &segment->by_client_id : &segment->by_broker_id, id);
        }
    }
    return code;
}

/* ---- all of it ---- */

/* Corrections are in the segment of what they correct. */
static bool list_corrections(const struct segment *segment, struct ledger *corrections) {
    bool ok = true;
    for (size_t i = 0; ok && i < segment->fill_count; i++) {
        const struct broker_fill *fill = &segment->fills[i].fill;
        ok = !ledger_is_correction(fill) || ledger_add(corrections, fill);
    }
    return ok;
}

static int look_at(const struct segment *segment, archive_look *look, void *context) {
    struct ledger corrections = {.v = NULL};
    const int rc = list_corrections(segment, &corrections) ? look(context, segment, &corrections)
                                                           : SQLITE_NOMEM;
    ledger_free(&corrections);
    return rc;
}

int archive_walk(struct archive *archive, struct store *store, archive_look *look, void *context,
                 struct oms_error *error) {
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < archive->count; i++) {
        const struct segment *segment = NULL;
        const enum oms_code code = archive_read(archive, store, (int64_t)i + 1, &segment, error);
        rc = code == OMS_OK        ? look_at(segment, look, context)
             : code == OMS_CORRUPT ? SQLITE_CORRUPT
                                   : SQLITE_IOERR;
    }
    return rc;
}
