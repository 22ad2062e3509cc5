/* The gate's extra part: what time is left looks further, and never changes the verdict.
 *
 * The counted part decides, so that the same commit has the same verdict on every machine. How much
 * is tried beyond it depends on the machine: what is found here is told, to be looked into. */
#ifndef SCENARIOS_CLI_GATE_EXTRA_H
#define SCENARIOS_CLI_GATE_EXTRA_H

#include "scenarios/cli/suite.h"

/* Reads --budget: seconds, 0 when it is not given. False: said on standard error. */
bool gate_extra_budget(const struct options *options, unsigned long *seconds);

/* For half of the time scenarios that draw from their seed, with other ones; for the rest of it
 * timelines of seeds that nobody has played, on `jobs` processes: where they begin is drawn from the
 * machine's chance, and told with the command that plays the same again. Leaves the suite's exit code
 * and reports as they are. */
void gate_extra(struct suite *suite, const struct suite_paths *paths, unsigned long seconds,
                unsigned jobs);

#endif
