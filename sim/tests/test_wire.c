/* The simulated wire, and the real adapter over it. */
#include "core/live/alpaca.h"
#include "core/profile.h"
#include "sim/tests/small_exchange.h"
#include "sim/wire.h"
#include "sim/wire_message.h"

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

enum { TRACE_SIZE = 16384 };
#define START_NS (INT64_C(1767969300) * PROFILE_SECOND_NS) /* 2026-01-09T14:35:00Z */

/* ---- a port that answers one question as told, and writes everything down ---- */

struct rig {
    struct small_exchange book;
    struct wire_exchange exchange;
    struct port port;
    int64_t now_ns;
    const char *at_site; /* where `answer` is given, once, at the at_count-th time */
    unsigned at_count;
    struct port_answer answer;
    bool die_before, die_after; /* die there instead */
    bool die_waiting;
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
    rig.port.dead = rig.die_waiting;
    if (rig.port.dead)
        return;
    bool lands = rig.book.flight_n > 0 && rig.book.flight_due_ns <= until_ns;
    note("wait", lands ? "for a flight" : "", 0);
    if (!lands) {
        rig.now_ns = until_ns;
        return;
    }
    rig.now_ns = rig.book.flight_due_ns;
    size_t n = rig.book.flight_n;
    rig.book.flight_n = 0;
    wire_deliver(wire, &rig.exchange, rig.book.flight_due_ns, rig.book.flight, n);
    rig.now_ns = until_ns; /* all the way: the wire itself must not ask for too much */
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
    small_exchange(&rig.book, &rig.exchange);
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

static void lists_come_whole_over_many_pages(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    struct broker_orders orders = {0};
    struct broker_fills fills = {0};
    struct broker_positions positions = {0};
    struct broker_account account;
    char id[16];
    for (int i = 0; i < 11; i++) { /* three of one time at the edge of a page of four */
        snprintf(id, sizeof id, "id-%d", i);
        rig.book.step_ns = i == 3 || i == 4 || i == 5 ? 0 : 1000;
        assert_int_equal(submit(id, &order, &why), BROKER_ACCEPTED);
        rig.book.orders[i].submitted_ns = START_NS + (i >= 3 && i <= 5 ? 3 : i) * 1000;
    }
    for (int i = 0; i < 7; i++) {
        struct broker_fill *f = &rig.book.fills[rig.book.fills_n++];
        snprintf(f->execution_id, sizeof f->execution_id, "2026010909350000%d::a b+c", i);
        snprintf(f->order_id, sizeof f->order_id, "order-01");
        snprintf(f->symbol, sizeof f->symbol, "AAPL");
        f->qty_nanos = 1 + i;
        f->price_nanos = INT64_C(150500000000);
        f->at_ns = START_NS + i / 4;
    }
    snprintf(rig.book.positions[0].symbol, BROKER_SYMBOL_SIZE, "BTC/USD");
    rig.book.positions[0].qty_nanos = -5;
    snprintf(rig.book.positions[1].symbol, BROKER_SYMBOL_SIZE, "AAPL");
    rig.book.positions[1].qty_nanos = 7;
    rig.book.positions[1].avg_price_nanos = 9;
    rig.book.positions_n = 2;

    assert_true(rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why));
    assert_int_equal(orders.n, 11);
    for (size_t i = 0; i < orders.n; i++)
        assert_memory_equal(&orders.v[i], &rig.book.orders[i], sizeof orders.v[i]);
    broker_orders_free(&orders);
    assert_true(
        rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, START_NS + 3000, &orders, &why));
    assert_int_equal(orders.n, 8); /* "at or after" */
    broker_orders_free(&orders);
    rig.book.orders[0].status = BROKER_STATUS_FILLED;
    assert_true(rig.broker.orders(rig.broker.ctx, BROKER_OPEN_ORDERS, 0, &orders, &why));
    assert_int_equal(orders.n, 10);
    broker_orders_free(&orders);

    assert_true(rig.broker.fills(rig.broker.ctx, 0, &fills, &why));
    assert_int_equal(fills.n, 7);
    for (size_t i = 0; i < fills.n; i++)
        assert_memory_equal(&fills.v[i], &rig.book.fills[i], sizeof fills.v[i]);
    broker_fills_free(&fills);
    assert_true(rig.broker.fills(rig.broker.ctx, START_NS + 1, &fills, &why));
    assert_int_equal(fills.n, 3);
    broker_fills_free(&fills);

    assert_true(rig.broker.positions(rig.broker.ctx, &positions, &why));
    assert_int_equal(positions.n, 2);
    assert_string_equal(positions.v[0].symbol, "AAPL");
    assert_string_equal(positions.v[1].symbol, "BTC/USD");
    assert_int_equal(positions.v[1].qty_nanos, -5);
    broker_positions_free(&positions);

    assert_true(rig.broker.account(rig.broker.ctx, &account, &why));
    assert_string_equal(account.number, "PA1");
    assert_int_equal(account.cash_nanos, 100 * INT64_C(1000000000));
}

