/* The comparison of a day: orders, then executions, then what was earned. */
#include "core/daily.h"

#include "core/index.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

/* One finding, in words. `what` is what is compared. */
static bool tell(struct reconcile_found *found, enum oms_discrepancy_type type,
                 enum oms_severity severity, const char *symbol, const char *ref, int64_t ours,
                 int64_t theirs, const char *what) {
    char own[DECIMAL_TEXT_MAX], other[DECIMAL_TEXT_MAX];
    struct oms_discrepancy *row = reconcile_add(found, type, severity, symbol, ref);

    if (row == NULL) {
        return false;
    }
    row->oms_nanos = ours;
    row->broker_nanos = theirs;
    (void)snprintf(row->text, sizeof row->text, "%s %s %.96s: %s: OMS %s, broker %s",
                   oms_discrepancy_name(type), row->symbol, row->ref, what,
                   decimal_format(ours, 0, own), decimal_format(theirs, 0, other));
    return true;
}

/* ---- orders ---- */

static bool compare_order(const struct daily_order *order, struct reconcile_found *found) {
    const struct broker_order *listed = order->listed;
    const int64_t ours = order->filled_nanos;

    if (listed == NULL) {
        return tell(found, OMS_MISSING_IN_BROKER, ours == 0 ? OMS_WARNING : OMS_CRITICAL,
                    order->symbol, order->broker_order_id, ours, 0, "order of the day, executed");
    }
    if (listed->filled_nanos != ours) {
        return tell(found, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, order->symbol, listed->id, ours,
                    listed->filled_nanos, "order of the day, executed");
    }
    return !order->ended || !broker_status_is_open(listed->status) ||
           tell(found, OMS_ORPHAN_ORDER, OMS_WARNING, order->symbol, listed->id, ours,
                listed->filled_nanos, "ended here, open at the broker; executed");
}

/* ---- executions ---- */

static bool compare_execution(const struct broker_fill *ours, const struct broker_fill *theirs,
                              struct reconcile_found *found) {
    if (theirs == NULL) {
        return tell(found, OMS_MISSING_IN_BROKER, OMS_CRITICAL, ours->symbol, ours->execution_id,
                    ours->qty_nanos, 0, "execution of the day");
    }
    if (theirs->qty_nanos != ours->qty_nanos || theirs->side != ours->side) {
        return tell(found, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, ours->symbol, ours->execution_id,
                    ours->side == BROKER_BUY ? ours->qty_nanos : -ours->qty_nanos,
                    theirs->side == BROKER_BUY ? theirs->qty_nanos : -theirs->qty_nanos,
                    "execution of the day");
    }
    return theirs->price_nanos == ours->price_nanos ||
           tell(found, OMS_PRICE_MISMATCH, OMS_WARNING, ours->symbol, ours->execution_id,
                ours->price_nanos, theirs->price_nanos, "price of an execution");
}

static bool index_fills(struct index *index, const struct broker_fill *fills, size_t count) {
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        /* the index gives it back unchanged */
        ok = index_put(index, fills[i].execution_id, (void *)(uintptr_t)&fills[i]);
    }
    return ok;
}

static bool compare_executions(const struct daily_sides *sides, struct reconcile_found *found) {
    struct index ours = {.slots = NULL}, theirs = {.slots = NULL};
    bool ok = index_fills(&ours, sides->ours, sides->our_count) &&
              index_fills(&theirs, sides->theirs, sides->their_count);

    for (size_t i = 0; ok && i < sides->our_count; i++) {
        const struct broker_fill *fill = &sides->ours[i];
        ok = compare_execution(fill, index_get(&theirs, fill->execution_id), found);
    }
    for (size_t i = 0; ok && i < sides->their_count; i++) {
        const struct broker_fill *fill = &sides->theirs[i];
        ok = index_get(&ours, fill->execution_id) != NULL ||
             tell(found, OMS_UNKNOWN_FILL, OMS_CRITICAL, fill->symbol, fill->execution_id, 0,
                  fill->qty_nanos, "execution of the day");
    }
    index_free(&ours);
    index_free(&theirs);
    return ok;
}

/* ---- profits ---- */

/* What one side's executions of a symbol earned, from `at` on, which moves behind them. */
static decimal_wide earn(const struct position *begins, const struct broker_fill *fills,
                         size_t count, size_t *at, size_t *executions) {
    struct position position = *begins;
    size_t first = *at;

    while (*at < count && strcmp(fills[*at].symbol, begins->symbol) == 0) {
        const struct broker_fill *fill = &fills[(*at)++];
        /* one that does not fit earns nothing, on both sides alike */
        (void)position_apply(&position, fill->side, fill->qty_nanos, fill->price_nanos);
    }
    *executions = *at - first;
    return position.realized - begins->realized;
}

/* Money in nanos, for comparisons in words; the whole is in the symbol's row. */
static int64_t in_nanos(decimal_wide money) {
    const decimal_wide nanos = decimal_divide_rounded(money, DECIMAL_NANOS);
    return nanos > INT64_MAX ? INT64_MAX : nanos < -INT64_MAX ? -INT64_MAX : (int64_t)nanos;
}

static bool compare_profit(const struct daily_sides *sides, const struct oms_daily_symbol *row,
                           struct reconcile_found *found) {
    char ref[BROKER_EXECUTION_ID_SIZE];

    (void)snprintf(ref, sizeof ref, "profit %.10s", sides->name);
    return row->oms_realized == row->broker_realized ||
           tell(found, OMS_PRICE_MISMATCH, OMS_WARNING, row->symbol, ref,
                in_nanos(row->oms_realized), in_nanos(row->broker_realized),
                "realized profit of the day");
}

bool daily_compare(const struct daily_sides *sides, struct reconcile_found *found,
                   struct oms_daily_symbol symbols[], size_t *symbol_count) {
    size_t ours = 0, theirs = 0;
    bool ok = true;

    *symbol_count = 0;
    for (size_t i = 0; ok && i < sides->order_count; i++) {
        ok = compare_order(&sides->orders[i], found);
    }
    ok = ok && compare_executions(sides, found);
    for (size_t i = 0; ok && i < sides->begin_count; i++) {
        struct oms_daily_symbol *row = &symbols[*symbol_count];
        *row = (struct oms_daily_symbol){.symbol = ""};
        text_clean(row->symbol, sizeof row->symbol, sides->begins[i].symbol);
        row->oms_realized =
            earn(&sides->begins[i], sides->ours, sides->our_count, &ours, &row->oms_executions);
        row->broker_realized = earn(&sides->begins[i], sides->theirs, sides->their_count, &theirs,
                                    &row->broker_executions);
        if (row->oms_executions + row->broker_executions > 0) {
            (*symbol_count)++;
            ok = compare_profit(sides, row, found);
        }
    }
    return ok;
}
