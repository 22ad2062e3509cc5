/* Orders and cancels leaving, and the answers to sends becoming durable.
 *
 * A send is two steps: the request leaves and its answer is kept in memory; the next step makes the
 * answer durable. Between the two, and after a crash in either, the order counts as in doubt: its
 * reservation, durable before the request left (1), says until when it may have. */
#include "core/client_id.h"
#include "core/engine.h"

#include "core/check.h"

#include <stdio.h>
#include <string.h>

static const char *outcome_name(enum broker_sent sent) {
    switch (sent) {
    case BROKER_ACCEPTED:
        return "accepted";
    case BROKER_REJECTED:
        return "rejected";
    case BROKER_DUPLICATE:
        return "duplicate";
    case BROKER_NOT_SENT:
        return "not sent";
    case BROKER_IN_DOUBT:
        return "in doubt";
    case BROKER_ON_ITS_WAY:
        return "on its way";
    }
    return "?";
}

/* How far a reservation reaches: a submit begun at the end of its window may still be connecting
 * when the client gives up, and leave only then. */
int64_t send_reach_ns(const struct oms *oms) {
    return oms->config.send_window_ns + oms->config.profile->timeout_ns;
}

void send_reserve(const struct oms *oms, struct order *next, int64_t now_ns) {
    if (next->send_by_ns == 0) {
        next->pub.sends++;
    }
    if (next->pub.sends == 1) {
        next->first_send_ns = now_ns;
    } else if (next->first_send_ns > now_ns) {
        next->first_send_ns = 0; /* the clock was put back since: how old its id is, is not known */
    }
    next->send_by_ns = now_ns + send_reach_ns(oms);
    next->left_by_ns = engine_steady(oms) + send_reach_ns(oms);
    next->fresh = true;
}

/* The halt file, asked right before every send; what cannot be read is taken as there. */
static bool halt_file_is_absent(struct oms *oms) {
    return oms->env.halt_file(oms->env.ctx) == OMS_HALT_ABSENT;
}

bool send_may_begin(struct oms *oms) {
    return engine_may_send(oms) && halt_file_is_absent(oms);
}

/* Invariant (8), at the last door and from other facts than those that led here. */
static bool last_door(struct oms *oms, struct order *order, char *why) {
    const size_t sent = oms->ids_sent + !order->passed_door;

    if (sent > oms->book.order_count) {
        (void)snprintf(why, OMS_REASON_SIZE, "%zu client order ids would be sent for %zu intents",
                       sent, oms->book.order_count);
        return false;
    }
    if (!client_id_is_derived(oms->config.account, &order->pub)) {
        (void)snprintf(why, OMS_REASON_SIZE, "%s is not the client order id of decision %.120s",
                       order->pub.client_order_id, order->pub.decision.id);
        return false;
    }
    if (!order_is_sealed(order)) {
        (void)snprintf(why, OMS_REASON_SIZE, "the payload of %.120s is not the one decided",
                       order->pub.decision.id);
        return false;
    }
    oms->ids_sent = sent;
    order->passed_door = true;
    return true;
}

static void make_request(const struct profile *profile, const struct order *order,
                         struct broker_request *request) {
    const struct oms_decision *decision = &order->pub.decision;
    *request =
        (struct broker_request){.side = decision->side,
                                .type = decision->type,
                                .tif = decision->tif,
                                .qty_nanos = decision->qty_nanos,
                                .limit_nanos = decision->limit_nanos,
                                .possible_resend = profile->answers_resend && order->pub.sends > 1,
                                .ticket = (uint64_t)order->id};
    if (profile->knows_ids) {
        memcpy(request->client_order_id, order->pub.client_order_id,
               sizeof request->client_order_id);
    }
    memcpy(request->symbol, decision->symbol, sizeof request->symbol);
}

/* The answer is there, and is put on record next. */
static void hear_outcome(struct oms *oms) {
    struct outcome *outcome = &oms->outcome;

    outcome->sent_ns = engine_now(oms);
    outcome->sent_steady_ns = engine_steady(oms);
    engine_heard(oms, &outcome->why);
    text_clean(outcome->why.text, sizeof outcome->why.text, outcome->why.text);
    engine_tell(oms, OMS_EVENT_SEND, OMS_AFTER, outcome->order, outcome_name(outcome->sent));
}

static void submit(struct oms *oms, struct order *order) {
    struct outcome *outcome = &oms->outcome;
    struct broker_request request;

    make_request(oms->config.profile, order, &request);
    *outcome = (struct outcome){.order = order};
    engine_tell(oms, OMS_EVENT_SEND, OMS_BEFORE, order, "");
    order->fresh = order->id_refused = false;
    outcome->sent = oms->broker.submit(oms->broker.ctx, &request, &outcome->answer, &outcome->why);
    if (outcome->sent == BROKER_ON_ITS_WAY) {
        CHECK(oms->broker.collect != NULL && oms->under_way_count < OMS_SENDS_MAX);
        order->on_its_way = true;
        oms->under_way[oms->under_way_count++] = order;
        oms->collect_ns = engine_now(oms);
        outcome->order = NULL;
        return;
    }
    hear_outcome(oms);
}

