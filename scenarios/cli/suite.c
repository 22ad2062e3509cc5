/* Many scenarios, all their configurations, and what is told about them. */
#include "scenarios/cli/suite.h"

#include "reports/json.h"
#include "scenarios/cli/baseline.h"
#include "scenarios/cli/difference.h"
#include "scenarios/cli/suite_reports.h"
#include "scenarios/lang/codes.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The bug base below a folder is played by `crashgate bugs retest`: what a bug orders need not happen
 * any more once it is fixed. */
#define BUGS_FOLDER "found"

enum { PATHS_MAX = 10000, TEXTS_MAX = 10000000, DEPTH_MAX = 8, PROGRESS_EVERY = 64 };

/* Which exit code outweighs which: the later in this list. */
static const int weights[] = {EXIT_PASS, EXIT_FIXED,          EXIT_INCONCLUSIVE, EXIT_MISTAKE,
                              EXIT_FAIL, EXIT_NOT_REPEATABLE, EXIT_ENVIRONMENT};

static size_t weight(int exit_code) {
    size_t i = 0;
    while (i < sizeof weights / sizeof weights[0] && weights[i] != exit_code)
        i++;
    return i;
}

void suite_worst(struct suite *suite, int exit_code) {
    if (weight(exit_code) > weight(suite->exit_code))
        suite->exit_code = exit_code;
}

/* ---- texts that live as long as the suite ---- */

const char *suite_keep(struct suite *suite, const char *text) {
    char *copy = strdup(text);
    CHECK(copy != NULL);
    CHECK_ROOM(suite->texts, suite->text_count, suite->text_cap, TEXTS_MAX);
    suite->texts[suite->text_count++] = copy;
    return copy;
}

/* ---- opening and closing ---- */

static bool is_brief(const struct options *options) {
    return options->value[OPTION_FORMAT] != NULL &&
           strcmp(options->value[OPTION_FORMAT], "short") == 0;
}

static bool open_baseline(struct suite *suite) {
    const char *path = suite->options->value[OPTION_BASELINE];
    char why[BASELINE_WHY_SIZE];
    if (path == NULL)
        return true;
    suite->baseline = baseline_read(path, why);
    if (suite->baseline != NULL)
        return true;
    fprintf(stderr, "crashgate: baseline %s\n", why);
    suite->exit_code = EXIT_MISTAKE;
    return false;
}

bool suite_open(struct suite *suite, const struct options *options, const char *program,
                enum suite_doors doors) {
    const char *json = options->value[OPTION_JSON];
    *suite = (struct suite){.options = options, .program = program, .doors = doors};
    /* A loaded one is called by its file: any number of them may be patched cores. */
    suite->oms_name = options->value[OPTION_OMS] != NULL ? options->value[OPTION_OMS] : "core";
    suite->terminal = report_terminal(stdout, getenv("NO_COLOR"));
    suite->terminal.brief = is_brief(options);
    suite->quiet_totals = suite->terminal.brief;
    if (!open_baseline(suite))
        return false;
    if (json != NULL) {
        suite->json = fopen(json, "w");
        if (suite->json == NULL) {
            baseline_free(suite->baseline);
            fprintf(stderr, "crashgate: cannot write %s: %s\n", json, strerror(errno));
            suite->exit_code = EXIT_ENVIRONMENT;
            return false;
        }
    }
    disk_vfs_register();
    return true;
}

int suite_close(struct suite *suite) {
    if (suite->run_count > 0 && !suite->quiet_totals) {
        report_terminal_totals(&suite->terminal, &suite->totals);
        baseline_tell(suite->baseline, suite->runs, suite->run_count, false, stdout);
    }
    suite_write_reports(suite);
    baseline_free(suite->baseline);
    wire_close(suite->wire);
    for (size_t i = 0; i < suite->run_count; i++)
        report_run_free(&suite->runs[i]);
    for (size_t i = 0; i < suite->text_count; i++)
        free(suite->texts[i]);
    free(suite->texts);
    free(suite->runs);
    return suite->exit_code;
}

