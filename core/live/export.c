/* oms export: what is on record, table by table, as JSON or CSV (RFC 4180). Every value is text, so
 * that a decimal stays exact and a long number is not rounded by who reads it; rows stand in one
 * order, whoever asks: orders and executions that are in the archive first (core/oms.h). */
#include "core/live/cli_json.h"
#include "core/live/session.h"

#include <inttypes.h>
#include <string.h>

enum { CELLS_MAX = 20, COMPARISONS_MAX = INT32_MAX };

/* A table under way. */
struct sheet {
    FILE *out;
    long most; /* it may end where the output is longer than that; 0: any length */
    bool csv;
    const char *const *columns; /* ends with NULL */
    size_t rows;
};

/* ---- both formats ---- */

static void put_csv_text(const char *text, FILE *out) {
    bool plain = strpbrk(text, ",\"\r\n") == NULL;
    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            fputc('"', out);
        fputc(*c, out);
    }
    fputc('"', out);
}

static void put_csv_row(const char *const cells[], size_t count, FILE *out) {
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? "," : "", out);
        put_csv_text(cells[i], out);
    }
    fputs("\r\n", out);
}

static void put_json_row(const struct sheet *sheet, const char *const cells[]) {
    cJSON *row = cJSON_CreateObject();
    for (size_t i = 0; sheet->columns[i] != NULL; i++)
        cJSON_AddStringToObject(row, sheet->columns[i], cells[i]);
    char *text = cJSON_PrintUnformatted(row);
    fprintf(sheet->out, "%s\n%s", sheet->rows > 0 ? "," : "", text != NULL ? text : "null");
    cJSON_free(text);
    cJSON_Delete(row);
}

static size_t width(const struct sheet *sheet) {
    size_t count = 0;
    while (sheet->columns[count] != NULL)
        count++;
    return count;
}

static void begin_sheet(struct sheet *sheet, enum cli_table table, const char *const columns[]) {
    sheet->columns = columns;
    sheet->rows = 0;
    if (sheet->csv)
        put_csv_row(columns, width(sheet), sheet->out);
    else
        fprintf(sheet->out, "\"%s\":[", cli_table_name(table));
}

static void put_row(struct sheet *sheet, const char *const cells[]) {
    if (sheet->csv)
        put_csv_row(cells, width(sheet), sheet->out);
    else
        put_json_row(sheet, cells);
    sheet->rows++;
}

static void end_sheet(const struct sheet *sheet) {
    if (!sheet->csv)
        fputs("\n]", sheet->out);
}

static const char *yes_no(bool value) {
    return value ? "true" : "false";
}

typedef char number_text[24];

static const char *whole(int64_t value, number_text out) {
    snprintf(out, sizeof(number_text), "%" PRId64, value);
    return out;
}

/* ---- tables that a view holds ---- */

static void export_positions(struct sheet *sheet, const struct oms_view *view) {
    static const char *const columns[] = {"symbol", "qty", "cost", "avg_price", NULL};
    char qty[DECIMAL_TEXT_MAX], cost[DECIMAL_TEXT_MAX], average[DECIMAL_TEXT_MAX];
    begin_sheet(sheet, CLI_TABLE_POSITIONS, columns);
    for (size_t i = 0; i < view->position_count; i++) {
        const struct oms_position *position = &view->positions[i];
        put_row(sheet,
                (const char *const[]){position->symbol, decimal_format(position->qty_nanos, 0, qty),
                                      decimal_format_wide(position->cost, 0, cost),
                                      decimal_format(position->avg_price_nanos, 0, average)});
    }
    end_sheet(sheet);
}

static void export_comparisons(struct sheet *sheet, const struct oms_view *history) {
    static const char *const columns[] = {"id", "start", "at", "at_boot", "inconclusive", NULL};
    number_text id, boot;
    char at[RFC3339_SIZE];
    begin_sheet(sheet, CLI_TABLE_COMPARISONS, columns);
    for (size_t i = 0; i < history->run_count; i++) {
        const struct oms_run *run = &history->runs[i];
        put_row(sheet, (const char *const[]){whole(run->id, id), whole(run->boot, boot),
                                             rfc3339_format(run->at_ns, at), yes_no(run->at_boot),
                                             run->why});
    }
    end_sheet(sheet);
}

