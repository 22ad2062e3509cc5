/* Report for programs: one JSON object a line. */
#ifndef REPORTS_JSON_H
#define REPORTS_JSON_H

#include "reports/result.h"

#include <stdbool.h>
#include <stdio.h>

struct cJSON;
struct cJSON *report_json_of_run(const struct report_run *run); /* NULL: no memory */
/* The way back: every text is passed through keep(ctx, text), which returns a copy that lives as
 * long as is needed; findings and their events are freed with report_run_free. False: `object` is
 * no such run, or there is no memory; *run is empty. */
typedef const char *report_keep(void *ctx, const char *text);
bool report_json_to_run(const struct cJSON *object, report_keep *keep, void *ctx,
                        struct report_run *run);

/* {"type":"run",...}, {"type":"totals",...}. False: memory or `out` failed. Counters are strings
 * where they need 64 bits (the fingerprint, in hexadecimal), numbers elsewhere. */
bool report_json_run(FILE *out, const struct report_run *run);
bool report_json_totals(FILE *out, const struct report_totals *totals);

#endif