/* ---- orders on their way ---- */

static size_t place_under_way(const struct oms *oms, uint64_t ticket) {
    size_t i = 0;
    while (i < oms->under_way_count && (uint64_t)oms->under_way[i]->id != ticket) {
        i++;
    }
    return i;
}

enum oms_code send_collect(struct oms *oms, struct order *order, struct oms_error *error) {
    struct broker_answer answer = {.ticket = 0};
    int64_t wait_ns = 0;
    size_t place;

    (void)order;
    (void)error;
    CHECK(oms->outcome.order == NULL);
    if (!oms->broker.collect(oms->broker.ctx, &answer, &wait_ns)) {
        oms->collect_ns = engine_now(oms) + wait_ns;
        return OMS_OK;
    }
    place = place_under_way(oms, answer.ticket);
    CHECK(place < oms->under_way_count && answer.sent != BROKER_ON_ITS_WAY);
    oms->outcome = (struct outcome){.order = oms->under_way[place],
                                    .sent = answer.sent,
                                    .answer = answer.order,
                                    .why = answer.why};
    oms->outcome.order->on_its_way = false;
    oms->under_way_count--;
    memmove(&oms->under_way[place], &oms->under_way[place + 1],
            (oms->under_way_count - place) * sizeof oms->under_way[0]);
    hear_outcome(oms);
    return OMS_OK;
}

void send_withdraw(struct oms *oms) {
    if (oms->under_way_count > 0 && oms->broker.withdraw != NULL) {
        oms->broker.withdraw(oms->broker.ctx);
    }
}

bool send_has_room(const struct oms *oms) {
    return engine_may_send(oms) && oms->under_way_count < (size_t)oms->config.sends_at_once;
}

int64_t send_from_ns(const struct oms *oms, const struct order *order) {
    const int64_t from_ns = oms->door_ns > oms->slow_ns ? oms->door_ns : oms->slow_ns;
    return order->retry_ns > from_ns ? order->retry_ns : from_ns;
}

bool send_is_due(const struct oms *oms, const struct order *order, int64_t now_ns) {
    const int64_t expires_ns = order->pub.decision.expires_ns;
    return order_is_unsent(order) && !order->pub.cancel_asked &&
           (expires_ns == 0 || now_ns < expires_ns) && send_has_room(oms) &&
           send_from_ns(oms, order) <= now_ns;
}

static enum oms_code renew_reservation(struct oms *oms, struct order *order, int64_t now_ns,
                                       struct oms_error *error) {
    struct order next = *order;
    send_reserve(oms, &next, now_ns);
    return engine_save(oms, order, &next, error);
}

enum oms_code send_order(struct oms *oms, struct order *order, struct oms_error *error) {
    const bool halted_by_file = !halt_file_is_absent(oms);
    const int64_t now = engine_now(oms);
    const int64_t expires_ns = order->pub.decision.expires_ns;
    char why[OMS_REASON_SIZE];

    CHECK(order_is_unsent(order));
    if (order->pub.cancel_asked || (expires_ns > 0 && now >= expires_ns)) {
        return resolve_expiry(oms, order, error);
    }
    if (!engine_may_send(oms) || halted_by_file) {
        oms->door_ns = now + oms->config.poll_ns;
        return OMS_OK;
    }
    if (order->send_by_ns == 0 || now > order->send_by_ns - oms->config.profile->timeout_ns ||
        order->send_by_ns - now > send_reach_ns(oms)) {
        return renew_reservation(oms, order, now, error);
    }
    if (!last_door(oms, order, why)) {
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
        return engine_trip(oms, true, "last door", why, error);
    }
    submit(oms, order);
    return OMS_OK;
}

/* ---- the answer ---- */

static void doubt(struct order *next, const struct outcome *outcome, const char *what,
                  const struct broker_reason *why) {
    char reason[OMS_REASON_SIZE];
    (void)snprintf(reason, sizeof reason, "%s: %.180s", what, why->text);
    next->send_by_ns = outcome->sent_ns;
    next->left_by_ns = outcome->sent_steady_ns;
    next->query_ns = 0;
    order_move(next, OMS_STATE_IN_DOUBT, reason);
}

