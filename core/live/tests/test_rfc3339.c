/* Times as brokers write them. */
#include "core/live/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void times_are_read_to_the_nanosecond_and_to_utc(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-09T14:35:00Z", INT64_C(1767969300000000000)},
        {"2026-01-09T14:35:00.1Z", INT64_C(1767969300100000000)},
        {"2026-01-09T14:35:00.123456789Z", INT64_C(1767969300123456789)},
        {"2026-01-09T09:35:00.000001-05:00", INT64_C(1767969300000001000)},
        {"2026-01-09T20:05:00+05:30", INT64_C(1767969300000000000)},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000000000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000000)},
        {"2261-12-31T23:59:59.999999999Z", INT64_C(9214646399999999999)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -1;
        assert_true(rfc3339_parse(cases[i].text, &ns));
        assert_int_equal(ns, cases[i].ns);
    }
}

static void what_is_no_time_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "2026-01-09",
        "2026-01-09T14:35:00",
        "2026-01-09 14:35:00Z",
        "2026-01-09T14:35:00z",
        "2026-1-09T14:35:00Z",
        "2026-13-09T14:35:00Z",
        "2026-00-09T14:35:00Z",
        "2025-02-29T14:35:00Z",
        "2100-02-29T14:35:00Z",
        "2026-01-32T14:35:00Z",
        "2026-01-09T24:00:00Z",
        "2026-01-09T14:60:00Z",
        "2026-01-09T14:35:61Z",
        "2026-01-09T14:35:00.Z",
        "2026-01-09T14:35:00.1234567890Z",
        "2026-01-09T14:35:00+0500",
        "2026-01-09T14:35:00+24:00",
        "2026-01-09T14:35:00Zx",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00",
        "2262-01-01T00:00:00Z",
        "-026-01-09T14:35:00Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ns = -7;
        assert_false(rfc3339_parse(cases[i], &ns));
        assert_int_equal(ns, -7);
    }
}

static void what_is_written_is_read_back(void **state) {
    (void)state;
    char text[RFC3339_SIZE];
    int64_t step_ns = INT64_C(86400000000001) * 13; /* 13 days and a little: every month and year */
    for (int64_t ns = 0; ns < INT64_C(9214646399999999999) - step_ns; ns += step_ns) {
        int64_t back;
        assert_true(rfc3339_parse(rfc3339_format(ns, text), &back));
        assert_int_equal(back, ns);
    }
    assert_string_equal(rfc3339_format(INT64_C(1767969300123456789), text),
                        "2026-01-09T14:35:00.123456789Z");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_to_the_nanosecond_and_to_utc),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
