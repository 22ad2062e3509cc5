/* Booking what the broker executed: execution, position and order move together (5). */
#ifndef CORE_BOOKING_H
#define CORE_BOOKING_H

#include "core/engine.h"

/* Does an execution, or a correction of one that is booked, fit the order it names? If not, `why`
 * (OMS_REASON_SIZE) says what is wrong. */
bool booking_fits(struct oms *oms, const struct order *order, const struct broker_fill *fill,
                  char *why);

/* The execution that a correction corrects, as it counts now. SQLITE_ROW, SQLITE_DONE when it is not
 * booked, or an error. */
int booking_corrected(struct oms *oms, const struct broker_fill *correction,
                      struct broker_fill *was);

/* Books one execution or correction that fits, in the open transaction; what the broker lists of the
 * order (order->listed) says where that takes it. */
enum oms_code booking_execution(struct oms *oms, struct order *order,
                                const struct broker_fill *fill, struct oms_error *error);

/* Makes the quantity of a position the broker's, in the open transaction of a comparison: a row of
 * `fills` that belongs to no order and is named after the comparison, at the broker's average price,
 * with the evidence in the journal. Nothing when the quantities are equal. */
enum oms_code booking_adjustment(struct oms *oms, const struct oms_run *run,
                                 const struct broker_position *theirs, struct oms_error *error);

#endif
