/* Reading a store of the core for its meaning: the one list of what its starts only tell.
 *
 * (1) What the list below does not name counts whole: a table or column that is forgotten here
 *     keeps worlds apart that could be merged, which is seen, and merges none that differ.
 * (2) Times count through the core's thresholds (core/threshold.h) and in no other way. */
#include "sim/sut/core_meaning.h"

#include "core/order.h"
#include "core/store.h"
#include "core/threshold.h"
#include "sim/hash.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns that no start acts on: words for people, what happened when, and counters. Times of
 * orders are read as moments, execution ids as executions, a seal without what it is combined with.
 * NULL: the whole table. */
static const struct {
    const char *table, *column;
} told[] = {
    {"meta", "kill_reason"},
    {"meta", "base_ns"},
    {"meta", "base_order"},
    {"meta", "base_run"},
    {"orders", "reason"},
    {"orders", "first_send_ns"},
    {"orders", "send_by_ns"},
    {"orders", "created_ns"},
    {"orders", "expires_ns"},
    {"orders", "seal"},
    {"idempotency", "created_at"},
    {"fills", "execution_id"},
    {"fills", "at_ns"},
    {"fills", "refers"},
    {"meta", "corrections"},
    {"meta", "adjustments"},
    /* read as the segments that they name, and as the executions that are in them */
    {"archive", "size"},
    {"archive", "digest"},
    {"archive", "filter"},
    {"archive", "seal"},
    {"positions", "base"},
    {"orphans", "run"},
    {"runs", NULL},
    {"journal", NULL},
};

static bool is_told(const char *table, const char *column) {
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (strcmp(told[i].table, table) == 0 &&
            (told[i].column == NULL || (column != NULL && strcmp(told[i].column, column) == 0)))
            return true;
    }
    return false;
}

struct reading {
    sqlite3 *db;
    const struct profile *profile;
    struct sut_meaning *meaning;
    int64_t newest_ns; /* of all rows: when the clock was at least */
    int64_t look_ns; /* of what would be lost with the tail of the store: starts look from there */
    int64_t compared_ns; /* of the newest conclusive comparison: executions are read from there */
    int64_t last_run;    /* number of the newest comparison */
    bool failed;         /* no memory, or a segment that cannot be read */
    struct store store;  /* where the archive is */
};

/* ---- growing ---- */

static bool make_room(void **rows, size_t count, size_t *cap, size_t size) {
    size_t more = *cap == 0 ? 8 : *cap * 2;
    void *grown = NULL;
    if (count < *cap)
        return true;
    grown = realloc(*rows, more * size);
    if (grown == NULL)
        return false;
    *rows = grown;
    *cap = more;
    return true;
}

static void add_number(struct reading *reading, int64_t **rows, size_t *count, size_t *cap,
                       int64_t value) {
    void *grown = *rows;
    if (!make_room(&grown, *count, cap, sizeof value)) {
        reading->failed = true;
        return;
    }
    *rows = grown;
    (*rows)[(*count)++] = value;
}

static void add_moment(struct reading *reading, int64_t at_ns) {
    struct sut_meaning *meaning = reading->meaning;
    add_number(reading, &meaning->moments, &meaning->moment_count, &meaning->moment_cap, at_ns);
}

static void add_anchor(struct reading *reading, int64_t at_ns) {
    struct sut_meaning *meaning = reading->meaning;
    add_number(reading, &meaning->anchors, &meaning->anchor_count, &meaning->anchor_cap, at_ns);
}

static void add_known(struct reading *reading, const char *client_order_id) {
    struct sut_meaning *meaning = reading->meaning;
    void *grown = meaning->known;
    if (!make_room(&grown, meaning->known_count, &meaning->known_cap, sizeof *meaning->known)) {
        reading->failed = true;
        return;
    }
    meaning->known = grown;
    meaning->known[meaning->known_count++] = hash_text(0, client_order_id);
}

static void add_booked(struct reading *reading, uint64_t row, const char *execution_id) {
    struct sut_meaning *meaning = reading->meaning;
    void *grown = meaning->booked;
    struct sut_booked *booked = NULL;
    if (!make_room(&grown, meaning->booked_count, &meaning->booked_cap, sizeof *meaning->booked)) {
        reading->failed = true;
        return;
    }
    meaning->booked = grown;
    booked = &meaning->booked[meaning->booked_count++];
    *booked = (struct sut_booked){.row = row};
    snprintf(booked->execution_id, sizeof booked->execution_id, "%s", execution_id);
}

