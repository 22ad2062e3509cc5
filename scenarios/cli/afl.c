/* Starting and ending campaigns of AFL++. Every command is printed as it is run. */
#include "scenarios/cli/afl.h"

#include "fuzz/inputs/inputs.h"
#include "fuzz/timeline.h"
#include "scenarios/lang/exits.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COMMAND_SIZE = 4096, ENVIRON_MAX = 1 << 17, STOP_TRIES = 50, INPUT_LENGTH_MAX = 4096 };

static const char TIMELINE[] = "timeline";
/* What a container needs, and a campaign in the background. */
static const char ENVIRONMENT[] =
    "AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 "
    "AFL_NO_CRASH_README=1";

static int refuse(int code, const char *what, const char *name, const char *rule) {
    fprintf(stderr, "crashgate: fuzz: %s%s%s\n", what, name, rule);
    return code;
}

bool afl_is_verb(const char *word) {
    return strcmp(word, "start") == 0 || strcmp(word, "status") == 0 || strcmp(word, "stop") == 0 ||
           strcmp(word, "resume") == 0;
}

const char *afl_instance_name(size_t index, char out[AFL_NAME_SIZE]) {
    static const char *const names[] = {"main", "second", "third"};
    if (index < sizeof names / sizeof names[0])
        snprintf(out, AFL_NAME_SIZE, "%s", names[index]);
    else
        snprintf(out, AFL_NAME_SIZE, "i%zu", index + 1);
    return out;
}

/* ---- processes of a campaign ---- */

bool afl_is_ours(const struct afl_campaign *campaign, pid_t pid) {
    char path[64], here[AFL_PATH_SIZE * 2], mark[AFL_PATH_SIZE * 4];
    char *text = malloc(ENVIRON_MAX);
    size_t size = 0;
    bool found = false;
    FILE *in = NULL;
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
    /* Absolute: another checkout's campaign of this name is not ours. */
    if (getcwd(here, sizeof here) == NULL)
        here[0] = '\0';
    snprintf(mark, sizeof mark, "FUZZ_MARK=%s/%s", here, campaign->folder);
    in = fopen(path, "re");
    if (in != NULL && text != NULL)
        size = fread(text, 1, ENVIRON_MAX - 1, in);
    if (in != NULL)
        fclose(in);
    if (text != NULL)
        text[size] = '\0';
    for (size_t at = 0; at < size && !found; at += strlen(text + at) + 1)
        found = strcmp(text + at, mark) == 0;
    free(text);
    return found;
}

static void pid_path(const struct afl_campaign *campaign, size_t index,
                     char out[AFL_PATH_SIZE * 2]) {
    char name[AFL_NAME_SIZE];
    snprintf(out, AFL_PATH_SIZE * 2, "%s/%s.pid", campaign->folder, afl_instance_name(index, name));
}

pid_t afl_instance_pid(const struct afl_campaign *campaign, size_t index) {
    char path[AFL_PATH_SIZE * 2], text[32] = "";
    long pid = 0;
    FILE *in = NULL;
    pid_path(campaign, index, path);
    in = fopen(path, "re");
    if (in == NULL)
        return 0;
    if (fgets(text, sizeof text, in) != NULL)
        pid = strtol(text, NULL, 10);
    fclose(in);
    return pid > 0 && afl_is_ours(campaign, (pid_t)pid) ? (pid_t)pid : 0;
}

/* Processes that carry the mark get the signal. Returns how many there are. */
static unsigned signal_all(const struct afl_campaign *campaign, int signal) {
    DIR *all = opendir("/proc");
    unsigned count = 0;
    for (struct dirent *row = NULL; all != NULL && (row = readdir(all)) != NULL;) {
        long pid = isdigit((unsigned char)row->d_name[0]) ? strtol(row->d_name, NULL, 10) : 0;
        if (pid <= 0 || pid == (long)getpid() || !afl_is_ours(campaign, (pid_t)pid))
            continue;
        count++;
        if (signal != 0)
            kill((pid_t)pid, signal);
    }
    if (all != NULL)
        closedir(all);
    return count;
}

static void wait_a_little(void) {
    struct timespec time = {.tv_nsec = 100000000};
    nanosleep(&time, NULL);
}

/* Fuzzers are asked to end, which they do with their targets. Targets that are left, of a fuzzer
 * that was killed, ignore a request. */
