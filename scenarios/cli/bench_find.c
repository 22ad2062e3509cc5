/* How long it takes to find each planted bug: in the scenario that it names, and by random seeds. */
#include "scenarios/cli/bench.h"

#include "scenarios/cli/figures.h"
#include "scenarios/cli/known_bad.h"
#include "scenarios/cli/known_bad_try.h"
#include "scenarios/lang/exits.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* So many seeds for each bug, which bounds what the whole table takes. */
enum { SEEDS = 100 };

struct finding_all {
    struct suite *suite;
    cJSON *rows;
    double start_s;               /* of the bug that is tried */
    double scenario_s, slowest_s; /* of all of them; the slowest */
    double swept_s;               /* all that the seeds took */
    double slowest_swept_s;       /* of those that they found */
    unsigned bugs, swept;
    bool failed;
};

static bool starts(void *ctx, const char *path) {
    struct finding_all *all = ctx;
    (void)path;
    all->start_s = figure_wall_s();
    return true;
}

/* False: said on standard error. */
static bool sweep(struct suite *suite, const char *path, struct known_bad_swept *swept) {
    static const struct known_bad_seeds seeds = {.first = 1, .last = SEEDS, .jobs = 1};
    struct known_bad bad;
    const struct sut *sut = NULL;
    const char *oms = NULL;
    char why[KNOWN_BAD_WHY_SIZE] = "", wrong[SUT_WHY_SIZE] = "";
    if (known_bad_read(path, &bad, why) &&
        known_bad_oms(suite, &bad, KNOWN_BAD_VARIANTS, &oms, &sut, why) &&
        known_bad_sweep(sut, &seeds, swept, wrong))
        return true;
    fprintf(stderr, "crashgate: bench: the sweep of %s: %s%s\n", path, why, wrong);
    return false;
}

static void print_row(const struct report_planted *bug, double scenario_s,
                      const struct known_bad_swept *swept, double swept_s) {
    char needed[40], seed[40] = "-";
    snprintf(needed, sizeof needed, "%s %" PRIu64, bug->explored ? "life" : "run", bug->needed);
    if (swept->breaks[0] != '\0')
        snprintf(seed, sizeof seed, "seed %" PRIu64 ": %s", swept->seed, swept->breaks);
    printf("  %-35s %-8s %7.3f s  %-12s %7.3f s  %s\n", bug->name, bug->first, scenario_s, needed,
           swept_s, seed);
    fflush(stdout);
}

static void write_row(cJSON *rows, const struct report_planted *bug, double scenario_s,
                      const struct known_bad_swept *swept, double swept_s) {
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(rows, row);
    cJSON_AddStringToObject(row, "name", bug->name);
    cJSON_AddStringToObject(row, "breaks", bug->first);
    cJSON_AddStringToObject(row, "unit", bug->explored ? "lives" : "runs");
    cJSON_AddNumberToObject(row, "needed", (double)bug->needed);
    cJSON_AddNumberToObject(row, "seconds", scenario_s);
    cJSON_AddStringToObject(row, "swept", swept->breaks);
    if (swept->breaks[0] != '\0')
        cJSON_AddNumberToObject(row, "seed", (double)swept->seed);
    cJSON_AddNumberToObject(row, "swept_seconds", swept_s);
}

static void has_found(void *ctx, const char *path, const struct report_planted *bug) {
    struct finding_all *all = ctx;
    struct known_bad_swept swept;
    double found_s = figure_wall_s(), scenario_s = found_s - all->start_s, swept_s = 0;
    if (!bug->caught || !sweep(all->suite, path, &swept)) {
        all->failed = true;
        return;
    }
    swept_s = figure_wall_s() - found_s;
    print_row(bug, scenario_s, &swept, swept_s);
    write_row(all->rows, bug, scenario_s, &swept, swept_s);
    all->bugs++;
    all->scenario_s += scenario_s;
    all->swept_s += swept_s;
    if (scenario_s > all->slowest_s)
        all->slowest_s = scenario_s;
    if (swept.breaks[0] == '\0')
        return;
    all->swept++;
    if (swept_s > all->slowest_swept_s)
        all->slowest_swept_s = swept_s;
}

static void say_all(const struct finding_all *all, bench_say *say, void *ctx) {
    say(ctx, "find_in_scenarios", all->scenario_s, "s for all planted bugs, each in its scenario");
    say(ctx, "find_in_scenarios_slowest", all->slowest_s, "s");
    say(ctx, "find_by_sweep", all->swept, "planted bugs by at most 100 seeds each");
    say(ctx, "find_by_sweep_slowest", all->slowest_swept_s, "s of those that it found");
    say(ctx, "find_by_sweep_all", all->swept_s,
        "s of one process, with those that it did not find");
}

bool bench_find(const char *program, bench_say *say, void *ctx, struct cJSON *rows) {
    const struct options options = {.command = COMMAND_KNOWN_BAD,
                                    .sut = &sut_core,
                                    .claims = sut_core.claims,
                                    .crash_kind = SCN_NONE};
    struct suite suite;
    struct finding_all all = {.suite = &suite, .rows = rows};
    const struct known_bad_each each = {starts, has_found, &all};
    struct known_bad_counts counts;
    if (!suite_open(&suite, &options, program, SUITE_DIRECT))
        return false;
    suite.quiet_totals = true;
    printf("time to find each planted bug: in its scenario, and by seeds 1 to %d\n", SEEDS);
    counts = known_bad_run(&suite, &(struct known_bad_ask){.alone = true, .each = &each});
    if (suite_close(&suite) != EXIT_PASS || all.failed || counts.caught != counts.planted) {
        fprintf(stderr, "crashgate: bench: not every planted bug is caught\n");
        return false;
    }
    say_all(&all, say, ctx);
    return true;
}
