/* A finding in words: what tells it from others, and what people call it. */
#ifndef SCENARIOS_CLI_SENTENCE_H
#define SCENARIOS_CLI_SENTENCE_H

#include "scenarios/lang/run.h"

enum { FINGERPRINT_SIZE = 600, SENTENCE_SIZE = 160 };

/* Invariant, what goes wrong and where, and the first wrong event: "I1; power after send; # orders
 * accepted for D". Names, numbers and symbols that differ from one finding to the next are taken out of it,
 * and so are times, which call of many it was, and everything that goes right. */
void fingerprint_of(const struct scenario *scenario, const struct plan *plan,
                    const struct run_finding *finding, char out[FINGERPRINT_SIZE]);
/* "A power cut after the send makes two orders of one decision": a title, and a file name. */
void sentence_of(const struct scenario *scenario, const struct plan *plan,
                 const struct run_finding *finding, char out[SENTENCE_SIZE]);

#endif
