/* Report for code scanning: SARIF 2.1.0, a result for each run that did not pass, with its story as
 * a code flow through the scenario's lines. */
#ifndef REPORTS_SARIF_H
#define REPORTS_SARIF_H

#include "reports/result.h"

#include <stdbool.h>
#include <stdio.h>

/* Most results in one file: those that read it show no more. How many were left out is told in the
 * run's properties ("resultsLeftOut"). */
enum { REPORT_SARIF_RESULTS_MAX = 5000 };

/* Writes the whole document. `version`: the program's. `meaning` says what a code ("I1") means, or
 * returns NULL. False: memory or `out` failed. */
bool report_sarif(FILE *out, const char *version, const char *(*meaning)(const char *code),
                  const struct report_run *runs, size_t count);

#endif
