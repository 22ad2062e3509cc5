/* One run of one scenario: the schedule of its lines, its faults and deaths, and its checks. */
#include "scenarios/lang/script.h"

#include "scenarios/lang/codes.h"
#include "scenarios/lang/workload.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POINT_TEXT_SIZE = 64,
    STRIKES_MARGIN = 16 /* one in so many moments, the last ones, sees no death begin */
};

/* ---- failing ---- */

#define WORKLOAD_PACE_NS INT64_C(1000000000)

static void mark_place(struct script *script) {
    if (script->marked_set || script->stage.trace == NULL)
        return;
    script->marked_set = true;
    script->marked = script->stage.trace->n > 0 ? script->stage.trace->n - 1 : 0;
}

__attribute__((format(printf, 4, 5))) static void fail(struct script *script, enum run_code code,
                                                       int line, const char *format, ...) {
    va_list args;
    if (script->failure.code[0] != '\0')
        return;
    snprintf(script->failure.code, sizeof script->failure.code, "%s", run_code_text(code));
    script->failure.line = line;
    script->failure.at_ns = script->stage.world.now_ns;
    va_start(args, format);
    vsnprintf(script->failure.text, sizeof script->failure.text, format, args);
    va_end(args);
    mark_place(script);
}

/* The line as written in canonical form, for messages. */
static char *line_text(const struct script *script, size_t index, char *out, size_t size) {
    FILE *stream = fmemopen(out, size, "w");
    CHECK(stream != NULL);
    scenario_print_line(script->scenario, &script->scenario->lines[index], stream);
    fclose(stream);
    out[size - 1] = '\0';
    return out;
}

static int line_number(const struct script *script, size_t index) {
    return script->scenario->lines[index].place.line;
}

static bool quantified_crash(const struct scn_crash *crash) {
    return crash->where == SCN_CRASH_ANYWHERE || crash->where == SCN_CRASH_ANYWHERE_BEFORE ||
           crash->where == SCN_CRASH_ANYWHERE_AFTER || crash->where == SCN_CRASH_ANYWHERE_BETWEEN;
}

static enum stage_death death_of(const struct script *script, const struct scn_crash *crash) {
    int kind = crash->kind == SCN_NONE ? script->config->crash_kind : crash->kind;
    CHECK(kind != SCN_NONE);
    return kind == SCN_KILL ? STAGE_KILL : STAGE_POWER;
}

/* ---- when lines happen ---- */

static void schedule(struct script *script, size_t index, int64_t at_ns) {
    script->lines[index].state = LINE_SCHEDULED;
    script->lines[index].at_ns = at_ns;
}

/* A crash or restart on line `cause` has happened: lines below that count from it know their time.
 * What stands below the restart after the first of two crashes counts from the second. */
static void resolve_relative(struct script *script, size_t cause, enum scn_base base) {
    const struct scenario *scenario = script->scenario;
    enum scn_statement again = base == SCN_AFTER_CRASH ? SCN_CRASH : SCN_RESTART;
    bool first_of_two = base == SCN_AFTER_CRASH &&
                        scenario->lines[cause].args.crash.depth == SCN_TWICE &&
                        script->lines[cause].strikes == 1;
    for (size_t i = cause + 1; i < scenario->line_count; i++) {
        if (scenario->lines[i].statement == again)
            return;
        if (scenario->lines[i].when.base == base && script->lines[i].state == LINE_WAITING)
            schedule(script, i, script->stage.world.now_ns + scenario->lines[i].when.ns);
        if (first_of_two && scenario->lines[i].statement == SCN_RESTART)
            return;
    }
}

static bool point_matches(const struct scn_point *point, enum scn_point_kind kind, int decision) {
    return point->kind == kind && (point->decision == SCN_NONE || point->decision == decision);
}

/* Whether the lines above have had their turn, so that a line that waits for a point is in force.
 */
static bool in_force(const struct script *script, size_t index) {
    while (index > 0) {
        enum line_state state = script->lines[--index].state;
        if (script->scenario->lines[index].when.base == SCN_AT)
            return state != LINE_SCHEDULED && state != LINE_WAITING;
    }
    return true;
}

/* ---- deaths ---- */

static void note_death(struct script *script, const struct plan_item *item, bool always_written) {
    script->death = *item;
    script->death_index = -1;
    if (!always_written)
        return;
    CHECK(plan_add(&script->taken, item));
    script->death_index = (int)script->taken.count - 1;
}

/* Line `index` has its crash. `crash twice` waits for its second window, which the next start of
 * the OMS opens. */
static void crash_strikes(struct script *script, size_t index) {
    struct line_run *line = &script->lines[index];
    bool more = script->scenario->lines[index].args.crash.depth == SCN_TWICE && line->strikes == 0;
    line->strikes++;
    line->fired = true;
    line->in_window = false;
    line->over = !more;
    line->state = more ? LINE_ARMED : LINE_DONE;
}

static void die(struct script *script, size_t index, enum stage_death death,
                const struct plan_item *item, bool always_written) {
    int line = script->stage.line;
    crash_strikes(script, index);
    note_death(script, item, always_written);
    script->stage.line = line_number(script, index);
    stage_die(&script->stage, death);
    script->stage.line = line;
    resolve_relative(script, index, SCN_AFTER_CRASH);
}

/* A death that the script itself orders: only the choice of what survives belongs in a plan. */
static void die_at_line(struct script *script, size_t index) {
    const struct scn_crash *crash = &script->scenario->lines[index].args.crash;
    struct plan_item item = {.life = script->stage.life > 0 ? script->stage.life : 1,
                             .place = PLAN_AT_LINE,
                             .occurrence = (unsigned)line_number(script, index),
                             .what = PLAN_POWER};
    die(script, index, death_of(script, crash), &item, false);
}

/* Whether some line counts from a crash that has not struck yet. */
static bool crash_is_awaited(const struct script *script, size_t from) {
    for (size_t i = from; i < script->scenario->line_count; i++) {
        if (script->lines[i].state == LINE_WAITING &&
            script->scenario->lines[i].when.base == SCN_AFTER_CRASH)
            return true;
    }
    return false;
}

/* How much of its counted calls a fault has used up. */
static int64_t calls_spent(const struct scn_strike *strike, const struct line_run *line) {
    int64_t last = 0;
    if (strike->times == SCN_NEXT_CALL)
        last = 1;
    if (strike->times == SCN_ON_CALLS)
        last = strike->last;
    return line->calls < last ? line->calls : last;
}

/* Whether the script still starts the OMS. If not, it is started when nothing else is left to
 * happen, which is as long after a crash as that was late. */
