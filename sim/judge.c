/* The judge's rules, one function per occasion, in the order of the invariants. */
#include "sim/judge.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/judge_rules.h"
#include "sim/outcomes.h"

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

/* Fills in `orders` and `executed` of every decision. */
static void count_orders(struct judge *judge, const struct world *world) {
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

/* ---- an order leaves ---- */

const struct oms_order *view_order(const struct oms_view *view, const char *decision_id) {
    for (size_t i = 0; i < view->order_count; i++) {
        if (strcmp(view->orders[i].decision.id, decision_id) == 0)
            return &view->orders[i];
    }
    return NULL;
}

static bool view_knows(const struct peek *peek, const char *decision_id) {
    for (size_t i = 0; i < peek->view.order_count; i++) {
        if (strcmp(peek->view.orders[i].decision.id, decision_id) == 0)
            return true;
    }
    return false;
}

/* I14: whatever a power loss at this moment keeps, the intent is among it. */
static void judge_durable(struct judge *judge, struct world *world, const char *path,
                          const struct judged *judged) {
    bool reduced = false;
    unsigned outcomes = disk_power_outcomes(world->disk, &reduced);
    if ((judge->claims & INVARIANT_BIT(14)) == 0)
        return;
    for (unsigned i = 0; i < outcomes; i++) {
        struct disk *after = disk_copy(world->disk);
        char name[DISK_OUTCOME_SIZE];
        bool known = false;
        disk_power(after, i);
        known = view_knows(peek_at(judge->sut, after, path), judged->decision.id);
        disk_free(after);
        if (!known) {
            judge_broke(
                judge, 14, world,
                "an order for %s leaves, and a power loss now (keep=%s) would forget its intent",
                judged->name, disk_outcome_name(world->disk, i, name, sizeof name));
            return;
        }
    }
}

/* What the OMS could read in its own store when it sent. */
static void judge_against_store(struct judge *judge, const struct world *world, const char *path,
                                const struct judged *judged) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    const struct oms_order *order = view_order(&peek->view, judged->decision.id);
    if (order != NULL && order->state == OMS_STATE_REJECTED)
        judge_broke(judge, 5, world, "%s is rejected in the store, and is sent again",
                    judged->name);
    if (peek->view.kill_switch)
        judge_broke(judge, 6, world, "%s is sent while the store says that the kill switch is on",
                    judged->name);
}

/* I1 before it breaks at the broker: where it does not refuse a second order, only the first request
 * may leave, whatever became of that. What its store was made to forget no OMS can know. */
static void judge_once_only(struct judge *judge, const struct world *world, struct judged *judged) {
    if (world->exchange.profile->deduplicates)
        return;
    if (judged->left_once && !judged->forgotten && !judge_may_have_forgotten(judge))
        judge_broke(judge, 1, world,
                    "%s is sent a second time, to a broker that would take it for a second order",
                    judged->name);
    judged->left_once = true;
}

/* Whether the broker has lost an order of this decision: that none is there was no refusal. */
static bool loses_any(const struct judge *judge, const struct world *world, int decision) {
    const struct exchange *exchange = &world->exchange;
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct broker_order *told = &exchange->orders[i].told;
        if (exchange->orders[i].lost &&
            judge_attribute(judge, told->symbol, told->side, told->qty_nanos, told->limit_nanos) ==
                decision)
            return true;
    }
    return false;
}

/* Whether a store that forgot it may say that nothing is missing: a sync lied, and what was written
 * later, a comparison say, is there. */
static bool is_hidden_by_a_lie(const struct judge *judge, const struct judged *judged) {
    return judged->forgotten && (judge->suspends & INVARIANT_BIT(14)) != 0;
}

/* What its store was made to forget no comparison shows while the broker's queries miss what is fresh. */
static bool is_hidden_by_lag(const struct judge *judge, const struct world *world,
                             const struct judged *judged) {
    const struct exchange_order *order =
        judge_order_of(judge, world, (size_t)(judged - judge->decisions));
    return judged->forgotten && order != NULL &&
           world->now_ns < order->told.submitted_ns + world->exchange.profile->query_lag_ns;
}

/* Whether the store, made to forget, knows of fewer sends than left before this one: it has reserved this
 * one, too. */