static void a_page_of_one_time_only_is_inconclusive_and_not_a_part(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    struct broker_orders orders = {0};
    char id[16];
    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "id-%d", i);
        assert_int_equal(submit(id, &order, &why), BROKER_ACCEPTED);
    }
    assert_false(rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why));
    assert_string_equal(why.text, "a page of 4 orders cannot be passed");
    broker_orders_free(&orders);
}

static void refusals_are_final_only_in_the_brokers_own_words(void **state) {
    (void)state;
    static const struct {
        struct wire_refusal refusal;
        enum broker_sent sent;
    } cases[] = {
        {{403, 40310000, "insufficient buying power"}, BROKER_REJECTED},
        {{422, 42210000, "sub-penny increment"}, BROKER_REJECTED},
        {{400, 40010000, "malformed"}, BROKER_REJECTED},
        {{422, 40010001, "client_order_id must be unique"}, BROKER_DUPLICATE},
        {{403, 0, "forbidden."}, BROKER_IN_DOUBT},
        {{401, 40110000, "unauthorized."}, BROKER_IN_DOUBT},
        {{404, 40410000, "no such endpoint"}, BROKER_IN_DOUBT},
        {{408, 0, "request timeout"}, BROKER_IN_DOUBT},
        {{409, 40910000, "conflict"}, BROKER_IN_DOUBT},
        {{429, 42910000, "too many requests"}, BROKER_IN_DOUBT},
        {{500, 50010000, "internal server error"}, BROKER_IN_DOUBT},
        {{504, 0, "gateway timeout"}, BROKER_IN_DOUBT},
        {{422, 42210000, ""}, BROKER_IN_DOUBT},
    };
    struct broker_order order;
    struct broker_reason why;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig.book.refusal = cases[i].refusal;
        assert_int_equal(submit("id-1", &order, &why), cases[i].sent);
        assert_int_equal(why.http_status, cases[i].refusal.status);
        if (cases[i].refusal.message[0] != '\0')
            assert_string_equal(why.text, cases[i].refusal.message);
    }
}

static void wrong_keys_are_never_a_refusal_nor_an_absence(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    rig.exchange.secret = "another";
    assert_int_equal(submit("id-1", &order, &why), BROKER_IN_DOUBT);
    assert_string_equal(why.text, "unauthorized.");
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_INCONCLUSIVE);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, "order-01", &why), BROKER_CANCEL_IN_DOUBT);
    assert_null(strstr(why.text, "secret"));
}

/* ---- the acts ---- */

