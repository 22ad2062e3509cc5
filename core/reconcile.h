/* Comparing the OMS with its broker: a pure function of two snapshots.
 *
 * Nothing here reads a clock, a store or a broker, and nothing is changed: what to do about a
 * difference is the caller's business. Findings come in a fixed order: positions the OMS knows (by
 * symbol), positions only the broker has, orders, executions (each as the broker lists them).
 *
 * A position difference is *explained* when our own orders' executions that are not booked yet
 * account for it exactly: with them the two sides are equal. Corrections count as executions: their
 * effect on a quantity is exact, on a cost it is so as long as nothing was closed meanwhile. */
#ifndef CORE_RECONCILE_H
#define CORE_RECONCILE_H

#include "core/oms.h"
#include "core/position.h"

enum { RECONCILE_FOUND_MAX = 100000 };

/* What the comparison needs of an OMS order. */
struct reconcile_order {
    const char *client_order_id;
    const char *broker_order_id; /* "" while unknown */
    bool ended;                  /* the OMS has booked its end */
};

struct reconcile_oms {
    const struct reconcile_order *orders;
    size_t order_count;
    const struct position *positions; /* by symbol; flat ones are allowed */
    size_t position_count;
    int64_t since_ns; /* foreign orders and executions before it are not ours to judge */
};

struct reconcile_broker {
    const struct broker_orders *orders;
    const struct broker_fills *fills;
    const bool *booked; /* for each of fills: the OMS has it */
    /* For each of fills that is a correction: what it corrects, as it counts without it, or an empty
     * execution id when nobody knows that. NULL: there are no corrections. */
    const struct broker_fill *corrected;
    const struct broker_positions *positions;
};

struct reconcile_rules {
    int64_t price_tolerance_ppm; /* PRICE_MISMATCH above this is a WARNING */
    /* An unexplained QUANTITY_MISMATCH up to this share of the broker's quantity is a WARNING, and
     * to be adjusted; 0: none is. No other QUANTITY_MISMATCH is ever a WARNING. */
    int64_t self_heal_ppm;
};

struct reconcile_found { /* all zero is empty; release with reconcile_free */
    struct oms_discrepancy *v;
    size_t n, cap;
};

/* Appends what it finds. False: no memory, or more than RECONCILE_FOUND_MAX findings. */
bool reconcile_compare(const struct reconcile_oms *oms, const struct reconcile_broker *broker,
                       const struct reconcile_rules *rules, struct reconcile_found *found);
/* Appends one finding, to be filled in: valid until the next. NULL: no memory, or the ceiling. */
struct oms_discrepancy *reconcile_add(struct reconcile_found *found, enum oms_discrepancy_type type,
                                      enum oms_severity severity, const char *symbol,
                                      const char *ref);
void reconcile_free(struct reconcile_found *found);

#endif
