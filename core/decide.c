/* Decisions become durable intents: checked, and written in one transaction however many came
 * together. */
#include "core/archiving.h"
#include "core/client_id.h"
#include "core/engine.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules for what comes in ---- */

static bool decision_is_valid(const struct oms_decision *decision, int64_t now_ns, char *why) {
    char number[DECIMAL_TEXT_MAX], text[OMS_DECISION_ID_SIZE], now[TEXT_TIME_SIZE],
        then[TEXT_TIME_SIZE];

    if (!text_is_visible(decision->id, sizeof decision->id)) {
        (void)snprintf(why, OMS_REASON_SIZE,
                       "decision id \"%s\" must be 1 to 128 printable characters without spaces",
                       text_shown(decision->id, sizeof decision->id, text));
    } else if (!text_is_word(decision->symbol, sizeof decision->symbol, "./-")) {
        (void)snprintf(why, OMS_REASON_SIZE, "symbol \"%s\" must be 1 to 23 of [A-Z0-9./-]",
                       text_shown(decision->symbol, sizeof decision->symbol, text));
    } else if (decision->qty_nanos <= 0) {
        (void)snprintf(why, OMS_REASON_SIZE, "qty %s must be positive",
                       decimal_format(decision->qty_nanos, 0, number));
    } else if (decision->type == BROKER_LIMIT && decision->limit_nanos <= 0) {
        (void)snprintf(why, OMS_REASON_SIZE, "limit %s of a limit order must be positive",
                       decimal_format(decision->limit_nanos, 0, number));
    } else if (decision->type == BROKER_MARKET && decision->limit_nanos != 0) {
        (void)snprintf(why, OMS_REASON_SIZE, "limit %s of a market order must be 0",
                       decimal_format(decision->limit_nanos, 0, number));
    } else if (decision->expires_ns < 0 ||
               (decision->expires_ns > 0 && decision->expires_ns <= now_ns)) {
        (void)snprintf(why, OMS_REASON_SIZE, "expiry %s is past: it is %s",
                       text_time(decision->expires_ns, then), text_time(now_ns, now));
    } else {
        return true;
    }
    return false;
}

/* Enums are data from outside: a value that is none of their names is refused. */
static bool words_are_valid(const struct oms_decision *decision, char *why) {
    const char *field = broker_side_name(decision->side)[0] == '?'   ? "side"
                        : broker_type_name(decision->type)[0] == '?' ? "type"
                        : broker_tif_name(decision->tif)[0] == '?'   ? "time in force"
                                                                     : NULL;
    if (field != NULL) {
        (void)snprintf(why, OMS_REASON_SIZE, "%s is none of the known ones", field);
    }
    return field == NULL;
}

/* ---- answers without an intent ---- */

static void tell_decision(struct oms *oms, enum oms_event_kind kind, enum oms_phase phase,
                          const struct oms_decision *decision, const char *client_order_id,
                          const char *text, bool known) {
    char id[OMS_DECISION_ID_SIZE];
    const struct oms_event event = {.kind = kind,
                                    .phase = phase,
                                    .decision_id =
                                        text_shown(decision->id, sizeof decision->id, id),
                                    .client_order_id = client_order_id,
                                    .text = text,
                                    .known = known};
    oms->env.emit(oms->env.ctx, &event);
}

static void not_taken(struct oms *oms, const struct oms_decision *decision,
                      struct oms_answer *answer, const char *why) {
    answer->taken = OMS_NOT_TAKEN;
    text_clean(answer->reason, sizeof answer->reason, why);
    tell_decision(oms, OMS_EVENT_REFUSE, OMS_AFTER, decision, answer->client_order_id,
                  answer->reason, false);
}

