/* Files of expected signals: both forms, and what is said about a mistake. */
#include "core/live/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define HEAD "id,symbol,side,qty,price,time\n"
#define ROW  "D1,AAPL,buy,100,150.25,2026-01-09T14:35:00Z\n"

static struct signals signals;
static char why[SIGNALS_WHY_SIZE];

static bool read_bytes(const char *bytes, size_t length) {
    FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "r");
    assert_non_null(file);
    signals_free(&signals);
    bool read = signals_read(file, "s.csv", &signals, why);
    fclose(file);
    return read;
}

static bool read_text(const char *text) {
    return read_bytes(text, strlen(text));
}

static void both_forms_say_the_same(void **state) {
    static const char *const forms[] = {
        HEAD ROW,
        "\n time , price,qty ,side,symbol,id\r\n2026-01-09T14:35:00Z, 150.25 "
        ",100,buy,AAPL,D1\r\n\n",
        "{\"id\":\"D1\",\"symbol\":\"AAPL\",\"side\":\"buy\",\"qty\":\"100\",\"price\":\"150.25\","
        "\"time\":\"2026-01-09T09:35:00-05:00\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_true(read_text(forms[i]));
        assert_int_equal(signals.n, 1);
        assert_string_equal(signals.v[0].id, "D1");
        assert_string_equal(signals.v[0].symbol, "AAPL");
        assert_int_equal(signals.v[0].side, BROKER_BUY);
        assert_int_equal(signals.v[0].qty_nanos, INT64_C(100000000000));
        assert_int_equal(signals.v[0].due_nanos, signals.v[0].qty_nanos);
        assert_int_equal(signals.v[0].price_nanos, INT64_C(150250000000));
        assert_int_equal(signals.times[0].at_ns, INT64_C(1767969300000000000));
    }
    assert_true(read_text("{}") || strstr(why, "s.csv:1: field \"id\" is missing") != NULL);
}

static void an_empty_file_has_no_signals(void **state) {
    (void)state;
    assert_true(read_text("\n"));
    assert_int_equal(signals.n, 0);
    assert_true(read_text(HEAD));
    assert_int_equal(signals.n, 0);
}

static void a_mistake_is_told_with_its_place_value_and_rule(void **state) {
    static const struct {
        const char *text, *said;
    } wrongs[] = {
        {HEAD ROW "D2,AAPL,buy,1o0,150,2026-01-09T14:35:00Z\n",
         "s.csv:3: qty \"1o0\" must be a positive decimal"},
        {HEAD "D1,AAPL,buy,-1,150,2026-01-09T14:35:00Z\n", "s.csv:2: qty \"-1\" must be"},
        {HEAD "D1,AAPL,buy,1,0,2026-01-09T14:35:00Z\n", "s.csv:2: price \"0\" must be"},
        {HEAD "D1,AAPL,hold,1,1,2026-01-09T14:35:00Z\n", "s.csv:2: side \"hold\" must be buy or"},
        {HEAD "D1,aapl,buy,1,1,2026-01-09T14:35:00Z\n", "s.csv:2: symbol \"aapl\" must be"},
        {HEAD "D 1,AAPL,buy,1,1,2026-01-09T14:35:00Z\n", "s.csv:2: id \"D 1\" must be"},
        {HEAD "D1,AAPL,buy,1,1,yesterday\n", "s.csv:2: time \"yesterday\" must be a time as in"},
        {HEAD "D1,AAPL,buy,1,1\n", "s.csv:2: time is missing on this line"},
        {HEAD "D1,AAPL,buy,1,1,2026-01-09T14:35:00Z,more\n",
         "s.csv:2: value \"more\" is one too many"},
        {HEAD ROW "\n" ROW, "s.csv:4: id \"D1\" is there twice: first on line 2"},
        {"id,symbol,side,qty,price,when\n", "s.csv:1: column \"when\" is not one of id, symbol,"},
        {"id,symbol,side,qty,price\n", "s.csv:1: column \"time\" is missing"},
        {"id,symbol,side,qty,id,price,time\n", "s.csv:1: column \"id\" is there twice"},
        {"{\"id\":\"D1\",\"qtty\":\"1\"}", "s.csv:1: field \"qtty\" is not one of"},
        {"{\"id\":\"D1\",\"qty\":1}", "s.csv:1: qty must be a string"},
        {"{\"id\":\"D1\",\"id\":\"D2\"}", "s.csv:1: "},
        {"{\"id\":\"D1\"\n", "s.csv:1: "},
        {"{}\n", "s.csv:1: field \"id\" is missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        assert_false(read_text(wrongs[i].text));
        if (strstr(why, wrongs[i].said) == NULL)
            fail_msg("'%s' was said, not '%s'", why, wrongs[i].said);
    }
}

static void a_line_without_an_end_is_no_line(void **state) {
    static char text[SIGNALS_LINE_MAX * 2];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_false(read_text(text));
    assert_non_null(strstr(why, "s.csv:1: this line must be at most"));
    assert_false(read_bytes(HEAD "D1\0,AAPL\n" ROW, sizeof(HEAD "D1\0,AAPL\n" ROW) - 1));
    assert_non_null(strstr(why, "s.csv:2: "));
}

static int forget(void **state) {
    (void)state;
    signals_free(&signals);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_say_the_same),
        cmocka_unit_test(an_empty_file_has_no_signals),
        cmocka_unit_test(a_mistake_is_told_with_its_place_value_and_rule),
        cmocka_unit_test(a_line_without_an_end_is_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
