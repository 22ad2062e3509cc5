/* One planted bug: run or explored beside the core, and what came of it. */
#include "scenarios/cli/known_bad_try.h"

#include "scenarios/cli/explore.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

/* Without the oracle that ends it an exploration of a bug may go on for long: so many lives are asked
 * of the others. */
enum { PLANTED_MAX = 1000, PATH_SIZE = 4096, OTHERS_LIVES_MAX = 300 };

struct attempt {
    struct suite *suite;
    struct core_held_list *held;
    const char *path; /* of the planted bug */
    const struct known_bad_how *how;
    unsigned long lives_max; /* of an exploration; 0: as many as it takes */
    struct known_bad bad;
    const char *oms; /* as --oms takes it */
    const struct sut *sut;
    unsigned fitting;         /* configurations of the scenario that fit, */
    struct run_config config; /* and the last of them */
    struct report_planted *bug;
    bool reported;
    char why[KNOWN_BAD_WHY_SIZE]; /* not caught: why not */
};

bool known_bad_oms(struct suite *suite, const struct known_bad *bad, const char *variants,
                   const char **oms, const struct sut **sut, char why[KNOWN_BAD_WHY_SIZE]) {
    char file[PATH_SIZE], wrong[SUT_WHY_SIZE] = "";
    if (bad->built_in) {
        *oms = suite_keep(suite, bad->name);
        *sut = sut_find(bad->name);
        return *sut != NULL || known_bad_because(why, "there is no built-in OMS of that name");
    }
    snprintf(file, sizeof file, "%s%s/%s.so", strchr(variants, '/') == NULL ? "./" : "", variants,
             bad->name);
    *oms = suite_keep(suite, file);
    *sut = sut_load(file, wrong);
    return *sut != NULL ||
           known_bad_because(why, "not built ('make variants' builds it): %.300s", wrong);
}

static bool explore_it(struct attempt *attempt, const struct scenario *scenario,
                       const struct run_config *config, const struct sut *sut, unsigned claims,
                       enum explore_delays restarts, struct explore_result *result) {
    const struct known_bad *bad = &attempt->bad;
    struct explore_options options = explore_defaults(attempt->suite->options);
    options.sut = sut;
    options.claims = claims;
    options.delays = restarts;
    options.lives_max = attempt->lives_max;
    options.faults = bad->faults;
    options.kill = bad->crash_kind == SCN_KILL;
    options.power = bad->crash_kind == SCN_POWER;
    if (config->door == STAGE_WIRE) {
        options.wire = suite_wire(attempt->suite);
        if (options.wire == NULL)
            return known_bad_because(attempt->why, "there is no simulated wire");
    }
    explore_scenario(scenario, config, &options, result);
    return true;
}

/* ---- the core beside it ---- */

static bool is_same(const struct core_held *a, const struct core_held *b) {
    return strcmp(a->file, b->file) == 0 && a->line == b->line &&
           a->config.profile == b->config.profile && a->config.door == b->config.door &&
           a->config.crash_kind == b->config.crash_kind && a->explored == b->explored &&
           a->restarts == b->restarts && a->faults == b->faults;
}

static struct core_held asked_of(struct attempt *attempt, const struct scenario *scenario,
                                 const struct run_config *config) {
    const struct known_bad *bad = &attempt->bad;
    return (struct core_held){.file = suite_keep(attempt->suite, bad->file),
                              .line = scenario->place.line,
                              .config = *config,
                              .explored = bad->explored,
                              .restarts = bad->restarts,
                              .faults = bad->faults};
}

static bool has_held(const struct core_held_list *held, const struct core_held *asked) {
    for (size_t i = 0; i < held->n; i++) {
        if (is_same(&held->v[i], asked))
            return true;
    }
    return false;
}

