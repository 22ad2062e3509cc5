/* crashgate explain: what a file will do, or what a code means. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/codes.h"
#include "scenarios/lang/describe.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_code(const struct code *code) {
    printf("%s%s%s  (%s)\n", code->code, code->slug[0] != '\0' ? " " : "", code->slug, code->what);
    printf("  rule   %s\n  cause  %s\n  fix    %s\n", code->meaning, code->cause, code->fix);
}

/* ---- a file ---- */

static void print_invariants(const struct scenario *scenario, unsigned claims) {
    unsigned suspended = run_suspends(scenario, NULL) & claims;
    const char *before = "";
    fputs("\njudged in every run: ", stdout);
    for (unsigned i = 1; i <= INVARIANT_COUNT; i++) {
        if ((claims & ~suspended & INVARIANT_BIT(i)) == 0)
            continue;
        printf("%sI%u", before, i);
        before = ", ";
    }
    for (unsigned i = 1; i <= INVARIANT_COUNT; i++) {
        if ((suspended & INVARIANT_BIT(i)) != 0)
            printf("; I%u is suspended by a fault", i);
    }
    fputc('\n', stdout);
}

/* How many runs a configuration has; counted by running them, but for pairs of crashes, of which
 * only the first ones are counted. */
static void count_runs(void *ctx, const char *path, const struct scenario *scenario,
                       const struct run_config *config) {
    struct suite *suite = ctx;
    struct run_options run;
    struct run_result result;
    struct run_points points = {0};
    (void)path;
    if (!suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run))
        return;
    run.skip_recovery = true;
    printf("  %s%s%s, %s door: ", config->profile->name, scenario->uses_default_crash ? ", " : "",
           scenario->uses_default_crash
               ? scn_crash_kind_name((enum scn_crash_kind)config->crash_kind)
               : "",
           config->door == STAGE_WIRE ? "wire" : "direct");
    if (scenario->depth == SCN_ONCE) {
        run_scenario(scenario, config, &run, &result);
        printf("%lu run%s, %lu crash points, %lu faults\n", result.runs,
               result.runs == 1 ? "" : "s", result.crash_points, result.counts.faults);
    } else {
        run_points(scenario, config, &run, &points, &result);
        printf("%zu first crash points, and for each all of the next life\n", points.n);
    }
    run_points_free(&points);
    run_result_free(&result);
}

/* The first time a scenario comes by it is told, each time its configuration is counted. */
struct telling {
    struct suite *suite;
    const struct scenario *told;
};

static void tell_one(void *ctx, const char *path, const struct scenario *scenario,
                     const struct run_config *config) {
    struct telling *telling = ctx;
    if (telling->told != scenario) {
        printf("%s%s:%d  %s\n\n", telling->told != NULL ? "\n" : "", path, scenario->place.line,
               scenario->title);
        scenario_describe(scenario, stdout);
        print_invariants(scenario, telling->suite->options->claims);
        puts("\nconfigurations:");
        telling->told = scenario;
    }
    count_runs(telling->suite, path, scenario, config);
}

static int explain_file(const struct options *options, const char *program) {
    struct suite suite;
    struct telling telling = {.suite = &suite};
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_pick(&suite, options->files[0], tell_one, &telling, NULL);
    return suite_close(&suite);
}

static int no_such_code(const char *word) {
    struct guess guess = guess_start(word, strlen(word));
    static struct code codes[200]; /* the guess points into it */
    for (size_t i = 0; i < sizeof codes / sizeof codes[0] && code_at(i, &codes[i]); i++) {
        guess_offer(&guess, codes[i].code);
        guess_offer(&guess, codes[i].slug);
    }
    fprintf(stderr, "crashgate: '%s' is neither a file nor a code", word);
    if (guess.best != NULL)
        fprintf(stderr, "; did you mean '%.*s'?", (int)guess.best_length, guess.best);
    fputc('\n', stderr);
    return EXIT_MISTAKE;
}

int command_explain(const struct options *options, const char *program) {
    struct code code;
    if (options->file_count != 1) {
        fprintf(stderr, "crashgate: explain takes one FILE[:LINE] or CODE\n");
        return EXIT_MISTAKE;
    }
    if (code_find(options->files[0], &code)) {
        print_code(&code);
        return EXIT_PASS;
    }
    if (strchr(options->files[0], '.') == NULL && access(options->files[0], F_OK) != 0)
        return no_such_code(options->files[0]);
    return explain_file(options, program);
}
