/* The simulated wire, and the real adapter over it. */
#include "core/live/alpaca.h"
#include "core/profile.h"
#include "sim/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOOK_MAX = 64, TRACE_SIZE = 16384, FLIGHT_SIZE = 4096 };
#define START_NS (INT64_C(1767969300) * PROFILE_SECOND_NS) /* 2026-01-09T14:35:00Z */

/* ---- a small exchange ---- */

struct book {
    struct broker_order orders[BOOK_MAX];
    size_t orders_n;
    struct broker_fill fills[BOOK_MAX];
    size_t fills_n;
    struct broker_position positions[BOOK_MAX];
    size_t positions_n;
    int64_t now_ns;
    int64_t step_ns;             /* between submitted times of orders */
    struct wire_refusal refusal; /* status 0: takes orders */
    char flight[FLIGHT_SIZE];
    size_t flight_n;
    int64_t flight_due_ns;
};

static struct broker_order *find(struct book *b, const char *client_order_id) {
    for (size_t i = 0; i < b->orders_n; i++)
        if (strcmp(b->orders[i].client_order_id, client_order_id) == 0)
            return &b->orders[i];
    return NULL;
}

static enum wire_submit x_submit(void *ctx, const struct broker_request *request,
                                 struct broker_order *order, struct wire_refusal *refusal) {
    struct book *b = ctx;
    if (b->refusal.status != 0) {
        *refusal = b->refusal;
        return WIRE_REFUSED;
    }
    if (find(b, request->client_order_id) != NULL)
        return WIRE_DUPLICATE;
    assert_true(b->orders_n < BOOK_MAX);
    struct broker_order *o = &b->orders[b->orders_n++];
    memset(o, 0, sizeof *o);
    snprintf(o->id, sizeof o->id, "order-%02zu", b->orders_n);
    memcpy(o->client_order_id, request->client_order_id, sizeof o->client_order_id);
    memcpy(o->symbol, request->symbol, sizeof o->symbol);
    o->side = request->side;
    o->type = request->type;
    o->tif = request->tif;
    o->qty_nanos = request->qty_nanos;
    o->limit_nanos = request->limit_nanos;
    o->status = BROKER_STATUS_PENDING_NEW;
    snprintf(o->status_text, sizeof o->status_text, "pending_new");
    o->submitted_ns = b->now_ns + (int64_t)b->orders_n * b->step_ns;
    *order = *o;
    return WIRE_TAKEN;
}

static bool x_lookup(void *ctx, const char *client_order_id, struct broker_order *order) {
    const struct broker_order *found = find(ctx, client_order_id);
    if (found != NULL)
        *order = *found;
    return found != NULL;
}

static void x_orders(void *ctx, struct broker_orders *list) {
    const struct book *b = ctx;
    for (size_t i = 0; i < b->orders_n; i++)
        *broker_orders_add(list) = b->orders[i];
}

static void x_fills(void *ctx, struct broker_fills *list) {
    const struct book *b = ctx;
    for (size_t i = 0; i < b->fills_n; i++)
        *broker_fills_add(list) = b->fills[i];
}

static void x_positions(void *ctx, struct broker_positions *list) {
    const struct book *b = ctx;
    for (size_t i = 0; i < b->positions_n; i++)
        *broker_positions_add(list) = b->positions[i];
}

static void x_account(void *ctx, struct broker_account *account) {
    (void)ctx;
    snprintf(account->number, sizeof account->number, "PA1");
    account->cash_nanos = 100 * INT64_C(1000000000);
    account->buying_power_nanos = 200 * INT64_C(1000000000);
}

static enum broker_canceled x_cancel(void *ctx, const char *order_id) {
    struct book *b = ctx;
    for (size_t i = 0; i < b->orders_n; i++) {
        struct broker_order *o = &b->orders[i];
        if (strcmp(o->id, order_id) != 0)
            continue;
        if (!broker_status_is_open(o->status))
            return BROKER_CANCEL_TOO_LATE;
        o->status = BROKER_STATUS_CANCELED;
        snprintf(o->status_text, sizeof o->status_text, "canceled");
        return BROKER_CANCEL_TAKEN;
    }
    return BROKER_CANCEL_ABSENT;
}

static void x_flight(void *ctx, int64_t due_ns, const void *bytes, size_t length) {
    struct book *b = ctx;
    assert_true(length <= FLIGHT_SIZE);
    memcpy(b->flight, bytes, length);
    b->flight_n = length;
    b->flight_due_ns = due_ns;
}

/* ---- a port that answers one question as told, and writes everything down ---- */

struct rig {
    struct book book;
    struct wire_exchange exchange;
    struct port port;
    int64_t now_ns;
    const char *at_site; /* where `answer` is given, once, at the at_count-th time */
    unsigned at_count;
    struct port_answer answer;
    bool die_before, die_after; /* die there instead */
    unsigned fired;
    int64_t length; /* of the message at at_site */
    unsigned posts_most, posts_all, delivered, lost;
    char trace[TRACE_SIZE];
    size_t trace_n;
    struct alpaca *alpaca;
    struct broker broker;
};

static struct wire *wire;
static struct rig rig;

static void note(const char *what, const char *detail, int64_t value) {
    size_t left = sizeof rig.trace - rig.trace_n;
    int n = snprintf(rig.trace + rig.trace_n, left, "%" PRId64 " %s %s %" PRId64 "\n",
                     rig.now_ns - START_NS, what, detail, value);
    if ((size_t)n < left)
        rig.trace_n += (size_t)n;
}

