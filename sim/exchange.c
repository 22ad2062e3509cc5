/* The simulated exchange: acceptance, execution and books. */
#include "sim/exchange.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/shortage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* New York local digits stand in execution ids; winter time all year, which is enough to make
 * anybody who reads them as UTC wrong. */
#define EXECUTION_ID_OFFSET_NS (INT64_C(-5) * 3600 * 1000000000)

static void set_text(char *out, size_t size, const char *text) {
    snprintf(out, size, "%s", text);
}

void exchange_init(struct exchange *exchange, const struct profile *profile) {
    *exchange = (struct exchange){.profile = profile};
    exchange->cash_nanos = INT64_C(1000000) * DECIMAL_NANOS;
}

void exchange_copy(struct exchange *to, const struct exchange *from) {
    *to = *from;
    to->orders = check_copy(from->orders, from->order_count, sizeof *from->orders);
    to->fills = check_copy(from->fills, from->fill_count, sizeof *from->fills);
    to->positions = check_copy(from->positions, from->position_count, sizeof *from->positions);
    to->refusals = check_copy(from->refusals, from->refusal_count, sizeof *from->refusals);
    to->burned = check_copy(from->burned, from->burned_count, sizeof *from->burned);
    to->deliveries = check_copy(from->deliveries, from->delivery_count, sizeof *from->deliveries);
    to->order_cap = from->order_count;
    to->fill_cap = from->fill_count;
    to->position_cap = from->position_count;
    to->refusal_cap = from->refusal_count;
    to->burned_cap = from->burned_count;
    to->delivery_cap = from->delivery_count;
}

void exchange_free(struct exchange *exchange) {
    free(exchange->orders);
    free(exchange->fills);
    free(exchange->positions);
    free(exchange->refusals);
    free(exchange->burned);
    free(exchange->deliveries);
    *exchange = (struct exchange){0};
}

static uint64_t hash_wide(uint64_t hash, decimal_wide value) {
    return hash_u64(hash_u64(hash, (uint64_t)value), (uint64_t)(value >> 64));
}

uint64_t exchange_hash(const struct exchange *exchange) {
    uint64_t hash = hash_text(1, exchange->profile->name);
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct broker_order *order = &exchange->orders[i].told;
        hash = hash_text(hash_text(hash, order->client_order_id), order->symbol);
        hash = hash_u64(hash, (uint64_t)order->side * 128 + (uint64_t)order->type * 16 +
                                  (uint64_t)order->tif * 2 + exchange->orders[i].foreign);
        hash = hash_u64(hash, exchange->orders[i].lost);
        hash = hash_u64(hash_u64(hash, (uint64_t)order->qty_nanos), (uint64_t)order->limit_nanos);
        hash = hash_u64(hash_u64(hash, (uint64_t)order->filled_nanos), (uint64_t)order->status);
        hash = hash_u64(hash, (uint64_t)order->submitted_ns);
    }
    for (size_t i = 0; i < exchange->fill_count; i++) {
        const struct broker_fill *fill = &exchange->fills[i];
        hash = hash_text(hash_text(hash, fill->execution_id), fill->order_id);
        hash = hash_u64(hash_u64(hash, (uint64_t)fill->qty_nanos), (uint64_t)fill->price_nanos);
        hash = hash_u64(hash_u64(hash, (uint64_t)fill->at_ns), (uint64_t)fill->side);
        hash = hash_text(hash, fill->refers);
    }
    for (size_t i = 0; i < exchange->position_count; i++) {
        const struct exchange_position *position = &exchange->positions[i];
        hash = hash_u64(hash_text(hash, position->symbol), (uint64_t)position->qty_nanos);
        hash = hash_wide(hash_wide(hash, position->cost), position->realized);
    }
    for (size_t i = 0; i < exchange->refusal_count; i++) {
        const struct exchange_refusal *refusal = &exchange->refusals[i];
        hash = hash_text(hash_text(hash, refusal->symbol), refusal->message);
        hash = hash_u64(hash_u64(hash, (uint64_t)refusal->side), (uint64_t)refusal->qty_nanos);
        hash = hash_u64(hash, (uint64_t)refusal->limit_nanos);
    }
    for (size_t i = 0; i < exchange->burned_count; i++)
        hash = hash_u64(hash_text(hash, exchange->burned[i].client_order_id),
                        (uint64_t)exchange->burned[i].at_ns);
    hash = hash_u64(hash, exchange->habits.chains_corrections * 4u +
                              exchange->habits.burns_refused_ids * 2u +
                              exchange->habits.never_forgets);
    hash = hash_u64(hash_u64(hash, exchange->order_count), exchange->fill_count);
    return hash_u64(hash, (uint64_t)exchange->cash_nanos);
}

