/* The gate: everything CI needs, in one command, and a promise of how much that is. Here its units
 * of work are done by a crew, all of them or a shard's; gate_tell.c says what they come to. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/crew.h"
#include "scenarios/cli/figures.h"
#include "scenarios/cli/gate_extra.h"
#include "scenarios/cli/gate_tasks.h"
#include "scenarios/cli/gate_tell.h"
#include "scenarios/cli/gate_units.h"
#include "scenarios/cli/results.h"
#include "scenarios/lang/exits.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct gate {
    struct suite *suite;
    const struct suite_paths *paths;
    const char *base; /* of bugs */
    struct results results;
    struct work_shard shard;
    unsigned jobs;
    unsigned long budget; /* seconds for the extra part */
    struct gate_tasks tasks;
    size_t first; /* of the tasks that the crew has now */
    size_t done;
    bool bugs_told;
    size_t files_told; /* units up to this one */
};

/* ---- telling, as soon as it can be told in order ---- */

static bool are_done(const struct gate *gate, size_t first, size_t end) {
    const struct work *work = &gate->results.work;
    for (size_t i = first; i < end; i++) {
        if (work_is_of(&work->v[i], gate->shard) && gate->results.records[i] == NULL)
            return false;
    }
    return true;
}

/* The first unit behind those of that kind that are about the same file, or about any. */
static size_t end_of(const struct work *work, size_t first, enum work_kind kind, bool any) {
    size_t i = first;
    while (i < work->n && work->v[i].kind == kind &&
           (any || strcmp(work->v[i].path, work->v[first].path) == 0))
        i++;
    return i;
}

/* `all`: what is not done is not waited for. */
static void tell_ready(struct gate *gate, bool all) {
    const struct work *work = &gate->results.work;
    size_t end = end_of(work, 0, WORK_BUG, true);
    if (!gate->bugs_told && (all || are_done(gate, 0, end))) {
        gate_tell_bugs(gate->suite, &gate->results);
        gate->bugs_told = true;
        gate->files_told = end;
    }
    while (gate->bugs_told && gate->files_told < work->n &&
           work->v[gate->files_told].kind == WORK_RUN) {
        end = end_of(work, gate->files_told, WORK_RUN, false);
        if (!all && !are_done(gate, gate->files_told, end))
            return;
        gate->files_told = gate_tell_file(gate->suite, &gate->results, gate->files_told);
    }
}

/* ---- doing ---- */

static struct gate_units units_of(struct gate *gate) {
    return (struct gate_units){gate->suite, &gate->results, gate->shard};
}

static int do_task(void *ctx, size_t task, FILE *made) {
    struct gate *gate = ctx;
    struct gate_units units = units_of(gate);
    gate->suite->terminal.progress = false;
    return gate_units_do(&units, &gate->tasks.v[gate->first + task], made);
}

static bool take_made(void *ctx, size_t task, const char *made, size_t length) {
    struct gate *gate = ctx;
    struct gate_units units = units_of(gate);
    bool whole = gate_units_take(&units, made, length);
    (void)task;
    gate->done++;
    tell_ready(gate, false);
    if (gate->suite->terminal.progress)
        report_terminal_progress(&gate->suite->terminal, gate->done, gate->tasks.n, "the gate");
    return whole;
}

static const char *name_of(void *ctx, size_t task) {
    struct gate *gate = ctx;
    return gate->tasks.v[gate->first + task].unit->id;
}

static void do_some(struct gate *gate, size_t first, size_t end) {
    struct crew crew = {.count = end - first,
                        .jobs = gate->jobs,
                        .perform = do_task,
                        .take = take_made,
                        .name = name_of,
                        .ctx = gate};
    int exit_code = EXIT_PASS;
    gate->first = first;
    if (first < end)
        exit_code = crew_run(&crew);
    suite_worst(gate->suite, exit_code);
}

static void do_all(struct gate *gate) {
    struct gate_tasks *tasks = &gate->tasks;
    if (gate_tasks_make(gate->suite, gate->paths, gate->base, &gate->results.work, gate->shard,
                        tasks)) {
        do_some(gate, 0, tasks->repeats_from);
        do_some(gate, tasks->repeats_from, tasks->n);
    }
    gate_tasks_free(tasks);
    tell_ready(gate, true);
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
    gate_extra(gate->suite, gate->paths, gate->budget, gate->jobs);
    fflush(stdout);
    fprintf(stderr, "crashgate: %.1f s\n", figure_wall_s() - begun);
}

static void list_and_do(struct gate *gate, const char *manifest_path,
                        const struct manifest *promised) {
    const char *folder = gate->suite->options->value[OPTION_OUT];
    const struct work_sources from = {gate->paths, gate->base, manifest_path, promised};
    struct work work;
    char why[RESULTS_WHY_SIZE];
    bool fits = false;
    if (work_list(gate->suite, &from, &work)) {
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

static bool read_jobs(const struct options *options, unsigned *jobs) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned long wanted = cores < 1 ? 1 : (unsigned long)cores;
    if (wanted > CREW_JOBS_MAX)
        wanted = CREW_JOBS_MAX;
    if (!options_number("--jobs", options->value[OPTION_JOBS], 1, CREW_JOBS_MAX, &wanted))
        return false;
    *jobs = (unsigned)wanted;
    return true;
}

int command_gate(const struct options *options, const char *program) {
    const char *folder = options->file_count > 0 ? options->files[0] : "scenarios";
    const char *base = options->value[OPTION_BASE];
    char manifest_path[PATH_SIZE], found[PATH_SIZE], why[MANIFEST_WHY_SIZE];
    struct manifest promised;
    struct suite_paths paths;
    struct suite suite;
    struct gate gate = {.suite = &suite, .paths = &paths};
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: gate takes one folder of scenarios\n");
        return EXIT_MISTAKE;
    }
    if (!read_shard(options, &gate.shard) || !read_jobs(options, &gate.jobs) ||
        !gate_extra_budget(options, &gate.budget))
        return EXIT_MISTAKE;
    snprintf(found, sizeof found, "%s/found", folder);
    gate.base = base != NULL ? base : found;
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