static bool sends_are_forgotten(const struct judge *judge, struct world *world, const char *path,
                                const struct judged *judged) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    const struct oms_order *order = view_order(&peek->view, judged->decision.id);
    return judge_may_have_forgotten(judge) && order != NULL &&
           (unsigned)order->sends <= judged->posts;
}

/* What its store was made to forget, no OMS can recognise at a broker without ids; nor, where the store
 * does not know that it forgot, does it look before it sends to a broker that takes a second order. */
static bool cannot_recognise(const struct judge *judge, struct world *world, const char *path,
                             const struct judged *judged) {
    const struct profile *profile = world->exchange.profile;
    if (!profile->knows_ids)
        return judged->forgotten || sends_are_forgotten(judge, world, path, judged);
    return judged->forgotten && !profile->deduplicates && is_hidden_by_a_lie(judge, judged);
}

static void judge_allowed(struct judge *judge, struct world *world, const char *path,
                          const struct judged *judged) {
    if (judged->refused)
        judge_broke(judge, 13, world,
                    "%s was answered 'not taken', and is sent without being presented "
                    "again",
                    judged->name);
    if (judged->refusal_recorded)
        judge_broke(judge, 5, world, "%s is recorded as rejected, and is sent again", judged->name);
    if (judged->refusal_told)
        judge_broke(judge, 5, world, "%s is sent again in the life that was told of its refusal",
                    judged->name);
    if (judged->refusable && !loses_any(judge, world, (int)(judged - judge->decisions)) &&
        judged->posts_this_life > judged->refusals_lost_this_life)
        judge_broke(judge, 5, world, "%s was refused, and is sent more than once more in one life",
                    judged->name);
    if (judge->kill_switch && !judge->kill_switch_doubtful)
        judge_broke(judge, 6, world, "%s is sent while the kill switch is on", judged->name);
    /* A file that appears between the look and the send can be seen by nobody. */
    if (world->halt_file != OMS_HALT_ABSENT &&
        !(judge->halt_denied && judge->halt_denied_ns == world->now_ns))
        judge_broke(judge, 6, world, "%s is sent while the halt file %s", judged->name,
                    world->halt_file == OMS_HALT_PRESENT ? "is there" : "cannot be read");
    if (judged->doubtful && !cannot_recognise(judge, world, path, judged) &&
        !is_hidden_by_a_lie(judge, judged) && !is_hidden_by_lag(judge, world, judged))
        judge_broke(judge, 9, world,
                    "%s may be live and no complete answer said it is not; it is sent "
                    "again",
                    judged->name);
    if (!judge->life_intact)
        judge_broke(judge, 10, world, "%s is sent from a store that failed its integrity check",
                    judged->name);
}

void judge_posted(struct judge *judge, struct world *world, const char *path,
                  const struct broker_request *request, unsigned posts) {
    int decision = judge_attribute(judge, request->symbol, request->side, request->qty_nanos,
                                   request->limit_nanos);
    struct judged *judged = NULL;
    if (posts > 1)
        judge_broke(judge, 11, world, "one submit call sent %u requests for %s %s", posts,
                    broker_side_name(request->side), request->symbol);
    if (decision < 0) {
        judge_broke(judge, 1, world, "an order leaves that nobody decided: %s %s",
                    broker_side_name(request->side), request->symbol);
        return;
    }
    judged = &judge->decisions[decision];
    judge_once_only(judge, world, judged);
    judge_allowed(judge, world, path, judged);
    judge_against_store(judge, world, path, judged);
    judge_durable(judge, world, path, judged);
    judged->unrecognised += judged->posts > 0 && cannot_recognise(judge, world, path, judged);
    judged->posts++;
    judged->posts_this_life++;
    judged->doubtful = true;
    snprintf(judged->client_order_id, sizeof judged->client_order_id, "%s",
             request->client_order_id);
}