/* ---- acceptance ---- */

static const struct exchange_refusal *refusal_for(const struct exchange *exchange,
                                                  const struct broker_request *request) {
    for (size_t i = 0; i < exchange->refusal_count; i++) {
        const struct exchange_refusal *refusal = &exchange->refusals[i];
        if (strcmp(refusal->symbol, request->symbol) == 0 && refusal->side == request->side &&
            refusal->qty_nanos == request->qty_nanos &&
            refusal->limit_nanos == request->limit_nanos)
            return refusal;
    }
    return NULL;
}

/* Does it still know an id that it saw at `seen_ns`? */
static bool knows_since(const struct exchange *exchange, int64_t seen_ns, int64_t now_ns) {
    return exchange->habits.never_forgets ||
           now_ns < profile_forgets_ns(exchange->profile, seen_ns);
}

static bool has_id(const struct exchange *exchange, const struct exchange_order *order,
                   int64_t now_ns, const char *client_order_id) {
    return !order->lost && strcmp(order->told.client_order_id, client_order_id) == 0 &&
           knows_since(exchange, order->told.submitted_ns, now_ns);
}

int64_t exchange_shows_all_ns(const struct exchange *exchange) {
    int64_t at_ns = INT64_MIN;
    for (size_t i = 0; exchange->profile->query_lag_ns > 0 && i < exchange->order_count; i++) {
        int64_t shown_ns = exchange->orders[i].told.submitted_ns + exchange->profile->query_lag_ns;
        at_ns = shown_ns > at_ns ? shown_ns : at_ns;
    }
    return at_ns;
}

/* Does a query made now show the order? */
static bool is_shown(const struct exchange *exchange, const struct exchange_order *order,
                     int64_t now_ns) {
    return !order->lost && now_ns - order->told.submitted_ns >= exchange->profile->query_lag_ns;
}

const struct exchange_order *exchange_lookup(const struct exchange *exchange, int64_t now_ns,
                                             const char *client_order_id) {
    for (size_t i = exchange->order_count; i-- > 0 && client_order_id[0] != '\0';) {
        const struct exchange_order *order = &exchange->orders[i];
        if (has_id(exchange, order, now_ns, client_order_id) && is_shown(exchange, order, now_ns))
            return order;
    }
    return NULL;
}

/* The order because of which another one under this id is none of its own, or NULL. */
static const struct exchange_order *holder_of_id(const struct exchange *exchange, int64_t now_ns,
                                                 const char *client_order_id) {
    const struct profile *profile = exchange->profile;
    for (size_t i = exchange->order_count; i-- > 0 && profile->deduplicates;) {
        const struct exchange_order *order = &exchange->orders[i];
        if (client_order_id[0] != '\0' && has_id(exchange, order, now_ns, client_order_id) &&
            (!profile->only_while_open || broker_status_is_open(order->told.status)))
            return order;
    }
    return NULL;
}

static bool is_burned(const struct exchange *exchange, int64_t now_ns,
                      const char *client_order_id) {
    for (size_t i = 0; i < exchange->burned_count; i++) {
        if (strcmp(exchange->burned[i].client_order_id, client_order_id) == 0 &&
            knows_since(exchange, exchange->burned[i].at_ns, now_ns))
            return true;
    }
    return false;
}

