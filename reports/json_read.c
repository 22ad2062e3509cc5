/* Reading back what was written of one run. */
#include "reports/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_READ = 1000000000 };

struct reading {
    report_keep *keep;
    void *ctx;
    bool whole; /* so far everything was there */
};

static const char *text(struct reading *reading, const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    const char *kept = cJSON_IsString(item) ? reading->keep(reading->ctx, item->valuestring) : NULL;
    reading->whole = reading->whole && kept != NULL;
    return kept != NULL ? kept : "";
}

static uint64_t count(struct reading *reading, const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    bool good = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15;
    reading->whole = reading->whole && good;
    return good ? (uint64_t)item->valuedouble : 0;
}

static int line(struct reading *reading, const cJSON *object) {
    uint64_t number = count(reading, object, "line");
    reading->whole = reading->whole && number <= LINE_MAX_READ;
    return (int)number;
}

static uint64_t hexadecimal(struct reading *reading, const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    char *end = NULL;
    uint64_t value = cJSON_IsString(item) ? strtoull(item->valuestring, &end, 16) : 0;
    reading->whole = reading->whole && end != NULL && *end == '\0' && end != item->valuestring;
    return value;
}

static enum report_verdict verdict(struct reading *reading, const cJSON *object) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "verdict");
    for (enum report_verdict v = REPORT_PASS; v < REPORT_VERDICT_COUNT; v++) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, report_verdict_key(v)) == 0)
            return v;
    }
    reading->whole = false;
    return REPORT_ERROR;
}

/* An array's elements, all zero; their number in *n. NULL: none, or no memory. */
static void *room_for(struct reading *reading, const cJSON *array, size_t size, size_t *n) {
    void *room = NULL;
    *n = cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
    reading->whole = reading->whole && cJSON_IsArray(array);
    if (*n > 0)
        room = calloc(*n, size);
    if (room == NULL && *n > 0)
        reading->whole = false;
    if (room == NULL)
        *n = 0;
    return room;
}

static void read_events(struct reading *reading, const cJSON *array,
                        struct report_finding *finding) {
    size_t n = 0, at = 0;
    struct report_event *events = room_for(reading, array, sizeof *events, &n);
    const cJSON *object = NULL;
    cJSON_ArrayForEach(object, array) {
        if (at == n)
            break;
        events[at++] = (struct report_event){
            .time = text(reading, object, "time"),
            .script_line = line(reading, object),
            .who = text(reading, object, "who"),
            .what = text(reading, object, "what"),
            .marked = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "marked"))};
    }
    finding->events = events;
    finding->event_count = n;
}

static void read_findings(struct reading *reading, const cJSON *array, struct report_run *run) {
    size_t n = 0, at = 0;
    struct report_finding *findings = room_for(reading, array, sizeof *findings, &n);
    const cJSON *object = NULL;
    cJSON_ArrayForEach(object, array) {
        if (at == n)
            break;
        findings[at] = (struct report_finding){.code = text(reading, object, "code"),
                                               .headline = text(reading, object, "headline"),
                                               .plan = text(reading, object, "plan"),
                                               .replay = text(reading, object, "replay"),
                                               .also = count(reading, object, "also"),
                                               .line = line(reading, object),
                                               .shrunk = text(reading, object, "shrunk"),
                                               .fingerprint = text(reading, object, "fingerprint")};
        read_events(reading, cJSON_GetObjectItemCaseSensitive(object, "events"), &findings[at]);
        at++;
    }
    run->findings = findings;
    run->finding_count = n;
}

bool report_json_to_run(const cJSON *object, report_keep *keep, void *ctx, struct report_run *run) {
    struct reading reading = {keep, ctx, cJSON_IsObject(object)};
    *run = (struct report_run){
        .scenario = text(&reading, object, "scenario"),
        .file = text(&reading, object, "file"),
        .line = line(&reading, object),
        .oms = text(&reading, object, "oms"),
        .profile = text(&reading, object, "profile"),
        .crash = text(&reading, object, "crash"),
        .door = text(&reading, object, "door"),
        .verdict = verdict(&reading, object),
        .note = text(&reading, object, "note"),
        .runs = count(&reading, object, "runs"),
        .runs_failed = count(&reading, object, "runs_failed"),
        .crash_points = count(&reading, object, "crash_points"),
        .lives = count(&reading, object, "lives"),
        .faults_fired = count(&reading, object, "faults_fired"),
        .fingerprint = hexadecimal(&reading, object, "fingerprint"),
        .code = text(&reading, object, "code"),
        .planted = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "planted"))};
    read_findings(&reading, cJSON_GetObjectItemCaseSensitive(object, "findings"), run);
    if (!reading.whole) {
        report_run_free(run);
        *run = (struct report_run){0};
    }
    return reading.whole;
}
