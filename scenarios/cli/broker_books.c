/* The served exchange's books, in public ids. */
#include "scenarios/cli/broker_books.h"

#include "core/live/rfc3339.h"
#include "scenarios/lang/ast.h"
#include "sim/check.h"
#include "sim/hash.h"
#include "sim/wire_json.h"
#include "sim/wire_world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UUID_LENGTH = 36, UUID_NUMBER_AT = 24, MINUTE_S = 60 };
/* Like Alpaca's for an order it will not take. */
enum { REFUSED_STATUS = 403, REFUSED_CODE = 40310000 };
/* What a market script may still add when clients have had all that is theirs. */
enum {
    ORDERS_MAX = EXCHANGE_ORDERS_MAX - SCN_LINES_MAX,
    SYMBOLS_MAX = EXCHANGE_SYMBOLS_MAX - SCN_SYMBOLS_MAX,
    FILLS_MAX = EXCHANGE_FILLS_MAX - EXCHANGE_ORDERS_MAX - SCN_LINES_MAX
};
#define PRICE_MAX_NANOS (INT64_C(1000000000) * DECIMAL_NANOS)
/* The rest of an order's public id is its number in twelve digits. */
#define ORDER_UUID "c0ffee00-0000-4000-8000-"

/* ---- ids ---- */

static bool is_uuid(const char *text) {
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[UUID_LENGTH] == '\0';
}

static void make_public(char id[BROKER_ORDER_ID_SIZE]) {
    char own[BROKER_ORDER_ID_SIZE];
    memcpy(own, id, sizeof own);
    snprintf(id, BROKER_ORDER_ID_SIZE, ORDER_UUID "%012lu", strtoul(own + 1, NULL, 10));
}

/* False: it is nobody's. */
static bool read_public(const char *id, char own[BROKER_ORDER_ID_SIZE]) {
    bool ours = is_uuid(id) && strncmp(id, ORDER_UUID, UUID_NUMBER_AT) == 0;
    snprintf(own, BROKER_ORDER_ID_SIZE, "O%lu", ours ? strtoul(id + UUID_NUMBER_AT, NULL, 10) : 0);
    return ours;
}

static void make_asset_id(const char *symbol,
                          char out[sizeof((struct wire_order_more *)0)->asset_id]) {
    unsigned long long hash = hash_text(0, symbol);
    snprintf(out, sizeof((struct wire_order_more *)0)->asset_id,
             "%08llx-%04llx-4%03llx-8%03llx-%012llx", hash >> 32, hash >> 16 & 0xffff,
             hash >> 4 & 0xfff, hash >> 20 & 0xfff, hash & 0xffffffffffff);
}

/* The index of the order with this public id, or -1. */
static int index_of(const struct broker_books *books, const char *id) {
    char own[BROKER_ORDER_ID_SIZE];
    if (!read_public(id, own))
        return -1;
    const struct exchange *exchange = &books->world.exchange;
    for (size_t i = 0; i < exchange->order_count; i++)
        if (!exchange->orders[i].lost && strcmp(exchange->orders[i].told.id, own) == 0)
            return (int)i;
    return -1;
}

int books_find(const struct broker_books *books, const char *name) {
    const struct exchange *exchange = &books->world.exchange;
    for (size_t i = exchange->order_count; i-- > 0;)
        if (!exchange->orders[i].lost &&
            strcmp(exchange->orders[i].told.client_order_id, name) == 0)
            return (int)i;
    return index_of(books, name);
}

/* ---- ceilings: past them a client is refused, whatever he sends ---- */

/* Of all orders and the position in a symbol: no execution can lead past it. */
static int64_t exposure(const struct exchange *exchange, const char *symbol) {
    const struct exchange_position *position = exchange_position(exchange, symbol);
    int64_t sum = position == NULL ? 0 : position->qty_nanos;
    sum = sum < 0 ? -sum : sum;
    for (size_t i = 0; i < exchange->order_count; i++)
        if (strcmp(exchange->orders[i].told.symbol, symbol) == 0)
            sum += exchange->orders[i].told.qty_nanos;
    return sum;
}

static bool orders_name(const struct exchange *exchange, size_t count, const char *symbol) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(exchange->orders[i].told.symbol, symbol) == 0)
            return true;
    return false;
}

