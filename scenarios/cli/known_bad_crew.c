/* Planted bugs become tasks, one for all of a scenario; what came of each comes back as a line of JSON. */
#include "scenarios/cli/known_bad_crew.h"

#include "reports/json.h"
#include "scenarios/cli/capture.h"
#include "scenarios/cli/crew.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct trial {
    size_t task; /* the first bug of its scenario */
    bool done, has_report;
    const char *told; /* what it printed */
    struct report_run report;
};

struct working {
    const struct known_bad_crew *crew;
    struct trial *trials;       /* of every bug */
    size_t *tasks;              /* the first bug of each */
    struct core_held_list held; /* in a process: by what was tried there before */
    size_t told;                /* so many bugs, in their order */
};

/* ---- a line ---- */

/* Fields of struct report_planted. */
#define TEXTS(X) \
    X(name)      \
    X(fault)     \
    X(file)      \
    X(profile)   \
    X(crash)     \
    X(door)      \
    X(why)       \
    X(first)     \
    X(plan)      \
    X(replay)    \
    X(check)     \
    X(met)       \
    X(swept)
#define COUNTS(X)        \
    X(line, int)         \
    X(caught, bool)      \
    X(explored, bool)    \
    X(needed, uint64_t)  \
    X(of, uint64_t)      \
    X(strikes, unsigned) \
    X(judged, unsigned)  \
    X(broken, unsigned)  \
    X(seed, uint64_t)

static void write_line(size_t place, const char *told, const struct report_planted *bug,
                       const struct report_run *report, FILE *made) {
    cJSON *object = cJSON_CreateObject();
    char *line = NULL;
    bool whole = cJSON_AddNumberToObject(object, "place", (double)place) != NULL &&
                 cJSON_AddStringToObject(object, "told", told) != NULL;
#define X(field) whole = whole && cJSON_AddStringToObject(object, #field, bug->field) != NULL;
    TEXTS(X)
#undef X
#define X(field, type) \
    whole = whole && cJSON_AddNumberToObject(object, #field, (double)bug->field) != NULL;
    COUNTS(X)
#undef X
    if (report != NULL)
        whole = whole && cJSON_AddItemToObject(object, "report", report_json_of_run(report));
    CHECK(whole); /* else there is no memory */
    line = cJSON_PrintUnformatted(object);
    CHECK(line != NULL);
    fprintf(made, "%s\n", line);
    cJSON_free(line);
    cJSON_Delete(object);
}

static const char *keep(void *suite, const char *text) {
    return suite_keep(suite, text);
}

static const char *text_in(const cJSON *object, const char *name, struct suite *suite,
                           bool *whole) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    *whole = *whole && cJSON_IsString(item);
    return *whole ? suite_keep(suite, item->valuestring) : "";
}

static double count_in(const cJSON *object, const char *name, bool *whole) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    *whole = *whole && cJSON_IsNumber(item);
    return *whole ? item->valuedouble : 0;
}

static bool read_line(struct working *working, const cJSON *object) {
    struct suite *suite = working->crew->suite;
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(object, "report");
    bool whole = true;
    double place = count_in(object, "place", &whole);
    struct report_planted *bug = NULL;
    struct trial *trial = NULL;
    if (!whole || place < 0 || place >= (double)working->crew->count)
        return false;
    bug = &working->crew->bugs[(size_t)place];
    trial = &working->trials[(size_t)place];
    trial->told = text_in(object, "told", suite, &whole);
#define X(field) bug->field = text_in(object, #field, suite, &whole);
    TEXTS(X)
#undef X
#define X(field, type) bug->field = (type)count_in(object, #field, &whole);
    COUNTS(X)
#undef X
    trial->has_report = report != NULL;
    trial->done =
        whole && (report == NULL || report_json_to_run(report, keep, suite, &trial->report));
    return trial->done;
}

/* ---- in a process ---- */

