/* Booking what the broker executed (5). */
#include "core/booking.h"

#include <stdio.h>
#include <string.h>

bool booking_fits(const struct order *order, const struct broker_fill *fill, char *why) {
    const struct oms_decision *decision = &order->pub.decision;
    const char *rule = fill->qty_nanos <= 0                          ? "qty must be positive"
                       : fill->price_nanos < 0                       ? "price must not be negative"
                       : strcmp(fill->symbol, decision->symbol) != 0 ? "symbol is another one"
                       : fill->side != decision->side                ? "side is the other one"
                       : fill->qty_nanos > decision->qty_nanos - order->pub.filled_nanos
                           ? "more is executed than was ordered"
                           : NULL;
    char id[BROKER_EXECUTION_ID_SIZE];

    if (rule == NULL) {
        return true;
    }
    text_clean(id, sizeof id, fill->execution_id);
    (void)snprintf(why, OMS_REASON_SIZE, "execution %s does not fit its order: %s", id, rule);
    return false;
}

/* An execution older than the newest booked: the position is what all of them make, in their order.
 */
static bool replay_position(struct oms *oms, struct position *position) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    position_reset(position);
    while ((rc = store_next_fill(&oms->store, position->symbol, &fill, &row)) == SQLITE_ROW) {
        if (!position_apply(position, fill.side, fill.qty_nanos, fill.price_nanos)) {
            store_rest(&oms->store, STORE_SYMBOL_FILLS);
            return false;
        }
        position_note(position, &fill);
    }
    return rc == SQLITE_DONE;
}

static bool move_position(struct oms *oms, const struct broker_fill *fill) {
    struct position *position = book_position(&oms->book, fill->symbol);

    if (position == NULL) {
        return false;
    }
    if (!position_is_newer(position, fill)) {
        return replay_position(oms, position) &&
               store_put_position(&oms->store, position) == SQLITE_OK;
    }
    if (!position_apply(position, fill->side, fill->qty_nanos, fill->price_nanos)) {
        return false;
    }
    position_note(position, fill);
    return store_put_position(&oms->store, position) == SQLITE_OK;
}

enum oms_code booking_execution(struct oms *oms, struct order *order,
                                    const struct broker_fill *fill, struct oms_error *error) {
    const struct broker_order *listed = order->listed;
    struct order next = *order;
    enum oms_state target;

    next.pub.filled_nanos += fill->qty_nanos;
    target = listed != NULL
                 ? order_target(&next, listed->status, listed->filled_nanos)
                 : order_target(&next, BROKER_STATUS_PARTIALLY_FILLED, next.pub.filled_nanos);
    if (order_can_move(order->pub.state, target)) {
        order_move(&next, target, listed != NULL ? order_ending(target, listed) : "");
    }
    if (store_put_fill(&oms->store, fill, order->id) != SQLITE_OK || !move_position(oms, fill)) {
        return engine_fail(oms, "book an execution", error);
    }
    return engine_put(oms, order, &next, error);
}
