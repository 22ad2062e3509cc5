/* Rows into the store: each kind of row is written in one place. */
#include "core/store.h"

#include "core/store_bind.h"
#include "core/text.h"

#include <string.h>

/* Two's complement, highest byte first. */
static void write_big(unsigned char *bytes, decimal_wide value, int size) {
    __extension__ unsigned __int128 bits = (unsigned __int128)value;
    for (int i = size - 1; i >= 0; i--) {
        bytes[i] = (unsigned char)(bits & 0xff);
        bits >>= 8;
    }
}

/* 128 bits. `bytes` is the caller's, until the statement has run: a copy might find no memory, and
 * the row would be written without it. */
static void put_wide(sqlite3_stmt *statement, int n, decimal_wide value,
                     unsigned char bytes[WIDE_SIZE]) {
    write_big(bytes, value, WIDE_SIZE);
    CHECK(sqlite3_bind_blob(statement, n, bytes, WIDE_SIZE, SQLITE_STATIC) == SQLITE_OK);
}

/* What the archive holds of a position; nothing when it holds nothing of it. `bytes` as above. */
static void put_base(sqlite3_stmt *statement, int n, const struct position_base *base,
                     unsigned char bytes[BASE_SIZE]) {
    const size_t length = strlen(base->last_execution);

    bytes[0] = base->adjusted;
    write_big(bytes + 1, base->qty, 8);
    write_big(bytes + 9, base->last_ns, 8);
    write_big(bytes + 17, base->cost, WIDE_SIZE);
    write_big(bytes + 33, base->realized, WIDE_SIZE);
    memcpy(bytes + BASE_FIXED, base->last_execution, length);
    CHECK(sqlite3_bind_blob(statement, n, bytes, base->set ? BASE_FIXED + (int)length : 0,
                            SQLITE_STATIC) == SQLITE_OK);
}

static int put_key(struct store *store, const struct order *order) {
    char created_at[TEXT_TIME_SIZE];
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_KEY, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_text(row, 1, order->pub.decision.id);
    put_text(row, 2, order->pub.client_order_id);
    put_text(row, 3, text_time(order->pub.created_ns, created_at));
    return store_finish(store, STORE_KEY);
}

/* The order and its idempotency row. */
int store_put_order_row(struct store *store, const struct order *order) {
    const struct oms_order *pub = &order->pub;
    const struct oms_decision *decision = &pub->decision;
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_INTENT, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, order->id);
    put_text(row, 2, decision->id);
    put_text(row, 3, pub->client_order_id);
    put_text(row, 4, decision->symbol);
    put_text(row, 5, broker_side_name(decision->side));
    put_text(row, 6, broker_type_name(decision->type));
    put_text(row, 7, broker_tif_name(decision->tif));
    put_int(row, 8, decision->qty_nanos);
    put_int(row, 9, decision->limit_nanos);
    put_int(row, 10, decision->expires_ns);
    put_text(row, 11, oms_state_name(pub->state));
    put_text(row, 12, pub->reason);
    put_text(row, 13, pub->broker_order_id);
    put_int(row, 14, pub->filled_nanos);
    put_int(row, 15, pub->sends);
    put_int(row, 16, order->first_send_ns);
    put_int(row, 17, order->send_by_ns);
    put_int(row, 18, pub->cancel_asked);
    put_int(row, 19, pub->created_ns);
    put_int(row, 20, order->seal ^ order_mark(order));
    rc = store_finish(store, STORE_INTENT);
    return rc == SQLITE_OK ? put_key(store, order) : rc;
}

int store_put_intent(struct store *store, const struct order *order, bool *allowed) {
    bool barred = true;
    const int rc = store_is_switched_off(store, &barred);

    *allowed = rc == SQLITE_OK && !barred;
    return *allowed ? store_put_order_row(store, order) : rc;
}

/* A row that was read and is not there any more: a page was misread since. */
static int changed_one(struct store *store, int rc) {
    return rc == SQLITE_OK && sqlite3_changes(store->db) != 1 ? SQLITE_CORRUPT : rc;
}

int store_put_order(struct store *store, const struct order *order) {
    const struct oms_order *pub = &order->pub;
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_ORDER, &row);

    order_check(order);
    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, order->id);
    put_text(row, 2, oms_state_name(pub->state));
    put_text(row, 3, pub->reason);
    put_text(row, 4, pub->broker_order_id);
    put_int(row, 5, pub->filled_nanos);
    put_int(row, 6, pub->sends);
    put_int(row, 7, order->first_send_ns);
    put_int(row, 8, order->send_by_ns);
    put_int(row, 9, pub->cancel_asked);
    put_int(row, 10, order->seal ^ order_mark(order));
    return changed_one(store, store_finish(store, STORE_ORDER));
}

int store_put_fill(struct store *store, const struct broker_fill *fill, int64_t order_row) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_FILL, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_text(row, 1, fill->execution_id);
    put_int(row, 2, order_row);
    put_text(row, 3, fill->symbol);
    put_text(row, 4, broker_side_name(fill->side));
    put_int(row, 5, fill->qty_nanos);
    put_int(row, 6, fill->price_nanos);
    put_int(row, 7, fill->at_ns);
    put_text(row, 8, fill->refers);
    rc = store_finish(store, STORE_FILL);
    if (rc == SQLITE_OK && fill->refers[0] != '\0') {
        rc = store_prepare(store, STORE_CORRECTION_COUNT, &row);
        rc = rc == SQLITE_OK ? store_finish(store, STORE_CORRECTION_COUNT) : rc;
    }
    return rc;
}