/* ---- results become reports ---- */

/* HH:MM:SS.mmm of a virtual time. */
static const char *clock_text(struct suite *suite, int64_t ns) {
    char text[32];
    int64_t ms = ns / 1000000 % 86400000;
    snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", (int)(ms / 3600000), (int)(ms / 60000 % 60),
             (int)(ms / 1000 % 60), (int)(ms % 1000));
    return suite_keep(suite, text);
}

static struct report_event *story(struct suite *suite, const struct trace *trace, size_t marked) {
    struct report_event *events = check_zalloc(trace->n + 1, sizeof *events);
    for (size_t i = 0; i < trace->n; i++) {
        const struct trace_line *line = &trace->v[i];
        events[i] =
            (struct report_event){.time = clock_text(suite, line->at_ns),
                                  .script_line = line->line,
                                  .who = line->crash ? "CRASH" : suite_keep(suite, line->who),
                                  .what = suite_keep(suite, line->what),
                                  .marked = i == marked};
    }
    return events;
}

const char *suite_replay_command(struct suite *suite, const char *path,
                                 const struct scenario *scenario, const struct run_config *config,
                                 const char *oms, const char *plan) {
    const struct options *options = suite->options;
    char text[PLAN_TEXT_SIZE + 600];
    size_t used = 0;
    if (plan == NULL)
        used = (size_t)snprintf(text, sizeof text, "%s run %s:%d", suite->program, path,
                                scenario->place.line);
    else
        used = (size_t)snprintf(text, sizeof text, "%s replay %s:%d --plan '%s'", suite->program,
                                path, scenario->place.line, plan);
    used +=
        (size_t)snprintf(text + used, sizeof text - used, " --profile %s", config->profile->name);
    if (scenario->uses_default_crash)
        used += (size_t)snprintf(text + used, sizeof text - used, " --crashes %s",
                                 scn_crash_kind_name((enum scn_crash_kind)config->crash_kind));
    if (config->door == STAGE_WIRE)
        used += (size_t)snprintf(text + used, sizeof text - used, " --wire");
    if (oms != NULL)
        used += (size_t)snprintf(text + used, sizeof text - used, " --oms %s", oms);
    if (options->value[OPTION_CLAIMS] != NULL)
        used += (size_t)snprintf(text + used, sizeof text - used, " --claims %s",
                                 options->value[OPTION_CLAIMS]);
    if (options->has_seed)
        snprintf(text + used, sizeof text - used, " --seed %llu",
                 (unsigned long long)options->seed);
    return suite_keep(suite, text);
}

static enum report_verdict verdict_of(const struct run_result *result) {
    switch (result->verdict) {
    case RUN_PASS:
        return REPORT_PASS;
    case RUN_FAIL:
        return run_code_blames_scenario(result->finding.code) ? REPORT_ERROR : REPORT_FAIL;
    case RUN_INCONCLUSIVE:
        return REPORT_INCONCLUSIVE;
    case RUN_UNSTABLE:
    case RUN_MISFIT:
    case RUN_BROKEN:
        return REPORT_ERROR;
    }
    return REPORT_ERROR;
}

int suite_exit_of(const struct run_result *result) {
    switch (result->verdict) {
    case RUN_PASS:
        return EXIT_PASS;
    case RUN_FAIL:
        return run_code_blames_scenario(result->finding.code) ? EXIT_MISTAKE : EXIT_FAIL;
    case RUN_INCONCLUSIVE:
        return EXIT_INCONCLUSIVE;
    case RUN_UNSTABLE:
        return EXIT_NOT_REPEATABLE;
    case RUN_MISFIT:
        return EXIT_MISTAKE;
    case RUN_BROKEN:
        return EXIT_ENVIRONMENT;
    }
    return EXIT_ENVIRONMENT;
}