/* The core must pass what the bug must not. */
static bool core_passes(struct attempt *attempt, const struct scenario *scenario,
                        const struct run_config *config) {
    struct run_result result;
    bool passed = false;
    if (!suite_perform(attempt->suite, scenario, config, &sut_core, sut_core.claims, &result))
        return known_bad_because(attempt->why, "there is no simulated wire");
    passed = result.verdict == RUN_PASS;
    if (!passed)
        known_bad_because(attempt->why, "the core itself does not pass: %.40s %.300s",
                          result.found ? result.finding.code : "",
                          result.found ? result.finding.headline : result.why);
    run_result_free(&result);
    return passed;
}

/* The core must close what the bug breaks. */
static bool core_closes(struct attempt *attempt, const struct scenario *scenario,
                        const struct run_config *config) {
    struct explore_result result = {0};
    bool closed = false;
    if (!explore_it(attempt, scenario, config, &sut_core, sut_core.claims, attempt->bad.restarts,
                    &result))
        return false;
    closed = result.verdict == RUN_PASS && result.closed;
    if (!closed)
        known_bad_because(attempt->why, "the core itself does not close: %.40s %.300s",
                          result.found ? result.replay.finding.code : "",
                          result.found            ? result.replay.finding.headline
                          : result.why[0] != '\0' ? result.why
                                                  : result.bound);
    explore_free(&result);
    return closed;
}

static bool core_holds(struct attempt *attempt, const struct scenario *scenario,
                       const struct run_config *config) {
    struct core_held_list *held = attempt->held;
    struct core_held asked = asked_of(attempt, scenario, config);
    if (attempt->how->alone || has_held(held, &asked))
        return true;
    if (attempt->bad.explored ? !core_closes(attempt, scenario, config)
                              : !core_passes(attempt, scenario, config))
        return false;
    CHECK_ROOM(held->v, held->n, held->cap, PLANTED_MAX);
    held->v[held->n++] = asked;
    return true;
}

/* ---- what breaks ---- */

/* Exactly what the head names, before anything else, and the same again by its plan. */
static bool is_caught(struct attempt *attempt, const struct run_result *result) {
    const char *wanted = attempt->bad.breaks;
    if (result->verdict == RUN_FAIL && strcmp(result->finding.code, wanted) == 0)
        return true;
    if (result->verdict == RUN_FAIL)
        return known_bad_because(attempt->why, "%s broke first, %s was to", result->finding.code,
                                 wanted);
    if (result->verdict == RUN_BROKEN || result->verdict == RUN_UNSTABLE)
        return known_bad_because(attempt->why, "could not be judged: %.300s", result->why);
    return known_bad_because(attempt->why, "nothing broke in %lu runs, %s was to", result->runs,
                             wanted);
}

/* Crashes and faults; a start only says when. */
static unsigned plan_size(const struct plan *plan) {
    unsigned size = 0;
    for (size_t i = 0; i < plan->count; i++)
        size += plan->items[i].what != PLAN_START;
    return size;
}

static void report_attempt(struct attempt *attempt, const struct scenario *scenario,
                           const struct run_config *config, const struct run_result *result) {
    struct report_planted *bug = attempt->bug;
    struct report_run run;
    suite_describe(attempt->suite, attempt->bad.file, scenario, config, attempt->oms, result, &run);
    if (run.finding_count > 0 && run.findings[0].plan[0] != '\0')
        bug->plan = suite_keep(attempt->suite, run.findings[0].plan);
    bug->strikes = plan_size(&result->finding.plan);
    if (run.finding_count > 0)
        bug->replay = suite_keep(attempt->suite, run.findings[0].replay);
    bug->needed = attempt->bad.explored ? result->runs : result->first_failed;
    bug->of = result->runs;
    bug->crash = suite_keep(attempt->suite, run.crash);
    run.oms = suite_keep(attempt->suite, attempt->bad.name);
    run.verdict = bug->caught ? REPORT_PASS : REPORT_FAIL;
    run.note = suite_keep(attempt->suite, attempt->why);
    run.planted = true;
    suite_add(attempt->suite, &run);
    attempt->reported = true;
}

