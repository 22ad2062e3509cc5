/* oms orders and oms positions: some rows of the store, as a table for people or as JSON. */
#include "core/live/cli_json.h"
#include "core/live/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct cli_args *args, const struct oms_order *order) {
    bool held = order->state == OMS_STATE_HELD;
    bool open = !oms_state_is_final(order->state);
    bool any_state = !args->open_only && !args->held_only;
    return (any_state || (args->open_only && open) || (args->held_only && held)) &&
           (args->symbol == NULL || strcmp(args->symbol, order->decision.symbol) == 0) &&
           (args->only_id == NULL || strcmp(args->only_id, order->decision.id) == 0);
}

/* Columns are as wide as what stands in them; the last one is free. */
enum { COLUMNS_MAX = 8 };

static void widen(int widths[COLUMNS_MAX], const char *const cells[], size_t count) {
    for (size_t i = 0; i < count; i++)
        if ((int)strlen(cells[i]) > widths[i])
            widths[i] = (int)strlen(cells[i]);
}

static void put_line(const int widths[COLUMNS_MAX], const char *const cells[], size_t count,
                     FILE *out) {
    for (size_t i = 0; i + 1 < count; i++)
        fprintf(out, "%-*s  ", widths[i], cells[i]);
    fprintf(out, "%s\n", cells[count - 1]);
}

/* ---- orders ---- */

enum { ORDER_COLUMNS = 8 };
static const char *const ORDER_HEAD[ORDER_COLUMNS] = {"DECISION", "STATE",  "SIDE",  "QTY",
                                                      "FILLED",   "SYMBOL", "PRICE", "REASON"};

