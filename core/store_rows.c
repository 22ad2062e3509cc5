/* Rows out of the store: each kind of row is read in one place. */
#include "core/store.h"

#include "core/store_bind.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Of the columns of STORE_META; see is_of_type. */
#define META_TYPES "tiitiiiiiii"

/* ---- reading ---- */

static void get_text(sqlite3_stmt *statement, int n, char *out, size_t size) {
    const char *text = (const char *)sqlite3_column_text(statement, n);
    text_clean(out, size, text != NULL ? text : "");
}

static int64_t get_int(sqlite3_stmt *statement, int n) {
    return sqlite3_column_int64(statement, n);
}

/* What no count can be stays none. */
static int get_count(sqlite3_stmt *statement, int n) {
    const int64_t count = get_int(statement, n);
    return count < 0 || count > INT32_MAX ? -1 : (int)count;
}

static const char *get_word(sqlite3_stmt *statement, int n) {
    const char *text = (const char *)sqlite3_column_text(statement, n);
    return text != NULL ? text : "";
}

static decimal_wide read_big(const unsigned char *bytes, int size) {
    __extension__ unsigned __int128 bits = bytes[0] >= 0x80 ? ~(unsigned __int128)0 : 0;
    for (int i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
    }
    return (decimal_wide)bits;
}

static decimal_wide get_wide(sqlite3_stmt *statement, int n) {
    const unsigned char *bytes = sqlite3_column_blob(statement, n);
    return bytes != NULL && sqlite3_column_bytes(statement, n) == WIDE_SIZE
               ? read_big(bytes, WIDE_SIZE)
               : 0;
}

/* False: it is none. */
static bool get_base(sqlite3_stmt *statement, int n, struct position_base *base) {
    const unsigned char *bytes = sqlite3_column_blob(statement, n);
    const int size = sqlite3_column_bytes(statement, n);

    *base = (struct position_base){.set = size > 0};
    if (size == 0) {
        return true;
    }
    if (bytes == NULL || size < BASE_FIXED || size >= BASE_SIZE) {
        return false;
    }
    base->adjusted = bytes[0] != 0;
    base->qty = (int64_t)read_big(bytes + 1, 8);
    base->last_ns = (int64_t)read_big(bytes + 9, 8);
    base->cost = read_big(bytes + 17, WIDE_SIZE);
    base->realized = read_big(bytes + 33, WIDE_SIZE);
    memcpy(base->last_execution, bytes + BASE_FIXED, (size_t)(size - BASE_FIXED));
    return true;
}

void store_rest(struct store *store, enum store_sql which) {
    if (store->statements[which] != NULL) {
        (void)sqlite3_reset(store->statements[which]);
    }
}

/* i integer, t text, b blob: nothing here is ever NULL or a float. */
static bool is_of_type(sqlite3_stmt *row, int n, char wanted) {
    const int type = sqlite3_column_type(row, n);
    return type == (wanted == 'i' ? SQLITE_INTEGER : wanted == 't' ? SQLITE_TEXT : SQLITE_BLOB);
}

/* The next row of a listing, whose columns must have these types; at its end, or on an error, the
 * listing is rewound. */
static int next_row(struct store *store, enum store_sql which, const char *types,
                    sqlite3_stmt **statement) {
    int rc = store_prepare(store, which, statement);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(*statement);
        for (int n = 0; rc == SQLITE_ROW && types[n] != '\0'; n++) {
            rc = is_of_type(*statement, n, types[n]) ? rc : SQLITE_CORRUPT;
        }
        if (rc != SQLITE_ROW) {
            store_rest(store, which);
        }
    }
    return rc;
}

/* What the newest comparison says, and when the newest conclusive one was; none has been made when
 * there is no row. Few are inconclusive in a row: each life and each request leaves one at most. */
static int read_last_run(struct store *store, struct store_meta *meta) {
    struct oms_run run = {0};
    int rc = store_next_run_back(store, &run);

    meta->last_run = run.id;
    meta->boots = run.boot;
    meta->last_run_ns = run.at_ns;
    while (rc == SQLITE_ROW && run.why[0] != '\0') {
        rc = store_next_run_back(store, &run);
    }
    meta->compared_ns = rc == SQLITE_ROW ? run.at_ns : 0;
    store_rest(store, STORE_RUNS_BACK);
    return rc == SQLITE_DONE ? SQLITE_ROW : rc;
}