static const char *note_of(const struct run_result *result) {
    if (result->why[0] != '\0')
        return result->why;
    if (result->bound)
        return "too many runs: not all of them were tried";
    if (result->verdict == RUN_INCONCLUSIVE)
        return "a power loss had more than 1024 outcomes: a part of them was tried";
    return "";
}

/* The code of that note. */
static const char *code_of(const struct run_result *result) {
    switch (result->verdict) {
    case RUN_PASS:
        return "";
    case RUN_FAIL: /* with a bound that was hit, too */
    case RUN_INCONCLUSIVE:
        return run_code_text(RUN_CODE_INCONCLUSIVE);
    case RUN_UNSTABLE:
        return run_code_text(RUN_CODE_NOT_REPEATABLE);
    case RUN_MISFIT:
        return run_code_text(RUN_CODE_MISFIT);
    case RUN_BROKEN:
        return run_code_text(RUN_CODE_ENVIRONMENT);
    }
    return "";
}

static void headline(const struct run_finding *finding, char *out, size_t size) {
    int64_t s = finding->at_ns / 1000000000 % 86400;
    if (finding->invariant != 0)
        snprintf(out, size, "%s broke at %02d:%02d:%02d: %s", finding->code, (int)(s / 3600),
                 (int)(s / 60 % 60), (int)(s % 60), finding->headline);
    else if (finding->at_ns == 0)
        snprintf(out, size, "line %d: %s", finding->line, finding->headline);
    else
        snprintf(out, size, "line %d, at %02d:%02d:%02d: %s", finding->line, (int)(s / 3600),
                 (int)(s / 60 % 60), (int)(s % 60), finding->headline);
}

/* How the plan came to be as small as it is. */
static const char *shrunk_text(struct suite *suite, const struct run_finding *finding) {
    char text[100] = "";
    if (finding->shrink_runs > 0 && finding->shrunk_from == finding->plan.count)
        snprintf(text, sizeof text, "the plan of %zu items is minimal (%lu runs)",
                 finding->plan.count, finding->shrink_runs);
    else if (finding->shrink_runs > 0)
        snprintf(text, sizeof text, "the plan was shrunk from %zu items to %zu in %lu runs",
                 finding->shrunk_from, finding->plan.count, finding->shrink_runs);
    return suite_keep(suite, text);
}

/* The one finding of a run as a report; a story without one is shown too (a replay that passed). */
static struct report_finding *finding_of(struct suite *suite, const char *path,
                                         const struct scenario *scenario,
                                         const struct run_config *config, const char *oms,
                                         const struct run_result *result) {
    struct report_finding *report = check_zalloc(1, sizeof *report);
    const struct run_finding *finding = &result->finding;
    char plan[PLAN_TEXT_SIZE], line[RUN_HEADLINE_SIZE + 80];
    plan_format(&finding->plan, plan);
    headline(finding, line, sizeof line);
    *report =
        (struct report_finding){.code = suite_keep(suite, finding->code),
                                .line = finding->line,
                                .headline = suite_keep(suite, line),
                                .events = story(suite, &finding->trace, finding->marked),
                                .event_count = finding->trace.n,
                                .plan = suite_keep(suite, plan),
                                .replay = suite_replay_command(suite, path, scenario, config, oms,
                                                               finding->all_runs ? NULL : plan),
                                .also = finding->same,
                                .shrunk = shrunk_text(suite, finding)};
    return report;
}

