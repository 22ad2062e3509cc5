/* The sweep: run after run, the fault one call further on. */
#include "fuzz/sweep.h"

#include "scenarios/lang/script.h"
#include "sim/check.h"
#include "sim/peek.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAULTS_MAX = 1000000 }; /* per kind; a run that long is no small scenario */

const char *sweep_kind_name(int kind) {
    static const char *const names[] = {
#define X(id, name) name " allocation",
        SHORTAGES(X)
#undef X
            "port call"};
    return names[kind];
}

bool sweep_has(int kind, const struct run_config *config, const struct run_options *options) {
    if (kind == SHORTAGE_CORE)
        return sut_find(options->sut->name) == options->sut;
    if (kind == SHORTAGE_SQLITE)
        return config->door == STAGE_DIRECT;
    return kind == SWEEP_PORTS || config->door == STAGE_WIRE;
}

/* ---- port calls that fail ---- */

struct ports {
    struct script *script;
    struct stage_outside asked; /* the script's own */
    struct sweep_fault fault;
    unsigned long calls, failed;
};

static struct port_answer failing(const struct port_call *call) {
    enum site_op op = call->site.op;
    if (op == SITE_WIRE_REQUEST || op == SITE_WIRE_REPLY)
        return (struct port_answer){.act = ACT_RESET};
    return (struct port_answer){.act = op < SITE_BROKER_SUBMIT ? ACT_FAIL : ACT_LOST};
}

static struct port_answer ask(void *ctx, const struct port_call *call, unsigned occurrence) {
    struct ports *ports = ctx;
    struct port_answer answer = ports->asked.ask(ports->script, call, occurrence);
    const struct sweep_fault *fault = &ports->fault;
    if (ports->script->faults_over || fault->kind != SWEEP_PORTS || fault->nth == 0)
        return answer;
    ports->calls++;
    if (ports->calls != fault->nth && !(fault->lasting && ports->calls > fault->nth))
        return answer;
    ports->failed++;
    return failing(call);
}

/* The script's own answers, with `ctx` for the one above put right. */
static int64_t next(void *ctx, bool *after_oms) {
    const struct ports *ports = ctx;
    return ports->asked.next(ports->script, after_oms);
}
static void happen(void *ctx) {
    const struct ports *ports = ctx;
    ports->asked.happen(ports->script);
}
static void passed(void *ctx, const struct port_call *call, unsigned occurrence) {
    const struct ports *ports = ctx;
    ports->asked.passed(ports->script, call, occurrence);
}
static struct port_answer rest(void *ctx, const struct port_call *call) {
    const struct ports *ports = ctx;
    return ports->asked.rest(ports->script, call);
}
static void told(void *ctx, const struct oms_event *event) {
    const struct ports *ports = ctx;
    ports->asked.told(ports->script, event);
}
static void left(void *ctx, int decision) {
    const struct ports *ports = ctx;
    ports->asked.left(ports->script, decision);
}
static void delivered(void *ctx, int decision) {
    const struct ports *ports = ctx;
    ports->asked.delivered(ports->script, decision);
}
static void changed(void *ctx) {
    const struct ports *ports = ctx;
    ports->asked.changed(ports->script);
}
static unsigned power(void *ctx, unsigned outcomes, bool reduced) {
    const struct ports *ports = ctx;
    return ports->asked.power(ports->script, outcomes, reduced);
}

static void put_between(struct ports *ports, struct script *script,
                        const struct sweep_fault *fault) {
    struct stage_outside *outside = &script->stage.outside;
    *ports = (struct ports){.script = script, .asked = *outside, .fault = *fault};
    *outside = (struct stage_outside){.ctx = ports,
                                      .next = next,
                                      .happen = happen,
                                      .ask = ask,
                                      .passed = passed,
                                      .rest = outside->rest != NULL ? rest : NULL,
                                      .told = told,
                                      .left = left,
                                      .delivered = delivered,
                                      .changed = changed,
                                      .power = power};
}

/* ---- how a run ends ---- */

/* What became of one decision, times and reasons left out. */
struct fate {
    bool known, acknowledged, cancel_acknowledged, held;
    enum oms_state state;
    int64_t filled_nanos;
    unsigned orders; /* at the broker */
};

struct ending {
    struct fate fates[JUDGE_DECISIONS_MAX];
    size_t count;
};

static void find_fates(struct script *script, struct ending *ending) {
    struct stage *stage = &script->stage;
    const struct judge *judge = &stage->judge;
    const struct oms_view *view = &peek_at(judge->sut, stage->world.disk, STAGE_STORE)->view;
    *ending = (struct ending){.count = judge->decision_count};
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct fate *fate = &ending->fates[i];
        fate->acknowledged = judge->decisions[i].acknowledged;
        fate->cancel_acknowledged = judge->decisions[i].cancel_acknowledged;
        fate->orders = judge_orders(judge, &stage->world, i);
        for (size_t j = 0; j < view->order_count; j++) {
            const struct oms_order *order = &view->orders[j];
            if (strcmp(order->decision.id, judge->decisions[i].decision.id) != 0)
                continue;
            fate->known = true;
            fate->state = order->state;
            fate->filled_nanos = order->filled_nanos;
            fate->held = order->state == OMS_STATE_HELD && order->reason[0] != '\0';
        }
    }
}

