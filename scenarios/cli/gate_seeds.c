/* Seeds as units of the gate: a small campaign each. */
#include "scenarios/cli/gate_seeds.h"

#include "fuzz/campaign.h"
#include "fuzz/finding.h"
#include "fuzz/generate.h"
#include "scenarios/cli/baseline.h"
#include "scenarios/cli/figures.h"
#include "scenarios/lang/codes.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    CANARIES = 5, /* of a unit: one costs as much as ten seeds, and one in ten shows the mistake */
    REPEAT_EVERY = 128,
    COMMAND_SIZE = 4400,
    FRESH_MOST = 1000000000
};

const char *gate_seeds_command(struct suite *suite, uint64_t first, uint64_t last) {
    const char *oms = suite->options->value[OPTION_OMS];
    char text[COMMAND_SIZE], to[32] = "";
    if (first != last)
        snprintf(to, sizeof to, "..%" PRIu64, last);
    snprintf(text, sizeof text, "%s fuzz --seeds %" PRIu64 "%s%s%s", suite->program, first, to,
             oms != NULL ? " --oms " : "", oms != NULL ? oms : "");
    return suite_keep(suite, text);
}

/* ---- findings ---- */

static bool is_first(const struct campaign_result *result, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (result->hits[i].invariant == result->hits[index].invariant)
            return false;
    }
    return true;
}

static uint64_t count_same(const struct campaign_result *result, size_t kept, int invariant) {
    uint64_t count = 0;
    for (size_t i = 0; i < kept; i++)
        count += result->hits[i].invariant == invariant;
    return count;
}

/* What broke, in the words of the judge: the timeline is played once more. */
static void say_what(const struct campaign_hit *hit, const struct sut *sut,
                     char text[RUN_HEADLINE_SIZE]) {
    struct timeline timeline;
    struct timeline_end end;
    if (hit->invariant == CAMPAIGN_PROGRAM_BROKE) {
        snprintf(text, RUN_HEADLINE_SIZE, "the program itself broke");
        return;
    }
    generate_timeline(hit->seed, &timeline);
    snprintf(text, RUN_HEADLINE_SIZE, "%s",
             timeline_play(&timeline, sut, &end) ? end.headline : end.why);
}

static void describe_hit(struct suite *suite, const struct campaign_hit *hit, const struct sut *sut,
                         const struct report_run *run, struct report_finding *finding) {
    char what[RUN_HEADLINE_SIZE], headline[RUN_HEADLINE_SIZE + 60],
        code[RUN_CODE_SIZE] = "program", fingerprint[BASELINE_FINGERPRINT_SIZE];
    if (hit->invariant != CAMPAIGN_PROGRAM_BROKE)
        snprintf(code, sizeof code, "I%d", hit->invariant);
    say_what(hit, sut, what);
    snprintf(headline, sizeof headline, "%s broke at seed %" PRIu64 ": %s", code, hit->seed, what);
    baseline_fingerprint(run, code, what, fingerprint);
    *finding = (struct report_finding){.code = suite_keep(suite, code),
                                       .headline = suite_keep(suite, headline),
                                       .plan = "",
                                       .replay = gate_seeds_command(suite, hit->seed, hit->seed),
                                       .shrunk = "",
                                       .fingerprint = suite_keep(suite, fingerprint)};
}

static void describe_hits(struct suite *suite, const struct campaign_result *result,
                          const struct sut *sut, struct report_run *run) {
    size_t kept = result->hit_count < CAMPAIGN_HITS_MAX ? result->hit_count : CAMPAIGN_HITS_MAX;
    struct report_finding *findings = check_zalloc(kept + 1, sizeof *findings);
    for (size_t i = 0; i < kept; i++) {
        if (!is_first(result, i))
            continue;
        describe_hit(suite, &result->hits[i], sut, run, &findings[run->finding_count]);
        findings[run->finding_count++].also =
            count_same(result, kept, result->hits[i].invariant) - 1;
    }
    run->findings = findings;
}

/* ---- a unit ---- */