static void submit_replied(struct judge *judge, const struct world *world,
                           const struct port_reply *reply) {
    const struct broker_request *request = reply->call->request;
    int decision = judge_attribute(judge, request->symbol, request->side, request->qty_nanos,
                                   request->limit_nanos);
    struct judged *judged = decision < 0 ? NULL : &judge->decisions[decision];
    bool accepted = judged != NULL && reply->found && reply->delivered;
    bool refused = judged != NULL && !reply->found && !loses_any(judge, world, decision) &&
                   judge_orders(judge, world, (size_t)decision) == 0;
    if (accepted)
        judged->acceptance_told = true;
    if (!refused)
        return;
    judged->refusable = true;
    judged->refusal_told = judged->refusal_told || reply->delivered;
    judged->refusals_lost_this_life += !reply->delivered;
}

/* A complete answer about what the exchange holds clears the doubt about what it does not hold. */
void judge_replied(struct judge *judge, const struct world *world, const struct port_reply *reply) {
    enum site_op op = reply->call->site.op;
    if (op == SITE_BROKER_SUBMIT)
        submit_replied(judge, world, reply);
    if (!reply->delivered)
        return;
    if (op == SITE_BROKER_ORDERS)
        count_orders(judge, world);
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        if (op == SITE_BROKER_LOOKUP && !reply->found &&
            strcmp(judged->client_order_id, reply->call->ref) == 0)
            judged->doubtful = false;
        if (op == SITE_BROKER_ORDERS && judged->orders == 0)
            judged->doubtful = false;
    }
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
    count_orders(judge, world);
    for (size_t i = 0; i < judge->decision_count; i++)
        judge_decision_books(judge, world, i);
}

/* ---- a life begins ---- */

/* Where I7 is suspended, what the store forgot is as if nobody had ever said it: the judge asks no
 * more of the OMS than it can know. */
static void follow_store(struct judge *judge, const struct oms_view *view) {
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        const struct oms_order *order = view_order(view, judged->decision.id);
        judged->forgotten =
            order == NULL && (judged->forgotten || judged->acknowledged || judged->posts > 0);
        judged->acknowledged = judged->acknowledged && order != NULL;
        judged->cancel_acknowledged =
            judged->cancel_acknowledged && order != NULL && order->cancel_asked;
        judged->refusal_recorded =
            judged->refusal_recorded && order != NULL && order->state == OMS_STATE_REJECTED;
        judged->resolved = judged->resolved && order != NULL && order->state != OMS_STATE_HELD;
        judged->lost_on_record =
            judged->lost_on_record && order != NULL && order->broker_order_id[0] != '\0';
    }
    judge->kill_switch = view->kill_switch;
}

/* Whether a request of this decision left, and may still arrive, or be shown to who asks for it. */
static bool is_out(const struct judge *judge, const struct world *world, size_t decision) {
    const struct judged *judged = &judge->decisions[decision];
    const struct exchange_order *order = judge_order_of(judge, world, decision);
    bool fresh = order != NULL &&
                 world->now_ns < order->told.submitted_ns + world->exchange.profile->query_lag_ns;
    return judged->posts > 0 && (judged->posts > judged->arrived || fresh);
}

void judge_clock_jumps(struct judge *judge, const struct world *world, int64_t by_ns, bool seen) {
    int64_t ahead_ns = world->ahead_ns;
    judge->clock_jumped = true;
    judge->life_wall_ns = INT64_MAX;
    judge->clock_went_back = judge->clock_went_back || by_ns < 0;
    judge->ahead_least_ns = ahead_ns < judge->ahead_least_ns ? ahead_ns : judge->ahead_least_ns;
    judge->ahead_most_ns = ahead_ns > judge->ahead_most_ns ? ahead_ns : judge->ahead_most_ns;
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        bool *jumped = seen ? &judged->jumped_seen : &judged->jumped_unseen;
        *jumped = *jumped || is_out(judge, world, i);
    }
}

/* What a store may say for sure: what every power loss at this moment would leave, and reads show.
 */
static bool says_rejected(const struct oms_view *view, const struct judged *judged) {
    const struct oms_order *order = view_order(view, judged->decision.id);
    return order != NULL && order->state == OMS_STATE_REJECTED;
}

static bool says_broker_has_it(const struct oms_view *view, const struct judged *judged) {
    const struct oms_order *order = view_order(view, judged->decision.id);
    return order != NULL && order->broker_order_id[0] != '\0';
}

static bool says_on(const struct oms_view *view, const struct judged *judged) {
    (void)judged;
    return view->kill_switch;
}