static bool restart_is_ahead(const struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->scenario->lines[i].statement == SCN_RESTART &&
            (script->lines[i].state == LINE_WAITING || script->lines[i].state == LINE_SCHEDULED))
            return true;
    }
    return false;
}

/* What a crash now would leave: the world, the judge's memory, what the script has spent, and, when
 * the script or the next start goes on from the crash, its moment. Equal keys are equal crash
 * points. */
static uint64_t crash_key(const struct script *script) {
    uint64_t key = stage_crash_key(&script->stage);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *scn = &script->scenario->lines[i];
        const struct line_run *line = &script->lines[i];
        if (scn->statement == SCN_FAULT && line->state == LINE_ARMED)
            key = hash_u64(hash_u64(key, i * 2 + line->fired),
                           (uint64_t)calls_spent(&scn->args.strike, line));
        else if (scn->when.base == SCN_BEFORE_POINT || scn->when.base == SCN_AFTER_POINT)
            key = hash_u64(hash_u64(key, i), line->state);
    }
    if (crash_is_awaited(script, 0) || !restart_is_ahead(script))
        key = hash_u64(key, (uint64_t)script->stage.world.now_ns);
    return key;
}

/* A death that the quantifier on line `index` chose. */
static void die_in_window(struct script *script, size_t index, enum stage_death death,
                          const struct plan_item *item) {
    CHECK(script->crash_count < SCRIPT_WINDOWS);
    script->crash_keys[script->crash_count++] = crash_key(script);
    script->crash_points = 1;
    die(script, index, death, item, true);
}

/* The same at a call. */
static void die_at_call(struct script *script, size_t index, struct site site, unsigned occurrence,
                        bool after) {
    enum stage_death death = death_of(script, &script->scenario->lines[index].args.crash);
    struct plan_item item = {
        .life = script->stage.life, .place = PLAN_AT_CALL, .site = site, .occurrence = occurrence};
    if (death == STAGE_KILL)
        item.what = after ? PLAN_KILL_AFTER : PLAN_KILL;
    else
        item.what = after ? PLAN_POWER_AFTER : PLAN_POWER;
    die_in_window(script, index, death, &item);
}

/* Every window whose line is reached and whose end is not: the first one, or -1. */
static int open_window(const struct script *script) {
    if (!script->has.window)
        return -1;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->lines[i].in_window)
            return (int)i;
    }
    return -1;
}

/* Asks the chooser, unless a crash now leaves the same as the one offered before. */
static bool chooses_crash(struct script *script) {
    uint64_t key = crash_key(script);
    if (script->has_key && key == script->key)
        return false;
    script->has_key = true;
    script->key = key;
    return choose(&script->chooser, CHOICE_CRASH, 2) != 0;
}

/* ---- the list of crash points, for people ---- */

enum { POINTS_MAX = 100000 };

