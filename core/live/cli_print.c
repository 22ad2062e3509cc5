/* How the oms program shows the store: columns for people, one JSON object for programs. */
#include "core/live/cli_json.h"
#include "core/live/rfc3339.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

enum { DAY_S = 86400 };

static void add_decimal(cJSON *object, const char *name, int64_t nanos) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(object, name, decimal_format(nanos, 0, text));
}

cJSON *cli_order_json(const struct oms_order *order) {
    char at[RFC3339_SIZE];
    const struct oms_decision *d = &order->decision;
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "decision", d->id);
    cJSON_AddStringToObject(o, "state", oms_state_name(order->state));
    cJSON_AddStringToObject(o, "side", broker_side_name(d->side));
    add_decimal(o, "qty", d->qty_nanos);
    add_decimal(o, "filled_qty", order->filled_nanos);
    cJSON_AddStringToObject(o, "symbol", d->symbol);
    cJSON_AddStringToObject(o, "type", broker_type_name(d->type));
    if (d->type == BROKER_LIMIT)
        add_decimal(o, "limit_price", d->limit_nanos);
    cJSON_AddStringToObject(o, "time_in_force", broker_tif_name(d->tif));
    if (d->expires_ns != 0)
        cJSON_AddStringToObject(o, "expires_at", rfc3339_format(d->expires_ns, at));
    cJSON_AddStringToObject(o, "client_order_id", order->client_order_id);
    cJSON_AddStringToObject(o, "broker_order_id", order->broker_order_id);
    cJSON_AddStringToObject(o, "reason", order->reason);
    cJSON_AddNumberToObject(o, "sends", order->sends);
    cJSON_AddBoolToObject(o, "cancel_asked", order->cancel_asked);
    cJSON_AddStringToObject(o, "created_at", rfc3339_format(order->created_ns, at));
    return o;
}

cJSON *cli_position_json(const struct oms_position *position) {
    char cost[DECIMAL_TEXT_MAX];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "symbol", position->symbol);
    add_decimal(o, "qty", position->qty_nanos);
    cJSON_AddStringToObject(o, "cost", decimal_format_wide(position->cost, 0, cost));
    add_decimal(o, "avg_price", position->avg_price_nanos);
    return o;
}

cJSON *cli_discrepancy_json(const struct oms_discrepancy *found) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddNumberToObject(o, "comparison", (double)found->run);
    cJSON_AddStringToObject(o, "type", oms_discrepancy_name(found->type));
    cJSON_AddStringToObject(o, "severity", oms_severity_name(found->severity));
    cJSON_AddBoolToObject(o, "explained", found->explained);
    cJSON_AddStringToObject(o, "symbol", found->symbol);
    cJSON_AddStringToObject(o, "ref", found->ref);
    add_decimal(o, "oms", found->oms_nanos);
    add_decimal(o, "broker", found->broker_nanos);
    cJSON_AddStringToObject(o, "text", found->text);
    return o;
}

static void add_runs(cJSON *to, const struct oms_view *view, int64_t from_run) {
    char at[RFC3339_SIZE];
    cJSON *runs = cJSON_AddArrayToObject(to, "comparisons");
    for (size_t i = 0; i < view->run_count; i++) {
        if (view->runs[i].id < from_run)
            continue;
        cJSON *run = cJSON_CreateObject();
        cJSON_AddNumberToObject(run, "id", (double)view->runs[i].id);
        cJSON_AddStringToObject(run, "at", rfc3339_format(view->runs[i].at_ns, at));
        cJSON_AddBoolToObject(run, "at_boot", view->runs[i].at_boot);
        cJSON_AddStringToObject(run, "inconclusive", view->runs[i].why);
        cJSON_AddItemToArray(runs, run);
    }
    cJSON *found = cJSON_AddArrayToObject(to, "discrepancies");
    for (size_t i = 0; i < view->discrepancy_count; i++)
        if (view->discrepancies[i].run >= from_run)
            cJSON_AddItemToArray(found, cli_discrepancy_json(&view->discrepancies[i]));
}

