/* What a gate's results come to, for people: the same words whoever did the work, and wherever. */
#ifndef SCENARIOS_CLI_GATE_TELL_H
#define SCENARIOS_CLI_GATE_TELL_H

#include "scenarios/cli/explore.h"
#include "scenarios/cli/results.h"
#include "scenarios/cli/suite.h"

/* How the gate explores. */
struct explore_options gate_explores(const struct options *options);

/* What is not a bug that stays fixed, and one line for the bug base. */
void gate_tell_bugs(struct suite *suite, const struct results *results);
/* One line for all that was run of the file that unit `first` is about; before it, in full, what
 * failed. Returns the first unit after it. */
size_t gate_tell_file(struct suite *suite, const struct results *results, size_t first);
void gate_tell_files(struct suite *suite, const struct results *results);
/* Faults, planted bugs, repeats, sweeps, seeds, explorations. */
void gate_tell_rest(struct suite *suite, const struct results *results);
/* What was promised and not kept, what is new, known and fixed, and the verdict in one line; sets
 * the suite's exit code, and gives the reports to it. Results that are not complete name what is
 * missing, and are inconclusive at best. */
void gate_verdict(struct suite *suite, struct results *results);
/* The verdict of one shard, by its own results. */
void gate_shard_verdict(struct suite *suite, struct results *results, struct work_shard shard);

#endif
