/* How fast exploring is, how long the documented stories take to close, and how it grows. */
#include "reports/growth.h"
#include "scenarios/cli/bench.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/explore.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "scenarios/documented"
enum { ORDERS_MAX = 4, TEXT_SIZE = 2000, PATHS_MAX = 64 };

/* ---- one exploration ---- */

static bool closes(const struct scenario *scenario, const struct profile *profile,
                   enum explore_delays delays, unsigned audits, struct explore_result *result,
                   double *seconds) {
    struct run_config config = {.profile = profile, .crash_kind = SCN_KILL, .door = STAGE_DIRECT};
    struct explore_options options = {
        .sut = &sut_core, .claims = sut_core.claims, .delays = delays, .audits = audits};
    double begun = bench_cpu_s();
    explore_scenario(scenario, &config, &options, result);
    *seconds = bench_cpu_s() - begun;
    if (!result->closed)
        fprintf(stderr, "crashgate: bench: '%s' under %s did not close: %s%s\n", scenario->title,
                profile->name, result->bound, result->why);
    return result->closed;
}

/* ---- the documented stories ---- */

struct closing {
    double slowest_at_once_s, slowest_thresholds_s, cpu_s;
    unsigned long crash_worlds, explorations;
};

static bool close_scenario(const struct scenario *scenario, struct closing *closing) {
    bool closed = true;
    for (size_t i = 0; i < scenario->profile_count && closed; i++) {
        struct explore_result result;
        double at_once_s = 0, thresholds_s = 0;
        closed = closes(scenario, scenario->profiles[i], EXPLORE_AT_ONCE, 0, &result, &at_once_s);
        closing->crash_worlds += result.crash_worlds;
        closing->cpu_s += at_once_s;
        closing->explorations++;
        explore_free(&result);
        if (at_once_s > closing->slowest_at_once_s)
            closing->slowest_at_once_s = at_once_s;
        closed = closed && closes(scenario, scenario->profiles[i], EXPLORE_THRESHOLDS, 0, &result,
                                  &thresholds_s);
        explore_free(&result);
        if (thresholds_s > closing->slowest_thresholds_s)
            closing->slowest_thresholds_s = thresholds_s;
    }
    return closed;
}

static bool close_file(const char *path, struct closing *closing) {
    struct scenario_file file;
    struct diags diags = {0};
    bool closed = scenario_load(path, &file, &diags);
    if (!closed)
        diags_write(&diags, DIAG_LONG, stderr);
    diags_free(&diags);
    for (size_t i = 0; i < file.count && closed; i++) {
        if (file.scenarios[i].depth == SCN_AGAIN)
            closed = close_scenario(&file.scenarios[i], closing);
    }
    scenario_free(&file);
    return closed;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool close_documented(struct closing *closing) {
    char *paths[PATHS_MAX];
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    struct dirent *entry = NULL;
    bool closed = folder != NULL;
    if (folder == NULL)
        fprintf(stderr, "crashgate: bench: cannot read %s: %s\n", FOLDER, strerror(errno));
    while (folder != NULL && (entry = readdir(folder)) != NULL && count < PATHS_MAX) {
        if (strstr(entry->d_name, ".scn") != NULL &&
            asprintf(&paths[count], "%s/%s", FOLDER, entry->d_name) >= 0)
            count++;
    }
    if (folder != NULL)
        closedir(folder);
    qsort(paths, count, sizeof *paths, by_name);
    for (size_t i = 0; i < count; i++) {
        closed = closed && close_file(paths[i], closing);
        free(paths[i]);
    }
    return closed && closing->explorations > 0;
}

/* ---- growth ---- */

static void write_orders(unsigned orders, char text[TEXT_SIZE]) {
    static const char *const symbols[ORDERS_MAX] = {"AAPL", "MSFT", "TSLA", "NVDA"};
    size_t used = (size_t)snprintf(
        text, TEXT_SIZE, "crashgate 1\nscenario \"%u orders\"\n  crashes kill, power\n", orders);
    for (unsigned i = 0; i < orders; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, "  decision D%u = \"ORDER_%u\"\n",
                                 i + 1, i + 1);
    used += (size_t)snprintf(text + used, TEXT_SIZE - used,
                             "  broker fills all after 1s\n  10:00:00 crash again anywhere\n");
    for (unsigned i = 0; i < orders; i++)
        used +=
            (size_t)snprintf(text + used, TEXT_SIZE - used, "  signal D%u buy %u %s limit 100.00\n",
                             i + 1, 10 * (i + 1), symbols[i]);
}

static bool explore_orders(unsigned orders, struct report_growth *row, double *seconds) {
    struct scenario_file file;
    struct diags diags = {0};
    struct explore_result result;
    char text[TEXT_SIZE];
    bool closed = false;
    write_orders(orders, text);
    if (scenario_parse("orders", text, strlen(text), &file, &diags)) {
        closed = closes(&file.scenarios[0], profile_find("alpaca"), EXPLORE_AT_ONCE, 0, &result,
                        seconds);
        *row = (struct report_growth){.orders = orders,
                                      .lives = result.lives,
                                      .crash_worlds = result.crash_worlds,
                                      .distinct = result.distinct};
        explore_free(&result);
    }
    diags_free(&diags);
    scenario_free(&file);
    return closed;
}

static bool write_growth(const char *path,
                         bool (*write)(FILE *out, const struct report_growth *rows, size_t count),
                         const struct report_growth *rows) {
    FILE *out = fopen(path, "w");
    bool written = out != NULL && write(out, rows, ORDERS_MAX);
    if (out != NULL && fclose(out) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "crashgate: bench: cannot write %s: %s\n", path, strerror(errno));
    return written;
}

bool bench_explore(bench_say *say, void *ctx) {
    struct closing closing = {0};
    struct report_growth rows[ORDERS_MAX];
    if (!close_documented(&closing))
        return false;
    say(ctx, "crash_worlds_judged", (double)closing.crash_worlds / closing.cpu_s,
        "per second and core");
    say(ctx, "close_at_once_slowest", closing.slowest_at_once_s, "s");
    say(ctx, "close_thresholds_slowest", closing.slowest_thresholds_s, "s");
    for (unsigned orders = 1; orders <= ORDERS_MAX; orders++) {
        char name[64];
        double seconds = 0;
        if (!explore_orders(orders, &rows[orders - 1], &seconds))
            return false;
        snprintf(name, sizeof name, "explore_%u_orders_distinct", orders);
        say(ctx, name, (double)rows[orders - 1].distinct, "crash worlds");
        snprintf(name, sizeof name, "explore_%u_orders", orders);
        say(ctx, name, seconds, "s");
    }
    return write_growth("reports/growth.svg", report_growth_svg, rows) &&
           write_growth("reports/growth.md", report_growth_table, rows);
}