static void add_name(char *names, size_t size, const char *name) {
    size_t used = strlen(names);
    snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

/* A crash point is told. One that leaves the same as the one before has only its names to add. */
static void list_point(struct script *script, struct site site, unsigned occurrence, bool after) {
    struct run_points *points = script->points;
    struct disk *disk = script->stage.world.disk;
    uint64_t key = crash_key(script);
    if (!script->has_key || key != script->key) {
        CHECK_ROOM(points->v, points->n, points->cap, POINTS_MAX);
        struct run_point *point = &points->v[points->n++];
        *point = (struct run_point){.life = script->stage.life,
                                    .site = site,
                                    .occurrence = occurrence,
                                    .after = after,
                                    .at_ns = script->stage.world.now_ns,
                                    .line = script->stage.line,
                                    .unsynced = disk_pending(disk)};
        point->outcomes = disk_power_outcomes(disk, &point->reduced);
    }
    script->has_key = true;
    script->key = key;
    if (script->named[0] != '\0')
        add_name(points->v[points->n - 1].names, sizeof points->v[0].names, script->named);
    script->named[0] = '\0';
}

/* Shows a place to who watches, unless a crash there leaves what one at the place before leaves.
 * Where an order is about to leave, its request may be on its way when the sender dies. */
static void show_crash_point(struct script *script, const struct port_call *call,
                             unsigned occurrence, bool after) {
    uint64_t key = hash_u64(stage_crash_key(&script->stage), script_memory(script, false, NULL));
    bool leaves = !after && call != NULL && call->site.op == SITE_BROKER_SUBMIT;
    if (script->watch->crash_point == NULL || open_window(script) < 0 ||
        (script->has_key && key == script->key && !leaves))
        return;
    script->has_key = true;
    script->key = key;
    script->watch->crash_point(script->watch->ctx, call, occurrence, after);
}

/* `crash at random`: the process dies here, and the next life starts by itself. */
static void die_at_random(struct script *script, struct site site, unsigned occurrence,
                          bool after) {
    size_t index = (size_t)script->strikes_line;
    bool kill = death_of(script, &script->scenario->lines[index].args.crash) == STAGE_KILL;
    struct plan_item item = {
        .life = script->stage.life, .place = PLAN_AT_CALL, .site = site, .occurrence = occurrence};
    struct plan_item start = {.life = script->stage.life + 1,
                              .place = PLAN_AT_START,
                              .occurrence = 1,
                              .what = PLAN_START,
                              .after_ns = strikes_start_after_ns(&script->strikes)};
    int line = script->stage.line;
    item.what =
        kill ? (after ? PLAN_KILL_AFTER : PLAN_KILL) : (after ? PLAN_POWER_AFTER : PLAN_POWER);
    script->crash_points++;
    script->lines[index].fired = true;
    note_death(script, &item, true);
    CHECK(plan_add(&script->taken, &start));
    script->stage.line = line_number(script, index);
    stage_die(&script->stage, kill ? STAGE_KILL : STAGE_POWER);
    script->stage.line = line;
    script->boot_ns = script->stage.world.now_ns + start.after_ns;
}

static void offer_crash(struct script *script, struct site site, unsigned occurrence, bool after) {
    int window = open_window(script);
    if (script->strikes_line >= 0 && !script->stage.port.dead &&
        strikes_here(&script->strikes, script->stage.world.now_ns)) {
        die_at_random(script, site, occurrence, after);
        return;
    }
    if (script->points != NULL && !script->stage.port.dead && (window >= 0 || !script->has.window))
        list_point(script, site, occurrence, after);
    if (window < 0 || script->plan != NULL || script->stage.port.dead || !chooses_crash(script))
        return;
    die_at_call(script, (size_t)window, site, occurrence, after);
}

/* The OMS runs, and comes to a restart in the script or to its end. Which such moment of its life it is:
 * a restart that finds it running leaves it alone, and it comes to the next. */
static unsigned idle_again(struct script *script) {
    if (script->idle_life != script->stage.life)
        script->idle = 0;
    script->idle_life = script->stage.life;
    return ++script->idle;
}

/* The last crash point of a window: right before the restart below it, or when all is quiet. */
static void die_idle(struct script *script, size_t window, unsigned occurrence) {
    enum stage_death death = death_of(script, &script->scenario->lines[window].args.crash);
    struct plan_item item = {.life = script->stage.life,
                             .place = PLAN_AT_IDLE,
                             .occurrence = occurrence,
                             .what = death == STAGE_KILL ? PLAN_KILL : PLAN_POWER};
    die_in_window(script, window, death, &item);
}

/* The plan may say when the next life starts. */
static void plan_next_start(struct script *script) {
    const struct plan_item *start = plan_at(script->plan, script->stage.life + 1, PLAN_AT_START, 1);
    if (start == NULL)
        return;
    CHECK(plan_add(&script->taken, start));
    script->boot_ns = script->stage.world.now_ns + start->after_ns;
}

static void die_by_plan(struct script *script, const struct plan_item *item) {
    int line = script->stage.line;
    bool kill = item->what == PLAN_KILL || item->what == PLAN_KILL_AFTER;
    int window = open_window(script);
    note_death(script, item, true);
    if (window >= 0) {
        crash_strikes(script, (size_t)window);
        script->stage.line = line_number(script, (size_t)window);
    }
    stage_die(&script->stage, kill ? STAGE_KILL : STAGE_POWER);
    script->stage.line = line;
    if (window >= 0)
        resolve_relative(script, (size_t)window, SCN_AFTER_CRASH);
    plan_next_start(script);
}

/* Which of the unsynced writes survive. */
static unsigned choose_power(void *ctx, unsigned outcomes, bool reduced) {
    struct script *script = ctx;
    struct disk *disk = script->stage.world.disk;
    struct plan_item *item =
        script->death_index >= 0 ? &script->taken.items[script->death_index] : &script->death;
    unsigned which = 0;
    bool named = false; /* the plan says what survives here */
    (void)reduced;
    if (script->outcome != NULL)
        return *script->outcome;
    if (script->plan != NULL) {
        const struct plan_item *said = item;
        if (item->place == PLAN_AT_LINE)
            said = plan_at(script->plan, item->life, PLAN_AT_LINE, item->occurrence);
        named = said != NULL;
        if (said != NULL && !disk_outcome_parse(disk, said->keep, &which))
            fail(script, RUN_CODE_PLAN, script->stage.line,
                 "the plan keeps %s, which is no outcome of this power loss: %u writes are at "
                 "stake",
                 said->keep, disk_pending(disk));
    } else if (script->strikes_line >= 0) {
        which = strikes_outcome(&script->strikes, outcomes);
    } else {
        which = choose(&script->chooser, CHOICE_POWER, outcomes);
        /* Another outcome of the same crash is not another crash point. */
        if (which > 0 && item->place != PLAN_AT_LINE)
            script->crash_points = 0;
    }
    disk_outcome_name(disk, which, item->keep, sizeof item->keep);
    if (script->death_index < 0 && (which != 0 || named))
        CHECK(plan_add(&script->taken, item));
    return which;
}

/* ---- points ---- */

static char *point_text(const struct script *script, bool after, enum scn_point_kind kind,
                        int decision, char out[POINT_TEXT_SIZE]) {
    snprintf(out, POINT_TEXT_SIZE, "%s %s%s%s", after ? "after" : "before", scn_point_name(kind),
             decision >= 0 ? " " : "",
             decision >= 0 ? script->scenario->decisions[decision].name : "");
    return out;
}

static void name_point(struct script *script, bool after, enum scn_point_kind kind, int decision) {
    char text[POINT_TEXT_SIZE];
    add_name(script->named, sizeof script->named, point_text(script, after, kind, decision, text));
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
        point_matches(&crash->point, kind, decision))
        line->over = true;
    if ((crash->where == SCN_CRASH_ANYWHERE_AFTER || crash->where == SCN_CRASH_ANYWHERE_BETWEEN) &&
        after && point_matches(&crash->point, kind, decision))
        line->in_window = true;
    if (crash->where == SCN_CRASH_ANYWHERE_BETWEEN && !after && line->in_window &&
        point_matches(&crash->to, kind, decision))
        line->over = true;
    line->in_window = line->in_window && !line->over;
    script->has_key = script->has_key && (was_open || !line->in_window);
}

static void happen_at_point(struct script *script, size_t index);

/* `reach crash before record D1`: what a crash at this place, inside a window, would leave. */
static void remember_key(struct script *script, size_t index) {
    int window = open_window(script);
    unsigned which = window < 0 ? 0 : script->lines[window].strikes;
    if (window < 0)
        return;
    script->lines[index].has_key[which] = true;
    script->lines[index].key[which] = crash_key(script);
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
           point_matches(&crash->point, kind, decision);
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

static void remember_site_key(struct script *script, struct site site) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_REACH_CRASH && line->args.crash.where == SCN_CRASH_AT_SITE &&
            line->args.crash.site.op == site.op && line->args.crash.site.on == site.on)
            remember_key(script, i);
    }
}

