/* Report for programs: one JSON object a line. */
#ifndef REPORTS_JSON_H
#define REPORTS_JSON_H

#include "reports/result.h"

#include <stdbool.h>
#include <stdio.h>

/* {"type":"run",...}, {"type":"totals",...}. False: memory or `out` failed. Counters are strings
 * where they need 64 bits (the fingerprint, in hexadecimal), numbers elsewhere. */
bool report_json_run(FILE *out, const struct report_run *run);
bool report_json_totals(FILE *out, const struct report_totals *totals);

#endif
