/* liboms: an order-management core that never turns one decision into two orders and never forgets
 * one, whatever dies when. This header is the manual.
 *
 * It decides; it reaches the world only through ports: a SQLite VFS (the store), a broker
 * (core/broker.h) and an environment (core/env.h). It has no clock, no randomness, no threads, no
 * files and no sockets of its own, and it never sleeps: oms_step() does one due piece of work and
 * oms_next() says when the next one is due.
 *
 * What it keeps, numbered; the code cites the numbers:
 *  (1) The broker must not learn of an order we could forget: the intent is durable
 *      (synchronous=FULL) before the request leaves.
 *  (2) One decision, one client order id, for ever: it is made from account and decision id only.
 *  (3) An order that may be live is never sent again before a query, answered completely and later
 *      than the last possible delivery, found it absent, and the profile says the broker would
 *      refuse a second one. Otherwise it is held for a person, who resolves it (oms_resolve).
 *  (4) A refusal is final.
 *  (5) An execution is booked once, keyed by the broker's execution id, in the transaction that
 *      moves its order and its position.
 *  (6) Nothing is sent before this start has compared itself with the broker, nor while a CRITICAL
 *      difference waits for its second look, nor while the kill switch or the halt file is on, nor
 *      past a decision's expiry. Cancels may still leave.
 *  (7) A storage error stops everything (fail-stop): no send, no commit; the next start reads the
 *      disk. Only "no space" at an intent (answered "not taken") and a failed checkpoint do not.
 *  (8) The number of distinct client order ids sent never exceeds the number of intents.
 *  (9) A store that is older than the one that last ran here (a backup was put back, its log was
 *      lost) trips the kill switch when it is started: orders may have been sent that it has no
 *      record of. The fence beside the store tells, for as long as it is not put back with it;
 *      otherwise what the broker has of ours and the store has not, does (6).
 *
 * Life of an order (the table of legal moves is in order.c):
 *
 *      INTENT            answered at once: WORKING or what the broker says; REJECTED
 *                        no usable answer, or nobody lived to read it: IN_DOUBT
 *                        never left: CANCELED or EXPIRED when asked or past its time
 *      IN_DOUBT          found at the broker: WORKING or what the broker says
 *                        truly absent: INTENT (to be sent again), HELD, CANCELED or EXPIRED
 *      WORKING           PARTIALLY_FILLED, FILLED, CANCELED, REJECTED, EXPIRED
 *      PARTIALLY_FILLED  FILLED, CANCELED, EXPIRED
 *                        all its executions are busted: WORKING
 *      FILLED            an execution is busted or corrected: EXPIRED if that is how it ended at the
 *                        broker, else CANCELED
 *      HELD              found at the broker later: WORKING or what the broker says
 *                        a person says which of the broker's orders it is: the same
 *                        a person says it is not at the broker: CANCELED
 *
 * What the OMS promises depends on the broker (core/profile.h): its start tells that sentence with
 * the BOOT event, and where nothing more can be known an order is HELD instead of guessed about.
 */
#ifndef CORE_OMS_H
#define CORE_OMS_H

#include "core/broker.h"
#include "core/decimal.h"
#include "core/env.h"
#include "core/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OMS_DECISION_ID_SIZE = 129, /* text sizes, closing zero included */
    OMS_ACCOUNT_SIZE = 33,
    OMS_REASON_SIZE = 240,
    OMS_ERROR_SIZE = 400
};

/* id, word, final, meaning */
#define OMS_STATES(X)                                                                        \
    X(INTENT, "intent", 0, "durable; not known to have left")                                \
    X(IN_DOUBT, "in-doubt", 0, "may be live at the broker; being resolved by query")         \
    X(WORKING, "working", 0, "live at the broker, nothing booked yet")                       \
    X(PARTIALLY_FILLED, "partially-filled", 0, "live at the broker, some executions booked") \
    X(FILLED, "filled", 1, "executed in full, every execution booked")                       \
    X(CANCELED, "canceled", 1, "ended by a cancel; what was executed is booked")             \
    X(REJECTED, "rejected", 1, "refused by the broker; reason recorded")                     \
    X(EXPIRED, "expired", 1, "ended by time, at the broker or before it was ever sent")      \
    X(HELD, "held", 1, "undecidable; reason recorded; a person decides")
