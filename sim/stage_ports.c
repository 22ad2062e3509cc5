/* What a life touches: its ports and its environment; and how the story of it is kept. */
#include "sim/stage_parts.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/shortage.h"
#include "sim/wire_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the story ---- */

void stage_note(struct stage *stage, const char *who, bool crash, const char *format, ...) {
    struct trace *trace = stage->trace;
    struct trace_line *line = NULL;
    va_list args;
    if (trace == NULL || trace->n == TRACE_MAX)
        return;
    CHECK_ROOM(trace->v, trace->n, trace->cap, TRACE_MAX + 1);
    line = &trace->v[trace->n++];
    *line = (struct trace_line){.at_ns = stage->world.now_ns, .line = stage->line, .crash = crash};
    snprintf(line->who, sizeof line->who, "%s", who);
    va_start(args, format);
    vsnprintf(line->what, sizeof line->what, format, args);
    va_end(args);
}

void stage_mark_text(struct stage *stage, uint64_t what, uint64_t value, const char *text) {
    stage->counts.events++;
    stage->fingerprint = hash_u64(hash_u64(stage->fingerprint, what), value);
    if (stage->chain != NULL)
        chain_add(stage->chain,
                  &(struct chain_event){.event = stage->counts.events,
                                        .at_ns = stage->world.now_ns,
                                        .what = what,
                                        .value = value,
                                        .hash = stage->fingerprint},
                  text);
}

void stage_mark(struct stage *stage, uint64_t what, uint64_t value) {
    stage_mark_text(stage, what, value, NULL);
}

static const char *decision_name(const struct stage *stage, const char *decision_id) {
    for (size_t i = 0; i < stage->judge.decision_count; i++) {
        if (strcmp(stage->judge.decisions[i].decision.id, decision_id) == 0)
            return stage->judge.decisions[i].name;
    }
    return decision_id;
}

/* ---- ports ---- */

/* In these the harness acts, in the middle of a call into the OMS: the memory it needs is not the
 * OMS's (sim/shortage.h). */
static struct port_answer port_before(void *ctx, const struct port_call *call) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    unsigned occurrence = ++stage->occurrences[site_index(call->site)];
    struct port_answer answer;
    stage->counts.port_calls++;
    stage_mark(stage, site_index(call->site),
               (uint64_t)call->offset * 65599 + (uint64_t)call->length);
    answer = stage->outside.ask(stage->outside.ctx, call, occurrence);
    if (answer.act != ACT_NONE) {
        stage_mark(stage, CHAIN_FAULT + (uint64_t)answer.act, (uint64_t)answer.arg[0]);
        stage->counts.faults++;
        stage->judge.damaged |=
            answer.act == ACT_SYNC_LIES || answer.act == ACT_SYNC_LATE || answer.act == ACT_SHORT;
    } else if (stage->world.broker_down && call->site.op >= SITE_BROKER_SUBMIT &&
               call->site.op <= SITE_BROKER_CANCEL) {
        answer.act = ACT_REFUSED;
    }
    shortage_inside(inside);
    return answer;
}

void stage_changed(struct stage *stage) {
    stage_mark(stage, CHAIN_BOOKS, stage->world.exchange.version);
    judge_books(&stage->judge, &stage->world);
    stage->outside.changed(stage->outside.ctx);
}

static void note_delivery(struct stage *stage, const char *name,
                          const struct exchange_delivery *delivery) {
    switch (delivery->verdict) {
    case EXCHANGE_ACCEPTED:
        stage_note(stage, "broker", false, "accepted %s of %s",
                   stage->world.exchange.orders[delivery->order].told.id, name);
        return;
    case EXCHANGE_DUPLICATE:
        stage_note(stage, "broker", false, "knows %s already", name);
        return;
    case EXCHANGE_REFUSED:
        stage_note(stage, "broker", false, "refused %s", name);
        return;
    case EXCHANGE_REPLAYED:
        stage_note(stage, "broker", false, "gives its first answer about %s again", name);
        return;
    case EXCHANGE_RESENT:
        stage_note(stage, "broker", false, "knows %s already, and tells how it stands", name);
        return;
    case EXCHANGE_BUSY:
        stage_note(stage, "broker", false, "is busy with %s", name);
        return;
    case EXCHANGE_DROPPED:
        stage_note(stage, "broker", false, "drops %s without a word", name);
        return;
    }
}

