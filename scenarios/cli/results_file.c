/* Results as files: written whole or not at all, read with suspicion. */
#include "scenarios/cli/results.h"

#include "scenarios/cli/save.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT "crashgate results"
enum { FILE_MAX = 1 << 30, FILES_MAX = 100000, NAME_SIZE = 64, PATH_SIZE = 4096 };

__attribute__((format(printf, 2, 3))) static bool because(char why[RESULTS_WHY_SIZE],
                                                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, RESULTS_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* ---- writing ---- */

static void put_text(FILE *out, const char *text) {
    cJSON *item = cJSON_CreateString(text);
    char *quoted = item == NULL ? NULL : cJSON_PrintUnformatted(item);
    CHECK(quoted != NULL);
    fputs(quoted, out);
    cJSON_free(quoted);
    cJSON_Delete(item);
}

static void put_head(FILE *out, const struct results *results) {
    const char *before = "";
    fprintf(out, "{\"format\":\"" FORMAT "\",\"version\":%d,\"tool\":\"crashgate %s\",",
            RESULTS_VERSION, CRASHGATE_VERSION);
    fprintf(out, "\"sources\":\"%s\",\"plan\":\"%016" PRIx64 "\",\n\"shards\":[", version_sources(),
            results->work.digest);
    for (size_t i = 0; i < results->shard_count; i++)
        fprintf(out, "%s\"%u/%u\"", i > 0 ? "," : "", results->shards[i].index,
                results->shards[i].of);
    fputs("],\n\"manifest\":", out);
    put_text(out, results->manifest);
    fputs(",\"promised\":{", out);
#define X(name, least, meaning)                                               \
    fprintf(out, "%s\"" #name "\":%" PRIu64, before, results->promised.name); \
    before = ",";
    MANIFEST_COUNTS(X)
#undef X
    fputs("},\n\"units\":[\n", out);
}

static void put_unit(FILE *out, const struct work_unit *unit) {
    fputc('[', out);
    put_text(out, work_kind_word(unit->kind));
    fputc(',', out);
    put_text(out, unit->id);
    fputc(',', out);
    put_text(out, unit->path);
    fprintf(out, ",%d,%u]", unit->line, unit->turn);
}

static void put_all(FILE *out, const struct results *results) {
    const char *before = "";
    put_head(out, results);
    for (size_t i = 0; i < results->work.n; i++) {
        fputs(i > 0 ? ",\n" : "", out);
        put_unit(out, &results->work.v[i]);
    }
    fputs("],\n\"results\":[\n", out);
    for (size_t i = 0; i < results->work.n; i++) {
        char *line = NULL;
        if (results->records[i] == NULL)
            continue;
        line = record_write(&results->work, results->records[i]);
        fprintf(out, "%s%s", before, line);
        cJSON_free(line);
        before = ",\n";
    }
    fputs("]}\n", out);
}

static void name_file(const struct results *results, char name[NAME_SIZE]) {
    if (results->shard_count == 1)
        snprintf(name, NAME_SIZE, "results-%u-of-%u.json", results->shards[0].index,
                 results->shards[0].of);
    else
        snprintf(name, NAME_SIZE, "results-of-%zu-shards.json", results->shard_count);
}

bool results_write(const struct results *results, const char *folder, char why[RESULTS_WHY_SIZE]) {
    char name[NAME_SIZE], path[PATH_SIZE];
    char *text = NULL;
    size_t size = 0;
    bool written = false;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    put_all(out, results);
    CHECK(fclose(out) == 0);
    name_file(results, name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    written =
        (mkdir(folder, 0777) == 0 || errno == EEXIST) && save_bytes(path, text, size, SAVE_REPLACE);
    if (!written)
        because(why, "cannot write %.400s: %s", path, strerror(errno));
    free(text);
    return written;
}

/* ---- reading ---- */

static int line_of(const char *text, const char *at) {
    int line = 1;
    while (text < at && *text != '\0')
        line += *text++ == '\n';
    return line;
}

static const char *text_of(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

/* Files of another program are told from broken ones. */
static bool is_ours(const cJSON *object, const char *path, char *why) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(object, "version");
    if (strcmp(text_of(object, "format"), FORMAT) != 0)
        return because(why, "%.400s: 'format' must be \"" FORMAT "\"", path);
    if (!cJSON_IsNumber(version) || version->valueint != RESULTS_VERSION)
        return because(why, "%.400s: 'version' must be %d, the only one that this program reads",
                       path, RESULTS_VERSION);
    if (strcmp(text_of(object, "tool"), "crashgate " CRASHGATE_VERSION) != 0 ||
        strcmp(text_of(object, "sources"), version_sources()) != 0)
        return because(why,
                       "%.300s was written by '%.60s' of sources %.20s; this is 'crashgate %s' of "
                       "sources %s: results are merged by the program that made them",
                       path, text_of(object, "tool"), text_of(object, "sources"), CRASHGATE_VERSION,
                       version_sources());
    return true;
}

static bool read_kind(const cJSON *item, enum work_kind *kind) {
    for (int i = 0; i < WORK_KIND_COUNT; i++) {
        *kind = (enum work_kind)i;
        if (cJSON_IsString(item) && strcmp(item->valuestring, work_kind_word(*kind)) == 0)
            return true;
    }
    return false;
}

static bool read_unit(const cJSON *row, struct work *work) {
    const cJSON *id = cJSON_GetArrayItem(row, 1), *path = cJSON_GetArrayItem(row, 2),
                *line = cJSON_GetArrayItem(row, 3), *turn = cJSON_GetArrayItem(row, 4);
    enum work_kind kind = WORK_RUN;
    if (!read_kind(cJSON_GetArrayItem(row, 0), &kind) || !cJSON_IsString(id) ||
        !cJSON_IsString(path) || !cJSON_IsNumber(line) || !cJSON_IsNumber(turn) ||
        line->valueint < 0 || turn->valueint < 0)
        return false;
    work_add_read(work, (struct work_unit){.kind = kind,
                                           .id = id->valuestring,
                                           .path = path->valuestring,
                                           .line = line->valueint,
                                           .turn = (unsigned)turn->valueint});
    return true;
}

static bool read_units(const cJSON *object, struct work *work, const char *path, char *why) {
    const cJSON *units = cJSON_GetObjectItemCaseSensitive(object, "units"), *row = NULL;
    char *end = NULL;
    size_t number = 0;
    work->digest = strtoull(text_of(object, "plan"), &end, 16);
    if (strlen(text_of(object, "plan")) != 16 || *end != '\0')
        return because(why, "%.400s: 'plan' must be 16 hexadecimal digits", path);
    if (!cJSON_IsArray(units))
        return because(why, "%.400s: there is no 'units'", path);
    cJSON_ArrayForEach(row, units) {
        number++;
        if (!read_unit(row, work))
            return because(why, "%.400s: unit %zu must be [kind, name, file, line, turn]", path,
                           number);
    }
    return true;
}

static bool read_promised(const cJSON *object, struct manifest *promised) {
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(object, "promised"), *item = NULL;
    bool good = cJSON_IsObject(all);
#define X(name, least, meaning)                          \
    item = cJSON_GetObjectItemCaseSensitive(all, #name); \
    good = good && cJSON_IsNumber(item);                 \
    promised->name = good ? (uint64_t)item->valuedouble : 0;
    MANIFEST_COUNTS(X)
#undef X
    return good;
}

static bool read_shards(const cJSON *object, struct results *results) {
    const cJSON *shards = cJSON_GetObjectItemCaseSensitive(object, "shards"), *item = NULL;
    cJSON_ArrayForEach(item, shards) {
        struct work_shard shard;
        if (!cJSON_IsString(item) || !work_shard_parse(item->valuestring, &shard))
            return false;
        results_add_shard(results, shard);
    }
    return results->shard_count > 0;
}

static bool read_records(const cJSON *object, struct suite *suite, struct results *results,
                         const char *path, char *why) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(object, "results"), *row = NULL;
    size_t number = 0;
    if (!cJSON_IsArray(rows))
        return because(why, "%.400s: there is no 'results'", path);
    cJSON_ArrayForEach(row, rows) {
        char reason[RECORD_WHY_SIZE];
        struct record *record = record_read(&results->work, row, suite, reason);
        number++;
        if (record == NULL)
            return because(why, "%.400s: result %zu: %s", path, number, reason);
        if (results->records[record->unit] != NULL) {
            record_free(record);
            return because(why, "%.400s: result %zu: that unit is there twice", path, number);
        }
        results->records[record->unit] = record;
    }
    return true;
}

/* What a shard did is all of its part, or the file was tampered with. */
static bool has_its_parts(const struct results *results, const char *path, char *why) {
    for (size_t i = 0; i < results->work.n; i++) {
        for (size_t j = 0; j < results->shard_count; j++) {
            if (work_is_of(&results->work.v[i], results->shards[j]) && results->records[i] == NULL)
                return because(why, "%.400s: '%.200s' belongs to shard %u/%u and has no result",
                               path, results->work.v[i].id, results->shards[j].index,
                               results->shards[j].of);
        }
    }
    return true;
}

static bool read_document(const cJSON *object, const char *path, struct suite *suite,
                          struct results *results, char *why) {
    struct work work = {0};
    struct manifest promised;
    bool good = is_ours(object, path, why) && read_units(object, &work, path, why);
    if (good && !read_promised(object, &promised))
        good = because(why, "%.400s: 'promised' must have every count of a manifest", path);
    if (good)
        results_open(results, &work, suite_keep(suite, text_of(object, "manifest")), &promised);
    work_free(&work);
    if (!good)
        return false;
    results->from = suite_keep(suite, path);
    if (!read_shards(object, results))
        return because(why, "%.400s: 'shards' must be a list such as [\"2/3\"]", path);
    return read_records(object, suite, results, path, why) && has_its_parts(results, path, why);
}

bool results_read(const char *path, struct suite *suite, struct results *results,
                  char why[RESULTS_WHY_SIZE]) {
    char *text = read_regular(path, FILE_MAX, why, RESULTS_WHY_SIZE);
    const char *end = NULL;
    cJSON *object = text == NULL ? NULL : cJSON_ParseWithOpts(text, &end, true);
    bool good = false;
    *results = (struct results){0};
    if (object != NULL)
        good = read_document(object, path, suite, results, why);
    else if (text != NULL)
        because(why, "%.400s:%d: no JSON from here on%s", path,
                line_of(text, end != NULL ? end : text),
                end != NULL && *end == '\0' ? ": the file ends too early" : "");
    cJSON_Delete(object);
    free(text);
    if (!good)
        results_free(results);
    return good;
}

/* ---- folders ---- */

static bool is_results(const char *name) {
    size_t length = strlen(name);
    return strncmp(name, "results-", 8) == 0 && length > 5 &&
           strcmp(name + length - 5, ".json") == 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool results_in(const char *folder, struct suite_paths *paths) {
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;
    *paths = (struct suite_paths){0};
    if (dir == NULL)
        return false;
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_SIZE];
        if (!is_results(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        CHECK_ROOM(paths->v, paths->n, paths->cap, FILES_MAX);
        paths->v[paths->n] = strdup(path);
        CHECK(paths->v[paths->n] != NULL);
        paths->n++;
    }
    closedir(dir);
    if (paths->n > 0)
        qsort(paths->v, paths->n, sizeof *paths->v, by_name);
    return true;
}

bool results_fit(const char *folder, struct suite *suite, const struct work *work,
                 char why[RESULTS_WHY_SIZE]) {
    struct suite_paths paths;
    bool fits = true;
    if (!results_in(folder, &paths))
        return true;
    for (size_t i = 0; i < paths.n && fits; i++) {
        struct results there;
        char reason[RESULTS_WHY_SIZE];
        if (!results_read(paths.v[i], suite, &there, reason))
            fits = because(why, "%.900s; take another folder, or remove what is there", reason);
        else if (there.work.digest != work->digest)
            fits = because(why,
                           "%.400s is of plan %016" PRIx64 ", this gate's is %016" PRIx64
                           "; take another folder, or remove what is there",
                           paths.v[i], there.work.digest, work->digest);
        results_free(&there);
    }
    suite_paths_free(&paths);
    return fits;
}
