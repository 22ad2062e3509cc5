/* The language reference: a page for people who write scenarios, made from the tables that the
 * parser uses, so that it cannot say anything else. */
#ifndef SCENARIOS_LANG_REFERENCE_H
#define SCENARIOS_LANG_REFERENCE_H

#include <stdio.h>

/* Writes the page that is kept as scenarios/README.md. */
void reference_write(FILE *out);

#endif
