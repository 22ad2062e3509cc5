/* The life of an order: legal and illegal moves, and where the broker's word takes it. */
#include "core/order.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UNIT ((int64_t)DECIMAL_NANOS)

static const enum oms_state states[] = {
#define X(id, word, final, meaning) OMS_STATE_##id,
    OMS_STATES(X)
#undef X
};
enum { STATES = sizeof states / sizeof *states };

/* An order that may stand in any state. */
static struct order order_in(enum oms_state state) {
    struct order order = {.id = 1, .first_send_ns = 1, .send_by_ns = 1};
    order.pub.decision.qty_nanos = 100 * UNIT;
    order.pub.filled_nanos = state == OMS_STATE_FILLED             ? 100 * UNIT
                             : state == OMS_STATE_PARTIALLY_FILLED ? 40 * UNIT
                                                                   : 0;
    order.pub.sends = 1;
    order.pub.state = state;
    strcpy(order.pub.broker_order_id, "broker-1");
    strcpy(order.pub.reason, "because");
    return order;
}

/* The moves as a drawing: row is from, column is to, in the order of OMS_STATES. */
static const char *const drawing[STATES] = {
    /*                  I D W P F C R E H */
    /* INTENT */ "xxxxxxxxx",
    /* IN_DOUBT */ "xxxxxxxxx",
    /* WORKING */ "..xxxxxx.",
    /* PARTIALLY */ "..xxxx.x.",
    /* FILLED */ "....xx.x.",
    /* CANCELED */ ".....x...",
    /* REJECTED */ "......x..",
    /* EXPIRED */ ".......x.",
    /* HELD */ "..xxxxxxx",
};

static void the_table_allows_exactly_the_drawn_moves(void **state) {
    (void)state;
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            assert_int_equal(order_can_move(states[from], states[to]), drawing[from][to] == 'x');
        }
    }
}

static void an_illegal_move_stops_the_process(void **state) {
    (void)state;
    for (int from = 0; from < STATES; from++) {
        for (int to = 0; to < STATES; to++) {
            struct order order = order_in(states[from]);
            int status = 0;
            pid_t child;
            if (drawing[from][to] == 'x') {
                continue;
            }
            child = fork();
            if (child == 0) {
                (void)signal(SIGILL, SIG_DFL); /* not the test library's handler */
                (void)signal(SIGTRAP, SIG_DFL);
                order_move(&order, states[to], "why");
                _exit(0);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFSIGNALED(status));
        }
    }
}

static void every_drawn_state_is_whole(void **state) {
    const char *why;
    (void)state;
    for (int i = 0; i < STATES; i++) {
        const struct order order = order_in(states[i]);
        assert_false(order_is_broken(&order, &why));
    }
}

static void an_order_ends_only_when_its_executions_are_booked(void **state) {
    struct order order = order_in(OMS_STATE_WORKING);
    (void)state;
    assert_int_equal(order_target(&order, BROKER_STATUS_FILLED, 100 * UNIT), OMS_STATE_WORKING);
    assert_int_equal(order_target(&order, BROKER_STATUS_CANCELED, 40 * UNIT), OMS_STATE_WORKING);
    assert_int_equal(order_target(&order, BROKER_STATUS_CANCELED, 0), OMS_STATE_CANCELED);
    assert_int_equal(order_target(&order, BROKER_STATUS_REJECTED, 0), OMS_STATE_REJECTED);
    assert_int_equal(order_target(&order, BROKER_STATUS_EXPIRED, 0), OMS_STATE_EXPIRED);
    assert_int_equal(order_target(&order, BROKER_STATUS_UNKNOWN, 0), OMS_STATE_WORKING);
    order = order_in(OMS_STATE_PARTIALLY_FILLED);
    assert_int_equal(order_target(&order, BROKER_STATUS_CANCELED, 40 * UNIT), OMS_STATE_CANCELED);
    assert_int_equal(order_target(&order, BROKER_STATUS_REJECTED, 40 * UNIT), OMS_STATE_CANCELED);
    assert_int_equal(order_target(&order, BROKER_STATUS_CANCELED, 10 * UNIT),
                     OMS_STATE_PARTIALLY_FILLED); /* an older word than what is booked */
    order.pub.filled_nanos = 100 * UNIT;
    assert_int_equal(order_target(&order, BROKER_STATUS_CANCELED, 100 * UNIT), OMS_STATE_FILLED);
}

static void a_reservation_of_an_earlier_life_is_a_doubt(void **state) {
    struct order order = order_in(OMS_STATE_INTENT);
    (void)state;
    assert_true(order_is_doubtful(&order));
    order.fresh = true;
    assert_true(order_is_unsent(&order));
    order.fresh = false;
    order.send_by_ns = 0;
    assert_true(order_is_unsent(&order));
    order = order_in(OMS_STATE_IN_DOUBT);
    assert_true(order_is_doubtful(&order));
}

static void back_off_doubles_from_one_second_to_sixty(void **state) {
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    int64_t at = 0, step = 0;
    (void)state;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        order_back_off(&at, &step, 1000);
        assert_true(at == 1000 + seconds[i] * PROFILE_SECOND_NS);
    }
}

/* ---- the seal ---- */

static struct oms_decision sealed_decision(void) {
    struct oms_decision decision = {.side = BROKER_BUY,
                                    .type = BROKER_LIMIT,
                                    .tif = BROKER_DAY,
                                    .qty_nanos = 100 * UNIT,
                                    .limit_nanos = 150 * UNIT,
                                    .expires_ns = 1};
    strcpy(decision.id, "D1");
    strcpy(decision.symbol, "AAPL");
    return decision;
}

static void the_seal_tells_every_field_and_where_it_ends(void **state) {
    const struct oms_decision whole = sealed_decision();
    struct oms_decision other[9];
    (void)state;
    for (size_t i = 0; i < 9; i++) {
        other[i] = whole;
    }
    strcpy(other[0].id, "D2");
    strcpy(other[1].symbol, "AAPM");
    other[2].side = BROKER_SELL;
    other[3].type = BROKER_MARKET;
    other[4].tif = BROKER_GTC;
    other[5].qty_nanos++;
    other[6].limit_nanos ^= INT64_C(1) << 40;
    other[7].expires_ns = 0;
    strcpy(other[8].id, "D1A");
    strcpy(other[8].symbol, "APL");
    for (size_t i = 0; i < 9; i++) {
        struct order order = {.seal = order_seal(&whole), .pub = {.decision = whole}};
        assert_true(order_is_sealed(&order));
        order.pub.decision = other[i];
        assert_false(order_is_sealed(&order));
    }
}

/* It lies in stores: another value for the same decision would refuse every one of them. */
static void the_seal_stays_what_it_is(void **state) {
    const struct oms_decision decision = sealed_decision();
    (void)state;
    assert_int_equal(order_seal(&decision), INT64_C(2628888130453809810));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_allows_exactly_the_drawn_moves),
        cmocka_unit_test(an_illegal_move_stops_the_process),
        cmocka_unit_test(every_drawn_state_is_whole),
        cmocka_unit_test(an_order_ends_only_when_its_executions_are_booked),
        cmocka_unit_test(a_reservation_of_an_earlier_life_is_a_doubt),
        cmocka_unit_test(the_seal_tells_every_field_and_where_it_ends),
        cmocka_unit_test(the_seal_stays_what_it_is),
        cmocka_unit_test(back_off_doubles_from_one_second_to_sixty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