static size_t symbols_of_orders(const struct exchange *exchange) {
    size_t count = 0;
    for (size_t i = 0; i < exchange->order_count; i++)
        count += !orders_name(exchange, i, exchange->orders[i].told.symbol);
    return count;
}

const char *books_refuse(const struct broker_books *books, const char *symbol, int64_t qty_nanos,
                         int64_t price_nanos) {
    const struct exchange *exchange = &books->world.exchange;
    if (exchange->order_count >= ORDERS_MAX || exchange->delivery_count >= EXCHANGE_FILLS_MAX)
        return "this exchange keeps no more orders: start another one";
    if (price_nanos > PRICE_MAX_NANOS)
        return "a price must be at most 1000000000";
    if (qty_nanos > INT64_MAX / 4 || exposure(exchange, symbol) > INT64_MAX / 4)
        return "this exchange keeps no more of this symbol than about 2300000000";
    if (!orders_name(exchange, exchange->order_count, symbol) &&
        exchange->position_count + symbols_of_orders(exchange) >= SYMBOLS_MAX)
        return "this exchange keeps no more symbols";
    return NULL;
}

bool books_take_fill(const struct broker_books *books, int64_t price_nanos) {
    return books->world.exchange.fill_count < FILLS_MAX && price_nanos <= PRICE_MAX_NANOS;
}

/* ---- the door ---- */

static enum wire_submit submit(void *ctx, const struct broker_request *request,
                               struct broker_order *order, struct wire_refusal *refusal) {
    struct broker_books *books = ctx;
    const char *full =
        books_refuse(books, request->symbol, request->qty_nanos, request->limit_nanos);
    if (full != NULL) {
        *refusal = (struct wire_refusal){.status = REFUSED_STATUS, .code = REFUSED_CODE};
        snprintf(refusal->message, sizeof refusal->message, "%s", full);
        return WIRE_REFUSED;
    }
    enum wire_submit taken = books->inner.submit(books->inner.ctx, request, order, refusal);
    if (taken == WIRE_TAKEN)
        make_public(order->id);
    return taken;
}

static bool lookup(void *ctx, const char *client_order_id, struct broker_order *order) {
    struct broker_books *books = ctx;
    bool found = books->inner.lookup(books->inner.ctx, client_order_id, order);
    if (found)
        make_public(order->id);
    return found;
}

static void orders(void *ctx, struct broker_orders *list) {
    struct broker_books *books = ctx;
    size_t before = list->n;
    books->inner.orders(books->inner.ctx, list);
    for (size_t i = before; i < list->n; i++)
        make_public(list->v[i].id);
}

static void fills(void *ctx, struct broker_fills *list) {
    struct broker_books *books = ctx;
    size_t before = list->n;
    books->inner.fills(books->inner.ctx, list);
    for (size_t i = before; i < list->n; i++)
        make_public(list->v[i].order_id);
}

static void positions(void *ctx, struct broker_positions *list) {
    struct broker_books *books = ctx;
    books->inner.positions(books->inner.ctx, list);
}

static void account(void *ctx, struct broker_account *out) {
    struct broker_books *books = ctx;
    books->inner.account(books->inner.ctx, out);
}

static enum broker_canceled cancel(void *ctx, const char *order_id) {
    struct broker_books *books = ctx;
    char own[BROKER_ORDER_ID_SIZE];
    read_public(order_id, own);
    return books->inner.cancel(books->inner.ctx, own);
}

static void flight(void *ctx, int64_t due_ns, bool copy, const void *bytes, size_t length) {
    struct broker_books *books = ctx;
    CHECK_ROOM(books->flights, books->flight_count, books->flight_cap, BOOKS_FLIGHTS_MAX);
    books->flights[books->flight_count++] = (struct books_flight){
        .due_ns = due_ns, .is_copy = copy, .bytes = check_copy(bytes, length, 1), .length = length};
}

static void dropped(void *ctx, const struct broker_request *request) {
    struct broker_books *books = ctx;
    if (request != NULL) /* else the body was no order */
        books->inner.dropped(books->inner.ctx, request);
}

static const char *not_found(void *ctx) {
    struct broker_books *books = ctx;
    return books->inner.not_found(books->inner.ctx);
}

