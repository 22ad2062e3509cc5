/* Reads Alpaca's JSON strictly: what is not exactly as documented is damaged, and says where. */
#ifndef CORE_LIVE_ALPACA_JSON_H
#define CORE_LIVE_ALPACA_JSON_H

#include "core/broker.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { ALPACA_DEPTH_MAX = 16, ALPACA_COMPLAINT_SIZE = 120 };

/* Where and why a text is damaged: "orders[3].qty: must be a decimal in a string". */
struct alpaca_complaint {
    char text[ALPACA_COMPLAINT_SIZE];
};

/* Parses one whole document: nothing after it, no NUL, nested at most ALPACA_DEPTH_MAX deep.
 * NULL with a complaint, or a tree owned by the caller. */
cJSON *alpaca_parse(const char *text, size_t length, struct alpaca_complaint *complaint);

/* Each fills *out from one object or returns false with a complaint. Decimals must be strings; a
 * member named twice is damage; members that are not read may be anything. */
/* `by_id`: the broker knows client order ids, so an order without one is damaged. */
bool alpaca_read_order(const cJSON *json, bool by_id, struct broker_order *out,
                       struct alpaca_complaint *complaint);
bool alpaca_read_fill(const cJSON *json, struct broker_fill *out,
                      struct alpaca_complaint *complaint);
bool alpaca_read_position(const cJSON *json, struct broker_position *out,
                          struct alpaca_complaint *complaint);
bool alpaca_read_account(const cJSON *json, struct broker_account *out,
                         struct alpaca_complaint *complaint);

/* An error body: an object with a message that is not empty, and perhaps a code (0: none). */
struct alpaca_error {
    int code;
    char message[BROKER_TEXT_SIZE]; /* cut to fit; unprintable bytes shown as '?' */
};
bool alpaca_read_error(const char *text, size_t length, struct alpaca_error *out);

/* Writes the body of an order request. Returns a string freed with cJSON_free, or NULL. */
char *alpaca_write_order(const struct broker_request *request);

#endif
