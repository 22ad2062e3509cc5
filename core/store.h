/* The store: one SQLite database and the archive beside it, all SQL of the core, and the steps that
 * make it durable.
 *
 * What it guarantees while open for writing:
 *  (a) no second writer: the fence is held for as long as the store is open;
 *  (b) what is read is on the device: database and log were rewritten byte for byte and synced
 *      before they were opened (from a copy, where a power loss can ruin what is overwritten),
 *      because a sync that failed in an earlier life may have left pages
 * that reads show and the device lacks; (c) a commit that returned STORE_COMMITTED survives a power
 * loss (synchronous=FULL); (d) the log is copied into the database only when asked to. Calls return
 * SQLite result codes; store_message() has the words. */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "core/order.h"
#include "core/position.h"
#include "core/segment.h"

#include <sqlite3.h>

/* name, text. Every start prepares most of these, which is most of its time, so: whole rows are
 * written in the order of the schema's columns, which need not be looked up then; and columns are
 * read as expressions (+x), for which SQLite keeps no names of table and origin. */
#define STORE_SQL(X)                                                                            \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                 \
    X(COMMIT, "COMMIT")                                                                         \
    X(ROLLBACK, "ROLLBACK")                                                                     \
    X(META, "SELECT +account, +created_ns, +kill_switch, +kill_reason, +base_ns, "              \
            "+base_order, +base_run, +orphans, +corrections, +adjustments, +segments "          \
            "FROM meta WHERE id = 1")                                                           \
    X(ORDERS, "SELECT +id, +decision_id, +client_order_id, +symbol, +side, +type, +tif, "       \
              "+qty, +limit_price, +expires_ns, +state, +reason, +broker_order_id, "            \
              "+filled, +sends, +first_send_ns, +send_by_ns, +cancel_asked, "                   \
              "+created_ns, +seal FROM orders ORDER BY id")                                     \
    X(KEYS, "SELECT +decision_id, +idempotency_key FROM idempotency")                           \
    X(FILLS, "SELECT +execution_id, +order_id, +symbol, +side, +qty, +price, +at_ns, "          \
             "+refers FROM fills ORDER BY symbol, at_ns, execution_id")                         \
    X(SYMBOL_FILLS, "SELECT +execution_id, +order_id, +symbol, +side, +qty, +price, "           \
                    "+at_ns, +refers FROM fills WHERE symbol = ?1 ORDER BY at_ns, "             \
                    "execution_id")                                                             \
    X(CORRECTIONS, "SELECT +execution_id, +order_id, +symbol, +side, +qty, +price, "            \
                   "+at_ns, +refers FROM fills WHERE refers <> '' ORDER BY at_ns, "             \
                   "execution_id")                                                              \
    X(FILL_OF, "SELECT +execution_id, +order_id, +symbol, +side, +qty, +price, +at_ns, "        \
               "+refers FROM fills WHERE execution_id = ?1")                                    \
    X(POSITIONS, "SELECT +symbol, +opening_qty, +opening_price, +qty, +cost, +realized, "       \
                 "+base FROM positions ORDER BY symbol")                                        \
    X(ORPHANS, "SELECT +client_order_id FROM orphans ORDER BY client_order_id")                 \
    X(KEY_OF, "SELECT +idempotency_key FROM idempotency WHERE decision_id = ?1")                \
    X(IS_BOOKED, "SELECT 1 FROM fills WHERE execution_id = ?1")                                 \
    X(INTENT, "INSERT INTO orders VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")             \
    X(KEY, "INSERT INTO idempotency VALUES(?,?,?)")                                             \
    X(ORDER, "UPDATE orders SET state = ?2, reason = ?3, broker_order_id = ?4, filled = "       \
             "?5, sends = ?6, first_send_ns = ?7, send_by_ns = ?8, cancel_asked = ?9, "         \
             "seal = ?10 WHERE id = ?1")                                                        \
    X(FILL, "INSERT INTO fills VALUES(?,?,?,?,?,?,?,?)")                                        \
    X(CORRECTION_COUNT, "UPDATE meta SET corrections = corrections + 1 WHERE id = 1")           \
    X(POSITION, "REPLACE INTO positions VALUES(?,?,?,?,?,?,?)")                                 \
    X(RUN, "INSERT INTO runs VALUES(?,?,?,?,?)")                                                \
    X(JOURNAL, "INSERT INTO journal VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?)")                        \
    X(ORPHAN, "INSERT INTO orphans VALUES(?,?,?)")                                              \
    X(ADJUSTMENT_COUNT, "UPDATE meta SET adjustments = adjustments + 1 WHERE id = 1")           \
    X(IS_ADJUSTED, "SELECT 1 FROM fills WHERE symbol = ?1 AND order_id = 0")                    \
    X(ORPHAN_COUNT, "UPDATE meta SET orphans = orphans + 1 WHERE id = 1")                       \
    X(KILL_SWITCH, "UPDATE meta SET kill_switch = ?1, kill_reason = ?2 WHERE id = 1")           \
    X(BASE, "UPDATE meta SET base_ns = ?1, base_order = ?2, base_run = ?3 WHERE id = 1")        \
    X(SEGMENTS, "SELECT +id, +orders, +size, +digest, +filter, +seal FROM archive ORDER BY id") \
    X(SEGMENT, "INSERT INTO archive VALUES(?,?,?,?,?,?)")                                       \
    X(SEGMENT_OUT, "DELETE FROM archive WHERE id = ?1")                                         \
    X(ORDER_OUT, "DELETE FROM orders WHERE id = ?1")                                            \
    X(KEY_OUT, "DELETE FROM idempotency WHERE decision_id = ?1")                                \
    X(FILL_OUT, "DELETE FROM fills WHERE execution_id = ?1")                                    \
    X(ARCHIVED, "UPDATE meta SET segments = ?1, corrections = corrections + ?2, "               \
                "adjustments = adjustments + ?3 WHERE id = 1")                                  \
    X(RUNS_BACK, "SELECT +id, +boot, +at_ns, +at_boot, +why FROM runs ORDER BY id DESC")        \
    X(FOUND, "SELECT +type, +severity, +explained, +symbol, +ref, +oms_value, "                 \
             "+broker_value, +text, +run FROM journal WHERE kind = 'discrepancy' AND run >= "   \
             "?1 ORDER BY id")                                                                  \
    X(EXECUTIONS, "SELECT +f.execution_id, +ifnull(o.decision_id, ''), +f.symbol, +f.side, "    \
                  "+f.qty, +f.price, +f.at_ns, +f.refers FROM fills f LEFT JOIN orders o ON "   \
                  "o.id = f.order_id ORDER BY f.at_ns, f.execution_id")                         \
    X(ENTRIES, "SELECT +id, +at_ns, +kind, +run, +type, +severity, +explained, +symbol, +ref, " \
               "+oms_value, +broker_value, +text FROM journal ORDER BY id")                     \
    X(META_NEW, "INSERT INTO meta VALUES(1, ?1, ?2, 0, '', ?2, 0, 0, 0, 0, 0, 0)")
