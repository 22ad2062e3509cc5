/* The simulated exchange: what it accepts, what it executes, and that its books are exact. */
#include "sim/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define ONE   INT64_C(1000000000)
#define HOUR  (3600 * ONE)
#define START (INT64_C(1767952800) * ONE) /* 2026-01-09T10:00:00Z */

static struct exchange exchange;
static size_t at;
static char message[BROKER_TEXT_SIZE];

static struct broker_request order(const char *id, enum broker_side side, int64_t qty) {
    struct broker_request request = {
        .side = side, .type = BROKER_LIMIT, .qty_nanos = qty, .limit_nanos = 150 * ONE};
    strcpy(request.symbol, "AAPL");
    strcpy(request.client_order_id, id);
    return request;
}

static enum exchange_verdict send_at(int64_t now_ns, const char *id, enum broker_side side,
                                     int64_t qty) {
    struct broker_request request = order(id, side, qty);
    return exchange_submit(&exchange, now_ns, &request, &at, message);
}

static void executed(enum broker_side side, int64_t qty, int64_t price) {
    assert_int_equal(send_at(START, "", side, qty), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, qty, price, ""));
}

static const struct exchange_position *apple(void) {
    return exchange_position(&exchange, "AAPL");
}

static void begin(const char *profile) {
    exchange_free(&exchange);
    exchange_init(&exchange, profile_find(profile));
}

static int setup(void **state) {
    (void)state;
    begin("alpaca");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    exchange_free(&exchange);
    return 0;
}

/* ---- acceptance ---- */

static void an_order_is_accepted_and_found_under_both_its_ids(void **state) {
    (void)state;
    assert_int_equal(send_at(START, "one", BROKER_BUY, 5 * ONE), EXCHANGE_ACCEPTED);
    const struct exchange_order *found = exchange_lookup(&exchange, START, "one");
    assert_ptr_equal(found, exchange_order_by_id(&exchange, "O1"));
    assert_string_equal(found->told.status_text, "new");
    assert_int_equal(found->told.submitted_ns, START);
    assert_null(exchange_lookup(&exchange, START, "two"));
    assert_null(exchange_order_by_id(&exchange, "O2"));
}

