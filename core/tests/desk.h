/* A desk for tests: a directory on the real file system, a scripted broker, and at most one running
 * instance. Every helper fails its test when something does not go as its name says. */
#ifndef CORE_TESTS_DESK_H
#define CORE_TESTS_DESK_H

#include "core/tests/fake_broker.h"

#define SECOND PROFILE_SECOND_NS
#define UNIT   ((int64_t)DECIMAL_NANOS)

struct desk {
    char directory[64], path[96];
    struct oms_place place;
    struct oms_config config;
    struct fake fake;
    struct oms *oms;
    struct oms_error error;
};

void desk_prepare(struct desk *desk, const char *profile); /* nothing made yet */
void desk_make_with(struct desk *desk, const struct oms_opening *opening, size_t count);
enum oms_code desk_try_open(struct desk *desk);
void desk_open(struct desk *desk);
/* Prepared, made, opened, compared; the event log is empty. */
void desk_start(struct desk *desk, const char *profile);
/* The same under "alpaca" on the VFS whose calls fail as planned (core/tests/fault_vfs.h). */
void desk_start_on_faults(struct desk *desk);
void desk_close(struct desk *desk);
/* The process dies now: the next life finds the files as they are at this moment. */
void desk_kill(struct desk *desk);
void desk_end(struct desk *desk); /* everything goes */
/* On the store of a desk that is closed: runs statements; asks for one whole number. */
void run_sql_on(struct desk *desk, const char *sql);
int64_t ask_sql_on(struct desk *desk, const char *sql);
void copy_file(const char *from, const char *to);

/* BUY 100 AAPL, limit 150, day. */
struct oms_decision decision_of(const char *id);
struct oms_answer decide(struct desk *desk, const struct oms_decision *decision);
struct oms_answer take(struct desk *desk, const char *id);
void settle(struct desk *desk);
void pass(struct desk *desk, int64_t ns);
struct oms_order order_of(struct desk *desk, const char *id);
/* Decides, sends, executes all of it at that price, books. */
void desk_trade(struct desk *desk, const char *id, const char *symbol, enum broker_side side,
                int64_t qty, int64_t price);
void assert_state(struct desk *desk, const char *id, enum oms_state state);

#endif