/* Notes what broke in a pass in which `claims` were judged. Returns what may be asked next: the rest
 * of them, or 0. */
static unsigned note_broken(struct attempt *attempt, const struct run_result *result,
                            unsigned claims) {
    struct report_planted *bug = attempt->bug;
    const struct run_finding *finding = &result->finding;
    if (result->verdict != RUN_FAIL)
        return 0;
    if (finding->invariant == 0) {
        bug->check = suite_keep(attempt->suite, finding->code);
        return 0; /* a line of the scenario cannot be left out */
    }
    bug->broken |= 1u << finding->invariant;
    return claims & ~INVARIANT_BIT((unsigned)finding->invariant);
}

static bool run_it(struct attempt *attempt, const struct scenario *scenario,
                   const struct run_config *config, unsigned claims, struct run_result *result) {
    struct run_options run;
    if (!suite_run_options(attempt->suite, config, attempt->sut, claims, &run))
        return false;
    attempt->suite->title = scenario->title;
    run.first_only = attempt->how->alone;
    run_scenario(scenario, config, &run, result);
    return true;
}

static bool perform(struct attempt *attempt, const struct scenario *scenario,
                    const struct run_config *config, unsigned claims,
                    struct explore_result *explored, struct run_result *result) {
    if (!attempt->bad.explored)
        return run_it(attempt, scenario, config, claims, result);
    if (!explore_it(attempt, scenario, config, attempt->sut, claims, attempt->bad.restarts,
                    explored))
        return false;
    *result = explored->replay;
    explore_as_run(explored, result);
    return true;
}

static void perform_free(const struct attempt *attempt, struct explore_result *explored,
                         struct run_result *result) {
    if (attempt->bad.explored)
        explore_free(explored); /* and with it what *result was copied from */
    else
        run_result_free(result);
}

/* Every other oracle: what broke is judged no more, and all of it is run again, until nothing that
 * is judged breaks. */
static void ask_the_others(struct attempt *attempt, const struct scenario *scenario,
                           const struct run_config *config, unsigned claims) {
    attempt->lives_max = OTHERS_LIVES_MAX;
    while (claims != 0) {
        struct explore_result explored = {0};
        struct run_result result;
        if (!perform(attempt, scenario, config, claims, &explored, &result))
            return;
        claims = note_broken(attempt, &result, claims);
        perform_free(attempt, &explored, &result);
    }
}

static bool is_found(struct attempt *attempt, const struct run_result *told) {
    const struct plan *plan = &told->finding.plan;
    if (!is_caught(attempt, told))
        return false;
    return !attempt->bad.explored || plan_size(plan) <= attempt->bad.plan_most ||
           known_bad_because(attempt->why,
                             "it takes a plan of %u crashes and faults, at most %u were to",
                             plan_size(plan), attempt->bad.plan_most);
}

/* Restarts at the wrong moments must miss it, or it proves nothing about the right ones. */
static bool stays_hidden(struct attempt *attempt, const struct scenario *scenario,
                         const struct run_config *config) {
    const struct known_bad *bad = &attempt->bad;
    struct explore_result result = {0};
    bool hidden = false;
    if (!bad->has_hidden || attempt->how->alone)
        return true;
    if (!explore_it(attempt, scenario, config, attempt->sut, attempt->sut->claims, bad->hidden,
                    &result))
        return false;
    hidden = result.verdict == RUN_PASS && result.closed;
    if (hidden)
        printf("HIDDEN  %-35s  with restarts %s: closed, falsely, after %lu lives\n", bad->name,
               known_bad_restarts(bad->hidden), result.lives);
    else
        known_bad_because(
            attempt->why, "restarts %s were to miss it, and do not close: %.40s %.300s",
            known_bad_restarts(bad->hidden), result.found ? result.replay.finding.code : "",
            result.found ? result.replay.finding.headline : result.why);
    explore_free(&result);
    return hidden;
}