static void accept(struct oms *oms, struct order *next) {
    const struct outcome *outcome = &oms->outcome;
    const struct order before = *next;
    char why[OMS_REASON_SIZE];

    if (order_matches(&before, &outcome->answer, oms->config.profile->knows_ids, why)) {
        (void)follow_adopt(oms, &before, &outcome->answer, next);
        return;
    }
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, next, why);
    doubt(next, outcome, "accepted, but the answer is not about our order",
          &(struct broker_reason){.text = "looking it up"});
}

static void refuse(struct order *next, const struct broker_reason *why) {
    char reason[OMS_REASON_SIZE];
    (void)snprintf(reason, sizeof reason, "refused by the broker (%d): %.180s", why->http_status,
                   why->text);
    order_move(next, OMS_STATE_REJECTED, reason);
}

static void not_sent(struct order *next, int64_t now_ns, const struct broker_reason *why) {
    char reason[OMS_REASON_SIZE];

    next->pub.sends--;
    next->send_by_ns = 0;
    next->first_send_ns = next->pub.sends == 0 ? 0 : next->first_send_ns;
    order_back_off(&next->retry_ns, &next->retry_step_ns, now_ns);
    (void)snprintf(reason, sizeof reason, "%s: %.180s",
                   next->pub.cancel_asked ? "canceled before it was sent" : "not sent yet",
                   why->text);
    order_move(next, next->pub.cancel_asked ? OMS_STATE_CANCELED : OMS_STATE_INTENT, reason);
}

/* While its answer was under way the order was found at the broker (or somebody ruled on it): that
 * is on record already, and says more than the answer. One that contradicts it is told. */
static enum oms_code answered_in_vain(struct oms *oms, const struct order *order) {
    if (oms->outcome.sent == BROKER_REJECTED || oms->outcome.sent == BROKER_NOT_SENT) {
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order,
                    "the answer says that the order was not taken, and the broker lists it");
    }
    oms->outcome = (struct outcome){.order = NULL};
    return OMS_OK;
}

enum oms_code send_record(struct oms *oms, struct order *order, struct oms_error *error) {
    const struct outcome *outcome = &oms->outcome;
    const int64_t now = engine_now(oms);
    struct order next = *order;
    enum oms_code code;

    if (order->pub.state != OMS_STATE_INTENT) {
        return answered_in_vain(oms, order);
    }
    next.taken_in = oms->looks;
    switch (outcome->sent) {
    case BROKER_ACCEPTED:
        accept(oms, &next);
        break;
    case BROKER_REJECTED:
        refuse(&next, &outcome->why);
        break;
    case BROKER_DUPLICATE:
        doubt(&next, outcome, "the broker has seen this id", &outcome->why);
        next.id_refused = true;
        break;
    case BROKER_NOT_SENT:
        not_sent(&next, now, &outcome->why);
        break;
    case BROKER_IN_DOUBT:
        doubt(&next, outcome, "no usable answer", &outcome->why);
        break;
    case BROKER_ON_ITS_WAY:
        CHECK(outcome->sent != BROKER_ON_ITS_WAY); /* that is no answer */
        break;
    }
    code = engine_record(oms, order, &next, error);
    if (code == OMS_OK && order_is_working(order)) {
        const bool more =
            outcome->answer.filled_nanos > 0 || !broker_status_is_open(outcome->answer.status);
        const int64_t next_look = more ? now : now + oms->config.poll_ns;
        /* a look that is due earlier for other orders stays due */
        oms->poll_ns = more || oms->poll_ns < now ? next_look : oms->poll_ns;
    }
    oms->outcome = (struct outcome){.order = NULL};
    return code;
}

/* ---- cancels ---- */

enum oms_code send_cancel(struct oms *oms, struct order *order, struct oms_error *error) {
    struct broker_reason why = {0};
    enum broker_canceled canceled;
    int64_t now;

    (void)error;
    CHECK(order->pub.cancel_asked && order->pub.broker_order_id[0] != '\0');
    engine_tell(oms, OMS_EVENT_CANCEL, OMS_BEFORE, order, "");
    canceled = ask_cancel(oms, order->pub.broker_order_id, &why);
    text_clean(why.text, sizeof why.text, why.text);
    engine_tell(oms, OMS_EVENT_CANCEL, OMS_AFTER, order, why.text);
    now = engine_now(oms);
    /* repeated until the broker shows the end: an answer to a cancel is not the order's end */
    order_back_off(&order->cancel_ns, &order->cancel_step_ns, now);
    switch (canceled) {
    case BROKER_CANCEL_TAKEN:
    case BROKER_CANCEL_TOO_LATE:
        oms->poll_ns = now;
        break;
    case BROKER_CANCEL_ABSENT:
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order,
                    "the broker does not know the order that is to be canceled");
        oms->poll_ns = now;
        break;
    case BROKER_CANCEL_NOT_SENT:
    case BROKER_CANCEL_IN_DOUBT:
        break;
    }
    return OMS_OK;
}