static void burn(struct exchange *exchange, int64_t now_ns, const char *client_order_id) {
    struct exchange_burned *burned = NULL;
    if (!exchange->habits.burns_refused_ids || !exchange->profile->deduplicates ||
        client_order_id[0] == '\0')
        return;
    CHECK_ROOM(exchange->burned, exchange->burned_count, exchange->burned_cap, EXCHANGE_ORDERS_MAX);
    burned = &exchange->burned[exchange->burned_count++];
    *burned = (struct exchange_burned){.at_ns = now_ns};
    set_text(burned->client_order_id, sizeof burned->client_order_id, client_order_id);
    exchange->version++;
}

static struct exchange_order *add_order(struct exchange *exchange, int64_t now_ns,
                                        const struct broker_request *request) {
    struct exchange_order *order = NULL;
    CHECK_ROOM(exchange->orders, exchange->order_count, exchange->order_cap, EXCHANGE_ORDERS_MAX);
    order = &exchange->orders[exchange->order_count++];
    *order = (struct exchange_order){0};
    snprintf(order->told.id, sizeof order->told.id, "O%zu", exchange->order_count);
    if (exchange->profile->knows_ids)
        set_text(order->told.client_order_id, sizeof order->told.client_order_id,
                 request->client_order_id);
    set_text(order->told.symbol, sizeof order->told.symbol, request->symbol);
    order->told.side = request->side;
    order->told.type = request->type;
    order->told.tif = request->tif;
    order->told.qty_nanos = request->qty_nanos;
    order->told.limit_nanos = request->limit_nanos;
    order->told.submitted_ns = now_ns;
    return order;
}

static void set_status(struct exchange_order *order, enum broker_status status) {
    order->told.status = status;
    set_text(order->told.status_text, sizeof order->told.status_text, broker_status_name(status));
}

static bool same_order(const struct broker_order *told, const struct broker_request *request) {
    return strcmp(told->symbol, request->symbol) == 0 && told->side == request->side &&
           told->type == request->type && told->tif == request->tif &&
           told->qty_nanos == request->qty_nanos && told->limit_nanos == request->limit_nanos;
}

/* What a request gets whose id is that of an order already. */
static enum exchange_verdict seen_before(const struct exchange *exchange,
                                         const struct exchange_order *holder,
                                         const struct broker_request *request) {
    const struct profile *profile = exchange->profile;
    if (!same_order(&holder->told, request))
        return EXCHANGE_DUPLICATE;
    if (profile->answers_resend && request->possible_resend)
        return EXCHANGE_RESENT;
    return profile->replays ? EXCHANGE_REPLAYED : EXCHANGE_DUPLICATE;
}

static enum exchange_verdict accept_or_not(struct exchange *exchange, int64_t now_ns,
                                           const struct broker_request *request, size_t *index,
                                           char message[BROKER_TEXT_SIZE]) {
    const struct exchange_refusal *refusal = refusal_for(exchange, request);
    const struct exchange_order *holder = holder_of_id(exchange, now_ns, request->client_order_id);
    struct exchange_order *order = NULL;
    if (is_burned(exchange, now_ns, request->client_order_id))
        return EXCHANGE_DUPLICATE;
    if (refusal != NULL) {
        set_text(message, BROKER_TEXT_SIZE, refusal->message);
        burn(exchange, now_ns, request->client_order_id);
        return EXCHANGE_REFUSED;
    }
    if (holder != NULL) {
        *index = (size_t)(holder - exchange->orders);
        return seen_before(exchange, holder, request);
    }
    order = add_order(exchange, now_ns, request);
    /* As Alpaca does, the broker names an order that its client did not name. */
    if (request->client_order_id[0] == '\0' && exchange->profile->knows_ids)
        snprintf(order->told.client_order_id, sizeof order->told.client_order_id, "broker-%zu",
                 exchange->order_count);
    set_status(order, BROKER_STATUS_NEW);
    *index = exchange->order_count - 1;
    exchange->version++;
    return EXCHANGE_ACCEPTED;
}

