/* crashgate bench: how fast whole judged crash timelines are, and what their floor is. */
#include "scenarios/cli/bench.h"

#include "fuzz/finding.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/figures.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "scenarios/lang/run.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STORY  "scenarios/documented/the_oms_dies_after_the_order_was_recorded.scn"
#define FOLDER "build/bench"
#define REPORT "build/bench.json"

enum { ROUNDS = 60, KILL_ROUNDS = 15, ROUND_TIMELINES = 40, ROUND_KILLS = 4 };

double bench_cpu_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

bool bench_timeline(struct bench *bench, enum stage_door door, bool twice) {
    struct run_config config = {.profile = bench->profile, .crash_kind = SCN_KILL, .door = door};
    struct run_options options = {.sut = &sut_core,
                                  .claims = sut_core.claims,
                                  .wire = bench->wire,
                                  .seed = &bench->seed,
                                  .skip_recovery = !twice};
    struct run_result result;
    bool passed = false;
    bench->seed++;
    stage_forget_settled(); /* each timeline pays for its own judgement */
    run_scenario(bench->story, &config, &options, &result);
    passed = result.verdict == RUN_PASS && result.runs == 1 && result.counts.crashes == 1;
    if (!passed)
        fprintf(stderr, "crashgate: bench: the story did not pass: %s%s\n", result.why,
                result.finding.headline);
    run_result_free(&result);
    return passed;
}

/* ---- figures ---- */

static void say(cJSON *report, const char *name, double value, const char *unit) {
    cJSON *figure = cJSON_AddObjectToObject(report, name);
    printf("%s: %.*f %s\n", name, value < 100 ? 2 : 0, value, unit);
    fflush(stdout);
    cJSON_AddNumberToObject(figure, "value", value);
    cJSON_AddStringToObject(figure, "unit", unit);
}

static void show_progress(const char *what, int done, int all) {
    if (!isatty(STDERR_FILENO))
        return;
    if (done < all)
        fprintf(stderr, "\r%s %d/%d ", what, done, all);
    else
        fprintf(stderr, "\r\033[K");
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[], size_t count) {
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

static bool play_story(struct bench *bench) {
    return bench_timeline(bench, STAGE_DIRECT, false);
}

/* The story nearly as the fuzzer's target plays it: from bytes, with one more recovery at the end. */
static bool play_target(struct bench *bench) {
    struct timeline timeline;
    struct timeline_end end;
    timeline_of_scenario(bench->story, bench->profile, NULL, &timeline);
    if (timeline_play(&timeline, &sut_core, &end) && end.invariant == 0 && end.counts.crashes == 1)
        return true;
    fprintf(stderr, "crashgate: bench: the story did not pass as a timeline: %s%s\n", end.why,
            end.headline);
    return false;
}

/* Time a timeline takes, of a round. */
static bool time_play(struct bench *bench, bool (*play)(struct bench *bench), double *us) {
    double start = bench_cpu_s();
    bool done = true;
    for (int i = 0; done && i < ROUND_TIMELINES; i++)
        done = play(bench);
    *us = (bench_cpu_s() - start) / ROUND_TIMELINES * 1e6;
    return done;
}

static bool time_floor(struct floor *floor, double *us) {
    double start = bench_cpu_s();
    bool done = true;
    for (int i = 0; done && i < ROUND_TIMELINES; i++)
        done = floor_replay(floor);
    *us = (bench_cpu_s() - start) / ROUND_TIMELINES * 1e6;
    return done;
}

struct figure {
    const char *name, *unit;
};

/* What is played, and what is said of it and of its floor. */
struct floored {
    bool (*play)(struct bench *bench);
    bool as_rate; /* the ratio is the floor's time over the whole, else the other way round */
    struct figure ratio, whole, least, statements;
};

static const struct floored life = {
    .play = play_story,
    .ratio = {"life_over_floor", "x"},
    .whole = {"life", "us per timeline of two lives"},
    .least = {"floor", "us for the same SQL on a bare VFS"},
    .statements = {"floor_statements", "statements in two lives"},
};
static const struct floored target = {
    .play = play_target,
    .as_rate = true,
    .ratio = {"afl_over_floor", "of the floor's rate, for the fuzz target"},
    .whole = {"afl_target", "us per timeline of two lives and a third for I8"},
    .least = {"afl_floor", "us for the same SQL on a bare VFS"},
    .statements = {"afl_floor_statements", "statements in three lives"},
};

/* A play and its floor in turn, round by round, so that what else the machine does meets them alike. */
static bool measure_floored(struct bench *bench, cJSON *report, const struct floored *what) {
    double played[ROUNDS], bare[ROUNDS];
    struct floor *floor = floor_record(bench, what->play);
    bool done = floor != NULL;
    for (int round = 0; done && round < ROUNDS; round++) {
        done = time_play(bench, what->play, &played[round]) && time_floor(floor, &bare[round]);
        show_progress(what->ratio.name, round + 1, ROUNDS);
    }
    if (done) {
        double whole = median(played, ROUNDS), least = median(bare, ROUNDS);
        say(report, what->ratio.name, what->as_rate ? least / whole : whole / least,
            what->ratio.unit);
        say(report, what->whole.name, whole, what->whole.unit);
        say(report, what->least.name, least, what->least.unit);
        say(report, what->statements.name, floor_statements(floor), what->statements.unit);
    }
    floor_free(floor);
    return done;
}

static bool measure_timelines(struct bench *bench, cJSON *report, const char *name,
                              enum stage_door door, bool twice) {
    double rate[ROUNDS];
    bool done = true;
    for (int round = 0; done && round < ROUNDS; round++) {
        double start = bench_cpu_s();
        for (int i = 0; done && i < ROUND_TIMELINES; i++)
            done = bench_timeline(bench, door, twice);
        rate[round] = ROUND_TIMELINES / (bench_cpu_s() - start);
        show_progress(name, round + 1, ROUNDS);
    }
    if (done)
        say(report, name, median(rate, ROUNDS), "per second of one core");
    return done;
}

static bool make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "crashgate: bench: cannot make %s: %s\n", path, strerror(errno));
    return false;
}

