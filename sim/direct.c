/* The direct door: each broker call asks the port, acts on the exchange, and answers. */
#include "sim/direct.h"

#include "sim/check.h"

#include <stdio.h>
#include <string.h>

/* How a call that the port let through ends for the one who made it. */
enum outcome {
    OUTCOME_ANSWER,  /* the exchange's answer arrives */
    OUTCOME_REFUSED, /* nothing left */
    OUTCOME_BROKEN,  /* no usable answer; it may or may not have had an effect */
    OUTCOME_ERROR    /* an HTTP error status */
};

static void explain(struct broker_reason *why, int http_status, const char *text) {
    why->http_status = http_status;
    snprintf(why->text, sizeof why->text, "%s", text);
}

/* Everything that is the same for every call before its effect: death, and the faults that stop a
 * request on its way. True: the exchange acts now. */
static bool reaches_exchange(struct direct *direct, struct port_call *call,
                             struct port_answer *answer, enum outcome *outcome) {
    *outcome = OUTCOME_BROKEN;
    if (!port_alive(direct->port))
        return false;
    *answer = direct->port->before(direct->port->ctx, call);
    if (direct->port->dead)
        return false;
    if (answer->act == ACT_REFUSED) {
        *outcome = OUTCOME_REFUSED;
        return false;
    }
    if (answer->act == ACT_ERROR)
        *outcome = OUTCOME_ERROR;
    return answer->act != ACT_LOST && answer->act != ACT_ERROR;
}

static void wait_for_timeout(struct direct *direct) {
    struct world *world = direct->world;
    direct->port->wait(direct->port->ctx, world->now_ns + world->exchange.profile->timeout_ns);
}

/* An answer with an unknown word for a state in it is one all the same. */
static bool is_damaged(const struct port_answer *answer) {
    return answer->act == ACT_WRONG && answer->arg[0] != WRONG_UNKNOWN_STATUS;
}

static bool is_lost(const struct port_answer *answer) {
    return answer->act == ACT_NO_REPLY || answer->act == ACT_LOST_REPLY ||
           answer->act == ACT_ERROR_AFTER || is_damaged(answer);
}

/* Everything that is the same after the effect. */
static enum outcome answer_arrives(struct direct *direct, struct port_call *call,
                                   const struct port_answer *answer, bool found) {
    struct port_reply reply = {.call = call, .delivered = true, .found = found};
    direct->port->after(direct->port->ctx, call);
    if (direct->port->dead)
        return OUTCOME_BROKEN;
    if (answer->act == ACT_NO_REPLY)
        wait_for_timeout(direct);
    reply.delivered = !is_lost(answer);
    direct->port->replied(direct->port->ctx, &reply);
    if (reply.delivered)
        return OUTCOME_ANSWER;
    return answer->act == ACT_ERROR_AFTER ? OUTCOME_ERROR : OUTCOME_BROKEN;
}

/* Why the exchange's answer to what it did is not known. */
static void explain_loss(struct broker_reason *why, enum outcome outcome,
                         const struct port_answer *answer) {
    if (outcome == OUTCOME_ERROR)
        explain(why, (int)answer->arg[0], "the broker answered with an error");
    else if (is_damaged(answer))
        explain(why, 200, "damaged answer");
    else
        explain(why, 0, "the connection broke before an answer");
}

static void hide_status(const struct port_answer *answer, struct broker_order *told) {
    if (answer->act != ACT_WRONG || answer->arg[0] != WRONG_UNKNOWN_STATUS)
        return;
    told->status = BROKER_STATUS_UNKNOWN;
    snprintf(told->status_text, sizeof told->status_text, "%s", UNKNOWN_STATUS_WORD);
}

/* A proxy delivers what it was given a second time. */
static void send_copy(struct direct *direct, const struct port_answer *answer,
                      struct flight *flight) {
    if (answer->act != ACT_TWICE)
        return;
    flight->due_ns = direct->world->now_ns + answer->arg[0];
    flight->is_copy = true;
    world_send(direct->world, flight);
}

