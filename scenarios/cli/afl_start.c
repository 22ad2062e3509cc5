/* Starting the fuzzers of a campaign. Every command is printed as it is run. */
#include "scenarios/cli/afl.h"

#include "fuzz/inputs/inputs.h"
#include "fuzz/timeline.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A fuzzer that has said nothing of its target after so many looks is left to itself. */
enum { COMMAND_SIZE = 4096, INPUT_LENGTH_MAX = 4096, LOOKS_MAX = 600 };

/* What a container needs, and a campaign in the background. */
static const char ENVIRONMENT[] =
    "AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 "
    "AFL_NO_CRASH_README=1";

/* ---- the commands ---- */

static bool is_timeline(const struct afl_campaign *campaign) {
    return strcmp(campaign->target, "timeline") == 0;
}

static int run(const struct afl_starting *starting, const char *command) {
    int status = 0;
    puts(command);
    fflush(stdout);
    if (starting->dry)
        return EXIT_PASS;
    status = system(command); // NOLINT(cert-env33-c): the command is the one that was printed
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_PASS;
    return afl_refuse(EXIT_ENVIRONMENT, "'", command, "' failed");
}

static int make_seeds(const struct afl_starting *starting) {
    const struct afl_campaign *campaign = starting->campaign;
    const char *scenarios = strcmp(campaign->target, "scenario") == 0 ? " scenarios/*/*.scn" : "";
    char command[COMMAND_SIZE];
    int code = EXIT_PASS;
    snprintf(command, sizeof command, "mkdir -p %s", campaign->folder);
    code = run(starting, command);
    if (is_timeline(campaign))
        snprintf(command, sizeof command, "build/fuzz_timeline seeds %s/seeds scenarios/*/*.scn",
                 campaign->folder);
    else
        snprintf(command, sizeof command, "build/fuzz_inputs seeds %s %s/seeds%s", campaign->target,
                 campaign->folder, scenarios);
    if (code == EXIT_PASS)
        code = run(starting, command);
    if (is_timeline(campaign) || code != EXIT_PASS)
        return code;
    snprintf(command, sizeof command, "build/fuzz_inputs words %s > %s/words", campaign->target,
             campaign->folder);
    return run(starting, command);
}

/* The command of one instance, whole. */
static void fuzzer(const struct afl_starting *starting, size_t index, char out[COMMAND_SIZE]) {
    const struct afl_campaign *campaign = starting->campaign;
    const struct input *input = input_find(campaign->target);
    char name[AFL_NAME_SIZE], limit[64] = "", special[AFL_PATH_SIZE] = "",
                              words[AFL_PATH_SIZE] = "";
    char oms[AFL_PATH_SIZE] = "", seeds[AFL_PATH_SIZE * 2] = "-";
    char stats[AFL_PATH_SIZE * 2], foreign[AFL_PATH_SIZE] = "";
    size_t length = 0;
    int written = 0;
    if (starting->seconds > 0)
        length = (size_t)snprintf(limit, sizeof limit, " -V %lu", starting->seconds);
    if (starting->executions > 0)
        snprintf(limit + length, sizeof limit - length, " -E %lu", starting->executions);
    /* What there was not before starts from the seeds, also when the others are resumed. */
    if (!starting->resumes || !afl_stats_path(campaign, index, stats))
        snprintf(seeds, sizeof seeds, "%s/seeds", campaign->folder);
    if (is_timeline(campaign))
        snprintf(special, sizeof special,
                 " AFL_CUSTOM_MUTATOR_LIBRARY=\"$PWD/build/afl/timeline_mutator.so\" "
                 "AFL_CUSTOM_MUTATOR_ONLY=1");
    else if (input->words != NULL)
        snprintf(words, sizeof words, " -x %.400s/words", campaign->folder);
    if (starting->foreign != NULL && index == 0)
        snprintf(foreign, sizeof foreign, " -F '%.400s'", starting->foreign);
    if (starting->oms != NULL)
        snprintf(oms, sizeof oms, " FUZZ_OMS='%.400s'", starting->oms);
    written = snprintf(
        out, COMMAND_SIZE,
        "env FUZZ_MARK=\"$(pwd -P)/%s\"%s %s%s AFL_INPUT_LEN_MAX=%d afl-fuzz %s %s -i %s -o "
        "%s/afl -s %lu%s%s "
        "-t 2000 -m none%s -- build/%s%s",
        campaign->folder, oms, ENVIRONMENT, special,
        is_timeline(campaign) ? TIMELINE_BYTES_MAX : INPUT_LENGTH_MAX, index == 0 ? "-M" : "-S",
        afl_instance_name(index, name), seeds, campaign->folder,
        starting->machine * AFL_INSTANCES_MAX + index + 1, limit, foreign, words,
        is_timeline(campaign) ? "afl/" : "inputs/input_", campaign->target);
    CHECK(written > 0 && written < COMMAND_SIZE); /* every part has its bound */
}

/* In a session of its own, so that it outlives this program's terminal; all it says goes to a log. It can
 * be asked to end (afl_end), also when whoever started this program in the background, a shell say, had
 * it ignore that. */