struct order_text {
    char qty[DECIMAL_TEXT_MAX], filled[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
};

static void order_cells(const struct oms_order *order, struct order_text *text,
                        const char *cells[ORDER_COLUMNS]) {
    const struct oms_decision *d = &order->decision;
    cells[0] = d->id;
    cells[1] = oms_state_name(order->state);
    cells[2] = broker_side_name(d->side);
    cells[3] = decimal_format(d->qty_nanos, 0, text->qty);
    cells[4] = decimal_format(order->filled_nanos, 0, text->filled);
    cells[5] = d->symbol;
    cells[6] = d->type == BROKER_LIMIT ? decimal_format(d->limit_nanos, 2, text->price)
                                       : broker_type_name(d->type);
    cells[7] = order->reason[0] != '\0' ? order->reason
               : order->cancel_asked    ? "a cancel was asked for"
                                        : "";
}

/* The orders that are wanted. */
struct listing {
    const struct cli_args *args;
    struct oms_order *v; /* owned */
    size_t n, cap, seen; /* seen: those that were asked whether they are wanted */
    int64_t elsewhere;   /* in the archive, and not asked */
    bool full;           /* of memory */
};

static bool list_order(void *ctx, const struct oms_order *order) {
    struct listing *list = ctx;
    list->seen++;
    if (!is_wanted(list->args, order))
        return true;
    if (list->n == list->cap) {
        size_t wanted = list->cap > 0 ? list->cap * 2 : 64;
        void *grown = realloc(list->v, wanted * sizeof *list->v);
        list->full = grown == NULL;
        if (list->full)
            return false;
        list->v = grown;
        list->cap = wanted;
    }
    list->v[list->n++] = *order;
    return true;
}

static void show_orders(const struct listing *list, FILE *out) {
    int widths[COLUMNS_MAX] = {0};
    const char *cells[ORDER_COLUMNS];
    struct order_text text;
    widen(widths, ORDER_HEAD, ORDER_COLUMNS);
    for (size_t i = 0; i < list->n; i++) {
        order_cells(&list->v[i], &text, cells);
        widen(widths, cells, ORDER_COLUMNS);
    }
    if (list->n > 0)
        put_line(widths, ORDER_HEAD, ORDER_COLUMNS, out);
    for (size_t i = 0; i < list->n; i++) {
        order_cells(&list->v[i], &text, cells);
        put_line(widths, cells, ORDER_COLUMNS, out);
    }
    fprintf(out, "%zu of %zu order%s\n", list->n, list->seen, list->seen == 1 ? "" : "s");
    if (list->elsewhere > 0 && !list->args->open_only && !list->args->held_only)
        fprintf(out, "and %" PRId64 " finished in the archive: --archived shows them, too\n",
                list->elsewhere);
}

static void show_orders_json(const struct listing *list, FILE *out) {
    cJSON *o = cJSON_CreateObject();
    cJSON *orders = cJSON_AddArrayToObject(o, "orders");
    for (size_t i = 0; i < list->n; i++)
        cJSON_AddItemToArray(orders, cli_order_json(&list->v[i]));
    cJSON_AddNumberToObject(o, "archived_left_out", (double)list->elsewhere);
    cli_put_json(o, out);
}

/* ---- positions ---- */

enum { POSITION_COLUMNS = 4 };
static const char *const POSITION_HEAD[POSITION_COLUMNS] = {"SYMBOL", "QTY", "AVERAGE", "COST"};

struct position_text {
    char qty[DECIMAL_TEXT_MAX], average[DECIMAL_TEXT_MAX], cost[DECIMAL_TEXT_MAX];
};

static void position_cells(const struct oms_position *position, struct position_text *text,
                           const char *cells[POSITION_COLUMNS]) {
    cells[0] = position->symbol;
    cells[1] = decimal_format(position->qty_nanos, 0, text->qty);
    cells[2] = decimal_format(position->avg_price_nanos, 2, text->average);
    cells[3] = decimal_format_wide(position->cost, 2, text->cost);
}

static bool is_of(const char *symbol, const struct oms_position *position) {
    return symbol == NULL || strcmp(symbol, position->symbol) == 0;
}

static void show_positions(const char *symbol, const struct oms_view *view, FILE *out) {
    int widths[COLUMNS_MAX] = {0};
    const char *cells[POSITION_COLUMNS];
    struct position_text text;
    size_t shown = 0;
    widen(widths, POSITION_HEAD, POSITION_COLUMNS);
    for (size_t i = 0; i < view->position_count; i++) {
        if (!is_of(symbol, &view->positions[i]))
            continue;
        position_cells(&view->positions[i], &text, cells);
        widen(widths, cells, POSITION_COLUMNS);
        shown++;
    }
    if (shown > 0)
        put_line(widths, POSITION_HEAD, POSITION_COLUMNS, out);
    for (size_t i = 0; i < view->position_count; i++) {
        if (!is_of(symbol, &view->positions[i]))
            continue;
        position_cells(&view->positions[i], &text, cells);
        put_line(widths, cells, POSITION_COLUMNS, out);
    }
    fprintf(out, "%zu of %zu position%s\n", shown, view->position_count,
            view->position_count == 1 ? "" : "s");
}

static void show_positions_json(const char *symbol, const struct oms_view *view, FILE *out) {
    cJSON *o = cJSON_CreateObject();
    cJSON *positions = cJSON_AddArrayToObject(o, "positions");
    for (size_t i = 0; i < view->position_count; i++)
        if (is_of(symbol, &view->positions[i]))
            cJSON_AddItemToArray(positions, cli_position_json(&view->positions[i]));
    cli_put_json(o, out);
}

/* ---- the commands ---- */

static int list_live(struct session *s, struct call *call, struct listing *list) {
    struct oms_view view = {0};
    int exit = command_look(s, call, &view);
    for (size_t i = 0; exit == CLI_OK && i < view.order_count && list_order(list, &view.orders[i]);)
        i++;
    list->elsewhere = view.archived_count;
    oms_view_free(&view);
    return exit;
}

/* What is in the archive, too, which is read for it. */
static int list_all(struct session *s, struct call *call, struct listing *list) {
    const struct oms_reader reader = {.ctx = list, .order = list_order};
    struct oms_error error = {0};
    int exit = command_may_read(s);
    if (exit != CLI_OK)
        return exit;
    list->n = list->seen = 0;
    list->elsewhere = 0;
    enum oms_code code = s->oms != NULL ? oms_records(s->oms, &reader, &error)
                                        : oms_records_at(&s->place, &reader, &error);
    exit = command_may_read(s); /* who came meanwhile may have written what was read */
    return exit == CLI_OK && code != OMS_OK ? session_fail(s, call->err, code, &error) : exit;
}

/* A running process has an index of its archive, and finds one decision without reading it. */
static int list_archived_decision(struct session *s, struct call *call, struct listing *list) {
    struct oms_view view = {0};
    struct oms_error error = {0};
    if (s->oms == NULL)
        return list_all(s, call, list);
    enum oms_code code = oms_view_with(s->oms, call->args->only_id, &view, &error);
    for (size_t i = list->seen; code == OMS_OK && i < view.order_count; i++)
        list_order(list, &view.orders[i]); /* the archived one stands behind the live ones */
    list->seen += (size_t)list->elsewhere - list->n; /* as if each had been looked at */
    list->elsewhere = 0;
    oms_view_free(&view);
    return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
}

int command_orders(struct session *s, struct call *call) {
    const struct cli_args *args = call->args;
    struct listing list = {.args = args};
    int exit = args->archived ? list_all(s, call, &list) : list_live(s, call, &list);
    if (exit == CLI_OK && args->only_id != NULL && list.n == 0 && list.elsewhere > 0)
        exit = list_archived_decision(s, call, &list);
    if (exit == CLI_OK && list.full) {
        fputs("oms: no memory for so many orders\n", call->err);
        exit = CLI_ENVIRONMENT;
    }
    if (exit == CLI_OK && args->json)
        show_orders_json(&list, call->out);
    else if (exit == CLI_OK)
        show_orders(&list, call->out);
    free(list.v);
    return exit;
}

int command_positions(struct session *s, struct call *call) {
    struct oms_view view = {0};
    int exit = command_look(s, call, &view);
    if (exit == CLI_OK && call->args->json)
        show_positions_json(call->args->symbol, &view, call->out);
    else if (exit == CLI_OK)
        show_positions(call->args->symbol, &view, call->out);
    oms_view_free(&view);
    return exit;
}
