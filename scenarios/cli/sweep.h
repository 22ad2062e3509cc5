/* Sweeps as a part of the gate. */
#ifndef SCENARIOS_CLI_SWEEP_H
#define SCENARIOS_CLI_SWEEP_H

#include "fuzz/sweep.h"
#include "scenarios/cli/suite.h"

#include <stdio.h>
#include <sys/types.h>

/* Scenarios with this tag are small, and swept by the gate. */
#define SWEEP_TAG "sweep"

/* Sweeps under way in a process of their own. */
struct sweep_aside {
    pid_t pid;
    FILE *told, *counted;
};

/* Starts to sweep them in all configurations, in a process aside. */
struct sweep_aside sweep_begin(struct suite *suite, const struct suite_paths *paths);
/* Waits for it, and prints what broke in full and one line over all. The sums over all kinds of
 * faults. */
struct sweep_count sweep_end(struct sweep_aside *aside, struct suite *suite);

#endif
