/* Planted bugs: a gate that cannot fail is worth nothing, so every bug here must be caught. */
#include "scenarios/cli/known_bad.h"

#include "scenarios/cli/commands.h"
#include "scenarios/cli/known_bad_try.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PLANTED_MAX = 1000, PATH_SIZE = 4096 };

static bool is_planted(const char *name) {
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".patch") == 0 || strcmp(dot, ".known") == 0);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- the table ---- */

/* At most so wide: a name, what broke, what it took, and as much of the plan as fits. */
enum { NAME_WIDTH = 35, FOUND_WIDTH = 16, PLAN_WIDTH = 42 };

static void print_head(void) {
    printf("        %-*s  %-7s  %-*s  %s\n", NAME_WIDTH, "planted bug", "breaks", FOUND_WIDTH,
           "found in", "smallest plan");
}

static void print_row(const struct report_planted *bug, const char *path) {
    char found[64];
    if (!bug->caught) {
        printf("MISSED  %-*s  %s\n        %s\n", NAME_WIDTH, bug->name, path, bug->why);
        if (bug->replay[0] != '\0')
            printf("        again: %s\n", bug->replay);
        return;
    }
    if (bug->explored) /* ends with the life that showed it */
        snprintf(found, sizeof found, "life %lu", (unsigned long)bug->needed);
    else
        snprintf(found, sizeof found, "run %lu of %lu", (unsigned long)bug->needed,
                 (unsigned long)bug->of);
    printf("CAUGHT  %-*s  %-7s  %-*s  %.*s%s\n", NAME_WIDTH, bug->name, bug->first, FOUND_WIDTH,
           found, PLAN_WIDTH, bug->plan, strlen(bug->plan) > PLAN_WIDTH ? "..." : "");
    fflush(stdout);
}

static bool write_one(struct suite *suite, const char *stem, const char *ending,
                      bool (*write)(FILE *out, const struct report_planted *bugs, size_t count,
                                    unsigned oracles),
                      const struct report_planted *bugs, size_t count) {
    char path[PATH_SIZE];
    FILE *out = NULL;
    bool written = false;
    snprintf(path, sizeof path, "%s%s", stem, ending);
    out = fopen(path, "w");
    written = out != NULL && write(out, bugs, count, INVARIANT_COUNT);
    if (out != NULL)
        written = fclose(out) == 0 && written;
    if (!written) {
        fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
        suite_worst(suite, EXIT_ENVIRONMENT);
    }
    return written;
}

static void write_matrix(struct suite *suite, const char *stem, const struct report_planted *bugs,
                         size_t count) {
    if (write_one(suite, stem, ".md", report_matrix_markdown, bugs, count) &&
        write_one(suite, stem, ".json", report_matrix_json, bugs, count))
        printf("every oracle by every bug: %s.md, %s.json\n", stem, stem);
}

/* ---- all of them ---- */

/* Paths of a folder's planted bugs, by name. Returns how many. */
static size_t list(struct suite *suite, const char *folder, const char *paths[PLANTED_MAX]) {
    struct dirent *entry = NULL;
    size_t count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        fprintf(stderr, "crashgate: cannot read %s: %s\n", folder, strerror(errno));
        suite_worst(suite, EXIT_MISTAKE);
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_SIZE];
        if (!is_planted(entry->d_name))
            continue;
        CHECK(count < PLANTED_MAX);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        paths[count++] = suite_keep(suite, path);
    }
    closedir(dir);
    if (count == 0) {
        fprintf(stderr, "crashgate: no planted bug (*.patch, *.known) in %s\n", folder);
        suite_worst(suite, EXIT_MISTAKE);
    }
    qsort(paths, count, sizeof *paths, by_text);
    return count;
}

/* One whose head cannot be read is of every sample: somebody must look at it. */
static size_t keep_sample(const char *paths[], size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct known_bad bad;
        char why[KNOWN_BAD_WHY_SIZE];
        if (!known_bad_read(paths[i], &bad, why) || bad.in_gate)
            paths[kept++] = paths[i];
    }
    return kept;
}

struct known_bad_counts known_bad_run(struct suite *suite, const struct known_bad_ask *ask) {
    const char *variants = ask->variants != NULL ? ask->variants : KNOWN_BAD_VARIANTS;
    const char *folder = ask->folder != NULL ? ask->folder : KNOWN_BAD_FOLDER;
    const char *paths[PLANTED_MAX];
    struct known_bad_counts counts = {.planted = list(suite, folder, paths)};
    struct core_held_list held = {0};
    struct report_planted *bugs = NULL;
    bool quiet = suite->quiet_passes;
    if (ask->sample)
        counts.planted = keep_sample(paths, counts.planted);
    bugs = calloc(counts.planted + 1, sizeof *bugs);
    CHECK(bugs != NULL);
    suite->quiet_passes = true; /* a caught bug has a row of its own */
    if (ask->each == NULL)
        print_head();
    for (size_t i = 0; i < counts.planted; i++) {
        if (ask->each != NULL && !ask->each->wanted(ask->each->ctx, paths[i]))
            continue;
        known_bad_try(suite, &held, paths[i], variants, ask->matrix != NULL, &bugs[i]);
        print_row(&bugs[i], paths[i]);
        counts.caught += bugs[i].caught;
        if (ask->each != NULL)
            ask->each->done(ask->each->ctx, paths[i], bugs[i].caught);
    }
    suite->quiet_passes = quiet;
    if (ask->matrix != NULL)
        write_matrix(suite, ask->matrix, bugs, counts.planted);
    free(held.v);
    free(bugs);
    return counts;
}

int command_known_bad(const struct options *options, const char *program) {
    struct suite suite;
    struct known_bad_counts counts;
    const struct known_bad_ask ask = {.folder = options->file_count > 0 ? options->files[0] : NULL,
                                      .variants = options->value[OPTION_VARIANTS],
                                      .matrix = options->value[OPTION_MATRIX]};
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: known-bad takes one folder of planted bugs\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program, SUITE_DIRECT))
        return suite.exit_code;
    suite.quiet_totals = true;
    counts = known_bad_run(&suite, &ask);
    printf("known-bad: %s  %zu of %zu planted bugs caught\n",
           suite.exit_code == EXIT_PASS ? "PASS" : "FAIL", counts.caught, counts.planted);
    return suite_close(&suite);
}
