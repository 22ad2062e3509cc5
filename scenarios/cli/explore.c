/* The command `explore`, and explorations for the gate: processes, and what they come to. */
#include "scenarios/cli/explore.h"

#include "scenarios/cli/commands.h"
#include "scenarios/cli/figures.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EXPLORATIONS_MAX = 10000,
    FILES_MAX = 10000,
    JOBS_MAX = 64,
    AUDITS = 2,
    MEMORY_MIB = 2048, /* unless --memory says otherwise; closing any story here takes under 100 */
    MEMORY_MOST_MIB = 1 << 20
};

/* ---- what is to be explored ---- */

struct adding {
    struct explorations *explorations;
    const struct scenario *last;
    enum stage_door door;
    const struct profile *profile;
};

/* Kinds of crash are tried together, so a configuration is a profile and a door. */
static void add_one(void *ctx, const char *path, const struct scenario *scenario,
                    const struct run_config *config) {
    struct adding *adding = ctx;
    struct explorations *explorations = adding->explorations;
    bool same = adding->last == scenario && adding->door == config->door &&
                adding->profile == config->profile;
    *adding = (struct adding){explorations, scenario, config->door, config->profile};
    if (same || scenario->depth != SCN_AGAIN)
        return;
    CHECK_ROOM(explorations->v, explorations->n, explorations->cap, EXPLORATIONS_MAX);
    explorations->v[explorations->n] =
        (struct exploration){.path = strdup(path), .scenario = scenario, .config = *config};
    CHECK(explorations->v[explorations->n].path != NULL);
    explorations->n++;
}

void explorations_add(struct explorations *explorations, struct suite *suite, const char *path) {
    struct adding adding = {.explorations = explorations};
    CHECK_ROOM(explorations->files, explorations->file_count, explorations->file_cap, FILES_MAX);
    suite_pick(suite, path, add_one, &adding, &explorations->files[explorations->file_count++]);
}

void explorations_free(struct explorations *explorations) {
    for (size_t i = 0; i < explorations->n; i++)
        free(explorations->v[i].path);
    for (size_t i = 0; i < explorations->file_count; i++)
        scenario_free(&explorations->files[i]);
    free(explorations->v);
    free(explorations->files);
    *explorations = (struct explorations){0};
}

/* ---- making them ---- */

struct budget {
    double until;         /* 0: none */
    unsigned long memory; /* MiB that the process may hold */
    char spent[FIGURE_SIZE + 60];
};

/* The most memory this process has held, in KiB. */
static long peak_kib(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

static const char *what_is_spent(void *ctx) {
    struct budget *budget = ctx;
    if (budget->until > 0 && figure_wall_s() >= budget->until)
        return "the time was spent";
    if ((unsigned long)peak_kib() / 1024 < budget->memory)
        return NULL;
    snprintf(budget->spent, sizeof budget->spent, "%lu MiB of memory were taken (--memory)",
             budget->memory);
    return budget->spent;
}

void exploration_make(struct suite *suite, const struct explore_options *options,
                      struct exploration *exploration) {
    struct explore_options own = *options;
    if (exploration->config.door == STAGE_WIRE) {
        own.wire = suite_wire(suite);
        if (own.wire == NULL)
            return;
    }
    explore_scenario(exploration->scenario, &exploration->config, &own, &exploration->result);
    /* Plan and finding go back; the story is made again from them. */
    free(exploration->result.replay.finding.trace.v);
    free(exploration->result.replay.trace.v);
    exploration->peak_kib = peak_kib();
    exploration->done = true;
}

/* What the process that explored sends back: it is the same program, so the bytes are as they are,
 * and what its pointers point to is made anew from the plan. */
static bool send_made(FILE *to, const struct exploration *exploration) {
    return fwrite(&exploration->result, sizeof exploration->result, 1, to) == 1 &&
           fwrite(&exploration->peak_kib, sizeof exploration->peak_kib, 1, to) == 1 &&
           fwrite(&exploration->done, sizeof exploration->done, 1, to) == 1;
}

static bool receive_made(FILE *from, struct exploration *exploration) {
    bool whole = fread(&exploration->result, sizeof exploration->result, 1, from) == 1 &&
                 fread(&exploration->peak_kib, sizeof exploration->peak_kib, 1, from) == 1 &&
                 fread(&exploration->done, sizeof exploration->done, 1, from) == 1;
    exploration->done = exploration->done && whole;
    exploration->result.replay.finding.trace = (struct trace){0};
    exploration->result.replay.trace = (struct trace){0};
    return exploration->done;
}

struct worker {
    pid_t pid; /* 0: idle */
    FILE *from;
    size_t index;
};

static bool start_worker(struct suite *suite, const struct explore_options *options,
                         struct exploration *exploration, size_t index, struct worker *worker) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends) != 0)
        return false;
    worker->pid = fork();
    if (worker->pid == 0) {
        FILE *to = fdopen(ends[1], "w");
        close(ends[0]);
        exploration_make(suite, options, exploration);
        _exit(to != NULL && send_made(to, exploration) && fflush(to) == 0 ? EXIT_PASS
                                                                          : EXIT_ENVIRONMENT);
    }
    close(ends[1]);
    worker->from = worker->pid < 0 ? NULL : fdopen(ends[0], "r");
    worker->index = index;
    if (worker->from == NULL)
        close(ends[0]);
    return worker->from != NULL;
}