/* ---- one row ---- */

static uint64_t hash_value(uint64_t hash, sqlite3_stmt *row, int n) {
    int type = sqlite3_column_type(row, n);
    hash = hash_u64(hash, (uint64_t)type);
    if (type == SQLITE_INTEGER)
        return hash_u64(hash, (uint64_t)sqlite3_column_int64(row, n));
    if (sqlite3_column_bytes(row, n) == 0)
        return hash_u64(hash, 0);
    return hash_bytes(hash, sqlite3_column_blob(row, n), (size_t)sqlite3_column_bytes(row, n));
}

static int column(sqlite3_stmt *row, const char *name) {
    int n = sqlite3_column_count(row) - 1;
    while (n >= 0 && strcmp(sqlite3_column_name(row, n), name) != 0)
        n--;
    return n;
}

static int64_t number(sqlite3_stmt *row, const char *name) {
    int n = column(row, name);
    return n < 0 ? 0 : sqlite3_column_int64(row, n);
}

static const char *text(sqlite3_stmt *row, const char *name) {
    int n = column(row, name);
    const char *found = n < 0 ? NULL : (const char *)sqlite3_column_text(row, n);
    return found == NULL ? "" : found;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* Every start that finds the order live, or that follows one which a person made so, looks at the
 * broker's orders from then on. */
static void add_look(struct reading *reading, sqlite3_stmt *row) {
    int64_t first_send_ns = number(row, "first_send_ns"), created_ns = number(row, "created_ns");
    add_anchor(reading,
               first_send_ns > 0 && first_send_ns < created_ns ? first_send_ns : created_ns);
}

/* An order whose end is not on record: its times count. */
static void read_live(struct reading *reading, sqlite3_stmt *row, enum oms_state state) {
    int64_t first_send_ns = number(row, "first_send_ns"), send_by_ns = number(row, "send_by_ns");
    int64_t expires_ns = number(row, "expires_ns");
    bool working = state == OMS_STATE_WORKING || state == OMS_STATE_PARTIALLY_FILLED;
    add_look(reading, row);
    add_known(reading, text(row, "client_order_id"));
    if (working)
        return;
    reading->meaning->fixed =
        hash_u64(reading->meaning->fixed, (first_send_ns > 0) * 2u + (send_by_ns > 0));
    if (send_by_ns > 0)
        add_moment(reading, threshold_absent_ns(reading->profile, send_by_ns));
    if (first_send_ns > 0 && threshold_forgotten_ns(reading->profile, first_send_ns) != INT64_MAX)
        add_moment(reading, threshold_forgotten_ns(reading->profile, first_send_ns));
    if (expires_ns > 0)
        add_moment(reading, expires_ns);
}

/* The same for every whole row of one decision. */
static int64_t payload_seal(sqlite3_stmt *row, enum oms_state state) {
    struct order order = {.id = number(row, "id"),
                          .first_send_ns = number(row, "first_send_ns"),
                          .send_by_ns = number(row, "send_by_ns"),
                          .pub = {.state = state,
                                  .filled_nanos = number(row, "filled"),
                                  .sends = (int)number(row, "sends"),
                                  .cancel_asked = number(row, "cancel_asked") != 0,
                                  .created_ns = number(row, "created_ns")}};
    snprintf(order.pub.reason, sizeof order.pub.reason, "%s", text(row, "reason"));
    snprintf(order.pub.broker_order_id, sizeof order.pub.broker_order_id, "%s",
             text(row, "broker_order_id"));
    return number(row, "seal") ^ order_mark(&order);
}

static void read_order(struct reading *reading, sqlite3_stmt *row) {
    enum oms_state state = OMS_STATE_INTENT;
    struct sut_meaning *meaning = reading->meaning;
    bool parsed = oms_state_parse(text(row, "state"), &state);
    reading->newest_ns = later(reading->newest_ns, number(row, "created_ns"));
    reading->look_ns = later(reading->look_ns, number(row, "created_ns"));
    meaning->fixed = hash_u64(meaning->fixed, text(row, "reason")[0] != '\0');
    meaning->fixed = hash_u64(meaning->fixed,
                              (uint64_t)(parsed ? payload_seal(row, state) : number(row, "seal")));
    if (!parsed)
        return;
    if (!oms_state_is_final(state))
        read_live(reading, row, state);
    else if (state == OMS_STATE_HELD || text(row, "broker_order_id")[0] != '\0')
        add_known(reading, text(row, "client_order_id"));
    if (state == OMS_STATE_HELD)
        add_look(reading, row);
}

/* ---- the archive: its orders have ended, and no start looks at their times ---- */

static void read_archived(struct reading *reading, const struct order *order) {
    const struct oms_order *pub = &order->pub;
    uint64_t hash = hash_u64(hash_text(0, "archived"), (uint64_t)order->id);
    hash = hash_u64(hash, (uint64_t)order_seal(&pub->decision));
    hash = hash_u64(hash, (uint64_t)(order->seal ^ order_seal(&pub->decision)));
    hash = hash_text(hash_text(hash, pub->client_order_id), pub->broker_order_id);
    hash = hash_u64(hash_u64(hash, (uint64_t)pub->state), (uint64_t)pub->filled_nanos);
    hash = hash_u64(hash_u64(hash, (uint64_t)pub->sends), pub->cancel_asked);
    reading->meaning->fixed =
        hash_u64(hash_u64(reading->meaning->fixed, hash), pub->reason[0] != '\0');
    reading->newest_ns = later(reading->newest_ns, pub->created_ns);
    if (pub->broker_order_id[0] != '\0')
        add_known(reading, pub->client_order_id);
}

static void read_archived_fill(struct reading *reading, const struct segment_fill *row) {
    uint64_t hash = hash_u64(hash_text(0, "archived"), (uint64_t)row->order_row);
    hash = hash_u64(hash_text(hash, row->fill.symbol), (uint64_t)row->fill.side);
    hash = hash_u64(hash_u64(hash, (uint64_t)row->fill.qty_nanos), (uint64_t)row->fill.price_nanos);
    add_booked(reading, hash, row->fill.execution_id);
}

static void read_segment(struct reading *reading, sqlite3_stmt *row) {
    struct segment_row named = {.id = number(row, "id"), .size = number(row, "size")};
    int digest = column(row, "digest");
    unsigned char *bytes = NULL;
    struct segment segment = {0};
    bool whole = digest >= 0 && sqlite3_column_bytes(row, digest) == SHA256_SIZE;
    if (whole)
        memcpy(named.digest, sqlite3_column_blob(row, digest), SHA256_SIZE);
    whole = whole && store_segment_read(&reading->store, &named, &bytes) == SQLITE_OK &&
            segment_unpack(bytes, (size_t)named.size, &segment);
    for (size_t i = 0; whole && i < segment.order_count; i++)
        read_archived(reading, &segment.orders[i]);
    for (size_t i = 0; whole && i < segment.fill_count; i++)
        read_archived_fill(reading, &segment.fills[i]);
    reading->failed |= !whole;
    segment_free(&segment);
    free(bytes);
}

static void read_row(struct reading *reading, const char *table, sqlite3_stmt *row) {
    uint64_t hash = hash_text(0, table);
    for (int n = 0; n < sqlite3_column_count(row); n++) {
        if (!is_told(table, sqlite3_column_name(row, n)))
            hash = hash_value(hash, row, n);
    }
    if (strcmp(table, "fills") == 0) {
        add_booked(reading, hash, text(row, "execution_id"));
        return;
    }
    reading->meaning->fixed = hash_u64(reading->meaning->fixed, hash);
    if (strcmp(table, "archive") == 0)
        read_segment(reading, row);
    if (strcmp(table, "orders") == 0)
        read_order(reading, row);
    if (strcmp(table, "meta") == 0) {
        reading->newest_ns =
            later(reading->newest_ns, later(number(row, "created_ns"), number(row, "base_ns")));
        reading->look_ns = later(reading->look_ns, number(row, "created_ns"));
        reading->compared_ns = later(reading->compared_ns, number(row, "created_ns"));
    }
}

/* ---- all of it ---- */

static bool read_table(struct reading *reading, const char *table) {
    char sql[160];
    sqlite3_stmt *row = NULL;
    int rc = SQLITE_OK;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%.100s\" ORDER BY 1", table);
    rc = sqlite3_prepare_v2(reading->db, sql, -1, &row, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(row)) == SQLITE_ROW) {
        read_row(reading, table, row);
        rc = SQLITE_OK;
    }
    sqlite3_finalize(row);
    return rc == SQLITE_DONE;
}

