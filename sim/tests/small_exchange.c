/* An exchange just large enough to test the wire with. */
#include "sim/tests/small_exchange.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static struct broker_order *find(struct small_exchange *b, const char *client_order_id) {
    for (size_t i = 0; i < b->orders_n; i++)
        if (strcmp(b->orders[i].client_order_id, client_order_id) == 0)
            return &b->orders[i];
    return NULL;
}

static enum wire_submit submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct wire_refusal *refusal) {
    struct small_exchange *b = ctx;
    if (b->refusal.status != 0) {
        *refusal = b->refusal;
        return WIRE_REFUSED;
    }
    if (find(b, request->client_order_id) != NULL)
        return WIRE_DUPLICATE;
    assert(b->orders_n < SMALL_EXCHANGE_MAX);
    struct broker_order *o = &b->orders[b->orders_n++];
    memset(o, 0, sizeof *o);
    snprintf(o->id, sizeof o->id, "order-%02zu", b->orders_n);
    memcpy(o->client_order_id, request->client_order_id, sizeof o->client_order_id);
    memcpy(o->symbol, request->symbol, sizeof o->symbol);
    o->side = request->side;
    o->type = request->type;
    o->tif = request->tif;
    o->qty_nanos = request->qty_nanos;
    o->limit_nanos = request->limit_nanos;
    o->status = BROKER_STATUS_PENDING_NEW;
    snprintf(o->status_text, sizeof o->status_text, "pending_new");
    o->submitted_ns = b->now_ns + (int64_t)b->orders_n * b->step_ns;
    *order = *o;
    return WIRE_TAKEN;
}

static bool lookup(void *ctx, const char *client_order_id, struct broker_order *order) {
    const struct broker_order *found = find(ctx, client_order_id);
    if (found != NULL)
        *order = *found;
    return found != NULL;
}

static void orders(void *ctx, struct broker_orders *list) {
    const struct small_exchange *b = ctx;
    for (size_t i = 0; i < b->orders_n; i++)
        *broker_orders_add(list) = b->orders[i];
}

static void fills(void *ctx, struct broker_fills *list) {
    const struct small_exchange *b = ctx;
    for (size_t i = 0; i < b->fills_n; i++)
        *broker_fills_add(list) = b->fills[i];
}

static void positions(void *ctx, struct broker_positions *list) {
    const struct small_exchange *b = ctx;
    for (size_t i = 0; i < b->positions_n; i++)
        *broker_positions_add(list) = b->positions[i];
}

static void account(void *ctx, struct broker_account *out) {
    (void)ctx;
    snprintf(out->number, sizeof out->number, "PA1");
    out->cash_nanos = 100 * INT64_C(1000000000);
    out->buying_power_nanos = 200 * INT64_C(1000000000);
}

static enum broker_canceled cancel(void *ctx, const char *order_id) {
    struct small_exchange *b = ctx;
    for (size_t i = 0; i < b->orders_n; i++) {
        struct broker_order *o = &b->orders[i];
        if (strcmp(o->id, order_id) != 0)
            continue;
        if (!broker_status_is_open(o->status))
            return BROKER_CANCEL_TOO_LATE;
        o->status = BROKER_STATUS_CANCELED;
        snprintf(o->status_text, sizeof o->status_text, "canceled");
        return BROKER_CANCEL_TAKEN;
    }
    return BROKER_CANCEL_ABSENT;
}

static void flight(void *ctx, int64_t due_ns, bool copy, const void *bytes, size_t length) {
    struct small_exchange *b = ctx;
    b->flight_is_copy = copy;
    assert(length <= SMALL_FLIGHT_SIZE);
    memcpy(b->flight, bytes, length);
    b->flight_n = length;
    b->flight_due_ns = due_ns;
}

void small_exchange(struct small_exchange *small, struct wire_exchange *out) {
    *out = (struct wire_exchange){.ctx = small,
                                  .submit = submit,
                                  .lookup = lookup,
                                  .orders = orders,
                                  .fills = fills,
                                  .positions = positions,
                                  .account = account,
                                  .cancel = cancel,
                                  .flight = flight,
                                  .key_id = "key",
                                  .secret = "secret"};
}
