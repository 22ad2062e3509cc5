/* crashgate shrink: the smallest plan that still breaks the same. */
#include "scenarios/lang/shrink.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/exits.h"

#include <stdio.h>
#include <string.h>

struct shrinks {
    struct suite *suite;
    unsigned broke;
};

static void print_shrunk(struct suite *suite, const char *path, const struct scenario *scenario,
                         const struct run_config *config, const struct shrunk *shrunk) {
    const struct plan *plan = &suite->options->plan;
    char text[PLAN_TEXT_SIZE], before[PLAN_TEXT_SIZE];
    plan_format(&shrunk->plan, text);
    plan_format(plan, before);
    printf("%s:%d  %s  [%s, %s]: %s breaks\n", path, scenario->place.line, scenario->title,
           suite->oms_name, config->profile->name, shrunk->code);
    if (strcmp(text, before) == 0)
        printf("the plan is minimal already (%lu runs)\n", shrunk->runs);
    else
        printf("shrunk from %zu to %zu items in %lu runs\n", plan->count, shrunk->plan.count,
               shrunk->runs);
    if (shrunk->bound)
        printf("the bound of %d runs was hit: perhaps it could be smaller\n", SHRINK_RUNS_MAX);
    printf("again: %s\n", suite_replay_command(suite, path, scenario, config,
                                               suite->options->value[OPTION_OMS], text));
}

static void shrink_one(void *ctx, const char *path, const struct scenario *scenario,
                       const struct run_config *config) {
    struct shrinks *shrinks = ctx;
    struct suite *suite = shrinks->suite;
    struct run_options run;
    struct shrunk shrunk;
    if (!suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run))
        return;
    shrink(scenario, config, &run, &suite->options->plan, &shrunk);
    if (shrunk.code[0] == '\0') {
        printf("%s:%d  %s  [%s, %s]: this plan breaks nothing%s%s\n", path, scenario->place.line,
               scenario->title, suite->oms_name, config->profile->name,
               shrunk.why[0] != '\0' ? ": " : "", shrunk.why);
        return;
    }
    shrinks->broke++;
    suite_worst(suite, EXIT_FAIL);
    print_shrunk(suite, path, scenario, config, &shrunk);
}

int command_shrink(const struct options *options, const char *program) {
    struct suite suite;
    struct shrinks shrinks = {.suite = &suite};
    if (options->file_count != 1 || !options->has_plan) {
        fprintf(stderr, "crashgate: shrink takes one FILE[:LINE] and --plan\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_pick(&suite, options->files[0], shrink_one, &shrinks, NULL);
    if (shrinks.broke == 0)
        suite_worst(&suite, EXIT_MISTAKE);
    return suite_close(&suite);
}
