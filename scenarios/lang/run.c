/* Running a scenario: the enumeration of its runs, and what they come to. */
#include "scenarios/lang/run.h"
#include "scenarios/lang/workload.h"

#include "scenarios/lang/codes.h"
#include "scenarios/lang/script.h"
#include "scenarios/lang/shrink.h"
#include "scenarios/lang/time_text.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned run_suspends(const struct scenario *scenario, const struct plan *plan) {
    unsigned suspends = 0;
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (scenario->lines[i].statement == SCN_FAULT)
            suspends |= fault_suspends(&scenario->lines[i].args.strike.fault);
    }
    for (size_t i = 0; plan != NULL && i < plan->count; i++) {
        if (plan->items[i].what == PLAN_FAULT)
            suspends |= fault_suspends(&plan->items[i].fault);
    }
    return suspends;
}

/* How one run ended, as a finding without its story. */
bool script_failing(const struct script *script, struct run_finding *finding) {
    const struct violation *violation = &script->stage.judge.first;
    const struct script_failure *failure = &script->failure;
    bool judged = violation->invariant != 0;
    bool checked = failure->code[0] != '\0';
    if (!judged && !checked) {
        finding->invariant = 0;
        finding->code[0] = finding->headline[0] = '\0';
        return false;
    }
    *finding = (struct run_finding){.plan = script->taken, .marked = script->marked};
    /* The earlier one; at the same moment the invariant says more. */
    if (judged && (!checked || violation->at_ns <= failure->at_ns)) {
        finding->invariant = violation->invariant;
        finding->at_ns = violation->at_ns;
        snprintf(finding->code, sizeof finding->code, "I%d", violation->invariant);
        snprintf(finding->headline, sizeof finding->headline, "%s", violation->text);
    } else {
        finding->at_ns = failure->at_ns;
        finding->line = failure->line;
        memcpy(finding->code, failure->code, sizeof finding->code);
        memcpy(finding->headline, failure->text, sizeof finding->headline);
    }
    return true;
}

static void add_counts(struct stage_counts *to, const struct stage_counts *from) {
    to->lives += from->lives;
    to->port_calls += from->port_calls;
    to->events += from->events;
    to->crashes += from->crashes;
    to->faults += from->faults;
}

/* What the lines of all runs together did: for `reach`, and for faults that must strike once. */
struct reached {
    bool seen[SCN_LINES_MAX];
    bool fired[SCN_LINES_MAX];
    /* What quantified crashes found, and what crashes at named places would find. */
    uint64_t *crashes;
    size_t crash_count, crash_cap;
    struct point_found {
        uint64_t key;
        size_t line;
    } * points;
    size_t point_count, point_cap;
};

static void free_reached(struct reached *reached) {
    free(reached->crashes);
    free(reached->points);
    free(reached);
}

static void add_point(struct reached *reached, size_t line, uint64_t key) {
    for (size_t i = 0; i < reached->point_count; i++) {
        if (reached->points[i].line == line && reached->points[i].key == key)
            return;
    }
    CHECK_ROOM(reached->points, reached->point_count, reached->point_cap, RUN_PATHS_MAX + 1);
    reached->points[reached->point_count++] = (struct point_found){key, line};
}

static void add_crash(struct reached *reached, uint64_t key) {
    CHECK_ROOM(reached->crashes, reached->crash_count, reached->crash_cap,
               SCRIPT_WINDOWS * (RUN_PATHS_MAX + 1));
    reached->crashes[reached->crash_count++] = key;
}

static void add_run(struct run_result *result, const struct script *script,
                    struct reached *reached) {
    result->runs++;
    result->crash_points += script->crash_points;
    result->reduced =
        result->reduced || (script->stage.power_reduced && script->strikes.count == 0);
    result->fingerprint = hash_u64(result->fingerprint, script->stage.fingerprint);
    add_counts(&result->counts, &script->stage.counts);
    for (unsigned i = 0; i < SITE_COUNT; i++)
        result->fired[i] += script->fired[i];
    for (size_t i = 0; i < script->own_lines; i++) {
        reached->seen[i] = reached->seen[i] || script->lines[i].seen;
        reached->fired[i] = reached->fired[i] || script->lines[i].fired;
        for (size_t k = 0; k < SCRIPT_WINDOWS; k++) {
            if (script->lines[i].has_key[k])
                add_point(reached, i, script->lines[i].key[k]);
        }
    }
    for (unsigned k = 0; k < script->crash_count; k++)
        add_crash(reached, script->crash_keys[k]);
}

/* Fewest faults first; among equals the one met first. */
static void add_finding(struct run_result *result, const struct run_finding *finding) {
    struct run_finding *kept = &result->finding;
    unsigned long same = kept->same, others = kept->others;
    result->failed++;
    if (!result->found) {
        result->first_failed = result->runs;
        *kept = *finding;
        result->found = true;
        return;
    }
    if (finding->plan.count < kept->plan.count) {
        /* What was counted as same as the old one is now counted against the new one. */
        bool alike = strcmp(finding->code, kept->code) == 0;
        *kept = *finding;
        kept->same = alike ? same + 1 : others;
        kept->others = alike ? others : same + 1;
        return;
    }
    if (strcmp(finding->code, kept->code) == 0)
        kept->same++;
    else
        kept->others++;
}

