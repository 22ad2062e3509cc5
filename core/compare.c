/* The comparison with the broker (6): what differs is put on record as it was found, then what our
 * own orders explain is booked, in one transaction. */
#include "core/booking.h"
#include "core/client_id.h"
#include "core/look.h"
#include "core/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something told before the commit and to be told again after it. */
struct notice {
    enum oms_event_kind kind;
    struct order *order;
    const char *text;
};

struct comparison {
    struct picture picture;
    bool *booked; /* for each execution of the picture */
    struct reconcile_found found;
    struct oms_run run;
    struct notice *notices;
    size_t notice_count;
};

static void comparison_free(struct comparison *comparison) {
    look_free(&comparison->picture);
    reconcile_free(&comparison->found);
    free(comparison->booked);
    free(comparison->notices);
}

static void announce(struct oms *oms, struct comparison *comparison, enum oms_event_kind kind,
                     struct order *order, const char *text) {
    engine_tell(oms, kind, OMS_BEFORE, order, text);
    comparison->notices[comparison->notice_count++] = (struct notice){kind, order, text};
}

/* An order that was waiting or in doubt is found; at most two notices. */
static void announce_found(struct oms *oms, struct comparison *comparison, struct order *order,
                           enum oms_state next) {
    announce(oms, comparison, OMS_EVENT_RECORD, order, "found at the broker");
    if (next == OMS_STATE_REJECTED) {
        announce(oms, comparison, OMS_EVENT_REJECT, order, "refused");
    } else if (next == OMS_STATE_HELD) { /* told after only */
        comparison->notices[comparison->notice_count++] =
            (struct notice){OMS_EVENT_HOLD, order, "the broker's order differs"};
    }
}

static enum oms_code note_booked(struct oms *oms, struct comparison *comparison,
                                 struct oms_error *error) {
    for (size_t i = 0; i < comparison->picture.fills.n; i++) {
        const int rc = store_is_booked(&oms->store, comparison->picture.fills.v[i].execution_id);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            return engine_fail(oms, "look for an execution", error);
        }
        comparison->booked[i] = rc == SQLITE_ROW;
    }
    return OMS_OK;
}

static bool compare(struct oms *oms, struct comparison *comparison) {
    const struct book *book = &oms->book;
    struct reconcile_order *orders = calloc(book->order_count + 1, sizeof *orders);
    const struct reconcile_oms ours = {.orders = orders,
                                       .order_count = book->order_count,
                                       .positions = book->positions,
                                       .position_count = book->position_count,
                                       .since_ns = book->meta.created_ns};
    const struct reconcile_broker theirs = {.orders = &comparison->picture.orders,
                                            .fills = &comparison->picture.fills,
                                            .booked = comparison->booked,
                                            .positions = &comparison->picture.positions};
    bool ok = orders != NULL;

    for (size_t i = 0; ok && i < book->order_count; i++) {
        const struct oms_order *pub = &book->orders[i]->pub;
        orders[i] = (struct reconcile_order){.client_order_id = pub->client_order_id,
                                             .broker_order_id = pub->broker_order_id,
                                             .ended = oms_state_is_final(pub->state) &&
                                                      pub->state != OMS_STATE_HELD};
    }
    ok = ok &&
         reconcile_compare(&ours, &theirs, oms->config.price_tolerance_ppm, &comparison->found);
    free(orders);
    return ok;
}

static enum oms_code store_findings(struct oms *oms, const struct comparison *comparison,
                                    struct oms_error *error) {
    bool ok = store_put_run(&oms->store, &comparison->run) == SQLITE_OK;
    for (size_t i = 0; ok && i < comparison->found.n; i++) {
        ok = store_put_discrepancy(&oms->store, &comparison->run, &comparison->found.v[i]) ==
             SQLITE_OK;
    }
    return ok ? OMS_OK : engine_fail(oms, "write a comparison", error);
}

/* An order that ended here without ever being at the broker, and is there after all: it came later
 * than the profile allows, or a refusal was none. Its executions are booked; a person must look. */
