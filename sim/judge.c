/* The judge: decisions and whose orders are whose, what the OMS's user saw, the exchange's books. */
#include "sim/judge.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/judge_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const meanings[] = {"",
#define X(number, meaning) (meaning),
                                       INVARIANTS(X)
#undef X
};

const char *invariant_meaning(int number) {
    CHECK(number >= 1 && number <= INVARIANT_COUNT);
    return meanings[number];
}

/* Few decisions are looked through one by one. */
enum { PLACES = 1024, FEW_DECISIONS = 16 };

void judge_init(struct judge *judge, const struct sut *sut, unsigned claims) {
    *judge = (struct judge){.sut = sut, .claims = claims};
}

void judge_copy(struct judge *to, const struct judge *from) {
    *to = *from;
    to->decisions = check_copy(from->decisions, from->decision_count, sizeof *from->decisions);
    to->decision_cap = from->decision_count;
    if (from->places != NULL)
        to->places = check_copy(from->places, PLACES, sizeof *from->places);
    to->disputed = check_copy(from->disputed, from->disputed_count, sizeof *from->disputed);
    to->disputed_cap = from->disputed_count;
}

void judge_free(struct judge *judge) {
    free(judge->decisions);
    free(judge->places);
    free(judge->disputed);
    *judge = (struct judge){0};
}

static int *place_of(const struct judge *judge, const char *symbol, enum broker_side side,
                     int64_t qty_nanos, int64_t limit_nanos) {
    uint64_t hash = hash_u64(hash_text((uint64_t)side, symbol), (uint64_t)qty_nanos);
    return &judge->places[hash_u64(hash, (uint64_t)limit_nanos) % PLACES];
}

static void put_in_place(struct judge *judge, size_t index) {
    struct judged *judged = &judge->decisions[index];
    const struct oms_decision *decision = &judged->decision;
    int *place = place_of(judge, decision->symbol, decision->side, decision->qty_nanos,
                          decision->limit_nanos);
    judged->next = *place;
    *place = (int)index;
}

static void find_places(struct judge *judge) {
    judge->places = check_alloc(PLACES * sizeof *judge->places);
    for (size_t i = 0; i < PLACES; i++)
        judge->places[i] = -1;
    for (size_t i = 0; i < judge->decision_count; i++)
        put_in_place(judge, i);
}

size_t judge_add(struct judge *judge, const char *name, const struct oms_decision *decision) {
    struct judged *judged = NULL;
    CHECK_ROOM(judge->decisions, judge->decision_count, judge->decision_cap, JUDGE_DECISIONS_MAX);
    judged = &judge->decisions[judge->decision_count];
    *judged = (struct judged){.decision = *decision};
    snprintf(judged->name, sizeof judged->name, "%s", name);
    judge->decision_count++;
    if (judge->places != NULL)
        put_in_place(judge, judge->decision_count - 1);
    else if (judge->decision_count > FEW_DECISIONS)
        find_places(judge);
    return judge->decision_count - 1;
}

void judge_broke(struct judge *judge, int invariant, const struct world *world, const char *format,
                 ...) {
    va_list args;
    if (judge->first.invariant != 0 || (judge->claims & INVARIANT_BIT(invariant)) == 0)
        return;
    judge->first.invariant = invariant;
    judge->first.at_ns = world->now_ns;
    va_start(args, format);
    vsnprintf(judge->first.text, sizeof judge->first.text, format, args);
    va_end(args);
}

static bool is_payload(const struct oms_decision *decision, const char *symbol,
                       enum broker_side side, int64_t qty_nanos, int64_t limit_nanos) {
    return decision->qty_nanos == qty_nanos && decision->limit_nanos == limit_nanos &&
           decision->side == side && strcmp(decision->symbol, symbol) == 0;
}

