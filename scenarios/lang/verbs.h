/* The vocabulary of scenario files: one table of rows that drives parser, checker, printer and the
 * generated reference.
 *
 * A row's shape is the grammar of its line: lower-case words and signs stand for themselves,
 * capital words are slots (below), "[...]" may be left out, "|" separates alternatives inside
 * brackets. */
#ifndef SCENARIOS_LANG_VERBS_H
#define SCENARIOS_LANG_VERBS_H

/* What a line can hold. Each slot fills the field of struct scn_args that is named here, and sets
 * its bit in `has`. The last rows are plain words that are worth remembering. id, slot as written
 * in shapes, what a reader of a message is told was expected */
#define SCN_SLOTS(X)                                                                                        \
    X(DECISION, "D", "a decision",                                                                          \
      "a decision's name, introduced by a header: `D1`") /* decision */                                     \
    X(NEW_DECISION, "NEWD", "a name for a decision",                                                        \
      "a name of your choice, a letter first: `D1`")      /* name */                                        \
    X(SIDE, "SIDE", "'buy' or 'sell'", "`buy` or `sell`") /* side */                                        \
    X(QTY, "QTY", "a quantity",                                                                             \
      "an exact quantity, at most nine decimals: `100`, `0.25`; negative only in positions") /* qty_nanos \
                                                                                              */ \
    X(SYMBOL, "SYMBOL", "a symbol", "`AAPL`, `BRK.B`, `BTC/USD`")         /* symbol */                      \
    X(SAME_SYMBOL, "SYMBOL2", "the same symbol", "the same symbol again") /* checked only */                \
    X(PRICE, "PRICE", "a price", "an exact price: `150.00`")              /* price_nanos */                 \
    X(TIF, "TIF", "a time in force",                                                                        \
      "`day` (when nothing is written), `gtc`, `ioc`, `fok`, `opg`, `cls`") /* tif */                       \
    X(UNTIL, "CLOCK", "a time of day",                                                                      \
      "a time of day, with a date before it if it is another day: `16:00:00`") /* until_ns */               \
    X(DUR, "DUR", "a duration",                                                                             \
      "a number and a unit of `ns us ms s m h`: `5s`, `1.5s`, `200ms`") /* duration_ns */                   \
    X(TEXT, "STRING", "a text in quotes", "a text in double quotes")    /* text */                          \
    X(FILL, "FILL", "a name for the fill",                                                                  \
      "a name of your choice for the execution: `F1`")                        /* name */                    \
    X(PRESENCE, "PRESENCE", "'present' or 'absent'", "`present` or `absent`") /* present */                 \
    X(CRASH, "CRASH", "a kind or a place of the crash",                                                     \
      "kind and place, both may be left out; see Crashes") /* crash */                                      \
    X(FAULT, "FAULT", "a site and a kind of fault",                                                         \
      "site, kind, arguments, how often; see Faults") /* strike */                                          \
    X(SITE, "SITE", "a site",                                                                               \
      "a call of the OMS to the world: `broker.submit`, `disk.sync(wal)`; see Faults") /* site */           \
    X(COND, "COND", "a condition",                                                                          \
      "one of the conditions below, or several joined by `or`") /* the line's terms */                      \
    X(CMP, "CMP", "a comparison", "one of `= != < <= > >=`")    /* cmp */                                   \
    X(INTEGER, "INT", "a whole number", "a whole number")       /* count */                                 \
    X(DISCREPANCY, "TYPE", "a type of discrepancy",                                                         \
      "a type of discrepancy: `MISSING_IN_OMS`; without it any")             /* discrepancy */              \
    X(SEVERITY, "SEVERITY", "a severity", "`INFO`, `WARNING` or `CRITICAL`") /* severity */                 \
    X(STATE, "STATE", "an order state", "a state of an order, listed below") /* state */                    \
    X(SWITCH, "ONOFF", "'on' or 'off'", "`on` or `off`")                     /* on */                       \
    X(MONEY, "MONEY", "an amount of money", "an exact amount: `25000.00`")   /* money_nanos */              \
    X(AMOUNT, "AMOUNT", "an amount of money",                                                               \
      "an exact amount, negative for a loss: `12.50`, `-3`")              /* money_nanos */                 \
    X(TAGS, "TAGS", "a tag", "names, with commas between: `seed, smoke`") /* header */                      \
    X(DATE, "DATE", "a date", "`2026-01-09`")                             /* header */                      \
    X(KINDS, "KINDS", "'power' or 'kill'",                                                                  \
      "`kill`, `power`, or both with a comma between")                               /* header */           \
    X(PROFILES, "PROFILES", "a profile", "names of profiles, with commas between")   /* header */           \
    X(DISK, "DISK", "a disk", "the name of a disk, listed below")                    /* header */           \
    X(OPTION, "OPTION", "an option", "`NAME = VALUE`; the options are listed below") /* option */           \
    X(PATH, "PATH", "a file name", "a file name, in quotes or bare")                 /* text */             \
    X(MARKET, "market", "'market'", "")                                                                     \
    X(REST, "rest", "'rest'", "")                                                                           \
    X(NO, "no", "'no'", "")                                                                                 \
    X(DAILY, "daily", "'daily'", "")