static bool says_off(const struct oms_view *view, const struct judged *judged) {
    (void)judged;
    return !view->kill_switch;
}

static bool is_sure(const struct judge *judge, const struct world *world, const char *path,
                    bool (*says)(const struct oms_view *view, const struct judged *judged),
                    const struct judged *judged) {
    struct outcomes outcomes;
    bool sure = says(&peek_at(judge->sut, world->disk, path)->view, judged);
    if (!sure || disk_is_clean(world->disk))
        return sure;
    outcomes_pick(world->disk, &outcomes);
    for (unsigned i = 0; i < outcomes.count && sure; i++) {
        struct disk *after = disk_copy(world->disk);
        disk_power(after, outcomes.which[i]);
        sure = says(&peek_at(judge->sut, after, path)->view, judged);
        disk_free(after);
    }
    outcomes_free(&outcomes);
    return sure;
}

/* What a failed commit left to be read, an OMS that stopped over it never knew. */
void judge_broker_loses(struct judge *judge, struct world *world, const char *path,
                        size_t decision) {
    struct judged *judged = &judge->decisions[decision];
    judged->lost_on_record =
        judged->lost_on_record || is_sure(judge, world, path, says_broker_has_it, judged);
}

/* The switch as the store has it. What only reads show may be gone after a power loss. */
static void remember_switch(struct judge *judge, const struct world *world, const char *path,
                            bool on) {
    if (judge->kill_switch && !judge->kill_switch_doubtful && !on)
        judge_broke(judge, 6, world, "the kill switch was on, and the store says it is off");
    judge->kill_switch = on;
    judge->kill_switch_doubtful = !is_sure(judge, world, path, on ? says_on : says_off, NULL);
}

static void remembers(struct judge *judge, const struct world *world, const char *path,
                      const struct peek *peek) {
    bool on = peek->view.kill_switch; /* before the next look at a store */
    if (judge->suspends & INVARIANT_BIT(7))
        follow_store(judge, &peek->view);
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        const struct oms_order *order = view_order(&peek->view, judged->decision.id);
        if (judged->acknowledged && order == NULL)
            judge_broke(judge, 7, world, "%s was acknowledged, and the store no longer knows it",
                        judged->name);
        if (judged->cancel_acknowledged && order != NULL && !order->cancel_asked &&
            !oms_state_is_final(order->state))
            judge_broke(judge, 7, world,
                        "the cancel of %s was acknowledged, and the store forgot it", judged->name);
        if (judged->resolved && order != NULL && order->state == OMS_STATE_HELD)
            judge_broke(judge, 7, world,
                        "an operator resolved %s and was told so, and the store says it is held",
                        judged->name);
    }
    /* From here on `peek` is another look. */
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        judged->refusal_recorded =
            judged->refusal_recorded || is_sure(judge, world, path, says_rejected, judged);
    }
    remember_switch(judge, world, path, on);
}

const struct oms_position *view_position(const struct oms_view *view, const char *symbol) {
    for (size_t i = 0; i < view->position_count; i++) {
        if (strcmp(view->positions[i].symbol, symbol) == 0)
            return &view->positions[i];
    }
    return NULL;
}

static void dispute(struct judge *judge, const char *symbol) {
    CHECK_ROOM(judge->disputed, judge->disputed_count, judge->disputed_cap, JUDGE_SYMBOLS_MAX);
    snprintf(judge->disputed[judge->disputed_count++], BROKER_SYMBOL_SIZE, "%s", symbol);
}

/* Before the first life: positions that the two sides were given differently. */
static void compare_openings(struct judge *judge, const struct world *world,
                             const struct oms_view *view) {
    for (size_t i = 0; i < world->exchange.position_count; i++) {
        const struct exchange_position *position = &world->exchange.positions[i];
        const struct oms_position *own = view_position(view, position->symbol);
        if (own == NULL || own->qty_nanos != position->qty_nanos || own->cost != position->cost)
            dispute(judge, position->symbol);
    }
    for (size_t i = 0; i < view->position_count; i++) {
        if (exchange_position(&world->exchange, view->positions[i].symbol) == NULL)
            dispute(judge, view->positions[i].symbol);
    }
}

