/* The gate: everything CI needs, in one command, and a promise of how much that is. Here its units
 * of work are done, all of them or a shard's; gate_tell.c says what they come to. */
#include "scenarios/cli/aside.h"
#include "scenarios/cli/capture.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/difference.h"
#include "scenarios/cli/explore.h"
#include "scenarios/cli/figures.h"
#include "scenarios/cli/gate_extra.h"
#include "scenarios/cli/gate_tell.h"
#include "scenarios/cli/known_bad.h"
#include "scenarios/cli/results.h"
#include "scenarios/cli/sweep.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_RUNS_MAX = 1000 }; /* longer ones are not repeated */

struct gate {
    struct suite *suite;
    const struct suite_paths *paths;
    struct results results;
    struct work_shard shard;
    unsigned long budget;   /* seconds for the extra part */
    FILE *made;             /* where a process aside writes its records; NULL: they are ours */
    struct capture capture; /* of the planted bug that is being tried */
};

static const struct work_unit *find_mine(const struct gate *gate, enum work_kind kind,
                                         const char *path, const struct scenario *scenario,
                                         const struct run_config *config) {
    const struct work_unit *unit = work_find(&gate->results.work, kind, path, scenario, config);
    return unit != NULL && work_is_of(unit, gate->shard) ? unit : NULL;
}

static void add_record(struct gate *gate, struct record *record) {
    char *line = NULL;
    if (gate->made == NULL) {
        results_add(&gate->results, gate->suite, record);
        return;
    }
    line = record_write(&gate->results.work, record);
    fprintf(gate->made, "%s\n", line);
    cJSON_free(line);
    record_free(record);
}

/* What a process aside has made. */
static bool read_records(void *ctx, FILE *made) {
    struct gate *gate = ctx;
    char *line = NULL;
    size_t size = 0;
    bool whole = true;
    while (whole && getline(&line, &size, made) > 0) {
        cJSON *object = cJSON_Parse(line);
        char why[RECORD_WHY_SIZE];
        struct record *record = record_read(&gate->results.work, object, gate->suite, why);
        whole = record != NULL;
        if (whole)
            results_add(&gate->results, gate->suite, record);
        cJSON_Delete(object);
    }
    free(line);
    return whole;
}

/* Moves the texts that a command printed to the record, and their memory to the suite. */
static void keep_told(struct gate *gate, struct record *record, struct capture *capture) {
    char *told = capture_end(capture);
    record->told = suite_keep(gate->suite, told);
    free(told);
}

/* The exit code of one unit by itself: what came before is in *before meanwhile. */
static void begin_exit(struct suite *suite, int *before) {
    *before = suite->exit_code;
    suite->exit_code = EXIT_PASS;
}

static int end_exit(struct suite *suite, int before) {
    int exit_code = suite->exit_code;
    suite->exit_code = before;
    return exit_code;
}

/* ---- runs ---- */

static void run_unit(void *ctx, const char *path, const struct scenario *scenario,
                     const struct run_config *config) {
    struct gate *gate = ctx;
    struct suite *suite = gate->suite;
    const struct work_unit *unit = find_mine(gate, WORK_RUN, path, scenario, config);
    struct record *record = NULL;
    struct run_result result;
    if (unit == NULL)
        return;
    memset(suite->tallies, 0, sizeof suite->tallies);
    suite->called = 0;
    if (!suite_perform(suite, scenario, config, suite->options->sut, suite->options->claims,
                       &result))
        return; /* told; the exit code says so */
    record = record_new(&gate->results.work, unit);
    record->exit_code = suite_exit_of(&result);
    suite_describe(suite, path, scenario, config, suite->options->value[OPTION_OMS], &result,
                   &record->report);
    record->has_report = true;
    record->called = suite->called;
    memcpy(record->tallies, suite->tallies, sizeof record->tallies);
    if (result.verdict == RUN_UNSTABLE) {
        struct capture capture = capture_begin();
        difference_print(suite, scenario, config, &result.finding.plan);
        keep_told(gate, record, &capture);
    }
    add_record(gate, record);
    run_result_free(&result);
}

static void run_files(struct gate *gate) {
    size_t next = 0;
    for (size_t i = 0; i < gate->paths->n; i++) {
        const struct work *work = &gate->results.work;
        suite_pick(gate->suite, gate->paths->v[i], run_unit, gate, NULL);
        if (next < work->n && work->v[next].kind == WORK_RUN &&
            strcmp(work->v[next].path, gate->paths->v[i]) == 0)
            next = gate_tell_file(gate->suite, &gate->results, next);
    }
}

/* ---- the same again ---- */

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

