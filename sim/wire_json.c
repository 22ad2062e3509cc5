/* The simulated broker's JSON. */
#include "sim/wire_json.h"

#include "core/decimal.h"
#include "core/live/rfc3339.h"
#include "sim/shortage.h"

#include <stdio.h>
#include <string.h>

enum { CLIENT_ID_MAX = 48, DAY_S = 86400, HOUR_S = 3600 };
#define SECOND_NS INT64_C(1000000000)

/* ---- out ---- */

static void add_decimal(cJSON *object, const char *name, int64_t nanos) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(object, name, decimal_format(nanos, 0, text));
}

static void add_time(cJSON *object, const char *name, int64_t ns) {
    char text[RFC3339_SIZE];
    if (ns == 0)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, rfc3339_format(ns, text));
}

static void add_nulls(cJSON *object, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        cJSON_AddNullToObject(object, names[i]);
}

static void add_text_or_null(cJSON *object, const char *name, const char *text) {
    if (text[0] == '\0')
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

static bool is_crypto(const char *symbol) {
    return strchr(symbol, '/') != NULL;
}

static const char *asset_class(const char *symbol) {
    return is_crypto(symbol) ? "crypto" : "us_equity";
}

static void add_times(cJSON *o, const struct broker_order *order,
                      const struct wire_order_more *more) {
    add_time(o, "created_at", order->submitted_ns);
    add_time(o, "updated_at", more->updated_ns != 0 ? more->updated_ns : order->submitted_ns);
    add_time(o, "submitted_at", order->submitted_ns);
    add_time(o, "filled_at", more->filled_ns);
    add_time(o, "expired_at", more->expired_ns);
    add_time(o, "canceled_at", more->canceled_ns);
    add_time(o, "failed_at", more->failed_ns);
}

cJSON *wire_json_order(const struct broker_order *order, const struct wire_order_more *more) {
    static const char *const unset[] = {
        "expires_at", "replaced_at",   "replaced_by", "replaces", "notional", "stop_price",
        "legs",       "trail_percent", "trail_price", "hwm",      "subtag",   "source"};
    static const struct wire_order_more nothing;
    cJSON *o = cJSON_CreateObject();
    if (more == NULL)
        more = &nothing;
    cJSON_AddStringToObject(o, "id", order->id);
    add_text_or_null(o, "client_order_id", order->client_order_id);
    add_times(o, order, more);
    add_text_or_null(o, "asset_id", more->asset_id);
    cJSON_AddStringToObject(o, "symbol", order->symbol);
    cJSON_AddStringToObject(o, "asset_class", asset_class(order->symbol));
    add_decimal(o, "qty", order->qty_nanos);
    add_decimal(o, "filled_qty", order->filled_nanos);
    if (order->filled_nanos > 0)
        add_decimal(o, "filled_avg_price", order->filled_avg_nanos);
    else
        cJSON_AddNullToObject(o, "filled_avg_price");
    cJSON_AddStringToObject(o, "order_class", "");
    cJSON_AddStringToObject(o, "order_type", broker_type_name(order->type));
    cJSON_AddStringToObject(o, "type", broker_type_name(order->type));
    cJSON_AddStringToObject(o, "side", broker_side_name(order->side));
    cJSON_AddStringToObject(o, "position_intent",
                            order->side == BROKER_BUY ? "buy_to_open" : "sell_to_close");
    cJSON_AddStringToObject(o, "time_in_force", broker_tif_name(order->tif));
    if (order->type == BROKER_LIMIT)
        add_decimal(o, "limit_price", order->limit_nanos);
    else
        cJSON_AddNullToObject(o, "limit_price");
    cJSON_AddStringToObject(o, "status", order->status_text);
    cJSON_AddFalseToObject(o, "extended_hours");
    add_nulls(o, unset, sizeof unset / sizeof unset[0]);
    return o;
}

static const char *fill_type(const struct broker_fill *fill, int64_t leaves_nanos) {
    if (fill->refers[0] == '\0')
        return leaves_nanos > 0 ? "partial_fill" : "fill";
    return fill->qty_nanos == 0 ? "trade_bust" : "trade_correct";
}

cJSON *wire_json_fill(const struct broker_fill *fill, int64_t cum_nanos, int64_t leaves_nanos) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", fill->execution_id);
    cJSON_AddStringToObject(o, "activity_type", "FILL");
    add_time(o, "transaction_time", fill->at_ns);
    cJSON_AddStringToObject(o, "type", fill_type(fill, leaves_nanos));
    if (fill->refers[0] != '\0')
        cJSON_AddStringToObject(o, "previous_execution_id", fill->refers);
    add_decimal(o, "price", fill->price_nanos);
    add_decimal(o, "qty", fill->qty_nanos);
    cJSON_AddStringToObject(o, "side", broker_side_name(fill->side));
    cJSON_AddStringToObject(o, "symbol", fill->symbol);
    add_decimal(o, "leaves_qty", leaves_nanos);
    cJSON_AddStringToObject(o, "order_id", fill->order_id);
    add_decimal(o, "cum_qty", cum_nanos);
    cJSON_AddStringToObject(o, "order_status", leaves_nanos > 0 ? "partially_filled" : "filled");
    return o;
}

