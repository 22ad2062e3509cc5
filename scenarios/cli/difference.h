/* What differs between two runs of the same. */
#ifndef SCENARIOS_CLI_DIFFERENCE_H
#define SCENARIOS_CLI_DIFFERENCE_H

#include "scenarios/cli/suite.h"

/* Runs it twice more, recording every event, and prints the first that differs; *plan (NULL: all
 * runs) says which runs. False: this time nothing differed; said, too. */
bool difference_print(struct suite *suite, const struct scenario *scenario,
                      const struct run_config *config, const struct plan *plan);

#endif