enum scn_slot {
#define X(id, shape, expected, written) SCN_SLOT_##id,
    SCN_SLOTS(X)
#undef X
        SCN_SLOT_COUNT
};

/* What sort of statement a line is. */
enum scn_sort {
    SCN_STIMULUS, /* makes something happen */
    SCN_OBSERVED, /* must be seen, in this order and no later than its time */
    SCN_CHECK     /* must be true */
};

/* id, sort, shape, help, example */
#define SCN_STATEMENTS(X)                                                                          \
    X(SIGNAL, STIMULUS, "signal D SIDE QTY SYMBOL [limit PRICE | market] [tif TIF] [until CLOCK]", \
      "a decision reaches the OMS; `until` is its expiry; without limit it is a market order",     \
      "10:00:00  signal D1 buy 100 AAPL limit 150.00")                                             \
    X(CANCEL, STIMULUS, "cancel D", "the strategy asks for the order to be canceled",              \
      "10:00:20  cancel D1")                                                                       \
    X(BROKER_ACCEPTS, STIMULUS, "broker accepts D",                                                \
      "the broker takes the order (it does so by itself on delivery; this pins the moment)",       \
      "10:00:05  broker accepts D1")                                                               \
    X(BROKER_REJECTS, STIMULUS, "broker rejects D [STRING]",                                       \
      "before delivery: refuses every delivery of D; after it: rejects the live order",            \
      "broker rejects D1 \"insufficient shares\"")                                                 \
    X(BROKER_CANCELS, STIMULUS, "broker cancels [rest] D",                                         \
      "the broker ends the order; `rest` says that a part was filled before",                      \
      "10:00:20  broker cancels rest D1")                                                          \
    X(BROKER_EXPIRES, STIMULUS, "broker expires D", "the broker ends the order by time",           \
      "10:00:20  broker expires D1")                                                               \
    X(BROKER_LOSES, STIMULUS, "broker loses D",                                                    \
      "the broker comes back from a backup and knows nothing of an order it had accepted; "        \
      "nothing "                                                                                   \
      "of it was executed. An OMS that had the order on record must not send it again, and may "   \
      "leave it working for a person to settle (I3)",                                              \
      "10:00:20  broker loses D1")                                                                 \
    X(BROKER_BURNS_IDS, STIMULUS, "broker burns ids of refused orders",                            \
      "a habit, written without a time: the id of a refused order counts as seen; without this "   \
      "line it may be used again",                                                                 \
      "broker burns ids of refused orders")                                                        \
    X(BROKER_KEEPS_IDS, STIMULUS, "broker never forgets ids",                                      \
      "a habit, written without a time: it remembers ids for longer than its profile declares",    \
      "broker never forgets ids")                                                                  \
    X(BROKER_SAYS, STIMULUS, "broker says STRING of unknown orders",                               \
      "a habit, written without a time: its words in the 404 for an id that it does not know",     \
      "broker says \"no such order\" of unknown orders")                                           \
    X(BROKER_CHAINS, STIMULUS, "broker chains corrections",                                        \
      "a habit, written without a time: a second correction of an execution refers to the first "  \
      "one, and so on; without this line all of them refer to the execution",                      \
      "broker chains corrections")                                                                 \
    X(BROKER_FILLS, STIMULUS, "broker fills D QTY [@ PRICE] [as FILL]",                            \
      "an execution of D's order; without a price at its limit",                                   \
      "10:00:05  broker fills D1 100 @ 150.00")                                                    \
    X(BROKER_FILLS_SYMBOL, STIMULUS, "broker fills QTY SYMBOL [@ PRICE] [as FILL]",                \
      "an execution of the oldest open order in that symbol", "10:00:05  broker fills 100 AAPL")   \
    X(BROKER_FILLS_ALL, STIMULUS, "broker fills all after DUR [@ PRICE]",                          \
      "standing behaviour, written without a time: every order is filled that long after it was "  \
      "accepted",                                                                                  \
      "broker fills all after 5s")                                                                 \
    X(BROKER_BUSTS, STIMULUS, "broker busts FILL",                                                 \
      "an execution that was named with `as` is taken back: it is as if it had never been; an "    \
      "order that was filled by it ends canceled",                                                 \
      "10:00:20  broker busts F1")                                                                 \
    X(BROKER_CORRECTS, STIMULUS, "broker corrects FILL to QTY @ PRICE",                            \
      "an execution that was named with `as` gets another quantity and price, from the beginning", \
      "10:00:20  broker corrects F1 to 90 @ 151.00")                                               \
    X(BROKER_DOWN, STIMULUS, "broker goes down", "from here on connections are refused",           \
      "10:00:10  broker goes down")                                                                \
    X(BROKER_BACK, STIMULUS, "broker comes back", "the broker can be reached again",               \
      "10:00:20  broker comes back")                                                               \
    X(BROKER_FOREIGN, STIMULUS, "broker gets foreign SIDE QTY SYMBOL @ PRICE",                     \
      "somebody else trades on the account: an execution that the OMS never asked for",            \
      "10:00:20  broker gets foreign buy 7 AAPL @ 151.00")                                         \
    X(CRASH, STIMULUS, "crash [CRASH]", "the OMS dies: now, at a place, or everywhere",            \
      "crash before record D1")                                                                    \
    X(RESTART, STIMULUS, "restart", "the OMS is started again on what the crash left",             \
      "10:00:30  restart")                                                                         \
    X(START_SECOND, STIMULUS, "start second", "a second instance is started beside the first",     \
      "10:00:10  start second")                                                                    \
    X(RECONCILE, STIMULUS, "reconcile [daily]",                                                    \
      "asks the OMS to compare itself with the broker; daily: to hold the whole day (UTC) "        \
      "against "                                                                                   \
      "it, orders and executions that have ended included",                                        \
      "21:05:00  reconcile daily")                                                                 \
    X(FAULT, STIMULUS, "fault FAULT", "something goes wrong at a port; see the table of faults",   \
      "10:00:00  fault broker.submit lost-reply once")                                             \
    X(KILL_SWITCH_TRIPS, STIMULUS, "operator trips kill-switch", "a person stops trading",         \
      "10:00:00  operator trips kill-switch")                                                      \
    X(KILL_SWITCH_RELEASES, STIMULUS, "operator releases kill-switch", "a person allows it again", \
      "10:00:40  operator releases kill-switch")                                                   \
    X(HALT_FILE_SETS, STIMULUS, "operator sets halt-file", "the halt file appears",                \
      "10:00:00  operator sets halt-file")                                                         \
    X(HALT_FILE_CLEARS, STIMULUS, "operator clears halt-file", "the halt file is removed",         \
      "10:00:40  operator clears halt-file")                                                       \
    X(CLOCK_FORWARD, STIMULUS, "clock jumps forward DUR",                                          \
      "the clock of the OMS's machine shows so much more from here on; times in this file, the "   \
      "broker and requests under way go on as they were, but `until` is by that clock",            \
      "10:00:20  clock jumps forward 2h")                                                          \
    X(CLOCK_BACK, STIMULUS, "clock jumps back DUR",                                                \
      "it shows so much less from here on (neither goes with `crash again anywhere`)",             \
      "10:00:20  clock jumps back 2h")                                                             \
    X(RESOLVES, STIMULUS, "operator resolves D as STATE",                                          \
      "a person says what became of a held order: `canceled`: it is not at the broker; "           \
      "`working`: "                                                                                \
      "it is the order that the broker has for it",                                                \
      "10:01:00  operator resolves D1 as canceled")                                                \
    X(OMS_CHECKS, OBSERVED, "oms checks D -> PRESENCE",                                            \
      "the OMS looked the decision up in its store", "10:00:01  oms checks D1 -> absent")          \
    X(OMS_SENDS, OBSERVED, "oms sends D", "an order request left the OMS",                         \
      "10:00:02  oms sends D1")                                                                    \
    X(OMS_RECORDS, OBSERVED, "oms records D", "the outcome of a send became durable",              \
      "10:00:03  oms records D1")                                                                  \
    X(OMS_SKIPS, OBSERVED, "oms skips D", "a decision that is known already was presented again",  \
      "10:00:33  oms skips D1")                                                                    \
    X(OMS_RECONCILES, OBSERVED, "oms reconciles", "a comparison with the broker was completed",    \
      "10:00:30  oms reconciles")                                                                  \
    X(OMS_HALTS, OBSERVED, "oms halts", "the OMS stopped itself (fail-stop) and exited",           \
      "10:00:05  oms halts")                                                                       \
    X(OMS_REFUSES, OBSERVED, "oms refuses D", "the OMS answered 'not taken'",                      \
      "10:00:01  oms refuses D1")                                                                  \
    X(EXPECT, CHECK, "expect COND", "true now", "10:00:36  expect position AAPL = 100 @ 150.00")   \
    X(WITHIN, CHECK, "within DUR expect COND", "true at some moment from now until then",          \
      "10:00:30  within 10s expect order D1 is filled")                                            \
    X(ALWAYS, CHECK, "always COND", "true after every event", "always  orders D1 <= 1")            \
    X(FINALLY, CHECK, "finally COND", "true once the world is quiet",                              \
      "finally  position AAPL = broker position AAPL")                                             \
    X(REACH_CRASH, CHECK, "reach crash CRASH",                                                     \
      "at least one run of the quantifier crashed there; else the scenario proves nothing and "    \
      "fails",                                                                                     \
      "reach crash before record D1")                                                              \
    X(REACH_FAULT, CHECK, "reach fault SITE", "at least one run had a fault at this site",         \
      "reach fault broker.submit")                                                                 \
    X(REACH, CHECK, "reach COND", "true in at least one run of the quantifier",                    \
      "reach submits D1 = 2")
