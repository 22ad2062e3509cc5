/* crashgate sweep: every allocation and every port call of a run fails, one after the other. */
#include "scenarios/cli/sweep.h"

#include "scenarios/cli/baseline.h"
#include "scenarios/cli/commands.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sweeping {
    struct suite *suite;
    struct sweep_count kinds[SWEEP_KINDS];
    unsigned swept;
};

bool sweep_is_tagged(const struct scenario *scenario) {
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

bool sweep_configuration(struct suite *suite, const char *path, const struct scenario *scenario,
                         const struct run_config *config, bool all, struct sweep_result *result) {
    struct run_options run;
    bool passed = false;
    *result = (struct sweep_result){0};
    if (!suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run)) {
        snprintf(result->text, sizeof result->text, "there is no simulated wire");
        return false;
    }
    sweep_scenario(scenario, config, &run, result);
    passed = result->ran && !result->found;
    if (!passed || all) {
        printf("%s  %s:%d  %s  [%s, %s, %s]\n", passed ? "PASS" : "FAIL", path,
               scenario->place.line, scenario->title, suite->oms_name, config->profile->name,
               config->door == STAGE_WIRE ? "wire" : "direct");
        print_counts(result->kinds, "  ");
    }
    if (!passed)
        suite_worst(suite, EXIT_FAIL);
    if (result->found)
        tell_first(suite, scenario, config, &run, result);
    if (!result->ran)
        printf("  without any fault: %s\n", result->text);
    else
        complain_of_nothing(suite, config, &run, result);
    fflush(stdout);
    return passed;
}

static const char *again(struct suite *suite, const char *path, const struct scenario *scenario,
                         const struct run_config *config) {
    const char *oms = suite->options->value[OPTION_OMS];
    char text[5000];
    snprintf(text, sizeof text, "%s sweep %s:%d --profile %s%s%s%s", suite->program, path,
             scenario->place.line, config->profile->name,
             config->door == STAGE_WIRE ? " --wire" : "", oms != NULL ? " --oms " : "",
             oms != NULL ? oms : "");
    return suite_keep(suite, text);
}

void sweep_describe(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config, const struct sweep_result *result,
                    struct report_run *run) {
    struct report_finding *finding = check_zalloc(1, sizeof *finding);
    char headline[SWEEP_TEXT_SIZE + 100], fingerprint[BASELINE_FINGERPRINT_SIZE];
    if (result->found)
        snprintf(headline, sizeof headline, "%s %lu fails%s: %s",
                 sweep_kind_name(result->first.kind), result->first.nth,
                 result->first.lasting ? ", and all after it" : "", result->text);
    else
        snprintf(headline, sizeof headline, "without any fault: %s",
                 result->text[0] != '\0' ? result->text : "nothing was ever tried");
    *finding = (struct report_finding){.code = "sweep",
                                       .headline = suite_keep(suite, headline),
                                       .plan = "",
                                       .replay = again(suite, path, scenario, config),
                                       .shrunk = ""};
    *run = (struct report_run){.scenario = suite_keep(suite, scenario->title),
                               .file = suite_keep(suite, path),
                               .line = scenario->place.line,
                               .oms = suite->oms_name,
                               .profile = config->profile->name,
                               .crash = "",
                               .door = config->door == STAGE_WIRE ? "wire" : "direct",
                               .verdict = REPORT_FAIL,
                               .note = "",
                               .code = "",
                               .findings = finding,
                               .finding_count = 1};
    for (int kind = 0; kind < SWEEP_KINDS; kind++)
        run->runs += result->kinds[kind].tried;
    baseline_fingerprint(run, finding->code, result->text, fingerprint);
    finding->fingerprint = suite_keep(suite, fingerprint);
}

/* ---- the command ---- */

static void sweep_one_configuration(void *ctx, const char *path, const struct scenario *scenario,
                                    const struct run_config *config) {
    struct sweeping *sweeping = ctx;
    struct sweep_result result;
    sweep_configuration(sweeping->suite, path, scenario, config, true, &result);
    sweeping->swept++;
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        sweeping->kinds[kind].tried += result.kinds[kind].tried;
        sweeping->kinds[kind].broke += result.kinds[kind].broke;
    }
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
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_BOTH)) {
        suite_paths_free(&paths);
        return suite.exit_code;
    }
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
