/* Lines about the broker, as they act on the exchange. */
#include "scenarios/lang/market.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void tell(char told[MARKET_TEXT_SIZE],
                                                       const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(told, MARKET_TEXT_SIZE, format, args);
    va_end(args);
}

bool market_acts(enum scn_statement statement) {
    return statement == SCN_BROKER_ACCEPTS || statement == SCN_BROKER_REJECTS ||
           statement == SCN_BROKER_CANCELS || statement == SCN_BROKER_EXPIRES ||
           statement == SCN_BROKER_LOSES || statement == SCN_BROKER_FILLS ||
           statement == SCN_BROKER_FILLS_SYMBOL || statement == SCN_BROKER_DOWN ||
           statement == SCN_BROKER_BACK || statement == SCN_BROKER_FOREIGN ||
           statement == SCN_BROKER_BURNS_IDS || statement == SCN_BROKER_KEEPS_IDS ||
           statement == SCN_BROKER_SAYS || statement == SCN_BROKER_BUSTS ||
           statement == SCN_BROKER_CORRECTS || statement == SCN_BROKER_CHAINS;
}

static bool stands_for(const struct oms_decision *decision, const struct broker_order *order) {
    return strcmp(decision->symbol, order->symbol) == 0 && decision->side == order->side &&
           decision->qty_nanos == order->qty_nanos && decision->limit_nanos == order->limit_nanos;
}

int market_order_of(const struct scenario *scenario, const struct exchange *exchange,
                    int decision) {
    for (size_t i = exchange->order_count; i-- > 0;) {
        if (!exchange->orders[i].foreign && !exchange->orders[i].lost &&
            stands_for(&scenario->decisions[decision].payload, &exchange->orders[i].told))
            return (int)i;
    }
    return -1;
}

int market_oldest_open(const struct exchange *exchange, const char *symbol) {
    for (size_t i = 0; i < exchange->order_count; i++) {
        if (strcmp(exchange->orders[i].told.symbol, symbol) == 0 &&
            broker_status_is_open(exchange->orders[i].told.status))
            return (int)i;
    }
    return -1;
}

static void refuse_deliveries(struct exchange *exchange, const struct oms_decision *decision,
                              const char *reason) {
    struct broker_request like = {.side = decision->side,
                                  .type = decision->type,
                                  .tif = decision->tif,
                                  .qty_nanos = decision->qty_nanos,
                                  .limit_nanos = decision->limit_nanos};
    memcpy(like.symbol, decision->symbol, sizeof like.symbol);
    exchange_refuse(exchange, &like, reason[0] != '\0' ? reason : "order refused");
}

int64_t market_price(const struct scn_line *line, const struct broker_order *order) {
    return scn_has(&line->args, SCN_SLOT_PRICE) ? line->args.price_nanos : order->limit_nanos;
}

static enum market_end fill_order(struct world *world, const struct scn_line *line, int order,
                                  char told[MARKET_TEXT_SIZE]) {
    const struct broker_order *target = &world->exchange.orders[order].told;
    int64_t price = market_price(line, target);
    char qty[DECIMAL_TEXT_MAX], at[DECIMAL_TEXT_MAX], id[BROKER_ORDER_ID_SIZE];
    memcpy(id, target->id, sizeof id);
    if (!exchange_fill(&world->exchange, (size_t)order, world->now_ns, line->args.qty_nanos, price,
                       line->args.name)) {
        tell(told, "%s cannot be filled by %s: it is %s with %s executed", id,
             decimal_format(line->args.qty_nanos, 0, qty), target->status_text,
             decimal_format(target->filled_nanos, 0, at));
        return MARKET_NOT_FILLED;
    }
    tell(told, "fills %s %s @ %s", id, decimal_format(line->args.qty_nanos, 0, qty),
         decimal_format(price, 2, at));
    return MARKET_DONE;
}

static enum market_end end_order(struct exchange *exchange, int order, enum broker_status status,
                                 char told[MARKET_TEXT_SIZE]) {
    const char *id = exchange->orders[order].told.id;
    if (exchange_end(exchange, (size_t)order, status)) {
        tell(told, "%s is now %s", id, broker_status_name(status));
        return MARKET_DONE;
    }
    tell(told, "%s cannot become %s: it is final already (%s)", id, broker_status_name(status),
         exchange->orders[order].told.status_text);
    return MARKET_FINAL;
}

static enum market_end lose_order(struct exchange *exchange, int order,
                                  char told[MARKET_TEXT_SIZE]) {
    const char *id = exchange->orders[order].told.id;
    if (exchange_lose(exchange, (size_t)order)) {
        tell(told, "has lost %s", id);
        return MARKET_DONE;
    }
    tell(told, "%s cannot be lost: something of it was executed", id);
    return MARKET_FINAL;
}

static enum market_end act_on_order(struct world *world, const struct scn_line *line, int order,
                                    char told[MARKET_TEXT_SIZE]) {
    switch ((int)line->statement) {
    case SCN_BROKER_FILLS:
    case SCN_BROKER_FILLS_SYMBOL:
        return fill_order(world, line, order, told);
    case SCN_BROKER_CANCELS:
        return end_order(&world->exchange, order, BROKER_STATUS_CANCELED, told);
    case SCN_BROKER_EXPIRES:
        return end_order(&world->exchange, order, BROKER_STATUS_EXPIRED, told);
    case SCN_BROKER_REJECTS:
        return end_order(&world->exchange, order, BROKER_STATUS_REJECTED, told);
    case SCN_BROKER_LOSES:
        return lose_order(&world->exchange, order, told);
    default: /* accepts: it has */
        return MARKET_DONE;
    }
}

