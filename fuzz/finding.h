/* Playing a timeline under judgement, and making of one that breaks an invariant what people can
 * read and run again. */
#ifndef FUZZ_FINDING_H
#define FUZZ_FINDING_H

#include "fuzz/timeline.h"
#include "fuzz/timeline_shrink.h"
#include "scenarios/lang/run.h"

#include <stdbool.h>
#include <stdio.h>

/* How one timeline ended. */
struct timeline_end {
    int invariant; /* that broke first; 0: none */
    int64_t at_ns;
    char headline[RUN_HEADLINE_SIZE];
    struct plan plan; /* what its power losses kept */
    struct stage_counts counts;
    uint64_t fingerprint;
    char why[SUT_WHY_SIZE]; /* the environment failed */
};

/* What came to pass in one timeline; zero before it. */
struct timeline_notes {
    uint32_t ops;    /* 1u << enum timeline_op of every record that happened */
    uint64_t called; /* bit 1 << enum site_op of every call that the OMS made */
    bool killed, power_lost;
    unsigned long tallies[FAULT_TALLIES]; /* faults that struck (faultinject/catalogue.h) */
};
_Static_assert((int)TIMELINE_OP_COUNT <= 32, "every record has its bit");

/* Plays it. The same timeline ends in the same way whatever was played before: what is remembered
 * from one to the next, stores to begin with and what a store says, decides nothing. What is
 * ordered and cannot happen (a fill of an order that never came) is left out. False: the
 * environment failed (end->why). */
bool timeline_play(const struct timeline *timeline, const struct sut *sut,
                   struct timeline_end *end);
/* The same, and adds to *notes what came to pass. */
bool timeline_play_noting(const struct timeline *timeline, const struct sut *sut,
                          struct timeline_notes *notes, struct timeline_end *end);
/* Makes every store a timeline can begin with, so that none is made during a run. */
bool timeline_make_stores(const struct sut *sut, char why[SUT_WHY_SIZE]);

/* A finding as text. */
struct finding {
    struct timeline timeline;      /* as shrunk */
    struct timeline_shrunk shrunk; /* how; nothing when it was not asked for */
    struct timeline_end end;
    char *scenario; /* the file; free with finding_free */
    size_t scenario_length;
    bool replays;                /* the file and the plan, read back, break the same invariant */
    char why[RUN_HEADLINE_SIZE]; /* how not */
};
/* Shrinking takes a second. False: no invariant breaks (or, with why, the environment failed). */
bool finding_make(const struct timeline *timeline, const struct sut *sut, bool shrink,
                  struct finding *finding);
void finding_free(struct finding *finding);
/* "I1 broke at 10:00:33: 2 orders accepted for D1 (O1, O2)" */
void finding_headline(const struct timeline_end *end, FILE *out);
/* The command that repeats it, once its scenario is saved at `path`. `oms` as --oms takes it; NULL:
 * the core. */
void finding_command(const struct finding *finding, const char *path, const char *oms, FILE *out);

#endif
