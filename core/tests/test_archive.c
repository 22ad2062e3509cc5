/* The archive: what moves, that it is still known, what brings it back, and what damage does. */
#include "core/segment.h"
#include "core/tests/desk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- stories ---- */

static void start(struct desk *desk, int archive_orders) {
    desk_prepare(desk, "alpaca");
    desk->config.archive_orders = archive_orders;
    desk_make_with(desk, NULL, 0);
    desk_open(desk);
    settle(desk);
}

static int64_t archived_count(struct desk *desk) {
    struct oms_view view;
    int64_t count;
    assert_int_equal(oms_view(desk->oms, &view, &desk->error), OMS_OK);
    count = view.archived_count;
    oms_view_free(&view);
    return count;
}

/* Everything that both say must be equal, whatever is archived. */
static void assert_same(struct desk *a, struct desk *b) {
    struct oms_view x, y;
    struct oms_profits p, q;
    assert_int_equal(oms_view_whole(a->oms, &x, &a->error), OMS_OK);
    assert_int_equal(oms_view_whole(b->oms, &y, &b->error), OMS_OK);
    assert_int_equal(x.order_count, y.order_count);
    for (size_t i = 0; i < x.order_count; i++) {
        assert_string_equal(x.orders[i].decision.id, y.orders[i].decision.id);
        assert_string_equal(x.orders[i].reason, y.orders[i].reason);
        assert_int_equal(x.orders[i].state, y.orders[i].state);
        assert_int_equal(x.orders[i].filled_nanos, y.orders[i].filled_nanos);
        assert_int_equal(x.orders[i].created_ns, y.orders[i].created_ns);
    }
    assert_int_equal(x.position_count, y.position_count);
    for (size_t i = 0; i < x.position_count; i++) {
        assert_string_equal(x.positions[i].symbol, y.positions[i].symbol);
        assert_int_equal(x.positions[i].qty_nanos, y.positions[i].qty_nanos);
        assert_true(x.positions[i].cost == y.positions[i].cost);
    }
    assert_int_equal(oms_profits(a->oms, &p, &a->error), OMS_OK);
    assert_int_equal(oms_profits(b->oms, &q, &b->error), OMS_OK);
    assert_int_equal(p.n, q.n);
    for (size_t i = 0; i < p.n; i++) {
        assert_string_equal(p.v[i].symbol, q.v[i].symbol);
        assert_int_equal(p.v[i].day, q.v[i].day);
        assert_true(p.v[i].realized == q.v[i].realized);
    }
    oms_profits_free(&p);
    oms_profits_free(&q);
    oms_view_free(&x);
    oms_view_free(&y);
}

static void open_again(struct desk *desk) {
    desk_close(desk);
    desk_open(desk);
    settle(desk);
}

/* ---- what moves ---- */

static void what_is_archived_adds_up_to_the_same(void **state) {
    struct desk archiving, plain;
    (void)state;
    start(&archiving, 2);
    start(&plain, 0);
    desk_trade_two_days(&archiving);
    desk_trade_two_days(&plain);
    assert_true(archived_count(&archiving) >= 3);
    assert_int_equal(archived_count(&plain), 0);
    assert_same(&archiving, &plain);
    open_again(&archiving);
    open_again(&plain);
    assert_same(&archiving, &plain);
    desk_end(&archiving);
    desk_end(&plain);
}

