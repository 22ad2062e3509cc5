/* The comparison, type by type. */
#include "core/reconcile.h"

#include "core/index.h"
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PPM = 1000000 };

/* A position with our own unbooked executions in it. */
struct expected {
    const char *symbol;
    int64_t qty;
    decimal_wide cost;
};

/* One comparison under way. */
struct pass {
    const struct reconcile_oms *oms;
    const struct reconcile_broker *broker;
    const struct reconcile_rules *rules;
    struct index by_client_id, by_broker_id;  /* our orders */
    struct index claimed;                     /* by client id: which listed order is ours */
    struct index broker_positions, positions; /* by symbol; ours after the unbooked executions */
    struct expected *expected;                /* what they point to: one per symbol met */
    size_t expected_count;
    struct reconcile_found *found;
};

struct oms_discrepancy *reconcile_add(struct reconcile_found *found, enum oms_discrepancy_type type,
                                      enum oms_severity severity, const char *symbol,
                                      const char *ref) {
    struct oms_discrepancy *row;

    if (found->n == RECONCILE_FOUND_MAX) {
        return NULL;
    }
    if (found->n == found->cap) {
        const size_t wanted = found->cap ? found->cap * 2 : 8;
        void *grown = realloc(found->v, wanted * sizeof *found->v);
        if (grown == NULL) {
            return NULL;
        }
        found->v = grown;
        found->cap = wanted;
    }
    row = &found->v[found->n++];
    *row = (struct oms_discrepancy){.type = type, .severity = severity};
    text_clean(row->symbol, sizeof row->symbol, symbol);
    text_clean(row->ref, sizeof row->ref, ref);
    return row;
}

static struct oms_discrepancy *add(struct pass *pass, enum oms_discrepancy_type type,
                                   enum oms_severity severity, const char *symbol,
                                   const char *ref) {
    return reconcile_add(pass->found, type, severity, symbol, ref);
}

static void describe(struct oms_discrepancy *row, const char *what) {
    char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    (void)snprintf(row->text, sizeof row->text, "%s %s: %s: OMS %s, broker %s%s",
                   oms_discrepancy_name(row->type), row->symbol, what,
                   decimal_format(row->oms_nanos, 0, ours),
                   decimal_format(row->broker_nanos, 0, theirs),
                   row->explained ? "; explained by executions of our own orders" : "");
}

/* Our order behind a broker's order: known by its id, or by its client id. Of several under one
 * client id the one we know by its own id is ours, and while we know none, the oldest. */
static const struct reconcile_order *order_behind(const struct pass *pass,
                                                  const struct broker_order *listed) {
    return index_get(&pass->claimed, listed->client_order_id) == listed
               ? index_get(&pass->by_client_id, listed->client_order_id)
               : index_get(&pass->by_broker_id, listed->id);
}

static bool claim(struct pass *pass, const struct broker_order *listed) {
    const struct reconcile_order *order = index_get(&pass->by_client_id, listed->client_order_id);
    if (order == NULL || index_get(&pass->claimed, listed->client_order_id) != NULL ||
        (order->broker_order_id[0] != '\0' && strcmp(order->broker_order_id, listed->id) != 0)) {
        return true;
    }
    /* the index gives both back unchanged */
    return index_put(&pass->claimed, listed->client_order_id, (void *)(uintptr_t)listed) &&
           index_put(&pass->by_broker_id, listed->id, (void *)(uintptr_t)order);
}

/* All at once: growing on the way costs as much again. */
static bool make_room(struct pass *pass) {
    const size_t orders = pass->oms->order_count, listed = pass->broker->orders->n;
    return index_reserve(&pass->by_client_id, orders) &&
           index_reserve(&pass->by_broker_id, orders > listed ? orders : listed) &&
           index_reserve(&pass->claimed, listed) &&
           index_reserve(&pass->broker_positions, pass->broker->positions->n) &&
           index_reserve(&pass->positions, pass->oms->position_count);
}

static bool index_orders(struct pass *pass) {
    for (size_t i = 0; i < pass->oms->order_count; i++) {
        const struct reconcile_order *order = &pass->oms->orders[i];
        void *row = (void *)(uintptr_t)order; /* the index gives it back unchanged */
        if (!index_put(&pass->by_client_id, order->client_order_id, row) ||
            (order->broker_order_id[0] != '\0' &&
             !index_put(&pass->by_broker_id, order->broker_order_id, row))) {
            return false;
        }
    }
    for (size_t i = 0; i < pass->broker->orders->n; i++) {
        if (!claim(pass, &pass->broker->orders->v[i])) {
            return false;
        }
    }
    return true;
}

