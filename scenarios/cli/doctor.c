/* crashgate doctor: what could make the same run go another way, and whether it does. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/difference.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <locale.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    REPEATS = 1000,    /* unless --repeats says otherwise */
    PROCESSES = 4,     /* that run the sample again, each with addresses of its own, a door */
    SAMPLE_MAX = 1000, /* configurations */
    SHIFTS = 16,       /* blocks that shift the heap between repeats */
    SHIFT_STEP = 48,
    ANSWER_MAX = 4 << 20, /* of a process */
    VERSION_SIZE = 80
};

/* ---- what could differ ---- */

static void print_library(const char *name, const char *built, const char *runs, unsigned *odd) {
    bool same = strcmp(built, runs) == 0;
    printf("  %-14s built with %s, runs with %s%s\n", name, built, runs,
           same ? "" : "  <- not the same: fingerprints may differ from another machine's");
    *odd += !same;
}

static unsigned print_libraries(void) {
    char built[VERSION_SIZE];
    unsigned odd = 0;
    print_library("SQLite", SQLITE_VERSION, sqlite3_libversion(), &odd);
    print_library("SQLite source", SQLITE_SOURCE_ID, sqlite3_sourceid(), &odd);
    print_library("libcurl", LIBCURL_VERSION, curl_version_info(CURLVERSION_NOW)->version, &odd);
    snprintf(built, sizeof built, "%x.%x.%x", (unsigned)MHD_VERSION >> 24,
             (unsigned)MHD_VERSION >> 16 & 0xff, (unsigned)MHD_VERSION >> 8 & 0xff);
    print_library("libmicrohttpd", built, MHD_get_version(), &odd);
    snprintf(built, sizeof built, "%d.%d.%d", CJSON_VERSION_MAJOR, CJSON_VERSION_MINOR,
             CJSON_VERSION_PATCH);
    print_library("cJSON", built, cJSON_Version(), &odd);
    return odd;
}

/* No time of any real clock. */
#define SOME_NS INT64_C(1234567890123456789)

static int64_t some_time(void *ctx) {
    (void)ctx;
    return SOME_NS;
}

/* Whether libraries that ask for the time while a life runs on the wire are given ours. libcurl
 * tells by the time-out it measures, but what all of them call is this one function. */
static bool clock_is_ours(struct wire *wire) {
    struct port port = {.now = some_time};
    const struct wire_exchange exchange = {0};
    struct timespec wall = {0}, steady = {0};
    wire_begin(wire, &port, &exchange);
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    wire_end(wire);
    return wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec == SOME_NS &&
           steady.tv_sec == wall.tv_sec && steady.tv_nsec == wall.tv_nsec;
}

static bool print_clock(struct suite *suite) {
    struct wire *wire = suite_wire(suite);
    bool ours = wire != NULL && clock_is_ours(wire);
    printf("  %-14s %s\n", "clock_gettime",
           ours ? "interposed: virtual time while a life runs"
                : "NOT interposed: libraries see the real time");
    return ours;
}

static void print_surroundings(void) {
    static const char *const names[] = {"LC_ALL", "LANG", "TZ"};
    int flags = personality(0xffffffff);
    char aslr = '?';
    FILE *in = fopen("/proc/sys/kernel/randomize_va_space", "r");
    if (in != NULL) {
        aslr = (char)getc(in);
        fclose(in);
    }
    printf("  %-14s %s", "locale", setlocale(LC_ALL, NULL));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        printf(", %s=%s", names[i], getenv(names[i]) != NULL ? getenv(names[i]) : "(unset)");
    printf(" (none of them is read)\n");
    printf("  %-14s %s\n", "ASLR",
           aslr == '0' || (flags != -1 && (flags & ADDR_NO_RANDOMIZE) != 0)
               ? "off: other processes have the same addresses, and prove less"
               : "on: every process has other addresses");
}

/* ---- the sample ---- */

struct sample {
    const char *path;
    const struct scenario *scenario;
    struct run_config config;
    uint64_t fingerprint;
};