void judge_life(struct judge *judge, struct world *world, const char *path) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    judge->life_intact = peek->intact;
    judge->halt_denied = false;
    if (!judge->begun)
        compare_openings(judge, world, &peek->view);
    judge->begun = true;
    judge->lives++;
    judge->life_ns = world->now_ns;
    judge->life_wall_ns = world_wall_ns(world);
    if (peek->readable)
        remembers(judge, world, path, peek);
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        judged->pending = false;
        judged->posts_this_life = 0;
        judged->refusal_told = false;
        judged->refusals_lost_this_life = 0;
        judged->acceptance_told = false;
        judged->jumped_unseen =
            judged->jumped_unseen || (judged->jumped_seen && is_out(judge, world, i));
        judged->jumped_seen = false;
    }
}

/* ---- the world is quiet ---- */

/* As many sends as any OMS makes of one order before it asks a person. */
enum { SENDS_ENOUGH = 3 };

/* Whether the broker may have forgotten the first request of this decision, by the OMS's clock: ahead
 * at the end by as much, and at the first send by as little, as it ever was. After a clock went back
 * nobody knows how old a send is. */
static bool is_outlived(const struct judge *judge, const struct world *world,
                        const struct judged *judged) {
    const struct profile *profile = world->exchange.profile;
    int64_t forgets_ns = profile_forgets_ns(profile, judged->presented_ns + judge->ahead_least_ns);
    return forgets_ns != INT64_MAX &&
           (judge->clock_went_back ||
            world->now_ns + judge->ahead_most_ns >= forgets_ns - profile->forget_margin_ns);
}

/* I3: to hold an order that is not at the broker is right only where nobody but a person can decide:
 * where the guarantee is "at most once" a request must have left, or a death have hidden whether one
 * did; where it is "effectively once" the outage must have outlived what the broker remembers, or
 * seem to by a clock that jumped, or the sends be used up (by the store's own count: a death between reservation and request counts as
 * one, and nobody else can know of it). */
static void held_with_cause(struct judge *judge, const struct world *world,
                            const struct judged *judged, const struct oms_order *order) {
    const struct profile *profile = world->exchange.profile;
    if (judge->damaged)
        return;
    if (judged->posts == 0 && judge->lives < 2)
        judge_broke(judge, 3, world, "%s is held for a person, and no request for it ever left",
                    judged->name);
    else if (profile_is_effectively_once(profile) && order->sends < SENDS_ENOUGH &&
             !is_outlived(judge, world, judged))
        judge_broke(judge, 3, world,
                    "%s is held for a person, and broker %s would have let the OMS settle it",
                    judged->name, profile->name);
}

/* Whether the broker has the order that the OMS has on record, be it of a copy of a request. */
static bool is_at_broker(const struct world *world, const struct judged *judged,
                         const struct oms_order *order) {
    const struct exchange *exchange = &world->exchange;
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct exchange_order *there = &exchange->orders[i];
        if (!there->lost && judged->client_order_id[0] != '\0' &&
            strcmp(there->told.id, order->broker_order_id) == 0 &&
            strcmp(there->told.client_order_id, judged->client_order_id) == 0)
            return true;
    }
    return false;
}

/* I3 for one decision: found at the exchange, or ended with a reason, or still barred from leaving.
 */
static void nothing_lost(struct judge *judge, const struct world *world, size_t index, bool barred,
                         const struct oms_order *order) {
    const struct judged *judged = &judge->decisions[index];
    if (judge_order_of(judge, world, index) != NULL)
        return;
    if (order == NULL) {
        if (judged->acknowledged)
            judge_broke(judge, 3, world,
                        "%s was acknowledged, and is neither at the broker nor known",
                        judged->name);
        return;
    }
    if (order->state == OMS_STATE_INTENT && barred)
        return;
    if (order->state == OMS_STATE_WORKING &&
        (judged->lost_on_record || judge_lost_by_broker(world, order)))
        return; /* a person must settle that with the broker */
    if (is_at_broker(world, judged, order))
        return;
    if (!oms_state_is_final(order->state) || order->state == OMS_STATE_FILLED)
        judge_broke(judge, 3, world, "%s is %s for the OMS, and the broker has no order for it",
                    judged->name, oms_state_name(order->state));
    else if (order->reason[0] == '\0')
        judge_broke(judge, 3, world, "%s ended %s without a recorded reason", judged->name,
                    oms_state_name(order->state));
    else if (order->state == OMS_STATE_HELD)
        held_with_cause(judge, world, judged, order);
}