int store_meta(struct store *store, struct store_meta *meta) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_META, META_TYPES, &row);

    if (rc != SQLITE_ROW) {
        return rc;
    }
    get_text(row, 0, meta->account, sizeof meta->account);
    meta->created_ns = get_int(row, 1);
    meta->kill_switch = get_int(row, 2) != 0;
    get_text(row, 3, meta->kill_reason, sizeof meta->kill_reason);
    meta->base_ns = get_int(row, 4);
    meta->base_order = get_int(row, 5);
    meta->base_run = get_int(row, 6);
    meta->orphans = get_int(row, 7);
    meta->corrections = get_int(row, 8);
    meta->adjustments = get_int(row, 9);
    meta->segments = get_int(row, 10);
    store_rest(store, STORE_META);
    return read_last_run(store, meta);
}

int store_next_order(struct store *store, struct order *order, const char **bad_word) {
    struct oms_order *pub = &order->pub;
    struct oms_decision *decision = &pub->decision;
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_ORDERS, "ittttttiiitttiiiiiii", &row);

    *bad_word = NULL;
    if (rc != SQLITE_ROW) {
        return rc;
    }
    *order = (struct order){.id = get_int(row, 0)};
    get_text(row, 1, decision->id, sizeof decision->id);
    get_text(row, 2, pub->client_order_id, sizeof pub->client_order_id);
    get_text(row, 3, decision->symbol, sizeof decision->symbol);
    *bad_word = !broker_side_parse(get_word(row, 4), &decision->side)   ? "side"
                : !broker_type_parse(get_word(row, 5), &decision->type) ? "type"
                : !broker_tif_parse(get_word(row, 6), &decision->tif)   ? "tif"
                : !oms_state_parse(get_word(row, 10), &pub->state)      ? "state"
                                                                        : NULL;
    decision->qty_nanos = get_int(row, 7);
    decision->limit_nanos = get_int(row, 8);
    decision->expires_ns = get_int(row, 9);
    get_text(row, 11, pub->reason, sizeof pub->reason);
    get_text(row, 12, pub->broker_order_id, sizeof pub->broker_order_id);
    pub->filled_nanos = get_int(row, 13);
    pub->sends = get_count(row, 14);
    order->first_send_ns = get_int(row, 15);
    order->send_by_ns = get_int(row, 16);
    pub->cancel_asked = get_int(row, 17) != 0;
    pub->created_ns = get_int(row, 18);
    order->seal = get_int(row, 19) ^ order_mark(order);
    return rc;
}

int store_next_key(struct store *store, char decision_id[OMS_DECISION_ID_SIZE],
                   char key[BROKER_CLIENT_ID_SIZE]) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_KEYS, "tt", &row);
    if (rc == SQLITE_ROW) {
        get_text(row, 0, decision_id, OMS_DECISION_ID_SIZE);
        get_text(row, 1, key, BROKER_CLIENT_ID_SIZE);
    }
    return rc;
}

/* The columns of an execution, wherever it is read. */
#define FILL_TYPES "tittiiit"

static int read_fill(sqlite3_stmt *row, struct broker_fill *fill, int64_t *order_row) {
    *fill = (struct broker_fill){
        .qty_nanos = get_int(row, 4), .price_nanos = get_int(row, 5), .at_ns = get_int(row, 6)};
    get_text(row, 0, fill->execution_id, sizeof fill->execution_id);
    *order_row = get_int(row, 1);
    get_text(row, 2, fill->symbol, sizeof fill->symbol);
    get_text(row, 7, fill->refers, sizeof fill->refers);
    return broker_side_parse(get_word(row, 3), &fill->side) ? SQLITE_ROW : SQLITE_CORRUPT;
}

