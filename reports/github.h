/* Report for GitHub Actions: annotations at the scenarios' lines, and a step summary. */
#ifndef REPORTS_GITHUB_H
#define REPORTS_GITHUB_H

#include "reports/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Annotations of one level that a step may make, and bytes that its summary may have (1 MiB, less a
 * margin for what other commands of the step write). */
enum { REPORT_GITHUB_ANNOTATIONS = 10, REPORT_GITHUB_SUMMARY_MAX = 1000 * 1000 };

/* Is this run known already? Then it is told as a notice. NULL: nothing is known. */
typedef bool report_known(const void *ctx, const struct report_run *run);

/* Workflow commands: an error for each run that failed, a warning for each that is inconclusive, a
 * notice for each that is known; where there are more than are shown, the last one says how many. */
void report_github_annotations(FILE *out, const struct report_run *runs, size_t count,
                               report_known *known, const void *ctx);

/* The summary as Markdown, cut with a word about it so that it has at most `room` bytes. `verdict`:
 * the command's last line. */
void report_github_summary(FILE *out, const char *verdict, const struct report_run *runs,
                           size_t count, report_known *known, const void *ctx, size_t room);

#endif
