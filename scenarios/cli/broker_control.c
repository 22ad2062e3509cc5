/* Controls of a served exchange: one function each. */
#include "scenarios/cli/broker_control.h"

#include "sim/check.h"
#include "sim/wire_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OK = 200, NOT_FOUND = 404, NOT_ALLOWED = 405, MISTAKEN = 422, TEXT_SIZE = 2400 };
/* The rest is a market script's. */
static const char TOO_MUCH[] = "this exchange keeps no more executions, or none at such a price";
enum { REFUSALS_MAX = EXCHANGE_ORDERS_MAX - SCN_LINES_MAX };

/* ---- answering ---- */

/* Takes the object over. */
static void say(struct wire_said *said, int status, cJSON *object) {
    *said = (struct wire_said){.status = status, .body = cJSON_Print(object)};
    CHECK(said->body != NULL);
    cJSON_Delete(object);
}

__attribute__((format(printf, 3, 4))) static void refuse(struct wire_said *said, int status,
                                                         const char *format, ...) {
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(said, status, wire_json_refusal(0, text));
}

static void say_order(const struct broker_control *control, int order, struct wire_said *said) {
    say(said, OK, books_order_json(&control->books, (size_t)order));
}

/* ---- what a body says ---- */

/* The order that "order" or "symbol" names, or -1 after the refusal was said. */
static int order_of(const struct broker_control *control, const cJSON *body,
                    struct wire_said *said) {
    const char *name = wire_json_text(body, "order"), *symbol = wire_json_text(body, "symbol");
    int order = -1;
    if (name == NULL && symbol == NULL) {
        refuse(said, MISTAKEN,
               "\"order\" is required (an id or a client_order_id), or \"symbol\" for its oldest "
               "open order");
        return -1;
    }
    order = name != NULL ? books_find(&control->books, name)
                         : market_oldest_open(&control->books.world.exchange, symbol);
    if (order < 0 && name != NULL)
        refuse(said, NOT_FOUND, "no order '%.64s'", name);
    else if (order < 0)
        refuse(said, NOT_FOUND, "no open order in '%.64s'", symbol);
    return order;
}

/* An amount, `otherwise` when it is not written. False: it is none, and the refusal was said. */
static bool amount_or(const cJSON *body, const char *name, int64_t otherwise, int64_t *nanos,
                      struct wire_said *said) {
    const cJSON *written = cJSON_GetObjectItemCaseSensitive(body, name);
    *nanos = otherwise;
    if (written != NULL && !cJSON_IsNull(written) && !wire_json_amount(body, name, nanos)) {
        refuse(said, MISTAKEN, "\"%s\" must be a number above 0 with at most 9 decimals", name);
        return false;
    }
    return true;
}

/* symbol, side, qty and the price named so: what an order looks like. False: as above. */
static bool read_like(const cJSON *body, const char *price_name, bool needs_price,
                      struct broker_request *like, struct wire_said *said) {
    const char *symbol = wire_json_text(body, "symbol"), *side = wire_json_text(body, "side");
    *like = (struct broker_request){.tif = BROKER_DAY};
    if (symbol == NULL || symbol[0] == '\0' || strlen(symbol) >= sizeof like->symbol)
        refuse(said, MISTAKEN, "\"symbol\" is required: a text of at most %zu characters",
               sizeof like->symbol - 1);
    else if (side == NULL || !broker_side_parse(side, &like->side))
        refuse(said, MISTAKEN, "\"side\" is required: \"buy\" or \"sell\"");
    else if (amount_or(body, "qty", 0, &like->qty_nanos, said) &&
             amount_or(body, price_name, 0, &like->limit_nanos, said)) {
        snprintf(like->symbol, sizeof like->symbol, "%s", symbol);
        like->type = like->limit_nanos > 0 ? BROKER_LIMIT : BROKER_MARKET;
        if (like->qty_nanos > 0 && (like->limit_nanos > 0 || !needs_price))
            return true;
        refuse(said, MISTAKEN, "\"%s\" is required", like->qty_nanos == 0 ? "qty" : price_name);
    }
    return false;
}