static void answer_known(struct oms *oms, const struct oms_decision *decision,
                         const struct order *order, struct oms_answer *answer) {
    tell_decision(oms, OMS_EVENT_CHECK, OMS_AFTER, decision, answer->client_order_id, "", true);
    if (!order_same_payload(decision, &order->pub.decision)) {
        not_taken(oms, decision, answer,
                  "this decision id was taken with another payload; a new decision needs a "
                  "new id");
        return;
    }
    answer->taken = OMS_KNOWN;
    answer->state = order->pub.state;
    text_clean(answer->reason, sizeof answer->reason, order->pub.reason);
    tell_decision(oms, OMS_EVENT_SKIP, OMS_AFTER, decision, answer->client_order_id,
                  oms_state_name(order->pub.state), false);
}

/* ---- intents ---- */

/* Decisions that are about to be taken together. */
struct intake {
    struct order *intents;
    const struct oms_decision **decisions; /* of each intent, as presented */
    struct oms_answer **answers;           /* of each intent */
    size_t count;
    struct index by_id; /* the answers by client order id, when several decisions came */
};

/* Of several only the first is reserved, and may leave at once: those behind it wait for their
 * turn, and what is reserved and never left counts as sent after a crash. */
static void make_intent(struct oms *oms, const struct oms_decision *decision,
                        const char *client_order_id, int64_t now_ns, size_t ahead,
                        struct order *intent) {
    struct oms_order *pub = &intent->pub;

    *intent = (struct order){.id = book_next_row(&oms->book) + (int64_t)ahead};
    pub->decision = *decision;
    text_clean(pub->decision.id, sizeof pub->decision.id, decision->id);
    text_clean(pub->decision.symbol, sizeof pub->decision.symbol, decision->symbol);
    intent->seal = order_seal(&pub->decision);
    text_clean(pub->client_order_id, sizeof pub->client_order_id, client_order_id);
    pub->created_ns = now_ns;
    pub->state = OMS_STATE_INTENT;
    if (book_is_orphan(&oms->book, client_order_id)) {
        /* an earlier life sent it and lost the record: it is looked up, and never sent again */
        pub->sends = oms->config.max_sends;
        intent->send_by_ns = now_ns;
        intent->left_by_ns = engine_steady(oms);
        order_move(intent, OMS_STATE_IN_DOUBT, "the broker has an order under this id already");
    } else if (ahead == 0 && send_may_begin(oms)) {
        send_reserve(oms, intent, now_ns);
    }
    order_check(intent);
}

/* What became of the intents' transaction. */
enum written { WRITTEN_DURABLE, WRITTEN_SWITCHED_OFF, WRITTEN_NO_SPACE, WRITTEN_UNKNOWN };

/* Invariant (1): this returns WRITTEN_DURABLE before anything about the orders may leave. */
static enum written write_durably(struct oms *oms, const struct intake *intake) {
    bool allowed = true;
    int rc = store_begin(&oms->store);

    for (size_t i = 0; rc == SQLITE_OK && allowed && i < intake->count; i++) {
        rc = store_put_intent(&oms->store, &intake->intents[i], &allowed);
    }
    if (rc == SQLITE_OK && allowed) {
        switch (store_commit(&oms->store)) {
        case STORE_COMMITTED:
            return WRITTEN_DURABLE;
        case STORE_NO_SPACE:
            return WRITTEN_NO_SPACE;
        case STORE_UNKNOWN:
            return WRITTEN_UNKNOWN;
        }
    }
    if (store_rollback(&oms->store) != SQLITE_OK) {
        return WRITTEN_UNKNOWN;
    }
    if (rc == SQLITE_OK) {
        return WRITTEN_SWITCHED_OFF;
    }
    return (rc & 0xff) == SQLITE_FULL ? WRITTEN_NO_SPACE : WRITTEN_UNKNOWN;
}

static void take_none(struct oms *oms, const struct intake *intake, const char *why) {
    for (size_t i = 0; i < intake->count; i++) {
        not_taken(oms, intake->decisions[i], intake->answers[i], why);
    }
}

