/* Many planted bugs on all cores. */
#ifndef SCENARIOS_CLI_KNOWN_BAD_CREW_H
#define SCENARIOS_CLI_KNOWN_BAD_CREW_H

#include "scenarios/cli/known_bad_try.h"

#include <stddef.h>

struct known_bad_crew {
    struct suite *suite;
    const struct known_bad_how *how;
    const char *const *paths;    /* of the planted bugs, which live as long as the suite */
    struct report_planted *bugs; /* what came of each; its texts live as long as the suite */
    size_t count;
    unsigned jobs; /* processes; nothing but time depends on how many */
    /* Called with each, in the order of `paths`, once it and all before it are done. What its trial
     * printed was printed, and it is in the suite's reports. */
    void (*each)(void *ctx, size_t place);
    void *ctx;
};

/* Tries them all, those of one scenario in one process, as they share what is asked of the core. Sets
 * the suite's exit code; a bug whose process ended early has not been caught. */
void known_bad_crew_run(const struct known_bad_crew *crew);

#endif
