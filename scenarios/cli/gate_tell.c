/* What a gate's results come to, for people. */
#include "scenarios/cli/gate_tell.h"

#include "faultinject/catalogue.h"
#include "scenarios/cli/baseline.h"
#include "scenarios/cli/figures.h"
#include "scenarios/lang/exits.h"

#include <inttypes.h>
#include <string.h>

enum { LINE_WIDTH = 120 };

/* Audits ask whether the key of the search is right, not whether the OMS is: one merged world for
 * one in so many kept ones. Every wrong key of `explore` is noticed with one in 16, too. */
enum { AUDITS = 1, AUDIT_EVERY = 8 };

struct explore_options gate_explores(const struct options *options) {
    struct explore_options explore = explore_defaults(options);
    explore.delays = EXPLORE_AT_ONCE;
    explore.audits = AUDITS;
    explore.audit_every = AUDIT_EVERY;
    return explore;
}

static bool is_done(const struct results *results, size_t unit, enum work_kind kind) {
    return results->work.v[unit].kind == kind && results->records[unit] != NULL;
}

/* A failure's block, then what else was said. */
static void tell_record(struct suite *suite, const struct record *record) {
    if (record->has_report && record->report.verdict != REPORT_PASS)
        report_terminal_run(&suite->terminal, &record->report);
    if (record->told[0] != '\0')
        report_terminal_text(&suite->terminal, record->told);
}

static size_t tell_kind(struct suite *suite, const struct results *results, enum work_kind kind) {
    size_t told = 0;
    for (size_t i = 0; i < results->work.n; i++) {
        if (!is_done(results, i, kind))
            continue;
        tell_record(suite, results->records[i]);
        told++;
    }
    return told;
}

/* ---- the bug base ---- */

void gate_tell_bugs(struct suite *suite, const struct results *results) {
    size_t played = 0, pass = 0, back = 0, fixed = 0;
    report_terminal_text(&suite->terminal, ""); /* no progress line stands in the way */
    tell_kind(suite, results, WORK_BUG);
    for (size_t i = 0; i < results->work.n; i++) {
        const struct record *record = results->records[i];
        if (!is_done(results, i, WORK_BUG))
            continue;
        played++;
        pass += record->exit_code == EXIT_PASS;
        fixed += record->exit_code == EXIT_FIXED;
        back += record->came_back > 0;
    }
    printf("bugs of the base: %zu played, %zu stay fixed, %zu came back, %zu fixed and not yet "
           "marked\n",
           played, pass, back, fixed);
    fflush(stdout);
}

/* ---- the scenarios ---- */

struct file_counts {
    size_t configurations, passed;
    uint64_t runs, crash_points, faults;
};

static void count_run(struct file_counts *counts, const struct report_run *run) {
    counts->configurations++;
    counts->passed += run->verdict == REPORT_PASS;
    counts->runs += run->runs;
    counts->crash_points += run->crash_points;
    counts->faults += run->faults_fired;
}

/* Scenarios of a file that were run, whatever the order of their configurations. */
static size_t scenarios_of(const struct results *results, size_t first, size_t end) {
    size_t scenarios = 0;
    for (size_t i = first; i < end; i++) {
        bool seen = !is_done(results, i, WORK_RUN);
        for (size_t j = first; j < i && !seen; j++)
            seen =
                is_done(results, j, WORK_RUN) && results->work.v[j].line == results->work.v[i].line;
        scenarios += !seen;
    }
    return scenarios;
}

size_t gate_tell_file(struct suite *suite, const struct results *results, size_t first) {
    const struct work_unit *units = results->work.v;
    struct file_counts counts = {0};
    char runs[FIGURE_SIZE], points[FIGURE_SIZE], faults[FIGURE_SIZE];
    size_t i = first;
    for (; i < results->work.n && units[i].kind == WORK_RUN &&
           strcmp(units[i].path, units[first].path) == 0;
         i++) {
        if (!is_done(results, i, WORK_RUN))
            continue;
        tell_record(suite, results->records[i]);
        if (results->records[i]->has_report)
            count_run(&counts, &results->records[i]->report);
    }
    if (counts.configurations == 0)
        return i;                               /* another shard's */
    report_terminal_text(&suite->terminal, ""); /* no progress line stands in the way */
    printf("%s  %zu in %2zu configurations: %6s runs, %5s crash points, %6s faults  %s\n",
           counts.passed == counts.configurations ? "PASS" : "FAIL",
           scenarios_of(results, first, i), counts.configurations,
           figure_grouped(counts.runs, runs), figure_grouped(counts.crash_points, points),
           figure_grouped(counts.faults, faults), units[first].path);
    fflush(stdout);
    return i;
}

