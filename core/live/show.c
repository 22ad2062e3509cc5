/* oms orders and oms positions: some rows of the store, as a table for people or as JSON. */
#include "core/live/cli_json.h"
#include "core/live/session.h"

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

static void show_orders(const struct cli_args *args, const struct oms_view *view, FILE *out) {
    int widths[COLUMNS_MAX] = {0};
    const char *cells[ORDER_COLUMNS];
    struct order_text text;
    size_t shown = 0;
    widen(widths, ORDER_HEAD, ORDER_COLUMNS);
    for (size_t i = 0; i < view->order_count; i++) {
        if (!is_wanted(args, &view->orders[i]))
            continue;
        order_cells(&view->orders[i], &text, cells);
        widen(widths, cells, ORDER_COLUMNS);
        shown++;
    }
    if (shown > 0)
        put_line(widths, ORDER_HEAD, ORDER_COLUMNS, out);
    for (size_t i = 0; i < view->order_count; i++) {
        if (!is_wanted(args, &view->orders[i]))
            continue;
        order_cells(&view->orders[i], &text, cells);
        put_line(widths, cells, ORDER_COLUMNS, out);
    }
    fprintf(out, "%zu of %zu order%s\n", shown, view->order_count,
            view->order_count == 1 ? "" : "s");
}

static void show_orders_json(const struct cli_args *args, const struct oms_view *view, FILE *out) {
    cJSON *o = cJSON_CreateObject();
    cJSON *orders = cJSON_AddArrayToObject(o, "orders");
    for (size_t i = 0; i < view->order_count; i++)
        if (is_wanted(args, &view->orders[i]))
            cJSON_AddItemToArray(orders, cli_order_json(&view->orders[i]));
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

int command_orders(struct session *s, struct call *call) {
    struct oms_view view = {0};
    int exit = command_look(s, call, &view);
    if (exit == CLI_OK && call->args->json)
        show_orders_json(call->args, &view, call->out);
    else if (exit == CLI_OK)
        show_orders(call->args, &view, call->out);
    oms_view_free(&view);
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
