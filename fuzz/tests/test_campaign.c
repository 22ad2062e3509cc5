/* Campaigns: who played does not show in the result, and what goes wrong does. */
#include "fuzz/campaign.h"
#include "sim/disk.h"
#include "sim/peek.h"
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Seeds that a known mistake is found by more than once, and enough for what needs no mistake. */
enum { LAST = 95, FEW = 47 };

static struct campaign_result result, other;

static struct campaign_options options_for(const struct sut *sut, uint64_t last) {
    return (struct campaign_options){
        .sut = sut, .last = last, .shard = 1, .shards = 1, .jobs = 2, .repeat_every = 8};
}

static void played_by_one_or_by_many_it_is_the_same(void **state) {
    struct campaign_options options = options_for(&sut_seed_protocol, LAST);
    (void)state;
    options.canary = &sut_seed_protocol;
    options.canaries = CAMPAIGN_CANARIES;
    options.jobs = 1;
    assert_true(campaign_run(&options, &result));
    options.jobs = 3;
    assert_true(campaign_run(&options, &other));
    assert_memory_equal(&result, &other, sizeof result);
    /* It is no proof when nothing happened. */
    assert_int_equal(result.played, LAST + 1);
    assert_int_equal(result.coverage.timelines, LAST + 1);
    assert_true(result.hit_count > 1 && result.coverage.crashes > LAST / 4 &&
                result.coverage.faults > LAST / 4);
    assert_true(result.hits[0].seed < result.hits[1].seed);
    assert_true(result.repeated > LAST / 8 && result.unrepeatable == 0);
    assert_int_equal(result.canaries, LAST + 1);
    assert_int_equal(result.caught, result.hit_count);
}

static void shards_are_the_whole_and_share_nothing(void **state) {
    struct campaign_options options = options_for(&sut_core, FEW);
    static struct coverage sum;
    uint64_t seeds = 0;
    (void)state;
    options.repeat_every = 0;
    assert_true(campaign_run(&options, &other));
    for (options.shard = 1, options.shards = 4; options.shard <= options.shards; options.shard++) {
        assert_true(campaign_run(&options, &result));
        assert_int_equal(campaign_seed(&options, 3) % options.shards, options.shard - 1);
        coverage_add(&sum, &result.coverage);
        seeds += result.seeds;
    }
    assert_int_equal(seeds, FEW + 1);
    assert_memory_equal(&sum, &other.coverage, sizeof sum);
}

static void the_lowest_that_breaks_something_ends_it_whoever_played(void **state) {
    struct campaign_options options = options_for(&sut_seed_protocol, LAST);
    (void)state;
    assert_true(campaign_run(&options, &other));
    assert_true(other.hit_count > 1);
    options.first_only = true;
    for (options.jobs = 1; options.jobs <= 3; options.jobs++) {
        assert_true(campaign_run(&options, &result));
        assert_int_equal(result.hits[0].seed, other.hits[0].seed);
        assert_int_equal(result.hits[0].invariant, other.hits[0].invariant);
        assert_int_equal(result.played, other.hits[0].seed + 1);
        assert_int_equal(result.left, other.hits[0].seed + 1);
    }
    options = options_for(&sut_core, FEW);
    options.first_only = true;
    assert_true(campaign_run(&options, &result));
    assert_int_equal(result.hit_count, 0);
    assert_int_equal(result.played, FEW + 1);
}

static bool at_once(void *ctx, uint64_t played, uint64_t of) {
    (void)ctx, (void)played, (void)of;
    return true;
}

static void a_budget_that_is_spent_leaves_the_seeds_behind_it(void **state) {
    struct campaign_options options = options_for(&sut_core, FEW);
    (void)state;
    options.last = 100000;
    options.stop = at_once;
    assert_true(campaign_run(&options, &result));
    assert_true(result.played > 0 && result.played < result.seeds);
    assert_int_equal(result.coverage.timelines, result.played);
    assert_int_equal(result.left, result.played);
    /* What was played is what those seeds alone give. */
    options = options_for(&sut_core, FEW);
    options.last = result.left - 1;
    assert_true(campaign_run(&options, &other));
    assert_memory_equal(&result.coverage, &other.coverage, sizeof result.coverage);
}

static enum sut_answer break_down(void *instance, const struct oms_decision *decision,
                                  char why[SUT_WHY_SIZE]) {
    if (decision->qty_nanos % INT64_C(128000000000) == 0)
        _exit(70);
    return sut_core.signal(instance, decision, why);
}

static void who_breaks_the_program_is_a_finding_and_the_others_are_played(void **state) {
    struct campaign_options options = options_for(&sut_core, FEW);
    struct sut rash = sut_core;
    (void)state;
    rash.signal = break_down;
    options.sut = &rash;
    assert_true(campaign_run(&options, &result));
    assert_true(result.hit_count > 0);
    assert_int_equal(result.coverage.timelines + result.hit_count, FEW + 1);
    for (size_t i = 0; i < result.hit_count && i < CAMPAIGN_HITS_MAX; i++)
        assert_int_equal(result.hits[i].invariant, CAMPAIGN_PROGRAM_BROKE);
}

/* An OMS that is another one after many starts. */
static bool tire(void *instance) {
    static unsigned steps;
    return ++steps % 1000 == 0 || sut_core.step(instance);
}

static void who_goes_another_way_the_second_time_is_told(void **state) {
    struct campaign_options options = options_for(&sut_core, FEW);
    struct sut moody = sut_core;
    (void)state;
    moody.step = tire;
    options.sut = &moody;
    options.repeat_every = 1;
    assert_true(campaign_run(&options, &result));
    assert_true(result.unrepeatable > 0);
    assert_true(result.unrepeatable_seed <= FEW);
}

static void a_canary_without_a_mistake_is_never_caught(void **state) {
    struct campaign_options options = options_for(&sut_core, FEW);
    (void)state;
    options.canary = &sut_core;
    options.canaries = CAMPAIGN_CANARIES;
    options.last = 20;
    assert_true(campaign_run(&options, &result));
    assert_int_equal(result.canaries, 21);
    assert_int_equal(result.caught, 0);
}

static int set_up(void **state) {
    (void)state;
    disk_vfs_register();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(played_by_one_or_by_many_it_is_the_same),
        cmocka_unit_test(shards_are_the_whole_and_share_nothing),
        cmocka_unit_test(the_lowest_that_breaks_something_ends_it_whoever_played),
        cmocka_unit_test(a_budget_that_is_spent_leaves_the_seeds_behind_it),
        cmocka_unit_test(who_breaks_the_program_is_a_finding_and_the_others_are_played),
        cmocka_unit_test(who_goes_another_way_the_second_time_is_told),
        cmocka_unit_test(a_canary_without_a_mistake_is_never_caught),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
