/* Exploring many scenarios, each exploration in a process of its own. */
#ifndef SCENARIOS_CLI_EXPLORE_H
#define SCENARIOS_CLI_EXPLORE_H

#include "scenarios/cli/suite.h"
#include "scenarios/lang/explore.h"

#include <stdio.h>
#include <sys/types.h>

/* One exploration that is to be made, and what came of it. */
struct exploration {
    char *path;
    const struct scenario *scenario; /* borrowed */
    struct run_config config;
    struct explore_result result; /* its replay holds plan and finding only, no story */
    long peak_kib;                /* memory of the process that made it */
    bool done;
};

struct explorations {
    struct exploration *v;
    size_t n, cap;
    struct scenario_file *files; /* of all scenarios in them */
    size_t file_count, file_cap;
};

struct explore_totals {
    unsigned long explorations, closed, lives, crash_worlds, distinct, audited, mismatches, slowly;
    unsigned deepest;
    long peak_kib;
};

/* Adds every scenario of a file with a `crash again anywhere`, in each of its
 * profiles, at the doors of the suite. Mistakes are told and end in suite->exit_code. */
void explorations_add(struct explorations *explorations, struct suite *suite, const char *path);
/* Makes them all, `jobs` at a time, and reports each in order: one line (in the brief form one for
 * all of a file), and a finding's block. What comes out does not depend on `jobs`. */
void explorations_make(struct explorations *explorations, struct suite *suite,
                       const struct explore_options *options, unsigned jobs,
                       struct explore_totals *totals);
void explorations_free(struct explorations *explorations);

/* Makes one in this process; exploration->done says whether. */
void exploration_make(struct suite *suite, const struct explore_options *options,
                      struct exploration *exploration);
/* Reports one that was made; in the brief form it has no line of its own when it was closed. */
void exploration_report(struct suite *suite, const struct explore_options *options,
                        struct exploration *exploration, bool brief);

/* Writes what an exploration found over *told, a copy of its replay: lives are its runs. */
void explore_as_run(const struct explore_result *result, struct run_result *told);
/* Options of an exploration where the command line has none of its own. */
struct explore_options explore_defaults(const struct options *options);
/* What was explored, in one line. */
void explore_tell_totals(const struct explore_totals *totals,
                         const struct explore_options *options);
/* Explores what a run of these files had to leave out (suite->again of them). */
void explore_what_was_left(struct suite *suite, const struct suite_paths *paths);

#endif
