/* Units of work, kind by kind: what is done, and what is written down of it. */
#include "scenarios/cli/gate_units.h"

#include "scenarios/cli/capture.h"
#include "scenarios/cli/difference.h"
#include "scenarios/cli/explore.h"
#include "scenarios/cli/gate_seeds.h"
#include "scenarios/cli/gate_tell.h"
#include "scenarios/cli/known_bad.h"
#include "scenarios/cli/retest.h"
#include "scenarios/cli/sweep.h"
#include "scenarios/lang/codes.h"
#include "scenarios/lang/exits.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REPEAT_RUNS_MAX = 1000 }; /* longer ones are not repeated */

/* ---- records ---- */

static struct record *record_of(const struct gate_units *gate, const struct gate_task *task) {
    return record_new(&gate->results->work, task->unit);
}

/* Writes it and releases it. */
static void hand_over(const struct gate_units *gate, struct record *record, FILE *made) {
    char *line = record_write(&gate->results->work, record);
    fprintf(made, "%s\n", line);
    cJSON_free(line);
    record_free(record);
}

bool gate_units_take(const struct gate_units *gate, const char *made, size_t length) {
    const char *at = made;
    bool whole = true;
    while (whole && at < made + length) {
        const char *end = NULL;
        cJSON *object = cJSON_ParseWithOpts(at, &end, false);
        char why[RECORD_WHY_SIZE];
        struct record *record = record_read(&gate->results->work, object, gate->suite, why);
        whole = record != NULL && end != NULL && *end == '\n';
        if (whole)
            results_add(gate->results, gate->suite, record);
        else
            record_free(record);
        at = whole ? end + 1 : at;
        cJSON_Delete(object);
    }
    return whole;
}

/* Moves what was printed to the record. */
static void keep_told(const struct gate_units *gate, struct record *record,
                      struct capture *capture) {
    char *told = capture_end(capture);
    record->told = suite_keep(gate->suite, told);
    free(told);
}

/* The exit code that one unit asks for: suite_worst from here on. */
static void begin_exit(struct suite *suite) {
    suite->exit_code = EXIT_PASS;
}

static int end_exit(struct suite *suite) {
    int exit_code = suite->exit_code;
    suite->exit_code = EXIT_PASS;
    return exit_code;
}

static bool perform(const struct gate_units *gate, const struct gate_task *task,
                    struct run_result *result) {
    const struct options *options = gate->suite->options;
    return suite_perform(gate->suite, task->scenario, &task->config, options->sut, options->claims,
                         result);
}

/* ---- bugs ---- */

/* What did not fail has no finding, whatever else its run came to. */
static void describe_bug(const struct gate_units *gate, const struct bug *bug,
                         const struct retested *retested, struct report_run *report) {
    static const char fixed[] = "it was open, and does not fail any more: 'crashgate bugs retest "
                                "--mark' writes down that it is fixed";
    const struct scenario *scenario = &bug->file.scenarios[0];
    struct run_config config = trial_config(scenario);
    struct run_result result = retested->result;
    bool fails = retested->end == RETEST_FAILS || retested->end == RETEST_CAME_BACK;
    result.found = result.found && fails;
    result.verdict = fails ? RUN_FAIL : RUN_PASS;
    suite_describe(gate->suite, bug->path, scenario, &config,
                   gate->suite->options->value[OPTION_OMS], &result, report);
    if (retested->end != RETEST_FIXED && retested->end != RETEST_SHOWS_NOTHING)
        return;
    report->verdict = REPORT_INCONCLUSIVE;
    report->code = run_code_text(RUN_CODE_INCONCLUSIVE);
    report->note = retested->end == RETEST_FIXED ? fixed : retest_meaning(retested->end);
}

static int exit_of_bug(enum retest_end end) {
    switch (end) {
    case RETEST_PASSES:
        return EXIT_PASS;
    case RETEST_FIXED:
        return EXIT_FIXED;
    case RETEST_SHOWS_NOTHING:
        return EXIT_INCONCLUSIVE;
    case RETEST_FAILS:
    case RETEST_CAME_BACK:
        return EXIT_FAIL;
    case RETEST_BROKEN:
    case RETEST_END_COUNT:
        break;
    }
    return EXIT_ENVIRONMENT;
}

