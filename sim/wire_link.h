/* Sockets without a kernel, and the libc functions that stand in for it.
 *
 *      library --fd--> recv, send, poll, ... of libc, defined here --> memory <-- relay
 *
 * A link is a stream between a library that knows it by a descriptor and a relay that calls the
 * functions below. The descriptor is really reserved (an unconnected socket that nobody connects),
 * so no other file gets its number, and a call that is not stood in for fails on it. What a library
 * sees of a link is what a connected stream socket shows that never blocks. Calls on any other
 * descriptor are the real system calls. */
#ifndef SIM_WIRE_LINK_H
#define SIM_WIRE_LINK_H

#include "sim/port.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes under way in one direction; a writer finds no more room until they are read. */
enum { WIRE_LINK_ROOM = 64 * 1024 };

/* Shows port->now as the time of every clock; NULL: real clocks again. */
void wire_link_clock(struct port *port);

/* The library's end of a new link, which the library closes with close(); -1: no descriptor.
 * `refuse`: its connect fails. */
int wire_link_open(bool refuse);

/* The relay's end, by the library's descriptor, until wire_link_hang_up. */

/* Writes what there is room for; 0 also when the library has closed. Returns how many bytes. */
size_t wire_link_put(int fd, const char *bytes, size_t n);
/* Takes all that the library wrote; *bytes is valid until the next call about a link. False:
 * nothing is there, and nothing more will come. */
bool wire_link_take(int fd, const char **bytes, size_t *n);
/* The relay lets go. The library reads what was put, then the end; when `reset`, or when something
 * that it wrote was not taken, then ECONNRESET. */
void wire_link_hang_up(int fd, bool reset);

/* Gives back the descriptors of links that both ends have let go. */
void wire_link_forget(void);

#endif