/* Memory follows the store. */
static enum oms_code keep(struct oms *oms, const struct order *intent, struct oms_answer *answer,
                          struct oms_error *error) {
    struct order *kept = book_add_order(&oms->book, intent);

    if (kept == NULL || !engine_relist(oms, kept)) {
        return engine_fail(oms, "no memory to keep an order", error);
    }
    oms->ids_sent += kept->passed_door = kept->pub.state == OMS_STATE_IN_DOUBT;
    engine_tell(oms, OMS_EVENT_DECIDE, OMS_AFTER, kept, "");
    answer->taken = OMS_TAKEN;
    answer->state = kept->pub.state;
    return OMS_OK;
}

static enum oms_code take(struct oms *oms, const struct intake *intake, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    char why[OMS_REASON_SIZE];

    if (!book_reserve_orders(&oms->book, intake->count)) {
        (void)snprintf(why, sizeof why, "no room for another order: %zu of at most %d are kept",
                       oms->book.order_count, BOOK_ORDERS_MAX);
        take_none(oms, intake, why);
        return OMS_OK;
    }
    for (size_t i = 0; i < intake->count; i++) {
        engine_tell(oms, OMS_EVENT_DECIDE, OMS_BEFORE, &intake->intents[i], "");
    }
    switch (write_durably(oms, intake)) {
    case WRITTEN_DURABLE:
        break;
    case WRITTEN_SWITCHED_OFF:
        take_none(oms, intake, "the kill switch is on in the store");
        return OMS_OK;
    case WRITTEN_NO_SPACE:
        take_none(oms, intake, "no space left for the intent");
        return OMS_OK;
    case WRITTEN_UNKNOWN:
        return engine_fail(oms, "write the intent (outcome unknown)", error);
    }
    for (size_t i = 0; code == OMS_OK && i < intake->count; i++) {
        code = keep(oms, &intake->intents[i], intake->answers[i], error);
    }
    return code;
}

/* ---- presenting ---- */

/* The answer to the same id earlier in the same call, when that is to be taken; or NULL. */
static const struct oms_answer *earlier(const struct intake *intake, const char *client_order_id) {
    return index_get(&intake->by_id, client_order_id);
}

/* Answers what can be answered at once, and adds what is to be taken. */
static enum oms_code look_at(struct oms *oms, const struct oms_decision *decision, int64_t now_ns,
                             struct intake *intake, struct oms_answer *answer,
                             struct oms_error *error) {
    char why[OMS_REASON_SIZE];
    const struct order *known;
    enum oms_code code = OMS_OK;

    *answer = (struct oms_answer){.taken = OMS_UNKNOWN};
    if (text_is_visible(decision->id, sizeof decision->id)) {
        oms_client_order_id(oms->config.account, decision->id, oms->config.profile->client_id_max,
                            answer->client_order_id);
    }
    known = book_by_client_id(&oms->book, answer->client_order_id);
    if (known == NULL) {
        code = archiving_find(oms, SEGMENT_CLIENT_ID, answer->client_order_id, &known, error);
    }
    if (code != OMS_OK) {
        return code;
    }
    if (known != NULL) {
        answer_known(oms, decision, known, answer);
        return OMS_OK;
    }
    if (!decision_is_valid(decision, now_ns, why) || !words_are_valid(decision, why)) {
        not_taken(oms, decision, answer, why);
        return OMS_OK;
    }
    if (earlier(intake, answer->client_order_id) != NULL) {
        return OMS_OK; /* answered once that one is */
    }
    tell_decision(oms, OMS_EVENT_CHECK, OMS_AFTER, decision, answer->client_order_id, "", false);
    if (oms->book.meta.kill_switch) {
        (void)snprintf(why, sizeof why, "the kill switch is on: %.200s",
                       oms->book.meta.kill_reason);
        not_taken(oms, decision, answer, why);
        return OMS_OK;
    }
    make_intent(oms, decision, answer->client_order_id, now_ns, intake->count,
                &intake->intents[intake->count]);
    intake->decisions[intake->count] = decision;
    intake->answers[intake->count++] = answer;
    if (intake->by_id.capacity > 0) { /* there is room for all of them */
        (void)index_put(&intake->by_id, answer->client_order_id, answer);
    }
    return OMS_OK;
}

