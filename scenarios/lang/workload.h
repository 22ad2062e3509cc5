/* A workload: trading days drawn from the scenario's seed and written out as lines of the language.
 *
 * `option trading-days` or `option decisions-a-day` asks for it. On each day decisions are signalled
 * between 14:30 and 20:50 (UTC), again a minute and a quarter of an hour later, and the broker
 * refuses, fills in one to three parts, cancels what is left, lets expire, busts and corrects; the
 * strategy cancels; the broker is down twice; at 12:00 the OMS is asked to compare itself, and at
 * 21:05, when the broker has let expire what was open, to hold the whole day against it; in the middle of the days an operator drills the
 * kill switch. What a line is about may never have come to be: then it is dropped. */
#ifndef SCENARIOS_LANG_WORKLOAD_H
#define SCENARIOS_LANG_WORKLOAD_H

#include "scenarios/lang/ast.h"

/* The scenario with the workload's decisions, symbols and lines behind its own, as if they stood on
 * its first line; the same for the same seed on every machine. NULL: it asks for none. Its own lines
 * are borrowed, so it must outlive the copy. Release with workload_free. */
struct scenario *workload_write_out(const struct scenario *scenario, uint64_t seed);
void workload_free(struct scenario *scenario);
/* Does it ask for one? */
bool workload_is_asked(const struct scenario *scenario);

#endif