/* A point is about to be reached, or has been. */
static void point(struct script *script, bool after, enum scn_point_kind kind, int decision) {
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
                point_matches(&line->args.crash.point, kind, decision))
                die_at_line(script, i);
            else if (quantified_crash(&line->args.crash))
                move_window(script, i, after, kind, decision);
        } else if (line->when.base == base && script->lines[i].state == LINE_WAITING &&
                   !script->faults_over && point_matches(&line->when.point, kind, decision) &&
                   in_force(script, i)) {
            schedule(script, i, script->stage.world.now_ns + line->when.ns);
            if (line->when.ns == 0)
                happen_at_point(script, i);
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

static size_t next_observed(const struct script *script, size_t from) {
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
        script->observed = next_observed(script, at + 1);
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

static void told(void *ctx, const struct oms_event *event) {
    struct script *script = ctx;
    int decision = decision_by_id(script, event->decision_id);
    bool after = event->phase == OMS_AFTER;
    switch (event->kind) {
    case OMS_EVENT_BOOT:
        point(script, after, SCN_POINT_BOOT, SCN_NONE);
        return;
    case OMS_EVENT_CHECK:
        saw(script, SCN_OMS_CHECKS, decision, event->known);
        return;
    case OMS_EVENT_DECIDE:
        point(script, after, SCN_POINT_DECIDE, decision);
        return;
    case OMS_EVENT_SKIP:
        saw(script, SCN_OMS_SKIPS, decision, false);
        return;
    case OMS_EVENT_REFUSE:
        saw(script, SCN_OMS_REFUSES, decision, false);
        return;
    case OMS_EVENT_SEND:
        if (!after)
            point(script, false, SCN_POINT_SEND, decision);
        return;
    case OMS_EVENT_RECORD:
        if (after)
            saw(script, SCN_OMS_RECORDS, decision, false);
        point(script, after, SCN_POINT_RECORD, decision);
        return;
    case OMS_EVENT_FILL:
        point(script, after, SCN_POINT_FILL, decision);
        return;
    case OMS_EVENT_REJECT:
        point(script, after, SCN_POINT_REJECT, decision);
        return;
    case OMS_EVENT_CANCEL:
        point(script, after, SCN_POINT_CANCEL, decision);
        return;
    case OMS_EVENT_RECONCILE:
        if (after)
            saw(script, SCN_OMS_RECONCILES, SCN_NONE, false);
        point(script, after, SCN_POINT_RECONCILE, SCN_NONE);
        return;
    case OMS_EVENT_ARCHIVE:
        point(script, after, SCN_POINT_ARCHIVE, SCN_NONE);
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

static void left(void *ctx, int decision) {
    struct script *script = ctx;
    saw(script, SCN_OMS_SENDS, decision, false);
    point(script, true, SCN_POINT_SEND, decision);
    if (!script->stage.port.dead)
        point(script, false, SCN_POINT_DELIVER, decision);
}

static void delivered(void *ctx, int decision) {
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
            schedule(script, i, i < script->own_lines ? script->stage.world.now_ns : drawn_ns);
        }
    }
    if (!script->stage.port.dead)
        point(script, true, SCN_POINT_DELIVER, decision);
}

/* ---- faults ---- */

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
        fail(script, RUN_CODE_NEVER_HAPPENED, script->stage.line,
             "at=%lld: the file has %lld bytes", (long long)fault->arg[0], (long long)call->length);
        return false;
    }
    if (act == ACT_RESTORED &&
        (fault->arg[0] > STAGE_BACKUPS_MAX || script->stage.backups[fault->arg[0] - 1] == NULL)) {
        fail(script, RUN_CODE_NEVER_HAPPENED, script->stage.line,
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
        die_by_plan(script, item);
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
            die_at_line(script, i);
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
            script->stage.line = line_number(script, i);
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

static bool is_read(enum scn_point_kind kind) {
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
            point(script, after, reads[i].point, SCN_NONE);
    }
}

static struct port_answer ask(void *ctx, const struct port_call *call, unsigned occurrence) {
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
        remember_site_key(script, call->site);
    if (script->watch != NULL && is_crash_point(call->site)) {
        if (script->watch->called != NULL)
            script->watch->called(script->watch->ctx, call, occurrence, false);
        show_crash_point(script, call, occurrence, false);
    }
    if (script->plan != NULL)
        answer = planned(script, call, occurrence);
    if (script->has.crash_at && !script->stage.port.dead)
        scripted_crash_at(script, call);
    if (!script->stage.port.dead && is_crash_point(call->site))
        offer_crash(script, call->site, occurrence, false);
    if (script->has.fault && !script->stage.port.dead)
        answer = scripted(script, call, occurrence, answer);
    if (!script->stage.port.dead && answer.act == ACT_NONE)
        answer = broker_drops(script, call, occurrence);
    return answer;
}

static struct port_answer rest(void *ctx, const struct port_call *call) {
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

static void passed(void *ctx, const struct port_call *call, unsigned occurrence) {
    struct script *script = ctx;
    const struct plan_item *item = NULL;
    if (script->faults_over)
        return;
    if (script->plan != NULL) {
        item = plan_at_call(script->plan, script->stage.life, call->site, occurrence, true);
        if (item != NULL)
            die_by_plan(script, item);
    }
    if (script->watch != NULL && is_crash_point(call->site) && !script->stage.port.dead) {
        if (script->watch->called != NULL)
            script->watch->called(script->watch->ctx, call, occurrence, true);
        show_crash_point(script, call, occurrence, true);
    }
    if (is_crash_point(call->site))
        offer_crash(script, call->site, occurrence, true);
    point_of_read(script, call->site, true);
}

/* ---- stimuli ---- */

/* A line about the broker: now; one about an order that does not exist yet, once it does. In a
 * quantified run what cannot happen is dropped. */
static void act_on_broker(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    struct stage *stage = &script->stage;
    char told[MARKET_TEXT_SIZE];
    enum market_end end = market_act(&stage->world, script->scenario, line, told);
    bool symbol_only = line->statement == SCN_BROKER_FILLS_SYMBOL;
    if (end == MARKET_NO_ORDER && !symbol_only) {
        script->lines[index].state = LINE_FOR_ORDER;
        return;
    }
    if (end != MARKET_DONE) {
        if (!script->scenario->quantified)
            fail(script, end == MARKET_FINAL ? RUN_CODE_ALREADY_FINAL : RUN_CODE_FILL_IMPOSSIBLE,
                 line->place.line, "%s", told);
        return;
    }
    if (line->statement == SCN_BROKER_LOSES)
        judge_broker_loses(&stage->judge, &stage->world, STAGE_STORE, (size_t)line->args.decision);
    if (told[0] != '\0')
        stage_note(stage, "broker", false, "%s", told);
}

/* Opens the second window of a `crash twice` that has struck once. True: it is open. */
static bool open_second(struct script *script, size_t index) {
    struct line_run *line = &script->lines[index];
    if (line->over || line->strikes != 1 || line->second)
        return false;
    line->second = line->in_window = true;
    script->has_key = false;
    return true;
}

/* The OMS is about to be started: windows end here, and those of the next life begin. */
static void turn_windows(struct script *script, size_t before) {
    for (size_t i = 0; i < before; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        if (line->statement != SCN_CRASH || !quantified_crash(&line->args.crash) ||
            open_second(script, i))
            continue;
        script->lines[i].over = script->lines[i].over || script->lines[i].state == LINE_ARMED;
        script->lines[i].in_window = false;
    }
}

/* Of a running OMS, right before a restart. */
static void crash_before_restart(struct script *script) {
    const int window = open_window(script);
    const unsigned occurrence = idle_again(script);
    const struct plan_item *item = NULL;
    if (script->points != NULL && window >= 0)
        list_point(script, (struct site){0}, 0, false);
    if (script->plan != NULL)
        item = plan_at(script->plan, script->stage.life, PLAN_AT_IDLE, occurrence);
    if (item != NULL)
        die_by_plan(script, item);
    else if (script->plan == NULL && window >= 0)
        die_idle(script, (size_t)window, occurrence);
}

static void restart(struct script *script, size_t index) {
    struct stage *stage = &script->stage;
    script->boot_ns = INT64_MAX;
    if (script->watch != NULL) {
        resolve_relative(script, index, SCN_AFTER_RESTART);
        stage_boot_soon(stage);
        return;
    }
    if (stage_is_up(stage))
        crash_before_restart(script);
    turn_windows(script, index);
    resolve_relative(script, index, SCN_AFTER_RESTART);
    stage_boot_soon(stage);
}

static int by_time(const void *a, const void *b) {
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* Deaths come where something happens, and not so late that nothing is left to die of. */
static void begin_strikes(struct script *script, size_t index) {
    const struct scn_crash *crash = &script->scenario->lines[index].args.crash;
    int64_t *moments = NULL;
    size_t count = 0;
    if (script->plan != NULL || script->strikes_line >= 0)
        return;
    moments = check_alloc((script->scenario->line_count + 1) * sizeof *moments);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->lines[i].state == LINE_SCHEDULED)
            moments[count++] = script->lines[i].at_ns;
    }
    qsort(moments, count, sizeof *moments, by_time);
    strikes_draw(&script->strikes, script->stage.config.seed, (unsigned)crash->occurrence, moments,
                 count - count / STRIKES_MARGIN);
    script->strikes_line = (int)index;
    free(moments);
}

static void arm(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    script->lines[index].state = LINE_ARMED;
    script->has_key = false;
    if (line->statement == SCN_CRASH && line->args.crash.where == SCN_CRASH_AT_RANDOM)
        begin_strikes(script, index);
    if (line->statement == SCN_CRASH)
        script->lines[index].in_window = line->args.crash.where == SCN_CRASH_ANYWHERE ||
                                         line->args.crash.where == SCN_CRASH_ANYWHERE_BEFORE;
}

static void tell(struct script *script, enum inbox_kind kind, const struct scn_line *line,
                 bool on) {
    size_t decision = line->args.decision < 0 ? 0 : (size_t)line->args.decision;
    if (!stage_tell(&script->stage, kind, decision, on))
        stage_note(&script->stage, "harness", false, "nobody is up to hear this");
}

static void clock_jumps(struct stage *stage, int64_t by_ns) {
    stage->world.ahead_ns += by_ns;
    judge_clock_jumps(&stage->judge, &stage->world, by_ns, stage_is_up(stage));
}

static void stimulate(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    struct stage *stage = &script->stage;
    switch ((int)line->statement) {
    case SCN_SIGNAL:
        tell(script, INBOX_SIGNAL, line, false);
        return;
    case SCN_CANCEL:
        tell(script, INBOX_CANCEL, line, false);
        return;
    case SCN_RECONCILE:
        tell(script, INBOX_RECONCILE, line, scn_has(&line->args, SCN_SLOT_DAILY));
        return;
    case SCN_KILL_SWITCH_TRIPS:
    case SCN_KILL_SWITCH_RELEASES:
        stage_operate(stage, line->statement == SCN_KILL_SWITCH_TRIPS);
        return;
    case SCN_HALT_FILE_SETS:
    case SCN_HALT_FILE_CLEARS:
        stage->world.halt_file =
            line->statement == SCN_HALT_FILE_SETS ? OMS_HALT_PRESENT : OMS_HALT_ABSENT;
        return;
    case SCN_CLOCK_FORWARD:
    case SCN_CLOCK_BACK:
        clock_jumps(stage, line->statement == SCN_CLOCK_FORWARD ? line->args.duration_ns
                                                                : -line->args.duration_ns);
        return;
    case SCN_BROKER_DOWN:
    case SCN_BROKER_BACK:
    case SCN_BROKER_FOREIGN:
    case SCN_BROKER_FILLS_SYMBOL:
    case SCN_BROKER_FILLS:
    case SCN_BROKER_CANCELS:
    case SCN_BROKER_EXPIRES:
    case SCN_BROKER_LOSES:
    case SCN_BROKER_REJECTS:
    case SCN_BROKER_ACCEPTS:
    case SCN_BROKER_BUSTS:
    case SCN_BROKER_CORRECTS:
    case SCN_BROKER_BURNS_IDS:
    case SCN_BROKER_KEEPS_IDS:
    case SCN_BROKER_SAYS:
    case SCN_BROKER_CHAINS:
        act_on_broker(script, index);
        return;
    case SCN_BROKER_FILLS_ALL:
        return;
    case SCN_RESOLVES:
        stage_resolve(stage, (size_t)line->args.decision, line->args.state == OMS_STATE_WORKING);
        return;
    case SCN_CRASH:
        if (line->args.crash.where == SCN_CRASH_NOW)
            die_at_line(script, index);
        else
            arm(script, index);
        return;
    case SCN_FAULT:
        arm(script, index);
        return;
    case SCN_RESTART:
        restart(script, index);
        return;
    case SCN_START_SECOND:
        stage_start_second(stage);
        return;
    default:
        CHECK(false);
    }
}

/* ---- checks ---- */

static void expectation_failed(struct script *script, size_t index, enum run_code code) {
    const struct scn_line *line = &script->scenario->lines[index];
    char is[300], text[160];
    cond_describe(script, &line->terms[0], is, sizeof is);
    fail(script, code, line->place.line, "'%s' does not hold: %s",
         line_text(script, index, text, sizeof text), is);
}

static void check_line(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    char text[160];
    switch ((int)line->statement) {
    case SCN_EXPECT:
        if (!cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, index, RUN_CODE_EXPECT);
        return;
    case SCN_WITHIN: /* its deadline */
        if (!script->lines[index].seen && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, index, RUN_CODE_WITHIN);
        return;
    default:
        break;
    }
    if (scn_statement_sort(line->statement) == SCN_OBSERVED && !script->lines[index].seen)
        fail(script, RUN_CODE_OBSERVED, line->place.line,
             "'%s' was not seen, in this order, by its time",
             line_text(script, index, text, sizeof text));
}

static bool is_check(const struct scn_line *line) {
    return scn_statement_sort(line->statement) != SCN_STIMULUS;
}

/* `always`, `within` and `reach` are looked at after every event. */
static void changed(void *ctx) {
    struct script *script = ctx;
    if (script->stage.judge.first.invariant != 0)
        mark_place(script);
    if (script->watch != NULL && script->watch->changed != NULL)
        script->watch->changed(script->watch->ctx);
    for (size_t i = 0; script->has.condition && i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        struct line_run *state = &script->lines[i];
        if (line->statement == SCN_ALWAYS && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, i, RUN_CODE_ALWAYS);
        if ((line->statement == SCN_REACH ||
             (line->statement == SCN_WITHIN && state->state == LINE_ARMED)) &&
            !state->seen)
            state->seen = cond_holds(script, line->terms, line->term_count);
    }
}

/* ---- the schedule ---- */

/* The scheduled line that is next: earliest, stimuli before checks, then file order; or -1. */
static int next_line(const struct script *script) {
    int best = -1;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct line_run *line = &script->lines[i];
        const struct scn_line *scn = &script->scenario->lines[i];
        int64_t at_ns = line->at_ns;
        int64_t best_ns = best < 0 ? 0 : script->lines[best].at_ns;
        if (line->state != LINE_SCHEDULED)
            continue;
        if (best < 0 || at_ns < best_ns ||
            (at_ns == best_ns && !is_check(scn) && is_check(&script->scenario->lines[best])))
            best = (int)i;
    }
    return best;
}

static int64_t next(void *ctx, bool *after_oms) {
    struct script *script = ctx;
    int line = next_line(script), fill = market_next_fill(&script->fills);
    int64_t line_ns = line < 0 ? INT64_MAX : script->lines[line].at_ns;
    int64_t fill_ns = fill < 0 ? INT64_MAX : script->fills.v[fill].at_ns;
    int64_t at_ns = line_ns < fill_ns ? line_ns : fill_ns;
    *after_oms = line >= 0 && is_check(&script->scenario->lines[line]) && line_ns < fill_ns;
    if (script->written_out != NULL && script->stage.judge.first.invariant != 0)
        return INT64_MAX; /* it is known how the week ends */
    if (script->boot_ns < at_ns) {
        *after_oms = false;
        return script->boot_ns;
    }
    return at_ns;
}

static void standing_fill(struct script *script, size_t index) {
    char told[MARKET_TEXT_SIZE];
    const struct scn_line *line =
        market_fill(&script->fills, index, &script->stage.world, script->scenario, told);
    script->stage.line = line->place.line;
    if (told[0] != '\0')
        stage_note(&script->stage, "broker", false, "%s", told);
}

static void line_happens(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    struct line_run *state = &script->lines[index];
    if (line->place.line == script->until)
        state_take(script);
    script->stage.line = line->place.line;
    if (line->statement == SCN_WITHIN && state->until_ns == 0) {
        state->until_ns = state->at_ns + line->args.duration_ns;
        state->state = LINE_ARMED;
        changed(script);
        /* Its deadline is its next moment. */
        state->state = LINE_SCHEDULED;
        state->at_ns = state->until_ns;
        return;
    }
    state->state = LINE_DONE;
    if (is_check(line)) {
        check_line(script, index);
        return;
    }
    if (script->stage.trace != NULL) {
        char text[160];
        stage_note(&script->stage, "script", false, "%s",
                   line_text(script, index, text, sizeof text));
    }
    stimulate(script, index);
}

static void happen(void *ctx) {
    struct script *script = ctx;
    int line = next_line(script), fill = market_next_fill(&script->fills);
    int64_t line_ns = line < 0 ? INT64_MAX : script->lines[line].at_ns;
    int64_t fill_ns = fill < 0 ? INT64_MAX : script->fills.v[fill].at_ns;
    if (script->boot_ns < line_ns && script->boot_ns < fill_ns) {
        script->boot_ns = INT64_MAX;
        stage_boot_soon(&script->stage);
    } else if (fill >= 0 && (line < 0 || script->fills.v[fill].at_ns <= script->lines[line].at_ns))
        standing_fill(script, (size_t)fill);
    else
        line_happens(script, (size_t)line);
    stage_changed(&script->stage);
}

static void happen_at_point(struct script *script, size_t index) {
    int line = script->stage.line;
    line_happens(script, index);
    script->stage.line = line;
}

/* ---- a whole run ---- */

static bool make_world(struct script *script, const struct run_options *options,
                       const struct sut_config *oms, struct world *world, char why[SUT_WHY_SIZE]) {
    const struct scenario *scenario = script->scenario;
    struct oms_opening openings[SCN_GIVENS_MAX];
    size_t opening_count = 0;
    struct disk *image = NULL;
    world_init(world, script->config->profile, scenario->start_ns);
    market_open(scenario, &world->exchange);
    for (size_t i = 0; i < scenario->given_count; i++) {
        const struct scn_given *given = &scenario->givens[i];
        struct oms_opening *opening = &openings[opening_count];
        if (given->kind != SCN_HEADER_GIVEN_OMS)
            continue;
        *opening = (struct oms_opening){.qty_nanos = given->args.qty_nanos,
                                        .price_nanos = given->args.price_nanos};
        memcpy(opening->symbol, scenario->symbols[given->args.symbol], sizeof opening->symbol);
        opening_count++;
    }
    image = stage_image(options->sut, oms, scenario->start_ns, openings, opening_count, why);
    if (image == NULL) {
        world_free(world);
        return false;
    }
    disk_free(world->disk);
    world->disk = image;
    disk_set_profile(world->disk, scenario->disk);
    return true;
}

enum { SIMULATED_PAGE = 1024 };

static bool is_at_rest(const struct fault *fault, enum act act) {
    return fault->kind->op == SITE_DISK_REST && (act == ACT_NONE || fault->kind->act == act);
}

/* Whether some line or the plan has damage at rest; with an act, only that one. */
static bool has_damage(const struct scenario *scenario, const struct plan *plan, enum act act) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_FAULT && is_at_rest(&line->args.strike.fault, act))
            return true;
    }
    for (size_t i = 0; plan != NULL && i < plan->count; i++) {
        if (plan->items[i].what == PLAN_FAULT && is_at_rest(&plan->items[i].fault, act))
            return true;
    }
    return false;
}