static void a_refused_connection_means_nothing_was_sent(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_account account;
    struct broker_reason why;
    assert_true(rig.broker.account(rig.broker.ctx, &account, &why));
    plan("broker.submit", 1, ACT_REFUSED, 0);
    assert_int_equal(submit("id-1", &order, &why), BROKER_NOT_SENT);
    assert_int_equal(rig.posts_all, 0);
    plan("broker.lookup", 1, ACT_REFUSED, 0); /* also where a connection was kept alive */
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_INCONCLUSIVE);
    plan("broker.cancel", 1, ACT_REFUSED, 0);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, "o", &why), BROKER_CANCEL_NOT_SENT);
    assert_int_equal(rig.fired, 3);
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
}

static void lost_messages_leave_a_doubt(void **state) {
    (void)state;
    static const struct {
        enum act act;
        bool arrives;
        int64_t takes_ns;
    } cases[] = {
        {ACT_LOST, false, 0},
        {ACT_LOST_REPLY, true, 0},
        {ACT_NO_REPLY, true, 5 * PROFILE_SECOND_NS},
        {ACT_LATE, false, 5 * PROFILE_SECOND_NS},
    };
    struct broker_order order;
    struct broker_reason why;
    char id[16];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t start_ns = rig.now_ns;
        snprintf(id, sizeof id, "id-%zu", i);
        plan("broker.submit", 1, cases[i].act, 12 * PROFILE_SECOND_NS);
        assert_int_equal(submit(id, &order, &why), BROKER_IN_DOUBT);
        assert_int_equal(rig.now_ns - start_ns, cases[i].takes_ns);
        assert_int_equal(rig.broker.lookup(rig.broker.ctx, id, &order, &why),
                         cases[i].arrives ? BROKER_FOUND : BROKER_ABSENT);
        assert_int_equal(rig.posts_most, 1);
    }
    assert_int_equal(rig.fired, 4);
    assert_int_equal(rig.posts_all, 4);
}

static void a_query_without_an_answer_takes_exactly_the_time_out(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    struct broker_account account;
    plan("broker.lookup", 1, ACT_NO_REPLY, 0);
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_INCONCLUSIVE);
    assert_string_equal(why.text, "no whole answer within 5000 ms");
    assert_int_equal(rig.now_ns - START_NS, 5 * PROFILE_SECOND_NS);
    plan("broker.account", 1, ACT_LOST, 0);
    assert_false(rig.broker.account(rig.broker.ctx, &account, &why));
    assert_int_equal(rig.now_ns - START_NS, 5 * PROFILE_SECOND_NS);
}

static void an_error_leaves_the_exchange_untouched(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    plan("broker.submit", 1, ACT_ERROR, 503);
    assert_int_equal(submit("id-1", &order, &why), BROKER_IN_DOUBT);
    assert_int_equal(why.http_status, 503);
    plan("broker.submit", 1, ACT_ERROR, 422);
    assert_int_equal(submit("id-1", &order, &why), BROKER_IN_DOUBT);
    plan("broker.lookup", 1, ACT_ERROR, 404); /* not the exchange's own words */
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_INCONCLUSIVE);
    assert_int_equal(rig.fired, 3);
    assert_int_equal(rig.book.orders_n, 0);
}

static void a_late_request_is_answered_while_its_client_still_waits(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    plan("broker.submit", 1, ACT_LATE, 2 * PROFILE_SECOND_NS);
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
    assert_int_equal(rig.now_ns - START_NS, 2 * PROFILE_SECOND_NS);
    assert_int_equal(rig.delivered, 1);
}

static void a_late_request_outlives_its_client(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_request seen;
    struct broker_reason why;
    plan("broker.submit", 1, ACT_LATE, 12 * PROFILE_SECOND_NS);
    rig.die_waiting = true;
    submit("id-1", &order, &why);
    assert_true(rig.port.dead);
    die();
    rig.die_waiting = false;
    assert_int_equal(rig.book.orders_n, 0);
    assert_int_equal(rig.book.flight_due_ns, START_NS + 12 * PROFILE_SECOND_NS);
    assert_true(wire_flight_order(rig.book.flight, rig.book.flight_n, &seen));
    assert_string_equal(seen.client_order_id, "id-1");
    size_t n = rig.book.flight_n;
    rig.book.flight_n = 0;
    wire_deliver(wire, &rig.exchange, rig.book.flight_due_ns, rig.book.flight, n);
    assert_int_equal(rig.book.orders_n, 1);
    live();
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_FOUND);
}

