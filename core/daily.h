/* One trading day held against the broker's: a pure function of two lists of orders and executions.
 *
 * Nothing here reads a clock, a store or a broker, and nothing is changed. Executions are given as
 * they count: busted ones are left out, corrected ones have the correction's quantity and price.
 * What is found is told in the words of the seven types (core/oms.h), with the order or execution it
 * is about in `ref`:
 *
 *   MISSING_IN_BROKER   an order or an execution that we have and the broker does not   CRITICAL;
 *                       WARNING for an order of which nothing was executed
 *   UNKNOWN_FILL        an execution of an order of ours that is not booked             CRITICAL
 *   QUANTITY_MISMATCH   an order or an execution has another executed quantity          CRITICAL
 *   PRICE_MISMATCH      an execution has another price, or the day another profit       WARNING
 *   ORPHAN_ORDER        an order that has ended here and is open at the broker          WARNING
 */
#ifndef CORE_DAILY_H
#define CORE_DAILY_H

#include "core/reconcile.h"

/* An order of ours that the broker must know. */
struct daily_order {
    const char *symbol, *broker_order_id;
    int64_t filled_nanos; /* booked, what this comparison is about to book included */
    bool ended;
    const struct broker_order *listed; /* as the broker has it; NULL: it does not */
};

struct daily_sides {
    const struct daily_order *orders;
    size_t order_count;
    /* Each side's executions, by symbol, time and execution id. Not told: both are empty. */
    const struct broker_fill *ours, *theirs;
    size_t our_count, their_count;
    const struct position *begins; /* as the day began, by symbol: every symbol of an execution */
    size_t begin_count;
    const char *name; /* of the day, for words: "2026-01-09" */
};

/* Appends what it finds, orders first, then executions, then profits, each in the order given;
 * `symbols` gets one row for each of `begins` that was executed in, by symbol, and has room for all.
 * False: no memory, or more than RECONCILE_FOUND_MAX findings. */
bool daily_compare(const struct daily_sides *sides, struct reconcile_found *found,
                   struct oms_daily_symbol symbols[], size_t *symbol_count);

#endif