int store_put_position(struct store *store, const struct position *position) {
    unsigned char cost[WIDE_SIZE], realized[WIDE_SIZE], base[BASE_SIZE];
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_POSITION, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_text(row, 1, position->symbol);
    put_int(row, 2, position->opening_qty);
    put_int(row, 3, position->opening_price);
    put_int(row, 4, position->qty);
    put_wide(row, 5, position->cost, cost);
    put_wide(row, 6, position->realized, realized);
    put_base(row, 7, &position->base, base);
    return store_finish(store, STORE_POSITION);
}

int store_put_meta(struct store *store, const char *account, int64_t now_ns) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_META_NEW, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_text(row, 1, account);
    put_int(row, 2, now_ns);
    return store_finish(store, STORE_META_NEW);
}

int store_put_run(struct store *store, const struct oms_run *run) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_RUN, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, run->id);
    put_int(row, 2, run->boot);
    put_int(row, 3, run->at_ns);
    put_int(row, 4, run->at_boot);
    put_text(row, 5, run->why);
    return store_finish(store, STORE_RUN);
}

/* What every row of the journal has; a discrepancy has more. */
static int put_journal(struct store *store, int64_t at_ns, const char *kind, int64_t run,
                       const struct oms_discrepancy *found, const char *ref, const char *text) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_JOURNAL, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, at_ns);
    put_text(row, 2, kind);
    put_int(row, 3, run);
    put_int(row, 4, found->type);
    put_int(row, 5, found->severity);
    put_int(row, 6, found->explained);
    put_text(row, 7, found->symbol);
    put_text(row, 8, ref);
    put_int(row, 9, found->oms_nanos);
    put_int(row, 10, found->broker_nanos);
    put_text(row, 11, text);
    return store_finish(store, STORE_JOURNAL);
}

int store_put_discrepancy(struct store *store, const struct oms_run *run,
                          const struct oms_discrepancy *found) {
    return put_journal(store, run->at_ns, "discrepancy", run->id, found, found->ref, found->text);
}

int store_put_orphan(struct store *store, const char *client_order_id, const char *broker_order_id,
                     int64_t run) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_ORPHAN, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_text(row, 1, client_order_id);
    put_text(row, 2, broker_order_id);
    put_int(row, 3, run);
    rc = store_finish(store, STORE_ORPHAN);
    if (rc == SQLITE_OK) {
        rc = store_prepare(store, STORE_ORPHAN_COUNT, &row);
    }
    return rc == SQLITE_OK ? store_finish(store, STORE_ORPHAN_COUNT) : rc;
}

int store_put_kill_switch(struct store *store, bool on, const char *reason) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_KILL_SWITCH, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, on);
    put_text(row, 2, reason);
    return store_finish(store, STORE_KILL_SWITCH);
}

int store_put_switching(struct store *store, int64_t at_ns, bool on, const char *who,
                        const char *why) {
    static const struct oms_discrepancy none;
    return put_journal(store, at_ns, on ? "kill-switch-on" : "kill-switch-off", 0, &none, who, why);
}

int store_put_ruling(struct store *store, int64_t at_ns, const char *decision_id,
                     const char *text) {
    static const struct oms_discrepancy none;
    return put_journal(store, at_ns, "resolve", 0, &none, decision_id, text);
}

int store_put_daily(struct store *store, const struct oms_run *run, const char *text) {
    static const struct oms_discrepancy none;
    return put_journal(store, run->at_ns, "daily", run->id, &none, "", text);
}

int store_put_adjustment(struct store *store, const struct oms_run *run, const char *symbol,
                         const char *execution_id, int64_t oms_nanos, int64_t broker_nanos,
                         const char *text) {
    struct oms_discrepancy evidence = {.oms_nanos = oms_nanos, .broker_nanos = broker_nanos};
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_ADJUSTMENT_COUNT, &row);

    if (rc == SQLITE_OK) {
        rc = store_finish(store, STORE_ADJUSTMENT_COUNT);
    }
    if (rc != SQLITE_OK) {
        return rc;
    }
    text_clean(evidence.symbol, sizeof evidence.symbol, symbol);
    return put_journal(store, run->at_ns, "adjustment", run->id, &evidence, execution_id, text);
}

int store_put_base(struct store *store, int64_t base_ns, int64_t base_order, int64_t base_run) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_BASE, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, base_ns);
    put_int(row, 2, base_order);
    put_int(row, 3, base_run);
    return store_finish(store, STORE_BASE);
}

int store_put_segment_row(struct store *store, const struct segment_row *row) {
    sqlite3_stmt *write;
    const int rc = store_prepare(store, STORE_SEGMENT, &write);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(write, 1, row->id);
    put_int(write, 2, row->orders);
    put_int(write, 3, row->size);
    CHECK(sqlite3_bind_blob(write, 4, row->digest, SHA256_SIZE, SQLITE_STATIC) == SQLITE_OK);
    CHECK(sqlite3_bind_blob(write, 5, row->filter, (int)segment_filter_size(row->orders),
                            SQLITE_STATIC) == SQLITE_OK);
    put_int(write, 6, row->seal);
    return store_finish(store, STORE_SEGMENT);
}

/* Runs one that removes a row named by a number, or by a text. */
int store_remove(struct store *store, enum store_sql which, int64_t id, const char *name) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, which, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    if (name != NULL) {
        put_text(row, 1, name);
    } else {
        put_int(row, 1, id);
    }
    return changed_one(store, store_finish(store, which));
}

int store_put_archived(struct store *store, int64_t segments, int64_t corrections,
                       int64_t adjustments) {
    sqlite3_stmt *row;
    const int rc = store_prepare(store, STORE_ARCHIVED, &row);

    if (rc != SQLITE_OK) {
        return rc;
    }
    put_int(row, 1, segments);
    put_int(row, 2, corrections);
    put_int(row, 3, adjustments);
    return store_finish(store, STORE_ARCHIVED);
}
