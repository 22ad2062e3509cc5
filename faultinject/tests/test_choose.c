/* The answerers: everything once, or chance that repeats. */
#include "faultinject/choose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* A tree with branches of different depth and width: 3 + 2 + 1 + 4 leaves, one for each way. */
static void walk(const struct chooser *chooser, char leaf[16]) {
    uint32_t first = choose(chooser, CHOICE_CRASH, 4);
    uint32_t second = 9;
    if (first == 0)
        second = choose(chooser, CHOICE_POWER, 3);
    if (first == 1)
        second = choose(chooser, CHOICE_FAULT, 2);
    if (first == 3)
        second = choose(chooser, CHOICE_CRASH, 2) * 2 + choose(chooser, CHOICE_FAULT_ARG, 2);
    /* A question with one answer is none. */
    assert_int_equal(choose(chooser, CHOICE_CRASH, 1), 0);
    snprintf(leaf, 16, "%u.%u", first, second);
}

static void the_odometer_visits_every_leaf_exactly_once_all_zeros_first(void **state) {
    (void)state;
    static const char *const leaves[] = {"0.0", "0.1", "0.2", "1.0", "1.1",
                                         "2.9", "3.0", "3.1", "3.2", "3.3"};
    struct odometer odometer;
    size_t visited = 0;
    odometer_init(&odometer);
    struct chooser chooser = odometer_chooser(&odometer);
    do {
        char leaf[16];
        walk(&chooser, leaf);
        assert_true(visited < 10);
        assert_string_equal(leaf, leaves[visited++]);
    } while (odometer_next(&odometer));
    assert_int_equal(visited, 10);
    assert_int_equal(odometer.paths, 10);
    odometer_free(&odometer);
}

static void a_run_without_questions_is_one_path(void **state) {
    (void)state;
    struct odometer odometer;
    odometer_init(&odometer);
    assert_false(odometer_next(&odometer));
    assert_int_equal(odometer.paths, 1);
    odometer_free(&odometer);
}

static void nothing_answers_nothing(void **state) {
    (void)state;
    struct chooser nothing = chooser_nothing();
    assert_int_equal(choose(&nothing, CHOICE_FAULT, 1000), 0);
}

/* How many of a thousand questions of a kind are answered otherwise than 0. */
static unsigned strikes(uint64_t seed, enum choice kind, uint32_t answers[1000]) {
    struct seeded seeded;
    unsigned struck = 0;
    seeded_init(&seeded, seed);
    struct chooser chooser = seeded_chooser(&seeded);
    for (int i = 0; i < 1000; i++) {
        answers[i] = choose(&chooser, kind, 5);
        assert_true(answers[i] < 5);
        struck += answers[i] != 0;
    }
    return struck;
}

static void the_same_seed_answers_the_same_and_another_differs(void **state) {
    (void)state;
    uint32_t first[1000], again[1000], other[1000];
    strikes(1, CHOICE_POWER, first);
    strikes(1, CHOICE_POWER, again);
    strikes(2, CHOICE_POWER, other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

static void swarms_switch_kinds_off_and_weigh_the_others_wildly_differently(void **state) {
    (void)state;
    uint32_t answers[1000];
    unsigned off = 0, rare = 0, often = 0, both = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        unsigned crash = strikes(seed, CHOICE_CRASH, answers);
        unsigned fault = strikes(seed, CHOICE_FAULT, answers);
        off += crash == 0;
        rare += crash > 0 && crash < 60;
        often += crash > 300;
        both += (crash == 0) != (fault == 0);
        assert_true(crash < 500);
    }
    /* One in five each, give or take. */
    assert_true(off > 15 && off < 80);
    assert_true(rare > 30);
    assert_true(often > 15 && often < 80);
    assert_true(both > 20); /* kinds are switched off independently */
}

static void every_outcome_of_a_power_loss_is_as_likely(void **state) {
    (void)state;
    uint32_t answers[1000];
    unsigned counts[5] = {0};
    strikes(3, CHOICE_POWER, answers);
    for (int i = 0; i < 1000; i++)
        counts[answers[i]]++;
    for (int i = 0; i < 5; i++)
        assert_true(counts[i] > 140 && counts[i] < 260);
}

static void one_thing_goes_wrong_and_power_fails_in_any_way_after_it(void **state) {
    (void)state;
    for (uint64_t at = 0; at <= 20; at++) {
        struct single single = single_at(at, 7), again = single_at(at, 7);
        struct chooser chooser = single_chooser(&single), same = single_chooser(&again);
        unsigned struck = 0, power = 0;
        for (uint64_t i = 1; i <= 20; i++) {
            enum choice kind = i % 2 == 0 ? CHOICE_POWER : CHOICE_FAULT;
            uint32_t answer = choose(&chooser, kind, 5);
            assert_true(answer < 5);
            assert_int_equal(answer, choose(&same, kind, 5));
            struck += answer != 0 && (i == at || kind == CHOICE_FAULT);
            power += answer != 0 && kind == CHOICE_POWER;
            assert_true(answer == 0 || (at != 0 && i >= at));
        }
        assert_int_equal(struck, at != 0);
        assert_true(at == 0 || at > 10 || power > 1);
        assert_int_equal(single.asked, 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_odometer_visits_every_leaf_exactly_once_all_zeros_first),
        cmocka_unit_test(a_run_without_questions_is_one_path),
        cmocka_unit_test(nothing_answers_nothing),
        cmocka_unit_test(one_thing_goes_wrong_and_power_fails_in_any_way_after_it),
        cmocka_unit_test(the_same_seed_answers_the_same_and_another_differs),
        cmocka_unit_test(swarms_switch_kinds_off_and_weigh_the_others_wildly_differently),
        cmocka_unit_test(every_outcome_of_a_power_loss_is_as_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