static void finish_worker(struct suite *suite, struct explorations *all, struct worker *worker) {
    struct exploration *exploration = &all->v[worker->index];
    int status = 0;
    bool whole = receive_made(worker->from, exploration);
    fclose(worker->from);
    while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR) {
    }
    worker->pid = 0;
    exploration->done = whole && status == 0;
    if (exploration->done)
        return;
    fprintf(stderr, "crashgate: the process that explored %s:%d ended with status %d\n",
            exploration->path, exploration->scenario->place.line,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    suite_worst(suite, WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERNAL
                           ? EXIT_INTERNAL
                           : EXIT_ENVIRONMENT);
}

/* ---- telling ---- */

static const char *door_name(const struct exploration *exploration) {
    return exploration->config.door == STAGE_WIRE ? "wire" : "direct";
}

static void tell(const struct suite *suite, const struct exploration *exploration) {
    const struct explore_result *result = &exploration->result;
    char lives[FIGURE_SIZE], worlds[FIGURE_SIZE], bytes[FIGURE_SIZE], meaning[FIGURE_SIZE],
        distinct[FIGURE_SIZE];
    const char *word = result->closed                        ? "CLOSED"
                       : result->verdict == RUN_INCONCLUSIVE ? "NOT CLOSED"
                                                             : "FAIL";
    printf("%-10s %s:%d  [%s, %s, %s]  %s lives, %s crash worlds, %s distinct, deepest %u; merged "
           "%s by bytes, %s by meaning; %lu audited, %lu slowly%s%s\n",
           word, exploration->path, exploration->scenario->place.line, suite->oms_name,
           exploration->config.profile->name, door_name(exploration),
           figure_grouped(result->lives, lives), figure_grouped(result->crash_worlds, worlds),
           figure_grouped(result->distinct, distinct), result->deepest,
           figure_grouped(result->merged_bytes, bytes),
           figure_grouped(result->merged_meaning, meaning), result->audited, result->slowly,
           result->bound[0] != '\0' ? "; bound: " : "", result->bound);
}

void explore_as_run(const struct explore_result *result, struct run_result *told) {
    told->verdict = result->verdict;
    told->found = result->found;
    told->runs = result->lives;
    told->failed = result->found;
    told->crash_points = result->crash_worlds;
    told->counts.lives = result->lives;
    told->counts.faults = result->faults;
    told->fingerprint = result->fingerprint;
    snprintf(told->why, sizeof told->why, "%s",
             result->why[0] != '\0' ? result->why : result->bound);
}

/* A finding's block is that of its replay, told again here where its story can be kept. */
void exploration_report(struct suite *suite, const struct explore_options *options,
                        struct exploration *exploration, bool brief) {
    const struct explore_result *result = &exploration->result;
    struct report_run run;
    struct run_result told = result->replay;
    struct run_options replay = {.sut = options->sut,
                                 .claims = options->claims,
                                 .plan = &result->replay.finding.plan,
                                 .seed = options->seed};
    if (result->found && !result->replay.finding.all_runs) {
        if (exploration->config.door == STAGE_WIRE)
            replay.wire = suite_wire(suite);
        run_scenario(exploration->scenario, &exploration->config, &replay, &told);
    }
    if (result->found && !told.found) {
        told.finding.plan = result->replay.finding.plan;
        told.finding.line = exploration->scenario->place.line;
        snprintf(told.finding.headline, sizeof told.finding.headline,
                 "the story of the plan, which broke nothing");
    }
    explore_as_run(result, &told);
    suite_describe(suite, exploration->path, exploration->scenario, &exploration->config,
                   suite->options->value[OPTION_OMS], &told, &run);
    suite_judge(suite, &told, &run);
    if (!brief || !result->closed)
        tell(suite, exploration);
    fflush(stdout);
    suite_add(suite, &run);
    run_result_free(&told);
}

