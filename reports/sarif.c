/* Report for code scanning: SARIF 2.1.0.
 *
 * Those that read it tell results of two uploads apart by rule, file and partial fingerprint, so the
 * rule is the code of what broke, and the fingerprint is the finding's own, which knows no line. */
#include "reports/sarif.h"

#include "reports/name.h"
#include "reports/text.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 200, EVENTS_MAX = 1000 };
#define FINGERPRINT "crashgateFinding/v1"
#define SCHEMA      "https://json.schemastore.org/sarif-2.1.0.json"

struct writing {
    const char *(*meaning)(const char *code);
    const char *rules[RULES_MAX];
    size_t rule_count;
    bool whole;
};

/* Everything below adds to an object that may be NULL; then nothing is whole any more. */
static cJSON *check(struct writing *writing, cJSON *item) {
    writing->whole = writing->whole && item != NULL;
    return item;
}

static cJSON *object_in(struct writing *writing, cJSON *parent, const char *name) {
    return check(writing, cJSON_AddObjectToObject(parent, name));
}

static cJSON *array_in(struct writing *writing, cJSON *parent, const char *name) {
    return check(writing, cJSON_AddArrayToObject(parent, name));
}

static cJSON *element_of(struct writing *writing, cJSON *array) {
    cJSON *object = check(writing, cJSON_CreateObject());
    if (!cJSON_AddItemToArray(array, object)) {
        cJSON_Delete(object);
        return check(writing, NULL);
    }
    return object;
}

static void text_in(struct writing *writing, cJSON *parent, const char *name, const char *text) {
    char *valid = report_valid_utf8(text);
    check(writing, valid == NULL ? NULL : cJSON_AddStringToObject(parent, name, valid));
    free(valid);
}

static void message_in(struct writing *writing, cJSON *parent, const char *name, const char *text) {
    text_in(writing, object_in(writing, parent, name), "text", text[0] != '\0' ? text : "-");
}

/* A path as a relative reference: what may not stand in one is escaped. */
static void uri_in(struct writing *writing, cJSON *parent, const char *path) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    char *uri = malloc(strlen(path) * 3 + 1);
    size_t used = 0;
    if (check(writing, (cJSON *)(void *)uri) == NULL)
        return;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    for (; *path != '\0'; path++) {
        if (strchr(plain, *path) != NULL)
            uri[used++] = *path;
        else
            used += (size_t)snprintf(uri + used, 4, "%%%02X", (unsigned char)*path);
    }
    uri[used] = '\0';
    check(writing, cJSON_AddStringToObject(parent, "uri", uri));
    free(uri);
}

static cJSON *location_in(struct writing *writing, cJSON *parent, const char *file, int line) {
    cJSON *physical = object_in(writing, parent, "physicalLocation");
    uri_in(writing, object_in(writing, physical, "artifactLocation"), file);
    check(writing, cJSON_AddNumberToObject(object_in(writing, physical, "region"), "startLine",
                                           line > 0 ? line : 1));
    return physical;
}

/* One event, at the line of the scenario that is its cause, or the one before it. */
static void add_event(struct writing *writing, cJSON *locations, const struct report_run *run,
                      const struct report_event *event, int line) {
    char words[1200];
    cJSON *step = element_of(writing, locations);
    cJSON *location = object_in(writing, step, "location");
    location_in(writing, location, run->file, line);
    snprintf(words, sizeof words, "%s  %s  %s", event->time, event->who, event->what);
    message_in(writing, location, "message", words);
    text_in(writing, step, "importance", event->marked ? "essential" : "important");
}

static void add_story(struct writing *writing, cJSON *result, const struct report_run *run,
                      const struct report_finding *finding) {
    cJSON *threads = NULL, *locations = NULL;
    int line = run->line;
    /* The end of a long story is what matters. */
    size_t from = finding->event_count > EVENTS_MAX ? finding->event_count - EVENTS_MAX : 0;
    if (finding->event_count == 0)
        return;
    threads = array_in(writing, element_of(writing, array_in(writing, result, "codeFlows")),
                       "threadFlows");
    locations = array_in(writing, element_of(writing, threads), "locations");
    for (size_t i = from; i < finding->event_count; i++) {
        if (finding->events[i].script_line > 0)
            line = finding->events[i].script_line;
        add_event(writing, locations, run, &finding->events[i], line);
    }
}