/* The latest comparison: what came before it, if it was conclusive, is not looked at again. */
static bool read_last_run(struct reading *reading) {
    static const char sql[] =
        "SELECT max(at_ns), max(CASE why WHEN '' THEN at_ns ELSE 0 END), max(id) FROM runs";
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v2(reading->db, sql, -1, &row, NULL);
    if (rc == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        reading->newest_ns = later(reading->newest_ns, sqlite3_column_int64(row, 0));
        reading->look_ns = later(reading->look_ns, sqlite3_column_int64(row, 1));
        reading->compared_ns = later(reading->compared_ns, sqlite3_column_int64(row, 1));
        reading->last_run = sqlite3_column_int64(row, 2);
    }
    sqlite3_finalize(row);
    return rc == SQLITE_OK;
}

static bool read_tables(struct reading *reading) {
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v2(reading->db,
                                "SELECT name, sql FROM sqlite_schema WHERE type = 'table' "
                                "ORDER BY name",
                                -1, &row, NULL);
    bool whole = rc == SQLITE_OK;
    while (whole && (rc = sqlite3_step(row)) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(row, 0);
        reading->meaning->fixed = hash_value(reading->meaning->fixed, row, 1);
        whole = is_told(table, NULL) || read_table(reading, table);
    }
    sqlite3_finalize(row);
    return whole && rc == SQLITE_DONE;
}

