/* Orders that may be live without our knowing, orders past their time, and a clock that went back.
 */
#include "core/archiving.h"
#include "core/engine.h"

#include "core/check.h"
#include "core/threshold.h"

#include <stdio.h>
#include <string.h>

/* ---- absence (3) ---- */

/* Does it surely know the id of whatever arrived of this order's sends? */
static bool broker_still_remembers(const struct oms *oms, const struct order *order,
                                   int64_t now_ns) {
    const struct profile *profile = oms->config.profile;
    if (!profile->knows_ids || profile_forgets_ns(profile, 0) == INT64_MAX) {
        return profile->knows_ids;
    }
    return order->first_send_ns > 0 &&
           now_ns < threshold_forgotten_ns(profile, order->first_send_ns);
}

/* An id that the broker has seen and has no order under is that of a request it refused: the one
 * refusal that was not heard, and it counts. */
static bool was_refused(const struct oms *oms, const struct order *order, int64_t now_ns) {
    return order->id_refused && profile_is_effectively_once(oms->config.profile) &&
           broker_still_remembers(oms, order, now_ns);
}

/* Why an order that is truly absent may not be sent again; NULL when it may. */
static const char *why_held(const struct oms *oms, const struct order *order, int64_t now_ns) {
    if (!oms->config.profile->knows_ids) {
        return "this broker knows no ids of ours";
    }
    if (!oms->config.profile->deduplicates) {
        return "this broker does not refuse a second order under one id";
    }
    if (!broker_still_remembers(oms, order, now_ns)) {
        return "the broker may have forgotten the id of the first send";
    }
    return order->pub.sends >= oms->config.max_sends ? "it was sent as often as allowed" : NULL;
}

/* `alike`: what the broker lists that may be it, or "". */
static enum oms_code settle_absent(struct oms *oms, struct order *order, const char *alike,
                                   int64_t now_ns, struct oms_error *error) {
    const int64_t expires_ns = order->pub.decision.expires_ns;
    const char *held = why_held(oms, order, now_ns);
    struct order next = *order;
    char reason[OMS_REASON_SIZE];

    if (alike[0] != '\0') {
        (void)snprintf(reason, sizeof reason,
                       "the broker knows no ids of ours, and lists %.120s, which may be it or not: "
                       "a person decides",
                       alike);
        order_move(&next, OMS_STATE_HELD, reason);
    } else if (was_refused(oms, order, now_ns)) {
        order_move(&next, OMS_STATE_REJECTED,
                   "refused by the broker: it has seen this id and has no order under it");
    } else if (order->pub.cancel_asked) {
        order_move(&next, OMS_STATE_CANCELED, "canceled: the broker never had it");
    } else if (expires_ns > 0 && now_ns >= expires_ns) {
        order_move(&next, OMS_STATE_EXPIRED, "expired: the broker never had it");
    } else if (held != NULL) {
        (void)snprintf(reason, sizeof reason,
                       "absent at the broker after %d of %d sends, but %s: a person decides",
                       order->pub.sends, oms->config.max_sends, held);
        order_move(&next, OMS_STATE_HELD, reason);
    } else {
        next.send_by_ns = 0;
        order_move(&next, OMS_STATE_INTENT, "absent at the broker: to be sent again");
        if (send_may_begin(oms)) {
            send_reserve(oms, &next, now_ns);
        }
    }
    return engine_record(oms, order, &next, error);
}

static enum oms_code settle_found(struct oms *oms, struct order *order,
                                  const struct broker_order *theirs, int64_t now_ns,
                                  struct oms_error *error) {
    struct order next;
    enum oms_code code;

    if (!follow_adopt(oms, order, theirs, &next)) {
        order->query_ns = now_ns + oms->config.poll_ns;
        return OMS_OK;
    }
    code = engine_record(oms, order, &next, error);
    if (code == OMS_OK && order_is_working(order)) {
        oms->poll_ns = theirs->filled_nanos > 0 || !broker_status_is_open(theirs->status)
                           ? now_ns
                           : now_ns + oms->config.poll_ns;
    }
    return code;
}

/* ---- asking (3) ---- */

bool resolve_list_since_sent(struct oms *oms, const struct order *order,
                             struct broker_orders *list) {
    const int64_t created_ns = order->pub.created_ns, sent_ns = order->first_send_ns;
    int64_t since_ns = sent_ns > 0 && sent_ns < created_ns ? sent_ns : created_ns;
    struct broker_reason why = {0};

    if (book_is_orphan(&oms->book, order->pub.client_order_id)) {
        since_ns = oms->book.meta.created_ns; /* sent by a life that this store does not know */
    }

    return ask_orders(oms, since_ns - THRESHOLD_LOOK_BACK_NS, list, &why);
}

/* Names an order that may be ours: the same in everything but an id, and no other order of ours. */
static enum oms_code note_alike(struct oms *oms, const struct order *order,
                                const struct broker_order *theirs, char alike[OMS_REASON_SIZE],
                                struct oms_error *error) {
    const size_t used = strlen(alike);
    char why[OMS_REASON_SIZE], id[BROKER_ORDER_ID_SIZE];
    const struct order *other = NULL;
    enum oms_code code = OMS_OK;

    text_clean(id, sizeof id, theirs->id);
    if (!order_matches(order, theirs, false, why) || book_by_broker_id(&oms->book, id) != NULL) {
        return OMS_OK;
    }
    code = archiving_find(oms, SEGMENT_BROKER_ID, id, &other, error);
    if (code == OMS_OK && other == NULL) {
        (void)snprintf(alike + used, OMS_REASON_SIZE - used, "%s%s", used > 0 ? ", " : "", id);
    }
    return code;
}

