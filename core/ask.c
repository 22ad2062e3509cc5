/* Questions to the broker, and what goes on while one waits for its answer.
 *
 * A question may take as long as the client time-out, page for page. Orders do not wait for that:
 * the broker's door calls oms_meanwhile from its waiting, which lets them leave and puts their
 * answers on record. What it must not disturb is whoever asked: between the question and its answer
 * orders may be added, become live, or end; none is freed, and executions are booked by nobody else.
 */
#include "core/engine.h"

/* Begins and ends the wait around a question. */
static void ask(struct oms *oms) {
    oms->asking = oms->broker.collect != NULL;
}

/* False: everything was stopped meanwhile. */
static bool answered(struct oms *oms, const struct broker_reason *why) {
    oms->asking = false;
    engine_heard(oms, why);
    return !oms->halted;
}

enum broker_found ask_lookup(struct oms *oms, const char *client_order_id,
                             struct broker_order *order, struct broker_reason *why) {
    enum broker_found found;

    ask(oms);
    found = oms->broker.lookup(oms->broker.ctx, client_order_id, order, why);
    return answered(oms, why) ? found : BROKER_INCONCLUSIVE;
}

bool ask_orders(struct oms *oms, int64_t since_ns, struct broker_orders *list,
                struct broker_reason *why) {
    bool whole;

    ask(oms);
    whole = oms->broker.orders(oms->broker.ctx, BROKER_ALL_ORDERS, since_ns, list, why);
    return answered(oms, why) && whole;
}

bool ask_fills(struct oms *oms, int64_t since_ns, struct broker_fills *list,
               struct broker_reason *why) {
    bool whole;

    ask(oms);
    whole = oms->broker.fills(oms->broker.ctx, since_ns, list, why);
    return answered(oms, why) && whole;
}

bool ask_positions(struct oms *oms, struct broker_positions *list, struct broker_reason *why) {
    bool whole;

    ask(oms);
    whole = oms->broker.positions(oms->broker.ctx, list, why);
    return answered(oms, why) && whole;
}

enum broker_canceled ask_cancel(struct oms *oms, const char *order_id, struct broker_reason *why) {
    enum broker_canceled canceled;

    ask(oms);
    canceled = oms->broker.cancel(oms->broker.ctx, order_id, why);
    return answered(oms, why) ? canceled : BROKER_CANCEL_IN_DOUBT;
}

/* ---- meanwhile ---- */

static struct order *first_due(const struct oms *oms, int64_t now_ns) {
    for (size_t i = 0; !oms->still && i < oms->live_count; i++) {
        if (send_is_due(oms, oms->live[i], now_ns)) {
            return oms->live[i];
        }
    }
    return NULL;
}

/* One piece of work that waits for nobody. False: there is none. */
static bool one_piece(struct oms *oms, enum oms_code *code, struct oms_error *error) {
    if (oms->outcome.order != NULL) {
        *code = send_record(oms, oms->outcome.order, error);
        return true;
    }
    if (oms->under_way_count == 0 || oms->collect_ns > engine_now(oms)) {
        return false;
    }
    *code = send_collect(oms, NULL, error);
    return oms->outcome.order != NULL;
}

/* A reservation that is too old is renewed first. */
static enum oms_code let_one_leave(struct oms *oms, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    bool left = false;

    while (code == OMS_OK && !left) {
        struct order *order = first_due(oms, engine_now(oms));
        if (order == NULL || oms->clock_went_back) { /* that goes on record first, not here */
            break;
        }
        code = send_order(oms, order, error);
        left = !order->fresh;
    }
    return code;
}

enum oms_code oms_meanwhile(struct oms *oms, struct oms_error *error) {
    enum oms_code code = OMS_OK;

    if (!oms->asking || oms->halted) {
        return OMS_OK;
    }
    oms->asking = false;
    while (code == OMS_OK && one_piece(oms, &code, error)) {
    }
    if (code == OMS_OK) {
        code = let_one_leave(oms, error);
    }
    oms->asking = true;
    return code;
}
