/* I4: orders, positions, cost and profit of the OMS against the exchange's books, once quiet. */
#include "sim/judge_rules.h"

#include <string.h>

/* ---- orders ---- */

/* Whether something of an order was executed, also when it was taken back since. */
static bool was_executed(const struct exchange *exchange, const struct broker_order *order) {
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].order_id, order->id) == 0)
            return true;
    }
    return false;
}

/* Which broker statuses an OMS state may stand for. */
static bool states_agree(const struct world *world, enum oms_state state,
                         const struct broker_order *order) {
    switch (state) {
    case OMS_STATE_INTENT:
    case OMS_STATE_IN_DOUBT:
    case OMS_STATE_HELD:
        return false;
    case OMS_STATE_WORKING:
        return broker_status_is_open(order->status) && order->filled_nanos == 0;
    case OMS_STATE_PARTIALLY_FILLED:
        return broker_status_is_open(order->status) && order->filled_nanos > 0;
    case OMS_STATE_FILLED:
        /* What was executed as a whole is filled, also when corrections made it so after its end. */
        return order->status == BROKER_STATUS_FILLED ||
               (!broker_status_is_open(order->status) && order->filled_nanos == order->qty_nanos);
    case OMS_STATE_CANCELED:
        /* What was executed in part did live: a rejection after that is an end, not a refusal. */
        return order->status == BROKER_STATUS_CANCELED ||
               (order->status == BROKER_STATUS_REJECTED && was_executed(&world->exchange, order));
    case OMS_STATE_REJECTED:
        return order->status == BROKER_STATUS_REJECTED;
    case OMS_STATE_EXPIRED:
        return order->status == BROKER_STATUS_EXPIRED;
    }
    return false;
}

void judge_order_agrees(struct judge *judge, const struct world *world, const struct oms_view *view,
                        size_t decision) {
    const struct judged *judged = &judge->decisions[decision];
    const struct oms_order *order = view_order(view, judged->decision.id);
    const struct exchange_order *theirs = judge_order_of(judge, world, decision);
    if (theirs == NULL || judge_cannot_know(judge, world, view, decision, order, theirs))
        return;
    if (order == NULL)
        judge_broke(judge, 4, world, "the broker has %s for %s, the OMS has nothing",
                    theirs->told.id, judged->name);
    else if (!states_agree(world, order->state, &theirs->told))
        judge_broke(judge, 4, world, "%s is %s for the OMS and %s at the broker (%s)", judged->name,
                    oms_state_name(order->state), theirs->told.status_text, theirs->told.id);
    else if (order->filled_nanos != theirs->told.filled_nanos)
        judge_broke(judge, 4, world,
                    "%s: the OMS booked another executed quantity than the broker (%s)",
                    judged->name, theirs->told.id);
}

/* ---- cost and profit ---- */

/* How well the broker tells what a symbol cost. */
enum told {
    TOLD_EXACTLY,
    TOLD_ROUNDED,   /* as exactly as an average price, or the shares of parts, are */
    TOLD_UNORDERED, /* not in which order both sides were traded: what is cost and what is profit is
                       anybody's, but not what they come to together */
};

/* Executions of one symbol at one moment, of which nobody can say which was first. */
struct moment_traded {
    int64_t at_ns;
    int64_t before; /* the position */
    int64_t traded[2];
};

static enum told told_of(const struct moment_traded *moment, unsigned executions) {
    int64_t after = moment->before + moment->traded[BROKER_BUY] - moment->traded[BROKER_SELL];
    bool crosses = (moment->before < 0 && after > 0) || (moment->before > 0 && after < 0);
    if (executions < 2)
        return TOLD_EXACTLY;
    return crosses || (moment->traded[BROKER_BUY] > 0 && moment->traded[BROKER_SELL] > 0)
               ? TOLD_UNORDERED
               : TOLD_ROUNDED;
}

static enum told worse(enum told a, enum told b) {
    return a > b ? a : b;
}

/* Where executions are told one by one, they stand in the order of their times. */
static enum told told_one_by_one(const struct exchange *exchange,
                                 const struct exchange_position *position) {
    struct moment_traded moment = {.at_ns = INT64_MIN, .before = position->opening_qty_nanos};
    enum told told = TOLD_EXACTLY;
    unsigned executions = 0;
    for (size_t i = 0; i < exchange->fill_count; i++) {
        const struct broker_fill fill = exchange_execution(exchange, i);
        if (fill.refers[0] != '\0' || strcmp(fill.symbol, position->symbol) != 0)
            continue;
        if (fill.at_ns != moment.at_ns) {
            moment.before += moment.traded[BROKER_BUY] - moment.traded[BROKER_SELL];
            moment.at_ns = fill.at_ns;
            moment.traded[BROKER_BUY] = moment.traded[BROKER_SELL] = 0;
            executions = 0;
        }
        moment.traded[fill.side] += fill.qty_nanos;
        executions++;
        told = worse(told, told_of(&moment, executions));
    }
    return told;
}

/* Where only sums are told: in which order both sides were traded, or at which price each part closed
 * a position from before, is not. */
