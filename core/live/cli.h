/* The oms program behind main(): commands, flags and exit codes. */
#ifndef CORE_LIVE_CLI_H
#define CORE_LIVE_CLI_H

#include "core/oms.h"
#include "core/parity.h"

#include <stdbool.h>
#include <stdio.h>

/* exit code, meaning */
#define CLI_EXITS(X)                                                                          \
    X(OK, 0, "done")                                                                          \
    X(ENDED, 1, "the order ended without being live or filled, or reconcile left a CRITICAL") \
    X(USAGE, 2, "the command line is wrong")                                                  \
    X(UNDECIDED, 3,                                                                           \
      "not decided within --wait: it may be live; run reconcile, or submit it again")         \
    X(NOT_TAKEN, 4, "the decision was not taken and will not be sent")                        \
    X(ENVIRONMENT, 5,                                                                         \
      "store missing, locked, foreign, damaged or failing, or the broker does not answer "    \
      "(a comparison is then inconclusive)")                                                  \
    X(WARNED, 6, "reconcile --daily found no CRITICAL, but something to look into")           \
    X(APART, 7, "parity: past a threshold, or a decision differs")
enum cli_exit {
#define X(id, code, meaning) CLI_##id = code,
    CLI_EXITS(X)
#undef X
};

/* command, what follows it, one line */
#define CLI_COMMANDS(X)                                                                         \
    X(INIT, "init", "", "create an empty store, on purpose")                                    \
    X(SUBMIT, "submit", "ID buy|sell QTY SYMBOL [limit PRICE|market]",                          \
      "take one decision and see it through; safe to repeat with the same ID")                  \
    X(CANCEL, "cancel", "ID", "cancel a decision's order; safe to repeat")                      \
    X(RUN, "run", "",                                                                           \
      "keep running: take decisions as JSON lines, send, follow, answer operators")             \
    X(STATUS, "status", "", "show orders, positions and the last comparison; changes nothing")  \
    X(ORDERS, "orders", "", "show orders, or some of them; changes nothing")                    \
    X(POSITIONS, "positions", "", "show positions; changes nothing")                            \
    X(RECONCILE, "reconcile", "", "compare with the broker and settle what is open")            \
    X(HISTORY, "history", "", "show past comparisons and what they found; changes nothing")     \
    X(PNL, "pnl", "", "show realized profit by symbol and day (UTC); changes nothing")          \
    X(PARITY, "parity", "",                                                                     \
      "hold what was traded against a list of signals, or another ledger; changes nothing")     \
    X(EXPORT, "export", "", "write what is on record as JSON or CSV; changes nothing")          \
    X(BACKUP, "backup", "FILE",                                                                 \
      "copy the store, also while another process runs on it; the copy does not trade unasked") \
    X(KILL_SWITCH, "kill-switch", "on|off", "stop or allow sending, durably")                   \
    X(RESOLVE, "resolve", "ID gone | ID adopt BROKER_ORDER_ID",                                 \
      "say what became of a held order: it is not at the broker, or it is that one there")
enum cli_command {
#define X(id, word, operands, meaning) CLI_COMMAND_##id,
    CLI_COMMANDS(X)
#undef X
        CLI_COMMAND_COUNT
};

/* flag, value ("" for none), commands it fits (bit per command), one line */
#define CLI_LIVE                                                                               \
    ((1u << CLI_COMMAND_SUBMIT) | (1u << CLI_COMMAND_RECONCILE) | (1u << CLI_COMMAND_CANCEL) | \
     (1u << CLI_COMMAND_RUN) | (1u << CLI_COMMAND_RESOLVE))
#define CLI_ALERTING  (CLI_LIVE | (1u << CLI_COMMAND_KILL_SWITCH))
#define CLI_COMPARING ((1u << CLI_COMMAND_RECONCILE) | (1u << CLI_COMMAND_RUN))
#define CLI_WAITING   (CLI_LIVE & ~(1u << CLI_COMMAND_RUN))
#define CLI_BY_DAY \
    ((1u << CLI_COMMAND_PNL) | (1u << CLI_COMMAND_RECONCILE) | (1u << CLI_COMMAND_PARITY))