enum store_sql {
#define X(name, text) STORE_##name,
    STORE_SQL(X)
#undef X
        STORE_SQL_COUNT
};

enum { STORE_COPIES = 2 }; /* places for a start's copy of the store (core/store_copy.c) */

struct store {
    sqlite3 *db;
    sqlite3_vfs *vfs;
    const char *path; /* full, as sqlite3_create_filename made it */
    const char *fence_path, *copy_path[STORE_COPIES];
    sqlite3_file *fence;
    sqlite3_stmt *statements[STORE_SQL_COUNT];
    int version;       /* of its schema, once store_identity has told */
    int64_t mark;      /* as the start found it (core/store_mark.c) */
    int frames;        /* in the log, as of the last commit */
    bool frames_known; /* the scrub (an empty log), a commit or a checkpoint has told */
};

/* The one row of `meta`, with the latest of `runs`. */
struct store_meta {
    char account[OMS_ACCOUNT_SIZE];
    int64_t created_ns;
    bool kill_switch;
    char kill_reason[OMS_REASON_SIZE];
    int64_t base_ns, base_order, base_run; /* the clock was known good then, after those rows */
    int64_t last_run, boots, last_run_ns;  /* the newest of `runs` */
    int64_t compared_ns;                   /* the newest conclusive one; 0: there is none */
    int64_t orphans;     /* rows in `orphans`, so that a start need not look there in vain ... */
    int64_t corrections; /* ... corrections in `fills` ... */
    int64_t adjustments; /* ... and adjustments there */
    int64_t segments;    /* of the archive (core/archive.h): they are numbered 1 .. this */
};

