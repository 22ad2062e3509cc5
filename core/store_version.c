/* Versions of the store's schema, and the way from each to the next.
 *
 * (1) A step is one transaction together with the version number it leads to: a store is of the
 *     version it says, whatever cuts the step short, and the next start takes the step again.
 * (2) A step comes after fence, scrub and integrity check, so that it reads what is on the device,
 *     and before anything else, so that the rest of the core knows the newest version only.
 * (3) What was lost is never guessed: a step carries every row over, or fails.
 */
#include "core/store.h"

#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPLICATION_ID = 0x63674f4d /* "cgOM" */, OLDEST = 3, NEWEST = 4 };

/* An intent touches one leaf of `orders` and one of `idempotency`: no other index may be added to
 * them without need, each would be one more page that a power loss can tear from the others.
 * But for `idempotency`, whose text is a contract, columns are bare names: every start parses and
 * checks this text, so what a column may hold is said where rows are read (store_rows.c insists on
 * each column's type), not here a second time. For the same reason there are few tables: all
 * that is kept for people and acted on by no start is one journal, by `kind`. */
#define META                                                                                       \
    "CREATE TABLE meta(id INTEGER PRIMARY KEY,account,created_ns,kill_switch,kill_reason,base_ns," \
    "base_order,base_run,orphans,corrections,adjustments"
#define IDEMPOTENCY_ORDERS_FILLS                                                                   \
    "CREATE TABLE idempotency(decision_id TEXT PRIMARY KEY,idempotency_key TEXT NOT NULL,"         \
    "created_at TEXT NOT NULL)WITHOUT ROWID;"                                                      \
    "CREATE TABLE orders(id INTEGER PRIMARY KEY,decision_id,client_order_id,symbol,side,type,tif," \
    "qty,limit_price,expires_ns,state,reason,broker_order_id,filled,sends,first_send_ns,"          \
    "send_by_ns,cancel_asked,created_ns,seal);"                                                    \
    "CREATE TABLE fills(execution_id PRIMARY KEY,order_id,symbol,side,qty,price,at_ns,refers)"     \
    "WITHOUT ROWID;"
#define POSITIONS \
    "CREATE TABLE positions(symbol PRIMARY KEY,opening_qty,opening_price,qty,cost,realized"
#define RUNS_ORPHANS_JOURNAL                                                                     \
    "CREATE TABLE runs(id INTEGER PRIMARY KEY,boot,at_ns,at_boot,why);"                          \
    "CREATE TABLE orphans(client_order_id PRIMARY KEY,broker_order_id,run)WITHOUT ROWID;"        \
    "CREATE TABLE journal(id INTEGER PRIMARY KEY,at_ns,kind,run,type,severity,explained,symbol," \
    "ref,oms_value,broker_value,text);"
#define ARCHIVE "CREATE TABLE archive(id INTEGER PRIMARY KEY,orders,size,digest,filter,seal);"

/* From the oldest that can be read to the newest, without gaps. A column that was added by a step
 * is written in a new store's schema as that step leaves it. */
static const struct {
    const char *schema;  /* every table, in the order in which they were made */
    const char *to_next; /* turns it into the next version */
    const char *seen_as; /* lets a reader see it as the newest; "": it is the newest */
} versions[NEWEST - OLDEST + 1] = {
    {META ");" IDEMPOTENCY_ORDERS_FILLS POSITIONS ")WITHOUT ROWID;" RUNS_ORPHANS_JOURNAL,
     "ALTER TABLE meta ADD COLUMN segments DEFAULT 0;"
     "ALTER TABLE positions ADD COLUMN base DEFAULT x'';" ARCHIVE,
     "CREATE TEMP VIEW meta AS SELECT *,0 AS segments FROM main.meta;"
     "CREATE TEMP VIEW positions AS SELECT *,x'' AS base FROM main.positions;"},
    {META ", segments DEFAULT 0);" IDEMPOTENCY_ORDERS_FILLS POSITIONS
          ", base DEFAULT x'')WITHOUT ROWID;" RUNS_ORPHANS_JOURNAL ARCHIVE,
     "", ""},
};