/* One run. False: the environment failed. */
static bool one_run(const struct scenario *scenario, const struct run_config *config,
                    const struct run_options *options, const struct chooser *chooser,
                    const struct plan *plan, struct trace *trace, struct script *script,
                    struct run_result *result) {
    if (!script_open(script, scenario, config, options, chooser, plan, trace, result->why)) {
        result->verdict = RUN_BROKEN;
        return false;
    }
    script_run(script, options->skip_recovery);
    return true;
}

/* What none of the runs did. A failing run says more and is kept. */
static void never(struct run_result *result, const struct scn_line *line, enum run_code code,
                  const char *what) {
    struct run_finding *finding = &result->finding;
    if (result->found)
        return;
    result->found = true;
    *finding = (struct run_finding){.line = line->place.line, .all_runs = true};
    snprintf(finding->code, sizeof finding->code, "%s", run_code_text(code));
    snprintf(finding->headline, sizeof finding->headline, "%s in none of the %lu runs", what,
             result->runs);
}

/* Whether some run crashed where line `index` says, that is: found what a crash there finds. */
static bool crashed_there(const struct scn_crash *crash, size_t index,
                          const struct reached *reached) {
    for (size_t i = 0; i < reached->crash_count; i++) {
        if (crash->where == SCN_CRASH_NOW)
            return true;
        for (size_t j = 0; j < reached->point_count; j++) {
            if (reached->points[j].line == index && reached->points[j].key == reached->crashes[i])
                return true;
        }
    }
    return false;
}

/* What at least one run had to reach. */
static void judge_reach(const struct scenario *scenario, const struct reached *reached,
                        struct run_result *result) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_REACH && !reached->seen[i])
            never(result, line, RUN_CODE_VACUOUS, "what this line asks for was reached");
        if (line->statement == SCN_REACH_CRASH && !crashed_there(&line->args.crash, i, reached))
            never(result, line, RUN_CODE_VACUOUS, "a crash there happened");
        if (line->statement == SCN_FAULT && scenario->quantified && !reached->fired[i])
            never(result, line, RUN_CODE_NEVER_HAPPENED, "this fault struck");
        if (line->statement == SCN_CRASH && scenario->quantified && !reached->fired[i])
            never(result, line, RUN_CODE_NEVER_HAPPENED, "this crash happened");
        if (line->statement == SCN_REACH_FAULT && result->fired[site_index(line->args.site)] == 0)
            never(result, line, RUN_CODE_VACUOUS, "a fault at this site happened");
    }
}

/* The finding of one planned run, with its story. False: the environment failed. */
static bool story_of(const struct scenario *scenario, const struct run_config *config,
                     const struct run_options *options, const struct plan *plan,
                     struct script *script, struct run_result *result) {
    struct trace trace = {0};
    struct chooser nothing = chooser_nothing();
    if (!one_run(scenario, config, options, &nothing, plan, &trace, script, result))
        return false;
    script_failing(script, &result->finding);
    result->finding.plan = *plan;
    result->finding.trace = trace;
    script_close(script);
    return true;
}

/* Runs the finding again by its plan, for its story; a different end means the harness or the OMS
 * is not deterministic. */
static void tell_story(const struct scenario *scenario, const struct run_config *config,
                       const struct run_options *options, struct script *script,
                       struct run_result *result) {
    struct run_finding *kept = &result->finding;
    struct run_finding again = {0};
    struct trace trace = {0};
    struct chooser nothing = chooser_nothing();
    struct plan plan = kept->plan;
    unsigned long same = kept->same, others = kept->others;
    if (!one_run(scenario, config, options, &nothing, &plan, &trace, script, result))
        return;
    if (!script_failing(script, &again) || strcmp(again.code, kept->code) != 0 ||
        strcmp(again.headline, kept->headline) != 0 || again.at_ns != kept->at_ns) {
        char text[PLAN_TEXT_SIZE], once[TIME_TEXT_SIZE], repeated[TIME_TEXT_SIZE];
        result->verdict = RUN_UNSTABLE;
        snprintf(
            result->why, sizeof result->why,
            "the plan '%.120s' ended with %s at %s (%.40s) once and with %s at %s (%.40s) when "
            "repeated",
            plan_format(&plan, text), kept->code, time_format_clock(kept->at_ns, once),
            kept->headline, again.code[0] != '\0' ? again.code : "nothing",
            time_format_clock(again.at_ns, repeated), again.headline);
    }
    again.same = same;
    again.others = others;
    again.plan = plan;
    *kept = again;
    kept->trace = trace;
    script_close(script);
}

/* The finding of a run in which several things went wrong, with only what of them it needs. Of a
 * workload no death can be left out: what the next lives are would change, and with it all of a long
 * story that follows. */
