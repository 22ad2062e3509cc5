/* Following the broker's word on our orders: adoption, and the routine poll of open orders. */
#include "core/booking.h"
#include "core/look.h"

#include <stdio.h>
#include <string.h>

/* ---- what the broker's word makes of an order ---- */

static void tell_unknown_status(struct oms *oms, struct order *next,
                                const struct broker_order *theirs) {
    char text[OMS_REASON_SIZE], word[BROKER_STATUS_SIZE];

    if (theirs->status != BROKER_STATUS_UNKNOWN || next->told_status) {
        return;
    }
    text_clean(word, sizeof word, theirs->status_text);
    (void)snprintf(text, sizeof text, "the broker's status \"%s\" is not known; polling on", word);
    next->told_status = true;
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, next, text);
}

bool follow_adopt(struct oms *oms, const struct order *order, const struct broker_order *theirs,
                  struct order *next) {
    char why[OMS_REASON_SIZE];
    enum oms_state target;

    *next = *order;
    if (!order_matches(order, theirs, oms->config.profile->knows_ids, why)) {
        if (!order->told_odd) {
            next->told_odd = true;
            engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
        }
        if (order->pub.state == OMS_STATE_HELD ||
            !order_can_move(order->pub.state, OMS_STATE_HELD)) {
            return false;
        }
        order_move(next, OMS_STATE_HELD, why);
        return true;
    }
    tell_unknown_status(oms, next, theirs);
    text_clean(next->pub.broker_order_id, sizeof next->pub.broker_order_id, theirs->id);
    if (next->first_send_ns == 0 || theirs->submitted_ns < next->first_send_ns) {
        next->first_send_ns = theirs->submitted_ns;
    }
    target = order_target(next, theirs->status, theirs->filled_nanos);
    if (!order_can_move(order->pub.state, target) || order->pub.state == target) {
        return false; /* nothing new, or an older word than what is booked */
    }
    order_move(next, target, order_ending(target, theirs));
    return true;
}
/* ---- the routine poll ---- */

/* The sum of an order that has ended may be what is booked, and consist of other executions: one was
 * taken back, another made up for it, and nobody asks about them later. */
static bool executions_are_missing(const struct oms *oms) {
    for (size_t i = 0; i < oms->live_count; i++) {
        const struct order *order = oms->live[i];
        const struct broker_order *theirs = order->listed;
        if (order_is_working(order) && theirs != NULL &&
            (theirs->filled_nanos != order->pub.filled_nanos ||
             !broker_status_is_open(theirs->status))) {
            return true;
        }
    }
    return false;
}

/* The first execution of several may end an order, where a later one was taken back: the others are
 * booked all the same. */
static void note_followed(struct oms *oms) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        oms->book.orders[i]->followed = order_is_working(oms->book.orders[i]);
    }
}

/* Books it in a transaction of its own, if it is new and ours. */
static enum oms_code book_new_execution(struct oms *oms, const struct broker_fill *fill,
                                        struct oms_error *error) {
    struct order *order = book_by_broker_id(&oms->book, fill->order_id);
    struct broker_fill was;
    char why[OMS_REASON_SIZE];
    enum oms_code code;
    int rc;

    if (order == NULL || (!order->followed && !ledger_is_correction(fill))) {
        return OMS_OK;
    }
    rc = store_is_booked(&oms->store, fill->execution_id);
    if (rc != SQLITE_DONE) {
        return rc == SQLITE_ROW ? OMS_OK : engine_fail(oms, "look for an execution", error);
    }
    if (ledger_is_correction(fill) && booking_corrected(oms, fill, &was) == SQLITE_DONE) {
        oms->compare_asked = oms->compare_asked || !order->told_odd;
        order->told_odd = true; /* what it corrects is older than a poll looks */
        return OMS_OK;
    }
    if (!ledger_is_correction(fill) && book_is_past(&oms->book, fill)) {
        oms->compare_asked = true; /* it takes back what comes after it */
        return OMS_OK;
    }
    if (!booking_fits(oms, order, fill, why)) {
        if (order->told_odd) {
            return OMS_OK;
        }
        order->told_odd = true;
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
        return engine_trip(oms, true, "booking", why, error);
    }
    engine_tell(oms, OMS_EVENT_FILL, OMS_BEFORE, order, fill->execution_id);
    code = engine_begin(oms, error);
    if (code == OMS_OK) {
        code = booking_execution(oms, order, fill, error);
    }
    if (code == OMS_OK) {
        code = engine_commit(oms, error);
    }
    if (code == OMS_OK) {
        engine_tell(oms, OMS_EVENT_FILL, OMS_AFTER, order, fill->execution_id);
    }
    return code;
}

/* Ends and other moves that need no execution. The list of live orders changes under way. */
static enum oms_code follow_listed(struct oms *oms, struct oms_error *error) {
    size_t i = 0;
    while (i < oms->live_count) {
        struct order *order = oms->live[i], next;
        if (order_is_working(order) && order->listed != NULL) {
            if (follow_adopt(oms, order, order->listed, &next)) {
                const enum oms_code code = engine_record(oms, order, &next, error);
                if (code != OMS_OK) {
                    return code;
                }
            } else {
                *order = next; /* what was told is remembered */
            }
        }
        i += i < oms->live_count && oms->live[i] == order;
    }
    return OMS_OK;
}

enum oms_code follow_poll(struct oms *oms, struct order *order, struct oms_error *error) {
    const int64_t since = look_since(oms, engine_now(oms));
    struct picture picture = {0};
    enum oms_code code = OMS_OK;
    bool whole = look_at_orders(oms, since, false, &picture);

    (void)order;
    note_followed(oms);
    if (whole && executions_are_missing(oms)) {
        whole = look_at_executions(oms, since, &picture);
    }
    for (size_t i = 0; whole && code == OMS_OK && i < picture.fills.n; i++) {
        code = book_new_execution(oms, &picture.fills.v[i], error);
    }
    if (whole && code == OMS_OK) {
        code = follow_listed(oms, error);
    }
    oms->poll_ns = engine_now(oms) + oms->config.poll_ns;
    look_forget(oms);
    look_free(&picture);
    return code;
}
