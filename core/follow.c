/* Looking at the broker: the routine poll of open orders, and the comparison (6).
 *
 * Each look reads orders, then executions, then (for a comparison) positions. A list that did not
 * come whole ends the look with nothing changed: no answer is never "nothing there". */
#include "core/engine.h"

#include "core/check.h"
#include "core/client_id.h"
#include "core/reconcile.h"
#include "core/threshold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the broker shows at one moment. */
struct picture {
    struct broker_orders orders;
    struct broker_fills fills;
    struct broker_positions positions;
};

static void picture_free(struct picture *picture) {
    broker_orders_free(&picture->orders);
    broker_fills_free(&picture->fills);
    broker_positions_free(&picture->positions);
}

/* ---- what the broker's word makes of an order ---- */

static const char *ending(enum oms_state state, const struct broker_order *theirs) {
    switch (state) {
    case OMS_STATE_CANCELED:
        return theirs->status == BROKER_STATUS_REPLACED   ? "replaced at the broker"
               : theirs->status == BROKER_STATUS_REJECTED ? "ended by the broker after executions"
                                                          : "canceled at the broker";
    case OMS_STATE_EXPIRED:
        return "expired at the broker";
    case OMS_STATE_REJECTED:
        return "rejected by the broker after it had taken it";
    case OMS_STATE_INTENT:
    case OMS_STATE_IN_DOUBT:
    case OMS_STATE_WORKING:
    case OMS_STATE_PARTIALLY_FILLED:
    case OMS_STATE_FILLED:
    case OMS_STATE_HELD:
        break;
    }
    return "";
}

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
    order_move(next, target, ending(target, theirs));
    return true;
}

/* ---- booking an execution (5) ---- */

/* Does it fit the order it names? */
static bool execution_fits(const struct order *order, const struct broker_fill *fill, char *why) {
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

/* Books one execution inside a transaction: execution, position and order move together. */
static enum oms_code book_execution(struct oms *oms, struct order *order,
                                    const struct broker_fill *fill, struct oms_error *error) {
    const struct broker_order *listed = order->listed;
    struct order next = *order;
    enum oms_state target;

    next.pub.filled_nanos += fill->qty_nanos;
    target = listed != NULL
                 ? order_target(&next, listed->status, listed->filled_nanos)
                 : order_target(&next, BROKER_STATUS_PARTIALLY_FILLED, next.pub.filled_nanos);
    if (order_can_move(order->pub.state, target)) {
        order_move(&next, target, listed != NULL ? ending(target, listed) : "");
    }
    if (store_put_fill(&oms->store, fill, order->id) != SQLITE_OK || !move_position(oms, fill)) {
        return engine_fail(oms, "book an execution", error);
    }
    return engine_put(oms, order, &next, error);
}

/* Text from the broker is bounded and printable before it is kept. */
static void clean_fills(struct broker_fills *fills) {
    for (size_t i = 0; i < fills->n; i++) {
        struct broker_fill *fill = &fills->v[i];
        text_clean(fill->execution_id, sizeof fill->execution_id, fill->execution_id);
        text_clean(fill->order_id, sizeof fill->order_id, fill->order_id);
        text_clean(fill->symbol, sizeof fill->symbol, fill->symbol);
    }
}

static void clean_orders(struct broker_orders *orders) {
    for (size_t i = 0; i < orders->n; i++) {
        struct broker_order *order = &orders->v[i];
        text_clean(order->id, sizeof order->id, order->id);
        text_clean(order->client_order_id, sizeof order->client_order_id, order->client_order_id);
        text_clean(order->symbol, sizeof order->symbol, order->symbol);
    }
}

/* ---- looking ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Everything of ours that can still change happened after this. */
static int64_t look_since(const struct oms *oms, int64_t newest_ns) {
    int64_t since = newest_ns;
    for (size_t i = 0; i < oms->live_count; i++) {
        const struct order *order = oms->live[i];
        since = earlier(since, order->pub.created_ns);
        if (order->first_send_ns > 0) { /* one adopted from a lost record is older than its row */
            since = earlier(since, order->first_send_ns);
        }
    }
    return since - THRESHOLD_LOOK_BACK_NS;
}

/* May a query still miss it because it is fresh? */
static bool may_be_missed(const struct oms *oms, const struct order *order) {
    return oms->mark_ns < order->first_send_ns + oms->config.profile->query_lag_ns;
}

/* An order of ours that the list lacks is asked for by itself, where that can be done. False: no
 * whole answer. */
static bool look_up_missing(struct oms *oms, struct order *order, struct picture *picture) {
    struct broker_order theirs = {.id = ""}, *row;
    struct broker_reason why = {0};
    enum broker_found found = BROKER_ABSENT;

    if (oms->config.profile->knows_ids) {
        found = oms->broker.lookup(oms->broker.ctx, order->pub.client_order_id, &theirs, &why);
        engine_heard(oms, &why);
    }
    switch (found) {
    case BROKER_FOUND:
        row = broker_orders_add(&picture->orders);
        if (row != NULL) {
            *row = theirs;
        }
        return row != NULL;
    case BROKER_ABSENT:
        if (order_is_working(order) && !order->told_missing && !may_be_missed(oms, order)) {
            order->told_missing = true;
            engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order,
                        "the broker does not know an order it had taken; nothing is sent again");
        }
        return true;
    case BROKER_INCONCLUSIVE:
        break;
    }
    return false;
}

