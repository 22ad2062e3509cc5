/* crashgate fuzz start|status|stop|resume: campaigns of AFL++, in the background.
 *
 * A campaign lives in build/fuzz/campaigns/TARGET: seeds, logs, a file with the pid of each instance,
 * and AFL++'s own folder, afl, which any number of instances share (-M main, -S second ...). */
#ifndef SCENARIOS_CLI_AFL_H
#define SCENARIOS_CLI_AFL_H

#include "scenarios/cli/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the word is one of start, status, stop, resume. */
bool afl_is_verb(const char *word);
/* files[0] is the verb, files[1] the target (timeline when it is not there). */
int command_afl(const struct options *options);

enum { AFL_INSTANCES_MAX = 64, AFL_PATH_SIZE = 512, AFL_NAME_SIZE = 16, AFL_WORDS_SIZE = 300 };
struct afl_campaign {
    const char *target;
    char folder[AFL_PATH_SIZE];
};

/* ---- one instance (afl_instance.c) ---- */

/* "main", "second", "third", "i4" ... Returns out. */
const char *afl_instance_name(size_t index, char out[AFL_NAME_SIZE]);
/* The pid that is written down for it, when that process is one of this campaign's; else 0. */
pid_t afl_instance_pid(const struct afl_campaign *campaign, size_t index);
/* Where its pid is written down, and where all it says goes. */
void afl_pid_path(const struct afl_campaign *campaign, size_t index, char out[AFL_PATH_SIZE * 2]);
void afl_log_path(const struct afl_campaign *campaign, size_t index, char out[AFL_PATH_SIZE * 2]);
/* Where AFL++ tells its figures. False: it has told none yet. */
bool afl_stats_path(const struct afl_campaign *campaign, size_t index, char out[AFL_PATH_SIZE * 2]);
/* Why it ended, in one line of its log: what it aborted with, or else the last line. */
void afl_last_words(const struct afl_campaign *campaign, size_t index, char out[AFL_WORDS_SIZE]);
/* Whether a line of its log has these words. */
bool afl_log_says(const struct afl_campaign *campaign, size_t index, const char *words);
/* Processes of this campaign get the signal (0: none). Returns how many there are. */
unsigned afl_signal_all(const struct afl_campaign *campaign, int signal);
/* A tenth of a second. */
void afl_wait_a_little(void);

/* ---- what is done with them ---- */

struct afl_starting {
    const struct afl_campaign *campaign;
    const char *oms;                   /* NULL: the core */
    const char *foreign;               /* a folder whose inputs the first takes too; NULL: none */
    unsigned long machine;             /* from 0: each has chance of its own */
    unsigned long instances;           /* 1 to AFL_INSTANCES_MAX */
    unsigned long seconds, executions; /* of each instance; 0: until it is stopped */
    bool resumes, dry;                 /* dry: commands are printed, and not run */
};
/* Makes seeds, starts every instance and waits until each has run its target once. Each command is
 * printed. Returns an exit code; when one instance cannot start, none is left running. */
int afl_start(const struct afl_starting *starting);

/* Ends all that runs of a campaign. Returns how many fuzzers ended; *left: how many processes had to
 * be killed. Pid files go. */
unsigned afl_end(const struct afl_campaign *campaign, unsigned *left);

/* What AFL++ says of a campaign, for people or (json not NULL: a path, or "-") as JSON lines.
 * Returns an exit code: 1 when something was saved, 3 when there is nothing to tell, 5 when an
 * instance ended before it told anything. */
int afl_status(const struct afl_campaign *campaign, const char *json);

/* Says "crashgate: fuzz: " and the three, on standard error. Returns the code. */
int afl_refuse(int code, const char *what, const char *name, const char *rule);

#endif
