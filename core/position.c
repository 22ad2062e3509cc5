/* Average-cost arithmetic on exact integers. */
#include "core/position.h"

#include <string.h>

void position_open(struct position *position) {
    position->qty = position->opening_qty;
    position->cost = (decimal_wide)position->opening_qty * position->opening_price;
    position->realized = 0;
    position->last_ns = INT64_MIN;
    position->last_execution[0] = '\0';
}

void position_reset(struct position *position) {
    const struct position_base *base = &position->base;

    if (!base->set) {
        position_open(position);
        return;
    }
    position->qty = base->qty;
    position->cost = base->cost;
    position->realized = base->realized;
    position->last_ns = base->last_ns;
    memcpy(position->last_execution, base->last_execution, sizeof position->last_execution);
}

static int64_t size_of(int64_t qty) {
    return qty < 0 ? -qty : qty;
}

/* cost * part / whole, rounded, without a 256-bit product. */
static decimal_wide share_of(decimal_wide cost, int64_t part, int64_t whole) {
    return cost / whole * part + decimal_divide_rounded(cost % whole * part, whole);
}

bool position_apply(struct position *position, enum broker_side side, int64_t qty, int64_t price) {
    const int64_t change = side == BROKER_BUY ? qty : -qty;
    struct position next = *position;
    int64_t rest = change;

    if (next.qty != 0 && (next.qty < 0) != (change < 0)) {
        const int64_t held = size_of(next.qty);
        const int64_t closed = qty < held ? qty : held;
        const int64_t closed_signed = next.qty < 0 ? -closed : closed;
        const decimal_wide taken = share_of(next.cost, closed, held);
        const decimal_wide gained = (decimal_wide)closed_signed * price - taken;
        if (__builtin_add_overflow(next.realized, gained, &next.realized)) {
            return false;
        }
        next.cost -= taken;
        next.qty -= closed_signed;
        rest += closed_signed;
    }
    if (__builtin_add_overflow(next.qty, rest, &next.qty) || next.qty == INT64_MIN ||
        __builtin_add_overflow(next.cost, (decimal_wide)rest * price, &next.cost)) {
        return false;
    }
    *position = next;
    return true;
}

/* In the order in which executions count: by time, then by id. */
static bool comes_after(const struct broker_fill *fill, int64_t at_ns, const char *execution_id) {
    if (fill->at_ns != at_ns) {
        return fill->at_ns > at_ns;
    }
    return strcmp(fill->execution_id, execution_id) > 0;
}

bool position_is_newer(const struct position *position, const struct broker_fill *fill) {
    return comes_after(fill, position->last_ns, position->last_execution);
}

bool position_is_past(const struct position *position, const struct broker_fill *fill) {
    const struct position_base *base = &position->base;
    return base->set && !comes_after(fill, base->last_ns, base->last_execution);
}

void position_note(struct position *position, const struct broker_fill *fill) {
    position->last_ns = fill->at_ns;
    memcpy(position->last_execution, fill->execution_id, sizeof position->last_execution);
}

int64_t position_average(int64_t qty, decimal_wide cost) {
    return qty == 0 ? 0 : (int64_t)decimal_divide_rounded(cost, qty);
}
