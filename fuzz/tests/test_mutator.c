/* Editing timelines: always a whole one, everything reached, the same seed the same bytes. */
#include "fuzz/afl_mutator.h"
#include "fuzz/generate.h"
#include "fuzz/mutator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { EDITS = 20000, NAME_SIZE = 80, SHORT_NAME = 9 };

static size_t bytes_of(uint64_t seed, uint8_t bytes[TIMELINE_BYTES_MAX]) {
    struct timeline timeline;
    generate_timeline(seed, &timeline);
    return timeline_write(&timeline, bytes);
}

/* ---- edits ---- */

static void what_comes_out_is_a_whole_timeline_of_any_room(void **state) {
    void *afl = afl_custom_init(NULL, 1);
    (void)state;
    for (uint64_t i = 0; i < EDITS; i++) {
        static const size_t rooms[] = {0, TIMELINE_UNIT, 3 * TIMELINE_UNIT + 5, TIMELINE_BYTES_MAX,
                                       1 << 20};
        uint8_t bytes[TIMELINE_BYTES_MAX], other[TIMELINE_BYTES_MAX], *out = NULL;
        size_t size = bytes_of(i, bytes) - i % 3, other_size = bytes_of(i / 2 + EDITS, other);
        size_t room = rooms[i % 5], made = 0;
        made = afl_custom_fuzz(afl, bytes, i % 7 == 0 ? 0 : size, &out, i % 4 == 0 ? NULL : other,
                               other_size, room);
        assert_true(made >= TIMELINE_UNIT && made % TIMELINE_UNIT == 0);
        assert_true(made <= TIMELINE_BYTES_MAX);
        assert_true(made <= room || made == TIMELINE_UNIT);
    }
    afl_custom_deinit(afl);
}

static void every_edit_and_every_op_is_reached(void **state) {
    unsigned edits[MUTATOR_EDIT_COUNT] = {0}, ops[TIMELINE_OP_COUNT] = {0};
    struct mutator mutator = mutator_seeded(7);
    (void)state;
    for (int i = 0; i < EDITS; i++) {
        struct timeline timeline = {0}, other = {.count = 3};
        other.records[1].op = TIMELINE_CRASH_AT;
        other.records[2].op = TIMELINE_FAULT;
        mutator_edit(&mutator, &timeline, i % 2 == 0 ? &other : NULL, TIMELINE_RECORDS_MAX);
        assert_true(mutator.edit_count >= 1 && mutator.edit_count <= MUTATOR_STACK_MAX);
        for (size_t k = 0; k < mutator.edit_count; k++)
            edits[mutator.edits[k]]++;
        for (size_t k = 0; k < timeline.count; k++)
            ops[timeline.records[k].op % TIMELINE_OP_COUNT]++;
    }
    for (int i = 0; i < MUTATOR_EDIT_COUNT; i++)
        assert_true(edits[i] > 0);
    for (int i = 0; i < TIMELINE_OP_COUNT; i++)
        assert_true(ops[i] > 0);
}

static void the_same_seed_edits_in_the_same_way_and_another_in_another(void **state) {
    void *a = afl_custom_init(NULL, 5), *b = afl_custom_init(NULL, 5),
         *c = afl_custom_init(NULL, 6);
    unsigned other_ways = 0;
    (void)state;
    for (uint64_t i = 0; i < 500; i++) {
        uint8_t bytes[TIMELINE_BYTES_MAX], *out_a = NULL, *out_b = NULL, *out_c = NULL;
        size_t size = bytes_of(i, bytes);
        size_t made_a = afl_custom_fuzz(a, bytes, size, &out_a, NULL, 0, TIMELINE_BYTES_MAX);
        size_t made_b = afl_custom_fuzz(b, bytes, size, &out_b, NULL, 0, TIMELINE_BYTES_MAX);
        size_t made_c = afl_custom_fuzz(c, bytes, size, &out_c, NULL, 0, TIMELINE_BYTES_MAX);
        assert_int_equal(made_a, made_b);
        assert_memory_equal(out_a, out_b, made_a);
        assert_string_equal(afl_custom_describe(a, NAME_SIZE), afl_custom_describe(b, NAME_SIZE));
        other_ways += made_a != made_c || memcmp(out_a, out_c, made_a) != 0;
    }
    assert_true(other_ways > 400);
    afl_custom_deinit(a);
    afl_custom_deinit(b);
    afl_custom_deinit(c);
}

