/* One planted bug: run or explored beside the core, and what came of it. */
#ifndef SCENARIOS_CLI_KNOWN_BAD_TRY_H
#define SCENARIOS_CLI_KNOWN_BAD_TRY_H

#include "reports/matrix.h"
#include "scenarios/cli/known_bad.h"

/* Where the core was seen to hold; bugs that share a configuration need it once. Start from all
 * zero, release `v` with free. */
struct core_held {
    const char *file;
    int line;
    struct run_config config;
    bool explored;
    enum explore_delays restarts;
    unsigned faults;
};
struct core_held_list {
    struct core_held *v;
    size_t n, cap;
};

/* What is asked of one planted bug. */
struct known_bad_how {
    const char *variants; /* the folder in which it was built */
    bool whole;           /* every oracle is asked, not only what breaks first */
    bool
        alone; /* until it is found, and no further: the core beside it is not asked, nor restarts that
                   are to miss it */
    const struct known_bad_seeds *seeds; /* the sweep is asked, too; NULL: it is not */
};

/* Tries the bug in the file at `path` (which lives as long as the suite), and adds it to the suite's
 * reports. *bug is what came of it; its texts live as long as the suite. */
void known_bad_try(struct suite *suite, struct core_held_list *held, const char *path,
                   const struct known_bad_how *how, struct report_planted *bug);
/* The same of a bug that whoever tried it cannot tell of any more. */
void known_bad_lost(struct suite *suite, const char *path, const char *why,
                    struct report_planted *bug);
/* The OMS that it is, as --oms takes it and loaded. False: `why` says why not. */
bool known_bad_oms(struct suite *suite, const struct known_bad *bad, const char *variants,
                   const char **oms, const struct sut **sut, char why[KNOWN_BAD_WHY_SIZE]);

#endif
