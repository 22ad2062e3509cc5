/* Shrinking a timeline that breaks an invariant to the fewest and simplest records that still break
 * the same one. */
#ifndef FUZZ_TIMELINE_SHRINK_H
#define FUZZ_TIMELINE_SHRINK_H

#include "fuzz/timeline.h"
#include "sim/sut/sut.h"

#include <stdbool.h>
#include <stddef.h>

enum { SHRINK_TIMELINES_MAX = 20000 /* played for one finding */ };

/* How it went. */
struct timeline_shrunk {
    size_t records_before;
    unsigned played; /* timelines that were played */
    bool bound;      /* SHRINK_TIMELINES_MAX was hit: perhaps it could be smaller */
    /* Of each record that is left: without it, and with all others, the invariant held. All are,
     * unless the bound was hit. */
    bool necessary[TIMELINE_RECORDS_MAX];
};

/* Whole lives are left out, then ever fewer records at a time; what is left is made weaker (a kill
 * instead of a power loss, a fault that strikes once), named by a point of the OMS's work instead of
 * a counted call, earlier, and smaller; until nothing helps. A record is kept only as long as `invariant`
 * would not be the first to break without it. Always the same for the same timeline. One that does
 * not break `invariant` stays as it is. */
void timeline_shrink(struct timeline *timeline, const struct sut *sut, int invariant,
                     struct timeline_shrunk *shrunk);

#endif