/* ---- opening and closing; each fills *error ---- */

/* Makes a store, with the schema and its one row in a single transaction. */
enum oms_code store_create(const struct oms_place *place, const struct oms_config *config,
                           int64_t now_ns, const struct oms_opening *opening, size_t opening_count,
                           struct oms_error *error);
/* Fence, scrub, open, set and read back, integrity, migration. */
enum oms_code store_open(struct store *store, const struct oms_place *place,
                         struct oms_error *error);
/* For looking only: no fence, no scrub, nothing written; identity and integrity only with `check`.
 */
enum oms_code store_peek(struct store *store, const struct oms_place *place, bool check,
                         struct oms_error *error);
/* Closes whatever is open of it; never writes. */
void store_close(struct store *store);

/* The steps of store_open, in this order. */
enum oms_code store_take_fence(struct store *store, struct oms_error *error);
enum oms_code store_scrub(struct store *store, struct oms_error *error);
enum oms_code store_open_database(struct store *store, int flags, struct oms_error *error);
enum oms_code store_settings(struct store *store, struct oms_error *error);
enum oms_code store_identity(struct store *store, struct oms_error *error);
enum oms_code store_integrity(struct store *store, struct oms_error *error);
/* Called once after a scrub that succeeded; `code` is what opening the database came to, and what is
 * given back unless this fails. Where overwriting is not power-safe the log is moved into the
 * database and the copy is given up: SQLite would go on in the middle of the sector in which the
 * newest commit ends, if a power loss took the frames that it pads the log with. */
enum oms_code store_scrub_end(struct store *store, enum oms_code code, struct oms_error *error);
enum oms_code store_migrate(struct store *store, struct oms_error *error);
/* And what they stand on. */
enum oms_code store_find(struct store *store, const struct oms_place *place,
                         struct oms_error *error);
enum oms_code store_exists(struct store *store, const char *path, bool *exists, int64_t *size,
                           struct oms_error *error);

/* Opens one file of the store through its VFS; *file is NULL after a failure. */
int store_file_open(struct store *store, const char *path, int flags, sqlite3_file **file);
void store_file_close(sqlite3_file **file);

/* Around the scrub where overwriting is not power-safe (core/store_copy.c). `chunk` holds
 * STORE_CHUNK bytes. SQLite result codes. */
enum { STORE_CHUNK = 65536 };
bool store_needs_copy(const struct store *store);
/* Afterwards a durable copy of database and log exists; if an earlier scrub was cut short, they have
 * been put back from it. */
int store_copy_make(struct store *store, char *chunk);
/* What was copied is safe where it belongs: the copy says nothing any more, durably. */
int store_copy_drop(struct store *store);

/* The number of the newest comparison that is known to be durable in the store, noted in the fence
 * (core/store_mark.c). *mark is 0 when there is none that can be read. SQLite result codes; when a
 * write fails, the next start may read the old one or none. */
