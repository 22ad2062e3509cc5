/* What goes wrong at the ports: the faults of the script, or of a plan. */
#include "scenarios/lang/script_parts.h"

#include "scenarios/lang/codes.h"
#include "sim/check.h"

#include <string.h>

static void count_fault(struct script *script, struct site site, const struct fault *fault) {
    script->fired[site_index(site)]++;
    if (script->tallies != NULL)
        script->tallies[fault_tally(fault)]++;
}

/* `fault ... anywhere`: this call, or a later one, or (with an open `at`) any byte of it. */
static bool quantified_fault(struct script *script, size_t index, const struct port_call *call,
                             unsigned occurrence, struct fault *fault) {
    const struct scn_strike *strike = &script->scenario->lines[index].args.strike;
    const struct fault_arg *first = &strike->fault.kind->args[0];
    bool every_byte =
        first->name != NULL && strcmp(first->name, "at") == 0 && !strike->arg_written[0];
    /* Of a message also the place behind its last byte; of a file only its bytes. */
    uint32_t places = (uint32_t)call->length + (call->site.op != SITE_DISK_REST);
    uint32_t ways = every_byte ? places + 1 : 2;
    uint32_t answer = 0;
    struct plan_item item = {.life = script->stage.life,
                             .place = PLAN_AT_CALL,
                             .site = call->site,
                             .occurrence = occurrence,
                             .what = PLAN_FAULT};
    if (script->plan != NULL || script->lines[index].fired)
        return false;
    answer = choose(&script->chooser, CHOICE_FAULT, ways);
    if (answer == 0)
        return false;
    *fault = strike->fault;
    if (every_byte)
        fault->arg[0] = (int64_t)answer - 1;
    item.fault = *fault;
    CHECK(plan_add(&script->taken, &item));
    return true;
}

/* Damage at rest needs something to damage: bytes that are there, a copy that was kept. */
static bool can_strike(struct script *script, const struct port_call *call,
                       const struct fault *fault) {
    enum act act = fault->kind->act;
    if ((act == ACT_FLIP || act == ACT_CUT) && fault->arg[0] >= call->length) {
        script_fail(script, RUN_CODE_NEVER_HAPPENED, script->stage.line,
                    "at=%lld: the file has %lld bytes", (long long)fault->arg[0],
                    (long long)call->length);
        return false;
    }
    if (act == ACT_RESTORED &&
        (fault->arg[0] > STAGE_BACKUPS_MAX || script->stage.backups[fault->arg[0] - 1] == NULL)) {
        script_fail(script, RUN_CODE_NEVER_HAPPENED, script->stage.line,
                    "life=%lld: no copy was kept of it, life %u is about to begin",
                    (long long)fault->arg[0], script->stage.life);
        return false;
    }
    return true;
}

static bool strikes(struct script *script, size_t index, const struct port_call *call,
                    unsigned occurrence, struct fault *fault) {
    const struct scn_strike *strike = &script->scenario->lines[index].args.strike;
    struct line_run *line = &script->lines[index];
    if (line->state != LINE_ARMED || strike->site.op != call->site.op ||
        strike->site.on != call->site.on)
        return false;
    line->calls++;
    *fault = strike->fault;
    switch (strike->times) {
    case SCN_NEXT_CALL:
        return line->calls == 1;
    case SCN_ALL_CALLS:
        return true;
    case SCN_EACH_CALL:
        return quantified_fault(script, index, call, occurrence, fault);
    case SCN_ON_CALLS:
        return line->calls >= strike->first && line->calls <= strike->last;
    case SCN_UNTIL:
        return script->stage.world.now_ns < strike->until_ns;
    }
    return false;
}

static void note_fault(struct script *script, const struct port_call *call, unsigned occurrence,
                       const struct fault *fault) {
    char text[FAULT_TEXT_SIZE], site[SITE_NAME_SIZE];
    stage_note(&script->stage, "fault", false, "%s call %u: %s", site_name(call->site, site),
               occurrence, fault_format(fault, text));
}

/* What the plan says about a call that is about to take effect. */
static struct port_answer planned(struct script *script, const struct port_call *call,
                                  unsigned occurrence) {
    const struct plan_item *item =
        plan_at_call(script->plan, script->stage.life, call->site, occurrence, false);
    if (item == NULL)
        return (struct port_answer){0};
    if (item->what != PLAN_FAULT) {
        if (item->late_ns > 0 && call->request != NULL)
            stage_outlives(&script->stage, call->request, item->late_ns);
        script_die_by_plan(script, item);
        return (struct port_answer){0};
    }
    if (!can_strike(script, call, &item->fault))
        return (struct port_answer){0};
    plan_add(&script->taken, item);
    note_fault(script, call, occurrence, &item->fault);
    count_fault(script, call->site, &item->fault);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->scenario->lines[i].statement == SCN_FAULT &&
            script->lines[i].state == LINE_ARMED &&
            script->scenario->lines[i].args.strike.times == SCN_EACH_CALL)
            script->lines[i].fired = true;
    }
    return fault_answer(&item->fault);
}

/* `crash at SITE @ n`: strikes before the n-th call from its line on. */
static void scripted_crash_at(struct script *script, const struct port_call *call) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        if (line->statement != SCN_CRASH || script->lines[i].state != LINE_ARMED ||
            line->args.crash.where != SCN_CRASH_AT_SITE ||
            line->args.crash.site.op != call->site.op || line->args.crash.site.on != call->site.on)
            continue;
        if (++script->lines[i].calls == line->args.crash.occurrence) {
            script_die_at_line(script, i);
            return;
        }
    }
}