static bool measure_kills(const struct bench *bench, cJSON *report) {
    double rate[KILL_ROUNDS];
    bool done = make_folder(FOLDER);
    for (int round = 0; done && round < KILL_ROUNDS; round++) {
        double start = figure_wall_s();
        for (int i = 0; done && i < ROUND_KILLS; i++)
            done = sigkill_timeline(bench, FOLDER);
        rate[round] = ROUND_KILLS / (figure_wall_s() - start);
        show_progress("timelines_sigkill", round + 1, KILL_ROUNDS);
    }
    sigkill_clean(FOLDER);
    if (done)
        say(report, "timelines_sigkill", median(rate, KILL_ROUNDS),
            "per second of wall time: fork, SIGKILL, unix VFS and files in " FOLDER);
    return done;
}

/* The whole gate, as a child of its own. */
static bool measure_gate(cJSON *report, const char *program) {
    double start = figure_wall_s();
    int status = -1;
    pid_t pid = -1;
    show_progress("gate_seconds", 0, 1);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execlp(program, program, "gate", (char *)NULL);
        _exit(EXIT_ENVIRONMENT);
    }
    bool passed = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
                  WEXITSTATUS(status) == EXIT_PASS;
    show_progress("gate_seconds", 1, 1);
    if (passed)
        say(report, "gate_seconds", figure_wall_s() - start, "s of wall time for 'crashgate gate'");
    else
        fprintf(stderr, "crashgate: bench: '%s gate' did not pass\n", program);
    return passed;
}

static void say_more(void *ctx, const char *name, double value, const char *unit) {
    say(ctx, name, value, unit);
}

static bool measure(struct bench *bench, cJSON *report, const char *program) {
    return measure_floored(bench, report, &life) && measure_floored(bench, report, &target) &&
           measure_timelines(bench, report, "timelines_direct", STAGE_DIRECT, false) &&
           measure_timelines(bench, report, "timelines_direct_recovered_again", STAGE_DIRECT,
                             true) &&
           measure_timelines(bench, report, "timelines_wire", STAGE_WIRE, false) &&
           measure_timelines(bench, report, "timelines_wire_recovered_again", STAGE_WIRE, true) &&
           measure_kills(bench, report) && make_folder(FOLDER) &&
           bench_scale(FOLDER, say_more, report) && bench_explore(say_more, report) &&
           bench_sweep(say_more, report) && bench_shrink(say_more, report) &&
           bench_find(program, say_more, report, cJSON_AddArrayToObject(report, "find")) &&
           measure_gate(report, program);
}

static bool write_report(const cJSON *report) {
    char *text = cJSON_Print(report);
    FILE *out = text == NULL ? NULL : fopen(REPORT, "w");
    bool written = out != NULL && fputs(text, out) >= 0 && fputc('\n', out) != EOF;
    if (out != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "crashgate: cannot write %s\n", REPORT);
    cJSON_free(text);
    return written;
}

static bool load_story(struct bench *bench) {
    struct diags diags = {0};
    bool loaded = scenario_load(STORY, &bench->file, &diags);
    if (!loaded)
        diags_write(&diags, DIAG_LONG, stderr);
    diags_free(&diags);
    if (loaded)
        bench->story = &bench->file.scenarios[0];
    return loaded;
}

int command_bench(const char *program) {
    struct bench bench = {.profile = profile_find("alpaca")};
    cJSON *report = cJSON_CreateObject();
    int exit_code = EXIT_ENVIRONMENT;
    disk_vfs_register();
    bench.wire = wire_open();
    if (!load_story(&bench))
        exit_code = EXIT_MISTAKE;
    else if (bench.wire == NULL)
        fprintf(stderr, "crashgate: bench: the wire does not open\n");
    else if (make_folder("build"))
        exit_code = !measure(&bench, report, program) ? EXIT_FAIL
                    : write_report(report)            ? EXIT_PASS
                                                      : EXIT_ENVIRONMENT;
    wire_close(bench.wire);
    scenario_free(&bench.file);
    cJSON_Delete(report);
    return exit_code;
}
