/* Reading what the broker shows.
 *
 * Each look reads orders, then executions, then (for a comparison) positions. A list that did not
 * come whole ends the look with nothing changed: no answer is never "nothing there". */
#include "core/look.h"

#include "core/day.h"
#include "core/threshold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void look_free(struct picture *picture) {
    static const struct picture nothing;

    broker_orders_free(&picture->orders);
    broker_fills_free(&picture->fills);
    broker_positions_free(&picture->positions);
    *picture = nothing;
}

/* Text from the broker is bounded and printable before it is kept. */
static void clean_fills(struct broker_fills *fills) {
    for (size_t i = 0; i < fills->n; i++) {
        struct broker_fill *fill = &fills->v[i];
        text_clean(fill->execution_id, sizeof fill->execution_id, fill->execution_id);
        text_clean(fill->order_id, sizeof fill->order_id, fill->order_id);
        text_clean(fill->symbol, sizeof fill->symbol, fill->symbol);
        text_clean(fill->refers, sizeof fill->refers, fill->refers);
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

/* ---- orders ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Everything of ours that can still change happened after this. */
int64_t look_since(const struct oms *oms, int64_t newest_ns) {
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

static const struct broker_reason no_memory = {.text = "no memory"};

/* May a query still miss it because it is fresh? */
static bool may_be_missed(const struct oms *oms, const struct order *order) {
    return oms->mark_ns < order->send_by_ns + oms->config.profile->query_lag_ns;
}

/* The question that had no whole answer, and what is known of why. */
static bool not_whole(struct picture *picture, const char *question,
                      const struct broker_reason *why) {
    char text[BROKER_TEXT_SIZE];
    text_clean(text, sizeof text, why->text);
    (void)snprintf(picture->why, sizeof picture->why, "%s: %.150s", question,
                   text[0] != '\0' ? text : "no whole answer");
    return false;
}

/* An order that the list lacks is asked for by itself, where that can be done. When it is found it
 * is added to the picture. False: no whole answer. */
static bool look_up(struct oms *oms, const char *client_order_id, struct picture *picture,
                    enum broker_found *found) {
    struct broker_order theirs = {.id = ""}, *row;
    struct broker_reason why = {0};

    *found = BROKER_ABSENT;
    if (oms->config.profile->knows_ids) {
        *found = ask_lookup(oms, client_order_id, &theirs, &why);
    }
    switch (*found) {
    case BROKER_FOUND:
        row = broker_orders_add(&picture->orders);
        if (row != NULL) {
            *row = theirs;
        }
        return row != NULL || not_whole(picture, "one order", &no_memory);
    case BROKER_ABSENT:
        return true;
    case BROKER_INCONCLUSIVE:
        break;
    }
    return not_whole(picture, "one order", &why);
}

static bool look_up_missing(struct oms *oms, struct order *order, struct picture *picture) {
    enum broker_found found;
    const bool whole = look_up(oms, order->pub.client_order_id, picture, &found);

    if (whole && found == BROKER_ABSENT && order_is_working(order) && !order->told_missing &&
        !may_be_missed(oms, order)) {
        order->told_missing = true;
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order,
                    "the broker does not know an order it had taken; nothing is sent again");
    }
    return whole;
}

void look_forget(struct oms *oms) {
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
    look_forget(oms);
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

/* Should it have been in the list of this look? Not what was taken while the look went on. */
static bool is_lacking(const struct oms *oms, const struct order *order) {
    return order->listed == NULL && (order->taken_in == 0 || order->taken_in < oms->looks);
}

/* The place of the first live order after that row, near `i`: places shift while a question waits. */
static size_t first_after(const struct oms *oms, size_t i, int64_t id) {
    i = i < oms->live_count ? i : oms->live_count;
    while (i > 0 && oms->live[i - 1]->id > id) {
        i--;
    }
    while (i < oms->live_count && oms->live[i]->id <= id) {
        i++;
    }
    return i;
}

/* All orders since then, and those of ours that should be there besides: working ones, and held
 * ones when `held`. `listed` is set on every order of ours. While a question waits, orders may be
 * added, and others become live or end. */
bool look_at_orders(struct oms *oms, int64_t since_ns, bool held, struct picture *picture) {
    struct broker_reason why = {0};
    int64_t id;

    oms->looks++;
    if (!ask_orders(oms, since_ns, &picture->orders, &why)) {
        return not_whole(picture, "orders", &why);
    }
    clean_orders(&picture->orders);
    note_listed(oms, picture);
    for (size_t i = 0; i < oms->live_count; i = first_after(oms, i, id)) {
        id = oms->live[i]->id;
        if (order_is_working(oms->live[i]) && is_lacking(oms, oms->live[i]) &&
            !look_up_missing(oms, oms->live[i], picture)) {
            return false;
        }
    }
    for (size_t i = 0; held && i < oms->book.order_count; i++) {
        struct order *order = oms->book.orders[i];
        if ((order->pub.state == OMS_STATE_HELD || day_expects(oms, order)) &&
            is_lacking(oms, order) && !look_up_missing(oms, order, picture)) {
            return false;
        }
    }
    clean_orders(&picture->orders);
    note_listed(oms, picture);
    tell_second_orders(oms, picture);
    return true;
}

/* The same for archived orders of a day. `listed` is set anew: the list has grown. */
static bool look_up_archived(struct oms *oms, const struct day_past *past,
                             struct picture *picture) {
    struct index listed = {.slots = NULL};
    const size_t count = picture->orders.n;
    enum broker_found found;
    bool *missing = calloc(past->order_count + 1, sizeof *missing);
    bool ok = missing != NULL;

    for (size_t i = 0; ok && i < count; i++) {
        ok = index_put(&listed, picture->orders.v[i].id, &picture->orders.v[i]);
    }
    for (size_t i = 0; ok && i < past->order_count; i++) {
        missing[i] = index_get(&listed, past->orders[i].broker_order_id) == NULL;
    }
    index_free(&listed);
    ok = ok || not_whole(picture, "orders", &no_memory);
    for (size_t i = 0; ok && i < past->order_count; i++) {
        ok = !missing[i] || look_up(oms, past->orders[i].client_order_id, picture, &found);
    }
    free(missing);
    if (ok && picture->orders.n > count) {
        clean_orders(&picture->orders);
        note_listed(oms, picture);
    }
    return ok;
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
bool look_at_executions(struct oms *oms, int64_t since_ns, struct picture *picture) {
    struct broker_reason why = {0};
    bool whole = true;

    for (size_t i = 0; !oms->config.profile->tells_executions && i < oms->book.order_count; i++) {
        const struct order *order = oms->book.orders[i];
        whole = whole && (order->listed == NULL || add_execution(oms, order, &picture->fills) ||
                          not_whole(picture, "executions", &why));
    }
    if (oms->config.profile->tells_executions) {
        whole = ask_fills(oms, since_ns, &picture->fills, &why);
        clean_fills(&picture->fills);
    }
    return whole || not_whole(picture, "executions", &why);
}
/* ---- all of it ---- */

/* What the broker has and the last comparison did not show is younger than that one: a lost tail of the
 * database, an order that ended as absent and came after all, what somebody else sent. Orders that were
 * sent since say nothing of it; and when it was made nobody knows, if by a clock that was put back since:
 * then all of it is looked through once. */
static int64_t nothing_is_missing_before(const struct oms *oms) {
    const struct store_meta *meta = &oms->book.meta;
    const bool known = meta->compared_ns > 0 && meta->compared_ns <= oms->mark_ns;

    return known ? meta->compared_ns : meta->created_ns;
}

/* The oldest moment whose executions matter: orders found besides the list may be older than it, and
 * what was corrected since the last comparison may be of any age itself. */
static int64_t fills_since(const struct oms *oms, int64_t since_ns) {
    since_ns = earlier(since_ns, nothing_is_missing_before(oms) - THRESHOLD_LOOK_BACK_NS);
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

bool look_at_all(struct oms *oms, const struct day_past *past, struct picture *picture) {
    const int64_t newest = nothing_is_missing_before(oms);
    const int64_t since = day_since(oms, look_since(oms, earlier(newest, engine_now(oms))));
    struct broker_reason why = {0};
    bool whole = look_at_orders(oms, since, true, picture);

    whole = whole && (past->order_count == 0 || look_up_archived(oms, past, picture));
    if (whole) {
        whole = look_at_executions(oms, fills_since(oms, since), picture);
    }
    if (whole) {
        whole =
            ask_positions(oms, &picture->positions, &why) || not_whole(picture, "positions", &why);
    }
    return whole;
}

/* ---- two of them ---- */

static bool same_orders(const struct broker_orders *a, const struct broker_orders *b) {
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->v[i].id, b->v[i].id) == 0 && a->v[i].status == b->v[i].status &&
               a->v[i].filled_nanos == b->v[i].filled_nanos &&
               a->v[i].filled_avg_nanos == b->v[i].filled_avg_nanos;
    }
    return same;
}

static bool same_fills(const struct broker_fills *a, const struct broker_fills *b) {
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->v[i].execution_id, b->v[i].execution_id) == 0;
    }
    return same;
}

static bool same_positions(const struct broker_positions *a, const struct broker_positions *b) {
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->v[i].symbol, b->v[i].symbol) == 0 &&
               a->v[i].qty_nanos == b->v[i].qty_nanos &&
               a->v[i].avg_price_nanos == b->v[i].avg_price_nanos;
    }
    return same;
}

bool look_is_same(const struct picture *a, const struct picture *b) {
    return same_orders(&a->orders, &b->orders) && same_fills(&a->fills, &b->fills) &&
           same_positions(&a->positions, &b->positions);
}
