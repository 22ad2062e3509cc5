/* The comparison of a whole day: which orders and executions belong to it, on both sides. */
#ifndef CORE_DAY_H
#define CORE_DAY_H

#include "core/day_past.h"
#include "core/engine.h"
#include "core/reconcile.h"

/* What a look showed, and what of it is booked (as in struct reconcile_broker). */
struct day_picture {
    const struct broker_orders *orders;
    const struct broker_fills *fills;
    const bool *booked;
    const struct broker_fill *corrected; /* NULL: there are no corrections */
    const struct day_past *past;         /* what the archive holds of the day */
};

struct day { /* all zero is empty; release with day_free */
    struct oms_daily_symbol *symbols;
    size_t symbol_count, orders;
};

/* Does a moment belong to the day that is asked for? */
bool day_has(const struct oms *oms, int64_t at_ns);
/* How far back a look must reach: as far as given, and to the beginning of the day that is asked
 * for, if one is. */
int64_t day_since(const struct oms *oms, int64_t since_ns);
/* Is it an order of that day that the broker has had? False when no day is asked for. */
bool day_expects(const struct oms *oms, const struct order *order);

/* Appends what only a look at the whole day shows, and fills *day. False: no memory, or *code is no
 * longer OMS_OK: fail-stop. */
bool day_compare(struct oms *oms, const struct day_picture *picture, struct day *day,
                 struct reconcile_found *found, enum oms_code *code, struct oms_error *error);
/* What it counted, in a line. Returns out. */
char *day_summary(const struct oms *oms, const struct day *day, char out[OMS_REASON_SIZE]);
/* The comparison is durable: what it saw is kept for oms_daily, *day is emptied, and the day is asked
 * for no more unless something of it is looked at again. Nothing when none was asked for. */
void day_done(struct oms *oms, const struct oms_run *run, struct day *day,
              const struct reconcile_found *found);
void day_free(struct day *day);

#endif