enum oms_state {
#define X(id, word, final, meaning) OMS_STATE_##id,
    OMS_STATES(X)
#undef X
};
const char *oms_state_name(enum oms_state state);
bool oms_state_parse(const char *word, enum oms_state *state);
bool oms_state_is_final(enum oms_state state);

/* What a strategy wants, once, under an id of its own choosing. */
struct oms_decision {
    char id[OMS_DECISION_ID_SIZE];   /* 1..128 printable ASCII characters, no spaces */
    char symbol[BROKER_SYMBOL_SIZE]; /* [A-Z0-9./-] */
    enum broker_side side;
    enum broker_type type;
    enum broker_tif tif;
    int64_t qty_nanos;   /* > 0 */
    int64_t limit_nanos; /* > 0 for a limit order, 0 for a market order */
    int64_t expires_ns;  /* 0: never. Past it nothing is sent or re-sent; it ends EXPIRED. */
};

/* Where the store is: a SQLite VFS by name (NULL: the default one) and a path for it. The fence is
 * "<path>-lock", the log "<path>-wal", the archive of finished orders "<path>-archive1", "...2" and
 * so on: the database names those that belong to it, and is not whole without them. */
struct oms_place {
    const char *vfs;
    const char *path;
};

/* All zero except profile and account is a good configuration: zero means the default in brackets.
 */
struct oms_config {
    const struct profile *profile;
    char account[OMS_ACCOUNT_SIZE]; /* 1..32 of [A-Za-z0-9_-]; part of every client order id */
    int page_size;                  /* of a new database [4096] */
    int checkpoint_frames;          /* checkpoint once the log has this many frames [1000] */
    int64_t poll_ns;                /* open orders are looked at this often [2 s] */
    int64_t send_window_ns;         /* a reserved send begins within this time, or not [1 s] */
    int max_sends;                  /* sends per client order id, then HELD [3] */
    /* Orders that may be on their way at once, while a broker that answers later (`collect` in
     * core/broker.h) has not answered yet; at most OMS_SENDS_MAX [1]. */
    int sends_at_once;
    int64_t price_tolerance_ppm; /* PRICE_MISMATCH above this is a WARNING [10000 = 1 %] */
    /* QUANTITY_MISMATCH up to this share of the broker's quantity is a WARNING and booked as an
     * adjustment [0: nothing is]. Nothing is ever sent for it. Where no id of ours reaches the broker it
     * stays CRITICAL while an order of the symbol is held: it may be what that one executed. */
    int64_t self_heal_ppm;
    int repeat_alarm; /* the same difference so often in a row is an ALARM [3] */
    /* More finished orders in the database than this, and the oldest move to the archive, until half
     * as many are left: 4096 at a time at most, when nothing else is due [4096]. */
    int archive_orders;
    bool no_checkpoint_on_close; /* leave the log as it is at oms_close */
};

enum { OMS_SENDS_MAX = 64 };

enum oms_code {
    OMS_OK,
    OMS_INVALID,   /* an argument breaks a rule; nothing was done */
    OMS_MISSING,   /* no database there: oms_init makes one, on purpose only */
    OMS_EXISTS,    /* oms_init: there is something there already; it was left alone */
    OMS_LOCKED,    /* another instance holds the fence */
    OMS_CORRUPT,   /* integrity or domain check failed: refuses to trade; restore or repair */
    OMS_FOREIGN,   /* not an OMS database, another schema version, or another account's */
    OMS_STORAGE,   /* the store failed; while open this means fail-stop: close and start again */
    OMS_HALTED,    /* called after a fail-stop: close and start again */
    OMS_UNANSWERED /* the broker gave no whole answer: nothing was done; ask again */
};
const char *oms_code_name(enum oms_code code);

