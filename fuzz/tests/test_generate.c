/* Timelines from seeds: the same for the same seed, and very different for different ones. */
#include "fuzz/generate.h"
#include "fuzz/timeline_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { SEEDS = 3000, FEW_SEEDS = 200 };

static int op_of(const struct timeline_record *record) {
    return record->op % TIMELINE_OP_COUNT;
}

static void the_same_seed_is_the_same_timeline_whatever_was_made_before(void **state) {
    static struct timeline first[FEW_SEEDS];
    (void)state;
    for (uint64_t seed = 0; seed < FEW_SEEDS; seed++)
        generate_timeline(seed, &first[seed]);
    for (uint64_t seed = FEW_SEEDS; seed-- > 0;) {
        struct timeline again;
        generate_timeline(seed, &again);
        assert_memory_equal(&again, &first[seed], sizeof again);
        assert_memory_not_equal(&again, &first[(seed + 1) % FEW_SEEDS], sizeof again);
    }
}

static void every_kind_of_everything_is_made(void **state) {
    unsigned ops[TIMELINE_OP_COUNT] = {0}, settings[TIMELINE_SETTING_COUNT] = {0};
    unsigned faults[256] = {0}, profiles[256] = {0}, disks[256] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct timeline timeline;
        generate_timeline(seed, &timeline);
        profiles[timeline.head[HEAD_PROFILE] % timeline_profiles()]++;
        disks[timeline.head[HEAD_DISK] % timeline_disks()]++;
        for (size_t i = 0; i < timeline.count; i++) {
            const struct timeline_record *record = &timeline.records[i];
            ops[op_of(record)]++;
            if (op_of(record) == TIMELINE_FAULT)
                faults[record->arg[0] % timeline_fault_rows()]++;
            if (op_of(record) == TIMELINE_SETTING)
                settings[record->arg[0] % TIMELINE_SETTING_COUNT]++;
        }
    }
    for (size_t i = 0; i < TIMELINE_OP_COUNT; i++)
        assert_true(ops[i] > 0);
    for (size_t i = 0; i < TIMELINE_SETTING_COUNT; i++)
        assert_true(settings[i] > 0);
    for (size_t i = 0; i < timeline_fault_rows(); i++)
        assert_true(faults[i] > 0);
    for (size_t i = 0; i < timeline_profiles(); i++)
        assert_true(profiles[i] > 0);
    for (size_t i = 0; i < timeline_disks(); i++)
        assert_true(disks[i] > 0);
}

/* Swarm: what one seed is full of another does not have at all. */
static void seeds_leave_most_kinds_out_and_differ_in_which(void **state) {
    unsigned without[TIMELINE_OP_COUNT] = {0}, full[TIMELINE_OP_COUNT] = {0};
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct timeline timeline;
        size_t here[TIMELINE_OP_COUNT] = {0};
        generate_timeline(seed, &timeline);
        for (size_t i = 0; i < timeline.count; i++)
            here[op_of(&timeline.records[i])]++;
        for (size_t op = 0; op < TIMELINE_OP_COUNT; op++) {
            without[op] += here[op] == 0;
            full[op] += here[op] * 4 >= timeline.count;
        }
    }
    for (size_t op = 0; op < TIMELINE_OP_COUNT; op++) {
        assert_true(op == TIMELINE_SIGNAL || without[op] > SEEDS / 20);
        assert_true(op == TIMELINE_SETTING || full[op] > 0);
    }
}

/* What suspends an invariant is left out by most, so that the judge sees all of most. */
static void most_seeds_suspend_nothing(void **state) {
    unsigned suspended = 0;
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct timeline timeline;
        bool suspends = false;
        generate_timeline(seed, &timeline);
        for (size_t i = 0; i < timeline.count; i++) {
            const struct timeline_record *record = &timeline.records[i];
            suspends |=
                op_of(record) == TIMELINE_FAULT && timeline_fault(record->arg[0])->suspends != 0;
        }
        suspended += suspends;
    }
    assert_true(suspended > 0 && suspended < SEEDS / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_timeline_whatever_was_made_before),
        cmocka_unit_test(every_kind_of_everything_is_made),
        cmocka_unit_test(seeds_leave_most_kinds_out_and_differ_in_which),
        cmocka_unit_test(most_seeds_suspend_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
