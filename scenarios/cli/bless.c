/* crashgate run --bless: what a passing scenario was seen to do becomes its expectations.
 *
 * At each place a probe line is put into a copy of the file, and the state right before it is what
 * an expectation in that place will see. Only what all configurations agree on is written, and only
 * when the file with it passes. */
#include "scenarios/cli/moment.h"
#include "scenarios/cli/save.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES_MAX = 32, FACTS_MAX = 200, FACT_SIZE = 200 };

/* Always true, at any place. */
#define PROBE "kill-switch on or kill-switch off"

struct facts {
    char v[FACTS_MAX][FACT_SIZE];
    size_t n;
    bool begun; /* some configuration was looked at */
    bool missing;
};

struct blessing {
    struct suite *suite;
    const struct options *options;
    char *text; /* the file as it becomes */
    int line;   /* of the probe */
    struct facts *facts;
    size_t written, passed, failed;
};

/* ---- texts ---- */

static const char *after_line(const char *text, int line) {
    for (; line > 0 && *text != '\0'; line--) {
        const char *newline = strchr(text, '\n');
        text = newline == NULL ? text + strlen(text) : newline + 1;
    }
    return text;
}

/* The text with `more` put in below line `line`; the caller frees it. */
static char *with(const char *text, int line, const char *more) {
    const char *at = after_line(text, line);
    size_t before = (size_t)(at - text);
    bool ended = before == 0 || text[before - 1] == '\n';
    char *out = check_alloc(strlen(text) + strlen(more) + 3);
    sprintf(out, "%.*s%s%s%s", (int)before, text, ended ? "" : "\n", more, at);
    return out;
}

/* ---- facts ---- */

static bool holds_fact(const struct facts *facts, const char *fact) {
    for (size_t i = 0; i < facts->n; i++) {
        if (strcmp(facts->v[i], fact) == 0)
            return true;
    }
    return false;
}

static struct facts *read_facts(const char *text) {
    struct facts *facts = check_zalloc(1, sizeof *facts);
    while (*text != '\0' && facts->n < FACTS_MAX) {
        size_t length = strcspn(text, "\n");
        char fact[FACT_SIZE];
        CHECK(length < FACT_SIZE);
        snprintf(fact, sizeof fact, "%.*s", (int)length, text);
        if (!holds_fact(facts, fact))
            memcpy(facts->v[facts->n++], fact, sizeof fact);
        text += length + (text[length] == '\n');
    }
    return facts;
}

/* Keeps what this configuration says, too. */
static void keep_common(struct facts *facts, const char *text) {
    struct facts *seen = read_facts(text);
    size_t kept = 0;
    if (!facts->begun) {
        *facts = *seen;
        facts->begun = true;
    } else {
        for (size_t i = 0; i < facts->n; i++) {
            if (holds_fact(seen, facts->v[i]))
                memmove(facts->v[kept++], facts->v[i], FACT_SIZE);
        }
        facts->n = kept;
    }
    free(seen);
}

/* ---- looking ---- */

static void probe_one(void *ctx, const struct scenario *scenario, const struct run_config *config) {
    struct blessing *blessing = ctx;
    struct run_options run;
    struct run_result result;
    if (!suite_run_options(blessing->suite, config, blessing->options->sut,
                           blessing->options->claims, &run))
        return;
    run.until = blessing->line;
    run_scenario(scenario, config, &run, &result);
    if (result.facts != NULL)
        keep_common(blessing->facts, result.facts);
    else
        blessing->facts->missing = true;
    run_result_free(&result);
}

static void judge_one(void *ctx, const struct scenario *scenario, const struct run_config *config) {
    struct blessing *blessing = ctx;
    struct run_result result;
    if (!suite_perform(blessing->suite, scenario, config, blessing->options->sut,
                       blessing->options->claims, &result))
        return;
    blessing->passed += result.verdict == RUN_PASS;
    blessing->failed += result.verdict != RUN_PASS;
    run_result_free(&result);
}