enum scn_statement {
#define X(id, sort, shape, help, example) SCN_##id,
    SCN_STATEMENTS(X)
#undef X
        SCN_STATEMENT_COUNT
};

/* Conditions: id, shape, help, example */
#define SCN_CONDITIONS(X)                                                                         \
    X(POSITION, "position SYMBOL = QTY [@ PRICE]",                                                \
      "the OMS's position, signed, 0 for flat; with a price also its average entry price",        \
      "position AAPL = 100 @ 150.00")                                                             \
    X(POSITION_BROKER, "position SYMBOL = broker position SYMBOL2",                               \
      "the OMS's position is the broker's", "position AAPL = broker position AAPL")               \
    X(PNL_BROKER, "pnl SYMBOL = broker pnl SYMBOL2",                                              \
      "the OMS's realized profit in a symbol is the exchange's", "pnl AAPL = broker pnl AAPL")    \
    X(PNL, "pnl [SYMBOL] CMP AMOUNT",                                                             \
      "realized profit as the OMS has it, by average cost; without a symbol that of all",         \
      "pnl AAPL = 12.50")                                                                         \
    X(BROKER_PNL, "broker pnl [SYMBOL] CMP AMOUNT", "the same as the exchange has it",            \
      "broker pnl AAPL >= 0")                                                                     \
    X(ORDERS, "orders D CMP INT", "orders the broker accepted for D, over all lives",             \
      "orders D1 <= 1")                                                                           \
    X(SUBMITS, "submits D CMP INT",                                                               \
      "requests for D that reached the broker; a safe re-send makes 2 submits and 1 order",       \
      "submits D1 <= 2")                                                                          \
    X(RECOVERY, "recovery CMP DUR",                                                               \
      "virtual time from the last restart until the comparison with the broker was done",         \
      "recovery <= 30s")                                                                          \
    X(DISCREPANCY, "[no] discrepancy [TYPE] [SYMBOL] [severity SEVERITY]",                        \
      "what comparisons (the one at boot included) recorded since the last restart",              \
      "discrepancy MISSING_IN_OMS AAPL severity CRITICAL")                                        \
    X(INCONCLUSIVE, "inconclusive CMP INT",                                                       \
      "comparisons since the last restart that could not be made whole", "inconclusive = 1")      \
    X(ORDER_STATE, "order D is STATE", "the OMS's view of the order", "order D1 is filled")       \
    X(OMS_RUNNING, "oms running", "the OMS is alive", "oms running")                              \
    X(OMS_HALTED, "oms halted", "the OMS stopped itself (fail-stop)", "oms halted")               \
    X(SECOND_REFUSED, "second refused", "the second instance refused to start", "second refused") \
    X(KILL_SWITCH, "kill-switch ONOFF", "the kill switch as the OMS's store has it",              \
      "kill-switch on")
