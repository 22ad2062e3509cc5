/* Realized profit by symbol and day, from the executions as they count. */
#include "core/engine.h"

#include <stdlib.h>
#include <string.h>

#define DAY_NS (INT64_C(86400) * 1000000000)

/* The UTC day since 1970 that a moment belongs to. */
static int64_t day_of(int64_t at_ns) {
    return at_ns / DAY_NS - (at_ns % DAY_NS < 0);
}

/* The row of this symbol and day: the newest one, or a new one. NULL: no memory. */
static struct oms_profit *row_of(struct oms_profits *profits, const char *symbol, int64_t day) {
    struct oms_profit *row = profits->n > 0 ? &profits->v[profits->n - 1] : NULL;

    if (row != NULL && row->day == day && strcmp(row->symbol, symbol) == 0) {
        return row;
    }
    if (profits->n == profits->cap) {
        const size_t wanted = profits->cap ? profits->cap * 2 : 16;
        void *grown = realloc(profits->v, wanted * sizeof *profits->v);
        if (grown == NULL) {
            return NULL;
        }
        profits->v = grown;
        profits->cap = wanted;
    }
    row = &profits->v[profits->n++];
    *row = (struct oms_profit){.day = day};
    text_clean(row->symbol, sizeof row->symbol, symbol);
    return row;
}

/* One symbol's, day after day. SQLITE_DONE, or what went wrong. */
static int add_symbol(const struct book *book, struct store *store, const struct position *of,
                      struct oms_profits *profits) {
    struct position position = *of;
    struct broker_fill fill;
    int64_t order_row;
    int rc;

    position_reset(&position);
    while ((rc = store_next_fill(store, of->symbol, &fill, &order_row)) == SQLITE_ROW) {
        const decimal_wide before = position.realized;
        struct oms_profit *row;
        if (!ledger_counts(&book->corrections, &fill)) {
            continue;
        }
        row = row_of(profits, of->symbol, day_of(fill.at_ns));
        if (row == NULL ||
            !position_apply(&position, fill.side, fill.qty_nanos, fill.price_nanos)) {
            store_rest(store, STORE_SYMBOL_FILLS);
            return row == NULL ? SQLITE_NOMEM : SQLITE_CORRUPT;
        }
        row->realized += position.realized - before;
        row->adjusted = row->adjusted || book_is_adjustment(&fill, order_row);
    }
    return rc;
}

static int add_all(const struct book *book, struct store *store, struct oms_profits *profits) {
    int rc = SQLITE_DONE;
    for (size_t i = 0; rc == SQLITE_DONE && i < book->position_count; i++) {
        rc = add_symbol(book, store, &book->positions[i], profits);
    }
    return rc;
}

enum oms_code oms_profits(struct oms *oms, struct oms_profits *profits, struct oms_error *error) {
    int rc;

    *profits = (struct oms_profits){.v = NULL};
    if (oms->halted) {
        text_error(error, "stopped after a storage error: close and start again");
        return OMS_HALTED;
    }
    rc = add_all(&oms->book, &oms->store, profits);
    if (rc == SQLITE_NOMEM) {
        text_error(error, "no memory for the profits");
        return OMS_INVALID;
    }
    return rc == SQLITE_DONE ? OMS_OK : engine_fail(oms, "read executions", error);
}

enum oms_code oms_profits_at(const struct oms_place *place, struct oms_profits *profits,
                             struct oms_error *error) {
    struct store store = {0};
    struct book book = {.orders = NULL};
    enum oms_code code;

    *profits = (struct oms_profits){.v = NULL};
    code = store_peek(&store, place, true, error);
    if (code == OMS_OK) {
        code = book_load(&book, &store, true, error);
    }
    if (code == OMS_OK) {
        const int rc = add_all(&book, &store, profits);
        if (rc != SQLITE_DONE) {
            text_error(error, "store %s: cannot read it: %s", store.path, sqlite3_errstr(rc));
            code = store_code(rc) == OMS_OK ? OMS_STORAGE : store_code(rc);
        }
    }
    book_free(&book);
    store_close(&store);
    return code;
}

void oms_profits_free(struct oms_profits *profits) {
    free(profits->v);
    *profits = (struct oms_profits){.v = NULL};
}
