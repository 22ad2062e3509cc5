/* Broker answers: the first byte picks the reader, the rest is the document. */
#include "core/live/alpaca_json.h"
#include "fuzz/inputs/inputs.h"

#include <stdlib.h>
#include <string.h>

#define ORDER                                                                                  \
    "{\"id\":\"b-1\",\"client_order_id\":\"c-1\",\"submitted_at\":\"2026-01-09T14:35:00.5Z\"," \
    "\"symbol\":\"AAPL\",\"notional\":null,\"qty\":\"100\",\"filled_qty\":\"25.5\",\"type\":"  \
    "\"limit\",\"side\":\"sell\",\"time_in_force\":\"gtc\",\"limit_price\":\"150.25\","        \
    "\"status\":\"partially_filled\"}"

enum reader { BY_ID, NOT_BY_ID, FILL, POSITION, ACCOUNT, ERROR, READERS };

const struct input_seed answers_seeds[] = {
    SEED("\0" ORDER),
    SEED("\1" ORDER),
    SEED("\2{\"id\":\"20260109::1\",\"activity_type\":\"FILL\",\"transaction_time\":"
         "\"2026-01-09T14:35:00Z\",\"type\":\"fill\",\"price\":\"150.25\",\"qty\":\"10\",\"side\":"
         "\"buy\",\"symbol\":\"AAPL\",\"leaves_qty\":\"0\",\"order_id\":\"b-1\",\"cum_qty\":"
         "\"10\"}"),
    SEED("\3{\"symbol\":\"AAPL\",\"qty\":\"-10\",\"side\":\"short\",\"avg_entry_price\":\"150."
         "25\"}"),
    SEED("\4{\"account_number\":\"A1\",\"cash\":\"1000.5\",\"buying_power\":\"4000\",\"status\":"
         "\"ACTIVE\",\"trading_blocked\":false,\"account_blocked\":false}"),
    SEED("\5{\"code\":40410000,\"message\":\"order not found\"}"),
    {NULL, 0}};

const char *const answers_words[] = {"\"id\"",
                                     "\"client_order_id\"",
                                     "\"submitted_at\"",
                                     "\"qty\"",
                                     "\"notional\"",
                                     "\"filled_qty\"",
                                     "\"limit_price\"",
                                     "\"status\"",
                                     "\"order_id\"",
                                     "\"symbol\"",
                                     "\"side\"",
                                     "\"type\"",
                                     "\"price\"",
                                     "\"time_in_force\"",
                                     "\"transaction_time\"",
                                     "\"avg_entry_price\"",
                                     "\"trading_blocked\"",
                                     "\"cash\"",
                                     "\"buying_power\"",
                                     "\"message\"",
                                     "\"code\"",
                                     "null",
                                     "true",
                                     "\\u0000",
                                     "9223372036.854775807",
                                     "1e9",
                                     "2026-01-09T14:35:00Z",
                                     "[[[[[[[[[[[[[[[[[",
                                     NULL};

static bool ends(const char *text, size_t size) {
    return memchr(text, '\0', size) != NULL;
}

static void order(const cJSON *json, bool by_id) {
    struct alpaca_complaint complaint = {""};
    struct broker_order order;
    if (!alpaca_read_order(json, by_id, &order, &complaint)) {
        PROMISE(complaint.text[0] != '\0' && ends(complaint.text, sizeof complaint.text));
        return;
    }
    PROMISE(ends(order.id, sizeof order.id) && order.id[0] != '\0');
    PROMISE(ends(order.client_order_id, sizeof order.client_order_id));
    PROMISE(!by_id || order.client_order_id[0] != '\0');
    PROMISE(ends(order.symbol, sizeof order.symbol));
    PROMISE(order.qty_nanos > 0 && order.filled_nanos >= 0);
    PROMISE(order.filled_nanos <= order.qty_nanos);
}

static void fill(const cJSON *json) {
    struct alpaca_complaint complaint = {""};
    struct broker_fill fill;
    if (!alpaca_read_fill(json, &fill, &complaint)) {
        PROMISE(complaint.text[0] != '\0' && ends(complaint.text, sizeof complaint.text));
        return;
    }
    PROMISE(ends(fill.symbol, sizeof fill.symbol) && ends(fill.refers, sizeof fill.refers));
    PROMISE(fill.qty_nanos > 0 || (fill.qty_nanos == 0 && fill.refers[0] != '\0'));
}

static void position(const cJSON *json) {
    struct alpaca_complaint complaint = {""};
    struct broker_position position;
    if (alpaca_read_position(json, &position, &complaint))
        PROMISE(ends(position.symbol, sizeof position.symbol));
    else
        PROMISE(complaint.text[0] != '\0' && ends(complaint.text, sizeof complaint.text));
}

static void account(const cJSON *json) {
    struct alpaca_complaint complaint = {""};
    struct broker_account account;
    if (alpaca_read_account(json, &account, &complaint))
        PROMISE(ends(account.number, sizeof account.number));
    else
        PROMISE(complaint.text[0] != '\0' && ends(complaint.text, sizeof complaint.text));
}

static void error_body(const char *text, size_t length) {
    struct alpaca_error error;
    if (!alpaca_read_error(text, length, &error))
        return;
    PROMISE(error.message[0] != '\0' && ends(error.message, sizeof error.message));
    for (const char *at = error.message; *at != '\0'; at++)
        PROMISE((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);
}

static void document(enum reader reader, const char *text, size_t length) {
    struct alpaca_complaint complaint = {""};
    cJSON *json = alpaca_parse(text, length, &complaint);
    if (json == NULL) {
        PROMISE(complaint.text[0] != '\0' && ends(complaint.text, sizeof complaint.text));
        return;
    }
    if (reader == FILL)
        fill(json);
    else if (reader == POSITION)
        position(json);
    else if (reader == ACCOUNT)
        account(json);
    else
        order(json, reader == BY_ID);
    cJSON_Delete(json);
}

void input_answers(const uint8_t *data, size_t size) {
    enum reader reader = size > 0 ? (enum reader)(data[0] % READERS) : BY_ID;
    char *text = NULL;
    if (size == 0)
        return;
    text = input_text(data + 1, size - 1);
    if (reader == ERROR)
        error_body(text, size - 1);
    else
        document(reader, text, size - 1);
    free(text);
}