static void list_kinds(struct script *script) {
    memset(&script->has, 0, sizeof script->has);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        bool crash = line->statement == SCN_CRASH;
        script->has.window |= crash && quantified_crash(&line->args.crash);
        script->has.crash_at |= crash && line->args.crash.where == SCN_CRASH_AT_SITE;
        script->has.reach_crash |= line->statement == SCN_REACH_CRASH;
        script->has.fault |= line->statement == SCN_FAULT;
        script->has.read |= is_read(line->args.crash.point.kind) ||
                            is_read(line->args.crash.to.kind) || is_read(line->when.point.kind);
        script->has.condition |= line->statement == SCN_ALWAYS || line->statement == SCN_REACH ||
                                 line->statement == SCN_WITHIN;
    }
}

static void schedule_all(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        bool standing = line->statement == SCN_ALWAYS || line->statement == SCN_FINALLY ||
                        line->statement == SCN_REACH || line->statement == SCN_REACH_CRASH ||
                        line->statement == SCN_REACH_FAULT;
        script->lines[i].state = standing ? LINE_DONE : LINE_WAITING;
        if (standing)
            continue;
        if (line->when.base == SCN_AT)
            schedule(script, i, line->when.ns);
        else if (line->when.base == SCN_FROM_BEGINNING)
            schedule(script, i, script->scenario->start_ns);
    }
}