static void an_archived_decision_is_still_known(void **state) {
    struct desk desk;
    struct oms_decision decision = decision_of("D1");
    char key[BROKER_CLIENT_ID_SIZE];
    bool exists = false;
    (void)state;
    start(&desk, 2);
    desk_trade_two_days(&desk);
    for (int life = 0; life < 2; life++) {
        const int submits = desk.fake.submits;
        struct oms_answer answer = decide(&desk, &decision);
        assert_int_equal(answer.taken, OMS_KNOWN);
        assert_int_equal(answer.state, OMS_STATE_FILLED);
        decision.qty_nanos++;
        answer = decide(&desk, &decision);
        assert_int_equal(answer.taken, OMS_NOT_TAKEN);
        assert_non_null(strstr(answer.reason, "another payload"));
        decision.qty_nanos--;
        assert_int_equal(oms_exists(desk.oms, "D1", &exists, key, &desk.error), OMS_OK);
        assert_true(exists);
        assert_string_equal(key, answer.client_order_id);
        assert_int_equal(oms_exists(desk.oms, "D99", &exists, key, &desk.error), OMS_OK);
        assert_false(exists);
        struct oms_view view;
        assert_int_equal(oms_view_with(desk.oms, "D1", &view, &desk.error), OMS_OK);
        assert_string_equal(view.orders[view.order_count - 1].decision.id, "D1");
        oms_view_free(&view);
        assert_int_equal(oms_cancel(desk.oms, "D1", &desk.error), OMS_OK);
        assert_int_equal(oms_cancel(desk.oms, "D99", &desk.error), OMS_INVALID);
        assert_int_equal(oms_resolve(desk.oms, "D1", NULL, "a", "b", &desk.error), OMS_INVALID);
        assert_non_null(strstr(desk.error.text, "D1 is filled; only one that is held"));
        settle(&desk);
        assert_int_equal(desk.fake.submits, submits);
        open_again(&desk);
    }
    desk_end(&desk);
}

static void everything_but_the_newest_moves_on_request(void **state) {
    struct desk desk;
    (void)state;
    start(&desk, 0);
    desk_trade_two_days(&desk);
    assert_int_equal(archived_count(&desk), 0);
    assert_int_equal(oms_request_archive(desk.oms), OMS_OK);
    settle(&desk);
    assert_int_equal(archived_count(&desk), 5);
    desk_trade(&desk, "D7", "AAPL", BROKER_BUY, 1, 150);
    assert_int_equal(archived_count(&desk), 5);
    desk_close(&desk);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM orders"), 2);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM idempotency"), 2);
    assert_int_equal(ask_sql_on(&desk, "SELECT count(*) FROM fills"), 2);
    assert_int_equal(ask_sql_on(&desk, "SELECT max(id) FROM orders"), 7);
    desk_open(&desk);
    desk_end(&desk);
}

/* Its executions stay in their order: what came after it in its symbol cannot leave before it. */
static void an_open_order_keeps_what_came_after_it(void **state) {
    struct desk desk;
    (void)state;
    start(&desk, 0);
    take(&desk, "OPEN");
    settle(&desk);
    fake_fill(&desk.fake, NULL, 40 * UNIT, 150 * UNIT);
    pass(&desk, 3 * SECOND);
    desk_trade(&desk, "D1", "AAPL", BROKER_SELL, 10, 151);
    desk_trade(&desk, "D2", "MSFT", BROKER_BUY, 10, 400);
    desk_trade(&desk, "D3", "MSFT", BROKER_BUY, 10, 400);
    assert_int_equal(oms_request_archive(desk.oms), OMS_OK);
    settle(&desk);
    assert_int_equal(archived_count(&desk), 1);
    assert_int_equal(order_of(&desk, "D1").filled_nanos, 10 * UNIT);
    fake_fill(&desk.fake, order_of(&desk, "OPEN").client_order_id, 60 * UNIT, 150 * UNIT);
    pass(&desk, 3 * SECOND);
    assert_int_equal(oms_request_archive(desk.oms), OMS_OK);
    settle(&desk);
    assert_int_equal(archived_count(&desk), 3);
    open_again(&desk);
    desk_end(&desk);
}

/* ---- what brings it back ---- */

static void bust_and_compare(struct desk *desk) {
    struct oms_view view;
    fake_correct(&desk->fake, desk->fake.fills.v[0].execution_id, "C1", 60 * UNIT, 149 * UNIT);
    fake_correct(&desk->fake, desk->fake.fills.v[1].execution_id, "C2", 0, 0);
    assert_int_equal(oms_request_reconcile(desk->oms), OMS_OK);
    settle(desk);
    assert_int_equal(oms_view(desk->oms, &view, &desk->error), OMS_OK);
    assert_true(view.reconciled);
    assert_false(view.kill_switch);
    oms_view_free(&view);
}

static void a_late_correction_is_booked_as_if_nothing_had_been_archived(void **state) {
    struct desk archiving, plain;
    (void)state;
    start(&archiving, 2);
    start(&plain, 0);
    desk_trade_two_days(&archiving);
    desk_trade_two_days(&plain);
    bust_and_compare(&archiving);
    bust_and_compare(&plain);
    assert_state(&plain, "D1", OMS_STATE_CANCELED);
    assert_same(&archiving, &plain);
    assert_true(archived_count(&archiving) >= 3); /* they went again */
    open_again(&archiving);
    open_again(&plain);
    assert_same(&archiving, &plain);
    desk_end(&archiving);
    desk_end(&plain);
}