struct oms_error {
    char text[OMS_ERROR_SIZE]; /* names the place, the value and the rule */
};

/* An opening position, for an account that is not flat when its OMS is created. */
struct oms_opening {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t qty_nanos;   /* signed */
    int64_t price_nanos; /* average entry price, >= 0 */
};

/* Creates the store (files 0600 on a real disk). Crash-safe: until it returns OMS_OK the place is
 * either empty, refused by oms_open as unfinished (and then oms_init may be repeated), or whole. */
enum oms_code oms_init(const struct oms_place *place, const struct oms_config *config,
                       const struct oms_env *env, const struct oms_opening *opening,
                       size_t opening_count, struct oms_error *error);

struct oms;

/* Starts: fence, scrub, open, integrity and domain checks. On OMS_OK *out is owned by the caller
 * until oms_close. Broker and env are copied; their ctx must outlive it. The broker is not called
 * here: the comparison with the broker is the first oms_step (6), and until it has succeeded
 * decisions are taken but nothing is sent. */
enum oms_code oms_open(struct oms **out, const struct oms_place *place,
                       const struct oms_config *config, const struct broker *broker,
                       const struct oms_env *env, struct oms_error *error);

/* Ends an instance and frees it; NULL is allowed. A healthy one checkpoints first (unless
 * configured otherwise). After a fail-stop nothing is written. */
void oms_close(struct oms *oms);

enum oms_taken {
    OMS_TAKEN,     /* durable: it will be sent once, or end with a recorded reason */
    OMS_KNOWN,     /* this id with this payload was taken before: `state` says how it stands */
    OMS_NOT_TAKEN, /* refused: never sent unless presented again; `reason` names value and rule */
    OMS_UNKNOWN    /* fail-stop in the commit: neither taken nor refused. Restart, present again. */
};
struct oms_answer {
    enum oms_taken taken;
    enum oms_state state;
    char client_order_id[BROKER_CLIENT_ID_SIZE];
    char reason[OMS_REASON_SIZE];
};

/* Presents a decision: one durable transaction writes the intent. Nothing leaves here; the send is
 * the next oms_step. OMS_OK with TAKEN, KNOWN or NOT_TAKEN; OMS_STORAGE with UNKNOWN. */
enum oms_code oms_decide(struct oms *oms, const struct oms_decision *decision,
                         struct oms_answer *answer, struct oms_error *error);

/* Presents decisions that arrived together: one durable transaction writes the intents of all that
 * are taken, and each is answered as oms_decide would, in order (the second of two with one id is
 * KNOWN, or refused for its payload). What is new among them is taken whole or not at all: without
 * space all of it is NOT_TAKEN. OMS_STORAGE: what is UNKNOWN is neither taken nor refused.
 * OMS_INVALID: more than OMS_DECISIONS_MAX; nothing was done. */
enum { OMS_DECISIONS_MAX = 1024 };
enum oms_code oms_decide_many(struct oms *oms, const struct oms_decision decisions[], size_t count,
                              struct oms_answer answers[], struct oms_error *error);

/* The document's idempotency store: exists() is true once the intent is durable; it then gives the
 * idempotency key, which is the client order id. */
enum oms_code oms_exists(struct oms *oms, const char *decision_id, bool *exists,
                         char key[BROKER_CLIENT_ID_SIZE], struct oms_error *error);

/* Asks for a decision's order to be canceled: durable before anything leaves, idempotent. An intent
 * that never left ends CANCELED at once; otherwise a cancel is sent by oms_step and repeated until
 * the broker shows a final state. A fill may win. OMS_INVALID: no such decision. */
enum oms_code oms_cancel(struct oms *oms, const char *decision_id, struct oms_error *error);