/* I12: what was to be done once nothing stood in the way. */
static void nothing_ignored(struct judge *judge, const struct world *world, size_t index,
                            bool barred, const struct oms_order *order) {
    const struct judged *judged = &judge->decisions[index];
    if (order != NULL && !barred &&
        (order->state == OMS_STATE_INTENT || order->state == OMS_STATE_IN_DOUBT))
        judge_broke(judge, 12, world, "the world is quiet, and %s is still %s", judged->name,
                    oms_state_name(order->state));
    if (order == NULL && !barred && judged->pending && judged->posts_this_life == 0)
        judge_broke(judge, 12, world, "the world is quiet, and nothing was done about %s",
                    judged->name);
}

static bool is_barred(const struct judge *judge, const struct world *world,
                      const struct peek *peek) {
    return judge->kill_switch || peek->view.kill_switch || world->halt_file != OMS_HALT_ABSENT;
}

/* No doubt that a life begins with lasts longer: how far a reservation reaches, how late a request may
 * arrive and a query may miss it, and what slow calls add. */
#define DOUBT_NS INT64_C(120000000000)

bool judge_under_way(struct judge *judge, struct world *world, const char *path) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    const struct profile *profile = world->exchange.profile;
    bool barred = is_barred(judge, world, peek);
    for (size_t i = 0; i < peek->view.order_count; i++) {
        const struct oms_order *order = &peek->view.orders[i];
        if (order->state == OMS_STATE_IN_DOUBT ||
            (order->state == OMS_STATE_INTENT &&
             /* it may have left, and may yet be held */
             (!barred || (order->sends > 0 && world->now_ns < judge->life_ns + DOUBT_NS))) ||
            (order->cancel_asked && !oms_state_is_final(order->state) &&
             !judge_lost_by_broker(world, order) && /* a person must settle that with the broker */
             (profile->tells_executions ||
              !judge_corrected_since(judge, world, &peek->view, order->broker_order_id))))
            return true;
    }
    return false;
}

void judge_quiet(struct judge *judge, struct world *world, const char *path) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    bool barred = false;
    judge_books(judge, world);
    if (!peek->intact)
        judge_broke(judge, 10, world, "the store does not pass its check: %s", peek->why);
    if (!peek->readable)
        return;
    barred = is_barred(judge, world, peek);
    for (size_t i = 0; i < judge->decision_count; i++) {
        const struct oms_order *order = view_order(&peek->view, judge->decisions[i].decision.id);
        nothing_lost(judge, world, i, barred, order);
        nothing_ignored(judge, world, i, barred, order);
        judge_order_agrees(judge, world, &peek->view, i);
    }
    judge_positions_agree(judge, world, &peek->view);
    if (judge->kill_switch && !judge->kill_switch_doubtful && !peek->view.kill_switch)
        judge_broke(judge, 6, world, "the kill switch was on, and the store says it is off");
}

void judge_restless(struct judge *judge, const struct world *world, const char *text) {
    judge_broke(judge, 12, world, "%s", text);
}

/* ---- recovering again ---- */

/* Whether a store was made to forget an order and does not know it: to its OMS that is a stranger's, and
 * what it executes is found by the next comparison. */
static bool has_forgotten(const struct judge *judge, const struct peek *peek) {
    for (size_t i = 0; i < judge->decision_count; i++) {
        if (judge->decisions[i].forgotten &&
            view_order(&peek->view, judge->decisions[i].decision.id) == NULL)
            return true;
    }
    return false;
}

/* Whether a person said that an order is not there, and no id tells that what is there is that order. */
static bool is_led_astray(const struct judge *judge, const struct world *world) {
    for (size_t i = 0; i < judge->decision_count; i++) {
        if (judge->decisions[i].misled && !world->exchange.profile->knows_ids)
            return true;
    }
    return false;
}