/* Does something with every configuration of the scenario that begins on `line` of `text`. False:
 * the text has mistakes, which were told. */
static bool each_configuration(struct blessing *blessing, const char *path, const char *text,
                               int line, suite_each *each) {
    struct scenario_file file;
    struct diags diags = {0};
    bool parsed = scenario_parse(path, text, strlen(text), &file, &diags);
    if (!parsed) {
        diags_write(&diags, DIAG_LONG, stderr);
        diags_summary(&diags, path, stderr);
    }
    for (size_t i = 0; i < file.count; i++) {
        if (file.scenarios[i].place.line == line)
            suite_configurations(&file.scenarios[i], blessing->options, blessing->suite->doors,
                                 each, blessing);
    }
    diags_free(&diags);
    scenario_free(&file);
    return parsed;
}

static bool passes(struct blessing *blessing, const char *path, const char *text, int line) {
    blessing->passed = blessing->failed = 0;
    return each_configuration(blessing, path, text, line, judge_one) && blessing->failed == 0 &&
           blessing->passed > 0;
}

/* Whether the scenario says so already at its end. */
static bool is_written(const struct scenario *scenario, const char *fact) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        char text[SCN_LINE_BYTES_MAX] = "";
        FILE *memory = fmemopen(text, sizeof text - 1, "w");
        CHECK(memory != NULL);
        scenario_print_line(scenario, &scenario->lines[i], memory);
        fclose(memory);
        if (scenario->lines[i].statement == SCN_FINALLY &&
            strcmp(text + strlen("finally "), fact) == 0)
            return true;
    }
    return false;
}

/* A paragraph of `always` and `finally` is there already. */
static bool ends_in_checks(const struct scenario *scenario) {
    const struct scn_line *last = &scenario->lines[scenario->line_count - 1];
    return scn_statement_sort(last->statement) == SCN_CHECK &&
           last->when.base == SCN_FROM_BEGINNING;
}

/* What is observed below line `line`, as lines; `at_end`: once the world is quiet. */
static bool bless_place(struct blessing *blessing, const char *path,
                        const struct scenario *scenario, int line, bool at_end) {
    const char *lead = at_end ? "  finally   " : "            expect ";
    char *lines = check_zalloc(FACTS_MAX, FACT_SIZE + 40), *probed = NULL, *blessed = NULL;
    struct facts *facts = check_zalloc(1, sizeof *facts);
    bool done = false;
    snprintf(lines, FACT_SIZE, "%s%s\n", lead, PROBE);
    probed = with(blessing->text, line, lines);
    blessing->line = line + 1;
    blessing->facts = facts;
    done = each_configuration(blessing, path, probed, scenario->place.line, probe_one);
    if (done && facts->missing) {
        fprintf(stderr, "crashgate: %s:%d never happened\n", path, line);
        done = false;
    }
    lines[0] = '\0';
    for (size_t i = 0; done && i < facts->n; i++) {
        if (at_end && is_written(scenario, facts->v[i]))
            continue;
        sprintf(lines + strlen(lines), "%s%s%s  # observed\n",
                lines[0] == '\0' && at_end && !ends_in_checks(scenario) ? "\n" : "", lead,
                facts->v[i]);
        blessing->written++;
    }
    blessed = with(blessing->text, line, lines);
    free(blessing->text);
    blessing->text = blessed;
    free(probed);
    free(facts);
    free(lines);
    return done;
}

/* ---- the command ---- */

/* "12,17", falling; 0: said on standard error. */
static size_t read_places(const char *text, int places[PLACES_MAX]) {
    size_t n = 0;
    while (text != NULL && *text != '\0') {
        char *end = NULL;
        long line = strtol(text, &end, 10);
        if (line < 1 || line > 1000000 || (*end != '\0' && *end != ',') || n == PLACES_MAX ||
            (n > 0 && line <= places[n - 1])) {
            fprintf(stderr, "crashgate: --after takes at most %d rising line numbers, not '%s'\n",
                    PLACES_MAX, text);
            return 0;
        }
        places[n++] = (int)line;
        text = *end == ',' ? end + 1 : end;
    }
    return n;
}