static struct exchange_delivery *note_delivery(struct exchange *exchange,
                                               const struct broker_request *request,
                                               enum exchange_verdict verdict) {
    struct exchange_delivery *delivery = NULL;
    CHECK_ROOM(exchange->deliveries, exchange->delivery_count, exchange->delivery_cap,
               EXCHANGE_FILLS_MAX);
    delivery = &exchange->deliveries[exchange->delivery_count++];
    *delivery = (struct exchange_delivery){.side = request->side,
                                           .qty_nanos = request->qty_nanos,
                                           .limit_nanos = request->limit_nanos,
                                           .verdict = verdict};
    set_text(delivery->symbol, sizeof delivery->symbol, request->symbol);
    return delivery;
}

enum exchange_verdict exchange_submit(struct exchange *exchange, int64_t now_ns,
                                      const struct broker_request *request, size_t *index,
                                      char message[BROKER_TEXT_SIZE]) {
    enum exchange_verdict verdict = accept_or_not(exchange, now_ns, request, index, message);
    struct exchange_delivery *delivery = note_delivery(exchange, request, verdict);
    if (verdict == EXCHANGE_ACCEPTED)
        delivery->order = *index;
    return verdict;
}

void exchange_drop(struct exchange *exchange, const struct broker_request *request) {
    note_delivery(exchange, request, EXCHANGE_DROPPED);
}

void exchange_put_off(struct exchange *exchange, const struct broker_request *request) {
    note_delivery(exchange, request, EXCHANGE_BUSY);
}

bool exchange_tells_order(enum exchange_verdict verdict) {
    return verdict == EXCHANGE_ACCEPTED || verdict == EXCHANGE_REPLAYED ||
           verdict == EXCHANGE_RESENT;
}

struct broker_order exchange_answer(const struct exchange *exchange, enum exchange_verdict verdict,
                                    size_t index) {
    struct exchange_order answer = exchange->orders[index];
    CHECK(exchange_tells_order(verdict));
    if (verdict == EXCHANGE_REPLAYED) { /* what was said when it was new */
        answer.told.filled_nanos = answer.told.filled_avg_nanos = 0;
        set_status(&answer, BROKER_STATUS_NEW);
    }
    return answer.told;
}

struct exchange_order *exchange_order_by_id(struct exchange *exchange, const char *order_id) {
    for (size_t i = 0; i < exchange->order_count; i++) {
        if (!exchange->orders[i].lost && strcmp(exchange->orders[i].told.id, order_id) == 0)
            return &exchange->orders[i];
    }
    return NULL;
}

enum exchange_cancel exchange_cancel(struct exchange *exchange, const char *order_id) {
    struct exchange_order *order = exchange_order_by_id(exchange, order_id);
    if (order == NULL)
        return EXCHANGE_CANCEL_UNKNOWN;
    if (order->told.status == BROKER_STATUS_CANCELED)
        return EXCHANGE_CANCELED;
    if (!broker_status_is_open(order->told.status))
        return EXCHANGE_CANCEL_FINAL;
    set_status(order, BROKER_STATUS_CANCELED);
    exchange->version++;
    return EXCHANGE_CANCELED;
}

/* ---- books ---- */

static struct exchange_position *position_of(struct exchange *exchange, const char *symbol) {
    size_t at = 0;
    while (at < exchange->position_count && strcmp(exchange->positions[at].symbol, symbol) < 0)
        at++;
    if (at < exchange->position_count && strcmp(exchange->positions[at].symbol, symbol) == 0)
        return &exchange->positions[at];
    CHECK_ROOM(exchange->positions, exchange->position_count, exchange->position_cap,
               EXCHANGE_SYMBOLS_MAX);
    memmove(&exchange->positions[at + 1], &exchange->positions[at],
            (exchange->position_count - at) * sizeof *exchange->positions);
    exchange->position_count++;
    exchange->positions[at] = (struct exchange_position){0};
    set_text(exchange->positions[at].symbol, BROKER_SYMBOL_SIZE, symbol);
    return &exchange->positions[at];
}

const struct exchange_position *exchange_position(const struct exchange *exchange,
                                                  const char *symbol) {
    for (size_t i = 0; i < exchange->position_count; i++) {
        if (strcmp(exchange->positions[i].symbol, symbol) == 0)
            return &exchange->positions[i];
    }
    return NULL;
}