static void try_it(struct attempt *attempt, const struct scenario *scenario,
                   const struct run_config *config) {
    const unsigned claims = attempt->sut->claims;
    struct explore_result explored = {0};
    struct run_result result;
    unsigned others = 0;
    if (!core_holds(attempt, scenario, config) ||
        !perform(attempt, scenario, config, claims, &explored, &result))
        return;
    attempt->bug->caught = is_found(attempt, &result) && stays_hidden(attempt, scenario, config);
    others = note_broken(attempt, &result, claims);
    report_attempt(attempt, scenario, config, &result);
    perform_free(attempt, &explored, &result);
    if (attempt->how->whole)
        ask_the_others(attempt, scenario, config, others);
}

/* How well a scenario fits what the head says: 0 not at all, 2 beyond doubt. */
static int fits(const struct known_bad *bad, const struct scenario *scenario) {
    if (bad->line != 0)
        return scenario->place.line == bad->line ? 2 : 0;
    if (strcmp(scenario->title, bad->title) == 0)
        return 2;
    return strstr(scenario->title, bad->title) != NULL;
}

/* The one scenario the bug names, or NULL. */
static const struct scenario *pick(struct attempt *attempt, const struct scenario_file *file) {
    const struct known_bad *bad = &attempt->bad;
    const struct scenario *picked = NULL;
    bool several = false;
    for (size_t i = 0; i < file->count; i++) {
        const struct scenario *scenario = &file->scenarios[i];
        int how = fits(bad, scenario), best = picked == NULL ? 0 : fits(bad, picked);
        several = how < best ? several : how == best && how > 0;
        if (how > best)
            picked = scenario;
    }
    if (several) {
        known_bad_because(attempt->why, "more than one scenario of %s has '%s' in its title",
                          bad->file, bad->title);
        return NULL;
    }
    if (picked == NULL && bad->line != 0)
        known_bad_because(attempt->why, "no scenario begins on line %d of %s", bad->line,
                          bad->file);
    else if (picked == NULL)
        known_bad_because(attempt->why, "no scenario of %s has '%s' in its title", bad->file,
                          bad->title);
    return picked;
}

static void note_fitting(void *ctx, const struct scenario *scenario,
                         const struct run_config *config) {
    struct attempt *attempt = ctx;
    (void)scenario;
    if (config->door != attempt->bad.door)
        return;
    attempt->fitting++;
    attempt->config = *config;
}

static void run_scenario_of(struct attempt *attempt, const struct scenario *scenario) {
    const struct known_bad *bad = &attempt->bad;
    struct options options = *attempt->suite->options;
    options.value[OPTION_PROFILE] = bad->profile->name;
    options.crash_kind = bad->crash_kind;
    suite_configurations(scenario, &options, bad->door == STAGE_WIRE ? SUITE_WIRE : SUITE_DIRECT,
                         note_fitting, attempt);
    if (bad->explored != (scenario->depth == SCN_AGAIN)) {
        known_bad_because(attempt->why, bad->explored
                                            ? "its scenario has no 'crash again anywhere'"
                                            : "its scenario is explored: 'Explore:' must say how");
    } else if (attempt->fitting == 0) {
        known_bad_because(attempt->why,
                          "its scenario does not run with that profile, crash and door");
    } else if (!bad->explored && attempt->fitting > 1) { /* explored, they are tried together */
        known_bad_because(attempt->why,
                          "its scenario crashes in several ways: 'Crashes:' must say which");
    } else {
        try_it(attempt, scenario, &attempt->config);
    }
}

static void load_and_run(struct attempt *attempt) {
    struct scenario_file file;
    struct diags diags = {0};
    const struct scenario *scenario = NULL;
    if (!scenario_load(attempt->bad.file, &file, &diags)) {
        diags_write(&diags, DIAG_SHORT, stderr);
        known_bad_because(attempt->why, "its scenario file %s cannot be used", attempt->bad.file);
    } else {
        scenario = pick(attempt, &file);
    }
    if (scenario != NULL) {
        attempt->bug->line = scenario->place.line;
        run_scenario_of(attempt, scenario);
    }
    diags_free(&diags);
    scenario_free(&file);
}

