/* crashgate points: where the OMS can die in a story, numbered and named. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/exits.h"
#include "scenarios/lang/time_text.h"

#include <stdio.h>

/* "after broker.submit call 1", in the words of plans. */
static void where(const struct run_point *point, char *out, size_t size) {
    char site[SITE_NAME_SIZE];
    if (point->occurrence == 0)
        snprintf(out, size, "before the restart (idle)");
    else
        snprintf(out, size, "%s %s@%u", point->after ? "after" : "before",
                 site_name(point->site, site), point->occurrence);
}

/* What a power cut there could leave. */
static void stakes(const struct run_point *point, char *out, size_t size) {
    if (point->unsynced == 0)
        snprintf(out, size, "all synced");
    else
        snprintf(out, size, "%u unsynced, %s%u worlds", point->unsynced,
                 point->reduced ? "more than " : "", point->outcomes);
}

static void print_points(const struct run_points *points) {
    unsigned long worlds = 0;
    bool reduced = false;
    for (size_t i = 0; i < points->n; i++) {
        const struct run_point *point = &points->v[i];
        char clock[TIME_TEXT_SIZE], place[64], left[64], line[24] = "";
        where(point, place, sizeof place);
        stakes(point, left, sizeof left);
        if (point->line > 0)
            snprintf(line, sizeof line, "line %d", point->line);
        printf("%4zu  life %u  %-13s  %-8s  %-30s  %-24s%s%s\n", i + 1, point->life,
               time_format_clock(point->at_ns % TIME_DAY_NS, clock), line, place, left,
               point->names[0] != '\0' ? "  " : "", point->names);
        worlds += point->outcomes;
        reduced = reduced || point->reduced;
    }
    printf("%zu crash points: kill leaves %zu worlds, power %s%lu\n", points->n, points->n,
           reduced ? "more than " : "", worlds);
}

static void list_one(void *ctx, const char *path, const struct scenario *scenario,
                     const struct run_config *config) {
    struct suite *suite = ctx;
    struct run_options run;
    struct run_points points;
    struct run_result result;
    if (!suite_run_options(suite, config, suite->options->sut, suite->options->claims, &run))
        return;
    run_points(scenario, config, &run, &points, &result);
    printf("%s:%d  %s  [%s, %s%s%s, %s]\n", path, scenario->place.line, scenario->title,
           suite->oms_name, config->profile->name, scenario->uses_default_crash ? ", " : "",
           scenario->uses_default_crash
               ? scn_crash_kind_name((enum scn_crash_kind)config->crash_kind)
               : "",
           config->door == STAGE_WIRE ? "wire" : "direct");
    if (result.verdict == RUN_BROKEN || result.verdict == RUN_MISFIT) {
        fprintf(stderr, "crashgate: %s\n", result.why);
        suite_worst(suite, result.verdict == RUN_BROKEN ? EXIT_ENVIRONMENT : EXIT_MISTAKE);
    }
    print_points(&points);
    run_points_free(&points);
    run_result_free(&result);
}

int command_points(const struct options *options, const char *program) {
    struct suite suite;
    if (options->file_count != 1) {
        fprintf(stderr, "crashgate: points takes one FILE[:LINE]\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_pick(&suite, options->files[0], list_one, &suite, NULL);
    return suite_close(&suite);
}