/* Busts are corrections to nothing: args.qty_nanos is 0 then. */
static enum market_end correct_fill(struct world *world, const struct scn_line *line, char *told) {
    char qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
    if (!exchange_correct(&world->exchange, line->args.name, world->now_ns, line->args.qty_nanos,
                          line->args.price_nanos)) {
        tell(told, "%s cannot be corrected: it was not executed, or its order is for less",
             line->args.name);
        return MARKET_NOT_FILLED;
    }
    if (line->statement == SCN_BROKER_BUSTS)
        tell(told, "busts %s", line->args.name);
    else
        tell(told, "corrects %s to %s @ %s", line->args.name,
             decimal_format(line->args.qty_nanos, 0, qty),
             decimal_format(line->args.price_nanos, 2, price));
    return MARKET_DONE;
}

enum market_end market_act(struct world *world, const struct scenario *scenario,
                           const struct scn_line *line, char told[MARKET_TEXT_SIZE]) {
    const char *symbol =
        scn_has(&line->args, SCN_SLOT_SYMBOL) ? scenario->symbols[line->args.symbol] : "";
    int order = -1;
    told[0] = '\0';
    switch ((int)line->statement) {
    case SCN_BROKER_DOWN:
    case SCN_BROKER_BACK:
        world->broker_down = line->statement == SCN_BROKER_DOWN;
        return MARKET_DONE;
    case SCN_BROKER_BUSTS:
    case SCN_BROKER_CORRECTS:
        return correct_fill(world, line, told);
    case SCN_BROKER_BURNS_IDS:
        world->exchange.habits.burns_refused_ids = true;
        return MARKET_DONE;
    case SCN_BROKER_KEEPS_IDS:
        world->exchange.habits.never_forgets = true;
        return MARKET_DONE;
    case SCN_BROKER_CHAINS:
        world->exchange.habits.chains_corrections = true;
        return MARKET_DONE;
    case SCN_BROKER_SAYS:
        snprintf(world->exchange.habits.not_found, sizeof world->exchange.habits.not_found, "%s",
                 line->args.text);
        return MARKET_DONE;
    case SCN_BROKER_FOREIGN:
        exchange_foreign(&world->exchange, world->now_ns, symbol, line->args.side,
                         line->args.qty_nanos, line->args.price_nanos);
        return MARKET_DONE;
    case SCN_BROKER_FILLS_SYMBOL:
        order = market_oldest_open(&world->exchange, symbol);
        break;
    default:
        order = market_order_of(scenario, &world->exchange, line->args.decision);
        break;
    }
    if (order >= 0)
        return act_on_order(world, line, order, told);
    if (line->statement == SCN_BROKER_REJECTS) {
        refuse_deliveries(&world->exchange, &scenario->decisions[line->args.decision].payload,
                          line->args.text);
        return MARKET_DONE;
    }
    if (line->statement == SCN_BROKER_FILLS_SYMBOL)
        tell(told, "no open order in %s", symbol);
    return MARKET_NO_ORDER;
}

void market_open(const struct scenario *scenario, struct exchange *exchange) {
    for (size_t i = 0; i < scenario->given_count; i++) {
        const struct scn_given *given = &scenario->givens[i];
        if (given->kind == SCN_HEADER_GIVEN_BROKER)
            exchange_open_position(exchange, scenario->symbols[given->args.symbol],
                                   given->args.qty_nanos, given->args.price_nanos);
        else if (given->kind == SCN_HEADER_GIVEN_CASH)
            exchange->cash_nanos = given->args.money_nanos;
    }
}

/* ---- standing fills ---- */

const struct scn_line *market_standing_line(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (scenario->lines[i].statement == SCN_BROKER_FILLS_ALL)
            return &scenario->lines[i];
    }
    return NULL;
}

void market_expect_fill(struct market_fills *fills, const struct scenario *scenario, size_t order,
                        int64_t now_ns) {
    const struct scn_line *line = market_standing_line(scenario);
    if (line == NULL)
        return;
    for (size_t i = 0; i < fills->n; i++) {
        if (fills->v[i].order == order)
            return;
    }
    CHECK_ROOM(fills->v, fills->n, fills->cap, MARKET_FILLS_MAX);
    fills->v[fills->n++] =
        (struct standing_fill){.order = order, .at_ns = now_ns + line->args.duration_ns};
}

int market_next_fill(const struct market_fills *fills) {
    int best = -1;
    for (size_t i = 0; i < fills->n; i++) {
        if (fills->v[i].at_ns != INT64_MAX &&
            (best < 0 || fills->v[i].at_ns < fills->v[best].at_ns))
            best = (int)i;
    }
    return best;
}

const struct scn_line *market_fill(struct market_fills *fills, size_t index, struct world *world,
                                   const struct scenario *scenario, char told[MARKET_TEXT_SIZE]) {
    const struct scn_line *line = market_standing_line(scenario);
    struct standing_fill *fill = &fills->v[index];
    const struct broker_order *order = &world->exchange.orders[fill->order].told;
    CHECK(line != NULL);
    int64_t price = market_price(line, order);
    char id[BROKER_ORDER_ID_SIZE];
    fill->at_ns = INT64_MAX;
    told[0] = '\0';
    memcpy(id, order->id, sizeof id);
    if (broker_status_is_open(order->status) &&
        exchange_fill(&world->exchange, fill->order, world->now_ns,
                      order->qty_nanos - order->filled_nanos, price, ""))
        tell(told, "fills %s", id);
    return line;
}

struct market_fills market_fills_copy(const struct market_fills *fills) {
    return (struct market_fills){
        .v = check_copy(fills->v, fills->n, sizeof *fills->v), .n = fills->n, .cap = fills->n};
}

void market_fills_free(struct market_fills *fills) {
    free(fills->v);
    *fills = (struct market_fills){0};
}
