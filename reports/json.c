/* Report for programs: one JSON object a line. */
#include "reports/json.h"

#include "reports/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* Texts are made valid UTF-8 first: JSON has no other. */
static bool add_text(cJSON *object, const char *name, const char *text) {
    char *valid = report_valid_utf8(text == NULL ? "" : text);
    bool added = valid != NULL && cJSON_AddStringToObject(object, name, valid) != NULL;
    free(valid);
    return added;
}

static bool add_count(cJSON *object, const char *name, uint64_t count) {
    return cJSON_AddNumberToObject(object, name, (double)count) != NULL;
}

/* Prints one object as a line and deletes it. `good` false: something was missing already. */
static bool put_line(FILE *out, cJSON *object, bool good) {
    char *text = good ? cJSON_PrintUnformatted(object) : NULL;
    good = text != NULL && fprintf(out, "%s\n", text) > 0;
    cJSON_free(text);
    cJSON_Delete(object);
    return good;
}

static bool add_event(cJSON *events, const struct report_event *event) {
    cJSON *object = cJSON_CreateObject();
    if (object == NULL || !cJSON_AddItemToArray(events, object)) {
        cJSON_Delete(object);
        return false;
    }
    return add_text(object, "time", event->time) &&
           add_count(object, "line", (uint64_t)event->script_line) &&
           add_text(object, "who", event->who) && add_text(object, "what", event->what) &&
           cJSON_AddBoolToObject(object, "marked", event->marked) != NULL;
}

static bool add_finding(cJSON *findings, const struct report_finding *finding) {
    cJSON *object = cJSON_CreateObject();
    if (object == NULL || !cJSON_AddItemToArray(findings, object)) {
        cJSON_Delete(object);
        return false;
    }
    if (!add_text(object, "code", finding->code) ||
        !add_text(object, "headline", finding->headline) ||
        !add_text(object, "plan", finding->plan) || !add_text(object, "replay", finding->replay) ||
        !add_count(object, "also", finding->also) ||
        !add_count(object, "line", (uint64_t)finding->line) ||
        !add_text(object, "shrunk", finding->shrunk) ||
        !add_text(object, "fingerprint", finding->fingerprint))
        return false;
    cJSON *events = cJSON_AddArrayToObject(object, "events");
    for (size_t i = 0; events != NULL && i < finding->event_count; i++) {
        if (!add_event(events, &finding->events[i]))
            return false;
    }
    return events != NULL;
}

static bool add_run(cJSON *object, const struct report_run *run) {
    char fingerprint[24];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)run->fingerprint);
    if (!add_text(object, "type", "run") || !add_text(object, "scenario", run->scenario) ||
        !add_text(object, "file", run->file) || !add_count(object, "line", (uint64_t)run->line) ||
        !add_text(object, "oms", run->oms) || !add_text(object, "profile", run->profile) ||
        !add_text(object, "crash", run->crash) || !add_text(object, "door", run->door) ||
        !add_text(object, "verdict", report_verdict_key(run->verdict)) ||
        !add_text(object, "note", run->note) || !add_text(object, "code", run->code) ||
        !cJSON_AddBoolToObject(object, "planted", run->planted) ||
        !add_count(object, "runs", run->runs) ||
        !add_count(object, "runs_failed", run->runs_failed) ||
        !add_count(object, "crash_points", run->crash_points) ||
        !add_count(object, "lives", run->lives) ||
        !add_count(object, "faults_fired", run->faults_fired) ||
        !add_text(object, "fingerprint", fingerprint))
        return false;
    cJSON *findings = cJSON_AddArrayToObject(object, "findings");
    for (size_t i = 0; findings != NULL && i < run->finding_count; i++) {
        if (!add_finding(findings, &run->findings[i]))
            return false;
    }
    return findings != NULL;
}

cJSON *report_json_of_run(const struct report_run *run) {
    cJSON *object = cJSON_CreateObject();
    if (object != NULL && add_run(object, run))
        return object;
    cJSON_Delete(object);
    return NULL;
}

bool report_json_run(FILE *out, const struct report_run *run) {
    cJSON *object = report_json_of_run(run);
    return put_line(out, object, object != NULL);
}

static bool add_totals(cJSON *object, const struct report_totals *totals) {
    if (!add_text(object, "type", "totals"))
        return false;
    for (enum report_verdict v = REPORT_PASS; v < REPORT_VERDICT_COUNT; v++) {
        if (!add_count(object, report_verdict_key(v), totals->scenarios[v]))
            return false;
    }
    return add_count(object, "runs", totals->runs) &&
           add_count(object, "crash_points", totals->crash_points) &&
           add_count(object, "lives", totals->lives) &&
           add_count(object, "faults_fired", totals->faults_fired);
}

bool report_json_totals(FILE *out, const struct report_totals *totals) {
    cJSON *object = cJSON_CreateObject();
    return put_line(out, object, object != NULL && add_totals(object, totals));
}
