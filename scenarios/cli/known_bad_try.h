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

/* Tries the bug in the file at `path` (which lives as long as the suite), built in the folder
 * `variants`, and adds it to the suite's reports; `whole`: every oracle is asked, not only what
 * breaks first. *bug is what came of it; its texts live as long as the suite. */
void known_bad_try(struct suite *suite, struct core_held_list *held, const char *path,
                   const char *variants, bool whole, struct report_planted *bug);

#endif
