/* What an OMS cannot know, whatever it does: each excuse reaches as far as its cause, no further. */
#include "sim/judge_rules.h"

#include <string.h>

bool judge_may_have_forgotten(const struct judge *judge) {
    return judge->damaged && (judge->suspends & INVARIANT_BIT(7)) != 0;
}

/* ---- lost by the broker ---- */

bool judge_lost_by_broker(const struct world *world, const struct oms_order *order) {
    const struct exchange *exchange = &world->exchange;
    for (size_t i = 0; i < exchange->order_count; i++) {
        if (exchange->orders[i].lost &&
            strcmp(exchange->orders[i].told.id, order->broker_order_id) == 0)
            return true;
    }
    return false;
}

/* ---- corrected by the broker ---- */

static bool is_correction(const struct broker_fill *fill) {
    return fill->refers[0] != '\0';
}

/* When the OMS last compared itself, by its own clock; INT64_MIN: never. */
static int64_t compared_at(const struct oms_view *view) {
    int64_t at_ns = INT64_MIN;
    for (size_t i = 0; i < view->run_count; i++) {
        if (view->runs[i].why[0] == '\0')
            at_ns = view->runs[i].at_ns;
    }
    return at_ns;
}

/* An OMS has no reason to look at what is finished before its next comparison, and where queries lag that
 * one does not show what is fresh. Which was first, by a clock that jumped, nobody can say; and where
 * executions are not told, corrections are not told at all, and a person must settle them. */
static bool is_unseen(const struct judge *judge, const struct world *world, int64_t compared_ns,
                      const struct broker_fill *correction) {
    const struct profile *profile = world->exchange.profile;
    return correction->at_ns + profile->query_lag_ns >= compared_ns || judge->clock_jumped ||
           !profile->tells_executions;
}

/* `order_id` NULL: of any order. */
static bool has_unseen(const struct judge *judge, const struct world *world,
                       const struct oms_view *view, const char *order_id) {
    const struct exchange *exchange = &world->exchange;
    int64_t compared_ns = compared_at(view);
    for (size_t i = 0; i < exchange->fill_count; i++) {
        const struct broker_fill *fill = &exchange->fills[i];
        if (is_correction(fill) && (order_id == NULL || strcmp(fill->order_id, order_id) == 0) &&
            is_unseen(judge, world, compared_ns, fill))
            return true;
    }
    return false;
}

bool judge_corrected_since(const struct judge *judge, const struct world *world,
                           const struct oms_view *view, const char *order_id) {
    return has_unseen(judge, world, view, order_id);
}

bool judge_any_corrected_since(const struct judge *judge, const struct world *world,
                               const struct oms_view *view) {
    return has_unseen(judge, world, view, NULL);
}

/* ---- how much of an order may be booked ---- */

struct quantity_range {
    decimal_wide low, high;
};

/* What one execution ever counted for. */
static struct quantity_range counted_range(const struct exchange *exchange, size_t index) {
    const struct broker_fill *fill = &exchange->fills[index];
    struct quantity_range range = {fill->qty_nanos, fill->qty_nanos};
    for (size_t i = index + 1; i < exchange->fill_count; i++) {
        const struct broker_fill *later = &exchange->fills[i];
        if (strcmp(later->refers, fill->execution_id) != 0)
            continue;
        range.low = later->qty_nanos < range.low ? later->qty_nanos : range.low;
        range.high = later->qty_nanos > range.high ? later->qty_nanos : range.high;
    }
    return range;
}

static bool is_of(const struct exchange *exchange, size_t index, const char *order_id) {
    const struct broker_fill *fill = &exchange->fills[index];
    return !is_correction(fill) && strcmp(fill->order_id, order_id) == 0;
}

/* What an order executed, its corrections seen or not. */
static struct quantity_range executed_range(const struct exchange *exchange,
                                            const struct exchange_order *order) {
    struct quantity_range sum = {0, 0};
    for (size_t i = 0; i < exchange->fill_count; i++) {
        struct quantity_range range;
        if (!is_of(exchange, i, order->told.id))
            continue;
        range = counted_range(exchange, i);
        sum.low += range.low;
        sum.high += range.high;
    }
    return sum;
}

/* What one execution counted for when the exchange had told `told` executions and corrections. */
static int64_t counted_by(const struct exchange *exchange, size_t index, size_t told) {
    const struct broker_fill *fill = &exchange->fills[index];
    int64_t qty_nanos = fill->qty_nanos;
    for (size_t i = index + 1; i < told; i++) {
        if (strcmp(exchange->fills[i].refers, fill->execution_id) == 0)
            qty_nanos = exchange->fills[i].qty_nanos;
    }
    return qty_nanos;
}

