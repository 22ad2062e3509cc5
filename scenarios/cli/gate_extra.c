/* The gate's extra part: rounds of other seeds, until the time is spent. */
#include "scenarios/cli/gate_extra.h"

#include "scenarios/cli/figures.h"
#include "scenarios/lang/exits.h"
#include "sim/hash.h"

enum { BUDGET_MOST = 1000000 };

bool gate_extra_budget(const struct options *options, unsigned long *seconds) {
    *seconds = 0;
    return options_number("--budget", options->value[OPTION_BUDGET], 1, BUDGET_MOST, seconds);
}

static bool is_spent(const void *until) {
    return figure_wall_s() >= *(const double *)until;
}

/* ---- other seeds ---- */

struct seeds {
    struct suite *suite;
    const struct suite_paths *paths;
    unsigned long round, made, found;
    bool (*spent)(const void *until);
    const void *until;
};

/* All that a seed decides is drawn: a workload, or where crashes strike. */
static bool is_drawn(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_CRASH && line->args.crash.where == SCN_CRASH_AT_RANDOM)
            return true;
    }
    return scenario->options[SCN_OPTION_TRADING_DAYS].set;
}

static void try_seed(void *ctx, const char *path, const struct scenario *scenario,
                     const struct run_config *config) {
    struct seeds *seeds = ctx;
    struct suite *suite = seeds->suite;
    const struct options *given = suite->options;
    struct options other = *given;
    struct run_result result;
    struct report_run run;
    if (!is_drawn(scenario) || scenario->depth == SCN_AGAIN || seeds->spent(seeds->until))
        return;
    other.has_seed = true;
    other.seed =
        seed_named(scenario->seed + seeds->round, "extra") >> 32; /* short enough to read */
    suite->options = &other;
    if (suite_perform(suite, scenario, config, other.sut, other.claims, &result)) {
        seeds->made += result.runs;
        if (suite_exit_of(&result) != EXIT_PASS) {
            seeds->found++;
            suite_describe(suite, path, scenario, config, other.value[OPTION_OMS], &result, &run);
            report_terminal_run(&suite->terminal, &run);
            report_run_free(&run);
        }
        run_result_free(&result);
    }
    suite->options = given;
}

static unsigned long try_seeds(void *ctx, unsigned long number, bool (*spent)(const void *until),
                               const void *until, unsigned long *found) {
    struct seeds *seeds = ctx;
    seeds->round = number;
    seeds->made = seeds->found = 0;
    seeds->spent = spent;
    seeds->until = until;
    for (size_t i = 0; i < seeds->paths->n; i++)
        suite_pick(seeds->suite, seeds->paths->v[i], try_seed, seeds, NULL);
    *found += seeds->found;
    return seeds->made;
}

/* ---- until the time is spent ---- */

void gate_extra(struct suite *suite, const struct suite_paths *paths, unsigned long seconds) {
    struct seeds seeds = {.suite = suite, .paths = paths};
    const struct extra extra = {"with other seeds", try_seeds, &seeds};
    double until = figure_wall_s() + (double)seconds;
    unsigned long runs = 0, found = 0, rounds = 0, made = 1;
    int exit_code = suite->exit_code;
    if (seconds == 0)
        return;
    while (made > 0 && !is_spent(&until)) {
        made = extra.round(extra.ctx, rounds, is_spent, &until, &found);
        runs += made;
        rounds += made > 0;
    }
    suite->exit_code = exit_code;
    printf("extra: %lu runs %s in %lu rounds, %lu findings; they do not change the verdict%s\n",
           runs, extra.what, rounds, found,
           found > 0 ? ": each can be repeated by its command, and be written down as a scenario"
                     : "");
}
