/* The judge when the world is quiet: nothing was lost, nothing is left to do, and one more start changes nothing. */
#include "sim/judge_rules.h"

#include "sim/hash.h"

#include <string.h>

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
