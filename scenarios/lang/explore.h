/* Every crash, at every depth: what survives a crash is only the world, so crashing is a graph.
 *
 * A node is a world in which the OMS is about to start. One life is run from it to quiet; at every
 * place where a crash would leave something else than at the place before, the world is copied and
 * dies in every way it can: killed, or losing power with any subset of its unsynced writes, also
 * with an order's request still on its way. Each world that is left is judged; one that violates is
 * a leaf. Worlds that are equal by bytes, and then those that mean the same (sim/meaning.h), are
 * one. What is new is started again, at once and around every moment that something in it waits
 * for, and so on until nothing new appears: then all crash points at all depths have been tried,
 * any number of crashes, for these restart delays. That is called closed; a bound that stopped the
 * search makes it not closed, and is named.
 *
 * Between two moments that something waits for nothing in a world without a running OMS changes, so
 * a crash at any time is a crash at the place before it with a longer downtime.
 *
 * The search goes by crashes and faults, cheapest first, so the first violation is one of the
 * shortest. */
#ifndef SCENARIOS_LANG_EXPLORE_H
#define SCENARIOS_LANG_EXPLORE_H

#include "scenarios/lang/run.h"

#include <stdbool.h>
#include <stdint.h>

/* When the OMS is started again after a crash. id, word, meaning */
#define EXPLORE_DELAYS(X)                                                                  \
    X(THRESHOLDS, "thresholds",                                                            \
      "at once, and just before, at and just after every moment that something waits for") \
    X(AT_ONCE, "at-once", "at once")                                                       \
    X(WHOLE_SECONDS, "whole-seconds",                                                      \
      "at once, and whole seconds later, past each such moment (misses what happens in between)")
enum explore_delays {
#define X(id, word, meaning) EXPLORE_##id,
    EXPLORE_DELAYS(X)
#undef X
};

enum { EXPLORE_FAULTS_MAX = 2, EXPLORE_BOUND_SIZE = 160 };

struct explore_options {
    const struct sut *sut;
    unsigned claims;
    struct wire *wire;
    const uint64_t *seed;
    enum explore_delays delays;
    unsigned faults;          /* other faults per life, at most EXPLORE_FAULTS_MAX */
    unsigned long lives_max;  /* 0: as many as it takes */
    unsigned long worlds_max; /* distinct ones that may wait at a time; 0: a ceiling of its own */
    unsigned audits;          /* merged worlds that are run all the same, for each that is kept */
    unsigned audit_every;     /* ... and is a sample: one in so many of those kept; 0: each is */
    unsigned without;         /* enum meaning_without: a wrong key, to see that it is noticed */
    bool verdict_only;        /* audits compare verdicts only: wrong too */
    bool kill, power;         /* the ways to die; the scenario's `crashes` when both are false */
    /* Asked between lives: NULL, go on; else in words what was spent, and the search stops. */
    const char *(*spent)(void *ctx);
    void (*progress)(void *ctx, unsigned long lives, unsigned long worlds, size_t waiting);
    void *ctx;
};

struct explore_result {
    enum run_verdict verdict;
    bool closed;
    char bound[EXPLORE_BOUND_SIZE]; /* what stopped it, when not closed */
    unsigned long lives;            /* run for the search */
    unsigned long port_calls;       /* in the first life */
    unsigned long crash_worlds;     /* made */
    unsigned long merged_bytes, merged_meaning;
    unsigned long distinct; /* crash worlds that were left */
    unsigned long starts;   /* of those, after each restart delay */
    unsigned deepest;       /* crashes and faults on the way to the farthest world */
    unsigned long audited, mismatches;
    unsigned long implied_tried; /* power outcomes tried against the one that stands for them */
    unsigned long slowly;        /* crash points also run the slow way, with a dead port */
    unsigned long faults;        /* other faults that struck */
    bool reduced;                /* some power loss had too many outcomes to try all */
    size_t waiting_most;         /* worlds waiting at the worst moment */
    uint64_t fingerprint;        /* over all keys, in order */
    char mismatch[RUN_HEADLINE_SIZE]; /* the first audit that differed */
    struct run_result replay;         /* of the finding, by its plan; verdict FAIL */
    bool found;
    char why[SUT_WHY_SIZE];
};

/* Explores one scenario that has a `crash again anywhere`. The profile and the door are the configuration's; its crash kind does not count. Release with explore_free. */
void explore_scenario(const struct scenario *scenario, const struct run_config *config,
                      const struct explore_options *options, struct explore_result *result);
void explore_free(struct explore_result *result);

#endif