static struct port_answer p_before(void *ctx, const struct port_call *call) {
    (void)ctx;
    char name[SITE_NAME_SIZE];
    site_name(call->site, name);
    note("before", name, call->length);
    assert_false(rig.port.dead);
    if (rig.at_site == NULL || strcmp(rig.at_site, name) != 0 || rig.at_count-- != 1)
        return (struct port_answer){0};
    rig.fired++;
    rig.length = call->length;
    rig.port.dead = rig.die_before;
    return rig.answer;
}

static void p_after(void *ctx, const struct port_call *call) {
    (void)ctx;
    char name[SITE_NAME_SIZE];
    site_name(call->site, name);
    note("after", name, call->length);
    assert_false(rig.port.dead);
    if (rig.die_after && strcmp(rig.at_site, name) == 0) {
        rig.fired++;
        rig.port.dead = true;
    }
}

static void p_replied(void *ctx, const struct port_reply *reply) {
    (void)ctx;
    note("replied", reply->delivered ? "delivered" : "lost", reply->found);
    if (reply->delivered)
        rig.delivered++;
    else
        rig.lost++;
}

static void p_posted(void *ctx, const struct broker_request *request, unsigned posts) {
    (void)ctx;
    note("posted", request->client_order_id, posts);
    rig.posts_all++;
    if (posts > rig.posts_most)
        rig.posts_most = posts;
}

static void p_wait(void *ctx, int64_t until_ns) {
    (void)ctx;
    assert_true(until_ns > rig.now_ns);
    bool lands = rig.book.flight_n > 0 && rig.book.flight_due_ns <= until_ns;
    rig.now_ns = lands ? rig.book.flight_due_ns : until_ns;
    note("wait", lands ? "for a flight" : "", 0);
    if (!lands)
        return;
    size_t n = rig.book.flight_n;
    rig.book.flight_n = 0;
    wire_deliver(wire, &rig.exchange, rig.book.flight_due_ns, rig.book.flight, n);
}

static int64_t p_now(void *ctx) {
    (void)ctx;
    return rig.now_ns;
}

static void live(void) {
    struct transport_io io;
    char error[200];
    rig.port.dead = false;
    wire_begin(wire, &rig.port, &rig.exchange);
    wire_io(wire, &io);
    struct alpaca_config config = {.url = "http://127.0.0.1:1",
                                   .key_id = "key",
                                   .secret = "secret",
                                   .profile = profile_find("alpaca"),
                                   .io = &io,
                                   .orders_page = 4,
                                   .fills_page = 3};
    rig.alpaca = alpaca_open(&config, error, sizeof error);
    assert_non_null(rig.alpaca);
    alpaca_broker(rig.alpaca, &rig.broker);
}

static void die(void) {
    alpaca_close(rig.alpaca);
    rig.alpaca = NULL;
    wire_end(wire);
}

static void start_over(void) {
    memset(&rig, 0, sizeof rig);
    rig.now_ns = START_NS;
    rig.book.now_ns = START_NS;
    rig.exchange = (struct wire_exchange){.ctx = &rig.book,
                                          .submit = x_submit,
                                          .lookup = x_lookup,
                                          .orders = x_orders,
                                          .fills = x_fills,
                                          .positions = x_positions,
                                          .account = x_account,
                                          .cancel = x_cancel,
                                          .flight = x_flight,
                                          .key_id = "key",
                                          .secret = "secret"};
    rig.port = (struct port){.before = p_before,
                             .after = p_after,
                             .replied = p_replied,
                             .posted = p_posted,
                             .wait = p_wait,
                             .now = p_now};
    live();
}

static int setup(void **state) {
    (void)state;
    start_over();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    die();
    return 0;
}

static void plan(const char *site, unsigned count, enum act act, int64_t arg) {
    rig.at_site = site;
    rig.at_count = count;
    rig.answer = (struct port_answer){.act = act, .arg = {arg, 0}};
}

static struct broker_request an_order(const char *client_order_id) {
    struct broker_request r = {.side = BROKER_BUY,
                               .type = BROKER_LIMIT,
                               .tif = BROKER_DAY,
                               .qty_nanos = 100 * INT64_C(1000000000),
                               .limit_nanos = INT64_C(150500000000)};
    snprintf(r.client_order_id, sizeof r.client_order_id, "%s", client_order_id);
    snprintf(r.symbol, sizeof r.symbol, "AAPL");
    return r;
}

static enum broker_sent submit(const char *client_order_id, struct broker_order *order,
                               struct broker_reason *why) {
    struct broker_request r = an_order(client_order_id);
    return rig.broker.submit(rig.broker.ctx, &r, order, why);
}

/* ---- round trips ---- */

static void an_order_is_taken_looked_up_and_canceled(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
    assert_string_equal(order.id, "order-01");
    assert_int_equal(order.status, BROKER_STATUS_PENDING_NEW);
    assert_int_equal(order.qty_nanos, 100 * INT64_C(1000000000));
    assert_int_equal(order.limit_nanos, INT64_C(150500000000));
    assert_int_equal(order.submitted_ns, START_NS);
    assert_int_equal(submit("id-1", &order, &why), BROKER_DUPLICATE);
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_FOUND);
    assert_string_equal(order.id, "order-01");
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-2", &order, &why), BROKER_ABSENT);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, "order-01", &why), BROKER_CANCEL_TAKEN);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, "order-01", &why), BROKER_CANCEL_TOO_LATE);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, "order-09", &why), BROKER_CANCEL_ABSENT);
    assert_int_equal(rig.now_ns, START_NS);
    assert_int_equal(rig.posts_all, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_is_taken_looked_up_and_canceled, setup, teardown),
    };
    wire = wire_open();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wire_close(wire);
    return failed;
}
