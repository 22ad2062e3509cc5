/* Planted bugs: a gate that cannot fail is worth nothing, so every bug here must be caught. */
#include "scenarios/cli/known_bad.h"

#include "scenarios/cli/commands.h"
#include "scenarios/cli/crew.h"
#include "scenarios/cli/known_bad_crew.h"
#include "scenarios/cli/numbers.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
                      bool (*write)(FILE *out, const struct report_matrix *matrix),
                      const struct report_matrix *matrix) {
    char path[PATH_SIZE];
    FILE *out = NULL;
    bool written = false;
    snprintf(path, sizeof path, "%s%s", stem, ending);
    out = fopen(path, "w");
    written = out != NULL && write(out, matrix);
    if (out != NULL)
        written = fclose(out) == 0 && written;
    if (!written) {
        fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
        suite_worst(suite, EXIT_ENVIRONMENT);
    }
    return written;
}

static void write_matrix(struct suite *suite, const char *stem,
                         const struct report_matrix *matrix) {
    if (write_one(suite, stem, ".md", report_matrix_markdown, matrix) &&
        write_one(suite, stem, ".json", report_matrix_json, matrix))
        printf("every oracle by every bug: %s.md, %s.json\n", stem, stem);
}

/* ---- the sweep ---- */

/* What breaks in the core too says nothing of a bug. */
static bool core_passes_seeds(struct suite *suite, const struct known_bad_seeds *seeds) {
    struct known_bad_swept swept;
    char why[SUT_WHY_SIZE];
    if (!known_bad_sweep(&sut_core, seeds, &swept, why)) {
        fprintf(stderr, "crashgate: the sweep of the core: %s\n", why);
        suite_worst(suite, EXIT_ENVIRONMENT);
        return false;
    }
    if (swept.breaks[0] == '\0')
        return true;
    fprintf(stderr,
            "crashgate: the core itself does not pass the seeds: %s by seed %" PRIu64
            " ('crashgate fuzz --seeds %" PRIu64 "' tells it)\n",
            swept.breaks, swept.seed, swept.seed);
    suite_worst(suite, EXIT_FAIL);
    return false;
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

static unsigned all_cores(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > CREW_JOBS_MAX ? CREW_JOBS_MAX : (unsigned)count;
}

struct trying {
    const struct known_bad_ask *ask;
    const char **paths;
    struct report_planted *bugs;
    struct known_bad_counts *counts;
};

static void tell(void *ctx, size_t place) {
    const struct trying *trying = ctx;
    const struct report_planted *bug = &trying->bugs[place];
    if (!trying->ask->alone || !bug->caught)
        print_row(bug, trying->paths[place]);
    trying->counts->caught += bug->caught;
}

/* Here, one after the other, for who wants to know of each at once. */
static void try_each(struct suite *suite, const struct known_bad_how *how, struct trying *trying) {
    const struct known_bad_each *each = trying->ask->each;
    struct core_held_list held = {0};
    for (size_t i = 0; i < trying->counts->planted; i++) {
        if (!each->wanted(each->ctx, trying->paths[i]))
            continue;
        known_bad_try(suite, &held, trying->paths[i], how, &trying->bugs[i]);
        tell(trying, i);
        each->done(each->ctx, trying->paths[i], &trying->bugs[i]);
    }
    free(held.v);
}

static void try_all(struct suite *suite, const struct known_bad_how *how, struct trying *trying) {
    print_head();
    known_bad_crew_run(&(struct known_bad_crew){.suite = suite,
                                                .how = how,
                                                .paths = trying->paths,
                                                .bugs = trying->bugs,
                                                .count = trying->counts->planted,
                                                .jobs = all_cores(),
                                                .each = tell,
                                                .ctx = trying});
}

struct known_bad_counts known_bad_run(struct suite *suite, const struct known_bad_ask *ask) {
    const char *folder = ask->folder != NULL ? ask->folder : KNOWN_BAD_FOLDER;
    const char *paths[PLANTED_MAX];
    struct known_bad_counts counts = {.planted = list(suite, folder, paths)};
    struct known_bad_how how = {.variants =
                                    ask->variants != NULL ? ask->variants : KNOWN_BAD_VARIANTS,
                                .whole = ask->matrix != NULL,
                                .alone = ask->alone,
                                .seeds = ask->seeds};
    struct trying trying = {.ask = ask, .paths = paths, .counts = &counts};
    struct known_bad_seeds alone = {.jobs = 1}; /* the bugs are tried beside each other */
    bool quiet = suite->quiet_passes;
    if (ask->sample)
        counts.planted = keep_sample(paths, counts.planted);
    trying.bugs = check_zalloc(counts.planted + 1, sizeof *trying.bugs);
    if (how.seeds != NULL && !core_passes_seeds(suite, how.seeds))
        how.seeds = NULL;
    if (how.seeds != NULL) {
        alone.first = how.seeds->first;
        alone.last = how.seeds->last;
        how.seeds = &alone;
    }
    suite->quiet_passes = true; /* a caught bug has a row of its own */
    if (ask->each != NULL)
        try_each(suite, &how, &trying);
    else
        try_all(suite, &how, &trying);
    suite->quiet_passes = quiet;
    if (ask->matrix != NULL)
        write_matrix(suite, ask->matrix,
                     &(struct report_matrix){
                         .bugs = trying.bugs,
                         .count = counts.planted,
                         .oracles = INVARIANT_COUNT,
                         .has_sweep = how.seeds != NULL,
                         .first_seed = how.seeds != NULL ? how.seeds->first : 0,
                         .last_seed = how.seeds != NULL ? how.seeds->last : 0,
                     });
    free(trying.bugs);
    return counts;
}

static bool read_seeds(const struct options *options, struct known_bad_seeds *seeds) {
    const char *text = options->value[OPTION_SEEDS];
    seeds->jobs = all_cores();
    if (text == NULL)
        return true;
    if (options->value[OPTION_MATRIX] == NULL) {
        fprintf(stderr, "crashgate: what --seeds find of planted bugs is written by --matrix NAME, "
                        "which is missing\n");
        return false;
    }
    if (number_read_range(text, &seeds->first, &seeds->last))
        return true;
    fprintf(stderr,
            "crashgate: --seeds is A..B, whole numbers with A <= B, or one number, not '%s'\n",
            text);
    return false;
}

int command_known_bad(const struct options *options, const char *program) {
    struct suite suite;
    struct known_bad_counts counts;
    struct known_bad_seeds seeds = {0};
    const struct known_bad_ask ask = {.folder = options->file_count > 0 ? options->files[0] : NULL,
                                      .variants = options->value[OPTION_VARIANTS],
                                      .matrix = options->value[OPTION_MATRIX],
                                      .seeds =
                                          options->value[OPTION_SEEDS] != NULL ? &seeds : NULL};
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: known-bad takes one folder of planted bugs\n");
        return EXIT_MISTAKE;
    }
    if (!read_seeds(options, &seeds))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program, SUITE_DIRECT))
        return suite.exit_code;
    suite.quiet_totals = true;
    counts = known_bad_run(&suite, &ask);
    printf("known-bad: %s  %zu of %zu planted bugs caught\n",
           suite.exit_code == EXIT_PASS ? "PASS" : "FAIL", counts.caught, counts.planted);
    return suite_close(&suite);
}
