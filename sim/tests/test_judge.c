/* Every invariant of the judge: it breaks when it must, and beside that it does not. */
#include "sim/judge.h"
#include "sim/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE   INT64_C(1000000000)
#define STORE "oms.db"

static struct world world;
static struct judge judge;

/* ---- an OMS whose beliefs are whatever the test says ---- */

static struct oms_order orders[3];
static struct oms_position positions[2];
static size_t order_count, position_count;
static struct oms_profit profits[1];
static size_t profit_count;
static int64_t compared_ns; /* 0: never */
static bool kill_switch, intact, readable, only_with_file;

static void *copy(const void *from, size_t size) {
    void *to = size == 0 ? NULL : malloc(size);
    return to == NULL ? NULL : memcpy(to, from, size);
}

static bool file_is_there(const char *vfs, const char *path) {
    sqlite3_vfs *door = sqlite3_vfs_find(vfs);
    int there = 0;
    door->xAccess(door, path, SQLITE_ACCESS_EXISTS, &there);
    return there != 0;
}

static bool observe(const char *vfs, const char *path, bool check, struct oms_view *view,
                    char why[SUT_WHY_SIZE]) {
    strcpy(why, "damaged");
    if (!readable || (check && !intact))
        return false;
    *view = (struct oms_view){.kill_switch = kill_switch};
    if (!only_with_file || file_is_there(vfs, path)) {
        view->order_count = order_count;
        view->orders = copy(orders, order_count * sizeof *orders);
    }
    view->position_count = position_count;
    view->positions = copy(positions, position_count * sizeof *positions);
    if (compared_ns != 0) {
        struct oms_run run = {.id = 1, .at_ns = compared_ns};
        view->runs = copy(&run, sizeof run);
        view->run_count = 1;
    }
    view->profit_count = profit_count;
    view->profits = copy(profits, profit_count * sizeof *profits);
    return true;
}

static const struct sut fake = {.name = "fake", .observe = observe, .tells_profit = true};

/* ---- deeds ---- */

static const struct oms_decision d1 = {.id = "d1",
                                       .symbol = "AAPL",
                                       .type = BROKER_LIMIT,
                                       .qty_nanos = 10 * ONE,
                                       .limit_nanos = 150 * ONE};
enum { D1 = 0 };

static struct broker_request request(void) {
    struct broker_request made = {
        .type = BROKER_LIMIT, .qty_nanos = d1.qty_nanos, .limit_nanos = d1.limit_nanos};
    strcpy(made.symbol, d1.symbol);
    strcpy(made.client_order_id, "id-1");
    return made;
}

static void believe(enum oms_state state, const char *reason) {
    orders[0] = (struct oms_order){.decision = d1, .state = state, .sends = 1};
    strcpy(orders[0].reason, reason);
    order_count = 1;
    peek_forget();
}

static void life(void) {
    peek_forget();
    judge_life(&judge, &world, STORE);
}

static void quiet(void) {
    peek_forget();
    judge_quiet(&judge, &world, STORE);
}

static void leaves(void) {
    struct broker_request made = request();
    judge_posted(&judge, &world, STORE, &made, 1);
}

/* Its intent is durable, and it leaves. */
static void sent(void) {
    believe(OMS_STATE_INTENT, "");
    leaves();
}

static size_t accepted(void) {
    struct broker_request made = request();
    size_t index = 0;
    char message[BROKER_TEXT_SIZE];
    exchange_submit(&world.exchange, world.now_ns, &made, &index, message);
    judge_books(&judge, &world);
    return index;
}

static void answered(enum site_op op, bool delivered, bool found) {
    struct broker_request made = request();
    struct port_call call = {.site = {op, ON_NONE},
                             .request = op == SITE_BROKER_SUBMIT ? &made : NULL,
                             .ref = op == SITE_BROKER_LOOKUP ? "id-1" : ""};
    struct port_reply reply = {.call = &call, .delivered = delivered, .found = found};
    judge_replied(&judge, &world, &reply);
}

static void broken(int invariant) {
    assert_int_equal(judge.first.invariant, invariant);
    if (invariant != 0)
        assert_int_not_equal(judge.first.text[0], '\0');
}

static void fresh(unsigned claims) {
    judge_free(&judge);
    world_free(&world);
    world_init(&world, profile_find("label"), 1000 * ONE);
    judge_init(&judge, &fake, claims);
    judge_add(&judge, "D1", &d1);
    order_count = position_count = 0;
    kill_switch = only_with_file = false;
    intact = readable = true;
    life();
}

/* A broker that refuses a second order lets an OMS send again; the one in fresh() does not. */
static void broker_is(const char *profile) {
    world.exchange.profile = profile_find(profile);
}

static int setup(void **state) {
    (void)state;
    fresh(INVARIANTS_ALL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    peek_forget();
    judge_free(&judge);
    world_free(&world);
    return 0;
}

/* D1 and a second one, of another symbol, each filled, each booked by nobody yet. */
static void two_orders(void) {
    struct oms_decision other = d1;
    struct broker_request made = request();
    size_t index = 0;
    char message[BROKER_TEXT_SIZE];
    exchange_fill(&world.exchange, accepted(), world.now_ns, 10 * ONE, 150 * ONE, "F1");
    strcpy(other.id, "d2");
    strcpy(other.symbol, "MSFT");
    strcpy(made.symbol, "MSFT");
    strcpy(made.client_order_id, "id-2");
    judge_add(&judge, "D2", &other);
    exchange_submit(&world.exchange, world.now_ns, &made, &index, message);
    exchange_fill(&world.exchange, index, world.now_ns, 10 * ONE, 150 * ONE, "F2");
    judge_books(&judge, &world);
    believe(OMS_STATE_FILLED, "");
    orders[0].filled_nanos = 10 * ONE;
    orders[1] = orders[0];
    orders[1].decision = other;
    order_count = 2;
    strcpy(orders[0].broker_order_id, "O1");
    strcpy(orders[1].broker_order_id, "O2");
}

/* One more decision of AAPL over 4 shares, filled now and known to be. */
static void add_ours(const char *id, enum broker_side side, int64_t price) {
    struct oms_decision other = d1;
    struct broker_request made = request();
    size_t index = 0;
    char message[BROKER_TEXT_SIZE];
    snprintf(other.id, sizeof other.id, "%s", id);
    snprintf(made.client_order_id, sizeof made.client_order_id, "%s", id);
    other.side = made.side = side;
    other.qty_nanos = made.qty_nanos = 4 * ONE;
    other.limit_nanos = made.limit_nanos = price * ONE;
    judge_add(&judge, id, &other);
    exchange_submit(&world.exchange, world.now_ns, &made, &index, message);
    exchange_fill(&world.exchange, index, world.now_ns, 4 * ONE, price * ONE, "");
    judge_books(&judge, &world);
    orders[order_count] = (struct oms_order){
        .decision = other, .state = OMS_STATE_FILLED, .sends = 1, .filled_nanos = 4 * ONE};
    order_count++;
    peek_forget();
}

/* Between two lives. */
static void clock_jumps(int64_t by_ns) {
    world.ahead_ns += by_ns;
    judge_clock_jumps(&judge, &world, by_ns, false);
}

static void started_again(const struct judge_meaning *before, bool may_trip) {
    struct judge_meaning after;
    peek_forget();
    after = judge_meaning(&judge, &world, STORE);
    judge_idempotent(&judge, &world, before, &after, may_trip);
}

/* ---- I1, I2 ---- */

static void i1_breaks_at_the_second_order_accepted_for_a_decision(void **state) {
    (void)state;
    accepted();
    broken(0);
    accepted();
    broken(1);
    assert_string_equal(judge.first.text, "2 orders accepted for D1 (O1, O2)");
}

/* What the OMS had on record is not sent again because the broker has lost it. */
static void i1_breaks_at_a_second_order_after_the_broker_lost_the_first(void **state) {
    (void)state;
    size_t lost = accepted();
    believe(OMS_STATE_WORKING, "");
    strcpy(orders[0].broker_order_id, "O1");
    assert_true(exchange_lose(&world.exchange, lost));
    judge_broker_loses(&judge, &world, STORE, D1);
    quiet();
    broken(0); /* that it works for the OMS and is nowhere is not its fault */
    accepted();
    broken(1);
    assert_string_equal(judge.first.text, "2 orders accepted for D1 (O2), and one before them that "
                                          "the broker has lost");
}

static void what_the_broker_lost_before_the_oms_knew_of_it_may_be_sent_again(void **state) {
    (void)state;
    size_t lost = accepted();
    believe(OMS_STATE_IN_DOUBT, "");
    assert_true(exchange_lose(&world.exchange, lost));
    judge_broker_loses(&judge, &world, STORE, D1);
    accepted();
    broken(0);
    accepted();
    broken(1);
}

static void i1_breaks_when_an_order_leaves_or_stands_that_nobody_decided(void **state) {
    (void)state;
    struct broker_request other = request();
    size_t index = 0;
    char message[BROKER_TEXT_SIZE];
    other.qty_nanos++;
    judge_posted(&judge, &world, STORE, &other, 1);
    broken(1);
    fresh(INVARIANTS_ALL);
    exchange_submit(&world.exchange, 0, &other, &index, message);
    judge_books(&judge, &world);
    broken(1);
}

static void i1_does_not_break_at_a_stranger_s_order_however_alike(void **state) {
    (void)state;
    accepted();
    exchange_foreign(&world.exchange, 0, "AAPL", BROKER_BUY, d1.qty_nanos, d1.limit_nanos);
    judge_books(&judge, &world);
    broken(0);
    assert_int_equal(judge_orders(&judge, &world, D1), 1);
}

static void i2_breaks_when_more_is_executed_than_was_decided(void **state) {
    (void)state;
    fresh(INVARIANT_BIT(2));
    exchange_fill(&world.exchange, accepted(), 0, 6 * ONE, ONE, "");
    exchange_fill(&world.exchange, accepted(), 0, 4 * ONE, ONE, "");
    judge_books(&judge, &world);
    broken(0);
    exchange_fill(&world.exchange, 1, 0, 1, ONE, "");
    judge_books(&judge, &world);
    broken(2);
}

/* ---- I3 ---- */

static void i3_breaks_when_what_was_taken_on_is_nowhere(void **state) {
    (void)state;
    quiet(); /* never taken on: nothing is lost */
    broken(0);
    judge_answered(&judge, D1, SUT_TAKEN);
    quiet();
    broken(3);
}

static void i3_asks_for_a_recorded_reason_when_the_broker_has_no_order(void **state) {
    (void)state;
    static const enum oms_state ends[] = {OMS_STATE_REJECTED, OMS_STATE_HELD, OMS_STATE_CANCELED,
                                          OMS_STATE_EXPIRED};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        fresh(INVARIANTS_ALL);
        sent();
        believe(ends[i], "because");
        quiet();
        broken(0);
        believe(ends[i], "");
        quiet();
        broken(3);
    }
    fresh(INVARIANTS_ALL);
    believe(OMS_STATE_FILLED, "no reason saves it");
    quiet();
    broken(3);
}

