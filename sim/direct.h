/* The direct door: the broker port straight onto the exchange, with the same faults as the wire. */
#ifndef SIM_DIRECT_H
#define SIM_DIRECT_H

#include "core/broker.h"
#include "sim/port.h"
#include "sim/world.h"

struct direct {
    struct world *world;
    struct port *port;
};

/* A broker port over world and port, both borrowed; `direct` must outlive the broker. */
struct broker direct_broker(struct direct *direct, struct world *world, struct port *port);

#endif
