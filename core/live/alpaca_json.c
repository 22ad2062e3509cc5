/* Alpaca's JSON, both ways: one reader per object, each a list of the members it needs. */
#include "core/live/alpaca_json.h"

#include "core/decimal.h"
#include "core/live/rfc3339.h"

#include <stdio.h>
#include <string.h>

static bool complain(struct alpaca_complaint *complaint, const char *where, const char *rule) {
    snprintf(complaint->text, sizeof complaint->text, "%s: %s", where, rule);
    return false;
}

/* cJSON recurses per level and would let "\u0000" cut a string short: both are stopped before. */
static bool is_sane(const char *text, size_t length, struct alpaca_complaint *complaint) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '\0' || (quoted && c == '\\' && length - i > 5 && !memcmp(text + i, "\\u0000", 6)))
            return complain(complaint, "document", "must not hold a NUL");
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > ALPACA_DEPTH_MAX)
            return complain(complaint, "document", "is nested too deeply");
    }
    return true;
}

cJSON *alpaca_parse(const char *text, size_t length, struct alpaca_complaint *complaint) {
    if (!is_sane(text, length, complaint))
        return NULL;
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (json == NULL) {
        complain(complaint, "document", length == 0 ? "is empty" : "is not JSON");
        return NULL;
    }
    while (end < text + length && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (end < text + length) {
        complain(complaint, "document", "goes on after its end");
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* ---- members ---- */

/* The one member of that name; NULL when there is none, or more than one. */
static const cJSON *member(const cJSON *object, const char *name) {
    const cJSON *found = NULL;
    for (const cJSON *m = object->child; m != NULL; m = m->next) {
        if (m->string == NULL || strcmp(m->string, name) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = m;
    }
    return found;
}

static const char *string_member(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(member(object, name));
}

static bool need_text(const cJSON *object, const char *name, char *out, size_t size,
                      struct alpaca_complaint *complaint) {
    const char *text = string_member(object, name);
    size_t length = text == NULL ? 0 : strlen(text);
    if (length == 0 || length >= size)
        return complain(complaint, name, "must be one string, not empty and not too long");
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return complain(complaint, name, "must be printable ASCII");
    memcpy(out, text, length + 1);
    return true;
}

static bool need_decimal(const cJSON *object, const char *name, int64_t *nanos,
                         struct alpaca_complaint *complaint) {
    const char *text = string_member(object, name);
    if (text == NULL || !decimal_parse(text, nanos))
        return complain(complaint, name, "must be a decimal in a string");
    return true;
}

static bool need_positive(const cJSON *object, const char *name, int64_t *nanos,
                          struct alpaca_complaint *complaint) {
    if (!need_decimal(object, name, nanos, complaint))
        return false;
    return *nanos > 0 || complain(complaint, name, "must be positive");
}

static bool need_time(const cJSON *object, const char *name, int64_t *ns,
                      struct alpaca_complaint *complaint) {
    const char *text = string_member(object, name);
    if (text == NULL || !rfc3339_parse(text, ns))
        return complain(complaint, name, "must be an RFC 3339 time in a string");
    return true;
}

static bool need_side(const cJSON *object, enum broker_side *side,
                      struct alpaca_complaint *complaint) {
    const char *word = string_member(object, "side");
    if (word == NULL || !broker_side_parse(word, side))
        return complain(complaint, "side", "must be buy or sell");
    return true;
}

static bool need_object(const cJSON *json, const char *what, struct alpaca_complaint *complaint) {
    return cJSON_IsObject(json) || complain(complaint, what, "must be an object");
}

/* ---- objects ---- */

/* Types this OMS never sends (stop, trailing) may stand in a list: only their id, symbol,
 * quantities and status matter then, so an unknown type reads as the nearest known one. */
static bool need_type(const cJSON *json, struct broker_order *out,
                      struct alpaca_complaint *complaint) {
    char word[BROKER_STATUS_SIZE];
    if (!need_text(json, "type", word, sizeof word, complaint))
        return false;
    const cJSON *limit = member(json, "limit_price");
    if (!broker_type_parse(word, &out->type))
        out->type = cJSON_IsString(limit) ? BROKER_LIMIT : BROKER_MARKET;
    if (out->type == BROKER_LIMIT)
        return need_positive(json, "limit_price", &out->limit_nanos, complaint);
    return limit == NULL || cJSON_IsNull(limit) ||
           complain(complaint, "limit_price", "must be null for a market order");
}

/* Somebody else's order may be for an amount of money; its quantity is what it has executed so far.
 */
static bool need_quantity(const cJSON *json, struct broker_order *out,
                          struct alpaca_complaint *complaint) {
    int64_t money;
    const char *notional = string_member(json, "notional");
    if (cJSON_IsNull(member(json, "qty")) && notional != NULL && decimal_parse(notional, &money)) {
        out->qty_nanos = out->filled_nanos;
        return true;
    }
    return need_positive(json, "qty", &out->qty_nanos, complaint);
}

/* Null as long as nothing is executed. */
static bool read_average(const cJSON *json, struct broker_order *out,
                         struct alpaca_complaint *complaint) {
    const cJSON *average = member(json, "filled_avg_price");
    if (out->filled_nanos == 0 || average == NULL || cJSON_IsNull(average))
        return true;
    return need_decimal(json, "filled_avg_price", &out->filled_avg_nanos, complaint) &&
           (out->filled_avg_nanos >= 0 ||
            complain(complaint, "filled_avg_price", "must not be negative"));
}

bool alpaca_read_order(const cJSON *json, bool by_id, struct broker_order *out,
                       struct alpaca_complaint *complaint) {
    memset(out, 0, sizeof *out);
    char tif[BROKER_STATUS_SIZE];
    if (!need_object(json, "order", complaint) ||
        !need_text(json, "id", out->id, sizeof out->id, complaint) ||
        !need_text(json, "symbol", out->symbol, sizeof out->symbol, complaint) ||
        !need_side(json, &out->side, complaint) || !need_type(json, out, complaint) ||
        !need_text(json, "time_in_force", tif, sizeof tif, complaint) ||
        !need_decimal(json, "filled_qty", &out->filled_nanos, complaint) ||
        !need_quantity(json, out, complaint) ||
        !need_text(json, "status", out->status_text, sizeof out->status_text, complaint) ||
        !need_time(json, "submitted_at", &out->submitted_ns, complaint))
        return false;
    if (!read_average(json, out, complaint) ||
        (by_id && !need_text(json, "client_order_id", out->client_order_id,
                             sizeof out->client_order_id, complaint)))
        return false;
    if (!broker_tif_parse(tif, &out->tif))
        return complain(complaint, "time_in_force", "must be a known word");
    if (out->filled_nanos < 0 || out->filled_nanos > out->qty_nanos)
        return complain(complaint, "filled_qty", "must be within 0 and qty");
    out->status = broker_status_parse(out->status_text);
    return true;
}

/* A bust or a correction names the execution that it is about; a bust's own quantity, whatever it
 * says, is that nothing is left. */
static bool read_correction(const cJSON *json, struct broker_fill *out,
                            struct alpaca_complaint *complaint) {
    const char *type = string_member(json, "type");
    bool bust = type != NULL && strcmp(type, "trade_bust") == 0;
    bool correct = type != NULL && strcmp(type, "trade_correct") == 0;
    if (bust)
        out->qty_nanos = 0;
    if (!bust && !correct)
        return need_positive(json, "qty", &out->qty_nanos, complaint) &&
               need_positive(json, "price", &out->price_nanos, complaint);
    return need_text(json, "previous_execution_id", out->refers, sizeof out->refers, complaint) &&
           (bust || need_positive(json, "qty", &out->qty_nanos, complaint)) &&
           (bust || need_positive(json, "price", &out->price_nanos, complaint));
}

bool alpaca_read_fill(const cJSON *json, struct broker_fill *out,
                      struct alpaca_complaint *complaint) {
    memset(out, 0, sizeof *out);
    return need_object(json, "fill", complaint) &&
           need_text(json, "id", out->execution_id, sizeof out->execution_id, complaint) &&
           need_text(json, "order_id", out->order_id, sizeof out->order_id, complaint) &&
           need_text(json, "symbol", out->symbol, sizeof out->symbol, complaint) &&
           need_side(json, &out->side, complaint) && read_correction(json, out, complaint) &&
           need_time(json, "transaction_time", &out->at_ns, complaint);
}

/* Orders say BTC/USD where positions say BTCUSD: the slash goes before the quote currency. */
static bool slash_crypto(char symbol[BROKER_SYMBOL_SIZE], struct alpaca_complaint *complaint) {
    static const char *const quotes[] = {"USDT", "USDC", "USD", "BTC"};
    size_t n = strlen(symbol);
    if (strchr(symbol, '/') != NULL)
        return true;
    for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
        size_t q = strlen(quotes[i]);
        if (n <= q || n + 2 > BROKER_SYMBOL_SIZE || strcmp(symbol + n - q, quotes[i]) != 0)
            continue;
        memmove(symbol + n - q + 1, symbol + n - q, q + 1);
        symbol[n - q] = '/';
        return true;
    }
    return complain(complaint, "symbol", "must be a crypto pair with a known quote currency");
}

bool alpaca_read_position(const cJSON *json, struct broker_position *out,
                          struct alpaca_complaint *complaint) {
    memset(out, 0, sizeof *out);
    if (!need_object(json, "position", complaint) ||
        !need_text(json, "symbol", out->symbol, sizeof out->symbol, complaint) ||
        !need_decimal(json, "qty", &out->qty_nanos, complaint) ||
        !need_decimal(json, "avg_entry_price", &out->avg_price_nanos, complaint))
        return false;
    if (out->avg_price_nanos < 0)
        return complain(complaint, "avg_entry_price", "must not be negative");
    const char *side = string_member(json, "side"), *class = string_member(json, "asset_class");
    bool is_short = side != NULL && strcmp(side, "short") == 0;
    if (side == NULL || (!is_short && strcmp(side, "long") != 0) || out->qty_nanos == 0)
        return complain(complaint, "side", "must be long or short, of a quantity that is not 0");
    if (is_short != (out->qty_nanos < 0))
        return complain(complaint, "qty", "must be negative exactly when side is short");
    if (class == NULL)
        return complain(complaint, "asset_class", "must be one string");
    return strcmp(class, "crypto") != 0 || slash_crypto(out->symbol, complaint);
}

bool alpaca_read_account(const cJSON *json, struct broker_account *out,
                         struct alpaca_complaint *complaint) {
    memset(out, 0, sizeof *out);
    if (!need_object(json, "account", complaint) ||
        !need_text(json, "account_number", out->number, sizeof out->number, complaint) ||
        !need_decimal(json, "cash", &out->cash_nanos, complaint) ||
        !need_decimal(json, "buying_power", &out->buying_power_nanos, complaint))
        return false;
    const cJSON *blocked = member(json, "trading_blocked");
    if (!cJSON_IsBool(blocked))
        return complain(complaint, "trading_blocked", "must be true or false");
    out->trading_blocked = cJSON_IsTrue(blocked);
    return true;
}

bool alpaca_read_error(const char *text, size_t length, struct alpaca_error *out) {
    struct alpaca_complaint ignored;
    memset(out, 0, sizeof *out);
    cJSON *json = alpaca_parse(text, length, &ignored);
    const char *message = cJSON_IsObject(json) ? string_member(json, "message") : NULL;
    const cJSON *code = cJSON_IsObject(json) ? member(json, "code") : NULL;
    bool told = message != NULL && message[0] != '\0';
    if (told)
        snprintf(out->message, sizeof out->message, "%s", message);
    for (char *c = out->message; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    if (code != NULL && cJSON_IsNumber(code))
        out->code = code->valueint;
    cJSON_Delete(json);
    return told;
}

static bool put(cJSON *object, const char *name, const char *text) {
    return cJSON_AddStringToObject(object, name, text) != NULL;
}

char *alpaca_write_order(const struct broker_request *request) {
    char number[DECIMAL_TEXT_MAX], *body = NULL;
    cJSON *o = cJSON_CreateObject();
    bool ok = o != NULL && put(o, "symbol", request->symbol) &&
              put(o, "qty", decimal_format(request->qty_nanos, 0, number)) &&
              put(o, "side", broker_side_name(request->side)) &&
              put(o, "type", broker_type_name(request->type)) &&
              put(o, "time_in_force", broker_tif_name(request->tif)) &&
              (request->type != BROKER_LIMIT ||
               put(o, "limit_price", decimal_format(request->limit_nanos, 0, number))) &&
              (request->client_order_id[0] == '\0' ||
               put(o, "client_order_id", request->client_order_id)) &&
              (!request->possible_resend || put(o, "poss_resend", "Y"));
    if (ok)
        body = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    return body;
}