void gate_tell_files(struct suite *suite, const struct results *results) {
    for (size_t i = 0; i < results->work.n && results->work.v[i].kind == WORK_RUN;)
        i = gate_tell_file(suite, results, i);
}

/* ---- faults ---- */

struct faults {
    unsigned long tallies[FAULT_TALLIES];
    uint64_t called;
};

static void sum_faults(const struct results *results, struct faults *faults) {
    *faults = (struct faults){0};
    for (size_t i = 0; i < results->work.n; i++) {
        if (!is_done(results, i, WORK_RUN))
            continue;
        faults->called |= results->records[i]->called;
        for (size_t j = 0; j < FAULT_TALLIES; j++)
            faults->tallies[j] += results->records[i]->tallies[j];
    }
}

/* A kind that never struck, though it could have. */
static bool is_missing(const struct faults *faults, size_t tally) {
    return faults->tallies[tally] == 0 && (faults->called >> fault_tally_op(tally) & 1) != 0;
}

/* Every kind of fault with how often it struck. Returns how many never did. */
static unsigned tell_faults(const struct faults *faults) {
    unsigned kinds = 0, missing = 0;
    int column = printf("faults fired:");
    for (size_t i = 0; i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE], count[FIGURE_SIZE], text[FAULT_TALLY_SIZE + FIGURE_SIZE + 2];
        int length = 0;
        if (!fault_tally_name(i, name))
            continue;
        kinds++;
        missing += is_missing(faults, i);
        length =
            snprintf(text, sizeof text, " %s %s,", name, figure_grouped(faults->tallies[i], count));
        if (column + length > LINE_WIDTH)
            column = printf("\n ") - 1;
        column += printf("%s", text);
    }
    printf(" %u kinds, %u never fired\n", kinds, missing);
    return missing;
}

/* A kind that never fired is a promise not kept, once everything was tried. */
static void judge_faults(struct suite *suite, const struct results *results) {
    struct faults faults;
    sum_faults(results, &faults);
    if (tell_faults(&faults) == 0 || !results_complete(results))
        return;
    for (size_t i = 0; i < FAULT_TALLIES; i++) {
        char name[FAULT_TALLY_SIZE];
        if (!fault_tally_name(i, name) || faults.tallies[i] > 0)
            continue;
        if (is_missing(&faults, i))
            printf("FAIL  no scenario makes '%s' happen\n", name);
        else
            printf("'%s' cannot happen: this OMS never makes that call\n", name);
    }
    suite_worst(suite, EXIT_FAIL);
}

/* ---- the rest ---- */

struct gate_sums {
    size_t stay_fixed, repeated, different, planted, caught, runs;
    uint64_t seeds_repeated, seeds_different, seeds_broke, seed_lives, seed_crashes, seed_faults;
    struct sweep_count swept[SWEEP_KINDS], all_swept;
    struct manifest counted;
    struct explore_totals explored;
};

static void add_exploration(struct explore_totals *totals, const struct record *record) {
    totals->explorations++;
    totals->closed += record->closed;
    totals->lives += record->report.lives;
    totals->crash_worlds += record->crash_worlds;
    totals->distinct += record->distinct;
    totals->audited += record->audited;
    totals->mismatches += record->mismatches;
    totals->slowly += record->slowly;
    if (record->deepest > totals->deepest)
        totals->deepest = (unsigned)record->deepest;
}

static void add_run(struct gate_sums *sums, const struct record *record) {
    sums->runs++;
    sums->counted.runs += record->report.runs;
    sums->counted.crash_points += record->report.crash_points;
    sums->counted.lives += record->report.lives;
    sums->counted.faults_fired += record->report.faults_fired;
}

static void add_seeds(struct gate_sums *sums, const struct record *record) {
    sums->counted.seeds += record->seeds;
    sums->counted.canary += record->canary;
    sums->seeds_repeated += record->repeated;
    sums->seeds_different += record->different;
    sums->seeds_broke += record->report.runs_failed;
    sums->seed_lives += record->report.lives;
    sums->seed_crashes += record->report.crash_points;
    sums->seed_faults += record->report.faults_fired;
}

