/* Reports that the options ask for, when all is run. */
#include "scenarios/cli/suite_reports.h"

#include "reports/github.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/sarif.h"
#include "reports/tap.h"
#include "scenarios/cli/baseline.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/codes.h"
#include "scenarios/lang/exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void complain(struct suite *suite, const char *path) {
    fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
    suite_worst(suite, EXIT_ENVIRONMENT);
}

/* ---- files ---- */

static bool write_junit(FILE *out, const struct suite *suite) {
    report_junit(out, suite->runs, suite->run_count);
    return true;
}

static bool write_tap(FILE *out, const struct suite *suite) {
    report_tap(out, suite->runs, suite->run_count);
    return true;
}

static const char *meaning_of(const char *text) {
    struct code code;
    if (strcmp(text, "sweep") == 0)
        return "one allocation or port call failed, and an invariant broke";
    return code_find(text, &code) ? code.meaning : NULL;
}

static bool write_sarif(FILE *out, const struct suite *suite) {
    return report_sarif(out, CRASHGATE_VERSION, meaning_of, suite->runs, suite->run_count);
}

static void write_file(struct suite *suite, enum option option,
                       bool (*write)(FILE *out, const struct suite *suite)) {
    const char *path = suite->options->value[option];
    FILE *out = path == NULL ? NULL : fopen(path, "w");
    bool written = out != NULL;
    if (path == NULL)
        return;
    if (written)
        written = write(out, suite) && ferror(out) == 0;
    written = (out == NULL || fclose(out) == 0) && written;
    if (!written)
        complain(suite, path);
}

static void close_json(struct suite *suite) {
    bool written = true;
    if (suite->json == NULL)
        return;
    written = report_json_totals(suite->json, &suite->totals);
    if ((ferror(suite->json) | fclose(suite->json)) != 0 || !written)
        complain(suite, suite->options->value[OPTION_JSON]);
    suite->json = NULL;
}

static void write_baseline(struct suite *suite) {
    const char *path = suite->options->value[OPTION_WRITE_BASELINE];
    if (path != NULL && !baseline_write(path, suite->runs, suite->run_count))
        complain(suite, path);
}

/* ---- GitHub ---- */

static bool knows(const void *ctx, const struct report_run *run) {
    return baseline_knows(ctx, run);
}

static const char *verdict_of(struct suite *suite, char *text, size_t size) {
    const struct report_totals *totals = &suite->totals;
    if (suite->verdict != NULL)
        return suite->verdict;
    snprintf(text, size, "%llu passed, %llu failed, %llu errors, %llu inconclusive; %llu runs",
             (unsigned long long)totals->scenarios[REPORT_PASS],
             (unsigned long long)totals->scenarios[REPORT_FAIL],
             (unsigned long long)totals->scenarios[REPORT_ERROR],
             (unsigned long long)totals->scenarios[REPORT_INCONCLUSIVE],
             (unsigned long long)totals->runs);
    return text;
}

/* What the step's summary still takes: other commands of the step may have written to it. */
static size_t room_in(FILE *out) {
    struct stat about;
    if (fstat(fileno(out), &about) != 0 || about.st_size >= REPORT_GITHUB_SUMMARY_MAX)
        return 0;
    return REPORT_GITHUB_SUMMARY_MAX - (size_t)about.st_size;
}

static void write_summary(struct suite *suite) {
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    char verdict[300];
    FILE *out = NULL;
    if (path == NULL || path[0] == '\0')
        return;
    out = fopen(path, "a");
    if (out != NULL)
        report_github_summary(out, verdict_of(suite, verdict, sizeof verdict), suite->runs,
                              suite->run_count, knows, suite->baseline, room_in(out));
    if (out == NULL || (ferror(out) | fclose(out)) != 0)
        complain(suite, path);
}

void suite_write_reports(struct suite *suite) {
    close_json(suite);
    write_file(suite, OPTION_JUNIT, write_junit);
    write_file(suite, OPTION_SARIF, write_sarif);
    write_file(suite, OPTION_TAP, write_tap);
    write_baseline(suite);
    if (suite->options->value[OPTION_GITHUB] == NULL)
        return;
    report_github_annotations(stdout, suite->runs, suite->run_count, knows, suite->baseline);
    write_summary(suite);
}
