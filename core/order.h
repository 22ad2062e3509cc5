/* One order: what is durable about it, what this life knows besides, and which moves are legal. */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H

#include "core/oms.h"

struct order {
    struct oms_order pub;
    int64_t id;            /* row number: the order of intents */
    int64_t first_send_ns; /* first moment it may have left; 0 with sends > 0: not known any more */
    int64_t send_by_ns;    /* last moment it may have left; 0: nothing is out */
    int64_t seal;          /* order_seal of the decision as it was taken, if its row is whole */
    /* this life only */
    int64_t left_by_ns; /* send_by_ns by the clock that nobody sets; 0: only the wall clock says */
    bool fresh;         /* the reservation is this life's and has not been used */
    bool on_its_way;    /* its send is not answered yet; nothing is concluded about it until then */
    uint64_t taken_in;  /* the look (oms->looks) in or after which the answer was recorded */
    bool id_refused;    /* the last send was refused because the broker has seen the id */
    bool passed_door;   /* counted at the last door (8) */
    bool told_missing;  /* alarms told once a life */
    bool told_status;
    bool told_odd;
    bool told_second;                  /* another order of the broker's bears its client id */
    const struct broker_order *listed; /* during one look at the broker only */
    bool followed;                   /* during one poll only: it was working when the poll began */
    int64_t retry_ns, retry_step_ns; /* not sent before; back-off */
    int64_t query_ns;                /* not looked up before */
    int64_t cancel_ns, cancel_step_ns; /* no cancel before; back-off */
};

/* Is `to` a legal next state? A state is its own legal next: nothing moved. */
bool order_can_move(enum oms_state from, enum oms_state to);

/* Moves and CHECKs the result; the reason is kept when `reason` is NULL. */
void order_move(struct order *order, enum oms_state to, const char *reason);

/* CHECKs what must hold of every order at every time. */
void order_check(const struct order *order);

/* True when an order read from a store breaks such a rule; `why` names it. */
bool order_is_broken(const struct order *order, const char **why);

/* May it be live at the broker without our knowing? Those are resolved by query (3). */
bool order_is_doubtful(const struct order *order);
/* Is it certain that nothing is out, and is it waiting to be sent? */
bool order_is_unsent(const struct order *order);
/* Known live at the broker. */
bool order_is_working(const struct order *order);

/* Where a broker's word takes an order, given what is booked. Ends only when everything the broker
 * says was executed is booked (5). */
enum oms_state order_target(const struct order *order, enum broker_status status,
                            int64_t filled_nanos);

/* The reason to put on record for an order that ends so by the broker's word; "" for other states.
 */
const char *order_ending(enum oms_state state, const struct broker_order *theirs);

/* Is the broker's order the one we meant? Otherwise `why` (OMS_REASON_SIZE) names what differs. At
 * a broker that knows no client order ids (`by_id` is false) they are not compared. */
bool order_matches(const struct order *order, const struct broker_order *theirs, bool by_id,
                   char *why);

bool order_same_payload(const struct oms_decision *a, const struct oms_decision *b);

/* 64 bits of a digest over every field of a decision. Kept with the order, it tells a payload that
 * was damaged where it lay from the one that was decided. */
int64_t order_seal(const struct oms_decision *decision);

/* A number that any change of what else is durable about an order changes: its progress, its times
 * and its words. The store keeps the seal combined with it, so that a bit that flipped in either
 * breaks the seal. */
int64_t order_mark(const struct order *order);

/* Whether the payload is the one that was decided, and, of an order just read, the rest of its row
 * what was written. Asked of orders that may still be sent, adopted
 * or filled: at every start, and before every send. */
bool order_is_sealed(const struct order *order);

/* Back-off: 1 s, doubling to 60 s. */
void order_back_off(int64_t *at_ns, int64_t *step_ns, int64_t now_ns);

enum { ORDER_SENDS_MAX = 1000 }; /* no configuration may ask for more */

#endif
