/* The broker port over Alpaca's Trading API v2. */
#include "core/live/alpaca.h"

#include "core/check.h"
#include "core/live/alpaca_json.h"
#include "core/live/rfc3339.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CODE_NOT_FOUND = 40410000, TROUBLE_SIZE = 320 };
static const char ORDERS_PATH[] = "/v2/orders";

struct alpaca {
    struct transport *transport;
    const struct profile *profile;
    int orders_page, fills_page;
    char trouble[TROUBLE_SIZE];
    struct broker_request *on_their_way; /* ticket 0: this place is free */
    size_t places;                       /* 0: every send is waited for */
};

struct alpaca *alpaca_open(const struct alpaca_config *config, char *error, size_t error_size) {
    struct transport_config to = {.url = config->url,
                                  .key_id = config->key_id,
                                  .ca_file = config->ca_file,
                                  .secret = config->secret,
                                  .timeout_ns = config->profile->timeout_ns,
                                  .io = config->io};
    int orders = config->orders_page, fills = config->fills_page;
    if (orders < 0 || orders > ALPACA_ORDERS_PAGE_MAX || fills < 0 ||
        fills > ALPACA_FILLS_PAGE_MAX) {
        snprintf(error, error_size, "pages of %d orders and %d fills: at most %d and %d", orders,
                 fills, ALPACA_ORDERS_PAGE_MAX, ALPACA_FILLS_PAGE_MAX);
        return NULL;
    }
    struct alpaca *a = calloc(1, sizeof *a);
    if (a == NULL) {
        snprintf(error, error_size, "broker adapter: out of memory");
        return NULL;
    }
    a->profile = config->profile;
    a->places = config->sends_at_once > 1 ? (size_t)config->sends_at_once : 0;
    a->on_their_way = calloc(a->places + 1, sizeof *a->on_their_way);
    a->orders_page = orders > 0 ? orders : ALPACA_ORDERS_PAGE_MAX;
    a->fills_page = fills > 0 ? fills : ALPACA_FILLS_PAGE_MAX;
    to.beside = a->places;
    if (a->on_their_way == NULL)
        snprintf(error, error_size, "broker adapter: out of memory");
    else
        a->transport = transport_open(&to, error, error_size);
    if (a->transport == NULL) {
        alpaca_close(a);
        return NULL;
    }
    return a;
}

void alpaca_close(struct alpaca *a) {
    if (a == NULL)
        return;
    transport_close(a->transport);
    free(a->on_their_way);
    free(a);
}

/* ---- asking, and saying why ---- */

static void note_trouble(struct alpaca *a, const struct transport_request *request,
                         const struct transport_reply *reply) {
    static const char *const methods[] = {
        [TRANSPORT_GET] = "GET", [TRANSPORT_POST] = "POST", [TRANSPORT_DELETE] = "DELETE"};
    struct alpaca_error error = {.message = ""};
    a->trouble[0] = '\0';
    if (reply->whole && reply->status < 400)
        return;
    int path = (int)strcspn(request->path, "?"); /* without the query */
    if (!reply->whole) {
        snprintf(a->trouble, sizeof a->trouble, "%s %.*s: %s", methods[request->method], path,
                 request->path, reply->text);
        return;
    }
    bool told = alpaca_read_error(reply->body, reply->length, &error);
    snprintf(a->trouble, sizeof a->trouble, "%s %.*s: HTTP %d%s%s%s", methods[request->method],
             path, request->path, reply->status, told ? ": " : "", told ? error.message : "",
             reply->status == 401 ? "; it does not accept these keys" : "");
}

const char *alpaca_trouble(const struct alpaca *a) {
    return a->trouble;
}

/* How it went, in the port's words. */
static void explain(struct alpaca *a, const struct transport_request *request,
                    const struct transport_reply *reply, struct broker_reason *why) {
    note_trouble(a, request, reply);
    memset(why, 0, sizeof *why);
    why->http_status = reply->status;
    snprintf(why->text, sizeof why->text, "%s", reply->text);
}

static void send_request(struct alpaca *a, enum transport_method method, const char *path,
                         const char *body, struct transport_reply *reply,
                         struct broker_reason *why) {
    struct transport_request request = {.method = method, .path = path, .body = body};
    transport_send(a->transport, &request, reply);
    explain(a, &request, reply, why);
}

