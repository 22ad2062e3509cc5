/* The small values: decimals, digests, client order ids, profiles, positions, times, words. */
#include "core/client_id.h"
#include "core/position.h"
#include "core/sha256.h"
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNIT ((int64_t)DECIMAL_NANOS)

static void decimals_are_read_exactly(void **state) {
    static const struct {
        const char *text;
        int64_t nanos;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"100", 100 * UNIT},
                {"150.5", 150500000000},
                {"0.000000001", 1},
                {"-0.000000001", -1},
                {"1.10000000000000000", 1100000000},
                {"007", 7 * UNIT},
                {"9223372036.854775807", INT64_MAX},
                {"-9223372036.854775808", INT64_MIN}};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t nanos = 77;
        assert_true(decimal_parse(good[i].text, &nanos));
        assert_true(nanos == good[i].nanos);
    }
}

static void what_is_no_decimal_is_refused_and_changes_nothing(void **state) {
    static const char *const bad[] = {"",
                                      "-",
                                      ".5",
                                      "5.",
                                      "1.0000000001",
                                      "1e3",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "nan",
                                      "1,000",
                                      "--1",
                                      "1.-2",
                                      "1..2",
                                      "9223372036.854775808",
                                      "-9223372036.854775809",
                                      "99999999999999999999999999"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t nanos = 77;
        assert_false(decimal_parse(bad[i], &nanos));
        assert_true(nanos == 77);
    }
}

static void decimals_are_written_with_as_few_digits_as_are_exact(void **state) {
    char out[DECIMAL_TEXT_MAX];
    int64_t nanos = 0;
    (void)state;
    assert_string_equal(decimal_format(100 * UNIT, 0, out), "100");
    assert_string_equal(decimal_format(150500000000, 0, out), "150.5");
    assert_string_equal(decimal_format(150500000000, 2, out), "150.50");
    assert_string_equal(decimal_format(0, 0, out), "0");
    assert_string_equal(decimal_format(0, 9, out), "0.000000000");
    assert_string_equal(decimal_format(-1, 0, out), "-0.000000001");
    assert_string_equal(decimal_format(INT64_MIN, 0, out), "-9223372036.854775808");
    assert_true(decimal_parse(out, &nanos));
    assert_true(nanos == INT64_MIN);
    assert_string_equal(decimal_format_wide((decimal_wide)15000 * UNIT * UNIT + 1, 0, out),
                        "15000.000000000000000001");
    assert_string_equal(decimal_format_wide((decimal_wide)INT64_MIN * INT64_MAX, 0, out),
                        "-85070591730234615856.620279821087277056");
}

static void division_rounds_half_away_from_zero(void **state) {
    (void)state;
    assert_true(decimal_divide_rounded(5, 2) == 3);
    assert_true(decimal_divide_rounded(-5, 2) == -3);
    assert_true(decimal_divide_rounded(5, -2) == -3);
    assert_true(decimal_divide_rounded(-5, -2) == 3);
    assert_true(decimal_divide_rounded(4, 3) == 1);
    assert_true(decimal_divide_rounded(5, 3) == 2);
    assert_true(decimal_divide_rounded(-4, 3) == -1);
    assert_true(decimal_divide_rounded(0, 3) == 0);
}

static void assert_digest(const char *text, size_t times, const char *wanted) {
    unsigned char digest[SHA256_SIZE];
    char hex[SHA256_SIZE * 2 + 1];
    struct sha256 sha;
    sha256_start(&sha);
    for (size_t i = 0; i < times; i++) {
        sha256_add(&sha, text, strlen(text));
    }
    sha256_finish(&sha, digest);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    assert_string_equal(hex, wanted);
}

