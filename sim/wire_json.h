/* What the simulated broker says and is told, as JSON in Alpaca's words. */
#ifndef SIM_WIRE_JSON_H
#define SIM_WIRE_JSON_H

#include "sim/wire.h"

#include <cjson/cJSON.h>

/* Each returns a new object, the caller's. `more` may be NULL: what it tells is null then. */
cJSON *wire_json_order(const struct broker_order *order, const struct wire_order_more *more);
/* `cum_nanos`: executed of the order up to this execution; `leaves_nanos`: still open after it. */
cJSON *wire_json_fill(const struct broker_fill *fill, int64_t cum_nanos, int64_t leaves_nanos);
/* `asset_id` may be "": null. */
cJSON *wire_json_position(const struct broker_position *position, const char *asset_id);
cJSON *wire_json_account(const struct broker_account *account);
/* A market that is always open, by a clock in New York (winter time all year). */
cJSON *wire_json_clock(int64_t now_ns);
/* {"code":..., "message":...}; no code when it is 0. */
cJSON *wire_json_refusal(int code, const char *message);

/* Positions name a crypto pair without its slash. */
void wire_json_position_symbol(const char *symbol, char out[BROKER_SYMBOL_SIZE]);

/* A text member, or NULL; an exact number that a client may write as a text or as a number. False:
 * it is neither, or not more than 0. */
const char *wire_json_text(const cJSON *object, const char *name);
bool wire_json_amount(const cJSON *object, const char *name, int64_t *nanos);

/* Reads an order request's JSON body. Without a client order id it is "". False: a member is
 * missing or wrong; `why` says which, and the rule. */
bool wire_json_request(const char *body, size_t length, struct broker_request *request, char *why,
                       size_t why_size);

#endif