/* What oms_step would do next. */
enum oms_work {
    OMS_WORK_NONE,      /* nothing is due, ever, until something is presented */
    OMS_WORK_RECONCILE, /* the comparison at start, or one that was asked for */
    OMS_WORK_SEND,      /* an order or a cancel leaves */
    OMS_WORK_RECORD,    /* an answer becomes durable, or orders move to the archive or back */
    OMS_WORK_RESOLVE,   /* something waits for a known moment: quiescence, a repeat, an expiry */
    OMS_WORK_POLL,      /* routine look at open orders; may change nothing */
    OMS_WORK_COLLECT    /* orders are on their way; the answers that have come are fetched */
};
struct oms_next {
    enum oms_work work;
    int64_t at_ns;       /* absolute; past or present: now. Meaningless for NONE. */
    size_t on_their_way; /* orders that have left and whose answer is not on record yet */
};
void oms_next(struct oms *oms, struct oms_next *next);

/* Does the one piece of work that is due now, if any: at most one broker conversation or one
 * transaction with what belongs to it. OMS_OK, or OMS_STORAGE after which the instance is halted.
 */
enum oms_code oms_step(struct oms *oms, struct oms_error *error);

/* An answer may have come to an order on its way: WORK_COLLECT is due now. Cheap; for who watches the
 * broker's connections and wakes up when there is something to read. */
void oms_expect_answer(struct oms *oms);

/* Goes on sending while a question to the broker (a poll, a comparison, a look-up) waits for its
 * answer: fetches answers that have come, puts them on record, and lets orders leave that are due,
 * all without waiting for anybody; at most one order leaves in a call. Meant for the waiting inside
 * the broker's door: a broker that answers every send at once, and a call at any other time, make it
 * do nothing. So are oms_decide, oms_decide_many, oms_cancel and oms_expect_answer allowed there;
 * nothing else is. A second look of a comparison is not disturbed: nothing leaves while a difference
 * waits for it. OMS_OK, or OMS_STORAGE: halted, which the oms_step it was called from then tells,
 * too. */
enum oms_code oms_meanwhile(struct oms *oms, struct oms_error *error);

/* For an orderly end: puts the answers that have come on record, and lets nothing leave. OMS_OK:
 * nothing is on its way any more. OMS_UNANSWERED: something is; ask again, within the profile's
 * client time-out it is answered. OMS_STORAGE: halted. An instance may be closed without, and the
 * next start then looks those orders up. */
enum oms_code oms_finish(struct oms *oms, struct oms_error *error);

/* Asks for a comparison with the broker; done by the next oms_step. */
enum oms_code oms_request_reconcile(struct oms *oms);

/* The same for the end of a trading day (UTC, days since 1970; OMS_TODAY: the one it is now): the
 * comparison reaches back to the beginning of that day, finished orders included, and besides it
 * holds every order and execution of the day, and what was earned on it, against the broker's own.
 * It is one comparison, on record and acted on like any; what may be timing is looked at again in
 * the same way. OMS_INVALID: a day that is not over the store's lifetime (it has not begun). */
#define OMS_TODAY INT64_MIN
enum oms_code oms_request_daily(struct oms *oms, int64_t day, struct oms_error *error);

/* Asks for every finished order but the newest to move to the archive, however few they are; done
 * piece by piece by the oms_steps that follow. */
enum oms_code oms_request_archive(struct oms *oms);

/* Trips or releases the kill switch, durably, with who and why on record. Idempotent. */
enum oms_code oms_kill_switch(struct oms *oms, bool on, const char *who, const char *why,
                              struct oms_error *error);

/* What a person found out about a HELD order, who (a name) and why (a sentence) on record with it.
 *
 * `broker_order_id` NULL: it is not at the broker and will not come to be. The order ends CANCELED;
 * nothing is sent for this decision any more. Who wants to trade all the same presents a new
 * decision, with an id of its own: there is no way to send this one again, because the word that it
 * is not there is a person's and not the broker's. Should the broker have it after all, the next
 * comparison finds it, stops trading and says so.
 *
 * Otherwise: it is that order of the broker's. The broker is asked for it (one conversation, at most
 * its time-out); where it is the same in symbol, side, quantity and price, and no other order of
 * ours, it is ours from here on: WORKING, or what the broker says, with its executions booked by
 * the steps that follow.
 *
 * Durable when it returns OMS_OK; repeating it is harmless. OMS_INVALID: no such decision, it is
 * not held, or that order is not it; OMS_UNANSWERED: the broker did not say. Both: nothing done. */