int store_next_fill(struct store *store, const char *symbol, struct broker_fill *fill,
                    int64_t *order_row) {
    const enum store_sql which = symbol != NULL ? STORE_SYMBOL_FILLS : STORE_FILLS;
    sqlite3_stmt *row;
    int rc = store_prepare(store, which, &row);

    if (rc == SQLITE_OK && symbol != NULL && !sqlite3_stmt_busy(row)) {
        put_text(row, 1, symbol);
    }
    rc = rc == SQLITE_OK ? next_row(store, which, FILL_TYPES, &row) : rc;
    return rc == SQLITE_ROW ? read_fill(row, fill, order_row) : rc;
}

int store_next_correction(struct store *store, struct broker_fill *fill) {
    int64_t order_row;
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_CORRECTIONS, FILL_TYPES, &row);
    return rc == SQLITE_ROW ? read_fill(row, fill, &order_row) : rc;
}

int store_next_position(struct store *store, struct position *position) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_POSITIONS, "tiiibbb", &row);

    if (rc != SQLITE_ROW) {
        return rc;
    }
    *position = (struct position){.opening_qty = get_int(row, 1),
                                  .opening_price = get_int(row, 2),
                                  .qty = get_int(row, 3),
                                  .cost = get_wide(row, 4),
                                  .realized = get_wide(row, 5)};
    get_text(row, 0, position->symbol, sizeof position->symbol);
    return get_base(row, 6, &position->base) ? rc : SQLITE_CORRUPT;
}

int store_next_orphan(struct store *store, char client_order_id[BROKER_CLIENT_ID_SIZE]) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_ORPHANS, "t", &row);
    if (rc == SQLITE_ROW) {
        get_text(row, 0, client_order_id, BROKER_CLIENT_ID_SIZE);
    }
    return rc;
}

int store_next_segment(struct store *store, struct segment_row *row) {
    sqlite3_stmt *read;
    const int rc = next_row(store, STORE_SEGMENTS, "iiibbi", &read);
    const unsigned char *digest, *filter;

    if (rc != SQLITE_ROW) {
        return rc;
    }
    *row = (struct segment_row){.id = get_int(read, 0),
                                .orders = get_int(read, 1),
                                .size = get_int(read, 2),
                                .seal = get_int(read, 5)};
    digest = sqlite3_column_blob(read, 3);
    filter = sqlite3_column_blob(read, 4);
    if (row->orders < 0 || row->orders > SEGMENT_ORDERS_MAX || digest == NULL || filter == NULL ||
        sqlite3_column_bytes(read, 3) != SHA256_SIZE ||
        sqlite3_column_bytes(read, 4) != (int)segment_filter_size(row->orders)) {
        store_rest(store, STORE_SEGMENTS);
        return SQLITE_CORRUPT;
    }
    memcpy(row->digest, digest, SHA256_SIZE);
    row->filter = malloc(segment_filter_size(row->orders));
    if (row->filter == NULL) {
        store_rest(store, STORE_SEGMENTS);
        return SQLITE_NOMEM;
    }
    memcpy(row->filter, filter, segment_filter_size(row->orders));
    return rc;
}

int store_next_run_back(struct store *store, struct oms_run *run) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_RUNS_BACK, "iiiit", &row);
    if (rc == SQLITE_ROW) {
        *run = (struct oms_run){.id = get_int(row, 0),
                                .boot = get_int(row, 1),
                                .at_ns = get_int(row, 2),
                                .at_boot = get_int(row, 3) != 0};
        get_text(row, 4, run->why, sizeof run->why);
    }
    return rc;
}

int store_next_discrepancy(struct store *store, int64_t from_run, struct oms_discrepancy *found) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_FOUND, &row);

    if (rc == SQLITE_OK && !sqlite3_stmt_busy(row)) {
        put_int(row, 1, from_run);
    }
    rc = rc == SQLITE_OK ? next_row(store, STORE_FOUND, "iiittiiti", &row) : rc;
    if (rc != SQLITE_ROW) {
        return rc;
    }
    *found = (struct oms_discrepancy){.run = get_int(row, 8),
                                      .type = (enum oms_discrepancy_type)get_int(row, 0),
                                      .severity = (enum oms_severity)get_int(row, 1),
                                      .explained = get_int(row, 2) != 0,
                                      .oms_nanos = get_int(row, 5),
                                      .broker_nanos = get_int(row, 6)};
    get_text(row, 3, found->symbol, sizeof found->symbol);
    get_text(row, 4, found->ref, sizeof found->ref);
    get_text(row, 7, found->text, sizeof found->text);
    return rc;
}

