/* Sweeps as a part of the gate. */
#ifndef SCENARIOS_CLI_SWEEP_H
#define SCENARIOS_CLI_SWEEP_H

#include "fuzz/sweep.h"
#include "scenarios/cli/aside.h"
#include "scenarios/cli/suite.h"

/* Scenarios with this tag are small, and swept by the gate. */
#define SWEEP_TAG "sweep"

/* Sweeps under way in a process of their own. */
struct sweep_aside {
    struct suite *suite; /* borrowed, as are the paths, until sweep_end */
    const struct suite_paths *paths;
    struct aside process;
};

/* Starts to sweep them in all configurations, in a process aside. */
struct sweep_aside sweep_begin(struct suite *suite, const struct suite_paths *paths);
/* Waits for it, and prints what broke in full and one line over all. The sums over all kinds of
 * faults. */
struct sweep_count sweep_end(struct sweep_aside *aside);

#endif
