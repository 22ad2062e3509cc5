/* What came of one unit of work: a line of JSON, and back. */
#ifndef SCENARIOS_CLI_RECORD_H
#define SCENARIOS_CLI_RECORD_H

#include "fuzz/sweep.h"
#include "reports/result.h"
#include "scenarios/cli/suite.h"
#include "scenarios/cli/work.h"

/* id and name, what it counts */
#define RECORD_COUNTS(X)                                        \
    X(closed, "1: the exploration was closed")                  \
    X(crash_worlds, "worlds that crashes left")                 \
    X(distinct, "of those, worlds that differ")                 \
    X(deepest, "crashes and faults on the way to the farthest") \
    X(audited, "merged worlds run all the same")                \
    X(mismatches, "of those, worlds that went another way")     \
    X(slowly, "crash points also run the slow way")             \
    X(caught, "1: the planted bug was caught")                  \
    X(repeated, "1, or timelines: it was repeated")             \
    X(different, "1, or timelines: it went another way")        \
    X(came_back, "1: the bug was fixed, and fails again")       \
    X(seeds, "timelines that were played")                      \
    X(canary, "of those, timelines that showed a known mistake")

struct record {
    size_t unit; /* its place in the list of work */
    int exit_code;
    const char *told; /* for people, besides the report */
    bool has_report;
    struct report_run report;
    uint64_t called; /* operations of the fault table that the OMS called */
    unsigned long tallies[FAULT_TALLIES];
    struct sweep_count swept[SWEEP_KINDS];
#define X(name, meaning) uint64_t name;
    RECORD_COUNTS(X)
#undef X
};

/* All zero, about that unit. Texts belong to a suite; release with record_free. */
struct record *record_new(const struct work *work, const struct work_unit *unit);
void record_free(struct record *record);

/* One line, without its end; the caller frees it. */
char *record_write(const struct work *work, const struct record *record);

struct cJSON;
/* NULL: `why` (of RECORD_WHY_SIZE) says what is wrong with it. Texts are kept by the suite. */
enum { RECORD_WHY_SIZE = 400 };
struct record *record_read(const struct work *work, const struct cJSON *object, struct suite *suite,
                           char why[RECORD_WHY_SIZE]);

#endif