/* The position expected for a symbol; made flat when there is none yet. `expected` has room. */
static struct expected *expect(struct pass *pass, const char *symbol) {
    struct expected *position = index_get(&pass->positions, symbol);
    if (position != NULL) {
        return position;
    }
    position = &pass->expected[pass->expected_count++];
    *position = (struct expected){.symbol = symbol};
    return index_put(&pass->positions, position->symbol, position) ? position : NULL;
}

/* Takes back what it corrects and puts itself there. */
static void correct(struct expected *position, const struct broker_fill *fill,
                    const struct broker_fill *was) {
    const int sign = fill->side == BROKER_BUY ? 1 : -1;
    if (was->execution_id[0] == '\0') {
        return;
    }
    position->qty += sign * (fill->qty_nanos - was->qty_nanos);
    position->cost += sign * ((decimal_wide)fill->qty_nanos * fill->price_nanos -
                              (decimal_wide)was->qty_nanos * was->price_nanos);
}

/* One that does not fit explains nothing: the difference stays. */
static void apply(struct expected *expected, const struct broker_fill *fill) {
    struct position position = {.qty = expected->qty, .cost = expected->cost};
    (void)position_apply(&position, fill->side, fill->qty_nanos, fill->price_nanos);
    expected->qty = position.qty;
    expected->cost = position.cost;
}

/* What the OMS would hold with its own unbooked executions booked. */
static bool apply_unbooked(struct pass *pass) {
    const struct broker_fills *fills = pass->broker->fills;
    pass->expected = calloc(pass->oms->position_count + fills->n + 1, sizeof *pass->expected);
    if (pass->expected == NULL) {
        return false;
    }
    for (size_t i = 0; i < pass->oms->position_count; i++) {
        struct expected *position = expect(pass, pass->oms->positions[i].symbol);
        if (position == NULL) {
            return false;
        }
        position->qty = pass->oms->positions[i].qty;
        position->cost = pass->oms->positions[i].cost;
    }
    for (size_t i = 0; i < fills->n; i++) {
        const struct broker_fill *fill = &fills->v[i];
        struct expected *position;
        if (pass->broker->booked[i] || index_get(&pass->by_broker_id, fill->order_id) == NULL) {
            continue;
        }
        position = expect(pass, fill->symbol);
        if (position == NULL) {
            return false;
        }
        if (fill->refers[0] != '\0') {
            correct(position, fill, &pass->broker->corrected[i]);
        } else {
            apply(position, fill);
        }
    }
    return true;
}

/* Is the difference at most this share of the broker's quantity, on the same side? */
static bool is_within(int64_t ours, int64_t theirs, int64_t ppm) {
    const decimal_wide difference = (decimal_wide)theirs - ours;
    const decimal_wide size = difference < 0 ? -difference : difference;
    const decimal_wide whole = theirs < 0 ? -(decimal_wide)theirs : theirs;
    return ppm > 0 && (ours < 0) == (theirs < 0) && ours != 0 && size * PPM <= whole * ppm;
}

static bool compare_quantity(struct pass *pass, const char *symbol, int64_t ours, int64_t theirs) {
    const struct expected *expected = index_get(&pass->positions, symbol);
    const enum oms_discrepancy_type type = theirs == 0 ? OMS_MISSING_IN_BROKER
                                           : ours == 0 ? OMS_MISSING_IN_OMS
                                                       : OMS_QUANTITY_MISMATCH;
    struct oms_discrepancy *row = add(pass, type, OMS_CRITICAL, symbol, "");

    if (row == NULL) {
        return false;
    }
    row->oms_nanos = ours;
    row->broker_nanos = theirs;
    row->explained = expected != NULL && expected->qty == theirs;
    if (type == OMS_QUANTITY_MISMATCH && !row->explained && expected != NULL &&
        is_within(expected->qty, theirs, pass->rules->self_heal_ppm)) {
        row->severity = OMS_WARNING;
    }
    describe(row, "quantity");
    return true;
}

static bool compare_price(struct pass *pass, const struct position *ours,
                          const struct broker_position *theirs) {
    const int64_t average = position_average(ours->qty, ours->cost);
    const struct expected *expected = index_get(&pass->positions, ours->symbol);
    const decimal_wide difference = (decimal_wide)theirs->avg_price_nanos - average;
    const decimal_wide size = difference < 0 ? -difference : difference;
    struct oms_discrepancy *row;

    if (size == 0) {
        return true;
    }
    row = add(pass, OMS_PRICE_MISMATCH,
              size * PPM > (decimal_wide)average * pass->rules->price_tolerance_ppm ? OMS_WARNING
                                                                                    : OMS_INFO,
              ours->symbol, "");
    if (row == NULL) {
        return false;
    }
    row->oms_nanos = average;
    row->broker_nanos = theirs->avg_price_nanos;
    row->explained = expected != NULL && expected->qty == theirs->qty_nanos &&
                     position_average(expected->qty, expected->cost) == theirs->avg_price_nanos;
    describe(row, "average price");
    return true;
}