/* ---- what a guarantee asks for ---- */

static void hold(int sends) {
    believe(OMS_STATE_HELD, "a person decides");
    orders[0].sends = sends;
    peek_forget();
}

static void i3_breaks_when_an_order_is_held_that_never_left(void **state) {
    (void)state;
    hold(1);
    quiet();
    broken(3);
    fresh(INVARIANTS_ALL);
    life(); /* a death may have hidden that it left */
    hold(1);
    quiet();
    broken(0);
}

static void i3_breaks_when_an_order_is_held_that_this_broker_lets_the_oms_settle(void **state) {
    (void)state;
    broker_is("alpaca");
    sent();
    hold(2);
    quiet();
    broken(3);
    fresh(INVARIANTS_ALL);
    broker_is("alpaca");
    sent();
    hold(3); /* all its sends */
    quiet();
    broken(0);
}

static void i3_allows_to_hold_what_outlived_the_memory_of_the_broker(void **state) {
    (void)state;
    static const char *const brokers[] = {"alpaca-retention", "replay", "fix-day"};
    /* fresh() begins 1000 s after midnight; the day turns at 22:00, and 5 minutes are the margin */
    static const int64_t outage_s[] = {23 * 3600, 23 * 3600, 22 * 3600 - 300 - 1000};
    for (size_t i = 0; i < 3; i++) {
        fresh(INVARIANTS_ALL);
        broker_is(brokers[i]);
        judge_presented(&judge, &world, D1);
        sent();
        hold(1);
        world.now_ns += outage_s[i] * ONE - 1;
        quiet();
        broken(3);
        judge.first.invariant = 0;
        world.now_ns++;
        quiet();
        broken(0);
    }
}

static void i1_breaks_when_an_order_leaves_again_where_nobody_refuses_it(void **state) {
    (void)state;
    sent();
    answered(SITE_BROKER_LOOKUP, true, false);
    life();
    sent();
    broken(1);
    fresh(INVARIANTS_ALL);
    judge.suspends = INVARIANT_BIT(7);
    judge.damaged = true; /* its store was made to forget */
    sent();
    answered(SITE_BROKER_LOOKUP, true, false);
    sent();
    broken(0);
    fresh(INVARIANTS_ALL);
    judge.suspends = INVARIANT_BIT(7); /* it is going to be, or would have been */
    sent();
    answered(SITE_BROKER_LOOKUP, true, false);
    sent();
    broken(1);
}

static void i4_lets_an_order_be_held_that_is_live_where_it_has_no_id_only(void **state) {
    (void)state;
    static const char *const brokers[] = {"no-tag", "label"};
    for (size_t i = 0; i < 2; i++) {
        fresh(INVARIANTS_ALL);
        broker_is(brokers[i]);
        sent();
        exchange_fill(&world.exchange, accepted(), 0, ONE, ONE, "");
        hold(1);
        quiet();
        broken(i == 0 ? 0 : 4);
    }
}

static void i4_asks_for_cost_to_the_rounding_where_only_sums_are_told(void **state) {
    (void)state;
    for (int off = 0; off <= 1; off++) {
        fresh(INVARIANTS_ALL);
        broker_is("cum-only");
        exchange_fill(&world.exchange, accepted(), 0, 10 * ONE, 150 * ONE, "");
        believe(OMS_STATE_FILLED, "");
        orders[0].filled_nanos = 10 * ONE;
        positions[0] =
            (struct oms_position){.symbol = "AAPL",
                                  .qty_nanos = 10 * ONE,
                                  .cost = (decimal_wide)1500 * ONE * ONE + 10 * ONE + off};
        position_count = 1;
        quiet();
        broken(off == 0 ? 0 : 4);
    }
}

static void i7_breaks_when_an_operators_word_on_a_held_order_is_forgotten(void **state) {
    (void)state;
    sent();
    hold(1);
    judge_resolved(&judge, D1);
    believe(OMS_STATE_CANCELED, "not at the broker");
    life();
    broken(0);
    hold(1);
    life();
    broken(7);
}

static void i3_and_i12_wait_for_an_intent_that_may_not_leave(void **state) {
    (void)state;
    believe(OMS_STATE_INTENT, "");
    kill_switch = true;
    quiet();
    broken(0);
    kill_switch = false;
    world.halt_file = OMS_HALT_PRESENT;
    quiet();
    broken(0);
    world.halt_file = OMS_HALT_ABSENT;
    judge.claims &= ~INVARIANT_BIT(12);
    quiet();
    broken(3);
}

/* ---- what a fault makes an OMS forget ---- */

/* Taken on, sent, filled at the broker; then the store says nothing of it. */
static void forgets(unsigned suspends) {
    fresh(INVARIANTS_ALL & ~suspends);
    judge.suspends = suspends;
    judge_presented(&judge, &world, D1);
    judge_answered(&judge, D1, SUT_TAKEN);
    believe(OMS_STATE_INTENT, "");
    leaves();
    exchange_fill(&world.exchange, accepted(), 0, 10 * ONE, 150 * ONE, "");
    kill_switch = true;
    judge_operator(&judge, true, true);
    kill_switch = false;
    order_count = 0;
    life();
}