void stage_notice_deliveries(struct stage *stage) {
    const struct exchange *exchange = &stage->world.exchange;
    while (stage->noticed < exchange->delivery_count) {
        const struct exchange_delivery *delivery = &exchange->deliveries[stage->noticed++];
        int decision = judge_attribute(&stage->judge, delivery->symbol, delivery->side,
                                       delivery->qty_nanos, delivery->limit_nanos);
        if (decision >= 0)
            stage->judge.decisions[decision].arrived++;
        note_delivery(stage, decision < 0 ? "an order" : stage->judge.decisions[decision].name,
                      delivery);
        stage_changed(stage);
        stage->outside.delivered(stage->outside.ctx, decision);
    }
}

static void notice_cancel(struct stage *stage, const char *order_id) {
    const struct exchange_order *order = exchange_order_by_id(&stage->world.exchange, order_id);
    if (order != NULL)
        stage_note(stage, "broker", false, "was asked to cancel %s: it is %s", order->told.id,
                   order->told.status_text);
    stage_changed(stage);
}

static void port_after(void *ctx, const struct port_call *call) {
    struct stage *stage = ctx;
    unsigned occurrence = stage->occurrences[site_index(call->site)];
    bool inside = shortage_inside(false);
    stage_notice_deliveries(stage);
    if (call->site.op == SITE_BROKER_CANCEL)
        notice_cancel(stage, call->ref);
    if (!stage->port.dead)
        stage->outside.passed(stage->outside.ctx, call, occurrence);
    shortage_inside(inside);
}

static void port_replied(void *ctx, const struct port_reply *reply) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    stage_mark(stage, CHAIN_REPLY + reply->delivered, reply->found);
    judge_replied(&stage->judge, &stage->world, reply);
    shortage_inside(inside);
}

static void port_posted(void *ctx, const struct broker_request *request, unsigned posts) {
    struct stage *stage = ctx;
    int decision = judge_attribute_request(&stage->judge, request);
    bool inside = shortage_inside(false);
    stage_mark(stage, CHAIN_POSTED + posts, (uint64_t)request->qty_nanos);
    stage_note(stage, "oms", false, "send %s",
               decision < 0 ? request->symbol : stage->judge.decisions[decision].name);
    judge_posted(&stage->judge, &stage->world, STAGE_STORE, request, posts);
    stage->outside.left(stage->outside.ctx, decision);
    shortage_inside(inside);
}

/* ---- time passes, also in the middle of a call ---- */

int64_t stage_now(void *ctx) {
    const struct stage *stage = ctx;
    return stage->world.now_ns;
}

static void deliver_flight(struct stage *stage) {
    struct flight flight;
    world_take_flight(&stage->world, &flight);
    if (flight.length > 0)
        wire_deliver(stage->config.wire, &stage->wire_exchange, flight.due_ns, flight.bytes,
                     flight.length);
    else
        world_deliver(&stage->world, &flight);
    if (flight.length > 0)
        world_disown_copy(&stage->world, &flight);
    stage_notice_deliveries(stage);
    if (flight.is_cancel)
        notice_cancel(stage, flight.order_id);
}

bool stage_outside_happens(struct stage *stage, int64_t until_ns, bool checks) {
    bool after_oms = false;
    int64_t next_ns = stage->outside.next(stage->outside.ctx, &after_oms);
    int64_t flight_ns = world_next_flight(&stage->world);
    int64_t at_ns = flight_ns < next_ns ? flight_ns : next_ns;
    if (at_ns == INT64_MAX || at_ns > until_ns ||
        (at_ns == until_ns && flight_ns > at_ns && after_oms && !checks))
        return false;
    if (at_ns > stage->world.now_ns)
        stage->world.now_ns = at_ns;
    stage_mark(stage, CHAIN_OUTSIDE, (uint64_t)stage->world.now_ns);
    if (flight_ns <= next_ns)
        deliver_flight(stage);
    else
        stage->outside.happen(stage->outside.ctx);
    return true;
}

