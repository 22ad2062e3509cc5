/* What the archive holds of the day that is asked for, read once for a comparison.
 *
 * While a comparison is made nothing moves there or back, so that it stays right for every look. */
#ifndef CORE_DAY_PAST_H
#define CORE_DAY_PAST_H

#include "core/engine.h"

/* An archived order of that day that the broker has had. */
struct day_order {
    char symbol[BROKER_SYMBOL_SIZE];
    char client_order_id[BROKER_CLIENT_ID_SIZE];
    char broker_order_id[BROKER_ORDER_ID_SIZE];
    int64_t filled_nanos;
};

struct day_past {             /* all zero is empty; release with day_past_free */
    size_t decided;           /* archived orders of that day, whether they were sent or not */
    struct day_order *orders; /* in the order of the segments */
    size_t order_count, order_cap;
    struct broker_fills fills;       /* of that day, as they count */
    struct broker_fills adjustments; /* those of them that no order explains */
    struct position *begins;         /* by symbol: what came before that day, from the opening on */
    size_t begin_count;
};

/* Fills *past, which was empty, and leaves it so when no day is asked for or nothing is archived. An
 * archive that cannot be read stops everything. */
enum oms_code day_past_read(struct oms *oms, struct day_past *past, struct oms_error *error);
void day_past_free(struct day_past *past);

#endif