/* Of the mark in the fence only this counts: is the store behind it? */
static bool read_mark(struct reading *reading, const char *vfs, const char *path) {
    struct oms_place place = {.vfs = vfs, .path = path};
    struct store store = {0};
    struct oms_error ignored;
    int64_t mark = 0;
    int there = 0;
    bool read =
        store_find(&store, &place, &ignored) == OMS_OK &&
        store.vfs->xAccess(store.vfs, store.fence_path, SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK;
    if (read && there)
        read = store_file_open(&store, store.fence_path, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB,
                               &store.fence) == SQLITE_OK &&
               store_mark_read(&store, &mark) == SQLITE_OK;
    reading->meaning->fixed = hash_u64(reading->meaning->fixed, mark > reading->last_run);
    store_close(&store);
    return read;
}

bool core_meaning(const char *vfs, const char *path, const struct sut_config *config,
                  struct sut_meaning *meaning) {
    struct reading reading = {.profile = config->profile, .meaning = meaning};
    const struct oms_place place = {.vfs = vfs, .path = path};
    struct oms_error ignored;
    bool whole = false;
    if (store_find(&reading.store, &place, &ignored) != OMS_OK)
        return false;
    meaning->look_back_ns = THRESHOLD_LOOK_BACK_NS;
    if (sqlite3_open_v2(path, &reading.db, SQLITE_OPEN_READONLY, vfs) == SQLITE_OK &&
        sqlite3_exec(reading.db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK)
        whole = read_tables(&reading) && read_last_run(&reading) &&
                read_mark(&reading, vfs, path) && !reading.failed;
    sqlite3_close(reading.db);
    store_close(&reading.store);
    /* A clock that shows less than the newest row has gone back, which every start acts on. */
    add_moment(&reading, reading.newest_ns);
    meaning->since_ns = reading.look_ns;
    meaning->others_since_ns = reading.look_ns - THRESHOLD_LOOK_BACK_NS;
    meaning->others_fills_since_ns = reading.compared_ns - THRESHOLD_LOOK_BACK_NS;
    for (size_t i = 0; i < meaning->anchor_count; i++) {
        if (meaning->anchors[i] < meaning->since_ns)
            meaning->since_ns = meaning->anchors[i];
    }
    meaning->since_ns -= THRESHOLD_LOOK_BACK_NS;
    return whole && !reading.failed;
}
