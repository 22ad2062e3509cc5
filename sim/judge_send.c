/* The judge at the wire: an order leaves, an answer arrives. */
#include "sim/judge_rules.h"

#include <stdio.h>
#include <string.h>

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

/* What its store was made to forget no comparison shows while the broker's queries miss what is fresh:
 * neither now, nor when this life last made one. */
static bool is_hidden_by_lag(const struct judge *judge, const struct world *world,
                             const struct judged *judged) {
    const struct exchange_order *order =
        judge_order_of(judge, world, (size_t)(judged - judge->decisions));
    int64_t shown_ns = 0;
    if (!judged->forgotten || order == NULL)
        return false;
    shown_ns = order->told.submitted_ns + world->exchange.profile->query_lag_ns;
    return world->now_ns < shown_ns || judge->listed_ns < shown_ns;
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
    int decision = judge_attribute_request(judge, request);
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
    int decision = judge_attribute_request(judge, request);
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
    if (op == SITE_BROKER_ORDERS) {
        judge_count_orders(judge, world);
        judge->listed_ns = world->now_ns;
    }
    for (size_t i = 0; i < judge->decision_count; i++) {
        struct judged *judged = &judge->decisions[i];
        if (op == SITE_BROKER_LOOKUP && !reply->found &&
            strcmp(judged->client_order_id, reply->call->ref) == 0)
            judged->doubtful = false;
        if (op == SITE_BROKER_ORDERS && judged->orders == 0)
            judged->doubtful = false;
    }
}