int store_next_execution(struct store *store, struct oms_execution *execution) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_EXECUTIONS, "ttttiiit", &row);

    if (rc != SQLITE_ROW) {
        return rc;
    }
    *execution = (struct oms_execution){
        .qty_nanos = get_int(row, 4), .price_nanos = get_int(row, 5), .at_ns = get_int(row, 6)};
    get_text(row, 0, execution->execution_id, sizeof execution->execution_id);
    get_text(row, 1, execution->decision_id, sizeof execution->decision_id);
    get_text(row, 2, execution->symbol, sizeof execution->symbol);
    get_text(row, 7, execution->refers, sizeof execution->refers);
    return broker_side_parse(get_word(row, 3), &execution->side) ? SQLITE_ROW : SQLITE_CORRUPT;
}

int store_next_entry(struct store *store, struct oms_entry *entry) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_ENTRIES, "iitiiiittiit", &row);

    if (rc != SQLITE_ROW) {
        return rc;
    }
    *entry = (struct oms_entry){
        .id = get_int(row, 0),
        .at_ns = get_int(row, 1),
        .about = {.run = get_int(row, 3),
                  .type = (enum oms_discrepancy_type)get_int(row, 4),
                  .severity = (enum oms_severity)get_int(row, 5),
                  .explained = get_int(row, 6) != 0,
                  .oms_nanos = get_int(row, 9),
                  .broker_nanos = get_int(row, 10)},
    };
    get_text(row, 2, entry->kind, sizeof entry->kind);
    get_text(row, 7, entry->about.symbol, sizeof entry->about.symbol);
    get_text(row, 8, entry->about.ref, sizeof entry->about.ref);
    get_text(row, 11, entry->about.text, sizeof entry->about.text);
    return rc;
}

int store_key_of(struct store *store, const char *decision_id, char key[BROKER_CLIENT_ID_SIZE]) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_KEY_OF, &row);

    if (rc == SQLITE_OK) {
        put_text(row, 1, decision_id);
        rc = next_row(store, STORE_KEY_OF, "t", &row);
    }
    if (rc == SQLITE_ROW) {
        get_text(row, 0, key, BROKER_CLIENT_ID_SIZE);
        store_rest(store, STORE_KEY_OF);
    }
    return rc;
}

int store_is_booked(struct store *store, const char *execution_id) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_IS_BOOKED, &row);

    if (rc == SQLITE_OK) {
        put_text(row, 1, execution_id);
        rc = next_row(store, STORE_IS_BOOKED, "i", &row);
        store_rest(store, STORE_IS_BOOKED);
    }
    return rc;
}

int store_is_adjusted(struct store *store, const char *symbol) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_IS_ADJUSTED, &row);

    if (rc == SQLITE_OK) {
        put_text(row, 1, symbol);
        rc = next_row(store, STORE_IS_ADJUSTED, "i", &row);
        store_rest(store, STORE_IS_ADJUSTED);
    }
    return rc;
}

int store_fill_of(struct store *store, const char *execution_id, struct broker_fill *fill,
                  int64_t *order_row) {
    sqlite3_stmt *row;
    int rc = store_prepare(store, STORE_FILL_OF, &row);

    if (rc == SQLITE_OK) {
        put_text(row, 1, execution_id);
        rc = next_row(store, STORE_FILL_OF, FILL_TYPES, &row);
        rc = rc == SQLITE_ROW ? read_fill(row, fill, order_row) : rc;
        store_rest(store, STORE_FILL_OF);
    }
    return rc;
}

int store_is_switched_off(struct store *store, bool *on) {
    sqlite3_stmt *row;
    const int rc = next_row(store, STORE_META, META_TYPES, &row);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
    }
    *on = get_int(row, 2) != 0;
    store_rest(store, STORE_META);
    return SQLITE_OK;
}
