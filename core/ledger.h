/* Corrections: executions that take the place of others.
 *
 * Nothing that was booked is ever changed or taken out. A correction is a row of its own; it names
 * the execution that it corrects, and from then on that one counts with the correction's quantity
 * and price, at its own place in time. Quantity 0 busts it. Of several corrections of one execution
 * the newest counts. */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "core/broker.h"

#include <stdbool.h>
#include <stddef.h>

enum { LEDGER_CORRECTIONS_MAX = 100000 };

struct ledger {            /* by time, then by execution id; all zero is empty */
    struct broker_fill *v; /* `refers` is the execution that was there first, never a correction */
    size_t n, cap;
};

static inline bool ledger_is_correction(const struct broker_fill *fill) {
    return fill->refers[0] != '\0';
}

/* The execution that `execution_id` stands for: itself, or what it corrects. */
const char *ledger_root(const struct ledger *ledger, const char *execution_id);

/* Adds one whose `refers` is a root. False: no memory, or the ceiling. */
bool ledger_add(struct ledger *ledger, const struct broker_fill *correction);

/* The newest correction of an execution, or NULL. */
const struct broker_fill *ledger_newest(const struct ledger *ledger, const char *execution_id);

/* Gives an execution the quantity and price that count. False: it counts for nothing (it is busted,
 * or a correction itself). */
bool ledger_counts(const struct ledger *ledger, struct broker_fill *fill);

void ledger_free(struct ledger *ledger);

#endif
