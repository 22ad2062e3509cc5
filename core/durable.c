/* The transactions of the running instance, and what happens when one fails.
 *
 * Fail-stop (7): after a storage error nothing is sent or written; the next start reads the disk.
 */
#include "core/engine.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A deadline of this life that a clock stepping back has moved out of reach is due at once. */
static void pull_in(int64_t *deadline_ns, int64_t now_ns) {
    const int64_t farthest = 60 * PROFILE_SECOND_NS;
    if (*deadline_ns > now_ns && *deadline_ns - now_ns > farthest) {
        *deadline_ns = now_ns;
    }
}

static void note_step_back(struct oms *oms, int64_t now_ns) {
    pull_in(&oms->compare_ns, now_ns);
    if (oms->again_ns != INT64_MAX) {
        pull_in(&oms->again_ns, now_ns);
    }
    pull_in(&oms->poll_ns, now_ns);
    pull_in(&oms->door_ns, now_ns);
    pull_in(&oms->slow_ns, now_ns);
    pull_in(&oms->collect_ns, now_ns);
    for (size_t i = 0; i < oms->live_count; i++) {
        pull_in(&oms->live[i]->retry_ns, now_ns);
        pull_in(&oms->live[i]->query_ns, now_ns);
        pull_in(&oms->live[i]->cancel_ns, now_ns);
        oms->clock_went_back |= order_is_doubtful(oms->live[i]);
    }
}

int64_t engine_now(struct oms *oms) {
    const int64_t now = oms->env.now_ns(oms->env.ctx);

    if (now < oms->mark_ns) {
        note_step_back(oms, now);
    }
    oms->mark_ns = now;
    return now;
}

int64_t engine_steady(const struct oms *oms) {
    return oms->env.steady_ns == NULL ? 0 : oms->env.steady_ns(oms->env.ctx);
}

void engine_heard(struct oms *oms, const struct broker_reason *why) {
    enum { TOO_MANY_REQUESTS = 429 };
    if (why->http_status == TOO_MANY_REQUESTS) {
        order_back_off(&oms->slow_ns, &oms->slow_step_ns, engine_now(oms));
    } else {
        oms->slow_ns = oms->slow_step_ns = 0;
    }
}

void engine_tell(struct oms *oms, enum oms_event_kind kind, enum oms_phase phase,
                 const struct order *order, const char *text) {
    const struct oms_event event = {
        .kind = kind,
        .phase = phase,
        .decision_id = order != NULL ? order->pub.decision.id : "",
        .client_order_id = order != NULL ? order->pub.client_order_id : "",
        .text = text,
    };
    oms->env.emit(oms->env.ctx, &event);
}

enum oms_code engine_fail(struct oms *oms, const char *what, struct oms_error *error) {
    struct oms_error told;

    const bool said = sqlite3_errcode(oms->store.db) != SQLITE_OK; /* by SQLite, why */
    text_error(&told, "%s%s%s: stopped; start again to recover from the disk", what,
               said ? ": " : "", said ? store_message(&oms->store) : "");
    text_error(error, "%s", told.text);
    if (!oms->halted) {
        oms->halted = true;
        engine_tell(oms, OMS_EVENT_HALT, OMS_AFTER, NULL, told.text);
    }
    return OMS_STORAGE;
}

bool engine_is_halted(const struct oms *oms, struct oms_error *error) {
    if (oms->halted) {
        text_error(error, "stopped after a storage error: close and start again");
    }
    return oms->halted;
}

enum oms_code engine_begin(struct oms *oms, struct oms_error *error) {
    if (engine_is_halted(oms, error)) { /* while a question waited */
        return OMS_STORAGE;
    }
    return store_begin(&oms->store) == SQLITE_OK ? OMS_OK
                                                 : engine_fail(oms, "begin a transaction", error);
}

enum oms_code engine_commit(struct oms *oms, struct oms_error *error) {
    return store_commit(&oms->store) == STORE_COMMITTED
               ? OMS_OK
               : engine_fail(oms, "commit (outcome unknown)", error);
}

