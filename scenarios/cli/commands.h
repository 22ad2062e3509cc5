/* The commands of the crashgate program; each returns an exit code. */
#ifndef SCENARIOS_CLI_COMMANDS_H
#define SCENARIOS_CLI_COMMANDS_H

#include "scenarios/cli/options.h"

/* Whichever the options name. */
int command_perform(const struct options *options, const char *program);

int command_run(const struct options *options, const char *program);
int command_check(const struct options *options);
int command_fmt(const struct options *options);
int command_new(const struct options *options);
int command_explain(const struct options *options, const char *program);
int command_points(const struct options *options, const char *program);
int command_replay(const struct options *options, const char *program);
int command_shrink(const struct options *options, const char *program);
int command_explore(const struct options *options, const char *program);
int command_sweep(const struct options *options, const char *program);
int command_fuzz(const struct options *options, const char *program);
int command_triage(const struct options *options, const char *program);
int command_promote(const struct options *options, const char *program);
int command_bugs(const struct options *options, const char *program);
int command_doctor(const struct options *options, const char *program);
int command_gate(const struct options *options, const char *program);
int command_merge(const struct options *options, const char *program);
int command_known_bad(const struct options *options, const char *program);
int command_broker(const struct options *options);
int command_faults(void);
int command_reference(const struct options *options);
int command_bench(const char *program);

#endif