static bool compare_positions(struct pass *pass) {
    const struct broker_positions *theirs = pass->broker->positions;
    struct index ours = {0};
    bool ok = index_reserve(&ours, pass->oms->position_count);

    for (size_t i = 0; ok && i < theirs->n; i++) {
        ok = index_put(&pass->broker_positions, theirs->v[i].symbol, &theirs->v[i]);
    }
    for (size_t i = 0; ok && i < pass->oms->position_count; i++) {
        const struct position *mine = &pass->oms->positions[i];
        const struct broker_position *other = index_get(&pass->broker_positions, mine->symbol);
        const int64_t qty = other != NULL ? other->qty_nanos : 0;
        ok = index_put(&ours, mine->symbol, (void *)(uintptr_t)mine);
        if (ok && qty != mine->qty) {
            ok = compare_quantity(pass, mine->symbol, mine->qty, qty);
        } else if (ok && other != NULL && qty != 0) {
            ok = compare_price(pass, mine, other);
        }
    }
    for (size_t i = 0; ok && i < theirs->n; i++) {
        if (theirs->v[i].qty_nanos != 0 && index_get(&ours, theirs->v[i].symbol) == NULL) {
            ok = compare_quantity(pass, theirs->v[i].symbol, 0, theirs->v[i].qty_nanos);
        }
    }
    index_free(&ours);
    return ok;
}

static bool compare_order(struct pass *pass, const struct broker_order *listed) {
    const struct reconcile_order *order = order_behind(pass, listed);
    const bool in_part = listed->filled_nanos > 0 && listed->filled_nanos < listed->qty_nanos;
    struct oms_discrepancy *row;

    if (order == NULL && listed->submitted_ns >= pass->oms->since_ns) {
        row = add(pass, OMS_ORPHAN_ORDER, listed->filled_nanos > 0 ? OMS_CRITICAL : OMS_WARNING,
                  listed->symbol, listed->id);
    } else if (order != NULL && in_part) {
        row = add(pass, OMS_PARTIAL_FILL, order->ended ? OMS_INFO : OMS_WARNING, listed->symbol,
                  listed->id);
    } else {
        return true;
    }
    if (row == NULL) {
        return false;
    }
    row->oms_nanos = order == NULL ? 0 : listed->qty_nanos;
    row->broker_nanos = listed->filled_nanos;
    row->explained = order != NULL;
    describe(row, order == NULL ? "an order the OMS has no record of, executed"
                                : "ordered (left) and executed (right)");
    return true;
}

static bool compare_fill(struct pass *pass, size_t i) {
    const struct broker_fill *fill = &pass->broker->fills->v[i];
    struct oms_discrepancy *row;

    const bool lost = fill->refers[0] != '\0' && pass->broker->corrected[i].execution_id[0] == '\0';

    if (pass->broker->booked[i] || fill->at_ns < pass->oms->since_ns ||
        (index_get(&pass->by_broker_id, fill->order_id) != NULL && !lost)) {
        return true;
    }
    row = add(pass, OMS_UNKNOWN_FILL, OMS_CRITICAL, fill->symbol, fill->execution_id);
    if (row == NULL) {
        return false;
    }
    row->broker_nanos = fill->qty_nanos;
    describe(row, lost ? "a correction of an execution the OMS does not know"
                       : "an execution whose order the OMS does not know");
    return true;
}

bool reconcile_compare(const struct reconcile_oms *oms, const struct reconcile_broker *broker,
                       const struct reconcile_rules *rules, struct reconcile_found *found) {
    struct pass pass = {.oms = oms, .broker = broker, .rules = rules, .found = found};
    bool ok = make_room(&pass) && index_orders(&pass) && apply_unbooked(&pass) &&
              compare_positions(&pass);

    for (size_t i = 0; ok && i < broker->orders->n; i++) {
        ok = compare_order(&pass, &broker->orders->v[i]);
    }
    for (size_t i = 0; ok && i < broker->fills->n; i++) {
        ok = compare_fill(&pass, i);
    }
    index_free(&pass.by_client_id);
    index_free(&pass.by_broker_id);
    index_free(&pass.claimed);
    index_free(&pass.broker_positions);
    index_free(&pass.positions);
    free(pass.expected);
    return ok;
}

void reconcile_free(struct reconcile_found *found) {
    free(found->v);
    *found = (struct reconcile_found){0};
}
