/* Sweeps: what is tried, that the core survives it, and that one who does not is noticed. */
#include "fuzz/sweep.h"
#include "scenarios/lang/diag.h"
#include "sim/peek.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char STORY[] = "crashgate 1\n"
                            "scenario \"T\"\n"
                            "decision D1 = \"X\"\n"
                            "10:00:00 signal D1 buy 100 AAPL limit 150.00\n"
                            "10:00:05 broker fills D1 100 @ 150.00\n";

static struct scenario_file file;
static struct sweep_result result;

static int setup(void **state) {
    struct diags diags = {0};
    (void)state;
    if (!scenario_parse("T", STORY, strlen(STORY), &file, &diags))
        diags_write(&diags, DIAG_LONG, stderr);
    diags_free(&diags);
    return file.count == 1 ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    scenario_free(&file);
    peek_forget();
    stage_forget_images();
    stage_forget_settled();
    return 0;
}

static void sweep(const struct sut *sut, enum stage_door door) {
    struct wire *wire = door == STAGE_WIRE ? wire_open() : NULL;
    const struct run_config config = {
        .profile = profile_find("alpaca"), .crash_kind = SCN_NONE, .door = door};
    const struct run_options options = {.sut = sut, .claims = sut->claims, .wire = wire};
    sweep_scenario(&file.scenarios[0], &config, &options, &result);
    wire_close(wire);
}

static void print_counts(void) {
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        if (result.kinds[kind].tried > 0)
            print_message("%s: %lu faults tried, %lu broke it\n", sweep_kind_name(kind),
                          result.kinds[kind].tried, result.kinds[kind].broke);
    }
}

static void survives(enum stage_door door) {
    const struct run_config config = {.door = door};
    const struct run_options options = {.sut = &sut_core};
    sweep(&sut_core, door);
    print_counts();
    if (!result.ran || result.found)
        fail_msg("%s %lu%s: %s", sweep_kind_name(result.first.kind), result.first.nth,
                 result.first.lasting ? " and all after it" : "", result.text);
    for (int kind = 0; kind < SWEEP_KINDS; kind++)
        assert_int_equal(result.kinds[kind].tried > 0, sweep_has(kind, &config, &options));
}

/* Under the address and leak sanitizers: no path of want of memory may leak, either. */
static void the_core_survives_any_failing_allocation_and_port_call(void **state) {
    (void)state;
    survives(STAGE_DIRECT);
}

static void so_it_does_behind_the_wire(void **state) {
    (void)state;
    survives(STAGE_WIRE);
}

/* A bug of the kind that only a failing call shows: a decision is promised that was not written. */
static enum sut_answer promise(void *instance, const struct oms_decision *decision,
                               char why[SUT_WHY_SIZE]) {
    enum sut_answer answer = sut_core.signal(instance, decision, why);
    return answer == SUT_UNKNOWN ? SUT_TAKEN : answer;
}

static void a_promise_without_a_record_is_found(void **state) {
    struct sut rash = sut_core;
    (void)state;
    rash.signal = promise;
    sweep(&rash, STAGE_DIRECT);
    assert_true(result.ran && result.found);
    assert_non_null(strstr(result.text, "I3: "));
    assert_true(result.kinds[SHORTAGE_SQLITE].broke > 0);
    assert_true(result.kinds[SWEEP_PORTS].broke > 0);
    assert_true(result.kinds[SWEEP_PORTS].broke < result.kinds[SWEEP_PORTS].tried);
}

/* A failing call after which the OMS believes to be well, and never does what it was to do. */
static bool step_no_more(void *instance) {
    static void *tired;
    if (instance != tired && !sut_core.step(instance))
        tired = instance;
    return true;
}

static void one_who_hides_that_it_stopped_is_found(void **state) {
    struct sut tired = sut_core;
    (void)state;
    tired.step = step_no_more;
    sweep(&tired, STAGE_DIRECT);
    assert_true(result.ran && result.found);
    assert_true(result.kinds[SWEEP_PORTS].broke > 0);
}

static void a_fault_can_be_tried_alone_with_its_story(void **state) {
    const struct run_config config = {
        .profile = profile_find("alpaca"), .crash_kind = SCN_NONE, .door = STAGE_DIRECT};
    const struct run_options options = {.sut = &sut_core, .claims = sut_core.claims};
    struct sweep_fault fault = {.kind = SHORTAGE_SQLITE, .nth = 10, .lasting = true};
    char text[SWEEP_TEXT_SIZE];
    struct trace trace = {0};
    bool struck = false;
    (void)state;
    assert_true(sweep_one(&file.scenarios[0], &config, &options, &fault, &trace, &struck, text));
    assert_true(struck);
    assert_true(trace.n > 0);
    free(trace.v);
    fault.nth = 1000000;
    assert_true(sweep_one(&file.scenarios[0], &config, &options, &fault, NULL, &struck, text));
    assert_false(struck);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(the_core_survives_any_failing_allocation_and_port_call),
        T(so_it_does_behind_the_wire),
        T(a_promise_without_a_record_is_found),
        T(one_who_hides_that_it_stopped_is_found),
        T(a_fault_can_be_tried_alone_with_its_story),
#undef T
    };
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
