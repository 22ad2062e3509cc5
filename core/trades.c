/* Reading what came of each decision: its executions as they count. */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

/* The order with this row number; rows are in the order of intents. */
static struct oms_traded *of_row(const struct book *book, struct oms_trades *trades, int64_t row) {
    size_t low = 0, high = book->order_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (book->orders[middle]->id < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < book->order_count && book->orders[low]->id == row ? &trades->v[low] : NULL;
}

static bool copy_orders(const struct book *book, struct oms_trades *trades) {
    trades->v = calloc(book->order_count + 1, sizeof *trades->v);
    for (size_t i = 0; trades->v != NULL && i < book->order_count; i++) {
        const struct oms_order *pub = &book->orders[i]->pub;
        trades->v[trades->n++] = (struct oms_traded){
            .decision = pub->decision, .state = pub->state, .created_ns = pub->created_ns};
    }
    return trades->v != NULL;
}

/* False: the sums do not fit, which no book that was checked has. */
static bool add(struct oms_traded *traded, const struct broker_fill *fill) {
    const decimal_wide cost = (decimal_wide)fill->qty_nanos * fill->price_nanos;
    return !__builtin_add_overflow(traded->filled_nanos, fill->qty_nanos, &traded->filled_nanos) &&
           !__builtin_add_overflow(traded->cost, cost, &traded->cost);
}

static int fill_trades(const struct book *book, struct store *store, struct oms_trades *trades) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    if (!copy_orders(book, trades)) {
        return SQLITE_NOMEM;
    }
    while ((rc = store_next_fill(store, NULL, &fill, &row)) == SQLITE_ROW) {
        struct oms_traded *traded = of_row(book, trades, row);
        if (traded != NULL && ledger_counts(&book->corrections, &fill) && !add(traded, &fill)) {
            store_rest(store, STORE_FILLS);
            return SQLITE_CORRUPT;
        }
    }
    return rc;
}

enum oms_code oms_trades(struct oms *oms, struct oms_trades *trades, struct oms_error *error) {
    int rc;

    *trades = (struct oms_trades){.v = NULL};
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    rc = fill_trades(&oms->book, &oms->store, trades);
    if (rc == SQLITE_NOMEM) {
        text_error(error, "no memory for the trades");
        return OMS_INVALID;
    }
    return rc == SQLITE_DONE ? OMS_OK : engine_fail(oms, "read executions", error);
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
        const int rc = fill_trades(&book, &store, trades);
        if (rc != SQLITE_DONE) {
            text_error(error, "store %s: cannot read it: %s", store.path, sqlite3_errstr(rc));
            code = store_code(rc) == OMS_OK ? OMS_STORAGE : store_code(rc);
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