/* Where asking by the id does not say that it is not there, the list of all orders must. */
static enum broker_found find_in_list(struct oms *oms, const struct order *order,
                                      struct broker_order *theirs, char alike[OMS_REASON_SIZE]) {
    const bool by_id = oms->config.profile->knows_ids;
    struct broker_orders list = {.v = NULL};
    struct oms_error ignored; /* told by who sees the OMS halted */
    enum broker_found found =
        resolve_list_since_sent(oms, order, &list) ? BROKER_ABSENT : BROKER_INCONCLUSIVE;

    for (size_t i = 0; found == BROKER_ABSENT && i < list.n; i++) {
        if (!by_id) {
            found = note_alike(oms, order, &list.v[i], alike, &ignored) == OMS_OK
                        ? BROKER_ABSENT
                        : BROKER_INCONCLUSIVE;
        } else if (strcmp(list.v[i].client_order_id, order->pub.client_order_id) == 0) {
            *theirs = list.v[i];
            found = BROKER_FOUND;
        }
    }
    broker_orders_free(&list);
    return found;
}

static enum broker_found ask_for(struct oms *oms, const struct order *order, int64_t now_ns,
                                 struct broker_order *theirs, char alike[OMS_REASON_SIZE]) {
    struct broker_reason why = {0};
    enum broker_found found = BROKER_ABSENT;

    if (oms->config.profile->knows_ids) {
        found = ask_lookup(oms, order->pub.client_order_id, theirs, &why);
    }
    return found == BROKER_ABSENT && !broker_still_remembers(oms, order, now_ns)
               ? find_in_list(oms, order, theirs, alike)
               : found;
}

/* From when on "absent" counts. A wall clock that was set forward since the order may have left says so
 * too early: the other one must have gone on as far. */
static int64_t absent_from(const struct oms *oms, const struct order *order, int64_t asked_ns) {
    const struct profile *profile = oms->config.profile;
    const int64_t steady_ns = engine_steady(oms);
    const int64_t by_wall_ns = threshold_absent_ns(profile, order->send_by_ns);
    int64_t by_steady_ns = asked_ns;

    if (steady_ns != 0 && order->left_by_ns != 0) {
        by_steady_ns += threshold_absent_ns(profile, order->left_by_ns) - steady_ns;
    }
    return by_wall_ns > by_steady_ns ? by_wall_ns : by_steady_ns;
}

enum oms_code resolve_doubt(struct oms *oms, struct order *order, struct oms_error *error) {
    const int64_t asked_ns = engine_now(oms);
    const int64_t counts_from = absent_from(oms, order, asked_ns);
    struct broker_order theirs = {.id = ""};
    char alike[OMS_REASON_SIZE] = "";
    enum broker_found found;
    int64_t now;

    if (!oms->config.profile->knows_ids && asked_ns < counts_from) {
        order->query_ns = counts_from; /* no answer could say anything before */
        return OMS_OK;
    }
    found = ask_for(oms, order, asked_ns, &theirs, alike);
    now = engine_now(oms);
    CHECK(order_is_doubtful(order));
    order->query_ns = now + oms->config.poll_ns;
    switch (found) {
    case BROKER_FOUND:
        return settle_found(oms, order, &theirs, now, error);
    case BROKER_ABSENT:
        if (oms->clock_went_back) {
            break; /* how long ago the send was is not known: the waiting starts in full */
        }
        if (asked_ns >= counts_from) {
            return settle_absent(oms, order, alike, now, error);
        }
        order->query_ns = counts_from < order->query_ns ? counts_from : order->query_ns;
        break;
    case BROKER_INCONCLUSIVE:
        return oms->halted ? engine_fail(oms, "look into the archive", error) : OMS_OK;
    }
    return OMS_OK;
}

/* ---- time ---- */

enum oms_code resolve_expiry(struct oms *oms, struct order *order, struct oms_error *error) {
    struct order next = *order;

    CHECK(order_is_unsent(order));
    if (order->pub.cancel_asked) {
        order_move(&next, OMS_STATE_CANCELED, "canceled before it was sent");
    } else {
        order_move(&next, OMS_STATE_EXPIRED, "expired before it was sent");
    }
    return engine_record(oms, order, &next, error);
}

/* The clock went back: how long ago a send was is not known any more, so waiting starts in full,
 * and the new time is put on record once. */
enum oms_code resolve_clock(struct oms *oms, struct order *order, struct oms_error *error) {
    const int64_t now = engine_now(oms);
    const struct store_meta *meta = &oms->book.meta;
    const int64_t last_order = book_next_row(&oms->book) - 1;
    enum oms_code code = engine_begin(oms, error);

    (void)order;
    for (size_t i = 0; code == OMS_OK && i < oms->live_count; i++) {
        struct order *waiting = oms->live[i];
        struct order next = *waiting;
        if (order_is_doubtful(waiting)) {
            /* what is on its way may still leave until its time-out */
            const int64_t leaves_ns = waiting->on_its_way ? oms->config.profile->timeout_ns : 0;
            next.send_by_ns = now + leaves_ns;
            next.left_by_ns = engine_steady(oms) + leaves_ns;
            next.first_send_ns = 0;
            next.query_ns = 0;
            code = engine_put(oms, waiting, &next, error);
        }
    }
    if (code == OMS_OK &&
        store_put_base(&oms->store, now, last_order, meta->last_run) != SQLITE_OK) {
        code = engine_fail(oms, "write the clock's new base", error);
    }
    if (code == OMS_OK) {
        code = engine_commit(oms, error);
    }
    if (code == OMS_OK) {
        oms->clock_went_back = false;
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL,
                    "the clock went back: orders in doubt wait in full from now on");
    }
    return code;
}
