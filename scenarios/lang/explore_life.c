/* One life of an exploration: run, seen from the inside, and run again to see whether it is what it was taken for. */
#include "scenarios/lang/explore_parts.h"

#include "sim/check.h"
#include "sim/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- seen from the inside ---- */

static void at_crash_point(void *ctx, const struct port_call *call, unsigned occurrence,
                           bool after) {
    struct life *life = ctx;
    struct crash_point *point = NULL;
    if (explore_has_broken(&life->script))
        return;
    CHECK_ROOM(life->points, life->point_count, life->point_cap, EXPLORE_POINTS_MAX);
    point = &life->points[life->point_count++];
    *point = (struct crash_point){.moment = moment_take(&life->script),
                                  .life = life->script.stage.life,
                                  .at_end = call == NULL};
    if (call == NULL)
        return;
    point->site = call->site;
    point->occurrence = occurrence;
    point->after = after;
    point->is_submit = !after && call->site.op == SITE_BROKER_SUBMIT && call->request != NULL;
    if (!point->is_submit)
        return;
    point->request = *call->request;
}

static bool is_broker_call(struct site site) {
    return site.op >= SITE_BROKER_SUBMIT && site.op <= SITE_BROKER_CANCEL;
}

/* Besides the faults that were asked for: may the broker drop this request by nature? */
static bool may_drop(const struct explorer *x, struct site site) {
    return x->config->profile->drops_requests && site.op == SITE_BROKER_SUBMIT;
}

static void at_call(void *ctx, const struct port_call *call, unsigned occurrence, bool after) {
    struct life *life = ctx;
    if (!after && (life->x->options->faults > 0 || may_drop(life->x, call->site))) {
        CHECK_ROOM(life->calls, life->call_count, life->call_cap, EXPLORE_POINTS_MAX);
        life->calls[life->call_count++] =
            (struct made_call){life->script.stage.life, call->site, occurrence};
    }
    if (!is_broker_call(call->site))
        return;
    life->trace = hash_u64(life->trace, site_index(call->site) * 2 + after);
    life->trace =
        hash_u64(life->trace, (uint64_t)(life->script.stage.world.now_ns - life->start_ns));
    if (call->request != NULL)
        life->trace = hash_text(life->trace, call->request->client_order_id);
}

void explore_life_free(struct life *life) {
    for (size_t i = 0; i < life->point_count; i++)
        moment_release(life->points[i].moment);
    free(life->points);
    free(life->calls);
    free(life->successors);
}

/* ---- running a life ---- */

bool explore_open(struct explorer *x, struct script *script, const struct plan *plan) {
    struct chooser nothing = chooser_nothing();
    memset(script, 0, sizeof *script);
    if (script_open(script, x->scenario, x->config, &x->run, &nothing, plan, NULL, x->result->why))
        return true;
    x->result->verdict = RUN_BROKEN;
    return false;
}

static void fault_plan(const struct work *work, struct plan *plan) {
    plan->count = 0;
    for (size_t i = 0; i < work->fault_count; i++)
        CHECK(plan_add(plan, &work->faults[i]));
}

static void start_life(struct script *script, const struct work *work) {
    if (work->start == NULL) {
        script_begin(script);
        return;
    }
    moment_restore(work->start, script);
    stage_boot_soon(&script->stage);
}

