/* A process aside: its output is kept until it is asked for. */
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

struct aside aside_begin(const char *what, struct suite *suite,
                         void (*work)(void *ctx, void *result), void *ctx, void *result,
                         size_t size) {
    struct aside aside = {.what = what, .pid = -1, .told = tmpfile(), .made = tmpfile()};
    fflush(NULL);
    if (aside.told != NULL && aside.made != NULL)
        aside.pid = fork();
    if (aside.pid == 0) {
        aside_step_back();
        bool whole = dup2(fileno(aside.told), STDOUT_FILENO) >= 0;
        work(ctx, result);
        whole = fwrite(result, size, 1, aside.made) == 1 && fflush(NULL) == 0 && whole;
        _exit(whole ? suite->exit_code : EXIT_ENVIRONMENT);
    }
    if (aside.pid < 0)
        fprintf(stderr, "crashgate: cannot start the process that %s: %s\n", what, strerror(errno));
    return aside;
}

static void print_all(FILE *from) {
    char chunk[4096];
    size_t n = 0;
    rewind(from);
    while ((n = fread(chunk, 1, sizeof chunk, from)) > 0)
        fwrite(chunk, 1, n, stdout);
}

void aside_end(struct aside *aside, struct suite *suite, void *result, size_t size) {
    int status = 0;
    bool ended = aside->pid > 0;
    while (ended && waitpid(aside->pid, &status, 0) < 0)
        ended = errno == EINTR;
    if (ended && WIFEXITED(status))
        suite_worst(suite, WEXITSTATUS(status));
    if (ended) {
        print_all(aside->told);
        rewind(aside->made);
    }
    if (!ended || !WIFEXITED(status) || fread(result, size, 1, aside->made) != 1) {
        fprintf(stderr, "crashgate: the process that %s did not finish\n", aside->what);
        suite_worst(suite, EXIT_ENVIRONMENT);
    }
    if (aside->told != NULL)
        fclose(aside->told);
    if (aside->made != NULL)
        fclose(aside->made);
}
