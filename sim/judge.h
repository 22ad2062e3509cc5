/* The judge: what must hold of any OMS, whatever happens to it.
 *
 * It sees the exchange's books, the orders that leave and arrive, the disk, and what the OMS
 * believes (read from the disk) - never its promises. It trusts no id: an order belongs to the
 * decision with the same symbol, side, quantity and price, which are unique per decision. */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "core/oms.h"
#include "sim/port.h"
#include "sim/sut/sut.h"
#include "sim/world.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* number, what must hold */
#define INVARIANTS(X)                                                                          \
    X(1, "at most one order is accepted per decision, over all lives")                         \
    X(2, "executed quantity per decision never exceeds what was decided")                      \
    X(3, "no decision that was taken on is lost")                                              \
    X(4, "orders, fills, positions, cost basis and realized profit equal the exchange's once " \
         "quiet")                                                                              \
    X(5, "a refusal that was recorded is never sent again")                                    \
    X(6, "nothing is sent while the kill switch or halt file is on, and it survives crashes")  \
    X(7, "what was acknowledged is still known after any crash")                               \
    X(8, "recovering again changes nothing")                                                   \
    X(9, "a failed answer is never read as 'nothing there'")                                   \
    X(10, "the database is intact after every crash, or the OMS refuses to trade")             \
    X(11, "one submit call sends at most one request")                                         \
    X(12, "when faults stop, the world becomes quiet in bounded time")                         \
    X(13, "a decision answered 'not taken' is not sent unless presented again")                \
    X(14, "at every send, every power loss leaves the intent on the disk")
enum {
    INVARIANT_COUNT = 14,
    JUDGE_DECISIONS_MAX = 512,
    JUDGE_SYMBOLS_MAX = 64,
    JUDGE_TEXT_SIZE = 400
};
#define INVARIANT_BIT(n) (1u << (n))
enum { INVARIANTS_ALL = 0x7ffe };
const char *invariant_meaning(int number);

struct judged {
    char name[32];                /* as the scenario calls it: "D1" */
    struct oms_decision decision; /* with payload */
    bool pending;                 /* in this life the OMS took it up without promising anything */
    bool acknowledged;            /* the OMS said taken, or known */
    bool cancel_acknowledged;     /* the OMS took on to cancel it */
    bool refused;                 /* the OMS said not taken, and it was not presented since */
    unsigned posts;               /* requests for it that left, all lives */
    unsigned unrecognised;        /* of those, orders that nobody could recognise as sent before */
    unsigned posts_this_life;
    bool refusal_told;                /* in this life the OMS was handed the broker's refusal */
    unsigned refusals_lost_this_life; /* refusals that did not reach it, in this life */
    bool acceptance_told;  /* in this life the OMS was handed the broker's acceptance of it */
    bool refusable;        /* the broker refused it at least once */
    bool refusal_recorded; /* the store says rejected */
    bool left_once; /* a request left, to a broker that would take another for a second order */
    bool resolved;  /* an operator's word on it was acknowledged */
    bool misled;    /* it was wrong: the broker has, or is about to have, what he said it has not */
    bool jumped_seen;   /* the clock jumped in a life that had a request out */
    bool jumped_unseen; /* it did between two lives, or the life that saw it is over, and a request
                         * might still arrive */
    int64_t presented_ns; /* first */
    bool doubtful;        /* a request left since the last complete "absent" */
    bool
        forgotten; /* the OMS took it on, and its store no longer knows, through no fault of its own */
    /* The broker lost its order after the OMS had it on record: sending another would be a second. */
    bool lost_on_record;
    char client_order_id[BROKER_CLIENT_ID_SIZE]; /* of the last request */
    unsigned arrived;                            /* requests for it that reached the broker */
    int next; /* with the same place in judge->places; -1: the last */
    /* Of one look at the exchange's books: orders accepted for it, and what they executed. */
    unsigned orders;
    decimal_wide executed;
};

struct violation {
    int invariant; /* 0: none */
    int64_t at_ns;
    char text[JUDGE_TEXT_SIZE];
};

struct judge {
    const struct sut *sut;
    unsigned claims;   /* bit mask of invariants that are judged */
    unsigned suspends; /* of those it does not judge: what faults keep any OMS from keeping */
    bool damaged;      /* the store was damaged, or lied about, behind the OMS's back */
    struct judged *decisions;
    size_t decision_count, decision_cap;
    /* Decisions by a hash of their payload, once there are many of them; NULL: there are few. */
    int *places;
    bool kill_switch;          /* on, and acknowledged to the operator */
    bool kill_switch_doubtful; /* an operator's act got no answer: either is right */
    bool life_intact;          /* this life booted from an intact store */
    bool halt_denied;          /* the OMS asked for the halt file and was told it is absent ... */
    int64_t halt_denied_ns;    /* ... at this moment, the latest */
    bool begun;                /* the first life has */
    unsigned lives;            /* begun so far */
    int64_t life_ns;           /* when this one did, ... */
    int64_t life_wall_ns; /* ... by the clock of the OMS's machine; INT64_MAX: that was set since */
    int64_t listed_ns; /* when, in this life, the OMS was last given a list of the broker's orders;
                        * INT64_MAX: it was not */
    /* Symbols in which OMS and broker differed before anything happened: nobody can settle them. */
    char (*disputed)[BROKER_SYMBOL_SIZE];
    size_t disputed_count, disputed_cap;
    bool released;     /* an operator took the kill switch off, whatever had put it on */
    bool clock_jumped; /* the clock of the OMS's machine did: how old a send is is unknown to it */
    bool clock_went_back;
    int64_t ahead_least_ns, ahead_most_ns; /* by so much it was ever ahead of now */
    bool foreign;                          /* somebody else traded on the account */
    uint64_t last_version;                 /* of the exchange, when its books were last judged */
    uint64_t counted;       /* one more than its version when its orders were last counted */
    struct violation first; /* the first thing that broke; nothing is judged after it */
};