void suite_describe(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config, const char *oms,
                    const struct run_result *result, struct report_run *run) {
    *run = (struct report_run){
        .scenario = suite_keep(suite, scenario->title),
        .file = suite_keep(suite, path),
        .line = scenario->place.line,
        .oms = suite->oms_name,
        .profile = config->profile->name,
        .crash = scenario->uses_default_crash
                     ? scn_crash_kind_name((enum scn_crash_kind)config->crash_kind)
                     : "",
        .door = config->door == STAGE_WIRE ? "wire" : "direct",
        .verdict = verdict_of(result),
        .code = code_of(result),
        .note = suite_keep(suite, note_of(result)),
        .runs = result->runs,
        .runs_failed = result->failed,
        .crash_points = result->crash_points,
        .lives = result->counts.lives,
        .faults_fired = result->counts.faults,
        .fingerprint = result->fingerprint};
    if (result->found) {
        struct report_finding *finding = finding_of(suite, path, scenario, config, oms, result);
        char fingerprint[BASELINE_FINGERPRINT_SIZE];
        baseline_fingerprint(run, finding->code, result->finding.headline, fingerprint);
        finding->fingerprint = suite_keep(suite, fingerprint);
        run->findings = finding;
        run->finding_count = 1;
    }
}

static void keep_run(struct suite *suite, const struct report_run *run) {
    CHECK_ROOM(suite->runs, suite->run_count, suite->run_cap, SUITE_RUNS_MAX);
    suite->runs[suite->run_count++] = *run;
}

static void count_run(struct suite *suite, const struct report_run *run) {
    report_totals_add(&suite->totals, run);
    if (suite->json != NULL && !report_json_run(suite->json, run))
        suite_worst(suite, EXIT_ENVIRONMENT);
}

void suite_add(struct suite *suite, const struct report_run *run) {
    keep_run(suite, run);
    if (suite->collects)
        return;
    if (!suite->quiet_passes || run->verdict != REPORT_PASS)
        report_terminal_run(&suite->terminal, run);
    count_run(suite, run);
}

void suite_report(struct suite *suite, const struct report_run *run) {
    keep_run(suite, run);
    count_run(suite, run);
}

bool suite_take(struct suite *suite, struct report_run *run) {
    if (suite->run_count == 0)
        return false;
    *run = suite->runs[--suite->run_count];
    return true;
}

void suite_judge(struct suite *suite, const struct run_result *result,
                 const struct report_run *run) {
    int exit_code = suite_exit_of(result);
    if (suite->collects || exit_code != EXIT_FAIL || !baseline_knows(suite->baseline, run))
        suite_worst(suite, exit_code);
}

/* ---- running ---- */

static void progress(void *ctx, uint64_t runs) {
    struct suite *suite = ctx;
    if (runs % PROGRESS_EVERY == 0)
        report_terminal_progress(&suite->terminal, suite->totals.runs + runs, 0, suite->title);
}

struct wire *suite_wire(struct suite *suite) {
    if (suite->wire == NULL)
        suite->wire = wire_open();
    if (suite->wire == NULL) {
        fprintf(stderr, "crashgate: cannot start the simulated wire\n");
        suite_worst(suite, EXIT_ENVIRONMENT);
    }
    return suite->wire;
}

bool suite_run_options(struct suite *suite, const struct run_config *config, const struct sut *sut,
                       unsigned claims, struct run_options *run) {
    const struct options *options = suite->options;
    *run = (struct run_options){.sut = sut,
                                .claims = claims,
                                .plan = options->has_plan ? &options->plan : NULL,
                                .seed = options->has_seed ? &options->seed : NULL,
                                .trace = options->command == COMMAND_REPLAY,
                                .progress = suite->terminal.progress ? progress : NULL,
                                .progress_ctx = suite};
    if (config->door == STAGE_WIRE && suite_wire(suite) == NULL)
        return false;
    run->wire = suite->wire;
    run->tallies = suite->tallies;
    run->called = &suite->called;
    return true;
}

bool suite_perform(struct suite *suite, const struct scenario *scenario,
                   const struct run_config *config, const struct sut *sut, unsigned claims,
                   struct run_result *result) {
    struct run_options run;
    if (!suite_run_options(suite, config, sut, claims, &run))
        return false;
    suite->title = scenario->title;
    run_scenario(scenario, config, &run, result);
    return true;
}