void wire_json_position_symbol(const char *symbol, char out[BROKER_SYMBOL_SIZE]) {
    size_t n = 0;
    for (const char *c = symbol; *c != '\0'; c++)
        if (*c != '/')
            out[n++] = *c;
    out[n] = '\0';
}

/* qty x price, to the billionth, towards zero. */
static int64_t cost_of(const struct broker_position *position) {
    return (int64_t)((decimal_wide)position->qty_nanos * position->avg_price_nanos / DECIMAL_NANOS);
}

cJSON *wire_json_position(const struct broker_position *position, const char *asset_id) {
    char symbol[BROKER_SYMBOL_SIZE];
    cJSON *o = cJSON_CreateObject();
    wire_json_position_symbol(position->symbol, symbol);
    add_text_or_null(o, "asset_id", asset_id);
    cJSON_AddStringToObject(o, "symbol", symbol);
    cJSON_AddStringToObject(o, "exchange", is_crypto(position->symbol) ? "CRYPTO" : "NASDAQ");
    cJSON_AddStringToObject(o, "asset_class", asset_class(position->symbol));
    add_decimal(o, "avg_entry_price", position->avg_price_nanos);
    add_decimal(o, "qty", position->qty_nanos);
    add_decimal(o, "qty_available", position->qty_nanos);
    cJSON_AddStringToObject(o, "side", position->qty_nanos < 0 ? "short" : "long");
    add_decimal(o, "cost_basis", cost_of(position));
    return o;
}

cJSON *wire_json_account(const struct broker_account *account) {
    static const char *const unblocked[] = {"account_blocked", "transfers_blocked",
                                            "trade_suspended_by_user", "pattern_day_trader"};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", "00000000-0000-4000-8000-000000000000");
    cJSON_AddStringToObject(o, "account_number", account->number);
    cJSON_AddStringToObject(o, "status", "ACTIVE");
    cJSON_AddStringToObject(o, "currency", "USD");
    add_decimal(o, "cash", account->cash_nanos);
    add_decimal(o, "buying_power", account->buying_power_nanos);
    add_decimal(o, "equity", account->cash_nanos);
    add_decimal(o, "portfolio_value", account->cash_nanos);
    cJSON_AddBoolToObject(o, "trading_blocked", account->trading_blocked);
    for (size_t i = 0; i < sizeof unblocked / sizeof unblocked[0]; i++)
        cJSON_AddFalseToObject(o, unblocked[i]);
    return o;
}

/* "2026-01-09T09:35:00.000000000-05:00" */
static void add_local_time(cJSON *object, const char *name, int64_t local_ns) {
    char utc[RFC3339_SIZE], text[RFC3339_SIZE + 8];
    rfc3339_format(local_ns, utc);
    utc[strlen(utc) - 1] = '\0';
    snprintf(text, sizeof text, "%s-05:00", utc);
    cJSON_AddStringToObject(object, name, text);
}

/* The next time after `local_ns` at which it is so many seconds past midnight. */
static int64_t next_at(int64_t local_ns, int64_t second_of_day) {
    int64_t day_ns = DAY_S * SECOND_NS;
    int64_t at_ns = local_ns / day_ns * day_ns + second_of_day * SECOND_NS;
    return at_ns > local_ns ? at_ns : at_ns + day_ns;
}

cJSON *wire_json_clock(int64_t now_ns) {
    enum { OPENS_S = 9 * HOUR_S + HOUR_S / 2, CLOSES_S = 16 * HOUR_S, OFFSET_S = 5 * HOUR_S };
    int64_t local_ns = now_ns - OFFSET_S * SECOND_NS;
    cJSON *o = cJSON_CreateObject();
    add_local_time(o, "timestamp", local_ns);
    cJSON_AddTrueToObject(o, "is_open");
    add_local_time(o, "next_open", next_at(local_ns, OPENS_S));
    add_local_time(o, "next_close", next_at(local_ns, CLOSES_S));
    return o;
}