static void forget_listed(struct oms *oms) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        oms->book.orders[i]->listed = NULL;
    }
}

/* Our order behind one of the broker's: known by its id, or by its client id. */
static struct order *order_behind(const struct oms *oms, const struct broker_order *listed) {
    return oms->config.profile->knows_ids ? book_by_client_id(&oms->book, listed->client_order_id)
                                          : book_by_broker_id(&oms->book, listed->id);
}

/* Of several orders of the broker's under one client id, ours is the one whose broker id we know,
 * and while we know none, the oldest: what a proxy delivers twice comes second. */
static void note_listed(struct oms *oms, const struct picture *picture) {
    forget_listed(oms);
    for (size_t i = 0; i < picture->orders.n; i++) {
        const struct broker_order *listed = &picture->orders.v[i];
        struct order *order = order_behind(oms, listed);
        if (order != NULL && (order->pub.broker_order_id[0] != '\0'
                                  ? strcmp(order->pub.broker_order_id, listed->id) == 0
                                  : order->listed == NULL)) {
            order->listed = listed;
        }
    }
}

/* A second order under an id of ours that is not ours is told once a life, and the next comparison
 * (which lists it as an orphan) is made at once. */
static void tell_second_orders(struct oms *oms, const struct picture *picture) {
    for (size_t i = 0; i < picture->orders.n; i++) {
        const struct broker_order *listed = &picture->orders.v[i];
        struct order *order = order_behind(oms, listed);
        if (order == NULL || order->listed == listed || order->told_second ||
            (order->listed != NULL && strcmp(order->listed->id, listed->id) == 0)) {
            continue;
        }
        order->told_second = true;
        oms->compare_asked = true;
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order,
                    "the broker has a second order under this client order id");
    }
}

/* All orders since then, and those of ours that should be there besides: working ones, and held
 * ones when `held`. `listed` is set on every order of ours. */
static bool look_at_orders(struct oms *oms, int64_t since_ns, bool held, struct picture *picture) {
    struct broker_reason why = {0};

    const bool whole =
        oms->broker.orders(oms->broker.ctx, BROKER_ALL_ORDERS, since_ns, &picture->orders, &why);

    engine_heard(oms, &why);
    if (!whole) {
        return false;
    }
    clean_orders(&picture->orders);
    note_listed(oms, picture);
    for (size_t i = 0; i < oms->live_count; i++) {
        if (order_is_working(oms->live[i]) && oms->live[i]->listed == NULL &&
            !look_up_missing(oms, oms->live[i], picture)) {
            return false;
        }
    }
    for (size_t i = 0; held && i < oms->book.order_count; i++) {
        struct order *order = oms->book.orders[i];
        if (order->pub.state == OMS_STATE_HELD && order->listed == NULL &&
            !look_up_missing(oms, order, picture)) {
            return false;
        }
    }
    clean_orders(&picture->orders);
    note_listed(oms, picture);
    tell_second_orders(oms, picture);
    return true;
}

/* ---- executions ---- */

