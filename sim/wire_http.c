/* The simulated broker's HTTP surface: translates between JSON over HTTP and struct wire_exchange.
 */
#include "sim/wire_http.h"

#include "core/live/rfc3339.h"
#include "sim/shortage.h"
#include "sim/wire_json.h"

#include <errno.h>
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
    CODE_TOO_MANY = 42910000,
    STATUS_OK = 200,
    STATUS_NO_CONTENT = 204,
    STATUS_EACH = 207 /* an answer of its own for each */
};

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
    return answer_json(to, status, wire_json_refusal(code, message));
}

static const char *argument(struct MHD_Connection *from, const char *name) {
    return MHD_lookup_connection_value(from, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- orders ---- */

static cJSON *order_json(const struct wire_exchange *x, const struct broker_order *order) {
    struct wire_order_more more = {0};
    if (x->more == NULL)
        return wire_json_order(order, NULL);
    x->more(x->ctx, order, &more);
    return wire_json_order(order, &more);
}

static enum MHD_Result submit(const struct wire_exchange *x, struct MHD_Connection *to,
                              const char *body, size_t length) {
    struct broker_request request;
    struct broker_order order;
    struct wire_refusal refusal = {0};
    char why[BROKER_TEXT_SIZE];
    if (!wire_json_request(body, length, &request, why, sizeof why))
        return refuse(to, 422, CODE_INVALID, why);
    memset(&order, 0, sizeof order);
    switch (x->submit(x->ctx, &request, &order, &refusal)) {
    case WIRE_TAKEN:
        return answer_json(to, STATUS_OK, order_json(x, &order));
    case WIRE_DUPLICATE:
        return refuse(to, 422, CODE_INVALID, "client_order_id must be unique");
    case WIRE_REFUSED:
        return refuse(to, refusal.status, refusal.code, refusal.message);
    }
    return MHD_NO;
}

static enum MHD_Result not_found(struct MHD_Connection *to, const char *id) {
    char text[BROKER_TEXT_SIZE];
    snprintf(text, sizeof text, "order not found for %.64s", id);
    return refuse(to, 404, CODE_NOT_FOUND, text);
}

static enum MHD_Result lookup(const struct wire_exchange *x, struct MHD_Connection *to) {
    const char *id = argument(to, "client_order_id");
    struct broker_order order;
    memset(&order, 0, sizeof order);
    if (id == NULL || id[0] == '\0')
        return refuse(to, 422, CODE_INVALID, "client_order_id is required");
    if (!x->lookup(x->ctx, id, &order)) {
        const char *words = x->not_found != NULL ? x->not_found(x->ctx) : "";
        return words[0] != '\0' ? refuse(to, 404, CODE_NOT_FOUND, words) : not_found(to, id);
    }
    return answer_json(to, STATUS_OK, order_json(x, &order));
}

static const struct broker_order *order_in(const struct broker_orders *list, const char *id) {
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].id, id) == 0)
            return &list->v[i];
    return NULL;
}

/* The order with this id among all that a query shows. */
static bool find_order(const struct wire_exchange *x, const char *id, struct broker_order *order) {
    struct broker_orders list = {0};
    x->orders(x->ctx, &list);
    const struct broker_order *found = order_in(&list, id);
    if (found != NULL)
        *order = *found;
    broker_orders_free(&list);
    return found != NULL;
}

static bool is_malformed(const struct wire_exchange *x, const char *id) {
    return x->is_order_id != NULL && !x->is_order_id(id);
}

static enum MHD_Result refuse_malformed(struct MHD_Connection *to) {
    return refuse(to, 422, CODE_INVALID, "order_id is malformed: it must be a UUID");
}

static enum MHD_Result show_order(const struct wire_exchange *x, struct MHD_Connection *to,
                                  const char *id) {
    struct broker_order order;
    if (is_malformed(x, id))
        return refuse_malformed(to);
    if (!find_order(x, id, &order))
        return not_found(to, id);
    return answer_json(to, STATUS_OK, order_json(x, &order));
}

/* ---- lists ---- */

/* What a list query asks for. */
struct query {
    int64_t after_ns, until_ns; /* both exclusive */
    size_t limit;
    bool descending;
};

/* A time, or a date for its first moment (UTC). */
static bool read_time(const char *text, int64_t *ns) {
    char midnight[RFC3339_SIZE];
    if (text == NULL || rfc3339_parse(text, ns))
        return true;
    snprintf(midnight, sizeof midnight, "%.16sT00:00:00Z", text);
    return rfc3339_parse(midnight, ns);
}

/* False: not a whole number from 1 to `most`. */
static bool read_count(const char *text, size_t most, size_t *count) {
    char *end = NULL;
    if (text == NULL)
        return true;
    errno = 0;
    *count = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *count > 0 &&
           *count <= most;
}

