/* Manual pages and shell completions of both programs, made from the tables that read their command
 * lines. The language's page is made from `crashgate reference` (Makefile, install). */
#ifndef SCENARIOS_CLI_MANUAL_H
#define SCENARIOS_CLI_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

/* page, what it is */
#define MANUAL_PAGES(X)                                     \
    X("crashgate.1", "manual page of crashgate, for man")   \
    X("oms.1", "manual page of oms")                        \
    X("crashgate.bash", "completion of crashgate for bash") \
    X("oms.bash", "completion of oms for bash")             \
    X("_crashgate", "completion of crashgate for zsh")      \
    X("_oms", "completion of oms for zsh")

/* Writes a page. False: there is none of that name. */
bool manual_write(const char *page, FILE *out);

#endif