/* cost x part / whole, rounded half away from zero, without leaving 128 bits:
 * cost = a x whole + r, so cost x part / whole = a x part + r x part / whole. */
static decimal_wide share_of_cost(decimal_wide cost, int64_t part, int64_t whole) {
    decimal_wide quotient = cost / whole, rest = cost % whole;
    return quotient * part + decimal_divide_rounded(rest * part, whole);
}

/* Average-cost books: adding adds qty x price; reducing takes the same share of the cost; what goes
 * through zero closes the old side and opens the other at the execution's price. */
static void book(struct exchange_position *position, int64_t signed_qty, int64_t price_nanos) {
    int64_t left = signed_qty;
    bool reduces = position->qty_nanos != 0 && (position->qty_nanos > 0) != (signed_qty > 0);
    if (reduces) {
        int64_t have = position->qty_nanos > 0 ? position->qty_nanos : -position->qty_nanos;
        int64_t want = signed_qty > 0 ? signed_qty : -signed_qty;
        int64_t part = want < have ? want : have;
        int64_t closed = signed_qty > 0 ? -part : part; /* with the sign of what was held */
        decimal_wide share = share_of_cost(position->cost, part, have);
        position->realized += (decimal_wide)closed * price_nanos - share;
        position->cost -= share;
        position->qty_nanos -= closed;
        left = signed_qty > 0 ? want - part : part - want;
    }
    position->qty_nanos += left;
    position->cost += (decimal_wide)left * price_nanos;
}

int64_t exchange_average(const struct exchange_position *position) {
    if (position->qty_nanos == 0)
        return 0;
    return (int64_t)decimal_divide_rounded(position->cost, position->qty_nanos);
}

/* "<yyyymmddHHMMSSmmm>::<order>-<count>" in the exchange's local digits: those of one order sort in
 * the order in which they were made. */
static void make_execution_id(const struct exchange *exchange, int64_t now_ns, const char *order_id,
                              char out[BROKER_EXECUTION_ID_SIZE]) {
    int64_t local_ms = (now_ns + EXECUTION_ID_OFFSET_NS) / 1000000;
    int64_t day = local_ms / 86400000, ms = local_ms % 86400000;
    /* Civil date from days since 1970 (years from 1970 to 9999). */
    int64_t z = day + 719468, era = z / 146097, doe = z % 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2 ? 1 : 0);
    snprintf(out, BROKER_EXECUTION_ID_SIZE, "%04d%02d%02d%02d%02d%02d%03d::%.20s-%05zu", (int)year,
             (int)month, (int)(doy - (153 * mp + 2) / 5 + 1), (int)(ms / 3600000),
             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000), order_id,
             exchange->fill_count + 1);
}

/* Nobody reads cash but people: it stops at its bounds instead of going round. */
static int64_t cash_after(int64_t cash_nanos, int64_t signed_qty, int64_t price_nanos) {
    decimal_wide after = cash_nanos - (decimal_wide)signed_qty * price_nanos / DECIMAL_NANOS;
    if (after > INT64_MAX)
        return INT64_MAX;
    return after < INT64_MIN ? INT64_MIN : (int64_t)after;
}

bool exchange_fill(struct exchange *exchange, size_t index, int64_t now_ns, int64_t qty_nanos,
                   int64_t price_nanos, const char *execution_id) {
    struct exchange_order *order = &exchange->orders[index];
    struct broker_fill *fill = NULL;
    int64_t signed_qty = order->told.side == BROKER_BUY ? qty_nanos : -qty_nanos;
    if (!broker_status_is_open(order->told.status) ||
        qty_nanos > order->told.qty_nanos - order->told.filled_nanos)
        return false;
    CHECK_ROOM(exchange->fills, exchange->fill_count, exchange->fill_cap, EXCHANGE_FILLS_MAX);
    fill = &exchange->fills[exchange->fill_count];
    *fill = (struct broker_fill){0};
    if (execution_id[0] != '\0')
        set_text(fill->execution_id, sizeof fill->execution_id, execution_id);
    else
        make_execution_id(exchange, now_ns, order->told.id, fill->execution_id);
    exchange->fill_count++;
    set_text(fill->order_id, sizeof fill->order_id, order->told.id);
    set_text(fill->symbol, sizeof fill->symbol, order->told.symbol);
    fill->side = order->told.side;
    fill->qty_nanos = qty_nanos;
    fill->price_nanos = price_nanos;
    fill->at_ns = now_ns;
    order->told.filled_nanos += qty_nanos;
    order->cost += (decimal_wide)qty_nanos * price_nanos;
    order->told.filled_avg_nanos =
        (int64_t)decimal_divide_rounded(order->cost, order->told.filled_nanos);
    set_status(order, order->told.filled_nanos == order->told.qty_nanos
                          ? BROKER_STATUS_FILLED
                          : BROKER_STATUS_PARTIALLY_FILLED);
    book(position_of(exchange, order->told.symbol), signed_qty, price_nanos);
    exchange->cash_nanos = cash_after(exchange->cash_nanos, signed_qty, price_nanos);
    exchange->version++;
    return true;
}

