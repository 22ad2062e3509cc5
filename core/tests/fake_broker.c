/* A scripted broker, a settable clock and an event log for the core's tests. */
#include "core/tests/fake_broker.h"

#include "core/position.h"

#include <stdio.h>
#include <string.h>

void fake_start(struct fake *fake) {
    memset(fake, 0, sizeof *fake);
    fake->now_ns = FAKE_START_S * PROFILE_SECOND_NS;
    fake->deduplicates = true;
}

void fake_free(struct fake *fake) {
    broker_orders_free(&fake->orders);
    broker_fills_free(&fake->fills);
    broker_positions_free(&fake->extra);
}

void fake_script(struct fake *fake, enum fake_reply reply) {
    fake->script[fake->scripted++ % FAKE_SCRIPT_MAX] = reply;
}

void fake_forget_log(struct fake *fake) {
    fake->log[0] = '\0';
    fake->last_alarm[0] = '\0';
}

struct broker_order *fake_order(struct fake *fake, const char *client_order_id) {
    for (size_t i = 0; i < fake->orders.n; i++) {
        if (client_order_id == NULL && i + 1 < fake->orders.n) {
            continue;
        }
        if (client_order_id == NULL ||
            strcmp(fake->orders.v[i].client_order_id, client_order_id) == 0) {
            return &fake->orders.v[i];
        }
    }
    return NULL;
}

static struct broker_order *add_order(struct fake *fake) {
    struct broker_order *order = broker_orders_add(&fake->orders);
    (void)snprintf(order->id, sizeof order->id, "broker-%zu", fake->orders.n);
    order->status = BROKER_STATUS_NEW;
    (void)snprintf(order->status_text, sizeof order->status_text, "new");
    order->submitted_ns = fake->now_ns;
    return order;
}

struct broker_order *fake_foreign(struct fake *fake, const char *client_order_id,
                                  const char *symbol, int64_t qty) {
    struct broker_order *order = add_order(fake);
    (void)snprintf(order->client_order_id, sizeof order->client_order_id, "%s", client_order_id);
    (void)snprintf(order->symbol, sizeof order->symbol, "%s", symbol);
    order->qty_nanos = qty;
    return order;
}

void fake_fill(struct fake *fake, const char *client_order_id, int64_t qty, int64_t price) {
    struct broker_order *order = fake_order(fake, client_order_id);
    struct broker_fill *fill = broker_fills_add(&fake->fills);

    (void)snprintf(fill->execution_id, sizeof fill->execution_id, "exec-%03zu", fake->fills.n);
    memcpy(fill->order_id, order->id, sizeof fill->order_id);
    memcpy(fill->symbol, order->symbol, sizeof fill->symbol);
    fill->side = order->side;
    fill->qty_nanos = qty;
    fill->price_nanos = price;
    fill->at_ns = fake->now_ns;
    order->filled_nanos += qty;
    order->status = order->filled_nanos == order->qty_nanos ? BROKER_STATUS_FILLED
                                                            : BROKER_STATUS_PARTIALLY_FILLED;
}

/* True: the broker says so, in `why`, and nothing else. */
static bool too_many(const struct fake *fake, struct broker_reason *why) {
    if (fake->too_many) {
        why->http_status = 429;
        (void)snprintf(why->text, sizeof why->text, "too many requests");
    }
    return fake->too_many;
}

static enum broker_sent submit(void *ctx, const struct broker_request *request,
                               struct broker_order *answer, struct broker_reason *why) {
    struct fake *fake = ctx;
    const enum fake_reply reply = fake->played < fake->scripted
                                      ? fake->script[fake->played++ % FAKE_SCRIPT_MAX]
                                      : FAKE_ACCEPT;
    struct broker_order *order;

    fake->submits++;
    fake->now_ns += fake->stall_ns;
    if (too_many(fake, why)) {
        return BROKER_IN_DOUBT;
    }
    if (reply == FAKE_REJECT) {
        why->http_status = 403;
        (void)snprintf(why->text, sizeof why->text, "insufficient\x01 buying power");
        return BROKER_REJECTED;
    }
    if (reply == FAKE_NOT_SENT) {
        (void)snprintf(why->text, sizeof why->text, "connection refused");
        return BROKER_NOT_SENT;
    }
    if (reply == FAKE_LOSE) {
        (void)snprintf(why->text, sizeof why->text, "timed out");
        return BROKER_IN_DOUBT;
    }
    if (reply == FAKE_SEEN ||
        (fake->deduplicates && fake_order(fake, request->client_order_id) != NULL)) {
        (void)snprintf(why->text, sizeof why->text, "client_order_id must be unique");
        return BROKER_DUPLICATE;
    }
    order = add_order(fake);
    memcpy(order->client_order_id, request->client_order_id, sizeof order->client_order_id);
    memcpy(order->symbol, request->symbol, sizeof order->symbol);
    order->side = request->side;
    order->type = request->type;
    order->tif = request->tif;
    order->qty_nanos = request->qty_nanos;
    order->limit_nanos = request->limit_nanos;
    if (reply == FAKE_LOSE_REPLY) {
        (void)snprintf(why->text, sizeof why->text, "connection reset");
        return BROKER_IN_DOUBT;
    }
    *answer = *order;
    answer->qty_nanos += reply == FAKE_WRONG_ECHO;
    return BROKER_ACCEPTED;
}

