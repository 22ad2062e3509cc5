/* Where the OMS of a script dies, and what a death leaves. */
#include "scenarios/lang/script_parts.h"

#include "sim/check.h"
#include "sim/hash.h"

#include <stdio.h>
#include <string.h>

static enum stage_death death_of(const struct script *script, const struct scn_crash *crash) {
    int kind = crash->kind == SCN_NONE ? script->config->crash_kind : crash->kind;
    CHECK(kind != SCN_NONE);
    return kind == SCN_KILL ? STAGE_KILL : STAGE_POWER;
}

/* ---- deaths ---- */

void script_note_death(struct script *script, const struct plan_item *item, bool always_written) {
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
    script_note_death(script, item, always_written);
    script->stage.line = script_line_number(script, index);
    stage_die(&script->stage, death);
    script->stage.line = line;
    script_resolve_relative(script, index, SCN_AFTER_CRASH);
}

void script_die_at_line(struct script *script, size_t index) {
    const struct scn_crash *crash = &script->scenario->lines[index].args.crash;
    struct plan_item item = {.life = script->stage.life > 0 ? script->stage.life : 1,
                             .place = PLAN_AT_LINE,
                             .occurrence = (unsigned)script_line_number(script, index),
                             .what = PLAN_POWER};
    die(script, index, death_of(script, crash), &item, false);
}

bool script_crash_is_awaited(const struct script *script, size_t from) {
    for (size_t i = from; i < script->scenario->line_count; i++) {
        if (script->lines[i].state == LINE_WAITING &&
            script->scenario->lines[i].when.base == SCN_AFTER_CRASH)
            return true;
    }
    return false;
}

int64_t script_calls_spent(const struct scn_strike *strike, const struct line_run *line) {
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

uint64_t script_crash_key(const struct script *script) {
    uint64_t key = stage_crash_key(&script->stage);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *scn = &script->scenario->lines[i];
        const struct line_run *line = &script->lines[i];
        if (scn->statement == SCN_FAULT && line->state == LINE_ARMED)
            key = hash_u64(hash_u64(key, i * 2 + line->fired),
                           (uint64_t)script_calls_spent(&scn->args.strike, line));
        else if (scn->when.base == SCN_BEFORE_POINT || scn->when.base == SCN_AFTER_POINT)
            key = hash_u64(hash_u64(key, i), line->state);
    }
    if (script_crash_is_awaited(script, 0) || !restart_is_ahead(script))
        key = hash_u64(key, (uint64_t)script->stage.world.now_ns);
    return key;
}

/* A death that the quantifier on line `index` chose. */
static void die_in_window(struct script *script, size_t index, enum stage_death death,
                          const struct plan_item *item) {
    CHECK(script->crash_count < SCRIPT_WINDOWS);
    script->crash_keys[script->crash_count++] = script_crash_key(script);
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

int script_open_window(const struct script *script) {
    if (!script->has.window)
        return -1;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->lines[i].in_window)
            return (int)i;
    }
    return -1;
}

bool script_chooses_crash(struct script *script) {
    uint64_t key = script_crash_key(script);
    if (script->has_key && key == script->key)
        return false;
    script->has_key = true;
    script->key = key;
    return choose(&script->chooser, CHOICE_CRASH, 2) != 0;
}

/* ---- the list of crash points, for people ---- */

enum { POINTS_MAX = 100000 };

void script_add_name(char *names, size_t size, const char *name) {
    size_t used = strlen(names);
    snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

/* A crash point is told. One that leaves the same as the one before has only its names to add. */
void script_list_point(struct script *script, struct site site, unsigned occurrence, bool after) {
    struct run_points *points = script->points;
    struct disk *disk = script->stage.world.disk;
    uint64_t key = script_crash_key(script);
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
        script_add_name(points->v[points->n - 1].names, sizeof points->v[0].names, script->named);
    script->named[0] = '\0';
}

/* Shows a place to who watches, unless a crash there leaves what one at the place before leaves.
 * Where an order is about to leave, its request may be on its way when the sender dies. */
void script_show_crash_point(struct script *script, const struct port_call *call,
                             unsigned occurrence, bool after) {
    uint64_t key = hash_u64(stage_crash_key(&script->stage), script_memory(script, false, NULL));
    bool leaves = !after && call != NULL && call->site.op == SITE_BROKER_SUBMIT;
    if (script->watch->crash_point == NULL || script_open_window(script) < 0 ||
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
    script_note_death(script, &item, true);
    CHECK(plan_add(&script->taken, &start));
    script->stage.line = script_line_number(script, index);
    stage_die(&script->stage, kill ? STAGE_KILL : STAGE_POWER);
    script->stage.line = line;
    script->boot_ns = script->stage.world.now_ns + start.after_ns;
}

void script_offer_crash(struct script *script, struct site site, unsigned occurrence, bool after) {
    int window = script_open_window(script);
    if (script->strikes_line >= 0 && !script->stage.port.dead &&
        strikes_here(&script->strikes, script->stage.world.now_ns)) {
        die_at_random(script, site, occurrence, after);
        return;
    }
    if (script->points != NULL && !script->stage.port.dead && (window >= 0 || !script->has.window))
        script_list_point(script, site, occurrence, after);
    if (window < 0 || script->plan != NULL || script->stage.port.dead ||
        !script_chooses_crash(script))
        return;
    die_at_call(script, (size_t)window, site, occurrence, after);
}

unsigned script_idle_again(struct script *script) {
    if (script->idle_life != script->stage.life)
        script->idle = 0;
    script->idle_life = script->stage.life;
    return ++script->idle;
}

void script_die_idle(struct script *script, size_t window, unsigned occurrence) {
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

void script_die_by_plan(struct script *script, const struct plan_item *item) {
    int line = script->stage.line;
    bool kill = item->what == PLAN_KILL || item->what == PLAN_KILL_AFTER;
    int window = script_open_window(script);
    script_note_death(script, item, true);
    if (window >= 0) {
        crash_strikes(script, (size_t)window);
        script->stage.line = script_line_number(script, (size_t)window);
    }
    stage_die(&script->stage, kill ? STAGE_KILL : STAGE_POWER);
    script->stage.line = line;
    if (window >= 0)
        script_resolve_relative(script, (size_t)window, SCN_AFTER_CRASH);
    plan_next_start(script);
}

/* Which of the unsynced writes survive. */
unsigned script_choose_power(void *ctx, unsigned outcomes, bool reduced) {
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
            script_fail(
                script, RUN_CODE_PLAN, script->stage.line,
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