/* ---- corrections ---- */

struct broker_fill exchange_execution(const struct exchange *exchange, size_t index) {
    struct broker_fill fill = exchange->fills[index];
    for (size_t i = index + 1; i < exchange->fill_count; i++) {
        const struct broker_fill *later = &exchange->fills[i];
        if (strcmp(later->refers, fill.execution_id) == 0) {
            fill.qty_nanos = later->qty_nanos;
            fill.price_nanos = later->price_nanos;
        }
    }
    return fill;
}

static int64_t signed_qty_of(const struct broker_fill *fill) {
    return fill->side == BROKER_BUY ? fill->qty_nanos : -fill->qty_nanos;
}

/* A position from its beginning, of the executions that `shown` lets through. */
static void rebook(const struct exchange *exchange, struct exchange_position *position,
                   bool (*shown)(const struct exchange *exchange, const struct broker_fill *fill,
                                 int64_t now_ns),
                   int64_t now_ns) {
    position->qty_nanos = 0;
    position->cost = position->realized = 0;
    book(position, position->opening_qty_nanos, position->opening_price_nanos);
    for (size_t i = 0; i < exchange->fill_count; i++) {
        const struct broker_fill *fill = &exchange->fills[i];
        struct broker_fill counts;
        if (fill->refers[0] != '\0' || strcmp(fill->symbol, position->symbol) != 0 ||
            (shown != NULL && !shown(exchange, fill, now_ns)))
            continue;
        counts = exchange_execution(exchange, i);
        if (counts.qty_nanos > 0)
            book(position, signed_qty_of(&counts), counts.price_nanos);
    }
}

/* After a correction: what is open goes on by what was executed of it; what was filled and is not any more
 * has ended; what had ended before stays as it ended. */
static void follow_quantity(struct exchange_order *order) {
    enum broker_status was = order->told.status;
    int64_t filled_nanos = order->told.filled_nanos;
    if (was == BROKER_STATUS_NEW || was == BROKER_STATUS_PARTIALLY_FILLED)
        set_status(order, filled_nanos == 0                      ? BROKER_STATUS_NEW
                          : filled_nanos < order->told.qty_nanos ? BROKER_STATUS_PARTIALLY_FILLED
                                                                 : BROKER_STATUS_FILLED);
    else if (was == BROKER_STATUS_FILLED && filled_nanos < order->told.qty_nanos)
        set_status(order, BROKER_STATUS_CANCELED);
}

/* What an order has executed, from its executions. */
static void recount(const struct exchange *exchange, struct exchange_order *order) {
    order->told.filled_nanos = 0;
    order->cost = 0;
    for (size_t i = 0; i < exchange->fill_count; i++) {
        struct broker_fill counts;
        if (exchange->fills[i].refers[0] != '\0' ||
            strcmp(exchange->fills[i].order_id, order->told.id) != 0)
            continue;
        counts = exchange_execution(exchange, i);
        order->told.filled_nanos += counts.qty_nanos;
        order->cost += (decimal_wide)counts.qty_nanos * counts.price_nanos;
    }
    order->told.filled_avg_nanos =
        order->told.filled_nanos == 0
            ? 0
            : (int64_t)decimal_divide_rounded(order->cost, order->told.filled_nanos);
    follow_quantity(order);
}

