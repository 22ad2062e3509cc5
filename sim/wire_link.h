/* The libc functions that the wire stands in for: connect, getpeername, getsockname on its own
 * descriptors, and clock_gettime while a life runs. Everything else is the real system call. */
#ifndef SIM_WIRE_LINK_H
#define SIM_WIRE_LINK_H

#include "sim/port.h"

#include <stdbool.h>

/* Shows port->now as the time of every clock; NULL: real clocks again. */
void wire_link_clock(struct port *port);

/* From now on `fd` is one of ours: connect succeeds, or is refused. Descriptors beyond the table's
 * size are not taken: false. */
bool wire_link_own(int fd, bool refuse);
void wire_link_disown(int fd);

#endif
