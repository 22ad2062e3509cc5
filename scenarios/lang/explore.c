/* The search: lives that wait, cheapest first, until none is left or a bound is hit; and what it came to. */
#include "scenarios/lang/explore_parts.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DISTINCT_MAX = 2000000, /* worlds of a kind */
    WAITING_MAX = 2000000,
    SLOW_EVERY = 16 /* lives of which one crash point is also run the slow way */
};

static bool bound_hit(struct explorer *x) {
    const struct explore_options *options = x->options;
    struct explore_result *result = x->result;
    size_t most = options->worlds_max > 0 ? options->worlds_max : WAITING_MAX;
    const char *spent = NULL;
    if (x->stopped)
        return true;
    if (options->lives_max > 0 && result->lives >= options->lives_max)
        snprintf(result->bound, sizeof result->bound, "%lu lives were run, %zu were waiting",
                 result->lives, x->frontier.waiting);
    else if (x->frontier.waiting > most)
        snprintf(result->bound, sizeof result->bound, "more than %zu lives were waiting", most);
    else if (x->class_count > DISTINCT_MAX || x->crash_class_count > DISTINCT_MAX)
        snprintf(result->bound, sizeof result->bound,
                 "more than %d distinct worlds were met, %zu lives were waiting", DISTINCT_MAX,
                 x->frontier.waiting);
    else if (options->spent != NULL && (spent = options->spent(options->ctx)) != NULL)
        snprintf(result->bound, sizeof result->bound, "%.80s, %zu lives were waiting", spent,
                 x->frontier.waiting);
    else
        return false;
    x->stopped = true;
    return true;
}

static void one_work(struct explorer *x, const struct work *work, unsigned cost) {
    struct life *life = check_zalloc(1, sizeof *life);
    struct class class = {0};
    if (explore_life(x, work, cost, false, &class, life)) {
        if (work->fault_count == 0) {
            x->classes[work->class] = class;
        }
        if (x->result->lives == 1)
            x->result->port_calls = life->port_calls;
        if (x->result->lives % SLOW_EVERY == 1 && life->point_count > 0)
            explore_slowly(x, work, life, (size_t)(x->result->lives * 7 % life->point_count));
        explore_faults(x, work, life, cost);
        explore_life_free(life);
    } else {
        x->stopped = true;
    }
    free(life);
}

static void search(struct explorer *x) {
    struct work *work = NULL;
    unsigned cost = 0;
    explore_push(x, 0, explore_work(NULL, NULL, explore_class(x)));
    while (!bound_hit(x) && (work = frontier_pop(&x->frontier, &cost)) != NULL) {
        bool later = x->result->found && cost > x->found_cost;
        if (!later)
            one_work(x, work, cost);
        moment_release(work->start);
        free(work);
        if (later)
            break;
        if (x->options->progress != NULL)
            x->options->progress(x->options->ctx, x->result->lives, x->result->crash_worlds,
                                 x->frontier.waiting);
    }
    while ((work = frontier_pop(&x->frontier, &cost)) != NULL) {
        moment_release(work->start);
        free(work);
    }
}

/* Lines that no life reached say that the scenario proves less than it claims. */
static void judge_reach(struct explorer *x) {
    for (size_t i = 0; i < x->scenario->line_count && !x->result->found; i++) {
        const struct scn_line *line = &x->scenario->lines[i];
        bool reach = line->statement == SCN_REACH || line->statement == SCN_REACH_CRASH;
        if (!reach || x->seen[i])
            continue;
        x->result->found = true;
        x->finding = (struct run_finding){.line = line->place.line, .all_runs = true};
        snprintf(x->finding.code, sizeof x->finding.code, "vacuous");
        snprintf(x->finding.headline, sizeof x->finding.headline,
                 "what this line asks for was reached in none of the %lu lives", x->result->lives);
    }
}

