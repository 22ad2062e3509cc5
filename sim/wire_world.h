/* The exchange of a world, as the wire's HTTP handlers need it. */
#ifndef SIM_WIRE_WORLD_H
#define SIM_WIRE_WORLD_H

#include "sim/wire.h"
#include "sim/world.h"

/* Fills *exchange over `world`, which is borrowed and must outlive it. */
void wire_world(struct wire_exchange *exchange, struct world *world);

#endif
