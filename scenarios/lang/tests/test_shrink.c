/* The shrinker: what of a plan is needed to break the same. */
#include "scenarios/lang/diag.h"
#include "scenarios/lang/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct shrunk shrunk;

/* Two orders; on the seed protocol any crash between sending and recording buys twice. */
static const char two_crashes[] = "crashgate 1\n"
                                  "scenario \"T\"\n"
                                  "  crashes   kill, power\n"
                                  "  decision  D1 = \"X\"\n"
                                  "  10:00:00  crash twice anywhere\n"
                                  "            signal D1 buy 100 AAPL limit 150.00\n"
                                  "  10:01:00  restart\n"
                                  "            signal D1 buy 100 AAPL limit 150.00\n"
                                  "  10:02:00  restart\n"
                                  "            signal D1 buy 100 AAPL limit 150.00\n";

static const char *shrinks(const char *text, const struct sut *sut, const char *plan_text) {
    static char out[PLAN_TEXT_SIZE];
    struct scenario_file file;
    struct diags diags = {0};
    struct plan plan;
    char why[PLAN_WHY_SIZE];
    struct run_config config = {.profile = profile_find("alpaca"), .crash_kind = SCN_POWER};
    struct run_options options = {.sut = sut, .claims = sut->claims};
    assert_true(scenario_parse("T", text, strlen(text), &file, &diags));
    assert_true(plan_parse(plan_text, &plan, why));
    shrink(&file.scenarios[0], &config, &options, &plan, &shrunk);
    scenario_free(&file);
    diags_free(&diags);
    return plan_format(&shrunk.plan, out);
}

static void what_is_not_needed_is_left_out(void **state) {
    (void)state;
    assert_string_equal(shrinks(two_crashes, &sut_seed_protocol,
                                "1/broker.submit@1=kill-after,2/broker.submit@1=kill-after"),
                        "1/broker.submit@1=kill-after");
    assert_string_equal(shrunk.code, "I1");
    assert_true(shrunk.runs > 1);
    assert_string_equal(shrinks(two_crashes, &sut_seed_protocol,
                                "1/broker.submit@1=kill-after,2/broker.cancel@1=kill"),
                        "1/broker.submit@1=kill-after,2/broker.cancel@1=kill");
    assert_string_equal(shrunk.code, ""); /* the second item does not fit */
    assert_true(shrunk.why[0] != '\0');
}

static void a_minimal_plan_stays_as_it_is(void **state) {
    (void)state;
    assert_string_equal(shrinks(two_crashes, &sut_seed_protocol, "1/broker.submit@1=kill-after"),
                        "1/broker.submit@1=kill-after");
    assert_string_equal(shrunk.code, "I1");
    assert_false(shrunk.bound);
}

static void fewer_writes_survive_when_that_is_enough(void **state) {
    (void)state;
    assert_string_equal(
        shrinks(two_crashes, &sut_seed_protocol, "1/disk.write(wal)@10=power-after(keep=0b1)"),
        "1/disk.write(wal)@10=power-after(keep=none)");
    assert_string_equal(shrunk.code, "I1");
}

static void arguments_of_faults_are_made_smaller(void **state) {
    (void)state;
    static const char late[] = "crashgate 1\n"
                               "scenario \"T\"\n"
                               "  decision  D1 = \"X\"\n"
                               "  10:00:00  signal D1 buy 100 AAPL limit 150.00\n"
                               "  10:00:10  expect order D1 is working\n";
    /* Before the OMS asks again, ten seconds do not matter: 10 s is the threshold. */
    const char *text = shrinks(late, &sut_core, "1/broker.submit@1=late(by=300s)");
    assert_string_equal(shrunk.code, "expect");
    assert_int_equal(shrunk.plan.count, 1);
    assert_true(shrunk.plan.items[0].fault.arg[0] < INT64_C(12000000000));
    char once[PLAN_TEXT_SIZE];
    strcpy(once, text);
    assert_string_equal(shrinks(late, &sut_core, once), once);
}

static void a_plan_that_breaks_nothing_is_said_so(void **state) {
    (void)state;
    shrinks(two_crashes, &sut_core, "1/broker.submit@1=kill-after");
    assert_string_equal(shrunk.code, "");
    assert_int_equal(shrunk.runs, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_needed_is_left_out),
        cmocka_unit_test(a_minimal_plan_stays_as_it_is),
        cmocka_unit_test(fewer_writes_survive_when_that_is_enough),
        cmocka_unit_test(arguments_of_faults_are_made_smaller),
        cmocka_unit_test(a_plan_that_breaks_nothing_is_said_so),
    };
    disk_vfs_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