static void an_archived_order_in_the_brokers_lists_is_no_news(void **state) {
    struct desk desk;
    (void)state;
    start(&desk, 1);
    desk_trade_two_days(&desk);
    fake_forget_log(&desk.fake);
    assert_int_equal(oms_request_reconcile(desk.oms), OMS_OK);
    settle(&desk);
    assert_non_null(strstr(desk.fake.log, "reconcile>"));
    assert_null(strstr(desk.fake.log, "archive"));
    assert_null(strstr(desk.fake.log, "discrepancy"));
    desk_end(&desk);
}

/* ---- damage ---- */

static void archive_and_close(struct desk *desk) {
    start(desk, 0);
    desk_trade_two_days(desk);
    assert_int_equal(oms_request_archive(desk->oms), OMS_OK);
    settle(desk);
    desk_close(desk);
}

static void a_missing_segment_is_refused(void **state) {
    struct desk desk;
    char name[128];
    (void)state;
    archive_and_close(&desk);
    (void)snprintf(name, sizeof name, "%s-archive1", desk.path);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(desk_try_open(&desk), OMS_CORRUPT);
    assert_non_null(strstr(desk.error.text, "segment 1 of its archive is missing"));
    desk_end(&desk);
}

static void a_damaged_segment_takes_no_decision_twice(void **state) {
    const struct oms_decision old = decision_of("D1");
    struct oms_answer answer;
    struct desk desk;
    char name[128];
    (void)state;
    archive_and_close(&desk);
    (void)snprintf(name, sizeof name, "%s-archive1", desk.path);
    FILE *file = fopen(name, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    assert_int_equal(fputc('~', file), '~');
    assert_int_equal(fclose(file), 0);
    desk_open(&desk);
    take(&desk, "NEW"); /* nothing leaves before the comparison */
    assert_int_equal(oms_decide(desk.oms, &old, &answer, &desk.error), OMS_STORAGE);
    assert_int_equal(answer.taken, OMS_UNKNOWN);
    assert_non_null(strstr(desk.error.text, "it is not the one that was written: restore it"));
    desk_end(&desk);
}

static void damaged_rows_are_refused(void **state) {
    static const char *const damages[] = {
        "UPDATE archive SET orders = orders - 1",
        "UPDATE archive SET filter = zeroblob(length(filter))",
        "UPDATE archive SET digest = zeroblob(32)",
        "DELETE FROM archive",
        "UPDATE meta SET segments = 0",
        "UPDATE positions SET base = x''",
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct desk desk;
        archive_and_close(&desk);
        run_sql_on(&desk, damages[i]);
        assert_int_equal(desk_try_open(&desk), OMS_CORRUPT);
        desk_end(&desk);
    }
}

/* ---- bytes ---- */

static void make_segment(struct segment *segment) {
    assert_true(segment_make(segment, 2, 2, 1));
    segment->id = 7;
    segment->order_count = segment->fill_count = 2;
    segment->before_count = 1;
    for (size_t i = 0; i < 2; i++) {
        struct order *order = &segment->orders[i];
        order->id = (int64_t)i + 3;
        order->pub.decision = decision_of(i == 0 ? "A" : "B");
        (void)snprintf(order->pub.client_order_id, BROKER_CLIENT_ID_SIZE, "client-%zu", i);
        (void)snprintf(order->pub.broker_order_id, BROKER_ORDER_ID_SIZE, "broker-%zu", i);
        order->pub.state = OMS_STATE_FILLED;
        order->seal = INT64_MIN + (int64_t)i;
        segment->fills[i].order_row = order->id;
        (void)snprintf(segment->fills[i].fill.execution_id, BROKER_EXECUTION_ID_SIZE, "e-%zu", i);
        segment->fills[i].fill.qty_nanos = 5;
    }
    segment->befores[0].base = (struct position_base){
        .set = true, .qty = -5, .cost = -(decimal_wide)INT64_MAX * 1000, .realized = -1};
}

static void a_segment_comes_back_as_it_was_or_not_at_all(void **state) {
    struct segment segment = {0}, back = {0};
    size_t size = 0;
    (void)state;
    make_segment(&segment);
    unsigned char *bytes = segment_pack(&segment, &size);
    assert_non_null(bytes);
    assert_true(segment_unpack(bytes, size, &back));
    assert_int_equal(back.id, 7);
    assert_int_equal(back.orders[1].seal, segment.orders[1].seal);
    assert_true(order_same_payload(&back.orders[1].pub.decision, &segment.orders[1].pub.decision));
    assert_true(back.befores[0].base.cost == segment.befores[0].base.cost);
    assert_true(back.befores[0].base.realized == -1);
    assert_ptr_equal(index_get(&back.by_broker_id, "broker-1"), &back.orders[1]);
    assert_ptr_equal(index_get(&back.by_execution, "e-0"), &back.fills[0]);
    segment_free(&back);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        assert_false(segment_unpack(part, cut, &back));
        segment_free(&back);
        free(part);
    }
    free(bytes);
    segment_free(&segment);
}