/* ---- copies, stalls, drips ---- */

static void a_proxy_s_copy_is_in_flight_once_the_exchange_has_acted(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    char order_id[BROKER_ORDER_ID_SIZE];
    plan("broker.submit", 1, ACT_TWICE, 3 * PROFILE_SECOND_NS);
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
    assert_int_equal(rig.posts_all, 1); /* one request left the client */
    assert_true(rig.book.flight_is_copy);
    assert_int_equal(rig.book.flight_due_ns, START_NS + 3 * PROFILE_SECOND_NS);
    die();
    uint64_t served = wire_served(wire);
    wire_deliver(wire, &rig.exchange, rig.book.flight_due_ns, rig.book.flight, rig.book.flight_n);
    assert_int_equal(wire_served(wire), served + 1);
    assert_int_equal(rig.book.orders_n, 1); /* it refuses a repeated id */
    rig.book.flight_n = 0;
    live();
    plan("broker.cancel", 1, ACT_TWICE, PROFILE_SECOND_NS);
    assert_int_equal(rig.broker.cancel(rig.broker.ctx, order.id, &why), BROKER_CANCEL_TAKEN);
    assert_true(rig.book.flight_is_copy);
    assert_true(wire_flight_cancel(rig.book.flight, rig.book.flight_n, order_id));
    assert_string_equal(order_id, order.id);
    assert_false(wire_flight_cancel("GET / HTTP/1.1\r\n\r\n", 18, order_id));
}

/* The rest of a request goes on where it stopped, on the same connection, or arrives whole on
 * another when that one is gone. */
static void a_request_that_hangs_arrives_once_whoever_waits(void **state) {
    (void)state;
    static const int64_t places[] = {0, 1, 120, 300, 302};
    for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
        bool waits = i % 2 == 0;
        int64_t for_ns = (waits ? 2 : 12) * PROFILE_SECOND_NS;
        struct broker_order order;
        struct broker_reason why;
        plan("wire.request(submit)", 1, ACT_HANG, places[i / 2]);
        rig.answer.arg[1] = for_ns;
        assert_int_equal(submit("id-1", &order, &why), waits ? BROKER_ACCEPTED : BROKER_IN_DOUBT);
        assert_int_equal(rig.length, 303);
        assert_int_equal(rig.now_ns - START_NS, waits ? for_ns : 5 * PROFILE_SECOND_NS);
        assert_int_equal(rig.book.orders_n, waits);
        assert_int_equal(rig.delivered, waits);
        assert_int_equal(rig.lost, !waits);
        if (!waits)
            wire_deliver(wire, &rig.exchange, rig.book.flight_due_ns, rig.book.flight,
                         rig.book.flight_n);
        assert_int_equal(rig.book.orders_n, 1);
        assert_int_equal(rig.posts_all, 1);
        die();
        start_over();
    }
}

/* A question that nobody waits for any more is no business of the world's. */
static void a_question_that_hangs_is_asked_as_long_as_somebody_listens(void **state) {
    (void)state;
    struct broker_order order;
    struct broker_reason why;
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
    plan("wire.request(lookup)", 1, ACT_HANG, 30);
    rig.answer.arg[1] = 2 * PROFILE_SECOND_NS;
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_FOUND);
    assert_int_equal(rig.now_ns - START_NS, 2 * PROFILE_SECOND_NS);
    uint64_t served = wire_served(wire);
    plan("wire.request(lookup)", 1, ACT_HANG, 30);
    rig.answer.arg[1] = 12 * PROFILE_SECOND_NS;
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_INCONCLUSIVE);
    assert_int_equal(rig.now_ns - START_NS, 7 * PROFILE_SECOND_NS);
    assert_int_equal(wire_served(wire), served);
    assert_int_equal(rig.book.flight_n, 0);
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why), BROKER_FOUND);
}

