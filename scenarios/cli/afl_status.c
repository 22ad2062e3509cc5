/* What AFL++ says of a campaign: fuzzer_stats of every instance, which it rewrites every minute. */
#include "scenarios/cli/afl.h"
#include "scenarios/lang/exits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512, VALUE_SIZE = 32 };

/* key in fuzzer_stats, key in JSON, heading for people */
#define FIGURES(X)                                              \
    X(RUN_TIME, "run_time", "seconds", "seconds")               \
    X(EXECUTIONS, "execs_done", "executions", "executions")     \
    X(PER_SECOND, "execs_per_sec", "per_second", "a second")    \
    X(STABILITY, "stability", "stability_percent", "stability") \
    X(CORPUS, "corpus_count", "corpus", "inputs")               \
    X(IMPORTED, "corpus_imported", "imported", "imported")      \
    X(EDGES, "edges_found", "edges", "edges")
enum figure {
#define X(id, key, json, heading) FIGURE_##id,
    FIGURES(X)
#undef X
        FIGURE_COUNT
};
static const struct {
    const char *key, *json, *heading;
} figures[] = {
#define X(id, key, json, heading) {key, json, heading},
    FIGURES(X)
#undef X
};

/* What is saved, in folders whose names begin so: AFL++ moves those of before a resume aside. */
static const char *const SAVED[] = {"crashes", "hangs"};
enum { SAVED_KINDS = sizeof SAVED / sizeof SAVED[0] };

/* ---- reading ---- */

enum instance_state { NEVER_STARTED, STARTS, RUNS, ENDED, DIED };

struct instance {
    size_t index;
    enum instance_state state;
    bool told;                            /* it told figures once */
    char value[FIGURE_COUNT][VALUE_SIZE]; /* numbers as AFL++ writes them, without '%' */
    char pid[VALUE_SIZE];                 /* of who wrote them */
    unsigned saved[SAVED_KINDS];
};

/* The value of "execs_done        : 1234", when that is the key. */
static const char *value_of(const char *line, const char *key) {
    size_t length = strlen(key);
    const char *at = line + length;
    return strncmp(line, key, length) == 0 && (*at == ' ' || *at == ':') ? at + strspn(at, " :")
                                                                         : NULL;
}

static void take_number(const char *line, const char *key, char out[VALUE_SIZE]) {
    const char *value = value_of(line, key);
    if (value != NULL)
        snprintf(out, VALUE_SIZE, "%.*s", (int)strspn(value, "0123456789."), value);
}

static double number(const struct instance *instance, enum figure figure) {
    return strtod(instance->value[figure], NULL);
}

static void read_figures(const struct afl_campaign *campaign, struct instance *instance) {
    char path[AFL_PATH_SIZE * 2], line[LINE_SIZE];
    FILE *in = afl_stats_path(campaign, instance->index, path) ? fopen(path, "re") : NULL;
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        take_number(line, "fuzzer_pid", instance->pid);
        for (size_t i = 0; i < FIGURE_COUNT; i++)
            take_number(line, figures[i].key, instance->value[i]);
    }
    if (in != NULL)
        fclose(in);
    instance->told = instance->value[FIGURE_EXECUTIONS][0] != '\0';
    /* Executions before the clock starts count, so that the first rate is of another world. */
    if (number(instance, FIGURE_RUN_TIME) < 1)
        instance->value[FIGURE_PER_SECOND][0] = '\0';
}

static unsigned count_inputs(const char *folder) {
    DIR *dir = opendir(folder);
    unsigned count = 0;
    for (struct dirent *row = NULL; dir != NULL && (row = readdir(dir)) != NULL;)
        count += strncmp(row->d_name, "id", 2) == 0;
    if (dir != NULL)
        closedir(dir);
    return count;
}

/* Calls look for each folder of an instance in which something was saved. */
static void each_saved(const struct afl_campaign *campaign, struct instance *instance,
                       void (*look)(struct instance *, size_t kind, const char *folder,
                                    unsigned count)) {
    char name[AFL_NAME_SIZE], home[AFL_PATH_SIZE * 2], folder[AFL_PATH_SIZE * 4];
    DIR *dir = NULL;
    snprintf(home, sizeof home, "%s/afl/%s", campaign->folder,
             afl_instance_name(instance->index, name));
    dir = opendir(home);
    for (struct dirent *row = NULL; dir != NULL && (row = readdir(dir)) != NULL;) {
        for (size_t kind = 0; kind < SAVED_KINDS; kind++) {
            unsigned count = 0;
            if (strncmp(row->d_name, SAVED[kind], strlen(SAVED[kind])) != 0)
                continue;
            snprintf(folder, sizeof folder, "%s/%s", home, row->d_name);
            count = count_inputs(folder);
            if (count > 0)
                look(instance, kind, folder, count);
        }
    }
    if (dir != NULL)
        closedir(dir);
}

static void add_saved(struct instance *instance, size_t kind, const char *folder, unsigned count) {
    (void)folder;
    instance->saved[kind] += count;
}

