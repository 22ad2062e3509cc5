/* The adapter against a peer that answers anything at all: garbage is a doubt, never a fact. */
#include "core/live/alpaca.h"
#include "core/profile.h"
#include "sim/wire_link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPLY_SIZE = TRANSPORT_BODY_MAX + 4096, REQUEST_SIZE = 4096 };

/* ---- a peer with one answer ---- */

static struct peer {
    int link; /* -1: none */
    char request[REQUEST_SIZE];
    size_t request_n;
    char *reply;
    size_t reply_n, reply_at;
    unsigned connections;
    int64_t now_ns;
} peer;

static void hang_up(void) {
    if (peer.link >= 0)
        wire_link_hang_up(peer.link, false);
    peer.link = -1;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)ctx, (void)purpose, (void)address;
    hang_up();
    peer.link = wire_link_open(false);
    assert_true(peer.link >= 0);
    peer.request_n = peer.reply_at = 0;
    peer.connections++;
    return peer.link;
}

static int close_socket(void *ctx, curl_socket_t fd) {
    (void)ctx;
    return close(fd);
}

/* Answers once headers are in; hangs up after the last byte. Otherwise time passes. */
static bool wait_for_peer(void *ctx, CURLM *multi, int64_t until_ns) {
    (void)ctx, (void)multi;
    const char *bytes = NULL;
    size_t n = 0;
    if (peer.link < 0) {
        peer.now_ns += PROFILE_SECOND_NS / 1000;
        return peer.now_ns <= until_ns;
    }
    wire_link_take(peer.link, &bytes, &n);
    assert_true(n < REQUEST_SIZE - peer.request_n);
    memcpy(peer.request + peer.request_n, bytes, n);
    peer.request_n += n;
    peer.request[peer.request_n] = '\0';
    if (strstr(peer.request, "\r\n\r\n") == NULL)
        return true;
    peer.reply_at +=
        wire_link_put(peer.link, peer.reply + peer.reply_at, peer.reply_n - peer.reply_at);
    if (peer.reply_at == peer.reply_n)
        hang_up();
    return true;
}

static int64_t now_ns(void *ctx) {
    (void)ctx;
    return peer.now_ns;
}

static struct alpaca *alpaca;
static struct broker broker;

static int setup(void **state) {
    (void)state;
    static const struct transport_io io = {.opensocket = open_socket,
                                           .closesocket = close_socket,
                                           .wait = wait_for_peer,
                                           .now_ns = now_ns};
    char error[200];
    peer = (struct peer){.link = -1, .reply = malloc(REPLY_SIZE)};
    assert_non_null(peer.reply);
    struct alpaca_config config = {.url = "http://127.0.0.1:1/",
                                   .key_id = "key-id-text",
                                   .secret = "secret-text",
                                   .profile = profile_find("alpaca"),
                                   .io = &io};
    alpaca = alpaca_open(&config, error, sizeof error);
    assert_non_null(alpaca);
    alpaca_broker(alpaca, &broker);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    alpaca_close(alpaca);
    hang_up();
    free(peer.reply);
    return 0;
}

static void answer_raw(const char *text) {
    peer.reply_n = strlen(text);
    memcpy(peer.reply, text, peer.reply_n);
}

static void answer(const char *status, const char *body) {
    peer.reply_n = (size_t)snprintf(peer.reply, REPLY_SIZE,
                                    "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n"
                                    "Content-Length: %zu\r\n\r\n%s",
                                    status, strlen(body), body);
}

#define ORDER(qty)                                                                           \
    "{\"id\":\"b-1\",\"client_order_id\":\"c-1\",\"submitted_at\":\"2026-01-09T14:35:00Z\"," \
    "\"symbol\":\"AAPL\",\"qty\":" qty                                                       \
    ",\"filled_qty\":\"0\",\"type\":\"market\",\"side\":\"buy\","                            \
    "\"time_in_force\":\"day\",\"limit_price\":null,\"status\":\"new\"}"
#define NOT_FOUND "{\"code\":40410000,\"message\":\"order not found\"}"

static enum broker_sent submit(struct broker_reason *why) {
    struct broker_request r = {
        .client_order_id = "c-1", .symbol = "AAPL", .qty_nanos = INT64_C(1000000000)};
    struct broker_order order;
    unsigned before = peer.connections;
    enum broker_sent sent = broker.submit(broker.ctx, &r, &order, why);
    assert_int_equal(peer.connections, before + 1);
    assert_non_null(strstr(peer.request, "POST /v2/orders HTTP/1.1\r\n"));
    assert_non_null(strstr(peer.request, "APCA-API-SECRET-KEY: secret-text\r\n"));
    assert_null(strstr(peer.request, "Expect:"));
    assert_null(strstr(why->text, "secret-text"));
    assert_null(strstr(why->text, "key-id-text"));
    return sent;
}