int store_mark_read(struct store *store, int64_t *mark);
int store_mark_write(struct store *store, int64_t mark);
/* Reads it, at the start of a writer, and makes durable what was read. */
int store_mark_settle(struct store *store, int64_t *mark);
/* A new store begins where another one has been. */
int store_mark_forget(struct store *store);

/* ---- versions of the schema (core/store_version.c) ---- */

/* The tables of the newest version; its number and the mark of an OMS database. In a transaction. */
int store_make_tables(struct store *store);
int store_put_identity(struct store *store);
/* Is the schema that of store->version, to the letter? A damaged name of a column passes the
 * integrity check, and is only met when it is needed. */
enum oms_code store_check_schema(struct store *store, struct oms_error *error);
/* For looking only: an older version is read as if it were the newest. Nothing is written. */
enum oms_code store_see_as_newest(struct store *store, struct oms_error *error);

/* Runs one statement and gives the first column of its last row. */
int store_ask(struct store *store, const char *sql, char *out, size_t size);
/* The manual's code for a result, with `what` and SQLite's words in *error. */
enum oms_code store_refuse(const struct store *store, int rc, const char *what,
                           struct oms_error *error);
/* How reading rows to their end went: OMS_OK for SQLITE_DONE, else the manual's code, in words. */
enum oms_code store_was_read(const struct store *store, int rc, struct oms_error *error);
const char *store_message(const struct store *store);
/* The manual's code for a SQLite result met while opening. */
enum oms_code store_code(int rc);

/* ---- statements: prepared when first needed, kept ---- */
int store_prepare(struct store *store, enum store_sql which, sqlite3_stmt **statement);
/* Steps one that gives no rows, and rewinds it. SQLITE_OK or an error. */
int store_finish(struct store *store, enum store_sql which);

/* ---- transactions ---- */

enum store_commit {
    STORE_COMMITTED, /* durable */
    STORE_NO_SPACE,  /* certainly not done, and proven not to come back */
    STORE_UNKNOWN    /* neither: only reading the disk again can tell */
};
int store_begin(struct store *store);
enum store_commit store_commit(struct store *store);
/* SQLITE_OK: nothing of the transaction is left. */
int store_rollback(struct store *store);
/* Copies the log into the database and empties it. A failure takes no commit back; but after
 * SQLITE_IOERR_FSYNC where store_needs_copy, nothing may be written any more. */
int store_checkpoint(struct store *store);

/* ---- rows out: SQLITE_ROW, SQLITE_DONE or an error; rewind by store_rest() ----
 * A row with a column of another type than is ever written (NULL, say) is SQLITE_CORRUPT. */
int store_meta(struct store *store, struct store_meta *meta);
int store_next_order(struct store *store, struct order *order, const char **bad_word);
int store_next_key(struct store *store, char decision_id[OMS_DECISION_ID_SIZE],
                   char key[BROKER_CLIENT_ID_SIZE]);
/* Executions by symbol and time; those of one symbol when it is not NULL. */
int store_next_fill(struct store *store, const char *symbol, struct broker_fill *fill,
                    int64_t *order_row);
int store_next_correction(struct store *store, struct broker_fill *fill);
int store_next_position(struct store *store, struct position *position);
int store_next_orphan(struct store *store, char client_order_id[BROKER_CLIENT_ID_SIZE]);
int store_next_run_back(struct store *store, struct oms_run *run);
int store_next_discrepancy(struct store *store, int64_t from_run, struct oms_discrepancy *found);
int store_next_execution(struct store *store, struct oms_execution *execution);
int store_next_entry(struct store *store, struct oms_entry *entry);
/* The rows of the archive, by id; *row's filter is the caller's to free. */
int store_next_segment(struct store *store, struct segment_row *row);
void store_rest(struct store *store, enum store_sql which);
/* Is the kill switch on? Asked of the store, not of memory; SQLITE_OK or an error. */
int store_is_switched_off(struct store *store, bool *on);
/* SQLITE_ROW when there, SQLITE_DONE when not. */
int store_key_of(struct store *store, const char *decision_id, char key[BROKER_CLIENT_ID_SIZE]);
int store_is_booked(struct store *store, const char *execution_id);
/* Is there an adjustment of this symbol? SQLITE_ROW or SQLITE_DONE. */
int store_is_adjusted(struct store *store, const char *symbol);
int store_fill_of(struct store *store, const char *execution_id, struct broker_fill *fill,
                  int64_t *order_row);

