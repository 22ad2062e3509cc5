/* Doing the gate's units of work, one task at a time. */
#ifndef SCENARIOS_CLI_GATE_UNITS_H
#define SCENARIOS_CLI_GATE_UNITS_H

#include "scenarios/cli/gate_tasks.h"
#include "scenarios/cli/results.h"
#include "scenarios/cli/suite.h"

#include <stdio.h>

struct gate_units {
    struct suite *suite;
    struct results *results; /* what is there already; repeats look up what they repeat */
    struct work_shard shard;
};

/* Does a task and writes a record of each of its units to `made`, a line each. Nothing is told, and the
 * suite is as before but for its texts. Returns an exit code: EXIT_PASS, or why there is no
 * record; said on standard error. */
int gate_units_do(const struct gate_units *gate, const struct gate_task *task, FILE *made);

/* Reads such lines, and adds their records to the results. False: they are not whole. */
bool gate_units_take(const struct gate_units *gate, const char *made, size_t length);

#endif