static void what_a_fault_made_it_forget_is_held_against_nobody(void **state) {
    (void)state;
    forgets(INVARIANT_BIT(7));
    quiet();
    broken(0);
}

static void without_such_a_fault_it_is(void **state) {
    (void)state;
    forgets(0);
    broken(7);
}

/* Where a sync lied the store may not know that it forgot: a broker that takes a second order takes it, and
 * a third breaks again. */
static void what_a_lie_hid_is_one_order_more_where_a_second_is_taken(void **state) {
    (void)state;
    static const struct {
        const char *profile;
        unsigned suspends;
        int times, broke;
    } cases[] = {{"label", INVARIANT_BIT(7) | INVARIANT_BIT(14), 1, 0},
                 {"label", INVARIANT_BIT(7), 1, 9},
                 {"open-only", INVARIANT_BIT(7) | INVARIANT_BIT(14), 1, 1},
                 {"label", INVARIANT_BIT(7) | INVARIANT_BIT(14), 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forgets(cases[i].suspends);
        broker_is(cases[i].profile);
        if (cases[i].times > 0)
            leaves();
        accepted();
        broken(cases[i].broke);
    }
}

/* It ended an order whose send it was made to forget, was told that it is there, tripped the switch, and was
 * made to forget that. */
static void what_tripped_the_switch_may_be_forgotten_with_it(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 2; wrong++) {
        fresh(INVARIANT_BIT(4));
        judge.suspends = wrong == 1 ? 0 : INVARIANT_BIT(7);
        judge.damaged = true;
        sent();
        accepted();
        believe(OMS_STATE_EXPIRED, "expired before it was sent");
        orders[0].sends = wrong == 2 ? 1 : 0;
        strcpy(orders[0].broker_order_id, "O1");
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
}

/* No comparison shows what the broker's queries still miss. */
static void what_lag_hides_is_sent_again_while_it_is_hidden(void **state) {
    (void)state;
    for (int later = 0; later <= 1; later++) {
        forgets(INVARIANT_BIT(7));
        broker_is("alpaca-lag");
        world.now_ns += later * world.exchange.profile->query_lag_ns;
        believe(OMS_STATE_INTENT, ""); /* presented again */
        leaves();
        broken(later == 0 ? 0 : 9);
    }
}

/* Nor does it know later, unless it looks again. */
static void what_lag_hid_at_the_last_look_is_sent_again(void **state) {
    const struct {
        int looks[2]; /* before and after lag is over */
        int breaks;
    } cases[] = {{{1, 0}, 0}, {{1, 1}, 9}, {{0, 1}, 9}, {{0, 0}, 9}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forgets(INVARIANT_BIT(7));
        broker_is("alpaca-lag");
        if (cases[i].looks[0])
            answered(SITE_BROKER_ORDERS, true, false);
        world.now_ns += world.exchange.profile->query_lag_ns;
        if (cases[i].looks[1])
            answered(SITE_BROKER_ORDERS, true, true);
        believe(OMS_STATE_INTENT, ""); /* presented again */
        leaves();
        broken(cases[i].breaks);
    }
}

/* The broker has lost an order, and then the store was made to forget it. */
static void a_lost_order_that_was_forgotten_may_be_sent_again(void **state) {
    (void)state;
    for (int known = 0; known <= 1; known++) {
        fresh(INVARIANTS_ALL & ~INVARIANT_BIT(7));
        judge.suspends = INVARIANT_BIT(7);
        sent();
        believe(OMS_STATE_WORKING, "");
        strcpy(orders[0].broker_order_id, "O1");
        peek_forget();
        assert_true(exchange_lose(&world.exchange, accepted()));
        judge_broker_loses(&judge, &world, STORE, D1);
        order_count = (size_t)known;
        life();
        accepted();
        broken(known == 0 ? 0 : 1);
    }
}

/* The store knows the decision, and of no send: where no ids are known nobody recognises what is there. */
static void a_forgotten_send_is_left_again_where_no_ids_are_known(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 3; wrong++) {
        fresh(INVARIANTS_ALL & ~INVARIANT_BIT(7));
        judge.suspends = wrong == 1 ? 0 : INVARIANT_BIT(7);
        judge.damaged = true;
        broker_is(wrong == 2 ? "label" : "no-tag");
        sent();
        accepted();
        life();
        believe(OMS_STATE_INTENT, "");
        orders[0].sends = wrong == 3 ? 2 : 1;
        leaves();
        accepted();
        broken(wrong == 0 ? 0 : wrong == 1 ? 1 : 9);
    }
}

static void what_was_forgotten_is_still_one_order_at_most(void **state) {
    (void)state;
    forgets(INVARIANT_BIT(7));
    accepted();
    broken(1);
}

static void what_was_forgotten_and_taken_on_again_is_judged_in_full(void **state) {
    (void)state;
    forgets(INVARIANT_BIT(7));
    believe(OMS_STATE_WORKING, "");
    quiet();
    broken(4);
}

/* ---- I4 ---- */

static void i4_compares_every_state_with_the_broker_s(void **state) {
    (void)state;
    for (int own = 0; own <= OMS_STATE_HELD; own++) {
        fresh(INVARIANT_BIT(4));
        accepted();
        believe((enum oms_state)own, "");
        quiet();
        broken(own == OMS_STATE_WORKING ? 0 : 4);
    }
    fresh(INVARIANT_BIT(4));
    exchange_end(&world.exchange, accepted(), BROKER_STATUS_CANCELED);
    believe(OMS_STATE_CANCELED, "");
    quiet();
    broken(0);
}

static void i4_takes_a_late_rejection_for_an_end_when_something_was_executed(void **state) {
    (void)state;
    for (int executed = 0; executed <= 1; executed++) {
        size_t index = 0;
        fresh(INVARIANT_BIT(4));
        index = accepted();
        if (executed)
            exchange_fill(&world.exchange, index, 0, 4 * ONE, 150 * ONE, "");
        exchange_end(&world.exchange, index, BROKER_STATUS_REJECTED);
        believe(OMS_STATE_CANCELED, "");
        orders[0].filled_nanos = executed * 4 * ONE;
        positions[0] = (struct oms_position){
            .symbol = "AAPL", .qty_nanos = 4 * ONE, .cost = (decimal_wide)600 * ONE * ONE};
        position_count = (size_t)executed;
        quiet();
        broken(executed ? 0 : 4);
    }
}

static void i4_compares_executed_quantity_position_and_cost_exactly(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 4; wrong++) {
        fresh(INVARIANTS_ALL);
        exchange_fill(&world.exchange, accepted(), 0, 10 * ONE, 150 * ONE, "");
        believe(OMS_STATE_FILLED, "");
        orders[0].filled_nanos = 10 * ONE - (wrong == 1);
        positions[0] = (struct oms_position){.symbol = "AAPL",
                                             .qty_nanos = 10 * ONE + (wrong == 2),
                                             .cost = (decimal_wide)1500 * ONE * ONE + (wrong == 3)};
        position_count = wrong == 4 ? 0 : 1;
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
}

/* Short 10 at 160, bought back at 150: 100 are gained. */
static void i4_compares_profit_exactly_unless_it_was_adjusted(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 3; wrong++) {
        fresh(INVARIANTS_ALL);
        exchange_open_position(&world.exchange, "AAPL", -10 * ONE, 160 * ONE);
        exchange_fill(&world.exchange, accepted(), 0, 10 * ONE, 150 * ONE, "");
        believe(OMS_STATE_FILLED, "");
        orders[0].filled_nanos = 10 * ONE;
        profits[0] = (struct oms_profit){.symbol = "AAPL",
                                         .realized = (decimal_wide)100 * ONE * ONE + (wrong == 1),
                                         .adjusted = wrong == 3};
        profits[0].realized += wrong == 3;
        profit_count = wrong == 2 ? 0 : 1;
        quiet();
        broken(wrong == 0 || wrong == 3 ? 0 : 4);
    }
    profit_count = 0;
}