/* The finding once more, by its plan: a run that anybody can repeat. */
static void replay_finding(struct explorer *x) {
    struct run_options run = x->run;
    struct explore_result *result = x->result;
    run.plan = &x->found_plan;
    run.trace = true;
    run_scenario(x->scenario, x->config, &run, &result->replay);
    result->replay.finding.plan = x->found_plan;
    if (result->replay.found && strcmp(result->replay.finding.code, x->finding.code) == 0)
        return;
    result->verdict = RUN_UNSTABLE;
    snprintf(result->why, sizeof result->why,
             "the exploration broke %s (%.120s), and its plan, run from the beginning, %s%.60s",
             x->finding.code, x->finding.headline,
             result->replay.found ? "broke " : "broke nothing",
             result->replay.found ? result->replay.finding.code : result->replay.why);
}

static void conclude(struct explorer *x) {
    struct explore_result *result = x->result;
    result->waiting_most = x->frontier.most;
    result->closed = !result->found && !x->stopped && !result->reduced;
    if (result->reduced && result->bound[0] == '\0')
        snprintf(result->bound, sizeof result->bound,
                 "some power loss had too many outcomes: a part of them was tried");
    if (result->verdict == RUN_BROKEN)
        return;
    if (!result->found && !x->stopped)
        judge_reach(x);
    if (result->found) {
        result->verdict = RUN_FAIL;
        if (x->finding.all_runs) {
            result->replay = (struct run_result){.found = true, .finding = x->finding};
            result->closed = false;
        } else {
            replay_finding(x);
        }
    } else if (!result->closed) {
        result->verdict = RUN_INCONCLUSIVE;
    }
    if (result->mismatches > 0) {
        result->verdict = RUN_UNSTABLE;
        snprintf(result->why, sizeof result->why, "audit: %.300s", result->mismatch);
    }
}

/* `crash kill again anywhere` names its kind itself. */
static void pick_written_deaths(struct explorer *x) {
    for (size_t i = 0; i < x->scenario->line_count; i++) {
        const struct scn_line *line = &x->scenario->lines[i];
        if (line->statement != SCN_CRASH || line->args.crash.depth != SCN_AGAIN)
            continue;
        x->kill = x->kill || line->args.crash.kind == SCN_KILL;
        x->power = x->power || line->args.crash.kind == SCN_POWER;
    }
}

static void pick_deaths(struct explorer *x) {
    x->kill = x->options->kill;
    x->power = x->options->power;
    if (!x->kill && !x->power)
        pick_written_deaths(x);
    if (x->kill || x->power)
        return;
    for (size_t i = 0; i < x->scenario->crash_count; i++) {
        x->kill = x->kill || x->scenario->crashes[i] == SCN_KILL;
        x->power = x->power || x->scenario->crashes[i] == SCN_POWER;
    }
    if (!x->kill && !x->power)
        x->kill = x->power = true;
}

static void free_explorer(struct explorer *x) {
    for (size_t i = 0; i < x->audit_count; i++)
        moment_release(x->audits[i].start);
    while (x->trails != NULL) {
        struct trail *older = x->trails->older;
        free(x->trails);
        x->trails = older;
    }
    keymap_free(&x->crash_bytes);
    keymap_free(&x->crash_worlds);
    keymap_free(&x->start_bytes);
    keymap_free(&x->starts);
    frontier_free(&x->frontier);
    free(x->classes);
    free(x->crash_classes);
    free(x->audits);
    free(x->seen);
}

void explore_scenario(const struct scenario *scenario, const struct run_config *config,
                      const struct explore_options *options, struct explore_result *result) {
    struct explorer x = {
        .scenario = scenario, .config = config, .options = options, .result = result};
    *result = (struct explore_result){.verdict = RUN_PASS};
    x.run = (struct run_options){.sut = options->sut,
                                 .claims = options->claims,
                                 .wire = options->wire,
                                 .seed = options->seed};
    x.script = check_zalloc(1, sizeof *x.script);
    x.seen = check_zalloc(scenario->line_count + 1, sizeof *x.seen);
    pick_deaths(&x);
    if (explore_open(&x, x.script, NULL)) {
        struct script_watch nobody = {0};
        x.script->watch = &nobody;
        search(&x);
        for (size_t i = 0; i < x.audit_count && !result->found; i++)
            explore_audit(&x, &x.audits[i]);
        script_close(x.script);
        conclude(&x);
    }
    free_explorer(&x);
    free(x.script);
}

void explore_free(struct explore_result *result) {
    run_result_free(&result->replay);
}
