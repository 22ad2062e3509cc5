/* crashgate run --until LINE: the story and the state right before a line. */
#include "scenarios/cli/moment.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/exits.h"

#include <stdio.h>
#include <stdlib.h>

struct looking {
    struct suite *suite;
    int until;
    unsigned shown;
};

static const struct scn_line *line_of(const struct scenario *scenario, int number) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (scenario->lines[i].place.line == number)
            return &scenario->lines[i];
    }
    return NULL;
}

static bool has_moment(const struct scn_line *line) {
    return line->statement == SCN_FINALLY ||
           (line->when.base != SCN_FROM_BEGINNING && line->statement != SCN_ALWAYS);
}

/* False: said on standard error. */
static bool can_look(struct looking *looking, const char *path, const struct scenario *scenario,
                     const struct scn_line *line) {
    struct suite *suite = looking->suite;
    if (scenario->quantified && !suite->options->has_plan) {
        fprintf(stderr,
                "crashgate: %s:%d: 'anywhere' means many runs; add --plan to pick one ('none': "
                "nothing strikes)\n",
                path, scenario->place.line);
        suite_worst(suite, EXIT_MISTAKE);
        return false;
    }
    if (!has_moment(line)) {
        fprintf(stderr, "crashgate: %s:%d holds for the whole run and has no moment\n", path,
                looking->until);
        suite_worst(suite, EXIT_MISTAKE);
        return false;
    }
    return true;
}

static void show(struct looking *looking, const char *path, const struct scenario *scenario,
                 const struct run_config *config, const struct run_result *result) {
    struct suite *suite = looking->suite;
    const struct trace *trace = result->found ? &result->finding.trace : &result->trace;
    printf("%s%s:%d  %s  [%s, %s%s%s, %s]\n", looking->shown++ > 0 ? "\n" : "", path,
           scenario->place.line, scenario->title, suite->oms_name, config->profile->name,
           scenario->uses_default_crash ? ", " : "",
           scenario->uses_default_crash
               ? scn_crash_kind_name((enum scn_crash_kind)config->crash_kind)
               : "",
           config->door == STAGE_WIRE ? "wire" : "direct");
    if (result->state == NULL) {
        fprintf(stderr, "crashgate: %s:%d never happened in this run%s%s\n", path, looking->until,
                result->why[0] != '\0' ? ": " : "", result->why);
        suite_worst(suite, result->verdict == RUN_BROKEN ? EXIT_ENVIRONMENT : EXIT_MISTAKE);
        return;
    }
    suite_story(suite, trace);
    printf("right before line %d:\n%s", looking->until, result->state);
}

static void look_at_one(void *ctx, const char *path, const struct scenario *scenario,
                        const struct run_config *config) {
    struct looking *looking = ctx;
    const struct scn_line *line = line_of(scenario, looking->until);
    struct run_options run;
    struct run_result result;
    if (line == NULL || looking->suite->exit_code == EXIT_MISTAKE ||
        !can_look(looking, path, scenario, line) ||
        !suite_run_options(looking->suite, config, looking->suite->options->sut,
                           looking->suite->options->claims, &run))
        return;
    run.until = looking->until;
    run.skip_recovery = true;
    run_scenario(scenario, config, &run, &result);
    show(looking, path, scenario, config, &result);
    run_result_free(&result);
}

int command_until(const struct options *options, const char *program) {
    struct suite suite;
    struct looking looking = {.suite = &suite};
    char *end = NULL;
    long number = strtol(options->value[OPTION_UNTIL], &end, 10);
    if (*end != '\0' || number < 1 || number > 1000000) {
        fprintf(stderr, "crashgate: --until is a line of the file, not '%s'\n",
                options->value[OPTION_UNTIL]);
        return EXIT_MISTAKE;
    }
    if (options->file_count != 1) {
        fprintf(stderr, "crashgate: run --until takes one scenario file\n");
        return EXIT_MISTAKE;
    }
    looking.until = (int)number;
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_pick(&suite, options->files[0], look_at_one, &looking, NULL);
    if (looking.shown == 0 && suite.exit_code == EXIT_PASS) {
        fprintf(stderr, "crashgate: line %d of %s is no line of a scenario that the options pick\n",
                looking.until, options->files[0]);
        suite_worst(&suite, EXIT_MISTAKE);
    }
    return suite_close(&suite);
}
