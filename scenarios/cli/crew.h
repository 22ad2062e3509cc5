/* A crew: processes that take one task after the other from a list, so that no core waits while
 * another has a heap of work left.
 *
 * Who does which task is chance; what a task comes to must not depend on it. A process sees everything
 * as it was when the crew began, and of what happens to it nothing is seen here but what it writes. */
#ifndef SCENARIOS_CLI_CREW_H
#define SCENARIOS_CLI_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CREW_JOBS_MAX = 64 };

struct crew {
    size_t count;  /* of tasks; they are begun in this order */
    unsigned jobs; /* processes, 1 .. CREW_JOBS_MAX */
    /* In a process of the crew: does it, and writes what it came to. Returns an exit code: of the
     * doing, not of what was found. */
    int (*perform)(void *ctx, size_t task, FILE *made);
    /* Here, as soon as it was done, in no order: reads that. False: it is not whole. */
    bool (*take)(void *ctx, size_t task, const char *made, size_t length);
    /* What messages call it. */
    const char *(*name)(void *ctx, size_t task);
    void *ctx;
};

/* Does all of them. Returns the exit code that weighs most (0: all were done): of a task that could
 * not be done, or EXIT_ENVIRONMENT or EXIT_INTERNAL for a process that ended early, which is told by
 * its task on standard error; the others go on without it. */
int crew_run(const struct crew *crew);

#endif