/* Reads the broker's own words on an answer that is not a success. False: there are none. */
static bool read_refusal(const struct transport_reply *reply, struct alpaca_error *error,
                         struct broker_reason *why) {
    if (!reply->whole)
        return false;
    if (!alpaca_read_error(reply->body, reply->length, error)) {
        snprintf(why->text, sizeof why->text, "HTTP %d without the broker's JSON message",
                 reply->status);
        return false;
    }
    snprintf(why->text, sizeof why->text, "%s", error->message);
    return true;
}

static bool complain(struct broker_reason *why, const struct alpaca_complaint *complaint) {
    snprintf(why->text, sizeof why->text, "damaged answer: %s", complaint->text);
    return false;
}

/* The document of a whole 200 answer; NULL with a reason otherwise. */
static cJSON *parse_success(const struct transport_reply *reply, struct broker_reason *why) {
    struct alpaca_complaint complaint;
    struct alpaca_error error;
    if (!reply->whole || reply->status != 200) {
        read_refusal(reply, &error, why);
        return NULL;
    }
    cJSON *json = alpaca_parse(reply->body, reply->length, &complaint);
    if (json == NULL)
        complain(why, &complaint);
    return json;
}

static bool read_order_reply(const struct alpaca *a, const struct transport_reply *reply,
                             struct broker_order *order, struct broker_reason *why) {
    struct alpaca_complaint complaint;
    cJSON *json = parse_success(reply, why);
    if (json == NULL)
        return false;
    bool read = alpaca_read_order(json, a->profile->knows_ids, order, &complaint);
    cJSON_Delete(json);
    return read || complain(why, &complaint);
}

/* ---- submit ---- */

static const char *difference(const struct broker_request *request,
                              const struct broker_order *order) {
    if (strcmp(order->client_order_id, request->client_order_id) != 0)
        return "client_order_id";
    if (strcmp(order->symbol, request->symbol) != 0)
        return "symbol";
    if (order->side != request->side)
        return "side";
    if (order->type != request->type)
        return "type";
    if (order->tif != request->tif)
        return "time_in_force";
    if (order->qty_nanos != request->qty_nanos)
        return "qty";
    return order->limit_nanos != request->limit_nanos ? "limit_price" : NULL;
}

static enum broker_sent read_accepted(const struct alpaca *a, const struct transport_reply *reply,
                                      const struct broker_request *request,
                                      struct broker_order *order, struct broker_reason *why) {
    struct broker_order told;
    if (!read_order_reply(a, reply, &told, why))
        return BROKER_IN_DOUBT;
    const char *differs = difference(request, &told);
    if (differs != NULL) {
        snprintf(why->text, sizeof why->text, "the answer's %s is not what was sent", differs);
        return BROKER_IN_DOUBT;
    }
    *order = told;
    return BROKER_ACCEPTED;
}

static enum broker_sent read_not_accepted(const struct transport_reply *reply,
                                          struct broker_reason *why) {
    struct alpaca_error error;
    if (!read_refusal(reply, &error, why))
        return BROKER_IN_DOUBT;
    if (reply->status == 422 && strcasestr(error.message, "client_order_id must be unique") != NULL)
        return BROKER_DUPLICATE;
    /* Gateways answer these in JSON, too; only the broker's own refusals carry its number. Whether
     * the order is there when something on the way said no, or "too many requests", is not known. */
    bool of_the_order = reply->status == 400 || reply->status == 403 || reply->status == 422;
    return of_the_order && error.code != 0 ? BROKER_REJECTED : BROKER_IN_DOUBT;
}

static enum broker_sent read_sent(const struct alpaca *a, const struct transport_reply *reply,
                                  const struct broker_request *request, struct broker_order *order,
                                  struct broker_reason *why) {
    if (!reply->left)
        return BROKER_NOT_SENT;
    if (!reply->whole)
        return BROKER_IN_DOUBT;
    return reply->status == 200 ? read_accepted(a, reply, request, order, why)
                                : read_not_accepted(reply, why);
}

static struct broker_request *place_of(const struct alpaca *a, uint64_t ticket) {
    for (size_t i = 0; i < a->places; i++)
        if (a->on_their_way[i].ticket == ticket)
            return &a->on_their_way[i];
    return NULL;
}