/* What is booked of an order so far: the sum of quantity x price. False: cannot be read. */
static bool booked_cost(struct oms *oms, const struct order *order, decimal_wide *cost) {
    struct broker_fill fill;
    int64_t row;
    int rc;

    *cost = 0;
    while ((rc = store_next_fill(&oms->store, order->pub.decision.symbol, &fill, &row)) ==
           SQLITE_ROW) {
        *cost += row == order->id ? (decimal_wide)fill.qty_nanos * fill.price_nanos : 0;
    }
    return rc == SQLITE_DONE;
}

/* Where executions are not listed, what an order tells more of than is booked is one: its id is the
 * order's with the quantity reached, so that it is the same one whoever finds it, and its price is
 * the one that makes the average right. */
static bool add_execution(struct oms *oms, const struct order *order, struct broker_fills *fills) {
    const struct broker_order *listed = order->listed;
    const int64_t qty = listed->filled_nanos - order->pub.filled_nanos;
    char reached[DECIMAL_TEXT_MAX];
    struct broker_fill *fill;
    decimal_wide cost;

    if (qty <= 0) {
        return true;
    }
    fill = broker_fills_add(fills);
    if (fill == NULL || !booked_cost(oms, order, &cost)) {
        return false;
    }
    cost = (decimal_wide)listed->filled_avg_nanos * listed->filled_nanos - cost;
    *fill = (struct broker_fill){.side = order->pub.decision.side,
                                 .qty_nanos = qty,
                                 .price_nanos = (int64_t)decimal_divide_rounded(cost, qty),
                                 .at_ns = oms->mark_ns};
    (void)snprintf(fill->execution_id, sizeof fill->execution_id, "%s#%s", listed->id,
                   decimal_format(listed->filled_nanos, 0, reached));
    text_clean(fill->order_id, sizeof fill->order_id, listed->id);
    text_clean(fill->symbol, sizeof fill->symbol, listed->symbol);
    return true;
}

/* The executions since then, as the broker lists them or as its orders imply them. False: not a
 * whole answer. */
static bool look_at_executions(struct oms *oms, int64_t since_ns, struct picture *picture) {
    struct broker_reason why = {0};
    bool whole = true;

    for (size_t i = 0; !oms->config.profile->tells_executions && i < oms->book.order_count; i++) {
        const struct order *order = oms->book.orders[i];
        whole = whole && (order->listed == NULL || add_execution(oms, order, &picture->fills));
    }
    if (oms->config.profile->tells_executions) {
        whole = oms->broker.fills(oms->broker.ctx, since_ns, &picture->fills, &why);
        engine_heard(oms, &why);
        clean_fills(&picture->fills);
    }
    return whole;
}

/* ---- the routine poll ---- */

static bool executions_are_missing(const struct oms *oms) {
    for (size_t i = 0; i < oms->live_count; i++) {
        const struct order *order = oms->live[i];
        if (order_is_working(order) && order->listed != NULL &&
            order->listed->filled_nanos != order->pub.filled_nanos) {
            return true;
        }
    }
    return false;
}