static void port_wait(void *ctx, int64_t until_ns) {
    struct stage *stage = ctx;
    bool inside = shortage_inside(false);
    while (!stage->port.dead && stage_outside_happens(stage, until_ns, false)) {
    }
    if (!stage->port.dead && until_ns > stage->world.now_ns)
        stage->world.now_ns = until_ns;
    shortage_inside(inside);
}

void stage_outlives(struct stage *stage, const struct broker_request *request, int64_t by_ns) {
    struct flight flight = {.due_ns = stage->world.now_ns + by_ns, .request = *request};
    port_posted(stage, request, 1);
    world_send(&stage->world, &flight);
}

void stage_wait(struct stage *stage, int64_t until_ns) {
    CHECK(stage->oms == NULL);
    while (!stage->boot_due && stage_outside_happens(stage, until_ns, true)) {
    }
    if (!stage->boot_due && until_ns > stage->world.now_ns)
        stage->world.now_ns = until_ns;
}

/* An OMS that goes on for ever after its death cannot be unwound: this run, and with it the whole
 * program, ends here. */
static void port_endless(void *ctx) {
    const struct stage *stage = ctx;
    fprintf(stderr,
            "crashgate: I12 broke: %s has made %d calls to its ports after it died (life %u, crash "
            "ordered by line %d) and does not end\n",
            stage->config.sut->name, PORT_DEAD_CALLS_ENDLESS, stage->life, stage->line);
    exit(1);
}

/* ---- the OMS's environment ---- */

static int64_t env_now(void *ctx) {
    const struct stage *stage = ctx;
    return world_wall_ns(&stage->world);
}

/* Nobody sets the world's own time. */
static int64_t env_steady(void *ctx) {
    const struct stage *stage = ctx;
    return stage->world.now_ns;
}

static enum oms_halt_file env_halt_file(void *ctx) {
    struct stage *stage = ctx;
    judge_halt_asked(&stage->judge, &stage->world);
    return stage->world.halt_file;
}

static void note_event(struct stage *stage, const struct oms_event *event) {
    const char *name = decision_name(stage, event->decision_id);
    if (event->phase == OMS_BEFORE || event->kind == OMS_EVENT_SEND)
        return;
    if (event->kind == OMS_EVENT_CHECK)
        stage_note(stage, "oms", false, "check %s -> %s", name,
                   event->known ? "present" : "absent");
    else
        stage_note(stage, "oms", false, "%s%s%s%s%s", oms_event_name(event->kind),
                   name[0] != '\0' ? " " : "", name, event->text[0] != '\0' ? ": " : "",
                   event->text);
}

static void env_emit(void *ctx, const struct oms_event *event) {
    struct stage *stage = ctx;
    bool inside = false;
    if (!port_alive(&stage->port))
        return;
    inside = shortage_inside(false);
    stage_mark_text(stage, CHAIN_TOLD + (uint64_t)event->kind * 2 + (uint64_t)event->phase,
                    hash_text(hash_text(event->known, event->decision_id), event->text),
                    event->text);
    note_event(stage, event);
    if (event->kind == OMS_EVENT_RECONCILE && event->phase == OMS_AFTER &&
        stage->recovered_ns < stage->restarted_ns)
        stage->recovered_ns = stage->world.now_ns;
    stage->outside.told(stage->outside.ctx, event);
    shortage_inside(inside);
}

/* ---- all of it ---- */

void stage_connect(struct stage *stage, struct port *port) {
    *port = (struct port){.ctx = stage,
                          .before = port_before,
                          .after = port_after,
                          .replied = port_replied,
                          .endless = port_endless,
                          .posted = port_posted,
                          .wait = port_wait,
                          .now = stage_now};
}

void stage_ports(struct stage *stage, const char *vfs, struct port *port, struct sut_ports *ports) {
    *ports = (struct sut_ports){.vfs = vfs,
                                .path = STAGE_STORE,
                                .env = {.ctx = stage,
                                        .now_ns = env_now,
                                        .steady_ns = env_steady,
                                        .halt_file = env_halt_file,
                                        .emit = env_emit}};
    if (stage->config.door == STAGE_WIRE) {
        ports->io = &stage->io;
        ports->url = "http://127.0.0.1:8080";
    } else {
        stage->broker = direct_broker(&stage->direct, &stage->world, port);
        ports->broker = &stage->broker;
    }
}
