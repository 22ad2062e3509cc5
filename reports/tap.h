/* Report for harnesses: TAP version 14, a test point for each scenario in each configuration. */
#ifndef REPORTS_TAP_H
#define REPORTS_TAP_H

#include "reports/result.h"

#include <stdio.h>

/* Writes the whole document. What did not pass has its code, story and command in a YAML block. */
void report_tap(FILE *out, const struct report_run *runs, size_t count);

#endif
