/* The comparison with the broker (6): what differs is put on record as it was found, then what our
 * own orders explain is booked, in one transaction. */
#include "core/again.h"
#include "core/archiving.h"
#include "core/booking.h"
#include "core/client_id.h"
#include "core/day.h"
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
    struct picture picture, before; /* the newest look, and the one before it */
    int looks;                      /* before the newest */
    bool *booked;                   /* for each execution of the picture */
    struct broker_fill *corrected;  /* the same; NULL: none is a correction */
    struct archived archived;       /* what of the picture is in the archive */
    struct reconcile_found found;
    struct day_past past; /* when a whole day is compared: what is archived of it, ... */
    struct day day;       /* ... and all of it, in the newest look */
    struct oms_run run;
    struct notice *notices;
    size_t notice_count;
};

/* Everything that belongs to one look. */
static void forget_look(struct comparison *comparison) {
    look_free(&comparison->picture);
    reconcile_free(&comparison->found);
    day_free(&comparison->day);
    free(comparison->booked);
    free(comparison->corrected);
    free(comparison->notices);
    archived_free(&comparison->archived);
    comparison->booked = NULL;
    comparison->corrected = NULL;
    comparison->notices = NULL;
    comparison->notice_count = 0;
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

static bool has_corrections(const struct broker_fills *fills) {
    for (size_t i = 0; i < fills->n; i++) {
        if (ledger_is_correction(&fills->v[i])) {
            return true;
        }
    }
    return false;
}

/* What the execution at `i`, a correction, corrects: as an earlier row of the same list left it, or
 * as it is booked. */
static enum oms_code find_corrected(struct oms *oms, struct comparison *comparison, size_t i,
                                    struct oms_error *error) {
    const struct broker_fills *fills = &comparison->picture.fills;
    const struct broker_fill *fill = &fills->v[i];
    struct broker_fill *was = &comparison->corrected[i];
    const char *root = ledger_root(&oms->book.corrections, fill->refers);
    int rc;

    for (size_t j = 0; j < i; j++) {
        if (strcmp(fills->v[j].execution_id, root) == 0 && ledger_is_correction(&fills->v[j])) {
            root = comparison->corrected[j].execution_id;
        }
    }
    for (size_t j = i; j-- > 0;) {
        const struct broker_fill *other = &fills->v[j];
        const bool is_it = ledger_is_correction(other)
                               ? strcmp(comparison->corrected[j].execution_id, root) == 0
                               : strcmp(other->execution_id, root) == 0;
        if (is_it && root[0] != '\0' && !comparison->booked[j]) {
            *was = *other;
            text_clean(was->execution_id, sizeof was->execution_id, root);
            return OMS_OK;
        }
    }
    rc = booking_corrected(oms, fill, was);
    if (rc != SQLITE_ROW) {
        *was = (struct broker_fill){.qty_nanos = 0};
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? OMS_OK
                                                 : engine_fail(oms, "look for an execution", error);
}

static enum oms_code note_corrected(struct oms *oms, struct comparison *comparison,
                                    struct oms_error *error) {
    const struct broker_fills *fills = &comparison->picture.fills;
    enum oms_code code = OMS_OK;

    if (!has_corrections(fills)) {
        return OMS_OK;
    }
    comparison->corrected = calloc(fills->n, sizeof *comparison->corrected);
    for (size_t i = 0; comparison->corrected != NULL && code == OMS_OK && i < fills->n; i++) {
        if (ledger_is_correction(&fills->v[i])) {
            code = find_corrected(oms, comparison, i, error);
        }
    }
    return code;
}

/* Whether an order of the symbol is held where nobody can tell its executions from a stranger's. */
static bool may_be_ours(const struct oms *oms, const char *symbol) {
    for (size_t i = 0; !oms->config.profile->knows_ids && i < oms->book.order_count; i++) {
        const struct oms_order *pub = &oms->book.orders[i]->pub;
        if (pub->state == OMS_STATE_HELD && strcmp(pub->decision.symbol, symbol) == 0) {
            return true;
        }
    }
    return false;
}

/* What a person's word on a held order may explain is for that person, and not to be adjusted: it would
 * count twice. */
static void leave_to_a_person(const struct oms *oms, struct reconcile_found *found) {
    for (size_t i = 0; i < found->n; i++) {
        struct oms_discrepancy *row = &found->v[i];
        if (row->type == OMS_QUANTITY_MISMATCH && row->severity == OMS_WARNING &&
            may_be_ours(oms, row->symbol)) {
            row->severity = OMS_CRITICAL;
        }
    }
}

static bool compare(struct oms *oms, struct comparison *comparison) {
    const struct book *book = &oms->book;
    const struct archived *archived = &comparison->archived;
    const size_t order_count = book->order_count + archived->order_count;
    struct reconcile_order *orders = calloc(order_count + 1, sizeof *orders);
    const struct reconcile_oms ours = {.orders = orders,
                                       .order_count = order_count,
                                       .positions = book->positions,
                                       .position_count = book->position_count,
                                       .since_ns = book->meta.created_ns};
    const struct reconcile_broker theirs = {.orders = &comparison->picture.orders,
                                            .fills = &comparison->picture.fills,
                                            .booked = comparison->booked,
                                            .corrected = comparison->corrected,
                                            .positions = &comparison->picture.positions};
    const struct reconcile_rules rules = {.price_tolerance_ppm = oms->config.price_tolerance_ppm,
                                          .self_heal_ppm = oms->config.self_heal_ppm};
    bool ok = orders != NULL;

    for (size_t i = 0; ok && i < book->order_count; i++) {
        const struct oms_order *pub = &book->orders[i]->pub;
        orders[i] = (struct reconcile_order){.client_order_id = pub->client_order_id,
                                             .broker_order_id = pub->broker_order_id,
                                             .ended = oms_state_is_final(pub->state) &&
                                                      pub->state != OMS_STATE_HELD};
    }
    for (size_t i = 0; ok && i < archived->order_count; i++) {
        orders[book->order_count + i] =
            (struct reconcile_order){.client_order_id = archived->orders[i].client_order_id,
                                     .broker_order_id = archived->orders[i].broker_order_id,
                                     .ended = true};
    }
    ok = ok && reconcile_compare(&ours, &theirs, &rules, &comparison->found);
    leave_to_a_person(oms, &comparison->found);
    free(orders);
    return ok;
}

/* Adds what only a look at the whole day shows. False: no memory, or fail-stop. */
static bool compare_day(struct oms *oms, struct comparison *comparison, enum oms_code *code,
                        struct oms_error *error) {
    const struct day_picture picture = {.orders = &comparison->picture.orders,
                                        .fills = &comparison->picture.fills,
                                        .booked = comparison->booked,
                                        .corrected = comparison->corrected,
                                        .past = &comparison->past};
    return !oms->daily_asked ||
           day_compare(oms, &picture, &comparison->day, &comparison->found, code, error);
}

static enum oms_code store_findings(struct oms *oms, const struct comparison *comparison,
                                    struct oms_error *error) {
    bool ok = store_put_run(&oms->store, &comparison->run) == SQLITE_OK;
    char summary[OMS_REASON_SIZE];
    for (size_t i = 0; ok && i < comparison->found.n; i++) {
        ok = store_put_discrepancy(&oms->store, &comparison->run, &comparison->found.v[i]) ==
             SQLITE_OK;
    }
    if (ok && oms->daily_asked) {
        ok = store_put_daily(&oms->store, &comparison->run,
                             day_summary(oms, &comparison->day, summary)) == SQLITE_OK;
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
        const bool lost =
            ledger_is_correction(&fills->v[i]) && comparison->corrected[i].execution_id[0] == '\0';
        if (comparison->booked[i] || order == NULL || order->pub.state == OMS_STATE_HELD || lost) {
            continue;
        }
        if (!booking_fits(oms, order, &fills->v[i], why)) {
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
            archived_has(&comparison->archived, id) || book_is_orphan(&oms->book, id)) {
            continue;
        }
        if (!book_add_orphan(&oms->book, id) ||
            store_put_orphan(&oms->store, id, listed->id, comparison->run.id) != SQLITE_OK) {
            return engine_fail(oms, "remember an unknown order", error);
        }
    }
    return OMS_OK;
}

/* Positions that differ by so little that the configuration allows to take the broker's over. */
static enum oms_code heal(struct oms *oms, const struct comparison *comparison,
                          struct oms_error *error) {
    const struct broker_positions *theirs = &comparison->picture.positions;
    enum oms_code code = OMS_OK;

    for (size_t i = 0; code == OMS_OK && i < comparison->found.n; i++) {
        const struct oms_discrepancy *found = &comparison->found.v[i];
        const bool healable =
            found->type == OMS_QUANTITY_MISMATCH && found->severity == OMS_WARNING;
        for (size_t j = 0; healable && code == OMS_OK && j < theirs->n; j++) {
            if (strcmp(theirs->v[j].symbol, found->symbol) == 0) {
                code = booking_adjustment(oms, &comparison->run, &theirs->v[j], error);
            }
        }
    }
    return code;
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
        code = heal(oms, comparison, error);
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

/* ---- a comparison that cannot be made ---- */

static int64_t boot_number(const struct oms *oms) {
    return oms->boot > 0 ? oms->boot : oms->book.meta.boots + 1;
}

static void note_run(struct oms *oms, const struct oms_run *run) {
    struct store_meta *meta = &oms->book.meta;
    meta->last_run = run->id;
    meta->last_run_ns = run->at_ns;
    meta->boots = oms->boot = run->boot;
}

/* The record of it is worth a transaction, but a full disk is no reason to stop. False: it is not on
 * record; *code says whether that stopped everything. */
static bool put_inconclusive(struct oms *oms, const struct oms_run *run, enum oms_code *code,
                             struct oms_error *error) {
    enum store_commit done = STORE_UNKNOWN;
    int rc = store_begin(&oms->store);

    if (rc == SQLITE_OK) {
        rc = store_put_run(&oms->store, run);
    }
    if (rc == SQLITE_OK) {
        done = store_commit(&oms->store);
    } else if ((rc & 0xff) == SQLITE_FULL && store_rollback(&oms->store) == SQLITE_OK) {
        done = STORE_NO_SPACE;
    }
    *code = done == STORE_UNKNOWN ? engine_fail(oms, "write a comparison", error) : OMS_OK;
    return done == STORE_COMMITTED;
}

/* Nothing is changed by it, and nothing is clean: it is tried again later, and on record once. */
static enum oms_code inconclusive(struct oms *oms, const char *why, struct oms_error *error) {
    struct oms_run run = {.id = oms->book.meta.last_run + 1,
                          .boot = boot_number(oms),
                          .at_ns = engine_now(oms),
                          .at_boot = !oms->reconciled};
    enum oms_code code = OMS_OK;

    if (engine_is_halted(oms, error)) { /* while a question waited */
        return OMS_STORAGE;
    }
    order_back_off(&oms->compare_ns, &oms->compare_step_ns, run.at_ns);
    if (oms->unanswered) {
        return OMS_OK;
    }
    text_clean(run.why, sizeof run.why, why);
    if (put_inconclusive(oms, &run, &code, error)) {
        note_run(oms, &run);
    }
    if (code == OMS_OK) {
        oms->unanswered = true;
        engine_tell(oms, OMS_EVENT_INCONCLUSIVE, OMS_AFTER, NULL, run.why);
    }
    return code;
}

/* ---- one that can ---- */

static enum oms_code finish_comparison(struct oms *oms, struct comparison *comparison,
                                       struct oms_error *error) {
    struct store_meta *meta = &oms->book.meta;
    const bool was_on = meta->kill_switch;
    enum oms_code code;

    comparison->run = (struct oms_run){.id = meta->last_run + 1,
                                       .boot = boot_number(oms),
                                       .at_ns = engine_now(oms),
                                       .at_boot = !oms->reconciled};
    if (!again_give_grace(oms, &comparison->found, comparison->run.at_ns)) {
        return inconclusive(oms, "no memory", error);
    }
    code = again_tell_repeats(oms, &comparison->found, error);
    if (code == OMS_OK) {
        code = store_comparison(oms, comparison, error);
    }
    if (code != OMS_OK) {
        return code;
    }
    note_run(oms, &comparison->run);
    if (store_mark_write(&oms->store, comparison->run.id) != SQLITE_OK) {
        engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL,
                    "the mark beside the store could not be written: an older copy of the store "
                    "may go unnoticed until the next comparison");
    }
    meta->compared_ns = comparison->run.at_ns;
    oms->reconciled = true;
    oms->compare_asked = oms->unanswered = false;
    oms->compare_ns = oms->compare_step_ns = 0;
    oms->poll_ns = comparison->run.at_ns + oms->config.poll_ns;
    day_done(oms, &comparison->run, &comparison->day, &comparison->found);
    tell_comparison(oms, comparison, meta->kill_switch && !was_on);
    return OMS_OK;
}

bool compare_is_due(const struct oms *oms) {
    return !oms->reconciled || oms->compare_asked || oms->again_ns != INT64_MAX;
}

/* ---- a picture that stands still ---- */

/* So many looks; a broker on which something happens between any two of them is asked again later.
 */
enum { LOOKS_MAX = 5 };

enum stand {
    WAITS,    /* for what must come back from the archive */
    STANDS,   /* what the newest look shows was so at one moment */
    MOVES,    /* not known yet */
    NO_ANSWER /* or no memory; `why` says */
};

static bool nothing_is_unexplained(const struct reconcile_found *found) {
    for (size_t i = 0; i < found->n; i++) {
        if (!found->v[i].explained) {
            return false;
        }
    }
    return true;
}

/* One look, and what differs in it. A broker is read list by list, and between two of them something
 * may happen. What agrees with our own books, our orders' executions added, needs no second look: no
 * reading of different moments would add up so. Anything else is believed once two looks in a row
 * show the same. */
static enum stand look_once(struct oms *oms, struct comparison *comparison, const char **why,
                            enum oms_code *code, struct oms_error *error) {
    static const struct picture nothing;
    const struct picture *picture = &comparison->picture;

    look_free(&comparison->before);
    comparison->before = comparison->picture;
    comparison->picture = nothing;
    forget_look(comparison);
    if (!look_at_all(oms, &comparison->past, &comparison->picture)) {
        *why = picture->why;
        return NO_ANSWER;
    }
    comparison->booked = calloc(picture->fills.n + 1, sizeof *comparison->booked);
    comparison->notices =
        calloc(picture->fills.n + 2 * picture->orders.n + 1, sizeof *comparison->notices);
    *why = "no memory";
    if (comparison->booked == NULL || comparison->notices == NULL) {
        return NO_ANSWER;
    }
    *code = note_booked(oms, comparison, error);
    if (*code == OMS_OK) {
        *code = archiving_note(oms, &picture->orders, &picture->fills, comparison->booked,
                               &comparison->archived, error);
    }
    if (*code == OMS_OK && archiving_is_wanted_back(oms)) {
        return WAITS;
    }
    if (*code == OMS_OK) {
        *code = note_corrected(oms, comparison, error);
    }
    if (has_corrections(&picture->fills) && comparison->corrected == NULL) {
        return NO_ANSWER;
    }
    if (*code != OMS_OK || !compare(oms, comparison) ||
        !compare_day(oms, comparison, code, error)) {
        return NO_ANSWER;
    }
    *why = "what the broker shows does not stand still";
    return nothing_is_unexplained(&comparison->found) ||
                   (comparison->looks > 0 && look_is_same(picture, &comparison->before))
               ? STANDS
               : MOVES;
}

enum oms_code compare_books(struct oms *oms, struct order *order, struct oms_error *error) {
    struct comparison comparison = {.booked = NULL};
    enum stand stand = MOVES;
    enum oms_code code = OMS_OK;
    const char *why = "";

    (void)order;
    engine_tell(oms, OMS_EVENT_RECONCILE, OMS_BEFORE, NULL, "");
    code = day_past_read(oms, &comparison.past, error);
    for (; code == OMS_OK && stand == MOVES && comparison.looks < LOOKS_MAX; comparison.looks++) {
        oms->still = comparison.looks > 0;
        stand = look_once(oms, &comparison, &why, &code, error);
    }
    oms->still = false;
    if (code == OMS_OK && stand != WAITS) {
        code = stand == STANDS ? finish_comparison(oms, &comparison, error)
                               : inconclusive(oms, why, error);
    }
    look_forget(oms);
    forget_look(&comparison);
    look_free(&comparison.before);
    day_past_free(&comparison.past);
    return code;
}
