/* Parity as text and as JSON. */
#include "core/live/parity_print.h"

#include <string.h>

enum { NANOS_PER_POINT = DECIMAL_NANOS / PARITY_BP, NANOS_PER_PPM = 100000 };

/* Basis points: "-1.25". A slippage past what nanos hold is shown as the edge of them. */
static char *format_points(int64_t thousandths, char out[DECIMAL_TEXT_MAX]) {
    const int64_t edge = INT64_MAX / NANOS_PER_POINT;
    int64_t shown = thousandths > edge ? edge : thousandths < -edge ? -edge : thousandths;
    return decimal_format(shown * NANOS_PER_POINT, 0, out);
}

/* Percent: "99.5". */
static char *format_share(int64_t ppm, char out[DECIMAL_TEXT_MAX]) {
    return decimal_format(ppm * NANOS_PER_PPM, 0, out);
}

static char *format_average(const struct parity_actual *actual, int decimals,
                            char out[DECIMAL_TEXT_MAX]) {
    return decimal_format((int64_t)decimal_divide_rounded(actual->cost, actual->filled_nanos),
                          decimals, out);
}

/* ---- text ---- */

static void print_side(const char *who, enum broker_side side, int64_t qty, const char *symbol,
                       FILE *out) {
    char text[DECIMAL_TEXT_MAX];
    fprintf(out, "%s %s %s %s", who, broker_side_name(side), decimal_format(qty, 0, text), symbol);
}

static void print_row(const struct parity_row *row, FILE *out) {
    const struct parity_expected *expected = row->expected;
    const struct parity_actual *actual = row->actual;
    char text[DECIMAL_TEXT_MAX];
    fprintf(out, "  %-10s %s:", parity_kind_name(row->kind),
            expected != NULL ? expected->id : actual->id);
    if (expected != NULL)
        print_side(" expected", expected->side, expected->qty_nanos, expected->symbol, out);
    if (actual != NULL && row->kind != PARITY_MATCHED)
        print_side(expected != NULL ? ", decided" : " decided", actual->side, actual->qty_nanos,
                   actual->symbol, out);
    if (actual != NULL)
        fprintf(out, ", executed %s", decimal_format(actual->filled_nanos, 0, text));
    if (expected != NULL && actual != NULL && row->executed) {
        fprintf(out, " at %s", format_average(actual, 2, text));
        fprintf(out, " for %s", decimal_format(expected->price_nanos, 2, text));
        fprintf(out, ", %s bp", format_points(row->slippage, text));
    }
    fputc('\n', out);
}

/* Worth a line: all but what was executed in full. */
static bool is_odd(const struct parity_row *row) {
    return row->kind != PARITY_MATCHED || row->actual->filled_nanos < row->expected->due_nanos;
}

static const char *past(bool limit) {
    return limit ? " (past the limit)" : "";
}

void parity_print(const void *ctx, FILE *out) {
    const struct parity *parity = ctx;
    char text[DECIMAL_TEXT_MAX];
    fprintf(out, "parity: %s\n", parity->agrees ? "AGREES" : "APART");
    fprintf(out, "matched %zu (%zu in full), differing %zu, missed %zu%s, unexpected %zu%s\n",
            parity->counts[PARITY_MATCHED], parity->full, parity->counts[PARITY_DIFFERS],
            parity->counts[PARITY_MISSED], past(parity->too_many_missed),
            parity->counts[PARITY_UNEXPECTED], past(parity->too_many_unexpected));
    fprintf(out, "fill rate %s %%%s\n", format_share(parity->fill_ppm, text),
            past(parity->filled_too_little));
    if (parity->executed == 0) {
        fputs("slippage: nothing was executed\n", out);
    } else {
        fprintf(out, "slippage: average %s bp%s", format_points(parity->average, text),
                past(parity->average_too_high));
        fprintf(out, ", worst %s bp%s of %s\n", format_points(parity->worst, text),
                past(parity->worst_too_high), parity->worst_row->expected->id);
    }
    for (size_t i = 0; i < parity->row_count; i++)
        if (is_odd(&parity->rows[i]) || &parity->rows[i] == parity->worst_row)
            print_row(&parity->rows[i], out);
}

/* ---- JSON ---- */

static void add_decimal(cJSON *to, const char *name, int64_t nanos) {
    char text[DECIMAL_TEXT_MAX];
    cJSON_AddStringToObject(to, name, decimal_format(nanos, 0, text));
}

static void add_points(cJSON *to, const char *name, int64_t thousandths, bool known) {
    char text[DECIMAL_TEXT_MAX];
    if (known)
        cJSON_AddStringToObject(to, name, format_points(thousandths, text));
    else
        cJSON_AddNullToObject(to, name);
}

static cJSON *row_json(const struct parity_row *row) {
    const struct parity_expected *expected = row->expected;
    const struct parity_actual *actual = row->actual;
    char text[DECIMAL_TEXT_MAX];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "id", expected != NULL ? expected->id : actual->id);
    cJSON_AddStringToObject(o, "kind", parity_kind_name(row->kind));
    if (expected != NULL) {
        cJSON *e = cJSON_AddObjectToObject(o, "expected");
        cJSON_AddStringToObject(e, "symbol", expected->symbol);
        cJSON_AddStringToObject(e, "side", broker_side_name(expected->side));
        add_decimal(e, "qty", expected->qty_nanos);
        add_decimal(e, "due", expected->due_nanos);
        add_decimal(e, "price", expected->price_nanos);
    }
    if (actual != NULL) {
        cJSON *a = cJSON_AddObjectToObject(o, "actual");
        cJSON_AddStringToObject(a, "symbol", actual->symbol);
        cJSON_AddStringToObject(a, "side", broker_side_name(actual->side));
        add_decimal(a, "qty", actual->qty_nanos);
        add_decimal(a, "executed", actual->filled_nanos);
        if (actual->filled_nanos > 0)
            cJSON_AddStringToObject(a, "average", format_average(actual, 0, text));
    }
    add_points(o, "slippage_bp", row->slippage, row->executed);
    return o;
}

cJSON *parity_json(const struct parity *parity) {
    char text[DECIMAL_TEXT_MAX];
    cJSON *o = cJSON_CreateObject(), *rows = NULL;
    cJSON_AddStringToObject(o, "verdict", parity->agrees ? "AGREES" : "APART");
    for (int kind = 0; kind < PARITY_KIND_COUNT; kind++)
        cJSON_AddNumberToObject(o, parity_kind_name((enum parity_kind)kind),
                                (double)parity->counts[kind]);
    cJSON_AddNumberToObject(o, "full", (double)parity->full);
    cJSON_AddStringToObject(o, "fill_rate_percent", format_share(parity->fill_ppm, text));
    add_points(o, "average_slippage_bp", parity->average, parity->executed > 0);
    add_points(o, "worst_slippage_bp", parity->worst, parity->executed > 0);
    cJSON_AddBoolToObject(o, "too_many_missed", parity->too_many_missed);
    cJSON_AddBoolToObject(o, "too_many_unexpected", parity->too_many_unexpected);
    cJSON_AddBoolToObject(o, "filled_too_little", parity->filled_too_little);
    cJSON_AddBoolToObject(o, "average_too_high", parity->average_too_high);
    cJSON_AddBoolToObject(o, "worst_too_high", parity->worst_too_high);
    rows = cJSON_AddArrayToObject(o, "rows");
    for (size_t i = 0; i < parity->row_count; i++)
        cJSON_AddItemToArray(rows, row_json(&parity->rows[i]));
    return o;
}