static enum broker_found lookup(void *ctx, const char *client_order_id, struct broker_order *order,
                                struct broker_reason *why) {
    struct fake *fake = ctx;
    const struct broker_order *found = fake_order(fake, client_order_id);

    fake->lookups++;
    fake->questions++;
    fake->now_ns += fake->stall_ns;
    if (too_many(fake, why) || fake->down) {
        return BROKER_INCONCLUSIVE;
    }
    if (found == NULL || fake->forgets) {
        return BROKER_ABSENT;
    }
    *order = *found;
    return BROKER_FOUND;
}

static bool orders(void *ctx, enum broker_scope scope, int64_t since_ns, struct broker_orders *list,
                   struct broker_reason *why) {
    struct fake *fake = ctx;
    fake->questions++;
    fake->now_ns += fake->stall_ns;
    if (too_many(fake, why)) {
        return false;
    }
    for (size_t i = 0; !fake->down && i < fake->orders.n; i++) {
        if (fake->orders.v[i].submitted_ns >= since_ns &&
            (scope == BROKER_ALL_ORDERS || broker_status_is_open(fake->orders.v[i].status))) {
            *broker_orders_add(list) = fake->orders.v[i];
        }
    }
    return !fake->down;
}

static bool fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                  struct broker_reason *why) {
    struct fake *fake = ctx;
    fake->questions++;
    fake->now_ns += fake->stall_ns;
    if (too_many(fake, why)) {
        return false;
    }
    for (size_t i = 0; !fake->down && i < fake->fills.n; i++) {
        if (fake->fills.v[i].at_ns >= since_ns) {
            *broker_fills_add(list) = fake->fills.v[i];
        }
    }
    return !fake->down && !fake->fills_down;
}

/* Gives an execution the quantity and price of its newest correction. False: it is one itself, or
 * busted. */
static bool counts(const struct fake *fake, struct broker_fill *fill) {
    for (size_t i = 0; i < fake->fills.n; i++) {
        if (strcmp(fake->fills.v[i].refers, fill->execution_id) == 0) {
            fill->qty_nanos = fake->fills.v[i].qty_nanos;
            fill->price_nanos = fake->fills.v[i].price_nanos;
        }
    }
    return fill->refers[0] == '\0' && fill->qty_nanos > 0;
}

void fake_correct(struct fake *fake, const char *execution_id, const char *id, int64_t qty,
                  int64_t price) {
    struct broker_fill *row = broker_fills_add(&fake->fills);
    struct broker_fill was = {.qty_nanos = 0};
    for (size_t i = 0; i < fake->fills.n - 1; i++) {
        if (strcmp(fake->fills.v[i].execution_id, execution_id) == 0) {
            was = fake->fills.v[i];
            *row = was;
        }
    }
    (void)counts(fake, &was);
    (void)snprintf(row->execution_id, sizeof row->execution_id, "%s", id);
    (void)snprintf(row->refers, sizeof row->refers, "%s", execution_id);
    row->qty_nanos = qty;
    row->price_nanos = price;
    row->at_ns = fake->now_ns;
    for (size_t i = 0; i < fake->orders.n; i++) {
        struct broker_order *order = &fake->orders.v[i];
        if (strcmp(order->id, row->order_id) == 0) {
            order->filled_nanos += qty - was.qty_nanos;
            if (order->status == BROKER_STATUS_FILLED && order->filled_nanos < order->qty_nanos) {
                order->status = BROKER_STATUS_CANCELED;
            }
        }
    }
}

