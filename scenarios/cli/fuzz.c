/* crashgate fuzz --seeds A..B: plays a timeline for each seed, and tells what broke, shrunk. */
#include "scenarios/cli/fuzz.h"

#include "fuzz/finding.h"
#include "fuzz/generate.h"
#include "scenarios/cli/afl.h"
#include "scenarios/cli/bug.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/figures.h"
#include "scenarios/cli/numbers.h"
#include "scenarios/cli/save.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOLD_MAX = 10, PATH_SIZE = 4096, REPEAT_EVERY = 256, SHARDS_MAX = 1000000 };

/* ---- the command line ---- */

static bool refuse(const char *option, const char *rule, const char *text) {
    fprintf(stderr, "crashgate: %s is %s, not '%s'\n", option, rule, text);
    return false;
}

static bool read_seeds(const char *text, struct campaign_options *campaign) {
    if (text == NULL) {
        fprintf(stderr, "crashgate: 'fuzz' needs --seeds A..B\n");
        return false;
    }
    return number_read_range(text, &campaign->first, &campaign->last) ||
           refuse("--seeds", "A..B, whole numbers with A <= B, or one number", text);
}

static bool read_shard(const char *text, struct campaign_options *campaign) {
    static const char rule[] = "I/N, whole numbers with 1 <= I <= N";
    uint64_t shard = 0, shards = 0;
    const char *at = text;
    if (text == NULL)
        return true;
    if (!number_take(&at, &shard) || *at++ != '/' || !number_take(&at, &shards) || *at != '\0' ||
        shard < 1 || shard > shards || shards > SHARDS_MAX)
        return refuse("--shard", rule, text);
    campaign->shard = (unsigned)shard;
    campaign->shards = (unsigned)shards;
    return true;
}

/* ---- the budget, and progress on a terminal ---- */

struct clockwork {
    double until_s; /* 0: no budget */
    double told_s;
};

static bool look_at_clock(void *ctx, uint64_t played, uint64_t of) {
    struct clockwork *clockwork = ctx;
    double now_s = figure_wall_s();
    if (isatty(STDERR_FILENO) && now_s - clockwork->told_s > 0.5) {
        char some[FIGURE_SIZE], all[FIGURE_SIZE];
        fprintf(stderr, "\r%s of %s timelines ", figure_grouped(played, some),
                figure_grouped(of, all));
        clockwork->told_s = now_s;
    }
    return clockwork->until_s > 0 && now_s >= clockwork->until_s;
}

static void end_progress(const struct clockwork *clockwork) {
    if (clockwork->told_s > 0)
        fputs("\r\033[K", stderr);
}

/* ---- what was found ---- */

static bool make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "crashgate: cannot make %s: %s\n", path, strerror(errno));
    return false;
}

static void tell_command(uint64_t seed, const char *oms, const char *program) {
    printf("  again: %s fuzz --seeds %" PRIu64 "%s%s\n", program, seed,
           oms != NULL ? " --oms " : "", oms != NULL ? oms : "");
}

/* The scenario, and above it where it is from and what its plan is. The finding's plan is moved
 * along. */
static bool save_hit(const char *path, uint64_t seed, const char *oms, struct finding *finding) {
    struct bug_head head = {.has_plan = true};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    CHECK(out != NULL);
    snprintf(head.found, sizeof head.found, "%.200s, crashgate %s, fuzz seed %" PRIu64,
             oms != NULL ? oms : "core", CRASHGATE_VERSION, seed);
    bug_plan_move(&finding->end.plan, bug_head_lines(&head));
    head.plan = finding->end.plan;
    bug_head_write(&head, out);
    fwrite(finding->scenario, 1, finding->scenario_length, out);
    fclose(out);
    bool saved = save_file(path, text, length, SAVE_REPLACE);
    free(text);
    return saved;
}