/* A query that did not reach the exchange. */
static void query_failed(struct direct *direct, struct port_call *call, enum outcome outcome,
                         const struct port_answer *answer, struct broker_reason *why) {
    struct port_reply reply = {.call = call};
    if (!direct->port->dead)
        direct->port->replied(direct->port->ctx, &reply);
    if (outcome == OUTCOME_ERROR)
        explain(why, (int)answer->arg[0], "the broker answered with an error");
    else
        explain(why, 0, outcome == OUTCOME_REFUSED ? "connection refused" : "no answer");
}

/* ---- orders leave ---- */

static enum broker_sent verdict_told(struct direct *direct, enum exchange_verdict verdict,
                                     size_t index, const char *message, struct broker_order *order,
                                     struct broker_reason *why) {
    switch (verdict) {
    case EXCHANGE_ACCEPTED:
    case EXCHANGE_REPLAYED:
    case EXCHANGE_RESENT:
        *order = exchange_answer(&direct->world->exchange, verdict, index);
        return BROKER_ACCEPTED;
    case EXCHANGE_BUSY:
        explain(why, 409, "a request with this client_order_id is under way");
        return BROKER_IN_DOUBT;
    case EXCHANGE_DROPPED:
        explain(why, 0, "no answer within the time-out");
        return BROKER_IN_DOUBT;
    case EXCHANGE_DUPLICATE:
        explain(why, 422, "client_order_id must be unique");
        return BROKER_DUPLICATE;
    case EXCHANGE_REFUSED:
        explain(why, 403, message);
        return BROKER_REJECTED;
    }
    check_failed(__FILE__, __LINE__, "verdict is a verdict");
}

/* The request is held up: it arrives by itself, and its sender listens until its time-out. True:
 * the answer came within that. */
static bool arrives_late(struct direct *direct, int64_t by_ns, struct flight *flight) {
    struct world *world = direct->world;
    int64_t timeout_ns = world->now_ns + world->exchange.profile->timeout_ns;
    uint64_t id;
    flight->due_ns = world->now_ns + by_ns;
    id = world_send(world, flight);
    direct->port->wait(direct->port->ctx,
                       flight->due_ns < timeout_ns ? flight->due_ns : timeout_ns);
    return !direct->port->dead && world->delivered_id == id;
}

static void tell_late(struct direct *direct, struct port_call *call, bool delivered, bool found) {
    struct port_reply reply = {.call = call, .delivered = delivered, .found = found};
    if (!direct->port->dead)
        direct->port->replied(direct->port->ctx, &reply);
}

static enum broker_sent submit_late(struct direct *direct, struct port_call *call, int64_t by_ns,
                                    struct broker_order *order, struct broker_reason *why) {
    struct world *world = direct->world;
    struct flight flight = {.request = *call->request};
    bool delivered = arrives_late(direct, by_ns, &flight);
    tell_late(direct, call, delivered, delivered && exchange_tells_order(world->delivered_verdict));
    if (delivered)
        return verdict_told(direct, world->delivered_verdict, world->delivered_index,
                            world->delivered_message, order, why);
    explain(why, 0, "no answer within the time-out");
    return BROKER_IN_DOUBT;
}

/* It arrives, and that is all that ever comes of it. */
static enum broker_sent submit_dropped(struct direct *direct, struct port_call *call,
                                       struct broker_reason *why) {
    exchange_drop(&direct->world->exchange, call->request);
    direct->port->after(direct->port->ctx, call);
    if (!direct->port->dead)
        wait_for_timeout(direct);
    tell_late(direct, call, false, false);
    explain(why, 0, "no answer within the time-out");
    return BROKER_IN_DOUBT;
}