static enum told told_in_sums(const struct exchange *exchange,
                              const struct exchange_position *position) {
    bool traded[2] = {position->opening_qty_nanos > 0, position->opening_qty_nanos < 0};
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].symbol, position->symbol) == 0)
            traded[exchange->fills[i].side] = true;
    }
    return traded[BROKER_BUY] && traded[BROKER_SELL] ? TOLD_UNORDERED : TOLD_ROUNDED;
}

/* Rounded once by the broker and once in booking: half a nano each for every unit executed. */
static decimal_wide rounding(const struct exchange *exchange, const char *symbol) {
    decimal_wide sum = 0;
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].symbol, symbol) == 0)
            sum += exchange->fills[i].qty_nanos;
    }
    return sum;
}

static bool is_near(decimal_wide a, decimal_wide b, decimal_wide slack) {
    return (a < b ? b - a : a - b) <= slack;
}

/* What the OMS and the broker make of one symbol. */
struct money {
    decimal_wide cost, realized;
};

static void tell_apart(struct judge *judge, const struct world *world, const char *what,
                       const char *symbol, decimal_wide ours, decimal_wide theirs) {
    char our_text[DECIMAL_TEXT_MAX], their_text[DECIMAL_TEXT_MAX];
    judge_broke(judge, 4, world, "%s of %s is %s for the OMS and %s at the broker", what, symbol,
                decimal_format_wide(ours, 0, our_text), decimal_format_wide(theirs, 0, their_text));
}

static void compare_money(struct judge *judge, const struct world *world, const char *symbol,
                          enum told told, const struct money *ours, const struct money *theirs) {
    bool exact = told != TOLD_ROUNDED && world->exchange.profile->tells_executions;
    decimal_wide slack = exact ? 0 : rounding(&world->exchange, symbol);
    bool profits = judge->sut->tells_profit;
    if (told == TOLD_UNORDERED) {
        if (profits &&
            !is_near(ours->cost - ours->realized, theirs->cost - theirs->realized, slack))
            tell_apart(judge, world, "cost basis less realized profit", symbol,
                       ours->cost - ours->realized, theirs->cost - theirs->realized);
    } else if (!is_near(ours->cost, theirs->cost, slack)) {
        tell_apart(judge, world, "cost basis", symbol, ours->cost, theirs->cost);
    } else if (profits && !is_near(ours->realized, theirs->realized, slack)) {
        tell_apart(judge, world, "realized profit", symbol, ours->realized, theirs->realized);
    }
}

static const struct oms_profit *view_profit(const struct oms_view *view, const char *symbol) {
    for (size_t i = 0; i < view->profit_count; i++) {
        if (strcmp(view->profits[i].symbol, symbol) == 0)
            return &view->profits[i];
    }
    return NULL;
}

/* What a comparison adjusted is the broker's in quantity only. */
static void money_agrees(struct judge *judge, const struct world *world,
                         const struct oms_view *view, const struct exchange_position *position) {
    const struct oms_position *own = view_position(view, position->symbol);
    const struct oms_profit *profit = view_profit(view, position->symbol);
    struct money ours = {own == NULL ? 0 : own->cost, profit == NULL ? 0 : profit->realized};
    struct money theirs = {position->cost, position->realized};
    if (profit == NULL || !profit->adjusted)
        compare_money(judge, world, position->symbol,
                      world->exchange.profile->tells_executions
                          ? told_one_by_one(&world->exchange, position)
                          : told_in_sums(&world->exchange, position),
                      &ours, &theirs);
}

/* ---- positions ---- */

/* Whether the two sides were given different positions to begin with. */
static bool is_disputed(const struct judge *judge, const char *symbol) {
    for (size_t i = 0; i < judge->disputed_count; i++) {
        if (strcmp(judge->disputed[i], symbol) == 0)
            return true;
    }
    return false;
}

static void position_agrees(struct judge *judge, const struct world *world,
                            const struct oms_view *view, const struct exchange_position *position) {
    const struct oms_position *own = view_position(view, position->symbol);
    const struct booked_range range = judge_booked_range(judge, world, view, position);
    int64_t qty = own == NULL ? 0 : own->qty_nanos;
    char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    if (qty < range.low || qty > range.high)
        judge_broke(judge, 4, world, "position %s is %s for the OMS and %s at the broker",
                    position->symbol, decimal_format(qty, 0, ours),
                    decimal_format(position->qty_nanos, 0, theirs));
    else if (!range.excused)
        money_agrees(judge, world, view, position);
}

void judge_positions_agree(struct judge *judge, const struct world *world,
                           const struct oms_view *view) {
    for (size_t i = 0; i < world->exchange.position_count; i++) {
        const struct exchange_position *position = &world->exchange.positions[i];
        if (!is_disputed(judge, position->symbol))
            position_agrees(judge, world, view, position);
    }
    for (size_t i = 0; i < view->position_count; i++) {
        if (view->positions[i].qty_nanos != 0 && !is_disputed(judge, view->positions[i].symbol) &&
            exchange_position(&world->exchange, view->positions[i].symbol) == NULL)
            judge_broke(judge, 4, world, "the OMS has a position in %s, the broker has none",
                        view->positions[i].symbol);
    }
}
