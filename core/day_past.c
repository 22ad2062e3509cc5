/* One walk through the archive for the comparison of a day. */
#include "core/day_past.h"

#include "core/day.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    const struct oms *oms;
    struct day_past *past;
};

static bool add_order(struct day_past *past, const struct order *order) {
    const struct oms_order *pub = &order->pub;
    struct day_order *row;

    if (past->order_count == past->order_cap) { /* no more than there are archived orders */
        const size_t wanted = past->order_cap ? past->order_cap * 2 : 64;
        void *grown = realloc(past->orders, wanted * sizeof *past->orders);
        if (grown == NULL) {
            return false;
        }
        past->orders = grown;
        past->order_cap = wanted;
    }
    row = &past->orders[past->order_count++];
    row->filled_nanos = pub->filled_nanos;
    memcpy(row->symbol, pub->decision.symbol, sizeof row->symbol);
    memcpy(row->client_order_id, pub->client_order_id, sizeof row->client_order_id);
    memcpy(row->broker_order_id, pub->broker_order_id, sizeof row->broker_order_id);
    return true;
}

static bool add_fill(struct broker_fills *fills, const struct broker_fill *fill) {
    struct broker_fill *row = broker_fills_add(fills);
    if (row != NULL) {
        *row = *fill;
    }
    return row != NULL;
}

static int by_symbol(const void *a, const void *b) {
    return strcmp(((const struct position *)a)->symbol, ((const struct position *)b)->symbol);
}

/* Before the day an execution moves the position that it begins with; after it, nothing. */
static int take_fill(const struct walk *walk, const struct ledger *corrections,
                     const struct segment_fill *row) {
    struct day_past *past = walk->past;
    struct broker_fill fill = row->fill;
    struct position key = {.symbol = ""}, *begin;

    if (!ledger_counts(corrections, &fill)) {
        return SQLITE_OK;
    }
    if (day_has(walk->oms, fill.at_ns)) {
        const bool adjustment = book_is_adjustment(&fill, row->order_row);
        return add_fill(&past->fills, &fill) && (!adjustment || add_fill(&past->adjustments, &fill))
                   ? SQLITE_OK
                   : SQLITE_NOMEM;
    }
    if (fill.at_ns >= walk->oms->daily_to_ns) {
        return SQLITE_OK;
    }
    memcpy(key.symbol, fill.symbol, sizeof key.symbol);
    begin = past->begin_count == 0
                ? NULL
                : bsearch(&key, past->begins, past->begin_count, sizeof key, by_symbol);
    return begin != NULL && position_apply(begin, fill.side, fill.qty_nanos, fill.price_nanos)
               ? SQLITE_OK
               : SQLITE_CORRUPT;
}

static int take_segment(void *context, const struct segment *segment,
                        const struct ledger *corrections) {
    const struct walk *walk = context;
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < segment->order_count; i++) {
        const struct order *order = &segment->orders[i];
        walk->past->decided += day_has(walk->oms, order->pub.created_ns);
        if (day_expects(walk->oms, order) && !add_order(walk->past, order)) {
            rc = SQLITE_NOMEM;
        }
    }
    for (size_t i = 0; rc == SQLITE_OK && i < segment->fill_count; i++) {
        rc = take_fill(walk, corrections, &segment->fills[i]);
    }
    return rc;
}

static bool open_positions(const struct book *book, struct day_past *past) {
    past->begins = calloc(book->position_count + 1, sizeof *past->begins);
    for (size_t i = 0; past->begins != NULL && i < book->position_count; i++) {
        past->begins[i] = book->positions[i];
        position_open(&past->begins[i]);
    }
    past->begin_count = past->begins != NULL ? book->position_count : 0;
    return past->begins != NULL;
}

enum oms_code day_past_read(struct oms *oms, struct day_past *past, struct oms_error *error) {
    struct walk walk = {.oms = oms, .past = past};
    struct oms_error why = {.text = "read the archive for a day"};
    int rc;

    if (!oms->daily_asked || oms->book.archive.count == 0) {
        return OMS_OK;
    }
    rc = open_positions(&oms->book, past)
             ? archive_walk(&oms->book.archive, &oms->store, take_segment, &walk, &why)
             : SQLITE_NOMEM;
    return rc == SQLITE_OK ? OMS_OK : engine_fail(oms, why.text, error);
}

void day_past_free(struct day_past *past) {
    free(past->orders);
    broker_fills_free(&past->fills);
    broker_fills_free(&past->adjustments);
    free(past->begins);
    *past = (struct day_past){.orders = NULL};
}