static enum oms_code note_risen(struct oms *oms, struct order *order, struct oms_error *error) {
    static const char why[] = "an order that had ended unsent, refused or absent is at the broker";
    const struct broker_order *listed = order->listed;
    struct order next = *order;
    enum oms_code code;

    if (!oms_state_is_final(order->pub.state) || order->pub.state == OMS_STATE_HELD ||
        order->pub.broker_order_id[0] != '\0' ||
        (listed->filled_nanos == 0 && !broker_status_is_open(listed->status))) {
        return OMS_OK;
    }
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
    text_clean(next.pub.broker_order_id, sizeof next.pub.broker_order_id, listed->id);
    code = engine_put(oms, order, &next, error);
    return code == OMS_OK ? engine_trip(oms, true, "comparison", why, error) : code;
}

/* Follows every listed order of ours; what was in doubt is told as recorded. */
static enum oms_code adopt_listed(struct oms *oms, struct comparison *comparison,
                                  struct oms_error *error) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        struct order *order = oms->book.orders[i], next;
        const bool open = order->pub.state == OMS_STATE_INTENT ||
                          order->pub.state == OMS_STATE_IN_DOUBT ||
                          order->pub.state == OMS_STATE_HELD;
        enum oms_code code;
        if (order->listed == NULL) {
            continue;
        }
        if (!follow_adopt(oms, order, order->listed, &next)) {
            order->told_odd = next.told_odd;
            order->told_status = next.told_status;
            code = note_risen(oms, order, error);
            if (code != OMS_OK) {
                return code;
            }
            continue;
        }
        if (open) {
            announce_found(oms, comparison, order, next.pub.state);
        }
        code = engine_put(oms, order, &next, error);
        if (code != OMS_OK) {
            return code;
        }
    }
    return OMS_OK;
}

static enum oms_code book_found(struct oms *oms, struct comparison *comparison,
                                struct oms_error *error) {
    const struct broker_fills *fills = &comparison->picture.fills;
    char why[OMS_REASON_SIZE];

    for (size_t i = 0; i < fills->n; i++) {
        struct order *order = book_by_broker_id(&oms->book, fills->v[i].order_id);
        enum oms_code code;
        if (comparison->booked[i] || order == NULL || order->pub.state == OMS_STATE_HELD) {
            continue;
        }
        if (!booking_fits(order, &fills->v[i], why)) {
            engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, order, why);
            code = engine_trip(oms, true, "comparison", why, error);
        } else {
            announce(oms, comparison, OMS_EVENT_FILL, order, fills->v[i].execution_id);
            code = booking_execution(oms, order, &fills->v[i], error);
        }
        if (code != OMS_OK) {
            return code;
        }
    }
    return OMS_OK;
}

/* Orders at the broker under ids of our making that this store has no record of: its tail was lost.
 * A decision that derives the same id later adopts the order instead of sending one. */
static enum oms_code remember_orphans(struct oms *oms, const struct comparison *comparison,
                                      struct oms_error *error) {
    for (size_t i = 0; i < comparison->picture.orders.n; i++) {
        const struct broker_order *listed = &comparison->picture.orders.v[i];
        const char *id = listed->client_order_id;
        if (!client_id_is_ours(id) || book_by_client_id(&oms->book, id) != NULL ||
            book_is_orphan(&oms->book, id)) {
            continue;
        }
        if (!book_add_orphan(&oms->book, id) ||
            store_put_orphan(&oms->store, id, listed->id, comparison->run.id) != SQLITE_OK) {
            return engine_fail(oms, "remember an unknown order", error);
        }
    }
    return OMS_OK;
}

static enum oms_code trip_if_unexplained(struct oms *oms, const struct comparison *comparison,
                                         struct oms_error *error) {
    for (size_t i = 0; i < comparison->found.n; i++) {
        const struct oms_discrepancy *found = &comparison->found.v[i];
        if (found->severity == OMS_CRITICAL && !found->explained) {
            return engine_trip(oms, true, "comparison", found->text, error);
        }
    }
    return OMS_OK;
}

