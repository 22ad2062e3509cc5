/* The sample, its repeats in this process, and in others. */
#include "scenarios/cli/repeats.h"

#include "faultinject/choose.h"
#include "scenarios/cli/difference.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROCESSES = 2, /* that run the sample again, each with addresses of its own */
    SAMPLE_MAX = 100000,
    PICKED = 2,  /* runs of a configuration with quantifiers */
    SHIFTS = 16, /* blocks that shift the heap between repeats */
    SHIFT_STEP = 48,
    ANSWER_MAX = 4 << 20, /* of a process */
    COMMAND_WORDS = 12    /* beside the options and files given */
};

struct sample {
    const char *path;
    const struct scenario *scenario;
    struct run_config config;
    struct plan *plan; /* NULL: a told story, as it stands */
    uint64_t fingerprint;
};

struct repeats {
    struct suite *suite;
    const struct suite_paths *paths;
    struct scenario_file *files;
    struct sample *samples;
    size_t count, cap;
    size_t planned; /* of them */
};

static void print_sample(const struct repeats *repeats, const struct sample *sample) {
    char text[PLAN_TEXT_SIZE];
    printf("FAIL  %s:%d  %s  [%s, %s, %s]%s%s\n", sample->path, sample->scenario->place.line,
           sample->scenario->title, repeats->suite->oms_name, sample->config.profile->name,
           sample->config.door == STAGE_WIRE ? "wire" : "direct",
           sample->plan != NULL ? "  plan: " : "",
           sample->plan != NULL ? plan_format(sample->plan, text) : "");
}

/* ---- the sample ---- */

static bool perform(struct repeats *repeats, const struct sample *sample,
                    const struct chooser *chooser, struct run_result *result) {
    struct suite *suite = repeats->suite;
    struct run_options run;
    if (!suite_run_options(suite, &sample->config, suite->options->sut, suite->options->claims,
                           &run))
        return false;
    run.plan = sample->plan;
    run.chooser = chooser;
    suite->title = sample->scenario->title;
    run_scenario(sample->scenario, &sample->config, &run, result);
    return true;
}

static struct sample *keep(struct repeats *repeats, const struct sample *sample) {
    CHECK_ROOM(repeats->samples, repeats->count, repeats->cap, SAMPLE_MAX);
    repeats->samples[repeats->count] = *sample;
    return &repeats->samples[repeats->count++];
}

/* What goes wrong when one question of the story, or none (at 0), is answered so. */
static bool pick(struct repeats *repeats, const struct sample *sample, struct single *single,
                 struct plan *taken) {
    struct chooser chooser = single_chooser(single);
    struct run_result result;
    if (!perform(repeats, sample, &chooser, &result))
        return false;
    *taken = result.taken;
    run_result_free(&result);
    return true;
}

static void keep_planned(struct repeats *repeats, const struct sample *sample) {
    uint64_t seed = hash_u64(hash_text((uint64_t)sample->config.crash_kind, sample->path),
                             (uint64_t)sample->scenario->place.line);
    struct single none = single_at(0, seed);
    struct plan taken;
    if (!pick(repeats, sample, &none, &taken))
        return;
    for (int i = 0; i < PICKED && none.asked > 0; i++) {
        uint64_t at = 1 + random_next(&seed) % none.asked;
        struct single one = single_at(at, random_next(&seed));
        if (!pick(repeats, sample, &one, &taken))
            return;
        if (taken.count == 0)
            continue;
        keep(repeats, sample)->plan = check_copy(&taken, 1, sizeof taken);
        repeats->planned++;
    }
}

static void add_sample(void *ctx, const char *path, const struct scenario *scenario,
                       const struct run_config *config) {
    struct repeats *repeats = ctx;
    struct sample sample = {
        .path = suite_keep(repeats->suite, path), .scenario = scenario, .config = *config};
    if (scenario->depth == SCN_AGAIN)
        return;
    if (scenario->quantified)
        keep_planned(repeats, &sample);
    else
        keep(repeats, &sample);
}