static void an_id_is_refused_while_it_is_remembered_and_not_after(void **state) {
    (void)state;
    begin("alpaca-retention");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(send_at(START + 24 * HOUR - 1, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    assert_non_null(exchange_lookup(&exchange, START + 24 * HOUR - 1, "one"));
    assert_null(exchange_lookup(&exchange, START + 24 * HOUR, "one"));
    assert_int_equal(send_at(START + 24 * HOUR, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(exchange.order_count, 2);
}

static void alpaca_remembers_an_id_for_ever(void **state) {
    (void)state;
    send_at(START, "one", BROKER_BUY, ONE);
    assert_int_equal(send_at(START + 10000 * HOUR, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
}

static void a_broker_that_only_labels_accepts_the_same_id_twice(void **state) {
    (void)state;
    begin("label");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(send_at(START + 1, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_string_equal(exchange_lookup(&exchange, START + 1, "one")->told.id, "O2");
}

static void an_id_that_is_unique_while_open_is_accepted_again_once_its_order_ended(void **state) {
    (void)state;
    begin("open-only");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(send_at(START + 1, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    assert_true(exchange_fill(&exchange, 0, START + 2, ONE, ONE, ""));
    assert_string_equal(exchange_lookup(&exchange, START + 2, "one")->told.id, "O1");
    assert_int_equal(send_at(START + 3, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
}

static void orders_without_an_id_are_never_duplicates(void **state) {
    (void)state;
    assert_int_equal(send_at(START, "", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(send_at(START, "", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_string_not_equal(exchange.orders[0].told.client_order_id,
                            exchange.orders[1].told.client_order_id);
}

static void a_refusal_does_not_burn_the_id_and_hits_only_its_like(void **state) {
    (void)state;
    struct broker_request like = order("", BROKER_BUY, ONE);
    exchange_refuse(&exchange, &like, "no money");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_REFUSED);
    assert_string_equal(message, "no money");
    assert_null(exchange_lookup(&exchange, START, "one"));
    assert_int_equal(send_at(START, "two", BROKER_SELL, ONE), EXCHANGE_ACCEPTED);
    exchange.refusal_count = 0;
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
}

static void a_broker_that_replays_gives_its_first_answer_again(void **state) {
    (void)state;
    struct broker_order answer;
    begin("replay");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, ONE, ONE, ""));
    assert_int_equal(send_at(START + 1, "one", BROKER_BUY, ONE), EXCHANGE_REPLAYED);
    answer = exchange_answer(&exchange, EXCHANGE_REPLAYED, at);
    assert_int_equal(answer.status, BROKER_STATUS_NEW);
    assert_int_equal(answer.filled_nanos, 0);
    assert_int_equal(exchange.orders[at].told.status, BROKER_STATUS_FILLED);
    assert_int_equal(send_at(START + 2, "one", BROKER_BUY, 2 * ONE), EXCHANGE_DUPLICATE);
    assert_int_equal(send_at(START + 24 * 3600 * ONE, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_int_equal(exchange.order_count, 2);
}

static void a_marked_request_is_told_how_its_order_stands_the_same_day(void **state) {
    (void)state;
    struct broker_request again = order("one", BROKER_BUY, ONE);
    begin("fix-day");
    again.possible_resend = true;
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, ONE, ONE, ""));
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    assert_int_equal(exchange_submit(&exchange, START, &again, &at, message), EXCHANGE_RESENT);
    assert_int_equal(exchange_answer(&exchange, EXCHANGE_RESENT, at).status, BROKER_STATUS_FILLED);
    /* 22:00, twelve hours later */
    assert_int_equal(exchange_submit(&exchange, START + 12 * 3600 * ONE - 1, &again, &at, message),
                     EXCHANGE_RESENT);
    assert_int_equal(exchange_submit(&exchange, START + 12 * 3600 * ONE, &again, &at, message),
                     EXCHANGE_ACCEPTED);
}

static void a_fresh_order_is_missing_from_queries_with_all_it_did(void **state) {
    (void)state;
    const int64_t shown = START + 3 * ONE;
    struct broker_orders orders = {0};
    struct broker_fills fills = {0};
    struct broker_positions positions = {0};
    begin("alpaca-lag");
    exchange_open_position(&exchange, "AAPL", 10 * ONE, 5 * ONE);
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, ONE, 150 * ONE, ""));
    assert_null(exchange_lookup(&exchange, shown - 1, "one"));
    assert_int_equal(send_at(shown - 1, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    exchange_tell_orders(&exchange, shown - 1, BROKER_ALL_ORDERS, INT64_MIN, &orders);
    exchange_tell_fills(&exchange, shown - 1, INT64_MIN, &fills);
    exchange_tell_positions(&exchange, shown - 1, &positions);
    assert_int_equal(orders.n + fills.n, 0);
    assert_int_equal(positions.n, 1);
    assert_int_equal(positions.v[0].qty_nanos, 10 * ONE);
    assert_int_equal(positions.v[0].avg_price_nanos, 5 * ONE);
    assert_non_null(exchange_lookup(&exchange, shown, "one"));
    exchange_tell_orders(&exchange, shown, BROKER_ALL_ORDERS, INT64_MIN, &orders);
    exchange_tell_fills(&exchange, shown, INT64_MIN, &fills);
    exchange_tell_positions(&exchange, shown, &positions);
    assert_int_equal(orders.n + fills.n, 2);
    assert_int_equal(positions.v[1].qty_nanos, 11 * ONE);
    broker_orders_free(&orders);
    broker_fills_free(&fills);
    broker_positions_free(&positions);
}

static void a_broker_without_ids_keeps_none(void **state) {
    (void)state;
    begin("no-tag");
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
    assert_string_equal(exchange.orders[at].told.client_order_id, "");
    assert_null(exchange_lookup(&exchange, START, "one"));
    assert_null(exchange_lookup(&exchange, START, ""));
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_ACCEPTED);
}

static void a_broker_that_tells_sums_tells_them_with_the_order(void **state) {
    (void)state;
    struct broker_fills fills = {0};
    begin("cum-only");
    assert_int_equal(send_at(START, "one", BROKER_BUY, 3 * ONE), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, 2 * ONE, 10 * ONE, ""));
    assert_true(exchange_fill(&exchange, at, START, ONE, 11 * ONE, ""));
    assert_int_equal(exchange.orders[at].told.filled_avg_nanos, 10333333333);
    exchange_tell_fills(&exchange, START, INT64_MIN, &fills);
    assert_int_equal(fills.n, 0);
    broker_fills_free(&fills);
}

static void a_refusal_burns_the_id_where_that_is_a_habit(void **state) {
    (void)state;
    struct broker_request like = order("", BROKER_BUY, ONE);
    struct exchange copy;
    uint64_t before;
    exchange.habits.burns_refused_ids = true;
    exchange_refuse(&exchange, &like, "no");
    before = exchange_hash(&exchange);
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_REFUSED);
    assert_int_not_equal(exchange_hash(&exchange), before);
    exchange_copy(&copy, &exchange);
    assert_int_equal(exchange_hash(&copy), exchange_hash(&exchange));
    exchange_free(&copy);
    assert_int_equal(send_at(START, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    assert_int_equal(send_at(START, "one", BROKER_BUY, 2 * ONE), EXCHANGE_DUPLICATE);
    assert_null(exchange_lookup(&exchange, START, "one"));
}

static void what_never_forgets_refuses_an_id_after_its_time(void **state) {
    (void)state;
    begin("alpaca-retention");
    exchange.habits.never_forgets = true;
    send_at(START, "one", BROKER_BUY, ONE);
    assert_int_equal(send_at(START + 100 * 3600 * ONE, "one", BROKER_BUY, ONE), EXCHANGE_DUPLICATE);
    assert_non_null(exchange_lookup(&exchange, START + 100 * 3600 * ONE, "one"));
}

static void a_request_that_is_dropped_or_put_off_is_on_record_and_no_order(void **state) {
    (void)state;
    struct broker_request request = order("one", BROKER_BUY, ONE);
    exchange_drop(&exchange, &request);
    exchange_put_off(&exchange, &request);
    assert_int_equal(exchange.delivery_count, 2);
    assert_int_equal(exchange.deliveries[0].verdict, EXCHANGE_DROPPED);
    assert_int_equal(exchange.deliveries[1].verdict, EXCHANGE_BUSY);
    assert_int_equal(exchange.order_count, 0);
    assert_false(exchange_tells_order(EXCHANGE_DROPPED) || exchange_tells_order(EXCHANGE_BUSY));
}

static void every_arrival_is_on_record_whatever_became_of_it(void **state) {
    (void)state;
    struct broker_request like = order("", BROKER_BUY, 2 * ONE);
    exchange_refuse(&exchange, &like, "no");
    send_at(START, "one", BROKER_BUY, ONE);
    uint64_t version = exchange.version;
    send_at(START, "one", BROKER_BUY, ONE);
    send_at(START, "two", BROKER_BUY, 2 * ONE);
    assert_int_equal(exchange.delivery_count, 3);
    assert_int_equal(exchange.deliveries[0].verdict, EXCHANGE_ACCEPTED);
    assert_int_equal(exchange.deliveries[1].verdict, EXCHANGE_DUPLICATE);
    assert_int_equal(exchange.deliveries[2].verdict, EXCHANGE_REFUSED);
    assert_int_equal(exchange.version, version);
}

/* ---- execution ---- */

static void fills_add_up_and_nothing_is_overfilled(void **state) {
    (void)state;
    send_at(START, "one", BROKER_BUY, 10 * ONE);
    assert_false(exchange_fill(&exchange, 0, START, 10 * ONE + 1, ONE, ""));
    assert_true(exchange_fill(&exchange, 0, START, 4 * ONE, ONE, ""));
    assert_int_equal(exchange.orders[0].told.status, BROKER_STATUS_PARTIALLY_FILLED);
    assert_false(exchange_fill(&exchange, 0, START, 6 * ONE + 1, ONE, ""));
    assert_true(exchange_fill(&exchange, 0, START, 6 * ONE, ONE, "mine"));
    assert_int_equal(exchange.orders[0].told.status, BROKER_STATUS_FILLED);
    assert_false(exchange_fill(&exchange, 0, START, 1, ONE, ""));
    assert_int_equal(exchange.fill_count, 2);
    /* 10:00 UTC is 05:00 in the exchange's own digits. */
    assert_string_equal(exchange.fills[0].execution_id, "20260109050000000::O1-00001");
    assert_string_equal(exchange.fills[1].execution_id, "mine");
}

static void an_order_ends_once(void **state) {
    (void)state;
    static const enum broker_status ends[] = {BROKER_STATUS_CANCELED, BROKER_STATUS_EXPIRED,
                                              BROKER_STATUS_REJECTED};
    for (size_t i = 0; i < 3; i++) {
        send_at(START, "", BROKER_BUY, ONE);
        assert_true(exchange_end(&exchange, at, ends[i]));
        assert_false(exchange_end(&exchange, at, BROKER_STATUS_CANCELED));
        assert_false(exchange_fill(&exchange, at, START, ONE, ONE, ""));
        assert_int_equal(exchange.orders[at].told.status, ends[i]);
    }
}

static void a_cancel_is_idempotent_and_comes_too_late_for_what_is_final(void **state) {
    (void)state;
    send_at(START, "one", BROKER_BUY, ONE);
    assert_int_equal(exchange_cancel(&exchange, "O1"), EXCHANGE_CANCELED);
    uint64_t version = exchange.version;
    assert_int_equal(exchange_cancel(&exchange, "O1"), EXCHANGE_CANCELED);
    assert_int_equal(exchange.version, version);
    executed(BROKER_BUY, ONE, ONE);
    assert_int_equal(exchange_cancel(&exchange, "O2"), EXCHANGE_CANCEL_FINAL);
    assert_int_equal(exchange_cancel(&exchange, "O3"), EXCHANGE_CANCEL_UNKNOWN);
}

static void what_the_broker_lost_it_neither_shows_nor_refuses_again(void **state) {
    (void)state;
    struct broker_orders list = {0};
    send_at(START, "one", BROKER_BUY, ONE);
    assert_true(exchange_lose(&exchange, at));
    assert_null(exchange_lookup(&exchange, START, "one"));
    assert_null(exchange_order_by_id(&exchange, "O1"));
    assert_int_equal(exchange_cancel(&exchange, "O1"), EXCHANGE_CANCEL_UNKNOWN);
    assert_false(exchange_fill(&exchange, at, START, ONE, ONE, ""));
    exchange_tell_orders(&exchange, START, BROKER_ALL_ORDERS, INT64_MIN, &list);
    assert_int_equal(list.n, 0);
    broker_orders_free(&list);
    send_at(START, "one", BROKER_BUY, ONE);
    assert_int_equal(at, 1); /* taken, as if for the first time */
    executed(BROKER_BUY, ONE, ONE);
    assert_false(exchange_lose(&exchange, at));
}

/* ---- books ---- */

static void selling_a_part_takes_its_share_of_the_cost_and_keeps_the_remainder(void **state) {
    (void)state;
    executed(BROKER_BUY, 2 * ONE, 10 * ONE);
    executed(BROKER_BUY, ONE, 10 * ONE + 1); /* costs 30 x 1e18 + 1e9: a third is not whole */
    executed(BROKER_SELL, ONE, 99 * ONE);
    decimal_wide cost = (decimal_wide)30 * ONE * ONE + ONE;
    decimal_wide third = (cost + 1) / 3; /* 333333333.33 -> rounded half away from zero */
    assert_int_equal(apple()->qty_nanos, 2 * ONE);
    assert_true(apple()->cost == cost - third);
    assert_true(apple()->realized == (decimal_wide)99 * ONE * ONE - third);
    executed(BROKER_SELL, 2 * ONE, 99 * ONE);
    assert_true(apple()->realized == (decimal_wide)3 * 99 * ONE * ONE - cost);
    assert_int_equal(apple()->qty_nanos, 0);
    assert_true(apple()->cost == 0);
    assert_int_equal(exchange_average(apple()), 0);
}

static void going_through_zero_opens_the_other_side_at_its_own_price(void **state) {
    (void)state;
    executed(BROKER_BUY, 3 * ONE, 10 * ONE);
    executed(BROKER_SELL, 5 * ONE, 20 * ONE);
    assert_int_equal(apple()->qty_nanos, -2 * ONE);
    assert_true(apple()->cost == (decimal_wide)-40 * ONE * ONE);
    assert_int_equal(exchange_average(apple()), 20 * ONE);
    executed(BROKER_BUY, 3 * ONE, 7 * ONE);
    assert_int_equal(apple()->qty_nanos, ONE);
    assert_true(apple()->cost == (decimal_wide)7 * ONE * ONE);
    assert_true(apple()->realized == (decimal_wide)(3 * 10 + 2 * 13) * ONE * ONE);
}

static void named(enum broker_side side, int64_t qty, int64_t price, const char *name) {
    assert_int_equal(send_at(START, "", side, qty), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, at, START, qty, price, name));
}

static void a_bust_leaves_the_books_as_if_it_had_never_been(void **state) {
    (void)state;
    named(BROKER_BUY, 2 * ONE, 10 * ONE, "F1");
    named(BROKER_BUY, 2 * ONE, 20 * ONE, "F2");
    named(BROKER_SELL, ONE, 30 * ONE, "F3");
    int64_t cash = exchange.cash_nanos;
    assert_true(exchange_correct(&exchange, "F1", START + ONE, 0, 0));
    assert_int_equal(apple()->qty_nanos, ONE);
    assert_true(apple()->cost == (decimal_wide)20 * ONE * ONE);
    assert_true(apple()->realized == (decimal_wide)10 * ONE * ONE);
    assert_int_equal(exchange.cash_nanos, cash + 20 * ONE);
    assert_int_equal(exchange.orders[0].told.filled_nanos, 0);
    assert_int_equal(exchange.orders[0].told.status, BROKER_STATUS_CANCELED);
    assert_int_equal(exchange_execution(&exchange, 0).qty_nanos, 0);
    assert_false(exchange_correct(&exchange, "F9", START, 0, 0));
}

/* Taken back, then put right: the order stands where its executions leave it. */
static void a_correction_after_a_bust_moves_the_order_on_again(void **state) {
    (void)state;
    static const enum broker_status stands[] = {BROKER_STATUS_NEW, BROKER_STATUS_PARTIALLY_FILLED,
                                                BROKER_STATUS_FILLED};
    assert_int_equal(send_at(START, "", BROKER_BUY, 2 * ONE), EXCHANGE_ACCEPTED);
    assert_true(exchange_fill(&exchange, 0, START, ONE, 10 * ONE, "F1"));
    for (int64_t qty = 0; qty <= 2; qty++) {
        assert_true(exchange_correct(&exchange, "F1", START + 1 + qty, qty * ONE, 10 * ONE));
        assert_int_equal(exchange.orders[0].told.status, stands[qty]);
        assert_int_equal(exchange.orders[0].told.filled_nanos, qty * ONE);
    }
}

static void the_newest_correction_counts_and_none_goes_past_the_order(void **state) {
    (void)state;
    named(BROKER_BUY, 3 * ONE, 10 * ONE, "F1");
    assert_true(exchange_correct(&exchange, "F1", START + 1, ONE, 11 * ONE));
    assert_true(exchange_correct(&exchange, "F1", START + 2, 2 * ONE, 12 * ONE));
    assert_false(exchange_correct(&exchange, "F1", START + 3, 4 * ONE, 12 * ONE));
    assert_int_equal(apple()->qty_nanos, 2 * ONE);
    assert_true(apple()->cost == (decimal_wide)24 * ONE * ONE);
    assert_int_equal(exchange.orders[0].told.filled_avg_nanos, 12 * ONE);
    struct broker_fills list = {0};
    exchange_tell_fills(&exchange, START, 0, &list);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[2].refers, "F1");
    assert_int_equal(list.v[2].qty_nanos, 2 * ONE);
    broker_fills_free(&list);
}

static void a_correction_of_a_correction_names_it_where_that_is_a_habit(void **state) {
    (void)state;
    struct broker_fills list = {0};
    exchange.habits.chains_corrections = true;
    named(BROKER_BUY, 3 * ONE, 10 * ONE, "F1");
    assert_true(exchange_correct(&exchange, "F1", START + 1, ONE, 11 * ONE));
    assert_true(exchange_correct(&exchange, "F1", START + 2, 2 * ONE, 12 * ONE));
    exchange_tell_fills(&exchange, START, 0, &list);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[0].refers, "");
    assert_string_equal(list.v[1].refers, "F1");
    assert_string_equal(list.v[2].refers, list.v[1].execution_id);
    assert_int_equal(exchange_execution(&exchange, 0).qty_nanos, 2 * ONE);
    broker_fills_free(&list);
}

static void the_largest_values_stay_exact(void **state) {
    (void)state;
    const int64_t most = INT64_MAX;
    executed(BROKER_BUY, most, most);
    assert_true(apple()->cost == (decimal_wide)most * most);
    assert_int_equal(exchange_average(apple()), most);
    executed(BROKER_SELL, most - 1, 1);
    assert_true(apple()->cost == most);
    executed(BROKER_SELL, 1, 1);
    executed(BROKER_SELL, most, most);
    assert_true(apple()->cost == -(decimal_wide)most * most);
}

static void cash_moves_by_what_was_paid_and_stays_within_its_bounds(void **state) {
    (void)state;
    executed(BROKER_BUY, 2 * ONE, 10 * ONE);
    executed(BROKER_SELL, ONE, 11 * ONE);
    assert_int_equal(exchange.cash_nanos, (1000000 - 20 + 11) * ONE);
    executed(BROKER_BUY, INT64_MAX / 4, INT64_MAX);
    assert_int_equal(exchange.cash_nanos, INT64_MIN);
    executed(BROKER_SELL, INT64_MAX / 2, INT64_MAX);
    executed(BROKER_SELL, INT64_MAX / 4, INT64_MAX);
    assert_int_equal(exchange.cash_nanos, INT64_MAX);
}

static void other_people_s_orders_count_in_the_books_and_are_marked(void **state) {
    (void)state;
    exchange_open_position(&exchange, "AAPL", 10 * ONE, 5 * ONE);
    exchange_foreign(&exchange, START, "AAPL", BROKER_SELL, 4 * ONE, 6 * ONE);
    exchange_foreign(&exchange, START, "AAPL", BROKER_SELL, 4 * ONE, 6 * ONE);
    assert_int_equal(apple()->qty_nanos, 2 * ONE);
    assert_int_equal(exchange.order_count, 2);
    assert_true(exchange.orders[0].foreign && exchange.orders[1].foreign);
    assert_int_equal(exchange.delivery_count, 0);
}

/* ---- a value ---- */

static void a_copy_is_equal_and_independent(void **state) {
    (void)state;
    struct exchange copy;
    executed(BROKER_BUY, ONE, ONE);
    exchange_copy(&copy, &exchange);
    assert_int_equal(exchange_hash(&copy), exchange_hash(&exchange));
    executed(BROKER_BUY, ONE, ONE);
    assert_int_equal(copy.order_count, 1);
    assert_int_not_equal(exchange_hash(&copy), exchange_hash(&exchange));
    struct broker_request same = order("", BROKER_BUY, ONE);
    exchange_submit(&copy, START, &same, &at, message);
    assert_true(exchange_fill(&copy, at, START, ONE, ONE, ""));
    assert_int_equal(exchange_hash(&copy), exchange_hash(&exchange));
    exchange_free(&copy);
}

/* What two exchanges may differ in without an order more or less. */
static void whatever_a_client_could_see_differ_changes_the_hash(void **state) {
    (void)state;
    struct broker_request like = order("", BROKER_BUY, 2 * ONE);
    executed(BROKER_BUY, ONE, ONE);
    exchange_refuse(&exchange, &like, "no");
    uint64_t before = exchange_hash(&exchange);
    struct {
        void *what;
        size_t size;
    } parts[] = {{&exchange.cash_nanos, 8},
                 {&exchange.fills[0].at_ns, 8},
                 {&exchange.fills[0].side, sizeof exchange.fills[0].side},
                 {&exchange.orders[0].told.tif, sizeof exchange.orders[0].told.tif},
                 {&exchange.orders[0].foreign, 1},
                 {&exchange.orders[0].lost, 1},
                 {&exchange.refusals[0].qty_nanos, 8},
                 {&exchange.refusals[0].limit_nanos, 8},
                 {exchange.refusals[0].message, 1},
                 {exchange.refusals[0].symbol, 1},
                 {&exchange.positions[0].cost, 8},
                 {&exchange.positions[0].realized, 8},
                 {exchange.fills[0].refers, 1}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *(unsigned char *)parts[i].what ^= 1;
        assert_int_not_equal(exchange_hash(&exchange), before);
        *(unsigned char *)parts[i].what ^= 1;
        assert_int_equal(exchange_hash(&exchange), before);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_accepted_and_found_under_both_its_ids),
        TEST(an_id_is_refused_while_it_is_remembered_and_not_after),
        TEST(alpaca_remembers_an_id_for_ever),
        TEST(a_broker_that_only_labels_accepts_the_same_id_twice),
        TEST(an_id_that_is_unique_while_open_is_accepted_again_once_its_order_ended),
        TEST(orders_without_an_id_are_never_duplicates),
        TEST(a_refusal_does_not_burn_the_id_and_hits_only_its_like),
        TEST(a_broker_that_replays_gives_its_first_answer_again),
        TEST(a_marked_request_is_told_how_its_order_stands_the_same_day),
        TEST(a_fresh_order_is_missing_from_queries_with_all_it_did),
        TEST(a_broker_without_ids_keeps_none),
        TEST(a_broker_that_tells_sums_tells_them_with_the_order),
        TEST(a_refusal_burns_the_id_where_that_is_a_habit),
        TEST(what_never_forgets_refuses_an_id_after_its_time),
        TEST(a_request_that_is_dropped_or_put_off_is_on_record_and_no_order),
        TEST(every_arrival_is_on_record_whatever_became_of_it),
        TEST(fills_add_up_and_nothing_is_overfilled),
        TEST(an_order_ends_once),
        TEST(what_the_broker_lost_it_neither_shows_nor_refuses_again),
        TEST(a_cancel_is_idempotent_and_comes_too_late_for_what_is_final),
        TEST(selling_a_part_takes_its_share_of_the_cost_and_keeps_the_remainder),
        TEST(a_bust_leaves_the_books_as_if_it_had_never_been),
        TEST(a_correction_after_a_bust_moves_the_order_on_again),
        TEST(the_newest_correction_counts_and_none_goes_past_the_order),
        TEST(a_correction_of_a_correction_names_it_where_that_is_a_habit),
        TEST(going_through_zero_opens_the_other_side_at_its_own_price),
        TEST(the_largest_values_stay_exact),
        TEST(cash_moves_by_what_was_paid_and_stays_within_its_bounds),
        TEST(other_people_s_orders_count_in_the_books_and_are_marked),
        TEST(a_copy_is_equal_and_independent),
        TEST(whatever_a_client_could_see_differ_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
