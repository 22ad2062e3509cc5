/* What a person decides about a held order: it is not at the broker, or it is that order there.
 *
 * Both are one transaction: the order, and a line in the journal that says who, how and why. Nothing
 * is sent, whatever is decided. */
#include "core/archiving.h"
#include "core/engine.h"

#include <stdio.h>
#include <string.h>

/* Whose word it is, how it reads, and why; bounded and printable. */
struct ruling {
    int64_t at_ns;
    char text[OMS_REASON_SIZE];
};

static void put_in_words(struct oms *oms, const char *what, const char *who, const char *why,
                         struct ruling *ruling) {
    char safe_who[BROKER_TEXT_SIZE], safe_why[BROKER_TEXT_SIZE];

    text_clean(safe_who, sizeof safe_who, who);
    text_clean(safe_why, sizeof safe_why, why);
    ruling->at_ns = engine_now(oms);
    (void)snprintf(ruling->text, sizeof ruling->text, "%.80s, says %.40s: %.100s", what, safe_who,
                   safe_why);
}

static enum oms_code record_ruling(struct oms *oms, struct order *order, const struct order *next,
                                   const struct ruling *ruling, struct oms_error *error) {
    enum oms_code code = engine_begin(oms, error);

    if (code == OMS_OK && store_put_ruling(&oms->store, ruling->at_ns, order->pub.decision.id,
                                           ruling->text) != SQLITE_OK) {
        code = engine_fail(oms, "write what a person decided", error);
    }
    if (code == OMS_OK) {
        code = engine_put(oms, order, next, error);
    }
    if (code == OMS_OK) {
        code = engine_commit(oms, error);
    }
    if (code == OMS_OK) {
        engine_tell(oms, OMS_EVENT_RESOLVE, OMS_AFTER, order, ruling->text);
    }
    return code;
}

static enum oms_code rule_gone(struct oms *oms, struct order *order, const char *who,
                               const char *why, struct oms_error *error) {
    struct order next = *order;
    struct ruling ruling;

    put_in_words(oms, "not at the broker", who, why, &ruling);
    order_move(&next, OMS_STATE_CANCELED, ruling.text);
    return record_ruling(oms, order, &next, &ruling, error);
}

static const struct broker_order *find_listed(const struct broker_orders *list, const char *id) {
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i].id, id) == 0) {
            return &list->v[i];
        }
    }
    return NULL;
}

/* The broker's order is compared first: a slip of the pen adopts nothing. */
static enum oms_code rule_that_one(struct oms *oms, struct order *order,
                                   const struct broker_order *theirs, const char *who,
                                   const char *why, struct oms_error *error) {
    char what[OMS_REASON_SIZE];
    struct order next;
    struct ruling ruling;
    enum oms_code code;

    if (!order_matches(order, theirs, oms->config.profile->knows_ids, what)) {
        text_error(error, "resolve: decision %.128s: %.200s", order->pub.decision.id, what);
        return OMS_INVALID;
    }
    (void)follow_adopt(oms, order, theirs, &next);
    (void)snprintf(what, sizeof what, "it is the broker's %.60s", theirs->id);
    put_in_words(oms, what, who, why, &ruling);
    text_clean(next.pub.reason, sizeof next.pub.reason, ruling.text);
    code = record_ruling(oms, order, &next, &ruling, error);
    oms->poll_ns = engine_now(oms);
    return code;
}

static enum oms_code adopt(struct oms *oms, struct order *order, const char *broker_order_id,
                           const char *who, const char *why, struct oms_error *error) {
    struct broker_orders list = {.v = NULL};
    const struct broker_order *theirs;
    enum oms_code code;

    if (!resolve_list_since_sent(oms, order, &list)) {
        text_error(error, "resolve: the broker gave no whole list of its orders; ask again");
        code = OMS_UNANSWERED;
    } else if ((theirs = find_listed(&list, broker_order_id)) == NULL) {
        text_error(error, "resolve: the broker lists no order %.60s since decision %.128s was made",
                   broker_order_id, order->pub.decision.id);
        code = OMS_INVALID;
    } else {
        code = rule_that_one(oms, order, theirs, who, why, error);
    }
    broker_orders_free(&list);
    return code;
}

/* Was exactly this decided before? An operator who got no answer asks again. */
static bool is_done(const struct order *order, const char *broker_order_id) {
    return broker_order_id != NULL
               ? strcmp(order->pub.broker_order_id, broker_order_id) == 0
               : order->pub.state == OMS_STATE_CANCELED && order->pub.broker_order_id[0] == '\0';
}

/* A decision that is not live, and that may be in the archive: its order has ended. */
static enum oms_code resolve_archived(struct oms *oms, const char *decision_id,
                                      const char *broker_order_id, struct oms_error *error) {
    const struct order *order = NULL;
    const enum oms_code code = archiving_order(oms, decision_id, &order, error);

    if (code != OMS_OK || (order != NULL && is_done(order, broker_order_id))) {
        return code;
    }
    if (order == NULL) {
        text_error(error, "resolve: there is no decision \"%.128s\"", decision_id);
    } else {
        text_error(error, "resolve: decision %.128s is %s; only one that is held can be resolved",
                   decision_id, oms_state_name(order->pub.state));
    }
    return OMS_INVALID;
}

/* Is that order of the broker's another decision's? */
static enum oms_code insist_on_nobodys(struct oms *oms, const char *broker_order_id,
                                       struct oms_error *error) {
    const struct order *other = book_by_broker_id(&oms->book, broker_order_id);
    const enum oms_code code =
        other == NULL ? archiving_find(oms, SEGMENT_BROKER_ID, broker_order_id, &other, error)
                      : OMS_OK;

    if (code != OMS_OK || other == NULL) {
        return code;
    }
    text_error(error, "resolve: the broker's %.60s is the order of decision %.128s",
               broker_order_id, other->pub.decision.id);
    return OMS_INVALID;
}

enum oms_code oms_resolve(struct oms *oms, const char *decision_id, const char *broker_order_id,
                          const char *who, const char *why, struct oms_error *error) {
    struct order *order;
    enum oms_code code;

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    order = engine_order(oms, decision_id);
    if (order == NULL) {
        return resolve_archived(oms, decision_id, broker_order_id, error);
    }
    if (is_done(order, broker_order_id)) {
        return OMS_OK;
    }
    if (order->pub.state != OMS_STATE_HELD) {
        text_error(error, "resolve: decision %.128s is %s; only one that is held can be resolved",
                   decision_id, oms_state_name(order->pub.state));
        return OMS_INVALID;
    }
    if (broker_order_id == NULL) {
        return rule_gone(oms, order, who, why, error);
    }
    code = insist_on_nobodys(oms, broker_order_id, error);
    return code != OMS_OK ? code : adopt(oms, order, broker_order_id, who, why, error);
}
