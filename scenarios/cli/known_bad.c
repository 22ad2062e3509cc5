/* Planted bugs: a gate that cannot fail is worth nothing, so every bug here must be caught. */
#include "scenarios/cli/known_bad.h"

#include "scenarios/cli/commands.h"
#include "scenarios/cli/explore.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLANTED_MAX = 1000,
    HEAD_SIZE = 8192,
    PATH_SIZE = 4096,
    LINE_SIZE = 2 * KNOWN_BAD_TEXT_SIZE
};

/* ---- the head of the file ---- */

/* id, word, must it be there */
#define KEYS(X)                   \
    X(FAULT, "Fault", true)       \
    X(BREAKS, "Breaks", true)     \
    X(SCENARIO, "Scenario", true) \
    X(PROFILE, "Profile", true)   \
    X(CRASHES, "Crashes", false)  \
    X(DOOR, "Door", true)         \
    X(EXPLORE, "Explore", false)
enum key {
#define X(id, word, needed) KEY_##id,
    KEYS(X)
#undef X
        KEY_COUNT
};
static const struct {
    const char *word;
    bool needed;
} keys[] = {
#define X(id, word, needed) {word, needed},
    KEYS(X)
#undef X
};

__attribute__((format(printf, 2, 3))) static bool because(char why[KNOWN_BAD_WHY_SIZE],
                                                          const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, KNOWN_BAD_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool read_breaks(struct known_bad *bad, const char *value, char *why) {
    char *end = NULL;
    long number = value[0] == 'I' ? strtol(value + 1, &end, 10) : 0;
    if (number < 1 || number > INVARIANT_COUNT || *end != '\0')
        return because(why, "'%.40s' is no invariant I1 to I%d", value, INVARIANT_COUNT);
    bad->invariant = (int)number;
    return true;
}

static bool read_scenario(struct known_bad *bad, const char *value, char *why) {
    const char *ending = strstr(value, ".scn:");
    const char *rest = ending == NULL ? "" : ending + 5;
    rest += strspn(rest, " ");
    if (*rest == '\0')
        return because(why, "'%.200s' must be FILE.scn:LINE, or FILE.scn: and words of the title",
                       value);
    snprintf(bad->file, sizeof bad->file, "%.*s", (int)(ending + 4 - value), value);
    if (strspn(rest, "0123456789") == strlen(rest) && strlen(rest) < 9)
        bad->line = atoi(rest);
    else
        memcpy(bad->title, rest, strlen(rest) + 1);
    return true;
}

static const char *const delay_words[] = {
#define X(id, text, meaning) [EXPLORE_##id] = text,
    EXPLORE_DELAYS(X)
#undef X
};

static bool read_delays(const char *word, size_t length, enum explore_delays *delays) {
    for (size_t i = 0; i < sizeof delay_words / sizeof delay_words[0]; i++) {
        *delays = (enum explore_delays)i;
        if (strlen(delay_words[i]) == length && strncmp(delay_words[i], word, length) == 0)
            return true;
    }
    return false;
}

/* A number of one digit behind these words, which *at is moved past. */
static bool read_digit(const char **at, const char *words, unsigned most, unsigned *value) {
    size_t length = strlen(words);
    const char *digit = *at + length;
    if (strncmp(*at, words, length) != 0 || digit[0] < '0' || digit[0] > '9')
        return false;
    *value = (unsigned)(digit[0] - '0');
    *at = digit + 1;
    return *value <= most;
}

/* The restarts that must not show it, if any, at the end of the line. */
static bool read_hidden(struct known_bad *bad, const char *rest) {
    static const char words[] = ", hidden ";
    if (strncmp(rest, words, sizeof words - 1) != 0)
        return *rest == '\0';
    rest += sizeof words - 1;
    bad->has_hidden = read_delays(rest, strlen(rest), &bad->hidden);
    return bad->has_hidden;
}

static bool read_explore(struct known_bad *bad, const char *value, char *why) {
    const char *rest = value + strcspn(value, ",");
    bad->explored = read_delays(value, (size_t)(rest - value), &bad->restarts) &&
                    read_digit(&rest, ", plan ", KNOWN_BAD_PLAN_MAX, &bad->plan_most) &&
                    (strncmp(rest, ", faults ", strlen(", faults ")) != 0 ||
                     read_digit(&rest, ", faults ", EXPLORE_FAULTS_MAX, &bad->faults)) &&
                    read_hidden(bad, rest);
    return bad->explored ||
           because(why,
                   "'%.60s' must be RESTARTS, plan N (, faults K) (, hidden RESTARTS): restarts as "
                   "'crashgate explore' takes them, N at most %d, K at most %d",
                   value, KNOWN_BAD_PLAN_MAX, EXPLORE_FAULTS_MAX);
}

/* `value` is shorter than KNOWN_BAD_TEXT_SIZE. */
static bool read_value(struct known_bad *bad, enum key key, const char *value, char *why) {
    switch (key) {
    case KEY_FAULT:
        memcpy(bad->fault, value, strlen(value) + 1);
        return true;
    case KEY_BREAKS:
        return read_breaks(bad, value, why);
    case KEY_SCENARIO:
        return read_scenario(bad, value, why);
    case KEY_PROFILE:
        bad->profile = profile_find(value);
        return bad->profile != NULL || because(why, "there is no profile '%.40s'", value);
    case KEY_CRASHES:
        if (strcmp(value, "kill") != 0 && strcmp(value, "power") != 0)
            return because(why, "'%.40s' must be 'kill' or 'power'", value);
        bad->crash_kind = value[0] == 'k' ? SCN_KILL : SCN_POWER;
        return true;
    case KEY_DOOR:
        if (strcmp(value, "direct") != 0 && strcmp(value, "wire") != 0)
            return because(why, "'%.40s' must be 'direct' or 'wire'", value);
        bad->door = value[0] == 'd' ? STAGE_DIRECT : STAGE_WIRE;
        return true;
    case KEY_EXPLORE:
        return read_explore(bad, value, why);
    case KEY_COUNT:
        break;
    }
    return false;
}

static int find_key(const char *line, size_t length) {
    for (int i = 0; i < KEY_COUNT; i++) {
        if (strlen(keys[i].word) == length && strncmp(keys[i].word, line, length) == 0)
            return i;
    }
    return -1;
}

/* One line, without its end. */
static bool read_line(struct known_bad *bad, const char *line, unsigned *seen, char *why) {
    const char *colon = strchr(line, ':');
    int key = colon == NULL ? -1 : find_key(line, (size_t)(colon - line));
    const char *value = colon == NULL ? "" : colon + 1 + strspn(colon + 1, " \t");
    if (line[strspn(line, " \t")] == '\0')
        return true;
    if (key < 0)
        return because(why,
                       "'%.60s' is no line of the head: Fault, Breaks, Scenario, Profile, "
                       "Crashes, Door or Explore",
                       line);
    if ((*seen & 1u << key) != 0)
        return because(why, "'%s' is there twice", keys[key].word);
    if (*value == '\0')
        return because(why, "'%s' has no value", keys[key].word);
    if (strlen(value) >= KNOWN_BAD_TEXT_SIZE)
        return because(why, "'%s' is longer than %d characters", keys[key].word,
                       KNOWN_BAD_TEXT_SIZE - 1);
    *seen |= 1u << key;
    return read_value(bad, (enum key)key, value, why);
}

static bool read_name(const char *path, struct known_bad *bad, char *why) {
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || dot - name >= KNOWN_BAD_NAME_SIZE)
        return because(why, "its name must have 1 to %d characters before its ending",
                       KNOWN_BAD_NAME_SIZE - 1);
    snprintf(bad->name, sizeof bad->name, "%.*s", (int)(dot - name), name);
    bad->built_in = strcmp(dot, ".known") == 0;
    return true;
}