/* ---- controls ---- */

static void fill(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    struct exchange *exchange = &control->books.world.exchange;
    const char *id = wire_json_text(body, "execution_id");
    int64_t qty = 0, price = 0;
    int order = order_of(control, body, said);
    if (order < 0)
        return;
    const struct broker_order *told = &exchange->orders[order].told;
    if (!amount_or(body, "qty", told->qty_nanos - told->filled_nanos, &qty, said) ||
        !amount_or(body, "price", told->limit_nanos, &price, said))
        return;
    if (price == 0)
        refuse(said, MISTAKEN, "\"price\" is required: the order has no limit");
    else if (!books_take_fill(&control->books, price))
        refuse(said, MISTAKEN, "%s", TOO_MUCH);
    else if (id != NULL && strlen(id) >= BROKER_EXECUTION_ID_SIZE)
        refuse(said, MISTAKEN, "\"execution_id\" must have at most %d characters",
               BROKER_EXECUTION_ID_SIZE - 1);
    else if (!exchange_fill(exchange, (size_t)order, control->books.world.now_ns, qty, price,
                            id != NULL ? id : ""))
        refuse(said, MISTAKEN, "the order cannot be filled by so much: it is %s",
               told->status_text);
    else
        say_order(control, order, said);
}

static void end(struct broker_control *control, const cJSON *body, enum broker_status status,
                struct wire_said *said) {
    struct exchange *exchange = &control->books.world.exchange;
    int order = order_of(control, body, said);
    if (order < 0)
        return;
    if (!exchange_end(exchange, (size_t)order, status)) {
        refuse(said, MISTAKEN, "the order has ended already: it is %s",
               exchange->orders[order].told.status_text);
        return;
    }
    books_note(&control->books);
    say_order(control, order, said);
}

static void cancel(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    end(control, body, BROKER_STATUS_CANCELED, said);
}

static void expire(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    end(control, body, BROKER_STATUS_EXPIRED, said);
}

static void reject(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    const char *message = wire_json_text(body, "message");
    struct broker_request like;
    if (wire_json_text(body, "order") != NULL || wire_json_text(body, "side") == NULL) {
        end(control, body, BROKER_STATUS_REJECTED, said);
        return;
    }
    if (!read_like(body, "limit_price", false, &like, said))
        return;
    if (control->books.world.exchange.refusal_count >= REFUSALS_MAX) {
        refuse(said, MISTAKEN, "this exchange keeps no more than %d refusals", REFUSALS_MAX);
        return;
    }
    exchange_refuse(&control->books.world.exchange, &like,
                    message != NULL ? message : "order refused");
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "refuses", message != NULL ? message : "order refused");
    say(said, OK, o);
}

static void lose(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    int order = order_of(control, body, said);
    if (order < 0)
        return;
    if (exchange_lose(&control->books.world.exchange, (size_t)order))
        say_order(control, order, said);
    else
        refuse(said, MISTAKEN, "the order cannot be lost: something of it was executed");
}

static void foreign(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    struct exchange *exchange = &control->books.world.exchange;
    struct broker_request like;
    if (!read_like(body, "price", true, &like, said))
        return;
    const char *full = books_refuse(&control->books, like.symbol, like.qty_nanos, like.limit_nanos);
    if (full != NULL || !books_take_fill(&control->books, like.limit_nanos)) {
        refuse(said, MISTAKEN, "%s", full != NULL ? full : TOO_MUCH);
        return;
    }
    exchange_foreign(exchange, control->books.world.now_ns, like.symbol, like.side, like.qty_nanos,
                     like.limit_nanos);
    books_note(&control->books);
    say_order(control, (int)exchange->order_count - 1, said);
}

static void set_down(struct broker_control *control, bool down, struct wire_said *said) {
    cJSON *o = cJSON_CreateObject();
    control->books.world.broker_down = down;
    cJSON_AddBoolToObject(o, "down", down);
    say(said, OK, o);
}

