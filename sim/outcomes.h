/* Which outcomes of a power loss can differ in what is found afterwards.
 *
 * All of them are tried where they are few. Where they are many and all that is at stake are plain
 * writes to the log, it is enough to try those that keep the oldest 0, 1, 2 ... writes, all but one,
 * or one alone: SQLite recovers a log up to the first frame that is not whole, so what is found
 * depends on how many of the oldest writes survived without a gap (a write that covers everything
 * before it, as the scrub's does, makes good for all of it). That is an argument and not a trial, so
 * samples of what is left out are tried against it. */
#ifndef SIM_OUTCOMES_H
#define SIM_OUTCOMES_H

#include "sim/disk.h"

#include <stdbool.h>
#include <stdint.h>

enum { OUTCOMES_ALL_BITS = 5, OUTCOMES_MAX = 1 << 16 };

struct outcomes {
    unsigned *which; /* for disk_power, ascending; owned */
    unsigned count;
    bool implied; /* some were left out by the argument above */
    bool reduced; /* some were left out without it: not everything is tried */
};
void outcomes_pick(const struct disk *disk, struct outcomes *outcomes);
void outcomes_free(struct outcomes *outcomes);

/* Tries one outcome that was left out (any number picks one): does it show what the argument says?
 * True also when there is none to be tried. */
bool outcomes_sample(const struct disk *disk, const char *path, uint64_t number);

#endif
