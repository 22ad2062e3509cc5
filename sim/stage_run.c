/* Virtual time: what happens next, the OMS or something outside it, until the world is quiet. */
#include "sim/stage_parts.h"

#include "sim/hash.h"
#include "sim/shortage.h"
#include "sim/sut_call.h"

#include <string.h>

/* A quiet world may still be polled; after this many routine looks that changed nothing it is
 * quiet, unless some order is still under way: its next attempt may be hidden behind many looks. */
enum { ROUTINE_LOOKS = 2, HALTED_LOOKS = 8, WAITING_LOOKS = 100 };
#define HOUR_NS (INT64_C(3600) * 1000000000)
/* No threshold of any profile is longer than a day: what is not settled after two is restless. */
#define SETTLE_NS (48 * HOUR_NS)

/* ---- the OMS acts ---- */

enum turn { TURN_NONE, TURN_BOOT, TURN_URGENT, TURN_SIGNAL, TURN_STEP };

/* First item of the inbox that is (not) a signal, or -1. */
static int first_item(const struct stage *stage, bool signal) {
    for (size_t i = 0; i < stage->inbox_count; i++) {
        if ((stage->inbox[i].kind == INBOX_SIGNAL) == signal)
            return (int)i;
    }
    return -1;
}

static int64_t latest(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t step_time(const struct stage *stage) {
    int64_t now_ns = stage->world.now_ns;
    switch (stage->next.work) {
    case OMS_WORK_NONE:
        return INT64_MAX;
    case OMS_WORK_SEND:
    case OMS_WORK_RECORD:
        return latest(latest(latest(stage->next.at_ns, stage->free_ns), stage->known_ns) +
                          stage->config.pace_ns,
                      now_ns);
    case OMS_WORK_RECONCILE:
    case OMS_WORK_RESOLVE:
    case OMS_WORK_POLL:
    case OMS_WORK_COLLECT:
        return latest(stage->next.at_ns, now_ns);
    }
    return INT64_MAX;
}

/* What the OMS does next, and when. Operators and cancels are never kept waiting; an order on its
 * way goes before a new signal. */
static int64_t oms_turn(const struct stage *stage, enum turn *turn) {
    int64_t step_ns = 0, signal_ns = INT64_MAX;
    int signal = -1;
    *turn = stage->boot_due ? TURN_BOOT : TURN_NONE;
    if (stage->boot_due)
        return stage->world.now_ns;
    if (!stage_is_up(stage))
        return INT64_MAX;
    if (first_item(stage, false) >= 0) {
        *turn = TURN_URGENT;
        return stage->world.now_ns;
    }
    signal = first_item(stage, true);
    if (signal >= 0)
        signal_ns =
            latest(latest(stage->inbox[signal].arrived_ns, stage->free_ns) + stage->config.pace_ns,
                   stage->world.now_ns);
    step_ns = step_time(stage);
    if (step_ns == INT64_MAX && signal_ns == INT64_MAX)
        return INT64_MAX;
    *turn = signal_ns < step_ns ? TURN_SIGNAL : TURN_STEP;
    return signal_ns < step_ns ? signal_ns : step_ns;
}

static struct inbox_item take_item(struct stage *stage, int index) {
    struct inbox_item item = stage->inbox[index];
    stage->inbox_count--;
    memmove(&stage->inbox[index], &stage->inbox[index + 1],
            (stage->inbox_count - (size_t)index) * sizeof *stage->inbox);
    stage->line = item.line;
    return item;
}

static bool present(struct stage *stage, size_t decision) {
    struct judged *judged = &stage->judge.decisions[decision];
    enum sut_answer answer = SUT_UNKNOWN;
    stage->why[0] = '\0';
    judge_presented(&stage->judge, &stage->world, decision);
    shortage_inside(true);
    answer = sut_signal(stage->config.sut, stage->oms, &judged->decision, stage->why);
    shortage_inside(false);
    /* A process that died answers nobody. */
    if (stage->port.dead)
        return true;
    judge_answered(&stage->judge, decision, answer);
    stage_mark(stage, CHAIN_ANSWER, (uint64_t)answer);
    stage->free_ns = stage->world.now_ns;
    return answer != SUT_UNKNOWN;
}

/* Signals that wait, the first of them `item`, in one call. */
static bool present_together(struct stage *stage, const struct inbox_item *item) {
    struct oms_decision decisions[SUT_SIGNALS_MAX];
    enum sut_answer answers[SUT_SIGNALS_MAX];
    size_t which[SUT_SIGNALS_MAX], count = 0;
    bool healthy = true;
    which[count++] = item->decision;
    while (count < stage->config.batch && first_item(stage, true) >= 0)
        which[count++] = take_item(stage, first_item(stage, true)).decision;
    stage->why[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        judge_presented(&stage->judge, &stage->world, which[i]);
        decisions[i] = stage->judge.decisions[which[i]].decision;
    }
    shortage_inside(true);
    sut_signals(stage->config.sut, stage->oms, decisions, count, answers, stage->why);
    shortage_inside(false);
    if (stage->port.dead)
        return true;
    for (size_t i = 0; i < count; i++) {
        judge_answered(&stage->judge, which[i], answers[i]);
        stage_mark(stage, CHAIN_ANSWER, (uint64_t)answers[i]);
        healthy = healthy && answers[i] != SUT_UNKNOWN;
    }
    stage->free_ns = stage->world.now_ns;
    return healthy;
}

static bool deal_with(struct stage *stage, const struct inbox_item *item) {
    const struct sut *sut = stage->config.sut;
    bool healthy = false;
    switch (item->kind) {
    case INBOX_SIGNAL:
        return stage->config.batch > 1 && sut->signals != NULL ? present_together(stage, item)
                                                               : present(stage, item->decision);
    case INBOX_CANCEL:
        shortage_inside(true);
        healthy = sut_cancel(sut, stage->oms, stage->judge.decisions[item->decision].decision.id);
        shortage_inside(false);
        if (healthy && !stage->port.dead)
            judge_cancel(&stage->judge, item->decision);
        return healthy;
    case INBOX_KILL_SWITCH:
        /* Until the act is answered either state is right, whoever dies meanwhile. */
        judge_operator(&stage->judge, item->on, false);
        shortage_inside(true);
        healthy = sut_kill_switch(sut, stage->oms, item->on);
        shortage_inside(false);
        if (healthy && !stage->port.dead)
            judge_operator(&stage->judge, item->on, true);
        return healthy;
    case INBOX_GONE:
    case INBOX_ADOPT:
        return stage_resolve_at(stage, stage->oms, item->decision, item->kind == INBOX_ADOPT);
    case INBOX_RECONCILE:
        shortage_inside(true);
        healthy = sut_reconcile(sut, stage->oms, item->on);
        shortage_inside(false);
        return healthy;
    }
    return true;
}

static bool take_step(struct stage *stage) {
    bool paced = stage->next.work == OMS_WORK_SEND || stage->next.work == OMS_WORK_RECORD;
    bool healthy = false;
    shortage_inside(true);
    healthy = sut_step(stage->config.sut, stage->oms);
    shortage_inside(false);
    if (paced)
        stage->free_ns = stage->world.now_ns;
    return healthy;
}

static void oms_acts(struct stage *stage, enum turn turn, int64_t at_ns) {
    struct inbox_item item;
    bool healthy = true;
    if (turn == TURN_BOOT) {
        stage_boot(stage);
        return;
    }
    stage->world.now_ns = at_ns;
    stage_mark(stage, CHAIN_ACT + (uint64_t)turn, (uint64_t)at_ns);
    stage->in_call = true;
    switch (turn) {
    case TURN_NONE:
    case TURN_BOOT:
        break;
    case TURN_URGENT:
    case TURN_SIGNAL:
        item = take_item(stage, first_item(stage, turn == TURN_SIGNAL));
        healthy = deal_with(stage, &item);
        break;
    case TURN_STEP:
        healthy = take_step(stage);
        break;
    }
    stage_back_from_oms(stage, healthy);
}

/* ---- is it quiet? ---- */

static uint64_t visible_state(const struct stage *stage) {
    return hash_u64(disk_cache_hash(stage->world.disk), stage->world.exchange.version);
}

static bool has_outside(struct stage *stage) {
    bool after_oms = false;
    return stage->outside.next(stage->outside.ctx, &after_oms) != INT64_MAX ||
           stage->world.flight_count > 0 ||
           stage->world.now_ns < exchange_shows_all_ns(&stage->world.exchange);
}

/* Calls that change nothing and may go on for ever: a look at open orders, or at the halt file. Where
 * calls take time, one of them that has become due meanwhile may come before a record. */
static bool is_routine(const struct stage *stage) {
    return stage->next.work == OMS_WORK_POLL ||
           (stage->next.work == OMS_WORK_SEND && stage->world.halt_file != OMS_HALT_ABSENT) ||
           (stage->next.work == OMS_WORK_RECORD && stage->config.pace_ns > 0);
}

/* Consecutive calls that changed nothing, and those of them that were routine. */
struct idle {
    int calls, looks;
};

static void act_and_compare(struct stage *stage, enum turn turn, int64_t at_ns, struct idle *idle) {
    bool routine = turn == TURN_STEP && is_routine(stage);
    uint64_t before = visible_state(stage);
    oms_acts(stage, turn, at_ns);
    if (visible_state(stage) != before) {
        *idle = (struct idle){0};
        return;
    }
    idle->calls++;
    idle->looks = routine ? idle->looks + 1 : 0;
}

/* So many routine looks in a row that change nothing say that nothing will. Looks at a halt file come
 * before what is due later, such as a second look at a difference, or, by a clock that jumped, the
 * next look at the broker. */
static int looks_enough(const struct stage *stage) {
    if (stage->world.halt_file == OMS_HALT_ABSENT)
        return ROUTINE_LOOKS;
    return stage->judge.clock_jumped ? WAITING_LOOKS : HALTED_LOOKS;
}

static bool is_quiet(struct stage *stage, const struct idle *idle) {
    if (!stage->settling && idle->calls >= WAITING_LOOKS)
        return true;
    return idle->looks >= looks_enough(stage) &&
           (idle->looks >= WAITING_LOOKS ||
            !judge_under_way(&stage->judge, &stage->world, STAGE_STORE));
}

/* Whether the OMS calls more often than anything needs. */
static bool rages(struct stage *stage) {
    if (stage->world.now_ns - stage->hour_ns >= HOUR_NS) {
        stage->hour_ns = stage->world.now_ns;
        stage->actions = 0;
    }
    return stage->actions >= STAGE_ACTIONS_MAX;
}

/* What waits for a moment waits so much longer by a clock that shows less. */
static int64_t behind_ns(const struct stage *stage) {
    return stage->world.ahead_ns < 0 ? -stage->world.ahead_ns : 0;
}

/* Until when requests under way are waited for while faults go on and nothing else is to happen: an
 * hour past those that are under way now. A fault that copies every request of an OMS that asks
 * again and again would otherwise keep the world going for ever; faults stop then. */
static int64_t patience_ns(const struct stage *stage, int64_t until_ns) {
    bool after_oms = false;
    if (stage->settling || stage->outside.next(stage->outside.ctx, &after_oms) != INT64_MAX)
        return INT64_MAX;
    if (until_ns == INT64_MAX && stage->world.flight_count > 0) /* in the order of their arrival */
        until_ns = latest(stage->world.now_ns,
                          stage->world.flights[stage->world.flight_count - 1].due_ns) +
                   HOUR_NS;
    return until_ns;
}

enum stage_end stage_run(struct stage *stage) {
    struct idle idle = {0};
    int64_t deadline_ns = INT64_MAX, patience = INT64_MAX;
    for (;;) {
        enum turn turn = TURN_NONE;
        int64_t at_ns = oms_turn(stage, &turn);
        if (stage_outside_happens(stage, at_ns, turn == TURN_NONE))
            continue;
        if (turn == TURN_NONE)
            return STAGE_QUIET;
        patience = patience_ns(stage, patience);
        if (stage->world.flight_count > 0 && at_ns > patience)
            return STAGE_RESTLESS;
        if (has_outside(stage))
            deadline_ns = INT64_MAX;
        else if (deadline_ns == INT64_MAX)
            deadline_ns = stage->world.now_ns + SETTLE_NS + behind_ns(stage);
        if (rages(stage) || at_ns > deadline_ns) {
            if (stage->settling || at_ns <= deadline_ns)
                judge_restless(&stage->judge, &stage->world,
                               "the world does not become quiet: the OMS goes on acting");
            return STAGE_RESTLESS;
        }
        if (deadline_ns == INT64_MAX) {
            oms_acts(stage, turn, at_ns);
            continue;
        }
        act_and_compare(stage, turn, at_ns, &idle);
        if (is_quiet(stage, &idle) && !has_outside(stage))
            return STAGE_QUIET;
    }
}
