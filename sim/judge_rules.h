/* What the judge's rules share; nobody else includes this. */
#ifndef SIM_JUDGE_RULES_H
#define SIM_JUDGE_RULES_H

#include "sim/judge.h"
#include "sim/peek.h"

/* Notes what broke, unless it is not judged or something broke before. */
__attribute__((format(printf, 4, 5))) void
judge_broke(struct judge *judge, int invariant, const struct world *world, const char *format, ...);

/* ---- what the OMS believes, and what the exchange has (NULL: nothing) ---- */

const struct oms_order *view_order(const struct oms_view *view, const char *decision_id);
const struct oms_position *view_position(const struct oms_view *view, const char *symbol);
/* The decision that an order at the exchange belongs to; -1: a stranger's, or lost. */
int judge_order_decision(const struct judge *judge, const struct exchange_order *order);
/* Fills in `orders` and `executed` of every decision. */
void judge_count_orders(struct judge *judge, const struct world *world);
const struct exchange_order *judge_order_of(const struct judge *judge, const struct world *world,
                                            size_t decision);

/* ---- what an OMS cannot know (sim/judge_excuse.c) ---- */

/* Whether a fault struck that makes a store forget. */
bool judge_may_have_forgotten(const struct judge *judge);
/* Whether the broker has lost the order that the OMS has on record: by the broker's own id of it, also
 * when its acceptance was on the way while the broker lost it. */
bool judge_lost_by_broker(const struct world *world, const struct oms_order *order);
/* Whether an execution of this order was corrected, and the OMS need not have seen it. */
bool judge_corrected_since(const struct judge *judge, const struct world *world,
                           const struct oms_view *view, const char *order_id);
/* The same of any order. */
bool judge_any_corrected_since(const struct judge *judge, const struct world *world,
                               const struct oms_view *view);
/* Whether nobody can say what the OMS should believe of its order `order` (NULL: it has none), which
 * is `theirs` at the broker. */
bool judge_cannot_know(const struct judge *judge, const struct world *world,
                       const struct oms_view *view, size_t decision, const struct oms_order *order,
                       const struct exchange_order *theirs);

/* What an OMS may have booked in a symbol. */
struct booked_range {
    decimal_wide low, high; /* of its signed position */
    bool excused; /* something of it nobody can expect it to know: its cost is not judged, either */
};
/* `position` is the exchange's. */
struct booked_range judge_booked_range(const struct judge *judge, const struct world *world,
                                       const struct oms_view *view,
                                       const struct exchange_position *position);

/* ---- I4 (sim/judge_agree.c) ---- */

/* One order: what the OMS believes of it, and what it is. */
void judge_order_agrees(struct judge *judge, const struct world *world, const struct oms_view *view,
                        size_t decision);
/* All positions, with their cost and profit. */
void judge_positions_agree(struct judge *judge, const struct world *world,
                           const struct oms_view *view);

#endif
