/* The seeded sweep as one more oracle of planted bugs: it is told nothing of them. */
#ifndef SCENARIOS_CLI_KNOWN_BAD_SWEEP_H
#define SCENARIOS_CLI_KNOWN_BAD_SWEEP_H

#include "sim/sut/sut.h"

#include <stdbool.h>
#include <stdint.h>

enum { KNOWN_BAD_SWEPT_SIZE = 8 };

struct known_bad_seeds {
    uint64_t first, last; /* both included */
    unsigned jobs;        /* 1 .. CAMPAIGN_JOBS_MAX; the answer does not depend on them */
};
struct known_bad_swept {
    char breaks[KNOWN_BAD_SWEPT_SIZE]; /* "I3"; "stops": the program broke; "": nothing did */
    uint64_t seed;                     /* the lowest that breaks something */
};

/* Plays the seeds against one OMS until it is known which is the lowest that breaks something.
 * Needs disk_vfs_register. False: the environment failed. */
bool known_bad_sweep(const struct sut *sut, const struct known_bad_seeds *seeds,
                     struct known_bad_swept *swept, char why[SUT_WHY_SIZE]);

#endif
