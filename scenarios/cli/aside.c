/* A process aside: what it makes is read when it has ended. */
#include "scenarios/cli/aside.h"

#include "scenarios/lang/exits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEHIND = 10 }; /* niceness */

void aside_step_back(void) {
    (void)setpriority(PRIO_PROCESS, 0, BEHIND);
}

struct aside aside_begin(const char *what, struct suite *suite, void (*work)(void *ctx, FILE *made),
                         void *ctx) {
    struct aside aside = {.what = what, .pid = -1, .made = tmpfile()};
    fflush(NULL);
    if (aside.made != NULL)
        aside.pid = fork();
    if (aside.pid == 0) {
        aside_step_back();
        suite->terminal.progress = false;
        work(ctx, aside.made);
        _exit(fflush(NULL) == 0 && ferror(aside.made) == 0 ? suite->exit_code : EXIT_ENVIRONMENT);
    }
    if (aside.pid < 0)
        fprintf(stderr, "crashgate: cannot start the process that %s: %s\n", what, strerror(errno));
    return aside;
}

void aside_end(struct aside *aside, struct suite *suite, bool (*read)(void *ctx, FILE *made),
               void *ctx) {
    int status = 0;
    bool ended = aside->pid > 0;
    while (ended && waitpid(aside->pid, &status, 0) < 0)
        ended = errno == EINTR;
    ended = ended && WIFEXITED(status);
    if (ended) {
        suite_worst(suite, WEXITSTATUS(status));
        rewind(aside->made);
    }
    if (!ended || !read(ctx, aside->made)) {
        fprintf(stderr, "crashgate: the process that %s did not finish\n", aside->what);
        suite_worst(suite, EXIT_ENVIRONMENT);
    }
    if (aside->made != NULL)
        fclose(aside->made);
}