static void add_totals(struct explore_totals *totals, const struct exploration *exploration) {
    const struct explore_result *result = &exploration->result;
    totals->explorations++;
    totals->closed += result->closed;
    totals->lives += result->lives;
    totals->crash_worlds += result->crash_worlds;
    totals->distinct += result->distinct;
    totals->audited += result->audited;
    totals->mismatches += result->mismatches;
    totals->slowly += result->slowly;
    if (result->deepest > totals->deepest)
        totals->deepest = result->deepest;
    if (exploration->peak_kib > totals->peak_kib)
        totals->peak_kib = exploration->peak_kib;
}

static void progress(struct suite *suite, size_t done, size_t of) {
    if (suite->terminal.progress)
        report_terminal_progress(&suite->terminal, done, of, "explorations");
}

/* What is called with each in turn, as soon as it and all before it are made. */
typedef void each_made(void *ctx, struct exploration *exploration);

static void make_all(struct explorations *all, struct suite *suite,
                     const struct explore_options *options, unsigned jobs, each_made *each,
                     void *ctx) {
    struct worker workers[JOBS_MAX] = {{0}};
    size_t next = 0;
    jobs = jobs > JOBS_MAX ? JOBS_MAX : jobs;
    for (size_t made = 0; made < all->n; made++) {
        size_t waited = 0;
        for (unsigned i = 0; i < jobs && next < all->n; i++) {
            if (workers[i].pid != 0)
                continue;
            if (!start_worker(suite, options, &all->v[next], next, &workers[i])) {
                fprintf(stderr, "crashgate: cannot start a process: %s\n", strerror(errno));
                suite_worst(suite, EXIT_ENVIRONMENT);
                return;
            }
            next++;
        }
        /* The one that is told next is waited for; those behind it go on. */
        while (waited < jobs && (workers[waited].pid == 0 || workers[waited].index != made))
            waited++;
        CHECK(waited < jobs);
        finish_worker(suite, all, &workers[waited]);
        each(ctx, &all->v[made]);
    }
}

struct telling {
    struct explorations *all;
    struct suite *suite;
    const struct explore_options *options;
    struct explore_totals *totals;
    size_t told;
};

static void tell_one(void *ctx, struct exploration *exploration) {
    struct telling *telling = ctx;
    telling->told++;
    if (exploration->done) {
        exploration_report(telling->suite, telling->options, exploration, false);
        add_totals(telling->totals, exploration);
    }
    progress(telling->suite, telling->told, telling->all->n);
}

void explorations_make(struct explorations *all, struct suite *suite,
                       const struct explore_options *options, unsigned jobs,
                       struct explore_totals *totals) {
    struct telling telling = {all, suite, options, totals, 0};
    *totals = (struct explore_totals){0};
    make_all(all, suite, options, jobs, tell_one, &telling);
}

/* ---- the command ---- */

static int read_word(const char *option, const char *text, const char *const *words,
                     int otherwise) {
    if (text == NULL)
        return otherwise;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    fprintf(stderr, "crashgate: %s cannot be '%s'; it is one of:", option, text);
    for (int i = 0; words[i] != NULL; i++)
        fprintf(stderr, " %s", words[i]);
    fputc('\n', stderr);
    return -1;
}

static const char *const delay_words[] = {
#define X(id, word, meaning) word,
    EXPLORE_DELAYS(X)
#undef X
        NULL};
static const char *const wrong_keys[] = {"", "no-exchange", "no-times", "", "cache-only", NULL};
static const char *const audit_words[] = {"successors", "verdict", NULL};

struct explore_options explore_defaults(const struct options *options) {
    static struct budget budget = {.memory = MEMORY_MIB};
    return (struct explore_options){.sut = options->sut,
                                    .claims = options->claims,
                                    .seed = options->has_seed ? &options->seed : NULL,
                                    .delays = EXPLORE_THRESHOLDS,
                                    .audits = AUDITS,
                                    .spent = what_is_spent,
                                    .ctx = &budget,
                                    .kill = options->crash_kind == SCN_KILL,
                                    .power = options->crash_kind == SCN_POWER};
}