/* Shrinks it, tells it, saves it. */
static int tell_hit(const struct options *options, const struct campaign_hit *hit,
                    const char *program) {
    const char *folder = options->value[OPTION_SAVE], *oms = options->value[OPTION_OMS];
    struct timeline timeline;
    struct finding finding;
    char path[PATH_SIZE];
    int exit_code = EXIT_FAIL;
    printf("\nseed %" PRIu64 ": ", hit->seed);
    if (hit->invariant == CAMPAIGN_PROGRAM_BROKE) {
        printf("the program itself broke while it was played\n");
        tell_command(hit->seed, oms, program);
        return EXIT_FAIL;
    }
    generate_timeline(hit->seed, &timeline);
    if (!finding_make(&timeline, options->sut, true, &finding)) {
        printf("breaks nothing when it is played here %s\n", finding.why);
        return EXIT_NOT_REPEATABLE;
    }
    finding_headline(&finding.end, stdout);
    fwrite(finding.scenario, 1, finding.scenario_length, stdout);
    tell_command(hit->seed, oms, program);
    if (folder != NULL) {
        snprintf(path, sizeof path, "%s/seed-%" PRIu64 ".scn", folder, hit->seed);
        if (!save_hit(path, hit->seed, oms, &finding))
            exit_code = EXIT_ENVIRONMENT;
        printf("  and, shrunk: ");
        finding_command(&finding, path, oms, stdout);
    }
    if (!finding.replays)
        printf("  the scenario does not repeat it: %s\n", finding.why);
    finding_free(&finding);
    return exit_code;
}

/* The first of each invariant, simplest told in full; the others by their seeds. */
static bool is_told(const struct campaign_result *result, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (result->hits[i].invariant == result->hits[index].invariant)
            return false;
    }
    return true;
}

static int tell_hits(const struct options *options, const struct campaign_result *result,
                     const char *program) {
    int exit_code = EXIT_PASS;
    size_t kept = result->hit_count < CAMPAIGN_HITS_MAX ? result->hit_count : CAMPAIGN_HITS_MAX;
    size_t told = 0;
    for (size_t i = 0; i < kept; i++) {
        int ended = is_told(result, i) ? tell_hit(options, &result->hits[i], program) : EXIT_PASS;
        exit_code = ended > exit_code ? ended : exit_code;
    }
    for (size_t i = 0; i < kept && told < TOLD_MAX; i++) {
        if (is_told(result, i))
            continue;
        printf("%sI%d by seed %" PRIu64, told++ == 0 ? "\nalso: " : ", ", result->hits[i].invariant,
               result->hits[i].seed);
    }
    if (told > 0)
        putchar('\n');
    return exit_code;
}

int command_fuzz(const struct options *options, const char *program) {
    static struct campaign_result result;
    struct campaign_options campaign = {.sut = options->sut,
                                        .canary = &sut_seed_protocol,
                                        .canaries = CAMPAIGN_CANARIES,
                                        .shard = 1,
                                        .shards = 1};
    unsigned long jobs = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN), seconds = 0;
    unsigned long repeat_every = REPEAT_EVERY;
    struct clockwork clockwork = {0};
    struct fuzz_verdict verdict;
    if (options->file_count > 0 && afl_is_verb(options->files[0]))
        return command_afl(options);
    if (options->file_count > 0) {
        fprintf(stderr, "crashgate: 'fuzz' takes no '%s': it is start, status, stop or resume\n",
                options->files[0]);
        return EXIT_MISTAKE;
    }
    if (!read_seeds(options->value[OPTION_SEEDS], &campaign) ||
        !read_shard(options->value[OPTION_SHARD], &campaign) ||
        !options_number("--budget", options->value[OPTION_BUDGET], 1, 1000000, &seconds) ||
        !options_number("--repeat", options->value[OPTION_REPEAT_EVERY], 0, 1000000,
                        &repeat_every) ||
        !options_number("--jobs", options->value[OPTION_JOBS], 1, CAMPAIGN_JOBS_MAX, &jobs))
        return EXIT_MISTAKE;
    if (options->value[OPTION_SAVE] != NULL && !make_folder(options->value[OPTION_SAVE]))
        return EXIT_ENVIRONMENT;
    disk_vfs_register();
    campaign.jobs = (unsigned)(jobs < 1 ? 1 : jobs > CAMPAIGN_JOBS_MAX ? CAMPAIGN_JOBS_MAX : jobs);
    campaign.repeat_every = (unsigned)repeat_every;
    clockwork.until_s = seconds > 0 ? figure_wall_s() + (double)seconds : 0;
    campaign.stop = look_at_clock;
    campaign.ctx = &clockwork;
    campaign_run(&campaign, &result);
    end_progress(&clockwork);
    verdict = fuzz_judge(&result);
    fuzz_print(&campaign, &result, &verdict);
    fflush(stdout);
    if (options->value[OPTION_JSON] != NULL &&
        !fuzz_write_json(options->value[OPTION_JSON], &campaign, &result, &verdict))
        verdict.exit_code = EXIT_ENVIRONMENT;
    if (result.hit_count > 0) {
        int told = tell_hits(options, &result, program);
        verdict.exit_code = told > verdict.exit_code ? told : verdict.exit_code;
    }
    return verdict.exit_code;
}
