/* A scripted broker, a settable clock and an event log for the core's tests. */
#ifndef CORE_TESTS_FAKE_BROKER_H
#define CORE_TESTS_FAKE_BROKER_H

#include "core/oms.h"

/* What the next submit does. */
enum fake_reply {
    FAKE_ACCEPT,
    FAKE_REJECT,
    FAKE_NOT_SENT,
    FAKE_LOSE,       /* in doubt; it never arrives */
    FAKE_LOSE_REPLY, /* in doubt; it arrived */
    FAKE_SEEN,       /* refused: the id was seen before */
    FAKE_WRONG_ECHO  /* accepted, but the answer is about another quantity */
};

enum { FAKE_SCRIPT_MAX = 16, FAKE_LOG_SIZE = 16384, FAKE_START_S = 1767952800 };

struct fake {
    int64_t now_ns; /* the wall clock */
    int64_t set_ns; /* how far it was set forward; the steady clock did not see that */
    enum oms_halt_file halt_file;
    bool deduplicates;
    bool down;       /* every query is inconclusive */
    bool forgets;    /* no order is found by its id any more */
    bool fills_down; /* only executions are */
    bool too_many;   /* every call is answered "too many requests", and does nothing */
    enum fake_reply script[FAKE_SCRIPT_MAX];
    size_t scripted, played;
    enum broker_canceled cancel_answer;
    struct broker_orders orders;
    struct broker_fills fills;
    struct broker_positions extra; /* positions nobody here traded */
    int64_t sneaks_in; /* the newest order executes so much right before positions are read */
    bool restless;     /* the first of `extra` grows whenever it is read */
    int submits, lookups, cancels;
    int questions;           /* lookups and lists */
    int64_t stall_ns;        /* every broker call takes this long */
    char log[FAKE_LOG_SIZE]; /* "decide< decide> send< ..." of events since the last reset */
    char last_alarm[OMS_REASON_SIZE];
    char last_text[OMS_REASON_SIZE];
};

void fake_start(struct fake *fake);
void fake_free(struct fake *fake);
struct broker fake_broker(struct fake *fake);
struct oms_env fake_env(struct fake *fake);
void fake_script(struct fake *fake, enum fake_reply reply);
void fake_forget_log(struct fake *fake);

/* Executes part of an order at the fake broker; the newest order when client_order_id is NULL. */
void fake_fill(struct fake *fake, const char *client_order_id, int64_t qty, int64_t price);
/* An execution, by its id, is corrected; quantity 0: busted. Of its order nothing changes but what is
 * executed, and that one which was filled ends canceled. */
void fake_correct(struct fake *fake, const char *execution_id, const char *id, int64_t qty,
                  int64_t price);
struct broker_order *fake_order(struct fake *fake, const char *client_order_id);
/* An order nobody here decided. */
struct broker_order *fake_foreign(struct fake *fake, const char *client_order_id,
                                  const char *symbol, int64_t qty);

/* Steps until nothing is due at this moment, at most `most` times. */
enum oms_code fake_settle(struct oms *oms, struct fake *fake, int most);
/* Sets the wall clock by so much; no time passes. */
void fake_set_clock(struct fake *fake, int64_t by_ns);
/* Lets time pass, doing everything that falls due on the way. */
enum oms_code fake_pass(struct oms *oms, struct fake *fake, int64_t ns);

#endif
