/* The schema of every version that the core still reads, as that version wrote it; not taken from
 * the core, so that a change there by mistake is seen. */
#include "sim/sut/core_older.h"

#include <sqlite3.h>
#include <stddef.h>

/* name, columns */
#define TABLES_3(X)                                                                                \
    X("meta",                                                                                      \
      "id INTEGER PRIMARY KEY,account,created_ns,kill_switch,kill_reason,base_ns,"                 \
      "base_order,base_run,orphans,corrections,adjustments)",                                      \
      "id,account,created_ns,kill_switch,kill_reason,base_ns,base_order,base_run,orphans,"         \
      "corrections,adjustments")                                                                   \
    X("idempotency",                                                                               \
      "decision_id TEXT PRIMARY KEY,idempotency_key TEXT NOT NULL,"                                \
      "created_at TEXT NOT NULL)WITHOUT ROWID",                                                    \
      "*")                                                                                         \
    X("orders",                                                                                    \
      "id INTEGER PRIMARY KEY,decision_id,client_order_id,symbol,side,type,tif,qty,"               \
      "limit_price,expires_ns,state,reason,broker_order_id,filled,sends,first_send_ns,"            \
      "send_by_ns,cancel_asked,created_ns,seal)",                                                  \
      "*")                                                                                         \
    X("fills",                                                                                     \
      "execution_id PRIMARY KEY,order_id,symbol,side,qty,price,at_ns,refers)"                      \
      "WITHOUT ROWID",                                                                             \
      "*")                                                                                         \
    X("positions", "symbol PRIMARY KEY,opening_qty,opening_price,qty,cost,realized)WITHOUT ROWID", \
      "symbol,opening_qty,opening_price,qty,cost,realized")                                        \
    X("runs", "id INTEGER PRIMARY KEY,boot,at_ns,at_boot,why)", "*")                               \
    X("orphans", "client_order_id PRIMARY KEY,broker_order_id,run)WITHOUT ROWID", "*")             \
    X("journal",                                                                                   \
      "id INTEGER PRIMARY KEY,at_ns,kind,run,type,severity,explained,symbol,ref,"                  \
      "oms_value,broker_value,text)",                                                              \
      "*")

#define SET_ASIDE(name, columns, kept)                                                             \
    "CREATE TEMP TABLE aside_" name " AS SELECT " kept " FROM main." name ";DROP TABLE main." name \
    ";"
#define MAKE(name, columns, kept)     "CREATE TABLE " name "(" columns ";"
#define PUT_BACK(name, columns, kept) "INSERT INTO main." name " SELECT * FROM temp.aside_" name ";"

static const char to_version_3[] =
    "PRAGMA locking_mode=EXCLUSIVE;PRAGMA temp_store=MEMORY;PRAGMA synchronous=FULL;BEGIN;"
    "DROP TABLE archive;" TABLES_3(SET_ASIDE) TABLES_3(MAKE)
        TABLES_3(PUT_BACK) "PRAGMA user_version=3;COMMIT;PRAGMA wal_checkpoint(TRUNCATE);";

bool core_make_older(const char *vfs, const char *path, int version) {
    sqlite3 *db = NULL;
    const bool done = version == 3 &&
                      sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, vfs) == SQLITE_OK &&
                      sqlite3_exec(db, to_version_3, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return done;
}
