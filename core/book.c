/* Reading the store into memory and checking that it makes sense. */
#include "core/book.h"

#include "core/client_id.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

static bool grow(void **rows, size_t count, size_t *capacity, size_t size, size_t most) {
    const size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown;

    if (count < *capacity) {
        return true;
    }
    if (count >= most || (grown = realloc(*rows, wanted * size)) == NULL) {
        return false;
    }
    *rows = grown;
    *capacity = wanted;
    return true;
}

bool book_reserve_orders(struct book *book, size_t more) {
    bool fits = true;
    for (size_t i = 0; fits && i < more; i++) {
        void *rows = book->orders;
        fits = grow(&rows, book->order_count + i, &book->order_capacity, sizeof *book->orders,
                    BOOK_ORDERS_MAX);
        book->orders = rows;
    }
    return fits && index_reserve(&book->by_client_id, more) &&
           index_reserve(&book->by_broker_id, more);
}

struct order *book_add_order(struct book *book, const struct order *order) {
    struct order *kept = book_reserve_orders(book, 1) ? malloc(sizeof *kept) : NULL;

    if (kept == NULL) {
        return NULL;
    }
    *kept = *order;
    book->orders[book->order_count++] = kept;
    (void)index_put(&book->by_client_id, kept->pub.client_order_id, kept);
    (void)book_note_broker_id(book, kept);
    return kept;
}

bool book_note_broker_id(struct book *book, struct order *order) {
    return order->pub.broker_order_id[0] == '\0' ||
           index_put(&book->by_broker_id, order->pub.broker_order_id, order);
}

int64_t book_next_row(const struct book *book) {
    return book->order_count > 0 ? book->orders[book->order_count - 1]->id + 1 : 1;
}

