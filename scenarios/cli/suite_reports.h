/* What a suite leaves behind besides its words: reports for other programs, and the baseline. */
#ifndef SCENARIOS_CLI_SUITE_REPORTS_H
#define SCENARIOS_CLI_SUITE_REPORTS_H

#include "scenarios/cli/suite.h"

/* Writes every report that the options ask for and closes the one that was written on the way. What
 * cannot be written is said on standard error and is the environment's fault. */
void suite_write_reports(struct suite *suite);

#endif
