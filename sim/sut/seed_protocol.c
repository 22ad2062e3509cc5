/* seed-protocol: an OMS built honestly from a common crash-recovery design, as a warning.
 *
 * It checks an idempotency store, submits, and then records that it did. The order carries no
 * client order id, SQLite runs in WAL mode with synchronous=NORMAL, and after a restart
 * reconciliation takes the broker's positions over. Between submit and record, on a lost reply, and
 * after a power loss it forgets orders that are live. It claims I1-I3 and I12, and cannot keep
 * them. */
#include "core/oms.h"
#include "sim/sut/sut.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIMS = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 12, QUEUE_MAX = 64 };
static const int64_t poll_ns = INT64_C(2) * 1000000000;

/* What waits in memory, and dies with it. */
struct pending {
    struct oms_decision decision;
    bool submitted;
    enum broker_sent outcome;
    struct broker_order order;
};

struct seed_oms {
    sqlite3 *db;
    struct broker broker;
    struct oms_env env;
    struct pending queue[QUEUE_MAX];
    size_t queued;
    bool reconcile_due, at_boot;
    int64_t boot, poll_at_ns;
};

static const char schema[] =
    "CREATE TABLE idempotency(decision_id TEXT PRIMARY KEY, idempotency_key TEXT NOT NULL,"
    " created_at TEXT NOT NULL);"
    "CREATE TABLE orders(decision_id TEXT PRIMARY KEY, broker_id TEXT, symbol TEXT, side INT,"
    " qty INT, price INT, state INT, filled INT);"
    "CREATE TABLE positions(symbol TEXT PRIMARY KEY, qty INT, price INT);"
    "CREATE TABLE found(id INTEGER PRIMARY KEY, boot INT, type INT, severity INT, symbol TEXT);"
    "CREATE TABLE state(kill_switch INT, boots INT); INSERT INTO state VALUES(0, 0);";

