/* One canonical form for files that people wrote: every statement as the printer writes it, in the
 * order it was written, with its comments and the blank lines between paragraphs. */
#ifndef SCENARIOS_LANG_FORMAT_H
#define SCENARIOS_LANG_FORMAT_H

#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"

/* The canonical form of a text, which parses to equal scenarios and is its own canonical form; the
 * caller frees it. NULL: the text has mistakes, appended to `diags`. `name` is what messages call
 * it, and `use` looks beside it. */
char *scenario_format(const char *name, const char *text, size_t length, size_t *formatted_length,
                      struct diags *diags);

#endif
