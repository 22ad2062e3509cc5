/* What came of one unit of work, as JSON. */
#include "scenarios/cli/record.h"

#include "faultinject/catalogue.h"
#include "reports/json.h"
#include "reports/text.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} counts[] = {
#define X(name, meaning) {#name, offsetof(struct record, name)},
    RECORD_COUNTS(X)
#undef X
};
enum { COUNTS = sizeof counts / sizeof counts[0], EXIT_MOST = 255 };

static uint64_t *count_at(struct record *record, size_t i) {
    return (uint64_t *)(void *)((char *)record + counts[i].offset);
}

struct record *record_new(const struct work *work, const struct work_unit *unit) {
    struct record *record = check_zalloc(1, sizeof *record);
    record->unit = (size_t)(unit - work->v);
    record->told = "";
    return record;
}

void record_free(struct record *record) {
    if (record != NULL)
        report_run_free(&record->report);
    free(record);
}

/* ---- writing: without memory the program ends ---- */

static void add_text(cJSON *object, const char *name, const char *text) {
    char *valid = report_valid_utf8(text);
    CHECK(valid != NULL && cJSON_AddStringToObject(object, name, valid) != NULL);
    free(valid);
}

static void add_count(cJSON *object, const char *name, uint64_t count) {
    if (count > 0)
        CHECK(cJSON_AddNumberToObject(object, name, (double)count) != NULL);
}

static void add_tallies(cJSON *object, const struct record *record) {
    cJSON *tallies = cJSON_AddObjectToObject(object, "faults");
    CHECK(tallies != NULL);
    for (size_t i = 0; i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE];
        if (record->tallies[i] > 0 && fault_tally_name(i, name))
            add_count(tallies, name, record->tallies[i]);
    }
}

static void add_sweeps(cJSON *object, const struct record *record) {
    cJSON *swept = cJSON_AddObjectToObject(object, "swept");
    cJSON *broke = cJSON_AddObjectToObject(object, "broke");
    CHECK(swept != NULL && broke != NULL);
    for (int kind = 0; kind < SWEEP_KINDS; kind++) {
        add_count(swept, sweep_kind_name(kind), record->swept[kind].tried);
        add_count(broke, sweep_kind_name(kind), record->swept[kind].broke);
    }
}

char *record_write(const struct work *work, const struct record *record) {
    const struct work_unit *unit = &work->v[record->unit];
    struct record copy = *record;
    cJSON *object = cJSON_CreateObject();
    char called[24], *line = NULL;
    CHECK(object != NULL);
    add_text(object, "unit", unit->id);
    CHECK(cJSON_AddNumberToObject(object, "exit", record->exit_code) != NULL);
    if (record->told[0] != '\0')
        add_text(object, "told", record->told);
    for (size_t i = 0; i < COUNTS; i++)
        add_count(object, counts[i].name, *count_at(&copy, i));
    if (unit->kind == WORK_RUN) {
        snprintf(called, sizeof called, "%016" PRIx64, record->called);
        add_text(object, "called", called);
        add_tallies(object, record);
    }
    if (unit->kind == WORK_SWEEP)
        add_sweeps(object, record);
    if (record->has_report) {
        cJSON *report = report_json_of_run(&record->report);
        CHECK(report != NULL && cJSON_AddItemToObject(object, "report", report));
    }
    line = cJSON_PrintUnformatted(object);
    CHECK(line != NULL);
    cJSON_Delete(object);
    return line;
}

/* ---- reading ---- */

static uint64_t read_count(const cJSON *object, const char *name, bool *good) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    bool is_count = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15;
    *good = *good && (item == NULL || is_count);
    return is_count ? (uint64_t)item->valuedouble : 0;
}

/* Names that are not in the table of faults are another program's. */
static bool read_tallies(const cJSON *object, struct record *record) {
    const cJSON *tallies = cJSON_GetObjectItemCaseSensitive(object, "faults");
    bool good = cJSON_IsObject(tallies);
    int left = cJSON_GetArraySize(tallies);
    for (size_t i = 0; good && i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE];
        if (!fault_tally_name(i, name))
            continue;
        record->tallies[i] = (unsigned long)read_count(tallies, name, &good);
        left -= record->tallies[i] > 0;
    }
    return good && left == 0;
}

static bool read_sweeps(const cJSON *object, struct record *record) {
    const cJSON *swept = cJSON_GetObjectItemCaseSensitive(object, "swept");
    const cJSON *broke = cJSON_GetObjectItemCaseSensitive(object, "broke");
    bool good = cJSON_IsObject(swept) && cJSON_IsObject(broke);
    for (int kind = 0; good && kind < SWEEP_KINDS; kind++) {
        record->swept[kind].tried = (unsigned long)read_count(swept, sweep_kind_name(kind), &good);
        record->swept[kind].broke = (unsigned long)read_count(broke, sweep_kind_name(kind), &good);
    }
    return good;
}

static const char *keep(void *ctx, const char *text) {
    return suite_keep(ctx, text);
}

static const char *read_all(const struct work *work, const cJSON *object, struct suite *suite,
                            struct record *record) {
    const cJSON *told = cJSON_GetObjectItemCaseSensitive(object, "told");
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(object, "report");
    const cJSON *called = cJSON_GetObjectItemCaseSensitive(object, "called");
    enum work_kind kind = work->v[record->unit].kind;
    bool good = true;
    uint64_t exit_code = read_count(object, "exit", &good);
    if (!cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(object, "exit")) || exit_code > EXIT_MOST)
        return "'exit' must be a number from 0 to 255";
    record->exit_code = (int)exit_code;
    if (told != NULL && !cJSON_IsString(told))
        return "'told' must be a text";
    if (told != NULL)
        record->told = suite_keep(suite, told->valuestring);
    for (size_t i = 0; i < COUNTS; i++)
        *count_at(record, i) = read_count(object, counts[i].name, &good);
    if (!good)
        return "a count must be a whole number";
    if (kind == WORK_RUN && !cJSON_IsString(called))
        return "'called' must be a text";
    if (kind == WORK_RUN)
        record->called = strtoull(called->valuestring, NULL, 16);
    if (kind == WORK_RUN && !read_tallies(object, record))
        return "'faults' must be counts of faults that this program knows";
    if (kind == WORK_SWEEP && !read_sweeps(object, record))
        return "'swept' and 'broke' must be counts of what this program sweeps";
    record->has_report = report != NULL;
    if (report != NULL && !report_json_to_run(report, keep, suite, &record->report))
        return "'report' is not whole";
    return NULL;
}

struct record *record_read(const struct work *work, const cJSON *object, struct suite *suite,
                           char why[RECORD_WHY_SIZE]) {
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(object, "unit");
    const struct work_unit *unit = cJSON_IsString(id) ? work_find_id(work, id->valuestring) : NULL;
    struct record *record = NULL;
    const char *wrong = NULL;
    if (unit == NULL) {
        snprintf(why, RECORD_WHY_SIZE, "'%.200s' is no unit of the work",
                 cJSON_IsString(id) ? id->valuestring : "");
        return NULL;
    }
    record = record_new(work, unit);
    wrong = read_all(work, object, suite, record);
    if (wrong == NULL)
        return record;
    snprintf(why, RECORD_WHY_SIZE, "of '%.200s', %s", unit->id, wrong);
    record_free(record);
    return NULL;
}
