/* Reading what came of each decision: its executions as they count. */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

/* The order with this row number, NULL when there is none; they are given from 1 on without gaps,
 * and are in the order of intents. */
static struct oms_traded *of_row(const struct oms_trades *trades, int64_t row) {
    return row > 0 && row <= (int64_t)trades->n ? &trades->v[row - 1] : NULL;
}

/* False: an order with a row number that was never given. */
static bool put_order(struct oms_trades *trades, const struct order *order) {
    const struct oms_order *pub = &order->pub;
    struct oms_traded *traded = of_row(trades, order->id);

    if (traded != NULL) {
        *traded = (struct oms_traded){
            .decision = pub->decision, .state = pub->state, .created_ns = pub->created_ns};
    }
    return traded != NULL;
}

/* False: the sums do not fit, which no book that was checked has. */
static bool add(struct oms_traded *traded, const struct broker_fill *fill) {
    const decimal_wide cost = (decimal_wide)fill->qty_nanos * fill->price_nanos;
    return !__builtin_add_overflow(traded->filled_nanos, fill->qty_nanos, &traded->filled_nanos) &&
           !__builtin_add_overflow(traded->cost, cost, &traded->cost);
}

/* One execution, if it counts and is of an order. False: as above. */
static bool add_fill(struct oms_trades *trades, const struct ledger *corrections,
                     const struct broker_fill *fill, int64_t row) {
    struct oms_traded *traded = of_row(trades, row);
    struct broker_fill counting = *fill;

    return traded == NULL || !ledger_counts(corrections, &counting) || add(traded, &counting);
}

/* Executions are in the segment of their order. */
static int add_segment(void *context, const struct segment *segment,
                       const struct ledger *corrections) {
    struct oms_trades *trades = context;
    bool ok = true;

    for (size_t i = 0; ok && i < segment->order_count; i++) {
        ok = put_order(trades, &segment->orders[i]);
    }
    for (size_t i = 0; ok && i < segment->fill_count; i++) {
        const struct segment_fill *row = &segment->fills[i];
        ok = add_fill(trades, corrections, &row->fill, row->order_row);
    }
    return ok ? SQLITE_OK : SQLITE_CORRUPT;
}

/* What is not in the archive. */
static int add_live(const struct book *book, struct store *store, struct oms_trades *trades) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    for (size_t i = 0; i < book->order_count; i++) {
        if (!put_order(trades, book->orders[i])) {
            return SQLITE_CORRUPT;
        }
    }
    while ((rc = store_next_fill(store, NULL, &fill, &row)) == SQLITE_ROW) {
        if (!add_fill(trades, &book->corrections, &fill, row)) {
            store_rest(store, STORE_FILLS);
            return SQLITE_CORRUPT;
        }
    }
    return rc;
}

/* SQLITE_DONE, or what went wrong; *error is filled when that is a segment of the archive. */
static int fill_trades(struct book *book, struct store *store, struct oms_trades *trades,
                       struct oms_error *error) {
    int rc = SQLITE_NOMEM;

    trades->n = book->order_count + (size_t)book->archive.orders;
    trades->v = calloc(trades->n + 1, sizeof *trades->v);
    if (trades->v != NULL) {
        rc = archive_walk(&book->archive, store, add_segment, trades, error);
    } else {
        trades->n = 0;
    }
    return rc == SQLITE_OK ? add_live(book, store, trades) : rc;
}

enum oms_code oms_trades(struct oms *oms, struct oms_trades *trades, struct oms_error *error) {
    struct oms_error why = {.text = "read executions"};
    int rc;

    *trades = (struct oms_trades){.v = NULL};
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    rc = fill_trades(&oms->book, &oms->store, trades, &why);
    if (rc == SQLITE_NOMEM) {
        text_error(error, "no memory for the trades");
        return OMS_INVALID;
    }
    return rc == SQLITE_DONE ? OMS_OK : engine_fail(oms, why.text, error);
}

enum oms_code oms_trades_at(const struct oms_place *place, struct oms_trades *trades,
                            struct oms_error *error) {
    struct store store = {0};
    struct book book = {.orders = NULL};
    enum oms_code code;

    *trades = (struct oms_trades){.v = NULL};
    code = store_peek(&store, place, true, error);
    if (code == OMS_OK) {
        code = book_load(&book, &store, true, error);
    }
    if (code == OMS_OK) {
        struct oms_error why = {.text = ""};
        const int rc = fill_trades(&book, &store, trades, &why);
        code = store_was_read(&store, rc, error);
        if (code != OMS_OK && why.text[0] != '\0') {
            *error = why;
        }
    }
    book_free(&book);
    store_close(&store);
    return code;
}

void oms_trades_free(struct oms_trades *trades) {
    free(trades->v);
    *trades = (struct oms_trades){.v = NULL};
}