static void compare(struct gate *gate, const struct scenario *scenario,
                    const struct run_config *config, const struct report_run *first,
                    struct record *record) {
    struct run_result result;
    struct capture capture;
    if (!suite_perform(gate->suite, scenario, config, gate->suite->options->sut,
                       gate->suite->options->claims, &result))
        return;
    record->repeated = 1;
    if (result.fingerprint != first->fingerprint) {
        record->different = 1;
        record->exit_code = EXIT_NOT_REPEATABLE;
        capture = capture_begin();
        print_difference(gate->suite, first, result.fingerprint);
        difference_print(gate->suite, scenario, config, NULL);
        keep_told(gate, record, &capture);
    }
    run_result_free(&result);
}

static void repeat_unit(void *ctx, const char *path, const struct scenario *scenario,
                        const struct run_config *config) {
    struct gate *gate = ctx;
    const struct work *work = &gate->results.work;
    const struct work_unit *unit = find_mine(gate, WORK_REPEAT, path, scenario, config);
    const struct work_unit *run = find_mine(gate, WORK_RUN, path, scenario, config);
    const struct record *first = NULL;
    struct record *record = NULL;
    if (unit == NULL || run == NULL)
        return;
    first = gate->results.records[run - work->v];
    if (first == NULL)
        return; /* it could not be run */
    record = record_new(work, unit);
    if (!scenario->quantified || first->report.runs <= REPEAT_RUNS_MAX)
        compare(gate, scenario, config, &first->report, record);
    add_record(gate, record);
}

/* In a process aside. */
static void repeat(void *ctx, FILE *made) {
    struct gate *gate = ctx;
    gate->made = made;
    for (size_t i = 0; i < gate->paths->n; i++)
        suite_pick(gate->suite, gate->paths->v[i], repeat_unit, gate, NULL);
}

/* ---- sweeps ---- */

static void sweep_unit(void *ctx, const char *path, const struct scenario *scenario,
                       const struct run_config *config) {
    struct gate *gate = ctx;
    const struct work_unit *unit = find_mine(gate, WORK_SWEEP, path, scenario, config);
    struct record *record = NULL;
    struct sweep_result result;
    struct capture capture;
    int before = EXIT_PASS;
    if (unit == NULL)
        return;
    record = record_new(&gate->results.work, unit);
    begin_exit(gate->suite, &before);
    capture = capture_begin();
    sweep_configuration(gate->suite, path, scenario, config, false, &result);
    record->exit_code = end_exit(gate->suite, before);
    keep_told(gate, record, &capture);
    memcpy(record->swept, result.kinds, sizeof record->swept);
    if (record->exit_code != EXIT_PASS) {
        sweep_describe(gate->suite, path, scenario, config, &result, &record->report);
        record->has_report = true;
    }
    add_record(gate, record);
}

/* In a process aside. */
static void sweep(void *ctx, FILE *made) {
    struct gate *gate = ctx;
    gate->made = made;
    for (size_t i = 0; i < gate->paths->n; i++)
        suite_pick(gate->suite, gate->paths->v[i], sweep_unit, gate, NULL);
}

/* ---- planted bugs ---- */

static bool wants_planted(void *ctx, const char *path) {
    struct gate *gate = ctx;
    if (find_mine(gate, WORK_KNOWN_BAD, path, NULL, NULL) == NULL)
        return false;
    gate->suite->exit_code = EXIT_PASS;
    gate->capture = capture_begin();
    return true;
}

static void has_planted(void *ctx, const char *path, bool caught) {
    struct gate *gate = ctx;
    struct record *record =
        record_new(&gate->results.work, find_mine(gate, WORK_KNOWN_BAD, path, NULL, NULL));
    keep_told(gate, record, &gate->capture);
    record->caught = caught;
    record->exit_code = gate->suite->exit_code;
    record->has_report = suite_take(gate->suite, &record->report);
    add_record(gate, record);
}

static void try_planted(struct gate *gate) {
    const char *variants = gate->suite->options->value[OPTION_VARIANTS];
    struct known_bad_each each = {wants_planted, has_planted, gate};
    bool progress = gate->suite->terminal.progress;
    int before = EXIT_PASS;
    gate->suite->terminal.progress = false;
    begin_exit(gate->suite, &before);
    known_bad_run(gate->suite,
                  &(struct known_bad_ask){.variants = variants, .sample = true, .each = &each});
    end_exit(gate->suite, before);
    gate->suite->terminal.progress = progress;
}

/* ---- explorations ---- */

static bool explores(void *ctx, const struct exploration *exploration) {
    return find_mine(ctx, WORK_EXPLORE, exploration->path, exploration->scenario,
                     &exploration->config) != NULL;
}

