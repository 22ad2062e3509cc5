/* What a shard's units of work are made from, and in which order they are begun: the list that a crew
 * takes its tasks from.
 *
 * Bugs come first, being cheap; then what takes long, so that no process is left with it at the end;
 * then the runs of all scenarios. Repeats follow in a list of their own, once what they repeat is
 * there. */
#ifndef SCENARIOS_CLI_GATE_TASKS_H
#define SCENARIOS_CLI_GATE_TASKS_H

#include "scenarios/cli/bug.h"
#include "scenarios/cli/suite.h"
#include "scenarios/cli/work.h"

/* A unit and what is needed to do it. The sample of planted bugs is one task: they are tried beside
 * the same runs of the core. */
struct gate_task {
    const struct work_unit *unit;    /* of the sample, the first */
    const struct scenario *scenario; /* NULL: it is about none */
    struct run_config config;
    const struct bug *bug; /* NULL: it is none */
};

struct gate_tasks {
    struct gate_task *v;
    size_t n, cap;
    size_t repeats_from; /* those before it can be done in any order; the others after them */
    struct scenario_file *files;
    size_t file_count;
    struct bugs bugs;
};

/* Makes the list for a shard. False: a file has changed meanwhile; said on standard error. Release with
 * gate_tasks_free. */
bool gate_tasks_make(struct suite *suite, const struct suite_paths *paths, const char *base,
                     const struct work *work, struct work_shard shard, struct gate_tasks *tasks);
void gate_tasks_free(struct gate_tasks *tasks);

#endif