int judge_attribute(const struct judge *judge, const char *symbol, enum broker_side side,
                    int64_t qty_nanos, int64_t limit_nanos) {
    if (judge->places != NULL) {
        int at = *place_of(judge, symbol, side, qty_nanos, limit_nanos);
        while (at >= 0 &&
               !is_payload(&judge->decisions[at].decision, symbol, side, qty_nanos, limit_nanos))
            at = judge->decisions[at].next;
        return at;
    }
    for (size_t i = 0; i < judge->decision_count; i++) {
        if (is_payload(&judge->decisions[i].decision, symbol, side, qty_nanos, limit_nanos))
            return (int)i;
    }
    return -1;
}

int judge_attribute_request(const struct judge *judge, const struct broker_request *request) {
    return judge_attribute(judge, request->symbol, request->side, request->qty_nanos,
                           request->limit_nanos);
}

int judge_order_decision(const struct judge *judge, const struct exchange_order *order) {
    if (order->foreign || order->lost)
        return -1;
    return judge_attribute(judge, order->told.symbol, order->told.side, order->told.qty_nanos,
                           order->told.limit_nanos);
}

const struct exchange_order *judge_order_of(const struct judge *judge, const struct world *world,
                                            size_t decision) {
    for (size_t i = 0; i < world->exchange.order_count; i++) {
        if (judge_order_decision(judge, &world->exchange.orders[i]) == (int)decision)
            return &world->exchange.orders[i];
    }
    return NULL;
}

unsigned judge_orders(const struct judge *judge, const struct world *world, size_t decision) {
    unsigned count = 0;
    for (size_t i = 0; i < world->exchange.order_count; i++)
        count += judge_order_decision(judge, &world->exchange.orders[i]) == (int)decision;
    return count;
}

void judge_count_orders(struct judge *judge, const struct world *world) {
    if (judge->counted == world->exchange.version + 1)
        return;
    judge->counted = world->exchange.version + 1;
    for (size_t i = 0; i < judge->decision_count; i++) {
        judge->decisions[i].orders = 0;
        judge->decisions[i].executed = 0;
    }
    for (size_t i = 0; i < world->exchange.order_count; i++) {
        int decision = judge_order_decision(judge, &world->exchange.orders[i]);
        if (decision < 0)
            continue;
        judge->decisions[decision].orders++;
        judge->decisions[decision].executed += world->exchange.orders[i].told.filled_nanos;
    }
}

/* ---- what the OMS believes ---- */

const struct oms_order *view_order(const struct oms_view *view, const char *decision_id) {
    for (size_t i = 0; i < view->order_count; i++) {
        if (strcmp(view->orders[i].decision.id, decision_id) == 0)
            return &view->orders[i];
    }
    return NULL;
}

const struct oms_position *view_position(const struct oms_view *view, const char *symbol) {
    for (size_t i = 0; i < view->position_count; i++) {
        if (strcmp(view->positions[i].symbol, symbol) == 0)
            return &view->positions[i];
    }
    return NULL;
}

/* ---- what the OMS's user saw ---- */

void judge_presented(struct judge *judge, const struct world *world, size_t decision) {
    struct judged *judged = &judge->decisions[decision];
    judged->refused = false;
    if (judged->presented_ns == 0)
        judged->presented_ns = world->now_ns;
}

void judge_answered(struct judge *judge, size_t decision, enum sut_answer answer) {
    struct judged *judged = &judge->decisions[decision];
    judged->pending = answer == SUT_PENDING;
    switch (answer) {
    case SUT_TAKEN:
    case SUT_KNOWN:
        judged->acknowledged = true;
        return;
    case SUT_NOT_TAKEN:
        /* "Not taken" about something acknowledged earlier takes nothing back. */
        judged->refused = !judged->acknowledged;
        return;
    case SUT_PENDING:
    case SUT_UNKNOWN:
        return;
    }
}

void judge_cancel(struct judge *judge, size_t decision) {
    /* Only an order the OMS took on can be canceled; for others it has nothing to remember. */
    judge->decisions[decision].cancel_acknowledged = judge->decisions[decision].acknowledged;
}

