/* The comparison: each type of difference, its severity, and what explains it. */
#include "core/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNIT ((int64_t)DECIMAL_NANOS)
enum { ROWS = 8, TOLERANCE_PPM = 10000 };

/* Two snapshots, built row by row. */
struct sides {
    struct reconcile_order orders[ROWS];
    struct position positions[ROWS];
    struct reconcile_oms oms;
    struct broker_orders broker_orders;
    struct broker_fills broker_fills;
    struct broker_positions broker_positions;
    bool booked[ROWS];
    struct reconcile_found found;
};

static void sides_start(struct sides *sides) {
    memset(sides, 0, sizeof *sides);
    sides->oms.orders = sides->orders;
    sides->oms.positions = sides->positions;
}

static void oms_holds(struct sides *sides, const char *symbol, int64_t qty, int64_t price) {
    struct position *row = &sides->positions[sides->oms.position_count++];
    (void)snprintf(row->symbol, sizeof row->symbol, "%s", symbol);
    row->qty = qty * UNIT;
    row->cost = (decimal_wide)qty * UNIT * price * UNIT;
}

static void broker_holds(struct sides *sides, const char *symbol, int64_t qty, int64_t price) {
    struct broker_position *row = broker_positions_add(&sides->broker_positions);
    (void)snprintf(row->symbol, sizeof row->symbol, "%s", symbol);
    row->qty_nanos = qty * UNIT;
    row->avg_price_nanos = price * UNIT;
}

static void oms_ordered(struct sides *sides, const char *client, const char *broker, bool ended) {
    sides->orders[sides->oms.order_count++] = (struct reconcile_order){client, broker, ended};
}

static struct broker_order *broker_lists(struct sides *sides, const char *client, const char *id,
                                         int64_t qty, int64_t filled) {
    struct broker_order *row = broker_orders_add(&sides->broker_orders);
    (void)snprintf(row->client_order_id, sizeof row->client_order_id, "%s", client);
    (void)snprintf(row->id, sizeof row->id, "%s", id);
    (void)snprintf(row->symbol, sizeof row->symbol, "AAPL");
    row->qty_nanos = qty * UNIT;
    row->filled_nanos = filled * UNIT;
    return row;
}

static void broker_executed(struct sides *sides, const char *order, int64_t qty, int64_t price) {
    struct broker_fill *row = broker_fills_add(&sides->broker_fills);
    (void)snprintf(row->execution_id, sizeof row->execution_id, "e%zu", sides->broker_fills.n);
    (void)snprintf(row->order_id, sizeof row->order_id, "%s", order);
    (void)snprintf(row->symbol, sizeof row->symbol, "AAPL");
    row->side = qty > 0 ? BROKER_BUY : BROKER_SELL;
    row->qty_nanos = (qty > 0 ? qty : -qty) * UNIT;
    row->price_nanos = price * UNIT;
}

static void compare(struct sides *sides) {
    const struct reconcile_broker broker = {.orders = &sides->broker_orders,
                                            .fills = &sides->broker_fills,
                                            .booked = sides->booked,
                                            .positions = &sides->broker_positions};
    const struct reconcile_rules rules = {.price_tolerance_ppm = TOLERANCE_PPM};
    assert_true(reconcile_compare(&sides->oms, &broker, &rules, &sides->found));
}

static void expect_found(const struct sides *sides, size_t n, enum oms_discrepancy_type type,
                         enum oms_severity severity, bool explained) {
    assert_true(n < sides->found.n);
    assert_string_equal(oms_discrepancy_name(sides->found.v[n].type), oms_discrepancy_name(type));
    assert_string_equal(oms_severity_name(sides->found.v[n].severity), oms_severity_name(severity));
    assert_int_equal(sides->found.v[n].explained, explained);
    assert_true(sides->found.v[n].text[0] != '\0');
}

static void sides_end(struct sides *sides) {
    reconcile_free(&sides->found);
    broker_orders_free(&sides->broker_orders);
    broker_fills_free(&sides->broker_fills);
    broker_positions_free(&sides->broker_positions);
}

/* The document's second test, with its own numbers. */
static void a_position_only_the_broker_has_is_missing_in_the_oms_and_critical(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    broker_holds(&sides, "AAPL", 100, 150);
    compare(&sides);
    assert_int_equal(sides.found.n, 1);
    expect_found(&sides, 0, OMS_MISSING_IN_OMS, OMS_CRITICAL, false);
    assert_true(sides.found.v[0].broker_nanos == 100 * UNIT && sides.found.v[0].oms_nanos == 0);
    sides_end(&sides);
}

static void equal_sides_show_nothing(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    oms_holds(&sides, "AAPL", 100, 150);
    oms_holds(&sides, "MSFT", -5, 400);
    oms_holds(&sides, "FLAT", 0, 0);
    broker_holds(&sides, "AAPL", 100, 150);
    broker_holds(&sides, "MSFT", -5, 400);
    oms_ordered(&sides, "c1", "b1", true);
    broker_lists(&sides, "c1", "b1", 100, 100);
    broker_executed(&sides, "b1", 100, 150);
    sides.booked[0] = true;
    compare(&sides);
    assert_int_equal(sides.found.n, 0);
    sides_end(&sides);
}

