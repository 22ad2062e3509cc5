/* The gate: everything CI needs, in one command, and a promise of how much that is. */
#include "scenarios/cli/aside.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/difference.h"
#include "scenarios/cli/explore.h"
#include "scenarios/cli/figures.h"
#include "scenarios/cli/known_bad.h"
#include "scenarios/cli/manifest.h"
#include "scenarios/cli/suite.h"
#include "scenarios/cli/sweep.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Every how many quantified configurations one is repeated, and how many runs it may have. */
enum { SAMPLE_EVERY = 5, SAMPLE_RUNS_MAX = 1000, LINE_WIDTH = 120 };

/* Audits ask whether the key of the search is right, not whether the OMS is: one merged world for
 * one in so many kept ones. Every wrong key of `explore` is noticed with one in 16, too. */
enum { AUDITS = 1, AUDIT_EVERY = 4 };

/* ---- the scenarios ---- */

/* One line for all configurations of a file; what failed has been told in full before. */
static void run_file(struct suite *suite, const char *path) {
    struct report_totals before = suite->totals;
    size_t scenarios = suite->scenario_count, configurations = suite->run_count;
    size_t again = suite->again;
    uint64_t passed = 0;
    char runs[FIGURE_SIZE], points[FIGURE_SIZE], faults[FIGURE_SIZE];
    suite_file(suite, path);
    scenarios = suite->scenario_count - scenarios;
    configurations = suite->run_count - configurations;
    if (configurations == 0 && suite->again > again)
        return; /* all of it is explored */
    passed = suite->totals.scenarios[REPORT_PASS] - before.scenarios[REPORT_PASS];
    printf("%s  %zu in %2zu configurations: %6s runs, %5s crash points, %6s faults  %s\n",
           passed == configurations && configurations > 0 ? "PASS" : "FAIL", scenarios,
           configurations, figure_grouped(suite->totals.runs - before.runs, runs),
           figure_grouped(suite->totals.crash_points - before.crash_points, points),
           figure_grouped(suite->totals.faults_fired - before.faults_fired, faults), path);
    fflush(stdout);
}

/* A kind that never struck, though it could have. */
static bool is_missing(const struct suite *suite, size_t tally) {
    return suite->tallies[tally] == 0 && (suite->called >> fault_tally_op(tally) & 1) != 0;
}

/* Every kind of fault with how often it struck; one that never did is a promise not kept. */
static void judge_faults(struct suite *suite) {
    unsigned kinds = 0, missing = 0;
    int column = printf("faults fired:");
    for (size_t i = 0; i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE], count[FIGURE_SIZE], text[FAULT_TALLY_SIZE + FIGURE_SIZE + 2];
        int length = 0;
        if (!fault_tally_name(i, name))
            continue;
        kinds++;
        missing += is_missing(suite, i);
        length =
            snprintf(text, sizeof text, " %s %s,", name, figure_grouped(suite->tallies[i], count));
        if (column + length > LINE_WIDTH)
            column = printf("\n ") - 1;
        column += printf("%s", text);
    }
    printf(" %u kinds, %u never fired\n", kinds, missing);
    for (size_t i = 0; i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE];
        if (!fault_tally_name(i, name) || suite->tallies[i] > 0)
            continue;
        if (is_missing(suite, i))
            printf("FAIL  no scenario makes '%s' happen\n", name);
        else
            printf("'%s' cannot happen: this OMS never makes that call\n", name);
    }
    if (missing > 0)
        suite_worst(suite, EXIT_FAIL);
}

/* ---- the same again ---- */

struct repeats {
    struct suite *suite;
    size_t at;         /* the next of the suite's reports */
    size_t quantified; /* so far */
    size_t repeated, different;
};

/* Told scenarios always; of the others every few, when they are not too long. */
static bool is_sampled(struct repeats *repeats, const struct scenario *scenario,
                       const struct report_run *first) {
    if (!scenario->quantified)
        return true;
    return repeats->quantified++ % SAMPLE_EVERY == 0 && first->runs <= SAMPLE_RUNS_MAX;
}

static void print_difference(const struct suite *suite, const struct report_run *first,
                             uint64_t fingerprint) {
    bool crashes = first->crash[0] != '\0';
    printf("FAIL  %s:%d  %s  went another way the second time: fingerprint %016" PRIx64
           ", then %016" PRIx64 "\n",
           first->file, first->line, first->scenario, first->fingerprint, fingerprint);
    printf("again, twice: %s run %s:%d --profile %s%s%s%s\n", suite->program, first->file,
           first->line, first->profile, crashes ? " --crashes " : "", first->crash,
           strcmp(first->door, "wire") == 0 ? " --wire" : "");
}

static void repeat_one(void *ctx, const struct scenario *scenario,
                       const struct run_config *config) {
    struct repeats *repeats = ctx;
    struct suite *suite = repeats->suite;
    const struct report_run *first = NULL;
    struct run_result result;
    if (repeats->at >= suite->run_count || scenario->depth == SCN_AGAIN)
        return;
    first = &suite->runs[repeats->at++];
    if (!is_sampled(repeats, scenario, first) ||
        !suite_perform(suite, scenario, config, suite->options->sut, suite->options->claims,
                       &result))
        return;
    repeats->repeated++;
    if (result.fingerprint != first->fingerprint) {
        repeats->different++;
        print_difference(suite, first, result.fingerprint);
        difference_print(suite, scenario, config, NULL);
        suite_worst(suite, EXIT_NOT_REPEATABLE);
    }
    run_result_free(&result);
}