/* Findings as they were, then what explains them, in one transaction. */
static enum oms_code store_comparison(struct oms *oms, struct comparison *comparison,
                                      struct oms_error *error) {
    enum oms_code code = engine_begin(oms, error);

    if (code == OMS_OK) {
        code = store_findings(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = adopt_listed(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = book_found(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = adopt_listed(oms, comparison, error); /* ends that waited for executions */
    }
    if (code == OMS_OK) {
        code = remember_orphans(oms, comparison, error);
    }
    if (code == OMS_OK) {
        code = trip_if_unexplained(oms, comparison, error);
    }
    return code == OMS_OK ? engine_commit(oms, error) : code;
}

static void tell_comparison(struct oms *oms, const struct comparison *comparison, bool tripped) {
    char text[OMS_REASON_SIZE];

    for (size_t i = 0; i < comparison->notice_count; i++) {
        const struct notice *notice = &comparison->notices[i];
        engine_tell(oms, notice->kind, OMS_AFTER, notice->order, notice->text);
    }
    for (size_t i = 0; i < comparison->found.n; i++) {
        engine_tell(oms, OMS_EVENT_DISCREPANCY, OMS_AFTER, NULL, comparison->found.v[i].text);
    }
    if (tripped) {
        engine_tell(oms, OMS_EVENT_KILL_SWITCH, OMS_AFTER, NULL, oms->book.meta.kill_reason);
    }
    (void)snprintf(text, sizeof text, "%zu differences", comparison->found.n);
    engine_tell(oms, OMS_EVENT_RECONCILE, OMS_AFTER, NULL, text);
    if (comparison->run.at_boot) {
        engine_tell(oms, OMS_EVENT_BOOT, OMS_AFTER, NULL, oms->config.profile->guarantee);
    }
}

static enum oms_code compare_later(struct oms *oms) {
    order_back_off(&oms->compare_ns, &oms->compare_step_ns, engine_now(oms));
    return OMS_OK;
}

static enum oms_code finish_comparison(struct oms *oms, struct comparison *comparison,
                                       struct oms_error *error) {
    struct store_meta *meta = &oms->book.meta;
    const bool was_on = meta->kill_switch;
    enum oms_code code;

    comparison->run = (struct oms_run){.id = meta->last_run + 1,
                                       .boot = oms->reconciled ? oms->boot : meta->boots + 1,
                                       .at_ns = engine_now(oms),
                                       .at_boot = !oms->reconciled};
    code = store_comparison(oms, comparison, error);
    if (code != OMS_OK) {
        return code;
    }
    meta->last_run = comparison->run.id;
    meta->last_run_ns = comparison->run.at_ns;
    meta->boots = oms->boot = comparison->run.boot;
    oms->reconciled = true;
    oms->compare_asked = false;
    oms->compare_ns = oms->compare_step_ns = 0;
    oms->poll_ns = comparison->run.at_ns + oms->config.poll_ns;
    tell_comparison(oms, comparison, meta->kill_switch && !was_on);
    return OMS_OK;
}

enum oms_code compare_books(struct oms *oms, struct order *order, struct oms_error *error) {
    struct comparison comparison = {.booked = NULL};
    enum oms_code code;

    (void)order;
    engine_tell(oms, OMS_EVENT_RECONCILE, OMS_BEFORE, NULL, "");
    if (!look_at_all(oms, &comparison.picture)) {
        code = compare_later(oms);
        goto out;
    }
    comparison.booked = calloc(comparison.picture.fills.n + 1, sizeof *comparison.booked);
    comparison.notices = calloc(comparison.picture.fills.n + 2 * comparison.picture.orders.n + 1,
                                sizeof *comparison.notices);
    if (comparison.booked == NULL || comparison.notices == NULL) {
        code = compare_later(oms);
        goto out;
    }
    code = note_booked(oms, &comparison, error);
    if (code == OMS_OK) {
        code = compare(oms, &comparison) ? finish_comparison(oms, &comparison, error)
                                         : compare_later(oms);
    }
out:
    look_forget(oms);
    comparison_free(&comparison);
    return code;
}
