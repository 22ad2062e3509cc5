/* oms reconcile --daily: how the comparison of a whole day is shown, and its exit code. */
#include "core/live/cli_json.h"
#include "core/live/reports.h"

#include <inttypes.h>
#include <string.h>

/* What there is to show. */
struct shown {
    const struct oms_daily *daily;
    const struct oms_view *view;
    const char *verdict;
};

/* The worst that nothing explains; what a person must decide about weighs as a WARNING. */
static enum oms_severity worst_of(const struct oms_daily *daily) {
    enum oms_severity worst = daily->held + daily->in_doubt > 0 ? OMS_WARNING : OMS_INFO;
    for (size_t i = 0; i < daily->found_count; i++)
        if (!daily->found[i].explained && daily->found[i].severity > worst)
            worst = daily->found[i].severity;
    return worst;
}

static const char *verdict_of(enum oms_severity worst) {
    return worst == OMS_INFO ? "AGREES" : oms_severity_name(worst);
}

static int exit_of(enum oms_severity worst) {
    switch (worst) {
    case OMS_INFO:
        return CLI_OK;
    case OMS_WARNING:
        return CLI_WARNED;
    case OMS_CRITICAL:
        return CLI_ENDED;
    }
    return CLI_ENDED;
}

/* ---- text ---- */

static void print_symbols(const struct oms_daily *daily, FILE *out) {
    char ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    decimal_wide earned = 0, told = 0;
    if (!daily->tells_executions) {
        fputs("executions and profit: this broker does not list executions; orders only\n", out);
        return;
    }
    for (size_t i = 0; i < daily->symbol_count; i++) {
        const struct oms_daily_symbol *row = &daily->symbols[i];
        earned += row->oms_realized;
        told += row->broker_realized;
        fprintf(out, "  %-16s executions: oms %zu, broker %zu; realized: oms %s, broker %s\n",
                row->symbol, row->oms_executions, row->broker_executions,
                decimal_format_wide(row->oms_realized, 2, ours),
                decimal_format_wide(row->broker_realized, 2, theirs));
    }
    fprintf(out, "realized: oms %s, broker %s\n", decimal_format_wide(earned, 2, ours),
            decimal_format_wide(told, 2, theirs));
}

static void print_text(const void *ctx, FILE *out) {
    const struct shown *shown = ctx;
    const struct oms_daily *daily = shown->daily;
    char day[RFC3339_SIZE], at[RFC3339_SIZE];
    fprintf(out, "day %s (UTC): %s; comparison %" PRId64 " at %s\n", cli_day(daily->day, day),
            shown->verdict, daily->run, rfc3339_format(daily->at_ns, at));
    fprintf(out, "orders: %zu decided, %zu open, %zu held, %zu not settled\n", daily->orders,
            daily->open, daily->held, daily->in_doubt);
    print_symbols(daily, out);
    fprintf(out, "positions: %zu; kill switch %s%s%s\n", shown->view->position_count,
            shown->view->kill_switch ? "ON" : "off",
            shown->view->kill_reason[0] != '\0' ? ": " : "", shown->view->kill_reason);
    for (size_t i = 0; i < daily->found_count; i++)
        cli_print_discrepancy(&daily->found[i], out);
    fprintf(out, "%zu difference%s\n", daily->found_count, daily->found_count == 1 ? "" : "s");
}

/* ---- JSON ---- */

static void add_money(cJSON *to, const char *name, decimal_wide money) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(to, name, decimal_format_wide(money, 0, text));
}

static void add_symbols(const struct oms_daily *daily, cJSON *to) {
    cJSON *rows = cJSON_AddArrayToObject(to, "symbols");
    decimal_wide earned = 0, told = 0;
    for (size_t i = 0; i < daily->symbol_count; i++) {
        const struct oms_daily_symbol *row = &daily->symbols[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "symbol", row->symbol);
        cJSON_AddNumberToObject(o, "oms_executions", (double)row->oms_executions);
        cJSON_AddNumberToObject(o, "broker_executions", (double)row->broker_executions);
        add_money(o, "oms_realized", row->oms_realized);
        add_money(o, "broker_realized", row->broker_realized);
        cJSON_AddItemToArray(rows, o);
        earned += row->oms_realized;
        told += row->broker_realized;
    }
    add_money(to, "oms_realized", earned);
    add_money(to, "broker_realized", told);
}

static cJSON *to_json(const struct shown *shown) {
    const struct oms_daily *daily = shown->daily;
    char text[RFC3339_SIZE];
    cJSON *o = cJSON_CreateObject(), *list = NULL;
    cJSON_AddStringToObject(o, "day", cli_day(daily->day, text));
    cJSON_AddStringToObject(o, "verdict", shown->verdict);
    cJSON_AddStringToObject(o, "account", shown->view->account);
    cJSON_AddNumberToObject(o, "comparison", (double)daily->run);
    cJSON_AddStringToObject(o, "at", rfc3339_format(daily->at_ns, text));
    cJSON_AddNumberToObject(o, "orders", (double)daily->orders);
    cJSON_AddNumberToObject(o, "open", (double)daily->open);
    cJSON_AddNumberToObject(o, "held", (double)daily->held);
    cJSON_AddNumberToObject(o, "not_settled", (double)daily->in_doubt);
    cJSON_AddBoolToObject(o, "tells_executions", daily->tells_executions);
    add_symbols(daily, o);
    list = cJSON_AddArrayToObject(o, "positions");
    for (size_t i = 0; i < shown->view->position_count; i++)
        cJSON_AddItemToArray(list, cli_position_json(&shown->view->positions[i]));
    cJSON_AddBoolToObject(o, "kill_switch", shown->view->kill_switch);
    cJSON_AddStringToObject(o, "kill_reason", shown->view->kill_reason);
    list = cJSON_AddArrayToObject(o, "discrepancies");
    for (size_t i = 0; i < daily->found_count; i++)
        cJSON_AddItemToArray(list, cli_discrepancy_json(&daily->found[i]));
    return o;
}

int daily_report(struct session *s, struct call *call, const struct oms_view *view, int exit) {
    struct oms_error error = {0};
    struct oms_daily daily = {0};
    enum oms_code code = oms_daily(s->oms, &daily, &error);
    if (code != OMS_OK) {
        exit = session_fail(s, call->err, code, &error);
    } else if (daily.run > call->after_run) { /* else it was not made in time, which was said */
        struct shown shown = {&daily, view, verdict_of(worst_of(&daily))};
        int put = report_show(call, to_json(&shown), print_text, &shown);
        if (exit == CLI_OK)
            exit = exit_of(worst_of(&daily)) == CLI_OK ? put : exit_of(worst_of(&daily));
    }
    oms_daily_free(&daily);
    return exit;
}