enum oms_code oms_resolve(struct oms *oms, const char *decision_id, const char *broker_order_id,
                          const char *who, const char *why, struct oms_error *error);

/* ---- reconciliation: what was found (core/reconcile.h compares) ---- */

/* id, word */
#define OMS_DISCREPANCIES(X)                  \
    X(MISSING_IN_BROKER, "MISSING_IN_BROKER") \
    X(MISSING_IN_OMS, "MISSING_IN_OMS")       \
    X(QUANTITY_MISMATCH, "QUANTITY_MISMATCH") \
    X(PRICE_MISMATCH, "PRICE_MISMATCH")       \
    X(PARTIAL_FILL, "PARTIAL_FILL")           \
    X(ORPHAN_ORDER, "ORPHAN_ORDER")           \
    X(UNKNOWN_FILL, "UNKNOWN_FILL")
enum oms_discrepancy_type {
#define X(id, word) OMS_##id,
    OMS_DISCREPANCIES(X)
#undef X
};
enum oms_severity { OMS_INFO, OMS_WARNING, OMS_CRITICAL };
const char *oms_discrepancy_name(enum oms_discrepancy_type type);
const char *oms_severity_name(enum oms_severity severity);

/* ---- reading: a copy of what the store says ---- */

struct oms_order {
    struct oms_decision decision;
    char client_order_id[BROKER_CLIENT_ID_SIZE];
    char broker_order_id[BROKER_ORDER_ID_SIZE]; /* "" until known */
    enum oms_state state;
    char reason[OMS_REASON_SIZE]; /* why it stands as it does; never "" for a refusal or a hold */
    int64_t filled_nanos;         /* sum of booked executions */
    int sends;                    /* sends reserved so far */
    bool cancel_asked;
    int64_t created_ns;
};
struct oms_position {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t qty_nanos;       /* signed */
    decimal_wide cost;       /* exact cost basis, unit 1e-18, sign of qty */
    int64_t avg_price_nanos; /* cost / qty, rounded half away from zero; derived */
};
/* What was gained (or lost) by closing, average cost, unit 1e-18; adjustments of comparisons are in
 * it, and told. */
struct oms_profit {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t day; /* UTC, days since 1970; in a view: 0, all days */
    decimal_wide realized;
    bool adjusted; /* an adjustment is part of it */
};
struct oms_discrepancy {
    int64_t run; /* the comparison that found it */
    enum oms_discrepancy_type type;
    enum oms_severity severity;
    bool explained; /* our own orders' executions account for it exactly */
    char symbol[BROKER_SYMBOL_SIZE];
    char ref[BROKER_EXECUTION_ID_SIZE]; /* order or execution it is about, or "" */
    int64_t oms_nanos, broker_nanos;    /* the two values compared */
    char text[OMS_REASON_SIZE];
};
struct oms_run { /* one comparison */
    int64_t id;
    int64_t boot; /* which start it belongs to */
    int64_t at_ns;
    bool at_boot;
    /* Why it was inconclusive; then it found nothing, changed nothing, and says nothing about
     * whether the two sides agree. "": it is conclusive. A comparison that is tried again and again
     * is on record as inconclusive once. */
    char why[OMS_REASON_SIZE];
};
struct oms_view {
    struct oms_order *orders; /* by time of intent; those in the archive in a whole view only */
    size_t order_count;
    int64_t archived_count;         /* orders in the archive */
    struct oms_position *positions; /* not flat, by symbol */
    size_t position_count;
    struct oms_profit *profits; /* by symbol, flat ones included */
    size_t profit_count;
    struct oms_run *runs; /* of the newest start, oldest first */
    size_t run_count;
    struct oms_discrepancy *discrepancies; /* of those runs, in order */
    size_t discrepancy_count;
    bool kill_switch;
    char kill_reason[OMS_REASON_SIZE];
    char account[OMS_ACCOUNT_SIZE];
    int64_t boots;    /* starts so far that got as far as trying to compare */
    bool reconciled;  /* oms_view only: this start has compared itself with the broker */
    bool looks_again; /* oms_view only: a comparison is still to be made (the first, one that was
                         asked for, or a second look at what may have been timing) */
};

