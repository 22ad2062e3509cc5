/* The gate's manifest: how much a gate run must have tried, so that it cannot shrink unseen. */
#ifndef SCENARIOS_CLI_MANIFEST_H
#define SCENARIOS_CLI_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MANIFEST_WHY_SIZE = 400 };

/* id and name, the least it may promise, what it counts */
#define MANIFEST_COUNTS(X)                                                   \
    X(bugs, 0, "bugs of the base that were played")                          \
    X(scenarios, 1, "scenarios of which at least one run was made")          \
    X(runs, 1, "runs of all scenarios in all configurations")                \
    X(crash_points, 1, "distinct places where quantified crashes struck")    \
    X(lives, 1, "starts of the OMS")                                         \
    X(faults_fired, 1, "faults that struck")                                 \
    X(closed, 1, "explorations that were closed")                            \
    X(crash_worlds, 1, "worlds that crashes left in explorations")           \
    X(swept, 1, "allocations and port calls that failed in sweeps")          \
    X(seeds, 1, "fixed seeds that were played; the manifest says which")     \
    X(canary, 1, "of those, seeds that showed the mistake of seed-protocol") \
    X(known_bad, 1, "planted bugs that were caught")

struct manifest {
#define X(name, least, meaning) uint64_t name;
    MANIFEST_COUNTS(X)
#undef X
    uint64_t first_seed, last_seed; /* both included; where it was read from a file */
    int seeds_line;
};

/* Reads lines "name number", each name of the table once, and "seeds A..B"; '#' begins a comment.
 * False: `why` names the line and the rule, or what is missing. */
bool manifest_parse(const char *text, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]);
bool manifest_read(const char *path, struct manifest *manifest, char why[MANIFEST_WHY_SIZE]);

/* Says on `out` which counts are below what was promised, and what to do. True: none. */
bool manifest_kept(const struct manifest *promised, const struct manifest *counted,
                   const char *path, FILE *out);

#endif