static const struct broker_fill *execution_of(const struct exchange *exchange, const char *id) {
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].execution_id, id) == 0 &&
            exchange->fills[i].refers[0] == '\0')
            return &exchange->fills[i];
    }
    return NULL;
}

bool exchange_correct(struct exchange *exchange, const char *execution_id, int64_t now_ns,
                      int64_t qty_nanos, int64_t price_nanos) {
    const struct broker_fill *original = execution_of(exchange, execution_id);
    struct broker_fill correction;
    struct exchange_order *order = NULL;
    struct broker_fill counted;
    if (original == NULL)
        return false;
    counted = exchange_execution(exchange, (size_t)(original - exchange->fills));
    order = exchange_order_by_id(exchange, original->order_id);
    if (order == NULL ||
        qty_nanos - counted.qty_nanos > order->told.qty_nanos - order->told.filled_nanos)
        return false;
    correction = *original;
    correction.qty_nanos = qty_nanos;
    correction.price_nanos = price_nanos;
    correction.at_ns = now_ns;
    set_text(correction.refers, sizeof correction.refers, original->execution_id);
    make_execution_id(exchange, now_ns, original->order_id, correction.execution_id);
    CHECK_ROOM(exchange->fills, exchange->fill_count, exchange->fill_cap, EXCHANGE_FILLS_MAX);
    exchange->fills[exchange->fill_count++] = correction;
    exchange->cash_nanos =
        cash_after(exchange->cash_nanos, -signed_qty_of(&counted), counted.price_nanos);
    exchange->cash_nanos =
        cash_after(exchange->cash_nanos, signed_qty_of(&correction), price_nanos);
    recount(exchange, order);
    rebook(exchange, position_of(exchange, correction.symbol), NULL, now_ns);
    exchange->version++;
    return true;
}

bool exchange_end(struct exchange *exchange, size_t index, enum broker_status status) {
    struct exchange_order *order = &exchange->orders[index];
    CHECK(!broker_status_is_open(status) && status != BROKER_STATUS_FILLED);
    if (!broker_status_is_open(order->told.status))
        return false;
    set_status(order, status);
    exchange->version++;
    return true;
}

bool exchange_lose(struct exchange *exchange, size_t index) {
    struct exchange_order *order = &exchange->orders[index];
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].order_id, order->told.id) == 0)
            return false; /* also when it was taken back since */
    }
    order->lost = true;
    set_status(order, BROKER_STATUS_REJECTED); /* nothing happens to it any more */
    exchange->version++;
    return true;
}

void exchange_refuse(struct exchange *exchange, const struct broker_request *like,
                     const char *message) {
    struct exchange_refusal *refusal = NULL;
    CHECK_ROOM(exchange->refusals, exchange->refusal_count, exchange->refusal_cap,
               EXCHANGE_ORDERS_MAX);
    refusal = &exchange->refusals[exchange->refusal_count++];
    *refusal = (struct exchange_refusal){
        .side = like->side, .qty_nanos = like->qty_nanos, .limit_nanos = like->limit_nanos};
    set_text(refusal->symbol, sizeof refusal->symbol, like->symbol);
    set_text(refusal->message, sizeof refusal->message, message);
    exchange->version++;
}

void exchange_foreign(struct exchange *exchange, int64_t now_ns, const char *symbol,
                      enum broker_side side, int64_t qty_nanos, int64_t price_nanos) {
    struct broker_request request = {.side = side,
                                     .type = BROKER_LIMIT,
                                     .tif = BROKER_DAY,
                                     .qty_nanos = qty_nanos,
                                     .limit_nanos = price_nanos};
    struct exchange_order *order = NULL;
    set_text(request.symbol, sizeof request.symbol, symbol);
    snprintf(request.client_order_id, sizeof request.client_order_id, "foreign-%zu",
             exchange->order_count + 1);
    order = add_order(exchange, now_ns, &request);
    order->foreign = true;
    set_status(order, BROKER_STATUS_NEW);
    CHECK(exchange_fill(exchange, exchange->order_count - 1, now_ns, qty_nanos, price_nanos, ""));
}