static int last_line(const struct scenario *scenario) {
    return scenario->lines[scenario->line_count - 1].place.line;
}

static bool is_line(const struct scenario *scenario, int number) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->place.line == number)
            return line->when.base != SCN_FROM_BEGINNING;
    }
    return false;
}

static bool bless_places(struct blessing *blessing, const char *path,
                         const struct scenario *scenario) {
    const char *after = blessing->options->value[OPTION_AFTER];
    int places[PLACES_MAX];
    size_t n = read_places(after, places);
    if (after == NULL)
        return bless_place(blessing, path, scenario, last_line(scenario), true);
    /* From the last one up, so that the lines above keep their numbers. */
    for (size_t i = n; i-- > 0;) {
        if (!is_line(scenario, places[i])) {
            fprintf(stderr, "crashgate: %s:%d is no line of the scenario that has a time\n", path,
                    places[i]);
            return false;
        }
        if (!bless_place(blessing, path, scenario, places[i], false))
            return false;
    }
    return n > 0;
}

static int bless_scenario(struct blessing *blessing, const char *path,
                          const struct scenario *scenario) {
    int line = scenario->place.line;
    if (scenario->quantified) {
        fprintf(stderr,
                "crashgate: %s:%d: 'anywhere' means many runs that differ; only a scenario that is "
                "one run can be blessed\n",
                path, line);
        return EXIT_MISTAKE;
    }
    if (!passes(blessing, path, blessing->text, line)) {
        fprintf(stderr, "crashgate: %s:%d does not pass as it is; nothing was written\n", path,
                line);
        return EXIT_FAIL;
    }
    if (!bless_places(blessing, path, scenario))
        return EXIT_MISTAKE;
    if (!passes(blessing, path, blessing->text, line)) {
        fprintf(stderr, "crashgate: %s:%d does not pass with what was observed; nothing written\n",
                path, line);
        return EXIT_FAIL;
    }
    if (blessing->written > 0 &&
        !save_file(path, blessing->text, strlen(blessing->text), SAVE_REPLACE))
        return EXIT_ENVIRONMENT;
    printf("%s:%d: %zu line%s written, marked '# observed'; read them before you trust them\n",
           path, line, blessing->written, blessing->written == 1 ? "" : "s");
    return EXIT_PASS;
}

/* The scenario that is meant: the only one, or the one on the line that was given. */
static const struct scenario *meant(const struct scenario_file *file, const char *path, int line) {
    for (size_t i = 0; i < file->count; i++) {
        if (file->count == 1 || file->scenarios[i].place.line == line)
            return &file->scenarios[i];
    }
    fprintf(stderr, "crashgate: which scenario? add the line it begins on: %s:LINE\n", path);
    return NULL;
}

int command_bless(const struct options *options, const char *program) {
    struct suite suite;
    struct blessing blessing = {.suite = &suite, .options = options};
    struct scenario_file file = {0};
    struct diags diags = {0};
    const struct scenario *scenario = NULL;
    char path[4096];
    int line = 0;
    size_t length = 0;
    if (options->file_count != 1 || options->has_plan) {
        fprintf(stderr, "crashgate: run --bless takes one FILE[:LINE], and no plan\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_split_line(options->files[0], path, sizeof path, &line);
    blessing.text = read_whole(path, &length);
    if (blessing.text == NULL)
        suite_worst(&suite, EXIT_MISTAKE);
    else if (!scenario_parse(path, blessing.text, length, &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        diags_summary(&diags, path, stderr);
        suite_worst(&suite, EXIT_MISTAKE);
    } else {
        scenario = meant(&file, path, line);
        suite_worst(&suite,
                    scenario == NULL ? EXIT_MISTAKE : bless_scenario(&blessing, path, scenario));
    }
    diags_free(&diags);
    scenario_free(&file);
    free(blessing.text);
    return suite_close(&suite);
}
