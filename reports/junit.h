/* Report for CI servers: JUnit XML, one testcase for each scenario in each configuration. */
#ifndef REPORTS_JUNIT_H
#define REPORTS_JUNIT_H

#include "reports/result.h"

#include <stdio.h>

/* Writes the whole document. Inconclusive is a failure of type "inconclusive": not green. */
void report_junit(FILE *out, const struct report_run *runs, size_t count);

#endif