/* Nobody looks at an order that is finished; after the next comparison it must be right, or, where queries
 * lag, after one that shows what was fresh. */
static void i4_waits_for_a_comparison_after_a_bust(void **state) {
    static const struct {
        const char *profile;
        int64_t after_ns; /* the bust it was made; 0: none was */
        int broke;
    } cases[] = {{"label", 0, 0},
                 {"label", 1, 4},
                 {"alpaca-lag", 3 * ONE, 0},
                 {"alpaca-lag", 3 * ONE + 1, 4}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(INVARIANTS_ALL);
        broker_is(cases[i].profile);
        exchange_fill(&world.exchange, accepted(), 0, 10 * ONE, 150 * ONE, "F1");
        exchange_correct(&world.exchange, "F1", world.now_ns, 0, 0);
        believe(OMS_STATE_FILLED, "");
        orders[0].filled_nanos = 10 * ONE;
        positions[0] = (struct oms_position){
            .symbol = "AAPL", .qty_nanos = 10 * ONE, .cost = (decimal_wide)1500 * ONE * ONE};
        position_count = 1;
        compared_ns = cases[i].after_ns > 0 ? world.now_ns + cases[i].after_ns : 0;
        quiet();
        broken(cases[i].broke);
    }
    compared_ns = 0;
}

static void i4_breaks_on_a_position_that_only_the_oms_has(void **state) {
    (void)state;
    positions[0] = (struct oms_position){.symbol = "MSFT", .qty_nanos = ONE, .cost = ONE};
    position_count = 1;
    quiet();
    broken(4);
}

static void i4_leaves_out_what_strangers_traded_and_openings_that_never_agreed(void **state) {
    (void)state;
    exchange_foreign(&world.exchange, 0, "AAPL", BROKER_BUY, 7 * ONE, ONE);
    judge_books(&judge, &world);
    quiet();
    broken(0);
    fresh(INVARIANTS_ALL);
    judge_free(&judge);
    judge_init(&judge, &fake, INVARIANTS_ALL); /* before the first life: each side its own */
    exchange_open_position(&world.exchange, "AAPL", 5 * ONE, ONE);
    positions[0] = (struct oms_position){.symbol = "MSFT", .qty_nanos = ONE, .cost = ONE};
    position_count = 1;
    life();
    quiet();
    broken(0);
    exchange_open_position(&world.exchange, "TSLA", ONE, ONE); /* this one came later */
    quiet();
    broken(4);
}

/* ---- what an OMS cannot know ---- */

static void holds(int64_t qty, decimal_wide cost) {
    positions[0] = (struct oms_position){.symbol = "AAPL", .qty_nanos = qty, .cost = cost};
    position_count = 1;
    peek_forget();
}

/* Sent, ended as absent after a jump, and filled after all. */
static void comes_after_all(enum oms_state state, const char *broker_order_id, bool under_way) {
    fresh(INVARIANTS_ALL);
    judge_presented(&judge, &world, D1);
    sent();
    judge.decisions[D1].arrived = under_way ? 0 : 1;
    clock_jumps(3600 * ONE);
    exchange_fill(&world.exchange, accepted(), world.now_ns, 10 * ONE, 150 * ONE, "");
    believe(state, "canceled: the broker never had it");
    strcpy(orders[0].broker_order_id, broker_order_id);
}

static void after_a_jump_what_was_under_way_may_have_ended_as_absent(void **state) {
    (void)state;
    comes_after_all(OMS_STATE_CANCELED, "", true);
    quiet();
    broken(0);
    comes_after_all(OMS_STATE_CANCELED, "", false); /* it had arrived: asking would have shown it */
    quiet();
    broken(4);
    comes_after_all(OMS_STATE_CANCELED, "O1", true); /* it knew the order */
    quiet();
    broken(4);
    comes_after_all(OMS_STATE_WORKING, "", true);
    quiet();
    broken(4);
}

static void what_need_not_be_booked_is_booked_once_at_most(void **state) {
    (void)state;
    for (int64_t qty = 0; qty <= 11; qty++) {
        comes_after_all(OMS_STATE_CANCELED, "", true);
        holds(qty * ONE, 0);
        quiet();
        broken(qty <= 10 ? 0 : 4);
    }
    comes_after_all(OMS_STATE_CANCELED, "", true);
    holds(-1, 0);
    quiet();
    broken(4);
}

/* The person was wrong: it is there. */
static void misled(enum oms_state state) {
    fresh(INVARIANTS_ALL);
    exchange_fill(&world.exchange, accepted(), world.now_ns, 10 * ONE, 150 * ONE, "");
    judge_misled(&judge, D1);
    believe(state, "not at the broker, says a person");
}

static void who_was_misled_believes_what_he_was_told_and_no_more(void **state) {
    (void)state;
    misled(OMS_STATE_CANCELED);
    quiet();
    broken(0);
    misled(OMS_STATE_REJECTED);
    quiet();
    broken(4);
    misled(OMS_STATE_CANCELED);
    holds(20 * ONE, 0); /* booked twice */
    quiet();
    broken(4);
}

static void a_correction_excuses_the_order_it_is_about(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 3; wrong++) {
        fresh(INVARIANT_BIT(4));
        two_orders();
        exchange_correct(&world.exchange, "F1", world.now_ns, 4 * ONE, 150 * ONE);
        positions[0] = (struct oms_position){.symbol = "AAPL", .qty_nanos = 10 * ONE};
        positions[1] = (struct oms_position){
            .symbol = "MSFT", .qty_nanos = 10 * ONE, .cost = (decimal_wide)1500 * ONE * ONE};
        position_count = 2;
        orders[0].filled_nanos += wrong == 1;                   /* never so much */
        orders[1].filled_nanos -= wrong == 2;                   /* not corrected */
        positions[0].qty_nanos -= wrong == 3 ? 6 * ONE + 1 : 0; /* less than is left */
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
}

/* Another order of the same symbol is as exact as ever. */
static void a_correction_excuses_no_other_order_of_its_symbol(void **state) {
    (void)state;
    fresh(INVARIANT_BIT(4));
    exchange_fill(&world.exchange, accepted(), world.now_ns, 10 * ONE, 150 * ONE, "F1");
    exchange_foreign(&world.exchange, world.now_ns, "AAPL", BROKER_BUY, ONE, ONE);
    exchange_correct(&world.exchange, world.exchange.fills[1].execution_id, world.now_ns, 0, 0);
    judge_books(&judge, &world);
    believe(OMS_STATE_CANCELED, "its execution is forgotten");
    quiet();
    broken(4);
}

/* Shown 4, then 10, then 6, of an order of 10: where executions are not told, what it stood at before. */
static void what_a_correction_leaves_unpriced_stays_as_it_was_shown(void **state) {
    (void)state;
    static const struct {
        int64_t booked;
        int broke_told, broke_in_sums;
    } cases[] = {{6, 0, 0}, {10, 0, 0}, {4, 4, 0}, {3, 4, 4}, {0, 4, 4}};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool in_sums = i % 2 == 1;
        size_t order;
        fresh(INVARIANT_BIT(4));
        if (in_sums)
            broker_is("cum-only");
        order = accepted();
        exchange_fill(&world.exchange, order, world.now_ns, 4 * ONE, 150 * ONE, "F1");
        exchange_fill(&world.exchange, order, world.now_ns, 6 * ONE, 151 * ONE, "F2");
        exchange_correct(&world.exchange, "F1", world.now_ns, 0, 0);
        judge_books(&judge, &world);
        believe(OMS_STATE_PARTIALLY_FILLED, "");
        orders[0].filled_nanos = cases[i / 2].booked * ONE;
        holds(orders[0].filled_nanos, 0);
        quiet();
        broken(in_sums ? cases[i / 2].broke_in_sums : cases[i / 2].broke_told);
    }
}

/* By a clock ahead of the broker's by more than an OMS looks back, what arrived is not among what it
 * asks for; ids that last need no times. */