/* NULL: every argument is understood; else the name of one that is not, and its rule. */
static const char *read_query(struct MHD_Connection *from, const char *limit_name, size_t limit,
                              size_t limit_max, struct query *q) {
    const char *direction = argument(from, "direction");
    *q = (struct query){.after_ns = -1, .until_ns = INT64_MAX, .limit = limit, .descending = true};
    if (!read_time(argument(from, "after"), &q->after_ns))
        return "after must be a time as in RFC 3339, or a date";
    if (!read_time(argument(from, "until"), &q->until_ns))
        return "until must be a time as in RFC 3339, or a date";
    if (!read_count(argument(from, limit_name), limit_max, &q->limit))
        return limit_max == ORDERS_PAGE_MAX ? "limit must be a whole number from 1 to 500"
                                            : "page_size must be a whole number from 1 to 100";
    if (direction != NULL)
        q->descending = strcmp(direction, "desc") == 0;
    if (direction != NULL && !q->descending && strcmp(direction, "asc") != 0)
        return "direction must be asc or desc";
    return NULL;
}

/* The i-th of n rows in the direction asked for. */
static size_t row(const struct query *q, size_t n, size_t i) {
    return q->descending ? n - 1 - i : i;
}

/* Whether a list with commas holds the word; no list holds every word. */
static bool is_listed(const char *list, const char *word) {
    size_t n = strlen(word);
    if (list == NULL)
        return true;
    for (const char *at = list; *at != '\0'; at += strcspn(at, ",") + (strchr(at, ',') != NULL))
        if (strcspn(at, ",") == n && strncmp(at, word, n) == 0)
            return true;
    return false;
}

static bool is_shown(struct MHD_Connection *to, const struct query *q,
                     const struct broker_order *order) {
    const char *status = argument(to, "status"), *side = argument(to, "side");
    bool all = status != NULL && strcmp(status, "all") == 0;
    bool closed = status != NULL && strcmp(status, "closed") == 0;
    return (all || broker_status_is_open(order->status) != closed) &&
           order->submitted_ns > q->after_ns && order->submitted_ns < q->until_ns &&
           is_listed(argument(to, "symbols"), order->symbol) &&
           (side == NULL || strcmp(side, broker_side_name(order->side)) == 0);
}

static enum MHD_Result list_orders(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct query q;
    const char *status = argument(to, "status");
    const char *mistake = read_query(to, "limit", ORDERS_PAGE, ORDERS_PAGE_MAX, &q);
    if (mistake == NULL && status != NULL && !is_listed("open,closed,all", status))
        mistake = "status must be open, closed or all";
    if (mistake != NULL)
        return refuse(to, 422, CODE_INVALID, mistake);
    struct broker_orders list = {0};
    cJSON *array = cJSON_CreateArray();
    x->orders(x->ctx, &list);
    for (size_t i = 0, taken = 0; i < list.n && taken < q.limit; i++) {
        const struct broker_order *order = &list.v[row(&q, list.n, i)];
        if (!is_shown(to, &q, order))
            continue;
        cJSON_AddItemToArray(array, order_json(x, order));
        taken++;
    }
    broker_orders_free(&list);
    return answer_json(to, STATUS_OK, array);
}

/* The i-th execution, with what was executed of its order before. */
static cJSON *fill_json(const struct broker_orders *orders, const struct broker_fills *fills,
                        size_t i) {
    const struct broker_fill *fill = &fills->v[i];
    const struct broker_order *order = order_in(orders, fill->order_id);
    int64_t cum_nanos = 0;
    for (size_t before = 0; before <= i; before++)
        if (strcmp(fills->v[before].order_id, fill->order_id) == 0)
            cum_nanos += fills->v[before].qty_nanos;
    return wire_json_fill(fill, cum_nanos, order != NULL ? order->qty_nanos - cum_nanos : 0);
}

static enum MHD_Result list_fills(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct query q;
    const char *token = argument(to, "page_token");
    const char *mistake = read_query(to, "page_size", FILLS_PAGE_MAX, FILLS_PAGE_MAX, &q);
    if (mistake != NULL)
        return refuse(to, 422, CODE_INVALID, mistake);
    struct broker_fills list = {0};
    struct broker_orders orders = {0};
    cJSON *array = cJSON_CreateArray();
    bool past_token = token == NULL;
    x->fills(x->ctx, &list);
    x->orders(x->ctx, &orders);
    for (size_t i = 0, taken = 0; i < list.n && taken < q.limit; i++) {
        size_t at = row(&q, list.n, i);
        const struct broker_fill *fill = &list.v[at];
        bool shown = past_token && fill->at_ns > q.after_ns && fill->at_ns < q.until_ns;
        past_token = past_token || strcmp(fill->execution_id, token) == 0;
        if (!shown)
            continue;
        cJSON_AddItemToArray(array, fill_json(&orders, &list, at));
        taken++;
    }
    broker_fills_free(&list);
    broker_orders_free(&orders);
    if (!past_token) {
        cJSON_Delete(array);
        return refuse(to, 422, CODE_INVALID, "page_token is not known");
    }
    return answer_json(to, STATUS_OK, array);
}