static enum wire_admission admit(void *ctx) {
    struct broker_books *books = ctx;
    if (books->delivers)
        return WIRE_ADMITTED;
    if (books->world.broker_down)
        return WIRE_NOBODY;
    if (books->world.now_ns - books->minute_ns >= MINUTE_S * PROFILE_SECOND_NS) {
        books->minute_ns = books->world.now_ns;
        books->in_minute = 0;
    }
    books->in_minute++;
    return books->rate_limit > 0 && books->in_minute > books->rate_limit ? WIRE_TOO_MANY
                                                                         : WIRE_ADMITTED;
}

static int64_t now_ns(void *ctx) {
    const struct broker_books *books = ctx;
    return books->world.now_ns;
}

/* When the latest execution of the order was; 0: none was. */
static int64_t latest_fill_ns(const struct exchange *exchange, const struct broker_order *told) {
    for (size_t i = exchange->fill_count; i-- > 0;)
        if (strcmp(exchange->fills[i].order_id, told->id) == 0)
            return exchange->fills[i].at_ns;
    return 0;
}

static void more_of(const struct broker_books *books, size_t index, struct wire_order_more *more) {
    const struct broker_order *told = &books->world.exchange.orders[index].told;
    int64_t ended_ns = index < books->ended_cap ? books->ended_ns[index] : 0;
    make_asset_id(told->symbol, more->asset_id);
    more->updated_ns = latest_fill_ns(&books->world.exchange, told);
    more->filled_ns = told->status == BROKER_STATUS_FILLED ? more->updated_ns : 0;
    more->canceled_ns = told->status == BROKER_STATUS_CANCELED ? ended_ns : 0;
    more->expired_ns = told->status == BROKER_STATUS_EXPIRED ? ended_ns : 0;
    more->failed_ns = told->status == BROKER_STATUS_REJECTED ? ended_ns : 0;
    if (ended_ns > more->updated_ns)
        more->updated_ns = ended_ns;
}

static void more(void *ctx, const struct broker_order *order, struct wire_order_more *out) {
    const struct broker_books *books = ctx;
    int index = index_of(books, order->id);
    if (index >= 0)
        more_of(books, (size_t)index, out);
    else
        make_asset_id(order->symbol, out->asset_id);
}

void books_door(struct broker_books *books, struct wire_exchange *door) {
    *door = (struct wire_exchange){.ctx = books,
                                   .submit = submit,
                                   .lookup = lookup,
                                   .orders = orders,
                                   .fills = fills,
                                   .positions = positions,
                                   .account = account,
                                   .cancel = cancel,
                                   .flight = flight,
                                   .dropped = dropped,
                                   .not_found = not_found,
                                   .admit = admit,
                                   .now_ns = now_ns,
                                   .is_order_id = is_uuid,
                                   .more = more};
}

/* ---- life ---- */

void books_open(struct broker_books *books, const struct profile *profile, int64_t at_ns) {
    *books = (struct broker_books){.minute_ns = at_ns};
    world_init(&books->world, profile, at_ns);
    wire_world(&books->inner, &books->world);
}

void books_close(struct broker_books *books) {
    while (books->flight_count > 0)
        free(books_take_flight(books).bytes);
    free(books->flights);
    free(books->ended_ns);
    world_free(&books->world);
}

void books_note(struct broker_books *books) {
    const struct exchange *exchange = &books->world.exchange;
    if (books->ended_cap < exchange->order_count) {
        size_t cap = exchange->order_count * 2;
        books->ended_ns = check_realloc(books->ended_ns, cap * sizeof *books->ended_ns);
        memset(books->ended_ns + books->ended_cap, 0,
               (cap - books->ended_cap) * sizeof *books->ended_ns);
        books->ended_cap = cap;
    }
    for (size_t i = 0; i < exchange->order_count; i++)
        if (books->ended_ns[i] == 0 && !broker_status_is_open(exchange->orders[i].told.status))
            books->ended_ns[i] = books->world.now_ns;
}

/* The first that is due; of equals the one that left first. */
static size_t next_flight(const struct broker_books *books) {
    size_t best = 0;
    for (size_t i = 1; i < books->flight_count; i++)
        if (books->flights[i].due_ns < books->flights[best].due_ns)
            best = i;
    return best;
}

int64_t books_next_flight(const struct broker_books *books) {
    return books->flight_count > 0 ? books->flights[next_flight(books)].due_ns : INT64_MAX;
}

struct books_flight books_take_flight(struct broker_books *books) {
    size_t at = next_flight(books);
    struct books_flight taken = books->flights[at];
    books->flight_count--;
    memmove(&books->flights[at], &books->flights[at + 1],
            (books->flight_count - at) * sizeof *books->flights);
    return taken;
}