bool book_find_row(const struct book *book, int64_t id, size_t *at) {
    size_t low = 0, high = book->order_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (book->orders[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *at = low;
    return low < book->order_count && book->orders[low]->id == id;
}

void book_remove_orders(struct book *book, const bool leaves[]) {
    size_t kept = 0;
    for (size_t i = 0; i < book->order_count; i++) {
        struct order *order = book->orders[i];
        if (!leaves[i]) {
            book->orders[kept++] = order;
            continue;
        }
        index_remove(&book->by_client_id, order->pub.client_order_id, order);
        index_remove(&book->by_broker_id, order->pub.broker_order_id, order);
        free(order);
    }
    book->order_count = kept;
}

static int by_row(const void *a, const void *b) {
    const struct order *const *x = a, *const *y = b;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

bool book_take_back_orders(struct book *book, const struct order orders[], size_t count) {
    bool ok = book_reserve_orders(book, count);
    for (size_t i = 0; ok && i < count; i++) {
        ok = book_add_order(book, &orders[i]) != NULL;
    }
    qsort(book->orders, book->order_count, sizeof *book->orders, by_row);
    return ok;
}

struct order *book_by_client_id(const struct book *book, const char *client_order_id) {
    return index_get(&book->by_client_id, client_order_id);
}

struct order *book_by_broker_id(const struct book *book, const char *broker_order_id) {
    return index_get(&book->by_broker_id, broker_order_id);
}

/* Where the symbol is, or would be. */
static size_t find_position(const struct book *book, const char *symbol) {
    size_t low = 0, high = book->position_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(book->positions[middle].symbol, symbol) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_position(const struct book *book, size_t at, const char *symbol) {
    return at < book->position_count && strcmp(book->positions[at].symbol, symbol) == 0;
}

struct position *book_position(struct book *book, const char *symbol) {
    const size_t at = find_position(book, symbol);
    struct position flat = {.symbol = ""};
    void *rows = book->positions;
    bool fits;

    if (is_position(book, at, symbol)) {
        return &book->positions[at];
    }
    fits = grow(&rows, book->position_count, &book->position_capacity, sizeof *book->positions,
                BOOK_POSITIONS_MAX);
    book->positions = rows;
    if (!fits) {
        return NULL;
    }
    text_clean(flat.symbol, sizeof flat.symbol, symbol);
    position_reset(&flat);
    memmove(&book->positions[at + 1], &book->positions[at],
            (book->position_count - at) * sizeof *book->positions);
    book->positions[at] = flat;
    book->position_count++;
    return &book->positions[at];
}

bool book_is_past(const struct book *book, const struct broker_fill *fill) {
    const size_t at = find_position(book, fill->symbol);

    return is_position(book, at, fill->symbol) && position_is_past(&book->positions[at], fill);
}

bool book_is_orphan(const struct book *book, const char *client_order_id) {
    for (size_t i = 0; i < book->orphan_count; i++) {
        if (strcmp(book->orphans[i], client_order_id) == 0) {
            return true;
        }
    }
    return false;
}

bool book_add_orphan(struct book *book, const char *client_order_id) {
    void *grown;
    if (book->orphan_count >= BOOK_ORPHANS_MAX) {
        return false;
    }
    grown = realloc(book->orphans, (book->orphan_count + 1) * sizeof *book->orphans);
    if (grown == NULL) {
        return false;
    }
    book->orphans = grown;
    text_clean(book->orphans[book->orphan_count++], BROKER_CLIENT_ID_SIZE, client_order_id);
    return true;
}

void book_free(struct book *book) {
    for (size_t i = 0; i < book->order_count; i++) {
        free(book->orders[i]);
    }
    free(book->orders);
    free(book->positions);
    free(book->orphans);
    ledger_free(&book->corrections);
    archive_free(&book->archive);
    index_free(&book->by_client_id);
    index_free(&book->by_broker_id);
    *book = (struct book){0};
}

/* ---- reading ---- */

static enum oms_code unreadable(struct store *store, int rc, const char *table,
                                struct oms_error *error) {
    const bool told = (sqlite3_errcode(store->db) & 0xff) == (rc & 0xff);
    text_error(error, "store %s: cannot read %s: %s", store->path, table,
               told ? store_message(store) : sqlite3_errstr(rc));
    return store_code(rc) == OMS_OK ? OMS_STORAGE : store_code(rc);
}

static enum oms_code out_of_memory(struct store *store, struct oms_error *error) {
    text_error(error, "store %s: no memory to read it", store->path);
    return OMS_STORAGE;
}

/* What has ended is neither sent nor adopted nor booked on any more, so that a start need not take
 * the digest of every order there ever was. */
static bool can_still_matter(const struct order *order) {
    return !oms_state_is_final(order->pub.state) || order->pub.state == OMS_STATE_HELD;
}

/* Row numbers are given without gaps: those that are not here are in the archive. */
static bool follows(const struct book *book, const struct order *order) {
    const int64_t last = book_next_row(book) - 1;
    return order->id > last && order->id <= (int64_t)book->order_count + 1 + book->archive.orders;
}

static enum oms_code check_order(const struct book *book, const struct order *order,
                                 const char *bad_word, struct store *store,
                                 struct oms_error *error) {
    const char *rule = NULL;

    if (bad_word != NULL) {
        rule = bad_word;
    } else if (!follows(book, order)) {
        rule = "its row number is out of sequence";
    } else if (order_is_broken(order, &rule)) {
        /* `rule` says which */
    } else if (!client_id_is_derived(book->meta.account, &order->pub)) {
        rule = "its client order id is not made from account and decision id";
    } else if (book_by_client_id(book, order->pub.client_order_id) != NULL) {
        rule = "its client order id is there twice";
    } else if (can_still_matter(order) && !order_is_sealed(order)) {
        rule = "it is not the one that was decided and written";
    } else {
        return OMS_OK;
    }
    text_error(error, "store %s: order %s: %s", store->path, order->pub.decision.id, rule);
    return OMS_CORRUPT;
}

static enum oms_code load_orders(struct book *book, struct store *store, bool check,
                                 struct oms_error *error) {
    const char *bad_word;
    struct order order;
    enum oms_code code;
    int rc;

    while ((rc = store_next_order(store, &order, &bad_word)) == SQLITE_ROW) {
        code =
            check || bad_word != NULL ? check_order(book, &order, bad_word, store, error) : OMS_OK;
        if (code == OMS_OK && book_add_order(book, &order) == NULL) {
            code = out_of_memory(store, error);
        }
        if (code != OMS_OK) {
            store_rest(store, STORE_ORDERS);
            return code;
        }
    }
    if (rc == SQLITE_DONE && check &&
        book_next_row(book) != (int64_t)book->order_count + book->archive.orders + 1) {
        text_error(error, "store %s: %zu orders and %lld in its archive, it has numbered %lld",
                   store->path, book->order_count, (long long)book->archive.orders,
                   (long long)book_next_row(book) - 1);
        return OMS_CORRUPT;
    }
    return rc == SQLITE_DONE ? OMS_OK : unreadable(store, rc, "orders", error);
}

/* One idempotency row per order, with its decision and its key. Decision ids are unique there, so
 * as many rows as orders that all name an order name each of them once. */
static enum oms_code check_keys(const struct book *book, struct store *store,
                                struct oms_error *error) {
    char decision_id[OMS_DECISION_ID_SIZE], key[BROKER_CLIENT_ID_SIZE];
    char odd[OMS_DECISION_ID_SIZE] = "";
    size_t count = 0;
    int rc;

    while ((rc = store_next_key(store, decision_id, key)) == SQLITE_ROW) {
        const struct order *order = book_by_client_id(book, key);
        count++;
        if (order == NULL || strcmp(order->pub.decision.id, decision_id) != 0) {
            memcpy(odd, decision_id, sizeof odd);
        }
    }
    if (rc != SQLITE_DONE) {
        return unreadable(store, rc, "idempotency", error);
    }
    if (count != book->order_count) {
        text_error(error, "store %s: %zu idempotency rows for %zu orders", store->path, count,
                   book->order_count);
        return OMS_CORRUPT;
    }
    if (odd[0] != '\0') {
        text_error(error, "store %s: the idempotency row of %s has another key than any order",
                   store->path, odd);
        return OMS_CORRUPT;
    }
    return OMS_OK;
}

static enum oms_code load_positions(struct book *book, struct store *store,
                                    struct oms_error *error) {
    struct position row, *kept;
    int rc;

    while ((rc = store_next_position(store, &row)) == SQLITE_ROW) {
        kept = book_position(book, row.symbol);
        if (kept == NULL) {
            store_rest(store, STORE_POSITIONS);
            return out_of_memory(store, error);
        }
        *kept = row;
    }
    return rc == SQLITE_DONE ? OMS_OK : unreadable(store, rc, "positions", error);
}

static enum oms_code load_orphans(struct book *book, struct store *store, struct oms_error *error) {
    char id[BROKER_CLIENT_ID_SIZE];
    int rc;

    if (book->meta.orphans == 0) {
        return OMS_OK;
    }
    while ((rc = store_next_orphan(store, id)) == SQLITE_ROW) {
        if (!book_add_orphan(book, id)) {
            store_rest(store, STORE_ORPHANS);
            return out_of_memory(store, error);
        }
    }
    if (rc == SQLITE_DONE && book->meta.orphans != (int64_t)book->orphan_count) {
        text_error(error, "store %s: %zu orphans, it counted %lld", store->path, book->orphan_count,
                   (long long)book->meta.orphans);
        return OMS_CORRUPT;
    }
    return rc == SQLITE_DONE ? OMS_OK : unreadable(store, rc, "orphans", error);
}

static enum oms_code load_corrections(struct book *book, struct store *store,
                                      struct oms_error *error) {
    struct ledger *ledger = &book->corrections;
    struct broker_fill fill;
    int rc;

    if (book->meta.corrections == 0) {
        return OMS_OK;
    }
    while ((rc = store_next_correction(store, &fill)) == SQLITE_ROW) {
        if (!ledger_add(ledger, &fill)) {
            store_rest(store, STORE_CORRECTIONS);
            return out_of_memory(store, error);
        }
    }
    if (rc == SQLITE_DONE && book->meta.corrections != (int64_t)ledger->n) {
        text_error(error, "store %s: %zu corrections, it counted %lld", store->path, ledger->n,
                   (long long)book->meta.corrections);
        return OMS_CORRUPT;
    }
    return rc == SQLITE_DONE ? OMS_OK : unreadable(store, rc, "fills", error);
}

bool book_is_adjustment(const struct broker_fill *fill, int64_t order_row) {
    return order_row == 0 &&
           strncmp(fill->execution_id, BOOK_ADJUSTMENT, sizeof BOOK_ADJUSTMENT - 1) == 0;
}

/* ---- replaying the executions: positions and orders must be exactly what they add up to ---- */

struct replay {
    int64_t *filled; /* per order, in the book's order */
    struct position *positions;
};

/* What it makes of its order. NULL: nothing is wrong. */
static const char *replay_order(const struct book *book, struct replay *replay,
                                const struct broker_fill *fill, int64_t order_row) {
    const struct order *order;
    size_t n;

    if (book_is_adjustment(fill, order_row)) {
        return NULL;
    }
    if (!book_find_row(book, order_row, &n)) {
        return "it belongs to no order";
    }
    order = book->orders[n];
    if (fill->side != order->pub.decision.side ||
        strcmp(fill->symbol, order->pub.decision.symbol) != 0) {
        return "it does not fit its order";
    }
    return __builtin_add_overflow(replay->filled[n], fill->qty_nanos, &replay->filled[n])
               ? "it does not add up"
               : NULL;
}

static const char *replay_fill(const struct book *book, struct replay *replay,
                               struct broker_fill *fill, int64_t order_row) {
    const size_t at = find_position(book, fill->symbol);
    const char *wrong;

    if (fill->qty_nanos < 0 || (fill->qty_nanos == 0 && !ledger_is_correction(fill))) {
        return "it does not fit its order";
    }
    if (!ledger_counts(&book->corrections, fill)) {
        return NULL;
    }
    wrong = replay_order(book, replay, fill, order_row);
    if (wrong != NULL) {
        return wrong;
    }
    if (at == book->position_count || strcmp(book->positions[at].symbol, fill->symbol) != 0) {
        return "it has no position";
    }
    if (!position_apply(&replay->positions[at], fill->side, fill->qty_nanos, fill->price_nanos)) {
        return "it does not add up";
    }
    position_note(&replay->positions[at], fill);
    return NULL;
}

static enum oms_code compare_replay(struct book *book, const struct replay *replay,
                                    struct store *store, struct oms_error *error) {
    for (size_t i = 0; i < book->order_count; i++) {
        if (replay->filled[i] != book->orders[i]->pub.filled_nanos) {
            text_error(error, "store %s: order %s: filled differs from the sum of its executions",
                       store->path, book->orders[i]->pub.decision.id);
            return OMS_CORRUPT;
        }
    }
    for (size_t i = 0; i < book->position_count; i++) {
        const struct position *sum = &replay->positions[i];
        struct position *kept = &book->positions[i];
        if (sum->qty != kept->qty || sum->cost != kept->cost || sum->realized != kept->realized) {
            text_error(error, "store %s: position %s differs from the sum of its executions",
                       store->path, kept->symbol);
            return OMS_CORRUPT;
        }
        *kept = *sum;
    }
    return OMS_OK;
}

static enum oms_code replay_all(struct book *book, struct store *store, struct oms_error *error) {
    struct replay replay = {
        .filled = calloc(book->order_count + 1, sizeof *replay.filled),
        .positions = malloc((book->position_count + 1) * sizeof *replay.positions),
    };
    enum oms_code code = OMS_OK;
    struct broker_fill fill;
    int64_t order_row;
    int rc = SQLITE_DONE;

    if (replay.filled == NULL || replay.positions == NULL) {
        code = out_of_memory(store, error);
        goto out;
    }
    for (size_t i = 0; i < book->position_count; i++) {
        replay.positions[i] = book->positions[i];
        position_reset(&replay.positions[i]);
    }
    while ((rc = store_next_fill(store, NULL, &fill, &order_row)) == SQLITE_ROW) {
        const char *wrong = replay_fill(book, &replay, &fill, order_row);
        if (wrong != NULL) {
            text_error(error, "store %s: execution %s: %s", store->path, fill.execution_id, wrong);
            store_rest(store, STORE_FILLS);
            code = OMS_CORRUPT;
            goto out;
        }
    }
    code = rc == SQLITE_DONE ? compare_replay(book, &replay, store, error)
                             : unreadable(store, rc, "fills", error);
out:
    free(replay.filled);
    free(replay.positions);
    return code;
}

enum oms_code book_load(struct book *book, struct store *store, bool check,
                        struct oms_error *error) {
    const int rc = store_meta(store, &book->meta);
    enum oms_code code = OMS_OK;

    if (rc == SQLITE_DONE) {
        text_error(error, "store %s: its one row of meta is missing", store->path);
        return OMS_CORRUPT;
    }
    if (rc != SQLITE_ROW) {
        return unreadable(store, rc, "meta", error);
    }
    code = archive_load(&book->archive, store, book->meta.segments, check, error);
    if (code == OMS_OK) {
        code = load_orders(book, store, check, error);
    }
    if (code == OMS_OK && check) {
        code = check_keys(book, store, error);
    }
    if (code == OMS_OK) {
        code = load_positions(book, store, error);
    }
    if (code == OMS_OK) {
        code = load_orphans(book, store, error);
    }
    if (code == OMS_OK) {
        code = load_corrections(book, store, error);
    }
    if (code == OMS_OK && check) {
        code = replay_all(book, store, error);
    }
    return code;
}
