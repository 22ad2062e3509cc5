/* Every code that a message can carry is explained. */
#include "scenarios/lang/codes.h"
#include "scenarios/lang/diag.h"
#include "sim/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_code_has_a_rule_a_cause_and_a_fix(void **state) {
    (void)state;
    struct code code, again;
    size_t count = 0;
    for (; code_at(count, &code); count++) {
        if (code.meaning == NULL || code.cause == NULL || code.fix == NULL ||
            code.meaning[0] == '\0' || code.cause[0] == '\0' || code.fix[0] == '\0')
            fail_msg("%s is not explained", code.code);
        assert_true(code_find(code.code, &again));
        assert_string_equal(again.code, code.code);
    }
    assert_int_equal(count, INVARIANT_COUNT + RUN_CODE_COUNT + DIAG_CODE_COUNT);
}

static void every_code_that_can_be_emitted_is_found(void **state) {
    (void)state;
    struct code code;
    char text[16];
    for (int i = 1; i <= INVARIANT_COUNT; i++) {
        snprintf(text, sizeof text, "I%d", i);
        assert_true(code_find(text, &code));
        assert_string_equal(code.meaning, invariant_meaning(i));
    }
    for (enum run_code i = 0; i < RUN_CODE_COUNT; i++)
        assert_true(code_find(run_code_text(i), &code));
    for (enum diag_code i = 0; i < DIAG_CODE_COUNT; i++) {
        assert_true(code_find(diag_code_text(i), &code));
        assert_true(code_find(diag_code_slug(i), &code));
        assert_string_equal(code.code, diag_code_text(i));
    }
}

static void letter_case_does_not_matter_and_other_words_are_no_code(void **state) {
    (void)state;
    struct code code;
    assert_true(code_find("i14", &code));
    assert_string_equal(code.code, "I14");
    assert_true(code_find("Time-Goes-Backwards", &code));
    assert_string_equal(code.code, "E012");
    assert_false(code_find("I15", &code));
    assert_false(code_find("", &code));
}

static void some_codes_blame_the_scenario_and_not_the_oms(void **state) {
    (void)state;
    assert_true(run_code_blames_scenario("vacuous"));
    assert_false(run_code_blames_scenario("expect"));
    assert_false(run_code_blames_scenario("I1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_rule_a_cause_and_a_fix),
        cmocka_unit_test(every_code_that_can_be_emitted_is_found),
        cmocka_unit_test(letter_case_does_not_matter_and_other_words_are_no_code),
        cmocka_unit_test(some_codes_blame_the_scenario_and_not_the_oms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