static bool was_started(const struct afl_campaign *campaign, size_t index) {
    char path[AFL_PATH_SIZE * 2];
    FILE *in = NULL;
    afl_pid_path(campaign, index, path);
    in = fopen(path, "re");
    if (in != NULL)
        fclose(in);
    return in != NULL;
}

static void read_instance(const struct afl_campaign *campaign, size_t index,
                          struct instance *instance) {
    pid_t pid = afl_instance_pid(campaign, index);
    *instance = (struct instance){.index = index};
    read_figures(campaign, instance);
    each_saved(campaign, instance, add_saved);
    if (pid > 0)
        instance->state =
            instance->told && strtol(instance->pid, NULL, 10) == (long)pid ? RUNS : STARTS;
    else if (instance->told)
        instance->state = ENDED;
    else
        instance->state = was_started(campaign, index) ? DIED : NEVER_STARTED;
}

static bool has_saved(const struct instance *instance) {
    return instance->saved[0] + instance->saved[1] > 0;
}

/* ---- telling ---- */

static void tell_figures(const struct instance *instance) {
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (instance->value[i][0] != '\0')
            printf("  %s %s%s", instance->value[i], figures[i].heading,
                   i == FIGURE_STABILITY ? " %" : "");
    for (size_t kind = 0; kind < SAVED_KINDS; kind++)
        printf("  %u %s", instance->saved[kind], SAVED[kind]);
    putchar('\n');
    if (number(instance, FIGURE_STABILITY) < 100)
        printf(
            "         WARNING: stability is %s %%: something but the input decides about a run\n",
            instance->value[FIGURE_STABILITY]);
}

static void tell(const struct afl_campaign *campaign, const struct instance *instance) {
    static const char *const words[] = {"", "starts", "runs", "ended", "died"};
    char name[AFL_NAME_SIZE], log[AFL_PATH_SIZE * 2], last[AFL_WORDS_SIZE];
    afl_log_path(campaign, instance->index, log);
    afl_last_words(campaign, instance->index, last);
    printf("%-8s %-8s", afl_instance_name(instance->index, name), words[instance->state]);
    if (instance->told)
        tell_figures(instance);
    else if (instance->state == STARTS)
        printf("  nothing told yet; its log is %s\n", log);
    else
        printf("  before it told anything: %s\n         all it said: %s\n", last, log);
    if (instance->state == ENDED && strstr(last, "PROGRAM ABORT") != NULL)
        printf("         its last words: %s\n         all it said: %s\n", last, log);
}

static void tell_json(FILE *out, const struct afl_campaign *campaign,
                      const struct instance *instance) {
    char name[AFL_NAME_SIZE];
    fprintf(out, "{\"target\":\"%s\",\"instance\":\"%s\",\"runs\":%s", campaign->target,
            afl_instance_name(instance->index, name),
            instance->state == RUNS || instance->state == STARTS ? "true" : "false");
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        fprintf(out, ",\"%s\":%s", figures[i].json,
                instance->value[i][0] != '\0' ? instance->value[i] : "null");
    for (size_t kind = 0; kind < SAVED_KINDS; kind++)
        fprintf(out, ",\"%s\":%u", SAVED[kind], instance->saved[kind]);
    fputs("}\n", out);
}

static void tell_folder(struct instance *instance, size_t kind, const char *folder,
                        unsigned count) {
    (void)instance, (void)kind, (void)count;
    printf(" %s", folder);
}

static void tell_saved(const struct afl_campaign *campaign) {
    bool timeline = strcmp(campaign->target, "timeline") == 0;
    if (timeline)
        printf("shrunk and grouped: crashgate triage");
    else
        printf("again, each file: build/fuzz_inputs read %s FILE, from", campaign->target);
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        struct instance instance = {.index = i};
        each_saved(campaign, &instance, tell_folder);
    }
    putchar('\n');
}

int afl_status(const struct afl_campaign *campaign, const char *json) {
    FILE *out = json == NULL || strcmp(json, "-") == 0 ? stdout : fopen(json, "we");
    bool told = false, saved = false, died = false;
    if (out == NULL) {
        fprintf(stderr, "crashgate: fuzz: cannot write %s: %s\n", json, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        struct instance instance;
        read_instance(campaign, i, &instance);
        if (instance.state == NEVER_STARTED)
            continue;
        told = told || instance.told;
        saved = saved || has_saved(&instance);
        died = died || instance.state == DIED;
        if (json != NULL)
            tell_json(out, campaign, &instance);
        else
            tell(campaign, &instance);
    }
    if (out != stdout && fclose(out) != 0)
        return EXIT_ENVIRONMENT;
    if (!told)
        fprintf(stderr, "crashgate: fuzz: %s/afl: no instance has told anything there\n",
                campaign->folder);
    else if (saved && json == NULL)
        tell_saved(campaign);
    return died ? EXIT_ENVIRONMENT : !told ? EXIT_INCONCLUSIVE : saved ? EXIT_FAIL : EXIT_PASS;
}