#define CLI_ALL ((1u << CLI_COMMAND_COUNT) - 1)
#define CLI_FLAGS(X)                                                                             \
    X(DB, "--db", "PATH", CLI_ALL, "the store [oms.db]")                                         \
    X(ACCOUNT, "--account", "NAME", CLI_ALL, "account name; needed by init, then checked")       \
    X(PROFILE, "--profile", "NAME", CLI_ALL, "what the broker promises [alpaca-retention]")      \
    X(URL, "--url", "URL", CLI_LIVE, "the broker's address [$APCA_API_BASE_URL]")                \
    X(KEY_FILE, "--key-file", "FILE", CLI_LIVE, "keys from this file (mode 0600) [environment]") \
    X(CA_FILE, "--ca-file", "FILE", CLI_LIVE,                                                    \
      "who may vouch for the broker, as PEM, instead of the system's list")                      \
    X(WAIT, "--wait", "SECONDS", CLI_WAITING, "see it through for at most this long [60]")       \
    X(TIF, "--tif", "WORD", 1u << CLI_COMMAND_SUBMIT, "day, gtc, ioc, fok, opg or cls [day]")    \
    X(EXPIRES, "--expires", "SECONDS", 1u << CLI_COMMAND_SUBMIT, "send nothing later than that") \
    X(OPENING, "--opening", "SYM=QTY@PRICE", 1u << CLI_COMMAND_INIT,                             \
      "a position held already; may be repeated")                                                \
    X(PAGE_SIZE, "--page-size", "BYTES", 1u << CLI_COMMAND_INIT, "of the database [4096]")       \
    X(LAST, "--last", "N", 1u << CLI_COMMAND_HISTORY, "the newest so many comparisons [20]")     \
    X(ALARM_AFTER, "--alarm-after", "N", CLI_COMPARING,                                          \
      "the same difference in so many comparisons in a row is an alarm [3]")                     \
    X(SELF_HEAL, "--self-heal", "PERCENT", CLI_COMPARING,                                        \
      "adjust positions that differ from the broker's by at most this (5 is usual) [off]")       \
    X(DAILY, "--daily", "", 1u << CLI_COMMAND_RECONCILE,                                         \
      "of the whole day: every order, execution and profit of it (exit 0, 6 or 1 by severity)")  \
    X(DAY, "--day", "YYYY-MM-DD", CLI_BY_DAY, "only this day (UTC) [reconcile --daily: today]")  \
    X(SIGNALS, "--signals", "FILE", 1u << CLI_COMMAND_PARITY,                                    \
      "what was to be traded, JSON lines or CSV: id, symbol, side, qty, price, time")            \
    X(AGAINST, "--against", "OTHER.db", 1u << CLI_COMMAND_PARITY,                                \
      "what another ledger has traded; it is only read")                                         \
    X(MAX_MISSED, "--max-missed", "N", 1u << CLI_COMMAND_PARITY,                                 \
      "so many may be missing here [0]")                                                         \
    X(MAX_UNEXPECTED, "--max-unexpected", "N", 1u << CLI_COMMAND_PARITY,                         \
      "so many may be here besides [0]")                                                         \
    X(MIN_FILL, "--min-fill", "PERCENT", 1u << CLI_COMMAND_PARITY,                               \
      "so much of the money that was due must have been executed [any]")                         \
    X(MAX_SLIPPAGE, "--max-slippage", "BP", 1u << CLI_COMMAND_PARITY,                            \
      "so many basis points worse at most on average, weighed by money [any]")                   \
    X(MAX_WORST, "--max-worst", "BP", 1u << CLI_COMMAND_PARITY,                                  \
      "and so many in any one decision [any]")                                                   \
    X(WHY, "--why", "TEXT", (1u << CLI_COMMAND_KILL_SWITCH) | (1u << CLI_COMMAND_RESOLVE),       \
      "goes on record with it")                                                                  \
    X(HALT_FILE, "--halt-file", "PATH", CLI_LIVE, "nothing is sent while it exists [DB-halt]")   \
    X(LISTEN, "--listen", "PATH", 1u << CLI_COMMAND_RUN,                                         \
      "take decisions on this Unix socket, too")                                                 \
    X(EXIT_AT_EOF, "--exit-at-eof", "", 1u << CLI_COMMAND_RUN,                                   \
      "end once standard input has, and nothing is unsent or in doubt")                          \
    X(RATE, "--rate", "REQUESTS", 1u << CLI_COMMAND_RUN,                                         \
      "ask the broker at most this often a minute [200]")                                        \
    X(OPEN, "--open", "", 1u << CLI_COMMAND_ORDERS,                                              \
      "only what has not ended: intents, in doubt, working, partially filled")                   \
    X(HELD, "--held", "", 1u << CLI_COMMAND_ORDERS, "only what is held for a person")            \
    X(ARCHIVED, "--archived", "", 1u << CLI_COMMAND_ORDERS, "those in the archive as well")      \
    X(SYMBOL, "--symbol", "SYMBOL", (1u << CLI_COMMAND_ORDERS) | (1u << CLI_COMMAND_POSITIONS),  \
      "only this symbol")                                                                        \
    X(DECISION, "--decision", "ID", 1u << CLI_COMMAND_ORDERS, "only this decision's order")      \
    X(FORMAT, "--format", "json|csv", 1u << CLI_COMMAND_EXPORT, "of the export [json]")          \
    X(WHAT, "--what", "TABLE", 1u << CLI_COMMAND_EXPORT,                                         \
      "orders, fills, positions, journal, comparisons, profits or (as JSON) all [orders]")       \
    X(OUTPUT, "--output", "FILE", 1u << CLI_COMMAND_EXPORT,                                      \
      "write there, whole or not at all [standard output]")                                      \
    X(ALERT_SYSLOG, "--alert-syslog", "", CLI_ALERTING,                                          \
      "alerts go to syslog, too, not only to standard error")                                    \
    X(ALERT_WEBHOOK, "--alert-webhook", "URL", CLI_ALERTING,                                     \
      "and are posted there as JSON [$OMS_ALERT_WEBHOOK]")                                       \
    X(JSON, "--json", "",                                                                        \
      CLI_ALL & ~((1u << CLI_COMMAND_INIT) | (1u << CLI_COMMAND_RUN) |                           \
                  (1u << CLI_COMMAND_EXPORT) | (1u << CLI_COMMAND_BACKUP)),                      \
      "answer in JSON; reconcile --daily and parity: with a FILE behind it, into that, too")     \
    X(EVENTS, "--events", "", CLI_ALL, "tell every step on standard error, as JSON lines")       \
    X(HELP, "--help", "", CLI_ALL, "this text")
