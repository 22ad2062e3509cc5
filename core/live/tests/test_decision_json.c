/* Decisions as JSON lines: what is read, what is refused and in which words. */
#include "core/live/decision_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE                                                                                     \
    "{\"id\":\"D1\",\"side\":\"sell\",\"qty\":\"0.5\",\"symbol\":\"BTC/USD\",\"type\":\"limit\"," \
    "\"limit_price\":\"150.25\",\"time_in_force\":\"gtc\",\"expires_at\":\"2026-01-09T14:35:"     \
    "00Z\"}"

static void a_whole_decision_is_read_exactly(void **state) {
    struct oms_decision d;
    char why[DECISION_JSON_WHY_SIZE];
    (void)state;
    assert_int_equal(decision_json_read(WHOLE, &d, why), DECISION_JSON_DECIDE);
    assert_string_equal(d.id, "D1");
    assert_int_equal(d.side, BROKER_SELL);
    assert_true(d.qty_nanos == 500000000);
    assert_string_equal(d.symbol, "BTC/USD");
    assert_int_equal(d.type, BROKER_LIMIT);
    assert_true(d.limit_nanos == INT64_C(150250000000));
    assert_int_equal(d.tif, BROKER_GTC);
    assert_true(d.expires_ns == INT64_C(1767969300000000000));
}

static void what_may_be_absent_has_a_default(void **state) {
    struct oms_decision d;
    char why[DECISION_JSON_WHY_SIZE];
    (void)state;
    assert_int_equal(decision_json_read("{\"id\":\"D1\",\"side\":\"buy\",\"qty\":\"1\",\"symbol\":"
                                        "\"SPY\",\"type\":\"market\"}",
                                        &d, why),
                     DECISION_JSON_DECIDE);
    assert_int_equal(d.tif, BROKER_DAY);
    assert_true(d.limit_nanos == 0 && d.expires_ns == 0);
}

static void a_cancel_names_its_decision(void **state) {
    struct oms_decision d;
    char why[DECISION_JSON_WHY_SIZE];
    (void)state;
    assert_int_equal(decision_json_read("{\"cancel\":\"D1\"}", &d, why), DECISION_JSON_CANCEL);
    assert_string_equal(d.id, "D1");
}

static void what_is_wrong_is_named_with_its_value_and_rule(void **state) {
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"", "document: is empty"},
        {"buy 100 AAPL", "document: is not JSON"},
        {"{} {}", "document: goes on after its end"},
        {"[1]", "a line must be one JSON object"},
        {"{}", "id is missing"},
        {"{\"cancel\":7}", "cancel must be a decision's id"},
        {"{\"cancel\":\"D1\",\"id\":\"D1\"}", "field \"cancel\" is not known here"},
        {"{\"id\":\"D1\",\"side\":\"long\"}", "side \"long\" must be \"buy\" or \"sell\""},
        {"{\"id\":\"D1\",\"quantity\":\"1\"}", "field \"quantity\" is not known here"},
        {"{\"id\":\"D1\",\"id\":\"D2\"}", "id is there twice"},
        {"{\"qty\":100}", "qty must be a positive decimal in a string, with at most nine places"},
        {"{\"qty\":\"-1\"}",
         "qty \"-1\" must be a positive decimal in a string, with at most nine places"},
        {"{\"id\":\"D1\",\"side\":\"buy\",\"qty\":\"1\",\"symbol\":\"SPY\",\"type\":\"limit\"}",
         "limit_price belongs to a limit order, and only to one"},
        {"{\"id\":\"D1\",\"side\":\"buy\",\"qty\":\"1\",\"symbol\":\"SPY\",\"type\":\"market\","
         "\"limit_price\":\"3\"}",
         "limit_price belongs to a limit order, and only to one"},
        {"{\"id\":\"D1\",\"expires_at\":\"soon\"}",
         "expires_at \"soon\" must be a time as in \"2026-01-09T14:35:00Z\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oms_decision d;
        char why[DECISION_JSON_WHY_SIZE];
        assert_int_equal(decision_json_read(cases[i].line, &d, why), DECISION_JSON_WRONG);
        assert_string_equal(why, cases[i].why);
    }
}

static void every_cut_of_a_line_is_refused_or_whole(void **state) {
    char cut[sizeof WHOLE], why[DECISION_JSON_WHY_SIZE];
    struct oms_decision d;
    (void)state;
    for (size_t length = 0; length < sizeof WHOLE - 1; length++) {
        memcpy(cut, WHOLE, length);
        cut[length] = '\0';
        assert_int_equal(decision_json_read(cut, &d, why), DECISION_JSON_WRONG);
        assert_true(why[0] != '\0');
    }
}

static void answers_are_one_object_a_line(void **state) {
    struct oms_answer answer = {.taken = OMS_TAKEN, .state = OMS_STATE_INTENT};
    char out[DECISION_JSON_SIZE];
    (void)state;
    strcpy(answer.client_order_id, "cg-1");
    assert_string_equal(decision_json_answer("D1", &answer, out),
                        "{\"id\":\"D1\",\"answer\":\"taken\",\"state\":\"intent\","
                        "\"client_order_id\":\"cg-1\"}");
    answer.taken = OMS_NOT_TAKEN;
    strcpy(answer.reason, "the kill switch is on: \"x\"");
    assert_string_equal(decision_json_answer("D1", &answer, out),
                        "{\"id\":\"D1\",\"answer\":\"not-taken\",\"reason\":\"the kill switch is "
                        "on: \\\"x\\\"\"}");
    assert_string_equal(decision_json_cancel("D1", NULL, out),
                        "{\"cancel\":\"D1\",\"answer\":\"asked\"}");
    assert_string_equal(decision_json_cancel("D1", "there is none", out),
                        "{\"cancel\":\"D1\",\"answer\":\"refused\",\"reason\":\"there is none\"}");
    assert_string_equal(decision_json_wrong(7, "id is missing", out),
                        "{\"error\":\"line 7: id is missing\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_decision_is_read_exactly),
        cmocka_unit_test(what_may_be_absent_has_a_default),
        cmocka_unit_test(a_cancel_names_its_decision),
        cmocka_unit_test(what_is_wrong_is_named_with_its_value_and_rule),
        cmocka_unit_test(every_cut_of_a_line_is_refused_or_whole),
        cmocka_unit_test(answers_are_one_object_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