static int by_value(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The set of what can come after a life. */
static uint64_t successor_set(struct life *life) {
    uint64_t hash = 0, last = 0;
    if (life->successor_count > 1)
        qsort(life->successors, life->successor_count, sizeof *life->successors, by_value);
    for (size_t i = 0; i < life->successor_count; i++) {
        if (i == 0 || life->successors[i] != last)
            hash = hash_u64(hash, life->successors[i]);
        last = life->successors[i];
    }
    return hash;
}

static uint64_t verdict_of(const struct script *script) {
    struct run_finding finding;
    return script_failing(script, &finding) ? hash_text(1, finding.code) : 0;
}

static void note_lines(struct explorer *x, const struct script *script) {
    for (size_t i = 0; i < x->scenario->line_count; i++)
        x->seen[i] = x->seen[i] || script->lines[i].seen || script->lines[i].has_key[0] ||
                     script->lines[i].fired;
}

bool explore_life(struct explorer *x, const struct work *work, unsigned cost, bool audit,
                  struct class *class, struct life *life) {
    struct script_watch watch = {
        .ctx = life, .crash_point = at_crash_point, .called = at_call, .changed = NULL};
    struct plan plan;
    *life = (struct life){.x = x, .audit = audit};
    fault_plan(work, &plan);
    if (!explore_open(x, &life->script, &plan))
        return false;
    life->script.watch = &watch;
    life->start_ns = work->start == NULL ? x->scenario->start_ns : moment_now_ns(work->start);
    start_life(&life->script, work);
    script_finish(&life->script, audit);
    if (!audit) {
        x->result->lives++;
        x->result->faults += life->script.taken.count;
        note_lines(x, &life->script);
    }
    if (explore_has_broken(&life->script) && !audit) {
        struct trail *trail = explore_trail(x, work->trail);
        for (size_t i = 0; i < work->fault_count; i++)
            explore_trail_item(trail, &work->faults[i]);
        explore_found(x, cost, trail, &life->script);
    }
    life->port_calls = life->script.stage.counts.port_calls;
    class->verdict = verdict_of(&life->script);
    script_close(&life->script);
    explore_deaths(life, work, cost + 1);
    class->successors = successor_set(life);
    class->trace = life->trace;
    class->run = true;
    return true;
}

/* ---- audits ---- */

void explore_audit(struct explorer *x, const struct audit *audit) {
    struct work work = {.start = audit->start, .trail = audit->trail};
    struct class again = {0};
    const struct class *kept = &x->classes[audit->class];
    struct life *life = check_zalloc(1, sizeof *life);
    const char *differs = NULL;
    if (kept->run && explore_life(x, &work, 0, true, &again, life)) {
        x->result->audited++;
        if (again.verdict != kept->verdict)
            differs = "their verdicts differ";
        else if (!x->options->verdict_only && again.successors != kept->successors)
            differs = "what crashes leave of their lives differs";
        else if (!x->options->verdict_only && again.trace != kept->trace)
            differs = "what they ask the broker differs";
        if (differs != NULL && x->result->mismatches++ == 0)
            snprintf(x->result->mismatch, sizeof x->result->mismatch,
                     "two worlds about to start have one key, and %s", differs);
        explore_life_free(life);
    }
    free(life);
}

/* ---- the slow way ---- */

struct slow {
    struct script *script;
    unsigned life; /* that is to die */
    bool died;
    uint64_t disk;
};

static void after_death(void *ctx) {
    struct slow *slow = ctx;
    const struct stage *stage = &slow->script->stage;
    if (slow->died || stage->oms != NULL || stage->life != slow->life || stage->counts.crashes == 0)
        return;
    slow->died = true;
    slow->disk = disk_hash(stage->world.disk);
}

void explore_slowly(struct explorer *x, const struct work *work, const struct life *life,
                    size_t index) {
    const struct crash_point *point = &life->points[index];
    struct script *script = check_zalloc(1, sizeof *script);
    struct slow slow = {.script = script, .life = point->life};
    struct script_watch watch = {.ctx = &slow, .changed = after_death};
    struct plan plan;
    struct plan_item item = explore_death(point, false, 0);
    plan.count = 0;
    for (size_t i = 0; i < work->fault_count; i++) {
        if (!explore_forestalls(&item, &work->faults[i]))
            CHECK(plan_add(&plan, &work->faults[i]));
    }
    CHECK(plan_add(&plan, &item));
    if (!point->at_end && explore_open(x, script, &plan)) {
        script->watch = &watch;
        start_life(script, work);
        script_finish(script, true);
        x->result->slowly++;
        if ((!slow.died || slow.disk != disk_hash(moment_disk(point->moment))) &&
            x->result->mismatches++ == 0)
            snprintf(x->result->mismatch, sizeof x->result->mismatch,
                     "a crash in the running life leaves other bytes than the copy made there");
        script_close(script);
    }
    free(script);
}
