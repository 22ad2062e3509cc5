/* The lines of a script that do something: to the broker, the OMS, its machine, or what is to strike. */
#include "scenarios/lang/script_parts.h"

#include "sim/check.h"

#include <stdlib.h>

/* One in so many moments, the last ones, sees no death begin. */
enum { STRIKES_MARGIN = 16 };

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
            script_fail(script,
                        end == MARKET_FINAL ? RUN_CODE_ALREADY_FINAL : RUN_CODE_FILL_IMPOSSIBLE,
                        line->place.line, "%s", told);
        return;
    }
    if (line->statement == SCN_BROKER_LOSES)
        judge_broker_loses(&stage->judge, &stage->world, STAGE_STORE, (size_t)line->args.decision);
    if (told[0] != '\0')
        stage_note(stage, "broker", false, "%s", told);
}

bool script_open_second(struct script *script, size_t index) {
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
        if (line->statement != SCN_CRASH || !script_crash_is_quantified(&line->args.crash) ||
            script_open_second(script, i))
            continue;
        script->lines[i].over = script->lines[i].over || script->lines[i].state == LINE_ARMED;
        script->lines[i].in_window = false;
    }
}

/* Of a running OMS, right before a restart. */
static void crash_before_restart(struct script *script) {
    const int window = script_open_window(script);
    const unsigned occurrence = script_idle_again(script);
    const struct plan_item *item = NULL;
    if (script->points != NULL && window >= 0)
        script_list_point(script, (struct site){0}, 0, false);
    if (script->plan != NULL)
        item = plan_at(script->plan, script->stage.life, PLAN_AT_IDLE, occurrence);
    if (item != NULL)
        script_die_by_plan(script, item);
    else if (script->plan == NULL && window >= 0)
        script_die_idle(script, (size_t)window, occurrence);
}

static void restart(struct script *script, size_t index) {
    struct stage *stage = &script->stage;
    script->boot_ns = INT64_MAX;
    if (script->watch != NULL) {
        script_resolve_relative(script, index, SCN_AFTER_RESTART);
        stage_boot_soon(stage);
        return;
    }
    if (stage_is_up(stage))
        crash_before_restart(script);
    turn_windows(script, index);
    script_resolve_relative(script, index, SCN_AFTER_RESTART);
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

void script_stimulate(struct script *script, size_t index) {
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
            script_die_at_line(script, index);
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