static void a_clock_far_ahead_hides_what_only_a_list_would_show(void **state) {
    (void)state;
    static const struct {
        const char *profile;
        int64_t ahead_s;
        enum oms_state state;
        int64_t filled;
        int broke;
        int64_t later_h; /* when the world is quiet */
        bool before;     /* the jump came when it was on record */
    } cases[] = {
        {"no-tag", 61, OMS_STATE_EXPIRED, 0, 0, 0, false},
        {"no-tag", 60, OMS_STATE_EXPIRED, 0, 4, 0, false},
        {"no-tag", 61, OMS_STATE_EXPIRED, 1, 4, 0, false},
        {"no-tag", 61, OMS_STATE_IN_DOUBT, 0, 4, 0, false},
        {"no-tag", 61, OMS_STATE_EXPIRED, 0, 4, 0, true},
        {"alpaca", 61, OMS_STATE_EXPIRED, 0, 4, 25, false},
        {"replay", 61, OMS_STATE_HELD, 0, 0, 24, false},
        {"replay", 61, OMS_STATE_HELD, 0, 4, 23, false}, /* it answers who asks by the id */
        {"replay", 61, OMS_STATE_HELD, 0, 4, 24, true},
        {"replay", 60, OMS_STATE_HELD, 0, 4, 24, false},
        {"alpaca", 61, OMS_STATE_HELD, 0, 4, 25, false},
        {"replay", 61, OMS_STATE_WORKING, 1, 4, 24, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(INVARIANT_BIT(4));
        broker_is(cases[i].profile);
        clock_jumps(cases[i].ahead_s * ONE);
        accepted();
        believe(cases[i].state, "the broker never had it");
        orders[0].created_ns = cases[i].before ? world.now_ns : world_wall_ns(&world);
        world.now_ns += cases[i].later_h * 3600 * ONE;
        orders[0].filled_nanos = cases[i].filled;
        quiet();
        broken(cases[i].broke);
    }
}

/* The clock jumped while it was on its way: it counts as absent too early, and would be sent again. */
static void what_is_kept_from_being_sent_again_after_a_jump_may_be_there(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 4; wrong++) {
        fresh(INVARIANT_BIT(4));
        judge_presented(&judge, &world, D1);
        if (wrong != 4) /* else nothing is out */
            leaves();
        if (wrong == 3) /* it was up, and has a clock that goes on evenly */
            judge_clock_jumps(&judge, &world, 25 * ONE, true);
        else if (wrong != 1)
            clock_jumps(25 * ONE);
        accepted();
        believe(OMS_STATE_INTENT, "absent at the broker: to be sent again");
        world.halt_file = wrong == 2 ? OMS_HALT_ABSENT : OMS_HALT_PRESENT;
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
}

/* It was there before a start that compared itself: that comparison lists it. */
static void kept_for_a_start_that_compares_itself(bool there_before, bool compares) {
    fresh(INVARIANT_BIT(4));
    judge_presented(&judge, &world, D1);
    leaves();
    clock_jumps(25 * ONE);
    believe(OMS_STATE_INTENT, "absent at the broker: to be sent again");
    orders[0].created_ns = world.now_ns;
    world.halt_file = OMS_HALT_PRESENT;
    if (there_before)
        accepted();
    world.now_ns += ONE;
    life();
    compared_ns = compares ? world_wall_ns(&world) : 1;
    if (!there_before)
        accepted();
    quiet();
    compared_ns = 0;
}

static void what_is_kept_from_being_sent_again_is_found_by_the_next_start(void **state) {
    (void)state;
    kept_for_a_start_that_compares_itself(true, true);
    broken(4);
    kept_for_a_start_that_compares_itself(true, false);
    broken(0);
    kept_for_a_start_that_compares_itself(false, true);
    broken(0);
}

/* What is open, or was executed, the next start shows a person who called it gone. */
static void what_a_person_called_gone_is_found_by_the_next_start(void **state) {
    (void)state;
    for (int there = 0; there <= 4; there++) {
        size_t index;
        fresh(INVARIANT_BIT(4));
        broker_is(there == 4 ? "no-tag" : "label");
        judge_misled(&judge, D1);
        believe(OMS_STATE_CANCELED, "not at the broker, says a person");
        index = accepted();
        if (there == 1)
            exchange_end(&world.exchange, index, BROKER_STATUS_EXPIRED);
        if (there == 2)
            clock_jumps(ONE);
        world.now_ns += ONE;
        life();
        compared_ns = world_wall_ns(&world);
        judge.damaged = there == 3;
        quiet();
        broken(there == 0 ? 4 : 0);
    }
    compared_ns = 0;
}

/* No fault hides what the OMS was told in this life. */
static void who_was_told_of_an_acceptance_knows_the_order(void **state) {
    (void)state;
    for (int told = 0; told <= 2; told++) {
        fresh(INVARIANT_BIT(4));
        broker_is("no-tag");
        sent();
        accepted();
        answered(SITE_BROKER_SUBMIT, told != 0, true);
        if (told == 2)
            life(); /* another one */
        believe(OMS_STATE_HELD, "this broker knows no ids of ours");
        quiet();
        broken(told == 1 ? 4 : 0);
    }
}

/* It saw the jump, and the next life did not. */
static void a_jump_that_a_life_saw_is_unseen_by_the_next_while_a_request_is_out(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 2; wrong++) {
        fresh(INVARIANT_BIT(4));
        judge_presented(&judge, &world, D1);
        if (wrong != 1) /* else nothing is out */
            leaves();
        judge_clock_jumps(&judge, &world, 25 * ONE, true);
        believe(OMS_STATE_EXPIRED, "expired: the broker never had it");
        if (wrong == 2) { /* it arrives before the next life begins */
            accepted();
            judge.decisions[D1].arrived = 1;
        }
        life();
        if (wrong != 2)
            accepted();
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
}

/* A correction after the end made it whole. */
static void what_was_executed_as_a_whole_is_filled_however_it_ended(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 1; wrong++) {
        size_t order;
        fresh(INVARIANT_BIT(4));
        order = accepted();
        exchange_fill(&world.exchange, order, world.now_ns, 4 * ONE, 150 * ONE, "F1");
        exchange_end(&world.exchange, order, BROKER_STATUS_REJECTED);
        exchange_correct(&world.exchange, "F1", world.now_ns, (10 - wrong) * ONE, 150 * ONE);
        judge_books(&judge, &world);
        believe(OMS_STATE_FILLED, "");
        orders[0].filled_nanos = (10 - wrong) * ONE;
        holds(orders[0].filled_nanos, 0);
        positions[0].cost = (decimal_wide)(10 - wrong) * 150 * ONE * ONE;
        compared_ns = world.now_ns + 1;
        quiet();
        broken(wrong == 0 ? 0 : 4);
    }
    compared_ns = 0;
}

/* Bought 10 at 150, and at one moment sold 4 and bought 4: at which cost nobody can say, but what was
 * paid and received is known. */
static void at_one_moment(enum broker_side other, decimal_wide off, decimal_wide gained) {
    static const decimal_wide cash = (decimal_wide)(1500 - 640 + 560) * ONE * ONE;
    fresh(INVARIANT_BIT(4));
    exchange_fill(&world.exchange, accepted(), world.now_ns, 10 * ONE, 150 * ONE, "");
    believe(OMS_STATE_FILLED, "");
    orders[0].filled_nanos = 10 * ONE;
    world.now_ns++;
    add_ours("d2", other, 160);
    add_ours("d3", BROKER_BUY, 140);
    holds(other == BROKER_SELL ? 10 * ONE : 18 * ONE, 0);
    positions[0].cost = other == BROKER_SELL ? cash + gained + off
                                             : (decimal_wide)(1500 + 640 + 560) * ONE * ONE + off;
    profits[0] = (struct oms_profit){.symbol = "AAPL", .realized = gained};
    profit_count = 1;
    quiet();
    profit_count = 0;
}