static enum broker_sent submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct broker_reason *why) {
    struct alpaca *a = ctx;
    struct transport_reply reply;
    char *body = alpaca_write_order(request);
    struct transport_request post = {TRANSPORT_POST, ORDERS_PATH, body};
    struct broker_request *place = place_of(a, 0);
    if (body == NULL) {
        *why = (struct broker_reason){.text = "out of memory, nothing was sent"};
        return BROKER_NOT_SENT;
    }
    bool leaves = place != NULL && transport_start(a->transport, &post, request->ticket, &reply);
    if (place == NULL)
        transport_send(a->transport, &post, &reply);
    cJSON_free(body);
    if (leaves) {
        *place = *request;
        return BROKER_ON_ITS_WAY;
    }
    explain(a, &post, &reply, why);
    return read_sent(a, &reply, request, order, why);
}

/* Who runs the loop is told when there is something to read; otherwise this often. */
enum { COLLECT_MS = 20, COLLECT_NS = COLLECT_MS * 1000000 };

static bool collect(void *ctx, struct broker_answer *answer, int64_t *wait_ns) {
    static const struct transport_request post = {TRANSPORT_POST, ORDERS_PATH, NULL};
    struct alpaca *a = ctx;
    struct transport_reply reply;
    struct broker_request *place = NULL;
    *answer = (struct broker_answer){.ticket = 0};
    if (!transport_finished(a->transport, &answer->ticket, &reply)) {
        *wait_ns = COLLECT_NS;
        return false;
    }
    place = place_of(a, answer->ticket);
    CHECK(place != NULL);
    explain(a, &post, &reply, &answer->why);
    answer->sent = read_sent(a, &reply, place, &answer->order, &answer->why);
    place->ticket = 0;
    return true;
}

static void withdraw(void *ctx) {
    struct alpaca *a = ctx;
    transport_withdraw(a->transport);
}

bool alpaca_wait(struct alpaca *a, struct curl_waitfd *fds, unsigned count, int ms) {
    return transport_wait(a->transport, fds, count, ms);
}

/* ---- lookup and cancel ---- */

static bool says_not_found(const struct transport_reply *reply, struct broker_reason *why) {
    struct alpaca_error error;
    return reply->status == 404 && read_refusal(reply, &error, why) && error.code == CODE_NOT_FOUND;
}

static enum broker_found lookup(void *ctx, const char *client_order_id, struct broker_order *order,
                                struct broker_reason *why) {
    char path[TRANSPORT_PATH_SIZE] = "/v2/orders:by_client_order_id?client_order_id=";
    struct transport_reply reply;
    struct broker_order told;
    if (!transport_escape(path, client_order_id)) {
        *why = (struct broker_reason){.text = "client order id: too long to ask for"};
        return BROKER_INCONCLUSIVE;
    }
    send_request(ctx, TRANSPORT_GET, path, NULL, &reply, why);
    if (says_not_found(&reply, why))
        return BROKER_ABSENT;
    if (!read_order_reply(ctx, &reply, &told, why))
        return BROKER_INCONCLUSIVE;
    if (strcmp(told.client_order_id, client_order_id) != 0) {
        snprintf(why->text, sizeof why->text, "the answer is about another client_order_id");
        return BROKER_INCONCLUSIVE;
    }
    *order = told;
    return BROKER_FOUND;
}

static enum broker_canceled cancel(void *ctx, const char *order_id, struct broker_reason *why) {
    char path[TRANSPORT_PATH_SIZE] = "/v2/orders/";
    struct transport_reply reply;
    struct alpaca_error error;
    if (order_id[0] == '\0' || !transport_escape(path, order_id)) {
        *why = (struct broker_reason){.text = "order id: empty or too long, nothing was sent"};
        return BROKER_CANCEL_NOT_SENT;
    }
    send_request(ctx, TRANSPORT_DELETE, path, NULL, &reply, why);
    if (!reply.left)
        return BROKER_CANCEL_NOT_SENT;
    if (reply.whole && reply.status == 204)
        return BROKER_CANCEL_TAKEN;
    if (says_not_found(&reply, why))
        return BROKER_CANCEL_ABSENT;
    bool refused = read_refusal(&reply, &error, why);
    return refused && reply.status == 422 && error.code != 0 ? BROKER_CANCEL_TOO_LATE
                                                             : BROKER_CANCEL_IN_DOUBT;
}

/* ---- lists ---- */