static void make_minimal(const struct scenario *scenario, const struct run_config *config,
                         const struct run_options *options, struct script *script,
                         struct run_result *result) {
    struct run_finding *kept = &result->finding;
    struct run_finding before = *kept;
    struct shrunk shrunk;
    if (kept->plan.count < 2 || result->verdict != RUN_PASS || workload_is_asked(scenario))
        return;
    shrink(scenario, config, options, &kept->plan, &shrunk);
    CHECK(strcmp(shrunk.code, kept->code) == 0); /* it was repeated just now */
    if (!story_of(scenario, config, options, &shrunk.plan, script, result))
        return;
    kept->shrunk_from = before.plan.count;
    kept->shrink_runs = shrunk.runs;
    kept->same = before.same;
    kept->others = before.others;
    free(before.trace.v);
}

static void enumerate(const struct scenario *scenario, const struct run_config *config,
                      const struct run_options *options, struct script *script,
                      struct run_result *result) {
    struct reached *reached = check_zalloc(1, sizeof *reached);
    struct odometer odometer;
    struct chooser chooser;
    odometer_init(&odometer);
    chooser = odometer_chooser(&odometer);
    do {
        struct run_finding finding;
        if (!one_run(scenario, config, options, &chooser, NULL, NULL, script, result))
            break;
        add_run(result, script, reached);
        if (script_failing(script, &finding))
            add_finding(result, &finding);
        script_close(script);
        if (options->progress != NULL)
            options->progress(options->progress_ctx, result->runs);
        result->bound = result->runs == RUN_PATHS_MAX;
        if (options->first_only && result->found)
            break;
    } while (!result->bound && odometer_next(&odometer));
    odometer_free(&odometer);
    if (result->verdict != RUN_BROKEN) {
        bool story = result->found;
        judge_reach(scenario, reached, result);
        if (story)
            tell_story(scenario, config, options, script, result);
        if (story)
            make_minimal(scenario, config, options, script, result);
    }
    free_reached(reached);
}

static void replay(const struct scenario *scenario, const struct run_config *config,
                   const struct run_options *options, struct script *script,
                   struct run_result *result) {
    struct reached *reached = check_zalloc(1, sizeof *reached);
    struct chooser nothing = chooser_nothing();
    struct trace trace = {0};
    struct plan none = {0};
    struct run_finding finding;
    const struct chooser *chooser = options->chooser != NULL ? options->chooser : &nothing;
    const struct plan *plan = options->chooser != NULL ? NULL
                              : options->plan != NULL  ? options->plan
                                                       : &none;
    if (one_run(scenario, config, options, chooser, plan,
                options->trace || options->until != 0 ? &trace : NULL, script, result)) {
        result->state = script->state;
        result->facts = script->facts;
        script->state = script->facts = NULL;
        add_run(result, script, reached);
        result->taken = script->taken;
        if (plan != NULL && script->taken.count < plan->count) {
            result->verdict = RUN_MISFIT;
            snprintf(result->why, sizeof result->why,
                     "the plan has %zu items, and only %zu of them happened", plan->count,
                     script->taken.count);
        }
        if (script_failing(script, &finding)) {
            finding.trace = trace;
            add_finding(result, &finding);
        } else {
            result->trace = trace;
        }
        script_close(script);
    }
    free_reached(reached);
}

/* A plan picks one run of whatever the scenario quantifies over. */
static bool can_be_run(const struct scenario *scenario, const struct run_options *options,
                       struct run_result *result) {
    if (scenario->depth != SCN_AGAIN || options->plan != NULL || options->until != 0)
        return true;
    snprintf(result->why, sizeof result->why,
             "'crash again anywhere' is not run: 'crashgate explore' explores it");
    return false;
}

void run_scenario(const struct scenario *scenario, const struct run_config *config,
                  const struct run_options *options, struct run_result *result) {
    struct script *script = check_zalloc(1, sizeof *script);
    *result = (struct run_result){.verdict = RUN_PASS};
    if (!can_be_run(scenario, options, result))
        result->verdict = RUN_MISFIT;
    else if (options->plan != NULL || options->chooser != NULL || options->until != 0)
        replay(scenario, config, options, script, result);
    else
        enumerate(scenario, config, options, script, result);
    if (result->verdict == RUN_PASS) {
        if (result->found)
            result->verdict = RUN_FAIL;
        else if (result->bound || result->reduced)
            result->verdict = RUN_INCONCLUSIVE;
    }
    free(script);
}

void run_points(const struct scenario *scenario, const struct run_config *config,
                const struct run_options *options, struct run_points *points,
                struct run_result *result) {
    struct run_options one = *options;
    struct plan none = {0};
    *points = (struct run_points){0};
    one.plan = &none;
    one.points = points;
    run_scenario(scenario, config, &one, result);
}

void run_points_free(struct run_points *points) {
    free(points->v);
    *points = (struct run_points){0};
}

void run_result_free(struct run_result *result) {
    free(result->finding.trace.v);
    free(result->trace.v);
    free(result->state);
    free(result->facts);
    *result = (struct run_result){0};
}