/* Books it in a transaction of its own, if it is new and ours. */
static enum oms_code book_new_execution(struct oms *oms, const struct broker_fill *fill,
                                        struct oms_error *error) {
    struct order *order = book_by_broker_id(&oms->book, fill->order_id);
    char why[OMS_REASON_SIZE];
    enum oms_code code;
    int rc;

    if (order == NULL || !order_is_working(order)) {
        return OMS_OK;
    }
    rc = store_is_booked(&oms->store, fill->execution_id);
    if (rc != SQLITE_DONE) {
        return rc == SQLITE_ROW ? OMS_OK : engine_fail(oms, "look for an execution", error);
    }
    if (!execution_fits(order, fill, why)) {
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
        code = book_execution(oms, order, fill, error);
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
    forget_listed(oms);
    picture_free(&picture);
    return code;
}

/* ---- the comparison ---- */

/* Something told before the commit and to be told again after it. */
struct notice {
    enum oms_event_kind kind;
    struct order *order;
    const char *text;
};

struct comparison {
    struct picture picture;
    bool *booked; /* for each execution of the picture */
    struct reconcile_found found;
    struct oms_run run;
    struct notice *notices;
    size_t notice_count;
};

static void comparison_free(struct comparison *comparison) {
    picture_free(&comparison->picture);
    reconcile_free(&comparison->found);
    free(comparison->booked);
    free(comparison->notices);
}

static void announce(struct oms *oms, struct comparison *comparison, enum oms_event_kind kind,
                     struct order *order, const char *text) {
    engine_tell(oms, kind, OMS_BEFORE, order, text);
    comparison->notices[comparison->notice_count++] = (struct notice){kind, order, text};
}

/* An order that was waiting or in doubt is found; at most two notices. */
static void announce_found(struct oms *oms, struct comparison *comparison, struct order *order,
                           enum oms_state next) {
    announce(oms, comparison, OMS_EVENT_RECORD, order, "found at the broker");
    if (next == OMS_STATE_REJECTED) {
        announce(oms, comparison, OMS_EVENT_REJECT, order, "refused");
    } else if (next == OMS_STATE_HELD) { /* told after only */
        comparison->notices[comparison->notice_count++] =
            (struct notice){OMS_EVENT_HOLD, order, "the broker's order differs"};
    }
}

/* The oldest moment whose executions matter: orders found besides the list may be older than it. */
static int64_t fills_since(const struct oms *oms, int64_t since_ns) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        const struct order *order = oms->book.orders[i];
        if (order->listed != NULL && order->listed->filled_nanos != order->pub.filled_nanos) {
            since_ns =
                earlier(since_ns, earlier(order->pub.created_ns, order->listed->submitted_ns) -
                                      THRESHOLD_LOOK_BACK_NS);
        }
    }
    return since_ns;
}

static bool look_at_all(struct oms *oms, struct picture *picture) {
    const struct store_meta *meta = &oms->book.meta;
    const size_t count = oms->book.order_count;
    const int64_t last_order_ns =
        count > 0 ? oms->book.orders[count - 1]->pub.created_ns : meta->created_ns;
    const int64_t newest = last_order_ns > meta->last_run_ns ? last_order_ns : meta->last_run_ns;
    /* a lost tail of the database is younger than its newest row */
    const int64_t since = look_since(oms, earlier(newest, engine_now(oms)));
    struct broker_reason why = {0};
    bool whole = look_at_orders(oms, since, true, picture);

    if (whole) {
        whole = look_at_executions(oms, fills_since(oms, since), picture);
    }
    if (whole) {
        whole = oms->broker.positions(oms->broker.ctx, &picture->positions, &why);
        engine_heard(oms, &why);
    }
    return whole;
}

static enum oms_code note_booked(struct oms *oms, struct comparison *comparison,
                                 struct oms_error *error) {
    for (size_t i = 0; i < comparison->picture.fills.n; i++) {
        const int rc = store_is_booked(&oms->store, comparison->picture.fills.v[i].execution_id);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            return engine_fail(oms, "look for an execution", error);
        }
        comparison->booked[i] = rc == SQLITE_ROW;
    }
    return OMS_OK;
}

static bool compare(struct oms *oms, struct comparison *comparison) {
    const struct book *book = &oms->book;
    struct reconcile_order *orders = calloc(book->order_count + 1, sizeof *orders);
    const struct reconcile_oms ours = {.orders = orders,
                                       .order_count = book->order_count,
                                       .positions = book->positions,
                                       .position_count = book->position_count,
                                       .since_ns = book->meta.created_ns};
    const struct reconcile_broker theirs = {.orders = &comparison->picture.orders,
                                            .fills = &comparison->picture.fills,
                                            .booked = comparison->booked,
                                            .positions = &comparison->picture.positions};
    bool ok = orders != NULL;

    for (size_t i = 0; ok && i < book->order_count; i++) {
        const struct oms_order *pub = &book->orders[i]->pub;
        orders[i] = (struct reconcile_order){.client_order_id = pub->client_order_id,
                                             .broker_order_id = pub->broker_order_id,
                                             .ended = oms_state_is_final(pub->state) &&
                                                      pub->state != OMS_STATE_HELD};
    }
    ok = ok &&
         reconcile_compare(&ours, &theirs, oms->config.price_tolerance_ppm, &comparison->found);
    free(orders);
    return ok;
}

