/* The gate's extra part: rounds of other seeds, then fresh timelines, until the time is spent. */
#include "scenarios/cli/gate_extra.h"

#include "scenarios/cli/figures.h"
#include "scenarios/cli/gate_seeds.h"
#include "scenarios/lang/exits.h"
#include "sim/hash.h"

#include <sys/random.h>

enum {
    BUDGET_MOST = 1000000,
    FRESH_FROM = 1000000000 /* past what anybody plays from 1 on */
};

bool gate_extra_budget(const struct options *options, unsigned long *seconds) {
    *seconds = 0;
    return options_number("--budget", options->value[OPTION_BUDGET], 1, BUDGET_MOST, seconds);
}

/* ---- other seeds ---- */

struct seeds {
    struct suite *suite;
    const struct suite_paths *paths;
    unsigned long round, made, found;
    double until;
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
    if (!is_drawn(scenario) || scenario->depth == SCN_AGAIN || figure_wall_s() >= seeds->until)
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

/* One round. False: there is nothing (more) to try. */
static bool try_round(struct seeds *seeds) {
    unsigned long made = seeds->made;
    for (size_t i = 0; i < seeds->paths->n; i++)
        suite_pick(seeds->suite, seeds->paths->v[i], try_seed, seeds, NULL);
    return seeds->made > made;
}

static void try_other_seeds(struct suite *suite, const struct suite_paths *paths, double until) {
    struct seeds seeds = {.suite = suite, .paths = paths, .until = until};
    while (figure_wall_s() < until && try_round(&seeds))
        seeds.round++;
    printf("extra: %lu runs with other seeds in %lu rounds, %lu findings; they do not change the "
           "verdict%s\n",
           seeds.made, seeds.round, seeds.found,
           seeds.found > 0 ? ": each can be repeated by its command, and be written down as a "
                             "scenario"
                           : "");
}

/* ---- seeds that nobody has played ---- */

static void try_fresh_seeds(struct suite *suite, double until, unsigned jobs) {
    uint32_t chance = 0;
    if (getrandom(&chance, sizeof chance, 0) == sizeof chance)
        gate_seeds_fresh(suite, FRESH_FROM + chance, until, jobs);
    else
        printf("extra: no seeds were played: the machine has no chance to draw them from\n");
}

/* ---- until the time is spent ---- */

void gate_extra(struct suite *suite, const struct suite_paths *paths, unsigned long seconds,
                unsigned jobs) {
    double begun = figure_wall_s();
    int exit_code = suite->exit_code;
    if (seconds == 0)
        return;
    try_other_seeds(suite, paths, begun + (double)seconds / 2);
    fflush(stdout);
    try_fresh_seeds(suite, begun + (double)seconds, jobs);
    suite->exit_code = exit_code;
}