cJSON *wire_json_refusal(int code, const char *message) {
    cJSON *o = cJSON_CreateObject();
    if (code != 0)
        cJSON_AddNumberToObject(o, "code", code);
    cJSON_AddStringToObject(o, "message", message);
    return o;
}

/* ---- in ---- */

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *wire_json_text(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(member(object, name));
}

static bool is_there(const cJSON *object, const char *name) {
    const cJSON *found = member(object, name);
    return found != NULL && !cJSON_IsNull(found);
}

bool wire_json_amount(const cJSON *object, const char *name, int64_t *nanos) {
    const cJSON *found = member(object, name);
    char text[DECIMAL_TEXT_MAX];
    const char *written = cJSON_GetStringValue(found);
    /* A JSON number has gone through a double: fifteen digits of it are what was written. */
    if (written == NULL && cJSON_IsNumber(found)) {
        snprintf(text, sizeof text, "%.15g", found->valuedouble);
        written = text;
    }
    return written != NULL && decimal_parse(written, nanos) && *nanos > 0;
}

static bool copy_text(char *out, size_t size, const char *text) {
    size_t n = text == NULL ? 0 : strlen(text);
    if (n == 0 || n >= size)
        return false;
    memcpy(out, text, n + 1);
    return true;
}

/* What this exchange does not serve is refused, not left out. */
static const char *not_served(const cJSON *o) {
    static const char *const members[] = {"notional",      "stop_price",  "trail_price",
                                          "trail_percent", "take_profit", "stop_loss"};
    const char *class = wire_json_text(o, "order_class");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (is_there(o, members[i]))
            return members[i];
    return class != NULL && class[0] != '\0' && strcmp(class, "simple") != 0 ? "order_class" : NULL;
}

static const char *client_id_mistake(const cJSON *o, struct broker_request *request) {
    if (!is_there(o, "client_order_id"))
        return NULL;
    const char *id = wire_json_text(o, "client_order_id");
    if (id == NULL || strlen(id) > CLIENT_ID_MAX)
        return "client_order_id must be a text of at most 48 characters";
    snprintf(request->client_order_id, sizeof request->client_order_id, "%s", id);
    return NULL;
}

static const char *limit_mistake(const cJSON *o, struct broker_request *request) {
    if (request->type == BROKER_LIMIT)
        return wire_json_amount(o, "limit_price", &request->limit_nanos)
                   ? NULL
                   : "limit_price is required: a number above 0";
    return is_there(o, "limit_price") ? "market orders require no limit price" : NULL;
}

/* NULL: none. */
static const char *request_mistake(const cJSON *o, struct broker_request *request) {
    const char *side = wire_json_text(o, "side"), *type = wire_json_text(o, "type");
    const char *tif = wire_json_text(o, "time_in_force");
    const char *mistake = client_id_mistake(o, request);
    if (!cJSON_IsObject(o))
        return "request body format is invalid";
    if (mistake != NULL)
        return mistake;
    if (!copy_text(request->symbol, sizeof request->symbol, wire_json_text(o, "symbol")))
        return "symbol is required: a text of at most 23 characters";
    if (side == NULL || !broker_side_parse(side, &request->side))
        return "side is required: buy or sell";
    if (type == NULL || !broker_type_parse(type, &request->type))
        return "type is required: market or limit (others are not served here)";
    if (tif == NULL || !broker_tif_parse(tif, &request->tif))
        return "time_in_force is required: day, gtc, ioc, fok, opg or cls";
    if (!wire_json_amount(o, "qty", &request->qty_nanos))
        return "qty is required: a number above 0 with at most 9 decimals";
    return limit_mistake(o, request);
}

bool wire_json_request(const char *body, size_t length, struct broker_request *request, char *why,
                       size_t why_size) {
    bool inside = shortage_inside(false);
    cJSON *o = cJSON_ParseWithLength(body, length);
    *request = (struct broker_request){.possible_resend = wire_json_text(o, "poss_resend") != NULL};
    const char *unserved = not_served(o), *mistake = request_mistake(o, request);
    if (unserved != NULL && why_size > 0)
        snprintf(why, why_size, "%s is not served here", unserved);
    else if (mistake != NULL && why_size > 0)
        snprintf(why, why_size, "%s", mistake);
    cJSON_Delete(o);
    shortage_inside(inside);
    return unserved == NULL && mistake == NULL;
}
