/* Does the same run go the same way? Many repeats of a sample of runs, here and in other processes.
 *
 * The sample is every told story, in every configuration through both doors, and, of every story
 * with quantifiers, two of the runs they ask for, each with one crash or fault that a seed picks:
 * the same sample in every process and every build. */
#ifndef SCENARIOS_CLI_REPEATS_H
#define SCENARIOS_CLI_REPEATS_H

#include "scenarios/cli/suite.h"

/* Runs the sample once, then `repeats` runs of it, round after round, then in other processes; says
 * what differs, with the first event that does, or that nothing did, and one digest of all
 * fingerprints, which every build has to agree on. With --fingerprints it writes those instead, one
 * a line, and repeats nothing. Sets the suite's exit code. */
void repeats_run(struct suite *suite, const struct suite_paths *paths, unsigned long repeats);

#endif