bool script_open(struct script *script, const struct scenario *scenario,
                 const struct run_config *config, const struct run_options *options,
                 const struct chooser *chooser, const struct plan *plan, struct trace *trace,
                 char why[SUT_WHY_SIZE]) {
    const struct scn_option_value *page = &scenario->options[SCN_OPTION_PAGE_SIZE];
    const struct scn_option_value *heal = &scenario->options[SCN_OPTION_SELF_HEAL];
    const struct scn_option_value *batch = &scenario->options[SCN_OPTION_BATCH];
    const struct scn_option_value *late = &scenario->options[SCN_OPTION_ANSWERS_LATE];
    const struct scn_option_value *frames = &scenario->options[SCN_OPTION_CHECKPOINT_FRAMES];
    const struct scn_option_value *archive = &scenario->options[SCN_OPTION_ARCHIVE_ORDERS];
    const struct scn_option_value *version = &scenario->options[SCN_OPTION_STORE_VERSION];
    struct stage_config stage = {.sut = options->sut,
                                 .claims = options->claims,
                                 .suspends = run_suspends(scenario, plan),
                                 .keeps_backups = has_damage(scenario, plan, ACT_RESTORED),
                                 .door = config->door,
                                 .wire = options->wire,
                                 .oms = {.profile = config->profile,
                                         .account = "SIM",
                                         .page_size = page->set ? (int)page->value : SIMULATED_PAGE,
                                         .checkpoint_frames = frames->set ? (int)frames->value : 0,
                                         .self_heal_percent = heal->set ? (int)heal->value : 0,
                                         .archive_orders = archive->set ? (int)archive->value : 0,
                                         .answers_late_s = late->set ? (int)late->value : 0,
                                         .store_version = version->set ? (int)version->value : 0},
                                 .start_ns = scenario->start_ns,
                                 .pace_ns = scenario->pace_ns,
                                 .batch = batch->set ? (size_t)batch->value : 0,
                                 .seed = options->seed != NULL ? *options->seed : scenario->seed};
    struct stage_outside outside = {.ctx = script,
                                    .next = next,
                                    .happen = happen,
                                    .ask = ask,
                                    .passed = passed,
                                    .told = told,
                                    .left = left,
                                    .delivered = delivered,
                                    .changed = changed,
                                    .power = choose_power};
    struct world world;
    /* Only damage there is asked about: without any, nothing rests in vain. */
    if (has_damage(scenario, plan, ACT_NONE))
        outside.rest = rest;
    script->written_out = workload_write_out(scenario, stage.seed);
    script->own_lines = scenario->line_count;
    scenario = script->written_out != NULL ? script->written_out : scenario;
    script->scenario = scenario;
    script->config = config;
    if (!make_world(script, options, &stage.oms, &world, why)) {
        workload_free(script->written_out);
        return false;
    }
    stage_open(&script->stage, &stage, &outside, &world);
    script->stage.chain = options->chain;
    if (options->chain != NULL)
        options->chain->run++;
    script->chooser = *chooser;
    script->plan = plan;
    script->taken.count = 0;
    script->death_index = -1;
    script->lines = check_zalloc(scenario->line_count + 1, sizeof *script->lines);
    script->observed = next_observed(script, 0);
    script->fills = (struct market_fills){0};
    script->faults_over = script->has_key = false;
    script->idle_life = script->idle = 0;
    script->strikes = (struct strikes){0};
    script->strikes_line = SCN_NONE;
    script->watch = NULL;
    script->boot_ns = INT64_MAX;
    script->outcome = NULL;
    script->crash_points = 0;
    script->crash_count = 0;
    script->points = options->points;
    script->tallies = options->tallies;
    script->called = options->called;
    script->until = options->until;
    script->state = script->facts = NULL;
    script->named[0] = '\0';
    memset(script->fired, 0, sizeof script->fired);
    script->reached_count = 0;
    script->failure.code[0] = '\0';
    script->marked = 0;
    script->marked_set = false;
    script->stage.trace = trace;
    for (size_t i = 0; i < scenario->decision_count; i++)
        judge_add(&script->stage.judge, scenario->decisions[i].name,
                  &scenario->decisions[i].payload);
    list_kinds(script);
    schedule_all(script);
    return true;
}