/* What the broker said that an order had executed, from its first execution on. */
static struct quantity_range shown_range(const struct exchange *exchange,
                                         const struct exchange_order *order) {
    struct quantity_range range = {0, 0};
    bool begun = false;
    for (size_t told = 1; told <= exchange->fill_count; told++) {
        decimal_wide sum = 0;
        if (strcmp(exchange->fills[told - 1].order_id, order->told.id) != 0)
            continue;
        for (size_t i = 0; i < told; i++)
            sum += is_of(exchange, i, order->told.id) ? counted_by(exchange, i, told) : 0;
        range.low = !begun || sum < range.low ? sum : range.low;
        range.high = !begun || sum > range.high ? sum : range.high;
        begun = true;
    }
    return range;
}

/* What an OMS may have booked of a corrected order: where executions are not told, it can price no step
 * over a correction that it did not see by itself, and stays at what it was shown before. */
static struct quantity_range bookable_range(const struct exchange *exchange,
                                            const struct exchange_order *order) {
    struct quantity_range executed = executed_range(exchange, order);
    struct quantity_range shown;
    if (exchange->profile->tells_executions)
        return executed;
    shown = shown_range(exchange, order);
    executed.low = shown.low < executed.low ? shown.low : executed.low;
    executed.high = shown.high > executed.high ? shown.high : executed.high;
    return executed;
}

/* ---- one order ---- */

/* Whether the OMS has not seen that its order is at the broker; or it has, noted the broker's id of it,
 * books what it executes, and the switch tripped over it, which a store may be made to forget, too. */
static bool stays_ended(const struct judge *judge, const struct oms_view *view,
                        const struct oms_order *order) {
    if (order == NULL || !oms_state_is_final(order->state))
        return false;
    return order->broker_order_id[0] == '\0'
               ? order->filled_nanos == 0
               : view->kill_switch || judge->released || judge_may_have_forgotten(judge);
}

/* How far before an order's own time an OMS looks for it. */
#define LOOKS_BACK_NS INT64_C(60000000000)

/* Whether a list that reaches back from the OMS's own time of its order holds it. */
static bool is_listed(const struct oms_order *order, const struct exchange_order *theirs) {
    return order->created_ns - LOOKS_BACK_NS <= theirs->told.submitted_ns;
}

/* Whether it was at the broker before this life began, for every query to see, and the comparison at the
 * start of the life was made. */
static bool was_there_at_the_start(const struct judge *judge, const struct world *world,
                                   const struct oms_view *view,
                                   const struct exchange_order *theirs) {
    const struct profile *profile = world->exchange.profile;
    return profile->knows_ids && compared_at(view) >= judge->life_wall_ns &&
           theirs->told.submitted_ns + profile->query_lag_ns < judge->life_ns;
}

/* That comparison shows what ended without ever having been there, if something of it is left to be
 * shown; by a clock that jumped it may have looked too late, and a store may have been made to forget. */
static bool was_shown_as_risen(const struct judge *judge, const struct world *world,
                               const struct oms_view *view, const struct exchange_order *theirs) {
    return was_there_at_the_start(judge, world, view, theirs) && !judge->clock_jumped &&
           !judge->damaged &&
           (theirs->told.filled_nanos > 0 || broker_status_is_open(theirs->told.status));
}

/* A person said that it is not there, and the OMS ended it so. */
static bool is_taken_for_gone(const struct judge *judge, const struct world *world,
                              const struct oms_view *view, const struct judged *judged,
                              const struct oms_order *order, const struct exchange_order *theirs) {
    return judged->misled && stays_ended(judge, view, order) &&
           order->state == OMS_STATE_CANCELED &&
           (order->broker_order_id[0] != '\0' || !was_shown_as_risen(judge, world, view, theirs));
}

/* What was forgotten and never presented again is to the OMS what somebody else did. */
static bool is_forgotten(const struct judged *judged, const struct oms_order *order) {
    return judged->forgotten && order == NULL;
}

/* By a clock that jumped while a request could still arrive, the time after which nothing arrives any
 * more may have passed early for a life that did not see the jump: what ended as absent came after all,
 * and the next comparison says so. */
static bool ended_too_early(const struct judge *judge, const struct oms_view *view,
                            const struct judged *judged, const struct oms_order *order) {
    return judged->jumped_unseen && stays_ended(judge, view, order);
}

/* By the same clock it takes the order for absent and would send it again, did no switch or halt file hold it
 * back; until the next start, which lists it. */
static bool is_kept_from_sending(const struct judge *judge, const struct world *world,
                                 const struct oms_view *view, const struct judged *judged,
                                 const struct oms_order *order,
                                 const struct exchange_order *theirs) {
    return judged->jumped_unseen && order != NULL && order->state == OMS_STATE_INTENT &&
           order->broker_order_id[0] == '\0' &&
           (view->kill_switch || world->halt_file != OMS_HALT_ABSENT) &&
           !(is_listed(order, theirs) && was_there_at_the_start(judge, world, view, theirs));
}

/* Whether the broker answers who asks for it by its id. */
static bool is_known_by_id(const struct world *world, const struct exchange_order *theirs) {
    const struct profile *profile = world->exchange.profile;
    return profile->knows_ids &&
           (world->exchange.habits.never_forgets ||
            world->now_ns < profile_forgets_ns(profile, theirs->told.submitted_ns));
}