void cli_put_json(cJSON *json, FILE *out) {
    char *text = cJSON_PrintUnformatted(json);
    if (text != NULL)
        fprintf(out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

void cli_print_order(const struct oms_order *order, bool json, FILE *out) {
    char qty[DECIMAL_TEXT_MAX], filled[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
    const struct oms_decision *d = &order->decision;
    if (json) {
        cli_put_json(cli_order_json(order), out);
        return;
    }
    bool limit = d->type == BROKER_LIMIT;
    fprintf(out, "%-20s %-16s %s %s %s %s%s%s, filled %s, order %s%s%s\n", d->id,
            oms_state_name(order->state), broker_side_name(d->side),
            decimal_format(d->qty_nanos, 0, qty), d->symbol, broker_type_name(d->type),
            limit ? " " : "", limit ? decimal_format(d->limit_nanos, 2, price) : "",
            decimal_format(order->filled_nanos, 0, filled), order->client_order_id,
            order->reason[0] != '\0' ? ": " : "", order->reason);
}

void cli_print_discrepancy(const struct oms_discrepancy *found, FILE *out) {
    char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    fprintf(out, "  %-8s %-17s %s: oms %s, broker %s%s; %s\n", oms_severity_name(found->severity),
            oms_discrepancy_name(found->type), found->symbol,
            decimal_format(found->oms_nanos, 0, ours),
            decimal_format(found->broker_nanos, 0, theirs),
            found->explained ? ", explained by our own executions" : "", found->text);
}

void cli_print_runs(const struct oms_view *view, int64_t from_run, bool json, FILE *out) {
    size_t runs = 0, differences = 0;
    char at[RFC3339_SIZE];
    if (json) {
        cJSON *o = cJSON_CreateObject();
        add_runs(o, view, from_run);
        cli_put_json(o, out);
        return;
    }
    for (size_t i = 0, at_row = 0; i < view->run_count; i++) {
        const struct oms_run *run = &view->runs[i];
        while (at_row < view->discrepancy_count && view->discrepancies[at_row].run < run->id)
            at_row++;
        if (run->id < from_run)
            continue;
        runs++;
        fprintf(out, "comparison %" PRId64 " at %s%s%s\n", run->id, rfc3339_format(run->at_ns, at),
                run->why[0] != '\0' ? " INCONCLUSIVE: " : "", run->why);
        for (; at_row < view->discrepancy_count && view->discrepancies[at_row].run == run->id;
             at_row++, differences++)
            cli_print_discrepancy(&view->discrepancies[at_row], out);
    }
    fprintf(out, "%zu comparison%s, %zu difference%s\n", runs, runs == 1 ? "" : "s", differences,
            differences == 1 ? "" : "s");
}

char *cli_day(int64_t day, char out[RFC3339_SIZE]) {
    rfc3339_format(day * DAY_S * PROFILE_SECOND_NS, out);
    out[strcspn(out, "T")] = '\0';
    return out;
}

static cJSON *profit_json(const struct oms_profit *profit) {
    char day[RFC3339_SIZE], realized[DECIMAL_TEXT_MAX];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "day", cli_day(profit->day, day));
    cJSON_AddStringToObject(o, "symbol", profit->symbol);
    cJSON_AddStringToObject(o, "realized", decimal_format_wide(profit->realized, 0, realized));
    cJSON_AddBoolToObject(o, "adjusted", profit->adjusted);
    return o;
}

void cli_print_profits(const struct oms_profits *profits, bool one_day, int64_t day, bool json,
                       FILE *out) {
    char text[RFC3339_SIZE], money[DECIMAL_TEXT_MAX];
    decimal_wide sum = 0;
    cJSON *o = json ? cJSON_CreateObject() : NULL;
    cJSON *rows = json ? cJSON_AddArrayToObject(o, "profits") : NULL;
    for (size_t i = 0; i < profits->n; i++) {
        const struct oms_profit *row = &profits->v[i];
        if (one_day && row->day != day)
            continue;
        sum += row->realized;
        if (json)
            cJSON_AddItemToArray(rows, profit_json(row));
        else
            fprintf(out, "%s %-16s %s%s\n", cli_day(row->day, text), row->symbol,
                    decimal_format_wide(row->realized, 2, money),
                    row->adjusted ? " (with an adjustment)" : "");
    }
    decimal_format_wide(sum, json ? 0 : 2, money);
    if (json) {
        cJSON_AddStringToObject(o, "realized", money);
        cli_put_json(o, out);
    } else {
        fprintf(out, "realized %s\n", money);
    }
}

static void print_status_json(const struct oms_view *view, const struct profile *profile,
                              FILE *out) {
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "account", view->account);
    cJSON_AddStringToObject(o, "profile", profile->name);
    cJSON_AddStringToObject(o, "guarantee", profile->guarantee);
    cJSON_AddNumberToObject(o, "starts", (double)view->boots);
    cJSON_AddBoolToObject(o, "kill_switch", view->kill_switch);
    cJSON_AddStringToObject(o, "kill_reason", view->kill_reason);
    cJSON *orders = cJSON_AddArrayToObject(o, "orders");
    for (size_t i = 0; i < view->order_count; i++)
        cJSON_AddItemToArray(orders, cli_order_json(&view->orders[i]));
    cJSON_AddNumberToObject(o, "archived_orders", (double)view->archived_count);
    cJSON *positions = cJSON_AddArrayToObject(o, "positions");
    for (size_t i = 0; i < view->position_count; i++)
        cJSON_AddItemToArray(positions, cli_position_json(&view->positions[i]));
    add_runs(o, view, 0);
    cli_put_json(o, out);
}

void cli_print_status(const struct oms_view *view, const struct profile *profile, bool json,
                      FILE *out) {
    char qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
    if (json) {
        print_status_json(view, profile, out);
        return;
    }
    fprintf(out, "account %s, %" PRId64 " start%s, kill switch %s%s%s\n", view->account,
            view->boots, view->boots == 1 ? "" : "s", view->kill_switch ? "ON" : "off",
            view->kill_reason[0] != '\0' ? ": " : "", view->kill_reason);
    fprintf(out, "profile %s: %s\n", profile->name, profile->guarantee);
    fprintf(out, "\n%zu order%s\n", view->order_count, view->order_count == 1 ? "" : "s");
    for (size_t i = 0; i < view->order_count; i++)
        cli_print_order(&view->orders[i], false, out);
    if (view->archived_count > 0)
        fprintf(out, "and %" PRId64 " finished in the archive\n", view->archived_count);
    fprintf(out, "\n%zu position%s\n", view->position_count, view->position_count == 1 ? "" : "s");
    for (size_t i = 0; i < view->position_count; i++)
        fprintf(out, "%-20s %s at %s\n", view->positions[i].symbol,
                decimal_format(view->positions[i].qty_nanos, 0, qty),
                decimal_format(view->positions[i].avg_price_nanos, 2, price));
    fputc('\n', out);
    cli_print_runs(view, 0, false, out);
}
