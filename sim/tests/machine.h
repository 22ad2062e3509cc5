/* The oms program on the simulated machine: the calls into liboms that core/live/cli.c makes for each
 * of its commands, over the simulated disk and the simulated wire. For tests that hold the simulation
 * against the real program. */
#ifndef SIM_TESTS_MACHINE_H
#define SIM_TESTS_MACHINE_H

#include "core/env.h"
#include "sim/wire_world.h"

#include <stdint.h>

#define MACHINE_STORE "oms.db"

/* Where the program runs; all borrowed. */
struct machine {
    struct world *world;
    const struct wire_exchange *exchange;
    struct wire *wire;
    struct port *port;
    struct oms_env env;
};

/* Each is a process with a beginning and an end. When its port dies it gets no further, unwinds, and
 * leaves what a kill leaves; the port is alive again afterwards. Anything else that goes wrong fails
 * the test. `seed`: of SQLite's randomness. */
void machine_init(const struct machine *on, int page_size, uint64_t seed); /* oms init */
void machine_submit(const struct machine *on,
                    uint64_t seed); /* oms submit D1 buy 100 AAPL limit 150 */
void machine_reconcile(const struct machine *on, uint64_t seed); /* oms reconcile */

#endif