static void a_reply_that_hangs_or_drips_is_whole_in_time_or_a_doubt(void **state) {
    (void)state;
    static const int64_t ms = PROFILE_SECOND_NS / 1000;
    static const struct {
        enum act act;
        int64_t arg[2];
        int64_t took_ms;
        bool whole;
    } cases[] = {
        {ACT_HANG, {0, 4000 * ms}, 4000, true},  {ACT_HANG, {400, 4000 * ms}, 4000, true},
        {ACT_HANG, {0, 6000 * ms}, 5000, false}, {ACT_HANG, {820, 6000 * ms}, 5000, false},
        {ACT_HANG, {821, 6000 * ms}, 0, true}, /* nothing is left to wait for */
        {ACT_DRIP, {1 * ms, 0}, 820, true},      {ACT_DRIP, {6 * ms, 0}, 4920, true},
        {ACT_DRIP, {7 * ms, 0}, 5000, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct broker_order order;
        struct broker_reason why;
        plan("wire.reply(submit)", 1, cases[i].act, cases[i].arg[0]);
        rig.answer.arg[1] = cases[i].arg[1];
        assert_int_equal(submit("id-1", &order, &why),
                         cases[i].whole ? BROKER_ACCEPTED : BROKER_IN_DOUBT);
        assert_int_equal(rig.length, 821);
        assert_int_equal((rig.now_ns - START_NS) / ms, cases[i].took_ms);
        assert_int_equal(rig.delivered, cases[i].whole);
        assert_int_equal(rig.lost, !cases[i].whole);
        assert_int_equal(rig.posts_all, 1);
        assert_int_equal(rig.book.orders_n, 1);
        die();
        start_over();
    }
}

/* ---- errors and wrong answers ---- */

static void an_error_after_the_fact_is_a_doubt_whatever_it_says(void **state) {
    (void)state;
    for (int status = 400; status < 600; status++)
        for (int body = ERROR_HTML; body <= ERROR_EMPTY; body++) {
            struct broker_order order;
            struct broker_reason why;
            plan("broker.submit", 1, ACT_ERROR_AFTER, status);
            rig.answer.arg[1] = body;
            assert_int_equal(submit("id-1", &order, &why), BROKER_IN_DOUBT);
            assert_int_equal(why.http_status, status);
            assert_int_equal(rig.book.orders_n, 1);
            assert_int_equal(rig.delivered, 0);
            assert_int_equal(rig.lost, 1);
            die();
            start_over();
        }
}

static void a_wrong_answer_with_status_200_says_nothing(void **state) {
    (void)state;
    for (int wrong = 0; wrong < WRONG_COUNT; wrong++) {
        bool odd = wrong == WRONG_UNKNOWN_STATUS, other = wrong == WRONG_ANOTHER_ORDER;
        struct broker_order order = {.id = ""};
        struct broker_orders orders = {0};
        struct broker_fills fills = {0};
        struct broker_positions positions = {0};
        struct broker_reason why;
        plan("broker.lookup", 1, ACT_WRONG, wrong); /* there is nothing to show */
        assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why),
                         odd ? BROKER_ABSENT : BROKER_INCONCLUSIVE);
        plan("broker.submit", 1, ACT_WRONG, wrong);
        assert_int_equal(submit("id-1", &order, &why), odd ? BROKER_ACCEPTED : BROKER_IN_DOUBT);
        if (odd)
            assert_string_equal(order.status_text, UNKNOWN_STATUS_WORD);
        assert_int_equal(rig.book.orders_n, 1);
        assert_int_equal(rig.delivered, odd ? 2 : 0);
        plan("broker.lookup", 1, ACT_WRONG, wrong);
        assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why),
                         odd ? BROKER_FOUND : BROKER_INCONCLUSIVE);
        plan("broker.orders", 1, ACT_WRONG, wrong);
        assert_int_equal(rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why),
                         odd || other);
        plan("broker.fills", 1, ACT_WRONG, wrong); /* an empty list */
        assert_int_equal(rig.broker.fills(rig.broker.ctx, 0, &fills, &why), odd);
        plan("broker.positions", 1, ACT_WRONG, wrong);
        assert_int_equal(rig.broker.positions(rig.broker.ctx, &positions, &why), odd);
        assert_int_equal(rig.fired, 1 * 6);
        broker_orders_free(&orders);
        broker_fills_free(&fills);
        broker_positions_free(&positions);
        die();
        start_over();
    }
}