enum judge_news judge_expects_news(struct judge *judge, struct world *world, const char *path) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    for (size_t i = 0; i < peek->view.order_count; i++) {
        if (peek->view.orders[i].state == OMS_STATE_INTENT ||
            (peek->view.orders[i].state == OMS_STATE_HELD && !world->exchange.profile->knows_ids))
            return JUDGE_ANY_NEWS;
    }
    /* by a clock that jumped, what is new may be looked for in the wrong hours */
    if (judge->foreign || judge->clock_jumped || has_forgotten(judge, peek) ||
        judge_any_corrected_since(judge, world, &peek->view))
        return JUDGE_ANY_NEWS;
    /* whoever released the switch may have left what tripped it: the next comparison trips it again; and
     * it trips over an order that was called gone */
    return (judge->released || is_led_astray(judge, world)) && !peek->view.kill_switch
               ? JUDGE_SWITCH_NEWS
               : JUDGE_NO_NEWS;
}

/* An order that a switch holds back expires in the course of time, and so it may during the second
 * start as well as before it: that is no change, unless it happens too early. By a clock that jumped
 * nobody can say what is too early. */
static enum oms_state lasting_state(const struct judge *judge, const struct oms_order *order,
                                    const struct world *world) {
    bool due = order->decision.expires_ns != 0 &&
               (judge->clock_jumped || world_wall_ns(world) >= order->decision.expires_ns);
    if (order->state == OMS_STATE_EXPIRED && order->broker_order_id[0] == '\0' && due)
        return OMS_STATE_INTENT;
    return order->state;
}

/* By a clock that jumped some start finds that an execution of this symbol was corrected, and perhaps
 * not the next one. */
static bool is_found_at_times(const struct judge *judge, const struct world *world,
                              const char *symbol) {
    for (size_t i = 0; judge->clock_jumped && i < world->exchange.fill_count; i++) {
        const struct broker_fill *fill = &world->exchange.fills[i];
        if (fill->refers[0] != '\0' && strcmp(fill->symbol, symbol) == 0)
            return true;
    }
    return false;
}

static uint64_t meaning_of_order(const struct judge *judge, const struct world *world,
                                 const struct oms_order *order, uint64_t hash) {
    hash = hash_text(hash_text(hash, order->decision.id), order->client_order_id);
    hash = hash_text(hash, order->broker_order_id);
    if (is_found_at_times(judge, world, order->decision.symbol))
        return hash;
    hash = hash_u64(hash, (uint64_t)lasting_state(judge, order, world));
    return hash_u64(hash_u64(hash, (uint64_t)order->filled_nanos), order->cancel_asked);
}

static uint64_t hash_wide(uint64_t hash, decimal_wide value) {
    return hash_u64(hash_u64(hash, (uint64_t)value), (uint64_t)(value >> 64));
}

struct judge_meaning judge_meaning(struct judge *judge, struct world *world, const char *path) {
    const struct peek *peek = peek_at(judge->sut, world->disk, path);
    uint64_t hash = exchange_hash(&world->exchange);
    for (size_t i = 0; i < peek->view.order_count; i++)
        hash = meaning_of_order(judge, world, &peek->view.orders[i], hash);
    for (size_t i = 0; i < peek->view.position_count; i++) {
        const struct oms_position *position = &peek->view.positions[i];
        if (is_found_at_times(judge, world, position->symbol))
            continue;
        hash = hash_u64(hash_text(hash, position->symbol), (uint64_t)position->qty_nanos);
        hash = hash_wide(hash, position->cost);
    }
    for (size_t i = 0; i < peek->view.profit_count; i++) {
        const struct oms_profit *profit = &peek->view.profits[i];
        if (!is_found_at_times(judge, world, profit->symbol))
            hash = hash_wide(hash_text(hash, profit->symbol), profit->realized);
    }
    return (struct judge_meaning){hash, peek->view.kill_switch};
}

void judge_idempotent(struct judge *judge, const struct world *world,
                      const struct judge_meaning *before, const struct judge_meaning *after,
                      bool may_trip) {
    bool same_switch = before->kill_switch == after->kill_switch ||
                       (may_trip && after->kill_switch && !before->kill_switch);
    if (before->beliefs != after->beliefs || !same_switch)
        judge_broke(judge, 8, world,
                    "starting once more changed what the OMS believes or the broker has");
}