/* Lines in force before the first life, then the first life itself. */
void script_begin(struct script *script) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (script->lines[i].state == LINE_SCHEDULED &&
            scenario->lines[i].when.base == SCN_FROM_BEGINNING && !is_check(&scenario->lines[i]))
            line_happens(script, i);
    }
    script->stage.line = 0;
    stage_boot(&script->stage);
    for (size_t i = 0; i < scenario->given_count; i++) {
        if (scenario->givens[i].kind == SCN_HEADER_GIVEN_KILL_SWITCH)
            stage_tell(&script->stage, INBOX_KILL_SWITCH, 0, true);
    }
}

static void list_reached(const struct script *script, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < script->reached_count && used < size; i++) {
        const struct script_point *point = &script->reached[i];
        char text[POINT_TEXT_SIZE];
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                             point_text(script, point->after, point->kind, point->decision, text));
    }
}

/* What was ordered and never came is a failure of the script, not a pass. */
static void nothing_left_out(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        enum line_state state = script->lines[i].state;
        char text[120], reached[240];
        if (state == LINE_DONE || script->lines[i].fired)
            continue;
        line_text(script, i, text, sizeof text);
        if (line->statement == SCN_CRASH && !quantified_crash(&line->args.crash)) {
            list_reached(script, reached, sizeof reached);
            fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line,
                 "'%s' never happened; reached were: %s", text, reached);
        } else if (line->statement == SCN_FAULT && line->args.strike.times != SCN_EACH_CALL) {
            fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line,
                 "'%s' never struck: there was no such call after it", text);
        } else if (state == LINE_FOR_ORDER) {
            fail(script, RUN_CODE_NO_ORDER, line->place.line,
                 "'%s': the broker never had an order for it", text);
        } else if (state == LINE_WAITING) {
            fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line, "'%s': its moment never came",
                 text);
        }
    }
}