static void describe(struct suite *suite, const struct work_unit *unit, const struct sut *sut,
                     const struct campaign_result *result, struct report_run *run) {
    char note[120] = "";
    if (result->unrepeatable > 0)
        snprintf(note, sizeof note,
                 "seed %" PRIu64 " took another path the second time, and %" PRIu64 " more did",
                 result->unrepeatable_seed, result->unrepeatable - 1);
    *run = (struct report_run){
        .scenario = suite_keep(suite, unit->id),
        .file = suite_keep(suite, unit->path),
        .line = unit->line,
        .oms = suite->oms_name,
        .profile = "",
        .crash = "",
        .door = "direct",
        .verdict = result->unrepeatable > 0 ? REPORT_ERROR
                   : result->hit_count > 0  ? REPORT_FAIL
                                            : REPORT_PASS,
        .note = suite_keep(suite, note),
        .code = result->unrepeatable > 0 ? run_code_text(RUN_CODE_NOT_REPEATABLE) : "",
        .runs = result->coverage.timelines,
        .runs_failed = result->hit_count,
        .crash_points = result->coverage.crashes,
        .lives = result->coverage.lives,
        .faults_fired = result->coverage.faults,
        .fingerprint = result->coverage.fingerprint};
    describe_hits(suite, result, sut, run);
}

static struct campaign_options campaign_of(const struct suite *suite, struct sut *narrowed) {
    *narrowed = *suite->options->sut;
    narrowed->claims = suite->options->claims;
    return (struct campaign_options){.sut = narrowed,
                                     .canary = &sut_seed_protocol,
                                     .canaries = CANARIES,
                                     .shard = 1,
                                     .shards = 1,
                                     .jobs = 1,
                                     .repeat_every = REPEAT_EVERY};
}

int gate_seeds_play(struct suite *suite, const struct work_unit *unit, struct record *record) {
    static struct campaign_result result;
    struct sut sut;
    struct campaign_options campaign = campaign_of(suite, &sut);
    CHECK(work_seeds(unit, &campaign.first, &campaign.last));
    if (!campaign_run(&campaign, &result)) {
        fprintf(stderr, "crashgate: %s: %s\n", unit->id, result.why);
        return EXIT_ENVIRONMENT;
    }
    record->seeds = result.coverage.timelines;
    record->canary = result.caught;
    record->repeated = result.repeated;
    record->different = result.unrepeatable;
    record->exit_code = result.unrepeatable > 0 ? EXIT_NOT_REPEATABLE
                        : result.hit_count > 0  ? EXIT_FAIL
                                                : EXIT_PASS;
    describe(suite, unit, &sut, &result, &record->report);
    record->has_report = true;
    return EXIT_PASS;
}

/* ---- fresh ones ---- */

static bool is_spent(void *ctx, uint64_t played, uint64_t of) {
    (void)played;
    (void)of;
    return figure_wall_s() >= *(const double *)ctx;
}

static void tell_hits(struct suite *suite, const struct campaign_result *result,
                      const struct sut *sut) {
    struct report_run run = {.scenario = "fresh seeds",
                             .file = "",
                             .oms = suite->oms_name,
                             .profile = "",
                             .crash = "",
                             .door = "direct",
                             .note = ""};
    describe_hits(suite, result, sut, &run);
    for (size_t i = 0; i < run.finding_count; i++)
        printf("extra: %s; %" PRIu64 " more like it\n  again: %s\n", run.findings[i].headline,
               run.findings[i].also, run.findings[i].replay);
    report_run_free(&run);
}

void gate_seeds_fresh(struct suite *suite, uint64_t first, double until, unsigned jobs) {
    static struct campaign_result result;
    struct sut sut;
    struct campaign_options campaign = campaign_of(suite, &sut);
    char played[FIGURE_SIZE];
    campaign.first = first;
    campaign.last = first + FRESH_MOST - 1;
    campaign.jobs = jobs;
    campaign.stop = is_spent;
    campaign.ctx = &until;
    if (!campaign_run(&campaign, &result))
        printf("extra: %s\n", result.why);
    if (result.played == 0)
        return;
    printf("extra: %s fresh seeds, %" PRIu64 " broke an invariant, %" PRIu64 " of %" PRIu64
           " went another way; they do not change the verdict\n  again: %s\n",
           figure_grouped(result.played, played), result.hit_count, result.unrepeatable,
           result.repeated, gate_seeds_command(suite, first, first + result.played - 1));
    tell_hits(suite, &result, &sut);
}
