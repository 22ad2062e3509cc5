/* Reading everything that is on record, row by row, without holding it all in memory. */
#include "core/engine.h"

static int tell_executions(struct store *store, const struct oms_reader *reader) {
    struct oms_execution execution;
    int rc;

    if (reader->execution == NULL) {
        return SQLITE_DONE;
    }
    while ((rc = store_next_execution(store, &execution)) == SQLITE_ROW) {
        if (!reader->execution(reader->ctx, &execution)) {
            store_rest(store, STORE_EXECUTIONS);
            return SQLITE_DONE;
        }
    }
    return rc;
}

static int tell_entries(struct store *store, const struct oms_reader *reader) {
    struct oms_entry entry;
    int rc;

    if (reader->entry == NULL) {
        return SQLITE_DONE;
    }
    while ((rc = store_next_entry(store, &entry)) == SQLITE_ROW) {
        if (!reader->entry(reader->ctx, &entry)) {
            store_rest(store, STORE_ENTRIES);
            return SQLITE_DONE;
        }
    }
    return rc;
}

static int tell_all(struct store *store, const struct oms_reader *reader) {
    const int rc = tell_executions(store, reader);
    return rc == SQLITE_DONE ? tell_entries(store, reader) : rc;
}

enum oms_code oms_records(struct oms *oms, const struct oms_reader *reader,
                          struct oms_error *error) {
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return tell_all(&oms->store, reader) == SQLITE_DONE
               ? OMS_OK
               : engine_fail(oms, "read what is on record", error);
}

enum oms_code oms_records_at(const struct oms_place *place, const struct oms_reader *reader,
                             struct oms_error *error) {
    struct store store = {0};
    enum oms_code code = store_peek(&store, place, true, error);

    if (code == OMS_OK) {
        const int rc = tell_all(&store, reader);
        if (rc != SQLITE_DONE) {
            text_error(error, "store %s: cannot read it: %s", store.path, sqlite3_errstr(rc));
            code = store_code(rc) == OMS_OK ? OMS_STORAGE : store_code(rc);
        }
    }
    store_close(&store);
    return code;
}
