/* Expected signals, line by line. */
#include "core/live/signals.h"

#include "core/index.h"
#include "core/live/alpaca_json.h"
#include "core/live/rfc3339.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- one reader per field ---- */

struct row {
    struct parity_expected signal;
    int64_t at_ns;
};

static bool read_id(const char *text, struct row *row) {
    snprintf(row->signal.id, sizeof row->signal.id, "%s", text);
    return strlen(text) < sizeof row->signal.id &&
           text_is_visible(row->signal.id, sizeof row->signal.id);
}

static bool read_symbol(const char *text, struct row *row) {
    snprintf(row->signal.symbol, sizeof row->signal.symbol, "%s", text);
    return strlen(text) < sizeof row->signal.symbol &&
           text_is_word(row->signal.symbol, sizeof row->signal.symbol, "./-");
}

static bool read_side(const char *text, struct row *row) {
    return broker_side_parse(text, &row->signal.side);
}

static bool read_qty(const char *text, struct row *row) {
    return decimal_parse(text, &row->signal.qty_nanos) && row->signal.qty_nanos > 0;
}

static bool read_price(const char *text, struct row *row) {
    return decimal_parse(text, &row->signal.price_nanos) && row->signal.price_nanos > 0;
}

static bool read_time(const char *text, struct row *row) {
    return rfc3339_parse(text, &row->at_ns);
}

static const struct field {
    const char *name, *rule;
    bool (*read)(const char *text, struct row *row);
} fields[] = {
    {"id", "must be 1 to 128 printable characters without spaces", read_id},
    {"symbol", "must be 1 to 23 of [A-Z0-9./-]", read_symbol},
    {"side", "must be buy or sell", read_side},
    {"qty", "must be a positive decimal with at most nine places", read_qty},
    {"price", "must be a positive decimal with at most nine places", read_price},
    {"time", "must be a time as in 2026-01-09T14:35:00Z", read_time},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };
#define FIELD_NAMES "id, symbol, side, qty, price, time"

