/* The gate's extra part: what time is left looks further, and never changes the verdict.
 *
 * The counted part decides, so that the same commit has the same verdict on every machine. How much
 * is tried beyond it depends on the machine: what is found here is told, to be looked into. */
#ifndef SCENARIOS_CLI_GATE_EXTRA_H
#define SCENARIOS_CLI_GATE_EXTRA_H

#include "scenarios/cli/suite.h"

/* What can be tried for ever: round 0, 1, 2 ... */
struct extra {
    const char *what; /* "with other seeds": what is done, for people */
    /* Tries one round and tells what it finds, until `spent` says so. Returns how many runs it made;
     * 0: there is nothing (more) to try. Findings are added to *found. */
    unsigned long (*round)(void *ctx, unsigned long number, bool (*spent)(const void *until),
                           const void *until, unsigned long *found);
    void *ctx;
};

/* Reads --budget: seconds, 0 when it is not given. False: said on standard error. */
bool gate_extra_budget(const struct options *options, unsigned long *seconds);

/* Tries scenarios that draw from their seed with other ones, for so long. Leaves the suite's exit
 * code and reports as they are. */
void gate_extra(struct suite *suite, const struct suite_paths *paths, unsigned long seconds);

#endif
