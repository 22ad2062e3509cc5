/* A campaign: the timelines of many seeds, each judged, on as many processes as wanted.
 *
 * (1) The result does not depend on how many processes played, nor on who played which seed: all but
 *     the time budget is decided by the seeds.
 * (2) A seed at which the program itself breaks (a CHECK, a signal) is a finding, and the others are
 *     played all the same.
 * (3) Some seeds are played a second time after others, and must take the same path.
 * (4) Some seeds are also played by an OMS whose mistake is known (the canary): when none of them
 *     breaks anything, nothing can be concluded from silence.
 * (5) Seeds are taken in rising order, and what was taken is played: when a campaign ends early, no
 *     seed below the lowest that broke something was left out. */
#ifndef FUZZ_CAMPAIGN_H
#define FUZZ_CAMPAIGN_H

#include "fuzz/coverage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CAMPAIGN_JOBS_MAX = 64,
    CAMPAIGN_HITS_MAX = 100,      /* kept; all are counted */
    CAMPAIGN_CANARIES = 256,      /* enough for the known mistake to be noticed */
    CAMPAIGN_CANARY_EVERY = 1024, /* one in so many seeds is always a canary's, too */
    CAMPAIGN_PROGRAM_BROKE = 99   /* in place of an invariant's number */
};

struct campaign_options {
    const struct sut *sut;
    const struct sut *canary; /* NULL: none */
    uint64_t canaries;        /* the first so many seeds are also played by it */
    uint64_t first, last;     /* seeds, both included */
    unsigned shard, shards;   /* those of them with seed % shards == shard - 1; 1, 1: all */
    unsigned jobs;            /* 1 .. CAMPAIGN_JOBS_MAX */
    unsigned repeat_every;    /* one seed in so many is played twice; 0: none */
    bool first_only;          /* ends once the lowest seed that breaks something is known */
    /* Asked now and then: true ends the campaign after what is being played. NULL: never. */
    bool (*stop)(void *ctx, uint64_t played, uint64_t of);
    void *ctx;
};

/* A seed that broke something. */
struct campaign_hit {
    uint64_t seed;
    int invariant; /* or CAMPAIGN_PROGRAM_BROKE */
};

struct campaign_result {
    struct coverage coverage;
    uint64_t seeds;     /* asked for */
    uint64_t played;    /* the first so many of them */
    uint64_t left;      /* the first seed that was not played, when played < seeds */
    uint64_t hit_count; /* seeds that broke something */
    struct campaign_hit hits[CAMPAIGN_HITS_MAX]; /* the lowest of them, rising */
    uint64_t repeated, unrepeatable;
    uint64_t unrepeatable_seed; /* the lowest; when there is any */
    uint64_t canaries, caught;
    char why[SUT_WHY_SIZE]; /* the environment failed */
};

/* Plays it. False: the environment failed (result->why); what was counted until then stands there.
 * With first_only, and something broken, hits[0] is the answer, `played` and `left` end with it, and
 * what else is counted may have seeds above it. */
bool campaign_run(const struct campaign_options *options, struct campaign_result *result);
/* The place-th seed, from 0. */
uint64_t campaign_seed(const struct campaign_options *options, uint64_t place);

#endif
