/* The fuzzers of a campaign: their names, their processes, what they said last.
 *
 * (1) A process is ours when it carries the campaign's mark in its environment, which only what we
 *     started has. No other one is ever sent a signal, whatever a pid file says. */
#include "scenarios/cli/afl.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENVIRON_MAX = 1 << 17, LINE_SIZE = 1024 };

const char *afl_instance_name(size_t index, char out[AFL_NAME_SIZE]) {
    static const char *const names[] = {"main", "second", "third"};
    if (index < sizeof names / sizeof names[0])
        snprintf(out, AFL_NAME_SIZE, "%s", names[index]);
    else
        snprintf(out, AFL_NAME_SIZE, "i%zu", index + 1);
    return out;
}

/* Whether a process carries this campaign's mark in its environment. */
static bool is_ours(const struct afl_campaign *campaign, pid_t pid) {
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

void afl_pid_path(const struct afl_campaign *campaign, size_t index, char out[AFL_PATH_SIZE * 2]) {
    char name[AFL_NAME_SIZE];
    snprintf(out, AFL_PATH_SIZE * 2, "%s/%s.pid", campaign->folder, afl_instance_name(index, name));
}

pid_t afl_instance_pid(const struct afl_campaign *campaign, size_t index) {
    char path[AFL_PATH_SIZE * 2], text[32] = "";
    long pid = 0;
    FILE *in = NULL;
    afl_pid_path(campaign, index, path);
    in = fopen(path, "re");
    if (in == NULL)
        return 0;
    if (fgets(text, sizeof text, in) != NULL)
        pid = strtol(text, NULL, 10);
    fclose(in);
    return pid > 0 && is_ours(campaign, (pid_t)pid) ? (pid_t)pid : 0;
}

unsigned afl_signal_all(const struct afl_campaign *campaign, int signal) {
    DIR *all = opendir("/proc");
    unsigned count = 0;
    for (struct dirent *row = NULL; all != NULL && (row = readdir(all)) != NULL;) {
        long pid = isdigit((unsigned char)row->d_name[0]) ? strtol(row->d_name, NULL, 10) : 0;
        if (pid <= 0 || pid == (long)getpid() || !is_ours(campaign, (pid_t)pid))
            continue;
        count++;
        if (signal != 0)
            kill((pid_t)pid, signal);
    }
    if (all != NULL)
        closedir(all);
    return count;
}

void afl_wait_a_little(void) {
    struct timespec time = {.tv_nsec = 100000000};
    nanosleep(&time, NULL);
}

void afl_log_path(const struct afl_campaign *campaign, size_t index, char out[AFL_PATH_SIZE * 2]) {
    char name[AFL_NAME_SIZE];
    snprintf(out, AFL_PATH_SIZE * 2, "%s/%s.log", campaign->folder, afl_instance_name(index, name));
}

bool afl_stats_path(const struct afl_campaign *campaign, size_t index,
                    char out[AFL_PATH_SIZE * 2]) {
    char name[AFL_NAME_SIZE];
    snprintf(out, AFL_PATH_SIZE * 2, "%s/afl/%s/fuzzer_stats", campaign->folder,
             afl_instance_name(index, name));
    return access(out, R_OK) == 0;
}

/* Without colours, cursor moves and the line's end. */
static void make_plain(const char *line, char *out) {
    size_t length = 0;
    for (const char *at = line; *at != '\0'; at++) {
        if (at[0] == '\033' && at[1] == '[') {
            at += 2 + strcspn(at + 2, "ABCDEFGHJKSTfhlmnsu");
            if (*at == '\0')
                break;
        } else if ((unsigned char)*at >= ' ') {
            out[length++] = *at;
        }
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
}

/* The words it aborts with stand before where in its source it was. */
void afl_last_words(const struct afl_campaign *campaign, size_t index, char out[AFL_WORDS_SIZE]) {
    char path[AFL_PATH_SIZE * 2], line[LINE_SIZE], plain[LINE_SIZE];
    bool aborted = false;
    FILE *in = NULL;
    snprintf(out, AFL_WORDS_SIZE, "nothing");
    afl_log_path(campaign, index, path);
    in = fopen(path, "re");
    while (in != NULL && !aborted && fgets(line, sizeof line, in) != NULL) {
        make_plain(line, plain);
        aborted = strstr(plain, "PROGRAM ABORT") != NULL;
        if (plain[0] != '\0')
            snprintf(out, AFL_WORDS_SIZE, "%.*s", AFL_WORDS_SIZE - 1, plain);
    }
    if (in != NULL)
        fclose(in);
}

bool afl_log_says(const struct afl_campaign *campaign, size_t index, const char *words) {
    char path[AFL_PATH_SIZE * 2], line[LINE_SIZE];
    bool said = false;
    FILE *in = NULL;
    afl_log_path(campaign, index, path);
    in = fopen(path, "re");
    while (in != NULL && !said && fgets(line, sizeof line, in) != NULL)
        said = strstr(line, words) != NULL;
    if (in != NULL)
        fclose(in);
    return said;
}