/* A bug that could not even be run is told to the reports too. */
static void report_untried(struct attempt *attempt) {
    struct report_run run = {.scenario = "planted bug",
                             .file = attempt->path,
                             .line = 1,
                             .oms = suite_keep(attempt->suite, attempt->bad.name),
                             .profile = "",
                             .crash = "",
                             .door = "",
                             .planted = true,
                             .verdict = REPORT_ERROR,
                             .note = suite_keep(attempt->suite, attempt->why)};
    suite_add(attempt->suite, &run);
}

/* Claims as a bit mask by number. */
static unsigned judged_by(unsigned claims) {
    unsigned judged = 0;
    for (unsigned i = 1; i <= INVARIANT_COUNT; i++)
        judged |= (claims & INVARIANT_BIT(i)) != 0 ? 1u << i : 0;
    return judged;
}

/* What the head says, and nothing found yet. */
static void describe(struct attempt *attempt) {
    const struct known_bad *bad = &attempt->bad;
    struct suite *suite = attempt->suite;
    *attempt->bug =
        (struct report_planted){.name = suite_keep(suite, bad->name),
                                .fault = suite_keep(suite, bad->fault),
                                .file = suite_keep(suite, bad->file),
                                .profile = bad->profile != NULL ? bad->profile->name : "",
                                .crash = "",
                                .door = bad->door == STAGE_WIRE ? "wire" : "direct",
                                .why = "",
                                .first = suite_keep(suite, bad->breaks),
                                .explored = bad->explored,
                                .plan = "none",
                                .replay = "",
                                .check = "",
                                .met = suite_keep(suite, bad->met),
                                .swept = ""};
}

/* What it finds decides nothing, but it must be able to look. */
static void sweep_it(struct attempt *attempt) {
    struct known_bad_swept swept;
    char why[SUT_WHY_SIZE];
    if (!known_bad_sweep(attempt->sut, attempt->how->seeds, &swept, why)) {
        fprintf(stderr, "crashgate: the sweep of %s: %s\n", attempt->bad.name, why);
        suite_worst(attempt->suite, EXIT_ENVIRONMENT);
        return;
    }
    attempt->bug->swept = suite_keep(attempt->suite, swept.breaks);
    attempt->bug->seed = swept.seed;
}

/* It was not caught; attempt->why says why not. */
static void give_up(struct attempt *attempt) {
    attempt->bug->why = suite_keep(attempt->suite, attempt->why);
    if (!attempt->reported)
        report_untried(attempt);
    suite_worst(attempt->suite, EXIT_FAIL);
}

void known_bad_try(struct suite *suite, struct core_held_list *held, const char *path,
                   const struct known_bad_how *how, struct report_planted *bug) {
    struct attempt attempt = {.suite = suite, .held = held, .path = path, .how = how, .bug = bug};
    bool read = known_bad_read(path, &attempt.bad, attempt.why);
    describe(&attempt);
    if (read && known_bad_oms(suite, &attempt.bad, how->variants, &attempt.oms, &attempt.sut,
                              attempt.why)) {
        bug->judged = judged_by(attempt.sut->claims);
        load_and_run(&attempt);
        if (how->seeds != NULL)
            sweep_it(&attempt);
    }
    if (!bug->caught)
        give_up(&attempt);
}

void known_bad_lost(struct suite *suite, const char *path, const char *why,
                    struct report_planted *bug) {
    struct attempt attempt = {.suite = suite, .path = path, .bug = bug};
    known_bad_read(path, &attempt.bad, attempt.why); /* as much of its head as can be read */
    describe(&attempt);
    snprintf(attempt.why, sizeof attempt.why, "%s", why);
    give_up(&attempt);
}