static void position_differences_come_by_type(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    oms_holds(&sides, "A", 10, 100);
    oms_holds(&sides, "B", 10, 100);
    oms_holds(&sides, "C", 10, 100);
    oms_holds(&sides, "D", 10, 100);
    broker_holds(&sides, "B", 11, 100);
    broker_holds(&sides, "C", 10, 102);
    broker_holds(&sides, "D", 10, 101);
    broker_holds(&sides, "E", -3, 100);
    compare(&sides);
    assert_int_equal(sides.found.n, 5);
    expect_found(&sides, 0, OMS_MISSING_IN_BROKER, OMS_CRITICAL, false);
    expect_found(&sides, 1, OMS_QUANTITY_MISMATCH, OMS_CRITICAL, false);
    expect_found(&sides, 2, OMS_PRICE_MISMATCH, OMS_WARNING, false);
    expect_found(&sides, 3, OMS_PRICE_MISMATCH, OMS_INFO, false); /* exactly the tolerance */
    expect_found(&sides, 4, OMS_MISSING_IN_OMS, OMS_CRITICAL, false);
    sides_end(&sides);
}

static void our_own_unbooked_executions_explain_exactly_or_not_at_all(void **state) {
    (void)state;
    for (int odd = 0; odd < 2; odd++) {
        struct sides sides;
        sides_start(&sides);
        oms_ordered(&sides, "c1", "", false); /* its broker id comes with the listed order */
        broker_lists(&sides, "c1", "b1", 100, 100);
        broker_executed(&sides, "b1", 60, 150);
        broker_executed(&sides, "b1", 40, 150);
        broker_holds(&sides, "AAPL", 100 + odd, 150);
        compare(&sides);
        assert_int_equal(sides.found.n, 1);
        expect_found(&sides, 0, OMS_MISSING_IN_OMS, OMS_CRITICAL, !odd);
        sides_end(&sides);
    }
}

static void a_price_moved_by_our_own_executions_is_explained(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    oms_holds(&sides, "AAPL", 10, 100);
    oms_ordered(&sides, "c1", "b1", false);
    oms_ordered(&sides, "c2", "b2", false);
    broker_executed(&sides, "b1", 10, 200);
    broker_executed(&sides, "b2", -10, 160);
    broker_holds(&sides, "AAPL", 10, 150);
    compare(&sides);
    assert_int_equal(sides.found.n, 1);
    expect_found(&sides, 0, OMS_PRICE_MISMATCH, OMS_WARNING, true);
    sides_end(&sides);
}

static void a_partial_fill_warns_until_its_end_is_booked(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    oms_ordered(&sides, "c1", "b1", false);
    oms_ordered(&sides, "c2", "b2", true);
    broker_lists(&sides, "c1", "b1", 100, 50);
    broker_lists(&sides, "c2", "b2", 100, 50);
    compare(&sides);
    assert_int_equal(sides.found.n, 2);
    expect_found(&sides, 0, OMS_PARTIAL_FILL, OMS_WARNING, true);
    expect_found(&sides, 1, OMS_PARTIAL_FILL, OMS_INFO, true);
    sides_end(&sides);
}

static void of_two_orders_under_one_client_id_the_known_or_the_older_is_ours(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    oms_ordered(&sides, "c-1", "B2", false);
    oms_ordered(&sides, "c-2", "", false);
    broker_lists(&sides, "c-1", "B1", 100, 0);
    broker_lists(&sides, "c-1", "B2", 100, 0);
    broker_lists(&sides, "c-2", "B3", 100, 0);
    broker_lists(&sides, "c-2", "B4", 100, 10);
    compare(&sides);
    assert_int_equal(sides.found.n, 2);
    assert_int_equal(sides.found.v[0].type, OMS_ORPHAN_ORDER);
    assert_string_equal(sides.found.v[0].ref, "B1");
    assert_int_equal(sides.found.v[0].severity, OMS_WARNING);
    assert_string_equal(sides.found.v[1].ref, "B4");
    assert_int_equal(sides.found.v[1].severity, OMS_CRITICAL);
    sides_end(&sides);
}

static void foreign_orders_and_executions_are_told_from_the_stores_birth_on(void **state) {
    struct sides sides;
    (void)state;
    sides_start(&sides);
    sides.oms.since_ns = 100;
    broker_lists(&sides, "x1", "f1", 10, 0)->submitted_ns = 100;
    broker_lists(&sides, "x2", "f2", 10, 10)->submitted_ns = 101;
    broker_lists(&sides, "x3", "f3", 10, 10)->submitted_ns = 99;
    broker_executed(&sides, "f2", 10, 150);
    broker_executed(&sides, "f3", 10, 150);
    sides.broker_fills.v[0].at_ns = 101;
    sides.broker_fills.v[1].at_ns = 99;
    compare(&sides);
    assert_int_equal(sides.found.n, 3);
    expect_found(&sides, 0, OMS_ORPHAN_ORDER, OMS_WARNING, false);
    expect_found(&sides, 1, OMS_ORPHAN_ORDER, OMS_CRITICAL, false);
    expect_found(&sides, 2, OMS_UNKNOWN_FILL, OMS_CRITICAL, false);
    assert_string_equal(sides.found.v[2].ref, "e1");
    sides_end(&sides);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_only_the_broker_has_is_missing_in_the_oms_and_critical),
        cmocka_unit_test(equal_sides_show_nothing),
        cmocka_unit_test(position_differences_come_by_type),
        cmocka_unit_test(our_own_unbooked_executions_explain_exactly_or_not_at_all),
        cmocka_unit_test(a_price_moved_by_our_own_executions_is_explained),
        cmocka_unit_test(a_partial_fill_warns_until_its_end_is_booked),
        cmocka_unit_test(of_two_orders_under_one_client_id_the_known_or_the_older_is_ours),
        cmocka_unit_test(foreign_orders_and_executions_are_told_from_the_stores_birth_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