/* A call that a line above has struck is a call all the same for lines that count them. */
static void count_call(struct script *script, size_t from, const struct port_call *call) {
    for (size_t i = from; i < script->scenario->line_count; i++) {
        const struct scn_strike *strike = &script->scenario->lines[i].args.strike;
        if (script->scenario->lines[i].statement == SCN_FAULT &&
            script->lines[i].state == LINE_ARMED && strike->times == SCN_ON_CALLS &&
            strike->site.op == call->site.op && strike->site.on == call->site.on)
            script->lines[i].calls++;
    }
}

/* The first fault line that strikes this call, else what was said before. */
static struct port_answer scripted(struct script *script, const struct port_call *call,
                                   unsigned occurrence, struct port_answer otherwise) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        struct fault fault;
        if (script->scenario->lines[i].statement == SCN_FAULT &&
            strikes(script, i, call, occurrence, &fault)) {
            int line = script->stage.line;
            script->stage.line = script_line_number(script, i);
            if (!can_strike(script, call, &fault)) {
                script->stage.line = line;
                return otherwise;
            }
            script->lines[i].fired = true;
            count_fault(script, call->site, &fault);
            note_fault(script, call, occurrence, &fault);
            script->stage.line = line;
            count_call(script, i + 1, call);
            return fault_answer(&fault);
        }
    }
    return otherwise;
}

/* Asking for a size is no crash point: a death there is one at the call before or after it. */
static bool is_crash_point(struct site site) {
    return site.op != SITE_DISK_STAT;
}

/* A broker that drops requests by nature may drop this one: asked of whoever answers for a run of
 * `crash anywhere`. Elsewhere a fault line, or a plan, says when it does. */
static struct port_answer broker_drops(struct script *script, const struct port_call *call,
                                       unsigned occurrence) {
    struct plan_item item = {.life = script->stage.life,
                             .place = PLAN_AT_CALL,
                             .site = call->site,
                             .occurrence = occurrence,
                             .what = PLAN_FAULT};
    if (call->site.op != SITE_BROKER_SUBMIT || !script->config->profile->drops_requests ||
        script->plan != NULL || !script->has.window ||
        choose(&script->chooser, CHOICE_FAULT, 2) == 0)
        return (struct port_answer){0};
    item.fault.kind = catalogue_find(call->site, "dropped");
    CHECK(plan_add(&script->taken, &item));
    note_fault(script, call, occurrence, &item.fault);
    count_fault(script, call->site, &item.fault);
    return fault_answer(&item.fault);
}

static const struct {
    enum site_op op;
    enum scn_point_kind point;
} reads[] = {{SITE_BROKER_ORDERS, SCN_POINT_READ_ORDERS},
             {SITE_BROKER_FILLS, SCN_POINT_READ_FILLS},
             {SITE_BROKER_POSITIONS, SCN_POINT_READ_POSITIONS}};

bool script_point_is_read(enum scn_point_kind kind) {
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        if (reads[i].point == kind)
            return true;
    }
    return false;
}

/* A list is about to be read at the broker, or has been: points, where some line speaks of them. */
static void point_of_read(struct script *script, struct site site, bool after) {
    for (size_t i = 0; script->has.read && i < sizeof reads / sizeof reads[0]; i++) {
        if (reads[i].op == site.op && !script->stage.port.dead)
            script_reach_point(script, after, reads[i].point, SCN_NONE);
    }
}

struct port_answer script_ask(void *ctx, const struct port_call *call, unsigned occurrence) {
    struct script *script = ctx;
    struct port_answer answer = {0};
    if (script->faults_over)
        return answer;
    if (script->called != NULL)
        *script->called |= UINT64_C(1) << call->site.op;
    point_of_read(script, call->site, false);
    if (script->stage.port.dead)
        return answer;
    if (script->has.reach_crash)
        script_remember_site_key(script, call->site);
    if (script->watch != NULL && is_crash_point(call->site)) {
        if (script->watch->called != NULL)
            script->watch->called(script->watch->ctx, call, occurrence, false);
        script_show_crash_point(script, call, occurrence, false);
    }
    if (script->plan != NULL)
        answer = planned(script, call, occurrence);
    if (script->has.crash_at && !script->stage.port.dead)
        scripted_crash_at(script, call);
    if (!script->stage.port.dead && is_crash_point(call->site))
        script_offer_crash(script, call->site, occurrence, false);
    if (script->has.fault && !script->stage.port.dead)
        answer = scripted(script, call, occurrence, answer);
    if (!script->stage.port.dead && answer.act == ACT_NONE)
        answer = broker_drops(script, call, occurrence);
    return answer;
}

struct port_answer script_rest(void *ctx, const struct port_call *call) {
    struct script *script = ctx;
    struct port_answer answer = {0};
    if (script->faults_over)
        return answer;
    if (script->called != NULL)
        *script->called |= UINT64_C(1) << call->site.op;
    if (script->plan != NULL)
        answer = planned(script, call, 1);
    return scripted(script, call, 1, answer);
}

void script_passed(void *ctx, const struct port_call *call, unsigned occurrence) {
    struct script *script = ctx;
    const struct plan_item *item = NULL;
    if (script->faults_over)
        return;
    if (script->plan != NULL) {
        item = plan_at_call(script->plan, script->stage.life, call->site, occurrence, true);
        if (item != NULL)
            script_die_by_plan(script, item);
    }
    if (script->watch != NULL && is_crash_point(call->site) && !script->stage.port.dead) {
        if (script->watch->called != NULL)
            script->watch->called(script->watch->ctx, call, occurrence, true);
        script_show_crash_point(script, call, occurrence, true);
    }
    if (is_crash_point(call->site))
        script_offer_crash(script, call->site, occurrence, true);
    point_of_read(script, call->site, true);
}
