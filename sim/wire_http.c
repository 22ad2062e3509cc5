/* The simulated broker's HTTP surface: translates between JSON over HTTP and struct wire_exchange.
 */
#include "sim/wire_http.h"

#include "core/decimal.h"
#include "core/live/rfc3339.h"
#include "sim/shortage.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_BODY_MAX = 8 * 1024,
    HEADERS_MAX = 8 * 1024, /* libmicrohttpd clears as much for every request */
    ORDERS_PAGE = 50,
    ORDERS_PAGE_MAX = 500,
    FILLS_PAGE_MAX = 100,
    CODE_INVALID = 40010001,
    CODE_NOT_FOUND = 40410000,
    CODE_TOO_LATE = 42210000,
    STATUS_OK = 200,
    STATUS_NO_CONTENT = 204
};

/* ---- JSON out ---- */

static void add_decimal(cJSON *object, const char *name, int64_t nanos) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(object, name, decimal_format(nanos, 0, text));
}

static void add_time(cJSON *object, const char *name, int64_t ns) {
    char text[RFC3339_SIZE];
    cJSON_AddStringToObject(object, name, rfc3339_format(ns, text));
}

static void add_nulls(cJSON *object, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        cJSON_AddNullToObject(object, names[i]);
}

static bool is_crypto(const char *symbol) {
    return strchr(symbol, '/') != NULL;
}

static cJSON *order_json(const struct broker_order *order) {
    static const char *const unset[] = {
        "filled_at",   "expired_at", "expires_at", "canceled_at", "failed_at", "replaced_at",
        "replaced_by", "replaces",   "notional",   "stop_price",  "legs",      "trail_percent",
        "trail_price", "hwm",        "subtag",     "source",      "asset_id"};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", order->id);
    if (order->client_order_id[0] != '\0')
        cJSON_AddStringToObject(o, "client_order_id", order->client_order_id);
    else
        cJSON_AddNullToObject(o, "client_order_id");
    add_time(o, "created_at", order->submitted_ns);
    add_time(o, "updated_at", order->submitted_ns);
    add_time(o, "submitted_at", order->submitted_ns);
    cJSON_AddStringToObject(o, "symbol", order->symbol);
    cJSON_AddStringToObject(o, "asset_class", is_crypto(order->symbol) ? "crypto" : "us_equity");
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

static const char *fill_type(const struct broker_fill *fill) {
    if (fill->refers[0] == '\0')
        return "fill";
    return fill->qty_nanos == 0 ? "trade_bust" : "trade_correct";
}

static cJSON *fill_json(const struct broker_fill *fill) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", fill->execution_id);
    cJSON_AddStringToObject(o, "activity_type", "FILL");
    add_time(o, "transaction_time", fill->at_ns);
    cJSON_AddStringToObject(o, "type", fill_type(fill));
    if (fill->refers[0] != '\0')
        cJSON_AddStringToObject(o, "previous_execution_id", fill->refers);
    add_decimal(o, "price", fill->price_nanos);
    add_decimal(o, "qty", fill->qty_nanos);
    cJSON_AddStringToObject(o, "side", broker_side_name(fill->side));
    cJSON_AddStringToObject(o, "symbol", fill->symbol);
    cJSON_AddStringToObject(o, "order_id", fill->order_id);
    return o;
}

/* Positions name a crypto pair without its slash. */
static cJSON *position_json(const struct broker_position *position) {
    char symbol[BROKER_SYMBOL_SIZE];
    size_t n = 0;
    for (const char *c = position->symbol; *c != '\0'; c++)
        if (*c != '/')
            symbol[n++] = *c;
    symbol[n] = '\0';
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNullToObject(o, "asset_id");
    cJSON_AddStringToObject(o, "symbol", symbol);
    cJSON_AddStringToObject(o, "asset_class", is_crypto(position->symbol) ? "crypto" : "us_equity");
    add_decimal(o, "avg_entry_price", position->avg_price_nanos);
    add_decimal(o, "qty", position->qty_nanos);
    cJSON_AddStringToObject(o, "side", position->qty_nanos < 0 ? "short" : "long");
    return o;
}

static cJSON *account_json(const struct broker_account *account) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "account_number", account->number);
    cJSON_AddStringToObject(o, "status", "ACTIVE");
    cJSON_AddStringToObject(o, "currency", "USD");
    add_decimal(o, "cash", account->cash_nanos);
    add_decimal(o, "buying_power", account->buying_power_nanos);
    cJSON_AddBoolToObject(o, "trading_blocked", account->trading_blocked);
    return o;
}

