/* Strict reading of the broker's JSON: one good text per object, and every way to damage it. */
#include "core/live/alpaca_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 2048 };

static const char ORDER[] =
    "{\"id\":\"b-1\",\"client_order_id\":\"c-1\",\"submitted_at\":\"2026-01-09T14:35:00.5Z\","
    "\"symbol\":\"AAPL\",\"notional\":null,\"qty\":\"100\",\"filled_qty\":\"25.5\",\"type\":"
    "\"limit\","
    "\"side\":\"sell\",\"time_in_force\":\"gtc\",\"limit_price\":\"150.25\",\"status\":\"partially_"
    "filled\","
    "\"extra\":{\"deep\":[1,2,{\"x\":null}]}}";

/* ORDER with one piece of text replaced. */
static const char *with(const char *from, const char *to) {
    static char text[TEXT_SIZE];
    const char *at = strstr(ORDER, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - ORDER), ORDER, to, at + strlen(from));
    return text;
}

static bool read_order(const char *text, struct broker_order *order,
                       struct alpaca_complaint *complaint) {
    cJSON *json = alpaca_parse(text, strlen(text), complaint);
    bool read = json != NULL && alpaca_read_order(json, true, order, complaint);
    cJSON_Delete(json);
    return read;
}

static void a_whole_order_is_read(void **state) {
    (void)state;
    struct broker_order o;
    struct alpaca_complaint complaint;
    assert_true(read_order(ORDER, &o, &complaint));
    assert_string_equal(o.id, "b-1");
    assert_string_equal(o.client_order_id, "c-1");
    assert_string_equal(o.symbol, "AAPL");
    assert_int_equal(o.side, BROKER_SELL);
    assert_int_equal(o.type, BROKER_LIMIT);
    assert_int_equal(o.tif, BROKER_GTC);
    assert_int_equal(o.qty_nanos, INT64_C(100000000000));
    assert_int_equal(o.filled_nanos, INT64_C(25500000000));
    assert_int_equal(o.limit_nanos, INT64_C(150250000000));
    assert_int_equal(o.status, BROKER_STATUS_PARTIALLY_FILLED);
    assert_int_equal(o.submitted_ns, INT64_C(1767969300500000000));
}

static void an_unknown_status_is_kept_in_its_own_words(void **state) {
    (void)state;
    struct broker_order o;
    struct alpaca_complaint complaint;
    assert_true(read_order(with("partially_filled", "pondering"), &o, &complaint));
    assert_int_equal(o.status, BROKER_STATUS_UNKNOWN);
    assert_string_equal(o.status_text, "pondering");
}

static void other_peoples_orders_do_not_blind_us(void **state) {
    (void)state;
    struct broker_order o;
    struct alpaca_complaint complaint;
    assert_true(
        read_order(with("\"notional\":null,\"qty\":\"100\"", "\"notional\":\"500\",\"qty\":null"),
                   &o, &complaint));
    assert_int_equal(o.qty_nanos, o.filled_nanos);
    assert_true(read_order(with("\"type\":\"limit\"", "\"type\":\"stop_limit\""), &o, &complaint));
}

static void every_damage_is_found_and_named(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *complaint;
    } cases[] = {
        {"\"100\"", "100", "qty: must be a decimal in a string"},
        {"\"100\"", "\"1e2\"", "qty: must be a decimal in a string"},
        {"\"100\"", "\"-100\"", "qty: must be positive"},
        {"\"100\"", "null", "qty: must be a decimal in a string"},
        {"\"100\"", "\"99999999999999999999\"", "qty: must be a decimal in a string"},
        {"\"25.5\"", "\"100.000000001\"", "filled_qty: must be within 0 and qty"},
        {"\"25.5\"", "\"-1\"", "filled_qty: must be within 0 and qty"},
        {"\"150.25\"", "null", "limit_price: must be a decimal in a string"},
        {"\"sell\"", "\"short\"", "side: must be buy or sell"},
        {"\"gtc\"", "\"gtd\"", "time_in_force: must be a known word"},
        {"2026-01-09T", "2026-01-09 ", "submitted_at: must be an RFC 3339 time in a string"},
        {"\"b-1\"", "\"\"", "id: must be one string, not empty and not too long"},
        {"\"b-1\"", "1", "id: must be one string, not empty and not too long"},
        {"\"b-1\"", "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
         "id: must be one string, not empty and not too long"},
        {"\"c-1\"", "\"c\\n1\"", "client_order_id: must be printable ASCII"},
        {"\"c-1\"", "\"c-1\\u0000x\"", "document: must not hold a NUL"},
        {"\"symbol\":\"AAPL\"", "\"symbol\":\"AAPL\",\"symbol\":\"MSFT\"",
         "symbol: must be one string, not empty and not too long"},
        {"[1,2,", "[1,2,[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]],", "document: is nested too deeply"},
        {"null}]}}", "null}]}} {}", "document: goes on after its end"},
        {"null}]}}", "null}]}", "document: is not JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct broker_order o;
        struct alpaca_complaint complaint = {""};
        assert_false(read_order(with(cases[i].from, cases[i].to), &o, &complaint));
        assert_string_equal(complaint.text, cases[i].complaint);
    }
}