/* The array of one page; NULL with a reason otherwise. */
static cJSON *get_array(struct alpaca *a, const char *path, struct broker_reason *why) {
    struct transport_reply reply;
    send_request(a, TRANSPORT_GET, path, NULL, &reply, why);
    cJSON *json = parse_success(&reply, why);
    if (json != NULL && !cJSON_IsArray(json)) {
        snprintf(why->text, sizeof why->text, "damaged answer: document: must be an array");
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

static bool no_room(struct broker_reason *why) {
    snprintf(why->text, sizeof why->text, "more than %d rows, or out of memory", BROKER_LIST_MAX);
    return false;
}

/* "&after=" with a time just before since_ns, because `after` is exclusive. */
static bool add_after(char path[TRANSPORT_PATH_SIZE], int64_t since_ns) {
    char text[RFC3339_SIZE];
    size_t n = strlen(path);
    if (since_ns <= 0)
        return true;
    snprintf(path + n, TRANSPORT_PATH_SIZE - n, "&after=");
    return transport_escape(path, rfc3339_format(since_ns - 1, text));
}

static int by_time(int64_t a_ns, int64_t b_ns, const char *a_id, const char *b_id) {
    return a_ns != b_ns ? (a_ns < b_ns ? -1 : 1) : strcmp(a_id, b_id);
}

static int compare_orders(const void *a, const void *b) {
    const struct broker_order *x = a, *y = b;
    return by_time(x->submitted_ns, y->submitted_ns, x->id, y->id);
}

static int compare_fills(const void *a, const void *b) {
    const struct broker_fill *x = a, *y = b;
    return by_time(x->at_ns, y->at_ns, x->execution_id, y->execution_id);
}

static int compare_positions(const void *a, const void *b) {
    const struct broker_position *x = a, *y = b;
    return strcmp(x->symbol, y->symbol);
}

static void sort(void *rows, size_t count, size_t size,
                 int (*compare)(const void *, const void *)) {
    if (count > 1)
        qsort(rows, count, size, compare);
}

/* An order at the edge of two pages comes with both: is it among the rows of its time? */
static bool is_listed(const struct broker_orders *list, const struct broker_order *order) {
    for (size_t i = list->n; i > 0 && list->v[i - 1].submitted_ns >= order->submitted_ns; i--)
        if (strcmp(list->v[i - 1].id, order->id) == 0)
            return true;
    return false;
}

/* Appends a page's rows that are new. False: damaged. */
static bool take_orders(const struct alpaca *a, const cJSON *page, int64_t since_ns,
                        struct broker_orders *list, struct broker_reason *why) {
    struct alpaca_complaint complaint;
    for (const cJSON *row = page->child; row != NULL; row = row->next) {
        struct broker_order order, *added;
        if (!alpaca_read_order(row, a->profile->knows_ids, &order, &complaint))
            return complain(why, &complaint);
        int64_t least_ns = list->n > 0 ? list->v[list->n - 1].submitted_ns : since_ns;
        if (order.submitted_ns < least_ns && (list->n > 0 || since_ns > 0)) {
            if (order.submitted_ns >= since_ns) {
                snprintf(why->text, sizeof why->text, "orders came out of order");
                return false;
            }
            continue; /* a broker with coarser times gives a little more than was asked for */
        }
        if (is_listed(list, &order))
            continue;
        added = broker_orders_add(list);
        if (added == NULL)
            return no_room(why);
        *added = order;
    }
    return true;
}

/* `after` is exclusive and there is no cursor: the next page starts at the last row's own time, and
 * what comes twice is dropped. */
static bool orders(void *ctx, enum broker_scope scope, int64_t since_ns, struct broker_orders *list,
                   struct broker_reason *why) {
    struct alpaca *a = ctx;
    for (int64_t from_ns = since_ns;;) {
        char path[TRANSPORT_PATH_SIZE];
        snprintf(path, sizeof path, "/v2/orders?status=%s&direction=asc&limit=%d",
                 scope == BROKER_OPEN_ORDERS ? "open" : "all", a->orders_page);
        cJSON *page = add_after(path, from_ns) ? get_array(a, path, why) : NULL;
        if (page == NULL)
            return false;
        size_t before = list->n;
        bool taken = take_orders(a, page, since_ns, list, why);
        int rows = cJSON_GetArraySize(page);
        cJSON_Delete(page);
        if (!taken)
            return false;
        if (rows < a->orders_page)
            break;
        if (list->n == before) {
            snprintf(why->text, sizeof why->text, "a page of %d orders cannot be passed", rows);
            return false;
        }
        from_ns = list->v[list->n - 1].submitted_ns;
    }
    sort(list->v, list->n, sizeof list->v[0], compare_orders);
    return true;
}

static bool take_fills(const cJSON *page, int64_t since_ns, struct broker_fills *list,
                       char token[BROKER_EXECUTION_ID_SIZE], struct broker_reason *why) {
    struct alpaca_complaint complaint;
    for (const cJSON *row = page->child; row != NULL; row = row->next) {
        struct broker_fill fill, *added;
        if (!alpaca_read_fill(row, &fill, &complaint))
            return complain(why, &complaint);
        memcpy(token, fill.execution_id, BROKER_EXECUTION_ID_SIZE);
        if (fill.at_ns < since_ns)
            continue;
        added = broker_fills_add(list);
        if (added == NULL)
            return no_room(why);
        *added = fill;
    }
    return true;
}

/* A page that repeats rows of another would go round for ever, or book a row twice. */
static bool repeats(const struct broker_fills *list, struct broker_reason *why) {
    for (size_t i = 1; i < list->n; i++)
        if (strcmp(list->v[i - 1].execution_id, list->v[i].execution_id) == 0) {
            snprintf(why->text, sizeof why->text, "an execution is listed twice");
            return true;
        }
    return false;
}

static bool fills(void *ctx, int64_t since_ns, struct broker_fills *list,
                  struct broker_reason *why) {
    struct alpaca *a = ctx;
    char token[BROKER_EXECUTION_ID_SIZE] = "";
    for (size_t rows_seen = 0; rows_seen <= BROKER_LIST_MAX;) {
        char path[TRANSPORT_PATH_SIZE], last[BROKER_EXECUTION_ID_SIZE];
        memcpy(last, token, sizeof last);
        snprintf(path, sizeof path, "/v2/account/activities/FILL?direction=asc&page_size=%d%s",
                 a->fills_page, token[0] != '\0' ? "&page_token=" : "");
        bool fits = transport_escape(path, token) && add_after(path, since_ns);
        cJSON *page = fits ? get_array(a, path, why) : NULL;
        if (page == NULL)
            return false;
        bool taken = take_fills(page, since_ns, list, token, why);
        int rows = cJSON_GetArraySize(page);
        rows_seen += (size_t)rows;
        cJSON_Delete(page);
        if (!taken)
            return false;
        if (rows < a->fills_page) {
            sort(list->v, list->n, sizeof list->v[0], compare_fills);
            return !repeats(list, why);
        }
        if (strcmp(last, token) == 0)
            break;
    }
    snprintf(why->text, sizeof why->text, "pages of executions do not come to an end");
    return false;
}

static bool positions(void *ctx, struct broker_positions *list, struct broker_reason *why) {
    struct alpaca_complaint complaint;
    cJSON *page = get_array(ctx, "/v2/positions", why);
    if (page == NULL)
        return false;
    bool ok = true;
    for (const cJSON *row = page->child; ok && row != NULL; row = row->next) {
        struct broker_position position, *added;
        if (!alpaca_read_position(row, &position, &complaint)) {
            ok = complain(why, &complaint);
            break;
        }
        added = broker_positions_add(list);
        ok = added != NULL || no_room(why);
        if (ok)
            *added = position;
    }
    cJSON_Delete(page);
    sort(list->v, list->n, sizeof list->v[0], compare_positions);
    for (size_t i = 1; ok && i < list->n; i++)
        if (strcmp(list->v[i - 1].symbol, list->v[i].symbol) == 0) {
            snprintf(why->text, sizeof why->text, "position %s is listed twice", list->v[i].symbol);
            ok = false;
        }
    return ok;
}

static bool account(void *ctx, struct broker_account *out, struct broker_reason *why) {
    struct transport_reply reply;
    struct alpaca_complaint complaint;
    send_request(ctx, TRANSPORT_GET, "/v2/account", NULL, &reply, why);
    cJSON *json = parse_success(&reply, why);
    if (json == NULL)
        return false;
    bool read = alpaca_read_account(json, out, &complaint);
    cJSON_Delete(json);
    return read || complain(why, &complaint);
}

void alpaca_broker(struct alpaca *a, struct broker *out) {
    *out = (struct broker){.ctx = a,
                           .submit = submit,
                           .lookup = lookup,
                           .orders = orders,
                           .fills = fills,
                           .positions = positions,
                           .account = account,
                           .cancel = cancel,
                           .collect = a->places > 0 ? collect : NULL,
                           .withdraw = a->places > 0 ? withdraw : NULL};
}