/* ---- JSON ---- */

cJSON *books_order_json(const struct broker_books *books, size_t index) {
    const struct exchange_order *order = &books->world.exchange.orders[index];
    struct broker_order told = order->told;
    struct wire_order_more about = {0};
    more_of(books, index, &about);
    make_public(told.id);
    cJSON *o = wire_json_order(&told, &about);
    cJSON_AddBoolToObject(o, "foreign", order->foreign);
    cJSON_AddBoolToObject(o, "lost", order->lost);
    return o;
}

static void add_decimal(cJSON *object, const char *name, int64_t nanos) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(object, name, decimal_format(nanos, 0, text));
}

static cJSON *fill_json(const struct broker_fill *fill) {
    char order_id[BROKER_ORDER_ID_SIZE], at[RFC3339_SIZE];
    cJSON *o = cJSON_CreateObject();
    memcpy(order_id, fill->order_id, sizeof order_id);
    make_public(order_id);
    cJSON_AddStringToObject(o, "id", fill->execution_id);
    cJSON_AddStringToObject(o, "order_id", order_id);
    cJSON_AddStringToObject(o, "symbol", fill->symbol);
    cJSON_AddStringToObject(o, "side", broker_side_name(fill->side));
    add_decimal(o, "qty", fill->qty_nanos);
    add_decimal(o, "price", fill->price_nanos);
    cJSON_AddStringToObject(o, "transaction_time", rfc3339_format(fill->at_ns, at));
    return o;
}

/* Flat ones are not listed. */
static cJSON *positions_json(const struct exchange *exchange) {
    struct broker_positions list = {0};
    cJSON *array = cJSON_CreateArray();
    exchange_tell_positions(exchange, INT64_MAX, &list);
    for (size_t i = 0; i < list.n; i++) {
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "symbol", list.v[i].symbol);
        add_decimal(o, "qty", list.v[i].qty_nanos);
        add_decimal(o, "avg_entry_price", list.v[i].avg_price_nanos);
        cJSON_AddItemToArray(array, o);
    }
    broker_positions_free(&list);
    return array;
}

/* What became of the orders that were delivered. */
static cJSON *deliveries_json(const struct exchange *exchange) {
    static const struct {
        enum exchange_verdict verdict;
        const char *name;
    } kinds[] = {{EXCHANGE_ACCEPTED, "accepted"}, {EXCHANGE_DUPLICATE, "duplicate"},
                 {EXCHANGE_REFUSED, "refused"},   {EXCHANGE_REPLAYED, "replayed"},
                 {EXCHANGE_RESENT, "resent"},     {EXCHANGE_BUSY, "put_off"},
                 {EXCHANGE_DROPPED, "dropped"}};
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "count", (double)exchange->delivery_count);
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < exchange->delivery_count; i++)
            count += exchange->deliveries[i].verdict == kinds[kind].verdict;
        cJSON_AddNumberToObject(o, kinds[kind].name, (double)count);
    }
    return o;
}

cJSON *books_json(const struct broker_books *books) {
    const struct exchange *exchange = &books->world.exchange;
    char at[RFC3339_SIZE];
    cJSON *o = cJSON_CreateObject(), *order_list = cJSON_CreateArray();
    cJSON *fill_list = cJSON_CreateArray();
    for (size_t i = 0; i < exchange->order_count; i++)
        cJSON_AddItemToArray(order_list, books_order_json(books, i));
    for (size_t i = 0; i < exchange->fill_count; i++)
        cJSON_AddItemToArray(fill_list, fill_json(&exchange->fills[i]));
    cJSON_AddStringToObject(o, "time", rfc3339_format(books->world.now_ns, at));
    cJSON_AddStringToObject(o, "profile", exchange->profile->name);
    cJSON_AddBoolToObject(o, "down", books->world.broker_down);
    add_decimal(o, "cash", exchange->cash_nanos);
    cJSON_AddItemToObject(o, "orders", order_list);
    cJSON_AddItemToObject(o, "fills", fill_list);
    cJSON_AddItemToObject(o, "positions", positions_json(exchange));
    cJSON_AddItemToObject(o, "deliveries", deliveries_json(exchange));
    cJSON_AddNumberToObject(o, "in_flight", (double)books->flight_count);
    return o;
}
