/* crashgate fuzz start|status|stop|resume: the command line, and how a campaign ends. */
#include "scenarios/cli/afl.h"

#include "fuzz/inputs/inputs.h"
#include "scenarios/cli/work.h"
#include "scenarios/lang/exits.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { A_SECOND = 10, STOP_TRIES = 60 * A_SECOND }; /* of little waits */

static const char TIMELINE[] = "timeline";

int afl_refuse(int code, const char *what, const char *name, const char *rule) {
    fprintf(stderr, "crashgate: fuzz: %s%s%s\n", what, name, rule);
    return code;
}

bool afl_is_verb(const char *word) {
    return strcmp(word, "start") == 0 || strcmp(word, "status") == 0 || strcmp(word, "stop") == 0 ||
           strcmp(word, "resume") == 0;
}

static unsigned ask_to_end(const struct afl_campaign *campaign) {
    unsigned asked = 0;
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        pid_t pid = afl_instance_pid(campaign, i);
        if (pid > 0 && kill(pid, SIGINT) == 0)
            asked++;
    }
    return asked;
}

/* Fuzzers are asked to end, which they do with their targets, and once a second again: who was asked
 * before it listened goes on. Targets that are left, of a fuzzer that was killed, ignore a request. */
unsigned afl_end(const struct afl_campaign *campaign, unsigned *left) {
    unsigned asked = ask_to_end(campaign);
    char path[AFL_PATH_SIZE * 2];
    *left = afl_signal_all(campaign, 0);
    for (int i = 0; asked > 0 && *left > 0 && i < STOP_TRIES; i++) {
        afl_wait_a_little();
        *left = afl_signal_all(campaign, 0);
        if (i % A_SECOND == A_SECOND - 1)
            ask_to_end(campaign);
    }
    if (*left > 0)
        afl_signal_all(campaign, SIGKILL);
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        afl_pid_path(campaign, i, path);
        unlink(path);
    }
    return asked;
}

static int stop(const struct afl_campaign *campaign) {
    unsigned left = 0, asked = afl_end(campaign, &left);
    if (asked + left == 0) {
        printf("%s: nothing runs\n", campaign->target);
        return EXIT_INCONCLUSIVE;
    }
    printf("%s: %u fuzzer%s ended", campaign->target, asked, asked == 1 ? "" : "s");
    if (left > 0)
        printf(", %u process%s killed that did not end", left, left == 1 ? "" : "es");
    putchar('\n');
    return EXIT_PASS;
}

/* ---- the command line ---- */

static int refuse_target(const char *name) {
    fprintf(stderr, "crashgate: fuzz: no target '%s'; it is %s", name, TIMELINE);
    for (size_t i = 0; input_at(i) != NULL; i++)
        fprintf(stderr, ", %s", input_at(i)->name);
    fputc('\n', stderr);
    return EXIT_MISTAKE;
}

/* How many a campaign had; at least one, which is then missed by its name. */
static unsigned long started_before(const struct afl_campaign *campaign) {
    char path[AFL_PATH_SIZE * 2];
    unsigned long count = 1;
    while (count < AFL_INSTANCES_MAX && afl_stats_path(campaign, count, path))
        count++;
    return count;
}

/* It would end the word of the command that it stands in. */
static bool has_quote(const char *option, const char *text) {
    if (text == NULL || strchr(text, '\'') == NULL)
        return false;
    fprintf(stderr, "crashgate: fuzz: %s %s has a quote in it\n", option, text);
    return true;
}

int command_afl(const struct options *options) {
    const char *verb = options->files[0];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct afl_campaign campaign = {.target =
                                        options->file_count > 1 ? options->files[1] : TIMELINE};
    struct afl_starting starting = {.campaign = &campaign,
                                    .oms = options->value[OPTION_OMS],
                                    .foreign = options->value[OPTION_FOREIGN],
                                    .instances = cores < 1 ? 1 : (unsigned long)cores,
                                    .resumes = strcmp(verb, "resume") == 0,
                                    .dry = options->value[OPTION_DRY_RUN] != NULL};
    struct work_shard machine = {.index = 1, .of = 1};
    if (options->file_count > 2)
        return afl_refuse(EXIT_MISTAKE, verb, " takes one target, not also ", options->files[2]);
    if (strcmp(campaign.target, TIMELINE) != 0 && input_find(campaign.target) == NULL)
        return refuse_target(campaign.target);
    snprintf(campaign.folder, sizeof campaign.folder, "build/fuzz/campaigns/%s", campaign.target);
    if (strcmp(verb, "status") == 0)
        return afl_status(&campaign, options->value[OPTION_JSON]);
    if (strcmp(verb, "stop") == 0)
        return stop(&campaign);
    if (!options_number("--jobs", options->value[OPTION_JOBS], 1, AFL_INSTANCES_MAX,
                        &starting.instances) ||
        !options_number("--budget", options->value[OPTION_BUDGET], 1, 100000000,
                        &starting.seconds) ||
        !options_number("--executions", options->value[OPTION_EXECUTIONS], 1, UINT32_MAX,
                        &starting.executions))
        return EXIT_MISTAKE;
    if (has_quote("--oms", starting.oms) || has_quote("--foreign", starting.foreign))
        return EXIT_MISTAKE;
    if (options->value[OPTION_SHARD] != NULL &&
        !work_shard_parse(options->value[OPTION_SHARD], &machine))
        return afl_refuse(EXIT_MISTAKE, "--shard is I/N with 1 <= I <= N, not '",
                          options->value[OPTION_SHARD], "'");
    starting.machine = machine.index - 1;
    if (starting.resumes && options->value[OPTION_JOBS] == NULL)
        starting.instances = started_before(&campaign);
    return afl_start(&starting);
}
