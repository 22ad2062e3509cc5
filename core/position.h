/* A position with its exact cost: what executions make of it, in the order they happened.
 *
 * Average-cost rule: an execution that adds brings its whole price; one that reduces takes out the
 * same share of the cost as of the quantity, rounded half away from zero to 1e-18, and the
 * remainder stays with the position; closing takes out all of it. What goes past flat opens anew.
 */
#ifndef CORE_POSITION_H
#define CORE_POSITION_H

#include "core/broker.h"
#include "core/decimal.h"

/* What the executions in the archive make of a position: what is live goes on from there. */
struct position_base {
    bool set;      /* else nothing of it is in the archive, and it begins with the opening */
    bool adjusted; /* an adjustment is among them */
    int64_t qty;
    decimal_wide cost, realized;
    int64_t last_ns; /* the newest of them */
    char last_execution[BROKER_EXECUTION_ID_SIZE];
};

struct position {
    char symbol[BROKER_SYMBOL_SIZE];
    int64_t opening_qty; /* signed; what was there before the first execution */
    int64_t opening_price;
    int64_t qty;           /* signed */
    decimal_wide cost;     /* unit 1e-18, sign of qty */
    decimal_wide realized; /* profit taken so far, unit 1e-18 */
    /* the newest execution in it: by time, then by execution id */
    int64_t last_ns;
    char last_execution[BROKER_EXECUTION_ID_SIZE];
    struct position_base base;
};

/* Back to what it was before the first live execution: the base, or the opening. */
void position_reset(struct position *position);
/* Back to the opening, as before the first execution of all. */
void position_open(struct position *position);

/* Applies one execution. False, nothing changed: the result does not fit its integers. */
bool position_apply(struct position *position, enum broker_side side, int64_t qty, int64_t price);

/* Does this execution come after everything applied so far? */
bool position_is_newer(const struct position *position, const struct broker_fill *fill);
/* Does it come before an execution in the archive? Then it cannot be applied while that is there. */
bool position_is_past(const struct position *position, const struct broker_fill *fill);
/* Notes it as the newest. */
void position_note(struct position *position, const struct broker_fill *fill);

int64_t position_average(int64_t qty, decimal_wide cost); /* 0 when flat */

#endif
