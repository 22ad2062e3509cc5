/* The judge as a life begins: what the store says, and what it may no longer say. */
#include "sim/judge_rules.h"

#include "sim/check.h"
#include "sim/outcomes.h"

#include <stdio.h>
#include <string.h>

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
    judge->listed_ns = INT64_MAX;
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
