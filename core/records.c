/* Reading everything that is on record, row by row, without holding it all in memory: of the archive
 * one segment at a time, then what is live. */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

/* What is read, and who is told. */
struct telling {
    struct store *store;
    struct archive *archive;
    const struct oms_reader *reader;
    bool ended; /* no more is wanted */
};

/* ---- the archive ---- */

typedef int tell_segment(struct telling *to, const struct segment *segment);

static int tell_segment_orders(struct telling *to, const struct segment *segment) {
    for (size_t i = 0; !to->ended && i < segment->order_count; i++) {
        to->ended = !to->reader->order(to->reader->ctx, &segment->orders[i].pub);
    }
    return SQLITE_DONE;
}

static int by_row(const void *a, const void *b) {
    const struct order *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_time(const void *a, const void *b) {
    const struct segment_fill *x = *(const struct segment_fill *const *)a;
    const struct segment_fill *y = *(const struct segment_fill *const *)b;
    return x->fill.at_ns != y->fill.at_ns ? (x->fill.at_ns > y->fill.at_ns ? 1 : -1)
                                          : strcmp(x->fill.execution_id, y->fill.execution_id);
}

/* An execution is in the segment of its order. */
static struct oms_execution execution_of(const struct segment *segment,
                                         const struct segment_fill *row) {
    const struct broker_fill *fill = &row->fill;
    const struct order wanted = {.id = row->order_row};
    const struct order *order =
        bsearch(&wanted, segment->orders, segment->order_count, sizeof *segment->orders, by_row);
    struct oms_execution execution = {.side = fill->side,
                                      .qty_nanos = fill->qty_nanos,
                                      .price_nanos = fill->price_nanos,
                                      .at_ns = fill->at_ns};

    text_clean(execution.execution_id, sizeof execution.execution_id, fill->execution_id);
    text_clean(execution.decision_id, sizeof execution.decision_id,
               order != NULL ? order->pub.decision.id : "");
    text_clean(execution.symbol, sizeof execution.symbol, fill->symbol);
    text_clean(execution.refers, sizeof execution.refers, fill->refers);
    return execution;
}

static int tell_segment_executions(struct telling *to, const struct segment *segment) {
    const struct segment_fill **rows = calloc(segment->fill_count + 1, sizeof *rows);

    if (rows == NULL) {
        return SQLITE_NOMEM;
    }
    for (size_t i = 0; i < segment->fill_count; i++) {
        rows[i] = &segment->fills[i];
    }
    qsort(rows, segment->fill_count, sizeof *rows, by_time);
    for (size_t i = 0; !to->ended && i < segment->fill_count; i++) {
        const struct oms_execution execution = execution_of(segment, rows[i]);
        to->ended = !to->reader->execution(to->reader->ctx, &execution);
    }
    free(rows);
    return SQLITE_DONE;
}

static enum oms_code tell_archive(struct telling *to, tell_segment *tell, struct oms_error *error) {
    enum oms_code code = OMS_OK;

    for (size_t i = 0; code == OMS_OK && !to->ended && i < to->archive->count; i++) {
        const struct segment *segment = NULL;
        code = archive_read(to->archive, to->store, (int64_t)i + 1, &segment, error);
        if (code == OMS_OK) {
            code = store_was_read(to->store, tell(to, segment), error);
        }
    }
    return code;
}

/* ---- what is live ---- */

static int tell_live_orders(struct telling *to) {
    const char *bad_word;
    struct order order;
    int rc = SQLITE_DONE;

    while (!to->ended && (rc = store_next_order(to->store, &order, &bad_word)) == SQLITE_ROW) {
        if (bad_word != NULL) {
            rc = SQLITE_CORRUPT;
            break;
        }
        to->ended = !to->reader->order(to->reader->ctx, &order.pub);
    }
    store_rest(to->store, STORE_ORDERS);
    return to->ended ? SQLITE_DONE : rc;
}

static int tell_live_executions(struct telling *to) {
    struct oms_execution execution;
    int rc = SQLITE_DONE;

    while (!to->ended && (rc = store_next_execution(to->store, &execution)) == SQLITE_ROW) {
        to->ended = !to->reader->execution(to->reader->ctx, &execution);
    }
    store_rest(to->store, STORE_EXECUTIONS);
    return to->ended ? SQLITE_DONE : rc;
}

static int tell_entries(struct telling *to) {
    struct oms_entry entry;
    int rc = SQLITE_DONE;

    while (!to->ended && (rc = store_next_entry(to->store, &entry)) == SQLITE_ROW) {
        to->ended = !to->reader->entry(to->reader->ctx, &entry);
    }
    store_rest(to->store, STORE_ENTRIES);
    return to->ended ? SQLITE_DONE : rc;
}

/* ---- all of it ---- */

static enum oms_code tell_all(struct telling *to, struct oms_error *error) {
    const struct oms_reader *reader = to->reader;
    enum oms_code code = OMS_OK;

    if (reader->order != NULL) {
        code = tell_archive(to, tell_segment_orders, error);
    }
    if (code == OMS_OK && reader->order != NULL) {
        code = store_was_read(to->store, tell_live_orders(to), error);
    }
    if (code == OMS_OK && reader->execution != NULL) {
        code = tell_archive(to, tell_segment_executions, error);
    }
    if (code == OMS_OK && reader->execution != NULL) {
        code = store_was_read(to->store, tell_live_executions(to), error);
    }
    return code == OMS_OK && reader->entry != NULL
               ? store_was_read(to->store, tell_entries(to), error)
               : code;
}

enum oms_code oms_records(struct oms *oms, const struct oms_reader *reader,
                          struct oms_error *error) {
    struct telling to = {.store = &oms->store, .archive = &oms->book.archive, .reader = reader};
    struct oms_error why;

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return tell_all(&to, &why) == OMS_OK ? OMS_OK : engine_fail(oms, why.text, error);
}

enum oms_code oms_records_at(const struct oms_place *place, const struct oms_reader *reader,
                             struct oms_error *error) {
    struct store store = {0};
    struct archive archive = {0};
    struct telling to = {.store = &store, .archive = &archive, .reader = reader};
    enum oms_code code = store_peek(&store, place, true, error);

    if (code == OMS_OK) {
        code = archive_load_named(&archive, &store, true, error);
    }
    if (code == OMS_OK) {
        code = tell_all(&to, error);
    }
    archive_free(&archive);
    store_close(&store);
    return code;
}