static enum broker_sent direct_submit(void *ctx, const struct broker_request *request,
                                      struct broker_order *order, struct broker_reason *why) {
    struct direct *direct = ctx;
    struct world *world = direct->world;
    struct port_call call = {.site = {SITE_BROKER_SUBMIT, ON_NONE}, .request = request, .ref = ""};
    struct port_answer answer;
    enum outcome outcome = OUTCOME_BROKEN;
    enum exchange_verdict verdict = EXCHANGE_REFUSED;
    size_t index = 0;
    bool arrives = reaches_exchange(direct, &call, &answer, &outcome);
    if (direct->port->dead) {
        explain(why, 0, "no answer");
        return BROKER_IN_DOUBT;
    }
    if (outcome == OUTCOME_REFUSED) {
        explain(why, 0, "connection refused");
        return BROKER_NOT_SENT;
    }
    direct->port->posted(direct->port->ctx, request, 1);
    if (arrives && answer.act == ACT_LATE)
        return submit_late(direct, &call, answer.arg[0], order, why);
    if (!arrives) {
        query_failed(direct, &call, outcome, &answer, why);
        return BROKER_IN_DOUBT;
    }
    if (answer.act == ACT_DROPPED)
        return submit_dropped(direct, &call, why);
    verdict = world_submit(world, request);
    index = world->delivered_index;
    send_copy(direct, &answer, &(struct flight){.request = *request});
    outcome = answer_arrives(direct, &call, &answer, exchange_tells_order(verdict));
    if (outcome == OUTCOME_ANSWER) {
        enum broker_sent sent =
            verdict_told(direct, verdict, index, world->delivered_message, order, why);
        hide_status(&answer, order);
        return sent;
    }
    explain_loss(why, outcome, &answer);
    return BROKER_IN_DOUBT;
}

static enum broker_canceled cancel_told(enum exchange_cancel verdict, struct broker_reason *why) {
    switch (verdict) {
    case EXCHANGE_CANCELED:
        return BROKER_CANCEL_TAKEN;
    case EXCHANGE_CANCEL_FINAL:
        explain(why, 422, "order is already final");
        return BROKER_CANCEL_TOO_LATE;
    case EXCHANGE_CANCEL_UNKNOWN:
        explain(why, 404, "order not found");
        return BROKER_CANCEL_ABSENT;
    }
    check_failed(__FILE__, __LINE__, "verdict is a verdict");
}

static enum broker_canceled cancel_late(struct direct *direct, struct port_call *call,
                                        int64_t by_ns, struct flight *flight,
                                        struct broker_reason *why) {
    bool delivered = arrives_late(direct, by_ns, flight);
    tell_late(direct, call, delivered,
              delivered && direct->world->delivered_cancel == EXCHANGE_CANCELED);
    if (delivered)
        return cancel_told(direct->world->delivered_cancel, why);
    explain(why, 0, "no answer within the time-out");
    return BROKER_CANCEL_IN_DOUBT;
}

static enum broker_canceled direct_cancel(void *ctx, const char *order_id,
                                          struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_call call = {.site = {SITE_BROKER_CANCEL, ON_NONE}, .ref = order_id};
    struct port_answer answer;
    enum outcome outcome = OUTCOME_BROKEN;
    enum exchange_cancel verdict = EXCHANGE_CANCEL_UNKNOWN;
    struct flight flight = {.is_cancel = true};
    snprintf(flight.order_id, sizeof flight.order_id, "%s", order_id);
    if (!reaches_exchange(direct, &call, &answer, &outcome)) {
        query_failed(direct, &call, outcome, &answer, why);
        return outcome == OUTCOME_REFUSED ? BROKER_CANCEL_NOT_SENT : BROKER_CANCEL_IN_DOUBT;
    }
    if (answer.act == ACT_LATE)
        return cancel_late(direct, &call, answer.arg[0], &flight, why);
    verdict = exchange_cancel(&direct->world->exchange, order_id);
    send_copy(direct, &answer, &flight);
    outcome = answer_arrives(direct, &call, &answer, verdict == EXCHANGE_CANCELED);
    if (outcome == OUTCOME_ANSWER)
        return cancel_told(verdict, why);
    explain_loss(why, outcome, &answer);
    return BROKER_CANCEL_IN_DOUBT;
}