static void go_down(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    (void)body;
    set_down(control, true, said);
}

static void come_up(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    (void)body;
    set_down(control, false, said);
}

static void plan(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    const char *text = wire_json_text(body, "plan");
    char why[FAULTS_WHY_SIZE] = "";
    cJSON *o = NULL;
    if (text == NULL) {
        refuse(said, MISTAKEN, "\"plan\" is required: \"1/broker.submit@1=lost-reply\", \"none\"");
        return;
    }
    if (!faults_read(&control->faults, text, why)) {
        refuse(said, MISTAKEN, "%s", why);
        return;
    }
    o = cJSON_CreateObject();
    cJSON_AddItemToObject(o, "faults", faults_json(&control->faults));
    say(said, OK, o);
}

static void books(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    (void)body;
    cJSON *o = books_json(&control->books);
    cJSON_AddItemToObject(o, "faults", faults_json(&control->faults));
    cJSON_AddItemToObject(o, "market", broker_market_json(&control->market));
    say(said, OK, o);
}

static void list(struct broker_control *control, const cJSON *body, struct wire_said *said);

/* method, path, function, body, what it does */
#define CONTROLS(X)                                                                             \
    X("GET", "/control", list, "", "this list")                                                 \
    X("GET", "/control/books", books, "",                                                       \
      "orders, fills, positions, cash, deliveries counted, faults that struck, the script's "   \
      "lines")                                                                                  \
    X("POST", "/control/fill", fill, "order | symbol, [qty], [price], [execution_id]",          \
      "executes it: the rest of it, at its limit, when nothing else is said")                   \
    X("POST", "/control/cancel", cancel, "order | symbol", "the broker cancels it")             \
    X("POST", "/control/expire", expire, "order | symbol", "the broker ends it by time")        \
    X("POST", "/control/reject", reject, "order | symbol, side, qty, [limit_price], [message]", \
      "rejects an order that was taken, or refuses from now on every order that looks so")      \
    X("POST", "/control/lose", lose, "order | symbol",                                          \
      "the broker comes back from a backup and has never heard of it")                          \
    X("POST", "/control/foreign", foreign, "symbol, side, qty, price",                          \
      "somebody else trades on the account")                                                    \
    X("POST", "/control/down", go_down, "", "every connection to the API is closed unanswered") \
    X("POST", "/control/up", come_up, "", "the API answers again")                              \
    X("POST", "/control/plan", plan, "plan", "other faults from now on; calls are counted anew")
static const struct {
    const char *method, *path;
    void (*act)(struct broker_control *control, const cJSON *body, struct wire_said *said);
    const char *body, *help;
} controls[] = {
#define X(method, path, act, body, help) {method, path, act, body, help},
    CONTROLS(X)
#undef X
};
enum { CONTROL_COUNT = sizeof controls / sizeof controls[0] };

static void list(struct broker_control *control, const cJSON *body, struct wire_said *said) {
    (void)control, (void)body;
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "method", controls[i].method);
        cJSON_AddStringToObject(o, "path", controls[i].path);
        cJSON_AddStringToObject(o, "body", controls[i].body);
        cJSON_AddStringToObject(o, "does", controls[i].help);
        cJSON_AddItemToArray(array, o);
    }
    say(said, OK, array);
}

bool control_answer(struct broker_control *control, const char *method, const char *path,
                    const char *body, size_t length, struct wire_said *said) {
    size_t i = 0;
    while (i < CONTROL_COUNT && strcmp(controls[i].path, path) != 0)
        i++;
    if (i == CONTROL_COUNT)
        return false;
    cJSON *read = length > 0 ? cJSON_ParseWithLength(body, length) : cJSON_CreateObject();
    if (strcmp(controls[i].method, method) != 0)
        refuse(said, NOT_ALLOWED, "%s wants %s", path, controls[i].method);
    else if (!cJSON_IsObject(read))
        refuse(said, MISTAKEN, "the body is no JSON object: {%s}", controls[i].body);
    else
        controls[i].act(control, read, said);
    cJSON_Delete(read);
    return true;
}