static void of_one_moment_the_split_of_cost_and_profit_is_anybodys_but_not_their_sum(void **state) {
    (void)state;
    at_one_moment(BROKER_SELL, 0, (decimal_wide)40 * ONE * ONE);
    broken(0);
    at_one_moment(BROKER_SELL, 0, (decimal_wide)51 * ONE * ONE);
    broken(0);
    at_one_moment(BROKER_SELL, 1, (decimal_wide)51 * ONE * ONE);
    broken(4);
    at_one_moment(BROKER_BUY, 0, 0); /* both bought: the order does not matter */
    broken(0);
    at_one_moment(BROKER_BUY, ONE * ONE, 0);
    broken(4);
}

static void a_jump_excuses_to_hold_what_it_may_have_made_too_old(void **state) {
    (void)state;
    static const int64_t jumps_s[] = {22 * 3600, 23 * 3600 + 3000, -60};
    for (int i = 0; i < 3; i++) {
        fresh(INVARIANTS_ALL);
        broker_is("alpaca-retention");
        judge_presented(&judge, &world, D1);
        sent();
        clock_jumps(jumps_s[i] * ONE);
        hold(1);
        quiet();
        broken(i == 0 ? 3 : 0);
    }
}

/* What the broker has lost is left working, and is nobody's but a person's. */
static void what_the_broker_lost_works_on_and_does_nothing_else(void **state) {
    (void)state;
    for (int own = 0; own <= 2; own++) {
        static const enum oms_state states[] = {OMS_STATE_WORKING, OMS_STATE_PARTIALLY_FILLED,
                                                OMS_STATE_FILLED};
        fresh(INVARIANTS_ALL);
        assert_true(exchange_lose(&world.exchange, accepted()));
        believe(states[own], "");
        strcpy(orders[0].broker_order_id, "O1");
        orders[0].cancel_asked = true;
        peek_forget();
        assert_false(judge_under_way(&judge, &world, STORE));
        quiet();
        broken(own == 0 ? 0 : 3);
    }
    fresh(INVARIANTS_ALL);
    accepted(); /* it is another order that was lost */
    assert_true(exchange_lose(&world.exchange, accepted()));
    believe(OMS_STATE_WORKING, "");
    strcpy(orders[0].broker_order_id, "O1");
    orders[0].cancel_asked = true;
    peek_forget();
    assert_true(judge_under_way(&judge, &world, STORE));
}

static void where_no_ids_are_known_a_damaged_store_is_excused_once_it_was_damaged(void **state) {
    (void)state;
    for (int damaged = 0; damaged <= 1; damaged++) {
        fresh(INVARIANTS_ALL & ~INVARIANT_BIT(7));
        judge.suspends = INVARIANT_BIT(7);
        judge.damaged = damaged;
        broker_is("no-tag");
        sent();
        accepted();
        believe(OMS_STATE_CANCELED, "because");
        quiet();
        broken(damaged ? 0 : 4);
    }
}

/* ---- I5 ---- */

static void i5_breaks_when_a_recorded_refusal_is_sent_again(void **state) {
    (void)state;
    believe(OMS_STATE_REJECTED, "no money");
    life();
    leaves();
    broken(5);
}

static void i5_breaks_when_a_told_refusal_is_sent_again_in_the_same_life_only(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    leaves();
    answered(SITE_BROKER_SUBMIT, true, false);
    life(); /* it died before it could record that */
    answered(SITE_BROKER_LOOKUP, true, false);
    leaves();
    broken(0);
    answered(SITE_BROKER_SUBMIT, true, false);
    answered(SITE_BROKER_LOOKUP, true, false);
    leaves();
    broken(5);
}

static void i5_allows_another_send_after_a_refusal_that_was_lost(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    leaves();
    answered(SITE_BROKER_SUBMIT, false, false);
    answered(SITE_BROKER_LOOKUP, true, false);
    leaves();
    broken(0);
}

/* ---- I6 ---- */

static void i6_breaks_when_something_leaves_under_the_kill_switch(void **state) {
    (void)state;
    believe(OMS_STATE_INTENT, "");
    judge_operator(&judge, true, true);
    judge_operator(&judge, false, true);
    leaves();
    broken(0);
    fresh(INVARIANTS_ALL);
    believe(OMS_STATE_INTENT, "");
    judge_operator(&judge, true, true);
    leaves();
    broken(6);
}

static void i6_breaks_when_the_kill_switch_is_forgotten(void **state) {
    (void)state;
    judge_operator(&judge, true, true);
    kill_switch = true;
    life();
    broken(0);
    kill_switch = false;
    life();
    broken(6);
    fresh(INVARIANTS_ALL);
    judge_operator(&judge, true, true);
    quiet();
    broken(6);
}

static void i6_takes_either_state_after_an_operator_s_act_without_answer(void **state) {
    (void)state;
    for (int on = 0; on <= 1; on++) {
        fresh(INVARIANTS_ALL);
        believe(OMS_STATE_INTENT, "");
        judge_operator(&judge, true, false);
        leaves();
        kill_switch = on == 1;
        life();
        broken(0);
        assert_int_equal(judge.kill_switch, on);
        assert_false(judge.kill_switch_doubtful);
    }
    /* Released without answer, then tripped without answer: the release may have counted. */
    fresh(INVARIANTS_ALL);
    judge_operator(&judge, true, true);
    judge_operator(&judge, false, false);
    judge_operator(&judge, true, false);
    life();
    broken(0);
}

static void i6_breaks_under_the_halt_file_unless_it_was_denied_at_that_moment(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    judge_halt_asked(&judge, &world);
    world.halt_file = OMS_HALT_PRESENT;
    leaves(); /* it appeared after the look */
    broken(0);
    answered(SITE_BROKER_LOOKUP, true, false);
    world.now_ns++;
    leaves();
    broken(6);
    fresh(INVARIANTS_ALL);
    believe(OMS_STATE_INTENT, "");
    world.halt_file = OMS_HALT_UNREADABLE;
    judge_halt_asked(&judge, &world);
    leaves();
    broken(6);
}

/* ---- I7 ---- */

static void i7_breaks_when_an_acknowledged_decision_is_unknown_to_the_next_life(void **state) {
    (void)state;
    judge_answered(&judge, D1, SUT_PENDING);
    life(); /* nothing was promised */
    broken(0);
    judge_answered(&judge, D1, SUT_TAKEN);
    believe(OMS_STATE_INTENT, "");
    life();
    broken(0);
    order_count = 0;
    life();
    broken(7);
}

static void i7_breaks_when_an_acknowledged_cancel_is_forgotten(void **state) {
    (void)state;
    judge_cancel(&judge, D1); /* of something it never took on: means nothing */
    assert_false(judge.decisions[D1].cancel_acknowledged);
    judge_answered(&judge, D1, SUT_KNOWN);
    judge_cancel(&judge, D1);
    believe(OMS_STATE_FILLED, ""); /* the fill won */
    life();
    broken(0);
    believe(OMS_STATE_WORKING, "");
    orders[0].cancel_asked = true;
    life();
    broken(0);
    believe(OMS_STATE_WORKING, "");
    life();
    broken(7);
}

/* ---- I8 ---- */

static void i8_breaks_when_starting_again_changes_a_belief(void **state) {
    (void)state;
    believe(OMS_STATE_WORKING, "");
    struct judge_meaning before = judge_meaning(&judge, &world, STORE);
    strcpy(orders[0].reason, "worded differently");
    started_again(&before, false);
    broken(0);
    orders[0].filled_nanos = 1;
    started_again(&before, false);
    broken(8);
}

/* What was left when the switch was released trips it again at the next comparison. */
static void i8_lets_the_start_after_a_release_trip_the_switch_and_nothing_else(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 2; wrong++) {
        struct judge_meaning before;
        fresh(INVARIANTS_ALL);
        believe(OMS_STATE_WORKING, "");
        kill_switch = wrong == 2;
        assert_int_equal(judge_expects_news(&judge, &world, STORE), JUDGE_NO_NEWS);
        judge_operator(&judge, true, true);
        judge_operator(&judge, false, true);
        assert_int_equal(judge_expects_news(&judge, &world, STORE),
                         wrong == 2 ? JUDGE_NO_NEWS : JUDGE_SWITCH_NEWS);
        before = judge_meaning(&judge, &world, STORE);
        kill_switch = wrong != 2;
        orders[0].cancel_asked = wrong == 1;
        started_again(&before, true);
        broken(wrong == 0 ? 0 : 8);
    }
}