/* ---- death ---- */

static void death_at_any_question_lets_nothing_more_happen(void **state) {
    (void)state;
    static const struct {
        const char *site;
        bool after, arrives;
    } cases[] = {
        {"broker.submit", false, false},      {"wire.request(submit)", false, false},
        {"wire.request(submit)", true, true}, {"broker.submit", true, true},
        {"wire.reply(submit)", false, true},  {"wire.reply(submit)", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct broker_order order;
        struct broker_reason why;
        plan(cases[i].site, 1, ACT_NONE, 0);
        rig.die_before = !cases[i].after;
        rig.die_after = cases[i].after;
        enum broker_sent sent = submit("id-1", &order, &why);
        assert_true(rig.port.dead);
        assert_int_not_equal(sent, BROKER_ACCEPTED);
        assert_int_equal(rig.book.orders_n, cases[i].arrives);
        size_t trace_n = rig.trace_n;
        submit("id-2", &order, &why);
        rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why);
        assert_int_equal(rig.trace_n, trace_n);
        assert_true(rig.port.dead_calls > 0 && rig.port.dead_calls < 20);
        die();
        assert_int_equal(rig.book.orders_n, cases[i].arrives);
        start_over();
    }
}

/* ---- every byte (I11) ---- */

/* One order after a connection was kept alive by a query, cut at one byte of one message. */
static void submit_cut_at(const char *site, enum act act, int64_t at) {
    struct broker_order order;
    struct broker_reason why;
    struct broker_account account;
    die();
    start_over();
    assert_true(rig.broker.account(rig.broker.ctx, &account, &why));
    plan(site, 1, act, at);
    enum broker_sent sent = submit("id-1", &order, &why);
    assert_int_equal(rig.fired, 1);
    assert_int_equal(rig.posts_all, 1);
    bool whole = at >= rig.length && strcmp(site, "wire.reply(submit)") == 0;
    if (!whole) {
        assert_int_equal(sent, BROKER_IN_DOUBT);
        assert_true(why.text[0] != '\0');
        assert_int_equal(strstr(why.text, "reset by peer") != NULL, act == ACT_RESET);
    } else if (sent != BROKER_ACCEPTED) {
        assert_int_equal(sent, BROKER_IN_DOUBT);
    }
    if (strcmp(site, "wire.reply(submit)") == 0 || at >= rig.length)
        assert_int_equal(rig.book.orders_n, 1);
    else
        assert_int_equal(rig.book.orders_n, 0);
    assert_int_equal(rig.now_ns, START_NS);
}

static void cut_everywhere(const char *site, enum act act) {
    unsigned tried = 0;
    for (int64_t at = 0; at == 0 || at <= rig.length; at++, tried++)
        submit_cut_at(site, act, at);
    print_message("%u cuts of %s by %s, 0 sent twice\n", tried, site,
                  act == ACT_CLOSE ? "close" : "reset");
    assert_true(tried > 300);
}

static void an_order_cut_at_any_byte_of_its_request_is_sent_once(void **state) {
    (void)state;
    cut_everywhere("wire.request(submit)", ACT_CLOSE);
    cut_everywhere("wire.request(submit)", ACT_RESET);
}

static void an_order_cut_at_any_byte_of_its_reply_is_sent_once(void **state) {
    (void)state;
    cut_everywhere("wire.reply(submit)", ACT_CLOSE);
    cut_everywhere("wire.reply(submit)", ACT_RESET);
}