static void sha_256_gives_the_standard_digests(void **state) {
    (void)state;
    assert_digest("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void a_client_order_id_is_a_function_of_account_and_decision_only(void **state) {
    char a[BROKER_CLIENT_ID_SIZE], b[BROKER_CLIENT_ID_SIZE];
    (void)state;
    oms_client_order_id("DESK1", "AAPL_BUY_2026-01-09_10:00", 36, a);
    oms_client_order_id("DESK1", "AAPL_BUY_2026-01-09_10:00", 36, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567-"), 36);
    assert_true(client_id_is_ours(a));
    assert_false(client_id_is_ours("order_12345"));
    oms_client_order_id("DESK1", "AAPL_BUY_2026-01-09_10:01", 36, b);
    assert_string_not_equal(a, b);
    oms_client_order_id("DESK2", "AAPL_BUY_2026-01-09_10:00", 36, b);
    assert_string_not_equal(a, b);
    oms_client_order_id("DESK", "1X", 36, a); /* the two parts do not run together */
    oms_client_order_id("DESK1", "X", 36, b);
    assert_string_not_equal(a, b);
    oms_client_order_id("DESK1", "X", 60, a);
    assert_int_equal(strlen(a), 54); /* all that a digest has */
    assert_memory_equal(a, b, 36);
}

static void profiles_declare_what_each_broker_allows(void **state) {
    (void)state;
    for (size_t i = 0; profile_at(i) != NULL; i++) {
        const struct profile *profile = profile_at(i);
        assert_ptr_equal(profile_find(profile->name), profile);
        assert_true(profile->client_id_max == 36);
        assert_true(profile->quiescence_ns == 20 * PROFILE_SECOND_NS);
        assert_true(profile->guarantee[0] != '\0');
    }
    assert_true(profile_find("alpaca")->deduplicates);
    assert_false(profile_find("label")->deduplicates);
    assert_true(profile_find("alpaca-retention")->retention_ns == 86400 * PROFILE_SECOND_NS);
    assert_null(profile_find("alpac"));
}

static void a_position_keeps_its_cost_exactly(void **state) {
    struct position position = {.symbol = "AAPL"};
    (void)state;
    position_reset(&position);
    assert_true(position_apply(&position, BROKER_BUY, 3 * UNIT, 10 * UNIT));
    assert_true(position_apply(&position, BROKER_BUY, 4 * UNIT, 11 * UNIT));
    assert_true(position.cost == (decimal_wide)74 * UNIT * UNIT);
    assert_true(position_average(position.qty, position.cost) == 10571428571);
    assert_true(position_apply(&position, BROKER_SELL, 2 * UNIT, 12 * UNIT));
    assert_true(position.qty == 5 * UNIT);
    /* 74 * 2 / 7 rounded leaves the remainder with the position: nothing is lost */
    assert_true(position.cost + (decimal_wide)24 * UNIT * UNIT - position.realized ==
                (decimal_wide)74 * UNIT * UNIT);
    assert_true(position_apply(&position, BROKER_SELL, 8 * UNIT, 12 * UNIT));
    assert_true(position.qty == -3 * UNIT); /* through flat to short */
    assert_true(position.cost == (decimal_wide)-36 * UNIT * UNIT);
    assert_true(position.realized == (decimal_wide)(7 * 12 - 74) * UNIT * UNIT);
    assert_true(position_apply(&position, BROKER_BUY, 3 * UNIT, 10 * UNIT));
    assert_true(position.qty == 0 && position.cost == 0);
    assert_true(position.realized == (decimal_wide)(10 + 6) * UNIT * UNIT);
}

static void a_position_that_would_not_fit_is_left_alone(void **state) {
    struct position position = {.symbol = "AAPL"};
    (void)state;
    position_reset(&position);
    assert_true(position_apply(&position, BROKER_BUY, INT64_MAX, INT64_MAX));
    assert_false(position_apply(&position, BROKER_BUY, 1, 1));
    assert_true(position.qty == INT64_MAX);
    assert_true(position_apply(&position, BROKER_SELL, INT64_MAX, INT64_MAX));
    assert_true(position.qty == 0 && position.cost == 0 && position.realized == 0);
}

static void times_are_written_in_utc(void **state) {
    char out[TEXT_TIME_SIZE];
    (void)state;
    assert_string_equal(text_time(0, out), "1970-01-01T00:00:00.000000000Z");
    assert_string_equal(text_time(-1, out), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(text_time(INT64_C(1767952800123456789), out),
                        "2026-01-09T10:00:00.123456789Z");
    assert_string_equal(text_time(INT64_C(951782400000000000), out),
                        "2000-02-29T00:00:00.000000000Z");
}

static void words_are_read_back_as_written(void **state) {
    enum broker_tif tif;
    enum oms_state found;
    (void)state;
#define X(id, name, open)                                                         \
    assert_int_equal(broker_status_parse(broker_status_name(BROKER_STATUS_##id)), \
                     BROKER_STATUS_##id);                                         \
    assert_int_equal(broker_status_is_open(BROKER_STATUS_##id), open);
    BROKER_STATUSES(X)
#undef X
    assert_int_equal(broker_status_parse("frozen"), BROKER_STATUS_UNKNOWN);
    assert_true(broker_status_is_open(BROKER_STATUS_UNKNOWN));
#define X(id, word, final, meaning)                                       \
    assert_true(oms_state_parse(oms_state_name(OMS_STATE_##id), &found)); \
    assert_int_equal(found, OMS_STATE_##id);
    OMS_STATES(X)
#undef X
#define X(id, name)                                                    \
    assert_true(broker_tif_parse(broker_tif_name(BROKER_##id), &tif)); \
    assert_int_equal(tif, BROKER_##id);
    BROKER_TIFS(X)
#undef X
    assert_false(oms_state_parse("", &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_read_exactly),
        cmocka_unit_test(what_is_no_decimal_is_refused_and_changes_nothing),
        cmocka_unit_test(decimals_are_written_with_as_few_digits_as_are_exact),
        cmocka_unit_test(division_rounds_half_away_from_zero),
        cmocka_unit_test(sha_256_gives_the_standard_digests),
        cmocka_unit_test(a_client_order_id_is_a_function_of_account_and_decision_only),
        cmocka_unit_test(profiles_declare_what_each_broker_allows),
        cmocka_unit_test(a_position_keeps_its_cost_exactly),
        cmocka_unit_test(a_position_that_would_not_fit_is_left_alone),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(words_are_read_back_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
