/* What people ask of the OMS: start, stop, cancel, switch, step. */
#include "core/archiving.h"
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
    ARCHIVE_ORDERS = 4096,
    SELF_HEAL_PPM_MAX = 500000 /* half of the position: more is no healing */
};

static bool config_is_valid(const struct oms_config *config, struct oms_error *error) {
    char account[OMS_DECISION_ID_SIZE];

    if (config->profile == NULL) {
        text_error(error, "configuration: a broker profile must be given");
    } else if (!text_is_word(config->account, sizeof config->account, TEXT_LOWER "_-")) {
        text_error(error, "configuration: account \"%s\" must be 1 to 32 of [A-Za-z0-9_-]",
                   text_shown(config->account, sizeof config->account, account));
    } else if (config->page_size != 0 && (config->page_size < 512 || config->page_size > 65536 ||
                                          (config->page_size & (config->page_size - 1)) != 0)) {
        text_error(error, "configuration: page size %d must be a power of two from 512 to 65536",
                   config->page_size);
    } else if (config->checkpoint_frames < 0 || config->poll_ns < 0 || config->send_window_ns < 0 ||
               config->price_tolerance_ppm < 0 || config->repeat_alarm < 0 ||
               config->self_heal_ppm < 0 || config->archive_orders < 0) {
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
    } else if (config->sends_at_once < 0 || config->sends_at_once > OMS_SENDS_MAX) {
        text_error(error, "configuration: sends at once %d must be at most %d",
                   config->sends_at_once, OMS_SENDS_MAX);
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
    if (config->sends_at_once == 0) {
        config->sends_at_once = 1;
    }
    if (config->price_tolerance_ppm == 0) {
        config->price_tolerance_ppm = PRICE_TOLERANCE_PPM;
    }
    if (config->archive_orders == 0) {
        config->archive_orders = ARCHIVE_ORDERS;
    }
    if (config->repeat_alarm == 0) {
        config->repeat_alarm = REPEAT_ALARM;
    }
}

/* ---- start and stop ---- */

static bool opening_is_valid(const struct oms_opening *opening, struct oms_error *error) {
    char symbol[OMS_DECISION_ID_SIZE], price[DECIMAL_TEXT_MAX];

    if (!text_is_word(opening->symbol, sizeof opening->symbol, "./-")) {
        text_error(error, "opening position: symbol \"%s\" must be of [A-Z0-9./-]",
                   text_shown(opening->symbol, sizeof opening->symbol, symbol));
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
    if (book_next_row(book) - 1 > book->meta.base_order &&
        book->orders[count - 1]->pub.created_ns > mark) {
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

/* What another life sent is as old as the wall clock says at the start. How that was set in between
 * nobody knows: where a second order under one id may be taken for a new one, it counts as sent now. */
static void wait_by_steady_clock(struct oms *oms, struct order *order) {
    const int64_t steady_ns = engine_steady(oms);
    const int64_t ago_ns =
        oms->config.profile->only_while_open ? 0 : oms->mark_ns - order->send_by_ns;

    if (order_is_doubtful(order) && steady_ns != 0) {
        order->left_by_ns = ago_ns < steady_ns ? steady_ns - ago_ns : 1;
    }
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
    oms->archive_above = (size_t)oms->config.archive_orders;
    oms->again_ns = INT64_MAX;
    oms->mark_ns = durable_mark(oms);
    (void)engine_now(oms);
    for (size_t i = 0; i < oms->live_count; i++) {
        wait_by_steady_clock(oms, oms->live[i]);
    }
    return OMS_OK;
}

/* (9) */
static enum oms_code stop_if_older(struct oms *oms, struct oms_error *error) {
    struct store_meta *meta = &oms->book.meta;
    char why[OMS_REASON_SIZE];
    const int64_t mark = oms->store.mark;

    if (mark <= meta->last_run) {
        return OMS_OK;
    }
    (void)snprintf(why, sizeof why,
                   "this store is older than the one that ran here: its newest comparison is %lld, "
                   "not %lld; compare, then release",
                   (long long)meta->last_run, (long long)mark);
    meta->last_run = mark; /* numbers go on from there, and the store is no longer behind */
    engine_tell(oms, OMS_EVENT_ALARM, OMS_AFTER, NULL, why);
    return engine_trip(oms, true, "start", why, error);
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
    if (code == OMS_OK) {
        code = stop_if_older(oms, error);
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
    oms_daily_free(&oms->daily);
    free(oms);
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

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    order = engine_order(oms, decision_id);
    if (order == NULL) {
        const struct order *ended = NULL;
        const enum oms_code code = archiving_order(oms, decision_id, &ended, error);
        if (code != OMS_OK || ended != NULL) {
            return code;
        }
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
    if (engine_is_halted(oms, error)) {
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

enum oms_code oms_request_archive(struct oms *oms) {
    if (oms->halted) {
        return OMS_HALTED;
    }
    oms->archive_asked = true;
    return OMS_OK;
}

/* ---- working ---- */

void oms_next(struct oms *oms, struct oms_next *next) {
    const struct task task = agenda_next(oms);
    *next = (struct oms_next){.work = task.work,
                              .at_ns = task.at_ns,
                              .on_their_way = oms->under_way_count + (oms->outcome.order != NULL)};
}

enum oms_code oms_step(struct oms *oms, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    struct task task;
    int64_t now;

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    now = engine_now(oms);
    task = agenda_next(oms);
    if (task.work != OMS_WORK_NONE && task.at_ns <= now) {
        code = task.run(oms, task.order, error);
        task = agenda_next(oms);
    }
    engine_checkpoint_if_due(oms, task.work == OMS_WORK_NONE || task.at_ns > oms->mark_ns);
    /* what was done while a question waited may have stopped everything */
    return code == OMS_OK && engine_is_halted(oms, error) ? OMS_STORAGE : code;
}

void oms_expect_answer(struct oms *oms) {
    oms->collect_ns = oms->mark_ns < oms->collect_ns ? oms->mark_ns : oms->collect_ns;
}

enum oms_code oms_finish(struct oms *oms, struct oms_error *error) {
    enum oms_code code = OMS_OK;
    bool more = true;

    if (engine_is_halted(oms, error)) {
        return OMS_HALTED;
    }
    while (code == OMS_OK && more) {
        if (oms->outcome.order != NULL) {
            code = send_record(oms, oms->outcome.order, error);
        }
        if (code == OMS_OK && oms->under_way_count > 0) {
            code = send_collect(oms, NULL, error);
        }
        more = oms->outcome.order != NULL;
    }
    return code == OMS_OK && oms->under_way_count > 0 ? OMS_UNANSWERED : code;
}