static enum oms_code store_findings(struct oms *oms, const struct comparison *comparison,
                                    struct oms_error *error) {
    bool ok = store_put_run(&oms->store, &comparison->run) == SQLITE_OK;
    for (size_t i = 0; ok && i < comparison->found.n; i++) {
        ok = store_put_discrepancy(&oms->store, &comparison->run, &comparison->found.v[i]) ==
             SQLITE_OK;
    }
    return ok ? OMS_OK : engine_fail(oms, "write a comparison", error);
}

/* An order that ended here without ever being at the broker, and is there after all: it came later
 * than the profile allows, or a refusal was none. Its executions are booked; a person must look. */
static enum oms_code note_risen(struct oms *oms, struct order *order, struct oms_error *error) {
    static const char why[] = "an order that had ended unsent, refused or absent is at the broker";
    const struct broker_order *listed = order->listed;
    struct order next = *order;
    enum oms_code code;

    if (!oms_state_is_final(order->pub.state) || order->pub.state == OMS_STATE_HELD ||
        order->pub.broker_order_id[0] != '\0' ||
        (listed->filled_nanos == 0 && !broker_status_is_open(listed->status))) {
        return OMS_OK;
    }
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
    text_clean(next.pub.broker_order_id, sizeof next.pub.broker_order_id, listed->id);
    code = engine_put(oms, order, &next, error);
    return code == OMS_OK ? engine_trip(oms, true, "comparison", why, error) : code;
}

/* Follows every listed order of ours; what was in doubt is told as recorded. */
static enum oms_code adopt_listed(struct oms *oms, struct comparison *comparison,
                                  struct oms_error *error) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        struct order *order = oms->book.orders[i], next;
        const bool open = order->pub.state == OMS_STATE_INTENT ||
                          order->pub.state == OMS_STATE_IN_DOUBT ||
                          order->pub.state == OMS_STATE_HELD;
        enum oms_code code;
        if (order->listed == NULL) {
            continue;
        }
        if (!follow_adopt(oms, order, order->listed, &next)) {
            order->told_odd = next.told_odd;
            order->told_status = next.told_status;
            code = note_risen(oms, order, error);
            if (code != OMS_OK) {
                return code;
            }
            continue;
        }
        if (open) {
            announce_found(oms, comparison, order, next.pub.state);
        }
        code = engine_put(oms, order, &next, error);
        if (code != OMS_OK) {
            return code;
        }
    }
    return OMS_OK;
}

static enum oms_code book_found(struct oms *oms, struct comparison *comparison,
                                struct oms_error *error) {
    const struct broker_fills *fills = &comparison->picture.fills;
    char why[OMS_REASON_SIZE];

    for (size_t i = 0; i < fills->n; i++) {
        struct order *order = book_by_broker_id(&oms->book, fills->v[i].order_id);
        enum oms_code code;
        if (comparison->booked[i] || order == NULL || order->pub.state == OMS_STATE_HELD) {
            continue;
        }
        if (!execution_fits(order, &fills->v[i], why)) {
            engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
            code = engine_trip(oms, true, "comparison", why, error);
        } else {
            announce(oms, comparison, OMS_EVENT_FILL, order, fills->v[i].execution_id);
            code = book_execution(oms, order, &fills->v[i], error);
        }
        if (code != OMS_OK) {
            return code;
        }
    }
    return OMS_OK;
}

/* Orders at the broker under ids of our making that this store has no record of: its tail was lost.
 * A decision that derives the same id later adopts the order instead of sending one. */
static enum oms_code remember_orphans(struct oms *oms, const struct comparison *comparison,
                                      struct oms_error *error) {
    for (size_t i = 0; i < comparison->picture.orders.n; i++) {
        const struct broker_order *listed = &comparison->picture.orders.v[i];
        const char *id = listed->client_order_id;
        if (!client_id_is_ours(id) || book_by_client_id(&oms->book, id) != NULL ||
            book_is_orphan(&oms->book, id)) {
            continue;
        }
        if (!book_add_orphan(&oms->book, id) ||
            store_put_orphan(&oms->store, id, listed->id, comparison->run.id) != SQLITE_OK) {
            return engine_fail(oms, "remember an unknown order", error);
        }
    }
    return OMS_OK;
}

