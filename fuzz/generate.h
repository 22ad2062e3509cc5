/* A timeline from a seed: what a desk, a market, operators and a faulty world could do in some
 * minutes or days.
 *
 * Swarm: each seed leaves a random part of all kinds of records and faults out and weighs the others
 * wildly differently, so that seeds differ in kind and what hides behind something frequent is found
 * where that is rare. The same seed gives the same timeline on every machine; each purpose draws from
 * a generator of its own. */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "fuzz/timeline.h"

#include <stdint.h>

void generate_timeline(uint64_t seed, struct timeline *timeline);

#endif