/* Runs all of it once. False: said, the exit code is set. */
static bool fingerprint_all(struct repeats *repeats) {
    for (size_t i = 0; i < repeats->count; i++) {
        struct sample *sample = &repeats->samples[i];
        struct run_result result;
        if (!perform(repeats, sample, NULL, &result))
            return false;
        sample->fingerprint = result.fingerprint;
        if (result.verdict == RUN_MISFIT) {
            print_sample(repeats, sample);
            printf("  its plan was taken from a run, and does not fit: %s\n", result.why);
            suite_worst(repeats->suite, EXIT_NOT_REPEATABLE);
        }
        run_result_free(&result);
    }
    return repeats->suite->exit_code == EXIT_PASS;
}

static uint64_t digest_of(const struct repeats *repeats) {
    uint64_t digest = 0;
    for (size_t i = 0; i < repeats->count; i++)
        digest = hash_u64(digest, repeats->samples[i].fingerprint);
    return digest;
}

/* ---- again, in this process ---- */

/* What is ordered by address may only show when addresses change. */
static void shift_heap(unsigned long repeat) {
    static void *blocks[SHIFTS];
    void **block = &blocks[repeat % SHIFTS];
    free(*block);
    *block = malloc(repeat % 97 * SHIFT_STEP + 1);
}

/* False: one went another way; its first different event is told. */
static bool repeat_here(struct repeats *repeats, unsigned long count) {
    CHECK(repeats->count > 0);
    for (unsigned long i = 0; i < count; i++) {
        const struct sample *sample = &repeats->samples[i % repeats->count];
        struct run_result result;
        uint64_t fingerprint = 0;
        shift_heap(i);
        if (!perform(repeats, sample, NULL, &result))
            return false;
        fingerprint = result.fingerprint;
        run_result_free(&result);
        if (fingerprint == sample->fingerprint)
            continue;
        print_sample(repeats, sample);
        printf("  repeat %lu went another way: fingerprint %016" PRIx64 ", then %016" PRIx64 "\n",
               i + 1, sample->fingerprint, fingerprint);
        difference_print(repeats->suite, sample->scenario, &sample->config, sample->plan);
        suite_worst(repeats->suite, EXIT_NOT_REPEATABLE);
        return false;
    }
    return true;
}

/* ---- again, in other processes ---- */

/* The same command, to write fingerprints instead. */
static char **command_of(const struct repeats *repeats) {
    const struct options *options = repeats->suite->options;
    static const struct {
        const char *word;
        enum option option;
    } passed_on[] = {{"--oms", OPTION_OMS},         {"--claims", OPTION_CLAIMS},
                     {"--profile", OPTION_PROFILE}, {"--crashes", OPTION_CRASHES},
                     {"--seed", OPTION_SEED},       {"--wire", OPTION_WIRE}};
    char **words = check_zalloc(repeats->paths->n + COMMAND_WORDS + OPTION_COUNT, sizeof *words);
    size_t n = 0;
    words[n++] = (char *)(uintptr_t)repeats->suite->program;
    words[n++] = "doctor";
    words[n++] = "--fingerprints";
    words[n++] = "/dev/fd/3";
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
        const char *value = options->value[passed_on[i].option];
        if (value == NULL)
            continue;
        words[n++] = (char *)(uintptr_t)passed_on[i].word;
        if (passed_on[i].option != OPTION_WIRE)
            words[n++] = (char *)(uintptr_t)value;
    }
    words[n++] = "--";
    for (size_t i = 0; i < repeats->paths->n; i++)
        words[n++] = repeats->paths->v[i];
    return words;
}

/* Runs it; what it writes on descriptor 3. The caller frees. */
static char *answer_of(char **command) {
    char *text = check_alloc(ANSWER_MAX);
    size_t length = 0;
    int ends[2], status = 0;
    pid_t pid = -1;
    fflush(NULL);
    if (pipe(ends) == 0)
        pid = fork();
    if (pid == 0) {
        if (dup2(ends[1], 3) == 3 && freopen("/dev/null", "w", stdout) != NULL)
            execvp(command[0], command);
        _exit(127);
    }
    if (pid > 0) {
        close(ends[1]);
        for (ssize_t n = 1; n > 0 && length<ANSWER_MAX - 1; length += n> 0 ? (size_t)n : 0)
            n = read(ends[0], text + length, ANSWER_MAX - 1 - length);
        close(ends[0]);
        waitpid(pid, &status, 0);
    }
    text[length] = '\0';
    return text;
}

