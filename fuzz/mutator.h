/* What a byte fuzzer does to a timeline: it edits records, never bytes across their borders.
 *
 * Whatever comes in, what goes out is a whole timeline: a head and complete records, never more than
 * fit. The same seed and the same calls give the same bytes. Nothing here knows of a fuzzer; the
 * doors that AFL++ looks for are in fuzz/afl_mutator.c. */
#ifndef FUZZ_MUTATOR_H
#define FUZZ_MUTATOR_H

#include "fuzz/timeline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word (it goes into file names), what is done */
#define MUTATOR_EDITS(X)                                                               \
    X(INSERT, "insert", "a new record of any kind, anywhere")                          \
    X(DROP, "drop", "a record is left out")                                            \
    X(REPEAT, "repeat", "a record happens once more, anywhere")                        \
    X(SWAP, "swap", "two records change places")                                       \
    X(MOVE_CRASH, "move",                                                              \
      "a death goes to another place, or a few calls away; without one: a new "        \
      "one, and a restart")                                                            \
    X(CRASH, "crash", "a death of another kind, or another outcome of it")             \
    X(FAULT, "fault", "a fault of another kind, site or time; without one: a new one") \
    X(TIME, "time", "a wait of another length, or a new one")                          \
    X(ARGUMENT, "arg", "another argument of any record")                               \
    X(OP, "op", "something else happens, with the same arguments")                     \
    X(HEAD, "head", "another broker, disk or setting")                                 \
    X(SPLICE, "splice", "some records of another timeline come in between")            \
    X(CROSS, "cross", "from a record on it goes on as another timeline does")
enum mutator_edit {
#define X(id, word, meaning) MUTATOR_##id,
    MUTATOR_EDITS(X)
#undef X
        MUTATOR_EDIT_COUNT
};

enum { MUTATOR_STACK_MAX = 6 /* edits of one input */ };

struct mutator {
    uint64_t state; /* of its generator */
    enum mutator_edit edits[MUTATOR_STACK_MAX];
    size_t edit_count; /* of the last input */
};

struct mutator mutator_seeded(uint64_t seed);
/* Edits `timeline`. `other` is where records are taken from (NULL: there is none, and it is itself
 * the other). `max` is how many records it may have in the end, at most TIMELINE_RECORDS_MAX. */
void mutator_edit(struct mutator *mutator, struct timeline *timeline, const struct timeline *other,
                  size_t max);
/* "drop+fault": what was done last, cut to fit; returns out. */
char *mutator_describe(const struct mutator *mutator, char *out, size_t size);

/* Makes a timeline shorter, a run of records at a time, as long as somebody else says that it is
 * still as good: runs of half of them, then of a quarter, down to single ones. */
struct trimmer {
    struct timeline whole; /* the shortest that is known to be good */
    size_t at, run;        /* what is tried without: records from `at` on */
    unsigned steps, limit;
};
/* Returns how many trials there are at most; 0: nothing can be left out. */
unsigned trimmer_begin(struct trimmer *trimmer, const struct timeline *timeline);
/* What is to be tried next. */
void trimmer_trial(const struct trimmer *trimmer, struct timeline *trial);
/* How that went. Returns the number of trials so far, and what trimmer_begin returned once there is
 * nothing left to try. */
unsigned trimmer_tell(struct trimmer *trimmer, bool good);

#endif