static enum oms_code trip_if_unexplained(struct oms *oms, const struct comparison *comparison,
                                         struct oms_error *error) {
    for (size_t i = 0; i < comparison->found.n; i++) {
        const struct oms_discrepancy *found = &comparison->found.v[i];
        if (found->severity == OMS_CRITICAL && !found->explained) {
            return engine_trip(oms, true, "comparison", found->text, error);
        }
    }
    return OMS_OK;
}

/* Findings as they were, then what explains them, in one transaction. */
static enum oms_code store_comparison(struct oms *oms, struct comparison *comparison,
                                      struct oms_error *error) {
    enum oms_code code = engine_begin(oms, error);

    if (code == OMS_OK) {
        code = store_findings(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = adopt_listed(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = book_found(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = adopt_listed(oms, comparison, error); /* ends that waited for executions */
    }
    if (code == OMS_OK) {
        code = remember_orphans(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = trip_if_unexplained(oms, comparison, error);
    }
    return code == OMS_OK ? engine_commit(oms, error) : code;
}

static void tell_comparison(struct oms *oms, const struct comparison *comparison, bool tripped) {
    char text[OMS_REASON_SIZE];

    for (size_t i = 0; i < comparison->notice_count; i++) {
        const struct notice *notice = &comparison->notices[i];
        engine_tell(oms, notice->kind, OMS_AFTER, notice->order, notice->text);
    }
    for (size_t i = 0; i < comparison->found.n; i++) {
        engine_tell(oms, OMS_EVENT_DISCREPANCY, OMS_AFTER, NULL, comparison->found.v[i].text);
    }
    if (tripped) {
        engine_tell(oms, OMS_EVENT_KILL_SWITCH, OMS_AFTER, NULL, oms->book.meta.kill_reason);
    }
    (void)snprintf(text, sizeof text, "%zu differences", comparison->found.n);
    engine_tell(oms, OMS_EVENT_RECONCILE, OMS_AFTER, NULL, text);
    if (comparison->run.at_boot) {
        engine_tell(oms, OMS_EVENT_BOOT, OMS_AFTER, NULL, oms->config.profile->guarantee);
    }
}

static enum oms_code compare_later(struct oms *oms) {
    order_back_off(&oms->compare_ns, &oms->compare_step_ns, engine_now(oms));
    return OMS_OK;
}

static enum oms_code finish_comparison(struct oms *oms, struct comparison *comparison,
                                       struct oms_error *error) {
    struct store_meta *meta = &oms->book.meta;
    const bool was_on = meta->kill_switch;
    enum oms_code code;

    comparison->run = (struct oms_run){.id = meta->last_run + 1,
                                       .boot = oms->reconciled ? oms->boot : meta->boots + 1,
                                       .at_ns = engine_now(oms),
                                       .at_boot = !oms->reconciled};
    code = store_comparison(oms, comparison, error);
    if (code != OMS_OK) {
        return code;
    }
    meta->last_run = comparison->run.id;
    meta->last_run_ns = comparison->run.at_ns;
    meta->boots = oms->boot = comparison->run.boot;
    oms->reconciled = true;
    oms->compare_asked = false;
    oms->compare_ns = oms->compare_step_ns = 0;
    oms->poll_ns = comparison->run.at_ns + oms->config.poll_ns;
    tell_comparison(oms, comparison, meta->kill_switch && !was_on);
    return OMS_OK;
}

enum oms_code follow_compare(struct oms *oms, struct order *order, struct oms_error *error) {
    struct comparison comparison = {.booked = NULL};
    enum oms_code code;

    (void)order;
    engine_tell(oms, OMS_EVENT_RECONCILE, OMS_BEFORE, NULL, "");
    if (!look_at_all(oms, &comparison.picture)) {
        code = compare_later(oms);
        goto out;
    }
    comparison.booked = calloc(comparison.picture.fills.n + 1, sizeof *comparison.booked);
    comparison.notices = calloc(comparison.picture.fills.n + 2 * comparison.picture.orders.n + 1,
                                sizeof *comparison.notices);
    if (comparison.booked == NULL || comparison.notices == NULL) {
        code = compare_later(oms);
        goto out;
    }
    code = note_booked(oms, &comparison, error);
    if (code == OMS_OK) {
        code = compare(oms, &comparison) ? finish_comparison(oms, &comparison, error)
                                         : compare_later(oms);
    }
out:
    forget_listed(oms);
    comparison_free(&comparison);
    return code;
}
