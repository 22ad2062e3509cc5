/* fuzz_timeline: the fuzz target without a fuzzer. It makes seeds, plays files, and turns what a
 * fuzzer saved into scenarios and plans. */
#include "fuzz/finding.h"
#include "fuzz/target.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, POINTS_SEEDED = 3 };

/* ---- files ---- */

static bool read_timeline(const char *path, struct timeline *timeline) {
    uint8_t bytes[TIMELINE_BYTES_MAX];
    FILE *in = fopen(path, "rb");
    size_t size = in == NULL ? 0 : fread(bytes, 1, sizeof bytes, in);
    bool failed = in == NULL || ferror(in) != 0;
    if (failed)
        fprintf(stderr, "fuzz_timeline: cannot read %s: %s\n", path, strerror(errno));
    if (in != NULL)
        fclose(in);
    timeline_read(timeline, bytes, size);
    return !failed;
}

static bool write_file(const char *path, const void *bytes, size_t size) {
    FILE *out = fopen(path, "wb");
    bool written = out != NULL && fwrite(bytes, 1, size, out) == size;
    if (out != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "fuzz_timeline: cannot write %s: %s\n", path, strerror(errno));
    return written;
}

static bool make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "fuzz_timeline: cannot make %s: %s\n", path, strerror(errno));
    return false;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* ---- seeds ---- */

struct seeds {
    const char *folder;
    unsigned count;
};

static bool save_seed(struct seeds *seeds, const struct scenario *scenario,
                      const struct profile *profile, const struct timeline_strike *strike) {
    struct timeline timeline;
    uint8_t bytes[TIMELINE_BYTES_MAX];
    char path[PATH_SIZE];
    timeline_of_scenario(scenario, profile, strike, &timeline);
    if (timeline.count == 0)
        return true;
    snprintf(path, sizeof path, "%s/%03u", seeds->folder, seeds->count++);
    return write_file(path, bytes, timeline_write(&timeline, bytes));
}

/* Some of the places where a quantified crash strikes, evenly spread. */
static bool save_crash_points(struct seeds *seeds, const struct scenario *scenario,
                              const struct profile *profile) {
    struct run_config config = {.profile = profile,
                                .crash_kind = scenario->crash_count > 0 ? (int)scenario->crashes[0]
                                                                        : SCN_NONE,
                                .door = STAGE_DIRECT};
    struct run_options options = {.sut = &sut_core, .claims = sut_core.claims};
    struct run_points points;
    struct run_result result;
    bool saved = true;
    run_points(scenario, &config, &options, &points, &result);
    for (size_t i = 0; i < POINTS_SEEDED && points.n > 0 && saved; i++) {
        const struct run_point *point = &points.v[(2 * i + 1) * points.n / (2 * POINTS_SEEDED)];
        struct timeline_strike strike = {point->site, point->occurrence};
        if (point->occurrence > 0)
            saved = save_seed(seeds, scenario, profile, &strike);
    }
    run_points_free(&points);
    run_result_free(&result);
    return saved;
}

static bool save_scenario(struct seeds *seeds, const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->profile_count; i++) {
        if (scenario->quantified && !scenario->wire_only) {
            if (!save_crash_points(seeds, scenario, scenario->profiles[i]))
                return false;
        } else if (!save_seed(seeds, scenario, scenario->profiles[i], NULL)) {
            return false;
        }
    }
    return true;
}

static bool save_scenarios(struct seeds *seeds, const char *path) {
    struct scenario_file file;
    struct diags diags = {0};
    bool saved = scenario_load(path, &file, &diags);
    if (!saved)
        diags_write(&diags, DIAG_LONG, stderr);
    for (size_t i = 0; saved && i < file.count; i++)
        saved = save_scenario(seeds, &file.scenarios[i]);
    diags_free(&diags);
    scenario_free(&file);
    return saved;
}

static int make_seeds(int count, char **arguments) {
    struct seeds seeds = {.folder = arguments[0]};
    if (!make_folder(seeds.folder))
        return EXIT_ENVIRONMENT;
    for (int i = 1; i < count; i++) {
        if (!save_scenarios(&seeds, arguments[i]))
            return EXIT_ENVIRONMENT;
    }
    printf("%u seeds of %d scenario files in %s\n", seeds.count, count - 1, seeds.folder);
    return seeds.count > 0 ? EXIT_PASS : EXIT_INCONCLUSIVE;
}

/* ---- showing and playing ---- */

static int show(int count, char **arguments) {
    static struct timeline_story story;
    for (int i = 0; i < count; i++) {
        struct timeline timeline;
        if (!read_timeline(arguments[i], &timeline))
            return EXIT_ENVIRONMENT;
        timeline_story(&timeline, &story);
        timeline_print(&story, stdout);
    }
    return EXIT_PASS;
}