static int stop(const struct afl_campaign *campaign) {
    unsigned asked = 0, left = 0;
    char path[AFL_PATH_SIZE * 2];
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        pid_t pid = afl_instance_pid(campaign, i);
        if (pid > 0 && kill(pid, SIGINT) == 0)
            asked++;
    }
    left = signal_all(campaign, 0);
    for (int i = 0; asked > 0 && left > 0 && i < STOP_TRIES; i++) {
        wait_a_little();
        left = signal_all(campaign, 0);
    }
    if (left > 0)
        signal_all(campaign, SIGKILL);
    for (size_t i = 0; i < AFL_INSTANCES_MAX; i++) {
        pid_path(campaign, i, path);
        unlink(path);
    }
    printf("%s: %u fuzzers ended, %u processes killed that were left over\n", campaign->target,
           asked, left);
    return asked + left > 0 ? EXIT_PASS : EXIT_INCONCLUSIVE;
}

/* ---- starting ---- */

struct starting {
    const struct afl_campaign *campaign;
    const char *oms;                  /* NULL: the core */
    unsigned long instances, seconds; /* 0 seconds: until it is stopped */
    bool resumes, dry;
};

static bool is_timeline(const struct afl_campaign *campaign) {
    return strcmp(campaign->target, TIMELINE) == 0;
}

static int run(const struct starting *starting, const char *command) {
    int status = 0;
    puts(command);
    fflush(stdout);
    if (starting->dry)
        return EXIT_PASS;
    status = system(command); // NOLINT(cert-env33-c): the command is the one that was printed
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_PASS;
    return refuse(EXIT_ENVIRONMENT, "'", command, "' failed");
}

