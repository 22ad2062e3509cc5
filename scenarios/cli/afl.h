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

enum { AFL_INSTANCES_MAX = 64, AFL_PATH_SIZE = 512, AFL_NAME_SIZE = 16 };
struct afl_campaign {
    const char *target;
    char folder[AFL_PATH_SIZE];
};
/* "main", "second", "third", "i4" ... Returns out. */
const char *afl_instance_name(size_t index, char out[AFL_NAME_SIZE]);
/* The pid that is written down for it, when that process is one of this campaign's; else 0. */
pid_t afl_instance_pid(const struct afl_campaign *campaign, size_t index);
/* Whether a process carries this campaign's mark in its environment. */
bool afl_is_ours(const struct afl_campaign *campaign, pid_t pid);

/* What AFL++ says of a campaign, for people or (json not NULL: a path, or "-") as JSON lines.
 * Returns an exit code: 1 when something was saved, 3 when there is nothing to tell. */
int afl_status(const struct afl_campaign *campaign, const char *json);

#endif