/* GET /v2/account/activities: only executions are kept here. */
static enum MHD_Result list_activities(const struct wire_exchange *x, struct MHD_Connection *to) {
    const char *types = argument(to, "activity_types");
    return is_listed(types, "FILL") ? list_fills(x, to)
                                    : answer_json(to, STATUS_OK, cJSON_CreateArray());
}

/* ---- positions, account, clock ---- */

static cJSON *position_json(const struct wire_exchange *x, const struct broker_position *position) {
    struct wire_order_more more = {0};
    struct broker_order order = {.qty_nanos = 0};
    memcpy(order.symbol, position->symbol, sizeof order.symbol);
    if (x->more != NULL)
        x->more(x->ctx, &order, &more);
    return wire_json_position(position, more.asset_id);
}

static enum MHD_Result list_positions(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct broker_positions list = {0};
    cJSON *array = cJSON_CreateArray();
    x->positions(x->ctx, &list);
    for (size_t i = 0; i < list.n; i++)
        cJSON_AddItemToArray(array, position_json(x, &list.v[i]));
    broker_positions_free(&list);
    return answer_json(to, STATUS_OK, array);
}

static enum MHD_Result show_position(const struct wire_exchange *x, struct MHD_Connection *to,
                                     const char *symbol) {
    struct broker_positions list = {0};
    cJSON *found = NULL;
    x->positions(x->ctx, &list);
    for (size_t i = 0; i < list.n && found == NULL; i++) {
        char name[BROKER_SYMBOL_SIZE];
        wire_json_position_symbol(list.v[i].symbol, name);
        if (strcmp(name, symbol) == 0 || strcmp(list.v[i].symbol, symbol) == 0)
            found = position_json(x, &list.v[i]);
    }
    broker_positions_free(&list);
    if (found == NULL)
        return refuse(to, 404, CODE_NOT_FOUND, "position does not exist");
    return answer_json(to, STATUS_OK, found);
}

static enum MHD_Result show_account(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct broker_account account;
    memset(&account, 0, sizeof account);
    x->account(x->ctx, &account);
    return answer_json(to, STATUS_OK, wire_json_account(&account));
}

/* ---- cancels ---- */

static enum MHD_Result refuse_late_cancel(const struct wire_exchange *x, struct MHD_Connection *to,
                                          const char *id) {
    struct broker_order order;
    char text[BROKER_TEXT_SIZE] = "order is already in a final state";
    if (find_order(x, id, &order))
        snprintf(text, sizeof text, "order is already in \"%s\" state", order.status_text);
    return refuse(to, 422, CODE_TOO_LATE, text);
}

static enum MHD_Result cancel(const struct wire_exchange *x, struct MHD_Connection *to,
                              const char *id) {
    if (is_malformed(x, id))
        return refuse_malformed(to);
    switch (x->cancel(x->ctx, id)) {
    case BROKER_CANCEL_TAKEN:
        return answer_bytes(to, STATUS_NO_CONTENT, NULL, NULL);
    case BROKER_CANCEL_TOO_LATE:
        return refuse_late_cancel(x, to, id);
    case BROKER_CANCEL_ABSENT:
        return not_found(to, id);
    case BROKER_CANCEL_NOT_SENT:
    case BROKER_CANCEL_IN_DOUBT:
        break; /* no answers of an exchange */
    }
    return MHD_NO;
}

static enum MHD_Result cancel_all(const struct wire_exchange *x, struct MHD_Connection *to) {
    struct broker_orders list = {0};
    cJSON *array = cJSON_CreateArray();
    x->orders(x->ctx, &list);
    for (size_t i = 0; i < list.n; i++) {
        if (!broker_status_is_open(list.v[i].status))
            continue;
        cJSON *one = cJSON_CreateObject();
        bool taken = x->cancel(x->ctx, list.v[i].id) == BROKER_CANCEL_TAKEN;
        cJSON_AddStringToObject(one, "id", list.v[i].id);
        cJSON_AddNumberToObject(one, "status", taken ? STATUS_OK : 500);
        cJSON_AddItemToArray(array, one);
    }
    broker_orders_free(&list);
    return answer_json(to, STATUS_EACH, array);
}

/* ---- routing ---- */

struct upload {
    size_t length;
    bool too_long;
    char body[REQUEST_BODY_MAX + 1];
};

