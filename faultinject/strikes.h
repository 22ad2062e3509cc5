/* Deaths at random: so many, spread over a run, drawn from its seed.
 *
 * Each is drawn as a moment and a number: it strikes at that many crash points past the moment,
 * whoever lives then. Moments are drawn from those at which something happens, one from each of as
 * many equal parts of them, so that deaths come where there is something to lose; when one comes late
 * the next may strike in the recovery from it. */
#ifndef FAULTINJECT_STRIKES_H
#define FAULTINJECT_STRIKES_H

#include "faultinject/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STRIKES_MAX = PLAN_MAX / 2 }; /* a death and a start each in a plan */

struct strikes { /* all zero: none */
    uint64_t state;
    unsigned count, struck;
    int64_t from_ns[STRIKES_MAX]; /* rising */
    unsigned points; /* crash points until the next one strikes, once its time has come */
};

/* `moments` are sorted. Without any, nothing strikes. */
void strikes_draw(struct strikes *strikes, uint64_t seed, unsigned count, const int64_t moments[],
                  size_t moment_count);
/* A crash point is reached: does one strike here? Then it counts as struck. */
bool strikes_here(struct strikes *strikes, int64_t now_ns);
/* How long after it the next life starts. */
int64_t strikes_start_after_ns(struct strikes *strikes);
/* Which of the outcomes of its power loss. */
unsigned strikes_outcome(struct strikes *strikes, unsigned outcomes);

#endif
