/* The gate's fixed seeds: timelines that are the same everywhere, some hundred a unit. */
#ifndef SCENARIOS_CLI_GATE_SEEDS_H
#define SCENARIOS_CLI_GATE_SEEDS_H

#include "scenarios/cli/record.h"
#include "scenarios/cli/suite.h"

/* Plays the seeds that the unit names, and fills its record: a finding for each invariant that broke,
 * by the lowest seed at which it did. Returns an exit code: EXIT_PASS, or why nothing can be said;
 * told on standard error. */
int gate_seeds_play(struct suite *suite, const struct work_unit *unit, struct record *record);

/* Plays seeds from `first` on until figure_wall_s() is `until`, on `jobs` processes, and tells which
 * they were, what broke, and how to see it again. The suite stays as it is, but for its texts. */
void gate_seeds_fresh(struct suite *suite, uint64_t first, double until, unsigned jobs);

/* "crashgate fuzz --seeds 17", with the OMS that the options name; lives as long as the suite. */
const char *gate_seeds_command(struct suite *suite, uint64_t first, uint64_t last);

#endif