static void export_profits(struct sheet *sheet, const struct oms_profits *profits) {
    static const char *const columns[] = {"day", "symbol", "realized", "adjusted", NULL};
    char day[RFC3339_SIZE], realized[DECIMAL_TEXT_MAX];
    begin_sheet(sheet, CLI_TABLE_PROFITS, columns);
    for (size_t i = 0; i < profits->n; i++) {
        const struct oms_profit *profit = &profits->v[i];
        put_row(sheet, (const char *const[]){cli_day(profit->day, day), profit->symbol,
                                             decimal_format_wide(profit->realized, 0, realized),
                                             yes_no(profit->adjusted)});
    }
    end_sheet(sheet);
}

/* ---- tables that are read row by row ---- */

/* An archive is long, and what runs on the store trades meanwhile. */
static bool goes_on(const struct sheet *sheet) {
    return sheet->most == 0 || ftell(sheet->out) <= sheet->most;
}

static bool export_order(void *ctx, const struct oms_order *order) {
    const struct oms_decision *d = &order->decision;
    char qty[DECIMAL_TEXT_MAX], filled[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX];
    char expires[RFC3339_SIZE], created[RFC3339_SIZE];
    number_text sends;
    put_row(ctx, (const char *const[]){
                     d->id, oms_state_name(order->state), broker_side_name(d->side),
                     decimal_format(d->qty_nanos, 0, qty),
                     decimal_format(order->filled_nanos, 0, filled), d->symbol,
                     broker_type_name(d->type),
                     d->type == BROKER_LIMIT ? decimal_format(d->limit_nanos, 0, price) : "",
                     broker_tif_name(d->tif),
                     d->expires_ns != 0 ? rfc3339_format(d->expires_ns, expires) : "",
                     order->client_order_id, order->broker_order_id, order->reason,
                     whole(order->sends, sends), yes_no(order->cancel_asked),
                     rfc3339_format(order->created_ns, created)});
    return goes_on(ctx);
}

static bool export_fill(void *ctx, const struct oms_execution *execution) {
    char qty[DECIMAL_TEXT_MAX], price[DECIMAL_TEXT_MAX], at[RFC3339_SIZE];
    put_row(ctx, (const char *const[]){execution->execution_id, execution->decision_id,
                                       execution->symbol, broker_side_name(execution->side),
                                       decimal_format(execution->qty_nanos, 0, qty),
                                       decimal_format(execution->price_nanos, 0, price),
                                       rfc3339_format(execution->at_ns, at), execution->refers});
    return goes_on(ctx);
}

static bool export_entry(void *ctx, const struct oms_entry *entry) {
    const struct oms_discrepancy *about = &entry->about;
    bool differs = strcmp(entry->kind, "discrepancy") == 0;
    number_text id, run;
    char at[RFC3339_SIZE], ours[DECIMAL_TEXT_MAX], theirs[DECIMAL_TEXT_MAX];
    put_row(ctx, (const char *const[]){
                     whole(entry->id, id), rfc3339_format(entry->at_ns, at), entry->kind,
                     whole(about->run, run), differs ? oms_discrepancy_name(about->type) : "",
                     differs ? oms_severity_name(about->severity) : "",
                     differs ? yes_no(about->explained) : "", about->symbol, about->ref,
                     decimal_format(about->oms_nanos, 0, ours),
                     decimal_format(about->broker_nanos, 0, theirs), about->text});
    return goes_on(ctx);
}

