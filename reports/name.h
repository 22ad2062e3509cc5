/* What a report calls a run, and what broke in it: the same words in every form. */
#ifndef REPORTS_NAME_H
#define REPORTS_NAME_H

#include "reports/result.h"

enum { REPORT_NAME_SIZE = 400 };

/* "core, alpaca, kill, direct". Returns out. */
const char *report_configuration(const struct report_run *run, char out[REPORT_NAME_SIZE]);
/* The code of what is wrong ("I1", "inconclusive"), and what: its finding's, or its note's. */
const char *report_code(const struct report_run *run);
const char *report_what(const struct report_run *run);
/* The line of the scenario file that it is about. */
int report_line(const struct report_run *run);

#endif