enum scn_condition {
#define X(id, shape, help, example) SCN_COND_##id,
    SCN_CONDITIONS(X)
#undef X
        SCN_CONDITION_COUNT
};

/* Headers: id, shape, help, example */
#define SCN_HEADERS(X)                                                                            \
    X(TAGS, "tags TAGS", "words to pick scenarios by", "tags seed, smoke")                        \
    X(DATE, "date DATE", "the day of times that are written without one [2026-01-01]; UTC",       \
      "date 2026-01-09")                                                                          \
    X(PACE, "pace DUR", "decide, send and record take this long each [0s]", "pace 1s")            \
    X(CRASHES, "crashes KINDS", "what the bare word `crash` means; several: one run for each",    \
      "crashes kill, power")                                                                      \
    X(PROFILE, "profile PROFILES", "the broker's promises; several: one run for each [alpaca]",   \
      "profile alpaca, label")                                                                    \
    X(DISK, "disk DISK", "what a power loss may do to unsynced writes [simple]", "disk ext4")     \
    X(SEED, "seed INT", "seed of everything random in this scenario [1]", "seed 7")               \
    X(ORIGIN, "origin STRING", "where the scenario comes from", "origin \"desk diary\"")          \
    X(OPTION, "option OPTION", "a setting of the harness or of the OMS under test",               \
      "option door = wire")                                                                       \
    X(USE, "use PATH", "takes the headers of another file, found from this one's folder",         \
      "use \"common.scn\"")                                                                       \
    X(GIVEN_BROKER, "given broker position SYMBOL QTY @ PRICE",                                   \
      "a position at the broker before the first life", "given broker position AAPL 50 @ 140.00") \
    X(GIVEN_OMS, "given oms position SYMBOL QTY @ PRICE",                                         \
      "an opening position the OMS is created with", "given oms position AAPL 50 @ 140.00")       \
    X(GIVEN_CASH, "given broker cash MONEY", "cash at the broker", "given broker cash 25000.00")  \
    X(GIVEN_KILL_SWITCH, "given kill-switch on", "the kill switch is on before the first life",   \
      "given kill-switch on")                                                                     \
    X(DECISION, "decision NEWD = STRING",                                                         \
      "a decision: its name in this file and the id the strategy gives it",                       \
      "decision D1 = \"AAPL_BUY_2026-01-09_10:00\"")