static int play(int count, char **arguments) {
    const struct sut *sut = target_oms();
    struct stage_counts all = {0};
    int broken = 0;
    for (int i = 0; i < count; i++) {
        struct timeline timeline;
        struct timeline_end end;
        if (!read_timeline(arguments[i], &timeline))
            return EXIT_ENVIRONMENT;
        if (!timeline_play(&timeline, sut, &end)) {
            fprintf(stderr, "fuzz_timeline: %s: %s\n", arguments[i], end.why);
            return EXIT_ENVIRONMENT;
        }
        all.lives += end.counts.lives;
        all.crashes += end.counts.crashes;
        all.faults += end.counts.faults;
        if (end.invariant == 0)
            continue;
        broken++;
        printf("%s: ", arguments[i]);
        finding_headline(&end, stdout);
    }
    printf("%d timelines played, %lu lives, %lu crashes, %lu faults; %d broke an invariant\n",
           count, all.lives, all.crashes, all.faults, broken);
    return broken > 0 ? EXIT_FAIL : EXIT_PASS;
}

/* ---- reporting what a fuzzer saved ---- */

/* Tells one, shrunk, and saves its scenario. In a process of its own: it may end the program. */
static int report_one(const char *folder, const char *file) {
    struct timeline timeline;
    struct finding finding;
    char path[PATH_SIZE];
    int code = EXIT_FAIL;
    if (!read_timeline(file, &timeline))
        return EXIT_ENVIRONMENT;
    if (!finding_make(&timeline, target_oms(), true, &finding)) {
        printf("%s: breaks nothing when it is played here %s\n", file, finding.why);
        return EXIT_NOT_REPEATABLE;
    }
    snprintf(path, sizeof path, "%s/%.60s.scn", folder, base_name(file));
    finding_headline(&finding.end, stdout);
    fwrite(finding.scenario, 1, finding.scenario_length, stdout);
    fputs("again: ", stdout);
    finding_command(&finding, path, getenv("FUZZ_OMS"), stdout);
    if (!finding.replays) {
        printf("that command does not repeat it: %s\n", finding.why);
        code = EXIT_NOT_REPEATABLE;
    }
    if (!write_file(path, finding.scenario, finding.scenario_length))
        code = EXIT_ENVIRONMENT;
    finding_free(&finding);
    return code;
}

static int report(int count, char **arguments) {
    int broken = 0;
    if (!make_folder(arguments[0]))
        return EXIT_ENVIRONMENT;
    for (int i = 1; i < count; i++) {
        int status = -1;
        pid_t pid = -1;
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            int code = report_one(arguments[0], arguments[i]);
            fflush(NULL);
            _exit(code);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return EXIT_ENVIRONMENT;
        if (!WIFEXITED(status) || WEXITSTATUS(status) == EXIT_INTERNAL)
            printf(
                "%s: the program itself broke (wait status %d): run build/fuzz_timeline play %s\n",
                arguments[i], status, arguments[i]);
        broken++;
    }
    return broken > 0 ? EXIT_FAIL : EXIT_PASS;
}

/* ---- speed ---- */

static double cpu_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* How many timelines a second of one processor plays: each file in turn, for about a second. */
static int speed(int count, char **arguments) {
    const struct sut *sut = target_oms();
    char why[SUT_WHY_SIZE];
    unsigned long played = 0;
    double start = 0, used = 0;
    struct timeline *timelines = check_zalloc((size_t)count, sizeof *timelines);
    bool good = timeline_make_stores(sut, why);
    for (int i = 0; good && i < count; i++)
        good = read_timeline(arguments[i], &timelines[i]);
    start = cpu_s();
    for (; good && used < 1; used = cpu_s() - start) {
        for (int i = 0; i < count; i++, played++) {
            struct timeline_end end;
            timeline_play(&timelines[i], sut, &end);
        }
    }
    free(timelines);
    if (good)
        printf("%.0f timelines per second of one processor, over %d files\n", (double)played / used,
               count);
    return good ? EXIT_PASS : EXIT_ENVIRONMENT;
}

/* ---- the command line ---- */

static const struct {
    const char *word, *arguments, *help;
    int least;
    int (*perform)(int count, char **arguments);
} commands[] = {
    {"seeds", "FOLDER FILE.scn...", "make seeds for a fuzzer of scenarios", 2, make_seeds},
    {"show", "FILE...", "print timelines as scenarios", 1, show},
    {"play", "FILE...", "play timelines; exit 1 when an invariant breaks", 1, play},
    {"report", "FOLDER FILE...", "shrink what a fuzzer saved, print it and save it as scenarios", 2,
     report},
    {"speed", "FILE...", "measure", 1, speed},
};

static int usage(void) {
    fputs("usage: the OMS under test is FUZZ_OMS, as for --oms [core]\n", stderr);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(stderr, "  fuzz_timeline %-6s %-18s %s\n", commands[i].word, commands[i].arguments,
                commands[i].help);
    return EXIT_MISTAKE;
}

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].word) != 0 || argc - 2 < commands[i].least)
            continue;
        disk_vfs_register();
        return commands[i].perform(argc - 2, argv + 2);
    }
    return usage();
}