bool engine_relist(struct oms *oms, struct order *order) {
    const bool wanted = !oms_state_is_final(order->pub.state);
    size_t low = 0, high = oms->live_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (oms->live[middle]->id < order->id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool listed = low < oms->live_count && oms->live[low] == order;
    if (listed && !wanted) {
        oms->live_count--;
        memmove(&oms->live[low], &oms->live[low + 1], (oms->live_count - low) * sizeof *oms->live);
    } else if (!listed && wanted) {
        if (oms->live_count == oms->live_capacity) { /* at most BOOK_ORDERS_MAX */
            const size_t more = oms->live_capacity ? oms->live_capacity * 2 : 8;
            void *grown = realloc(oms->live, more * sizeof *oms->live);
            if (grown == NULL) {
                return false;
            }
            oms->live = grown;
            oms->live_capacity = more;
        }
        memmove(&oms->live[low + 1], &oms->live[low], (oms->live_count - low) * sizeof *oms->live);
        oms->live[low] = order;
        oms->live_count++;
    }
    return true;
}

/* Memory follows the store. */
static enum oms_code take_over(struct oms *oms, struct order *order, const struct order *next,
                               struct oms_error *error) {
    CHECK(order_can_move(order->pub.state, next->pub.state));
    CHECK(order->id == next->id);
    *order = *next;
    return book_note_broker_id(&oms->book, order) && engine_relist(oms, order)
               ? OMS_OK
               : engine_fail(oms, "no memory to keep an order", error);
}

enum oms_code engine_put(struct oms *oms, struct order *order, const struct order *next,
                         struct oms_error *error) {
    return store_put_order(&oms->store, next) == SQLITE_OK
               ? take_over(oms, order, next, error)
               : engine_fail(oms, "write an order", error);
}

enum oms_code engine_save(struct oms *oms, struct order *order, const struct order *next,
                          struct oms_error *error) {
    enum oms_code code = engine_begin(oms, error);

    if (code == OMS_OK && store_put_order(&oms->store, next) != SQLITE_OK) {
        code = engine_fail(oms, "write an order", error);
    }
    if (code == OMS_OK) {
        code = engine_commit(oms, error);
    }
    return code == OMS_OK ? take_over(oms, order, next, error) : code;
}

enum oms_code engine_record(struct oms *oms, struct order *order, const struct order *next,
                            struct oms_error *error) {
    const bool refused = next->pub.state == OMS_STATE_REJECTED;
    const bool held = next->pub.state == OMS_STATE_HELD && order->pub.state != OMS_STATE_HELD;
    enum oms_code code;

    engine_tell(oms, OMS_EVENT_RECORD, OMS_BEFORE, next, oms_state_name(next->pub.state));
    if (refused) {
        engine_tell(oms, OMS_EVENT_REJECT, OMS_BEFORE, next, next->pub.reason);
    }
    code = engine_save(oms, order, next, error);
    if (code != OMS_OK) {
        return code;
    }
    if (refused) {
        engine_tell(oms, OMS_EVENT_REJECT, OMS_AFTER, order, order->pub.reason);
    }
    engine_tell(oms, OMS_EVENT_RECORD, OMS_AFTER, order, oms_state_name(order->pub.state));
    if (held) {
        engine_tell(oms, OMS_EVENT_HOLD, OMS_AFTER, order, order->pub.reason);
    }
    return OMS_OK;
}

enum oms_code engine_trip(struct oms *oms, bool on, const char *who, const char *why,
                          struct oms_error *error) {
    const bool own = sqlite3_get_autocommit(oms->store.db) != 0;
    char reason[OMS_REASON_SIZE], safe_who[BROKER_TEXT_SIZE], safe_why[BROKER_TEXT_SIZE];
    const int64_t now = engine_now(oms);
    enum oms_code code;

    if (oms->book.meta.kill_switch == on) {
        return OMS_OK; /* who came first stays on record */
    }
    code = own ? engine_begin(oms, error) : OMS_OK;
    text_clean(safe_who, sizeof safe_who, who);
    text_clean(safe_why, sizeof safe_why, why);
    (void)snprintf(reason, sizeof reason, "%.60s: %.170s", safe_who, safe_why);
    if (code == OMS_OK &&
        (store_put_kill_switch(&oms->store, on, on ? reason : "") != SQLITE_OK ||
         store_put_switching(&oms->store, now, on, safe_who, safe_why) != SQLITE_OK)) {
        code = engine_fail(oms, "write the kill switch", error);
    }
    if (code == OMS_OK && own) {
        code = engine_commit(oms, error);
    }
    if (code != OMS_OK) {
        return code;
    }
    oms->book.meta.kill_switch = on;
    text_clean(oms->book.meta.kill_reason, sizeof oms->book.meta.kill_reason, on ? reason : "");
    if (on) {
        send_withdraw(oms);
    }
    if (own) {
        engine_tell(oms, OMS_EVENT_KILL_SWITCH, OMS_AFTER, NULL, reason);
    }
    return OMS_OK;
}

/* Every commit stands, and the copying is tried again when the log has grown by as much again; but not
 * after a sync failed where a log ends in padding that no commit waits for: the device may never get that
 * padding, and what is written behind it would be lost with it. */
static void checkpoint_failed(struct oms *oms, int rc) {
    struct oms_error ignored; /* told by who sees the OMS halted */

    oms->checkpoint_at = oms->store.frames + oms->config.checkpoint_frames;
    if (rc == SQLITE_IOERR_FSYNC && store_needs_copy(&oms->store)) {
        (void)engine_fail(oms, "sync the log before it is copied", &ignored);
        return;
    }
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL,
                "the log could not be copied into the database; it will be tried again");
}

/* Copies the log when it is long and nothing urgent waits, or when it is very long. */
void engine_checkpoint_if_due(struct oms *oms, bool idle) {
    const int64_t urgent = oms->checkpoint_at + 3 * (int64_t)oms->config.checkpoint_frames;
    int rc;

    if (oms->halted || oms->store.frames < oms->checkpoint_at ||
        (!idle && oms->store.frames < urgent)) {
        return;
    }
    rc = store_checkpoint(&oms->store);
    if (rc == SQLITE_OK) {
        oms->checkpoint_at = oms->config.checkpoint_frames;
    } else {
        checkpoint_failed(oms, rc);
    }
}

bool engine_may_send(const struct oms *oms) {
    return oms->reconciled && !oms->barred && !oms->book.meta.kill_switch;
}