static void try_one(struct working *working, size_t place, FILE *made) {
    const struct known_bad_crew *crew = working->crew;
    struct capture capture = capture_begin();
    struct report_run report;
    char *told = NULL;
    bool reported = false;
    known_bad_try(crew->suite, &working->held, crew->paths[place], crew->how, &crew->bugs[place]);
    told = capture_end(&capture);
    reported = suite_take(crew->suite, &report);
    write_line(place, told, &crew->bugs[place], reported ? &report : NULL, made);
    if (reported)
        report_run_free(&report);
    free(told);
}

static int perform(void *ctx, size_t task, FILE *made) {
    struct working *working = ctx;
    struct suite *suite = working->crew->suite;
    suite->exit_code = EXIT_PASS;
    suite->terminal.progress = false;
    for (size_t i = working->tasks[task]; i < working->crew->count; i++) {
        if (working->trials[i].task == working->tasks[task])
            try_one(working, i, made);
    }
    return suite->exit_code;
}

/* ---- here ---- */

static void tell(struct working *working, size_t place) {
    const struct known_bad_crew *crew = working->crew;
    struct trial *trial = &working->trials[place];
    fputs(trial->told, stdout);
    if (trial->has_report)
        suite_report(crew->suite, &trial->report);
    crew->each(crew->ctx, place);
}

static void tell_ready(struct working *working) {
    while (working->told < working->crew->count && working->trials[working->told].done)
        tell(working, working->told++);
}

static bool take(void *ctx, size_t task, const char *made, size_t length) {
    struct working *working = ctx;
    const char *at = made;
    bool whole = true;
    (void)task;
    while (whole && at < made + length) {
        const char *end = NULL;
        cJSON *object = cJSON_ParseWithOpts(at, &end, false);
        whole = object != NULL && *end == '\n' && read_line(working, object);
        at = whole ? end + 1 : at;
        cJSON_Delete(object);
    }
    tell_ready(working);
    return whole;
}

static const char *name(void *ctx, size_t task) {
    const struct working *working = ctx;
    return working->crew->paths[working->tasks[task]];
}

/* The first bug of the same scenario file and text, or this one. What cannot be read is by itself. */
static size_t first_alike(const struct known_bad heads[], const bool read[], size_t place) {
    for (size_t i = 0; read[place] && i < place; i++) {
        if (read[i] && strcmp(heads[i].file, heads[place].file) == 0 &&
            strcmp(heads[i].title, heads[place].title) == 0 && heads[i].line == heads[place].line)
            return i;
    }
    return place;
}

static size_t make_tasks(const struct known_bad_crew *crew, struct working *working) {
    struct known_bad *heads = check_zalloc(crew->count + 1, sizeof *heads);
    bool *read = check_zalloc(crew->count + 1, sizeof *read);
    char why[KNOWN_BAD_WHY_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < crew->count; i++) {
        read[i] = known_bad_read(crew->paths[i], &heads[i], why);
        working->trials[i].task = first_alike(heads, read, i);
        if (working->trials[i].task == i)
            working->tasks[count++] = i;
    }
    free(read);
    free(heads);
    return count;
}

/* Its process ended, which was said. */
static void lose(struct working *working, size_t place) {
    const struct known_bad_crew *crew = working->crew;
    working->trials[place].told = "";
    known_bad_lost(crew->suite, crew->paths[place], "the process that tried it ended",
                   &crew->bugs[place]);
}

void known_bad_crew_run(const struct known_bad_crew *crew) {
    struct working working = {.crew = crew,
                              .trials = check_zalloc(crew->count + 1, sizeof *working.trials),
                              .tasks = check_zalloc(crew->count + 1, sizeof *working.tasks)};
    struct crew processes = {.count = make_tasks(crew, &working),
                             .jobs = crew->jobs,
                             .perform = perform,
                             .take = take,
                             .name = name,
                             .ctx = &working};
    suite_worst(crew->suite, crew_run(&processes));
    while (working.told < crew->count) {
        if (!working.trials[working.told].done)
            lose(&working, working.told);
        tell(&working, working.told++);
    }
    free(working.trials);
    free(working.tasks);
}