enum scn_header {
#define X(id, shape, help, example) SCN_HEADER_##id,
    SCN_HEADERS(X)
#undef X
        SCN_HEADER_COUNT
};

/* Points of an order's life: id, word, whether it may name a decision, meaning */
#define SCN_POINTS(X)                                                                   \
    X(DECIDE, "decide", 1, "the intent's transaction")                                  \
    X(SEND, "send", 1, "the request leaves the OMS")                                    \
    X(DELIVER, "deliver", 1, "the broker has acted on it, its answer is not yet seen")  \
    X(RECORD, "record", 1, "the answer becomes durable")                                \
    X(FILL, "fill", 1, "the OMS books an execution")                                    \
    X(REJECT, "reject", 1, "a refusal becomes durable")                                 \
    X(CANCEL, "cancel", 1, "a cancel leaves the OMS")                                   \
    X(RECONCILE, "reconcile", 0, "the comparison with the broker")                      \
    X(BOOT, "boot", 0, "a start of the OMS, until it is ready for decisions")           \
    X(READ_ORDERS, "read-orders", 0, "the OMS asks the broker for its orders")          \
    X(READ_FILLS, "read-fills", 0, "the OMS asks the broker for its executions")        \
    X(READ_POSITIONS, "read-positions", 0, "the OMS asks the broker for its positions") \
    X(ARCHIVE, "archive", 0, "finished orders move to the archive, or back from it")