/* Deaths that were drawn and never came. */
static void strikes_left_out(struct script *script) {
    const struct strikes *strikes = &script->strikes;
    int line = script->strikes_line;
    if (line >= 0 &&
        strikes->struck < (unsigned)script->scenario->lines[line].args.crash.occurrence &&
        script->stage.judge.first.invariant == 0)
        fail(script, RUN_CODE_NEVER_HAPPENED, line_number(script, (size_t)line),
             "only %u of the crashes at random happened", strikes->struck);
}

static void final_checks(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        if (line->statement == SCN_FINALLY && line->place.line == script->until)
            state_take(script);
        if (line->statement == SCN_FINALLY && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, i, RUN_CODE_FINALLY);
        if (line->statement == SCN_REACH && !script->lines[i].seen)
            script->lines[i].seen = cond_holds(script, line->terms, line->term_count);
    }
}

/* Nothing is left to happen and a window is still open: the last crash point is now, and it is no
 * choice when lines wait for the crash. True when it struck. */
static bool idle_window(struct script *script) {
    int window = open_window(script);
    const struct plan_item *item = NULL;
    unsigned occurrence = 0;
    if (window < 0 || !stage_is_up(&script->stage))
        return false;
    occurrence = idle_again(script);
    if (script->points != NULL)
        list_point(script, (struct site){0}, 0, false);
    if (script->plan != NULL) {
        item = plan_at(script->plan, script->stage.life, PLAN_AT_IDLE, occurrence);
        if (item != NULL)
            die_by_plan(script, item);
        return item != NULL;
    }
    if (!crash_is_awaited(script, (size_t)window + 1) && !chooses_crash(script))
        return false;
    die_idle(script, (size_t)window, occurrence);
    return true;
}

/* A death that the plan orders for when nothing is left to happen. */
static bool dies_at_end(struct script *script) {
    const struct plan_item *item =
        script->plan == NULL ? NULL : plan_at(script->plan, script->stage.life, PLAN_AT_END, 1);
    if (item == NULL)
        return false;
    die_by_plan(script, item);
    return true;
}

/* The first of two crashes has struck and no line starts the OMS again: it is started here, so that
 * the second one has a life to strike in. True when it was. */
static bool second_life(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->scenario->lines[i].statement != SCN_CRASH || stage_is_up(&script->stage) ||
            !open_second(script, i))
            continue;
        stage_note(&script->stage, "harness", false, "the OMS is started for its second crash");
        stage_boot(&script->stage);
        return true;
    }
    return false;
}

void script_finish(struct script *script, bool skip_recovery) {
    stage_run(&script->stage);
    while (script->watch == NULL &&
           (dies_at_end(script) || idle_window(script) || second_life(script)))
        stage_run(&script->stage);
    if (script->watch != NULL)
        show_crash_point(script, NULL, 0, false);
    strikes_left_out(script);
    script->faults_over = true;
    if (!script->scenario->quantified)
        nothing_left_out(script);
    if (stage_settle(&script->stage) == STAGE_QUIET)
        final_checks(script);
    if (script->failure.code[0] == '\0' && script->stage.judge.first.invariant == 0 &&
        !skip_recovery)
        stage_recover_again(&script->stage);
    if (script->stage.judge.first.invariant != 0)
        mark_place(script);
}

void script_run(struct script *script, bool skip_recovery) {
    script_begin(script);
    script_finish(script, skip_recovery);
}

/* ---- one life at a time ---- */

void script_dies(struct script *script, const struct plan_item *item,
                 const struct broker_request *sent, unsigned outcome) {
    int window = open_window(script);
    CHECK(script->stage.oms == NULL && window >= 0);
    if (item->late_ns > 0)
        stage_outlives(&script->stage, sent, item->late_ns);
    note_death(script, item, false);
    script->lines[window].fired = true;
    script->outcome = &outcome;
    stage_die(&script->stage, plan_is_power(item->what) ? STAGE_POWER : STAGE_KILL);
    script->outcome = NULL;
    resolve_relative(script, (size_t)window, SCN_AFTER_CRASH);
}

void script_waits(struct script *script, int64_t until_ns) {
    CHECK(script->stage.oms == NULL);
    script->stage.port.dead = true;
    stage_wait(&script->stage, until_ns);
    stage_boot_soon(&script->stage);
}

int64_t script_restart_ns(const struct script *script) {
    int64_t at_ns = INT64_MAX;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct line_run *line = &script->lines[i];
        if (script->scenario->lines[i].statement == SCN_RESTART && line->state == LINE_SCHEDULED &&
            line->at_ns < at_ns)
            at_ns = line->at_ns;
    }
    return at_ns;
}

/* Whether some condition counts requests: then how many there were is remembered. */
static bool counts_submits(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        for (size_t j = 0; j < scenario->lines[i].term_count; j++) {
            if (scenario->lines[i].terms[j].kind == SCN_COND_SUBMITS)
                return true;
        }
    }
    return false;
}

uint64_t script_memory(const struct script *script, bool timed, struct moments *pending) {
    int64_t now_ns = script->stage.world.now_ns;
    uint64_t hash = script->stage.second_refused;
    for (size_t i = 0; counts_submits(script->scenario) && i < script->scenario->decision_count;
         i++)
        hash = hash_u64(hash, script->stage.judge.decisions[i].arrived);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *scn = &script->scenario->lines[i];
        const struct line_run *line = &script->lines[i];
        hash = hash_u64(hash, (uint64_t)line->state * 4 + line->in_window * 2u + line->over);
        if (scn->statement == SCN_FAULT && line->state == LINE_ARMED)
            hash = hash_u64(hash, (uint64_t)calls_spent(&scn->args.strike, line) * 2 + line->fired);
        if (scn->statement == SCN_CRASH && line->state == LINE_ARMED)
            hash = hash_u64(hash, (uint64_t)line->calls);
        if (timed && line->state == LINE_SCHEDULED)
            hash = meaning_time(hash, line->at_ns, now_ns, pending);
    }
    for (size_t i = 0; i < script->fills.n; i++) {
        hash =
            hash_u64(hash, script->fills.v[i].order * 2 + (script->fills.v[i].at_ns == INT64_MAX));
        if (timed && script->fills.v[i].at_ns != INT64_MAX)
            hash = meaning_time(hash, script->fills.v[i].at_ns, now_ns, pending);
    }
    return hash;
}

void script_close(struct script *script) {
    stage_close(&script->stage);
    workload_free(script->written_out);
    free(script->lines);
    market_fills_free(&script->fills);
    free(script->state);
    free(script->facts);
}
