/* What AFL++ says of a campaign: fuzzer_stats of every instance, which it rewrites every minute. */
#include "scenarios/cli/afl.h"
#include "scenarios/lang/exits.h"

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
    X(EDGES, "edges_found", "edges", "edges")                   \
    X(CRASHES, "saved_crashes", "crashes", "crashes")           \
    X(HANGS, "saved_hangs", "hangs", "hangs")
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

struct stats {
    char value[FIGURE_COUNT][VALUE_SIZE]; /* numbers as AFL++ writes them, without '%' */
};

/* "execs_done        : 1234" */
static void read_line(const char *line, struct stats *stats) {
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        size_t length = strlen(figures[i].key);
        const char *at = line + length;
        if (strncmp(line, figures[i].key, length) != 0 || (*at != ' ' && *at != ':'))
            continue;
        at += strspn(at, " :");
        snprintf(stats->value[i], VALUE_SIZE, "%.*s", (int)strspn(at, "0123456789."), at);
    }
}

/* False: this instance has told nothing yet. */
static bool read_stats(const struct afl_campaign *campaign, const char *name, struct stats *stats) {
    char path[AFL_PATH_SIZE * 2], line[LINE_SIZE];
    FILE *in = NULL;
    *stats = (struct stats){{""}};
    snprintf(path, sizeof path, "%s/afl/%s/fuzzer_stats", campaign->folder, name);
    in = fopen(path, "re");
    if (in == NULL)
        return false;
    while (fgets(line, sizeof line, in) != NULL)
        read_line(line, stats);
    fclose(in);
    return stats->value[FIGURE_EXECUTIONS][0] != '\0';
}

static double number(const struct stats *stats, enum figure figure) {
    return strtod(stats->value[figure], NULL);
}

static void tell(const char *name, const struct stats *stats, bool runs) {
    printf("%-8s %-8s", name, runs ? "runs" : "ended");
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        printf("  %s %s%s", stats->value[i], figures[i].heading, i == FIGURE_STABILITY ? " %" : "");
    putchar('\n');
    if (number(stats, FIGURE_STABILITY) < 100)
        printf(
            "         WARNING: stability is %s %%: something but the input decides about a run\n",
            stats->value[FIGURE_STABILITY]);
}

static void tell_json(FILE *out, const struct afl_campaign *campaign, const char *name,
                      const struct stats *stats, bool runs) {
    fprintf(out, "{\"target\":\"%s\",\"instance\":\"%s\",\"runs\":%s", campaign->target, name,
            runs ? "true" : "false");
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        fprintf(out, ",\"%s\":%s", figures[i].json,
                stats->value[i][0] != '\0' ? stats->value[i] : "null");
    fputs("}\n", out);
}

int afl_status(const struct afl_campaign *campaign, const char *json) {
    FILE *out = json == NULL || strcmp(json, "-") == 0 ? stdout : fopen(json, "we");
    size_t told = 0;
    double saved = 0;
    if (out == NULL) {
        fprintf(stderr, "crashgate: fuzz: cannot write %s: %s\n", json, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        char name[AFL_NAME_SIZE];
        struct stats stats;
        bool runs = afl_instance_pid(campaign, i) > 0;
        if (!read_stats(campaign, afl_instance_name(i, name), &stats)) {
            if (runs && json == NULL)
                printf("%-8s starts: nothing told yet; its log is %s/%s.log\n", name,
                       campaign->folder, name);
            continue;
        }
        told++;
        saved += number(&stats, FIGURE_CRASHES) + number(&stats, FIGURE_HANGS);
        if (json != NULL)
            tell_json(out, campaign, name, &stats, runs);
        else
            tell(name, &stats, runs);
    }
    if (out != stdout && fclose(out) != 0)
        return EXIT_ENVIRONMENT;
    if (told == 0)
        fprintf(stderr, "crashgate: fuzz: %s/afl: no instance has told anything there\n",
                campaign->folder);
    else if (saved > 0 && json == NULL)
        printf("what was saved: %s/afl/*/{crashes,hangs}\n", campaign->folder);
    return told == 0 ? EXIT_INCONCLUSIVE : saved > 0 ? EXIT_FAIL : EXIT_PASS;
}
