/* Looking at one moment of a run: its state, and what of it can be written down as expectations. */
#ifndef SCENARIOS_CLI_MOMENT_H
#define SCENARIOS_CLI_MOMENT_H

#include "scenarios/cli/options.h"

/* `run --until LINE`: the story and the state right before that line of the file. */
int command_until(const struct options *options, const char *program);
/* `run --bless`: writes what is observed into the file, for a person to confirm. */
int command_bless(const struct options *options, const char *program);

#endif