/* ---- answering ---- */

static enum MHD_Result answer_bytes(struct MHD_Connection *to, int status, const char *type,
                                    char *body) {
    struct MHD_Response *r = MHD_create_response_from_buffer(body != NULL ? strlen(body) : 0, body,
                                                             MHD_RESPMEM_MUST_FREE);
    if (r == NULL)
        return MHD_NO;
    if (body != NULL)
        MHD_add_response_header(r, "Content-Type", type);
    enum MHD_Result queued = MHD_queue_response(to, (unsigned)status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result answer_json(struct MHD_Connection *to, int status, cJSON *json) {
    char *body = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return body == NULL ? MHD_NO : answer_bytes(to, status, "application/json", body);
}

static enum MHD_Result refuse(struct MHD_Connection *to, int status, int code,
                              const char *message) {
    cJSON *o = cJSON_CreateObject();
    if (code != 0)
        cJSON_AddNumberToObject(o, "code", code);
    cJSON_AddStringToObject(o, "message", message);
    return answer_json(to, status, o);
}

static const char *argument(struct MHD_Connection *from, const char *name) {
    return MHD_lookup_connection_value(from, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- orders ---- */

static const char *text_of(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static bool copy_text(char *out, size_t size, const char *text) {
    size_t n = text == NULL ? 0 : strlen(text);
    if (n == 0 || n >= size)
        return false;
    memcpy(out, text, n + 1);
    return true;
}

static bool amount(const cJSON *object, const char *name, int64_t *nanos) {
    const char *text = text_of(object, name);
    return text != NULL && decimal_parse(text, nanos) && *nanos > 0;
}

bool wire_http_order(const char *body, size_t length, struct broker_request *request, char *why,
                     size_t why_size) {
    memset(request, 0, sizeof *request);
    bool inside = shortage_inside(false);
    cJSON *o = cJSON_ParseWithLength(body, length);
    const char *side = text_of(o, "side"), *type = text_of(o, "type");
    const char *tif = text_of(o, "time_in_force");
    const char *wrong = NULL;
    const char *id = text_of(o, "client_order_id");
    request->possible_resend = text_of(o, "poss_resend") != NULL;
    if (id != NULL && !copy_text(request->client_order_id, sizeof request->client_order_id, id))
        wrong = "client_order_id";
    else if (!copy_text(request->symbol, sizeof request->symbol, text_of(o, "symbol")))
        wrong = "symbol";
    else if (side == NULL || !broker_side_parse(side, &request->side))
        wrong = "side";
    else if (type == NULL || !broker_type_parse(type, &request->type))
        wrong = "type";
    else if (tif == NULL || !broker_tif_parse(tif, &request->tif))
        wrong = "time_in_force";
    else if (!amount(o, "qty", &request->qty_nanos))
        wrong = "qty";
    else if (request->type == BROKER_LIMIT && !amount(o, "limit_price", &request->limit_nanos))
        wrong = "limit_price";
    cJSON_Delete(o);
    shortage_inside(inside);
    if (wrong != NULL && why_size > 0)
        snprintf(why, why_size, "%s is required", wrong);
    return wrong == NULL;
}

static enum MHD_Result submit(const struct wire_exchange *x, struct MHD_Connection *to,
                              const char *body, size_t length) {
    struct broker_request request;
    struct broker_order order;
    struct wire_refusal refusal = {0};
    char why[BROKER_TEXT_SIZE];
    if (!wire_http_order(body, length, &request, why, sizeof why))
        return refuse(to, 422, CODE_INVALID, why);
    memset(&order, 0, sizeof order);
    switch (x->submit(x->ctx, &request, &order, &refusal)) {
    case WIRE_TAKEN:
        return answer_json(to, STATUS_OK, order_json(&order));
    case WIRE_DUPLICATE:
        return refuse(to, 422, CODE_INVALID, "client_order_id must be unique");
    case WIRE_REFUSED:
        return refuse(to, refusal.status, refusal.code, refusal.message);
    }
    return MHD_NO;
}

static enum MHD_Result lookup(const struct wire_exchange *x, struct MHD_Connection *to) {
    const char *id = argument(to, "client_order_id");
    struct broker_order order;
    memset(&order, 0, sizeof order);
    if (id == NULL || id[0] == '\0')
        return refuse(to, 422, CODE_INVALID, "client_order_id is required");
    if (!x->lookup(x->ctx, id, &order)) {
        const char *words = x->not_found != NULL ? x->not_found(x->ctx) : "";
        char text[BROKER_TEXT_SIZE];
        if (words[0] != '\0')
            snprintf(text, sizeof text, "%s", words);
        else
            snprintf(text, sizeof text, "order not found for %.64s", id);
        return refuse(to, 404, CODE_NOT_FOUND, text);
    }
    return answer_json(to, STATUS_OK, order_json(&order));
}

/* What a list query asks for. */
struct query {
    int64_t after_ns, until_ns; /* both exclusive */
    size_t limit;
    bool descending;
};

/* False: an argument is not understood; `wrong` names it. */
static bool read_query(struct MHD_Connection *from, const char *limit_name, size_t limit,
                       size_t limit_max, struct query *q, const char **wrong) {
    const char *after = argument(from, "after"), *until = argument(from, "until");
    const char *count = argument(from, limit_name), *direction = argument(from, "direction");
    *q = (struct query){.after_ns = -1, .until_ns = INT64_MAX, .limit = limit, .descending = true};
    *wrong = "after";
    if (after != NULL && !rfc3339_parse(after, &q->after_ns))
        return false;
    *wrong = "until";
    if (until != NULL && !rfc3339_parse(until, &q->until_ns))
        return false;
    *wrong = limit_name;
    if (count != NULL)
        q->limit = strtoul(count, NULL, 10);
    if (q->limit == 0 || q->limit > limit_max)
        return false;
    *wrong = "direction";
    if (direction != NULL)
        q->descending = strcmp(direction, "desc") == 0;
    return direction == NULL || q->descending || strcmp(direction, "asc") == 0;
}

/* The i-th of n rows in the direction asked for. */
static size_t row(const struct query *q, size_t n, size_t i) {
    return q->descending ? n - 1 - i : i;
}

static enum MHD_Result list_orders(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct query q;
    const char *wrong, *status = argument(to, "status");
    if (!read_query(to, "limit", ORDERS_PAGE, ORDERS_PAGE_MAX, &q, &wrong))
        return refuse(to, 422, CODE_INVALID, wrong);
    bool all = status != NULL && strcmp(status, "all") == 0;
    bool closed = status != NULL && strcmp(status, "closed") == 0;
    struct broker_orders list = {0};
    cJSON *array = cJSON_CreateArray();
    x->orders(x->ctx, &list);
    for (size_t i = 0, taken = 0; i < list.n && taken < q.limit; i++) {
        const struct broker_order *order = &list.v[row(&q, list.n, i)];
        bool shown = all || broker_status_is_open(order->status) != closed;
        if (!shown || order->submitted_ns <= q.after_ns || order->submitted_ns >= q.until_ns)
            continue;
        cJSON_AddItemToArray(array, order_json(order));
        taken++;
    }
    broker_orders_free(&list);
    return answer_json(to, STATUS_OK, array);
}

static enum MHD_Result list_fills(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct query q;
    const char *wrong, *token = argument(to, "page_token");
    if (!read_query(to, "page_size", FILLS_PAGE_MAX, FILLS_PAGE_MAX, &q, &wrong))
        return refuse(to, 422, CODE_INVALID, wrong);
    struct broker_fills list = {0};
    cJSON *array = cJSON_CreateArray();
    bool past_token = token == NULL;
    x->fills(x->ctx, &list);
    for (size_t i = 0, taken = 0; i < list.n && taken < q.limit; i++) {
        const struct broker_fill *fill = &list.v[row(&q, list.n, i)];
        bool shown = past_token && fill->at_ns > q.after_ns && fill->at_ns < q.until_ns;
        past_token = past_token || strcmp(fill->execution_id, token) == 0;
        if (!shown)
            continue;
        cJSON_AddItemToArray(array, fill_json(fill));
        taken++;
    }
    broker_fills_free(&list);
    if (!past_token) {
        cJSON_Delete(array);
        return refuse(to, 422, CODE_INVALID, "page_token is not known");
    }
    return answer_json(to, STATUS_OK, array);
}

static enum MHD_Result list_positions(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct broker_positions list = {0};
    cJSON *array = cJSON_CreateArray();
    x->positions(x->ctx, &list);
    for (size_t i = 0; i < list.n; i++)
        cJSON_AddItemToArray(array, position_json(&list.v[i]));
    broker_positions_free(&list);
    return answer_json(to, STATUS_OK, array);
}

static enum MHD_Result show_account(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct broker_account account;
    memset(&account, 0, sizeof account);
    x->account(x->ctx, &account);
    return answer_json(to, STATUS_OK, account_json(&account));
}

static enum MHD_Result cancel(const struct wire_exchange *x, struct MHD_Connection *to,
                              const char *id) {
    switch (x->cancel(x->ctx, id)) {
    case BROKER_CANCEL_TAKEN:
        return answer_bytes(to, STATUS_NO_CONTENT, NULL, NULL);
    case BROKER_CANCEL_TOO_LATE:
        return refuse(to, 422, CODE_TOO_LATE, "order is already in a final state");
    case BROKER_CANCEL_ABSENT:
        return refuse(to, 404, CODE_NOT_FOUND, "order not found");
    case BROKER_CANCEL_NOT_SENT:
    case BROKER_CANCEL_IN_DOUBT:
        break; /* no answers of an exchange */
    }
    return MHD_NO;
}

/* ---- routing ---- */

struct upload {
    size_t length;
    bool too_long;
    char body[REQUEST_BODY_MAX];
};

static enum MHD_Result route(const struct wire_exchange *x, struct MHD_Connection *to,
                             const char *url, const char *method, const struct upload *upload) {
    static const char orders[] = "/v2/orders";
    bool get = strcmp(method, "GET") == 0;
    if (strcmp(method, "POST") == 0 && strcmp(url, orders) == 0)
        return upload->too_long ? refuse(to, 413, 0, "request body too large")
                                : submit(x, to, upload->body, upload->length);
    if (strcmp(method, "DELETE") == 0 && strncmp(url, "/v2/orders/", sizeof orders) == 0)
        return cancel(x, to, url + sizeof orders);
    if (get && strcmp(url, "/v2/orders:by_client_order_id") == 0)
        return lookup(x, to);
    if (get && strcmp(url, orders) == 0)
        return list_orders(x, to);
    if (get && strcmp(url, "/v2/account/activities/FILL") == 0)
        return list_fills(x, to);
    if (get && strcmp(url, "/v2/positions") == 0)
        return list_positions(x, to);
    if (get && strcmp(url, "/v2/account") == 0)
        return show_account(x, to);
    return refuse(to, 404, 0, "Not Found");
}

static bool same_text(const char *a, const char *b) {
    return a != NULL && strcmp(a, b) == 0;
}

static enum MHD_Result refuse_stranger(struct MHD_Connection *to, bool keys_shown) {
    if (keys_shown)
        return refuse(to, 401, 0, "unauthorized.");
    return answer_bytes(to, 401, "text/html",
                        strdup("<html><body>401 Authorization Required</body></html>"));
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *count, void **state) {
    (void)version;
    struct wire_http *http = ctx;
    const struct wire_exchange *x = http->exchange;
    struct upload *upload = *state;
    if (upload == NULL) { /* headers only; the body follows */
        *state = upload = malloc(sizeof *upload);
        if (upload == NULL)
            return MHD_NO;
        upload->length = 0; /* `body` is written before it is read */
        upload->too_long = false;
        return MHD_YES;
    }
    if (*count > 0) {
        upload->too_long = upload->too_long || *count > sizeof upload->body - upload->length;
        if (!upload->too_long) {
            memcpy(upload->body + upload->length, bytes, *count);
            upload->length += *count;
        }
        *count = 0;
        return MHD_YES;
    }
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "APCA-API-KEY-ID");
    const char *secret =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "APCA-API-SECRET-KEY");
    http->served++;
    if (x->key_id != NULL && (!same_text(key, x->key_id) || !same_text(secret, x->secret)))
        return refuse_stranger(connection, key != NULL && secret != NULL);
    /* What the exchange needs to answer is not the client's memory. */
    bool inside = shortage_inside(false);
    enum MHD_Result result = route(x, connection, url, method, upload);
    shortage_inside(inside);
    return result;
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode how) {
    (void)ctx, (void)connection, (void)how;
    free(*state);
    *state = NULL;
}

struct MHD_Daemon *wire_http_start(struct wire_http *http, unsigned flags, int listening) {
    if (listening < 0)
        return MHD_start_daemon(flags | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, http,
                                MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
                                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
                                MHD_OPTION_END);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_NOTIFY_COMPLETED,
                            on_done, NULL, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_END);
}