static int make_seeds(const struct starting *starting) {
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
static void fuzzer(const struct starting *starting, size_t index, char out[COMMAND_SIZE]) {
    const struct afl_campaign *campaign = starting->campaign;
    const struct input *input = input_find(campaign->target);
    char name[AFL_NAME_SIZE], limit[32] = "", special[AFL_PATH_SIZE] = "",
                              words[AFL_PATH_SIZE] = "";
    char oms[AFL_PATH_SIZE] = "", seeds[AFL_PATH_SIZE * 2] = "-";
    if (starting->seconds > 0)
        snprintf(limit, sizeof limit, " -V %lu", starting->seconds);
    if (!starting->resumes)
        snprintf(seeds, sizeof seeds, "%s/seeds", campaign->folder);
    if (is_timeline(campaign))
        snprintf(special, sizeof special,
                 " AFL_CUSTOM_MUTATOR_LIBRARY=\"$PWD/build/afl/timeline_mutator.so\" "
                 "AFL_CUSTOM_MUTATOR_ONLY=1");
    else if (input->words != NULL)
        snprintf(words, sizeof words, " -x %.400s/words", campaign->folder);
    if (starting->oms != NULL)
        snprintf(oms, sizeof oms, " FUZZ_OMS='%.400s'", starting->oms);
    snprintf(out, COMMAND_SIZE,
             "env FUZZ_MARK=\"$(pwd -P)/%s\"%s %s%s AFL_INPUT_LEN_MAX=%d afl-fuzz %s %s -i %s -o "
             "%s/afl -s %zu%s "
             "-t 2000 -m none%s -- build/%s%s",
             campaign->folder, oms, ENVIRONMENT, special,
             is_timeline(campaign) ? TIMELINE_BYTES_MAX : INPUT_LENGTH_MAX,
             index == 0 ? "-M" : "-S", afl_instance_name(index, name), seeds, campaign->folder,
             index + 1, limit, words, is_timeline(campaign) ? "afl/" : "inputs/input_",
             campaign->target);
}

/* In a session of its own, so that it outlives this program's terminal; all it says goes to a log. */
static _Noreturn void become(const char *command, const char *log) {
    char line[COMMAND_SIZE + 8];
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    snprintf(line, sizeof line, "exec %s", command);
    if (out >= 0 && in >= 0 && setsid() >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 &&
        dup2(out, 2) >= 0)
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(EXIT_ENVIRONMENT);
}

static int start_one(const struct starting *starting, size_t index) {
    char command[COMMAND_SIZE], log[AFL_PATH_SIZE * 2], path[AFL_PATH_SIZE * 2];
    char name[AFL_NAME_SIZE];
    pid_t pid = 0;
    FILE *out = NULL;
    fuzzer(starting, index, command);
    puts(command);
    fflush(stdout);
    if (starting->dry)
        return EXIT_PASS;
    snprintf(log, sizeof log, "%s/%s.log", starting->campaign->folder,
             afl_instance_name(index, name));
    pid_path(starting->campaign, index, path);
    pid = fork();
    if (pid == 0)
        become(command, log);
    out = fopen(path, "we");
    if (pid < 0 || out == NULL) {
        if (out != NULL)
            fclose(out);
        return refuse(EXIT_ENVIRONMENT, path, ": ", strerror(errno));
    }
    fprintf(out, "%ld\n", (long)pid);
    return fclose(out) == 0 ? EXIT_PASS : refuse(EXIT_ENVIRONMENT, path, ": ", strerror(errno));
}

static int is_ready(const struct starting *starting) {
    const struct afl_campaign *campaign = starting->campaign;
    char path[AFL_PATH_SIZE * 2];
    bool there = false;
    snprintf(path, sizeof path, "build/%s%s", is_timeline(campaign) ? "afl/" : "inputs/input_",
             campaign->target);
    if (access(path, X_OK) != 0)
        return refuse(EXIT_ENVIRONMENT, path, " is not built",
                      is_timeline(campaign) ? ": run make fuzz" : ": run make fuzz-inputs");
    if (signal_all(campaign, 0) > 0)
        return refuse(EXIT_MISTAKE, campaign->target, " is being fuzzed",
                      ": 'crashgate fuzz stop' ends that first");
    snprintf(path, sizeof path, "%s/afl/main", campaign->folder);
    there = access(path, R_OK) == 0;
    if (starting->resumes && !there)
        return refuse(EXIT_MISTAKE, path, " is not there: ", "what never started is not resumed");
    if (!starting->resumes && there)
        return refuse(EXIT_MISTAKE, campaign->folder, " holds a campaign",
                      ": resume it, or remove the folder");
    return EXIT_PASS;
}

static int start(const struct starting *starting) {
    int code = starting->dry ? EXIT_PASS : is_ready(starting);
    if (code == EXIT_PASS && !starting->resumes)
        code = make_seeds(starting);
    for (size_t i = 0; code == EXIT_PASS && i < starting->instances; i++)
        code = start_one(starting, i);
    return code;
}

/* ---- the command line ---- */

static int refuse_target(const char *name) {
    fprintf(stderr, "crashgate: fuzz: no target '%s'; it is %s", name, TIMELINE);
    for (size_t i = 0; input_at(i) != NULL; i++)
        fprintf(stderr, ", %s", input_at(i)->name);
    fputc('\n', stderr);
    return EXIT_MISTAKE;
}

int command_afl(const struct options *options) {
    const char *verb = options->files[0];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct afl_campaign campaign = {.target =
                                        options->file_count > 1 ? options->files[1] : TIMELINE};
    struct starting starting = {.campaign = &campaign,
                                .oms = options->value[OPTION_OMS],
                                .instances = cores < 1 ? 1 : (unsigned long)cores,
                                .resumes = strcmp(verb, "resume") == 0,
                                .dry = options->value[OPTION_DRY_RUN] != NULL};
    if (options->file_count > 2)
        return refuse(EXIT_MISTAKE, verb, " takes one target, not also ", options->files[2]);
    if (!is_timeline(&campaign) && input_find(campaign.target) == NULL)
        return refuse_target(campaign.target);
    snprintf(campaign.folder, sizeof campaign.folder, "build/fuzz/campaigns/%s", campaign.target);
    if (strcmp(verb, "status") == 0)
        return afl_status(&campaign, options->value[OPTION_JSON]);
    if (strcmp(verb, "stop") == 0)
        return stop(&campaign);
    if (!options_number("--jobs", options->value[OPTION_JOBS], 1, AFL_INSTANCES_MAX,
                        &starting.instances) ||
        !options_number("--budget", options->value[OPTION_BUDGET], 1, 100000000, &starting.seconds))
        return EXIT_MISTAKE;
    if (starting.oms != NULL && strchr(starting.oms, '\'') != NULL)
        return refuse(EXIT_MISTAKE, "--oms ", starting.oms, " has a quote in it");
    return start(&starting);
}
