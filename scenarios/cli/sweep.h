/* Sweeps as a part of the gate. */
#ifndef SCENARIOS_CLI_SWEEP_H
#define SCENARIOS_CLI_SWEEP_H

#include "fuzz/sweep.h"
#include "scenarios/cli/suite.h"

/* Scenarios with this tag are small, and swept by the gate. */
#define SWEEP_TAG "sweep"

/* Sweeps them in all configurations, prints what broke in full and one line over all. The sums over
 * all kinds of faults. */
struct sweep_count sweep_tagged(struct suite *suite, const struct suite_paths *paths);

#endif