/* Where no id tells, the order that a person called gone is found as a stranger's. */
static void i8_lets_the_start_after_a_wrong_word_trip_the_switch(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 2; wrong++) {
        misled(OMS_STATE_CANCELED);
        if (wrong != 1)
            broker_is("no-tag");
        kill_switch = wrong == 2;
        peek_forget();
        assert_int_equal(judge_expects_news(&judge, &world, STORE),
                         wrong == 0 ? JUDGE_SWITCH_NEWS : JUDGE_NO_NEWS);
    }
}

/* By a clock that jumped a correction is found by some start; what has nothing to do with it is not. */
static void i8_after_a_jump_leaves_out_what_was_corrected_only(void **state) {
    (void)state;
    for (int wrong = 0; wrong <= 1; wrong++) {
        struct judge_meaning before;
        fresh(INVARIANTS_ALL);
        two_orders();
        exchange_correct(&world.exchange, "F1", world.now_ns, 0, 0);
        clock_jumps(3600 * ONE);
        before = judge_meaning(&judge, &world, STORE);
        orders[wrong].filled_nanos--;
        started_again(&before, false);
        broken(wrong == 0 ? 0 : 8);
    }
}

/* ---- I9 ---- */

static void i9_breaks_when_silence_is_taken_for_absence(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    leaves();
    answered(SITE_BROKER_LOOKUP, false, false);
    answered(SITE_BROKER_ORDERS, false, false);
    answered(SITE_BROKER_POSITIONS, true, false);
    leaves();
    broken(9);
}

static void i9_is_content_with_one_complete_answer_also_a_list(void **state) {
    (void)state;
    static const enum site_op questions[] = {SITE_BROKER_LOOKUP, SITE_BROKER_ORDERS};
    for (size_t i = 0; i < 2; i++) {
        fresh(INVARIANTS_ALL);
        broker_is("alpaca");
        believe(OMS_STATE_INTENT, "");
        leaves();
        life();
        answered(questions[i], true, i == 1);
        leaves();
        broken(0);
    }
}

static void i9_breaks_when_an_order_is_in_the_list_and_is_sent_again(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    leaves();
    accepted();
    answered(SITE_BROKER_ORDERS, true, true);
    leaves();
    broken(9);
}

/* ---- I10 ---- */

static void i10_breaks_when_a_damaged_store_trades_or_stays_damaged(void **state) {
    (void)state;
    believe(OMS_STATE_INTENT, "");
    intact = false;
    life();
    broken(0); /* it may still refuse to start */
    leaves();
    broken(10);
    fresh(INVARIANTS_ALL);
    intact = readable = false;
    quiet();
    broken(10);
}

/* ---- I11 ---- */

static void i11_breaks_at_the_second_request_of_one_submit_call(void **state) {
    (void)state;
    struct broker_request made = request();
    believe(OMS_STATE_INTENT, "");
    judge_posted(&judge, &world, STORE, &made, 1);
    broken(0);
    judge_posted(&judge, &world, STORE, &made, 2);
    broken(11);
}

/* ---- I12 ---- */

static void i12_breaks_when_something_is_left_undone_in_a_quiet_world(void **state) {
    (void)state;
    static const enum oms_state undone[] = {OMS_STATE_INTENT, OMS_STATE_IN_DOUBT};
    for (size_t i = 0; i < 2; i++) {
        fresh(INVARIANTS_ALL);
        believe(undone[i], "");
        assert_true(judge_under_way(&judge, &world, STORE));
        accepted();
        quiet();
        broken(12);
    }
    fresh(INVARIANTS_ALL);
    judge_restless(&judge, &world, "it goes on");
    broken(12);
}

static void i12_breaks_when_a_decision_was_taken_up_and_nothing_was_done(void **state) {
    (void)state;
    judge_answered(&judge, D1, SUT_PENDING);
    quiet();
    broken(12);
    fresh(INVARIANTS_ALL);
    judge_answered(&judge, D1, SUT_PENDING);
    life(); /* it died, and had promised nothing */
    quiet();
    broken(0);
    fresh(INVARIANTS_ALL & ~INVARIANT_BIT(14));
    judge_answered(&judge, D1, SUT_PENDING);
    leaves(); /* it tried */
    quiet();
    broken(0);
}

static void quiet_is_more_than_silence_while_an_order_is_under_way(void **state) {
    (void)state;
    believe(OMS_STATE_WORKING, "");
    assert_false(judge_under_way(&judge, &world, STORE));
    orders[0].cancel_asked = true;
    peek_forget();
    assert_true(judge_under_way(&judge, &world, STORE));
    believe(OMS_STATE_INTENT, "");
    kill_switch = true;
    peek_forget();
    /* what may have left may yet be held for a person, a switch or not, for as long as a doubt lasts */
    life();
    assert_true(judge_under_way(&judge, &world, STORE));
    world.now_ns += 120 * ONE;
    assert_false(judge_under_way(&judge, &world, STORE));
    life();
    orders[0].sends = 0;
    peek_forget();
    assert_false(judge_under_way(&judge, &world, STORE));
}

/* ---- I13 ---- */

static void i13_breaks_when_what_was_not_taken_is_sent(void **state) {
    (void)state;
    broker_is("alpaca");
    believe(OMS_STATE_INTENT, "");
    judge_answered(&judge, D1, SUT_NOT_TAKEN);
    judge_presented(&judge, &world, D1); /* presented again: nothing is refused any more */
    leaves();
    broken(0);
    answered(SITE_BROKER_LOOKUP, true, false);
    judge_answered(&judge, D1, SUT_NOT_TAKEN);
    leaves();
    broken(13);
}

static void i13_a_refusal_takes_back_no_earlier_promise(void **state) {
    (void)state;
    believe(OMS_STATE_INTENT, "");
    judge_answered(&judge, D1, SUT_TAKEN);
    judge_presented(&judge, &world, D1);
    judge_answered(&judge, D1, SUT_NOT_TAKEN);
    leaves();
    broken(0);
}

/* ---- I14 ---- */

static struct port_answer nothing(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
    return (struct port_answer){0};
}
static void unheard(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
}
static int64_t no_time(void *ctx) {
    (void)ctx;
    return 0;
}

/* The intent is a file; its name is durable once it was synced. */
static void write_intent(bool synced) {
    struct port port = {.before = nothing, .after = unheard, .now = no_time};
    sqlite3_vfs *vfs = sqlite3_vfs_find("sim");
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    disk_vfs_attach("sim", world.disk, &port, 1);
    assert_int_equal(vfs->xOpen(vfs, STORE, file, flags, &flags), SQLITE_OK);
    file->pMethods->xWrite(file, "intent", 6, 0);
    if (synced)
        file->pMethods->xSync(file, SQLITE_SYNC_FULL);
    file->pMethods->xClose(file);
    free(file);
    disk_vfs_attach("sim", NULL, NULL, 0);
}

static void i14_breaks_when_a_power_loss_at_the_send_would_forget_the_intent(void **state) {
    (void)state;
    believe(OMS_STATE_INTENT, "");
    only_with_file = true;
    write_intent(true);
    leaves();
    broken(0);
    fresh(INVARIANTS_ALL);
    believe(OMS_STATE_INTENT, "");
    only_with_file = true;
    write_intent(false);
    leaves();
    broken(14);
    fresh(INVARIANTS_ALL);
    leaves(); /* nothing is recorded at all */
    broken(14);
}

/* A failed commit leaves what only reads show: the OMS that stopped over it had nothing on record. */
static void what_a_power_loss_would_forget_the_oms_had_not_on_record(void **state) {
    (void)state;
    for (int synced = 0; synced <= 1; synced++) {
        fresh(INVARIANTS_ALL);
        believe(OMS_STATE_WORKING, "");
        strcpy(orders[0].broker_order_id, "O1");
        only_with_file = true;
        write_intent(synced == 1);
        assert_true(exchange_lose(&world.exchange, accepted()));
        judge_broker_loses(&judge, &world, STORE, D1);
        accepted();
        broken(synced == 1 ? 1 : 0);
    }
}