/* Adds what the executions make to what was there besides. */
static bool positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    struct fake *fake = ctx;
    fake->questions++;
    fake->now_ns += fake->stall_ns;
    if (too_many(fake, why)) {
        return false;
    }
    if (fake->sneaks_in > 0) {
        fake_fill(fake, NULL, fake->sneaks_in, fake->orders.v[fake->orders.n - 1].limit_nanos);
        fake->sneaks_in = 0;
    }
    for (size_t i = 0; i < fake->extra.n; i++) {
        fake->extra.v[i].qty_nanos += fake->restless ? DECIMAL_NANOS : 0;
        *broker_positions_add(list) = fake->extra.v[i];
    }
    for (size_t i = 0; i < fake->fills.n; i++) {
        struct position sum = {.symbol = ""};
        struct broker_position *row;
        bool first = true;
        for (size_t j = 0; j < i; j++) {
            first = first && strcmp(fake->fills.v[j].symbol, fake->fills.v[i].symbol) != 0;
        }
        for (size_t j = i; first && j < fake->fills.n; j++) {
            struct broker_fill fill = fake->fills.v[j];
            if (strcmp(fill.symbol, fake->fills.v[i].symbol) == 0 && counts(fake, &fill)) {
                (void)position_apply(&sum, fill.side, fill.qty_nanos, fill.price_nanos);
            }
        }
        if (sum.qty != 0) {
            row = broker_positions_add(list);
            memcpy(row->symbol, fake->fills.v[i].symbol, sizeof row->symbol);
            row->qty_nanos = sum.qty;
            row->avg_price_nanos = position_average(sum.qty, sum.cost);
        }
    }
    return !fake->down;
}

static bool account(void *ctx, struct broker_account *out, struct broker_reason *why) {
    (void)ctx;
    (void)out;
    (void)why;
    return false; /* the core never asks */
}

static enum broker_canceled cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    struct fake *fake = ctx;
    (void)why;
    fake->cancels++;
    for (size_t i = 0; i < fake->orders.n; i++) {
        struct broker_order *order = &fake->orders.v[i];
        if (strcmp(order->id, order_id) == 0 && fake->cancel_answer == BROKER_CANCEL_TAKEN &&
            broker_status_is_open(order->status)) {
            order->status = BROKER_STATUS_CANCELED;
        }
    }
    return fake->cancel_answer;
}

struct broker fake_broker(struct fake *fake) {
    return (struct broker){.ctx = fake,
                           .submit = submit,
                           .lookup = lookup,
                           .orders = orders,
                           .fills = fills,
                           .positions = positions,
                           .account = account,
                           .cancel = cancel};
}

static int64_t now_ns(void *ctx) {
    return ((struct fake *)ctx)->now_ns;
}

static int64_t steady_ns(void *ctx) {
    const struct fake *fake = ctx;
    return fake->now_ns - fake->set_ns;
}

static enum oms_halt_file halt_file(void *ctx) {
    return ((struct fake *)ctx)->halt_file;
}

static void emit(void *ctx, const struct oms_event *event) {
    struct fake *fake = ctx;
    const size_t used = strlen(fake->log);
    const char *mark =
        event->kind == OMS_EVENT_CHECK ? (event->known ? "(known)" : "(absent)") : "";

    (void)snprintf(fake->log + used, sizeof fake->log - used, "%s%s%s ",
                   oms_event_name(event->kind), mark, event->phase == OMS_BEFORE ? "<" : ">");
    (void)snprintf(fake->last_text, sizeof fake->last_text, "%s", event->text);
    if (event->kind == OMS_EVENT_ALARM) {
        (void)snprintf(fake->last_alarm, sizeof fake->last_alarm, "%s", event->text);
    }
}

struct oms_env fake_env(struct fake *fake) {
    return (struct oms_env){.ctx = fake,
                            .now_ns = now_ns,
                            .steady_ns = steady_ns,
                            .halt_file = halt_file,
                            .emit = emit};
}

enum oms_code fake_settle(struct oms *oms, struct fake *fake, int most) {
    struct oms_error error;
    struct oms_next next;

    for (int i = 0; i < most; i++) {
        enum oms_code code;
        oms_next(oms, &next);
        if (next.work == OMS_WORK_NONE || next.at_ns > fake->now_ns) {
            return OMS_OK;
        }
        code = oms_step(oms, &error);
        if (code != OMS_OK) {
            return code;
        }
    }
    return OMS_INVALID; /* it never became quiet */
}

void fake_set_clock(struct fake *fake, int64_t by_ns) {
    fake->now_ns += by_ns;
    fake->set_ns += by_ns;
}

enum oms_code fake_pass(struct oms *oms, struct fake *fake, int64_t ns) {
    const int64_t until = fake->now_ns + ns;
    enum oms_code code = fake_settle(oms, fake, 1000);
    struct oms_next next;

    for (int i = 0; code == OMS_OK && i < 100000; i++) {
        oms_next(oms, &next);
        if (next.work == OMS_WORK_NONE || next.at_ns > until) {
            break;
        }
        fake->now_ns = next.at_ns > fake->now_ns ? next.at_ns : fake->now_ns;
        code = fake_settle(oms, fake, 1000);
    }
    fake->now_ns = until > fake->now_ns ? until : fake->now_ns;
    return code;
}