void judge_init(struct judge *judge, const struct sut *sut, unsigned claims);
void judge_copy(struct judge *to, const struct judge *from); /* `to` is uninitialized */
void judge_free(struct judge *judge);
/* Index of the new decision. */
size_t judge_add(struct judge *judge, const char *name, const struct oms_decision *decision);
/* The decision a request or an order belongs to, or -1. */
int judge_attribute(const struct judge *judge, const char *symbol, enum broker_side side,
                    int64_t qty_nanos, int64_t limit_nanos);

int judge_attribute_request(const struct judge *judge, const struct broker_request *request);

/* What happened; each may set judge->first. */
void judge_presented(struct judge *judge, const struct world *world, size_t decision);
void judge_answered(struct judge *judge, size_t decision, enum sut_answer answer);
/* An order left. `posts`: requests seen for this one submit call. */
void judge_posted(struct judge *judge, struct world *world, const char *path,
                  const struct broker_request *request, unsigned posts);
void judge_replied(struct judge *judge, const struct world *world, const struct port_reply *reply);
/* The OMS took on to cancel this decision's order. */
void judge_cancel(struct judge *judge, size_t decision);
/* An operator switched the kill switch; without acknowledgement either state is right. */
void judge_operator(struct judge *judge, bool on, bool acknowledged);
/* An operator said what became of this decision's held order, and the OMS took his word. */
void judge_resolved(struct judge *judge, size_t decision);
/* He said that it is not at the broker, and it is, or is on its way, and the OMS took his word or died
 * over it: what it then believes of it is his mistake, not its own. */
void judge_misled(struct judge *judge, size_t decision);
/* The clock of the OMS's machine has jumped (by_ns < 0: back): from here on it cannot tell how long ago
 * something was, but for what it sent itself, if it is up and so has `seen` it: until it ends,
 * another clock goes on evenly. */
void judge_clock_jumps(struct judge *judge, const struct world *world, int64_t by_ns, bool seen);
/* The OMS asked whether the halt file is there, and was told. */
void judge_halt_asked(struct judge *judge, const struct world *world);
/* The broker is about to lose this decision's order: does the OMS have it on record? */
void judge_broker_loses(struct judge *judge, struct world *world, const char *path,
                        size_t decision);
/* After anything happened: the exchange's books. */
void judge_books(struct judge *judge, const struct world *world);
/* A life begins: looks at the store it begins with, before the OMS has sent anything. */
void judge_life(struct judge *judge, struct world *world, const char *path);
/* Whether some order may still leave or be resolved: silence is not yet quiet. */
bool judge_under_way(struct judge *judge, struct world *world, const char *path);
/* The world is quiet. */
void judge_quiet(struct judge *judge, struct world *world, const char *path);
/* The world did not become quiet within the bound, or the OMS stopped itself. */
void judge_restless(struct judge *judge, const struct world *world, const char *text);
/* What the OMS believes and what the exchange holds, once quiet (times and counters left out):
 * recovering again must not change it. */
struct judge_meaning {
    uint64_t beliefs; /* all but the switch, as one hash */
    bool kill_switch;
};
struct judge_meaning judge_meaning(struct judge *judge, struct world *world, const char *path);
/* What the next start may rightly change. Only a start after that one has nothing new to learn. */
enum judge_news {
    JUDGE_NO_NEWS,
    JUDGE_SWITCH_NEWS, /* the switch alone: it trips over what was left when it was released */
    /* It finds what somebody else traded since the last comparison, or what an order did that is held
     * because this broker knows no ids, and cannot know that an order which a switch held back has not
     * left. What it then believes is judged as in any quiet world. */
    JUDGE_ANY_NEWS
};
enum judge_news judge_expects_news(struct judge *judge, struct world *world, const char *path);
/* I8. `may_trip`: the switch may have gone on between the two. */
void judge_idempotent(struct judge *judge, const struct world *world,
                      const struct judge_meaning *before, const struct judge_meaning *after,
                      bool may_trip);

/* A hash of all that is remembered about the past and can decide a later judgement. */
uint64_t judge_memory(const struct judge *judge);

/* Orders the exchange accepted for a decision. */
unsigned judge_orders(const struct judge *judge, const struct world *world, size_t decision);

#endif