enum scn_point_kind {
#define X(id, word, takes_decision, meaning) SCN_POINT_##id,
    SCN_POINTS(X)
#undef X
        SCN_POINT_COUNT
};

/* Options: id, word, how the value is written, least and most (INT), words (WORD), help */
#define SCN_OPTIONS(X)                                                                          \
    X(DOOR, "door", WORD, 0, 2, "any|wire|direct",                                              \
      "how the OMS reaches the broker: through real HTTP bytes, directly, or what the command " \
      "says")                                                                                   \
    X(PAGE_SIZE, "page-size", INT, 512, 65536, "", "bytes in a page of a new database")         \
    X(CHECKPOINT_FRAMES, "checkpoint-frames", INT, 1, 1000000, "",                              \
      "checkpoint once the log has this many frames")                                           \
    X(BATCH, "batch", INT, 2, 64, "",                                                           \
      "signals that wait together are taken in one durable transaction, so many at most")       \
    X(ANSWERS_LATE, "answers-late", INT, 1, 4, "",                                              \
      "the answer to a send comes so many seconds later; the OMS goes on meanwhile")            \
    X(SELF_HEAL, "self-heal", INT, 1, 50, "",                                                   \
      "a position that differs from the broker's by at most so many percent is adjusted")       \
    X(ARCHIVE_ORDERS, "archive-orders", INT, 1, 1000000, "",                                    \
      "finished orders move to the archive once more than so many are in the database")         \
    X(STORE_VERSION, "store-version", INT, 3, 3, "",                                            \
      "the store is as this older version of the OMS made it")                                  \
    X(TRADING_DAYS, "trading-days", INT, 1, 5, "",                                              \
      "days of trading drawn from the seed, from `date` on; see Workloads")                     \
    X(DECISIONS_A_DAY, "decisions-a-day", INT, 1, 80, "",                                       \
      "on each of them so many decisions (without it 40)")
enum scn_option {
#define X(id, word, type, least, most, words, help) SCN_OPTION_##id,
    SCN_OPTIONS(X)
#undef X
        SCN_OPTION_COUNT
};
/* Values of `option door`. */
enum scn_door { SCN_DOOR_ANY, SCN_DOOR_WIRE, SCN_DOOR_DIRECT };

/* Comparisons: id, sign */
#define SCN_CMPS(X) X(EQ, "=") X(NE, "!=") X(LT, "<") X(LE, "<=") X(GT, ">") X(GE, ">=")
enum scn_cmp {
#define X(id, sign) SCN_##id,
    SCN_CMPS(X)
#undef X
};

#endif