/* What was presented a second time in the same call is answered as if it had come after it. */
static void answer_repeats(struct oms *oms, const struct oms_decision decisions[], size_t count,
                           const struct intake *intake, struct oms_answer answers[]) {
    for (size_t i = 0; i < count; i++) {
        const struct oms_answer *first = earlier(intake, answers[i].client_order_id);
        if (answers[i].taken != OMS_UNKNOWN || first == NULL || first == &answers[i]) {
            continue;
        }
        if (first->taken == OMS_TAKEN) {
            answer_known(oms, &decisions[i],
                         book_by_client_id(&oms->book, answers[i].client_order_id), &answers[i]);
        } else {
            not_taken(oms, &decisions[i], &answers[i], first->reason);
        }
    }
}

static enum oms_code present(struct oms *oms, const struct oms_decision decisions[], size_t count,
                             struct intake *intake, struct oms_answer answers[],
                             struct oms_error *error) {
    const int64_t now = engine_now(oms);
    enum oms_code code = OMS_OK;

    for (size_t i = 0; code == OMS_OK && i < count; i++) {
        code = look_at(oms, &decisions[i], now, intake, &answers[i], error);
    }
    if (code == OMS_OK && intake->count > 0) {
        code = take(oms, intake, error);
    }
    if (code == OMS_OK) {
        answer_repeats(oms, decisions, count, intake, answers);
    }
    return code;
}

enum oms_code oms_decide(struct oms *oms, const struct oms_decision *decision,
                         struct oms_answer *answer, struct oms_error *error) {
    struct order intent;
    const struct oms_decision *presented[1];
    struct oms_answer *answered[1];
    struct intake intake = {.intents = &intent, .decisions = presented, .answers = answered};

    *answer = (struct oms_answer){.taken = OMS_UNKNOWN};
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return present(oms, decision, 1, &intake, answer, error);
}

enum oms_code oms_decide_many(struct oms *oms, const struct oms_decision decisions[], size_t count,
                              struct oms_answer answers[], struct oms_error *error) {
    struct intake intake = {.count = 0};
    enum oms_code code = OMS_OK;

    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct oms_answer){.taken = OMS_UNKNOWN};
    }
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    if (count > OMS_DECISIONS_MAX) {
        text_error(error, "%zu decisions were presented together, at most %d may be", count,
                   OMS_DECISIONS_MAX);
        return OMS_INVALID;
    }
    intake.intents = calloc(count + 1, sizeof *intake.intents);
    intake.decisions = calloc(count + 1, sizeof *intake.decisions);
    intake.answers = calloc(count + 1, sizeof *intake.answers);
    if (intake.intents == NULL || intake.decisions == NULL || intake.answers == NULL ||
        !index_reserve(&intake.by_id, count)) {
        for (size_t i = 0; i < count; i++) {
            not_taken(oms, &decisions[i], &answers[i], "no memory to take it");
        }
    } else {
        code = present(oms, decisions, count, &intake, answers, error);
    }
    free(intake.intents);
    free(intake.decisions);
    free(intake.answers);
    index_free(&intake.by_id);
    return code;
}

enum oms_code oms_exists(struct oms *oms, const char *decision_id, bool *exists,
                         char key[BROKER_CLIENT_ID_SIZE], struct oms_error *error) {
    int rc;

    *exists = false;
    key[0] = '\0';
    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    rc = store_key_of(&oms->store, decision_id, key);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return engine_fail(oms, "look a decision up", error);
    }
    *exists = rc == SQLITE_ROW;
    if (!*exists) {
        const struct order *archived = NULL;
        const enum oms_code code = archiving_order(oms, decision_id, &archived, error);
        if (code != OMS_OK) {
            return code;
        }
        *exists = archived != NULL;
        text_clean(key, BROKER_CLIENT_ID_SIZE,
                   archived != NULL ? archived->pub.client_order_id : "");
    }
    return OMS_OK;
}