static int run_sql(struct store *store, const char *sql) {
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

int store_make_tables(struct store *store) {
    return run_sql(store, versions[NEWEST - OLDEST].schema);
}

static int put_version(struct store *store, int version) {
    char pragma[48];
    (void)snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", version);
    return run_sql(store, pragma);
}

int store_put_identity(struct store *store) {
    char pragma[48];
    int rc = put_version(store, NEWEST);

    (void)snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d", APPLICATION_ID);
    return rc == SQLITE_OK ? run_sql(store, pragma) : rc;
}

static int read_version(struct store *store) {
    char version[16];
    const int rc = store_ask(store, "PRAGMA user_version", version, sizeof version);
    store->version = rc == SQLITE_OK ? (int)strtol(version, NULL, 10) : 0;
    return rc;
}

static bool is_readable(int version) {
    return version >= OLDEST && version <= NEWEST;
}

enum oms_code store_identity(struct store *store, struct oms_error *error) {
    char id[16];
    int rc = store_ask(store, "PRAGMA application_id", id, sizeof id);

    if (rc == SQLITE_OK) {
        rc = read_version(store);
    }
    if (rc != SQLITE_OK) {
        return store_refuse(store, rc, "not an OMS database", error);
    }
    if (strtol(id, NULL, 10) != APPLICATION_ID) {
        char tables[16];
        rc = store_ask(store, "SELECT count(*) FROM sqlite_schema", tables, sizeof tables);
        text_error(error, "store %s: %s", store->path,
                   rc == SQLITE_OK && strcmp(tables, "0") == 0
                       ? "unfinished: making it was cut short; make it again"
                       : "not an OMS database: its application_id is another one");
        return rc == SQLITE_OK ? OMS_FOREIGN : store_code(rc);
    }
    if (!is_readable(store->version)) {
        text_error(error, "store %s: schema version is %d, this program reads %d to %d: %s",
                   store->path, store->version, OLDEST, NEWEST,
                   store->version > NEWEST ? "use the newer program that wrote it"
                                           : "start once with a program that reads it");
        return OMS_FOREIGN;
    }
    return OMS_OK;
}

/* Where the schema goes on after this statement of it; NULL: that is not the next one. */
static const char *after_statement(const char *rest, const char *text) {
    const size_t length = strlen(text);
    return strncmp(rest, text, length) == 0 && rest[length] == ';' ? rest + length + 1 : NULL;
}

enum oms_code store_check_schema(struct store *store, struct oms_error *error) {
    const char *rest = versions[store->version - OLDEST].schema;
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v2(store->db, "SELECT +sql FROM sqlite_schema", -1, &row, NULL);

    while (rc == SQLITE_OK && (rc = sqlite3_step(row)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        rest = rest != NULL && text != NULL ? after_statement(rest, text) : NULL;
        rc = SQLITE_OK;
    }
    (void)sqlite3_finalize(row);
    if (rc != SQLITE_DONE) {
        return store_refuse(store, rc, "cannot read its schema", error);
    }
    if (rest == NULL || *rest != '\0') {
        text_error(error, "store %s: its schema is not that of version %d: it is damaged",
                   store->path, store->version);
        return OMS_CORRUPT;
    }
    return OMS_OK;
}

/* One step, (1). */
static enum oms_code step(struct store *store, struct oms_error *error) {
    char what[80];
    int rc = store_begin(store);

    if (rc == SQLITE_OK) {
        rc = run_sql(store, versions[store->version - OLDEST].to_next);
    }
    if (rc == SQLITE_OK) {
        rc = put_version(store, store->version + 1);
    }
    if (rc == SQLITE_OK) {
        rc = store_commit(store) == STORE_COMMITTED ? SQLITE_OK : SQLITE_IOERR;
    }
    if (rc == SQLITE_OK) {
        store->version++;
        return store_check_schema(store, error);
    }
    (void)snprintf(what, sizeof what, "cannot take it from schema version %d to %d; start again",
                   store->version, store->version + 1);
    return store_refuse(store, rc, what, error);
}

enum oms_code store_migrate(struct store *store, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    while (code == OMS_OK && store->version < NEWEST) {
        code = step(store, error);
    }
    return code;
}

/* What is temporary lives in memory, and is all that is written here. */
enum oms_code store_see_as_newest(struct store *store, struct oms_error *error) {
    int rc = read_version(store);

    if (rc != SQLITE_OK || !is_readable(store->version) || store->version == NEWEST) {
        return OMS_OK; /* who reads on is told what is wrong */
    }
    rc = run_sql(store, "PRAGMA temp_store=MEMORY;PRAGMA query_only=0");
    if (rc == SQLITE_OK) {
        rc = run_sql(store, versions[store->version - OLDEST].seen_as);
    }
    if (rc == SQLITE_OK) {
        rc = run_sql(store, "PRAGMA query_only=1");
    }
    return rc == SQLITE_OK ? OMS_OK : store_refuse(store, rc, "cannot look at it", error);
}