static bool run_sql(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool open_db(const char *vfs, const char *path, int flags, sqlite3 **db) {
    if (sqlite3_open_v2(path, db, flags, vfs) == SQLITE_OK &&
        run_sql(*db, "PRAGMA locking_mode=EXCLUSIVE")) {
        sqlite3_db_config(*db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return true;
    }
    sqlite3_close(*db);
    *db = NULL;
    return false;
}

static bool settings(sqlite3 *db) {
    return run_sql(db, "PRAGMA journal_mode=WAL") && run_sql(db, "PRAGMA synchronous=NORMAL");
}

static void tell(struct seed_oms *oms, enum oms_event_kind kind, enum oms_phase phase,
                 const char *decision_id, const char *text, bool known) {
    struct oms_event event = {.kind = kind,
                              .phase = phase,
                              .decision_id = decision_id,
                              .client_order_id = "",
                              .text = text,
                              .known = known};
    oms->env.emit(oms->env.ctx, &event);
}

/* Runs one statement with up to eight parameters ("t" text, "i" integer); true when it worked. */
struct value {
    const char *text; /* NULL: the integer */
    int64_t integer;
};
static bool put_row(sqlite3 *db, const char *sql, const struct value *values, int count) {
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    for (int i = 0; rc == SQLITE_OK && i < count; i++)
        rc = values[i].text != NULL
                 ? sqlite3_bind_text(stmt, i + 1, values[i].text, -1, SQLITE_TRANSIENT)
                 : sqlite3_bind_int64(stmt, i + 1, values[i].integer);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static bool get_int(sqlite3 *db, const char *sql, const char *text, int64_t *value) {
    sqlite3_stmt *stmt = NULL;
    bool found = false;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
        if (text != NULL)
            sqlite3_bind_text(stmt, 1, text, -1, SQLITE_TRANSIENT);
        found = sqlite3_step(stmt) == SQLITE_ROW;
        if (found)
            *value = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return found;
}

/* ---- creating and starting ---- */

static bool put_opening(sqlite3 *db, const struct oms_opening *opening, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct value row[] = {
            {opening[i].symbol, 0}, {NULL, opening[i].qty_nanos}, {NULL, opening[i].price_nanos}};
        if (!put_row(db, "INSERT INTO positions VALUES(?, ?, ?)", row, 3))
            return false;
    }
    return true;
}

static bool seed_create(const struct sut_ports *ports, const struct sut_config *config,
                        const struct oms_opening *opening, size_t opening_count,
                        char why[SUT_WHY_SIZE]) {
    sqlite3 *db = NULL;
    char page_size[64];
    bool made = false;
    snprintf(page_size, sizeof page_size, "PRAGMA page_size=%d",
             config->page_size > 0 ? config->page_size : 4096);
    made = open_db(ports->vfs, ports->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db) &&
           run_sql(db, page_size) && settings(db) && run_sql(db, schema) &&
           put_opening(db, opening, opening_count);
    if (made)
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    else
        snprintf(why, SUT_WHY_SIZE, "cannot create %s", ports->path);
    sqlite3_close(db);
    return made;
}

static void *seed_boot(const struct sut_ports *ports, const struct sut_config *config,
                       char why[SUT_WHY_SIZE]) {
    struct seed_oms *oms = calloc(1, sizeof *oms);
    (void)config;
    if (oms == NULL)
        return NULL;
    oms->env = ports->env;
    if (ports->broker == NULL) {
        snprintf(why, SUT_WHY_SIZE, "seed-protocol has the direct door only");
        free(oms);
        return NULL;
    }
    oms->broker = *ports->broker;
    tell(oms, OMS_EVENT_BOOT, OMS_BEFORE, "", "", false);
    if (!open_db(ports->vfs, ports->path, SQLITE_OPEN_READWRITE, &oms->db) || !settings(oms->db) ||
        !run_sql(oms->db, "UPDATE state SET boots = boots + 1") ||
        !get_int(oms->db, "SELECT boots FROM state", NULL, &oms->boot)) {
        snprintf(why, SUT_WHY_SIZE, "cannot open %s", ports->path);
        sqlite3_close(oms->db);
        free(oms);
        return NULL;
    }
    oms->reconcile_due = true;
    oms->at_boot = true;
    return oms;
}

static void seed_bury(void *instance, bool orderly) {
    struct seed_oms *oms = instance;
    (void)orderly;
    sqlite3_close(oms->db);
    free(oms);
}

/* ---- check, submit, record ---- */

static bool exists(struct seed_oms *oms, const char *decision_id) {
    int64_t one = 0;
    return get_int(oms->db, "SELECT 1 FROM idempotency WHERE decision_id = ?", decision_id, &one);
}

static enum sut_answer seed_signal(void *instance, const struct oms_decision *decision,
                                   char why[SUT_WHY_SIZE]) {
    struct seed_oms *oms = instance;
    int64_t kill_switch = 0;
    bool known = false;
    tell(oms, OMS_EVENT_DECIDE, OMS_BEFORE, decision->id, "", false);
    known = exists(oms, decision->id);
    tell(oms, OMS_EVENT_CHECK, OMS_AFTER, decision->id, "", known);
    if (known) {
        tell(oms, OMS_EVENT_SKIP, OMS_AFTER, decision->id, "already submitted", true);
        return SUT_KNOWN;
    }
    get_int(oms->db, "SELECT kill_switch FROM state", NULL, &kill_switch);
    if (kill_switch != 0 || oms->queued == QUEUE_MAX) {
        snprintf(why, SUT_WHY_SIZE, kill_switch != 0 ? "the kill switch is on" : "too busy");
        tell(oms, OMS_EVENT_REFUSE, OMS_AFTER, decision->id, why, false);
        return SUT_NOT_TAKEN;
    }
    oms->queue[oms->queued++] = (struct pending){.decision = *decision};
    tell(oms, OMS_EVENT_DECIDE, OMS_AFTER, decision->id, "", false);
    return SUT_PENDING;
}

static void submit(struct seed_oms *oms, struct pending *pending) {
    const struct oms_decision *decision = &pending->decision;
    struct broker_request request = {.side = decision->side,
                                     .type = decision->type,
                                     .tif = decision->tif,
                                     .qty_nanos = decision->qty_nanos,
                                     .limit_nanos = decision->limit_nanos};
    struct broker_reason why = {0};
    memcpy(request.symbol, decision->symbol, sizeof request.symbol);
    tell(oms, OMS_EVENT_SEND, OMS_BEFORE, decision->id, "", false);
    pending->outcome = oms->broker.submit(oms->broker.ctx, &request, &pending->order, &why);
    pending->submitted = true;
    tell(oms, OMS_EVENT_SEND, OMS_AFTER, decision->id, why.text, false);
}

static bool put(struct seed_oms *oms, const struct pending *pending) {
    const struct oms_decision *decision = &pending->decision;
    struct value key[] = {
        {decision->id, 0}, {pending->order.client_order_id, 0}, {"2026-01-09T00:00:00", 0}};
    struct value row[] = {{decision->id, 0},           {pending->order.id, 0},
                          {decision->symbol, 0},       {NULL, decision->side},
                          {NULL, decision->qty_nanos}, {NULL, decision->limit_nanos},
                          {NULL, OMS_STATE_WORKING}};
    bool done = run_sql(oms->db, "BEGIN") &&
                put_row(oms->db, "INSERT INTO idempotency VALUES(?, ?, ?)", key, 3) &&
                put_row(oms->db, "INSERT INTO orders VALUES(?, ?, ?, ?, ?, ?, ?, 0)", row, 7) &&
                run_sql(oms->db, "COMMIT");
    if (!done)
        run_sql(oms->db, "ROLLBACK");
    return done;
}

/* Anything but an accepted order is an exception in that design: logged, not recorded. */
static bool record(struct seed_oms *oms) {
    struct pending pending = oms->queue[0];
    bool healthy = true;
    oms->queued--;
    memmove(&oms->queue[0], &oms->queue[1], oms->queued * sizeof oms->queue[0]);
    if (pending.outcome != BROKER_ACCEPTED)
        return true;
    tell(oms, OMS_EVENT_RECORD, OMS_BEFORE, pending.decision.id, "", false);
    healthy = put(oms, &pending);
    if (healthy)
        tell(oms, OMS_EVENT_RECORD, OMS_AFTER, pending.decision.id, "", false);
    oms->poll_at_ns = oms->env.now_ns(oms->env.ctx) + poll_ns;
    return healthy;
}

/* ---- reconciliation: detect, then take the broker's truth over ---- */

static bool found(struct seed_oms *oms, enum oms_discrepancy_type type, enum oms_severity severity,
                  const char *symbol) {
    struct value row[] = {{NULL, oms->boot}, {NULL, type}, {NULL, severity}, {symbol, 0}};
    char text[96];
    snprintf(text, sizeof text, "%s %s", oms_discrepancy_name(type), symbol);
    tell(oms, OMS_EVENT_DISCREPANCY, OMS_AFTER, "", text, false);
    return put_row(oms->db, "INSERT INTO found(boot, type, severity, symbol) VALUES(?, ?, ?, ?)",
                   row, 4);
}

static enum oms_state state_of(const struct broker_order *order) {
    if (order->status == BROKER_STATUS_FILLED)
        return OMS_STATE_FILLED;
    if (order->status == BROKER_STATUS_CANCELED)
        return OMS_STATE_CANCELED;
    if (order->status == BROKER_STATUS_REJECTED)
        return OMS_STATE_REJECTED;
    if (order->status == BROKER_STATUS_EXPIRED)
        return OMS_STATE_EXPIRED;
    return order->filled_nanos > 0 ? OMS_STATE_PARTIALLY_FILLED : OMS_STATE_WORKING;
}

static bool take_orders(struct seed_oms *oms, const struct broker_orders *list) {
    bool healthy = true;
    for (size_t i = 0; healthy && i < list->n; i++) {
        const struct broker_order *order = &list->v[i];
        struct value row[] = {{NULL, state_of(order)}, {NULL, order->filled_nanos}, {order->id, 0}};
        int64_t booked = 0;
        if (!get_int(oms->db, "SELECT filled FROM orders WHERE broker_id = ?", order->id, &booked))
            continue;
        if (order->filled_nanos > booked && order->filled_nanos < order->qty_nanos)
            healthy = found(oms, OMS_PARTIAL_FILL, OMS_WARNING, order->symbol);
        healthy = healthy && put_row(oms->db,
                                     "UPDATE orders SET state = ?, filled = ? "
                                     "WHERE broker_id = ?",
                                     row, 3);
    }
    return healthy;
}

static bool take_positions(struct seed_oms *oms, const struct broker_positions *list) {
    bool healthy = true;
    for (size_t i = 0; healthy && i < list->n; i++) {
        const struct broker_position *position = &list->v[i];
        struct value row[] = {
            {position->symbol, 0}, {NULL, position->qty_nanos}, {NULL, position->avg_price_nanos}};
        int64_t own = 0;
        bool known =
            get_int(oms->db, "SELECT qty FROM positions WHERE symbol = ?", position->symbol, &own);
        if (!known)
            healthy = found(oms, OMS_MISSING_IN_OMS, OMS_CRITICAL, position->symbol);
        else if (own != position->qty_nanos)
            healthy = found(oms, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, position->symbol);
        if (!known || own != position->qty_nanos)
            healthy = healthy &&
                      put_row(oms->db, "INSERT OR REPLACE INTO positions VALUES(?, ?, ?)", row, 3);
    }
    return healthy;
}

static bool reconcile(struct seed_oms *oms, bool routine) {
    struct broker_orders orders = {0};
    struct broker_positions positions = {0};
    struct broker_reason why = {0};
    bool healthy = true;
    if (!routine)
        tell(oms, OMS_EVENT_RECONCILE, OMS_BEFORE, "", "", false);
    if (oms->broker.orders(oms->broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why) &&
        oms->broker.positions(oms->broker.ctx, &positions, &why))
        healthy = take_orders(oms, &orders) && take_positions(oms, &positions);
    broker_orders_free(&orders);
    broker_positions_free(&positions);
    if (!routine && healthy)
        tell(oms, OMS_EVENT_RECONCILE, OMS_AFTER, "", "", false);
    if (oms->at_boot && healthy)
        tell(oms, OMS_EVENT_BOOT, OMS_AFTER, "", "", false);
    oms->reconcile_due = false;
    oms->at_boot = false;
    oms->poll_at_ns = oms->env.now_ns(oms->env.ctx) + poll_ns;
    return healthy;
}

static bool seed_step(void *instance) {
    struct seed_oms *oms = instance;
    if (oms->reconcile_due)
        return reconcile(oms, false);
    if (oms->queued > 0 && oms->queue[0].submitted)
        return record(oms);
    if (oms->queued > 0) {
        submit(oms, &oms->queue[0]);
        return true;
    }
    return reconcile(oms, true);
}

static void seed_next(void *instance, struct oms_next *next) {
    struct seed_oms *oms = instance;
    int64_t open = 0;
    *next = (struct oms_next){.work = OMS_WORK_NONE};
    if (oms->reconcile_due)
        next->work = OMS_WORK_RECONCILE;
    else if (oms->queued > 0)
        next->work = oms->queue[0].submitted ? OMS_WORK_RECORD : OMS_WORK_SEND;
    else if (get_int(oms->db, "SELECT 1 FROM orders WHERE state IN (2, 3)", NULL, &open))
        *next = (struct oms_next){.work = OMS_WORK_POLL, .at_ns = oms->poll_at_ns};
}

static bool seed_cancel(void *instance, const char *decision_id) {
    struct seed_oms *oms = instance;
    struct broker_reason why = {0};
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(oms->db, "SELECT broker_id FROM orders WHERE decision_id = ?", -1, &stmt,
                           NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(stmt, 1, decision_id, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        oms->broker.cancel(oms->broker.ctx, (const char *)sqlite3_column_text(stmt, 0), &why);
    sqlite3_finalize(stmt);
    return true;
}

static bool seed_kill_switch(void *instance, bool on) {
    struct seed_oms *oms = instance;
    return run_sql(oms->db,
                   on ? "UPDATE state SET kill_switch = 1" : "UPDATE state SET kill_switch = 0");
}

static bool seed_reconcile(void *instance, bool daily) {
    struct seed_oms *oms = instance;
    (void)daily; /* every comparison of it is one of everything */
    oms->reconcile_due = true;
    return true;
}

/* ---- what it believes ---- */

static bool read_orders(sqlite3 *db, struct oms_view *view) {
    sqlite3_stmt *stmt = NULL;
    bool done = sqlite3_prepare_v2(db,
                                   "SELECT decision_id, broker_id, symbol, side, qty, price, "
                                   "state, filled FROM orders ORDER BY rowid",
                                   -1, &stmt, NULL) == SQLITE_OK;
    while (done && sqlite3_step(stmt) == SQLITE_ROW) {
        struct oms_order *order = NULL;
        void *grown = realloc(view->orders, (view->order_count + 1) * sizeof *view->orders);
        if (grown == NULL)
            break;
        view->orders = grown;
        order = &view->orders[view->order_count++];
        *order = (struct oms_order){.state = (enum oms_state)sqlite3_column_int(stmt, 6),
                                    .filled_nanos = sqlite3_column_int64(stmt, 7),
                                    .sends = 1};
        snprintf(order->decision.id, sizeof order->decision.id, "%s",
                 (const char *)sqlite3_column_text(stmt, 0));
        snprintf(order->broker_order_id, sizeof order->broker_order_id, "%s",
                 (const char *)sqlite3_column_text(stmt, 1));
        snprintf(order->decision.symbol, sizeof order->decision.symbol, "%s",
                 (const char *)sqlite3_column_text(stmt, 2));
        order->decision.side = (enum broker_side)sqlite3_column_int(stmt, 3);
        order->decision.qty_nanos = sqlite3_column_int64(stmt, 4);
        order->decision.limit_nanos = sqlite3_column_int64(stmt, 5);
    }
    sqlite3_finalize(stmt);
    return done;
}

static bool read_positions(sqlite3 *db, struct oms_view *view) {
    sqlite3_stmt *stmt = NULL;
    bool done = sqlite3_prepare_v2(db,
                                   "SELECT symbol, qty, price FROM positions WHERE qty <> 0 "
                                   "ORDER BY symbol",
                                   -1, &stmt, NULL) == SQLITE_OK;
    while (done && sqlite3_step(stmt) == SQLITE_ROW) {
        struct oms_position *position = NULL;
        void *grown =
            realloc(view->positions, (view->position_count + 1) * sizeof *view->positions);
        if (grown == NULL)
            break;
        view->positions = grown;
        position = &view->positions[view->position_count++];
        *position = (struct oms_position){.qty_nanos = sqlite3_column_int64(stmt, 1),
                                          .avg_price_nanos = sqlite3_column_int64(stmt, 2)};
        position->cost = (decimal_wide)position->qty_nanos * position->avg_price_nanos;
        snprintf(position->symbol, sizeof position->symbol, "%s",
                 (const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_finalize(stmt);
    return done;
}

static bool read_found(sqlite3 *db, struct oms_view *view) {
    sqlite3_stmt *stmt = NULL;
    bool done = sqlite3_prepare_v2(db,
                                   "SELECT type, severity, symbol FROM found WHERE boot = "
                                   "(SELECT boots FROM state) ORDER BY id",
                                   -1, &stmt, NULL) == SQLITE_OK;
    while (done && sqlite3_step(stmt) == SQLITE_ROW) {
        struct oms_discrepancy *row = NULL;
        void *grown = realloc(view->discrepancies,
                              (view->discrepancy_count + 1) * sizeof *view->discrepancies);
        if (grown == NULL)
            break;
        view->discrepancies = grown;
        row = &view->discrepancies[view->discrepancy_count++];
        *row =
            (struct oms_discrepancy){.type = (enum oms_discrepancy_type)sqlite3_column_int(stmt, 0),
                                     .severity = (enum oms_severity)sqlite3_column_int(stmt, 1),
                                     .explained = true};
        snprintf(row->symbol, sizeof row->symbol, "%s", (const char *)sqlite3_column_text(stmt, 2));
    }
    sqlite3_finalize(stmt);
    return done;
}

static bool seed_observe(const char *vfs, const char *path, bool check, struct oms_view *view,
                         char why[SUT_WHY_SIZE]) {
    sqlite3 *db = NULL;
    int64_t kill_switch = 0;
    bool read = false;
    (void)check; /* that design never checks its database */
    if (open_db(vfs, path, SQLITE_OPEN_READONLY, &db))
        read = read_orders(db, view) && read_positions(db, view) && read_found(db, view) &&
               get_int(db, "SELECT kill_switch FROM state", NULL, &kill_switch) &&
               get_int(db, "SELECT boots FROM state", NULL, &view->boots);
    if (!read)
        snprintf(why, SUT_WHY_SIZE, "cannot read %s", path);
    view->kill_switch = kill_switch != 0;
    sqlite3_close(db);
    return read;
}

const struct sut sut_seed_protocol = {.abi = SUT_ABI,
                                      .name = "seed-protocol",
                                      .claims = CLAIMS,
                                      .create = seed_create,
                                      .boot = seed_boot,
                                      .signal = seed_signal,
                                      .cancel = seed_cancel,
                                      .kill_switch = seed_kill_switch,
                                      .reconcile = seed_reconcile,
                                      .step = seed_step,
                                      .next = seed_next,
                                      .bury = seed_bury,
                                      .observe = seed_observe};