/* Where the broker knows no ids, or has forgotten this one, an order is looked for among those since a
 * time; by a clock that was ahead of the broker's by more, that was after it. */
static bool looked_too_late(const struct judge *judge, const struct world *world,
                            const struct oms_view *view, const struct oms_order *order,
                            const struct exchange_order *theirs) {
    bool held = order != NULL && order->state == OMS_STATE_HELD && order->reason[0] != '\0';
    return order != NULL && judge->ahead_most_ns > LOOKS_BACK_NS &&
           !is_known_by_id(world, theirs) && (held || stays_ended(judge, view, order)) &&
           !is_listed(order, theirs);
}

/* A store that lost the reservation of a send takes the order for one that never left, and so it may
 * end; the comparison that finds it at the broker says so. */
static bool is_send_forgotten(const struct judge *judge, const struct oms_view *view,
                              const struct judged *judged, const struct oms_order *order) {
    return judge_may_have_forgotten(judge) && stays_ended(judge, view, order) &&
           (unsigned)order->sends < judged->posts;
}

/* Where the broker knows no ids: what the OMS holds it can see there, and must not take for its own;
 * and what a store that lost its tail should know of an order nobody can say. */
static bool is_nameless(const struct judge *judge, const struct world *world,
                        const struct oms_order *order) {
    if (world->exchange.profile->knows_ids)
        return false;
    if (judge_may_have_forgotten(judge))
        return order == NULL || order->broker_order_id[0] == '\0';
    return order != NULL && order->state == OMS_STATE_HELD && order->reason[0] != '\0';
}

/* Whether the OMS need not know this order at all. What it was told in this life it knows. */
static bool is_unknowable(const struct judge *judge, const struct world *world,
                          const struct oms_view *view, size_t decision,
                          const struct oms_order *order, const struct exchange_order *theirs) {
    const struct judged *judged = &judge->decisions[decision];
    if (judged->unrecognised > 0)
        return true; /* which of its orders is meant */
    if (is_taken_for_gone(judge, world, view, judged, order, theirs) || is_forgotten(judged, order))
        return true;
    return !judged->acceptance_told &&
           (ended_too_early(judge, view, judged, order) ||
            is_kept_from_sending(judge, world, view, judged, order, theirs) ||
            looked_too_late(judge, world, view, order, theirs) ||
            is_send_forgotten(judge, view, judged, order) || is_nameless(judge, world, order));
}

/* What is corrected may still be as it was to the OMS; an order that it follows it sees change. */
static bool is_as_it_was(const struct judge *judge, const struct world *world,
                         const struct oms_view *view, const struct oms_order *order,
                         const struct exchange_order *theirs) {
    struct quantity_range range = bookable_range(&world->exchange, theirs);
    return order != NULL && order->filled_nanos >= range.low && order->filled_nanos <= range.high &&
           judge_corrected_since(judge, world, view, theirs->told.id);
}

bool judge_cannot_know(const struct judge *judge, const struct world *world,
                       const struct oms_view *view, size_t decision, const struct oms_order *order,
                       const struct exchange_order *theirs) {
    return is_unknowable(judge, world, view, decision, order, theirs) ||
           is_as_it_was(judge, world, view, order, theirs);
}

/* ---- one position ---- */

/* Whether the OMS may or may not have booked what this order executed: a stranger's may have been
 * adjusted for. */
static bool may_be_missing(const struct judge *judge, const struct world *world,
                           const struct oms_view *view, const struct exchange_order *order) {
    int decision = judge_order_decision(judge, order);
    return decision < 0 ||
           is_unknowable(judge, world, view, (size_t)decision,
                         view_order(view, judge->decisions[decision].decision.id), order);
}

static void add_signed(struct booked_range *sum, enum broker_side side, decimal_wide low,
                       decimal_wide high) {
    sum->low += side == BROKER_BUY ? low : -high;
    sum->high += side == BROKER_BUY ? high : -low;
}

static void add_order(const struct judge *judge, const struct world *world,
                      const struct oms_view *view, const struct exchange_order *order,
                      struct booked_range *sum) {
    bool missing = may_be_missing(judge, world, view, order);
    struct quantity_range range = {order->told.filled_nanos, order->told.filled_nanos};
    if (missing || judge_corrected_since(judge, world, view, order->told.id)) {
        range = bookable_range(&world->exchange, order);
        range.low = missing ? 0 : range.low;
        sum->excused = sum->excused || range.high > 0;
    }
    add_signed(sum, order->told.side, range.low, range.high);
}

struct booked_range judge_booked_range(const struct judge *judge, const struct world *world,
                                       const struct oms_view *view,
                                       const struct exchange_position *position) {
    struct booked_range sum = {.low = position->opening_qty_nanos,
                               .high = position->opening_qty_nanos};
    for (size_t i = 0; i < world->exchange.order_count; i++) {
        const struct exchange_order *order = &world->exchange.orders[i];
        if (!order->lost && strcmp(order->told.symbol, position->symbol) == 0)
            add_order(judge, world, view, order, &sum);
    }
    return sum;
}