static int do_bug(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    const struct options *options = gate->suite->options;
    struct trial trial = {.sut = options->sut, .claims = options->claims};
    struct retested retested;
    struct capture capture;
    struct record *record = NULL;
    int exit_code = EXIT_PASS;
    retest_bug(task->bug, &trial, &retested);
    exit_code = exit_of_bug(retested.end);
    if (exit_code == EXIT_ENVIRONMENT) {
        fprintf(stderr, "crashgate: %s: %s\n", task->bug->path, retested.note);
    } else {
        record = record_of(gate, task);
        record->exit_code = exit_code;
        record->came_back = retested.end == RETEST_CAME_BACK;
        describe_bug(gate, task->bug, &retested, &record->report);
        record->has_report = true;
        capture = capture_begin();
        if (retested.end != RETEST_PASSES)
            retest_tell(task->bug, &retested);
        keep_told(gate, record, &capture);
        hand_over(gate, record, made);
    }
    run_result_free(&retested.result);
    trial_close(&trial);
    return exit_code == EXIT_ENVIRONMENT ? EXIT_ENVIRONMENT : EXIT_PASS;
}

/* ---- runs ---- */

static int do_run(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    struct suite *suite = gate->suite;
    struct record *record = NULL;
    struct run_result result;
    memset(suite->tallies, 0, sizeof suite->tallies);
    suite->called = 0;
    if (!perform(gate, task, &result))
        return end_exit(suite);
    record = record_of(gate, task);
    record->exit_code = suite_exit_of(&result);
    suite_describe(suite, task->unit->path, task->scenario, &task->config,
                   suite->options->value[OPTION_OMS], &result, &record->report);
    record->has_report = true;
    record->called = suite->called;
    memcpy(record->tallies, suite->tallies, sizeof record->tallies);
    if (result.verdict == RUN_UNSTABLE) {
        struct capture capture = capture_begin();
        difference_print(suite, task->scenario, &task->config, &result.finding.plan);
        keep_told(gate, record, &capture);
    }
    hand_over(gate, record, made);
    run_result_free(&result);
    return EXIT_PASS;
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

static int compare(const struct gate_units *gate, const struct gate_task *task,
                   const struct report_run *first, struct record *record) {
    struct run_result result;
    struct capture capture;
    if (!perform(gate, task, &result))
        return end_exit(gate->suite);
    record->repeated = 1;
    if (result.fingerprint != first->fingerprint) {
        record->different = 1;
        record->exit_code = EXIT_NOT_REPEATABLE;
        capture = capture_begin();
        print_difference(gate->suite, first, result.fingerprint);
        difference_print(gate->suite, task->scenario, &task->config, NULL);
        keep_told(gate, record, &capture);
    }
    run_result_free(&result);
    return EXIT_PASS;
}

static int do_repeat(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    const struct work *work = &gate->results->work;
    const struct work_unit *run =
        work_find(work, WORK_RUN, task->unit->path, task->scenario, &task->config);
    const struct record *first = run == NULL ? NULL : gate->results->records[run - work->v];
    struct record *record = NULL;
    int exit_code = EXIT_PASS;
    if (first == NULL)
        return EXIT_PASS; /* it could not be run, which was told */
    record = record_of(gate, task);
    if (!task->scenario->quantified || first->report.runs <= REPEAT_RUNS_MAX)
        exit_code = compare(gate, task, &first->report, record);
    if (exit_code == EXIT_PASS)
        hand_over(gate, record, made);
    else
        record_free(record);
    return exit_code;
}

/* ---- sweeps ---- */

static int do_sweep(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    struct suite *suite = gate->suite;
    struct record *record = record_of(gate, task);
    struct sweep_result result;
    struct capture capture = capture_begin();
    begin_exit(suite);
    sweep_configuration(suite, task->unit->path, task->scenario, &task->config, false, &result);
    record->exit_code = end_exit(suite);
    keep_told(gate, record, &capture);
    memcpy(record->swept, result.kinds, sizeof record->swept);
    if (record->exit_code != EXIT_PASS) {
        sweep_describe(suite, task->unit->path, task->scenario, &task->config, &result,
                       &record->report);
        record->has_report = true;
    }
    hand_over(gate, record, made);
    return EXIT_PASS;
}

/* ---- explorations ---- */

static void fill_exploration(const struct gate_units *gate, const struct explore_options *explore,
                             struct exploration *exploration, struct record *record) {
    const struct explore_result *result = &exploration->result;
    struct capture capture = capture_begin();
    begin_exit(gate->suite);
    exploration_report(gate->suite, explore, exploration, true);
    keep_told(gate, record, &capture);
    record->exit_code = end_exit(gate->suite);
    record->has_report = suite_take(gate->suite, &record->report);
    record->closed = result->closed;
    record->crash_worlds = result->crash_worlds;
    record->distinct = result->distinct;
    record->deepest = result->deepest;
    record->audited = result->audited;
    record->mismatches = result->mismatches;
    record->slowly = result->slowly;
}

static int do_exploration(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    struct explore_options explore = gate_explores(gate->suite->options);
    struct exploration exploration = {.path = (char *)(uintptr_t)task->unit->path,
                                      .scenario = task->scenario,
                                      .config = task->config};
    struct record *record = NULL;
    exploration_make(gate->suite, &explore, &exploration);
    if (!exploration.done)
        return end_exit(gate->suite);
    exploration.result.replay.finding.trace = (struct trace){0};
    exploration.result.replay.trace = (struct trace){0};
    record = record_of(gate, task);
    fill_exploration(gate, &explore, &exploration, record);
    hand_over(gate, record, made);
    return EXIT_PASS;
}

/* ---- planted bugs ---- */

struct trying {
    const struct gate_units *gate;
    FILE *made;
    const struct work_unit *unit;
    struct capture capture;
};

static bool wants_planted(void *ctx, const char *path) {
    struct trying *trying = ctx;
    trying->unit = work_find(&trying->gate->results->work, WORK_KNOWN_BAD, path, NULL, NULL);
    if (trying->unit == NULL || !work_is_of(trying->unit, trying->gate->shard))
        return false;
    begin_exit(trying->gate->suite);
    trying->capture = capture_begin();
    return true;
}

static void has_planted(void *ctx, const char *path, const struct report_planted *bug) {
    struct trying *trying = ctx;
    struct suite *suite = trying->gate->suite;
    struct record *record = record_new(&trying->gate->results->work, trying->unit);
    (void)path;
    keep_told(trying->gate, record, &trying->capture);
    record->caught = bug->caught;
    record->exit_code = end_exit(suite);
    record->has_report = suite_take(suite, &record->report);
    hand_over(trying->gate, record, trying->made);
}

static int do_planted(const struct gate_units *gate, FILE *made) {
    const char *variants = gate->suite->options->value[OPTION_VARIANTS];
    struct trying trying = {.gate = gate, .made = made};
    struct known_bad_each each = {wants_planted, has_planted, &trying};
    known_bad_run(gate->suite,
                  &(struct known_bad_ask){.variants = variants, .sample = true, .each = &each});
    return end_exit(gate->suite);
}

/* ---- seeds ---- */

static int do_seeds(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    struct record *record = record_of(gate, task);
    int exit_code = gate_seeds_play(gate->suite, task->unit, record);
    if (exit_code == EXIT_PASS)
        hand_over(gate, record, made);
    else
        record_free(record);
    return exit_code;
}

/* ---- any ---- */

int gate_units_do(const struct gate_units *gate, const struct gate_task *task, FILE *made) {
    switch (task->unit->kind) {
    case WORK_BUG:
        return do_bug(gate, task, made);
    case WORK_RUN:
        return do_run(gate, task, made);
    case WORK_REPEAT:
        return do_repeat(gate, task, made);
    case WORK_EXPLORE:
        return do_exploration(gate, task, made);
    case WORK_SWEEP:
        return do_sweep(gate, task, made);
    case WORK_KNOWN_BAD:
        return do_planted(gate, made);
    case WORK_SEEDS:
        return do_seeds(gate, task, made);
    case WORK_KIND_COUNT:
        break;
    }
    return EXIT_PASS;
}