/* ---- questions ---- */

static enum broker_found direct_lookup(void *ctx, const char *client_order_id,
                                       struct broker_order *order, struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_call call = {.site = {SITE_BROKER_LOOKUP, ON_NONE}, .ref = client_order_id};
    struct port_answer answer;
    enum outcome outcome = OUTCOME_BROKEN;
    const struct exchange_order *found = NULL;
    if (reaches_exchange(direct, &call, &answer, &outcome)) {
        found = exchange_lookup(&direct->world->exchange, direct->world->now_ns, client_order_id);
        outcome = answer_arrives(direct, &call, &answer, found != NULL);
        if (outcome == OUTCOME_ANSWER && found != NULL) {
            *order = found->told;
            hide_status(&answer, order);
            return BROKER_FOUND;
        }
        if (outcome == OUTCOME_ANSWER)
            explain(why, 404, "order not found");
        else
            explain_loss(why, outcome, &answer);
        return outcome == OUTCOME_ANSWER ? BROKER_ABSENT : BROKER_INCONCLUSIVE;
    }
    query_failed(direct, &call, outcome, &answer, why);
    return BROKER_INCONCLUSIVE;
}

/* One question for a list: true when the whole list may be handed over. */
static bool ask_list(struct direct *direct, enum site_op op, struct port_answer *answer,
                     struct broker_reason *why) {
    struct port_call call = {.site = {op, ON_NONE}, .ref = ""};
    enum outcome outcome = OUTCOME_BROKEN;
    if (!reaches_exchange(direct, &call, answer, &outcome)) {
        query_failed(direct, &call, outcome, answer, why);
        return false;
    }
    outcome = answer_arrives(direct, &call, answer, true);
    if (outcome != OUTCOME_ANSWER)
        explain_loss(why, outcome, answer);
    return outcome == OUTCOME_ANSWER;
}

static bool direct_orders(void *ctx, enum broker_scope scope, int64_t since_ns,
                          struct broker_orders *list, struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_answer answer;
    size_t before = list->n;
    if (!ask_list(direct, SITE_BROKER_ORDERS, &answer, why))
        return false;
    exchange_tell_orders(&direct->world->exchange, direct->world->now_ns, scope, since_ns, list);
    if (list->n > before)
        hide_status(&answer, &list->v[before]);
    return true;
}

static bool direct_fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                         struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_answer answer;
    if (!ask_list(direct, SITE_BROKER_FILLS, &answer, why))
        return false;
    exchange_tell_fills(&direct->world->exchange, direct->world->now_ns, since_ns, list);
    return true;
}

static bool direct_positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_answer answer;
    if (!ask_list(direct, SITE_BROKER_POSITIONS, &answer, why))
        return false;
    exchange_tell_positions(&direct->world->exchange, direct->world->now_ns, list);
    return true;
}

static bool direct_account(void *ctx, struct broker_account *account, struct broker_reason *why) {
    struct direct *direct = ctx;
    struct port_answer answer;
    if (!ask_list(direct, SITE_BROKER_ACCOUNT, &answer, why))
        return false;
    exchange_tell_account(&direct->world->exchange, account);
    return true;
}

struct broker direct_broker(struct direct *direct, struct world *world, struct port *port) {
    *direct = (struct direct){.world = world, .port = port};
    return (struct broker){.ctx = direct,
                           .submit = direct_submit,
                           .lookup = direct_lookup,
                           .orders = direct_orders,
                           .fills = direct_fills,
                           .positions = direct_positions,
                           .account = direct_account,
                           .cancel = direct_cancel};
}
