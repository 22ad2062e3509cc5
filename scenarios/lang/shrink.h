/* Shrinking: what of a failing run's plan can be put back to "nothing goes wrong" while the same
 * code still breaks. */
#ifndef SCENARIOS_LANG_SHRINK_H
#define SCENARIOS_LANG_SHRINK_H

#include "scenarios/lang/run.h"

enum { SHRINK_RUNS_MAX = 2000 };

struct shrunk {
    char code[RUN_CODE_SIZE]; /* what breaks; "": the plan breaks nothing, or does not fit (why) */
    struct plan plan;         /* no item, no pair of them, and no larger value of one is needed */
    unsigned long runs;       /* that it took */
    bool bound;               /* SHRINK_RUNS_MAX was hit: perhaps it could be smaller */
    char why[SUT_WHY_SIZE];
};

/* Items are left out one after the other, then in pairs; then what survives a power loss and the
 * arguments of faults are made smaller; again, until nothing helps. Always the same for the same
 * plan. options->plan is not looked at. */
void shrink(const struct scenario *scenario, const struct run_config *config,
            const struct run_options *options, const struct plan *plan, struct shrunk *shrunk);

#endif
