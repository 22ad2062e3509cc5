/* The canonical form, a line at a time: what printer and formatter share. Nobody outside
 * scenarios/lang includes it.
 *
 * Headers have their word in a column of ten; times have one that fits the longest of the scenario.
 * No call writes the end of the line. */
#ifndef SCENARIOS_LANG_PRINTER_H
#define SCENARIOS_LANG_PRINTER_H

#include "scenarios/lang/ast.h"

void printer_title(const struct scenario *s, FILE *out);
/* One of those that are written once: TAGS to ORIGIN. */
void printer_header(const struct scenario *s, enum scn_header header, FILE *out);
void printer_option(const struct scenario *s, enum scn_option option, FILE *out);
void printer_given(const struct scenario *s, const struct scn_given *given, FILE *out);
void printer_decision(const struct scenario *s, const struct scn_decision *decision, FILE *out);
void printer_use(const char *path, FILE *out);
/* Width of the column of times. */
int printer_time_width(const struct scenario *s);
void printer_line(const struct scenario *s, const struct scn_line *line, int width, FILE *out);
/* `always`, `finally`, `reach`: they stand in a paragraph of their own. */
bool printer_is_timeless_check(const struct scn_line *line);

#endif