void exchange_open_position(struct exchange *exchange, const char *symbol, int64_t qty_nanos,
                            int64_t price_nanos) {
    struct exchange_position *position = position_of(exchange, symbol);
    position->opening_qty_nanos = qty_nanos;
    position->opening_price_nanos = price_nanos;
    book(position, qty_nanos, price_nanos);
    exchange->version++;
}

/* ---- what a client is told ---- */

void exchange_tell_orders(const struct exchange *exchange, int64_t now_ns, enum broker_scope scope,
                          int64_t since_ns, struct broker_orders *list) {
    bool inside = shortage_inside(false);
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct broker_order *told = &exchange->orders[i].told;
        struct broker_order *row = NULL;
        if (!is_shown(exchange, &exchange->orders[i], now_ns) || told->submitted_ns < since_ns ||
            (scope == BROKER_OPEN_ORDERS && !broker_status_is_open(told->status)))
            continue;
        row = broker_orders_add(list);
        CHECK(row != NULL);
        *row = *told;
    }
    shortage_inside(inside);
}

/* An execution is shown with its order. */
static bool fill_is_shown(const struct exchange *exchange, const struct broker_fill *fill,
                          int64_t now_ns) {
    for (size_t i = 0; i < exchange->order_count; i++) {
        if (strcmp(exchange->orders[i].told.id, fill->order_id) == 0)
            return is_shown(exchange, &exchange->orders[i], now_ns);
    }
    return true;
}

/* What a correction refers to as it is told: the execution itself, or what corrected it before. */
static void tell_reference(const struct exchange *exchange, size_t correction,
                           struct broker_fill *told) {
    size_t i = correction;
    while (exchange->habits.chains_corrections && told->refers[0] != '\0' && i-- > 0) {
        if (strcmp(exchange->fills[i].refers, exchange->fills[correction].refers) == 0) {
            set_text(told->refers, sizeof told->refers, exchange->fills[i].execution_id);
            return;
        }
    }
}

void exchange_tell_fills(const struct exchange *exchange, int64_t now_ns, int64_t since_ns,
                         struct broker_fills *list) {
    bool inside = shortage_inside(false);
    for (size_t i = 0; i < exchange->fill_count && exchange->profile->tells_executions; i++) {
        struct broker_fill *row = NULL;
        if (exchange->fills[i].at_ns < since_ns ||
            !fill_is_shown(exchange, &exchange->fills[i], now_ns))
            continue;
        row = broker_fills_add(list);
        CHECK(row != NULL);
        *row = exchange->fills[i];
        tell_reference(exchange, i, row);
    }
    shortage_inside(inside);
}

/* The position as a query shows it: what it was, where the newest orders are missed. */
static struct exchange_position shown_position(const struct exchange *exchange,
                                               const struct exchange_position *position,
                                               int64_t now_ns) {
    struct exchange_position shown = *position;
    if (exchange->profile->query_lag_ns == 0)
        return shown;
    rebook(exchange, &shown, fill_is_shown, now_ns);
    return shown;
}

void exchange_tell_positions(const struct exchange *exchange, int64_t now_ns,
                             struct broker_positions *list) {
    bool inside = shortage_inside(false);
    for (size_t i = 0; i < exchange->position_count; i++) {
        struct exchange_position position =
            shown_position(exchange, &exchange->positions[i], now_ns);
        struct broker_position *row = NULL;
        if (position.qty_nanos == 0)
            continue;
        row = broker_positions_add(list);
        CHECK(row != NULL);
        memcpy(row->symbol, position.symbol, sizeof row->symbol);
        row->qty_nanos = position.qty_nanos;
        row->avg_price_nanos = exchange_average(&position);
    }
    shortage_inside(inside);
}

void exchange_tell_account(const struct exchange *exchange, struct broker_account *account) {
    *account = (struct broker_account){.number = "SIM",
                                       .cash_nanos = exchange->cash_nanos,
                                       .buying_power_nanos = exchange->cash_nanos};
}
