/* Drafts of scenarios: a skeleton, or what could be read out of a pasted incident timeline. */
#ifndef SCENARIOS_CLI_DRAFT_H
#define SCENARIOS_CLI_DRAFT_H

#include <stddef.h>

/* A scenario to begin with, in canonical form; the caller frees it. */
char *draft_skeleton(const char *title);

/* From lines such as "10:00:03 - bought 100 AAPL at 150": what is not understood, or could not be
 * used, becomes a comment that says so. The draft has no mistakes and is in canonical form. NULL:
 * not one line could be used. *understood and *left count lines. */
char *draft_from(const char *title, const char *text, size_t *understood, size_t *left);

/* "An order survives" -> "an_order_survives.scn"; false when no letter or digit is in it. */
int draft_file_name(const char *title, char *out, size_t size);

#endif
