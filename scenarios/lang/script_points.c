/* The points of the OMS's work, and the lines that wait for them or for what it tells. */
#include "scenarios/lang/script_parts.h"

#include <stdio.h>
#include <string.h>

#define WORKLOAD_PACE_NS INT64_C(1000000000)

char *script_point_text(const struct script *script, bool after, enum scn_point_kind kind,
                        int decision, char out[POINT_TEXT_SIZE]) {
    snprintf(out, POINT_TEXT_SIZE, "%s %s%s%s", after ? "after" : "before", scn_point_name(kind),
             decision >= 0 ? " " : "",
             decision >= 0 ? script->scenario->decisions[decision].name : "");
    return out;
}

static void name_point(struct script *script, bool after, enum scn_point_kind kind, int decision) {
    char text[POINT_TEXT_SIZE];
    script_add_name(script->named, sizeof script->named,
                    script_point_text(script, after, kind, decision, text));
}

static void remember_point(struct script *script, bool after, enum scn_point_kind kind,
                           int decision) {
    for (size_t i = 0; i < script->reached_count; i++) {
        const struct script_point *point = &script->reached[i];
        if (point->after == after && point->kind == kind && point->decision == decision)
            return;
    }
    if (script->reached_count < SCRIPT_REACHED_MAX)
        script->reached[script->reached_count++] = (struct script_point){after, kind, decision};
}

static void move_window(struct script *script, size_t index, bool after, enum scn_point_kind kind,
                        int decision) {
    const struct scn_crash *crash = &script->scenario->lines[index].args.crash;
    struct line_run *line = &script->lines[index];
    bool was_open = line->in_window;
    if (line->state != LINE_ARMED || line->over || line->strikes > 0)
        return;
    if (crash->where == SCN_CRASH_ANYWHERE_BEFORE && !after &&
        script_point_matches(&crash->point, kind, decision))
        line->over = true;
    if ((crash->where == SCN_CRASH_ANYWHERE_AFTER || crash->where == SCN_CRASH_ANYWHERE_BETWEEN) &&
        after && script_point_matches(&crash->point, kind, decision))
        line->in_window = true;
    if (crash->where == SCN_CRASH_ANYWHERE_BETWEEN && !after && line->in_window &&
        script_point_matches(&crash->to, kind, decision))
        line->over = true;
    line->in_window = line->in_window && !line->over;
    script->has_key = script->has_key && (was_open || !line->in_window);
}

void script_happen_at_point(struct script *script, size_t index);

/* `reach crash before record D1`: what a crash at this place, inside a window, would leave. */
static void remember_key(struct script *script, size_t index) {
    int window = script_open_window(script);
    unsigned which = window < 0 ? 0 : script->lines[window].strikes;
    if (window < 0)
        return;
    script->lines[index].has_key[which] = true;
    script->lines[index].key[which] = script_crash_key(script);
}

/* What has left arrives, whoever dies meanwhile: a crash between leaving and arriving leaves what
 * one right after the arrival leaves. */
static bool crash_is_like(const struct scn_crash *crash, bool after, enum scn_point_kind kind,
                          int decision) {
    bool on_its_way = (crash->where == SCN_CRASH_AFTER && crash->point.kind == SCN_POINT_SEND) ||
                      (crash->where == SCN_CRASH_BEFORE && crash->point.kind == SCN_POINT_DELIVER);
    if (on_its_way && after && kind == SCN_POINT_DELIVER)
        return crash->point.decision == SCN_NONE || crash->point.decision == decision;
    return crash->where == (after ? SCN_CRASH_AFTER : SCN_CRASH_BEFORE) &&
           script_point_matches(&crash->point, kind, decision);
}

static void remember_point_key(struct script *script, bool after, enum scn_point_kind kind,
                               int decision) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; script->has.reach_crash && i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_REACH_CRASH &&
            crash_is_like(&line->args.crash, after, kind, decision))
            remember_key(script, i);
    }
}

void script_remember_site_key(struct script *script, struct site site) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_REACH_CRASH && line->args.crash.where == SCN_CRASH_AT_SITE &&
            line->args.crash.site.op == site.op && line->args.crash.site.on == site.on)
            remember_key(script, i);
    }
}

void script_reach_point(struct script *script, bool after, enum scn_point_kind kind, int decision) {
    const struct scenario *scenario = script->scenario;
    remember_point(script, after, kind, decision);
    if (script->points != NULL)
        name_point(script, after, kind, decision);
    /* Before a window closes at this point, and (below) after one opens at it. */
    remember_point_key(script, after, kind, decision);
    for (size_t i = 0; i < script->own_lines && !script->stage.port.dead; i++) {
        const struct scn_line *line = &scenario->lines[i];
        enum scn_where where = after ? SCN_CRASH_AFTER : SCN_CRASH_BEFORE;
        enum scn_base base = after ? SCN_AFTER_POINT : SCN_BEFORE_POINT;
        if (line->statement == SCN_CRASH && script->lines[i].state == LINE_ARMED) {
            if (script->faults_over)
                continue;
            if (line->args.crash.where == where &&
                script_point_matches(&line->args.crash.point, kind, decision))
                script_die_at_line(script, i);
            else if (script_crash_is_quantified(&line->args.crash))
                move_window(script, i, after, kind, decision);
        } else if (line->when.base == base && script->lines[i].state == LINE_WAITING &&
                   !script->faults_over &&
                   script_point_matches(&line->when.point, kind, decision) &&
                   script_in_force(script, i)) {
            script_schedule(script, i, script->stage.world.now_ns + line->when.ns);
            if (line->when.ns == 0)
                script_happen_at_point(script, i);
        }
    }
    if (!script->stage.port.dead)
        remember_point_key(script, after, kind, decision);
}