void suite_story(struct suite *suite, const struct trace *trace) {
    struct report_event *events = story(suite, trace, trace->n);
    report_terminal_story(&suite->terminal, events, trace->n);
    free(events);
}

void suite_scenario(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config) {
    const struct options *options = suite->options;
    struct run_result result;
    struct report_run run;
    if (scenario->depth == SCN_AGAIN && !options->has_plan &&
        (options->command == COMMAND_RUN || options->command == COMMAND_GATE)) {
        suite->again++;
        return;
    }
    if (!suite_perform(suite, scenario, config, options->sut, options->claims, &result))
        return;
    suite_describe(suite, path, scenario, config, options->value[OPTION_OMS], &result, &run);
    suite_judge(suite, &result, &run);
    for (unsigned i = 0; i < SITE_COUNT; i++)
        suite->faults[i] += result.fired[i];
    suite_add(suite, &run);
    if (options->command == COMMAND_REPLAY && !result.found)
        suite_story(suite, &result.trace);
    if (result.verdict == RUN_UNSTABLE)
        difference_print(suite, scenario, config, &result.finding.plan);
    run_result_free(&result);
}

static void each_crash(const struct scenario *scenario, const struct options *options,
                       struct run_config *config, suite_each *each, void *ctx) {
    if (!scenario->uses_default_crash) {
        config->crash_kind = SCN_NONE;
        each(ctx, scenario, config);
        return;
    }
    for (size_t i = 0; i < scenario->crash_count; i++) {
        config->crash_kind = (int)scenario->crashes[i];
        if (options->crash_kind == SCN_NONE || options->crash_kind == config->crash_kind)
            each(ctx, scenario, config);
    }
}

void suite_configurations(const struct scenario *scenario, const struct options *options,
                          enum suite_doors doors, suite_each *each, void *ctx) {
    bool direct_only = scenario->options[SCN_OPTION_DOOR].set &&
                       scenario->options[SCN_OPTION_DOOR].value == SCN_DOOR_DIRECT;
    for (int door = STAGE_DIRECT; door <= STAGE_WIRE; door++) {
        bool asked = doors == SUITE_BOTH || (doors == SUITE_WIRE) == (door == STAGE_WIRE);
        bool possible = door == STAGE_WIRE ? !direct_only : !scenario->wire_only;
        bool only = scenario->wire_only || direct_only;
        if (!possible || (!asked && !only))
            continue;
        for (size_t i = 0; i < scenario->profile_count; i++) {
            const char *only_profile = options->value[OPTION_PROFILE];
            struct run_config config = {.profile = scenario->profiles[i],
                                        .door = (enum stage_door)door};
            if (only_profile == NULL || strcmp(only_profile, config.profile->name) == 0)
                each_crash(scenario, options, &config, each, ctx);
        }
    }
}

struct in_file {
    const char *path;
    suite_in_file *each;
    void *ctx;
    unsigned count;
};

static void one_in_file(void *ctx, const struct scenario *scenario,
                        const struct run_config *config) {
    struct in_file *in_file = ctx;
    in_file->count++;
    in_file->each(in_file->ctx, in_file->path, scenario, config);
}

static void run_one(void *ctx, const char *path, const struct scenario *scenario,
                    const struct run_config *config) {
    suite_scenario(ctx, path, scenario, config);
}

static bool picked(const struct options *options, const struct scenario *scenario, int line) {
    const char *tag = options->value[OPTION_TAG];
    const char *title = options->value[OPTION_SCENARIO];
    bool tagged = tag == NULL;
    for (size_t i = 0; !tagged && i < scenario->tag_count; i++)
        tagged = strcmp(scenario->tags[i], tag) == 0;
    return tagged && (title == NULL || strstr(scenario->title, title) != NULL) &&
           (line == 0 || scenario->place.line == line);
}

