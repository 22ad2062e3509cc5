/* The gate's manifest: how much a gate run must have tried, so that it cannot shrink unseen. */
#ifndef SCENARIOS_CLI_MANIFEST_H
#define SCENARIOS_CLI_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MANIFEST_WHY_SIZE = 400 };

/* id and name, what it counts */
#define MANIFEST_COUNTS(X)                                             \
    X(scenarios, "scenarios of which at least one run was made")       \
    X(runs, "runs of all scenarios in all configurations")             \
    X(crash_points, "distinct places where quantified crashes struck") \
    X(lives, "starts of the OMS")                                      \
    X(faults_fired, "faults that struck")                              \
    X(closed, "explorations that were closed")                         \
    X(crash_worlds, "worlds that crashes left in explorations")        \
    X(swept, "allocations and port calls that failed in sweeps")       \
    X(known_bad, "planted bugs that were caught")

struct manifest {
#define X(name, meaning) uint64_t name;
    MANIFEST_COUNTS(X)
#undef X
};

/* Reads lines "name number", each name of the table once, numbers above 0; '#' begins a comment.
 * False: `why` names the line and the rule, or what is missing. */
bool manifest_parse(const char *text, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]);
bool manifest_read(const char *path, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]);

/* Says on `out` which counts are below what was promised, and what to do. True: none. */
bool manifest_kept(const struct manifest *promised, const struct manifest *counted,
                   const char *path, FILE *out);

#endif
