/* Sweeps, and what the gate needs of them. */
#ifndef SCENARIOS_CLI_SWEEP_H
#define SCENARIOS_CLI_SWEEP_H

#include "fuzz/sweep.h"
#include "scenarios/cli/suite.h"

/* Scenarios with this tag are small, and swept by the gate. */
#define SWEEP_TAG "sweep"

bool sweep_is_tagged(const struct scenario *scenario);

/* Sweeps one configuration; tells it in full when something broke, and when `all` is set. Adds to
 * the counts and sets the suite's exit code. False: it did not pass; *result says how. */
bool sweep_configuration(struct suite *suite, const char *path, const struct scenario *scenario,
                         const struct run_config *config, bool all, struct sweep_result *result);
/* The first that broke something, or why nothing could be swept, as a report. */
void sweep_describe(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config, const struct sweep_result *result,
                    struct report_run *run);

#endif