/* A bust says what it takes back, or nothing, or 0: what is left is 0. */
static void busts_and_corrections_name_what_they_are_about(void **state) {
    (void)state;
    static const struct {
        const char *type, *more, *complaint;
        int64_t qty_nanos;
    } cases[] = {
        {"fill", "", "", INT64_C(5000000000)},
        {"partial_fill", "", "", INT64_C(5000000000)},
        {"trade_correct", ",\"previous_execution_id\":\"F1\"", "", INT64_C(5000000000)},
        {"trade_bust", ",\"previous_execution_id\":\"F1\"", "", 0},
        {"trade_bust", "", "previous_execution_id: must be one string, not empty and not too long",
         0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct alpaca_complaint complaint = {""};
        struct broker_fill fill;
        char text[400];
        snprintf(text, sizeof text,
                 "{\"id\":\"F2\",\"order_id\":\"b-1\",\"symbol\":\"AAPL\",\"side\":\"buy\","
                 "\"qty\":\"5\",\"price\":\"10\",\"transaction_time\":\"2026-01-09T10:00:00Z\","
                 "\"type\":\"%s\"%s}",
                 cases[i].type, cases[i].more);
        cJSON *json = alpaca_parse(text, strlen(text), &complaint);
        assert_non_null(json);
        bool read = alpaca_read_fill(json, &fill, &complaint);
        cJSON_Delete(json);
        assert_string_equal(complaint.text, cases[i].complaint);
        assert_int_equal(read, cases[i].complaint[0] == '\0');
        if (read) {
            assert_int_equal(fill.qty_nanos, cases[i].qty_nanos);
            assert_string_equal(fill.refers, cases[i].more[0] == '\0' ? "" : "F1");
        }
    }
}

static void an_order_cut_anywhere_is_damaged(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof ORDER - 1; n++) {
        struct alpaca_complaint complaint;
        char *cut = malloc(n + 1); /* exactly as long, so that reading past it is caught */
        memcpy(cut, ORDER, n);
        assert_null(alpaca_parse(cut, n, &complaint));
        free(cut);
    }
}

static void depth_alone_cannot_exhaust_the_stack(void **state) {
    (void)state;
    enum { DEEP = 1000000 };
    struct alpaca_complaint complaint;
    char *text = malloc(DEEP);
    memset(text, '[', DEEP);
    assert_null(alpaca_parse(text, DEEP, &complaint));
    assert_string_equal(complaint.text, "document: is nested too deeply");
    free(text);
}

static void positions_agree_with_themselves(void **state) {
    (void)state;
    static const struct {
        const char *symbol, *class, *qty, *side;
        const char *read; /* NULL: damaged */
    } cases[] = {
        {"AAPL", "us_equity", "5", "long", "AAPL"},
        {"AAPL", "us_equity", "-5", "short", "AAPL"},
        {"AAPL", "us_equity", "5", "short", NULL},
        {"AAPL", "us_equity", "-5", "long", NULL},
        {"AAPL", "us_equity", "0", "long", NULL},
        {"AAPL", "us_equity", "5", "flat", NULL},
        {"BTCUSD", "crypto", "0.000000001", "long", "BTC/USD"},
        {"BTC/USD", "crypto", "1", "long", "BTC/USD"},
        {"BTCUSDT", "crypto", "1", "long", "BTC/USDT"},
        {"ETHBTC", "crypto", "1", "long", "ETH/BTC"},
        {"ETHXYZ", "crypto", "1", "long", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        struct broker_position p;
        struct alpaca_complaint complaint;
        int n = snprintf(text, sizeof text,
                         "{\"symbol\":\"%s\",\"asset_class\":\"%s\",\"qty\":\"%s\",\"side\":\"%s\","
                         "\"avg_entry_price\":\"1.5\"}",
                         cases[i].symbol, cases[i].class, cases[i].qty, cases[i].side);
        cJSON *json = alpaca_parse(text, (size_t)n, &complaint);
        assert_non_null(json);
        assert_int_equal(alpaca_read_position(json, &p, &complaint), cases[i].read != NULL);
        if (cases[i].read != NULL)
            assert_string_equal(p.symbol, cases[i].read);
        cJSON_Delete(json);
    }
}

static void a_refusal_needs_an_object_with_a_message(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool read;
        int code;
        const char *message;
    } cases[] = {
        {"{\"code\":40310000,\"message\":\"no money\"}", true, 40310000, "no money"},
        {"{\"message\":\"tab\\there\"}", true, 0, "tab?here"},
        {"{\"code\":\"40310000\",\"message\":\"x\"}", true, 0, "x"},
        {"{\"code\":40310000}", false, 40310000, ""},
        {"{\"message\":\"\"}", false, 0, ""},
        {"[\"message\"]", false, 0, ""},
        {"<html>message</html>", false, 0, ""},
        {"", false, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct alpaca_error error;
        assert_int_equal(alpaca_read_error(cases[i].text, strlen(cases[i].text), &error),
                         cases[i].read);
        assert_int_equal(error.code, cases[i].code);
        assert_string_equal(error.message, cases[i].message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_order_is_read),
        cmocka_unit_test(an_unknown_status_is_kept_in_its_own_words),
        cmocka_unit_test(other_peoples_orders_do_not_blind_us),
        cmocka_unit_test(every_damage_is_found_and_named),
        cmocka_unit_test(busts_and_corrections_name_what_they_are_about),
        cmocka_unit_test(an_order_cut_anywhere_is_damaged),
        cmocka_unit_test(depth_alone_cannot_exhaust_the_stack),
        cmocka_unit_test(positions_agree_with_themselves),
        cmocka_unit_test(a_refusal_needs_an_object_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