/* What follows `prefix` in a path, or NULL: something else, or nothing, does. */
static const char *rest_of(const char *path, const char *prefix) {
    size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 && path[n] != '\0' ? path + n : NULL;
}

static enum MHD_Result route_get(const struct wire_exchange *x, struct MHD_Connection *to,
                                 const char *url) {
    static const struct {
        const char *url;
        enum MHD_Result (*answer)(const struct wire_exchange *x, struct MHD_Connection *to);
    } PAGES[] = {
        {"/v2/orders:by_client_order_id", lookup},   {"/v2/orders", list_orders},
        {"/v2/account/activities/FILL", list_fills}, {"/v2/account/activities", list_activities},
        {"/v2/positions", list_positions},           {"/v2/account", show_account},
    };
    for (size_t i = 0; i < sizeof PAGES / sizeof PAGES[0]; i++)
        if (strcmp(url, PAGES[i].url) == 0)
            return PAGES[i].answer(x, to);
    if (rest_of(url, "/v2/orders/") != NULL)
        return show_order(x, to, rest_of(url, "/v2/orders/"));
    if (rest_of(url, "/v2/positions/") != NULL)
        return show_position(x, to, rest_of(url, "/v2/positions/"));
    if (strcmp(url, "/v2/clock") == 0 && x->now_ns != NULL)
        return answer_json(to, STATUS_OK, wire_json_clock(x->now_ns(x->ctx)));
    return refuse(to, 404, 0, "Not Found");
}

static enum MHD_Result route(const struct wire_exchange *x, struct MHD_Connection *to,
                             const char *url, const char *method, const struct upload *upload) {
    bool orders = strcmp(url, "/v2/orders") == 0;
    if (strcmp(method, "GET") == 0)
        return route_get(x, to, url);
    if (strcmp(method, "POST") == 0 && orders)
        return upload->too_long ? refuse(to, 413, 0, "request body too large")
                                : submit(x, to, upload->body, upload->length);
    if (strcmp(method, "DELETE") == 0 && orders)
        return cancel_all(x, to);
    if (strcmp(method, "DELETE") == 0 && rest_of(url, "/v2/orders/") != NULL)
        return cancel(x, to, rest_of(url, "/v2/orders/"));
    return refuse(to, 404, 0, "Not Found");
}

/* What is not the API's. */
static enum MHD_Result route_beside(const struct wire_exchange *x, struct MHD_Connection *to,
                                    const char *url, const char *method,
                                    const struct upload *upload) {
    struct wire_said said = {.status = 0};
    if (x->beside == NULL || upload->too_long ||
        !x->beside(x->ctx, method, url, upload->body, upload->length, &said))
        return refuse(to, 404, 0, "Not Found");
    return answer_bytes(to, said.status, "application/json", said.body);
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

static enum MHD_Result admit(const struct wire_exchange *x, struct MHD_Connection *to,
                             const char *url, const char *method, const struct upload *upload) {
    const char *key = MHD_lookup_connection_value(to, MHD_HEADER_KIND, "APCA-API-KEY-ID");
    const char *secret = MHD_lookup_connection_value(to, MHD_HEADER_KIND, "APCA-API-SECRET-KEY");
    bool shown = key != NULL && secret != NULL;
    switch (x->admit != NULL ? x->admit(x->ctx) : WIRE_ADMITTED) {
    case WIRE_NOBODY:
        return MHD_NO;
    case WIRE_TOO_MANY:
        return refuse(to, 429, CODE_TOO_MANY, "too many requests.");
    case WIRE_ADMITTED:
        break;
    }
    if ((x->wants_keys && !shown) ||
        (x->key_id != NULL && (!same_text(key, x->key_id) || !same_text(secret, x->secret))))
        return refuse_stranger(to, shown);
    return route(x, to, url, method, upload);
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
        upload->too_long = upload->too_long || *count > REQUEST_BODY_MAX - upload->length;
        if (!upload->too_long) {
            memcpy(upload->body + upload->length, bytes, *count);
            upload->length += *count;
        }
        *count = 0;
        return MHD_YES;
    }
    upload->body[upload->length] = '\0';
    http->served++;
    /* What the exchange needs to answer is not the client's memory. */
    bool inside = shortage_inside(false);
    enum MHD_Result result = strncmp(url, "/v2/", 4) == 0
                                 ? admit(x, connection, url, method, upload)
                                 : route_beside(x, connection, url, method, upload);
    shortage_inside(inside);
    return result;
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode how) {
    (void)ctx, (void)connection, (void)how;
    free(*state);
    *state = NULL;
}

struct MHD_Daemon *wire_http_start(struct wire_http *http, unsigned flags) {
    return MHD_start_daemon(flags | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, http,
                            MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
                            MHD_OPTION_END);
}