static void a_lookup_cut_at_any_byte_never_says_absent_of_a_live_order(void **state) {
    (void)state;
    static const enum act acts[] = {ACT_CLOSE, ACT_RESET};
    struct broker_order order;
    struct broker_reason why;
    for (size_t a = 0; a < 2; a++)
        for (int live_order = 0; live_order < 2; live_order++) {
            unsigned tried = 0;
            rig.length = 1;
            for (int64_t at = 0; at < rig.length; at++, tried++) {
                die();
                start_over();
                if (live_order)
                    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
                plan("wire.reply(lookup)", 1, acts[a], at);
                assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-1", &order, &why),
                                 BROKER_INCONCLUSIVE);
                assert_int_equal(rig.fired, 1);
            }
            assert_true(tried > 100);
        }
}

/* Asks for one thing after one order was taken; true: the answer was believed. */
static bool ask_for(enum site_object what) {
    struct broker_reason why;
    struct broker_orders orders = {0};
    struct broker_fills fills = {0};
    struct broker_positions positions = {0};
    struct broker_account account;
    bool believed = false;
    if (what == ON_ORDERS)
        believed = rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why);
    if (what == ON_FILLS)
        believed = rig.broker.fills(rig.broker.ctx, 0, &fills, &why);
    if (what == ON_POSITIONS)
        believed = rig.broker.positions(rig.broker.ctx, &positions, &why);
    if (what == ON_ACCOUNT)
        believed = rig.broker.account(rig.broker.ctx, &account, &why);
    if (what == ON_CANCEL)
        believed = rig.broker.cancel(rig.broker.ctx, "order-01", &why) != BROKER_CANCEL_IN_DOUBT;
    broker_orders_free(&orders);
    broker_fills_free(&fills);
    broker_positions_free(&positions);
    return believed;
}

static void any_other_answer_cut_at_any_byte_is_not_believed(void **state) {
    (void)state;
    static const enum site_object calls[] = {ON_ORDERS, ON_FILLS, ON_POSITIONS, ON_ACCOUNT,
                                             ON_CANCEL};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char site[SITE_NAME_SIZE];
        struct broker_order order;
        struct broker_reason why;
        site_name((struct site){SITE_WIRE_REPLY, calls[i]}, site);
        rig.length = 1;
        for (int64_t at = 0; at <= rig.length; at++) {
            die();
            start_over();
            assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
            plan(site, 1, ACT_CLOSE, at);
            bool believed = ask_for(calls[i]);
            assert_int_equal(believed, at == rig.length);
            assert_int_equal(rig.fired, 1);
        }
        assert_true(rig.length > 20);
    }
}

/* ---- a client that lets libcurl re-send: proof that the count can fail ---- */

static size_t swallow(char *bytes, size_t size, size_t count, void *ctx) {
    (void)bytes, (void)ctx;
    return size * count;
}

static CURLcode perform(CURLM *multi, CURL *easy, const struct transport_io *io) {
    CURLcode result = CURLE_OK;
    curl_multi_add_handle(multi, easy);
    for (int running = 1; running > 0;) {
        int queued;
        curl_multi_perform(multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &queued)) != NULL;)
            result = m->data.result;
        if (running > 0)
            io->wait(io->ctx, multi, rig.now_ns + PROFILE_SECOND_NS);
    }
    curl_multi_remove_handle(multi, easy);
    return result;
}