static _Noreturn void become(const char *command, const char *log) {
    char line[COMMAND_SIZE + 8];
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    snprintf(line, sizeof line, "exec %s", command);
    signal(SIGINT, SIG_DFL);
    if (out >= 0 && in >= 0 && setsid() >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 &&
        dup2(out, 2) >= 0)
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(EXIT_ENVIRONMENT);
}

/* ---- starting one, and seeing it start ---- */

static int fork_one(const struct afl_starting *starting, size_t index, pid_t *pid) {
    char command[COMMAND_SIZE], log[AFL_PATH_SIZE * 2], path[AFL_PATH_SIZE * 2];
    FILE *out = NULL;
    fuzzer(starting, index, command);
    puts(command);
    fflush(stdout);
    if (starting->dry)
        return EXIT_PASS;
    afl_log_path(starting->campaign, index, log);
    afl_pid_path(starting->campaign, index, path);
    unlink(log);
    *pid = fork();
    if (*pid == 0)
        become(command, log);
    out = fopen(path, "we");
    if (*pid < 0 || out == NULL) {
        if (out != NULL)
            fclose(out);
        return afl_refuse(EXIT_ENVIRONMENT, path, ": ", strerror(errno));
    }
    fprintf(out, "%ld\n", (long)*pid);
    return fclose(out) == 0 ? EXIT_PASS : afl_refuse(EXIT_ENVIRONMENT, path, ": ", strerror(errno));
}

/* Until it has run its target once, or has ended: many reasons not to start are found by then. */
static int see_start(const struct afl_campaign *campaign, size_t index, pid_t pid) {
    char name[AFL_NAME_SIZE], words[AFL_WORDS_SIZE], log[AFL_PATH_SIZE * 2];
    int status = 0;
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        bool ended = waitpid(pid, &status, WNOHANG) == pid;
        if (ended && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
            afl_last_words(campaign, index, words);
            afl_log_path(campaign, index, log);
            fprintf(stderr, "crashgate: fuzz: %s ended as it started: %s\n  all it said: %s\n",
                    afl_instance_name(index, name), words, log);
            return EXIT_ENVIRONMENT;
        }
        if (ended || afl_log_says(campaign, index, "Attempting dry run with"))
            return EXIT_PASS;
        afl_wait_a_little();
    }
    return EXIT_PASS;
}

/* ---- whether it may start ---- */

static bool is_in_path(const char *program) {
    const char *at = getenv("PATH");
    char path[AFL_PATH_SIZE * 2];
    for (size_t length = 0; at != NULL && *at != '\0'; at += length + (at[length] == ':')) {
        length = strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)length, at, program);
        if (length > 0 && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static int refuse_running(const struct afl_campaign *campaign) {
    const char *between = " by ";
    fprintf(stderr, "crashgate: fuzz: %s is being fuzzed", campaign->target);
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        char name[AFL_NAME_SIZE];
        pid_t pid = afl_instance_pid(campaign, i);
        if (pid <= 0)
            continue;
        fprintf(stderr, "%s%s (pid %ld)", between, afl_instance_name(i, name), (long)pid);
        between = ", ";
    }
    fprintf(stderr, ": 'crashgate fuzz stop %s' ends that first\n", campaign->target);
    return EXIT_MISTAKE;
}

static int is_ready(const struct afl_starting *starting) {
    const struct afl_campaign *campaign = starting->campaign;
    char path[AFL_PATH_SIZE * 2];
    bool there = false;
    snprintf(path, sizeof path, "build/%s%s", is_timeline(campaign) ? "afl/" : "inputs/input_",
             campaign->target);
    if (access(path, X_OK) != 0)
        return afl_refuse(EXIT_ENVIRONMENT, path, " is not built",
                          is_timeline(campaign) ? ": run make fuzz" : ": run make fuzz-inputs");
    if (!is_in_path("afl-fuzz"))
        return afl_refuse(EXIT_ENVIRONMENT, "afl-fuzz", " is not in PATH",
                          ": install AFL++ (make packages-fuzz)");
    if (afl_signal_all(campaign, 0) > 0)
        return refuse_running(campaign);
    there = afl_stats_path(campaign, 0, path);
    if (starting->resumes && !there)
        return afl_refuse(EXIT_MISTAKE, path,
                          " is not there: ", "what never started is not resumed");
    if (!starting->resumes && there)
        return afl_refuse(EXIT_MISTAKE, campaign->folder, " holds a campaign",
                          ": resume it, or remove the folder");
    return EXIT_PASS;
}

int afl_start(const struct afl_starting *starting) {
    pid_t pids[AFL_INSTANCES_MAX] = {0};
    unsigned left = 0;
    int code = starting->dry ? EXIT_PASS : is_ready(starting);
    if (code != EXIT_PASS)
        return code;
    if (!starting->resumes)
        code = make_seeds(starting);
    for (size_t i = 0; code == EXIT_PASS && i < starting->instances; i++)
        code = fork_one(starting, i, &pids[i]);
    for (size_t i = 0; code == EXIT_PASS && !starting->dry && i < starting->instances; i++)
        code = see_start(starting->campaign, i, pids[i]);
    if (code != EXIT_PASS && !starting->dry)
        afl_end(starting->campaign, &left);
    return code;
}