static void add_record(struct gate_sums *sums, enum work_kind kind, const struct record *record) {
    switch (kind) {
    case WORK_BUG:
        sums->counted.bugs++;
        sums->stay_fixed += record->exit_code == EXIT_PASS;
        break;
    case WORK_RUN:
        add_run(sums, record);
        break;
    case WORK_REPEAT:
        sums->repeated += record->repeated;
        sums->different += record->different;
        break;
    case WORK_EXPLORE:
        add_exploration(&sums->explored, record);
        break;
    case WORK_SWEEP:
        for (int i = 0; i < SWEEP_KINDS; i++) {
            sums->swept[i].tried += record->swept[i].tried;
            sums->all_swept.tried += record->swept[i].tried;
            sums->all_swept.broke += record->swept[i].broke;
        }
        break;
    case WORK_SEEDS:
        add_seeds(sums, record);
        break;
    case WORK_KNOWN_BAD:
        sums->planted++;
        sums->caught += record->caught;
        break;
    case WORK_KIND_COUNT:
        break;
    }
}

static bool is_scenario(const struct results *results, size_t i) {
    return is_done(results, i, WORK_RUN) || is_done(results, i, WORK_EXPLORE);
}

static uint64_t count_scenarios(const struct results *results) {
    const struct work_unit *units = results->work.v;
    uint64_t scenarios = 0;
    for (size_t i = 0; i < results->work.n; i++) {
        bool seen = !is_scenario(results, i);
        for (size_t j = 0; j < i && !seen; j++)
            seen = units[j].line == units[i].line && is_scenario(results, j) &&
                   strcmp(units[j].path, units[i].path) == 0;
        scenarios += !seen;
    }
    return scenarios;
}

static struct gate_sums sum_up(const struct results *results) {
    struct gate_sums sums = {0};
    for (size_t i = 0; i < results->work.n; i++) {
        if (results->records[i] != NULL)
            add_record(&sums, results->work.v[i].kind, results->records[i]);
    }
    sums.counted.scenarios = count_scenarios(results);
    sums.counted.closed = sums.explored.closed;
    sums.counted.crash_worlds = sums.explored.crash_worlds;
    sums.counted.swept = sums.all_swept.tried;
    sums.counted.known_bad = sums.caught;
    return sums;
}

static void tell_sweeps(struct suite *suite, const struct results *results,
                        const struct gate_sums *sums) {
    size_t swept = tell_kind(suite, results, WORK_SWEEP);
    printf("swept in %zu configurations:", swept);
    for (int kind = 0; kind < SWEEP_KINDS; kind++)
        printf(" %lu %ss,", sums->swept[kind].tried, sweep_kind_name(kind));
    printf(" %lu broke it\n", sums->all_swept.broke);
}

static void tell_seeds(struct suite *suite, const struct results *results,
                       const struct gate_sums *sums) {
    char seeds[FIGURE_SIZE], lives[FIGURE_SIZE], crashes[FIGURE_SIZE], faults[FIGURE_SIZE];
    tell_kind(suite, results, WORK_SEEDS);
    printf("seeds: %s timelines, %s lives, %s crashes, %s faults struck, %" PRIu64
           " broke an invariant; %" PRIu64 " repeated, %" PRIu64
           " went another way; seed-protocol caught by %" PRIu64 "\n",
           figure_grouped(sums->counted.seeds, seeds), figure_grouped(sums->seed_lives, lives),
           figure_grouped(sums->seed_crashes, crashes), figure_grouped(sums->seed_faults, faults),
           sums->seeds_broke, sums->seeds_repeated, sums->seeds_different, sums->counted.canary);
}

static void tell_explored_file(const struct explore_totals *of, const char *path) {
    char lives[FIGURE_SIZE], worlds[FIGURE_SIZE], distinct[FIGURE_SIZE];
    if (of->explorations == 0)
        return;
    printf("%s  %lu explorations: %6s lives, %9s crash worlds, %5s distinct, deepest %u  %s\n",
           of->explorations == of->closed ? "CLOSED" : "FAIL  ", of->explorations,
           figure_grouped(of->lives, lives), figure_grouped(of->crash_worlds, worlds),
           figure_grouped(of->distinct, distinct), of->deepest, path);
}

static void tell_explorations(struct suite *suite, const struct results *results,
                              const struct gate_sums *sums) {
    struct explore_options explore = gate_explores(suite->options);
    struct explore_totals file = {0};
    const char *path = "";
    for (size_t i = 0; i < results->work.n; i++) {
        if (!is_done(results, i, WORK_EXPLORE))
            continue;
        if (strcmp(path, results->work.v[i].path) != 0) {
            tell_explored_file(&file, path);
            file = (struct explore_totals){0};
        }
        path = results->work.v[i].path;
        tell_record(suite, results->records[i]);
        add_exploration(&file, results->records[i]);
    }
    tell_explored_file(&file, path);
    explore_tell_totals(&sums->explored, &explore);
}

