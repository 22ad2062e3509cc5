/* Findings that are known: reading, comparing, writing. */
#include "scenarios/cli/baseline.h"

#include "reports/text.h"
#include "scenarios/cli/save.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "crashgate baseline"
enum { VERSION = 1, FILE_MAX = 16 << 20, CONFIGURATION_SIZE = 400 };

/* ---- what a finding is known by ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Numbers by themselves become '#'; those that belong to a name (D1) stay. */
static uint64_t hash_words(uint64_t hash, const char *text) {
    bool in_name = false;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (isdigit(c) && !in_name) {
            while (isdigit((unsigned char)text[1]))
                text++;
            c = '#';
        }
        in_name = isalpha(c) || c == '_' || (isdigit(c) && in_name);
        hash = hash_u64(hash, c);
    }
    return hash;
}

void baseline_fingerprint(const struct report_run *run, const char *code, const char *what,
                          char out[BASELINE_FINGERPRINT_SIZE]) {
    uint64_t hash = hash_text(1, code);
    hash = hash_text(hash, base_name(run->file));
    hash = hash_text(hash, run->scenario);
    hash = hash_text(hash, base_name(run->oms));
    hash = hash_text(hash, run->profile);
    hash = hash_text(hash, run->crash);
    hash = hash_text(hash, run->door);
    snprintf(out, BASELINE_FINGERPRINT_SIZE, "%016" PRIx64, hash_words(hash, what));
}

static void name_configuration(const struct report_run *run, char out[CONFIGURATION_SIZE]) {
    snprintf(out, CONFIGURATION_SIZE, "%s, %s%s%s, %s", base_name(run->oms), run->profile,
             run->crash[0] != '\0' ? ", " : "", run->crash, run->door);
}

/* Findings are what the OMS did wrong; a scenario's own mistakes are none, nor are planted bugs. */
static size_t findings_of(const struct report_run *run) {
    return run->verdict == REPORT_FAIL && !run->planted ? run->finding_count : 0;
}

/* ---- reading ---- */

struct known {
    const char *fingerprint, *code, *file, *scenario, *configuration, *what; /* of the document */
};

struct baseline {
    const char *path; /* the caller's */
    cJSON *document;
    struct known *v;
    size_t n;
};

__attribute__((format(printf, 2, 3))) static bool because(char why[BASELINE_WHY_SIZE],
                                                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, BASELINE_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static const char *text_of(const cJSON *object, const char *name, bool *good) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    *good = *good && cJSON_IsString(item);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static bool read_known(const cJSON *row, struct known *known) {
    bool good = true;
    *known = (struct known){.fingerprint = text_of(row, "fingerprint", &good),
                            .code = text_of(row, "code", &good),
                            .file = text_of(row, "file", &good),
                            .scenario = text_of(row, "scenario", &good),
                            .configuration = text_of(row, "configuration", &good),
                            .what = text_of(row, "what", &good)};
    return good && strlen(known->fingerprint) == BASELINE_FINGERPRINT_SIZE - 1;
}

static bool read_document(struct baseline *baseline, char *why) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(baseline->document, "version");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(baseline->document, "findings");
    const cJSON *row = NULL;
    bool good = true;
    if (strcmp(text_of(baseline->document, "format", &good), FORMAT) != 0)
        return because(why, "%.300s: 'format' must be \"" FORMAT "\"", baseline->path);
    if (!cJSON_IsNumber(version) || version->valueint != VERSION)
        return because(why, "%.300s: 'version' must be %d, the only one that this program reads",
                       baseline->path, VERSION);
    if (!cJSON_IsArray(rows))
        return because(why, "%.300s: there is no list 'findings'", baseline->path);
    baseline->v = check_zalloc((size_t)cJSON_GetArraySize(rows) + 1, sizeof *baseline->v);
    cJSON_ArrayForEach(row, rows) {
        if (!read_known(row, &baseline->v[baseline->n++]))
            return because(why,
                           "%.300s: finding %zu must have the texts 'fingerprint' (16 hexadecimal "
                           "digits), 'code', 'file', 'scenario', 'configuration' and 'what'",
                           baseline->path, baseline->n);
    }
    return true;
}

struct baseline *baseline_read(const char *path, char why[BASELINE_WHY_SIZE]) {
    char *text = read_regular(path, FILE_MAX, why, BASELINE_WHY_SIZE);
    struct baseline *baseline = NULL;
    const char *end = NULL;
    int line = 1;
    if (text == NULL)
        return NULL;
    baseline = check_zalloc(1, sizeof *baseline);
    baseline->path = path;
    baseline->document = cJSON_ParseWithOpts(text, &end, true);
    for (const char *c = text; baseline->document == NULL && c < end; c++)
        line += *c == '\n';
    if (baseline->document == NULL)
        because(why, "%.300s:%d: no JSON from here on", path, line);
    free(text);
    if (baseline->document != NULL && read_document(baseline, why))
        return baseline;
    baseline_free(baseline);
    return NULL;
}

