/* Deaths at random: all of them come, in their part of the run, and the same for the same seed. */
#include "faultinject/strikes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOMENTS = 1000, POINTS_A_MOMENT = 50, COUNT = 12 };

/* One crash point after the other; where death struck. */
static void play(uint64_t seed, unsigned at[COUNT]) {
    int64_t moments[MOMENTS];
    struct strikes strikes;
    unsigned struck = 0;
    for (int i = 0; i < MOMENTS; i++)
        moments[i] = i;
    strikes_draw(&strikes, seed, COUNT, moments, MOMENTS - MOMENTS / 10);
    for (unsigned point = 0; point < MOMENTS * POINTS_A_MOMENT; point++) {
        if (strikes_here(&strikes, point / POINTS_A_MOMENT))
            at[struck++] = point;
    }
    assert_int_equal(struck, COUNT);
    assert_true(strikes_start_after_ns(&strikes) >= 0);
    assert_true(strikes_outcome(&strikes, 3) < 3);
}

static void each_part_of_a_run_has_one(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        unsigned at[COUNT];
        play(seed, at);
        for (unsigned i = 0; i < COUNT; i++)
            assert_in_range(at[i] / POINTS_A_MOMENT, 75 * i, 75 * (i + 1) + 3);
    }
}

static void the_seed_decides(void **state) {
    unsigned once[COUNT], again[COUNT], other[COUNT];
    (void)state;
    play(7, once);
    play(7, again);
    play(8, other);
    assert_memory_equal(once, again, sizeof once);
    assert_memory_not_equal(once, other, sizeof once);
}

static void without_moments_nothing_strikes(void **state) {
    struct strikes strikes;
    (void)state;
    strikes_draw(&strikes, 1, COUNT, NULL, 0);
    assert_false(strikes_here(&strikes, INT64_MAX));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_a_run_has_one),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(without_moments_nothing_strikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