/* ---- rows in, inside a transaction ---- */
/* The intent and its idempotency row. *allowed is false when the kill switch is on: nothing done.
 */
int store_put_intent(struct store *store, const struct order *order, bool *allowed);
/* An order and its idempotency row, whatever the kill switch says. */
int store_put_order_row(struct store *store, const struct order *order);
int store_put_meta(struct store *store, const char *account, int64_t now_ns);
int store_put_order(struct store *store, const struct order *order);
/* An execution, a correction, or (order row 0) an adjustment. */
int store_put_fill(struct store *store, const struct broker_fill *fill, int64_t order_row);
int store_put_position(struct store *store, const struct position *position);
int store_put_run(struct store *store, const struct oms_run *run);
int store_put_discrepancy(struct store *store, const struct oms_run *run,
                          const struct oms_discrepancy *found);
int store_put_orphan(struct store *store, const char *client_order_id, const char *broker_order_id,
                     int64_t run);
int store_put_kill_switch(struct store *store, bool on, const char *reason);
int store_put_switching(struct store *store, int64_t at_ns, bool on, const char *who,
                        const char *why);
/* What a person decided about a held order: `text` says how, who and why. */
int store_put_ruling(struct store *store, int64_t at_ns, const char *decision_id, const char *text);
/* That a comparison was one of a whole day, and what it counted. */
int store_put_daily(struct store *store, const struct oms_run *run, const char *text);
/* Why a comparison adjusted a position: the two quantities, and the price in `text`. */
int store_put_adjustment(struct store *store, const struct oms_run *run, const char *symbol,
                         const char *execution_id, int64_t oms_nanos, int64_t broker_nanos,
                         const char *text);
int store_put_base(struct store *store, int64_t base_ns, int64_t base_order, int64_t base_run);

/* ---- the archive (core/store_archive.c) ----
 * A segment is a file beside the database, "<path>-archive<id>". It counts only once the database
 * names it; what the database does not name is rubbish, and is written over. */

/* Is it there? The manual's code for a failure. */
enum oms_code store_segment_exists(struct store *store, int64_t id, bool *exists,
                                   struct oms_error *error);
/* Writes it whole, syncs it and its name, and reads it back. SQLite result codes. */
int store_segment_write(struct store *store, int64_t id, const unsigned char *bytes, size_t size);
/* Its bytes, `size` of them, to be freed by the caller; NULL unless SQLITE_OK. SQLITE_CORRUPT: they
 * are not those with the row's digest. */
int store_segment_read(struct store *store, const struct segment_row *row, unsigned char **bytes);

int store_put_segment_row(struct store *store, const struct segment_row *row);
/* How the counters of `meta` change. */
int store_put_archived(struct store *store, int64_t segments, int64_t corrections,
                       int64_t adjustments);
/* Removes the one row that an id, or a name when it is not NULL, stands for. */
int store_remove(struct store *store, enum store_sql which, int64_t id, const char *name);
/* The rest are rows, inside a transaction. What is in the segment leaves the live tables, and the
 * segment is named ... */
int store_put_segment(struct store *store, const struct segment *segment,
                      const struct segment_row *row);
/* ... or comes back, and it is named no more. It must be the newest. */
int store_take_back_segment(struct store *store, const struct segment *segment);

#endif
