/* A piece of a command's work in a process of its own, while the command goes on with another. */
#ifndef SCENARIOS_CLI_ASIDE_H
#define SCENARIOS_CLI_ASIDE_H

#include "scenarios/cli/suite.h"

#include <stdio.h>
#include <sys/types.h>

struct aside {
    const char *what; /* "sweeps": what it does, for messages */
    pid_t pid;        /* -1: it could not be started; said on standard error */
    FILE *made;
};

/* Starts work(ctx, made) in a process aside: it sees everything as it is now, and nothing that
 * happens to it is seen here but what it writes to `made`, and the suite's exit code. */
struct aside aside_begin(const char *what, struct suite *suite, void (*work)(void *ctx, FILE *made),
                         void *ctx);
/* Waits for it and calls read(ctx, made), to read what it has made from its beginning; false: it is
 * not whole. One that did not finish is told and is the environment's fault. */
void aside_end(struct aside *aside, struct suite *suite, bool (*read)(void *ctx, FILE *made),
               void *ctx);

/* Called in a process aside: where cores are few it leaves them to the one that all else waits for.
 */
void aside_step_back(void);

#endif