/* The runs that another process made, against ours. */
static bool compare(struct repeats *repeats, const char *answer, unsigned long *compared) {
    for (size_t i = 0; i < repeats->count; i++) {
        const struct sample *sample = &repeats->samples[i];
        char *end = NULL;
        uint64_t fingerprint = strtoull(answer, &end, 16);
        if (end == answer || *end != '\n') {
            fprintf(stderr, "crashgate: doctor: '%s doctor' did not run what it was given\n",
                    repeats->suite->program);
            suite_worst(repeats->suite, EXIT_ENVIRONMENT);
            return false;
        }
        answer = end + 1;
        ++*compared;
        if (fingerprint == sample->fingerprint)
            continue;
        print_sample(repeats, sample);
        printf("  another process went another way: fingerprint %016" PRIx64 ", there %016" PRIx64
               "\n",
               sample->fingerprint, fingerprint);
        suite_worst(repeats->suite, EXIT_NOT_REPEATABLE);
        return false;
    }
    return true;
}

static bool repeat_elsewhere(struct repeats *repeats, unsigned long *compared) {
    char **command = command_of(repeats);
    bool alike = true;
    for (int i = 0; alike && i < PROCESSES; i++) {
        char *answer = answer_of(command);
        alike = compare(repeats, answer, compared);
        free(answer);
    }
    free(command);
    return alike;
}

/* ---- all of it ---- */

static void write_fingerprints(const struct repeats *repeats, const char *path) {
    FILE *out = fopen(path, "w");
    bool written = out != NULL;
    for (size_t i = 0; written && i < repeats->count; i++)
        written = fprintf(out, "%016" PRIx64 "\n", repeats->samples[i].fingerprint) > 0;
    written = (out == NULL || fclose(out) == 0) && written;
    if (written)
        return;
    fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
    suite_worst(repeats->suite, EXIT_ENVIRONMENT);
}

static void repeat_and_tell(struct repeats *repeats, unsigned long count) {
    unsigned long elsewhere = 0;
    if (repeat_here(repeats, count) && repeat_elsewhere(repeats, &elsewhere))
        printf("doctor: PASS  %zu runs, %zu of them with a crash or fault in them, %lu repeats "
               "here, %lu in %d other processes, 0 differences; digest %016" PRIx64 "\n",
               repeats->count, repeats->planned, count, elsewhere, PROCESSES, digest_of(repeats));
    else
        printf("doctor: FAIL\n");
}

static void gather(struct repeats *repeats) {
    for (size_t i = 0; i < repeats->paths->n; i++)
        suite_pick(repeats->suite, repeats->paths->v[i], add_sample, repeats, &repeats->files[i]);
    if (repeats->count > 0 || repeats->suite->exit_code != EXIT_PASS)
        return;
    fprintf(stderr, "crashgate: no scenario to repeat\n");
    suite_worst(repeats->suite, EXIT_MISTAKE);
}

void repeats_run(struct suite *suite, const struct suite_paths *paths, unsigned long count) {
    struct repeats repeats = {.suite = suite, .paths = paths};
    const char *path = suite->options->value[OPTION_FINGERPRINTS];
    repeats.files = check_zalloc(paths->n, sizeof *repeats.files);
    gather(&repeats);
    if (suite->exit_code == EXIT_PASS && fingerprint_all(&repeats)) {
        if (path != NULL)
            write_fingerprints(&repeats, path);
        else
            repeat_and_tell(&repeats, count);
    }
    for (size_t i = 0; i < repeats.count; i++)
        free(repeats.samples[i].plan);
    for (size_t i = 0; i < paths->n; i++)
        scenario_free(&repeats.files[i]);
    free(repeats.files);
    free(repeats.samples);
}