/* Fills *view from a running instance, or from a store nobody runs on (read only: no fence, no
 * scrub, no recovery written; `check` adds integrity and domain checks: OMS_CORRUPT on failure).
 * Release with oms_view_free, also after an error. */
enum oms_code oms_view(struct oms *oms, struct oms_view *view, struct oms_error *error);
enum oms_code oms_view_at(const struct oms_place *place, bool check, struct oms_view *view,
                          struct oms_error *error);
/* The same with the order of this decision, should it be in the archive ("": none is asked for). */
enum oms_code oms_view_with(struct oms *oms, const char *decision_id, struct oms_view *view,
                            struct oms_error *error);
/* The same with the orders in the archive, which is read for it: seconds for a million of them. */
enum oms_code oms_view_whole(struct oms *oms, struct oms_view *view, struct oms_error *error);
enum oms_code oms_view_whole_at(const struct oms_place *place, bool check, struct oms_view *view,
                                struct oms_error *error);
void oms_view_free(struct oms_view *view);

/* The newest `last` comparisons of all starts, oldest first, inconclusive ones included, with what
 * they found: view->runs and view->discrepancies, and nothing else of *view. Ways in and release as
 * for oms_view. `last` at least 1. */
enum oms_code oms_history(struct oms *oms, size_t last, struct oms_view *view,
                          struct oms_error *error);
enum oms_code oms_history_at(const struct oms_place *place, size_t last, struct oms_view *view,
                             struct oms_error *error);

/* Realized profit by symbol, then by day of the execution (one that was corrected counts with the
 * correction's quantity and price, on its own day). Days on which nothing was executed are not
 * there. Ways in as for oms_view; the second checks the store. Release with oms_profits_free, also
 * after an error. */
struct oms_profits {
    struct oms_profit *v;
    size_t n, cap;
};
enum oms_code oms_profits(struct oms *oms, struct oms_profits *profits, struct oms_error *error);
enum oms_code oms_profits_at(const struct oms_place *place, struct oms_profits *profits,
                             struct oms_error *error);
void oms_profits_free(struct oms_profits *profits);

/* What is on record row by row: orders by time of intent, then executions (corrections, and
 * adjustments of comparisons, included) by time, then the journal in the order in which it was
 * written. Of orders and of executions those in the archive come first, segment after segment, each
 * in that order; then the live ones. */
struct oms_execution {
    char execution_id[BROKER_EXECUTION_ID_SIZE];
    char decision_id[OMS_DECISION_ID_SIZE]; /* "": an adjustment, which belongs to no order */
    char symbol[BROKER_SYMBOL_SIZE];
    enum broker_side side;
    int64_t qty_nanos, price_nanos;
    int64_t at_ns;
    char refers[BROKER_EXECUTION_ID_SIZE]; /* the execution that this one corrects, or "" */
};
struct oms_entry {
    int64_t id, at_ns;
    char kind[BROKER_TEXT_SIZE]; /* discrepancy, kill-switch-on, resolve, adjustment, ... */
    /* about what: the comparison (0: none), then as in struct oms_discrepancy */
    struct oms_discrepancy about;
};
/* Who is told; NULL: not that kind of row. Rows are valid during the call. False ends it. */
struct oms_reader {
    void *ctx;
    bool (*order)(void *ctx, const struct oms_order *order);
    bool (*execution)(void *ctx, const struct oms_execution *execution);
    bool (*entry)(void *ctx, const struct oms_entry *entry);
};
/* Ways in as for oms_view; the second checks the store. The archive is read where orders or
 * executions are told, one segment at a time: seconds for a million orders. */
