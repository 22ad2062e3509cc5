/* crashgate sweep: every allocation and every port call of a run fails, one after the other. */
#include "scenarios/cli/sweep.h"

#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweeping {
    struct suite *suite;
    bool tagged_only, quiet_passes;
    struct sweep_count kinds[SWEEP_KINDS];
    unsigned swept;
};

static bool is_tagged(const struct scenario *scenario) {
    size_t i = 0;
    while (i < scenario->tag_count && strcmp(scenario->tags[i], SWEEP_TAG) != 0)
        i++;
    return i < scenario->tag_count;
}

static void print_counts(const struct sweep_count kinds[SWEEP_KINDS], const char *before) {
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        if (kinds[kind].tried > 0)
            printf("%s%-18s %6lu faults tried, %lu broke it\n", before, sweep_kind_name(kind),
                   kinds[kind].tried, kinds[kind].broke);
    }
}

/* The story of the first that broke something. */
static void tell_first(struct suite *suite, const struct scenario *scenario,
                       const struct run_config *config, const struct run_options *run,
                       const struct sweep_result *result) {
    char text[SWEEP_TEXT_SIZE];
    struct trace trace = {0};
    bool struck = false;
    printf("  %s %lu fails%s: %s\n", sweep_kind_name(result->first.kind), result->first.nth,
           result->first.lasting ? ", and all after it" : "", result->text);
    if (sweep_one(scenario, config, run, &result->first, &trace, &struck, text) ||
        strcmp(text, result->text) != 0) {
        printf("  the second time it went another way\n");
        suite_worst(suite, EXIT_NOT_REPEATABLE);
    }
    suite_story(suite, &trace);
    free(trace.v);
}

/* A kind of fault that never struck would pass whatever the OMS does. */
static void complain_of_nothing(struct suite *suite, const struct run_config *config,
                                const struct run_options *run, const struct sweep_result *result) {
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        if (!sweep_has(kind, config, run) || result->kinds[kind].tried > 0)
            continue;
        printf("  no %s was ever made: nothing was tried\n", sweep_kind_name(kind));
        suite_worst(suite, EXIT_FAIL);
    }
}

static void sweep_one_configuration(void *ctx, const char *path, const struct scenario *scenario,
                                    const struct run_config *config) {
    struct sweeping *sweeping = ctx;
    struct suite *suite = sweeping->suite;
    struct run_options run;
    struct sweep_result result;
    bool passed = false;
    if ((sweeping->tagged_only && !is_tagged(scenario)) ||
        !suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run))
        return;
    sweep_scenario(scenario, config, &run, &result);
    passed = result.ran && !result.found;
    if (!passed || !sweeping->quiet_passes) {
        printf("%s  %s:%d  %s  [%s, %s, %s]\n", passed ? "PASS" : "FAIL", path,
               scenario->place.line, scenario->title, suite->oms_name, config->profile->name,
               config->door == STAGE_WIRE ? "wire" : "direct");
        print_counts(result.kinds, "  ");
    }
    if (!passed)
        suite_worst(suite, EXIT_FAIL);
    if (result.found)
        tell_first(suite, scenario, config, &run, &result);
    if (!result.ran)
        printf("  without any fault: %s\n", result.text);
    else
        complain_of_nothing(suite, config, &run, &result);
    fflush(stdout);
    sweeping->swept++;
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        sweeping->kinds[kind].tried += result.kinds[kind].tried;
        sweeping->kinds[kind].broke += result.kinds[kind].broke;
    }
}

static struct sweep_count sweep_tagged(struct suite *suite, const struct suite_paths *paths) {
    struct sweeping sweeping = {.suite = suite, .tagged_only = true, .quiet_passes = true};
    struct sweep_count all = {0};
    size_t scenarios = suite->scenario_count;
    for (size_t i = 0; i < paths->n; i++)
        suite_pick(suite, paths->v[i], sweep_one_configuration, &sweeping, NULL);
    suite->scenario_count = scenarios; /* they were counted when they were run */
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        all.tried += sweeping.kinds[kind].tried;
        all.broke += sweeping.kinds[kind].broke;
    }
    printf("swept in %u configurations:", sweeping.swept);
    for (int kind = 0; kind < SWEEP_KINDS; kind++)
        printf(" %lu %ss,", sweeping.kinds[kind].tried, sweep_kind_name(kind));
    printf(" %lu broke it\n", all.broke);
    return all;
}

/* ---- aside ---- */

static void sweep_aside(void *ctx, void *result) {
    struct sweep_aside *aside = ctx;
    struct sweep_count *all = result;
    *all = sweep_tagged(aside->suite, aside->paths);
}

struct sweep_aside sweep_begin(struct suite *suite, const struct suite_paths *paths) {
    struct sweep_aside aside = {.suite = suite, .paths = paths};
    struct sweep_count all = {0};
    aside.process = aside_begin("sweeps", suite, sweep_aside, &aside, &all, sizeof all);
    return aside;
}

struct sweep_count sweep_end(struct sweep_aside *aside) {
    struct sweep_count all = {0};
    aside_end(&aside->process, aside->suite, &all, sizeof all);
    return all;
}

int command_sweep(const struct options *options, const char *program) {
    struct suite suite;
    struct suite_paths paths;
    struct sweeping sweeping = {.suite = &suite};
    if (options->file_count == 0) {
        fprintf(stderr, "crashgate: 'sweep' needs at least one scenario file or folder\n");
        return EXIT_MISTAKE;
    }
    if (!suite_paths(options->files, options->file_count, &paths))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_BOTH))
        return suite.exit_code;
    for (size_t i = 0; i < paths.n; i++)
        suite_pick(&suite, paths.v[i], sweep_one_configuration, &sweeping, NULL);
    if (sweeping.swept == 0 && suite.exit_code == EXIT_PASS) {
        fprintf(stderr, "crashgate: the options leave no scenario to sweep\n");
        suite_worst(&suite, EXIT_MISTAKE);
    }
    suite_paths_free(&paths);
    printf("sweep: %s  %u configurations\n", suite.exit_code == EXIT_PASS ? "PASS" : "FAIL",
           sweeping.swept);
    print_counts(sweeping.kinds, "  ");
    return suite_close(&suite);
}