bool known_bad_parse(const char *path, const char *text, struct known_bad *bad,
                     char why[KNOWN_BAD_WHY_SIZE]) {
    unsigned seen = 0;
    int number = 1;
    *bad = (struct known_bad){.crash_kind = SCN_NONE};
    if (!read_name(path, bad, why))
        return false;
    while (*text != '\0' && strncmp(text, "---", 3) != 0) {
        size_t length = strcspn(text, "\r\n");
        char line[LINE_SIZE], reason[KNOWN_BAD_WHY_SIZE];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (!read_line(bad, line, &seen, reason))
            return because(why, "line %d: %.500s", number, reason);
        number++;
        text += length;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
    for (int i = 0; i < KEY_COUNT; i++) {
        if (keys[i].needed && (seen & 1u << i) == 0)
            return because(why, "its head has no '%s:' line", keys[i].word);
    }
    return true;
}

static bool read_file(const char *path, struct known_bad *bad, char *why) {
    char text[HEAD_SIZE];
    size_t length = 0;
    bool read = false;
    FILE *in = fopen(path, "r");
    if (in == NULL)
        return because(why, "cannot be read: %s", strerror(errno));
    length = fread(text, 1, sizeof text - 1, in);
    text[length] = '\0';
    read = ferror(in) == 0 || because(why, "cannot be read: %s", strerror(errno));
    fclose(in);
    return read && known_bad_parse(path, text, bad, why);
}

/* ---- one planted bug ---- */

/* An exploration that the core was seen to close; bugs that share one need it once. */
struct closed {
    const char *file;
    int line;
    const struct profile *profile;
    enum stage_door door;
    int crash_kind;
    enum explore_delays restarts;
    unsigned faults;
};
struct closed_list {
    struct closed *v;
    size_t n, cap;
};

struct attempt {
    struct suite *suite;
    struct closed_list *closed;
    const char *path; /* of the planted bug; lives as long as the suite */
    struct known_bad bad;
    const char *oms; /* as --oms takes it */
    const struct sut *sut;
    unsigned fitting;         /* configurations of the scenario that fit, */
    struct run_config config; /* and the last of them */
    bool caught, reported;
    char why[KNOWN_BAD_WHY_SIZE]; /* not caught: why not */
};

static bool find_oms(struct attempt *attempt, const char *variants) {
    struct known_bad *bad = &attempt->bad;
    char file[PATH_SIZE], why[SUT_WHY_SIZE] = "";
    if (bad->built_in) {
        attempt->oms = bad->name;
        attempt->sut = sut_find(bad->name);
        return attempt->sut != NULL ||
               because(attempt->why, "there is no built-in OMS of that name");
    }
    snprintf(file, sizeof file, "%s%s/%s.so", strchr(variants, '/') == NULL ? "./" : "", variants,
             bad->name);
    attempt->oms = suite_keep(attempt->suite, file);
    attempt->sut = sut_load(file, why);
    return attempt->sut != NULL ||
           because(attempt->why, "not built ('make variants' builds it): %.300s", why);
}

/* The core must pass what the bug must not. */
static bool core_passes(struct attempt *attempt, const struct scenario *scenario,
                        const struct run_config *config) {
    struct run_result result;
    bool passed = false;
    if (!suite_perform(attempt->suite, scenario, config, &sut_core, sut_core.claims, &result))
        return because(attempt->why, "there is no simulated wire");
    passed = result.verdict == RUN_PASS;
    if (!passed)
        because(attempt->why, "the core itself does not pass: %.40s %.300s",
                result.found ? result.finding.code : "",
                result.found ? result.finding.headline : result.why);
    run_result_free(&result);
    return passed;
}

/* Exactly the named invariant, before anything else, and the same again by its plan. */
static bool is_caught(struct attempt *attempt, const struct run_result *result) {
    char wanted[RUN_CODE_SIZE];
    snprintf(wanted, sizeof wanted, "I%d", attempt->bad.invariant);
    if (result->verdict == RUN_FAIL && strcmp(result->finding.code, wanted) == 0)
        return true;
    if (result->verdict == RUN_FAIL)
        return because(attempt->why, "%s broke first, %s was to", result->finding.code, wanted);
    if (result->verdict == RUN_BROKEN || result->verdict == RUN_UNSTABLE)
        return because(attempt->why, "could not be judged: %.300s", result->why);
    return because(attempt->why, "nothing broke in %lu runs, %s was to", result->runs, wanted);
}

static void print_caught(const struct attempt *attempt, const struct scenario *scenario,
                         const struct run_result *result, const struct report_run *run) {
    const struct report_finding *finding = &run->findings[0];
    printf("CAUGHT  %-20s  I%-3d  run %lu of %lu  %s:%d  plan: %s\n        again: %s\n",
           attempt->bad.name, attempt->bad.invariant, result->first_failed, result->runs, run->file,
           scenario->place.line, finding->plan[0] != '\0' ? finding->plan : "none",
           finding->replay);
}

static void report_attempt(struct attempt *attempt, struct report_run *run) {
    run->oms = suite_keep(attempt->suite, attempt->bad.name);
    run->planted = true;
    run->verdict = attempt->caught ? REPORT_PASS : REPORT_FAIL;
    run->note = suite_keep(attempt->suite, attempt->why);
    suite_add(attempt->suite, run);
    attempt->reported = true;
}

static void try_it(struct attempt *attempt, const struct scenario *scenario,
                   const struct run_config *config) {
    struct run_result result;
    struct report_run run;
    if (!core_passes(attempt, scenario, config))
        return;
    if (!suite_perform(attempt->suite, scenario, config, attempt->sut, attempt->sut->claims,
                       &result))
        return;
    attempt->caught = is_caught(attempt, &result);
    suite_describe(attempt->suite, attempt->bad.file, scenario, config, attempt->oms, &result,
                   &run);
    if (attempt->caught)
        print_caught(attempt, scenario, &result, &run);
    report_attempt(attempt, &run);
    run_result_free(&result);
}

/* ---- explored instead of run ---- */

static bool explore_it(struct attempt *attempt, const struct scenario *scenario,
                       const struct run_config *config, const struct sut *sut,
                       enum explore_delays restarts, struct explore_result *result) {
    const struct known_bad *bad = &attempt->bad;
    struct explore_options options = explore_defaults(attempt->suite->options);
    options.sut = sut;
    options.claims = sut->claims;
    options.delays = restarts;
    options.faults = bad->faults;
    options.kill = bad->crash_kind == SCN_KILL;
    options.power = bad->crash_kind == SCN_POWER;
    if (config->door == STAGE_WIRE) {
        options.wire = suite_wire(attempt->suite);
        if (options.wire == NULL)
            return because(attempt->why, "there is no simulated wire");
    }
    explore_scenario(scenario, config, &options, result);
    return true;
}

static bool is_same(const struct closed *a, const struct closed *b) {
    return strcmp(a->file, b->file) == 0 && a->line == b->line && a->profile == b->profile &&
           a->door == b->door && a->crash_kind == b->crash_kind && a->restarts == b->restarts &&
           a->faults == b->faults;
}

/* The core must close what the bug breaks. */
static bool core_closes(struct attempt *attempt, const struct scenario *scenario,
                        const struct run_config *config) {
    const struct known_bad *bad = &attempt->bad;
    struct closed_list *list = attempt->closed;
    struct closed wanted = {.line = scenario->place.line,
                            .profile = bad->profile,
                            .door = bad->door,
                            .crash_kind = bad->crash_kind,
                            .restarts = bad->restarts,
                            .faults = bad->faults};
    struct explore_result result = {0};
    bool closed = false;
    wanted.file = suite_keep(attempt->suite, bad->file);
    for (size_t i = 0; i < list->n; i++) {
        if (is_same(&list->v[i], &wanted))
            return true;
    }
    if (!explore_it(attempt, scenario, config, &sut_core, bad->restarts, &result))
        return false;
    closed = result.verdict == RUN_PASS && result.closed;
    if (closed) {
        CHECK_ROOM(list->v, list->n, list->cap, PLANTED_MAX);
        list->v[list->n++] = wanted;
    } else {
        because(attempt->why, "the core itself does not close: %.40s %.300s",
                result.found ? result.replay.finding.code : "",
                result.found            ? result.replay.finding.headline
                : result.why[0] != '\0' ? result.why
                                        : result.bound);
    }
    explore_free(&result);
    return closed;
}

/* Crashes and faults; a start only says when. */
static unsigned plan_size(const struct plan *plan) {
    unsigned size = 0;
    for (size_t i = 0; i < plan->count; i++)
        size += plan->items[i].what != PLAN_START;
    return size;
}

static void print_explored(const struct attempt *attempt, const struct scenario *scenario,
                           const struct explore_result *result, const struct report_run *run) {
    const struct report_finding *finding = &run->findings[0];
    printf("CAUGHT  %-20s  I%-3d  life %lu, %u of at most %u crashes and faults  %s:%d  plan: %s\n"
           "        again: %s\n",
           attempt->bad.name, attempt->bad.invariant, result->lives,
           plan_size(&result->replay.finding.plan), attempt->bad.plan_most, run->file,
           scenario->place.line, finding->plan[0] != '\0' ? finding->plan : "none",
           finding->replay);
}

static bool is_found(struct attempt *attempt, const struct explore_result *result,
                     const struct run_result *told) {
    const struct plan *plan = &result->replay.finding.plan;
    if (!is_caught(attempt, told))
        return false;
    return plan_size(plan) <= attempt->bad.plan_most ||
           because(attempt->why, "it takes a plan of %u crashes and faults, at most %u were to",
                   plan_size(plan), attempt->bad.plan_most);
}

/* Restarts at the wrong moments must miss it, or it proves nothing about the right ones. */
static bool stays_hidden(struct attempt *attempt, const struct scenario *scenario,
                         const struct run_config *config) {
    const struct known_bad *bad = &attempt->bad;
    struct explore_result result = {0};
    bool hidden = false;
    if (!bad->has_hidden)
        return true;
    if (!explore_it(attempt, scenario, config, attempt->sut, bad->hidden, &result))
        return false;
    hidden = result.verdict == RUN_PASS && result.closed;
    if (hidden)
        printf("HIDDEN  %-20s  with restarts %s: closed, falsely, after %lu lives\n", bad->name,
               delay_words[bad->hidden], result.lives);
    else
        because(attempt->why, "restarts %s were to miss it, and do not close: %.40s %.300s",
                delay_words[bad->hidden], result.found ? result.replay.finding.code : "",
                result.found ? result.replay.finding.headline : result.why);
    explore_free(&result);
    return hidden;
}

static void explore_and_judge(struct attempt *attempt, const struct scenario *scenario,
                              const struct run_config *config) {
    struct explore_result result = {0};
    struct run_result told;
    struct report_run run;
    if (!core_closes(attempt, scenario, config) ||
        !explore_it(attempt, scenario, config, attempt->sut, attempt->bad.restarts, &result))
        return;
    told = result.replay;
    explore_as_run(&result, &told);
    attempt->caught = is_found(attempt, &result, &told) && stays_hidden(attempt, scenario, config);
    suite_describe(attempt->suite, attempt->bad.file, scenario, config, attempt->oms, &told, &run);
    if (attempt->caught)
        print_explored(attempt, scenario, &result, &run);
    report_attempt(attempt, &run);
    explore_free(&result);
}

/* The one scenario the bug names, or NULL. */
static const struct scenario *pick(struct attempt *attempt, const struct scenario_file *file) {
    const struct known_bad *bad = &attempt->bad;
    const struct scenario *picked = NULL;
    for (size_t i = 0; i < file->count; i++) {
        const struct scenario *scenario = &file->scenarios[i];
        bool fits = bad->line != 0 ? scenario->place.line == bad->line
                                   : strstr(scenario->title, bad->title) != NULL;
        if (fits && picked != NULL) {
            because(attempt->why, "more than one scenario of %s has '%s' in its title", bad->file,
                    bad->title);
            return NULL;
        }
        if (fits)
            picked = scenario;
    }
    if (picked == NULL && bad->line != 0)
        because(attempt->why, "no scenario begins on line %d of %s", bad->line, bad->file);
    else if (picked == NULL)
        because(attempt->why, "no scenario of %s has '%s' in its title", bad->file, bad->title);
    return picked;
}

static void note_fitting(void *ctx, const struct scenario *scenario,
                         const struct run_config *config) {
    struct attempt *attempt = ctx;
    (void)scenario;
    if (config->door != attempt->bad.door)
        return;
    attempt->fitting++;
    attempt->config = *config;
}

static void run_scenario_of(struct attempt *attempt, const struct scenario *scenario) {
    const struct known_bad *bad = &attempt->bad;
    struct options options = *attempt->suite->options;
    options.value[OPTION_PROFILE] = bad->profile->name;
    options.crash_kind = bad->crash_kind;
    suite_configurations(scenario, &options, bad->door == STAGE_WIRE ? SUITE_WIRE : SUITE_DIRECT,
                         note_fitting, attempt);
    if (bad->explored != (scenario->depth == SCN_AGAIN)) {
        because(attempt->why, bad->explored ? "its scenario has no 'crash again anywhere'"
                                            : "its scenario is explored: 'Explore:' must say how");
    } else if (attempt->fitting == 0) {
        because(attempt->why, "its scenario does not run with that profile, crash and door");
    } else if (bad->explored) { /* kinds of crash are tried together */
        explore_and_judge(attempt, scenario, &attempt->config);
    } else if (attempt->fitting > 1) {
        because(attempt->why, "its scenario crashes in several ways: 'Crashes:' must say which");
    } else {
        try_it(attempt, scenario, &attempt->config);
    }
}

static void load_and_run(struct attempt *attempt) {
    struct scenario_file file;
    struct diags diags = {0};
    const struct scenario *scenario = NULL;
    if (!scenario_load(attempt->bad.file, &file, &diags)) {
        diags_write(&diags, DIAG_SHORT, stderr);
        because(attempt->why, "its scenario file %s cannot be used", attempt->bad.file);
    } else {
        scenario = pick(attempt, &file);
    }
    if (scenario != NULL)
        run_scenario_of(attempt, scenario);
    diags_free(&diags);
    scenario_free(&file);
}

/* A bug that could not even be run is told to the reports too. */
static void report_untried(struct attempt *attempt) {
    struct report_run run = {.scenario = "planted bug",
                             .file = attempt->path,
                             .line = 1,
                             .oms = suite_keep(attempt->suite, attempt->bad.name),
                             .profile = "",
                             .crash = "",
                             .door = "",
                             .planted = true,
                             .verdict = REPORT_ERROR,
                             .note = suite_keep(attempt->suite, attempt->why)};
    suite_add(attempt->suite, &run);
}

static bool try_file(struct suite *suite, struct closed_list *closed, const char *path,
                     const char *variants) {
    struct attempt attempt = {.suite = suite, .closed = closed, .path = path};
    if (read_file(path, &attempt.bad, attempt.why) && find_oms(&attempt, variants))
        load_and_run(&attempt);
    if (attempt.caught)
        return true;
    if (!attempt.reported)
        report_untried(&attempt);
    printf("MISSED  %-20s  %s\n", attempt.bad.name, path);
    suite_worst(suite, EXIT_FAIL);
    return false;
}

/* ---- all of them ---- */

static bool is_planted(const char *name) {
    const char *dot = strrchr(name, '.');
    return name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".patch") == 0 || strcmp(dot, ".known") == 0);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct known_bad_counts known_bad_run(struct suite *suite, const char *folder, const char *variants,
                                      const struct known_bad_each *each) {
    struct known_bad_counts counts = {0};
    struct closed_list closed = {0};
    const char *paths[PLANTED_MAX];
    struct dirent *entry = NULL;
    DIR *dir = opendir(folder);
    bool quiet = suite->quiet_passes;
    if (dir == NULL) {
        fprintf(stderr, "crashgate: cannot read %s: %s\n", folder, strerror(errno));
        suite_worst(suite, EXIT_MISTAKE);
        return counts;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_SIZE];
        if (!is_planted(entry->d_name))
            continue;
        CHECK(counts.planted < PLANTED_MAX);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        paths[counts.planted++] = suite_keep(suite, path);
    }
    closedir(dir);
    if (counts.planted == 0) {
        fprintf(stderr, "crashgate: no planted bug (*.patch, *.known) in %s\n", folder);
        suite_worst(suite, EXIT_MISTAKE);
    }
    qsort(paths, counts.planted, sizeof *paths, by_text);
    suite->quiet_passes = true; /* a caught bug has a row of its own */
    for (size_t i = 0; i < counts.planted; i++) {
        bool caught = false;
        if (each != NULL && !each->wanted(each->ctx, paths[i]))
            continue;
        caught = try_file(suite, &closed, paths[i], variants);
        counts.caught += caught;
        if (each != NULL)
            each->done(each->ctx, paths[i], caught);
    }
    free(closed.v);
    suite->quiet_passes = quiet;
    return counts;
}

int command_known_bad(const struct options *options, const char *program) {
    struct suite suite;
    struct known_bad_counts counts;
    const char *variants = options->value[OPTION_VARIANTS];
    if (options->file_count > 1) {
        fprintf(stderr, "crashgate: known-bad takes one folder of planted bugs\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program, SUITE_DIRECT))
        return suite.exit_code;
    suite.quiet_totals = true;
    counts = known_bad_run(&suite, options->file_count > 0 ? options->files[0] : KNOWN_BAD_FOLDER,
                           variants != NULL ? variants : KNOWN_BAD_VARIANTS, NULL);
    printf("known-bad: %s  %zu of %zu planted bugs caught\n",
           suite.exit_code == EXIT_PASS ? "PASS" : "FAIL", counts.caught, counts.planted);
    return suite_close(&suite);
}