struct doctor {
    struct suite *suite;
    struct scenario_file *files;
    size_t file_count;
    struct sample *samples;
    size_t count, cap;
};

/* Told stories: one run each, so that many can be repeated. */
static void add_sample(void *ctx, const char *path, const struct scenario *scenario,
                       const struct run_config *config) {
    struct doctor *doctor = ctx;
    if (scenario->quantified || scenario->depth == SCN_AGAIN || doctor->count == SAMPLE_MAX)
        return;
    CHECK_ROOM(doctor->samples, doctor->count, doctor->cap, SAMPLE_MAX);
    doctor->samples[doctor->count++] = (struct sample){
        .path = suite_keep(doctor->suite, path), .scenario = scenario, .config = *config};
}

static bool perform(struct doctor *doctor, const struct sample *sample, uint64_t *fingerprint) {
    const struct options *options = doctor->suite->options;
    struct run_result result;
    if (!suite_perform(doctor->suite, sample->scenario, &sample->config, options->sut,
                       options->claims, &result))
        return false;
    *fingerprint = result.fingerprint;
    run_result_free(&result);
    return true;
}

static void print_sample(const struct doctor *doctor, const struct sample *sample) {
    printf("FAIL  %s:%d  %s  [%s, %s, %s]\n", sample->path, sample->scenario->place.line,
           sample->scenario->title, doctor->suite->oms_name, sample->config.profile->name,
           sample->config.door == STAGE_WIRE ? "wire" : "direct");
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
static bool repeat_here(struct doctor *doctor, unsigned long repeats) {
    CHECK(doctor->count > 0);
    for (unsigned long i = 0; i < repeats; i++) {
        struct sample *sample = &doctor->samples[i % doctor->count];
        uint64_t fingerprint = 0;
        shift_heap(i);
        if (!perform(doctor, sample, &fingerprint))
            return false;
        if (fingerprint == sample->fingerprint)
            continue;
        print_sample(doctor, sample);
        printf("  repeat %lu went another way: fingerprint %016" PRIx64 ", then %016" PRIx64 "\n",
               i + 1, sample->fingerprint, fingerprint);
        difference_print(doctor->suite, sample->scenario, &sample->config, NULL);
        suite_worst(doctor->suite, EXIT_NOT_REPEATABLE);
        return false;
    }
    return true;
}

/* ---- again, in other processes ---- */

static char **command_of(const struct doctor *doctor, const char *program, bool wire) {
    const char *oms = doctor->suite->options->value[OPTION_OMS];
    char **words = check_zalloc(doctor->count + 10, sizeof *words);
    size_t n = 0;
    const char *last = "";
    words[n++] = (char *)(uintptr_t)program;
    words[n++] = "run";
    words[n++] = "--json";
    words[n++] = "/dev/fd/3";
    if (wire)
        words[n++] = "--wire";
    if (oms != NULL) {
        words[n++] = "--oms";
        words[n++] = (char *)(uintptr_t)oms;
    }
    /* A scenario stands in the sample once per configuration, one after the other. */
    for (size_t i = 0; i < doctor->count; i++) {
        const struct sample *sample = &doctor->samples[i];
        char place[4096];
        if ((sample->config.door == STAGE_WIRE) != wire)
            continue;
        snprintf(place, sizeof place, "%s:%d", sample->path, sample->scenario->place.line);
        if (strcmp(place, last) != 0)
            words[n++] = (char *)(uintptr_t)(last = suite_keep(doctor->suite, place));
    }
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

/* The next fingerprint in the answer; false: there is none. */
static bool next_fingerprint(const char **at, uint64_t *fingerprint) {
    static const char key[] = "\"fingerprint\":\"";
    const char *found = strstr(*at, key);
    if (found == NULL)
        return false;
    *fingerprint = strtoull(found + sizeof key - 1, NULL, 16);
    *at = found + sizeof key;
    return true;
}

/* The runs that another process made through one door, against ours. */
static bool compare(struct doctor *doctor, const char *program, const char *answer, bool wire,
                    unsigned long *compared) {
    for (size_t i = 0; i < doctor->count; i++) {
        const struct sample *sample = &doctor->samples[i];
        uint64_t fingerprint = 0;
        if ((sample->config.door == STAGE_WIRE) != wire)
            continue;
        if (!next_fingerprint(&answer, &fingerprint)) {
            fprintf(stderr, "crashgate: doctor: '%s run' did not run what it was given\n", program);
            suite_worst(doctor->suite, EXIT_ENVIRONMENT);
            return false;
        }
        ++*compared;
        if (fingerprint == sample->fingerprint)
            continue;
        print_sample(doctor, sample);
        printf("  another process went another way: fingerprint %016" PRIx64 ", there %016" PRIx64
               "\n",
               sample->fingerprint, fingerprint);
        suite_worst(doctor->suite, EXIT_NOT_REPEATABLE);
        return false;
    }
    return true;
}

static bool repeat_elsewhere(struct doctor *doctor, const char *program, unsigned long *compared) {
    bool alike = true;
    for (int wire = 0; alike && wire <= 1; wire++) {
        char **command = command_of(doctor, program, wire != 0);
        for (int i = 0; alike && i < PROCESSES; i++) {
            char *answer = answer_of(command);
            alike = compare(doctor, program, answer, wire != 0, compared);
            free(answer);
        }
        free(command);
    }
    return alike;
}

/* ---- all of it ---- */

static void examine(struct doctor *doctor, const char *program, unsigned long repeats) {
    unsigned long elsewhere = 0;
    bool alike = true;
    for (size_t i = 0; i < doctor->count; i++) {
        if (!perform(doctor, &doctor->samples[i], &doctor->samples[i].fingerprint))
            return;
    }
    alike = repeat_here(doctor, repeats) && repeat_elsewhere(doctor, program, &elsewhere);
    if (alike)
        printf("doctor: PASS  %zu configurations, %lu repeats here, %lu in %d other processes, 0 "
               "differences\n",
               doctor->count, repeats, elsewhere, 2 * PROCESSES);
    else
        printf("doctor: FAIL\n");
}

static bool read_repeats(const struct options *options, unsigned long *repeats) {
    const char *text = options->value[OPTION_REPEATS];
    char *end = NULL;
    *repeats = REPEATS;
    if (text == NULL)
        return true;
    *repeats = strtoul(text, &end, 10);
    if (text[0] >= '1' && text[0] <= '9' && *end == '\0' && *repeats <= 10000000)
        return true;
    fprintf(stderr, "crashgate: --repeats '%s' must be a number from 1 to 10000000\n", text);
    return false;
}

int command_doctor(const struct options *options, const char *program) {
    static const char *const everything[] = {"scenarios"};
    struct suite suite;
    struct suite_paths paths;
    struct doctor doctor = {.suite = &suite};
    unsigned long repeats = 0;
    bool given = options->file_count > 0;
    if (!read_repeats(options, &repeats) ||
        !suite_paths(given ? options->files : (const char **)(uintptr_t)everything,
                     given ? options->file_count : 1, &paths))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program, SUITE_BOTH)) {
        suite_paths_free(&paths);
        return suite.exit_code;
    }
    doctor.files = check_zalloc(paths.n, sizeof *doctor.files);
    puts("what could make a run go another way:");
    if (!print_clock(&suite))
        suite_worst(&suite, EXIT_ENVIRONMENT);
    print_libraries();
    print_surroundings();
    for (; doctor.file_count < paths.n; doctor.file_count++)
        suite_pick(&suite, paths.v[doctor.file_count], add_sample, &doctor,
                   &doctor.files[doctor.file_count]);
    if (doctor.count == 0 && suite.exit_code == EXIT_PASS) {
        fprintf(stderr, "crashgate: no scenario without quantifiers to repeat\n");
        suite_worst(&suite, EXIT_MISTAKE);
    }
    if (suite.exit_code == EXIT_PASS)
        examine(&doctor, program, repeats);
    for (size_t i = 0; i < doctor.file_count; i++)
        scenario_free(&doctor.files[i]);
    free(doctor.files);
    free(doctor.samples);
    suite_paths_free(&paths);
    return suite_close(&suite);
}