static const struct field *field_of(const char *name) {
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

/* ---- one reading ---- */

struct reading {
    const char *name; /* of the file */
    unsigned long line;
    struct signals *signals;
    struct index known;                  /* ids */
    const struct field *columns[FIELDS]; /* CSV: in the order of the file */
    size_t column_count;                 /* 0: not yet known */
    char *why;
};

static bool wrong(const struct reading *reading, const char *what, const char *value,
                  const char *rule) {
    char shown[OMS_DECISION_ID_SIZE];
    snprintf(reading->why, SIGNALS_WHY_SIZE, "%s:%lu: %s%s%.80s%s %s", reading->name, reading->line,
             what, value != NULL ? " \"" : "",
             value != NULL ? text_shown(value, strlen(value) + 1, shown) : "",
             value != NULL ? "\"" : "", rule);
    return false;
}

static bool make_room(struct signals *signals) {
    size_t wanted = signals->cap == 0 ? 64 : signals->cap * 2;
    void *rows = NULL, *times = NULL;
    if (signals->n < signals->cap)
        return true;
    rows = realloc(signals->v, wanted * sizeof *signals->v);
    if (rows != NULL)
        signals->v = rows;
    times = realloc(signals->times, wanted * sizeof *signals->times);
    if (times != NULL)
        signals->times = times;
    if (rows == NULL || times == NULL)
        return false;
    signals->cap = wanted;
    return true;
}

static bool keep(struct reading *reading, const struct row *row) {
    struct signals *signals = reading->signals;
    if (signals->n == PARITY_ROWS_MAX)
        return wrong(reading, "this signal", NULL, "is one too many (1000000)");
    if (!make_room(signals))
        return wrong(reading, "this signal", NULL, "cannot be kept: no memory");
    signals->v[signals->n] = row->signal;
    signals->v[signals->n].due_nanos = row->signal.qty_nanos;
    signals->times[signals->n++] = (struct signal_time){row->at_ns, reading->line};
    return true;
}

/* Rows move while they are read, so ids are looked at when all are there. */
static bool ids_are_unique(struct reading *reading) {
    struct signals *signals = reading->signals;
    bool fine = true;
    for (size_t i = 0; fine && i < signals->n; i++) {
        const struct signal_time *first = index_get(&reading->known, signals->v[i].id);
        char rule[80];
        reading->line = signals->times[i].line;
        snprintf(rule, sizeof rule, "is there twice: first on line %lu",
                 first != NULL ? first->line : 0);
        if (first != NULL)
            fine = wrong(reading, "id", signals->v[i].id, rule);
        else if (!index_put(&reading->known, signals->v[i].id, &signals->times[i]))
            fine = wrong(reading, "this signal", NULL, "cannot be kept: no memory");
    }
    return fine;
}

/* ---- JSON lines ---- */

static bool read_member(struct reading *reading, const cJSON *member, bool seen[FIELDS],
                        struct row *row) {
    const struct field *field = field_of(member->string);
    const char *text = cJSON_GetStringValue(member);
    if (field == NULL)
        return wrong(reading, "field", member->string, "is not one of " FIELD_NAMES);
    if (seen[field - fields])
        return wrong(reading, "field", field->name, "is there twice");
    seen[field - fields] = true;
    if (text == NULL)
        return wrong(reading, field->name, NULL, "must be a string");
    return field->read(text, row) || wrong(reading, field->name, text, field->rule);
}

static bool read_object(struct reading *reading, const cJSON *object, struct row *row) {
    bool seen[FIELDS] = {false};
    if (!cJSON_IsObject(object))
        return wrong(reading, "a line", NULL, "must be one JSON object");
    for (const cJSON *member = object->child; member != NULL; member = member->next)
        if (!read_member(reading, member, seen, row))
            return false;
    for (size_t i = 0; i < FIELDS; i++)
        if (!seen[i])
            return wrong(reading, "field", fields[i].name, "is missing");
    return true;
}

static bool read_json_line(struct reading *reading, char *line) {
    struct alpaca_complaint complaint;
    struct row row = {.at_ns = 0};
    cJSON *json = alpaca_parse(line, strlen(line), &complaint);
    bool fine = json == NULL ? wrong(reading, complaint.text, NULL, "in JSON")
                             : read_object(reading, json, &row) && keep(reading, &row);
    cJSON_Delete(json);
    return fine;
}

/* ---- CSV ---- */

/* The next value, without the blanks around it; *at moves behind its comma, to NULL after the last.
 */
static char *take_value(char **at) {
    char *value = *at, *comma = strchr(value, ','), *end = NULL;
    *at = comma != NULL ? comma + 1 : NULL;
    end = comma != NULL ? comma : value + strlen(value);
    value += strspn(value, " \t");
    while (end > value && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    *end = '\0';
    return value;
}

static bool read_columns(struct reading *reading, char *at) {
    bool seen[FIELDS] = {false};
    while (at != NULL) {
        const char *name = take_value(&at);
        const struct field *field = field_of(name);
        if (field == NULL)
            return wrong(reading, "column", name, "is not one of " FIELD_NAMES);
        if (seen[field - fields])
            return wrong(reading, "column", name, "is there twice");
        seen[field - fields] = true;
        reading->columns[reading->column_count++] = field;
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (!seen[i])
            return wrong(reading, "column", fields[i].name, "is missing");
    return true;
}

static bool read_csv_line(struct reading *reading, char *line) {
    struct row row = {.at_ns = 0};
    char *at = line;
    if (reading->column_count == 0)
        return read_columns(reading, line);
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = reading->columns[i];
        if (at == NULL)
            return wrong(reading, field->name, NULL, "is missing on this line");
        char *value = take_value(&at);
        if (!field->read(value, &row))
            return wrong(reading, field->name, value, field->rule);
    }
    if (at != NULL)
        return wrong(reading, "value", at, "is one too many on this line");
    return keep(reading, &row);
}

/* ---- the file ---- */

/* False at the end, or with `why` set. */
static bool next_line(struct reading *reading, FILE *file, char line[SIGNALS_LINE_MAX]) {
    size_t length;
    reading->line++;
    if (fgets(line, SIGNALS_LINE_MAX, file) == NULL)
        return ferror(file) ? wrong(reading, "the file", NULL, "cannot be read") : false;
    length = strlen(line);
    if (length > 0 && line[length - 1] == '\n')
        line[length - 1] = '\0';
    else if (!feof(file))
        return wrong(reading, "this line", NULL,
                     "must be at most 4094 characters, none of them a zero");
    return true;
}

bool signals_read(FILE *file, const char *name, struct signals *signals,
                  char why[SIGNALS_WHY_SIZE]) {
    struct reading reading = {.name = name, .signals = signals, .why = why};
    char line[SIGNALS_LINE_MAX];
    bool fine = true, json = false, any = false;
    why[0] = '\0';
    *signals = (struct signals){.v = NULL};
    while (fine && next_line(&reading, file, line)) {
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        json = any ? json : line[strspn(line, " \t")] == '{';
        any = true;
        fine = json ? read_json_line(&reading, line) : read_csv_line(&reading, line);
    }
    fine = fine && why[0] == '\0' && ids_are_unique(&reading);
    index_free(&reading.known);
    return fine;
}

void signals_free(struct signals *signals) {
    free(signals->v);
    free(signals->times);
    *signals = (struct signals){.v = NULL};
}