/* The columns of such a table, and who writes its rows. */
static const char *const *begin_reading(enum cli_table table, struct oms_reader *reader) {
    static const char *const orders[] = {"decision",
                                         "state",
                                         "side",
                                         "qty",
                                         "filled_qty",
                                         "symbol",
                                         "type",
                                         "limit_price",
                                         "time_in_force",
                                         "expires_at",
                                         "client_order_id",
                                         "broker_order_id",
                                         "reason",
                                         "sends",
                                         "cancel_asked",
                                         "created_at",
                                         NULL};
    static const char *const fills[] = {"execution_id", "decision", "symbol", "side", "qty",
                                        "price",        "at",       "refers", NULL};
    static const char *const journal[] = {"id",       "at",        "kind",   "comparison", "type",
                                          "severity", "explained", "symbol", "ref",        "oms",
                                          "broker",   "text",      NULL};
    if (table == CLI_TABLE_ORDERS)
        reader->order = export_order;
    else if (table == CLI_TABLE_FILLS)
        reader->execution = export_fill;
    else
        reader->entry = export_entry;
    return reader->order != NULL ? orders : reader->execution != NULL ? fills : journal;
}

static int export_records(struct session *s, struct call *call, struct sheet *sheet,
                          enum cli_table table) {
    struct oms_reader reader = {.ctx = sheet};
    struct oms_error error = {0};
    begin_sheet(sheet, table, begin_reading(table, &reader));
    enum oms_code code = s->oms != NULL ? oms_records(s->oms, &reader, &error)
                                        : oms_records_at(&s->place, &reader, &error);
    end_sheet(sheet);
    return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
}

/* ---- the command ---- */

static int export_positions_of(struct session *s, struct call *call, struct sheet *sheet) {
    struct oms_view view = {0};
    int exit = command_look(s, call, &view);
    if (exit == CLI_OK)
        export_positions(sheet, &view);
    oms_view_free(&view);
    return exit;
}

static int export_history(struct session *s, struct call *call, struct sheet *sheet) {
    struct oms_view history = {0};
    struct oms_error error = {0};
    enum oms_code code = s->oms != NULL
                             ? oms_history(s->oms, COMPARISONS_MAX, &history, &error)
                             : oms_history_at(&s->place, COMPARISONS_MAX, &history, &error);
    if (code == OMS_OK)
        export_comparisons(sheet, &history);
    oms_view_free(&history);
    return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
}

static int export_pnl(struct session *s, struct call *call, struct sheet *sheet) {
    struct oms_profits profits = {0};
    struct oms_error error = {0};
    enum oms_code code = s->oms != NULL ? oms_profits(s->oms, &profits, &error)
                                        : oms_profits_at(&s->place, &profits, &error);
    if (code == OMS_OK)
        export_profits(sheet, &profits);
    oms_profits_free(&profits);
    return code == OMS_OK ? CLI_OK : session_fail(s, call->err, code, &error);
}

static int export_table(struct session *s, struct call *call, struct sheet *sheet,
                        enum cli_table table) {
    switch (table) {
    case CLI_TABLE_POSITIONS:
        return export_positions_of(s, call, sheet);
    case CLI_TABLE_ORDERS:
    case CLI_TABLE_FILLS:
    case CLI_TABLE_JOURNAL:
        return export_records(s, call, sheet, table);
    case CLI_TABLE_COMPARISONS:
        return export_history(s, call, sheet);
    case CLI_TABLE_PROFITS:
        return export_pnl(s, call, sheet);
    case CLI_TABLE_ALL:
    case CLI_TABLE_COUNT:
        break;
    }
    return CLI_USAGE;
}

int command_export(struct session *s, struct call *call) {
    const struct cli_args *args = call->args;
    struct sheet sheet = {.out = call->out, .csv = args->csv, .most = call->answer_max};
    bool all = args->table == CLI_TABLE_ALL;
    size_t from = all ? 0 : args->table, to = all ? CLI_TABLE_ALL : from + 1;
    int exit = command_may_read(s);
    fputs(args->csv ? "" : "{", call->out);
    for (size_t i = from; exit == CLI_OK && i < to; i++) {
        fputs(i > from ? "," : "", call->out);
        exit = export_table(s, call, &sheet, (enum cli_table)i);
    }
    fputs(args->csv ? "" : "}\n", call->out);
    return exit == CLI_OK ? command_may_read(s) : exit; /* who came meanwhile may have written */
}