/* In the order of the first pass, so that the reports pair off with what is repeated. In a process
 * aside. */
static void repeat(void *ctx, void *result) {
    const struct suite_paths *paths = ctx;
    struct repeats *repeats = result;
    struct suite *suite = repeats->suite;
    for (size_t i = 0; i < paths->n; i++) {
        struct scenario_file file;
        struct diags diags = {0};
        if (scenario_load(paths->v[i], &file, &diags)) {
            for (size_t j = 0; j < file.count; j++)
                suite_configurations(&file.scenarios[j], suite->options, suite->doors, repeat_one,
                                     repeats);
        }
        diags_free(&diags);
        scenario_free(&file);
    }
    printf("repeated: %zu of %zu configurations, %zu went another way\n", repeats->repeated,
           suite->run_count, repeats->different);
}

/* ---- all of it ---- */

static void print_verdict(const struct suite *suite, const struct manifest *counted,
                          const struct known_bad_counts *known_bad, const struct repeats *repeats,
                          const struct sweep_count *swept, unsigned long explorations,
                          double seconds) {
    char runs[FIGURE_SIZE], points[FIGURE_SIZE], lives[FIGURE_SIZE], faults[FIGURE_SIZE],
        worlds[FIGURE_SIZE], sweeps[FIGURE_SIZE];
    printf("gate: %s  %" PRIu64 " scenarios, %s runs, %s crash points, %s lives, %s faults fired, "
           "%" PRIu64
           " of %lu explorations closed (%s crash worlds), %s failures swept, %lu broke it, "
           "%zu of %zu known-bad caught, %s  (%.1f s)\n",
           suite->exit_code == EXIT_PASS ? "PASS" : "FAIL", counted->scenarios,
           figure_grouped(counted->runs, runs), figure_grouped(counted->crash_points, points),
           figure_grouped(counted->lives, lives), figure_grouped(counted->faults_fired, faults),
           counted->closed, explorations, figure_grouped(counted->crash_worlds, worlds),
           figure_grouped(swept->tried, sweeps), swept->broke, known_bad->caught,
           known_bad->planted, repeats->different == 0 ? "repeats equal" : "REPEATS DIFFER",
           seconds);
}

static void run_all(struct suite *suite, struct suite_paths *paths, const struct manifest *promised,
                    const char *manifest_path) {
    const char *variants = suite->options->value[OPTION_VARIANTS];
    double begun = figure_wall_s();
    struct repeats repeats = {.suite = suite};
    struct aside repeating;
    struct manifest counted;
    struct known_bad_counts known_bad;
    struct sweep_count swept;
    struct explore_options explore = explore_defaults(suite->options);
    struct explore_totals explored;
    struct explorations all = {0};
    struct explorations_aside aside;
    struct sweep_aside sweeps;
    explore.delays = EXPLORE_AT_ONCE;
    explore.audits = AUDITS;
    explore.audit_every = AUDIT_EVERY;
    for (size_t i = 0; i < paths->n; i++)
        explorations_add(&all, suite, paths->v[i]);
    aside = explorations_begin(&all, suite, &explore);
    sweeps = sweep_begin(suite, paths);
    suite->scenario_count = 0; /* they are counted when they are run, and those explored are not */
    for (size_t i = 0; i < paths->n; i++)
        run_file(suite, paths->v[i]);
    counted = (struct manifest){.scenarios = suite->scenario_count,
                                .runs = suite->totals.runs,
                                .crash_points = suite->totals.crash_points,
                                .lives = suite->totals.lives,
                                .faults_fired = suite->totals.faults_fired};
    judge_faults(suite);
    repeating = aside_begin("repeats", suite, repeat, paths, &repeats, sizeof repeats);
    known_bad = known_bad_run(suite, &(struct known_bad_ask){.variants = variants, .sample = true});
    counted.known_bad = known_bad.caught;
    aside_end(&repeating, suite, &repeats, sizeof repeats);
    swept = sweep_end(&sweeps);
    counted.swept = swept.tried;
    explorations_end(&aside, &all, suite, &explore, &explored);
    explore_tell_totals(&explored, &explore);
    counted.closed = explored.closed;
    counted.crash_worlds = explored.crash_worlds;
    explorations_free(&all);
    if (!manifest_kept(promised, &counted, manifest_path, stdout))
        suite_worst(suite, EXIT_FAIL);
    print_verdict(suite, &counted, &known_bad, &repeats, &swept, explored.explorations,
                  figure_wall_s() - begun);
}

int command_gate(const struct options *options, const char *program) {
    const char *folder = options->file_count > 0 ? options->files[0] : "scenarios";
    char manifest_path[4096], why[MANIFEST_WHY_SIZE];
    struct manifest promised;
    struct suite_paths paths;
    struct suite suite;
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: gate takes one folder of scenarios\n");
        return EXIT_MISTAKE;
    }
    snprintf(manifest_path, sizeof manifest_path, "%s/gate.manifest", folder);
    if (!manifest_read(manifest_path, &promised, why)) {
        fprintf(stderr,
                "crashgate: manifest %s: %s; without its promises a gate that tries nothing would "
                "pass\n",
                manifest_path, why);
        return EXIT_MISTAKE;
    }
    if (!suite_paths(&folder, 1, &paths))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program, SUITE_BOTH)) {
        suite_paths_free(&paths);
        return suite.exit_code;
    }
    suite.quiet_passes = true;
    suite.quiet_totals = true;
    run_all(&suite, &paths, &promised, manifest_path);
    suite_paths_free(&paths);
    return suite_close(&suite);
}