void baseline_free(struct baseline *baseline) {
    if (baseline == NULL)
        return;
    cJSON_Delete(baseline->document);
    free(baseline->v);
    free(baseline);
}

/* ---- comparing ---- */

static bool is_known(const struct baseline *baseline, const struct report_finding *finding) {
    for (size_t i = 0; baseline != NULL && i < baseline->n; i++) {
        if (strcmp(baseline->v[i].fingerprint, finding->fingerprint) == 0)
            return true;
    }
    return false;
}

bool baseline_knows(const struct baseline *baseline, const struct report_run *run) {
    size_t known = 0;
    for (size_t i = 0; i < findings_of(run); i++)
        known += is_known(baseline, &run->findings[i]);
    return known > 0 && known == findings_of(run);
}

enum fate { NOT_TRIED, FOUND, FIXED };

static enum fate fate_of(const struct known *known, const struct report_run *runs, size_t count) {
    enum fate fate = NOT_TRIED;
    for (size_t i = 0; i < count; i++) {
        char configuration[CONFIGURATION_SIZE];
        name_configuration(&runs[i], configuration);
        if (runs[i].planted || strcmp(known->scenario, runs[i].scenario) != 0 ||
            strcmp(known->file, base_name(runs[i].file)) != 0 ||
            strcmp(known->configuration, configuration) != 0)
            continue;
        if (fate == NOT_TRIED)
            fate = FIXED;
        for (size_t j = 0; j < findings_of(&runs[i]); j++) {
            if (strcmp(known->fingerprint, runs[i].findings[j].fingerprint) == 0)
                fate = FOUND;
        }
    }
    return fate;
}

static void tell_found(const struct baseline *baseline, const struct report_run *run, FILE *out,
                       size_t *fresh, size_t *known) {
    char configuration[CONFIGURATION_SIZE];
    name_configuration(run, configuration);
    for (size_t i = 0; i < findings_of(run); i++) {
        const struct report_finding *finding = &run->findings[i];
        bool is = is_known(baseline, finding);
        *known += is;
        *fresh += !is;
        fprintf(out, "%s  %s  %s:%d  %s  [%s]  %s\n", is ? "KNOWN" : "NEW  ", finding->code,
                run->file, run->line, run->scenario, configuration, finding->headline);
    }
}

void baseline_tell(const struct baseline *baseline, const struct report_run *runs, size_t count,
                   bool all, FILE *out) {
    size_t fresh = 0, known = 0, fixed = 0, untried = 0;
    if (baseline == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        tell_found(baseline, &runs[i], out, &fresh, &known);
    for (size_t i = 0; i < baseline->n; i++) {
        const struct known *entry = &baseline->v[i];
        enum fate fate = fate_of(entry, runs, count);
        bool gone = fate == NOT_TRIED && all;
        fixed += fate == FIXED || gone;
        untried += fate == NOT_TRIED && !all;
        if (fate == FIXED || gone)
            fprintf(out, "%s  %s  %s  %s  [%s]  %s\n", gone ? "GONE " : "FIXED", entry->code,
                    entry->file, entry->scenario, entry->configuration, entry->what);
    }
    fprintf(out, "baseline: %zu new, %zu known, %zu fixed", fresh, known, fixed);
    if (untried > 0)
        fprintf(out, ", %zu not tried here", untried);
    if (fixed > 0)
        fprintf(out, "; take what is fixed out of %s", baseline->path);
    fputc('\n', out);
}

/* ---- writing ---- */

static void add_text(cJSON *object, const char *name, const char *text) {
    char *valid = report_valid_utf8(text);
    CHECK(valid != NULL && cJSON_AddStringToObject(object, name, valid) != NULL);
    free(valid);
}

static void put_finding(FILE *out, const struct report_run *run,
                        const struct report_finding *finding) {
    cJSON *object = cJSON_CreateObject();
    char configuration[CONFIGURATION_SIZE], *line = NULL;
    CHECK(object != NULL);
    name_configuration(run, configuration);
    add_text(object, "fingerprint", finding->fingerprint);
    add_text(object, "code", finding->code);
    add_text(object, "file", base_name(run->file));
    add_text(object, "scenario", run->scenario);
    add_text(object, "configuration", configuration);
    add_text(object, "what", finding->headline);
    line = cJSON_PrintUnformatted(object);
    CHECK(line != NULL);
    fputs(line, out);
    cJSON_free(line);
    cJSON_Delete(object);
}

bool baseline_write(const char *path, const struct report_run *runs, size_t count) {
    char *text = NULL;
    size_t size = 0;
    const char *before = "";
    bool written = false;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    fprintf(out, "{\"format\":\"" FORMAT "\",\"version\":%d,\"findings\":[\n", VERSION);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < findings_of(&runs[i]); j++) {
            fputs(before, out);
            put_finding(out, &runs[i], &runs[i].findings[j]);
            before = ",\n";
        }
    }
    fputs("]}\n", out);
    CHECK(fclose(out) == 0);
    written = save_bytes(path, text, size, SAVE_REPLACE);
    free(text);
    return written;
}