static void a_filter_knows_what_is_there_and_little_else(void **state) {
    enum { ORDERS = 1000, OTHERS = 100000 };
    struct segment segment = {.id = 1};
    struct segment_row row = {.id = 1, .orders = ORDERS};
    char id[40];
    int wrong = 0;
    (void)state;
    assert_true(segment_make(&segment, ORDERS, 0, 0));
    for (segment.order_count = 0; segment.order_count < ORDERS; segment.order_count++) {
        struct oms_order *pub = &segment.orders[segment.order_count].pub;
        (void)snprintf(pub->client_order_id, sizeof pub->client_order_id, "client-%zu",
                       segment.order_count);
    }
    row.filter = malloc(segment_filter_size(ORDERS));
    assert_non_null(row.filter);
    segment_filter(&segment, &row);
    for (int i = 0; i < OTHERS; i++) {
        (void)snprintf(id, sizeof id, "client-%d", i);
        const struct segment_key key = segment_key(SEGMENT_CLIENT_ID, id);
        const bool may = segment_may_have(&row, &key);
        assert_true(may || i >= ORDERS);
        wrong += may && i >= ORDERS;
    }
    assert_true(wrong < 5);
    row.seal = segment_seal(&row);
    for (size_t bit = 0; bit < segment_filter_size(ORDERS) * 8; bit += 97) {
        row.filter[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_true(segment_seal(&row) != row.seal);
        row.filter[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free(row.filter);
    segment_free(&segment);
}

static void an_index_forgets_what_is_taken_out_and_nothing_else(void **state) {
    enum { KEYS = 300, TURNS = 20000 };
    static char keys[KEYS][16];
    static bool there[KEYS];
    struct index index = {0};
    unsigned random = 1;
    (void)state;
    for (int i = 0; i < KEYS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        random = random * 1664525u + 1013904223u;
        const int i = (int)(random >> 16) % KEYS;
        if (there[i]) {
            index_remove(&index, keys[i], keys[(i + 1) % KEYS]); /* another's value */
            assert_ptr_equal(index_get(&index, keys[i]), keys[i]);
            index_remove(&index, keys[i], keys[i]);
        } else {
            assert_true(index_put(&index, keys[i], keys[i]));
        }
        there[i] = !there[i];
        for (int j = turn % 7; j < KEYS; j += 7) {
            assert_ptr_equal(index_get(&index, keys[j]), there[j] ? keys[j] : NULL);
        }
    }
    index_free(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_archived_adds_up_to_the_same),
        cmocka_unit_test(an_archived_decision_is_still_known),
        cmocka_unit_test(everything_but_the_newest_moves_on_request),
        cmocka_unit_test(an_open_order_keeps_what_came_after_it),
        cmocka_unit_test(a_late_correction_is_booked_as_if_nothing_had_been_archived),
        cmocka_unit_test(an_archived_order_in_the_brokers_lists_is_no_news),
        cmocka_unit_test(a_missing_segment_is_refused),
        cmocka_unit_test(a_damaged_segment_takes_no_decision_twice),
        cmocka_unit_test(damaged_rows_are_refused),
        cmocka_unit_test(a_segment_comes_back_as_it_was_or_not_at_all),
        cmocka_unit_test(a_filter_knows_what_is_there_and_little_else),
        cmocka_unit_test(an_index_forgets_what_is_taken_out_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