static bool same_fate(const struct fate *a, const struct fate *b) {
    return a->known == b->known && a->state == b->state && a->filled_nanos == b->filled_nanos &&
           a->orders == b->orders;
}

/* (2) */
static bool ends_right(const struct ending *clean, const struct ending *ending,
                       const struct script *script, const struct sweep_fault *fault,
                       char text[SWEEP_TEXT_SIZE]) {
    bool may_hold = fault->lasting || !script->config->profile->deduplicates;
    for (size_t i = 0; i < ending->count; i++) {
        const struct fate *fate = &ending->fates[i];
        bool before = !fate->known && !fate->acknowledged && fate->orders == 0;
        bool held = may_hold && fate->held && fate->orders <= 1;
        bool not_canceled = fate->known && fate->orders == clean->fates[i].orders &&
                            clean->fates[i].cancel_acknowledged && !fate->cancel_acknowledged;
        /* A cancel may win the race against an order that was delayed. */
        bool canceled =
            fate->cancel_acknowledged && fate->state == OMS_STATE_CANCELED && fate->orders <= 1;
        if (before || held || not_canceled || canceled || same_fate(fate, &clean->fates[i]))
            continue;
        snprintf(
            text, SWEEP_TEXT_SIZE,
            "%s ended %s with %u orders at the broker, neither as before it was decided nor as "
            "without the fault (%s, %u)",
            script->stage.judge.decisions[i].name,
            fate->known ? oms_state_name(fate->state) : "unknown", fate->orders,
            oms_state_name(clean->fates[i].state), clean->fates[i].orders);
        return false;
    }
    return true;
}

/* ---- one run ---- */

static unsigned long struck_by(const struct ports *ports) {
    return ports->fault.kind == SWEEP_PORTS ? ports->failed : shortage_failed();
}

/* `clean`: how the run without a fault ends; NULL: this is it, and *ending is filled in. */
static bool run_one(const struct scenario *scenario, const struct run_config *config,
                    const struct run_options *options, const struct sweep_fault *fault,
                    const struct ending *clean, struct ending *ending, struct trace *trace,
                    bool *struck, char text[SWEEP_TEXT_SIZE]) {
    struct script *script = check_zalloc(1, sizeof *script);
    struct chooser nothing = chooser_nothing();
    struct plan none = {0};
    struct run_finding finding;
    struct ports ports;
    char why[SUT_WHY_SIZE] = "";
    bool right = script_open(script, scenario, config, options, &nothing, &none, trace, why);
    *struck = false;
    if (!right) {
        snprintf(text, SWEEP_TEXT_SIZE, "%s", why);
        free(script);
        return false;
    }
    put_between(&ports, script, fault);
    if (fault->kind != SWEEP_PORTS && fault->nth > 0)
        shortage_plan((enum shortage_of)fault->kind, fault->nth, fault->lasting);
    script_run(script, options->skip_recovery);
    shortage_off();
    *struck = fault->nth > 0 && struck_by(&ports) > 0;
    find_fates(script, ending);
    /* What the script expects is about the run without the fault. */
    if (script_failing(script, &finding) && (finding.invariant != 0 || clean == NULL)) {
        snprintf(text, SWEEP_TEXT_SIZE, "%s: %s", finding.code, finding.headline);
        right = false;
    } else if (clean != NULL) {
        right = ends_right(clean, ending, script, fault, text);
    }
    script->stage.outside = ports.asked;
    script_close(script);
    free(script);
    return right;
}

bool sweep_one(const struct scenario *scenario, const struct run_config *config,
               const struct run_options *options, const struct sweep_fault *fault,
               struct trace *trace, bool *struck, char text[SWEEP_TEXT_SIZE]) {
    static const struct sweep_fault nothing;
    struct ending clean, ending;
    return run_one(scenario, config, options, &nothing, NULL, &clean, NULL, struck, text) &&
           run_one(scenario, config, options, fault, &clean, &ending, trace, struck, text);
}

/* ---- all of them ---- */

static void sweep_kind(const struct scenario *scenario, const struct run_config *config,
                       const struct run_options *options, const struct ending *clean, int kind,
                       bool lasting, struct sweep_result *result) {
    struct sweep_count *count = &result->kinds[kind];
    struct sweep_fault fault = {.kind = kind, .nth = 1, .lasting = lasting};
    for (;; fault.nth++) {
        char text[SWEEP_TEXT_SIZE];
        struct ending ending;
        bool struck = false;
        bool right =
            run_one(scenario, config, options, &fault, clean, &ending, NULL, &struck, text);
        CHECK(fault.nth < FAULTS_MAX);
        if (!struck)
            return;
        count->tried++;
        count->broke += !right;
        if (right || result->found)
            continue;
        result->found = true;
        result->first = fault;
        memcpy(result->text, text, sizeof result->text);
    }
}

void sweep_scenario(const struct scenario *scenario, const struct run_config *config,
                    const struct run_options *options, struct sweep_result *result) {
    static const struct sweep_fault nothing;
    struct ending clean;
    bool struck = false;
    *result = (struct sweep_result){0};
    result->ran =
        run_one(scenario, config, options, &nothing, NULL, &clean, NULL, &struck, result->text);
    for (int kind = 0; result->ran && kind < SWEEP_KINDS; kind++) {
        if (!sweep_has(kind, config, options))
            continue;
        sweep_kind(scenario, config, options, &clean, kind, false, result);
        sweep_kind(scenario, config, options, &clean, kind, true, result);
    }
}