enum cli_flag {
#define X(id, flag, value, commands, meaning) CLI_FLAG_##id,
    CLI_FLAGS(X)
#undef X
        CLI_FLAG_COUNT
};

enum { CLI_OPENINGS_MAX = 256, CLI_PATH_SIZE = 4096 };

/* What can be exported, word. */
#define CLI_TABLES(X)             \
    X(ORDERS, "orders")           \
    X(FILLS, "fills")             \
    X(POSITIONS, "positions")     \
    X(JOURNAL, "journal")         \
    X(COMPARISONS, "comparisons") \
    X(PROFITS, "profits")         \
    X(ALL, "all")
enum cli_table {
#define X(id, word) CLI_TABLE_##id,
    CLI_TABLES(X)
#undef X
        CLI_TABLE_COUNT
};
const char *cli_table_name(enum cli_table table);

/* A command line, understood. Text points into argv. */
struct cli_args {
    enum cli_command command;
    bool help;
    const char *db, *account, *url, *why, *listen;
    const char *alert_webhook;
    bool alert_syslog;
    const char *key_file, *ca_file; /* NULL: the environment, the system's */
    char halt_path[CLI_PATH_SIZE];
    const struct profile *profile;
    bool profile_named; /* on the command line */
    int64_t wait_ns;
    int64_t expires_after_ns; /* 0: never */
    int page_size;
    int last;              /* HISTORY */
    int alarm_after;       /* RECONCILE, RUN; 0: the core's default */
    int64_t self_heal_ppm; /* RECONCILE, RUN; 0: off */
    bool one_day;
    int64_t day;                   /* with one_day: days since 1970 */
    bool daily;                    /* RECONCILE */
    const char *signals, *against; /* PARITY: one of them */
    struct parity_rules limits;    /* PARITY */
    const char *json_file;         /* NULL: none */
    bool json, events, exit_at_eof;
    int rate; /* requests a minute */
    bool kill_on;
    char broker_order_id[BROKER_ORDER_ID_SIZE]; /* RESOLVE: adopt this one; "": gone */
    bool open_only, held_only, archived;        /* ORDERS */
    const char *symbol, *only_id;               /* ORDERS, POSITIONS; NULL: all */
    bool csv;                                   /* EXPORT; else JSON */
    enum cli_table table;                       /* EXPORT */
    const char *output;                         /* EXPORT; NULL: standard output */
    const char *file;                           /* BACKUP: where the copy goes */
    struct oms_decision decision;               /* SUBMIT; CANCEL, RESOLVE: its id only */
    struct oms_opening openings[CLI_OPENINGS_MAX];
    size_t opening_count;
};

/* Reads a command line. False: wrong, and `err` was told what, and what may have been meant. */
bool cli_parse(int argc, char *const *argv, struct cli_args *args, FILE *err);
void cli_help(FILE *out);
void cli_help_command(enum cli_command command, FILE *out);

/* Shows a copy of the store, for people or as one JSON object. */
void cli_print_status(const struct oms_view *view, const struct profile *profile, bool json,
                      FILE *out);
void cli_print_order(const struct oms_order *order, bool json, FILE *out);
/* The comparisons of the newest start, from this one on. */
void cli_print_runs(const struct oms_view *view, int64_t from_run, bool json, FILE *out);

/* All days, or one (days since 1970) when `one_day`. */
void cli_print_profits(const struct oms_profits *profits, bool one_day, int64_t day, bool json,
                       FILE *out);

/* The whole program. Asked to stop by setting *stop (a signal handler may). */
int cli_run(int argc, char *const *argv, FILE *out, FILE *err, volatile const int *stop);

#endif