/* ---- the judge itself ---- */

static void what_is_not_claimed_is_not_judged_and_the_first_break_stays(void **state) {
    (void)state;
    fresh(INVARIANTS_ALL & ~INVARIANT_BIT(1));
    accepted();
    accepted();
    broken(0);
    judge_restless(&judge, &world, "first");
    world.now_ns++;
    believe(OMS_STATE_FILLED, "");
    quiet();
    broken(12);
    assert_string_equal(judge.first.text, "first");
    assert_int_equal(judge.first.at_ns, 1000 * ONE);
}

static void every_memory_that_can_decide_later_is_in_the_hash(void **state) {
    (void)state;
    struct judged *judged = &judge.decisions[D1];
    bool *memories[] = {&judged->acknowledged,     &judged->cancel_acknowledged,
                        &judged->refused,          &judged->refusable,
                        &judged->refusal_recorded, &judged->doubtful,
                        &judge.kill_switch,        &judge.kill_switch_doubtful,
                        &judged->lost_on_record,   &judged->left_once,
                        &judged->resolved,         &judged->misled,
                        &judged->jumped_unseen,    &judged->jumped_seen,
                        &judge.released,           &judge.clock_jumped,
                        &judge.clock_went_back};
    enum { MEMORIES = sizeof memories / sizeof memories[0] };
    uint64_t hashes[MEMORIES + 1] = {judge_memory(&judge)};
    for (size_t i = 0; i < MEMORIES; i++) {
        *memories[i] = !*memories[i];
        hashes[i + 1] = judge_memory(&judge);
        *memories[i] = !*memories[i];
        for (size_t j = 0; j <= i; j++)
            assert_int_not_equal(hashes[i + 1], hashes[j]);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(i1_breaks_at_the_second_order_accepted_for_a_decision),
        TEST(i1_breaks_at_a_second_order_after_the_broker_lost_the_first),
        TEST(what_the_broker_lost_before_the_oms_knew_of_it_may_be_sent_again),
        TEST(i1_breaks_when_an_order_leaves_or_stands_that_nobody_decided),
        TEST(i1_does_not_break_at_a_stranger_s_order_however_alike),
        TEST(i2_breaks_when_more_is_executed_than_was_decided),
        TEST(i3_breaks_when_what_was_taken_on_is_nowhere),
        TEST(i3_asks_for_a_recorded_reason_when_the_broker_has_no_order),
        TEST(i3_breaks_when_an_order_is_held_that_never_left),
        TEST(i3_breaks_when_an_order_is_held_that_this_broker_lets_the_oms_settle),
        TEST(i3_allows_to_hold_what_outlived_the_memory_of_the_broker),
        TEST(i1_breaks_when_an_order_leaves_again_where_nobody_refuses_it),
        TEST(i4_lets_an_order_be_held_that_is_live_where_it_has_no_id_only),
        TEST(i4_asks_for_cost_to_the_rounding_where_only_sums_are_told),
        TEST(i7_breaks_when_an_operators_word_on_a_held_order_is_forgotten),
        TEST(i3_and_i12_wait_for_an_intent_that_may_not_leave),
        TEST(what_a_fault_made_it_forget_is_held_against_nobody),
        TEST(without_such_a_fault_it_is),
        TEST(what_a_lie_hid_is_one_order_more_where_a_second_is_taken),
        TEST(what_tripped_the_switch_may_be_forgotten_with_it),
        TEST(what_lag_hides_is_sent_again_while_it_is_hidden),
        TEST(what_lag_hid_at_the_last_look_is_sent_again),
        TEST(a_lost_order_that_was_forgotten_may_be_sent_again),
        TEST(a_forgotten_send_is_left_again_where_no_ids_are_known),
        TEST(what_was_forgotten_is_still_one_order_at_most),
        TEST(what_was_forgotten_and_taken_on_again_is_judged_in_full),
        TEST(i4_compares_every_state_with_the_broker_s),
        TEST(i4_compares_executed_quantity_position_and_cost_exactly),
        TEST(i4_takes_a_late_rejection_for_an_end_when_something_was_executed),
        TEST(i4_compares_profit_exactly_unless_it_was_adjusted),
        TEST(i4_waits_for_a_comparison_after_a_bust),
        TEST(i4_breaks_on_a_position_that_only_the_oms_has),
        TEST(i4_leaves_out_what_strangers_traded_and_openings_that_never_agreed),
        TEST(after_a_jump_what_was_under_way_may_have_ended_as_absent),
        TEST(what_need_not_be_booked_is_booked_once_at_most),
        TEST(who_was_misled_believes_what_he_was_told_and_no_more),
        TEST(a_correction_excuses_the_order_it_is_about),
        TEST(a_correction_excuses_no_other_order_of_its_symbol),
        TEST(what_a_correction_leaves_unpriced_stays_as_it_was_shown),
        TEST(a_clock_far_ahead_hides_what_only_a_list_would_show),
        TEST(what_is_kept_from_being_sent_again_after_a_jump_may_be_there),
        TEST(what_is_kept_from_being_sent_again_is_found_by_the_next_start),
        TEST(what_a_person_called_gone_is_found_by_the_next_start),
        TEST(who_was_told_of_an_acceptance_knows_the_order),
        TEST(a_jump_that_a_life_saw_is_unseen_by_the_next_while_a_request_is_out),
        TEST(what_was_executed_as_a_whole_is_filled_however_it_ended),
        TEST(of_one_moment_the_split_of_cost_and_profit_is_anybodys_but_not_their_sum),
        TEST(a_jump_excuses_to_hold_what_it_may_have_made_too_old),
        TEST(what_the_broker_lost_works_on_and_does_nothing_else),
        TEST(where_no_ids_are_known_a_damaged_store_is_excused_once_it_was_damaged),
        TEST(i5_breaks_when_a_recorded_refusal_is_sent_again),
        TEST(i5_breaks_when_a_told_refusal_is_sent_again_in_the_same_life_only),
        TEST(i5_allows_another_send_after_a_refusal_that_was_lost),
        TEST(i6_breaks_when_something_leaves_under_the_kill_switch),
        TEST(i6_breaks_when_the_kill_switch_is_forgotten),
        TEST(i6_takes_either_state_after_an_operator_s_act_without_answer),
        TEST(i6_breaks_under_the_halt_file_unless_it_was_denied_at_that_moment),
        TEST(i7_breaks_when_an_acknowledged_decision_is_unknown_to_the_next_life),
        TEST(i7_breaks_when_an_acknowledged_cancel_is_forgotten),
        TEST(i8_breaks_when_starting_again_changes_a_belief),
        TEST(i8_lets_the_start_after_a_release_trip_the_switch_and_nothing_else),
        TEST(i8_lets_the_start_after_a_wrong_word_trip_the_switch),
        TEST(i8_after_a_jump_leaves_out_what_was_corrected_only),
        TEST(i9_breaks_when_silence_is_taken_for_absence),
        TEST(i9_is_content_with_one_complete_answer_also_a_list),
        TEST(i9_breaks_when_an_order_is_in_the_list_and_is_sent_again),
        TEST(i10_breaks_when_a_damaged_store_trades_or_stays_damaged),
        TEST(i11_breaks_at_the_second_request_of_one_submit_call),
        TEST(i12_breaks_when_something_is_left_undone_in_a_quiet_world),
        TEST(i12_breaks_when_a_decision_was_taken_up_and_nothing_was_done),
        TEST(quiet_is_more_than_silence_while_an_order_is_under_way),
        TEST(i13_breaks_when_what_was_not_taken_is_sent),
        TEST(i13_a_refusal_takes_back_no_earlier_promise),
        TEST(i14_breaks_when_a_power_loss_at_the_send_would_forget_the_intent),
        TEST(what_a_power_loss_would_forget_the_oms_had_not_on_record),
        TEST(what_is_not_claimed_is_not_judged_and_the_first_break_stays),
        TEST(every_memory_that_can_decide_later_is_in_the_hash),
    };
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