void suite_split_line(const char *path, char *file, size_t size, int *line) {
    const char *colon = strrchr(path, ':');
    char *end = NULL;
    long number = colon != NULL ? strtol(colon + 1, &end, 10) : 0;
    bool has = colon != NULL && colon[1] != '\0' && *end == '\0' && number > 0;
    *line = has ? (int)number : 0;
    snprintf(file, size, "%.*s", has ? (int)(colon - path) : (int)strlen(path), path);
}

void suite_file(struct suite *suite, const char *path_and_line) {
    suite_pick(suite, path_and_line, run_one, suite, NULL);
}

void suite_pick(struct suite *suite, const char *path_and_line, suite_in_file *each, void *ctx,
                struct scenario_file *keep) {
    struct scenario_file file;
    struct diags diags = {0};
    char path[4096];
    int line = 0;
    struct in_file in_file = {.path = path, .each = each, .ctx = ctx};
    suite_split_line(path_and_line, path, sizeof path, &line);
    if (!scenario_load(path, &file, &diags)) {
        diags_write(&diags, is_brief(suite->options) ? DIAG_SHORT : DIAG_LONG, stderr);
        if (!is_brief(suite->options))
            diags_summary(&diags, path, stderr);
        suite_worst(suite, EXIT_MISTAKE);
    }
    diags_free(&diags);
    for (size_t i = 0; i < file.count; i++) {
        unsigned before = in_file.count;
        if (picked(suite->options, &file.scenarios[i], line))
            suite_configurations(&file.scenarios[i], suite->options, suite->doors, one_in_file,
                                 &in_file);
        suite->scenario_count += in_file.count > before;
    }
    if (line != 0 && file.count > 0 && in_file.count == 0) {
        fprintf(stderr, "crashgate: no scenario begins on line %d of %s%s\n", line, path,
                suite->options->value[OPTION_PROFILE] != NULL ? " with that profile" : "");
        suite_worst(suite, EXIT_MISTAKE);
    }
    if (keep != NULL)
        *keep = file;
    else
        scenario_free(&file);
}

/* ---- finding files ---- */

static void add_path(struct suite_paths *paths, const char *path) {
    CHECK_ROOM(paths->v, paths->n, paths->cap, PATHS_MAX);
    paths->v[paths->n] = strdup(path);
    CHECK(paths->v[paths->n] != NULL);
    paths->n++;
}

static bool ends_in_scn(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".scn") == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_folder(struct suite_paths *paths, const char *folder, int depth) {
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;
    bool done = dir != NULL && depth < DEPTH_MAX;
    while (done && (entry = readdir(dir)) != NULL) {
        char path[4096];
        struct stat about;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                 entry->d_name);
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            done = strcmp(entry->d_name, BUGS_FOLDER) == 0 || add_folder(paths, path, depth + 1);
        else if (ends_in_scn(entry->d_name))
            add_path(paths, path);
    }
    if (dir == NULL)
        fprintf(stderr, "crashgate: cannot read %s: %s\n", folder, strerror(errno));
    else
        closedir(dir);
    return done;
}

bool suite_paths(const char *const *files, size_t count, struct suite_paths *paths) {
    bool done = true;
    *paths = (struct suite_paths){0};
    for (size_t i = 0; done && i < count; i++) {
        struct stat about;
        size_t from = paths->n;
        if (stat(files[i], &about) == 0 && S_ISDIR(about.st_mode)) {
            done = add_folder(paths, files[i], 0);
            qsort(paths->v + from, paths->n - from, sizeof *paths->v, by_name);
            if (done && paths->n == from) {
                fprintf(stderr, "crashgate: no scenario file (*.scn) below %s\n", files[i]);
                done = false;
            }
        } else {
            add_path(paths, files[i]);
        }
    }
    return done;
}

void suite_paths_free(struct suite_paths *paths) {
    for (size_t i = 0; i < paths->n; i++)
        free(paths->v[i]);
    free(paths->v);
    *paths = (struct suite_paths){0};
}