static void records_of_the_other_come_in_whole(void **state) {
    struct timeline other = {.count = TIMELINE_RECORDS_MAX};
    struct mutator mutator = mutator_seeded(3);
    unsigned spliced = 0;
    (void)state;
    for (size_t i = 0; i < other.count; i++) {
        other.records[i].op = TIMELINE_CORRECT;
        memset(other.records[i].arg, 0xc3, TIMELINE_ARGS);
    }
    for (int i = 0; i < EDITS; i++) {
        struct timeline timeline = {.count = 4};
        mutator_edit(&mutator, &timeline, &other, TIMELINE_RECORDS_MAX);
        if (mutator.edit_count != 1 ||
            (mutator.edits[0] != MUTATOR_SPLICE && mutator.edits[0] != MUTATOR_CROSS))
            continue;
        spliced++;
        for (size_t k = 0; k < timeline.count; k++) {
            const struct timeline_record *record = &timeline.records[k];
            const struct timeline_record empty = {0};
            assert_true(memcmp(record, &other.records[0], sizeof *record) == 0 ||
                        memcmp(record, &empty, sizeof empty) == 0);
        }
    }
    assert_true(spliced > 100);
}

static void a_description_names_the_edits_and_fits(void **state) {
    struct mutator mutator = {.edits = {MUTATOR_DROP, MUTATOR_FAULT, MUTATOR_SPLICE},
                              .edit_count = 3};
    char text[NAME_SIZE], cut[SHORT_NAME];
    (void)state;
    assert_string_equal(mutator_describe(&mutator, text, sizeof text), "drop+fault+splice");
    assert_string_equal(mutator_describe(&mutator, cut, sizeof cut), "drop");
}

/* ---- shorter ---- */

/* As AFL++ calls it: `keeps` says which records the input cannot do without. */
static size_t trimmed(uint64_t seed, uint8_t keeps, unsigned *trials, struct timeline *left) {
    void *afl = afl_custom_init(NULL, 1);
    uint8_t bytes[TIMELINE_BYTES_MAX], *out = NULL;
    size_t size = bytes_of(seed, bytes), wanted = 0;
    int32_t stage = 0, stages = afl_custom_init_trim(afl, bytes, size);
    timeline_read(left, bytes, size);
    for (size_t i = 0; i < left->count; i++)
        wanted += left->records[i].op % keeps == 0;
    while (stage < stages) {
        struct timeline trial;
        size_t found = 0, made = afl_custom_trim(afl, &out);
        assert_true(made > 0 && made <= size);
        timeline_read(&trial, out, made);
        for (size_t i = 0; i < trial.count; i++)
            found += trial.records[i].op % keeps == 0;
        if (found == wanted)
            *left = trial;
        stage = afl_custom_post_trim(afl, found == wanted);
        assert_true(++*trials <= (unsigned)stages);
    }
    assert_int_equal(stage, stages);
    afl_custom_deinit(afl);
    return wanted;
}

static void trimming_ends_and_leaves_only_what_is_needed(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        for (uint8_t keeps = 1; keeps < 6; keeps++) {
            unsigned trials = 0;
            struct timeline left;
            size_t wanted = trimmed(seed, keeps, &trials, &left);
            assert_int_equal(left.count, wanted);
        }
    }
}

static void nothing_is_left_out_of_an_empty_timeline(void **state) {
    struct timeline empty = {0}, trial;
    struct trimmer trimmer;
    (void)state;
    assert_int_equal(trimmer_begin(&trimmer, &empty), 0);
    trimmer_trial(&trimmer, &trial);
    assert_int_equal(trial.count, 0);
    assert_int_equal(trimmer_tell(&trimmer, true), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_is_a_whole_timeline_of_any_room),
        cmocka_unit_test(every_edit_and_every_op_is_reached),
        cmocka_unit_test(the_same_seed_edits_in_the_same_way_and_another_in_another),
        cmocka_unit_test(records_of_the_other_come_in_whole),
        cmocka_unit_test(a_description_names_the_edits_and_fits),
        cmocka_unit_test(trimming_ends_and_leaves_only_what_is_needed),
        cmocka_unit_test(nothing_is_left_out_of_an_empty_timeline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
