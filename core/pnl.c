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
    if (profits->v == NULL || profits->n == profits->cap) {
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

/* What one execution adds. SQLITE_OK, or what went wrong. */
static int add_fill(const struct ledger *corrections, struct position *position,
                    struct broker_fill *fill, int64_t order_row, struct oms_profits *profits) {
    const decimal_wide before = position->realized;
    struct oms_profit *row;

    if (!ledger_counts(corrections, fill)) {
        return SQLITE_OK;
    }
    row = row_of(profits, position->symbol, day_of(fill->at_ns));
    if (row == NULL) {
        return SQLITE_NOMEM;
    }
    if (!position_apply(position, fill->side, fill->qty_nanos, fill->price_nanos)) {
        return SQLITE_CORRUPT;
    }
    row->realized += position->realized - before;
    row->adjusted = row->adjusted || book_is_adjustment(fill, order_row);
    return SQLITE_OK;
}

/* One symbol's, day after day, from where the archive ends. SQLITE_DONE, or what went wrong. */
static int add_symbol(const struct book *book, struct store *store, const struct position *of,
                      struct oms_profits *profits) {
    struct position position = *of;
    struct broker_fill fill;
    int64_t order_row;
    int rc;

    position_reset(&position);
    while ((rc = store_next_fill(store, of->symbol, &fill, &order_row)) == SQLITE_ROW) {
        const int added = add_fill(&book->corrections, &position, &fill, order_row, profits);
        if (added != SQLITE_OK) {
            store_rest(store, STORE_SYMBOL_FILLS);
            return added;
        }
    }
    return rc;
}

/* ---- the archive: segment after segment, of each symbol its executions go on ---- */

static struct position *find_symbol(struct position *positions, size_t count, const char *symbol) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(positions[middle].symbol, symbol) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && strcmp(positions[low].symbol, symbol) == 0 ? &positions[low] : NULL;
}

/* The archive replayed so far. */
struct replay {
    struct position *positions; /* by symbol */
    size_t count;
    struct oms_profits *profits;
};

static int add_segment(void *context, const struct segment *segment,
                       const struct ledger *corrections) {
    const struct replay *replay = context;
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < segment->fill_count; i++) {
        struct broker_fill fill = segment->fills[i].fill;
        struct position *position = find_symbol(replay->positions, replay->count, fill.symbol);
        rc = position == NULL ? SQLITE_CORRUPT
                              : add_fill(corrections, position, &fill, segment->fills[i].order_row,
                                         replay->profits);
    }
    return rc;
}

static int add_archive(struct book *book, struct store *store, struct oms_profits *profits) {
    struct replay replay = {.positions = calloc(book->position_count + 1, sizeof *replay.positions),
                            .count = book->position_count,
                            .profits = profits};
    struct oms_error ignored; /* the caller has words of its own */
    int rc = SQLITE_NOMEM;

    for (size_t i = 0; replay.positions != NULL && i < replay.count; i++) {
        replay.positions[i] = book->positions[i];
        position_open(&replay.positions[i]);
    }
    if (replay.positions != NULL) {
        rc = archive_walk(&book->archive, store, add_segment, &replay, &ignored);
    }
    free(replay.positions);
    return rc;
}

static int by_symbol_and_day(const void *a, const void *b) {
    const struct oms_profit *x = a, *y = b;
    const int order = strcmp(x->symbol, y->symbol);
    return order != 0 ? order : (x->day > y->day) - (x->day < y->day);
}

/* A symbol's day may have been met several times. */
static void join_days(struct oms_profits *profits) {
    size_t kept = 0;
    if (profits->n > 1) {
        qsort(profits->v, profits->n, sizeof *profits->v, by_symbol_and_day);
    }
    for (size_t i = 0; i < profits->n; i++) {
        struct oms_profit *row = &profits->v[i];
        if (kept > 0 && by_symbol_and_day(&profits->v[kept - 1], row) == 0) {
            profits->v[kept - 1].realized += row->realized;
            profits->v[kept - 1].adjusted = profits->v[kept - 1].adjusted || row->adjusted;
        } else {
            profits->v[kept++] = *row;
        }
    }
    profits->n = kept;
}

static int add_all(struct book *book, struct store *store, struct oms_profits *profits) {
    int rc = book->archive.count > 0 ? add_archive(book, store, profits) : SQLITE_OK;

    rc = rc == SQLITE_OK ? SQLITE_DONE : rc;
    for (size_t i = 0; rc == SQLITE_DONE && i < book->position_count; i++) {
        rc = add_symbol(book, store, &book->positions[i], profits);
    }
    join_days(profits);
    return rc;
}

enum oms_code oms_profits(struct oms *oms, struct oms_profits *profits, struct oms_error *error) {
    int rc;

    *profits = (struct oms_profits){.v = NULL};
    if (engine_is_halted(oms, error)) {
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
        code = store_was_read(&store, add_all(&book, &store, profits), error);
    }
    book_free(&book);
    store_close(&store);
    return code;
}

void oms_profits_free(struct oms_profits *profits) {
    free(profits->v);
    *profits = (struct oms_profits){.v = NULL};
}
