/* The exchange of a world behind the wire. */
#include "sim/wire_world.h"

#include "sim/check.h"
#include "sim/wire_message.h"

#include <stdio.h>
#include <string.h>

/* Alpaca's code and status for an order it will not take, whatever the reason in words. */
enum { REFUSED_STATUS = 403, REFUSED_CODE = 40310000 };
enum { BUSY_STATUS = 409, BUSY_CODE = 40910000 };

static enum wire_submit take(void *ctx, const struct broker_request *request,
                             struct broker_order *order, struct wire_refusal *refusal) {
    struct world *world = ctx;
    const enum exchange_verdict verdict = world_submit(world, request);
    switch (verdict) {
    case EXCHANGE_ACCEPTED:
    case EXCHANGE_REPLAYED:
    case EXCHANGE_RESENT:
        *order = exchange_answer(&world->exchange, verdict, world->delivered_index);
        return WIRE_TAKEN;
    case EXCHANGE_BUSY:
        refusal->status = BUSY_STATUS;
        refusal->code = BUSY_CODE;
        snprintf(refusal->message, sizeof refusal->message,
                 "a request with this client_order_id is under way");
        return WIRE_REFUSED;
    case EXCHANGE_DROPPED: /* before it gets here */
        break;
    case EXCHANGE_DUPLICATE:
        return WIRE_DUPLICATE;
    case EXCHANGE_REFUSED:
        refusal->status = REFUSED_STATUS;
        refusal->code = REFUSED_CODE;
        snprintf(refusal->message, sizeof refusal->message, "%s", world->delivered_message);
        return WIRE_REFUSED;
    }
    check_failed(__FILE__, __LINE__, "verdict is a verdict");
}

static bool find(void *ctx, const char *client_order_id, struct broker_order *order) {
    const struct world *world = ctx;
    const struct exchange_order *found =
        exchange_lookup(&world->exchange, world->now_ns, client_order_id);
    if (found != NULL)
        *order = found->told;
    return found != NULL;
}

static void list_orders(void *ctx, struct broker_orders *list) {
    const struct world *world = ctx;
    exchange_tell_orders(&world->exchange, world->now_ns, BROKER_ALL_ORDERS, INT64_MIN, list);
}

static void list_fills(void *ctx, struct broker_fills *list) {
    const struct world *world = ctx;
    exchange_tell_fills(&world->exchange, world->now_ns, INT64_MIN, list);
}

static void list_positions(void *ctx, struct broker_positions *list) {
    const struct world *world = ctx;
    exchange_tell_positions(&world->exchange, world->now_ns, list);
}

static void tell_account(void *ctx, struct broker_account *account) {
    const struct world *world = ctx;
    exchange_tell_account(&world->exchange, account);
}

static enum broker_canceled cancel(void *ctx, const char *order_id) {
    struct world *world = ctx;
    switch (exchange_cancel(&world->exchange, order_id)) {
    case EXCHANGE_CANCELED:
        return BROKER_CANCEL_TAKEN;
    case EXCHANGE_CANCEL_FINAL:
        return BROKER_CANCEL_TOO_LATE;
    case EXCHANGE_CANCEL_UNKNOWN:
        return BROKER_CANCEL_ABSENT;
    }
    check_failed(__FILE__, __LINE__, "verdict is a verdict");
}

static void drop(void *ctx, const struct broker_request *request) {
    struct world *world = ctx;
    exchange_drop(&world->exchange, request);
}

static const char *not_found(void *ctx) {
    const struct world *world = ctx;
    return world->exchange.habits.not_found;
}

static void fly(void *ctx, int64_t due_ns, bool copy, const void *bytes, size_t length) {
    struct world *world = ctx;
    struct flight flight = {.due_ns = due_ns, .is_copy = copy, .length = length};
    CHECK(length <= sizeof flight.bytes);
    memcpy(flight.bytes, bytes, length);
    wire_flight_order(bytes, length, &flight.request);
    flight.is_cancel = wire_flight_cancel(bytes, length, flight.order_id);
    world_send(world, &flight);
}

void wire_world(struct wire_exchange *exchange, struct world *world) {
    *exchange = (struct wire_exchange){.ctx = world,
                                       .submit = take,
                                       .lookup = find,
                                       .orders = list_orders,
                                       .fills = list_fills,
                                       .positions = list_positions,
                                       .account = tell_account,
                                       .cancel = cancel,
                                       .dropped = drop,
                                       .not_found = not_found,
                                       .flight = fly};
}