static void record_exploration(struct gate *gate, const struct explore_options *explore,
                               struct exploration *exploration) {
    const struct explore_result *result = &exploration->result;
    struct record *record =
        record_new(&gate->results.work, find_mine(gate, WORK_EXPLORE, exploration->path,
                                                  exploration->scenario, &exploration->config));
    struct capture capture;
    int before = EXIT_PASS;
    begin_exit(gate->suite, &before);
    capture = capture_begin();
    exploration_report(gate->suite, explore, exploration, true);
    keep_told(gate, record, &capture);
    record->exit_code = end_exit(gate->suite, before);
    record->has_report = suite_take(gate->suite, &record->report);
    record->closed = result->closed;
    record->crash_worlds = result->crash_worlds;
    record->distinct = result->distinct;
    record->deepest = result->deepest;
    record->audited = result->audited;
    record->mismatches = result->mismatches;
    record->slowly = result->slowly;
    add_record(gate, record);
}

/* ---- all of it ---- */

static void do_all(struct gate *gate) {
    struct suite *suite = gate->suite;
    struct explore_options explore = gate_explores(suite->options);
    struct explorations all = {0};
    struct explorations_aside exploring;
    struct aside sweeping, repeating;
    for (size_t i = 0; i < gate->paths->n; i++)
        explorations_add(&all, suite, gate->paths->v[i]);
    explorations_keep(&all, explores, gate);
    exploring = explorations_begin(&all, suite, &explore);
    sweeping = aside_begin("sweeps", suite, sweep, gate);
    run_files(gate);
    repeating = aside_begin("repeats", suite, repeat, gate);
    try_planted(gate);
    aside_end(&repeating, suite, read_records, gate);
    aside_end(&sweeping, suite, read_records, gate);
    explorations_end(&exploring, &all, suite);
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].done)
            record_exploration(gate, &explore, &all.v[i]);
    }
    explorations_free(&all);
}

static void write_results(struct gate *gate) {
    const char *folder = gate->suite->options->value[OPTION_OUT];
    char why[RESULTS_WHY_SIZE];
    if (folder == NULL || results_write(&gate->results, folder, why))
        return;
    fprintf(stderr, "crashgate: %s\n", why);
    suite_worst(gate->suite, EXIT_ENVIRONMENT);
}

static void do_and_judge(struct gate *gate) {
    double begun = figure_wall_s();
    gate->suite->collects = true;
    results_add_shard(&gate->results, gate->shard);
    do_all(gate);
    gate->suite->collects = false;
    gate_tell_rest(gate->suite, &gate->results);
    /* A part that could not be done is the environment's fault, and no part to merge. */
    if (gate->suite->exit_code != EXIT_ENVIRONMENT && gate->suite->exit_code != EXIT_INTERNAL)
        write_results(gate);
    if (gate->shard.of > 1)
        gate_shard_verdict(gate->suite, &gate->results, gate->shard);
    else
        gate_verdict(gate->suite, &gate->results);
    gate_extra(gate->suite, gate->paths, gate->budget);
    fflush(stdout);
    fprintf(stderr, "crashgate: %.1f s\n", figure_wall_s() - begun);
}

static void list_and_do(struct gate *gate, const char *manifest_path,
                        const struct manifest *promised) {
    const char *folder = gate->suite->options->value[OPTION_OUT];
    struct work work;
    char why[RESULTS_WHY_SIZE];
    bool fits = false;
    if (work_list(gate->suite, gate->paths, manifest_path, &work)) {
        fits = folder == NULL || results_fit(folder, gate->suite, &work, why);
        if (!fits) {
            fprintf(stderr, "crashgate: --out %s: %s\n", folder, why);
            suite_worst(gate->suite, EXIT_MISTAKE);
        }
    }
    if (fits) {
        results_open(&gate->results, &work, manifest_path, promised);
        do_and_judge(gate);
    }
    work_free(&work);
}

static bool read_shard(const struct options *options, struct work_shard *shard) {
    const char *text = options->value[OPTION_SHARD];
    *shard = (struct work_shard){1, 1};
    if (text != NULL && !work_shard_parse(text, shard)) {
        fprintf(stderr,
                "crashgate: --shard is I/N, part I of N, with I from 1 to N and N at most %d, not "
                "'%s'\n",
                WORK_SHARDS_MAX, text);
        return false;
    }
    if (shard->of > 1 && options->value[OPTION_OUT] == NULL) {
        fprintf(stderr, "crashgate: --shard %s needs --out DIR: a part alone gives no verdict\n",
                text);
        return false;
    }
    return true;
}

int command_gate(const struct options *options, const char *program) {
    const char *folder = options->file_count > 0 ? options->files[0] : "scenarios";
    char manifest_path[4096], why[MANIFEST_WHY_SIZE];
    struct manifest promised;
    struct suite_paths paths;
    struct suite suite;
    struct gate gate = {.suite = &suite, .paths = &paths};
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: gate takes one folder of scenarios\n");
        return EXIT_MISTAKE;
    }
    if (!read_shard(options, &gate.shard) || !gate_extra_budget(options, &gate.budget))
        return EXIT_MISTAKE;
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
    suite.quiet_totals = true;
    list_and_do(&gate, manifest_path, &promised);
    results_free(&gate.results);
    suite_paths_free(&paths);
    return suite_close(&suite);
}
