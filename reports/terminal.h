/* Report for people: judgement first, then the story, then how to see it again. */
#ifndef REPORTS_TERMINAL_H
#define REPORTS_TERMINAL_H

#include "reports/result.h"

#include <stdbool.h>
#include <stdio.h>

struct report_terminal {
    FILE *out;
    bool color;      /* escape sequences for colors */
    bool progress;   /* one line that is overwritten while work goes on */
    bool line_shown; /* a progress line stands there and must be wiped first */
    bool brief;      /* one line per message, for editors: FILE:LINE:1: error: ... [code] */
};
/* Colors and progress only when `out` is a terminal and NO_COLOR is not set (no_color: its value).
 */
struct report_terminal report_terminal(FILE *out, const char *no_color);

/* "  12 of 61  title" (of = 0: "  12  title"); nothing unless progress is on. */
void report_terminal_progress(struct report_terminal *report, uint64_t done, uint64_t of,
                              const char *title);
/* A PASS line, or the block of a failure. */
void report_terminal_run(struct report_terminal *report, const struct report_run *run);
/* A story by itself, for a run that was asked for and holds. */
void report_terminal_story(struct report_terminal *report, const struct report_event *events,
                           size_t count);
/* Text that a command wrote, as it is but for what could move the cursor. */
void report_terminal_text(struct report_terminal *report, const char *text);
/* The last line: what was done even when all is well. */
void report_terminal_totals(struct report_terminal *report, const struct report_totals *totals);

#endif