void gate_tell_rest(struct suite *suite, const struct results *results) {
    struct gate_sums sums = sum_up(results);
    judge_faults(suite, results);
    tell_kind(suite, results, WORK_KNOWN_BAD);
    tell_kind(suite, results, WORK_REPEAT);
    printf("repeated: %zu of %zu configurations, %zu went another way\n", sums.repeated, sums.runs,
           sums.different);
    tell_sweeps(suite, results, &sums);
    tell_seeds(suite, results, &sums);
    tell_explorations(suite, results, &sums);
}

/* ---- the verdict ---- */

/* What one unit asks for, when what is known does not count. */
static int exit_of(const struct suite *suite, enum work_kind kind, const struct record *record) {
    bool may_be_known = kind == WORK_RUN || kind == WORK_EXPLORE || kind == WORK_SWEEP ||
                        kind == WORK_SEEDS || (kind == WORK_BUG && record->came_back == 0);
    if (may_be_known && record->exit_code == EXIT_FAIL && record->has_report &&
        baseline_knows(suite->baseline, &record->report))
        return EXIT_PASS;
    return record->exit_code;
}

static void judge_and_report(struct suite *suite, struct results *results) {
    for (size_t i = 0; i < results->work.n; i++) {
        struct record *record = results->records[i];
        if (record == NULL)
            continue;
        suite_worst(suite, exit_of(suite, results->work.v[i].kind, record));
        if (!record->has_report)
            continue;
        suite_report(suite, &record->report);
        record->report = (struct report_run){0};
        record->has_report = false;
    }
}

static void print_verdict(struct suite *suite, const struct gate_sums *sums) {
    char runs[FIGURE_SIZE], points[FIGURE_SIZE], lives[FIGURE_SIZE], faults[FIGURE_SIZE],
        worlds[FIGURE_SIZE], sweeps[FIGURE_SIZE], seeds[FIGURE_SIZE];
    const struct manifest *counted = &sums->counted;
    const char *word = suite->exit_code == EXIT_PASS           ? "PASS"
                       : suite->exit_code == EXIT_FIXED        ? "FIXED"
                       : suite->exit_code == EXIT_INCONCLUSIVE ? "INCONCLUSIVE"
                                                               : "FAIL";
    char line[700];
    snprintf(line, sizeof line,
             "gate: %s  %" PRIu64
             " scenarios, %s runs, %s crash points, %s lives, %s faults fired, "
             "%" PRIu64
             " of %lu explorations closed (%s crash worlds), %s failures swept, %lu broke it, "
             "%zu of %" PRIu64 " bugs stay fixed, %s seeds, %zu of %zu known-bad caught, %s",
             word, counted->scenarios, figure_grouped(counted->runs, runs),
             figure_grouped(counted->crash_points, points), figure_grouped(counted->lives, lives),
             figure_grouped(counted->faults_fired, faults), counted->closed,
             sums->explored.explorations, figure_grouped(counted->crash_worlds, worlds),
             figure_grouped(sums->all_swept.tried, sweeps), sums->all_swept.broke, sums->stay_fixed,
             counted->bugs, figure_grouped(counted->seeds, seeds), sums->caught, sums->planted,
             sums->different + sums->seeds_different == 0 ? "repeats equal" : "REPEATS DIFFER");
    suite->verdict = suite_keep(suite, line);
    puts(line);
}

void gate_verdict(struct suite *suite, struct results *results) {
    struct gate_sums sums = sum_up(results);
    if (results_complete(results)) {
        if (!manifest_kept(&results->promised, &sums.counted, results->manifest, stdout))
            suite_worst(suite, EXIT_FAIL);
    } else {
        char missing[RESULTS_WHY_SIZE];
        results_missing(results, missing);
        printf("MISSING  %s: %zu of %zu units have results\n", missing, results_done(results),
               results->work.n);
        suite_worst(suite, EXIT_INCONCLUSIVE);
    }
    judge_and_report(suite, results);
    baseline_tell(suite->baseline, suite->runs, suite->run_count, results_complete(results),
                  stdout);
    print_verdict(suite, &sums);
}

void gate_shard_verdict(struct suite *suite, struct results *results, struct work_shard shard) {
    judge_and_report(suite, results);
    baseline_tell(suite->baseline, suite->runs, suite->run_count, false, stdout);
    printf("gate: shard %u/%u %s  %zu of %zu units; 'crashgate merge' gives the verdict of all\n",
           shard.index, shard.of, suite->exit_code == EXIT_PASS ? "PASS" : "FAIL",
           results_done(results), results->work.n);
}