static size_t rule_of(struct writing *writing, const char *code) {
    size_t i = 0;
    while (i < writing->rule_count && strcmp(writing->rules[i], code) != 0)
        i++;
    if (i == writing->rule_count && i < RULES_MAX)
        writing->rules[writing->rule_count++] = code;
    return i;
}

static void add_result(struct writing *writing, cJSON *results, const struct report_run *run) {
    const struct report_finding *finding = run->finding_count > 0 ? &run->findings[0] : NULL;
    cJSON *result = element_of(writing, results), *properties = NULL;
    char configuration[REPORT_NAME_SIZE], words[2000];
    size_t rule = rule_of(writing, report_code(run));
    text_in(writing, result, "ruleId", report_code(run));
    if (rule < RULES_MAX)
        check(writing, cJSON_AddNumberToObject(result, "ruleIndex", (double)rule));
    text_in(writing, result, "level", run->verdict == REPORT_INCONCLUSIVE ? "warning" : "error");
    report_configuration(run, configuration);
    snprintf(words, sizeof words, "%s [%s]: %s", run->scenario, configuration, report_what(run));
    message_in(writing, result, "message", words);
    location_in(writing, element_of(writing, array_in(writing, result, "locations")), run->file,
                report_line(run));
    if (finding != NULL && finding->fingerprint != NULL && finding->fingerprint[0] != '\0')
        text_in(writing, object_in(writing, result, "partialFingerprints"), FINGERPRINT,
                finding->fingerprint);
    if (finding == NULL)
        return;
    add_story(writing, result, run, finding);
    properties = object_in(writing, result, "properties");
    text_in(writing, properties, "plan", finding->plan);
    text_in(writing, properties, "again", finding->replay);
}

static void add_rules(struct writing *writing, cJSON *driver) {
    cJSON *rules = array_in(writing, driver, "rules");
    for (size_t i = 0; i < writing->rule_count; i++) {
        cJSON *rule = element_of(writing, rules);
        const char *meaning = writing->meaning(writing->rules[i]);
        text_in(writing, rule, "id", writing->rules[i]);
        message_in(writing, rule, "shortDescription",
                   meaning != NULL ? meaning : writing->rules[i]);
    }
}

static void add_run(struct writing *writing, cJSON *run, const char *version,
                    const struct report_run *runs, size_t count) {
    cJSON *driver = object_in(writing, object_in(writing, run, "tool"), "driver");
    cJSON *results = NULL;
    size_t written = 0, left = 0;
    text_in(writing, driver, "name", "crashgate");
    text_in(writing, driver, "semanticVersion", version);
    text_in(writing, run, "columnKind", "unicodeCodePoints");
    results = array_in(writing, run, "results");
    for (size_t i = 0; i < count; i++) {
        if (runs[i].verdict == REPORT_PASS)
            continue;
        if (written < REPORT_SARIF_RESULTS_MAX)
            add_result(writing, results, &runs[i]);
        left += written >= REPORT_SARIF_RESULTS_MAX;
        written++;
    }
    add_rules(writing, driver);
    if (left > 0)
        check(writing, cJSON_AddNumberToObject(object_in(writing, run, "properties"),
                                               "resultsLeftOut", (double)left));
}

bool report_sarif(FILE *out, const char *version, const char *(*meaning)(const char *code),
                  const struct report_run *runs, size_t count) {
    struct writing writing = {.meaning = meaning, .whole = true};
    cJSON *document = check(&writing, cJSON_CreateObject());
    char *text = NULL;
    text_in(&writing, document, "$schema", SCHEMA);
    text_in(&writing, document, "version", "2.1.0");
    add_run(&writing, element_of(&writing, array_in(&writing, document, "runs")), version, runs,
            count);
    if (writing.whole)
        text = cJSON_Print(document);
    writing.whole = text != NULL && fprintf(out, "%s\n", text) > 0;
    cJSON_free(text);
    cJSON_Delete(document);
    return writing.whole;
}