static void a_client_that_reuses_connections_is_seen_to_send_twice(void **state) {
    (void)state;
    static const char body[] =
        "{\"symbol\":\"AAPL\",\"qty\":\"1\",\"side\":\"buy\",\"type\":\"market\","
        "\"time_in_force\":\"day\",\"client_order_id\":\"id-1\"}";
    struct transport_io io;
    wire_io(wire, &io);
    CURL *easy = curl_easy_init();
    CURLM *multi = curl_multi_init();
    struct curl_slist *keys = curl_slist_append(NULL, "APCA-API-KEY-ID: key");
    keys = curl_slist_append(keys, "APCA-API-SECRET-KEY: secret");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, keys);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, io.opensocket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, io.ctx);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, io.closesocket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, io.ctx);
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/v2/account");
    assert_int_equal(perform(multi, easy, &io), CURLE_OK);

    wire_new_call(wire);
    plan("wire.request(submit)", 1, ACT_CLOSE, 1000000); /* read whole, closed without a reply */
    curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/v2/orders");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    assert_int_equal(perform(multi, easy, &io), CURLE_OK);
    assert_int_equal(rig.fired, 1);
    assert_int_equal(rig.posts_most, 2);

    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(keys);
}

/* ---- sameness, leaks, speed ---- */

static unsigned open_descriptors(void) {
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* A life with every kind of call and a time-out, from the same start. */
static void a_life(void) {
    struct broker_order order;
    struct broker_reason why;
    struct broker_account account;
    struct broker_orders orders = {0};
    plan("broker.submit", 2, ACT_LATE, 7 * PROFILE_SECOND_NS);
    assert_int_equal(submit("id-1", &order, &why), BROKER_ACCEPTED);
    assert_int_equal(submit("id-2", &order, &why), BROKER_IN_DOUBT);
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-2", &order, &why), BROKER_ABSENT);
    plan("broker.account", 1, ACT_NO_REPLY, 0);
    assert_false(rig.broker.account(rig.broker.ctx, &account, &why));
    assert_int_equal(rig.broker.lookup(rig.broker.ctx, "id-2", &order, &why), BROKER_FOUND);
    rig.book.orders[1].submitted_ns++;
    assert_true(rig.broker.orders(rig.broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why));
    assert_int_equal(orders.n, 2);
    broker_orders_free(&orders);
}

static void a_thousand_equal_lives_leave_one_trace_and_no_descriptor(void **state) {
    (void)state;
    static char first[TRACE_SIZE];
    unsigned descriptors = 0;
    for (int i = 0; i < 1000; i++) {
        die();
        start_over();
        a_life();
        if (i == 0) {
            memcpy(first, rig.trace, sizeof first);
            descriptors = open_descriptors();
        }
        assert_string_equal(rig.trace, first);
    }
    assert_int_equal(open_descriptors(), descriptors);
    assert_true(strlen(first) > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_is_taken_looked_up_and_canceled, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_come_whole_over_many_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_of_one_time_only_is_inconclusive_and_not_a_part,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(refusals_are_final_only_in_the_brokers_own_words, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(wrong_keys_are_never_a_refusal_nor_an_absence, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_refused_connection_means_nothing_was_sent, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lost_messages_leave_a_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_without_an_answer_takes_exactly_the_time_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_error_leaves_the_exchange_untouched, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_request_is_answered_while_its_client_still_waits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_request_outlives_its_client, setup, teardown),
        cmocka_unit_test_setup_teardown(a_proxy_s_copy_is_in_flight_once_the_exchange_has_acted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_hangs_arrives_once_whoever_waits, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_question_that_hangs_is_asked_as_long_as_somebody_listens,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_that_hangs_or_drips_is_whole_in_time_or_a_doubt,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_after_the_fact_is_a_doubt_whatever_it_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_wrong_answer_with_status_200_says_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(death_at_any_question_lets_nothing_more_happen, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_order_cut_at_any_byte_of_its_request_is_sent_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_order_cut_at_any_byte_of_its_reply_is_sent_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_lookup_cut_at_any_byte_never_says_absent_of_a_live_order,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(any_other_answer_cut_at_any_byte_is_not_believed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_client_that_reuses_connections_is_seen_to_send_twice,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_thousand_equal_lives_leave_one_trace_and_no_descriptor,
                                        setup, teardown),
    };
    wire = wire_open();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wire_close(wire);
    return failed;
}
