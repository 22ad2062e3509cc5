/* Running a scenario: every run its quantifiers ask for, judged, and the shortest failure kept. */
#ifndef SCENARIOS_LANG_RUN_H
#define SCENARIOS_LANG_RUN_H

#include "faultinject/choose.h"
#include "faultinject/plan.h"
#include "scenarios/lang/ast.h"
#include "sim/stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RUN_CODE_SIZE = 32,
    RUN_HEADLINE_SIZE = 500,
    RUN_PATHS_MAX = 200000 /* runs per scenario and configuration; more is inconclusive */
};

enum run_verdict {
    RUN_PASS,
    RUN_FAIL,         /* an invariant or a check broke */
    RUN_INCONCLUSIVE, /* nothing broke, but a bound was hit: not everything was tried */
    RUN_UNSTABLE,     /* the same plan did not give the same run twice */
    RUN_MISFIT,       /* the plan asks for something that did not come to pass in this run, or the
                         scenario for more than runs: `crash again anywhere` is explored */
    RUN_BROKEN        /* the environment failed: no store could be created, ... */
};

/* One combination of what a scenario's headers name. */
struct run_config {
    const struct profile *profile;
    int crash_kind; /* enum scn_crash_kind: what bare `crash` means; SCN_NONE: nothing */
    enum stage_door door;
};

struct run_options {
    const struct sut *sut;
    unsigned claims;               /* invariants to judge; usually sut->claims */
    struct wire *wire;             /* needed for the wire door */
    const struct plan *plan;       /* not NULL: one run, with this instead of quantifiers */
    const struct chooser *chooser; /* not NULL: one run, in which it answers the quantifiers */
    const uint64_t *seed;          /* not NULL: instead of the scenario's */
    unsigned long *tallies;        /* not NULL: FAULT_TALLIES counters that faults are added to */
    uint64_t *called; /* not NULL: gets bit 1 << op for every operation that was called */
    bool trace;       /* keep the story of a single planned run also when it passes */
    int until; /* 0, or a line of the file: one run, whose state right before that line is told */
    struct run_points *points; /* not NULL: filled in by the one planned run */
    struct chain *chain;       /* not NULL: the events of all runs are recorded */
    bool first_only;           /* no more runs after the first that fails */
    bool skip_recovery;        /* do not start every run's OMS once more at the end (I8) */
    void (*progress)(void *ctx, uint64_t runs);
    void *progress_ctx;
};

struct run_finding {
    int invariant;            /* 0: a check of the script */
    char code[RUN_CODE_SIZE]; /* "I1", or the name of the check ("expect", "never-happened" ...) */
    char headline[RUN_HEADLINE_SIZE];
    int64_t at_ns;
    int line;      /* of the script, 0: none */
    bool all_runs; /* it is about all runs together (none reached something); no plan */
    struct plan plan;
    struct trace trace;        /* of the run with that plan */
    size_t marked;             /* the trace line at which it broke, or trace.n */
    size_t shrunk_from;        /* items the plan had when it was met */
    unsigned long shrink_runs; /* that it took to make it minimal; 0: one item needs none */
    unsigned long same;        /* other runs that fail the same way (same code) */
    unsigned long others;      /* runs that fail in another way */
};

struct run_result {
    enum run_verdict verdict;
    unsigned long runs, failed;
    unsigned long first_failed;      /* number of the first run that failed, from 1; 0: none */
    unsigned long crash_points;      /* distinct places at which quantified crashes struck; pairs
                                        of them where two did */
    struct stage_counts counts;      /* over all runs */
    unsigned long fired[SITE_COUNT]; /* faults, by site */
    bool reduced;                    /* some power loss had too many outcomes: a sample was tried */
    bool bound;                      /* RUN_PATHS_MAX was hit */
    uint64_t fingerprint;            /* over all runs, in order */
    struct plan taken;               /* of one planned or chosen run: what went wrong in it */
    bool found;
    struct run_finding finding; /* the shortest; when found */
    struct trace trace;         /* with options.trace and no finding; with `until` up to there */
    char *state; /* with `until`: for people, a thing a line; NULL: that line never happened */
    char *facts; /* the same as conditions that hold then, one a line */
    char why[SUT_WHY_SIZE]; /* MISFIT, BROKEN, UNSTABLE */
};

/* Runs one scenario in one configuration. Release *result with run_result_free. */
void run_scenario(const struct scenario *scenario, const struct run_config *config,
                  const struct run_options *options, struct run_result *result);
void run_result_free(struct run_result *result);

/* A crash point: a place where a crash leaves what one at no earlier place does. */
struct run_point {
    unsigned life;
    struct site site;
    unsigned occurrence; /* of the site's calls in this life; 0: the moment before a restart */
    bool after;          /* after its effect, before its answer */
    int64_t at_ns;
    int line;          /* of the script, that is the cause of what happens; 0: none */
    unsigned unsynced; /* writes at stake if the power fails */
    unsigned outcomes; /* what may survive of them: so many worlds */
    bool reduced;      /* and more, which would not be tried */
    char names[120];   /* "before record D1, ...", or "" */
};
struct run_points {
    struct run_point *v;
    size_t n, cap;
};
/* The crash points of the run in which no quantifier strikes: those inside the window of its `crash
 * anywhere`, or, without one, all of them. *result is that run's. Release both. */
void run_points(const struct scenario *scenario, const struct run_config *config,
                const struct run_options *options, struct run_points *points,
                struct run_result *result);
void run_points_free(struct run_points *points);

/* Invariants that the faults of the scenario and of a plan (NULL: none) suspend, as a bit mask. */
unsigned run_suspends(const struct scenario *scenario, const struct plan *plan);

#endif
