/* What people and strategies ask of the OMS: start, stop, decide, cancel, switch, step. */
#include "core/client_id.h"
#include "core/engine.h"

#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECKPOINT_FRAMES = 1000,
    POLL_S = 2,
    SEND_WINDOW_S = 1,
    MAX_SENDS = 3,
    PRICE_TOLERANCE_PPM = 10000,
    REPEAT_ALARM = 3,
    REPEAT_ALARM_MAX = 100,
    SELF_HEAL_PPM_MAX = 500000 /* half of the position: more is no healing */
};

/* ---- rules for what comes in ---- */

static bool is_in(char c, const char *extra) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(extra, c) != NULL);
}

/* Is it 1..size-1 characters of A-Z, 0-9 and `extra`, closed by a zero within size? */
static bool is_word(const char *text, size_t size, const char *extra) {
    const char *end = memchr(text, '\0', size);
    if (end == NULL || end == text) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        if (!is_in(*c, extra)) {
            return false;
        }
    }
    return true;
}

static bool is_visible(const char *text, size_t size) {
    const char *end = memchr(text, '\0', size);
    if (end == NULL || end == text) {
        return false;
    }
    for (const char *c = text; c < end; c++) {
        if (*c <= ' ' || *c > '~') {
            return false;
        }
    }
    return true;
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"

/* A bounded, printable copy of text that may be anything, for messages. */
static const char *shown(const char *text, size_t size, char out[OMS_DECISION_ID_SIZE]) {
    char bounded[OMS_DECISION_ID_SIZE] = "";
    const size_t length = size < sizeof bounded ? size : sizeof bounded - 1;
    memcpy(bounded, text, length);
    bounded[length] = '\0';
    text_clean(out, OMS_DECISION_ID_SIZE, bounded);
    return out;
}

static bool config_is_valid(const struct oms_config *config, struct oms_error *error) {
    char account[OMS_DECISION_ID_SIZE];

    if (config->profile == NULL) {
        text_error(error, "configuration: a broker profile must be given");
    } else if (!is_word(config->account, sizeof config->account, LOWER "_-")) {
        text_error(error, "configuration: account \"%s\" must be 1 to 32 of [A-Za-z0-9_-]",
                   shown(config->account, sizeof config->account, account));
    } else if (config->page_size != 0 && (config->page_size < 512 || config->page_size > 65536 ||
                                          (config->page_size & (config->page_size - 1)) != 0)) {
        text_error(error, "configuration: page size %d must be a power of two from 512 to 65536",
                   config->page_size);
    } else if (config->checkpoint_frames < 0 || config->poll_ns < 0 || config->send_window_ns < 0 ||
               config->price_tolerance_ppm < 0 || config->repeat_alarm < 0 ||
               config->self_heal_ppm < 0) {
        text_error(error, "configuration: no number may be negative");
    } else if (config->self_heal_ppm > SELF_HEAL_PPM_MAX) {
        text_error(error, "configuration: self-heal of %lld ppm must be at most %d",
                   (long long)config->self_heal_ppm, SELF_HEAL_PPM_MAX);
    } else if (config->repeat_alarm > REPEAT_ALARM_MAX) {
        text_error(error, "configuration: repeat alarm %d must be at most %d", config->repeat_alarm,
                   REPEAT_ALARM_MAX);
    } else if (config->max_sends < 0 || config->max_sends > ORDER_SENDS_MAX) {
        text_error(error, "configuration: max sends %d must be at most %d", config->max_sends,
                   ORDER_SENDS_MAX);
    } else if (config->profile->client_id_max < CLIENT_ID_SHORTEST) {
        text_error(error,
                   "configuration: profile %s allows client order ids of %zu characters, at "
                   "least %d are needed",
                   config->profile->name, config->profile->client_id_max, CLIENT_ID_SHORTEST);
    } else {
        return true;
    }
    return false;
}

static void fill_defaults(struct oms_config *config) {
    if (config->checkpoint_frames == 0) {
        config->checkpoint_frames = CHECKPOINT_FRAMES;
    }
    if (config->poll_ns == 0) {
        config->poll_ns = POLL_S * PROFILE_SECOND_NS;
    }
    if (config->send_window_ns == 0) {
        config->send_window_ns = SEND_WINDOW_S * PROFILE_SECOND_NS;
    }
    if (config->max_sends == 0) {
        config->max_sends = MAX_SENDS;
    }
    if (config->price_tolerance_ppm == 0) {
        config->price_tolerance_ppm = PRICE_TOLERANCE_PPM;
    }
    if (config->repeat_alarm == 0) {
        config->repeat_alarm = REPEAT_ALARM;
    }
}

/* ---- start and stop ---- */

static bool opening_is_valid(const struct oms_opening *opening, struct oms_error *error) {
    char symbol[OMS_DECISION_ID_SIZE], price[DECIMAL_TEXT_MAX];

    if (!is_word(opening->symbol, sizeof opening->symbol, "./-")) {
        text_error(error, "opening position: symbol \"%s\" must be of [A-Z0-9./-]",
                   shown(opening->symbol, sizeof opening->symbol, symbol));
        return false;
    }
    if (opening->price_nanos < 0 || opening->qty_nanos == INT64_MIN) {
        text_error(error, "opening position %s: price %s must not be negative", opening->symbol,
                   decimal_format(opening->price_nanos, 0, price));
        return false;
    }
    return true;
}

enum oms_code oms_init(const struct oms_place *place, const struct oms_config *config,
                       const struct oms_env *env, const struct oms_opening *opening,
                       size_t opening_count, struct oms_error *error) {
    if (!config_is_valid(config, error)) {
        return OMS_INVALID;
    }
    for (size_t i = 0; i < opening_count; i++) {
        if (!opening_is_valid(&opening[i], error)) {
            return OMS_INVALID;
        }
    }
    return store_create(place, config, env->now_ns(env->ctx), opening, opening_count, error);
}

/* The latest moment the store knows of; a clock that shows less has gone back. */
static int64_t durable_mark(const struct oms *oms) {
    const struct book *book = &oms->book;
    const size_t count = book->order_count;
    int64_t mark = book->meta.base_ns;

    if (book->meta.last_run > book->meta.base_run && book->meta.last_run_ns > mark) {
        mark = book->meta.last_run_ns;
    }
    if ((int64_t)count > book->meta.base_order && book->orders[count - 1]->pub.created_ns > mark) {
        mark = book->orders[count - 1]->pub.created_ns;
    }
    for (size_t i = 0; i < oms->live_count; i++) {
        const int64_t sent_ns = oms->live[i]->send_by_ns - send_reach_ns(oms);
        if (order_is_doubtful(oms->live[i]) && sent_ns > mark) {
            mark = sent_ns;
        }
    }
    return mark;
}

static enum oms_code ready(struct oms *oms, struct oms_error *error) {
    for (size_t i = 0; i < oms->book.order_count; i++) {
        struct order *order = oms->book.orders[i];
        order->passed_door = order->pub.sends > 0;
        oms->ids_sent += order->passed_door;
        if (!engine_relist(oms, order)) {
            text_error(error, "no memory for the orders that are not quiet");
            return OMS_STORAGE;
        }
    }
    oms->checkpoint_at = oms->config.checkpoint_frames;
    oms->again_ns = INT64_MAX;
    oms->mark_ns = durable_mark(oms);
    (void)engine_now(oms);
    return OMS_OK;
}

enum oms_code oms_open(struct oms **out, const struct oms_place *place,
                       const struct oms_config *config, const struct broker *broker,
                       const struct oms_env *env, struct oms_error *error) {
    struct oms *oms;
    enum oms_code code;

    *out = NULL;
    if (!config_is_valid(config, error)) {
        return OMS_INVALID;
    }
    oms = calloc(1, sizeof *oms);
    if (oms == NULL) {
        text_error(error, "no memory for an instance");
        return OMS_STORAGE;
    }
    oms->broker = *broker;
    oms->env = *env;
    oms->config = *config;
    fill_defaults(&oms->config);
    engine_tell(oms, OMS_EVENT_BOOT, OMS_BEFORE, NULL, oms->config.profile->guarantee);
    code = store_open(&oms->store, place, error);
    if (code == OMS_OK) {
        code = book_load(&oms->book, &oms->store, true, error);
    }
    if (code == OMS_OK && strcmp(oms->book.meta.account, config->account) != 0) {
        text_error(error, "store %s: it belongs to account %s, not to %s", oms->store.path,
                   oms->book.meta.account, config->account);
        code = OMS_FOREIGN;
    }
    if (code == OMS_OK) {
        code = ready(oms, error);
    }
    if (code != OMS_OK) {
        oms->halted = true; /* nothing is written on the way out */
        oms_close(oms);
        return code;
    }
    *out = oms;
    return OMS_OK;
}

void oms_close(struct oms *oms) {
    if (oms == NULL) {
        return;
    }
    if (!oms->halted && !oms->config.no_checkpoint_on_close) {
        (void)store_checkpoint(&oms->store); /* the commits stand without it */
    }
    store_close(&oms->store);
    book_free(&oms->book);
    free(oms->live);
    free(oms->suspects);
    free(oms);
}

static bool is_halted(const struct oms *oms, struct oms_error *error) {
    if (oms->halted) {
        text_error(error, "stopped after a storage error: close and start again");
    }
    return oms->halted;
}

/* ---- deciding ---- */

static bool decision_is_valid(const struct oms_decision *decision, int64_t now_ns, char *why) {
    char number[DECIMAL_TEXT_MAX], text[OMS_DECISION_ID_SIZE], now[TEXT_TIME_SIZE],
        then[TEXT_TIME_SIZE];

    if (!is_visible(decision->id, sizeof decision->id)) {
        (void)snprintf(why, OMS_REASON_SIZE,
                       "decision id \"%s\" must be 1 to 128 printable characters without spaces",
                       shown(decision->id, sizeof decision->id, text));
    } else if (!is_word(decision->symbol, sizeof decision->symbol, "./-")) {
        (void)snprintf(why, OMS_REASON_SIZE, "symbol \"%s\" must be 1 to 23 of [A-Z0-9./-]",
                       shown(decision->symbol, sizeof decision->symbol, text));
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

static void tell_decision(struct oms *oms, enum oms_event_kind kind, enum oms_phase phase,
                          const struct oms_decision *decision, const char *client_order_id,
                          const char *text, bool known) {
    char id[OMS_DECISION_ID_SIZE];
    const struct oms_event event = {.kind = kind,
                                    .phase = phase,
                                    .decision_id = shown(decision->id, sizeof decision->id, id),
                                    .client_order_id = client_order_id,
                                    .text = text,
                                    .known = known};
    oms->env.emit(oms->env.ctx, &event);
}

static enum oms_code not_taken(struct oms *oms, const struct oms_decision *decision,
                               struct oms_answer *answer, const char *why) {
    answer->taken = OMS_NOT_TAKEN;
    text_clean(answer->reason, sizeof answer->reason, why);
    tell_decision(oms, OMS_EVENT_REFUSE, OMS_AFTER, decision, answer->client_order_id,
                  answer->reason, false);
    return OMS_OK;
}

static enum oms_code answer_known(struct oms *oms, const struct oms_decision *decision,
                                  const struct order *order, struct oms_answer *answer) {
    tell_decision(oms, OMS_EVENT_CHECK, OMS_AFTER, decision, answer->client_order_id, "", true);
    if (!order_same_payload(decision, &order->pub.decision)) {
        return not_taken(oms, decision, answer,
                         "this decision id was taken with another payload; a new decision needs a "
                         "new id");
    }
    answer->taken = OMS_KNOWN;
    answer->state = order->pub.state;
    text_clean(answer->reason, sizeof answer->reason, order->pub.reason);
    tell_decision(oms, OMS_EVENT_SKIP, OMS_AFTER, decision, answer->client_order_id,
                  oms_state_name(order->pub.state), false);
    return OMS_OK;
}

static void make_intent(struct oms *oms, const struct oms_decision *decision,
                        const char *client_order_id, int64_t now_ns, struct order *intent) {
    struct oms_order *pub = &intent->pub;

    *intent = (struct order){.id = (int64_t)oms->book.order_count + 1};
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
        order_move(intent, OMS_STATE_IN_DOUBT, "the broker has an order under this id already");
    } else if (send_may_begin(oms)) {
        send_reserve(oms, intent, now_ns);
    }
    order_check(intent);
}

/* What became of the intent's transaction. */
enum intent { INTENT_DURABLE, INTENT_SWITCHED_OFF, INTENT_NO_SPACE, INTENT_UNKNOWN };

/* Invariant (1): this returns INTENT_DURABLE before anything about the order may leave. */
static enum intent write_intent_durably(struct oms *oms, const struct order *intent) {
    bool allowed = false;
    int rc = store_begin(&oms->store);

    if (rc == SQLITE_OK) {
        rc = store_put_intent(&oms->store, intent, &allowed);
    }
    if (rc == SQLITE_OK && allowed) {
        switch (store_commit(&oms->store)) {
        case STORE_COMMITTED:
            return INTENT_DURABLE;
        case STORE_NO_SPACE:
            return INTENT_NO_SPACE;
        case STORE_UNKNOWN:
            return INTENT_UNKNOWN;
        }
    }
    if (store_rollback(&oms->store) != SQLITE_OK) {
        return INTENT_UNKNOWN;
    }
    if (rc == SQLITE_OK) {
        return INTENT_SWITCHED_OFF;
    }
    return (rc & 0xff) == SQLITE_FULL ? INTENT_NO_SPACE : INTENT_UNKNOWN;
}

static enum oms_code take(struct oms *oms, const struct order *intent, struct oms_answer *answer,
                          struct oms_error *error) {
    const struct oms_decision *decision = &intent->pub.decision;
    char why[OMS_REASON_SIZE];
    struct order *kept;

    if (!book_reserve_order(&oms->book)) {
        (void)snprintf(why, sizeof why, "no room for another order: %zu of at most %d are kept",
                       oms->book.order_count, BOOK_ORDERS_MAX);
        return not_taken(oms, decision, answer, why);
    }
    engine_tell(oms, OMS_EVENT_DECIDE, OMS_BEFORE, intent, "");
    switch (write_intent_durably(oms, intent)) {
    case INTENT_DURABLE:
        break;
    case INTENT_SWITCHED_OFF:
        return not_taken(oms, decision, answer, "the kill switch is on in the store");
    case INTENT_NO_SPACE:
        return not_taken(oms, decision, answer, "no space left for the intent");
    case INTENT_UNKNOWN:
        answer->taken = OMS_UNKNOWN;
        return engine_fail(oms, "write the intent (outcome unknown)", error);
    }
    kept = book_add_order(&oms->book, intent);
    if (kept == NULL || !engine_relist(oms, kept)) {
        answer->taken = OMS_UNKNOWN;
        return engine_fail(oms, "no memory to keep an order", error);
    }
    oms->ids_sent += kept->passed_door = kept->pub.state == OMS_STATE_IN_DOUBT;
    engine_tell(oms, OMS_EVENT_DECIDE, OMS_AFTER, kept, "");
    answer->taken = OMS_TAKEN;
    answer->state = kept->pub.state;
    return OMS_OK;
}

enum oms_code oms_decide(struct oms *oms, const struct oms_decision *decision,
                         struct oms_answer *answer, struct oms_error *error) {
    char why[OMS_REASON_SIZE];
    const struct order *known;
    struct order intent;
    int64_t now;

    *answer = (struct oms_answer){.taken = OMS_UNKNOWN};
    if (is_halted(oms, error)) {
        return OMS_HALTED;
    }
    now = engine_now(oms);
    if (is_visible(decision->id, sizeof decision->id)) {
        oms_client_order_id(oms->config.account, decision->id, oms->config.profile->client_id_max,
                            answer->client_order_id);
    }
    known = book_by_client_id(&oms->book, answer->client_order_id);
    if (known != NULL) {
        return answer_known(oms, decision, known, answer);
    }
    if (!decision_is_valid(decision, now, why) || !words_are_valid(decision, why)) {
        return not_taken(oms, decision, answer, why);
    }
    tell_decision(oms, OMS_EVENT_CHECK, OMS_AFTER, decision, answer->client_order_id, "", false);
    if (oms->book.meta.kill_switch) {
        (void)snprintf(why, sizeof why, "the kill switch is on: %.200s",
                       oms->book.meta.kill_reason);
        return not_taken(oms, decision, answer, why);
    }
    make_intent(oms, decision, answer->client_order_id, now, &intent);
    return take(oms, &intent, answer, error);
}

enum oms_code oms_exists(struct oms *oms, const char *decision_id, bool *exists,
                         char key[BROKER_CLIENT_ID_SIZE], struct oms_error *error) {
    int rc;

    *exists = false;
    key[0] = '\0';
    if (is_halted(oms, error)) {
        return OMS_HALTED;
    }
    rc = store_key_of(&oms->store, decision_id, key);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return engine_fail(oms, "look a decision up", error);
    }
    *exists = rc == SQLITE_ROW;
    return OMS_OK;
}

/* ---- canceling and switching ---- */

struct order *engine_order(const struct oms *oms, const char *decision_id) {
    char id[BROKER_CLIENT_ID_SIZE];
    struct order *order;
    oms_client_order_id(oms->config.account, decision_id, oms->config.profile->client_id_max, id);
    order = book_by_client_id(&oms->book, id);
    return order != NULL && strcmp(order->pub.decision.id, decision_id) == 0 ? order : NULL;
}

enum oms_code oms_cancel(struct oms *oms, const char *decision_id, struct oms_error *error) {
    struct order *order, next;

    if (is_halted(oms, error)) {
        return OMS_HALTED;
    }
    order = engine_order(oms, decision_id);
    if (order == NULL) {
        text_error(error, "cancel: there is no decision \"%.128s\"", decision_id);
        return OMS_INVALID;
    }
    if (order->pub.cancel_asked ||
        (oms_state_is_final(order->pub.state) && order->pub.state != OMS_STATE_HELD)) {
        return OMS_OK;
    }
    next = *order;
    next.pub.cancel_asked = true;
    if (!order_is_unsent(order)) {
        return engine_save(oms, order, &next, error);
    }
    order_move(&next, OMS_STATE_CANCELED, "canceled before it was sent");
    return engine_record(oms, order, &next, error);
}

enum oms_code oms_kill_switch(struct oms *oms, bool on, const char *who, const char *why,
                              struct oms_error *error) {
    if (is_halted(oms, error)) {
        return OMS_HALTED;
    }
    return engine_trip(oms, on, who, why, error);
}

enum oms_code oms_request_reconcile(struct oms *oms) {
    if (oms->halted) {
        return OMS_HALTED;
    }
    oms->compare_asked = true;
    oms->unanswered = false;
    oms->compare_ns = oms->compare_step_ns = 0;
    return OMS_OK;
}

/* ---- working ---- */

void oms_next(struct oms *oms, struct oms_next *next) {
    const struct task task = agenda_next(oms);
    *next = (struct oms_next){.work = task.work, .at_ns = task.at_ns};
}

enum oms_code oms_step(struct oms *oms, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    struct task task;
    int64_t now;

    if (is_halted(oms, error)) {
        return OMS_HALTED;
    }
    now = engine_now(oms);
    task = agenda_next(oms);
    if (task.work != OMS_WORK_NONE && task.at_ns <= now) {
        code = task.run(oms, task.order, error);
        task = agenda_next(oms);
    }
    engine_checkpoint_if_due(oms, task.work == OMS_WORK_NONE || task.at_ns > oms->mark_ns);
    return code;
}
