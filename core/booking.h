/* Booking what the broker executed: execution, position and order move together (5). */
#ifndef CORE_BOOKING_H
#define CORE_BOOKING_H

#include "core/engine.h"

/* Does an execution fit the order it names? If not, `why` (OMS_REASON_SIZE) says what is wrong. */
bool booking_fits(const struct order *order, const struct broker_fill *fill, char *why);

/* Books one execution, in the open transaction; what the broker lists of the order
 * (order->listed) says where that takes it. */
enum oms_code booking_execution(struct oms *oms, struct order *order,
                                const struct broker_fill *fill, struct oms_error *error);

#endif
