/* Booking what the broker executed (5), corrected, or has without our knowing why. */
#include "core/booking.h"

#include <stdio.h>
#include <string.h>

/* ---- does it fit? ---- */

static bool misfit(const struct broker_fill *fill, const char *rule, char *why) {
    char id[BROKER_EXECUTION_ID_SIZE];
    text_clean(id, sizeof id, fill->execution_id);
    (void)snprintf(why, OMS_REASON_SIZE, "execution %s does not fit its order: %s", id, rule);
    return false;
}

int booking_corrected(struct oms *oms, const struct broker_fill *correction,
                      struct broker_fill *was) {
    const struct ledger *ledger = &oms->book.corrections;
    const char *root = ledger_root(ledger, correction->refers);
    const struct broker_fill *newest = ledger_newest(ledger, root);
    int64_t order_row;
    const int rc = store_fill_of(&oms->store, root, was, &order_row);

    if (rc == SQLITE_ROW && newest != NULL) {
        was->qty_nanos = newest->qty_nanos;
        was->price_nanos = newest->price_nanos;
    }
    return rc;
}

bool booking_fits(struct oms *oms, const struct order *order, const struct broker_fill *fill,
                  char *why) {
    const struct oms_decision *decision = &order->pub.decision;
    struct broker_fill was = {.qty_nanos = 0};
    const bool corrects = ledger_is_correction(fill);
    const char *rule;

    if (corrects && booking_corrected(oms, fill, &was) != SQLITE_ROW) {
        return misfit(fill, "the execution it corrects is not known", why);
    }
    rule = fill->qty_nanos <= (corrects ? -1 : 0)        ? "qty must be positive"
           : fill->price_nanos < 0                       ? "price must not be negative"
           : strcmp(fill->symbol, decision->symbol) != 0 ? "symbol is another one"
           : fill->side != decision->side                ? "side is the other one"
           : fill->qty_nanos - was.qty_nanos > decision->qty_nanos - order->pub.filled_nanos
               ? "more is executed than was ordered"
               : NULL;
    return rule == NULL || misfit(fill, rule, why);
}

/* ---- positions ---- */

/* An execution older than the newest booked, or a correction: the position is what all of them make,
 * in their order. */
static bool replay_position(struct oms *oms, struct position *position) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    position_reset(position);
    while ((rc = store_next_fill(&oms->store, position->symbol, &fill, &row)) == SQLITE_ROW) {
        if (!ledger_counts(&oms->book.corrections, &fill)) {
            continue;
        }
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
    if (ledger_is_correction(fill) || !position_is_newer(position, fill)) {
        return replay_position(oms, position) &&
               store_put_position(&oms->store, position) == SQLITE_OK;
    }
    if (!position_apply(position, fill->side, fill->qty_nanos, fill->price_nanos)) {
        return false;
    }
    position_note(position, fill);
    return store_put_position(&oms->store, position) == SQLITE_OK;
}

/* ---- executions and corrections ---- */

/* Where the quantity that is booked now, and the broker's word, take the order. */
static void follow_quantity(const struct order *order, struct order *next) {
    const struct broker_order *listed = order->listed;
    const enum oms_state target =
        listed != NULL ? order_target(next, listed->status, listed->filled_nanos)
                       : order_target(next, BROKER_STATUS_PARTIALLY_FILLED, next->pub.filled_nanos);

    if (order->pub.state == OMS_STATE_FILLED && target != OMS_STATE_FILLED &&
        target != OMS_STATE_EXPIRED) {
        order_move(next, OMS_STATE_CANCELED, "the broker took an execution back, or part of it");
    } else if (order_can_move(order->pub.state, target)) {
        order_move(next, target, listed != NULL ? order_ending(target, listed) : "");
    }
}

/* The row of a correction; *change is what it does to the quantity of its order. False: it cannot be
 * written, or no memory. */
static bool put_correction(struct oms *oms, const struct broker_fill *fill, int64_t order_row,
                           int64_t *change) {
    struct ledger *ledger = &oms->book.corrections;
    struct broker_fill was, row = *fill;

    if (booking_corrected(oms, fill, &was) != SQLITE_ROW) {
        return false;
    }
    text_clean(row.refers, sizeof row.refers, ledger_root(ledger, fill->refers));
    if (store_put_fill(&oms->store, &row, order_row) != SQLITE_OK || !ledger_add(ledger, &row)) {
        return false;
    }
    oms->book.meta.corrections++;
    *change = ledger_newest(ledger, row.refers)->qty_nanos - was.qty_nanos;
    return true;
}

enum oms_code booking_execution(struct oms *oms, struct order *order,
                                const struct broker_fill *fill, struct oms_error *error) {
    struct order next = *order;
    int64_t change = fill->qty_nanos;
    const bool put = ledger_is_correction(fill)
                         ? put_correction(oms, fill, order->id, &change)
                         : store_put_fill(&oms->store, fill, order->id) == SQLITE_OK;

    next.pub.filled_nanos += change;
    if (put) {
        follow_quantity(order, &next);
    }
    if (!put || !move_position(oms, fill)) {
        return engine_fail(oms, "book an execution", error);
    }
    return engine_put(oms, order, &next, error);
}

/* ---- adjustments ---- */

enum oms_code booking_adjustment(struct oms *oms, const struct oms_run *run,
                                 const struct broker_position *theirs, struct oms_error *error) {
    struct position *position = book_position(&oms->book, theirs->symbol);
    const int64_t ours = position != NULL ? position->qty : 0;
    struct broker_fill fill = {.side = theirs->qty_nanos > ours ? BROKER_BUY : BROKER_SELL,
                               .price_nanos = theirs->avg_price_nanos,
                               .at_ns = run->at_ns};
    char text[OMS_REASON_SIZE], qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];

    if (position != NULL && theirs->qty_nanos == ours) {
        return OMS_OK;
    }
    fill.qty_nanos = theirs->qty_nanos > ours ? theirs->qty_nanos - ours : ours - theirs->qty_nanos;
    text_clean(fill.symbol, sizeof fill.symbol, theirs->symbol);
    (void)snprintf(fill.execution_id, sizeof fill.execution_id, BOOK_ADJUSTMENT "%lld:%s",
                   (long long)run->id, fill.symbol);
    (void)snprintf(text, sizeof text, "adjusted %s: %s %s at the broker's average price %s",
                   fill.symbol, broker_side_name(fill.side), decimal_format(fill.qty_nanos, 0, qty),
                   decimal_format(fill.price_nanos, 0, price));
    if (position == NULL || store_put_fill(&oms->store, &fill, 0) != SQLITE_OK ||
        store_put_adjustment(&oms->store, run, fill.symbol, fill.execution_id, ours,
                             theirs->qty_nanos, text) != SQLITE_OK ||
        !move_position(oms, &fill)) {
        return engine_fail(oms, "adjust a position", error);
    }
    oms->book.meta.adjustments++;
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL, text);
    return OMS_OK;
}