static unsigned cores(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

static bool read_options(const struct options *options, struct explore_options *explore,
                         struct budget *budget, unsigned long *jobs) {
    unsigned long faults = 0, audits = AUDITS, every = 1, lives = 0, seconds = 0;
    int delays =
        read_word("--restarts", options->value[OPTION_RESTARTS], delay_words, EXPLORE_THRESHOLDS);
    int wrong = read_word("--wrong-key", options->value[OPTION_WRONG_KEY], wrong_keys, 0);
    int by = read_word("--audit-by", options->value[OPTION_AUDIT_BY], audit_words, 0);
    *jobs = cores();
    *budget = (struct budget){.memory = MEMORY_MIB};
    if (delays < 0 || wrong < 0 || by < 0 ||
        !options_number("--faults", options->value[OPTION_FAULTS_PER_LIFE], 0, EXPLORE_FAULTS_MAX,
                        &faults) ||
        !options_number("--audits", options->value[OPTION_AUDITS], 0, 1000, &audits) ||
        !options_number("--audit-every", options->value[OPTION_AUDIT_EVERY], 1, 1000000, &every) ||
        !options_number("--lives", options->value[OPTION_LIVES], 1, 1000000000, &lives) ||
        !options_number("--budget", options->value[OPTION_BUDGET], 1, 1000000, &seconds) ||
        !options_number("--memory", options->value[OPTION_MEMORY], 1, MEMORY_MOST_MIB,
                        &budget->memory) ||
        !options_number("--jobs", options->value[OPTION_JOBS], 1, JOBS_MAX, jobs))
        return false;
    budget->until = seconds > 0 ? figure_wall_s() + (double)seconds : 0;
    *explore = explore_defaults(options);
    explore->delays = (enum explore_delays)delays;
    explore->faults = (unsigned)faults;
    explore->lives_max = lives;
    explore->audits = (unsigned)audits;
    explore->audit_every = (unsigned)every;
    explore->without = (unsigned)wrong;
    explore->verdict_only = by == 1;
    explore->ctx = budget;
    return true;
}

void explore_tell_totals(const struct explore_totals *totals,
                         const struct explore_options *options) {
    char lives[FIGURE_SIZE], worlds[FIGURE_SIZE], distinct[FIGURE_SIZE];
    printf("%lu explorations, %lu closed: %s lives, %s crash worlds, %s distinct, deepest %u, %lu "
           "audited, %lu mismatches, %lu run slowly; restarts: %s; at most %u other faults a life",
           totals->explorations, totals->closed, figure_grouped(totals->lives, lives),
           figure_grouped(totals->crash_worlds, worlds), figure_grouped(totals->distinct, distinct),
           totals->deepest, totals->audited, totals->mismatches, totals->slowly,
           delay_words[options->delays], options->faults);
    if (totals->peak_kib > 0) /* it is no result: another machine may need another amount */
        printf("; at most %ld MiB", totals->peak_kib / 1024);
    putchar('\n');
}

void explore_what_was_left(struct suite *suite, const struct suite_paths *paths) {
    struct explorations all = {0};
    struct explore_options explore = explore_defaults(suite->options);
    struct explore_totals totals;
    if (suite->again == 0)
        return;
    for (size_t i = 0; i < paths->n; i++)
        explorations_add(&all, suite, paths->v[i]);
    explorations_make(&all, suite, &explore, cores(), &totals);
    explore_tell_totals(&totals, &explore);
    explorations_free(&all);
}

int command_explore(const struct options *options, const char *program) {
    struct suite suite;
    struct suite_paths paths;
    struct explorations all = {0};
    struct explore_options explore;
    struct explore_totals totals;
    struct budget budget;
    unsigned long jobs = 1;
    if (options->file_count == 0) {
        fprintf(stderr, "crashgate: 'explore' needs at least one scenario file or folder\n");
        return EXIT_MISTAKE;
    }
    if (!read_options(options, &explore, &budget, &jobs) ||
        !suite_paths(options->files, options->file_count, &paths))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT)) {
        suite_paths_free(&paths);
        return suite.exit_code;
    }
    suite.quiet_passes = true;
    suite.quiet_totals = true;
    for (size_t i = 0; i < paths.n; i++)
        explorations_add(&all, &suite, paths.v[i]);
    suite_paths_free(&paths);
    if (all.n == 0 && suite.exit_code == EXIT_PASS) {
        fprintf(stderr, "crashgate: no scenario that the options leave has 'crash again anywhere', "
                        "so there is nothing to explore\n");
        suite_worst(&suite, EXIT_MISTAKE);
    }
    explorations_make(&all, &suite, &explore, (unsigned)jobs, &totals);
    if (all.n > 0)
        explore_tell_totals(&totals, &explore);
    explorations_free(&all);
    return suite_close(&suite);
}