void judge_resolved(struct judge *judge, size_t decision) {
    judge->decisions[decision].resolved = true;
}

void judge_misled(struct judge *judge, size_t decision) {
    judge->decisions[decision].misled = true;
}

void judge_operator(struct judge *judge, bool on, bool acknowledged) {
    judge->released = judge->released || !on;
    if (!acknowledged) {
        judge->kill_switch_doubtful = judge->kill_switch_doubtful || judge->kill_switch != on;
        return;
    }
    judge->kill_switch = on;
    judge->kill_switch_doubtful = false;
}

void judge_halt_asked(struct judge *judge, const struct world *world) {
    judge->halt_denied = world->halt_file == OMS_HALT_ABSENT;
    judge->halt_denied_ns = world->now_ns;
}

uint64_t judge_memory(const struct judge *judge) {
    uint64_t hash = hash_u64(judge->kill_switch + 2u * judge->damaged + 4u * judge->clock_jumped +
                                 8u * judge->released + 16u * judge->clock_went_back,
                             judge->kill_switch_doubtful);
    hash =
        hash_u64(hash_u64(hash, (uint64_t)judge->ahead_least_ns), (uint64_t)judge->ahead_most_ns);
    for (size_t i = 0; i < judge->decision_count; i++) {
        const struct judged *judged = &judge->decisions[i];
        hash = hash_u64(hash, judged->jumped_seen * 4096u + judged->jumped_unseen * 2048u +
                                  judged->misled * 1024u + judged->resolved * 512u +
                                  judged->left_once * 256u + judged->lost_on_record * 128u +
                                  judged->forgotten * 64u + judged->acknowledged * 32u +
                                  judged->cancel_acknowledged * 16u + judged->refused * 8u +
                                  judged->refusable * 4u + judged->refusal_recorded * 2u +
                                  judged->doubtful);
        hash = judged->unrecognised > 0 ? hash_u64(hash, judged->unrecognised) : hash;
    }
    return hash;
}

/* ---- the exchange's books, after anything that changed them ---- */

/* "O1, O2": the orders of a decision. */
static void list_orders(const struct judge *judge, const struct world *world, int decision,
                        char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < world->exchange.order_count && used < size - 24; i++) {
        if (judge_order_decision(judge, &world->exchange.orders[i]) == decision)
            used += (size_t)snprintf(out + used, size - used, "%s%.20s", used > 0 ? ", " : "",
                                     world->exchange.orders[i].told.id);
    }
}

static void judge_decision_books(struct judge *judge, const struct world *world, size_t index) {
    const struct judged *judged = &judge->decisions[index];
    unsigned count = judged->orders + judged->lost_on_record;
    char orders[120];
    if (count > 1 + judged->unrecognised) {
        list_orders(judge, world, (int)index, orders, sizeof orders);
        judge_broke(judge, 1, world, "%u orders accepted for %s (%s)%s", count, judged->name,
                    orders,
                    judged->lost_on_record ? ", and one before them that the broker has lost" : "");
    }
    if (judged->executed > judged->decision.qty_nanos * (1 + (decimal_wide)judged->unrecognised))
        judge_broke(judge, 2, world, "more was executed for %s than was decided", judged->name);
}

void judge_books(struct judge *judge, const struct world *world) {
    if (judge->last_version == world->exchange.version)
        return;
    judge->last_version = world->exchange.version;
    for (size_t i = 0; i < world->exchange.order_count; i++) {
        const struct exchange_order *order = &world->exchange.orders[i];
        judge->foreign = judge->foreign || order->foreign;
        if (!order->foreign && !order->lost && judge_order_decision(judge, order) < 0)
            judge_broke(judge, 1, world, "the broker accepted %s, which nobody decided",
                        order->told.id);
    }
    judge_count_orders(judge, world);
    for (size_t i = 0; i < judge->decision_count; i++)
        judge_decision_books(judge, world, i);
}
