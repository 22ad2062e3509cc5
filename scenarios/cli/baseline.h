/* Findings that are known: a list in the tree, so that only new ones fail.
 *
 * A finding is known by what broke, in which scenario and configuration: never by a line, a time, an
 * address or a folder, which move. */
#ifndef SCENARIOS_CLI_BASELINE_H
#define SCENARIOS_CLI_BASELINE_H

#include "reports/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { BASELINE_FINGERPRINT_SIZE = 17, BASELINE_WHY_SIZE = 600 };

/* Of a finding with that code in a run that is described but for its findings. `what` broke: numbers
 * in it that stand by themselves do not count. */
void baseline_fingerprint(const struct report_run *run, const char *code, const char *what,
                          char out[BASELINE_FINGERPRINT_SIZE]);

struct baseline;
/* NULL: `why` names the file, the place and the rule. Release with baseline_free. */
struct baseline *baseline_read(const char *path, char why[BASELINE_WHY_SIZE]);
void baseline_free(struct baseline *baseline);

/* A run that failed, and of which every finding is known. A baseline that is NULL knows nothing. */
bool baseline_knows(const struct baseline *baseline, const struct report_run *run);
/* A line for each finding that is new, known or fixed, and one over all; nothing without a baseline.
 * Fixed is what was tried again and did not break; with `all`, everything was tried, so that what was
 * not even met is gone. */
void baseline_tell(const struct baseline *baseline, const struct report_run *runs, size_t count,
                   bool all, FILE *out);
/* Writes what was found as a baseline, whole or not at all. False: errno says what failed. */
bool baseline_write(const char *path, const struct report_run *runs, size_t count);

#endif