enum oms_code oms_records(struct oms *oms, const struct oms_reader *reader,
                          struct oms_error *error);
enum oms_code oms_records_at(const struct oms_place *place, const struct oms_reader *reader,
                             struct oms_error *error);

/* Copies the store as its newest commit left it into the file at `path`, in the store's VFS: an empty
 * one, or none. It is the copy of the database, and whole without the archive only where there is none
 * (oms_backup_archive). Its kill switch is on, with `why` on record: whoever is started on it takes and sends nothing until a person releases the switch, because orders may have
 * been sent since it was made. The store itself is only read, also when the copy fails
 * (OMS_INVALID: the instance goes on; throw away what there is of the copy). The second way in is
 * for a store nobody runs on, which is checked first. */
enum oms_code oms_backup(struct oms *oms, const char *path, const char *why,
                         struct oms_error *error);
enum oms_code oms_backup_at(const struct oms_place *place, const char *path, int64_t at_ns,
                            const char *why, struct oms_error *error);
/* Copies the archive of the store at `place` to what oms_backup made of it at `copy`: segment by
 * segment, those that the copy names, each held against its digest, synced and read back. A running
 * instance need not be asked, because segments do not change; should one have come back meanwhile and
 * another have gone in its place, it is refused (OMS_CORRUPT: make another copy). OMS_EXISTS: there
 * is something in its place. *made: so many files, "<copy>-archive1" and on, were begun; after an
 * error they are to be thrown away. */
enum oms_code oms_backup_archive(const struct oms_place *place, const struct oms_place *copy,
                                 int64_t *made, struct oms_error *error);

/* Every decision with what came of it, by time of intent. */
struct oms_traded {
    struct oms_decision decision;
    enum oms_state state;
    int64_t created_ns;
    int64_t filled_nanos; /* executed, corrections counted */
    decimal_wide cost;    /* sum of quantity x price of its executions, unit 1e-18 */
};
struct oms_trades {
    struct oms_traded *v;
    size_t n;
};
/* Ways in as for oms_view; the second checks the store. The archive is read for it, and one that
 * cannot be read is an error. Release with oms_trades_free, also after an error. */
enum oms_code oms_trades(struct oms *oms, struct oms_trades *trades, struct oms_error *error);
enum oms_code oms_trades_at(const struct oms_place *place, struct oms_trades *trades,
                            struct oms_error *error);
void oms_trades_free(struct oms_trades *trades);

/* What the newest comparison of a whole day (oms_request_daily) saw, since this start. `run` is its
 * number in the history; 0: none was made yet. */
struct oms_daily_symbol {
    char symbol[BROKER_SYMBOL_SIZE];
    size_t oms_executions, broker_executions; /* of that day, as they count */
    decimal_wide oms_realized, broker_realized;
};
struct oms_daily {
    int64_t run, at_ns;
    int64_t day;                 /* UTC, days since 1970 */
    size_t orders;               /* decided on that day ... */
    size_t open, held, in_doubt; /* ... of those, as they stand after the comparison; in_doubt: also
                                    those that have not left */
    bool tells_executions;       /* the broker does; otherwise there are no symbols below */
    struct oms_daily_symbol *symbols; /* by symbol, those with executions on that day */
    size_t symbol_count;
    struct oms_discrepancy *found; /* everything the comparison found, explained or not */
    size_t found_count;
};
/* A copy. Release with oms_daily_free, also after an error. */
enum oms_code oms_daily(const struct oms *oms, struct oms_daily *daily, struct oms_error *error);
void oms_daily_free(struct oms_daily *daily);

/* The client order id of a decision: a pure function of account and decision id (2). */
void oms_client_order_id(const char *account, const char *decision_id, size_t max_length,
                         char out[BROKER_CLIENT_ID_SIZE]);

#endif