/* ---- observed lines ---- */

static bool observed_by(const struct scn_line *line, enum scn_statement statement, int decision,
                        bool present) {
    return line->statement == statement &&
           (statement == SCN_OMS_RECONCILES || statement == SCN_OMS_HALTS ||
            line->args.decision == decision) &&
           (statement != SCN_OMS_CHECKS || line->args.present == present);
}

size_t script_next_observed(const struct script *script, size_t from) {
    while (from < script->scenario->line_count &&
           scn_statement_sort(script->scenario->lines[from].statement) != SCN_OBSERVED)
        from++;
    return from;
}

/* Something was seen: it counts when it is what the script expects next. */
static void saw(struct script *script, enum scn_statement statement, int decision, bool present) {
    const struct scenario *scenario = script->scenario;
    size_t at = script->observed;
    if (at < scenario->line_count &&
        observed_by(&scenario->lines[at], statement, decision, present)) {
        script->lines[at].seen = true;
        script->observed = script_next_observed(script, at + 1);
    }
}

/* ---- what the stage tells ---- */

static int decision_by_id(const struct script *script, const char *id) {
    for (size_t i = 0; i < script->scenario->decision_count; i++) {
        if (strcmp(script->scenario->decisions[i].payload.id, id) == 0)
            return (int)i;
    }
    return SCN_NONE;
}

void script_told(void *ctx, const struct oms_event *event) {
    struct script *script = ctx;
    int decision = decision_by_id(script, event->decision_id);
    bool after = event->phase == OMS_AFTER;
    switch (event->kind) {
    case OMS_EVENT_BOOT:
        script_reach_point(script, after, SCN_POINT_BOOT, SCN_NONE);
        return;
    case OMS_EVENT_CHECK:
        saw(script, SCN_OMS_CHECKS, decision, event->known);
        return;
    case OMS_EVENT_DECIDE:
        script_reach_point(script, after, SCN_POINT_DECIDE, decision);
        return;
    case OMS_EVENT_SKIP:
        saw(script, SCN_OMS_SKIPS, decision, false);
        return;
    case OMS_EVENT_REFUSE:
        saw(script, SCN_OMS_REFUSES, decision, false);
        return;
    case OMS_EVENT_SEND:
        if (!after)
            script_reach_point(script, false, SCN_POINT_SEND, decision);
        return;
    case OMS_EVENT_RECORD:
        if (after)
            saw(script, SCN_OMS_RECORDS, decision, false);
        script_reach_point(script, after, SCN_POINT_RECORD, decision);
        return;
    case OMS_EVENT_FILL:
        script_reach_point(script, after, SCN_POINT_FILL, decision);
        return;
    case OMS_EVENT_REJECT:
        script_reach_point(script, after, SCN_POINT_REJECT, decision);
        return;
    case OMS_EVENT_CANCEL:
        script_reach_point(script, after, SCN_POINT_CANCEL, decision);
        return;
    case OMS_EVENT_RECONCILE:
        if (after)
            saw(script, SCN_OMS_RECONCILES, SCN_NONE, false);
        script_reach_point(script, after, SCN_POINT_RECONCILE, SCN_NONE);
        return;
    case OMS_EVENT_ARCHIVE:
        script_reach_point(script, after, SCN_POINT_ARCHIVE, SCN_NONE);
        return;
    case OMS_EVENT_HALT:
        saw(script, SCN_OMS_HALTS, SCN_NONE, false);
        return;
    case OMS_EVENT_RESOLVE:
    case OMS_EVENT_INCONCLUSIVE:
    case OMS_EVENT_DISCREPANCY:
    case OMS_EVENT_KILL_SWITCH:
    case OMS_EVENT_HOLD:
    case OMS_EVENT_ALARM:
        return;
    }
}

void script_left(void *ctx, int decision) {
    struct script *script = ctx;
    saw(script, SCN_OMS_SENDS, decision, false);
    script_reach_point(script, true, SCN_POINT_SEND, decision);
    if (!script->stage.port.dead)
        script_reach_point(script, false, SCN_POINT_DELIVER, decision);
}

void script_delivered(void *ctx, int decision) {
    struct script *script = ctx;
    struct world *world = &script->stage.world;
    int order = decision < 0 ? -1 : market_order_of(script->scenario, &world->exchange, decision);
    if (order >= 0) {
        market_expect_fill(&script->fills, script->scenario, (size_t)order, world->now_ns);
        int64_t drawn_ns = script->stage.world.now_ns;
        for (size_t i = 0; i < script->scenario->line_count; i++) {
            if (script->lines[i].state != LINE_FOR_ORDER ||
                script->scenario->lines[i].args.decision != decision)
                continue;
            /* Executions of a market happen one after the other: nobody could say in which order two
             * of one moment did. */
            if (i >= script->own_lines)
                drawn_ns += WORKLOAD_PACE_NS;
            script_schedule(script, i,
                            i < script->own_lines ? script->stage.world.now_ns : drawn_ns);
        }
    }
    if (!script->stage.port.dead)
        script_reach_point(script, true, SCN_POINT_DELIVER, decision);
}