static enum broker_found lookup(struct broker_reason *why) {
    struct broker_order order;
    return broker.lookup(broker.ctx, "c-1", &order, why);
}

static bool list_anything(struct broker_reason *why) {
    struct broker_orders orders = {0};
    struct broker_fills fills = {0};
    struct broker_positions positions = {0};
    struct broker_account account;
    bool any = broker.orders(broker.ctx, BROKER_ALL_ORDERS, 0, &orders, why);
    any = broker.fills(broker.ctx, 0, &fills, why) || any;
    any = broker.positions(broker.ctx, &positions, why) || any;
    any = broker.account(broker.ctx, &account, why) || any;
    broker_orders_free(&orders);
    broker_fills_free(&fills);
    broker_positions_free(&positions);
    return any;
}

/* ---- the tests ---- */

static void the_peer_is_believed_when_it_is_whole(void **state) {
    (void)state;
    struct broker_reason why;
    answer("200 OK", ORDER("\"1\""));
    assert_int_equal(submit(&why), BROKER_ACCEPTED);
    assert_int_equal(lookup(&why), BROKER_FOUND);
    answer("404 Not Found", NOT_FOUND);
    assert_int_equal(lookup(&why), BROKER_ABSENT);
    answer("204 No Content", "");
    assert_int_equal(broker.cancel(broker.ctx, "b-1", &why), BROKER_CANCEL_TAKEN);
    assert_non_null(strstr(peer.request, "DELETE /v2/orders/b-1 HTTP/1.1\r\n"));
    answer_raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n");
    struct broker_positions none = {0};
    assert_true(broker.positions(broker.ctx, &none, &why));
    assert_int_equal(none.n, 0);
}

static void damaged_answers_are_doubts_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *status, *body;
        const char *reason; /* of the submit */
    } cases[] = {
        {"200 OK", "", "damaged answer: document: is empty"},
        {"200 OK", "\xff\xfe garbage", "damaged answer: document: is not JSON"},
        {"200 OK", "<html>login</html>", "damaged answer: document: is not JSON"},
        {"200 OK", "null", "damaged answer: order: must be an object"},
        {"200 OK", "{}", NULL},
        {"200 OK", ORDER("1"), "damaged answer: qty: must be a decimal in a string"},
        {"200 OK", ORDER("\"2\""), "the answer's qty is not what was sent"},
        {"200 OK", ORDER("\"1\"") "x", "damaged answer: document: goes on after its end"},
        {"201 Created", ORDER("\"1\""), NULL},
        {"202 Accepted", "", NULL},
        {"204 No Content", "", NULL},
        {"301 Moved\r\nLocation: http://127.0.0.1:1/v3", "", NULL},
        {"307 Temporary Redirect\r\nLocation: /v3/orders", "", NULL},
        {"400 Bad Request", "{\"message\":\"bad request\"}", "bad request"}, /* a gateway's */
        {"403 Forbidden", "{\"message\":\"forbidden\"}", "forbidden"},
        {"422 Unprocessable Entity", "{\"message\":\"not so\"}", "not so"},
        {"400 Bad Request", "<html>400</html>", "HTTP 400 without the broker's JSON message"},
        {"401 Unauthorized", "<html>401</html>", NULL},
        {"403 Forbidden", "", "HTTP 403 without the broker's JSON message"},
        {"404 Not Found", "", NULL},
        {"404 Not Found", "<html>404</html>", NULL},
        {"404 Not Found", "{\"message\":\"no such route\"}", "no such route"},
        {"404 Not Found", "{\"code\":\"40410000\",\"message\":\"x\"}", "x"},
        {"408 Request Timeout", "", NULL},
        {"422 Unprocessable Entity", "{\"code\":40010001}", NULL},
        {"422 Unprocessable Entity", "{\"message\":\"cut", NULL},
        {"429 Too Many Requests", "{\"message\":\"slow down\"}", "slow down"},
        {"500 Internal Server Error", "{\"code\":50010000,\"message\":\"oops\"}", "oops"},
        {"502 Bad Gateway", "<html>502</html>", NULL},
        {"504 Gateway Timeout", "", NULL},
        {"999 Strange", "{\"code\":40410000,\"message\":\"order not found\"}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct broker_reason why;
        answer(cases[i].status, cases[i].body);
        assert_int_equal(submit(&why), BROKER_IN_DOUBT);
        if (cases[i].reason != NULL)
            assert_string_equal(why.text, cases[i].reason);
        bool of_submit_only = strncmp(cases[i].body, "{\"id\"", 5) == 0;
        if (!of_submit_only) {
            assert_int_equal(lookup(&why), BROKER_INCONCLUSIVE);
            assert_false(list_anything(&why));
        }
        if (strncmp(cases[i].status, "204", 3) != 0)
            assert_int_equal(broker.cancel(broker.ctx, "b-1", &why), BROKER_CANCEL_IN_DOUBT);
    }
}

