/* Decisions and cancels as JSON lines, and the answers to them. */
#include "core/live/decision_json.h"

#include "core/decimal.h"
#include "core/live/alpaca_json.h"
#include "core/live/rfc3339.h"

#include <stdio.h>
#include <string.h>

static bool wrong(char *why, const char *field, const char *value, const char *rule) {
    snprintf(why, DECISION_JSON_WHY_SIZE, "%s%s%.60s%s %s", field, value != NULL ? " \"" : "",
             value != NULL ? value : "", value != NULL ? "\"" : "", rule);
    return false;
}

/* ---- one reader per field: each gets the field's text and fills its part of the decision ---- */

static bool copy(const char *text, char *out, size_t size) {
    if (text[0] == '\0' || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool read_id(const char *text, struct oms_decision *d) {
    return copy(text, d->id, sizeof d->id);
}

static bool read_side(const char *text, struct oms_decision *d) {
    return broker_side_parse(text, &d->side);
}

static bool read_qty(const char *text, struct oms_decision *d) {
    return decimal_parse(text, &d->qty_nanos) && d->qty_nanos > 0;
}

static bool read_symbol(const char *text, struct oms_decision *d) {
    return copy(text, d->symbol, sizeof d->symbol);
}

static bool read_type(const char *text, struct oms_decision *d) {
    return broker_type_parse(text, &d->type);
}

static bool read_limit(const char *text, struct oms_decision *d) {
    return decimal_parse(text, &d->limit_nanos) && d->limit_nanos > 0;
}

static bool read_tif(const char *text, struct oms_decision *d) {
    return broker_tif_parse(text, &d->tif);
}

static bool read_expiry(const char *text, struct oms_decision *d) {
    return rfc3339_parse(text, &d->expires_ns);
}

/* field, must it be there, its rule, who reads it */
static const struct field {
    const char *name;
    bool needed;
    const char *rule;
    bool (*read)(const char *text, struct oms_decision *decision);
} fields[] = {
    {"id", true, "must be a string of 1 to 128 characters", read_id},
    {"side", true, "must be \"buy\" or \"sell\"", read_side},
    {"qty", true, "must be a positive decimal in a string, with at most nine places", read_qty},
    {"symbol", true, "must be a string of 1 to 23 characters", read_symbol},
    {"type", true, "must be \"market\" or \"limit\"", read_type},
    {"limit_price", false, "must be a positive decimal in a string, with at most nine places",
     read_limit},
    {"time_in_force", false, "must be \"day\", \"gtc\", \"ioc\", \"fok\", \"opg\" or \"cls\"",
     read_tif},
    {"expires_at", false, "must be a time as in \"2026-01-09T14:35:00Z\"", read_expiry},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static const struct field *field_of(const char *name) {
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static bool read_decision(const cJSON *object, struct oms_decision *decision, char *why) {
    bool seen[FIELDS] = {false};
    decision->tif = BROKER_DAY;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        const struct field *field = field_of(member->string);
        const char *text = cJSON_GetStringValue(member);
        if (field == NULL)
            return wrong(why, "field", member->string, "is not known here");
        if (seen[field - fields])
            return wrong(why, field->name, NULL, "is there twice");
        seen[field - fields] = true;
        if (text == NULL || !field->read(text, decision))
            return wrong(why, field->name, text, field->rule);
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].needed && !seen[i])
            return wrong(why, fields[i].name, NULL, "is missing");
    if ((decision->type == BROKER_LIMIT) != (decision->limit_nanos > 0))
        return wrong(why, "limit_price", NULL, "belongs to a limit order, and only to one");
    return true;
}

enum decision_json_kind decision_json_read(const char *line, struct oms_decision *decision,
                                           char why[DECISION_JSON_WHY_SIZE]) {
    struct alpaca_complaint complaint;
    enum decision_json_kind kind = DECISION_JSON_WRONG;
    cJSON *json = alpaca_parse(line, strlen(line), &complaint);
    *decision = (struct oms_decision){.tif = BROKER_DAY};
    if (json == NULL) {
        snprintf(why, DECISION_JSON_WHY_SIZE, "%s", complaint.text);
    } else if (!cJSON_IsObject(json)) {
        wrong(why, "a line", NULL, "must be one JSON object");
    } else if (json->child != NULL && json->child->next == NULL &&
               strcmp(json->child->string, "cancel") == 0) {
        const char *id = cJSON_GetStringValue(json->child);
        if (id != NULL && read_id(id, decision))
            kind = DECISION_JSON_CANCEL;
        else
            wrong(why, "cancel", id, "must be a decision's id");
    } else if (read_decision(json, decision, why)) {
        kind = DECISION_JSON_DECIDE;
    }
    cJSON_Delete(json);
    return kind;
}

/* ---- answers ---- */

static char *print(cJSON *json, char out[DECISION_JSON_SIZE]) {
    if (json == NULL || !cJSON_PrintPreallocated(json, out, DECISION_JSON_SIZE, false))
        snprintf(out, DECISION_JSON_SIZE, "{\"error\":\"no memory to answer\"}");
    cJSON_Delete(json);
    return out;
}

static const char *taken_word(enum oms_taken taken) {
    switch (taken) {
    case OMS_TAKEN:
        return "taken";
    case OMS_KNOWN:
        return "known";
    case OMS_NOT_TAKEN:
        return "not-taken";
    case OMS_UNKNOWN:
        break;
    }
    return "unknown";
}

char *decision_json_answer(const char *decision_id, const struct oms_answer *answer,
                           char out[DECISION_JSON_SIZE]) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", decision_id);
    cJSON_AddStringToObject(json, "answer", taken_word(answer->taken));
    if (answer->taken == OMS_TAKEN || answer->taken == OMS_KNOWN) {
        cJSON_AddStringToObject(json, "state", oms_state_name(answer->state));
        cJSON_AddStringToObject(json, "client_order_id", answer->client_order_id);
    }
    if (answer->reason[0] != '\0')
        cJSON_AddStringToObject(json, "reason", answer->reason);
    return print(json, out);
}

char *decision_json_cancel(const char *decision_id, const char *refused,
                           char out[DECISION_JSON_SIZE]) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "cancel", decision_id);
    cJSON_AddStringToObject(json, "answer", refused == NULL ? "asked" : "refused");
    if (refused != NULL)
        cJSON_AddStringToObject(json, "reason", refused);
    return print(json, out);
}

char *decision_json_wrong(unsigned long line, const char *why, char out[DECISION_JSON_SIZE]) {
    char text[DECISION_JSON_WHY_SIZE + 40];
    cJSON *json = cJSON_CreateObject();
    snprintf(text, sizeof text, "line %lu: %s", line, why);
    cJSON_AddStringToObject(json, "error", text);
    return print(json, out);
}