static void an_answer_whose_end_cannot_be_known_is_a_doubt(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        "HTTP/1.1 404 Not Found\r\n\r\n" NOT_FOUND, /* ends by hanging up */
        "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n" NOT_FOUND,
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n31\r\n" NOT_FOUND,
        "HTTP/1.1 404 Not Found\r\nContent-Length: 999\r\n\r\n" NOT_FOUND,
        NOT_FOUND,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 204 No Content\r\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct broker_reason why;
        answer_raw(cases[i]);
        assert_int_equal(submit(&why), BROKER_IN_DOUBT);
        assert_true(why.text[0] != '\0');
        assert_int_equal(lookup(&why), BROKER_INCONCLUSIVE);
        assert_true(why.text[0] != '\0');
        assert_int_equal(broker.cancel(broker.ctx, "b-1", &why), BROKER_CANCEL_IN_DOUBT);
    }
}

static void a_huge_answer_is_cut_off_and_a_doubt(void **state) {
    (void)state;
    struct broker_reason why;
    int head = snprintf(peer.reply, REPLY_SIZE, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                        TRANSPORT_BODY_MAX + 1);
    memset(peer.reply + head, ' ', TRANSPORT_BODY_MAX + 1);
    peer.reply_n = (size_t)head + TRANSPORT_BODY_MAX + 1;
    assert_int_equal(submit(&why), BROKER_IN_DOUBT);
    assert_string_equal(why.text, "the answer is longer than 8388608 bytes");
    assert_int_equal(lookup(&why), BROKER_INCONCLUSIVE);
}

static void lists_that_contradict_themselves_are_inconclusive(void **state) {
    (void)state;
    struct broker_reason why;
    struct broker_positions positions = {0};
    struct broker_orders orders = {0};
    answer("200 OK",
           "[{\"symbol\":\"A\",\"asset_class\":\"us_equity\",\"qty\":\"1\",\"side\":\"long\","
           "\"avg_entry_price\":\"1\"},"
           "{\"symbol\":\"A\",\"asset_class\":\"us_equity\",\"qty\":\"2\",\"side\":\"long\","
           "\"avg_entry_price\":\"1\"}]");
    assert_false(broker.positions(broker.ctx, &positions, &why));
    assert_string_equal(why.text, "position A is listed twice");
    broker_positions_free(&positions);
    answer("200 OK", "[" ORDER("\"1\"") ",3]");
    assert_false(broker.orders(broker.ctx, BROKER_ALL_ORDERS, 0, &orders, &why));
    assert_string_equal(why.text, "damaged answer: order: must be an object");
    broker_orders_free(&orders);
}

static void urls_and_keys_that_would_leak_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *url, *secret, *error;
    } cases[] = {
        {"http://api.example.com", "s", "must be https"},
        {"http://127.0.0.1.example.com", "s", "must be https"},
        {"ftp://127.0.0.1", "s", "must be https"},
        {"api.example.com", "s", "must be a URL with a scheme"},
        {"https://user@api.example.com", "s", "without user, path or query"},
        {"https://api.example.com/v2", "s", "without user, path or query"},
        {"https://api.example.com?x=1", "s", "without user, path or query"},
        {"", "s", "must be a URL"},
        {"https://api.example.com", "first\r\nsecond", "secret must be"},
        {"https://api.example.com", "", "secret must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char error[300];
        struct transport_config config = {
            .url = cases[i].url, .key_id = "k", .secret = cases[i].secret, .timeout_ns = 1};
        assert_null(transport_open(&config, error, sizeof error));
        assert_non_null(strstr(error, cases[i].error));
        assert_null(strstr(error, "second"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_peer_is_believed_when_it_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_answers_are_doubts_with_a_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_whose_end_cannot_be_known_is_a_doubt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_huge_answer_is_cut_off_and_a_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_that_contradict_themselves_are_inconclusive, setup,
                                        teardown),
        cmocka_unit_test(urls_and_keys_that_would_leak_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
